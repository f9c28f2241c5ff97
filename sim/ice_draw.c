/* SPDX-License-Identifier: MIT */
#include "sim/ice_draw.h"

#include <stdio.h>
#include <string.h>

#define KINDS TDM_SIM_NAT_KINDS

void tdm_sim_ice_plain(struct tdm_sim_ice_scenario *s, enum tdm_sim_nat_kind a,
                       enum tdm_sim_nat_kind b)
{
    *s = (struct tdm_sim_ice_scenario){
        .net = {.seed = 1,
                .access = {{.nat = a, .ipv4 = true}, {.nat = b, .ipv4 = true}},
                .delay = {12500 * TDM_US, 12500 * TDM_US}},
        .agents = {{.controlling = true, .stun = true, .turn = true}, {.stun = true, .turn = true}},
        .trickle = true,
        .signal_delay = 25 * TDM_MS,
        .duration = 5 * TDM_S,
    };
    for (unsigned i = 0; i < 2; i++)
        if (s->net.access[i].nat == TDM_SIM_NAT_NO_UDP)
            s->agents[i].turn_link = TDM_ICE_OVER_TCP;
}

static unsigned pick(struct tdm_rng *rng, const uint8_t *weights, unsigned count)
{
    unsigned total = 0, i = 0;

    for (unsigned k = 0; k < count; k++)
        total += weights[k];
    for (unsigned at = tdm_rng_below(rng, total); i + 1 < count && at >= weights[i]; i++)
        at -= weights[i];
    return i;
}

static void draw_access(struct tdm_sim_ice_scenario *s, struct tdm_rng *rng, unsigned side)
{
    struct tdm_sim_ice_access *a = &s->net.access[side];

    a->ipv4 = true;
    a->ipv6 = tdm_rng_chance(rng, 0.12);
    a->firewall = tdm_rng_chance(rng, 0.7);
    a->mapped = tdm_rng_chance(rng, 0.1);
    if (a->ipv6 && tdm_rng_chance(rng, 0.3))
        a->ipv4 = false;
    if (a->nat != TDM_SIM_NAT_NONE && tdm_rng_chance(rng, 0.15))
        a->inner = (enum tdm_sim_nat_kind)(TDM_SIM_NAT_FULL_CONE + tdm_rng_below(rng, 4));
}

static void draw_agent(struct tdm_sim_ice_scenario *s, struct tdm_rng *rng, unsigned side)
{
    static const uint8_t links[] = {60, 20, 20}, dead[] = {70, 15, 8, 5, 2};
    static const uint8_t dead_counts[] = {0, 3, 10, 30, 55};
    struct tdm_sim_ice_agent *a = &s->agents[side];

    a->stun = true;
    a->turn = tdm_rng_chance(rng, 0.75);
    a->turn_link = (enum tdm_ice_server_link)pick(rng, links, 3);
    a->relay_only = a->turn && tdm_rng_chance(rng, 0.04);
    a->dead = dead_counts[pick(rng, dead, 5)];
    a->server_ipv6 = !s->net.access[side].ipv4;
}

static void draw_roads(struct tdm_sim_ice_scenario *s, struct tdm_rng *rng)
{
    for (unsigned i = 0; i < 2; i++)
        s->net.delay[i] = TDM_MS / 2 + tdm_rng_below(rng, 60) * TDM_MS;
    s->signal_delay = s->net.delay[0] + s->net.delay[1] + tdm_rng_below(rng, 50) * TDM_MS;
    s->net.jitter = tdm_rng_chance(rng, 0.5) ? tdm_rng_below(rng, 10) * TDM_MS : 0;
    /* On each of two links one way: up to 30 % in all. */
    s->net.loss = tdm_rng_chance(rng, 0.4) ? tdm_rng_unit(rng) * 0.16 : 0;
    s->net.duplicate = tdm_rng_chance(rng, 0.3) ? tdm_rng_unit(rng) * 0.1 : 0;
    s->net.reorder = tdm_rng_chance(rng, 0.3) ? tdm_rng_unit(rng) * 0.2 : 0;
}

void tdm_sim_ice_draw(struct tdm_sim_ice_scenario *s, uint64_t seed)
{
    static const uint8_t roles[] = {80, 10, 10};
    struct tdm_rng rng = tdm_rng_of(seed * 7 + 3);
    unsigned role;

    memset(s, 0, sizeof *s);
    s->net.seed = seed;
    s->net.access[0].nat = (enum tdm_sim_nat_kind)(seed % KINDS);
    s->net.access[1].nat = (enum tdm_sim_nat_kind)(seed / KINDS % KINDS);
    s->net.hairpin = tdm_rng_chance(&rng, 0.5);
    s->net.relays_ipv6 = tdm_rng_chance(&rng, 0.5);
    for (unsigned i = 0; i < 2; i++) {
        draw_access(s, &rng, i);
        draw_agent(s, &rng, i);
    }
    s->net.same_site = s->net.access[0].nat != TDM_SIM_NAT_NONE &&
                       s->net.access[1].nat != TDM_SIM_NAT_NONE && s->net.access[0].ipv4 &&
                       s->net.access[1].ipv4 && tdm_rng_chance(&rng, 0.08);
    if (s->net.same_site)
        s->net.access[1].nat = s->net.access[0].nat;
    draw_roads(s, &rng);
    role = pick(&rng, roles, 3);
    s->agents[0].controlling = role != 2;
    s->agents[1].controlling = role == 1;
    s->both_offer = tdm_rng_chance(&rng, 0.1);
    s->trickle = tdm_rng_chance(&rng, 0.7);
    s->duration = 20 * TDM_S;
}

/* Whether two gateways let each other's hosts through once both sides send to what STUN said of
 * the other. A symmetric one sends to each peer from a port of its own: that passes a filter by
 * address, and none by port. */
static const char passes[KINDS][KINDS + 1] = {
    [TDM_SIM_NAT_NONE] = "yyyyyn",       [TDM_SIM_NAT_FULL_CONE] = "yyyyyn",
    [TDM_SIM_NAT_RESTRICTED] = "yyyyyn", [TDM_SIM_NAT_PORT_RESTRICTED] = "yyyynn",
    [TDM_SIM_NAT_SYMMETRIC] = "yyynnn",  [TDM_SIM_NAT_NO_UDP] = "nnnnnn",
};

/* Two gateways in a row are as strict as the stricter of them, and the kinds stand in that order.
 * An opened port makes one gateway let all in. */
static enum tdm_sim_nat_kind kind_of(const struct tdm_sim_ice_access *a)
{
    if (a->mapped && a->inner == TDM_SIM_NAT_NONE && a->nat != TDM_SIM_NAT_NO_UDP &&
        a->nat != TDM_SIM_NAT_NONE)
        return TDM_SIM_NAT_FULL_CONE;
    return a->inner > a->nat ? a->inner : a->nat;
}

static bool is_direct(const struct tdm_sim_ice_scenario *s)
{
    const struct tdm_sim_ice_access *a = &s->net.access[0], *b = &s->net.access[1];
    bool blocked = a->nat == TDM_SIM_NAT_NO_UDP || b->nat == TDM_SIM_NAT_NO_UDP;

    if (s->agents[0].relay_only || s->agents[1].relay_only)
        return false;
    if (a->ipv6 && b->ipv6 && !blocked) /* A firewall opens for what was sent out of it. */
        return true;
    if (!a->ipv4 || !b->ipv4)
        return false;
    if (!s->net.same_site)
        return passes[kind_of(a)][kind_of(b)] == 'y';
    /* In one site, whoever has no gateway of his own can be reached from inside. */
    if (a->inner == TDM_SIM_NAT_NONE || b->inner == TDM_SIM_NAT_NONE)
        return true;
    return s->net.hairpin && passes[kind_of(a)][kind_of(b)] == 'y';
}

static bool has_relay(const struct tdm_sim_ice_scenario *s, unsigned side)
{
    return s->agents[side].turn && (s->net.access[side].nat != TDM_SIM_NAT_NO_UDP ||
                                    s->agents[side].turn_link != TDM_ICE_OVER_UDP);
}

/* Whether a side can send datagrams to the other's relay by itself. */
static bool reaches_relay(const struct tdm_sim_ice_scenario *s, unsigned side)
{
    const struct tdm_sim_ice_access *a = &s->net.access[side];

    return a->nat != TDM_SIM_NAT_NO_UDP && !s->agents[side].relay_only &&
           (a->ipv4 || (a->ipv6 && s->net.relays_ipv6));
}

enum tdm_sim_ice_verdict tdm_sim_ice_verdict_of(const struct tdm_sim_ice_scenario *s)
{
    if (is_direct(s))
        return TDM_SIM_ICE_DIRECT;
    for (unsigned i = 0; i < 2; i++)
        if (has_relay(s, i) && (has_relay(s, !i) || reaches_relay(s, !i)) &&
            (!s->agents[!i].relay_only || has_relay(s, !i)))
            return TDM_SIM_ICE_RELAYED;
    return TDM_SIM_ICE_NO_WAY;
}

const char *tdm_sim_ice_verdict_name(enum tdm_sim_ice_verdict verdict)
{
    static const char *const names[] = {"direct", "relayed", "nothing"};

    return names[verdict];
}

bool tdm_sim_ice_differs(const struct tdm_sim_ice_scenario *s, const struct tdm_sim_ice_result *r,
                         char words[160])
{
    enum tdm_sim_ice_verdict verdict = tdm_sim_ice_verdict_of(s);

    for (unsigned i = 0; i < 2; i++) {
        const struct tdm_sim_ice_side_result *side = &r->sides[i];
        /* Where a tenth is lost, a sound path may look dead for a moment. */
        bool excused = s->net.loss > 0.05 && side->was_direct;
        const char *seen = !side->connected            ? "nothing"
                           : side->relayed && !excused ? "relayed"
                                                       : "direct";

        if (strcmp(seen, tdm_sim_ice_verdict_name(verdict)) != 0 ||
            (verdict != TDM_SIM_ICE_NO_WAY && side->heard == 0)) {
            (void)snprintf(words, 160, "side %u: %s (%u heard) instead of %s", i, seen, side->heard,
                           tdm_sim_ice_verdict_name(verdict));
            return true;
        }
        if (verdict == TDM_SIM_ICE_NO_WAY && side->stats.state != TDM_ICE_FAILED) {
            (void)snprintf(words, 160, "side %u does not say that it failed", i);
            return true;
        }
    }
    if (r->violations)
        (void)snprintf(words, 160, "%u violations: %.50s %.50s", r->violations, r->words[0],
                       r->words[1]);
    return r->violations > 0;
}

tdm_time tdm_sim_ice_time_to_media(const struct tdm_sim_ice_result *r)
{
    const struct tdm_sim_ice_side_result *a = &r->sides[0], *b = &r->sides[1];

    if (!a->heard || !b->heard)
        return TDM_NEVER;
    return tdm_time_max(a->heard_at, b->heard_at) - tdm_time_max(a->described_at, b->described_at);
}

static int describe_side(const struct tdm_sim_ice_scenario *s, unsigned i, char *text, size_t size)
{
    static const char *const links[] = {"udp", "tcp", "tls"};
    const struct tdm_sim_ice_access *a = &s->net.access[i];
    const struct tdm_sim_ice_agent *g = &s->agents[i];

    return snprintf(text, size, "[%s%s%s%s%s%s%s%s%s%s%s dead %u] ",
                    a->ipv4 ? tdm_sim_nat_name(a->nat) : "", a->inner ? " in " : "",
                    a->inner ? tdm_sim_nat_name(a->inner) : "", a->ipv6 ? " ipv6" : "",
                    a->ipv6 && a->firewall ? " firewall" : "", a->mapped ? " mapped" : "",
                    g->turn ? " turn-" : "", g->turn ? links[g->turn_link] : "",
                    g->relay_only ? " relay-only" : "", g->controlling ? " controlling" : "",
                    s->agents[i].server_ipv6 ? " server6" : "", g->dead);
}

void tdm_sim_ice_describe(const struct tdm_sim_ice_scenario *s, char text[256])
{
    int at = describe_side(s, 0, text, 256);

    at += describe_side(s, 1, text + at, 256 - (size_t)at);
    (void)snprintf(text + at, 256 - (size_t)at,
                   "%s%s%s%srtt %.0f ms loss %.2f dup %.2f reorder %.2f",
                   s->net.same_site ? "one site " : "", s->net.hairpin ? "hairpin " : "",
                   s->both_offer ? "both offer " : "", s->trickle ? "" : "no trickle ",
                   (double)(s->net.delay[0] + s->net.delay[1]) / 5e5, s->net.loss, s->net.duplicate,
                   s->net.reorder);
}

/* SPDX-License-Identifier: MIT */

/* Two sites that find each other (sim/ice_call.h) in the catalog: each pair of gateways, drawn
 * set-ups, and paths that change under way. */

#include "sim/catalog.h"
#include "sim/ice_draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EVENT_AT     (3 * TDM_S)
#define LENGTH(list) (sizeof(list) / sizeof *(list))

enum figure { CONNECTED, DIRECT, MEDIA, GAP, CHECKS, FIGURES };

static const struct tandem_sim_figure figures[FIGURES] = {
    [CONNECTED] = {"connected_%", true}, /* Sides that have a path at the end. */
    [DIRECT] = {"direct_%", true},       /* Of those, without a server. */
    [MEDIA] = {"media_ms", false},       /* From knowing of each other until both hear. */
    [GAP] = {"gap_ms", false},           /* Longest without media after the change. */
    [CHECKS] = {"checks", false},        /* Sent by both. */
};

static const char *const contenders[] = {"tandem"};

#define OPEN TDM_SIM_NAT_NONE
#define FULL TDM_SIM_NAT_FULL_CONE
#define ADDR TDM_SIM_NAT_RESTRICTED
#define PORT TDM_SIM_NAT_PORT_RESTRICTED
#define SYMM TDM_SIM_NAT_SYMMETRIC
#define SHUT TDM_SIM_NAT_NO_UDP

static const struct tandem_sim_goal set_up[] = {{CONNECTED, true, 100}, {MEDIA, false, 230}};
static const struct tandem_sim_goal change[] = {{CONNECTED, true, 100}, {GAP, false, 300}};
static const struct tandem_sim_goal slow_change[] = {{CONNECTED, true, 100}, {GAP, false, 1000}};

static const struct entry {
    const char *name, *title;
    enum tdm_sim_nat_kind a, b;
    enum tdm_sim_ice_event event;
    bool drawn, restart, no_relay;
    const struct tandem_sim_goal *goals;
} entries[] = {
    {.name = "ice-drawn",
     .title = "gateways, servers, roles, IPv6, loss and copies as the seed draws them",
     .drawn = true},
    {"ice-open-open", "no gateways, round trip 50 ms", OPEN, OPEN, .goals = set_up},
    {"ice-open-port", "none and one that filters by port", OPEN, PORT, .goals = set_up},
    {"ice-open-symmetric", "none and a symmetric one", OPEN, SYMM, .goals = set_up},
    {"ice-full-full", "full cones", FULL, FULL, .goals = set_up},
    {"ice-address-symmetric", "one that filters by address and a symmetric one", ADDR, SYMM,
     .goals = set_up},
    {"ice-port-port", "both filter by port", PORT, PORT, .goals = set_up},
    {"ice-port-symmetric", "one that filters by port and a symmetric one: by relay", PORT, SYMM,
     .goals = set_up},
    {"ice-symmetric-symmetric", "both symmetric: by relay", SYMM, SYMM, .goals = set_up},
    {"ice-open-no-udp", "one side lets no UDP through: by relay over TCP", OPEN, SHUT,
     .goals = set_up},
    {"ice-no-udp-no-udp", "neither side does", SHUT, SHUT, .goals = set_up},
    {"ice-restart", "a restart under way, gateways that filter", PORT, ADDR, TDM_SIM_ICE_RESTART,
     .restart = true, .goals = change},
    {"ice-move", "a new address under way, with a restart", PORT, PORT, TDM_SIM_ICE_MOVE,
     .restart = true, .goals = change},
    {"ice-move-silent", "a new address under way, without signalling", PORT, PORT, TDM_SIM_ICE_MOVE,
     .goals = change},
    {"ice-rebind", "a gateway forgets under way; relays are there", PORT, PORT, TDM_SIM_ICE_REBIND,
     .goals = change},
    {"ice-rebind-alone", "the same without relays: a restart", PORT, PORT, TDM_SIM_ICE_REBIND,
     .no_relay = true, .goals = slow_change},
    {"ice-no-direct", "the direct path dies, the relay takes over", PORT, PORT,
     TDM_SIM_ICE_NO_DIRECT, .goals = change},
};

static uint32_t count_all(void)
{
    return LENGTH(entries);
}

static void describe(uint32_t index, struct tandem_sim_scenario *scenario)
{
    const struct entry *e = &entries[index];

    *scenario = (struct tandem_sim_scenario){
        .name = e->name,
        .id = "",
        .title = e->title,
        .seconds = e->drawn   ? 20
                   : e->event ? 8
                              : 5,
        .figure_count = FIGURES,
        .figures = figures,
        .goal_count = e->goals ? 2 : 0,
        .goals = e->goals,
        .contender_count = LENGTH(contenders),
        .contenders = contenders,
    };
}

static void *create(void)
{
    return tdm_sim_ice_call_create();
}

static void destroy(void *storage)
{
    tdm_sim_ice_call_destroy(storage);
}

static void draw(const struct entry *e, uint64_t seed, struct tdm_sim_ice_scenario *s)
{
    if (e->drawn) {
        tdm_sim_ice_draw(s, seed);
        return;
    }
    tdm_sim_ice_plain(s, e->a, e->b);
    s->net.seed = seed;
    if (!e->event)
        return;
    for (int i = 0; i < 2; i++)
        s->agents[i].turn = !e->no_relay;
    s->event = e->event;
    s->event_at = EVENT_AT;
    s->event_side = seed & 1;
    s->event_restart = e->restart;
    s->restart_when_silent = true;
    s->duration = EVENT_AT + 5 * TDM_S;
}

static double ms_of(tdm_time t)
{
    return (double)t * 1e-6;
}

static enum tdm_err run(void *storage, uint32_t index, const struct tandem_sim_run *in,
                        struct tandem_sim_score *score)
{
    const struct entry *e = &entries[index];
    struct tdm_sim_ice_scenario s;
    struct tdm_sim_ice_result r;
    int connected = 0, direct = 0;

    draw(e, in->seed, &s);
    if (tdm_sim_ice_call_run(storage, &s, &r) != TDM_OK)
        return TDM_E_SYSTEM;
    for (int i = 0; i < 2; i++) {
        connected += r.sides[i].connected;
        direct += r.sides[i].connected && !r.sides[i].relayed;
    }
    score->figures[CONNECTED] = 50.0 * connected;
    score->figures[CHECKS] = r.sides[0].stats.checks_sent + r.sides[1].stats.checks_sent;
    if (connected)
        score->figures[DIRECT] = 100.0 * direct / connected;
    if (tdm_sim_ice_time_to_media(&r) != TDM_NEVER)
        score->figures[MEDIA] = ms_of(tdm_sim_ice_time_to_media(&r));
    if (e->event)
        score->figures[GAP] = ms_of(tdm_time_max(r.sides[0].gap_after, r.sides[1].gap_after));
    /* Beside an event, what must come of the set-up is a table. */
    if (!e->event)
        (void)tdm_sim_ice_differs(&s, &r, score->violation);
    else if (r.violations)
        (void)snprintf(score->violation, sizeof score->violation, "%s", r.words[0]);
    return TDM_OK;
}

const struct tdm_catalog_family tdm_catalog_ice = {
    .name = "ice",
    .count = count_all,
    .describe = describe,
    .create = create,
    .destroy = destroy,
    .run = run,
};

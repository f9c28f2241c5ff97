/* SPDX-License-Identifier: MIT */
/* RFC 8656 sections 7 and 8: Allocate, which waits for the driver to open the relays, and Refresh.
 */

#include "engine/core/turn_server_state.h"

#include <stdio.h>

#define LIFETIME_DEFAULT_S 600
#define OPEN_WAIT          (5 * TDM_S) /* For a driver that never says what became of a relay. */
#define RESERVATION_LIFE   (30 * TDM_S)
#define PORT_TRIES_MAX     8
#define PORT_PICKS_MAX     64
#define RATE_BURST_S       1

static uint32_t lifetime_of(const struct tdm_turn_server *s, const struct tdm_stun *m)
{
    uint32_t wanted = m->has_lifetime ? m->lifetime_s : 0;

    if (wanted > s->config.lifetime_max_s)
        return s->config.lifetime_max_s;
    return wanted > LIFETIME_DEFAULT_S ? wanted : LIFETIME_DEFAULT_S;
}

static struct turn_reservation *reservation_of(struct tdm_turn_server *s, tdm_time now,
                                               uint64_t token)
{
    for (size_t i = 0; i < TURN_RESERVATIONS_MAX; i++)
        if (s->reservations[i].expires_at > now && s->reservations[i].token == token)
            return &s->reservations[i];
    return NULL;
}

static bool is_reserved(const struct tdm_turn_server *s, tdm_time now, uint8_t family,
                        uint16_t port)
{
    for (size_t i = 0; i < TURN_RESERVATIONS_MAX; i++)
        if (s->reservations[i].expires_at > now && s->reservations[i].family == family &&
            s->reservations[i].port == port)
            return true;
    return false;
}

/* Keeps the port behind the relay's for 30 s; without a free slot there is no token. */
static void reserve(struct tdm_turn_server *s, tdm_time now, struct turn_allocation *a)
{
    for (size_t i = 0; i < TURN_RESERVATIONS_MAX && !a->has_token; i++) {
        struct turn_reservation *slot = &s->reservations[i];

        if (slot->expires_at > now)
            continue;
        *slot = (struct turn_reservation){.expires_at = now + RESERVATION_LIFE,
                                          .token = tdm_rng_u64(&s->rng),
                                          .family = a->relays[0].address.family,
                                          .port = (uint16_t)(a->relays[0].address.port + 1)};
        a->token = slot->token;
        a->has_token = true;
    }
}

static bool port_is_free(const struct tdm_turn_server *s, tdm_time now,
                         const struct turn_allocation *a, const struct tdm_address *address)
{
    struct tdm_address next = *address;

    next.port++;
    if (tdm_turn_is_relay(s, address) || is_reserved(s, now, address->family, address->port))
        return false;
    return !a->reserve || (address->port < s->config.port_max && !tdm_turn_is_relay(s, &next) &&
                           !is_reserved(s, now, next.family, next.port));
}

static bool pick_port(struct tdm_turn_server *s, tdm_time now, const struct turn_allocation *a,
                      struct tdm_address *address)
{
    uint32_t range = (uint32_t)(s->config.port_max - s->config.port_min) + 1;

    if (a->wanted_port) {
        address->port = a->wanted_port;
        return true;
    }
    for (int i = 0; i < PORT_PICKS_MAX; i++) {
        uint32_t port = s->config.port_min + tdm_rng_below(&s->rng, range);

        if (a->even && (port & 1))
            port = port > s->config.port_min ? port - 1 : port + 1;
        address->port = (uint16_t)port;
        if (port <= s->config.port_max && port_is_free(s, now, a, address))
            return true;
    }
    return false;
}

static void answer_allocated(struct tdm_turn_server *s, tdm_time now,
                             const struct turn_allocation *a, const struct turn_request *r,
                             struct tdm_turn_server_out *out)
{
    struct tdm_writer w = tdm_turn_answer_begin(r, TDM_STUN_SUCCESS, out);

    for (size_t f = 0; f < 2; f++) {
        if (a->relays[f].state == TURN_RELAY_LIVE)
            tdm_stun_write_address(&w, TDM_STUN_XOR_RELAYED_ADDRESS, &a->relays[f].address);
        else if (a->relays[f].code)
            tdm_stun_write_address_error(&w, f ? TDM_IPV6 : TDM_IPV4, a->relays[f].code);
    }
    tdm_stun_write_u32(&w, TDM_STUN_LIFETIME, a->lifetime_s);
    if (a->has_token)
        tdm_stun_write_u64(&w, TDM_STUN_RESERVATION_TOKEN, a->token);
    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &a->client);
    tdm_turn_answer_end(s, now, r, &w, out);
}

static void tell_refused(const struct turn_request *r, uint16_t code,
                         struct tdm_turn_server_out *out)
{
    out->told = TDM_TURN_SERVER_TOLD_REFUSED;
    out->code = code;
    out->client_address = r->in->from;
    (void)snprintf(out->user, sizeof out->user, "%s", r->user);
}

/* The request that the allocation came from, as far as answers need it. */
static struct turn_request request_again(const struct turn_allocation *a,
                                         struct tdm_turn_server_in *in)
{
    struct turn_request r = {.in = in, .authenticated = true};

    *in = (struct tdm_turn_server_in){.link = a->link, .from = a->client, .to = a->local};
    r.m.method = TDM_STUN_ALLOCATE;
    r.m.has_fingerprint = a->fingerprint;
    memcpy(r.m.id, a->id, sizeof r.m.id);
    memcpy(r.key, a->key, sizeof r.key);
    (void)snprintf(r.user, sizeof r.user, "%s", a->user);
    return r;
}

/* Asks for the next relay, or answers when there is none left to ask for. */
static void go_on(struct tdm_turn_server *s, tdm_time now, struct turn_allocation *a,
                  struct tdm_turn_server_out *out)
{
    struct tdm_turn_server_in in;
    struct turn_request r;

    for (size_t f = 0; f < 2; f++) {
        struct turn_relay *relay = &a->relays[f];

        if (relay->state != TURN_RELAY_WANTED)
            continue;
        relay->address = s->config.relay[f];
        if (relay->tries++ < PORT_TRIES_MAX && pick_port(s, now, a, &relay->address)) {
            relay->state = TURN_RELAY_OPENING;
            out->open = tdm_turn_relay_number(s, a, f);
            out->open_address = relay->address;
            return;
        }
        relay->state = TURN_RELAY_NONE;
        relay->code = TDM_STUN_INSUFFICIENT_CAPACITY;
        relay->address = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    }
    r = request_again(a, &in);
    if (a->relays[0].state != TURN_RELAY_LIVE && a->relays[1].state != TURN_RELAY_LIVE) {
        tdm_turn_end(s, a, "no port", out);
        tdm_turn_answer_error(s, now, &r, TDM_STUN_INSUFFICIENT_CAPACITY, out);
        tell_refused(&r, TDM_STUN_INSUFFICIENT_CAPACITY, out);
        return;
    }
    if (a->reserve && a->relays[0].state == TURN_RELAY_LIVE)
        reserve(s, now, a);
    a->state = TURN_LIVE;
    a->expires_at = now + (tdm_time)a->lifetime_s * TDM_S;
    s->next_expiry = tdm_time_min(s->next_expiry, a->expires_at);
    s->stats.allocated++;
    answer_allocated(s, now, a, &r, out);
    out->told = TDM_TURN_SERVER_TOLD_ALLOCATED;
    out->client_address = a->client;
    (void)snprintf(out->user, sizeof out->user, "%s", a->user);
    for (size_t f = 0; f < 2; f++)
        out->relayed[f] = a->relays[f].address;
}

void tdm_turn_relay_opened(struct tdm_turn_server *s, tdm_time now, uint32_t relay, bool opened,
                           struct tdm_turn_server_out *out)
{
    struct turn_relay *its;
    struct turn_allocation *a = tdm_turn_of_relay(s, relay, &its);

    if (!a || a->state != TURN_OPENING || its->state != TURN_RELAY_OPENING)
        return;
    its->state = opened ? TURN_RELAY_LIVE : TURN_RELAY_WANTED;
    go_on(s, now, a, out);
}

/* RFC 8656 section 7.2, in its order. 0: the request is in order. */
static uint16_t check_request(const struct tdm_turn_server *s, const struct tdm_stun *m)
{
    if (!m->has_transport)
        return TDM_STUN_BAD_REQUEST;
    if (m->transport != TDM_TURN_TRANSPORT_UDP)
        return TDM_STUN_TRANSPORT_NOT_SUPPORTED;
    if (m->has_token && (m->has_even_port || m->family || m->extra_family))
        return TDM_STUN_BAD_REQUEST;
    if (m->extra_family && (m->family || m->extra_family != TDM_IPV6 || m->reserve_next))
        return TDM_STUN_BAD_REQUEST;
    if (m->family && m->family != TDM_IPV4 && m->family != TDM_IPV6)
        return TDM_STUN_FAMILY_NOT_SUPPORTED;
    if (!s->config.relay[tdm_turn_family_index(m->family)].family &&
        !(m->extra_family && s->config.relay[1].family))
        return TDM_STUN_FAMILY_NOT_SUPPORTED;
    return 0;
}

static uint16_t check_quotas(struct tdm_turn_server *s, const struct turn_request *r)
{
    if (tdm_turn_count_user(s, r->user) >= s->config.user_allocations ||
        tdm_turn_count_host(s, &r->in->from) >= s->config.host_allocations) {
        s->stats.over_quota++;
        return TDM_STUN_QUOTA_REACHED;
    }
    return 0;
}

static void want_relays(const struct tdm_turn_server *s, struct turn_allocation *a,
                        const struct tdm_stun *m)
{
    bool want[2] = {m->family != TDM_IPV6, m->family == TDM_IPV6 || m->extra_family};

    for (size_t f = 0; f < 2; f++) {
        if (want[f] && s->config.relay[f].family)
            a->relays[f].state = TURN_RELAY_WANTED;
        else if (want[f])
            a->relays[f].code = TDM_STUN_FAMILY_NOT_SUPPORTED;
    }
}

static void start(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                  struct tdm_turn_server_out *out)
{
    struct turn_reservation *reserved = r->m.has_token ? reservation_of(s, now, r->m.token) : NULL;
    struct turn_allocation *a = r->m.has_token && !reserved ? NULL : tdm_turn_add(s, r->in);

    if (!a) {
        tdm_turn_answer_error(s, now, r, TDM_STUN_INSUFFICIENT_CAPACITY, out);
        tell_refused(r, TDM_STUN_INSUFFICIENT_CAPACITY, out);
        return;
    }
    (void)snprintf(a->user, sizeof a->user, "%s", r->user);
    memcpy(a->key, r->key, sizeof a->key);
    memcpy(a->id, r->m.id, sizeof a->id);
    a->fingerprint = r->m.has_fingerprint;
    a->even = r->m.has_even_port;
    a->reserve = r->m.reserve_next;
    a->lifetime_s = lifetime_of(s, &r->m);
    a->expires_at = now + OPEN_WAIT;
    a->rate = (struct turn_bucket){
        .bytes = (int64_t)(s->config.allocation_bytes_per_s * RATE_BURST_S), .filled_at = now};
    s->next_expiry = tdm_time_min(s->next_expiry, a->expires_at);
    if (reserved) {
        a->wanted_port = reserved->port;
        a->relays[tdm_turn_family_index(reserved->family)].state = TURN_RELAY_WANTED;
        reserved->expires_at = now;
    } else {
        want_relays(s, a, &r->m);
    }
    go_on(s, now, a, out);
}

void tdm_turn_allocate(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                       struct tdm_turn_server_out *out)
{
    struct turn_allocation *a = r->allocation;
    uint16_t code = check_request(s, &r->m);

    if (a && memcmp(a->id, r->m.id, sizeof a->id) == 0) {
        if (a->state == TURN_LIVE) /* Our answer was lost: the same again. */
            answer_allocated(s, now, a, r, out);
        return;
    }
    if (a)
        code = TDM_STUN_ALLOCATION_MISMATCH;
    if (!code)
        code = check_quotas(s, r);
    if (!code) {
        start(s, now, r, out);
        return;
    }
    tdm_turn_answer_error(s, now, r, code, out);
    tell_refused(r, code, out);
}

/* With REQUESTED-ADDRESS-FAMILY one of two relays can be given back alone. */
static bool close_one(struct tdm_turn_server *s, struct turn_allocation *a, uint8_t family,
                      struct tdm_turn_server_out *out)
{
    size_t f = tdm_turn_family_index(family);

    if (!family || a->relays[!f].state != TURN_RELAY_LIVE)
        return false;
    out->close[out->close_count++] = tdm_turn_relay_number(s, a, f);
    a->relays[f] = (struct turn_relay){.state = TURN_RELAY_NONE};
    return true;
}

void tdm_turn_refresh(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                      struct tdm_turn_server_out *out)
{
    struct turn_allocation *a = r->allocation;
    bool give_back = r->m.has_lifetime && !r->m.lifetime_s;

    if (!a || a->state != TURN_LIVE) {
        tdm_turn_answer_error(s, now, r, TDM_STUN_ALLOCATION_MISMATCH, out);
        return;
    }
    if (r->m.family && (r->m.family > TDM_IPV6 ||
                        a->relays[tdm_turn_family_index(r->m.family)].state != TURN_RELAY_LIVE)) {
        tdm_turn_answer_error(s, now, r, TDM_STUN_PEER_FAMILY_MISMATCH, out);
        return;
    }
    if (!give_back) {
        a->lifetime_s = lifetime_of(s, &r->m);
        a->expires_at = now + (tdm_time)a->lifetime_s * TDM_S;
    }
    struct tdm_writer w = tdm_turn_answer_begin(r, TDM_STUN_SUCCESS, out);

    tdm_stun_write_u32(&w, TDM_STUN_LIFETIME, give_back ? 0 : a->lifetime_s);
    tdm_turn_answer_end(s, now, r, &w, out);
    if (give_back && !close_one(s, a, r->m.family, out))
        tdm_turn_end(s, a, "given back", out);
}

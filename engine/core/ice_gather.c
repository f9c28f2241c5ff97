/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <string.h>

#define QUERY_FIRST (100 * TDM_MS)
#define QUERY_TRIES 8
/* A server that did not answer so many is not waited for any more. */
#define QUERY_SETTLED 4
/* Until there is a path nothing else keeps the mapping open. */
#define QUERY_AGAIN (15 * TDM_S)
#define QUERY_PACE  TDM_ICE_PACE

void tdm_ice_gather_init(struct tdm_ice *ice, tdm_time now)
{
    for (uint8_t i = 0; i < ice->config.server_count; i++) {
        struct tdm_ice_server_state *s = &ice->servers[i];

        *s =
            (struct tdm_ice_server_state){.via = -1, .turn_wake = TDM_NEVER, .retry_at = TDM_NEVER};
        if (ice->config.servers[i].kind == TDM_ICE_TURN)
            tdm_ice_relay_init(ice, i, now);
    }
}

static bool is_asked_from(const struct tdm_ice_server *server, const struct tdm_address *base)
{
    return server->kind == TDM_ICE_STUN && server->address.family == base->family &&
           tdm_address_is_loopback(base) == tdm_address_is_loopback(&server->address);
}

void tdm_ice_gather_from(struct tdm_ice *ice, tdm_time now, int local)
{
    const struct tdm_address *base = &ice->locals[local].c.address;

    for (uint8_t i = 0; i < ice->config.server_count; i++) {
        struct tdm_ice_query *q = NULL;

        for (unsigned k = 0; k < TDM_ICE_QUERIES_MAX && !q; k++)
            q = ice->queries[k].used ? NULL : &ice->queries[k];
        if (!q || ice->config.relay_only || !is_asked_from(&ice->config.servers[i], base))
            continue;
        *q = (struct tdm_ice_query){.used = true, .server = i, .local = (int8_t)local, .due = now};
        tdm_ice_random(ice, q->id, sizeof q->id);
    }
}

void tdm_ice_gather_again(struct tdm_ice *ice, tdm_time now)
{
    for (unsigned i = 0; i < TDM_ICE_QUERIES_MAX; i++)
        if (ice->queries[i].used && ice->queries[i].answered) {
            ice->queries[i].answered = false;
            ice->queries[i].due = now;
        }
    ice->gathered = false;
}

void tdm_ice_gather_lost(struct tdm_ice *ice, tdm_time now, int local)
{
    for (unsigned i = 0; i < TDM_ICE_QUERIES_MAX; i++)
        if (ice->queries[i].used && ice->queries[i].local == local)
            ice->queries[i].used = false;
    for (int i = 0; i < ice->config.server_count; i++)
        if (ice->config.servers[i].kind == TDM_ICE_TURN && ice->servers[i].via == local)
            tdm_ice_relay_init(ice, i, now);
}

/* How a server sees a base. Another address than before means that the gateway forgot the old one,
 * which leads nowhere now. */
static void mapped(struct tdm_ice *ice, const struct tdm_ice_query *q,
                   const struct tdm_address *address)
{
    const struct tdm_ice_local *base = &ice->locals[q->local];
    struct tdm_ice_candidate c = {
        .type = TDM_ICE_SRFLX, .address = *address, .base = base->c.address};

    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++) {
        struct tdm_ice_local *l = &ice->locals[i];

        if (l->used && l->c.type == TDM_ICE_SRFLX && l->server == q->server &&
            tdm_address_equal(&l->c.base, &c.base) && !tdm_address_equal(&l->c.address, address))
            l->used = false;
    }
    (void)tdm_ice_add_local(ice, &c, q->server, base->c.priority >> 8);
}

bool tdm_ice_take_mapped(struct tdm_ice *ice, tdm_time now, int local,
                         const struct tdm_address *from, const struct tdm_stun *m)
{
    for (unsigned i = 0; i < TDM_ICE_QUERIES_MAX; i++) {
        struct tdm_ice_query *q = &ice->queries[i];

        if (!q->used || !q->tries || memcmp(q->id, m->id, sizeof q->id) != 0 || q->local != local ||
            !tdm_address_equal(from, &ice->config.servers[q->server].address))
            continue;
        if (m->kind == TDM_STUN_SUCCESS && m->mapped.family == from->family)
            mapped(ice, q, &m->mapped);
        q->answered = true;
        q->tries = 0;
        q->due = now + QUERY_AGAIN;
        tdm_ice_random(ice, q->id, sizeof q->id);
        return true;
    }
    return false;
}

static bool send_query(struct tdm_ice *ice, tdm_time now, struct tdm_ice_query *q,
                       struct tdm_ice_out *out)
{
    struct tdm_ice_send *send = tdm_ice_new_send(out);

    if (!send) {
        tdm_ice_wake(ice, now, "more to send");
        return false;
    }
    struct tdm_writer w =
        tdm_stun_begin(send->data, sizeof send->data, TDM_STUN_REQUEST, TDM_STUN_BINDING, q->id);

    tdm_stun_write_fingerprint(&w);
    if (tdm_ice_send_from(ice, q->local, &ice->config.servers[q->server].address, send,
                          tdm_stun_end(&w)))
        out->send_count++;
    q->due = now + (QUERY_FIRST << q->tries);
    q->tries++;
    return true;
}

static void run_query(struct tdm_ice *ice, tdm_time now, struct tdm_ice_query *q,
                      struct tdm_ice_out *out)
{
    if (now < q->due) {
        tdm_ice_wake(ice, q->due, "server");
        return;
    }
    if (q->answered && ice->path >= 0) { /* Checks keep the mapping open. */
        q->due = now + QUERY_AGAIN;
        tdm_ice_wake(ice, q->due, "server");
        return;
    }
    if (q->tries >= QUERY_TRIES) {
        q->used = false;
        if (!ice->servers[q->server].failed && !q->answered) {
            ice->servers[q->server].failed = ice->servers[q->server].tell_failed = true;
            ice->servers[q->server].why =
                "The STUN server does not answer: check its address, and whether UDP is blocked.";
        }
        return;
    }
    if (send_query(ice, now, q, out))
        tdm_ice_wake(ice, q->due, "server");
}

/* Whether all servers gave what they have, or were given the time for it. */
static bool is_gathered(const struct tdm_ice *ice)
{
    for (unsigned i = 0; i < TDM_ICE_QUERIES_MAX; i++) {
        const struct tdm_ice_query *q = &ice->queries[i];

        if (q->used && !q->answered && q->tries < QUERY_SETTLED)
            return false;
    }
    for (int i = 0; i < ice->config.server_count; i++)
        if (ice->config.servers[i].kind == TDM_ICE_TURN && !ice->servers[i].settled)
            return false;
    return ice->addresses_end;
}

void tdm_ice_run_gather(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out)
{
    for (unsigned i = 0; i < TDM_ICE_QUERIES_MAX; i++)
        if (ice->queries[i].used)
            run_query(ice, now, &ice->queries[i], out);
    tdm_ice_run_relays(ice, now, out);
    if (!ice->gathered && is_gathered(ice))
        ice->gathered = ice->tell_gathered = true;
}

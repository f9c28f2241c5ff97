/* SPDX-License-Identifier: MIT */
#include "engine/core/turn_server.h"

#include "engine/core/turn_server_state.h"

#include <stdio.h>

#define RATION_START 256000

static struct tdm_turn_server_config with_defaults(const struct tdm_turn_server_config *config)
{
    struct tdm_turn_server_config c = *config;

    c.port_min = c.port_min ? c.port_min : 49152;
    c.port_max = c.port_max ? c.port_max : 65535;
    c.allocations = c.allocations ? c.allocations : 256;
    c.user_allocations = c.user_allocations ? c.user_allocations : 16;
    c.host_allocations = c.host_allocations ? c.host_allocations : 64;
    c.lifetime_max_s = c.lifetime_max_s ? c.lifetime_max_s : 3600;
    c.nonce_s = c.nonce_s ? c.nonce_s : 600;
    assert(c.port_min <= c.port_max && c.allocations <= TDM_TURN_SERVER_ALLOCATIONS_MAX &&
           c.own_count <= TDM_TURN_SERVER_OWN_MAX);
    return c;
}

size_t tdm_turn_server_bytes(const struct tdm_turn_server_config *config)
{
    return sizeof(struct tdm_turn_server) +
           with_defaults(config).allocations * sizeof(struct turn_allocation);
}

static void copy_texts(struct tdm_turn_server *s)
{
    struct tdm_turn_server_config *c = &s->config;

    (void)snprintf(s->realm, sizeof s->realm, "%s", c->realm ? c->realm : "tandem");
    for (size_t i = 0; i < TDM_TURN_SERVER_SECRETS_MAX; i++)
        (void)snprintf(s->secrets[i], sizeof s->secrets[i], "%s",
                       c->secrets[i] ? c->secrets[i] : "");
    for (size_t i = 0; i < TDM_TURN_SERVER_USERS_MAX && c->users[i].user; i++) {
        (void)snprintf(s->users[i].user, sizeof s->users[i].user, "%s", c->users[i].user);
        (void)snprintf(s->users[i].password, sizeof s->users[i].password, "%s",
                       c->users[i].password ? c->users[i].password : "");
    }
    c->realm = NULL;
    memset(c->secrets, 0, sizeof c->secrets);
    memset(c->users, 0, sizeof c->users);
}

struct tdm_turn_server *
tdm_turn_server_init(void *storage, const struct tdm_turn_server_config *config, tdm_time now)
{
    struct tdm_turn_server *s = storage;

    memset(s, 0, tdm_turn_server_bytes(config));
    s->config = with_defaults(config);
    s->started = s->wall_at = now;
    s->wall_s = config->wall_s;
    s->rng = tdm_rng_of(config->seed);
    s->ration = (struct turn_bucket){.bytes = RATION_START, .filled_at = now};
    s->rate = (struct turn_bucket){.bytes = (int64_t)config->total_bytes_per_s, .filled_at = now};
    s->next_expiry = TDM_NEVER;
    copy_texts(s);
    tdm_turn_table_init(s);
    return s;
}

uint32_t tdm_turn_server_relays(const struct tdm_turn_server *s)
{
    return s->config.allocations * 2;
}

const struct tdm_turn_server_stats *tdm_turn_server_stats_of(const struct tdm_turn_server *s)
{
    return &s->stats;
}

struct tdm_writer tdm_turn_answer_begin(const struct turn_request *r, enum tdm_stun_class kind,
                                        struct tdm_turn_server_out *out)
{
    out->client.link = r->in->link;
    out->client.from = r->in->to;
    out->client.to = r->in->from;
    return tdm_stun_begin_answer(out->client.data, sizeof out->client.data, kind, &r->m);
}

void tdm_turn_answer_end(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                         struct tdm_writer *w, struct tdm_turn_server_out *out)
{
    if (r->authenticated)
        tdm_stun_write_integrity(w, r->key, sizeof r->key);
    if (r->m.has_fingerprint)
        tdm_stun_write_fingerprint(w);
    size_t size = tdm_stun_end(w);

    assert(size); /* Its parts are bounded. */
    /* Over a stream the address is proven. */
    if (r->authenticated || r->in->link || tdm_turn_ration(s, now, &r->in->from, r->in->size, size))
        out->client.size = (uint16_t)size;
}

void tdm_turn_answer_error(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                           uint16_t code, struct tdm_turn_server_out *out)
{
    struct tdm_writer w = tdm_turn_answer_begin(r, TDM_STUN_ERROR, out);

    /* To who is not known the words are spared: nothing shall grow on its way through here. */
    tdm_stun_write_error(&w, code, r->authenticated ? NULL : "");
    if (code == TDM_STUN_UNKNOWN_ATTRIBUTE)
        tdm_stun_write_unknown(&w, &r->m);
    if (code == TDM_STUN_UNAUTHENTICATED || code == TDM_STUN_STALE_NONCE) {
        s->stats.challenged++;
        tdm_turn_write_challenge(s, now, r, &w);
    }
    tdm_turn_answer_end(s, now, r, &w, out);
}

/* Which of the four addresses of RFC 5780 the message came to; false: none of them. */
static bool nat_place(const struct tdm_turn_server *s, const struct tdm_turn_server_in *in,
                      size_t *host, size_t *port)
{
    const struct tdm_turn_server_config *c = &s->config;

    *host = tdm_address_same_host(&c->nat_hosts[1], &in->to);
    *port = c->nat_ports[1] == in->to.port;
    return c->nat_hosts[1].family != TDM_ADDRESS_NONE && !in->link &&
           tdm_address_same_host(&c->nat_hosts[*host], &in->to) &&
           c->nat_ports[*port] == in->to.port;
}

static struct tdm_address nat_address(const struct tdm_turn_server *s, size_t host, size_t port)
{
    struct tdm_address a = s->config.nat_hosts[host];

    a.port = s->config.nat_ports[port];
    return a;
}

static void binding(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                    struct tdm_turn_server_out *out)
{
    size_t host, port;
    bool placed = nat_place(s, r->in, &host, &port);
    struct tdm_address origin = r->in->to;

    if (r->m.has_change && !placed) {
        r->m.unknown[0] = TDM_STUN_CHANGE_REQUEST;
        r->m.unknown_count = 1;
        tdm_turn_answer_error(s, now, r, TDM_STUN_UNKNOWN_ATTRIBUTE, out);
        return;
    }
    struct tdm_writer w = tdm_turn_answer_begin(r, TDM_STUN_SUCCESS, out);

    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &r->in->from);
    if (placed) {
        size_t from_host = r->m.change & TDM_STUN_CHANGE_IP ? !host : host;
        size_t from_port = r->m.change & TDM_STUN_CHANGE_PORT ? !port : port;
        struct tdm_address other = nat_address(s, !host, !port);

        origin = nat_address(s, from_host, from_port);
        tdm_stun_write_address(&w, TDM_STUN_RESPONSE_ORIGIN, &origin);
        tdm_stun_write_address(&w, TDM_STUN_OTHER_ADDRESS, &other);
    }
    s->stats.bindings++;
    out->client.from = origin;
    tdm_turn_answer_end(s, now, r, &w, out);
}

static void authenticated(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                          struct tdm_turn_server_out *out)
{
    if (r->m.dont_fragment && r->m.unknown_count < TDM_STUN_UNKNOWN_MAX)
        r->m.unknown[r->m.unknown_count++] = TDM_STUN_DONT_FRAGMENT;
    if (r->m.unknown_count) {
        tdm_turn_answer_error(s, now, r, TDM_STUN_UNKNOWN_ATTRIBUTE, out);
        return;
    }
    switch (r->m.method) {
    case TDM_STUN_ALLOCATE:
        tdm_turn_allocate(s, now, r, out);
        break;
    case TDM_STUN_REFRESH:
        tdm_turn_refresh(s, now, r, out);
        break;
    case TDM_STUN_CREATE_PERMISSION:
        tdm_turn_create_permission(s, now, r, out);
        break;
    case TDM_STUN_CHANNEL_BIND:
        tdm_turn_channel_bind(s, now, r, out);
        break;
    default:
        tdm_turn_answer_error(s, now, r, TDM_STUN_BAD_REQUEST, out);
        break;
    }
}

static void request(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                    struct tdm_turn_server_out *out)
{
    if (r->m.method == TDM_STUN_BINDING) {
        if (r->m.unknown_count)
            tdm_turn_answer_error(s, now, r, TDM_STUN_UNKNOWN_ATTRIBUTE, out);
        else
            binding(s, now, r, out);
        return;
    }
    uint16_t code = tdm_turn_authenticate(s, now, r);

    if (code)
        tdm_turn_answer_error(s, now, r, code, out);
    else
        authenticated(s, now, r, out);
}

static void message(struct tdm_turn_server *s, tdm_time now, const struct tdm_turn_server_in *in,
                    struct tdm_turn_server_out *out)
{
    struct turn_request r = {.in = in};

    if (tdm_turn_is_old_channel_data(in->data, in->size)) {
        tdm_turn_take_channel_data(s, now, in, out);
        return;
    }
    if (tdm_stun_parse(&r.m, in->data, in->size) != TDM_OK) {
        s->stats.malformed++;
        out->close_link = in->link != 0;
        return;
    }
    r.allocation = tdm_turn_find(s, in->link, &in->from, &in->to);
    if (r.m.kind == TDM_STUN_REQUEST)
        request(s, now, &r, out);
    else if (r.m.kind == TDM_STUN_INDICATION && r.m.method == TDM_STUN_SEND)
        tdm_turn_take_send(s, now, &r, out);
    else if (r.m.kind != TDM_STUN_INDICATION || r.m.method != TDM_STUN_BINDING)
        s->stats.malformed++; /* Binding indications keep a NAT open and say nothing. */
}

static void link_down(struct tdm_turn_server *s, uint32_t link, struct tdm_turn_server_out *out)
{
    for (uint32_t i = 0; link && i < s->config.allocations; i++)
        if (s->allocations[i].state != TURN_FREE && s->allocations[i].link == link) {
            tdm_turn_end(s, &s->allocations[i], "the connection ended", out);
            return; /* A connection has one five-tuple, so one allocation. */
        }
}

static void take(struct tdm_turn_server *s, tdm_time now, const struct tdm_turn_server_in *in,
                 struct tdm_turn_server_out *out)
{
    bool is_address = in->from.family == TDM_IPV4 || in->from.family == TDM_IPV6;

    switch (in->kind) {
    case TDM_TURN_SERVER_MESSAGE:
        if (is_address)
            message(s, now, in, out);
        break;
    case TDM_TURN_SERVER_LINK_DOWN:
        link_down(s, in->link, out);
        break;
    case TDM_TURN_SERVER_RELAY_OPENED:
    case TDM_TURN_SERVER_RELAY_FAILED:
        tdm_turn_relay_opened(s, now, in->relay, in->kind == TDM_TURN_SERVER_RELAY_OPENED, out);
        break;
    case TDM_TURN_SERVER_RELAY_DATA:
        if (is_address)
            tdm_turn_take_peer_data(s, now, in, out);
        break;
    case TDM_TURN_SERVER_WALL:
        s->wall_s = in->wall_s;
        s->wall_at = now;
        break;
    }
}

/* One at a time, since its relays are all that `out` can close; and not while `out` still sends
 * from a relay that may be the one. */
static void expire(struct tdm_turn_server *s, tdm_time now, struct tdm_turn_server_out *out)
{
    if (s->next_expiry > now || out->peer.relay != TDM_TURN_SERVER_NO_RELAY)
        return;
    s->next_expiry = TDM_NEVER;
    for (uint32_t i = 0; i < s->config.allocations; i++) {
        struct turn_allocation *a = &s->allocations[i];

        if (a->state != TURN_FREE && a->expires_at <= now && !out->close_count && !out->told)
            tdm_turn_end(s, a, "it ran out", out);
        if (a->state != TURN_FREE)
            s->next_expiry = tdm_time_min(s->next_expiry, a->expires_at);
    }
}

void tdm_turn_server_step(struct tdm_turn_server *s, tdm_time now,
                          const struct tdm_turn_server_in *in, struct tdm_turn_server_out *out)
{
    out->client.size = 0;
    out->client.payload = NULL;
    out->client.payload_size = 0;
    out->client.padding = 0;
    out->peer.relay = TDM_TURN_SERVER_NO_RELAY;
    out->close_count = 0;
    out->open = TDM_TURN_SERVER_NO_RELAY;
    out->close_link = false;
    out->told = TDM_TURN_SERVER_TOLD_NOTHING;
    out->code = 0;
    out->why = NULL;
    out->user[0] = '\0';
    out->client_address = out->relayed[0] = out->relayed[1] =
        (struct tdm_address){.family = TDM_ADDRESS_NONE};
    out->bytes_out = out->bytes_in = 0;
    if (in)
        take(s, now, in, out);
    expire(s, now, out);
    out->wake_at = s->next_expiry;
    out->wake_why = "an allocation runs out";
}

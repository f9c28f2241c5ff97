/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <assert.h>
#include <string.h>

size_t tdm_ice_bytes(void)
{
    return sizeof(struct tdm_ice);
}

struct tdm_ice *tdm_ice_init(void *storage, const struct tdm_ice_config *config, tdm_time now)
{
    struct tdm_ice *ice = storage;

    assert(config->server_count <= TDM_ICE_SERVERS_MAX);
    memset(ice, 0, sizeof *ice);
    ice->config = *config;
    if (!ice->config.component)
        ice->config.component = 1;
    ice->controlling = config->controlling;
    ice->path = -1;
    ice->changed_at = ice->pace_at = now;
    ice->heard_at = ice->probe_since = ice->former_until = TDM_NEVER;
    ice->stats.started = ice->stats.first_valid = TDM_NEVER;
    memcpy(ice->gens[0].ufrag, config->ufrag, sizeof config->ufrag);
    memcpy(ice->gens[0].pwd, config->pwd, sizeof config->pwd);
    tdm_ice_random(ice, (uint8_t *)&ice->tie_breaker, sizeof ice->tie_breaker);
    tdm_ice_gather_init(ice, now);
    return ice;
}

/* Copies a credential; false: it is too short or too long to be one (RFC 8839 section 5.4). */
static bool copy_text(char *to, size_t capacity, const char *from, size_t least)
{
    size_t size = strnlen(from, capacity);

    if (size < least || size >= capacity)
        return false;
    memcpy(to, from, size + 1);
    return true;
}

static void take_address(struct tdm_ice *ice, tdm_time now, const struct tdm_address *address)
{
    struct tdm_ice_candidate c = {.type = TDM_ICE_HOST, .address = *address, .base = *address};
    bool v6 = address->family == TDM_IPV6;
    unsigned rank = tdm_address_is_loopback(address) ? 60 : 0;

    if (address->family == TDM_ADDRESS_NONE)
        return;
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        rank += ice->locals[i].used && ice->locals[i].c.type == TDM_ICE_HOST &&
                ice->locals[i].c.address.family == address->family;
    /* IPv6 first of equals (RFC 8421 section 4). */
    int local = tdm_ice_add_local(ice, &c, -1, 65535 - 512 * rank - (v6 ? 0 : 256));

    if (local < 0)
        return;
    ice->addresses_end = ice->addresses_end && ice->gathered;
    tdm_ice_gather_from(ice, now, local);
    tdm_ice_pair_up(ice, now);
}

static void take_address_gone(struct tdm_ice *ice, tdm_time now, const struct tdm_address *address)
{
    int local = tdm_ice_find_base(ice, address);

    if (local < 0 || ice->locals[local].c.type != TDM_ICE_HOST)
        return;
    tdm_ice_drop_base(ice, local);
    tdm_ice_gather_lost(ice, now, local);
    ice->changed_at = now;
}

static void take_mapped(struct tdm_ice *ice, const struct tdm_ice_in *in)
{
    struct tdm_ice_candidate c = {
        .type = TDM_ICE_SRFLX, .address = in->address, .base = in->base, .mapped = true};
    int base = tdm_ice_find_base(ice, &in->base);

    if (base >= 0)
        (void)tdm_ice_add_local(ice, &c, -1, ice->locals[base].c.priority >> 8);
}

static void take_remote(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in)
{
    struct tdm_ice_gen *g = &ice->gens[ice->gen];
    bool first = !g->known;

    if (g->known && strcmp(g->remote_ufrag, in->ufrag) == 0 && strcmp(g->remote_pwd, in->pwd) == 0)
        return;
    if (g->known) { /* They restart and we were not told to: our credentials stay. */
        struct tdm_ice_gen kept = *g;

        tdm_ice_new_generation(ice);
        g = &ice->gens[ice->gen];
        memcpy(g->ufrag, kept.ufrag, sizeof g->ufrag);
        memcpy(g->pwd, kept.pwd, sizeof g->pwd);
    }
    if (!copy_text(g->remote_ufrag, sizeof g->remote_ufrag, in->ufrag, 4) ||
        !copy_text(g->remote_pwd, sizeof g->remote_pwd, in->pwd, 22))
        return;
    g->known = true;
    g->lite = in->lite;
    if (in->lite)
        tdm_ice_set_role(ice, true);
    ice->changed_at = now;
    if (ice->stats.started == TDM_NEVER)
        ice->stats.started = now;
    if (first && ice->stats.state == TDM_ICE_NEW)
        ice->stats.state = TDM_ICE_CHECKING;
    tdm_ice_take_early(ice, now);
}

static void take_restart(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in)
{
    struct tdm_ice_gen *g = &ice->gens[ice->gen];

    if (g->known)
        tdm_ice_new_generation(ice);
    g = &ice->gens[ice->gen];
    if (!copy_text(g->ufrag, sizeof g->ufrag, in->ufrag, 4) ||
        !copy_text(g->pwd, sizeof g->pwd, in->pwd, 22))
        g->ufrag[0] = '\0'; /* Nobody's checks are good. */
    ice->early_count = 0;
    ice->changed_at = now;
    tdm_ice_gather_again(ice, now);
    tdm_ice_doubt_relays(ice);
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        ice->locals[i].told = ice->config.relay_only && ice->locals[i].c.type != TDM_ICE_RELAY;
}

static void take_candidate(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_candidate *c)
{
    if (tdm_ice_add_remote(ice, c) < 0)
        return;
    tdm_ice_pair_up(ice, now);
    ice->changed_at = now;
}

/* Bytes for the application: only from who has our consent. */
static void take_app(struct tdm_ice *ice, tdm_time now, const struct tdm_address *from,
                     const struct tdm_ice_in *in, struct tdm_ice_out *out)
{
    int remote = tdm_ice_find_remote(ice, ice->gen, from);

    if (remote < 0 || !ice->remotes[remote].seen)
        remote = tdm_ice_find_remote(ice, ice->gen ^ 1, from);
    if (remote < 0 || !ice->remotes[remote].seen || ice->lost) {
        ice->stats.dropped++;
        return;
    }
    out->app = true;
    out->app_data = in->data;
    out->app_size = in->size;
    if (ice->path >= 0 && ice->pairs[ice->path].remote == remote)
        tdm_ice_heard(ice, now);
}

/* STUN of the other side, or of a server that we asked how it sees us. */
static void take_stun(struct tdm_ice *ice, tdm_time now, int local, const struct tdm_address *from,
                      const struct tdm_ice_in *in, struct tdm_ice_out *out)
{
    struct tdm_stun m;

    if (tdm_stun_parse(&m, in->data, in->size) != TDM_OK) {
        ice->stats.refused++;
        return;
    }
    if (m.method != TDM_STUN_BINDING || local < 0)
        return;
    if (m.kind == TDM_STUN_REQUEST)
        tdm_ice_take_request(ice, now, local, from, &m, out);
    else if (m.kind != TDM_STUN_INDICATION && !tdm_ice_take_mapped(ice, now, local, from, &m))
        tdm_ice_take_answer(ice, now, local, from, &m);
}

/* What a relay hands on from a peer is taken as if it had come to the relayed address. */
static void take_relayed(struct tdm_ice *ice, tdm_time now, int server, struct tdm_ice_out *out)
{
    struct tdm_ice_in inner = {.kind = TDM_ICE_DATAGRAM,
                               .from = ice->turn_out.payload_from,
                               .data = ice->turn_out.payload,
                               .size = ice->turn_out.payload_size};
    int local = -1;

    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        if (ice->locals[i].used && ice->locals[i].c.type == TDM_ICE_RELAY &&
            ice->locals[i].server == server && ice->locals[i].c.address.family == inner.from.family)
            local = i;
    if (tdm_stun_is(inner.data, inner.size))
        take_stun(ice, now, local, &inner.from, &inner, out);
    else
        take_app(ice, now, &inner.from, &inner, out);
}

/* One address may be a STUN server to us and a TURN server. */
static void take_from_server(struct tdm_ice *ice, tdm_time now, int server, int local,
                             const struct tdm_ice_in *in, struct tdm_ice_out *out)
{
    struct tdm_turn_client_in message = {
        .kind = TDM_TURN_MESSAGE, .from = in->from, .data = in->data, .size = in->size};
    struct tdm_stun m;

    if (in->link)
        message.from = ice->servers[server].turn.server;
    else if (tdm_stun_parse(&m, in->data, in->size) == TDM_OK && m.method == TDM_STUN_BINDING &&
             tdm_ice_take_mapped(ice, now, local, &in->from, &m))
        return;
    else
        ice->servers[server].via = (int8_t)local;
    tdm_ice_relay_step(ice, now, server, &message, out);
    if (ice->turn_out.payload)
        take_relayed(ice, now, server, out);
}

static void take_datagram(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in,
                          struct tdm_ice_out *out)
{
    int server = tdm_ice_relay_of(ice, in->link, &in->from);
    int local = in->to.family != TDM_ADDRESS_NONE ? tdm_ice_find_base(ice, &in->to)
                                                  : tdm_ice_guess_base(ice, &in->from);

    if (server >= 0)
        take_from_server(ice, now, server, local, in, out);
    else if (in->link)
        return;
    else if (tdm_stun_is(in->data, in->size))
        take_stun(ice, now, local, &in->from, in, out);
    else
        take_app(ice, now, &in->from, in, out);
}

static void give_relays_back(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out)
{
    static const struct tdm_turn_client_in close = {.kind = TDM_TURN_CLOSE};

    for (int i = 0; i < ice->config.server_count; i++)
        if (ice->config.servers[i].kind == TDM_ICE_TURN &&
            ice->servers[i].turn.state == TDM_TURN_ALLOCATED)
            tdm_ice_relay_step(ice, now, i, &close, out);
}

static void take(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in,
                 struct tdm_ice_out *out)
{
    switch (in->kind) {
    case TDM_ICE_ADDRESS:
        take_address(ice, now, &in->address);
        break;
    case TDM_ICE_ADDRESS_GONE:
        take_address_gone(ice, now, &in->address);
        break;
    case TDM_ICE_MAPPED:
        take_mapped(ice, in);
        break;
    case TDM_ICE_ADDRESSES_END:
        ice->addresses_end = true;
        break;
    case TDM_ICE_REMOTE:
        take_remote(ice, now, in);
        break;
    case TDM_ICE_CANDIDATE:
        take_candidate(ice, now, &in->candidate);
        break;
    case TDM_ICE_CANDIDATES_END:
        ice->gens[ice->gen].remote_end = true;
        break;
    case TDM_ICE_RESTART:
        take_restart(ice, now, in);
        break;
    case TDM_ICE_DATAGRAM:
        take_datagram(ice, now, in, out);
        break;
    case TDM_ICE_LINK_UP:
    case TDM_ICE_LINK_DOWN:
        if (in->link && in->link <= ice->config.server_count)
            tdm_ice_relay_link(ice, now, in->link - 1, in->kind == TDM_ICE_LINK_UP, out);
        break;
    case TDM_ICE_CLOSE:
        give_relays_back(ice, now, out);
        break;
    }
}

/* The next place to tell something, with `flag` cleared; NULL: nothing to tell, or no room now. */
static struct tdm_ice_told *tell(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out,
                                 bool *flag, enum tdm_ice_told_kind kind)
{
    if (!*flag)
        return NULL;
    if (out->told_count == TDM_ICE_TOLD_MAX) {
        tdm_ice_wake(ice, now, "more to tell");
        return NULL;
    }
    *flag = false;
    out->told[out->told_count] = (struct tdm_ice_told){.kind = kind};
    return &out->told[out->told_count++];
}

static void tell_all(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out)
{
    struct tdm_ice_told *told;
    bool all = true;

    (void)tell(ice, now, out, &ice->tell_path, TDM_ICE_TOLD_PATH);
    (void)tell(ice, now, out, &ice->tell_silent, TDM_ICE_TOLD_SILENT);
    (void)tell(ice, now, out, &ice->tell_lost, TDM_ICE_TOLD_LOST);
    for (uint8_t i = 0; i < ice->config.server_count; i++) {
        struct tdm_ice_server_state *s = &ice->servers[i];

        if ((told = tell(ice, now, out, &s->tell_link, TDM_ICE_TOLD_LINK)))
            told->link = (uint8_t)(i + 1);
        if ((told = tell(ice, now, out, &s->tell_failed, TDM_ICE_TOLD_SERVER_FAILED))) {
            told->link = (uint8_t)(i + 1);
            told->why = s->why;
        }
    }
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++) {
        struct tdm_ice_local *l = &ice->locals[i];
        bool untold = l->used && !l->told;

        if ((told = tell(ice, now, out, &untold, TDM_ICE_TOLD_CANDIDATE))) {
            told->candidate = l->c;
            l->told = true;
        }
        all &= !untold;
    }
    if (all)
        (void)tell(ice, now, out, &ice->tell_gathered, TDM_ICE_TOLD_GATHERED);
}

/* A datagram of the application on the path, as nearly all are: nothing else can follow from it
 * before the time set last. */
static bool take_quickly(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in,
                         struct tdm_ice_out *out)
{
    if (!in || in->kind != TDM_ICE_DATAGRAM || in->link || ice->path < 0 || now >= ice->wake_at ||
        tdm_stun_is(in->data, in->size))
        return false;
    const struct tdm_ice_pair *p = &ice->pairs[ice->path];

    if (ice->locals[p->local].c.type == TDM_ICE_RELAY || !ice->heard_armed ||
        !tdm_address_equal(&ice->remotes[p->remote].c.address, &in->from))
        return false;
    take_app(ice, now, &in->from, in, out);
    return true;
}

void tdm_ice_step(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in,
                  struct tdm_ice_out *out)
{
    out->send_count = out->told_count = 0;
    out->app = false;
    out->app_data = NULL;
    out->app_size = 0;
    if (!take_quickly(ice, now, in, out)) {
        ice->wake_at = TDM_NEVER;
        ice->wake_why = "nothing";
        if (in)
            take(ice, now, in, out);
        tdm_ice_run_path(ice, now);
        tdm_ice_run_gather(ice, now, out);
        tdm_ice_run_checks(ice, now, out);
        tell_all(ice, now, out);
    }
    out->wake_at = tdm_time_max(ice->wake_at, now);
    out->wake_why = ice->wake_why;
}

/* The candidate of ours by which the other side knows us on a pair. */
static void local_of(const struct tdm_ice *ice, const struct tdm_ice_pair *p,
                     struct tdm_ice_candidate *c)
{
    *c = ice->locals[p->local].c;
    if (c->type == TDM_ICE_RELAY || tdm_address_equal(&c->address, &p->mapped))
        return;
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        if (ice->locals[i].used && ice->locals[i].c.type == TDM_ICE_SRFLX &&
            tdm_address_equal(&ice->locals[i].c.address, &p->mapped)) {
            *c = ice->locals[i].c;
            return;
        }
    c->type = TDM_ICE_PRFLX;
    c->base = c->address;
    c->address = p->mapped;
}

void tdm_ice_path(const struct tdm_ice *ice, struct tdm_ice_path *path)
{
    *path = (struct tdm_ice_path){.rtt = TDM_NEVER};
    if (ice->path < 0 || ice->lost)
        return;
    const struct tdm_ice_pair *p = &ice->pairs[ice->path];
    const struct tdm_ice_local *l = &ice->locals[p->local];

    path->valid = true;
    path->nominated = p->nominated;
    path->rtt = p->rtt;
    path->remote = ice->remotes[p->remote].c;
    local_of(ice, p, &path->local);
    if (l->c.type == TDM_ICE_RELAY) {
        const struct tdm_ice_server *server = &ice->config.servers[l->server];

        path->link = server->link == TDM_ICE_OVER_UDP ? 0 : (uint8_t)(l->server + 1);
        path->to = ice->servers[l->server].turn.server;
        return;
    }
    path->from = l->c.address;
    path->to = path->remote.address;
}

void tdm_ice_stats(const struct tdm_ice *ice, struct tdm_ice_stats *stats)
{
    *stats = ice->stats;
    stats->pairs = 0;
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        stats->pairs += ice->pairs[i].used;
}

uint8_t *tdm_ice_wrap(struct tdm_ice *ice, tdm_time now, uint8_t *data, size_t *size)
{
    if (ice->path < 0 || ice->lost)
        return NULL;
    const struct tdm_ice_pair *p = &ice->pairs[ice->path];
    const struct tdm_ice_local *l = &ice->locals[p->local];

    if (now - p->answered_at >= TDM_ICE_CONSENT)
        return NULL;
    return l->c.type != TDM_ICE_RELAY
               ? data
               : tdm_turn_client_wrap(&ice->servers[l->server].turn,
                                      &ice->remotes[p->remote].c.address, data, size);
}

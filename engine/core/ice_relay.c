/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <string.h>

#define RETRY_AFTER (2 * TDM_S)
#define RETRIES_MAX 5
/* Of the permissions that an allocation keeps, as many at most for hosts, and for private hosts
 * when the relay is a public one, which hardly reaches them. */
#define HOST_PERMITS    (TDM_TURN_PERMITS_MAX - 8)
#define PRIVATE_PERMITS 8
/* An allocation that takes longer is not waited for any more. */
#define SETTLED_AFTER (1500 * TDM_MS)

void tdm_ice_relay_init(struct tdm_ice *ice, int server, tdm_time now)
{
    struct tdm_ice_server_state *s = &ice->servers[server];
    const struct tdm_ice_server *config = &ice->config.servers[server];
    struct tdm_turn_client_config turn = {
        .server = config->address,
        .stream = config->link != TDM_ICE_OVER_UDP,
        .user = config->user,
        .password = config->password,
        .want_ipv4 = true,
        .want_ipv6 = true,
    };

    tdm_ice_random(ice, (uint8_t *)&turn.seed, sizeof turn.seed);
    tdm_ice_relay_drop(ice, server);
    s->attempts++;
    s->via = -1;
    s->retry_at = TDM_NEVER;
    s->started_at = s->turn_wake = now;
    s->tell_link = turn.stream;
    tdm_turn_client_init(&s->turn, &turn, now);
}

void tdm_ice_relay_drop(struct tdm_ice *ice, int server)
{
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        if (ice->locals[i].used && ice->locals[i].server == server &&
            ice->locals[i].c.type == TDM_ICE_RELAY)
            tdm_ice_drop_base(ice, i);
}

int tdm_ice_relay_of(const struct tdm_ice *ice, uint8_t link, const struct tdm_address *from)
{
    if (link)
        return link <= ice->config.server_count &&
                       ice->config.servers[link - 1].kind == TDM_ICE_TURN &&
                       ice->config.servers[link - 1].link != TDM_ICE_OVER_UDP
                   ? link - 1
                   : -1;
    for (int i = 0; i < ice->config.server_count; i++)
        if (ice->config.servers[i].kind == TDM_ICE_TURN &&
            ice->config.servers[i].link == TDM_ICE_OVER_UDP &&
            tdm_address_equal(&ice->servers[i].turn.server, from))
            return i;
    return -1;
}

/* What it allocated becomes bases; how it sees us, over UDP, a reflexive candidate. */
static void allocated(struct tdm_ice *ice, tdm_time now, int server)
{
    static const uint8_t preference[] = {
        [TDM_ICE_OVER_UDP] = 3, [TDM_ICE_OVER_TCP] = 2, [TDM_ICE_OVER_TLS] = 1};
    struct tdm_ice_server_state *s = &ice->servers[server];
    enum tdm_ice_server_link link = ice->config.servers[server].link;
    struct tdm_ice_candidate c = {.type = TDM_ICE_RELAY, .base = s->turn.mapped};

    for (unsigned i = 0; i < 2; i++) {
        c.address = s->turn.relayed[i];
        if (c.address.family != TDM_ADDRESS_NONE)
            (void)tdm_ice_add_local(ice, &c, server,
                                    (unsigned)preference[link] << 8 |
                                        (unsigned)(TDM_ICE_SERVERS_MAX - server) << 1 | i);
    }
    if (link == TDM_ICE_OVER_UDP && s->via >= 0 &&
        ice->locals[s->via].c.address.family == s->turn.mapped.family) {
        c = (struct tdm_ice_candidate){.type = TDM_ICE_SRFLX,
                                       .address = s->turn.mapped,
                                       .base = ice->locals[s->via].c.address};
        (void)tdm_ice_add_local(ice, &c, server, ice->locals[s->via].c.priority >> 8);
    }
    s->settled = true;
    s->attempts = 0;
    tdm_ice_pair_up(ice, now);
}

static void failed(struct tdm_ice *ice, tdm_time now, int server)
{
    struct tdm_ice_server_state *s = &ice->servers[server];

    tdm_ice_relay_drop(ice, server);
    s->settled = s->tell_failed = true;
    s->why = s->turn.why;
    s->turn_wake = TDM_NEVER;
    /* What a server refuses it refuses again; silence and a broken link may pass. */
    s->retry_at = s->turn.error_code == 0 && s->attempts < RETRIES_MAX
                      ? now + (RETRY_AFTER << s->attempts)
                      : TDM_NEVER;
}

static bool has_permit(const struct tdm_turn_client *c, const struct tdm_address *peer)
{
    for (unsigned i = 0; i < TDM_TURN_PERMITS_MAX; i++)
        if (tdm_address_same_host(&c->permits[i].peer, peer))
            return true;
    return false;
}

static bool is_of(const struct tdm_ice *ice, const struct tdm_ice_pair *p, int server)
{
    return p->used && ice->locals[p->local].c.type == TDM_ICE_RELAY &&
           ice->locals[p->local].server == server;
}

/* The server does not let this peer in: pairs with it are dead. (A channel may be refused alone.)
 */
static void refused(struct tdm_ice *ice, tdm_time now, int server)
{
    const struct tdm_address *peer = &ice->turn_out.peer;

    if (ice->turn_out.error_code == TDM_STUN_ALLOCATION_MISMATCH) {
        tdm_ice_relay_init(ice, server, now);
        return;
    }
    if (has_permit(&ice->servers[server].turn, peer))
        return;
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        struct tdm_ice_pair *p = &ice->pairs[i];

        if (!is_of(ice, p, server) ||
            !tdm_address_same_host(&ice->remotes[p->remote].c.address, peer))
            continue;
        p->state = TDM_ICE_PAIR_FAILED;
        p->nominated = p->nominating = false;
        p->triggered = 0;
    }
}

void tdm_ice_relay_step(struct tdm_ice *ice, tdm_time now, int server,
                        const struct tdm_turn_client_in *in, struct tdm_ice_out *out)
{
    struct tdm_ice_server_state *s = &ice->servers[server];
    struct tdm_turn_client_out *turn = &ice->turn_out;
    struct tdm_ice_send *send = tdm_ice_new_send(out);

    tdm_turn_client_step(&s->turn, now, in, turn);
    s->turn_wake = turn->wake_at;
    if (turn->size && send) {
        bool udp = ice->config.servers[server].link == TDM_ICE_OVER_UDP;

        send->link = udp ? 0 : (uint8_t)(server + 1);
        send->from = (struct tdm_address){0};
        send->to = s->turn.server;
        send->size = turn->size;
        memcpy(send->data, turn->data, turn->size);
        out->send_count++;
    }
    if (turn->told == TDM_TURN_TOLD_ALLOCATED)
        allocated(ice, now, server);
    else if (turn->told == TDM_TURN_TOLD_FAILED)
        failed(ice, now, server);
    else if (turn->told == TDM_TURN_TOLD_REFUSED)
        refused(ice, now, server);
    else if (turn->told == TDM_TURN_TOLD_MOVED)
        s->tell_link = true;
}

void tdm_ice_relay_link(struct tdm_ice *ice, tdm_time now, int server, bool up,
                        struct tdm_ice_out *out)
{
    struct tdm_turn_client_in in = {.kind = up ? TDM_TURN_LINK_UP : TDM_TURN_LINK_DOWN};

    tdm_ice_relay_step(ice, now, server, &in, out);
}

bool tdm_ice_is_permitted(const struct tdm_ice *ice, const struct tdm_ice_pair *pair)
{
    const struct tdm_ice_local *l = &ice->locals[pair->local];

    return l->c.type != TDM_ICE_RELAY ||
           has_permit(&ice->servers[l->server].turn, &ice->remotes[pair->remote].c.address);
}

static unsigned permits_of(const struct tdm_turn_client *c)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TDM_TURN_PERMITS_MAX; i++)
        count += c->permits[i].peer.family != TDM_ADDRESS_NONE;
    return count;
}

/* How likely a relay gets through to the other side's address: 3 to 0. */
static unsigned hope_of(const struct tdm_ice *ice, const struct tdm_ice_pair *p)
{
    const struct tdm_ice_candidate *remote = &ice->remotes[p->remote].c;
    const struct tdm_address *relay = &ice->locals[p->local].c.address;

    if (remote->type == TDM_ICE_RELAY)
        return 3;
    if (remote->type != TDM_ICE_HOST)
        return 2;
    return !tdm_address_is_private(&remote->address) || tdm_address_is_private(relay) ||
           tdm_address_is_loopback(relay);
}

/* The pair whose host should be let in next, so that a hundred addresses which are just offered do
 * not use up the permissions; -1: none. */
static int next_to_permit(const struct tdm_ice *ice, int server)
{
    const struct tdm_turn_client *c = &ice->servers[server].turn;
    unsigned count = permits_of(c), most = 0;
    int next = -1;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (!is_of(ice, p, server) || p->state == TDM_ICE_PAIR_FAILED ||
            has_permit(c, &ice->remotes[p->remote].c.address))
            continue;
        unsigned hope = hope_of(ice, p);

        if ((hope == 0 && count >= PRIVATE_PERMITS) || (hope == 1 && count >= HOST_PERMITS))
            continue;
        if (next < 0 || hope > most || (hope == most && p->priority > ice->pairs[next].priority)) {
            next = i;
            most = hope;
        }
    }
    return next;
}

/* What the allocation should let in or bind next: the host of a pair, the path's peer. */
static bool next_wish(const struct tdm_ice *ice, int server, struct tdm_turn_client_in *wish)
{
    int pair = -1;

    if (ice->servers[server].turn.state != TDM_TURN_ALLOCATED)
        return false;
    wish->kind = TDM_TURN_BIND;
    if (ice->path >= 0 && is_of(ice, &ice->pairs[ice->path], server) &&
        !ice->pairs[ice->path].bind_asked) {
        pair = ice->path;
    } else {
        wish->kind = TDM_TURN_PERMIT;
        pair = next_to_permit(ice, server);
    }
    if (pair >= 0)
        wish->peer = ice->remotes[ice->pairs[pair].remote].c.address;
    return pair >= 0;
}

/* A permission that no pair needs any more makes room. */
static void forget(struct tdm_ice *ice, tdm_time now, int server, struct tdm_ice_out *out)
{
    struct tdm_turn_client *c = &ice->servers[server].turn;

    for (unsigned k = 0; k < TDM_TURN_PERMITS_MAX; k++) {
        struct tdm_turn_client_in in = {.kind = TDM_TURN_FORGET, .peer = c->permits[k].peer};
        bool needed = in.peer.family == TDM_ADDRESS_NONE;

        for (int i = 0; i < TDM_ICE_PAIRS_MAX && !needed; i++)
            needed = is_of(ice, &ice->pairs[i], server) &&
                     tdm_address_same_host(&ice->remotes[ice->pairs[i].remote].c.address, &in.peer);
        if (!needed && tdm_ice_new_send(out))
            tdm_ice_relay_step(ice, now, server, &in, out);
    }
}

void tdm_ice_doubt_relays(struct tdm_ice *ice)
{
    for (int i = 0; i < ice->config.server_count; i++)
        ice->servers[i].in_doubt = ice->config.servers[i].kind == TDM_ICE_TURN &&
                                   ice->config.servers[i].link == TDM_ICE_OVER_UDP &&
                                   ice->servers[i].turn.state == TDM_TURN_ALLOCATED;
}

/* Asks for a permission anew: whoever does not know our allocation says so. */
static void resolve_doubt(struct tdm_ice *ice, tdm_time now, int server, struct tdm_ice_out *out)
{
    const struct tdm_turn_client *c = &ice->servers[server].turn;

    for (unsigned i = 0; i < TDM_TURN_PERMITS_MAX && ice->servers[server].in_doubt; i++) {
        struct tdm_turn_client_in in = {.kind = TDM_TURN_FORGET, .peer = c->permits[i].peer};

        if (in.peer.family == TDM_ADDRESS_NONE)
            continue;
        ice->servers[server].in_doubt = false;
        tdm_ice_relay_step(ice, now, server, &in, out);
        in.kind = TDM_TURN_PERMIT;
        tdm_ice_relay_step(ice, now, server, &in, out);
    }
}

static void grant(struct tdm_ice *ice, tdm_time now, int server,
                  const struct tdm_turn_client_in *wish, struct tdm_ice_out *out)
{
    if (wish->kind == TDM_TURN_BIND)
        ice->pairs[ice->path].bind_asked = true;
    tdm_ice_relay_step(ice, now, server, wish, out);
}

/* An answer that came before the address that it was sent to would be no reflexive candidate. */
static bool may_allocate(const struct tdm_ice *ice)
{
    bool any = ice->addresses_end;

    for (int i = 0; i < TDM_ICE_LOCAL_MAX && !any; i++)
        any = ice->locals[i].used && ice->locals[i].c.type == TDM_ICE_HOST;
    return any;
}

static void run_relay(struct tdm_ice *ice, tdm_time now, int server, struct tdm_ice_out *out)
{
    struct tdm_ice_server_state *s = &ice->servers[server];
    struct tdm_turn_client_in wish = {0};

    if (!may_allocate(ice))
        return;
    if (now >= s->retry_at)
        tdm_ice_relay_init(ice, server, now);
    if (s->in_doubt && tdm_ice_new_send(out))
        resolve_doubt(ice, now, server, out);
    /* Each step may send: only while there is room. */
    for (unsigned i = 0; i < TDM_ICE_SENDS_MAX && tdm_ice_new_send(out); i++) {
        if (s->turn_wake <= now)
            tdm_ice_relay_step(ice, now, server, NULL, out);
        else if (next_wish(ice, server, &wish))
            grant(ice, now, server, &wish, out);
        else
            break;
    }
    s->settled |= now - s->started_at >= SETTLED_AFTER;
    if (!s->settled)
        tdm_ice_wake(ice, s->started_at + SETTLED_AFTER, "server");
    tdm_ice_wake(ice, next_wish(ice, server, &wish) ? now : s->turn_wake, "relay");
    tdm_ice_wake(ice, s->retry_at, "relay anew");
}

void tdm_ice_run_relays(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out)
{
    for (int i = 0; i < ice->config.server_count; i++) {
        if (ice->config.servers[i].kind != TDM_ICE_TURN)
            continue;
        if (ice->pairs_dropped)
            forget(ice, now, i, out);
        run_relay(ice, now, i, out);
    }
    ice->pairs_dropped = false;
}

bool tdm_ice_relay_wrap(struct tdm_ice *ice, int server, const struct tdm_address *to,
                        struct tdm_ice_send *send, size_t size)
{
    struct tdm_turn_client *c = &ice->servers[server].turn;
    bool udp = ice->config.servers[server].link == TDM_ICE_OVER_UDP;

    if (size + TDM_TURN_WRAP_MAX + 3 > sizeof send->data)
        return false;
    memmove(send->data + TDM_TURN_WRAP_MAX, send->data, size);

    const uint8_t *wrapped = tdm_turn_client_wrap(c, to, send->data + TDM_TURN_WRAP_MAX, &size);

    if (!wrapped)
        return false;
    memmove(send->data, wrapped, size);
    send->link = udp ? 0 : (uint8_t)(server + 1);
    send->from = (struct tdm_address){0};
    send->to = c->server;
    send->size = (uint16_t)size;
    return true;
}

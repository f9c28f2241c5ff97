/* SPDX-License-Identifier: MIT */
#include "engine/core/turn_client.h"

#include <stdio.h>

#define RTO_FIRST          (500 * TDM_MS) /* RFC 8489 section 6.2.1: RTO, Rc and Rm. */
#define RTO_MIN            (100 * TDM_MS)
#define TRIES_MAX          7
#define LAST_WAIT_RTO      16
#define STREAM_WAIT        (39500 * TDM_MS)
#define CHALLENGES_MAX     3
#define MOVES_MAX          3
#define LIFETIME_DEFAULT   600
#define LIFETIME_MAX       3600
#define REFRESH_MARGIN     (60 * TDM_S)
#define PERMIT_REFRESH     (240 * TDM_S) /* A permission lives 300 s, a channel 600 s. */
#define CHANNEL_QUARANTINE (900 * TDM_S) /* RFC 8656 section 12: 10 minutes, and 5 more. */
#define REQUESTS           (1 + TDM_TURN_PERMITS_MAX + TDM_TURN_CHANNELS_MAX)

/* A request by number: 0 is the session's, then those of permissions, then those of channels. */
struct which {
    struct tdm_turn_permit *permit;
    struct tdm_turn_channel *channel;
    struct tdm_turn_request *request;
};

static struct which which_of(struct tdm_turn_client *c, size_t n)
{
    struct which w = {.request = &c->session};

    if (n > TDM_TURN_PERMITS_MAX) {
        w.channel = &c->channels[n - 1 - TDM_TURN_PERMITS_MAX];
        w.request = &w.channel->request;
    } else if (n > 0) {
        w.permit = &c->permits[n - 1];
        w.request = &w.permit->request;
    }
    return w;
}

static const struct tdm_turn_request idle = {.due = TDM_NEVER};

static bool is_set(const struct tdm_address *a)
{
    return a->family != TDM_ADDRESS_NONE;
}

static size_t family_index(uint8_t family)
{
    return family == TDM_IPV6 ? 1 : 0;
}

const struct tdm_address *tdm_turn_client_relayed(const struct tdm_turn_client *c, uint8_t family)
{
    const struct tdm_address *relayed = &c->relayed[family_index(family)];

    return c->state == TDM_TURN_ALLOCATED && relayed->family == family && is_set(relayed) ? relayed
                                                                                          : NULL;
}

void tdm_turn_client_init(struct tdm_turn_client *c, const struct tdm_turn_client_config *config,
                          tdm_time now)
{
    *c = (struct tdm_turn_client){
        .state = config->stream ? TDM_TURN_WAITING : TDM_TURN_ALLOCATING,
        .server = config->server,
        .rtt = TDM_NEVER,
        .stream = config->stream,
        .want_ipv4 = config->want_ipv4 || !config->want_ipv6,
        .want_ipv6 = config->want_ipv6,
        .rng = tdm_rng_of(config->seed),
        .lifetime_s = config->lifetime_s,
        .expires_at = TDM_NEVER,
        .next_channel = TDM_TURN_CHANNEL_MIN,
        .session = {.due = config->stream ? TDM_NEVER : now},
    };
    (void)snprintf(c->user, sizeof c->user, "%s", config->user ? config->user : "");
    (void)snprintf(c->password, sizeof c->password, "%s", config->password ? config->password : "");
    for (size_t i = 0; i < TDM_TURN_PERMITS_MAX; i++)
        c->permits[i].request = idle;
    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
        c->channels[i].request = idle;
}

/* Ends everything; `why` is already written. */
static void end(struct tdm_turn_client *c, enum tdm_turn_client_state state,
                struct tdm_turn_client_out *out)
{
    for (size_t n = 0; n < REQUESTS; n++)
        *which_of(c, n).request = idle;
    c->state = state;
    out->told = state == TDM_TURN_CLOSED ? TDM_TURN_TOLD_CLOSED : TDM_TURN_TOLD_FAILED;
    out->error_code = c->error_code;
}

static void fail(struct tdm_turn_client *c, struct tdm_turn_client_out *out, const char *what)
{
    char server[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(&c->server, server);
    (void)snprintf(c->why, sizeof c->why, "the TURN server %s %.180s", server, what);
    end(c, TDM_TURN_FAILED, out);
}

static void fail_with_code(struct tdm_turn_client *c, struct tdm_turn_client_out *out,
                           const struct tdm_stun *m)
{
    char reason[64], other[128];

    c->error_code = m->error_code;
    switch (m->error_code) {
    case TDM_STUN_UNAUTHENTICATED:
    case TDM_STUN_WRONG_CREDENTIALS:
        fail(c, out, "refuses the user name or the password: ask for new ones if they expire");
        break;
    case TDM_STUN_FAMILY_NOT_SUPPORTED:
        fail(c, out, "has no relay address of the wanted family: ask it for the other one");
        break;
    case TDM_STUN_QUOTA_REACHED:
        fail(c, out, "has given this user all that its quota allows: end other calls first");
        break;
    case TDM_STUN_INSUFFICIENT_CAPACITY:
        fail(c, out, "is full: try again later or use another one");
        break;
    case TDM_STUN_ALLOCATION_MISMATCH:
        fail(c, out, "no longer knows our allocation: start anew");
        break;
    default:
        tdm_stun_span_text(m->reason, reason, sizeof reason);
        (void)snprintf(other, sizeof other, "refuses with error %u (%s)", m->error_code, reason);
        fail(c, out, other);
        break;
    }
}

/* Permission or channel could not be had: it is forgotten, not the allocation. */
static void refuse(struct which w, tdm_time now, uint16_t code, struct tdm_turn_client_out *out)
{
    out->told = TDM_TURN_TOLD_REFUSED;
    out->error_code = code;
    *w.request = idle;
    if (w.permit) {
        out->peer = w.permit->peer;
        w.permit->peer.family = TDM_ADDRESS_NONE;
    } else {
        out->peer = w.channel->peer;
        w.channel->wanted = w.channel->bound = false;
        w.channel->free_at = code ? now : now + CHANNEL_QUARANTINE;
    }
}

static void write_allocate(const struct tdm_turn_client *c, struct tdm_writer *w)
{
    tdm_stun_write_u8(w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    if (c->lifetime_s)
        tdm_stun_write_u32(w, TDM_STUN_LIFETIME, c->lifetime_s);
    if (c->want_ipv4 && c->want_ipv6)
        tdm_stun_write_family(w, TDM_STUN_ADDITIONAL_FAMILY, TDM_IPV6);
    else if (c->want_ipv6)
        tdm_stun_write_family(w, TDM_STUN_REQUESTED_FAMILY, TDM_IPV6);
}

static enum tdm_stun_method method_of(const struct tdm_turn_client *c, struct which w)
{
    if (w.permit)
        return TDM_STUN_CREATE_PERMISSION;
    if (w.channel)
        return TDM_STUN_CHANNEL_BIND;
    return c->state == TDM_TURN_ALLOCATING ? TDM_STUN_ALLOCATE : TDM_STUN_REFRESH;
}

static size_t write_request(struct tdm_turn_client *c, struct which w,
                            uint8_t data[TDM_TURN_REQUEST_MAX])
{
    enum tdm_stun_method method = method_of(c, w);
    struct tdm_writer to =
        tdm_stun_begin(data, TDM_TURN_REQUEST_MAX, TDM_STUN_REQUEST, method, w.request->id);

    if (w.channel)
        tdm_stun_write_u16(&to, TDM_STUN_CHANNEL_NUMBER, w.channel->number);
    if (w.channel || w.permit)
        tdm_stun_write_address(&to, TDM_STUN_XOR_PEER_ADDRESS,
                               w.channel ? &w.channel->peer : &w.permit->peer);
    else if (method == TDM_STUN_ALLOCATE)
        write_allocate(c, &to);
    else if (c->state == TDM_TURN_CLOSING)
        tdm_stun_write_u32(&to, TDM_STUN_LIFETIME, 0);
    else if (c->lifetime_s)
        tdm_stun_write_u32(&to, TDM_STUN_LIFETIME, c->lifetime_s);
    if (c->has_key) {
        tdm_stun_write_text(&to, TDM_STUN_USERNAME, c->user);
        tdm_stun_write_bytes(&to, TDM_STUN_REALM, c->realm.bytes, c->realm.size);
        tdm_stun_write_bytes(&to, TDM_STUN_NONCE, c->nonce.bytes, c->nonce.size);
        tdm_stun_write_integrity(&to, c->key, sizeof c->key);
    }
    tdm_stun_write_fingerprint(&to);
    return tdm_stun_end(&to);
}

static tdm_time rto_of(const struct tdm_turn_client *c)
{
    if (c->rtt == TDM_NEVER)
        return RTO_FIRST;
    return tdm_time_min(tdm_time_max(2 * c->rtt, RTO_MIN), RTO_FIRST);
}

/* Starts the transaction anew: another id, all tries before it. */
static void restart(struct tdm_turn_client *c, struct tdm_turn_request *r, tdm_time now)
{
    struct tdm_writer id = tdm_writer_of(r->id, sizeof r->id);

    tdm_write_u64(&id, tdm_rng_u64(&c->rng));
    tdm_write_u32(&id, tdm_rng_u32(&c->rng));
    r->open = true;
    r->tries = 0;
    r->due = now;
}

static void plan(struct tdm_turn_request *r, tdm_time at)
{
    *r = (struct tdm_turn_request){.due = at};
}

static void no_answer(struct tdm_turn_client *c, struct which w, tdm_time now,
                      struct tdm_turn_client_out *out)
{
    if (w.permit || w.channel) {
        refuse(w, now, 0, out);
    } else if (c->state == TDM_TURN_CLOSING) {
        end(c, TDM_TURN_CLOSED, out);
    } else {
        c->error_code = 0;
        fail(c, out, "does not answer: is it running, and does a firewall let us through?");
    }
}

static void send(struct tdm_turn_client *c, struct which w, tdm_time now,
                 struct tdm_turn_client_out *out)
{
    struct tdm_turn_request *r = w.request;

    if (r->tries == 0)
        r->sent_at = now;
    r->tries++;
    r->due = c->stream              ? now + STREAM_WAIT
             : r->tries < TRIES_MAX ? now + (rto_of(c) << (r->tries - 1))
                                    : now + LAST_WAIT_RTO * rto_of(c);
    out->size = (uint16_t)write_request(c, w, out->data);
}

/* One message at most, or one thing to tell. */
static void send_due(struct tdm_turn_client *c, tdm_time now, struct tdm_turn_client_out *out)
{
    for (size_t n = 0; n < REQUESTS && !out->size && !out->told; n++) {
        struct which w = which_of(c, n);
        const struct tdm_address *peer = w.permit    ? &w.permit->peer
                                         : w.channel ? &w.channel->peer
                                                     : NULL;

        if (w.request->due > now)
            continue;
        if (peer && !tdm_turn_client_relayed(c, peer->family)) {
            refuse(w, now, TDM_STUN_PEER_FAMILY_MISMATCH, out);
            continue;
        }
        if (!w.request->open)
            restart(c, w.request, now);
        if (w.request->tries >= (c->stream ? 1 : TRIES_MAX))
            no_answer(c, w, now, out);
        else
            send(c, w, now, out);
    }
}

static bool keep(uint8_t bytes[TDM_TURN_TEXT_MAX], uint16_t *size, struct tdm_stun_span span)
{
    if (!span.data || span.size >= TDM_TURN_TEXT_MAX)
        return false;
    memcpy(bytes, span.data, span.size);
    *size = span.size;
    return true;
}

/* RFC 8489 section 9.2.5: 401 to a request without credentials, or a nonce that is too old. */
static void challenged(struct tdm_turn_client *c, struct which w, tdm_time now,
                       const struct tdm_stun *m, struct tdm_turn_client_out *out)
{
    struct tdm_turn_request *r = w.request;
    bool refused = m->error_code == TDM_STUN_UNAUTHENTICATED && c->has_key;
    bool realm_is_new = m->realm.data || !c->has_key;

    if (refused || r->challenges >= CHALLENGES_MAX) {
        if (w.permit || w.channel)
            refuse(w, now, m->error_code, out);
        else
            fail_with_code(c, out, m);
        return;
    }
    if ((realm_is_new && !keep(c->realm.bytes, &c->realm.size, m->realm)) ||
        !keep(c->nonce.bytes, &c->nonce.size, m->nonce)) {
        c->error_code = m->error_code;
        fail(c, out, "asks for credentials without a realm and a nonce that we can use");
        return;
    }
    tdm_stun_long_term_key(tdm_stun_span_of(c->user),
                           (struct tdm_stun_span){.data = c->realm.bytes, .size = c->realm.size},
                           c->password, c->key);
    c->has_key = true;
    r->challenges++;
    restart(c, r, now);
}

static void moved(struct tdm_turn_client *c, tdm_time now, const struct tdm_stun *m,
                  struct tdm_turn_client_out *out)
{
    if (m->alternate_server.family != c->server.family || !m->alternate_server.port ||
        tdm_address_equal(&m->alternate_server, &c->server) || c->moves >= MOVES_MAX) {
        c->error_code = m->error_code;
        fail(c, out, "sends us to servers that send us on: use another one");
        return;
    }
    c->moves++;
    c->server = m->alternate_server;
    c->has_key = false;
    c->rtt = TDM_NEVER;
    plan(&c->session, c->stream ? TDM_NEVER : now);
    if (c->stream) {
        c->state = TDM_TURN_WAITING;
        out->told = TDM_TURN_TOLD_MOVED;
    }
}

/* An address that a relay can have; on loopback only if the server is there itself. */
static bool is_plausible(const struct tdm_turn_client *c, const struct tdm_address *a)
{
    static const uint8_t none[16];
    bool wanted = a->family == TDM_IPV4 ? c->want_ipv4 : c->want_ipv6;
    bool multicast = a->family == TDM_IPV4 ? a->bytes[0] >= 224 : a->bytes[0] == 0xff;

    return wanted && !multicast && a->port && memcmp(a->bytes, none, sizeof none) != 0 &&
           (!tdm_address_is_loopback(a) || tdm_address_is_loopback(&c->server));
}

static void set_lifetime(struct tdm_turn_client *c, tdm_time now, const struct tdm_stun *m)
{
    tdm_time seconds = m->has_lifetime ? m->lifetime_s : LIFETIME_DEFAULT;
    tdm_time lifetime = tdm_time_min(seconds, LIFETIME_MAX) * TDM_S;

    c->expires_at = now + lifetime;
    plan(&c->session, now + tdm_time_max(lifetime / 2, lifetime - REFRESH_MARGIN));
}

static void allocated(struct tdm_turn_client *c, tdm_time now, const struct tdm_stun *m,
                      struct tdm_turn_client_out *out)
{
    for (size_t i = 0; i < 2 && is_set(&m->relayed[i]); i++)
        if (is_plausible(c, &m->relayed[i]))
            c->relayed[family_index(m->relayed[i].family)] = m->relayed[i];
    if ((!is_set(&c->relayed[0]) && !is_set(&c->relayed[1])) ||
        (m->has_lifetime && !m->lifetime_s)) {
        c->error_code = 0;
        fail(c, out, "gives no relay address that can be used: use another one");
        return;
    }
    c->state = TDM_TURN_ALLOCATED;
    c->mapped = m->mapped;
    set_lifetime(c, now, m);
    for (size_t n = 1; n < REQUESTS; n++) {
        struct which w = which_of(c, n);

        if (w.permit ? is_set(&w.permit->peer) : w.channel->wanted)
            plan(w.request, now);
    }
    out->told = TDM_TURN_TOLD_ALLOCATED;
}

static void succeeded(struct tdm_turn_client *c, struct which w, tdm_time now,
                      const struct tdm_stun *m, struct tdm_turn_client_out *out)
{
    if (w.permit) {
        out->told = w.permit->granted ? TDM_TURN_TOLD_NOTHING : TDM_TURN_TOLD_PERMITTED;
        out->peer = w.permit->peer;
        w.permit->granted = true;
        plan(w.request, now + PERMIT_REFRESH);
    } else if (w.channel) {
        out->told = w.channel->bound ? TDM_TURN_TOLD_NOTHING : TDM_TURN_TOLD_BOUND;
        out->peer = w.channel->peer;
        w.channel->bound = true;
        plan(w.request, now + PERMIT_REFRESH);
    } else if (c->state == TDM_TURN_ALLOCATING) {
        allocated(c, now, m, out);
    } else if (c->state == TDM_TURN_CLOSING) {
        end(c, TDM_TURN_CLOSED, out);
    } else if (m->has_lifetime && !m->lifetime_s) {
        c->error_code = TDM_STUN_ALLOCATION_MISMATCH;
        fail(c, out, "took the allocation away: start anew");
    } else {
        set_lifetime(c, now, m);
    }
}

static void answered(struct tdm_turn_client *c, struct which w, tdm_time now,
                     const struct tdm_stun *m, struct tdm_turn_client_out *out)
{
    enum tdm_err checked = c->has_key ? tdm_stun_check(m, c->key, sizeof c->key) : TDM_OK;
    bool challenge =
        m->error_code == TDM_STUN_UNAUTHENTICATED || m->error_code == TDM_STUN_STALE_NONCE;

    /* An error may come without integrity (RFC 8489 section 9.2.4: the server may not know the
     * key); who could forge one, knowing the id, could also keep the answer from us. */
    if (m->method != method_of(c, w) || checked == TDM_E_DENIED ||
        (m->kind == TDM_STUN_SUCCESS && checked != TDM_OK) ||
        (m->kind == TDM_STUN_ERROR && !m->error_code)) {
        c->refused++;
        return;
    }
    if (w.request->tries == 1)
        c->rtt = tdm_time_max(now - w.request->sent_at, 0);
    if (m->kind == TDM_STUN_SUCCESS)
        succeeded(c, w, now, m, out);
    else if (challenge)
        challenged(c, w, now, m, out);
    else if (w.permit || w.channel)
        refuse(w, now, m->error_code, out);
    else if (c->state == TDM_TURN_CLOSING)
        end(c, TDM_TURN_CLOSED, out);
    else if (m->error_code == TDM_STUN_TRY_ALTERNATE && c->state == TDM_TURN_ALLOCATING)
        moved(c, now, m, out);
    else
        fail_with_code(c, out, m);
}

static struct tdm_turn_permit *permit_of(struct tdm_turn_client *c, const struct tdm_address *peer)
{
    for (size_t i = 0; i < TDM_TURN_PERMITS_MAX; i++)
        if (tdm_address_same_host(&c->permits[i].peer, peer))
            return &c->permits[i];
    return NULL;
}

static void take_payload(struct tdm_turn_client *c, const struct tdm_address *from,
                         struct tdm_stun_span payload, struct tdm_turn_client_out *out)
{
    if (c->state != TDM_TURN_ALLOCATED || !payload.data || !permit_of(c, from)) {
        c->refused++;
        return;
    }
    out->payload = payload.data;
    out->payload_size = payload.size;
    out->payload_from = *from;
}

static void take_channel_data(struct tdm_turn_client *c, const struct tdm_turn_client_in *in,
                              struct tdm_turn_client_out *out)
{
    struct tdm_turn_channel_data data;

    if (tdm_turn_channel_data_parse(&data, in->data, in->size) == TDM_OK)
        for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
            if (c->channels[i].number == data.channel && is_set(&c->channels[i].peer)) {
                take_payload(c, &c->channels[i].peer,
                             (struct tdm_stun_span){.data = data.data, .size = data.size}, out);
                return;
            }
    c->refused++;
}

static void take_stun(struct tdm_turn_client *c, tdm_time now, const struct tdm_turn_client_in *in,
                      struct tdm_turn_client_out *out)
{
    struct tdm_stun m;

    if (tdm_stun_parse(&m, in->data, in->size) != TDM_OK) {
        c->refused++;
        return;
    }
    if (m.kind == TDM_STUN_INDICATION && m.method == TDM_STUN_DATA && m.peer_count == 1) {
        take_payload(c, &m.peers[0], m.data, out);
        return;
    }
    for (size_t n = 0; n < REQUESTS; n++) {
        struct which w = which_of(c, n);

        if (w.request->open && w.request->tries && memcmp(w.request->id, m.id, sizeof m.id) == 0 &&
            (m.kind == TDM_STUN_SUCCESS || m.kind == TDM_STUN_ERROR)) {
            answered(c, w, now, &m, out);
            return;
        }
    }
    c->refused++;
}

static void permit(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer,
                   struct tdm_turn_client_out *out)
{
    struct tdm_turn_permit *slot = permit_of(c, peer);

    out->peer = *peer;
    if (slot) {
        out->told = slot->granted ? TDM_TURN_TOLD_PERMITTED : TDM_TURN_TOLD_NOTHING;
        return;
    }
    for (size_t i = 0; i < TDM_TURN_PERMITS_MAX; i++) {
        if (is_set(&c->permits[i].peer))
            continue;
        c->permits[i] = (struct tdm_turn_permit){.peer = *peer};
        plan(&c->permits[i].request, c->state == TDM_TURN_ALLOCATED ? now : TDM_NEVER);
        return;
    }
    out->told = TDM_TURN_TOLD_REFUSED;
    out->error_code = TDM_STUN_INSUFFICIENT_CAPACITY;
}

static uint16_t free_number(struct tdm_turn_client *c)
{
    for (;;) {
        uint16_t number = c->next_channel;
        bool used = false;

        c->next_channel =
            number < TDM_TURN_CHANNEL_MAX ? (uint16_t)(number + 1) : TDM_TURN_CHANNEL_MIN;
        for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
            used = used || (is_set(&c->channels[i].peer) && c->channels[i].number == number);
        if (!used)
            return number;
    }
}

/* The channel that `peer` has or had, else a free one; NULL: none is free. */
static struct tdm_turn_channel *channel_for(struct tdm_turn_client *c, tdm_time now,
                                            const struct tdm_address *peer)
{
    struct tdm_turn_channel *unused = NULL;

    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++) {
        struct tdm_turn_channel *slot = &c->channels[i];

        if (is_set(&slot->peer) && !slot->wanted && slot->free_at <= now)
            slot->peer.family = TDM_ADDRESS_NONE;
        if (tdm_address_equal(&slot->peer, peer))
            return slot;
        if (!is_set(&slot->peer) && !unused)
            unused = slot;
    }
    if (unused) {
        uint16_t number = free_number(c);

        *unused = (struct tdm_turn_channel){.peer = *peer, .number = number, .request = idle};
    }
    return unused;
}

static void bind(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer,
                 struct tdm_turn_client_out *out)
{
    struct tdm_turn_channel *slot = channel_for(c, now, peer);

    permit(c, now, peer, out);
    if (out->told != TDM_TURN_TOLD_REFUSED && slot) {
        out->told = slot->wanted && slot->bound ? TDM_TURN_TOLD_BOUND : TDM_TURN_TOLD_NOTHING;
        if (!slot->wanted)
            plan(&slot->request, c->state == TDM_TURN_ALLOCATED ? now : TDM_NEVER);
        slot->bound = slot->bound && slot->wanted;
        slot->wanted = true;
        return;
    }
    out->told = TDM_TURN_TOLD_REFUSED;
    out->error_code = TDM_STUN_INSUFFICIENT_CAPACITY;
}

static void forget(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer)
{
    struct tdm_turn_permit *slot = permit_of(c, peer);
    bool host_is_wanted = false;

    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++) {
        struct tdm_turn_channel *channel = &c->channels[i];

        if (tdm_address_equal(&channel->peer, peer) && channel->wanted) {
            channel->wanted = false;
            channel->free_at = now + CHANNEL_QUARANTINE;
            channel->request = idle;
        }
        host_is_wanted =
            host_is_wanted || (channel->wanted && tdm_address_same_host(&channel->peer, peer));
    }
    if (slot && !host_is_wanted)
        *slot = (struct tdm_turn_permit){.request = idle};
}

static void close_allocation(struct tdm_turn_client *c, tdm_time now,
                             struct tdm_turn_client_out *out)
{
    bool has_something =
        c->state == TDM_TURN_ALLOCATED || (c->state == TDM_TURN_ALLOCATING && c->has_key);

    if (c->state == TDM_TURN_CLOSING || c->state == TDM_TURN_CLOSED || c->state == TDM_TURN_FAILED)
        return;
    for (size_t n = 0; n < REQUESTS; n++)
        *which_of(c, n).request = idle;
    if (!has_something) {
        end(c, TDM_TURN_CLOSED, out);
        return;
    }
    c->state = TDM_TURN_CLOSING;
    plan(&c->session, now);
}

static void link_changed(struct tdm_turn_client *c, tdm_time now, bool up,
                         struct tdm_turn_client_out *out)
{
    if (!c->stream || c->state == TDM_TURN_CLOSED || c->state == TDM_TURN_FAILED)
        return;
    if (up && c->state == TDM_TURN_WAITING) {
        c->state = TDM_TURN_ALLOCATING;
        plan(&c->session, now);
    } else if (!up && c->state == TDM_TURN_CLOSING) {
        end(c, TDM_TURN_CLOSED, out);
    } else if (!up) {
        c->error_code = 0;
        fail(c, out,
             c->state == TDM_TURN_WAITING
                 ? "takes no connection: is it running, and does a firewall let us through?"
                 : "closed the connection: start anew");
    }
}

static bool is_peer(const struct tdm_address *peer)
{
    return peer->family == TDM_IPV4 || peer->family == TDM_IPV6;
}

static void take(struct tdm_turn_client *c, tdm_time now, const struct tdm_turn_client_in *in,
                 struct tdm_turn_client_out *out)
{
    bool ended = c->state >= TDM_TURN_CLOSING;

    switch (in->kind) {
    case TDM_TURN_MESSAGE:
        if (!c->stream && !tdm_address_equal(&in->from, &c->server))
            c->refused++;
        else if (tdm_turn_is_channel_data(in->data, in->size))
            take_channel_data(c, in, out);
        else
            take_stun(c, now, in, out);
        break;
    case TDM_TURN_LINK_UP:
    case TDM_TURN_LINK_DOWN:
        link_changed(c, now, in->kind == TDM_TURN_LINK_UP, out);
        break;
    case TDM_TURN_PERMIT:
        if (!ended && is_peer(&in->peer))
            permit(c, now, &in->peer, out);
        break;
    case TDM_TURN_BIND:
        if (!ended && is_peer(&in->peer))
            bind(c, now, &in->peer, out);
        break;
    case TDM_TURN_FORGET:
        forget(c, now, &in->peer);
        break;
    case TDM_TURN_CLOSE:
        close_allocation(c, now, out);
        break;
    }
}

void tdm_turn_client_step(struct tdm_turn_client *c, tdm_time now,
                          const struct tdm_turn_client_in *in, struct tdm_turn_client_out *out)
{
    out->size = 0;
    out->told = TDM_TURN_TOLD_NOTHING;
    out->error_code = 0;
    out->peer = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    out->payload = NULL;
    out->payload_size = 0;
    if (in)
        take(c, now, in, out);
    send_due(c, now, out);
    out->wake_at = TDM_NEVER;
    out->wake_why = "nothing to do";
    for (size_t n = 0; n < REQUESTS; n++) {
        struct which w = which_of(c, n);

        if (w.request->due < out->wake_at) {
            out->wake_at = w.request->due;
            out->wake_why = w.request->open ? "an answer of the TURN server is late"
                                            : "something at the TURN server is to be renewed";
        }
    }
}

static const struct tdm_turn_channel *bound_channel(const struct tdm_turn_client *c,
                                                    const struct tdm_address *peer)
{
    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
        if (c->channels[i].bound && c->channels[i].wanted &&
            tdm_address_equal(&c->channels[i].peer, peer))
            return &c->channels[i];
    return NULL;
}

/* The header, the peer and the head of DATA, as if the data followed. */
static size_t write_indication(struct tdm_turn_client *c, const struct tdm_address *peer,
                               uint8_t head[TDM_TURN_WRAP_MAX], size_t size)
{
    uint8_t id[TDM_STUN_ID_BYTES];
    struct tdm_writer id_writer = tdm_writer_of(id, sizeof id);

    tdm_write_u64(&id_writer, tdm_rng_u64(&c->rng));
    tdm_write_u32(&id_writer, tdm_rng_u32(&c->rng));
    struct tdm_writer w =
        tdm_stun_begin(head, TDM_TURN_WRAP_MAX, TDM_STUN_INDICATION, TDM_STUN_SEND, id);

    tdm_stun_write_address(&w, TDM_STUN_XOR_PEER_ADDRESS, peer);
    tdm_write_u16(&w, TDM_STUN_DATA_ATTRIBUTE);
    tdm_write_u16(&w, (uint16_t)size);
    size_t body = tdm_writer_size(&w) - TDM_STUN_HEADER_BYTES + size + tdm_turn_padding(size);

    head[2] = (uint8_t)(body >> 8);
    head[3] = (uint8_t)body;
    return tdm_writer_size(&w);
}

uint8_t *tdm_turn_client_wrap(struct tdm_turn_client *c, const struct tdm_address *peer,
                              uint8_t *data, size_t *size)
{
    const struct tdm_turn_channel *channel = bound_channel(c, peer);
    size_t padding = channel && !c->stream ? 0 : tdm_turn_padding(*size);
    uint8_t head[TDM_TURN_WRAP_MAX];
    size_t head_size = TDM_TURN_CHANNEL_HEAD_BYTES;

    if (*size > TDM_TURN_DATAGRAM_MAX || !is_peer(peer) ||
        !tdm_turn_client_relayed(c, peer->family))
        return NULL;
    if (channel)
        tdm_turn_channel_data_head(head, channel->number, (uint16_t)*size);
    else
        head_size = write_indication(c, peer, head, *size);
    memset(data + *size, 0, padding);
    memcpy(data - head_size, head, head_size);
    *size += head_size + padding;
    return data - head_size;
}

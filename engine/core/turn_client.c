/* SPDX-License-Identifier: MIT */
#include "engine/core/turn_client.h"

#include "engine/core/turn_client_parts.h"

#include <stdio.h>

#define RTO_FIRST          (500 * TDM_MS) /* RFC 8489 section 6.2.1: RTO, Rc and Rm. */
#define RTO_MIN            (100 * TDM_MS)
#define TRIES_MAX          7
#define LAST_WAIT_RTO      16
#define STREAM_WAIT        (39500 * TDM_MS)
#define CHANNEL_QUARANTINE (900 * TDM_S) /* RFC 8656 section 12: 10 minutes, and 5 more. */

const struct tdm_address *tdm_turn_client_relayed(const struct tdm_turn_client *c, uint8_t family)
{
    const struct tdm_address *relayed = &c->relayed[turn_family(family)];

    return c->state == TDM_TURN_ALLOCATED && relayed->family == family && turn_is_set(relayed)
               ? relayed
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
        c->permits[i].request = turn_idle;
    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
        c->channels[i].request = turn_idle;
}

/* Ends everything; `why` is already written. */
void tdm_turn_client_end(struct tdm_turn_client *c, enum tdm_turn_client_state state,
                         struct tdm_turn_client_out *out)
{
    for (size_t n = 0; n < TURN_REQUESTS; n++)
        *turn_which_of(c, n).request = turn_idle;
    c->state = state;
    out->told = state == TDM_TURN_CLOSED ? TDM_TURN_TOLD_CLOSED : TDM_TURN_TOLD_FAILED;
    out->error_code = c->error_code;
}

void tdm_turn_client_fail(struct tdm_turn_client *c, struct tdm_turn_client_out *out,
                          const char *what)
{
    char server[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(&c->server, server);
    (void)snprintf(c->why, sizeof c->why, "the TURN server %s %.180s", server, what);
    tdm_turn_client_end(c, TDM_TURN_FAILED, out);
}

/* Permission or channel could not be had: it is forgotten, not the allocation. */
void tdm_turn_client_refuse(struct turn_which w, tdm_time now, uint16_t code,
                            struct tdm_turn_client_out *out)
{
    out->told = TDM_TURN_TOLD_REFUSED;
    out->error_code = code;
    *w.request = turn_idle;
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

uint16_t tdm_turn_client_method(const struct tdm_turn_client *c, struct turn_which w)
{
    if (w.permit)
        return TDM_STUN_CREATE_PERMISSION;
    if (w.channel)
        return TDM_STUN_CHANNEL_BIND;
    return c->state == TDM_TURN_ALLOCATING && !c->clearing ? TDM_STUN_ALLOCATE : TDM_STUN_REFRESH;
}

static size_t write_request(struct tdm_turn_client *c, struct turn_which w,
                            uint8_t data[TDM_TURN_REQUEST_MAX])
{
    uint16_t method = tdm_turn_client_method(c, w);
    struct tdm_writer to =
        tdm_stun_begin(data, TDM_TURN_REQUEST_MAX, TDM_STUN_REQUEST, method, w.request->id);

    if (w.channel)
        tdm_stun_write_u16(&to, TDM_STUN_CHANNEL_NUMBER, w.channel->number);
    if (w.channel || w.permit)
        tdm_stun_write_address(&to, TDM_STUN_XOR_PEER_ADDRESS,
                               w.channel ? &w.channel->peer : &w.permit->peer);
    else if (method == TDM_STUN_ALLOCATE)
        write_allocate(c, &to);
    else if (c->state == TDM_TURN_CLOSING || c->clearing)
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
void tdm_turn_client_restart(struct tdm_turn_client *c, struct tdm_turn_request *r, tdm_time now)
{
    tdm_stun_make_id(r->id, tdm_rng_u64(&c->rng), tdm_rng_u32(&c->rng));
    r->open = true;
    r->tries = 0;
    r->due = now;
}

static void no_answer(struct tdm_turn_client *c, struct turn_which w, tdm_time now,
                      struct tdm_turn_client_out *out)
{
    if (w.permit || w.channel) {
        tdm_turn_client_refuse(w, now, 0, out);
    } else if (c->state == TDM_TURN_CLOSING) {
        tdm_turn_client_end(c, TDM_TURN_CLOSED, out);
    } else {
        c->error_code = 0;
        tdm_turn_client_fail(c, out,
                             "does not answer: is it running, and does a firewall let us through?");
    }
}

static void send(struct tdm_turn_client *c, struct turn_which w, tdm_time now,
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
    for (size_t n = 0; n < TURN_REQUESTS && !out->size && !out->told; n++) {
        struct turn_which w = turn_which_of(c, n);
        const struct tdm_address *peer = w.permit    ? &w.permit->peer
                                         : w.channel ? &w.channel->peer
                                                     : NULL;

        if (w.request->due > now)
            continue;
        if (peer && !tdm_turn_client_relayed(c, peer->family)) {
            tdm_turn_client_refuse(w, now, TDM_STUN_PEER_FAMILY_MISMATCH, out);
            continue;
        }
        if (!w.request->open)
            tdm_turn_client_restart(c, w.request, now);
        if (w.request->tries >= (c->stream ? 1 : TRIES_MAX))
            no_answer(c, w, now, out);
        else
            send(c, w, now, out);
    }
}

static void close_allocation(struct tdm_turn_client *c, tdm_time now,
                             struct tdm_turn_client_out *out)
{
    bool has_something =
        c->state == TDM_TURN_ALLOCATED || (c->state == TDM_TURN_ALLOCATING && c->has_key);

    if (c->state == TDM_TURN_CLOSING || c->state == TDM_TURN_CLOSED || c->state == TDM_TURN_FAILED)
        return;
    for (size_t n = 0; n < TURN_REQUESTS; n++)
        *turn_which_of(c, n).request = turn_idle;
    if (!has_something) {
        tdm_turn_client_end(c, TDM_TURN_CLOSED, out);
        return;
    }
    c->state = TDM_TURN_CLOSING;
    turn_plan(&c->session, now);
}

static void link_changed(struct tdm_turn_client *c, tdm_time now, bool up,
                         struct tdm_turn_client_out *out)
{
    if (!c->stream || c->state == TDM_TURN_CLOSED || c->state == TDM_TURN_FAILED)
        return;
    if (up && c->state == TDM_TURN_WAITING) {
        c->state = TDM_TURN_ALLOCATING;
        turn_plan(&c->session, now);
    } else if (!up && c->state == TDM_TURN_CLOSING) {
        tdm_turn_client_end(c, TDM_TURN_CLOSED, out);
    } else if (!up) {
        c->error_code = 0;
        tdm_turn_client_fail(
            c, out,
            c->state == TDM_TURN_WAITING
                ? "takes no connection: is it running, and does a firewall let us through?"
                : "closed the connection: start anew");
    }
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
            tdm_turn_client_take_channel_data(c, in, out);
        else
            tdm_turn_client_take_stun(c, now, in, out);
        break;
    case TDM_TURN_LINK_UP:
    case TDM_TURN_LINK_DOWN:
        link_changed(c, now, in->kind == TDM_TURN_LINK_UP, out);
        break;
    case TDM_TURN_PERMIT:
        if (!ended && turn_is_peer(&in->peer))
            tdm_turn_client_permit(c, now, &in->peer, out);
        break;
    case TDM_TURN_BIND:
        if (!ended && turn_is_peer(&in->peer))
            tdm_turn_client_bind(c, now, &in->peer, out);
        break;
    case TDM_TURN_FORGET:
        tdm_turn_client_forget(c, now, &in->peer);
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
    for (size_t n = 0; n < TURN_REQUESTS; n++) {
        struct turn_which w = turn_which_of(c, n);

        if (w.request->due < out->wake_at) {
            out->wake_at = w.request->due;
            out->wake_why = w.request->open ? "an answer of the TURN server is late"
                                            : "something at the TURN server is to be renewed";
        }
    }
}

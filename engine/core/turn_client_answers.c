/* SPDX-License-Identifier: MIT */
/* What the answers of a TURN server mean for the session, a permission or a channel. */

#include "engine/core/turn_client_parts.h"

#include <stdio.h>

#define CHALLENGES_MAX   3
#define MOVES_MAX        3
#define LIFETIME_DEFAULT 600
#define LIFETIME_MAX     3600
#define REFRESH_MARGIN   (60 * TDM_S)
#define PERMIT_REFRESH   (240 * TDM_S) /* A permission lives 300 s, a channel 600 s. */

static void fail_with_code(struct tdm_turn_client *c, struct tdm_turn_client_out *out,
                           const struct tdm_stun *m)
{
    char reason[64], other[128];

    c->error_code = m->error_code;
    switch (m->error_code) {
    case TDM_STUN_UNAUTHENTICATED:
    case TDM_STUN_WRONG_CREDENTIALS:
        tdm_turn_client_fail(
            c, out, "refuses the user name or the password: ask for new ones if they expire");
        break;
    case TDM_STUN_FAMILY_NOT_SUPPORTED:
        tdm_turn_client_fail(c, out,
                             "has no relay address of the wanted family: ask it for the other one");
        break;
    case TDM_STUN_QUOTA_REACHED:
        tdm_turn_client_fail(
            c, out, "has given this user all that its quota allows: end other calls first");
        break;
    case TDM_STUN_INSUFFICIENT_CAPACITY:
        tdm_turn_client_fail(c, out, "is full: try again later or use another one");
        break;
    case TDM_STUN_ALLOCATION_MISMATCH:
        tdm_turn_client_fail(c, out, "no longer knows our allocation: start anew");
        break;
    default:
        tdm_stun_span_text(m->reason, reason, sizeof reason);
        (void)snprintf(other, sizeof other, "refuses with error %u (%s)", m->error_code, reason);
        tdm_turn_client_fail(c, out, other);
        break;
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
static void challenged(struct tdm_turn_client *c, struct turn_which w, tdm_time now,
                       const struct tdm_stun *m, struct tdm_turn_client_out *out)
{
    struct tdm_turn_request *r = w.request;
    bool refused = m->error_code == TDM_STUN_UNAUTHENTICATED && c->has_key;
    bool realm_is_new = m->realm.data || !c->has_key;

    if (refused || r->challenges >= CHALLENGES_MAX) {
        if (w.permit || w.channel)
            tdm_turn_client_refuse(w, now, m->error_code, out);
        else
            fail_with_code(c, out, m);
        return;
    }
    if ((realm_is_new && !keep(c->realm.bytes, &c->realm.size, m->realm)) ||
        !keep(c->nonce.bytes, &c->nonce.size, m->nonce)) {
        c->error_code = m->error_code;
        tdm_turn_client_fail(c, out,
                             "asks for credentials without a realm and a nonce that we can use");
        return;
    }
    tdm_stun_long_term_key(tdm_stun_span_of(c->user),
                           (struct tdm_stun_span){.data = c->realm.bytes, .size = c->realm.size},
                           c->password, c->key);
    c->has_key = true;
    r->challenges++;
    tdm_turn_client_restart(c, r, now);
}

static void moved(struct tdm_turn_client *c, tdm_time now, const struct tdm_stun *m,
                  struct tdm_turn_client_out *out)
{
    if (m->alternate_server.family != c->server.family || !m->alternate_server.port ||
        tdm_address_equal(&m->alternate_server, &c->server) || c->moves >= MOVES_MAX) {
        c->error_code = m->error_code;
        tdm_turn_client_fail(c, out, "sends us to servers that send us on: use another one");
        return;
    }
    c->moves++;
    c->server = m->alternate_server;
    c->has_key = false;
    c->rtt = TDM_NEVER;
    turn_plan(&c->session, c->stream ? TDM_NEVER : now);
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
    turn_plan(&c->session, now + tdm_time_max(lifetime / 2, lifetime - REFRESH_MARGIN));
}

static void allocated(struct tdm_turn_client *c, tdm_time now, const struct tdm_stun *m,
                      struct tdm_turn_client_out *out)
{
    for (size_t i = 0; i < 2 && turn_is_set(&m->relayed[i]); i++)
        if (is_plausible(c, &m->relayed[i]))
            c->relayed[turn_family(m->relayed[i].family)] = m->relayed[i];
    if ((!turn_is_set(&c->relayed[0]) && !turn_is_set(&c->relayed[1])) ||
        (m->has_lifetime && !m->lifetime_s)) {
        c->error_code = 0;
        tdm_turn_client_fail(c, out, "gives no relay address that can be used: use another one");
        return;
    }
    c->state = TDM_TURN_ALLOCATED;
    c->mapped = m->mapped;
    set_lifetime(c, now, m);
    for (size_t n = 1; n < TURN_REQUESTS; n++) {
        struct turn_which w = turn_which_of(c, n);

        if (w.permit ? turn_is_set(&w.permit->peer) : w.channel->wanted)
            turn_plan(w.request, now);
    }
    out->told = TDM_TURN_TOLD_ALLOCATED;
}

static void succeeded(struct tdm_turn_client *c, struct turn_which w, tdm_time now,
                      const struct tdm_stun *m, struct tdm_turn_client_out *out)
{
    if (w.permit) {
        out->told = w.permit->granted ? TDM_TURN_TOLD_NOTHING : TDM_TURN_TOLD_PERMITTED;
        out->peer = w.permit->peer;
        w.permit->granted = true;
        turn_plan(w.request, now + PERMIT_REFRESH);
    } else if (w.channel) {
        out->told = w.channel->bound ? TDM_TURN_TOLD_NOTHING : TDM_TURN_TOLD_BOUND;
        out->peer = w.channel->peer;
        w.channel->bound = true;
        turn_plan(w.request, now + PERMIT_REFRESH);
    } else if (c->state == TDM_TURN_CLOSING) {
        tdm_turn_client_end(c, TDM_TURN_CLOSED, out);
    } else if (c->clearing) {
        c->clearing = false;
        turn_plan(&c->session, now);
    } else if (c->state == TDM_TURN_ALLOCATING) {
        allocated(c, now, m, out);
    } else if (m->has_lifetime && !m->lifetime_s) {
        c->error_code = TDM_STUN_ALLOCATION_MISMATCH;
        tdm_turn_client_fail(c, out, "took the allocation away: start anew");
    } else {
        set_lifetime(c, now, m);
    }
}

/* An Allocate, a Refresh or a good-bye was refused. */
static void session_refused(struct tdm_turn_client *c, tdm_time now, const struct tdm_stun *m,
                            struct tdm_turn_client_out *out)
{
    bool allocating = c->state == TDM_TURN_ALLOCATING && !c->clearing;

    if (c->state == TDM_TURN_CLOSING) {
        tdm_turn_client_end(c, TDM_TURN_CLOSED, out);
    } else if (allocating && m->error_code == TDM_STUN_TRY_ALTERNATE) {
        moved(c, now, m, out);
    } else if (allocating && m->error_code == TDM_STUN_ALLOCATION_MISMATCH && !c->cleared) {
        /* One of ours from before, perhaps of a program that crashed: give it back, ask again. */
        c->clearing = c->cleared = true;
        turn_plan(&c->session, now);
    } else {
        fail_with_code(c, out, m);
    }
}

static void answered(struct tdm_turn_client *c, struct turn_which w, tdm_time now,
                     const struct tdm_stun *m, struct tdm_turn_client_out *out)
{
    enum tdm_err checked = c->has_key ? tdm_stun_check(m, c->key, sizeof c->key) : TDM_OK;
    bool challenge =
        m->error_code == TDM_STUN_UNAUTHENTICATED || m->error_code == TDM_STUN_STALE_NONCE;

    /* An error may come without integrity (RFC 8489 section 9.2.4: the server may not know the
     * key); who could forge one, knowing the id, could also keep the answer from us. */
    if (m->method != tdm_turn_client_method(c, w) || checked == TDM_E_DENIED ||
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
        tdm_turn_client_refuse(w, now, m->error_code, out);
    else
        session_refused(c, now, m, out);
}

void tdm_turn_client_take_stun(struct tdm_turn_client *c, tdm_time now,
                               const struct tdm_turn_client_in *in, struct tdm_turn_client_out *out)
{
    struct tdm_stun m;

    if (tdm_stun_parse(&m, in->data, in->size) != TDM_OK) {
        c->refused++;
        return;
    }
    if (m.kind == TDM_STUN_INDICATION && m.method == TDM_STUN_DATA && m.peer_count == 1) {
        tdm_turn_client_take_payload(c, &m.peers[0], m.data, out);
        return;
    }
    for (size_t n = 0; n < TURN_REQUESTS; n++) {
        struct turn_which w = turn_which_of(c, n);

        if (w.request->open && w.request->tries && memcmp(w.request->id, m.id, sizeof m.id) == 0 &&
            (m.kind == TDM_STUN_SUCCESS || m.kind == TDM_STUN_ERROR)) {
            answered(c, w, now, &m, out);
            return;
        }
    }
    c->refused++;
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <string.h>

/* Without an answer a check goes again after 100, 200, 400 ... 1600 ms. RFC 8445 section 14.3 has
 * 500 ms at least, so that many pairs do not flood; here all checks together keep TDM_ICE_PACE
 * (docs/decisions/013-ice-checks.md). */
#define RETRY_FIRST (100 * TDM_MS)
#define RETRY_MOST  (1600 * TDM_MS)
#define TRIES_MAX   12
/* Where checks of the other side arrive one way works, and loss is all that there is to fight. */
#define SEEN_RETRY_MOST (400 * TDM_MS)
#define SEEN_TRIES_MAX  60
/* Of a pair that was valid: soon at first, to tell a lost check from a dead path. */
#define AGAIN_LEAST (50 * TDM_MS)
#define AGAIN_MOST  (500 * TDM_MS)
#define AGAIN_QUICK 5
#define AGAIN_SLOW  (1 * TDM_S)
#define BACK_LEAST  (10 * TDM_MS)
/* RFC 7675 section 5.1: 5 s, times 0.8 to 1.2. */
#define CONSENT_LEAST  (4 * TDM_S)
#define CONSENT_SPREAD (2 * TDM_S)
/* Once a pair is nominated, this many valid ones are enough, and kept. */
#define WARM_MAX 3

void tdm_ice_trigger(struct tdm_ice *ice, struct tdm_ice_pair *pair)
{
    if (!pair->triggered)
        pair->triggered = ++ice->trigger_order;
}

/* RFC 8445 section 7.3.1.4. Not at once when a check has only just left: were each check answered
 * by a check, two agents would keep each other busy for ever. */
void tdm_ice_trigger_back(struct tdm_ice *ice, tdm_time now, struct tdm_ice_pair *pair)
{
    bool valid = pair->state == TDM_ICE_PAIR_VALID;
    tdm_time at = pair->sent_at + (valid ? tdm_time_max(pair->rtt, AGAIN_LEAST) : BACK_LEAST);

    if (valid && pair->tries == 0)
        return;
    if (now >= at || pair->state == TDM_ICE_PAIR_FAILED)
        tdm_ice_trigger(ice, pair);
    else
        pair->due = tdm_time_min(pair->due, at);
}

bool tdm_ice_send_from(struct tdm_ice *ice, int local, const struct tdm_address *to,
                       struct tdm_ice_send *send, size_t size)
{
    const struct tdm_ice_local *l = &ice->locals[local];

    if (size == 0)
        return false;
    if (l->c.type == TDM_ICE_RELAY)
        return tdm_ice_relay_wrap(ice, l->server, to, send, size);
    send->link = 0;
    send->from = l->c.address;
    send->to = *to;
    send->size = (uint16_t)size;
    return true;
}

/* What the other side should think of the address that it sees, if that is new to it: as much as
 * of a peer-reflexive one (RFC 8445 section 7.1.1), but a relay stays the last resort. */
static uint32_t priority_seen(const struct tdm_ice *ice, const struct tdm_ice_local *local)
{
    return tdm_ice_priority(local->c.type == TDM_ICE_RELAY ? TDM_ICE_RELAY : TDM_ICE_PRFLX,
                            local->c.priority >> 8, ice->config.component);
}

static size_t write_check(struct tdm_ice *ice, const struct tdm_ice_pair *pair,
                          const struct tdm_ice_pending *pending, struct tdm_ice_send *send)
{
    const struct tdm_ice_gen *g = &ice->gens[pair->gen];
    struct tdm_writer w = tdm_stun_begin(send->data, sizeof send->data - TDM_ICE_WRAP_MAX,
                                         TDM_STUN_REQUEST, TDM_STUN_BINDING, pending->id);
    char name[TDM_ICE_UFRAG_MAX + sizeof g->ufrag + 2];
    size_t theirs = strlen(g->remote_ufrag);

    memcpy(name, g->remote_ufrag, theirs);
    name[theirs] = ':';
    memcpy(name + theirs + 1, g->ufrag, strlen(g->ufrag) + 1);
    tdm_stun_write_text(&w, TDM_STUN_USERNAME, name);
    tdm_stun_write_u32(&w, TDM_STUN_PRIORITY, priority_seen(ice, &ice->locals[pair->local]));
    tdm_stun_write_u64(&w, ice->controlling ? TDM_STUN_ICE_CONTROLLING : TDM_STUN_ICE_CONTROLLED,
                       ice->tie_breaker);
    if (pending->nominating)
        tdm_stun_write_flag(&w, TDM_STUN_USE_CANDIDATE);
    tdm_stun_write_integrity(&w, g->remote_pwd, strlen(g->remote_pwd));
    tdm_stun_write_fingerprint(&w);
    return tdm_stun_end(&w);
}

static tdm_time again_after(const struct tdm_ice *ice, const struct tdm_ice_pair *pair)
{
    bool seen = ice->remotes[pair->remote].seen;

    if (pair->state != TDM_ICE_PAIR_VALID)
        return tdm_time_min(RETRY_FIRST << tdm_time_min(pair->tries - 1, 8),
                            seen ? SEEN_RETRY_MOST : RETRY_MOST);
    if (pair->tries > AGAIN_QUICK)
        return AGAIN_SLOW;
    return tdm_time_min(tdm_time_max(pair->rtt + pair->rtt / 4, AGAIN_LEAST), AGAIN_MOST);
}

static void send_check(struct tdm_ice *ice, tdm_time now, struct tdm_ice_pair *pair,
                       struct tdm_ice_out *out)
{
    struct tdm_ice_send *send = tdm_ice_new_send(out);
    struct tdm_ice_pending *pending = &pair->pending[pair->next_pending];

    pair->next_pending = (uint8_t)((pair->next_pending + 1) % TDM_ICE_PENDING_MAX);
    *pending = (struct tdm_ice_pending){
        .sent_at = now,
        .controlling = ice->controlling,
        .nominating =
            ice->controlling && pair->gen == ice->gen && (pair->nominating || pair->nominated),
    };
    tdm_ice_random(ice, pending->id, sizeof pending->id);
    pair->triggered = 0;
    if (pair->state != TDM_ICE_PAIR_VALID) {
        pair->tries = pair->state == TDM_ICE_PAIR_FAILED ? 0 : pair->tries;
        pair->state = TDM_ICE_PAIR_CHECKING;
    }
    if (pair->tries < UINT8_MAX)
        pair->tries++;
    pair->sent_at = now;
    pair->due = now + again_after(ice, pair);
    if (!tdm_ice_send_from(ice, pair->local, &ice->remotes[pair->remote].c.address, send,
                           write_check(ice, pair, pending, send))) {
        pair->state = TDM_ICE_PAIR_FAILED;
        return;
    }
    out->send_count++;
    ice->stats.checks_sent++;
    ice->pace_at = now + TDM_ICE_PACE;
}

/* Whether a valid pair that is not the path is worth its checks: the few best of its generation
 * are, and the best relayed one, which dies of other causes. */
static bool is_warm(const struct tdm_ice *ice, int pair)
{
    const struct tdm_ice_pair *p = &ice->pairs[pair];
    bool relayed = tdm_ice_is_relayed(ice, p);
    unsigned better = 0, better_relayed = 0;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *q = &ice->pairs[i];

        if (q->used && q->gen == p->gen && i != ice->path && q->state == TDM_ICE_PAIR_VALID &&
            q->priority > p->priority) {
            better++;
            better_relayed += tdm_ice_is_relayed(ice, q);
        }
    }
    return better < WARM_MAX || (relayed && better_relayed == 0);
}

/* Enough is found when a direct pair is nominated and others stand by. */
static bool has_enough(const struct tdm_ice *ice)
{
    unsigned valid = 0;
    bool nominated = false;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (p->used && p->gen == ice->gen && p->state == TDM_ICE_PAIR_VALID) {
            valid++;
            nominated |= p->nominated && !tdm_ice_is_relayed(ice, p);
        }
    }
    return nominated && valid > WARM_MAX;
}

/* Settles a pair whose time has come without a check to send: false. */
static bool wants_check(struct tdm_ice *ice, tdm_time now, int pair, bool enough)
{
    struct tdm_ice_pair *p = &ice->pairs[pair];

    if (!p->used || !ice->gens[p->gen].known || !tdm_ice_is_permitted(ice, p))
        return false;
    if (p->triggered)
        return true;
    if (now < p->due || p->state == TDM_ICE_PAIR_FAILED)
        return false;
    if (p->state == TDM_ICE_PAIR_CHECKING &&
        p->tries >= (ice->remotes[p->remote].seen ? SEEN_TRIES_MAX : TRIES_MAX)) {
        p->state = TDM_ICE_PAIR_FAILED;
        return false;
    }
    if (p->state == TDM_ICE_PAIR_VALID && pair != ice->path && !is_warm(ice, pair)) {
        p->due = TDM_NEVER;
        return false;
    }
    return p->state == TDM_ICE_PAIR_VALID || !enough;
}

/* Who is first: whoever was triggered, in order; the path's consent; then, by turns, first checks
 * and repeated ones, each in order of priority, where every fourth check goes to a relay, so that
 * dead candidates delay nobody. */
static uint64_t urgency(const struct tdm_ice *ice, int pair)
{
    const struct tdm_ice_pair *p = &ice->pairs[pair];
    uint64_t within = p->priority >> 8;
    unsigned turn = ice->checks_turn % 4;
    bool relayed = tdm_ice_is_relayed(ice, p);
    bool first = p->state == TDM_ICE_PAIR_WAITING;

    if (p->triggered)
        return UINT64_MAX - p->triggered;
    if (pair == ice->path)
        return UINT64_C(7) << 60;
    if (turn == 2 && relayed)
        return UINT64_C(6) << 60 | (uint64_t)first << 58 | within;
    return UINT64_C(4) << 60 | (uint64_t)(first == (turn != 3)) << 58 | within;
}

static int next_pair(struct tdm_ice *ice, tdm_time now)
{
    bool enough = has_enough(ice);
    uint64_t most = 0;
    int next = -1;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        if (!wants_check(ice, now, i, enough))
            continue;
        uint64_t u = urgency(ice, i);

        if (next < 0 || u > most) {
            most = u;
            next = i;
        }
    }
    return next;
}

static void wake_for_checks(struct tdm_ice *ice)
{
    bool enough = has_enough(ice);

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (p->used && p->state != TDM_ICE_PAIR_FAILED && ice->gens[p->gen].known &&
            tdm_ice_is_permitted(ice, p) && (p->state == TDM_ICE_PAIR_VALID || !enough))
            tdm_ice_wake(ice, tdm_time_max(p->due, ice->pace_at), "check");
    }
}

void tdm_ice_run_checks(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out)
{
    int next;

    if (ice->lost)
        return;
    while ((next = next_pair(ice, now)) >= 0) {
        if (now < ice->pace_at) {
            tdm_ice_wake(ice, ice->pace_at, "pace of checks");
            return;
        }
        if (!tdm_ice_new_send(out)) {
            tdm_ice_wake(ice, now, "more to send");
            return;
        }
        ice->checks_turn++;
        send_check(ice, now, &ice->pairs[next], out);
    }
    wake_for_checks(ice);
}

static void conflict(struct tdm_ice *ice, struct tdm_ice_pair *pair,
                     const struct tdm_ice_pending *pending)
{
    if (ice->controlling == pending->controlling)
        tdm_ice_set_role(ice, !pending->controlling);
    tdm_ice_trigger(ice, pair);
}

static void succeed(struct tdm_ice *ice, tdm_time now, struct tdm_ice_pair *pair,
                    const struct tdm_ice_pending *pending, const struct tdm_stun *m)
{
    uint32_t spread;

    if (pair->state != TDM_ICE_PAIR_VALID) {
        pair->state = TDM_ICE_PAIR_VALID;
        pair->valid_since = now;
    }
    tdm_ice_random(ice, (uint8_t *)&spread, sizeof spread);
    pair->answered_at = now;
    pair->tries = 0;
    pair->suspect = false;
    pair->rtt = now - pending->sent_at;
    pair->mapped = m->mapped;
    pair->due = now + CONSENT_LEAST + (tdm_time)(spread % 1024) * (CONSENT_SPREAD / 1024);
    ice->remotes[pair->remote].seen = true;
    ice->stats.checks_answered++;
    if (pair->gen == ice->gen && (pending->nominating || (!ice->controlling && pair->nominating)))
        tdm_ice_nominated(ice, pair);
}

/* The pair and the check of it that `m` answers. */
static struct tdm_ice_pending *find_pending(struct tdm_ice *ice, const struct tdm_stun *m,
                                            struct tdm_ice_pair **pair)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        struct tdm_ice_pair *p = &ice->pairs[i];

        for (unsigned k = 0; p->used && k < TDM_ICE_PENDING_MAX; k++)
            if (p->pending[k].sent_at != TDM_NEVER &&
                memcmp(p->pending[k].id, m->id, sizeof m->id) == 0) {
                *pair = p;
                return &p->pending[k];
            }
    }
    return NULL;
}

void tdm_ice_take_answer(struct tdm_ice *ice, tdm_time now, int local,
                         const struct tdm_address *from, const struct tdm_stun *m)
{
    struct tdm_ice_pair *pair;
    struct tdm_ice_pending *pending = find_pending(ice, m, &pair);

    if (!pending)
        return;
    const struct tdm_ice_gen *g = &ice->gens[pair->gen];

    if (tdm_stun_check(m, g->remote_pwd, strlen(g->remote_pwd)) != TDM_OK || ice->lost) {
        ice->stats.refused++;
        return;
    }
    /* RFC 8445 section 7.2.5.2.1: the answer comes from where the check went. */
    if (!tdm_address_equal(from, &ice->remotes[pair->remote].c.address) || pair->local != local) {
        if (pair->state != TDM_ICE_PAIR_VALID)
            pair->state = TDM_ICE_PAIR_FAILED;
        return;
    }
    struct tdm_ice_pending answered = *pending;

    pending->sent_at = TDM_NEVER;
    if (m->kind == TDM_STUN_SUCCESS && m->mapped.family != TDM_ADDRESS_NONE)
        succeed(ice, now, pair, &answered, m);
    else if (m->error_code == TDM_STUN_ROLE_CONFLICT)
        conflict(ice, pair, &answered);
    else if (pair->state != TDM_ICE_PAIR_VALID)
        pair->state = TDM_ICE_PAIR_FAILED;
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate_parts.h"

#define TELL_EVERY    (12 * TDM_MS)
#define BASE_AGE      (30 * TDM_S)
#define WAY_JUMP      (150 * TDM_MS) /* Feedback itself may have waited. */
#define SHORTER       (5 * TDM_MS)
#define BASE_NEAR     (2 * TDM_MS)
#define BACK_MAX      TDM_S
#define BASE_NEAR_MAX (8 * TDM_MS)
/* More than the packet before met and one takes; that one left so shortly before: */
#define JUMP        (20 * TDM_MS)
#define JUMP_WITHIN (50 * TDM_MS)
#define JUMP_LASTS  (5 * TDM_S) /* What took longer to stay is something else. */
#define JUMP_PIECE  (100 * TDM_MS)
#define JUMP_PIECES 5
#define JUMP_OWED   3.0
#define JUMP_MOVES  0.15 /* Of it, at most, and: */
#define JUMP_JITTER (5 * TDM_MS)

static void forget_next(struct tdm_window_rate *r, tdm_time now)
{
    r->base_next = r->rtt_next = TDM_NEVER;
    r->base_since = now;
}

/* It leads elsewhere now. */
void tdm_window_rate_forget_way(struct tdm_window_rate *r, tdm_time now)
{
    r->base = r->rtt_min = r->shorter = TDM_NEVER;
    r->back_base = r->back_next = TDM_NEVER;
    r->back = 0;
    r->run_count = 0;
    r->base_seen = now;
    r->last_sent = r->last_arrival = r->burst_sent = TDM_NEVER;
    r->burst_packets = 0;
    r->queue = r->last_queue = 0;
    r->crowded_since = r->jump.since = TDM_NEVER;
    forget_next(r, now);
}

/* Whether the other clock was set, or lies: a packet waits no longer than our clock says that it
 * took, and no way is shorter than the round trip by more than all of it. */
static bool is_another_clock(const struct tdm_window_rate *r, tdm_time way, tdm_time rtt)
{
    return r->base != TDM_NEVER && r->rtt_min != TDM_NEVER &&
           (way - r->base > rtt - r->rtt_min + WAY_JUMP || r->base - way > r->rtt_min + WAY_JUMP);
}

/* What the largest takes to leave the bottleneck. */
static tdm_time packet_time(const struct tdm_window_rate *r)
{
    return r->capacity_bps > 0 ? (tdm_time)(TDM_WINDOW_RATE_PACKET_BYTES * 8e9 / r->capacity_bps)
                               : 0;
}

/* How far above the base a packet may be that saw it: a long one takes longer than a short one by
 * itself. Among others nobody can afford to be generous. */
static tdm_time near_base(const struct tdm_window_rate *r)
{
    double packet = at_most((double)packet_time(r), (double)BASE_NEAR_MAX);

    return BASE_NEAR + (tdm_time)((1 - r->crowd) * packet);
}

/* What feedback waits on its own way; `told` is the arrival that it tells of last. */
void tdm_window_rate_learn_back(struct tdm_window_rate *r, tdm_time now, tdm_time told)
{
    tdm_time way = now - told, waits;

    if (r->back_base == TDM_NEVER || now - r->back_since > BASE_AGE) {
        r->back_base = r->back_next;
        r->back_next = TDM_NEVER;
        r->back_since = now;
    }
    r->back_next = tdm_time_min(r->back_next, way);
    r->back_base = tdm_time_min(r->back_base, way);
    waits = way - r->back_base - tdm_time_max(TELL_EVERY, r->tell_every);
    waits = tdm_time_max(tdm_time_min(waits, BACK_MAX), 0);
    r->back = tdm_time_max(waits, r->back + (waits - r->back) / 8);
}

/* One message alone may be damaged, or lie: a way that is shorter by so much needs a second. */
static bool is_doubtful(struct tdm_window_rate *r, tdm_time now, tdm_time way)
{
    bool doubtful = r->base != TDM_NEVER && way < r->base - SHORTER;

    if (doubtful && r->shorter != TDM_NEVER && now > r->doubts && way < r->shorter + SHORTER)
        doubtful = false;
    else if (doubtful && (r->shorter == TDM_NEVER || now > r->doubts)) {
        r->shorter = way;
        r->doubts = now;
    }
    if (!doubtful && way < r->base)
        r->shorter = TDM_NEVER;
    return doubtful;
}

/* The shortest way lately. In a crowd nobody sees the empty way, so what is known stays. */
void tdm_window_rate_learn_base(struct tdm_window_rate *r, tdm_time now, tdm_time way, tdm_time rtt)
{
    if (is_another_clock(r, way, rtt))
        tdm_window_rate_forget_way(r, now);
    if (is_doubtful(r, now, way))
        return;
    if (now - r->base_since > BASE_AGE && r->mode != TDM_RATE_COEXIST &&
        r->crowded_since == TDM_NEVER) {
        r->base = r->base_next;
        r->rtt_min = r->rtt_next;
        forget_next(r, now);
    }
    r->base_next = tdm_time_min(r->base_next, way);
    r->rtt_next = tdm_time_min(r->rtt_next, rtt);
    r->rtt_min = tdm_time_min(r->rtt_min, r->rtt_next);
    r->base = tdm_time_min(r->base, way);
    if (way < r->base + near_base(r))
        r->base_seen = now;
}

void tdm_window_rate_learn_jump(struct tdm_window_rate *r, tdm_time now, tdm_time sent,
                                tdm_time queue)
{
    struct tdm_window_rate_jump *j = &r->jump;

    if (r->last_sent != TDM_NEVER && sent - r->last_sent < JUMP_WITHIN &&
        queue - r->last_queue > JUMP + packet_time(r) &&
        r->last_queue < TDM_WINDOW_RATE_CALM_QUEUE) {
        *j = (struct tdm_window_rate_jump){.since = now,
                                           .level = TDM_NEVER,
                                           .low = queue,
                                           .piece = now,
                                           .capacity_bps = r->capacity_bps};
        return;
    }
    if (j->since == TDM_NEVER)
        return;
    j->low = tdm_time_min(j->low, queue);
    if (now - j->piece < JUMP_PIECE)
        return;
    tdm_time moved = j->level == TDM_NEVER ? 0 : j->low - j->level;
    double most = JUMP_MOVES * (double)j->level + (double)JUMP_JITTER;

    if (j->level == TDM_NEVER)
        j->level = j->low;
    else if ((double)moved > most || (double)moved < -most || now - j->since > JUMP_LASTS)
        j->since = TDM_NEVER;
    j->low = TDM_NEVER;
    j->piece = now;
    j->pieces++;
}

void tdm_window_rate_judge_jump(struct tdm_window_rate *r, tdm_time now, double factor)
{
    struct tdm_window_rate_jump *j = &r->jump;
    double capacity = j->capacity_bps;

    if (j->since == TDM_NEVER)
        return;
    j->owed_ms += at_most(ms_of(now - r->last_frame), 100) * (1 - factor);
    if (j->pieces < JUMP_PIECES || j->level == TDM_NEVER ||
        j->owed_ms < JUMP_OWED * ms_of(j->level) + ms_of(round_trip(r)))
        return;
    tdm_window_rate_forget_way(r, now);
    if (capacity > 0)
        tdm_window_rate_set_capacity(r, capacity); /* What was measured since was our own pace. */
}

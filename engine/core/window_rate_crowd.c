/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate_parts.h"

#include <math.h>

#define LEARN_EVERY_NS 20e6
#define STOPS_LAST     (1000 * TDM_MS)
#define CROWD_QUEUE    (70 * TDM_MS) /* Ours among themselves keep it shorter. */
#define CROWD_FOR      (2000 * TDM_MS)
#define CROWD_OWED     4.0
#define CROWD_SEEN     (1500 * TDM_MS)
#define CROWD_GONE     0.45
#define STILL          0.05 /* Of what should have gone. */
#define VERY_STILL     0.01
#define ACKED_ALONE    0.93
#define TRY_EVERY      (6 * TDM_S)
#define TRY_FOR        (500 * TDM_MS)
#define TRY_PART       0.4
#define WAY_STAYS      0.75
#define GROW_EVERY_MS  300.0
#define GROW_LONG_MS   400.0
#define SILENCE        (700 * TDM_MS) /* Beside others feedback goes on. */
#define SHARE_GROWS    2              /* Of what arrives: at most so much more leaves. */
#define SHARE_LEAST    50e3

/* What arrives, and whether that is less than what leaves the bottleneck while we are in it. */
void tdm_window_rate_learn_crowd(struct tdm_window_rate *r, tdm_time now)
{
    if (r->acked_since == TDM_NEVER)
        r->acked_since = now;
    double passed = (double)(now - r->acked_since);

    if (passed < LEARN_EVERY_NS)
        return;
    double bps = r->acked_bytes * 8e9 / passed;

    if (now - r->stopped_at < STOPS_LAST) {
        r->crowd -= r->crowd * at_most(passed / 5e8, 1);
    } else if (r->queue > 6 * TDM_MS && r->acked_bps > 0) {
        double more = r->capacity_bps / r->acked_bps;

        r->crowd += (between(0, (more - 1.08) / 0.1, 1) - r->crowd) * at_most(passed / 1e9, 1);
    } else if (r->queue < 3 * TDM_MS) {
        r->crowd -= r->crowd * at_most(passed / 2e9, 1);
    }
    r->acked_bps += (bps - r->acked_bps) * at_most(passed / 100e6, 1);
    r->acked_bytes = 0;
    r->acked_since = now;
}

/* Since the queue is long it was empty once, or stood still: nobody else fills it. */
static bool is_alone(const struct tdm_window_rate *r)
{
    return r->crowded_since != TDM_NEVER &&
           tdm_time_max(r->base_seen, r->stopped_at) > r->crowded_since;
}

/* Whether somebody else keeps the queue full: we gave up enough for it to be gone, four times over,
 * and it is not. */
void tdm_window_rate_watch_crowd(struct tdm_window_rate *r, tdm_time now, double factor)
{
    double passed = at_most(ms_of(now - r->last_frame), 100);

    if (r->queue < CROWD_QUEUE || is_alone(r)) {
        r->crowded_since = TDM_NEVER;
        if (r->mode == TDM_RATE_DELAY && r->queue < TDM_WINDOW_RATE_CALM_QUEUE)
            r->remembered_bps += (r->target_bps - r->remembered_bps) * at_most(passed / 3000, 1);
        return;
    }
    if (r->crowded_since == TDM_NEVER) {
        r->crowded_since = now;
        r->owed_ms = r->crowded_top_ms = 0;
    }
    if (now - r->heard < 700 * TDM_MS)
        r->owed_ms += passed * (1 - factor);
    r->crowded_top_ms = at_least(r->crowded_top_ms, ms_of(r->queue));
    if (r->mode != TDM_RATE_DELAY || now - r->crowded_since < CROWD_FOR ||
        r->owed_ms < CROWD_OWED * r->crowded_top_ms ||
        r->last_sent - r->crowded_since < CROWD_SEEN || /* What left before says nothing of it. */
        r->remembered_bps < (double)r->beside_bps / 2)  /* It is rather our own that fills it. */
        return;
    r->mode = TDM_RATE_COEXIST;
    r->window_bytes = r->remembered_bps / 16 * ms_of(round_trip(r) + r->queue) * 1e-3;
    r->try_at = now + TRY_EVERY;
    r->cut_at = now;
}

/* Less for half a second: does the queue go as if nobody else filled it, or not at all? */
static double try_alone(struct tdm_window_rate *r, tdm_time now)
{
    tdm_time since = now - r->try_at;
    double gone;

    if (since < 0) {
        r->try_queue = r->queue;
        if (r->acked_bps > 0.9 * r->remembered_bps && since > TDM_S - TRY_EVERY)
            r->try_at = now; /* As much as when we were alone. */
        return 1;
    }
    if (since < TRY_FOR + round_trip(r) + r->try_queue)
        return since < TRY_FOR ? TRY_PART : 1;
    if (r->last_sent < r->try_at + TRY_FOR / 2) { /* Nothing is known of it yet. */
        if (since > 4 * TRY_FOR + round_trip(r) + r->try_queue)
            r->try_at = now + TRY_EVERY;
        return 1;
    }
    gone = (double)(r->try_queue - r->queue) / ((1 - TRY_PART) * (double)TRY_FOR);
    r->try_at = now + TRY_EVERY;
    if (gone > 0.75) {
        r->mode = TDM_RATE_DELAY;
    } else if (fabs(gone) < (r->crowd < CROWD_GONE ? STILL : VERY_STILL) &&
               ms_of(r->queue) > WAY_STAYS * r->crowded_top_ms) {
        /* What does not move at all is not a queue. */
        tdm_window_rate_forget_way(r, now);
        r->mode = TDM_RATE_DELAY;
    }
    return 1;
}

/* Beside flows that only a loss stops: a window that grows by a packet a round trip. */
double tdm_window_rate_coexist(struct tdm_window_rate *r, tdm_time now)
{
    double rtt_ms = ms_of(round_trip(r) + r->queue);
    double passed = at_most(ms_of(now - r->last_frame), 100);

    /* All that leaves the bottleneck is ours: the others are gone, and the queue is ours, too. */
    bool gone = r->crowd < CROWD_GONE && r->acked_bps > ACKED_ALONE * r->capacity_bps;

    if (r->queue < TDM_WINDOW_RATE_CALM_QUEUE || is_alone(r) || gone) {
        r->mode = TDM_RATE_DELAY;
        tdm_window_rate_set_capacity(r, at_least(r->acked_bps, TDM_WINDOW_RATE_FLOOR_BPS));
        return r->acked_bps;
    }
    if (now - r->heard > SILENCE) {
        r->mode = TDM_RATE_DELAY;
        r->crowded_since = now;
        r->owed_ms = 0;
        return at_least(r->acked_bps, TDM_WINDOW_RATE_FLOOR_BPS);
    }
    /* As CUBIC: not slower for a long round trip, and in proportion where much is under way. */
    r->window_bytes += TDM_WINDOW_RATE_PACKET_BYTES * passed / at_most(rtt_ms, GROW_EVERY_MS) *
                       at_least(rtt_ms / GROW_LONG_MS, 1);
    r->window_bytes = at_least(r->window_bytes, 4 * TDM_WINDOW_RATE_PACKET_BYTES);
    return at_most(r->window_bytes * 8e3 / rtt_ms, SHARE_GROWS * r->acked_bps + SHARE_LEAST) *
           try_alone(r, now);
}

/* What is under way in an outage asks for us. */
tdm_time tdm_window_rate_alive_every(const struct tdm_window_rate *r)
{
    return r->crowded_since == TDM_NEVER && r->send_count ? 2 * TDM_WINDOW_RATE_ALIVE
                                                          : TDM_WINDOW_RATE_ALIVE;
}

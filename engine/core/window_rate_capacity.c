/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate_parts.h"

#include <math.h>
#include <string.h>

#define BUSY_QUEUE    (2 * TDM_MS) /* A packet that waited so long kept the bottleneck busy. */
#define SMALL_GROWS   1.2
#define BUSY_SLACK    (2 * TDM_MS) /* Arrivals are told in steps. */
#define SPREAD_PIECE  40e6         /* ns */
#define SPREAD_PIECES 8
#define STOPPED       (60 * TDM_MS)
#define RUN_RISE      (3 * TDM_MS)

static double possible(const struct tdm_window_rate *r, double bps)
{
    return between(TDM_WINDOW_RATE_FLOOR_BPS, bps,
                   2 * at_least((double)r->limit_bps, TDM_WINDOW_RATE_FLOOR_BPS));
}

void tdm_window_rate_set_capacity(struct tdm_window_rate *r, double bps)
{
    bps = possible(r, bps);
    r->capacity_bps = bps;
    r->busy.ns = r->tuning.memory_ms * 0.5e6;
    r->busy.bytes = bps / 8e9 * r->busy.ns;
    r->recent.ns = r->tuning.recent_ms * 0.5e6;
    r->recent.bytes = bps / 8e9 * r->recent.ns;
}

static void add_busy(struct tdm_window_rate_busy *busy, tdm_time gap, uint32_t bytes,
                     double memory_ms)
{
    double keep = 1 / (1 + ms_of(gap) / memory_ms);

    busy->bytes = busy->bytes * keep + bytes;
    busy->ns = busy->ns * keep + (double)gap;
}

/* How far the capacity wavers: of pieces of SPREAD_PIECE in which the bottleneck was busy. */
static void learn_spread(struct tdm_window_rate *r, tdm_time gap, uint32_t bytes)
{
    r->piece.bytes += bytes;
    r->piece.ns += (double)gap;
    if (r->piece.ns < SPREAD_PIECE)
        return;
    double bps = r->piece.bytes * 8e9 / r->piece.ns;
    double off = r->mean_bps > 0 ? bps - r->mean_bps : 0;

    r->mean_bps += r->mean_bps > 0 ? off / SPREAD_PIECES : bps;
    r->variance += (off * off - r->variance) / SPREAD_PIECES;
    r->piece = (struct tdm_window_rate_busy){0};
}

/* How fast packets leave the bottleneck while they stand in it. */
static void learn_busy(struct tdm_window_rate *r, tdm_time gap, uint32_t bytes)
{
    add_busy(&r->busy, gap, bytes, r->tuning.memory_ms);
    add_busy(&r->recent, gap, bytes, r->tuning.recent_ms);
    learn_spread(r, gap, bytes);
    if (r->busy.ns > 2e6)
        r->capacity_bps = possible(r, r->busy.bytes * 8e9 / r->busy.ns);
}

void tdm_window_rate_note_start(struct tdm_window_rate *r, tdm_time now)
{
    if (r->start_count == TDM_WINDOW_RATE_BURSTS) {
        r->start_head = (r->start_head + 1) & (TDM_WINDOW_RATE_BURSTS - 1);
        r->start_count--;
    }
    r->starts[(r->start_head + r->start_count++) & (TDM_WINDOW_RATE_BURSTS - 1)] = now;
}

/* Whether a burst began behind the packet before and up to this one. */
static bool is_start(struct tdm_window_rate *r, tdm_time sent)
{
    bool any = r->last_sent == TDM_NEVER;

    while (r->start_count && r->starts[r->start_head] <= sent) {
        r->start_head = (r->start_head + 1) & (TDM_WINDOW_RATE_BURSTS - 1);
        r->start_count--;
        any = true;
    }
    return any;
}

/* A burst that the bottleneck did not stretch: it has at least that much. */
void tdm_window_rate_end_burst(struct tdm_window_rate *r, tdm_time now)
{
    if (r->last_sent == TDM_NEVER || r->burst_sent == TDM_NEVER)
        return; /* The first, or the first on another way. */
    tdm_time sent = r->last_sent - r->burst_sent, came = r->last_arrival - r->burst_arrival;
    tdm_time rise = r->last_queue - r->burst_queue;
    tdm_time span = tdm_time_max(tdm_time_max(sent, came), TDM_MS);

    if (r->burst_packets < 2 || (r->burst_packets < 5 && span < 5 * TDM_MS)) {
        /* Too little to measure with; where there was no more to send it proves nothing. */
        if (r->last_queue < BUSY_QUEUE && r->queue < TDM_WINDOW_RATE_SMALL_QUEUE &&
            3 * (r->burst_bytes + r->burst_first) >= r->offered_bytes)
            tdm_window_rate_set_capacity(
                r, SMALL_GROWS * (r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps));
        return;
    }
    double bps = r->burst_bytes * 8e9 / (double)span;

    r->proved_at = now;
    if (now - r->marked_at < TDM_WINDOW_RATE_MARKS_LAST)
        return; /* Marks tell more. */

    if (rise < 3 * TDM_MS && bps > r->capacity_bps)
        tdm_window_rate_set_capacity(r, bps);
    else if (rise >= 3 * TDM_MS && r->mode == TDM_RATE_START)
        r->mode = TDM_RATE_DELAY;
}

static void begin_burst(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack,
                        tdm_time queue)
{
    tdm_window_rate_end_burst(r, now);
    r->queue += (queue - r->queue) / 2;
    r->burst_sent = ack->sent;
    r->burst_arrival = ack->arrival;
    r->burst_queue = queue;
    r->burst_bytes = r->burst_packets = 0;
    r->burst_first = ack->bytes;
}

/* At the start: the fastest run of packets within one burst, whatever leaves around them. */
static void learn_run(struct tdm_window_rate *r, const struct tdm_ack *ack, tdm_time queue,
                      bool start)
{
    struct tdm_window_rate_arrival *first = r->run;
    uint32_t bytes = 0;

    if (start)
        r->run_count = 0;
    if (r->run_count == TDM_WINDOW_RATE_RUN)
        memmove(first, first + 1, sizeof *first * --r->run_count);
    r->run[r->run_count++] = (struct tdm_window_rate_arrival){
        .sent = ack->sent, .arrival = ack->arrival, .queue = queue, .bytes = ack->bytes};
    if (r->run_count < TDM_WINDOW_RATE_RUN)
        return;
    for (int i = 1; i < TDM_WINDOW_RATE_RUN; i++)
        bytes += r->run[i].bytes;
    tdm_time span = tdm_time_max(ack->sent - first->sent, ack->arrival - first->arrival);
    double bps = bytes * 8e9 / (double)tdm_time_max(span, TDM_MS);

    if (bps > r->capacity_bps)
        tdm_window_rate_set_capacity(r, bps);
    if (queue - first->queue >= RUN_RISE)
        r->mode = TDM_RATE_DELAY; /* That was the end of the way. */
}

void tdm_window_rate_learn_arrival(struct tdm_window_rate *r, tdm_time now,
                                   const struct tdm_ack *ack)
{
    tdm_time way = ack->arrival - ack->sent;

    tdm_window_rate_learn_base(r, now, way, now - ack->sent);
    tdm_time queue = tdm_time_max(way - r->base, 0);
    tdm_time gap = r->last_arrival == TDM_NEVER ? 0 : ack->arrival - r->last_arrival;

    bool start = is_start(r, ack->sent);

    tdm_window_rate_learn_jump(r, now, ack->sent, queue);
    if (r->last_sent != TDM_NEVER &&
        queue - r->last_queue >
            STOPPED + ack->sent - r->last_sent) /* No crowd comes so suddenly. */
        r->stopped_at = now;

    /* It was there before the one before it had left, or else the bottleneck rested between them.
     * Between two bursts others may have been served: only where bursts are too small to measure
     * within them does that gap count. */
    bool busy = queue > BUSY_QUEUE && queue + BUSY_SLACK >= gap && gap >= 0 && gap < TDM_S &&
                !(start && r->burst_packets >= 1);

    if (busy && now - r->marked_at > TDM_WINDOW_RATE_MARKS_LAST)
        learn_busy(r, gap, ack->bytes);
    else if (busy)
        add_busy(&r->standing, gap, ack->bytes, r->tuning.memory_ms);
    if (r->mode == TDM_RATE_START)
        learn_run(r, ack, queue, start);
    if (start) {
        begin_burst(r, now, ack, queue);
    } else {
        r->burst_bytes += ack->bytes;
        r->burst_packets++;
    }
    r->last_queue = queue;
    r->last_sent = ack->sent;
    r->last_arrival = ack->arrival;
}

/* What the capacity may fall short of its mean by, as a part of it. What wavers because others take
 * their share is nothing to be careful about. */
double tdm_window_rate_wavering(const struct tdm_window_rate *r)
{
    if (r->mean_bps <= 0 || r->variance <= 0)
        return 0;
    return (1 - r->crowd) * at_most(sqrt(r->variance) / r->mean_bps, 1);
}

/* The capacity, or what it seems to have fallen to. */
double tdm_window_rate_lately_bps(const struct tdm_window_rate *r)
{
    double lately = r->recent.ns > 2e6 ? r->recent.bytes * 8e9 / r->recent.ns : r->capacity_bps;

    return r->mode == TDM_RATE_DELAY && lately < r->tuning.fallen * r->capacity_bps
               ? lately
               : r->capacity_bps;
}

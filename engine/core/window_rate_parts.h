/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_WINDOW_RATE_PARTS_H
#define TDM_CORE_WINDOW_RATE_PARTS_H

/*
 * What the files of the controller share, and nobody else: window_rate.c takes feedback and plans
 * frames, window_rate_way.c knows the way's length, window_rate_capacity.c how fast packets leave
 * the bottleneck, window_rate_loss.c what losses and marks say, window_rate_crowd.c how to live
 * beside others. Any of them may read all of the state; each writes its own part of it.
 */

#include "engine/core/window_rate.h"

#define TDM_WINDOW_RATE_SMALL_QUEUE  (5 * TDM_MS)
#define TDM_WINDOW_RATE_RTT_UNKNOWN  (100 * TDM_MS)
#define TDM_WINDOW_RATE_CALM_QUEUE   (25 * TDM_MS)
#define TDM_WINDOW_RATE_MARKS_LAST   (2 * TDM_S)
#define TDM_WINDOW_RATE_FLOOR_BPS    60000.0
#define TDM_WINDOW_RATE_PACKET_BYTES 1200

static inline double at_least(double a, double b)
{
    return a > b ? a : b;
}

static inline double at_most(double a, double b)
{
    return a < b ? a : b;
}

static inline double between(double low, double x, double high)
{
    return at_least(low, at_most(x, high));
}

static inline double ms_of(tdm_time t)
{
    return (double)t * 1e-6;
}

/* The shortest round trip, or what is as likely as any while none is known. */
static inline tdm_time round_trip(const struct tdm_window_rate *r)
{
    return r->rtt_min == TDM_NEVER ? TDM_WINDOW_RATE_RTT_UNKNOWN : r->rtt_min;
}

/* window_rate_way.c */

/* It leads elsewhere now. */
void tdm_window_rate_forget_way(struct tdm_window_rate *r, tdm_time now);
/* What feedback waits on its own way; `told` is the arrival that it tells of last. */
void tdm_window_rate_learn_back(struct tdm_window_rate *r, tdm_time now, tdm_time told);
/* The shortest way lately. In a crowd nobody sees the empty way, so what is known stays. */
void tdm_window_rate_learn_base(struct tdm_window_rate *r, tdm_time now, tdm_time way,
                                tdm_time rtt);

/* A packet met this queue. */
void tdm_window_rate_learn_jump(struct tdm_window_rate *r, tdm_time now, tdm_time sent,
                                tdm_time queue);
/* A queue that came all at once and stays whatever we give up is none: the way is longer. `factor`:
 * what is planned, as a part of the capacity. */
void tdm_window_rate_judge_jump(struct tdm_window_rate *r, tdm_time now, double factor);

/* window_rate_capacity.c */

/* As if that had been measured. */
void tdm_window_rate_set_capacity(struct tdm_window_rate *r, double bps);
/* A burst begins to leave. */
void tdm_window_rate_note_start(struct tdm_window_rate *r, tdm_time now);
/* A burst that the bottleneck did not stretch: it has at least that much. */
void tdm_window_rate_end_burst(struct tdm_window_rate *r, tdm_time now);
/* A packet that came, in the order of sending. */
void tdm_window_rate_learn_arrival(struct tdm_window_rate *r, tdm_time now,
                                   const struct tdm_ack *ack);
/* What the capacity may fall short of its mean by, as a part of it. */
double tdm_window_rate_wavering(const struct tdm_window_rate *r);
/* The capacity, or what it seems to have fallen to. */
double tdm_window_rate_lately_bps(const struct tdm_window_rate *r);

/* window_rate_loss.c */

/* Whether nothing came for a while before this packet. */
void tdm_window_rate_note_gap(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack);
void tdm_window_rate_take_loss(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack);
/* Loss without a queue: of the way itself, or a policer's? */
void tdm_window_rate_judge_loss(struct tdm_window_rate *r, tdm_time now);
/* Once a round trip: less by half of the marked part, or a little more. */
void tdm_window_rate_follow_marks(struct tdm_window_rate *r, tdm_time now);

/* window_rate_crowd.c */

/* What arrives, and whether others use the bottleneck, too. */
void tdm_window_rate_learn_crowd(struct tdm_window_rate *r, tdm_time now);
/* Whether somebody else keeps the queue full. `factor`: of its share that is sent now. */
void tdm_window_rate_watch_crowd(struct tdm_window_rate *r, tdm_time now, double factor);
/* The rate beside flows that only a loss stops. */
double tdm_window_rate_coexist(struct tdm_window_rate *r, tdm_time now);
/* How often a frame leaves although the way is full. */
tdm_time tdm_window_rate_alive_every(const struct tdm_window_rate *r);

#endif

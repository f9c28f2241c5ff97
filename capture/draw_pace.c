/* SPDX-License-Identifier: MIT */
#include "capture/draw_pace.h"

#define EARLY        (2 * TDM_MS)   /* A draw this much before its turn is taken at once. */
#define ONE_DRAW     (4 * TDM_MS)   /* Draws so near to each other make one picture. */
#define STEADY       3              /* So many draws at one interval, and the next is expected. */
#define PATIENCE     (6 * TDM_MS)   /* How long a picture waits for an expected draw, */
#define LATE         (2 * TDM_MS)   /* which may be late by this. */
#define SHARPEN      (400 * TDM_MS) /* After the last draw: still at the frame rate, */
#define STILL_PERIOD (200 * TDM_MS) /* then so often. */

void tdm_draw_pace_init(struct tdm_draw_pace *p, tdm_time period, bool told)
{
    *p = (struct tdm_draw_pace){.period = period, .told = told};
}

void tdm_draw_pace_drawn(struct tdm_draw_pace *p, tdm_time now)
{
    tdm_time gap = now - p->drawn;
    tdm_time off = gap - p->interval;

    p->pending = true;
    if (p->drawn && gap < ONE_DRAW)
        return;
    if (p->drawn && off < p->interval / 4 && off > -p->interval / 4) {
        p->steady = p->steady < STEADY ? (uint8_t)(p->steady + 1) : STEADY;
        p->interval += off / 8;
    } else {
        p->steady = 0;
        p->interval = p->drawn ? gap : 0;
    }
    p->drawn = now;
}

/* The expected draw behind `ready`, if it comes within `patience`; else `ready`. */
static tdm_time expected(const struct tdm_draw_pace *p, tdm_time ready, tdm_time patience)
{
    if (p->steady < STEADY || p->interval > 2 * p->period)
        return ready;
    tdm_time draws = (ready - p->drawn + p->interval - 1) / p->interval;
    tdm_time next = p->drawn + (draws > 0 ? draws : 1) * p->interval;

    return next - ready <= patience ? next + LATE : ready;
}

tdm_time tdm_draw_pace_due(const struct tdm_draw_pace *p)
{
    tdm_time ready = p->taken + p->period - (p->told ? EARLY : 0);

    if (!p->told)
        return ready;
    if (p->pending)
        return p->drawn >= ready ? p->drawn : expected(p, ready, PATIENCE);
    /* The same picture again can wait for the next one. */
    if (p->taken - p->drawn < SHARPEN)
        return expected(p, p->taken + p->period, 2 * p->period);
    return p->taken + STILL_PERIOD;
}

void tdm_draw_pace_taken(struct tdm_draw_pace *p, tdm_time now)
{
    bool ticks = !p->told && now - p->taken < 2 * p->period;

    p->pending = false;
    p->taken =
        ticks ? p->taken + p->period : now; /* A steady tick is kept unless one was missed. */
}

/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_DRAW_PACE_H
#define TDM_CAPTURE_DRAW_PACE_H

/*
 * When to take the next picture of a screen that tells when something was drawn on it: right behind
 * a draw, but not more often than the frame rate. Content that is drawn steadily (a film, an
 * animation) is taken behind the draw that comes when the frame rate allows the next picture, not
 * with what was drawn half a period before. A still screen is taken at the frame rate a little
 * longer, while the encoder sharpens it, and then a few times a second. Pure: time is passed in.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

/** Owned by the source. */
struct tdm_draw_pace {
    tdm_time period;   /* Of the frame rate. */
    bool told;         /* Draws are told; else the frame rate ticks. */
    bool pending;      /* Something was drawn since the last picture. */
    tdm_time taken;    /* The last picture, */
    tdm_time drawn;    /* and the last draw; 0: none yet. */
    tdm_time interval; /* Between draws. */
    uint8_t steady;    /* How many draws in a row have kept to it. */
};

void tdm_draw_pace_init(struct tdm_draw_pace *p, tdm_time period, bool told);

/** Something was drawn. Several draws within a few milliseconds are one. */
void tdm_draw_pace_drawn(struct tdm_draw_pace *p, tdm_time now);

/** When the next picture is due, as far as is known now; in the past: at once. */
tdm_time tdm_draw_pace_due(const struct tdm_draw_pace *p);

/** A picture is taken at `now`. */
void tdm_draw_pace_taken(struct tdm_draw_pace *p, tdm_time now);

#endif

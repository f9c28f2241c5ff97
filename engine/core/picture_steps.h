/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PICTURE_STEPS_H
#define TDM_CORE_PICTURE_STEPS_H

/*
 * Decides how large pictures are and how many a second are coded, so that each is worth looking at
 * for what the way gives: a ladder from the user's own size and rate (never more) down to a quarter
 * of each side and a third of the rate. A camera gives up size before rate, a screen rate alone.
 *
 * Down within a second, to where the rate is enough; up a step or more, when the rate would be
 * enough by half again and has been for some seconds. An ascent that did not last makes the next
 * one wait twice as long. What a pixel needs is learnt a little: a picture that leaves much of its
 * budget needs less, one that is dropped or does not fit needs more.
 *
 * It scales and drops nothing itself. Owned by the encode thread.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_PICTURE_LEVELS_MAX 8

enum tdm_picture_why {
    TDM_PICTURE_WHOLE,   /* As the user wants it. */
    TDM_PICTURE_BY_RATE, /* The way gives no more. */
    TDM_PICTURE_BY_TIME, /* The encoder is not fast enough. */
};

struct tdm_picture_level {
    int width, height;
    uint32_t fps;
};

struct tdm_picture_steps_config {
    int width, height; /* At most; even. */
    uint32_t fps;      /* At most; 1 or more. */
    bool screen;       /* Text is to stay readable: the size stays. */
};

/** What is known when a picture has been captured. */
struct tdm_picture_steps_in {
    uint64_t bps; /* That pictures may have, without headers. */
    /* Of the last picture that was to be coded: */
    bool coded;     /* There was one since the step before. */
    bool dropped;   /* The encoder dropped it to keep its budget. */
    double fill;    /* Its bytes as a share of its budget. */
    tdm_time spent; /* What coding it took. */
};

struct tdm_picture_steps_out {
    bool code;   /* This picture's turn: the rate of pictures leaves it in. */
    bool resize; /* The size is another one than at the step before. */
    struct tdm_picture_level level;
    enum tdm_picture_why why;
};

struct tdm_picture_steps {
    struct tdm_picture_level levels[TDM_PICTURE_LEVELS_MAX];
    int count, at;
    uint32_t fps; /* Of the source. */
    enum tdm_picture_why why;
    double bps;  /* Smoothed. */
    double need; /* Of a pixel, as a share of the usual. */
    double fill; /* Smoothed. */
    double busy; /* Coding time as a share of the time between pictures, smoothed. */
    tdm_time stepped_at, low_since, slow_since, high_since; /* TDM_NEVER: it is not so. */
    tdm_time changed_at;                                    /* TDM_NEVER: not yet. */
    bool rose;                                              /* The last change was upwards. */
    tdm_time rise_wait; /* How long the rate must have been enough. */
    tdm_time due;       /* Of the next picture that is coded. */
};

void tdm_picture_steps_init(struct tdm_picture_steps *s,
                            const struct tdm_picture_steps_config *config);

/** For each captured picture; `now` is when it was captured. */
void tdm_picture_steps_step(struct tdm_picture_steps *s, tdm_time now,
                            const struct tdm_picture_steps_in *in,
                            struct tdm_picture_steps_out *out);

#endif

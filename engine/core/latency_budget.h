/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_LATENCY_BUDGET_H
#define TDM_CORE_LATENCY_BUDGET_H

/*
 * Divides the latency budget of a call (`--budget 120ms`) among the stages of a picture and of a
 * packet of sound, and says when it is not held, by which stage, and for how long: the stage that
 * is furthest above its share while the whole is above the budget. Whether a whole is one is told
 * by most of what came in the last half second, so that one late picture is no news.
 *
 * It judges what is received. What a stage does about its share is that stage's affair: the
 * pacer's and the queue's in call_rate.h, the sound's in playout.h.
 *
 * One a call; owned by the control thread.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_BUDGET_STAGES 8

enum tdm_budget_kind { TDM_BUDGET_PICTURE, TDM_BUDGET_SOUND, TDM_BUDGET_KINDS };

/** In the order of engine/latency.h's stages; a sound has the first three. */
struct tdm_latency_budget_in {
    enum tdm_budget_kind kind;
    tdm_time stages[TDM_BUDGET_STAGES]; /* They add up to the whole. */
};

struct tdm_latency_budget_out {
    bool broken, held; /* It is so since this step. */
    tdm_time after;    /* held: how long it was not. */
};

struct tdm_latency_budget_line {
    bool known, broken;
    double over;                       /* The part that was over lately. */
    tdm_time at;                       /* Of the last step, */
    tdm_time since;                    /* and since when it is broken. */
    tdm_time means[TDM_BUDGET_STAGES]; /* Lately. */
    uint8_t stage;                     /* That breaks it, or broke it last. */
    uint32_t times;
    tdm_time over_time, stage_times[TDM_BUDGET_STAGES];
};

struct tdm_latency_budget {
    tdm_time budget; /* 0: none is set, nothing is judged. */
    struct tdm_latency_budget_line lines[TDM_BUDGET_KINDS];
};

void tdm_latency_budget_init(struct tdm_latency_budget *b, tdm_time budget);

void tdm_latency_budget_step(struct tdm_latency_budget *b, tdm_time now,
                             const struct tdm_latency_budget_in *in,
                             struct tdm_latency_budget_out *out);

/** What of a budget is for a stage, and the sum of the stages' means lately. */
tdm_time tdm_latency_budget_share(tdm_time budget, enum tdm_budget_kind kind, uint8_t stage);
tdm_time tdm_latency_budget_whole(const struct tdm_latency_budget_line *line);

/** Most that sound may wait in the playout for the budget's sake. */
tdm_time tdm_latency_budget_playout(tdm_time budget);

#endif

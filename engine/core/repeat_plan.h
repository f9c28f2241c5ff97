/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_REPEAT_PLAN_H
#define TDM_CORE_REPEAT_PLAN_H

/*
 * How often a packet leaves that is asked for again. As long as another request can be answered in
 * time, once: most repetitions arrive. When this one is the last that comes in time, or the picture
 * is late already and each round trip more shows, so often that all but surely one arrives; apart
 * from each other, so that one burst does not take all.
 */

#include "engine/core/repair_plan.h"

#define TDM_REPEAT_MOST 4

struct tdm_repeat_plan {
    uint8_t times; /* 1 to TDM_REPEAT_MOST. */
    tdm_time gap;  /* Between two of them. */
};

/** `left`: until the last moment at which the packet may leave to be in time; negative: it passed.
 */
void tdm_repeat_plan_make(struct tdm_repeat_plan *plan, const struct tdm_repair_path *path,
                          tdm_time left);

/** What repetitions beyond the first may cost: a part of what is sent. */
struct tdm_repeat_budget {
    double packets;
};

/** A packet left for the first time. */
void tdm_repeat_budget_sent(struct tdm_repeat_budget *budget);
/** Cuts the plan to what may be spent, and takes that. */
void tdm_repeat_budget_spend(struct tdm_repeat_budget *budget, struct tdm_repeat_plan *plan);

#endif

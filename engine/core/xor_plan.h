/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_XOR_PLAN_H
#define TDM_CORE_XOR_PLAN_H

/*
 * How many repairs of xor_code.h a block of packets gets: repair_plan.h's question for the weaker
 * code. A block is a picture, or so many pictures that it gets one repair; what of it cannot be
 * mended is asked for again, or costs a keyframe. Of two losses in one repair none is mended, so
 * that it needs more than the window does, and at most as many repairs as a row of losses is long
 * help against rows.
 */

#include "engine/core/repair_plan.h"

struct tdm_xor_plan {
    double part; /* Repairs a packet; 0: none. */
    /* As estimated. */
    double cost, stalls, late;
};

/** The cheapest that keeps `means->stalls` and `means->late`; when none does, the one with the
 *  fewest stalls of those that `means->most` pays for. `means->code` and `refer` are not looked at.
 */
void tdm_xor_plan_make(struct tdm_xor_plan *plan, const struct tdm_repair_path *path,
                       const struct tdm_repair_means *means);

#endif

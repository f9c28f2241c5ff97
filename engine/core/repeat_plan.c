/* SPDX-License-Identifier: MIT */
#include "engine/core/repeat_plan.h"

#define MISSED      0.005 /* Part of the packets asked for that may not arrive in time. */
#define LOSS_MAX    0.5
#define GAPS        2 /* Mean bursts between two repetitions. */
#define GAP_MAX     (60 * TDM_MS)
#define BUDGET_PART 0.1
#define BUDGET_MAX  64 /* Packets. */

/* Tries that are answered in time, this one with them; a request is made anew after a round trip
 * and a quarter (nack.h). */
static uint32_t tries_in(const struct tdm_repair_path *path, tdm_time left)
{
    tdm_time each = path->rtt + path->rtt / 4;

    if (left < 0 || each <= 0)
        return 1;
    return left / each < TDM_REPEAT_MOST ? (uint32_t)(left / each) + 1 : TDM_REPEAT_MOST;
}

void tdm_repeat_plan_make(struct tdm_repeat_plan *plan, const struct tdm_repair_path *path,
                          tdm_time left)
{
    double loss = path->loss < LOSS_MAX ? path->loss : LOSS_MAX, missed = 1;

    *plan = (struct tdm_repeat_plan){.times = 1};
    for (uint32_t i = tries_in(path, left); i > 0; i--)
        missed *= loss;
    while (missed > MISSED && plan->times < TDM_REPEAT_MOST) {
        missed *= loss;
        plan->times++;
    }
    if (path->burst <= 1 || plan->times == 1)
        return;
    plan->gap = tdm_time_min(path->burst_time * GAPS, GAP_MAX);
    if (left > 0) /* Earlier in the same burst is better than too late. */
        plan->gap = tdm_time_min(plan->gap, left / (plan->times - 1));
}

void tdm_repeat_budget_sent(struct tdm_repeat_budget *budget)
{
    if (budget->packets < BUDGET_MAX)
        budget->packets += BUDGET_PART;
}

void tdm_repeat_budget_spend(struct tdm_repeat_budget *budget, struct tdm_repeat_plan *plan)
{
    if (plan->times > budget->packets + 1)
        plan->times = (uint8_t)(budget->packets + 1);
    budget->packets -= plan->times - 1;
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/latency_budget.h"

#define LATELY      (500 * TDM_MS)
#define BROKEN_OVER 0.6
#define HELD_OVER   0.2
#define GAP_MAX     TDM_S /* What comes later than this says nothing of the time between. */
#define PLAYOUT_MIN (20 * TDM_MS)
#define PERCENT     100

static const uint8_t shares[TDM_BUDGET_KINDS][TDM_BUDGET_STAGES] = {
    /* capture, encode, send, network, assemble, wait, decode, present */
    [TDM_BUDGET_PICTURE] = {5, 15, 15, 35, 10, 4, 8, 8},
    /* frame and encode, send and network, playout */
    [TDM_BUDGET_SOUND] = {20, 40, 40},
};

void tdm_latency_budget_init(struct tdm_latency_budget *b, tdm_time budget)
{
    *b = (struct tdm_latency_budget){.budget = budget};
}

tdm_time tdm_latency_budget_share(tdm_time budget, enum tdm_budget_kind kind, uint8_t stage)
{
    return budget / PERCENT * shares[kind][stage];
}

tdm_time tdm_latency_budget_whole(const struct tdm_latency_budget_line *line)
{
    tdm_time whole = 0;

    for (int i = 0; i < TDM_BUDGET_STAGES; i++)
        whole += line->means[i];
    return whole;
}

tdm_time tdm_latency_budget_playout(tdm_time budget)
{
    /* Beside a near path the sound may have what the network does not take. */
    tdm_time most = tdm_latency_budget_share(budget, TDM_BUDGET_SOUND, 1) +
                    tdm_latency_budget_share(budget, TDM_BUDGET_SOUND, 2);

    return tdm_time_max(most, PLAYOUT_MIN);
}

static void follow(struct tdm_latency_budget_line *line, const tdm_time *stages, double part)
{
    for (int i = 0; i < TDM_BUDGET_STAGES; i++)
        line->means[i] =
            line->known ? line->means[i] + (tdm_time)((double)(stages[i] - line->means[i]) * part)
                        : stages[i];
    line->known = true;
}

static uint8_t worst_of(const struct tdm_latency_budget *b, enum tdm_budget_kind kind)
{
    const struct tdm_latency_budget_line *line = &b->lines[kind];
    tdm_time most = INT64_MIN;
    uint8_t worst = 0;

    for (uint8_t i = 0; i < TDM_BUDGET_STAGES; i++) {
        tdm_time above = line->means[i] - tdm_latency_budget_share(b->budget, kind, i);

        if (above > most) {
            most = above;
            worst = i;
        }
    }
    return worst;
}

void tdm_latency_budget_step(struct tdm_latency_budget *b, tdm_time now,
                             const struct tdm_latency_budget_in *in,
                             struct tdm_latency_budget_out *out)
{
    struct tdm_latency_budget_line *line = &b->lines[in->kind];
    tdm_time passed = line->known ? tdm_time_max(now - line->at, 0) : 0;
    double part = passed < LATELY ? (double)passed / (double)LATELY : 1;
    tdm_time whole = 0;

    *out = (struct tdm_latency_budget_out){0};
    if (!b->budget)
        return;
    for (int i = 0; i < TDM_BUDGET_STAGES; i++)
        whole += in->stages[i];
    follow(line, in->stages, part);
    line->over += ((whole > b->budget) - line->over) * part;
    line->at = now;
    if (line->broken) {
        tdm_time lasted = tdm_time_min(passed, GAP_MAX);

        line->over_time += lasted;
        line->stage_times[line->stage] += lasted;
    }
    if (!line->broken && line->over > BROKEN_OVER && tdm_latency_budget_whole(line) > b->budget) {
        line->broken = out->broken = true;
        line->since = now;
        line->times++;
    } else if (line->broken && line->over < HELD_OVER) {
        line->broken = false;
        out->held = true;
        out->after = now - line->since;
    }
    if (line->broken)
        line->stage = worst_of(b, in->kind);
}

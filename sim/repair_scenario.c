/* SPDX-License-Identifier: MIT */
#include "sim/repair_scenario.h"

#define NO_FREEZE   0.005 /* Per cent: what is none when two digits are printed. */
#define LATE_MOST   35    /* ms, everywhere: V6. */
#define ASK_TWICE   5     /* Peers, by their places. */
#define BACK_LOST   6
#define OF_OVERHEAD 0.97 /* What is planned is not met to the per cent. */
#define CHAINS      60   /* As many as anybody wants. */

#define GOALS(freeze, overhead)                                                                    \
    {                                                                                              \
        {TDM_REPAIR_FREEZE, false, (freeze) > 0 ? (freeze) : NO_FREEZE},                           \
            {TDM_REPAIR_OVERHEAD, false, overhead}, {TDM_REPAIR_LATE, false, LATE_MOST},           \
    }

static const struct tdm_repair_scenario scenarios[] = {
    {"V1", "random-1-50", "1 % of the packets lost, each by itself, 50 ms there and back", 0.01, 1,
     50 * TDM_MS, GOALS(0, 8)},
    {"V1", "random-1-100", "1 % of the packets lost, each by itself, 100 ms there and back", 0.01,
     1, 100 * TDM_MS, GOALS(0, 12)},
    {"V1", "random-1-200", "1 % of the packets lost, each by itself, 200 ms there and back", 0.01,
     1, 200 * TDM_MS, GOALS(0.05, 22)},
    {"V2", "random-5-50", "5 % of the packets lost, each by itself, 50 ms there and back", 0.05, 1,
     50 * TDM_MS, GOALS(0, 25)},
    {"V2", "random-5-100", "5 % of the packets lost, each by itself, 100 ms there and back", 0.05,
     1, 100 * TDM_MS, GOALS(0.05, 25)},
    {"V2", "random-5-200", "5 % of the packets lost, each by itself, 200 ms there and back", 0.05,
     1, 200 * TDM_MS, GOALS(0.1, 25)},
    {"V3", "random-10-200", "10 % of the packets lost, each by itself, 200 ms there and back", 0.1,
     1, 200 * TDM_MS, GOALS(0.3, 35)},
    {"V4", "bursts-2-50", "2 % of the packets lost, in rows of 6, 50 ms there and back", 0.02, 6,
     50 * TDM_MS, GOALS(0, 30)},
    {"V4", "bursts-2-100", "2 % of the packets lost, in rows of 6, 100 ms there and back", 0.02, 6,
     100 * TDM_MS, GOALS(0, 30)},
    {"V4", "bursts-2-200", "2 % of the packets lost, in rows of 6, 200 ms there and back", 0.02, 6,
     200 * TDM_MS, GOALS(0.3, 30)},
    {"V5", "bursts-5-50", "5 % of the packets lost, in rows of 6, 50 ms there and back", 0.05, 6,
     50 * TDM_MS, GOALS(0, 35)},
    {"V5", "bursts-5-100", "5 % of the packets lost, in rows of 6, 100 ms there and back", 0.05, 6,
     100 * TDM_MS, GOALS(0.05, 35)},
    {"V5", "bursts-5-200", "5 % of the packets lost, in rows of 6, 200 ms there and back", 0.05, 6,
     200 * TDM_MS, GOALS(0.7, 35)},
};

/* "parity": we, for an encoder that takes no references. "ask": requests alone; "ask-held": and all
 * is shown a round trip later; "block": parity of 20 % in each frame, and keyframes. "ask-twice":
 * we with somebody who knows requests alone. "back-lost": we, and what the receiver says is lost as
 * often as what it gets. */
const char *const tdm_repair_peers[TDM_REPAIR_PEERS] = {
    "tandem", "tandem-parity", "ask", "ask-held", "block", "ask-twice", "back-lost"};

static const enum tdm_repair_policy policies[TDM_REPAIR_PEERS] = {
    TDM_REPAIR_OURS,  TDM_REPAIR_OURS, TDM_REPAIR_ASK, TDM_REPAIR_ASK_HELD,
    TDM_REPAIR_BLOCK, TDM_REPAIR_ASK,  TDM_REPAIR_OURS};

uint32_t tdm_repair_scenario_count(void)
{
    return sizeof scenarios / sizeof *scenarios;
}

const struct tdm_repair_scenario *tdm_repair_scenario_at(uint32_t index)
{
    assert(index < tdm_repair_scenario_count());
    return &scenarios[index];
}

static double late_ms(const struct tdm_histogram *h)
{
    return (double)tdm_histogram_quantile(h, 0.95) / (double)TDM_MS;
}

void tdm_repair_scenario_run(void *storage, const struct tdm_repair_scenario *scenario,
                             uint32_t peer, uint64_t seed, uint32_t frames,
                             double figures[TDM_REPAIR_FIGURES], struct tdm_repair_result *result)
{
    const struct tdm_repair_world_config config = {
        .seed = seed,
        .frames = frames,
        .loss = scenario->loss,
        .burst = scenario->burst,
        .rtt = scenario->rtt,
        .policy = policies[peer],
        .chains = peer == 0 || peer == BACK_LOST ? CHAINS : 0,
        .repeat = peer <= 1 || peer >= ASK_TWICE,
        .back_loses = peer == BACK_LOST,
        .most = scenario->goals[1].value / 100 * OF_OVERHEAD,
        .stalls = scenario->goals[0].value / 200,
    };

    tdm_repair_world_run(storage, &config, result);
    figures[TDM_REPAIR_FREEZE] = tdm_repair_freeze(result);
    figures[TDM_REPAIR_OVERHEAD] = tdm_repair_overhead(result);
    figures[TDM_REPAIR_LATE] = late_ms(&result->decoded_late);
    figures[TDM_REPAIR_SHOWN_LATE] = late_ms(&result->late);
    figures[TDM_REPAIR_SHOWN] = 100.0 * (double)result->shown / (double)result->frames;
}

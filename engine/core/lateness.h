/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_LATENESS_H
#define TDM_CORE_LATENESS_H

/*
 * How much delay the arrivals ask for. Each packet reports its lateness: the delay with which it
 * would just have been in time. The numbers share an arbitrary origin. Histograms of 1 ms buckets
 * with several memories give quantiles; each pair of a memory and a quantile is an expert, a
 * playout that we could have been. All of them are simulated on the same arrivals and pay for
 * their delay and for what they would have concealed; the cheapest one is followed.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_LATENESS_BUCKETS   2048 /* A power of two; 1 ms each. */
#define TDM_LATENESS_MEMORIES  3
#define TDM_LATENESS_QUANTILES 5
#define TDM_LATENESS_EXPERTS   (TDM_LATENESS_MEMORIES * TDM_LATENESS_QUANTILES)

/* A packet later than this quantile of the shortest memory and then some is a gap that looms. */
#define TDM_LATENESS_USUAL   1
#define TDM_LATENESS_WARNING (4 * TDM_MS)

/** A quantile that follows its histogram: the bucket, and the weight of all buckets below it. */
struct tdm_lateness_mark {
    int64_t bucket;
    double below;
};

/** Exponentially forgetting histogram. */
struct tdm_lateness_memory {
    double weight[TDM_LATENESS_BUCKETS]; /* Of bucket b at b modulo the size. */
    double total, unit;                  /* Newer arrivals weigh more: unit grows. */
    struct tdm_lateness_mark marks[TDM_LATENESS_QUANTILES];
};

struct tdm_lateness_expert {
    tdm_time delay; /* Where this playout would stand now. */
    double cost_ms; /* Mean of delay and the price of concealment over the last minutes. */
};

/** Owned by the playout. */
struct tdm_lateness {
    struct tdm_lateness_memory memories[TDM_LATENESS_MEMORIES];
    struct tdm_lateness_expert experts[TDM_LATENESS_EXPERTS];
    int64_t lowest; /* Buckets lowest .. lowest + BUCKETS - 1 are represented. */
    uint32_t followed;
    uint64_t count;
    tdm_time seen; /* Summed duration of what has arrived. */
};

void tdm_lateness_init(struct tdm_lateness *l);

/** One packet of the given duration (> 0). */
void tdm_lateness_add(struct tdm_lateness *l, tdm_time late, tdm_time duration);

/** The path became faster or slower by `by` for good: what was learned moves with it. */
void tdm_lateness_shift(struct tdm_lateness *l, tdm_time by);

/** The delay to aim at, on the same origin. Only after the first add. */
tdm_time tdm_lateness_target(const struct tdm_lateness *l);

/** Quantile `index` (0: 0.9, rising) of the shortest memory. Only after the first add. */
tdm_time tdm_lateness_recent(const struct tdm_lateness *l, uint32_t index);

#endif

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
#define TDM_LATENESS_MEMORIES  5
#define TDM_LATENESS_CALM      4 /* The memory that leaves out what came in stalls. */
#define TDM_LATENESS_QUANTILES 7
#define TDM_LATENESS_HOLDS     6
#define TDM_LATENESS_EXPERTS   (TDM_LATENESS_CALM * TDM_LATENESS_QUANTILES + 2 * TDM_LATENESS_HOLDS)
#define TDM_LATENESS_STALLS    8

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

/** The stalls of the path: nothing passes for a while, then all at once. Times as `seen`. */
struct tdm_lateness_stalls {
    bool stalled;
    tdm_time ended, lasts;
    tdm_time apart[TDM_LATENESS_STALLS]; /* From one to the next, the latest few. */
    uint32_t count;
    tdm_time rest; /* After a stall none has come for so long. */
};

/** Owned by the playout. */
struct tdm_lateness {
    struct tdm_lateness_memory memories[TDM_LATENESS_MEMORIES];
    struct tdm_lateness_expert experts[TDM_LATENESS_EXPERTS];
    struct tdm_lateness_stalls stalls;
    int64_t lowest; /* Buckets lowest .. lowest + BUCKETS - 1 are represented. */
    uint32_t followed;
    tdm_time least; /* Lateness of the fastest, rising by 1 ms a second. */
    double lost;    /* Share of the packets that never come. */
    double healed;  /* Share of the packets that the one behind them carries, too. */
    uint64_t count;
    tdm_time seen; /* Summed duration of what has arrived. */
};

void tdm_lateness_init(struct tdm_lateness *l);

/**
 * One packet of the given duration (> 0).
 *
 * @param overtaken  A later packet has come before it: a playout would not have waited for it.
 */
void tdm_lateness_add(struct tdm_lateness *l, tdm_time late, tdm_time duration, bool overtaken);

/** The share of the packets that never come, or come as repairs of others at best. */
void tdm_lateness_lose(struct tdm_lateness *l, double share);

/** One more packet: does it carry the one before it? Who comes too late then costs less. */
void tdm_lateness_heal(struct tdm_lateness *l, bool heals);

/** The path became faster or slower by `by` for good: what was learned moves with it. */
void tdm_lateness_shift(struct tdm_lateness *l, tdm_time by);

/** The delay to aim at, on the same origin. Only after the first add. */
tdm_time tdm_lateness_target(const struct tdm_lateness *l);

/** Quantile `index` (0: 0.9, rising) of the shortest memory. Only after the first add. */
tdm_time tdm_lateness_recent(const struct tdm_lateness *l, uint32_t index);

#endif

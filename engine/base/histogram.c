/* SPDX-License-Identifier: MIT */
#include "engine/base/histogram.h"

#include <string.h>

#define STEPS 32u

/* Values under 32 us have a bucket each; above, 32 buckets an octave. */
static unsigned bucket_of(tdm_time value)
{
    uint64_t us = value < 0 ? 0 : (uint64_t)(value / TDM_US);

    if (us < STEPS)
        return (unsigned)us;
    unsigned octave = 63u - (unsigned)__builtin_clzll(us) - 5u;
    unsigned bucket = (octave + 1) * STEPS + (unsigned)(us >> octave) - STEPS;

    return bucket < TDM_HISTOGRAM_BUCKETS ? bucket : TDM_HISTOGRAM_BUCKETS - 1;
}

/* Middle of a bucket. */
static tdm_time value_of(unsigned bucket)
{
    if (bucket < STEPS)
        return (tdm_time)bucket * TDM_US + TDM_US / 2;
    unsigned octave = bucket / STEPS - 1;
    uint64_t low = (uint64_t)(STEPS + bucket % STEPS) << octave;

    return (tdm_time)low * TDM_US + ((tdm_time)TDM_US << octave) / 2;
}

void tdm_histogram_init(struct tdm_histogram *h)
{
    memset(h, 0, sizeof *h);
}

void tdm_histogram_add(struct tdm_histogram *h, tdm_time value)
{
    h->buckets[bucket_of(value)]++;
    if (!h->count || value < h->min)
        h->min = value;
    if (!h->count || value > h->max)
        h->max = value;
    h->count++;
    h->sum_ns += (double)value;
}

tdm_time tdm_histogram_quantile(const struct tdm_histogram *h, double q)
{
    if (!h->count)
        return 0;
    uint64_t rank = (uint64_t)(q * (double)(h->count - 1));
    uint64_t seen = 0;

    for (unsigned i = 0; i < TDM_HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > rank) {
            tdm_time value = value_of(i);

            return value < h->min ? h->min : value > h->max ? h->max : value;
        }
    }
    return h->max;
}

tdm_time tdm_histogram_mean(const struct tdm_histogram *h)
{
    return h->count ? (tdm_time)(h->sum_ns / (double)h->count) : 0;
}

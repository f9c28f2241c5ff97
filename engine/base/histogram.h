/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_HISTOGRAM_H
#define TDM_BASE_HISTOGRAM_H

/*
 * Log-linear histogram of durations from 1 us to about an hour: 32 steps an octave, so a quantile
 * is right within 3.2 %. Fixed size, no allocation; one writer. Negative values count as 0.
 */

#include "engine/base/time.h"

#include <stdint.h>

#define TDM_HISTOGRAM_BUCKETS (32 * 28)

struct tdm_histogram {
    uint32_t buckets[TDM_HISTOGRAM_BUCKETS];
    uint64_t count;
    tdm_time min, max;
    double sum_ns;
};

void tdm_histogram_init(struct tdm_histogram *h);
void tdm_histogram_add(struct tdm_histogram *h, tdm_time value);

/** The value below which the fraction `q` (0..1) of the samples lie; 0 when empty. */
tdm_time tdm_histogram_quantile(const struct tdm_histogram *h, double q);

/** Mean, or 0 when empty. */
tdm_time tdm_histogram_mean(const struct tdm_histogram *h);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_SERIES_H
#define TDM_MEASURE_SERIES_H

/*
 * A list of measured values and what can be said about it: quantiles, and an interval in which the
 * median lies with 95 % confidence. Nothing is assumed about how the values are distributed; times
 * never are normal.
 */

#include <stdbool.h>
#include <stddef.h>

struct tdm_series {
    double *values; /* In the order of adding. */
    size_t count, capacity;
};

struct tdm_summary {
    size_t count;
    double min, p50, p95, p99, max, mean;
    double ci_low, ci_high; /* Of the median; the range where there are fewer than 6 values. */
};

/** False when there is no memory: the value is left out. Zero-init first. */
bool tdm_series_add(struct tdm_series *series, double value);
void tdm_series_free(struct tdm_series *series);

/** All zero for an empty series; false, and all zero, when there is no memory. */
bool tdm_series_summarize(const struct tdm_series *series, struct tdm_summary *summary);

/** The value below which the fraction `q` (0..1) of `count` sorted values lies, interpolated
 *  between the two nearest. `count` > 0. */
double tdm_quantile(const double *sorted, size_t count, double q);

#endif

/* SPDX-License-Identifier: MIT */
#include "measure/series.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENCE_Z  1.959964 /* Of a normal distribution, 95 % of it lie within. */
#define INTERVAL_MIN  6        /* Below it no pair of ranks bounds a median at 95 %. */
#define CAPACITY_STEP 64

bool tdm_series_add(struct tdm_series *series, double value)
{
    if (series->count == series->capacity) {
        size_t capacity = series->capacity ? series->capacity * 2 : CAPACITY_STEP;
        double *grown = realloc(series->values, capacity * sizeof *grown);

        if (!grown)
            return false;
        series->values = grown;
        series->capacity = capacity;
    }
    series->values[series->count++] = value;
    return true;
}

void tdm_series_free(struct tdm_series *series)
{
    free(series->values);
    *series = (struct tdm_series){0};
}

double tdm_quantile(const double *sorted, size_t count, double q)
{
    assert(count > 0 && q >= 0 && q <= 1);
    double at = q * (double)(count - 1);
    size_t below = (size_t)at;
    size_t above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (sorted[above] - sorted[below]) * (at - (double)below);
}

/* How many values lie below the median is binomial (n, 1/2): the ranks that bound the median at
 * 95 % follow from its normal approximation (Conover, Practical Nonparametric Statistics). */
static void bound_median(struct tdm_summary *summary, const double *sorted)
{
    double n = (double)summary->count;
    double low = floor(n / 2 - CONFIDENCE_Z / 2 * sqrt(n));
    double high = ceil(n / 2 + CONFIDENCE_Z / 2 * sqrt(n)) + 1;

    if (summary->count < INTERVAL_MIN || low < 1 || high > n) {
        summary->ci_low = summary->min;
        summary->ci_high = summary->max;
        return;
    }
    summary->ci_low = sorted[(size_t)low - 1];
    summary->ci_high = sorted[(size_t)high - 1];
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

bool tdm_series_summarize(const struct tdm_series *series, struct tdm_summary *summary)
{
    *summary = (struct tdm_summary){0};
    if (series->count == 0)
        return true;
    double *sorted = malloc(series->count * sizeof *sorted);
    double sum = 0;

    if (!sorted)
        return false;
    memcpy(sorted, series->values, series->count * sizeof *sorted);
    qsort(sorted, series->count, sizeof *sorted, by_value);
    for (size_t i = 0; i < series->count; i++)
        sum += sorted[i];
    *summary = (struct tdm_summary){
        .count = series->count,
        .min = sorted[0],
        .p50 = tdm_quantile(sorted, series->count, 0.5),
        .p95 = tdm_quantile(sorted, series->count, 0.95),
        .p99 = tdm_quantile(sorted, series->count, 0.99),
        .max = sorted[series->count - 1],
        .mean = sum / (double)series->count,
    };
    bound_median(summary, sorted);
    free(sorted);
    return true;
}

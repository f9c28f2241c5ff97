/* SPDX-License-Identifier: MIT */
#include "bench/blackbox/series.h"

#include <stdlib.h>

bool tdm_series_init(struct tdm_series *series, size_t room)
{
    *series = (struct tdm_series){.values = calloc(room, sizeof(double)), .room = room};
    return series->values;
}

void tdm_series_fini(struct tdm_series *series)
{
    free(series->values);
}

void tdm_series_push(struct tdm_series *series, double value)
{
    if (series->count < series->room)
        series->values[series->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void tdm_series_sort(struct tdm_series *series)
{
    qsort(series->values, series->count, sizeof(double), compare);
}

double tdm_series_at(const struct tdm_series *series, double part)
{
    if (series->count == 0)
        return 0;
    return series->values[(size_t)(part * (double)(series->count - 1) + 0.5)];
}

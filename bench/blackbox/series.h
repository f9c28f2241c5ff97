/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BLACKBOX_SERIES_H
#define BENCH_BLACKBOX_SERIES_H

#include <stdbool.h>
#include <stddef.h>

/* Every value of a run, so that percentiles are exact. */
struct tdm_series {
    double *values;
    size_t count, room;
};

/* Room for `room` values; later ones are dropped. */
bool tdm_series_init(struct tdm_series *series, size_t room);
void tdm_series_fini(struct tdm_series *series);
void tdm_series_push(struct tdm_series *series, double value);

/* Orders the values; percentiles need it. */
void tdm_series_sort(struct tdm_series *series);

/* The value below which `part` (0..1) of them lie; 0 for an empty series. */
double tdm_series_at(const struct tdm_series *series, double part);

#endif

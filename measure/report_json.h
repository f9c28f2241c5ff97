/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_REPORT_JSON_H
#define TDM_MEASURE_REPORT_JSON_H

/* A bench as text: docs/bench-codec.md names every field. */

#include "measure/bench.h"

/** Free with free(). NULL when there is no memory. */
char *tdm_bench_report(const struct tandem_bench *bench);

#endif

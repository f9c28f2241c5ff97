/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_RATE_TRACE_H
#define TDM_SIM_RATE_TRACE_H

/*
 * Capacities of mobile links as mahimahi writes them: ascending milliseconds, one a line, each of
 * which lets 1500 bytes through. Read from text, or drawn from a seed by the model that Sprout
 * (NSDI 2013) fits to its LTE measurements: a Poisson process whose rate wanders, with outages.
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_RATE_TRACE_MAX 400000

/** TDM_E_MALFORMED: not ascending numbers, or none; TDM_E_SPACE: more than `capacity`. */
enum tdm_err tdm_rate_trace_parse(const char *text, size_t size, uint32_t *trace_ms,
                                  uint32_t capacity, uint32_t *count);

struct tdm_rate_trace_model {
    double mean_bps;
    double wander;      /* Of the rate's logarithm in a second. */
    double most;        /* Of that logarithm, 0 is the mean. */
    double outages_s;   /* Mean seconds between two; 0: none. */
    double outage_s;    /* Their mean length. */
    uint32_t slot_ms;   /* What comes within so long comes at once, as a scheduler gives it. */
    uint32_t gather_ms; /* Mean wait for a medium that is shared: what was saved up leaves then, as
                           Wi-Fi aggregates. 0: none. */
};

/** Draws `seconds` of it; returns the count. */
uint32_t tdm_rate_trace_draw(const struct tdm_rate_trace_model *model, uint64_t seed,
                             uint32_t seconds, uint32_t *trace_ms, uint32_t capacity);

#endif

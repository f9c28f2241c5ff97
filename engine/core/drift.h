/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_DRIFT_H
#define TDM_CORE_DRIFT_H

/*
 * How much faster the sender's sample clock runs than the local device's, from the lateness of
 * packets: a straight line through the fastest arrivals of each interval. Delays only ever add,
 * so the fastest ones carry the clock; a step of the path's delay moves the older points instead
 * of bending the line. It decides nothing about buffers.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_DRIFT_POINTS 128

struct tdm_drift_point {
    double at_s;    /* Device time. */
    double late_ms; /* Of the fastest arrival in the interval. */
};

/** Owned by the playout. */
struct tdm_drift {
    struct tdm_drift_point points[TDM_DRIFT_POINTS];
    uint32_t count;
    double interval_s;           /* Doubles up to 4 s as the memory fills. */
    struct tdm_drift_point open; /* The interval under way. */
    double open_since_s;
    bool is_open;
    uint32_t outlying; /* Intervals in a row that lie off the line on one side. */
    double ppm;        /* Estimate, drawn towards 0 while it is uncertain. */
    double error_ppm;  /* Its standard error; large while unknown. */
};

void tdm_drift_init(struct tdm_drift *d);

/**
 * One arrival.
 *
 * @param device  Device time at the arrival (samples that the device played, as time).
 * @param late    Device time less the packet's media time; the origin does not matter.
 */
void tdm_drift_add(struct tdm_drift *d, tdm_time device, tdm_time late);

#endif

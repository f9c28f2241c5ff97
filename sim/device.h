/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_DEVICE_H
#define TDM_SIM_DEVICE_H

/*
 * A model device: says when its callback comes. A microphone, a speaker, a camera and a display
 * are all the same thing here: a period on a crystal that is some parts per million off, a wake-up
 * that comes late by a random bit, and now and then an xrun, when the callbacks of a while come
 * all at once at its end. What the callback carries is the scenario's business.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"

#include <stdint.h>

struct tdm_sim_device_config {
    uint64_t seed;
    uint32_t period_units; /* Samples of one callback; 1 for a camera or display. */
    uint32_t hz;           /* Units a second by the device's own clock. */
    int32_t drift_ppm;     /* Positive: its clock runs fast, callbacks come more often. */
    tdm_time jitter;       /* Callbacks come late by up to this, uniformly. */
    double xrun;           /* Chance for each callback that a stall begins with it. */
    tdm_time xrun_max;     /* Its greatest length. */
};

struct tdm_sim_device {
    struct tdm_sim_device_config config;
    struct tdm_rng rng;
    tdm_time start;
    uint64_t index;       /* Of the next callback. */
    tdm_time nominal;     /* When that one's data is complete, by an ideal wake-up. */
    tdm_time due;         /* When it comes. Never goes back. */
    tdm_time stall_until; /* End of the current xrun. */
    uint64_t xruns;
};

/** The first callback comes one period after `start`. */
void tdm_sim_device_init(struct tdm_sim_device *d, const struct tdm_sim_device_config *config,
                         tdm_time start);

/** Goes on to the next callback; `due` and `nominal` then say when. */
void tdm_sim_device_advance(struct tdm_sim_device *d);

/** True time of `units` of this device's clock after its start. */
tdm_time tdm_sim_device_time(const struct tdm_sim_device *d, uint64_t units);

#endif

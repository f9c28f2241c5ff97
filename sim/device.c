/* SPDX-License-Identifier: MIT */
#include "sim/device.h"

#include <assert.h>

tdm_time tdm_sim_device_time(const struct tdm_sim_device *d, uint64_t units)
{
    tdm_time ideal = tdm_time_of_units((int64_t)units, d->config.hz);

    return d->start + ideal - ideal / 1000000 * d->config.drift_ppm;
}

static tdm_time up_to(struct tdm_rng *rng, tdm_time bound)
{
    return (tdm_time)(tdm_rng_unit(rng) * (double)bound);
}

static void plan(struct tdm_sim_device *d)
{
    const struct tdm_sim_device_config *c = &d->config;
    tdm_time due;

    d->nominal = tdm_sim_device_time(d, (d->index + 1) * c->period_units);
    if (c->xrun > 0 && d->nominal >= d->stall_until && tdm_rng_chance(&d->rng, c->xrun)) {
        d->stall_until = d->nominal + up_to(&d->rng, c->xrun_max);
        d->xruns++;
    }
    due = d->nominal + (c->jitter > 0 ? up_to(&d->rng, c->jitter) : 0);
    d->due = tdm_time_max(d->due, tdm_time_max(due, d->stall_until));
}

void tdm_sim_device_init(struct tdm_sim_device *d, const struct tdm_sim_device_config *config,
                         tdm_time start)
{
    assert(config->hz > 0 && config->period_units > 0);
    *d = (struct tdm_sim_device){.config = *config,
                                 .rng = tdm_rng_of(config->seed),
                                 .start = start,
                                 .due = start,
                                 .stall_until = start};
    plan(d);
}

void tdm_sim_device_advance(struct tdm_sim_device *d)
{
    d->index++;
    plan(d);
}

/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_ICE_WATCH_H
#define TDM_SIM_ICE_WATCH_H

/*
 * Looks at one ICE agent from outside and counts what it must never do: wake in the past, send
 * after it said that consent is lost, send more checks than its pace allows, answer with more
 * bytes than it was asked with, hand over bytes from somebody that it does not know.
 */

#include "engine/core/ice.h"

#include <stdint.h>

#define TDM_SIM_ICE_CHECKS_MAX 205 /* Checks in any second: one every 5 ms. */

struct tdm_sim_ice_watch {
    bool had_path;                                /* Since the last restart. */
    bool lost;                                    /* And lost it for want of consent. */
    tdm_time last_checks[TDM_SIM_ICE_CHECKS_MAX]; /* Ring. */
    uint64_t checks;
    uint32_t instant_steps;
    tdm_time instant;
    uint32_t violations;
    char words[120]; /* The latest. */
};

void tdm_sim_ice_watch_init(struct tdm_sim_ice_watch *w);
/** After each step; `path`: whether there is one now. */
void tdm_sim_ice_watch_step(struct tdm_sim_ice_watch *w, tdm_time now, const struct tdm_ice_in *in,
                            const struct tdm_ice_out *out, bool path);

#endif

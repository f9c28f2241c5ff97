/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PACER_H
#define TDM_CORE_PACER_H

/*
 * When the next video packet may leave: a token bucket that refills at a multiple of the target
 * rate and lets one ordinary frame out at once. Audio and RTCP never ask it. A late wake-up is made
 * good by the tokens that came meanwhile.
 */

#include "engine/base/time.h"

#include <stdint.h>

struct tdm_pacer {
    uint64_t rate_bps; /* Refill. */
    int64_t tokens_bytes, burst_bytes;
    tdm_time at; /* Tokens are counted up to here. */
};

void tdm_pacer_init(struct tdm_pacer *p, tdm_time now);

/** The stream's target rate and frame rate; the pacer itself refills at 2.5 times it. */
void tdm_pacer_set(struct tdm_pacer *p, uint64_t target_bps, uint32_t fps);

/** Packets leave at this rate itself, one after the other. */
void tdm_pacer_follow(struct tdm_pacer *p, uint64_t pace_bps);

/** When a packet may leave: `now` or later. */
tdm_time tdm_pacer_when(struct tdm_pacer *p, tdm_time now);

void tdm_pacer_sent(struct tdm_pacer *p, uint32_t bytes);

#endif

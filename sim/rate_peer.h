/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_RATE_PEER_H
#define TDM_SIM_RATE_PEER_H

/*
 * The controllers that the rate scenarios compare, behind one table: ours (window_rate.h) and
 * models, written from their published descriptions, of what others use. A model is none of the
 * products: gcc-like is the delay and loss rules with a pacer, scream-like the window rules.
 */

#include "engine/core/congestion.h"

#include <stddef.h>

struct tdm_rate_peer {
    const char *name;
    size_t bytes;            /* Of its state. */
    tdm_time feedback_every; /* How often its receiver tells. */
    bool tells_at_once;      /* Where it told nothing for so long; else it waits that long. */
    tdm_time arrival_tick;   /* How finely that is told. */
    void (*init)(void *state, tdm_time now, uint64_t start_bps, uint64_t limit_bps);
    void (*step)(void *state, tdm_time now, const struct tdm_congestion_in *in,
                 struct tdm_congestion_out *out);
};

#define TDM_RATE_PEERS          3
#define TDM_RATE_PEER_STATE_MAX 65536

extern const struct tdm_rate_peer tdm_rate_peer_ours, tdm_rate_peer_gcc, tdm_rate_peer_scream;
extern const struct tdm_rate_peer *const tdm_rate_peers[TDM_RATE_PEERS];

#endif

/* SPDX-License-Identifier: MIT */
#include "sim/rate_peer.h"

#include "engine/core/window_rate.h"

static void init_ours(void *state, tdm_time now, uint64_t start_bps, uint64_t limit_bps)
{
    tdm_window_rate_init(state, now, start_bps, limit_bps, NULL);
}

static void step_ours(void *state, tdm_time now, const struct tdm_congestion_in *in,
                      struct tdm_congestion_out *out)
{
    tdm_window_rate_step(state, now, in, out);
}

const struct tdm_rate_peer tdm_rate_peer_ours = {
    .name = "tandem",
    .bytes = sizeof(struct tdm_window_rate),
    .feedback_every = 10 * TDM_MS,
    .tells_at_once = true,
    .arrival_tick = TDM_S / 1024,
    .init = init_ours,
    .step = step_ours,
};

const struct tdm_rate_peer *const tdm_rate_peers[TDM_RATE_PEERS] = {
    &tdm_rate_peer_ours,
    &tdm_rate_peer_gcc,
    &tdm_rate_peer_scream,
};

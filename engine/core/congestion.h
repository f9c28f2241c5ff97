/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CONGESTION_H
#define TDM_CORE_CONGESTION_H

/*
 * What every controller of the sent rate takes and gives: what left, what became of it,
 * when a frame is to be coded; and how many bytes that frame may cost, how fast packets may leave,
 * and how much may be under way. Ours is window_rate.h; the simulation has others to compare with
 * (sim/rate_peer.h).
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

/** What feedback says of one packet. */
struct tdm_ack {
    tdm_time sent;
    tdm_time arrival; /* On the other side's clock; TDM_NEVER: it is lost. */
    uint32_t bytes;
    bool ce;       /* Marked on the way (RFC 3168, RFC 9331). */
    bool again;    /* It was told as lost before; it does not count as under way any more. */
    uint32_t ssrc; /* Whose it is, for who looks at one stream's losses. */
    uint16_t seq;
};

enum tdm_congestion_in_kind {
    TDM_CONGESTION_SENT,  /* A packet of `bytes` left. */
    TDM_CONGESTION_ACKS,  /* Feedback came. */
    TDM_CONGESTION_FRAME, /* A frame is about to be coded; `bytes` wait for the pacer. */
    TDM_CONGESTION_LIMIT, /* Never more than `bps`. */
};

struct tdm_congestion_in {
    enum tdm_congestion_in_kind kind;
    uint32_t bytes;
    uint64_t bps;
    const struct tdm_ack *acks; /* In the order of sending; borrowed for the step. */
    uint32_t ack_count;
};

struct tdm_congestion_out {
    uint64_t target_bps;   /* On the wire, over several frames. */
    uint64_t pace_bps;     /* How fast packets leave. */
    uint32_t frame_bytes;  /* What a frame that is coded now may cost on the wire. */
    uint32_t window_bytes; /* Nothing leaves beyond this many under way. */
    uint32_t probe_bytes;  /* Padding to send now at probe_bps: once, not a state. */
    uint64_t probe_bps;
};

#endif

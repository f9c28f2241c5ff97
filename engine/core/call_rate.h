/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CALL_RATE_H
#define TDM_CORE_CALL_RATE_H

/*
 * What the pictures of one call may cost, and who says so: the controller (window_rate.h) where the
 * other side tells of each packet, the plain rule (rate.h) where it has only receiver reports, or
 * agreed to tell and does not. Whoever it is, the user's limit and the other side's (REMB, TMMBR)
 * stand above. Voice is not counted: it never waits, and what it takes of the way is missing in the
 * capacity that is measured with pictures.
 *
 * One a call; camera and region share it.
 */

#include "engine/core/rate.h"
#include "engine/core/window_rate.h"

enum tdm_call_rate_in_kind {
    TDM_CALL_RATE_AGREED, /* `told`: whether packets will be told of. */
    TDM_CALL_RATE_LIMIT,  /* Most that pictures may have by the user and the description: `bps`. */
    TDM_CALL_RATE_REMB,   /* By the other side's word: `bps`. */
    TDM_CALL_RATE_TMMBR,  /* The same, and to be kept to however little it is. */
    TDM_CALL_RATE_BESIDE, /* Voice, its copies and the channel take `bps` on the wire. */
    TDM_CALL_RATE_REPORT, /* A receiver report. */
    TDM_CALL_RATE_SENT,   /* A packet of `bytes` left that will be told of. */
    TDM_CALL_RATE_ACKS,   /* `bytes` are still under way. */
    TDM_CALL_RATE_FRAME,  /* A picture begins to leave, or should have; `bytes` wait. */
};

struct tdm_call_rate_in {
    enum tdm_call_rate_in_kind kind;
    bool told;
    uint8_t fraction_lost; /* REPORT */
    tdm_time rtt;          /* REPORT */
    uint64_t bps;
    uint32_t bytes;
    const struct tdm_ack *acks; /* Borrowed for the step. */
    uint32_t ack_count;
};

struct tdm_call_rate_out {
    bool controlled;     /* By the controller; else only target_bps means anything. */
    uint64_t target_bps; /* For pictures, without headers; the mean over some frames. */
    uint64_t limit_bps;  /* Never more. */
    uint64_t pace_bps;   /* How fast their packets leave. */
};

struct tdm_call_rate {
    bool agreed, controlled, heard;
    uint64_t limit_bps, remb_bps, tmmbr_bps, beside_bps;
    tdm_time untold_since; /* Since then packets are under way and nothing is told; TDM_NEVER. */
    tdm_time reported_at;  /* The last receiver report. */
    struct tdm_rate plain;
    struct tdm_window_rate_tuning tuning;
    struct tdm_window_rate window;
    struct tdm_congestion_out out;
};

void tdm_call_rate_init(struct tdm_call_rate *r, tdm_time now, uint64_t limit_bps);

/** Of the whole latency: pictures are left out behind a shorter queue the less it is. 0: none. */
void tdm_call_rate_budget(struct tdm_call_rate *r, tdm_time budget);

void tdm_call_rate_step(struct tdm_call_rate *r, tdm_time now, const struct tdm_call_rate_in *in,
                        struct tdm_call_rate_out *out);

/** What a picture that is coded now may cost on the wire, of those that come TDM_CALL_RATE_FPS
 *  times a second; 0: it is better not coded. UINT32_MAX: nobody knows, go by target_bps. */
uint32_t tdm_call_rate_frame(const struct tdm_call_rate *r, tdm_time now, uint32_t waiting_bytes);

#define TDM_CALL_RATE_FPS 30

/** When the next packet may leave by what is under way: `now`, or later unless something is told
 *  before. */
tdm_time tdm_call_rate_when(const struct tdm_call_rate *r, tdm_time now);

#endif

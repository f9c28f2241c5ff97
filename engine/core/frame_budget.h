/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_FRAME_BUDGET_H
#define TDM_CORE_FRAME_BUDGET_H

/*
 * What the sender does with its next picture: skip it before the encoder (what was sent still waits
 * for the pacer, or the way is full), make it a keyframe, and what it may cost. Owned by the encode
 * thread. It follows what the call's rate allows (call_rate.h); how the encoder keeps to the budget
 * is the codec's affair.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_frame_budget {
    uint32_t fps;
    double carry_bytes; /* Left over by the last frame, or overdrawn. */
    bool keyframe_owed;
    tdm_time keyframe_at; /* No keyframe before this. */
};

struct tdm_frame_budget_in {
    uint64_t target_bps;
    uint32_t frame_bytes;     /* Most for this picture, by what the way holds; 0: none, the way is
                                 full. UINT32_MAX: not known. */
    uint32_t packets_waiting; /* For the pacer. */
    bool keyframe_wanted;     /* Somebody asked since the last picture. */
};

struct tdm_frame_budget_out {
    bool skip;
    bool keyframe;
    uint32_t budget_bytes; /* Of payload, headers are taken off already. */
};

void tdm_frame_budget_init(struct tdm_frame_budget *b, uint32_t fps);

/** For each captured picture. */
void tdm_frame_budget_step(struct tdm_frame_budget *b, tdm_time now,
                           const struct tdm_frame_budget_in *in, struct tdm_frame_budget_out *out);

/** Pictures come so many a second from now on. */
void tdm_frame_budget_follow(struct tdm_frame_budget *b, uint32_t fps);

/** What became of the picture that `out` planned: the bytes it took, or that the encoder dropped
 *  it to keep its budget. */
void tdm_frame_budget_encoded(struct tdm_frame_budget *b, const struct tdm_frame_budget_out *out,
                              size_t bytes);
void tdm_frame_budget_dropped(struct tdm_frame_budget *b, const struct tdm_frame_budget_out *out);

/** Something of ours got lost on the way to the net thread: the next picture is a keyframe. */
void tdm_frame_budget_owe_keyframe(struct tdm_frame_budget *b);

#endif

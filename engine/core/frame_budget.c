/* SPDX-License-Identifier: MIT */
#include "engine/core/frame_budget.h"

#define KEYFRAME_EVERY     (150 * TDM_MS) /* Several requests for one loss make one keyframe. */
#define HEADERS_SHARE      0.05           /* RTP, UDP and IP headers' part of the rate. */
#define BUDGET_MIN_BYTES   300
#define WAITING_FRAMES_MAX 2 /* More than this in front of the pacer: skip. */
#define PACKET_BYTES       1100

void tdm_frame_budget_init(struct tdm_frame_budget *b, uint32_t fps)
{
    *b = (struct tdm_frame_budget){.fps = fps ? fps : 30};
}

void tdm_frame_budget_follow(struct tdm_frame_budget *b, uint32_t fps)
{
    b->fps = fps ? fps : b->fps;
}

static double frame_share(const struct tdm_frame_budget *b, uint64_t bps)
{
    return (double)bps * (1 - HEADERS_SHARE) / 8 / b->fps;
}

void tdm_frame_budget_step(struct tdm_frame_budget *b, tdm_time now,
                           const struct tdm_frame_budget_in *in, struct tdm_frame_budget_out *out)
{
    double share = frame_share(b, in->target_bps);

    /* A quarter of a frame may be saved up, a whole one overdrawn; the rate may have changed. */
    b->carry_bytes = b->carry_bytes > share / 4 ? share / 4
                     : b->carry_bytes < -share  ? -share
                                                : b->carry_bytes;
    double bytes = share + b->carry_bytes;

    bytes = bytes > in->frame_bytes ? in->frame_bytes : bytes;
    out->budget_bytes = (uint32_t)(bytes > BUDGET_MIN_BYTES ? bytes : BUDGET_MIN_BYTES);
    out->skip = !in->frame_bytes ||
                in->packets_waiting > WAITING_FRAMES_MAX * (out->budget_bytes / PACKET_BYTES + 4);
    b->keyframe_owed |= in->keyframe_wanted;
    out->keyframe = !out->skip && b->keyframe_owed && now >= b->keyframe_at;
    if (!out->keyframe)
        return;
    b->keyframe_owed = false;
    b->keyframe_at = now + KEYFRAME_EVERY;
}

void tdm_frame_budget_encoded(struct tdm_frame_budget *b, const struct tdm_frame_budget_out *out,
                              size_t bytes)
{
    b->carry_bytes = (double)out->budget_bytes - (double)bytes;
}

void tdm_frame_budget_dropped(struct tdm_frame_budget *b, const struct tdm_frame_budget_out *out)
{
    b->carry_bytes = 0;
    if (!out->keyframe)
        return;
    b->keyframe_owed = true;
    b->keyframe_at = 0;
}

void tdm_frame_budget_owe_keyframe(struct tdm_frame_budget *b)
{
    b->keyframe_owed = true;
}

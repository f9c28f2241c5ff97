/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_VIDEO_CELL_H
#define TDM_MEASURE_VIDEO_CELL_H

/*
 * One video cell of a bench: one encoder with one preset, at one size, content and rate. Each round
 * adds to its series; the first one also measures what does not vary from round to round (quality,
 * bits, frames held, the answer to a falling rate, recovery after a loss).
 */

#include "measure/coder.h"
#include "measure/footage.h"
#include "measure/quality.h"
#include "measure/series.h"

struct tdm_video_spec {
    const struct tdm_video_encoder_ops *ops;
    char preset[16];
    unsigned threads;
    int width, height;
    uint32_t fps, bps;
    uint16_t content; /* Its place in the plan. */
    bool screen;
    uint32_t frames, warmup; /* Of one round. */
};

/** Milliseconds, one value for each coded picture after the warm-up. */
struct tdm_video_times {
    struct tdm_series encode, first_slice, packetise, decode;
};

/** After the budget fell to a quarter. */
struct tdm_step_response {
    double worst_share;     /* The most that a picture took of the new budget. */
    uint32_t frames_over;   /* Pictures over it by more than a tenth. */
    uint32_t settled_after; /* Pictures until the last of those, 0 when there was none. */
};

/** From a lost picture until the pictures are right again, with a keyframe asked for at once. */
struct tdm_loss_recovery {
    uint32_t frames; /* Not shown as they should have been, the lost one among them. */
    uint64_t bytes;  /* Sent after the lost one, up to the first right one. */
};

struct tdm_video_cell {
    struct tdm_video_spec spec;
    struct tdm_video_times times;
    struct tdm_series frame_bytes, share; /* Of the first round. */
    struct tdm_quality quality;
    uint32_t rounds, dropped, held;
    uint64_t bytes; /* Of the first round's measured pictures. */
    struct tdm_step_response step;
    struct tdm_loss_recovery loss;
    uint64_t memory_bytes;
    double cpu_ms_sum; /* Of all rounds' measured pictures. */
    char sha256[65];   /* Of all bits of the first round's series. */
    bool bits_differ;  /* A later round gave others. */
    bool failed;
    char why[160];
};

void tdm_video_cell_free(struct tdm_video_cell *cell);

/** What a picture may cost. */
uint32_t tdm_video_budget_bytes(const struct tdm_video_spec *spec);

struct tdm_coder_config tdm_video_coder_config(const struct tdm_video_spec *spec);

/** Measures one round with a clip of the cell's content and size. After an error the cell is
 *  `failed` and says why. */
enum tdm_err tdm_video_cell_measure(struct tdm_video_cell *cell, const struct tdm_clip *clip,
                                    struct tdm_cause *cause);

#endif

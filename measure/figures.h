/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_FIGURES_H
#define TDM_MEASURE_FIGURES_H

/* What follows from a measured cell: its latency as a sum, and whether it keeps up. */

#include "measure/audio_cell.h"
#include "measure/video_cell.h"

/** Milliseconds, medians. */
struct tdm_video_latency {
    double held, encode, serialise, decode, total;
};

struct tdm_video_figures {
    struct tdm_summary encode, first_slice, packetise, decode, frame_bytes, share;
    struct tdm_video_latency latency;
    bool fits; /* 19 pictures of 20 are encoded and decoded within one frame interval. */
};

void tdm_video_figures_make(struct tdm_video_figures *figures, const struct tdm_video_cell *cell);

/** The link that a payload of sound is serialised on: sound shares it with a picture. */
#define TDM_AUDIO_LINK_BPS 1000000

struct tdm_audio_latency {
    double frame, lookahead, encode, serialise, decode, total;
};

struct tdm_audio_figures {
    struct tdm_summary encode, decode, payload_bytes;
    struct tdm_audio_latency latency;
    double reached_bps;
};

void tdm_audio_figures_make(struct tdm_audio_figures *figures, const struct tdm_audio_cell *cell);

#endif

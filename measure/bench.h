/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_BENCH_H
#define TDM_MEASURE_BENCH_H

/* The inside of a bench (tandem/bench.h): its plan, its cells, and how far it is. */

#include "engine/base/time.h"
#include "measure/audio_cell.h"
#include "measure/machine.h"
#include "measure/plan.h"
#include "measure/video_cell.h"

/** One clip or sound that was used. */
struct tdm_bench_input {
    char content[24], source[64], sha256[65];
    int width, height;  /* 0 for sound. */
    uint32_t sample_hz; /* 0 for pictures. */
    uint32_t frames;    /* Pictures, or samples per channel. */
    uint8_t channels;
    bool generated;
};

struct tandem_bench {
    struct tdm_plan plan;
    struct tdm_machine machine;
    struct tdm_video_cell *video;
    struct tdm_audio_cell *audio;
    struct tdm_bench_input *inputs;
    uint32_t input_count, input_capacity;
    /* What is in memory: at most one clip and one sound. */
    struct tdm_clip clip;
    uint16_t clip_content;
    struct tdm_sound sound;
    uint32_t round, next; /* The next step: first the video cells of a round, then the audio. */
    uint32_t done, total;
    double seconds;               /* Spent in steps. */
    double work_done, work_total; /* In pixels, to estimate what is left. */
    tdm_time wall;                /* When it was made, since 1970. */
    bool pinned;
};

#endif

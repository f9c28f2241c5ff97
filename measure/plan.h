/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_PLAN_H
#define TDM_MEASURE_PLAN_H

/*
 * Turns what a person asked for into cells, and says everything that cannot be measured before
 * anything runs. Lists that were not given are thinned so that the whole takes minutes and not
 * hours: see docs/bench-codec.md, "What a default run leaves out".
 */

#include "measure/audio_cell.h"
#include "measure/footage.h"
#include "measure/video_cell.h"
#include "tandem/bench.h"

#define TDM_PLAN_CONTENTS_MAX 8
#define TDM_PLAN_SIZES_MAX    8
#define TDM_PLAN_RATES_MAX    8
#define TDM_PLAN_CELLS_MAX    4000

struct tdm_plan {
    struct tdm_footage contents[TDM_PLAN_CONTENTS_MAX];
    uint16_t content_count;
    struct tdm_video_spec *video; /* Cells with the same content and size stand together. */
    uint32_t video_count;
    struct tdm_audio_spec *audio;
    uint32_t audio_count;
    uint32_t rounds, frames, warmup, fps, threads;
    double seconds_max; /* After it no new round begins; 0 = no limit. */
    bool quick;
};

/** As tandem_bench_create says. Free in any case. */
enum tandem_status tdm_plan_make(struct tdm_plan *plan, const struct tandem_bench_config *config,
                                 struct tdm_cause *cause);
void tdm_plan_free(struct tdm_plan *plan);

/** The rate that suits a size: 1.5 Mb/s for 1280x720, two significant digits. */
uint32_t tdm_plan_rate(int width, int height);

#endif

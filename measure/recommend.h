/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_RECOMMEND_H
#define TDM_MEASURE_RECOMMEND_H

/*
 * Which of the measured encoders to use for a content, size and rate: the one with the lowest
 * latency among those that keep up and whose picture is at most TDM_RECOMMEND_DB worse than the
 * best one's. Pure.
 */

#include "measure/figures.h"

#define TDM_RECOMMEND_DB        1.0
#define TDM_RECOMMEND_WHY_BYTES 480

/** One measured cell of a place. */
struct tdm_candidate {
    const struct tdm_video_cell *cell;
    const struct tdm_video_figures *figures;
};

/** Which of the candidates, all of one content, size and rate; `count` > 0. `why` gets sentences:
 *  what speaks for it, which faster or better ones were left out and why, and whether it looks poor
 *  all the same. */
size_t tdm_recommend(const struct tdm_candidate *candidates, size_t count, char *why,
                     size_t capacity);

#endif

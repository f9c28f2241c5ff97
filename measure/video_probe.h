/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_VIDEO_PROBE_H
#define TDM_MEASURE_VIDEO_PROBE_H

/* What one try on a codec shows, apart from the series of a cell: each leaves the coder usable. */

#include "measure/video_cell.h"

/** Sends a marked picture among still ones through a new encoder and decoder, and counts the
 *  pictures that went in after it before it came out. TDM_E_GONE when it never does. */
enum tdm_err tdm_probe_held(const struct tdm_video_spec *spec, uint32_t *held,
                            struct tdm_cause *cause);

/** A place in a clip that a coder has been fed with so far. */
struct tdm_probe {
    struct tdm_coder *coder;
    const struct tdm_clip *clip;
    const struct tdm_video_spec *spec;
    uint32_t next; /* Picture of the clip. */
};

/** Goes on with a quarter of the budget for `frames` pictures. */
enum tdm_err tdm_probe_step(struct tdm_probe *probe, uint32_t frames,
                            struct tdm_step_response *step);

/** Loses one picture on the way and asks for a keyframe with the next. */
enum tdm_err tdm_probe_loss(struct tdm_probe *probe, struct tdm_loss_recovery *loss);

#endif

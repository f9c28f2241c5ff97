/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_PHOTO_H
#define TDM_COLLAB_SCREEN_PHOTO_H

/*
 * The lossy coder for photographs: an integer cosine transform of 8x8 blocks in YCoCg at full
 * resolution of colour, quantised, in the range coder with adaptive models. Everything is defined in
 * integers, so that the host knows exactly what the viewer sees, on any machine; the rest comes later
 * by the residual coder. What the decoder does is bounded by the area.
 */

#include "collab/screen_pixels.h"
#include "collab/screen_range.h"

#define TDM_SCREEN_PHOTO_QUALITIES 32 /* 0 is the best; each step is about 12 % fewer bytes. */

/** What both sides learnt, and room for the row of blocks above. Plain data. */
struct tdm_screen_photo;

void tdm_screen_photo_init(struct tdm_screen_photo *model);

/** Which quality gives at most that many bytes, about; from a look at the rectangle that touches no
 *  model. */
int tdm_screen_photo_quality(const struct tdm_screen_rect *rect,
                             const struct tdm_screen_source *source, size_t bytes);

/** Codes the rectangle; `seen` becomes what the viewer decodes. The quality is in the stream. */
void tdm_screen_photo_encode(struct tdm_screen_photo *model, struct tdm_screen_encoder *coder,
                             const struct tdm_screen_image *seen,
                             const struct tdm_screen_rect *rect,
                             const struct tdm_screen_source *source, int quality);

/** The rectangle must fit. */
void tdm_screen_photo_decode(struct tdm_screen_photo *model, struct tdm_screen_decoder *coder,
                             const struct tdm_screen_image *seen,
                             const struct tdm_screen_rect *rect);

#endif

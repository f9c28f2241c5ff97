/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_RESIDUAL_H
#define TDM_COLLAB_SCREEN_RESIDUAL_H

/*
 * The coder of what is missing: a rectangle told exactly, by its difference from what `seen` shows
 * there. Meant for photographs that went lossy first.
 */

#include "collab/screen_pixels.h"
#include "collab/screen_range.h"

/** What both sides learnt, and room for one row. Plain data. */
struct tdm_screen_residual;

void tdm_screen_residual_init(struct tdm_screen_residual *model);

/** Codes the rectangle and brings `seen` up to date. */
void tdm_screen_residual_encode(struct tdm_screen_residual *model,
                                struct tdm_screen_encoder *coder,
                                const struct tdm_screen_image *seen,
                                const struct tdm_screen_rect *rect,
                                const struct tdm_screen_source *source);

/** The rectangle must fit. */
void tdm_screen_residual_decode(struct tdm_screen_residual *model,
                                struct tdm_screen_decoder *coder,
                                const struct tdm_screen_image *seen,
                                const struct tdm_screen_rect *rect);

#endif

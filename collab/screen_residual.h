/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_RESIDUAL_H
#define TDM_COLLAB_SCREEN_RESIDUAL_H

/*
 * The coder of what is missing: a rectangle told exactly, by its difference from what `seen` shows
 * there. Meant for photographs that went lossy first.
 */

#include "collab/screen_pixels.h"
#include "collab/screen_range.h"

/** What both sides learnt, and room for two rows. Plain data, about 20 KB. */
#define TDM_SCREEN_RESIDUAL_STRIP  256 /* Pixels: what is wider is coded in strips. */
#define TDM_SCREEN_RESIDUAL_LEVELS 16
#define TDM_SCREEN_RESIDUAL_WAYS   4
struct tdm_screen_residual_bits {
    tdm_screen_bit length[3][TDM_SCREEN_RESIDUAL_LEVELS][9]; /* Unary. */
    tdm_screen_bit top[3][TDM_SCREEN_RESIDUAL_LEVELS][9][4];
    tdm_screen_bit sign[3][9];
};
struct tdm_screen_residual {
    struct tdm_screen_residual_bits bits;
    uint32_t errors[3][TDM_SCREEN_RESIDUAL_WAYS]; /* Of each way to predict, lately. */
    /* Of the row above and of this one: what was missing, and what was not predicted of it. */
    int16_t missing[2][TDM_SCREEN_RESIDUAL_STRIP + 2][3], off[2][TDM_SCREEN_RESIDUAL_STRIP + 2][3];
};

void tdm_screen_residual_init(struct tdm_screen_residual *model);

/** Codes the rectangle and brings `seen` up to date. */
void tdm_screen_residual_encode(struct tdm_screen_residual *model, struct tdm_screen_encoder *coder,
                                const struct tdm_screen_image *seen,
                                const struct tdm_screen_rect *rect,
                                const struct tdm_screen_source *source);

/** The rectangle must fit. */
void tdm_screen_residual_decode(struct tdm_screen_residual *model, struct tdm_screen_decoder *coder,
                                const struct tdm_screen_image *seen,
                                const struct tdm_screen_rect *rect);

#endif

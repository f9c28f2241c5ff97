/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_PHOTO_H
#define TDM_COLLAB_SCREEN_PHOTO_H

/*
 * The lossy coder for photographs: an integer cosine transform of 8x8 blocks in YCoCg at full
 * resolution of colour, quantised, in the range coder with adaptive models. Everything is defined
 * in integers, so that the host knows exactly what the viewer sees, on any machine; the rest comes
 * later by the residual coder. What the decoder does is bounded by the area.
 */

#include "collab/screen_pixels.h"
#include "collab/screen_range.h"

#define TDM_SCREEN_PHOTO_QUALITIES 32 /* 0 is the best; each step is about 12 % fewer bytes. */

/** What both sides learnt, and room for a row of blocks. Plain data, about 60 KB. */
#define TDM_SCREEN_PHOTO_STRIP 256 /* Pixels: what is wider is coded in strips. */
#define TDM_SCREEN_PHOTO_SUMS  12  /* Classes of how much goes on around a coefficient. */
struct tdm_screen_photo_bits {
    tdm_screen_bit last[2][8][64];                           /* Count of coefficients, a tree. */
    tdm_screen_bit nonzero[2][3][TDM_SCREEN_PHOTO_SUMS][16]; /* By place. */
    tdm_screen_bit more[2][TDM_SCREEN_PHOTO_SUMS][16];       /* Than 1, 2, 3, ... */
    tdm_screen_bit dc_sign[3];
};
struct tdm_screen_photo {
    struct tdm_screen_photo_bits bits;
    struct tdm_screen_number dc[3][4], escape, quality;
    /* Of the blocks above, and of the one to the left behind them. */
    int16_t coefficients[TDM_SCREEN_PHOTO_STRIP / 8][3][64];
    uint8_t counts[TDM_SCREEN_PHOTO_STRIP / 8][3];
};

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

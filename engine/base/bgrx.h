/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_BGRX_H
#define TDM_BASE_BGRX_H

/*
 * A screen's pixels into a picture of the same size and back: BGRX (four bytes, the last ignored)
 * and I420.
 * ITU-R BT.601, full range in and limited range out:
 *
 *     Y =  16 + 219/255 * ( 0.299 R     + 0.587 G     + 0.114 B )
 *     U = 128 + 224/255 * (-0.168736 R  - 0.331264 G  + 0.5 B   )
 *     V = 128 + 224/255 * ( 0.5 R       - 0.418688 G  - 0.081312 B)
 *
 * with factors rounded to 1/32768 and results to the nearest; U and V are of the mean of four
 * pixels. Every variant gives the same bytes.
 */

#include "engine/base/picture.h"

/** Converts pic's width by height pixels, which start at `pixels` and have rows `stride` bytes
 *  apart. Stamps stay. */
void tdm_bgrx_to_i420(struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride);

/** The way back, chroma of four pixels the same for each; the fourth byte is 0. Not exactly what it
 *  was: U and V are of four pixels. */
void tdm_i420_to_bgrx(uint8_t *pixels, ptrdiff_t stride, const struct tdm_picture *pic);

/** Copies pixels, which do not overlap; the fourth byte is 0. */
void tdm_bgrx_copy(uint8_t *to, const uint8_t *from, size_t pixels);

/** One way to compute it (engine/base/cpu.h). */
struct tdm_bgrx_variant {
    const char *name;
    uint32_t needs;
    void (*to_i420)(struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride);
};

extern const struct tdm_bgrx_variant tdm_bgrx_variants[];
extern const size_t tdm_bgrx_variant_count;

#endif

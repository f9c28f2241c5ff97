/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_FULL_RANGE_H
#define TDM_BASE_FULL_RANGE_H

/*
 * Planar pictures in full range (JPEG, and so most cameras), 4:2:0 or 4:2:2, into a picture of the
 * same size in limited range. To the nearest, without ties:
 *
 *     Y =  16 + Y' * 219/255
 *     C = 128 + (C' - 128) * 224/255      C' of 4:2:2 is the mean of two rows
 *
 * Both are (a x + b) / 255 in whole numbers of 16 bits, rounded down, with x a sample of luma or
 * the sum of two of chroma. Every variant gives the same bytes.
 */

#include "engine/base/picture.h"

/** Borrows the planes, which have the sides of the picture that they go into. */
struct tdm_full_range {
    const uint8_t *planes[3];
    int strides[3];
    int chroma_rows; /* Per two rows of luma: 1 is 4:2:0, 2 is 4:2:2. */
};

/** Stamps stay. */
void tdm_full_range_limit(struct tdm_picture *pic, const struct tdm_full_range *from);

/** One way to compute it (engine/base/cpu.h). */
struct tdm_full_range_variant {
    const char *name;
    uint32_t needs;
    void (*limit)(struct tdm_picture *pic, const struct tdm_full_range *from);
};

extern const struct tdm_full_range_variant tdm_full_range_variants[];
extern const size_t tdm_full_range_variant_count;

#endif

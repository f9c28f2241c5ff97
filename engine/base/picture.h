/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_PICTURE_H
#define TDM_BASE_PICTURE_H

/*
 * One uncompressed picture: 8-bit I420 (planar 4:2:0, BT.601 limited range). Width and height are
 * even, 2 to TDM_PICTURE_SIDE_MAX. The struct only points; who owns the planes is said where it
 * is passed.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_PICTURE_SIDE_MAX 4096

struct tdm_picture {
    uint8_t *planes[3]; /* Y, U, V. */
    int strides[3];     /* Bytes from one row to the next. */
    int width, height;  /* Pixels of the Y plane; U and V have half of each. */
    tdm_time captured;  /* When the content was on the sensor, screen or file; local clock. */
    uint32_t frame_id;  /* Counts up by one for each captured picture of a source. */
};

/** Bytes of a tightly packed I420 picture. */
static inline size_t tdm_picture_bytes(int width, int height)
{
    return (size_t)width * (size_t)height * 3 / 2;
}

/** Lays a tightly packed picture over `storage` (tdm_picture_bytes). Sides must be even. */
void tdm_picture_over(struct tdm_picture *pic, void *storage, int width, int height);

/** Copies pixels and stamps; both have the same sides. */
void tdm_picture_copy(struct tdm_picture *to, const struct tdm_picture *from);

/** Fills with one colour, each component 0-255. */
void tdm_picture_fill(struct tdm_picture *pic, uint8_t y, uint8_t u, uint8_t v);

#endif

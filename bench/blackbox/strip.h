/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BLACKBOX_STRIP_H
#define BENCH_BLACKBOX_STRIP_H

/*
 * The engine's time code (engine/base/time_code.h) on a screen: the same black and white cells in
 * BGRX pixels at the top left of a picture. The source paints it, any program shows it, the sampler
 * reads it. Only luma counts, which is why it survives 4:2:0 and every conversion on the way.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A strip's luma, in storage of its own. */
struct tdm_strip {
    int width, rows; /* Of the picture; of the strip in it. */
    uint8_t *pixels; /* I420, `width` x `rows`. */
};

/* False when a picture of this width has no room for a time code, or memory is out. */
bool tdm_strip_init(struct tdm_strip *strip, int width);

void tdm_strip_fini(struct tdm_strip *strip);

/* Paints `t` over the first `strip->rows` rows of a picture. */
void tdm_strip_paint(struct tdm_strip *strip, uint8_t *bgrx, size_t stride_bytes, tdm_time t);

/* Reads the strip from the first `strip->rows` rows of a picture. */
bool tdm_strip_read(struct tdm_strip *strip, const uint8_t *bgrx, size_t stride_bytes, tdm_time *t);

#endif

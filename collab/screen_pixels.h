/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_PIXELS_H
#define TDM_COLLAB_SCREEN_PIXELS_H

/*
 * What the pixel coders of a shared screen work on. A pixel is four bytes: blue, green, red and one
 * that means nothing; it is read as anything and written as zero. Every coder has a `seen` image:
 * what the viewer has, the same on both sides before and after each rectangle. The host codes new
 * pixels against it and brings it up to date on the way, the viewer decodes into it.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SCREEN_SIDE_MAX 16384

/** Borrows the pixels. */
struct tdm_screen_image {
    uint8_t *pixels;
    ptrdiff_t stride;  /* Bytes from one row to the next, a multiple of 4. */
    int width, height; /* 1 to TDM_SCREEN_SIDE_MAX. */
};

struct tdm_screen_rect {
    int x, y, width, height;
};

/** New pixels of a rectangle, the first one at `pixels`; borrows them. */
struct tdm_screen_source {
    const uint8_t *pixels;
    ptrdiff_t stride;
};

static inline uint8_t *tdm_screen_at(const struct tdm_screen_image *image, int x, int y)
{
    return image->pixels + y * image->stride + (ptrdiff_t)x * 4;
}

static inline struct tdm_screen_source tdm_screen_source_of(const struct tdm_screen_image *image,
                                                            const struct tdm_screen_rect *rect)
{
    return (struct tdm_screen_source){tdm_screen_at(image, rect->x, rect->y), image->stride};
}

/** Has it pixels, and all within the image? What the decoders demand of a stranger's rectangle. */
bool tdm_screen_rect_fits(const struct tdm_screen_rect *rect, const struct tdm_screen_image *image);

/** All pixels of the source have one colour (0xRRGGBB). */
bool tdm_screen_solid(const struct tdm_screen_rect *rect, const struct tdm_screen_source *source,
                      uint32_t *colour);

void tdm_screen_fill(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                     uint32_t colour);

void tdm_screen_put(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                    const struct tdm_screen_source *source);

/** Raw: 3 bytes a pixel, blue first. Both ask for area * 3 bytes; the writer or reader says in `ok`
 *  whether it had them, and nothing else is touched when not. */
void tdm_screen_raw_encode(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                           const struct tdm_screen_source *source, struct tdm_writer *w);
void tdm_screen_raw_decode(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                           struct tdm_reader *r);

#endif

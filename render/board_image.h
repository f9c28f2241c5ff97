/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_IMAGE_H
#define TDM_RENDER_BOARD_IMAGE_H

/*
 * The decoded images of a scene, by the hash of their files. Each is kept in its own size and in
 * halves of it, so that a small version costs little to paint and does not shimmer.
 */

#include "engine/base/err.h"
#include "render/board_figure.h"

#include <cairo.h>

struct tdm_board_picture;

#define TDM_BOARD_IMAGE_LEVELS 15
#define TDM_BOARD_IMAGE_SIDE   16384

struct tdm_board_image {
    uint8_t hash[TDM_BOARD_HASH_BYTES];
    cairo_surface_t *levels[TDM_BOARD_IMAGE_LEVELS]; /* Each half of the one before. */
    int level_count;
};

struct tdm_board_images {
    struct tdm_board_image *list;
    size_t count, room;
    size_t bytes;
};

/** Copies the pixels. */
enum tdm_err tdm_board_images_give(struct tdm_board_images *images,
                                   const struct tdm_board_picture *picture);
const struct tdm_board_image *tdm_board_images_find(const struct tdm_board_images *images,
                                                    const uint8_t *hash);
void tdm_board_images_free(struct tdm_board_images *images);

/** Paints it into `box` of cr's user space, of which a unit is `scale` pixels; `crop` as the
 *  document has it. With the full size when `whole`. */
void tdm_board_image_paint(const struct tdm_board_image *image, cairo_t *cr,
                           const struct tdm_figure_box *box, const uint16_t crop[4], double scale);

#endif

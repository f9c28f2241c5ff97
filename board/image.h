/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_IMAGE_H
#define TDM_BOARD_IMAGE_H

/*
 * What an image's first bytes say (pure), and its pixels. Sizes are believed only within limits,
 * and before anything is decoded. Any thread; decoding allocates.
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_IMAGE_SIDE_MAX   16384
#define TDM_IMAGE_PIXELS_MAX ((size_t)64 << 20)

enum tdm_image_format { TDM_IMAGE_PNG, TDM_IMAGE_JPEG, TDM_IMAGE_WEBP };

struct tdm_image_info {
    enum tdm_image_format format;
    uint32_t width, height; /* As shown: the orientation of a JPEG's Exif is not applied. */
};

/** TDM_E_UNSUPPORTED: another format; TDM_E_MALFORMED: its head is spoiled; TDM_E_SPACE: larger
 *  than the limits. */
enum tdm_err tdm_image_look(struct tdm_image_info *info, const uint8_t *data, size_t size);
/** "image/png". */
const char *tdm_image_mime(enum tdm_image_format format);

struct tdm_image_pixels {
    uint32_t width, height;
    size_t stride; /* Bytes. */
    uint8_t *bgra; /* Premultiplied, as cairo's ARGB32 on this machine. */
};

/** All pixels, to be freed with tdm_image_free. A spoiled image is TDM_E_MALFORMED with a cause, or
 *  what of it could be decoded. */
enum tdm_err tdm_image_decode(struct tdm_image_pixels *pixels, const uint8_t *data, size_t size,
                              struct tdm_cause *cause);
void tdm_image_free(struct tdm_image_pixels *pixels);

#endif

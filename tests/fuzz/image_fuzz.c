/* SPDX-License-Identifier: MIT */
/*
 * Bytes are an image. Checked: what its head says is within the limits, the same of a longer file,
 * and small ones decode to as many pixels as the head said, or not at all.
 */

#include "board/image.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIXELS_TO_DECODE 65536 /* More only costs time. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_image_info info, longer;
    struct tdm_image_pixels pixels;
    struct tdm_cause cause;
    enum tdm_err err = tdm_image_look(&info, data, size);

    if (err != TDM_OK)
        return 0;
    assert(info.width > 0 && info.width <= TDM_IMAGE_SIDE_MAX);
    assert(info.height > 0 && info.height <= TDM_IMAGE_SIDE_MAX);
    assert((size_t)info.width * info.height <= TDM_IMAGE_PIXELS_MAX);
    assert(strncmp(tdm_image_mime(info.format), "image/", 6) == 0);

    uint8_t *copy = calloc(1, size + 16);

    assert(copy);
    memcpy(copy, data, size);
    err = tdm_image_look(&longer, copy, size + 16);
    assert(err == TDM_OK && longer.width == info.width && longer.height == info.height);
    free(copy);
    if (info.width * info.height > PIXELS_TO_DECODE)
        return 0;
    if (tdm_image_decode(&pixels, data, size, &cause) == TDM_OK) {
        assert(pixels.width == info.width && pixels.height == info.height);
        for (uint32_t y = 0; y < pixels.height; y++)
            for (uint32_t x = 0; x < pixels.width; x++) {
                const uint8_t *p = pixels.bgra + y * pixels.stride + 4 * (size_t)x;

                assert(p[0] <= p[3] && p[1] <= p[3] && p[2] <= p[3]);
            }
        tdm_image_free(&pixels);
    }
    return 0;
}

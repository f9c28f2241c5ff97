/* SPDX-License-Identifier: MIT */
#include "bench/blackbox/strip.h"

#include "engine/base/picture.h"
#include "engine/base/time_code.h"

#include <stdlib.h>

bool tdm_strip_init(struct tdm_strip *strip, int width)
{
    *strip = (struct tdm_strip){.width = width & ~1, .rows = tdm_time_code_rows(width)};
    if (width < TDM_TIME_CODE_WIDTH_MIN || width > TDM_PICTURE_SIDE_MAX || strip->rows == 0)
        return false;
    if (strip->rows < TDM_TIME_CODE_HEIGHT_MIN)
        strip->rows = TDM_TIME_CODE_HEIGHT_MIN;
    strip->pixels = malloc(tdm_picture_bytes(strip->width, strip->rows));
    return strip->pixels;
}

void tdm_strip_fini(struct tdm_strip *strip)
{
    free(strip->pixels);
}

void tdm_strip_paint(struct tdm_strip *strip, uint8_t *bgrx, size_t stride_bytes, tdm_time t)
{
    struct tdm_picture picture = {0};
    tdm_picture_over(&picture, strip->pixels, strip->width, strip->rows);
    tdm_picture_fill(&picture, 16, 128, 128);
    tdm_time_code_draw(&picture, t);
    for (int y = 0; y < strip->rows; y++) {
        const uint8_t *luma = picture.planes[0] + (ptrdiff_t)y * picture.strides[0];
        uint8_t *row = bgrx + (size_t)y * stride_bytes;
        for (int x = 0; x < strip->width; x++)
            row[4 * x] = row[4 * x + 1] = row[4 * x + 2] = luma[x] > 128 ? 255 : 0;
    }
}

bool tdm_strip_read(struct tdm_strip *strip, const uint8_t *bgrx, size_t stride_bytes, tdm_time *t)
{
    struct tdm_picture picture = {0};
    tdm_picture_over(&picture, strip->pixels, strip->width, strip->rows);
    for (int y = 0; y < strip->rows; y++) {
        uint8_t *luma = picture.planes[0] + (ptrdiff_t)y * picture.strides[0];
        const uint8_t *row = bgrx + (size_t)y * stride_bytes;
        for (int x = 0; x < strip->width; x++)
            luma[x] = row[4 * x + 1]; /* Green is most of the luma. */
    }
    return tdm_time_code_read(&picture, t);
}

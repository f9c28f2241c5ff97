/* SPDX-License-Identifier: MIT */
#include "collab/screen_pixels.h"

#include "engine/base/bgrx.h"

#define COLOUR 0xffffffu

bool tdm_screen_rect_fits(const struct tdm_screen_rect *rect, const struct tdm_screen_image *image)
{
    return rect->x >= 0 && rect->y >= 0 && rect->width > 0 && rect->height > 0 &&
           rect->width <= image->width && rect->x <= image->width - rect->width &&
           rect->height <= image->height && rect->y <= image->height - rect->height;
}

static uint32_t load(const uint8_t *pixel)
{
    uint32_t v;

    memcpy(&v, pixel, 4);
    return v & COLOUR;
}

bool tdm_screen_solid(const struct tdm_screen_rect *rect, const struct tdm_screen_source *source,
                      uint32_t *colour)
{
    *colour = load(source->pixels);
    for (int y = 0; y < rect->height; y++) {
        const uint8_t *row = source->pixels + y * source->stride;
        uint32_t differ = 0;

        for (int x = 0; x < rect->width; x++) {
            uint32_t v;

            memcpy(&v, row + (ptrdiff_t)x * 4, 4);
            differ |= v ^ *colour;
        }
        if (differ & COLOUR)
            return false;
    }
    return true;
}

void tdm_screen_fill(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                     uint32_t colour)
{
    colour &= COLOUR;
    for (int y = 0; y < rect->height; y++) {
        uint8_t *row = tdm_screen_at(seen, rect->x, rect->y + y);

        for (int x = 0; x < rect->width; x++)
            memcpy(row + (ptrdiff_t)x * 4, &colour, 4);
    }
}

void tdm_screen_put(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                    const struct tdm_screen_source *source)
{
    for (int y = 0; y < rect->height; y++) {
        tdm_bgrx_copy(tdm_screen_at(seen, rect->x, rect->y + y),
                      source->pixels + y * source->stride, (size_t)rect->width);
    }
}

static size_t raw_bytes(const struct tdm_screen_rect *rect)
{
    return (size_t)rect->width * (size_t)rect->height * 3;
}

void tdm_screen_raw_encode(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                           const struct tdm_screen_source *source, struct tdm_writer *w)
{
    uint8_t *to = tdm_write_reserve(w, raw_bytes(rect));

    if (!to)
        return;
    for (int y = 0; y < rect->height; y++) {
        const uint8_t *from = source->pixels + y * source->stride;

        for (int x = 0; x < rect->width; x++, to += 3)
            memcpy(to, from + (ptrdiff_t)x * 4, 3);
    }
    tdm_screen_put(seen, rect, source);
}

void tdm_screen_raw_decode(const struct tdm_screen_image *seen, const struct tdm_screen_rect *rect,
                           struct tdm_reader *r)
{
    const uint8_t *from = tdm_read_bytes(r, raw_bytes(rect));

    for (int y = 0; from && y < rect->height; y++) {
        uint8_t *row = tdm_screen_at(seen, rect->x, rect->y + y);

        for (int x = 0; x < rect->width; x++, row += 4, from += 3) {
            memcpy(row, from, 3);
            row[3] = 0;
        }
    }
}

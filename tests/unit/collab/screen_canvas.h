/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SCREEN_CANVAS_H
#define TESTS_SCREEN_CANVAS_H

/*
 * Pictures for the tests of the screen's coders, drawn from a seed: something like text with soft
 * edges, something like a photograph, flat areas, noise. The fourth byte of each pixel is anything,
 * as that of a capture.
 */

#include "collab/screen_pixels.h"
#include "engine/base/rng.h"

#include <stdlib.h>

static inline void canvas_dot(const struct tdm_screen_image *image, int x, int y, uint32_t colour)
{
    if (x >= 0 && y >= 0 && x < image->width && y < image->height)
        memcpy(tdm_screen_at(image, x, y), &colour, 4);
}

static inline void canvas_flat(const struct tdm_screen_image *image, struct tdm_rng *rng)
{
    uint32_t colour = tdm_rng_u32(rng);

    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            canvas_dot(image, x, y, colour);
}

/* One of 26 letters, 6 x 9 dots with soft edges, always the same for the same letter. */
static inline void canvas_letter(const struct tdm_screen_image *image, int x, int y, int letter,
                                 uint32_t ink)
{
    struct tdm_rng shape = tdm_rng_of((uint64_t)letter);

    for (int v = 0; v < 9; v++) {
        for (int u = 0; u < 6; u++) {
            uint32_t kind = tdm_rng_below(&shape, 4), shade = 0x505050u * kind;

            if (kind < 3)
                canvas_dot(image, x + u, y + v, kind ? shade : ink);
        }
    }
}

static inline void canvas_word(const struct tdm_screen_image *image, int x, int y, const char *word)
{
    for (; *word; word++, x += 8)
        canvas_letter(image, x, y, *word, 0x101010);
}

static inline void canvas_text(const struct tdm_screen_image *image, struct tdm_rng *rng)
{
    canvas_flat(image, rng);
    for (int y = 2; y < image->height; y += 14)
        for (int x = 2; x < image->width; x += 8)
            if (tdm_rng_below(rng, 6))
                canvas_letter(image, x, y, (int)tdm_rng_below(rng, 26), 0x203040);
}

/* Slopes and grain. */
static inline void canvas_photo(const struct tdm_screen_image *image, struct tdm_rng *rng)
{
    int a = (int)tdm_rng_below(rng, 7), b = (int)tdm_rng_below(rng, 5);

    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            int base = 90 + abs((x * a + y * b) % 120 - 60) + (int)tdm_rng_below(rng, 9);
            uint32_t v = (uint32_t)base;

            canvas_dot(image, x, y,
                       (v + tdm_rng_below(rng, 4)) << 16 | v << 8 | (v / 2 + (uint32_t)(x & 31)) |
                           tdm_rng_u32(rng) << 24);
        }
    }
}

static inline void canvas_noise(const struct tdm_screen_image *image, struct tdm_rng *rng)
{
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            canvas_dot(image, x, y, tdm_rng_u32(rng));
}

static inline void canvas_any(const struct tdm_screen_image *image, struct tdm_rng *rng)
{
    static void (*const kinds[])(const struct tdm_screen_image *, struct tdm_rng *) = {
        canvas_flat, canvas_text, canvas_text, canvas_photo, canvas_noise};

    kinds[tdm_rng_below(rng, sizeof kinds / sizeof *kinds)](image, rng);
}

static inline struct tdm_screen_image canvas_make(int width, int height)
{
    struct tdm_screen_image image = {calloc((size_t)width * (size_t)height, 4),
                                     (ptrdiff_t)width * 4, width, height};

    if (!image.pixels)
        abort();
    return image;
}

static inline struct tdm_screen_rect canvas_rect(const struct tdm_screen_image *image,
                                                 struct tdm_rng *rng)
{
    int x = (int)tdm_rng_below(rng, (uint32_t)image->width);
    int y = (int)tdm_rng_below(rng, (uint32_t)image->height);

    return (struct tdm_screen_rect){x, y, 1 + (int)tdm_rng_below(rng, (uint32_t)(image->width - x)),
                                    1 + (int)tdm_rng_below(rng, (uint32_t)(image->height - y))};
}

static inline bool canvas_equal(const struct tdm_screen_image *a, const struct tdm_screen_image *b)
{
    return !memcmp(a->pixels, b->pixels, (size_t)a->stride * (size_t)a->height);
}

/* Has the image the source's colours there, and zero beside them? */
static inline bool canvas_shows(const struct tdm_screen_image *image,
                                const struct tdm_screen_rect *rect,
                                const struct tdm_screen_source *source)
{
    for (int y = 0; y < rect->height; y++) {
        for (int x = 0; x < rect->width; x++) {
            const uint8_t *p = tdm_screen_at(image, rect->x + x, rect->y + y);
            const uint8_t *q = source->pixels + y * source->stride + (ptrdiff_t)x * 4;

            if (memcmp(p, q, 3) != 0 || p[3])
                return false;
        }
    }
    return true;
}

#endif

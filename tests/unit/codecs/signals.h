/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_CODECS_SIGNALS_H
#define TDM_TESTS_CODECS_SIGNALS_H

/* Pictures and sounds that the codec tests make themselves, and how far two of them differ. */

#include "engine/base/picture.h"
#include "engine/base/rng.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct canvas {
    struct tdm_picture pic;
    uint8_t *storage;
};

static inline struct canvas canvas_of(int width, int height)
{
    struct canvas c;

    c.storage = malloc(tdm_picture_bytes(width, height));
    assert(c.storage);
    tdm_picture_over(&c.pic, c.storage, width, height);
    return c;
}

static inline uint8_t clip_to_byte(double value)
{
    return (uint8_t)(value < 16 ? 16 : value > 235 ? 235 : value);
}

#define SCENE_SIDE_MAX 2048

/* The sums of waves that the scene is made of, one entry a column or row. */
struct wave {
    double broad[SCENE_SIDE_MAX], sine[SCENE_SIDE_MAX], cosine[SCENE_SIDE_MAX];
};

static inline void wave_fill(struct wave *w, int count, double start, double step, double broad,
                             double fine, double shift)
{
    for (int i = 0; i < count; i++) {
        double at = start + i * step;

        w->broad[i] = sin(at * broad + shift);
        w->sine[i] = sin(at * fine);
        w->cosine[i] = cos(at * fine);
    }
}

/* Adds sensor noise of two steps up or down to a row, as a camera gives. */
static inline void add_grain(uint8_t *row, int width, struct tdm_rng *rng)
{
    uint64_t noise = 0;

    for (int x = 0; x < width; x++) {
        if (x % 16 == 0)
            noise = tdm_rng_u64(rng);
        row[x] = (uint8_t)(row[x] + (noise >> x % 16 * 4 & 3) - 1);
    }
}

/* A textured background that pans, a patterned disc that swings across it, and grain: movement,
 * detail and noise. Another `cut` is another scene. */
static inline void draw_scene(struct tdm_picture *pic, int frame, int cut)
{
    static struct wave across, down;
    struct tdm_rng rng = tdm_rng_of((uint64_t)frame + 1);
    double pan = frame * 0.7, scale = 640.0 / pic->width;
    int disc_x = (int)(pic->width * (0.5 + 0.3 * sin(frame * 0.11))), disc_y = pic->height / 2;
    int radius = pic->height * 22 / 100;

    assert(pic->width <= SCENE_SIDE_MAX && pic->height <= SCENE_SIDE_MAX);
    wave_fill(&across, pic->width, pan * scale, scale, 0.05, 0.31, cut);
    wave_fill(&down, pic->height, cut * 97, scale, 0.07, 0.23, M_PI / 2);
    for (int y = 0; y < pic->height; y++) {
        uint8_t *row = pic->planes[0] + (ptrdiff_t)y * pic->strides[0];

        for (int x = 0; x < pic->width; x++) {
            int dx = x - disc_x, dy = y - disc_y;
            double value = 120 + 40 * across.broad[x] * down.broad[y] +
                           18 * (across.sine[x] * down.cosine[y] + across.cosine[x] * down.sine[y]);

            if (dx * dx + dy * dy < radius * radius)
                value = 150 + 45 * across.sine[(dx + radius) % pic->width] * down.sine[y];
            row[x] = clip_to_byte(value);
        }
        add_grain(row, pic->width, &rng);
    }
    for (int plane = 1; plane < 3; plane++)
        for (int y = 0; y < pic->height / 2; y++)
            for (int x = 0; x < pic->width / 2; x++)
                pic->planes[plane][y * pic->strides[plane] + x] =
                    clip_to_byte(128 + 30 * across.broad[2 * x] * (plane == 1 ? 1 : -1));
}

/* Of the luma, in decibels. */
static inline double picture_psnr(const struct tdm_picture *a, const struct tdm_picture *b)
{
    double sum = 0;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            double d = a->planes[0][y * a->strides[0] + x] - b->planes[0][y * b->strides[0] + x];

            sum += d * d;
        }
    return 10 * log10(255.0 * 255.0 * a->width * a->height / (sum + 1e-9));
}

/* Voice-like: a 140 Hz pulse train with a glide, through three formant-like partial groups, in
 * syllables of a quarter of a second. `at` counts samples from the start. */
static inline int16_t voice_at(uint64_t at, uint32_t hz)
{
    double t = (double)at / hz, phase = 2 * M_PI * (140 * t + 6 * sin(2 * M_PI * 0.7 * t));
    double sum = 0, syllable = 0.55 + 0.45 * sin(2 * M_PI * 4 * t);

    for (int k = 1; k <= 20; k++) {
        double f = 140.0 * k;
        double formants = exp(-pow((f - 600) / 250, 2)) + 0.5 * exp(-pow((f - 1500) / 300, 2)) +
                          0.25 * exp(-pow((f - 2500) / 350, 2));

        sum += formants * sin(k * phase);
    }
    return (int16_t)(5000 * syllable * sum);
}

static inline int16_t sine_at(uint64_t at, uint32_t hz, double frequency)
{
    return (int16_t)lrint(10000 * sin(2 * M_PI * frequency * (double)at / hz));
}

/* Signal to noise of `b` against `a` in decibels. */
static inline double sound_snr(const int16_t *a, const int16_t *b, size_t count)
{
    double signal = 1e-9, noise = 1e-9;

    for (size_t i = 0; i < count; i++) {
        signal += (double)a[i] * a[i];
        noise += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return 10 * log10(signal / noise);
}

static inline double sound_rms(const int16_t *a, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * a[i];
    return sqrt(sum / (double)count);
}

#endif

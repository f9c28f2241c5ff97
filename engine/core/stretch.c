/* SPDX-License-Identifier: MIT */
#include "engine/core/stretch.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#define SILENT_PEAK  100 /* Of a sample, */
#define STRIKE       2   /* and a sound that is so much louder than its neighbour begins there. */
#define SILENT_POWER 900.0f /* Mean square of a sample: about -60 dB of full scale. */

struct tdm_stretch tdm_stretch_of(uint32_t sample_hz)
{
    uint32_t stride = sample_hz / 8000;

    return (struct tdm_stretch){
        .lag_min = sample_hz / 400,
        .lag_max = sample_hz / 80,
        .window = sample_hz / 200,
        .stride = stride ? stride : 1,
    };
}

/* Mono value of one interleaved sample. */
static float mono(const int16_t *at, uint32_t channels)
{
    return channels == 2 ? 0.5f * ((float)at[0] + (float)at[1]) : at[0];
}

/* Normalised correlation of `count` samples, `stride` apart, from a and from b; 1 when both are
 * silent, so that silence resembles itself at every lag. */
static float correlate(const int16_t *a, const int16_t *b, uint32_t count, uint32_t stride,
                       uint32_t channels)
{
    float ab = 0, aa = 0, bb = 0;
    uint32_t terms = count / stride;
    size_t step = (size_t)stride * channels;

    for (uint32_t i = 0; i < terms; i++) {
        float x = mono(a + i * step, channels);
        float y = mono(b + i * step, channels);

        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    float silent = SILENT_POWER * (float)terms;
    if (aa < silent && bb < silent)
        return 1;
    return aa > 0 && bb > 0 ? ab / sqrtf(aa * bb) : 0;
}

/* The lag of best resemblance in direction `sign`, or 0. A later lag must be clearly better. */
static uint32_t find_lag(const struct tdm_stretch *s, const int16_t *line, int sign,
                         uint32_t channels, float resemblance)
{
    uint32_t coarse = 0, best = 0;
    float coarse_score = 0, best_score = -1;

    for (uint32_t lag = s->lag_max; lag >= s->lag_min; lag -= s->stride) {
        const int16_t *other = line + sign * (ptrdiff_t)lag * channels;
        float score = correlate(line, other, s->window, s->stride, channels);

        if (score > coarse_score) {
            coarse = lag;
            coarse_score = score;
        }
    }
    if (coarse_score < 0.8f * resemblance)
        return 0;
    uint32_t first = coarse > s->lag_min + s->stride ? coarse - s->stride : s->lag_min;
    uint32_t last = coarse + s->stride < s->lag_max ? coarse + s->stride : s->lag_max;
    for (uint32_t lag = last; lag >= first; lag--) {
        const int16_t *other = line + sign * (ptrdiff_t)lag * channels;
        float score = correlate(line, other, s->window, 1, channels);

        if (score > best_score) {
            best = lag;
            best_score = score;
        }
    }
    return best_score >= resemblance ? best : 0;
}

/* to[i] goes from from[i] to to[i] over `count` samples, along a raised cosine. */
static void cross_fade(const int16_t *from, int16_t *to, uint32_t count, uint32_t channels)
{
    const float pi = 3.14159265f;

    for (uint32_t i = 0; i < count; i++) {
        float in = 0.5f - 0.5f * cosf(pi * ((float)i + 0.5f) / (float)count);

        for (uint32_t c = 0; c < channels; c++) {
            size_t at = (size_t)i * channels + c;

            to[at] = (int16_t)lrintf((1 - in) * (float)from[at] + in * (float)to[at]);
        }
    }
}

static int peak_of(const int16_t *at, uint32_t count, uint32_t channels)
{
    int peak = 0;

    for (size_t i = 0; i < (size_t)count * channels; i++) {
        int size = at[i] < 0 ? -at[i] : at[i];

        peak = size > peak ? size : peak;
    }
    return peak;
}

/* Does something strike in `part` that its neighbour does not have? A period of a voice is like
 * the next one; a consonant, a click or a drum heard twice, or not at all, is not. */
static bool strikes(const int16_t *part, uint32_t part_count, const int16_t *neighbour,
                    uint32_t count, uint32_t channels)
{
    return peak_of(part, part_count, channels) >
           STRIKE * peak_of(neighbour, count, channels) + SILENT_PEAK;
}

static uint32_t less(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t tdm_stretch_shrink(const struct tdm_stretch *s, int16_t *line, uint32_t after,
                            uint32_t channels, float resemblance)
{
    if (after < s->lag_max + s->window)
        return 0;
    uint32_t lag = find_lag(s, line, 1, channels, resemblance);
    const int16_t *kept = line + (size_t)lag * channels;

    if (strikes(line, lag, kept, less(lag, after - lag), channels))
        return 0;
    if (lag)
        cross_fade(line, line + (size_t)lag * channels, s->window, channels);
    return lag;
}

uint32_t tdm_stretch_grow(const struct tdm_stretch *s, int16_t *line, uint32_t before,
                          uint32_t after, uint32_t channels, float resemblance)
{
    if (before < s->lag_max || after < s->window)
        return 0;
    uint32_t lag = find_lag(s, line, -1, channels, resemblance);
    uint32_t earlier = less(lag, before - lag);
    const int16_t *twice = line - (size_t)lag * channels;

    if (earlier >= s->lag_min &&
        strikes(twice, lag, twice - (size_t)earlier * channels, earlier, channels))
        return 0;
    /* The fade may not run into the samples that it fades from. */
    if (lag)
        cross_fade(line, line - (size_t)lag * channels, lag < s->window ? lag : s->window,
                   channels);
    return lag;
}

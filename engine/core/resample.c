/* SPDX-License-Identifier: MIT */
#include "engine/core/resample.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define KAISER_BETA 7.0

/* Modified Bessel function of order zero, by its power series. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;

    for (int k = 1; k < 32; k++) {
        term *= x / (2.0 * k) * (x / (2.0 * k));
        sum += term;
    }
    return sum;
}

static double windowed_sinc(double t)
{
    const double pi = 3.14159265358979323846;
    double edge = 2 * t / TDM_RESAMPLE_TAPS;

    if (edge <= -1 || edge >= 1)
        return 0;
    double window = bessel_i0(KAISER_BETA * sqrt(1 - edge * edge)) / bessel_i0(KAISER_BETA);
    return fabs(t) < 1e-12 ? window : window * sin(pi * t) / (pi * t);
}

void tdm_resample_init(struct tdm_resample *r)
{
    r->fraction = 0;
    for (int phase = 0; phase <= TDM_RESAMPLE_PHASES; phase++) {
        double row[TDM_RESAMPLE_TAPS], sum = 0;
        double shift = (double)phase / TDM_RESAMPLE_PHASES;

        for (int k = 0; k < TDM_RESAMPLE_TAPS; k++) {
            row[k] = windowed_sinc(k - TDM_RESAMPLE_BEFORE - shift);
            sum += row[k];
        }
        for (int k = 0; k < TDM_RESAMPLE_TAPS; k++)
            r->taps[phase][k] = (float)(row[k] / sum); /* A constant stays that constant. */
    }
}

uint32_t tdm_resample_span(const struct tdm_resample *r, uint32_t count, double ratio)
{
    return (uint32_t)(r->fraction + count * ratio);
}

static int16_t clip(float x)
{
    return (int16_t)lrintf(x > 32767.0f ? 32767.0f : x < -32768.0f ? -32768.0f : x);
}

/* One channel of one sample between line[0] and line[channels]. */
static int16_t interpolate(const struct tdm_resample *r, const int16_t *line, double fraction,
                           uint32_t channels)
{
    float scaled = (float)(fraction * TDM_RESAMPLE_PHASES);
    int phase = (int)scaled;
    float weight, low = 0, high = 0;

    phase = phase < TDM_RESAMPLE_PHASES ? phase : TDM_RESAMPLE_PHASES - 1;
    weight = scaled - (float)phase;
    line -= (ptrdiff_t)TDM_RESAMPLE_BEFORE * channels;
    for (int k = 0; k < TDM_RESAMPLE_TAPS; k++) {
        float x = line[(size_t)k * channels];

        low += r->taps[phase][k] * x;
        high += r->taps[phase + 1][k] * x;
    }
    return clip(low + weight * (high - low));
}

uint32_t tdm_resample_run(struct tdm_resample *r, const int16_t *line, int16_t *out, uint32_t count,
                          double ratio, uint32_t channels)
{
    double end = r->fraction + count * ratio;
    uint32_t moved = (uint32_t)end;

    if (out && ratio == 1.0 && r->fraction == 0) {
        memcpy(out, line, (size_t)count * channels * sizeof *out);
    } else if (out) {
        for (uint32_t i = 0; i < count; i++) {
            double at = r->fraction + i * ratio;
            uint32_t whole = (uint32_t)at;

            for (uint32_t c = 0; c < channels; c++)
                out[(size_t)i * channels + c] =
                    interpolate(r, line + (size_t)whole * channels + c, at - whole, channels);
        }
    }
    r->fraction = end - moved;
    return moved;
}

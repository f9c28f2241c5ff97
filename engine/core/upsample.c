/* SPDX-License-Identifier: MIT */
#include "engine/core/upsample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define PI     3.14159265358979323846
#define CUTOFF 0.92 /* Of the input's Nyquist frequency. */

static double sinc(double x)
{
    return fabs(x) < 1e-9 ? 1 : sin(PI * x) / (PI * x);
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

void tdm_upsample_init(struct tdm_upsample *u, uint32_t from_hz, uint32_t to_hz, uint32_t channels)
{
    assert(from_hz && to_hz >= from_hz);
    assert(channels >= 1 && channels <= TDM_UPSAMPLE_CHANNELS_MAX);
    uint32_t divisor = common_divisor(to_hz, from_hz);

    memset(u, 0, sizeof *u);
    u->phases = to_hz / divisor;
    u->step = from_hz / divisor;
    u->channels = channels;
    assert(u->phases <= TDM_UPSAMPLE_PHASES_MAX);
    for (uint32_t phase = 0; phase < u->phases; phase++) {
        double sum = 0;

        for (int tap = 0; tap < TDM_UPSAMPLE_TAPS; tap++) {
            double x = TDM_UPSAMPLE_TAPS / 2.0 - tap - 1 + (double)phase / u->phases;
            double window = 0.5 + 0.5 * cos(PI * x / (TDM_UPSAMPLE_TAPS / 2.0));
            double value = CUTOFF * sinc(CUTOFF * x) * (window > 0 ? window : 0);

            u->taps[phase][tap] = (float)value;
            sum += value;
        }
        for (int tap = 0; tap < TDM_UPSAMPLE_TAPS; tap++)
            u->taps[phase][tap] /= (float)sum;
    }
}

static int16_t clamp(float value)
{
    return value > 32767 ? 32767 : value < -32768 ? -32768 : (int16_t)lrintf(value);
}

static void push(float *history, int16_t sample)
{
    memmove(&history[0], &history[1], (TDM_UPSAMPLE_TAPS - 1) * sizeof *history);
    history[TDM_UPSAMPLE_TAPS - 1] = sample;
}

static float weigh(const float *taps, const float *history)
{
    float sum = 0;

    for (int tap = 0; tap < TDM_UPSAMPLE_TAPS; tap++)
        sum += taps[tap] * history[tap];
    return sum;
}

uint32_t tdm_upsample_run(struct tdm_upsample *u, const int16_t *in, uint32_t in_samples,
                          int16_t *out)
{
    uint32_t made = 0;

    for (uint32_t i = 0; i < in_samples; i++) {
        for (uint32_t c = 0; c < u->channels; c++)
            push(u->history[c], *in++);
        for (; u->phase < u->phases; u->phase += u->step, made++)
            for (uint32_t c = 0; c < u->channels; c++)
                *out++ = clamp(weigh(u->taps[u->phase], u->history[c]));
        u->phase -= u->phases;
    }
    return made;
}

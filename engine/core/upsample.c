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

void tdm_upsample_init(struct tdm_upsample *u, uint32_t factor)
{
    assert(factor >= 1 && factor <= TDM_UPSAMPLE_FACTOR_MAX);
    memset(u, 0, sizeof *u);
    u->factor = factor;
    for (uint32_t phase = 0; phase < factor; phase++) {
        double sum = 0;

        for (int tap = 0; tap < TDM_UPSAMPLE_TAPS; tap++) {
            double x = TDM_UPSAMPLE_TAPS / 2.0 - tap - 1 + (double)phase / factor;
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

void tdm_upsample_run(struct tdm_upsample *u, const int16_t *in, uint32_t in_samples, int16_t *out)
{
    for (uint32_t i = 0; i < in_samples; i++) {
        memmove(&u->history[0], &u->history[1], (TDM_UPSAMPLE_TAPS - 1) * sizeof u->history[0]);
        u->history[TDM_UPSAMPLE_TAPS - 1] = in[i];
        for (uint32_t phase = 0; phase < u->factor; phase++) {
            float sum = 0;

            for (int tap = 0; tap < TDM_UPSAMPLE_TAPS; tap++)
                sum += u->taps[phase][tap] * u->history[tap];
            *out++ = clamp(sum);
        }
    }
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/resample.h"

#include "engine/base/cpu.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if TDM_CPU_X86
#include <immintrin.h>
#endif

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

typedef const float taps_row[TDM_RESAMPLE_TAPS];

/* The first of the two rows of taps that it lies between, and how far from that. */
static taps_row *rows_at(const struct tdm_resample *r, double fraction, float *weight)
{
    float scaled = (float)(fraction * TDM_RESAMPLE_PHASES);
    int phase = (int)scaled;

    phase = phase < TDM_RESAMPLE_PHASES ? phase : TDM_RESAMPLE_PHASES - 1;
    *weight = scaled - (float)phase;
    return &r->taps[phase];
}

/* Four sums, each of every fourth product, as a vector has them. */
static void interpolate_plain(const struct tdm_resample *r, const int16_t *line, double fraction,
                              int16_t *out, uint32_t channels)
{
    float weight;
    taps_row *rows = rows_at(r, fraction, &weight);

    line -= (ptrdiff_t)TDM_RESAMPLE_BEFORE * channels;
    for (uint32_t c = 0; c < channels; c++) {
        float sums[4] = {0};

        for (size_t k = 0; k < TDM_RESAMPLE_TAPS; k++)
            sums[k % 4] +=
                (rows[0][k] + weight * (rows[1][k] - rows[0][k])) * line[k * channels + c];
        out[c] = clip((sums[0] + sums[2]) + (sums[1] + sums[3]));
    }
}

#if TDM_CPU_X86
/* Four taps from `k` on. */
static inline __m128 taps_at(taps_row *rows, int k, __m128 weight)
{
    __m128 from = _mm_loadu_ps(rows[0] + k), to = _mm_loadu_ps(rows[1] + k);

    return _mm_add_ps(from, _mm_mul_ps(weight, _mm_sub_ps(to, from)));
}

/* The low or high four of eight samples. */
static inline __m128 low_samples(__m128i x)
{
    return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(x, x), 16));
}

static inline __m128 high_samples(__m128i x)
{
    return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpackhi_epi16(x, x), 16));
}

static void one_channel(taps_row *rows, __m128 weight, const int16_t *line, int16_t *out)
{
    __m128 sums = _mm_setzero_ps();

    for (int k = 0; k < TDM_RESAMPLE_TAPS; k += 8) {
        __m128i x = _mm_loadu_si128((const __m128i *)(line + k));

        sums = _mm_add_ps(sums, _mm_mul_ps(taps_at(rows, k, weight), low_samples(x)));
        sums = _mm_add_ps(sums, _mm_mul_ps(taps_at(rows, k + 4, weight), high_samples(x)));
    }
    __m128 pairs = _mm_add_ps(sums, _mm_movehl_ps(sums, sums));

    *out = clip(_mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1))));
}

/* The first two of four taps meet samples 0 and 1 of both channels, the others 2 and 3. */
static void two_channels(taps_row *rows, __m128 weight, const int16_t *line, int16_t *out)
{
    __m128 even = _mm_setzero_ps(), odd = even;

    for (int k = 0; k < TDM_RESAMPLE_TAPS; k += 4) {
        __m128i x = _mm_loadu_si128((const __m128i *)(line + (ptrdiff_t)k * 2));
        __m128 taps = taps_at(rows, k, weight);

        even = _mm_add_ps(even, _mm_mul_ps(_mm_unpacklo_ps(taps, taps), low_samples(x)));
        odd = _mm_add_ps(odd, _mm_mul_ps(_mm_unpackhi_ps(taps, taps), high_samples(x)));
    }
    __m128 pairs = _mm_add_ps(even, odd);
    __m128 both = _mm_add_ps(pairs, _mm_movehl_ps(pairs, pairs));

    out[0] = clip(_mm_cvtss_f32(both));
    out[1] = clip(_mm_cvtss_f32(_mm_shuffle_ps(both, both, 1)));
}

static void interpolate_sse2(const struct tdm_resample *r, const int16_t *line, double fraction,
                             int16_t *out, uint32_t channels)
{
    float weight;
    taps_row *rows = rows_at(r, fraction, &weight);
    const int16_t *first = line - (ptrdiff_t)TDM_RESAMPLE_BEFORE * channels;

    if (channels == 1)
        one_channel(rows, _mm_set1_ps(weight), first, out);
    else if (channels == 2)
        two_channels(rows, _mm_set1_ps(weight), first, out);
    else
        interpolate_plain(r, line, fraction, out, channels);
}
#endif

const struct tdm_resample_variant tdm_resample_variants[] = {
    {"plain", 0, interpolate_plain},
#if TDM_CPU_X86
    {"sse2", 0, interpolate_sse2},
#endif
};
const size_t tdm_resample_variant_count =
    sizeof tdm_resample_variants / sizeof *tdm_resample_variants;

uint32_t tdm_resample_run(struct tdm_resample *r, const int16_t *line, int16_t *out, uint32_t count,
                          double ratio, uint32_t channels)
{
    /* None needs more than the baseline. */
    const struct tdm_resample_variant *best =
        &tdm_resample_variants[tdm_resample_variant_count - 1];
    double end = r->fraction + count * ratio;
    uint32_t moved = (uint32_t)end;

    if (out && ratio == 1.0 && r->fraction == 0) {
        memcpy(out, line, (size_t)count * channels * sizeof *out);
    } else if (out) {
        for (uint32_t i = 0; i < count; i++) {
            double at = r->fraction + i * ratio;
            uint32_t whole = (uint32_t)at;

            best->interpolate(r, line + (size_t)whole * channels, at - whole,
                              out + (size_t)i * channels, channels);
        }
    }
    r->fraction = end - moved;
    return moved;
}

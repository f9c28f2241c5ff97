/* SPDX-License-Identifier: MIT */
#include "engine/base/chirp.h"

#include <math.h>
#include <string.h>

#define PI         3.14159265358979323846
#define LOW_HZ     1000.0
#define HIGH_HZ    3200.0
#define DURATION_S (TDM_CHIRP_MS / 1000.0)
#define FADE_PART  0.25 /* Of the chirp, raised cosine at each end. */
#define LOWPASS_HZ 4200.0
#define SCORE_MIN  0.16f  /* Squared correlation: 0.4 of a perfect match. */
#define ENERGY_MIN 200.0f /* Per sample, below which there is only silence (-66 dBFS). */
/* No better peak for so long: it is the one. */
#define HOLD_SAMPLES (TDM_CHIRP_TEMPLATE_TAPS / 2)

enum { LOWPASS_DELAY = (TDM_CHIRP_LOWPASS_TAPS - 1) / 2 }; /* Samples. */

static double phase_at(double t)
{
    return 2 * PI * (LOW_HZ * t + (HIGH_HZ - LOW_HZ) * t * t / (2 * DURATION_S));
}

static double window_at(double t)
{
    double part = t / DURATION_S;

    if (part < 0 || part > 1)
        return 0;
    if (part > 0.5)
        part = 1 - part;
    return part >= FADE_PART ? 1 : 0.5 - 0.5 * cos(PI * part / FADE_PART);
}

uint32_t tdm_chirp_samples(uint32_t sample_hz)
{
    return sample_hz * TDM_CHIRP_MS / 1000;
}

float tdm_chirp_sample(uint32_t index, uint32_t sample_hz)
{
    double t = (double)index / sample_hz;

    return (float)(window_at(t) * sin(phase_at(t)));
}

void tdm_chirp_detector_init(struct tdm_chirp_detector *d)
{
    double cutoff = LOWPASS_HZ / TDM_CHIRP_DETECTOR_HZ;
    float sum = 0;
    double energy = 0;

    memset(d, 0, sizeof *d);
    for (int i = 0; i < TDM_CHIRP_LOWPASS_TAPS; i++) {
        double x = i - LOWPASS_DELAY;
        double sinc = i == LOWPASS_DELAY ? 2 * cutoff : sin(2 * PI * cutoff * x) / (PI * x);

        d->lowpass[i] = (float)(sinc * (0.54 + 0.46 * cos(PI * x / (LOWPASS_DELAY + 1))));
        sum += d->lowpass[i];
    }
    for (int i = 0; i < TDM_CHIRP_LOWPASS_TAPS; i++)
        d->lowpass[i] /= sum;
    for (int i = 0; i < TDM_CHIRP_TEMPLATE_TAPS; i++) {
        double t = (double)i * TDM_CHIRP_DECIMATION / TDM_CHIRP_DETECTOR_HZ;

        d->template_re[i] = (float)(window_at(t) * sin(phase_at(t)));
        d->template_im[i] = (float)(window_at(t) * cos(phase_at(t)));
        energy += (double)d->template_re[i] * d->template_re[i];
    }
    for (int i = 0; i < TDM_CHIRP_TEMPLATE_TAPS; i++) {
        d->template_re[i] /= (float)sqrt(energy);
        d->template_im[i] /= (float)sqrt(energy);
    }
}

/* Squared correlation 0..1 of the newest template-length window. */
static float score_window(const struct tdm_chirp_detector *d)
{
    const float *x = d->history + d->history_at;
    float re = 0, im = 0, energy = 0;

    for (int i = 0; i < TDM_CHIRP_TEMPLATE_TAPS; i++) {
        re += x[i] * d->template_re[i];
        im += x[i] * d->template_im[i];
        energy += x[i] * x[i];
    }
    return energy < ENERGY_MIN * TDM_CHIRP_TEMPLATE_TAPS ? 0 : (re * re + im * im) / energy;
}

static float lowpass(const struct tdm_chirp_detector *d)
{
    const float *x = d->input + d->input_at;
    float sum = 0;

    for (int i = 0; i < TDM_CHIRP_LOWPASS_TAPS; i++)
        sum += x[i] * d->lowpass[i];
    return sum;
}

/* Looks at the middle of the last three scores; a local maximum above the threshold is a
 * candidate, whose place is refined by the parabola through the three. */
static void consider_peak(struct tdm_chirp_detector *d)
{
    float before = d->score[0], peak = d->score[1], after = d->score[2];

    if (peak < SCORE_MIN || peak < before || peak < after || peak <= d->best_score)
        return;
    float bend = before - 2 * peak + after;
    double shift = bend < 0 ? 0.5 * (double)(before - after) / bend : 0;
    /* The middle window ended one decimated sample ago, at input sample `end`. */
    double first = (double)(d->input_count - 1 - LOWPASS_DELAY) -
                   TDM_CHIRP_DECIMATION * (double)TDM_CHIRP_TEMPLATE_TAPS;

    d->best_score = peak;
    d->best_at = d->history_count;
    d->best_arrival = first + shift * TDM_CHIRP_DECIMATION;
}

bool tdm_chirp_detector_push(struct tdm_chirp_detector *d, float sample, double *arrival)
{
    d->input[d->input_at] = d->input[d->input_at + TDM_CHIRP_LOWPASS_TAPS] = sample;
    d->input_at = (d->input_at + 1) % TDM_CHIRP_LOWPASS_TAPS;
    d->input_count++;
    if (d->input_count % TDM_CHIRP_DECIMATION)
        return false;
    float x = lowpass(d);

    d->history[d->history_at] = d->history[d->history_at + TDM_CHIRP_TEMPLATE_TAPS] = x;
    d->history_at = (d->history_at + 1) % TDM_CHIRP_TEMPLATE_TAPS;
    d->history_count++;
    d->score[0] = d->score[1];
    d->score[1] = d->score[2];
    d->score[2] = score_window(d);
    consider_peak(d);
    if (d->best_score <= 0 || d->history_count - d->best_at < HOLD_SAMPLES)
        return false;
    *arrival = d->best_arrival;
    d->best_score = 0;
    return true;
}

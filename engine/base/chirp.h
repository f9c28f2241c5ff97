/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_CHIRP_H
#define TDM_BASE_CHIRP_H

/*
 * A marker that can be heard back: a 25 ms linear chirp from 1.0 to 3.2 kHz, inside what G.711 and
 * every Opus rate carry, and a streaming matched filter that says when it arrived. The filter works
 * on the envelope (both quadratures), so a codec's phase response does not move the answer, and on
 * correlation normalised by the signal's energy, so that loudness does not matter.
 *
 * Pure: no clock, no allocation; all memory is in the struct.
 */

#include <stdbool.h>
#include <stdint.h>

#define TDM_CHIRP_MS           25
#define TDM_CHIRP_DETECTOR_HZ  48000
#define TDM_CHIRP_DECIMATION   4
#define TDM_CHIRP_LOWPASS_TAPS 33

enum {
    TDM_CHIRP_TEMPLATE_TAPS = TDM_CHIRP_MS * TDM_CHIRP_DETECTOR_HZ / TDM_CHIRP_DECIMATION / 1000,
};

/** Samples of the whole chirp at a rate. */
uint32_t tdm_chirp_samples(uint32_t sample_hz);

/** Sample `index` of the chirp at a rate, -1..1; 0 outside of it. */
float tdm_chirp_sample(uint32_t index, uint32_t sample_hz);

/** Finds chirps in a 48 kHz stream. */
struct tdm_chirp_detector {
    float template_re[TDM_CHIRP_TEMPLATE_TAPS], template_im[TDM_CHIRP_TEMPLATE_TAPS];
    float lowpass[TDM_CHIRP_LOWPASS_TAPS];
    float input[2 * TDM_CHIRP_LOWPASS_TAPS];    /* Twice, so that a window is contiguous. */
    float history[2 * TDM_CHIRP_TEMPLATE_TAPS]; /* Decimated, twice. */
    uint32_t input_at, history_at;
    int64_t input_count, history_count;
    float score[3];   /* Of the last three decimated samples, oldest first. */
    float best_score; /* Of the peak being held; 0 when none. */
    double best_arrival;
    int64_t best_at; /* In decimated samples. */
};

void tdm_chirp_detector_init(struct tdm_chirp_detector *d);

/**
 * Takes one mono sample (-32768..32767). True when a chirp is certain, about 25 ms after its last
 * sample: then `*arrival` is where its first sample stands in the stream, in samples since init
 * (fractional, within +-0.1 ms through Opus at 32 kb/s and G.711 after their own delay).
 */
bool tdm_chirp_detector_push(struct tdm_chirp_detector *d, float sample, double *arrival);

#endif

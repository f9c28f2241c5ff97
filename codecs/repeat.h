/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_REPEAT_H
#define TDM_CODECS_REPEAT_H

/*
 * Concealment for codecs that have none of their own: repeats the last pitch period and fades it
 * out; when sound comes back it fades from the repetition into it. Works on interleaved PCM in
 * the decoder's own rate. No allocation; the owner is the decoder.
 */

#include <stdint.h>

#define TDM_REPEAT_HZ_MAX       48000
#define TDM_REPEAT_HISTORY_MAX  (TDM_REPEAT_HZ_MAX / 50) /* 20 ms. */
#define TDM_REPEAT_CHANNELS_MAX 2

struct tdm_repeat {
    int16_t history[TDM_REPEAT_HISTORY_MAX * TDM_REPEAT_CHANNELS_MAX]; /* Newest at the end. */
    uint32_t sample_hz;
    uint32_t channels;
    uint32_t period; /* Samples per channel that are repeated; 0 while nothing is lost. */
    uint32_t lost;   /* Samples per channel concealed so far. */
};

/** `sample_hz` from 8000 to TDM_REPEAT_HZ_MAX, 1 or 2 channels. */
void tdm_repeat_init(struct tdm_repeat *repeat, uint32_t sample_hz, uint32_t channels);

/** Takes note of decoded sound. After a loss its first 5 ms are mixed with the repetition. */
void tdm_repeat_hear(struct tdm_repeat *repeat, int16_t *pcm, uint32_t samples);

/** Fills in `samples` per channel. */
void tdm_repeat_conceal(struct tdm_repeat *repeat, int16_t *pcm, uint32_t samples);

#endif

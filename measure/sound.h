/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_SOUND_H
#define TDM_MEASURE_SOUND_H

/*
 * What the audio codecs are measured with: speech (a packaged recording where there is one, else
 * made by a formula) and music in stereo, which is always made. In memory, 48 kHz at first and
 * brought to the rate that a codec wants.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct tdm_sound {
    int16_t *pcm;     /* Interleaved. */
    uint32_t samples; /* Per channel. */
    uint32_t sample_hz;
    uint8_t channels;
    char source[64];
    bool generated;
    char sha256[65];
};

struct tdm_sound_request {
    uint32_t sample_hz; /* 48000, 44100, 16000 or 8000. */
    uint8_t channels;   /* 1: speech. 2: music. */
    uint32_t seconds;
};

/** Free it in any case. */
enum tdm_err tdm_sound_load(struct tdm_sound *sound, const struct tdm_sound_request *request,
                            struct tdm_cause *cause);
void tdm_sound_free(struct tdm_sound *sound);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_UPSAMPLE_H
#define TDM_CORE_UPSAMPLE_H

/*
 * Raises a sample rate (G.711 at 8 kHz, G.722 at 16 kHz, L16 at 44.1 kHz) to the device's 48 kHz: a
 * polyphase windowed-sinc interpolator that keeps its state from block to block.
 */

#include <stdint.h>

#define TDM_UPSAMPLE_PHASES_MAX   160 /* 44100 to 48000 Hz is 147 to 160. */
#define TDM_UPSAMPLE_CHANNELS_MAX 2
#define TDM_UPSAMPLE_TAPS         16 /* Per phase. Delay: half of them, in input samples. */

struct tdm_upsample {
    uint32_t phases, step; /* An output sample is `step` of `phases` parts of an input one on. */
    uint32_t phase;        /* Of the next output sample, from the newest input sample on. */
    uint32_t channels;
    float taps[TDM_UPSAMPLE_PHASES_MAX][TDM_UPSAMPLE_TAPS];
    float history[TDM_UPSAMPLE_CHANNELS_MAX][TDM_UPSAMPLE_TAPS];
};

/** to_hz is not below from_hz and their ratio in lowest terms has at most TDM_UPSAMPLE_PHASES_MAX
 *  above the line; 1 or 2 channels. */
void tdm_upsample_init(struct tdm_upsample *u, uint32_t from_hz, uint32_t to_hz, uint32_t channels);

/** Interleaved; counts per channel. Returns how many samples it wrote: exactly in_samples * to /
 *  from where that is whole, else sometimes one more. `in` and `out` do not overlap. */
uint32_t tdm_upsample_run(struct tdm_upsample *u, const int16_t *in, uint32_t in_samples,
                          int16_t *out);

#endif

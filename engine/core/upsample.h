/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_UPSAMPLE_H
#define TDM_CORE_UPSAMPLE_H

/*
 * Raises the sample rate of narrow-band speech (G.711 at 8 kHz) by a whole factor to the device's
 * 48 kHz: a polyphase windowed-sinc interpolator that keeps its state from block to block.
 */

#include <stdint.h>

#define TDM_UPSAMPLE_FACTOR_MAX 6
#define TDM_UPSAMPLE_TAPS       16 /* Per phase. Delay: half of them, in input samples. */

struct tdm_upsample {
    uint32_t factor;
    float taps[TDM_UPSAMPLE_FACTOR_MAX][TDM_UPSAMPLE_TAPS];
    float history[TDM_UPSAMPLE_TAPS];
};

/** factor: 1 to TDM_UPSAMPLE_FACTOR_MAX. */
void tdm_upsample_init(struct tdm_upsample *u, uint32_t factor);

/** Mono. Writes in_samples * factor samples; `in` and `out` do not overlap. */
void tdm_upsample_run(struct tdm_upsample *u, const int16_t *in, uint32_t in_samples, int16_t *out);

#endif

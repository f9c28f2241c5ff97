/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_STRETCH_H
#define TDM_CORE_STRETCH_H

/*
 * Time scaling by one pitch period: the read position in a line of decoded samples jumps forward
 * (shrink) or back (grow) by a lag at which the signal resembles itself, and a cross-fade hides
 * the seam (waveform similarity overlap-add). When nothing resembles and it is not silent, it
 * leaves the signal alone. How often to do it, and why, is the caller's decision.
 *
 *     grow:    ... h h h h | x x x x x      read moves back by lag, fade from x into h
 *                  <-lag-->|
 *     shrink:          ... | x x x x x x    read moves forward by lag, fade from x into x + lag
 *                          |<-lag-->
 */

#include <stdint.h>

/** Bounds in samples for a rate; all per channel. */
struct tdm_stretch {
    uint32_t lag_min, lag_max; /* 2.5 and 12.5 ms: pitches from 400 down to 80 Hz. */
    uint32_t window;           /* 5 ms are compared and cross-faded. */
    uint32_t stride;           /* Decimation of the first, coarse search. */
};

struct tdm_stretch tdm_stretch_of(uint32_t sample_hz);

/**
 * Shortens: writes the cross-fade into the line and returns the lag (samples) by which the read
 * position must move forward; 0 when there is no good seam.
 *
 * @param line         First sample at the read position, interleaved.
 * @param after        Samples readable from there; at least lag_max + window, else 0 is returned.
 * @param resemblance  Correlation that a seam must have, 0..1. Silence always passes.
 */
uint32_t tdm_stretch_shrink(const struct tdm_stretch *s, int16_t *line, uint32_t after,
                            uint32_t channels, float resemblance);

/**
 * Lengthens: the same, moving back by the returned lag. Overwrites up to `window` samples from
 * line - lag on.
 *
 * @param before  Samples readable before the read position; at least lag_max, else 0.
 * @param after   Samples readable from it; at least window, else 0.
 */
uint32_t tdm_stretch_grow(const struct tdm_stretch *s, int16_t *line, uint32_t before,
                          uint32_t after, uint32_t channels, float resemblance);

#endif

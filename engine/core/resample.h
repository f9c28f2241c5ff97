/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_RESAMPLE_H
#define TDM_CORE_RESAMPLE_H

/*
 * Fractional resampling by ratios very near to one, so that two sound cards that disagree by some
 * hundred parts per million play together. It reads straight from the caller's line of samples at
 * a fractional position and never drops or inserts a sample audibly. It is not a rate converter:
 * nothing filters what a ratio far from one would alias.
 */

#include <stddef.h>
#include <stdint.h>

#define TDM_RESAMPLE_TAPS   16
#define TDM_RESAMPLE_PHASES 128
#define TDM_RESAMPLE_BEFORE 7 /* Samples that must lie before the read position, */
#define TDM_RESAMPLE_AFTER  9 /* and after the last one that is read. */

/** Owned by whoever owns the line. */
struct tdm_resample {
    double fraction; /* In [0, 1): where between two samples of the line the next one is read. */
    float taps[TDM_RESAMPLE_PHASES + 1][TDM_RESAMPLE_TAPS];
};

void tdm_resample_init(struct tdm_resample *r);

/** How far `count` output samples at `ratio` line samples each would move the read position. */
uint32_t tdm_resample_span(const struct tdm_resample *r, uint32_t count, double ratio);

/**
 * Writes `count` samples (per channel, interleaved) to `out`, reading from `line`, whose first
 * sample is the read position: TDM_RESAMPLE_BEFORE samples before it and span + AFTER samples
 * behind it are readable. `out` and `line` may both be NULL to move the position only.
 *
 * @return samples that the read position moved.
 */
uint32_t tdm_resample_run(struct tdm_resample *r, const int16_t *line, int16_t *out, uint32_t count,
                          double ratio, uint32_t channels);

/** One way to make the samples of all channels between line[0] and line[channels], `fraction` of
 *  the way; all give the same (engine/base/cpu.h). */
struct tdm_resample_variant {
    const char *name;
    uint32_t needs;
    void (*interpolate)(const struct tdm_resample *r, const int16_t *line, double fraction,
                        int16_t *out, uint32_t channels);
};

extern const struct tdm_resample_variant tdm_resample_variants[];
extern const size_t tdm_resample_variant_count;

#endif

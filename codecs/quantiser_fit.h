/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_QUANTISER_FIT_H
#define TDM_CODECS_QUANTISER_FIT_H

/*
 * Decides at which quantiser a picture is coded so that it takes its byte budget and not more: for
 * encoders whose own rate control does neither. It predicts from what the last pictures of the same
 * kind cost, asks for another attempt when the picture came out too large, or much too small, and
 * keeps a debt of what even the coarsest quantiser could not fit: while that is larger than a
 * budget, pictures are dropped.
 *
 * An inter picture pays twice for a finer quantiser: for its own detail, and for what the coarser
 * picture that it refers to had left out. So
 *
 *     size = content * step ^ -inter_exponent * (step of the picture before / step) ^ debt_exponent
 *
 * where only the content is learnt. (With one exponent for both, every other picture is too fine.)
 *
 * It codes nothing itself. How an attempt is taken back is the encoder's business:
 *
 *     if (!tdm_quantiser_fit_begin(fit, budget, keyframe, &quantiser))
 *         drop the picture;
 *     do
 *         size = code it at `quantiser`;
 *     while (tdm_quantiser_fit_again(fit, size, &quantiser));
 *     tdm_quantiser_fit_sent(fit, size);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What an encoder is like. */
struct tdm_quantiser_shape {
    double (*step_of)(int quantiser); /* The step in samples, growing with the quantiser. */
    int finest, coarsest;             /* The quantisers that may be used. */
    int fall;         /* Steps by which it may get finer from one picture to the next. */
    int attempts_max; /* Of a picture that stays too large; the last one is at the coarsest. */
    double key_exponent, inter_exponent, debt_exponent; /* Measured (docs/codecs.md). */
    /* A guess for the first keyframe: what a pixel costs at this quantiser. */
    int start;
    double start_bytes_per_pixel;
};

/** Owned by one encoder; only the functions below touch it. */
struct tdm_quantiser_fit {
    const struct tdm_quantiser_shape *shape;
    bool refines;       /* What came out much too small is coded again, too. */
    double contents[2]; /* As logarithms: of inter pictures, of keyframes. */
    bool fresh;         /* Nothing is known of inter pictures since the keyframe. */
    int before;         /* The quantiser of the picture before. */
    uint64_t debt_bytes;
    int too_fine;   /* A finer quantiser that was tried and came out too large, */
    int wary_count; /* and for how many pictures it is not tried again. */
    /* The picture at hand. */
    bool keyframe;
    uint32_t budget_bytes;
    double aim_bytes;
    int quantiser, attempts;
    int over, under; /* Of its attempts: the coarsest that was too large, the finest that fits. */
    double over_bytes, under_bytes;
};

/** For pictures of so many pixels, `fps` a second; few enough, and there is time for a second
 * attempt at one that left much of its budget. `shape` is borrowed for the life of `fit`. */
void tdm_quantiser_fit_init(struct tdm_quantiser_fit *fit, const struct tdm_quantiser_shape *shape,
                            int pixels, uint32_t fps);

/** Begins a picture: true with the quantiser of its first attempt; false when it must be dropped,
 *  which pays its budget towards the debt. */
bool tdm_quantiser_fit_begin(struct tdm_quantiser_fit *fit, uint32_t budget_bytes, bool keyframe,
                             int *quantiser);

/** Told what the attempt cost: true when the picture has to be coded again, at `*quantiser`. */
bool tdm_quantiser_fit_again(struct tdm_quantiser_fit *fit, size_t bytes, int *quantiser);

/** The picture was sent with so many bytes: those of its last attempt. */
void tdm_quantiser_fit_sent(struct tdm_quantiser_fit *fit, size_t bytes);

#endif

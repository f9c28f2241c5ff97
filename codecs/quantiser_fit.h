/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_QUANTISER_FIT_H
#define TDM_CODECS_QUANTISER_FIT_H

/*
 * Decides at which quantiser a picture is coded so that it keeps its byte budget: for encoders
 * whose own rate control does not. It predicts from what the last picture of the same kind cost,
 * asks for another attempt when the picture came out too large, and keeps a debt of what even the
 * coarsest quantiser could not fit: while that is larger than a budget, pictures are dropped.
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
    int attempts_max; /* The last one is at the coarsest. */
    double key_exponent, inter_exponent; /* size ~ step ^ -exponent, measured (docs/codecs.md). */
    /* A guess for the first keyframe: what a pixel costs at this quantiser. */
    int start;
    double start_bytes_per_pixel;
};

/* What a picture of one kind cost last. */
struct tdm_quantiser_cost {
    int quantiser;
    size_t bytes;
};

/** Owned by one encoder; only the functions below touch it. */
struct tdm_quantiser_fit {
    const struct tdm_quantiser_shape *shape;
    struct tdm_quantiser_cost costs[2]; /* Inter pictures, keyframes. */
    uint64_t debt_bytes;
    int too_fine;   /* A finer quantiser that was tried and came out too large, */
    int wary_count; /* and for how many pictures it is not tried again. */
    /* The picture at hand. */
    bool keyframe;
    uint32_t budget_bytes;
    double aim_bytes;
    int quantiser, attempts;
    int before; /* The quantiser of the picture before. */
};

/** For pictures of so many pixels. `shape` is borrowed for the life of `fit`. */
void tdm_quantiser_fit_init(struct tdm_quantiser_fit *fit, const struct tdm_quantiser_shape *shape,
                            int pixels);

/** Begins a picture: true with the quantiser of its first attempt; false when it must be dropped,
 *  which pays its budget towards the debt. */
bool tdm_quantiser_fit_begin(struct tdm_quantiser_fit *fit, uint32_t budget_bytes, bool keyframe,
                             int *quantiser);

/** Told what the attempt cost: true when the picture has to be coded again, at `*quantiser`. */
bool tdm_quantiser_fit_again(struct tdm_quantiser_fit *fit, size_t bytes, int *quantiser);

/** The picture was sent with so many bytes. */
void tdm_quantiser_fit_sent(struct tdm_quantiser_fit *fit, size_t bytes);

#endif

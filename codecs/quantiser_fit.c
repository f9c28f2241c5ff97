/* SPDX-License-Identifier: MIT */
#include "codecs/quantiser_fit.h"

#include "engine/base/err.h"

#include <math.h>

#define AIM           0.95 /* Of the budget, for a first attempt; */
#define AIM_AGAIN     0.93 /* for one whose neighbour is known. */
#define ACCEPT        1.05 /* A larger picture is coded again; */
#define LITTLE        0.80 /* and a smaller one, where there is time. */
#define LEARN         0.3
#define SURPRISE      0.5 /* A prediction further off (logarithm) was of another scene. */
#define LEAP          1.6 /* Of the budget: the quantiser was far too fine. */
#define WARY          6   /* Pictures for which a quantiser that was too fine is not tried again. */
#define REFINE_MAX    10  /* Steps by which a second attempt may be finer. */
#define REFINE_PIXELS 40e6 /* A second. */
#define NONE          (-1)

void tdm_quantiser_fit_init(struct tdm_quantiser_fit *fit, const struct tdm_quantiser_shape *shape,
                            int pixels, uint32_t fps)
{
    assert(shape->finest <= shape->start && shape->start <= shape->coarsest);
    assert(shape->attempts_max > 0);
    double guess = log(shape->start_bytes_per_pixel * pixels);
    double step = log(shape->step_of(shape->start));

    *fit = (struct tdm_quantiser_fit){
        .shape = shape,
        .refines = (double)pixels * fps <= REFINE_PIXELS,
        .contents = {guess + shape->inter_exponent * step, guess + shape->key_exponent * step},
        .before = shape->start,
    };
}

/* By how much the quantiser makes a picture smaller than its content, as a logarithm. */
static double saving_of(const struct tdm_quantiser_fit *fit, int quantiser)
{
    const struct tdm_quantiser_shape *shape = fit->shape;
    double step = log(shape->step_of(quantiser));

    return fit->keyframe ? shape->key_exponent * step
                         : shape->inter_exponent * step +
                               shape->debt_exponent * (step - log(shape->step_of(fit->before)));
}

/* The finest quantiser from `finest` on whose predicted size stays within `aim_bytes`. */
static int quantiser_from(const struct tdm_quantiser_fit *fit, double content, double aim_bytes,
                          int finest)
{
    int quantiser = finest < fit->shape->finest ? fit->shape->finest : finest;

    while (quantiser < fit->shape->coarsest && exp(content - saving_of(fit, quantiser)) > aim_bytes)
        quantiser++;
    return quantiser;
}

bool tdm_quantiser_fit_begin(struct tdm_quantiser_fit *fit, uint32_t budget_bytes, bool keyframe,
                             int *quantiser)
{
    int finest = fit->before - fit->shape->fall;

    if (budget_bytes == 0)
        return false;
    if (fit->debt_bytes >= budget_bytes) {
        fit->debt_bytes -= budget_bytes;
        return false;
    }
    fit->keyframe = keyframe;
    fit->budget_bytes = budget_bytes;
    fit->aim_bytes = AIM * budget_bytes - (double)fit->debt_bytes / 4;
    fit->attempts = 1;
    fit->over = fit->under = NONE;
    fit->wary_count = keyframe || !fit->wary_count ? 0 : fit->wary_count - 1;
    if (fit->wary_count && finest <= fit->too_fine)
        finest = fit->too_fine + 1;
    fit->quantiser = fit->fresh && !keyframe
                         ? (finest < fit->shape->finest ? fit->shape->finest : finest)
                         : quantiser_from(fit, fit->contents[keyframe], fit->aim_bytes, finest);
    *quantiser = fit->quantiser;
    return true;
}

/* The quantiser for `aim_bytes`, by what this picture's own attempts cost. */
static int quantiser_again(const struct tdm_quantiser_fit *fit, double aim_bytes, int finest)
{
    bool too_large = fit->over == fit->quantiser;
    double bytes = too_large ? fit->over_bytes : fit->under_bytes;

    return quantiser_from(fit, log(bytes) + saving_of(fit, fit->quantiser), aim_bytes, finest);
}

static bool coarser(struct tdm_quantiser_fit *fit)
{
    const struct tdm_quantiser_shape *shape = fit->shape;

    if (fit->quantiser >= shape->coarsest)
        return false;
    /* What fitted before this attempt fits again: then it is the one, or between. */
    int most = fit->under == NONE ? shape->coarsest : fit->under;
    bool last = fit->attempts + 1 >= shape->attempts_max;
    int next =
        last ? most : quantiser_again(fit, AIM_AGAIN * fit->budget_bytes, fit->quantiser + 1);

    fit->quantiser = next > most ? most : next;
    return true;
}

static bool finer(struct tdm_quantiser_fit *fit)
{
    int finest = fit->quantiser - REFINE_MAX;

    if (!fit->refines || fit->attempts > 1 || fit->shape->attempts_max < 3)
        return false;
    if (fit->wary_count && finest <= fit->too_fine)
        finest = fit->too_fine + 1;
    if (finest > fit->quantiser)
        return false;
    int next = quantiser_again(fit, AIM_AGAIN * fit->budget_bytes, finest);

    if (next >= fit->quantiser)
        return false;
    fit->quantiser = next;
    return true;
}

bool tdm_quantiser_fit_again(struct tdm_quantiser_fit *fit, size_t bytes, int *quantiser)
{
    double size = bytes ? (double)bytes : 1;
    bool too_large = size > ACCEPT * fit->budget_bytes;

    if (too_large) {
        fit->over = fit->quantiser;
        fit->over_bytes = size;
        /* A still picture's size leaps where a finer step lets its rest of detail through. */
        if (fit->quantiser < fit->before && !fit->keyframe && size > LEAP * fit->budget_bytes) {
            fit->too_fine = fit->quantiser;
            fit->wary_count = WARY;
        }
    } else {
        fit->under = fit->quantiser;
        fit->under_bytes = size;
    }
    bool again = too_large ? coarser(fit) : size < LITTLE * fit->budget_bytes ? finer(fit) : false;

    if (!again || fit->attempts >= fit->shape->attempts_max)
        return false;
    fit->attempts++;
    *quantiser = fit->quantiser;
    return true;
}

void tdm_quantiser_fit_sent(struct tdm_quantiser_fit *fit, size_t bytes)
{
    double *content = &fit->contents[fit->keyframe];
    double seen = log(bytes ? (double)bytes : 1) + saving_of(fit, fit->quantiser);
    bool another = fit->keyframe || fit->fresh || fabs(seen - *content) > SURPRISE;

    *content = another ? seen : *content + LEARN * (seen - *content);
    /* What follows a keyframe improves on it and costs by how much, whatever came before. */
    fit->fresh = fit->keyframe;
    fit->before = fit->quantiser;
    fit->debt_bytes += bytes;
    fit->debt_bytes -= fit->debt_bytes < fit->budget_bytes ? fit->debt_bytes : fit->budget_bytes;
}

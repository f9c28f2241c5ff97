/* SPDX-License-Identifier: MIT */
#include "codecs/quantiser_fit.h"

#include "engine/base/err.h"

#include <math.h>

#define AIM    0.90 /* Of the budget. */
#define ACCEPT 1.10 /* A larger picture is coded again. */
#define LEAP   1.6  /* Of the budget: the quantiser was far too fine. */
#define WARY   6    /* Pictures for which a quantiser that was too fine is not tried again. */

void tdm_quantiser_fit_init(struct tdm_quantiser_fit *fit, const struct tdm_quantiser_shape *shape,
                            int pixels)
{
    const struct tdm_quantiser_cost guess = {
        .quantiser = shape->start, .bytes = (size_t)(shape->start_bytes_per_pixel * pixels)};

    assert(shape->finest <= shape->start && shape->start <= shape->coarsest);
    assert(shape->attempts_max > 0);
    *fit = (struct tdm_quantiser_fit){.shape = shape, .costs = {guess, guess}};
}

/* The finest quantiser from `finest` on whose predicted size stays within the aim. */
static int quantiser_from(const struct tdm_quantiser_fit *fit, int finest)
{
    const struct tdm_quantiser_shape *shape = fit->shape;
    const struct tdm_quantiser_cost *cost = &fit->costs[fit->keyframe];
    double exponent = fit->keyframe ? shape->key_exponent : shape->inter_exponent;
    double scale = (double)cost->bytes * pow(shape->step_of(cost->quantiser), exponent);
    int quantiser = finest < shape->finest ? shape->finest : finest;

    while (quantiser < shape->coarsest &&
           scale * pow(shape->step_of(quantiser), -exponent) > fit->aim_bytes)
        quantiser++;
    return quantiser;
}

/* Notes the next attempt; the last one takes no chances. */
static int attempt_at(struct tdm_quantiser_fit *fit, int quantiser)
{
    fit->attempts++;
    fit->quantiser = fit->attempts == fit->shape->attempts_max ? fit->shape->coarsest : quantiser;
    return fit->quantiser;
}

bool tdm_quantiser_fit_begin(struct tdm_quantiser_fit *fit, uint32_t budget_bytes, bool keyframe,
                             int *quantiser)
{
    double slack = (double)fit->debt_bytes;
    int finest = fit->costs[keyframe].quantiser - fit->shape->fall;

    if (budget_bytes == 0)
        return false;
    if (fit->debt_bytes >= budget_bytes) {
        fit->debt_bytes -= budget_bytes;
        return false;
    }
    fit->keyframe = keyframe;
    fit->budget_bytes = budget_bytes;
    fit->aim_bytes = AIM * budget_bytes - slack / 4;
    fit->attempts = 0;
    fit->wary_count = keyframe || !fit->wary_count ? 0 : fit->wary_count - 1;
    if (fit->wary_count && finest <= fit->too_fine)
        finest = fit->too_fine + 1;
    fit->before = fit->costs[keyframe].quantiser;
    *quantiser = attempt_at(fit, quantiser_from(fit, finest));
    return true;
}

bool tdm_quantiser_fit_again(struct tdm_quantiser_fit *fit, size_t bytes, int *quantiser)
{
    const struct tdm_quantiser_shape *shape = fit->shape;

    fit->costs[fit->keyframe] =
        (struct tdm_quantiser_cost){.quantiser = fit->quantiser, .bytes = bytes};
    if ((double)bytes <= ACCEPT * fit->budget_bytes || fit->quantiser >= shape->coarsest ||
        fit->attempts >= shape->attempts_max)
        return false;
    /* A still picture's size leaps where a finer step lets its rest of detail through. */
    if (fit->quantiser < fit->before && (double)bytes > LEAP * fit->budget_bytes) {
        fit->too_fine = fit->quantiser;
        fit->wary_count = WARY;
    }
    *quantiser = attempt_at(fit, quantiser_from(fit, fit->quantiser + 1));
    return true;
}

void tdm_quantiser_fit_sent(struct tdm_quantiser_fit *fit, size_t bytes)
{
    /* What follows a keyframe improves on it and costs by how much, whatever came before. */
    if (fit->keyframe)
        fit->costs[false] = (struct tdm_quantiser_cost){.quantiser = fit->quantiser};
    fit->debt_bytes += bytes;
    fit->debt_bytes -= fit->debt_bytes < fit->budget_bytes ? fit->debt_bytes : fit->budget_bytes;
}

/* SPDX-License-Identifier: MIT */
#include "codecs/openh264_rate.h"

#include <math.h>

#define FIRST_COST     3.5  /* Bytes a pixel of a keyframe at quantiser 0, guessed for the first. */
#define AIM            0.90 /* Of the budget, for pictures at our quantiser. */
#define ACCEPT         1.10 /* A larger keyframe is coded again. */
#define SHARE          0.85 /* What the library's control is told to use of the budget. */
#define SHARE_SLICES   0.75
#define EXPONENT_KEY   1.2 /* size ~ step ^ -EXPONENT (docs/codecs.md). */
#define EXPONENT       1.5
#define QUIET          0.3 /* Added to the activity: what noise and headers cost. */
#define CUT_ACTIVITY   1.5 /* A picture that changes so much more than the last one ... */
#define CUT_SHARE      1.5 /* ... and would need so many budgets is a cut. */
#define CUT_WHOLE      4   /* ... and so much more: nothing of the last picture is of use. */
#define FALL           2   /* Steps by which our quantiser gets finer from picture to picture. */
#define NEAR           2   /* Steps from the library's quantiser at which it takes over. */
#define FIXED_MAX      20  /* Then the library takes over from any quantiser. */
#define SETTLING_COUNT 4
#define SETTLING_SHARE 0.5

/* Relative to quantiser 0; it doubles every six (ITU-T H.264 section 8.5.9). */
static double step_of(int quantiser)
{
    return pow(2, quantiser / 6.0);
}

/* The finest quantiser from `finest` on whose predicted size stays within `aim`. */
static int quantiser_for(double scale, double exponent, double aim, int finest)
{
    int quantiser = finest < TDM_OPENH264_QUANTISER_MIN ? TDM_OPENH264_QUANTISER_MIN : finest;

    while (quantiser < TDM_OPENH264_QUANTISER_MAX &&
           scale * pow(step_of(quantiser), -exponent) > aim)
        quantiser++;
    return quantiser;
}

void tdm_openh264_rate_init(struct tdm_openh264_rate *rate, bool slices, size_t pixels,
                            int library_quantiser)
{
    *rate = (struct tdm_openh264_rate){
        .share = slices ? SHARE_SLICES : SHARE,
        .key_scale = FIRST_COST * (double)pixels,
        .quantiser = library_quantiser,
        .library_quantiser = library_quantiser,
        .fixed = true,
    };
}

bool tdm_openh264_rate_drops(struct tdm_openh264_rate *rate, uint32_t budget_bytes)
{
    if (rate->debt_bytes < budget_bytes)
        return budget_bytes == 0;
    rate->debt_bytes -= budget_bytes;
    return true;
}

/* What a picture may use while the debt is paid back over four of them. */
static double aim_of(const struct tdm_openh264_rate *rate, double share, uint32_t budget_bytes)
{
    double debt = rate->debt_bytes < budget_bytes ? (double)rate->debt_bytes : budget_bytes;

    return share * budget_bytes - debt / 4;
}

static bool is_cut(const struct tdm_openh264_rate *rate, double activity, uint32_t budget_bytes)
{
    double predicted = rate->scale * activity * pow(step_of(rate->quantiser), -EXPONENT);

    return activity > CUT_ACTIVITY * rate->last_activity && predicted > CUT_SHARE * budget_bytes;
}

/* Our quantiser for a picture that is no keyframe, or the decision that the library takes over. */
static void plan_fixed(struct tdm_openh264_rate *rate, double activity, double aim,
                       struct tdm_openh264_plan *plan)
{
    int finest = rate->quantiser - FALL;

    if (rate->fixed_count == 0 && activity > CUT_WHOLE * rate->last_activity && rate->scale > 0)
        finest = quantiser_for(rate->key_scale, EXPONENT_KEY, aim, 0);
    plan->quantiser = quantiser_for(rate->scale * activity, EXPONENT, aim, finest);
    if (rate->fixed_count > 0 && plan->quantiser <= rate->library_quantiser + NEAR) {
        rate->fixed = false;
    } else if (rate->fixed_count >= FIXED_MAX) {
        rate->fixed = false;
        rate->settling = SETTLING_COUNT;
    }
    rate->fixed_count++;
}

struct tdm_openh264_plan tdm_openh264_rate_plan(struct tdm_openh264_rate *rate, double activity,
                                                uint32_t budget_bytes, bool keyframe)
{
    struct tdm_openh264_plan plan = {.keyframe = keyframe};
    double aim = aim_of(rate, AIM, budget_bytes);

    activity += QUIET;
    if (keyframe || is_cut(rate, activity, budget_bytes)) {
        rate->fixed = true;
        rate->fixed_count = 0;
        rate->settling = 0;
    }
    if (keyframe)
        plan.quantiser = quantiser_for(rate->key_scale, EXPONENT_KEY, aim, 0);
    else if (rate->fixed)
        plan_fixed(rate, activity, aim, &plan);
    plan.fixed = rate->fixed;
    if (!plan.fixed) {
        double share = rate->settling > 0 ? rate->share * SETTLING_SHARE : rate->share;

        rate->settling -= rate->settling > 0;
        aim = aim_of(rate, share, budget_bytes);
        plan.budget_bytes = aim > 1 ? (uint32_t)aim : 1;
    }
    return plan;
}

bool tdm_openh264_rate_again(const struct tdm_openh264_rate *rate, struct tdm_openh264_plan *plan,
                             size_t bytes, uint32_t budget_bytes)
{
    double scale = (double)bytes * pow(step_of(plan->quantiser), EXPONENT_KEY);

    if ((double)bytes <= ACCEPT * budget_bytes || plan->quantiser == TDM_OPENH264_QUANTISER_MAX)
        return false;
    plan->quantiser =
        quantiser_for(scale, EXPONENT_KEY, aim_of(rate, AIM, budget_bytes), plan->quantiser + 1);
    return true;
}

/* What a step and a unit of activity cost: followed quickly while something moves. */
static void learn(struct tdm_openh264_rate *rate, double activity, size_t bytes, int quantiser)
{
    double now = (double)bytes * pow(step_of(quantiser), EXPONENT) / activity;
    double weight = rate->scale <= 0 ? 1 : activity > 2 * QUIET ? 0.5 : 0.05;

    rate->scale += weight * (now - rate->scale);
}

void tdm_openh264_rate_note(struct tdm_openh264_rate *rate, const struct tdm_openh264_plan *plan,
                            double activity, size_t bytes, int quantiser, uint32_t budget_bytes)
{
    activity += QUIET;
    rate->debt_bytes += bytes;
    rate->debt_bytes -= rate->debt_bytes < budget_bytes ? rate->debt_bytes : budget_bytes;
    if (plan->fixed)
        rate->quantiser = plan->quantiser;
    else if (quantiser > 0)
        rate->quantiser = rate->library_quantiser = quantiser;
    if (plan->keyframe) {
        rate->key_scale = (double)bytes * pow(step_of(rate->quantiser), EXPONENT_KEY);
        rate->scale = 0;
        return;
    }
    learn(rate, activity, bytes, rate->quantiser);
    rate->last_activity = activity;
}

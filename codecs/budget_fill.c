/* SPDX-License-Identifier: MIT */
#include "codecs/budget_fill.h"

#include "engine/base/err.h"

#define USUAL_AIM 0.97 /* Of the budget, where the usual picture should come out, */
#define WORST_AIM 1.02 /* and the worst of the last ones. */
#define LEARN     0.1
#define FORGET    0.015 /* Of the worst, each picture: it counts for some seventy. */
#define SHARE_MIN 0.5   /* Less than this is a picture that had no use for its budget; */
#define SHARE_MAX 1.2   /* more, one that does not fit however coarse it is. */

void tdm_budget_fill_init(struct tdm_budget_fill *fill, double most)
{
    assert(most >= 1);
    *fill = (struct tdm_budget_fill){.usual = USUAL_AIM, .worst = WORST_AIM, .most = most};
}

uint32_t tdm_budget_fill_tell(struct tdm_budget_fill *fill, uint32_t budget_bytes)
{
    double by_usual = USUAL_AIM / fill->usual, by_worst = WORST_AIM / fill->worst;
    double share = by_usual < by_worst ? by_usual : by_worst;
    double told = (share > fill->most ? fill->most : share) * budget_bytes;

    fill->told_bytes = told > UINT32_MAX ? UINT32_MAX : (uint32_t)told;
    return fill->told_bytes;
}

void tdm_budget_fill_note(struct tdm_budget_fill *fill, size_t bytes)
{
    double share = fill->told_bytes ? (double)bytes / fill->told_bytes : USUAL_AIM;

    /* Neither says how the next one keeps to what it is told. */
    if (share < SHARE_MIN || share > SHARE_MAX)
        return;
    fill->usual += LEARN * (share - fill->usual);
    fill->worst += FORGET * (fill->usual - fill->worst);
    fill->worst = share > fill->worst ? share : fill->worst;
}

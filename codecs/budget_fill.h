/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_BUDGET_FILL_H
#define TDM_CODECS_BUDGET_FILL_H

/*
 * Decides what budget an encoder with a rate control of its own is told, so that its pictures take
 * what they really have: such a control keeps a distance of its own from the limit, another one for
 * each content. Told a little more than there is, it comes out just under it.
 *
 * It follows two figures of the last pictures, as shares of what the encoder was told: the usual
 * one, which is raised to TDM_BUDGET_FILL_AIM of the budget, and the worst one, which stays under
 * it. The worst is believed at once and forgotten slowly.
 */

#include <stddef.h>
#include <stdint.h>

/** Owned by one encoder; only the functions below touch it. */
struct tdm_budget_fill {
    double usual, worst; /* Bytes of a picture as a share of what was told. */
    double most;         /* Of the budget that is ever told. */
    uint32_t told_bytes;
};

/** `most`: as a share of the budget, above which the encoder is never told; 1 or more. */
void tdm_budget_fill_init(struct tdm_budget_fill *fill, double most);

/** What the encoder is to be told for a picture of this budget. */
uint32_t tdm_budget_fill_tell(struct tdm_budget_fill *fill, uint32_t budget_bytes);

/** The picture came out with so many bytes. */
void tdm_budget_fill_note(struct tdm_budget_fill *fill, size_t bytes);

#endif

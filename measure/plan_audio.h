/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_PLAN_AUDIO_H
#define TDM_MEASURE_PLAN_AUDIO_H

/* The modes in which each audio encoder is measured. */

#include "measure/plan.h"

#define TDM_PLAN_AUDIO_MAX 64

/** Adds an encoder's cells; false when there is no room. */
bool tdm_plan_add_audio(struct tdm_plan *plan, const struct tdm_audio_encoder_ops *ops);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_BUDGET_H
#define TDM_ENGINE_CALL_BUDGET_H

/*
 * The latency budget of a call (engine/core/latency_budget.h) by the traces of what it receives:
 * told in words when it is not held and when it is again, and in the call's figures. Control
 * thread.
 */

#include "engine/base/err.h"
#include "engine/core/latency_budget.h"
#include "engine/latency.h"

/** True when `said` has something to tell the user. */
bool tdm_call_budget_picture(struct tdm_latency_budget *b, const struct tdm_video_trace *trace,
                             struct tdm_cause *said);
bool tdm_call_budget_sound(struct tdm_latency_budget *b, const struct tdm_audio_trace *trace,
                           struct tdm_cause *said);

/** Behind tdm_latency_stats, whose stages it completes. */
void tdm_call_budget_stats(const struct tdm_latency_budget *b, struct tandem_stats *stats);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_REGION_H
#define TDM_ENGINE_CALL_REGION_H

/*
 * Moving regions of a shared screen over the RTP of a call: when a region is found in a call that
 * has sound or picture, an m=video line is agreed on for it, or the camera's is used, and the
 * region's stream rides on it beside the camera's (engine/wire/region_mark.h). Decides whether that
 * line is offered, what the stream's settings are, and when it may be used: its transport stands,
 * and the other side reports that packets arrive. Else regions go over the data channel, as in a
 * call without media. Control thread.
 */

#include "engine/core/session.h"
#include "signalling/offer_answer.h"

struct tandem_call;

struct tdm_call_region {
    bool asked;          /* The line was offered for a region. */
    uint32_t raised_bps; /* What the line may send beside the camera; 0: no region sends. */
    bool agreed;         /* The stream is configured. */
    bool joined;         /* The share knows. */
    bool sends;          /* As it was told. */
    tdm_time since;      /* Since when it sends without a report; 0: it does not. */
    tdm_time dead;       /* Nothing arrived: not before this. */
    uint64_t packets;
};

/** The line is there for regions alone: this side has neither camera nor window in the call. */
bool tdm_call_region_alone(const struct tandem_call *call);

/** Marks the video line, and wants one for a region. */
void tdm_call_region_capability(const struct tandem_call *call, struct tdm_capability *capability);

/** Before the other side's offer is answered: the line is taken when there is a screen to see. */
void tdm_call_region_answer(struct tandem_call *call);

/** The video stream's settings, where regions may ride on its line. */
void tdm_call_region_line(const struct tandem_call *call, struct tdm_stream_config *config);

/** What was agreed has changed; the video's stream is configured. */
enum tdm_err tdm_call_region_follow(struct tandem_call *call);

/** After each status of the net. */
void tdm_call_region_run(struct tandem_call *call, tdm_time now);

/** Before the link ends. */
void tdm_call_region_close(struct tandem_call *call);

#endif

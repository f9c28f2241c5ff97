/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_TRACE_H
#define TDM_BASE_TRACE_H

/*
 * What happened to one frame, stage by stage, on both sides. The sender's stamps travel with the
 * frame (engine/wire/frame_timing.h); the receiver maps them to its own clock with the offset that
 * RTCP gives. Latency is always the sum of these stages, never a number of its own.
 *
 *   CAPTURED > ENCODE_START > ENCODE_END > FIRST_SENT > LAST_SENT > | network |
 *   > FIRST_RECEIVED > LAST_RECEIVED > DECODABLE > DECODE_START > DECODE_END > PRESENTED
 *
 * With slices, FIRST_SENT comes before ENCODE_END; that is the point of slices.
 */

#include "engine/base/time.h"

#include <stdint.h>

enum tdm_stage {
    TDM_STAGE_CAPTURED,
    TDM_STAGE_ENCODE_START,
    TDM_STAGE_ENCODE_END,
    TDM_STAGE_FIRST_SENT,
    TDM_STAGE_LAST_SENT,
    TDM_STAGE_FIRST_RECEIVED,
    TDM_STAGE_LAST_RECEIVED,
    TDM_STAGE_DECODABLE,
    TDM_STAGE_DECODE_START,
    TDM_STAGE_DECODE_END,
    TDM_STAGE_PRESENTED,
    TDM_STAGE_COUNT
};

/** One frame's stamps on one clock (the reader's own); TDM_NEVER where the stage is not known. */
struct tdm_frame_trace {
    uint32_t frame_id;
    uint32_t size_bytes;
    tdm_time at[TDM_STAGE_COUNT];
};

static inline struct tdm_frame_trace tdm_frame_trace_none(void)
{
    struct tdm_frame_trace trace = {0};

    for (int stage = 0; stage < TDM_STAGE_COUNT; stage++)
        trace.at[stage] = TDM_NEVER;
    return trace;
}

/** The stage's name as it stands in reports and trace files, e.g. "decode_start". */
const char *tdm_stage_name(enum tdm_stage stage);

#endif

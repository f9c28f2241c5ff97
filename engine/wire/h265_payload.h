/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_H265_PAYLOAD_H
#define TDM_WIRE_H265_PAYLOAD_H

/*
 * The H.265 RTP payload format (RFC 7798), receiving only: single NAL units, aggregation packets
 * and fragmentation units, in decoding order (sprop-max-don-diff = 0, so there is no DONL field).
 * Joining appends to an Annex B access unit.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_h265_nal {
    TDM_H265_NAL_TRAIL_R = 1,
    TDM_H265_NAL_IRAP_FIRST = 16, /* BLA, IDR, CRA and two that are reserved. */
    TDM_H265_NAL_IDR = 19,
    TDM_H265_NAL_CRA = 21,
    TDM_H265_NAL_IRAP_LAST = 23,
    TDM_H265_NAL_VCL_LAST = 31,
    TDM_H265_NAL_VPS = 32,
    TDM_H265_NAL_SPS = 33,
    TDM_H265_NAL_PPS = 34,
    TDM_H265_NAL_AUD = 35,
    TDM_H265_AP = 48,
    TDM_H265_FU = 49,
    TDM_H265_PACI = 50
};

/** What one payload starts, seen without joining it. */
struct tdm_h265_peek {
    bool starts_nal; /* A single NAL unit, an AP, or an FU with its start bit. */
    bool ends_nal;   /* A single NAL unit, an AP, or an FU with its end bit. */
    bool has_vps, has_sps, has_irap;
    bool first_slice; /* The first slice segment of a picture starts here. */
};

enum tdm_err tdm_h265_peek(struct tdm_h265_peek *peek, const uint8_t *payload, size_t size);

/** Appends a payload to an Annex B access unit. Payloads come in sequence order, complete. A
 *  refused one adds nothing, but what was joined of its NAL unit before stays: drop the access
 *  unit.
 *  @return TDM_OK; TDM_E_MALFORMED (a fragment without its start, a bad AP); TDM_E_UNSUPPORTED
 *  (PACI and what is not defined); TDM_E_SPACE. */
struct tdm_h265_joiner {
    bool in_fragment;
};

enum tdm_err tdm_h265_join(struct tdm_h265_joiner *j, struct tdm_writer *annex_b,
                           const uint8_t *payload, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_H264_PAYLOAD_H
#define TDM_WIRE_H264_PAYLOAD_H

/*
 * The H.264 RTP payload format (RFC 6184), packetization modes 0 (single NAL unit) and 1
 * (non-interleaved: single, STAP-A, FU-A). Cutting works NAL unit by NAL unit, so that a slice
 * leaves as soon as it is coded; joining appends to an Annex B access unit.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_h264_nal {
    TDM_H264_NAL_SLICE = 1,
    TDM_H264_NAL_IDR = 5,
    TDM_H264_NAL_SEI = 6,
    TDM_H264_NAL_SPS = 7,
    TDM_H264_NAL_PPS = 8,
    TDM_H264_NAL_AUD = 9,
    TDM_H264_STAP_A = 24,
    TDM_H264_FU_A = 28
};

/** Cuts one NAL unit (no start code) into payloads: itself when it fits, else FU-A of nearly equal
 *  size. For mode 0 say payload_max = SIZE_MAX: one payload, which fits `capacity` or not. */
struct tdm_h264_packetizer {
    const uint8_t *nal;
    size_t size, at, part_bytes;
    size_t payload_max;
};

void tdm_h264_packetizer_init(struct tdm_h264_packetizer *p, const uint8_t *nal, size_t size,
                              size_t payload_max);

/** @return TDM_OK with *out_size and *last (of this NAL unit); TDM_E_AGAIN when done; TDM_E_SPACE.
 */
enum tdm_err tdm_h264_packetizer_next(struct tdm_h264_packetizer *p, uint8_t *out, size_t capacity,
                                      size_t *out_size, bool *last);

/** What one payload starts, seen without joining it. */
struct tdm_h264_peek {
    bool starts_nal;       /* A single NAL unit, a STAP-A, or an FU-A with its start bit. */
    bool ends_nal;         /* A single NAL unit, a STAP-A, or an FU-A with its end bit. */
    bool has_sps, has_idr; /* A SPS or an IDR slice (or its first fragment) is in it. */
    bool
        first_slice; /* A slice with first_mb_in_slice = 0 starts here: first slice of a picture. */
};

enum tdm_err tdm_h264_peek(struct tdm_h264_peek *peek, const uint8_t *payload, size_t size);

/** Appends a payload to an Annex B access unit. Payloads come in sequence order, complete. A
 * refused one adds nothing, but what was joined of its NAL unit before stays: drop the access unit.
 *  @return TDM_OK; TDM_E_MALFORMED (a fragment without its start, a bad STAP-A); TDM_E_UNSUPPORTED
 *  (STAP-B, MTAP, FU-B); TDM_E_SPACE. */
struct tdm_h264_joiner {
    bool in_fragment;
};

enum tdm_err tdm_h264_join(struct tdm_h264_joiner *j, struct tdm_writer *annex_b,
                           const uint8_t *payload, size_t size);

#endif

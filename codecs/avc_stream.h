/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_AVC_STREAM_H
#define TDM_CODECS_AVC_STREAM_H

/*
 * Follows an H.264 stream far enough to say whether a picture can be right: whether a reference
 * picture is missing (a gap in frame_num, ITU-T H.264 section 7.4.3), and from when on it is
 * right again (an IDR picture, a picture of intra slices only, or a recovery point SEI whose
 * count has run down). libavcodec conceals a missing reference without a word and would show the
 * damage. It does not decode samples and does not see what is lost inside a slice.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_AVC_SPS_MAX 32
#define TDM_AVC_PPS_MAX 256

struct tdm_avc_sps {
    bool known, separate_planes, gaps_allowed;
    uint8_t frame_num_bits;
    uint32_t width, height; /* Coded, before cropping. */
};

struct tdm_avc_stream {
    struct tdm_avc_sps sps[TDM_AVC_SPS_MAX];
    uint8_t pps_sps[TDM_AVC_PPS_MAX]; /* Which SPS a PPS names, plus 1; 0 = unknown. */
    uint32_t last_frame_num;          /* Of the last reference picture. */
    bool in_sync;                     /* Everything that pictures refer to has been there. */
    bool recovering;                  /* A recovery point has been seen since sync was lost. */
    uint32_t recovery_left;           /* Pictures until then. */
};

/** What one access unit is. */
struct tdm_avc_unit {
    bool has_slice, idr, intra_only, reference;
    bool recovery_point;
    uint32_t recovery_frames;
    uint32_t frame_num, frame_num_count; /* The count is 2 to the number of bits. */
    bool gaps_allowed;
    uint32_t width, height; /* Of the SPS in use, 0 without slices. */
};

/** Reads an Annex B access unit (start codes of 3 or 4 bytes) and keeps its parameter sets.
 *  @return TDM_OK; TDM_E_MALFORMED when a header does not parse or names an unknown set. */
enum tdm_err tdm_avc_unit_parse(struct tdm_avc_stream *stream, const uint8_t *data, size_t size,
                                struct tdm_avc_unit *unit);

/** Takes a decoded unit into account and updates `in_sync`. */
void tdm_avc_stream_advance(struct tdm_avc_stream *stream, const struct tdm_avc_unit *unit);

/** A picture was damaged or missing: out of sync until the stream recovers. */
void tdm_avc_stream_lose(struct tdm_avc_stream *stream);

#endif

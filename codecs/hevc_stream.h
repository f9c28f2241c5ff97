/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_HEVC_STREAM_H
#define TDM_CODECS_HEVC_STREAM_H

/*
 * Follows an H.265 stream far enough to say whether a picture can be right: each slice names the
 * pictures that it refers to (its short-term reference picture set, ITU-T H.265 section 8.3.2), so
 * one that never came is seen at the first picture that needs it. It also refuses, before anything
 * is allocated, what is not 8-bit 4:2:0 or too large. It does not decode samples and does not see
 * what is lost inside a slice.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_HEVC_SPS_MAX  16
#define TDM_HEVC_PPS_MAX  64
#define TDM_HEVC_SETS_MAX 64
#define TDM_HEVC_REFS_MAX 16

/** Reference pictures by their distance in output order. */
struct tdm_hevc_refs {
    uint8_t count;
    bool used[TDM_HEVC_REFS_MAX]; /* By this picture; the others are kept for later ones. */
    int32_t delta[TDM_HEVC_REFS_MAX];
};

struct tdm_hevc_sps {
    bool known, separate_planes;
    uint8_t order_bits, set_count;
    struct tdm_hevc_refs sets[TDM_HEVC_SETS_MAX];
};

struct tdm_hevc_pps {
    bool known, output_flag;
    uint8_t sps, extra_bits;
};

struct tdm_hevc_stream {
    struct tdm_hevc_sps sps[TDM_HEVC_SPS_MAX];
    struct tdm_hevc_pps pps[TDM_HEVC_PPS_MAX];
    int32_t held[TDM_HEVC_REFS_MAX + 1]; /* Order counts of the pictures that may be referred to. */
    uint8_t held_count;
    int32_t order;     /* Of the last picture that later ones count from. */
    bool in_sync;      /* Everything that pictures refer to has been there. */
    bool skip_leading; /* The last access point came without what leads it. */
};

/** What one access unit is. */
struct tdm_hevc_unit {
    bool has_slice, access_point;
    bool restarts;                  /* An access point that nothing before it is kept for. */
    bool skippable;                 /* Leads an access point and refers to what was before that. */
    bool base;                      /* Later order counts are counted from this one. */
    int32_t order_low, order_count; /* Low bits of the order count, and 2 to their number. */
    struct tdm_hevc_refs refs;
};

/** Reads an Annex B access unit (start codes of 3 or 4 bytes) and keeps its parameter sets.
 *  @return TDM_OK; TDM_E_MALFORMED when a header does not parse or names an unknown set;
 *          TDM_E_UNSUPPORTED for other formats than 8-bit 4:2:0 and sides beyond
 *          TDM_PICTURE_SIDE_MAX. */
enum tdm_err tdm_hevc_unit_parse(struct tdm_hevc_stream *stream, const uint8_t *data, size_t size,
                                 struct tdm_hevc_unit *unit);

/** Takes a decoded unit into account and updates `in_sync`. False for a picture that leads an
 *  access point whose references were never there: it is not to be shown. */
bool tdm_hevc_stream_advance(struct tdm_hevc_stream *stream, const struct tdm_hevc_unit *unit);

/** A picture was damaged or missing: out of sync until the next access point. */
void tdm_hevc_stream_lose(struct tdm_hevc_stream *stream);

#endif

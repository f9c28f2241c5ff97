/* SPDX-License-Identifier: MIT */
#include "engine/core/payload_format.h"

/* Picture ids of 7 or 15 bits. */
static void number(struct tdm_payload_start *start, bool has, uint16_t id, bool wide)
{
    start->picture = id;
    start->pictures = !has ? 0 : wide ? 1 << 15 : 1 << 7;
}

/* ---- VP8 ---- */

static bool look_vp8(struct tdm_payload_start *start, const uint8_t *payload, size_t size)
{
    struct tdm_vp8_descriptor d;

    if (tdm_vp8_parse(&d, payload, size) != TDM_OK)
        return false;
    start->keyframe = d.start && d.keyframe;
    start->begins = d.start;
    number(start, d.has_picture_id, d.picture_id, d.picture_id_wide);
    return true;
}

/* A frame has its start in its first packet and nowhere else. */
static bool join_vp8(struct tdm_payload_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                     size_t size)
{
    struct tdm_vp8_descriptor d;

    if (tdm_vp8_parse(&d, payload, size) != TDM_OK || d.start == j->begun)
        return false;
    tdm_write_bytes(w, d.data, d.size);
    j->begun = true;
    return true;
}

static void cut_vp8(union tdm_payload_cutter *c, const uint8_t *slice, size_t size,
                    uint16_t picture_id, size_t payload_max)
{
    tdm_vp8_packetizer_init(&c->vp8, slice, size, picture_id, payload_max);
}

static enum tdm_err next_vp8(union tdm_payload_cutter *c, uint8_t *out, size_t capacity,
                             size_t *out_size, bool *last)
{
    return tdm_vp8_packetizer_next(&c->vp8, out, capacity, out_size, last);
}

/* ---- VP9: the layers of a picture follow one another ---- */

static bool look_vp9(struct tdm_payload_start *start, const uint8_t *payload, size_t size)
{
    struct tdm_vp9_descriptor d;

    if (tdm_vp9_parse(&d, payload, size) != TDM_OK)
        return false;
    start->keyframe = d.keyframe;
    start->begins = d.start && d.sid == 0;
    number(start, d.has_picture_id, d.picture_id, d.picture_id_wide);
    return true;
}

static bool join_vp9(struct tdm_payload_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                     size_t size)
{
    return tdm_vp9_join(&j->vp9, w, payload, size) == TDM_OK;
}

static bool end_vp9(const struct tdm_payload_joiner *j, struct tdm_writer *w)
{
    return tdm_vp9_join_end(&j->vp9, w) == TDM_OK;
}

static void cut_vp9(union tdm_payload_cutter *c, const uint8_t *slice, size_t size,
                    uint16_t picture_id, size_t payload_max)
{
    tdm_vp9_packetizer_init(&c->vp9, slice, size, picture_id, payload_max);
}

static enum tdm_err next_vp9(union tdm_payload_cutter *c, uint8_t *out, size_t capacity,
                             size_t *out_size, bool *last)
{
    return tdm_vp9_packetizer_next(&c->vp9, out, capacity, out_size, last);
}

/* ---- AV1 ---- */

/* N is the sender's word that a sequence begins. Not all set it, and some repeat the sequence
 * header, so that a header counts unless another frame than a key frame is seen behind it. */
static bool look_av1(struct tdm_payload_start *start, const uint8_t *payload, size_t size)
{
    struct tdm_av1_peek peek;

    if (tdm_av1_peek(&peek, payload, size) != TDM_OK)
        return false;
    start->keyframe = peek.starts_obu &&
                      (peek.new_sequence || (peek.has_sequence_header && !peek.has_other_frame));
    return true;
}

static bool join_av1(struct tdm_payload_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                     size_t size)
{
    return tdm_av1_join(&j->av1, w, payload, size) == TDM_OK;
}

static bool end_av1(const struct tdm_payload_joiner *j, struct tdm_writer *w)
{
    (void)w;
    return !j->av1.in_obu;
}

static void cut_av1(union tdm_payload_cutter *c, const uint8_t *slice, size_t size,
                    uint16_t picture_id, size_t payload_max)
{
    (void)picture_id;
    tdm_av1_packetizer_init(&c->av1, slice, size, payload_max);
}

static enum tdm_err next_av1(union tdm_payload_cutter *c, uint8_t *out, size_t capacity,
                             size_t *out_size, bool *last)
{
    return tdm_av1_packetizer_next(&c->av1, out, capacity, out_size, last);
}

/* ---- H.264 ---- */

static bool look_h264(struct tdm_payload_start *start, const uint8_t *payload, size_t size)
{
    struct tdm_h264_peek peek;

    if (tdm_h264_peek(&peek, payload, size) != TDM_OK)
        return false;
    start->bare = peek.starts_nal && peek.has_idr && peek.first_slice && !peek.has_sps;
    start->keyframe = peek.starts_nal && (peek.has_sps || start->bare);
    return true;
}

static bool join_h264(struct tdm_payload_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                      size_t size)
{
    return tdm_h264_join(&j->h264, w, payload, size) == TDM_OK;
}

static void cut_h264(union tdm_payload_cutter *c, const uint8_t *slice, size_t size,
                     uint16_t picture_id, size_t payload_max)
{
    (void)picture_id;
    tdm_h264_packetizer_init(&c->h264, slice, size, payload_max);
}

static enum tdm_err next_h264(union tdm_payload_cutter *c, uint8_t *out, size_t capacity,
                              size_t *out_size, bool *last)
{
    return tdm_h264_packetizer_next(&c->h264, out, capacity, out_size, last);
}

/* ---- H.265: the parameter sets of a keyframe begin with a VPS ---- */

static bool look_h265(struct tdm_payload_start *start, const uint8_t *payload, size_t size)
{
    struct tdm_h265_peek peek;

    if (tdm_h265_peek(&peek, payload, size) != TDM_OK)
        return false;
    start->bare = peek.starts_nal && peek.has_irap && peek.first_slice && !peek.has_vps;
    start->keyframe = peek.starts_nal && (peek.has_vps || start->bare);
    return true;
}

static bool join_h265(struct tdm_payload_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                      size_t size)
{
    return tdm_h265_join(&j->h265, w, payload, size) == TDM_OK;
}

const struct tdm_payload_format *tdm_payload_format_of(enum tdm_codec_id codec)
{
    static const struct tdm_payload_format formats[] = {
        {TDM_CODEC_VP8, look_vp8, join_vp8, NULL, cut_vp8, next_vp8},
        {TDM_CODEC_VP9, look_vp9, join_vp9, end_vp9, cut_vp9, next_vp9},
        {TDM_CODEC_AV1, look_av1, join_av1, end_av1, cut_av1, next_av1},
        {TDM_CODEC_H264, look_h264, join_h264, NULL, cut_h264, next_h264},
        {TDM_CODEC_H265, look_h265, join_h265, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].codec == codec)
            return &formats[i];
    return NULL;
}

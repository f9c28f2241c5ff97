/* SPDX-License-Identifier: MIT */
#include "codecs/avc_stream.h"
#include "codecs/nal.h"

#include <string.h>

enum nal_type {
    NAL_SLICE = 1,
    NAL_PARTITION_A = 2,
    NAL_IDR = 5,
    NAL_SEI = 6,
    NAL_SPS = 7,
    NAL_PPS = 8
};

#define SEI_RECOVERY_POINT 6
#define SLICE_TYPE_I       2
#define SLICE_TYPES        5    /* 5-9 say the same of 0-4 for the whole picture. */
#define SIDE_IN_BLOCKS_MAX 4096 /* Keeps the product of two sides inside 32 bits. */

/* scaling_list(), section 7.3.2.1.1.1: only stepped over. */
static void skip_scaling_list(struct tdm_nal_bits *b, int entries)
{
    int last = 8, next = 8;

    for (int i = 0; i < entries && b->ok; i++) {
        if (next != 0) {
            uint32_t code = tdm_nal_golomb(b);
            int delta = (int)((code & 0xffff) + 1) / 2;

            next = (last + (code & 1 ? delta : -delta) + 256) & 255;
        }
        last = next == 0 ? last : next;
    }
}

/* The fields that only the High profiles have. */
static void read_high(struct tdm_nal_bits *b, struct tdm_avc_sps *sps)
{
    uint32_t chroma_format = tdm_nal_golomb(b);

    if (chroma_format == 3)
        sps->separate_planes = tdm_nal_bit(b);
    (void)tdm_nal_golomb(b); /* Bit depths. */
    (void)tdm_nal_golomb(b);
    (void)tdm_nal_bit(b);
    if (!tdm_nal_bit(b))
        return;
    for (int i = 0; i < (chroma_format == 3 ? 12 : 8); i++)
        if (tdm_nal_bit(b))
            skip_scaling_list(b, i < 6 ? 16 : 64);
}

static bool is_high(uint32_t profile)
{
    static const uint8_t high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};

    return memchr(high, (int)profile, sizeof high) != NULL;
}

static void skip_picture_order(struct tdm_nal_bits *b)
{
    uint32_t type = tdm_nal_golomb(b);

    if (type == 0) {
        (void)tdm_nal_golomb(b);
    } else if (type == 1) {
        (void)tdm_nal_bit(b);
        (void)tdm_nal_golomb(b);
        (void)tdm_nal_golomb(b);
        uint32_t count = tdm_nal_golomb(b);

        for (uint32_t i = 0; i < count && i < 255; i++)
            (void)tdm_nal_golomb(b);
    }
}

/* Section 7.3.2.1.1. */
static bool parse_sps(struct tdm_avc_stream *stream, struct tdm_nal_bits *b)
{
    struct tdm_avc_sps sps = {.known = true};
    uint32_t profile = tdm_nal_bits(b, 8);

    (void)tdm_nal_bits(b, 16); /* Constraints and level. */
    uint32_t id = tdm_nal_golomb(b);

    if (is_high(profile))
        read_high(b, &sps);
    uint32_t bits = tdm_nal_golomb(b) + 4;

    skip_picture_order(b);
    (void)tdm_nal_golomb(b); /* Reference frames. */
    sps.gaps_allowed = tdm_nal_bit(b);
    uint32_t columns = tdm_nal_golomb(b), rows = tdm_nal_golomb(b);
    bool frames_only = tdm_nal_bit(b);

    if (!b->ok || id >= TDM_AVC_SPS_MAX || bits > 16 || columns >= SIDE_IN_BLOCKS_MAX ||
        rows >= SIDE_IN_BLOCKS_MAX)
        return false;
    sps.frame_num_bits = (uint8_t)bits;
    sps.width = (columns + 1) * 16;
    sps.height = (rows + 1) * 16 * (frames_only ? 1 : 2);
    stream->sps[id] = sps;
    return true;
}

static bool parse_pps(struct tdm_avc_stream *stream, struct tdm_nal_bits *b)
{
    uint32_t id = tdm_nal_golomb(b), sps = tdm_nal_golomb(b);

    if (!b->ok || id >= TDM_AVC_PPS_MAX || sps >= TDM_AVC_SPS_MAX)
        return false;
    stream->pps_sps[id] = (uint8_t)(sps + 1);
    return true;
}

/* A number that goes on while its bytes are 255 (section 7.3.2.3.1). */
static uint32_t read_sei_number(struct tdm_nal_bits *b)
{
    uint32_t sum = 0, byte;

    do {
        byte = tdm_nal_bits(b, 8);
        sum += byte;
    } while (byte == 255 && b->ok);
    return sum;
}

/* Looks for a recovery point. A broken SEI message is no reason to refuse a picture. */
static void parse_sei(struct tdm_nal_bits *b, struct tdm_avc_unit *unit)
{
    while (b->ok && b->end - b->at > 2) {
        uint32_t type = read_sei_number(b), size = read_sei_number(b);

        if (type == SEI_RECOVERY_POINT) {
            uint32_t frames = tdm_nal_golomb(b);

            unit->recovery_point |= b->ok;
            unit->recovery_frames = frames;
            return;
        }
        while (size-- > 0 && b->ok)
            (void)tdm_nal_bits(b, 8);
    }
}

/* Section 7.3.3, as far as frame_num. */
static bool parse_slice(const struct tdm_avc_stream *stream, struct tdm_nal_bits *b,
                        unsigned header, struct tdm_avc_unit *unit)
{
    (void)tdm_nal_golomb(b); /* First macroblock. */
    uint32_t type = tdm_nal_golomb(b), pps = tdm_nal_golomb(b);

    if (!b->ok || pps >= TDM_AVC_PPS_MAX || stream->pps_sps[pps] == 0)
        return false;
    const struct tdm_avc_sps *sps = &stream->sps[stream->pps_sps[pps] - 1];

    if (!sps->known)
        return false;
    if (sps->separate_planes)
        (void)tdm_nal_bits(b, 2);
    uint32_t frame_num = tdm_nal_bits(b, sps->frame_num_bits);

    if (!b->ok || (unit->has_slice && unit->frame_num != frame_num))
        return false;
    unit->intra_only = type % SLICE_TYPES == SLICE_TYPE_I && (unit->intra_only || !unit->has_slice);
    unit->has_slice = true;
    unit->idr |= (header & 31) == NAL_IDR;
    unit->reference |= (header >> 5 & 3) != 0;
    unit->frame_num = frame_num;
    unit->frame_num_count = 1u << sps->frame_num_bits;
    unit->gaps_allowed = sps->gaps_allowed;
    unit->width = sps->width;
    unit->height = sps->height;
    return true;
}

static bool parse_nal(struct tdm_avc_stream *stream, const uint8_t *data, size_t size,
                      struct tdm_avc_unit *unit)
{
    if (size < 2)
        return size == 0;
    struct tdm_nal_bits b = tdm_nal_bits_of(data + 1, size - 1);

    switch (data[0] & 31) {
    case NAL_SLICE:
    case NAL_PARTITION_A:
    case NAL_IDR:
        return parse_slice(stream, &b, data[0], unit);
    case NAL_SEI:
        parse_sei(&b, unit);
        return true;
    case NAL_SPS:
        return parse_sps(stream, &b);
    case NAL_PPS:
        return parse_pps(stream, &b);
    default:
        return true;
    }
}

enum tdm_err tdm_avc_unit_parse(struct tdm_avc_stream *stream, const uint8_t *data, size_t size,
                                struct tdm_avc_unit *unit)
{
    const uint8_t *end = data + size;
    const uint8_t *at = tdm_nal_start_code(data, end);

    *unit = (struct tdm_avc_unit){0};
    if (at == end)
        return TDM_E_MALFORMED;
    while (at < end) {
        size_t nal_size;
        const uint8_t *nal = tdm_nal_take(&at, end, &nal_size);

        if (!parse_nal(stream, nal, nal_size, unit))
            return TDM_E_MALFORMED;
    }
    return TDM_OK;
}

static bool has_gap(const struct tdm_avc_stream *stream, const struct tdm_avc_unit *unit)
{
    return !unit->gaps_allowed && unit->frame_num != stream->last_frame_num &&
           unit->frame_num != (stream->last_frame_num + 1) % unit->frame_num_count;
}

void tdm_avc_stream_advance(struct tdm_avc_stream *stream, const struct tdm_avc_unit *unit)
{
    if (!unit->has_slice)
        return;
    if (!unit->idr && has_gap(stream, unit))
        tdm_avc_stream_lose(stream);
    if (unit->idr || unit->intra_only)
        stream->in_sync = true;
    if (!stream->in_sync) {
        if (stream->recovering && stream->recovery_left > 0 && unit->reference)
            stream->recovery_left--;
        if (!stream->recovering && unit->recovery_point) {
            stream->recovering = true;
            stream->recovery_left = unit->recovery_frames;
        }
        stream->in_sync = stream->recovering && stream->recovery_left == 0;
    }
    if (unit->reference)
        stream->last_frame_num = unit->frame_num;
}

void tdm_avc_stream_lose(struct tdm_avc_stream *stream)
{
    stream->in_sync = false;
    stream->recovering = false;
}

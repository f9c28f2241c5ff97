/* SPDX-License-Identifier: MIT */
#include "codecs/hevc_stream.h"

#include "codecs/nal.h"
#include "engine/base/picture.h"

enum nal_type {
    NAL_RADL_N = 6,
    NAL_RASL_N = 8,
    NAL_RASL_R = 9,
    NAL_SUB_LAYER_LAST = 15, /* Up to here the even ones are referred to by nobody. */
    NAL_ACCESS_FIRST = 16,
    NAL_BLA_LAST = 18,
    NAL_IDR_FIRST = 19,
    NAL_IDR_LAST = 20,
    NAL_ACCESS_LAST = 23,
    NAL_SLICE_LAST = 31,
    NAL_SPS = 33,
    NAL_PPS = 34
};

#define HEADER_SIZE 2

/* profile_tier_level(1, sub_layers - 1), section 7.3.3. */
static void skip_profile(struct tdm_nal_bits *b, unsigned sub_layers)
{
    bool profile[8] = {false}, level[8] = {false};

    (void)tdm_nal_bits(b, 88 + 8);
    for (unsigned i = 1; i < sub_layers; i++) {
        profile[i] = tdm_nal_bit(b);
        level[i] = tdm_nal_bit(b);
    }
    for (unsigned i = sub_layers; sub_layers > 1 && i < 9; i++)
        (void)tdm_nal_bits(b, 2);
    for (unsigned i = 1; i < sub_layers; i++)
        (void)tdm_nal_bits(b, (profile[i] ? 88u : 0u) + (level[i] ? 8u : 0u));
}

/* scaling_list_data(), section 7.3.4. */
static void skip_scaling_lists(struct tdm_nal_bits *b)
{
    for (int size = 0; size < 4; size++)
        for (int matrix = 0; matrix < 6 && b->ok; matrix += size == 3 ? 3 : 1) {
            if (!tdm_nal_bit(b)) {
                (void)tdm_nal_golomb(b);
                continue;
            }
            if (size > 1)
                (void)tdm_nal_golomb(b);
            for (int i = 0; i < (size == 0 ? 16 : 64) && b->ok; i++)
                (void)tdm_nal_golomb(b);
        }
}

static bool add_ref(struct tdm_hevc_refs *refs, int32_t delta, bool used)
{
    if (refs->count == TDM_HEVC_REFS_MAX || delta > INT16_MAX || delta < INT16_MIN)
        return false;
    refs->delta[refs->count] = delta;
    refs->used[refs->count++] = used;
    return true;
}

/* The order that other sets count on: those before the picture, nearest first, then those after. */
static bool comes_before(int32_t a, int32_t b)
{
    return (a < 0) != (b < 0) ? a < 0 : a < 0 ? a > b : a < b;
}

static void sort_refs(struct tdm_hevc_refs *refs)
{
    for (unsigned i = 1; i < refs->count; i++)
        for (unsigned k = i; k > 0 && comes_before(refs->delta[k], refs->delta[k - 1]); k--) {
            int32_t delta = refs->delta[k];
            bool used = refs->used[k];

            refs->delta[k] = refs->delta[k - 1];
            refs->used[k] = refs->used[k - 1];
            refs->delta[k - 1] = delta;
            refs->used[k - 1] = used;
        }
}

/* A set told by its difference from another (equations 7-61 and 7-62). */
static bool parse_predicted(struct tdm_nal_bits *b, const struct tdm_hevc_refs *from,
                            struct tdm_hevc_refs *refs)
{
    bool negative = tdm_nal_bit(b);
    uint32_t distance = tdm_nal_golomb(b);

    if (distance >= INT16_MAX)
        return false;
    int32_t shift = negative ? -(int32_t)distance - 1 : (int32_t)distance + 1;

    for (unsigned i = 0; i <= from->count; i++) {
        bool used = tdm_nal_bit(b), kept = used || tdm_nal_bit(b);
        int32_t delta = i < from->count ? from->delta[i] + shift : shift;

        if (kept && delta != 0 && !add_ref(refs, delta, used))
            return false;
    }
    sort_refs(refs);
    return true;
}

static bool parse_listed(struct tdm_nal_bits *b, struct tdm_hevc_refs *refs)
{
    uint32_t counts[2] = {tdm_nal_golomb(b), 0}; /* Before the picture, and after it. */

    counts[1] = tdm_nal_golomb(b);
    for (int side = 0; side < 2; side++) {
        int32_t delta = 0;

        if (counts[side] > TDM_HEVC_REFS_MAX)
            return false;
        for (uint32_t i = 0; i < counts[side]; i++) {
            uint32_t distance = tdm_nal_golomb(b);

            if (distance >= INT16_MAX)
                return false;
            delta += side == 0 ? -(int32_t)distance - 1 : (int32_t)distance + 1;
            if (!add_ref(refs, delta, tdm_nal_bit(b)))
                return false;
        }
    }
    return true;
}

/* st_ref_pic_set(index), section 7.3.7; in a slice `index` is the number of sets in the SPS. */
static bool parse_set(struct tdm_nal_bits *b, const struct tdm_hevc_sps *sps, unsigned index,
                      bool in_slice, struct tdm_hevc_refs *refs)
{
    uint32_t back = 0;

    *refs = (struct tdm_hevc_refs){0};
    if (index == 0 || !tdm_nal_bit(b))
        return parse_listed(b, refs) && b->ok;
    if (in_slice)
        back = tdm_nal_golomb(b);
    return back < index && parse_predicted(b, &sps->sets[index - 1 - back], refs) && b->ok;
}

/* What stands in an SPS between the picture's size and its reference sets. */
static void skip_tools(struct tdm_nal_bits *b, unsigned sub_layers)
{
    unsigned first = tdm_nal_bit(b) ? 0 : sub_layers - 1;

    for (unsigned i = first; i < sub_layers; i++)
        for (int n = 0; n < 3; n++)
            (void)tdm_nal_golomb(b);
    for (int n = 0; n < 6; n++) /* Block sizes and depths. */
        (void)tdm_nal_golomb(b);
    if (tdm_nal_bit(b) && tdm_nal_bit(b))
        skip_scaling_lists(b);
    (void)tdm_nal_bits(b, 2);
    if (tdm_nal_bit(b)) { /* Uncompressed samples. */
        (void)tdm_nal_bits(b, 8);
        (void)tdm_nal_golomb(b);
        (void)tdm_nal_golomb(b);
        (void)tdm_nal_bit(b);
    }
}

/* Section 7.3.2.2.1, as far as the reference sets. */
static enum tdm_err parse_sps(struct tdm_hevc_stream *stream, struct tdm_nal_bits *b)
{
    struct tdm_hevc_sps sps = {.known = true};

    (void)tdm_nal_bits(b, 4);
    unsigned sub_layers = tdm_nal_bits(b, 3) + 1;

    (void)tdm_nal_bit(b);
    skip_profile(b, sub_layers);
    uint32_t id = tdm_nal_golomb(b), chroma_format = tdm_nal_golomb(b);

    if (chroma_format == 3)
        sps.separate_planes = tdm_nal_bit(b);
    uint32_t width = tdm_nal_golomb(b), height = tdm_nal_golomb(b);

    if (tdm_nal_bit(b)) /* What is cut off at the sides. */
        for (int i = 0; i < 4; i++)
            (void)tdm_nal_golomb(b);
    uint32_t luma_bits = tdm_nal_golomb(b), chroma_bits = tdm_nal_golomb(b);
    uint32_t order_bits = tdm_nal_golomb(b) + 4;

    if (!b->ok || sub_layers > 7 || id >= TDM_HEVC_SPS_MAX || order_bits > 16)
        return TDM_E_MALFORMED;
    if (chroma_format != 1 || luma_bits != 0 || chroma_bits != 0 || width > TDM_PICTURE_SIDE_MAX ||
        height > TDM_PICTURE_SIDE_MAX)
        return TDM_E_UNSUPPORTED;
    skip_tools(b, sub_layers);
    uint32_t sets = tdm_nal_golomb(b);

    if (!b->ok || sets > TDM_HEVC_SETS_MAX)
        return TDM_E_MALFORMED;
    sps.order_bits = (uint8_t)order_bits;
    sps.set_count = (uint8_t)sets;
    for (unsigned i = 0; i < sets; i++)
        if (!parse_set(b, &sps, i, false, &sps.sets[i]))
            return TDM_E_MALFORMED;
    stream->sps[id] = sps;
    return TDM_OK;
}

static enum tdm_err parse_pps(struct tdm_hevc_stream *stream, struct tdm_nal_bits *b)
{
    uint32_t id = tdm_nal_golomb(b), sps = tdm_nal_golomb(b);
    struct tdm_hevc_pps pps = {.known = true, .sps = (uint8_t)sps};

    (void)tdm_nal_bit(b);
    pps.output_flag = tdm_nal_bit(b);
    pps.extra_bits = (uint8_t)tdm_nal_bits(b, 3);
    if (!b->ok || id >= TDM_HEVC_PPS_MAX || sps >= TDM_HEVC_SPS_MAX)
        return TDM_E_MALFORMED;
    stream->pps[id] = pps;
    return TDM_OK;
}

static unsigned bits_for(unsigned count)
{
    unsigned bits = 0;

    while (1u << bits < count)
        bits++;
    return bits;
}

/* The order count and the references of a picture that is no IDR, section 7.3.6.1. */
static bool parse_references(struct tdm_nal_bits *b, const struct tdm_hevc_sps *sps,
                             struct tdm_hevc_unit *unit)
{
    unit->order_low = (int32_t)tdm_nal_bits(b, sps->order_bits);
    if (!tdm_nal_bit(b))
        return parse_set(b, sps, sps->set_count, true, &unit->refs);
    uint32_t index = tdm_nal_bits(b, bits_for(sps->set_count));

    if (index >= sps->set_count)
        return false;
    unit->refs = sps->sets[index];
    return b->ok;
}

static enum tdm_err parse_slice(const struct tdm_hevc_stream *stream, struct tdm_nal_bits *b,
                                unsigned type, unsigned temporal_id, struct tdm_hevc_unit *unit)
{
    bool first = tdm_nal_bit(b);

    if (type >= NAL_ACCESS_FIRST && type <= NAL_ACCESS_LAST)
        (void)tdm_nal_bit(b);
    uint32_t id = tdm_nal_golomb(b);

    if (!b->ok || first == unit->has_slice || id >= TDM_HEVC_PPS_MAX || !stream->pps[id].known)
        return TDM_E_MALFORMED; /* Or a second picture, or one without its beginning. */
    if (!first)
        return TDM_OK;
    const struct tdm_hevc_pps *pps = &stream->pps[id];
    const struct tdm_hevc_sps *sps = &stream->sps[pps->sps];

    if (!sps->known)
        return TDM_E_MALFORMED;
    (void)tdm_nal_bits(b, pps->extra_bits);
    (void)tdm_nal_golomb(b); /* Slice type. */
    if (pps->output_flag)
        (void)tdm_nal_bit(b);
    if (sps->separate_planes)
        (void)tdm_nal_bits(b, 2);
    unit->has_slice = true;
    unit->access_point = type >= NAL_ACCESS_FIRST && type <= NAL_ACCESS_LAST;
    unit->restarts = type >= NAL_ACCESS_FIRST && type <= NAL_IDR_LAST;
    unit->skippable = type == NAL_RASL_N || type == NAL_RASL_R;
    unit->base = temporal_id == 0 && !(type >= NAL_RADL_N && type <= NAL_RASL_R) &&
                 !(type < NAL_SUB_LAYER_LAST && type % 2 == 0);
    unit->order_count = 1 << sps->order_bits;
    if (type == NAL_IDR_FIRST || type == NAL_IDR_LAST)
        return TDM_OK;
    return parse_references(b, sps, unit) ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err parse_nal(struct tdm_hevc_stream *stream, const uint8_t *data, size_t size,
                              struct tdm_hevc_unit *unit)
{
    if (size <= HEADER_SIZE)
        return size == 0 || size == HEADER_SIZE ? TDM_OK : TDM_E_MALFORMED;
    struct tdm_nal_bits b = tdm_nal_bits_of(data + HEADER_SIZE, size - HEADER_SIZE);
    unsigned type = data[0] >> 1 & 63, temporal_id = (data[1] & 7u) - 1;

    if ((data[0] & 1) != 0 || data[1] >> 3 != 0) /* Of another layer. */
        return TDM_E_UNSUPPORTED;
    if (type == NAL_SPS)
        return parse_sps(stream, &b);
    if (type == NAL_PPS)
        return parse_pps(stream, &b);
    return type <= NAL_SLICE_LAST ? parse_slice(stream, &b, type, temporal_id, unit) : TDM_OK;
}

enum tdm_err tdm_hevc_unit_parse(struct tdm_hevc_stream *stream, const uint8_t *data, size_t size,
                                 struct tdm_hevc_unit *unit)
{
    const uint8_t *end = data + size;
    const uint8_t *at = tdm_nal_start_code(data, end);

    *unit = (struct tdm_hevc_unit){0};
    if (at == end)
        return TDM_E_MALFORMED;
    while (at < end) {
        size_t nal_size;
        const uint8_t *nal = tdm_nal_take(&at, end, &nal_size);
        enum tdm_err err = parse_nal(stream, nal, nal_size, unit);

        if (err != TDM_OK)
            return err;
    }
    return TDM_OK;
}

/* Section 8.3.1: the count nearest to the one before with these low bits. It wraps, as a stream may
 * go on for as long as it likes; counts are only compared for being the same. */
static int32_t order_of(const struct tdm_hevc_stream *stream, const struct tdm_hevc_unit *unit)
{
    int32_t low = stream->order & (unit->order_count - 1);
    uint32_t high = (uint32_t)stream->order - (uint32_t)low;

    if (unit->order_low < low && low - unit->order_low >= unit->order_count / 2)
        high += (uint32_t)unit->order_count;
    else if (unit->order_low > low && unit->order_low - low > unit->order_count / 2)
        high -= (uint32_t)unit->order_count;
    return (int32_t)(high + (uint32_t)unit->order_low);
}

static bool is_held(const struct tdm_hevc_stream *stream, int32_t order)
{
    for (unsigned i = 0; i < stream->held_count; i++)
        if (stream->held[i] == order)
            return true;
    return false;
}

/* Forgets the pictures that the set does not name. False when one that it uses is not there. */
static bool keep_references(struct tdm_hevc_stream *stream, const struct tdm_hevc_refs *refs,
                            int32_t order)
{
    int32_t held[TDM_HEVC_REFS_MAX + 1];
    uint8_t count = 0;
    bool whole = true;

    for (unsigned i = 0; i < refs->count; i++) {
        int32_t wanted = (int32_t)((uint32_t)order + (uint32_t)refs->delta[i]);

        if (is_held(stream, wanted))
            held[count++] = wanted;
        else
            whole &= !refs->used[i];
    }
    for (unsigned i = 0; i < count; i++)
        stream->held[i] = held[i];
    stream->held_count = count;
    return whole;
}

bool tdm_hevc_stream_advance(struct tdm_hevc_stream *stream, const struct tdm_hevc_unit *unit)
{
    if (unit->access_point && (unit->restarts || !stream->in_sync)) {
        stream->skip_leading = true;
        stream->order = 0;
        stream->held_count = 0;
    } else if (unit->access_point) {
        stream->skip_leading = false;
    }
    bool hidden = unit->skippable && stream->skip_leading;
    int32_t order =
        unit->access_point && stream->held_count == 0 ? unit->order_low : order_of(stream, unit);

    if (unit->access_point)
        stream->in_sync = true;
    if (!hidden) {
        if (!keep_references(stream, &unit->refs, order) && !unit->access_point)
            tdm_hevc_stream_lose(stream);
        stream->held[stream->held_count++] = order;
    }
    if (unit->base)
        stream->order = order;
    return !hidden;
}

void tdm_hevc_stream_lose(struct tdm_hevc_stream *stream)
{
    stream->in_sync = false;
}

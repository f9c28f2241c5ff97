/* SPDX-License-Identifier: MIT */
#include "render/stream_header.h"

#include "engine/base/bytes.h"

#include <string.h>

#define OBU_SEQUENCE_HEADER 1 /* AV1 section 6.2.2. */
#define LEB128_BYTES_MAX    8 /* AV1 section 4.10.5. */

/* Which parameter set a NAL unit is, as a bit; 0: none. */
static unsigned set_of(enum tdm_codec_id codec, uint8_t first)
{
    if (codec == TDM_CODEC_H264) {
        int type = first & 31; /* ITU-T H.264 table 7-1. */

        return type == 7 ? 1 : type == 8 ? 2 : 0;
    }
    int type = first >> 1 & 63; /* ITU-T H.265 table 7-1. */

    return type >= 32 && type <= 34 ? 1u << (type - 32) : 0;
}

static size_t find_parameter_sets(enum tdm_codec_id codec, const uint8_t *data, size_t size,
                                  uint8_t *out, size_t out_max)
{
    unsigned found = 0, all = codec == TDM_CODEC_H264 ? 3 : 7;
    size_t at = 0, used = 0;

    while (at + 3 < size) {
        if (data[at] || data[at + 1] || data[at + 2] != 1) {
            at++;
            continue;
        }
        size_t end = at + 3;
        unsigned set = set_of(codec, data[end]);

        while (end < size &&
               !(end + 2 < size && !data[end] && !data[end + 1] && data[end + 2] <= 1))
            end++;
        if (set && used + 1 + end - at > out_max)
            return 0;
        if (set) {
            out[used++] = 0;
            memcpy(out + used, data + at, end - at);
            used += end - at;
            found |= set;
        }
        at = end;
    }
    return found == all ? used : 0;
}

static uint64_t read_leb128(struct tdm_reader *r)
{
    uint64_t value = 0;

    for (int i = 0; i < LEB128_BYTES_MAX; i++) {
        uint8_t byte = tdm_read_u8(r);

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return value;
    }
    r->ok = false;
    return 0;
}

static size_t find_sequence_header(const uint8_t *data, size_t size, uint8_t *out, size_t out_max)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    while (r.ok && tdm_reader_left(&r)) {
        const uint8_t *start = r.at;
        uint8_t head = tdm_read_u8(&r); /* AV1 section 5.3.2. */

        if (head & 4) /* The extension's byte. */
            tdm_read_skip(&r, 1);
        if (!(head & 2)) /* Without a size it would be the last. */
            return 0;
        uint64_t payload = read_leb128(&r);

        if (!r.ok || payload > tdm_reader_left(&r))
            return 0;
        tdm_read_skip(&r, (size_t)payload);
        size_t whole = (size_t)(r.at - start);

        if ((head >> 3 & 15) != OBU_SEQUENCE_HEADER)
            continue;
        if (whole > out_max)
            return 0;
        memcpy(out, start, whole);
        return whole;
    }
    return 0;
}

bool tdm_stream_header_needed(enum tdm_codec_id codec)
{
    return codec == TDM_CODEC_H264 || codec == TDM_CODEC_H265 || codec == TDM_CODEC_AV1;
}

size_t tdm_stream_header_find(enum tdm_codec_id codec, const uint8_t *data, size_t size,
                              uint8_t *out, size_t out_max)
{
    if (codec == TDM_CODEC_AV1)
        return find_sequence_header(data, size, out, out_max);
    return codec == TDM_CODEC_H264 || codec == TDM_CODEC_H265
               ? find_parameter_sets(codec, data, size, out, out_max)
               : 0;
}

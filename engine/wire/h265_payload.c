/* SPDX-License-Identifier: MIT */
#include "engine/wire/h265_payload.h"

#define NAL_HEADER_BYTES 2u
#define FU_HEAD_BYTES    3u
#define TYPE_MASK        0x7eu /* Of the header's first byte. */
#define FU_START         0x80u
#define FU_END           0x40u
#define FU_TYPE_MASK     0x3fu

static uint8_t type_of(const uint8_t *nal)
{
    return (nal[0] & TYPE_MASK) >> 1;
}

/* H.265 section 7.3.1.2: the forbidden bit is clear, and nuh_temporal_id_plus1 is not 0. */
static bool has_header(const uint8_t *nal, size_t size)
{
    return size >= NAL_HEADER_BYTES && !(nal[0] & 0x80) && nal[1] & 0x07;
}

static bool is_nal(const uint8_t *nal, size_t size)
{
    return has_header(nal, size) && type_of(nal) < TDM_H265_AP;
}

/* The next NAL unit of an aggregation packet; NULL at its end and on a bad one (reader not ok). */
static const uint8_t *next_of_ap(struct tdm_reader *r, size_t *size)
{
    if (!tdm_reader_left(r))
        return NULL;
    *size = tdm_read_u16(r);
    const uint8_t *nal = tdm_read_bytes(r, *size);

    if (!nal || !is_nal(nal, *size)) {
        r->ok = false;
        return NULL;
    }
    return nal;
}

static struct tdm_reader ap_reader(const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload + NAL_HEADER_BYTES, size - NAL_HEADER_BYTES);

    r.ok = tdm_reader_left(&r) > 0;
    return r;
}

/* Never both first and last, never empty, and of a plain NAL unit (RFC 7798 section 4.4.3). */
static bool fu_is_good(const uint8_t *payload, size_t size)
{
    return size > FU_HEAD_BYTES && (payload[2] & (FU_START | FU_END)) != (FU_START | FU_END) &&
           (payload[2] & FU_TYPE_MASK) < TDM_H265_AP;
}

/* `body` is what follows the NAL header: of a slice segment, first_slice_segment_in_pic_flag. */
static void peek_nal(struct tdm_h265_peek *peek, uint8_t type, const uint8_t *body, size_t size)
{
    peek->has_vps |= type == TDM_H265_NAL_VPS;
    peek->has_sps |= type == TDM_H265_NAL_SPS;
    peek->has_irap |= type >= TDM_H265_NAL_IRAP_FIRST && type <= TDM_H265_NAL_IRAP_LAST;
    peek->first_slice |= type <= TDM_H265_NAL_VCL_LAST && size && body[0] & 0x80;
}

static enum tdm_err peek_ap(struct tdm_h265_peek *peek, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = ap_reader(payload, size);
    size_t nal_size;

    for (const uint8_t *nal; r.ok && (nal = next_of_ap(&r, &nal_size));)
        peek_nal(peek, type_of(nal), nal + NAL_HEADER_BYTES, nal_size - NAL_HEADER_BYTES);
    peek->starts_nal = peek->ends_nal = true;
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

enum tdm_err tdm_h265_peek(struct tdm_h265_peek *peek, const uint8_t *payload, size_t size)
{
    *peek = (struct tdm_h265_peek){0};
    if (!has_header(payload, size))
        return TDM_E_MALFORMED;
    uint8_t type = type_of(payload);

    if (type == TDM_H265_AP)
        return peek_ap(peek, payload, size);
    if (type > TDM_H265_FU)
        return TDM_E_UNSUPPORTED;
    if (type == TDM_H265_FU) {
        if (!fu_is_good(payload, size))
            return TDM_E_MALFORMED;
        peek->starts_nal = payload[2] & FU_START;
        peek->ends_nal = payload[2] & FU_END;
        if (peek->starts_nal)
            peek_nal(peek, payload[2] & FU_TYPE_MASK, payload + FU_HEAD_BYTES,
                     size - FU_HEAD_BYTES);
        return TDM_OK;
    }
    peek->starts_nal = peek->ends_nal = true;
    peek_nal(peek, type, payload + NAL_HEADER_BYTES, size - NAL_HEADER_BYTES);
    return TDM_OK;
}

static void write_start_code(struct tdm_writer *annex_b)
{
    tdm_write_u32(annex_b, 1);
}

static enum tdm_err join_ap(struct tdm_writer *annex_b, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = ap_reader(payload, size);
    size_t nal_size;

    for (const uint8_t *nal; r.ok && (nal = next_of_ap(&r, &nal_size));) {
        write_start_code(annex_b);
        tdm_write_bytes(annex_b, nal, nal_size);
    }
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err join_fu(struct tdm_h265_joiner *j, bool in_fragment, struct tdm_writer *annex_b,
                            const uint8_t *payload, size_t size)
{
    if (!fu_is_good(payload, size))
        return TDM_E_MALFORMED;
    bool start = payload[2] & FU_START;

    if (start == in_fragment)
        return TDM_E_MALFORMED;
    if (start) {
        write_start_code(annex_b);
        tdm_write_u8(annex_b,
                     (uint8_t)((payload[0] & ~TYPE_MASK) | (payload[2] & FU_TYPE_MASK) << 1));
        tdm_write_u8(annex_b, payload[1]);
    }
    tdm_write_bytes(annex_b, payload + FU_HEAD_BYTES, size - FU_HEAD_BYTES);
    j->in_fragment = !(payload[2] & FU_END);
    return TDM_OK;
}

static enum tdm_err join_any(struct tdm_h265_joiner *j, struct tdm_writer *annex_b,
                             const uint8_t *payload, size_t size)
{
    bool in_fragment = j->in_fragment;

    j->in_fragment = false;
    if (!has_header(payload, size))
        return TDM_E_MALFORMED;
    if (type_of(payload) == TDM_H265_FU)
        return join_fu(j, in_fragment, annex_b, payload, size);
    if (type_of(payload) > TDM_H265_FU)
        return TDM_E_UNSUPPORTED;
    if (in_fragment)
        return TDM_E_MALFORMED;
    if (type_of(payload) == TDM_H265_AP)
        return join_ap(annex_b, payload, size);
    write_start_code(annex_b);
    tdm_write_bytes(annex_b, payload, size);
    return TDM_OK;
}

enum tdm_err tdm_h265_join(struct tdm_h265_joiner *j, struct tdm_writer *annex_b,
                           const uint8_t *payload, size_t size)
{
    uint8_t *was_at = annex_b->at;
    enum tdm_err err = join_any(j, annex_b, payload, size);

    if (!err && !annex_b->ok)
        err = TDM_E_SPACE;
    if (err) {
        annex_b->at = was_at;
        j->in_fragment = false;
    }
    return err;
}

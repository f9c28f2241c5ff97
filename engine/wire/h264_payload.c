/* SPDX-License-Identifier: MIT */
#include "engine/wire/h264_payload.h"

#define TYPE_MASK     0x1fu
#define F_NRI_MASK    0xe0u
#define FU_START      0x80u
#define FU_END        0x40u
#define FU_HEAD_BYTES 2u

void tdm_h264_packetizer_init(struct tdm_h264_packetizer *p, const uint8_t *nal, size_t size,
                              size_t payload_max)
{
    assert(payload_max > FU_HEAD_BYTES);
    *p = (struct tdm_h264_packetizer){.nal = nal, .size = size, .payload_max = payload_max};
    if (size <= payload_max) {
        p->part_bytes = size;
        return;
    }
    /* The NAL header byte travels in the fragments' own headers. There are always two parts or
     * more, as body > part_max: a fragment must not be both first and last. */
    size_t body = size - 1;
    size_t part_max = payload_max - FU_HEAD_BYTES;
    size_t parts = body / part_max + (body % part_max != 0);

    p->part_bytes = body / parts + (body % parts != 0);
    p->at = 1;
}

enum tdm_err tdm_h264_packetizer_next(struct tdm_h264_packetizer *p, uint8_t *out, size_t capacity,
                                      size_t *out_size, bool *last)
{
    size_t left = p->size - p->at;
    size_t bytes = left < p->part_bytes ? left : p->part_bytes;
    struct tdm_writer w = tdm_writer_of(out, capacity);

    if (!left)
        return TDM_E_AGAIN;
    *last = bytes == left;
    if (p->size > p->payload_max) {
        unsigned flags = (p->at == 1 ? FU_START : 0) | (*last ? FU_END : 0);

        tdm_write_u8(&w, (uint8_t)((p->nal[0] & F_NRI_MASK) | TDM_H264_FU_A));
        tdm_write_u8(&w, (uint8_t)(flags | (p->nal[0] & TYPE_MASK)));
    }
    tdm_write_bytes(&w, p->nal + p->at, bytes);
    if (!w.ok)
        return TDM_E_SPACE;
    p->at += bytes;
    *out_size = tdm_writer_size(&w);
    return TDM_OK;
}

/* A type that stands alone, in a STAP-A or in fragments: RFC 6184 table 1, "NAL unit". */
static bool is_nal_type(uint8_t type)
{
    return type >= 1 && type < TDM_H264_STAP_A;
}

static enum tdm_err refuse_type(uint8_t type)
{
    /* 25 to 27 are STAP-B and the MTAPs, 29 is FU-B: interleaved mode only. */
    return type > TDM_H264_STAP_A && type < 30 ? TDM_E_UNSUPPORTED : TDM_E_MALFORMED;
}

/* The next NAL unit of a STAP-A; NULL at its end and on a bad one (reader not ok). */
static const uint8_t *next_of_stap(struct tdm_reader *r, size_t *size)
{
    if (!tdm_reader_left(r))
        return NULL;
    *size = tdm_read_u16(r);
    const uint8_t *nal = tdm_read_bytes(r, *size);

    if (!nal || !*size || !is_nal_type(nal[0] & TYPE_MASK)) {
        r->ok = false;
        return NULL;
    }
    return nal;
}

/* `body` is what follows the NAL header. first_mb_in_slice is the first ue(v) of a slice header,
 * whose 0 is coded as a single 1 bit (H.264 sections 7.3.3 and 9.1). */
static void peek_nal(struct tdm_h264_peek *peek, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == TDM_H264_NAL_SPS)
        peek->has_sps = true;
    if (type == TDM_H264_NAL_IDR)
        peek->has_idr = true;
    if ((type == TDM_H264_NAL_IDR || type == TDM_H264_NAL_SLICE) && size && body[0] & 0x80)
        peek->first_slice = true;
}

static enum tdm_err peek_stap(struct tdm_h264_peek *peek, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload + 1, size - 1);
    size_t nal_size;

    if (!tdm_reader_left(&r))
        return TDM_E_MALFORMED;
    for (const uint8_t *nal; (nal = next_of_stap(&r, &nal_size));)
        peek_nal(peek, nal[0] & TYPE_MASK, nal + 1, nal_size - 1);
    peek->starts_nal = peek->ends_nal = true;
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

/* RFC 6184 section 5.8: never both first and last; only a plain NAL unit can be cut. */
static bool fu_is_good(const uint8_t *payload, size_t size)
{
    return size >= FU_HEAD_BYTES && (payload[1] & (FU_START | FU_END)) != (FU_START | FU_END) &&
           is_nal_type(payload[1] & TYPE_MASK);
}

enum tdm_err tdm_h264_peek(struct tdm_h264_peek *peek, const uint8_t *payload, size_t size)
{
    *peek = (struct tdm_h264_peek){0};
    if (!size)
        return TDM_E_MALFORMED;
    uint8_t type = payload[0] & TYPE_MASK;

    if (is_nal_type(type)) {
        peek->starts_nal = peek->ends_nal = true;
        peek_nal(peek, type, payload + 1, size - 1);
        return TDM_OK;
    }
    if (type == TDM_H264_STAP_A)
        return peek_stap(peek, payload, size);
    if (type != TDM_H264_FU_A)
        return refuse_type(type);
    if (!fu_is_good(payload, size))
        return TDM_E_MALFORMED;
    peek->starts_nal = payload[1] & FU_START;
    peek->ends_nal = payload[1] & FU_END;
    if (peek->starts_nal)
        peek_nal(peek, payload[1] & TYPE_MASK, payload + FU_HEAD_BYTES, size - FU_HEAD_BYTES);
    return TDM_OK;
}

static void write_start_code(struct tdm_writer *annex_b)
{
    tdm_write_u32(annex_b, 1);
}

static enum tdm_err join_stap(struct tdm_writer *annex_b, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload + 1, size - 1);
    size_t nal_size;

    if (!tdm_reader_left(&r))
        return TDM_E_MALFORMED;
    for (const uint8_t *nal; (nal = next_of_stap(&r, &nal_size));) {
        write_start_code(annex_b);
        tdm_write_bytes(annex_b, nal, nal_size);
    }
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err join_fu(struct tdm_h264_joiner *j, bool in_fragment, struct tdm_writer *annex_b,
                            const uint8_t *payload, size_t size)
{
    if (!fu_is_good(payload, size))
        return TDM_E_MALFORMED;
    bool start = payload[1] & FU_START;

    if (start == in_fragment)
        return TDM_E_MALFORMED;
    if (start) {
        write_start_code(annex_b);
        tdm_write_u8(annex_b, (uint8_t)((payload[0] & F_NRI_MASK) | (payload[1] & TYPE_MASK)));
    }
    tdm_write_bytes(annex_b, payload + FU_HEAD_BYTES, size - FU_HEAD_BYTES);
    j->in_fragment = !(payload[1] & FU_END);
    return TDM_OK;
}

static enum tdm_err join_any(struct tdm_h264_joiner *j, struct tdm_writer *annex_b,
                             const uint8_t *payload, size_t size)
{
    bool in_fragment = j->in_fragment;
    uint8_t type = size ? payload[0] & TYPE_MASK : 0;

    j->in_fragment = false;
    if (type == TDM_H264_FU_A)
        return join_fu(j, in_fragment, annex_b, payload, size);
    if (in_fragment)
        return TDM_E_MALFORMED;
    if (type == TDM_H264_STAP_A)
        return join_stap(annex_b, payload, size);
    if (!is_nal_type(type))
        return refuse_type(type);
    write_start_code(annex_b);
    tdm_write_bytes(annex_b, payload, size);
    return TDM_OK;
}

enum tdm_err tdm_h264_join(struct tdm_h264_joiner *j, struct tdm_writer *annex_b,
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

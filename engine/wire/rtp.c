/* SPDX-License-Identifier: MIT */
#include "engine/wire/rtp.h"

#define VERSION          2u
#define EXT_ONE_BYTE     0xbedeu
#define EXT_TWO_BYTE     0x1000u /* The low four bits are the application's. */
#define EXT_ID_STOP      15u     /* One-byte form only. */
#define EXT_ONE_BYTE_MAX 16u

static void add_ext(struct tdm_rtp *rtp, uint8_t id, const uint8_t *data, uint8_t size)
{
    if (data && rtp->ext_count < TDM_RTP_EXT_MAX)
        rtp->exts[rtp->ext_count++] = (struct tdm_rtp_ext){.id = id, .size = size, .data = data};
}

/* RFC 8285 section 4.2: 4 bits id, 4 bits size - 1. A zero byte is padding; id 15, and id 0 with a
 * size, end the list and what was read before stands. */
static void parse_one_byte_exts(struct tdm_rtp *rtp, struct tdm_reader *r)
{
    while (r->ok && tdm_reader_left(r)) {
        uint8_t head = tdm_read_u8(r);
        uint8_t id = head >> 4;
        uint8_t size = (uint8_t)((head & 0x0f) + 1);

        if (!head)
            continue;
        if (!id || id == EXT_ID_STOP)
            return;
        add_ext(rtp, id, tdm_read_bytes(r, size), size);
    }
}

/* RFC 8285 section 4.3: a byte of id, a byte of size that may be 0. A zero byte is padding. */
static void parse_two_byte_exts(struct tdm_rtp *rtp, struct tdm_reader *r)
{
    while (r->ok && tdm_reader_left(r)) {
        uint8_t id = tdm_read_u8(r);

        if (!id)
            continue;
        uint8_t size = tdm_read_u8(r);

        add_ext(rtp, id, tdm_read_bytes(r, size), size);
    }
}

/* RFC 3550 section 5.3.1. An extension of a profile that we do not know is stepped over. */
static void parse_exts(struct tdm_rtp *rtp, struct tdm_reader *r)
{
    uint16_t profile = tdm_read_u16(r);
    uint16_t words = tdm_read_u16(r);
    struct tdm_reader exts = tdm_read_sub(r, (size_t)words * 4);

    if (!exts.ok)
        return;
    if (profile == EXT_ONE_BYTE)
        parse_one_byte_exts(rtp, &exts);
    else if ((profile & 0xfff0u) == EXT_TWO_BYTE)
        parse_two_byte_exts(rtp, &exts);
    r->ok = exts.ok;
}

enum tdm_err tdm_rtp_parse(struct tdm_rtp *rtp, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t first = tdm_read_u8(&r);
    uint8_t second = tdm_read_u8(&r);

    rtp->marker = second >> 7;
    rtp->payload_type = second & 0x7f;
    rtp->seq = tdm_read_u16(&r);
    rtp->timestamp = tdm_read_u32(&r);
    rtp->ssrc = tdm_read_u32(&r);
    rtp->ext_count = 0;
    tdm_read_skip(&r, (size_t)(first & 0x0f) * 4); /* CSRC */
    if (first & 0x10)
        parse_exts(rtp, &r);

    size_t left = tdm_reader_left(&r);
    size_t padding = 0;

    if (first & 0x20) {
        padding = r.ok && left ? r.end[-1] : 0;
        if (!padding || padding > left)
            r.ok = false;
    }
    if (!r.ok || first >> 6 != VERSION)
        return TDM_E_MALFORMED;
    rtp->payload = r.at;
    rtp->payload_size = left - padding;
    return TDM_OK;
}

static void write_exts(struct tdm_writer *w, const struct tdm_rtp *rtp)
{
    size_t bytes = 0;

    for (uint8_t i = 0; i < rtp->ext_count; i++)
        bytes += 1u + rtp->exts[i].size;

    size_t padding = (4 - bytes % 4) % 4;

    tdm_write_u16(w, EXT_ONE_BYTE);
    tdm_write_u16(w, (uint16_t)((bytes + padding) / 4));
    for (uint8_t i = 0; i < rtp->ext_count; i++) {
        const struct tdm_rtp_ext *ext = &rtp->exts[i];

        /* The id was negotiated, so a peer has a say in it: a failed write, not an assert. */
        if (!ext->id || ext->id >= EXT_ID_STOP || !ext->size || ext->size > EXT_ONE_BYTE_MAX)
            w->ok = false;
        tdm_write_u8(w, (uint8_t)(ext->id << 4 | ((ext->size - 1) & 0x0f)));
        tdm_write_bytes(w, ext->data, ext->size);
    }
    tdm_write_uint(w, 0, padding);
}

void tdm_rtp_write(struct tdm_writer *w, const struct tdm_rtp *rtp)
{
    assert(rtp->ext_count <= TDM_RTP_EXT_MAX && rtp->payload_type < 128);
    tdm_write_u8(w, (uint8_t)(VERSION << 6 | (rtp->ext_count ? 0x10 : 0)));
    tdm_write_u8(w, (uint8_t)((rtp->marker ? 0x80 : 0) | rtp->payload_type));
    tdm_write_u16(w, rtp->seq);
    tdm_write_u32(w, rtp->timestamp);
    tdm_write_u32(w, rtp->ssrc);
    if (rtp->ext_count)
        write_exts(w, rtp);

    uint8_t *payload = tdm_write_reserve(w, rtp->payload_size);

    if (payload && rtp->payload_size && payload != rtp->payload)
        memcpy(payload, rtp->payload, rtp->payload_size);
}

const struct tdm_rtp_ext *tdm_rtp_ext_find(const struct tdm_rtp *rtp, uint8_t id)
{
    for (uint8_t i = 0; id && i < rtp->ext_count; i++) {
        if (rtp->exts[i].id == id)
            return &rtp->exts[i];
    }
    return NULL;
}

bool tdm_rtp_is_rtcp(const uint8_t *data, size_t size)
{
    return size >= 2 && data[0] >> 6 == VERSION && data[1] >= 192 && data[1] <= 223;
}

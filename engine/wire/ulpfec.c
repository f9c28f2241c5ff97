/* SPDX-License-Identifier: MIT */
#include "engine/wire/ulpfec.h"

#define EXTENSION  0x80 /* E */
#define LONG_MASK  0x40 /* L */
#define SHORT_BITS 16
#define LONG_BITS  48

/* The first packet's bit is the highest on the wire and the lowest here. */
static uint64_t reversed(uint64_t mask, unsigned bits)
{
    uint64_t other = 0;

    for (unsigned i = 0; i < bits; i++)
        other |= (mask >> i & 1) << (bits - 1 - i);
    return other;
}

/* RFC 5109 sections 7.3 and 7.4. */
enum tdm_err tdm_ulpfec_parse(struct tdm_ulpfec *fec, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload, size);

    uint8_t first = tdm_read_u8(&r);
    unsigned bits = first & LONG_MASK ? LONG_BITS : SHORT_BITS;

    fec->flags = first & 0x3f;
    fec->type = tdm_read_u8(&r);
    fec->base = tdm_read_u16(&r);
    fec->timestamp = tdm_read_u32(&r);
    fec->length = tdm_read_u16(&r);
    fec->size = tdm_read_u16(&r);
    fec->mask = reversed(tdm_read_uint(&r, bits / 8), bits);
    fec->data = tdm_read_bytes(&r, fec->size);
    if (!r.ok || !fec->mask)
        return TDM_E_MALFORMED;
    return first & EXTENSION ? TDM_E_UNSUPPORTED : TDM_OK;
}

void tdm_ulpfec_write(struct tdm_writer *w, const struct tdm_ulpfec *fec)
{
    bool wide = fec->mask >> SHORT_BITS;
    unsigned bits = wide ? LONG_BITS : SHORT_BITS;
    uint64_t mask = reversed(fec->mask, bits);

    tdm_write_u8(w, (uint8_t)((fec->flags & 0x3f) | (wide ? LONG_MASK : 0)));
    tdm_write_u8(w, fec->type);
    tdm_write_u16(w, fec->base);
    tdm_write_u32(w, fec->timestamp);
    tdm_write_u16(w, fec->length);
    tdm_write_u16(w, fec->size);
    if (wide)
        tdm_write_u32(w, (uint32_t)(mask >> 16));
    tdm_write_u16(w, (uint16_t)mask);
    tdm_write_bytes(w, fec->data, fec->size);
}

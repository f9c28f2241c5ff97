/* SPDX-License-Identifier: MIT */
#include "engine/wire/vp8_payload.h"

#include "engine/base/bytes.h"

#define DESCRIPTOR_BYTES 4u /* With a 15-bit picture id and nothing else. */

/* RFC 7741 section 4.2: the byte after the first says which of these follow. */
static void parse_extended(struct tdm_vp8_descriptor *d, struct tdm_reader *r)
{
    uint8_t flags = tdm_read_u8(r);

    d->has_picture_id = flags & 0x80;
    d->has_tl0 = flags & 0x40;
    d->has_tid = flags & 0x20;
    d->has_key_idx = flags & 0x10;
    if (d->has_picture_id) {
        uint8_t high = tdm_read_u8(r);

        d->picture_id_wide = high & 0x80;
        d->picture_id = high & 0x7f;
        if (d->picture_id_wide)
            d->picture_id = (uint16_t)(d->picture_id << 8 | tdm_read_u8(r));
    }
    if (d->has_tl0)
        d->tl0_pic_idx = tdm_read_u8(r);
    if (d->has_tid || d->has_key_idx) {
        uint8_t layer = tdm_read_u8(r);

        d->tid = d->has_tid ? layer >> 6 : 0;
        d->layer_sync = d->has_tid && layer & 0x20;
        d->key_idx = d->has_key_idx ? layer & 0x1f : 0;
    }
}

enum tdm_err tdm_vp8_parse(struct tdm_vp8_descriptor *d, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload, size);
    uint8_t first = tdm_read_u8(&r);

    *d = (struct tdm_vp8_descriptor){
        .non_reference = first & 0x20,
        .start = (first & 0x10) && !(first & 0x07),
        .partition = first & 0x07,
    };
    if (first & 0x80)
        parse_extended(d, &r);
    if (!r.ok || !tdm_reader_left(&r))
        return TDM_E_MALFORMED;
    d->data = r.at;
    d->size = tdm_reader_left(&r);
    d->keyframe = d->start && !(d->data[0] & 0x01);
    return TDM_OK;
}

void tdm_vp8_packetizer_init(struct tdm_vp8_packetizer *p, const uint8_t *frame, size_t size,
                             uint16_t picture_id, size_t payload_max)
{
    assert(payload_max > DESCRIPTOR_BYTES);
    size_t part_max = payload_max - DESCRIPTOR_BYTES;
    size_t parts = size / part_max + (size % part_max != 0);

    *p = (struct tdm_vp8_packetizer){
        .data = frame,
        .size = size,
        .part_bytes = parts ? size / parts + (size % parts != 0) : 0,
        .picture_id = picture_id & 0x7fff,
    };
}

enum tdm_err tdm_vp8_packetizer_next(struct tdm_vp8_packetizer *p, uint8_t *out, size_t capacity,
                                     size_t *out_size, bool *last)
{
    size_t left = p->size - p->at;
    size_t bytes = left < p->part_bytes ? left : p->part_bytes;
    struct tdm_writer w = tdm_writer_of(out, capacity);

    if (!left)
        return TDM_E_AGAIN;
    tdm_write_u8(&w, p->at ? 0x80 : 0x90); /* X, and S on the first. */
    tdm_write_u8(&w, 0x80);                /* I */
    tdm_write_u16(&w, 0x8000u | p->picture_id);
    tdm_write_bytes(&w, p->data + p->at, bytes);
    if (!w.ok)
        return TDM_E_SPACE;
    p->at += bytes;
    *out_size = tdm_writer_size(&w);
    *last = p->at == p->size;
    return TDM_OK;
}

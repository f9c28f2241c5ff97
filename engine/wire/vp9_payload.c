/* SPDX-License-Identifier: MIT */
#include "engine/wire/vp9_payload.h"

#include <assert.h>

#define DESCRIPTOR_BYTES 3u /* With a 15-bit picture id and nothing else. */
#define STRUCTURE_BYTES  5u /* One layer, its size, no picture group. */

/* Bits of the first byte. */
#define HAS_PICTURE_ID 0x80u
#define INTER_PICTURE  0x40u
#define HAS_LAYERS     0x20u
#define FLEXIBLE       0x10u
#define START          0x08u
#define END            0x04u
#define HAS_STRUCTURE  0x02u
#define NOT_UPWARD     0x01u

/* Bits of the scalability structure's first byte. */
#define HAS_SIZES 0x10u
#define HAS_GROUP 0x08u

static void parse_picture_id(struct tdm_vp9_descriptor *d, struct tdm_reader *r)
{
    uint8_t high = tdm_read_u8(r);

    d->has_picture_id = true;
    d->picture_id_wide = high & 0x80;
    d->picture_id = high & 0x7f;
    if (d->picture_id_wide)
        d->picture_id = (uint16_t)(d->picture_id << 8 | tdm_read_u8(r));
}

static void parse_layers(struct tdm_vp9_descriptor *d, struct tdm_reader *r)
{
    uint8_t layers = tdm_read_u8(r);

    d->has_layers = true;
    d->tid = layers >> 5;
    d->switching_up = layers & 0x10;
    d->sid = layers >> 1 & 0x07;
    d->inter_layer = layers & 0x01;
    d->has_tl0 = !d->flexible;
    if (d->has_tl0)
        d->tl0_pic_idx = tdm_read_u8(r);
}

static void parse_references(struct tdm_vp9_descriptor *d, struct tdm_reader *r)
{
    bool more = true;

    while (more && r->ok) {
        uint8_t reference = tdm_read_u8(r);

        if (d->reference_count == TDM_VP9_REFERENCES_MAX) {
            r->ok = false;
            return;
        }
        d->references[d->reference_count++] = reference >> 1;
        more = reference & 0x01;
    }
}

static void parse_structure(struct tdm_vp9_structure *s, struct tdm_reader *r)
{
    uint8_t first = tdm_read_u8(r);

    s->layer_count = (uint8_t)((first >> 5) + 1);
    s->has_sizes = first & HAS_SIZES;
    s->has_group = first & HAS_GROUP;
    for (unsigned i = 0; s->has_sizes && i < s->layer_count; i++) {
        s->width[i] = tdm_read_u16(r);
        s->height[i] = tdm_read_u16(r);
    }
    s->group_count = s->has_group ? tdm_read_u8(r) : 0;
    for (unsigned i = 0; r->ok && i < s->group_count; i++)
        tdm_read_skip(r, tdm_read_u8(r) >> 2 & 0x03); /* R of TID, U, R: that many P_DIFF. */
}

enum tdm_err tdm_vp9_parse(struct tdm_vp9_descriptor *d, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload, size);
    uint8_t first = tdm_read_u8(&r);
    struct tdm_vp9_frame frame;

    *d = (struct tdm_vp9_descriptor){
        .inter_picture = first & INTER_PICTURE,
        .flexible = first & FLEXIBLE,
        .start = first & START,
        .end = first & END,
        .not_upward = first & NOT_UPWARD,
    };
    if (first & HAS_PICTURE_ID)
        parse_picture_id(d, &r);
    if (first & HAS_LAYERS)
        parse_layers(d, &r);
    if (d->flexible && d->inter_picture)
        parse_references(d, &r);
    d->has_structure = first & HAS_STRUCTURE;
    if (d->has_structure)
        parse_structure(&d->structure, &r);
    if (!r.ok || !tdm_reader_left(&r))
        return TDM_E_MALFORMED;
    d->data = r.at;
    d->size = tdm_reader_left(&r);
    d->keyframe = d->start && d->sid == 0 &&
                  tdm_vp9_frame_parse(&frame, d->data, d->size) == TDM_OK && frame.keyframe;
    return TDM_OK;
}

/* Single bits, the highest of a byte first; sticky like the reader under it. */
struct bits {
    struct tdm_reader bytes;
    uint8_t byte;
    unsigned left;
};

static unsigned take(struct bits *b, unsigned count)
{
    unsigned value = 0;

    for (; count; count--) {
        if (!b->left) {
            b->byte = tdm_read_u8(&b->bytes);
            b->left = 8;
        }
        b->left--;
        value = value << 1 | ((unsigned)b->byte >> b->left & 1u);
    }
    return value;
}

/* color_config() of the specification, of which only the length is of interest. */
static void skip_color_config(struct bits *b, unsigned profile)
{
    const unsigned srgb = 7;
    bool odd = profile & 1;

    if (profile >= 2)
        take(b, 1); /* ten_or_twelve_bit */
    if (take(b, 3) != srgb)
        take(b, odd ? 4 : 1); /* color_range; subsampling_x, subsampling_y, a reserved bit. */
    else if (odd)
        take(b, 1);
}

enum tdm_err tdm_vp9_frame_parse(struct tdm_vp9_frame *f, const uint8_t *frame, size_t size)
{
    struct bits b = {.bytes = tdm_reader_of(frame, size)};
    unsigned marker = take(&b, 2);
    unsigned profile = take(&b, 1);

    *f = (struct tdm_vp9_frame){0};
    profile |= take(&b, 1) << 1;
    if (!b.bytes.ok || marker != 2 || (profile == 3 && take(&b, 1)))
        return TDM_E_MALFORMED;
    if (take(&b, 2)) /* show_existing_frame, frame_type: 0 is a key frame. */
        return TDM_OK;
    take(&b, 2); /* show_frame, error_resilient_mode */
    unsigned sync_code = take(&b, 24);

    skip_color_config(&b, profile);
    unsigned width = take(&b, 16) + 1, height = take(&b, 16) + 1;

    if (!b.bytes.ok || sync_code != 0x498342)
        return TDM_E_MALFORMED;
    f->keyframe = true;
    /* 65536 has no place in the scalability structure either. */
    f->width = (uint16_t)(width > UINT16_MAX ? 0 : width);
    f->height = (uint16_t)(height > UINT16_MAX ? 0 : height);
    return TDM_OK;
}

static size_t structure_bytes(const struct tdm_vp9_packetizer *p)
{
    return p->width && p->height ? STRUCTURE_BYTES : 0;
}

void tdm_vp9_packetizer_init(struct tdm_vp9_packetizer *p, const uint8_t *frame, size_t size,
                             uint16_t picture_id, size_t payload_max)
{
    struct tdm_vp9_frame header;
    enum tdm_err err = tdm_vp9_frame_parse(&header, frame, size);

    assert(payload_max >= TDM_VP9_PAYLOAD_MIN);
    *p = (struct tdm_vp9_packetizer){
        .data = frame,
        .size = size,
        .picture_id = picture_id & 0x7fff,
        .inter_picture = err != TDM_OK || !header.keyframe,
        .width = header.width,
        .height = header.height,
    };
    /* The structure counts like data, of which the first payload then takes less. */
    size_t bytes = size + structure_bytes(p);
    size_t part_max = payload_max - DESCRIPTOR_BYTES;
    size_t parts = bytes / part_max + (bytes % part_max != 0);

    p->part_bytes = size ? bytes / parts + (bytes % parts != 0) : 0;
}

enum tdm_err tdm_vp9_packetizer_next(struct tdm_vp9_packetizer *p, uint8_t *out, size_t capacity,
                                     size_t *out_size, bool *last)
{
    bool first = p->at == 0;
    size_t structure = first ? structure_bytes(p) : 0;
    size_t left = p->size - p->at;
    size_t part = p->part_bytes - structure;
    size_t bytes = left < part ? left : part;
    struct tdm_writer w = tdm_writer_of(out, capacity);

    if (!left)
        return TDM_E_AGAIN;
    tdm_write_u8(&w, (uint8_t)(HAS_PICTURE_ID | (p->inter_picture ? INTER_PICTURE : 0) |
                               (first ? START : 0) | (bytes == left ? END : 0) |
                               (structure ? HAS_STRUCTURE : 0)));
    tdm_write_u16(&w, 0x8000u | p->picture_id);
    if (structure) {
        tdm_write_u8(&w, HAS_SIZES);
        tdm_write_u16(&w, p->width);
        tdm_write_u16(&w, p->height);
    }
    tdm_write_bytes(&w, p->data + p->at, bytes);
    if (!w.ok)
        return TDM_E_SPACE;
    p->at += bytes;
    *out_size = tdm_writer_size(&w);
    *last = p->at == p->size;
    return TDM_OK;
}

enum tdm_err tdm_vp9_join(struct tdm_vp9_joiner *j, struct tdm_writer *picture,
                          const uint8_t *payload, size_t size)
{
    struct tdm_vp9_descriptor d;
    bool in_frame = j->in_frame;

    j->in_frame = false;
    if (tdm_vp9_parse(&d, payload, size) != TDM_OK || d.start == in_frame ||
        (d.start && j->frame_count == TDM_VP9_LAYERS_MAX))
        return TDM_E_MALFORMED;
    tdm_write_bytes(picture, d.data, d.size);
    if (!picture->ok)
        return TDM_E_SPACE;
    j->frame_count += d.start;
    j->frame_bytes[j->frame_count - 1] += (uint32_t)d.size;
    j->in_frame = !d.end;
    return TDM_OK;
}

enum tdm_err tdm_vp9_join_end(const struct tdm_vp9_joiner *j, struct tdm_writer *picture)
{
    uint8_t marker = (uint8_t)(0xd8 | (j->frame_count - 1)); /* Sizes in four bytes each. */

    if (j->frame_count < 2)
        return TDM_OK;
    tdm_write_u8(picture, marker);
    for (int i = 0; i < j->frame_count; i++)
        for (int shift = 0; shift < 32; shift += 8)
            tdm_write_u8(picture, (uint8_t)(j->frame_bytes[i] >> shift));
    tdm_write_u8(picture, marker);
    return picture->ok ? TDM_OK : TDM_E_SPACE;
}

/* SPDX-License-Identifier: MIT */
#include "collab/file_wire.h"

static void write_text(struct tdm_writer *w, const char *text)
{
    size_t size = strnlen(text, UINT8_MAX);

    tdm_write_u8(w, (uint8_t)size);
    tdm_write_bytes(w, text, size);
}

static void write_desc(struct tdm_writer *w, const struct tdm_file_desc *d)
{
    tdm_write_u64(w, d->size);
    tdm_write_u64(w, (uint64_t)d->date_s);
    tdm_write_bytes(w, d->root, sizeof d->root);
    tdm_write_u32(w, d->manifest_bytes);
    tdm_write_u32(w, d->entries);
    write_text(w, d->name);
    write_text(w, d->type);
}

size_t tdm_file_message_write(const struct tdm_file_message *m, uint8_t out[TDM_FILE_MESSAGE_MAX])
{
    struct tdm_writer w = tdm_writer_of(out, TDM_FILE_MESSAGE_MAX);

    tdm_write_u8(&w, (uint8_t)m->kind);
    tdm_write_u16(&w, 0);
    if (m->kind == TDM_FILE_HELLO) {
        tdm_write_u16(&w, m->version);
        tdm_write_u16(&w, m->offers_max);
    } else {
        tdm_write_u64(&w, m->id);
    }
    switch (m->kind) {
    case TDM_FILE_HELLO:
        break;
    case TDM_FILE_OFFER:
        write_desc(&w, &m->desc);
        break;
    case TDM_FILE_ACCEPT:
        tdm_write_u32(&w, m->have_blocks);
        tdm_write_u32(&w, m->chunk_count);
        break;
    case TDM_FILE_WANT:
        tdm_write_u32(&w, m->first);
        tdm_write_u32(&w, m->count);
        tdm_write_u8(&w, m->plain);
        break;
    case TDM_FILE_PAUSE:
        tdm_write_u8(&w, m->by_sender);
        tdm_write_u8(&w, (uint8_t)m->pause);
        break;
    case TDM_FILE_END:
        tdm_write_u8(&w, m->by_sender);
        tdm_write_u8(&w, (uint8_t)m->end);
        break;
    }
    assert(w.ok);
    size_t size = tdm_writer_size(&w);

    out[1] = (uint8_t)((size - TDM_FILE_MESSAGE_HEAD) >> 8);
    out[2] = (uint8_t)(size - TDM_FILE_MESSAGE_HEAD);
    return size;
}

/* A media type is shown to people: letters, digits and the signs of RFC 6838 section 4.2 alone. */
static void read_type(struct tdm_reader *r, char type[TDM_FILE_TYPE_MAX])
{
    uint8_t size = tdm_read_u8(r);
    const uint8_t *text = tdm_read_bytes(r, size);
    size_t length = 0;

    for (size_t i = 0; text && i < size && length + 1 < TDM_FILE_TYPE_MAX; i++) {
        uint8_t c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (letter || (c && strchr("/+-._!#$&^", c)))
            type[length++] = (char)c;
    }
    type[length] = 0;
}

static bool read_desc(struct tdm_reader *r, struct tdm_file_desc *d)
{
    d->size = tdm_read_u64(r);
    d->date_s = (int64_t)tdm_read_u64(r);
    const uint8_t *root = tdm_read_bytes(r, sizeof d->root);

    d->manifest_bytes = tdm_read_u32(r);
    d->entries = tdm_read_u32(r);

    uint8_t name_size = tdm_read_u8(r);
    const uint8_t *name = tdm_read_bytes(r, name_size);

    read_type(r, d->type);
    if (!r->ok || !name_size)
        return false;
    memcpy(d->root, root, sizeof d->root);
    d->renamed = tdm_file_name_clean(d->name, (const char *)name, name_size);
    return d->size <= TDM_FILE_SIZE_MAX && d->manifest_bytes <= TDM_FILE_MANIFEST_MAX &&
           d->manifest_bytes <= d->size && d->entries <= TDM_FILE_ENTRIES_MAX;
}

enum tdm_err tdm_file_message_parse(struct tdm_file_message *m, uint8_t kind, const uint8_t *body,
                                    size_t size)
{
    struct tdm_reader r = tdm_reader_of(body, size);
    bool good = true;

    *m = (struct tdm_file_message){.kind = kind};
    if (kind < TDM_FILE_HELLO || kind > TDM_FILE_END)
        return TDM_E_UNSUPPORTED;
    if (kind != TDM_FILE_HELLO)
        m->id = tdm_read_u64(&r);
    switch (m->kind) {
    case TDM_FILE_HELLO:
        m->version = tdm_read_u16(&r);
        m->offers_max = tdm_read_u16(&r);
        break;
    case TDM_FILE_OFFER:
        good = read_desc(&r, &m->desc);
        break;
    case TDM_FILE_ACCEPT:
        m->have_blocks = tdm_read_u32(&r);
        m->chunk_count = tdm_read_u32(&r);
        break;
    case TDM_FILE_WANT:
        m->first = tdm_read_u32(&r);
        m->count = tdm_read_u32(&r);
        m->plain = tdm_read_u8(&r) & 1;
        good = m->count > 0;
        break;
    case TDM_FILE_PAUSE:
        m->by_sender = tdm_read_u8(&r) & 1;
        m->pause = tdm_read_u8(&r);
        good = m->pause < TDM_FILE_PAUSE_COUNT;
        break;
    case TDM_FILE_END:
        m->by_sender = tdm_read_u8(&r) & 1;
        m->end = tdm_read_u8(&r);
        good = m->end > TDM_FILE_END_NONE && m->end < TDM_FILE_END_COUNT;
        break;
    }
    return r.ok && good ? TDM_OK : TDM_E_MALFORMED;
}

size_t tdm_file_frame_body(const struct tdm_file_frame *f)
{
    return (size_t)f->proof_count * TDM_FILE_HASH_BYTES + f->size;
}

void tdm_file_frame_write(const struct tdm_file_frame *f, uint8_t head[TDM_FILE_FRAME_HEAD])
{
    struct tdm_writer w = tdm_writer_of(head, TDM_FILE_FRAME_HEAD);

    tdm_write_u8(&w, (uint8_t)f->kind);
    tdm_write_u64(&w, f->id);
    tdm_write_u32(&w, f->index);
    tdm_write_u8(&w, (uint8_t)(f->encoding | f->height << 3));
    tdm_write_u8(&w, f->proof_count);
    tdm_write_u24(&w, f->size);
}

enum tdm_err tdm_file_frame_parse(struct tdm_file_frame *f, const uint8_t head[TDM_FILE_FRAME_HEAD])
{
    struct tdm_reader r = tdm_reader_of(head, TDM_FILE_FRAME_HEAD);
    uint8_t kind = tdm_read_u8(&r);

    *f = (struct tdm_file_frame){.kind = kind, .id = tdm_read_u64(&r), .index = tdm_read_u32(&r)};
    uint8_t how = tdm_read_u8(&r);

    f->encoding = how & 7;
    f->height = how >> 3;
    f->proof_count = tdm_read_u8(&r);
    f->size = tdm_read_u24(&r);
    return (kind == TDM_FILE_BLOCK || kind == TDM_FILE_SIGNATURES) &&
                   f->proof_count <= TDM_FILE_PROOF_MAX && f->size <= TDM_FILE_BLOCK_BYTES
               ? TDM_OK
               : TDM_E_MALFORMED;
}

/* SPDX-License-Identifier: MIT */
#include "collab/board_wire.h"

#include "collab/board_op.h"

#define HAS_CURSOR   1u
#define IS_PRESSED   2u
#define PRESENTS     4u
#define HAS_VIEW     8u
#define HAS_PREVIEW  16u
#define HAS_CARET    32u
#define LIVE_VERSION 1

enum tdm_err tdm_board_hello_write(const struct tdm_board_hello *h, struct tdm_writer *w)
{
    tdm_write_u8(w, h->version);
    tdm_write_bytes(w, h->document, sizeof h->document);
    tdm_write_u32(w, h->actor);
    tdm_board_write_v(w, h->version_count);
    for (size_t i = 0; i < h->version_count; i++) {
        tdm_write_u32(w, h->versions[i].actor);
        tdm_board_write_v(w, h->versions[i].seq);
    }
    return w->ok ? TDM_OK : TDM_E_SPACE;
}

enum tdm_err tdm_board_hello_parse(struct tdm_board_hello *h, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    h->version = tdm_read_u8(&r);
    const uint8_t *document = tdm_read_bytes(&r, sizeof h->document);

    if (document)
        memcpy(h->document, document, sizeof h->document);
    h->actor = tdm_read_u32(&r);
    uint64_t count = tdm_board_read_v(&r);

    if (!r.ok || h->version == 0 || count > TDM_BOARD_ACTORS_MAX)
        return TDM_E_MALFORMED;
    h->version_count = (size_t)count;
    for (size_t i = 0; i < h->version_count; i++) {
        h->versions[i].actor = tdm_read_u32(&r);
        uint64_t seq = tdm_board_read_v(&r);

        if (seq > TDM_BOARD_SEQ_MAX)
            return TDM_E_MALFORMED;
        h->versions[i].seq = (uint32_t)seq;
    }
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

static void write_id(struct tdm_writer *w, struct tdm_board_id id)
{
    tdm_write_u32(w, id.actor);
    tdm_board_write_v(w, id.seq);
}

static struct tdm_board_id read_id(struct tdm_reader *r)
{
    struct tdm_board_id id = {.actor = tdm_read_u32(r)};
    uint64_t seq = tdm_board_read_v(r);

    id.seq = (uint32_t)seq;
    if (seq > TDM_BOARD_SEQ_MAX)
        r->ok = false;
    return id;
}

static int32_t read_place(struct tdm_reader *r)
{
    int64_t at = tdm_board_read_s(r);

    return (int32_t)(at < -TDM_BOARD_FAR  ? -TDM_BOARD_FAR
                     : at > TDM_BOARD_FAR ? TDM_BOARD_FAR
                                          : at);
}

static void write_places(struct tdm_writer *w, const int32_t *const places[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        tdm_board_write_s(w, *places[i]);
}

static uint8_t flags_of(const struct tdm_board_live *l)
{
    return (uint8_t)((l->cursor ? HAS_CURSOR : 0) | (l->pressed ? IS_PRESSED : 0) |
                     (l->presenting ? PRESENTS : 0) | (l->view_w > 0 ? HAS_VIEW : 0) |
                     (l->preview ? HAS_PREVIEW : 0) |
                     (tdm_board_same(l->caret_object, TDM_BOARD_NONE) ? 0 : HAS_CARET));
}

size_t tdm_board_live_write(const struct tdm_board_live *l, uint8_t data[TDM_BOARD_LIVE_MAX])
{
    struct tdm_writer w = tdm_writer_of(data, TDM_BOARD_LIVE_MAX);
    uint8_t flags = flags_of(l);
    size_t name = strnlen(l->name, TDM_BOARD_NAME_MAX);

    tdm_write_u8(&w, LIVE_VERSION);
    tdm_write_u8(&w, (uint8_t)name);
    tdm_write_bytes(&w, (const uint8_t *)l->name, name);
    tdm_write_u32(&w, l->colour);
    write_id(&w, l->page);
    tdm_write_u8(&w, flags);
    tdm_write_u8(&w, l->tool);
    if (flags & HAS_CURSOR)
        write_places(&w, (const int32_t *const[]){&l->x, &l->y}, 2);
    if (flags & HAS_VIEW)
        write_places(&w, (const int32_t *const[]){&l->view_x, &l->view_y, &l->view_w, &l->view_h},
                     4);
    tdm_write_u8(&w, l->laser_count);
    tdm_write_u16(&w, l->laser_stroke);
    for (uint8_t i = 0; i < l->laser_count && i < TDM_BOARD_LASER_MAX; i++)
        write_places(&w, (const int32_t *const[]){&l->laser[i].x, &l->laser[i].y}, 2);
    tdm_write_u8(&w, l->selected_count);
    for (uint8_t i = 0; i < l->selected_count && i < TDM_BOARD_SELECTED_MAX; i++)
        write_id(&w, l->selected[i]);
    if (flags & HAS_PREVIEW) {
        tdm_write_u8(&w, l->preview);
        write_places(&w,
                     (const int32_t *const[]){&l->preview_x, &l->preview_y, &l->preview_w,
                                              &l->preview_h, &l->preview_width},
                     5);
        tdm_write_u32(&w, l->preview_colour);
        tdm_write_u32(&w, l->preview_fill);
    }
    if (flags & HAS_CARET) {
        write_id(&w, l->caret_object);
        tdm_board_write_v(&w, l->caret);
    }
    return w.ok ? tdm_writer_size(&w) : 0;
}

/* One line without anything that turns or hides. */
static void take_name(struct tdm_board_live *l, const uint8_t *name, size_t size)
{
    memcpy(l->name, name, size);
    if (size == 0 || board_text_mend((uint8_t *)l->name, size) == 0)
        size = 0;
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)l->name[i] < ' ')
            l->name[i] = ' ';
    l->name[size] = '\0';
}

static void read_lists(struct tdm_board_live *l, struct tdm_reader *r)
{
    l->laser_count = tdm_read_u8(r);
    l->laser_stroke = tdm_read_u16(r);
    if (l->laser_count > TDM_BOARD_LASER_MAX)
        r->ok = false;
    for (uint8_t i = 0; r->ok && i < l->laser_count; i++) {
        l->laser[i].x = read_place(r);
        l->laser[i].y = read_place(r);
    }
    l->selected_count = tdm_read_u8(r);
    if (l->selected_count > TDM_BOARD_SELECTED_MAX)
        r->ok = false;
    for (uint8_t i = 0; r->ok && i < l->selected_count; i++)
        l->selected[i] = read_id(r);
}

static void read_preview(struct tdm_board_live *l, struct tdm_reader *r)
{
    l->preview = tdm_read_u8(r);
    l->preview_x = read_place(r);
    l->preview_y = read_place(r);
    l->preview_w = read_place(r);
    l->preview_h = read_place(r);
    l->preview_width = read_place(r);
    l->preview_colour = tdm_read_u32(r);
    l->preview_fill = tdm_read_u32(r);
}

enum tdm_err tdm_board_live_parse(struct tdm_board_live *l, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t version = tdm_read_u8(&r), name_size = tdm_read_u8(&r);
    const uint8_t *name = tdm_read_bytes(&r, name_size);

    memset(l, 0, sizeof *l);
    if (!r.ok || version == 0 || name_size > TDM_BOARD_NAME_MAX)
        return TDM_E_MALFORMED;
    if (name)
        take_name(l, name, name_size);
    l->colour = tdm_read_u32(&r);
    l->page = read_id(&r);
    uint8_t flags = tdm_read_u8(&r);

    l->tool = tdm_read_u8(&r);
    l->cursor = flags & HAS_CURSOR;
    l->pressed = flags & IS_PRESSED;
    l->presenting = flags & PRESENTS;
    if (flags & HAS_CURSOR) {
        l->x = read_place(&r);
        l->y = read_place(&r);
    }
    if (flags & HAS_VIEW) {
        l->view_x = read_place(&r);
        l->view_y = read_place(&r);
        l->view_w = read_place(&r);
        l->view_h = read_place(&r);
    }
    read_lists(l, &r);
    if (flags & HAS_PREVIEW)
        read_preview(l, &r);
    if (flags & HAS_CARET) {
        l->caret_object = read_id(&r);
        uint64_t caret = tdm_board_read_v(&r);

        l->caret = caret < UINT32_MAX ? (uint32_t)caret : UINT32_MAX;
    }
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

static size_t size_of_v(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

enum tdm_err tdm_board_blob_write(const struct tdm_board_blob *b, struct tdm_writer *w)
{
    bool has_size = b->type == TDM_BOARD_BLOB_HAVE || b->type == TDM_BOARD_BLOB_DATA;
    bool has_offset = b->type == TDM_BOARD_BLOB_WANT || b->type == TDM_BOARD_BLOB_DATA;
    size_t data = b->type == TDM_BOARD_BLOB_DATA ? b->data_size : 0;

    tdm_board_write_v(w, 1 + TDM_BOARD_HASH_BYTES + (has_size ? size_of_v(b->size) : 0) +
                             (has_offset ? size_of_v(b->offset) : 0) + data);
    tdm_write_u8(w, (uint8_t)b->type);
    tdm_write_bytes(w, b->hash, sizeof b->hash);
    if (has_size)
        tdm_board_write_v(w, b->size);
    if (has_offset)
        tdm_board_write_v(w, b->offset);
    if (data)
        tdm_write_bytes(w, b->data, data);
    return w->ok ? TDM_OK : TDM_E_SPACE;
}

static bool is_blob(uint8_t type)
{
    return type >= TDM_BOARD_BLOB_WANT && type <= TDM_BOARD_BLOB_LACK;
}

enum tdm_err tdm_board_blob_parse(struct tdm_board_blob *b, const uint8_t *data, size_t size,
                                  size_t *taken)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint64_t length = tdm_board_read_v(&r);

    *b = (struct tdm_board_blob){0};
    *taken = 0;
    if (!r.ok) /* A size of which not all is there; one that never ends is none. */
        return size < TDM_BOARD_V_MAX ? TDM_OK : TDM_E_MALFORMED;
    if (length == 0 || length > TDM_BOARD_MESSAGE_MAX)
        return TDM_E_MALFORMED;
    if (tdm_reader_left(&r) < length)
        return TDM_OK;
    struct tdm_reader m = tdm_read_sub(&r, (size_t)length);
    uint8_t type = tdm_read_u8(&m);

    *taken = (size_t)(r.at - data);
    if (!is_blob(type))
        return TDM_OK;
    const uint8_t *hash = tdm_read_bytes(&m, TDM_BOARD_HASH_BYTES);

    b->type = (enum tdm_board_message_type)type;
    if (hash)
        memcpy(b->hash, hash, sizeof b->hash);
    if (type == TDM_BOARD_BLOB_HAVE || type == TDM_BOARD_BLOB_DATA)
        b->size = tdm_board_read_v(&m);
    if (type == TDM_BOARD_BLOB_WANT || type == TDM_BOARD_BLOB_DATA)
        b->offset = tdm_board_read_v(&m);
    if (type == TDM_BOARD_BLOB_DATA) {
        b->data_size = tdm_reader_left(&m);
        b->data = tdm_read_bytes(&m, b->data_size);
    }
    return m.ok ? TDM_OK : TDM_E_MALFORMED;
}

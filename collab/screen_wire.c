/* SPDX-License-Identifier: MIT */
#include "collab/screen_wire.h"

#include <string.h>

#define RUN_ALIKE   1     /* In the low bit of a cursor's run: one pixel, repeated. */
#define POINTER_MAX 32768 /* A hot spot may be outside of the surface. */

void tdm_screen_write_number(struct tdm_writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        tdm_write_u8(w, (uint8_t)(value | 0x80));
    tdm_write_u8(w, (uint8_t)value);
}

uint64_t tdm_screen_read_number(struct tdm_reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = tdm_read_u8(r);

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if ((shift && !byte) || (shift == 63 && byte > 1))
            break;
        return r->ok ? value : 0;
    }
    r->ok = false;
    return 0;
}

void tdm_screen_write_signed(struct tdm_writer *w, int64_t value)
{
    tdm_screen_write_number(w, value < 0 ? ~(uint64_t)value << 1 | 1 : (uint64_t)value << 1);
}

int64_t tdm_screen_read_signed(struct tdm_reader *r)
{
    uint64_t value = tdm_screen_read_number(r);

    return (int64_t)(value & 1 ? ~(value >> 1) : value >> 1);
}

void tdm_screen_write_cells(struct tdm_writer *w, const struct tdm_screen_rect *cells)
{
    tdm_screen_write_number(w, (uint64_t)cells->x);
    tdm_screen_write_number(w, (uint64_t)cells->y);
    tdm_screen_write_number(w, (uint64_t)cells->width - 1);
    tdm_screen_write_number(w, (uint64_t)cells->height - 1);
}

struct tdm_screen_rect tdm_screen_read_cells(struct tdm_reader *r, int columns, int rows)
{
    uint64_t x = tdm_screen_read_number(r), y = tdm_screen_read_number(r);
    uint64_t width = tdm_screen_read_number(r), height = tdm_screen_read_number(r);
    uint64_t right = (uint64_t)columns, bottom = (uint64_t)rows;

    if (x >= right || y >= bottom || width >= right - x || height >= bottom - y)
        r->ok = false;
    if (!r->ok)
        return (struct tdm_screen_rect){0, 0, 1, 1};
    return (struct tdm_screen_rect){(int)x, (int)y, (int)width + 1, (int)height + 1};
}

struct tdm_screen_rect tdm_screen_pixels_of(const struct tdm_screen_rect *cells, int width,
                                            int height)
{
    struct tdm_screen_rect rect = {cells->x * TDM_SCREEN_CELL, cells->y * TDM_SCREEN_CELL,
                                   cells->width * TDM_SCREEN_CELL, cells->height * TDM_SCREEN_CELL};

    if (rect.width > width - rect.x)
        rect.width = width - rect.x;
    if (rect.height > height - rect.y)
        rect.height = height - rect.y;
    return rect;
}

struct tdm_screen_out_record tdm_screen_record_begin(uint8_t *room, size_t size)
{
    return (struct tdm_screen_out_record){
        room, tdm_writer_of(room + TDM_SCREEN_HEAD_MAX, size - TDM_SCREEN_HEAD_MAX)};
}

uint8_t *tdm_screen_record_end(struct tdm_screen_out_record *record, uint8_t kind, size_t *size)
{
    uint8_t head[16];
    struct tdm_writer w = tdm_writer_of(head, sizeof head);
    size_t body = tdm_writer_size(&record->body);

    tdm_write_u8(&w, kind);
    tdm_screen_write_number(&w, body);
    assert(record->body.ok && tdm_writer_size(&w) <= TDM_SCREEN_HEAD_MAX);
    uint8_t *start = record->room + TDM_SCREEN_HEAD_MAX - tdm_writer_size(&w);

    memcpy(start, head, tdm_writer_size(&w));
    *size = tdm_writer_size(&w) + body;
    return start;
}

enum tdm_err tdm_screen_head_parse(const uint8_t *data, size_t size, size_t max, uint8_t *kind,
                                   size_t *head_size, size_t *body_size)
{
    size_t value = 0;

    for (size_t i = 1; i < TDM_SCREEN_HEAD_MAX; i++) {
        if (i >= size)
            return TDM_E_AGAIN;
        value |= (size_t)(data[i] & 0x7f) << 7 * (i - 1);
        if (data[i] & 0x80)
            continue;
        *kind = data[0];
        *head_size = i + 1;
        *body_size = value;
        return value <= max ? TDM_OK : TDM_E_MALFORMED;
    }
    return TDM_E_MALFORMED;
}

void tdm_screen_start_write(const struct tdm_screen_start *start, struct tdm_writer *w)
{
    tdm_screen_write_number(w, start->version);
    tdm_screen_write_number(w, start->first_id);
    tdm_screen_write_number(w, start->cache_tiles);
    tdm_screen_write_number(w, start->resyncs);
    tdm_write_u64(w, start->hash_seed);
}

enum tdm_err tdm_screen_start_parse(struct tdm_screen_start *start, struct tdm_reader *r)
{
    start->version = tdm_screen_read_number(r);
    start->first_id = (uint32_t)tdm_screen_read_number(r);
    start->cache_tiles = tdm_screen_read_number(r);
    start->resyncs = tdm_screen_read_number(r);
    start->hash_seed = tdm_read_u64(r);
    if (!r->ok)
        return TDM_E_MALFORMED;
    return start->version == TDM_SCREEN_VERSION ? TDM_OK : TDM_E_UNSUPPORTED;
}

void tdm_screen_list_write(const struct tdm_screen_list *list, struct tdm_writer *w)
{
    tdm_screen_write_number(w, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tdm_screen_surface *s = &list->surfaces[i];
        size_t name = strnlen(s->name, sizeof s->name);

        tdm_write_u8(w, (uint8_t)(s->id | (s->primary ? 0x10 : 0)));
        tdm_write_u16(w, s->width);
        tdm_write_u16(w, s->height);
        tdm_screen_write_signed(w, s->x);
        tdm_screen_write_signed(w, s->y);
        tdm_screen_write_number(w, name);
        tdm_write_bytes(w, s->name, name);
    }
}

static bool surface_is_good(const struct tdm_screen_list *list, uint32_t at)
{
    const struct tdm_screen_surface *s = &list->surfaces[at];

    for (uint32_t i = 0; i < at; i++)
        if (list->surfaces[i].id == s->id)
            return false;
    return s->width >= 1 && s->width <= TDM_SCREEN_SIDE_MAX && s->height >= 1 &&
           s->height <= TDM_SCREEN_SIDE_MAX;
}

enum tdm_err tdm_screen_list_parse(struct tdm_screen_list *list, struct tdm_reader *r)
{
    uint64_t count = tdm_screen_read_number(r);

    memset(list, 0, sizeof *list);
    if (!r->ok || count > TDM_SCREEN_SURFACES_MAX)
        return TDM_E_MALFORMED;
    list->count = (uint32_t)count;
    for (uint32_t i = 0; i < list->count; i++) {
        struct tdm_screen_surface *s = &list->surfaces[i];
        uint8_t first = tdm_read_u8(r);

        s->id = first & 0x0f;
        s->primary = first & 0x10;
        s->width = tdm_read_u16(r);
        s->height = tdm_read_u16(r);
        s->x = (int32_t)tdm_screen_read_signed(r);
        s->y = (int32_t)tdm_screen_read_signed(r);
        size_t name = (size_t)tdm_screen_read_number(r);
        const uint8_t *bytes = tdm_read_bytes(r, name);

        if (!r->ok || !surface_is_good(list, i))
            return TDM_E_MALFORMED;
        if (name > sizeof s->name - 1)
            name = sizeof s->name - 1;
        for (size_t k = 0; k < name; k++)
            s->name[k] = (char)(bytes[k] < 0x20 || bytes[k] == 0x7f ? '?' : bytes[k]);
    }
    return TDM_OK;
}

static uint32_t cursor_pixel(const uint8_t *pixels, size_t at)
{
    uint32_t value;

    memcpy(&value, pixels + at * 4, sizeof value);
    return value;
}

/* Runs: length * 2 + 1 and one pixel, or length * 2 and as many pixels. */
void tdm_screen_cursor_write(const struct tdm_screen_cursor *cursor, struct tdm_writer *w)
{
    size_t area = (size_t)cursor->width * cursor->height;

    assert(cursor->slot < TDM_SCREEN_CURSOR_SLOTS && area &&
           cursor->width <= TDM_SCREEN_CURSOR_SIDE_MAX &&
           cursor->height <= TDM_SCREEN_CURSOR_SIDE_MAX);
    tdm_write_u8(w, cursor->slot);
    tdm_screen_write_number(w, cursor->width);
    tdm_screen_write_number(w, cursor->height);
    tdm_screen_write_number(w, cursor->hot_x);
    tdm_screen_write_number(w, cursor->hot_y);
    for (size_t at = 0; at < area;) {
        size_t alike = 1, other = 1;

        while (at + alike < area &&
               cursor_pixel(cursor->pixels, at + alike) == cursor_pixel(cursor->pixels, at))
            alike++;
        if (alike > 1) {
            tdm_screen_write_number(w, alike * 2 + RUN_ALIKE);
            tdm_write_bytes(w, cursor->pixels + at * 4, 4);
            at += alike;
            continue;
        }
        while (at + other < area && cursor_pixel(cursor->pixels, at + other) !=
                                        cursor_pixel(cursor->pixels, at + other - 1))
            other++;
        tdm_screen_write_number(w, other * 2);
        tdm_write_bytes(w, cursor->pixels + at * 4, other * 4);
        at += other;
    }
}

enum tdm_err tdm_screen_cursor_parse(struct tdm_screen_cursor *cursor, struct tdm_reader *r,
                                     uint8_t *pixels)
{
    uint64_t side[2], hot[2];

    cursor->slot = tdm_read_u8(r);
    side[0] = tdm_screen_read_number(r);
    side[1] = tdm_screen_read_number(r);
    hot[0] = tdm_screen_read_number(r);
    hot[1] = tdm_screen_read_number(r);
    for (int i = 0; i < 2; i++)
        if (!r->ok || side[i] < 1 || side[i] > TDM_SCREEN_CURSOR_SIDE_MAX || hot[i] >= side[i])
            return TDM_E_MALFORMED;
    size_t area = (size_t)(side[0] * side[1]);

    for (size_t at = 0; at < area;) {
        uint64_t run = tdm_screen_read_number(r), length = run / 2;

        if (!r->ok || !length || length > area - at)
            return TDM_E_MALFORMED;
        const uint8_t *bytes = tdm_read_bytes(r, run & RUN_ALIKE ? 4 : (size_t)length * 4);

        if (!bytes)
            return TDM_E_MALFORMED;
        for (uint64_t i = 0; i < length; i++, at++)
            memcpy(pixels + at * 4, bytes + (run & RUN_ALIKE ? 0 : i * 4), 4);
    }
    cursor->width = (uint16_t)side[0];
    cursor->height = (uint16_t)side[1];
    cursor->hot_x = (uint16_t)hot[0];
    cursor->hot_y = (uint16_t)hot[1];
    cursor->pixels = pixels;
    return cursor->slot < TDM_SCREEN_CURSOR_SLOTS ? TDM_OK : TDM_E_MALFORMED;
}

size_t tdm_screen_pointer_write(const struct tdm_screen_pointer *pointer,
                                uint8_t value[TDM_SCREEN_POINTER_BYTES])
{
    struct tdm_writer w = tdm_writer_of(value, TDM_SCREEN_POINTER_BYTES);

    tdm_write_u8(&w, (uint8_t)((pointer->surface & 0x0f) | (pointer->visible ? 0x10 : 0)));
    tdm_write_u8(&w, pointer->shape);
    tdm_screen_write_signed(&w, pointer->x);
    tdm_screen_write_signed(&w, pointer->y);
    assert(w.ok);
    return tdm_writer_size(&w);
}

enum tdm_err tdm_screen_pointer_parse(struct tdm_screen_pointer *pointer, const uint8_t *value,
                                      size_t size)
{
    struct tdm_reader r = tdm_reader_of(value, size);
    uint8_t first = tdm_read_u8(&r), shape = tdm_read_u8(&r);
    int64_t x = tdm_screen_read_signed(&r), y = tdm_screen_read_signed(&r);

    if (!r.ok || shape >= TDM_SCREEN_CURSOR_SLOTS || x < -TDM_SCREEN_SIDE_MAX ||
        y < -TDM_SCREEN_SIDE_MAX || x > POINTER_MAX || y > POINTER_MAX)
        return TDM_E_MALFORMED;
    *pointer = (struct tdm_screen_pointer){
        .surface = first & 0x0f,
        .visible = first & 0x10,
        .shape = shape,
        .x = (int32_t)x,
        .y = (int32_t)y,
    };
    return TDM_OK;
}

/* The body's head is as long as its numbers are, so it is written twice: the size comes first. */
static void write_unit(const struct tdm_screen_unit *unit, struct tdm_writer *w)
{
    tdm_write_u8(w, unit->stream);
    tdm_write_u8(w, unit->codec);
    tdm_screen_write_number(w, unit->frame_id);
}

size_t tdm_screen_unit_write_head(const struct tdm_screen_unit *unit,
                                  uint8_t head[TDM_SCREEN_UNIT_HEAD_MAX])
{
    struct tdm_writer w = tdm_writer_of(head, TDM_SCREEN_UNIT_HEAD_MAX);

    assert(unit->size <= TDM_SCREEN_UNIT_MAX);
    write_unit(unit, &w);
    size_t body = tdm_writer_size(&w) + unit->size;

    w = tdm_writer_of(head, TDM_SCREEN_UNIT_HEAD_MAX);
    tdm_write_u8(&w, TDM_SCREEN_UNIT);
    tdm_screen_write_number(&w, body);
    write_unit(unit, &w);
    assert(w.ok);
    return tdm_writer_size(&w);
}

enum tdm_err tdm_screen_unit_parse(struct tdm_screen_unit *unit, struct tdm_reader *r)
{
    uint8_t stream = tdm_read_u8(r), codec = tdm_read_u8(r);
    uint64_t id = tdm_screen_read_number(r);
    size_t size = tdm_reader_left(r);

    if (!r->ok || stream >= TDM_SCREEN_VIDEOS_MAX || id > UINT32_MAX || !size ||
        size > TDM_SCREEN_UNIT_MAX)
        return TDM_E_MALFORMED;
    *unit = (struct tdm_screen_unit){.stream = stream,
                                     .codec = codec,
                                     .frame_id = (uint32_t)id,
                                     .data = tdm_read_bytes(r, size),
                                     .size = size};
    return TDM_OK;
}

/* SPDX-License-Identifier: MIT */
#include "collab/control_wire.h"

#include "engine/base/bytes.h"
#include "engine/base/utf8.h"

#include <stddef.h>
#include <string.h>

/* The fields of a record in their order on the wire: one list for writing and for reading. */
enum field {
    END = 0,
    SEQ,
    VERSION,
    SCOPES,
    STATE,
    CAUSE,
    SECONDS,
    MILLISECONDS,
    STAMP,
    USAGE,
    MODS,
    PRESS,
    KEYSYM,
    SURFACE,
    X,
    Y,
    DX,
    DY,
    BUTTON,
    TOUCH,
    PHASE,
    PRESSURE,
    SERIAL,
    ORIGIN,
    FORMAT,
    OFFSET,
    FIN,
    FORMATS,
    KEY_TEXT, /* Its size is before it: fields may come behind. */
    LAYOUT,
    TEXT, /* The rest. */
    DATA,
};

#define FIELDS_MAX 8

static const uint16_t bytes_max[] = {
    [KEY_TEXT - KEY_TEXT] = TDM_CONTROL_KEY_TEXT_MAX,
    [LAYOUT - KEY_TEXT] = TDM_CONTROL_LAYOUT_MAX - 1,
    [TEXT - KEY_TEXT] = TDM_CONTROL_TEXT_MAX,
    [DATA - KEY_TEXT] = TDM_CONTROL_DATA_MAX,
};

static const uint8_t layouts[64][FIELDS_MAX] = {
    [TDM_CONTROL_HELLO] = {VERSION, LAYOUT},
    [TDM_CONTROL_ASK] = {SCOPES, SECONDS},
    [TDM_CONTROL_LEAVE] = {END},
    [TDM_CONTROL_GRANT] = {SEQ, STATE, SCOPES, CAUSE, SECONDS},
    [TDM_CONTROL_KEY] = {SEQ, USAGE, PRESS, KEYSYM, MODS, KEY_TEXT},
    [TDM_CONTROL_TEXT] = {SEQ, TEXT},
    [TDM_CONTROL_MOVE] = {SEQ, SURFACE, X, Y},
    [TDM_CONTROL_NUDGE] = {SEQ, DX, DY},
    [TDM_CONTROL_BUTTON] = {SEQ, SURFACE, X, Y, BUTTON, PRESS, MODS},
    [TDM_CONTROL_WHEEL] = {SEQ, DX, DY},
    [TDM_CONTROL_TOUCH] = {SEQ, SURFACE, X, Y, TOUCH, PHASE, PRESSURE},
    [TDM_CONTROL_BEAT] = {SEQ, MODS, STAMP},
    [TDM_CONTROL_FOCUS] = {SEQ, PRESS, MODS},
    [TDM_CONTROL_POINT] = {SEQ, SURFACE, X, Y, BUTTON},
    [TDM_CONTROL_ECHO] = {STAMP},
    [TDM_CONTROL_LOCKS] = {MODS},
    [TDM_CONTROL_YIELD] = {MILLISECONDS},
    [TDM_CONTROL_CLIP_OFFER] = {SEQ, SERIAL, ORIGIN, FORMATS},
    [TDM_CONTROL_CLIP_WANT] = {SEQ, SERIAL, FORMAT},
    [TDM_CONTROL_CLIP_DATA] = {SEQ, SERIAL, FORMAT, OFFSET, FIN, DATA},
    [TDM_CONTROL_CLIP_NONE] = {SEQ, SERIAL, FORMAT},
};

/* A field that is a number: its place in the record, and on the wire. */
struct number {
    uint16_t at;
    uint8_t member_bytes, bytes;
    uint16_t max; /* 0: as it may be. */
};

#define NUMBER(member, wire_bytes, most)                                                           \
    {                                                                                              \
        offsetof(struct tdm_control_record, member),                                               \
            sizeof((struct tdm_control_record *)0)->member, wire_bytes, most                       \
    }

static const struct number numbers[FORMATS] = {
    [SEQ] = NUMBER(seq, 4, 0),
    [VERSION] = NUMBER(version, 2, 0),
    [SCOPES] = NUMBER(scopes, 2, 0),
    [STATE] = NUMBER(state, 1, TDM_CONSENT_REVOKED),
    [CAUSE] = NUMBER(cause, 2, 0),
    [SECONDS] = NUMBER(seconds, 4, 0),
    [MILLISECONDS] = NUMBER(milliseconds, 4, 0),
    [STAMP] = NUMBER(stamp, 4, 0),
    [USAGE] = NUMBER(usage, 2, 0),
    [MODS] = NUMBER(mods, 2, 0),
    [PRESS] = NUMBER(press, 1, TDM_PRESS_REPEAT),
    [KEYSYM] = NUMBER(keysym, 4, 0),
    [SURFACE] = NUMBER(surface, 2, 0),
    [X] = NUMBER(x, 2, 0),
    [Y] = NUMBER(y, 2, 0),
    [DX] = NUMBER(dx, 2, 0),
    [DY] = NUMBER(dy, 2, 0),
    [BUTTON] = NUMBER(button, 1, TDM_CONTROL_BUTTON_MAX),
    [TOUCH] = NUMBER(touch, 1, TDM_CONTROL_TOUCH_MAX),
    [PHASE] = NUMBER(phase, 1, TDM_TOUCH_END),
    [PRESSURE] = NUMBER(pressure, 2, 0),
    [SERIAL] = NUMBER(serial, 4, 0),
    [ORIGIN] = NUMBER(origin, 8, 0),
    [FORMAT] = NUMBER(format, 1, TDM_CLIP_FILES),
    [OFFSET] = NUMBER(offset, 4, 0),
    [FIN] = NUMBER(fin, 1, 1),
};

/* Members are of 1, 2, 4 or 8 bytes, in the machine's order. */
static uint64_t member(const struct tdm_control_record *rec, const struct number *n)
{
    const uint8_t *at = (const uint8_t *)rec + n->at;
    uint16_t two = 0;
    uint32_t four = 0;
    uint64_t eight = 0;

    switch (n->member_bytes) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    case 4:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

static void set_member(struct tdm_control_record *rec, const struct number *n, uint64_t value)
{
    uint8_t *at = (uint8_t *)rec + n->at;
    uint16_t two = (uint16_t)value;
    uint32_t four = (uint32_t)value;

    switch (n->member_bytes) {
    case 1:
        *at = (uint8_t)value;
        break;
    case 2:
        memcpy(at, &two, sizeof two);
        break;
    case 4:
        memcpy(at, &four, sizeof four);
        break;
    default:
        memcpy(at, &value, sizeof value);
    }
}

static bool is_known(uint8_t kind)
{
    return kind == TDM_CONTROL_LEAVE || (kind < sizeof layouts / sizeof *layouts && *layouts[kind]);
}

static void write_formats(struct tdm_writer *w, const struct tdm_control_record *rec)
{
    tdm_write_u8(w, rec->format_count);
    for (uint8_t i = 0; i < rec->format_count; i++) {
        tdm_write_u8(w, rec->formats[i].format);
        tdm_write_u32(w, rec->formats[i].size);
    }
}

static void write_field(struct tdm_writer *w, enum field f, const struct tdm_control_record *rec)
{
    if (f < FORMATS) {
        tdm_write_uint(w, member(rec, &numbers[f]), numbers[f].bytes);
        return;
    }
    if (f == FORMATS) {
        write_formats(w, rec);
        return;
    }
    if (rec->size > bytes_max[f - KEY_TEXT])
        w->ok = false;
    if (f == KEY_TEXT || f == LAYOUT)
        tdm_write_u8(w, (uint8_t)rec->size);
    tdm_write_bytes(w, rec->data, rec->size);
}

enum tdm_err tdm_control_write(const struct tdm_control_record *rec, uint8_t *data, size_t capacity,
                               size_t *size)
{
    struct tdm_writer w = tdm_writer_of(data, capacity);

    assert(is_known((uint8_t)rec->kind) && rec->format_count <= TDM_CONTROL_FORMATS_MAX);
    tdm_write_u16(&w, 0);
    tdm_write_u8(&w, (uint8_t)rec->kind);
    for (const uint8_t *f = layouts[rec->kind]; *f; f++)
        write_field(&w, (enum field) * f, rec);
    if (!w.ok)
        return TDM_E_SPACE;
    *size = tdm_writer_size(&w);
    struct tdm_writer head = tdm_writer_of(data, 2);

    tdm_write_u16(&head, (uint16_t)(*size - 2));
    return TDM_OK;
}

/* Entries of formats that a later version has are stepped over. */
static void read_formats(struct tdm_reader *r, struct tdm_control_record *rec)
{
    uint8_t count = tdm_read_u8(r);

    for (uint8_t i = 0; r->ok && i < count; i++) {
        struct tdm_clip_entry e = {.format = tdm_read_u8(r), .size = tdm_read_u32(r)};
        bool again = false;

        for (uint8_t k = 0; k < rec->format_count; k++)
            again |= rec->formats[k].format == e.format;
        if (r->ok && e.format <= TDM_CLIP_FILES && !again)
            rec->formats[rec->format_count++] = e;
    }
}

static void read_field(struct tdm_reader *r, enum field f, struct tdm_control_record *rec)
{
    if (f < FORMATS) {
        uint64_t value = tdm_read_uint(r, numbers[f].bytes);

        if (numbers[f].max && value > numbers[f].max)
            r->ok = false;
        else
            set_member(rec, &numbers[f], value);
        return;
    }
    if (f == FORMATS) {
        read_formats(r, rec);
        return;
    }
    size_t size = f == KEY_TEXT || f == LAYOUT ? tdm_read_u8(r) : tdm_reader_left(r);

    rec->data = tdm_read_bytes(r, size);
    rec->size = rec->data ? (uint32_t)size : 0;
    if (size > bytes_max[f - KEY_TEXT] ||
        (f != DATA && rec->data && !tdm_utf8_valid(rec->data, rec->size)))
        r->ok = false;
}

enum tdm_err tdm_control_parse(struct tdm_control_record *rec, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t kind = tdm_read_u8(&r);

    *rec = (struct tdm_control_record){.kind = TDM_CONTROL_OTHER};
    if (!r.ok)
        return TDM_E_MALFORMED;
    if (!is_known(kind))
        return TDM_OK;
    for (const uint8_t *f = layouts[kind]; *f; f++)
        read_field(&r, (enum field) * f, rec);
    if (!r.ok) {
        *rec = (struct tdm_control_record){.kind = TDM_CONTROL_OTHER};
        return TDM_E_MALFORMED;
    }
    rec->scopes &= TDM_SCOPES_ALL;
    rec->mods &= TDM_MODS_HELD | TDM_MODS_LOCKS;
    rec->kind = (enum tdm_control_kind)kind;
    return TDM_OK;
}

static uint16_t clipboard_scope(const struct tdm_control_record *rec)
{
    bool files = rec->kind != TDM_CONTROL_CLIP_OFFER && rec->format == TDM_CLIP_FILES;
    uint16_t way =
        rec->kind == TDM_CONTROL_CLIP_WANT ? TDM_SCOPE_CLIPBOARD_OUT : TDM_SCOPE_CLIPBOARD_IN;

    return way | (files ? TDM_SCOPE_FILES : 0);
}

uint16_t tdm_control_scope(const struct tdm_control_record *rec)
{
    switch (rec->kind) {
    case TDM_CONTROL_KEY:
    case TDM_CONTROL_TEXT:
        return TDM_SCOPE_KEYBOARD;
    case TDM_CONTROL_MOVE:
    case TDM_CONTROL_NUDGE:
    case TDM_CONTROL_BUTTON:
    case TDM_CONTROL_WHEEL:
    case TDM_CONTROL_TOUCH:
        return TDM_SCOPE_POINTER;
    case TDM_CONTROL_POINT:
        return TDM_SCOPE_POINT;
    case TDM_CONTROL_CLIP_OFFER:
    case TDM_CONTROL_CLIP_WANT:
    case TDM_CONTROL_CLIP_DATA:
    case TDM_CONTROL_CLIP_NONE:
        return clipboard_scope(rec);
    case TDM_CONTROL_OTHER:
    case TDM_CONTROL_HELLO:
    case TDM_CONTROL_ASK:
    case TDM_CONTROL_LEAVE:
    case TDM_CONTROL_GRANT:
    case TDM_CONTROL_BEAT:
    case TDM_CONTROL_FOCUS:
    case TDM_CONTROL_ECHO:
    case TDM_CONTROL_LOCKS:
    case TDM_CONTROL_YIELD:
        break;
    }
    return 0;
}

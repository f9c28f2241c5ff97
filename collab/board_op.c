/* SPDX-License-Identifier: MIT */
#include "collab/board_op.h"

#include "engine/base/utf8.h"

#define SPANNED 0x80u

bool board_op_read(struct tdm_reader *r, struct board_op *op)
{
    uint8_t first = tdm_read_u8(r);
    uint64_t span = first & SPANNED ? tdm_board_read_v(r) : 1;
    uint64_t size = tdm_board_read_v(r);

    op->kind = first & (SPANNED - 1);
    op->size = (size_t)size;
    if (size > BOARD_OP_MAX || span == 0 || span > INT32_MAX)
        r->ok = false;
    op->span = (uint32_t)span;
    op->data = tdm_read_bytes(r, op->size);
    return r->ok;
}

void board_op_write(struct tdm_writer *w, uint8_t kind, uint32_t span, const uint8_t *data,
                    size_t size)
{
    tdm_write_u8(w, span == 1 ? kind : (uint8_t)(kind | SPANNED));
    if (span != 1)
        tdm_board_write_v(w, span);
    tdm_board_write_v(w, size);
    tdm_write_bytes(w, data, size);
}

enum { ID_NONE, ID_OTHER, ID_FIRST_PAGE, ID_OWN };

struct tdm_board_id board_id_read(struct tdm_reader *r, uint32_t name, uint32_t seq)
{
    uint64_t how = tdm_board_read_v(r);

    if (how == ID_NONE)
        return TDM_BOARD_NONE;
    if (how == ID_FIRST_PAGE)
        return TDM_BOARD_FIRST_PAGE;
    if (how == ID_OTHER) {
        uint32_t actor = tdm_read_u32(r);
        uint64_t number = tdm_board_read_v(r);

        if (number == 0 || number > INT32_MAX || actor == 0)
            r->ok = false;
        return (struct tdm_board_id){actor, (uint32_t)number};
    }
    if (how - ID_OWN + 1 >= seq)
        r->ok = false;
    return (struct tdm_board_id){name, seq - (uint32_t)(how - ID_OWN + 1)};
}

void board_id_write(struct tdm_writer *w, uint32_t name, uint32_t seq, struct tdm_board_id id)
{
    if (tdm_board_same(id, TDM_BOARD_NONE)) {
        tdm_board_write_v(w, ID_NONE);
    } else if (tdm_board_same(id, TDM_BOARD_FIRST_PAGE)) {
        tdm_board_write_v(w, ID_FIRST_PAGE);
    } else if (id.actor == name && id.seq < seq) {
        tdm_board_write_v(w, (uint64_t)seq - id.seq - 1 + ID_OWN);
    } else {
        tdm_board_write_v(w, ID_OTHER);
        tdm_write_u32(w, id.actor);
        tdm_board_write_v(w, id.seq);
    }
}

bool board_value_read(struct tdm_reader *r, uint32_t name, uint32_t seq,
                      struct tdm_board_value *value)
{
    uint64_t head = tdm_board_read_v(r);

    *value = (struct tdm_board_value){.prop = (enum tdm_board_prop)(head >> 2),
                                      .kind = (enum tdm_board_value_kind)(head & 3)};
    switch (head & 3) {
    case TDM_VALUE_INT:
        value->number = tdm_board_read_s(r);
        break;
    case TDM_VALUE_REF:
        value->ref = board_id_read(r, name, seq);
        break;
    case TDM_VALUE_BYTES: {
        uint64_t size = tdm_board_read_v(r);

        value->size = size <= TDM_BOARD_VALUE_MAX ? (size_t)size : SIZE_MAX;
        value->bytes = tdm_read_bytes(r, value->size);
        break;
    }
    default:
        r->ok = false;
    }
    if (head >> 2 == 0 || head >> 2 >= BOARD_PROPS)
        r->ok = false;
    return r->ok;
}

void board_value_write(struct tdm_writer *w, uint32_t name, uint32_t seq,
                       const struct tdm_board_value *value)
{
    tdm_board_write_v(w, (uint64_t)value->prop << 2 | (uint64_t)value->kind);
    switch (value->kind) {
    case TDM_VALUE_INT:
        tdm_board_write_s(w, value->number);
        break;
    case TDM_VALUE_REF:
        board_id_write(w, name, seq, value->ref);
        break;
    case TDM_VALUE_BYTES:
        tdm_board_write_v(w, value->size);
        tdm_write_bytes(w, value->bytes, value->size);
        break;
    }
}

/* What a known property takes: a number within bounds, a reference, or so many bytes. */
static const struct rule {
    enum tdm_board_value_kind kind;
    int64_t low, high; /* Of a number; of bytes their count, or none. */
    bool words;        /* Bytes that are shown. */
} rules[TDM_PROP_COUNT] = {
    [TDM_PROP_PAGE] = {TDM_VALUE_REF, 0, 0, false},
    [TDM_PROP_ORDER] = {TDM_VALUE_BYTES, 0, TDM_BOARD_ORDER_MAX, false},
    [TDM_PROP_PARENT] = {TDM_VALUE_REF, 0, 0, false},
    [TDM_PROP_DELETED] = {TDM_VALUE_INT, 0, 1, false},
    [TDM_PROP_LOCKED] = {TDM_VALUE_INT, 0, 1, false},
    [TDM_PROP_X] = {TDM_VALUE_INT, -TDM_BOARD_FAR, TDM_BOARD_FAR, false},
    [TDM_PROP_Y] = {TDM_VALUE_INT, -TDM_BOARD_FAR, TDM_BOARD_FAR, false},
    [TDM_PROP_W] = {TDM_VALUE_INT, -TDM_BOARD_FAR, TDM_BOARD_FAR, false},
    [TDM_PROP_H] = {TDM_VALUE_INT, -TDM_BOARD_FAR, TDM_BOARD_FAR, false},
    [TDM_PROP_ANGLE] = {TDM_VALUE_INT, 0, UINT16_MAX, false},
    [TDM_PROP_COLOUR] = {TDM_VALUE_INT, 0, UINT32_MAX, false},
    [TDM_PROP_FILL] = {TDM_VALUE_INT, 0, UINT32_MAX, false},
    [TDM_PROP_WIDTH] = {TDM_VALUE_INT, 0, 1 << 16, false},
    [TDM_PROP_DASH] = {TDM_VALUE_INT, 0, TDM_DASH_DOTTED, false},
    [TDM_PROP_OPACITY] = {TDM_VALUE_INT, 0, UINT8_MAX, false},
    [TDM_PROP_FONT] = {TDM_VALUE_INT, 0, TDM_FONT_HAND, false},
    [TDM_PROP_FONT_SIZE] = {TDM_VALUE_INT, 16, 1 << 16, false},
    [TDM_PROP_ALIGN] = {TDM_VALUE_INT, 0, TDM_ALIGN_END, false},
    [TDM_PROP_CORNER] = {TDM_VALUE_INT, 0, 1 << 16, false},
    [TDM_PROP_HEAD_START] = {TDM_VALUE_INT, 0, TDM_HEAD_BAR, false},
    [TDM_PROP_HEAD_END] = {TDM_VALUE_INT, 0, TDM_HEAD_BAR, false},
    [TDM_PROP_IMAGE] = {TDM_VALUE_BYTES, TDM_BOARD_HASH_BYTES, TDM_BOARD_HASH_BYTES, false},
    [TDM_PROP_ANCHOR] = {TDM_VALUE_BYTES, TDM_BOARD_ANCHOR_BYTES, TDM_BOARD_ANCHOR_BYTES, false},
    [TDM_PROP_NAME] = {TDM_VALUE_BYTES, 0, TDM_BOARD_VALUE_MAX, true},
    [TDM_PROP_BACKGROUND] = {TDM_VALUE_INT, 0, UINT32_MAX, false},
    [TDM_PROP_GRID] = {TDM_VALUE_INT, 0, 1 << 16, false},
    [TDM_PROP_LINK] = {TDM_VALUE_BYTES, 0, TDM_BOARD_VALUE_MAX, true},
    [TDM_PROP_CROP] = {TDM_VALUE_BYTES, 8, 8, false},
    [TDM_PROP_SCALE_X] = {TDM_VALUE_INT, -TDM_BOARD_FAR, TDM_BOARD_FAR, false},
    [TDM_PROP_SCALE_Y] = {TDM_VALUE_INT, -TDM_BOARD_FAR, TDM_BOARD_FAR, false},
};

/* An object, there or not; or none. */
static bool names_something(struct tdm_board_id id)
{
    return tdm_board_same(id, TDM_BOARD_NONE) || tdm_board_same(id, TDM_BOARD_FIRST_PAGE) ||
           (id.actor && id.seq && id.seq <= INT32_MAX);
}

bool board_value_mend(struct tdm_board_value *value)
{
    if (value->prop <= 0 || value->prop >= BOARD_PROPS || value->size > TDM_BOARD_VALUE_MAX ||
        (value->kind == TDM_VALUE_REF && !names_something(value->ref)))
        return false;
    if (value->prop >= TDM_PROP_COUNT)
        return true;
    const struct rule *rule = &rules[value->prop];

    if (value->kind != rule->kind)
        return false;
    if (value->kind == TDM_VALUE_BYTES)
        return (!value->size || (int64_t)value->size >= rule->low) &&
               (int64_t)value->size <= rule->high &&
               (!rule->words || board_text_clean(value->bytes, value->size));
    if (value->kind == TDM_VALUE_REF)
        return true;
    if (value->prop == TDM_PROP_ANGLE)
        value->number &= UINT16_MAX; /* A turn more is the same. */
    value->number = value->number < rule->low    ? rule->low
                    : value->number > rule->high ? rule->high
                                                 : value->number;
    return true;
}

int board_value_order(const struct tdm_board_value *a, const struct tdm_board_value *other)
{
    if (a->kind != other->kind)
        return a->kind < other->kind ? -1 : 1;
    if (a->kind == TDM_VALUE_INT)
        return (a->number > other->number) - (a->number < other->number);
    if (a->kind == TDM_VALUE_REF)
        return a->ref.actor != other->ref.actor
                   ? (a->ref.actor > other->ref.actor) - (a->ref.actor < other->ref.actor)
                   : (a->ref.seq > other->ref.seq) - (a->ref.seq < other->ref.seq);
    size_t common = a->size < other->size ? a->size : other->size;
    int order = common ? memcmp(a->bytes, other->bytes, common) : 0;

    return order ? order : (a->size > other->size) - (a->size < other->size);
}

static bool turns_others(uint32_t code)
{
    return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff;
}

static bool controls(uint32_t code)
{
    return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0);
}

uint32_t board_text_mend(uint8_t *text, size_t size)
{
    uint32_t count = 0, code = 0;

    for (size_t at = 0, step; at < size; at += step, count++) {
        step = tdm_utf8_take(text + at, size - at, &code);
        if (step == 0)
            return 0;
        if (turns_others(code))
            memcpy(text + at, "\xef\xbf\xbd", 3); /* U+FFFD; as long as those are. */
        else if ((code < 0x20 && controls(code)) || code == 0x7f)
            text[at] = ' ';
        else if (controls(code))
            memcpy(text + at, "\xc2\xa0", 2);
    }
    return count;
}

bool board_text_clean(const uint8_t *text, size_t size)
{
    uint32_t code = 0;

    for (size_t at = 0, step; at < size; at += step) {
        step = tdm_utf8_take(text + at, size - at, &code);
        if (step == 0 || turns_others(code) || controls(code))
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "collab/board_state.h"

#include "collab/board_stroke.h"
#include "collab/board_text.h"

#include <assert.h>

/* Values in bounds; of two for one property the later one. */
static enum tdm_err mend(const struct tdm_board_value *values, size_t count,
                         struct tdm_board_value mended[BOARD_PROPS], size_t *mended_count)
{
    *mended_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct tdm_board_value v = values[i];
        size_t at = 0;

        if (!board_value_mend(&v))
            return TDM_E_MALFORMED;
        while (at < *mended_count && mended[at].prop != v.prop)
            at++;
        mended[at] = v; /* There are not more properties than places. */
        if (at == *mended_count)
            (*mended_count)++;
    }
    return TDM_OK;
}

static bool says(const struct tdm_board_value *values, size_t count, enum tdm_board_prop prop)
{
    for (size_t i = 0; i < count; i++)
        if (values[i].prop == prop)
            return true;
    return false;
}

/* On top of its page, or behind the last page. */
static void order_on_top(const struct tdm_board *b, enum tdm_board_type type,
                         struct tdm_board_value values[BOARD_PROPS], size_t *count,
                         uint8_t key[TDM_BOARD_ORDER_MAX])
{
    struct tdm_board_id page = TDM_BOARD_NONE;

    for (size_t i = 0; i < *count; i++)
        if (values[i].prop == TDM_PROP_PAGE)
            page = values[i].ref;
    if (says(values, *count, TDM_PROP_ORDER) || *count == BOARD_PROPS ||
        (type != TDM_BOARD_PAGE && tdm_board_same(page, TDM_BOARD_NONE)))
        return;
    const struct tdm_board_object *top = tdm_board_highest(b, page);
    struct tdm_board_view below;

    if (top)
        tdm_board_read(b, top, &below);
    size_t size = tdm_board_order_between(b, top ? &below : NULL, NULL, key);

    values[(*count)++] = tdm_board_bytes(TDM_PROP_ORDER, key, size);
}

enum tdm_err tdm_board_add(struct tdm_board *b, enum tdm_board_type type,
                           const struct tdm_board_value *values, size_t count,
                           struct tdm_board_id *id)
{
    struct tdm_board_value mended[BOARD_PROPS];
    uint8_t key[TDM_BOARD_ORDER_MAX];
    enum tdm_err err = type > 0 && (uint32_t)type <= UINT16_MAX
                           ? mend(values, count, mended, &count)
                           : TDM_E_MALFORMED;

    if (err == TDM_OK)
        err = board_ready(b, BOARD_OP_MAX, BOARD_ROOM);
    if (err != TDM_OK)
        return err;
    order_on_top(b, type, mended, &count, key);
    struct tdm_writer w = tdm_writer_of(b->scratch, sizeof b->scratch);
    uint32_t name = b->actors[b->self].name, seq = board_next(b).seq;

    tdm_board_write_v(&w, (uint64_t)type);
    for (size_t i = 0; i < count; i++)
        board_value_write(&w, name, seq, &mended[i]);
    assert(w.ok);
    board_make(b, BOARD_OP_ADD, 1, tdm_writer_size(&w));
    *id = (struct tdm_board_id){name, seq};
    board_undo_made(b, board_object(b, *id));
    return TDM_OK;
}

enum tdm_err tdm_board_set(struct tdm_board *b, struct tdm_board_id id,
                           const struct tdm_board_value *values, size_t count)
{
    struct tdm_board_object *o = board_object(b, id);
    struct tdm_board_value mended[BOARD_PROPS];
    size_t differs = 0;

    if (!o)
        return TDM_E_GONE;
    enum tdm_err err = mend(values, count, mended, &count);

    if (err != TDM_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        struct tdm_board_value is = board_value(o, (uint32_t)mended[i].prop);

        if (board_value_order(&is, &mended[i]))
            mended[differs++] = mended[i];
    }
    return differs ? board_make_set(b, o, mended, differs, true) : TDM_OK;
}

enum tdm_err tdm_board_delete(struct tdm_board *b, struct tdm_board_id id)
{
    return tdm_board_set(b, id, &(struct tdm_board_value){.prop = TDM_PROP_DELETED, .number = 1},
                         1);
}

enum tdm_err tdm_board_ink(struct tdm_board *b, struct tdm_board_id id,
                           const struct tdm_board_point *points, size_t count)
{
    struct tdm_board_object *o = board_object(b, id);
    struct tdm_board_point from = BOARD_POINT_START;
    uint32_t have = 0;

    if (!o)
        return TDM_E_GONE;
    if (o->stroke) {
        from = o->stroke->tail;
        have = o->stroke->count;
    }
    if (o->actor != b->self || (o->stroke && o->stroke->sealed) ||
        have + count > TDM_BOARD_POINTS_MAX)
        return TDM_E_DENIED;
    if (count > TDM_BOARD_INK_MAX)
        return TDM_E_MALFORMED;
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, 0);

    if (err != TDM_OK || count == 0)
        return err;
    struct tdm_writer w = tdm_writer_of(b->scratch, sizeof b->scratch);

    board_id_write(&w, b->actors[b->self].name, board_next(b).seq, id);
    tdm_board_write_v(&w, have);
    for (size_t i = 0; i < count; i++) {
        struct tdm_board_point to = points[i];

        to.x = board_within(to.x);
        to.y = board_within(to.y);
        board_point_write(&w, &from, &to);
        from = to;
    }
    assert(w.ok);
    board_make(b, BOARD_OP_INK, 1, tdm_writer_size(&w));
    return TDM_OK;
}

enum tdm_err tdm_board_seal(struct tdm_board *b, struct tdm_board_id id)
{
    const struct tdm_board_object *o = board_object(b, id);

    if (!o)
        return TDM_E_GONE;
    if (o->actor != b->self || (o->stroke && o->stroke->sealed))
        return TDM_E_DENIED;
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, 0);

    if (err != TDM_OK)
        return err;
    struct tdm_writer w = tdm_writer_of(b->scratch, sizeof b->scratch);

    board_id_write(&w, b->actors[b->self].name, board_next(b).seq, id);
    tdm_board_write_v(&w, o->stroke ? o->stroke->count : 0);
    tdm_write_u32(&w, o->stroke ? o->stroke->sum : BOARD_INK_SUM);
    board_make(b, BOARD_OP_SEAL, 1, tdm_writer_size(&w));
    return TDM_OK;
}

enum tdm_err tdm_board_text_insert(struct tdm_board *b, struct tdm_board_id id, uint32_t at,
                                   const char *text, size_t size)
{
    struct tdm_board_object *o = board_object(b, id);
    uint8_t clean[TDM_BOARD_TYPED_MAX];

    if (!o)
        return TDM_E_GONE;
    if (size == 0)
        return TDM_OK;
    if (size > sizeof clean)
        return TDM_E_MALFORMED;
    memcpy(clean, text, size);
    uint32_t chars = board_text_mend(clean, size);

    if (chars == 0)
        return TDM_E_MALFORMED;
    if (board_text_typed(o->text, b->self) + chars > TDM_BOARD_TEXT_MAX)
        return TDM_E_DENIED;
    struct board_typed typed = {.origin = board_text_before(b, o->text, at), .chars = chars};
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, board_text_type_need(b, o, &typed));

    if (err != TDM_OK)
        return err;
    struct tdm_writer w = tdm_writer_of(b->scratch, sizeof b->scratch);
    struct board_stamp stamp = board_next(b);
    uint32_t name = b->actors[b->self].name;

    if (!board_text_follows(b, o, typed.origin, stamp))
        return TDM_E_DENIED;
    board_id_write(&w, name, stamp.seq, id);
    board_id_write(&w, name, stamp.seq, typed.origin);
    tdm_write_bytes(&w, clean, size);
    board_make(b, BOARD_OP_TYPE, chars, tdm_writer_size(&w));
    board_undo_text(b, o, &(struct board_range){{name, stamp.seq}, chars}, 1, true);
    return TDM_OK;
}

enum tdm_err tdm_board_text_delete(struct tdm_board *b, struct tdm_board_id id, uint32_t at,
                                   uint32_t count)
{
    struct tdm_board_object *o = board_object(b, id);
    enum tdm_err err = TDM_OK;

    if (!o)
        return TDM_E_GONE;
    tdm_board_begin(b);
    while (err == TDM_OK && count) {
        struct board_range ranges[BOARD_RANGES_MAX];
        size_t n = board_text_ranges(b, o->text, at, &count, ranges);

        if (n == 0)
            break;
        err = board_make_mark(b, o, ranges, n, true);
        if (err == TDM_OK)
            board_undo_text(b, o, ranges, n, false);
    }
    tdm_board_end(b);
    return err;
}

/* SPDX-License-Identifier: MIT */
/*
 * Copies of the selection: within the document, and as bytes for the clipboard.
 *
 * The bytes, big-endian: "TDMBOARD", version (8), then objects from the lowest up: 1 (8), type (8),
 * group (16: a number within the clip, 0 none), properties (prop 8, kind 8, number 64 or size 16
 * and bytes) up to prop 0, count of points (32) and points (x 32, y 32, pressure 8, dt 16), size of
 * text (32) and text; 0 (8) at the end. They come from any program: nothing in them is believed.
 */
#include "collab/board_tools_state.h"

#include "engine/base/bytes.h"

#include <string.h>

#define MAGIC        "TDMBOARD"
#define MAGIC_SIZE   8
#define VERSION      1
#define PASTE_STEP   16.0
#define GROUPS_MAX   64
#define VALUES_MAX   24
#define PIECE_POINTS TDM_BOARD_INK_MAX

/* Copies of groups, by what they are copies of. */
struct groups {
    uint32_t count;
    struct tdm_board_id from[GROUPS_MAX], to[GROUPS_MAX];
};

/* Values of an object that its copy has, too; page, order and parent are given to it anew. */
static size_t values_of(const struct tdm_board_view *v, struct tdm_board_value values[VALUES_MAX])
{
    size_t n = 0;

    values[n++] = tdm_board_int(TDM_PROP_X, v->x);
    values[n++] = tdm_board_int(TDM_PROP_Y, v->y);
    values[n++] = tdm_board_int(TDM_PROP_W, v->w);
    values[n++] = tdm_board_int(TDM_PROP_H, v->h);
    values[n++] = tdm_board_int(TDM_PROP_ANGLE, v->angle);
    values[n++] = tdm_board_int(TDM_PROP_COLOUR, v->colour);
    values[n++] = tdm_board_int(TDM_PROP_FILL, v->fill);
    values[n++] = tdm_board_int(TDM_PROP_WIDTH, v->width);
    values[n++] = tdm_board_int(TDM_PROP_DASH, v->dash);
    values[n++] = tdm_board_int(TDM_PROP_OPACITY, v->opacity);
    if (tdm_hand_has_text(v->type)) {
        values[n++] = tdm_board_int(TDM_PROP_FONT, v->font);
        values[n++] = tdm_board_int(TDM_PROP_FONT_SIZE, v->font_size);
        values[n++] = tdm_board_int(TDM_PROP_ALIGN, v->align);
    }
    values[n++] = tdm_board_int(TDM_PROP_CORNER, v->corner);
    if (v->type == TDM_BOARD_LINE || v->type == TDM_BOARD_ARROW) {
        values[n++] = tdm_board_int(TDM_PROP_HEAD_START, v->head_start);
        values[n++] = tdm_board_int(TDM_PROP_HEAD_END, v->head_end);
    }
    if (v->image)
        values[n++] = tdm_board_bytes(TDM_PROP_IMAGE, v->image, TDM_BOARD_HASH_BYTES);
    if (v->points) {
        values[n++] = tdm_board_int(TDM_PROP_SCALE_X, v->scale_x);
        values[n++] = tdm_board_int(TDM_PROP_SCALE_Y, v->scale_y);
    }
    return n;
}

/* The selection from the lowest up, into `found`. */
static uint32_t collect(struct tdm_board_tools *t)
{
    uint32_t count = 0;
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page);
         o && count < TDM_BOARD_CHOSEN_MAX; o = tdm_board_above(o)) {
        tdm_board_read(t->board, o, &view);
        if (view.type != TDM_BOARD_GROUP && tdm_hand_is_selected(t, view.id))
            t->found[count++] = view.id;
    }
    return count;
}

/* The copy's group: made when it is met first. */
static struct tdm_board_id group_for(struct tdm_board_tools *t, struct groups *groups,
                                     struct tdm_board_id from)
{
    const struct tdm_board_value page = tdm_board_ref(TDM_PROP_PAGE, t->page);

    if (tdm_hand_none(from))
        return from;
    for (uint32_t i = 0; i < groups->count; i++)
        if (tdm_board_same(groups->from[i], from))
            return groups->to[i];
    struct tdm_board_id to;

    if (groups->count == GROUPS_MAX || !tdm_hand_add(t, TDM_BOARD_GROUP, &page, 1, &to))
        return TDM_BOARD_NONE;
    groups->from[groups->count] = from;
    groups->to[groups->count++] = to;
    return to;
}

static bool add_copy(struct tdm_board_tools *t, uint32_t type, struct tdm_board_value *values,
                     size_t n, struct tdm_board_id group, struct tdm_board_id *id)
{
    values[n++] = tdm_board_ref(TDM_PROP_PAGE, t->page);
    if (!tdm_hand_none(group))
        values[n++] = tdm_board_ref(TDM_PROP_PARENT, group);
    return tdm_hand_add(t, (enum tdm_board_type)type, values, n, id);
}

/* Reading stops where an edit begins: points go over in pieces, each looked up anew. */
static void copy_points(struct tdm_board_tools *t, struct tdm_board_id from, struct tdm_board_id to)
{
    struct tdm_board_point piece[PIECE_POINTS];

    for (uint32_t done = 0;;) {
        const struct tdm_board_object *o = tdm_board_find(t->board, from);
        struct tdm_board_points points = tdm_board_points(o);
        uint32_t count = 0, at = 0;

        for (; count < PIECE_POINTS && tdm_board_point_next(&points, &piece[count]); at++)
            if (at >= done)
                count++;
        if (!count || !tdm_hand_ink(t, to, piece, count))
            break;
        done += count;
    }
    (void)tdm_hand_seal(t, to);
}

static void insert_all(struct tdm_board_tools *t, struct tdm_board_id id, const char *text,
                       size_t size)
{
    uint32_t at = 0;

    while (size) {
        size_t piece = size < TDM_BOARD_TYPED_MAX ? size : TDM_BOARD_TYPED_MAX;
        uint32_t count = 0;

        while (piece < size && piece && ((uint8_t)text[piece] & 0xc0) == 0x80)
            piece--;
        if (!piece || !tdm_hand_insert(t, id, at, text, piece))
            return;
        for (size_t i = 0; i < piece; i++)
            count += ((uint8_t)text[i] & 0xc0) != 0x80;
        at += count;
        text += piece;
        size -= piece;
    }
}

static void copy_text(struct tdm_board_tools *t, struct tdm_board_id from, struct tdm_board_id to)
{
    struct tdm_board_id editing = t->editing;

    t->editing = from;
    tdm_hand_edit_load(t);
    t->editing = editing;
    insert_all(t, to, t->text, t->text_size);
    tdm_hand_edit_load(t);
}

static bool copy_one(struct tdm_board_tools *t, struct groups *groups, struct tdm_board_id from,
                     double dx, double dy, struct tdm_board_id *id)
{
    struct tdm_board_value values[VALUES_MAX];
    struct tdm_board_view view;
    uint8_t hash[TDM_BOARD_HASH_BYTES];

    if (!tdm_hand_read(t, from, &view))
        return false;
    const struct tdm_board_object *o = tdm_board_find(t->board, from);
    struct tdm_board_id group = group_for(t, groups, tdm_board_outer_group(t->board, o));

    /* What it borrows is gone with an edit, as the group was one. */
    if (!tdm_hand_read(t, from, &view))
        return false;
    view.x = tdm_board_unit((double)view.x / TDM_BOARD_UNIT + dx);
    view.y = tdm_board_unit((double)view.y / TDM_BOARD_UNIT + dy);
    if (view.image) {
        memcpy(hash, view.image, sizeof hash);
        view.image = hash;
    }
    if (!add_copy(t, view.type, values, values_of(&view, values), group, id))
        return false;
    if (view.points)
        copy_points(t, from, *id);
    if (tdm_hand_has_text(view.type))
        copy_text(t, from, *id);
    return true;
}

void tdm_hand_duplicate(struct tdm_board_tools *t, double dx, double dy)
{
    struct groups groups = {0};
    uint32_t count = collect(t), made = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_board_id id;

        if (copy_one(t, &groups, t->found[i], dx, dy, &id))
            t->found[made++] = id;
    }
    t->selected_count = made;
    memcpy(t->selected, t->found, made * sizeof *t->selected);
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_LIVE;
}

/* As bytes ---------------------------------------------------------------------------------------
 */

static void write_value(struct tdm_writer *w, const struct tdm_board_value *v)
{
    tdm_write_u8(w, (uint8_t)v->prop);
    tdm_write_u8(w, (uint8_t)v->kind);
    if (v->kind == TDM_VALUE_BYTES) {
        tdm_write_u16(w, (uint16_t)v->size);
        tdm_write_bytes(w, v->bytes, v->size);
    } else {
        tdm_write_u64(w, (uint64_t)v->number);
    }
}

static void write_object(const struct tdm_board_tools *t, struct tdm_writer *w,
                         const struct tdm_board_object *o, struct groups *groups)
{
    struct tdm_board_value values[VALUES_MAX];
    struct tdm_board_view view;
    struct tdm_board_point p;
    uint16_t number = 0;

    tdm_board_read(t->board, o, &view);
    struct tdm_board_id group = tdm_board_outer_group(t->board, o);

    for (uint16_t i = 0; i < groups->count && !tdm_hand_none(group); i++)
        if (tdm_board_same(groups->from[i], group))
            number = (uint16_t)(i + 1);
    if (!number && !tdm_hand_none(group) && groups->count < GROUPS_MAX) {
        groups->from[groups->count++] = group;
        number = (uint16_t)groups->count;
    }
    tdm_write_u8(w, 1);
    tdm_write_u8(w, (uint8_t)view.type);
    tdm_write_u16(w, number);
    size_t n = values_of(&view, values);

    for (size_t i = 0; i < n; i++)
        write_value(w, &values[i]);
    tdm_write_u8(w, 0);
    tdm_write_u32(w, view.points);
    struct tdm_board_points points = tdm_board_points(o);

    for (uint32_t i = 0; i < view.points && tdm_board_point_next(&points, &p); i++) {
        tdm_write_u32(w, (uint32_t)p.x);
        tdm_write_u32(w, (uint32_t)p.y);
        tdm_write_u8(w, p.pressure);
        tdm_write_u16(w, p.dt_ms);
    }
    tdm_write_u32(w, view.text_bytes);
    uint8_t *room = tdm_write_reserve(w, view.text_bytes);

    if (room && view.text_bytes)
        (void)tdm_board_text(o, (char *)room, view.text_bytes);
}

size_t tdm_board_tools_copy(const struct tdm_board_tools *t, uint8_t *room, size_t max)
{
    struct tdm_writer w = tdm_writer_of(room, max);
    struct groups groups = {0};
    struct tdm_board_view view;
    bool any = false;

    if (!t->selected_count || !tdm_hand_none(t->editing))
        return 0;
    tdm_write_bytes(&w, MAGIC, MAGIC_SIZE);
    tdm_write_u8(&w, VERSION);
    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page); o && w.ok;
         o = tdm_board_above(o)) {
        tdm_board_read(t->board, o, &view);
        if (view.type == TDM_BOARD_GROUP || !tdm_hand_is_selected(t, view.id))
            continue;
        write_object(t, &w, o, &groups);
        any = true;
    }
    tdm_write_u8(&w, 0);
    return w.ok && any ? tdm_writer_size(&w) : 0;
}

size_t tdm_board_tools_copy_text(const struct tdm_board_tools *t, char *room, size_t max)
{
    struct tdm_board_view view;
    size_t size = 0;

    if (!tdm_hand_none(t->editing)) {
        uint32_t from, to, caret;

        tdm_board_tools_marked(t, &from, &to, &caret);
        if (to - from > max)
            return 0;
        memcpy(room, t->text + from, to - from);
        return to - from;
    }
    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page); o;
         o = tdm_board_above(o)) {
        tdm_board_read(t->board, o, &view);
        if (!tdm_hand_has_text(view.type) || !tdm_hand_is_selected(t, view.id) ||
            !view.text_bytes || size + 1 + view.text_bytes > max)
            continue;
        if (size)
            room[size++] = '\n';
        size += tdm_board_text(o, room + size, view.text_bytes);
    }
    return size;
}

/* Back -------------------------------------------------------------------------------------------
 */

/* What was read of one object. */
struct item {
    uint8_t type;
    uint16_t group;
    size_t count;
    struct tdm_board_value values[VALUES_MAX + 2]; /* And page and parent. */
    uint32_t points;
    struct tdm_reader ink;
    const char *text;
    uint32_t text_size;
};

static bool read_values(struct tdm_reader *r, struct item *item)
{
    uint8_t prop;

    while (r->ok && (prop = tdm_read_u8(r)) != 0) {
        struct tdm_board_value v = {.prop = (enum tdm_board_prop)prop};
        uint8_t kind = tdm_read_u8(r);

        if (kind == TDM_VALUE_BYTES) {
            v.kind = TDM_VALUE_BYTES;
            v.size = tdm_read_u16(r);
            v.bytes = tdm_read_bytes(r, v.size);
        } else {
            v.number = (int64_t)tdm_read_u64(r);
        }
        bool ours = (prop >= TDM_PROP_X && prop <= TDM_PROP_IMAGE) || prop == TDM_PROP_SCALE_X ||
                    prop == TDM_PROP_SCALE_Y;

        if (!ours || kind == TDM_VALUE_REF || kind > TDM_VALUE_BYTES)
            continue;
        if (item->count == VALUES_MAX)
            return false;
        item->values[item->count++] = v;
    }
    return r->ok;
}

static bool read_item(struct tdm_reader *r, struct item *item)
{
    *item = (struct item){.type = tdm_read_u8(r), .group = tdm_read_u16(r)};
    if (!read_values(r, item))
        return false;
    item->points = tdm_read_u32(r);
    if (item->points > TDM_BOARD_POINTS_MAX)
        return false;
    item->ink = tdm_read_sub(r, (size_t)item->points * 11);
    item->text_size = tdm_read_u32(r);
    item->text = (const char *)tdm_read_bytes(r, item->text_size);
    return r->ok && item->type >= TDM_BOARD_PEN && item->type <= TDM_BOARD_IMAGE;
}

static void paste_ink(struct tdm_board_tools *t, struct item *item, struct tdm_board_id id)
{
    struct tdm_board_point piece[PIECE_POINTS];

    for (uint32_t left = item->points; left;) {
        uint32_t count = left < PIECE_POINTS ? left : PIECE_POINTS;

        for (uint32_t i = 0; i < count; i++) {
            int32_t x = (int32_t)tdm_read_u32(&item->ink), y = (int32_t)tdm_read_u32(&item->ink);

            piece[i].x = tdm_board_unit((double)x / TDM_BOARD_UNIT);
            piece[i].y = tdm_board_unit((double)y / TDM_BOARD_UNIT);
            piece[i].pressure = tdm_read_u8(&item->ink);
            piece[i].dt_ms = tdm_read_u16(&item->ink);
        }
        if (!tdm_hand_ink(t, id, piece, count))
            break;
        left -= count;
    }
    (void)tdm_hand_seal(t, id);
}

static bool paste_item(struct tdm_board_tools *t, struct item *item, struct groups *groups)
{
    struct tdm_board_id group =
        group_for(t, groups, item->group ? (struct tdm_board_id){1, item->group} : TDM_BOARD_NONE);
    struct tdm_board_id id;

    if (!add_copy(t, item->type, item->values, item->count, group, &id))
        return false;
    if (item->points)
        paste_ink(t, item, id);
    if (item->text_size && tdm_hand_has_text(item->type))
        insert_all(t, id, item->text, item->text_size);
    t->found[t->found_count++] = id;
    return true;
}

/* What is pasted comes where the pointer is, or beside what it is a copy of. */
static void place_pasted(struct tdm_board_tools *t)
{
    double x = t->here_x, y = t->here_y, step = PASTE_STEP * (t->paste_count % 8);

    memcpy(t->selected, t->found, t->found_count * sizeof *t->selected);
    t->selected_count = t->found_count;
    tdm_hand_look_again(t);
    if (!t->has_box)
        return;
    if (!t->inside) {
        x = tdm_board_canvas_x(&t->canvas, t->canvas.width / 2);
        y = tdm_board_canvas_y(&t->canvas, t->canvas.height / 2);
    }
    tdm_hand_start_change(t, TDM_BOARD_MOVES);
    t->move_x = x - (t->box.x + t->box.w / 2) + step;
    t->move_y = y - (t->box.y + t->box.h / 2) + step;
    tdm_hand_apply(t);
    t->gesture = TDM_BOARD_IDLE;
    t->start_count = t->near_count = t->guide_count = 0;
    tdm_hand_look_again(t);
    t->paste_count++;
}

void tdm_hand_paste(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    struct tdm_reader r = tdm_reader_of((const uint8_t *)in->text, in->size);
    struct groups groups = {0};
    struct item item;
    const uint8_t *magic = tdm_read_bytes(&r, MAGIC_SIZE);

    if (!magic || memcmp(magic, MAGIC, MAGIC_SIZE) != 0 || tdm_read_u8(&r) != VERSION)
        return;
    tdm_hand_end_gesture(t);
    tdm_hand_edit_end(t);
    tdm_hand_open(t);
    t->found_count = 0;
    while (tdm_read_u8(&r) == 1 && t->found_count < TDM_BOARD_CHOSEN_MAX && read_item(&r, &item))
        if (!paste_item(t, &item, &groups))
            break;
    t->tool = TDM_BOARD_TOOL_SELECT;
    if (t->found_count)
        place_pasted(t);
    tdm_hand_close(t);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_LIVE;
}

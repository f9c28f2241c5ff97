/* SPDX-License-Identifier: MIT */
#include "collab/board_state.h"

#include "collab/board_stroke.h"
#include "collab/board_text.h"

#include <assert.h>

/* The table of objects is a linear hash: it grows by one chain at a time, so that no edit pays for
 * all. */

static uint32_t hash_of(uint32_t name, uint32_t seq)
{
    uint64_t x = ((uint64_t)name << 32 | seq) * 0x9e3779b97f4a7c15u;

    return (uint32_t)(x >> 32);
}

static uint32_t chain_of(uint32_t hash, uint32_t chains)
{
    uint32_t mask = BOARD_SEGMENT - 1;

    while (mask + 1 < chains)
        mask = mask << 1 | 1;
    uint32_t at = hash & mask;

    return at < chains ? at : at & (mask >> 1);
}

static struct tdm_board_object **chain(const struct tdm_board *b, uint32_t at)
{
    return &b->segments[at / BOARD_SEGMENT][at % BOARD_SEGMENT];
}

static void grow(struct tdm_board *b)
{
    uint32_t to = b->chains, from = chain_of(to, b->chains);

    if (to == BOARD_SEGMENTS * BOARD_SEGMENT)
        return;
    if (to % BOARD_SEGMENT == 0) {
        b->segments[to / BOARD_SEGMENT] =
            tdm_board_take(&b->memory, BOARD_SEGMENT * sizeof(struct tdm_board_object *));
        memset(b->segments[to / BOARD_SEGMENT], 0,
               BOARD_SEGMENT * sizeof(struct tdm_board_object *));
    }
    b->chains++;
    for (struct tdm_board_object **link = chain(b, from); *link;) {
        struct tdm_board_object *o = *link;

        if (chain_of(hash_of(o->name, o->seq), b->chains) == from) {
            link = &o->chain;
            continue;
        }
        *link = o->chain;
        o->chain = *chain(b, to);
        *chain(b, to) = o;
    }
}

struct tdm_board_object *board_object(const struct tdm_board *b, struct tdm_board_id id)
{
    struct tdm_board_object *o = *chain(b, chain_of(hash_of(id.actor, id.seq), b->chains));

    while (o && (o->seq != id.seq || o->name != id.actor))
        o = o->chain;
    return o;
}

uint32_t board_weight(struct tdm_board *b)
{
    return tdm_rng_u32(&b->rng);
}

static void list_in(struct tdm_board *b, struct tdm_board_object *o)
{
    *b->last = o;
    b->last = &o->next;
    o->older = b->newest;
    if (b->newest)
        b->newest->newer = o;
    b->newest = o;
    o->changed = ++b->mark;
}

void board_object_in(struct tdm_board *b, struct tdm_board_object *o)
{
    if (b->object_count++ >= b->chains)
        grow(b);
    struct tdm_board_object **at = chain(b, chain_of(hash_of(o->name, o->seq), b->chains));

    o->chain = *at;
    *at = o;
    o->node.weight = board_weight(b);
    list_in(b, o);
}

struct tdm_board_object *board_object_make(struct tdm_board *b, uint16_t actor, uint32_t seq,
                                           uint64_t lamport, uint16_t type)
{
    struct tdm_board_object *o = tdm_board_take(&b->memory, sizeof *o);

    *o = (struct tdm_board_object){.name = b->actors[actor].name,
                                   .seq = seq,
                                   .lamport = lamport,
                                   .actor = actor,
                                   .type = type};
    board_object_in(b, o);
    board_page_enter(b, o);
    if (type == TDM_BOARD_PAGE)
        board_page_found(b, o);
    return o;
}

void board_touch(struct tdm_board *b, struct tdm_board_object *o)
{
    o->changed = ++b->mark;
    if (b->newest == o)
        return;
    o->newer->older = o->older; /* There is a newer one. */
    if (o->older)
        o->older->newer = o->newer;
    o->newer = NULL;
    o->older = b->newest;
    b->newest->newer = o;
    b->newest = o;
}

const struct tdm_board_object *tdm_board_find(const struct tdm_board *b, struct tdm_board_id id)
{
    return board_object(b, id);
}

struct tdm_board_id tdm_board_id_of(const struct tdm_board_object *o)
{
    return (struct tdm_board_id){o->name, o->seq};
}

const struct tdm_board_object *tdm_board_first(const struct tdm_board *b)
{
    return b->first;
}

const struct tdm_board_object *tdm_board_next(const struct tdm_board_object *o)
{
    return o->next;
}

uint64_t tdm_board_mark(const struct tdm_board *b)
{
    return b->mark;
}

const struct tdm_board_object *tdm_board_changed(const struct tdm_board *b, uint64_t mark,
                                                 const struct tdm_board_object *before)
{
    const struct tdm_board_object *o = before ? before->older : b->newest;

    return o && o->changed > mark ? o : NULL;
}

static void read_crop(const struct tdm_board_value *v, uint16_t crop[4])
{
    struct tdm_reader r = tdm_reader_of(v->bytes, v->size);

    for (int i = 0; i < 4; i++)
        crop[i] = tdm_read_u16(&r);
}

void tdm_board_anchor_write(const struct tdm_board_anchor *a, uint8_t bytes[TDM_BOARD_ANCHOR_BYTES])
{
    struct tdm_writer w = tdm_writer_of(bytes, TDM_BOARD_ANCHOR_BYTES);

    tdm_write_u32(&w, a->surface);
    tdm_write_u32(&w, a->generation);
    tdm_write_u32(&w, (uint32_t)a->x);
    tdm_write_u32(&w, (uint32_t)a->y);
}

static void read_anchor(const struct tdm_board_value *v, struct tdm_board_anchor *a)
{
    struct tdm_reader r = tdm_reader_of(v->bytes, v->size);

    a->surface = tdm_read_u32(&r);
    a->generation = tdm_read_u32(&r);
    a->x = (int32_t)tdm_read_u32(&r);
    a->y = (int32_t)tdm_read_u32(&r);
}

/* Bytes that stand for something other than a number of the view. */
static void read_bytes(const struct tdm_board_value *v, struct tdm_board_view *view)
{
    if (!v->size)
        return;
    if (v->prop == TDM_PROP_ORDER) {
        view->order = v->bytes;
        view->order_size = v->size;
    } else if (v->prop == TDM_PROP_IMAGE) {
        view->image = v->bytes;
    } else if (v->prop == TDM_PROP_NAME) {
        view->name = (const char *)v->bytes;
        view->name_size = v->size;
    } else if (v->prop == TDM_PROP_LINK) {
        view->link = (const char *)v->bytes;
        view->link_size = v->size;
    } else if (v->prop == TDM_PROP_CROP) {
        read_crop(v, view->crop);
    } else if (v->prop == TDM_PROP_ANCHOR) {
        read_anchor(v, &view->anchor);
        view->anchored = true;
    }
}

static void read_number(enum tdm_board_prop prop, int64_t n, struct tdm_board_view *view)
{
    switch ((int)prop) {
    case TDM_PROP_DELETED:
        view->deleted = n != 0;
        break;
    case TDM_PROP_LOCKED:
        view->locked = n != 0;
        break;
    case TDM_PROP_X:
        view->x = (int32_t)n;
        break;
    case TDM_PROP_Y:
        view->y = (int32_t)n;
        break;
    case TDM_PROP_W:
        view->w = (int32_t)n;
        break;
    case TDM_PROP_H:
        view->h = (int32_t)n;
        break;
    case TDM_PROP_ANGLE:
        view->angle = (uint16_t)n;
        break;
    case TDM_PROP_COLOUR:
        view->colour = (uint32_t)n;
        break;
    case TDM_PROP_FILL:
        view->fill = (uint32_t)n;
        break;
    case TDM_PROP_WIDTH:
        view->width = (int32_t)n;
        break;
    case TDM_PROP_OPACITY:
        view->opacity = (uint8_t)n;
        break;
    case TDM_PROP_FONT_SIZE:
        view->font_size = (int32_t)n;
        break;
    case TDM_PROP_CORNER:
        view->corner = (int32_t)n;
        break;
    case TDM_PROP_BACKGROUND:
        view->background = (uint32_t)n;
        break;
    case TDM_PROP_GRID:
        view->grid = (int32_t)n;
        break;
    case TDM_PROP_SCALE_X:
        view->scale_x = (int32_t)n;
        break;
    case TDM_PROP_SCALE_Y:
        view->scale_y = (int32_t)n;
        break;
    default:
        break;
    }
}

static void read_choice(enum tdm_board_prop prop, int64_t n, struct tdm_board_view *view)
{
    if (prop == TDM_PROP_DASH)
        view->dash = (enum tdm_board_dash)n;
    else if (prop == TDM_PROP_FONT)
        view->font = (enum tdm_board_font)n;
    else if (prop == TDM_PROP_ALIGN)
        view->align = (enum tdm_board_align)n;
    else if (prop == TDM_PROP_HEAD_START)
        view->head_start = (enum tdm_board_head)n;
    else if (prop == TDM_PROP_HEAD_END)
        view->head_end = (enum tdm_board_head)n;
    else
        read_number(prop, n, view);
}

void tdm_board_read(const struct tdm_board *b, const struct tdm_board_object *o,
                    struct tdm_board_view *view)
{
    *view = (struct tdm_board_view){
        .id = {o->name, o->seq},
        .type = o->type,
        .colour = TDM_BOARD_COLOUR_DEFAULT,
        .width = TDM_BOARD_WIDTH_DEFAULT,
        .opacity = UINT8_MAX,
        .font_size = TDM_BOARD_FONT_SIZE_DEFAULT,
        .head_end = o->type == TDM_BOARD_ARROW ? TDM_HEAD_ARROW : TDM_HEAD_NONE,
        .scale_x = TDM_BOARD_SCALE_ONE,
        .scale_y = TDM_BOARD_SCALE_ONE,
        .crop = {0, 0, UINT16_MAX, UINT16_MAX},
        .changed = o->changed,
    };
    for (uint32_t i = 0; i < o->reg_count; i++) {
        struct tdm_board_value v = board_reg_value(&o->regs[i]);

        if (v.kind == TDM_VALUE_INT)
            read_choice(v.prop, v.number, view);
        else if (v.kind == TDM_VALUE_BYTES)
            read_bytes(&v, view);
    }
    view->page = board_page_of(b, o);
    view->group = board_group_of(b, o);
    if (o->stroke) {
        view->points = o->stroke->count;
        view->sealed = o->stroke->sealed;
        view->broken = o->stroke->broken;
    }
    if (o->text) {
        view->characters = o->text->chars;
        view->text_bytes = o->text->bytes;
    }
}

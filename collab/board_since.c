/* SPDX-License-Identifier: MIT */
/* What somebody lacks, as records of what stands (board_snapshot.h). A record at a time; an object
 * that does not fit one goes on in the next. */
#include "collab/board_snapshot.h"

#include "collab/board_stroke.h"
#include "collab/board_text.h"

#include <assert.h>

#define ENTRY_HEAD_MAX  ((size_t)6 * TDM_BOARD_V_MAX)
#define VALUE_MAX       ((size_t)4 * TDM_BOARD_V_MAX + TDM_BOARD_VALUE_MAX)
#define RUN_HEAD_MAX    ((size_t)6 * TDM_BOARD_V_MAX)
#define MARK_MAX        ((size_t)6 * TDM_BOARD_V_MAX)
#define INK_HEAD_MAX    ((size_t)6 * TDM_BOARD_V_MAX)
#define OTHER_MAX       (4 + (size_t)2 * TDM_BOARD_V_MAX + BOARD_OP_HEAD_MAX + BOARD_OTHER_MAX)
#define COVER_MAX       (4 + (size_t)2 * TDM_BOARD_V_MAX)
#define RECORD_HEAD_MAX (BOARD_RECORD_HEAD + 1 + TDM_BOARD_V_MAX + 4 * BOARD_NAMES_MAX)

enum stage { BEGIN, OBJECTS, OTHERS, COVER };
enum part { VALUES, INK, RUNS, MARKS };

static_assert(RECORD_HEAD_MAX + ENTRY_HEAD_MAX + INK_HEAD_MAX + VALUE_MAX + RUN_HEAD_MAX +
                      BOARD_ITEM_BYTES + OTHER_MAX <
                  TDM_BOARD_SINCE_MIN,
              "a record has room for any one piece");

/* One STATE record being written: the names stand before what uses them, so the body is moved down
 * once they are known. */
struct giving {
    const struct tdm_board *b;
    struct tdm_board_since *s;
    uint8_t *room;
    struct tdm_writer w; /* The body, from RECORD_HEAD_MAX on. */
    uint32_t names[BOARD_NAMES_MAX];
    uint32_t name_count;
    uint32_t seq;
    uint64_t lamport;
};

static bool fits(const struct giving *g, uint32_t names, size_t bytes)
{
    return g->name_count + names <= BOARD_NAMES_MAX && tdm_writer_left(&g->w) >= bytes;
}

static uint32_t place_of(struct giving *g, uint32_t name)
{
    uint32_t at = 0;

    while (at < g->name_count && g->names[at] != name)
        at++;
    if (at == g->name_count) {
        assert(at < BOARD_NAMES_MAX);
        g->names[g->name_count++] = name;
    }
    return at;
}

static void write_actor(struct giving *g, uint16_t actor)
{
    tdm_board_write_v(&g->w, place_of(g, g->b->actors[actor].name));
}

static bool lacks(const struct giving *g, uint16_t actor, uint32_t seq)
{
    return seq > g->s->known_seq[actor];
}

/* What is made while pieces are given comes by itself, behind them, and could stand on something
 * that was passed already. */
static bool is_due(const struct giving *g, uint16_t actor, uint32_t seq)
{
    return seq <= g->s->due_seq[actor];
}

static void write_entry(struct giving *g, const struct tdm_board_object *o, size_t values,
                        uint32_t has)
{
    write_actor(g, o->actor);
    tdm_board_write_s(&g->w, (int64_t)o->seq - g->seq);
    tdm_board_write_s(&g->w, (int64_t)(o->lamport - g->lamport));
    tdm_board_write_v(&g->w, o->type);
    tdm_board_write_v(&g->w, (uint64_t)values << 2 | has);
    g->seq = o->seq;
    g->lamport = o->lamport;
}

static bool reg_lacks(const struct giving *g, const struct board_reg *reg)
{
    return lacks(g, reg->actor, reg->seq) && is_due(g, reg->actor, reg->seq);
}

static void write_ref(struct giving *g, const struct tdm_board_object *o, struct tdm_board_id ref)
{
    if (tdm_board_same(ref, TDM_BOARD_NONE)) {
        tdm_board_write_v(&g->w, BOARD_REF_NONE);
    } else if (tdm_board_same(ref, TDM_BOARD_FIRST_PAGE)) {
        tdm_board_write_v(&g->w, BOARD_REF_FIRST_PAGE);
    } else {
        tdm_board_write_v(&g->w, BOARD_REF_NAMES + place_of(g, ref.actor));
        tdm_board_write_s(&g->w, (int64_t)ref.seq - o->seq);
    }
}

static void write_value(struct giving *g, const struct tdm_board_object *o,
                        const struct board_reg *reg)
{
    bool stamped = reg->actor != o->actor || reg->seq != o->seq || reg->lamport != o->lamport;

    tdm_board_write_v(&g->w, (uint64_t)reg->prop << 3 | (uint64_t)reg->kind << 1 | stamped);
    if (stamped) {
        write_actor(g, reg->actor);
        tdm_board_write_v(&g->w, reg->seq);
        tdm_board_write_s(&g->w, (int64_t)(reg->lamport - o->lamport));
    }
    if (reg->kind == TDM_VALUE_INT) {
        tdm_board_write_s(&g->w, reg->number);
    } else if (reg->kind == TDM_VALUE_REF) {
        write_ref(g, o, reg->ref);
    } else {
        tdm_board_write_v(&g->w, reg->size);
        tdm_write_bytes(&g->w, reg->bytes, reg->size);
    }
}

/* Each part writes what fits of an object from s->number or s->piece on. True: there is no more. */

static bool give_values(struct giving *g, const struct tdm_board_object *o)
{
    struct tdm_board_since *s = g->s;
    size_t bytes = ENTRY_HEAD_MAX;
    uint32_t names = 1, end = s->number, count = 0;

    for (; end < o->reg_count && fits(g, names + 2, bytes + VALUE_MAX); end++) {
        if (!reg_lacks(g, &o->regs[end]))
            continue;
        bytes += VALUE_MAX;
        names += 2;
        count++;
    }
    if (end == s->number && o->reg_count > s->number)
        return false;
    if (count || (s->number == 0 && lacks(g, o->actor, o->seq) && is_due(g, o->actor, o->seq))) {
        write_entry(g, o, count, 0);
        for (uint32_t i = s->number; i < end; i++)
            if (reg_lacks(g, &o->regs[i]))
                write_value(g, o, &o->regs[i]);
    }
    s->number = end;
    return end == o->reg_count;
}

static void write_seal(struct giving *g, const struct board_stroke *k)
{
    tdm_board_write_v(&g->w, k->seal_seq);
    tdm_board_write_v(&g->w, k->seal_count);
    tdm_write_u32(&g->w, k->seal_sum);
}

static bool give_ink(struct giving *g, const struct tdm_board_object *o)
{
    struct tdm_board_since *s = g->s;
    const struct board_stroke *k = o->stroke;
    const struct board_ink_chunk *first, *end;
    size_t size = 0;
    uint32_t count = 0;

    if (!k || (!lacks(g, o->actor, k->ink_seq) && !(k->sealed && lacks(g, o->actor, k->seal_seq))))
        return true;
    first = end = s->piece ? s->piece : k->first;
    for (; end && fits(g, 1, ENTRY_HEAD_MAX + INK_HEAD_MAX + size + end->size); end = end->next) {
        size += end->size;
        count += end->count;
    }
    if (!fits(g, 1, ENTRY_HEAD_MAX + INK_HEAD_MAX) || (first && end == first))
        return false;
    write_entry(g, o, 0, BOARD_HAS_INK);
    tdm_board_write_v(&g->w, s->number);
    tdm_board_write_v(&g->w, size);
    for (const struct board_ink_chunk *c = first; c != end; c = c->next)
        tdm_write_bytes(&g->w, c->bytes, c->size);
    tdm_board_write_v(&g->w, k->ink_seq);
    tdm_write_u8(&g->w, !end && k->sealed);
    if (!end && k->sealed)
        write_seal(g, k);
    s->piece = end;
    s->number += count;
    return !end;
}

static bool item_lacks(const struct giving *g, const struct board_item *i)
{
    return lacks(g, i->actor, i->seq + i->chars - 1) && is_due(g, i->actor, i->seq);
}

static void write_run(struct giving *g, const struct board_item *i)
{
    write_actor(g, i->actor);
    tdm_board_write_v(&g->w, i->seq);
    tdm_board_write_v(&g->w, i->lamport);
    if (i->origin_actor == BOARD_NO_ACTOR) {
        tdm_board_write_v(&g->w, 0);
    } else {
        tdm_board_write_v(&g->w, 1 + place_of(g, g->b->actors[i->origin_actor].name));
        tdm_board_write_v(&g->w, i->origin_seq);
    }
    tdm_board_write_v(&g->w, i->size);
    tdm_write_bytes(&g->w, i->text, i->size);
}

/* The names that a run needs stand in the table from now on. */
static void name_run(struct giving *g, const struct board_item *i)
{
    (void)place_of(g, g->b->actors[i->actor].name);
    if (i->origin_actor != BOARD_NO_ACTOR)
        (void)place_of(g, g->b->actors[i->origin_actor].name);
}

static bool give_runs(struct giving *g, const struct tdm_board_object *o)
{
    struct tdm_board_since *s = g->s;
    const struct board_item *first = s->piece ? s->piece : o->text ? o->text->first : NULL, *end;
    size_t bytes = ENTRY_HEAD_MAX + (size_t)2 * TDM_BOARD_V_MAX;
    uint32_t count = 0;

    /* Three names: the object's, and the run's two. */
    for (end = first; end && fits(g, 3, bytes + RUN_HEAD_MAX + end->size); end = end->next) {
        if (!item_lacks(g, end))
            continue;
        name_run(g, end);
        bytes += RUN_HEAD_MAX + end->size;
        count++;
    }
    if (first && end == first)
        return false;
    if (count) {
        write_entry(g, o, 0, BOARD_HAS_TEXT);
        tdm_board_write_v(&g->w, count);
        for (const struct board_item *i = first; i != end; i = i->next)
            if (item_lacks(g, i))
                write_run(g, i);
        tdm_board_write_v(&g->w, 0);
    }
    s->piece = end;
    return !end;
}

static void write_mark(struct giving *g, const struct board_item *i, const struct board_mark *m)
{
    write_actor(g, m->actor);
    tdm_board_write_v(&g->w, m->seq);
    tdm_write_u8(&g->w, m->gone);
    write_actor(g, i->actor);
    tdm_board_write_v(&g->w, i->seq);
    tdm_board_write_v(&g->w, i->chars);
}

/* A mark each time: there are few. s->number counts those of the item in s->piece. */
static bool give_marks(struct giving *g, const struct tdm_board_object *o)
{
    struct tdm_board_since *s = g->s;
    const struct board_item *i = s->piece ? s->piece : o->text ? o->text->first : NULL;

    for (; i; i = i->next, s->number = 0) {
        const struct board_mark *m = i->marks;

        for (uint32_t k = 0; m && k < s->number; k++)
            m = m->next;
        for (; m; m = m->next, s->number++) {
            if (!is_due(g, m->actor, m->seq) || (!lacks(g, m->actor, m->seq) && !item_lacks(g, i)))
                continue;
            if (!fits(g, 3, ENTRY_HEAD_MAX + (size_t)2 * TDM_BOARD_V_MAX + MARK_MAX)) {
                s->piece = i;
                return false;
            }
            write_entry(g, o, 0, BOARD_HAS_TEXT);
            tdm_board_write_v(&g->w, 0);
            tdm_board_write_v(&g->w, 1);
            write_mark(g, i, m);
        }
    }
    return true;
}

static bool give_part(struct giving *g, const struct tdm_board_object *o)
{
    switch ((enum part)g->s->part) {
    case VALUES:
        return give_values(g, o);
    case INK:
        return give_ink(g, o);
    case RUNS:
        return give_runs(g, o);
    case MARKS:
        return give_marks(g, o);
    }
    return true;
}

/* The record's head, names and body; 0 when there is no body. */
static size_t close_state(struct giving *g)
{
    size_t body = tdm_writer_size(&g->w);
    struct tdm_writer head = tdm_writer_of(g->room, RECORD_HEAD_MAX);

    if (body == 0)
        return 0;
    assert(g->w.ok);
    tdm_write_u16(&head, 0);
    tdm_write_u8(&head, BOARD_RECORD_STATE);
    tdm_board_write_v(&head, g->name_count);
    for (uint32_t i = 0; i < g->name_count; i++)
        tdm_write_u32(&head, g->names[i]);
    memmove(head.at, g->room + RECORD_HEAD_MAX, body);
    return tdm_writer_size(&head) + body;
}

static size_t give_objects(const struct tdm_board *b, struct tdm_board_since *s, uint8_t *room,
                           size_t size)
{
    struct giving g = {.b = b,
                       .s = s,
                       .room = room,
                       .w = tdm_writer_of(room + RECORD_HEAD_MAX, size - RECORD_HEAD_MAX)};

    while (s->object && give_part(&g, s->object)) {
        s->piece = NULL;
        s->number = 0;
        if (++s->part > MARKS) {
            s->part = VALUES;
            s->object = tdm_board_next(s->object);
        }
    }
    if (!s->object)
        s->stage = OTHERS;
    return close_state(&g);
}

/* The rest of the record behind a head of size and kind. */
static size_t give_others(const struct tdm_board *b, struct tdm_board_since *s,
                          struct tdm_writer *w)
{
    const struct board_node *n = s->piece ? s->piece : board_node_lowest(b->others);

    for (; n && tdm_writer_left(w) >= OTHER_MAX; n = board_node_next(n)) {
        const struct board_other *o = BOARD_OF(n, const struct board_other, node);

        if (o->seq + o->span - 1 <= s->known_seq[o->actor])
            continue;
        tdm_write_u32(w, b->actors[o->actor].name);
        tdm_board_write_v(w, o->seq);
        tdm_board_write_v(w, o->lamport);
        board_op_write(w, o->kind, o->span, o->bytes, o->size);
    }
    s->piece = n;
    if (!n) {
        s->stage = COVER;
        s->number = 1;
    }
    return tdm_writer_size(w);
}

static size_t give_cover(const struct tdm_board *b, struct tdm_board_since *s, struct tdm_writer *w)
{
    for (; s->number < s->cover_count && tdm_writer_left(w) >= COVER_MAX; s->number++) {
        if (s->cover_seq[s->number] <= s->known_seq[s->number])
            continue;
        tdm_write_u32(w, b->actors[s->number].name);
        tdm_board_write_v(w, s->known_seq[s->number]);
        tdm_board_write_v(w, s->cover_seq[s->number]);
    }
    s->done = s->number >= s->cover_count;
    return tdm_writer_size(w);
}

static void begin(const struct tdm_board *b, struct tdm_board_since *s)
{
    s->cover_count = b->actor_count;
    for (uint32_t i = 0; i < b->actor_count; i++) {
        s->cover_seq[i] = b->actors[i].seq;
        s->due_seq[i] = b->actors[i].seen;
    }
    s->known_seq[0] = b->actors[0].seq;
    for (size_t i = 0; i < s->known_count; i++) {
        uint16_t actor = board_actor_find(b, s->known[i].actor);

        if (actor != BOARD_NO_ACTOR)
            s->known_seq[actor] = s->known[i].seq;
    }
    s->stage = OBJECTS;
    s->object = tdm_board_first(b);
}

static size_t give(const struct tdm_board *b, struct tdm_board_since *s, uint8_t *room, size_t size)
{
    if (s->stage == OBJECTS)
        return give_objects(b, s, room, size);
    bool others = s->stage == OTHERS;
    struct tdm_writer w = tdm_writer_of(room, size);

    tdm_write_u16(&w, 0);
    tdm_write_u8(&w, others ? BOARD_RECORD_OTHERS : BOARD_RECORD_COVER);
    size_t all = others ? give_others(b, s, &w) : give_cover(b, s, &w);

    assert(w.ok);
    return all > BOARD_RECORD_HEAD + 1 ? all : 0;
}

size_t tdm_board_since(const struct tdm_board *b, struct tdm_board_since *s, uint8_t *room,
                       size_t size)
{
    size_t written = 0;

    assert(size >= TDM_BOARD_SINCE_MIN);
    if (s->stage == BEGIN)
        begin(b, s);
    if (size > BOARD_RECORD_MAX)
        size = BOARD_RECORD_MAX;
    while (!s->done && written == 0)
        written = give(b, s, room, size);
    if (written) {
        struct tdm_writer w = tdm_writer_of(room, BOARD_RECORD_HEAD);

        tdm_write_u16(&w, (uint16_t)(written - BOARD_RECORD_HEAD));
    }
    return written;
}

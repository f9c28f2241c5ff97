/* SPDX-License-Identifier: MIT */
/*
 * Undo of one's own work. An entry holds what an undo would write, and the stamp that must still
 * stand for it to do so: another's write, or one that an undo brought back, has another stamp. To
 * undo and to redo an entry is the same: what stands and what it holds change places.
 */
#include "collab/board_state.h"

#include "collab/board_text.h"

#include <assert.h>

struct board_entry {
    struct board_entry *next; /* In the step: the one before. */
    struct board_entry *same; /* Of the same object. */
    struct board_step *step;
    struct tdm_board_object *o;
    bool text;                   /* Else a value. */
    bool made;                   /* The value is DELETED of an object that we made. */
    bool gone;                   /* Text: what the undo marks. */
    struct board_stamp now, was; /* Value: what stands; the stamp that `held` had. */
    struct board_reg held;       /* Its bytes are ours. */
    size_t range_count;
    struct board_range *ranges;
};

static bool same_stamp(struct board_stamp a, struct board_stamp other)
{
    return a.lamport == other.lamport && a.seq == other.seq && a.actor == other.actor;
}

/* Copies a value into an entry. */
static void hold(struct tdm_board *b, struct board_entry *e, const struct tdm_board_value *v)
{
    struct board_reg old = e->held;

    e->held = (struct board_reg){
        .prop = (uint16_t)v->prop, .kind = (uint8_t)v->kind, .size = (uint16_t)v->size};
    if (v->kind == TDM_VALUE_INT) {
        e->held.number = v->number;
    } else if (v->kind == TDM_VALUE_REF) {
        e->held.ref = v->ref;
    } else {
        e->held.bytes = v->size ? tdm_board_take(&b->memory, v->size) : NULL;
        if (v->size)
            memcpy(e->held.bytes, v->bytes, v->size);
    }
    if (old.kind == TDM_VALUE_BYTES)
        tdm_board_drop(&b->memory, old.bytes, old.size);
}

static void drop_entry(struct tdm_board *b, struct board_entry *e)
{
    struct board_entry **link = &e->o->undo;

    while (*link != e)
        link = &(*link)->same;
    *link = e->same;
    if (e->held.kind == TDM_VALUE_BYTES)
        tdm_board_drop(&b->memory, e->held.bytes, e->held.size);
    tdm_board_drop(&b->memory, e->ranges, e->range_count * sizeof *e->ranges);
    tdm_board_drop(&b->memory, e, sizeof *e);
}

static void drop_step(struct tdm_board *b, struct board_step *step)
{
    for (struct board_entry *e = step->entries, *next; e; e = next) {
        next = e->next;
        drop_entry(b, e);
    }
    tdm_board_drop(&b->memory, step, sizeof *step);
}

static void clear(struct tdm_board *b, struct board_steps *steps)
{
    for (struct board_step *s = steps->top, *below; s; s = below) {
        below = s->below;
        drop_step(b, s);
    }
    *steps = (struct board_steps){0};
}

void board_undo_forget(struct tdm_board *b)
{
    clear(b, &b->undo);
    clear(b, &b->redo);
    b->step_open = false;
    b->moving = NULL;
}

static struct board_step *push(struct tdm_board *b, struct board_steps *steps)
{
    struct board_step *step = tdm_board_take(&b->memory, sizeof *step);

    *step = (struct board_step){.below = steps->top};
    steps->top = step;
    if (++steps->count > BOARD_STEPS_MAX) {
        struct board_step **link = &steps->top;

        while ((*link)->below)
            link = &(*link)->below;
        drop_step(b, *link);
        *link = NULL;
        steps->count--;
    }
    return step;
}

static void pop(struct tdm_board *b, struct board_steps *steps)
{
    struct board_step *step = steps->top;

    steps->top = step->below;
    steps->count--;
    drop_step(b, step);
}

/* The step that new entries belong to. What was undone cannot come back any more. */
static struct board_step *open_step(struct tdm_board *b)
{
    clear(b, &b->redo);
    b->moving = NULL;
    if (!b->step_open || !b->undo.top)
        (void)push(b, &b->undo);
    b->step_open = b->depth > 0;
    return b->undo.top;
}

static struct board_entry *new_entry(struct tdm_board *b, struct tdm_board_object *o)
{
    struct board_step *step = open_step(b);
    struct board_entry *e = tdm_board_take(&b->memory, sizeof *e);

    *e = (struct board_entry){.next = step->entries, .same = o->undo, .step = step, .o = o};
    o->undo = e;
    step->entries = e;
    return e;
}

void board_undo_made(struct tdm_board *b, struct tdm_board_object *o)
{
    struct tdm_board_value deleted = tdm_board_int(TDM_PROP_DELETED, 1);
    struct board_entry *e = new_entry(b, o);

    e->made = true;
    e->now = board_stamp_of(board_reg(o, TDM_PROP_DELETED));
    hold(b, e, &deleted);
}

void board_undo_writes(struct tdm_board *b, struct tdm_board_object *o, uint32_t prop,
                       struct board_stamp stamp)
{
    struct tdm_board_value is = board_value(o, prop);
    struct board_stamp was = board_stamp_of(board_reg(o, prop));
    struct board_entry *e = b->step_open ? o->undo : NULL;

    while (e && (e->text || e->step != b->undo.top || e->held.prop != prop))
        e = e->same;
    if (e && same_stamp(e->now, was)) {
        e->now = stamp; /* More of the same gesture. */
        return;
    }
    e = new_entry(b, o);
    e->now = stamp;
    e->was = was;
    hold(b, e, &is);
}

void board_undo_text(struct tdm_board *b, struct tdm_board_object *o,
                     const struct board_range *ranges, size_t count, bool gone)
{
    struct board_entry *e = b->step_open && b->undo.top ? b->undo.top->entries : NULL;

    if (e && gone && e->text && e->gone && e->o == o && e->range_count == 1 && count == 1 &&
        e->ranges->first.actor == ranges->first.actor &&
        e->ranges->first.seq + e->ranges->length == ranges->first.seq &&
        e->ranges->length + ranges->length <= BOARD_RANGE_MAX) {
        e->ranges->length += ranges->length; /* Typed on. */
        return;
    }
    e = new_entry(b, o);
    e->text = true;
    e->gone = gone;
    e->range_count = count;
    e->ranges = tdm_board_take(&b->memory, count * sizeof *ranges);
    memcpy(e->ranges, ranges, count * sizeof *ranges);
}

void board_undo_lost(struct tdm_board *b, struct tdm_board_object *o,
                     const struct tdm_board_value *value, struct board_stamp stamp,
                     struct board_stamp against)
{
    for (struct board_entry *e = o->undo; e; e = e->same)
        if (!e->text && e->held.prop == value->prop && same_stamp(e->now, against) &&
            board_stamp_order(b, stamp, e->was) > 0) {
            hold(b, e, value);
            e->was = stamp;
        }
}

/* Whether anybody else had a hand in an object of ours: then it is not ours alone to take away. */
static bool shared(const struct tdm_board *b, const struct tdm_board_object *o)
{
    for (uint32_t i = 0; i < o->reg_count; i++)
        if (o->regs[i].actor != b->self)
            return true;
    return board_text_others(o->text, b->self);
}

static enum tdm_err swap_value(struct tdm_board *b, struct board_entry *e,
                               struct tdm_board_undone *undone)
{
    uint32_t prop = e->held.prop;
    struct tdm_board_value back = board_reg_value(&e->held), is = board_value(e->o, prop);
    struct board_stamp stands = board_stamp_of(board_reg(e->o, prop));

    if (!same_stamp(stands, e->now) || (e->made && back.number && shared(b, e->o))) {
        undone->kept++;
        return TDM_OK;
    }
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, BOARD_ROOM);

    if (err != TDM_OK)
        return err;
    struct board_entry old = *e;
    struct board_stamp stamp = board_next(b);

    e->held = (struct board_reg){0};
    hold(b, e, &is);
    e->now = stamp;
    e->was = old.now;
    for (struct board_entry *other = e->o->undo; other; other = other->same)
        if (other != e && !other->text && other->held.prop == prop &&
            same_stamp(other->now, old.was))
            other->now = stamp; /* What it wrote stands again. */
    err = board_make_set(b, e->o, &back, 1, false);
    assert(err == TDM_OK); /* It was ready. */
    if (old.held.kind == TDM_VALUE_BYTES)
        tdm_board_drop(&b->memory, old.held.bytes, old.held.size);
    undone->changed++;
    return err;
}

static enum tdm_err swap_text(struct tdm_board *b, struct board_entry *e,
                              struct tdm_board_undone *undone)
{
    uint32_t before = e->o->text ? e->o->text->chars : 0;
    enum tdm_err err = board_make_mark(b, e->o, e->ranges, e->range_count, e->gone);

    if (err != TDM_OK)
        return err;
    if (e->o->text && e->o->text->chars != before)
        undone->changed++;
    else
        undone->kept++;
    e->gone = !e->gone;
    return TDM_OK;
}

static enum tdm_err move(struct tdm_board *b, struct board_steps *from, struct board_steps *to,
                         struct tdm_board_undone *undone)
{
    if (!from->top)
        return TDM_E_GONE;
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, BOARD_ROOM);

    if (err != TDM_OK)
        return err;
    struct board_step *into = b->moving != to || !to->top ? push(b, to) : to->top;

    b->moving = to;
    b->step_open = false;
    for (struct board_entry *e; (e = from->top->entries) != NULL;) {
        err = e->text ? swap_text(b, e, undone) : swap_value(b, e, undone);
        if (err != TDM_OK)
            return err;
        from->top->entries = e->next;
        e->next = into->entries;
        e->step = into;
        into->entries = e;
    }
    pop(b, from);
    b->moving = NULL;
    return TDM_OK;
}

enum tdm_err tdm_board_undo(struct tdm_board *b, struct tdm_board_undone *undone)
{
    return move(b, &b->undo, &b->redo, undone);
}

enum tdm_err tdm_board_redo(struct tdm_board *b, struct tdm_board_undone *undone)
{
    return move(b, &b->redo, &b->undo, undone);
}

bool tdm_board_can_undo(const struct tdm_board *b)
{
    return b->undo.top != NULL;
}

bool tdm_board_can_redo(const struct tdm_board *b)
{
    return b->redo.top != NULL;
}

void tdm_board_begin(struct tdm_board *b)
{
    if (b->depth++ == 0)
        b->step_open = false;
}

void tdm_board_end(struct tdm_board *b)
{
    assert(b->depth > 0);
    if (--b->depth == 0)
        b->step_open = false;
}

/* SPDX-License-Identifier: MIT */
#include "collab/board_snapshot.h"

#include "collab/board_stroke.h"
#include "collab/board_text.h"

struct taking {
    struct tdm_board *b;
    struct tdm_reader *r;
    struct tdm_board_applied *applied;
    uint32_t names[BOARD_NAMES_MAX];
    uint64_t name_count;
    uint32_t seq; /* Of the object before. */
    uint64_t lamport;
};

/* Something does not fit what is here: what the snapshot was built upon is missing, such as when a
 * journal lost a piece. */
static void refuse(struct taking *t)
{
    t->applied->refused++;
    t->b->patchy = true;
}

static bool good_stamp(struct board_stamp s)
{
    return s.seq > 0 && s.seq <= TDM_BOARD_SEQ_MAX && s.lamport > 0 &&
           s.lamport <= (uint64_t)s.seq << BOARD_JUMP;
}

/* An actor that something is by. */
static uint16_t read_actor(struct taking *t)
{
    uint64_t at = tdm_board_read_v(t->r);
    uint16_t actor =
        t->r->ok && at < t->name_count ? board_actor_take(t->b, t->names[at]) : BOARD_NO_ACTOR;

    if (actor == BOARD_NO_ACTOR)
        t->r->ok = false;
    return actor;
}

static uint32_t read_seq(struct tdm_reader *r)
{
    uint64_t seq = tdm_board_read_v(r);

    if (seq == 0 || seq > TDM_BOARD_SEQ_MAX)
        r->ok = false;
    return (uint32_t)seq;
}

static void saw(struct taking *t, uint16_t actor, uint32_t seq)
{
    board_saw(t->b, actor, seq);
    if (actor == t->b->self && seq > t->b->actors[actor].seq)
        t->b->doubled = true;
}

static struct tdm_board_id read_ref(struct taking *t, uint32_t seq)
{
    uint64_t how = tdm_board_read_v(t->r);

    if (how == BOARD_REF_NONE)
        return TDM_BOARD_NONE;
    if (how == BOARD_REF_FIRST_PAGE)
        return TDM_BOARD_FIRST_PAGE;
    int64_t number = (int64_t)seq + tdm_board_read_s(t->r) % ((int64_t)1 << 32);

    if (how - BOARD_REF_NAMES >= t->name_count || number <= 0 || number > TDM_BOARD_SEQ_MAX) {
        t->r->ok = false;
        return TDM_BOARD_NONE;
    }
    return (struct tdm_board_id){t->names[how - BOARD_REF_NAMES], (uint32_t)number};
}

static bool read_value(struct taking *t, const struct board_stamp *object,
                       struct board_stamp *stamp, struct tdm_board_value *v)
{
    uint64_t head = tdm_board_read_v(t->r);

    *stamp = *object;
    *v = (struct tdm_board_value){.prop = (enum tdm_board_prop)(head >> 3),
                                  .kind = (enum tdm_board_value_kind)(head >> 1 & 3)};
    if (head & 1) {
        stamp->actor = read_actor(t);
        stamp->seq = read_seq(t->r);
        stamp->lamport = object->lamport + (uint64_t)tdm_board_read_s(t->r);
    }
    if (v->kind == TDM_VALUE_INT) {
        v->number = tdm_board_read_s(t->r);
    } else if (v->kind == TDM_VALUE_REF) {
        v->ref = read_ref(t, object->seq);
    } else if (v->kind == TDM_VALUE_BYTES) {
        uint64_t size = tdm_board_read_v(t->r);

        v->size = size <= TDM_BOARD_VALUE_MAX ? (size_t)size : SIZE_MAX;
        v->bytes = tdm_read_bytes(t->r, v->size);
    } else {
        return false;
    }
    return t->r->ok && head >> 3 > 0 && head >> 3 < BOARD_PROPS && good_stamp(*stamp) &&
           stamp->actor != 0;
}

static enum tdm_err take_values(struct taking *t, struct tdm_board_object *o,
                                const struct board_stamp *object, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct tdm_board_value v;
        struct board_stamp stamp;

        if (!read_value(t, object, &stamp, &v))
            return TDM_E_MALFORMED;
        saw(t, stamp.actor, stamp.seq);
        if (stamp.lamport > t->b->lamport)
            t->b->lamport = stamp.lamport;
        board_write(t->b, o, stamp, &v, 1);
    }
    return TDM_OK;
}

static enum tdm_err take_ink(struct taking *t, struct tdm_board_object *o)
{
    uint64_t first = tdm_board_read_v(t->r), size = tdm_board_read_v(t->r);
    const uint8_t *data = tdm_read_bytes(t->r, (size_t)size);
    uint64_t seq = tdm_board_read_v(t->r);
    bool sealed = tdm_read_u8(t->r) != 0;

    if (!t->r->ok || first > TDM_BOARD_POINTS_MAX || seq > TDM_BOARD_SEQ_MAX)
        return TDM_E_MALFORMED;
    if (tdm_board_memory_room(&t->b->memory) < BOARD_ROOM + board_ink_need((size_t)size))
        return TDM_E_SPACE;
    saw(t, o->actor, (uint32_t)seq);
    if (size && board_ink(t->b, o, (uint32_t)seq, (uint32_t)first, data, (size_t)size) != TDM_OK)
        refuse(t);
    if (!sealed)
        return TDM_OK;
    uint32_t seal_seq = read_seq(t->r);
    uint64_t count = tdm_board_read_v(t->r);
    uint32_t sum = tdm_read_u32(t->r);

    if (!t->r->ok || count > TDM_BOARD_POINTS_MAX)
        return TDM_E_MALFORMED;
    saw(t, o->actor, seal_seq);
    if (board_seal(t->b, o, seal_seq, (uint32_t)count, sum) != TDM_OK)
        t->applied->refused++;
    return TDM_OK;
}

static enum tdm_err take_run(struct taking *t, struct tdm_board_object *o)
{
    uint8_t text[TDM_BOARD_TYPED_MAX];
    struct board_typed typed = {.text = text};

    typed.stamp.actor = read_actor(t);
    typed.stamp.seq = read_seq(t->r);
    typed.stamp.lamport = tdm_board_read_v(t->r);
    uint64_t behind = tdm_board_read_v(t->r);

    if (behind) {
        if (behind - 1 >= t->name_count)
            return TDM_E_MALFORMED;
        typed.origin.actor = t->names[behind - 1];
        typed.origin.seq = read_seq(t->r);
    }
    uint64_t size = tdm_board_read_v(t->r);
    const uint8_t *from = tdm_read_bytes(t->r, (size_t)size);

    if (!t->r->ok || size == 0 || size > sizeof text || !good_stamp(typed.stamp))
        return TDM_E_MALFORMED;
    memcpy(text, from, (size_t)size);
    typed.size = (size_t)size;
    typed.chars = board_text_mend(text, typed.size);
    if (typed.chars == 0 || typed.stamp.seq + typed.chars - 1 > TDM_BOARD_SEQ_MAX)
        return TDM_E_MALFORMED;
    if (tdm_board_memory_room(&t->b->memory) < BOARD_ROOM + board_text_type_need(t->b, o, &typed))
        return TDM_E_SPACE;
    saw(t, typed.stamp.actor, typed.stamp.seq + typed.chars - 1);
    if (typed.stamp.lamport + typed.chars - 1 > t->b->lamport)
        t->b->lamport = typed.stamp.lamport + typed.chars - 1;
    if (board_text_type(t->b, o, &typed) != TDM_OK)
        refuse(t);
    return TDM_OK;
}

static enum tdm_err take_mark(struct taking *t, struct tdm_board_object *o)
{
    struct board_stamp stamp = {.actor = read_actor(t)};

    stamp.seq = read_seq(t->r);
    uint8_t gone = tdm_read_u8(t->r);
    uint64_t at = tdm_board_read_v(t->r);
    uint32_t seq = read_seq(t->r);
    uint64_t length = tdm_board_read_v(t->r);

    if (!t->r->ok || at >= t->name_count || length == 0 || length > TDM_BOARD_TEXT_MAX || gone > 1)
        return TDM_E_MALFORMED;
    struct board_range range = {{t->names[at], seq}, (uint32_t)length};

    if (tdm_board_memory_room(&t->b->memory) < BOARD_ROOM + board_text_mark_need(t->b, o, &range))
        return TDM_E_SPACE;
    saw(t, stamp.actor, stamp.seq);
    if (!board_text_has(t->b, o, &range))
        refuse(t);
    board_text_mark(t->b, o, stamp, &range, gone);
    return TDM_OK;
}

static enum tdm_err take_text(struct taking *t, struct tdm_board_object *o)
{
    enum tdm_err err = TDM_OK;
    uint64_t runs = tdm_board_read_v(t->r);

    for (uint64_t i = 0; i < runs && err == TDM_OK; i++)
        err = take_run(t, o);
    uint64_t marks = err == TDM_OK ? tdm_board_read_v(t->r) : 0;

    for (uint64_t i = 0; i < marks && err == TDM_OK; i++)
        err = take_mark(t, o);
    return err == TDM_OK && !t->r->ok ? TDM_E_MALFORMED : err;
}

static enum tdm_err take_object(struct taking *t)
{
    struct board_stamp stamp = {.actor = read_actor(t)};

    stamp.seq = t->seq += (uint32_t)tdm_board_read_s(t->r);
    stamp.lamport = t->lamport += (uint64_t)tdm_board_read_s(t->r);
    uint64_t type = tdm_board_read_v(t->r), has = tdm_board_read_v(t->r);
    struct tdm_board_id id = {t->r->ok ? t->b->actors[stamp.actor].name : 0, stamp.seq};
    struct tdm_board_object *o = t->r->ok ? board_object(t->b, id) : NULL;

    if (!t->r->ok || type == 0 || type > UINT16_MAX || has >> 2 > BOARD_PROPS ||
        (!o && (!good_stamp(stamp) || stamp.actor == 0)))
        return TDM_E_MALFORMED;
    if (tdm_board_memory_room(&t->b->memory) < BOARD_ROOM)
        return TDM_E_SPACE;
    saw(t, stamp.actor, stamp.seq);
    if (!o) {
        o = board_object_make(t->b, stamp.actor, stamp.seq, stamp.lamport, (uint16_t)type);
        t->applied->fresh++;
    }
    if (stamp.lamport > t->b->lamport)
        t->b->lamport = stamp.lamport;
    enum tdm_err err = take_values(t, o, &stamp, has >> 2);

    if (err == TDM_OK && has & BOARD_HAS_INK)
        err = take_ink(t, o);
    if (err == TDM_OK && has & BOARD_HAS_TEXT)
        err = take_text(t, o);
    return err;
}

static enum tdm_err take_state(struct taking *t)
{
    t->name_count = tdm_board_read_v(t->r);
    if (t->name_count > BOARD_NAMES_MAX)
        return TDM_E_MALFORMED;
    for (uint64_t i = 0; i < t->name_count; i++)
        t->names[i] = tdm_read_u32(t->r);
    while (t->r->ok && t->r->at < t->r->end) {
        enum tdm_err err = take_object(t);

        if (err != TDM_OK)
            return err;
    }
    return t->r->ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err take_others(struct tdm_board *b, struct tdm_reader *r)
{
    while (r->ok && r->at < r->end) {
        struct board_op op = {.name = tdm_read_u32(r)};

        op.seq = read_seq(r);
        op.lamport = tdm_board_read_v(r);
        if (!board_op_read(r, &op) || op.name == 0)
            return TDM_E_MALFORMED;
        uint16_t actor = board_actor_take(b, op.name);

        if (actor == BOARD_NO_ACTOR)
            return TDM_E_DENIED;
        if (tdm_board_memory_room(&b->memory) < BOARD_ROOM)
            return TDM_E_SPACE;
        if (op.kind <= BOARD_OP_MARK && op.kind != 0)
            return TDM_E_MALFORMED;
        if (op.lamport + op.span - 1 > b->lamport && op.lamport <= (uint64_t)op.seq << BOARD_JUMP)
            b->lamport = op.lamport + op.span - 1;
        if (board_keep(b, actor, &op) != TDM_OK)
            return TDM_E_MALFORMED;
        board_saw(b, actor, op.seq + op.span - 1);
    }
    return r->ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err take_cover(struct tdm_board *b, struct tdm_reader *r)
{
    b->covered = true;
    while (r->ok && r->at < r->end) {
        uint32_t name = tdm_read_u32(r);
        uint64_t from = tdm_board_read_v(r);
        uint32_t to = read_seq(r);
        uint16_t actor = r->ok && name ? board_actor_take(b, name) : BOARD_NO_ACTOR;

        if (!r->ok || name == 0)
            return TDM_E_MALFORMED;
        if (actor == BOARD_NO_ACTOR)
            return TDM_E_DENIED;
        if (b->patchy || b->actors[actor].seq < from || b->actors[actor].seq >= to)
            continue;
        if (actor == b->self)
            b->doubled = true;
        b->actors[actor].seq = to;
        board_saw(b, actor, to);
    }
    return r->ok ? TDM_OK : TDM_E_MALFORMED;
}

enum tdm_err board_snapshot_take(struct tdm_board *b, uint8_t kind, struct tdm_reader *r,
                                 struct tdm_board_applied *applied)
{
    if (kind != BOARD_RECORD_COVER && b->covered)
        b->covered = b->patchy = false; /* Another snapshot. */
    if (kind == BOARD_RECORD_STATE)
        return take_state(&(struct taking){.b = b, .r = r, .applied = applied});
    if (kind == BOARD_RECORD_OTHERS)
        return take_others(b, r);
    if (kind == BOARD_RECORD_COVER)
        return take_cover(b, r);
    return TDM_OK; /* A newer peer's. */
}

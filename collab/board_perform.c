/* SPDX-License-Identifier: MIT */
/* What an operation does, whoever made it: everything here follows from the operation and from what
 * its author had seen, so that it is the same on every replica. */
#include "collab/board_state.h"

#include "collab/board_stroke.h"
#include "collab/board_text.h"

static bool read_values(struct tdm_reader *r, const struct board_op *op,
                        struct tdm_board_value values[BOARD_PROPS], size_t *count)
{
    for (*count = 0; r->ok && r->at < r->end; (*count)++)
        if (*count == BOARD_PROPS || !board_value_read(r, op->name, op->seq, &values[*count]))
            return false;
    return r->ok;
}

static struct board_stamp stamp_of(uint16_t actor, const struct board_op *op)
{
    return (struct board_stamp){op->lamport, op->seq, actor};
}

static enum tdm_err add(struct tdm_board *b, uint16_t actor, const struct board_op *op)
{
    struct tdm_reader r = tdm_reader_of(op->data, op->size);
    uint64_t type = tdm_board_read_v(&r);
    struct tdm_board_value values[BOARD_PROPS];
    size_t count;

    if (!read_values(&r, op, values, &count) || type == 0 || type > UINT16_MAX)
        return TDM_E_MALFORMED;
    struct tdm_board_object *o = board_object(b, (struct tdm_board_id){op->name, op->seq});

    if (!o)
        o = board_object_make(b, actor, op->seq, op->lamport, (uint16_t)type);
    board_write(b, o, stamp_of(actor, op), values, count);
    return TDM_OK;
}

/* The object that an operation is about, or what is missing. */
static enum tdm_err find(struct tdm_board *b, struct tdm_board_id id, struct tdm_board_object **o,
                         struct tdm_board_id *wait)
{
    *o = board_object(b, id);
    if (*o)
        return TDM_OK;
    *wait = id;
    return id.seq && !board_knows(b, id) ? TDM_E_AGAIN : TDM_E_MALFORMED;
}

static enum tdm_err set(struct tdm_board *b, uint16_t actor, struct tdm_board_object *o,
                        struct tdm_reader *r, const struct board_op *op)
{
    struct tdm_board_value values[BOARD_PROPS];
    size_t count;

    if (!read_values(r, op, values, &count))
        return TDM_E_MALFORMED;
    board_write(b, o, stamp_of(actor, op), values, count);
    return TDM_OK;
}

static enum tdm_err ink(struct tdm_board *b, uint16_t actor, struct tdm_board_object *o,
                        struct tdm_reader *r, const struct board_op *op)
{
    uint64_t first = tdm_board_read_v(r);

    if (!r->ok || first > TDM_BOARD_POINTS_MAX || o->actor != actor)
        return TDM_E_MALFORMED;
    return board_ink(b, o, op->seq, (uint32_t)first, r->at, tdm_reader_left(r));
}

static enum tdm_err seal(struct tdm_board *b, uint16_t actor, struct tdm_board_object *o,
                         struct tdm_reader *r, const struct board_op *op)
{
    uint64_t count = tdm_board_read_v(r);
    uint32_t sum = tdm_read_u32(r);

    if (!r->ok || count > TDM_BOARD_POINTS_MAX || o->actor != actor)
        return TDM_E_MALFORMED;
    return board_seal(b, o, op->seq, (uint32_t)count, sum);
}

static enum tdm_err type(struct tdm_board *b, uint16_t actor, struct tdm_board_object *o,
                         struct tdm_reader *r, const struct board_op *op, struct tdm_board_id *wait)
{
    uint8_t text[TDM_BOARD_TYPED_MAX];
    struct board_typed typed = {.stamp = stamp_of(actor, op),
                                .origin = board_id_read(r, op->name, op->seq),
                                .text = text,
                                .size = tdm_reader_left(r)};

    if (!r->ok || typed.size == 0 || typed.size > sizeof text)
        return TDM_E_MALFORMED;
    memcpy(text, r->at, typed.size);
    typed.chars = board_text_mend(text, typed.size);
    if (typed.chars == 0 || typed.chars != op->span)
        return TDM_E_MALFORMED;
    if (typed.origin.seq && !board_knows(b, typed.origin)) {
        uint16_t origin = board_actor_find(b, typed.origin.actor);

        if (origin == BOARD_NO_ACTOR || !board_text_find(o->text, origin, typed.origin.seq)) {
            *wait = typed.origin;
            return TDM_E_AGAIN;
        }
    }
    if (tdm_board_memory_room(&b->memory) < board_text_type_need(b, o, &typed))
        return TDM_E_SPACE;
    return board_text_type(b, o, &typed);
}

static enum tdm_err mark(struct tdm_board *b, uint16_t actor, struct tdm_board_object *o,
                         struct tdm_reader *r, const struct board_op *op, struct tdm_board_id *wait)
{
    struct board_range ranges[BOARD_RANGES_MAX];
    uint8_t gone = tdm_read_u8(r);
    uint64_t total = 0;
    size_t count = 0, need = 0;

    for (; r->ok && r->at < r->end; count++) {
        if (count == BOARD_RANGES_MAX)
            return TDM_E_MALFORMED;
        struct tdm_board_id first = board_id_read(r, op->name, op->seq);
        uint64_t length = tdm_board_read_v(r);

        total += length > BOARD_RANGE_MAX ? BOARD_RANGE_MAX + 1 : length;
        if (!r->ok || total > BOARD_RANGE_MAX || length == 0 || first.seq == 0)
            return TDM_E_MALFORMED;
        ranges[count] = (struct board_range){first, (uint32_t)length};
        *wait = (struct tdm_board_id){first.actor, first.seq + (uint32_t)length - 1};
        if (wait->seq > TDM_BOARD_SEQ_MAX)
            return TDM_E_MALFORMED;
        if (!board_knows(b, *wait) && !board_text_has(b, o, &ranges[count]))
            return TDM_E_AGAIN;
        need += board_text_mark_need(b, o, &ranges[count]);
    }
    if (!r->ok || gone > 1)
        return TDM_E_MALFORMED;
    if (tdm_board_memory_room(&b->memory) < need)
        return TDM_E_SPACE;
    for (size_t i = 0; i < count; i++)
        board_text_mark(b, o, stamp_of(actor, op), &ranges[i], gone);
    return TDM_OK;
}

enum tdm_err board_keep(struct tdm_board *b, uint16_t actor, const struct board_op *op)
{
    struct board_node *up = NULL, **link = &b->others;

    if (op->size > BOARD_OTHER_MAX)
        return TDM_E_MALFORMED;
    while (*link) {
        const struct board_other *at = BOARD_OF(*link, struct board_other, node);

        if (at->actor == actor && at->seq == op->seq)
            return TDM_OK;
        up = *link;
        link = actor != at->actor  ? (actor < at->actor ? &up->low : &up->high)
               : op->seq < at->seq ? &up->low
                                   : &up->high;
    }
    struct board_other *other = tdm_board_take(&b->memory, sizeof *other + op->size);

    *other = (struct board_other){.lamport = op->lamport,
                                  .seq = op->seq,
                                  .span = op->span,
                                  .actor = actor,
                                  .size = (uint16_t)op->size,
                                  .kind = op->kind};
    other->node.weight = board_weight(b);
    if (op->size)
        memcpy(other->bytes, op->data, op->size);
    board_node_hang(&b->others, up, link, &other->node);
    return TDM_OK;
}

enum tdm_err board_perform(struct tdm_board *b, uint16_t actor, const struct board_op *op,
                           struct tdm_board_id *wait)
{
    struct tdm_reader r = tdm_reader_of(op->data, op->size);
    struct tdm_board_object *o;

    if (op->lamport == 0 || op->lamport > (uint64_t)op->seq << BOARD_JUMP)
        return TDM_E_MALFORMED;
    if (tdm_board_memory_room(&b->memory) < BOARD_ROOM)
        return TDM_E_SPACE;
    if (op->kind == 0 || op->kind > BOARD_OP_MARK)
        return board_keep(b, actor, op);
    if (op->kind == BOARD_OP_SKIP)
        return TDM_OK;
    if (op->kind != BOARD_OP_TYPE && op->span != 1)
        return TDM_E_MALFORMED;
    if (op->kind == BOARD_OP_ADD)
        return add(b, actor, op);
    struct tdm_board_id id = board_id_read(&r, op->name, op->seq);
    enum tdm_err err = r.ok ? find(b, id, &o, wait) : TDM_E_MALFORMED;

    if (err != TDM_OK)
        return err;
    switch ((enum board_op_kind)op->kind) {
    case BOARD_OP_SET:
        return set(b, actor, o, &r, op);
    case BOARD_OP_INK:
        return ink(b, actor, o, &r, op);
    case BOARD_OP_SEAL:
        return seal(b, actor, o, &r, op);
    case BOARD_OP_TYPE:
        return type(b, actor, o, &r, op, wait);
    case BOARD_OP_MARK:
        return mark(b, actor, o, &r, op, wait);
    default:
        return TDM_E_MALFORMED;
    }
}

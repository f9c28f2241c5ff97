/* SPDX-License-Identifier: MIT */
/* Own operations: into the bytes that wait to be taken, and performed like anybody's. */
#include "collab/board_state.h"

#include "collab/board_text.h"

#include <assert.h>

/* Of own operations in one record: a journal may lose a record and keep the next. */
#define RECORD_BYTES ((size_t)2048)

#define HEAD_MAX (BOARD_RECORD_HEAD + 1 + 4 + 2 * TDM_BOARD_V_MAX)

static uint64_t next_lamport(const struct tdm_board *b)
{
    return b->lamport + 1;
}

/* Behind all that was seen, or, behind a clock that somebody has made up, as late as may be: what
 * that one wrote keeps standing, the rest of the board is everybody's. */
struct board_stamp board_next(const struct tdm_board *b)
{
    uint32_t seq = b->actors[b->self].seq + 1;
    uint64_t latest = (uint64_t)seq << BOARD_JUMP, next = next_lamport(b);

    return (struct board_stamp){next < latest ? next : latest, seq, b->self};
}

static void into_fresh(struct tdm_board *b, const struct board_op *op)
{
    bool goes_on = b->fresh_size && b->fresh_seq == op->seq && b->fresh_lamport == op->lamport &&
                   b->fresh_size - b->fresh_record + op->size + BOARD_OP_HEAD_MAX < RECORD_BYTES;
    struct tdm_writer w =
        tdm_writer_of(b->fresh + b->fresh_size, TDM_BOARD_FRESH_BYTES - b->fresh_size);

    if (!goes_on) {
        b->fresh_record = b->fresh_size;
        tdm_write_u16(&w, 0);
        tdm_write_u8(&w, BOARD_RECORD_OPS);
        tdm_write_u32(&w, op->name);
        tdm_board_write_v(&w, op->seq);
        tdm_board_write_v(&w, op->lamport);
    }
    board_op_write(&w, op->kind, op->span, op->data, op->size);
    assert(w.ok);
    b->fresh_size += tdm_writer_size(&w);
    b->fresh_seq = op->seq + op->span;
    b->fresh_lamport = op->lamport + op->span;
    struct tdm_writer head = tdm_writer_of(b->fresh + b->fresh_record, BOARD_RECORD_HEAD);

    tdm_write_u16(&head, (uint16_t)(b->fresh_size - b->fresh_record - BOARD_RECORD_HEAD));
}

static void perform(struct tdm_board *b, const struct board_op *op)
{
    struct tdm_board_id wait;
    enum tdm_err err = board_perform(b, b->self, op, &wait);

    assert(err == TDM_OK);
    (void)err;
    into_fresh(b, op);
    b->actors[b->self].seq = op->seq + op->span - 1;
    board_saw(b, b->self, b->actors[b->self].seq);
    b->own_lamport = op->lamport + op->span - 1;
    if (b->own_lamport > b->lamport)
        b->lamport = b->own_lamport;
    b->figures.operations++;
}

/* The clock may not run further ahead than our number allows: numbers are given up for it, but not
 * so many that a made-up clock would use all of them up. */
static void catch_up(struct tdm_board *b)
{
    uint32_t seq = b->actors[b->self].seq + 1;
    uint64_t wanted = (next_lamport(b) >> BOARD_JUMP) + 1;

    wanted = wanted < BOARD_FOLLOWS ? wanted : BOARD_FOLLOWS;
    if (wanted <= seq)
        return;
    perform(b, &(struct board_op){.name = b->actors[b->self].name,
                                  .seq = seq,
                                  .span = (uint32_t)wanted - seq,
                                  .lamport = b->own_lamport + 1,
                                  .kind = BOARD_OP_SKIP});
}

enum tdm_err board_ready(struct tdm_board *b, size_t payload, size_t memory)
{
    const struct board_actor *self = &b->actors[b->self];

    if (self->seq >= TDM_BOARD_SEQ_MAX - 2 * TDM_BOARD_TYPED_MAX || b->doubled)
        return TDM_E_DENIED;
    if (TDM_BOARD_FRESH_BYTES - b->fresh_size <
        payload + (size_t)2 * (HEAD_MAX + BOARD_OP_HEAD_MAX))
        return TDM_E_AGAIN;
    if (tdm_board_memory_room(&b->memory) < BOARD_ROOM + memory)
        return TDM_E_SPACE;
    catch_up(b);
    return TDM_OK;
}

void board_make(struct tdm_board *b, uint8_t kind, uint32_t span, size_t size)
{
    struct board_stamp stamp = board_next(b);

    perform(b, &(struct board_op){.name = b->actors[b->self].name,
                                  .seq = stamp.seq,
                                  .span = span,
                                  .lamport = stamp.lamport,
                                  .kind = kind,
                                  .data = b->scratch,
                                  .size = size});
}

enum tdm_err board_make_set(struct tdm_board *b, struct tdm_board_object *o,
                            const struct tdm_board_value *values, size_t count, bool undo)
{
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, BOARD_ROOM);

    if (err != TDM_OK)
        return err;
    struct tdm_writer w = tdm_writer_of(b->scratch, sizeof b->scratch);
    struct board_stamp stamp = board_next(b);
    uint32_t name = b->actors[b->self].name;

    board_id_write(&w, name, stamp.seq, tdm_board_id_of(o));
    for (size_t i = 0; i < count; i++) {
        board_value_write(&w, name, stamp.seq, &values[i]);
        if (undo)
            board_undo_writes(b, o, (uint32_t)values[i].prop, stamp);
    }
    assert(w.ok);
    board_make(b, BOARD_OP_SET, 1, tdm_writer_size(&w));
    return TDM_OK;
}

enum tdm_err board_make_mark(struct tdm_board *b, struct tdm_board_object *o,
                             const struct board_range *ranges, size_t count, bool gone)
{
    size_t need = 0;

    for (size_t i = 0; i < count; i++)
        need += board_text_mark_need(b, o, &ranges[i]);
    enum tdm_err err = board_ready(b, BOARD_OP_MAX, need);

    if (err != TDM_OK)
        return err;
    struct tdm_writer w = tdm_writer_of(b->scratch, sizeof b->scratch);
    uint32_t name = b->actors[b->self].name, seq = board_next(b).seq;

    board_id_write(&w, name, seq, tdm_board_id_of(o));
    tdm_write_u8(&w, gone);
    for (size_t i = 0; i < count; i++) {
        board_id_write(&w, name, seq, ranges[i].first);
        tdm_board_write_v(&w, ranges[i].length);
    }
    board_make(b, BOARD_OP_MARK, 1, tdm_writer_size(&w));
    return TDM_OK;
}

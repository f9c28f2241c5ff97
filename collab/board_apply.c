/* SPDX-License-Identifier: MIT */
/* Records from outside: each operation once, in its author's order and behind what it needs. */
#include "collab/board_state.h"

struct run {
    uint32_t name;
    uint32_t seq;
    uint64_t lamport;
};

static bool is_held(const struct tdm_board *b, uint32_t name, uint32_t seq)
{
    for (uint32_t i = 0; i < b->held_count; i++)
        if (b->held_list[i].size && b->held_list[i].name == name && b->held_list[i].seq == seq)
            return true;
    return false;
}

/* Keeps the rest of a record until `wait` is known. */
static void hold(struct tdm_board *b, const struct run *run, const uint8_t *rest, size_t size,
                 struct tdm_board_id wait, struct tdm_board_applied *applied)
{
    struct tdm_writer w =
        tdm_writer_of(b->held + b->held_size, TDM_BOARD_HELD_BYTES - b->held_size);

    if (is_held(b, run->name, run->seq)) {
        applied->again++;
        return;
    }
    tdm_write_u32(&w, run->name);
    tdm_board_write_v(&w, run->seq);
    tdm_board_write_v(&w, run->lamport);
    tdm_write_bytes(&w, rest, size);
    if (!w.ok || b->held_count == BOARD_HELD_MAX) {
        applied->lost++;
        return;
    }
    b->held_list[b->held_count++] = (struct board_held){.name = run->name,
                                                        .seq = run->seq,
                                                        .wait_name = wait.actor,
                                                        .wait_seq = wait.seq,
                                                        .at = (uint32_t)b->held_size,
                                                        .size = (uint32_t)tdm_writer_size(&w)};
    b->held_size += tdm_writer_size(&w);
    applied->held++;
}

static uint32_t known_of(const struct tdm_board *b, uint32_t name)
{
    uint16_t actor = board_actor_find(b, name);

    return actor == BOARD_NO_ACTOR ? 0 : b->actors[actor].seq;
}

/* One operation that is the next of its actor. */
static enum tdm_err take_op(struct tdm_board *b, const struct board_op *op,
                            struct tdm_board_id *wait, struct tdm_board_applied *applied)
{
    uint16_t actor = board_actor_take(b, op->name);
    uint64_t last = (uint64_t)op->lamport + op->span - 1;

    if (actor == BOARD_NO_ACTOR)
        return TDM_E_DENIED;
    if (actor == b->self)
        b->doubled = true;
    enum tdm_err err = board_perform(b, actor, op, wait);

    if (err != TDM_OK && err != TDM_E_MALFORMED)
        return err;
    applied->fresh += err == TDM_OK;
    applied->refused += err != TDM_OK;
    b->actors[actor].seq = op->seq + op->span - 1;
    board_saw(b, actor, b->actors[actor].seq);
    if (err == TDM_OK && last > b->lamport)
        b->lamport = last;
    return TDM_OK;
}

/* Operations that follow each other. */
static enum tdm_err take_run(struct tdm_board *b, struct run run, struct tdm_reader *r,
                             struct tdm_board_applied *applied)
{
    uint32_t known = known_of(b, run.name);

    while (r->ok && r->at < r->end) {
        const uint8_t *from = r->at;
        struct board_op op = {.name = run.name, .seq = run.seq, .lamport = run.lamport};
        struct tdm_board_id wait = {run.name, run.seq - 1};

        if (!board_op_read(r, &op) || (uint64_t)op.seq + op.span - 1 > TDM_BOARD_SEQ_MAX)
            return TDM_E_MALFORMED;
        run.seq += op.span;
        run.lamport += op.span;
        if (op.seq + op.span - 1 <= known) {
            applied->again++;
            continue;
        }
        enum tdm_err err = op.seq > known + 1 ? TDM_E_AGAIN : take_op(b, &op, &wait, applied);

        if (err == TDM_E_AGAIN) {
            run.seq = op.seq;
            run.lamport = op.lamport;
            hold(b, &run, from, (size_t)(r->end - from), wait, applied);
            return TDM_OK;
        }
        if (err != TDM_OK)
            return err;
        known = op.seq + op.span - 1;
    }
    return r->ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err take_ops(struct tdm_board *b, struct tdm_reader *r,
                             struct tdm_board_applied *applied)
{
    struct run run = {.name = tdm_read_u32(r)};
    uint64_t seq = tdm_board_read_v(r);

    run.lamport = tdm_board_read_v(r);
    if (!r->ok || run.name == 0 || seq == 0 || seq > TDM_BOARD_SEQ_MAX ||
        run.lamport > (uint64_t)TDM_BOARD_SEQ_MAX << BOARD_JUMP)
        return TDM_E_MALFORMED;
    run.seq = (uint32_t)seq;
    return take_run(b, run, r, applied);
}

static void squeeze_held(struct tdm_board *b)
{
    uint32_t count = 0;
    size_t size = 0;

    for (uint32_t i = 0; i < b->held_count; i++) {
        struct board_held h = b->held_list[i];

        if (!h.size)
            continue;
        memmove(b->held + size, b->held + h.at, h.size);
        h.at = (uint32_t)size;
        size += h.size;
        b->held_list[count++] = h;
    }
    b->held_count = count;
    b->held_size = size;
}

/* What was waited for may have come, which may bring what others wait for. */
static enum tdm_err take_held(struct tdm_board *b, struct tdm_board_applied *applied)
{
    enum tdm_err err = TDM_OK;

    for (bool more = b->held_count > 0; more && err == TDM_OK;) {
        more = false;
        for (uint32_t i = 0; i < b->held_count && err == TDM_OK; i++) {
            struct board_held h = b->held_list[i];
            struct tdm_reader r = tdm_reader_of(b->held + h.at, h.size);

            if (!h.size || !board_knows(b, (struct tdm_board_id){h.wait_name, h.wait_seq}))
                continue;
            b->held_list[i].size = 0;
            err = take_ops(b, &r, applied);
            if (err == TDM_E_MALFORMED) /* Its good part was taken. */
                err = TDM_OK;
            if (err != TDM_OK)
                b->held_list[i].size = h.size;
            more = true;
        }
        squeeze_held(b);
    }
    return err;
}

static enum tdm_err take_record(struct tdm_board *b, struct tdm_reader *r,
                                struct tdm_board_applied *applied)
{
    uint8_t kind = tdm_read_u8(r);

    if (!r->ok)
        return TDM_E_MALFORMED;
    if (kind == BOARD_RECORD_OPS)
        return take_ops(b, r, applied);
    return board_snapshot_take(b, kind, r, applied);
}

void tdm_board_listen(struct tdm_board *b)
{
    b->patchy = b->covered = false;
}

enum tdm_err tdm_board_apply(struct tdm_board *b, const uint8_t *data, size_t size,
                             struct tdm_board_applied *applied)
{
    struct tdm_board_applied here = {0};
    struct tdm_reader r = tdm_reader_of(data, size);
    enum tdm_err err = TDM_OK;

    while (err == TDM_OK && r.at < r.end) {
        struct tdm_reader record = tdm_read_sub(&r, tdm_read_u16(&r));

        err = r.ok ? take_record(b, &record, &here) : TDM_E_MALFORMED;
    }
    if (err == TDM_OK || err == TDM_E_MALFORMED) {
        enum tdm_err held = take_held(b, &here);

        err = held == TDM_OK ? err : held;
    }
    b->figures.operations += here.fresh;
    b->figures.refused += here.refused;
    b->figures.lost += here.lost;
    if (applied) {
        applied->fresh += here.fresh;
        applied->again += here.again;
        applied->held += here.held;
        applied->refused += here.refused;
        applied->lost += here.lost;
    }
    return err;
}

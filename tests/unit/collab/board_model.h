/* SPDX-License-Identifier: MIT */
#ifndef BOARD_MODEL_H
#define BOARD_MODEL_H

/*
 * A text as its definition says, to compare the board's with: each character is a child of the one
 * that it was typed behind; children stand by clock, then author, the later ones first; the text is
 * the tree, parents before their children, without what anybody marked as gone. It knows no runs,
 * no order of arrival and no speed. Characters are one byte.
 */

#include "collab/board_op.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define MODEL_CHARS  2048
#define MODEL_ACTORS 4

struct model_char {
    struct tdm_board_id id, behind;
    uint64_t lamport;
    uint32_t mark_seq[MODEL_ACTORS];
    bool gone[MODEL_ACTORS];
    char byte;
};

struct model {
    uint32_t first_actor; /* They are called one after the other. */
    size_t count;
    struct model_char chars[MODEL_CHARS];
};

static inline struct model_char *model_find(struct model *m, struct tdm_board_id id)
{
    for (size_t i = 0; i < m->count; i++)
        if (tdm_board_same(m->chars[i].id, id))
            return &m->chars[i];
    return NULL;
}

static inline void model_type(struct model *m, const struct board_op *op, struct tdm_reader *r)
{
    struct tdm_board_id behind = board_id_read(r, op->name, op->seq);

    for (uint32_t i = 0; i < op->span; i++) {
        assert(m->count < MODEL_CHARS);
        struct model_char *c = &m->chars[m->count++];

        *c = (struct model_char){.id = {op->name, op->seq + i},
                                 .behind = behind,
                                 .lamport = op->lamport + i,
                                 .byte = (char)tdm_read_u8(r)};
        behind = c->id;
    }
}

static inline void model_mark(struct model *m, const struct board_op *op, struct tdm_reader *r)
{
    bool gone = tdm_read_u8(r) != 0;
    uint32_t actor = op->name - m->first_actor;

    while (r->at < r->end) {
        struct tdm_board_id id = board_id_read(r, op->name, op->seq);

        for (uint64_t left = tdm_board_read_v(r); left; left--, id.seq++) {
            struct model_char *c = model_find(m, id);

            assert(c);
            if (c->mark_seq[actor] < op->seq) {
                c->mark_seq[actor] = op->seq;
                c->gone[actor] = gone;
            }
        }
    }
}

/* Records of operations that nothing needs that comes later. All are about the same text. */
static inline void model_take(struct model *m, const uint8_t *records, size_t size)
{
    struct tdm_reader all = tdm_reader_of(records, size);

    while (all.at < all.end) {
        struct tdm_reader r = tdm_read_sub(&all, tdm_read_u16(&all));
        uint8_t kind = tdm_read_u8(&r);
        struct board_op op = {.name = tdm_read_u32(&r)};

        assert(kind == BOARD_RECORD_OPS);
        (void)kind;
        op.seq = (uint32_t)tdm_board_read_v(&r);
        op.lamport = tdm_board_read_v(&r);
        for (; r.at < r.end; op.seq += op.span, op.lamport += op.span) {
            bool whole = board_op_read(&r, &op);
            struct tdm_reader fields = tdm_reader_of(op.data, op.size);

            assert(whole);
            (void)whole;
            if (op.kind != BOARD_OP_TYPE && op.kind != BOARD_OP_MARK)
                continue;
            (void)board_id_read(&fields, op.name, op.seq);
            if (op.kind == BOARD_OP_TYPE)
                model_type(m, &op, &fields);
            else
                model_mark(m, &op, &fields);
        }
    }
}

static inline bool model_later(const struct model_char *a, const struct model_char *other)
{
    return a->lamport != other->lamport ? a->lamport > other->lamport
                                        : a->id.actor > other->id.actor;
}

/* The child of `parent` that comes next behind `before`; NULL: the first. */
static inline struct model_char *model_child(struct model *m, struct tdm_board_id parent,
                                             const struct model_char *before)
{
    struct model_char *next = NULL;

    for (size_t i = 0; i < m->count; i++) {
        struct model_char *c = &m->chars[i];

        if (tdm_board_same(c->behind, parent) && (!before || model_later(before, c)) &&
            (!next || model_later(c, next)))
            next = c;
    }
    return next;
}

/* As text into `room` of MODEL_CHARS bytes. @return its size. */
static inline size_t model_text(struct model *m, char *room)
{
    size_t size = 0, deep = 0;
    static struct model_char *path[MODEL_CHARS + 1];
    struct model_char *c = model_child(m, TDM_BOARD_NONE, NULL);

    while (c || deep) {
        if (!c) { /* No more children here: the next one of the level above. */
            const struct model_char *done = path[--deep];

            c = model_child(m, done->behind, done);
            continue;
        }
        bool gone = false;

        for (int i = 0; i < MODEL_ACTORS; i++)
            gone |= c->gone[i];
        if (!gone)
            room[size++] = c->byte;
        path[deep++] = c;
        c = model_child(m, c->id, NULL);
    }
    return size;
}

#endif

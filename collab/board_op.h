/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_OP_H
#define TDM_COLLAB_BOARD_OP_H

/*
 * Operations as bytes (docs/board.md): a record of one actor's, which follow each other in number
 * and clock; in each a kind, a size and fields. Pure and without a document.
 *
 *   record     size (16) of what follows, kind (8) = OPS, actor (32), number v, clock v, operations
 *   operation  kind (8, the top bit: a span follows), [span v], size v, fields
 */

#include "collab/board_bytes.h"
#include "collab/board_object.h"

#define BOARD_RECORD_HEAD 2
#define BOARD_RECORD_MAX  60000
#define BOARD_OP_MAX      ((size_t)20 * 1024) /* Of fields. */
#define BOARD_OP_HEAD_MAX 16
#define BOARD_JUMP        20         /* A clock is at most number << this. */
#define BOARD_FOLLOWS     (1u << 16) /* The number up to which a clock ahead is followed: 2^36. */
#define BOARD_PROPS       64         /* Numbers of properties are below. */
#define BOARD_OTHER_MAX   2048       /* Of an operation of a kind that we do not know. */
#define BOARD_RANGES_MAX  32
#define BOARD_RANGE_MAX   4096 /* Characters of one operation of deletion. */

enum board_record_kind {
    BOARD_RECORD_OPS = 1,
    BOARD_RECORD_STATE = 2,
    BOARD_RECORD_COVER = 3,
    BOARD_RECORD_OTHERS = 4,
};

enum board_op_kind {
    BOARD_OP_SKIP = 1, /* Nothing but its span. */
    BOARD_OP_ADD = 2,  /* type v, values */
    BOARD_OP_SET = 3,  /* object, values */
    BOARD_OP_INK = 4,  /* object, first v, points */
    BOARD_OP_SEAL = 5, /* object, count v, sum (32) */
    BOARD_OP_TYPE = 6, /* object, character before, UTF-8; the span is its characters */
    BOARD_OP_MARK = 7, /* object, gone (8), and for each range its first character, length v */
};

struct board_op {
    uint32_t name; /* Of the actor. */
    uint32_t seq, span;
    uint64_t lamport;
    uint8_t kind;
    const uint8_t *data; /* Fields. */
    size_t size;
};

struct board_range {
    struct tdm_board_id first;
    uint32_t length;
};

/** The next operation; seq and lamport of `op` are those that it has. False: no whole one. */
bool board_op_read(struct tdm_reader *r, struct board_op *op);
void board_op_write(struct tdm_writer *w, uint8_t kind, uint32_t span, const uint8_t *data,
                    size_t size);

/** An object or a character, as an operation `seq` of `name` says it: 0 none, 1 another actor's
 *  (32, v), 2 the first page, from 3 on: so many less 2 operations ago. */
struct tdm_board_id board_id_read(struct tdm_reader *r, uint32_t name, uint32_t seq);
void board_id_write(struct tdm_writer *w, uint32_t name, uint32_t seq, struct tdm_board_id id);

/** A property's number and kind (v, number << 2 | kind) and the value. Borrows. */
bool board_value_read(struct tdm_reader *r, uint32_t name, uint32_t seq,
                      struct tdm_board_value *value);
void board_value_write(struct tdm_writer *w, uint32_t name, uint32_t seq,
                       const struct tdm_board_value *value);

/** Brings a value into its property's bounds; false when it is none for it. */
bool board_value_mend(struct tdm_board_value *value);
/** Which of two is written when their stamps are equal: any order will do. */
int board_value_order(const struct tdm_board_value *a, const struct tdm_board_value *other);

/** Characters of UTF-8, 0 when it is broken; `text` is repaired in place: see
 *  tdm_board_text_insert. */
uint32_t board_text_mend(uint8_t *text, size_t size);
/** The same without writing: false when it would have to be repaired. */
bool board_text_clean(const uint8_t *text, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BOARD_SIDES_H
#define BOARD_SIDES_H

/* Replicas of a board with memory as they need it, for tests and fuzz targets. */

#include "collab/board.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BOARD_SIDE_BLOCK  ((size_t)256 * 1024)
#define BOARD_SIDE_BLOCKS 256

struct board_side {
    struct tdm_board *board;
    void *storage, *blocks[BOARD_SIDE_BLOCKS];
    size_t block_count;
};

static inline void side_give(struct board_side *s)
{
    assert(s->block_count < BOARD_SIDE_BLOCKS);
    void *block = aligned_alloc(16, BOARD_SIDE_BLOCK);

    assert(block);
    s->blocks[s->block_count++] = block;
    tdm_board_give(s->board, block, BOARD_SIDE_BLOCK);
}

static inline void side_room(struct board_side *s)
{
    while (tdm_board_room(s->board) < TDM_BOARD_ROOM)
        side_give(s);
}

static inline void side_open(struct board_side *s, uint32_t actor)
{
    *s = (struct board_side){.storage =
                                 aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16)};
    assert(s->storage);
    s->board = tdm_board_init(s->storage, actor);
    side_room(s);
}

static inline void side_close(struct board_side *s)
{
    while (s->block_count)
        free(s->blocks[--s->block_count]);
    free(s->storage);
}

static inline enum tdm_err side_apply(struct board_side *s, const uint8_t *data, size_t size,
                                      struct tdm_board_applied *applied)
{
    enum tdm_err err;

    while ((err = tdm_board_apply(s->board, data, size, applied)) == TDM_E_SPACE)
        side_give(s);
    return err;
}

/* What a side made goes to another; it stays fresh. */
static inline void side_tell(struct board_side *from, struct board_side *to)
{
    size_t size;
    const uint8_t *fresh = tdm_board_fresh(from->board, &size);
    enum tdm_err err = side_apply(to, fresh, size, NULL);

    assert(err == TDM_OK);
    (void)err;
}

/* Both tell what they made and forget that they did. */
static inline void side_meet(struct board_side *a, struct board_side *b)
{
    side_tell(a, b);
    side_tell(b, a);
    tdm_board_fresh_done(a->board);
    tdm_board_fresh_done(b->board);
    side_room(a);
    side_room(b);
}

static inline bool side_same(const struct board_side *a, const struct board_side *b)
{
    uint8_t one[TDM_BOARD_DIGEST_BYTES], other[TDM_BOARD_DIGEST_BYTES];

    tdm_board_digest(a->board, one);
    tdm_board_digest(b->board, other);
    return memcmp(one, other, sizeof one) == 0;
}

static inline struct tdm_board_view side_view(const struct board_side *s, struct tdm_board_id id)
{
    const struct tdm_board_object *o = tdm_board_find(s->board, id);
    struct tdm_board_view view;

    assert(o);
    tdm_board_read(s->board, o, &view);
    return view;
}

#endif

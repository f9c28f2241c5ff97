/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_MEMORY_H
#define TDM_COLLAB_BOARD_MEMORY_H

/*
 * Memory of a board out of blocks that its caller gave: pieces of a few sizes, cut from the front
 * of a block and kept in lists when they are no longer needed. Whoever asks first whether there is
 * `room` for all that it may need is never refused in the middle.
 */

#include <stddef.h>
#include <stdint.h>

#define TDM_BOARD_PIECE_MAX ((size_t)4096)
#define TDM_BOARD_SIZES     ((size_t)64) /* 16, 32, ... 512, then powers of two. */

struct tdm_board_piece {
    struct tdm_board_piece *next;
};

struct tdm_board_block {
    struct tdm_board_block *next;
    size_t size;
};

struct tdm_board_memory {
    uint8_t *at, *end;            /* What is left of the block in use. */
    struct tdm_board_block *more; /* Untouched ones. */
    size_t more_bytes;            /* That those hold for certain. */
    struct tdm_board_piece *kept[TDM_BOARD_SIZES];
    size_t given, used;
};

void tdm_board_memory_give(struct tdm_board_memory *m, void *block, size_t size);

/** So many bytes, in pieces of at most TDM_BOARD_PIECE_MAX, can be taken for certain. */
size_t tdm_board_memory_room(const struct tdm_board_memory *m);

/** A piece, aligned to 16, not cleared; NULL without room. size: 1 to TDM_BOARD_PIECE_MAX. */
void *tdm_board_take(struct tdm_board_memory *m, size_t size);
void tdm_board_drop(struct tdm_board_memory *m, void *piece, size_t size);

/** What a piece of this size really holds. */
size_t tdm_board_piece_size(size_t size);

#endif

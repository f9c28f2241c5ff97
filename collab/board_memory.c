/* SPDX-License-Identifier: MIT */
#include "collab/board_memory.h"

#include <assert.h>

#define STEP      ((size_t)16)
#define STEPS_MAX ((size_t)512)

static size_t class_of(size_t size)
{
    if (size <= STEPS_MAX)
        return (size + STEP - 1) / STEP;
    size_t at = STEPS_MAX / STEP;

    for (size_t holds = STEPS_MAX; holds < size; holds *= 2)
        at++;
    return at;
}

size_t tdm_board_piece_size(size_t size)
{
    size_t holds = STEPS_MAX;

    if (size <= STEPS_MAX)
        return (size + STEP - 1) / STEP * STEP;
    while (holds < size)
        holds *= 2;
    return holds;
}

/* Beginning a block wastes at most one piece at the end of the one before; a piece may take twice
 * what was asked for. */
static size_t certain(size_t bytes)
{
    return bytes > TDM_BOARD_PIECE_MAX ? (bytes - TDM_BOARD_PIECE_MAX) / 2 : 0;
}

void tdm_board_memory_give(struct tdm_board_memory *m, void *block, size_t size)
{
    struct tdm_board_block *b = block;

    assert((uintptr_t)block % STEP == 0 && size >= 2 * TDM_BOARD_PIECE_MAX);
    b->size = size / STEP * STEP;
    b->next = m->more;
    m->more = b;
    m->more_bytes += certain(b->size - STEP);
    m->given += size;
}

size_t tdm_board_memory_room(const struct tdm_board_memory *m)
{
    return certain((size_t)(m->end - m->at)) + m->more_bytes;
}

static void next_block(struct tdm_board_memory *m)
{
    struct tdm_board_block *b = m->more;

    m->more = b->next;
    m->more_bytes -= certain(b->size - STEP);
    m->at = (uint8_t *)b + STEP;
    m->end = (uint8_t *)b + b->size;
}

void *tdm_board_take(struct tdm_board_memory *m, size_t size)
{
    size_t class = class_of(size), holds = tdm_board_piece_size(size);
    struct tdm_board_piece *kept = m->kept[class];

    assert(size > 0 && size <= TDM_BOARD_PIECE_MAX);
    if (kept) {
        m->kept[class] = kept->next;
        m->used += holds;
        return kept;
    }
    if ((size_t)(m->end - m->at) < holds) {
        if (!m->more)
            return NULL;
        next_block(m);
    }
    void *piece = m->at;

    m->at += holds;
    m->used += holds;
    return piece;
}

void tdm_board_drop(struct tdm_board_memory *m, void *piece, size_t size)
{
    struct tdm_board_piece *p = piece;
    size_t class = class_of(size);

    if (!piece)
        return;
    p->next = m->kept[class];
    m->kept[class] = p;
    m->used -= tdm_board_piece_size(size);
}

/* SPDX-License-Identifier: MIT */
#include "engine/board_pipe.h"

#include <stdlib.h>
#include <string.h>

enum tdm_err tdm_board_pipe_open(struct tdm_board_pipe *p, size_t capacity)
{
    *p = (struct tdm_board_pipe){.ring = malloc(capacity), .capacity = capacity};
    return p->ring ? TDM_OK : TDM_E_SYSTEM;
}

void tdm_board_pipe_close(struct tdm_board_pipe *p)
{
    free(p->ring);
    *p = (struct tdm_board_pipe){.ring = NULL};
}

void tdm_board_pipe_restart(struct tdm_board_pipe *p)
{
    p->acked = p->pulled = p->put = 0;
}

size_t tdm_board_pipe_free(const struct tdm_board_pipe *p)
{
    return p->capacity - (size_t)(p->put - p->acked);
}

void tdm_board_pipe_put(struct tdm_board_pipe *p, const uint8_t *data, size_t size)
{
    assert(size <= tdm_board_pipe_free(p));
    while (size) {
        size_t at = (size_t)(p->put % p->capacity);
        size_t piece = size < p->capacity - at ? size : p->capacity - at;

        memcpy(p->ring + at, data, piece);
        p->put += piece;
        data += piece;
        size -= piece;
    }
}

bool tdm_board_pipe_has(const struct tdm_board_pipe *p)
{
    return p->pulled < p->put;
}

size_t tdm_board_pipe_pull(struct tdm_board_pipe *p, uint8_t *room, size_t max)
{
    size_t filled = 0;

    while (filled < max && p->pulled < p->put) {
        size_t at = (size_t)(p->pulled % p->capacity), size = (size_t)(p->put - p->pulled);

        size = size < p->capacity - at ? size : p->capacity - at;
        size = size < max - filled ? size : max - filled;
        memcpy(room + filled, p->ring + at, size);
        filled += size;
        p->pulled += size;
    }
    return filled;
}

void tdm_board_pipe_acked(struct tdm_board_pipe *p, uint64_t offset)
{
    if (offset > p->acked && offset <= p->pulled)
        p->acked = offset;
}

void tdm_board_pipe_rewind(struct tdm_board_pipe *p, uint64_t offset)
{
    if (offset >= p->acked && offset <= p->put)
        p->pulled = offset;
}

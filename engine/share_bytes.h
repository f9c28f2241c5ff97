/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_BYTES_H
#define TDM_ENGINE_SHARE_BYTES_H

/* Bytes that wait between two threads, first in first out, in memory that grows up to a limit. Of
 * zeros: empty. Its owner locks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Fewer bytes that a thread took of a stream wait until it wakes the channel for something else:
 *  their credit is far from used up. */
#define TDM_SHARE_TELL_BYTES 16384

struct tdm_share_bytes {
    uint8_t *data;
    size_t at, end, room;
};

static inline size_t tdm_share_bytes_size(const struct tdm_share_bytes *b)
{
    return b->end - b->at;
}

/** Room for `size` more behind what is there; NULL when there is no memory. */
static inline uint8_t *tdm_share_bytes_reserve(struct tdm_share_bytes *b, size_t size)
{
    if (b->at == b->end)
        b->at = b->end = 0;
    if (b->room - b->end < size && b->at) {
        memmove(b->data, b->data + b->at, b->end - b->at);
        b->end -= b->at;
        b->at = 0;
    }
    if (b->room - b->end < size) {
        size_t room = 2 * (b->end + size);
        uint8_t *more = realloc(b->data, room);

        if (!more)
            return NULL;
        b->data = more;
        b->room = room;
    }
    return b->data + b->end;
}

/** False: there is no memory, and nothing was added. */
static inline bool tdm_share_bytes_put(struct tdm_share_bytes *b, const uint8_t *data, size_t size)
{
    uint8_t *room = tdm_share_bytes_reserve(b, size);

    if (!room)
        return false;
    memcpy(room, data, size);
    b->end += size;
    return true;
}

/** Moves up to `max` bytes out. @return how many. */
static inline size_t tdm_share_bytes_take(struct tdm_share_bytes *b, uint8_t *data, size_t max)
{
    size_t size = tdm_share_bytes_size(b) < max ? tdm_share_bytes_size(b) : max;

    if (size)
        memcpy(data, b->data + b->at, size);
    b->at += size;
    return size;
}

static inline void tdm_share_bytes_clear(struct tdm_share_bytes *b)
{
    b->at = b->end = 0;
}

static inline void tdm_share_bytes_swap(struct tdm_share_bytes *a, struct tdm_share_bytes *b)
{
    struct tdm_share_bytes c = *a;

    *a = *b;
    *b = c;
}

static inline void tdm_share_bytes_free(struct tdm_share_bytes *b)
{
    free(b->data);
    *b = (struct tdm_share_bytes){.data = NULL};
}

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_STROKE_H
#define TDM_COLLAB_BOARD_STROKE_H

/*
 * The points of a stroke: a log that its author alone appends to, kept as the bytes that the wire
 * carries, each point as what differs from the one before.
 *
 *   point  how (8): pressure + 7 in the low half, pace + 7 in the high half; 15: it follows,
 *          [pressure (8)], [dt v], dx s, dy s
 */

#include "collab/board_state.h"

#define BOARD_INK_CHUNK   496
#define BOARD_POINT_MAX   (1 + 1 + 3 + 5 + 5) /* Bytes of one. */
#define BOARD_INK_SUM     2166136261u         /* Of no bytes: FNV-1a. */
#define BOARD_POINT_START ((struct tdm_board_point){0, 0, 128, 8})

struct board_ink_chunk {
    struct board_ink_chunk *next;
    uint16_t size, count, room; /* Whole points. */
    uint8_t bytes[];
};

struct board_stroke {
    struct board_ink_chunk *first, *last;
    uint32_t count;
    uint32_t sum;     /* Over all bytes. */
    uint32_t ink_seq; /* The last operation that appended. */
    uint32_t seal_seq, seal_count, seal_sum;
    bool sealed, broken;
    struct tdm_board_point tail;
};

/** A place brought back into the board. */
static inline int32_t board_within(int64_t at)
{
    return (int32_t)(at < -TDM_BOARD_FAR  ? -TDM_BOARD_FAR
                     : at > TDM_BOARD_FAR ? TDM_BOARD_FAR
                                          : at);
}

/** The point behind `p`, from bytes: false when there is none. */
bool board_point_read(struct tdm_reader *r, struct tdm_board_point *p);
void board_point_write(struct tdm_writer *w, const struct tdm_board_point *from,
                       const struct tdm_board_point *to);

/** How many points the bytes are; 0: they are none. */
uint32_t board_ink_count(const uint8_t *data, size_t size);

/** Appends points of which the first has this number; those that are there already are stepped
 *  over. TDM_E_MALFORMED: there is a gap, it is sealed, or there are too many. There is room. */
enum tdm_err board_ink(struct tdm_board *b, struct tdm_board_object *o, uint32_t seq,
                       uint32_t first, const uint8_t *data, size_t size);
enum tdm_err board_seal(struct tdm_board *b, struct tdm_board_object *o, uint32_t seq,
                        uint32_t count, uint32_t sum);

/** What appending so many bytes may take. */
size_t board_ink_need(size_t size);

#endif

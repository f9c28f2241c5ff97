/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_BYTES_H
#define TDM_COLLAB_BOARD_BYTES_H

/*
 * Numbers of variable size in the bytes of a board: 7 bits a byte, the lowest first, the top bit
 * says that more follow; at most 10 bytes. Signed ones alternate: 0, -1, 1, -2, ...
 */

#include "engine/base/bytes.h"

#define TDM_BOARD_V_MAX 10

static inline void tdm_board_write_v(struct tdm_writer *w, uint64_t value)
{
    while (value >= 0x80) {
        tdm_write_u8(w, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    tdm_write_u8(w, (uint8_t)value);
}

static inline uint64_t tdm_board_read_v(struct tdm_reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && r->ok && r->at < r->end; shift += 7) {
        uint8_t byte = tdm_read_u8(r);

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    r->ok = false;
    return 0;
}

static inline void tdm_board_write_s(struct tdm_writer *w, int64_t value)
{
    tdm_board_write_v(w, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static inline int64_t tdm_board_read_s(struct tdm_reader *r)
{
    uint64_t value = tdm_board_read_v(r);

    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

#endif

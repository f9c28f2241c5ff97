/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_RED_H
#define TDM_WIRE_RED_H

/*
 * The payload of redundant audio (RFC 2198): copies of earlier frames in front of the newest one,
 * each with how much earlier it was. Pure; which frames are repeated is engine/core/red_plan.h's.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define TDM_RED_BLOCKS_MAX 8      /* Of one packet; further copies are passed over. */
#define TDM_RED_OFFSET_MAX 0x3fff /* RTP units. */
#define TDM_RED_COPY_MAX   0x3ff  /* Bytes of a copy. */

struct tdm_red_block {
    uint8_t payload_type;
    uint16_t offset; /* RTP units before the packet's time; 0 for the newest. */
    uint16_t size;
    const uint8_t *data; /* Borrowed from the payload. */
};

/** Of one packet, oldest copies as they stand, the newest frame last. */
struct tdm_red {
    uint8_t count;
    struct tdm_red_block blocks[TDM_RED_BLOCKS_MAX];
};

/** TDM_E_MALFORMED: the headers go past the end, or the copies do. `count` is at least 1. */
enum tdm_err tdm_red_parse(struct tdm_red *red, const uint8_t *data, size_t size);

/** Writes the blocks, the last one as the newest; `w->ok` says whether all fitted. An offset or a
 *  size that the headers cannot hold clears it. */
void tdm_red_write(struct tdm_writer *w, const struct tdm_red *red);

#endif

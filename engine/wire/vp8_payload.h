/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_VP8_PAYLOAD_H
#define TDM_WIRE_VP8_PAYLOAD_H

/* The VP8 RTP payload format (RFC 7741): descriptor, cutting and joining of frames. */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_vp8_descriptor {
    bool non_reference; /* N */
    bool start;         /* S and PID 0: first packet of a frame. */
    uint8_t partition;  /* PID */
    bool has_picture_id;
    uint16_t picture_id; /* 15 bits when `picture_id_wide`, else 7. */
    bool picture_id_wide;
    bool has_tl0;
    uint8_t tl0_pic_idx;
    bool has_tid;
    uint8_t tid;
    bool layer_sync; /* Y */
    bool has_key_idx;
    uint8_t key_idx;
    bool keyframe; /* From the payload header of a first packet: P bit clear (RFC 6386 9.1). */
    const uint8_t *data; /* What follows the descriptor; borrows. */
    size_t size;
};

/** TDM_E_MALFORMED when the descriptor is cut short or no data follow it. */
enum tdm_err tdm_vp8_parse(struct tdm_vp8_descriptor *d, const uint8_t *payload, size_t size);

/** Cuts a frame into payloads of at most `payload_max` bytes, nearly equal in size. Init once a
 *  frame, then next until TDM_E_AGAIN. */
struct tdm_vp8_packetizer {
    const uint8_t *data;
    size_t size, at, part_bytes;
    uint16_t picture_id;
};

void tdm_vp8_packetizer_init(struct tdm_vp8_packetizer *p, const uint8_t *frame, size_t size,
                             uint16_t picture_id, size_t payload_max);

/** Writes the next payload (descriptor with 15-bit picture id, then data) to `out`.
 *  @return TDM_OK with *out_size and *last; TDM_E_AGAIN when the frame is done; TDM_E_SPACE. */
enum tdm_err tdm_vp8_packetizer_next(struct tdm_vp8_packetizer *p, uint8_t *out, size_t capacity,
                                     size_t *out_size, bool *last);

#endif

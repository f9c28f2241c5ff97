/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_BYTE_STREAM_H
#define TDM_SIM_BYTE_STREAM_H

/*
 * One direction of a TCP connection over a bottleneck, in virtual time: bytes arrive in order and
 * exactly once, after a send buffer, a window that grows and halves, a queue and a delay; a lost
 * packet holds up all that comes after it for a round trip. It is a model for what stands on it: it
 * has no handshake, and its loss recovery is a guess at what a kernel does.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"

#include <stddef.h>

struct tdm_byte_stream_config {
    uint64_t rate_bps;    /* 0: no bottleneck. */
    uint32_t queue_bytes; /* Before the bottleneck. [256 KB] */
    tdm_time delay;       /* One way. */
    double loss;          /* Of packets. */
    uint64_t seed;
    uint32_t buffer_bytes; /* What a socket takes. [4 MiB] */
};

struct tdm_byte_stream;

struct tdm_byte_stream *tdm_byte_stream_create(const struct tdm_byte_stream_config *config);
void tdm_byte_stream_destroy(struct tdm_byte_stream *s);

/** What the socket takes while no more than `lowat_bytes` may wait in it unsent. */
size_t tdm_byte_stream_room(const struct tdm_byte_stream *s, size_t lowat_bytes);
/** size <= room with any lowat. */
void tdm_byte_stream_write(struct tdm_byte_stream *s, tdm_time now, const uint8_t *data,
                           size_t size);
/** Takes what has arrived by now, at most `size` bytes. */
size_t tdm_byte_stream_read(struct tdm_byte_stream *s, tdm_time now, uint8_t *data, size_t size);
/** When bytes arrive next, or the sender may go on. */
tdm_time tdm_byte_stream_next(const struct tdm_byte_stream *s);
/** Settings of the path may change under way. */
void tdm_byte_stream_set(struct tdm_byte_stream *s, uint64_t rate_bps, tdm_time delay, double loss);
/** Written and not read yet. */
size_t tdm_byte_stream_held(const struct tdm_byte_stream *s);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_RELIABLE_DATAGRAM_H
#define TDM_WIRE_RELIABLE_DATAGRAM_H

/*
 * One datagram of engine/core/reliable.h as bytes. Its own format, of this project;
 * docs/reliable.md has the picture.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define TDM_RELIABLE_HEAD_BYTES  34
#define TDM_RELIABLE_RANGE_BYTES 8
#define TDM_RELIABLE_RANGES_MAX  16
#define TDM_RELIABLE_OFFSET_MAX  ((1ULL << 48) - 1)

#define TDM_RELIABLE_OPEN  1u /* The opener has not heard anything yet. */
#define TDM_RELIABLE_PROBE 2u /* Please answer. */
#define TDM_RELIABLE_END   4u /* Closed by the sender. */
#define TDM_RELIABLE_ECHO  8u /* `echo_us` and `delay_us` mean something. */

/** Bytes that arrived beyond `acked`; begin counts from there. */
struct tdm_reliable_range {
    uint32_t begin, size;
};

struct tdm_reliable_head {
    uint8_t flags;
    uint32_t id;
    uint32_t time_us;  /* The sender's clock. */
    uint32_t echo_us;  /* `time_us` of the last datagram that came, */
    uint32_t delay_us; /* and how much later by the sender's clock it came: only changes count. */
    uint64_t offset;   /* Of the first byte of data in the stream. */
    uint64_t acked;    /* All before it has arrived. */
    uint32_t window;   /* Bytes beyond `acked` that there is room for. */
    uint8_t range_count;
    struct tdm_reliable_range ranges[TDM_RELIABLE_RANGES_MAX];
    const uint8_t *data; /* Borrowed. */
    size_t size;
};

enum tdm_err tdm_reliable_parse(struct tdm_reliable_head *head, const uint8_t *data, size_t size);

/** TDM_E_SPACE */
enum tdm_err tdm_reliable_put(const struct tdm_reliable_head *head, uint8_t *data, size_t *size);

#endif

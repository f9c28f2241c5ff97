/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_RECORD_RING_H
#define TDM_BASE_RECORD_RING_H

/*
 * Wait-free ring for one producer and one consumer thread, of records of any size up to a quarter
 * of the ring. Each record is contiguous and aligned to 64 bytes, and is filled and read in place.
 *
 *   | size, record | size, record | ... | skip to start |
 */

#include "engine/base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_RECORD_ALIGN 64u

struct tdm_record_ring {
    uint8_t *bytes;   /* `size` of them, aligned to TDM_RECORD_ALIGN; owned by the caller. */
    uint32_t size;    /* A power of two. */
    uint32_t pending; /* Producer: bytes of the reserved record with its head. */
    uint32_t taken;   /* Consumer: bytes of the peeked record with its head. */
    _Alignas(64) _Atomic uint32_t head;
    _Atomic uint32_t dropped;
    _Alignas(64) _Atomic uint32_t tail;
};

void tdm_record_ring_init(struct tdm_record_ring *r, void *bytes, uint32_t size);

/** Room for a record of `size` bytes, or NULL (counted) when there is none. Producer only. */
void *tdm_record_ring_reserve(struct tdm_record_ring *r, uint32_t size);
void tdm_record_ring_commit(struct tdm_record_ring *r);

/** The oldest record, valid until release, or NULL. Consumer only. */
void *tdm_record_ring_peek(struct tdm_record_ring *r, uint32_t *size);
void tdm_record_ring_release(struct tdm_record_ring *r);

#endif

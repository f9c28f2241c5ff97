/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_RING_H
#define TDM_BASE_RING_H

/*
 * Wait-free ring for one producer thread and one consumer thread, of fixed-size slots that are
 * filled and read in place. Full means the producer drops and counts; nobody ever waits here.
 * It does not wake the consumer: that is the driver's eventfd (engine/io/wake.h).
 *
 *     producer: slot = tdm_ring_reserve(r);  fill;  tdm_ring_commit(r);
 *     consumer: slot = tdm_ring_peek(r);     use;   tdm_ring_release(r);
 */

#include "engine/base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tdm_ring {
    uint8_t *slots; /* slot_count * slot_bytes, owned by the caller. */
    uint32_t slot_bytes;
    uint32_t slot_count;                /* A power of two. */
    _Alignas(64) _Atomic uint32_t head; /* Written by the producer: slots committed so far. */
    _Atomic uint32_t dropped;           /* Reserves that found the ring full. */
    _Alignas(64) _Atomic uint32_t tail; /* Written by the consumer: slots released so far. */
};

/** `storage` holds slot_count * slot_bytes and outlives the ring; slot_count is a power of two. */
static inline void tdm_ring_init(struct tdm_ring *r, void *storage, uint32_t slot_bytes,
                                 uint32_t slot_count)
{
    assert(slot_count && (slot_count & (slot_count - 1)) == 0);
    r->slots = storage;
    r->slot_bytes = slot_bytes;
    r->slot_count = slot_count;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    atomic_init(&r->dropped, 0);
}

static inline void *tdm_ring_slot(struct tdm_ring *r, uint32_t index)
{
    return r->slots + (size_t)(index & (r->slot_count - 1)) * r->slot_bytes;
}

/** The next free slot, or NULL (counted as a drop) when the ring is full. Producer only. */
static inline void *tdm_ring_reserve(struct tdm_ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

    if (head - tail == r->slot_count) {
        atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
        return NULL;
    }
    return tdm_ring_slot(r, head);
}

/** Publishes the slot that the last reserve gave. Producer only. */
static inline void tdm_ring_commit(struct tdm_ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

/** Copies one element in. TDM_E_SPACE when full. Producer only. */
static inline enum tdm_err tdm_ring_push(struct tdm_ring *r, const void *element)
{
    void *slot = tdm_ring_reserve(r);

    if (!slot)
        return TDM_E_SPACE;
    memcpy(slot, element, r->slot_bytes);
    tdm_ring_commit(r);
    return TDM_OK;
}

/** The oldest slot, valid until release, or NULL when empty. Consumer only. */
static inline void *tdm_ring_peek(struct tdm_ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);

    return head == tail ? NULL : tdm_ring_slot(r, tail);
}

/** Frees the slot that peek gave. Consumer only. */
static inline void tdm_ring_release(struct tdm_ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
}

/** Copies the oldest element out. TDM_E_AGAIN when empty. Consumer only. */
static inline enum tdm_err tdm_ring_pop(struct tdm_ring *r, void *element)
{
    const void *slot = tdm_ring_peek(r);

    if (!slot)
        return TDM_E_AGAIN;
    memcpy(element, slot, r->slot_bytes);
    tdm_ring_release(r);
    return TDM_OK;
}

/** Slots committed and not yet released; exact only on the producer's or consumer's thread. */
static inline uint32_t tdm_ring_count(const struct tdm_ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_acquire) -
           atomic_load_explicit(&r->tail, memory_order_acquire);
}

#endif

/* SPDX-License-Identifier: MIT */
#include "engine/base/record_ring.h"

#include <string.h>

#define HEAD_BYTES TDM_RECORD_ALIGN /* Keeps records aligned; holds their size. */
#define SKIP       UINT32_MAX /* In place of a size: the rest up to the ring's end is unused. */

void tdm_record_ring_init(struct tdm_record_ring *r, void *bytes, uint32_t size)
{
    assert(size && (size & (size - 1)) == 0);
    r->bytes = bytes;
    r->size = size;
    r->pending = r->taken = 0;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    atomic_init(&r->dropped, 0);
}

static uint32_t with_head(uint32_t size)
{
    return HEAD_BYTES + (size + TDM_RECORD_ALIGN - 1) / TDM_RECORD_ALIGN * TDM_RECORD_ALIGN;
}

static void put_size(struct tdm_record_ring *r, uint32_t at, uint32_t size)
{
    memcpy(r->bytes + (at & (r->size - 1)), &size, sizeof size);
}

void *tdm_record_ring_reserve(struct tdm_record_ring *r, uint32_t size)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    uint32_t to_end = r->size - (head & (r->size - 1));
    uint32_t need = size <= r->size / 4 ? with_head(size) : r->size;
    uint32_t skip = need > to_end ? to_end : 0;

    if (need > r->size / 2 || r->size - (head - tail) < need + skip) {
        atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
        return NULL;
    }
    if (skip) {
        put_size(r, head, SKIP);
        head += skip;
        atomic_store_explicit(&r->head, head, memory_order_release);
    }
    put_size(r, head, size);
    r->pending = need;
    return r->bytes + (head & (r->size - 1)) + HEAD_BYTES;
}

void tdm_record_ring_commit(struct tdm_record_ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    atomic_store_explicit(&r->head, head + r->pending, memory_order_release);
}

void *tdm_record_ring_peek(struct tdm_record_ring *r, uint32_t *size)
{
    for (;;) {
        uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
        uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
        uint32_t at = tail & (r->size - 1);

        if (head == tail)
            return NULL;
        memcpy(size, r->bytes + at, sizeof *size);
        if (*size != SKIP) {
            r->taken = with_head(*size);
            return r->bytes + at + HEAD_BYTES;
        }
        atomic_store_explicit(&r->tail, tail + (r->size - at), memory_order_release);
    }
}

void tdm_record_ring_release(struct tdm_record_ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    atomic_store_explicit(&r->tail, tail + r->taken, memory_order_release);
}

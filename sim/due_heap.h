/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_DUE_HEAP_H
#define TDM_SIM_DUE_HEAP_H

/*
 * What is due, the earliest first and of equals the one that was pushed first: a binary heap in the
 * caller's array, whose elements begin with a struct tdm_sim_due.
 */

#include "engine/base/time.h"

#include <stddef.h>
#include <stdint.h>

struct tdm_sim_due {
    tdm_time at;
    uint64_t order; /* Set by push. */
};

struct tdm_sim_due_heap {
    void *elements; /* Borrowed; the caller keeps within its room. */
    size_t size;    /* Of one. */
    uint32_t count;
    uint64_t pushed;
};

struct tdm_sim_due_heap tdm_sim_due_heap_of(void *elements, size_t size);

/** A copy of `element`, due at its `at`. */
void tdm_sim_due_heap_push(struct tdm_sim_due_heap *heap, const void *element);

/** Takes the earliest out; there must be one. */
void tdm_sim_due_heap_pop(struct tdm_sim_due_heap *heap, void *element);

/** When that is due; TDM_NEVER: there is none. */
tdm_time tdm_sim_due_heap_at(const struct tdm_sim_due_heap *heap);

#endif

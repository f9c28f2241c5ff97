/* SPDX-License-Identifier: MIT */
#include "sim/due_heap.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct tdm_sim_due_heap tdm_sim_due_heap_of(void *elements, size_t size)
{
    return (struct tdm_sim_due_heap){.elements = elements, .size = size};
}

static void *element_of(const struct tdm_sim_due_heap *heap, uint32_t i)
{
    return (char *)heap->elements + i * heap->size;
}

static bool before(const struct tdm_sim_due *a, const struct tdm_sim_due *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void tdm_sim_due_heap_push(struct tdm_sim_due_heap *heap, const void *element)
{
    const struct tdm_sim_due due = {.at = ((const struct tdm_sim_due *)element)->at,
                                    .order = heap->pushed++};
    uint32_t i = heap->count++;

    for (; i > 0 && before(&due, element_of(heap, (i - 1) / 2)); i = (i - 1) / 2)
        memcpy(element_of(heap, i), element_of(heap, (i - 1) / 2), heap->size);
    memcpy(element_of(heap, i), element, heap->size);
    memcpy(element_of(heap, i), &due, sizeof due);
}

void tdm_sim_due_heap_pop(struct tdm_sim_due_heap *heap, void *element)
{
    uint32_t i = 0;

    assert(heap->count > 0);
    memcpy(element, element_of(heap, 0), heap->size);
    const void *last = element_of(heap, --heap->count);

    for (uint32_t child = 1; child < heap->count; child = 2 * i + 1) {
        if (child + 1 < heap->count && before(element_of(heap, child + 1), element_of(heap, child)))
            child++;
        if (!before(element_of(heap, child), last))
            break;
        memcpy(element_of(heap, i), element_of(heap, child), heap->size);
        i = child;
    }
    if (i != heap->count)
        memcpy(element_of(heap, i), last, heap->size);
}

tdm_time tdm_sim_due_heap_at(const struct tdm_sim_due_heap *heap)
{
    return heap->count ? ((const struct tdm_sim_due *)heap->elements)->at : TDM_NEVER;
}

/* SPDX-License-Identifier: MIT */
#include "tests/oom/failing.h"

#include <stdatomic.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static _Atomic uint32_t counted, fails_at, fails_behind;

void failing_arm(uint32_t n, int all)
{
    atomic_store(&fails_at, 0);
    atomic_store(&counted, 0);
    atomic_store(&fails_behind, all ? UINT32_MAX : n);
    atomic_store(&fails_at, n);
}

uint32_t failing_count(void)
{
    return atomic_load(&counted);
}

static int fails(void)
{
    uint32_t n = atomic_fetch_add(&counted, 1) + 1;
    uint32_t from = atomic_load(&fails_at);

    return from && n >= from && n <= atomic_load(&fails_behind);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return fails() ? NULL : __real_realloc(at, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

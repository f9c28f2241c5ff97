/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program (LD_PRELOAD), counts the heap by the library that asked for it: the
 * direct caller of malloc and its like. At the end it writes one line of JSON for each library,
 * with the most bytes that it held at once, to the file named by HEAP_BY_LIBRARY.
 *
 * A block is recognised by a head of 32 bytes in front of it, so all of malloc's family is
 * replaced.
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LIBRARIES  128
#define BIGS       4096
#define BIG_BYTES  65536 /* Smaller blocks count as in memory. */
#define SURVEY_NS  500000000
#define HEAD_BYTES 32
#define MARK       0x7464686561704279u

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *memory);
extern void *__libc_memalign(size_t alignment, size_t size);

struct library {
    const void *base;
    const char *name;
    size_t held, most;
    size_t small; /* Held in small blocks. */
    size_t resident, most_resident;
    uint64_t blocks;
};

struct big {
    char *at; /* NULL: free entry. */
    size_t size;
    uint32_t library;
};

struct head {
    uint64_t mark;
    size_t size;
    void *raw;
    uint32_t library;
};

_Static_assert(sizeof(struct head) <= HEAD_BYTES, "the head fits in front of a block");

static struct library libraries[LIBRARIES];
static uint32_t library_count;
static struct big bigs[BIGS];
static int64_t surveyed_ns;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside; /* dladdr may allocate. */

static uint32_t library_of(const void *caller)
{
    Dl_info info;

    if (inside || !dladdr(caller, &info))
        return 0;
    for (uint32_t i = 0; i < library_count; i++)
        if (libraries[i].base == info.dli_fbase)
            return i;
    if (library_count == LIBRARIES)
        return 0;
    libraries[library_count] = (struct library){.base = info.dli_fbase, .name = info.dli_fname};
    return library_count++;
}

static size_t resident_bytes(const char *at, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)at / page * page;
    uintptr_t to = ((uintptr_t)at + size + page - 1) / page * page;
    size_t bytes = 0;
    unsigned char present[256];

    for (; from < to; from += sizeof present * page) {
        size_t span = to - from < sizeof present * page ? to - from : sizeof present * page;

        if (mincore((void *)from, span, present) != 0)
            continue;
        for (size_t i = 0; i < span / page; i++)
            bytes += present[i] & 1 ? page : 0;
    }
    return bytes < size ? bytes : size;
}

/* With the lock held. */
static void survey(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;

    if (now - surveyed_ns < SURVEY_NS)
        return;
    surveyed_ns = now;
    for (uint32_t i = 0; i < library_count; i++)
        libraries[i].resident = libraries[i].small;
    for (uint32_t i = 0; i < BIGS; i++)
        if (bigs[i].at)
            libraries[bigs[i].library].resident += resident_bytes(bigs[i].at, bigs[i].size);
    for (uint32_t i = 0; i < library_count; i++)
        if (libraries[i].resident > libraries[i].most_resident)
            libraries[i].most_resident = libraries[i].resident;
}

/* Enters or, with size 0, removes a big block; one that finds no entry counts as small. */
static bool note_big(char *at, size_t size, uint32_t library)
{
    for (uint32_t i = 0; i < BIGS; i++)
        if (bigs[i].at == (size ? NULL : at)) {
            bigs[i] = (struct big){size ? at : NULL, size, library};
            return true;
        }
    return false;
}

static void *take(size_t alignment, size_t size, const void *caller)
{
    size_t front = alignment > HEAD_BYTES ? alignment : HEAD_BYTES;
    char *raw = size > SIZE_MAX - front ? NULL
                : alignment > 16        ? __libc_memalign(alignment, size + front)
                                        : __libc_malloc(size + front);

    if (!raw) {
        errno = ENOMEM;
        return NULL;
    }
    struct head *head = (struct head *)(void *)(raw + front - HEAD_BYTES);

    *head = (struct head){.mark = MARK, .size = size, .raw = raw};
    (void)pthread_mutex_lock(&lock);
    head->library = library_of(caller);
    inside = true;
    struct library *l = &libraries[head->library];

    l->held += size;
    l->blocks++;
    if (l->held > l->most)
        l->most = l->held;
    if (size < BIG_BYTES || !note_big(raw + front, size, head->library))
        l->small += size;
    survey();
    inside = false;
    (void)pthread_mutex_unlock(&lock);
    return raw + front;
}

static struct head *head_of(void *memory)
{
    return (struct head *)(void *)((char *)memory - HEAD_BYTES);
}

void free(void *memory)
{
    if (!memory)
        return;
    struct head *head = head_of(memory);

    if (head->mark != MARK)
        abort(); /* Not one of ours: the counts would be worth nothing. */
    head->mark = 0;
    (void)pthread_mutex_lock(&lock);
    libraries[head->library].held -= head->size;
    if (head->size < BIG_BYTES || !note_big(memory, 0, 0))
        libraries[head->library].small -= head->size;
    (void)pthread_mutex_unlock(&lock);
    __libc_free(head->raw);
}

void *malloc(size_t size)
{
    return take(16, size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *memory = take(16, bytes, __builtin_return_address(0));

    return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *memory, size_t size)
{
    void *moved = take(16, size, __builtin_return_address(0));

    if (!moved || !memory)
        return moved;
    size_t old = head_of(memory)->size;

    memcpy(moved, memory, old < size ? old : size);
    free(memory);
    return moved;
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    return take(alignment, size, __builtin_return_address(0));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return take(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = take(alignment, size, __builtin_return_address(0));
    return *memory ? 0 : ENOMEM;
}

size_t malloc_usable_size(void *memory);
size_t malloc_usable_size(void *memory)
{
    return memory ? head_of(memory)->size : 0;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("HEAP_BY_LIBRARY");
    FILE *file = path ? fopen(path, "w") : NULL;

    for (uint32_t i = 0; file && i < library_count; i++)
        fprintf(file,
                "{\"library\": \"%s\", \"most_bytes\": %zu, \"resident_bytes\": %zu, "
                "\"blocks\": %llu}\n",
                libraries[i].name ? libraries[i].name : "?", libraries[i].most,
                libraries[i].most_resident, (unsigned long long)libraries[i].blocks);
    if (file)
        (void)fclose(file);
}

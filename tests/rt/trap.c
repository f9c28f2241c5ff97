/* SPDX-License-Identifier: MIT */
#include "tests/rt/trap.h"

#include "engine/base/rt.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACES      32
#define TRACE_DEPTH 12
#define EARLY_BYTES 16384 /* What dlsym itself takes while the trap looks for the real ones. */

static const char *const call_names[TRAP_CALLS] = {"malloc",        "calloc", "realloc", "free",
                                                   "aligned_alloc", "lock",   "wait"};

static struct {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *at, size_t size);
    void (*free)(void *at);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    int (*posix_memalign)(void **at, size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    int (*lock)(pthread_mutex_t *mutex);
    int (*try_lock)(pthread_mutex_t *mutex);
    int (*cond_wait)(pthread_cond_t *cond, pthread_mutex_t *mutex);
    int (*sem_wait)(sem_t *semaphore);
} real;

struct trace {
    enum trap_call call;
    int depth;
    void *frames[TRACE_DEPTH];
};

static _Atomic bool armed;
static _Atomic uint64_t ours[TRAP_CALLS], foreign[TRAP_CALLS];
static _Atomic uint32_t trace_count;
static struct trace traces[TRACES];
static _Thread_local bool inside; /* The trap's own calls do not count. */
static _Alignas(16) char early[EARLY_BYTES];
static size_t early_used;

/* Libraries' constructors allocate before ours runs, so whoever comes first looks. */
static void find_real(void)
{
    static bool looking;

    if (looking || real.calloc)
        return;
    looking = true;
    *(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&real.free = dlsym(RTLD_NEXT, "free");
    *(void **)&real.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    *(void **)&real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    *(void **)&real.memalign = dlsym(RTLD_NEXT, "memalign");
    *(void **)&real.lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    *(void **)&real.try_lock = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
    *(void **)&real.sem_wait = dlsym(RTLD_NEXT, "sem_wait");
    /* Without a version x86-64 gives that of 2003, which knows other conditions. */
    *(void **)&real.cond_wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
    if (!real.cond_wait)
        *(void **)&real.cond_wait = dlsym(RTLD_NEXT, "pthread_cond_wait");
    *(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
}

/* The first backtrace loads a library and allocates: it must not be one on a media thread. */
__attribute__((constructor)) static void prepare(void)
{
    void *frames[2];

    find_real();
    (void)backtrace(frames, 2);
}

static bool is_early(const void *at)
{
    return (const char *)at >= early && (const char *)at < early + sizeof early;
}

/* Before the real ones are known there is one thread. */
static void *early_alloc(size_t size)
{
    size_t at = (early_used + 15) & ~(size_t)15;

    if (at + size > sizeof early)
        abort();
    early_used = at + size;
    return early + at;
}

static void count(enum trap_call call)
{
    if (!tdm_rt_depth || inside || !atomic_load_explicit(&armed, memory_order_relaxed))
        return;
    inside = true;
    if (tdm_rt_depth > 1) {
        atomic_fetch_add(&foreign[call], 1);
    } else {
        uint32_t i = atomic_fetch_add(&trace_count, 1);

        atomic_fetch_add(&ours[call], 1);
        if (i < TRACES) {
            traces[i].call = call;
            traces[i].depth = backtrace(traces[i].frames, TRACE_DEPTH);
        }
    }
    inside = false;
}

void *malloc(size_t size)
{
    find_real();
    if (!real.malloc)
        return early_alloc(size);
    count(TRAP_MALLOC);
    return real.malloc(size);
}

void *calloc(size_t number, size_t size)
{
    find_real();
    if (!real.calloc)
        return early_alloc(number * size); /* Zero as it is static. */
    count(TRAP_CALLOC);
    return real.calloc(number, size);
}

void *realloc(void *at, size_t size)
{
    find_real();
    count(TRAP_REALLOC);
    if (!is_early(at) && real.realloc)
        return real.realloc(at, size);
    void *to = malloc(size);

    if (to && at)
        memcpy(to, at,
               size < (size_t)(early + sizeof early - (char *)at)
                   ? size
                   : (size_t)(early + sizeof early - (char *)at));
    return to;
}

void free(void *at)
{
    if (!at || is_early(at))
        return;
    count(TRAP_FREE);
    real.free(at);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    find_real();
    count(TRAP_ALIGNED);
    return real.aligned_alloc(alignment, size);
}

int posix_memalign(void **at, size_t alignment, size_t size)
{
    find_real();
    count(TRAP_ALIGNED);
    return real.posix_memalign(at, alignment, size);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    find_real();
    count(TRAP_LOCK);
    return real.lock(mutex);
}

void *memalign(size_t alignment, size_t size)
{
    find_real();
    count(TRAP_ALIGNED);
    return real.memalign(alignment, size);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    find_real();
    count(TRAP_LOCK);
    return real.try_lock(mutex);
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    find_real();
    count(TRAP_WAIT);
    return real.cond_wait(cond, mutex);
}

int sem_wait(sem_t *semaphore)
{
    find_real();
    count(TRAP_WAIT);
    return real.sem_wait(semaphore);
}

void trap_arm(bool on)
{
    atomic_store(&armed, on);
}

uint64_t trap_ours(enum trap_call call)
{
    return atomic_load(&ours[call]);
}

uint64_t trap_foreign(enum trap_call call)
{
    return atomic_load(&foreign[call]);
}

void trap_clear(void)
{
    for (int call = 0; call < TRAP_CALLS; call++) {
        atomic_store(&ours[call], 0);
        atomic_store(&foreign[call], 0);
    }
    atomic_store(&trace_count, 0);
}

void trap_print(const char *what)
{
    uint32_t kept = atomic_load(&trace_count);

    printf("  %s:", what);
    for (int call = 0; call < TRAP_CALLS; call++)
        printf(" %s %llu+%llu", call_names[call],
               (unsigned long long)trap_ours((enum trap_call)call),
               (unsigned long long)trap_foreign((enum trap_call)call));
    printf(" (ours+libraries')\n");
    for (uint32_t i = 0; i < kept && i < TRACES; i++) {
        printf("  %s on a media thread, called from:\n", call_names[traces[i].call]);
        (void)fflush(stdout);
        backtrace_symbols_fd(traces[i].frames + 1, traces[i].depth - 1, STDOUT_FILENO);
    }
    (void)fflush(stdout);
}

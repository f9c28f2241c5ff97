/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RT_TRAP_H
#define TESTS_RT_TRAP_H

/*
 * The trap: this program's malloc, calloc, realloc, free, aligned_alloc, posix_memalign, memalign,
 * pthread_mutex_lock, pthread_mutex_trylock, pthread_cond_wait and sem_wait are the trap's, which
 * pass the call on and count it when a media thread makes it (engine/base/rt.h). Depth 1 is our own
 * code, where there must be none; depth 2 and more is a call into a library, which is allowed and
 * reported.
 */

#include <stdbool.h>
#include <stdint.h>

enum trap_call {
    TRAP_MALLOC,
    TRAP_CALLOC,
    TRAP_REALLOC,
    TRAP_FREE,
    TRAP_ALIGNED,
    TRAP_LOCK, /* Tried ones, too. */
    TRAP_WAIT, /* On a condition or a semaphore. */
    TRAP_CALLS,
};

/** From now on, or no longer, calls are counted. */
void trap_arm(bool on);

/** How often our own code, or a library that it called, made such a call on a media thread. */
uint64_t trap_ours(enum trap_call call);
uint64_t trap_foreign(enum trap_call call);
void trap_clear(void);

/** Prints the counts and where the first of ours came from. Not on a media thread. */
void trap_print(const char *what);

#endif

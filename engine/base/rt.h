/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_RT_H
#define TDM_BASE_RT_H

/*
 * Marks the current thread as a real-time media thread, where nothing may allocate, lock or print.
 * The marks cost one thread-local store; the trap that enforces them lives in tests/rt and
 * interposes malloc, free and pthread_mutex_lock.
 *
 * A codec or device library allocates and locks inside its own calls, which we cannot change: such
 * a call is bracketed with tdm_rt_foreign_enter and tdm_rt_foreign_leave, and the trap counts what
 * happens there separately.
 */

/** 0 outside media threads, 1 on them, 2 and more inside a foreign library call. */
extern _Thread_local int tdm_rt_depth;

static inline void tdm_rt_enter(void)
{
    tdm_rt_depth = 1;
}

static inline void tdm_rt_leave(void)
{
    tdm_rt_depth = 0;
}

static inline void tdm_rt_foreign_enter(void)
{
    if (tdm_rt_depth)
        tdm_rt_depth++;
}

static inline void tdm_rt_foreign_leave(void)
{
    if (tdm_rt_depth > 1)
        tdm_rt_depth--;
}

#endif

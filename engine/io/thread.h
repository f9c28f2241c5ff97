/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_THREAD_H
#define TDM_IO_THREAD_H

/* Threads: a name, and a real-time priority where the system allows one. */

#include "engine/base/err.h"

#include <pthread.h>
#include <stdbool.h>

enum tdm_priority {
    TDM_PRIORITY_NORMAL,
    TDM_PRIORITY_MEDIA,  /* SCHED_FIFO 10: capture and encode. */
    TDM_PRIORITY_DECODE, /* SCHED_FIFO 15: decode and show; short, and somebody waits for it. */
    TDM_PRIORITY_NET,    /* SCHED_FIFO 20: the net thread. */
    TDM_PRIORITY_AUDIO,  /* SCHED_FIFO 30: audio. */
};

/** Starts a thread with small stack; TDM_E_SYSTEM with a cause when there can be none. Falls back
 *  to normal priority when real time is not allowed: `*real_time` (may be NULL) says which. */
enum tdm_err tdm_thread_start(pthread_t *thread, const char *name, enum tdm_priority priority,
                              void *(*run)(void *), void *arg, bool *real_time,
                              struct tdm_cause *cause);

#endif

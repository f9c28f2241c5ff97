/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_WORKER_H
#define TDM_ENGINE_WORKER_H

/*
 * A media thread that works for the control thread: started and stopped by it any number of times,
 * woken by an eventfd that its blocking calls watch, and able to say something in words without
 * waiting. Owned by the control thread, but for tdm_worker_tell.
 */

#include "engine/base/ring.h"
#include "engine/io/thread.h"

#define TDM_WORKER_NOTICES 4

struct tdm_worker {
    pthread_t thread;
    bool running;
    int wake;         /* Readable: leave `run`. */
    int control_wake; /* Signalled when a notice waits. */
    struct tdm_ring notices;
    struct tdm_cause notice_slots[TDM_WORKER_NOTICES];
};

/** Before anything else; TDM_E_SYSTEM with a cause. */
enum tdm_err tdm_worker_open(struct tdm_worker *w, int control_wake, struct tdm_cause *cause);

/** Stops, and gives the eventfd back. A worker of zeros may be closed. */
void tdm_worker_close(struct tdm_worker *w);

/** Starts the thread; `run` returns once `wake` is readable. */
enum tdm_err tdm_worker_start(struct tdm_worker *w, const char *name, enum tdm_priority priority,
                              void *(*run)(void *), void *arg, struct tdm_cause *cause);

/** Wakes the thread and waits for its end; nothing when it does not run. */
void tdm_worker_stop(struct tdm_worker *w);

/** Says why something is not as it was; the thread itself, never waits. */
void tdm_worker_tell(struct tdm_worker *w, const struct tdm_cause *notice);

/** The oldest notice; false when there is none. */
bool tdm_worker_notice(struct tdm_worker *w, struct tdm_cause *notice);

#endif

/* SPDX-License-Identifier: MIT */
#include "engine/worker.h"

#include "engine/io/wake.h"

#include <unistd.h>

enum tdm_err tdm_worker_open(struct tdm_worker *w, int control_wake, struct tdm_cause *cause)
{
    w->control_wake = control_wake;
    tdm_ring_init(&w->notices, w->notice_slots, sizeof *w->notice_slots, TDM_WORKER_NOTICES);
    w->wake = tdm_wake_open(cause);
    return w->wake < 0 ? TDM_E_SYSTEM : TDM_OK;
}

void tdm_worker_close(struct tdm_worker *w)
{
    tdm_worker_stop(w);
    if (w->wake > 0)
        (void)close(w->wake);
    w->wake = 0;
}

enum tdm_err tdm_worker_start(struct tdm_worker *w, const char *name, enum tdm_priority priority,
                              void *(*run)(void *), void *arg, struct tdm_cause *cause)
{
    tdm_wake_clear(w->wake);
    enum tdm_err err = tdm_thread_start(&w->thread, name, priority, run, arg, NULL, cause);

    w->running = err == TDM_OK;
    return err;
}

void tdm_worker_stop(struct tdm_worker *w)
{
    if (!w->running)
        return;
    tdm_wake_signal(w->wake);
    (void)pthread_join(w->thread, NULL);
    w->running = false;
}

void tdm_worker_tell(struct tdm_worker *w, const struct tdm_cause *notice)
{
    (void)tdm_ring_push(&w->notices, notice);
    tdm_wake_signal(w->control_wake);
}

bool tdm_worker_notice(struct tdm_worker *w, struct tdm_cause *notice)
{
    return tdm_ring_pop(&w->notices, notice) == TDM_OK;
}

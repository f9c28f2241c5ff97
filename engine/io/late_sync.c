/* SPDX-License-Identifier: MIT */
#include "engine/io/late_sync.h"

#include "engine/base/time.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define LATE (TDM_S / 2)

struct tdm_late_sync {
    pthread_t thread;
    int wake;
    pthread_mutex_t lock; /* Of `fd`: held while it is being synced. */
    int fd;
    atomic_bool dirty, stop;
    atomic_int error;
};

static void *run(void *arg)
{
    struct tdm_late_sync *s = arg;

    while (!atomic_load(&s->stop)) {
        (void)tdm_wait_until(TDM_NEVER, s->wake, -1);
        tdm_wake_clear(s->wake);
        if (!atomic_load(&s->dirty))
            continue;
        /* Only the first byte and the end wake it, so what comes meanwhile goes along. */
        (void)tdm_wait_until(tdm_clock_now() + LATE, s->wake, -1);
        atomic_store(&s->dirty, false);
        (void)pthread_mutex_lock(&s->lock);
        if (!atomic_load(&s->stop) && fdatasync(s->fd) != 0) {
            int none = 0;

            (void)atomic_compare_exchange_strong(&s->error, &none, errno);
        }
        (void)pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

enum tdm_err tdm_late_sync_start(struct tdm_late_sync **sync, int fd, struct tdm_cause *cause)
{
    struct tdm_late_sync *s = calloc(1, sizeof *s);
    enum tdm_err err;

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a thread");
    s->fd = fd;
    s->wake = tdm_wake_open(cause);
    if (s->wake < 0) {
        free(s);
        return TDM_E_SYSTEM;
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    err = tdm_thread_start(&s->thread, "late-sync", TDM_PRIORITY_NORMAL, run, s, NULL, cause);
    if (err != TDM_OK) {
        (void)pthread_mutex_destroy(&s->lock);
        (void)close(s->wake);
        free(s);
        return err;
    }
    *sync = s;
    return TDM_OK;
}

void tdm_late_sync_stop(struct tdm_late_sync *s)
{
    if (!s)
        return;
    atomic_store(&s->stop, true);
    tdm_wake_signal(s->wake);
    (void)pthread_join(s->thread, NULL);
    (void)pthread_mutex_destroy(&s->lock);
    (void)close(s->wake);
    free(s);
}

void tdm_late_sync_dirty(struct tdm_late_sync *s)
{
    if (!atomic_exchange(&s->dirty, true))
        tdm_wake_signal(s->wake);
}

void tdm_late_sync_switch(struct tdm_late_sync *s, int fd)
{
    (void)pthread_mutex_lock(&s->lock);
    s->fd = fd;
    atomic_store(&s->error, 0);
    (void)pthread_mutex_unlock(&s->lock);
}

int tdm_late_sync_error(const struct tdm_late_sync *s)
{
    return atomic_load(&s->error);
}

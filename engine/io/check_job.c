/* SPDX-License-Identifier: MIT */
#include "engine/io/check_job.h"

#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shared by its owner and its thread; who leaves last frees it. */
struct tdm_check_job {
    atomic_int holders;
    atomic_bool done;
    int wake_fd; /* A copy of its owner's, which may be gone when this ends. */
    uint8_t ours[32], theirs[32];
    char text[TDM_CHECK_WORDS_TEXT];
};

static void drop(struct tdm_check_job *job)
{
    if (job->wake_fd >= 0)
        (void)close(job->wake_fd);
    free(job);
}

static void leave(struct tdm_check_job *job)
{
    if (atomic_fetch_sub(&job->holders, 1) == 1)
        drop(job);
}

static void *run(void *arg)
{
    struct tdm_check_job *job = arg;

    tdm_check_words(job->ours, job->theirs, job->text);
    atomic_store(&job->done, true);
    if (job->wake_fd >= 0)
        tdm_wake_signal(job->wake_fd);
    leave(job);
    return NULL;
}

enum tdm_err tdm_check_job_start(struct tdm_check_job **out, const uint8_t ours[32],
                                 const uint8_t theirs[32], int wake_fd, struct tdm_cause *cause)
{
    struct tdm_check_job *job = calloc(1, sizeof *job);
    pthread_t thread;

    if (!job)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for a call");
    atomic_init(&job->holders, 2);
    job->wake_fd = wake_fd >= 0 ? fcntl(wake_fd, F_DUPFD_CLOEXEC, 0) : -1;
    memcpy(job->ours, ours, sizeof job->ours);
    memcpy(job->theirs, theirs, sizeof job->theirs);
    enum tdm_err err =
        tdm_thread_start(&thread, "check-words", TDM_PRIORITY_NORMAL, run, job, NULL, cause);

    if (err != TDM_OK) {
        drop(job);
        return err;
    }
    (void)pthread_detach(thread);
    *out = job;
    return TDM_OK;
}

enum tdm_err tdm_check_job_take(const struct tdm_check_job *job, char text[TDM_CHECK_WORDS_TEXT])
{
    if (!atomic_load(&job->done))
        return TDM_E_AGAIN;
    memcpy(text, job->text, TDM_CHECK_WORDS_TEXT);
    return TDM_OK;
}

void tdm_check_job_free(struct tdm_check_job *job)
{
    if (job)
        leave(job);
}

/* SPDX-License-Identifier: MIT */
#include "engine/io/thread.h"

#include <signal.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__
#define TDM_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TDM_THREAD_SANITIZER
#endif
#endif

#ifdef TDM_THREAD_SANITIZER
#define STACK_BYTES (8u << 20) /* The sanitizer's own state is in there, too. */
#else
#define STACK_BYTES (1u << 20)
#endif

static const int fifo_level[] = {
    [TDM_PRIORITY_NORMAL] = 0, [TDM_PRIORITY_MEDIA] = 10, [TDM_PRIORITY_DECODE] = 15,
    [TDM_PRIORITY_NET] = 20,   [TDM_PRIORITY_AUDIO] = 30,
};

/* A program's signals are for its own threads; what a fault raises stays where it is. */
static void take_no_signals(sigset_t *before)
{
    static const int of_a_fault[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t set;

    (void)sigfillset(&set);
    for (size_t i = 0; i < sizeof of_a_fault / sizeof of_a_fault[0]; i++)
        (void)sigdelset(&set, of_a_fault[i]);
    (void)sigdelset(&set, SIGPROF); /* A profiler's, which wants every thread. */
    (void)pthread_sigmask(SIG_BLOCK, &set, before);
}

static int create_at(pthread_t *thread, int level, void *(*run)(void *), void *arg)
{
    struct sched_param param = {.sched_priority = level};
    pthread_attr_t attr;
    int failed = pthread_attr_init(&attr);

    if (failed)
        return failed;
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    if (level) {
        (void)pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
        (void)pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
        (void)pthread_attr_setschedparam(&attr, &param);
    }
    failed = pthread_create(thread, &attr, run, arg);
    (void)pthread_attr_destroy(&attr);
    return failed;
}

enum tdm_err tdm_thread_start(pthread_t *thread, const char *name, enum tdm_priority priority,
                              void *(*run)(void *), void *arg, bool *real_time,
                              struct tdm_cause *cause)
{
    int level = fifo_level[priority];
    sigset_t before;

    take_no_signals(&before);
    int failed = create_at(thread, level, run, arg);

    if (failed && level) {
        level = 0;
        failed = create_at(thread, level, run, arg);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return tdm_fail(cause, TDM_E_SYSTEM,
                        "cannot start thread \"%s\": too many threads (error %d)", name, failed);
    if (real_time)
        *real_time = level > 0;
    (void)pthread_setname_np(*thread, name);
    return TDM_OK;
}

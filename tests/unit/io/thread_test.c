/* SPDX-License-Identifier: MIT */
#include "engine/io/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

struct seen {
    char name[16];
    int policy, level;
};

static void *look(void *arg)
{
    struct seen *seen = arg;
    struct sched_param param;

    (void)pthread_getschedparam(pthread_self(), &seen->policy, &param);
    seen->level = param.sched_priority;
    return arg;
}

static void *wait_for_name(void *arg)
{
    struct seen *seen = arg;

    /* The starter names us; until then the name is the program's. */
    for (int i = 0; i < 1000000 && strcmp(seen->name, "tdm-test") != 0; i++) {
        (void)pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
        (void)sched_yield();
    }
    return arg;
}

/* Real time where it is allowed, and the truth about it where it is not. */
static void test_priorities(void **state)
{
    static const struct {
        enum tdm_priority priority;
        int level;
    } rows[] = {{TDM_PRIORITY_NORMAL, 0},
                {TDM_PRIORITY_MEDIA, 10},
                {TDM_PRIORITY_NET, 20},
                {TDM_PRIORITY_AUDIO, 30}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {.level = -1};
        struct tdm_cause cause;
        pthread_t thread;
        bool real_time = true;
        void *result;

        assert_true(tdm_thread_start(&thread, "tdm-test", rows[i].priority, look, &seen, &real_time,
                                     &cause) == TDM_OK);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_ptr_equal(result, &seen);
        assert_int_equal(seen.level, real_time ? rows[i].level : 0);
        assert_true((seen.policy == SCHED_FIFO) == real_time);
        assert_true(rows[i].level > 0 || !real_time);
    }
}

static void test_name(void **state)
{
    struct seen seen = {0};
    struct tdm_cause cause;
    pthread_t thread;

    (void)state;
    assert_true(tdm_thread_start(&thread, "tdm-test", TDM_PRIORITY_NORMAL, wait_for_name, &seen,
                                 NULL, &cause) == TDM_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(seen.name, "tdm-test");
}

static void *look_at_mask(void *arg)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, arg);
    return arg;
}

/* A program's signals go to the program's threads, whose own mask stays as it was. */
static void test_signals(void **state)
{
    struct tdm_cause cause;
    sigset_t before, after, inside;
    pthread_t thread;

    (void)state;
    (void)sigemptyset(&inside);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    assert_true(tdm_thread_start(&thread, "tdm-test", TDM_PRIORITY_NET, look_at_mask, &inside, NULL,
                                 &cause) == TDM_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int i = 0; i < 4; i++) {
        int number = (int[]){SIGINT, SIGTERM, SIGHUP, SIGCHLD}[i];

        assert_int_equal(sigismember(&inside, number), 1);
        assert_int_equal(sigismember(&after, number), sigismember(&before, number));
    }
    assert_int_equal(sigismember(&inside, SIGSEGV), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/worker.h"

#include "engine/io/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct job {
    struct tdm_worker worker;
    _Atomic int runs;
};

/* Works until it is woken, and says so. */
static void *run(void *arg)
{
    struct job *job = arg;
    struct tdm_cause notice;

    job->runs++;
    (void)tdm_wait_until(TDM_NEVER, job->worker.wake, -1);
    (void)snprintf(notice.text, sizeof notice.text, "run %d is over", job->runs);
    tdm_worker_tell(&job->worker, &notice);
    return NULL;
}

static void test_starts_and_stops_any_number_of_times(void **state)
{
    struct job job = {0};
    struct tdm_cause notice;
    int control = tdm_wake_open(NULL);

    (void)state;
    assert_int_equal(tdm_worker_open(&job.worker, control, NULL), TDM_OK);
    for (int i = 1; i <= 3; i++) {
        char text[32];

        (void)snprintf(text, sizeof text, "run %d is over", i);
        assert_int_equal(tdm_worker_start(&job.worker, "job", TDM_PRIORITY_NORMAL, run, &job, NULL),
                         TDM_OK);
        tdm_worker_stop(&job.worker);
        assert_int_equal(job.runs, i);
        assert_int_equal(tdm_wait_until(0, control, -1), TDM_WAIT_WAKE);
        tdm_wake_clear(control);
        assert_true(tdm_worker_notice(&job.worker, &notice));
        assert_string_equal(notice.text, text);
        assert_false(tdm_worker_notice(&job.worker, &notice));
    }
    tdm_worker_stop(&job.worker); /* Does nothing to one that does not run. */
    tdm_worker_close(&job.worker);
    (void)close(control);
}

static void test_more_notices_than_room_are_dropped(void **state)
{
    struct job job = {0};
    struct tdm_cause notice = {"again"};
    int count = 0;
    int control = tdm_wake_open(NULL);

    (void)state;
    assert_int_equal(tdm_worker_open(&job.worker, control, NULL), TDM_OK);
    for (int i = 0; i < 3 * TDM_WORKER_NOTICES; i++)
        tdm_worker_tell(&job.worker, &notice);
    while (tdm_worker_notice(&job.worker, &notice))
        count++;
    assert_int_equal(count, TDM_WORKER_NOTICES);
    tdm_worker_close(&job.worker);
    (void)close(control);
}

static void test_one_of_zeros_may_be_closed(void **state)
{
    struct tdm_worker worker = {0};

    (void)state;
    tdm_worker_close(&worker);
    assert_int_equal(worker.wake, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_and_stops_any_number_of_times),
        cmocka_unit_test(test_more_notices_than_room_are_dropped),
        cmocka_unit_test(test_one_of_zeros_may_be_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

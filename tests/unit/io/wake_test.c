/* SPDX-License-Identifier: MIT */
#include "engine/io/wake.h"

#include "engine/io/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

static void test_signals(void **state)
{
    struct tdm_cause cause;
    int wake = tdm_wake_open(&cause);
    int device = tdm_wake_open(&cause);
    tdm_time far = tdm_clock_now() + 60 * TDM_S;

    (void)state;
    assert_true(wake >= 0 && device >= 0);
    tdm_wake_clear(wake); /* Nothing to clear: it does not block. */
    assert_true(tdm_wait_until(0, wake, device) == TDM_WAIT_TIME);
    tdm_wake_signal(wake);
    tdm_wake_signal(wake);
    assert_true(tdm_wait_until(far, wake, device) == TDM_WAIT_WAKE);
    assert_true(tdm_wait_until(0, wake, device) == TDM_WAIT_WAKE); /* Wins over a passed time. */
    assert_true(tdm_wait_until(TDM_NEVER, wake, -1) == TDM_WAIT_WAKE);
    tdm_wake_signal(device);
    assert_true(tdm_wait_until(far, wake, device) == TDM_WAIT_WAKE); /* And over the device. */
    tdm_wake_clear(wake);
    assert_true(tdm_wait_until(far, wake, device) == TDM_WAIT_DEVICE);
    assert_true(tdm_wait_until(TDM_NEVER, -1, device) == TDM_WAIT_DEVICE);
    tdm_wake_clear(device);
    assert_true(tdm_wait_until(tdm_clock_now(), wake, device) == TDM_WAIT_TIME);
    assert_int_equal(close(wake), 0);
    assert_int_equal(close(device), 0);
}

static void test_waits_no_less(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        tdm_time deadline = tdm_clock_now() + TDM_MS + i * 77 * TDM_US;

        assert_true(tdm_wait_until(deadline, -1, -1) == TDM_WAIT_TIME);
        assert_true(tdm_clock_now() >= deadline);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_waits_no_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

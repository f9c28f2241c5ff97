/* SPDX-License-Identifier: MIT */
#include "sim/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void goes_to_the_earliest_and_breaks_ties_by_number(void **state)
{
    struct tdm_sim_scheduler s;
    static const uint32_t expected[] = {2, 0, 1, 3};
    uint32_t source = 99;

    (void)state;
    tdm_sim_scheduler_init(&s, 10, 4);
    tdm_sim_scheduler_set(&s, 3, 40);
    tdm_sim_scheduler_set(&s, 1, 30);
    tdm_sim_scheduler_set(&s, 0, 30);
    tdm_sim_scheduler_set(&s, 2, 20);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(tdm_sim_scheduler_next(&s, 100, &source));
        assert_int_equal(source, expected[i]);
    }
    assert_int_equal(s.now, 40);
    assert_false(tdm_sim_scheduler_next(&s, 100, &source));
    assert_int_equal(s.now, 100);
    assert_int_equal(s.steps, 4);
    assert_int_equal(s.instant_steps_max, 2);
}

static void the_end_is_not_included(void **state)
{
    struct tdm_sim_scheduler s;
    uint32_t source;

    (void)state;
    tdm_sim_scheduler_init(&s, 0, 1);
    tdm_sim_scheduler_set(&s, 0, 5);
    assert_false(tdm_sim_scheduler_next(&s, 5, &source));
    assert_true(tdm_sim_scheduler_next(&s, 6, &source));
}

static void a_wake_in_the_past_is_counted_and_comes_now(void **state)
{
    struct tdm_sim_scheduler s;
    uint32_t source;

    (void)state;
    tdm_sim_scheduler_init(&s, 50, 2);
    tdm_sim_scheduler_set(&s, 1, 49);
    assert_int_equal(s.past_wakes, 1);
    assert_int_equal(s.last_past_wake, 1);
    assert_true(tdm_sim_scheduler_next(&s, 60, &source));
    assert_int_equal(s.now, 50);
}

static void a_busy_loop_shows(void **state)
{
    struct tdm_sim_scheduler s;
    uint32_t source;

    (void)state;
    tdm_sim_scheduler_init(&s, 0, 1);
    for (int i = 0; i < 1000; i++) {
        tdm_sim_scheduler_set(&s, 0, s.now);
        assert_true(tdm_sim_scheduler_next(&s, TDM_S, &source));
    }
    assert_int_equal(s.instant_steps_max, 1000);
    assert_int_equal(s.second_steps_max, 1000);
    tdm_sim_scheduler_set(&s, 0, 2 * TDM_S);
    assert_true(tdm_sim_scheduler_next(&s, 3 * TDM_S, &source));
    assert_int_equal(s.second_steps, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_to_the_earliest_and_breaks_ties_by_number),
        cmocka_unit_test(the_end_is_not_included),
        cmocka_unit_test(a_wake_in_the_past_is_counted_and_comes_now),
        cmocka_unit_test(a_busy_loop_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

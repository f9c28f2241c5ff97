/* SPDX-License-Identifier: MIT */
#include "engine/core/repeat_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tdm_repeat_plan plan_of(double loss, double burst, tdm_time rtt, tdm_time left)
{
    const struct tdm_repair_path path = {
        .loss = loss, .burst = burst, .burst_time = 10 * TDM_MS, .rtt = rtt};
    struct tdm_repeat_plan plan;

    tdm_repeat_plan_make(&plan, &path, left);
    assert_true(plan.times >= 1 && plan.times <= TDM_REPEAT_MOST && plan.gap >= 0);
    return plan;
}

static void test_times(void **state)
{
    static const struct {
        double loss;
        int rtt_ms, left_ms, times;
    } rows[] = {
        {0, 100, 10, 1},     {0.004, 100, 10, 1}, /* Hardly ever lost. */
        {0.05, 50, 130, 1},                       /* Two more tries come in time. */
        {0.05, 100, 80, 2},                       /* None does. */
        {0.05, 100, 130, 1}, {0.1, 100, 80, 3},   {0.1, 100, 130, 2},
        {0.3, 100, 80, 4},   {0.9, 100, 80, 4},   {0.05, 200, -50, 2}, /* Late: each trip shows. */
        {0.05, 0, 80, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int times =
            plan_of(rows[i].loss, 1, rows[i].rtt_ms * TDM_MS, rows[i].left_ms * TDM_MS).times;

        if (times != rows[i].times)
            fail_msg("row %zu: %d", i, times);
    }
}

/* One burst must not take all; but what leaves too late is of no use. */
static void test_apart(void **state)
{
    (void)state;
    assert_int_equal(plan_of(0.05, 1, 100 * TDM_MS, 80 * TDM_MS).gap, 0);
    assert_int_equal(plan_of(0.05, 6, 100 * TDM_MS, 80 * TDM_MS).gap, 20 * TDM_MS);
    assert_int_equal(plan_of(0.05, 6, 100 * TDM_MS, 8 * TDM_MS).gap, 8 * TDM_MS);
    assert_int_equal(plan_of(0.05, 6, 200 * TDM_MS, -8 * TDM_MS).gap, 20 * TDM_MS);
}

static void test_budget(void **state)
{
    struct tdm_repeat_budget budget = {0};
    struct tdm_repeat_plan plan = {.times = 3};

    (void)state;
    tdm_repeat_budget_spend(&budget, &plan);
    assert_int_equal(plan.times, 1);
    for (int i = 0; i < 15; i++)
        tdm_repeat_budget_sent(&budget);
    plan.times = 3;
    tdm_repeat_budget_spend(&budget, &plan);
    assert_int_equal(plan.times, 2);
    for (int i = 0; i < 100000; i++)
        tdm_repeat_budget_sent(&budget);
    int extra = 0;

    for (int i = 0; i < 100; i++) {
        plan.times = 4;
        tdm_repeat_budget_spend(&budget, &plan);
        extra += plan.times - 1;
    }
    assert_in_range(extra, 60, 65);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

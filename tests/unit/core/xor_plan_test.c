/* SPDX-License-Identifier: MIT */
#include "engine/core/xor_plan.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct tdm_repair_means usual = {
    .ask = true,
    .interval = 33 * TDM_MS,
    .patience = 150 * TDM_MS,
    .packets = 6,
    .most = 0.4,
    .stalls = 0.001,
    .late = 0.04,
};

static struct tdm_xor_plan plan_of(double loss, double burst, tdm_time rtt, double most)
{
    const struct tdm_repair_path path = {.loss = loss, .burst = burst, .rtt = rtt};
    struct tdm_repair_means means = usual;
    struct tdm_xor_plan plan;

    means.most = most;
    tdm_xor_plan_make(&plan, &path, &means);
    assert_true(plan.cost <= most || plan.part == 0);
    return plan;
}

static void test_nothing_lost_nothing_sent(void **state)
{
    (void)state;
    assert_true(plan_of(0, 1, 200 * TDM_MS, 0.4).part == 0);
}

/* A request is the cheapest where it comes back at once. */
static void test_near_asks(void **state)
{
    (void)state;
    assert_true(plan_of(0.002, 1, 20 * TDM_MS, 0.4).part == 0);
    assert_true(plan_of(0.002, 1, 200 * TDM_MS, 0.4).part > 0);
}

static void test_more_loss_more_repairs(void **state)
{
    double before = 0;

    (void)state;
    for (double loss = 0.001; loss < 0.1; loss *= 1.5) {
        double part = plan_of(loss, 1, 200 * TDM_MS, 0.6).part;

        assert_true(part >= before);
        before = part;
    }
    assert_true(before > 0.3);
    assert_true(plan_of(0.1, 1, 200 * TDM_MS, 0.25).part <= 0.25);
}

/* The estimate is what blocks drawn at random lose: within a third, where it is not all but none.
 */
static void test_estimate_is_what_happens(void **state)
{
    struct tdm_rng rng = tdm_rng_of(5);
    int broken = 0;
    const int blocks = 40000, packets = 6, repairs = 2;
    const double loss = 0.05;

    (void)state;
    for (int i = 0; i < blocks; i++) {
        int lost[2] = {0, 0};

        for (int k = 0; k < packets + repairs; k++)
            lost[k % repairs] += tdm_rng_chance(&rng, loss);
        broken += lost[0] > 1 || lost[1] > 1;
    }
    /* 7 % of the time asked for: the stalls of each broken block are of (200 + 17) / 33 + 1. */
    const struct tdm_repair_path path = {.loss = loss, .burst = 1, .rtt = 200 * TDM_MS};
    struct tdm_repair_means means = usual;
    struct tdm_xor_plan plan;

    means.most = 2.0 / 6 + 0.02;
    means.stalls = means.late = 0;
    tdm_xor_plan_make(&plan, &path, &means);
    assert_true(plan.part > 0.33 && plan.part < 0.34);
    double estimate = plan.stalls / 8, seen = (double)broken / blocks;

    assert_true(estimate > seen * 2 / 3 && estimate < seen * 3 / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_lost_nothing_sent),
        cmocka_unit_test(test_near_asks),
        cmocka_unit_test(test_more_loss_more_repairs),
        cmocka_unit_test(test_estimate_is_what_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

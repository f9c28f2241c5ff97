/* SPDX-License-Identifier: MIT */
#include "engine/core/repair_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct tdm_repair_means all = {
    .ask = true,
    .code = true,
    .reach = 60,
    .chains = 60,
    .interval = 33 * TDM_MS,
    .patience = 150 * TDM_MS,
    .packets = 7,
    .most = 0.34,
    .stalls = 0.0005,
    .late = 0.04,
};

static struct tdm_repair_plan plan_of(double loss, double burst, int rtt_ms,
                                      const struct tdm_repair_means *means)
{
    struct tdm_repair_path path = {loss, burst, (tdm_time)(burst * 1.2 * (double)TDM_MS),
                                   rtt_ms * TDM_MS};
    struct tdm_repair_plan plan;

    tdm_repair_plan_make(&plan, &path, means);
    return plan;
}

static void test_no_loss_costs_nothing(void **state)
{
    struct tdm_repair_plan plan = plan_of(0, 1, 200, &all);

    (void)state;
    assert_true(plan.cost == 0 && plan.parity == 0);
    assert_int_equal(plan.chains, 1);
    assert_int_equal(plan.known_every, 0);
}

/* A request is the cheapest where it comes back in time; parity where it does not. */
static void test_round_trip(void **state)
{
    struct tdm_repair_plan near = plan_of(0.002, 1, 30, &all);
    struct tdm_repair_plan far = plan_of(0.01, 1, 200, &all);

    (void)state;
    assert_true(near.ask && near.parity == 0);
    assert_true(far.parity >= 0.04);
    assert_true(far.stalls <= all.stalls && far.late <= all.late);
}

/* More loss never costs less, and costs no more than what may be spent. */
static void test_cost_follows_loss(void **state)
{
    static const double losses[] = {0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};
    struct tdm_repair_means means = all;

    (void)state;
    for (int refer = 0; refer < 2; refer++) {
        double before = 0;

        means.reach = means.chains = refer ? 60 : 0;
        for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
            struct tdm_repair_plan plan = plan_of(losses[i], 1, 200, &means);

            assert_true(plan.cost <= means.most || plan.parity == 0);
            if (plan.stalls <= means.stalls) {
                assert_true(plan.cost >= before);
                before = plan.cost;
            }
        }
    }
}

/* Bursts that take whole pictures: references are cheaper than as much parity. */
static void test_bursts(void **state)
{
    struct tdm_repair_means means = all;
    struct tdm_repair_plan with = plan_of(0.05, 6, 100, &means);

    means.reach = means.chains = 0;
    struct tdm_repair_plan without = plan_of(0.05, 6, 100, &means);

    (void)state;
    assert_true(with.chains > 1 || with.known_every);
    assert_true(with.stalls < without.stalls);
    assert_int_equal(without.chains, 1);
    assert_int_equal(without.known_every, 0);
    assert_true(without.parity > 0 && without.cost <= means.most);
}

/* Only what was agreed on. */
static void test_means(void **state)
{
    struct tdm_repair_means means = all;

    (void)state;
    means.reach = means.chains = 0;
    means.code = false;
    struct tdm_repair_plan asks = plan_of(0.05, 3, 200, &means);

    assert_true(asks.ask && asks.parity == 0 && asks.chains == 1 && !asks.known_every);
    means.ask = false;
    assert_false(plan_of(0.05, 3, 200, &means).ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_loss_costs_nothing),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cost_follows_loss),
        cmocka_unit_test(test_bursts),
        cmocka_unit_test(test_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

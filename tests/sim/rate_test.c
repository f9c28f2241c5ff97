/* SPDX-License-Identifier: MIT */
#include "sim/rate_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Promises of docs/rate.md on two seeds, with some room below what tandem sim shows; and that the
 * models beside ours are no straw men: each fills a quiet link. */

static void *storage;

static struct tdm_rate_score run(const char *name, const struct tdm_rate_peer *peer, uint64_t seed)
{
    const struct tdm_rate_scenario *scenario = tdm_rate_scenario_named(name);
    struct tdm_rate_score score;

    assert_non_null(scenario);
    (void)tdm_rate_run(storage, scenario, peer, seed, NULL, &score);
    return score;
}

static void test_promises(void **state)
{
    static const struct {
        const char *scenario;
        enum tdm_rate_figure figure;
        bool at_least;
        double value;
    } promises[] = {
        {"start-40", TDM_RATE_SETTLE, false, 0.6},    {"start-200", TDM_RATE_SETTLE, false, 1.2},
        {"lifted", TDM_RATE_SETTLE, false, 2},        {"fixed-10", TDM_RATE_UTIL, true, 97},
        {"fixed-10", TDM_RATE_QUEUE_P95, false, 20},  {"fixed-2", TDM_RATE_UTIL, true, 97},
        {"rfc8867-1", TDM_RATE_UTIL, true, 95},       {"rfc8867-4", TDM_RATE_JAIN, true, 0.95},
        {"rfc8867-5", TDM_RATE_JAIN, true, 0.85},     {"rfc8867-2", TDM_RATE_UTIL, true, 95},
        {"rfc8867-2", TDM_RATE_QUEUE_P95, false, 50}, {"rfc8867-3", TDM_RATE_UTIL, true, 94},
        {"rfc8867-3", TDM_RATE_QUEUE_P95, false, 50}, {"tcp-deep", TDM_RATE_SHARE, true, 32},
        {"tcp-deep", TDM_RATE_CALM, false, 4},        {"step", TDM_RATE_LATE, false, 0.2},
        {"mobile", TDM_RATE_UTIL, true, 80},          {"mobile", TDM_RATE_LATE, false, 1},
        {"rfc8867-6", TDM_RATE_SHARE, true, 35},      {"rfc8867-6", TDM_RATE_CALM, false, 3},
        {"l4s", TDM_RATE_QUEUE_P99, false, 8},        {"loss", TDM_RATE_UTIL, true, 90},
        {"policer", TDM_RATE_LOSS, false, 5},         {"reroute", TDM_RATE_UTIL, true, 90},
        {"handover", TDM_RATE_LATE, false, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++)
        for (uint64_t seed = 101; seed <= 102; seed++) {
            const struct tandem_sim_goal goal = {(uint8_t)promises[i].figure, promises[i].at_least,
                                                 promises[i].value};
            struct tdm_rate_score score = run(promises[i].scenario, &tdm_rate_peer_ours, seed);

            if (!tdm_rate_goal_met(&goal, &score))
                fail_msg("%s, seed %d: %s is %g, promised %g", promises[i].scenario, (int)seed,
                         tdm_rate_figure_names[goal.figure], score.figures[goal.figure],
                         goal.value);
        }
}

static void test_models_work(void **state)
{
    (void)state;
    for (int i = 0; i < TDM_RATE_PEERS; i++)
        assert_true(run("fixed-2", tdm_rate_peers[i], 101).figures[TDM_RATE_UTIL] > 80);
}

static void test_a_seed_is_a_run(void **state)
{
    (void)state;
    struct tdm_rate_score first = run("mobile", &tdm_rate_peer_ours, 7);
    struct tdm_rate_score again = run("mobile", &tdm_rate_peer_ours, 7);
    struct tdm_rate_score other = run("mobile", &tdm_rate_peer_ours, 8);

    assert_memory_equal(first.figures, again.figures, sizeof first.figures);
    assert_memory_not_equal(first.figures, other.figures, sizeof first.figures);
}

static int make_storage(void **state)
{
    (void)state;
    storage = malloc(tdm_rate_run_bytes());
    return storage ? 0 : -1;
}

static int free_storage(void **state)
{
    (void)state;
    free(storage);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_models_work),
        cmocka_unit_test(test_a_seed_is_a_run),
    };

    return cmocka_run_group_tests(tests, make_storage, free_storage);
}

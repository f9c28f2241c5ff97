/* SPDX-License-Identifier: MIT */

/* One seed is one call: equal bytes in one process, whatever ran before; another seed is another.
 */

#include "tests/sim/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOG_MAX  ((size_t)1 << 17)
#define DURATION (20 * TDM_S)

static void run(struct tdm_sim_call *call, uint64_t seed, struct tdm_sim_result *result)
{
    struct tdm_sim_scenario *scenario = test_malloc(sizeof(*scenario));

    tdm_sim_scenario_mixed(scenario, seed, DURATION);
    assert_int_equal(tdm_sim_call_run(call, scenario, result), TDM_OK);
    assert_in_range(result->events, 5000, LOG_MAX);
    test_free(scenario);
}

static void same_seed_same_bytes(void **state)
{
    struct tdm_sim_call *first = tdm_sim_call_create(LOG_MAX);
    struct tdm_sim_call *second = tdm_sim_call_create(LOG_MAX);

    (void)state;
    for (uint64_t seed = 0; seed < TDM_SIM_NETWORK_COUNT; seed++) {
        struct tdm_sim_result a, b;
        const struct tdm_sim_log *log = tdm_sim_call_log(first);

        run(first, seed, &a);
        run(second, seed, &b);
        assert_int_equal(a.hash, b.hash);
        assert_int_equal(a.events, b.events);
        assert_memory_equal(log->records, tdm_sim_call_log(second)->records,
                            a.events * sizeof(struct tdm_sim_event));
        /* Storage that has carried other calls makes no difference. */
        run(second, seed + 100, &b);
        assert_int_not_equal(a.hash, b.hash);
        run(second, seed, &b);
        assert_int_equal(a.hash, b.hash);
        assert_int_equal(a.steps, b.steps);
    }
    tdm_sim_call_destroy(first);
    tdm_sim_call_destroy(second);
}

static void every_seed_is_another_call(void **state)
{
    struct tdm_sim_call *call = tdm_sim_call_create(0);
    uint64_t hashes[30];

    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct tdm_sim_result result;

        run(call, seed, &result);
        hashes[seed] = result.hash;
        for (uint64_t other = 0; other < seed; other++)
            assert_int_not_equal(hashes[seed], hashes[other]);
    }
    tdm_sim_call_destroy(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(every_seed_is_another_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

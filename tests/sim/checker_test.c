/* SPDX-License-Identifier: MIT */

/* The checkers can fail: each planted fault is seen, and in the words that name it. */

#include "tests/sim/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DURATION (30 * TDM_S)

static void run(enum tdm_sim_fault fault, struct tdm_sim_result *result)
{
    struct tdm_sim_scenario *scenario = test_malloc(sizeof(*scenario));
    struct tdm_sim_call *call = tdm_sim_call_create(0);

    assert_non_null(call);
    tdm_sim_scenario_plain(scenario, 3, DURATION);
    scenario->fault = fault;
    assert_int_equal(tdm_sim_call_run(call, scenario, result), TDM_OK);
    tdm_sim_call_destroy(call);
    test_free(scenario);
}

static void a_healthy_call_has_no_violation(void **state)
{
    struct tdm_sim_result result;

    (void)state;
    run(TDM_SIM_FAULT_NONE, &result);
    report_violations(&result);
    assert_int_equal(result.violations, 0);
}

static void every_planted_fault_is_seen(void **state)
{
    static const struct {
        enum tdm_sim_fault fault;
        const char *words;
    } cases[] = {
        {TDM_SIM_FAULT_CORRUPT_MEDIA, "has wrong bytes"},
        {TDM_SIM_FAULT_LEAK, "packets sent"},
        {TDM_SIM_FAULT_SWAP_SHOWN, "picture 49 after 49"},
        {TDM_SIM_FAULT_STALE_AUDIO, "sound 99 after 99"},
        {TDM_SIM_FAULT_PAST_WAKE, "wakes in the past"},
        {TDM_SIM_FAULT_BUSY, "virtual time stood still"},
        {TDM_SIM_FAULT_SKEW, "after its sound"},
        {TDM_SIM_FAULT_OLD, "s old"},
        {TDM_SIM_FAULT_DEAF, "side 1 is still up"},
        {TDM_SIM_FAULT_NO_REFERENCE, "without its reference"},
        {TDM_SIM_FAULT_UNASKED, "which nobody asked for"},
        {TDM_SIM_FAULT_FREEZE, "no picture for"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tdm_sim_result result;
        bool seen = false;

        run(cases[i].fault, &result);
        for (uint32_t k = 0; k < result.kept; k++)
            seen = seen || strstr(result.kept_violations[k].text, cases[i].words) != NULL;
        if (!seen) {
            print_message("fault %u: expected \"%s\", got\n", cases[i].fault, cases[i].words);
            report_violations(&result);
        }
        assert_true(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_call_has_no_violation),
        cmocka_unit_test(every_planted_fault_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

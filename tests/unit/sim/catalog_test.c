/* SPDX-License-Identifier: MIT */
/* What the catalog promises of every scenario, whoever added it. */
#include "sim/catalog.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHORT_S 15 /* Longer ones are run by whom they belong to. */

static void test_names(void **state)
{
    struct tandem_sim_scenario s;
    uint32_t index = 0;

    (void)state;
    for (; tandem_sim_scenario(index, &s); index++) {
        assert_non_null(s.name);
        assert_int_equal(strspn(s.name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(s.name));
        assert_int_equal(tandem_sim_find(s.name), index); /* So no name comes twice. */
        assert_string_not_equal(s.name, s.family);
        assert_string_not_equal(s.name, "all");
        assert_true(s.title && *s.title && strlen(s.title) <= 90);
        assert_non_null(s.id);
        assert_in_range(s.figure_count, 1, TANDEM_SIM_FIGURES);
        assert_in_range(s.goal_count, 0, TANDEM_SIM_GOALS);
        assert_true(s.contender_count >= 1);
        assert_string_equal(s.contenders[0], "tandem");
        for (int i = 0; i < s.goal_count; i++)
            assert_true(s.goals[i].figure < s.figure_count);
    }
    assert_int_equal(index, tandem_sim_count());
    assert_int_equal(tandem_sim_find("no such"), index);
}

static struct tandem_sim_score run(struct tandem_sim *sim, uint32_t index, uint64_t seed)
{
    const struct tandem_sim_run in = {.scenario = index, .seed = seed};
    struct tandem_sim_score score;

    assert_int_equal(tandem_sim_run(sim, &in, &score, NULL), TANDEM_OK);
    return score;
}

/* A run leaves nothing behind: the same seed gives the same figures after others ran. */
static void test_runs(void **state)
{
    struct tandem_sim *sim;
    struct tandem_sim_scenario s;

    (void)state;
    assert_int_equal(tandem_sim_create(&sim, NULL), TANDEM_OK);
    for (uint32_t i = 0; tandem_sim_scenario(i, &s); i++) {
        if (s.seconds > SHORT_S)
            continue;
        struct tandem_sim_score first = run(sim, i, 3), other = run(sim, i, 4);
        struct tandem_sim_score again = run(sim, i, 3);
        int known = 0;

        assert_memory_equal(first.figures, again.figures, sizeof first.figures);
        for (int f = 0; f < TANDEM_SIM_FIGURES; f++) {
            known += !isnan(first.figures[f]);
            assert_true(f < s.figure_count || isnan(first.figures[f]));
        }
        assert_true(known > 0);
        assert_string_equal(first.violation, "");
        assert_string_equal(other.violation, "");
    }
    tandem_sim_destroy(sim);
}

static void test_traces(void **state)
{
    static const char good[] = "10\n20\n30\n40\n50\n1000\n", bad[] = "30\n20\nx\n";
    struct tandem_sim_run in = {.scenario = tandem_sim_find("mobile"),
                                .seed = 1,
                                .trace = good,
                                .trace_size = sizeof good - 1};
    struct tandem_sim_score score;
    struct tandem_cause cause;
    struct tandem_sim *sim;

    (void)state;
    assert_int_equal(tandem_sim_create(&sim, NULL), TANDEM_OK);
    assert_int_equal(tandem_sim_run(sim, &in, &score, &cause), TANDEM_OK);
    assert_true(score.curve_count > 0 && score.curves[0].count > 0);
    in.trace = bad;
    in.trace_size = sizeof bad - 1;
    assert_int_equal(tandem_sim_run(sim, &in, &score, &cause), TANDEM_INVALID);
    assert_non_null(strstr(cause.text, "mahimahi"));
    in.scenario = tandem_sim_find("fixed-2");
    assert_int_equal(tandem_sim_run(sim, &in, &score, &cause), TANDEM_INVALID);
    in.contender = 99;
    assert_int_equal(tandem_sim_run(sim, &in, &score, &cause), TANDEM_INVALID);
    in.scenario = tandem_sim_count();
    assert_int_equal(tandem_sim_run(sim, &in, &score, &cause), TANDEM_INVALID);
    tandem_sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_traces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "sim/repair_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Promises of docs/repair.md on fewer pictures than `tandem sim repair` shows: two minutes a row. A
 * goal of none or nearly none allows one stall of a quarter second here. */

#define FRAMES        3600
#define ONE_STALL     0.25 /* Per cent of two minutes, rounded up. */
#define OVERHEAD_ROOM 1    /* Per cent of the pictures. */
#define LATE_ROOM     3    /* ms; the first seconds, of which nothing is known, count. */

enum { ASK = 2, ASK_TWICE = 5, BACK_LOST = 6 }; /* Places in tdm_repair_peers. */

static void *storage;

static const char *const names[] = {"freeze", "overhead", "late"};

static struct tdm_repair_result run(const struct tdm_repair_scenario *s, uint32_t peer,
                                    uint64_t seed, double figures[TDM_REPAIR_FIGURES])
{
    struct tdm_repair_result result;

    tdm_repair_scenario_run(storage, s, peer, seed, FRAMES, figures, &result);
    return result;
}

static void test_goals(void **state)
{
    static const double room[TDM_REPAIR_GOALS] = {ONE_STALL, OVERHEAD_ROOM, LATE_ROOM};
    double figures[TDM_REPAIR_FIGURES];

    (void)state;
    for (uint32_t i = 0; i < tdm_repair_scenario_count(); i++) {
        const struct tdm_repair_scenario *s = tdm_repair_scenario_at(i);

        (void)run(s, 0, 101, figures);
        for (int g = 0; g < TDM_REPAIR_GOALS; g++)
            if (figures[s->goals[g].figure] > s->goals[g].value + room[g])
                fail_msg("%s: %s is %.3f, promised %.3f", s->name, names[g],
                         figures[s->goals[g].figure], s->goals[g].value);
    }
}

/* The others do what they are known for, or there is nothing to be better than. */
static void test_others(void **state)
{
    const struct tdm_repair_scenario *easy = tdm_repair_scenario_at(0);
    const struct tdm_repair_scenario *hard =
        tdm_repair_scenario_at(tdm_repair_scenario_count() - 1);
    double on_easy[TDM_REPAIR_FIGURES], on_hard[TDM_REPAIR_FIGURES];

    (void)state;
    for (uint32_t peer = 2; peer < ASK_TWICE; peer++) {
        (void)run(easy, peer, 101, on_easy);
        (void)run(hard, peer, 101, on_hard);
        assert_true(on_easy[TDM_REPAIR_FREEZE] < 1);
        assert_true(on_hard[TDM_REPAIR_FREEZE] > 10);
    }
}

static const struct tdm_repair_scenario *named(const char *name)
{
    for (uint32_t i = 0; i < tdm_repair_scenario_count(); i++)
        if (strcmp(tdm_repair_scenario_at(i)->name, name) == 0)
            return tdm_repair_scenario_at(i);
    fail_msg("no scenario %s", name);
    return NULL;
}

/* Where no second request comes in time, a repetition that leaves twice saves most stalls of those
 * who know requests alone; where one does, it is not spent. */
static void test_asked_twice(void **state)
{
    double once[TDM_REPAIR_FIGURES], twice[TDM_REPAIR_FIGURES];

    (void)state;
    (void)run(named("random-5-100"), ASK, 101, once);
    (void)run(named("random-5-100"), ASK_TWICE, 101, twice);
    assert_true(once[TDM_REPAIR_FREEZE] > 3);
    assert_true(twice[TDM_REPAIR_FREEZE] < once[TDM_REPAIR_FREEZE] / 4);
    assert_true(twice[TDM_REPAIR_OVERHEAD] < once[TDM_REPAIR_OVERHEAD] + 6);
    (void)run(named("random-1-50"), ASK, 101, once);
    (void)run(named("random-1-50"), ASK_TWICE, 101, twice);
    assert_true(twice[TDM_REPAIR_OVERHEAD] < once[TDM_REPAIR_OVERHEAD] + 0.3);
}

/* What the receiver says is lost as often as what it gets: a stall more, at most. */
static void test_feedback_is_lost(void **state)
{
    static const char *const names_of[] = {"random-5-100", "random-10-200", "bursts-5-200"};
    double figures[TDM_REPAIR_FIGURES];

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct tdm_repair_scenario *s = named(names_of[i]);

        (void)run(s, BACK_LOST, 101, figures);
        assert_true(figures[TDM_REPAIR_FREEZE] <= s->goals[0].value + 2 * ONE_STALL);
        assert_true(figures[TDM_REPAIR_OVERHEAD] <= s->goals[1].value + OVERHEAD_ROOM);
        assert_true(figures[TDM_REPAIR_LATE] <= s->goals[2].value + LATE_ROOM);
    }
}

static void test_nothing_is_mended_without_loss(void **state)
{
    const struct tdm_repair_scenario quiet = {
        .name = "quiet",
        .burst = 1,
        .rtt = 200 * TDM_MS,
        .goals = {{TDM_REPAIR_FREEZE, false, 0.1}, {TDM_REPAIR_OVERHEAD, false, 35}},
    };
    double figures[TDM_REPAIR_FIGURES];
    struct tdm_repair_result r = run(&quiet, 0, 101, figures);

    (void)state;
    assert_true(r.parity == 0 && r.repeated == 0 && r.costlier == 0);
    assert_int_equal(r.shown, r.frames);
    assert_int_equal(r.frozen, 0);
}

static void test_same_seed_same_run(void **state)
{
    const struct tdm_repair_scenario *s = tdm_repair_scenario_at(5);
    double figures[TDM_REPAIR_FIGURES];
    struct tdm_repair_result a = run(s, 0, 7, figures), b = run(s, 0, 7, figures);
    struct tdm_repair_result c = run(s, 0, 8, figures);

    (void)state;
    assert_memory_equal(&a.late, &b.late, sizeof a.late);
    assert_int_equal(a.recovered, b.recovered);
    assert_true(a.recovered != c.recovered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goals),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_asked_twice),
        cmocka_unit_test(test_feedback_is_lost),
        cmocka_unit_test(test_nothing_is_mended_without_loss),
        cmocka_unit_test(test_same_seed_same_run),
    };

    storage = malloc(tdm_repair_world_bytes());
    if (!storage)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(storage);
    return failed;
}

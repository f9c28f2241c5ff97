/* SPDX-License-Identifier: MIT */
#include "engine/core/latency_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BUDGET (120 * TDM_MS)

enum { ENCODE = 1, NETWORK = 3, PLAYOUT = 2 };

static struct tdm_latency_budget budget;
static tdm_time now;
static int broken, held;
static tdm_time held_after;

static void start(tdm_time of)
{
    tdm_latency_budget_init(&budget, of);
    now = TDM_S;
    broken = held = 0;
}

static void pictures(tdm_time encode, tdm_time network, int count)
{
    struct tdm_latency_budget_out out;

    for (; count > 0; count--, now += 33 * TDM_MS) {
        tdm_latency_budget_step(
            &budget, now,
            &(struct tdm_latency_budget_in){
                .kind = TDM_BUDGET_PICTURE,
                .stages = {TDM_MS, encode, 10 * TDM_MS, network, TDM_MS, 0, 3 * TDM_MS, TDM_MS}},
            &out);
        broken += out.broken;
        held += out.held;
        held_after = out.held ? out.after : held_after;
    }
}

static void test_shares_are_all_of_it(void **state)
{
    (void)state;
    for (int kind = 0; kind < TDM_BUDGET_KINDS; kind++) {
        tdm_time sum = 0;

        for (uint8_t i = 0; i < TDM_BUDGET_STAGES; i++)
            sum += tdm_latency_budget_share(BUDGET, (enum tdm_budget_kind)kind, i);
        assert_int_equal(sum, BUDGET);
    }
    assert_int_equal(tdm_latency_budget_playout(0), 20 * TDM_MS);
    assert_int_equal(tdm_latency_budget_playout(BUDGET), 96 * TDM_MS);
}

/* The way becomes longer than the budget, and short again. */
static void test_the_way_breaks_it(void **state)
{
    const struct tdm_latency_budget_line *line = &budget.lines[TDM_BUDGET_PICTURE];

    (void)state;
    start(BUDGET);
    pictures(8 * TDM_MS, 30 * TDM_MS, 90);
    assert_int_equal(broken, 0);
    pictures(8 * TDM_MS, 200 * TDM_MS, 5); /* Not at once. */
    assert_int_equal(broken, 0);
    pictures(8 * TDM_MS, 200 * TDM_MS, 85);
    assert_int_equal(broken, 1);
    assert_int_equal(line->stage, NETWORK);
    assert_int_equal(tdm_latency_budget_whole(line) / TDM_MS, 223);
    pictures(8 * TDM_MS, 30 * TDM_MS, 90);
    assert_int_equal(held, 1);
    assert_in_range(held_after, 2700 * TDM_MS, 3600 * TDM_MS);
    assert_int_equal(line->times, 1);
    assert_in_range(line->over_time, held_after - 50 * TDM_MS, held_after + 50 * TDM_MS);
    assert_in_range(line->stage_times[NETWORK], line->over_time * 3 / 4, line->over_time);
}

/* What is long but fits is not to blame; what grew is, whichever it was before. */
static void test_blames_who_is_above_its_share(void **state)
{
    const struct tdm_latency_budget_line *line = &budget.lines[TDM_BUDGET_PICTURE];

    (void)state;
    start(BUDGET);
    pictures(90 * TDM_MS, 41 * TDM_MS, 60);
    assert_int_equal(line->stage, ENCODE);
    assert_true(line->broken);
    pictures(20 * TDM_MS, 150 * TDM_MS, 60);
    assert_true(line->broken);
    assert_int_equal(line->stage, NETWORK);
    assert_int_equal(broken, 1);
    assert_true(line->stage_times[ENCODE] > 0 && line->stage_times[NETWORK] > 0);
}

static void test_a_late_picture_is_no_news(void **state)
{
    (void)state;
    start(BUDGET);
    for (int i = 0; i < 40; i++) {
        pictures(8 * TDM_MS, 30 * TDM_MS, 6);
        pictures(8 * TDM_MS, 400 * TDM_MS, 1);
    }
    assert_int_equal(broken, 0);
}

static void test_sound_by_itself(void **state)
{
    struct tdm_latency_budget_out out;

    (void)state;
    start(BUDGET);
    for (int i = 0; i < 200; i++, now += 10 * TDM_MS) {
        tdm_latency_budget_step(
            &budget, now,
            &(struct tdm_latency_budget_in){.kind = TDM_BUDGET_SOUND,
                                            .stages = {12 * TDM_MS, 20 * TDM_MS, 100 * TDM_MS}},
            &out);
        broken += out.broken;
    }
    assert_int_equal(broken, 1);
    assert_int_equal(budget.lines[TDM_BUDGET_SOUND].stage, PLAYOUT);
    assert_false(budget.lines[TDM_BUDGET_PICTURE].broken);
}

/* Time in which nothing comes is nobody's; a clock that goes back takes none away. */
static void test_gaps(void **state)
{
    const struct tdm_latency_budget_line *line = &budget.lines[TDM_BUDGET_PICTURE];

    (void)state;
    start(BUDGET);
    pictures(8 * TDM_MS, 200 * TDM_MS, 60);
    tdm_time before = line->over_time;

    now += 3600 * TDM_S;
    pictures(8 * TDM_MS, 200 * TDM_MS, 1);
    assert_in_range(line->over_time - before, 0, TDM_S);
    before = line->over_time;
    now -= 7200 * TDM_S;
    pictures(8 * TDM_MS, 200 * TDM_MS, 1);
    assert_int_equal(line->over_time, before);
}

static void test_none_is_set(void **state)
{
    (void)state;
    start(0);
    pictures(TDM_S, TDM_S, 60);
    assert_int_equal(broken, 0);
    assert_int_equal(budget.lines[TDM_BUDGET_PICTURE].over_time, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_are_all_of_it),
        cmocka_unit_test(test_the_way_breaks_it),
        cmocka_unit_test(test_blames_who_is_above_its_share),
        cmocka_unit_test(test_a_late_picture_is_no_news),
        cmocka_unit_test(test_sound_by_itself),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_none_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

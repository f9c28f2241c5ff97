/* SPDX-License-Identifier: MIT */

/* When the screen is looked at, and whether hints are trusted, in made-up time. */

#include "desktop/look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define STRIPS 17

/* One look at what is planned when it is due; gives when it ended. */
static tdm_time look(struct tdm_look *l, tdm_time cost, size_t changed, size_t unhinted)
{
    tdm_time now = l->due;
    struct tdm_look_plan plan = tdm_look_plan(l, now);

    assert_true(plan.count > 0);
    assert_int_equal(tdm_look_plan(l, now - 1).count, 0);
    tdm_look_done(l, &plan,
                  &(struct tdm_look_seen){
                      .began = now, .ended = now + cost, .changed = changed, .unhinted = unhinted});
    assert_true(l->due > now);
    return now + cost;
}

static void honest_hints_cost_one_strip_now_and_then(void **state)
{
    (void)state;
    struct tdm_look l;

    tdm_look_init(&l, STRIPS, true, TDM_S);
    for (size_t i = 0; i < STRIPS; i++) {
        assert_int_equal(tdm_look_plan(&l, l.due).first, i);
        (void)look(&l, TDM_MS, 0, 0);
    }
    assert_true(l.due < TDM_S + TDM_S / 2); /* The first round is quick. */
    tdm_time ended = look(&l, TDM_MS, 1, 0);

    assert_true(l.trusted);
    assert_int_equal(l.due - ended, TDM_LOOK_AUDIT);
    while (l.due < 10 * TDM_S)
        ended = look(&l, TDM_MS, 0, 0);
    assert_int_equal(l.due - ended, TDM_LOOK_AUDIT_IDLE);
    tdm_look_hinted(&l, l.due);
    ended = look(&l, TDM_MS, 0, 0);
    assert_int_equal(l.due - ended, TDM_LOOK_AUDIT);
}

static void one_lie_ends_the_trust_until_it_is_earned_again(void **state)
{
    (void)state;
    struct tdm_look l;

    tdm_look_init(&l, STRIPS, true, 0);
    tdm_time lied = look(&l, TDM_MS, 1, 1);

    assert_false(l.trusted);
    assert_int_equal(tdm_look_plan(&l, l.due).count, STRIPS);
    while (l.due < lied + TDM_LOOK_PROBATION - TDM_S)
        (void)look(&l, TDM_MS, 1, 0);
    assert_false(l.trusted); /* Not for long enough. */
    lied = look(&l, TDM_MS, 2, 1);
    while (!l.trusted)
        (void)look(&l, TDM_MS, 1, 0);
    assert_in_range(l.due - lied, TDM_LOOK_PROBATION, TDM_LOOK_PROBATION + TDM_S);

    (void)look(&l, TDM_MS, 1, 1);
    for (int i = 0; i < 1000; i++)
        (void)look(&l, TDM_MS, 0, 0);
    assert_false(l.trusted); /* Nothing happened, so nothing was proved. */
}

static void without_hints_the_rate_follows_what_happens_and_costs(void **state)
{
    (void)state;
    struct tdm_look l;
    tdm_time ended = 0;

    tdm_look_init(&l, STRIPS, false, 0);
    for (int i = 0; i < 100; i++)
        ended = look(&l, TDM_MS, 0, 0);
    assert_int_equal(l.due - ended, TDM_LOOK_SLOW);
    ended = look(&l, TDM_MS, 1, 1);
    assert_int_equal(l.due - ended, TDM_LOOK_FAST);
    ended = look(&l, 20 * TDM_MS, 1, 1); /* A slow server. */
    assert_int_equal(l.due - ended, 100 * TDM_MS);
    for (int i = 0; i < 1000; i++)
        (void)look(&l, TDM_MS, 1, 0);
    assert_false(l.trusted);
}

static void a_screen_without_strips_is_never_looked_at(void **state)
{
    (void)state;
    struct tdm_look l;

    tdm_look_init(&l, 0, true, 0);
    assert_int_equal(tdm_look_plan(&l, TDM_S).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_hints_cost_one_strip_now_and_then),
        cmocka_unit_test(one_lie_ends_the_trust_until_it_is_earned_again),
        cmocka_unit_test(without_hints_the_rate_follows_what_happens_and_costs),
        cmocka_unit_test(a_screen_without_strips_is_never_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

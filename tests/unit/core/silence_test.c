/* SPDX-License-Identifier: MIT */
#include "engine/core/silence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOTICE (5 * TDM_S)
#define END    (30 * TDM_S)

static struct tdm_silence_out at(struct tdm_silence *s, tdm_time now, bool held, tdm_time last)
{
    struct tdm_silence_out out;

    tdm_silence_step(
        s, now,
        &(struct tdm_silence_in){
            .up = true, .held = held, .last_received = last, .notice = NOTICE, .end = END},
        &out);
    assert_true(out.wake_at > now);
    return out;
}

/* Follows the wakes: what is said and what ends the call come exactly when they are due. */
static void check_course(bool held, tdm_time last, tdm_time from, tdm_time end)
{
    struct tdm_silence s = {0};
    tdm_time now = 100 * TDM_S;
    struct tdm_silence_out out = at(&s, now, held, last);

    assert_false(out.tell || out.over);
    assert_int_equal(out.wake_at, from + NOTICE);
    now = out.wake_at;
    out = at(&s, now - 1, held, last);
    assert_false(out.tell || out.over);
    out = at(&s, now, held, last);
    assert_true(out.tell);
    assert_false(out.over);
    assert_int_equal(out.quiet, NOTICE);
    assert_int_equal(out.wake_at, from + end);
    now = out.wake_at;
    out = at(&s, now - 1, held, last);
    assert_false(out.tell || out.over);
    out = at(&s, now, held, last);
    assert_false(out.tell);
    assert_true(out.over);
    assert_int_equal(out.quiet, end);
    assert_int_equal(out.wake_at, TDM_NEVER);
}

static void tells_once_and_ends(void **state)
{
    (void)state;
    check_course(false, TDM_NEVER, 100 * TDM_S, END);
    check_course(false, 40 * TDM_S, 100 * TDM_S, END); /* Early media do not count. */
    check_course(false, 103 * TDM_S, 103 * TDM_S, END);
}

static void has_more_patience_on_hold(void **state)
{
    (void)state;
    check_course(true, TDM_NEVER, 100 * TDM_S, TDM_SILENCE_HELD_PATIENCE * END);
    check_course(true, 103 * TDM_S, 103 * TDM_S, TDM_SILENCE_HELD_PATIENCE * END);
}

static void a_sound_makes_it_good(void **state)
{
    struct tdm_silence s = {0};
    struct tdm_silence_out out;

    (void)state;
    (void)at(&s, 0, false, TDM_NEVER);
    assert_true(at(&s, 6 * TDM_S, false, TDM_NEVER).tell);
    assert_false(at(&s, 7 * TDM_S, false, TDM_NEVER).tell);
    out = at(&s, 8 * TDM_S, false, 8 * TDM_S);
    assert_int_equal(out.quiet, 0);
    assert_int_equal(out.wake_at, 13 * TDM_S);
    assert_true(at(&s, 13 * TDM_S, false, 8 * TDM_S).tell);
    assert_int_equal(at(&s, 20 * TDM_S, false, 21 * TDM_S).quiet, 0); /* Stamped by another. */
}

/* A peer that sends no RTCP was silent all through the hold: it is not gone when that ends. */
static void counts_anew_after_hold(void **state)
{
    struct tdm_silence s = {0};
    struct tdm_silence_out out;

    (void)state;
    (void)at(&s, 0, false, TDM_NEVER);
    (void)at(&s, 10 * TDM_S, true, 10 * TDM_S);
    assert_false(at(&s, 100 * TDM_S, true, 10 * TDM_S).over);
    out = at(&s, 101 * TDM_S, false, 10 * TDM_S);
    assert_false(out.over || out.tell);
    assert_int_equal(out.wake_at, 106 * TDM_S);
    assert_false(at(&s, 130 * TDM_S, false, 10 * TDM_S).over);
    assert_true(at(&s, 131 * TDM_S, false, 10 * TDM_S).over);
}

static void watches_only_a_call_that_is_up(void **state)
{
    struct tdm_silence s = {0};
    struct tdm_silence_in in = {.last_received = TDM_NEVER, .notice = NOTICE, .end = END};
    struct tdm_silence_out out;

    (void)state;
    (void)at(&s, 0, false, TDM_NEVER);
    tdm_silence_step(&s, 900 * TDM_S, &in, &out);
    assert_false(out.tell || out.over);
    assert_int_equal(out.wake_at, TDM_NEVER);
    assert_int_equal(at(&s, 1000 * TDM_S, false, TDM_NEVER).quiet, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_once_and_ends),
        cmocka_unit_test(has_more_patience_on_hold),
        cmocka_unit_test(a_sound_makes_it_good),
        cmocka_unit_test(counts_anew_after_hold),
        cmocka_unit_test(watches_only_a_call_that_is_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

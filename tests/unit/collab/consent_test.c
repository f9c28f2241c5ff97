/* SPDX-License-Identifier: MIT */
#include "collab/consent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_consent c;
static struct tdm_consent_out out;
static tdm_time now;

static void begin(bool known)
{
    now = 100 * TDM_S;
    tdm_consent_init(&c, &(struct tdm_consent_config){.known = known, .seq = 40});
}

static bool act(enum tdm_consent_input kind, uint16_t scopes, uint32_t seconds)
{
    tdm_consent_step(&c, now,
                     &(struct tdm_consent_in){.kind = kind, .scopes = scopes, .seconds = seconds},
                     &out);
    return !out.refused;
}

static void pass(tdm_time time)
{
    now += time;
    tdm_consent_step(&c, now, NULL, &out);
}

static void grant(uint16_t scopes)
{
    begin(true);
    assert_true(act(TDM_CONSENT_IN_OFFER, TDM_SCOPE_VIEW, 0));
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPES_ALL, 0));
    assert_true(act(TDM_CONSENT_IN_ALLOW, scopes, 60));
    assert_int_equal(c.state, TDM_CONSENT_GRANTED);
}

/* From each state by each act: to which state. */
static void test_transitions(void **state)
{
    enum { NONE, VIEW, ASKED, GRANTED, REVOKED, SAME };
    static const struct {
        enum tdm_consent_input act;
        uint16_t scopes;
        int to[5]; /* From none, view, asked (with view), granted, revoked. */
    } rows[] = {
        {TDM_CONSENT_IN_OFFER, TDM_SCOPE_VIEW, {VIEW, SAME, SAME, SAME, VIEW}},
        {TDM_CONSENT_IN_ASK, TDM_SCOPES_ALL, {ASKED, ASKED, SAME, ASKED, SAME}},
        {TDM_CONSENT_IN_ALLOW, 0, {SAME, SAME, GRANTED, SAME, SAME}},
        {TDM_CONSENT_IN_ALLOW, TDM_SCOPE_POINT, {SAME, SAME, VIEW, SAME, SAME}},
        {TDM_CONSENT_IN_DENY, 0, {SAME, SAME, VIEW, SAME, SAME}},
        {TDM_CONSENT_IN_TAKE_BACK, 0, {SAME, SAME, SAME, VIEW, SAME}},
        {TDM_CONSENT_IN_TAKE_BACK, TDM_SCOPE_VIEW, {SAME, NONE, ASKED, NONE, SAME}},
        {TDM_CONSENT_IN_EXTEND, 0, {SAME, SAME, SAME, GRANTED, SAME}},
        {TDM_CONSENT_IN_END, 0, {REVOKED, REVOKED, REVOKED, REVOKED, SAME}},
        {TDM_CONSENT_IN_LEAVE, 0, {SAME, SAME, VIEW, VIEW, SAME}},
        {TDM_CONSENT_IN_DOWN, 0, {NONE, VIEW, VIEW, GRANTED, REVOKED}},
        {TDM_CONSENT_IN_UP, 0, {SAME, SAME, SAME, SAME, SAME}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int from = NONE; from <= REVOKED; from++) {
            begin(true);
            if (from != NONE)
                (void)act(TDM_CONSENT_IN_OFFER, TDM_SCOPE_VIEW, 0);
            if (from == ASKED || from == GRANTED)
                (void)act(TDM_CONSENT_IN_ASK, TDM_SCOPES_ALL, 0);
            if (from == GRANTED)
                (void)act(TDM_CONSENT_IN_ALLOW, TDM_SCOPE_KEYBOARD, 60);
            if (from == REVOKED)
                (void)act(TDM_CONSENT_IN_END, 0, 0);
            assert_int_equal(c.state, from);
            bool done = act(rows[i].act, rows[i].scopes, 0);
            int to = rows[i].to[from];

            assert_int_equal(c.state, to == SAME ? from : to);
            assert_int_equal(done, to != SAME);
            if (to == SAME)
                assert_int_equal(out.count, 0);
            for (uint32_t k = 0; k < out.count; k++) {
                assert_int_equal(out.entries[k].from, from);
                assert_int_equal(out.entries[k].to, to);
                assert_int_equal(out.entries[k].at, now);
            }
        }
}

static void test_a_stranger_waits_and_is_warned_of(void **state)
{
    (void)state;
    begin(false);
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
    assert_non_null(strstr(tdm_consent_warning(&c), "never helped you"));
    assert_false(act(TDM_CONSENT_IN_ALLOW, 0, 0));
    assert_int_equal(tdm_consent_scopes(&c, now), 0);
    assert_true(act(TDM_CONSENT_IN_ALLOW, TDM_SCOPE_VIEW, 0)); /* To look, at once. */
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
    pass(10 * TDM_S - 1);
    assert_false(act(TDM_CONSENT_IN_ALLOW, 0, 0));
    pass(1);
    assert_true(act(TDM_CONSENT_IN_ALLOW, 0, 0));
    assert_int_equal(tdm_consent_scopes(&c, now), TDM_SCOPE_VIEW | TDM_SCOPE_KEYBOARD);
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_POINTER, 0));
    assert_null(strstr(tdm_consent_warning(&c), "never helped you"));
    assert_true(act(TDM_CONSENT_IN_ALLOW, 0, 0)); /* No stranger any more. */
}

/* Who draws over the screen does not act on the computer. */
static void test_drawing_is_warned_of_as_such(void **state)
{
    (void)state;
    begin(false);
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_VIEW | TDM_SCOPE_ANNOTATE, 0));
    assert_non_null(strstr(tdm_consent_warning(&c), "can draw over it"));
    assert_null(strstr(tdm_consent_warning(&c), "never helped you"));
}

/* His certificate is found among those of earlier calls, before he asks or after it. */
static void test_a_contact_is_no_stranger(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        begin(false);
        if (!after)
            assert_true(act(TDM_CONSENT_IN_KNOWN, 0, 0));
        assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
        if (after) {
            assert_false(act(TDM_CONSENT_IN_ALLOW, 0, 0));
            assert_true(act(TDM_CONSENT_IN_KNOWN, 0, 0));
        }
        assert_null(strstr(tdm_consent_warning(&c), "never helped you"));
        assert_true(act(TDM_CONSENT_IN_ALLOW, 0, 0));
    }
}

static void test_a_grant_ends(void **state)
{
    struct tdm_control_record rec;

    (void)state;
    grant(TDM_SCOPE_KEYBOARD);
    uint32_t seq = c.seq;

    assert_int_equal(out.wake_at, now + 60 * TDM_S);
    tdm_consent_tell(&c, now, &rec);
    assert_int_equal(rec.seconds, 60);
    assert_true(tdm_consent_allows(&c, now + 60 * TDM_S - 1, TDM_SCOPE_KEYBOARD, seq));
    /* By the clock, whether anybody stepped or not. */
    assert_false(tdm_consent_allows(&c, now + 60 * TDM_S, TDM_SCOPE_KEYBOARD, seq));
    assert_true(tdm_consent_allows(&c, now + 60 * TDM_S, TDM_SCOPE_VIEW, seq));
    pass(60 * TDM_S);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.entries[0].cause, TDM_CAUSE_EXPIRED);
    assert_int_equal(c.state, TDM_CONSENT_VIEW);
    assert_int_not_equal(c.seq, seq);

    grant(TDM_SCOPE_KEYBOARD);
    assert_true(act(TDM_CONSENT_IN_EXTEND, 0, 999999));
    assert_int_equal(c.until, now + (tdm_time)TDM_CONSENT_SECONDS_MAX * TDM_S);
}

static void test_numbers(void **state)
{
    (void)state;
    grant(TDM_SCOPE_KEYBOARD);
    uint32_t seq = c.seq;

    assert_false(tdm_consent_allows(&c, now, TDM_SCOPE_KEYBOARD, seq - 1));
    assert_false(tdm_consent_allows(&c, now, TDM_SCOPE_KEYBOARD | TDM_SCOPE_POINTER, seq));
    assert_false(tdm_consent_allows(&c, now, 0, seq));
    assert_true(act(TDM_CONSENT_IN_EXTEND, 0, 0));
    assert_int_equal(c.seq, seq); /* The same grant goes on. */
    assert_true(act(TDM_CONSENT_IN_TAKE_BACK, 0, 0));
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
    assert_true(act(TDM_CONSENT_IN_ALLOW, 0, 0));
    assert_false(tdm_consent_allows(&c, now, TDM_SCOPE_KEYBOARD, seq)); /* Another grant. */
    assert_true(tdm_consent_allows(&c, now, TDM_SCOPE_KEYBOARD, c.seq));
}

static void test_a_break(void **state)
{
    (void)state;
    grant(TDM_SCOPE_KEYBOARD);
    uint32_t seq = c.seq;

    assert_true(act(TDM_CONSENT_IN_DOWN, 0, 0));
    assert_int_equal(tdm_consent_scopes(&c, now), 0);
    assert_false(tdm_consent_allows(&c, now, TDM_SCOPE_VIEW, c.seq));
    pass(5 * TDM_S);
    assert_true(act(TDM_CONSENT_IN_UP, 0, 0));
    assert_false(tdm_consent_allows(&c, now, TDM_SCOPE_KEYBOARD, seq)); /* What was under way. */
    assert_true(tdm_consent_allows(&c, now, TDM_SCOPE_KEYBOARD, c.seq));
    assert_true(act(TDM_CONSENT_IN_EXTEND, 0, 3600));
    assert_true(act(TDM_CONSENT_IN_DOWN, 0, 0));
    assert_int_equal(out.wake_at, now + TDM_CONSENT_DOWN);
    pass(TDM_CONSENT_DOWN);
    assert_true(act(TDM_CONSENT_IN_UP, 0, 0));
    assert_int_equal(tdm_consent_scopes(&c, now), TDM_SCOPE_VIEW);
}

static void test_questions_that_do_not_stop(void **state)
{
    uint32_t told = 0;

    (void)state;
    begin(true);
    for (int i = 0; i < 3; i++) {
        assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
        assert_false(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_POINTER, 0)); /* One at a time. */
        assert_true(act(TDM_CONSENT_IN_DENY, 0, 0));
    }
    for (int i = 0; i < 50; i++) {
        assert_false(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
        told += out.count;
    }
    assert_int_equal(told, 1);
    pass(TDM_CONSENT_REST);
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
    pass(120 * TDM_S);
    assert_int_equal(out.entries[0].cause, TDM_CAUSE_UNANSWERED);
    assert_int_equal(c.state, TDM_CONSENT_NONE);
    assert_true(act(TDM_CONSENT_IN_END, 0, 0));
    assert_false(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_VIEW, 0));  /* Ended is ended, */
    assert_true(act(TDM_CONSENT_IN_OFFER, TDM_SCOPE_VIEW, 0)); /* until the host offers. */
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPE_KEYBOARD, 0));
}

static void test_never_control(void **state)
{
    (void)state;
    tdm_consent_init(&c, &(struct tdm_consent_config){.known = true, .never_control = true});
    assert_false(act(TDM_CONSENT_IN_ASK, TDM_SCOPES_CONTROL, 0));
    assert_true(act(TDM_CONSENT_IN_ASK, TDM_SCOPES_ALL, 0));
    assert_true(act(TDM_CONSENT_IN_ALLOW, 0, 0));
    assert_int_equal(tdm_consent_scopes(&c, now), TDM_SCOPES_SEEN);
}

static void test_words(void **state)
{
    char text[128], small[8];

    (void)state;
    assert_string_equal(
        tdm_scopes_text(TDM_SCOPE_VIEW | TDM_SCOPE_CLIPBOARD_OUT, text, sizeof text),
        "view, clipboard-out");
    assert_string_equal(tdm_scopes_text(0, text, sizeof text), "nothing");
    assert_true(strlen(tdm_scopes_text(TDM_SCOPES_ALL, small, sizeof small)) < sizeof small);
    for (int i = 0; i < TDM_CAUSE_COUNT; i++)
        assert_non_null(tdm_consent_cause_name((enum tdm_consent_cause)i));
    assert_string_equal(tdm_consent_state_name(TDM_CONSENT_REVOKED), "revoked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_a_stranger_waits_and_is_warned_of),
        cmocka_unit_test(test_drawing_is_warned_of_as_such),
        cmocka_unit_test(test_a_contact_is_no_stranger),
        cmocka_unit_test(test_a_grant_ends),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_a_break),
        cmocka_unit_test(test_questions_that_do_not_stop),
        cmocka_unit_test(test_never_control),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

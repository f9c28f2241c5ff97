/* SPDX-License-Identifier: MIT */
#include "collab/control_pipe.h"
#include "collab/control_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_control_view v;
static struct tdm_control_view_out out;
static tdm_time now;
static char story[1024]; /* Kinds of records with what matters of them. */

static void step(const struct tdm_control_view_in *in)
{
    tdm_control_view_step(&v, now, in, &out);
    for (uint32_t i = 0; i < out.count; i++) {
        const struct tdm_control_record *r = &out.records[i];
        size_t used = strlen(story);

        (void)snprintf(story + used, sizeof story - used, "%d:%d,%d ", r->kind, r->press,
                       r->kind == TDM_CONTROL_KEY    ? r->usage
                       : r->kind == TDM_CONTROL_TEXT ? (int)r->size
                       : r->kind == TDM_CONTROL_BEAT ? (int)r->stamp
                                                     : r->x);
    }
}

static void say(enum tdm_control_view_input kind, struct tdm_control_record rec)
{
    step(&(struct tdm_control_view_in){.kind = kind, .record = rec});
}

static void key(uint16_t evdev, enum tdm_press press, const char *text, bool composing)
{
    step(&(struct tdm_control_view_in){.kind = TDM_VIEW_KEY,
                                       .key = {.evdev = evdev,
                                               .press = press,
                                               .keysym = 'a',
                                               .text = text,
                                               .size = (uint32_t)strlen(text),
                                               .composing = composing}});
}

static void expect(const char *words)
{
    assert_string_equal(story, words);
    story[0] = '\0';
}

static void start(uint16_t scopes)
{
    now = 50 * TDM_S;
    tdm_control_view_init(&v, "us", now);
    say(TDM_VIEW_RECORD,
        (struct tdm_control_record){.kind = TDM_CONTROL_GRANT,
                                    .seq = 5,
                                    .state = scopes & TDM_SCOPES_CONTROL ? TDM_CONSENT_GRANTED
                                                                         : TDM_CONSENT_VIEW,
                                    .scopes = scopes,
                                    .seconds = 60});
    assert_true(out.changed);
    story[0] = '\0';
}

static void test_only_what_was_granted(void **state)
{
    (void)state;
    start(TDM_SCOPE_VIEW);
    key(30, TDM_PRESS_DOWN, "a", false);
    say(TDM_VIEW_MOVE, (struct tdm_control_record){.x = 3});
    say(TDM_VIEW_BUTTON, (struct tdm_control_record){.button = 1, .press = TDM_PRESS_DOWN});
    say(TDM_VIEW_WHEEL, (struct tdm_control_record){.dy = 120});
    say(TDM_VIEW_TEXT, (struct tdm_control_record){.data = (const uint8_t *)"x", .size = 1});
    expect("");
    start(TDM_SCOPE_VIEW | TDM_SCOPE_KEYBOARD);
    key(30, TDM_PRESS_DOWN, "a", false);
    assert_int_equal(out.records[0].seq, 5);
    now += 60 * TDM_S;
    key(31, TDM_PRESS_DOWN, "s", false); /* The time is over, whether the host said so or not. */
    expect("16:1,4 23:0,1 ");
    assert_true(out.changed);
}

static void test_motion_is_bounded_and_before_buttons(void **state)
{
    int moves = 0;

    (void)state;
    start(TDM_SCOPES_ALL);
    for (uint16_t i = 0; i < 1000; i++) { /* A second of a fast mouse. */
        now += TDM_MS;
        say(TDM_VIEW_MOVE, (struct tdm_control_record){.x = i});
        moves += (int)out.count;
        assert_int_equal(v.x, i); /* Drawn at once. */
    }
    assert_in_range(moves, 120, 126);
    story[0] = '\0';
    say(TDM_VIEW_MOVE, (struct tdm_control_record){.x = 2000});
    assert_true(out.wake_at - now <= TDM_VIEW_MOTION);
    say(TDM_VIEW_BUTTON,
        (struct tdm_control_record){.x = 2001, .button = 1, .press = TDM_PRESS_DOWN});
    say(TDM_VIEW_MOVE, (struct tdm_control_record){.x = 2002});
    say(TDM_VIEW_WHEEL, (struct tdm_control_record){.dy = 60});
    say(TDM_VIEW_MOVE, (struct tdm_control_record){.x = 2003});
    key(30, TDM_PRESS_DOWN, "a", false);
    /* Before the beat, which is due as a second has passed: button, move, wheel, move, key. */
    assert_non_null(strstr(story, "20:1,2001 "));
    assert_true(strstr(story, "18:0,2002 ") > strstr(story, "20:1,2001 "));
    assert_true(strstr(story, "21:0,") > strstr(story, "18:0,2002 "));
    assert_true(strstr(story, "18:0,2003 ") > strstr(story, "21:0,"));
    assert_true(strstr(story, "16:1,4 ") > strstr(story, "18:0,2003 "));
    story[0] = '\0';
}

static void test_keys_and_focus(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL);
    say(TDM_VIEW_FOCUS, (struct tdm_control_record){.press = TDM_PRESS_DOWN});
    key(30, TDM_PRESS_UP, "", false); /* Pressed elsewhere. */
    key(30, TDM_PRESS_DOWN, "a", false);
    key(30, TDM_PRESS_REPEAT, "a", false);
    expect("24:1,0 16:1,4 16:2,4 ");
    say(TDM_VIEW_FOCUS, (struct tdm_control_record){.press = TDM_PRESS_UP});
    key(30, TDM_PRESS_UP, "", false);
    expect("24:0,0 ");
    key(30, TDM_PRESS_DOWN, "a", false);
    story[0] = '\0';
    say(TDM_VIEW_RECORD,
        (struct tdm_control_record){.kind = TDM_CONTROL_GRANT, .seq = 6, .scopes = TDM_SCOPE_VIEW});
    key(30, TDM_PRESS_UP, "", false); /* The host has let go of it. */
    expect("");
}

static void test_beats(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL);
    assert_int_equal(out.wake_at, v.until);
    key(30, TDM_PRESS_DOWN, "a", false);
    expect("16:1,4 ");
    assert_int_equal(out.wake_at, now + 250 * TDM_MS);
    now += 250 * TDM_MS;
    step(NULL);
    expect("23:0,1 ");
    now += 7 * TDM_MS;
    say(TDM_VIEW_RECORD, (struct tdm_control_record){.kind = TDM_CONTROL_ECHO, .stamp = 1});
    assert_int_equal(v.echo, 7 * TDM_MS);
    say(TDM_VIEW_RECORD, (struct tdm_control_record){.kind = TDM_CONTROL_ECHO, .stamp = 77});
    assert_int_equal(v.echo, 7 * TDM_MS); /* Never sent. */
}

static void test_dead_keys(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL);
    say(TDM_VIEW_RECORD, (struct tdm_control_record){
                             .kind = TDM_CONTROL_HELLO, .data = (const uint8_t *)"de", .size = 2});
    key(13, TDM_PRESS_DOWN, "", true);
    key(13, TDM_PRESS_UP, "", false);
    key(18, TDM_PRESS_DOWN, "\xc3\xa9", false);
    key(18, TDM_PRESS_UP, "", false);
    expect("17:0,2 ");
    say(TDM_VIEW_RECORD, (struct tdm_control_record){
                             .kind = TDM_CONTROL_HELLO, .data = (const uint8_t *)"us", .size = 2});
    key(13, TDM_PRESS_DOWN, "", true); /* The host composes. */
    key(13, TDM_PRESS_UP, "", false);
    expect("16:1,46 16:0,46 ");
}

static void test_long_text_is_cut_between_characters(void **state)
{
    static uint8_t text[3 * 400 + 1];

    (void)state;
    start(TDM_SCOPES_ALL);
    for (int i = 0; i < 400; i++)
        memcpy(text + 3 * i, "\xe6\x97\xa5", 3);
    text[1200] = 0xe6; /* Half a character. */
    say(TDM_VIEW_TEXT, (struct tdm_control_record){.data = text, .size = sizeof text});
    expect("17:0,510 17:0,510 17:0,180 ");
}

static void test_the_ghost_hand(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL);
    say(TDM_VIEW_BUTTON, (struct tdm_control_record){.button = 1, .press = TDM_PRESS_DOWN, .x = 1});
    say(TDM_VIEW_GHOST, (struct tdm_control_record){.press = TDM_PRESS_DOWN});
    expect("20:1,1 24:0,0 ");
    say(TDM_VIEW_BUTTON, (struct tdm_control_record){.button = 1, .press = TDM_PRESS_DOWN, .x = 2});
    say(TDM_VIEW_BUTTON, (struct tdm_control_record){.button = 1, .x = 2});
    key(30, TDM_PRESS_DOWN, "a", false);
    expect("25:1,2 ");      /* A suggested click. */
    start(TDM_SCOPES_SEEN); /* Without control the pointer is one by itself. */
    say(TDM_VIEW_MOVE, (struct tdm_control_record){.x = 9});
    expect("25:0,9 ");
}

/* A pipe keeps what was not acknowledged, and refuses what has no room. */
static void test_a_pipe(void **state)
{
    static struct tdm_control_pipe p, q;
    struct tdm_control_record rec = {.kind = TDM_CONTROL_MOVE, .x = 1}, got;
    uint8_t bytes[64], again[64];
    uint32_t count = 0;

    (void)state;
    tdm_control_pipe_init(&p);
    tdm_control_pipe_init(&q);
    while (tdm_control_pipe_put(&p, &rec) == TDM_OK)
        count++;
    assert_int_equal(count, TDM_CONTROL_PIPE_BYTES / 13);
    assert_int_equal(tdm_control_pipe_pull(&p, bytes, 64), 64);
    tdm_control_pipe_acked(&p, 26);
    assert_int_equal(tdm_control_pipe_put(&p, &rec), TDM_OK);
    tdm_control_pipe_rewind(&p, 26);
    assert_int_equal(tdm_control_pipe_pull(&p, again, 38), 38);
    assert_memory_equal(again, bytes + 26, 38);
    for (size_t at = 0; at < 26; at++) /* Byte by byte. */
        assert_int_equal(tdm_control_pipe_take(&q, bytes + at, 1, &got), 1);
    assert_int_equal(got.kind, TDM_CONTROL_MOVE);
    assert_int_equal(got.x, 1);
    static const uint8_t bad[] = {0xff, 0xff, 0, 0, 0, 1, 99, 0, 3, 16, 1, 2};

    for (size_t at = 0; at < sizeof bad;) /* Too large, and stepped over: all of it is. */
        at += tdm_control_pipe_take(&q, bad + at, sizeof bad - at, &got);
    assert_int_equal(q.refused, 1);
    assert_int_equal(q.skip, 0xffff - (sizeof bad - 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_was_granted),
        cmocka_unit_test(test_motion_is_bounded_and_before_buttons),
        cmocka_unit_test(test_keys_and_focus),
        cmocka_unit_test(test_beats),
        cmocka_unit_test(test_dead_keys),
        cmocka_unit_test(test_long_text_is_cut_between_characters),
        cmocka_unit_test(test_the_ghost_hand),
        cmocka_unit_test(test_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

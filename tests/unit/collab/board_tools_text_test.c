/* SPDX-License-Identifier: MIT */
/* Text edited where it stands, by one and by two at once. */
#include "tests/unit/board_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After the four headers that it needs. */
#include <cmocka.h>

static struct hand h, other;

static int set_up(void **state)
{
    (void)state;
    hand_open(&h, 7);
    hand_open(&other, 9);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hand_close(&h);
    hand_close(&other);
    return 0;
}

static void text_is(const struct hand *hand, int which, const char *expected)
{
    char text[HAND_TEXT];
    size_t size = hand_text(tdm_board_find(hand->board, hand_object(hand, which).id), text);

    text[size < HAND_TEXT ? size : HAND_TEXT - 1] = 0;
    assert_string_equal(text, expected);
}

static void begin_text(const char *text)
{
    hand_key(&h, 't', 0);
    hand_click(&h, 300, 300, 0);
    assert_int_not_equal(h.tools.editing.seq, 0);
    hand_type(&h, text);
}

static void test_typing(void **state)
{
    (void)state;
    begin_text("H\xc3\xa4llo");
    hand_key(&h, TDM_BOARD_KEY_ENTER, 0);
    hand_type(&h, "w");
    text_is(&h, 0, "H\xc3\xa4llo\nw");
    hand_key(&h, TDM_BOARD_KEY_BACKSPACE, 0);
    hand_key(&h, TDM_BOARD_KEY_BACKSPACE, 0);
    text_is(&h, 0, "H\xc3\xa4llo");
    hand_key(&h, TDM_BOARD_KEY_HOME, 0);
    hand_key(&h, TDM_BOARD_KEY_RIGHT, 0);
    hand_key(&h, TDM_BOARD_KEY_DELETE, 0); /* The letter, not its first byte. */
    text_is(&h, 0, "Hllo");
    hand_type(&h, "e");
    text_is(&h, 0, "Hello");
    hand_key(&h, TDM_BOARD_KEY_END, 0);
    hand_type(&h, "!");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    text_is(&h, 0, "Hello!");
    assert_int_equal(h.tools.editing.seq, 0);
    assert_int_equal(h.tools.tool, TDM_BOARD_TOOL_SELECT);
    assert_int_equal(h.tools.selected_count, 1);
}

/* Letters while text is edited are letters, and no tools. */
static void test_letters_are_no_shortcuts(void **state)
{
    (void)state;
    begin_text("");
    hand_key(&h, 'r', 0);
    hand_type(&h, "r");
    hand_key(&h, 'g', TDM_BOARD_CTRL);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    hand_type(&h, "x");
    text_is(&h, 0, "x");
    assert_int_not_equal(h.tools.editing.seq, 0);
    assert_int_equal(hand_count(&h), 1);
}

static void test_marking(void **state)
{
    uint32_t from, to, caret;

    (void)state;
    begin_text("one two three");
    hand_key(&h, TDM_BOARD_KEY_LEFT, TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    tdm_board_tools_marked(&h.tools, &from, &to, &caret);
    assert_int_equal(from, 8);
    assert_int_equal(to, 13);
    assert_int_equal(caret, 8);
    hand_type(&h, "3");
    text_is(&h, 0, "one two 3");
    /* With the pointer: from the middle of the text to its begin. */
    struct tdm_board_frame f = {0};

    assert_true(hand_frame(&h, h.tools.editing, &f));
    hand_drag(&h, f.left + 7 * HAND_LETTER, f.top + 5, f.left + 4 * HAND_LETTER, f.top + 5, 0);
    hand_key(&h, TDM_BOARD_KEY_BACKSPACE, 0);
    text_is(&h, 0, "one  3");
    /* A double click takes the word. */
    hand_double(&h, f.left + HAND_LETTER, f.top + 5);
    hand_type(&h, "1 ");
    text_is(&h, 0, "1 3");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    /* A double click on text that is not edited begins that, beside what is clicked. */
    hand_double(&h, f.left + 4, f.top + 5);
    hand_type(&h, "0");
    text_is(&h, 0, "01 3");
}

static void test_up_and_down(void **state)
{
    uint32_t from, to, caret;

    (void)state;
    begin_text("abcdef\nxyz");
    hand_key(&h, TDM_BOARD_KEY_UP, 0);
    tdm_board_tools_marked(&h.tools, &from, &to, &caret);
    assert_int_equal(caret, 3);
    hand_key(&h, TDM_BOARD_KEY_DOWN, 0);
    tdm_board_tools_marked(&h.tools, &from, &to, &caret);
    assert_int_equal(caret, 10);
    hand_key(&h, TDM_BOARD_KEY_HOME, TDM_BOARD_CTRL);
    tdm_board_tools_marked(&h.tools, &from, &to, &caret);
    assert_int_equal(caret, 0);
}

/* A pause, or the caret put elsewhere, ends a step of undo. */
static void test_undo_steps(void **state)
{
    (void)state;
    begin_text("one");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_key(&h, TDM_BOARD_KEY_ENTER, 0);
    hand_key(&h, TDM_BOARD_KEY_END, 0);
    hand_type(&h, " two");
    hand_wait(&h, 2 * TDM_S);
    hand_type(&h, " three");
    text_is(&h, 0, "one two three");
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    text_is(&h, 0, "one two");
    assert_int_not_equal(h.tools.editing.seq, 0);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    text_is(&h, 0, "one");
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 0);
    assert_int_equal(h.tools.editing.seq, 0);
}

/* Nothing is left of a text that stays empty, and nothing before it is undone. */
static void test_empty_text_goes(void **state)
{
    (void)state;
    hand_key(&h, 'r', 0);
    hand_drag(&h, 500, 500, 600, 600, 0);
    hand_key(&h, 't', 0);
    hand_click(&h, 300, 300, 0);
    assert_int_equal(hand_count(&h), 2);
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    assert_int_equal(hand_count(&h), 1);
    assert_int_equal(hand_object(&h, 0).type, TDM_BOARD_RECTANGLE);
    begin_text("x");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_key(&h, TDM_BOARD_KEY_ENTER, 0);
    hand_key(&h, TDM_BOARD_KEY_BACKSPACE, 0);
    hand_click(&h, 700, 700, 0);
    assert_int_equal(hand_count(&h), 1);
}

static void test_width(void **state)
{
    (void)state;
    hand_key(&h, 't', 0);
    hand_drag(&h, 300, 300, 500, 340, 0); /* Text that wraps there. */
    hand_type(&h, "a");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    struct tdm_board_view v = hand_object(&h, 0);

    assert_int_equal(v.w, 200 * TDM_BOARD_UNIT);
    double x, y;

    assert_true(tdm_board_tools_handle(&h.tools, TDM_BOARD_HANDLE_E, &x, &y));
    hand_drag(&h, x, y, x + 100, y, TDM_BOARD_CTRL);
    assert_int_equal(hand_object(&h, 0).w, 300 * TDM_BOARD_UNIT);
    assert_int_equal(hand_object(&h, 0).font_size, v.font_size);
    /* By a corner letters grow. */
    assert_true(tdm_board_tools_handle(&h.tools, TDM_BOARD_HANDLE_SE, &x, &y));
    hand_drag(&h, x, y, x + 300, y + HAND_LINE, TDM_BOARD_CTRL);
    assert_int_equal(hand_object(&h, 0).font_size, 2 * v.font_size);
}

/* What is pasted may be anything. */
static void test_paste(void **state)
{
    static const char broken[] = "a\xff\xc3\r\nb\rc";

    (void)state;
    hand_step(&h, &(struct tdm_board_in){
                      .kind = TDM_BOARD_IN_TEXT, .text = broken, .size = sizeof broken - 1});
    text_is(&h, 0, "a\xef\xbf\xbd\xef\xbf\xbd\nb\nc");
    assert_int_equal(h.tools.editing.seq, 0);
    static char large[20000];

    memset(large, 'm', sizeof large);
    hand_step(
        &h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_TEXT, .text = large, .size = sizeof large});
    assert_int_equal(hand_object(&h, 1).characters, sizeof large);
}

/* Both type into the same text; each caret stays with its letters, each undoes its own. */
static void test_both_at_once(void **state)
{
    uint8_t a[TDM_BOARD_DIGEST_BYTES], b[TDM_BOARD_DIGEST_BYTES];

    (void)state;
    h.other = &other;
    begin_text("middle");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_key(&h, TDM_BOARD_KEY_ENTER, 0);
    hand_key(&h, TDM_BOARD_KEY_END, 0);
    other.other = &h;
    hand_step(&other, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
    hand_double(&other, 302, 300);
    assert_int_not_equal(other.tools.editing.seq, 0);
    hand_key(&other, TDM_BOARD_KEY_HOME, TDM_BOARD_CTRL);
    for (int i = 0; i < 3; i++) {
        hand_type(&h, "]");
        hand_step(&other, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
        hand_type(&other, "[");
        hand_step(&h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
    }
    text_is(&h, 0, "[[[middle]]]");
    text_is(&other, 0, "[[[middle]]]");
    hand_key(&other, 'z', TDM_BOARD_CTRL);
    text_is(&h, 0, "middle]]]");
    hand_step(&h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
    hand_type(&h, "!");
    text_is(&other, 0, "middle]]]!");
    tdm_board_digest(h.board, a);
    tdm_board_digest(other.board, b);
    assert_memory_equal(a, b, sizeof a);
}

static void test_compose(void **state)
{
    (void)state;
    begin_text("a");
    hand_step(&h,
              &(struct tdm_board_in){.kind = TDM_BOARD_IN_COMPOSE, .text = "\xc2\xb4", .size = 2});
    assert_int_equal(h.tools.compose_size, 2);
    text_is(&h, 0, "a");
    hand_type(&h, "\xc3\xa1");
    assert_int_equal(h.tools.compose_size, 0);
    text_is(&h, 0, "a\xc3\xa1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_typing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_are_no_shortcuts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_marking, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_up_and_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_undo_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_text_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_width, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paste, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compose, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

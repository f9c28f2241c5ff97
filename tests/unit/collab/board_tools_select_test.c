/* SPDX-License-Identifier: MIT */
/* Selecting, moving, resizing, turning, snapping, groups, locks. */
#include "tests/unit/board_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define PX TDM_BOARD_UNIT

static struct hand h;

/* Three boxes of 100 x 60 in a row, 200 apart, nothing selected; nothing snaps. */
static int set_up(void **state)
{
    (void)state;
    hand_open(&h, 7);
    hand_do(&h, TDM_BOARD_DO_SNAP, 0);
    for (int i = 0; i < 3; i++) {
        hand_key(&h, 'r', 0);
        hand_drag(&h, 100 + 200 * i, 100, 200 + 200 * i, 160, 0);
        hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    }
    assert_int_equal(hand_count(&h), 3);
    assert_int_equal(h.tools.selected_count, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hand_close(&h);
    return 0;
}

static void box_is(int which, int x, int y, int w, int height)
{
    struct tdm_board_view v = hand_object(&h, which);

    assert_in_range(abs(v.x - x * PX), 0, 2);
    assert_in_range(abs(v.y - y * PX), 0, 2);
    assert_in_range(abs(v.w - w * PX), 0, 2);
    assert_in_range(abs(v.h - height * PX), 0, 2);
}

static void test_click_and_shift(void **state)
{
    (void)state;
    hand_click(&h, 150, 130, 0);
    assert_int_equal(h.tools.selected_count, 1);
    hand_click(&h, 350, 130, TDM_BOARD_SHIFT);
    assert_int_equal(h.tools.selected_count, 2);
    hand_click(&h, 350, 130, TDM_BOARD_SHIFT);
    assert_int_equal(h.tools.selected_count, 1);
    hand_click(&h, 550, 130, 0);
    assert_int_equal(h.tools.selected_count, 1);
    assert_true(tdm_board_same(h.tools.selected[0], hand_object(&h, 2).id));
    hand_click(&h, 700, 500, 0);
    assert_int_equal(h.tools.selected_count, 0);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    assert_int_equal(h.tools.selected_count, 3);
    hand_click(&h, 150, 130, 0); /* One of many: that one. */
    assert_int_equal(h.tools.selected_count, 1);
}

static void test_band(void **state)
{
    (void)state;
    hand_drag(&h, 50, 50, 420, 300, 0); /* Two as a whole, the third not at all. */
    assert_int_equal(h.tools.selected_count, 2);
    hand_drag(&h, 450, 300, 650, 60, TDM_BOARD_SHIFT);
    assert_int_equal(h.tools.selected_count, 3);
    hand_drag(&h, 50, 50, 150, 300, 0); /* Half of one is none. */
    assert_int_equal(h.tools.selected_count, 0);
}

static void test_move(void **state)
{
    (void)state;
    hand_drag(&h, 150, 130, 190, 180, 0);
    box_is(0, 140, 150, 100, 60);
    box_is(1, 300, 100, 100, 60);
    hand_drag(&h, 190, 180, 240, 190, TDM_BOARD_SHIFT); /* Along one axis. */
    /* Shift on what is selected takes it out. */
    assert_int_equal(h.tools.selected_count, 0);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    box_is(0, 100, 100, 100, 60);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    hand_down(&h, 150, 130, 0);
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 250, 140, TDM_BOARD_SHIFT);
    hand_pointer(&h, TDM_BOARD_IN_UP, 250, 140, TDM_BOARD_SHIFT);
    for (int i = 0; i < 3; i++)
        box_is(i, 200 + 200 * i, 100, 100, 60);
    hand_key(&h, 'z', TDM_BOARD_CTRL); /* All of it is one step. */
    for (int i = 0; i < 3; i++)
        box_is(i, 100 + 200 * i, 100, 100, 60);
}

static void test_move_is_written_by_beats(void **state)
{
    (void)state;
    hand_down(&h, 150, 130, 0);
    h.now += 20 * TDM_MS;
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 160, 130, 0);
    box_is(0, 110, 100, 100, 60);
    h.now -= 9 * TDM_MS; /* 1 ms after the last. */
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 170, 130, 0);
    box_is(0, 110, 100, 100, 60);
    assert_true(h.out.wake_at <= h.now + TDM_BOARD_TOOLS_BEAT);
    h.now = h.out.wake_at;
    hand_wait(&h, 0);
    box_is(0, 120, 100, 100, 60);
}

static void test_alt_drags_a_copy(void **state)
{
    (void)state;
    hand_drag(&h, 150, 130, 150, 330, TDM_BOARD_ALT);
    assert_int_equal(hand_count(&h), 4);
    box_is(0, 100, 100, 100, 60);
    box_is(3, 100, 300, 100, 60);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 3);
}

static void test_nudge(void **state)
{
    (void)state;
    hand_click(&h, 150, 130, 0);
    hand_key(&h, TDM_BOARD_KEY_RIGHT, 0);
    hand_key(&h, TDM_BOARD_KEY_DOWN, TDM_BOARD_SHIFT);
    box_is(0, 101, 110, 100, 60);
    hand_key(&h, TDM_BOARD_KEY_LEFT, 0);
    hand_key(&h, TDM_BOARD_KEY_UP, 0);
    box_is(0, 100, 109, 100, 60);
}

struct resize {
    enum tdm_board_handle handle;
    double dx, dy;
    uint32_t mods;
    int box[4];
};

static const struct resize resizes[] = {
    {TDM_BOARD_HANDLE_SE, 50, 30, 0, {100, 100, 150, 90}},
    {TDM_BOARD_HANDLE_NW, 50, 30, 0, {150, 130, 50, 30}},
    {TDM_BOARD_HANDLE_NE, 50, -40, 0, {100, 60, 150, 100}},
    {TDM_BOARD_HANDLE_SW, -50, 40, 0, {50, 100, 150, 100}},
    {TDM_BOARD_HANDLE_E, 20, 400, 0, {100, 100, 120, 60}},
    {TDM_BOARD_HANDLE_W, 20, 400, 0, {120, 100, 80, 60}},
    {TDM_BOARD_HANDLE_N, 400, 20, 0, {100, 120, 100, 40}},
    {TDM_BOARD_HANDLE_S, 400, 20, 0, {100, 100, 100, 80}},
    {TDM_BOARD_HANDLE_SE, 100, 0, TDM_BOARD_SHIFT, {100, 100, 200, 120}},
    {TDM_BOARD_HANDLE_SE, 50, 30, TDM_BOARD_ALT, {50, 70, 200, 120}},
    {TDM_BOARD_HANDLE_E, -150, 0, 0, {50, 100, 50, 60}}, /* Turned over. */
};

static void drag_handle(enum tdm_board_handle handle, double dx, double dy, uint32_t mods)
{
    double x, y;

    assert_true(tdm_board_tools_handle(&h.tools, handle, &x, &y));
    hand_drag(&h, x, y, x + dx, y + dy, mods);
}

static void test_resize(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof resizes / sizeof *resizes; i++) {
        const struct resize *r = &resizes[i];

        hand_click(&h, 150, 130, 0);
        drag_handle(r->handle, r->dx, r->dy, r->mods);
        box_is(0, r->box[0], r->box[1], r->box[2], r->box[3]);
        hand_key(&h, 'z', TDM_BOARD_CTRL);
        box_is(0, 100, 100, 100, 60);
        hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    }
}

/* Several grow together, each at its part of the box; ink by its scale. */
static void test_resize_several(void **state)
{
    (void)state;
    hand_key(&h, 'p', 0);
    hand_drag(&h, 100, 300, 200, 400, 0);
    hand_key(&h, 'v', 0);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    drag_handle(TDM_BOARD_HANDLE_SE, 500, 300, 0); /* 500 x 300 twice as large. */
    box_is(0, 100, 100, 200, 120);
    box_is(1, 500, 100, 200, 120);
    box_is(2, 900, 100, 200, 120);
    struct tdm_board_view v = hand_object(&h, 3);

    assert_int_equal(v.x, 100 * PX);
    assert_in_range(abs(v.y - 500 * PX), 0, 2);
    assert_in_range(abs(v.scale_x - 2 * 65536), 0, 300);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    box_is(2, 500, 100, 100, 60);
}

static void test_turn(void **state)
{
    double x, y;

    (void)state;
    hand_click(&h, 150, 130, 0);
    assert_true(tdm_board_tools_handle(&h.tools, TDM_BOARD_HANDLE_TURN, &x, &y));
    assert_in_range((int)x, 149, 151);
    /* From above the middle to its right: a quarter. */
    hand_drag(&h, x, y, 150 + 56, 130, TDM_BOARD_SHIFT);
    assert_int_equal(hand_object(&h, 0).angle, 16384);
    box_is(0, 100, 100, 100, 60);
    /* The handle has gone along, and the sides are turned with it. */
    assert_true(tdm_board_tools_handle(&h.tools, TDM_BOARD_HANDLE_TURN, &x, &y));
    assert_in_range((int)x, 210, 212);
    /* What was its right side points down now: it is dragged down, the other end stays. */
    drag_handle(TDM_BOARD_HANDLE_E, 0, 40, 0);
    struct tdm_board_view v = hand_object(&h, 0);

    assert_in_range(abs(v.w - 140 * PX), 0, 2);
    assert_in_range(abs(v.h - 60 * PX), 0, 2);
    /* Its upper end, which was its left side, is where it was: 130 - 50. */
    assert_in_range(abs(v.y + v.h / 2 - v.w / 2 - 80 * PX), 0, 4);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_object(&h, 0).angle, 0);
}

static void test_line_ends(void **state)
{
    (void)state;
    hand_key(&h, 'l', 0);
    hand_drag(&h, 100, 300, 200, 400, 0);
    assert_true(h.tools.box.line);
    drag_handle(TDM_BOARD_HANDLE_BEGIN, -20, -50, 0);
    struct tdm_board_view v = hand_object(&h, 3);

    assert_int_equal(v.x, 80 * PX);
    assert_int_equal(v.y, 250 * PX);
    assert_int_equal(v.w, 120 * PX);
    assert_int_equal(v.h, 150 * PX);
    drag_handle(TDM_BOARD_HANDLE_END, 0, -147, TDM_BOARD_SHIFT); /* Nearly level: level. */
    assert_int_equal(hand_object(&h, 3).h, 0);
}

static void test_snap(void **state)
{
    (void)state;
    hand_do(&h, TDM_BOARD_DO_SNAP, 0);
    /* 4 px beside the left edge of the second box. */
    hand_down(&h, 150, 130, 0);
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 200, 250, 0);
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 354, 330, 0);
    assert_true(h.tools.guide_count > 0);
    hand_pointer(&h, TDM_BOARD_IN_UP, 354, 330, 0);
    assert_int_equal(h.tools.guide_count, 0);
    box_is(0, 300, 300, 100, 60);
    hand_drag(&h, 350, 330, 354, 370, TDM_BOARD_CTRL); /* Freely. */
    box_is(0, 304, 340, 100, 60);
    hand_key(&h, '\'', TDM_BOARD_CTRL); /* The grid. */
    hand_drag(&h, 354, 370, 359, 378, 0);
    box_is(0, 300, 340, 100, 60);
}

static void test_groups(void **state)
{
    (void)state;
    hand_click(&h, 150, 130, 0);
    hand_click(&h, 350, 130, TDM_BOARD_SHIFT);
    hand_key(&h, 'g', TDM_BOARD_CTRL);
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_click(&h, 150, 130, 0);
    assert_int_equal(h.tools.selected_count, 2);
    hand_drag(&h, 150, 130, 150, 230, 0);
    box_is(0, 100, 200, 100, 60);
    box_is(1, 300, 200, 100, 60);
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_double(&h, 150, 230); /* Into the group. */
    assert_int_equal(h.tools.selected_count, 1);
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_click(&h, 150, 230, 0);
    hand_key(&h, 'd', TDM_BOARD_CTRL); /* The copies are a group of their own. */
    assert_int_equal(hand_count(&h), 5);
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_click(&h, 105, 205, 0);
    assert_int_equal(h.tools.selected_count, 2);
    hand_key(&h, 'g', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_click(&h, 105, 205, 0);
    assert_int_equal(h.tools.selected_count, 1);
}

static void test_lock(void **state)
{
    (void)state;
    hand_click(&h, 150, 130, 0);
    hand_key(&h, 'l', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    assert_true(h.asked & TDM_BOARD_ASK_SAY);
    hand_drag(&h, 150, 130, 250, 330, 0);
    box_is(0, 100, 100, 100, 60);
    hand_key(&h, TDM_BOARD_KEY_DELETE, 0);
    assert_int_equal(hand_count(&h), 3);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    assert_int_equal(h.tools.selected_count, 2);
    hand_key(&h, 'l', TDM_BOARD_CTRL | TDM_BOARD_SHIFT | TDM_BOARD_ALT);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    assert_int_equal(h.tools.selected_count, 3);
}

/* What another deletes is not selected any more, also while it is dragged. */
static void test_gone_under_the_hand(void **state)
{
    struct tdm_board_id id = hand_object(&h, 0).id;

    (void)state;
    hand_down(&h, 150, 130, 0);
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 180, 160, 0);
    assert_int_equal(tdm_board_delete(h.board, id), TDM_OK);
    hand_step(&h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
    assert_int_equal(h.tools.selected_count, 0);
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 250, 260, 0);
    hand_pointer(&h, TDM_BOARD_IN_UP, 250, 260, 0);
    assert_int_equal(hand_count(&h), 2);
    assert_int_equal(h.tools.gesture, TDM_BOARD_IDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_click_and_shift, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_band, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_move_is_written_by_beats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alt_drags_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nudge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resize, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resize_several, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_line_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone_under_the_hand, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

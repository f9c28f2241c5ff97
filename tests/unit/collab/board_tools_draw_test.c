/* SPDX-License-Identifier: MIT */
/* Tools that make and take away: from what the pointer does to what the document says. */
#include "tests/unit/board_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define PX TDM_BOARD_UNIT

static struct hand h;

static int set_up(void **state)
{
    (void)state;
    hand_open(&h, 7);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hand_close(&h);
    return 0;
}

static void test_pen(void **state)
{
    (void)state;
    hand_key(&h, 'p', 0);
    assert_int_equal(h.tools.tool, TDM_BOARD_TOOL_PEN);
    hand_drag(&h, 100, 100, 180, 140, 0);
    assert_int_equal(hand_count(&h), 1);
    struct tdm_board_view v = hand_object(&h, 0);

    assert_int_equal(v.type, TDM_BOARD_PEN);
    assert_int_equal(v.x, 100 * PX);
    assert_int_equal(v.points, 5);
    assert_true(v.sealed);
    assert_false(v.broken);
    struct tdm_board_points points = tdm_board_points(tdm_board_find(h.board, v.id));
    struct tdm_board_point p = {0};

    while (tdm_board_point_next(&points, &p))
        assert_int_equal(p.pressure, 128);
    assert_int_equal(p.x, 80 * PX);
    assert_int_equal(p.y, 40 * PX);
    assert_int_equal(h.tools.tool, TDM_BOARD_TOOL_PEN); /* It stays. */
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 0);
    hand_key(&h, 'z', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    assert_int_equal(hand_count(&h), 1);
}

/* The pressure of a pen is the point's; its other end rubs out whatever the tool is. */
static void test_pen_device(void **state)
{
    struct tdm_board_in in = {.kind = TDM_BOARD_IN_DOWN,
                              .device = TDM_DEVICE_PEN,
                              .x = 50,
                              .y = 50,
                              .button = 1,
                              .pressure = 65535};

    (void)state;
    hand_key(&h, 'p', 0);
    hand_step(&h, &in);
    in.kind = TDM_BOARD_IN_UP;
    hand_step(&h, &in);
    struct tdm_board_points points =
        tdm_board_points(tdm_board_find(h.board, hand_object(&h, 0).id));
    struct tdm_board_point p;

    assert_true(tdm_board_point_next(&points, &p));
    assert_int_equal(p.pressure, 255);
    in.kind = TDM_BOARD_IN_DOWN;
    in.device = TDM_DEVICE_RUBBER;
    hand_step(&h, &in);
    in.kind = TDM_BOARD_IN_UP;
    hand_step(&h, &in);
    assert_int_equal(hand_count(&h), 0);
}

/* Points that come faster than they are written are there after a beat. */
static void test_ink_waits_for_its_beat(void **state)
{
    (void)state;
    hand_key(&h, 'p', 0);
    hand_down(&h, 100, 100, 0);
    for (int i = 1; i <= 3; i++) {
        h.now += TDM_MS / 2;
        hand_step(&h, &(struct tdm_board_in){
                          .kind = TDM_BOARD_IN_MOVE, .x = 100 + 10 * i, .y = 100, .button = 1});
    }
    assert_int_equal(hand_object(&h, 0).points, 1);
    assert_true(h.out.wake_at <= h.now + 2 * TDM_MS);
    h.now = h.out.wake_at;
    hand_wait(&h, 0);
    assert_int_equal(hand_object(&h, 0).points, 4);
}

static void test_marker(void **state)
{
    (void)state;
    hand_key(&h, 'm', 0);
    hand_do(&h, TDM_BOARD_DO_COLOUR, 0xff8787ff);
    hand_drag(&h, 100, 100, 180, 100, 0);
    struct tdm_board_view v = hand_object(&h, 0);

    assert_int_equal(v.type, TDM_BOARD_MARKER);
    assert_int_equal(v.colour, 0xff8787ff);
    assert_int_equal(v.width, 18 * PX);
    hand_key(&h, 'p', 0); /* The pen's colour is another. */
    hand_drag(&h, 100, 200, 180, 200, 0);
    assert_int_equal(hand_object(&h, 1).colour, 0x1e1e1eff);
}

struct shape {
    uint32_t key;
    enum tdm_board_type type;
    double from[2], to[2];
    uint32_t mods;
    int box[4]; /* px */
};

static const struct shape shapes[] = {
    {'r', TDM_BOARD_RECTANGLE, {100, 100}, {200, 160}, 0, {100, 100, 100, 60}},
    {'2', TDM_BOARD_RECTANGLE, {200, 160}, {100, 100}, 0, {100, 100, 100, 60}},
    {'r', TDM_BOARD_RECTANGLE, {100, 100}, {200, 160}, TDM_BOARD_SHIFT, {100, 100, 100, 100}},
    {'r', TDM_BOARD_RECTANGLE, {100, 100}, {150, 130}, TDM_BOARD_ALT, {50, 70, 100, 60}},
    {'o', TDM_BOARD_ELLIPSE, {100, 100}, {200, 160}, 0, {100, 100, 100, 60}},
    {'4', TDM_BOARD_ELLIPSE, {100, 100}, {50, 160}, TDM_BOARD_SHIFT, {40, 100, 60, 60}},
    {'l', TDM_BOARD_LINE, {100, 100}, {50, 160}, 0, {100, 100, -50, 60}},
    {'6', TDM_BOARD_LINE, {100, 100}, {200, 103}, TDM_BOARD_SHIFT, {100, 100, 100, 0}},
    {'a', TDM_BOARD_ARROW, {100, 100}, {200, 160}, 0, {100, 100, 100, 60}},
    {'5', TDM_BOARD_ARROW, {100, 100}, {100, 40}, TDM_BOARD_SHIFT, {100, 100, 0, -60}},
    {'n', TDM_BOARD_NOTE, {100, 100}, {250, 260}, 0, {100, 100, 150, 160}},
};

static void test_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *s = &shapes[i];

        hand_key(&h, s->key, 0);
        hand_drag(&h, s->from[0], s->from[1], s->to[0], s->to[1], s->mods);
        assert_int_equal(hand_count(&h), 1);
        struct tdm_board_view v = hand_object(&h, 0);

        assert_int_equal(v.type, s->type);
        assert_in_range(abs(v.x - s->box[0] * PX), 0, 8);
        assert_in_range(abs(v.y - s->box[1] * PX), 0, 8);
        assert_in_range(abs(v.w - s->box[2] * PX), 0, 8);
        assert_in_range(abs(v.h - s->box[3] * PX), 0, 8);
        /* It is selected, and the tool is done. */
        assert_int_equal(h.tools.tool, TDM_BOARD_TOOL_SELECT);
        assert_int_equal(h.tools.selected_count, 1);
        hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
        hand_key(&h, 'z', TDM_BOARD_CTRL);
        assert_int_equal(hand_count(&h), 0);
    }
}

/* A click is no shape; a note is put where it was clicked, and written on. */
static void test_clicks(void **state)
{
    (void)state;
    hand_key(&h, 'r', 0);
    hand_click(&h, 100, 100, 0);
    assert_int_equal(hand_count(&h), 0);
    assert_int_equal(h.tools.tool, TDM_BOARD_TOOL_RECTANGLE);
    hand_key(&h, 'n', 0);
    hand_click(&h, 300, 300, 0);
    struct tdm_board_view v = hand_object(&h, 0);

    assert_int_equal(v.type, TDM_BOARD_NOTE);
    assert_int_equal(v.x, 200 * PX);
    assert_int_equal(v.w, 200 * PX);
    assert_true(tdm_board_same(h.tools.editing, v.id));
    hand_type(&h, "milk");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    assert_int_equal(hand_object(&h, 0).characters, 4);
    hand_key(&h, 'z', TDM_BOARD_CTRL); /* Placed and written: one step. */
    assert_int_equal(hand_count(&h), 0);
}

/* Escape in the middle of a gesture leaves nothing of it, and what was before. */
static void test_escape_takes_back(void **state)
{
    static const uint32_t keys[] = {'p', 'm', 'r', 'o', 'l', 'a'};

    (void)state;
    hand_key(&h, 'r', 0);
    hand_drag(&h, 400, 400, 500, 500, 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        hand_key(&h, keys[i], 0);
        hand_down(&h, 100, 100, 0);
        hand_pointer(&h, TDM_BOARD_IN_MOVE, 150, 150, 0);
        hand_pointer(&h, TDM_BOARD_IN_MOVE, 200, 180, 0);
        assert_int_equal(hand_count(&h), 2);
        hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
        assert_int_equal(hand_count(&h), 1);
        hand_pointer(&h, TDM_BOARD_IN_UP, 200, 180, 0);
        assert_int_equal(hand_count(&h), 1);
    }
    assert_int_equal(hand_object(&h, 0).type, TDM_BOARD_RECTANGLE);
}

static void test_tool_stays(void **state)
{
    (void)state;
    hand_key(&h, 'q', 0);
    hand_key(&h, 'r', 0);
    for (int i = 0; i < 3; i++)
        hand_drag(&h, 100 + 200 * i, 100, 150 + 200 * i, 150, 0);
    assert_int_equal(hand_count(&h), 3);
    assert_int_equal(h.tools.tool, TDM_BOARD_TOOL_RECTANGLE);
    assert_int_equal(h.tools.selected_count, 0);
}

/* All that the way touches goes, but for what is locked; one step brings it back. */
static void test_eraser(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        hand_key(&h, 'r', 0);
        hand_drag(&h, 100 + 200 * i, 100, 150 + 200 * i, 150, TDM_BOARD_CTRL);
        if (i == 1)
            hand_key(&h, 'l', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    }
    hand_key(&h, 'e', 0);
    hand_drag(&h, 50, 120, 700, 120, 0);
    assert_int_equal(hand_count(&h), 1);
    assert_true(hand_object(&h, 0).locked);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 3);
}

/* The laser is never part of the document, and goes out by itself. */
static void test_laser(void **state)
{
    struct tdm_board_live live = {0};

    (void)state;
    hand_key(&h, 'k', 0);
    h.asked = 0;
    hand_drag(&h, 100, 100, 200, 200, 0);
    assert_int_equal(hand_count(&h), 0);
    assert_false(h.asked & TDM_BOARD_ASK_EDITED);
    tdm_board_tools_live(&h.tools, &live);
    assert_int_equal(live.laser_count, 5);
    assert_int_equal(live.laser[4].x, 200 * PX);
    assert_true(h.out.wake_at != TDM_NEVER);
    hand_wait(&h, 2 * TDM_BOARD_LASER_LIFE);
    assert_int_equal(h.tools.laser_count, 0);
    assert_true(h.out.wake_at == TDM_NEVER);
}

static void test_image(void **state)
{
    struct tdm_board_in in = {
        .kind = TDM_BOARD_IN_IMAGE, .x = -1, .y = -1, .width = 300, .height = 200, .hash = {1, 2}};

    (void)state;
    hand_key(&h, '9', 0);
    assert_true(h.asked & TDM_BOARD_ASK_IMAGE);
    hand_step(&h, &in);
    struct tdm_board_view v = hand_object(&h, 0);

    assert_int_equal(v.type, TDM_BOARD_IMAGE);
    assert_int_equal(v.x, 350 * PX); /* In the middle of 1000 x 800. */
    assert_int_equal(v.y, 300 * PX);
    assert_int_equal(v.w, 300 * PX);
    assert_memory_equal(v.image, in.hash, TDM_BOARD_HASH_BYTES);
    in.width = 6000; /* Larger than what is seen: smaller, in its proportion. */
    in.height = 4000;
    in.x = in.y = 100;
    hand_step(&h, &in);
    v = hand_object(&h, 1);
    assert_int_equal(v.w, 600 * PX);
    assert_int_equal(v.h, 400 * PX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pen_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ink_waits_for_its_beat, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_marker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clicks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_escape_takes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tool_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_eraser, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_laser, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_image, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

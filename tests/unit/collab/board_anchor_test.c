/* SPDX-License-Identifier: MIT */
/* Where annotations are after what frames have moved. */
#include "collab/board_anchor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WIDTH  800
#define HEIGHT 600

static struct tdm_anchors a;
static uint32_t frame;

static void begin(void)
{
    tdm_anchors_init(&a);
    tdm_anchors_size(&a, 0, WIDTH, HEIGHT);
    frame = 10;
}

/* A place as it is seen now. */
static struct tdm_anchor_place at(int x, int y)
{
    const struct tdm_board_anchor anchor = {0, frame, x * 16, y * 16};

    return tdm_anchor_place_of(&anchor);
}

static void move(int surface, int x, int y, int width, int height, int dx, int dy)
{
    const struct tdm_screen_move m = {++frame, (uint8_t)surface, dx, dy, {x, y, width, height}};

    tdm_anchors_moved(&a, &m, 1);
}

/* A pane's content goes by (0, dy); what comes in is drawn. */
static void scroll(int x, int y, int width, int height, int dy)
{
    if (dy < 0)
        move(0, x, y, width, height + dy, 0, dy);
    else
        move(0, x, y + dy, width, height - dy, 0, dy);
}

static void check(struct tdm_anchor_place p, int x, int y, bool away)
{
    (void)tdm_anchor_follow(&a, &p);
    assert_int_equal(p.x, x * 16);
    assert_int_equal(p.y, y * 16);
    assert_int_equal(p.away, away);
}

static void test_goes_with_a_scroll(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place inside = at(400, 300), beside = at(750, 300);

    scroll(0, 0, 640, HEIGHT, -48);
    check(inside, 400, 252, false);
    check(beside, 750, 300, false);
    scroll(0, 0, 640, HEIGHT, 40);
    check(inside, 400, 292, false);
}

static void test_takes_the_majority(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(400, 300);
    const struct tdm_screen_move two[] = {
        {11, 0, 100, 0, {500 - 48, 300 - 48, 96, 40}}, /* From above it, */
        {11, 0, 0, 50, {400 - 48, 350 - 8, 96, 56}},   /* and the larger part from below. */
    };

    tdm_anchors_moved(&a, two, 2);
    check(p, 400, 350, false);
    begin();
    tdm_anchors_moved(&a, two, 1);
    check(p, 400, 300, false);
}

static void test_other_surfaces_and_older_frames_do_nothing(void **state)
{
    (void)state;
    begin();
    scroll(0, 0, WIDTH, HEIGHT, -48);
    struct tdm_anchor_place p = at(400, 300);

    check(p, 400, 300, false);
    move(1, 0, 0, WIDTH, HEIGHT - 48, 0, -48);
    check(p, 400, 300, false);
}

static void test_leaves_its_pane_and_comes_back(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(300, 130);

    scroll(100, 100, 500, 400, -60); /* Its square is half outside of what moved. */
    check(p, 300, 70, true);
    scroll(100, 100, 500, 400, -120);
    check(p, 300, -50, true);
    scroll(100, 100, 500, 400, 120);
    check(p, 300, 70, true);
    scroll(100, 100, 500, 400, 48);
    check(p, 300, 118, false);
    scroll(100, 100, 500, 400, 12);
    check(p, 300, 130, false);
}

/* A scroll of which one frame has the upper part and the next one the rest. */
static void test_goes_once_with_a_scroll_in_two_frames(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(220, 330);
    const struct tdm_screen_move rest[] = {
        {12, 0, 0, -40, {64, 264, 112, 216}},  {12, 0, 0, -40, {184, 304, 72, 48}},
        {12, 0, 0, -40, {264, 264, 440, 216}}, {12, 0, 0, -40, {184, 360, 8, 120}},
        {12, 0, 0, -40, {64, 368, 640, 112}},
    };

    move(0, 64, 80, 640, 216, 0, -40);
    tdm_anchors_moved(&a, rest, 5);
    check(p, 220, 290, false);
}

static void test_another_pane_does_not_bring_it_back(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(300, 110);

    scroll(100, 100, 300, 400, -60);
    scroll(450, 100, 300, 400, 60);
    check(p, 300, 50, true);
}

static void test_a_dragged_window_takes_it_along(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(200, 200);

    move(0, 190, 130, 300, 200, 90, -20); /* From (100, 150). */
    check(p, 290, 180, false);
}

static void test_it_is_the_same_in_one_go_and_step_by_step(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place whole = at(300, 260), steps = whole;

    for (int i = 0; i < 200; i++) {
        scroll(50, 50, 600, 500, i % 5 < 2 ? -64 : 40);
        (void)tdm_anchor_follow(&a, &steps);
    }
    assert_true(tdm_anchor_follow(&a, &whole));
    assert_memory_equal(&whole, &steps, sizeof whole);
    assert_false(tdm_anchor_follow(&a, &whole));
}

static void test_begins_at_what_is_still_known(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(400, 300);

    scroll(0, 0, WIDTH, HEIGHT, -48);
    for (int i = 0; i < TDM_ANCHOR_MOVES; i++)
        move(1, 0, 0, 8, 8, 8, 8);
    check(p, 400, 300, false);
}

static void test_an_anchor_of_where_it_is_now_says_the_same(void **state)
{
    (void)state;
    begin();
    struct tdm_anchor_place p = at(400, 300);

    scroll(0, 0, WIDTH, HEIGHT, -48);
    (void)tdm_anchor_follow(&a, &p);
    const struct tdm_board_anchor anchor = tdm_anchor_of(&p, frame);
    struct tdm_anchor_place again = tdm_anchor_place_of(&anchor);

    scroll(0, 0, WIDTH, HEIGHT, -48);
    check(p, 400, 204, false);
    check(again, 400, 204, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_with_a_scroll),
        cmocka_unit_test(test_takes_the_majority),
        cmocka_unit_test(test_other_surfaces_and_older_frames_do_nothing),
        cmocka_unit_test(test_leaves_its_pane_and_comes_back),
        cmocka_unit_test(test_goes_once_with_a_scroll_in_two_frames),
        cmocka_unit_test(test_another_pane_does_not_bring_it_back),
        cmocka_unit_test(test_a_dragged_window_takes_it_along),
        cmocka_unit_test(test_it_is_the_same_in_one_go_and_step_by_step),
        cmocka_unit_test(test_begins_at_what_is_still_known),
        cmocka_unit_test(test_an_anchor_of_where_it_is_now_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Lines with points: filled when they close, curves when they are round, and never beyond their
 * box. */
#include "render/board_paint.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define SIDE  240
#define PAPER 0xfffffffful
#define RED   0xffff0000ul

static uint32_t pixels[SIDE * SIDE];

static uint32_t at(int x, int y)
{
    return pixels[y * SIDE + x];
}

/* Places in px, one behind the other. */
static struct tdm_board_figure line_of(const int (*places)[2], uint32_t count)
{
    static struct tdm_board_point points[32];

    for (uint32_t i = 0; i < count; i++)
        points[i] = (struct tdm_board_point){places[i][0] * 16, places[i][1] * 16, 128, 0};
    return (struct tdm_board_figure){.id = 1,
                                     .version = 1,
                                     .type = TDM_BOARD_LINE,
                                     .colour = 0x000000ff,
                                     .fill = 0xff0000ff,
                                     .opacity = 255,
                                     .points = points,
                                     .point_count = count};
}

/* The box of what was painted, which is on white paper. */
static struct tdm_figure_box paint(const struct tdm_board_figure *figure)
{
    struct tdm_board_camera camera = tdm_board_camera_at(1, 0, 0, SIDE, SIDE);
    struct tdm_board_scene *scene = NULL;
    struct tdm_figure_box box;

    assert_int_equal(tdm_board_scene_create(&scene, NULL), TDM_OK);
    tdm_board_scene_ground(scene, &(struct tdm_board_ground){.colour = 0xffffffff});
    tdm_board_scene_begin(scene);
    assert_int_equal(tdm_board_scene_put(scene, figure), TDM_OK);
    tdm_board_scene_end(scene);
    assert_true(tdm_board_scene_box(scene, figure->id, &box));
    tdm_board_paint_pixels(scene, &camera, (uint8_t *)pixels, SIDE * 4);
    tdm_board_scene_destroy(scene);
    return box;
}

static const int square[][2] = {{20, 20}, {200, 20}, {200, 200}, {20, 200}, {20, 20}};

static void test_filled_when_closed(void **state)
{
    struct tdm_board_figure figure = line_of(square, 5);

    (void)state;
    (void)paint(&figure);
    assert_int_equal(at(100, 100), RED);
    assert_int_equal(at(21, 21), RED); /* It has no border. */
    assert_int_equal(at(10, 100), PAPER);
    assert_true(tdm_board_figure_hit(&figure, 100, 100, 1));
    assert_false(tdm_board_figure_hit(&figure, 10, 100, 1));

    figure.width = 4 * 16;
    (void)paint(&figure);
    assert_int_equal(at(100, 100), RED);
    assert_int_equal(at(20, 100), 0xff000000);

    figure.point_count = 4; /* It does not close. */
    (void)paint(&figure);
    assert_int_equal(at(100, 100), PAPER);
    assert_false(tdm_board_figure_hit(&figure, 100, 100, 1));

    figure = line_of(square, 5);
    figure.fill = 0;
    (void)paint(&figure);
    assert_int_equal(at(100, 100), PAPER);
}

/* A part inside that runs the other way round is a hole. */
static void test_hole(void **state)
{
    static const int ring[][2] = {{20, 20},  {200, 20},  {200, 200}, {20, 200}, {20, 20}, {80, 80},
                                  {80, 140}, {140, 140}, {140, 80},  {80, 80},  {20, 20}};
    struct tdm_board_figure figure = line_of(ring, 11);

    (void)state;
    (void)paint(&figure);
    assert_int_equal(at(50, 100), RED);
    assert_int_equal(at(100, 100), PAPER);
    assert_true(tdm_board_figure_hit(&figure, 50, 100, 1));
    assert_false(tdm_board_figure_hit(&figure, 110, 100, 1));
}

static void test_curve(void **state)
{
    static const int bow[][2] = {{20, 20}, {120, 120}, {220, 20}};
    struct tdm_board_figure figure = line_of(bow, 3);

    (void)state;
    figure.fill = 0;
    figure.width = 4 * 16;
    (void)paint(&figure);
    assert_int_equal(at(64, 64), 0xff000000);
    assert_int_equal(at(64, 76), PAPER);
    figure.corner = 16;
    (void)paint(&figure);
    assert_int_equal(at(64, 76), 0xff000000); /* 9/16 of the way over to the next place. */
    assert_int_equal(at(64, 62), PAPER);
    assert_true(tdm_board_figure_hit(&figure, 64, 76, 1));
    assert_int_equal(at(120, 119), 0xff000000); /* It goes through its places. */
}

static void test_within_its_box(void **state)
{
    struct tdm_rng rng = tdm_rng_of(5);

    (void)state;
    for (int round = 0; round < 60; round++) {
        int places[6][2];

        for (int i = 0; i < 6; i++) {
            places[i][0] = (int)tdm_rng_below(&rng, SIDE);
            places[i][1] = (int)tdm_rng_below(&rng, SIDE);
        }
        struct tdm_board_figure figure = line_of((const int(*)[2])places, 6);

        figure.width = 16;
        figure.corner = 16;
        figure.angle = (uint16_t)(round * 700);
        figure.head_end = TDM_HEAD_TRIANGLE;
        const struct tdm_figure_box box = paint(&figure);

        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                if (x + 1 < box.left || x > box.right || y + 1 < box.top || y > box.bottom)
                    assert_int_equal(at(x, y), PAPER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filled_when_closed),
        cmocka_unit_test(test_hole),
        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_within_its_box),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

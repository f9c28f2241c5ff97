/* SPDX-License-Identifier: MIT */
#include "engine/base/rng.h"
#include "render/screen_viewport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tdm_viewport view(int world_w, int world_h, int window_w, int window_h)
{
    struct tdm_viewport v;

    tdm_viewport_init(&v);
    tdm_viewport_set_world(&v, (struct tdm_rect){100, 50, world_w, world_h});
    tdm_viewport_set_window(&v, window_w, window_h);
    return v;
}

static void check_place(const struct tdm_viewport *v, int x, int y, int want_x, int want_y)
{
    int at_x, at_y;

    tdm_viewport_to_world(v, x, y, &at_x, &at_y);
    assert_int_equal(at_x, want_x);
    assert_int_equal(at_y, want_y);
}

static void a_small_world_stands_in_the_middle_pixel_by_pixel(void **state)
{
    struct tdm_viewport v = view(640, 480, 800, 601);

    (void)state;
    assert_true(v.scale == 1);
    check_place(&v, 80, 60, 100, 50);
    check_place(&v, 80 + 639, 60 + 479, 739, 529);
    check_place(&v, 0, 600, 100, 529); /* Beside it: the nearest. */
    struct tdm_rect r = tdm_viewport_to_window(&v, v.world);

    assert_true(tdm_rect_equal(r, (struct tdm_rect){80, 60, 640, 480}));
}

static void a_large_world_is_made_smaller_and_no_more_than_it_must(void **state)
{
    struct tdm_viewport v = view(1920, 1080, 960, 700);

    (void)state;
    assert_true(v.scale == 0.5);
    check_place(&v, 0, 80, 101, 51);
    tdm_viewport_set_window(&v, 1920, 1080);
    assert_true(v.scale == 1);
    check_place(&v, 1919, 1079, 2019, 1129);
}

static void zoom_keeps_what_is_under_the_pointer(void **state)
{
    struct tdm_viewport v = view(1920, 1080, 960, 540);
    int before_x, before_y, after_x, after_y;

    (void)state;
    tdm_viewport_to_world(&v, 700, 300, &before_x, &before_y);
    tdm_viewport_zoom(&v, 2, 700, 300);
    tdm_viewport_to_world(&v, 700, 300, &after_x, &after_y);
    assert_in_range(after_x - before_x + 1, 0, 2);
    assert_in_range(after_y - before_y + 1, 0, 2);
    assert_true(tdm_viewport_step(&v, true) == 3 && tdm_viewport_step(&v, false) == 1.5);
    tdm_viewport_zoom(&v, 100, 0, 0);
    assert_true(v.scale == 8 && tdm_viewport_step(&v, true) == 8);
}

static void the_edge_pushes_until_the_end(void **state)
{
    struct tdm_viewport v = view(1920, 1080, 960, 540);
    int steps = 0;

    (void)state;
    assert_false(tdm_viewport_push(&v, 0, 0)); /* All of it is seen. */
    tdm_viewport_zoom(&v, 1, 0, 0);
    while (tdm_viewport_push(&v, 959, 539))
        steps++;
    assert_int_equal(steps, 30);
    check_place(&v, 959, 539, 2019, 1129);
    assert_false(tdm_viewport_push(&v, 500, 300));
    assert_true(tdm_viewport_push(&v, 3, 300));
}

static void another_monitor_of_that_size_keeps_the_place(void **state)
{
    struct tdm_viewport v = view(1920, 1080, 960, 540);

    (void)state;
    tdm_viewport_zoom(&v, 1, 0, 0);
    tdm_viewport_pan(&v, 200, 100);
    tdm_viewport_set_world(&v, (struct tdm_rect){2020, 50, 1920, 1080});
    check_place(&v, 0, 0, 2220, 150);
    tdm_viewport_set_world(&v, (struct tdm_rect){0, 0, 1280, 720});
    assert_true(v.fits);
}

/* Whatever is done: what the window shows of a pixel is where that pixel is found again. */
static void there_and_back(void **state)
{
    struct tdm_rng rng = tdm_rng_of(7);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct tdm_viewport v =
            view((int)tdm_rng_below(&rng, 4000) + 1, (int)tdm_rng_below(&rng, 3000) + 1,
                 (int)tdm_rng_below(&rng, 2000) + 1, (int)tdm_rng_below(&rng, 1500) + 1);

        for (int step = 0; step < 3; step++)
            if (tdm_rng_below(&rng, 2))
                tdm_viewport_zoom(&v, tdm_viewport_step(&v, tdm_rng_below(&rng, 2)),
                                  (int)tdm_rng_below(&rng, 2000), (int)tdm_rng_below(&rng, 1500));
            else
                tdm_viewport_pan(&v, (int)tdm_rng_below(&rng, 4000) - 2000,
                                 (int)tdm_rng_below(&rng, 4000) - 2000);
        int x = (int)tdm_rng_below(&rng, (uint32_t)v.width),
            y = (int)tdm_rng_below(&rng, (uint32_t)v.height);
        int world_x, world_y;

        tdm_viewport_to_world(&v, x, y, &world_x, &world_y);
        assert_in_range(world_x, v.world.x, v.world.x + v.world.width - 1);
        assert_in_range(world_y, v.world.y, v.world.y + v.world.height - 1);
        struct tdm_rect all = tdm_viewport_to_window(&v, v.world);
        struct tdm_rect r = tdm_viewport_to_window(&v, (struct tdm_rect){world_x, world_y, 1, 1});

        assert_false(tdm_rect_empty(all));
        /* A place inside of the picture is inside of its pixel. */
        if (x > all.x && x < all.x + all.width - 1 && y > all.y && y < all.y + all.height - 1) {
            assert_in_range(x, r.x, r.x + r.width - 1);
            assert_in_range(y, r.y, r.y + r.height - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_world_stands_in_the_middle_pixel_by_pixel),
        cmocka_unit_test(a_large_world_is_made_smaller_and_no_more_than_it_must),
        cmocka_unit_test(zoom_keeps_what_is_under_the_pointer),
        cmocka_unit_test(the_edge_pushes_until_the_end),
        cmocka_unit_test(another_monitor_of_that_size_keeps_the_place),
        cmocka_unit_test(there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */

/* Sets of rectangles against a small bitmap. */

#include "desktop/region.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define SIDE 48

static void paint(uint8_t map[SIDE][SIDE], struct tdm_rect r, uint8_t value)
{
    for (int y = r.y; y < r.y + r.height; y++)
        for (int x = r.x; x < r.x + r.width; x++)
            map[y][x] = value;
}

static void paint_region(uint8_t map[SIDE][SIDE], const struct tdm_region *region)
{
    memset(map, 0, SIDE * SIDE);
    for (size_t i = 0; i < region->count; i++)
        paint(map, region->rects[i], 1);
}

static struct tdm_rect random_rect(struct tdm_rng *rng)
{
    struct tdm_rect r = {(int)tdm_rng_below(rng, SIDE), (int)tdm_rng_below(rng, SIDE), 0, 0};

    r.width = (int)tdm_rng_below(rng, (uint32_t)(SIDE - r.x) + 1) / 2;
    r.height = (int)tdm_rng_below(rng, (uint32_t)(SIDE - r.y) + 1) / 2;
    return r;
}

static void masks_are_exact_while_there_is_room(void **state)
{
    (void)state;
    uint8_t wanted[SIDE][SIDE], got[SIDE][SIDE];

    for (uint64_t seed = 0; seed < 300; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        struct tdm_region region = {.count = 0};

        memset(wanted, 0, sizeof wanted);
        for (int i = 0; i < 8; i++) {
            struct tdm_rect r = random_rect(&rng);

            paint(wanted, r, i % 3 != 2);
            if (i % 3 != 2)
                tdm_region_add(&region, r);
            else if (!tdm_rect_empty(r))
                tdm_region_subtract(&region, r);
        }
        paint_region(got, &region);
        assert_memory_equal(got, wanted, sizeof wanted);
    }
}

static void nothing_is_lost_when_full(void **state)
{
    (void)state;
    uint8_t wanted[SIDE][SIDE], got[SIDE][SIDE];

    for (int near = 0; near < 2; near++) {
        struct tdm_region region = {.count = 0};
        struct tdm_rng rng = tdm_rng_of(7);

        memset(wanted, 0, sizeof wanted);
        for (int i = 0; i < 400; i++) {
            struct tdm_rect r = {(int)tdm_rng_below(&rng, SIDE), (int)tdm_rng_below(&rng, SIDE), 1,
                                 1};

            paint(wanted, r, 1);
            if (near)
                tdm_region_add_near(&region, r);
            else
                tdm_region_add(&region, r);
            assert_true(region.count <= TDM_REGION_MAX);
        }
        paint_region(got, &region);
        for (int i = 0; i < SIDE * SIDE; i++)
            assert_true(got[i / SIDE][i % SIDE] >= wanted[i / SIDE][i % SIDE]);
    }
}

static void near_changes_join_and_far_ones_do_not(void **state)
{
    (void)state;
    struct tdm_region region = {.count = 0};

    tdm_region_add_near(&region, (struct tdm_rect){0, 0, 8, 16});
    tdm_region_add_near(&region, (struct tdm_rect){8, 0, 8, 16});
    assert_int_equal(region.count, 1);
    assert_true(tdm_rect_equal(region.rects[0], (struct tdm_rect){0, 0, 16, 16}));
    tdm_region_add_near(&region, (struct tdm_rect){1000, 900, 8, 16});
    assert_int_equal(region.count, 2);
}

static void a_hole_that_finds_no_room_leaves_too_much(void **state)
{
    (void)state;
    struct tdm_region region = {.count = 0};

    for (int i = 0; i < TDM_REGION_MAX; i++)
        tdm_region_add(&region, (struct tdm_rect){i * 10, 0, 5, 5});
    struct tdm_region before = region;

    tdm_region_subtract(&region, (struct tdm_rect){1, 1, 2, 2}); /* Four pieces of one. */
    assert_true(tdm_region_same(&region, &before));
    tdm_region_subtract(&region, (struct tdm_rect){0, 0, 5, 5});
    assert_int_equal(region.count, TDM_REGION_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_exact_while_there_is_room),
        cmocka_unit_test(nothing_is_lost_when_full),
        cmocka_unit_test(near_changes_join_and_far_ones_do_not),
        cmocka_unit_test(a_hole_that_finds_no_room_leaves_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "collab/screen_cells.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TILES_MAX 64

struct picture {
    const char *name;
    const char *rows; /* Of cells, '/' between them; 16 wide: two tiles. */
    int exact, coded; /* Rectangles. */
};

static const struct picture pictures[] = {
    {"nothing", "................/................", 0, 0},
    {"one", "...#............", 1, 1},
    {"a bar over both tiles", "..############../..############..", 1, 1},
    {"the drawing in the header", "..##............/..########......", 2, 1},
    {"a hole", "###............./#.#............./###.............", 4, 1},
    {"two corners",
     "#.............../................/......../......../......../......../......."
     "./.......#........",
     2, 2},
    {"far apart", "#..............#", 2, 2},
};

static void draw(struct tdm_screen_cells *cells, const char *rows)
{
    for (int x = 0, y = 0; *rows; rows++) {
        if (*rows == '/') {
            y++;
            x = 0;
            continue;
        }
        if (*rows == '#')
            tdm_screen_cells_set(cells, &(struct tdm_screen_rect){x, y, 1, 1});
        x++;
    }
}

static bool take_exact(struct tdm_screen_cells *cells, int *tile, struct tdm_screen_rect *rect)
{
    if (!tdm_screen_cells_find_within(cells, cells, tile, rect))
        return false;
    assert_int_equal(tdm_screen_cells_count(cells, rect), rect->width * rect->height);
    tdm_screen_cells_clear(cells, rect);
    return true;
}

static void test_pictures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        for (int exact = 0; exact < 2; exact++) {
            uint64_t masks[2] = {0};
            struct tdm_screen_cells cells = tdm_screen_cells_of(masks, 128, 64);
            struct tdm_screen_rect rect;
            int tile = 0, count = 0;

            draw(&cells, pictures[i].rows);
            while (exact ? take_exact(&cells, &tile, &rect)
                         : tdm_screen_cells_take(&cells, &tile, 256, &rect))
                count++;
            if (count != (exact ? pictures[i].exact : pictures[i].coded))
                fail_msg("%s: %d rectangles, exact %d", pictures[i].name, count, exact);
            assert_false(tdm_screen_cells_any(&cells));
        }
    }
}

static uint64_t bit_at(const struct tdm_screen_cells *cells, int x, int y)
{
    return cells->masks[y / 8 * cells->tiles_x + x / 8] >> (y % 8 * 8 + x % 8) & 1;
}

/* Every cell is in a rectangle, exact ones have no other, and all are within bounds. */
static void check_random(uint64_t seed, bool exact)
{
    struct tdm_rng rng = tdm_rng_of(seed);
    int width = 1 + (int)tdm_rng_below(&rng, 500), height = 1 + (int)tdm_rng_below(&rng, 400);
    int area_max = 64 + (int)tdm_rng_below(&rng, 300), tile = 0;
    uint64_t masks[TILES_MAX] = {0}, kept[TILES_MAX], covered[TILES_MAX] = {0};
    struct tdm_screen_cells cells = tdm_screen_cells_of(masks, width, height);
    struct tdm_screen_cells all = tdm_screen_cells_of(covered, width, height);
    struct tdm_screen_rect rect;

    for (int i = 0; i < cells.tiles_x * cells.tiles_y; i++)
        masks[i] = tdm_rng_u64(&rng) &
                   (tdm_rng_chance(&rng, 0.5) ? tdm_rng_u64(&rng) : UINT64_MAX) &
                   tdm_screen_cells_whole(&cells, i);
    memcpy(kept, masks, sizeof kept);
    while (exact ? take_exact(&cells, &tile, &rect)
                 : tdm_screen_cells_take(&cells, &tile, area_max, &rect)) {
        assert_true(rect.width > 0 && rect.height > 0 && rect.x >= 0 && rect.y >= 0);
        assert_true(rect.x + rect.width <= cells.columns && rect.y + rect.height <= cells.rows);
        if (!exact) {
            assert_true(rect.width * rect.height <= area_max);
            assert_int_equal(rect.y / 8, (rect.y + rect.height - 1) / 8);
        }
        tdm_screen_cells_set(&all, &rect);
    }
    for (int y = 0; y < cells.rows; y++) {
        for (int x = 0; x < cells.columns; x++) {
            struct tdm_screen_cells before = cells;

            before.masks = kept;
            assert_int_equal(bit_at(&cells, x, y), 0);
            if (bit_at(&before, x, y) || exact)
                assert_int_equal(bit_at(&all, x, y), bit_at(&before, x, y));
        }
    }
}

static void test_any(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++)
        check_random(seed, seed % 2);
}

static void test_clear_undoes_set(void **state)
{
    uint64_t masks[6] = {0};
    struct tdm_screen_cells cells = tdm_screen_cells_of(masks, 130, 100);
    struct tdm_screen_rect rect = {3, 2, 13, 9};

    (void)state;
    assert_int_equal(cells.tiles_x, 3);
    assert_int_equal(cells.rows, 13);
    tdm_screen_cells_set(&cells, &rect);
    assert_int_equal(__builtin_popcountll(masks[0]) + __builtin_popcountll(masks[1]) +
                         __builtin_popcountll(masks[3]) + __builtin_popcountll(masks[4]),
                     13 * 9);
    tdm_screen_cells_clear(&cells, &rect);
    assert_false(tdm_screen_cells_any(&cells));
    assert_int_equal(__builtin_popcountll(tdm_screen_cells_whole(&cells, 5)), 1 * 5);
}

/* What lies between and may be taken in makes one rectangle of two. */
static void test_finds_around_and_between(void **state)
{
    uint64_t wanted[2] = {0}, allowed[2] = {0};
    struct tdm_screen_cells todo = tdm_screen_cells_of(wanted, 128, 64);
    struct tdm_screen_cells within = tdm_screen_cells_of(allowed, 128, 64);
    struct tdm_screen_rect rect;
    int tile = 0;

    (void)state;
    draw(&todo, "..#..........#../..#..........#..");
    draw(&within, "..############../..############..");
    assert_true(tdm_screen_cells_find_within(&todo, &within, &tile, &rect));
    assert_true(rect.x <= 2 && rect.x + rect.width >= 14 && rect.y == 0 && rect.height == 2);
    assert_int_equal(tdm_screen_cells_count(&todo, &rect), 4);
    tdm_screen_cells_clear(&todo, &rect);
    assert_false(tdm_screen_cells_find_within(&todo, &within, &tile, &rect));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_finds_around_and_between),
        cmocka_unit_test(test_clear_undoes_set),
    };

    return cmocka_run_group_tests_name("screen_cells", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "collab/screen_moves.h"

#include "engine/base/cpu.h"
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDTH  448
#define HEIGHT 320
#define TILE   64

struct shift {
    int dx, dy;
};

static const struct shift shifts[] = {{0, -16}, {0, 53}, {7, 0}, {-31, 19}, {1, 1}, {100, -64}};

/* Noise of few colours, with another last byte each time. */
static void paint(uint8_t *pixels, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        uint32_t colour = tdm_rng_below(&rng, 3) * 0x345678u | tdm_rng_u32(&rng) << 24;

        memcpy(pixels + (size_t)i * 4, &colour, 4);
    }
}

static void move(uint8_t *to, const uint8_t *from, struct shift by)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            int from_x = x - by.dx, from_y = y - by.dy;

            if (from_x >= 0 && from_x < WIDTH && from_y >= 0 && from_y < HEIGHT)
                memcpy(to + ((size_t)y * WIDTH + (size_t)x) * 4,
                       from + ((size_t)from_y * WIDTH + (size_t)from_x) * 4, 3);
        }
    }
}

static int vectors_of(const uint8_t *old, const uint8_t *new, struct tdm_screen_vector vectors[6])
{
    int tiles = WIDTH / TILE * (HEIGHT / TILE);
    void *storage = malloc(tdm_screen_moves_bytes(tiles));
    struct tdm_screen_anchors anchors;

    assert_non_null(storage);
    struct tdm_screen_moves *m = tdm_screen_moves_init(storage, tiles);

    tdm_screen_moves_begin(m);
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < HEIGHT; y += TILE) {
            for (int x = 0; x < WIDTH; x += TILE) {
                tdm_screen_anchors_find(&anchors,
                                        (pass ? new : old) + ((size_t)y * WIDTH + (size_t)x) * 4,
                                        WIDTH * 4, TILE, TILE);
                if (pass)
                    tdm_screen_moves_vote(m, &anchors, x, y);
                else
                    tdm_screen_moves_old(m, &anchors, x, y);
            }
        }
    }
    int count = tdm_screen_moves_best(m, vectors, 6);

    free(storage);
    return count;
}

static void test_finds_any_vector(void **state)
{
    static uint8_t old[WIDTH * HEIGHT * 4], new[WIDTH * HEIGHT * 4];
    struct tdm_screen_vector v[6];

    (void)state;
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        paint(old, 1);
        paint(new, 2);
        move(new, old, shifts[i]);
        int count = vectors_of(old, new, v);

        assert_true(count >= 1);
        assert_int_equal(v[0].dx, shifts[i].dx);
        assert_int_equal(v[0].dy, shifts[i].dy);
        for (int k = 1; k < count; k++)
            assert_true(v[k].votes <= v[k - 1].votes);
    }
}

static void test_finds_nothing_in_nothing(void **state)
{
    static uint8_t old[WIDTH * HEIGHT * 4], new[WIDTH * HEIGHT * 4];
    struct tdm_screen_vector v[6];

    (void)state;
    paint(old, 1);
    paint(new, 2);
    assert_int_equal(vectors_of(old, new, v), 0);
    /* What stays where it is votes for nothing, what is flat neither. */
    assert_int_equal(vectors_of(old, old, v), 0);
    memset(old, 7, sizeof old);
    memset(new, 7, sizeof new);
    assert_int_equal(vectors_of(old, new, v), 0);
}

static void test_variants_agree(void **state)
{
    static uint8_t pixels[WIDTH * HEIGHT * 4];
    struct tdm_rng rng = tdm_rng_of(5);
    int found = 0;

    (void)state;
    paint(pixels, 3);
    for (int i = 0; i < 400; i++) {
        int width = i % 2 ? 64 : 1 + (int)tdm_rng_below(&rng, 64);
        int height = 1 + (int)tdm_rng_below(&rng, 64);
        size_t at = tdm_rng_below(&rng, WIDTH * HEIGHT - WIDTH * 65);
        struct tdm_screen_anchors first, other;

        memset(&first, 0, sizeof first);
        tdm_screen_anchors_variants[0].find(&first, pixels + at * 4, WIDTH * 4, width, height);
        found += first.count;
        assert_true(first.count <= TDM_SCREEN_ANCHORS_MAX);
        for (size_t v = 1; v < tdm_screen_anchors_variant_count; v++) {
            if (!tdm_cpu_has(tdm_screen_anchors_variants[v].needs))
                continue;
            memset(&other, 0, sizeof other);
            tdm_screen_anchors_variants[v].find(&other, pixels + at * 4, WIDTH * 4, width, height);
            assert_int_equal(first.count, other.count);
            for (int k = 0; k < first.count; k++) {
                assert_int_equal(first.list[k].hash, other.list[k].hash);
                assert_int_equal(first.list[k].x, other.list[k].x);
                assert_int_equal(first.list[k].y, other.list[k].y);
            }
        }
    }
    assert_true(found > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_any_vector),
        cmocka_unit_test(test_finds_nothing_in_nothing),
        cmocka_unit_test(test_variants_agree),
    };

    return cmocka_run_group_tests_name("screen_moves", tests, NULL, NULL);
}

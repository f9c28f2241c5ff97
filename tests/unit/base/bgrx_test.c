/* SPDX-License-Identifier: MIT */
#include "engine/base/bgrx.h"

#include "engine/base/cpu.h"
#include "engine/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct size {
    int width, height;
};

static const struct size sizes[] = {{2, 2},  {4, 6},   {14, 2},  {16, 4},  {18, 2}, {30, 4},
                                    {32, 2}, {34, 10}, {62, 4},  {64, 64}, {66, 2}, {98, 6},
                                    {16, 2}, {130, 8}, {254, 2}, {320, 4}};

/* Rows that end where the memory ends, so that a sanitizer sees what is read beyond. */
static uint8_t *make_pixels(struct size size, ptrdiff_t stride, uint64_t seed)
{
    size_t bytes = (size_t)(stride * (size.height - 1)) + (size_t)size.width * 4;
    uint8_t *pixels = malloc(bytes);
    struct tdm_rng rng = tdm_rng_of(seed);

    assert_non_null(pixels);
    /* Also what strains sums most: all dark, all light, and only those two. */
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = seed == 1   ? 0
                    : seed == 2 ? 255
                    : seed == 3 ? (uint8_t)(0 - tdm_rng_below(&rng, 2))
                                : (uint8_t)tdm_rng_u32(&rng);
    return pixels;
}

/* The formulas of bgrx.h in double. */
static double exact(int plane, const double bgr[3])
{
    static const double factors[3][3] = {
        {0.114, 0.587, 0.299}, {0.5, -0.331264, -0.168736}, {-0.081312, -0.418688, 0.5}};
    const double *f = factors[plane];
    double sum = f[0] * bgr[0] + f[1] * bgr[1] + f[2] * bgr[2];

    return plane ? 128 + sum * 224 / 255 : 16 + sum * 219 / 255;
}

/* `block` pixels squared from x, y on. */
static double exact_at(int plane, const uint8_t *pixels, ptrdiff_t stride, int x, int y)
{
    int block = plane ? 2 : 1;
    double bgr[3] = {0, 0, 0};

    for (int i = 0; i < block * block; i++) {
        const uint8_t *at = pixels + (y * block + i / block) * stride;

        for (int c = 0; c < 3; c++)
            bgr[c] += at[(x * block + i % block) * 4 + c];
    }
    for (int c = 0; c < 3; c++)
        bgr[c] /= block * block;
    return exact(plane, bgr);
}

static void check(void (*to_i420)(struct tdm_picture *, const uint8_t *, ptrdiff_t),
                  struct size size, int gap, uint64_t seed)
{
    ptrdiff_t stride = (ptrdiff_t)size.width * 4 + gap;
    uint8_t *pixels = make_pixels(size, stride, seed);
    int wide = size.width + 10;
    size_t bytes = tdm_picture_bytes(wide, size.height);
    uint8_t *storage = malloc(bytes);
    struct tdm_picture pic;

    assert_non_null(storage);
    memset(storage, 7, bytes);
    tdm_picture_over(&pic, storage, wide, size.height);
    pic.width = size.width;
    to_i420(&pic, pixels, stride);
    for (int plane = 0; plane < 3; plane++) {
        int inside = plane ? size.width / 2 : size.width;

        for (int y = 0; y < (plane ? size.height / 2 : size.height); y++) {
            const uint8_t *row = pic.planes[plane] + (ptrdiff_t)y * pic.strides[plane];

            for (int x = 0; x < inside; x++)
                assert_true(fabs(row[x] - exact_at(plane, pixels, stride, x, y)) < 0.52);
            for (int x = inside; x < pic.strides[plane]; x++)
                assert_int_equal(row[x], 7);
        }
    }
    free(storage);
    free(pixels);
}

static void test_variants_follow_the_formulas(void **state)
{
    (void)state;
    for (size_t v = 0; v < tdm_bgrx_variant_count; v++) {
        if (!tdm_cpu_has(tdm_bgrx_variants[v].needs))
            continue;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (uint64_t seed = 1; seed <= 5; seed++)
                check(tdm_bgrx_variants[v].to_i420, sizes[i], (int)seed % 3 * 5, seed);
    }
    assert_int_equal(tdm_bgrx_variants[0].needs, 0);
}

/* All variants agree to the bit, so that a call is the same on every processor. */
static void test_variants_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t bytes = tdm_picture_bytes(sizes[i].width, sizes[i].height);
        ptrdiff_t stride = (ptrdiff_t)sizes[i].width * 4;
        uint8_t *pixels = make_pixels(sizes[i], stride, 10 + i);
        uint8_t *want = calloc(1, bytes), *got = calloc(1, bytes);
        struct tdm_picture pic;

        assert_true(want && got);
        tdm_picture_over(&pic, want, sizes[i].width, sizes[i].height);
        tdm_bgrx_to_i420(&pic, pixels, stride);
        for (size_t v = 0; v < tdm_bgrx_variant_count; v++) {
            if (!tdm_cpu_has(tdm_bgrx_variants[v].needs))
                continue;
            tdm_picture_over(&pic, got, sizes[i].width, sizes[i].height);
            tdm_bgrx_variants[v].to_i420(&pic, pixels, stride);
            assert_memory_equal(got, want, bytes);
        }
        free(pixels);
        free(want);
        free(got);
    }
}

/* Of any number, to any place; nothing around them. */
static void test_copies_colours(void **state)
{
    uint8_t from[4 * 40], to[4 * 40 + 2];

    (void)state;
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i * 7 + 1);
    for (size_t pixels = 0; pixels <= 40; pixels++) {
        memset(to, 0xee, sizeof to);
        tdm_bgrx_copy(to + 1, from, pixels);
        assert_int_equal(to[0], 0xee);
        assert_int_equal(to[1 + 4 * pixels], 0xee);
        for (size_t i = 0; i < 4 * pixels; i++)
            assert_int_equal(to[1 + i], i % 4 == 3 ? 0 : from[i]);
    }
}

/* The colour bars of a test picture at full strength. */
static void test_well_known_colours(void **state)
{
    static const struct {
        uint8_t blue, green, red, y, u, v;
    } rows[] = {
        {0, 0, 0, 16, 128, 128},     {255, 255, 255, 235, 128, 128}, {0, 0, 255, 81, 90, 240},
        {0, 255, 0, 145, 54, 34},    {255, 0, 0, 41, 240, 110},      {0, 255, 255, 210, 16, 146},
        {255, 255, 0, 170, 166, 16}, {255, 0, 255, 106, 202, 222},   {128, 128, 128, 126, 128, 128},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t pixels[16], storage[6];
        struct tdm_picture pic;

        for (size_t k = 0; k < 4; k++) {
            memcpy(pixels + 4 * k, &rows[i], 3);
            pixels[4 * k + 3] = (uint8_t)(77 * k);
        }
        tdm_picture_over(&pic, storage, 2, 2);
        pic.frame_id = 9;
        tdm_bgrx_to_i420(&pic, pixels, 8);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(storage[k], rows[i].y);
        assert_int_equal(storage[4], rows[i].u);
        assert_int_equal(storage[5], rows[i].v);
        assert_int_equal(pic.frame_id, 9);
    }
}

/* Four alike pixels come back but for rounding, and rows end where they should. */
static void test_there_and_back(void **state)
{
    struct tdm_rng rng = tdm_rng_of(11);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint8_t colour[4], pixels[16], back[2][12], storage[6];
        struct tdm_picture pic;

        for (int k = 0; k < 4; k++)
            colour[k] = i < 256 ? (uint8_t)i : (uint8_t)tdm_rng_u32(&rng);
        for (size_t k = 0; k < 4; k++)
            memcpy(pixels + 4 * k, colour, 4);
        memset(back, 0x77, sizeof back);
        tdm_picture_over(&pic, storage, 2, 2);
        tdm_bgrx_to_i420(&pic, pixels, 8);
        tdm_i420_to_bgrx(back[0], sizeof back[0], &pic);
        for (int k = 0; k < 16; k++) {
            uint8_t got = back[k / 8][k % 8];

            if (k % 4 == 3)
                assert_int_equal(got, 0);
            else
                assert_in_range(got + 3 - colour[k % 4], 0, 6);
        }
        assert_int_equal(back[0][8], 0x77);
        assert_int_equal(back[1][8], 0x77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variants_follow_the_formulas),
        cmocka_unit_test(test_variants_agree),
        cmocka_unit_test(test_copies_colours),
        cmocka_unit_test(test_well_known_colours),
        cmocka_unit_test(test_there_and_back),
    };

    return cmocka_run_group_tests_name("bgrx", tests, NULL, NULL);
}

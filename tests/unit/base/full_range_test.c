/* SPDX-License-Identifier: MIT */
#include "engine/base/full_range.h"

#include "engine/base/cpu.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct size {
    int width, height;
};

/* The first has every pair of chroma samples in its vectors; others end in odd places. */
static const struct size sizes[] = {{512, 512}, {2, 2},  {4, 4},   {30, 2},  {32, 6},
                                    {34, 2},    {62, 4}, {64, 64}, {66, 10}, {130, 8}};

/* Rows that end where the memory ends, so that a sanitizer sees what is read beyond. Row r of
 * plane p has r and the column in its samples: in 512 x 512 all 256 x 256 pairs of 4:2:2. */
static void fill(struct tdm_full_range *from, struct size size, int chroma_rows, int gap)
{
    *from = (struct tdm_full_range){.chroma_rows = chroma_rows};
    for (int plane = 0; plane < 3; plane++) {
        int width = plane ? size.width / 2 : size.width;
        int height = plane ? size.height / 2 * chroma_rows : size.height;
        int stride = width + gap;
        uint8_t *at = malloc((size_t)stride * (size_t)(height - 1) + (size_t)width);

        assert_non_null(at);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                at[y * stride + x] = (uint8_t)(y % chroma_rows ? x + y / 2 : x);
        from->planes[plane] = at;
        from->strides[plane] = stride;
    }
}

static double exact(const struct tdm_full_range *from, int plane, int x, int y)
{
    const uint8_t *at = from->planes[plane] + x;
    ptrdiff_t stride = from->strides[plane];

    if (plane == 0)
        return 16 + at[y * stride] * 219.0 / 255;
    double value = at[y * from->chroma_rows * stride];

    value = (value + at[(y * from->chroma_rows + from->chroma_rows - 1) * stride]) / 2;
    return 128 + (value - 128) * 224 / 255;
}

static void check(void (*limit)(struct tdm_picture *, const struct tdm_full_range *),
                  struct size size, int chroma_rows)
{
    struct tdm_full_range from;
    int wide = size.width + 6;
    uint8_t *storage = malloc(tdm_picture_bytes(wide, size.height));
    struct tdm_picture pic;

    assert_non_null(storage);
    memset(storage, 7, tdm_picture_bytes(wide, size.height));
    tdm_picture_over(&pic, storage, wide, size.height);
    pic.width = size.width;
    fill(&from, size, chroma_rows, size.width % 5);
    limit(&pic, &from);
    for (int plane = 0; plane < 3; plane++) {
        int inside = plane ? size.width / 2 : size.width;

        for (int y = 0; y < (plane ? size.height / 2 : size.height); y++) {
            const uint8_t *row = pic.planes[plane] + (ptrdiff_t)y * pic.strides[plane];

            for (int x = 0; x < inside; x++)
                assert_int_equal(row[x], lrint(exact(&from, plane, x, y)));
            for (int x = inside; x < pic.strides[plane]; x++)
                assert_int_equal(row[x], 7);
        }
        free((void *)from.planes[plane]);
    }
    free(storage);
}

static void test_variants_follow_the_formulas(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int rows = 1; rows <= 2; rows++) {
            check(tdm_full_range_limit, sizes[i], rows);
            for (size_t v = 0; v < tdm_full_range_variant_count; v++)
                if (tdm_cpu_has(tdm_full_range_variants[v].needs))
                    check(tdm_full_range_variants[v].limit, sizes[i], rows);
        }
    }
    assert_int_equal(tdm_full_range_variants[0].needs, 0);
}

static void test_ends_of_the_ranges(void **state)
{
    static const struct {
        uint8_t full, y, c;
    } rows[] = {{0, 16, 16}, {255, 235, 240}, {128, 126, 128}, {1, 17, 16}, {254, 234, 239}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t in[4], storage[6];
        struct tdm_full_range from = {{in, in, in}, {2, 1, 1}, 2};
        struct tdm_picture pic;

        memset(in, rows[i].full, sizeof in);
        tdm_picture_over(&pic, storage, 2, 2);
        tdm_full_range_limit(&pic, &from);
        assert_int_equal(storage[0], rows[i].y);
        assert_int_equal(storage[3], rows[i].y);
        assert_int_equal(storage[4], rows[i].c);
        assert_int_equal(storage[5], rows[i].c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variants_follow_the_formulas),
        cmocka_unit_test(test_ends_of_the_ranges),
    };

    return cmocka_run_group_tests_name("full_range", tests, NULL, NULL);
}

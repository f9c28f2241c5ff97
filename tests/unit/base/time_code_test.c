/* SPDX-License-Identifier: MIT */
#include "engine/base/time_code.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* After the four headers that it needs. */
#include <cmocka.h>

struct size {
    int width, height;
};

static const struct size sizes[] = {{1280, 720}, {1920, 1080}, {640, 360}, {320, 240},
                                    {160, 120},  {136, 16},    {4096, 256}};

static struct tdm_picture make(struct size size, uint64_t seed)
{
    struct tdm_picture pic;
    uint8_t *storage = malloc(tdm_picture_bytes(size.width, size.height));
    struct tdm_rng rng = tdm_rng_of(seed);

    assert_non_null(storage);
    for (size_t i = 0; i < tdm_picture_bytes(size.width, size.height); i++)
        storage[i] = (uint8_t)tdm_rng_below(&rng, 256);
    tdm_picture_over(&pic, storage, size.width, size.height);
    return pic;
}

/* What a codec at a low rate does: blurs, quantises coarsely, adds noise. */
static void degrade(struct tdm_picture *pic, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);
    int stride = pic->strides[0];

    for (int y = 1; y < pic->height - 1; y++) {
        for (int x = 1; x < pic->width - 1; x++) {
            uint8_t *at = pic->planes[0] + (ptrdiff_t)y * stride + x;
            int blur = (at[-1] + at[1] + at[-stride] + at[stride] + 2 * at[0]) / 6;
            int value = blur / 40 * 40 + (int)tdm_rng_below(&rng, 61) - 30;

            *at = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

static void round_trips(void **state)
{
    (void)state;
    struct tdm_rng rng = tdm_rng_of(1);

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int round = 0; round < 20; round++) {
            struct tdm_picture pic = make(sizes[i], (uint64_t)round);
            tdm_time t = (tdm_time)(tdm_rng_u64(&rng) >> 18) * TDM_US + 999;
            tdm_time got = 0;

            tdm_time_code_draw(&pic, t);
            assert_true(tdm_time_code_read(&pic, &got));
            assert_int_equal(got, t / TDM_US % ((tdm_time)1 << 48) * TDM_US);
            free(pic.planes[0]);
        }
    }
}

static void survives_a_codec(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (int round = 0; round < 20; round++) {
            struct tdm_picture pic = make(sizes[i], (uint64_t)round);
            tdm_time t = (123456789 + round) * TDM_US;
            tdm_time got = 0;

            tdm_time_code_draw(&pic, t);
            degrade(&pic, (uint64_t)round);
            assert_true(tdm_time_code_read(&pic, &got));
            assert_int_equal(got, t);
            free(pic.planes[0]);
        }
    }
}

static void refuses_what_is_no_code(void **state)
{
    (void)state;
    tdm_time got = 7;

    for (int round = 0; round < 50; round++) {
        struct tdm_picture pic = make((struct size){640, 360}, (uint64_t)round);

        assert_false(tdm_time_code_read(&pic, &got));
        tdm_picture_fill(&pic, (uint8_t)(round * 5), 128, 128);
        assert_false(tdm_time_code_read(&pic, &got));
        free(pic.planes[0]);
    }
    assert_int_equal(got, 7);
}

static void a_flipped_cell_is_found(void **state)
{
    (void)state;
    for (int cell = 0; cell < 64; cell++) {
        struct tdm_picture pic = make((struct size){640, 360}, 3);
        tdm_time got = 0;
        int side = tdm_time_code_rows(640) / 2;

        tdm_time_code_draw(&pic, 77 * TDM_S);
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                uint8_t *at = pic.planes[0] + (cell / 32 * side + y) * pic.strides[0] +
                              (1 + cell % 32) * side + x;

                *at = (uint8_t)(251 - *at);
            }
        assert_false(tdm_time_code_read(&pic, &got));
        free(pic.planes[0]);
    }
}

static void small_pictures_are_left_alone(void **state)
{
    (void)state;
    const struct size small[] = {{2, 2}, {134, 100}, {640, 14}, {4096, 64}};

    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        struct tdm_picture pic = make(small[i], 4);
        struct tdm_picture same = make(small[i], 4);
        tdm_time got;

        tdm_time_code_draw(&pic, TDM_S);
        assert_memory_equal(pic.planes[0], same.planes[0],
                            tdm_picture_bytes(small[i].width, small[i].height));
        assert_false(tdm_time_code_read(&pic, &got));
        free(pic.planes[0]);
        free(same.planes[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(survives_a_codec),
        cmocka_unit_test(refuses_what_is_no_code),
        cmocka_unit_test(a_flipped_cell_is_found),
        cmocka_unit_test(small_pictures_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

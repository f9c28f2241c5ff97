/* SPDX-License-Identifier: MIT */
#include "engine/base/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void test_lays_planes_tightly(void **state)
{
    uint8_t storage[8 * 6 * 3 / 2];
    struct tdm_picture pic;

    (void)state;
    assert_int_equal(tdm_picture_bytes(8, 6), sizeof storage);
    tdm_picture_over(&pic, storage, 8, 6);
    assert_ptr_equal(pic.planes[0], storage);
    assert_ptr_equal(pic.planes[1], storage + 48);
    assert_ptr_equal(pic.planes[2], storage + 60);
    assert_int_equal(pic.strides[0], 8);
    assert_int_equal(pic.strides[1], 4);
    assert_int_equal(pic.strides[2], 4);
    tdm_picture_fill(&pic, 1, 2, 3);
    for (size_t i = 0; i < sizeof storage; i++)
        assert_int_equal(storage[i], i < 48 ? 1 : i < 60 ? 2 : 3);
}

/* Copies between different strides and leaves what lies between the rows alone. */
static void test_copy_keeps_to_the_pixels(void **state)
{
    uint8_t tight[4 * 4 * 3 / 2], wide[3][16 * 4];
    struct tdm_picture from, to, back;

    (void)state;
    for (size_t i = 0; i < sizeof tight; i++)
        tight[i] = (uint8_t)i;
    memset(wide, 0xee, sizeof wide);
    tdm_picture_over(&from, tight, 4, 4);
    from.captured = 77;
    from.frame_id = 5;
    to = (struct tdm_picture){
        .planes = {wide[0], wide[1], wide[2]}, .strides = {16, 16, 16}, .width = 4, .height = 4};
    tdm_picture_copy(&to, &from);
    assert_int_equal(to.captured, 77);
    assert_int_equal(to.frame_id, 5);
    for (int plane = 0; plane < 3; plane++) {
        for (int i = 0; i < 64; i++) {
            int side = plane ? 2 : 4, row = i / 16, column = i % 16;
            bool inside = row < side && column < side;

            assert_int_equal(wide[plane][i],
                             inside ? from.planes[plane][row * from.strides[plane] + column]
                                    : 0xee);
        }
    }
    uint8_t again[sizeof tight] = {0};

    tdm_picture_over(&back, again, 4, 4);
    tdm_picture_copy(&back, &to);
    assert_memory_equal(tight, again, sizeof tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lays_planes_tightly),
        cmocka_unit_test(test_copy_keeps_to_the_pixels),
    };

    return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}

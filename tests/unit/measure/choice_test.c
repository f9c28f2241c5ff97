/* SPDX-License-Identifier: MIT */
#include "measure/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Costs as measured on one machine at 1280x720 (0.92 million pixels): x264 superfast 3.9 + 1.1 ms,
 * VP8 at speed 8 4.4 + 1.4, libaom at 10 12 + 2.1. */
static const struct tdm_cost_table usual = {
    .count = 5,
    .costs = {{"x264", "ultrafast", TDM_CODEC_H264, 2.9, 0.8, 1.2, 0.4},
              {"x264", "superfast", TDM_CODEC_H264, 4.2, 1.2, 1.3, 0.4},
              {"vp8", "8", TDM_CODEC_VP8, 4.8, 1.5, 1.4, 1},
              {"vp9", "8", TDM_CODEC_VP9, 5.6, 1.6, 1.5, 1},
              {"aom", "10", TDM_CODEC_AV1, 13.0, 2.3, 1.6, 1}},
};

static const struct tdm_choice_wish plain = {
    .width = 1280, .height = 720, .fps = 30, .bps = 1500000, .cores = 2};

/* The same machine, so many times slower. */
static struct tdm_cost_table slower(double times)
{
    struct tdm_cost_table table = usual;

    for (uint32_t i = 0; i < table.count; i++) {
        table.costs[i].encode_ns *= times;
        table.costs[i].decode_ns *= times;
    }
    return table;
}

static void test_enough_rate_takes_the_quick_one(void **state)
{
    struct tdm_choice c = tdm_choice_make(&usual, &plain);

    (void)state;
    assert_string_equal(c.cost->encoder, "x264");
    assert_string_equal(c.cost->preset, "superfast");
    assert_int_equal(c.threads, 1);
    assert_int_equal(c.width, 1280);
    assert_int_equal(c.height, 720);
    assert_true(c.fits);
}

static void test_thin_link_takes_the_strong_one_and_a_smaller_picture(void **state)
{
    struct tdm_choice_wish wish = plain;

    (void)state;
    wish.bps = 250000;
    struct tdm_choice c = tdm_choice_make(&usual, &wish);

    assert_string_equal(c.cost->encoder, "aom");
    assert_true(c.width < 1280 && c.width % 2 == 0 && c.height % 2 == 0);
    assert_true(c.psnr_db >= 32);
    wish.size_fixed = true;
    c = tdm_choice_make(&usual, &wish);
    assert_int_equal(c.width, 1280);
    assert_true(c.psnr_db < 32);
}

/* What is stronger on a camera's pictures was found weaker on screens. */
static void test_screen_is_not_camera(void **state)
{
    struct tdm_choice_wish wish = plain;

    (void)state;
    wish.bps = 250000;
    wish.size_fixed = true;
    assert_string_equal(tdm_choice_make(&usual, &wish).cost->encoder, "vp8");
    wish.content = TDM_CONTENT_SCREEN;
    assert_string_equal(tdm_choice_make(&usual, &wish).cost->encoder, "x264");
}

static void test_slow_machine_steps_down(void **state)
{
    static const struct {
        double times;
        const char *encoder, *preset;
        unsigned threads;
        bool smaller, fits;
    } cases[] = {
        {1, "x264", "superfast", 1, false, true},    {4, "x264", "superfast", 2, false, true},
        {6, "x264", "ultrafast", 1, true, true},     {20, "x264", "ultrafast", 2, true, true},
        {2000, "x264", "ultrafast", 1, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_cost_table table = slower(cases[i].times);
        struct tdm_choice c = tdm_choice_make(&table, &plain);

        print_message("  %g times slower: %s %s %ux %dx%d, %.1f + %.1f ms\n", cases[i].times,
                      c.cost->encoder, c.cost->preset, c.threads, c.width, c.height, c.encode_ms,
                      c.decode_ms);
        assert_string_equal(c.cost->encoder, cases[i].encoder);
        assert_string_equal(c.cost->preset, cases[i].preset);
        assert_int_equal(c.threads, cases[i].threads);
        assert_int_equal(c.width < 1280, cases[i].smaller);
        assert_int_equal(c.fits, cases[i].fits);
    }
}

/* One encoder that is too slow by one thread alone, and a machine with more. */
static void test_threads_help_where_there_are_cores(void **state)
{
    struct tdm_cost_table table = {.count = 1,
                                   .costs = {{"vp9", "8", TDM_CODEC_VP9, 20.0, 2.0, 1.6, 1}}};
    struct tdm_choice_wish wish = plain;

    (void)state;
    wish.size_fixed = true;
    assert_int_equal(tdm_choice_make(&table, &wish).threads, 2);
    assert_true(tdm_choice_make(&table, &wish).fits);
    wish.cores = 1;
    assert_int_equal(tdm_choice_make(&table, &wish).threads, 1);
    assert_false(tdm_choice_make(&table, &wish).fits);
}

static void test_wishes_bind(void **state)
{
    struct tdm_choice_wish wish = plain;

    (void)state;
    wish.codec = TDM_CODEC_VP8;
    assert_string_equal(tdm_choice_make(&usual, &wish).cost->encoder, "vp8");
    wish = plain;
    wish.encoder = "aom";
    assert_string_equal(tdm_choice_make(&usual, &wish).cost->encoder, "aom");
    wish = plain;
    wish.preset = "ultrafast";
    assert_string_equal(tdm_choice_make(&usual, &wish).cost->preset, "ultrafast");
    wish.preset = "placebo";
    assert_null(tdm_choice_make(&usual, &wish).cost);
    wish = plain;
    wish.codec = TDM_CODEC_H265;
    assert_null(tdm_choice_make(&usual, &wish).cost);
}

static void test_order_has_each_codec_once(void **state)
{
    enum tdm_codec_id order[8];
    struct tdm_choice_wish wish = plain;

    (void)state;
    assert_int_equal(tdm_choice_order(&usual, &plain, order, 8), 4);
    assert_int_equal(order[0], TDM_CODEC_H264);
    assert_int_equal(order[3], TDM_CODEC_AV1);
    wish.bps = 250000;
    assert_int_equal(tdm_choice_order(&usual, &wish, order, 8), 4);
    assert_int_equal(order[0], TDM_CODEC_AV1);
    assert_int_equal(tdm_choice_order(&usual, &plain, order, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enough_rate_takes_the_quick_one),
        cmocka_unit_test(test_thin_link_takes_the_strong_one_and_a_smaller_picture),
        cmocka_unit_test(test_screen_is_not_camera),
        cmocka_unit_test(test_slow_machine_steps_down),
        cmocka_unit_test(test_threads_help_where_there_are_cores),
        cmocka_unit_test(test_wishes_bind),
        cmocka_unit_test(test_order_has_each_codec_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A shared screen over modelled links: screen_pair.h checks each frame, these what comes of it.
 */
#include "tests/sim/screen_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAUSE (33 * TDM_MS)

static const struct screen_pair_config lan = {
    .width = 640,
    .height = 480,
    .seed = 1,
    .rate_bps = 200000000,
    .delay = TDM_MS / 2,
    .cache_tiles = 512,
};

/* 5 Mb/s, 40 ms there and back. */
static const struct screen_pair_config far = {
    .width = 640,
    .height = 480,
    .seed = 2,
    .rate_bps = 5000000,
    .delay = 20 * TDM_MS,
    .cache_tiles = 512,
};

static struct screen_pair *begin(const struct screen_pair_config *config)
{
    struct screen_pair *p = screen_pair_create(config);

    assert_non_null(p);
    return p;
}

static void check(struct screen_pair *p)
{
    const char *failed = screen_pair_failed(p);

    if (failed)
        print_message("seed failed: %s\n", failed);
    assert_null(failed);
}

static struct screen_pair_stats stats_of(struct screen_pair *p)
{
    struct screen_pair_stats stats;

    check(p);
    screen_pair_stats(p, &stats);
    return stats;
}

/* Nothing happens for two seconds: then the picture is exact, and the viewer knows. */
static void settle(struct screen_pair *p)
{
    screen_pair_run(p, 2 * TDM_S);
    assert_int_equal(stats_of(p).since_exact, 0);
}

/* Bytes that arrive while something is done so many times. */
static uint64_t bytes_of(struct screen_pair *p, enum desk_action action, int amount, int times)
{
    uint64_t before = stats_of(p).bytes;

    for (int i = 0; i < times; i++) {
        screen_pair_do(p, action, amount);
        screen_pair_run(p, PAUSE);
    }
    return stats_of(p).bytes - before;
}

static void test_begins_and_is_exact(void **state)
{
    const struct screen_pair_config *links[] = {&lan, &far};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct screen_pair *p = begin(links[i]);

        settle(p);
        assert_true(stats_of(p).frames > 0);
        screen_pair_destroy(p);
    }
}

static void test_keystrokes_are_small(void **state)
{
    struct screen_pair *p = begin(&far);

    (void)state;
    settle(p);
    (void)bytes_of(p, DESK_TYPE, 0, 60);
    uint64_t bytes = bytes_of(p, DESK_TYPE, 0, 30);

    print_message("keystroke: %.1f bytes\n", (double)bytes / 30);
    assert_true(bytes < 30 * 90);
    assert_true(stats_of(p).worst_age < TDM_S);
    settle(p);
    screen_pair_destroy(p);
}

static void test_what_moves_is_not_sent_again(void **state)
{
    struct screen_pair *p = begin(&far);

    (void)state;
    settle(p);
    (void)bytes_of(p, DESK_SCROLL, 53, 10);
    uint64_t scroll = bytes_of(p, DESK_SCROLL, 53, 10);
    uint64_t drag = bytes_of(p, DESK_DRAG, 0, 10);
    struct screen_pair_stats stats = stats_of(p);

    print_message("scroll %.0f, drag %.0f bytes\n", (double)scroll / 10, (double)drag / 10);
    assert_true(stats.host.pixels_moved > 10u * 300 * 300);
    assert_true(scroll < 10 * 4000);
    assert_true(drag < 10 * 6000);
    settle(p);
    screen_pair_destroy(p);
}

static void test_windows_come_back_from_the_cache(void **state)
{
    struct screen_pair *p = begin(&far);

    (void)state;
    settle(p);
    for (int i = 0; i < 2 * DESK_WINDOWS; i++) {
        screen_pair_do(p, DESK_SWITCH, 0);
        screen_pair_run(p, TDM_S);
    }
    uint64_t before = stats_of(p).bytes;

    for (int i = 0; i < DESK_WINDOWS; i++) {
        screen_pair_do(p, DESK_SWITCH, 0);
        screen_pair_run(p, TDM_S);
    }
    uint64_t bytes = stats_of(p).bytes - before;

    print_message("switch: %.0f bytes\n", (double)bytes / DESK_WINDOWS);
    assert_true(stats_of(p).host.pixels_cached > 0);
    assert_true(bytes < DESK_WINDOWS * 1000);
    settle(p);
    screen_pair_destroy(p);
}

static void test_photographs_come_roughly_and_then_exactly(void **state)
{
    struct screen_pair *p = begin(&far);

    (void)state;
    settle(p);
    screen_pair_do(p, DESK_PHOTO, 0);
    screen_pair_run(p, 250 * TDM_MS);
    struct screen_pair_stats rough = stats_of(p);

    assert_true(rough.host.pixels_photo > 0);
    assert_true(rough.host.tiles_owed > 0 && rough.since_exact > 0);
    screen_pair_run(p, 2 * TDM_S);
    assert_true(stats_of(p).host.pixels_refined > 0);
    settle(p);
    screen_pair_destroy(p);

    struct screen_pair_config config = far;

    config.photo_exact = true;
    p = begin(&config);
    screen_pair_do(p, DESK_PHOTO, 0);
    screen_pair_run(p, 2 * TDM_S);
    assert_int_equal(stats_of(p).host.pixels_photo, 0);
    settle(p);
    screen_pair_destroy(p);
}

static void test_a_video_is_left_to_the_video_codec(void **state)
{
    struct screen_pair_config config = far;

    (void)state;
    config.video = true;
    struct screen_pair *p = begin(&config);

    settle(p);
    (void)bytes_of(p, DESK_VIDEO, 0, 60);
    assert_true(stats_of(p).videos);
    assert_true(stats_of(p).host.tiles_video > 0);
    assert_true(stats_of(p).since_exact > 0);
    uint64_t during = bytes_of(p, DESK_VIDEO, 0, 30);

    print_message("frames beside a video: %.0f bytes\n", (double)during / 30);
    assert_true(during < 30 * 100);
    screen_pair_run(p, 2 * TDM_S);
    assert_int_equal(stats_of(p).host.tiles_video, 0);
    settle(p);
    screen_pair_destroy(p);
}

static void test_text_that_scrolls_all_the_time_is_no_video(void **state)
{
    struct screen_pair_config config = far;

    (void)state;
    config.video = true;
    struct screen_pair *p = begin(&config);

    (void)bytes_of(p, DESK_SCROLL, 16, 90);
    assert_false(stats_of(p).videos);
    settle(p);
    screen_pair_destroy(p);
}

static void test_a_break_costs_only_what_changed(void **state)
{
    struct screen_pair *p = begin(&far);

    (void)state;
    settle(p);
    screen_pair_do(p, DESK_TYPE, 0);
    screen_pair_run(p, 5 * TDM_MS);
    screen_pair_cut(p);
    screen_pair_run(p, TDM_S);
    screen_pair_do(p, DESK_TYPE, 0);
    uint64_t before = stats_of(p).bytes;

    screen_pair_connect(p);
    settle(p);
    assert_true(stats_of(p).host.wiped_tiles < 80 + 6); /* 80 were wiped at the first start. */
    print_message("after a break: %d bytes\n", (int)(stats_of(p).bytes - before));
    assert_true(stats_of(p).bytes - before < 4000);
    screen_pair_destroy(p);
}

static void test_a_wrong_byte_is_found_and_mended(void **state)
{
    struct screen_pair *p = begin(&lan);

    (void)state;
    settle(p);
    screen_pair_spoil(p);
    screen_pair_do(p, DESK_SCROLL, 20);
    settle(p);
    assert_true(stats_of(p).view.resyncs > 0);
    screen_pair_destroy(p);
}

static void test_a_fast_link_is_not_waited_for(void **state)
{
    struct screen_pair_config config = lan;

    (void)state;
    config.rate_bps = 10000000000u;
    struct screen_pair *p = begin(&config);

    settle(p);
    screen_pair_do(p, DESK_PHOTO, 0);
    screen_pair_run(p, 20 * TDM_MS);
    struct screen_pair_stats stats = stats_of(p);

    assert_int_equal(stats.host.pixels_photo, 0);
    assert_true(stats.host.pixels_raw + stats.host.pixels_zstd > 0);
    assert_int_equal(stats.since_exact, 0);
    screen_pair_destroy(p);
}

static void test_another_size(void **state)
{
    static const int sizes[][2] = {{641, 470}, {300, 200}, {777, 333}, {640, 480}};
    struct screen_pair *p = begin(&lan);

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        screen_pair_do(p, DESK_PAGE, 0);
        screen_pair_run(p, 2 * TDM_MS);
        assert_true(screen_pair_resize(p, sizes[i][0], sizes[i][1]));
        screen_pair_do(p, DESK_TYPE, 0);
        settle(p);
    }
    screen_pair_destroy(p);
}

/* Anything in any order over links of any kind, with breaks and faults. */
static void one_day(uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);
    struct screen_pair_config config = {
        .width = 200 + (int)tdm_rng_below(&rng, 300),
        .height = 150 + (int)tdm_rng_below(&rng, 200),
        .seed = seed,
        .rate_bps = 300000u << tdm_rng_below(&rng, 10),
        .delay = (tdm_time)tdm_rng_below(&rng, 100) * TDM_MS,
        .video = tdm_rng_chance(&rng, 0.5),
        .photo_exact = tdm_rng_chance(&rng, 0.2),
        .cache_tiles = 1 + tdm_rng_below(&rng, 60),
    };
    struct screen_pair *p = begin(&config);

    for (int i = 0; i < 60; i++) {
        uint32_t what = tdm_rng_below(&rng, 100);

        if (what < 4) {
            screen_pair_cut(p);
            screen_pair_run(p, (tdm_time)tdm_rng_below(&rng, 300) * TDM_MS);
            screen_pair_connect(p);
        } else if (what < 6) {
            screen_pair_spoil(p);
        }
        screen_pair_do(p, (enum desk_action)tdm_rng_below(&rng, DESK_ACTIONS),
                       (int)tdm_rng_below(&rng, 120));
        screen_pair_run(p, (tdm_time)tdm_rng_below(&rng, 120) * TDM_MS);
        if (screen_pair_failed(p))
            break;
    }
    screen_pair_run(p, 12 * TDM_S); /* 300 kbit/s need their time. */
    if (screen_pair_failed(p))
        print_message("seed %d: %s\n", (int)seed, screen_pair_failed(p));
    else if (stats_of(p).since_exact)
        print_message("seed %d is not exact\n", (int)seed);
    assert_null(screen_pair_failed(p));
    assert_int_equal(stats_of(p).since_exact, 0);
    screen_pair_destroy(p);
}

static void test_any_day(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        one_day(seed);
}

/* With arguments: only one_day, of these seeds, from the first to the last. */
#define PATCH 24 /* Sides of what is compared. */

/* The desktop around a point. */
static void take_patch(struct screen_pair *p, const struct tdm_anchor_place *at,
                       uint32_t patch[PATCH * PATCH])
{
    const uint8_t *pixels = screen_pair_pixels(p);

    for (int y = 0; y < PATCH; y++)
        for (int x = 0; x < PATCH; x++) {
            int px = at->x / 16 - PATCH / 2 + x, py = at->y / 16 - PATCH / 2 + y;
            uint32_t pixel = 0;

            if (px >= 0 && py >= 0 && px < lan.width && py < lan.height)
                memcpy(&pixel, pixels + ((size_t)py * (size_t)lan.width + (size_t)px) * 4, 4);
            patch[y * PATCH + x] = pixel & 0xffffff;
        }
}

/* Both sides follow a point by themselves; where it is are the pixels that it was put on. */
static void follow_over(const struct screen_pair_config *config)
{
    static const int amounts[] = {13, 26, -13, 7, 40, -26, -40, -7, 13, -13};
    struct screen_pair *p = begin(config);
    int moved = 0, seen = 0;

    settle(p);
    for (int i = 0; i < 12; i++) {
        uint32_t before[PATCH * PATCH], after[PATCH * PATCH];
        struct tdm_anchor_place host = screen_pair_put(p, 200 + 20 * i, 150 + 15 * i), view = host;
        int32_t y = host.y;

        take_patch(p, &host, before);
        screen_pair_do(p, DESK_SCROLL, amounts[i % 10]);
        settle(p);
        screen_pair_follow(p, true, &host);
        screen_pair_follow(p, false, &view);
        assert_int_equal(host.x, view.x);
        assert_int_equal(host.y, view.y);
        assert_int_equal(host.away, view.away);
        if (host.y == y || host.away)
            continue;
        moved++;
        take_patch(p, &host, after);
        seen += memcmp(before, after, sizeof before) == 0;
    }
    print_message("%d points of 12 went along\n", moved);
    assert_true(moved >= 6);
    assert_int_equal(seen, moved);
    screen_pair_destroy(p);
}

static void test_annotations_go_with_what_they_are_on(void **state)
{
    (void)state;
    follow_over(&lan);
    follow_over(&far);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        for (uint64_t seed = strtoull(argv[1], NULL, 10); seed <= strtoull(argv[2], NULL, 10);
             seed++)
            one_day(seed);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_and_is_exact),
        cmocka_unit_test(test_keystrokes_are_small),
        cmocka_unit_test(test_what_moves_is_not_sent_again),
        cmocka_unit_test(test_windows_come_back_from_the_cache),
        cmocka_unit_test(test_photographs_come_roughly_and_then_exactly),
        cmocka_unit_test(test_a_video_is_left_to_the_video_codec),
        cmocka_unit_test(test_text_that_scrolls_all_the_time_is_no_video),
        cmocka_unit_test(test_a_break_costs_only_what_changed),
        cmocka_unit_test(test_a_wrong_byte_is_found_and_mended),
        cmocka_unit_test(test_a_fast_link_is_not_waited_for),
        cmocka_unit_test(test_another_size),
        cmocka_unit_test(test_any_day),
        cmocka_unit_test(test_annotations_go_with_what_they_are_on),
    };

    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}

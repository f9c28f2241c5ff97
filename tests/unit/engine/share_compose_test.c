/* SPDX-License-Identifier: MIT */
/* What is shown of a surface: the core's pixels, the pictures of moving regions over them, and the
 * pixels again when a region is over. Units are coded by the host's own thread. */
#include "engine/share_compose.h"
#include "engine/share_region.h"

#include "engine/base/rng.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WIDTH  320
#define HEIGHT 200
#define BELOW  0x40 /* Each byte of the core's pixels. */
#define BUDGET 20000

static uint8_t core[HEIGHT][WIDTH][4], movie[HEIGHT][WIDTH][4], shown[HEIGHT][WIDTH][4];
static const struct tdm_screen_image image = {&shown[0][0][0], sizeof shown[0], WIDTH, HEIGHT};
static const struct tdm_screen_rect all = {0, 0, WIDTH, HEIGHT};
/* At the edges and of odd sides. */
static const struct tdm_screen_video region = {
    .stream = 2, .surface = 3, .rect = {96, 40, 129, 97}, .frame_id = 7};

static struct tdm_share_compose *compose;

static int setup(void **state)
{
    (void)state;
    memset(core, BELOW, sizeof core);
    memset(shown, 0, sizeof shown);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            movie[y][x][0] = (uint8_t)(x * 200 / WIDTH + 20);
            movie[y][x][1] = (uint8_t)(y * 200 / HEIGHT + 20);
            movie[y][x][2] = 180;
        }
    compose = tdm_share_compose_create();
    return compose ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    tdm_share_compose_destroy(compose);
    return 0;
}

/* One picture of the region by the host's thread; the caller frees its data. */
static struct tdm_screen_unit unit_of(const struct tdm_screen_video *video)
{
    struct tdm_share_region *coder;
    struct tdm_screen_unit unit, copy;
    struct tdm_cause cause = {""};
    struct pollfd fd = {.fd = tdm_wake_open(&cause), .events = POLLIN};

    assert_true(fd.fd >= 0);
    assert_int_equal(tdm_share_region_create(&coder, fd.fd, &cause), TDM_OK);
    assert_false(tdm_share_region_give(coder, video->stream, movie[0][0], sizeof movie[0], BUDGET));
    tdm_share_region_set(coder, video, 1);
    assert_true(tdm_share_region_give(coder, video->stream, movie[video->rect.y][video->rect.x],
                                      sizeof movie[0], BUDGET));
    assert_int_equal(poll(&fd, 1, 30000), 1);
    assert_true(tdm_share_region_take(coder, TDM_SHARE_REGION_ALL, &unit, NULL));
    copy = unit;
    uint8_t *data = malloc(unit.size);

    assert_non_null(data);
    memcpy(data, unit.data, unit.size);
    copy.data = data;
    /* One at a time, until it was taken. */
    assert_false(tdm_share_region_give(coder, video->stream, movie[0][0], sizeof movie[0], BUDGET));
    tdm_share_region_taken(coder, unit.stream);
    assert_false(tdm_share_region_take(coder, TDM_SHARE_REGION_ALL, &unit, NULL));
    tdm_share_region_destroy(coder);
    (void)close(fd.fd);
    return copy;
}

static bool is_below(int x, int y)
{
    return shown[y][x][0] == BELOW && shown[y][x][1] == BELOW && shown[y][x][2] == BELOW;
}

static bool is_movie(int x, int y)
{
    for (int i = 0; i < 3; i++)
        if (abs(shown[y][x][i] - movie[y][x][i]) > 48) /* A first picture is rough. */
            return false;
    return true;
}

static void assert_composed(void)
{
    const struct tdm_screen_rect *r = &region.rect;

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            bool inside = x >= r->x && x < r->x + r->width && y >= r->y && y < r->y + r->height;

            if (inside ? !is_movie(x, y) : !is_below(x, y))
                fail_msg("%d,%d is wrong: %d %d %d", x, y, shown[y][x][0], shown[y][x][1],
                         shown[y][x][2]);
        }
}

static void draw_core(const struct tdm_screen_rect *rect)
{
    tdm_share_compose_rect(compose, region.surface, &image, core[0][0], sizeof core[0], rect);
}

static void test_a_picture_lies_over_the_pixels(void **state)
{
    struct tdm_screen_unit unit = unit_of(&region);
    struct tdm_screen_rect rect, left;
    uint8_t surface;

    (void)state;
    draw_core(&all);
    tdm_share_compose_set(compose, &region, 1);
    assert_int_equal(tdm_share_compose_unit(compose, &unit, TDM_SHARE_BY_CHANNEL, &surface, &rect),
                     TDM_SHARE_DRAWN);
    assert_int_equal(surface, region.surface);
    assert_memory_equal(&rect, &region.rect, sizeof rect);
    tdm_share_compose_draw(compose, region.stream, &image);
    assert_composed();
    /* Pixels that are drawn anew below it, or half below it, do not come through. */
    draw_core(&(struct tdm_screen_rect){100, 60, 64, 64});
    draw_core(&(struct tdm_screen_rect){0, 0, 128, 64});
    draw_core(&(struct tdm_screen_rect){WIDTH - 8, HEIGHT - 8, 64, 64});
    assert_composed();
    /* The last picture stays until it is asked where it is. */
    tdm_share_compose_set(compose, NULL, 0);
    assert_composed();
    assert_false(tdm_share_compose_left(compose, 0, &left));
    assert_true(tdm_share_compose_left(compose, region.surface, &left));
    assert_memory_equal(&left, &region.rect, sizeof left);
    draw_core(&left);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        assert_true(is_below(i % WIDTH, i / WIDTH));
    assert_false(tdm_share_compose_left(compose, region.surface, &left));
    free((void *)(uintptr_t)unit.data);
}

static enum tdm_share_drawn feed(const struct tdm_screen_unit *unit, enum tdm_share_way way)
{
    struct tdm_screen_rect rect;
    uint8_t surface;

    return tdm_share_compose_unit(compose, unit, way, &surface, &rect);
}

/* What comes late by the way that is left, or is broken on it, does the other one no harm. */
static void test_two_ways(void **state)
{
    struct tdm_screen_unit unit = unit_of(&region), bad = unit;

    (void)state;
    tdm_share_compose_set(compose, &region, 1);
    assert_int_equal(feed(&unit, TDM_SHARE_BY_CHANNEL), TDM_SHARE_DRAWN);
    assert_int_equal(feed(&unit, TDM_SHARE_BY_RTP), TDM_SHARE_DRAWN);
    bad.codec = 9;
    assert_int_equal(feed(&bad, TDM_SHARE_BY_RTP), TDM_SHARE_BROKEN);
    assert_int_equal(feed(&unit, TDM_SHARE_BY_CHANNEL), TDM_SHARE_DRAWN);
    draw_core(&all);
    assert_composed();
    free((void *)(uintptr_t)unit.data);
}

static void test_what_is_wrong_is_dropped(void **state)
{
    struct tdm_screen_unit unit = unit_of(&region), bad = unit;
    struct tdm_screen_video small = region;
    struct tdm_rng rng = tdm_rng_of(5);
    uint8_t *noise = (uint8_t *)(uintptr_t)unit.data;

    (void)state;
    /* No such region; another frame's; another codec's; larger and smaller than the region. */
    assert_int_equal(feed(&unit, TDM_SHARE_BY_CHANNEL), TDM_SHARE_NOT_DRAWN);
    tdm_share_compose_set(compose, &region, 1);
    bad.frame_id++;
    assert_int_equal(feed(&bad, TDM_SHARE_BY_CHANNEL), TDM_SHARE_NOT_DRAWN);
    assert_false(tdm_share_compose_has(compose, bad.stream, bad.frame_id));
    assert_true(tdm_share_compose_has(compose, unit.stream, unit.frame_id));
    assert_false(tdm_share_compose_has(compose, 200, unit.frame_id));
    bad = unit;
    bad.codec = 9;
    assert_int_equal(feed(&bad, TDM_SHARE_BY_CHANNEL), TDM_SHARE_BROKEN);
    for (int i = 0; i < 2; i++) {
        small.frame_id++;
        small.rect.width = i ? 300 : 40;
        tdm_share_compose_set(compose, &small, 1);
        bad = unit;
        bad.frame_id = small.frame_id;
        assert_int_equal(feed(&bad, TDM_SHARE_BY_CHANNEL), TDM_SHARE_BROKEN);
    }
    tdm_share_compose_set(compose, &region, 1);
    assert_int_equal(feed(&unit, TDM_SHARE_BY_CHANNEL), TDM_SHARE_DRAWN);
    for (size_t i = 4; i < unit.size; i++)
        noise[i] = (uint8_t)tdm_rng_u32(&rng);
    assert_int_equal(feed(&unit, TDM_SHARE_BY_CHANNEL), TDM_SHARE_BROKEN);
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_picture_lies_over_the_pixels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_wrong_is_dropped, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

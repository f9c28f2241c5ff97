/* SPDX-License-Identifier: MIT */
/* The records of docs/screen-wire.md, byte by byte. */
#include "collab/screen_wire.h"

#include "engine/base/tile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t size;
    } numbers[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\x80\x01", 2},
        {300, "\xac\x02", 2},
        {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t room[16];
        struct tdm_writer w = tdm_writer_of(room, sizeof room);
        struct tdm_reader r = tdm_reader_of((const uint8_t *)numbers[i].bytes, numbers[i].size);

        tdm_screen_write_number(&w, numbers[i].value);
        assert_int_equal(tdm_writer_size(&w), numbers[i].size);
        assert_memory_equal(room, numbers[i].bytes, numbers[i].size);
        assert_true(tdm_screen_read_number(&r) == numbers[i].value && r.ok);
    }
}

static void test_numbers_that_are_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"", 0},
               {"\x80", 1},
               {"\x80\x00", 2}, /* Longer than it must be. */
               {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},
               {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tdm_reader r = tdm_reader_of((const uint8_t *)bad[i].bytes, bad[i].size);

        (void)tdm_screen_read_number(&r);
        assert_false(r.ok);
    }
}

static void test_signed(void **state)
{
    static const int64_t values[] = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX, -16384};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t room[16];
        struct tdm_writer w = tdm_writer_of(room, sizeof room);

        tdm_screen_write_signed(&w, values[i]);
        struct tdm_reader r = tdm_reader_of(room, tdm_writer_size(&w));

        assert_true(tdm_screen_read_signed(&r) == values[i] && r.ok);
        assert_true(values[i] < -64 || values[i] > 63 || tdm_writer_size(&w) == 1);
    }
}

static void test_cells_stay_within(void **state)
{
    static const struct {
        const char *bytes;
        bool good;
    } rects[] = {{"\x00\x00\x09\x04", true},  {"\x09\x04\x00\x00", true},
                 {"\x0a\x00\x00\x00", false}, {"\x00\x05\x00\x00", false},
                 {"\x01\x00\x09\x00", false}, {"\x00\x01\x00\x04", false},
                 {"\x00\x00\x00\xff", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rects / sizeof *rects; i++) {
        struct tdm_reader r = tdm_reader_of((const uint8_t *)rects[i].bytes, 4);
        struct tdm_screen_rect cells = tdm_screen_read_cells(&r, 10, 5);
        struct tdm_screen_rect rect = tdm_screen_pixels_of(&cells, 75, 33);

        assert_int_equal(r.ok, rects[i].good);
        assert_true(rect.x + rect.width <= 75 && rect.y + rect.height <= 33 && rect.width > 0);
    }
}

static void test_start(void **state)
{
    static const uint8_t bytes[] = {1, 7, 0x80, 0x20, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    struct tdm_reader r = tdm_reader_of(bytes, sizeof bytes);
    struct tdm_screen_start start;
    uint8_t room[32];
    struct tdm_writer w = tdm_writer_of(room, sizeof room);

    (void)state;
    assert_int_equal(tdm_screen_start_parse(&start, &r), TDM_OK);
    assert_int_equal(start.first_id, 7);
    assert_int_equal(start.cache_tiles, 4096);
    assert_int_equal(start.resyncs, 1);
    assert_true(start.hash_seed == 0x0102030405060708u);
    tdm_screen_start_write(&start, &w);
    assert_int_equal(tdm_writer_size(&w), sizeof bytes);
    assert_memory_equal(room, bytes, sizeof bytes);
    room[0] = 2;
    r = tdm_reader_of(room, sizeof bytes);
    assert_int_equal(tdm_screen_start_parse(&start, &r), TDM_E_UNSUPPORTED);
    r = tdm_reader_of(bytes, sizeof bytes - 1);
    assert_int_equal(tdm_screen_start_parse(&start, &r), TDM_E_MALFORMED);
}

static void test_surfaces(void **state)
{
    static const uint8_t bytes[] = {2,    0x10, 0x07, 0x80, 0x04, 0x38, 0, 0, 1,   'a', 0x05,
                                    0x00, 0x01, 0x00, 0x01, 0x80, 0x1e, 1, 2, 'b', 0x1b};
    struct tdm_reader r = tdm_reader_of(bytes, sizeof bytes);
    struct tdm_screen_list list;
    uint8_t room[64];
    struct tdm_writer w = tdm_writer_of(room, sizeof room);

    (void)state;
    assert_int_equal(tdm_screen_list_parse(&list, &r), TDM_OK);
    assert_int_equal(list.count, 2);
    assert_true(list.surfaces[0].primary && !list.surfaces[1].primary);
    assert_int_equal(list.surfaces[0].width, 1920);
    assert_int_equal(list.surfaces[1].id, 5);
    assert_int_equal(list.surfaces[1].x, 1920);
    assert_int_equal(list.surfaces[1].y, -1);
    assert_string_equal(list.surfaces[1].name, "b?"); /* No controls. */
    list.surfaces[1].name[1] = 0x1b;
    tdm_screen_list_write(&list, &w);
    assert_int_equal(tdm_writer_size(&w), sizeof bytes);
    assert_memory_equal(room, bytes, sizeof bytes);
    for (size_t size = 0; size < sizeof bytes; size++) {
        r = tdm_reader_of(bytes, size);
        assert_int_equal(tdm_screen_list_parse(&list, &r), TDM_E_MALFORMED);
    }
}

static void test_surfaces_that_cannot_be(void **state)
{
    static const uint8_t bad[][20] = {
        {17},
        {1, 0, 0, 0, 0, 1, 0, 0, 0},                         /* No width. */
        {1, 0, 0x40, 0x01, 0, 1, 0, 0, 0},                   /* 16385. */
        {2, 3, 0, 1, 0, 1, 0, 0, 0, 3, 0, 1, 0, 1, 0, 0, 0}, /* Twice the same. */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tdm_reader r = tdm_reader_of(bad[i], sizeof bad[i]);
        struct tdm_screen_list list;

        assert_int_equal(tdm_screen_list_parse(&list, &r), TDM_E_MALFORMED);
    }
}

static void test_cursor(void **state)
{
    static const uint8_t pixels[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t bytes[] = {31, 2, 2, 1, 0, 5, 0, 0, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8};
    static uint8_t room[TDM_SCREEN_CURSOR_SIDE_MAX * TDM_SCREEN_CURSOR_SIDE_MAX * 4];
    struct tdm_screen_cursor cursor = {
        .slot = 31, .width = 2, .height = 2, .hot_x = 1, .pixels = pixels};
    struct tdm_writer w = tdm_writer_of(room, sizeof room);

    (void)state;
    tdm_screen_cursor_write(&cursor, &w);
    assert_int_equal(tdm_writer_size(&w), sizeof bytes);
    assert_memory_equal(room, bytes, sizeof bytes);
    for (size_t i = 0; i <= sizeof bytes; i++) {
        uint8_t bad[sizeof bytes];
        struct tdm_reader r = tdm_reader_of(bytes, i);
        bool whole = i == sizeof bytes;

        assert_int_equal(tdm_screen_cursor_parse(&cursor, &r, room),
                         whole ? TDM_OK : TDM_E_MALFORMED);
        memcpy(bad, bytes, sizeof bad);
        bad[i < 6 ? i : 5] = i == 3 || i == 4 ? 2 : 200; /* Slot, sides, hot spot, run. */
        r = tdm_reader_of(bad, sizeof bad);
        assert_int_equal(tdm_screen_cursor_parse(&cursor, &r, room), TDM_E_MALFORMED);
    }
    struct tdm_reader r = tdm_reader_of(bytes, sizeof bytes);

    assert_int_equal(tdm_screen_cursor_parse(&cursor, &r, room), TDM_OK);
    assert_memory_equal(room, pixels, sizeof pixels);
}

static void test_pointer(void **state)
{
    static const uint8_t bytes[] = {0x13, 9, 0x80, 0x1e, 0x03};
    struct tdm_screen_pointer pointer = {
        .surface = 3, .visible = true, .shape = 9, .x = 1920, .y = -2};
    struct tdm_screen_pointer parsed;
    uint8_t value[TDM_SCREEN_POINTER_BYTES];

    (void)state;
    assert_int_equal(tdm_screen_pointer_write(&pointer, value), sizeof bytes);
    assert_memory_equal(value, bytes, sizeof bytes);
    assert_int_equal(tdm_screen_pointer_parse(&parsed, bytes, sizeof bytes), TDM_OK);
    assert_true(parsed.x == 1920 && parsed.y == -2 && parsed.shape == 9 && parsed.visible &&
                parsed.surface == 3);
    assert_int_equal(tdm_screen_pointer_parse(&parsed, bytes, 4), TDM_E_MALFORMED);
    value[1] = 32;
    assert_int_equal(tdm_screen_pointer_parse(&parsed, value, sizeof bytes), TDM_E_MALFORMED);
}

static void test_unit(void **state)
{
    static const uint8_t bytes[] = {5, 7, 3, 2, 0xac, 0x02, 'a', 'b', 'c'};
    struct tdm_screen_unit unit = {
        .stream = 3, .codec = TDM_SCREEN_VIDEO_VP8, .frame_id = 300, .size = 3};
    uint8_t head[TDM_SCREEN_UNIT_HEAD_MAX];

    (void)state;
    assert_int_equal(tdm_screen_unit_write_head(&unit, head), 6);
    assert_memory_equal(head, bytes, 6);
    for (size_t i = 2; i <= sizeof bytes; i++) {
        struct tdm_reader r = tdm_reader_of(bytes + 2, i - 2);

        /* A unit of no bytes is none. */
        assert_int_equal(tdm_screen_unit_parse(&unit, &r), i > 6 ? TDM_OK : TDM_E_MALFORMED);
    }
    assert_true(unit.stream == 3 && unit.codec == 2 && unit.frame_id == 300 && unit.size == 3 &&
                unit.data[2] == 'c');
    struct tdm_reader r = tdm_reader_of((const uint8_t *)"\4\1\1x", 4);

    assert_int_equal(tdm_screen_unit_parse(&unit, &r), TDM_E_MALFORMED);
    r = tdm_reader_of((const uint8_t *)"\1\1\x80\x80\x80\x80\x10x", 8);
    assert_int_equal(tdm_screen_unit_parse(&unit, &r), TDM_E_MALFORMED);
}

/*
 * A transcript of version 1, by hand: a start, one surface of 72 x 16 pixels, and three frames that
 * fill it, draw 8 x 8 pixels raw, and move these by (8, 8). The proofs are computed by the rule of
 * the page: they depend on nothing but the pixels and the seed.
 */
static const uint8_t start_and_list[] = {1, 12, 1, 1, 2, 1, 0,  0, 0,  0, 0, 0, 0,
                                         5, 2,  9, 1, 0, 0, 72, 0, 16, 0, 0, 0};
static const uint8_t fill_frame[] = {3, 18, 0x30, 20, 5, 0x11, 0x22, 0x33, 0, 0, 8, 1};
/* 16 x 16 pixels are a video's from frame 4 on, and two units, of which one is of another frame's.
 */
static const uint8_t video_frame[] = {3, 16, 0x30, 0, 6, 0x11, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 5};
static const uint8_t video_unit[] = {5, 5, 1, 1, 4, 0xaa, 0xbb};
static const uint8_t other_unit[] = {5, 5, 1, 1, 3, 0xaa, 0xbb};
static const uint8_t copy_frame[] = {3, 19, 0xb0, 0, 3, 1, 16, 16, 1, 1, 1, 0, 0};

struct golden {
    struct tdm_screen_view *view;
    uint8_t pixels[72 * 16 * 4]; /* As they must be. */
    struct tdm_screen_view_out out;
};

static void feed(struct golden *g, const uint8_t *data, size_t size)
{
    struct tdm_screen_view_in in = {.kind = TDM_SCREEN_VIEW_BYTES, .data = data, .size = size};

    tdm_screen_view_step(g->view, &in, &g->out);
    assert_int_equal(g->out.consumed, size);
}

/* Two tiles: 64 x 16 and 8 x 16. */
static void feed_frame(struct golden *g, const uint8_t *data, size_t size)
{
    struct tdm_tile left = {g->pixels, 288, 64, 16}, right = {g->pixels + 256, 288, 8, 16};
    bool both = data[2] == 0x30 && data[4] == 5;
    uint64_t hash = tdm_screen_hash_join(5, tdm_tile_hash_keyed(&left, 5));
    uint8_t proof[8];
    struct tdm_writer w = tdm_writer_of(proof, sizeof proof);

    if (both)
        hash = tdm_screen_hash_join(hash, tdm_tile_hash_keyed(&right, 5));
    tdm_write_u64(&w, hash);
    feed(g, data, size);
    assert_int_equal(g->out.event, TDM_SCREEN_VIEW_EV_NONE);
    feed(g, proof, sizeof proof);
}

static void test_transcript(void **state)
{
    struct tdm_screen_view_config config = {.cache_tiles = 2, .pixels_max = 5000};
    struct golden g = {.view = NULL};
    void *memory = malloc(tdm_screen_view_bytes(&config));
    void *storage = malloc(tdm_screen_view_surface_bytes(72, 16));
    uint8_t raw_frame[3 + 1 + 192 + 32] = {3, 0xd2, 0x01, 0x30, 0, 16, 1, 0, 0, 0, 0, 0xc0, 0x01};
    struct tdm_screen_view_surface s[TDM_SCREEN_SURFACES_MAX];

    (void)state;
    assert_true(memory && storage);
    g.view = tdm_screen_view_init(memory, &config);
    tdm_screen_view_step(g.view, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_RESTART},
                         &g.out);
    feed(&g, start_and_list, sizeof start_and_list);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_SURFACES);
    tdm_screen_view_step(
        g.view, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_STORAGE, .storage = storage},
        &g.out);
    for (int i = 0; i < 72 * 16; i++)
        memcpy(g.pixels + (size_t)i * 4, "\x33\x22\x11", 4);
    feed_frame(&g, fill_frame, sizeof fill_frame);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_FRAME);
    assert_int_equal(g.out.frame_id, 1);
    assert_int_equal(g.out.capture_time, 10 * TDM_US);
    assert_false(g.out.exact);
    assert_true(g.out.rects[0].width == 72 && g.out.rects[0].height == 16);

    /* Size: flags, time, op, count, 4 of cells, 2 of size, 192 of pixels, 8 of proof = 210. */
    for (int i = 0; i < 64; i++) {
        uint8_t *to = g.pixels + (i / 8 * 72 + i % 8) * 4;

        for (int k = 0; k < 3; k++)
            to[k] = raw_frame[13 + i * 3 + k] = (uint8_t)(i * 3 + k);
    }
    feed_frame(&g, raw_frame, 13 + 192);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_FRAME);

    for (int y = 0; y < 8; y++)
        memcpy(g.pixels + ((y + 8) * 72 + 8) * 4, g.pixels + (y * 72) * 4, 32);
    feed_frame(&g, copy_frame, sizeof copy_frame);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_FRAME);
    assert_true(g.out.exact);
    assert_int_equal(tdm_screen_view_surfaces(g.view, s), 1);
    assert_memory_equal(s[0].pixels, g.pixels, sizeof g.pixels);

    struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX];

    feed(&g, video_frame, sizeof video_frame);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_FRAME);
    assert_true(g.out.videos_changed);
    assert_int_equal(tdm_screen_view_videos(g.view, videos), 1);
    assert_true(videos[0].stream == 1 && videos[0].frame_id == 4 && videos[0].rect.width == 16);
    feed(&g, other_unit, sizeof other_unit);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_NONE);
    feed(&g, video_unit, sizeof video_unit);
    assert_int_equal(g.out.event, TDM_SCREEN_VIEW_EV_UNIT);
    assert_true(g.out.unit.stream == 1 && g.out.unit.size == 2 && g.out.unit.data[1] == 0xbb);
    free(memory);
    free(storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_cells_stay_within),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_surfaces),
        cmocka_unit_test(test_surfaces_that_cannot_be),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_transcript),
    };

    return cmocka_run_group_tests_name("screen_wire", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What two sides of a board say, written and read; and cut at every byte. */
#include "collab/board_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_hello(void **state)
{
    static struct tdm_board_hello said = {.version = 1,
                                          .document = "0123456789abcde",
                                          .actor = 0xdeadbeef,
                                          .version_count = 3,
                                          .versions = {{1, 2}, {0xffffffff, 0x7fffffff}, {7, 300}}},
                                  heard;
    uint8_t room[256];
    struct tdm_writer w = tdm_writer_of(room, sizeof room);

    (void)state;
    assert_int_equal(tdm_board_hello_write(&said, &w), TDM_OK);
    size_t size = tdm_writer_size(&w);

    assert_int_equal(tdm_board_hello_parse(&heard, room, size), TDM_OK);
    assert_memory_equal(heard.document, said.document, sizeof said.document);
    assert_int_equal(heard.actor, said.actor);
    assert_int_equal(heard.version_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(heard.versions[i].actor, said.versions[i].actor);
        assert_int_equal(heard.versions[i].seq, said.versions[i].seq);
    }
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(tdm_board_hello_parse(&heard, room, cut), TDM_E_MALFORMED);
    w = tdm_writer_of(room, 20);
    assert_int_equal(tdm_board_hello_write(&said, &w), TDM_E_SPACE);
}

static struct tdm_board_live full_live(void)
{
    struct tdm_board_live live = {.name = "Zo\xc3\xab",
                                  .colour = 0x11223344,
                                  .page = {5, 6},
                                  .cursor = true,
                                  .pressed = true,
                                  .tool = 3,
                                  .x = -70000,
                                  .y = TDM_BOARD_FAR,
                                  .view_x = -5,
                                  .view_y = 6,
                                  .view_w = 700,
                                  .view_h = 800,
                                  .presenting = true,
                                  .laser_count = TDM_BOARD_LASER_MAX,
                                  .laser_stroke = 65535,
                                  .selected_count = TDM_BOARD_SELECTED_MAX,
                                  .preview = TDM_BOARD_ELLIPSE,
                                  .preview_x = 1,
                                  .preview_y = -2,
                                  .preview_w = 3,
                                  .preview_h = -4,
                                  .preview_colour = 5,
                                  .preview_fill = 6,
                                  .preview_width = 7,
                                  .caret_object = {8, 9},
                                  .caret = 10};

    for (int i = 0; i < TDM_BOARD_LASER_MAX; i++)
        live.laser[i] = (struct tdm_board_live_point){-TDM_BOARD_FAR + i, TDM_BOARD_FAR - i};
    for (uint32_t i = 0; i < TDM_BOARD_SELECTED_MAX; i++)
        live.selected[i] = (struct tdm_board_id){0xffffff00 + i, TDM_BOARD_SEQ_MAX - i};
    return live;
}

static void test_live(void **state)
{
    struct tdm_board_live said = full_live(), heard, none = {.tool = 0};
    uint8_t data[TDM_BOARD_LIVE_MAX];
    size_t size = tdm_board_live_write(&said, data);

    (void)state;
    assert_true(size > 0 && size <= TDM_BOARD_LIVE_MAX);
    assert_int_equal(tdm_board_live_parse(&heard, data, size), TDM_OK);
    assert_string_equal(heard.name, said.name);
    assert_int_equal(heard.colour, said.colour);
    assert_true(tdm_board_same(heard.page, said.page));
    assert_true(heard.cursor && heard.pressed && heard.presenting);
    assert_int_equal(heard.tool, said.tool);
    assert_int_equal(heard.x, said.x);
    assert_int_equal(heard.y, said.y);
    assert_int_equal(heard.view_x, said.view_x);
    assert_int_equal(heard.view_h, said.view_h);
    assert_int_equal(heard.laser_count, said.laser_count);
    assert_memory_equal(heard.laser, said.laser, sizeof said.laser);
    assert_int_equal(heard.laser_stroke, said.laser_stroke);
    assert_memory_equal(heard.selected, said.selected, sizeof said.selected);
    assert_int_equal(heard.preview, said.preview);
    assert_int_equal(heard.preview_h, said.preview_h);
    assert_int_equal(heard.preview_width, said.preview_width);
    assert_int_equal(heard.preview_fill, said.preview_fill);
    assert_true(tdm_board_same(heard.caret_object, said.caret_object));
    assert_int_equal(heard.caret, said.caret);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(tdm_board_live_parse(&heard, data, cut), TDM_E_MALFORMED);

    size = tdm_board_live_write(&none, data);
    assert_true(size > 0 && size < 24);
    assert_int_equal(tdm_board_live_parse(&heard, data, size), TDM_OK);
    assert_false(heard.cursor || heard.preview || heard.view_w);
}

/* Names of others cannot turn or break what stands beside them. */
static void test_names(void **state)
{
    static const struct {
        const char *said, *heard;
    } names[] = {
        {"a\nb", "a b"},
        {"a\xe2\x80\xae"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"a\xff", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tdm_board_live said = {.tool = 0}, heard;
        uint8_t data[TDM_BOARD_LIVE_MAX];

        (void)snprintf(said.name, sizeof said.name, "%s", names[i].said);
        assert_int_equal(tdm_board_live_parse(&heard, data, tdm_board_live_write(&said, data)),
                         TDM_OK);
        assert_string_equal(heard.name, names[i].heard);
    }
}

static void test_blobs(void **state)
{
    static const struct tdm_board_blob said[] = {
        {.type = TDM_BOARD_BLOB_WANT, .hash = "a hash", .offset = 70000},
        {.type = TDM_BOARD_BLOB_HAVE, .hash = "a hash", .size = UINT32_MAX},
        {.type = TDM_BOARD_BLOB_LACK, .hash = "another"},
        {.type = TDM_BOARD_BLOB_DATA,
         .hash = "a hash",
         .size = 100,
         .offset = 5,
         .data = (const uint8_t *)"bytes",
         .data_size = 5},
    };
    struct tdm_board_blob heard;
    uint8_t room[256];
    size_t taken;

    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct tdm_writer w = tdm_writer_of(room, sizeof room);

        assert_int_equal(tdm_board_blob_write(&said[i], &w), TDM_OK);
        size_t size = tdm_writer_size(&w);

        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(tdm_board_blob_parse(&heard, room, cut, &taken), TDM_OK);
            assert_int_equal(taken, 0);
        }
        assert_int_equal(tdm_board_blob_parse(&heard, room, sizeof room, &taken), TDM_OK);
        assert_int_equal(taken, size);
        assert_int_equal(heard.type, said[i].type);
        assert_memory_equal(heard.hash, said[i].hash, sizeof heard.hash);
        assert_int_equal(heard.size, said[i].size);
        assert_int_equal(heard.offset, said[i].offset);
        assert_int_equal(heard.data_size, said[i].data_size);
        if (said[i].data_size)
            assert_memory_equal(heard.data, said[i].data, said[i].data_size);
    }
    /* What is not known is stepped over; what is too large or short is refused. */
    assert_int_equal(tdm_board_blob_parse(&heard, (const uint8_t *)"\x03\x63zz", 4, &taken),
                     TDM_OK);
    assert_int_equal(taken, 4);
    assert_int_equal(heard.type, 0);
    assert_int_equal(tdm_board_blob_parse(&heard, (const uint8_t *)"\x03\x10zz", 4, &taken),
                     TDM_E_MALFORMED);
    assert_int_equal(tdm_board_blob_parse(&heard, (const uint8_t *)"\xff\xff\x7f", 3, &taken),
                     TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_blobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

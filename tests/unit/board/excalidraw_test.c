/* SPDX-License-Identifier: MIT */
#include "board/excalidraw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A picture of one pixel. */
#define PNG                                                                                        \
    "data:image/png;base64,"                                                                       \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg" \
    "gg=="

#define HEAD "{\"type\":\"excalidraw\",\"version\":2,\"elements\":["

static struct tdm_drawing drawing;

static void read_text(const char *text)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_excalidraw_read(&drawing, text, strlen(text), &cause);

    if (err != TDM_OK)
        fail_msg("%s", cause.text);
}

static void test_elements(void **state)
{
    (void)state;
    read_text(
        HEAD
        "{\"id\":\"a\",\"type\":\"rectangle\",\"x\":10,\"y\":-20.5,\"width\":100,\"height\":50,"
        "\"angle\":1.5707963267948966,\"strokeColor\":\"#1971c2\",\"backgroundColor\":"
        "\"#a5d8ff80\",\"strokeWidth\":4,\"strokeStyle\":\"dashed\",\"opacity\":40,"
        "\"roundness\":{\"type\":3},\"groupIds\":[\"in\",\"out\"],\"locked\":true,"
        "\"link\":\"https://example.org\"},"
        "{\"id\":\"b\",\"type\":\"ellipse\",\"x\":0,\"y\":0,\"width\":8,\"height\":8,"
        "\"groupIds\":[\"out\"],\"isDeleted\":false},"
        "{\"id\":\"c\",\"type\":\"ellipse\",\"x\":0,\"y\":0,\"isDeleted\":true},"
        "{\"id\":\"d\",\"type\":\"arrow\",\"x\":5,\"y\":6,\"points\":[[0,0],[30,-40]],"
        "\"startArrowhead\":\"dot\",\"endArrowhead\":\"triangle\"},"
        "{\"id\":\"e\",\"type\":\"freedraw\",\"x\":1,\"y\":2,\"strokeWidth\":2,\"points\":"
        "[[0,0],[1,1],[2,0.5]],\"pressures\":[0,0.5,1],\"simulatePressure\":false},"
        "{\"id\":\"f\",\"type\":\"text\",\"x\":1,\"y\":2,\"width\":70,\"height\":25,\"text\":"
        "\"grüß\\nGott\",\"fontSize\":28,\"fontFamily\":3,\"textAlign\":\"center\"},"
        "{\"id\":\"g\",\"type\":\"image\",\"x\":1,\"y\":2,\"width\":3,\"height\":4,"
        "\"fileId\":\"pic\",\"scale\":[-1,1],\"crop\":{\"x\":0.5,\"y\":0,\"width\":0.5,"
        "\"height\":1,\"naturalWidth\":1,\"naturalHeight\":1}},"
        "{\"id\":\"h\",\"type\":\"iframe\",\"x\":1,\"y\":2}],"
        "\"files\":{\"pic\":{\"dataURL\":\"" PNG "\"}}}");
    assert_int_equal(drawing.count, 7);
    const struct tdm_drawing_item *i = drawing.items;

    assert_int_equal(i[0].type, TDM_BOARD_PAGE);
    assert_int_equal(i[1].type, TDM_BOARD_RECTANGLE);
    assert_int_equal(i[1].x, 160);
    assert_int_equal(i[1].y, -328);
    assert_int_equal(i[1].w, 1600);
    assert_int_equal(i[1].h, 800);
    assert_int_equal(i[1].angle, 16384);
    assert_int_equal(i[1].colour, 0x1971c2ff);
    assert_int_equal(i[1].fill, 0xa5d8ff80);
    assert_int_equal(i[1].width, 64);
    assert_int_equal(i[1].dash, TDM_DASH_DASHED);
    assert_int_equal(i[1].opacity, 102);
    assert_int_equal(i[1].corner, 200); /* A quarter of 50 px. */
    assert_true(i[1].locked);
    assert_string_equal(i[1].link, "https://example.org");
    assert_int_equal(drawing.parents[i[1].group], i[2].group);
    assert_int_not_equal(i[2].group, TDM_DRAWING_NO_GROUP);
    assert_int_equal(i[3].type, TDM_BOARD_ARROW);
    assert_int_equal(i[3].w, 480);
    assert_int_equal(i[3].h, -640);
    assert_int_equal(i[3].point_count, 0);
    assert_int_equal(i[3].head_start, TDM_HEAD_DOT);
    assert_int_equal(i[3].head_end, TDM_HEAD_TRIANGLE);
    assert_int_equal(i[4].type, TDM_BOARD_PEN);
    assert_int_equal(i[4].point_count, 3);
    assert_int_equal(i[4].points[2].x, 32);
    assert_int_equal(i[4].points[2].y, 8);
    assert_int_equal(i[4].points[0].pressure, 0);
    assert_int_equal(i[4].points[2].pressure, 255);
    assert_int_equal(i[4].width, 192); /* 2 px of strokeWidth draw 12 px. */
    assert_string_equal(i[5].text, "grüß\nGott");
    assert_int_equal(i[5].font, TDM_FONT_MONO);
    assert_int_equal(i[5].font_size, 448);
    assert_int_equal(i[5].align, TDM_ALIGN_CENTRE);
    assert_int_equal(i[5].w, 1120);
    assert_true(i[6].flipped_x && !i[6].flipped_y);
    assert_int_equal(i[6].crop[0], 32768);
    assert_int_equal(i[6].crop[2], 0);
    assert_int_equal(drawing.images[i[6].image].size, 70);
    assert_int_equal(drawing.skipped, 1);
    assert_string_equal(drawing.missing, "iframe");
    tdm_drawing_free(&drawing);
}

static void test_frames_are_pages(void **state)
{
    (void)state;
    read_text(HEAD "{\"id\":\"one\",\"type\":\"rectangle\",\"x\":110,\"y\":60,\"frameId\":\"F\"},"
                   "{\"id\":\"two\",\"type\":\"ellipse\",\"x\":7,\"y\":7},"
                   "{\"id\":\"F\",\"type\":\"frame\",\"x\":100,\"y\":50,\"name\":\"Plan\"},"
                   "{\"id\":\"F\",\"type\":\"frame\",\"x\":100,\"y\":50,\"name\":\"the same id\"},"
                   "{\"id\":\"G\",\"type\":\"frame\",\"x\":900,\"y\":0,\"name\":null},"
                   "{\"id\":\"three\",\"type\":\"diamond\",\"x\":903,\"y\":4,\"frameId\":\"G\"},"
                   "{\"id\":\"four\",\"type\":\"line\",\"x\":3,\"y\":4,\"frameId\":\"nowhere\"}],"
                   "\"appState\":{\"viewBackgroundColor\":\"#fffce8\"}}");
    static const enum tdm_board_type types[] = {
        TDM_BOARD_PAGE,      TDM_BOARD_ELLIPSE, TDM_BOARD_LINE,   TDM_BOARD_PAGE,
        TDM_BOARD_RECTANGLE, TDM_BOARD_PAGE,    TDM_BOARD_DIAMOND};

    assert_int_equal(drawing.count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(drawing.items[i].type, types[i]);
    assert_int_equal(drawing.items[0].background, 0xfffce8ff);
    assert_int_equal(drawing.items[4].x, 160);
    assert_int_equal(drawing.items[4].y, 160);
    assert_int_equal(drawing.items[6].x, 48);
    tdm_drawing_free(&drawing);
}

/* One of each, with values that are not the defaults. */
static void draw_all(struct tdm_drawing *d)
{
    static const enum tdm_board_type types[] = {
        TDM_BOARD_PEN,     TDM_BOARD_MARKER,  TDM_BOARD_LINE, TDM_BOARD_ARROW, TDM_BOARD_RECTANGLE,
        TDM_BOARD_ELLIPSE, TDM_BOARD_DIAMOND, TDM_BOARD_TEXT, TDM_BOARD_NOTE,  TDM_BOARD_IMAGE};
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I',
                                  'H',  'D', 'R', 0,   0,    0,    2,    0,    0, 0, 2, 8,  6};

    tdm_drawing_init(d);
    for (int page = 0; page < 2; page++) {
        struct tdm_drawing_item *item = tdm_drawing_add(d, TDM_BOARD_PAGE);

        item->text = page ? "second" : NULL;
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            struct tdm_board_point *points = tdm_drawing_room(d, 3 * sizeof *points);

            item = tdm_drawing_add(d, types[i]);
            item->x = 16 * (int32_t)i + page;
            item->y = -160 * (int32_t)i - 3;
            item->w = 320;
            item->h = 160 + page;
            item->angle = (uint16_t)(1000 * i);
            item->colour = 0x11223344 + (uint32_t)i;
            item->fill = 0xff8800ff;
            item->width = 17 + (int32_t)i;
            item->dash = TDM_DASH_DOTTED;
            item->opacity = 128;
            item->group = i == 3 ? tdm_drawing_group(d, tdm_drawing_group(d, 0)) : 0;
            if (i < 3) {
                for (int p = 0; p < 3; p++)
                    points[p] = (struct tdm_board_point){
                        .x = p * 50, .y = p * p * 7, .pressure = (uint8_t)(p * 100)};
                item->points = points;
                item->point_count = 3;
                item->w = item->h = 0;
            }
            if (types[i] == TDM_BOARD_RECTANGLE)
                item->corner = 24;
            if (types[i] == TDM_BOARD_TEXT || types[i] == TDM_BOARD_NOTE) {
                item->text = "two\nlines \"quoted\"";
                item->font = TDM_FONT_SERIF;
                item->font_size = 400;
                item->align = TDM_ALIGN_END;
            }
            if (types[i] == TDM_BOARD_IMAGE)
                item->image = tdm_drawing_image_add(d, png, sizeof png);
        }
    }
}

static void same(const struct tdm_drawing_item *a, const struct tdm_drawing_item *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->x, b->x);
    assert_int_equal(a->y, b->y);
    assert_int_equal(a->w, b->w);
    assert_int_equal(a->h, b->h);
    assert_int_equal(a->angle, b->angle);
    assert_int_equal(a->dash, b->dash);
    assert_int_equal(a->corner, b->corner);
    assert_int_equal(a->image, b->image);
    assert_int_equal(a->group, b->group);
    assert_int_equal(a->point_count, b->point_count);
    if (a->type == TDM_BOARD_PAGE)
        return;
    assert_int_equal(a->colour, b->colour);
    assert_int_equal(a->fill, b->fill);
    assert_in_range(a->width - b->width + 1, 0, 2);
    assert_in_range(a->opacity - b->opacity + 1, 0, 2);
    assert_int_equal(a->head_end, b->head_end);
    for (uint32_t i = 0; i < a->point_count; i++) {
        assert_int_equal(a->points[i].x, b->points[i].x);
        assert_int_equal(a->points[i].y, b->points[i].y);
        if (a->type != TDM_BOARD_LINE)
            assert_int_equal(a->points[i].pressure, b->points[i].pressure);
    }
    if (!a->text)
        return;
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->font, b->font);
    assert_int_equal(a->font_size, b->font_size);
    assert_int_equal(a->align, b->align);
}

static void test_round_trip(void **state)
{
    struct tdm_drawing d;
    char *text, *again;
    size_t size, again_size;
    struct tdm_cause cause;

    (void)state;
    draw_all(&d);
    assert_int_equal(tdm_excalidraw_write(&d, &text, &size, &cause), TDM_OK);
    read_text(text);
    assert_int_equal(drawing.count, d.count);
    assert_int_equal(drawing.skipped, 0);
    for (uint32_t i = 0; i < d.count; i++)
        same(&d.items[i], &drawing.items[i]);
    assert_string_equal(drawing.items[11].text, "second");
    /* What was read is written as what it was read from. */
    assert_int_equal(tdm_excalidraw_write(&drawing, &again, &again_size, &cause), TDM_OK);
    assert_string_equal(again, text);
    free(text);
    free(again);
    tdm_drawing_free(&d);
    tdm_drawing_free(&drawing);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{\"type\":\"excalidraw\"}",
                                        "{\"type\":\"other\",\"elements\":[]}",
                                        HEAD "{\"x\":1e999}]}",
                                        HEAD "{\"x\":NaN}]}",
                                        HEAD "\"\xff\"]}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tdm_cause cause = {""};

        assert_int_equal(tdm_excalidraw_read(&drawing, texts[i], strlen(texts[i]), &cause),
                         TDM_E_MALFORMED);
        assert_true(strlen(cause.text) > 0);
        tdm_drawing_free(&drawing);
    }
}

/* Values of the wrong kind, huge ones, and no values: bounded, and nothing worse. */
static void test_odd_values(void **state)
{
    (void)state;
    read_text(HEAD
              "{\"type\":\"rectangle\",\"x\":1e300,\"y\":-1e300,\"width\":\"5\",\"angle\":1e12,"
              "\"opacity\":-7,\"strokeColor\":5,\"groupIds\":[[],5],\"link\":7},"
              "{\"type\":\"freedraw\",\"points\":[[\"a\"],5,null,[1e200,1]]},"
              "{\"type\":\"text\",\"text\":\"a\\u0000b\",\"fontSize\":-1},"
              "{\"type\":\"image\",\"fileId\":\"none\"},{\"type\":[]},null,5]}");
    assert_int_equal(drawing.count, 4);
    assert_int_equal(drawing.items[1].x, TDM_BOARD_FAR);
    assert_int_equal(drawing.items[1].y, -TDM_BOARD_FAR);
    assert_int_equal(drawing.items[1].opacity, 0);
    assert_int_equal(drawing.items[2].point_count, 4);
    assert_int_equal(drawing.items[2].points[3].x, TDM_BOARD_FAR);
    assert_string_equal(drawing.items[3].text, "a\xef\xbf\xbd"
                                               "b");
    assert_int_equal(drawing.skipped, 2);
    assert_string_equal(drawing.missing, "image that is not here, element without a type");
    tdm_drawing_free(&drawing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),   cmocka_unit_test(test_frames_are_pages),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_odd_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

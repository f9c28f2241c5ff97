/* SPDX-License-Identifier: MIT */
/* Colours, numbers, Base64, and what images say of themselves. */
#include "board/base64.h"
#include "board/colour.h"
#include "board/image.h"
#include "board/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_colours(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t colour;
    } rows[] = {
        {"#abc", true, 0xaabbccff},
        {"#abcd", true, 0xaabbccdd},
        {"#0a0B0c", true, 0x0a0b0cff},
        {" #11223344 ", true, 0x11223344},
        {"rgb(1, 2,300)", true, 0x0102ffff},
        {"rgba(100%, 0%, 50%, 0.5)", true, 0xff008080},
        {"rgb(1 2 3 / 50%)", true, 0x01020380},
        {"RebeccaPurple", false, 0},
        {"AliceBlue", true, 0xf0f8ffff},
        {"yellowgreen", true, 0x9acd32ff},
        {"none", true, 0},
        {"transparent", true, 0},
        {"#12", false, 0},
        {"#12345g", false, 0},
        {"rgb(1,2)", false, 0},
        {"rgb(1,2,3", false, 0},
        {"", false, 0},
        {"url(#a)", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t colour = 0;
        bool good = tdm_colour_parse(rows[i].text, strlen(rows[i].text), &colour);

        if (good != rows[i].good || (good && colour != rows[i].colour))
            fail_msg("%s: %d %08x", rows[i].text, good, colour);
    }
    char text[TDM_COLOUR_TEXT];

    tdm_colour_write(0x0102ffff, text);
    assert_string_equal(text, "#0102ff");
    tdm_colour_write(0x0102ff00, text);
    assert_string_equal(text, "#0102ff00");
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
        size_t size; /* 0: no number. */
    } rows[] = {{"12", 12, 2},        {"-.5e1x", -5, 5}, {"1e", 1, 1},        {"2em", 2, 1},
                {"+3.25.5", 3.25, 5}, {"4.", 4, 2},      {"1e999", 1e300, 5}, {"1e-999", 0, 6},
                {".", 0, 0},          {"-", 0, 0},       {"e5", 0, 0},        {"", 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = rows[i].text, *end = at + strlen(at);
        double value = 0;
        bool good = tdm_number_take(&at, end, &value);

        if (good != (rows[i].size > 0) || (size_t)(at - rows[i].text) != rows[i].size ||
            !(value >= rows[i].value && value <= rows[i].value))
            fail_msg("%s: %g", rows[i].text, value);
    }
}

static void test_base64(void **state)
{
    static const char *const texts[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; /* RFC 4648 section 10. */
    uint8_t data[32];
    char text[32];
    size_t size;

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        tdm_base64_write((const uint8_t *)"foobar", i, text);
        assert_string_equal(text, texts[i]);
        assert_int_equal(tdm_base64_room(i), strlen(texts[i]) + 1);
        assert_true(tdm_base64_read(texts[i], strlen(texts[i]), data, &size));
        assert_int_equal(size, i);
        assert_memory_equal(data, "foobar", i);
    }
    assert_true(tdm_base64_read("Zm9v\r\n YmFy", 11, data, &size));
    assert_int_equal(size, 6);
    assert_false(tdm_base64_read("Z", 1, data, &size));
    assert_false(tdm_base64_read("Zm$v", 4, data, &size));
    assert_false(tdm_base64_read("Zg==Zg", 6, data, &size));
    assert_string_equal(tdm_data_uri("data:image/png;base64,AA", 24), "AA");
    assert_null(tdm_data_uri("data:text/plain,AA", 18));
    assert_null(tdm_data_uri("http://x/;base64,AA", 19));
}

/* --- Images ----------------------------------------------------------------------------------- */

/* 3 x 2 pixels: red, green, blue; half red, clear, white. */
static const char *const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAGklEQVR42mP4z8DwHwwZ/oPJBk5OTiDz"
    "/38AjM8LkSn0u8EAAAAASUVORK5CYII=";

static void test_image_heads(void **state)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0,    4,    1, 2,  0xff, 0xff,
                                   0xdb, 0,    3,    9,    0xff, 0xc2, 0, 11, 8,    0,
                                   7,    1,    2,    1,    1,    0x11, 0, 0,  0xff, 0xda};
    static const uint8_t lossy[] = {'R', 'I', 'F', 'F',  22,  0,    0,    0,    'W',  'E',
                                    'B', 'P', 'V', 'P',  '8', ' ',  10,   0,    0,    0,
                                    0,   0,   0,   0x9d, 1,   0x2a, 0x40, 0x01, 0xf0, 0x00};
    static const uint8_t lossless[] = {'R', 'I', 'F',  'F',  18,   0,    0,   0, 'W',
                                       'E', 'B', 'P',  'V',  'P',  '8',  'L', 5, 0,
                                       0,   0,   0x2f, 0x3f, 0xc1, 0x3b, 0x00};
    static const uint8_t extended[] = {'R', 'I', 'F', 'F', 22,  0,   0,  0, 'W', 'E',
                                       'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0,   0,
                                       0,   0,   0,   0,   9,   0,   0,  4, 0,   0};
    static const struct {
        const uint8_t *data;
        size_t size;
        enum tdm_image_format format;
        uint32_t width, height;
    } rows[] = {{jpeg, sizeof jpeg, TDM_IMAGE_JPEG, 258, 7},
                {lossy, sizeof lossy, TDM_IMAGE_WEBP, 320, 240},
                {lossless, sizeof lossless, TDM_IMAGE_WEBP, 320, 240},
                {extended, sizeof extended, TDM_IMAGE_WEBP, 10, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_image_info info;

        assert_int_equal(tdm_image_look(&info, rows[i].data, rows[i].size), TDM_OK);
        assert_int_equal(info.format, rows[i].format);
        assert_int_equal(info.width, rows[i].width);
        assert_int_equal(info.height, rows[i].height);
        for (size_t cut = 0; cut < rows[i].size - 12; cut++) {
            uint8_t *copy = malloc(cut + 1);

            memcpy(copy, rows[i].data, cut);
            assert_int_not_equal(tdm_image_look(&info, copy, cut), TDM_OK);
            free(copy);
        }
    }
}

static void test_image_limits(void **state)
{
    uint8_t data[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
                      'I',  'H', 'D', 'R', 0,    1,    0,    0,    0, 0, 0, 1};
    struct tdm_image_info info;

    (void)state;
    assert_int_equal(tdm_image_look(&info, data, sizeof data), TDM_E_SPACE);
    data[17] = 0;
    assert_int_equal(tdm_image_look(&info, data, sizeof data), TDM_E_MALFORMED); /* 0 wide. */
    data[18] = data[22] = 0x30; /* Each side is fine, their product is not. */
    assert_int_equal(tdm_image_look(&info, data, sizeof data), TDM_E_SPACE);
}

static void test_pixels(void **state)
{
    uint8_t data[256];
    size_t size;
    struct tdm_image_pixels pixels;
    struct tdm_cause cause = {""};
    /* BGRA, and colours times alpha. */
    static const uint8_t first[] = {0, 0, 255, 255, 0, 255, 0, 255, 255, 0, 0, 255};
    static const uint8_t second[] = {0, 0, 128, 128, 0, 0, 0, 0, 255, 255, 255, 255};

    (void)state;
    assert_true(tdm_base64_read(png, strlen(png), data, &size));
    if (tdm_image_decode(&pixels, data, size, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    assert_int_equal(pixels.width, 3);
    assert_int_equal(pixels.height, 2);
    assert_memory_equal(pixels.bgra, first, sizeof first);
    assert_memory_equal(pixels.bgra + pixels.stride, second, sizeof second);
    tdm_image_free(&pixels);
    data[50] ^= 0xff;
    assert_int_equal(tdm_image_decode(&pixels, data, 45, &cause), TDM_E_MALFORMED);
    assert_null(pixels.bgra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colours),      cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_base64),       cmocka_unit_test(test_image_heads),
        cmocka_unit_test(test_image_limits), cmocka_unit_test(test_pixels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

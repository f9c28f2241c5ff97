/* SPDX-License-Identifier: MIT */
#include "render/contact_sheet.h"

#include <cairo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

/* What the libraries below keep until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libcairo\n";
}

static uint8_t storage[320 * 180 * 3 / 2];

static uint32_t pixel_at(cairo_surface_t *png, int x, int y)
{
    uint32_t pixel;

    memcpy(&pixel,
           cairo_image_surface_get_data(png) + (ptrdiff_t)y * cairo_image_surface_get_stride(png) +
               4 * x,
           4);
    return pixel & 0xffffff;
}

static struct tdm_contact_sheet *make(void)
{
    const struct tdm_contact_sheet_config config = {
        .columns = 4, .rows = 2, .cell_width = 160, .interval = TDM_S};
    struct tdm_contact_sheet *sheet = NULL;

    assert_int_equal(tdm_contact_sheet_create(&config, &sheet, NULL), TDM_OK);
    return sheet;
}

/* Adds a picture of a brightness each 100 ms, as a call would, for `seconds`. */
static void add(struct tdm_contact_sheet *sheet, int seconds)
{
    struct tdm_picture pic;

    tdm_picture_over(&pic, storage, 320, 180);
    for (int i = 0; i < 10 * seconds; i++) {
        tdm_picture_fill(&pic, (uint8_t)(16 + i / 10 * 5), 128, 128);
        tdm_contact_sheet_add(sheet, &pic, 77 * TDM_S + i * 100 * TDM_MS);
    }
}

static cairo_surface_t *write_and_load(struct tdm_contact_sheet *sheet)
{
    char path[] = "/tmp/tandem-sheet-test-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(tdm_contact_sheet_write(sheet, path, NULL), TDM_OK);
    cairo_surface_t *png = cairo_image_surface_create_from_png(path);

    assert_int_equal(cairo_surface_status(png), CAIRO_STATUS_SUCCESS);
    (void)unlink(path);
    return png;
}

static int grey_in_cell(cairo_surface_t *png, int index)
{
    return (int)(pixel_at(png, 6 + index % 4 * 166 + 80, 6 + index / 4 * 112 + 45) & 255);
}

static int grey_of_second(int second)
{
    return second * 5 * 255 / 219;
}

static void one_picture_an_interval(void **state)
{
    (void)state;
    struct tdm_contact_sheet *sheet = make();

    add(sheet, 6);
    cairo_surface_t *png = write_and_load(sheet);

    assert_int_equal(cairo_image_surface_get_width(png), 6 + 4 * 166);
    assert_int_equal(cairo_image_surface_get_height(png), 6 + 2 * 112);
    for (int i = 0; i < 6; i++)
        assert_in_range(grey_in_cell(png, i) + 2, grey_of_second(i), grey_of_second(i) + 4);
    cairo_surface_destroy(png);
    tdm_contact_sheet_destroy(sheet);
}

static void a_long_call_is_covered_whole(void **state)
{
    (void)state;
    struct tdm_contact_sheet *sheet = make();

    add(sheet, 29); /* 8 cells: the interval grows to 4 s. */
    cairo_surface_t *png = write_and_load(sheet);

    for (int i = 0; i < 8; i++)
        assert_in_range(grey_in_cell(png, i) + 2, grey_of_second(4 * i), grey_of_second(4 * i) + 4);
    cairo_surface_destroy(png);
    tdm_contact_sheet_destroy(sheet);
}

static void colours_and_bars_are_right(void **state)
{
    (void)state;
    struct tdm_contact_sheet *sheet = make();
    struct tdm_picture pic;

    tdm_picture_over(&pic, storage, 160, 160);
    tdm_picture_fill(&pic, 81, 90, 240); /* Red. */
    tdm_contact_sheet_add(sheet, &pic, 0);
    cairo_surface_t *png = write_and_load(sheet);

    assert_in_range(pixel_at(png, 6 + 80, 6 + 45) >> 16, 250, 255);
    assert_in_range(pixel_at(png, 6 + 80, 6 + 45) & 0xffff, 0, 0x0505);
    assert_int_equal(pixel_at(png, 6 + 20, 6 + 45), 0);
    cairo_surface_destroy(png);
    tdm_contact_sheet_destroy(sheet);
}

static void odd_sizes_are_survived(void **state)
{
    (void)state;
    const int sizes[][2] = {{2, 2}, {2, 180}, {320, 2}, {16, 18}};
    struct tdm_contact_sheet *sheet = make();
    struct tdm_picture pic;

    for (int i = 0; i < 4; i++) {
        tdm_picture_over(&pic, storage, sizes[i][0], sizes[i][1]);
        tdm_contact_sheet_add(sheet, &pic, i * TDM_S);
    }
    cairo_surface_destroy(write_and_load(sheet));
    tdm_contact_sheet_destroy(sheet);
}

static void failures_are_explained(void **state)
{
    (void)state;
    struct tdm_contact_sheet *sheet = make();
    struct tdm_cause cause;

    assert_int_equal(tdm_contact_sheet_write(sheet, "/tmp/never.png", &cause), TDM_E_GONE);
    add(sheet, 1);
    assert_int_equal(tdm_contact_sheet_write(sheet, "/nowhere/x.png", &cause), TDM_E_SYSTEM);
    assert_non_null(strstr(cause.text, "/nowhere/x.png"));
    tdm_contact_sheet_destroy(sheet);
}

static void a_snapshot_is_the_picture(void **state)
{
    (void)state;
    char path[] = "/tmp/tandem-sheet-test-XXXXXX";
    int fd = mkstemp(path);
    struct tdm_picture pic;

    tdm_picture_over(&pic, storage, 320, 180);
    tdm_picture_fill(&pic, 145, 54, 34); /* Green. */
    pic.planes[0][100 * 320 + 50] = 235;
    assert_int_equal(tdm_snapshot_write(&pic, path, NULL), TDM_OK);
    cairo_surface_t *png = cairo_image_surface_create_from_png(path);

    assert_int_equal(cairo_image_surface_get_width(png), 320);
    assert_in_range(pixel_at(png, 10, 10) >> 8, 0xfa, 0xff + 0x500);
    assert_int_not_equal(pixel_at(png, 50, 100), pixel_at(png, 51, 100));
    cairo_surface_destroy(png);
    (void)close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_picture_an_interval),
        cmocka_unit_test(a_long_call_is_covered_whole),
        cmocka_unit_test(colours_and_bars_are_right),
        cmocka_unit_test(odd_sizes_are_survived),
        cmocka_unit_test(failures_are_explained),
        cmocka_unit_test(a_snapshot_is_the_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

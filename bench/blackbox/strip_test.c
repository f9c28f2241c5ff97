/* SPDX-License-Identifier: MIT */
#include "bench/blackbox/series.h"
#include "bench/blackbox/strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const tdm_time code = 123456789012 * TDM_US;

struct picture {
    uint8_t *pixels;
    size_t stride;
    struct tdm_strip strip;
};

static struct picture painted(int width)
{
    struct picture p = {.stride = (size_t)width * 4};
    assert_true(tdm_strip_init(&p.strip, width));
    p.pixels = calloc((size_t)p.strip.rows, p.stride);
    assert_non_null(p.pixels);
    tdm_strip_paint(&p.strip, p.pixels, p.stride, code);
    return p;
}

static void drop(struct picture *p)
{
    free(p->pixels);
    tdm_strip_fini(&p->strip);
}

static void reads_what_was_painted(void **state)
{
    (void)state;
    const int widths[] = {1920, 1280, 640, 352};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct picture p = painted(widths[i]);
        tdm_time read = 0;
        assert_true(tdm_strip_read(&p.strip, p.pixels, p.stride, &read));
        assert_int_equal(read, code);
        drop(&p);
    }
}

/* What a codec does at its worst: contrast halved, an offset, and noise of a quarter of it. */
static void survives_a_codec(void **state)
{
    (void)state;
    struct picture p = painted(1280);
    unsigned seed = 1;
    for (size_t i = 0; i < p.stride * (size_t)p.strip.rows; i++) {
        seed = seed * 1103515245U + 12345U;
        int level = p.pixels[i] / 2 + 40 + (int)(seed >> 16 & 63) - 32;
        p.pixels[i] = (uint8_t)(level < 0 ? 0 : level);
    }
    tdm_time read = 0;
    assert_true(tdm_strip_read(&p.strip, p.pixels, p.stride, &read));
    assert_int_equal(read, code);
    drop(&p);
}

static void refuses_a_torn_strip(void **state)
{
    (void)state;
    struct picture p = painted(1280);
    tdm_time read = 0;
    /* The left half of the next picture over this one. */
    uint8_t *right = malloc(p.stride);
    assert_non_null(right);
    memcpy(right, p.pixels, p.stride);
    tdm_strip_paint(&p.strip, p.pixels, p.stride, code + 33333 * TDM_US);
    for (int y = 0; y < p.strip.rows; y++)
        memcpy(p.pixels + (size_t)y * p.stride + 2 * 1280 + 1000, right + 2 * 1280 + 1000, 1000);
    assert_false(tdm_strip_read(&p.strip, p.pixels, p.stride, &read));
    memset(p.pixels, 0, p.stride * (size_t)p.strip.rows);
    assert_false(tdm_strip_read(&p.strip, p.pixels, p.stride, &read));
    memset(p.pixels, 255, p.stride * (size_t)p.strip.rows);
    assert_false(tdm_strip_read(&p.strip, p.pixels, p.stride, &read));
    free(right);
    drop(&p);
}

static void refuses_a_narrow_picture(void **state)
{
    (void)state;
    struct tdm_strip strip;
    assert_false(tdm_strip_init(&strip, 64));
    assert_false(tdm_strip_init(&strip, 100000));
}

static void series_has_exact_percentiles(void **state)
{
    (void)state;
    struct tdm_series series;
    assert_true(tdm_series_init(&series, 101));
    for (int i = 100; i >= 0; i--)
        tdm_series_push(&series, i);
    tdm_series_push(&series, 1000); /* No room: dropped. */
    tdm_series_sort(&series);
    assert_true(tdm_series_at(&series, 0) == 0);
    assert_true(tdm_series_at(&series, 0.5) == 50);
    assert_true(tdm_series_at(&series, 0.95) == 95);
    assert_true(tdm_series_at(&series, 1) == 100);
    tdm_series_fini(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_painted),       cmocka_unit_test(survives_a_codec),
        cmocka_unit_test(refuses_a_torn_strip),         cmocka_unit_test(refuses_a_narrow_picture),
        cmocka_unit_test(series_has_exact_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

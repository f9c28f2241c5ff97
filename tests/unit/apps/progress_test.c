/* SPDX-License-Identifier: MIT */
/* The line of a transfer. */
#include "apps/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 bytes"},     {999, "999 bytes"},     {1000, "1.0 kB"},
                {9949, "9.9 kB"},   {9960, "10 kB"},        {999499, "999 kB"},
                {999500, "1.0 MB"}, {1500000000, "1.5 GB"}, {UINT64_MAX, "18447 PB"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(progress_size(text, sizeof text, rows[i].bytes), rows[i].text);
}

static void test_times(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {{0, "0:00"},       {9.4, "0:09"},      {59.6, "1:00"}, {759, "12:39"},
                {3600, "1:00:00"}, {11100, "3:05:00"}, {1e12, "-:--"}, {-1, "-:--"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(progress_time(text, sizeof text, rows[i].seconds), rows[i].text);
}

static void test_lines(void **state)
{
    char text[256];
    struct progress p = {.name = "photo.jpg", .done = 450, .total = 1000, .bytes_per_s = 50};

    (void)state;
    assert_string_equal(
        progress_line(text, sizeof text, 80, &p),
        "photo.jpg [##################                      ]  45 %  50 bytes/s  0:11");
    assert_string_equal(progress_line(text, sizeof text, 30, &p),
                        "photo.jpg  45 %  50 bytes/s  0:11");
    p.bytes_per_s = 0;
    assert_non_null(strstr(progress_line(text, sizeof text, 80, &p), "-:--"));
    p.state = "paused";
    assert_string_equal(progress_line(text, sizeof text, 20, &p), "photo.jpg  45 %  paused");
    p.total = 0;
    assert_non_null(strstr(progress_line(text, sizeof text, 80, &p), "100 %"));
    p.done = 5000;
    p.total = 1000;
    assert_non_null(strstr(progress_line(text, sizeof text, 80, &p), "100 %"));
    p.name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac.txt";
    assert_memory_equal(progress_line(text, sizeof text, 80, &p),
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaa... [", 33);
    /* Lines fill the terminal and no more, however wide it is. */
    for (int columns = 60; columns < 200; columns++)
        assert_true(strlen(progress_line(text, sizeof text, columns, &p)) <= (size_t)columns);
}

static void test_speed(void **state)
{
    struct progress_speed s = {0};

    (void)state;
    progress_sample(&s, 10, 0);
    assert_true(s.bytes_per_s == 0);
    progress_sample(&s, 11, 1000);
    assert_true(s.bytes_per_s == 1000);
    progress_sample(&s, 11, 5000); /* No time has passed. */
    assert_true(s.bytes_per_s == 1000);
    for (int i = 1; i < 60; i++)
        progress_sample(&s, 11 + i, 1000 + (uint64_t)i * 3000);
    assert_true(s.bytes_per_s > 2990 && s.bytes_per_s < 3010);
    progress_sample(&s, 100, 10); /* Begins anew: not negative. */
    assert_true(s.bytes_per_s > 2990);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

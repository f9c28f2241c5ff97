/* SPDX-License-Identifier: MIT */
/* A line that is typed. */
#include "apps/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_keys(void **state)
{
    static const struct {
        const char *keys, *text;
        enum line_state last;
    } rows[] = {
        {"ab", "ab", LINE_CHANGED},
        {"ab\177", "a", LINE_CHANGED},
        {"a\xc3\xa4\xe2\x82\xac\177", "a\xc3\xa4", LINE_CHANGED},
        {"a\xf0\x9f\x98\x80\b", "a", LINE_CHANGED},
        {"\177", "", LINE_SAME},
        {"\xa4\177", "", LINE_CHANGED}, /* No character, gone all the same. */
        {"abc\025", "", LINE_CHANGED},
        {"a\033[1;5Db", "ab", LINE_CHANGED}, /* An arrow. */
        {"a\033OPb", "ab", LINE_CHANGED},    /* F1 */
        {"a\033x\007\001", "a", LINE_SAME},
        {"a\004", "a", LINE_SAME},
        {"\004", "", LINE_END},
        {"a\tb\r", "a\tb", LINE_WHOLE},
        {"a\033\n", "a", LINE_WHOLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line l = {0};
        enum line_state last = LINE_SAME;

        for (const char *key = rows[i].keys; *key; key++)
            last = line_key(&l, (unsigned char)*key);
        assert_string_equal(line_text(&l), rows[i].text);
        assert_int_equal(last, rows[i].last);
        line_free(&l);
    }
}

static void test_bounded(void **state)
{
    struct line l = {0};

    (void)state;
    for (size_t i = 0; i < LINE_MAX_BYTES; i++)
        assert_int_equal(line_key(&l, 'x'), LINE_CHANGED);
    assert_int_equal(line_key(&l, 'x'), LINE_SAME);
    assert_int_equal(strlen(line_text(&l)), LINE_MAX_BYTES);
    line_clear(&l);
    assert_string_equal(line_text(&l), "");
    line_free(&l);
}

static void test_tail(void **state)
{
    struct line l = {0};

    (void)state;
    assert_string_equal(line_tail(&l, 5), "");
    for (const char *key = "a\xc3\xa4\xe2\x82\xac"; *key; key++)
        (void)line_key(&l, (unsigned char)*key);
    assert_string_equal(line_tail(&l, 9), "a\xc3\xa4\xe2\x82\xac");
    assert_string_equal(line_tail(&l, 2), "\xc3\xa4\xe2\x82\xac");
    assert_string_equal(line_tail(&l, 1), "\xe2\x82\xac");
    assert_string_equal(line_tail(&l, 0), "");
    line_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_tail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Names that are near what was typed. */
#include "apps/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_distances(void **state)
{
    static const struct {
        const char *word, *name;
        unsigned distance;
    } rows[] = {
        {"step", "step", 0},
        {"stpe", "step", 1},
        {"stap", "step", 1},
        {"steps", "step", 1},
        {"rfc-8867-1", "rfc8867-1", 1},
        {"start", "start-40", 1}, /* It merely goes on. */
        {"strat", "start-40", 3},
        {"x", "loss", 3},
        {"", "loss", 1},
        {"", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(near_distance(rows[i].word, rows[i].name), rows[i].distance);
}

static void test_long_words_are_bounded(void **state)
{
    char word[300];

    (void)state;
    memset(word, 'a', sizeof word);
    word[sizeof word - 1] = 0;
    assert_int_equal(near_distance(word, word), 0);
    assert_true(near_distance(word, "step") > 20);
}

static void test_enough(void **state)
{
    (void)state;
    assert_true(near_enough("stpe", 1));
    assert_false(near_enough("stpe", 3));
    assert_true(near_enough("rfc-8867-1", 4));
    assert_false(near_enough("x", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_long_words_are_bounded),
        cmocka_unit_test(test_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The arguments of `tandem sim`. */
#include "apps/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARGS_MAX 6

static int count_of(const char *const *args)
{
    int count = 0;

    while (count < ARGS_MAX && args[count])
        count++;
    return count;
}

static bool parse(struct sim_options *o, const char *const *args)
{
    char *argv[ARGS_MAX];

    memcpy(argv, args, sizeof argv);
    return sim_options_parse(o, count_of(args), argv);
}

static void test_what_is_taken(void **state)
{
    static const char *const plain[ARGS_MAX] = {"step"};
    static const char *const full[ARGS_MAX] = {"step", "--seeds", "7..20",
                                               "rate", "--json",  "--curves"};
    struct sim_options o;

    (void)state;
    assert_true(parse(&o, plain));
    assert_int_equal(o.first, 1);
    assert_int_equal(o.last, 5);
    assert_false(o.json || o.list || o.check);
    assert_true(parse(&o, full));
    assert_int_equal(o.first, 7);
    assert_int_equal(o.last, 20);
    assert_int_equal(o.word_count, 2);
    assert_string_equal(o.words[1], "rate");
    assert_true(o.json && o.curves);
}

static void test_one_seed(void **state)
{
    static const char *const args[ARGS_MAX] = {"--seeds", "999999999999999999", "all"};
    struct sim_options o;

    (void)state;
    assert_true(parse(&o, args));
    assert_true(o.first == 999999999999999999 && o.last == o.first);
}

static void test_what_is_refused(void **state)
{
    static const char *const rows[][ARGS_MAX] = {
        {NULL},
        {"step", "--seeds"},
        {"step", "--seeds", ""},
        {"step", "--seeds", "5..1"},
        {"step", "--seeds", "1.."},
        {"step", "--seeds", "..3"},
        {"step", "--seeds", "-1..3"},
        {"step", "--seeds", "1...3"},
        {"step", "--seeds", "1..3x"},
        {"step", "--seeds", "1..200000"},
        {"step", "--seeds", "9999999999999999999"},
        {"step", "--peer", ""},
        {"step", "--curves"},
        {"step", "--what"},
    };
    struct sim_options o;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(parse(&o, rows[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken),
        cmocka_unit_test(test_one_seed),
        cmocka_unit_test(test_what_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

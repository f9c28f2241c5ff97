/* SPDX-License-Identifier: MIT */
#include "engine/base/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_kind_and_argument(void **state)
{
    static const struct {
        const char *spec, *kind, *argument; /* NULL: of another kind. */
    } cases[] = {
        {"mic", "mic", ""},
        {"mic:", "mic", ""},
        {"mic:USB", "mic", "USB"},
        {"file:a:b", "file", "a:b"},
        {"screen::1", "screen", ":1"},
        {"mic", "mi", NULL},
        {"mi", "mic", NULL},
        {"", "mic", NULL},
        {"mice:USB", "mic", NULL},
        {":mic", "mic", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argument = "untouched";
        bool is = tdm_spec_is(cases[i].spec, cases[i].kind, &argument);

        assert_int_equal(is, cases[i].argument != NULL);
        assert_string_equal(argument, is ? cases[i].argument : "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kind_and_argument)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

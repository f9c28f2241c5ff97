/* SPDX-License-Identifier: MIT */
#include "engine/io/helper.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum tdm_err run(const char *const *words, tdm_time limit, size_t output_max, uint8_t **out,
                        size_t *size)
{
    struct tdm_cause cause = {""};
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    struct tdm_helper helper = {.words = words,
                                .input = fd,
                                .limit = limit,
                                .memory_max = (size_t)1 << 30,
                                .output_max = output_max};
    enum tdm_err err = tdm_helper_run(&helper, out, size, &cause);

    assert_int_equal(err == TDM_OK, cause.text[0] == '\0');
    assert_int_equal(err == TDM_OK, *out != NULL);
    (void)close(fd);
    return err;
}

static void test_ends(void **state)
{
    uint8_t *out;
    size_t size;

    (void)state;
    /* A semicolon is no shell's: it is a word like others. */
    assert_int_equal(
        run((const char *const[]){"echo", "a;", "b", NULL}, 30 * TDM_S, 100, &out, &size), TDM_OK);
    assert_int_equal(size, 5);
    assert_string_equal((const char *)out, "a; b\n");
    free(out);
    assert_int_equal(run((const char *const[]){"false", NULL}, 30 * TDM_S, 100, &out, &size),
                     TDM_E_MALFORMED);
    assert_int_equal(
        run((const char *const[]){"no-such-program-of-tandem", NULL}, 30 * TDM_S, 100, &out, &size),
        TDM_E_UNSUPPORTED);
}

static void test_limits(void **state)
{
    uint8_t *out;
    size_t size;

    (void)state;
    /* It would go on for ever: one limit or the other ends it. */
    assert_int_equal(
        run((const char *const[]){"cat", NULL}, 30 * TDM_S, (size_t)3 << 20, &out, &size),
        TDM_E_SPACE);
    assert_int_equal(run((const char *const[]){"tail", NULL}, TDM_S / 5, 100, &out, &size),
                     TDM_E_SPACE);
}

static void test_sees_nothing_else(void **state)
{
    uint8_t *out;
    size_t size;

    (void)state;
    assert_int_equal(setenv("TANDEM_SECRET", "42", 1), 0);
    assert_int_equal(run((const char *const[]){"env", NULL}, 30 * TDM_S, 4096, &out, &size),
                     TDM_OK);
    assert_null(strstr((const char *)out, "TANDEM_SECRET"));
    free(out);
    assert_int_equal(
        run((const char *const[]){"ls", "/proc/self/fd", NULL}, 30 * TDM_S, 4096, &out, &size),
        TDM_OK);
    assert_string_equal((const char *)out, "0\n1\n2\n3\n"); /* 3: the folder that it lists. */
    free(out);
}

static void test_there(void **state)
{
    (void)state;
    assert_true(tdm_helper_there("cat"));
    assert_false(tdm_helper_there("no-such-program-anywhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sees_nothing_else),
        cmocka_unit_test(test_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

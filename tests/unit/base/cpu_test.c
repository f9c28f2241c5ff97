/* SPDX-License-Identifier: MIT */
#include "engine/base/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Is it among the words of the kernel's "flags" line? */
static bool kernel_says(const char *flags, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = strstr(flags, word); at; at = strstr(at + 1, word))
        if (at[-1] == ' ' && (at[size] == ' ' || at[size] == '\n'))
            return true;
    return false;
}

/* The kernel hides what it does not let programs use. */
static void test_agrees_with_the_kernel(void **state)
{
    static const struct {
        const char *word, *also;
        uint32_t feature;
    } rows[] = {
        {"ssse3", "ssse3", TDM_CPU_SSSE3},
        {"avx2", "avx2", TDM_CPU_AVX2},
        {"gfni", "avx2", TDM_CPU_GFNI},
    };
    char line[8192];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");

    (void)state;
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "flags", 5) == 0;
    if (file)
        (void)fclose(file);
    if (!found || !TDM_CPU_X86)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal((tdm_cpu_features() & rows[i].feature) != 0,
                         kernel_says(line, rows[i].word) && kernel_says(line, rows[i].also));
}

static void test_what_is_missing_may_not_run(void **state)
{
    (void)state;
    assert_true(tdm_cpu_has(0));
    assert_true(tdm_cpu_has(tdm_cpu_features()));
    assert_false(tdm_cpu_has(1u << 31));
    assert_false(tdm_cpu_has(tdm_cpu_features() | 1u << 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_kernel),
        cmocka_unit_test(test_what_is_missing_may_not_run),
    };

    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/base/err.h"
#include "engine/base/time.h"
#include "engine/base/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_units(void **state)
{
    static const uint32_t rates[] = {8000, 44100, 48000, 90000};

    (void)state;
    assert_int_equal(tdm_time_of_units(48000, 48000), TDM_S);
    assert_int_equal(tdm_time_of_units(90, 90000), TDM_MS);
    assert_int_equal(tdm_units_of_time(20 * TDM_MS, 48000), 960);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        /* A year of units does not overflow, and comes back but for the rounding down. */
        int64_t year = INT64_C(31536000) * rates[i] + 7;
        int64_t back = tdm_units_of_time(tdm_time_of_units(year, rates[i]), rates[i]);

        assert_in_range((uintmax_t)(year - back), 0, 1);
    }
    assert_int_equal(tdm_time_min(1, 2), 1);
    assert_int_equal(tdm_time_max(1, 2), 2);
}

static void test_names(void **state)
{
    (void)state;
    for (int err = TDM_OK; err <= TDM_E_SYSTEM; err++)
        assert_string_not_equal(tdm_err_name((enum tdm_err)err), "unknown");
    assert_string_equal(tdm_err_name((enum tdm_err)99), "unknown");
    for (int stage = 0; stage < TDM_STAGE_COUNT; stage++)
        assert_string_not_equal(tdm_stage_name((enum tdm_stage)stage), "unknown");
    assert_string_equal(tdm_stage_name(TDM_STAGE_COUNT), "unknown");
    assert_string_equal(tdm_stage_name(TDM_STAGE_PRESENTED), "presented");
}

static void test_cause(void **state)
{
    struct tdm_cause cause;
    char text[600];

    (void)state;
    assert_int_equal(tdm_fail(&cause, TDM_E_GONE, "no %s", "camera"), TDM_E_GONE);
    assert_string_equal(cause.text, "no camera");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(tdm_fail(&cause, TDM_E_SYSTEM, "%s", text), TDM_E_SYSTEM);
    assert_int_equal(strlen(cause.text), sizeof cause.text - 1);
    assert_int_equal(tdm_fail(NULL, TDM_E_SPACE, "nobody asks"), TDM_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cause),
    };

    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}

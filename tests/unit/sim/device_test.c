/* SPDX-License-Identifier: MIT */
#include "sim/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_ideal_device_is_periodic(void **state)
{
    struct tdm_sim_device d;

    (void)state;
    tdm_sim_device_init(&d, &(struct tdm_sim_device_config){.period_units = 480, .hz = 48000},
                        TDM_S);
    for (int i = 1; i < 1000; i++) {
        assert_int_equal(d.due, TDM_S + i * 10 * TDM_MS);
        assert_int_equal(d.nominal, d.due);
        tdm_sim_device_advance(&d);
    }
}

static void drift_makes_more_callbacks(void **state)
{
    static const int32_t drifts[] = {100, 0, -100};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct tdm_sim_device d;
        int64_t callbacks = 0;

        tdm_sim_device_init(&d,
                            &(struct tdm_sim_device_config){
                                .period_units = 480, .hz = 48000, .drift_ppm = drifts[i]},
                            0);
        for (; d.due <= 1000 * TDM_S; callbacks++)
            tdm_sim_device_advance(&d);
        assert_in_range(callbacks, 100000 + drifts[i] / 10 - 1, 100000 + drifts[i] / 10 + 1);
    }
}

static void callbacks_are_late_and_never_early_nor_out_of_order(void **state)
{
    struct tdm_sim_device d;
    tdm_time last = 0;
    bool bunched = false, moved = false;

    (void)state;
    tdm_sim_device_init(&d,
                        &(struct tdm_sim_device_config){.seed = 3,
                                                        .period_units = 480,
                                                        .hz = 48000,
                                                        .jitter = 3 * TDM_MS,
                                                        .xrun = 0.01,
                                                        .xrun_max = 80 * TDM_MS},
                        0);
    for (int i = 0; i < 10000; i++) {
        assert_true(d.due >= d.nominal);
        assert_true(d.due >= last);
        assert_true(d.due - d.nominal <= 83 * TDM_MS);
        bunched = bunched || d.due == last;
        moved = moved || d.due != d.nominal;
        last = d.due;
        tdm_sim_device_advance(&d);
    }
    assert_true(moved);
    assert_true(bunched);
    assert_in_range(d.xruns, 50, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ideal_device_is_periodic),
        cmocka_unit_test(drift_makes_more_callbacks),
        cmocka_unit_test(callbacks_are_late_and_never_early_nor_out_of_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

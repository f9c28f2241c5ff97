/* SPDX-License-Identifier: MIT */
#include "engine/core/loss_pattern.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define EVERY (4 * TDM_MS)

static tdm_time feed(struct tdm_loss_pattern *p, tdm_time at, int lost, int came)
{
    for (int i = 0; i < lost + came; i++, at += EVERY)
        tdm_loss_pattern_packet(p, at, i < lost);
    return at;
}

static void test_nothing_known(void **state)
{
    struct tdm_loss_pattern p;

    (void)state;
    tdm_loss_pattern_init(&p);
    assert_true(tdm_loss_pattern_loss(&p) == 0);
    assert_true(tdm_loss_pattern_burst(&p) == 1);
    assert_int_equal(tdm_loss_pattern_burst_time(&p), 0);
}

static void test_rows(void **state)
{
    static const struct {
        int lost, came;
    } cases[] = {{1, 99}, {1, 19}, {6, 114}, {2, 98}};

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tdm_loss_pattern p;
        tdm_time at = 0;
        double part = (double)cases[c].lost / (cases[c].lost + cases[c].came);

        tdm_loss_pattern_init(&p);
        for (int i = 0; i < 200; i++)
            at = feed(&p, at, cases[c].lost, cases[c].came);
        assert_true(tdm_loss_pattern_loss(&p) > part * 0.9);
        assert_true(tdm_loss_pattern_loss(&p) < part * 1.1);
        assert_true(tdm_loss_pattern_burst(&p) > cases[c].lost * 0.95);
        assert_true(tdm_loss_pattern_burst(&p) < cases[c].lost * 1.05);
        assert_int_equal((tdm_loss_pattern_burst_time(&p) + TDM_MS / 2) / TDM_MS,
                         (cases[c].lost * EVERY - EVERY / 2) / TDM_MS);
    }
}

static void test_a_path_that_gets_well_is_forgotten(void **state)
{
    struct tdm_loss_pattern p;
    tdm_time at = 0;

    (void)state;
    tdm_loss_pattern_init(&p);
    for (int i = 0; i < 100; i++)
        at = feed(&p, at, 5, 95);
    assert_true(tdm_loss_pattern_loss(&p) > 0.04);
    at = feed(&p, at, 0, 30000);
    assert_true(tdm_loss_pattern_loss(&p) < 0.0001);
}

static void test_times_that_go_back(void **state)
{
    struct tdm_loss_pattern p;

    (void)state;
    tdm_loss_pattern_init(&p);
    tdm_loss_pattern_packet(&p, TDM_S, true);
    tdm_loss_pattern_packet(&p, 0, false);
    assert_int_equal(tdm_loss_pattern_burst_time(&p), 0);
    tdm_loss_pattern_packet(&p, 0, true);
    tdm_loss_pattern_packet(&p, 1000 * TDM_S, false);
    assert_true(tdm_loss_pattern_burst_time(&p) <= 2 * TDM_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_path_that_gets_well_is_forgotten),
        cmocka_unit_test(test_times_that_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

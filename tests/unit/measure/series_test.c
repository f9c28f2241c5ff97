/* SPDX-License-Identifier: MIT */
#include "engine/base/rng.h"
#include "measure/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_near(a, b, epsilon) assert_true(fabs((a) - (b)) <= (epsilon))

static void test_quantiles(void **state)
{
    static const struct {
        size_t count; /* The values 1 to count, added from the largest on. */
        double p50, p95, ci_low, ci_high;
    } cases[] = {
        {1, 1, 1, 1, 1},
        {2, 1.5, 1.95, 1, 2},
        {5, 3, 4.8, 1, 5},
        /* Ranks from the binomial table: 10 values 2 and 9; 100 values 40 and 61. */
        {10, 5.5, 9.55, 1, 10},
        {100, 50.5, 95.05, 40, 61},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_series series = {0};
        struct tdm_summary s;

        for (size_t v = cases[i].count; v > 0; v--)
            assert_true(tdm_series_add(&series, (double)v));
        assert_true(tdm_series_summarize(&series, &s));
        assert_int_equal(s.count, cases[i].count);
        assert_near(s.p50, cases[i].p50, 1e-9);
        assert_near(s.p95, cases[i].p95, 1e-9);
        assert_near(s.min, 1, 0);
        assert_near(s.max, (double)cases[i].count, 0);
        assert_near(s.ci_low, cases[i].ci_low, 1e-9);
        assert_near(s.ci_high, cases[i].ci_high, 1e-9);
        tdm_series_free(&series);
    }
}

static void test_empty(void **state)
{
    struct tdm_series series = {0};
    struct tdm_summary s;

    (void)state;
    assert_true(tdm_series_summarize(&series, &s));
    assert_int_equal(s.count, 0);
    assert_near(s.p50, 0, 0);
}

/* The interval holds the true median in about 95 of 100 samples, of a skewed distribution too. */
static void test_confidence(void **state)
{
    struct tdm_rng rng = tdm_rng_of(1);
    int held = 0, runs = 2000;

    (void)state;
    for (int run = 0; run < runs; run++) {
        struct tdm_series series = {0};
        struct tdm_summary s;

        for (int i = 0; i < 60; i++) {
            double unit = tdm_rng_unit(&rng);

            assert_true(tdm_series_add(&series, unit * unit * unit));
        }
        assert_true(tdm_series_summarize(&series, &s));
        held += s.ci_low <= 0.125 && s.ci_high >= 0.125;
        tdm_series_free(&series);
    }
    assert_in_range(held, runs * 94 / 100, runs * 985 / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_confidence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

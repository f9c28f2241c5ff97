/* SPDX-License-Identifier: MIT */
#include "engine/base/histogram.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SAMPLE_COUNT 20000

static void test_empty(void **state)
{
    struct tdm_histogram h;

    (void)state;
    tdm_histogram_init(&h);
    assert_int_equal(tdm_histogram_quantile(&h, 0.5), 0);
    assert_int_equal(tdm_histogram_mean(&h), 0);
}

static void test_one_value_is_itself(void **state)
{
    static const tdm_time values[] = {0, 1, TDM_US, 33 * TDM_MS, TDM_S, 3000 * TDM_S};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct tdm_histogram h;

        tdm_histogram_init(&h);
        tdm_histogram_add(&h, values[i]);
        assert_int_equal(tdm_histogram_quantile(&h, 0), values[i]);
        assert_int_equal(tdm_histogram_quantile(&h, 0.5), values[i]);
        assert_int_equal(tdm_histogram_quantile(&h, 1), values[i]);
        assert_int_equal(tdm_histogram_mean(&h), values[i]);
    }
}

static int compare(const void *a, const void *b)
{
    tdm_time left = *(const tdm_time *)a, right = *(const tdm_time *)b;

    return (left > right) - (left < right);
}

/* Against the sorted samples: durations spread over nine decades, from under a microsecond. */
static void test_quantiles_are_close(void **state)
{
    static tdm_time samples[SAMPLE_COUNT];
    static const double fractions[] = {0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1};
    struct tdm_rng rng = tdm_rng_of(32);
    struct tdm_histogram h;

    (void)state;
    tdm_histogram_init(&h);
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        samples[i] = (tdm_time)(tdm_rng_u64(&rng) >> (22 + tdm_rng_below(&rng, 36)));
        tdm_histogram_add(&h, samples[i]);
    }
    qsort(samples, SAMPLE_COUNT, sizeof *samples, compare);
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
        tdm_time want = samples[(size_t)(fractions[i] * (SAMPLE_COUNT - 1))];
        tdm_time got = tdm_histogram_quantile(&h, fractions[i]);

        assert_true(llabs(got - want) <= want * 32 / 1000 + TDM_US);
    }
    assert_int_equal(h.min, samples[0]);
    assert_int_equal(h.max, samples[SAMPLE_COUNT - 1]);
}

static void test_out_of_range_values_stay_inside(void **state)
{
    struct tdm_histogram h;

    (void)state;
    tdm_histogram_init(&h);
    tdm_histogram_add(&h, -5 * TDM_S);
    assert_int_equal(h.buckets[0], 1);
    tdm_histogram_add(&h, INT64_MAX);
    assert_int_equal(h.buckets[TDM_HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(h.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_one_value_is_itself),
        cmocka_unit_test(test_quantiles_are_close),
        cmocka_unit_test(test_out_of_range_values_stay_inside),
    };

    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}

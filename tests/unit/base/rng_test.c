/* SPDX-License-Identifier: MIT */
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The first numbers of splitmix64 seeded with 1234567, the test values that Rosetta Code gives for
 * "Pseudo-random numbers/Splitmix64". */
static void test_known_sequence(void **state)
{
    static const uint64_t want[] = {6457827717110365317u, 3203168211198807973u,
                                    9817491932198370423u, 4593380528125082431u,
                                    16408922859458223821u};
    struct tdm_rng rng = tdm_rng_of(1234567);

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(tdm_rng_u64(&rng) == want[i]);
}

static void test_below_is_bounded_and_even(void **state)
{
    struct tdm_rng rng = tdm_rng_of(1);
    unsigned counts[10] = {0};

    (void)state;
    assert_int_equal(tdm_rng_below(&rng, 0), 0);
    assert_int_equal(tdm_rng_below(&rng, 1), 0);
    for (int i = 0; i < 100000; i++) {
        uint32_t value = tdm_rng_below(&rng, 10);

        assert_true(value < 10);
        counts[value]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500); /* Five standard deviations are 474. */
}

static void test_unit_and_chance(void **state)
{
    struct tdm_rng rng = tdm_rng_of(2);
    double sum = 0;
    int hits = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        double value = tdm_rng_unit(&rng);

        assert_true(value >= 0 && value < 1);
        sum += value;
        hits += tdm_rng_chance(&rng, 0.1);
        assert_false(tdm_rng_chance(&rng, 0));
        assert_true(tdm_rng_chance(&rng, 1));
    }
    assert_true(sum > 49500 && sum < 50500);
    assert_in_range(hits, 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_sequence),
        cmocka_unit_test(test_below_is_bounded_and_even),
        cmocka_unit_test(test_unit_and_chance),
    };

    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}

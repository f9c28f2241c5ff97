/* SPDX-License-Identifier: MIT */
#include "codecs/budget_fill.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BUDGET 5000

/* An encoder that takes `usual` of what it is told, give or take `spread`. */
static double run(struct tdm_budget_fill *fill, int pictures, double usual, double spread,
                  double *most)
{
    struct tdm_rng rng = tdm_rng_of(7);
    double sum = 0;

    for (int i = 0; i < pictures; i++) {
        double share = usual + spread * (2 * tdm_rng_unit(&rng) - 1);
        size_t bytes = (size_t)(share * tdm_budget_fill_tell(fill, BUDGET));

        tdm_budget_fill_note(fill, bytes);
        sum += (double)bytes / BUDGET;
        *most = (double)bytes / BUDGET > *most ? (double)bytes / BUDGET : *most;
    }
    return sum / pictures;
}

/* One that leaves an eighth takes nearly all of it in the end, and never more than a little. */
static void test_fills_the_budget(void **state)
{
    struct tdm_budget_fill fill;
    double most = 0;

    (void)state;
    tdm_budget_fill_init(&fill, 1.25);
    (void)run(&fill, 100, 0.87, 0.04, &most);
    assert_true(run(&fill, 200, 0.87, 0.04, &most) > 0.94);
    assert_true(most <= 1.05);
}

/* One that spreads widely is led by its worst picture, not by its usual one. */
static void test_the_worst_counts(void **state)
{
    struct tdm_budget_fill fill;
    double most = 0, mean;

    (void)state;
    tdm_budget_fill_init(&fill, 1.25);
    (void)run(&fill, 100, 0.8, 0.2, &most);
    most = 0;
    mean = run(&fill, 200, 0.8, 0.2, &most);
    assert_true(mean > 0.75 && mean < 0.90);
    assert_true(most < 1.1);
}

/* A still picture that takes nothing is no reason to tell more, nor one that cannot fit less. */
static void test_what_says_nothing(void **state)
{
    struct tdm_budget_fill fill;
    uint32_t before, told;

    (void)state;
    tdm_budget_fill_init(&fill, 1.25);
    before = tdm_budget_fill_tell(&fill, BUDGET);
    for (int i = 0; i < 100; i++) {
        told = tdm_budget_fill_tell(&fill, BUDGET);
        tdm_budget_fill_note(&fill, i % 2 ? told * 3 : told / 10);
    }
    assert_int_equal(tdm_budget_fill_tell(&fill, BUDGET), before);
}

static void test_bounds(void **state)
{
    struct tdm_budget_fill fill;

    (void)state;
    tdm_budget_fill_init(&fill, 1.25);
    for (int i = 0; i < 500; i++)
        tdm_budget_fill_note(&fill, tdm_budget_fill_tell(&fill, BUDGET) * 51 / 100);
    assert_in_range(tdm_budget_fill_tell(&fill, BUDGET), BUDGET * 124 / 100, BUDGET * 125 / 100);
    assert_int_equal(tdm_budget_fill_tell(&fill, 0), 0);
    tdm_budget_fill_note(&fill, 100);
    assert_int_equal(tdm_budget_fill_tell(&fill, UINT32_MAX), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fills_the_budget),
        cmocka_unit_test(test_the_worst_counts),
        cmocka_unit_test(test_what_says_nothing),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

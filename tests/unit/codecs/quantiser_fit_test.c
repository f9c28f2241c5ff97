/* SPDX-License-Identifier: MIT */
#include "codecs/quantiser_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* A made-up encoder whose sizes follow the model exactly, or with another exponent. */
static double step_of(int quantiser)
{
    return 10 + quantiser;
}

static const struct tdm_quantiser_shape shape = {
    .step_of = step_of,
    .finest = 5,
    .coarsest = 60,
    .fall = 3,
    .attempts_max = 3,
    .key_exponent = 1,
    .inter_exponent = 2,
    .start = 30,
    .start_bytes_per_pixel = 1,
};

static size_t size_at(int quantiser, double scale, double exponent)
{
    return (size_t)(scale * pow(step_of(quantiser), -exponent));
}

struct outcome {
    bool coded;
    int first, last, attempts;
    size_t bytes;
};

static struct outcome code(struct tdm_quantiser_fit *fit, uint32_t budget, bool keyframe,
                           double scale, double exponent)
{
    struct outcome outcome = {0};
    int quantiser;

    outcome.coded = tdm_quantiser_fit_begin(fit, budget, keyframe, &quantiser);
    if (!outcome.coded)
        return outcome;
    outcome.first = quantiser;
    do {
        outcome.attempts++;
        outcome.last = quantiser;
        outcome.bytes = size_at(quantiser, scale, exponent);
    } while (tdm_quantiser_fit_again(fit, outcome.bytes, &quantiser));
    tdm_quantiser_fit_sent(fit, outcome.bytes);
    return outcome;
}

/* The first keyframe's quantiser comes from the pixels and the budget. */
static void test_first_guess(void **state)
{
    static const struct {
        int pixels;
        uint32_t budget;
        int quantiser; /* 40 * pixels / step <= 0.9 * budget, and no finer than 30 - 3. */
    } cases[] = {{1000, 1000, 35}, {1000, 800, 46}, {1000, 100000, 27}, {1000, 10, 60}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_quantiser_fit fit;
        int quantiser = -1;

        tdm_quantiser_fit_init(&fit, &shape, cases[i].pixels);
        assert_true(tdm_quantiser_fit_begin(&fit, cases[i].budget, true, &quantiser));
        assert_int_equal(quantiser, cases[i].quantiser);
    }
}

/* Where the model holds, a second attempt fits; the next picture fits at once. */
static void test_second_attempt_fits(void **state)
{
    struct tdm_quantiser_fit fit;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, 1000);
    struct outcome key = code(&fit, 1000, true, 60000, 1);

    assert_int_equal(key.attempts, 2);
    assert_true(key.bytes <= 900);
    struct outcome next = code(&fit, 1000, true, 60000, 1);

    assert_int_equal(next.attempts, 1);
    assert_int_equal(next.last, key.last);
}

/* The last attempt is at the coarsest, whatever the model says. */
static void test_last_attempt(void **state)
{
    struct tdm_quantiser_fit fit;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, 1000);
    /* 1168 bytes at 35, 1106 at 49 where the model has 900, 1068 at 60. */
    struct outcome key = code(&fit, 1000, true, 2500, 0.2);

    assert_int_equal(key.attempts, 3);
    assert_int_equal(key.last, shape.coarsest);
    assert_true(fit.debt_bytes > 0);
}

/* It gets finer by three steps a picture, and no finer than the finest. */
static void test_fall(void **state)
{
    struct tdm_quantiser_fit fit;
    int before = 33;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, 1000);
    for (int i = 0; i < 20; i++) {
        struct outcome picture = code(&fit, 100000, false, 1000, 2);

        assert_int_equal(picture.attempts, 1);
        assert_int_equal(picture.last, before - 3 < 5 ? 5 : before - 3 == 30 ? 27 : before - 3);
        before = picture.last;
    }
    assert_int_equal(before, 5);
}

/* A still picture: nearly nothing from 44 on, far too much below. What leapt is not tried at each
 * picture again, but now and then. */
static void test_a_leap_is_remembered(void **state)
{
    struct tdm_quantiser_fit fit;
    int quantiser, attempts = 0;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, 1000);
    fit.costs[false] = (struct tdm_quantiser_cost){.quantiser = 44, .bytes = 100};
    for (int i = 0; i < 28; i++) {
        size_t bytes;

        assert_true(tdm_quantiser_fit_begin(&fit, 1000, false, &quantiser));
        do
            bytes = quantiser < 44 ? 2000 : 100, attempts++;
        while (tdm_quantiser_fit_again(&fit, bytes, &quantiser));
        tdm_quantiser_fit_sent(&fit, bytes);
    }
    assert_in_range(attempts, 28 + 4, 28 + 14); /* Each time anew they would be 56 and more. */
}

/* A picture behind a coarse keyframe begins where that one ended, not where the last inter picture
 * was: it would pay for repairing the keyframe. */
static void test_after_keyframe(void **state)
{
    struct tdm_quantiser_fit fit;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, 1000);
    for (int i = 0; i < 10; i++)
        (void)code(&fit, 1000, false, 1000, 2);
    struct outcome key = code(&fit, 1000, true, 50000, 1);
    struct outcome next = code(&fit, 1000, false, 1000, 2);

    assert_true(key.last > 40);
    assert_int_equal(next.first, key.last - shape.fall);
}

/* What did not fit is paid back by dropped pictures, to the byte. */
static void test_debt(void **state)
{
    struct tdm_quantiser_fit fit;
    uint64_t sent = 0;
    int dropped = 0;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, 1000);
    for (int i = 0; i < 100; i++) {
        struct outcome picture = code(&fit, 100, false, 35000, 1); /* 500 at the coarsest. */

        assert_true(!picture.coded || picture.bytes == 500);
        dropped += !picture.coded;
        sent += picture.bytes;
    }
    assert_int_equal(dropped, 80);
    assert_int_equal(sent, 100 * 100);
    int quantiser;

    assert_false(tdm_quantiser_fit_begin(&fit, 0, false, &quantiser)); /* Pays nothing. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_guess),
        cmocka_unit_test(test_second_attempt_fits),
        cmocka_unit_test(test_last_attempt),
        cmocka_unit_test(test_fall),
        cmocka_unit_test(test_a_leap_is_remembered),
        cmocka_unit_test(test_after_keyframe),
        cmocka_unit_test(test_debt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

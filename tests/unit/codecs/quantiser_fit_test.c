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
    .attempts_max = 4,
    .key_exponent = 1,
    .inter_exponent = 1.5,
    .debt_exponent = 1,
    .start = 30,
    .start_bytes_per_pixel = 1,
};

#define PIXELS      1000
#define FPS_IN_TIME 30
#define FPS_HURRIED 120000 /* No time to refine. */

/* What is coded: so many bytes at a step of 1, and what the picture before left out on top. */
struct scene {
    double content, exponent, debt;
    int before;
};

static size_t size_at(const struct scene *scene, int quantiser)
{
    return (size_t)(scene->content * pow(step_of(quantiser), -scene->exponent) *
                    pow(step_of(scene->before) / step_of(quantiser), scene->debt));
}

struct outcome {
    bool coded;
    int first, last, attempts;
    size_t bytes;
};

static struct outcome code(struct tdm_quantiser_fit *fit, uint32_t budget, bool keyframe,
                           struct scene *scene)
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
        outcome.bytes = size_at(scene, quantiser);
    } while (tdm_quantiser_fit_again(fit, outcome.bytes, &quantiser));
    scene->before = outcome.last;
    tdm_quantiser_fit_sent(fit, outcome.bytes);
    return outcome;
}

static struct scene key_scene(double content)
{
    return (struct scene){.content = content, .exponent = 1, .before = 30};
}

static struct scene inter_scene(double content)
{
    return (struct scene){.content = content, .exponent = 1.5, .debt = 1, .before = 30};
}

/* The first keyframe's quantiser comes from the pixels and the budget. */
static void test_first_guess(void **state)
{
    static const struct {
        uint32_t budget;
        int quantiser; /* 40 * pixels / step <= 0.95 * budget, and no finer than 30 - 3. */
    } cases[] = {{1000, 33}, {800, 43}, {100000, 27}, {10, 60}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_quantiser_fit fit;
        int quantiser = -1;

        tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_IN_TIME);
        assert_true(tdm_quantiser_fit_begin(&fit, cases[i].budget, true, &quantiser));
        assert_int_equal(quantiser, cases[i].quantiser);
    }
}

/* Where the model holds, a second attempt fits; the next picture fits at once. */
static void test_second_attempt_fits(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene scene = key_scene(60000);

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_IN_TIME);
    struct outcome key = code(&fit, 1000, true, &scene);

    assert_int_equal(key.attempts, 2);
    assert_true(key.bytes <= 950);
    struct outcome next = code(&fit, 1000, true, &scene);

    assert_int_equal(next.attempts, 1);
    assert_in_range(next.bytes, 900, 950);
}

/* Every picture at its budget, and each at once: what a finer one pays twice for is foreseen. */
static void test_no_oscillation(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene scene = inter_scene(250000);
    size_t least = SIZE_MAX, most = 0;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_HURRIED);
    for (int i = 0; i < 60; i++) {
        struct outcome picture = code(&fit, 1000, false, &scene);

        if (i < 20)
            continue;
        assert_int_equal(picture.attempts, 1);
        least = picture.bytes < least ? picture.bytes : least;
        most = picture.bytes > most ? picture.bytes : most;
    }
    assert_in_range(least, 850, 1000);
    assert_in_range(most, 850, 1000);
}

/* What left much of its budget is coded again at a finer quantiser, where there is time. */
static void test_refines(void **state)
{
    static const uint32_t fps[] = {FPS_IN_TIME, FPS_HURRIED};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tdm_quantiser_fit fit;
        struct scene scene = inter_scene(250000);

        tdm_quantiser_fit_init(&fit, &shape, PIXELS, fps[i]);
        for (int k = 0; k < 20; k++)
            (void)code(&fit, 1000, false, &scene);
        scene.content *= 0.5;
        struct outcome picture = code(&fit, 1000, false, &scene);

        assert_int_equal(picture.attempts, i == 0 ? 2 : 1);
        if (i == 0)
            assert_in_range(picture.bytes, 850, 1050);
        else
            assert_true(picture.bytes < 600);
    }
}

/* A finer attempt that is too large gives way to one that is known to fit, or between the two. */
static void test_refining_is_taken_back(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene scene = inter_scene(250000);
    int quantiser, first;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_IN_TIME);
    for (int k = 0; k < 20; k++)
        (void)code(&fit, 1000, false, &scene);
    assert_true(tdm_quantiser_fit_begin(&fit, 1000, false, &first));
    assert_true(tdm_quantiser_fit_again(&fit, 500, &quantiser));
    assert_true(quantiser < first);
    while (tdm_quantiser_fit_again(&fit, quantiser < first ? 3000 : 500, &quantiser))
        ;
    assert_int_equal(quantiser, first);
    tdm_quantiser_fit_sent(&fit, 500);
    assert_int_equal(fit.debt_bytes, 0);
}

/* The last attempt is at the coarsest, whatever the model says. */
static void test_last_attempt(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene scene = {.content = 2700, .exponent = 0.2, .before = 30};

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_IN_TIME);
    struct outcome key = code(&fit, 1000, true, &scene); /* 1150 at the coarsest. */

    assert_in_range(key.attempts, 3, 4);
    assert_int_equal(key.last, shape.coarsest);
    assert_true(fit.debt_bytes > 0);
}

/* It gets finer by three steps a picture, and no finer than the finest. */
static void test_fall(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene scene = inter_scene(1000);
    int before = 30;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_HURRIED);
    for (int i = 0; i < 20; i++) {
        struct outcome picture = code(&fit, 100000, false, &scene);

        assert_int_equal(picture.attempts, 1);
        assert_int_equal(picture.last, before - 3 < 5 ? 5 : before - 3);
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
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_HURRIED);
    fit.before = 44;
    for (int i = 0; i < 28; i++) {
        size_t bytes;

        assert_true(tdm_quantiser_fit_begin(&fit, 1000, false, &quantiser));
        do
            bytes = quantiser < 44 ? 2000 : 100, attempts++;
        while (tdm_quantiser_fit_again(&fit, bytes, &quantiser));
        tdm_quantiser_fit_sent(&fit, bytes);
    }
    assert_in_range(attempts, 28 + 2, 28 + 16); /* Each time anew they would be 56 and more. */
}

/* A picture behind a coarse keyframe begins where that one ended, not where the last inter picture
 * was: it would pay for repairing the keyframe. */
static void test_after_keyframe(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene inter = inter_scene(10000), key = key_scene(60000);

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_HURRIED);
    for (int i = 0; i < 10; i++)
        (void)code(&fit, 1000, false, &inter);
    struct outcome coarse = code(&fit, 1000, true, &key);
    struct outcome next = code(&fit, 1000, false, &inter);

    assert_true(coarse.last > 40);
    assert_int_equal(next.first, coarse.last - shape.fall);
}

/* What did not fit is paid back by dropped pictures, to the byte. */
static void test_debt(void **state)
{
    struct tdm_quantiser_fit fit;
    struct scene scene = {.content = 500, .before = 30}; /* However coarse it is. */
    uint64_t sent = 0;
    int dropped = 0;

    (void)state;
    tdm_quantiser_fit_init(&fit, &shape, PIXELS, FPS_IN_TIME);
    for (int i = 0; i < 100; i++) {
        struct outcome picture = code(&fit, 100, false, &scene);

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
        cmocka_unit_test(test_no_oscillation),
        cmocka_unit_test(test_refines),
        cmocka_unit_test(test_refining_is_taken_back),
        cmocka_unit_test(test_last_attempt),
        cmocka_unit_test(test_fall),
        cmocka_unit_test(test_a_leap_is_remembered),
        cmocka_unit_test(test_after_keyframe),
        cmocka_unit_test(test_debt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

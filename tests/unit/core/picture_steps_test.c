/* SPDX-License-Identifier: MIT */
#include "engine/core/picture_steps.h"

#include "engine/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FRAME (TDM_S / 30)

struct run {
    struct tdm_picture_steps steps;
    struct tdm_picture_steps_in in;
    struct tdm_picture_steps_out out;
    tdm_time now;
    tdm_time spent; /* On a picture of 1280x720. */
    int coded, resized;
};

static struct run run_of(bool screen, uint64_t bps)
{
    struct run run = {.in = {.bps = bps, .fill = 0.9}, .spent = 5 * TDM_MS};

    tdm_picture_steps_init(&run.steps,
                           &(struct tdm_picture_steps_config){
                               .width = 1280, .height = 720, .fps = 30, .screen = screen});
    return run;
}

static void run_for(struct run *run, tdm_time length)
{
    for (tdm_time end = run->now + length; run->now < end; run->now += FRAME) {
        tdm_picture_steps_step(&run->steps, run->now, &run->in, &run->out);
        run->in.coded = run->out.code;
        run->in.spent = run->spent * run->out.level.width * run->out.level.height / (1280 * 720);
        run->coded += run->out.code;
        run->resized += run->out.resize;
    }
}

static void expect(const struct run *run, int width, int height, uint32_t fps)
{
    assert_int_equal(run->out.level.width, width);
    assert_int_equal(run->out.level.height, height);
    assert_int_equal(run->out.level.fps, fps);
}

/* Where a rate leads to, at once and without steps between. */
static void test_where_a_rate_leads(void **state)
{
    static const struct {
        uint64_t bps;
        bool screen;
        int width, height;
        uint32_t fps;
    } cases[] = {
        {2000000, false, 1280, 720, 30}, {600000, false, 960, 540, 30},
        {300000, false, 640, 360, 30},   {150000, false, 640, 360, 20},
        {70000, false, 426, 240, 20},    {10000, false, 320, 180, 10},
        {600000, true, 1280, 720, 20},   {10000, true, 1280, 720, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run = run_of(cases[i].screen, 4000000);

        run_for(&run, 5 * TDM_S);
        expect(&run, 1280, 720, 30);
        assert_int_equal(run.out.why, TDM_PICTURE_WHOLE);
        run.in.bps = cases[i].bps;
        run_for(&run, 5 * TDM_S);
        expect(&run, cases[i].width, cases[i].height, cases[i].fps);
        assert_int_equal(run.out.why, i == 0 ? TDM_PICTURE_WHOLE : TDM_PICTURE_BY_RATE);
        assert_true(run.resized <= 2);
        run.coded = 0;
        run_for(&run, 10 * TDM_S);
        assert_in_range(run.coded, 10 * cases[i].fps - 1, 10 * cases[i].fps + 1);
    }
}

/* Down within two seconds; back within eight, and whole again. */
static void test_there_and_back(void **state)
{
    struct run run = run_of(false, 2000000);

    (void)state;
    run_for(&run, 10 * TDM_S);
    run.in.bps = 200000;
    run_for(&run, 2500 * TDM_MS);
    assert_true(run.out.level.width <= 640);
    run_for(&run, 10 * TDM_S);
    run.in.bps = 2000000;
    run_for(&run, 8 * TDM_S);
    expect(&run, 1280, 720, 30);
    assert_int_equal(run.out.why, TDM_PICTURE_WHOLE);
}

/* What a rate needs to go up is half as much again as to stay: a rate that swings by a fifth
 * changes nothing for good, wherever it lies. Thousands of seeds; an ascent is rare and never taken
 * back twice. */
static void test_no_flapping(void **state)
{
    int worst = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        double mean = 60000 * pow(2, 5 * tdm_rng_unit(&rng));
        struct run run = run_of(seed % 4 == 0, (uint64_t)mean);
        struct tdm_picture_level level;
        int changes = 0;

        run_for(&run, 10 * TDM_S);
        level = run.out.level;
        for (int i = 0; i < 60 * 10; i++) {
            run.in.bps = (uint64_t)(mean * (0.8 + 0.4 * tdm_rng_unit(&rng)));
            run.in.fill = 0.7 + 0.4 * tdm_rng_unit(&rng);
            run_for(&run, 100 * TDM_MS);
            changes += run.out.level.width != level.width || run.out.level.fps != level.fps;
            level = run.out.level;
        }
        worst = changes > worst ? changes : worst;
    }
    printf("at most %d changes in a minute\n", worst);
    assert_true(worst <= 2);
}

/* A way that is enough for five seconds and then is not, again and again: each ascent waits longer,
 * so that ten minutes have few of them. */
static void test_a_swinging_way(void **state)
{
    struct run run = run_of(false, 2000000);

    (void)state;
    for (int i = 0; i < 60; i++) {
        run.in.bps = i % 2 ? 2000000 : 250000;
        run_for(&run, 10 * TDM_S);
    }
    printf("%d sizes in ten minutes\n", run.resized);
    assert_in_range(run.resized, 3, 12); /* 60 without the wait. */
}

/* A still desktop takes little of its budget: it stays whole at a rate where a face does not. */
static void test_easy_pictures(void **state)
{
    struct run run = run_of(false, 2000000);

    (void)state;
    run.in.fill = 0.2;
    run_for(&run, 20 * TDM_S);
    run.in.bps = 400000;
    run_for(&run, 20 * TDM_S);
    expect(&run, 1280, 720, 30);
    run.in.fill = 0.95;
    run_for(&run, 20 * TDM_S);
    assert_true(run.out.level.width < 1280);
}

static void test_pictures_that_do_not_fit(void **state)
{
    struct run run = run_of(false, 900000);

    (void)state;
    run_for(&run, 10 * TDM_S);
    expect(&run, 1280, 720, 30);
    run.in.dropped = true;
    run_for(&run, 10 * TDM_S);
    assert_true(run.out.level.width < 1280);
}

/* An encoder that takes longer than a picture's time gets less to do, and no more until half of
 * that would be enough. */
static void test_a_slow_encoder(void **state)
{
    struct run run = run_of(false, 4000000);

    (void)state;
    run.spent = 40 * TDM_MS;
    run_for(&run, 2 * TDM_S);
    expect(&run, 960, 540, 30);
    assert_int_equal(run.out.why, TDM_PICTURE_BY_TIME);
    run.spent = 22 * TDM_MS;
    run_for(&run, 60 * TDM_S);
    expect(&run, 960, 540, 30);
    run.spent = 5 * TDM_MS;
    run_for(&run, 10 * TDM_S);
    expect(&run, 1280, 720, 30);
}

/* The user's own size and rate are the most, and what is small already is not made smaller. */
static void test_limits(void **state)
{
    struct tdm_picture_steps_config config = {.width = 160, .height = 120, .fps = 8};
    struct run run = run_of(false, 1000);

    (void)state;
    tdm_picture_steps_init(&run.steps, &config);
    run_for(&run, 5 * TDM_S);
    expect(&run, 160, 120, 8);
    config = (struct tdm_picture_steps_config){.width = 640, .height = 360, .fps = 15};
    tdm_picture_steps_init(&run.steps, &config);
    run_for(&run, 5 * TDM_S);
    expect(&run, 212, 120, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_a_rate_leads), cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_no_flapping),        cmocka_unit_test(test_a_swinging_way),
        cmocka_unit_test(test_easy_pictures),      cmocka_unit_test(test_pictures_that_do_not_fit),
        cmocka_unit_test(test_a_slow_encoder),     cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/drift.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

struct scene {
    const char *name;
    double ppm, seconds, jitter_ms; /* Mean of exponential jitter. */
    double step_ms;                 /* Added to the path at half time. */
    double outlier_ms;              /* One packet in fifty. */
    double allowed_ppm;
};

/* Packets of 10 ms from a sender that is `ppm` fast. */
static double estimate(const struct scene *s, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);
    struct tdm_drift d;

    tdm_drift_init(&d);
    for (int packet = 0; packet < s->seconds * 100; packet++) {
        double media = packet * 0.010;
        double sent = media / (1 + s->ppm * 1e-6);
        double delay_ms = 20 - log(1 - tdm_rng_unit(&rng)) * s->jitter_ms;

        delay_ms += media > s->seconds / 2 ? s->step_ms : 0;
        delay_ms += tdm_rng_chance(&rng, 0.02) ? s->outlier_ms : 0;
        double device = sent + delay_ms * 1e-3;
        tdm_drift_add(&d, (tdm_time)(device * 1e9), (tdm_time)((device - media) * 1e9));
    }
    return d.ppm;
}

static void test_finds_the_rate(void **state)
{
    static const struct scene scenes[] = {
        {"still", 0, 30, 0, 0, 0, 0.5},        {"fast", 100, 30, 0.5, 0, 0, 8},
        {"slow", -200, 60, 0.5, 0, 0, 5},      {"long", 35, 600, 2, 0, 0, 2},
        {"jitter", 80, 300, 10, 0, 0, 10},     {"outliers", -50, 120, 1, 0, 200, 5},
        {"step up", 100, 120, 0.5, 40, 0, 10}, {"step down", -100, 120, 0.5, -15, 0, 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            double got = estimate(&scenes[i], seed);

            if (fabs(got - scenes[i].ppm) > scenes[i].allowed_ppm)
                fail_msg("%s, seed %d: %.1f ppm for %.1f", scenes[i].name, (int)seed, got,
                         scenes[i].ppm);
        }
}

/* Too short to know: says so, and stays near none. */
static void test_does_not_guess_early(void **state)
{
    const struct scene s = {"short", 0, 3, 10, 0, 0, 0};

    (void)state;
    assert_true(fabs(estimate(&s, 1)) < 20);
}

static void test_survives_time_that_goes_back(void **state)
{
    struct tdm_drift d;
    struct tdm_rng rng = tdm_rng_of(3);

    (void)state;
    tdm_drift_init(&d);
    for (int i = 0; i < 100000; i++) {
        tdm_time at = (tdm_time)(tdm_rng_u64(&rng) >> 4);

        tdm_drift_add(&d, at, at - (tdm_time)(tdm_rng_u64(&rng) >> 4));
        assert_true(d.count <= TDM_DRIFT_POINTS && fabs(d.ppm) <= 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_rate),
        cmocka_unit_test(test_does_not_guess_early),
        cmocka_unit_test(test_survives_time_that_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/base/chirp.h"

#include "engine/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define STREAM 96000
#define LIMIT  9.6 /* 0.2 ms at 48 kHz. */

struct stream {
    float at[STREAM];
};

static void add_chirp(struct stream *s, double start, float level)
{
    for (uint32_t i = 0; i < tdm_chirp_samples(48000) + 1; i++) {
        uint32_t at = (uint32_t)start + i;

        /* A fractional start by sampling the chirp between its samples at a tenfold rate. */
        double offset = (double)i - (start - floor(start));

        if (offset >= 0)
            s->at[at] += level * tdm_chirp_sample((uint32_t)(offset * 10 + 0.5), 480000);
    }
}

static void add_noise(struct stream *s, float level, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);

    for (int i = 0; i < STREAM; i++)
        s->at[i] += level * (float)(2 * tdm_rng_unit(&rng) - 1);
}

/* Runs the detector over the stream; returns how many chirps, their places in `found`. */
static int detect(const struct stream *s, double *found, int max)
{
    struct tdm_chirp_detector d;
    int count = 0;
    double arrival;

    tdm_chirp_detector_init(&d);
    for (int i = 0; i < STREAM; i++)
        if (tdm_chirp_detector_push(&d, s->at[i], &arrival) && count < max)
            found[count++] = arrival;
    return count;
}

static struct stream stream;

static void finds_it_exactly(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        double start = 30000 + i * 13.3;
        double found[4];

        memset(&stream, 0, sizeof stream);
        add_chirp(&stream, start, 8000);
        assert_int_equal(detect(&stream, found, 4), 1);
        assert_true(fabs(found[0] - start) < 1.0);
    }
}

static void finds_it_in_noise_and_tone(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        double start = 30000 + i * 17.7;
        double found[4];

        memset(&stream, 0, sizeof stream);
        add_chirp(&stream, start, 4000);
        add_noise(&stream, 4000, (uint64_t)i);
        for (int n = 0; n < STREAM; n++)
            stream.at[n] += 1500.0f * (float)sin(n * 2 * 3.14159265 * 440 / 48000);
        assert_int_equal(detect(&stream, found, 4), 1);
        assert_true(fabs(found[0] - start) < LIMIT);
    }
}

static void finds_each_of_several_at_any_level(void **state)
{
    (void)state;
    const float levels[] = {100, 1000, 30000};
    double found[8];

    memset(&stream, 0, sizeof stream);
    for (int i = 0; i < 3; i++)
        add_chirp(&stream, 10000 + 24000 * i, levels[i]);
    assert_int_equal(detect(&stream, found, 8), 3);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(found[i] - (10000 + 24000 * i)) < LIMIT);
}

static void finds_nothing_in_other_sounds(void **state)
{
    (void)state;
    double found[4];

    memset(&stream, 0, sizeof stream);
    assert_int_equal(detect(&stream, found, 4), 0);
    for (uint64_t seed = 0; seed < 4; seed++) {
        memset(&stream, 0, sizeof stream);
        add_noise(&stream, 20000, seed);
        assert_int_equal(detect(&stream, found, 4), 0);
    }
    /* A falling sweep, a buzz and clicks: chirp-like, but not it. */
    for (int n = 0; n < STREAM; n++)
        stream.at[n] = 9000.0f * (float)sin(n * 2 * 3.14159265 * (3200 - n % 4800 / 4.0) / 48000);
    assert_int_equal(detect(&stream, found, 4), 0);
    for (int n = 0; n < STREAM; n++)
        stream.at[n] = n % 400 < 8 ? 20000 : 0;
    assert_int_equal(detect(&stream, found, 4), 0);
}

/* Like G.711: 8 kHz (averaging and holding six samples), mu-law-like coarse steps. */
static void finds_it_at_8_khz(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        double start = 30000 + i * 7.1;
        double found[4];

        memset(&stream, 0, sizeof stream);
        add_chirp(&stream, start, 8000);
        for (int n = 0; n + 6 <= STREAM; n += 6) {
            float sum = 0;

            for (int k = 0; k < 6; k++)
                sum += stream.at[n + k] / 6;
            float step = fmaxf(8, exp2f(floorf(log2f(fabsf(sum) + 1)) - 4));

            for (int k = 0; k < 6; k++)
                stream.at[n + k] = roundf(sum / step) * step;
        }
        assert_int_equal(detect(&stream, found, 4), 1);
        assert_true(fabs(found[0] - start) < LIMIT);
    }
}

/* A codec's phase response: a cascade of all-pass sections delays but must not split the peak. */
static void survives_phase_distortion(void **state)
{
    (void)state;
    double found[4];
    float in = 0, out = 0;

    memset(&stream, 0, sizeof stream);
    add_chirp(&stream, 40000, 8000);
    for (int n = 0; n < STREAM; n++) {
        float x = stream.at[n];
        float y = -0.8f * x + in + 0.8f * out;

        in = x;
        out = y;
        stream.at[n] = y;
    }
    assert_int_equal(detect(&stream, found, 4), 1);
    assert_true(fabs(found[0] - 40000) < LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_it_exactly),
        cmocka_unit_test(finds_it_in_noise_and_tone),
        cmocka_unit_test(finds_each_of_several_at_any_level),
        cmocka_unit_test(finds_nothing_in_other_sounds),
        cmocka_unit_test(finds_it_at_8_khz),
        cmocka_unit_test(survives_phase_distortion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

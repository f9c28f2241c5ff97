/* SPDX-License-Identifier: MIT */
#include "engine/core/resample.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#define LINE 60000

static double tone(double hz, double at, double amplitude)
{
    return amplitude * sin(6.283185307179586 * hz * at / 48000.0);
}

/* Signal to noise against the tone at the exact fractional positions. */
static double snr_db(double hz, double ratio, uint32_t pull)
{
    struct tdm_resample r;
    int16_t *line = calloc(LINE, sizeof *line), out[2048];
    double signal = 0, noise = 0;
    uint32_t read = 64;
    uint64_t made = 0;

    assert_non_null(line);
    for (int i = 0; i < LINE; i++)
        line[i] = (int16_t)lrint(tone(hz, i, 20000));
    tdm_resample_init(&r);
    while (read + pull + 100 < LINE) {
        uint32_t span = tdm_resample_span(&r, pull, ratio);

        assert_int_equal(tdm_resample_run(&r, line + read, out, pull, ratio, 1), span);
        for (uint32_t i = 0; i < pull; i++) {
            double want = tone(hz, 64 + (double)(made + i) * ratio, 20000);

            signal += want * want;
            noise += (out[i] - want) * (out[i] - want);
        }
        made += pull;
        read += span;
    }
    free(line);
    return 10 * log10(signal / noise);
}

static void test_tones_stay_pure(void **state)
{
    static const double tones[] = {200, 1000, 4000, 8000, 12000};
    static const double ratios[] = {1.0003, 1.00002, 0.9997};

    (void)state;
    for (size_t t = 0; t < sizeof tones / sizeof tones[0]; t++)
        for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++)
            assert_true(snr_db(tones[t], ratios[i], 480) > 60);
    assert_true(snr_db(1000, 1.0003, 127) > 75);
}

static void test_one_to_one_is_a_copy(void **state)
{
    struct tdm_resample r;
    int16_t line[1024], out[512];

    (void)state;
    for (int i = 0; i < 1024; i++)
        line[i] = (int16_t)(i * 7919);
    tdm_resample_init(&r);
    assert_int_equal(tdm_resample_run(&r, line + 16, out, 512, 1, 1), 512);
    assert_memory_equal(out, line + 16, sizeof out);
}

/* A slow start keeps what it reads: the position never jumps when the ratio changes. */
static void test_position_adds_up(void **state)
{
    struct tdm_resample r;
    double exact = 0;
    uint64_t moved = 0;

    (void)state;
    tdm_resample_init(&r);
    for (int i = 0; i < 100000; i++) {
        double ratio = 1 + (i % 600 - 300) * 1e-6;
        uint32_t count = 64 + (uint32_t)i % 512;

        moved += tdm_resample_run(&r, NULL, NULL, count, ratio, 1);
        exact += count * ratio;
        assert_true(r.fraction >= 0 && r.fraction < 1);
    }
    assert_true(fabs(exact - ((double)moved + r.fraction)) < 1e-3);
}

static void test_channels_keep_apart(void **state)
{
    struct tdm_resample r;
    int16_t line[2048] = {0}, out[1024];

    (void)state;
    for (int i = 0; i < 1024; i++)
        line[2 * i] = 12000;
    tdm_resample_init(&r);
    (void)tdm_resample_run(&r, line + 64, out, 512, 1.0003, 2);
    for (int i = 0; i < 512; i++) {
        assert_in_range(out[2 * i], 11999, 12001);
        assert_int_equal(out[2 * i + 1], 0);
    }
}

/* To the bit, so that a call sounds the same on every processor; the first is plain C. */
static void test_variants_agree(void **state)
{
    static int16_t line[512 * 3];
    struct tdm_resample r;
    struct tdm_rng rng = tdm_rng_of(3);

    (void)state;
    assert_int_equal(tdm_resample_variants[0].needs, 0);
    tdm_resample_init(&r);
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        line[i] = (int16_t)(i % 97 < 40 ? (int)tdm_rng_below(&rng, 65536) - 32768
                                        : (tdm_rng_chance(&rng, 0.5) ? 32767 : -32768));
    for (int i = 0; i < 20000; i++) {
        uint32_t channels = 1 + tdm_rng_below(&rng, 3);
        const int16_t *at = line + (size_t)channels * (8 + tdm_rng_below(&rng, 480));
        double fraction = i < 3 ? 0.5 * i - (i == 2 ? 1e-12 : 0) : tdm_rng_unit(&rng);
        int16_t want[3];

        tdm_resample_variants[0].interpolate(&r, at, fraction, want, channels);
        for (size_t v = 1; v < tdm_resample_variant_count; v++) {
            int16_t got[4] = {9, 9, 9, 9};

            tdm_resample_variants[v].interpolate(&r, at, fraction, got, channels);
            assert_memory_equal(got, want, channels * sizeof *want);
            assert_int_equal(got[channels], 9);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tones_stay_pure),  cmocka_unit_test(test_one_to_one_is_a_copy),
        cmocka_unit_test(test_position_adds_up), cmocka_unit_test(test_channels_keep_apart),
        cmocka_unit_test(test_variants_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

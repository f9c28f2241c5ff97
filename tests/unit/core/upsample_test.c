/* SPDX-License-Identifier: MIT */
#include "engine/core/upsample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define IN 1600

static void tone(int16_t *out, double hz, double sample_hz, int count, double from)
{
    for (int i = 0; i < count; i++)
        out[i] = (int16_t)lrint(10000 * sin(2 * PI * hz * (i - from) / sample_hz));
}

/* A tone comes out as the same tone at the higher rate, eight input samples later. */
static void test_tones(void **state)
{
    static const uint32_t factors[] = {1, 2, 3, 6};
    static const double freqs[] = {100, 1000, 2500, 3200};
    static int16_t in[IN];
    static int16_t out[IN * 6];
    static int16_t ideal[IN * 6];

    (void)state;
    for (int f = 0; f < 4; f++)
        for (int k = 0; k < 4; k++) {
            struct tdm_upsample u;
            int factor = (int)factors[f];
            double signal = 0;
            double noise = 0;

            tdm_upsample_init(&u, 8000, 8000 * factors[f], 1);
            tone(in, freqs[k], 8000, IN, 0);
            assert_int_equal(tdm_upsample_run(&u, in, IN, out), IN * factor);
            tone(ideal, freqs[k], 8000.0 * factor, IN * factor, TDM_UPSAMPLE_TAPS / 2.0 * factor);
            for (int i = 100 * factor; i < IN * factor; i++) {
                signal += (double)ideal[i] * ideal[i];
                noise += (double)(out[i] - ideal[i]) * (out[i] - ideal[i]);
            }
            double snr_db = 10 * log10(signal / noise);

            if (snr_db < (freqs[k] > 3000 ? 14 : 30))
                fail_msg("x%d at %.0f Hz: %.1f dB", factor, freqs[k], snr_db);
        }
}

/* The state goes on from block to block: any cutting gives the same samples. */
static void test_blocks(void **state)
{
    static int16_t in[IN];
    static int16_t whole[IN * 6];
    static int16_t cut[IN * 6];
    struct tdm_upsample a;
    struct tdm_upsample b;

    (void)state;
    tone(in, 440, 8000, IN, 0);
    tdm_upsample_init(&a, 8000, 48000, 1);
    tdm_upsample_init(&b, 8000, 48000, 1);
    (void)tdm_upsample_run(&a, in, IN, whole);
    for (uint32_t at = 0, size = 1; at < IN; at += size, size = size % 160 + 7) {
        if (size > IN - at)
            size = IN - at;
        (void)tdm_upsample_run(&b, in + at, size, cut + at * 6);
    }
    assert_memory_equal(whole, cut, sizeof whole);
}

/* 44.1 to 48 kHz, in blocks of 5 ms that are no whole number of samples at either rate, with
 * another tone on each channel. */
static void test_fractions_in_stereo(void **state)
{
    static const double freqs[2] = {1000, 9000};
    static int16_t mono[2][44100];
    static int16_t in[2 * 44100];
    static int16_t out[2 * 48000];
    static int16_t ideal[48000];
    struct tdm_upsample u;
    uint32_t made = 0;

    (void)state;
    for (int c = 0; c < 2; c++) {
        tone(mono[c], freqs[c], 44100, 44100, 0);
        for (int i = 0; i < 44100; i++)
            in[2 * i + c] = mono[c][i];
    }
    tdm_upsample_init(&u, 44100, 48000, 2);
    for (int at = 0; at < 44100; at += 220) {
        uint32_t size = at + 220 <= 44100 ? 220 : (uint32_t)(44100 - at);

        made += tdm_upsample_run(&u, in + (size_t)2 * (size_t)at, size, out + (size_t)2 * made);
    }
    assert_int_equal(made, 48000);
    for (int c = 0; c < 2; c++) {
        double signal = 0, noise = 0;

        tone(ideal, freqs[c], 48000, 48000, TDM_UPSAMPLE_TAPS / 2.0 * 48000 / 44100);
        for (int i = 100; i < 48000; i++) {
            signal += (double)ideal[i] * ideal[i];
            noise += (double)(out[2 * i + c] - ideal[i]) * (out[2 * i + c] - ideal[i]);
        }
        double snr_db = 10 * log10(signal / noise);

        if (snr_db < 40)
            fail_msg("channel %d: %.1f dB", c, snr_db);
    }
}

static void test_levels(void **state)
{
    static int16_t in[200];
    static int16_t out[1200];
    struct tdm_upsample u;

    (void)state;
    tdm_upsample_init(&u, 8000, 48000, 1);
    for (int i = 0; i < 200; i++)
        in[i] = 12345;
    (void)tdm_upsample_run(&u, in, 200, out);
    for (int i = 200; i < 1200; i++)
        assert_in_range(out[i], 12344, 12346);
    /* The steepest input there is clips and does not wrap. */
    for (int i = 0; i < 200; i++)
        in[i] = i / 8 % 2 ? 32767 : -32768;
    (void)tdm_upsample_run(&u, in, 200, out);
    for (int i = 7; i < 1200; i++)
        assert_true(abs(out[i] - out[i - 1]) < 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tones),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_fractions_in_stereo),
        cmocka_unit_test(test_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

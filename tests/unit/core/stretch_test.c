/* SPDX-License-Identifier: MIT */
#include "engine/core/stretch.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000
#define LINE (4 * RATE)

static void fill_tone(int16_t *line, double hz, uint32_t channels)
{
    for (uint32_t i = 0; i < LINE; i++)
        for (uint32_t c = 0; c < channels; c++)
            line[i * channels + c] = (int16_t)lrint(10000 * sin(6.283185307179586 * hz * i / RATE));
}

/* Plays the line with a splice every 40 ms; returns the samples played. */
static uint32_t play(int16_t *line, int16_t *out, bool grow, uint32_t channels, uint32_t *splices)
{
    struct tdm_stretch s = tdm_stretch_of(RATE);
    uint32_t read = 1024, made = 0, block = RATE / 25;

    *splices = 0;
    while (read + block + 2 * s.lag_max < LINE && made + block < LINE) {
        int16_t *at = line + (size_t)read * channels;
        uint32_t lag = grow ? tdm_stretch_grow(&s, at, read, LINE - read, channels, 0.85f)
                            : tdm_stretch_shrink(&s, at, LINE - read, channels, 0.85f);

        assert_true(!lag || (lag >= s.lag_min && lag <= s.lag_max));
        *splices += lag > 0;
        read = grow ? read - lag : read + lag;
        memcpy(out + (size_t)made * channels, line + (size_t)read * channels,
               (size_t)block * channels * sizeof *out);
        read += block;
        made += block;
    }
    return made;
}

/* Rising zero crossings a second. */
static double pitch_of(const int16_t *pcm, uint32_t count)
{
    uint32_t crossings = 0, first = 0, last = 0;

    for (uint32_t i = 1; i < count; i++)
        if (pcm[i - 1] < 0 && pcm[i] >= 0) {
            first = crossings++ ? first : i;
            last = i;
        }
    return crossings > 1 ? (crossings - 1) * (double)RATE / (last - first) : 0;
}

static void test_sine_keeps_pitch_and_shape(void **state)
{
    static const double tones[] = {110, 220, 440, 1000, 3000};
    int16_t *line = calloc(LINE, sizeof *line), *out = calloc(LINE, sizeof *out);

    (void)state;
    assert_true(line && out);
    for (size_t t = 0; t < sizeof tones / sizeof tones[0]; t++)
        for (int grow = 0; grow < 2; grow++) {
            uint32_t splices;
            double w = 6.283185307179586 * tones[t] / RATE, bound = 10000 * w * w;

            fill_tone(line, tones[t], 1);
            uint32_t made = play(line, out, grow, 1, &splices);
            assert_true(splices > 20);
            assert_true(fabs(pitch_of(out, made) / tones[t] - 1) < 0.002);
            for (uint32_t i = 2; i < made; i++) { /* A click is a second difference. */
                double bend = out[i] - 2.0 * out[i - 1] + out[i - 2];

                assert_true(fabs(bend) < 1.5 * bound + 40);
            }
        }
    free(line);
    free(out);
}

static void test_noise_is_left_alone(void **state)
{
    struct tdm_rng rng = tdm_rng_of(1);
    int16_t *line = calloc(LINE, sizeof *line), *out = calloc(LINE, sizeof *out);
    uint32_t splices;

    (void)state;
    assert_true(line && out);
    for (uint32_t i = 0; i < LINE; i++)
        line[i] = (int16_t)tdm_rng_u32(&rng);
    (void)play(line, out, false, 1, &splices);
    assert_int_equal(splices, 0);
    free(line);
    free(out);
}

/* Silence is free: the longest lag, and it stays silent. */
static void test_silence_moves_at_once(void **state)
{
    struct tdm_stretch s = tdm_stretch_of(RATE);
    int16_t line[4096] = {0};

    (void)state;
    assert_int_equal(tdm_stretch_shrink(&s, line + 1024, 2048, 1, 0.85f), s.lag_max);
    assert_int_equal(tdm_stretch_grow(&s, line + 1024, 1024, 2048, 1, 0.85f), s.lag_max);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(line[i], 0);
}

static void test_stereo_moves_together(void **state)
{
    int16_t *line = calloc(2 * LINE, sizeof *line), *out = calloc(2 * LINE, sizeof *out);
    uint32_t splices;

    (void)state;
    assert_true(line && out);
    fill_tone(line, 300, 2);
    uint32_t made = play(line, out, true, 2, &splices);
    assert_true(splices > 20);
    for (uint32_t i = 0; i < made; i++)
        assert_int_equal(out[2 * i], out[2 * i + 1]);
    free(line);
    free(out);
}

/* Strokes: samples over `limit` with none in the 5 ms before. */
static uint32_t strokes(const int16_t *pcm, uint32_t count, int limit)
{
    uint32_t found = 0, since = RATE;

    for (uint32_t i = 0; i < count; i++, since++)
        if (abs(pcm[i]) > limit) {
            found += since > RATE / 200;
            since = 0;
        }
    return found;
}

/* Over a tone, something strikes every 37 ms: a stroke is neither doubled nor swallowed, and
 * between them there is still room. */
static void test_strokes_are_kept(void **state)
{
    int16_t *line = calloc(LINE, sizeof *line), *out = calloc(LINE, sizeof *out);
    const uint32_t every = RATE * 37 / 1000;

    (void)state;
    assert_true(line && out);
    for (int grow = 0; grow < 2; grow++) {
        uint32_t splices;

        fill_tone(line, 110, 1);
        for (uint32_t at = every; at + 200 < LINE; at += every)
            for (uint32_t i = 0; i < 48; i++) /* 1 ms, fading. */
                line[at + i] =
                    (int16_t)(line[at + i] / 3 + (i & 4 ? 28000 : -28000) * (48 - (int)i) / 48);
        uint32_t made = play(line, out, grow, 1, &splices);
        double count = strokes(out, made, 16000);
        /* A splice takes or gives a period: so much of the line was played. */
        double played = (double)made + (grow ? -1.0 : 1.0) * splices * RATE / 110.0;

        printf("%s: %.0f strokes of %.1f, %u splices\n", grow ? "grow" : "shrink", count,
               played / every, splices);
        assert_true(splices > 10);
        assert_true(fabs(count - played / every) < 1.5);
    }
    free(line);
    free(out);
}

/* Too little to look at: leaves it alone rather than reading beyond. */
static void test_bounds(void **state)
{
    struct tdm_stretch s = tdm_stretch_of(RATE);
    int16_t *exact = calloc(s.lag_max + s.window, sizeof *exact);

    (void)state;
    assert_non_null(exact);
    assert_int_equal(tdm_stretch_shrink(&s, exact, s.lag_max + s.window - 1, 1, 0), 0);
    assert_int_equal(tdm_stretch_shrink(&s, exact, s.lag_max + s.window, 1, 0), s.lag_max);
    assert_int_equal(tdm_stretch_grow(&s, exact + s.lag_max, s.lag_max - 1, s.window, 1, 0), 0);
    assert_int_equal(tdm_stretch_grow(&s, exact + s.lag_max, s.lag_max, s.window - 1, 1, 0), 0);
    assert_int_equal(tdm_stretch_grow(&s, exact + s.lag_max, s.lag_max, s.window, 1, 0), s.lag_max);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sine_keeps_pitch_and_shape),
        cmocka_unit_test(test_noise_is_left_alone),
        cmocka_unit_test(test_silence_moves_at_once),
        cmocka_unit_test(test_stereo_moves_together),
        cmocka_unit_test(test_strokes_are_kept),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

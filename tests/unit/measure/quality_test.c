/* SPDX-License-Identifier: MIT */
#include "engine/base/rng.h"
#include "measure/quality.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_near(a, b, epsilon) assert_true(fabs((a) - (b)) <= (epsilon))

#define WIDTH  166 /* Not a multiple of 4 in either plane. */
#define HEIGHT 94
#define FRAMES 3

static uint8_t storage[2][WIDTH * HEIGHT * 3 / 2];

static void make(struct tdm_picture *a, struct tdm_picture *b)
{
    tdm_picture_over(a, storage[0], WIDTH, HEIGHT);
    tdm_picture_over(b, storage[1], WIDTH, HEIGHT);
}

static void test_equal(void **state)
{
    struct tdm_quality quality = {0};
    struct tdm_picture a, b;

    (void)state;
    make(&a, &b);
    tdm_picture_fill(&a, 100, 110, 120);
    tdm_picture_fill(&b, 100, 110, 120);
    tdm_quality_add(&quality, &a, &b);
    assert_near(tdm_quality_psnr_db(&quality, TDM_QUALITY_ALL), TDM_QUALITY_DB_MAX, 0);
    assert_near(tdm_quality_ssim(&quality, TDM_QUALITY_ALL), 1, 1e-12);
}

/* Flat pictures that differ by 10 in the luma: MSE 100; SSIM has its first factor only. */
static void test_by_hand(void **state)
{
    struct tdm_quality quality = {0};
    struct tdm_picture a, b;
    double c1 = 0.01 * 0.01 * 255 * 255;

    (void)state;
    make(&a, &b);
    tdm_picture_fill(&a, 100, 128, 128);
    tdm_picture_fill(&b, 110, 128, 128);
    tdm_quality_add(&quality, &a, &b);
    assert_near(tdm_quality_psnr_db(&quality, 0), 10 * log10(255.0 * 255 / 100), 1e-9);
    assert_near(tdm_quality_psnr_db(&quality, TDM_QUALITY_ALL),
                10 * log10(255.0 * 255 / (100 * 2.0 / 3)), 1e-9);
    /* The usual constants, in sums of 64 samples: c1 is taken 64 times where 64^2 belong. */
    assert_near(tdm_quality_ssim(&quality, 0),
                (2 * 100 * 110 + c1 / 64) / (100 * 100 + 110 * 110 + c1 / 64), 1e-9);
    assert_near(tdm_quality_ssim(&quality, 1), 1, 1e-12);
}

static void write_y4m(FILE *file, const struct tdm_picture *pic)
{
    assert_true(fprintf(file, "FRAME\n") > 0);
    assert_int_equal(fwrite(pic->planes[0], 1, sizeof storage[0], file), sizeof storage[0]);
}

/* What FFmpeg's filter says after `key`. */
static double asked(const char *filter, const char *key, const char *a, const char *b)
{
    char command[512], line[512];
    double value = -1;

    (void)snprintf(command, sizeof command,
                   "ffmpeg -nostdin -hide_banner -i %s -i %s -lavfi %s -f null - 2>&1", b, a,
                   filter);
    FILE *pipe = popen(command, "r");

    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        const char *at = strstr(line, "Parsed_") ? strstr(line, key) : NULL;

        if (at)
            value = strtod(at + strlen(key), NULL);
    }
    (void)pclose(pipe);
    return value;
}

static void test_as_ffmpeg(void **state)
{
    char names[2][32] = {"quality_a_XXXXXX", "quality_b_XXXXXX"};
    struct tdm_quality quality = {0};
    struct tdm_rng rng = tdm_rng_of(4);
    struct tdm_picture a, b;
    FILE *files[2];

    (void)state;
    if (system("ffmpeg -version >/dev/null 2>&1") != 0)
        skip();
    make(&a, &b);
    for (int i = 0; i < 2; i++) {
        files[i] = fdopen(mkstemp(names[i]), "wb");
        assert_non_null(files[i]);
        assert_true(fprintf(files[i], "YUV4MPEG2 W%d H%d F30:1 Ip A1:1 C420jpeg\n", WIDTH, HEIGHT) >
                    0);
    }
    for (int frame = 0; frame < FRAMES; frame++) {
        for (size_t i = 0; i < sizeof storage[0]; i++) {
            storage[0][i] = (uint8_t)(60 + (i * i >> 6) % 120 + tdm_rng_below(&rng, 20));
            storage[1][i] = (uint8_t)(storage[0][i] + tdm_rng_below(&rng, 5U << frame));
        }
        tdm_quality_add(&quality, &a, &b);
        write_y4m(files[0], &a);
        write_y4m(files[1], &b);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(fclose(files[i]), 0);
    static const char *const psnr[] = {" y:", " u:", " v:", " average:"};
    static const char *const ssim[] = {" Y:", " U:", " V:", " All:"};

    for (int plane = 0; plane < 4; plane++) {
        assert_near(tdm_quality_psnr_db(&quality, plane),
                    asked("psnr", psnr[plane], names[0], names[1]), 0.01);
        assert_near(tdm_quality_ssim(&quality, plane),
                    asked("ssim", ssim[plane], names[0], names[1]), 0.0005);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(unlink(names[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_as_ffmpeg),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* measure: PSNR and SSIM of a picture, which every coded frame of `tandem bench codec` costs. */
#include "bench/micro/micro.h"
#include "measure/quality.h"

#include <math.h>
#include <string.h>

struct planes {
    struct tdm_plane_pair pair;
};

/* A decoded plane is like its source, but for some noise, and here and there not at all. */
static bool make(struct micro_case *c)
{
    struct planes *p = c->state = micro_take(c, sizeof *p, 0);
    int width = (int)micro_between(c, 8, 1280), height = (int)micro_between(c, 8, 720);

    if (!c->timed) {
        width = width / 8 + 8;
        height = height / 8 + 8;
    }
    int stride_a = width + (c->timed ? 0 : (int)micro_between(c, 0, 40));
    int stride_b = width + (c->timed ? 0 : (int)micro_between(c, 0, 40));
    uint8_t *a = micro_bytes(c, (size_t)stride_a * (size_t)(height - 1) + (size_t)width);
    uint8_t *b = micro_bytes(c, (size_t)stride_b * (size_t)(height - 1) + (size_t)width);
    uint32_t kind = c->timed ? 0 : micro_between(c, 0, 3);

    for (int y = 0; y < height && kind != 3; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *at = a + (ptrdiff_t)y * stride_a + x;
            int noise = (int)tdm_rng_below(&c->rng, 9) - 4;

            /* Also what strains sums most: all dark against all light. */
            *at = kind == 2 ? 0 : (uint8_t)(128 + 100 * sin(0.03 * x) * cos(0.02 * y));
            b[(ptrdiff_t)y * stride_b + x] = kind == 2 ? 255 : (uint8_t)(*at + noise);
        }
    p->pair = (struct tdm_plane_pair){a, b, stride_a, stride_b, width, height};
    c->bytes = 2.0 * width * height;
    c->out_size = sizeof(double);
    c->out = micro_take(c, c->out_size, 0);
    return true;
}

static bool variant_of(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "measure" : "plain", true};
    return at < 2;
}

static void error_run(struct micro_case *c, size_t variant)
{
    const struct tdm_plane_pair *pair = &((const struct planes *)c->state)->pair;
    double sum = 0;

    if (variant)
        sum = (double)tdm_plane_square_error(pair);
    for (int y = 0; y < pair->height && !variant; y++)
        for (int x = 0; x < pair->width; x++) {
            double difference = pair->a[(ptrdiff_t)y * pair->a_stride + x] -
                                pair->b[(ptrdiff_t)y * pair->b_stride + x];

            sum += difference * difference;
        }
    memcpy(c->out, &sum, sizeof sum);
}

/* The formula of the paper with the sample variances, for one window. Its first constant is a 64th
 * of the paper's, as in FFmpeg's filter, with which the figures must agree. */
static double window_at(const struct tdm_plane_pair *pair, int left, int top)
{
    const double c1 = 0.01 * 255 * 0.01 * 255 / 64, c2 = 0.03 * 255 * 0.03 * 255;
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;

    for (int i = 0; i < 64; i++) {
        double p = pair->a[(ptrdiff_t)(top + (i >> 3)) * pair->a_stride + left + (i & 7)];
        double q = pair->b[(ptrdiff_t)(top + (i >> 3)) * pair->b_stride + left + (i & 7)];

        a += p / 64;
        b += q / 64;
        aa += p * p;
        bb += q * q;
        ab += p * q;
    }
    double var_a = (aa - 64 * a * a) / 63, var_b = (bb - 64 * b * b) / 63;
    double covariance = (ab - 64 * a * b) / 63;

    return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (var_a + var_b + c2));
}

static void ssim_run(struct micro_case *c, size_t variant)
{
    const struct tdm_plane_pair *pair = &((const struct planes *)c->state)->pair;
    double sum = 0;
    int count = 0;

    if (variant) {
        sum = tdm_plane_ssim(pair);
    } else {
        for (int y = 0; y + 8 <= pair->height; y += 4)
            for (int x = 0; x + 8 <= pair->width; x += 4, count++)
                sum += window_at(pair, x, y);
        sum /= count;
    }
    memcpy(c->out, &sum, sizeof sum);
}

static bool right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    double got, want;

    (void)variant;
    memcpy(&got, c->out, sizeof got);
    memcpy(&want, reference, sizeof want);
    return fabs(got - want) <= 1e-7 * fmax(1, fabs(want));
}

static const struct micro_routine rows[] = {
    {.name = "quality.error",
     .shape = "one plane of 1280x720",
     .variant = variant_of,
     .make = make,
     .run = error_run,
     .right = right},
    {.name = "quality.ssim",
     .shape = "one plane of 1280x720",
     .variant = variant_of,
     .make = make,
     .run = ssim_run,
     .right = right},
};
const struct micro_list micro_quality = {rows, sizeof rows / sizeof *rows};

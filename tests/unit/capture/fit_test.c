/* SPDX-License-Identifier: MIT */
#include "capture/fit.h"

#include "engine/base/bgrx.h"
#include "engine/base/full_range.h"
#include "engine/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A screen and the picture that it should go into. */
struct shape {
    int width, height, to_width, to_height;
    enum tdm_fit_way way;
    int left, top; /* Of black. */
};

static const struct shape shapes[] = {
    {128, 96, 128, 96, TDM_FIT_CONVERT, 0, 0},
    {98, 62, 98, 62, TDM_FIT_CONVERT, 0, 0},
    {128, 96, 192, 96, TDM_FIT_CONVERT, 32, 0}, /* No scaling, only bars. */
    {128, 96, 128, 120, TDM_FIT_CONVERT, 0, 12},
    {256, 192, 128, 96, TDM_FIT_CONVERT_FIRST, 0, 0},
    {300, 200, 128, 96, TDM_FIT_CONVERT_FIRST, 0, 4},
    {200, 300, 128, 96, TDM_FIT_CONVERT_FIRST, 32, 0},
    {64, 48, 128, 96, TDM_FIT_BY_LIBRARY, 0, 0}, /* Larger: colours first would blur. */
    {129, 97, 64, 48, TDM_FIT_BY_LIBRARY, 0, 0}, /* Odd. */
    {5000, 16, 64, 48, TDM_FIT_BY_LIBRARY, 0, 22},
};

/* Smooth colours with edges, and junk where nobody should look. */
static uint8_t *screen_of(const struct shape *shape)
{
    uint8_t *pixels = malloc((size_t)shape->width * (size_t)shape->height * 4);
    struct tdm_rng rng = tdm_rng_of(1);

    assert_non_null(pixels);
    for (int y = 0; y < shape->height; y++)
        for (int x = 0; x < shape->width; x++) {
            uint8_t *at = pixels + ((ptrdiff_t)y * shape->width + x) * 4;

            for (int c = 0; c < 3; c++)
                at[c] = (uint8_t)(128 + 60 * sin(0.05 * x + c) + 50 * cos(0.04 * y - c) +
                                  ((x / 40 + y / 40) % 2 ? 10 : -10));
            at[3] = (uint8_t)tdm_rng_u32(&rng);
        }
    return pixels;
}

static struct tdm_picture blank(const struct shape *shape)
{
    size_t bytes = tdm_picture_bytes(shape->to_width, shape->to_height);
    uint8_t *storage = malloc(bytes);
    struct tdm_picture pic;

    assert_non_null(storage);
    memset(storage, 99, bytes);
    tdm_picture_over(&pic, storage, shape->to_width, shape->to_height);
    return pic;
}

static void fit(struct tdm_fit *fit, const struct shape *shape, const uint8_t *pixels,
                enum AVPixelFormat format, struct tdm_picture *pic)
{
    const struct tdm_raw_picture raw = {.data = {pixels},
                                        .strides = {shape->width * 4},
                                        .width = shape->width,
                                        .height = shape->height,
                                        .format = format};

    assert_int_equal(tdm_fit_into(fit, &raw, pic), TDM_OK);
}

static double psnr(const struct tdm_picture *a, const struct tdm_picture *b)
{
    size_t size = tdm_picture_bytes(a->width, a->height);
    double sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += pow(a->planes[0][i] - b->planes[0][i], 2);
    return sum > 0 ? 10 * log10(255.0 * 255.0 * (double)size / sum) : 99;
}

/* BGRA has the same bytes, but the library converts it all the way. */
static void test_a_screen_looks_as_the_library_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *shape = &shapes[i];
        uint8_t *pixels = screen_of(shape);
        struct tdm_picture ours = blank(shape), library = blank(shape);
        struct tdm_fit one = {0}, other = {0};

        assert_true(tdm_fit_open(&one, shape->to_width, shape->to_height));
        assert_true(tdm_fit_open(&other, shape->to_width, shape->to_height));
        fit(&one, shape, pixels, AV_PIX_FMT_BGR0, &ours);
        fit(&other, shape, pixels, AV_PIX_FMT_BGRA, &library);
        assert_int_equal(one.way, shape->way);
        assert_int_equal(other.way, TDM_FIT_BY_LIBRARY);
        assert_int_equal(one.left, shape->left);
        assert_int_equal(one.top, shape->top);
        if (psnr(&ours, &library) < (shape->way == TDM_FIT_BY_LIBRARY ? 99 : 38))
            fail_msg("shape %zu: %.1f dB", i, psnr(&ours, &library));
        tdm_fit_close(&one);
        tdm_fit_close(&other);
        free(pixels);
        free(ours.planes[0]);
        free(library.planes[0]);
    }
}

static void test_nothing_is_scaled_that_fits(void **state)
{
    const struct shape *shape = &shapes[2];
    uint8_t *pixels = screen_of(shape);
    struct tdm_picture got = blank(shape), want = blank(shape), inner;
    struct tdm_fit it = {0};

    (void)state;
    assert_true(tdm_fit_open(&it, shape->to_width, shape->to_height));
    fit(&it, shape, pixels, AV_PIX_FMT_BGR0, &got);
    tdm_picture_fill(&want, 16, 128, 128);
    inner = want;
    inner.width = shape->width;
    for (int plane = 0; plane < 3; plane++)
        inner.planes[plane] += shape->left / (plane ? 2 : 1);
    tdm_bgrx_to_i420(&inner, pixels, (ptrdiff_t)shape->width * 4);
    assert_memory_equal(got.planes[0], want.planes[0],
                        tdm_picture_bytes(shape->to_width, shape->to_height));
    tdm_fit_close(&it);
    free(pixels);
    free(got.planes[0]);
    free(want.planes[0]);
}

static void fit_camera(const struct shape *shape, const struct tdm_full_range *camera,
                       struct tdm_picture *pic)
{
    struct tdm_raw_picture raw = {.width = shape->width,
                                  .height = shape->height,
                                  .format = camera->chroma_rows == 2 ? AV_PIX_FMT_YUV422P
                                                                     : AV_PIX_FMT_YUV420P,
                                  .full_range = true};
    struct tdm_fit it = {0};

    for (int i = 0; i < 3; i++) {
        raw.data[i] = camera->planes[i];
        raw.strides[i] = camera->strides[i];
    }
    assert_true(tdm_fit_open(&it, shape->to_width, shape->to_height));
    assert_int_equal(tdm_fit_into(&it, &raw, pic), TDM_OK);
    assert_int_equal(it.way, shape->way);
    tdm_fit_close(&it);
}

/* A camera's JPEG: as in engine/base where nothing is scaled, else its range is cut once. */
static void test_full_range(void **state)
{
    static const struct shape cameras[] = {{128, 96, 128, 96, TDM_FIT_CONVERT, 0, 0},
                                           {128, 96, 64, 48, TDM_FIT_CONVERT_FIRST, 0, 0},
                                           {64, 48, 128, 96, TDM_FIT_BY_LIBRARY, 0, 0}};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const struct shape *shape = &cameras[i / 2];
        uint8_t *bytes = malloc(128 * 96);
        struct tdm_full_range camera = {
            {bytes, bytes, bytes}, {shape->width, shape->width, shape->width}, 1 + (int)i % 2};
        struct tdm_picture pic = blank(shape), want = blank(shape);

        assert_non_null(bytes);
        memset(bytes, 255, 128 * 96);
        for (int k = 0; shape->way == TDM_FIT_CONVERT && k < 128 * 96; k++)
            bytes[k] = (uint8_t)(k * 7 + k / 128);
        fit_camera(shape, &camera, &pic);
        if (shape->way == TDM_FIT_CONVERT)
            tdm_full_range_limit(&want, &camera);
        else
            tdm_picture_fill(&want, 235, 240, 240);
        assert_memory_equal(pic.planes[0], want.planes[0],
                            tdm_picture_bytes(shape->to_width, shape->to_height));
        free(bytes);
        free(pic.planes[0]);
        free(want.planes[0]);
    }
}

/* A screen whose resolution changes, there and back, and a size that cannot be. */
static void test_shapes_may_change(void **state)
{
    static const size_t order[] = {0, 4, 7, 5, 0, 8, 6, 4};
    const struct shape *target = &shapes[0];
    struct tdm_picture pic = blank(target), fresh = blank(target);
    size_t bytes = tdm_picture_bytes(target->to_width, target->to_height);
    struct tdm_fit it = {0};

    (void)state;
    assert_true(tdm_fit_open(&it, target->to_width, target->to_height));
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct shape shape = shapes[order[i]];
        const struct tdm_raw_picture none = {.format = AV_PIX_FMT_BGR0};
        uint8_t *pixels = screen_of(&shape);
        struct tdm_fit first = {0};

        shape.to_width = target->to_width;
        shape.to_height = target->to_height;
        assert_true(tdm_fit_open(&first, target->to_width, target->to_height));
        if (i == 3)
            assert_int_equal(tdm_fit_into(&it, &none, &pic), TDM_E_UNSUPPORTED);
        fit(&it, &shape, pixels, AV_PIX_FMT_BGR0, &pic);
        fit(&first, &shape, pixels, AV_PIX_FMT_BGR0, &fresh);
        assert_memory_equal(pic.planes[0], fresh.planes[0], bytes);
        tdm_fit_close(&first);
        free(pixels);
    }
    tdm_fit_close(&it);
    free(pic.planes[0]);
    free(fresh.planes[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_screen_looks_as_the_library_has_it),
        cmocka_unit_test(test_nothing_is_scaled_that_fits),
        cmocka_unit_test(test_full_range),
        cmocka_unit_test(test_shapes_may_change),
    };

    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/codecs/video_coder.h"

#include <stdio.h>

#define WIDTH  640
#define HEIGHT 360
#define BUDGET 6250

static struct coder *x264_coder(const struct tdm_video_encoder_config *config)
{
    struct coder *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->skip = -1;
    c->enc_ops = tdm_video_encoder_named("x264");
    c->dec_ops = tdm_video_decoder_find(TDM_CODEC_H264);
    if (!c->enc_ops) { /* A build without libx264. */
        free(c);
        skip();
        return NULL;
    }
    assert_int_equal(c->enc_ops->create(config, &c->enc, NULL), TDM_OK);
    assert_int_equal(c->dec_ops->create(&c->dec, NULL), TDM_OK);
    return c;
}

/* Each preset is another encoder: its pictures differ from those of the one before, and come out
 * at once. The empty one is superfast at this size. */
static void test_presets(void **state)
{
    const struct tdm_video_encoder_ops *ops = tdm_video_encoder_named("x264");
    size_t bytes[8] = {0}, chosen = 0, count = 0;

    (void)state;
    if (!ops) {
        skip();
        return;
    }
    while (ops->presets[count])
        count++;
    assert_in_range(count, 2, 7);
    for (size_t k = 0; k <= count; k++) {
        struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1500000);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        struct tdm_picture out;

        (void)snprintf(config.preset, sizeof config.preset, "%s", k < count ? ops->presets[k] : "");
        struct coder *c = x264_coder(&config);

        for (int i = 0; i < 30; i++) {
            draw_scene(&canvas.pic, i, 0);
            assert_int_equal(coder_encode(c, &canvas.pic, BUDGET, false), TDM_OK);
            assert_int_equal(coder_decode(c, &out), TDM_OK);
            assert_true(i < 15 || picture_psnr(&canvas.pic, &out) > 28);
            bytes[k] += c->payload;
        }
        for (size_t before = 0; k < count && before < k; before++)
            assert_int_not_equal(bytes[k], bytes[before]);
        chosen += k < count && strcmp(ops->presets[k], "superfast") == 0 ? bytes[k] : 0;
        coder_destroy(c);
        free(canvas.storage);
    }
    assert_int_equal(bytes[count], chosen);
}

static void test_refuses_preset(void **state)
{
    const struct tdm_video_encoder_ops *ops = tdm_video_encoder_named("x264");
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1000000);
    struct tdm_video_encoder *enc;
    struct tdm_cause cause = {{0}};

    (void)state;
    if (!ops) {
        skip();
        return;
    }
    (void)snprintf(config.preset, sizeof config.preset, "medium-rare");
    assert_int_equal(ops->create(&config, &enc, &cause), TDM_E_SYSTEM);
    assert_true(cause.text[0] != '\0');
}

/* A third of a page of text: cells of random dots, the last line of which grows by a cell each
 * picture. */
static void draw_page(struct tdm_picture *pic, int cells)
{
    struct tdm_rng rng = tdm_rng_of(3);
    int columns = pic->width / 8 - 4, rows = pic->height / 48;

    tdm_picture_fill(pic, 235, 128, 128);
    for (int cell = 0; cell < columns * (rows - 1) + cells; cell++) {
        int x0 = cell % columns * 8 + 16, y0 = cell / columns * 16 + 8;
        uint64_t dots = tdm_rng_u64(&rng);

        for (int dot = 0; dot < 60; dot++)
            if (dots >> dot & 1)
                pic->planes[0][(y0 + dot / 6) * pic->strides[0] + x0 + dot % 6] = 16;
    }
}

/* Text that stands still becomes sharp within 20 pictures, and no picture has two budgets. */
static void test_screen_sharpens(void **state)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1500000);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;
    double most = 0;

    (void)state;
    config.content = TDM_CONTENT_SCREEN;
    struct coder *c = x264_coder(&config);

    for (int i = 0; i < 40; i++) {
        draw_page(&canvas.pic, i);
        assert_int_equal(coder_encode(c, &canvas.pic, BUDGET, false), TDM_OK);
        assert_int_equal(coder_decode(c, &out), TDM_OK);
        if (i == 20) {
            printf("%.1f dB after 20 pictures\n", picture_psnr(&canvas.pic, &out));
            assert_true(picture_psnr(&canvas.pic, &out) > 40); /* 32 with a buffer of one frame. */
        }
        most = fmax(most, (double)c->payload);
    }
    printf("most %.2f budgets\n", most / BUDGET);
    assert_true(most < 2.0 * BUDGET);
    coder_destroy(c);
    free(canvas.storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_refuses_preset),
        cmocka_unit_test(test_screen_sharpens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The cells of a time code are sharp and change from picture to picture: none may keep what stood
 * there before. libvpx and libaom at constant bit rate skip a block of 64x64 whose parts change by
 * amounts that cancel out, such as two cells that swap.
 */
#include "engine/base/time_code.h"
#include "tests/unit/codecs/video_coder.h"

#include <stdio.h>

#define WIDTH        1280
#define HEIGHT       720
#define FPS          30
#define BUDGET       6250 /* 1.5 Mb/s. */
#define FRAMES       90
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A camera's clock at picture number `frame`, with some jitter. */
static tdm_time code_of(int frame)
{
    return (1700000000 + frame * (tdm_time)(1000000 / FPS) + frame * 7919 % 1000) * TDM_US;
}

static bool says(const struct tdm_picture *pic, tdm_time code)
{
    tdm_time is;

    return tdm_time_code_read(pic, &is) && is == code;
}

static void time_codes_are_readable(enum tdm_codec_id id, const char *preset,
                                    enum tdm_content content)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, BUDGET * 8 * FPS);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    int shown = 0, unreadable = 0;
    struct tdm_picture out;

    (void)snprintf(config.preset, sizeof config.preset, "%s", preset);
    config.content = content;
    struct coder *c = coder_create(id, &config);

    for (int i = 0; i < FRAMES; i++) {
        draw_scene(&canvas.pic, i, 0);
        tdm_time_code_draw(&canvas.pic, code_of(i));
        if (coder_encode(c, &canvas.pic, BUDGET, false) != TDM_OK)
            continue;
        assert_int_equal(coder_decode(c, &out), TDM_OK);
        shown++;
        unreadable += !says(&out, code_of(i));
    }
    printf("codec %d, preset \"%s\", content %d: %d of %d time codes unreadable\n", (int)id, preset,
           (int)content, unreadable, shown);
    assert_true(shown > FRAMES * 9 / 10);
    assert_int_equal(unreadable, 0);
    coder_destroy(c);
    free(canvas.storage);
}

static void test_time_codes_are_readable(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        const char *preset;
        enum tdm_content content;
    } cases[] = {
        {TDM_CODEC_VP8, "", TDM_CONTENT_CAMERA},  {TDM_CODEC_VP9, "", TDM_CONTENT_CAMERA},
        {TDM_CODEC_VP9, "8", TDM_CONTENT_CAMERA}, {TDM_CODEC_VP9, "5", TDM_CONTENT_CAMERA},
        {TDM_CODEC_VP9, "", TDM_CONTENT_SCREEN},  {TDM_CODEC_AV1, "", TDM_CONTENT_CAMERA},
        {TDM_CODEC_AV1, "", TDM_CONTENT_SCREEN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (coder_exists(cases[i].id))
            time_codes_are_readable(cases[i].id, cases[i].preset, cases[i].content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_codes_are_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

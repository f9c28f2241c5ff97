/* SPDX-License-Identifier: MIT */
#include "codecs/openh264_rate.h"
#include "tests/unit/codecs/video_coder.h"

#include <stdio.h>

#define WIDTH  640
#define HEIGHT 360
#define FRAMES 150

static struct coder *openh264_coder(const struct tdm_video_encoder_config *config)
{
    struct coder *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->skip = -1;
    c->enc_ops = tdm_video_encoder_named("openh264");
    c->dec_ops = tdm_video_decoder_find(TDM_CODEC_H264);
    if (!c->enc_ops) { /* A build without libopenh264. */
        free(c);
        skip();
        return NULL;
    }
    assert_int_equal(c->enc_ops->create(config, &c->enc, NULL), TDM_OK);
    assert_int_equal(c->dec_ops->create(&c->dec, NULL), TDM_OK);
    return c;
}

static int nal_type(const struct coder *c, int index)
{
    return c->unit[c->slice_at[index]] & 31;
}

/* The n-th picture in is the n-th out, at once, for each preset and content; only the first is a
 * keyframe. */
static void test_holds_no_frame(void **state)
{
    static const struct {
        const char *preset;
        enum tdm_content content;
        uint32_t slice_bytes_max;
        unsigned threads;
    } cases[] = {
        {"", TDM_CONTENT_CAMERA, 0, 1},       {"low", TDM_CONTENT_CAMERA, 0, 4},
        {"medium", TDM_CONTENT_CAMERA, 0, 1}, {"high", TDM_CONTENT_CAMERA, 0, 1},
        {"", TDM_CONTENT_CAMERA, 1100, 1},    {"", TDM_CONTENT_SCREEN, 0, 1},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1500000);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT), before = canvas_of(WIDTH, HEIGHT);
        struct tdm_picture out;
        double worst = 100;

        (void)snprintf(config.preset, sizeof config.preset, "%s", cases[k].preset);
        config.content = cases[k].content;
        config.slice_bytes_max = cases[k].slice_bytes_max;
        config.threads = cases[k].threads;
        struct coder *c = openh264_coder(&config);

        for (int i = 0; i < 60; i++) {
            draw_scene(&canvas.pic, i, 0);
            assert_int_equal(coder_encode(c, &canvas.pic, 6250, false), TDM_OK);
            assert_int_equal(c->firsts, 1);
            assert_int_equal(c->lasts, 1);
            assert_int_equal(c->keyframe, i == 0);
            assert_int_equal(coder_decode(c, &out), TDM_OK);
            assert_int_equal(out.width, WIDTH);
            assert_int_equal(out.height, HEIGHT);
            double psnr = picture_psnr(&canvas.pic, &out);

            if (i >= 15) {
                assert_true(psnr > picture_psnr(&before.pic, &out) + 2); /* It is this one. */
                worst = psnr < worst ? psnr : worst;
            }
            tdm_picture_copy(&before.pic, &canvas.pic);
        }
        printf("case %zu: worst PSNR %.1f dB\n", k, worst);
        assert_true(worst > 28);
        coder_destroy(c);
        free(before.storage);
        free(canvas.storage);
    }
}

/* Sizes as shares of the budget; it falls to a quarter half way, and with `cut` the scene changes
 * at frame 110. What is over comes back as dropped pictures. */
static void test_keeps_budget(void **state)
{
    static const struct {
        uint32_t slice_bytes_max;
        bool cut;
        double max;
        int over, drops;
    } cases[] = {{0, false, 1.5, 3, 0}, {0, true, 2.5, 5, 3}, {1100, false, 2, 10, 2}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 2000000);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        double max = 0, mean = 0;
        int over = 0, drops = 0;

        config.slice_bytes_max = cases[k].slice_bytes_max;
        struct coder *c = openh264_coder(&config);

        for (int i = 0; i < FRAMES; i++) {
            uint32_t budget = i < FRAMES / 2 ? 8333 : 2083;

            draw_scene(&canvas.pic, i, cases[k].cut && i >= 110);
            enum tdm_err err = coder_encode(c, &canvas.pic, budget, false);
            double share = (double)c->payload / budget;

            assert_true(err == TDM_OK || err == TDM_E_AGAIN);
            drops += err == TDM_E_AGAIN;
            over += share > 1.2;
            mean += share / FRAMES;
            max = share > max ? share : max;
        }
        printf("case %zu: size/budget mean %.2f max %.2f, %d over 1.2, %d dropped\n", k, mean, max,
               over, drops);
        assert_true(max <= cases[k].max);
        assert_true(over <= cases[k].over);
        assert_true(drops <= cases[k].drops);
        assert_true(mean > 0.5);
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* A budget that nothing fits is paid back by dropped pictures; a keyframe asked for meanwhile is
 * owed. */
static void test_pays_back(void **state)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 100000);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct coder *c = openh264_coder(&config);
    const uint32_t budget = 400;
    size_t sent = 0;
    bool owed_came = false;

    (void)state;
    for (int i = 0; i < 90; i++) {
        draw_scene(&canvas.pic, i, 0);
        enum tdm_err err = coder_encode(c, &canvas.pic, budget, i == 1);

        assert_int_equal(err, i == 0 ? TDM_OK : i == 1 ? TDM_E_AGAIN : err);
        if (i > 0 && err == TDM_OK && !owed_came) {
            assert_true(c->keyframe);
            owed_came = true;
        }
        sent += c->payload;
    }
    assert_true(owed_came);
    printf("400 bytes a frame: %.2f of the budget over 90 frames\n", (double)sent / (90 * budget));
    assert_true((double)sent < 1.3 * 90 * budget);
    assert_int_equal(coder_encode(c, &canvas.pic, 0, false), TDM_E_AGAIN);
    coder_destroy(c);
    free(canvas.storage);
}

/* A keyframe comes when it is asked for, begins with its parameter sets, decodes by itself and
 * keeps the budget. */
static void test_keyframe_on_demand(void **state)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 2000000);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct coder *c = openh264_coder(&config);
    struct tdm_video_decoder *late;
    struct tdm_picture out;

    (void)state;
    assert_int_equal(c->dec_ops->create(&late, NULL), TDM_OK);
    for (int i = 0; i < 30; i++) {
        bool key = i == 0 || i == 20 || i == 21;

        draw_scene(&canvas.pic, i, 0);
        assert_int_equal(coder_encode(c, &canvas.pic, 8333, i >= 20 && i <= 21), TDM_OK);
        assert_int_equal(c->keyframe, key);
        assert_int_equal(nal_type(c, 0), key ? 7 : 1);
        if (key) {
            assert_int_equal(nal_type(c, 1), 8);
            assert_int_equal(nal_type(c, 2), 5);
            assert_true((double)c->payload <= 1.2 * 8333);
        }
        if (i < 20)
            continue;
        assert_int_equal(c->dec_ops->decode(late, c->unit, c->size, &out), TDM_OK);
        assert_true(picture_psnr(&canvas.pic, &out) > 26);
    }
    c->dec_ops->destroy(late);
    coder_destroy(c);
    free(canvas.storage);
}

/* ue(v) straight after the NAL header: first_mb_in_slice. */
static unsigned first_macroblock(const uint8_t *nal)
{
    uint32_t bits =
        (uint32_t)nal[1] << 24 | (uint32_t)nal[2] << 16 | (uint32_t)nal[3] << 8 | nal[4];
    int zeros = __builtin_clz(bits | 1);

    return (bits >> (31 - 2 * zeros)) - 1;
}

static void test_slices(void **state)
{
    static const uint32_t limits[] = {0, 600, 1100};

    (void)state;
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        struct tdm_video_encoder_config config = config_of(1280, 720, 9000000);
        struct canvas canvas = canvas_of(1280, 720);

        config.slice_bytes_max = limits[k];
        struct coder *c = openh264_coder(&config);

        for (int i = 0; i < 20; i++) {
            int slices = 0;
            unsigned next = 0;

            draw_scene(&canvas.pic, i, 0);
            enum tdm_err err = coder_encode(c, &canvas.pic, 37500, false);

            assert_true(err == TDM_OK || err == TDM_E_AGAIN);
            for (int s = 0; s < c->slices; s++) {
                int type = nal_type(c, s);

                assert_true(limits[k] == 0 || c->slice_size[s] <= limits[k]);
                assert_true(type == 1 || type == 5 || type == 7 || type == 8);
                if (type > 5)
                    continue;
                unsigned first = first_macroblock(c->unit + c->slice_at[s]);

                assert_true(slices == 0 ? first == 0 : first > next);
                next = first;
                slices++;
            }
            assert_true(limits[k] == 0 ? slices <= 1 : c->payload <= limits[k] || slices > 1);
        }
        coder_destroy(c);
        free(canvas.storage);
    }
}

static void test_profile(void **state)
{
    static const struct {
        const char *fmtp;
        uint8_t profile, constraints, mask;
    } cases[] = {
        {"", 66, 0x40, 0x40},
        {"profile-level-id=42e01f;packetization-mode=1", 66, 0x40, 0x40},
        {"packetization-mode=1; profile-level-id=4D0028", 77, 0, 0},
        {"profile-level-id=64001f", 100, 0, 0},
        {"profile-level-id=bogus", 66, 0x40, 0x40},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_video_encoder_config config = config_of(320, 240, 500000);
        struct canvas canvas = canvas_of(320, 240);
        struct tdm_picture out;

        (void)snprintf(config.fmtp, sizeof config.fmtp, "%s", cases[i].fmtp);
        struct coder *c = openh264_coder(&config);

        for (int n = 0; n < 20; n++) {
            draw_scene(&canvas.pic, n, 0);
            assert_int_equal(coder_encode(c, &canvas.pic, 2000, false), TDM_OK);
            if (n == 0) {
                const uint8_t *sps = c->unit + c->slice_at[0];

                assert_int_equal(sps[0] & 31, 7);
                assert_int_equal(sps[1], cases[i].profile);
                assert_int_equal(sps[2] & cases[i].mask, cases[i].constraints);
            }
            assert_int_equal(coder_decode(c, &out), TDM_OK);
        }
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* Sides that are even but no multiple of a macroblock, the smallest, and a fast stream. */
static void test_odd_sizes(void **state)
{
    static const int sizes[][3] = {{16, 16, 30}, {322, 242, 1}, {1366, 768, 120}};

    (void)state;
    for (size_t s = 0; s < 3; s++) {
        int width = sizes[s][0], height = sizes[s][1];
        struct tdm_video_encoder_config config = config_of(width, height, 2000000);
        struct canvas canvas = canvas_of(width, height);

        config.fps = (uint32_t)sizes[s][2];
        struct coder *c = openh264_coder(&config);
        struct tdm_picture out;

        for (int i = 0; i < 20; i++) {
            draw_scene(&canvas.pic, i, 0);
            assert_int_equal(coder_encode(c, &canvas.pic, 20000, false), TDM_OK);
            assert_int_equal(coder_decode(c, &out), TDM_OK);
            assert_int_equal(out.width, width);
            assert_int_equal(out.height, height);
            assert_true(picture_psnr(&canvas.pic, &out) > 25);
        }
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* What the encoder does not have it refuses. */
static void test_refuses(void **state)
{
    const struct tdm_video_encoder_ops *ops = tdm_video_encoder_named("openh264");
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1000000);
    struct tdm_video_encoder *enc;
    struct tdm_cause cause = {{0}};

    (void)state;
    if (!ops)
        skip();
    (void)snprintf(config.preset, sizeof config.preset, "superfast");
    assert_int_equal(ops->create(&config, &enc, &cause), TDM_E_SYSTEM);
    assert_true(cause.text[0] != '\0');
}

/* The rate's decisions by themselves: who codes the pictures of a stream of given sizes. */
static void test_rate_regimes(void **state)
{
    struct tdm_openh264_rate rate;
    struct tdm_openh264_plan plan;
    int fixed_pictures = 0;

    (void)state;
    tdm_openh264_rate_init(&rate, false, 640 * 360, 32);
    plan = tdm_openh264_rate_plan(&rate, 100, 6000, true);
    assert_true(plan.keyframe && plan.fixed);
    int first = plan.quantiser;

    assert_true(tdm_openh264_rate_again(&rate, &plan, 12000, 6000));
    assert_true(plan.quantiser > first);
    assert_false(tdm_openh264_rate_again(&rate, &plan, 6100, 6000));
    tdm_openh264_rate_note(&rate, &plan, 100, 6100, 0, 6000);
    for (int i = 0; i < 12; i++) { /* Small pictures: the quantiser falls until the library's. */
        int before = rate.quantiser;

        plan = tdm_openh264_rate_plan(&rate, 1, 6000, false);
        if (!plan.fixed)
            break;
        fixed_pictures++;
        assert_true(plan.quantiser < before && plan.quantiser > 32);
        tdm_openh264_rate_note(&rate, &plan, 1, 1000, 0, 6000);
    }
    assert_true(fixed_pictures >= 3);
    assert_false(plan.fixed);
    assert_true(plan.budget_bytes < 6000 && plan.budget_bytes > 4000);
    tdm_openh264_rate_note(&rate, &plan, 1, 5000, 31, 6000);
    /* A picture with nothing of the last one is a cut: at a keyframe's quantiser. */
    plan = tdm_openh264_rate_plan(&rate, 60, 6000, false);
    assert_true(plan.fixed && !plan.keyframe);
    assert_true(plan.quantiser > first);
    /* What it was over by is dropped later. */
    assert_false(tdm_openh264_rate_drops(&rate, 6000));
    tdm_openh264_rate_note(&rate, &plan, 60, 14000, 0, 6000);
    assert_true(tdm_openh264_rate_drops(&rate, 6000));
    assert_false(tdm_openh264_rate_drops(&rate, 6000));
}

/* When the library's quantiser is out of reach it takes over all the same, told less. */
static void test_rate_takes_over(void **state)
{
    struct tdm_openh264_rate rate;
    int fixed_pictures = 0;

    (void)state;
    tdm_openh264_rate_init(&rate, false, 640 * 360, 20);
    for (int i = 0; i < 60; i++) {
        struct tdm_openh264_plan plan = tdm_openh264_rate_plan(&rate, 10, 6000, i == 0);

        if (!plan.fixed) {
            assert_true(plan.budget_bytes < 3000);
            break;
        }
        fixed_pictures++;
        tdm_openh264_rate_note(&rate, &plan, 10, 6000, 0, 6000);
    }
    assert_in_range(fixed_pictures, 15, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_no_frame),     cmocka_unit_test(test_keeps_budget),
        cmocka_unit_test(test_pays_back),          cmocka_unit_test(test_slices),
        cmocka_unit_test(test_keyframe_on_demand), cmocka_unit_test(test_profile),
        cmocka_unit_test(test_odd_sizes),          cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_rate_regimes),       cmocka_unit_test(test_rate_takes_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

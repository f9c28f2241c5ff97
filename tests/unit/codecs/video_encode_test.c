/* SPDX-License-Identifier: MIT */
#include "tests/unit/codecs/video_coder.h"

#include <stdio.h>

#define FRAMES 150
#define WIDTH  640
#define HEIGHT 360

static const enum tdm_codec_id codecs[] = {TDM_CODEC_VP8, TDM_CODEC_VP9, TDM_CODEC_AV1,
                                           TDM_CODEC_H264};
/* Those whose size codecs/quantiser_fit.h keeps. */
static const enum tdm_codec_id fitted[] = {TDM_CODEC_VP8, TDM_CODEC_VP9, TDM_CODEC_AV1};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint8_t *slice_data(const struct coder *c, int index)
{
    return c->unit + c->slice_at[index];
}

static int nal_type(const struct coder *c, int index)
{
    return slice_data(c, index)[0] & 31;
}

/* The n-th picture in is the n-th picture out, at once, and it looks like it. */
static void holds_no_frame(enum tdm_codec_id id, unsigned threads)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1500000);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT), before = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;
    double worst = 100;

    config.threads = threads;
    config.slice_bytes_max = 1100;
    struct coder *c = coder_create(id, &config);

    for (int i = 0; i < 60; i++) {
        draw_scene(&canvas.pic, i, 0);
        assert_int_equal(coder_encode(c, &canvas.pic, 6250, false), TDM_OK);
        assert_int_equal(c->firsts, 1);
        assert_int_equal(c->lasts, 1);
        assert_int_equal(c->keyframe, i == 0); /* No periodic keyframes. */
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
    printf("codec %d, %u threads: worst PSNR %.1f dB\n", (int)id, threads, worst);
    assert_true(worst > 30);
    coder_destroy(c);
    free(before.storage);
    free(canvas.storage);
}

static void test_holds_no_frame(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(codecs); k++)
        for (unsigned threads = 1; coder_exists(codecs[k]) && threads <= 3; threads++)
            holds_no_frame(codecs[k], threads);
}

struct shares {
    double max, mean;
    int over, drops;
};

/* Sizes as shares of the budget over FRAMES pictures; the budget falls to a quarter half way and
 * the scene changes at frame 110. */
static struct shares measure_shares(enum tdm_codec_id id, uint32_t slice_bytes_max,
                                    unsigned threads, bool cut)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 2000000);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct shares shares = {0};

    config.slice_bytes_max = slice_bytes_max;
    config.threads = threads;
    struct coder *c = coder_create(id, &config);

    for (int i = 0; i < FRAMES; i++) {
        uint32_t budget = i < FRAMES / 2 ? 8333 : 2083;

        draw_scene(&canvas.pic, i, cut && i >= 110);
        enum tdm_err err = coder_encode(c, &canvas.pic, budget, false);

        assert_true(err == TDM_OK || err == TDM_E_AGAIN);
        double share = (double)c->payload / budget;

        shares.drops += err == TDM_E_AGAIN;
        shares.over += share > 1.2;
        shares.mean += share / FRAMES;
        shares.max = share > shares.max ? share : shares.max;
    }
    printf("codec %d, slices %u, threads %u, cut %d: size/budget mean %.2f max %.2f, %d over 1.2, "
           "%d dropped\n",
           (int)id, slice_bytes_max, threads, cut, shares.mean, shares.max, shares.over,
           shares.drops);
    coder_destroy(c);
    free(canvas.storage);
    return shares;
}

static void test_h264_keeps_budget(void **state)
{
    static const struct {
        uint32_t slice_bytes_max;
        unsigned threads;
        bool cut;
    } cases[] = {{0, 1, false}, {1100, 1, false}, {1100, 1, true}, {1100, 2, false}};

    (void)state;
    need_x264();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shares shares = measure_shares(TDM_CODEC_H264, cases[i].slice_bytes_max,
                                              cases[i].threads, cases[i].cut);

        assert_true(shares.max <= 1.2);
        assert_int_equal(shares.drops, 0);
        assert_true(shares.mean > 0.5);
    }
}

/* Within 1.1 while a coarser quantiser is left; this scene at this rate never needs the last. */
static void test_fitted_keep_budget(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(fitted); k++)
        for (unsigned threads = 1; coder_exists(fitted[k]) && threads <= 2; threads++) {
            struct shares shares = measure_shares(fitted[k], 0, threads, false);

            assert_true(shares.max <= 1.2);
            assert_true(shares.mean > 0.5);
            shares = measure_shares(fitted[k], 0, threads, true);
            assert_true(shares.over <= 2);
        }
}

/* What cannot fit is paid back by dropped pictures; a keyframe asked for meanwhile is owed. */
static void pays_back(enum tdm_codec_id id, uint32_t budget)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 100000);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct coder *c = coder_create(id, &config);
    size_t sent = 0;
    bool owed_came = false;

    for (int i = 0; i < 90; i++) {
        draw_scene(&canvas.pic, i, 0);
        enum tdm_err err = coder_encode(c, &canvas.pic, budget, i == 1);

        if (i == 0)
            assert_int_equal(err, TDM_OK);
        if (i == 1)
            assert_int_equal(err, TDM_E_AGAIN);
        if (i > 0 && err == TDM_OK && !owed_came) {
            assert_true(c->keyframe);
            owed_came = true;
        }
        sent += c->payload;
    }
    assert_true(owed_came);
    printf("codec %d at %u bytes a frame: %.2f of the budget over 90 frames\n", (int)id, budget,
           (double)sent / (90 * budget));
    assert_true((double)sent < 1.3 * 90 * budget);
    coder_destroy(c);
    free(canvas.storage);
}

static void test_fitted_pay_back(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(fitted); k++)
        if (coder_exists(fitted[k]))
            pays_back(fitted[k], fitted[k] == TDM_CODEC_VP8 ? 400 : 100);
}

/* Discarded attempts leave no trace: under budgets that jump, most pictures are coded more than
 * once, and over hundreds of calls the decoder follows all that are sent. */
static void test_attempts_leave_no_trace(void **state)
{
    static const uint32_t budgets[] = {9000, 1500, 6000, 12000, 900, 4000, 2500};
    static const enum tdm_content contents[] = {TDM_CONTENT_CAMERA, TDM_CONTENT_SCREEN};

    (void)state;
    for (size_t k = 0; k < COUNT(fitted) * COUNT(contents); k++) {
        if (!coder_exists(fitted[k / 2]))
            continue;
        struct tdm_video_encoder_config config = config_of(320, 240, 1000000);
        struct canvas canvas = canvas_of(320, 240);
        struct tdm_picture out;

        config.content = contents[k % 2];
        struct coder *c = coder_create(fitted[k / 2], &config);

        for (int i = 0; i < 300; i++) {
            draw_scene(&canvas.pic, i, i / 40);
            enum tdm_err err = coder_encode(c, &canvas.pic, budgets[i % 7], i % 90 == 89);

            assert_true(err == TDM_OK || err == TDM_E_AGAIN);
            if (err != TDM_OK)
                continue;
            assert_int_equal(coder_decode(c, &out), TDM_OK);
            if (i % 40 >= 3) /* A cut may need some pictures to come clear. */
                assert_true(picture_psnr(&canvas.pic, &out) > 22);
        }
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* Two encoders of one codec in turns give what each gives alone. */
static void test_two_at_once(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(fitted); k++) {
        if (!coder_exists(fitted[k]))
            continue;
        struct tdm_video_encoder_config config = config_of(320, 240, 500000);
        struct canvas canvas = canvas_of(320, 240);
        struct coder *a = coder_create(fitted[k], &config), *b = coder_create(fitted[k], &config);

        for (int i = 0; i < 10; i++) {
            draw_scene(&canvas.pic, i, 0);
            assert_int_equal(coder_encode(a, &canvas.pic, 2083, false), TDM_OK);
            assert_int_equal(coder_encode(b, &canvas.pic, 2083, false), TDM_OK);
            assert_int_equal(a->size, b->size);
            assert_memory_equal(a->unit, b->unit, a->size);
        }
        coder_destroy(a);
        coder_destroy(b);
        free(canvas.storage);
    }
}

/* AV1 units begin behind the temporal delimiter, and a keyframe with its sequence header. */
static void test_av1_units(void **state)
{
    (void)state;
    if (!coder_exists(TDM_CODEC_AV1))
        return;
    struct tdm_video_encoder_config config = config_of(320, 240, 500000);
    struct canvas canvas = canvas_of(320, 240);
    struct coder *c = coder_create(TDM_CODEC_AV1, &config);

    for (int i = 0; i < 6; i++) {
        draw_scene(&canvas.pic, i, 0);
        assert_int_equal(coder_encode(c, &canvas.pic, 2083, i == 3), TDM_OK);
        assert_int_equal(c->unit[0] >> 3, i % 3 == 0 ? 1 : 6); /* Sequence header; frame. */
        assert_int_equal(c->unit[0] & 2, 2);                   /* With its size. */
    }
    coder_destroy(c);
    free(canvas.storage);
}

/* A keyframe comes when it is asked for, decodes by itself and keeps the budget too. */
static void test_keyframe_on_demand(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(codecs); k++) {
        if (!coder_exists(codecs[k]))
            continue;
        struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 2000000);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        struct coder *c = coder_create(codecs[k], &config);
        struct tdm_video_decoder *late;
        struct tdm_picture out;

        assert_int_equal(c->dec_ops->create(&late, NULL), TDM_OK);
        for (int i = 0; i < 12; i++) {
            draw_scene(&canvas.pic, i, 0);
            assert_int_equal(coder_encode(c, &canvas.pic, 8333, i == 10), TDM_OK);
            assert_int_equal(c->keyframe, i == 0 || i == 10);
            if (i == 9)
                assert_int_equal(c->dec_ops->decode(late, c->unit, c->size, &out), TDM_E_MALFORMED);
            if (i >= 10) {
                assert_int_equal(c->dec_ops->decode(late, c->unit, c->size, &out), TDM_OK);
                assert_true(picture_psnr(&canvas.pic, &out) > 26);
                assert_true((double)c->payload <= 1.2 * 8333);
            }
        }
        c->dec_ops->destroy(late);
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* ue(v) straight after the NAL header: first_mb_in_slice. */
static unsigned first_macroblock(const uint8_t *nal)
{
    uint32_t bits =
        (uint32_t)nal[1] << 24 | (uint32_t)nal[2] << 16 | (uint32_t)nal[3] << 8 | nal[4];
    int zeros = __builtin_clz(bits | 1);

    return (bits >> (31 - 2 * zeros)) - 1;
}

static void check_slices(const struct coder *c, uint32_t slice_bytes_max)
{
    int pictures_slices = 0;
    unsigned next = 0;

    for (int s = 0; s < c->slices; s++) {
        int type = nal_type(c, s);

        assert_true(c->slice_size[s] <= slice_bytes_max);
        assert_true(type == 1 || type == 5 || type == 6 || type == 7 || type == 8);
        if (type == 6) /* Recovery points only: no advertisement. */
            assert_int_equal(slice_data(c, s)[1], 6);
        if (type != 1 && type != 5)
            continue;
        unsigned first = first_macroblock(slice_data(c, s));

        assert_true(pictures_slices == 0 ? first == 0 : first > next);
        next = first;
        pictures_slices++;
    }
    assert_true(pictures_slices > 1);
}

static void test_h264_slices(void **state)
{
    (void)state;
    need_x264();
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct tdm_video_encoder_config config = config_of(1280, 720, 3000000);
        struct canvas canvas = canvas_of(1280, 720);

        config.slice_bytes_max = 600;
        config.threads = threads;
        struct coder *c = coder_create(TDM_CODEC_H264, &config);
        double before_first = 0, whole = 0;

        for (int i = 0; i < 20; i++) {
            draw_scene(&canvas.pic, i, 0);
            double start = thread_cpu();

            assert_int_equal(coder_encode(c, &canvas.pic, 12500, false), TDM_OK);
            whole += thread_cpu() - start;
            before_first += c->cpu_first - start;
            check_slices(c, 600);
        }
        /* The first slice left while most of the picture was still to be coded. Its share of the
         * work on this thread says so; were slices handed over at the end it would be 1. */
        if (threads == 1) {
            printf("H.264: the first slice came after %.0f %% of the work\n",
                   100 * before_first / whole);
            assert_true(before_first < 0.75 * whole);
        }
        coder_destroy(c);
        free(canvas.storage);
    }
}

static void test_h264_profile(void **state)
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

        (void)snprintf(config.fmtp, sizeof config.fmtp, "%s", cases[i].fmtp);
        struct coder *c = coder_create(TDM_CODEC_H264, &config);

        draw_scene(&canvas.pic, 0, 0);
        assert_int_equal(coder_encode(c, &canvas.pic, 2000, false), TDM_OK);
        assert_int_equal(nal_type(c, 0), 7);
        assert_int_equal(slice_data(c, 0)[1], cases[i].profile);
        assert_int_equal(slice_data(c, 0)[2] & cases[i].mask, cases[i].constraints);
        assert_true(c->keyframe);
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* Sides that are even but no multiple of a macroblock, and the smallest. */
static void test_odd_sizes(void **state)
{
    static const int sizes[][2] = {{16, 16}, {322, 242}, {1366, 768}};

    (void)state;
    for (size_t k = 0; k < COUNT(codecs); k++)
        for (size_t s = 0; coder_exists(codecs[k]) && s < 3; s++) {
            int width = sizes[s][0], height = sizes[s][1];
            struct tdm_video_encoder_config config = config_of(width, height, 2000000);
            struct canvas canvas = canvas_of(width, height);
            struct coder *c = coder_create(codecs[k], &config);
            struct tdm_picture out;

            for (int i = 0; i < 3; i++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fitted_keep_budget),
        cmocka_unit_test(test_fitted_pay_back),
        cmocka_unit_test(test_attempts_leave_no_trace),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_av1_units),
        cmocka_unit_test(test_h264_keeps_budget),
        cmocka_unit_test(test_h264_slices),
        cmocka_unit_test(test_h264_profile),
        cmocka_unit_test(test_holds_no_frame),
        cmocka_unit_test(test_keyframe_on_demand),
        cmocka_unit_test(test_odd_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

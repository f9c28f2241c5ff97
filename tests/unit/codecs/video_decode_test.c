/* SPDX-License-Identifier: MIT */
#include "tests/unit/codecs/video_coder.h"

#include <stdio.h>

#define WIDTH  320
#define HEIGHT 240
#define BUDGET 4000

static const enum tdm_codec_id codecs[] = {TDM_CODEC_VP8, TDM_CODEC_VP9, TDM_CODEC_AV1,
                                           TDM_CODEC_H264};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct coder *small_coder(enum tdm_codec_id id)
{
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, 1000000);

    config.slice_bytes_max = 800;
    return coder_create(id, &config);
}

static void encode_frame(struct coder *c, struct canvas *canvas, int frame, bool keyframe)
{
    draw_scene(&canvas->pic, frame, 0);
    assert_int_equal(coder_encode(c, &canvas->pic, BUDGET, keyframe), TDM_OK);
}

/* A lost slice is seen in the picture that it is missing from, and in all that build on it. */
static void test_lost_slice(void **state)
{
    struct coder *c = small_coder(TDM_CODEC_H264);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;

    (void)state;
    for (int i = 0; i < 20; i++) {
        c->skip = i == 8 ? 2 : -1;
        encode_frame(c, &canvas, i, i == 15);
        assert_true(i != 8 || c->slices > 2);
        assert_int_equal(coder_decode(c, &out), i < 8 || i >= 15 ? TDM_OK : TDM_E_MALFORMED);
    }
    coder_destroy(c);
    free(canvas.storage);
}

/* A lost reference picture is seen at the next one, and a keyframe heals it. */
static void test_h264_lost_picture(void **state)
{
    struct coder *c = small_coder(TDM_CODEC_H264);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;

    (void)state;
    for (int i = 0; i < 20; i++) {
        encode_frame(c, &canvas, i, i == 15);
        if (i == 8)
            continue;
        assert_int_equal(coder_decode(c, &out), i < 8 || i >= 15 ? TDM_OK : TDM_E_MALFORMED);
        if (i >= 15)
            assert_true(picture_psnr(&canvas.pic, &out) > 26);
    }
    coder_destroy(c);
    free(canvas.storage);
}

/* Without a keyframe the walking intra refresh heals it: the first picture that is shown again
 * is right. */
static void test_h264_refresh_recovers(void **state)
{
    need_x264();
    struct coder *c = small_coder(TDM_CODEC_H264);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;
    int refused = 0, shown = 0;

    (void)state;
    for (int i = 0; i < 300; i++) {
        encode_frame(c, &canvas, i, false);
        assert_int_equal(c->keyframe, i == 0);
        if (i == 20)
            continue;
        enum tdm_err err = coder_decode(c, &out);

        if (i < 20)
            assert_int_equal(err, TDM_OK);
        else if (err == TDM_E_MALFORMED)
            assert_int_equal((refused++, shown), 0);
        else if (err == TDM_OK && shown++ < 50)
            assert_true(picture_psnr(&canvas.pic, &out) > 35);
    }
    printf("refused %d pictures, then showed %d\n", refused, shown);
    assert_true(refused > 0 && shown > 0);
    coder_destroy(c);
    free(canvas.storage);
}

/* Nothing is shown before the first keyframe; parameter sets alone are no picture. */
static void test_h264_starts_late(void **state)
{
    struct coder *c = small_coder(TDM_CODEC_H264);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;
    uint8_t sets[256 + TDM_DECODER_PADDING] = {0};
    size_t sets_size = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        encode_frame(c, &canvas, i, false);
        if (i == 0) { /* SPS and PPS, of the keyframe that is lost otherwise. */
            sets_size = c->slice_at[2] - 4;
            assert_true(sets_size < 256);
            memcpy(sets, c->unit, sets_size);
            continue;
        }
        assert_int_equal(coder_decode(c, &out), TDM_E_MALFORMED);
        if (i == 5)
            assert_int_equal(c->dec_ops->decode(c->dec, sets, sets_size, &out), TDM_E_AGAIN);
    }
    coder_destroy(c);
    free(canvas.storage);
}

/* After damage these wait for a keyframe; they have no frame numbers to recover by. */
static void test_damage(void **state)
{
    static const enum tdm_codec_id waiting[] = {TDM_CODEC_VP8, TDM_CODEC_VP9, TDM_CODEC_AV1};

    (void)state;
    for (size_t k = 0; k < COUNT(waiting); k++) {
        if (!coder_exists(waiting[k]))
            continue;
        struct coder *c = small_coder(waiting[k]);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        struct tdm_picture out;

        encode_frame(c, &canvas, 0, false);
        assert_int_equal(coder_decode(c, &out), TDM_OK);
        encode_frame(c, &canvas, 1, false);
        c->size = 2;
        assert_int_equal(coder_decode(c, &out), TDM_E_MALFORMED);
        encode_frame(c, &canvas, 2, false);
        assert_int_equal(coder_decode(c, &out), TDM_E_MALFORMED);
        encode_frame(c, &canvas, 3, true);
        assert_int_equal(coder_decode(c, &out), TDM_OK);
        assert_true(picture_psnr(&canvas.pic, &out) > 26);
        encode_frame(c, &canvas, 4, false);
        assert_int_equal(coder_decode(c, &out), TDM_OK);
        coder_destroy(c);
        free(canvas.storage);
    }
}

/* The sender changes its picture size within the stream. */
static void test_size_change(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(codecs); k++) {
        if (!coder_exists(codecs[k]))
            continue;
        struct tdm_video_encoder_config large = config_of(640, 480, 1000000);
        struct canvas small_canvas = canvas_of(WIDTH, HEIGHT), large_canvas = canvas_of(640, 480);
        struct coder *a = small_coder(codecs[k]), *b = coder_create(codecs[k], &large);

        for (int i = 0; i < 30; i++) {
            bool is_large = i / 10 == 1;
            struct coder *from = is_large ? b : a;
            struct canvas *canvas = is_large ? &large_canvas : &small_canvas;
            struct tdm_picture out;

            encode_frame(from, canvas, i, i % 10 == 0);
            assert_int_equal(a->dec_ops->decode(a->dec, from->unit, from->size, &out), TDM_OK);
            assert_int_equal(out.width, canvas->pic.width);
            assert_int_equal(out.height, canvas->pic.height);
            assert_true(picture_psnr(&canvas->pic, &out) > 24);
        }
        coder_destroy(a);
        coder_destroy(b);
        free(small_canvas.storage);
        free(large_canvas.storage);
    }
}

/* Sides beyond the limit are refused by their header, before anything is allocated for them. */
static void test_too_large(void **state)
{
    /* Keyframe header of RFC 6386 section 9.1: 8192 x 16. */
    uint8_t vp8[64 + TDM_DECODER_PADDING] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x20, 16, 0};
    /* SPS written by hand: profile 66, level 5.2, 512 x 1 macroblocks; PPS; an IDR slice. */
    uint8_t avc[64 + TDM_DECODER_PADDING] = {0};
    struct tdm_picture out;
    struct tdm_video_decoder *dec;

    (void)state;
    const struct tdm_video_decoder_ops *ops = tdm_video_decoder_find(TDM_CODEC_VP8);

    assert_int_equal(ops->create(&dec, NULL), TDM_OK);
    assert_int_equal(ops->decode(dec, vp8, 64, &out), TDM_E_UNSUPPORTED);
    vp8[6] = vp8[7] = 0; /* And no width at all. */
    assert_int_equal(ops->decode(dec, vp8, 64, &out), TDM_E_UNSUPPORTED);
    ops->destroy(dec);

    /* ue: id 0 "1", frame_num bits 4 "1", order type 2 "011", references 1 "010", gaps "0",
     * columns 511 "000000000 1 000000000", rows 0 "1", frames only "1", direct "0", crop "0",
     * VUI "0", stop "1". */
    static const char sps_bits[] = "1101101000000000001000000000110001";
    /* PPS: id 0 "1", SPS 0 "1", then what libavcodec would read; IDR slice: first 0 "1", type 7
     * "0001000", PPS 0 "1", frame_num "0000". */
    static const char *const bits[] = {sps_bits, "1100101100111000", "10001000100001111"};
    static const uint8_t headers[][4] = {{0x67, 66, 0xc0, 52}, {0x68}, {0x65}};
    size_t size = 0;

    for (int n = 0; n < 3; n++) {
        memcpy(avc + size, (uint8_t[]){0, 0, 1}, 3);
        memcpy(avc + size + 3, headers[n], n ? 1 : 4);
        size += n ? 4 : 7;
        size_t count = strlen(bits[n]);

        memset(avc + size, 0, (count + 7) / 8);
        for (size_t i = 0; i < count; i++)
            avc[size + i / 8] |= (uint8_t)((bits[n][i] == '1') << (7 - i % 8));
        size += (count + 7) / 8;
    }
    ops = tdm_video_decoder_find(TDM_CODEC_H264);
    assert_int_equal(ops->create(&dec, NULL), TDM_OK);
    assert_int_equal(ops->decode(dec, avc, size, &out), TDM_E_UNSUPPORTED);
    ops->destroy(dec);
}

/* VP9 headers of profile 0 with sides of 16 bits: a keyframe, and an inter picture that brings its
 * own size. */
static void test_vp9_too_large(void **state)
{
    static const struct {
        uint8_t header[12];
        enum tdm_err err;
    } cases[] = {
        /* 0b10 profile 00, existing 0, key 0, shown 1, resilient 0; the sync code; colour space 3
         * bits and range; then width and height less one, here 8192 x 16 and 8192 x 8192. */
        {{0x82, 0x49, 0x83, 0x42, 0x01, 0xff, 0xf0, 0x00, 0xf0}, TDM_E_UNSUPPORTED},
        {{0x82, 0x49, 0x83, 0x42, 0x01, 0xff, 0xf1, 0xff, 0xf0}, TDM_E_UNSUPPORTED},
        {{0x82, 0x49, 0x83, 0x43, 0x00, 0x0f, 0xf0, 0x00, 0xf0}, TDM_E_MALFORMED}, /* Sync. */
        /* Profile 1. */
        {{0xa2, 0x49, 0x83, 0x42, 0x00, 0x0f, 0xf0, 0x00, 0xf0}, TDM_E_UNSUPPORTED},
        /* Inter: 10 contexts bits, 20 bits of buffers, found 000, 8192 x 16. */
        {{0x86, 0x00, 0x00, 0x00, 0x3f, 0xfe, 0x00, 0x1e}, TDM_E_UNSUPPORTED},
    };
    const struct tdm_video_decoder_ops *ops = tdm_video_decoder_find(TDM_CODEC_VP9);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t unit[64 + TDM_DECODER_PADDING] = {0};
        struct tdm_video_decoder *dec;
        struct tdm_picture out;

        memcpy(unit, cases[i].header, sizeof cases[i].header);
        assert_int_equal(ops->create(&dec, NULL), TDM_OK);
        assert_int_equal(ops->decode(dec, unit, 64, &out), cases[i].err);
        ops->destroy(dec);
    }
}

/* A keyframe and the picture behind it packed into a superframe (VP9 specification, annex B) give
 * the latter; an index that promises more than there is, is refused. */
static void test_vp9_superframe(void **state)
{
    struct coder *c = small_coder(TDM_CODEC_VP9);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    uint8_t packed[4 * BUDGET + TDM_DECODER_PADDING] = {0};
    struct tdm_picture out;
    size_t size = 0;

    (void)state;
    uint8_t index[6] = {0xc9, [5] = 0xc9}; /* Two frames, sizes of two bytes. */

    for (int i = 0; i < 2; i++) {
        encode_frame(c, &canvas, i, false);
        memcpy(packed + size, c->unit, c->size);
        size += c->size;
        index[1 + 2 * i] = (uint8_t)c->size;
        index[2 + 2 * i] = (uint8_t)(c->size >> 8);
    }
    memcpy(packed + size, index, sizeof index);
    assert_int_equal(c->dec_ops->decode(c->dec, packed, size + 6, &out), TDM_OK);
    assert_true(picture_psnr(&canvas.pic, &out) > 26);
    packed[size + 4] = 0x7f;
    assert_int_equal(c->dec_ops->decode(c->dec, packed, size + 6, &out), TDM_E_MALFORMED);
    coder_destroy(c);
    free(canvas.storage);
}

/* Behind a good keyframe the header of one of 65536 x 65536, without an index that would say so: it
 * is not looked at, and libvpx does not make memory for it. */
static void test_vp9_nothing_behind_a_frame(void **state)
{
    static const uint8_t huge[] = {0x82, 0x49, 0x83, 0x42, 0x0f, 0xff, 0xff, 0xff, 0xf0, 0x00};
    struct coder *c = small_coder(TDM_CODEC_VP9);
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_picture out;

    (void)state;
    encode_frame(c, &canvas, 0, false);
    memcpy(c->unit + c->size, huge, sizeof huge);
    memset(c->unit + c->size + sizeof huge, 0x55, 64);
    assert_int_equal(c->dec_ops->decode(c->dec, c->unit, c->size + sizeof huge + 64, &out), TDM_OK);
    assert_int_equal(out.width, WIDTH);
    assert_true(picture_psnr(&canvas.pic, &out) > 26);
    coder_destroy(c);
    free(canvas.storage);
}

/* An AV1 sequence header whose largest width has all of its bits set. */
static void test_av1_too_large(void **state)
{
    if (!coder_exists(TDM_CODEC_AV1))
        return;
    /* Profile 0, no still picture, no timing, one operating point at level 4.0, 16 and 16 bits of
     * sides: 65536 x 65536; no tools, screen content and whole vectors as the frames say, 4:2:0. */
    uint8_t unit[64 + TDM_DECODER_PADDING] = {0x0a, 0x0c, 0x00, 0x00, 0x00, 0x43, 0xff,
                                              0xff, 0xff, 0xff, 0xfc, 0x01, 0x80, 0x08};
    const struct tdm_video_decoder_ops *ops = tdm_video_decoder_find(TDM_CODEC_AV1);
    struct tdm_video_decoder *dec;
    struct tdm_picture out;

    (void)state;
    assert_int_equal(ops->create(&dec, NULL), TDM_OK);
    assert_int_equal(ops->decode(dec, unit, 14, &out), TDM_E_UNSUPPORTED);
    assert_int_equal(ops->decode(dec, unit, 13, &out), TDM_E_MALFORMED); /* Cut short. */
    ops->destroy(dec);
}

static void mutate(struct coder *c, struct tdm_rng *rng)
{
    uint32_t edits = 1 + tdm_rng_below(rng, 8);

    for (uint32_t i = 0; i < edits; i++)
        c->unit[tdm_rng_below(rng, (uint32_t)c->size)] = (uint8_t)tdm_rng_u32(rng);
    if (tdm_rng_chance(rng, 0.3)) {
        c->size = tdm_rng_below(rng, (uint32_t)c->size);
        memset(c->unit + c->size, 0, TDM_DECODER_PADDING);
    }
}

/* Mutated and truncated units never crash, and a clean keyframe always heals. */
static void test_mutations(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(codecs); k++) {
        if (!coder_exists(codecs[k]))
            continue;
        struct coder *c = small_coder(codecs[k]);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        struct tdm_rng rng = tdm_rng_of(7 + k);
        struct tdm_picture out;
        int refused = 0;

        for (int i = 0; i < 300; i++) {
            encode_frame(c, &canvas, i, i % 6 == 0);
            if (i % 6 != 0)
                mutate(c, &rng);
            enum tdm_err err = coder_decode(c, &out);

            if (i % 6 == 0) {
                assert_int_equal(err, TDM_OK);
                assert_true(picture_psnr(&canvas.pic, &out) > 26);
            }
            refused += err != TDM_OK;
        }
        printf("codec %d: refused %d of 250 mutated units\n", (int)codecs[k], refused);
        assert_true(refused > 50);
        coder_destroy(c);
        free(canvas.storage);
    }
}

static void test_empty(void **state)
{
    uint8_t nothing[TDM_DECODER_PADDING] = {0};
    struct tdm_picture out;

    (void)state;
    for (size_t k = 0; k < COUNT(codecs); k++) {
        if (!coder_exists(codecs[k]))
            continue;
        const struct tdm_video_decoder_ops *ops = tdm_video_decoder_find(codecs[k]);
        struct tdm_video_decoder *dec;

        assert_int_equal(ops->create(&dec, NULL), TDM_OK);
        for (size_t size = 0; size < 16; size++)
            assert_int_equal(ops->decode(dec, nothing, size, &out), TDM_E_MALFORMED);
        ops->destroy(dec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_slice),
        cmocka_unit_test(test_h264_lost_picture),
        cmocka_unit_test(test_h264_refresh_recovers),
        cmocka_unit_test(test_h264_starts_late),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_size_change),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_vp9_too_large),
        cmocka_unit_test(test_vp9_superframe),
        cmocka_unit_test(test_vp9_nothing_behind_a_frame),
        cmocka_unit_test(test_av1_too_large),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

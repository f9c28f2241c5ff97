/* SPDX-License-Identifier: MIT */
/*
 * H.265 has no encoder here: each test has ffmpeg's libx265 make its stream of the test scene, and
 * is skipped where ffmpeg or libx265 is missing.
 */
#include "codecs/codec.h"
#include "tests/unit/codecs/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WIDTH      320
#define HEIGHT     240
#define FRAMES     40
#define UNITS_MAX  64
#define STREAM_MAX (1 << 20)

/* A byte stream cut into access units: each begins with the first NAL unit that is not a slice, or
 * with the slice that begins a picture. */
struct stream {
    uint8_t bytes[STREAM_MAX + TDM_DECODER_PADDING];
    size_t size, at[UNITS_MAX + 1];
    int units;
};

static bool begins_picture(const uint8_t *nal)
{
    return (nal[0] >> 1 & 63) < 32 && (nal[2] & 0x80) != 0;
}

static bool is_slice(const uint8_t *nal)
{
    return (nal[0] >> 1 & 63) < 32;
}

static void cut(struct stream *s)
{
    bool had_slice = false;

    s->units = 0;
    s->at[0] = 0;
    for (size_t i = 0; i + 5 < s->size; i++) {
        if (s->bytes[i] != 0 || s->bytes[i + 1] != 0 || s->bytes[i + 2] != 1)
            continue;
        const uint8_t *nal = s->bytes + i + 3;

        if (had_slice && (!is_slice(nal) || begins_picture(nal))) {
            assert_true(s->units < UNITS_MAX - 1);
            s->at[++s->units] = i > 0 && s->bytes[i - 1] == 0 ? i - 1 : i;
            had_slice = false;
        }
        had_slice |= is_slice(nal);
    }
    s->at[++s->units] = s->size;
}

/* Runs ffmpeg on FRAMES pictures of the scene; NULL when it cannot. `options` come after -c:v. */
static struct stream *make_stream(int width, int height, const char *format, const char *options)
{
    struct stream *s = calloc(1, sizeof *s);
    struct canvas canvas = canvas_of(width, height);
    char in[] = "hevc_in_XXXXXX", out[] = "hevc_out_XXXXXX", command[512];
    int in_file = mkstemp(in), out_file = mkstemp(out);
    FILE *file = fdopen(in_file, "wb");

    assert_non_null(s);
    assert_true(file && out_file >= 0);
    for (int i = 0; i < FRAMES; i++) {
        draw_scene(&canvas.pic, i, 0);
        assert_int_equal(fwrite(canvas.storage, tdm_picture_bytes(width, height), 1, file), 1);
    }
    (void)fclose(file);
    (void)snprintf(command, sizeof command,
                   "ffmpeg -v quiet -y -f rawvideo -pix_fmt yuv420p -s %dx%d -r 30 -i %s "
                   "-pix_fmt %s -c:v libx265 -x265-params log-level=none:%s -f hevc %s",
                   width, height, in, format, options, out);
    int status = system(command); /* NOLINT(concurrency-mt-unsafe): one thread. */

    file = fdopen(out_file, "rb");
    s->size = file ? fread(s->bytes, 1, STREAM_MAX, file) : 0;
    if (file)
        (void)fclose(file);
    (void)unlink(in);
    (void)unlink(out);
    free(canvas.storage);
    if (status != 0 || s->size == 0) {
        free(s);
        return NULL;
    }
    cut(s);
    return s;
}

#define LIVE "bframes=0:rc-lookahead=0:keyint=-1:scenecut=0:repeat-headers=1:crf=24"

static struct tdm_video_decoder *decoder(void)
{
    struct tdm_video_decoder *dec;

    assert_int_equal(tdm_video_decoder_find(TDM_CODEC_H265)->create(&dec, NULL), TDM_OK);
    return dec;
}

/* Decodes one unit from a copy of its own, with the padding that decoders are promised. */
static enum tdm_err decode(struct tdm_video_decoder *dec, const struct stream *s, int unit,
                           struct tdm_picture *out)
{
    static uint8_t copy[STREAM_MAX + TDM_DECODER_PADDING];
    size_t size = s->at[unit + 1] - s->at[unit];

    memcpy(copy, s->bytes + s->at[unit], size);
    memset(copy + size, 0, TDM_DECODER_PADDING);
    return tdm_video_decoder_find(TDM_CODEC_H265)->decode(dec, copy, size, out);
}

static void destroy(struct tdm_video_decoder *dec)
{
    tdm_video_decoder_find(TDM_CODEC_H265)->destroy(dec);
}

/* The n-th unit in is the n-th picture out, at once; with one slice and with four, and with more
 * references than one. */
static void test_pictures(void **state)
{
    static const char *const options[] = {LIVE ":ref=1", LIVE ":slices=4:ref=1", LIVE ":ref=4"};

    (void)state;
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        struct stream *s = make_stream(WIDTH, HEIGHT, "yuv420p", options[k]);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        struct tdm_video_decoder *dec = decoder();
        struct tdm_picture out;

        if (!s) {
            skip();
            return;
        }
        assert_int_equal(s->units, FRAMES);
        for (int i = 0; i < FRAMES; i++) {
            draw_scene(&canvas.pic, i, 0);
            assert_int_equal(decode(dec, s, i, &out), TDM_OK);
            assert_int_equal(out.width, WIDTH);
            assert_int_equal(out.height, HEIGHT);
            assert_true(picture_psnr(&canvas.pic, &out) > 33);
        }
        destroy(dec);
        free(canvas.storage);
        free(s);
    }
}

/* A picture that never came: nothing is shown from the first one that refers to it until the next
 * access point, which is right. */
static void test_lost_picture(void **state)
{
    static const char *const options[] = {
        "bframes=0:rc-lookahead=0:keyint=16:min-keyint=16:scenecut=0:open-gop=0:ref=1:crf=24",
        "bframes=0:rc-lookahead=0:keyint=16:min-keyint=16:scenecut=0:open-gop=1:ref=3:crf=24"};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct stream *s = make_stream(WIDTH, HEIGHT, "yuv420p", options[k]);
        struct canvas canvas = canvas_of(WIDTH, HEIGHT);
        struct tdm_video_decoder *dec = decoder();
        struct tdm_picture out;

        if (!s) {
            skip();
            return;
        }
        for (int i = 0; i < FRAMES; i++) {
            if (i == 6)
                continue;
            draw_scene(&canvas.pic, i, 0);
            bool lost = i > 6 && i < 16;

            assert_int_equal(decode(dec, s, i, &out), lost ? TDM_E_MALFORMED : TDM_OK);
            assert_true(lost || picture_psnr(&canvas.pic, &out) > 33);
        }
        destroy(dec);
        free(canvas.storage);
        free(s);
    }
}

/* A picture whose middle slice is missing is refused, and so is all that follows. */
static void test_lost_slice(void **state)
{
    struct stream *s = make_stream(WIDTH, HEIGHT, "yuv420p", LIVE ":slices=4:ref=1");
    struct tdm_video_decoder *dec = decoder();
    struct tdm_picture out;
    int slices = 0;

    (void)state;
    if (!s) {
        skip();
        return;
    }
    for (size_t i = s->at[5]; i + 5 < s->at[6]; i++)
        if (s->bytes[i] == 0 && s->bytes[i + 1] == 0 && s->bytes[i + 2] == 1 && ++slices == 2)
            s->bytes[i + 3] = 63 << 1; /* Another kind of unit, which decoders pass over. */
    assert_int_equal(slices, 4);
    for (int i = 0; i < 12; i++)
        assert_int_equal(decode(dec, s, i, &out), i < 5 ? TDM_OK : TDM_E_MALFORMED);
    destroy(dec);
    free(s);
}

/* Nothing is shown before the first access point; parameter sets alone are no picture. */
static void test_starts_late(void **state)
{
    struct stream *s = make_stream(WIDTH, HEIGHT, "yuv420p", LIVE ":ref=1");
    struct tdm_video_decoder *dec = decoder();
    struct tdm_picture out;

    (void)state;
    if (!s) {
        skip();
        return;
    }
    for (int i = 1; i < 6; i++)
        assert_int_equal(decode(dec, s, i, &out), TDM_E_MALFORMED);
    size_t first_slice = s->at[0];

    while (s->bytes[first_slice] || s->bytes[first_slice + 1] || s->bytes[first_slice + 2] != 1 ||
           !is_slice(s->bytes + first_slice + 3))
        first_slice++;
    uint8_t sets[4096] = {0};

    assert_true(first_slice < sizeof sets - TDM_DECODER_PADDING);
    memcpy(sets, s->bytes, first_slice);
    assert_int_equal(tdm_video_decoder_find(TDM_CODEC_H265)->decode(dec, sets, first_slice, &out),
                     TDM_E_AGAIN);
    for (int i = 6; i < 9; i++)
        assert_int_equal(decode(dec, s, i, &out), TDM_E_MALFORMED);
    assert_int_equal(decode(dec, s, 0, &out), TDM_OK);
    destroy(dec);
    free(s);
}

/* Ten bits and full chroma are refused by their parameter sets. */
static void test_formats(void **state)
{
    static const char *const formats[] = {"yuv420p10le", "yuv444p"};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct stream *s = make_stream(WIDTH, HEIGHT, formats[k], LIVE);
        struct tdm_video_decoder *dec = decoder();
        struct tdm_picture out;

        if (!s) {
            skip();
            return;
        }
        assert_int_equal(decode(dec, s, 0, &out), TDM_E_UNSUPPORTED);
        assert_int_equal(decode(dec, s, 1, &out), TDM_E_MALFORMED);
        destroy(dec);
        free(s);
    }
}

static size_t put_bits(uint8_t *bytes, size_t at, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, at++)
        bytes[at / 8] |= (uint8_t)((value >> i & 1) << (7 - at % 8));
    return at;
}

static size_t put_golomb(uint8_t *bytes, size_t at, uint32_t value)
{
    int zeros = 31 - __builtin_clz(value + 1);

    return put_bits(bytes, at + (size_t)zeros, value + 1, zeros + 1);
}

/* Sides beyond the limit are refused by the parameter set, written by hand, before anything is
 * allocated for them. */
static void test_too_large(void **state)
{
    static const struct {
        uint32_t width, height;
        bool refused;
    } cases[] = {{4104, 16, true}, {16, 8192, true}, {4096, 4096, false}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint8_t sps[64 + TDM_DECODER_PADDING] = {0, 0, 1, 33 << 1, 1};
        struct tdm_video_decoder *dec = decoder();
        struct tdm_picture out;
        size_t at = put_bits(sps, 40, 1, 8); /* VPS 0, one sub-layer, nested. */

        for (int i = 0; i < 12; i++) /* Profile and level. */
            at = put_bits(sps, at, 0xff, 8);
        at = put_golomb(sps, at, 0); /* Its number, and 4:2:0. */
        at = put_golomb(sps, at, 1);
        at = put_golomb(sps, at, cases[k].width);
        at = put_golomb(sps, at, cases[k].height);
        at = put_bits(sps, at, 0, 1); /* Nothing cut off; 8 bits; order counts of 4. */
        at = put_bits(sps, at, 7, 3);
        at = put_bits(sps, at, 0xffff, 16);
        enum tdm_err err =
            tdm_video_decoder_find(TDM_CODEC_H265)->decode(dec, sps, (at + 7) / 8, &out);

        assert_int_equal(err == TDM_E_UNSUPPORTED, cases[k].refused);
        destroy(dec);
    }
}

/* Mutated and truncated units never crash, and a clean access point always heals. */
static void test_mutations(void **state)
{
    struct stream *s = make_stream(WIDTH, HEIGHT, "yuv420p", LIVE ":slices=2:ref=3");
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    struct tdm_video_decoder *dec = decoder();
    struct tdm_rng rng = tdm_rng_of(9);
    struct tdm_picture out;
    int refused = 0;

    (void)state;
    if (!s) {
        skip();
        return;
    }
    uint8_t *unit = malloc(STREAM_MAX + TDM_DECODER_PADDING);

    assert_non_null(unit);
    for (int i = 0; i < 400; i++) {
        int index = i % 8;
        size_t size = s->at[index + 1] - s->at[index];

        memcpy(unit, s->bytes + s->at[index], size);
        for (uint32_t n = index ? 1 + tdm_rng_below(&rng, 6) : 0; n > 0; n--)
            unit[tdm_rng_below(&rng, (uint32_t)size)] = (uint8_t)tdm_rng_u32(&rng);
        if (index && tdm_rng_chance(&rng, 0.3))
            size = tdm_rng_below(&rng, (uint32_t)size);
        memset(unit + size, 0, TDM_DECODER_PADDING);
        enum tdm_err err = tdm_video_decoder_find(TDM_CODEC_H265)->decode(dec, unit, size, &out);

        refused += err != TDM_OK;
        if (index == 0) {
            draw_scene(&canvas.pic, 0, 0);
            assert_int_equal(err, TDM_OK);
            assert_true(picture_psnr(&canvas.pic, &out) > 33);
        }
    }
    printf("refused %d of 350 mutated units\n", refused);
    assert_true(refused > 100);
    free(unit);
    destroy(dec);
    free(canvas.storage);
    free(s);
}

static void test_empty(void **state)
{
    uint8_t nothing[TDM_DECODER_PADDING + 16] = {0};
    struct tdm_video_decoder *dec = decoder();
    struct tdm_picture out;

    (void)state;
    for (size_t size = 0; size < 16; size++)
        assert_int_equal(tdm_video_decoder_find(TDM_CODEC_H265)->decode(dec, nothing, size, &out),
                         TDM_E_MALFORMED);
    destroy(dec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),   cmocka_unit_test(test_lost_picture),
        cmocka_unit_test(test_lost_slice), cmocka_unit_test(test_starts_late),
        cmocka_unit_test(test_formats),    cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_empty),      cmocka_unit_test(test_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

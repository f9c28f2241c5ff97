/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_CODECS_VIDEO_CODER_H
#define TDM_TESTS_CODECS_VIDEO_CODER_H

/* One encoder and one decoder joined for a test, and what came out of the last picture. */

#include "codecs/codec.h"
#include "tests/unit/codecs/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define UNIT_MAX   (1 << 20)
#define SLICES_MAX 256

struct coder {
    const struct tdm_video_encoder_ops *enc_ops;
    const struct tdm_video_decoder_ops *dec_ops;
    struct tdm_video_encoder *enc;
    struct tdm_video_decoder *dec;
    /* The last picture. */
    uint8_t unit[UNIT_MAX + TDM_DECODER_PADDING]; /* As the decoder takes it. */
    size_t size;
    size_t payload; /* Bytes without start codes. */
    size_t slice_at[SLICES_MAX], slice_size[SLICES_MAX];
    int slices, firsts, lasts;
    bool keyframe;
    bool inside;      /* encode() is running. */
    int skip;         /* This slice is lost; -1 = none. */
    double cpu_first; /* Thread CPU time when the first slice came. */
};

static inline double thread_cpu(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void take_slice(void *arg, const struct tdm_slice *slice)
{
    struct coder *c = arg;
    static const uint8_t start_code[] = {0, 0, 0, 1};

    assert_true(c->inside);
    if (c->slices == 0)
        c->cpu_first = thread_cpu();
    assert_int_equal(slice->first, c->slices == 0);
    assert_int_equal(c->lasts, 0); /* Nothing after the last. */
    c->firsts += slice->first;
    c->lasts += slice->last;
    c->keyframe = slice->keyframe;
    assert_true(c->slices < SLICES_MAX);
    int index = c->slices++;

    c->payload += slice->size;
    if (index == c->skip)
        return;
    assert_true(c->size + slice->size + 4 <= UNIT_MAX);
    if (c->enc_ops->id == TDM_CODEC_H264) {
        memcpy(c->unit + c->size, start_code, 4);
        c->size += 4;
    }
    c->slice_at[index] = c->size;
    c->slice_size[index] = slice->size;
    memcpy(c->unit + c->size, slice->data, slice->size);
    c->size += slice->size;
}

/* Whether this build has both sides of a codec: libx264, libaom and dav1d may be left out. */
static inline bool coder_exists(enum tdm_codec_id id)
{
    return tdm_video_encoder_find(id) && tdm_video_decoder_find(id);
}

/* What only x264 promises: a budget of one frame, slices while it codes, walking refresh. */
static inline void need_x264(void)
{
    if (!tdm_video_encoder_named("x264"))
        skip();
}

static inline struct coder *coder_create(enum tdm_codec_id id,
                                         const struct tdm_video_encoder_config *config)
{
    struct coder *c = calloc(1, sizeof *c);
    struct tdm_cause cause;

    assert_non_null(c);
    c->skip = -1;
    c->enc_ops = tdm_video_encoder_find(id);
    c->dec_ops = tdm_video_decoder_find(id);
    assert_non_null(c->dec_ops);
    if (!c->enc_ops) { /* A build without the library. */
        free(c);
        skip();
        return NULL;
    }
    assert_int_equal(c->enc_ops->create(config, &c->enc, &cause), TDM_OK);
    assert_int_equal(c->dec_ops->create(&c->dec, &cause), TDM_OK);
    return c;
}

static inline void coder_destroy(struct coder *c)
{
    c->enc_ops->destroy(c->enc);
    c->dec_ops->destroy(c->dec);
    free(c);
}

static inline enum tdm_err coder_encode(struct coder *c, const struct tdm_picture *pic,
                                        uint32_t budget, bool keyframe)
{
    c->size = c->payload = 0;
    c->slices = c->firsts = c->lasts = 0;
    c->inside = true;
    enum tdm_err err = c->enc_ops->encode(c->enc, pic, budget, keyframe, take_slice, c);

    c->inside = false;
    memset(c->unit + c->size, 0, TDM_DECODER_PADDING);
    assert_int_equal(c->slices > 0, err == TDM_OK);
    return err;
}

static inline enum tdm_err coder_decode(struct coder *c, struct tdm_picture *pic)
{
    return c->dec_ops->decode(c->dec, c->unit, c->size, pic);
}

static inline struct tdm_video_encoder_config config_of(int width, int height, uint32_t bps)
{
    return (struct tdm_video_encoder_config){
        .width = width, .height = height, .fps = 30, .bitrate_bps = bps, .threads = 1};
}

#endif

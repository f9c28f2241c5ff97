/* SPDX-License-Identifier: MIT */
#include "sim/model_codec.h"

#include "engine/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const enum tdm_codec_id codecs[] = {TDM_CODEC_VP8, TDM_CODEC_VP9, TDM_CODEC_AV1,
                                           TDM_CODEC_H264};

#define CODECS (sizeof(codecs) / sizeof(*codecs))

/* One whole frame as an assembler would hand it over. */
struct frame {
    enum tdm_codec_id codec;
    unsigned slices;
    bool closed;
    struct tdm_writer bytes;
    uint8_t storage[TDM_MODEL_FRAME_MAX];
};

static void take(void *arg, const struct tdm_slice *slice)
{
    struct frame *frame = arg;

    assert_int_equal(slice->first, frame->slices == 0);
    frame->slices++;
    frame->closed = slice->last;
    if (frame->codec == TDM_CODEC_H264)
        tdm_write_u32(&frame->bytes, 1);
    tdm_write_bytes(&frame->bytes, slice->data, slice->size);
    assert_true(frame->bytes.ok);
}

struct rig {
    struct tdm_model_video_encoder enc;
    struct tdm_model_video_decoder dec;
    struct frame frame;
    double bytes;
};

static void make(struct rig *rig, uint32_t id, uint32_t budget, bool keyframe)
{
    rig->frame.slices = 0;
    rig->frame.bytes = tdm_writer_of(rig->frame.storage, sizeof(rig->frame.storage));
    tdm_model_video_encode(&rig->enc, id, budget, keyframe, take, &rig->frame);
    assert_true(rig->frame.closed);
    rig->bytes += (double)tdm_writer_size(&rig->frame.bytes);
}

static enum tdm_err show(struct rig *rig, uint32_t *id, bool *keyframe)
{
    return tdm_model_video_decode(&rig->dec, rig->frame.storage, tdm_writer_size(&rig->frame.bytes),
                                  id, keyframe);
}

static struct rig *rig_of(enum tdm_codec_id codec)
{
    struct rig *rig = test_malloc(sizeof(*rig));
    struct tdm_model_video_config config = {.seed = 5,
                                            .codec = codec,
                                            .stream_id = 77,
                                            .width = 1280,
                                            .height = 720,
                                            .fill = 0.9,
                                            .sigma = 0.3,
                                            .keyframe_ratio = 4,
                                            .slices = codec == TDM_CODEC_H264 ? 4 : 1};

    tdm_model_video_encoder_init(&rig->enc, &config);
    tdm_model_video_decoder_init(&rig->dec, codec, 77);
    rig->frame.codec = codec;
    rig->bytes = 0;
    return rig;
}

static void frames_come_back_whole_and_cost_what_was_asked(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CODECS; c++) {
        struct rig *rig = rig_of(codecs[c]);

        for (uint32_t i = 0; i < 1000; i++) {
            uint32_t id = 0;
            bool keyframe = false;

            make(rig, i, 4000, i == 500);
            assert_int_equal(show(rig, &id, &keyframe), TDM_OK);
            assert_int_equal(id, i);
            assert_int_equal(keyframe, i == 0 || i == 500);
        }
        assert_int_equal(rig->dec.frames, 1000);
        assert_in_range((uintmax_t)(rig->bytes / 1000), 3500, 3900);
        test_free(rig);
    }
}

static void a_lost_reference_is_refused_until_a_keyframe(void **state)
{
    struct rig *rig = rig_of(TDM_CODEC_AV1);
    uint32_t id;
    bool keyframe;

    (void)state;
    make(rig, 0, 2000, false);
    assert_int_equal(show(rig, &id, &keyframe), TDM_OK);
    make(rig, 1, 2000, false);
    make(rig, 2, 2000, false);
    assert_int_equal(show(rig, &id, &keyframe), TDM_E_AGAIN);
    make(rig, 3, 2000, true);
    assert_int_equal(show(rig, &id, &keyframe), TDM_OK);
    assert_int_equal(rig->dec.missing_reference, 1);
    test_free(rig);
}

static void every_wrong_byte_is_seen(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CODECS; c++) {
        struct rig *rig = rig_of(codecs[c]);
        size_t size, unseen = 0;
        uint32_t id;
        bool keyframe;

        make(rig, 0, 500, false);
        size = tdm_writer_size(&rig->frame.bytes);
        for (size_t i = 0; i < size; i++) {
            rig->frame.storage[i] ^= 0x01;
            if (show(rig, &id, &keyframe) == TDM_OK)
                unseen++;
            rig->frame.storage[i] ^= 0x01;
        }
        /* What a real decoder would not look at either: sizes in the VP8 tag and VP9 header, the
         * parameter sets and slice headers of H.264. */
        assert_true(unseen < 40);
        for (size_t cut = 1; cut < size; cut += 7)
            assert_int_equal(
                tdm_model_video_decode(&rig->dec, rig->frame.storage, size - cut, &id, &keyframe),
                TDM_E_MALFORMED);
        test_free(rig);
    }
}

static void audio_comes_back_and_wrong_bytes_are_seen(void **state)
{
    const struct tdm_model_audio_config config = {
        .stream_id = 9, .frame_ms = 20, .payload_bytes = 83};
    uint8_t payload[100];
    uint32_t frame, samples;

    (void)state;
    assert_int_equal(tdm_model_audio_encode(&config, 123456, payload, 82), 0);
    assert_int_equal(tdm_model_audio_encode(&config, 123456, payload, sizeof(payload)), 83);
    assert_int_equal(tdm_model_audio_decode(9, payload, 83, &frame, &samples), TDM_OK);
    assert_int_equal(frame, 123456);
    assert_int_equal(samples, 960);
    assert_int_equal(tdm_model_audio_decode(8, payload, 83, &frame, &samples), TDM_E_MALFORMED);
    for (unsigned i = 0; i < 83; i++) {
        payload[i] ^= 0x10;
        assert_int_equal(tdm_model_audio_decode(9, payload, 83, &frame, &samples), TDM_E_MALFORMED);
        payload[i] ^= 0x10;
        assert_int_equal(tdm_model_audio_decode(9, payload, i, &frame, &samples), TDM_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back_whole_and_cost_what_was_asked),
        cmocka_unit_test(a_lost_reference_is_refused_until_a_keyframe),
        cmocka_unit_test(every_wrong_byte_is_seen),
        cmocka_unit_test(audio_comes_back_and_wrong_bytes_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

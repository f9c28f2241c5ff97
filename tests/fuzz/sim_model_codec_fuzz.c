/* SPDX-License-Identifier: MIT */

/* Arbitrary bytes as a model frame: first byte's low bits choose the codec. */

#include "sim/model_codec.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum tdm_codec_id codecs[] = {TDM_CODEC_VP8, TDM_CODEC_H264, TDM_CODEC_VP9,
                                               TDM_CODEC_AV1};
    struct tdm_model_video_decoder dec;
    uint32_t frame, samples;
    bool keyframe;

    if (size == 0)
        return 0;
    if (data[0] % 5 == 0) {
        if (tdm_model_audio_decode(1, data + 1, size - 1, &frame, &samples) == TDM_OK)
            assert(samples == 480 || samples == 960);
        return 0;
    }
    tdm_model_video_decoder_init(&dec, codecs[data[0] % 5 - 1], 1);
    if (tdm_model_video_decode(&dec, data + 1, size - 1, &frame, &keyframe) == TDM_OK)
        assert(dec.frames == 1 && dec.last_frame == frame);
    assert(dec.frames + dec.corrupt + dec.missing_reference == 1);
    return 0;
}

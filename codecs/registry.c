/* SPDX-License-Identifier: MIT */
#include "codecs/registry.h"

#include <string.h>

static const struct tdm_video_encoder_ops *const video_encoders[] = {
#ifdef TANDEM_HAS_X264
    &tdm_x264_encoder,
#endif
#ifdef TANDEM_HAS_OPENH264
    &tdm_openh264_encoder,
#endif
    &tdm_vp8_encoder,      &tdm_vp9_encoder,
#ifdef TANDEM_HAS_AV1
    &tdm_aom_encoder,
#endif
};

static const struct tdm_video_decoder_ops *const video_decoders[] = {
    &tdm_avc_decoder,
    &tdm_vp8_decoder,
    &tdm_vp9_decoder,
#ifdef TANDEM_HAS_AV1
    &tdm_av1_decoder,
#endif
};

static const struct tdm_audio_encoder_ops *const audio_encoders[] = {
    &tdm_opus_encoder, &tdm_g722_encoder, &tdm_pcmu_encoder, &tdm_pcma_encoder, &tdm_l16_encoder,
};

static const struct tdm_audio_decoder_ops *const audio_decoders[] = {
    &tdm_opus_decoder, &tdm_g722_decoder, &tdm_pcmu_decoder, &tdm_pcma_decoder, &tdm_l16_decoder,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct tdm_video_encoder_ops *tdm_video_encoder_find(enum tdm_codec_id id)
{
    for (size_t i = 0; i < COUNT(video_encoders); i++)
        if (video_encoders[i]->id == id)
            return video_encoders[i];
    return NULL;
}

const struct tdm_video_decoder_ops *tdm_video_decoder_find(enum tdm_codec_id id)
{
    for (size_t i = 0; i < COUNT(video_decoders); i++)
        if (video_decoders[i]->id == id)
            return video_decoders[i];
    return NULL;
}

const struct tdm_audio_encoder_ops *tdm_audio_encoder_find(enum tdm_codec_id id)
{
    for (size_t i = 0; i < COUNT(audio_encoders); i++)
        if (audio_encoders[i]->id == id)
            return audio_encoders[i];
    return NULL;
}

const struct tdm_audio_decoder_ops *tdm_audio_decoder_find(enum tdm_codec_id id)
{
    for (size_t i = 0; i < COUNT(audio_decoders); i++)
        if (audio_decoders[i]->id == id)
            return audio_decoders[i];
    return NULL;
}

const struct tdm_video_encoder_ops *tdm_video_encoder_named(const char *name)
{
    for (size_t i = 0; i < COUNT(video_encoders); i++)
        if (strcmp(video_encoders[i]->name, name) == 0)
            return video_encoders[i];
    return NULL;
}

const struct tdm_video_encoder_ops *tdm_video_encoder_at(size_t index)
{
    return index < COUNT(video_encoders) ? video_encoders[index] : NULL;
}

const struct tdm_audio_encoder_ops *tdm_audio_encoder_at(size_t index)
{
    return index < COUNT(audio_encoders) ? audio_encoders[index] : NULL;
}

/* SPDX-License-Identifier: MIT */
#include "measure/plan_audio.h"

#include <stdio.h>

/* What a mode is: of an encoder, and how calls would use it. */
struct mode {
    enum tdm_codec_id codec;
    const char *name;
    uint32_t sample_hz;
    uint8_t channels;
    uint32_t bitrate_bps;
    uint16_t frame_us;
    bool music;
    bool quick; /* In a quick run too. */
    const char *fmtp;
};

static const struct mode modes[] = {
    {TDM_CODEC_OPUS, "low delay 2.5 ms", 48000, 1, 48000, 2500, false, false, ""},
    {TDM_CODEC_OPUS, "low delay 5 ms", 48000, 1, 48000, 5000, false, false, ""},
    {TDM_CODEC_OPUS, "low delay 10 ms", 48000, 1, 48000, 10000, false, true, ""},
    {TDM_CODEC_OPUS, "low delay 20 ms", 48000, 1, 48000, 20000, false, true, ""},
    {TDM_CODEC_OPUS, "low delay 40 ms", 48000, 1, 48000, 40000, false, false, ""},
    {TDM_CODEC_OPUS, "low delay 60 ms", 48000, 1, 48000, 60000, false, false, ""},
    {TDM_CODEC_OPUS, "voice 20 ms", 48000, 1, 32000, 20000, false, true, "useinbandfec=1"},
    {TDM_CODEC_OPUS, "music stereo 20 ms", 48000, 2, 128000, 20000, true, true, "stereo=1"},
    {TDM_CODEC_PCMU, "20 ms", 8000, 1, 64000, 20000, false, true, ""},
    {TDM_CODEC_PCMA, "20 ms", 8000, 1, 64000, 20000, false, true, ""},
    {TDM_CODEC_G722, "20 ms", 16000, 1, 64000, 20000, false, true, ""},
    {TDM_CODEC_L16, "10 ms", 48000, 1, 768000, 10000, false, true, ""},
    {TDM_CODEC_L16, "stereo 10 ms", 48000, 2, 1536000, 10000, false, false, ""},
};

bool tdm_plan_add_audio(struct tdm_plan *plan, const struct tdm_audio_encoder_ops *ops)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const struct mode *mode = &modes[i];

        if (mode->codec != ops->id || (plan->quick && !mode->quick))
            continue;
        if (plan->audio_count == TDM_PLAN_AUDIO_MAX)
            return false;
        struct tdm_audio_spec *spec = &plan->audio[plan->audio_count++];

        *spec = (struct tdm_audio_spec){
            .ops = ops,
            .config =
                {
                    .sample_hz = mode->sample_hz,
                    .channels = mode->channels,
                    .bitrate_bps = mode->bitrate_bps,
                    .frame_us = mode->frame_us,
                    .music = mode->music,
                },
        };
        (void)snprintf(spec->mode, sizeof spec->mode, "%s", mode->name);
        (void)snprintf(spec->config.fmtp, sizeof spec->config.fmtp, "%s", mode->fmtp);
    }
    return true;
}

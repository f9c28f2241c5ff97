/* SPDX-License-Identifier: MIT */
#include "render/registry.h"

#include "engine/base/spec.h"

static const struct tdm_video_sink_ops *const video_sinks[] = {
    &tdm_window_sink,
    &tdm_null_video_sink,
};

static const struct tdm_audio_sink_ops *const audio_sinks[] = {
    &tdm_speaker_sink,
    &tdm_wav_sink,
    &tdm_null_audio_sink,
};

const struct tdm_video_sink_ops *tdm_video_sink_find(const char *spec, const char **argument,
                                                     struct tdm_cause *cause)
{
    for (size_t i = 0; i < sizeof video_sinks / sizeof *video_sinks; i++)
        if (tdm_spec_is(spec, video_sinks[i]->kind, argument))
            return video_sinks[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED, "unknown video sink \"%.60s\": use window or null",
                   spec);
    return NULL;
}

const struct tdm_audio_sink_ops *tdm_audio_sink_find(const char *spec, const char **argument,
                                                     struct tdm_cause *cause)
{
    for (size_t i = 0; i < sizeof audio_sinks / sizeof *audio_sinks; i++)
        if (tdm_spec_is(spec, audio_sinks[i]->kind, argument))
            return audio_sinks[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                   "unknown audio sink \"%.60s\": use speaker, wav:PATH or null", spec);
    return NULL;
}

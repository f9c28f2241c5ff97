/* SPDX-License-Identifier: MIT */
#include "render/registry.h"

#include <string.h>

static const struct tdm_video_sink_ops *const video_sinks[] = {
    &tdm_window_sink,
    &tdm_null_video_sink,
};

static const struct tdm_audio_sink_ops *const audio_sinks[] = {
    &tdm_speaker_sink,
    &tdm_wav_sink,
    &tdm_null_audio_sink,
};

/* True when `spec` is `kind` alone or `kind:argument`. */
static bool names(const char *spec, const char *kind, const char **argument)
{
    size_t size = strlen(kind);

    if (strncmp(spec, kind, size) != 0 || (spec[size] && spec[size] != ':'))
        return false;
    *argument = spec + size + (spec[size] == ':');
    return true;
}

const struct tdm_video_sink_ops *tdm_video_sink_find(const char *spec, const char **argument,
                                                     struct tdm_cause *cause)
{
    for (size_t i = 0; i < sizeof video_sinks / sizeof *video_sinks; i++)
        if (names(spec, video_sinks[i]->kind, argument))
            return video_sinks[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED, "unknown video sink \"%.60s\": use window or null",
                   spec);
    return NULL;
}

const struct tdm_audio_sink_ops *tdm_audio_sink_find(const char *spec, const char **argument,
                                                     struct tdm_cause *cause)
{
    for (size_t i = 0; i < sizeof audio_sinks / sizeof *audio_sinks; i++)
        if (names(spec, audio_sinks[i]->kind, argument))
            return audio_sinks[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                   "unknown audio sink \"%.60s\": use speaker, wav:PATH or null", spec);
    return NULL;
}

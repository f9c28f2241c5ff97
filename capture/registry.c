/* SPDX-License-Identifier: MIT */
#include "capture/registry.h"

#include "engine/base/spec.h"

static const struct tdm_video_source_ops *const video_sources[] = {
    &tdm_camera_source,
    &tdm_screen_source,
    &tdm_file_video_source,
    &tdm_pattern_source,
};

static const struct tdm_audio_source_ops *const audio_sources[] = {
    &tdm_mic_source,
    &tdm_file_audio_source,
    &tdm_tone_source,
    &tdm_desktop_sound_source,
};

const struct tdm_video_source_ops *tdm_video_source_find(const char *spec, const char **argument,
                                                         struct tdm_cause *cause)
{
    for (size_t i = 0; i < sizeof video_sources / sizeof *video_sources; i++)
        if (tdm_spec_is(spec, video_sources[i]->kind, argument))
            return video_sources[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                   "unknown video source \"%.60s\": use cam, screen, file:PATH or pattern", spec);
    return NULL;
}

const struct tdm_audio_source_ops *tdm_audio_source_find(const char *spec, const char **argument,
                                                         struct tdm_cause *cause)
{
    for (size_t i = 0; i < sizeof audio_sources / sizeof *audio_sources; i++)
        if (tdm_spec_is(spec, audio_sources[i]->kind, argument))
            return audio_sources[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                   "unknown audio source \"%.60s\": use mic, file:PATH, tone or desktop", spec);
    return NULL;
}

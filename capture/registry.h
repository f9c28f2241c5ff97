/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_REGISTRY_H
#define TDM_CAPTURE_REGISTRY_H

/* The sources that this build has; each table stands in the file of its name. */

#include "capture/source.h"

extern const struct tdm_video_source_ops tdm_camera_source;
extern const struct tdm_video_source_ops tdm_screen_source;
extern const struct tdm_video_source_ops tdm_file_video_source;
extern const struct tdm_video_source_ops tdm_pattern_source;

extern const struct tdm_audio_source_ops tdm_mic_source;
extern const struct tdm_audio_source_ops tdm_file_audio_source;
extern const struct tdm_audio_source_ops tdm_tone_source;
extern const struct tdm_audio_source_ops tdm_desktop_sound_source;

#endif

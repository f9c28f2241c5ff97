/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_REGISTRY_H
#define TDM_RENDER_REGISTRY_H

/* The sinks that this build has; each table stands in the file of its name. */

#include "render/sink.h"

extern const struct tdm_video_sink_ops tdm_window_sink;
extern const struct tdm_video_sink_ops tdm_null_video_sink;

extern const struct tdm_audio_sink_ops tdm_speaker_sink;
extern const struct tdm_audio_sink_ops tdm_wav_sink;
extern const struct tdm_audio_sink_ops tdm_null_audio_sink;

#endif

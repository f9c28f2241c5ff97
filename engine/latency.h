/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_LATENCY_H
#define TDM_ENGINE_LATENCY_H

/*
 * What the traces of a call add up to: distributions of each stage and of the sums, freezes, and
 * the last traces themselves for the trace file. Owned by the control thread, which drains the
 * media threads' trace rings into it.
 */

#include "engine/audio_out.h"
#include "engine/base/histogram.h"
#include "engine/video_out.h"
#include "tandem/tandem.h"

#define TDM_VIDEO_STAGES   8
#define TDM_AUDIO_STAGES   3
#define TDM_LATENCY_RECENT 5
#define TDM_LATENCY_KEPT   4096 /* Traces of each kind for the trace file; a power of two. */

struct tdm_latency {
    struct tdm_histogram glass, beyond_codec, mouth, pixels, pixel_error, chirps, skew;
    struct tdm_histogram video_stages[TDM_VIDEO_STAGES], audio_stages[TDM_AUDIO_STAGES];
    uint64_t shown, freezes;
    bool paused;
    tdm_time frozen;
    tdm_time last_shown;                       /* TDM_NEVER: none yet, or paused. */
    tdm_time shown_time;                       /* Time over which pictures followed each other, */
    uint64_t shown_intervals;                  /* and how often. */
    double interval_mean_ns;                   /* Of the last 30 or so. */
    tdm_time glass_now, mouth_now;             /* Smoothed, for lip sync; TDM_NEVER: not known. */
    tdm_time recent_glass[TDM_LATENCY_RECENT]; /* Of the last pictures, */
    uint32_t recent_count;                     /* so many of them since glass_now was unknown. */
    int width, height;
    uint64_t video_kept, audio_kept; /* Ever put into the rings below. */
    struct tdm_video_trace videos[TDM_LATENCY_KEPT];
    struct tdm_audio_trace audios[TDM_LATENCY_KEPT];
};

void tdm_latency_init(struct tdm_latency *l);
void tdm_latency_video(struct tdm_latency *l, const struct tdm_video_trace *trace);
void tdm_latency_audio(struct tdm_latency *l, const struct tdm_audio_trace *trace);

/** What each stage took; false when not all of it is known. */
bool tdm_latency_video_parts(const struct tdm_video_trace *trace, tdm_time parts[TDM_VIDEO_STAGES]);
bool tdm_latency_audio_parts(const struct tdm_audio_trace *trace, tdm_time parts[TDM_AUDIO_STAGES]);

const char *tdm_latency_video_stage(uint8_t index);
const char *tdm_latency_audio_stage(uint8_t index);

/** Pictures stop on purpose (hold, video dropped) or go on: a gap in between is no freeze, nor is
 *  the one behind a last picture that was still under way. */
void tdm_latency_pause(struct tdm_latency *l, bool paused);

/** Fills the latency part of the public statistics. */
void tdm_latency_stats(const struct tdm_latency *l, struct tandem_stats *stats);

/** Chrome-trace JSON (the "JSON Array Format" of the Trace Event Format document). TDM_E_SYSTEM
 *  with a cause when the file cannot be written. */
enum tdm_err tdm_latency_write_trace(const struct tdm_latency *l, const char *path,
                                     struct tdm_cause *cause);

#endif

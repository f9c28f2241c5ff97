/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_RECORDER_H
#define TDM_RENDER_RECORDER_H

/*
 * Writes a call into a Matroska file: coded video as it came (never coded again) and sound as
 * PCM, on one clock. The two push functions run on two media threads and only copy into rings; a
 * worker thread owns libavformat and the disk. A ring that is full drops and counts.
 *
 * Recording starts with the first key frame (from the first sound when there is no video); the
 * parameter sets in it go into the header. The file is written in short clusters and flushed, so
 * that after a crash or a full disk everything up to the last second opens.
 */

#include "engine/base/codec_id.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_recorder_config {
    enum tdm_codec_id video; /* Any video codec, its frames as decoders take them (codecs/codec.h);
                                TDM_CODEC_NONE: no picture. */
    int width, height;       /* Of the first pictures; the stream itself may change later. */
    uint32_t sample_hz;      /* 0: no sound. */
    uint8_t channels;        /* 1 or 2. */
};

struct tdm_recorder;

/** Control thread. Makes the file at once, so that a path that cannot be written fails here. */
enum tdm_err tdm_recorder_create(const char *path, const struct tdm_recorder_config *config,
                                 struct tdm_recorder **recorder, struct tdm_cause *cause);

/** One access unit or frame; `time` is when it was captured or is to be shown, on the clock that
 *  the sound uses too. Copied. One thread. */
void tdm_recorder_video(struct tdm_recorder *rec, const uint8_t *data, size_t size, bool keyframe,
                        tdm_time time);

/** A block of interleaved sound whose first sample is of `time`. Copied. One thread. Jitter of
 *  `time` against the sample count is evened out; a gap stays a gap. */
void tdm_recorder_audio(struct tdm_recorder *rec, const int16_t *pcm, uint32_t samples,
                        tdm_time time);

/** TDM_OK while it writes; the error with its cause once after writing failed (then it drops
 *  everything), TDM_OK again from then on. Control thread. */
enum tdm_err tdm_recorder_error(struct tdm_recorder *rec, struct tdm_cause *cause);

struct tdm_recorder_stats {
    uint64_t video_frames, audio_samples; /* Written. */
    uint32_t dropped;                     /* Pushes that found no room, and all after an error. */
};

struct tdm_recorder_stats tdm_recorder_stats(const struct tdm_recorder *rec);

/** Writes what is queued and the end of the file. Control thread, after both pushers stopped. */
void tdm_recorder_destroy(struct tdm_recorder *rec);

#endif

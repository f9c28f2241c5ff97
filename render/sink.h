/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_SINK_H
#define TDM_RENDER_SINK_H

/*
 * Sink tables: where pictures and sound go. A sink is one file render/NAME.c, listed in
 * render/registry.c and named by a spec string:
 *
 *   video  window[:TITLE]  null
 *   audio  speaker[:DEVICE]  wav:PATH  null
 *
 * (The recorder, render/recorder.h, takes coded video and played sound and is not in the tables.)
 *
 * A video sink owns a thread; pictures reach it through a latest-frame mailbox, so `show` never
 * waits and never allocates. An audio sink owns the device thread or callback and PULLS.
 */

#include "engine/base/err.h"
#include "engine/base/picture.h"
#include "engine/base/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a sink tells back. Called on the sink's thread; must not block. */
struct tdm_video_sink_events {
    void *arg;
    /** The picture's trace, closed with TDM_STAGE_PRESENTED. `pic` is as shown, borrowed; it lets
     *  a test read the time code back from the pixels. */
    void (*presented)(void *arg, const struct tdm_frame_trace *trace,
                      const struct tdm_picture *pic);
    /** A key was pressed: a printable ASCII character, or one of enum tdm_key. */
    void (*key)(void *arg, int key);
    /** The user closed the window. */
    void (*closed)(void *arg);
};

enum tdm_key { TDM_KEY_ESCAPE = 27, TDM_KEY_ENTER = 13, TDM_KEY_F11 = 0x100 };

struct tdm_video_sink_config {
    const char *argument; /* After the colon. Borrowed for create. */
    int width, height;    /* First window size; pictures of any size may follow. */
    struct tdm_video_sink_events events;
};

struct tdm_video_sink;

struct tdm_video_sink_ops {
    const char *kind;

    enum tdm_err (*create)(const struct tdm_video_sink_config *config, struct tdm_video_sink **sink,
                           struct tdm_cause *cause);
    void (*destroy)(struct tdm_video_sink *sink);

    /** Shows the other side's picture as soon as possible: copies it (any size up to
     *  TDM_PICTURE_SIDE_MAX a side that the sink has storage for) into the mailbox and wakes the
     *  sink. Decode thread only. */
    void (*show)(struct tdm_video_sink *sink, const struct tdm_picture *pic,
                 const struct tdm_frame_trace *trace);

    /** Own picture for the corner; NULL where the sink has no corner. Encode thread only. */
    void (*show_self)(struct tdm_video_sink *sink, const struct tdm_picture *pic);

    /** Text lines of the overlay ("" = none) and the one-line state; copied. Control thread. May be
     * NULL. */
    void (*set_overlay)(struct tdm_video_sink *sink, const char *text);

    /** Full screen on or off. Control thread. May be NULL. */
    void (*set_fullscreen)(struct tdm_video_sink *sink, bool on);
};

struct tdm_audio_sink_config {
    const char *argument;
    uint32_t sample_hz; /* 48000. */
    uint8_t channels;   /* 1 or 2. */
    void *arg;
    /** Asks for exactly `samples` per channel, interleaved, to be heard from `play_at` (local
     *  clock, an estimate that includes the device's own delay). Runs on the device's thread: must
     *  not block, lock or allocate. */
    void (*pull)(void *arg, int16_t *pcm, uint32_t samples, tdm_time now, tdm_time play_at);
};

struct tdm_audio_sink;

struct tdm_audio_sink_ops {
    const char *kind;

    /** Starts pulling at once; on return the first pull may have run. */
    enum tdm_err (*create)(const struct tdm_audio_sink_config *config, struct tdm_audio_sink **sink,
                           struct tdm_cause *cause);
    /** No pull runs after it returns. */
    void (*destroy)(struct tdm_audio_sink *sink);
};

const struct tdm_video_sink_ops *tdm_video_sink_find(const char *spec, const char **argument,
                                                     struct tdm_cause *cause);
const struct tdm_audio_sink_ops *tdm_audio_sink_find(const char *spec, const char **argument,
                                                     struct tdm_cause *cause);

#endif

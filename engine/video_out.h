/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_VIDEO_OUT_H
#define TDM_ENGINE_VIDEO_OUT_H

/*
 * The video-out side of one call: a decode thread that decodes each whole frame as it arrives, or
 * when its sound is nearly due, and hands the picture to the sink, where the newest wins; and what
 * comes back from the sink when a picture is on the glass.
 */

#include "engine/base/picture.h"
#include "engine/base/trace.h"
#include "engine/link.h"

/** A shown frame, for reports. */
struct tdm_video_trace {
    struct tdm_frame_trace trace;
    tdm_time pixel_captured; /* Read back from the shown picture; TDM_NEVER when there is none. */
    int width, height;
};

/** Takes each coded frame that decoded, for the recorder. Decode thread; must not block. */
typedef void tdm_coded_fn(void *arg, enum tdm_codec_id codec, const uint8_t *data, size_t size,
                          bool keyframe, int width, int height, tdm_time at);

struct tdm_video_out_config {
    struct tdm_link *link;
    int control_wake;
    const char *sink; /* Spec; "off" decodes and shows nowhere. Borrowed for create. */
    int width, height;
    bool read_time_code;
    tdm_coded_fn *coded; /* NULL: nobody listens. */
    void *coded_arg;
    const char *sheet_path; /* Contact sheet, NULL: none. Borrowed for create. */
    tdm_time sheet_every;
};

struct tdm_video_out_stats {
    uint64_t decoded, errors;
    double decode_ms; /* Mean. */
};

struct tdm_video_out;

enum tdm_err tdm_video_out_create(const struct tdm_video_out_config *config,
                                  struct tdm_video_out **out, struct tdm_cause *cause);

/** Ends the thread and the sink; writes the contact sheet. */
void tdm_video_out_destroy(struct tdm_video_out *out);

enum tdm_err tdm_video_out_set_sink(struct tdm_video_out *out, const char *spec,
                                    struct tdm_cause *cause);

/** From now on pictures are shown when they are so old, if they are not older by then (lipsync.h).
 */
void tdm_video_out_age(struct tdm_video_out *out, tdm_time age);

/** Own picture for the corner; encode thread, which is paused while the sink is swapped. */
void tdm_video_out_self_view(void *out, const struct tdm_picture *pic);

void tdm_video_out_set_overlay(struct tdm_video_out *out, const char *text);
void tdm_video_out_set_fullscreen(struct tdm_video_out *out, bool on);

/** The oldest report not yet taken. One thread. */
bool tdm_video_out_next_trace(struct tdm_video_out *out, struct tdm_video_trace *trace);

/** The oldest key pressed, or TDM_VIDEO_OUT_CLOSED when the user closed the window. */
#define TDM_VIDEO_OUT_CLOSED (-1)
bool tdm_video_out_next_key(struct tdm_video_out *out, int *key);

void tdm_video_out_stats_of(const struct tdm_video_out *out, struct tdm_video_out_stats *stats);

/** Writes the picture shown next as PNG; waits for it up to a second. */
enum tdm_err tdm_video_out_snapshot(struct tdm_video_out *out, const char *path,
                                    struct tdm_cause *cause);

#endif

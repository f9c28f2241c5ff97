/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_VIDEO_IN_H
#define TDM_ENGINE_VIDEO_IN_H

/*
 * The video-in thread of one call: source, encoder, slices to the net thread as they finish. It
 * decides which pictures are not encoded at all (when what was sent still waits for the pacer, or
 * there are fewer a second than the source gives), how large they are
 * (engine/core/picture_steps.h), and hands each frame its byte budget. When its source is gone it
 * goes on with a dark picture.
 */

#include "codecs/codec.h"
#include "engine/base/picture.h"
#include "engine/core/picture_steps.h"
#include "engine/link.h"

/** Own picture, for the corner of the window. Called on this thread; must not block. */
typedef void tdm_self_view_fn(void *arg, const struct tdm_picture *pic);

struct tdm_video_in_config {
    struct tdm_link *link;
    int control_wake;
    const char *source;                          /* Spec. Borrowed for create. */
    const struct tdm_video_encoder_ops *encoder; /* NULL: create says that there is none. */
    const char *preset; /* One of the encoder's or "". Borrowed likewise. */
    unsigned threads;
    int width, height;
    uint32_t fps, bitrate_bps;
    uint32_t slice_bytes_max;
    const char *fmtp; /* Borrowed for create. */
    bool references;  /* The other side tells what it has; the encoder can go by that. */
    bool time_code;
    tdm_self_view_fn *self_view;
    void *self_view_arg;
};

struct tdm_video_in_stats {
    uint64_t captured, encoded, skipped;
    uint64_t cut;              /* Coded, and the net thread had no room for all of it. */
    double fill, fill_squared; /* Sums over the coded pictures: what they took of their budgets. */
    int width, height;         /* As it is coded now, */
    uint32_t fps;
    enum tdm_picture_why why; /* and why not as the user wants it. */
    double encode_ms;         /* Mean. */
};

struct tdm_video_in;

enum tdm_err tdm_video_in_create(const struct tdm_video_in_config *config, struct tdm_video_in **in,
                                 struct tdm_cause *cause);
void tdm_video_in_destroy(struct tdm_video_in *in);

/** Swaps the source; on failure the old one goes on. Between a screen and anything else the encoder
 *  is opened anew, for the other content. */
enum tdm_err tdm_video_in_set_source(struct tdm_video_in *in, const char *spec,
                                     struct tdm_cause *cause);

/** Stops the thread, and starts it again: for as long as the self view's taker is being swapped. */
void tdm_video_in_pause(struct tdm_video_in *in);
enum tdm_err tdm_video_in_resume(struct tdm_video_in *in, struct tdm_cause *cause);

/** Camera off: a dark picture instead of the source's. */
void tdm_video_in_dark(struct tdm_video_in *in, bool on);

/** Makes the encoder for another size when the encode thread wants one; control thread, after each
 *  wake. */
void tdm_video_in_follow(struct tdm_video_in *in);

bool tdm_video_in_notice(struct tdm_video_in *in, struct tdm_cause *notice);
void tdm_video_in_stats_of(const struct tdm_video_in *in, struct tdm_video_in_stats *stats);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_MEDIA_FILE_H
#define TDM_CAPTURE_MEDIA_FILE_H

/*
 * One stream of a media file, decoded frame by frame in passes. Decides nothing about pace: the
 * file sources do. Pass time runs from the file's start; a pass lasts `loop`, the same for every
 * stream of the file, so that sound and picture of one file stay together.
 *
 * Only local files are opened, whatever the file's own contents refer to.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <libavutil/avutil.h>
#include <libavutil/frame.h>
#include <stdbool.h>
#include <stdint.h>

struct AVFormatContext;
struct AVCodecContext;
struct AVPacket;

struct tdm_media_file {
    struct AVFormatContext *format;
    struct AVCodecContext *decoder;
    struct AVPacket *packet;
    AVFrame *frame;
    int stream;
    tdm_time start;    /* The file's own first time. */
    tdm_time loop;     /* Multiple of 10 ms; 0 when the file does not say. */
    tdm_time promised; /* How long the file says it is; 0 when it does not. */
    tdm_time last_end; /* Pass time at which the last frame ended. */
    tdm_time file_end; /* Pass time up to which this pass has read packets of any stream. */
    uint32_t pass_frames, errors_in_row;
    bool draining, partial_pass;
    char name[100];
};

/** `kind` is AVMEDIA_TYPE_VIDEO or _AUDIO. Close also after a failure. Zero-init the struct first.
 */
enum tdm_err tdm_media_file_open(struct tdm_media_file *f, const char *path, enum AVMediaType kind,
                                 struct tdm_cause *cause);
void tdm_media_file_close(struct tdm_media_file *f);

/** Starts a pass at or before the pass time `at`. */
enum tdm_err tdm_media_file_seek(struct tdm_media_file *f, tdm_time at, struct tdm_cause *cause);

/**
 * Decodes the next frame: `f->frame`, valid until the next call.
 *
 * @param at  Its pass time.
 * @return TDM_OK; TDM_E_AGAIN at the end of the pass (seek to 0); TDM_E_GONE when the file is
 *         damaged or cut off.
 */
enum tdm_err tdm_media_file_next(struct tdm_media_file *f, tdm_time *at, struct tdm_cause *cause);

#endif

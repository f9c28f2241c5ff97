/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_FIT_H
#define TDM_CAPTURE_FIT_H

/*
 * Fits a raw picture of any size and pixel format into an I420 picture: keeps the aspect, black
 * bars on the free sides, full range turned into limited range. Calls libswscale, bracketed as
 * foreign, but for what a screen or most cameras give it only scales: engine/base has their colours
 * and ranges several times faster. One thread.
 */

#include "engine/base/picture.h"

#include <libavutil/frame.h>
#include <libavutil/pixfmt.h>
#include <stdbool.h>

struct tdm_raw_picture {
    const uint8_t *data[4];
    int strides[4];
    int width, height;
    enum AVPixelFormat format;
    bool full_range;
    int aspect_num, aspect_den; /* Of one pixel; 0/x or x/0 means square. */
};

struct SwsContext;

enum tdm_fit_way {
    TDM_FIT_NOT_READY,
    TDM_FIT_BY_LIBRARY,    /* All of it. */
    TDM_FIT_CONVERT,       /* Ours alone: it has the size that is wanted. */
    TDM_FIT_CONVERT_FIRST, /* Ours at its own size, then the library shrinks it. */
};

struct tdm_fit {
    enum tdm_fit_way way;
    struct SwsContext *sws;
    struct tdm_raw_picture shape; /* What all this was made for; data unused. */
    uint8_t *full_storage;        /* Converted, of full size. */
    struct tdm_picture full;
    int left, top, width, height; /* Where in the target. */
    /* libswscale writes beyond a row of odd width: then it writes here first. */
    uint8_t *scratch;
    size_t scratch_bytes;
    struct tdm_picture staged; /* Over the scratch. */
    bool is_staged;
};

/** Borrows the frame's planes. */
struct tdm_raw_picture tdm_raw_of_frame(const AVFrame *frame);

/** Takes its memory, for targets up to this size; false when there is none. Zero-init first. */
bool tdm_fit_open(struct tdm_fit *fit, int width, int height);

/** TDM_E_UNSUPPORTED for a format or size that cannot be converted. The first picture of a shape
 *  makes libswscale set itself up for it. */
enum tdm_err tdm_fit_into(struct tdm_fit *fit, const struct tdm_raw_picture *raw,
                          struct tdm_picture *pic);

/** Also after an open that failed, and without one. */
void tdm_fit_close(struct tdm_fit *fit);

#endif

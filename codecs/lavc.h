/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_LAVC_H
#define TDM_CODECS_LAVC_H

/*
 * One of libavcodec's video decoders as codec.h wants it: one thread, no delay, one coded picture
 * in and its picture out, sizes bounded, silent. It tells what libavcodec says of damage; what it
 * conceals without a word its users have to see themselves (avc_stream.h, hevc_stream.h).
 */

#include "engine/base/picture.h"

#include <stdbool.h>

#include <libavcodec/avcodec.h>

struct tdm_lavc {
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *frame; /* Holds the picture that the caller reads until the next call. */
    AVFrame *next;
    bool marks; /* Blocks that no slice covered are looked for. */
};

/** False when libavcodec has no such decoder or no memory; close all the same. */
bool tdm_lavc_open(struct tdm_lavc *l, enum AVCodecID id);

/** Has it find the blocks of a picture that no slice covered: libavcodec's H.265 decoder shows what
 *  was in the memory before. Right after opening. */
void tdm_lavc_mark(struct tdm_lavc *l);

void tdm_lavc_close(struct tdm_lavc *l);

/** Decodes; false when libavcodec says that the data is bad. `frame` is empty when there is no
 *  picture. `size` at most INT_MAX - TDM_DECODER_PADDING. */
bool tdm_lavc_run(struct tdm_lavc *l, const uint8_t *data, size_t size);

bool tdm_lavc_has_picture(const struct tdm_lavc *l);

/** Whether libavcodec marked the picture as concealed, or a block of it was never coded. */
bool tdm_lavc_is_damaged(const struct tdm_lavc *l);

/** Points `pic` at the picture; TDM_E_UNSUPPORTED unless it is 8-bit 4:2:0 within the limits. */
enum tdm_err tdm_lavc_show(const struct tdm_lavc *l, struct tdm_picture *pic);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * H.264 decoding by libavcodec: one thread, no delay, one access unit in and its picture out.
 *
 * Damage is never shown as if it were the picture. libavcodec conceals lost slices and missing
 * references; avc_stream.h sees the missing references, the frame's error flags tell of lost
 * slices, and from then on pictures are decoded (they carry the recovery) but refused, until the
 * stream is right again by an IDR picture, an intra picture or a finished intra refresh.
 */
#include "codecs/avc_stream.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <limits.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>

#define QUIET 100 /* Added to the level of each message (at most 56): past every threshold. */

struct avc_decoder {
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *frame; /* Holds the picture that the caller reads until the next call. */
    AVFrame *next;
    struct tdm_avc_stream stream;
};

/* Decodes; false when libavcodec says that the data is bad. `frame` is empty when there is no
 * picture. More than one picture cannot be waiting, but if there were the newest would win. */
static bool run(struct avc_decoder *d, const uint8_t *data, size_t size)
{
    tdm_rt_foreign_enter();
    av_frame_unref(d->frame);
    d->packet->data = (uint8_t *)(uintptr_t)data; /* Borrowed: libavcodec copies what it keeps. */
    d->packet->size = (int)size;
    d->context->has_b_frames = 0; /* Never learns to hold pictures back for reordering. */
    bool ok = avcodec_send_packet(d->context, d->packet) >= 0;

    while (avcodec_receive_frame(d->context, d->next) >= 0) {
        av_frame_unref(d->frame);
        av_frame_move_ref(d->frame, d->next);
    }
    tdm_rt_foreign_leave();
    return ok;
}

static bool is_damaged(const AVFrame *frame)
{
    return frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

static enum tdm_err show(const AVFrame *frame, struct tdm_picture *pic)
{
    if ((frame->format != AV_PIX_FMT_YUV420P && frame->format != AV_PIX_FMT_YUVJ420P) ||
        frame->width < 2 || frame->height < 2 || frame->width > TDM_PICTURE_SIDE_MAX ||
        frame->height > TDM_PICTURE_SIDE_MAX)
        return TDM_E_UNSUPPORTED;
    for (int i = 0; i < 3; i++) {
        pic->planes[i] = frame->data[i];
        pic->strides[i] = frame->linesize[i];
    }
    pic->width = frame->width & ~1; /* An odd last column or row is cut off. */
    pic->height = frame->height & ~1;
    return TDM_OK;
}

static enum tdm_err avc_decode(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                               struct tdm_picture *pic)
{
    struct avc_decoder *d = (struct avc_decoder *)dec;
    struct tdm_avc_unit unit;

    if (size > INT_MAX - TDM_DECODER_PADDING ||
        tdm_avc_unit_parse(&d->stream, data, size, &unit) != TDM_OK) {
        tdm_avc_stream_lose(&d->stream);
        return TDM_E_MALFORMED;
    }
    if (unit.width > TDM_PICTURE_SIDE_MAX || unit.height > TDM_PICTURE_SIDE_MAX) {
        tdm_avc_stream_lose(&d->stream);
        return TDM_E_UNSUPPORTED;
    }
    bool ok = run(d, data, size);

    if (!unit.has_slice) /* libavcodec counts that as an error. */
        return TDM_E_AGAIN;
    bool picture = d->frame->buf[0] != NULL;

    tdm_avc_stream_advance(&d->stream, &unit);
    if (!ok || (picture && is_damaged(d->frame)))
        tdm_avc_stream_lose(&d->stream);
    if (!d->stream.in_sync)
        return TDM_E_MALFORMED;
    return picture ? show(d->frame, pic) : TDM_E_AGAIN;
}

static void avc_destroy(struct tdm_video_decoder *dec)
{
    struct avc_decoder *d = (struct avc_decoder *)dec;

    if (!d)
        return;
    avcodec_free_context(&d->context);
    av_packet_free(&d->packet);
    av_frame_free(&d->frame);
    av_frame_free(&d->next);
    free(d);
}

static bool open_context(struct avc_decoder *d, const AVCodec *codec)
{
    d->context = avcodec_alloc_context3(codec);
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    d->next = av_frame_alloc();
    if (!d->context || !d->packet || !d->frame || !d->next)
        return false;
    d->context->thread_count = 1;
    d->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    d->context->err_recognition = AV_EF_EXPLODE | AV_EF_BITSTREAM | AV_EF_BUFFER;
    d->context->max_pixels = (int64_t)TDM_PICTURE_SIDE_MAX * TDM_PICTURE_SIDE_MAX;
    d->context->log_level_offset = QUIET;
    return avcodec_open2(d->context, codec, NULL) >= 0;
}

static enum tdm_err avc_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct avc_decoder *d = calloc(1, sizeof *d);
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);

    if (!d || !codec || !open_context(d, codec)) {
        avc_destroy((struct tdm_video_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "libavcodec did not open its H.264 decoder.");
    }
    *dec = (struct tdm_video_decoder *)d;
    return TDM_OK;
}

const struct tdm_video_decoder_ops tdm_avc_decoder = {
    .id = TDM_CODEC_H264,
    .create = avc_create,
    .destroy = avc_destroy,
    .decode = avc_decode,
};

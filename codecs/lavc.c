/* SPDX-License-Identifier: MIT */
#include "codecs/lavc.h"

#include "engine/base/rt.h"

#include <string.h>

#define QUIET 100 /* Added to the level of each message (at most 56): past every threshold. */

#define BLOCK 16 /* No coding tree block of H.265 is smaller. */

/* Outside what video uses, and no smooth picture. They stand in the middle of each block, where
 * neither a neighbour's loop filter nor its offsets reach. */
static const uint8_t mark[4] = {1, 254, 2, 253};

static uint8_t *mark_at(const AVFrame *frame, int x, int y)
{
    /* Where the plane begins before anything is cut off. */
    return frame->buf[0]->data + (ptrdiff_t)(y + BLOCK / 2) * frame->linesize[0] + x + BLOCK / 2;
}

/* AVCodecContext.get_buffer2. */
static int get_marked(AVCodecContext *context, AVFrame *frame, int flags)
{
    int err = avcodec_default_get_buffer2(context, frame, flags);

    for (int y = 0; err >= 0 && y + BLOCK <= context->coded_height; y += BLOCK)
        for (int x = 0; x + BLOCK <= context->coded_width; x += BLOCK)
            memcpy(mark_at(frame, x, y), mark, sizeof mark);
    return err;
}

/* The picture may be of another size than the one that was coded last. */
static bool has_mark(const AVCodecContext *context, const AVFrame *frame)
{
    int rows = (int)(frame->buf[0]->size / (size_t)frame->linesize[0]);
    int width =
        context->coded_width < frame->linesize[0] ? context->coded_width : frame->linesize[0];
    int height = context->coded_height < rows ? context->coded_height : rows;

    for (int y = 0; y + BLOCK <= height; y += BLOCK)
        for (int x = 0; x + BLOCK <= width; x += BLOCK)
            if (memcmp(mark_at(frame, x, y), mark, sizeof mark) == 0)
                return true;
    return false;
}

void tdm_lavc_mark(struct tdm_lavc *l)
{
    l->context->get_buffer2 = get_marked;
    l->marks = true;
}

bool tdm_lavc_open(struct tdm_lavc *l, enum AVCodecID id)
{
    const AVCodec *codec = avcodec_find_decoder(id);

    if (!codec)
        return false;
    l->context = avcodec_alloc_context3(codec);
    l->packet = av_packet_alloc();
    l->frame = av_frame_alloc();
    l->next = av_frame_alloc();
    if (!l->context || !l->packet || !l->frame || !l->next)
        return false;
    l->context->thread_count = 1;
    l->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    l->context->err_recognition = AV_EF_EXPLODE | AV_EF_BITSTREAM | AV_EF_BUFFER;
    l->context->max_pixels = (int64_t)TDM_PICTURE_SIDE_MAX * TDM_PICTURE_SIDE_MAX;
    l->context->log_level_offset = QUIET;
    return avcodec_open2(l->context, codec, NULL) >= 0;
}

void tdm_lavc_close(struct tdm_lavc *l)
{
    avcodec_free_context(&l->context);
    av_packet_free(&l->packet);
    av_frame_free(&l->frame);
    av_frame_free(&l->next);
}

/* More than one picture cannot be waiting, but if there were the newest would win. */
bool tdm_lavc_run(struct tdm_lavc *l, const uint8_t *data, size_t size)
{
    tdm_rt_foreign_enter();
    av_frame_unref(l->frame);
    l->packet->data = (uint8_t *)(uintptr_t)data; /* Borrowed: libavcodec copies what it keeps. */
    l->packet->size = (int)size;
    l->context->has_b_frames = 0; /* Never learns to hold pictures back for reordering. */
    bool ok = avcodec_send_packet(l->context, l->packet) >= 0;

    while (avcodec_receive_frame(l->context, l->next) >= 0) {
        av_frame_unref(l->frame);
        av_frame_move_ref(l->frame, l->next);
    }
    tdm_rt_foreign_leave();
    return ok;
}

bool tdm_lavc_has_picture(const struct tdm_lavc *l)
{
    return l->frame->buf[0] != NULL;
}

bool tdm_lavc_is_damaged(const struct tdm_lavc *l)
{
    return l->frame->decode_error_flags != 0 || (l->frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 ||
           (l->marks && has_mark(l->context, l->frame));
}

enum tdm_err tdm_lavc_show(const struct tdm_lavc *l, struct tdm_picture *pic)
{
    const AVFrame *frame = l->frame;

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

/* SPDX-License-Identifier: MIT */
/* Pixels through libavcodec's decoders, which work alone and within the sizes that were checked. */
#include "board/image.h"

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const enum AVCodecID codecs[] = {AV_CODEC_ID_PNG, AV_CODEC_ID_MJPEG, AV_CODEC_ID_WEBP};

/* What a cut file lacks is grey: without this it is green, as zeros are in YUV. */
static int grey_buffer(AVCodecContext *context, AVFrame *frame, int flags)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
    int err = avcodec_default_get_buffer2(context, frame, flags);

    for (int i = 0; err >= 0 && format && !(format->flags & AV_PIX_FMT_FLAG_RGB) &&
                    i < AV_NUM_DATA_POINTERS && frame->buf[i];
         i++)
        memset(frame->buf[i]->data, 128, frame->buf[i]->size);
    return err;
}

static AVFrame *decode(const struct tdm_image_info *info, const uint8_t *data, size_t size)
{
    const AVCodec *codec = avcodec_find_decoder(codecs[info->format]);
    AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    bool good = context && packet && frame && av_new_packet(packet, (int)size) == 0;

    av_log_set_level(AV_LOG_QUIET); /* Our causes tell what matters. */
    if (good) {
        memcpy(packet->data, data, size);
        context->thread_count = 1;
        context->max_pixels = TDM_IMAGE_PIXELS_MAX;
        context->get_buffer2 = grey_buffer;
        good =
            avcodec_open2(context, codec, NULL) == 0 && avcodec_send_packet(context, packet) == 0 &&
            avcodec_send_packet(context, NULL) == 0 && avcodec_receive_frame(context, frame) == 0 &&
            /* The head that was believed is the one that was decoded. */
            frame->width == (int)info->width && frame->height == (int)info->height;
    }
    avcodec_free_context(&context);
    av_packet_free(&packet);
    if (!good)
        av_frame_free(&frame);
    return frame;
}

static void premultiply(const struct tdm_image_pixels *p)
{
    for (uint32_t y = 0; y < p->height; y++)
        for (uint8_t *at = p->bgra + y * p->stride, *end = at + 4 * (size_t)p->width; at < end;
             at += 4)
            for (int i = 0; i < 3 && at[3] != 255; i++)
                at[i] = (uint8_t)((at[i] * at[3] + 127) / 255);
}

static bool convert(struct tdm_image_pixels *p, const AVFrame *frame)
{
    struct SwsContext *sws = sws_getContext(
        frame->width, frame->height, (enum AVPixelFormat)frame->format, frame->width, frame->height,
        AV_PIX_FMT_BGRA, SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    uint8_t *planes[4] = {p->bgra};
    int strides[4] = {(int)p->stride};
    bool good = sws && sws_scale(sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
                                 frame->height, planes, strides) == frame->height;

    sws_freeContext(sws);
    if (good)
        premultiply(p);
    return good;
}

enum tdm_err tdm_image_decode(struct tdm_image_pixels *pixels, const uint8_t *data, size_t size,
                              struct tdm_cause *cause)
{
    struct tdm_image_info info;
    enum tdm_err err = tdm_image_look(&info, data, size);

    *pixels = (struct tdm_image_pixels){.bgra = NULL};
    if (err == TDM_E_SPACE)
        return tdm_fail(cause, err, "an image of %u x %u is too large: make it smaller", info.width,
                        info.height);
    if (err != TDM_OK)
        return tdm_fail(cause, err, "this image cannot be read: use PNG, JPEG or WebP");
    AVFrame *frame = size < INT32_MAX / 2 ? decode(&info, data, size) : NULL;

    if (!frame)
        return tdm_fail(cause, TDM_E_MALFORMED, "this image is spoiled");
    pixels->width = info.width;
    pixels->height = info.height;
    pixels->stride = ((size_t)4 * info.width + 63) / 64 * 64;
    pixels->bgra = aligned_alloc(64, pixels->stride * info.height);
    if (!pixels->bgra)
        err = tdm_fail(cause, TDM_E_SYSTEM, "no memory for an image");
    else if (!convert(pixels, frame))
        err = tdm_fail(cause, TDM_E_UNSUPPORTED, "this image's pixels are of a kind not known");
    av_frame_free(&frame);
    if (err != TDM_OK)
        tdm_image_free(pixels);
    return err;
}

void tdm_image_free(struct tdm_image_pixels *pixels)
{
    free(pixels->bgra);
    *pixels = (struct tdm_image_pixels){.bgra = NULL};
}

/* SPDX-License-Identifier: MIT */
#include "capture/fit.h"

#include "engine/base/bgrx.h"
#include "engine/base/full_range.h"
#include "engine/base/rt.h"

#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#define RAW_SIDE_MAX 16384
#define ROW_ALIGN    64 /* Rows of a multiple of it take no writes beyond their end. */

/* The "J" formats are the plain ones in full range; libswscale warns about the old names. */
static enum AVPixelFormat plain_format(enum AVPixelFormat format, bool *full_range)
{
    static const struct {
        enum AVPixelFormat old, plain;
    } names[] = {
        {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
        {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
        {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
        {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (format == names[i].old) {
            *full_range = true;
            return names[i].plain;
        }
    }
    return format;
}

struct tdm_raw_picture tdm_raw_of_frame(const AVFrame *frame)
{
    struct tdm_raw_picture raw = {
        .width = frame->width,
        .height = frame->height,
        .full_range = frame->color_range == AVCOL_RANGE_JPEG,
        .aspect_num = frame->sample_aspect_ratio.num,
        .aspect_den = frame->sample_aspect_ratio.den,
    };

    raw.format = plain_format((enum AVPixelFormat)frame->format, &raw.full_range);
    for (int i = 0; i < 4; i++) {
        raw.data[i] = frame->data[i];
        raw.strides[i] = frame->linesize[i];
    }
    return raw;
}

static bool same_shape(const struct tdm_raw_picture *a, const struct tdm_raw_picture *b)
{
    return a->width == b->width && a->height == b->height && a->format == b->format &&
           a->full_range == b->full_range && a->aspect_num == b->aspect_num &&
           a->aspect_den == b->aspect_den;
}

/* The largest even rectangle of the raw picture's aspect inside `pic`, centred. */
static void place(struct tdm_fit *fit, const struct tdm_raw_picture *raw,
                  const struct tdm_picture *pic)
{
    bool square = raw->aspect_num <= 0 || raw->aspect_den <= 0;
    double aspect = (double)raw->width / raw->height *
                    (square ? 1.0 : (double)raw->aspect_num / raw->aspect_den);
    double width = pic->height * aspect;

    fit->width = width < pic->width ? (int)(width / 2 + 0.5) * 2 : pic->width;
    double height = width < pic->width ? pic->height : pic->width / aspect;

    fit->height = (int)(height / 2 + 0.5) * 2;
    fit->width = fit->width < 2 ? 2 : fit->width;
    fit->height = fit->height < 2 ? 2 : fit->height > pic->height ? pic->height : fit->height;
    fit->left = (pic->width - fit->width) / 2 & ~1;
    fit->top = (pic->height - fit->height) / 2 & ~1;
}

/* The ranges are set before the context is made: later, a plain copy is already chosen. */
static struct SwsContext *make_context(const struct tdm_fit *fit, const struct tdm_raw_picture *raw)
{
    struct SwsContext *sws = sws_alloc_context();
    bool converted = fit->way == TDM_FIT_CONVERT_FIRST;
    const struct {
        const char *name;
        int64_t value;
    } options[] = {
        {"srcw", raw->width},
        {"srch", raw->height},
        {"src_format", converted ? AV_PIX_FMT_YUV420P : raw->format},
        {"src_range", raw->full_range && !converted},
        {"dstw", fit->width},
        {"dsth", fit->height},
        {"dst_format", AV_PIX_FMT_YUV420P},
        {"dst_range", 0},
        {"sws_flags", SWS_BILINEAR},
    };
    bool good = sws;

    for (size_t i = 0; good && i < sizeof options / sizeof *options; i++)
        good = av_opt_set_int(sws, options[i].name, options[i].value, 0) >= 0;
    if (good && sws_init_context(sws, NULL, NULL) >= 0)
        return sws;
    sws_freeContext(sws);
    return NULL;
}

static int row_stride(int width)
{
    return (width + 2 * ROW_ALIGN) / ROW_ALIGN * ROW_ALIGN;
}

bool tdm_fit_open(struct tdm_fit *fit, int width, int height)
{
    fit->scratch_bytes = tdm_picture_bytes(row_stride(width), height);
    fit->scratch = av_malloc(fit->scratch_bytes + ROW_ALIGN);
    return fit->scratch;
}

/* As a screen has it, and as a camera's JPEG does. */
static bool is_ours(const struct tdm_raw_picture *raw)
{
    return (raw->format == AV_PIX_FMT_BGR0 && !raw->full_range) ||
           ((raw->format == AV_PIX_FMT_YUV422P || raw->format == AV_PIX_FMT_YUV420P) &&
            raw->full_range);
}

static void convert(struct tdm_picture *to, const struct tdm_raw_picture *raw)
{
    const struct tdm_full_range planes = {
        .planes = {raw->data[0], raw->data[1], raw->data[2]},
        .strides = {raw->strides[0], raw->strides[1], raw->strides[2]},
        .chroma_rows = raw->format == AV_PIX_FMT_YUV422P ? 2 : 1,
    };

    if (raw->format == AV_PIX_FMT_BGR0)
        tdm_bgrx_to_i420(to, raw->data[0], raw->strides[0]);
    else
        tdm_full_range_limit(to, &planes);
}

/* Enlarging what has a quarter of its colours would show. */
static enum tdm_fit_way choose_way(struct tdm_fit *fit, const struct tdm_raw_picture *raw)
{
    if (!is_ours(raw) || raw->width % 2 || raw->height % 2 || raw->width > TDM_PICTURE_SIDE_MAX ||
        raw->height > TDM_PICTURE_SIDE_MAX || raw->width < fit->width || raw->height < fit->height)
        return TDM_FIT_BY_LIBRARY;
    if (raw->width == fit->width && raw->height == fit->height)
        return TDM_FIT_CONVERT;
    fit->full_storage = av_malloc(tdm_picture_bytes(raw->width, raw->height));
    if (!fit->full_storage)
        return TDM_FIT_BY_LIBRARY;
    tdm_picture_over(&fit->full, fit->full_storage, raw->width, raw->height);
    return TDM_FIT_CONVERT_FIRST;
}

static void forget(struct tdm_fit *fit)
{
    fit->way = TDM_FIT_NOT_READY;
    sws_freeContext(fit->sws);
    fit->sws = NULL;
    av_freep(&fit->full_storage);
}

static enum tdm_err prepare(struct tdm_fit *fit, const struct tdm_raw_picture *raw,
                            struct tdm_picture *pic)
{
    forget(fit);
    if (raw->width < 1 || raw->height < 1 || raw->width > RAW_SIDE_MAX ||
        raw->height > RAW_SIDE_MAX || !sws_isSupportedInput(raw->format))
        return TDM_E_UNSUPPORTED;
    place(fit, raw, pic);
    fit->way = choose_way(fit, raw);
    if (fit->way != TDM_FIT_CONVERT)
        fit->sws = make_context(fit, raw);
    if (fit->way != TDM_FIT_CONVERT && !fit->sws) {
        forget(fit);
        return TDM_E_UNSUPPORTED;
    }
    fit->is_staged = fit->width % ROW_ALIGN;
    if (fit->is_staged) {
        int stride = row_stride(fit->width);

        assert(tdm_picture_bytes(stride, fit->height) <= fit->scratch_bytes);
        tdm_picture_over(&fit->staged, fit->scratch, stride, fit->height);
        fit->staged.width = fit->width;
    }
    fit->shape = *raw;
    tdm_picture_fill(pic, 16, 128, 128);
    return TDM_OK;
}

static enum tdm_err scale(struct tdm_fit *fit, const struct tdm_raw_picture *raw,
                          const struct tdm_picture *pic)
{
    struct tdm_picture part = *pic;

    part.width = fit->width;
    part.height = fit->height;
    part.planes[0] += (ptrdiff_t)fit->top * part.strides[0] + fit->left;
    for (int plane = 1; plane < 3; plane++)
        part.planes[plane] += (ptrdiff_t)(fit->top / 2) * part.strides[plane] + fit->left / 2;
    if (fit->way == TDM_FIT_CONVERT) {
        convert(&part, raw);
        return TDM_OK;
    }
    const struct tdm_picture *to = fit->is_staged ? &fit->staged : &part;
    const uint8_t *const *from = raw->data;
    const int *from_strides = raw->strides;
    const uint8_t *const full[4] = {fit->full.planes[0], fit->full.planes[1], fit->full.planes[2]};

    if (fit->way == TDM_FIT_CONVERT_FIRST) {
        convert(&fit->full, raw);
        from = full;
        from_strides = fit->full.strides;
    }
    uint8_t *const planes[4] = {to->planes[0], to->planes[1], to->planes[2], NULL};
    const int strides[4] = {to->strides[0], to->strides[1], to->strides[2], 0};

    if (sws_scale(fit->sws, from, from_strides, 0, raw->height, planes, strides) <= 0)
        return TDM_E_UNSUPPORTED;
    if (fit->is_staged)
        tdm_picture_copy(&part, to);
    return TDM_OK;
}

enum tdm_err tdm_fit_into(struct tdm_fit *fit, const struct tdm_raw_picture *raw,
                          struct tdm_picture *pic)
{
    enum tdm_err err = TDM_OK;

    tdm_rt_foreign_enter();
    if (fit->way == TDM_FIT_NOT_READY || !same_shape(&fit->shape, raw))
        err = prepare(fit, raw, pic);
    if (!err)
        err = scale(fit, raw, pic);
    tdm_rt_foreign_leave();
    return err;
}

void tdm_fit_close(struct tdm_fit *fit)
{
    forget(fit);
    av_freep(&fit->scratch);
}

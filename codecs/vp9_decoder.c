/* SPDX-License-Identifier: MIT */
/*
 * VP9 decoding by libvpx, one thread. After a picture that did not decode, everything up to the
 * next keyframe is refused, as for VP8.
 */
#include "codecs/registry.h"
#include "codecs/vp9_header.h"
#include "engine/base/rt.h"

#include <stdlib.h>

#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

struct vp9_decoder {
    vpx_codec_ctx_t vpx;
    bool open;
    bool in_sync; /* A keyframe decoded, and everything since. */
};

static bool side_fits(int side)
{
    return side >= 2 && side <= TDM_PICTURE_SIDE_MAX;
}

/* Looks at all frames of the data: which of them starts afresh, is any shown, may libvpx have
 * them. */
static enum tdm_err look(const uint8_t *data, size_t size, bool *keyframe, bool *shown)
{
    struct tdm_vp9_frames frames;

    *keyframe = *shown = false;
    if (!tdm_vp9_split(&frames, data, size))
        return TDM_E_MALFORMED;
    for (int i = 0; i < frames.count; i++) {
        struct tdm_vp9_header header;

        if (!tdm_vp9_header_parse(&header, frames.data[i], frames.size[i]))
            return TDM_E_MALFORMED;
        if (header.profile != 0)
            return TDM_E_UNSUPPORTED;
        if (header.width && (!side_fits(header.width) || !side_fits(header.height)))
            return TDM_E_UNSUPPORTED;
        *keyframe |= i == 0 && header.keyframe;
        *shown |= header.shown;
    }
    return TDM_OK;
}

/* Decodes and borrows libvpx's picture, NULL for one that is not shown. False when damaged. */
static bool run(struct vp9_decoder *d, const uint8_t *data, size_t size, const vpx_image_t **image)
{
    vpx_codec_iter_t at = NULL;
    int corrupted = 1;

    tdm_rt_foreign_enter();
    bool ok = vpx_codec_decode(&d->vpx, data, (unsigned)size, NULL, 0) == VPX_CODEC_OK;

    *image = ok ? vpx_codec_get_frame(&d->vpx, &at) : NULL;
    ok = ok && vpx_codec_control(&d->vpx, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK &&
         !corrupted;
    tdm_rt_foreign_leave();
    return ok;
}

static enum tdm_err vp9_decode(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                               struct tdm_picture *pic)
{
    struct vp9_decoder *d = (struct vp9_decoder *)dec;
    const vpx_image_t *image;
    bool keyframe, shown;
    enum tdm_err err =
        size > UINT32_MAX / 2 ? TDM_E_MALFORMED : look(data, size, &keyframe, &shown);
    bool was_in_sync = d->in_sync;

    d->in_sync = false;
    if (err != TDM_OK)
        return err;
    if ((!keyframe && !was_in_sync) || !run(d, data, size, &image) || (shown && !image))
        return TDM_E_MALFORMED;
    d->in_sync = true;
    if (!shown || !image) /* It only helps the ones after it. */
        return TDM_E_AGAIN;
    if (image->fmt != VPX_IMG_FMT_I420 || !side_fits((int)image->d_w) ||
        !side_fits((int)image->d_h))
        return TDM_E_UNSUPPORTED;
    for (int i = 0; i < 3; i++) {
        pic->planes[i] = image->planes[i];
        pic->strides[i] = image->stride[i];
    }
    pic->width = (int)image->d_w & ~1; /* An odd last column or row is cut off. */
    pic->height = (int)image->d_h & ~1;
    return TDM_OK;
}

static void vp9_decoder_destroy(struct tdm_video_decoder *dec)
{
    struct vp9_decoder *d = (struct vp9_decoder *)dec;

    if (d && d->open)
        (void)vpx_codec_destroy(&d->vpx);
    free(d);
}

static enum tdm_err vp9_decoder_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct vp9_decoder *d = calloc(1, sizeof *d);
    const vpx_codec_dec_cfg_t config = {.threads = 1};

    if (d)
        d->open = vpx_codec_dec_init(&d->vpx, vpx_codec_vp9_dx(), &config, 0) == VPX_CODEC_OK;
    if (!d || !d->open) {
        vp9_decoder_destroy((struct tdm_video_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "libvpx did not open its VP9 decoder.");
    }
    *dec = (struct tdm_video_decoder *)d;
    return TDM_OK;
}

const struct tdm_video_decoder_ops tdm_vp9_decoder = {
    .id = TDM_CODEC_VP9,
    .create = vp9_decoder_create,
    .destroy = vp9_decoder_destroy,
    .decode = vp9_decode,
};

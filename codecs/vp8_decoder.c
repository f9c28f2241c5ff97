/* SPDX-License-Identifier: MIT */
/*
 * VP8 decoding by libvpx, one thread, no post-processing. After a picture that did not decode,
 * everything up to the next keyframe is refused: libvpx would go on from a damaged reference
 * and the damage would be shown.
 */
#include "codecs/registry.h"
#include "engine/base/bytes.h"
#include "engine/base/rt.h"

#include <stdlib.h>

#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

struct vp8_decoder {
    vpx_codec_ctx_t vpx;
    bool open;
    bool in_sync; /* A keyframe decoded, and everything since. */
    int width_max, height_max;
};

/* The frame header's uncompressed part, RFC 6386 section 9.1. */
struct header {
    bool keyframe, shown;
    int width, height; /* Keyframes only. */
};

static bool parse_header(struct header *header, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t first = tdm_read_u8(&r);

    tdm_read_skip(&r, 2); /* The rest of the first partition's size. */
    *header = (struct header){.keyframe = (first & 1) == 0, .shown = (first >> 4 & 1) != 0};
    if (!header->keyframe)
        return r.ok;
    bool start_code = tdm_read_u24(&r) == 0x9d012a;
    uint32_t sides = tdm_read_u32(&r); /* Two little-endian numbers, 14 bits and 2 of scaling. */

    header->width = (int)((sides >> 24 | (sides >> 16 & 0xff) << 8) & 0x3fff);
    header->height = (int)(((sides >> 8 & 0xff) | (sides & 0xff) << 8) & 0x3fff);
    return r.ok && start_code;
}

static bool sides_fit(const struct vp8_decoder *d, int width, int height)
{
    return width >= 2 && width <= d->width_max && height >= 2 && height <= d->height_max;
}

/* Decodes and borrows libvpx's picture, NULL for one that is not shown. False when damaged. */
static bool run(struct vp8_decoder *d, const uint8_t *data, size_t size, const vpx_image_t **image)
{
    vpx_codec_iter_t at = NULL;
    int corrupted = 1;

    tdm_rt_foreign_enter();
    bool ok = vpx_codec_decode(&d->vpx, data, (unsigned)size, NULL, 0) == VPX_CODEC_OK &&
              vpx_codec_control(&d->vpx, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK &&
              !corrupted;

    *image = ok ? vpx_codec_get_frame(&d->vpx, &at) : NULL;
    tdm_rt_foreign_leave();
    return ok;
}

static enum tdm_err vp8_decode(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                               struct tdm_picture *pic)
{
    struct vp8_decoder *d = (struct vp8_decoder *)dec;
    struct header header;

    if (size > UINT32_MAX / 2 || !parse_header(&header, data, size) ||
        (!header.keyframe && !d->in_sync)) {
        d->in_sync = false;
        return TDM_E_MALFORMED;
    }
    d->in_sync = false;
    if (header.keyframe && !sides_fit(d, header.width, header.height))
        return TDM_E_UNSUPPORTED;
    const vpx_image_t *image;

    if (!run(d, data, size, &image) || (header.shown && !image))
        return TDM_E_MALFORMED;
    d->in_sync = true;
    if (!header.shown) /* An alternate reference: it only helps the ones after it. */
        return TDM_E_AGAIN;
    if (image->fmt != VPX_IMG_FMT_I420 || !sides_fit(d, (int)image->d_w, (int)image->d_h))
        return TDM_E_UNSUPPORTED;
    for (int i = 0; i < 3; i++) {
        pic->planes[i] = image->planes[i];
        pic->strides[i] = image->stride[i];
    }
    pic->width = (int)image->d_w & ~1; /* An odd last column or row is cut off. */
    pic->height = (int)image->d_h & ~1;
    return TDM_OK;
}

static void vp8_decoder_destroy(struct tdm_video_decoder *dec)
{
    struct vp8_decoder *d = (struct vp8_decoder *)dec;

    if (d && d->open)
        (void)vpx_codec_destroy(&d->vpx);
    free(d);
}

static enum tdm_err vp8_decoder_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct vp8_decoder *d = calloc(1, sizeof *d);
    const vpx_codec_dec_cfg_t config = {.threads = 1};

    if (d)
        d->open = vpx_codec_dec_init(&d->vpx, vpx_codec_vp8_dx(), &config, 0) == VPX_CODEC_OK;
    if (!d || !d->open) {
        vp8_decoder_destroy((struct tdm_video_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "libvpx did not open its VP8 decoder.");
    }
    d->width_max = d->height_max = TDM_PICTURE_SIDE_MAX;
    *dec = (struct tdm_video_decoder *)d;
    return TDM_OK;
}

static void vp8_limit(struct tdm_video_decoder *dec, int width, int height)
{
    struct vp8_decoder *d = (struct vp8_decoder *)dec;

    d->width_max = width;
    d->height_max = height;
}

const struct tdm_video_decoder_ops tdm_vp8_decoder = {
    .id = TDM_CODEC_VP8,
    .create = vp8_decoder_create,
    .destroy = vp8_decoder_destroy,
    .limit = vp8_limit,
    .decode = vp8_decode,
};

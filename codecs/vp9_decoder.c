/* SPDX-License-Identifier: MIT */
/*
 * VP9 decoding by libvpx, one thread. After a picture that did not decode, everything up to the
 * next keyframe is refused, as for VP8.
 *
 * libvpx takes what follows the end of a frame for another frame, whose size nobody would have
 * looked at: memory for 65536x65536 is then a matter of ten bytes. So each frame goes to it alone,
 * with an index behind it (VP9 bitstream specification, annex B) that says where it ends.
 */
#include "codecs/registry.h"
#include "codecs/vp9_header.h"
#include "engine/base/rt.h"

#include <stdlib.h>
#include <string.h>

#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#define FRAME_MAX    (4u << 20)
#define INDEX_BYTES  6
#define INDEX_MARKER 0xd8 /* One frame, its size in four bytes. */

struct vp9_decoder {
    vpx_codec_ctx_t vpx;
    bool open;
    bool in_sync;   /* A keyframe decoded, and everything since. */
    uint8_t *frame; /* FRAME_MAX + INDEX_BYTES + TDM_DECODER_PADDING; touched as far as needed. */
};

static bool side_fits(int side)
{
    return side >= 2 && side <= TDM_PICTURE_SIDE_MAX;
}

/* Looks at all frames of the data: which of them starts afresh, is any shown, may libvpx have
 * them. */
static enum tdm_err look(const struct tdm_vp9_frames *frames, bool *keyframe, bool *shown)
{
    *keyframe = *shown = false;
    for (int i = 0; i < frames->count; i++) {
        struct tdm_vp9_header header;

        if (!tdm_vp9_header_parse(&header, frames->data[i], frames->size[i]))
            return TDM_E_MALFORMED;
        if (header.profile != 0 || frames->size[i] > FRAME_MAX)
            return TDM_E_UNSUPPORTED;
        if (header.width && (!side_fits(header.width) || !side_fits(header.height)))
            return TDM_E_UNSUPPORTED;
        *keyframe |= i == 0 && header.keyframe;
        *shown |= header.shown;
    }
    return TDM_OK;
}

/* Decodes one frame; borrows libvpx's picture when it is shown. False when damaged. */
static bool run_one(struct vp9_decoder *d, const uint8_t *data, size_t size,
                    const vpx_image_t **image)
{
    uint8_t index[INDEX_BYTES] = {INDEX_MARKER,          (uint8_t)size,
                                  (uint8_t)(size >> 8),  (uint8_t)(size >> 16),
                                  (uint8_t)(size >> 24), INDEX_MARKER};
    vpx_codec_iter_t at = NULL;
    int corrupted = 1;

    memcpy(d->frame, data, size);
    memcpy(d->frame + size, index, sizeof index);
    if (vpx_codec_decode(&d->vpx, d->frame, (unsigned)(size + sizeof index), NULL, 0) !=
        VPX_CODEC_OK)
        return false;
    const vpx_image_t *shown = vpx_codec_get_frame(&d->vpx, &at);

    if (shown)
        *image = shown;
    return vpx_codec_control(&d->vpx, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK &&
           !corrupted;
}

/* All frames of a picture; of several that are shown (spatial layers) the last is the picture. */
static bool run(struct vp9_decoder *d, const struct tdm_vp9_frames *frames,
                const vpx_image_t **image)
{
    bool good = true;

    *image = NULL;
    tdm_rt_foreign_enter();
    for (int i = 0; good && i < frames->count; i++)
        good = run_one(d, frames->data[i], frames->size[i], image);
    tdm_rt_foreign_leave();
    return good;
}

static enum tdm_err vp9_decode(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                               struct tdm_picture *pic)
{
    struct vp9_decoder *d = (struct vp9_decoder *)dec;
    struct tdm_vp9_frames frames;
    const vpx_image_t *image;
    bool keyframe, shown;
    enum tdm_err err =
        tdm_vp9_split(&frames, data, size) ? look(&frames, &keyframe, &shown) : TDM_E_MALFORMED;
    bool was_in_sync = d->in_sync;

    d->in_sync = false;
    if (err != TDM_OK)
        return err;
    if ((!keyframe && !was_in_sync) || !run(d, &frames, &image) || (shown && !image))
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
    if (d)
        free(d->frame);
    free(d);
}

static enum tdm_err vp9_decoder_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct vp9_decoder *d = calloc(1, sizeof *d);
    const vpx_codec_dec_cfg_t config = {.threads = 1};

    if (d)
        d->frame = malloc(FRAME_MAX + INDEX_BYTES + TDM_DECODER_PADDING);
    if (d && d->frame)
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

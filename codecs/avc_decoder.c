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
#include "codecs/lavc.h"
#include "codecs/registry.h"

#include <limits.h>
#include <stdlib.h>

#define MACROBLOCK 16

struct avc_decoder {
    struct tdm_lavc lavc;
    struct tdm_avc_stream stream;
    uint32_t width_max, height_max; /* Coded, before cropping. */
};

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
    if (unit.width > d->width_max || unit.height > d->height_max) {
        tdm_avc_stream_lose(&d->stream);
        return TDM_E_UNSUPPORTED;
    }
    bool ok = tdm_lavc_run(&d->lavc, data, size);

    if (!unit.has_slice) /* libavcodec counts that as an error. */
        return TDM_E_AGAIN;
    bool picture = tdm_lavc_has_picture(&d->lavc);

    tdm_avc_stream_advance(&d->stream, &unit);
    if (!ok || (picture && tdm_lavc_is_damaged(&d->lavc)))
        tdm_avc_stream_lose(&d->stream);
    if (!d->stream.in_sync)
        return TDM_E_MALFORMED;
    return picture ? tdm_lavc_show(&d->lavc, pic) : TDM_E_AGAIN;
}

static void avc_destroy(struct tdm_video_decoder *dec)
{
    struct avc_decoder *d = (struct avc_decoder *)dec;

    if (!d)
        return;
    tdm_lavc_close(&d->lavc);
    free(d);
}

static enum tdm_err avc_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct avc_decoder *d = calloc(1, sizeof *d);

    if (!d || !tdm_lavc_open(&d->lavc, AV_CODEC_ID_H264)) {
        avc_destroy((struct tdm_video_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "libavcodec did not open its H.264 decoder.");
    }
    d->width_max = d->height_max = TDM_PICTURE_SIDE_MAX;
    *dec = (struct tdm_video_decoder *)d;
    return TDM_OK;
}

static void avc_limit(struct tdm_video_decoder *dec, int width, int height)
{
    struct avc_decoder *d = (struct avc_decoder *)dec;

    d->width_max = ((uint32_t)width + MACROBLOCK - 1) / MACROBLOCK * MACROBLOCK;
    d->height_max = ((uint32_t)height + MACROBLOCK - 1) / MACROBLOCK * MACROBLOCK;
}

const struct tdm_video_decoder_ops tdm_avc_decoder = {
    .id = TDM_CODEC_H264,
    .create = avc_create,
    .destroy = avc_destroy,
    .limit = avc_limit,
    .decode = avc_decode,
};

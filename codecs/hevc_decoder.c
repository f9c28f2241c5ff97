/* SPDX-License-Identifier: MIT */
/*
 * H.265 decoding by libavcodec: one thread, no delay, one access unit in and its picture out.
 *
 * Damage is never shown as if it were the picture. libavcodec makes up a missing reference without
 * a word, which hevc_stream.h sees, and leaves open what a missing slice should have covered, which
 * tdm_lavc_mark finds; from then on nothing is shown before the next intra random
 * access point (ITU-T H.265 section 3.67), the pictures that follow it but are shown before it
 * excepted.
 */
#include "codecs/hevc_stream.h"
#include "codecs/lavc.h"
#include "codecs/registry.h"

#include <limits.h>
#include <stdlib.h>

struct hevc_decoder {
    struct tdm_lavc lavc;
    struct tdm_hevc_stream stream;
};

static enum tdm_err hevc_decode(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                                struct tdm_picture *pic)
{
    struct hevc_decoder *d = (struct hevc_decoder *)dec;
    struct tdm_hevc_unit unit;
    enum tdm_err err = size > INT_MAX - TDM_DECODER_PADDING
                           ? TDM_E_MALFORMED
                           : tdm_hevc_unit_parse(&d->stream, data, size, &unit);

    if (err != TDM_OK) {
        tdm_hevc_stream_lose(&d->stream);
        return err;
    }
    bool ok = tdm_lavc_run(&d->lavc, data, size);

    if (!unit.has_slice)
        return ok ? TDM_E_AGAIN : TDM_E_MALFORMED;
    bool picture = tdm_lavc_has_picture(&d->lavc);

    if (!tdm_hevc_stream_advance(&d->stream, &unit)) /* One that leads an access point. */
        return TDM_E_AGAIN;
    if (!ok || (picture && tdm_lavc_is_damaged(&d->lavc)))
        tdm_hevc_stream_lose(&d->stream);
    if (!d->stream.in_sync)
        return TDM_E_MALFORMED;
    return picture ? tdm_lavc_show(&d->lavc, pic) : TDM_E_AGAIN;
}

static void hevc_destroy(struct tdm_video_decoder *dec)
{
    struct hevc_decoder *d = (struct hevc_decoder *)dec;

    if (!d)
        return;
    tdm_lavc_close(&d->lavc);
    free(d);
}

static enum tdm_err hevc_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct hevc_decoder *d = calloc(1, sizeof *d);

    if (!d || !tdm_lavc_open(&d->lavc, AV_CODEC_ID_HEVC)) {
        hevc_destroy((struct tdm_video_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "libavcodec did not open its H.265 decoder.");
    }
    tdm_lavc_mark(&d->lavc);
    *dec = (struct tdm_video_decoder *)d;
    return TDM_OK;
}

const struct tdm_video_decoder_ops tdm_hevc_decoder = {
    .id = TDM_CODEC_H265,
    .create = hevc_create,
    .destroy = hevc_destroy,
    .decode = hevc_decode,
};

/* SPDX-License-Identifier: MIT */
/*
 * AV1 decoding by dav1d, one thread, no frame delay. Film grain is left out: it is noise put over
 * the picture after decoding, and costs time without telling more. After a unit that did not
 * decode, everything up to the next keyframe is refused, as for VP8.
 */
#include "codecs/av1_obu.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <stdlib.h>

#include <dav1d/dav1d.h>

struct av1_decoder {
    Dav1dContext *dav1d;
    Dav1dPicture shown; /* What the caller borrows until the next call. */
    bool in_sync;       /* A keyframe decoded, and everything since. */
};

static bool side_fits(int side)
{
    return side >= 2 && side <= TDM_PICTURE_SIDE_MAX;
}

/* The largest picture and the samples that a sequence header announces. */
static enum tdm_err look_at_sequence(const struct tdm_av1_obu *obu)
{
    Dav1dSequenceHeader sequence;

    tdm_rt_foreign_enter();
    bool good = dav1d_parse_sequence_header(&sequence, obu->data, obu->size) == 0;
    tdm_rt_foreign_leave();
    if (!good)
        return TDM_E_MALFORMED;
    return sequence.hbd == 0 && sequence.layout == DAV1D_PIXEL_LAYOUT_I420 &&
                   side_fits(sequence.max_width) && side_fits(sequence.max_height) &&
                   !sequence.reduced_still_picture_header
               ? TDM_OK
               : TDM_E_UNSUPPORTED;
}

/* Whether the unit starts afresh, with a sequence header and a keyframe, and whether dav1d may
 * have it. */
static enum tdm_err look(const uint8_t *data, size_t size, bool *keyframe)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_av1_obu obu;
    bool sequence = false, frame_seen = false;

    *keyframe = false;
    while (tdm_av1_obu_next(&r, &obu)) {
        struct tdm_av1_frame_header header;

        if (obu.type == TDM_AV1_OBU_SEQUENCE_HEADER) {
            enum tdm_err err = look_at_sequence(&obu);

            if (err != TDM_OK)
                return err;
            sequence = true;
        }
        if (obu.type != TDM_AV1_OBU_FRAME && obu.type != TDM_AV1_OBU_FRAME_HEADER)
            continue;
        if (!tdm_av1_frame_header_parse(&header, &obu))
            return TDM_E_MALFORMED;
        *keyframe |= !frame_seen && sequence && header.keyframe;
        frame_seen = true;
    }
    return r.ok && size > 0 ? TDM_OK : TDM_E_MALFORMED;
}

/* The data is the caller's. */
static void free_nothing(const uint8_t *data, void *cookie)
{
    (void)data;
    (void)cookie;
}

/* Takes what dav1d has finished; the last picture of a unit is the one that counts. */
static bool take_pictures(struct av1_decoder *d)
{
    for (;;) {
        Dav1dPicture picture = {0};
        int result = dav1d_get_picture(d->dav1d, &picture);

        if (result != 0)
            return result == DAV1D_ERR(EAGAIN);
        dav1d_picture_unref(&d->shown);
        d->shown = picture;
    }
}

/* Decodes one unit. False when damaged; then nothing of it stays in dav1d. */
static bool run(struct av1_decoder *d, const uint8_t *data, size_t size)
{
    Dav1dData unit = {0};

    tdm_rt_foreign_enter();
    bool ok = dav1d_data_wrap(&unit, data, size, free_nothing, NULL) == 0;

    while (ok && unit.sz > 0) {
        int result = dav1d_send_data(d->dav1d, &unit);

        ok = (result == 0 || result == DAV1D_ERR(EAGAIN)) && take_pictures(d);
    }
    if (!ok) {
        dav1d_data_unref(&unit);
        dav1d_flush(d->dav1d);
    }
    tdm_rt_foreign_leave();
    return ok;
}

static enum tdm_err av1_decode(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                               struct tdm_picture *pic)
{
    struct av1_decoder *d = (struct av1_decoder *)dec;
    bool keyframe, was_in_sync = d->in_sync;
    enum tdm_err err = look(data, size, &keyframe);

    d->in_sync = false;
    if (err != TDM_OK)
        return err;
    tdm_rt_foreign_enter();
    dav1d_picture_unref(&d->shown);
    tdm_rt_foreign_leave();
    if ((!keyframe && !was_in_sync) || !run(d, data, size))
        return TDM_E_MALFORMED;
    d->in_sync = true;
    const Dav1dPicture *shown = &d->shown;

    if (!shown->data[0])
        return TDM_E_AGAIN;
    if (shown->p.layout != DAV1D_PIXEL_LAYOUT_I420 || shown->p.bpc != 8 || !side_fits(shown->p.w) ||
        !side_fits(shown->p.h))
        return TDM_E_UNSUPPORTED;
    for (int i = 0; i < 3; i++) {
        pic->planes[i] = shown->data[i];
        pic->strides[i] = (int)shown->stride[i > 0];
    }
    pic->width = shown->p.w & ~1; /* An odd last column or row is cut off. */
    pic->height = shown->p.h & ~1;
    return TDM_OK;
}

static void av1_decoder_destroy(struct tdm_video_decoder *dec)
{
    struct av1_decoder *d = (struct av1_decoder *)dec;

    if (d && d->dav1d) {
        dav1d_picture_unref(&d->shown);
        dav1d_close(&d->dav1d);
    }
    free(d);
}

static enum tdm_err av1_decoder_create(struct tdm_video_decoder **dec, struct tdm_cause *cause)
{
    struct av1_decoder *d = calloc(1, sizeof *d);
    Dav1dSettings settings;

    dav1d_default_settings(&settings);
    settings.n_threads = 1;
    settings.max_frame_delay = 1;
    settings.apply_grain = 0;
    settings.all_layers = 0;
    settings.frame_size_limit = TDM_PICTURE_SIDE_MAX * TDM_PICTURE_SIDE_MAX;
    settings.logger.callback = NULL;
    if (!d || dav1d_open(&d->dav1d, &settings) != 0) {
        av1_decoder_destroy((struct tdm_video_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "dav1d did not open its AV1 decoder.");
    }
    *dec = (struct tdm_video_decoder *)d;
    return TDM_OK;
}

const struct tdm_video_decoder_ops tdm_av1_decoder = {
    .id = TDM_CODEC_AV1,
    .create = av1_decoder_create,
    .destroy = av1_decoder_destroy,
    .decode = av1_decode,
};

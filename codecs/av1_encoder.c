/* SPDX-License-Identifier: MIT */
/*
 * AV1 encoding by libaom in its real-time mode, with our own size control per frame
 * (codecs/quantiser_fit.h).
 *
 * A picture that came out too large is coded again at a coarser quantiser. For that its reference
 * must survive the first attempt, so two buffers are used in turns: each picture refers to one and
 * writes the other. All that AV1 carries from one picture to the next (samples, entropy contexts,
 * motion vectors) lives in these buffers, so a discarded attempt leaves no trace that the
 * receiver would need to know, and contexts may go on adapting from picture to picture.
 *
 * libaom is told to keep a quantiser (AOM_Q), not a bit rate: see vp9_encoder.c, whose mode search
 * it inherited.
 */
#include "codecs/av1_obu.h"
#include "codecs/quantiser_fit.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <math.h>
#include <stdlib.h>

#include <aom/aom_encoder.h>
#include <aom/aomcx.h>

#define SPEED         10
#define TILE_COLUMN   256
#define TILE_LOG2_MAX 2

/* libaom's names for references, as indices of aom_svc_ref_frame_config_t. */
enum { LAST = 0, GOLDEN = 3, NAMES = 7 };

#define UNUSED_BUFFER 2

struct av1_encoder {
    aom_codec_ctx_t aom;
    bool open;
    aom_codec_enc_cfg_t config;
    aom_image_t image; /* Points at the caller's planes during a call. */
    uint8_t no_pixels; /* libaom wants an address before there is a picture. */
    aom_codec_pts_t pts;
    bool keyframe_owed;
    int current; /* The buffer, 0 or 1, that the next picture refers to. */
    struct tdm_quantiser_fit fit;
};

/* The step that a libaom quantiser (0-63) stands for: linear, then 7.86 % more each, to within
 * 7 %. */
static double step_of(int quantiser)
{
    return quantiser <= 26 ? 7 + 4 * quantiser : 111 * pow(1.0786, quantiser - 26);
}

/* Finer than 6 is not seen, and makes the next movement overshoot. */
static const struct tdm_quantiser_shape shape = {
    .step_of = step_of,
    .finest = 6,
    .coarsest = 63,
    .fall = 3,
    .attempts_max = 4,
    .key_exponent = 1.0,
    .inter_exponent = 1.5,
    .debt_exponent = 1.0,
    .start = 37,
    .start_bytes_per_pixel = 0.0267,
};

/* The picture refers to the current buffer by the name LAST and to no other. libaom writes only
 * buffers that have a name: the one to be written is GOLDEN. */
static bool set_references(struct av1_encoder *e)
{
    aom_svc_ref_frame_config_t references = {.reference = {[LAST] = 1}};

    for (int name = 0; name < NAMES; name++)
        references.ref_idx[name] = name == LAST     ? e->current
                                   : name == GOLDEN ? !e->current
                                                    : UNUSED_BUFFER;
    references.refresh[!e->current] = 1;
    return aom_codec_control(&e->aom, AV1E_SET_SVC_REF_FRAME_CONFIG, &references) == AOM_CODEC_OK;
}

/* One attempt. NULL when libaom failed or held the picture back. */
static const aom_codec_cx_pkt_t *attempt(struct av1_encoder *e, int quantiser, bool keyframe)
{
    const aom_codec_cx_pkt_t *packet = NULL;
    aom_codec_iter_t at = NULL;

    e->config.rc_min_quantizer = e->config.rc_max_quantizer = (unsigned)quantiser;
    tdm_rt_foreign_enter();
    if (aom_codec_enc_config_set(&e->aom, &e->config) == AOM_CODEC_OK && set_references(e) &&
        aom_codec_encode(&e->aom, &e->image, e->pts, 1, keyframe ? AOM_EFLAG_FORCE_KF : 0) ==
            AOM_CODEC_OK)
        do
            packet = aom_codec_get_cx_data(&e->aom, &at);
        while (packet && packet->kind != AOM_CODEC_CX_FRAME_PKT);
    tdm_rt_foreign_leave();
    e->pts++;
    return packet;
}

/* What libaom puts before the first OBU that is sent: the temporal delimiter. */
static size_t delimiter_size(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_av1_obu obu;

    return tdm_av1_obu_next(&r, &obu) && obu.type == TDM_AV1_OBU_TEMPORAL_DELIMITER ? obu.size : 0;
}

static enum tdm_err av1_encode(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                               uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                               void *emit_arg)
{
    struct av1_encoder *e = (struct av1_encoder *)enc;
    const aom_codec_cx_pkt_t *packet;
    int quantiser;

    assert(pic->width == (int)e->config.g_w && pic->height == (int)e->config.g_h);
    assert(pic->strides[1] == pic->strides[2]);
    e->keyframe_owed |= keyframe;
    if (!tdm_quantiser_fit_begin(&e->fit, budget_bytes, e->keyframe_owed, &quantiser))
        return TDM_E_AGAIN;
    for (int i = 0; i < 3; i++) {
        e->image.planes[i] = pic->planes[i];
        e->image.stride[i] = pic->strides[i];
    }
    do {
        packet = attempt(e, quantiser, e->keyframe_owed);
        if (!packet)
            return TDM_E_SYSTEM;
    } while (tdm_quantiser_fit_again(&e->fit, packet->data.frame.sz, &quantiser));
    const uint8_t *data = packet->data.frame.buf;
    size_t skipped = delimiter_size(data, packet->data.frame.sz);
    struct tdm_slice slice = {
        .data = data + skipped,
        .size = packet->data.frame.sz - skipped,
        .first = true,
        .last = true,
        .keyframe = (packet->data.frame.flags & AOM_FRAME_IS_KEY) != 0,
    };

    e->current = slice.keyframe ? 0 : !e->current;
    e->keyframe_owed = false;
    tdm_quantiser_fit_sent(&e->fit, slice.size);
    emit(emit_arg, &slice);
    return TDM_OK;
}

static void av1_encoder_destroy(struct tdm_video_encoder *enc)
{
    struct av1_encoder *e = (struct av1_encoder *)enc;

    if (e && e->open)
        (void)aom_codec_destroy(&e->aom);
    free(e);
}

static bool set_config(struct av1_encoder *e, const struct tdm_video_encoder_config *config)
{
    aom_codec_enc_cfg_t *c = &e->config;

    if (aom_codec_enc_config_default(aom_codec_av1_cx(), c, AOM_USAGE_REALTIME) != AOM_CODEC_OK)
        return false;
    c->g_w = (unsigned)config->width;
    c->g_h = (unsigned)config->height;
    c->g_timebase = (aom_rational_t){1, (int)config->fps};
    c->g_threads = config->threads > 8 ? 8 : config->threads;
    c->g_error_resilient = 0;
    c->g_lag_in_frames = 0;
    c->g_pass = AOM_RC_ONE_PASS;
    c->rc_end_usage = AOM_Q;
    c->rc_target_bitrate = config->bitrate_bps / 1000 + 1;
    c->rc_dropframe_thresh = 0;
    c->rc_resize_mode = 0;
    c->kf_mode = AOM_KF_DISABLED;
    return true;
}

/* The speeds of libaom's real-time mode (cpu-used), fastest first. */
static const char *const presets[] = {"10", "9", "8", NULL};

static const char *version(void)
{
    return aom_codec_iface_name(aom_codec_av1_cx());
}

/* Tile columns for the threads, as far as the picture is wide enough. */
static int tile_columns_log2(int width, unsigned threads)
{
    int log2 = 0;

    while (log2 < TILE_LOG2_MAX && 1u << log2 < threads && TILE_COLUMN << (log2 + 1) <= width)
        log2++;
    return log2;
}

static bool set(struct av1_encoder *e, int control, int value)
{
    return aom_codec_control(&e->aom, control, value) == AOM_CODEC_OK;
}

static bool set_controls(struct av1_encoder *e, const struct tdm_video_encoder_config *config)
{
    int speed = config->preset[0] ? (int)strtol(config->preset, NULL, 10) : SPEED;
    bool screen = config->content == TDM_CONTENT_SCREEN;
    int tiles = tile_columns_log2(config->width, config->threads);

    /* External rate control keeps libaom from renewing its golden picture every 32 calls: then it
     * writes the buffer that LAST names as well, whatever set_references said. */
    return set(e, AV1E_SET_RTC_EXTERNAL_RC, 1) && set(e, AOME_SET_CPUUSED, speed) &&
           set(e, AV1E_SET_TILE_COLUMNS, tiles) && set(e, AV1E_SET_ROW_MT, config->threads > 1) &&
           set(e, AV1E_SET_AQ_MODE, 0) &&
           set(e, AV1E_SET_TUNE_CONTENT, screen ? AOM_CONTENT_SCREEN : AOM_CONTENT_DEFAULT) &&
           set(e, AV1E_SET_ENABLE_PALETTE, screen) && set(e, AV1E_SET_ENABLE_INTRABC, screen) &&
           set(e, AV1E_SET_DELTAQ_MODE, 0) && set(e, AV1E_SET_ENABLE_ORDER_HINT, 0) &&
           set(e, AV1E_SET_ENABLE_TPL_MODEL, 0) && set(e, AV1E_SET_NOISE_SENSITIVITY, 0) &&
           set(e, AV1E_SET_ENABLE_CDEF, 1) && set(e, AV1E_SET_ENABLE_RESTORATION, 0) &&
           set(e, AV1E_SET_ENABLE_GLOBAL_MOTION, 0) && set(e, AV1E_SET_ENABLE_WARPED_MOTION, 0) &&
           set(e, AV1E_SET_ENABLE_OBMC, 0) && set(e, AV1E_SET_COEFF_COST_UPD_FREQ, 3) &&
           set(e, AV1E_SET_MODE_COST_UPD_FREQ, 3) && set(e, AV1E_SET_MV_COST_UPD_FREQ, 3);
}

static enum tdm_err av1_encoder_create(const struct tdm_video_encoder_config *config,
                                       struct tdm_video_encoder **enc, struct tdm_cause *cause)
{
    struct av1_encoder *e = calloc(1, sizeof *e);

    assert(config->fps > 0 && config->width > 0 && config->height > 0);
    if (!e)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the AV1 encoder.");
    e->keyframe_owed = true;
    tdm_quantiser_fit_init(&e->fit, &shape, config->width * config->height, config->fps);
    if (set_config(e, config))
        e->open = aom_codec_enc_init(&e->aom, aom_codec_av1_cx(), &e->config, 0) == AOM_CODEC_OK;
    if (!e->open || !set_controls(e, config) ||
        !aom_img_wrap(&e->image, AOM_IMG_FMT_I420, (unsigned)config->width,
                      (unsigned)config->height, 1, &e->no_pixels)) {
        enum tdm_err err =
            tdm_fail(cause, TDM_E_SYSTEM, "libaom refused %dx%d at %u/s: %s", config->width,
                     config->height, config->fps, aom_codec_error(&e->aom));

        av1_encoder_destroy((struct tdm_video_encoder *)e);
        return err;
    }
    *enc = (struct tdm_video_encoder *)e;
    return TDM_OK;
}

const struct tdm_video_encoder_ops tdm_aom_encoder = {
    .id = TDM_CODEC_AV1,
    .name = "aom",
    .rtp_name = "AV1",
    .presets = presets,
    .version = version,
    .create = av1_encoder_create,
    .destroy = av1_encoder_destroy,
    .encode = av1_encode,
};

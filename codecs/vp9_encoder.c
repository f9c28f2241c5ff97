/* SPDX-License-Identifier: MIT */
/*
 * VP9 encoding by libvpx, with our own size control per frame (codecs/quantiser_fit.h), because
 * libvpx's constant-bit-rate mode overshoots by a quarter to a half.
 *
 * libvpx is told to keep a quantiser (VPX_Q), not a bit rate, though either way each picture gets
 * the quantiser we say. At constant bit rate its mode search takes a large block that differs from
 * the one before by a mean of exactly zero for one that has not changed, and skips it, even when
 * its parts went from white to black and from black to white (model_rd_for_sb_y_large). VPX_VBR
 * would make keyframes of its own at scene cuts.
 *
 * A picture that came out too large is coded again at a coarser quantiser. For that its reference
 * must survive the first attempt, so two buffers are used in turns: each picture refers to one and
 * writes the other. libvpx's fast mode search looks at no reference but LAST for a picture whose
 * GOLDEN was just written, so the flags that swap names (as vp8_encoder.c does) cost a picture
 * without prediction. Its interface for layers lets LAST be another buffer each time; it is used
 * here with one layer.
 *
 * Where references come from outside (codec.h), all eight buffers are used the same way: each
 * picture refers to any and writes the oldest (reference_slots.h).
 *
 * Error resilience makes every picture start from the default entropy contexts and keeps motion
 * vectors of the picture coded before from being predicted from: that picture may be a discarded
 * attempt, which the receiver never sees.
 */
#include "codecs/quantiser_fit.h"
#include "codecs/reference_slots.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <math.h>
#include <stdlib.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#define SPEED         8
#define SPEED_LARGE   9
#define FAST_PIXELS   40e6 /* A second and thread; above it SPEED_LARGE. */
#define TILE_COLUMN   256  /* VP9 has no narrower tile columns. */
#define TILE_LOG2_MAX 2
#define BUFFERS       8

struct vp9_encoder {
    vpx_codec_ctx_t vpx;
    bool open;
    vpx_codec_enc_cfg_t config;
    vpx_image_t image; /* Points at the caller's planes during a call. */
    uint8_t no_pixels; /* libvpx wants an address before there is a picture. */
    vpx_codec_pts_t pts;
    bool keyframe_owed;
    struct tdm_reference_slots slots; /* Without references from outside only three. */
    vpx_svc_extra_cfg_t layer;
    struct tdm_quantiser_fit fit;
};

/* The step that a libvpx quantiser (0-63) stands for: linear, then 7.86 % more each, to within
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
    .start_bytes_per_pixel = 0.0375,
};

static bool set_quantiser(struct vp9_encoder *e, int quantiser)
{
    e->config.rc_min_quantizer = e->config.rc_max_quantizer = (unsigned)quantiser;
    e->layer.min_quantizers[0] = e->layer.max_quantizers[0] = quantiser;
    return vpx_codec_control(&e->vpx, VP9E_SET_SVC_PARAMETERS, &e->layer) == VPX_CODEC_OK &&
           vpx_codec_enc_config_set(&e->vpx, &e->config) == VPX_CODEC_OK;
}

/* A buffer that the picture neither reads nor writes. */
static int unused_buffer(const struct tdm_reference_slots *s)
{
    int unused = 0;

    while (unused == s->read || unused == s->write)
        unused++;
    return unused;
}

static bool set_references(struct vp9_encoder *e)
{
    vpx_svc_layer_id_t layer = {0};
    int unused = unused_buffer(&e->slots);
    vpx_svc_ref_frame_config_t references = {
        .lst_fb_idx = {e->slots.read},
        .gld_fb_idx = {unused},
        .alt_fb_idx = {unused},
        .update_buffer_slot = {1 << e->slots.write},
        .reference_last = {1},
        .duration = {1},
    };

    return vpx_codec_control(&e->vpx, VP9E_SET_SVC_LAYER_ID, &layer) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_SVC_REF_FRAME_CONFIG, &references) == VPX_CODEC_OK;
}

/* One attempt. NULL when libvpx failed or held the picture back. */
static const vpx_codec_cx_pkt_t *attempt(struct vp9_encoder *e, int quantiser, bool keyframe)
{
    const vpx_codec_cx_pkt_t *packet = NULL;
    vpx_codec_iter_t at = NULL;

    tdm_rt_foreign_enter();
    if (set_quantiser(e, quantiser) && set_references(e) &&
        vpx_codec_encode(&e->vpx, &e->image, e->pts, 1, keyframe ? VPX_EFLAG_FORCE_KF : 0,
                         VPX_DL_REALTIME) == VPX_CODEC_OK)
        do
            packet = vpx_codec_get_cx_data(&e->vpx, &at);
        while (packet && packet->kind != VPX_CODEC_CX_FRAME_PKT);
    tdm_rt_foreign_leave();
    e->pts++;
    return packet;
}

static enum tdm_err vp9_encode(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                               uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                               void *emit_arg)
{
    struct vp9_encoder *e = (struct vp9_encoder *)enc;
    const vpx_codec_cx_pkt_t *packet;
    int quantiser;

    assert(pic->width == (int)e->config.g_w && pic->height == (int)e->config.g_h);
    assert(pic->strides[1] == pic->strides[2]);
    e->keyframe_owed |= keyframe || !tdm_reference_slots_begin(&e->slots);
    if (e->keyframe_owed) { /* It writes all of them, and reads none. */
        e->slots.read = 0;
        e->slots.write = 1;
    }
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
    struct tdm_slice slice = {
        .data = packet->data.frame.buf,
        .size = packet->data.frame.sz,
        .first = true,
        .last = true,
        .keyframe = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0,
    };

    slice.refers = tdm_reference_slots_coded(&e->slots, slice.keyframe);
    e->keyframe_owed = false;
    tdm_quantiser_fit_sent(&e->fit, slice.size);
    emit(emit_arg, &slice);
    return TDM_OK;
}

static void vp9_refer(struct tdm_video_encoder *enc, const struct tdm_reference *reference)
{
    tdm_reference_slots_wish(&((struct vp9_encoder *)enc)->slots, reference);
}

static void vp9_encoder_destroy(struct tdm_video_encoder *enc)
{
    struct vp9_encoder *e = (struct vp9_encoder *)enc;

    if (e && e->open)
        (void)vpx_codec_destroy(&e->vpx);
    free(e);
}

static bool set_config(struct vp9_encoder *e, const struct tdm_video_encoder_config *config)
{
    vpx_codec_enc_cfg_t *c = &e->config;

    if (vpx_codec_enc_config_default(vpx_codec_vp9_cx(), c, 0) != VPX_CODEC_OK)
        return false;
    c->g_w = (unsigned)config->width;
    c->g_h = (unsigned)config->height;
    c->g_timebase = (vpx_rational_t){1, (int)config->fps};
    c->g_threads = config->threads > 8 ? 8 : config->threads;
    c->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
    c->g_lag_in_frames = 0;
    c->g_pass = VPX_RC_ONE_PASS;
    c->rc_end_usage = VPX_Q;
    c->rc_target_bitrate = config->bitrate_bps / 1000 + 1;
    c->rc_dropframe_thresh = 0;
    c->rc_resize_allowed = 0;
    c->kf_mode = VPX_KF_DISABLED;
    c->ss_number_layers = c->ts_number_layers = 1;
    c->ts_rate_decimator[0] = 1;
    c->ss_target_bitrate[0] = c->layer_target_bitrate[0] = c->rc_target_bitrate;
    c->temporal_layering_mode = VP9E_TEMPORAL_LAYERING_MODE_BYPASS;
    return true;
}

/* The speeds of libvpx's real-time mode (cpu-used), fastest first. */
static const char *const presets[] = {"9", "8", "7", "5", NULL};

static const char *version(void)
{
    return vpx_codec_iface_name(vpx_codec_vp9_cx());
}

/* Tile columns for the threads, as far as the picture is wide enough. */
static int tile_columns_log2(int width, unsigned threads)
{
    int log2 = 0;

    while (log2 < TILE_LOG2_MAX && 1u << log2 < threads && TILE_COLUMN << (log2 + 1) <= width)
        log2++;
    return log2;
}

static bool set_controls(struct vp9_encoder *e, const struct tdm_video_encoder_config *config)
{
    unsigned threads = config->threads ? config->threads : 1;
    double rate = (double)config->width * config->height * config->fps / threads;
    int speed = config->preset[0]    ? (int)strtol(config->preset, NULL, 10)
                : rate > FAST_PIXELS ? SPEED_LARGE
                                     : SPEED;
    int content =
        config->content == TDM_CONTENT_SCREEN ? VP9E_CONTENT_SCREEN : VP9E_CONTENT_DEFAULT;
    int tiles = tile_columns_log2(config->width, threads);

    e->layer = (vpx_svc_extra_cfg_t){
        .scaling_factor_num = {1},
        .scaling_factor_den = {1},
        .speed_per_layer = {speed},
        .temporal_layering_mode = VP9E_TEMPORAL_LAYERING_MODE_BYPASS,
    };
    return vpx_codec_control(&e->vpx, VP9E_SET_SVC, 1) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_CPUUSED, speed) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_TILE_COLUMNS, tiles) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_ROW_MT, threads > 1 ? 1u : 0u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_FRAME_PARALLEL_DECODING, 1u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_AQ_MODE, 0u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_NOISE_SENSITIVITY, 0u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP9E_SET_TUNE_CONTENT, content) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_STATIC_THRESHOLD, 1u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_ENABLEAUTOALTREF, 0u) == VPX_CODEC_OK;
}

static enum tdm_err vp9_encoder_create(const struct tdm_video_encoder_config *config,
                                       struct tdm_video_encoder **enc, struct tdm_cause *cause)
{
    struct vp9_encoder *e = calloc(1, sizeof *e);

    assert(config->fps > 0 && config->width > 0 && config->height > 0);
    if (!e)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the VP9 encoder.");
    e->keyframe_owed = true;
    tdm_reference_slots_init(&e->slots, config->references ? BUFFERS : 3);
    tdm_quantiser_fit_init(&e->fit, &shape, config->width * config->height, config->fps);
    if (set_config(e, config))
        e->open = vpx_codec_enc_init(&e->vpx, vpx_codec_vp9_cx(), &e->config, 0) == VPX_CODEC_OK;
    if (!e->open || !set_controls(e, config) ||
        !vpx_img_wrap(&e->image, VPX_IMG_FMT_I420, (unsigned)config->width,
                      (unsigned)config->height, 1, &e->no_pixels)) {
        enum tdm_err err =
            tdm_fail(cause, TDM_E_SYSTEM, "libvpx refused %dx%d at %u/s: %s", config->width,
                     config->height, config->fps, vpx_codec_error(&e->vpx));

        vp9_encoder_destroy((struct tdm_video_encoder *)e);
        return err;
    }
    *enc = (struct tdm_video_encoder *)e;
    return TDM_OK;
}

const struct tdm_video_encoder_ops tdm_vp9_encoder = {
    .id = TDM_CODEC_VP9,
    .name = "vp9",
    .rtp_name = "VP9",
    .presets = presets,
    .version = version,
    .reach = {.known = 60, .chains = BUFFERS - 2},
    .create = vp9_encoder_create,
    .destroy = vp9_encoder_destroy,
    .encode = vp9_encode,
    .refer = vp9_refer,
};

/* SPDX-License-Identifier: MIT */
/*
 * VP8 encoding by libvpx, with our own size control per frame.
 *
 * libvpx's constant-bit-rate mode answers a sudden movement with frames of up to eight times
 * their budget. Here libvpx codes at a quantiser that we choose, and a frame that came out too
 * large is coded again at a higher one. For that the reference must survive the first attempt,
 * and libvpx cannot be rewound; so two reference buffers are used in turns:
 *
 *     picture      n            n+1          n+2
 *     refers to    last         alternate    last
 *     writes       alternate    last         alternate
 *
 * A second attempt refers to and writes the same ones again. The golden buffer stays out of it,
 * because libvpx refreshes that one when it likes.
 *
 * Where references come from outside (codec.h), all three buffers are needed: the last picture, the
 * newest known to be there, and one that may become that. Each picture writes `last`, and refers
 * to it or to the known one; for another attempt `last` is put back from a copy.
 *
 * No picture changes the entropy contexts (they stay as the keyframe left them), so a discarded
 * attempt leaves no trace that the receiver would need to know, and every picture depends on the
 * one before it and the keyframe only.
 *
 * What even the coarsest quantiser cannot fit is sent as it is and becomes a debt; while the debt
 * is larger than a frame's budget, pictures are dropped before they cost any work.
 */
#include "codecs/quantiser_fit.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <stdlib.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#define NONE        (-1)
#define MACROBLOCK  16
#define SPEED       (-8)
#define SPEED_LARGE (-12)
#define FAST_PIXELS 40e6 /* A second and thread; above it SPEED_LARGE. */

struct vp8_encoder {
    vpx_codec_ctx_t vpx;
    bool open;
    vpx_codec_enc_cfg_t config;
    vpx_image_t image; /* Points at the caller's planes during a call. */
    uint8_t no_pixels; /* libvpx wants an address before there is a picture. */
    vpx_codec_pts_t pts;
    bool keyframe_owed;
    bool alternate_is_current; /* Which buffer the next picture refers to. */
    struct tdm_quantiser_fit fit;
    bool references;          /* From outside: */
    int64_t next;             /* count of the next picture, */
    int64_t known, candidate; /* of those in the two buffers; -1: none, the next one goes there; */
    bool known_is_golden;     /* which is which; */
    uint8_t refers;           /* and what the next picture refers to: one so many before. */
    vpx_image_t last;         /* What `last` was before the attempt. */
};

/* The step that a libvpx quantiser (0-63) stands for: linear in two pieces to within 20 %. */
static double step_of(int quantiser)
{
    return quantiser <= 41 ? 4 + 1.66 * quantiser : 72 + 3.86 * (quantiser - 41);
}

/* Finer than 6 is not seen, and makes the next movement overshoot. */
static const struct tdm_quantiser_shape shape = {
    .step_of = step_of,
    .finest = 6,
    .coarsest = 63,
    .fall = 3,
    .attempts_max = 4,
    .key_exponent = 1.5,
    .inter_exponent = 1.5,
    .debt_exponent = 1.0,
    .start = 37,
    .start_bytes_per_pixel = 0.03,
};

/* Keeps `last`, or puts it back. */
static bool copy_last(struct vp8_encoder *e, int control)
{
    vpx_ref_frame_t frame = {.frame_type = VP8_LAST_FRAME, .img = e->last};
    bool ok;

    tdm_rt_foreign_enter();
    ok = vpx_codec_control_(&e->vpx, control, &frame) == VPX_CODEC_OK;
    tdm_rt_foreign_leave();
    return ok;
}

static void vp8_refer(struct tdm_video_encoder *enc, const struct tdm_reference *reference)
{
    struct vp8_encoder *e = (struct vp8_encoder *)enc;

    if (!e->references)
        return;
    if (e->candidate != NONE && reference->known && e->next - reference->known >= e->candidate) {
        e->known = e->candidate;
        e->candidate = NONE;
        e->known_is_golden = !e->known_is_golden;
    }
    int64_t before = e->next - e->known;

    e->refers = reference->wanted > 1 && before >= reference->wanted && before <= UINT8_MAX
                    ? (uint8_t)before
                    : 1;
}

/* The picture was coded. */
static uint8_t note_references(struct vp8_encoder *e, bool keyframe)
{
    uint8_t refers = keyframe ? 0 : e->refers;

    if (keyframe) {
        e->known = e->next; /* All buffers are the same. */
        e->candidate = NONE;
    } else if (e->candidate == NONE) {
        e->candidate = e->next;
    }
    if (refers > 1 && e->candidate != e->next)
        e->candidate = NONE; /* It may be lost. */
    e->next++;
    e->refers = 1;
    return refers;
}

static vpx_enc_frame_flags_t flags_for(const struct vp8_encoder *e, bool keyframe)
{
    const vpx_enc_frame_flags_t common =
        VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ENTROPY;

    if (keyframe)
        return VPX_EFLAG_FORCE_KF;
    if (e->references) {
        vpx_enc_frame_flags_t reads = e->refers == 1 ? VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF
                                      : e->known_is_golden
                                          ? VP8_EFLAG_NO_REF_LAST | VP8_EFLAG_NO_REF_ARF
                                          : VP8_EFLAG_NO_REF_LAST | VP8_EFLAG_NO_REF_GF;
        vpx_enc_frame_flags_t keeps = VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF;

        if (e->candidate == NONE)
            keeps = e->known_is_golden ? VP8_EFLAG_NO_UPD_GF : VP8_EFLAG_NO_UPD_ARF;
        return reads | keeps | VP8_EFLAG_NO_UPD_ENTROPY;
    }
    return e->alternate_is_current ? common | VP8_EFLAG_NO_REF_LAST | VP8_EFLAG_NO_UPD_ARF
                                   : common | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_LAST;
}

/* One attempt. NULL when libvpx failed or held the picture back. */
static const vpx_codec_cx_pkt_t *attempt(struct vp8_encoder *e, int quantiser, bool keyframe)
{
    const vpx_codec_cx_pkt_t *packet = NULL;
    vpx_codec_iter_t at = NULL;

    e->config.rc_min_quantizer = e->config.rc_max_quantizer = (unsigned)quantiser;
    tdm_rt_foreign_enter();
    if (vpx_codec_enc_config_set(&e->vpx, &e->config) == VPX_CODEC_OK &&
        vpx_codec_encode(&e->vpx, &e->image, e->pts, 1, flags_for(e, keyframe), VPX_DL_REALTIME) ==
            VPX_CODEC_OK)
        do
            packet = vpx_codec_get_cx_data(&e->vpx, &at);
        while (packet && packet->kind != VPX_CODEC_CX_FRAME_PKT);
    tdm_rt_foreign_leave();
    e->pts++;
    return packet;
}

static enum tdm_err vp8_encode(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                               uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                               void *emit_arg)
{
    struct vp8_encoder *e = (struct vp8_encoder *)enc;
    const vpx_codec_cx_pkt_t *packet;
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
    bool kept = e->references && e->refers == 1 && !e->keyframe_owed;

    if (kept && !copy_last(e, VP8_COPY_REFERENCE))
        return TDM_E_SYSTEM;
    packet = attempt(e, quantiser, e->keyframe_owed);
    while (packet && tdm_quantiser_fit_again(&e->fit, packet->data.frame.sz, &quantiser)) {
        if (kept && !copy_last(e, VP8_SET_REFERENCE))
            return TDM_E_SYSTEM;
        packet = attempt(e, quantiser, e->keyframe_owed);
    }
    if (!packet)
        return TDM_E_SYSTEM;
    struct tdm_slice slice = {
        .data = packet->data.frame.buf,
        .size = packet->data.frame.sz,
        .first = true,
        .last = true,
        .keyframe = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0,
    };

    slice.refers = note_references(e, slice.keyframe);
    e->alternate_is_current = !slice.keyframe && !e->alternate_is_current;
    e->keyframe_owed = false;
    tdm_quantiser_fit_sent(&e->fit, slice.size);
    emit(emit_arg, &slice);
    return TDM_OK;
}

static void vp8_encoder_destroy(struct tdm_video_encoder *enc)
{
    struct vp8_encoder *e = (struct vp8_encoder *)enc;

    if (e && e->open)
        (void)vpx_codec_destroy(&e->vpx);
    if (e)
        vpx_img_free(&e->last);
    free(e);
}

static bool set_config(struct vp8_encoder *e, const struct tdm_video_encoder_config *config)
{
    vpx_codec_enc_cfg_t *c = &e->config;

    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), c, 0) != VPX_CODEC_OK)
        return false;
    c->g_w = (unsigned)config->width;
    c->g_h = (unsigned)config->height;
    c->g_timebase = (vpx_rational_t){1, (int)config->fps};
    c->g_threads = config->threads > 8 ? 8 : config->threads;
    c->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
    c->g_lag_in_frames = 0;
    c->g_pass = VPX_RC_ONE_PASS;
    c->rc_end_usage = VPX_CBR;
    c->rc_target_bitrate = config->bitrate_bps / 1000 + 1;
    c->rc_dropframe_thresh = 0;
    c->rc_resize_allowed = 0;
    c->kf_mode = VPX_KF_DISABLED;
    return true;
}

/* The speeds of libvpx's real-time mode (cpu-used, negated), fastest first. */
static const char *const presets[] = {"16", "12", "8", "4", NULL};

static const char *version(void)
{
    return vpx_codec_iface_name(vpx_codec_vp8_cx());
}

static bool set_controls(struct vp8_encoder *e, const struct tdm_video_encoder_config *config)
{
    unsigned threads = config->threads ? config->threads : 1;
    double rate = (double)config->width * config->height * config->fps / threads;
    int speed = config->preset[0]    ? -(int)strtol(config->preset, NULL, 10)
                : rate > FAST_PIXELS ? SPEED_LARGE
                                     : SPEED;
    int partitions = threads >= 4   ? VP8_FOUR_TOKENPARTITION
                     : threads >= 2 ? VP8_TWO_TOKENPARTITION
                                    : VP8_ONE_TOKENPARTITION;

    return vpx_codec_control(&e->vpx, VP8E_SET_CPUUSED, speed) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_TOKEN_PARTITIONS, partitions) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_NOISE_SENSITIVITY, 0u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_STATIC_THRESHOLD, 1u) == VPX_CODEC_OK &&
           vpx_codec_control(&e->vpx, VP8E_SET_ENABLEAUTOALTREF, 0u) == VPX_CODEC_OK;
}

static unsigned whole_blocks(int side)
{
    return ((unsigned)side + MACROBLOCK - 1) / MACROBLOCK * MACROBLOCK;
}

static enum tdm_err vp8_encoder_create(const struct tdm_video_encoder_config *config,
                                       struct tdm_video_encoder **enc, struct tdm_cause *cause)
{
    struct vp8_encoder *e = calloc(1, sizeof *e);

    assert(config->fps > 0 && config->width > 0 && config->height > 0);
    if (!e)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the VP8 encoder.");
    e->keyframe_owed = true;
    e->references = config->references;
    e->known = e->candidate = NONE;
    e->refers = 1;
    /* libvpx copies from and to pictures of whole macroblocks alone, and takes what a line has
     * beyond its width for a border around the picture, which it writes. */
    if (e->references && !vpx_img_alloc(&e->last, VPX_IMG_FMT_I420, whole_blocks(config->width),
                                        whole_blocks(config->height), MACROBLOCK)) {
        free(e);
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the VP8 encoder.");
    }
    tdm_quantiser_fit_init(&e->fit, &shape, config->width * config->height, config->fps);
    if (set_config(e, config))
        e->open = vpx_codec_enc_init(&e->vpx, vpx_codec_vp8_cx(), &e->config, 0) == VPX_CODEC_OK;
    if (!e->open || !set_controls(e, config) ||
        !vpx_img_wrap(&e->image, VPX_IMG_FMT_I420, (unsigned)config->width,
                      (unsigned)config->height, 1, &e->no_pixels)) {
        enum tdm_err err =
            tdm_fail(cause, TDM_E_SYSTEM, "libvpx refused %dx%d at %u/s: %s", config->width,
                     config->height, config->fps, vpx_codec_error(&e->vpx));

        vp8_encoder_destroy((struct tdm_video_encoder *)e);
        return err;
    }
    *enc = (struct tdm_video_encoder *)e;
    return TDM_OK;
}

const struct tdm_video_encoder_ops tdm_vp8_encoder = {
    .id = TDM_CODEC_VP8,
    .name = "vp8",
    .rtp_name = "VP8",
    .presets = presets,
    .version = version,
    .reach = {.known = 60, .chains = 1},
    .create = vp8_encoder_create,
    .destroy = vp8_encoder_destroy,
    .encode = vp8_encode,
    .refer = vp8_refer,
};

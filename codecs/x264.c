/* SPDX-License-Identifier: MIT */
/*
 * H.264 encoding by libx264 (RFC 6184 wants NAL units without start codes).
 *
 * Every NAL unit leaves through x264's `nalu_process` callback while the rest of the picture is
 * still being coded. With one thread they come in order on the encode thread. With sliced threads
 * they come from x264's workers in any order; each worker publishes its slice in a slot keyed by
 * the slice's first macroblock, and whoever raises `pending` from 0 emits all that is in order
 * (nobody waits). So calls of `emit` never overlap and each sees what the one before did.
 *
 * One-frame VBV: the rate buffer holds one frame at the current rate, so no frame can exceed its
 * budget by more than x264's row-level control misses. A screen has two frames: with one, x264
 * takes text that stands still for too costly to sharpen and leaves it blurred for seconds with
 * the budget unused (docs/codecs.md). Errors heal by periodic intra refresh, a
 * column of macroblocks that walks over the picture, instead of by periodic keyframes.
 *
 * Where references come from outside (codec.h), x264 keeps sixteen pictures and is told which of
 * them are lost (x264_encoder_invalidate_reference, not with intra refresh): it then refers to the
 * newest that is left. What is lost once stays lost, so a picture can begin anew from a known one,
 * but there are no chains. The parameter set says that frame numbers may have gaps, as the other
 * side never sees what lies between.
 */
#include "codecs/budget_fill.h"
#include "codecs/fmtp.h"
#include "codecs/nal.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <x264.h>

#define MACROBLOCK           16
#define REFRESH_SECONDS      4   /* One intra-refresh wave. */
#define SLICES_DEFAULT       4   /* A picture's slices when the caller sets no size. */
#define SLICES_SIDE_MIN      360 /* Below this height one slice is enough. */
#define BUFFER_FRAMES        1   /* What the rate buffer holds, at the current budget. */
#define BUFFER_FRAMES_SCREEN 2
#define BUDGET_BYTES_MIN     250 /* x264's rate control counts in kilobits: less has no meaning. */
#define RECONFIG_SHARE       128 /* The budget moves by more than this part, or x264 is not told. */
#define BUFFER_ROUND_MAX     1.09 /* Of a frame: above 1.1 x264 takes a buffer for more than one. */
#define FILL_MOST            1.25 /* Of the budget is what x264 may be told. */
#define FAST_PIXELS_PER_SEC  40e6 /* Per thread; above it `ultrafast` (docs/codecs.md). */

#define PROFILE_HIGH 100
#define KEPT         16 /* Pictures: as many as H.264 has. */

struct coded_slice {
    const uint8_t *data;
    size_t size;
    int last_macroblock;
    atomic_bool ready;
};

struct x264_encoder {
    x264_t *x264;
    x264_param_t param;
    struct tdm_budget_fill fill;
    uint32_t budget_bytes;  /* That x264 was last told. */
    uint32_t buffer_frames; /* Of the rate buffer. */
    bool started;           /* The first picture has been coded. */
    int64_t pts;
    int macroblocks;

    /* References from outside. */
    bool references;
    int64_t keyframe_pts; /* Nothing before it is referred to. */
    bool lost[KEPT];      /* By the picture's pts. */
    uint8_t refers;       /* Of the picture being coded. */

    /* The picture being coded. */
    tdm_slice_fn *emit;
    void *emit_arg;
    bool keyframe;
    bool first; /* Nothing emitted yet. Belongs to the emitter. */
    int next;   /* First macroblock not yet emitted. Belongs to the emitter. */
    atomic_int pending;
    atomic_bool overflow;
    atomic_size_t used; /* Of `bytes`. */
    uint8_t *bytes;
    size_t capacity;
    struct coded_slice *slices; /* One for each macroblock that a slice may start at. */
};

static void emit_slice(struct x264_encoder *e, const uint8_t *data, size_t size, bool last)
{
    struct tdm_slice slice = {.data = data,
                              .size = size,
                              .first = e->first,
                              .last = last,
                              .keyframe = e->keyframe,
                              .refers = e->refers};

    e->first = false;
    tdm_rt_foreign_leave();
    e->emit(e->emit_arg, &slice);
    tdm_rt_foreign_enter();
}

/* Emits every slice that is next in order. One caller at a time. */
static void drain(struct x264_encoder *e)
{
    while (e->next < e->macroblocks) {
        struct coded_slice *slice = &e->slices[e->next];

        if (!atomic_load_explicit(&slice->ready, memory_order_acquire))
            break;
        atomic_store_explicit(&slice->ready, false, memory_order_relaxed);
        e->next = slice->last_macroblock + 1;
        emit_slice(e, slice->data, slice->size, e->next == e->macroblocks);
    }
}

static void publish(struct x264_encoder *e, const x264_nal_t *nal)
{
    struct coded_slice *slice = &e->slices[nal->i_first_mb];
    int seen = 1;

    slice->data = nal->p_payload + 4;
    slice->size = (size_t)nal->i_payload - 4;
    slice->last_macroblock = nal->i_last_mb;
    atomic_store_explicit(&slice->ready, true, memory_order_release);
    if (atomic_fetch_add(&e->pending, 1) != 0)
        return;
    do {
        drain(e);
        seen = atomic_fetch_sub(&e->pending, seen) - seen;
    } while (seen != 0);
}

/* x264 tells its version and settings in an SEI of some 600 bytes with the first picture: a
 * megabit link would spend 5 ms on it. */
static bool is_user_data(const x264_nal_t *nal)
{
    return nal->i_type == NAL_SEI && nal->i_payload > 0 && nal->p_payload[0] == 5;
}

/* Sets gaps_in_frame_num_value_allowed_flag (section 7.3.2.1.1) in a parameter set that has no
 * start code, header and emulation prevention yet. */
static void allow_gaps(uint8_t *data, size_t size)
{
    struct tdm_nal_bits b = tdm_nal_bits_of(data, size);
    uint32_t profile = tdm_nal_bits(&b, 8);

    (void)tdm_nal_bits(&b, 16);
    (void)tdm_nal_golomb(&b); /* Id. */
    if (profile >= PROFILE_HIGH) {
        (void)tdm_nal_golomb(&b);
        (void)tdm_nal_golomb(&b);
        (void)tdm_nal_golomb(&b);
        if (tdm_nal_bits(&b, 2)) /* x264 has no matrices unless it is told. */
            return;
    }
    (void)tdm_nal_golomb(&b);    /* Bits of frame_num. */
    if (tdm_nal_golomb(&b) == 0) /* Order of pictures. */
        (void)tdm_nal_golomb(&b);
    (void)tdm_nal_golomb(&b); /* References. */
    if (!b.ok)
        return;
    size_t at = (size_t)(b.at - data) * 8 - b.left;

    data[at / 8] |= (uint8_t)(0x80 >> at % 8);
}

/* x264's callback. Re-entrant with sliced threads. */
static void on_nal(x264_t *x264, x264_nal_t *nal, void *opaque)
{
    struct x264_encoder *e = opaque;
    size_t room = (size_t)nal->i_payload * 3 / 2 + 5 + 64;
    size_t at = atomic_fetch_add(&e->used, room);

    if (is_user_data(nal))
        return;
    if (at + room > e->capacity) {
        atomic_store(&e->overflow, true);
        return;
    }
    if (nal->i_type == NAL_SPS && e->references)
        allow_gaps(nal->p_payload, (size_t)nal->i_payload);
    bool slice = nal->i_type == NAL_SLICE || nal->i_type == NAL_SLICE_IDR;

    x264_nal_encode(x264, e->bytes + at, nal);
    if (slice)
        publish(e, nal);
    else /* Parameter sets and recovery points, written before any slice starts. */
        emit_slice(e, nal->p_payload + 4, (size_t)nal->i_payload - 4, false);
}

static uint32_t budget_clamp(uint64_t bytes)
{
    return bytes < BUDGET_BYTES_MIN    ? BUDGET_BYTES_MIN
           : bytes > UINT32_MAX / 1024 ? UINT32_MAX / 1024
                                       : (uint32_t)bytes;
}

#define UNIT 125 /* Bytes in x264's kilobit. */

static void set_rate(struct x264_encoder *e, uint32_t budget_bytes)
{
    uint64_t kbps = (uint64_t)budget_bytes * 8 * e->param.i_fps_num / 1000;
    uint64_t whole = (uint64_t)budget_bytes * e->buffer_frames;
    double most = (double)whole * (e->buffer_frames == 1 ? BUFFER_ROUND_MAX : 1);

    e->budget_bytes = budget_bytes;
    e->param.rc.i_bitrate = kbps > INT32_MAX ? INT32_MAX : (int)kbps;
    e->param.rc.i_vbv_max_bitrate = e->param.rc.i_bitrate;
    /* In units of 1000 bits, of which a small picture has few: what is rounded up is saved, not
     * spent, because the buffer fills at the exact rate. */
    e->param.rc.i_vbv_buffer_size =
        (int)(((double)(whole + UNIT - 1) > most ? whole : whole + UNIT - 1) / UNIT);
}

/* Constrained baseline unless the receiver's profile-level-id (RFC 6184 section 8.1) says Main
 * (77) or High (100), which contain it. */
static const char *profile_of(const char *fmtp)
{
    switch (tdm_fmtp_number(fmtp, "profile-level-id", 16, 0x42e01f) >> 16) {
    case 77:
        return "main";
    case 100:
        return "high";
    default:
        return "baseline";
    }
}

/* Fastest first. */
static const char *const presets[] = {"ultrafast", "superfast", "veryfast", NULL};

/* Asked before x264 is, which says on stderr what it does not know. */
static bool has_preset(const char *name)
{
    size_t i = 0;

    while (presets[i] && strcmp(presets[i], name) != 0)
        i++;
    return presets[i] != NULL;
}

static const char *version(void)
{
    return "libx264 " X264_POINTVER;
}

static enum tdm_err set_param(struct x264_encoder *e, const struct tdm_video_encoder_config *config)
{
    x264_param_t *p = &e->param;
    unsigned threads = config->threads > 8 ? 8 : config->threads;
    double rate = (double)config->width * config->height * config->fps / (threads ? threads : 1);

    const char *preset = config->preset[0]            ? config->preset
                         : rate > FAST_PIXELS_PER_SEC ? "ultrafast"
                                                      : "superfast";

    if (!has_preset(preset) || x264_param_default_preset(p, preset, "zerolatency") < 0)
        return TDM_E_SYSTEM;
    p->i_log_level = X264_LOG_NONE;
    p->i_width = config->width;
    p->i_height = config->height;
    p->i_csp = X264_CSP_I420;
    p->i_fps_num = config->fps;
    p->i_fps_den = 1;
    p->i_timebase_num = 1;
    p->i_timebase_den = config->fps;
    p->i_threads = threads ? (int)threads : 1;
    p->b_sliced_threads = threads > 1;
    p->i_bframe = 0;
    p->i_scenecut_threshold = 0;
    if (config->references) {
        p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
        p->i_frame_reference = 1;
        p->i_dpb_size = KEPT;
    } else {
        p->b_intra_refresh = 1;
        p->i_keyint_max = (int)config->fps * REFRESH_SECONDS;
    }
    p->b_repeat_headers = 1;
    p->b_annexb = 0;
    p->b_aud = 0;
    p->i_slice_max_size =
        (int)(config->slice_bytes_max > INT32_MAX / 2 ? 0 : config->slice_bytes_max);
    if (!p->i_slice_max_size && config->height >= SLICES_SIDE_MIN)
        p->i_slice_count = SLICES_DEFAULT;
    p->rc.i_rc_method = X264_RC_ABR;
    p->nalu_process = on_nal;
    e->buffer_frames = config->content == TDM_CONTENT_SCREEN ? BUFFER_FRAMES_SCREEN : BUFFER_FRAMES;
    tdm_budget_fill_init(&e->fill, FILL_MOST);
    set_rate(e, budget_clamp(config->bitrate_bps / 8 / config->fps));
    return x264_param_apply_profile(p, profile_of(config->fmtp)) < 0 ? TDM_E_SYSTEM : TDM_OK;
}

static void x264_destroy(struct tdm_video_encoder *enc)
{
    struct x264_encoder *e = (struct x264_encoder *)enc;

    if (!e)
        return;
    if (e->x264)
        x264_encoder_close(e->x264);
    free(e->slices);
    free(e->bytes);
    free(e);
}

static enum tdm_err x264_create(const struct tdm_video_encoder_config *config,
                                struct tdm_video_encoder **enc, struct tdm_cause *cause)
{
    int columns = (config->width + MACROBLOCK - 1) / MACROBLOCK;
    int rows = (config->height + MACROBLOCK - 1) / MACROBLOCK;
    struct x264_encoder *e = calloc(1, sizeof *e);

    assert(config->fps > 0 && config->width > 0 && config->height > 0);
    if (!e)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the H.264 encoder.");
    e->references = config->references;
    e->macroblocks = columns * rows;
    /* A macroblock costs at most 400 bytes (PCM) and half as much again is the escape's room. The
     * pages are touched only as far as pictures need them. */
    e->capacity = (size_t)e->macroblocks * 640 + 65536;
    e->bytes = malloc(e->capacity);
    e->slices = calloc((size_t)e->macroblocks, sizeof *e->slices);
    if (!e->bytes || !e->slices) {
        x264_destroy((struct tdm_video_encoder *)e);
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the H.264 encoder.");
    }
    if (set_param(e, config) == TDM_OK)
        e->x264 = x264_encoder_open(&e->param);
    if (!e->x264) {
        x264_destroy((struct tdm_video_encoder *)e);
        return tdm_fail(cause, TDM_E_SYSTEM, "libx264 refused %dx%d at %u/s and %u bit/s.",
                        config->width, config->height, config->fps, config->bitrate_bps);
    }
    *enc = (struct tdm_video_encoder *)e;
    return TDM_OK;
}

/* Tells x264 of a new budget when it moved by more than a few percent. */
static bool follow_budget(struct x264_encoder *e, uint32_t budget_bytes)
{
    uint32_t budget = budget_clamp(tdm_budget_fill_tell(&e->fill, budget_bytes));
    uint32_t moved = budget > e->budget_bytes ? budget - e->budget_bytes : e->budget_bytes - budget;

    if (moved <= e->budget_bytes / RECONFIG_SHARE)
        return true;
    set_rate(e, budget);
    tdm_rt_foreign_enter();
    int failed = x264_encoder_reconfig(e->x264, &e->param);

    tdm_rt_foreign_leave();
    return failed == 0;
}

static bool is_kept(const struct x264_encoder *e, int64_t pts)
{
    return pts >= e->keyframe_pts && pts >= e->pts - KEPT && !e->lost[pts % KEPT];
}

static void x264_refer(struct tdm_video_encoder *enc, const struct tdm_reference *reference)
{
    struct x264_encoder *e = (struct x264_encoder *)enc;
    int64_t wanted = e->pts - (reference->wanted ? reference->wanted : 1);

    if (!e->references || wanted + 1 >= e->pts || wanted < e->keyframe_pts)
        return;
    tdm_rt_foreign_enter();
    (void)x264_encoder_invalidate_reference(e->x264, wanted + 1);
    tdm_rt_foreign_leave();
    for (int64_t pts = e->pts - 1; pts > wanted && pts >= e->pts - KEPT; pts--)
        e->lost[pts % KEPT] = true;
}

/* To what x264 will refer: the newest that is left. 0: nothing is. */
static uint8_t newest_kept(const struct x264_encoder *e)
{
    for (uint8_t before = 1; before <= KEPT; before++)
        if (is_kept(e, e->pts - before))
            return before;
    return 0;
}

static void start_picture(struct x264_encoder *e, tdm_slice_fn *emit, void *emit_arg)
{
    e->emit = emit;
    e->emit_arg = emit_arg;
    e->first = true;
    e->next = 0;
    atomic_store(&e->pending, 0);
    atomic_store(&e->overflow, false);
    atomic_store(&e->used, 0);
}

static enum tdm_err x264_encode(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                                uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                                void *emit_arg)
{
    struct x264_encoder *e = (struct x264_encoder *)enc;
    x264_picture_t in, out;
    x264_nal_t *nals;
    int nal_count;

    assert(pic->width == e->param.i_width && pic->height == e->param.i_height);
    if (!follow_budget(e, budget_bytes))
        return TDM_E_SYSTEM;
    start_picture(e, emit, emit_arg);
    e->refers = e->references ? newest_kept(e) : 1;
    e->keyframe = keyframe || !e->started || !e->refers;
    if (e->keyframe) {
        e->refers = 0;
        e->keyframe_pts = e->pts;
    }
    e->lost[e->pts % KEPT] = false;
    x264_picture_init(&in);
    in.i_type = e->keyframe ? X264_TYPE_IDR : X264_TYPE_AUTO;
    in.i_pts = e->pts++;
    in.opaque = e;
    in.img.i_csp = X264_CSP_I420;
    in.img.i_plane = 3;
    for (int i = 0; i < 3; i++) {
        in.img.plane[i] = pic->planes[i];
        in.img.i_stride[i] = pic->strides[i];
    }
    tdm_rt_foreign_enter();
    int size = x264_encoder_encode(e->x264, &nals, &nal_count, &in, &out);

    tdm_rt_foreign_leave();
    e->started = true;
    if (size > 0 && !e->keyframe)
        tdm_budget_fill_note(&e->fill, (size_t)size);
    /* A picture that did not come out whole is a failure: x264 was told to hold none. */
    return size <= 0 || atomic_load(&e->overflow) || e->next != e->macroblocks ? TDM_E_SYSTEM
                                                                               : TDM_OK;
}

const struct tdm_video_encoder_ops tdm_x264_encoder = {
    .id = TDM_CODEC_H264,
    .name = "x264",
    .rtp_name = "H264",
    .presets = presets,
    .version = version,
    /* libavcodec shows nothing at the first picture behind a gap of 14. */
    .reach = {.known = KEPT - 4, .chains = 1},
    .create = x264_create,
    .destroy = x264_destroy,
    .encode = x264_encode,
    .refer = x264_refer,
};

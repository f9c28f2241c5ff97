/* SPDX-License-Identifier: MIT */
/*
 * H.264 encoding by Cisco's openh264 (RFC 6184 wants NAL units without start codes).
 *
 * openh264 hands a picture over when all of it is coded, so the first slice leaves with the last.
 * A picture is one slice unless the caller limits their size: with more than one the library's
 * rate control no longer adapts inside the picture. It runs on the calling thread alone, whatever
 * `threads` says, because its threads need slices too.
 *
 * openh264_rate.h decides who chooses the quantiser, the library or we. A keyframe refers to
 * nothing, so one that came out too large is thrown away and coded again; other pictures cannot be
 * taken back.
 */
#include "codecs/fmtp.h"
#include "codecs/openh264_rate.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wels/codec_api.h>
#include <wels/codec_ver.h>

#define START_CODE_SIZE  4
#define SLICE_BYTES_MIN  512 /* openh264 wants room for its largest macroblock and the headers. */
#define SLICE_BYTES_MAX  65535
#define FPS_MAX          60 /* Of openh264; a faster stream is told its rate as if at 60. */
#define ACTIVITY_STRIDE  4  /* Every fourth sample of every fourth row is compared. */
#define KEY_ATTEMPTS_MAX 3
#define HEADER_BYTES     32 /* Holds a slice header as far as its quantiser. */
#define FRAME_NUM_BITS   15 /* As openh264's parameter sets say. */
#define ORDER_BITS       16
#define QUANTISER_INIT   26
#define GREY             128

struct openh264_encoder {
    ISVCEncoder *wels;
    SEncParamExt param;
    SFrameBSInfo coded; /* The last picture; its bytes are the library's. */
    double bps_max;     /* Of the level: the library refuses more. */
    struct tdm_openh264_rate rate;
    bool keyframe_owed;
    long long time_ms; /* The library wants stamps that grow. */
    uint8_t *seen;     /* The samples of the last picture that activity compares. */
};

/* Fastest first; the places are openh264's complexity modes. */
static const char *const presets[] = {"low", "medium", "high", NULL};

#define TEXT(number)                   #number
#define DOTTED(major, minor, revision) TEXT(major) "." TEXT(minor) "." TEXT(revision)
#define LIBRARY_VERSION                DOTTED(OPENH264_MAJOR, OPENH264_MINOR, OPENH264_REVISION)

static const char *version(void)
{
    return "libopenh264 " LIBRARY_VERSION;
}

/* Bits of a slice header, emulation prevention already removed. Past the end come zeros. */
struct bits {
    uint8_t bytes[HEADER_BYTES];
    unsigned at;
};

static unsigned read_bits(struct bits *b, unsigned count)
{
    unsigned value = 0;

    for (; count > 0; count--, b->at++)
        value = value << 1 |
                (b->at / 8 < HEADER_BYTES ? b->bytes[b->at / 8] >> (7 - b->at % 8) & 1u : 0u);
    return value;
}

/* ue(v), ITU-T H.264 section 9.1. */
static unsigned read_golomb(struct bits *b)
{
    unsigned zeros = 0;

    while (zeros < 16 && read_bits(b, 1) == 0)
        zeros++;
    return (1u << zeros) - 1 + read_bits(b, zeros);
}

static struct bits bits_of(const uint8_t *data, size_t size)
{
    struct bits b = {.at = 0};
    unsigned zeros = 0;

    for (size_t i = 0, count = 0; i < size && count < HEADER_BYTES; i++) {
        if (zeros >= 2 && data[i] == 3) {
            zeros = 0;
            continue;
        }
        b.bytes[count++] = data[i];
        zeros = data[i] == 0 ? zeros + 1 : 0;
    }
    return b;
}

/* The quantiser that a slice starts with (section 7.3.3, as openh264 writes it: frames only, one
 * reference in its natural order, nothing marked); 0 when it is written otherwise. */
static int slice_quantiser(const uint8_t *nal, size_t size, bool cabac)
{
    struct bits b = bits_of(nal + 1, size - 1);
    bool idr = (nal[0] & 31) == 5;

    (void)read_golomb(&b); /* First macroblock, type, PPS. */
    (void)read_golomb(&b);
    (void)read_golomb(&b);
    (void)read_bits(&b, FRAME_NUM_BITS);
    if (idr)
        (void)read_golomb(&b);
    (void)read_bits(&b, ORDER_BITS);
    if (idr) {
        (void)read_bits(&b, 2); /* How the reference is marked. */
    } else {
        if (read_bits(&b, 1)) /* Number of references. */
            (void)read_golomb(&b);
        if (read_bits(&b, 1)) /* Their order: each with one argument, up to a 3. */
            while (read_golomb(&b) != 3 && b.at < HEADER_BYTES * 8)
                (void)read_golomb(&b);
        if (read_bits(&b, 1))
            return 0;
        if (cabac)
            (void)read_golomb(&b);
    }
    unsigned code = read_golomb(&b);
    int quantiser = QUANTISER_INIT + (code & 1 ? (int)(code + 1) / 2 : -(int)(code / 2));

    return quantiser > 0 && quantiser <= TDM_OPENH264_QUANTISER_MAX ? quantiser : 0;
}

/* One piece of the coded picture after the other. */
struct nal_cursor {
    const SFrameBSInfo *coded;
    int layer, nal;
    const uint8_t *at;
};

static bool next_nal(struct nal_cursor *c, const uint8_t **data, size_t *size)
{
    while (c->layer < c->coded->iLayerNum) {
        const SLayerBSInfo *layer = &c->coded->sLayerInfo[c->layer];

        if (c->nal < layer->iNalCount) {
            c->at = c->nal == 0 ? layer->pBsBuf : c->at;
            *data = c->at + START_CODE_SIZE;
            *size = (size_t)layer->pNalLengthInByte[c->nal] - START_CODE_SIZE;
            c->at += layer->pNalLengthInByte[c->nal++];
            return true;
        }
        c->layer++;
        c->nal = 0;
    }
    return false;
}

/* Bytes of the coded picture without start codes, and the quantiser of its first slice. */
static size_t measure(const struct openh264_encoder *e, int *quantiser)
{
    struct nal_cursor c = {.coded = &e->coded};
    bool cabac = e->param.iEntropyCodingModeFlag != 0;
    const uint8_t *data;
    size_t size, sum = 0;

    *quantiser = 0;
    while (next_nal(&c, &data, &size)) {
        unsigned type = data[0] & 31;

        sum += size;
        if (*quantiser == 0 && (type == 1 || type == 5))
            *quantiser = slice_quantiser(data, size, cabac);
    }
    return sum;
}

static void emit_all(const struct openh264_encoder *e, size_t bytes, tdm_slice_fn *emit,
                     void *emit_arg)
{
    struct nal_cursor c = {.coded = &e->coded};
    struct tdm_slice slice = {.first = true, .keyframe = e->coded.eFrameType == videoFrameTypeIDR};

    while (next_nal(&c, &slice.data, &slice.size)) {
        bytes -= slice.size;
        slice.last = bytes == 0;
        emit(emit_arg, &slice);
        slice.first = false;
    }
}

/* Mean change of the compared samples since the last picture, which this one takes the place of. */
static double measure_activity(struct openh264_encoder *e, const struct tdm_picture *pic)
{
    uint8_t *seen = e->seen;
    uint64_t sum = 0;

    for (int y = 0; y < pic->height; y += ACTIVITY_STRIDE) {
        const uint8_t *row = pic->planes[0] + (ptrdiff_t)y * pic->strides[0];

        for (int x = 0; x < pic->width; x += ACTIVITY_STRIDE, seen++) {
            sum += (uint64_t)abs(row[x] - *seen);
            *seen = row[x];
        }
    }
    return (double)sum / (double)(seen - e->seen);
}

/* Tells the library who controls the next picture's quantiser, and its quantiser or rate. */
static bool set_control(struct openh264_encoder *e, const struct tdm_openh264_plan *plan)
{
    int mode = plan->fixed ? RC_OFF_MODE : RC_BITRATE_MODE;
    double bps = fmin(8.0 * plan->budget_bytes * e->param.fMaxFrameRate, e->bps_max);
    SBitrateInfo rate = {.iLayer = SPATIAL_LAYER_ALL, .iBitrate = (int)bps};

    if ((*e->wels)->SetOption(e->wels, ENCODER_OPTION_RC_MODE, &mode) != 0)
        return false;
    e->param.iRCMode = (RC_MODES)mode;
    if (!plan->fixed)
        return (*e->wels)->SetOption(e->wels, ENCODER_OPTION_BITRATE, &rate) == 0;
    e->param.sSpatialLayers[0].iDLayerQp = plan->quantiser;
    return (*e->wels)->SetOption(e->wels, ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &e->param) == 0;
}

static bool encode_once(struct openh264_encoder *e, const struct tdm_picture *pic, bool keyframe)
{
    SSourcePicture in = {.iColorFormat = videoFormatI420,
                         .iPicWidth = pic->width,
                         .iPicHeight = pic->height,
                         .uiTimeStamp = e->time_ms};

    for (int i = 0; i < 3; i++) {
        in.pData[i] = pic->planes[i];
        in.iStride[i] = pic->strides[i];
    }
    e->time_ms += 1 + 1000 / (long long)e->param.fMaxFrameRate;
    if (keyframe && (*e->wels)->ForceIntraFrame(e->wels, true) != 0)
        return false;
    return (*e->wels)->EncodeFrame(e->wels, &in, &e->coded) == 0;
}

/* Codes as planned, a keyframe until it fits. */
static bool run(struct openh264_encoder *e, const struct tdm_picture *pic, uint32_t budget_bytes,
                struct tdm_openh264_plan *plan)
{
    bool ok = false;
    int quantiser;

    tdm_rt_foreign_enter();
    for (int i = 0; i < KEY_ATTEMPTS_MAX; i++) {
        ok = set_control(e, plan) && encode_once(e, pic, plan->keyframe);
        if (!ok || !plan->keyframe || i == KEY_ATTEMPTS_MAX - 1)
            break;
        if (!tdm_openh264_rate_again(&e->rate, plan, measure(e, &quantiser), budget_bytes))
            break;
    }
    tdm_rt_foreign_leave();
    return ok;
}

static enum tdm_err openh264_encode(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                                    uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                                    void *emit_arg)
{
    struct openh264_encoder *e = (struct openh264_encoder *)enc;
    int quantiser = 0;

    assert(pic->width == e->param.iPicWidth && pic->height == e->param.iPicHeight);
    e->keyframe_owed |= keyframe;
    if (tdm_openh264_rate_drops(&e->rate, budget_bytes))
        return TDM_E_AGAIN;
    double activity = measure_activity(e, pic);
    struct tdm_openh264_plan plan =
        tdm_openh264_rate_plan(&e->rate, activity, budget_bytes, e->keyframe_owed);

    if (!run(e, pic, budget_bytes, &plan))
        return TDM_E_SYSTEM;
    size_t bytes = measure(e, &quantiser);

    if (bytes == 0)
        return TDM_E_SYSTEM; /* It was told never to skip a picture. */
    plan.keyframe = e->coded.eFrameType == videoFrameTypeIDR;
    tdm_openh264_rate_note(&e->rate, &plan, activity, bytes, quantiser, budget_bytes);
    e->keyframe_owed = false;
    emit_all(e, bytes, emit, emit_arg);
    return TDM_OK;
}

static void openh264_destroy(struct tdm_video_encoder *enc)
{
    struct openh264_encoder *e = (struct openh264_encoder *)enc;

    if (!e)
        return;
    if (e->wels) {
        (void)(*e->wels)->Uninitialize(e->wels);
        WelsDestroySVCEncoder(e->wels);
    }
    free(e->seen);
    free(e);
}

/* Constrained baseline unless the receiver's profile-level-id (RFC 6184 section 8.1) says Main
 * (77) or High (100), which contain it. */
static void set_profile(SEncParamExt *param, const char *fmtp)
{
    uint32_t profile = tdm_fmtp_number(fmtp, "profile-level-id", 16, 0x42e01f) >> 16;

    param->sSpatialLayers[0].uiProfileIdc = profile == 77    ? PRO_MAIN
                                            : profile == 100 ? PRO_HIGH
                                                             : PRO_BASELINE;
    param->iEntropyCodingModeFlag = profile == 77 || profile == 100;
}

/* The lowest level (ITU-T H.264 table A-1) for this size and rate, but not below 3.1, which every
 * offer names: openh264 would choose by the first bit rate and then refuse a higher one. */
static void set_level(struct openh264_encoder *e, const struct tdm_video_encoder_config *config)
{
    static const struct {
        ELevelIdc level;
        double blocks, blocks_per_second, kbps;
    } levels[] = {
        {LEVEL_3_1, 3600, 108000, 14000},   {LEVEL_3_2, 5120, 216000, 20000},
        {LEVEL_4_0, 8192, 245760, 20000},   {LEVEL_4_2, 8704, 522240, 50000},
        {LEVEL_5_1, 36864, 983040, 240000}, {LEVEL_5_2, 36864, 2073600, 240000},
    };
    double blocks = ceil(config->width / 16.0) * ceil(config->height / 16.0);
    size_t i = 0;

    while (i < sizeof levels / sizeof *levels - 1 &&
           (blocks > levels[i].blocks || blocks * config->fps > levels[i].blocks_per_second))
        i++;
    e->param.sSpatialLayers[0].uiLevelIdc = levels[i].level;
    e->bps_max = levels[i].kbps * 1200;
}

static void set_slices(SEncParamExt *param, uint32_t slice_bytes_max)
{
    SSliceArgument *slices = &param->sSpatialLayers[0].sSliceArgument;

    if (slice_bytes_max == 0 || slice_bytes_max > SLICE_BYTES_MAX) {
        slices->uiSliceMode = SM_SINGLE_SLICE;
        return;
    }
    slices->uiSliceMode = SM_SIZELIMITED_SLICE;
    slices->uiSliceSizeConstraint =
        slice_bytes_max < SLICE_BYTES_MIN ? SLICE_BYTES_MIN : slice_bytes_max;
    param->uiMaxNalSize = slices->uiSliceSizeConstraint;
}

static bool set_param(struct openh264_encoder *e, const struct tdm_video_encoder_config *config)
{
    SEncParamExt *p = &e->param;
    SSpatialLayerConfig *layer = &p->sSpatialLayers[0];
    int preset = 0;

    if ((*e->wels)->GetDefaultParams(e->wels, p) != 0)
        return false;
    while (config->preset[0] && presets[preset] && strcmp(presets[preset], config->preset) != 0)
        preset++;
    if (!presets[preset])
        return false;
    p->iUsageType =
        config->content == TDM_CONTENT_SCREEN ? SCREEN_CONTENT_REAL_TIME : CAMERA_VIDEO_REAL_TIME;
    p->iComplexityMode = (ECOMPLEXITY_MODE)preset;
    p->iPicWidth = layer->iVideoWidth = config->width;
    p->iPicHeight = layer->iVideoHeight = config->height;
    p->fMaxFrameRate = layer->fFrameRate = config->fps > FPS_MAX ? FPS_MAX : (float)config->fps;
    set_level(e, config);
    p->iTargetBitrate = (int)fmin(config->bitrate_bps, e->bps_max);
    layer->iSpatialBitrate = p->iTargetBitrate;
    p->iRCMode = RC_BITRATE_MODE;
    p->bEnableFrameSkip = false;
    p->iMinQp = TDM_OPENH264_QUANTISER_MIN;
    p->iMaxQp = TDM_OPENH264_QUANTISER_MAX;
    p->uiIntraPeriod = 0;
    p->iNumRefFrame = 1; /* Then a gap in frame_num means a loss. */
    p->iMultipleThreadIdc = 1;
    p->eSpsPpsIdStrategy = CONSTANT_ID;
    p->bEnableSceneChangeDetect = false;
    set_slices(p, config->slice_bytes_max);
    set_profile(p, config->fmtp);
    return true;
}

/* Its rate control starts with a keyframe of its own; that one is of a grey picture and is not
 * sent. Tells the quantiser at which the control has begun. */
static bool open_control(struct openh264_encoder *e, int *quantiser)
{
    size_t bytes = tdm_picture_bytes(e->param.iPicWidth, e->param.iPicHeight);
    uint8_t *grey = malloc(bytes);
    struct tdm_picture pic;

    if (!grey)
        return false;
    memset(grey, GREY, bytes);
    tdm_picture_over(&pic, grey, e->param.iPicWidth, e->param.iPicHeight);
    bool ok = encode_once(e, &pic, true);

    if (ok)
        (void)measure(e, quantiser);
    free(grey);
    return ok;
}

static bool open_library(struct openh264_encoder *e, const struct tdm_video_encoder_config *config)
{
    int level = WELS_LOG_QUIET, quantiser = 0;

    if (WelsCreateSVCEncoder(&e->wels) != 0)
        return false;
    if ((*e->wels)->SetOption(e->wels, ENCODER_OPTION_TRACE_LEVEL, &level) != 0 ||
        !set_param(e, config) || (*e->wels)->InitializeExt(e->wels, &e->param) != 0 ||
        !open_control(e, &quantiser))
        return false;
    bool slices = e->param.sSpatialLayers[0].sSliceArgument.uiSliceMode != SM_SINGLE_SLICE;

    tdm_openh264_rate_init(&e->rate, slices, (size_t)config->width * (size_t)config->height,
                           quantiser);
    return true;
}

static enum tdm_err openh264_create(const struct tdm_video_encoder_config *config,
                                    struct tdm_video_encoder **enc, struct tdm_cause *cause)
{
    struct openh264_encoder *e = calloc(1, sizeof *e);
    size_t columns = ((size_t)config->width + ACTIVITY_STRIDE - 1) / ACTIVITY_STRIDE;
    size_t rows = ((size_t)config->height + ACTIVITY_STRIDE - 1) / ACTIVITY_STRIDE;

    assert(config->fps > 0 && config->width > 0 && config->height > 0);
    if (e)
        e->seen = calloc(columns, rows);
    if (!e || !e->seen) {
        openh264_destroy((struct tdm_video_encoder *)e);
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the H.264 encoder.");
    }
    e->keyframe_owed = true;
    if (!open_library(e, config)) {
        openh264_destroy((struct tdm_video_encoder *)e);
        return tdm_fail(cause, TDM_E_SYSTEM, "libopenh264 refused %dx%d at %u/s and %u bit/s.",
                        config->width, config->height, config->fps, config->bitrate_bps);
    }
    *enc = (struct tdm_video_encoder *)e;
    return TDM_OK;
}

const struct tdm_video_encoder_ops tdm_openh264_encoder = {
    .id = TDM_CODEC_H264,
    .name = "openh264",
    .rtp_name = "H264",
    .presets = presets,
    .version = version,
    .create = openh264_create,
    .destroy = openh264_destroy,
    .encode = openh264_encode,
};

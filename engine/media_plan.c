/* SPDX-License-Identifier: MIT */
#include "engine/media_plan.h"

#include "codecs/codec.h"
#include "engine/audio_plan.h"
#include "engine/video_plan.h"
#include "engine/wire/frame_timing.h"
#include "engine/wire/reference_mark.h"
#include "engine/wire/twcc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TIMING_EXT_ID    1
#define NUMBER_EXT_ID    3
#define MID_EXT_ID       4
#define REFERENCE_EXT_ID 6 /* 5 is engine/call_region.c's. */
#define MID_URI          "urn:ietf:params:rtp-hdrext:sdes:mid"
#define RTX_TYPE         120 /* And on from there, a type for each codec's repairs. */
#define RED_TYPE         63  /* As browsers have it. */
#define PARITY_TYPE      119
#define DTMF_TYPE        101 /* At 8 kHz, */
#define DTMF_48K_TYPE    110 /* and at Opus' clock (RFC 4733 section 2.1: that of the audio). */
#define SIDE_MIN         16
#define LATENCY_MIN_MS   20
#define LATENCY_MAX_MS   10000
#define BPS_MIN          32000
#define BPS_MAX          100000000
#define THREADS_MAX      64

/* Video codecs stand in their default order of preference. VP9 without parameters is profile 0, AV1
 * profile 0 at level 3.1 (RFC 9628 section 6, AOM section 7.2). */
static const struct {
    const char *name;
    enum tdm_media_kind kind;
    enum tdm_codec_id id;
    uint8_t payload_type;
    uint32_t hz;
    uint8_t channels;
    const char *fmtp;
} known_codecs[] = {
    {"opus", TDM_AUDIO, TDM_CODEC_OPUS, 111, 48000, 2, NULL}, /* fmtp: tdm_audio_capability. */
    {"g722", TDM_AUDIO, TDM_CODEC_G722, 9, 8000, 1, NULL},
    {"pcmu", TDM_AUDIO, TDM_CODEC_PCMU, 0, 8000, 1, NULL},
    {"pcma", TDM_AUDIO, TDM_CODEC_PCMA, 8, 8000, 1, NULL},
    {"l16", TDM_AUDIO, TDM_CODEC_L16, 112, 48000, 1, NULL},
    {"l16", TDM_AUDIO, TDM_CODEC_L16, 11, 44100, 1, NULL},
    {"l16", TDM_AUDIO, TDM_CODEC_L16, 113, 48000, 2, NULL},
    {"l16", TDM_AUDIO, TDM_CODEC_L16, 10, 44100, 2, NULL},
    {"h264", TDM_VIDEO, TDM_CODEC_H264, 102, 90000, 1,
     "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"},
    {"vp8", TDM_VIDEO, TDM_CODEC_VP8, 96, 90000, 1, NULL},
    {"vp9", TDM_VIDEO, TDM_CODEC_VP9, 98, 90000, 1, NULL},
    {"av1", TDM_VIDEO, TDM_CODEC_AV1, 45, 90000, 1, NULL},
    {"h265", TDM_VIDEO, TDM_CODEC_H265, 49, 90000, 1, "profile-id=1;level-id=153"},
};

#define KNOWN_COUNT (sizeof known_codecs / sizeof *known_codecs)
/* A second H.264 payload type for peers that only speak single NAL unit mode. */
#define H264_MODE0_TYPE 103
#define H264_MODE0_FMTP "profile-level-id=42e01f;level-asymmetry-allowed=1" /* Mode 0 unsaid. */

const char *tdm_codec_short_name(enum tdm_codec_id id)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (known_codecs[i].id == id)
            return known_codecs[i].name;
    return "";
}

/* Whether the first `size` characters of `text` are `name`, in either case. */
static bool is_named(const char *text, size_t size, const char *name)
{
    return strlen(name) == size && strncasecmp(name, text, size) == 0;
}

static size_t find_named(enum tdm_media_kind kind, const char *text, size_t size)
{
    size_t i = 0;

    while (i < KNOWN_COUNT &&
           (known_codecs[i].kind != kind || !is_named(text, size, known_codecs[i].name)))
        i++;
    return i;
}

enum tdm_codec_id tdm_codec_of_name(enum tdm_media_kind kind, const char *text, size_t size)
{
    size_t i = find_named(kind, text, size);

    return i < KNOWN_COUNT ? known_codecs[i].id : TDM_CODEC_NONE;
}

enum tdm_codec_id tdm_codec_at(enum tdm_media_kind kind, size_t index)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (known_codecs[i].kind == kind && index-- == 0)
            return known_codecs[i].id;
    return TDM_CODEC_NONE;
}

static enum tdm_err parse_audio_codecs(struct tdm_media_plan *plan, const char *list,
                                       struct tdm_cause *cause)
{
    for (const char *at = list; *at && plan->audio_codec_count < TDM_CODECS_MAX;) {
        size_t size = strcspn(at, ",");
        size_t i = find_named(TDM_AUDIO, at, size);

        if (i == KNOWN_COUNT || !tdm_audio_encoder_find(known_codecs[i].id))
            return tdm_fail(cause, TDM_E_UNSUPPORTED, "unknown audio codec \"%.*s\": use %s",
                            (int)size, at, tandem_audio_codecs());
        plan->audio_codecs[plan->audio_codec_count++] = known_codecs[i].id;
        at += size + (at[size] == ',');
    }
    return plan->audio_codec_count
               ? TDM_OK
               : tdm_fail(cause, TDM_E_MALFORMED, "the list of codecs is empty");
}

static enum tdm_err copy_text(char *to, const char *from, const char *fallback,
                              struct tdm_cause *cause)
{
    int size = snprintf(to, TDM_SPEC_MAX, "%s", from ? from : fallback);

    return size >= 0 && size < TDM_SPEC_MAX
               ? TDM_OK
               : tdm_fail(cause, TDM_E_MALFORMED, "\"%.40s...\" is too long", from);
}

static enum tdm_err copy_texts(struct tdm_media_plan *plan, const struct tandem_media *m,
                               struct tdm_cause *cause)
{
    enum tdm_err err = copy_text(plan->video_source, m->video_source, "cam", cause);

    if (err == TDM_OK)
        err = copy_text(plan->audio_source, m->audio_source, "mic", cause);
    if (err == TDM_OK)
        err = copy_text(plan->video_sink, m->video_sink, "window", cause);
    if (err == TDM_OK)
        err = copy_text(plan->audio_sink, m->audio_sink, "speaker", cause);
    if (err == TDM_OK)
        err = copy_text(plan->record_path, m->record_path, "", cause);
    if (err == TDM_OK)
        err = copy_text(plan->sheet_path, m->sheet_path, "", cause);
    return err;
}

static enum tdm_err check_numbers(const struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    if (plan->width < SIDE_MIN || plan->height < SIDE_MIN || plan->width % 2 || plan->height % 2 ||
        plan->width > TDM_PICTURE_SIDE_MAX || plan->height > TDM_PICTURE_SIDE_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "%ux%u is no picture size: even sides from %d to %d", plan->width,
                        plan->height, SIDE_MIN, TDM_PICTURE_SIDE_MAX);
    if (plan->fps > 120)
        return tdm_fail(cause, TDM_E_MALFORMED, "%u frames a second: use 1 to 120", plan->fps);
    if (plan->video_bps < BPS_MIN || plan->video_bps > BPS_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "%u bit/s for video: use %u to %u", plan->video_bps,
                        BPS_MIN, BPS_MAX);
    if (plan->video_threads > THREADS_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "%u threads for video: use 1 to %d",
                        plan->video_threads, THREADS_MAX);
    if (!tdm_audio_frame_known(plan->audio_frame_us))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "audio frames of %g ms: use 2.5, 5, 10, 20, 40 or 60",
                        plan->audio_frame_us / 1000.0);
    if (plan->audio_channels != 1 && plan->audio_channels != 2)
        return tdm_fail(cause, TDM_E_MALFORMED, "%u audio channels: use 1, or 2 for stereo",
                        plan->audio_channels);
    if (plan->latency_ms &&
        (plan->latency_ms < LATENCY_MIN_MS || plan->latency_ms > LATENCY_MAX_MS))
        return tdm_fail(cause, TDM_E_MALFORMED, "a latency budget of %u ms: use %d to %d",
                        plan->latency_ms, LATENCY_MIN_MS, LATENCY_MAX_MS);
    return TDM_OK;
}

enum tdm_err tdm_media_plan_of(struct tdm_media_plan *plan, const struct tandem_media *media,
                               struct tdm_cause *cause)
{
    static const struct tandem_media nothing;
    const struct tandem_media *m = media ? media : &nothing;
    enum tdm_err err;

    memset(plan, 0, sizeof *plan);
    plan->video_bps = m->video_bps ? m->video_bps : 1500000;
    plan->audio_channels = m->audio_channels ? m->audio_channels : 1;
    plan->audio_music = m->audio_music;
    plan->audio_bps_asked = m->audio_bps != 0;
    plan->audio_bps =
        m->audio_bps ? m->audio_bps : tdm_audio_bps(plan->audio_channels, plan->audio_music);
    plan->size_asked = m->width || m->height;
    plan->width = m->width ? m->width : 1280;
    plan->height = m->height ? m->height : 720;
    plan->fps = m->fps ? m->fps : 30;
    plan->audio_frame_asked = m->audio_frame_us != 0;
    plan->audio_frame_us = m->audio_frame_us ? m->audio_frame_us : 10000;
    plan->sheet_every_ms = m->sheet_every_ms ? m->sheet_every_ms : 1500;
    plan->ring_seconds = m->ring_seconds ? m->ring_seconds : 60;
    plan->latency_ms = m->latency_ms;
    plan->time_code = m->time_code;
    plan->channel = m->channel;
    plan->channel_if_asked = m->channel_if_asked;
    plan->files = m->files;
    plan->share = m->share;
    plan->board = m->board;
    plan->chat = m->chat;
    plan->video_threads = m->video_threads;
    err = copy_texts(plan, m, cause);
    if (err == TDM_OK)
        err = tdm_video_plan_of(plan, m, cause);
    if (err == TDM_OK)
        err = parse_audio_codecs(plan, m->audio_codecs ? m->audio_codecs : TDM_DEFAULT_AUDIO_CODECS,
                                 cause);
    return err == TDM_OK ? check_numbers(plan, cause) : err;
}

static void add_codec(struct tdm_capability *capability, enum tdm_codec_id id)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (known_codecs[i].id == id)
            tdm_capability_add(capability, known_codecs[i].kind, id, known_codecs[i].payload_type,
                               known_codecs[i].hz, known_codecs[i].channels, known_codecs[i].fmtp);
    if (id == TDM_CODEC_H264)
        tdm_capability_add(capability, TDM_VIDEO, id, H264_MODE0_TYPE, 90000, 1, H264_MODE0_FMTP);
}

static void add_video(struct tdm_capability *capability, const struct tdm_media_plan *plan)
{
    struct tdm_media_capability *video = &capability->media[TDM_VIDEO];

    for (uint8_t i = 0; i < plan->video_codec_count; i++) {
        uint8_t added = video->codec_count;

        add_codec(capability, plan->video_codecs[i]);
        for (; added < video->codec_count; added++)
            video->codecs[added].decode_only = !plan->video_encoders[i];
    }
}

static enum tdm_direction direction_of(const char *source, const char *sink)
{
    unsigned direction = TDM_INACTIVE;

    if (strcmp(source, "off") != 0)
        direction |= TDM_SENDONLY;
    if (strcmp(sink, "off") != 0)
        direction |= TDM_RECVONLY;
    return (enum tdm_direction)direction;
}

static void add_ext(struct tdm_media_capability *c, uint8_t id, const char *uri)
{
    c->exts[c->ext_count].id = id;
    (void)snprintf(c->exts[c->ext_count++].uri, sizeof c->exts[0].uri, "%s", uri);
}

static void fill_media(struct tdm_media_capability *c, enum tdm_direction direction, uint16_t port)
{
    c->direction = direction;
    c->wanted = direction != TDM_INACTIVE;
    c->port = port;
    c->rtcp_mux = true;
    add_ext(c, TIMING_EXT_ID, TDM_FRAME_TIMING_URI);
}

void tdm_media_plan_capability(const struct tdm_media_plan *plan, const char *address,
                               uint16_t audio_port, uint16_t video_port,
                               struct tdm_capability *capability)
{
    struct tdm_media_capability *audio = &capability->media[TDM_AUDIO];
    struct tdm_media_capability *video = &capability->media[TDM_VIDEO];

    memset(capability, 0, sizeof *capability);
    (void)snprintf(capability->address, sizeof capability->address, "%s", address);
    capability->plain = true;
    for (uint8_t i = 0; i < plan->audio_codec_count; i++)
        add_codec(capability, plan->audio_codecs[i]);
    add_video(capability, plan);
    tdm_capability_add(capability, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, DTMF_TYPE, 8000, 1,
                       "0-15");
    fill_media(audio, direction_of(plan->audio_source, plan->audio_sink), audio_port);
    fill_media(video, direction_of(plan->video_source, plan->video_sink), video_port);
    tdm_audio_capability(plan, audio);
    for (uint8_t i = 0; i < audio->codec_count; i++)
        audio->codecs[i].red_type = audio->codecs[i].id == TDM_CODEC_OPUS ? RED_TYPE : 0;
    add_ext(video, REFERENCE_EXT_ID, TDM_REFERENCE_MARK_URI);
    video->framerate = plan->fps;
    video->parity_type = PARITY_TYPE;
    video->ulpfec = true;
    video->ccfb = true; /* Voice does not wait for it (engine/core/call_rate.h). */
}

void tdm_media_plan_feedback(struct tdm_capability *capability)
{
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        struct tdm_media_capability *c = &capability->media[kind];

        add_ext(c, NUMBER_EXT_ID, TDM_TWCC_URI);
        add_ext(c, MID_EXT_ID, MID_URI);
        for (uint8_t i = 0; i < c->codec_count; i++) {
            c->codecs[i].transport_cc = c->codecs[i].id != TDM_CODEC_TELEPHONE_EVENT;
            c->codecs[i].rtx_type = (uint8_t)(kind == TDM_VIDEO ? RTX_TYPE + i % 8u : 0);
        }
    }
}

void tdm_media_plan_everything(struct tdm_capability *capability)
{
    struct tdm_media_plan plan;

    if (tdm_media_plan_of(&plan, &(struct tandem_media){.audio_codecs = tandem_audio_codecs()},
                          NULL) == TDM_OK)
        tdm_media_plan_capability(&plan, "127.0.0.1", 9, 9, capability);
}

enum tdm_codec_id tdm_media_plan_codec(const struct tdm_negotiated_media *agreed)
{
    return agreed->send.id != TDM_CODEC_NONE || !agreed->receive_count ? agreed->send.id
                                                                       : agreed->receive[0].id;
}

static uint8_t ext_id(const struct tdm_negotiated_media *agreed, const char *uri)
{
    for (uint8_t i = 0; i < agreed->ext_count; i++)
        if (strcmp(agreed->exts[i].uri, uri) == 0)
            return agreed->exts[i].id;
    return 0;
}

void tdm_media_plan_stream(const struct tdm_media_plan *plan,
                           const struct tdm_negotiated_media *agreed, enum tdm_media_kind kind,
                           bool held_here, struct tdm_stream_config *config)
{
    uint32_t most = kind == TDM_VIDEO ? plan->video_bps : plan->audio_bps;

    *config = (struct tdm_stream_config){
        .kind = kind,
        .send = agreed->direction & TDM_SENDONLY && !held_here,
        .receive = (agreed->direction & TDM_RECVONLY) != 0,
        .send_codec = agreed->send.id,
        .send_payload_type = agreed->send.payload_type,
        .send_hz = agreed->send.clock_hz,
        .dtmf_payload_type = agreed->dtmf_send_type,
        .dtmf_hz = agreed->dtmf_send_hz,
        .nack = agreed->nack,
        .pli = agreed->pli,
        .fir = agreed->fir,
        .tmmbr = agreed->tmmbr,
        .remb = agreed->remb,
        .transport_cc = agreed->transport_cc,
        .ccfb = agreed->ccfb,
        .ecn = agreed->ccfb, /* Which tells of marks, so that they are of use. */
        .send_parity_type = agreed->ccfb ? agreed->send_parity_type : 0,
        .receive_parity_type = agreed->receive_parity_type,
        .send_ulpfec_type = agreed->send_ulpfec_type,
        .send_ulpfec_red_type = agreed->send_ulpfec_red_type,
        .receive_ulpfec_type = agreed->receive_ulpfec_type,
        .receive_ulpfec_red_type = agreed->receive_ulpfec_red_type,
        .reduced_rtcp = agreed->rtcp_rsize,
        .transport_cc_ext_id = agreed->transport_cc ? ext_id(agreed, TDM_TWCC_URI) : 0,
        .mid_ext_id = agreed->bundled && agreed->mid[0] ? ext_id(agreed, MID_URI) : 0,
        .bundled = agreed->bundled,
        .send_red_payload_type = agreed->send.red_type,
        .send_rtx_payload_type = agreed->nack ? agreed->send.rtx_type : 0,
        .timing_ext_id = ext_id(agreed, TDM_FRAME_TIMING_URI),
        .reference_ext_id = kind == TDM_VIDEO ? ext_id(agreed, TDM_REFERENCE_MARK_URI) : 0,
        .h264_mode = strstr(agreed->send.fmtp, "packetization-mode=1") ? 1 : 0,
        .limit_bps = agreed->max_bitrate_bps && agreed->max_bitrate_bps < most
                         ? agreed->max_bitrate_bps
                         : most,
        .fps = plan->fps,
    };
    (void)snprintf(config->mid, sizeof config->mid, "%s", agreed->mid);
    for (uint8_t i = 0; i < agreed->receive_count && i < TDM_SESSION_PTS_MAX; i++)
        if (agreed->receive[i].rtx_type)
            config->receive_rtx[config->receive_rtx_count++] = (struct tdm_receive_rtx){
                .payload_type = agreed->receive[i].rtx_type,
                .of = agreed->receive[i].payload_type,
            };
    if (agreed->receive_ulpfec_rtx_type && config->receive_rtx_count < TDM_SESSION_PTS_MAX)
        config->receive_rtx[config->receive_rtx_count++] = (struct tdm_receive_rtx){
            .payload_type = agreed->receive_ulpfec_rtx_type,
            .of = agreed->receive_ulpfec_red_type,
        };
    for (uint8_t i = 0; i < agreed->receive_count && i < TDM_SESSION_PTS_MAX; i++)
        config->receive_codecs[config->receive_count++] = (struct tdm_receive_codec){
            .payload_type = agreed->receive[i].payload_type,
            .id = agreed->receive[i].id,
            .rtp_hz = agreed->receive[i].clock_hz,
            .channels = agreed->receive[i].channels,
            .red_type = agreed->receive[i].red_type,
        };
    if (agreed->dtmf_receive_type && config->receive_count < TDM_SESSION_PTS_MAX)
        config->receive_codecs[config->receive_count++] = (struct tdm_receive_codec){
            .payload_type = agreed->dtmf_receive_type,
            .id = TDM_CODEC_TELEPHONE_EVENT,
            .rtp_hz = agreed->dtmf_receive_hz,
        };
}

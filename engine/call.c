/* SPDX-License-Identifier: MIT */
#include "engine/call.h"

#include "capture/source.h"
#include "codecs/codec.h"
#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/call_perform.h"
#include "signalling/sip_uri.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIPSYNC_EVERY   (100 * TDM_MS)
#define SPEAKER_STOPPED (5 * TDM_S)
#define MODE0_SLICE     1100 /* Single NAL unit mode: every slice is one packet. */
#define L16_FRAME_MS    10   /* 960 bytes at 48 kHz; more would not fit into a packet. */

static void step(struct tandem_call *call, const struct tdm_call_in *in);

struct tandem_call *tdm_call_create(struct tandem *engine)
{
    struct tandem_call *call = calloc(1, sizeof *call);
    struct tdm_capability everything = {0};

    if (!call)
        return NULL;
    call->engine = engine;
    call->machine_wake = TDM_NEVER;
    tdm_latency_init(&call->latency);
    tdm_media_plan_everything(&everything);
    tdm_call_init(&call->machine, &everything, tdm_entropy_u64());
    return call;
}

void tdm_call_free(struct tandem_call *call)
{
    tdm_call_close_media(call);
    free(call);
}

/* --- the graph --- */

/* Opens a source and closes it again, so that a missing device is known before anybody rings. */
static enum tdm_err probe_sources(const struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    struct tdm_video_source_config video = {
        .width = plan->width, .height = plan->height, .fps = plan->fps, .wake_fd = -1};
    struct tdm_audio_source_config audio = {
        .sample_hz = 48000, .channels = 1, .block_samples = 480, .wake_fd = -1};
    enum tdm_err err = TDM_OK;

    if (strcmp(plan->video_source, "off") != 0) {
        const struct tdm_video_source_ops *ops =
            tdm_video_source_find(plan->video_source, &video.argument, cause);
        struct tdm_video_source *source;

        err = ops ? ops->create(&video, &source, cause) : TDM_E_UNSUPPORTED;
        if (err == TDM_OK)
            ops->destroy(source);
    }
    if (err == TDM_OK && strcmp(plan->audio_source, "off") != 0) {
        const struct tdm_audio_source_ops *ops =
            tdm_audio_source_find(plan->audio_source, &audio.argument, cause);
        struct tdm_audio_source *source;

        err = ops ? ops->create(&audio, &source, cause) : TDM_E_UNSUPPORTED;
        if (err == TDM_OK)
            ops->destroy(source);
    }
    return err;
}

/* A file that cannot be written is better known now than after the call. */
static enum tdm_err probe_path(const char *path, struct tdm_cause *cause)
{
    FILE *file = path[0] ? fopen(path, "ab") : NULL;

    if (file)
        (void)fclose(file);
    return file || !path[0]
               ? TDM_OK
               : tdm_fail(cause, TDM_E_SYSTEM, "cannot write %s: %s", path, strerrordesc_np(errno));
}

enum tdm_err tdm_call_check(const struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    enum tdm_err err = probe_sources(plan, cause);

    if (err == TDM_OK)
        err = probe_path(plan->record_path, cause);
    return err == TDM_OK ? probe_path(plan->sheet_path, cause) : err;
}

static enum tdm_err open_net(struct tandem_call *call, struct tdm_cause *cause)
{
    struct tdm_net_config config = {
        .wall_offset = tdm_clock_wall_offset(),
        .seed = tdm_entropy_u64(),
        .bind_address = call->local_address,
        .port_min = call->engine->config.rtp_port_min,
        .port_max = call->engine->config.rtp_port_max,
        .link = &call->link,
        .control_wake = call->engine->wake,
    };
    enum tdm_err err = tdm_link_init(&call->link, cause);

    call->media_open = true;
    /* RFC 7022 section 4.2: a short-term persistent random CNAME. */
    (void)snprintf(config.cname, sizeof config.cname, "%016llx",
                   (unsigned long long)tdm_entropy_u64());
    return err == TDM_OK ? tdm_net_create(&config, &call->net, &call->real_time, cause) : err;
}

void tdm_call_close_media(struct tandem_call *call)
{
    if (!call->media_open)
        return;
    tdm_audio_in_destroy(call->audio_in);
    tdm_video_in_destroy(call->video_in);
    tdm_video_out_destroy(call->video_out);
    tdm_audio_out_destroy(call->audio_out);
    tdm_net_destroy(call->net);
    tdm_link_free(&call->link);
    (void)tdm_call_record(call, NULL, NULL);
    call->audio_in = NULL;
    call->video_in = NULL;
    call->video_out = NULL;
    call->audio_out = NULL;
    call->net = NULL;
    call->media_open = false;
}

static void played(void *arg, const int16_t *pcm, uint32_t samples, tdm_time play_at)
{
    struct tandem_call *call = arg;

    atomic_store(&call->recording[TDM_AUDIO], true);
    struct tdm_recorder *recorder = atomic_load(&call->recorder);

    if (recorder)
        tdm_recorder_audio(recorder, pcm, samples, play_at);
    atomic_store(&call->recording[TDM_AUDIO], false);
}

static void coded(void *arg, enum tdm_codec_id codec, const uint8_t *data, size_t size,
                  bool keyframe, int width, int height, tdm_time at)
{
    struct tandem_call *call = arg;

    atomic_store(&call->recording[TDM_VIDEO], true);
    struct tdm_recorder *recorder = atomic_load(&call->recorder);

    (void)width;
    (void)height;
    if (recorder && codec == call->recorded_codec)
        tdm_recorder_video(recorder, data, size, keyframe, at);
    atomic_store(&call->recording[TDM_VIDEO], false);
}

static enum tdm_err open_sinks(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tdm_negotiated *agreed = &call->machine.negotiated;
    enum tdm_err err = TDM_OK;

    if (agreed->media[TDM_AUDIO].active && !call->audio_out)
        err = tdm_audio_out_create(
            &(struct tdm_audio_out_config){
                .link = &call->link,
                .sink = call->plan.audio_sink,
                .find_chirps = call->plan.time_code,
                .played = played,
                .played_arg = call,
            },
            &call->audio_out, cause);
    if (err == TDM_OK && agreed->media[TDM_VIDEO].active && !call->video_out)
        err = tdm_video_out_create(
            &(struct tdm_video_out_config){
                .link = &call->link,
                .control_wake = call->engine->wake,
                .sink = call->plan.video_sink,
                .width = call->plan.width,
                .height = call->plan.height,
                .read_time_code = call->plan.time_code,
                .coded = coded,
                .coded_arg = call,
                .sheet_path = call->plan.sheet_path[0] ? call->plan.sheet_path : NULL,
                .sheet_every = call->plan.sheet_every_ms * TDM_MS,
            },
            &call->video_out, cause);
    return err;
}

static uint16_t frame_ms(const struct tandem_call *call, const struct tdm_negotiated_media *agreed)
{
    uint16_t wanted = call->plan.audio_frame_ms;

    /* RFC 3551 section 4.2: G.711 in 20 ms unless the other side asks for less. */
    if (tdm_codec_sample_hz(agreed->send.id) == 8000 && agreed->ptime_ms != wanted)
        return 20;
    return agreed->send.id == TDM_CODEC_L16 && wanted > L16_FRAME_MS ? L16_FRAME_MS : wanted;
}

static enum tdm_err follow_audio_in(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[TDM_AUDIO];
    bool wanted = agreed->active && call->configs[TDM_AUDIO].send &&
                  strcmp(call->plan.audio_source, "off") != 0;
    bool same = call->audio_in && call->audio_in_codec == agreed->send.id &&
                strcmp(call->audio_in_fmtp, agreed->send.fmtp) == 0;

    if (wanted && same)
        return TDM_OK;
    tdm_audio_in_destroy(call->audio_in);
    call->audio_in = NULL;
    if (!wanted)
        return TDM_OK;
    call->audio_in_codec = agreed->send.id;
    (void)snprintf(call->audio_in_fmtp, sizeof call->audio_in_fmtp, "%s", agreed->send.fmtp);
    enum tdm_err err = tdm_audio_in_create(
        &(struct tdm_audio_in_config){
            .link = &call->link,
            .control_wake = call->engine->wake,
            .source = call->plan.audio_source,
            .codec = agreed->send.id,
            .sample_hz = tdm_codec_sample_hz(agreed->send.id),
            .channels = 1,
            .bitrate_bps = call->plan.audio_bps,
            .frame_ms = frame_ms(call, agreed),
            .fmtp = agreed->send.fmtp,
        },
        &call->audio_in, cause);

    if (err == TDM_OK)
        tdm_audio_in_mute(call->audio_in, call->muted);
    return err;
}

static enum tdm_err follow_video_in(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[TDM_VIDEO];
    const struct tdm_stream_config *config = &call->configs[TDM_VIDEO];
    bool wanted = agreed->active && config->send && strcmp(call->plan.video_source, "off") != 0;
    bool same = call->video_in && call->video_in_codec == agreed->send.id &&
                strcmp(call->video_in_fmtp, agreed->send.fmtp) == 0;

    if (wanted && same)
        return TDM_OK;
    tdm_video_in_destroy(call->video_in);
    call->video_in = NULL;
    if (!wanted)
        return TDM_OK;
    call->video_in_codec = agreed->send.id;
    (void)snprintf(call->video_in_fmtp, sizeof call->video_in_fmtp, "%s", agreed->send.fmtp);
    atomic_store(&call->link.video_bps, config->limit_bps);
    atomic_store(&call->link.keyframe_wanted, true);
    enum tdm_err err = tdm_video_in_create(
        &(struct tdm_video_in_config){
            .link = &call->link,
            .control_wake = call->engine->wake,
            .source = call->plan.video_source,
            .codec = agreed->send.id,
            .width = call->plan.width,
            .height = call->plan.height,
            .fps = call->plan.fps,
            .bitrate_bps = config->limit_bps,
            .slice_bytes_max =
                agreed->send.id == TDM_CODEC_H264 && config->h264_mode == 0 ? MODE0_SLICE : 0,
            .fmtp = agreed->send.fmtp,
            .time_code = call->plan.time_code,
            .self_view = call->video_out ? tdm_video_out_self_view : NULL,
            .self_view_arg = call->video_out,
        },
        &call->video_in, cause);

    if (err == TDM_OK)
        tdm_video_in_dark(call->video_in, call->dark);
    return err;
}

static enum tdm_err configure_net(struct tandem_call *call, enum tdm_media_kind kind,
                                  struct tdm_cause *cause)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[kind];
    uint8_t stream = kind == TDM_AUDIO ? TDM_STREAM_AUDIO : TDM_STREAM_VIDEO;
    struct tdm_stream_config *config = &call->configs[kind];

    if (!agreed->active) {
        memset(config, 0, sizeof *config);
        return tdm_net_configure(call->net, stream, NULL, NULL, 0, 0, false, cause);
    }
    tdm_media_plan_stream(&call->plan, agreed, kind, call->machine.held_local, config);
    return tdm_net_configure(call->net, stream, config, agreed->remote_address, agreed->remote_port,
                             agreed->remote_rtcp_port, agreed->rtcp_mux, cause);
}

/* Makes the graph match what is agreed now. What did not change is not touched. */
static void follow(struct tandem_call *call)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = configure_net(call, TDM_AUDIO, &cause);

    if (err == TDM_OK)
        err = configure_net(call, TDM_VIDEO, &cause);
    if (err == TDM_OK)
        err = open_sinks(call, &cause);
    if (err == TDM_OK && call->plan.record_path[0]) {
        err = tdm_call_record(call, call->plan.record_path, &cause);
        call->plan.record_path[0] = 0;
    }
    if (err == TDM_OK)
        err = follow_audio_in(call, &cause);
    if (err == TDM_OK)
        err = follow_video_in(call, &cause);
    if (err == TDM_OK)
        return;
    tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", cause.text);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
}

/* --- the machine --- */

static const char *way(const struct tdm_negotiated_media *m)
{
    static const char *const ways[] = {"on hold", "out only", "in only", "both ways"};

    return ways[m->direction & TDM_SENDRECV];
}

static void describe(const struct tandem_call *call, char *text, size_t capacity)
{
    const struct tdm_negotiated_media *audio = &call->machine.negotiated.media[TDM_AUDIO];
    const struct tdm_negotiated_media *video = &call->machine.negotiated.media[TDM_VIDEO];
    const char *to = audio->active ? audio->remote_address : video->remote_address;
    char parts[2][64] = {"no audio", "no video"};

    if (audio->active)
        (void)snprintf(parts[0], sizeof parts[0], "audio %s %s",
                       tdm_codec_short_name(audio->send.id), way(audio));
    if (video->active)
        (void)snprintf(parts[1], sizeof parts[1], "video %s %s",
                       tdm_codec_short_name(video->send.id), way(video));
    (void)snprintf(text, capacity, "%s, %s, with %s, not encrypted", parts[0], parts[1], to);
}

static enum tandem_end public_end(enum tdm_call_end end)
{
    static const enum tandem_end ends[] = {
        [TDM_END_NONE] = TANDEM_END_FAILED,
        [TDM_END_LOCAL] = TANDEM_END_HERE,
        [TDM_END_REMOTE] = TANDEM_END_THERE,
        [TDM_END_CANCELLED] = TANDEM_END_CANCELLED,
        [TDM_END_BUSY] = TANDEM_END_BUSY,
        [TDM_END_DECLINED] = TANDEM_END_DECLINED,
        [TDM_END_NO_ANSWER] = TANDEM_END_NO_ANSWER,
        [TDM_END_NO_COMMON_CODEC] = TANDEM_END_NO_COMMON_CODEC,
        [TDM_END_NOT_FOUND] = TANDEM_END_NOT_FOUND,
        [TDM_END_UNREACHABLE] = TANDEM_END_UNREACHABLE,
        [TDM_END_FAILED] = TANDEM_END_FAILED,
    };

    return ends[end];
}

static void finish(struct tandem_call *call)
{
    if (call->ended)
        return;
    call->ended_at = tdm_clock_now();
    tdm_call_run(call, call->ended_at);
    tdm_call_stats_of(call, &call->final);
    call->ended = true;
    tdm_call_close_media(call);
    if (call->vanished)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_ENDED, TANDEM_END_FAILED,
                        "the other side has been silent for %d s",
                        (int)(call->engine->silence_end / TDM_S));
    else
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_ENDED, public_end(call->machine.end), "%s",
                        call->machine.reason);
}

static void announce(struct tandem_call *call)
{
    const struct tdm_call_machine *m = &call->machine;
    char text[200];

    if (m->state == TDM_CALL_RINGING_OUT && call->out.state_changed)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_RINGING, 0, "%s", m->peer);
    if (m->state == TDM_CALL_ENDED) {
        finish(call);
        return;
    }
    bool up = m->state == TDM_CALL_UP || m->state == TDM_CALL_CONNECTING;

    if (call->out.media_changed && up)
        follow(call);
    describe(call, text, sizeof text);
    if (m->state == TDM_CALL_UP && !call->announced_up) {
        call->announced_up = true;
        call->up_at = tdm_clock_now();
        call->up_cpu = tdm_clock_process_cpu();
        tdm_lipsync_init(&call->lipsync, call->up_at);
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_UP, 0, "%s", text);
        if (!call->real_time)
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                            "no real-time priority: under load sound may stutter; allow it with "
                            "ulimit -r 30 or the capability CAP_SYS_NICE");
    } else if (up && call->announced_up && (call->out.media_changed || call->out.state_changed)) {
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_CHANGED, 0, "%s", text);
    }
    if (call->out.refused)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", m->reason);
}

static void step(struct tandem_call *call, const struct tdm_call_in *in)
{
    tdm_time now = tdm_clock_now();

    if (call->ended)
        return;
    tdm_call_step(&call->machine, now, in, &call->out);
    tdm_call_perform(&call->machine, now, call->engine->sig_ops, call->engine->sig, &call->out);
    call->machine_wake = call->out.wake_at;
    announce(call);
}

void tdm_call_input(struct tandem_call *call, const struct tdm_call_in *in)
{
    step(call, in);
}

static enum tdm_err prepare(struct tandem_call *call, const struct tdm_media_plan *plan,
                            struct tdm_cause *cause)
{
    struct tdm_capability capability;
    enum tdm_err err = tdm_call_check(plan, cause);

    if (err == TDM_OK)
        err = open_net(call, cause);
    if (err != TDM_OK)
        return err;
    call->plan = *plan;
    call->planned = true;
    tdm_media_plan_capability(plan, call->local_address, tdm_net_port(call->net, TDM_STREAM_AUDIO),
                              tdm_net_port(call->net, TDM_STREAM_VIDEO), &capability);
    call->machine.no_answer_after = plan->ring_seconds * TDM_S;
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_SET_CAPABILITY, .capability = &capability});
    return err;
}

enum tdm_err tdm_call_route(struct tandem_call *call, const char *to, struct tdm_cause *cause)
{
    return tdm_sig_local_address(to, call->local_address, sizeof call->local_address, cause);
}

enum tdm_err tdm_call_dial(struct tandem_call *call, const char *to,
                           const struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    enum tdm_err err = tdm_engine_open_sig(call->engine, cause);

    if (err == TDM_OK)
        err = prepare(call, plan, cause);
    if (err != TDM_OK)
        return err;
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_DIAL, .uri = to});
    return TDM_OK;
}

void tdm_call_invited(struct tandem_call *call, const struct tdm_sig_event *event)
{
    struct tdm_cause cause = {""};

    if (tdm_sig_local_address(event->peer_address, call->local_address, sizeof call->local_address,
                              &cause) != TDM_OK)
        (void)snprintf(call->local_address, sizeof call->local_address, "127.0.0.1");
    tdm_call_signalled(call, event);
    if (call->machine.state == TDM_CALL_INCOMING)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_INCOMING, 0, "%s%s%s",
                        call->machine.peer_name, call->machine.peer_name[0] ? " " : "",
                        call->machine.peer);
}

enum tdm_err tdm_call_answer(struct tandem_call *call, const struct tdm_media_plan *plan,
                             struct tdm_cause *cause)
{
    if (call->machine.state != TDM_CALL_INCOMING || call->planned)
        return tdm_fail(cause, TDM_E_MALFORMED, "there is no call to answer");
    enum tdm_err err = prepare(call, plan, cause);

    if (err != TDM_OK) {
        tdm_call_close_media(call);
        call->planned = false;
        return err;
    }
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT});
    return TDM_OK;
}

void tdm_call_signalled(struct tandem_call *call, const struct tdm_sig_event *event)
{
    if (event->kind == TDM_SIG_DTMF_INFO)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_DIGIT, event->digit, "%c", event->digit);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = event});
}

/* --- while it runs --- */

static void drain_traces(struct tandem_call *call)
{
    struct tdm_video_trace video;
    struct tdm_audio_trace audio;

    while (call->video_out && tdm_video_out_next_trace(call->video_out, &video))
        tdm_latency_video(&call->latency, &video);
    while (call->audio_out && tdm_audio_out_next_trace(call->audio_out, &audio))
        tdm_latency_audio(&call->latency, &audio);
    if (call->audio_out)
        (void)tdm_audio_out_stats(call->audio_out, &call->playout);
}

static void drain_events(struct tandem_call *call)
{
    struct tdm_net_event event;
    struct tdm_cause notice;
    int key;

    while (call->net && tdm_net_next_event(call->net, &event) == TDM_OK)
        if (event.kind == TDM_NET_DIGIT)
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_DIGIT, event.digit, "%c", event.digit);
    while (call->video_out && tdm_video_out_next_key(call->video_out, &key))
        tdm_engine_tell(call->engine, call,
                        key == TDM_VIDEO_OUT_CLOSED ? TANDEM_EVENT_WINDOW_CLOSED : TANDEM_EVENT_KEY,
                        key, "key");
    while (call->video_in && tdm_video_in_notice(call->video_in, &notice))
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", notice.text);
    while (call->audio_in && tdm_audio_in_notice(call->audio_in, &notice))
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", notice.text);
    struct tdm_recorder *recorder = atomic_load(&call->recorder);

    if (recorder && tdm_recorder_error(recorder, &notice) != TDM_OK)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", notice.text);
}

static void take_status(struct tandem_call *call)
{
    struct tdm_net_status status;

    if (!call->net || !tdm_net_status(call->net, &status))
        return;
    call->status = status;
    tdm_time passed = status.at - call->status_before.at;

    if (passed < TDM_S)
        return;
    struct tandem_stream_stats *rates[2] = {&call->rates.audio, &call->rates.video};

    for (int i = 0; i < 2; i++) {
        const struct tdm_stream_stats *now = &status.streams[i];
        const struct tdm_stream_stats *then = &call->status_before.streams[i];
        double per_s = 8e9 / (double)passed;

        rates[i]->send_bps = (double)(now->bytes_sent - then->bytes_sent) * per_s;
        rates[i]->receive_bps = (double)(now->bytes_received - then->bytes_received) * per_s;
    }
    call->status_before = status;
}

/* SIP does not say when the other side's machine is gone; the silence of its RTP and RTCP does. */
static void watch_silence(struct tandem_call *call, tdm_time now)
{
    tdm_time last = call->status.last_received;

    if (!call->announced_up || call->machine.state != TDM_CALL_UP || !call->status.at)
        return;
    tdm_time quiet = now - (last == TDM_NEVER || last < call->up_at ? call->up_at : last);
    bool held = call->machine.held_local || call->machine.held_remote;

    if (quiet < call->engine->silence_notice) {
        call->silence_told = false;
    } else if (!call->silence_told) {
        call->silence_told = true;
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "nothing has come from the other side for %d s", (int)(quiet / TDM_S));
    }
    if (quiet < call->engine->silence_end || held)
        return;
    call->vanished = true;
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
}

static void sync_lips(struct tandem_call *call, tdm_time now)
{
    if (!call->audio_out || !call->announced_up || now < call->lipsync_at)
        return;
    call->lipsync_at = now + LIPSYNC_EVERY;
    tdm_time ask = tdm_lipsync_step(&call->lipsync, now,
                                    &(struct tdm_lipsync_in){
                                        .audio_latency = call->latency.mouth_now,
                                        .video_latency = call->latency.glass_now,
                                        .playout_delay = call->playout.delay,
                                    });

    tdm_audio_out_min_delay(call->audio_out, ask);
}

/* A speaker that was pulled out only stops pulling. The call goes on without it. */
static void watch_speaker(struct tandem_call *call, tdm_time now)
{
    if (!call->audio_out || now - tdm_audio_out_pulled_at(call->audio_out) < SPEAKER_STOPPED)
        return;
    if (tdm_audio_out_set_sink(call->audio_out, "null", NULL) == TDM_OK)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "the speaker has stopped: check that it is plugged in, and call again");
}

void tdm_call_run(struct tandem_call *call, tdm_time now)
{
    if (call->ended)
        return;
    drain_traces(call);
    drain_events(call);
    take_status(call);
    sync_lips(call, now);
    watch_speaker(call, now);
    watch_silence(call, now);
    if (now >= call->machine_wake)
        step(call, NULL);
}

tdm_time tdm_call_wake(const struct tandem_call *call)
{
    return call->ended ? TDM_NEVER : call->machine_wake;
}

enum tdm_err tdm_call_digit(struct tandem_call *call, char digit, uint16_t duration_ms,
                            struct tdm_cause *cause)
{
    if (!call->net || !call->announced_up)
        return tdm_fail(cause, TDM_E_GONE, "the call is not up");
    if (call->configs[TDM_AUDIO].dtmf_payload_type)
        return tdm_net_dtmf(call->net, TDM_STREAM_AUDIO, digit, duration_ms * TDM_MS);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_DTMF_INFO, .digit = digit});
    return TDM_OK;
}

/* --- swaps --- */

static enum tdm_err remember_spec(char *to, const char *spec, enum tdm_err err,
                                  struct tdm_cause *cause)
{
    if (strlen(spec) >= TDM_SPEC_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "\"%.40s...\" is too long", spec);
    if (err == TDM_OK)
        (void)snprintf(to, TDM_SPEC_MAX, "%s", spec);
    return err;
}

enum tdm_err tdm_call_set_video_source(struct tandem_call *call, const char *spec,
                                       struct tdm_cause *cause)
{
    enum tdm_err err =
        call->video_in ? tdm_video_in_set_source(call->video_in, spec, cause) : TDM_OK;

    return remember_spec(call->plan.video_source, spec, err, cause);
}

enum tdm_err tdm_call_set_audio_source(struct tandem_call *call, const char *spec,
                                       struct tdm_cause *cause)
{
    enum tdm_err err =
        call->audio_in ? tdm_audio_in_set_source(call->audio_in, spec, cause) : TDM_OK;

    return remember_spec(call->plan.audio_source, spec, err, cause);
}

enum tdm_err tdm_call_set_video_sink(struct tandem_call *call, const char *spec,
                                     struct tdm_cause *cause)
{
    enum tdm_err err = TDM_OK;

    if (call->video_out) {
        if (call->video_in)
            tdm_video_in_pause(call->video_in);
        err = tdm_video_out_set_sink(call->video_out, spec, cause);
        if (call->video_in && tdm_video_in_resume(call->video_in, NULL) != TDM_OK)
            err = tdm_fail(cause, TDM_E_SYSTEM, "cannot start the video thread again");
    }
    return remember_spec(call->plan.video_sink, spec, err, cause);
}

static enum tdm_err start_recording(struct tandem_call *call, const char *path,
                                    struct tdm_recorder **recorder, struct tdm_cause *cause)
{
    const struct tdm_negotiated_media *video = &call->machine.negotiated.media[TDM_VIDEO];
    enum tdm_codec_id codec = call->status.streams[TDM_STREAM_VIDEO].receive_codec;
    struct tdm_recorder_config config = {
        .video = TDM_CODEC_NONE,
        .width = call->plan.width,
        .height = call->plan.height,
        .sample_hz = call->machine.negotiated.media[TDM_AUDIO].active ? 48000 : 0,
        .channels = 1,
    };

    if (video->active)
        config.video = codec != TDM_CODEC_NONE ? codec : video->send.id;
    if (call->latency.width) {
        config.width = call->latency.width;
        config.height = call->latency.height;
    }
    call->recorded_codec = config.video;
    enum tdm_err err = tdm_recorder_create(path, &config, recorder, cause);

    if (err == TDM_OK && config.video != TDM_CODEC_NONE) {
        /* A recording starts with a keyframe: ask for one rather than wait. */
        atomic_store(&call->link.decode_failed, true);
        tdm_wake_signal(call->link.net_wake);
    }
    return err;
}

enum tdm_err tdm_call_record(struct tandem_call *call, const char *path, struct tdm_cause *cause)
{
    struct tdm_recorder *before = atomic_load(&call->recorder);
    struct tdm_recorder *recorder = NULL;
    enum tdm_err err = TDM_OK;

    if (path && before)
        return tdm_fail(cause, TDM_E_MALFORMED, "a recording runs already: stop it first");
    if (path && !call->media_open)
        return tdm_fail(cause, TDM_E_GONE, "the call is not up");
    if (path)
        err = start_recording(call, path, &recorder, cause);
    if (err != TDM_OK)
        return err;
    atomic_store(&call->recorder, recorder);
    /* A media thread may be inside a call to the old one; such a call copies and returns. */
    while (before &&
           (atomic_load(&call->recording[TDM_AUDIO]) || atomic_load(&call->recording[TDM_VIDEO])))
        (void)tdm_wait_until(tdm_clock_now() + TDM_MS, -1, -1);
    tdm_recorder_destroy(before);
    return TDM_OK;
}

/* SPDX-License-Identifier: MIT */
/* The media graph of a call: built from what was negotiated, changed when that changes, swapped in
 * parts, taken down in reverse. */
#include "engine/call.h"

#include "capture/source.h"
#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "render/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODE0_SLICE 1100 /* Single NAL unit mode: every slice is one packet. */

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
        else if (ops)
            err = TDM_E_GONE; /* The name was right; the thing is not what it should be. */
    }
    if (err == TDM_OK && strcmp(plan->audio_source, "off") != 0) {
        const struct tdm_audio_source_ops *ops =
            tdm_audio_source_find(plan->audio_source, &audio.argument, cause);
        struct tdm_audio_source *source;

        err = ops ? ops->create(&audio, &source, cause) : TDM_E_UNSUPPORTED;
        if (err == TDM_OK)
            ops->destroy(source);
        else if (ops)
            err = TDM_E_GONE;
    }
    return err;
}

static void probe_pull(void *arg, int16_t *pcm, uint32_t samples, tdm_time now, tdm_time play_at)
{
    (void)arg;
    (void)now;
    (void)play_at;
    memset(pcm, 0, samples * sizeof *pcm);
}

static enum tdm_err probe_speaker(const char *spec, struct tdm_cause *cause)
{
    struct tdm_audio_sink_config config = {.sample_hz = 48000, .channels = 1, .pull = probe_pull};
    const struct tdm_audio_sink_ops *ops;
    struct tdm_audio_sink *sink;

    /* A file is probed by its path: opening it twice would write it twice. */
    if (strncmp(spec, "speaker", strlen("speaker")) != 0)
        return TDM_OK;
    ops = tdm_audio_sink_find(spec, &config.argument, cause);
    enum tdm_err err = ops ? ops->create(&config, &sink, cause) : TDM_E_UNSUPPORTED;

    if (err == TDM_OK)
        ops->destroy(sink);
    return err;
}

/* A file that cannot be written is better known now than after the call. */
static enum tdm_err probe_path(const char *path, struct tdm_cause *cause)
{
    bool was_there = path[0] && access(path, F_OK) == 0;
    FILE *file = path[0] ? fopen(path, "ab") : NULL;

    if (file)
        (void)fclose(file);
    if (file && !was_there)
        (void)unlink(path); /* A call that never stands leaves nothing behind. */
    return file || !path[0]
               ? TDM_OK
               : tdm_fail(cause, TDM_E_SYSTEM,
                          "cannot write %s (%s): name a file in a folder that is there and yours",
                          path, strerrordesc_np(errno));
}

enum tdm_err tdm_call_check(const struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    enum tdm_err err = probe_path(plan->record_path, cause);

    if (err == TDM_OK)
        err = probe_path(plan->sheet_path, cause);
    if (err == TDM_OK)
        err = probe_sources(plan, cause);
    return err == TDM_OK ? probe_speaker(plan->audio_sink, cause) : err;
}

enum tdm_err tdm_call_open_net(struct tandem_call *call, bool outgoing, struct tdm_cause *cause)
{
    struct tdm_net_config config = {
        .wall_offset = tdm_clock_wall_offset(),
        .seed = tdm_entropy_u64(),
        .bind_address = call->engine->config.bind_address,
        .port_min = call->engine->config.rtp_port_min,
        .port_max = call->engine->config.rtp_port_max,
        .link = &call->link,
        .control_wake = call->engine->wake,
    };
    enum tdm_err err = tdm_link_init(&call->link, cause);

    tdm_call_path_open(call, outgoing, &config.ice);
    call->media_open = true;
    /* RFC 7022 section 4.2: a short-term persistent random CNAME. */
    (void)snprintf(config.cname, sizeof config.cname, "%016llx",
                   (unsigned long long)tdm_entropy_u64());
    if (err == TDM_OK)
        err = tdm_net_create(&config, &call->net, &call->real_time, cause);
    if (err == TDM_OK)
        tdm_call_path_gather(call, tdm_clock_now());
    return err;
}

void tdm_call_close_media(struct tandem_call *call)
{
    tdm_call_channel_close(call);
    tdm_call_region_close(call);
    if (!call->media_open)
        return;
    tdm_audio_in_destroy(call->audio_in);
    tdm_video_in_destroy(call->video_in);
    tdm_video_out_destroy(call->video_out);
    tdm_audio_out_destroy(call->audio_out);
    tdm_net_destroy(call->net);
    tdm_call_path_close(call);
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

    if (recorder && call->recorded_sound)
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

enum tdm_err tdm_call_open_sinks(struct tandem_call *call, const bool wanted[TDM_MEDIA_KINDS],
                                 struct tdm_cause *cause)
{
    enum tdm_err err = TDM_OK;

    if (wanted[TDM_AUDIO] && !call->audio_out)
        err = tdm_audio_out_create(
            &(struct tdm_audio_out_config){
                .link = &call->link,
                .sink = call->plan.audio_sink,
                .channels = (uint8_t)call->plan.audio_channels,
                .find_chirps = call->plan.time_code,
                .delay_max =
                    call->budget.budget ? tdm_latency_budget_playout(call->budget.budget) : 0,
                .played = played,
                .played_arg = call,
            },
            &call->audio_out, cause);
    if (err == TDM_OK && wanted[TDM_VIDEO] && !call->video_out)
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

static bool same_format(const struct tdm_audio_format *a, const struct tdm_audio_format *b)
{
    return a->sample_hz == b->sample_hz && a->frame_us == b->frame_us && a->channels == b->channels;
}

static enum tdm_err follow_audio_in(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[TDM_AUDIO];
    bool wanted = agreed->active && call->configs[TDM_AUDIO].send &&
                  strcmp(call->plan.audio_source, "off") != 0;
    struct tdm_audio_format format = tdm_audio_format_of(&call->plan, agreed);
    bool same = call->audio_in && call->audio_in_codec == agreed->send.id &&
                same_format(&call->audio_in_format, &format) &&
                strcmp(call->audio_in_fmtp, agreed->send.fmtp) == 0;

    if (wanted && same)
        return TDM_OK;
    tdm_audio_in_destroy(call->audio_in);
    call->audio_in = NULL;
    if (!wanted)
        return TDM_OK;
    call->audio_in_codec = agreed->send.id;
    call->audio_in_format = format;
    (void)snprintf(call->audio_in_fmtp, sizeof call->audio_in_fmtp, "%s", agreed->send.fmtp);
    enum tdm_err err = tdm_audio_in_create(
        &(struct tdm_audio_in_config){
            .link = &call->link,
            .control_wake = call->engine->wake,
            .source = call->plan.audio_source,
            .codec = agreed->send.id,
            .format = format,
            .music = call->plan.audio_music,
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
    uint32_t most = call->camera_bps;
    struct tdm_video_choice choice = tdm_video_plan_choose(&call->plan, agreed->send.id, most);
    bool same = call->video_in && choice.encoder == call->video_in_encoder &&
                strcmp(choice.preset, call->video_in_preset) == 0 &&
                choice.width == call->video_in_width &&
                strcmp(call->video_in_fmtp, agreed->send.fmtp) == 0;

    if (wanted && same)
        return TDM_OK;
    if (call->video_in)
        tdm_call_keep_sent(call);
    tdm_video_in_destroy(call->video_in);
    call->video_in = NULL;
    if (!wanted)
        return TDM_OK;
    call->video_in_encoder = choice.encoder;
    (void)snprintf(call->video_in_preset, sizeof call->video_in_preset, "%s", choice.preset);
    call->video_in_width = choice.width;
    call->video_in_height = choice.height;
    call->video_in_threads = choice.threads;
    (void)snprintf(call->video_in_fmtp, sizeof call->video_in_fmtp, "%s", agreed->send.fmtp);
    atomic_store(&call->link.video_limit_bps, most);
    atomic_store(&call->link.video_bps, most);
    atomic_store(&call->link.keyframe_wanted, true);
    enum tdm_err err = tdm_video_in_create(
        &(struct tdm_video_in_config){
            .link = &call->link,
            .control_wake = call->engine->wake,
            .source = call->plan.video_source,
            .encoder = choice.encoder,
            .preset = choice.preset,
            .threads = choice.threads,
            .width = choice.width,
            .height = choice.height,
            .fps = call->plan.fps,
            .bitrate_bps = most,
            .slice_bytes_max =
                agreed->send.id == TDM_CODEC_H264 && config->h264_mode == 0 ? MODE0_SLICE : 0,
            .fmtp = agreed->send.fmtp,
            .references = config->reference_ext_id && config->refer_reach,
            .time_code = call->plan.time_code,
            .self_view = call->video_out ? tdm_video_out_self_view : NULL,
            .self_view_arg = call->video_out,
        },
        &call->video_in, cause);

    if (err == TDM_OK)
        tdm_video_in_dark(call->video_in, call->dark);
    return err;
}

/* What the encoder that will be taken can do of references. */
static void tell_reach(const struct tandem_call *call, const struct tdm_negotiated_media *agreed,
                       struct tdm_stream_config *config)
{
    const struct tdm_video_encoder_ops *encoder =
        tdm_video_plan_choose(&call->plan, agreed->send.id, call->camera_bps).encoder;

    if (!encoder || !encoder->refer)
        return;
    config->refer_reach = encoder->reach.known;
    config->refer_chains = encoder->reach.chains;
    const struct tdm_video_encoder_ops *further = tdm_video_plan_further(&call->plan, agreed);

    config->refer_elsewhere = further ? further->reach.chains : 0;
}

static enum tdm_err configure_net(struct tandem_call *call, enum tdm_media_kind kind)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[kind];
    uint8_t stream = kind == TDM_AUDIO ? TDM_STREAM_AUDIO : TDM_STREAM_VIDEO;
    struct tdm_stream_config *config = &call->configs[kind];

    if (!agreed->active) {
        memset(config, 0, sizeof *config);
        return tdm_net_configure(call->net, stream, NULL, 0, 0);
    }
    tdm_media_plan_stream(&call->plan, agreed, kind, call->machine.held_local, config);
    if (kind == TDM_VIDEO) {
        call->camera_bps = config->limit_bps;
        tell_reach(call, agreed, config);
        tdm_call_region_line(call, config);
    }
    return tdm_net_configure(call->net, stream, config, tdm_call_path_way(call, kind, false),
                             tdm_call_path_way(call, kind, true));
}

enum tdm_err tdm_call_configure_video(struct tandem_call *call)
{
    return configure_net(call, TDM_VIDEO);
}

/* Makes the graph match what is agreed now. What did not change is not touched. */
void tdm_call_follow(struct tandem_call *call)
{
    const struct tdm_negotiated_media *agreed = call->machine.negotiated.media;
    const bool active[TDM_MEDIA_KINDS] = {agreed[TDM_AUDIO].active,
                                          agreed[TDM_VIDEO].active && !tdm_call_region_alone(call)};
    struct tdm_cause cause = {""};
    enum tdm_err err = configure_net(call, TDM_AUDIO);

    if (err == TDM_OK)
        err = configure_net(call, TDM_VIDEO);
    if (err == TDM_OK)
        err = tdm_call_region_follow(call);
    if (err == TDM_OK)
        err = tdm_call_path_follow(call, &cause);
    if (err == TDM_OK)
        err = tdm_call_channel_follow(call, &cause);
    if (err == TDM_OK)
        err = tdm_call_open_sinks(call, active, &cause);
    if (err == TDM_OK && call->plan.record_path[0]) {
        err = tdm_call_record(call, call->plan.record_path, &cause);
        call->plan.record_path[0] = 0;
    }
    if (err == TDM_OK)
        err = follow_audio_in(call, &cause);
    if (err == TDM_OK)
        err = follow_video_in(call, &cause);
    bool paused = !call->configs[TDM_AUDIO].receive || call->machine.held_remote;

    /* What is left from before must not be heard after. */
    if (paused != call->audio_paused && call->audio_out)
        tdm_audio_out_flush(call->audio_out);
    call->audio_paused = paused;
    tdm_latency_pause(&call->latency,
                      !call->configs[TDM_VIDEO].receive || call->machine.held_remote);
    if (err == TDM_OK)
        return;
    (void)snprintf(call->broken, sizeof call->broken, "%s", cause.text);
    tdm_call_input(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
}

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
    bool first = strcmp(call->plan.video_source, "off") == 0 && !call->video_in;
    enum tdm_err err =
        call->video_in ? tdm_video_in_set_source(call->video_in, spec, cause) : TDM_OK;

    err = remember_spec(call->plan.video_source, spec, err, cause);
    if (err == TDM_OK && first)
        tdm_call_offer_plan(call);
    return err;
}

enum tdm_err tdm_call_set_audio_source(struct tandem_call *call, const char *spec,
                                       struct tdm_cause *cause)
{
    bool first = strcmp(call->plan.audio_source, "off") == 0 && !call->audio_in;
    enum tdm_err err =
        call->audio_in ? tdm_audio_in_set_source(call->audio_in, spec, cause) : TDM_OK;

    err = remember_spec(call->plan.audio_source, spec, err, cause);
    if (err == TDM_OK && first)
        tdm_call_offer_plan(call);
    return err;
}

enum tdm_err tdm_call_set_audio_sink(struct tandem_call *call, const char *spec,
                                     struct tdm_cause *cause)
{
    enum tdm_err err =
        call->audio_out ? tdm_audio_out_set_sink(call->audio_out, spec, cause) : TDM_OK;

    return remember_spec(call->plan.audio_sink, spec, err, cause);
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

enum tdm_err tdm_call_set_video_codecs(struct tandem_call *call, const char *codecs,
                                       const char *preset, struct tdm_cause *cause)
{
    struct tdm_media_plan *to = &call->plan;
    struct tdm_media_plan from;
    enum tdm_err err = tdm_media_plan_of(&from,
                                         &(struct tandem_media){.video_codecs = codecs,
                                                                .video_preset = preset,
                                                                .video_bps = to->video_bps,
                                                                .width = to->width,
                                                                .height = to->height,
                                                                .fps = to->fps},
                                         cause);
    enum tdm_codec_id sent = call->machine.negotiated.media[TDM_VIDEO].send.id;
    bool goes_on = false;

    if (err != TDM_OK)
        return err;
    to->video_codec_count = from.video_codec_count;
    to->video_codecs_named = from.video_codecs_named;
    memcpy(to->video_codecs, from.video_codecs, sizeof to->video_codecs);
    memcpy(to->video_encoders, from.video_encoders, sizeof to->video_encoders);
    memcpy(to->video_preset, from.video_preset, sizeof to->video_preset);
    to->costs = from.costs;
    for (uint8_t i = 0; i < to->video_codec_count; i++)
        goes_on |= to->video_codecs[i] == sent;
    tdm_call_offer_plan(call);
    if (goes_on && call->video_in) /* Another encoder or preset needs nobody's agreement. */
        tdm_call_follow(call);
    return TDM_OK;
}

void tdm_call_refer_further(struct tandem_call *call)
{
    const struct tdm_video_encoder_ops *further =
        tdm_video_plan_further(&call->plan, &call->machine.negotiated.media[TDM_VIDEO]);

    if (!further || call->refers_further || !call->announced_up ||
        call->machine.state != TDM_CALL_UP)
        return;
    call->refers_further = true;
    tdm_video_plan_prefer(&call->plan, further->id);
    tdm_call_offer_plan(call);
    tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                    "packets are lost in rows: %s is offered, whose pictures need not refer to the "
                    "last",
                    tdm_codec_short_name(further->id));
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
        .channels = (uint8_t)call->plan.audio_channels,
    };

    if (video->active)
        config.video = codec != TDM_CODEC_NONE ? codec : tdm_media_plan_codec(video);
    if (config.video == TDM_CODEC_NONE && !config.sample_hz)
        return tdm_fail(cause, TDM_E_GONE, "the call has neither sound nor picture to record");
    if (call->latency.width) {
        config.width = call->latency.width;
        config.height = call->latency.height;
    }
    call->recorded_codec = config.video;
    call->recorded_sound = config.sample_hz != 0;
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
    if (path) {
        err = remember_spec(call->recorded_path, path, TDM_OK, cause);
        call->recorded_parts = 1;
    }
    if (path && err == TDM_OK)
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

/* "call.mkv" to "call-2.mkv". */
static void part_path(const char *path, int part, char *to, size_t capacity)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    int stem = (int)(dot ? dot - path : (ptrdiff_t)strlen(path));

    (void)snprintf(to, capacity, "%.*s-%d%s", stem, path, part, dot ? dot : "");
}

void tdm_call_continue_recording(struct tandem_call *call)
{
    enum tdm_codec_id codec = call->status.streams[TDM_STREAM_VIDEO].receive_codec;
    const struct tdm_negotiated_media *agreed = call->machine.negotiated.media;
    bool picture =
        agreed[TDM_VIDEO].active && codec != TDM_CODEC_NONE && codec != call->recorded_codec;
    bool sound = agreed[TDM_AUDIO].active && !call->recorded_sound;
    char path[TDM_SPEC_MAX + 16];
    struct tdm_cause cause = {""};

    if (!atomic_load(&call->recorder) || !(picture || sound))
        return;
    part_path(call->recorded_path, ++call->recorded_parts, path, sizeof path);
    (void)tdm_call_record(call, NULL, NULL);
    struct tdm_recorder *recorder = NULL;

    if (start_recording(call, path, &recorder, &cause) == TDM_OK)
        (void)snprintf(cause.text, sizeof cause.text, "%s: the recording goes on in %.200s",
                       picture ? "another picture" : "now with sound", path);
    atomic_store(&call->recorder, recorder);
    tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", cause.text);
}

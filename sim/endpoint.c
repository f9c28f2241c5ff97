/* SPDX-License-Identifier: MIT */
#include "sim/endpoint.h"

#include <assert.h>
#include <string.h>

#define SAMPLE_HZ       48000u
#define CAMERA_TIMES    4096u /* A power of two. */
#define ENCODE_TIME     (3 * TDM_MS)
#define DECODE_TIME     (2 * TDM_MS)
#define FAULT_SKEW      (200 * TDM_MS)
#define STEPS_MAX       2000 /* Core steps for one event. */
#define AUDIO_BYTES     80
#define DIGIT_TIME      (120 * TDM_MS)
#define MAX_DELAY       (2 * TDM_S)
#define CHANNEL(stream) ((uint16_t)(2 * (stream)))

static tdm_time local_of(const struct tdm_sim_endpoint *e, tdm_time now)
{
    return now + e->world->scenario->side[e->side].clock_offset;
}

static void note(struct tdm_sim_endpoint *e, tdm_time now, enum tdm_sim_event_kind kind,
                 uint8_t stream, uint32_t a, uint64_t b)
{
    tdm_sim_log_add(
        &e->world->log,
        &(struct tdm_sim_event){
            .at = now, .kind = (uint16_t)kind, .side = e->side, .stream = stream, .a = a, .b = b});
}

static struct tdm_playout_config playout_config_of(const struct tdm_sim_scenario *scenario)
{
    (void)scenario;
    return (struct tdm_playout_config){.sample_hz = SAMPLE_HZ,
                                       .rtp_hz = SAMPLE_HZ,
                                       .channels = 1,
                                       .max_delay = MAX_DELAY,
                                       .dry = true};
}

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t tdm_sim_endpoint_bytes(void)
{
    struct tdm_playout_config playout = playout_config_of(NULL);

    return rounded(sizeof(struct tdm_sim_endpoint)) + rounded(tdm_session_bytes()) +
           rounded(tdm_playout_bytes(&playout)) + rounded(sizeof(struct tdm_model_video_encoder)) +
           CAMERA_TIMES * sizeof(tdm_time);
}

static void init_devices(struct tdm_sim_endpoint *e, tdm_time now)
{
    const struct tdm_sim_scenario *s = e->world->scenario;
    const struct tdm_sim_side *side = &s->side[e->side];
    uint64_t seed = s->seed * 64 + e->side * UINT64_C(8);
    uint32_t frame_samples = s->audio_frame_ms * SAMPLE_HZ / 1000;

    tdm_sim_device_init(&e->microphone,
                        &(struct tdm_sim_device_config){.seed = seed,
                                                        .period_units = frame_samples,
                                                        .hz = SAMPLE_HZ,
                                                        .drift_ppm = side->microphone_ppm,
                                                        .jitter = side->device_jitter},
                        now);
    tdm_sim_device_init(&e->speaker,
                        &(struct tdm_sim_device_config){.seed = seed + 1,
                                                        .period_units = SAMPLE_HZ / 100,
                                                        .hz = SAMPLE_HZ,
                                                        .drift_ppm = side->speaker_ppm,
                                                        .jitter = side->device_jitter,
                                                        .xrun = side->xrun,
                                                        .xrun_max = 60 * TDM_MS},
                        now + 3 * TDM_MS);
    tdm_sim_device_init(
        &e->camera,
        &(struct tdm_sim_device_config){
            .seed = seed + 2, .period_units = 1, .hz = s->fps, .jitter = side->device_jitter},
        now + 5 * TDM_MS);
}

static uint32_t stream_id_of(const struct tdm_sim_scenario *s, uint8_t side, uint8_t stream)
{
    return ((uint32_t)s->seed * 4 + side * 2u + stream) & 0xfffffff;
}

static void init_codecs(struct tdm_sim_endpoint *e)
{
    const struct tdm_sim_scenario *s = e->world->scenario;

    e->audio = (struct tdm_model_audio_config){
        .stream_id = stream_id_of(s, e->side, TDM_SIM_AUDIO),
        .frame_ms = s->audio_frame_ms,
        .payload_bytes = (uint16_t)(AUDIO_BYTES * s->audio_frame_ms / 10)};
    tdm_model_video_encoder_init(
        e->encoder,
        &(struct tdm_model_video_config){.seed = s->seed * 64 + e->side * UINT64_C(8) + 3,
                                         .codec = s->video_codec,
                                         .stream_id = stream_id_of(s, e->side, TDM_SIM_VIDEO),
                                         .width = s->width,
                                         .height = s->height,
                                         .fill = s->encoder_fill > 0 ? s->encoder_fill : 0.85,
                                         .sigma = s->encoder_sigma > 0 ? s->encoder_sigma : 0.25,
                                         .keyframe_ratio = s->keyframe_ratio,
                                         .slices = s->video_codec == TDM_CODEC_H264 ? 2 : 1});
    tdm_model_video_decoder_init(&e->decoder, s->video_codec,
                                 stream_id_of(s, 1 - e->side, TDM_SIM_VIDEO));
}

struct tdm_sim_endpoint *tdm_sim_endpoint_init(void *storage, struct tdm_sim_world *world,
                                               uint8_t side, tdm_time now)
{
    struct tdm_sim_endpoint *e = storage;
    const struct tdm_sim_scenario *s = world->scenario;
    struct tdm_session_config config = {
        .wall_offset = s->side[side].wall_offset, .seed = s->seed * 2 + side, .cname = "sim"};
    uint8_t *at = (uint8_t *)storage + rounded(sizeof(*e));

    memset(e, 0, sizeof(*e));
    e->world = world;
    e->side = side;
    for (unsigned i = 0; i < TDM_SIM_DUE_COUNT; i++)
        e->due[i] = TDM_NEVER;
    e->session = tdm_session_init(at, &config, local_of(e, now));
    at += rounded(tdm_session_bytes());
    e->playout_config = playout_config_of(s);
    e->playout = tdm_playout_init(at, &e->playout_config, local_of(e, now));
    at += rounded(tdm_playout_bytes(&e->playout_config));
    tdm_lipsync_init(&e->lipsync, local_of(e, now));
    tdm_frame_budget_init(&e->budget, e->world->scenario->fps);
    tdm_references_init(&e->references, e->world->scenario->refer_reach,
                        e->world->scenario->refer_chains);
    e->video_latency = TDM_NEVER;
    e->encoder = (struct tdm_model_video_encoder *)(void *)at;
    at += rounded(sizeof(*e->encoder));
    e->camera_times = (tdm_time *)(void *)at;
    memset(e->camera_times, 0, CAMERA_TIMES * sizeof(tdm_time));
    init_codecs(e);
    return e;
}

/* ---- the session ---- */

static void carry(struct tdm_sim_endpoint *e, tdm_time now, const struct tdm_session_send *send)
{
    struct tdm_sim_world *w = e->world;
    uint16_t channel = (uint16_t)(CHANNEL(send->stream) + send->rtcp);

    note(e, now, TDM_SIM_EVENT_SENT, (uint8_t)channel, send->size,
         tdm_sim_hash(channel, send->data, send->size));
    tdm_sim_checker_sent(&w->checker, now, e->side, channel, send->data, send->size);
    if (w->scenario->fault == TDM_SIM_FAULT_UNASKED && w->log.count % 500 == 0 && !send->rtcp) {
        tdm_sim_checker_sent(&w->checker, now, e->side, channel, send->data, send->size);
        tdm_sim_link_push(w->links[e->side], now, channel, send->data, send->size);
    }
    if (w->scenario->fault == TDM_SIM_FAULT_LEAK && w->log.count % 50 == 0)
        return;
    tdm_sim_link_push(w->links[e->side], now, channel, send->data, send->size);
}

/* Adds what the playout counted to the totals, before it starts anew. */
static void settle_playout(struct tdm_sim_endpoint *e)
{
    const struct tdm_playout_stats *p = tdm_playout_stats_of(e->playout);

    e->heard_packets += p->packets;
    e->unheard_packets += p->late_packets + p->duplicate_packets + p->dropped_packets;
    e->played_samples += p->played_samples;
    e->concealed_samples += p->concealed_samples;
    e->restarts++;
}

static void take_audio(struct tdm_sim_endpoint *e, tdm_time now, const struct tdm_session_audio *a)
{
    struct tdm_playout_out played;
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET,
                                .packet = {.seq = a->seq,
                                           .rtp_time = a->rtp_time,
                                           .arrival = a->arrival,
                                           .captured = a->captured,
                                           .samples = e->audio.frame_ms * (SAMPLE_HZ / 1000),
                                           .size = a->size,
                                           .payload = a->payload}};

    if (a->restarted) {
        settle_playout(e);
        e->playout = tdm_playout_init(e->playout, &e->playout_config, local_of(e, now));
        e->lipsync_ask = 0;
    }
    tdm_playout_step(e->playout, local_of(e, now), &in, &played);
}

static void step(struct tdm_sim_endpoint *e, tdm_time now, const struct tdm_session_in *in);

static void take_video(struct tdm_sim_endpoint *e, tdm_time now, const struct tdm_session_video *v)
{
    struct tdm_sim_world *w = e->world;
    const struct tdm_sim_endpoint *other = w->ends[1 - e->side];
    uint32_t frame = 0;
    bool keyframe = false;

    tdm_model_video_follow(&e->decoder, v->codec);
    enum tdm_err err = tdm_model_video_decode(&e->decoder, v->data, v->size, &frame, &keyframe);
    tdm_time captured = other->camera_times[frame % CAMERA_TIMES];
    tdm_time presented = now + DECODE_TIME +
                         tdm_lipsync_show_at(tdm_lipsync_picture_age(&e->lipsync),
                                             v->trace.at[TDM_STAGE_CAPTURED], local_of(e, now)) -
                         local_of(e, now);

    if (w->scenario->fault == TDM_SIM_FAULT_FREEZE && now > 10 * TDM_S && now < 20 * TDM_S)
        return;
    if (w->scenario->fault == TDM_SIM_FAULT_SKEW)
        presented += FAULT_SKEW;
    if (w->scenario->fault == TDM_SIM_FAULT_OLD)
        presented += TDM_S;
    if (err == TDM_OK) {
        e->shown_at = now;
        e->video_latency = v->trace.at[TDM_STAGE_CAPTURED] == TDM_NEVER
                               ? TDM_NEVER
                               : local_of(e, presented) - v->trace.at[TDM_STAGE_CAPTURED];
    }
    note(e, now, TDM_SIM_EVENT_SHOWN, TDM_SIM_VIDEO, frame, err);
    tdm_sim_checker_frame(&w->checker, now, 1 - e->side, TDM_SIM_VIDEO, err, frame, captured,
                          presented);
    if (w->scenario->fault == TDM_SIM_FAULT_SWAP_SHOWN && frame % 50 == 49)
        tdm_sim_checker_frame(&w->checker, now, 1 - e->side, TDM_SIM_VIDEO, err, frame, captured,
                              presented);
    if (err != TDM_OK)
        step(e, now,
             &(struct tdm_session_in){.kind = TDM_SESSION_DECODE_FAILED, .stream = TDM_SIM_VIDEO});
}

/* A planted fault: the session hands a picture out and the decoder never sees it. */
static bool loses_picture(struct tdm_sim_endpoint *e)
{
    return e->world->scenario->fault == TDM_SIM_FAULT_NO_REFERENCE && e->pictures++ % 40 == 39;
}

static void perform(struct tdm_sim_endpoint *e, tdm_time now)
{
    struct tdm_session_out *out = &e->out;
    enum tdm_session_unit unit = out->unit;

    for (uint32_t i = 0; i < out->send_count; i++)
        carry(e, now, &out->sends[i]);
    if (out->keyframe_wanted || out->frame_dropped) {
        e->keyframe_due = true;
        e->frames_dropped += out->frame_dropped != 0;
        note(e, now, TDM_SIM_EVENT_KEYFRAME_WANTED, TDM_SIM_VIDEO, out->keyframe_wanted,
             out->frame_dropped);
    }
    if (out->bye && !e->bye) {
        e->bye = true;
        note(e, now, TDM_SIM_EVENT_BYE, 0, 0, 0);
    }
    out->unit = TDM_UNIT_NONE;
    if (unit == TDM_UNIT_AUDIO)
        take_audio(e, now, &out->audio);
    else if (unit == TDM_UNIT_VIDEO && !loses_picture(e))
        take_video(e, now, &out->video);
    else if (unit == TDM_UNIT_DTMF) {
        note(e, now, TDM_SIM_EVENT_DIGIT, TDM_SIM_AUDIO, (uint8_t)out->digit, 0);
        if (e->digit_count + 1u < sizeof(e->digits))
            e->digits[e->digit_count++] = out->digit;
    }
}

/* As session.h says: step, perform, and again while it wants to be woken at once. */
static void step(struct tdm_sim_endpoint *e, tdm_time now, const struct tdm_session_in *in)
{
    tdm_time local = local_of(e, now);
    unsigned count = 0;

    tdm_session_step(e->session, local, in, &e->out);
    perform(e, now);
    while (e->out.wake_at <= local && ++count < STEPS_MAX) {
        e->past_wakes += e->out.wake_at < local;
        tdm_session_step(e->session, local, NULL, &e->out);
        perform(e, now);
    }
    e->steps += count + 1;
    e->stuck_steps += count == STEPS_MAX;
    e->due[TDM_SIM_DUE_SESSION] =
        e->out.wake_at == TDM_NEVER
            ? TDM_NEVER
            : e->out.wake_at - e->world->scenario->side[e->side].clock_offset;
    if (e->world->scenario->fault == TDM_SIM_FAULT_PAST_WAKE && e->steps % 1000 == 0)
        e->due[TDM_SIM_DUE_SESSION] = now - TDM_MS;
    if (e->world->scenario->fault == TDM_SIM_FAULT_BUSY && now > 5 * TDM_S)
        e->due[TDM_SIM_DUE_SESSION] = now;
}

/* ---- configuration ---- */

static void expect(struct tdm_sim_endpoint *e, tdm_time now)
{
    struct tdm_sim_world *w = e->world;

    for (uint8_t side = 0; side < 2; side++)
        for (uint8_t i = 0; i < TDM_SIM_STREAMS; i++) {
            const struct tdm_sim_endpoint *from = w->ends[side];
            const struct tdm_sim_endpoint *to = w->ends[1 - side];
            bool expected = from->running && to->running && from->active[i] && to->active[i] &&
                            from->streams[i].send && to->streams[i].receive;

            tdm_sim_checker_expect(&w->checker, now, side, i, expected);
        }
}

static void start_devices(struct tdm_sim_endpoint *e, tdm_time now)
{
    e->running = true;
    init_devices(e, now);
    e->due[TDM_SIM_DUE_MICROPHONE] = e->microphone.due;
    e->due[TDM_SIM_DUE_SPEAKER] = e->speaker.due;
    e->due[TDM_SIM_DUE_CAMERA] = e->camera.due;
}

/* Received = used + refused, by the count of what was handed in since the call began; before each
 * end of the stream. */
static void settle_stream(struct tdm_sim_endpoint *e, tdm_time now, uint8_t stream)
{
    struct tdm_stream_stats stats;

    if (!e->active[stream])
        return;
    tdm_session_stats(e->session, stream, &stats);
    if (stats.packets_received + stats.packets_refused != e->datagrams[stream] &&
        !e->world->checker.may_corrupt)
        tdm_sim_checker_fail(
            &e->world->checker, now,
            "side %u stream %u: %llu packets handed in, %llu received, %llu refused", e->side,
            stream, (unsigned long long)e->datagrams[stream],
            (unsigned long long)stats.packets_received, (unsigned long long)stats.packets_refused);
}

/* Every audio packet was heard, late, double, dropped, or still waits. */
static void settle_audio(struct tdm_sim_endpoint *e, tdm_time now)
{
    const struct tdm_sim_stream_watch *w = &e->world->checker.streams[1 - e->side][TDM_SIM_AUDIO];
    uint64_t heard = w->frames + w->corrupt;
    uint64_t settled, most;

    settle_playout(e);
    settled = heard + e->unheard_packets;
    most = settled + TDM_PLAYOUT_PACKETS * e->restarts;
    if ((e->heard_packets < settled || e->heard_packets > most) && !e->world->checker.may_corrupt)
        tdm_sim_checker_fail(&e->world->checker, now,
                             "side %u: %llu audio packets, %llu heard, %llu not", e->side,
                             (unsigned long long)e->heard_packets, (unsigned long long)heard,
                             (unsigned long long)e->unheard_packets);
}

void tdm_sim_endpoint_configure(struct tdm_sim_endpoint *e, tdm_time now, uint8_t stream,
                                const struct tdm_stream_config *config)
{
    struct tdm_session_in in = {
        .kind = TDM_SESSION_CONFIGURE, .stream = stream, .configure = config};
    bool sent = e->active[stream] && e->streams[stream].send;

    if (e->vanished)
        return;
    note(e, now, TDM_SIM_EVENT_CONFIGURED, stream,
         config ? (uint32_t)(config->send + 2u * config->receive) : 0,
         config ? config->send_codec : 0);
    if (config && !e->running)
        start_devices(e, now);
    if (!config)
        settle_stream(e, now, stream);
    e->active[stream] = config != NULL;
    if (config)
        e->streams[stream] = *config;
    if (stream == TDM_SIM_VIDEO && config && config->send && !sent)
        e->keyframe_due = true;
    if (stream == TDM_SIM_VIDEO && config && config->send_codec != e->encoder->config.codec) {
        tdm_model_video_change(e->encoder, config->send_codec);
        tdm_references_init(&e->references, config->refer_reach, config->refer_chains);
    }
    step(e, now, &in);
    expect(e, now);
}

/* ---- devices ---- */

static void run_microphone(struct tdm_sim_endpoint *e, tdm_time now)
{
    struct tdm_sim_device *d = &e->microphone;
    uint8_t payload[TDM_MODEL_AUDIO_MAX];
    struct tdm_model_audio_config audio = e->audio;
    tdm_time local = local_of(e, now);
    tdm_time captured = tdm_sim_device_time(d, d->index * d->config.period_units);
    size_t size;

    if (e->muted)
        audio.payload_bytes = TDM_MODEL_AUDIO_MIN;
    if (e->active[TDM_SIM_AUDIO] && e->streams[TDM_SIM_AUDIO].send) {
        size = tdm_model_audio_encode(&audio, (uint32_t)d->index, payload, sizeof(payload));
        step(e, now,
             &(struct tdm_session_in){.kind = TDM_SESSION_AUDIO_FRAME,
                                      .stream = TDM_SIM_AUDIO,
                                      .audio = {.payload = payload,
                                                .size = size,
                                                .samples_rtp = d->config.period_units,
                                                .captured = local_of(e, captured),
                                                .encode_start = local,
                                                .encode_end = local}});
    }
    tdm_sim_device_advance(d);
    e->due[TDM_SIM_DUE_MICROPHONE] = d->due;
}

/* Decodes what the playout asks for and tells the checker. */
static void hear(struct tdm_sim_endpoint *e, tdm_time now, const struct tdm_playout_out *played,
                 struct tdm_playout_in *in)
{
    struct tdm_sim_world *w = e->world;
    const struct tdm_sim_device *source = &w->ends[1 - e->side]->microphone;
    uint32_t frame = 0, samples = 0;
    enum tdm_err err =
        tdm_model_audio_decode(stream_id_of(w->scenario, 1 - e->side, TDM_SIM_AUDIO),
                               played->payload, played->payload_size, &frame, &samples);
    tdm_time captured =
        err == TDM_OK ? tdm_sim_device_time(source, (uint64_t)frame * source->config.period_units)
                      : now;

    note(e, now, TDM_SIM_EVENT_HEARD, TDM_SIM_AUDIO, frame, err);
    tdm_sim_checker_frame(&w->checker, now, 1 - e->side, TDM_SIM_AUDIO, err, frame, captured, now);
    if (w->scenario->fault == TDM_SIM_FAULT_STALE_AUDIO && frame % 100 == 99)
        tdm_sim_checker_frame(&w->checker, now, 1 - e->side, TDM_SIM_AUDIO, err, frame, captured,
                              now);
    in->pcm.samples = samples;
    in->pcm.failed = err != TDM_OK;
}

/* Asks the playout to wait for the picture when the sound runs ahead of it. */
static void sync_lips(struct tdm_sim_endpoint *e, tdm_time now,
                      const struct tdm_playout_out *played)
{
    tdm_time local = local_of(e, now);
    struct tdm_lipsync_in in = {.audio_latency = TDM_NEVER,
                                .video_latency = e->video_latency,
                                .playout_delay = tdm_playout_stats_of(e->playout)->delay};
    struct tdm_playout_out nothing;
    tdm_time ask;

    if (!played->silent && played->captured != TDM_NEVER)
        in.audio_latency = local - played->captured;
    if (now - e->shown_at > TDM_S)
        in.video_latency = TDM_NEVER;
    ask = tdm_lipsync_step(&e->lipsync, local, &in);
    if (ask == e->lipsync_ask)
        return;
    e->lipsync_ask = ask;
    tdm_playout_step(e->playout, local,
                     &(struct tdm_playout_in){.kind = TDM_PLAYOUT_MIN_DELAY, .min_delay = ask},
                     &nothing);
}

static void run_speaker(struct tdm_sim_endpoint *e, tdm_time now)
{
    struct tdm_sim_device *d = &e->speaker;
    struct tdm_playout_in in = {
        .kind = TDM_PLAYOUT_PULL,
        .pull = {.samples = d->config.period_units, .play_at = local_of(e, now)}};
    struct tdm_playout_out played;
    unsigned count = 0;

    for (tdm_playout_step(e->playout, local_of(e, now), &in, &played);
         played.action != TDM_PLAYOUT_READY && ++count < STEPS_MAX;
         tdm_playout_step(e->playout, local_of(e, now), &in, &played)) {
        in = (struct tdm_playout_in){.kind = TDM_PLAYOUT_PCM};
        if (played.action == TDM_PLAYOUT_DECODE) {
            hear(e, now, &played, &in);
        } else {
            note(e, now, TDM_SIM_EVENT_CONCEALED, TDM_SIM_AUDIO, played.samples, 0);
            in.pcm.samples = played.samples;
        }
    }
    e->stuck_steps += count == STEPS_MAX;
    e->steps += count + 1;
    if (played.action == TDM_PLAYOUT_READY)
        sync_lips(e, now, &played);
    tdm_sim_device_advance(d);
    e->due[TDM_SIM_DUE_SPEAKER] = d->due;
}

/* What the next picture refers to, as engine/video_in.c asks for it. */
static struct tdm_references_out plan_references(struct tdm_sim_endpoint *e)
{
    struct tdm_references_out out = {0};
    struct tdm_session_references now_known;

    tdm_session_references(e->session, TDM_SIM_VIDEO, &now_known);
    if (!now_known.agreed)
        return out;
    if (now_known.told)
        tdm_references_told(&e->references, &now_known.report);
    tdm_references_step(
        &e->references,
        &(struct tdm_repair_plan){.chains = now_known.chains, .known_every = now_known.known_every},
        &out);
    return out;
}

static void run_camera(struct tdm_sim_endpoint *e, tdm_time now)
{
    struct tdm_sim_device *d = &e->camera;
    bool busy = e->due[TDM_SIM_DUE_ENCODED] != TDM_NEVER;

    /* Newest wins, but a picture that is being coded is finished. */
    if (e->active[TDM_SIM_VIDEO] && e->streams[TDM_SIM_VIDEO].send && !busy) {
        struct tdm_stream_stats stats;
        struct tdm_references_out out = plan_references(e);

        tdm_session_stats(e->session, TDM_SIM_VIDEO, &stats);
        tdm_frame_budget_step(
            &e->budget, now,
            &(struct tdm_frame_budget_in){
                .target_bps = stats.limit_bps,
                .frame_bytes = tdm_session_frame_bytes(e->session, TDM_SIM_VIDEO, local_of(e, now)),
                .packets_waiting = stats.packets_waiting,
                .keyframe_wanted = e->keyframe_due || out.keyframe,
            },
            &e->coding.plan);
        e->keyframe_due = false;
        e->frames_skipped += e->coding.plan.skip;
        if (!e->coding.plan.skip) {
            e->coding.refers = out.wanted;
            e->coding.frame_id = e->next_frame_id;
            e->coding.captured = now;
            e->camera_times[e->next_frame_id++ % CAMERA_TIMES] = now;
            e->due[TDM_SIM_DUE_ENCODED] = now + ENCODE_TIME;
        }
    }
    tdm_sim_device_advance(d);
    e->due[TDM_SIM_DUE_CAMERA] = d->due;
}

/* The slices of a frame on their way into the session. */
struct slice_run {
    struct tdm_sim_endpoint *e;
    tdm_time now;
};

static void take_slice(void *arg, const struct tdm_slice *slice)
{
    struct slice_run *run = arg;
    struct tdm_sim_endpoint *e = run->e;
    bool refers = e->world->scenario->refer_reach > 0;

    e->coding.referred = slice->refers;
    step(e, run->now,
         &(struct tdm_session_in){.kind = TDM_SESSION_VIDEO_SLICE,
                                  .stream = TDM_SIM_VIDEO,
                                  .slice = {.data = slice->data,
                                            .size = slice->size,
                                            .first = slice->first,
                                            .last = slice->last,
                                            .keyframe = slice->keyframe,
                                            .frame_id = e->coding.frame_id,
                                            .has_reference = refers,
                                            .refers = tdm_references_distance(
                                                &e->references, e->coding.frame_id, slice->refers),
                                            .captured = local_of(e, e->coding.captured),
                                            .encode_start = local_of(e, e->coding.captured),
                                            .encode_end = local_of(e, run->now)}});
}

static void run_encoded(struct tdm_sim_endpoint *e, tdm_time now)
{
    struct slice_run run = {.e = e, .now = now};
    const struct tdm_frame_budget_out *plan = &e->coding.plan;
    uint64_t before = e->encoder->bytes;

    if (!e->active[TDM_SIM_VIDEO] || !e->streams[TDM_SIM_VIDEO].send) {
        tdm_frame_budget_dropped(&e->budget, plan);
        return;
    }
    if (e->coding.refers)
        tdm_model_video_refer(e->encoder, e->coding.refers);
    tdm_model_video_encode(e->encoder, e->coding.frame_id, plan->budget_bytes, plan->keyframe,
                           take_slice, &run);
    tdm_references_coded(&e->references, e->coding.frame_id, e->coding.referred);
    e->reference_cost += tdm_repair_reference_cost(e->coding.referred);
    e->pictures_coded++;
    tdm_frame_budget_encoded(&e->budget, plan, (size_t)(e->encoder->bytes - before));
}

/* ---- events ---- */

void tdm_sim_endpoint_run(struct tdm_sim_endpoint *e, tdm_time now, enum tdm_sim_due due)
{
    e->due[due] = TDM_NEVER;
    switch (due) {
    case TDM_SIM_DUE_SESSION:
        step(e, now, NULL);
        break;
    case TDM_SIM_DUE_MICROPHONE:
        run_microphone(e, now);
        break;
    case TDM_SIM_DUE_SPEAKER:
        run_speaker(e, now);
        break;
    case TDM_SIM_DUE_CAMERA:
        run_camera(e, now);
        break;
    case TDM_SIM_DUE_ENCODED:
        run_encoded(e, now);
        break;
    case TDM_SIM_DUE_COUNT:
        break;
    }
}

void tdm_sim_endpoint_receive(struct tdm_sim_endpoint *e, tdm_time now,
                              const struct tdm_sim_packet *packet)
{
    uint8_t stream = (uint8_t)(packet->channel / 2);
    uint8_t spoiled[1500];
    const uint8_t *data = packet->data;

    if (e->world->scenario->fault == TDM_SIM_FAULT_CORRUPT_MEDIA && packet->number % 40 == 0 &&
        !(packet->channel & 1) && packet->size > 100) {
        memcpy(spoiled, data, packet->size);
        spoiled[packet->size - 20] ^= 0x04;
        data = spoiled;
    }
    note(e, now, TDM_SIM_EVENT_DELIVERED, (uint8_t)packet->channel, packet->size,
         tdm_sim_hash(packet->channel, data, packet->size));
    if (e->vanished || !e->running)
        return;
    e->last_datagram = now;
    e->datagrams[stream] += !(packet->channel & 1) && e->active[stream];
    step(e, now,
         &(struct tdm_session_in){
             .kind = TDM_SESSION_DATAGRAM,
             .stream = stream,
             .datagram = {.data = data, .size = packet->size, .received = local_of(e, now)}});
}

void tdm_sim_endpoint_digit(struct tdm_sim_endpoint *e, tdm_time now, char digit)
{
    step(e, now,
         &(struct tdm_session_in){.kind = TDM_SESSION_DTMF,
                                  .stream = TDM_SIM_AUDIO,
                                  .dtmf = {.digit = digit, .duration = DIGIT_TIME}});
}

void tdm_sim_endpoint_stop(struct tdm_sim_endpoint *e, tdm_time now, bool bye)
{
    if (bye && e->running)
        step(e, now, &(struct tdm_session_in){.kind = TDM_SESSION_BYE});
    if (e->running) {
        settle_stream(e, now, TDM_SIM_AUDIO);
        settle_stream(e, now, TDM_SIM_VIDEO);
        settle_audio(e, now);
    }
    e->running = false;
    for (unsigned i = 0; i < TDM_SIM_DUE_COUNT; i++)
        e->due[i] = TDM_NEVER;
    expect(e, now);
}

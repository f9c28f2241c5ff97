/* SPDX-License-Identifier: MIT */
#include "sim/media_rig.h"

#include "engine/wire/rtp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define VOICE         0
#define CAMERA        1
#define REGION        2
#define VOICE_TYPE    111
#define VIDEO_TYPE    96
#define PARITY_TYPE   119
#define MARK_EXT      5
#define VOICE_EVERY   (10 * TDM_MS)
#define VOICE_HZ      48000
#define ENCODE_TIME   (3 * TDM_MS)
#define SHARE_EVERY   (100 * TDM_MS)
#define IP_UDP        28
#define TCP_IP        40
#define SEGMENT       1240
#define CHANNEL       0x4000        /* A channel of the link: the data channel's bytes. */
#define CHANNEL_PAUSE (50 * TDM_MS) /* Tokens are saved for that long. */
#define FRAME_MIN     12

static struct tdm_stream_config voice_config(const struct tdm_sim_rig_config *c)
{
    return (struct tdm_stream_config){
        .kind = TDM_AUDIO,
        .send = c->voice_bps > 0,
        .receive = true,
        .send_codec = TDM_CODEC_OPUS,
        .send_payload_type = VOICE_TYPE,
        .send_hz = VOICE_HZ,
        .receive_count = 1,
        .receive_codecs = {{VOICE_TYPE, TDM_CODEC_OPUS, VOICE_HZ, 2, 0}},
        .timing_ext_id = 1,
    };
}

static struct tdm_stream_config picture_config(const struct tdm_sim_rig_config *c, int side,
                                               bool region)
{
    return (struct tdm_stream_config){
        .kind = TDM_VIDEO,
        .send = side == 0,
        .receive = side == 1,
        .send_codec = TDM_CODEC_VP8,
        .send_payload_type = VIDEO_TYPE,
        .send_hz = 90000,
        .receive_count = 1,
        .receive_codecs = {{VIDEO_TYPE, TDM_CODEC_VP8, 90000, 1, 0}},
        .nack = true,
        .pli = true,
        .ccfb = !c->reports_only,
        .ecn = c->ecn,
        .reduced_rtcp = true,
        .send_parity_type = c->parity ? PARITY_TYPE : 0,
        .receive_parity_type = c->parity ? PARITY_TYPE : 0,
        .timing_ext_id = 1,
        .line = 2,
        .mark_ext_id = region ? MARK_EXT : 0,
        .limit_bps = region ? 0 : c->video_bps,
        .fps = c->fps,
    };
}

static enum tdm_sim_kind kind_of(const struct tdm_session_send *send)
{
    if (send->rtcp)
        return TDM_SIM_KIND_RTCP;
    if (send->stream == VOICE)
        return TDM_SIM_KIND_VOICE;
    if ((send->data[1] & 0x7f) == PARITY_TYPE)
        return TDM_SIM_KIND_PARITY;
    return send->stream == CAMERA ? TDM_SIM_KIND_CAMERA : TDM_SIM_KIND_REGION;
}

/* A packet on the link as it counts there: with IP and UDP around it. */
static void push(struct tdm_sim_rig *rig, int side, uint16_t channel, const uint8_t *data,
                 size_t size)
{
    uint8_t bytes[1500] = {0};

    assert(size + IP_UDP <= sizeof bytes);
    memcpy(bytes, data, size);
    tdm_sim_link_push(rig->links[side], rig->now, channel, bytes, size + IP_UDP);
}

static void carry(struct tdm_sim_rig *rig, int side, const struct tdm_session_send *send)
{
    enum tdm_sim_kind kind = kind_of(send);
    struct tdm_session_rate rate;
    uint16_t channel = (uint16_t)kind;

    if (side == 0) {
        rig->figures[kind].sent += (uint64_t)send->size + IP_UDP;
        rig->media_bytes += send->rtcp ? 0 : send->size;
        tdm_session_rate_of(rig->sessions[0], &rate);
        if (rate.ecn && kind != TDM_SIM_KIND_VOICE)
            channel |= TDM_SIM_MAY_MARK;
    }
    push(rig, side, channel, send->data, send->size);
}

static void show(struct tdm_sim_rig *rig, int which, const struct tdm_session_video *v)
{
    struct tdm_sim_rig_pictures *p = &rig->pictures[which];
    uint32_t frame;

    assert(v->size >= FRAME_MIN);
    memcpy(&frame, v->data + 4, sizeof frame);
    p->shown++;
    p->gap_max = tdm_time_max(p->gap_max, rig->now - p->shown_at);
    p->shown_at = rig->now;
    tdm_histogram_add(&p->age, rig->now - p->captures[frame % TDM_SIM_RIG_FRAMES]);
}

/* Decoding and showing take no time here. */
static void judge(struct tdm_sim_rig *rig, const tdm_time *at)
{
    static const enum tdm_stage ends[] = {TDM_STAGE_ENCODE_START, TDM_STAGE_ENCODE_END,
                                          TDM_STAGE_LAST_SENT, TDM_STAGE_LAST_RECEIVED,
                                          TDM_STAGE_DECODABLE};
    struct tdm_latency_budget_in in = {.kind = TDM_BUDGET_PICTURE};
    struct tdm_latency_budget_out out;
    tdm_time from = at[TDM_STAGE_CAPTURED];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (from == TDM_NEVER || at[ends[i]] == TDM_NEVER)
            return; /* The clocks are not known yet. */
        in.stages[i] = at[ends[i]] - from;
        from = at[ends[i]];
    }
    tdm_latency_budget_step(&rig->budget, rig->now, &in, &out);
}

static void step(struct tdm_sim_rig *rig, int side, const struct tdm_session_in *in)
{
    struct tdm_session_out *out = &rig->out;

    do {
        tdm_session_step(rig->sessions[side], rig->now, in, out);
        rig->steps++;
        rig->past_wakes += out->wake_at < rig->now;
        for (uint32_t i = 0; i < out->send_count; i++)
            carry(rig, side, &out->sends[i]);
        if (out->unit == TDM_UNIT_VIDEO)
            show(rig, out->unit_stream == REGION, &out->video);
        if (out->unit == TDM_UNIT_VIDEO && out->unit_stream == CAMERA)
            judge(rig, out->video.trace.at);
        for (int i = 0; side == 0 && i < 2; i++)
            rig->pictures[i].keyframe_due |=
                (out->keyframe_wanted | out->frame_dropped) >> (CAMERA + i) & 1;
        rig->wake[side] = out->wake_at;
        in = NULL;
    } while (out->wake_at <= rig->now);
}

static void configure(struct tdm_sim_rig *rig, int side)
{
    const struct tdm_sim_rig_config *c = &rig->config;
    struct tdm_stream_config streams[] = {voice_config(c), picture_config(c, side, false),
                                          picture_config(c, side, true)};

    for (uint8_t i = 0; i < 2 + c->region; i++)
        step(rig, side,
             &(struct tdm_session_in){
                 .kind = TDM_SESSION_CONFIGURE, .stream = i, .configure = &streams[i]});
}

void tdm_sim_rig_destroy(struct tdm_sim_rig *rig)
{
    for (int i = 0; rig && i < 2; i++) {
        free(rig->sessions[i]);
        free(rig->links[i]);
    }
    free(rig);
}

struct tdm_sim_rig *tdm_sim_rig_create(const struct tdm_sim_rig_config *config)
{
    struct tdm_sim_rig *rig = calloc(1, sizeof *rig);
    void *storage[4] = {0};

    if (!rig)
        return NULL;
    for (int i = 0; i < 2; i++) {
        storage[i] = malloc(tdm_session_bytes());
        storage[2 + i] = malloc(tdm_sim_link_bytes(&config->way[i]));
        rig->sessions[i] = storage[i];
        rig->links[i] = storage[2 + i];
    }
    if (!storage[0] || !storage[1] || !storage[2] || !storage[3]) {
        tdm_sim_rig_destroy(rig);
        return NULL;
    }
    rig->config = *config;
    rig->rng = tdm_rng_of(config->seed);
    rig->channel_wants = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        const struct tdm_session_config session = {.seed = config->seed * 2 + (uint64_t)i,
                                                   .cname = "rig"};

        rig->sessions[i] = tdm_session_init(storage[i], &session, 0);
        rig->links[i] = tdm_sim_link_init(storage[2 + i], &config->way[i]);
        tdm_frame_budget_init(&rig->pictures[i].budget, config->fps);
        rig->pictures[i].keyframe_due = true;
        rig->pictures[i].encoded_at = TDM_NEVER;
        rig->pictures[i].due = (tdm_time)i * 11 * TDM_MS;
    }
    tdm_sim_rig_measure(rig);
    for (int i = 0; i < 2; i++)
        configure(rig, i);
    return rig;
}

static void speak(struct tdm_sim_rig *rig)
{
    uint8_t payload[1000] = {0};
    size_t size = rig->config.voice_bps / 800;

    rig->voice_due += VOICE_EVERY;
    for (int side = 0; rig->config.voice_bps && side < 2; side++)
        step(rig, side,
             &(struct tdm_session_in){.kind = TDM_SESSION_AUDIO_FRAME,
                                      .stream = VOICE,
                                      .audio = {.payload = payload,
                                                .size = size,
                                                .samples_rtp = VOICE_HZ / 100,
                                                .captured = rig->now - VOICE_EVERY,
                                                .encode_start = rig->now,
                                                .encode_end = rig->now}});
}

static void capture(struct tdm_sim_rig *rig, int which)
{
    struct tdm_sim_rig_pictures *p = &rig->pictures[which];
    uint8_t stream = (uint8_t)(CAMERA + which);
    struct tdm_stream_stats stats;

    p->due += TDM_S / rig->config.fps;
    if (!(which ? rig->config.region : rig->config.camera) || p->encoded_at != TDM_NEVER)
        return;
    tdm_session_stats(rig->sessions[0], stream, &stats);
    tdm_frame_budget_step(
        &p->budget, rig->now,
        &(struct tdm_frame_budget_in){
            .target_bps = stats.limit_bps,
            .frame_bytes = tdm_session_frame_bytes(rig->sessions[0], stream, rig->now),
            .packets_waiting = stats.packets_waiting,
            .keyframe_wanted = p->keyframe_due,
        },
        &p->plan);
    p->keyframe_due = false;
    p->skipped += p->plan.skip;
    if (p->plan.skip)
        return;
    p->captured = rig->now;
    p->encoded_at = rig->now + ENCODE_TIME;
}

static void encode(struct tdm_sim_rig *rig, int which)
{
    struct tdm_sim_rig_pictures *p = &rig->pictures[which];
    uint8_t *data = rig->frame;
    double part = rig->config.fill + rig->config.sigma * tdm_sim_normal(&rig->rng);
    double bytes = p->plan.budget_bytes * (part > 0.1 ? part : 0.1);

    if (p->most_bytes && bytes > p->most_bytes)
        bytes = p->most_bytes;
    size_t size = bytes < FRAME_MIN           ? FRAME_MIN
                  : bytes < TDM_SIM_RIG_FRAME ? (size_t)bytes
                                              : TDM_SIM_RIG_FRAME;

    p->encoded_at = TDM_NEVER;
    p->captures[p->count % TDM_SIM_RIG_FRAMES] = p->captured;
    data[0] = p->plan.keyframe ? 0x10 : 0x11;
    memcpy(data + 4, &p->count, sizeof p->count);
    tdm_frame_budget_encoded(&p->budget, &p->plan, size);
    step(rig, 0,
         &(struct tdm_session_in){.kind = TDM_SESSION_VIDEO_SLICE,
                                  .stream = (uint8_t)(CAMERA + which),
                                  .slice = {.data = data,
                                            .size = size,
                                            .first = true,
                                            .last = true,
                                            .keyframe = p->plan.keyframe,
                                            .frame_id = p->count++,
                                            .mark = {.stream = 1, .frame_id = 1},
                                            .captured = p->captured,
                                            .encode_start = p->captured,
                                            .encode_end = rig->now}});
}

/* As the control thread does it (tdm_call_channel_share). */
static void share(struct tdm_sim_rig *rig)
{
    struct tdm_session_rate rate;
    struct tdm_stream_stats stats;
    tdm_time rtt = 0, rtt_min, offset;
    double a_s = 8e9 / (double)SHARE_EVERY;

    rig->share_due += SHARE_EVERY;
    tdm_session_rate_of(rig->sessions[0], &rate);
    tdm_session_stats(rig->sessions[0], CAMERA, &stats);
    (void)tdm_session_clock(rig->sessions[0], &rtt, &rtt_min, &offset);
    tdm_share_step(
        &rig->share, rig->now,
        &(struct tdm_share_in){
            .media = true,
            .media_bps = (uint64_t)((double)(rig->media_bytes - rig->media_seen) * a_s),
            .used_bps = (uint64_t)((double)(rig->channel_bytes - rig->channel_seen) * a_s),
            .capacity_bps = rate.mode == TDM_SESSION_RATE_NORMAL ? rate.capacity_bps : 0,
            .pictures_bps = rate.mode > TDM_SESSION_RATE_START ? rate.target_bps : 0,
            .rtt = rtt,
            .loss = stats.remote_loss,
        },
        &rig->share_out);
    step(rig, 0,
         &(struct tdm_session_in){
             .kind = TDM_SESSION_BESIDE,
             .beside_bps = (uint64_t)((double)(rig->channel_bytes - rig->channel_seen) * a_s)});
    rig->media_seen = rig->media_bytes;
    rig->channel_seen = rig->channel_bytes;
}

static void send_channel(struct tdm_sim_rig *rig)
{
    static const uint8_t segment[SEGMENT + TCP_IP];
    double a_s = (double)rig->share_out.budget_bps / 8;
    double most = a_s * (double)CHANNEL_PAUSE * 1e-9 + SEGMENT + TCP_IP;

    if ((double)rig->channel_wants < a_s)
        a_s = (double)rig->channel_wants;
    rig->channel_tokens += a_s * (double)(rig->now - rig->channel_at) * 1e-9;
    rig->channel_at = rig->now;
    if (rig->channel_tokens > most)
        rig->channel_tokens = most;
    while (rig->config.channel && rig->channel_tokens >= SEGMENT + TCP_IP) {
        rig->channel_tokens -= SEGMENT + TCP_IP;
        rig->channel_bytes += SEGMENT;
        rig->figures[TDM_SIM_KIND_CHANNEL].sent += SEGMENT + TCP_IP;
        push(rig, 0, CHANNEL, segment, SEGMENT + TCP_IP - IP_UDP);
    }
}

static void arrive(struct tdm_sim_rig *rig, int from, const struct tdm_sim_packet *packet)
{
    enum tdm_sim_kind kind = packet->channel & CHANNEL
                                 ? TDM_SIM_KIND_CHANNEL
                                 : (enum tdm_sim_kind)(packet->channel & 0xff);

    if (from == 0) {
        rig->figures[kind].came += packet->size;
        tdm_histogram_add(&rig->figures[kind].wait,
                          rig->now - packet->sent - rig->config.way[0].delay);
    }
    if (kind == TDM_SIM_KIND_CHANNEL || (from == 1 && rig->feedback_lost))
        return;
    uint8_t bytes[1500];

    memcpy(bytes, packet->data, packet->size);
    if (from == 1 && kind == TDM_SIM_KIND_RTCP && tdm_rng_chance(&rig->rng, rig->lies))
        bytes[8 + tdm_rng_below(&rig->rng, packet->size - IP_UDP - 8u)] ^=
            (uint8_t)(1 + tdm_rng_below(&rig->rng, 255));
    step(rig, 1 - from,
         &(struct tdm_session_in){.kind = TDM_SESSION_DATAGRAM,
                                  .stream = kind == TDM_SIM_KIND_VOICE ? VOICE : CAMERA,
                                  .datagram = {.data = bytes,
                                               .size = packet->size - IP_UDP,
                                               .received = rig->now,
                                               .ecn = packet->marked ? TDM_ECN_CE
                                                      : (packet->channel & TDM_SIM_MAY_MARK)
                                                          ? TDM_ECN_ECT1
                                                          : TDM_ECN_NONE}});
}

static tdm_time next_event(const struct tdm_sim_rig *rig)
{
    tdm_time next = tdm_time_min(rig->voice_due, rig->share_due);

    for (int i = 0; i < 2; i++) {
        next = tdm_time_min(next, tdm_sim_link_due(rig->links[i]));
        next = tdm_time_min(next, rig->wake[i]);
        next = tdm_time_min(next, rig->pictures[i].due);
        next = tdm_time_min(next, rig->pictures[i].encoded_at);
    }
    return tdm_time_max(next, rig->now);
}

static void watch(struct tdm_sim_rig *rig)
{
    struct tdm_session_rate rate;

    tdm_session_rate_of(rig->sessions[0], &rate);
    if (rate.inflight_bytes > rig->inflight_max)
        rig->inflight_max = rate.inflight_bytes;
}

void tdm_sim_rig_run(struct tdm_sim_rig *rig, tdm_time until)
{
    struct tdm_sim_packet packet;

    for (tdm_time next; (next = next_event(rig)) < until;) {
        rig->now = next;
        for (int i = 0; i < 2; i++) {
            while (tdm_sim_link_pop(rig->links[i], rig->now, &packet))
                arrive(rig, i, &packet);
            if (rig->wake[i] <= rig->now)
                step(rig, i, NULL);
            if (rig->pictures[i].encoded_at <= rig->now)
                encode(rig, i);
            if (rig->pictures[i].due <= rig->now)
                capture(rig, i);
        }
        if (rig->voice_due <= rig->now)
            speak(rig);
        if (rig->share_due <= rig->now)
            share(rig);
        send_channel(rig);
        watch(rig);
    }
    rig->now = until;
}

void tdm_sim_rig_measure(struct tdm_sim_rig *rig)
{
    for (int i = 0; i < TDM_SIM_KINDS; i++) {
        rig->figures[i].sent = rig->figures[i].came = 0;
        tdm_histogram_init(&rig->figures[i].wait);
    }
    for (int i = 0; i < 2; i++) {
        struct tdm_sim_rig_pictures *p = &rig->pictures[i];

        p->skipped = p->shown = 0;
        p->gap_max = 0;
        p->shown_at = rig->now;
        tdm_histogram_init(&p->age);
    }
    rig->figures_since = rig->now;
    rig->inflight_max = 0;
}

static double rate_of(const struct tdm_sim_rig *rig, uint64_t bytes)
{
    return (double)bytes * 8e9 / (double)tdm_time_max(rig->now - rig->figures_since, 1);
}

double tdm_sim_rig_bps(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind)
{
    uint64_t all = 0;

    for (int i = 0; kind == TDM_SIM_KINDS && i < TDM_SIM_KINDS; i++)
        all += rig->figures[i].came;
    return rate_of(rig, kind == TDM_SIM_KINDS ? all : rig->figures[kind].came);
}

double tdm_sim_rig_sent_bps(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind)
{
    uint64_t all = 0;

    for (int i = 0; kind == TDM_SIM_KINDS && i < TDM_SIM_KINDS; i++)
        all += rig->figures[i].sent;
    return rate_of(rig, kind == TDM_SIM_KINDS ? all : rig->figures[kind].sent);
}

double tdm_sim_rig_wait_ms(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind, double q)
{
    return (double)tdm_histogram_quantile(&rig->figures[kind].wait, q) * 1e-6;
}

/* SPDX-License-Identifier: MIT */
#include "sim/person.h"

#include "engine/wire/frame_timing.h"
#include "engine/wire/reference_mark.h"
#include "signalling/call_perform.h"

#include <stdio.h>
#include <string.h>

#define WATCH_EVERY      TDM_S
#define TIMING_EXT_ID    1
#define REFERENCE_EXT_ID 6

static void fill_media(struct tdm_media_capability *m, bool wanted, uint16_t port)
{
    m->wanted = wanted;
    m->direction = TDM_SENDRECV;
    m->port = port;
    m->rtcp_mux = true;
    m->ext_count = 1;
    m->exts[0].id = TIMING_EXT_ID;
    (void)snprintf(m->exts[0].uri, sizeof(m->exts[0].uri), "%s", TDM_FRAME_TIMING_URI);
}

static void add_vp9(struct tdm_capability *c)
{
    tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_VP9, 98, 90000, 1, "profile-id=0");
}

/* `further`: with the codec first whose encoder refers further back. */
static void fill_capability(struct tdm_capability *c, const struct tdm_sim_scenario *s,
                            uint8_t side, bool further)
{
    memset(c, 0, sizeof(*c));
    (void)snprintf(c->address, sizeof(c->address), "10.0.0.%u", side + 1u);
    c->plain = true; /* The simulated path has no one who listens. */
    fill_media(&c->media[TDM_AUDIO], true, 40000);
    fill_media(&c->media[TDM_VIDEO], s->video, 40002);
    c->media[TDM_AUDIO].ptime_ms = s->audio_frame_ms;
    if (s->refer_reach) {
        struct tdm_ext_desc *ext = &c->media[TDM_VIDEO].exts[c->media[TDM_VIDEO].ext_count++];

        ext->id = REFERENCE_EXT_ID;
        (void)snprintf(ext->uri, sizeof(ext->uri), "%s", TDM_REFERENCE_MARK_URI);
    }
    c->media[TDM_VIDEO].framerate = (uint16_t)s->fps;
    c->media[TDM_VIDEO].bandwidth_bps = s->video_bps;
    c->media[TDM_VIDEO].ccfb = !s->reports_only;
    c->media[TDM_VIDEO].parity_type = s->parity ? TDM_SIM_PARITY_TYPE : 0;
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_OPUS, 111, 48000, 2, "useinbandfec=1");
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 101, 48000, 1, "0-15");
    if (further)
        add_vp9(c);
    switch (s->video_codec) {
    case TDM_CODEC_H264:
        tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_H264, 102, 90000, 1,
                           "profile-level-id=42e01f;packetization-mode=1");
        break;
    case TDM_CODEC_VP9:
        add_vp9(c);
        break;
    case TDM_CODEC_AV1:
        tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_AV1, 99, 90000, 1, NULL);
        break;
    default:
        tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_VP8, 96, 90000, 1, NULL);
        break;
    }
    if (s->refer_elsewhere && !further)
        add_vp9(c);
}

void tdm_sim_person_init(struct tdm_sim_person *p, struct tdm_sim_world *world, uint8_t side,
                         const struct tdm_sig_ops *ops, struct tdm_sig *sig, tdm_time now)
{
    struct tdm_capability capability;

    memset(p, 0, sizeof(*p));
    p->world = world;
    p->side = side;
    p->ops = ops;
    p->sig = sig;
    p->wake_at = p->accept_at = TDM_NEVER;
    p->watch_at = now + WATCH_EVERY;
    p->up_at = p->ended_at = TDM_NEVER;
    fill_capability(&capability, world->scenario, side, false);
    tdm_call_init(&p->machine, &capability, world->scenario->seed * 2 + side);
}

/* ---- what was agreed, for the endpoint ---- */

static uint8_t ext_id(const struct tdm_negotiated_media *m, const char *uri)
{
    for (uint8_t i = 0; i < m->ext_count; i++)
        if (strcmp(m->exts[i].uri, uri) == 0)
            return m->exts[i].id;
    return 0;
}

static void fill_stream(const struct tdm_sim_person *p, enum tdm_media_kind kind,
                        const struct tdm_negotiated_media *m, struct tdm_stream_config *config)
{
    const struct tdm_sim_scenario *s = p->world->scenario;

    bool changed = m->send.id != s->video_codec && kind == TDM_VIDEO;

    *config = (struct tdm_stream_config){
        .kind = kind,
        .send = (m->direction & TDM_SENDONLY) && !p->machine.held_local,
        .receive = (m->direction & TDM_RECVONLY) != 0,
        .send_codec = m->send.id,
        .send_payload_type = m->send.payload_type,
        .send_hz = m->send.clock_hz,
        .dtmf_payload_type = m->dtmf_send_type,
        .dtmf_hz = m->dtmf_send_hz,
        .nack = m->nack,
        .pli = m->pli,
        .fir = m->fir,
        .tmmbr = m->tmmbr,
        .ccfb = m->ccfb,
        .send_parity_type = m->ccfb ? m->send_parity_type : 0,
        .receive_parity_type = m->receive_parity_type,
        .reduced_rtcp = m->rtcp_rsize,
        .timing_ext_id = ext_id(m, TDM_FRAME_TIMING_URI),
        .reference_ext_id = ext_id(m, TDM_REFERENCE_MARK_URI),
        .refer_reach = s->refer_reach,
        .refer_chains = changed ? s->refer_elsewhere : s->refer_chains,
        .refer_elsewhere = s->refer_elsewhere,
        .h264_mode = strstr(m->send.fmtp, "packetization-mode=1") ? 1 : 0,
        .limit_bps = kind == TDM_VIDEO ? s->video_bps : 0,
        .fps = s->fps,
    };
    for (uint8_t i = 0; i < m->receive_count && i + 1 < TDM_SESSION_PTS_MAX; i++)
        config->receive_codecs[config->receive_count++] =
            (struct tdm_receive_codec){.payload_type = m->receive[i].payload_type,
                                       .id = m->receive[i].id,
                                       .rtp_hz = m->receive[i].clock_hz};
    if (m->dtmf_receive_type)
        config->receive_codecs[config->receive_count++] =
            (struct tdm_receive_codec){.payload_type = m->dtmf_receive_type,
                                       .id = TDM_CODEC_TELEPHONE_EVENT,
                                       .rtp_hz = m->dtmf_receive_hz};
}

static void apply_media(struct tdm_sim_person *p, tdm_time now)
{
    struct tdm_sim_endpoint *end = p->world->ends[p->side];

    for (uint8_t i = 0; i < TDM_SIM_STREAMS; i++) {
        enum tdm_media_kind kind = i == TDM_SIM_AUDIO ? TDM_AUDIO : TDM_VIDEO;
        const struct tdm_negotiated_media *m = &p->machine.negotiated.media[kind];
        struct tdm_stream_config config;

        if (m->active) {
            fill_stream(p, kind, m, &config);
            tdm_sim_endpoint_configure(end, now, i, &config);
        } else if (end->active[i]) {
            tdm_sim_endpoint_configure(end, now, i, NULL);
        }
    }
}

/* ---- the call machine ---- */

static void note_state(struct tdm_sim_person *p, tdm_time now)
{
    enum tdm_call_state state = p->machine.state;

    uint32_t flags = (uint32_t)p->machine.held_local | (uint32_t)p->machine.held_remote << 1 |
                     (uint32_t)p->machine.reoffering << 2;

    tdm_sim_log_add(&p->world->log, &(struct tdm_sim_event){.at = now,
                                                            .kind = TDM_SIM_EVENT_STATE,
                                                            .side = p->side,
                                                            .a = (uint32_t)state,
                                                            .b = flags});
    if (state == TDM_CALL_UP && p->up_at == TDM_NEVER)
        p->up_at = now;
    if (state == TDM_CALL_INCOMING && p->accept_at == TDM_NEVER)
        p->accept_at = now + p->world->scenario->side[p->side].rings;
    if (state == TDM_CALL_ENDING || state == TDM_CALL_ENDED)
        tdm_sim_endpoint_stop(p->world->ends[p->side], now, true);
    if (state == TDM_CALL_ENDED && p->ended_at == TDM_NEVER)
        p->ended_at = now;
}

static void step(struct tdm_sim_person *p, tdm_time now, const struct tdm_call_in *in)
{
    bool media, state;

    tdm_call_step(&p->machine, now, in, &p->out);
    media = p->out.media_changed;
    state = p->out.state_changed;
    tdm_call_perform(&p->machine, now, p->ops, p->sig, &p->out);
    p->wake_at = p->out.wake_at;
    if (state || p->out.state_changed)
        note_state(p, now);
    if (media || p->out.media_changed || (state && p->machine.state == TDM_CALL_UP))
        apply_media(p, now);
}

void tdm_sim_person_dial(struct tdm_sim_person *p, tdm_time now, const char *uri)
{
    if (p->sig)
        step(p, now, &(struct tdm_call_in){.kind = TDM_CALL_DIAL, .uri = uri});
}

void tdm_sim_person_hear(struct tdm_sim_person *p, tdm_time now)
{
    while (p->sig && p->ops->next(p->sig, &p->event) == TDM_OK)
        step(p, now, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &p->event});
}

static bool is_gone(struct tdm_sim_person *p, tdm_time now)
{
    const struct tdm_sim_endpoint *end = p->world->ends[p->side];
    struct tdm_silence_out out;

    tdm_silence_step(&p->silence, now,
                     &(struct tdm_silence_in){
                         .up = end->running && p->machine.state == TDM_CALL_UP,
                         .held = p->machine.held_local || p->machine.held_remote,
                         .last_received = end->last_datagram,
                         .notice = TDM_SILENCE_NOTICE,
                         .end = TDM_SILENCE_END,
                     },
                     &out);
    return out.over;
}

/* As engine/call_graph.c: once. */
static void refer_further(struct tdm_sim_person *p, tdm_time now)
{
    struct tdm_session_references references;
    struct tdm_capability capability;

    tdm_session_references(p->world->ends[p->side]->session, TDM_SIM_VIDEO, &references);
    if (!references.better_elsewhere || p->further || p->machine.state != TDM_CALL_UP)
        return;
    p->further = true;
    fill_capability(&capability, p->world->scenario, p->side, true);
    step(p, now, &(struct tdm_call_in){.kind = TDM_CALL_SET_CAPABILITY, .capability = &capability});
}

tdm_time tdm_sim_person_due(const struct tdm_sim_person *p)
{
    return p->sig ? tdm_time_min(p->wake_at, tdm_time_min(p->accept_at, p->watch_at)) : TDM_NEVER;
}

void tdm_sim_person_run(struct tdm_sim_person *p, tdm_time now)
{
    if (now >= p->accept_at) {
        p->accept_at = TDM_NEVER;
        step(p, now, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT});
    }
    if (now >= p->watch_at) {
        p->watch_at = now + WATCH_EVERY;
        if (is_gone(p, now))
            step(p, now, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
        else
            refer_further(p, now);
    }
    if (now >= p->wake_at)
        step(p, now, NULL);
}

/* ---- the user ---- */

static void send_digit(struct tdm_sim_person *p, tdm_time now, char digit)
{
    if (p->machine.state != TDM_CALL_UP)
        return;
    if (p->machine.negotiated.media[TDM_AUDIO].dtmf_send_type)
        tdm_sim_endpoint_digit(p->world->ends[p->side], now, digit);
    else
        step(p, now, &(struct tdm_call_in){.kind = TDM_CALL_DTMF_INFO, .digit = digit});
}

void tdm_sim_person_act(struct tdm_sim_person *p, tdm_time now, const struct tdm_sim_action *action)
{
    static const enum tdm_call_input inputs[] = {
        [TDM_SIM_HOLD] = TDM_CALL_HOLD,          [TDM_SIM_RESUME] = TDM_CALL_RESUME,
        [TDM_SIM_VIDEO_ADD] = TDM_CALL_MEDIA_ON, [TDM_SIM_VIDEO_DROP] = TDM_CALL_MEDIA_OFF,
        [TDM_SIM_HANGUP] = TDM_CALL_HANG_UP,
    };
    struct tdm_sim_endpoint *end = p->world->ends[p->side];

    if (!p->sig)
        return;
    tdm_sim_log_add(&p->world->log, &(struct tdm_sim_event){.at = now,
                                                            .kind = TDM_SIM_EVENT_ACTION,
                                                            .side = p->side,
                                                            .a = (uint32_t)action->kind,
                                                            .b = (uint8_t)action->digit});
    switch (action->kind) {
    case TDM_SIM_MUTE:
    case TDM_SIM_UNMUTE:
        end->muted = action->kind == TDM_SIM_MUTE;
        break;
    case TDM_SIM_DIGIT:
        send_digit(p, now, action->digit);
        break;
    case TDM_SIM_VANISH:
        p->sig = NULL;
        end->vanished = true;
        tdm_sim_endpoint_stop(end, now, false);
        break;
    case TDM_SIM_HOLD:
    case TDM_SIM_RESUME:
    case TDM_SIM_VIDEO_ADD:
    case TDM_SIM_VIDEO_DROP:
    case TDM_SIM_HANGUP:
        step(p, now, &(struct tdm_call_in){.kind = inputs[action->kind], .media = TDM_VIDEO});
        break;
    }
}

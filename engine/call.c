/* SPDX-License-Identifier: MIT */
#include "engine/call.h"

#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "engine/whip.h"
#include "signalling/call_perform.h"
#include "signalling/sdp.h"
#include "signalling/sip_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_STATUS_WAITS 5
#define LAST_STATUS_WAIT  (10 * TDM_MS)

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
    tdm_call_path_init(call);
    tdm_call_path_capability(call, &everything);
    tdm_call_channel_capability(call, &everything);
    tdm_call_init(&call->machine, &everything, tdm_entropy_u64());
    return call;
}

void tdm_call_free(struct tandem_call *call)
{
    tdm_call_close_media(call);
    free(call);
}

static const char *way(const struct tdm_negotiated_media *m)
{
    static const char *const ways[] = {"on hold", "out only", "in only", "both ways"};

    return ways[m->direction & TDM_SENDRECV];
}

static void describe(const struct tandem_call *call, char *text, size_t capacity)
{
    const struct tdm_negotiated_media *audio = &call->machine.negotiated.media[TDM_AUDIO];
    const struct tdm_negotiated_media *video = &call->machine.negotiated.media[TDM_VIDEO];
    char parts[3][160] = {"no audio", "no video"};

    if (audio->active) {
        struct tdm_audio_format format = tdm_audio_format_of(&call->plan, audio);

        int size = snprintf(parts[0], sizeof parts[0], "audio %s%s %s",
                            tdm_codec_short_name(tdm_media_plan_codec(audio)),
                            format.channels == 2 ? " stereo" : "", way(audio));

        if (size > 0 && (size_t)size < sizeof parts[0] && audio->direction & TDM_SENDONLY)
            (void)snprintf(parts[0] + size, sizeof parts[0] - (size_t)size, " (%g ms frames out)",
                           format.frame_us / 1000.0);
    }
    if (video->active && !tdm_call_region_alone(call))
        (void)snprintf(parts[1], sizeof parts[1], "video %s %s",
                       tdm_codec_short_name(tdm_media_plan_codec(video)), way(video));
    tdm_call_path_text(call, parts[2], sizeof parts[2]);
    (void)snprintf(text, capacity, "%s, %s, %s", parts[0], parts[1], parts[2]);
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
        [TDM_END_NOT_SECURE] = TANDEM_END_NOT_SECURE,
    };

    return ends[end];
}

/* The figures at the end include what came since the net thread told its last. */
static void take_last_status(struct tandem_call *call)
{
    int wake = call->engine->wake;

    if (!call->net)
        return;
    tdm_net_refresh(call->net);
    for (int i = 0; i < LAST_STATUS_WAITS && call->status.at < call->ended_at; i++) {
        (void)tdm_wait_until(tdm_clock_now() + LAST_STATUS_WAIT, wake, -1);
        tdm_wake_clear(wake);
        tdm_call_run(call, call->ended_at);
    }
    tdm_wake_signal(wake); /* It may have been meant for somebody else. */
}

static void finish(struct tandem_call *call)
{
    if (call->ended || call->ending)
        return;
    call->ending = true; /* What the last figures bring must not end it again. */
    call->ended_at = tdm_clock_now();
    take_last_status(call);
    tdm_call_run(call, call->ended_at);
    tdm_call_stats_of(call, &call->final);
    call->ended = true;
    tdm_call_close_media(call);
    if (call->broken[0])
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_ENDED,
                        call->path.unsafe ? TANDEM_END_NOT_SECURE : TANDEM_END_FAILED, "%s",
                        call->broken);
    else if (call->vanished)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_ENDED, TANDEM_END_FAILED,
                        "the other side has been silent for %d s",
                        (int)(call->engine->silence_end / TDM_S));
    else
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_ENDED, (int)public_end(call->machine.end),
                        "%s", call->machine.reason);
}

/* A medium that was wanted here and refused there, or has no codec in common. */
static void tell_what_is_missing(struct tandem_call *call)
{
    static const char *const names[TDM_MEDIA_KINDS] = {
        [TDM_AUDIO] = "sound", [TDM_VIDEO] = "video"};

    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
        if (call->machine.capability.media[kind].wanted &&
            !call->machine.negotiated.media[kind].active)
            tdm_engine_tell(
                call->engine, call, TANDEM_EVENT_NOTICE, 0,
                "no %s: the other side does not take part in it, or has no codec of ours",
                names[kind]);
}

void tdm_call_announce(struct tandem_call *call)
{
    const struct tdm_call_machine *m = &call->machine;
    char text[256];

    if (m->state == TDM_CALL_RINGING_OUT && call->out.state_changed)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_RINGING, 0, "%s", m->peer);
    if (m->state == TDM_CALL_ENDED) {
        finish(call);
        return;
    }
    bool up = m->state == TDM_CALL_UP || m->state == TDM_CALL_CONNECTING;
    bool changed = call->out.media_changed;

    call->out.media_changed = false;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
        call->two_way |= up && m->negotiated.media[kind].active &&
                         m->negotiated.media[kind].direction == TDM_SENDRECV;
    if (changed && (up || (m->early && m->state == TDM_CALL_RINGING_OUT)))
        tdm_call_follow(call);
    describe(call, text, sizeof text);
    if (m->state == TDM_CALL_UP && !call->announced_up && call->path.ready && !call->path.check) {
        call->announced_up = true;
        call->up_at = tdm_clock_now();
        call->up_cpu = tdm_clock_process_cpu();
        tdm_lipsync_init(&call->lipsync, call->up_at);
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_UP, 0, "%s", text);
        tell_what_is_missing(call);
        if (!call->real_time)
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                            "no real-time priority: under load sound may stutter; allow it with "
                            "ulimit -r 30 or the capability CAP_SYS_NICE");
    } else if (up && call->announced_up && strcmp(call->told, text) != 0) {
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_CHANGED, 0, "%s", text);
    }
    (void)snprintf(call->told, sizeof call->told, "%s", text);
    if (call->out.refused)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", m->reason);
    call->out.state_changed = call->out.refused = false; /* Told. */
}

static void step(struct tandem_call *call, const struct tdm_call_in *in)
{
    tdm_time now = tdm_clock_now();

    if (call->ended)
        return;
    tdm_call_step(&call->machine, now, in, &call->out);
    if (call->out.command == TDM_CALL_DO_INVITE_BACK)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "%.160s is asked through the service to call here", call->machine.peer);
    tdm_call_perform(&call->machine, now, call->web ? &tdm_sig_whip : call->engine->sig_ops,
                     call->web ? call->engine->web : call->engine->sig, &call->out);
    call->machine_wake = call->out.wake_at;
    tdm_call_announce(call);
}

void tdm_call_input(struct tandem_call *call, const struct tdm_call_in *in)
{
    step(call, in);
}

void tdm_call_capability(const struct tandem_call *call, struct tdm_capability *capability)
{
    tdm_media_plan_capability(&call->plan, call->local_address, 0, 0, capability);
    if (!call->path.outgoing)
        tdm_media_plan_feedback(capability);
    tdm_call_path_capability(call, capability);
    tdm_call_channel_capability(call, capability);
    tdm_call_region_capability(call, capability);
}

/* An incoming call of somebody whom we are to call. */
static bool asks_for_call(const struct tandem_call *call)
{
    return call->machine.back == TDM_BACK_WANTED;
}

/* What an invitation asks for: the data channel, and anything else. */
static bool asks_for_channel(const struct tdm_call_machine *m, bool *else_too)
{
    struct tdm_media_desc offer;
    bool channel = false;

    *else_too = false;
    if (tdm_sdp_parse(m->remote_offer, m->remote_offer_size, &offer, NULL) != TDM_OK)
        return false;
    for (uint8_t i = 0; i < offer.media_count; i++) {
        const struct tdm_media_line *line = &offer.media[i];

        if (line->proto == TDM_PROTO_CHANNEL && !line->other)
            channel |= line->port != 0;
        else
            *else_too |= line->port || line->bundle_only;
    }
    return channel;
}

/* Whether the other side wants neither sound nor picture. */
static bool is_for_channel_alone(const struct tdm_call_machine *m)
{
    bool else_too;

    return asks_for_channel(m, &else_too) && !else_too;
}

/* Everything but the candidates, which come by themselves; then the call goes on (tdm_call_go). */
static enum tdm_err prepare(struct tandem_call *call, const struct tdm_media_plan *plan,
                            enum tdm_call_pending pending, struct tdm_cause *cause)
{
    enum tdm_err err = tdm_call_check(plan, cause);
    struct tdm_capability capability;
    bool else_too;

    if (err == TDM_OK && !call->net)
        err =
            tdm_call_open_net(call, pending == TDM_CALL_PENDING_DIAL || asks_for_call(call), cause);
    if (err != TDM_OK)
        return err;
    call->plan = *plan;
    call->planned = true;
    tdm_latency_budget_init(&call->budget, plan->latency_ms * TDM_MS);
    atomic_store(&call->link.latency_budget, call->budget.budget);
    call->plan.channel |= plan->channel_if_asked && asks_for_channel(&call->machine, &else_too);
    err = tdm_call_channel_open(call, cause);
    if (err != TDM_OK)
        return err;
    tdm_call_capability(call, &capability);
    call->machine.no_answer_after = plan->ring_seconds * TDM_S;
    /* Before anybody rings: a window or a loudspeaker that cannot be had is told in time, and one
     * that starts slowly is warm when the first sound comes. */
    err = tdm_call_open_sinks(
        call, (bool[]){capability.media[TDM_AUDIO].wanted, capability.media[TDM_VIDEO].wanted},
        cause);
    if (err != TDM_OK)
        return err;
    call->path.pending = pending;
    if (tdm_call_path_gathered(call, tdm_clock_now()))
        tdm_call_go(call);
    return TDM_OK;
}

/* Ends with our own words. */
static void call_failed(struct tandem_call *call, const char *why)
{
    (void)snprintf(call->broken, sizeof call->broken, "%s", why);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
}

/* "10.0.0.7:5060": where who cannot be called may call us. */
static void own_door(const struct tandem_call *call, char *text, size_t capacity)
{
    const struct tandem *engine = call->engine;
    bool ipv6 = strchr(call->local_address, ':') != NULL;

    if (engine->config.callback)
        (void)snprintf(text, capacity, "%s", engine->config.callback);
    else
        (void)snprintf(text, capacity, "%s%s%s:%u", ipv6 ? "[" : "", call->local_address,
                       ipv6 ? "]" : "", engine->sig_ops->port(engine->sig));
}

static void dial(struct tandem_call *call)
{
    const struct tandem_config *config = &call->engine->config;
    char door[TDM_SIG_ADDRESS_MAX];

    own_door(call, door, sizeof door);
    if (config->service_first)
        call->machine.ask_back_after = 0;
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_DIAL,
                                     .uri = call->path.dial_to,
                                     .service = config->service,
                                     .callback = door});
}

void tdm_call_go(struct tandem_call *call)
{
    enum tdm_call_pending pending = call->path.pending;
    struct tdm_capability capability;

    call->path.pending = TDM_CALL_PENDING_NOTHING;
    call->path.late = false; /* All that came so far is in what leaves now. */
    if (tdm_call_path_hopeless(call)) {
        call_failed(call, "no relay answers, and this call may only go by one: check --turn, or "
                          "leave --relay-only out");
        return;
    }
    tdm_call_capability(call, &capability);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_SET_CAPABILITY, .capability = &capability});
    if (pending == TDM_CALL_PENDING_DIAL)
        dial(call);
    else if (pending == TDM_CALL_PENDING_ACCEPT)
        step(call, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT});
}

enum tdm_err tdm_call_route(struct tandem_call *call, const char *to, struct tdm_cause *cause)
{
    return tdm_sig_local_address(to, call->local_address, sizeof call->local_address, cause);
}

void tdm_call_offer_paths(struct tandem_call *call)
{
    struct tdm_capability capability;

    tdm_call_capability(call, &capability);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_SET_TRANSPORT, .capability = &capability});
}

void tdm_call_offer_plan(struct tandem_call *call)
{
    struct tdm_capability capability;

    if (!call->announced_up || !call->net)
        return;
    tdm_call_capability(call, &capability);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_SET_CAPABILITY, .capability = &capability});
}

void tdm_call_set_channel(struct tandem_call *call, bool on)
{
    struct tdm_cause cause = {""};

    if (!call->planned || call->ended || call->plan.channel == on)
        return;
    call->plan.channel = on;
    if (tdm_call_channel_open(call, &cause) != TDM_OK)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", cause.text);
    tdm_call_offer_plan(call);
}

enum tdm_err tdm_call_dial(struct tandem_call *call, const char *to,
                           const struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    const struct tandem_config *config = &call->engine->config;
    struct tdm_sip_uri uri;
    enum tdm_err err = tdm_engine_open_sig(call->engine, cause);

    if (err == TDM_OK && config->service)
        err = tdm_sip_uri_parse(config->service, &uri, cause);
    if (err == TDM_OK && config->callback)
        err = tdm_sip_uri_parse(config->callback, &uri, cause);
    (void)snprintf(call->path.dial_to, sizeof call->path.dial_to, "%s", to);
    return err == TDM_OK ? prepare(call, plan, TDM_CALL_PENDING_DIAL, cause) : err;
}

void tdm_call_invited(struct tandem_call *call, const struct tdm_sig_event *event)
{
    struct tdm_cause cause = {""};

    if (tdm_sig_local_address(event->peer_address, call->local_address, sizeof call->local_address,
                              &cause) != TDM_OK)
        (void)snprintf(call->local_address, sizeof call->local_address, "127.0.0.1");
    call->confidential = event->confidential;
    tdm_call_signalled(call, event);
    if (call->machine.state != TDM_CALL_INCOMING)
        return;
    bool asks = asks_for_call(call);

    /* Candidates come while it rings, but for who asks to be called nothing is done before somebody
     * agrees. Without ports the answer will say why. */
    if (!asks && tdm_call_open_net(call, false, NULL) != TDM_OK)
        tdm_call_close_media(call);
    tdm_engine_tell(call->engine, call, TANDEM_EVENT_INCOMING,
                    asks ? 2 : is_for_channel_alone(&call->machine), "%s%s%s",
                    call->machine.peer_name, call->machine.peer_name[0] ? " " : "",
                    call->machine.peer);
    if (asks)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "asks to be called at %.100s, which answering does",
                        call->machine.back_target);
}

enum tdm_err tdm_call_answer(struct tandem_call *call, const struct tdm_media_plan *plan,
                             struct tdm_cause *cause)
{
    if (call->machine.state != TDM_CALL_INCOMING || call->planned)
        return tdm_fail(cause, TDM_E_MALFORMED, "there is no call to answer");
    enum tdm_err err =
        asks_for_call(call) ? tdm_call_route(call, call->machine.back_target, cause) : TDM_OK;

    if (err == TDM_OK)
        err = prepare(call, plan, TDM_CALL_PENDING_ACCEPT, cause);
    if (err != TDM_OK) {
        tdm_call_close_media(call);
        call->planned = false;
    }
    return err;
}

void tdm_call_signalled(struct tandem_call *call, const struct tdm_sig_event *event)
{
    if (event->body_size && call->announced_up)
        tdm_call_region_answer(call);
    if (event->kind == TDM_SIG_DTMF_INFO)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_DIGIT, event->digit, "%c", event->digit);
    step(call, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = event});
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

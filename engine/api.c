/* SPDX-License-Identifier: MIT */
/*
 * The public functions on calls: each packs its arguments, has the control thread do the work, and
 * hands the outcome back.
 */
#include "engine/account.h"
#include "engine/engine.h"
#include "engine/io/interfaces.h"

#include "engine/report.h"
#include "signalling/sip_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TANDEM_VERSION
#define TANDEM_VERSION "0"
#endif

/* One request for all: which fields count depends on the function. */
struct call_request {
    struct tandem_call *call;
    struct tandem *engine;
    const struct tdm_media_plan *plan;
    struct tdm_call_in in;
    const char *text, *more;
    bool on;
    char digit;
    uint16_t duration_ms;
    struct tandem_stats *stats;
    char *report;
    bool unreachable;
    enum tdm_err err;
    struct tdm_cause cause;
};

static enum tandem_status finish(const struct call_request *r, struct tandem_cause *cause)
{
    if (cause && r->err != TDM_OK)
        (void)snprintf(cause->text, sizeof cause->text, "%s", r->cause.text);
    return r->unreachable ? TANDEM_UNREACHABLE : tdm_engine_status(r->err);
}

static enum tandem_status run(struct tandem_call *call,
                              void (*work)(struct tandem *engine, void *arg),
                              struct call_request *r, struct tandem_cause *cause)
{
    r->call = call;
    tdm_engine_request(call->engine, work, r);
    return finish(r, cause);
}

const char *tandem_version(void)
{
    return TANDEM_VERSION;
}

const char *tandem_video_codecs(void)
{
    static _Thread_local char names[64];

    tdm_video_codec_names(names, sizeof names);
    return names;
}

const char *tandem_audio_codecs(void)
{
    return "opus,g722,pcmu,pcma,l16";
}

static void unlink_call(struct tandem *engine, struct tandem_call *call)
{
    for (struct tandem_call **at = &engine->calls; *at; at = &(*at)->next)
        if (*at == call) {
            *at = call->next;
            engine->call_count--;
            return;
        }
}

/* From the first address there is, when nothing leads out of this network. */
static enum tdm_err route_inside(struct tandem_call *call, struct tdm_cause *cause)
{
    struct tdm_address list[TDM_INTERFACES_MAX];
    uint32_t count = tdm_interfaces_list(list, TDM_INTERFACES_MAX);
    char text[TDM_ADDRESS_TEXT_MAX];

    for (uint32_t i = count; i-- > 0;) /* IPv4, which comes last, first. */
        if (list[i].family == TDM_IPV4 || i == 0) {
            list[i].port = TDM_SIP_PORT; /* For brackets around IPv6. */
            tdm_address_text(&list[i], text);
            return tdm_call_route(call, text, cause);
        }
    return tdm_fail(cause, TDM_E_GONE, "there is no network: check the connection");
}

static void do_dial(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;
    struct tdm_engine_way way;
    struct tandem_call *call =
        engine->call_count < TDM_ENGINE_CALLS_MAX ? tdm_call_create(engine) : NULL;

    if (!call) {
        r->err = tdm_fail(&r->cause, TDM_E_SPACE, "no more than %d calls at once: end one first",
                          TDM_ENGINE_CALLS_MAX);
        return;
    }
    call->next = engine->calls;
    engine->calls = call;
    engine->call_count++;
    r->err = tdm_engine_find_way(engine, r->text, &way, &r->cause);
    call->machine.account = way.account;
    call->confidential = way.confidential;
    if (r->err == TDM_OK)
        r->err = tdm_call_route(call, way.route, &r->cause);
    if (r->err != TDM_OK && way.account) /* Known by SRV records alone: as to anywhere. */
        r->err = tdm_call_route(call, "192.0.2.1", &r->cause);
    if (r->err != TDM_OK && way.account) /* A network without a way out. */
        r->err = route_inside(call, &r->cause);
    r->unreachable = r->err != TDM_OK && r->err != TDM_E_MALFORMED;
    if (r->err == TDM_OK)
        r->err = tdm_call_dial(call, way.to, r->plan, &r->cause);
    r->call = call;
    if (r->err != TDM_OK) {
        unlink_call(engine, call);
        tdm_call_free(call);
    }
}

enum tandem_status tandem_dial(struct tandem *engine, const char *to,
                               const struct tandem_media *media, struct tandem_call **call,
                               struct tandem_cause *cause)
{
    struct tdm_media_plan plan;
    struct call_request r = {.text = to, .plan = &plan};

    r.err = tdm_media_plan_of(&plan, media, &r.cause);
    if (r.err == TDM_OK)
        tdm_engine_request(engine, do_dial, &r);
    if (r.err == TDM_OK)
        *call = r.call;
    return finish(&r, cause);
}

enum tandem_status tandem_check(const struct tandem_media *media, struct tandem_cause *cause)
{
    struct tdm_media_plan plan;
    struct call_request r = {.plan = &plan};

    r.err = tdm_media_plan_of(&plan, media, &r.cause);
    if (r.err == TDM_OK)
        r.err = tdm_call_check(&plan, &r.cause);
    return finish(&r, cause);
}

static void do_answer(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_answer(r->call, r->plan, &r->cause);
}

enum tandem_status tandem_answer(struct tandem_call *call, const struct tandem_media *media,
                                 struct tandem_cause *cause)
{
    struct tdm_media_plan plan;
    struct call_request r = {.plan = &plan};

    r.err = tdm_media_plan_of(&plan, media, &r.cause);
    return r.err == TDM_OK ? run(call, do_answer, &r, cause) : finish(&r, cause);
}

static void do_input(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    tdm_call_input(r->call, &r->in);
}

static enum tandem_status input(struct tandem_call *call, struct tdm_call_in in)
{
    struct call_request r = {.in = in};

    return run(call, do_input, &r, NULL);
}

enum tandem_status tandem_reject(struct tandem_call *call, bool busy)
{
    return input(call, (struct tdm_call_in){.kind = TDM_CALL_REJECT, .code = busy ? 486 : 603});
}

enum tandem_status tandem_hangup(struct tandem_call *call)
{
    return input(call, (struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
}

static void do_release(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    tdm_call_input(r->call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
    unlink_call(engine, r->call);
    tdm_call_free(r->call);
}

void tandem_call_release(struct tandem_call *call)
{
    struct call_request r = {.call = call};

    if (call)
        tdm_engine_request(call->engine, do_release, &r);
}

enum tandem_status tandem_hold(struct tandem_call *call, bool on)
{
    return input(call, (struct tdm_call_in){.kind = on ? TDM_CALL_HOLD : TDM_CALL_RESUME});
}

struct channel_wish {
    struct tandem_call *call;
    bool on;
};

static void set_channel(struct tandem *engine, void *arg)
{
    struct channel_wish *wish = arg;

    (void)engine;
    tdm_call_set_channel(wish->call, wish->on);
}

enum tandem_status tandem_set_channel(struct tandem_call *call, bool on)
{
    tdm_engine_request(call->engine, set_channel, &(struct channel_wish){call, on});
    return TANDEM_OK;
}

enum tandem_status tandem_set_video(struct tandem_call *call, bool on)
{
    return input(call, (struct tdm_call_in){.kind = on ? TDM_CALL_MEDIA_ON : TDM_CALL_MEDIA_OFF,
                                            .media = TDM_VIDEO});
}

enum tandem_status tandem_set_audio(struct tandem_call *call, bool on)
{
    return input(call, (struct tdm_call_in){.kind = on ? TDM_CALL_MEDIA_ON : TDM_CALL_MEDIA_OFF,
                                            .media = TDM_AUDIO});
}

static void do_mute(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->call->muted = r->on;
    if (r->call->audio_in)
        tdm_audio_in_mute(r->call->audio_in, r->on);
}

enum tandem_status tandem_mute(struct tandem_call *call, bool on)
{
    struct call_request r = {.on = on};

    return run(call, do_mute, &r, NULL);
}

static void do_camera(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->call->dark = !r->on;
    if (r->call->video_in)
        tdm_video_in_dark(r->call->video_in, !r->on);
}

enum tandem_status tandem_camera(struct tandem_call *call, bool on)
{
    struct call_request r = {.on = on};

    return run(call, do_camera, &r, NULL);
}

static void do_digit(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_digit(r->call, r->digit, r->duration_ms, &r->cause);
}

enum tandem_status tandem_send_digit(struct tandem_call *call, char digit, uint16_t duration_ms,
                                     struct tandem_cause *cause)
{
    struct call_request r = {.digit = digit, .duration_ms = duration_ms};

    if (!digit || !strchr("0123456789*#ABCD", digit) || duration_ms < 40 || duration_ms > 2000) {
        r.err = tdm_fail(&r.cause, TDM_E_MALFORMED,
                         "a digit is one of 0-9, *, #, A-D, for 40 to 2000 ms");
        return finish(&r, cause);
    }
    return run(call, do_digit, &r, cause);
}

static void do_video_source(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_set_video_source(r->call, r->text, &r->cause);
}

enum tandem_status tandem_set_video_source(struct tandem_call *call, const char *spec,
                                           struct tandem_cause *cause)
{
    struct call_request r = {.text = spec};

    return run(call, do_video_source, &r, cause);
}

static void do_video_codecs(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_set_video_codecs(r->call, r->text, r->more, &r->cause);
}

enum tandem_status tandem_set_video_codecs(struct tandem_call *call, const char *codecs,
                                           const char *preset, struct tandem_cause *cause)
{
    struct call_request r = {.text = codecs, .more = preset};

    return run(call, do_video_codecs, &r, cause);
}

static void do_audio_source(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_set_audio_source(r->call, r->text, &r->cause);
}

enum tandem_status tandem_set_audio_source(struct tandem_call *call, const char *spec,
                                           struct tandem_cause *cause)
{
    struct call_request r = {.text = spec};

    return run(call, do_audio_source, &r, cause);
}

static void do_video_sink(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_set_video_sink(r->call, r->text, &r->cause);
}

enum tandem_status tandem_set_video_sink(struct tandem_call *call, const char *spec,
                                         struct tandem_cause *cause)
{
    struct call_request r = {.text = spec};

    return run(call, do_video_sink, &r, cause);
}

static void do_audio_sink(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_set_audio_sink(r->call, r->text, &r->cause);
}

enum tandem_status tandem_set_audio_sink(struct tandem_call *call, const char *spec,
                                         struct tandem_cause *cause)
{
    struct call_request r = {.text = spec};

    return run(call, do_audio_sink, &r, cause);
}

static void do_record(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_record(r->call, r->text, &r->cause);
}

enum tandem_status tandem_record(struct tandem_call *call, const char *path,
                                 struct tandem_cause *cause)
{
    struct call_request r = {.text = path};

    return run(call, do_record, &r, cause);
}

static void do_trust(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_call_path_trust(r->call, &r->cause);
}

enum tandem_status tandem_trust(struct tandem_call *call, struct tandem_cause *cause)
{
    struct call_request r = {.call = NULL};

    return run(call, do_trust, &r, cause);
}

static void do_overlay(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    if (r->call->video_out)
        tdm_video_out_set_overlay(r->call->video_out, r->text);
}

enum tandem_status tandem_set_overlay(struct tandem_call *call, const char *text)
{
    struct call_request r = {.text = text};

    return run(call, do_overlay, &r, NULL);
}

static void do_fullscreen(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    if (r->call->video_out)
        tdm_video_out_set_fullscreen(r->call->video_out, r->on);
}

enum tandem_status tandem_set_fullscreen(struct tandem_call *call, bool on)
{
    struct call_request r = {.on = on};

    return run(call, do_fullscreen, &r, NULL);
}

static void do_stats(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    tdm_call_stats_of(r->call, r->stats);
}

enum tandem_status tandem_call_stats(struct tandem_call *call, struct tandem_stats *stats)
{
    struct call_request r = {.stats = stats};

    return run(call, do_stats, &r, NULL);
}

char *tandem_call_report(struct tandem_call *call)
{
    struct tandem_stats stats;

    if (tandem_call_stats(call, &stats) != TANDEM_OK)
        return NULL;
    return tdm_report_json(&stats);
}

static void do_trace(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = tdm_latency_write_trace(&r->call->latency, r->text, &r->cause);
}

enum tandem_status tandem_call_write_trace(struct tandem_call *call, const char *path,
                                           struct tandem_cause *cause)
{
    struct call_request r = {.text = path};

    return run(call, do_trace, &r, cause);
}

static void do_snapshot(struct tandem *engine, void *arg)
{
    struct call_request *r = arg;

    (void)engine;
    r->err = r->call->video_out ? tdm_video_out_snapshot(r->call->video_out, r->text, &r->cause)
                                : tdm_fail(&r->cause, TDM_E_GONE, "no picture is being received");
}

enum tandem_status tandem_call_snapshot(struct tandem_call *call, const char *path,
                                        struct tandem_cause *cause)
{
    struct call_request r = {.text = path};

    return run(call, do_snapshot, &r, cause);
}

void tandem_free(void *memory)
{
    free(memory);
}

/* SPDX-License-Identifier: MIT */
#include "engine/account.h"
#include "engine/engine.h"

#include "engine/chat.h"
#include "engine/presence.h"

#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/whip.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX 65536

enum tandem_status tdm_engine_status(enum tdm_err err)
{
    switch (err) {
    case TDM_OK:
        return TANDEM_OK;
    case TDM_E_AGAIN:
        return TANDEM_AGAIN;
    case TDM_E_MALFORMED:
        return TANDEM_INVALID;
    case TDM_E_UNSUPPORTED:
        return TANDEM_UNSUPPORTED;
    default:
        return TANDEM_FAILED;
    }
}

void tdm_engine_tell(struct tandem *engine, struct tandem_call *call, enum tandem_event_kind kind,
                     int value, const char *format, ...)
{
    struct tandem_event event = {.kind = kind, .call = call, .value = value};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(event.text, sizeof event.text, format, args);
    va_end(args);
    /* A program that does not look may miss much, but not that a call ended. */
    if (kind != TANDEM_EVENT_ENDED &&
        tdm_ring_count(&engine->events) >= TDM_ENGINE_EVENTS - TDM_ENGINE_CALLS_MAX)
        return;
    if (tdm_ring_push(&engine->events, &event) == TDM_OK)
        tdm_wake_signal(engine->event_fd);
}

void tdm_engine_request(struct tandem *engine, void (*run)(struct tandem *engine, void *arg),
                        void *arg)
{
    struct tdm_request request = {.run = run, .arg = arg};
    struct tdm_request **last;

    (void)pthread_mutex_lock(&engine->lock);
    for (last = &engine->requests; *last; last = &(*last)->next)
        ;
    *last = &request;
    tdm_wake_signal(engine->wake);
    while (!request.done)
        (void)pthread_cond_wait(&engine->request_done, &engine->lock);
    (void)pthread_mutex_unlock(&engine->lock);
}

static void run_requests(struct tandem *engine)
{
    for (;;) {
        (void)pthread_mutex_lock(&engine->lock);
        struct tdm_request *request = engine->requests;

        if (request)
            engine->requests = request->next;
        (void)pthread_mutex_unlock(&engine->lock);
        if (!request)
            return;
        request->run(engine, request->arg);
        (void)pthread_mutex_lock(&engine->lock);
        request->done = true;
        (void)pthread_cond_broadcast(&engine->request_done);
        (void)pthread_mutex_unlock(&engine->lock);
    }
}

enum tdm_err tdm_engine_open_sig(struct tandem *engine, struct tdm_cause *cause)
{
    const struct tdm_sig_config config = {
        .bind_address = engine->config.bind_address,
        .port = engine->config.sip_port,
        .port_may_change = engine->config.sip_port_may_change,
        .user = engine->config.user,
        .display_name = engine->config.display_name,
        .user_agent = "Tandem",
        .no_messages = !engine->config.chat, /* Nobody would read them. */
        .may_be_asked_back = engine->config.may_be_asked_back,
        .presence = engine->config.presence != NULL,
        .identity = engine->config.listen_tls ? engine->config.identity_path : NULL,
        .ca_file = engine->config.ca_file,
    };

    return engine->sig ? TDM_OK : engine->sig_ops->open(&engine->sig, &config, cause);
}

/* HTTPS needs both. The file's text, to be freed; NULL with a cause. */
static char *read_pem(const char *path, struct tdm_cause *cause)
{
    char *text = calloc(1, PEM_MAX);
    FILE *file = fopen(path, "rb");
    size_t size = text && file ? fread(text, 1, PEM_MAX - 1, file) : 0;

    if (file)
        (void)fclose(file);
    if (size)
        return text;
    free(text);
    (void)tdm_fail(cause, TDM_E_SYSTEM, "cannot read %s: name a PEM file that is yours", path);
    return NULL;
}

static enum tdm_err open_web(struct tandem *engine, struct tdm_cause *cause)
{
    const struct tandem_config *c = &engine->config;
    bool secure = c->web_certificate && c->web_key;
    char *certificate = secure ? read_pem(c->web_certificate, cause) : NULL;
    char *key = certificate ? read_pem(c->web_key, cause) : NULL;
    const struct tdm_sig_config config = {
        .bind_address = c->web_address,
        .port = c->web_port,
        .port_may_change = c->web_port_may_change,
        .calls_max = TDM_ENGINE_CALLS_MAX,
        .token = c->web_token,
        .certificate = certificate,
        .key = key,
    };
    enum tdm_err err =
        secure && !key ? TDM_E_SYSTEM : tdm_sig_whip.open(&engine->web, &config, cause);

    free(certificate);
    free(key);
    if (err != TDM_OK)
        return err;
    engine->signals = tdm_wake_join(tdm_sig_whip.fd(engine->web),
                                    engine->sig ? engine->sig_ops->fd(engine->sig) : -1, cause);
    return engine->signals >= 0 ? TDM_OK : TDM_E_SYSTEM;
}

static struct tandem_call *call_of(struct tandem *engine, tdm_sig_id id, bool web)
{
    struct tandem_call *call = engine->calls;

    while (call && (call->machine.id != id || call->web != web))
        call = call->next;
    return call;
}

/* The call that asked to be called by this invitation; NULL: it is a new one. */
static struct tandem_call *expecting(struct tandem *engine, const struct tdm_sig_event *event)
{
    struct tandem_call *call = engine->calls;

    while (call && (call->web || !tdm_call_expects(&call->machine, event)))
        call = call->next;
    return call;
}

static void invite(struct tandem *engine, const struct tdm_sig_event *event, bool web)
{
    struct tandem_call *call =
        engine->call_count < TDM_ENGINE_CALLS_MAX ? tdm_call_create(engine) : NULL;

    if (!call) {
        (void)(web ? tdm_sig_whip.reject(engine->web, event->id, 486)
                   : engine->sig_ops->reject(engine->sig, event->id, 486));
        return;
    }
    call->web = web;
    call->next = engine->calls;
    engine->calls = call;
    engine->call_count++;
    if (engine->config.ring_seconds)
        call->machine.no_answer_after = engine->config.ring_seconds * TDM_S;
    tdm_call_invited(call, event);
}

static void take_sig_event(struct tandem *engine, const struct tdm_sig_event *event, bool web)
{
    struct tandem_call *call = event->id ? call_of(engine, event->id, web) : NULL;

    if (!web && event->kind == TDM_SIG_CALL_IN)
        call = expecting(engine, event);
    if (!web && engine->config.presence &&
        tdm_presence_take(engine->config.presence, engine, event))
        return;
    if (!web && tdm_directory_take(engine, event))
        return;
    if (event->kind == TDM_SIG_REGISTRATION)
        tdm_engine_account_event(engine, event);
    else if (event->kind == TDM_SIG_BACKEND_FAILED)
        tdm_engine_tell(engine, NULL, TANDEM_EVENT_NOTICE, 0, "%s", event->reason);
    else if (!call && (event->kind == TDM_SIG_CALL_IN || event->kind == TDM_SIG_INVITED_BACK))
        invite(engine, event, web);
    else if (event->kind == TDM_SIG_MESSAGE_IN && engine->config.chat)
        tdm_chat_sip_in(engine->config.chat, event);
    else if (call && event->kind == TDM_SIG_CANDIDATES)
        tdm_call_path_candidates(call, (const char *)event->body, event->body_size);
    else if (call)
        tdm_call_signalled(call, event);
    else if (engine->config.chat &&
             (event->kind == TDM_SIG_MESSAGE_DONE || event->kind == TDM_SIG_FAILED))
        tdm_chat_sip_done(engine->config.chat, event);
}

static void take_sig_events(struct tandem *engine)
{
    struct tdm_sig_event event;

    while (engine->sig && engine->sig_ops->next(engine->sig, &event) == TDM_OK)
        take_sig_event(engine, &event, false);
    while (engine->web && tdm_sig_whip.next(engine->web, &event) == TDM_OK)
        take_sig_event(engine, &event, true);
}

static tdm_time run_calls(struct tandem *engine)
{
    tdm_time wake = TDM_NEVER;
    tdm_time now = tdm_clock_now();

    for (struct tandem_call *call = engine->calls; call; call = call->next) {
        tdm_call_run(call, now);
        wake = tdm_time_min(wake, tdm_call_wake(call));
    }
    return wake;
}

static void *control(void *arg)
{
    struct tandem *engine = arg;

    while (!engine->stopping) {
        tdm_time until = run_calls(engine);

        if (engine->config.chat)
            until = tdm_time_min(until, tdm_chat_run(engine->config.chat, engine, tdm_clock_now()));
        if (engine->config.presence)
            until = tdm_time_min(
                until, tdm_presence_run(engine->config.presence, engine, tdm_clock_now()));
        int sig_fd = engine->sig ? engine->sig_ops->fd(engine->sig) : -1;

        (void)tdm_wait_until(until, engine->wake, engine->web ? engine->signals : sig_fd);
        tdm_wake_clear(engine->wake);
        run_requests(engine);
        take_sig_events(engine);
    }
    return NULL;
}

/* Shutdown order: each call says good-bye through signalling and takes its graph down; then the
 * backend, which waits for its last messages; then this thread. */
static void stop_all(struct tandem *engine, void *arg)
{
    (void)arg;
    for (struct tandem_call *call = engine->calls; call; call = call->next) {
        tdm_call_input(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
        tdm_call_close_media(call);
    }
    if (engine->config.presence)
        tdm_presence_stop(engine->config.presence, engine);
    if (engine->sig)
        engine->sig_ops->close(engine->sig);
    engine->sig = NULL;
    if (engine->web)
        tdm_sig_whip.close(engine->web);
    engine->web = NULL;
    while (engine->calls) {
        struct tandem_call *call = engine->calls;

        engine->calls = call->next;
        tdm_call_free(call);
    }
    engine->stopping = true;
}

static void stop_engine(struct tandem *engine)
{
    tdm_engine_request(engine, stop_all, NULL);
    tdm_wake_signal(engine->wake);
    (void)pthread_join(engine->thread, NULL);
}

static const char *keep_text(char *to, size_t capacity, const char *from)
{
    if (!from)
        return NULL;
    (void)snprintf(to, capacity, "%s", from);
    return to;
}

struct open_request {
    struct tdm_cause cause;
    enum tdm_err err;
};

static void open_sig(struct tandem *engine, void *arg)
{
    struct open_request *request = arg;

    request->err = tdm_engine_open_sig(engine, &request->cause);
    if (request->err == TDM_OK && engine->config.web)
        request->err = open_web(engine, &request->cause);
}

static enum tdm_err start(struct tandem *engine, struct tdm_cause *cause)
{
    struct open_request request = {.err = TDM_OK};
    enum tdm_err err;

    engine->wake = tdm_wake_open(cause);
    engine->event_fd = tdm_wake_open(cause);
    if (engine->wake < 0 || engine->event_fd < 0)
        return TDM_E_SYSTEM;
    err = tdm_reach_open(&engine->reach, &engine->config, engine->wake, cause);
    if (err != TDM_OK)
        return err;
    err = tdm_thread_start(&engine->thread, "tdm-control", TDM_PRIORITY_NORMAL, control, engine,
                           NULL, cause);
    if (err != TDM_OK)
        return err;
    engine->started = true;
    if (engine->config.listen || engine->config.web)
        tdm_engine_request(engine, open_sig, &request);
    if (request.err != TDM_OK && cause)
        *cause = request.cause;
    return request.err;
}

static void free_engine(struct tandem *engine)
{
    if (engine->wake >= 0)
        (void)close(engine->wake);
    if (engine->event_fd >= 0)
        (void)close(engine->event_fd);
    if (engine->signals >= 0)
        (void)close(engine->signals);
    tdm_reach_close(&engine->reach);
    (void)pthread_mutex_destroy(&engine->lock);
    (void)pthread_cond_destroy(&engine->request_done);
    free(engine);
}

static enum tandem_status give_cause(enum tdm_err err, const struct tdm_cause *from,
                                     struct tandem_cause *to)
{
    if (to && err != TDM_OK)
        (void)snprintf(to->text, sizeof to->text, "%s", from->text);
    return tdm_engine_status(err);
}

enum tandem_status tandem_create(const struct tandem_config *config, struct tandem **out,
                                 struct tandem_cause *cause)
{
    static const struct tandem_config defaults = {.sip_port_may_change = true};
    struct tandem *engine = calloc(1, sizeof *engine);
    struct tdm_cause why = {""};

    if (!engine)
        return give_cause(tdm_fail(&why, TDM_E_SYSTEM, "out of memory for an engine"), &why, cause);
    engine->config = config ? *config : defaults;
    engine->silence_notice = TDM_SILENCE_NOTICE;
    engine->silence_end = TDM_SILENCE_END;
    engine->config.bind_address =
        keep_text(engine->bind_address, sizeof engine->bind_address, engine->config.bind_address);
    engine->config.user = keep_text(engine->user, sizeof engine->user, engine->config.user);
    engine->config.display_name =
        keep_text(engine->display_name, sizeof engine->display_name, engine->config.display_name);
    engine->config.web_address =
        keep_text(engine->web_address, sizeof engine->web_address, engine->config.web_address);
    engine->config.web_token =
        keep_text(engine->web_token, sizeof engine->web_token, engine->config.web_token);
    engine->config.service =
        keep_text(engine->service, sizeof engine->service, engine->config.service);
    engine->config.callback =
        keep_text(engine->callback, sizeof engine->callback, engine->config.callback);
    engine->config.identity_path = keep_text(engine->identity_path, sizeof engine->identity_path,
                                             engine->config.identity_path);
    engine->config.ca_file =
        keep_text(engine->ca_file, sizeof engine->ca_file, engine->config.ca_file);
    engine->sig_ops = &tdm_sig_libre;
    engine->wake = engine->event_fd = engine->signals = -1;
    (void)pthread_mutex_init(&engine->lock, NULL);
    (void)pthread_cond_init(&engine->request_done, NULL);
    tdm_ring_init(&engine->events, engine->event_slots, sizeof *engine->event_slots,
                  TDM_ENGINE_EVENTS);
    enum tdm_err err = start(engine, &why);

    if (err == TDM_OK)
        *out = engine;
    else
        tandem_destroy(engine);
    return give_cause(err, &why, cause);
}

void tandem_destroy(struct tandem *engine)
{
    if (!engine)
        return;
    if (engine->started)
        stop_engine(engine);
    free_engine(engine);
}

uint16_t tandem_port(struct tandem *engine)
{
    return engine->sig ? engine->sig_ops->port(engine->sig) : 0;
}

uint16_t tandem_web_port(struct tandem *engine)
{
    return engine->web ? tdm_sig_whip.port(engine->web) : 0;
}

int tandem_event_fd(struct tandem *engine)
{
    return engine->event_fd;
}

enum tandem_status tandem_next_event(struct tandem *engine, struct tandem_event *event)
{
    (void)pthread_mutex_lock(&engine->lock);
    enum tdm_err err = tdm_ring_pop(&engine->events, event);

    if (err != TDM_OK) {
        tdm_wake_clear(engine->event_fd);
        err = tdm_ring_pop(&engine->events, event); /* One may have come before the clear. */
        if (err == TDM_OK)
            tdm_wake_signal(engine->event_fd);
    }
    (void)pthread_mutex_unlock(&engine->lock);
    return tdm_engine_status(err);
}

enum tandem_status tandem_wait_event(struct tandem *engine, int timeout_ms,
                                     struct tandem_event *event)
{
    tdm_time until = timeout_ms < 0 ? TDM_NEVER : tdm_clock_now() + timeout_ms * TDM_MS;
    enum tandem_status status;

    while ((status = tandem_next_event(engine, event)) == TANDEM_AGAIN)
        if (tdm_wait_until(until, engine->event_fd, -1) == TDM_WAIT_TIME)
            return TANDEM_AGAIN;
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "signalling/sig_memory.h"

#include "engine/base/rng.h"
#include "signalling/sig_queue.h"
#include "signalling/sip_uri.h"
#include "signalling/sip_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3261 section 17.1.1.1. */
#define T1            (500 * TDM_MS)
#define T2            (4 * TDM_S)
#define TIMEOUT       (64 * T1)
#define REMEMBER      (70 * TDM_S) /* A call that is over still answers what comes late. */
#define THINK         (20 * TDM_S) /* A REFER is answered by then, whatever the user does. */
#define ENDPOINTS_MAX 16
#define CALLS_MAX     32
#define FLIGHT_MAX    4096

enum method { INVITE, ACK, CANCEL, BYE, INFO, OPTIONS, MESSAGE, REFER };

/* One message on its way. A response has a code and its request's method and sequence. */
struct message {
    struct message *next;
    tdm_time due;
    uint32_t from, to; /* Endpoint indexes. */
    uint64_t call;     /* Unique on the wire, as a Call-ID is. */
    enum method method;
    uint32_t seq;
    uint16_t code; /* 0: a request. */
    char digit;
    uint16_t duration_ms;
    char name[64];                    /* Of who asks. */
    uint32_t service;                 /* Index + 1 of the endpoint it goes through; 0: straight. */
    bool relayed;                     /* By the service, already. */
    char target[TDM_SIG_ADDRESS_MAX]; /* REFER: whom to call; INVITE: who is called, when it is such
                                         a target. */
    char content_type[64];            /* MESSAGE */
    uint32_t size;
    uint8_t body[];
};

/* A message that is sent again until something stops it. */
struct repeat {
    struct message *message; /* NULL: not running. */
    tdm_time next, interval, deadline;
    bool capped; /* Interval stops growing at T2. */
};

enum phase { INVITING, RINGING, ACCEPTED, UP, LEAVING, GONE };

struct call {
    bool used, over, outgoing, provisional, bye_due;
    tdm_sig_id id;
    enum phase phase;
    uint64_t token;
    uint32_t peer;
    uint32_t seq;         /* Of our last request. */
    struct repeat invite; /* Our INVITE or re-INVITE. */
    bool inviting;        /* It has no final response yet. */
    uint32_t invite_seq;
    tdm_time invite_deadline; /* Once cancelled. */
    struct repeat request;    /* Our CANCEL, BYE, INFO, OPTIONS, MESSAGE or REFER. */
    struct repeat final;      /* Our final response to their INVITE, until the ACK. */
    uint32_t their_seq;       /* Of their last INVITE. */
    uint16_t their_code;      /* What we answered it last; 0 = nothing final. */
    bool their_pending;       /* It waits for our answer. */
    bool their_offerless;
    uint32_t info_seq; /* Of their last INFO. */
    uint32_t service;  /* As in the messages. */
    char target[TDM_SIG_ADDRESS_MAX];
    bool asked; /* Their REFER, not a call. */
    tdm_time answer_by;
    bool acked;
    uint32_t ack_seq;
    tdm_time forget_at;
};

struct tdm_sig {
    struct tdm_sig_wire *wire;
    uint32_t index;
    char name[64];
    uint32_t calls_max;
    bool may_be_asked_back;
    bool closed;     /* Hears only those whom it talked to... */
    uint32_t talked; /* ... by their indexes. */
    struct tdm_sig_queue queue;
    tdm_sig_id last_id;
    struct call calls[CALLS_MAX];
};

struct tdm_sig_wire {
    struct tdm_sig_wire_config config;
    struct tdm_rng rng;
    tdm_time now;
    uint64_t last_token;
    uint32_t in_flight;
    struct message *flight; /* Sorted by due time. */
    struct tdm_sig *endpoints[ENDPOINTS_MAX];
    struct tdm_sig_wire_stats stats;
};

/* --- The wire --------------------------------------------------------------------------------- */

static struct message *copy_of(const struct message *message)
{
    struct message *copy = malloc(sizeof *copy + message->size);

    if (copy)
        memcpy(copy, message, sizeof *message + message->size);
    return copy;
}

static void put_in_flight(struct tdm_sig_wire *wire, const struct message *message)
{
    struct message **at = &wire->flight;
    uint32_t spread = (uint32_t)((wire->config.delay_max - wire->config.delay_min) / TDM_US);
    struct message *copy = wire->in_flight < FLIGHT_MAX ? copy_of(message) : NULL;

    if (!copy)
        return;
    copy->due = wire->now + wire->config.delay_min +
                (tdm_time)tdm_rng_below(&wire->rng, spread + 1) * TDM_US;
    while (*at && (*at)->due <= copy->due)
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
    wire->in_flight++;
}

/* Where a message comes from and goes to, on the stretch that it is on. */
static uint32_t hop_from(const struct message *m)
{
    return m->service && m->relayed ? m->service - 1 : m->from;
}

static uint32_t hop_to(const struct message *m)
{
    return m->service && !m->relayed ? m->service - 1 : m->to;
}

static void transmit(struct tdm_sig_wire *wire, const struct message *message)
{
    struct tdm_sig *sender = wire->endpoints[hop_from(message)];

    if (sender)
        sender->talked |= UINT32_C(1) << hop_to(message);
    wire->stats.sent++;
    if (tdm_rng_chance(&wire->rng, wire->config.loss)) {
        wire->stats.lost++;
        return;
    }
    put_in_flight(wire, message);
    if (tdm_rng_chance(&wire->rng, wire->config.duplicate)) {
        wire->stats.duplicated++;
        put_in_flight(wire, message);
    }
}

/* --- Repeating -------------------------------------------------------------------------------- */

static void repeat_stop(struct repeat *repeat)
{
    free(repeat->message);
    repeat->message = NULL;
}

static void repeat_start(struct tdm_sig_wire *wire, struct repeat *repeat,
                         const struct message *message, bool capped)
{
    repeat_stop(repeat);
    transmit(wire, message);
    repeat->message = copy_of(message);
    repeat->interval = T1;
    repeat->next = wire->now + T1;
    repeat->deadline = wire->now + TIMEOUT;
    repeat->capped = capped;
}

/* True when it has just run out. */
static bool repeat_step(struct tdm_sig_wire *wire, struct repeat *repeat)
{
    if (!repeat->message)
        return false;
    if (wire->now >= repeat->deadline) {
        repeat_stop(repeat);
        return true;
    }
    if (wire->now >= repeat->next) {
        transmit(wire, repeat->message);
        repeat->interval *= 2;
        if (repeat->capped)
            repeat->interval = tdm_time_min(repeat->interval, T2);
        repeat->next = wire->now + repeat->interval;
    }
    return false;
}

static tdm_time repeat_wake(const struct repeat *repeat)
{
    return repeat->message ? tdm_time_min(repeat->next, repeat->deadline) : TDM_NEVER;
}

/* --- Calls ------------------------------------------------------------------------------------ */

static struct message *message_new(const struct call *call, uint32_t from, enum method method,
                                   uint32_t seq, uint16_t code, const struct tdm_sig_body *body)
{
    size_t size = body ? body->size : 0;
    struct message *message = calloc(1, sizeof *message + size);

    if (!message)
        abort(); /* A simulation that has no memory cannot go on. */
    message->from = from;
    message->to = call->peer;
    message->call = call->token;
    message->method = method;
    message->seq = seq;
    message->code = code;
    message->service = call->service;
    memcpy(message->target, call->target, sizeof message->target);
    message->size = (uint32_t)size;
    if (body && body->content_type)
        (void)snprintf(message->content_type, sizeof message->content_type, "%s",
                       body->content_type);
    if (size)
        memcpy(message->body, body->data, size);
    return message;
}

static void send_once(struct tdm_sig *sig, const struct call *call, enum method method,
                      uint32_t seq, uint16_t code, const struct tdm_sig_body *body)
{
    struct message *message = message_new(call, sig->index, method, seq, code, body);

    transmit(sig->wire, message);
    free(message);
}

static void send_repeating(struct tdm_sig *sig, struct call *call, struct repeat *repeat,
                           enum method method, uint32_t seq, uint16_t code,
                           const struct tdm_sig_body *body)
{
    struct message *message = message_new(call, sig->index, method, seq, code, body);

    (void)snprintf(message->name, sizeof message->name, "%s", sig->name);
    repeat_start(sig->wire, repeat, message, method != INVITE || code);
    free(message);
}

static void emit(struct tdm_sig *sig, const struct call *call, enum tdm_sig_kind kind,
                 uint16_t code, const char *reason, const struct message *message)
{
    struct tdm_sig_event event;

    memset(&event, 0, offsetof(struct tdm_sig_event, body));
    event.kind = kind;
    event.id = call->id;
    event.code = code;
    (void)snprintf(event.reason, sizeof event.reason, "%s", reason ? reason : "");
    if (message) {
        event.body_size = message->size;
        memcpy(event.body, message->body, message->size);
        event.digit = message->digit;
        event.duration_ms = message->duration_ms;
    }
    if (message &&
        (kind == TDM_SIG_CALL_IN || kind == TDM_SIG_MESSAGE_IN || kind == TDM_SIG_INVITED_BACK)) {
        (void)snprintf(event.from, sizeof event.from, "sip:%s", message->name);
        (void)snprintf(event.to, sizeof event.to, "sip:%s", sig->name);
        if (message->target[0])
            memcpy(event.to, message->target, sizeof event.to);
        memcpy(event.content_type, message->content_type, sizeof event.content_type);
        (void)snprintf(event.peer_address, sizeof event.peer_address, "127.0.0.1");
    }
    (void)tdm_sig_queue_push(&sig->queue, &event);
}

static void emit_end(struct tdm_sig *sig, struct call *call, enum tdm_sig_kind kind, uint16_t code,
                     const char *reason)
{
    if (!call->over)
        emit(sig, call, kind, code, reason, NULL);
    call->over = true;
}

static void stop_all(struct call *call)
{
    repeat_stop(&call->invite);
    repeat_stop(&call->request);
    repeat_stop(&call->final);
    call->inviting = false;
}

static void go(struct tdm_sig *sig, struct call *call)
{
    struct repeat final = call->final; /* A refusal is still repeated until its ACK. */

    call->final.message = NULL;
    stop_all(call);
    call->final = final;
    call->over = true;
    call->phase = GONE;
    call->forget_at = sig->wire->now + REMEMBER;
}

static struct call *call_new(struct tdm_sig *sig, enum phase phase, uint64_t token, uint32_t peer)
{
    uint32_t alive = 0;
    struct call *free_call = NULL;

    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        alive += sig->calls[i].used && !sig->calls[i].over;
        if (!sig->calls[i].used && !free_call)
            free_call = &sig->calls[i];
    }
    if (!free_call || alive >= sig->calls_max)
        return NULL;
    memset(free_call, 0, sizeof *free_call);
    free_call->used = true;
    free_call->id = ++sig->last_id;
    free_call->phase = phase;
    free_call->token = token;
    free_call->peer = peer;
    return free_call;
}

static struct call *call_by_id(struct tdm_sig *sig, tdm_sig_id id)
{
    for (uint32_t i = 0; i < CALLS_MAX; i++)
        if (sig->calls[i].used && sig->calls[i].id == id && !sig->calls[i].over)
            return &sig->calls[i];
    return NULL;
}

static struct call *call_by_token(struct tdm_sig *sig, uint64_t token)
{
    for (uint32_t i = 0; i < CALLS_MAX; i++)
        if (sig->calls[i].used && sig->calls[i].token == token)
            return &sig->calls[i];
    return NULL;
}

static void say_bye(struct tdm_sig *sig, struct call *call)
{
    stop_all(call);
    call->phase = LEAVING;
    send_repeating(sig, call, &call->request, BYE, ++call->seq, 0, NULL);
}

static void say_cancel(struct tdm_sig *sig, struct call *call)
{
    call->invite_deadline = sig->wire->now + TIMEOUT;
    send_repeating(sig, call, &call->request, CANCEL, call->invite_seq, 0, NULL);
}

/* Final answer to their INVITE or re-INVITE, repeated until the ACK. */
static void answer_invite(struct tdm_sig *sig, struct call *call, uint16_t code,
                          const struct tdm_sig_body *body)
{
    call->their_pending = false;
    call->their_code = code;
    send_repeating(sig, call, &call->final, INVITE, call->their_seq, code, body);
}

/* What becomes of their REFER. */
static void answer_asked(struct tdm_sig *sig, struct call *call, uint16_t code)
{
    if (!call->their_code)
        send_once(sig, call, REFER, call->their_seq, code, NULL);
    call->their_code = code;
}

static void leave(struct tdm_sig *sig, struct call *call, uint16_t code)
{
    if (call->asked && call->phase == RINGING) {
        answer_asked(sig, call, code);
        go(sig, call);
        return;
    }
    switch (call->phase) {
    case INVITING:
        call->phase = LEAVING;
        if (call->provisional)
            say_cancel(sig, call);
        break;
    case RINGING:
        answer_invite(sig, call, code, NULL);
        go(sig, call);
        break;
    case ACCEPTED:
        call->bye_due = true;
        break;
    case UP:
        say_bye(sig, call);
        break;
    default:
        if (call->request.message && call->request.message->method == REFER)
            go(sig, call);
        break;
    }
}

/* --- Responses -------------------------------------------------------------------------------- */

static void send_ack(struct tdm_sig *sig, struct call *call, uint32_t seq)
{
    send_once(sig, call, ACK, seq, 0, NULL);
}

static void final_to_invite(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    bool up = call->phase == UP;

    repeat_stop(&call->invite);
    call->inviting = false;
    send_ack(sig, call, m->seq);
    if (m->code < 300) {
        call->acked = true;
        call->ack_seq = m->seq;
    }
    if (call->phase == LEAVING && m->code < 300) {
        say_bye(sig, call);
    } else if (call->phase == LEAVING) {
        go(sig, call);
    } else if (up && m->code < 300) {
        emit(sig, call, TDM_SIG_ANSWER, m->code, NULL, m);
    } else if (up) {
        emit(sig, call, TDM_SIG_OFFER_REFUSED, m->code, tdm_sip_words(m->code), NULL);
    } else if (m->code < 300) {
        call->phase = UP;
        emit(sig, call, TDM_SIG_ACCEPTED, m->code, NULL, m);
    } else {
        emit_end(sig, call, TDM_SIG_REFUSED, m->code, tdm_sip_words(m->code));
        go(sig, call);
    }
}

static void on_response(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    if (m->method == INVITE && call->inviting && m->seq == call->invite_seq) {
        if (m->code >= 200) {
            final_to_invite(sig, call, m);
            return;
        }
        repeat_stop(&call->invite);
        if (!call->provisional && call->phase == LEAVING)
            say_cancel(sig, call);
        call->provisional = true;
        if (m->code > 100 && call->phase == INVITING)
            emit(sig, call, TDM_SIG_RINGING, m->code, NULL, m);
    } else if (m->method == INVITE &&
               (m->code >= 300 || (m->code >= 200 && call->acked && m->seq == call->ack_seq))) {
        send_ack(sig, call, m->seq); /* Ours was lost. */
    } else if (call->request.message && call->request.message->method == m->method &&
               call->request.message->seq == m->seq) {
        repeat_stop(&call->request);
        if (m->method == BYE)
            go(sig, call);
        if (m->method == OPTIONS) {
            emit(sig, call, TDM_SIG_OPTIONS_ANSWERED, m->code, "memory", NULL);
            go(sig, call);
        }
        if (m->method == MESSAGE) {
            emit(sig, call, TDM_SIG_MESSAGE_DONE, m->code,
                 m->code < 300 ? NULL : tdm_sip_words(m->code), NULL);
            go(sig, call);
        }
        if (m->method == REFER) {
            if (m->code < 300)
                emit(sig, call, TDM_SIG_BACK_AGREED, m->code, NULL, NULL);
            else
                emit_end(sig, call, TDM_SIG_REFUSED, m->code, tdm_sip_words(m->code));
            go(sig, call);
        }
    }
}

/* --- Requests --------------------------------------------------------------------------------- */

static void new_invite(struct tdm_sig *sig, const struct message *m)
{
    struct call *call = call_new(sig, RINGING, m->call, m->from);
    struct call stranger = {.token = m->call, .peer = m->from, .service = m->service};

    if (!call) {
        send_once(sig, &stranger, INVITE, m->seq, 486, NULL);
        return;
    }
    call->their_seq = m->seq;
    call->their_pending = true;
    call->their_offerless = m->size == 0;
    send_once(sig, call, INVITE, m->seq, 100, NULL);
    emit(sig, call, TDM_SIG_CALL_IN, 0, NULL, m);
}

/* MESSAGE and REFER: known again when they come again. */
static void new_asking(struct tdm_sig *sig, const struct message *m)
{
    struct call stranger = {.token = m->call, .peer = m->from, .service = m->service};
    bool message = m->method == MESSAGE;
    struct call *call =
        message || sig->may_be_asked_back ? call_new(sig, RINGING, m->call, m->from) : NULL;

    if (!call) {
        send_once(sig, &stranger, m->method, m->seq, message ? 503 : 405, NULL);
        return;
    }
    call->their_seq = m->seq;
    call->service = m->service;
    if (message) {
        send_once(sig, call, MESSAGE, m->seq, 200, NULL);
        emit(sig, call, TDM_SIG_MESSAGE_IN, 0, NULL, m);
        go(sig, call);
        return;
    }
    call->asked = true;
    call->answer_by = sig->wire->now + THINK;
    emit(sig, call, TDM_SIG_INVITED_BACK, 0, NULL, m);
}

static void on_invite(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    if (m->seq == call->their_seq) { /* Again: the answer so far, again. */
        if (call->their_pending)
            send_once(sig, call, INVITE, m->seq, 100, NULL);
        else if (call->final.message)
            transmit(sig->wire, call->final.message);
        return;
    }
    if (m->seq < call->their_seq || call->phase == GONE)
        return;
    if (call->phase != UP || call->over) {
        send_once(sig, call, INVITE, m->seq, call->over ? 481 : 500, NULL);
        return;
    }
    call->their_seq = m->seq;
    if (call->inviting || call->their_pending) {
        answer_invite(sig, call, call->inviting ? 491 : 500, NULL);
        return;
    }
    call->their_pending = true;
    call->their_code = 0;
    call->their_offerless = m->size == 0;
    repeat_stop(&call->final);
    send_once(sig, call, INVITE, m->seq, 100, NULL);
    emit(sig, call, TDM_SIG_OFFER, 0, NULL, m);
}

static void on_ack(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    if (!call->final.message || m->seq != call->final.message->seq)
        return;
    repeat_stop(&call->final);
    if (call->phase == ACCEPTED) {
        call->phase = UP;
        if (call->bye_due)
            say_bye(sig, call);
        else
            emit(sig, call, TDM_SIG_CONFIRMED, 0, NULL, m);
    } else if (call->phase == UP && call->their_code == 200 && call->their_offerless) {
        emit(sig, call, TDM_SIG_ANSWER, 0, NULL, m);
    }
}

static void on_cancel(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    send_once(sig, call, CANCEL, m->seq, 200, NULL);
    if (call->phase != RINGING)
        return;
    emit_end(sig, call, TDM_SIG_ENDED, 0, "the caller gave up");
    answer_invite(sig, call, 487, NULL);
    go(sig, call);
}

static void on_bye(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    send_once(sig, call, BYE, m->seq, 200, NULL);
    if (call->phase == GONE)
        return;
    emit_end(sig, call, TDM_SIG_ENDED, 0, "the other side hung up");
    repeat_stop(&call->final);
    go(sig, call);
}

static void on_request(struct tdm_sig *sig, struct call *call, const struct message *m)
{
    switch (m->method) {
    case INVITE:
        on_invite(sig, call, m);
        break;
    case ACK:
        on_ack(sig, call, m);
        break;
    case CANCEL:
        on_cancel(sig, call, m);
        break;
    case BYE:
        on_bye(sig, call, m);
        break;
    case REFER: /* Again: the answer so far, again. */
        if (call->their_code)
            send_once(sig, call, REFER, m->seq, call->their_code, NULL);
        break;
    default:
        send_once(sig, call, m->method, m->seq, 200, NULL);
        if (m->method == INFO && !call->over && m->seq > call->info_seq) {
            call->info_seq = m->seq;
            emit(sig, call, TDM_SIG_DTMF_INFO, 0, NULL, m);
        }
    }
}

static void relay(struct tdm_sig_wire *wire, const struct message *m)
{
    struct message *next = copy_of(m);

    if (!next)
        return;
    next->relayed = true;
    transmit(wire, next);
    free(next);
}

static void deliver(struct tdm_sig_wire *wire, const struct message *m)
{
    struct tdm_sig *sig = wire->endpoints[hop_to(m)];
    struct call *call = sig ? call_by_token(sig, m->call) : NULL;
    struct call stranger = {.token = m->call, .peer = m->from, .service = m->service};

    if (!sig || (sig->closed && !(sig->talked >> hop_from(m) & 1)))
        return;
    wire->stats.delivered++;
    if (m->service && !m->relayed) {
        relay(wire, m);
        return;
    }
    if (call && m->code)
        on_response(sig, call, m);
    else if (call)
        on_request(sig, call, m);
    else if (!m->code && m->method == INVITE)
        new_invite(sig, m);
    else if (!m->code && (m->method == MESSAGE || m->method == REFER))
        new_asking(sig, m);
    else if (!m->code && m->method != ACK)
        send_once(sig, &stranger, m->method, m->seq, m->method == OPTIONS ? 200 : 481, NULL);
}

/* --- Time ------------------------------------------------------------------------------------- */

static void invite_timed_out(struct tdm_sig *sig, struct call *call)
{
    call->inviting = false;
    if (call->phase == UP) {
        emit(sig, call, TDM_SIG_OFFER_REFUSED, 408, tdm_sip_words(408), NULL);
        return;
    }
    emit_end(sig, call, TDM_SIG_FAILED, 0, "the other side does not answer");
    go(sig, call);
}

static void call_step(struct tdm_sig *sig, struct call *call)
{
    struct tdm_sig_wire *wire = sig->wire;

    if (repeat_step(wire, &call->invite))
        invite_timed_out(sig, call);
    if (call->invite_deadline && wire->now >= call->invite_deadline && call->phase == LEAVING &&
        call->inviting)
        go(sig, call); /* Cancelled, and no final answer came. */

    bool request_out = repeat_step(wire, &call->request);
    bool final_out = repeat_step(wire, &call->final);

    if (request_out && call->phase == LEAVING && !call->inviting) {
        emit_end(sig, call, TDM_SIG_FAILED, 0, "the other side does not answer");
        go(sig, call);
    }
    if (final_out && call->their_code == 200 && (call->phase == ACCEPTED || call->phase == UP)) {
        emit_end(sig, call, TDM_SIG_FAILED, 0,
                 "the other side never confirmed our answer (no ACK): the call is ended");
        say_bye(sig, call);
    }
    if (call->asked && !call->their_code && wire->now >= call->answer_by)
        answer_asked(sig, call, 202);
    if (call->phase == GONE && wire->now >= call->forget_at) {
        stop_all(call);
        call->used = false;
    }
}

static tdm_time call_wake(const struct call *call)
{
    tdm_time wake = tdm_time_min(repeat_wake(&call->invite), repeat_wake(&call->request));

    wake = tdm_time_min(wake, repeat_wake(&call->final));
    if (call->phase == LEAVING && call->inviting && call->invite_deadline)
        wake = tdm_time_min(wake, call->invite_deadline);
    if (call->asked && !call->their_code)
        wake = tdm_time_min(wake, call->answer_by);
    return call->phase == GONE ? tdm_time_min(wake, call->forget_at) : wake;
}

static tdm_time wire_wake(const struct tdm_sig_wire *wire)
{
    tdm_time wake = wire->flight ? wire->flight->due : TDM_NEVER;

    for (uint32_t i = 0; i < ENDPOINTS_MAX; i++)
        for (uint32_t j = 0; wire->endpoints[i] && j < CALLS_MAX; j++)
            if (wire->endpoints[i]->calls[j].used)
                wake = tdm_time_min(wake, call_wake(&wire->endpoints[i]->calls[j]));
    return wake;
}

/* All that is due at one instant. */
static void run_instant(struct tdm_sig_wire *wire)
{
    while (wire->flight && wire->flight->due <= wire->now) {
        struct message *message = wire->flight;

        wire->flight = message->next;
        wire->in_flight--;
        deliver(wire, message);
        free(message);
    }
    for (uint32_t i = 0; i < ENDPOINTS_MAX; i++)
        for (uint32_t j = 0; wire->endpoints[i] && j < CALLS_MAX; j++)
            if (wire->endpoints[i]->calls[j].used)
                call_step(wire->endpoints[i], &wire->endpoints[i]->calls[j]);
}

tdm_time tdm_sig_wire_step(struct tdm_sig_wire *wire, tdm_time now)
{
    for (;;) {
        tdm_time wake = wire_wake(wire);

        if (wake > now)
            break;
        wire->now = tdm_time_max(wake, wire->now);
        run_instant(wire);
    }
    wire->now = now;
    return wire_wake(wire);
}

struct tdm_sig_wire *tdm_sig_wire_create(const struct tdm_sig_wire_config *config)
{
    struct tdm_sig_wire *wire = calloc(1, sizeof *wire);

    if (!wire)
        return NULL;
    assert(config->delay_max >= config->delay_min && config->delay_min >= 0);
    wire->config = *config;
    wire->rng = tdm_rng_of(config->seed);
    return wire;
}

void tdm_sig_wire_destroy(struct tdm_sig_wire *wire)
{
    while (wire->flight) {
        struct message *next = wire->flight->next;

        free(wire->flight);
        wire->flight = next;
    }
    free(wire);
}

void tdm_sig_wire_set_loss(struct tdm_sig_wire *wire, double loss, double duplicate)
{
    wire->config.loss = loss;
    wire->config.duplicate = duplicate;
}

static int endpoint_named(const struct tdm_sig_wire *wire, const char *name)
{
    for (int i = 0; i < ENDPOINTS_MAX; i++)
        if (wire->endpoints[i] && strcmp(wire->endpoints[i]->name, name) == 0)
            return i;
    return -1;
}

void tdm_sig_wire_close_side(struct tdm_sig_wire *wire, const char *name, const char *service)
{
    int index = endpoint_named(wire, name), open = endpoint_named(wire, service);

    assert(index >= 0 && open >= 0);
    wire->endpoints[index]->closed = true;
    wire->endpoints[index]->talked |= UINT32_C(1) << open;
}

struct tdm_sig_wire_stats tdm_sig_wire_stats_of(const struct tdm_sig_wire *wire)
{
    return wire->stats;
}

/* --- The table -------------------------------------------------------------------------------- */

static enum tdm_err memory_open(struct tdm_sig **out, const struct tdm_sig_config *config,
                                struct tdm_cause *cause)
{
    struct tdm_sig_wire *wire = config->wire;
    uint32_t index = 0;

    while (index < ENDPOINTS_MAX && wire->endpoints[index])
        index++;
    if (index == ENDPOINTS_MAX)
        return tdm_fail(cause, TDM_E_SPACE, "a wire has at most %d endpoints", ENDPOINTS_MAX);

    struct tdm_sig *sig = calloc(1, sizeof *sig);
    enum tdm_err err;

    if (!sig)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory");
    err = tdm_sig_queue_init(&sig->queue, false, cause);
    if (err) {
        free(sig);
        return err;
    }
    sig->wire = wire;
    sig->index = index;
    sig->calls_max = config->calls_max ? config->calls_max : 8;
    sig->may_be_asked_back = config->may_be_asked_back;
    (void)snprintf(sig->name, sizeof sig->name, "%s", config->user ? config->user : "tandem");
    wire->endpoints[index] = sig;
    *out = sig;
    return TDM_OK;
}

/* What is in flight still arrives; nothing is waited for. */
static void memory_close(struct tdm_sig *sig)
{
    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        if (sig->calls[i].used && !sig->calls[i].over)
            leave(sig, &sig->calls[i], 480);
        stop_all(&sig->calls[i]);
    }
    sig->wire->endpoints[sig->index] = NULL;
    tdm_sig_queue_destroy(&sig->queue);
    free(sig);
}

static uint16_t memory_port(const struct tdm_sig *sig)
{
    (void)sig;
    return 0;
}

static int memory_fd(const struct tdm_sig *sig)
{
    (void)sig;
    return -1;
}

static enum tdm_err memory_next(struct tdm_sig *sig, struct tdm_sig_event *event)
{
    return tdm_sig_queue_pop(&sig->queue, event);
}

static bool is_target(const struct tdm_sip_uri *uri)
{
    return strncmp(uri->user, "back-", 5) == 0;
}

static int find_endpoint(const struct tdm_sig_wire *wire, const struct tdm_sip_uri *uri)
{
    return endpoint_named(wire, uri->user[0] && !is_target(uri) ? uri->user : uri->host);
}

static enum tdm_err begin(struct tdm_sig *sig, const char *text, struct call **out,
                          struct tdm_cause *cause)
{
    struct tdm_sip_uri uri;
    enum tdm_err err = tdm_sip_uri_parse(text, &uri, cause);
    int peer = err ? -1 : find_endpoint(sig->wire, &uri);

    if (err)
        return err;
    *out = call_new(sig, INVITING, (uint64_t)sig->index << 48 | ++sig->wire->last_token,
                    peer < 0 ? 0 : (uint32_t)peer);
    if (!*out)
        return tdm_fail(cause, TDM_E_SPACE, "there are too many calls already: end one first");
    (*out)->outgoing = true;
    if (is_target(&uri))
        (void)snprintf((*out)->target, sizeof(*out)->target, "%s", text);
    if (peer < 0) {
        emit_end(sig, *out, TDM_SIG_FAILED, 0, "host is unknown: check its name");
        go(sig, *out);
    }
    return TDM_OK;
}

static enum tdm_err check_body(const struct tdm_sig_body *body)
{
    return body && body->size > TDM_SIG_BODY_MAX ? TDM_E_UNSUPPORTED : TDM_OK;
}

static void start_invite(struct tdm_sig *sig, struct call *call, const struct tdm_sig_body *offer)
{
    call->invite_seq = ++call->seq;
    call->inviting = true;
    call->provisional = false;
    send_repeating(sig, call, &call->invite, INVITE, call->seq, 0, offer);
}

static enum tdm_err memory_call(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                const struct tdm_sig_body *offer, tdm_sig_id *id,
                                struct tdm_cause *cause)
{
    struct call *call;
    enum tdm_err err = check_body(offer);

    (void)account;
    if (!err)
        err = begin(sig, uri, &call, cause);
    if (err)
        return err;
    *id = call->id;
    if (!call->over)
        start_invite(sig, call, offer);
    return TDM_OK;
}

static enum tdm_err provisional(struct tdm_sig *sig, tdm_sig_id id, uint16_t code,
                                const struct tdm_sig_body *body)
{
    struct call *call = call_by_id(sig, id);

    if (call && call->phase == RINGING && !call->asked)
        send_once(sig, call, INVITE, call->their_seq, code, body);
    return check_body(body);
}

static enum tdm_err memory_ring(struct tdm_sig *sig, tdm_sig_id id)
{
    return provisional(sig, id, 180, NULL);
}

static enum tdm_err memory_progress(struct tdm_sig *sig, tdm_sig_id id,
                                    const struct tdm_sig_body *answer)
{
    return provisional(sig, id, 183, answer);
}

static enum tdm_err memory_accept(struct tdm_sig *sig, tdm_sig_id id,
                                  const struct tdm_sig_body *answer)
{
    struct call *call = call_by_id(sig, id);
    enum tdm_err err = check_body(answer);

    if (err || !call || call->phase != RINGING)
        return err;
    if (call->asked) {
        answer_asked(sig, call, 202);
        go(sig, call);
        return TDM_OK;
    }
    call->phase = ACCEPTED;
    answer_invite(sig, call, 200, answer);
    return TDM_OK;
}

static enum tdm_err memory_reject(struct tdm_sig *sig, tdm_sig_id id, uint16_t code)
{
    struct call *call = call_by_id(sig, id);

    if (call && call->phase == RINGING) {
        emit_end(sig, call, TDM_SIG_ENDED, 0, "ended here");
        leave(sig, call, code);
    }
    return TDM_OK;
}

static enum tdm_err memory_offer(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *offer)
{
    struct call *call = call_by_id(sig, id);
    enum tdm_err err = check_body(offer);

    if (err || !call || call->phase != UP)
        return err;
    if (call->inviting || call->their_pending || call->final.message)
        emit(sig, call, TDM_SIG_OFFER_REFUSED, 491, tdm_sip_words(491), NULL);
    else
        start_invite(sig, call, offer);
    return TDM_OK;
}

static enum tdm_err memory_answer(struct tdm_sig *sig, tdm_sig_id id,
                                  const struct tdm_sig_body *answer, uint16_t code)
{
    struct call *call = call_by_id(sig, id);
    enum tdm_err err = check_body(answer);

    if (err || !call || call->phase != UP || !call->their_pending)
        return err;
    if (answer && answer->size)
        answer_invite(sig, call, 200, answer);
    else
        answer_invite(sig, call, code >= 300 ? code : 488, NULL);
    return TDM_OK;
}

static enum tdm_err memory_hangup(struct tdm_sig *sig, tdm_sig_id id, const char *reason)
{
    struct call *call = call_by_id(sig, id);

    (void)reason;
    if (call) {
        emit_end(sig, call, TDM_SIG_ENDED, 0, "ended here");
        leave(sig, call, 603);
    }
    return TDM_OK;
}

/* One request outside of a call, of a call's record. */
static void ask(struct tdm_sig *sig, struct call *call, enum method method,
                const struct tdm_sig_body *body)
{
    call->phase = LEAVING;
    if (!call->over)
        send_repeating(sig, call, &call->request, method, ++call->seq, 0, body);
}

static enum tdm_err memory_options(struct tdm_sig *sig, const char *uri, tdm_sig_id *id,
                                   struct tdm_cause *cause)
{
    struct call *call;
    enum tdm_err err = begin(sig, uri, &call, cause);

    if (err)
        return err;
    *id = call->id;
    ask(sig, call, OPTIONS, NULL);
    return TDM_OK;
}

static enum tdm_err memory_message(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                   const struct tdm_sig_body *body, tdm_sig_id *id,
                                   struct tdm_cause *cause)
{
    struct call *call;
    enum tdm_err err = check_body(body);

    (void)account;
    if (!err)
        err = begin(sig, uri, &call, cause);
    if (err)
        return err;
    *id = call->id;
    ask(sig, call, MESSAGE, body);
    return TDM_OK;
}

static enum tdm_err memory_invite_back(struct tdm_sig *sig, const char *uri, const char *service,
                                       const char *target, tdm_sig_id *id, struct tdm_cause *cause)
{
    struct tdm_sip_uri via = {.user = ""};
    enum tdm_err err = service ? tdm_sip_uri_parse(service, &via, cause) : TDM_OK;
    int index = service && !err ? find_endpoint(sig->wire, &via) : -1;
    struct call *call;

    if (!err)
        err = begin(sig, uri, &call, cause);
    if (err)
        return err;
    *id = call->id;
    call->service = (uint32_t)(index + 1);
    (void)snprintf(call->target, sizeof call->target, "%s", target);
    ask(sig, call, REFER, NULL);
    return TDM_OK;
}

static enum tdm_err memory_dtmf_info(struct tdm_sig *sig, tdm_sig_id id, char digit,
                                     uint16_t duration_ms)
{
    struct call *call = call_by_id(sig, id);
    struct message *message;

    if (!call || call->phase != UP)
        return TDM_OK;
    message = message_new(call, sig->index, INFO, ++call->seq, 0, NULL);
    message->digit = digit;
    message->duration_ms = duration_ms;
    repeat_start(sig->wire, &call->request, message, true);
    free(message);
    return TDM_OK;
}

const struct tdm_sig_ops tdm_sig_memory = {
    .name = "memory",
    .open = memory_open,
    .close = memory_close,
    .port = memory_port,
    .fd = memory_fd,
    .next = memory_next,
    .call = memory_call,
    .ring = memory_ring,
    .progress = memory_progress,
    .accept = memory_accept,
    .reject = memory_reject,
    .offer = memory_offer,
    .answer = memory_answer,
    .hangup = memory_hangup,
    .options = memory_options,
    .dtmf_info = memory_dtmf_info,
    .message = memory_message,
    .invite_back = memory_invite_back,
};

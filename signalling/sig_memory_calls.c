/* SPDX-License-Identifier: MIT */
/* One endpoint's calls: what it says, and what becomes of what arrives. */
#include "signalling/sig_memory_state.h"
#include "signalling/sip_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEMBER (70 * TDM_S) /* A call that is over still answers what comes late. */
#define THINK    (20 * TDM_S) /* A REFER is answered by then, whatever the user does. */

struct tdm_memory_message *tdm_memory_message_new(const struct tdm_memory_call *call, uint32_t from,
                                                  enum tdm_memory_method method, uint32_t seq,
                                                  uint16_t code, const struct tdm_sig_body *body)
{
    size_t size = body ? body->size : 0;
    struct tdm_memory_message *message = calloc(1, sizeof *message + size);

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

void tdm_memory_send_once(struct tdm_sig *sig, const struct tdm_memory_call *call,
                          enum tdm_memory_method method, uint32_t seq, uint16_t code,
                          const struct tdm_sig_body *body)
{
    struct tdm_memory_message *message =
        tdm_memory_message_new(call, sig->index, method, seq, code, body);

    tdm_memory_transmit(sig->wire, message);
    free(message);
}

void tdm_memory_send_repeating(struct tdm_sig *sig, struct tdm_memory_call *call,
                               struct tdm_memory_repeat *repeat, enum tdm_memory_method method,
                               uint32_t seq, uint16_t code, const struct tdm_sig_body *body)
{
    struct tdm_memory_message *message =
        tdm_memory_message_new(call, sig->index, method, seq, code, body);

    (void)snprintf(message->name, sizeof message->name, "%s", sig->name);
    tdm_memory_repeat_start(sig->wire, repeat, message, method != TDM_MEMORY_INVITE || code);
    free(message);
}

void tdm_memory_emit(struct tdm_sig *sig, const struct tdm_memory_call *call,
                     enum tdm_sig_kind kind, uint16_t code, const char *reason,
                     const struct tdm_memory_message *message)
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

void tdm_memory_emit_end(struct tdm_sig *sig, struct tdm_memory_call *call, enum tdm_sig_kind kind,
                         uint16_t code, const char *reason)
{
    if (!call->over)
        tdm_memory_emit(sig, call, kind, code, reason, NULL);
    call->over = true;
}

void tdm_memory_stop_all(struct tdm_memory_call *call)
{
    tdm_memory_repeat_stop(&call->invite);
    tdm_memory_repeat_stop(&call->request);
    tdm_memory_repeat_stop(&call->final);
    call->inviting = false;
}

void tdm_memory_go(struct tdm_sig *sig, struct tdm_memory_call *call)
{
    struct tdm_memory_repeat final = call->final; /* A refusal is still repeated until its ACK. */

    call->final.message = NULL;
    tdm_memory_stop_all(call);
    call->final = final;
    call->over = true;
    call->phase = TDM_MEMORY_GONE;
    call->forget_at = sig->wire->now + REMEMBER;
}

struct tdm_memory_call *tdm_memory_call_new(struct tdm_sig *sig, enum tdm_memory_phase phase,
                                            uint64_t token, uint32_t peer)
{
    uint32_t alive = 0;
    struct tdm_memory_call *free_call = NULL;

    for (uint32_t i = 0; i < TDM_MEMORY_CALLS_MAX; i++) {
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

struct tdm_memory_call *tdm_memory_call_by_id(struct tdm_sig *sig, tdm_sig_id id)
{
    for (uint32_t i = 0; i < TDM_MEMORY_CALLS_MAX; i++)
        if (sig->calls[i].used && sig->calls[i].id == id && !sig->calls[i].over)
            return &sig->calls[i];
    return NULL;
}

static struct tdm_memory_call *call_by_token(struct tdm_sig *sig, uint64_t token)
{
    for (uint32_t i = 0; i < TDM_MEMORY_CALLS_MAX; i++)
        if (sig->calls[i].used && sig->calls[i].token == token)
            return &sig->calls[i];
    return NULL;
}

static void say_bye(struct tdm_sig *sig, struct tdm_memory_call *call)
{
    tdm_memory_stop_all(call);
    call->phase = TDM_MEMORY_LEAVING;
    tdm_memory_send_repeating(sig, call, &call->request, TDM_MEMORY_BYE, ++call->seq, 0, NULL);
}

static void say_cancel(struct tdm_sig *sig, struct tdm_memory_call *call)
{
    call->invite_deadline = sig->wire->now + TDM_MEMORY_TIMEOUT;
    tdm_memory_send_repeating(sig, call, &call->request, TDM_MEMORY_CANCEL, call->invite_seq, 0,
                              NULL);
}

void tdm_memory_answer_invite(struct tdm_sig *sig, struct tdm_memory_call *call, uint16_t code,
                              const struct tdm_sig_body *body)
{
    call->their_pending = false;
    call->their_code = code;
    tdm_memory_send_repeating(sig, call, &call->final, TDM_MEMORY_INVITE, call->their_seq, code,
                              body);
}

void tdm_memory_answer_asked(struct tdm_sig *sig, struct tdm_memory_call *call, uint16_t code)
{
    if (!call->their_code)
        tdm_memory_send_once(sig, call, TDM_MEMORY_REFER, call->their_seq, code, NULL);
    call->their_code = code;
}

void tdm_memory_leave(struct tdm_sig *sig, struct tdm_memory_call *call, uint16_t code)
{
    if (call->asked && call->phase == TDM_MEMORY_RINGING) {
        tdm_memory_answer_asked(sig, call, code);
        tdm_memory_go(sig, call);
        return;
    }
    switch (call->phase) {
    case TDM_MEMORY_INVITING:
        call->phase = TDM_MEMORY_LEAVING;
        if (call->provisional)
            say_cancel(sig, call);
        break;
    case TDM_MEMORY_RINGING:
        tdm_memory_answer_invite(sig, call, code, NULL);
        tdm_memory_go(sig, call);
        break;
    case TDM_MEMORY_ACCEPTED:
        call->bye_due = true;
        break;
    case TDM_MEMORY_UP:
        say_bye(sig, call);
        break;
    default:
        if (call->request.message && call->request.message->method == TDM_MEMORY_REFER)
            tdm_memory_go(sig, call);
        break;
    }
}

static void send_ack(struct tdm_sig *sig, struct tdm_memory_call *call, uint32_t seq)
{
    tdm_memory_send_once(sig, call, TDM_MEMORY_ACK, seq, 0, NULL);
}

static void final_to_invite(struct tdm_sig *sig, struct tdm_memory_call *call,
                            const struct tdm_memory_message *m)
{
    bool up = call->phase == TDM_MEMORY_UP;

    tdm_memory_repeat_stop(&call->invite);
    call->inviting = false;
    send_ack(sig, call, m->seq);
    if (m->code < 300) {
        call->acked = true;
        call->ack_seq = m->seq;
    }
    if (call->phase == TDM_MEMORY_LEAVING && m->code < 300) {
        say_bye(sig, call);
    } else if (call->phase == TDM_MEMORY_LEAVING) {
        tdm_memory_go(sig, call);
    } else if (up && m->code < 300) {
        tdm_memory_emit(sig, call, TDM_SIG_ANSWER, m->code, NULL, m);
    } else if (up) {
        tdm_memory_emit(sig, call, TDM_SIG_OFFER_REFUSED, m->code, tdm_sip_words(m->code), NULL);
    } else if (m->code < 300) {
        call->phase = TDM_MEMORY_UP;
        tdm_memory_emit(sig, call, TDM_SIG_ACCEPTED, m->code, NULL, m);
    } else {
        tdm_memory_emit_end(sig, call, TDM_SIG_REFUSED, m->code, tdm_sip_words(m->code));
        tdm_memory_go(sig, call);
    }
}

static void on_response(struct tdm_sig *sig, struct tdm_memory_call *call,
                        const struct tdm_memory_message *m)
{
    if (m->method == TDM_MEMORY_INVITE && call->inviting && m->seq == call->invite_seq) {
        if (m->code >= 200) {
            final_to_invite(sig, call, m);
            return;
        }
        tdm_memory_repeat_stop(&call->invite);
        if (!call->provisional && call->phase == TDM_MEMORY_LEAVING)
            say_cancel(sig, call);
        call->provisional = true;
        if (m->code > 100 && call->phase == TDM_MEMORY_INVITING)
            tdm_memory_emit(sig, call, TDM_SIG_RINGING, m->code, NULL, m);
    } else if (m->method == TDM_MEMORY_INVITE &&
               (m->code >= 300 || (m->code >= 200 && call->acked && m->seq == call->ack_seq))) {
        send_ack(sig, call, m->seq); /* Ours was lost. */
    } else if (call->request.message && call->request.message->method == m->method &&
               call->request.message->seq == m->seq) {
        tdm_memory_repeat_stop(&call->request);
        if (m->method == TDM_MEMORY_BYE)
            tdm_memory_go(sig, call);
        if (m->method == TDM_MEMORY_OPTIONS) {
            tdm_memory_emit(sig, call, TDM_SIG_OPTIONS_ANSWERED, m->code, "memory", NULL);
            tdm_memory_go(sig, call);
        }
        if (m->method == TDM_MEMORY_MESSAGE) {
            tdm_memory_emit(sig, call, TDM_SIG_MESSAGE_DONE, m->code,
                            m->code < 300 ? NULL : tdm_sip_words(m->code), NULL);
            tdm_memory_go(sig, call);
        }
        if (m->method == TDM_MEMORY_REFER) {
            if (m->code < 300)
                tdm_memory_emit(sig, call, TDM_SIG_BACK_AGREED, m->code, NULL, NULL);
            else
                tdm_memory_emit_end(sig, call, TDM_SIG_REFUSED, m->code, tdm_sip_words(m->code));
            tdm_memory_go(sig, call);
        }
    }
}

static void new_invite(struct tdm_sig *sig, const struct tdm_memory_message *m)
{
    struct tdm_memory_call *call = tdm_memory_call_new(sig, TDM_MEMORY_RINGING, m->call, m->from);
    struct tdm_memory_call stranger = {.token = m->call, .peer = m->from, .service = m->service};

    if (!call) {
        tdm_memory_send_once(sig, &stranger, TDM_MEMORY_INVITE, m->seq, 486, NULL);
        return;
    }
    call->their_seq = m->seq;
    call->their_pending = true;
    call->their_offerless = m->size == 0;
    tdm_memory_send_once(sig, call, TDM_MEMORY_INVITE, m->seq, 100, NULL);
    tdm_memory_emit(sig, call, TDM_SIG_CALL_IN, 0, NULL, m);
}

/* MESSAGE and REFER: known again when they come again. */
static void new_asking(struct tdm_sig *sig, const struct tdm_memory_message *m)
{
    struct tdm_memory_call stranger = {.token = m->call, .peer = m->from, .service = m->service};
    bool message = m->method == TDM_MEMORY_MESSAGE;
    struct tdm_memory_call *call =
        (message ? !sig->no_messages : sig->may_be_asked_back)
            ? tdm_memory_call_new(sig, TDM_MEMORY_RINGING, m->call, m->from)
            : NULL;

    if (!call) {
        tdm_memory_send_once(sig, &stranger, m->method, m->seq,
                             message && !sig->no_messages ? 503 : 405, NULL);
        return;
    }
    call->their_seq = m->seq;
    call->service = m->service;
    if (message) {
        tdm_memory_send_once(sig, call, TDM_MEMORY_MESSAGE, m->seq, 200, NULL);
        tdm_memory_emit(sig, call, TDM_SIG_MESSAGE_IN, 0, NULL, m);
        tdm_memory_go(sig, call);
        return;
    }
    call->asked = true;
    call->answer_by = sig->wire->now + THINK;
    tdm_memory_emit(sig, call, TDM_SIG_INVITED_BACK, 0, NULL, m);
}

static void on_invite(struct tdm_sig *sig, struct tdm_memory_call *call,
                      const struct tdm_memory_message *m)
{
    if (m->seq == call->their_seq) { /* Again: the answer so far, again. */
        if (call->their_pending)
            tdm_memory_send_once(sig, call, TDM_MEMORY_INVITE, m->seq, 100, NULL);
        else if (call->final.message)
            tdm_memory_transmit(sig->wire, call->final.message);
        return;
    }
    if (m->seq < call->their_seq || call->phase == TDM_MEMORY_GONE)
        return;
    if (call->phase != TDM_MEMORY_UP || call->over) {
        tdm_memory_send_once(sig, call, TDM_MEMORY_INVITE, m->seq, call->over ? 481 : 500, NULL);
        return;
    }
    call->their_seq = m->seq;
    if (call->inviting || call->their_pending) {
        tdm_memory_answer_invite(sig, call, call->inviting ? 491 : 500, NULL);
        return;
    }
    call->their_pending = true;
    call->their_code = 0;
    call->their_offerless = m->size == 0;
    tdm_memory_repeat_stop(&call->final);
    tdm_memory_send_once(sig, call, TDM_MEMORY_INVITE, m->seq, 100, NULL);
    tdm_memory_emit(sig, call, TDM_SIG_OFFER, 0, NULL, m);
}

static void on_ack(struct tdm_sig *sig, struct tdm_memory_call *call,
                   const struct tdm_memory_message *m)
{
    if (!call->final.message || m->seq != call->final.message->seq)
        return;
    tdm_memory_repeat_stop(&call->final);
    if (call->phase == TDM_MEMORY_ACCEPTED) {
        call->phase = TDM_MEMORY_UP;
        if (call->bye_due)
            say_bye(sig, call);
        else
            tdm_memory_emit(sig, call, TDM_SIG_CONFIRMED, 0, NULL, m);
    } else if (call->phase == TDM_MEMORY_UP && call->their_code == 200 && call->their_offerless) {
        tdm_memory_emit(sig, call, TDM_SIG_ANSWER, 0, NULL, m);
    }
}

static void on_cancel(struct tdm_sig *sig, struct tdm_memory_call *call,
                      const struct tdm_memory_message *m)
{
    tdm_memory_send_once(sig, call, TDM_MEMORY_CANCEL, m->seq, 200, NULL);
    if (call->phase != TDM_MEMORY_RINGING)
        return;
    tdm_memory_emit_end(sig, call, TDM_SIG_ENDED, 0, "the caller gave up");
    tdm_memory_answer_invite(sig, call, 487, NULL);
    tdm_memory_go(sig, call);
}

static void on_bye(struct tdm_sig *sig, struct tdm_memory_call *call,
                   const struct tdm_memory_message *m)
{
    tdm_memory_send_once(sig, call, TDM_MEMORY_BYE, m->seq, 200, NULL);
    if (call->phase == TDM_MEMORY_GONE)
        return;
    tdm_memory_emit_end(sig, call, TDM_SIG_ENDED, 0, "the other side hung up");
    tdm_memory_repeat_stop(&call->final);
    tdm_memory_go(sig, call);
}

static void on_request(struct tdm_sig *sig, struct tdm_memory_call *call,
                       const struct tdm_memory_message *m)
{
    switch (m->method) {
    case TDM_MEMORY_INVITE:
        on_invite(sig, call, m);
        break;
    case TDM_MEMORY_ACK:
        on_ack(sig, call, m);
        break;
    case TDM_MEMORY_CANCEL:
        on_cancel(sig, call, m);
        break;
    case TDM_MEMORY_BYE:
        on_bye(sig, call, m);
        break;
    case TDM_MEMORY_REFER: /* Again: the answer so far, again. */
        if (call->their_code)
            tdm_memory_send_once(sig, call, TDM_MEMORY_REFER, m->seq, call->their_code, NULL);
        break;
    default:
        tdm_memory_send_once(sig, call, m->method, m->seq, 200, NULL);
        if (m->method == TDM_MEMORY_INFO && !call->over && m->seq > call->info_seq) {
            call->info_seq = m->seq;
            tdm_memory_emit(sig, call, TDM_SIG_DTMF_INFO, 0, NULL, m);
        }
    }
}

void tdm_memory_deliver(struct tdm_sig *sig, const struct tdm_memory_message *m)
{
    struct tdm_memory_call *call = call_by_token(sig, m->call);
    struct tdm_memory_call stranger = {.token = m->call, .peer = m->from, .service = m->service};

    if (call && m->code)
        on_response(sig, call, m);
    else if (call)
        on_request(sig, call, m);
    else if (!m->code && m->method == TDM_MEMORY_INVITE)
        new_invite(sig, m);
    else if (!m->code && (m->method == TDM_MEMORY_MESSAGE || m->method == TDM_MEMORY_REFER))
        new_asking(sig, m);
    else if (!m->code && m->method != TDM_MEMORY_ACK)
        tdm_memory_send_once(sig, &stranger, m->method, m->seq,
                             m->method == TDM_MEMORY_OPTIONS ? 200 : 481, NULL);
}

static void invite_timed_out(struct tdm_sig *sig, struct tdm_memory_call *call)
{
    call->inviting = false;
    if (call->phase == TDM_MEMORY_UP) {
        tdm_memory_emit(sig, call, TDM_SIG_OFFER_REFUSED, 408, tdm_sip_words(408), NULL);
        return;
    }
    tdm_memory_emit_end(sig, call, TDM_SIG_FAILED, 0, "the other side does not answer");
    tdm_memory_go(sig, call);
}

void tdm_memory_call_step(struct tdm_sig *sig, struct tdm_memory_call *call)
{
    struct tdm_sig_wire *wire = sig->wire;

    if (tdm_memory_repeat_step(wire, &call->invite))
        invite_timed_out(sig, call);
    if (call->invite_deadline && wire->now >= call->invite_deadline &&
        call->phase == TDM_MEMORY_LEAVING && call->inviting)
        tdm_memory_go(sig, call); /* Cancelled, and no final answer came. */

    bool request_out = tdm_memory_repeat_step(wire, &call->request);
    bool final_out = tdm_memory_repeat_step(wire, &call->final);

    if (request_out && call->phase == TDM_MEMORY_LEAVING && !call->inviting) {
        tdm_memory_emit_end(sig, call, TDM_SIG_FAILED, 0, "the other side does not answer");
        tdm_memory_go(sig, call);
    }
    if (final_out && call->their_code == 200 &&
        (call->phase == TDM_MEMORY_ACCEPTED || call->phase == TDM_MEMORY_UP)) {
        tdm_memory_emit_end(
            sig, call, TDM_SIG_FAILED, 0,
            "the other side never confirmed our answer (no ACK): the call is ended");
        say_bye(sig, call);
    }
    if (call->asked && !call->their_code && wire->now >= call->answer_by)
        tdm_memory_answer_asked(sig, call, 202);
    if (call->phase == TDM_MEMORY_GONE && wire->now >= call->forget_at) {
        tdm_memory_stop_all(call);
        call->used = false;
    }
}

tdm_time tdm_memory_call_wake(const struct tdm_memory_call *call)
{
    tdm_time wake =
        tdm_time_min(tdm_memory_repeat_wake(&call->invite), tdm_memory_repeat_wake(&call->request));

    wake = tdm_time_min(wake, tdm_memory_repeat_wake(&call->final));
    if (call->phase == TDM_MEMORY_LEAVING && call->inviting && call->invite_deadline)
        wake = tdm_time_min(wake, call->invite_deadline);
    if (call->asked && !call->their_code)
        wake = tdm_time_min(wake, call->answer_by);
    return call->phase == TDM_MEMORY_GONE ? tdm_time_min(wake, call->forget_at) : wake;
}

/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A REFER is answered within the 32 s of its transaction, whatever the user does. */
#define THINK_MS 20000

static void emit(struct tdm_sip_call *call, enum tdm_sig_kind kind, const struct sip_msg *msg)
{
    struct tdm_sig_event event;

    tdm_sip_event_of(&event, kind, call->id);
    event.code = msg->scode;
    if (kind == TDM_SIG_OPTIONS_ANSWERED) {
        tdm_sip_take_agent(&event, msg);
        (void)tdm_sip_take_message(&event, msg);
    } else if (msg->scode >= 300) {
        (void)snprintf(event.reason, sizeof event.reason, "%s", tdm_sip_refusal(call, msg->scode));
    }
    (void)tdm_sig_queue_push(&call->sig->queue, &event);
}

static void asked(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    if (!err && msg && msg->scode < 200)
        return;
    tdm_sip_close_icmp(call);
    if (err || !msg) {
        tdm_sip_call_fail_error(call, err);
        return;
    }
    if (tdm_sip_auth_again(call, msg) && tdm_sip_ask(call) == 0)
        return;
    if (call->purpose == TDM_SIP_OPTIONS)
        emit(call, TDM_SIG_OPTIONS_ANSWERED, msg);
    else if (call->purpose == TDM_SIP_MESSAGE)
        emit(call, TDM_SIG_MESSAGE_DONE, msg);
    else if (msg->scode < 300)
        emit(call, TDM_SIG_BACK_AGREED, msg);
    else
        tdm_sip_call_end(call, TDM_SIG_REFUSED, msg->scode, tdm_sip_refusal(call, msg->scode));
    mem_deref(call);
}

int tdm_sip_ask(struct tdm_sip_call *call)
{
    size_t size = call->body->end;

    switch (call->purpose) {
    case TDM_SIP_MESSAGE:
        return tdm_sip_request(call, &call->req, "MESSAGE", 0, asked,
                               "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%b",
                               call->content_type, size, call->body->buf, size);
    case TDM_SIP_REFER: /* RFC 3515; nobody subscribes to how it goes (RFC 4488). */
        return tdm_sip_request(
            call, &call->req, "REFER", 0, asked,
            "Refer-To: <%b>\r\nRefer-Sub: false\r\nSupported: norefersub\r\n" TDM_SIP_NO_BODY,
            call->body->buf, size);
    default:
        return tdm_sip_request(call, &call->req, "OPTIONS", 0, asked,
                               TDM_SIP_ACCEPT "%s%s%sContent-Length: %zu\r\n\r\n%b",
                               size ? "Content-Type: " : "", size ? call->content_type : "",
                               size ? "\r\n" : "", size, call->body->buf, size);
    }
}

/* --- One MESSAGE at a time for an address ------------------------------------------------------
 */

static bool same_way(const struct tdm_sip_call *a, const struct tdm_sip_call *b)
{
    return b->purpose == TDM_SIP_MESSAGE && !b->over && a->account == b->account &&
           a->uri.port == b->uri.port && strcasecmp(a->uri.host, b->uri.host) == 0 &&
           strcmp(a->uri.user, b->uri.user) == 0;
}

bool tdm_sip_must_wait(const struct tdm_sip_call *call)
{
    for (struct le *le = call->sig->calls.head; le && le->data != call; le = le->next)
        if (same_way(call, le->data))
            return true;
    return false;
}

static void go_on(void *arg)
{
    struct tdm_sig *sig = arg;

    for (struct le *le = sig->calls.head; le; le = le->next) {
        struct tdm_sip_call *call = le->data;

        if (!call->in_line || call->over || tdm_sip_must_wait(call))
            continue;
        call->in_line = false;
        tmr_start(&sig->line_due, 0, go_on, sig); /* For other addresses; the list may change. */
        tdm_sip_call_begin(call);
        return;
    }
}

void tdm_sip_next_in_line(struct tdm_sig *sig)
{
    if (!sig->closing)
        tmr_start(&sig->line_due, 0, go_on, sig);
}

void tdm_sip_fail_line(const struct tdm_sip_call *call, const char *reason)
{
    for (struct le *le = call->sig->calls.head, *next; le; le = next) {
        struct tdm_sip_call *behind = le->data;

        next = le->next;
        if (!behind->in_line || !same_way(call, behind))
            continue;
        tdm_sip_call_end(behind, TDM_SIG_FAILED, 0, reason);
        mem_deref(behind);
    }
}

/* --- What they ask -----------------------------------------------------------------------------
 */

/* Whether a MESSAGE was heard already: a server that got no answer of ours may send it anew, which
 * for libre is another one. */
static bool was_heard(struct tdm_sig *sig, const struct sip_msg *msg)
{
    uint64_t hash = hash_joaat_pl(&msg->callid);

    hash = hash << 32 | (hash_joaat_pl(&msg->from.tag) ^ msg->cseq.num);
    for (uint32_t i = 0; i < TDM_SIP_HEARD_MAX && i < sig->heard_count; i++)
        if (sig->heard[i] == hash)
            return true;
    sig->heard[sig->heard_count++ % TDM_SIP_HEARD_MAX] = hash;
    return false;
}

/* By a transaction, which answers the same again when the request comes again. */
static void reply(struct tdm_sip_stack *stack, const struct sip_msg *msg, uint16_t code)
{
    struct sip_strans *st = NULL;

    (void)sip_treply(&st, stack->sip, msg, code, tdm_sip_phrase(code));
}

void tdm_sip_on_message(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    struct tdm_sig *sig = stack->sig;
    struct tdm_sig_event event;
    uint16_t code;

    tdm_sip_event_of(&event, TDM_SIG_MESSAGE_IN, 0);
    tdm_sip_take_account(&event, stack, msg);
    tdm_sip_take_caller(&event, msg);
    code = tdm_sip_take_message(&event, msg);
    if (!code && !was_heard(sig, msg) && tdm_sig_queue_push(&sig->queue, &event) != TDM_OK) {
        sig->heard[--sig->heard_count % TDM_SIP_HEARD_MAX] = 0;
        code = 503;
    }
    reply(stack, msg, code ? code : 200);
}

static void thought_for_long(void *arg)
{
    struct tdm_sip_call *call = arg;

    if (call->st)
        (void)sip_treply(&call->st, call->stack->sip, call->invite, 202, "Accepted");
    call->st = NULL;
}

void tdm_sip_on_refer(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    struct tdm_sig *sig = stack->sig;
    struct tdm_sig_event event;
    struct tdm_sip_call *call;
    uint16_t code;

    tdm_sip_event_of(&event, TDM_SIG_INVITED_BACK, 0);
    tdm_sip_take_caller(&event, msg);
    code = tdm_sip_take_target(&event, msg);
    if (!code && (!tdm_sip_room_for_call(sig) || sig->closing))
        code = 486;
    if (code) {
        reply(stack, msg, code);
        return;
    }
    call = tdm_sip_call_new(sig, atomic_fetch_add(&sig->last_id, 1) + 1, TDM_SIP_RINGING);
    if (!call)
        return;
    tdm_sip_call_use(call, stack);
    call->purpose = TDM_SIP_REFER;
    call->invite = mem_ref((void *)msg);
    event.id = call->id;
    if (sip_strans_alloc(&call->st, stack->sip, msg, NULL, NULL)) {
        mem_deref(call);
        return;
    }
    tmr_start(&call->give_up, THINK_MS, thought_for_long, call);
    if (tdm_sig_queue_push(&sig->queue, &event) != TDM_OK) {
        call->over = true;
        tdm_sip_leave(call, 503);
    }
}

void tdm_sip_agree(struct tdm_sip_call *call)
{
    thought_for_long(call);
    call->over = true;
    mem_deref(call);
}

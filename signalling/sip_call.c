/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CLOSE_WAIT_MS   1000
#define CLOSE_LINGER_MS 20

void tdm_sip_call_emit(struct tdm_sip_call *call, enum tdm_sig_kind kind, uint16_t code,
                       const char *reason, const struct sip_msg *msg)
{
    struct tdm_sig_event event;

    tdm_sip_event_of(&event, kind, call->id);
    event.code = code;
    event.account = call->account ? call->account->id : 0;
    (void)snprintf(event.reason, sizeof event.reason, "%s", reason ? reason : "");
    if (msg)
        tdm_sip_take_body(&event, msg);
    (void)tdm_sig_queue_push(&call->sig->queue, &event);
}

void tdm_sip_call_end(struct tdm_sip_call *call, enum tdm_sig_kind kind, uint16_t code,
                      const char *reason)
{
    if (!call->over)
        tdm_sip_call_emit(call, kind, code, reason, NULL);
    call->over = true;
}

static void close_handler(void *arg)
{
    (void)arg;
    re_cancel();
}

/* The loop ends with the last call; a little later, as SIPp for one takes a TCP connection that
 * closes right behind its 200 for a failure. */
void tdm_sip_close_if_last(struct tdm_sig *sig)
{
    if (sig->closing && !sig->calls.head && !sig->accounts.head)
        tmr_start(&sig->close_due, CLOSE_LINGER_MS, close_handler, NULL);
}

static void call_destructor(void *arg)
{
    struct tdm_sip_call *call = arg;

    list_unlink(&call->le);
    tdm_sip_stop_resend(call);
    tdm_sip_close_icmp(call);
    mem_deref(call->req);
    mem_deref(call->st);
    mem_deref(call->invite);
    mem_deref(call->dlg);
    mem_deref(call->body);
    mem_deref(call->events);
    mem_deref(call->account);
    mem_deref(call->stack);
    if (call->purpose == TDM_SIP_MESSAGE)
        tdm_sip_next_in_line(call->sig);
    tdm_sip_close_if_last(call->sig);
}

struct tdm_sip_call *tdm_sip_call_new(struct tdm_sig *sig, tdm_sig_id id, enum tdm_sip_phase phase)
{
    struct tdm_sip_call *call = mem_zalloc(sizeof *call, call_destructor);

    if (!call)
        return NULL;
    call->sig = sig;
    call->id = id;
    call->phase = phase;
    call->icmp_fd = -1;
    tmr_init(&call->resend);
    tmr_init(&call->give_up);
    list_append(&sig->calls, &call->le, call);
    return call;
}

void tdm_sip_call_use(struct tdm_sip_call *call, struct tdm_sip_stack *stack)
{
    mem_ref(stack);
    mem_deref(call->stack);
    call->stack = stack;
}

void tdm_sip_call_use_account(struct tdm_sip_call *call, struct tdm_sip_account *account)
{
    mem_ref(account);
    mem_deref(call->account);
    call->account = account;
}

struct tdm_sip_call *tdm_sip_call_find(struct tdm_sig *sig, tdm_sig_id id)
{
    for (struct le *le = sig->calls.head; le; le = le->next) {
        struct tdm_sip_call *call = le->data;

        if (call->id == id && !call->over)
            return call;
    }
    return NULL;
}

struct tdm_sip_call *tdm_sip_call_of(struct tdm_sig *sig, const struct sip_msg *msg)
{
    for (struct le *le = sig->calls.head; le; le = le->next) {
        struct tdm_sip_call *call = le->data;

        if (call->dlg && sip_dialog_established(call->dlg) && sip_dialog_cmp(call->dlg, msg))
            return call;
    }
    return NULL;
}

/* Calls that are over but still on the wire count twice less: a flood cannot keep us busy. */
bool tdm_sip_room_for_call(const struct tdm_sig *sig)
{
    uint32_t alive = 0, all = 0;

    for (struct le *le = sig->calls.head; le; le = le->next) {
        const struct tdm_sip_call *call = le->data;

        if (call->events || call->purpose == TDM_SIP_MESSAGE)
            continue;
        all++;
        alive += !call->over;
    }
    return alive < sig->calls_max && all < 4 * sig->calls_max + 16;
}

static int say_bye(struct tdm_sip_call *call);

static void bye_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    if (!err && msg && msg->scode < 200)
        return;
    if (!err && msg && tdm_sip_auth_again(call, msg) && say_bye(call) == 0)
        return;
    mem_deref(call);
}

static int say_bye(struct tdm_sip_call *call)
{
    return tdm_sip_request(call, &call->req, "BYE", 0, bye_response, TDM_SIP_NO_BODY);
}

void tdm_sip_say_bye(struct tdm_sip_call *call)
{
    tdm_sip_stop_resend(call);
    call->phase = TDM_SIP_LEAVING;
    call->req = mem_deref(call->req);
    if (call->st)
        (void)sip_treply(&call->st, call->stack->sip, call->invite, 487, tdm_sip_phrase(487));
    call->try_count = 0;
    if (say_bye(call))
        mem_deref(call);
}

void tdm_sip_leave(struct tdm_sip_call *call, uint16_t code)
{
    if (call->events) {
        tdm_sip_events_leave(call);
        return;
    }
    switch (call->phase) {
    case TDM_SIP_LOOKING_UP:
    case TDM_SIP_CONNECTING:
        mem_deref(call);
        break;
    case TDM_SIP_INVITING:
        if (call->purpose != TDM_SIP_CALL) { /* Nothing but an INVITE can be cancelled. */
            mem_deref(call);
            break;
        }
        call->phase = TDM_SIP_LEAVING;
        tdm_sip_close_icmp(call);
        sip_request_cancel(call->req);
        break;
    case TDM_SIP_RINGING:
        if (call->st || call->purpose == TDM_SIP_CALL)
            (void)sip_treply(&call->st, call->stack->sip, call->invite, code, tdm_sip_phrase(code));
        mem_deref(call);
        break;
    case TDM_SIP_ACCEPTED:
        call->bye_due = true;
        break;
    case TDM_SIP_UP:
        tdm_sip_say_bye(call);
        break;
    case TDM_SIP_LEAVING:
        break;
    }
}

void tdm_sip_call_fail(struct tdm_sip_call *call, const char *reason)
{
    if (call->events) {
        tdm_sip_events_failed(call, reason);
        return;
    }
    if (call->purpose == TDM_SIP_MESSAGE && !call->in_line)
        tdm_sip_fail_line(call, reason);
    tdm_sip_call_end(call, TDM_SIG_FAILED, 0, reason);
    mem_deref(call);
}

static void describe_error(const struct tdm_sip_call *call, int err, char *words, size_t capacity)
{
    const struct tdm_sip_uri *to = call->hop.host[0] ? &call->hop : &call->uri;
    const struct tdm_trust *trust = call->stack ? call->stack->trust : NULL;
    unsigned port = tdm_sip_uri_port(to);
    const char *transport = to->tls ? "TLS" : to->tcp ? "TCP" : "UDP";

    if (trust && tdm_trust_reason(trust)[0]) {
        (void)snprintf(words, capacity, "%s", tdm_trust_reason(trust));
        return;
    }
    if (call->account) {
        (void)snprintf(words, capacity,
                       "the account's server (%.60s, port %u, %s) does not answer: is the account "
                       "registered?",
                       to->host, port, transport);
        return;
    }
    if (err == EPROTO)
        (void)snprintf(words, capacity, "%.60s, port %u, does not speak TLS: is it the right port?",
                       to->host, port);
    else if (err == ETIMEDOUT)
        (void)snprintf(words, capacity,
                       "%.60s does not answer (port %u, %s): is Tandem running "
                       "there, and no firewall between?",
                       call->uri.host, port, transport);
    else if (err == ECONNREFUSED || err == ECONNRESET)
        (void)snprintf(words, capacity,
                       "nothing listens at %.60s, port %u (%s): is Tandem running there, and on "
                       "that port?",
                       call->uri.host, port, transport);
    else if (err == ENETUNREACH || err == EHOSTUNREACH)
        (void)snprintf(words, capacity, "%.60s cannot be reached: check the network",
                       call->uri.host);
    else
        (void)snprintf(words, capacity, "cannot send to %.60s (error %d): check the address",
                       call->uri.host, err);
}

void tdm_sip_call_fail_error(struct tdm_sip_call *call, int err)
{
    char words[TDM_SIG_REASON_MAX];

    describe_error(call, err, words, sizeof words);
    tdm_sip_call_fail(call, words);
}

void tdm_sip_close_calls(struct tdm_sig *sig)
{
    struct le *le = sig->calls.head;

    sig->closing = true;
    tmr_start(&sig->close_due, CLOSE_WAIT_MS, close_handler, NULL);
    while (le) {
        struct tdm_sip_call *call = le->data;

        le = le->next;
        if (!call->over) {
            call->over = true;
            tdm_sip_leave(call, 480);
        }
    }
    tdm_sip_close_accounts(sig);
    tdm_sip_close_if_last(sig);
}

/* SPDX-License-Identifier: MIT */
/* Our subscriptions: SUBSCRIBE, and the NOTIFY that follow (RFC 6665). */
#include "engine/io/entropy.h"
#include "signalling/sip_events.h"
#include "signalling/sip_words.h"

#include <stdio.h>

static void wake_handler(void *arg)
{
    tdm_sip_watch_step(arg, NULL);
}

/* Over, when it was released and nothing is left to say. */
static bool end_if_over(struct tdm_sip_call *call, uint16_t code, const char *reason)
{
    const struct tdm_watch *watch = &call->events->watch;

    if (watch->on || watch->asked || watch->dialog)
        return false;
    tdm_sip_events_emit(call, TDM_SIG_SUBSCRIPTION_ENDED, code, 0, reason);
    call->over = true;
    mem_deref(call);
    return true;
}

void tdm_sip_watch_step(struct tdm_sip_call *call, const struct tdm_watch_in *in)
{
    struct tdm_sip_events *events = call->events;
    struct tdm_watch_out out;

    tdm_watch_step(&events->watch, tdm_sip_events_now(), in, &out);
    tdm_sip_events_wake(call, out.wake_at, wake_handler);
    switch (out.what) {
    case TDM_WATCH_NOTHING:
        (void)end_if_over(call, in ? in->code : 0, "");
        break;
    case TDM_WATCH_SUBSCRIBE:
        events->sub_expires_s = out.expires_s;
        tdm_sip_events_begin(call); /* May fail at once, and step again. */
        break;
    case TDM_WATCH_REFRESH:
    case TDM_WATCH_LEAVE:
        events->sub_expires_s = out.expires_s;
        /* A dialog whose 200 was lost cannot be left: it runs out. */
        if (!call->dlg || !sip_dialog_established(call->dlg) || tdm_sip_send_subscribe(call))
            tdm_sip_watch_failed(call, "the network is gone");
        break;
    }
}

/* How long until it is tried again. */
static uint32_t wait_s(const struct tdm_watch *watch)
{
    tdm_time wait = watch->due == TDM_NEVER ? 0 : watch->due - tdm_sip_events_now();

    return wait > 0 ? (uint32_t)(wait / TDM_S) + 1 : 0;
}

static void answered(struct tdm_sip_call *call, const struct tdm_watch_in *in, const char *reason)
{
    tdm_sig_id id = call->id;
    struct tdm_sig *sig = call->sig;

    mem_ref(call);
    tdm_sip_watch_step(call, in);
    if (tdm_sip_call_find(sig, id) == call) {
        if (in->code / 100 == 2)
            tdm_sip_events_emit(call, TDM_SIG_SUBSCRIBED, in->code, in->expires_s, NULL);
        else
            tdm_sip_events_emit(call, TDM_SIG_SUBSCRIPTION_WAITS, in->code,
                                wait_s(&call->events->watch), reason);
    }
    mem_deref(call);
}

void tdm_sip_watch_failed(struct tdm_sip_call *call, const char *reason)
{
    answered(call, &(struct tdm_watch_in){.kind = TDM_WATCH_ANSWERED}, reason);
}

static void subscribe_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    if (!err && msg && msg->scode < 200)
        return;
    tdm_sip_close_icmp(call);
    if (err || !msg) {
        tdm_sip_call_fail_error(call, err);
        return;
    }
    if (tdm_sip_auth_again(call, msg) && tdm_sip_send_subscribe(call) == 0)
        return;
    if (msg->scode < 300) {
        if (!sip_dialog_established(call->dlg))
            (void)sip_dialog_create(call->dlg, msg);
        else
            (void)sip_dialog_update(call->dlg, msg);
        call->phase = TDM_SIP_UP;
    }
    answered(call,
             &(struct tdm_watch_in){.kind = TDM_WATCH_ANSWERED,
                                    .code = msg->scode,
                                    .expires_s = tdm_sip_number_of(msg, SIP_HDR_EXPIRES),
                                    .min_expires_s = tdm_sip_number_of(msg, SIP_HDR_MIN_EXPIRES),
                                    .retry_after_s = tdm_sip_number_of(msg, SIP_HDR_RETRY_AFTER)},
             tdm_sip_refusal(call, msg->scode));
}

int tdm_sip_send_subscribe(struct tdm_sip_call *call)
{
    const struct tdm_sip_events *events = call->events;

    return tdm_sip_request(
        call, &call->req, "SUBSCRIBE", 0, subscribe_response,
        "Event: %s\r\nAccept: application/pidf+xml\r\nExpires: %u\r\n" TDM_SIP_NO_BODY,
        events->package, events->sub_expires_s);
}

void tdm_sip_do_subscribe(struct tdm_sig *sig, const struct tdm_sip_command *command)
{
    struct tdm_sip_call *call = tdm_sip_events_new(sig, command, TDM_SIP_SUBSCRIPTION);

    if (!call)
        return;
    tdm_sip_call_use_account(call, tdm_sip_account_find(sig, command->account));
    tdm_watch_init(&call->events->watch, tdm_entropy_u64());
    call->events->watch.once = command->expires_s == 0;
    if (command->expires_s)
        call->events->watch.expires_s = command->expires_s;
    tdm_sip_watch_step(call, &(struct tdm_watch_in){.kind = TDM_WATCH_START});
}

/* --- What they tell --------------------------------------------------------------------------- */

/* The subscription of a NOTIFY, which may come before the 200 that makes the dialog. */
static struct tdm_sip_call *subscription_of(struct tdm_sig *sig, const struct sip_msg *msg)
{
    for (struct le *le = sig->calls.head; le; le = le->next) {
        struct tdm_sip_call *call = le->data;

        if (call->purpose != TDM_SIP_SUBSCRIPTION || !call->dlg)
            continue;
        if (sip_dialog_established(call->dlg) ? sip_dialog_cmp(call->dlg, msg)
                                              : sip_dialog_cmp_half(call->dlg, msg))
            return call;
    }
    return NULL;
}

/* Subscription-State (RFC 6665 section 8.2.3). */
static bool take_state(const struct sip_msg *msg, struct tdm_watch_in *in)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_SUBSCRIPTION_STATE);
    struct sipevent_substate state;
    struct pl reason;
    char word[24] = "";

    if (!hdr || sipevent_substate_decode(&state, &hdr->val))
        return false;
    in->state = state.state == SIPEVENT_ACTIVE    ? TDM_WATCH_IS_ACTIVE
                : state.state == SIPEVENT_PENDING ? TDM_WATCH_IS_PENDING
                                                  : TDM_WATCH_IS_TERMINATED;
    if (pl_isset(&state.expires))
        in->expires_s = pl_u32(&state.expires);
    if (pl_isset(&state.retry_after))
        in->retry_after_s = pl_u32(&state.retry_after);
    if (!msg_param_decode(&state.params, "reason", &reason)) {
        (void)pl_strcpy(&reason, word, sizeof word);
        in->reason = tdm_watch_reason_of(word);
    }
    return true;
}

static void tell(struct tdm_sip_call *call, const struct sip_msg *msg,
                 const struct tdm_watch_in *in)
{
    struct tdm_sig_event event;

    tdm_sip_event_of(&event, TDM_SIG_NOTIFIED, call->id);
    event.account = call->account ? call->account->id : 0;
    event.expires_s = in->expires_s;
    event.subscription = in->state == TDM_WATCH_IS_ACTIVE    ? TDM_SIG_SUBSCRIPTION_ACTIVE
                         : in->state == TDM_WATCH_IS_PENDING ? TDM_SIG_SUBSCRIPTION_PENDING
                                                             : TDM_SIG_SUBSCRIPTION_TERMINATED;
    (void)snprintf(event.package, sizeof event.package, "%s", call->events->package);
    if (in->state == TDM_WATCH_IS_TERMINATED && in->reason == TDM_WATCH_REJECTED)
        (void)snprintf(event.reason, sizeof event.reason, "they do not want to be seen");
    tdm_sip_take_caller(&event, msg);
    (void)tdm_sip_take_message(&event, msg); /* No body: nothing is known yet. */
    if (!call->over)
        (void)tdm_sig_queue_push(&call->sig->queue, &event);
}

void tdm_sip_on_notify(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    struct tdm_sip_call *call = subscription_of(stack->sig, msg);
    struct tdm_watch_in in = {.kind = TDM_WATCH_NOTIFIED};
    uint16_t code = !call                   ? 481
                    : !take_state(msg, &in) ? 400
                    : sip_dialog_established(call->dlg) && !sip_dialog_rseq_valid(call->dlg, msg)
                        ? 500
                        : 200;

    (void)sip_treply(NULL, stack->sip, msg, code, code == 200 ? "OK" : tdm_sip_phrase(code));
    if (code != 200)
        return;
    tell(call, msg, &in);
    tdm_sip_watch_step(call, &in);
}

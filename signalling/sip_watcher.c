/* SPDX-License-Identifier: MIT */
/* Those who subscribe to us, without a server between: their SUBSCRIBE, our NOTIFY (RFC 6665). Who
 * may see what is the user's side's business. */
#include "signalling/presence_watcher.h"
#include "signalling/sip_events.h"
#include "signalling/sip_words.h"

#include <stdio.h>

/* Longer than they asked for: the user's side ends it first. */
#define GRACE_S 10

static struct tdm_sip_call *watcher_of(struct tdm_sig *sig, const struct sip_msg *msg)
{
    struct tdm_sip_call *call = tdm_sip_call_of(sig, msg);

    return call && call->purpose == TDM_SIP_WATCHER ? call : NULL;
}

static void end(struct tdm_sip_call *call, uint16_t code, const char *reason)
{
    tdm_sip_events_emit(call, TDM_SIG_WATCHER_ENDED, code, 0, reason);
    call->over = true;
    mem_deref(call);
}

static void lapsed(void *arg)
{
    end(arg, 0, "the subscription ran out");
}

static void tell(struct tdm_sip_call *call, const struct sip_msg *msg, uint32_t expires_s)
{
    struct tdm_sig_event event;

    tdm_sip_event_of(&event, TDM_SIG_WATCHER_IN, call->id);
    event.account = call->account ? call->account->id : 0;
    event.expires_s = expires_s;
    tdm_sip_take_caller(&event, msg);
    (void)snprintf(event.package, sizeof event.package, "%s", call->events->package);
    if (tdm_sig_queue_push(&call->sig->queue, &event) != TDM_OK)
        end(call, 0, ""); /* They ask again. */
}

static int reply(struct tdm_sip_call *call, const struct sip_msg *msg, uint32_t expires_s)
{
    char contact[256];

    tdm_sip_contact(call, msg->tp, contact, sizeof contact);
    return sip_treplyf(NULL, NULL, call->stack->sip, msg, true, 200, "OK",
                       "%sExpires: %u\r\n" TDM_SIP_NO_BODY, contact, expires_s);
}

/* The package of an Event header, when it is one that we tell. */
static bool take_package(const struct sip_msg *msg, struct tdm_sip_command *command)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_EVENT);
    struct sipevent_event event;

    if (!hdr || sipevent_event_decode(&event, &hdr->val) || pl_strcasecmp(&event.event, "presence"))
        return false;
    (void)snprintf(command->package, sizeof command->package, "presence");
    return true;
}

static uint32_t asked_for(const struct sip_msg *msg)
{
    uint32_t expires = sip_msg_hdr(msg, SIP_HDR_EXPIRES) ? tdm_sip_number_of(msg, SIP_HDR_EXPIRES)
                                                         : TDM_WATCHER_EXPIRES;

    return expires > TDM_WATCHER_EXPIRES ? TDM_WATCHER_EXPIRES : expires;
}

static void grant(struct tdm_sip_call *call, const struct sip_msg *msg, uint32_t expires_s)
{
    uint64_t ms = ((uint64_t)expires_s + GRACE_S) * 1000;

    call->events->lapses_ms = tmr_jiffies() + (uint64_t)expires_s * 1000;
    tmr_start(&call->events->wake, ms, lapsed, call);
    if (reply(call, msg, expires_s))
        end(call, 0, "");
    else
        tell(call, msg, expires_s);
}

static uint32_t count(const struct tdm_sig *sig)
{
    uint32_t n = 0;

    for (struct le *le = sig->calls.head; le; le = le->next)
        n += ((const struct tdm_sip_call *)le->data)->purpose == TDM_SIP_WATCHER;
    return n;
}

static void new_watcher(struct tdm_sip_stack *stack, const struct sip_msg *msg, uint32_t expires_s)
{
    struct tdm_sig *sig = stack->sig;
    struct tdm_sip_command command = {.id = atomic_fetch_add(&sig->last_id, 1) + 1};
    struct tdm_sip_call *call;

    if (!take_package(msg, &command)) {
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, 489, "Bad Event",
                          "Allow-Events: presence\r\n" TDM_SIP_NO_BODY);
        return;
    }
    call = count(sig) < TDM_SIP_WATCHERS_MAX && !sig->closing
               ? tdm_sip_events_new(sig, &command, TDM_SIP_WATCHER)
               : NULL;
    if (!call) {
        (void)sip_treply(NULL, stack->sip, msg, 503, tdm_sip_phrase(503));
        return;
    }
    tdm_sip_call_use(call, stack);
    tdm_sip_call_use_account(call, tdm_sip_account_of(stack, msg));
    if (call->account)
        call->hop = tdm_sip_account_hop(call->account);
    if (sip_dialog_accept(&call->dlg, msg)) {
        (void)sip_reply(stack->sip, msg, 400, tdm_sip_phrase(400));
        call->over = true;
        mem_deref(call);
        return;
    }
    call->phase = TDM_SIP_UP;
    grant(call, msg, expires_s);
}

void tdm_sip_on_subscribe(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    uint32_t expires = asked_for(msg);
    struct tdm_sip_call *call = pl_isset(&msg->to.tag) ? watcher_of(stack->sig, msg) : NULL;
    uint16_t code = 0;

    if (!stack->sig->presence)
        code = 489;
    else if (pl_isset(&msg->to.tag) && (!call || call->over))
        code = 481;
    else if (call && !sip_dialog_rseq_valid(call->dlg, msg))
        code = 500;
    if (code) {
        (void)sip_treply(NULL, stack->sip, msg, code, tdm_sip_phrase(code));
    } else if (expires && expires < TDM_WATCHER_EXPIRES_MIN) {
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, 423, "Interval Too Brief",
                          "Min-Expires: %u\r\n" TDM_SIP_NO_BODY, TDM_WATCHER_EXPIRES_MIN);
    } else if (call) {
        (void)sip_dialog_update(call->dlg, msg);
        grant(call, msg, expires);
    } else {
        new_watcher(stack, msg, expires);
    }
}

/* --- What we tell ----------------------------------------------------------------------------- */

static void notify(struct tdm_sip_call *call);

static void notify_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    if (!err && msg && msg->scode < 200)
        return;
    if (!err && msg && tdm_sip_auth_again(call, msg)) {
        notify(call);
        return;
    }
    if (call->events->released)
        end(call, 0, "");
    else if (err || !msg || msg->scode >= 300) /* Not there any more (section 4.2.2). */
        end(call, msg ? msg->scode : 0, "they are not there any more");
    else if (call->events->due)
        notify(call);
}

static void notify(struct tdm_sip_call *call)
{
    struct tdm_sip_events *events = call->events;
    uint64_t now = tmr_jiffies();
    uint32_t left = events->lapses_ms > now ? (uint32_t)((events->lapses_ms - now) / 1000) : 0;
    size_t size = call->body ? call->body->end : 0;
    bool over = events->state == TDM_SIG_SUBSCRIPTION_TERMINATED;
    char state[80];
    int err;

    events->due = false;
    events->released |= over;
    if (over)
        (void)snprintf(state, sizeof state, "terminated;reason=%s",
                       events->reason[0] ? events->reason : "noresource");
    else
        (void)snprintf(state, sizeof state, "%s;expires=%u",
                       events->state == TDM_SIG_SUBSCRIPTION_PENDING ? "pending" : "active", left);
    err = tdm_sip_request(call, &call->req, "NOTIFY", 0, notify_response,
                          "Event: %s\r\nSubscription-State: %s\r\n%s%s%sContent-Length: "
                          "%zu\r\n\r\n%b",
                          events->package, state, size ? "Content-Type: " : "",
                          size ? call->content_type : "", size ? "\r\n" : "", size,
                          size ? call->body->buf : NULL, size);
    if (err)
        end(call, 0, "the network is gone");
}

void tdm_sip_do_notify(struct tdm_sip_call *call, const struct tdm_sip_command *command)
{
    struct tdm_sip_events *events = call->events;

    if (events->released)
        return;
    tdm_sip_events_keep(call, command);
    events->state = command->state;
    (void)snprintf(events->reason, sizeof events->reason, "%s", command->package);
    events->due = true;
    if (!call->req)
        notify(call);
}

void tdm_sip_watcher_leave(struct tdm_sip_call *call)
{
    struct tdm_sip_events *events = call->events;

    call->body = mem_deref(call->body);
    events->state = TDM_SIG_SUBSCRIPTION_TERMINATED;
    (void)snprintf(events->reason, sizeof events->reason, "deactivated");
    events->due = true;
    if (!call->req)
        notify(call);
}

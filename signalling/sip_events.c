/* SPDX-License-Identifier: MIT */
/* What subscriptions, publications and watchers share, and their commands. */
#include "signalling/sip_events.h"

#include "engine/io/entropy.h"
#include "signalling/text.h"

#include <stdio.h>
#include <string.h>

static void events_destructor(void *arg)
{
    struct tdm_sip_events *events = arg;

    tmr_cancel(&events->wake);
}

static uint32_t count(const struct tdm_sig *sig)
{
    uint32_t n = 0;

    for (struct le *le = sig->calls.head; le; le = le->next)
        n += ((const struct tdm_sip_call *)le->data)->events != NULL;
    return n;
}

static enum tdm_sig_kind end_kind(enum tdm_sip_purpose purpose)
{
    return purpose == TDM_SIP_PUBLICATION    ? TDM_SIG_PUBLICATION_ENDED
           : purpose == TDM_SIP_SUBSCRIPTION ? TDM_SIG_SUBSCRIPTION_ENDED
                                             : TDM_SIG_WATCHER_ENDED;
}

struct tdm_sip_call *tdm_sip_events_new(struct tdm_sig *sig, const struct tdm_sip_command *command,
                                        enum tdm_sip_purpose purpose)
{
    bool room = !sig->closing && count(sig) < TDM_SIP_SUBSCRIPTIONS_MAX + TDM_SIP_WATCHERS_MAX;
    struct tdm_sip_call *call =
        room ? tdm_sip_call_new(sig, command->id, TDM_SIP_LOOKING_UP) : NULL;
    struct tdm_sig_event event;

    if (call) {
        call->purpose = purpose;
        call->uri = command->uri;
        call->events = mem_zalloc(sizeof *call->events, events_destructor);
        if (call->events) {
            tmr_init(&call->events->wake);
            (void)snprintf(call->events->package, sizeof call->events->package, "%s",
                           command->package);
            return call;
        }
        mem_deref(call);
    }
    tdm_sip_event_of(&event, end_kind(purpose), command->id);
    (void)snprintf(event.reason, sizeof event.reason, "too many people are watched already");
    (void)tdm_sig_queue_push(&sig->queue, &event);
    return NULL;
}

tdm_time tdm_sip_events_now(void)
{
    return (tdm_time)tmr_jiffies() * TDM_MS;
}

void tdm_sip_events_wake(struct tdm_sip_call *call, tdm_time at, tmr_h *handler)
{
    tdm_time wait = at - tdm_sip_events_now();

    if (at == TDM_NEVER)
        tmr_cancel(&call->events->wake);
    else
        tmr_start(&call->events->wake, wait > 0 ? (uint64_t)(wait / TDM_MS) + 1 : 0, handler, call);
}

void tdm_sip_events_begin(struct tdm_sip_call *call)
{
    call->req = mem_deref(call->req);
    call->dlg = mem_deref(call->dlg);
    call->stack = mem_deref(call->stack);
    memset(&call->hop, 0, sizeof call->hop);
    call->phase = TDM_SIP_LOOKING_UP;
    tdm_sip_call_begin(call);
}

void tdm_sip_events_keep(struct tdm_sip_call *call, const struct tdm_sip_command *command)
{
    mem_deref(call->body);
    call->body = mbuf_alloc(command->size + 1);
    if (call->body)
        (void)mbuf_write_mem(call->body, command->body, command->size);
    (void)snprintf(call->content_type, sizeof call->content_type, "%s", command->content_type);
}

void tdm_sip_events_emit(struct tdm_sip_call *call, enum tdm_sig_kind kind, uint16_t code,
                         uint32_t expires_s, const char *reason)
{
    struct tdm_sig_event event;

    if (call->over)
        return;
    tdm_sip_event_of(&event, kind, call->id);
    event.account = call->account ? call->account->id : 0;
    event.code = code;
    event.expires_s = expires_s;
    (void)snprintf(event.package, sizeof event.package, "%s", call->events->package);
    (void)snprintf(event.reason, sizeof event.reason, "%s", reason ? reason : "");
    (void)tdm_sig_queue_push(&call->sig->queue, &event);
}

uint32_t tdm_sip_number_of(const struct sip_msg *msg, enum sip_hdrid id)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
    uint64_t number = 0;

    if (!hdr)
        return 0;
    struct tdm_text text = tdm_text_trim(tdm_text_of(hdr->val.p, hdr->val.l));

    return tdm_text_number(&text, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

int tdm_sip_events_send(struct tdm_sip_call *call)
{
    return call->purpose == TDM_SIP_PUBLICATION ? tdm_sip_send_publish(call)
                                                : tdm_sip_send_subscribe(call);
}

void tdm_sip_events_failed(struct tdm_sip_call *call, const char *reason)
{
    tdm_sip_close_icmp(call);
    call->req = mem_deref(call->req);
    if (call->purpose == TDM_SIP_PUBLICATION)
        tdm_sip_publish_failed(call, reason);
    else
        tdm_sip_watch_failed(call, reason);
}

void tdm_sip_events_retry(struct tdm_sip_account *account)
{
    for (struct le *le = account->sig->calls.head, *next; le; le = next) {
        struct tdm_sip_call *call = le->data;

        next = le->next;
        if (!call->events || call->account != account || call->events->released)
            continue;
        if (call->purpose == TDM_SIP_PUBLICATION)
            tdm_sip_publish_step(call, &(struct tdm_publish_in){.kind = TDM_PUBLISH_RETRY});
        else if (call->purpose == TDM_SIP_SUBSCRIPTION)
            tdm_sip_watch_step(call, &(struct tdm_watch_in){.kind = TDM_WATCH_RETRY});
    }
}

void tdm_sip_events_leave(struct tdm_sip_call *call)
{
    if (call->events->released)
        return;
    if (call->purpose == TDM_SIP_WATCHER) {
        tdm_sip_watcher_leave(call);
        return;
    }
    call->events->released = true;
    if (call->purpose == TDM_SIP_PUBLICATION)
        tdm_sip_publish_step(call, &(struct tdm_publish_in){.kind = TDM_PUBLISH_STOP});
    else
        tdm_sip_watch_step(call, &(struct tdm_watch_in){.kind = TDM_WATCH_STOP});
}

bool tdm_sip_events_command(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                            const struct tdm_sip_command *command)
{
    struct tdm_sip_call *call = tdm_sip_call_find(sig, command->id);

    if (kind == TDM_SIP_DO_SUBSCRIBE)
        tdm_sip_do_subscribe(sig, command);
    else if (kind == TDM_SIP_DO_PUBLISH)
        tdm_sip_do_publish(sig, command);
    else if (kind == TDM_SIP_DO_NOTIFY && call && call->purpose == TDM_SIP_WATCHER)
        tdm_sip_do_notify(call, command);
    else if (kind == TDM_SIP_DO_RELEASE && call && call->events)
        tdm_sip_events_leave(call);
    return kind == TDM_SIP_DO_SUBSCRIBE || kind == TDM_SIP_DO_PUBLISH ||
           kind == TDM_SIP_DO_NOTIFY || kind == TDM_SIP_DO_RELEASE;
}

bool tdm_sip_on_event(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    if (!pl_strcmp(&msg->met, "SUBSCRIBE"))
        tdm_sip_on_subscribe(stack, msg);
    else if (!pl_strcmp(&msg->met, "NOTIFY"))
        tdm_sip_on_notify(stack, msg);
    else
        return false;
    return true;
}

/* --- From any thread -------------------------------------------------------------------------- */

/* A package's name goes into a header as it is. */
static bool is_package(const char *text)
{
    size_t size = strlen(text);

    return size && size < sizeof((struct tdm_sip_command *)0)->package &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz-.") == size;
}

enum tdm_err tdm_sip_push_subscribe(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                    const char *package, uint32_t expires_s, tdm_sig_id *id,
                                    struct tdm_cause *cause)
{
    struct tdm_sip_command head = {.account = account, .expires_s = expires_s};
    enum tdm_err err = tdm_sip_uri_parse(uri, &head.uri, cause);

    if (err)
        return err;
    if (!is_package(package))
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "there is no event package of that name");
    (void)snprintf(head.package, sizeof head.package, "%s", package);
    head.id = *id = atomic_fetch_add(&sig->last_id, 1) + 1;
    err = tdm_sip_push(sig, TDM_SIP_DO_SUBSCRIBE, &head, NULL);
    return err ? tdm_fail(cause, err, "too many commands wait: try again") : TDM_OK;
}

enum tdm_err tdm_sip_push_publish(struct tdm_sig *sig, tdm_sig_id account, const char *package,
                                  const struct tdm_sig_body *body, uint32_t expires_s,
                                  tdm_sig_id *id, struct tdm_cause *cause)
{
    struct tdm_sip_command head = {.account = account, .expires_s = expires_s, .id = *id};
    enum tdm_err err;

    if (!is_package(package) || !account)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "only an account's server takes publications");
    (void)snprintf(head.package, sizeof head.package, "%s", package);
    (void)snprintf(head.content_type, sizeof head.content_type, "%s",
                   body->content_type ? body->content_type : "application/pidf+xml");
    if (!head.id)
        head.id = *id = atomic_fetch_add(&sig->last_id, 1) + 1;
    err = tdm_sip_push(sig, TDM_SIP_DO_PUBLISH, &head, body);
    return err ? tdm_fail(cause, err, "too many commands wait: try again") : TDM_OK;
}

enum tdm_err tdm_sip_push_notify(struct tdm_sig *sig, tdm_sig_id watcher,
                                 enum tdm_sig_subscription state, const char *reason,
                                 const struct tdm_sig_body *body)
{
    struct tdm_sip_command head = {.id = watcher, .state = state};

    (void)snprintf(head.package, sizeof head.package, "%s", reason ? reason : "");
    (void)snprintf(head.content_type, sizeof head.content_type, "%s",
                   body && body->content_type ? body->content_type : "application/pidf+xml");
    return tdm_sip_push(sig, TDM_SIP_DO_NOTIFY, &head, body);
}

enum tdm_err tdm_sip_push_release(struct tdm_sig *sig, tdm_sig_id id)
{
    return tdm_sip_push(sig, TDM_SIP_DO_RELEASE, &(struct tdm_sip_command){.id = id}, NULL);
}

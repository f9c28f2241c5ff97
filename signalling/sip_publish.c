/* SPDX-License-Identifier: MIT */
/* Our publications (RFC 3903). */
#include "engine/io/entropy.h"
#include "signalling/sip_events.h"

#include <stdio.h>

static void wake_handler(void *arg)
{
    tdm_sip_publish_step(arg, NULL);
}

static bool end_if_over(struct tdm_sip_call *call, uint16_t code)
{
    const struct tdm_publish *publish = &call->events->publish;

    if (publish->on || publish->phase == TDM_PUBLISH_ASKED || publish->etag[0])
        return false;
    tdm_sip_events_emit(call, TDM_SIG_PUBLICATION_ENDED, code, 0, "");
    call->over = true;
    mem_deref(call);
    return true;
}

void tdm_sip_publish_step(struct tdm_sip_call *call, const struct tdm_publish_in *in)
{
    struct tdm_sip_events *events = call->events;
    struct tdm_publish_out out;

    tdm_publish_step(&events->publish, tdm_sip_events_now(), in, &out);
    tdm_sip_events_wake(call, out.wake_at, wake_handler);
    if (out.what == TDM_PUBLISH_NOTHING) {
        (void)end_if_over(call, in ? in->code : 0);
        return;
    }
    events->last = out;
    tdm_sip_events_begin(call); /* May fail at once, and step again. */
}

static void done(struct tdm_sip_call *call, const struct tdm_publish_in *in, const char *reason)
{
    tdm_sig_id id = call->id;
    struct tdm_sig *sig = call->sig;

    mem_ref(call);
    tdm_sip_publish_step(call, in);
    if (tdm_sip_call_find(sig, id) == call) {
        if (in->code / 100 == 2)
            tdm_sip_events_emit(call, TDM_SIG_PUBLISHED, in->code, in->expires_s, NULL);
        else
            tdm_sip_events_emit(call, TDM_SIG_PUBLICATION_WAITS, in->code, 0, reason);
    }
    mem_deref(call);
}

void tdm_sip_publish_failed(struct tdm_sip_call *call, const char *reason)
{
    done(call, &(struct tdm_publish_in){.kind = TDM_PUBLISH_DONE}, reason);
}

static void publish_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;
    const struct sip_hdr *etag;
    char tag[TDM_PUBLISH_ETAG_MAX] = "";

    if (!err && msg && msg->scode < 200)
        return;
    tdm_sip_close_icmp(call);
    if (err || !msg) {
        tdm_sip_call_fail_error(call, err);
        return;
    }
    if (tdm_sip_auth_again(call, msg) && tdm_sip_send_publish(call) == 0)
        return;
    etag = sip_msg_hdr(msg, SIP_HDR_SIP_ETAG);
    if (etag && etag->val.l < sizeof tag)
        (void)pl_strcpy(&etag->val, tag, sizeof tag);
    done(call,
         &(struct tdm_publish_in){.kind = TDM_PUBLISH_DONE,
                                  .code = msg->scode,
                                  .etag = tag[0] ? tag : NULL,
                                  .expires_s = tdm_sip_number_of(msg, SIP_HDR_EXPIRES),
                                  .min_expires_s = tdm_sip_number_of(msg, SIP_HDR_MIN_EXPIRES),
                                  .retry_after_s = tdm_sip_number_of(msg, SIP_HDR_RETRY_AFTER)},
         tdm_sip_refusal(call, msg->scode));
}

int tdm_sip_send_publish(struct tdm_sip_call *call)
{
    const struct tdm_sip_events *events = call->events;
    const struct tdm_publish_out *last = &events->last;
    bool says = last->what == TDM_PUBLISH_SAY;
    size_t size = says && call->body ? call->body->end : 0;

    return tdm_sip_request(call, &call->req, "PUBLISH", 0, publish_response,
                           "Event: %s\r\nExpires: %u\r\n%s%s%s%s%s%sContent-Length: %zu\r\n\r\n%b",
                           events->package, last->expires_s, last->etag[0] ? "SIP-If-Match: " : "",
                           last->etag, last->etag[0] ? "\r\n" : "", size ? "Content-Type: " : "",
                           size ? call->content_type : "", size ? "\r\n" : "", size,
                           size ? call->body->buf : NULL, size);
}

void tdm_sip_do_publish(struct tdm_sig *sig, const struct tdm_sip_command *command)
{
    struct tdm_sip_account *account = tdm_sip_account_find(sig, command->account);
    struct tdm_sip_call *call = tdm_sip_call_find(sig, command->id);

    if (call && call->purpose == TDM_SIP_PUBLICATION) {
        tdm_sip_events_keep(call, command);
        tdm_sip_publish_step(call, &(struct tdm_publish_in){.kind = TDM_PUBLISH_CHANGED});
        return;
    }
    call = tdm_sip_events_new(sig, command, TDM_SIP_PUBLICATION);
    if (!call)
        return;
    tdm_publish_init(&call->events->publish, tdm_entropy_u64());
    if (command->expires_s)
        call->events->publish.expires_s = command->expires_s;
    if (!account) {
        (void)end_if_over(call, 404);
        return;
    }
    call->uri = account->aor;
    tdm_sip_call_use_account(call, account);
    tdm_sip_events_keep(call, command);
    tdm_sip_publish_step(call, &(struct tdm_publish_in){.kind = TDM_PUBLISH_START});
}

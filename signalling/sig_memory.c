/* SPDX-License-Identifier: MIT */
/* The table of the in-memory backend; sig_memory_state.h says how the parts fit. */
#include "signalling/sig_memory_state.h"
#include "signalling/sip_uri.h"
#include "signalling/sip_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum tdm_err memory_open(struct tdm_sig **out, const struct tdm_sig_config *config,
                                struct tdm_cause *cause)
{
    struct tdm_sig_wire *wire = config->wire;
    uint32_t index = 0;

    while (index < TDM_MEMORY_ENDPOINTS_MAX && wire->endpoints[index])
        index++;
    if (index == TDM_MEMORY_ENDPOINTS_MAX)
        return tdm_fail(cause, TDM_E_SPACE, "a wire has at most %d endpoints",
                        TDM_MEMORY_ENDPOINTS_MAX);

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
    sig->no_messages = config->no_messages;
    (void)snprintf(sig->name, sizeof sig->name, "%s", config->user ? config->user : "tandem");
    wire->endpoints[index] = sig;
    *out = sig;
    return TDM_OK;
}

/* What is in flight still arrives; nothing is waited for. */
static void memory_close(struct tdm_sig *sig)
{
    for (uint32_t i = 0; i < TDM_MEMORY_CALLS_MAX; i++) {
        if (sig->calls[i].used && !sig->calls[i].over)
            tdm_memory_leave(sig, &sig->calls[i], 480);
        tdm_memory_stop_all(&sig->calls[i]);
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
    return tdm_memory_endpoint_named(wire, uri->user[0] && !is_target(uri) ? uri->user : uri->host);
}

static enum tdm_err begin(struct tdm_sig *sig, const char *text, struct tdm_memory_call **out,
                          struct tdm_cause *cause)
{
    struct tdm_sip_uri uri;
    enum tdm_err err = tdm_sip_uri_parse(text, &uri, cause);
    int peer = err ? -1 : find_endpoint(sig->wire, &uri);

    if (err)
        return err;
    *out = tdm_memory_call_new(sig, TDM_MEMORY_INVITING,
                               (uint64_t)sig->index << 48 | ++sig->wire->last_token,
                               peer < 0 ? 0 : (uint32_t)peer);
    if (!*out)
        return tdm_fail(cause, TDM_E_SPACE, "there are too many calls already: end one first");
    (*out)->outgoing = true;
    if (is_target(&uri))
        (void)snprintf((*out)->target, sizeof(*out)->target, "%s", text);
    if (peer < 0) {
        tdm_memory_emit_end(sig, *out, TDM_SIG_FAILED, 0, "host is unknown: check its name");
        tdm_memory_go(sig, *out);
    }
    return TDM_OK;
}

static enum tdm_err check_body(const struct tdm_sig_body *body)
{
    return body && body->size > TDM_SIG_BODY_MAX ? TDM_E_UNSUPPORTED : TDM_OK;
}

static void start_invite(struct tdm_sig *sig, struct tdm_memory_call *call,
                         const struct tdm_sig_body *offer)
{
    call->invite_seq = ++call->seq;
    call->inviting = true;
    call->provisional = false;
    tdm_memory_send_repeating(sig, call, &call->invite, TDM_MEMORY_INVITE, call->seq, 0, offer);
}

static enum tdm_err memory_call(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                const struct tdm_sig_body *offer, tdm_sig_id *id,
                                struct tdm_cause *cause)
{
    struct tdm_memory_call *call;
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
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);

    if (call && call->phase == TDM_MEMORY_RINGING && !call->asked)
        tdm_memory_send_once(sig, call, TDM_MEMORY_INVITE, call->their_seq, code, body);
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
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);
    enum tdm_err err = check_body(answer);

    if (err || !call || call->phase != TDM_MEMORY_RINGING)
        return err;
    if (call->asked) {
        tdm_memory_answer_asked(sig, call, 202);
        tdm_memory_go(sig, call);
        return TDM_OK;
    }
    call->phase = TDM_MEMORY_ACCEPTED;
    tdm_memory_answer_invite(sig, call, 200, answer);
    return TDM_OK;
}

static enum tdm_err memory_reject(struct tdm_sig *sig, tdm_sig_id id, uint16_t code)
{
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);

    if (call && call->phase == TDM_MEMORY_RINGING) {
        tdm_memory_emit_end(sig, call, TDM_SIG_ENDED, 0, "ended here");
        tdm_memory_leave(sig, call, code);
    }
    return TDM_OK;
}

static enum tdm_err memory_offer(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *offer)
{
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);
    enum tdm_err err = check_body(offer);

    if (err || !call || call->phase != TDM_MEMORY_UP)
        return err;
    if (call->inviting || call->their_pending || call->final.message)
        tdm_memory_emit(sig, call, TDM_SIG_OFFER_REFUSED, 491, tdm_sip_words(491), NULL);
    else
        start_invite(sig, call, offer);
    return TDM_OK;
}

static enum tdm_err memory_answer(struct tdm_sig *sig, tdm_sig_id id,
                                  const struct tdm_sig_body *answer, uint16_t code)
{
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);
    enum tdm_err err = check_body(answer);

    if (err || !call || call->phase != TDM_MEMORY_UP || !call->their_pending)
        return err;
    if (answer && answer->size)
        tdm_memory_answer_invite(sig, call, 200, answer);
    else
        tdm_memory_answer_invite(sig, call, code >= 300 ? code : 488, NULL);
    return TDM_OK;
}

static enum tdm_err memory_hangup(struct tdm_sig *sig, tdm_sig_id id, const char *reason)
{
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);

    (void)reason;
    if (call) {
        tdm_memory_emit_end(sig, call, TDM_SIG_ENDED, 0, "ended here");
        tdm_memory_leave(sig, call, 603);
    }
    return TDM_OK;
}

/* One request outside of a call, of a call's record. */
static void ask(struct tdm_sig *sig, struct tdm_memory_call *call, enum tdm_memory_method method,
                const struct tdm_sig_body *body)
{
    call->phase = TDM_MEMORY_LEAVING;
    if (!call->over)
        tdm_memory_send_repeating(sig, call, &call->request, method, ++call->seq, 0, body);
}

static enum tdm_err memory_options(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                   const struct tdm_sig_body *body, tdm_sig_id *id,
                                   struct tdm_cause *cause)
{
    struct tdm_memory_call *call;
    enum tdm_err err = begin(sig, uri, &call, cause);

    (void)account, (void)body;
    if (err)
        return err;
    *id = call->id;
    ask(sig, call, TDM_MEMORY_OPTIONS, NULL);
    return TDM_OK;
}

static enum tdm_err memory_message(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                   const struct tdm_sig_body *body, tdm_sig_id *id,
                                   struct tdm_cause *cause)
{
    struct tdm_memory_call *call;
    enum tdm_err err = check_body(body);

    (void)account;
    if (!err)
        err = begin(sig, uri, &call, cause);
    if (err)
        return err;
    *id = call->id;
    ask(sig, call, TDM_MEMORY_MESSAGE, body);
    return TDM_OK;
}

static enum tdm_err memory_invite_back(struct tdm_sig *sig, const char *uri, const char *service,
                                       const char *target, tdm_sig_id *id, struct tdm_cause *cause)
{
    struct tdm_sip_uri via = {.user = ""};
    enum tdm_err err = service ? tdm_sip_uri_parse(service, &via, cause) : TDM_OK;
    int index = service && !err ? find_endpoint(sig->wire, &via) : -1;
    struct tdm_memory_call *call;

    if (!err)
        err = begin(sig, uri, &call, cause);
    if (err)
        return err;
    *id = call->id;
    call->service = (uint32_t)(index + 1);
    (void)snprintf(call->target, sizeof call->target, "%s", target);
    ask(sig, call, TDM_MEMORY_REFER, NULL);
    return TDM_OK;
}

static enum tdm_err memory_dtmf_info(struct tdm_sig *sig, tdm_sig_id id, char digit,
                                     uint16_t duration_ms)
{
    struct tdm_memory_call *call = tdm_memory_call_by_id(sig, id);
    struct tdm_memory_message *message;

    if (!call || call->phase != TDM_MEMORY_UP)
        return TDM_OK;
    message = tdm_memory_message_new(call, sig->index, TDM_MEMORY_INFO, ++call->seq, 0, NULL);
    message->digit = digit;
    message->duration_ms = duration_ms;
    tdm_memory_repeat_start(sig->wire, &call->request, message, true);
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

/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum tdm_err tdm_sip_push(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                          const struct tdm_sip_command *head, const struct tdm_sig_body *body)
{
    size_t size = body ? body->size : 0;
    struct tdm_sip_command *command;

    if (size > TDM_SIG_BODY_MAX)
        return TDM_E_UNSUPPORTED;
    command = malloc(sizeof *command + size);
    if (!command)
        return TDM_E_SPACE;
    *command = *head;
    command->size = size;
    if (size)
        memcpy(command->body, body->data, size);
    if (mqueue_push(sig->mq, (int)kind, command)) {
        free(command);
        return TDM_E_SPACE;
    }
    return TDM_OK;
}

enum tdm_err tdm_sip_push_uri(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                              const struct tdm_sip_begin *begin, const struct tdm_sig_body *body,
                              tdm_sig_id *id, struct tdm_cause *cause)
{
    struct tdm_sip_command head = {.account = begin->account};
    enum tdm_err err = tdm_sip_uri_parse(begin->uri, &head.uri, cause);

    if (!err && begin->service)
        err = tdm_sip_uri_parse(begin->service, &head.service, cause);
    if (body && body->content_type)
        (void)snprintf(head.content_type, sizeof head.content_type, "%s", body->content_type);
    if (!err && (head.uri.tcp || head.service.tcp) && !(sig->transports & TDM_SIG_TCP))
        err = tdm_fail(cause, TDM_E_UNSUPPORTED, "TCP is switched off here");
    if (!err && (head.uri.tls || head.service.tls) && !(sig->transports & TDM_SIG_TLS))
        err = tdm_fail(cause, TDM_E_UNSUPPORTED, "TLS is switched off here");
    if (!err && head.service.tls)
        err = tdm_fail(cause, TDM_E_UNSUPPORTED,
                       "a service that calls back is reached by UDP or "
                       "TCP: for TLS, use an account there");
    if (err)
        return err;
    head.id = *id = atomic_fetch_add(&sig->last_id, 1) + 1;
    err = tdm_sip_push(sig, kind, &head, body);
    return err ? tdm_fail(cause, err, "too many commands wait, or the offer is too large") : TDM_OK;
}

static void end_call(struct tdm_sip_call *call, uint16_t code)
{
    tdm_sip_call_end(call, TDM_SIG_ENDED, 0, "ended here");
    tdm_sip_leave(call, code);
}

static bool begins(enum tdm_sip_command_kind kind, enum tdm_sip_purpose *purpose)
{
    *purpose = kind == TDM_SIP_DO_OPTIONS   ? TDM_SIP_OPTIONS
               : kind == TDM_SIP_DO_MESSAGE ? TDM_SIP_MESSAGE
               : kind == TDM_SIP_DO_REFER   ? TDM_SIP_REFER
                                            : TDM_SIP_CALL;
    return *purpose != TDM_SIP_CALL || kind == TDM_SIP_DO_CALL;
}

static bool run_account_command(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                                const struct tdm_sip_command *command)
{
    if (kind == TDM_SIP_DO_ACCOUNT_ADD)
        tdm_sip_do_account_add(sig, command);
    else if (kind == TDM_SIP_DO_ACCOUNT_REMOVE)
        tdm_sip_do_account_remove(sig, command->id);
    else if (kind == TDM_SIP_DO_ACCOUNT_RETRY)
        tdm_sip_do_account_retry(sig, command->id);
    else
        return false;
    return true;
}

static void run_command(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                        const struct tdm_sip_command *command)
{
    struct tdm_sip_call *call = tdm_sip_call_find(sig, command->id);
    enum tdm_sip_purpose purpose = TDM_SIP_CALL;

    if (begins(kind, &purpose)) {
        tdm_sip_do_call(sig, command, purpose);
        return;
    }
    if (run_account_command(sig, kind, command) || tdm_sip_events_command(sig, kind, command))
        return;
    if (!call || call->events)
        return;
    if (call->purpose == TDM_SIP_REFER && call->phase == TDM_SIP_RINGING) {
        if (kind == TDM_SIP_DO_ACCEPT)
            tdm_sip_agree(call);
        else if (kind == TDM_SIP_DO_REJECT || kind == TDM_SIP_DO_HANGUP)
            end_call(call, command->code >= 300 ? command->code : 603);
        return;
    }
    switch (kind) {
    case TDM_SIP_DO_RING:
        if (call->phase == TDM_SIP_RINGING)
            (void)tdm_sip_reply_invite(call, 180, "Ringing", NULL, 0, NULL);
        break;
    case TDM_SIP_DO_PROGRESS:
        if (call->phase == TDM_SIP_RINGING)
            (void)tdm_sip_reply_invite(call, 183, "Session Progress", command->body, command->size,
                                       NULL);
        break;
    case TDM_SIP_DO_ACCEPT:
        if (call->phase == TDM_SIP_RINGING)
            tdm_sip_reply_ok(call, command->body, command->size);
        break;
    case TDM_SIP_DO_REJECT:
        if (call->phase == TDM_SIP_RINGING)
            end_call(call, command->code >= 300 ? command->code : 603);
        break;
    case TDM_SIP_DO_OFFER:
        tdm_sip_do_offer(call, command);
        break;
    case TDM_SIP_DO_ANSWER:
        tdm_sip_do_answer(call, command);
        break;
    case TDM_SIP_DO_HANGUP:
        end_call(call, 603);
        break;
    case TDM_SIP_DO_DTMF:
        tdm_sip_do_dtmf(call, command);
        break;
    default:
        break;
    }
}

void tdm_sip_run_command(int kind, void *data, void *arg)
{
    struct tdm_sig *sig = arg;

    if (atomic_exchange(&sig->close_asked, false))
        tdm_sip_close_calls(sig);
    if (kind == TDM_SIP_LOOKED_UP) {
        tdm_sip_looked_up(sig, data);
    } else if (kind == TDM_SIP_DO_CLOSE) {
        tdm_sip_close_calls(sig);
    } else {
        run_command(sig, (enum tdm_sip_command_kind)kind, data);
        free(data);
    }
}

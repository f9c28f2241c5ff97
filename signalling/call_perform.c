/* SPDX-License-Identifier: MIT */
#include "signalling/call_perform.h"

#include <stdio.h>
#include <string.h>

#define DTMF_INFO_MS 160

static enum tdm_err run(struct tdm_call_machine *m, const struct tdm_sig_ops *ops,
                        struct tdm_sig *sig, const struct tdm_call_out *out,
                        struct tdm_cause *cause)
{
    struct tdm_sig_body body = {.data = out->body, .size = out->body_size};
    enum tdm_err err;

    switch (out->command) {
    case TDM_CALL_DO_CALL:
        return ops->call(sig, m->account, m->peer, &body, &m->id, cause);
    case TDM_CALL_DO_INVITE_BACK:
        if (m->id)
            (void)ops->hangup(sig, m->id, m->reason);
        m->id = 0;
        if (!ops->invite_back)
            return tdm_fail(cause, TDM_E_UNSUPPORTED, "%s cannot be asked to call back", m->peer);
        return ops->invite_back(sig, m->peer, m->service, m->back_target, &m->id, cause);
    case TDM_CALL_DO_CALL_BACK:
        err = ops->accept(sig, m->id, NULL);
        m->id = 0;
        return err ? err : ops->call(sig, 0, m->back_target, &body, &m->id, cause);
    case TDM_CALL_DO_RING:
        return ops->ring(sig, m->id);
    case TDM_CALL_DO_ACCEPT:
        return ops->accept(sig, m->id, &body);
    case TDM_CALL_DO_REJECT:
        return ops->reject(sig, m->id, out->code);
    case TDM_CALL_DO_OFFER:
        return ops->offer(sig, m->id, &body);
    case TDM_CALL_DO_ANSWER:
        return ops->answer(sig, m->id, out->body_size ? &body : NULL, out->code);
    case TDM_CALL_DO_HANGUP:
        return ops->hangup(sig, m->id, m->reason);
    case TDM_CALL_DO_DTMF_INFO:
        return ops->dtmf_info(sig, m->id, out->digit, DTMF_INFO_MS);
    default:
        return TDM_OK;
    }
}

void tdm_call_perform(struct tdm_call_machine *m, tdm_time now, const struct tdm_sig_ops *ops,
                      struct tdm_sig *sig, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = run(m, ops, sig, out, &cause);

    if (!err)
        return;

    struct tdm_sig_event event;

    memset(&event, 0, sizeof event);
    event.kind = TDM_SIG_FAILED;
    event.id = m->id;
    (void)snprintf(event.reason, sizeof event.reason, "%s",
                   cause.text[0] ? cause.text : "the signalling backend takes no more commands");
    tdm_call_step(m, now, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event}, out);
}

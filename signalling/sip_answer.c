/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

#define ACK_TIMEOUT_MS (UINT64_C(64) * SIP_T1)

void tdm_sip_stop_resend(struct tdm_sip_call *call)
{
    tmr_cancel(&call->resend);
    tmr_cancel(&call->give_up);
    call->ok = mem_deref(call->ok);
    call->resend_count = 0;
}

static void give_up_handler(void *arg)
{
    struct tdm_sip_call *call = arg;

    tdm_sip_call_end(call, TDM_SIG_FAILED, 0,
                     "the other side never confirmed our answer (no ACK): the call is ended");
    tdm_sip_say_bye(call);
}

static void resend_handler(void *arg)
{
    struct tdm_sip_call *call = arg;
    uint32_t wait = call->resend_count < 3 ? (uint32_t)SIP_T1 << ++call->resend_count : SIP_T2;

    (void)sip_send(call->stack->sip, call->invite->sock, call->invite->tp, &call->invite->src,
                   call->ok);
    tmr_start(&call->resend, wait, resend_handler, call);
}

int tdm_sip_reply_invite(struct tdm_sip_call *call, uint16_t code, const char *phrase,
                         const uint8_t *body, size_t size, struct mbuf **ok)
{
    char contact[256];

    tdm_sip_contact(call, call->invite->tp, contact, sizeof contact);
    return sip_treplyf(&call->st, ok, call->stack->sip, call->invite, true, code, phrase,
                       "%s" TDM_SIP_ALLOW "%sContent-Length: %zu\r\n\r\n%b", contact,
                       size ? "Content-Type: application/sdp\r\n" : "", size, body, size);
}

void tdm_sip_reply_ok(struct tdm_sip_call *call, const uint8_t *body, size_t size)
{
    size_t offered = 0;

    tdm_sip_stop_resend(call);
    (void)tdm_sip_body_size(call->invite, &offered);
    call->ok_offers = offered == 0;
    if (call->phase == TDM_SIP_RINGING)
        call->phase = TDM_SIP_ACCEPTED;
    if (tdm_sip_reply_invite(call, 200, "OK", body, size, &call->ok)) {
        call->ok = NULL;
        tdm_sip_call_end(call, TDM_SIG_FAILED, 0, "our answer could not be sent");
        if (call->phase == TDM_SIP_UP)
            tdm_sip_say_bye(call);
        else
            mem_deref(call);
        return;
    }
    tmr_start(&call->resend, SIP_T1, resend_handler, call);
    tmr_start(&call->give_up, ACK_TIMEOUT_MS, give_up_handler, call);
}

void tdm_sip_do_answer(struct tdm_sip_call *call, const struct tdm_sip_command *command)
{
    uint16_t code = command->code >= 300 ? command->code : 488;

    if (call->phase != TDM_SIP_UP || !call->st)
        return;
    if (command->size)
        tdm_sip_reply_ok(call, command->body, command->size);
    else
        (void)sip_treply(&call->st, call->stack->sip, call->invite, code, tdm_sip_phrase(code));
}

void tdm_sip_on_ack(struct tdm_sip_call *call, const struct sip_msg *msg)
{
    if (!call || !call->ok || msg->cseq.num != call->invite->cseq.num)
        return;
    tdm_sip_stop_resend(call);
    if (call->phase == TDM_SIP_ACCEPTED) {
        call->phase = TDM_SIP_UP;
        if (call->bye_due)
            tdm_sip_say_bye(call);
        else
            tdm_sip_call_emit(call, TDM_SIG_CONFIRMED, 0, NULL, msg);
    } else if (call->ok_offers && !call->over) {
        tdm_sip_call_emit(call, TDM_SIG_ANSWER, 0, NULL, msg);
    }
}

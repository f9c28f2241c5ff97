/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

#include <stdio.h>

static int send_reinvite(struct tdm_sip_call *call);

static void reinvite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    if (err || !msg) {
        tdm_sip_call_emit(call, TDM_SIG_OFFER_REFUSED, 408, tdm_sip_words(408), NULL);
    } else if (msg->scode < 200) {
        return;
    } else if (msg->scode < 300) {
        (void)sip_dialog_update(call->dlg, msg);
        (void)tdm_sip_send_ack(call, msg->cseq.num);
        tdm_sip_call_emit(call, TDM_SIG_ANSWER, msg->scode, NULL, msg);
    } else if (!tdm_sip_auth_again(call, msg) || send_reinvite(call)) {
        tdm_sip_call_emit(call, TDM_SIG_OFFER_REFUSED, msg->scode,
                          tdm_sip_refusal(call, msg->scode), NULL);
    }
}

static int send_reinvite(struct tdm_sip_call *call)
{
    return tdm_sip_request(call, &call->req, "INVITE", 0, reinvite_response,
                           TDM_SIP_ALLOW
                           "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%b",
                           call->body->end, call->body->buf, call->body->end);
}

void tdm_sip_do_offer(struct tdm_sip_call *call, const struct tdm_sip_command *command)
{
    if (call->phase != TDM_SIP_UP)
        return;
    if (call->req || call->st || call->ok) {
        tdm_sip_call_emit(call, TDM_SIG_OFFER_REFUSED, 491, tdm_sip_words(491), NULL);
        return;
    }
    mem_deref(call->body);
    call->body = mbuf_alloc(command->size + 1);
    call->try_count = 0;
    if (!call->body || mbuf_write_mem(call->body, command->body, command->size) ||
        send_reinvite(call))
        tdm_sip_call_emit(call, TDM_SIG_OFFER_REFUSED, 408, tdm_sip_words(408), NULL);
}

void tdm_sip_do_dtmf(struct tdm_sip_call *call, const struct tdm_sip_command *command)
{
    char body[48];
    int size = snprintf(body, sizeof body, "Signal=%c\r\nDuration=%u\r\n", command->digit,
                        command->duration_ms);

    if (call->phase == TDM_SIP_UP)
        (void)tdm_sip_request(call, NULL, "INFO", 0, NULL,
                              "Content-Type: application/dtmf-relay\r\n"
                              "Content-Length: %d\r\n\r\n%s",
                              size, body);
}

static void re_invite(struct tdm_sip_call *call, const struct sip_msg *msg)
{
    struct sip *sip = call->stack->sip;

    if (call->over || !sip_dialog_rseq_valid(call->dlg, msg)) {
        (void)sip_reply(sip, msg, call->over ? 481 : 500, tdm_sip_phrase(call->over ? 481 : 500));
        return;
    }
    if (tdm_sip_refuse_invite(sip, msg))
        return;
    if (call->st || (call->ok && call->ok_offers) || call->phase != TDM_SIP_UP) {
        (void)sip_replyf(sip, msg, 500, tdm_sip_phrase(500), "Retry-After: 2\r\n" TDM_SIP_NO_BODY);
        return;
    }
    if (call->req) {
        (void)sip_treply(NULL, sip, msg, 491, tdm_sip_phrase(491));
        return;
    }
    tdm_sip_stop_resend(call); /* A new re-INVITE says that our 200 to the last one arrived. */
    mem_deref(call->invite);
    call->invite = mem_ref((void *)msg);
    (void)sip_dialog_update(call->dlg, msg);
    if (sip_strans_alloc(&call->st, sip, msg, tdm_sip_on_cancel, call) ||
        tdm_sip_reply_invite(call, 100, "Trying", NULL, 0, NULL))
        return;
    tdm_sip_call_emit(call, TDM_SIG_OFFER, 0, NULL, msg);
}

static void on_bye(struct tdm_sip_call *call, const struct sip_msg *msg)
{
    struct sip *sip = call->stack->sip;

    (void)sip_treply(NULL, sip, msg, 200, "OK");
    if (call->st)
        (void)sip_treply(&call->st, sip, call->invite, 487, tdm_sip_phrase(487));
    tdm_sip_call_end(call, TDM_SIG_ENDED, 0, "the other side hung up");
    mem_deref(call);
}

static void on_info(struct tdm_sip_call *call, const struct sip_msg *msg)
{
    struct sip *sip = call->stack->sip;
    struct tdm_sig_event event;
    uint16_t code;

    if (!sip_dialog_rseq_valid(call->dlg, msg)) {
        (void)sip_reply(sip, msg, 500, tdm_sip_phrase(500));
        return;
    }
    tdm_sip_event_of(&event, TDM_SIG_DTMF_INFO, call->id);
    code = tdm_sip_take_digit(&event, msg);
    if (code == 415) {
        (void)sip_replyf(sip, msg, 415, tdm_sip_phrase(415), TDM_SIP_ACCEPT TDM_SIP_NO_BODY);
        return;
    }
    if (code) {
        (void)sip_reply(sip, msg, code, tdm_sip_phrase(code));
        return;
    }
    (void)sip_treply(NULL, sip, msg, 200, "OK");
    (void)tdm_sig_queue_push(&call->sig->queue, &event);
}

void tdm_sip_in_dialog(struct sip *sip, struct tdm_sip_call *call, const struct sip_msg *msg)
{
    if (!pl_strcmp(&msg->met, "ACK"))
        tdm_sip_on_ack(call, msg);
    else if (!call)
        (void)sip_reply(sip, msg, 481, tdm_sip_phrase(481));
    else if (!pl_strcmp(&msg->met, "INVITE"))
        re_invite(call, msg);
    else if (!pl_strcmp(&msg->met, "BYE"))
        on_bye(call, msg);
    else if (!pl_strcmp(&msg->met, "INFO"))
        on_info(call, msg);
    else
        (void)sip_replyf(sip, msg, 405, tdm_sip_phrase(405), TDM_SIP_ALLOW TDM_SIP_NO_BODY);
}

/* A 200 again means that our ACK was lost. */
bool tdm_sip_on_response(const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_stack *stack = arg;
    struct tdm_sip_call *call = tdm_sip_call_of(stack->sig, msg);

    tdm_sip_guard(stack, msg);
    if (call && call->acked && msg->scode / 100 == 2 && msg->cseq.num == call->ack_seq &&
        !pl_strcmp(&msg->cseq.met, "INVITE"))
        (void)tdm_sip_send_ack(call, call->ack_seq);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

void tdm_sip_on_cancel(void *arg)
{
    struct tdm_sip_call *call = arg;

    (void)sip_treply(&call->st, call->stack->sip, call->invite, 487, tdm_sip_phrase(487));
    if (call->phase != TDM_SIP_RINGING)
        return; /* A cancelled re-INVITE leaves the call as it is. */
    tdm_sip_call_end(call, TDM_SIG_ENDED, 0, "the caller gave up");
    mem_deref(call);
}

bool tdm_sip_refuse_invite(struct sip *sip, const struct sip_msg *msg)
{
    uint16_t code = tdm_sip_check_invite(msg);

    if (code)
        (void)sip_replyf(sip, msg, code, tdm_sip_phrase(code), TDM_SIP_ACCEPT TDM_SIP_NO_BODY);
    return code != 0;
}

static void new_invite(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    struct tdm_sig *sig = stack->sig;
    struct tdm_sig_event event;
    struct tdm_sip_call *call;

    if (tdm_sip_refuse_invite(stack->sip, msg))
        return;
    if (!tdm_sip_room_for_call(sig) || sig->closing) {
        (void)sip_reply(stack->sip, msg, 486, tdm_sip_phrase(486));
        return;
    }
    call = tdm_sip_call_new(sig, atomic_fetch_add(&sig->last_id, 1) + 1, TDM_SIP_RINGING);
    if (!call)
        return;
    tdm_sip_call_use(call, stack);
    tdm_sip_call_use_account(call, tdm_sip_account_of(stack, msg));
    if (call->account)
        call->hop = tdm_sip_account_hop(call->account);
    if (sip_dialog_accept(&call->dlg, msg)) {
        (void)sip_reply(stack->sip, msg, 400, tdm_sip_phrase(400));
        mem_deref(call);
        return;
    }
    call->invite = mem_ref((void *)msg);
    if (sip_strans_alloc(&call->st, stack->sip, msg, tdm_sip_on_cancel, call) ||
        tdm_sip_reply_invite(call, 100, "Trying", NULL, 0, NULL)) {
        mem_deref(call);
        return;
    }
    tdm_sip_event_of(&event, TDM_SIG_CALL_IN, call->id);
    tdm_sip_take_account(&event, stack, msg);
    tdm_sip_take_caller(&event, msg);
    tdm_sip_take_body(&event, msg);
    if (tdm_sig_queue_push(&sig->queue, &event) != TDM_OK) {
        call->over = true;
        tdm_sip_leave(call, 503);
    }
}

bool tdm_sip_on_request(const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_stack *stack = arg;
    struct sip *sip = stack->sip;
    uint16_t code = tdm_sip_check_request(msg);

    tdm_sip_guard(stack, msg);
    if (!tdm_sip_admit(stack, msg))
        return true;
    if (code == 420) {
        (void)sip_replyf(sip, msg, 420, tdm_sip_phrase(420), "Unsupported: %r\r\n" TDM_SIP_NO_BODY,
                         &sip_msg_hdr(msg, SIP_HDR_REQUIRE)->val);
    } else if (code) {
        (void)sip_reply(sip, msg, code, tdm_sip_phrase(code));
    } else if (!pl_strcmp(&msg->met, "OPTIONS")) {
        (void)sip_replyf(sip, msg, 200, "OK", TDM_SIP_ALLOW TDM_SIP_ACCEPT TDM_SIP_NO_BODY);
    } else if (tdm_sip_on_event(stack, msg)) {
        return true;
    } else if (pl_isset(&msg->to.tag)) {
        tdm_sip_in_dialog(sip, tdm_sip_call_of(stack->sig, msg), msg);
    } else if (!pl_strcmp(&msg->met, "INVITE")) {
        new_invite(stack, msg);
    } else if (!pl_strcmp(&msg->met, "MESSAGE") && !stack->sig->no_messages) {
        tdm_sip_on_message(stack, msg);
    } else if (!pl_strcmp(&msg->met, "REFER") && stack->sig->may_be_asked_back) {
        tdm_sip_on_refer(stack, msg);
    } else if (!pl_strcmp(&msg->met, "CANCEL") || !pl_strcmp(&msg->met, "BYE")) {
        (void)sip_reply(sip, msg, 481, tdm_sip_phrase(481));
    } else if (pl_strcmp(&msg->met, "ACK")) {
        (void)sip_replyf(sip, msg, 405, tdm_sip_phrase(405), TDM_SIP_ALLOW TDM_SIP_NO_BODY);
    }
    return true;
}

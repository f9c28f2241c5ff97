/* SPDX-License-Identifier: MIT */
/*
 * One datagram from a stranger, without a network: libre's decoder, then our checks in the order in
 * which the backend makes them, up to the SDP in the body. What passes the checks must be bounded,
 * terminated and complete.
 */
#include "signalling/sdp.h"
#include "signalling/sip_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t capacity)
{
    if (!memchr(text, '\0', capacity))
        abort();
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            abort();
}

static void check_body(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    static const struct tdm_sig_event none;
    struct tdm_media_desc *desc = malloc(sizeof *desc);
    struct tdm_cause cause = {""};
    size_t left = mbuf_get_left(msg->mb);

    if (!desc)
        abort();
    memcpy(event, &none, sizeof none);
    tdm_sip_take_body(event, msg);
    if (event->body_size > TDM_SIG_BODY_MAX || event->body_size > left)
        abort();
    if (event->body_size)
        (void)tdm_sdp_parse((const char *)event->body, event->body_size, desc, &cause);
    free(desc);
}

static void check_invite(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    uint16_t code = tdm_sip_check_invite(msg);
    struct sip_dialog *dialog = NULL;

    if (code && code != 406 && code != 415)
        abort();
    if (code || sip_dialog_accept(&dialog, msg))
        return;
    tdm_sip_event_of(event, TDM_SIG_CALL_IN, 1);
    tdm_sip_take_caller(event, msg);
    check_text(event->from, sizeof event->from);
    check_text(event->from_name, sizeof event->from_name);
    check_text(event->to, sizeof event->to);
    check_text(event->peer_address, sizeof event->peer_address);
    if (!sip_dialog_callid(dialog))
        abort();
    (void)sip_dialog_rseq_valid(dialog, msg);
    (void)sip_dialog_update(dialog, msg);
    mem_deref(dialog);
}

/* MESSAGE and REFER: any request is looked at as if it were one. */
static void check_asking(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    uint16_t code;

    tdm_sip_event_of(event, TDM_SIG_MESSAGE_IN, 0);
    code = tdm_sip_take_message(event, msg);
    if ((code && code != 400 && code != 415) || (!code && !event->content_type[0]) ||
        event->body_size > TDM_SIG_BODY_MAX || event->body_size > mbuf_get_left(msg->mb))
        abort();
    check_text(event->content_type, sizeof event->content_type);
    tdm_sip_event_of(event, TDM_SIG_INVITED_BACK, 1);
    code = tdm_sip_take_target(event, msg);
    if ((code && code != 400) || (!code && !event->to[0]))
        abort();
    check_text(event->to, sizeof event->to);
}

static void check_request(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    uint16_t code = tdm_sip_check_request(msg);
    size_t size = 0;

    if (code && code != 400 && code != 416 && code != 420 && code != 505 && code != 513)
        abort();
    if (code)
        return;
    if (!tdm_sip_body_size(msg, &size) || size > mbuf_get_left(msg->mb))
        abort();
    check_invite(event, msg);
    check_asking(event, msg);
    tdm_sip_event_of(event, TDM_SIG_DTMF_INFO, 1);
    code = tdm_sip_take_digit(event, msg);
    if (!code && (!event->digit || !strchr("0123456789ABCDabcd*#", event->digit)))
        abort();
    if (event->duration_ms > 10000 || (code && code != 400 && code != 415))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_sig_event *event = malloc(sizeof *event);
    struct mbuf *mb = mbuf_alloc(size ? size : 1); /* Of the exact size, as libre does. */
    struct sip_msg *msg = NULL;
    bool readable;

    if (!event || !mb || (size && mbuf_write_mem(mb, data, size)))
        abort();
    mb->pos = 0;
    readable = tdm_sip_is_readable(mb);
    if (mb->pos || mb->end != size)
        abort();
    if (sip_msg_decode(&msg, mb) == 0) {
        if (!readable)
            abort();
        (void)sa_set_str(&msg->src, "127.0.0.1", 5060);
        if (msg->req)
            check_request(event, msg);
        check_body(event, msg);
        tdm_sip_event_of(event, TDM_SIG_OPTIONS_ANSWERED, 1);
        tdm_sip_take_agent(event, msg);
        check_text(event->reason, sizeof event->reason);
    }
    mem_deref(msg);
    mem_deref(mb);
    free(event);
    return 0;
}

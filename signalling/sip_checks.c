/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/text.h"

#include <stdio.h>
#include <string.h>

void tdm_sip_event_of(struct tdm_sig_event *event, enum tdm_sig_kind kind, tdm_sig_id id)
{
    memset(event, 0, offsetof(struct tdm_sig_event, body));
    event->kind = kind;
    event->id = id;
}

static void copy_text(char *to, size_t capacity, const struct pl *pl)
{
    size_t size = pl->p ? pl->l : 0;

    if (size >= capacity)
        size = capacity - 1;
    if (size)
        memcpy(to, pl->p, size);
    to[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)to[i] < ' ')
            to[i] = '?';
}

bool tdm_sip_body_size(const struct sip_msg *msg, size_t *size)
{
    size_t left = mbuf_get_left(msg->mb);
    struct tdm_text digits = tdm_text_trim(tdm_text_of(msg->clen.p, msg->clen.p ? msg->clen.l : 0));
    uint64_t said = left;

    if (msg->clen.p && (!tdm_text_number(&digits, UINT32_MAX, &said) || digits.at < digits.end))
        return false;
    *size = (size_t)said;
    return said <= left && said <= TDM_SIG_BODY_MAX;
}

static bool content_is(const struct sip_msg *msg, const char *type, const char *subtype)
{
    return pl_strcasecmp(&msg->ctyp.type, type) == 0 &&
           pl_strcasecmp(&msg->ctyp.subtype, subtype) == 0;
}

static bool is_sdp(const struct sip_msg *msg)
{
    return content_is(msg, "application", "sdp");
}

void tdm_sip_take_body(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    size_t size;

    if (!tdm_sip_body_size(msg, &size) || !size || !is_sdp(msg))
        return;
    memcpy(event->body, mbuf_buf(msg->mb), size);
    event->body_size = (uint32_t)size;
    (void)snprintf(event->content_type, sizeof event->content_type, "application/sdp");
}

/* Each may be there once (RFC 3261 section 7.3.1). */
static bool has_doubles(const struct sip_msg *msg)
{
    static const enum sip_hdrid once[] = {SIP_HDR_FROM,         SIP_HDR_TO,
                                          SIP_HDR_CALL_ID,      SIP_HDR_CSEQ,
                                          SIP_HDR_MAX_FORWARDS, SIP_HDR_CONTENT_LENGTH};

    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (sip_msg_hdr_count(msg, once[i]) > 1)
            return true;
    return false;
}

static bool is_balanced(const struct pl *pl)
{
    bool quoted = false;

    for (size_t i = 0; i < pl->l; i++) {
        if (quoted && pl->p[i] == '\\')
            i++;
        else if (pl->p[i] == '"')
            quoted = !quoted;
    }
    return !quoted;
}

static bool is_number(const struct pl *pl, uint64_t max)
{
    struct tdm_text t = tdm_text_of(pl->p, pl->p ? pl->l : 0);
    uint64_t value;

    t = tdm_text_trim(t);
    return tdm_text_number(&t, max, &value) && t.at == t.end;
}

/* Of "314159 INVITE" the number: libre lets it wrap around. */
static bool has_good_sequence(const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CSEQ);
    struct tdm_text t = tdm_text_of(hdr ? hdr->val.p : NULL, hdr ? hdr->val.l : 0);
    uint64_t value;

    t = tdm_text_trim(t);
    return tdm_text_number(&t, INT32_MAX, &value);
}

/* "sip:2001:db8::10": where does the port begin (RFC 5118 section 4.2)? */
static bool has_bare_ipv6(const struct pl *uri)
{
    struct tdm_text t = tdm_text_of(uri->p, uri->l);
    struct tdm_text whole, user;
    unsigned colons = 0;

    (void)tdm_text_until(&t, ':');
    t = tdm_text_until(&t, ';');
    whole = t;
    user = tdm_text_until(&t, '@');
    if (user.end == whole.end)
        t = whole;
    for (const char *at = t.at; at < t.end && *at != '['; at++)
        colons += *at == ':';
    return colons > 1;
}

/* The address that is asked for: 0, 400 or 416 (RFC 3261 section 8.2.2.1). */
static uint16_t check_target(const struct sip_msg *msg)
{
    const struct pl *uri = &msg->ruri;

    for (size_t i = 0; i < uri->l; i++)
        if (uri->p[i] <= ' ' || uri->p[i] == '<' || uri->p[i] == '>')
            return 400;
    if (pl_strcasecmp(&msg->uri.scheme, "sip") && pl_strcasecmp(&msg->uri.scheme, "sips") &&
        pl_strcasecmp(&msg->uri.scheme, "tel"))
        return 416;
    if (pl_isset(&msg->uri.headers))
        return 400;
    return has_bare_ipv6(uri) ? 400 : 0;
}

/* Nothing that is asked for as a must is known here (RFC 3261 section 8.2.2.3). */
static bool wants_extensions(const struct sip_msg *msg)
{
    return sip_msg_hdr(msg, SIP_HDR_REQUIRE) && pl_strcmp(&msg->met, "ACK") &&
           pl_strcmp(&msg->met, "CANCEL");
}

uint16_t tdm_sip_check_request(const struct sip_msg *msg)
{
    size_t size = mbuf_get_left(msg->mb);
    uint16_t code;

    if (size > TDM_SIG_BODY_MAX)
        return 513;
    if (pl_strcasecmp(&msg->ver, "SIP/2.0"))
        return 505;
    if (has_doubles(msg) || !has_good_sequence(msg) || !is_balanced(&msg->from.val) ||
        !is_balanced(&msg->to.val) || (msg->maxfwd.p && !is_number(&msg->maxfwd, 255)))
        return 400;
    if (!tdm_sip_body_size(msg, &size) || !pl_isset(&msg->callid) || !pl_isset(&msg->from.tag) ||
        !pl_isset(&msg->via.branch) || !pl_isset(&msg->cseq.met) || !pl_isset(&msg->to.auri) ||
        pl_cmp(&msg->cseq.met, &msg->met))
        return 400;
    if (msg->callid.l > 256 || msg->from.val.l > 1024 || msg->to.val.l > 1024 ||
        msg->via.val.l > 1024)
        return 400;
    code = check_target(msg);
    return !code && wants_extensions(msg) ? 420 : code;
}

/* Lists may stand in one header or in several, and each kind may have parameters. */
static bool names_sdp(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct tdm_text list = tdm_text_of(hdr->val.p, hdr->val.l);

    (void)msg;
    (void)arg;
    while (list.at < list.end) {
        struct tdm_text kind = tdm_text_until(&list, ',');

        kind = tdm_text_trim(tdm_text_until(&kind, ';'));
        if (tdm_text_equals(kind, "application/sdp") || tdm_text_equals(kind, "application/*") ||
            tdm_text_equals(kind, "*/*"))
            return true;
    }
    return false;
}

/* Whether the answer to an INVITE may be what we speak. */
static bool accepts_sdp(const struct sip_msg *msg)
{
    return !sip_msg_hdr(msg, SIP_HDR_ACCEPT) ||
           sip_msg_hdr_apply(msg, true, SIP_HDR_ACCEPT, names_sdp, NULL);
}

uint16_t tdm_sip_check_invite(const struct sip_msg *msg)
{
    size_t size = 0;

    (void)tdm_sip_body_size(msg, &size);
    if (size && !is_sdp(msg))
        return 415;
    return accepts_sdp(msg) ? 0 : 406;
}

void tdm_sip_take_caller(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    copy_text(event->from, sizeof event->from, &msg->from.auri);
    copy_text(event->from_name, sizeof event->from_name, &msg->from.dname);
    copy_text(event->to, sizeof event->to, &msg->to.auri);
    (void)re_snprintf(event->peer_address, sizeof event->peer_address, "%j", &msg->src);
}

uint16_t tdm_sip_take_message(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    const struct msg_ctype *type = &msg->ctyp;
    size_t size = 0, used = type->type.l;

    if (!tdm_sip_body_size(msg, &size))
        return 400;
    if (!pl_isset(&type->type) || !pl_isset(&type->subtype))
        return size ? 415 : 400;
    if (type->type.l + type->subtype.l + 2 > sizeof event->content_type)
        return 415;
    copy_text(event->content_type, sizeof event->content_type, &type->type);
    event->content_type[used] = '/';
    copy_text(event->content_type + used + 1, sizeof event->content_type - used - 1,
              &type->subtype);
    memcpy(event->body, mbuf_buf(msg->mb), size);
    event->body_size = (uint32_t)size;
    return 0;
}

uint16_t tdm_sip_take_target(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    const struct sip_hdr *refer_to = sip_msg_hdr(msg, SIP_HDR_REFER_TO);
    struct sip_addr address;
    struct tdm_sip_uri uri;

    if (!refer_to || sip_msg_hdr_count(msg, SIP_HDR_REFER_TO) != 1 ||
        sip_addr_decode(&address, &refer_to->val) || address.auri.l >= sizeof event->to)
        return 400;
    copy_text(event->to, sizeof event->to, &address.auri);
    return tdm_sip_uri_parse(event->to, &uri, NULL) == TDM_OK ? 0 : 400;
}

void tdm_sip_take_agent(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    const struct sip_hdr *agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);

    if (!agent)
        agent = sip_msg_hdr(msg, SIP_HDR_SERVER);
    if (agent)
        copy_text(event->reason, sizeof event->reason, &agent->val);
}

/* "Signal=5\r\nDuration=160" */
static void take_relay(struct tdm_sig_event *event, struct tdm_text text)
{
    while (text.at < text.end) {
        struct tdm_text value = tdm_text_until(&text, '\n');
        struct tdm_text name = tdm_text_trim(tdm_text_until(&value, '='));
        uint64_t number;

        value = tdm_text_trim(value);
        if (tdm_text_equals(name, "signal") && value.at < value.end)
            event->digit = *value.at;
        else if (tdm_text_equals(name, "duration") && tdm_text_number(&value, 10000, &number))
            event->duration_ms = (uint16_t)number;
    }
}

uint16_t tdm_sip_take_digit(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    bool relay = content_is(msg, "application", "dtmf-relay");
    struct tdm_text text;
    size_t size = 0;

    if (!relay && !content_is(msg, "application", "dtmf"))
        return 415;
    if (!tdm_sip_body_size(msg, &size))
        return 400;
    text = tdm_text_trim(tdm_text_of((const char *)mbuf_buf(msg->mb), size));
    if (relay)
        take_relay(event, text);
    else if (text.at < text.end)
        event->digit = *text.at; /* application/dtmf is the digit alone. */
    return event->digit && strchr("0123456789ABCDabcd*#", event->digit) ? 0 : 400;
}

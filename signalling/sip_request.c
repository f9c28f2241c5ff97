/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"

#include <stdio.h>
#include <string.h>

/* libre exports these and has no header for them. Its own sip_drequestf() knows no other first hop
 * than the dialog's, and no other hash than MD5. */
extern int sip_dialog_encode(struct mbuf *mb, struct sip_dialog *dlg, uint32_t cseq,
                             const char *method);
extern const char *sip_dialog_uri(const struct sip_dialog *dlg);
extern const struct uri *sip_dialog_route(const struct sip_dialog *dlg);

struct sending {
    struct tdm_sig *sig;
    struct tdm_sip_stack *stack;
    struct sip_dialog *dlg;
    struct tdm_sip_account *account; /* NULL: nobody's. */
    struct tdm_sip_uri hop;          /* host "": as the dialog says. */
    const char *method;
    uint32_t seq;
    sip_send_h *contact;
    sip_resp_h *response;
    void *arg;
};

/* libre looks names up by DNS alone, and only when it has a server for that. */
static bool is_numeric(const struct uri *uri)
{
    struct sa address;

    return sa_set(&address, &uri->host, 0) == 0;
}

static int send_it(const struct sending *s, struct sip_request **req, const char *fmt, va_list ap)
{
    const struct uri *route = sip_dialog_route(s->dlg);
    const char *uri = sip_dialog_uri(s->dlg);
    struct mbuf *mb = mbuf_alloc(4096);
    char hop_text[256];
    struct uri hop;
    struct pl pl;
    int err;

    if (!mb)
        return ENOMEM;
    err = mbuf_write_str(mb, "Max-Forwards: 70\r\n");
    if (!err && s->account)
        err = tdm_sip_auth_write(s->account, s->method, uri, mb);
    if (!err)
        err = sip_dialog_encode(mb, s->dlg, s->seq, s->method);
    if (!err)
        err = mbuf_printf(mb, "User-Agent: %s\r\n", s->sig->user_agent);
    if (!err)
        err = mbuf_vprintf(mb, fmt, ap);
    if (!err && s->hop.host[0] && (!sip_dialog_established(s->dlg) || !is_numeric(route))) {
        if (!tdm_sip_uri_write(&s->hop, hop_text, sizeof hop_text))
            err = EINVAL;
        pl_set_str(&pl, hop_text);
        if (!err)
            err = uri_decode(&hop, &pl);
        route = &hop;
    }
    if (!err) {
        mb->pos = 0;
        err = sip_request(req, s->stack->sip, strcmp(s->method, "ACK") != 0, s->method, -1, uri, -1,
                          route, mb, 0, s->contact, s->response, s->arg);
    }
    mem_deref(mb);
    return err;
}

int tdm_sip_request(struct tdm_sip_call *call, struct sip_request **req, const char *method,
                    uint32_t seq, sip_resp_h *response, const char *fmt, ...)
{
    bool message = strcmp(method, "MESSAGE") == 0; /* Without a Contact (RFC 3428 section 4). */
    struct sending s = {
        .sig = call->sig,
        .stack = call->stack,
        .dlg = call->dlg,
        .account = call->account,
        .hop = call->hop,
        .method = method,
        .seq = seq,
        .contact = message ? NULL : tdm_sip_write_contact,
        .response = response,
        .arg = call,
    };
    va_list ap;
    int err;

    if (call->account && !call->try_count)
        call->try = ++call->account->last_try;
    va_start(ap, fmt);
    err = send_it(&s, req, fmt, ap);
    va_end(ap);
    return err;
}

int tdm_sip_account_request(struct tdm_sip_account *account, const char *method,
                            sip_resp_h *response, const char *fmt, ...)
{
    struct sending s = {
        .sig = account->sig,
        .stack = account->stack,
        .dlg = account->dlg,
        .account = account,
        .hop = tdm_sip_account_hop(account),
        .method = method,
        .response = response,
        .arg = account,
    };
    va_list ap;
    int err;

    if (!account->try_count)
        account->try = ++account->last_try;
    va_start(ap, fmt);
    err = send_it(&s, &account->req, fmt, ap);
    va_end(ap);
    return err;
}

/* SPDX-License-Identifier: MIT */
/* What an account's core asks to be sent: REGISTER, an OPTIONS in its place, keep-alives. */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"
#include "signalling/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WATCH_S                                                                                    \
    2592000 /* libre pings a connection that it watches, and drops it without an answer,           \
               which not all servers give: hardly ever, then. */

/* --- Before ----------------------------------------------------------------------------------- */

/* The stack that leads to the address in use. 0 or an errno value, with words. */
static int choose_stack(struct tdm_sip_account *account, struct tdm_cause *cause)
{
    const struct sockaddr_storage *address = &account->addresses[account->address_index];
    struct tdm_sip_stack *stack = account->stack;
    char local[64];

    if (tdm_sig_local_address_to(address, local, sizeof local, cause) != TDM_OK)
        return ENETUNREACH;
    if (account->tp != SIP_TRANSP_TLS) {
        stack = mem_ref(tdm_sip_stack_of(account->sig, local));
        if (!stack) {
            (void)tdm_fail(cause, TDM_E_GONE,
                           "this machine has no address of the kind (IPv4, IPv6) of the server");
            return ENETUNREACH;
        }
    } else if (stack && strcmp(stack->address, local) == 0) {
        tdm_trust_forget(stack->trust);
        return 0;
    } else {
        stack = tdm_sip_tls_stack(account->sig, local,
                                  &(struct tdm_trust_config){
                                      .host = account->hop.host,
                                      .ca_file = account->ca_file[0]        ? account->ca_file
                                                 : account->sig->ca_file[0] ? account->sig->ca_file
                                                                            : NULL,
                                      .fingerprint = account->fingerprint,
                                  },
                                  cause);
        if (!stack)
            return EPROTO;
        if (account->stack)
            account->stack->account = NULL;
        stack->account = account;
    }
    if (stack != account->stack) /* Nobody has seen us from there yet. */
        sa_init(&account->contact, AF_UNSPEC);
    mem_deref(account->stack);
    account->stack = stack;
    return 0;
}

static void fail(struct tdm_sip_account *account, uint32_t attempt, const char *reason,
                 bool hopeless)
{
    account->try_count = 0;
    tdm_sip_account_step(account, &(struct tdm_account_in){.kind = TDM_ACCOUNT_FAILED,
                                                           .attempt = attempt,
                                                           .hopeless = hopeless,
                                                           .reason = reason});
}

/* --- After ------------------------------------------------------------------------------------ */

static void lost(int err, void *arg)
{
    struct tdm_sip_account *account = arg;

    account->watch = NULL;
    if (err)
        tdm_sip_account_step(account, &(struct tdm_account_in){.kind = TDM_ACCOUNT_LOST});
}

static uint32_t number_of(const struct pl *pl)
{
    struct tdm_text t = tdm_text_trim(tdm_text_of(pl->p, pl->p ? pl->l : 0));
    uint64_t value;

    return tdm_text_number(&t, UINT32_MAX, &value) ? (uint32_t)value : 0;
}

static uint32_t header_number(const struct sip_msg *msg, enum sip_hdrid id)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, id);

    return hdr ? number_of(&hdr->val) : 0;
}

struct granted {
    const struct tdm_sip_account *account;
    bool found;
    uint32_t expires_s;
};

/* The binding among all of this address of record that is ours. */
static bool take_contact(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct granted *granted = arg;
    struct sip_addr address;
    struct pl expires;
    struct sa sa;

    if (sip_addr_decode(&address, &hdr->val) || sa_set(&sa, &address.uri.host, address.uri.port) ||
        !sa_cmp(&sa, &granted->account->told, SA_ADDR) ||
        (address.uri.port ? address.uri.port : sip_transp_port(granted->account->tp, 0)) !=
            sa_port(&granted->account->told) ||
        pl_strcmp(&address.uri.user, granted->account->aor.user))
        return false;
    granted->found = true;
    granted->expires_s = msg_param_decode(&address.params, "expires", &expires)
                             ? number_of(&msg->expires)
                             : number_of(&expires);
    return true;
}

static bool take_route(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_account *account = arg;
    struct sip_addr address;

    (void)msg;
    if (account->route_count < TDM_SIP_ROUTES_MAX && !sip_addr_decode(&address, &hdr->val) &&
        address.auri.l < TDM_SIG_ADDRESS_MAX) {
        size_t size = address.auri.l; /* libre writes an ;lr behind each. */

        if (size > 3 && !strncasecmp(address.auri.p + size - 3, ";lr", 3))
            size -= 3;
        (void)snprintf(account->routes[account->route_count++], TDM_SIG_ADDRESS_MAX, "%.*s",
                       (int)size, address.auri.p);
    }
    return account->route_count == TDM_SIP_ROUTES_MAX;
}

static void take_success(struct tdm_sip_account *account, const struct sip_msg *msg,
                         struct tdm_account_in *in)
{
    struct granted granted = {.account = account};

    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, take_contact, &granted);
    /* A server that says nothing of contacts keeps what we asked for. */
    in->expires_s = granted.found                       ? granted.expires_s
                    : sip_msg_hdr(msg, SIP_HDR_EXPIRES) ? number_of(&msg->expires)
                                                        : account->expires_s;
    account->route_count = 0;
    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_SERVICE_ROUTE, take_route, account);
    in->contact_moved = account->expires_s && !sa_cmp(&account->contact, &account->told, SA_ALL);
    if (account->tp != SIP_TRANSP_UDP && !account->watch)
        (void)sip_keepalive_start(&account->watch, account->stack->sip, msg, WATCH_S, lost,
                                  account);
}

static void answered(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_account *account = arg;
    struct tdm_account_in in = {.kind = TDM_ACCOUNT_ANSWERED, .attempt = account->core.attempt};
    struct tdm_trust *trust = account->stack->trust;
    const char *refused = trust ? tdm_trust_reason(trust) : "";
    char words[TDM_SIG_REASON_MAX];

    if (!err && msg && msg->scode < 200)
        return;
    if (err || !msg) {
        struct tdm_sip_uri hop = tdm_sip_account_hop(account);

        (void)snprintf(words, sizeof words,
                       err == ECONNREFUSED ? "nothing listens at %.60s, port %u: is the server up?"
                       : err == EPROTO
                           ? "%.60s, port %u, does not speak TLS: is it the right port?"
                           : "%.60s, port %u, does not answer: is the server up, and the network?",
                       hop.host, hop.port);
        fail(account, in.attempt, refused[0] ? refused : words, refused[0] != '\0');
        return;
    }
    tdm_sip_seen(msg, &account->contact);
    in.code = msg->scode;
    in.retry_after_s = header_number(msg, SIP_HDR_RETRY_AFTER);
    in.min_expires_s = header_number(msg, SIP_HDR_MIN_EXPIRES);
    if (msg->scode == 401 || msg->scode == 407) {
        in.challenge = tdm_sip_auth_take(account, account->try, msg);
        account->try_count++;
    } else {
        account->try_count = 0;
    }
    if (in.challenge != TDM_ACCOUNT_CAN_ANSWER && msg->scode >= 400)
        account->try_count = 0;
    if (msg->scode == 439 && !account->no_outbound) { /* RFC 5626 section 6: without it, then. */
        account->no_outbound = true;
        in.code = 200;
        in.contact_moved = true;
        in.expires_s = account->expires_s;
    } else if (msg->scode < 300 && !account->no_register) {
        take_success(account, msg, &in);
    }
    tdm_sip_account_step(account, &in);
}

/* --- Sending ---------------------------------------------------------------------------------- */

/* What we know of where we are reached: as the server saw it, else our own end. */
static void choose_contact(struct tdm_sip_account *account)
{
    if (!sa_isset(&account->contact, SA_ADDR))
        (void)sa_set_str(&account->contact, account->stack->address, account->stack->port);
    account->told = account->contact;
}

static int send_register(struct tdm_sip_account *account)
{
    char instance[128] = "";

    if (account->instance[0])
        (void)snprintf(instance, sizeof instance, ";+sip.instance=\"<%s>\"%s", account->instance,
                       account->no_outbound ? "" : ";reg-id=1");
    return tdm_sip_account_request(account, "REGISTER", answered,
                                   "Contact: <sip:%s@%J%s>;expires=%u%s\r\nExpires: %u\r\n"
                                   "Supported: path, gruu%s\r\n" TDM_SIP_ALLOW TDM_SIP_NO_BODY,
                                   account->aor.user, &account->told, sip_transp_param(account->tp),
                                   account->expires_s, instance, account->expires_s,
                                   account->no_outbound ? "" : ", outbound");
}

void tdm_sip_register(struct tdm_sip_account *account, const struct tdm_account_out *out)
{
    struct tdm_cause cause = {""};
    int err;

    account->req = mem_deref(account->req);
    account->address_index = out->address_index;
    account->expires_s = out->expires_s;
    err = choose_stack(account, &cause);
    if (err) { /* TLS that cannot be set up stays so. */
        fail(account, out->attempt, cause.text, err == EPROTO);
        return;
    }
    choose_contact(account);
    err = account->no_register ? tdm_sip_account_request(account, "OPTIONS", answered,
                                                         TDM_SIP_ACCEPT TDM_SIP_NO_BODY)
                               : send_register(account);
    if (err)
        fail(account, out->attempt, "the server cannot be reached: check the network", false);
}

void tdm_sip_keep_alive(struct tdm_sip_account *account)
{
    const struct sockaddr_storage *address = &account->addresses[account->address_index];
    struct mbuf *mb = mbuf_alloc(4);
    struct sa to;

    if (mb && account->stack && sa_set_sa(&to, (const struct sockaddr *)address) == 0 &&
        mbuf_write_mem(mb, (const uint8_t *)"\r\n\r\n", 4) == 0) {
        mb->pos = 0;
        (void)sip_send(account->stack->sip, NULL, account->tp, &to, mb);
    }
    mem_deref(mb);
}

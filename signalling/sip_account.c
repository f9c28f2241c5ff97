/* SPDX-License-Identifier: MIT */
/* Accounts in the SIP backend: what drives the core (account.h), and which account a request from
 * outside belongs to. */
#include "engine/io/entropy.h"
#include "signalling/sip_state.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define KEEPALIVE_UDP_S    25 /* Gateways forget UDP after 30 s (RFC 5626 section 4.4.2). */
#define KEEPALIVE_STREAM_S 95
#define ACCOUNTS_MAX       64

/* What a command carries: the texts, checked already. */
struct texts {
    struct tdm_sip_uri aor, server, hop;
    bool through, no_register;
    uint32_t expires_s;
    char auth_user[64], password[128], display_name[64], instance[64];
    char ca_file[256], fingerprint[100];
};

/* --- From any thread -------------------------------------------------------------------------- */

static bool is_set(const char *text)
{
    return text && text[0];
}

/* A text that goes into headers. */
static enum tdm_err copy(char *to, size_t capacity, const char *text, const char *what,
                         struct tdm_cause *cause)
{
    to[0] = '\0';
    if (!is_set(text))
        return TDM_OK;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return tdm_fail(cause, TDM_E_MALFORMED, "the account's %s has a control character",
                            what);
    if (strlen(text) >= capacity)
        return tdm_fail(cause, TDM_E_MALFORMED, "the account's %s is too long (%zu at most)", what,
                        capacity - 1);
    (void)snprintf(to, capacity, "%s", text);
    return TDM_OK;
}

static void set_transport(struct tdm_sip_uri *uri, unsigned transport)
{
    if (uri->tcp || uri->udp || uri->tls)
        return;
    uri->tcp = transport == TDM_SIG_TCP;
    uri->udp = transport == TDM_SIG_UDP;
    uri->tls = transport == TDM_SIG_TLS;
}

static enum tdm_err read_addresses(struct texts *t, const struct tdm_sig_account *account,
                                   struct tdm_cause *cause)
{
    enum tdm_err err = tdm_sip_uri_parse(account->aor, &t->aor, cause);
    unsigned transport = account->transport;

    if (!err && !t->aor.user[0])
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "\"%.80s\" is no address of an account: write user@server", account->aor);
    if (!err && t->aor.tls)
        transport = TDM_SIG_TLS;
    if (!err && is_set(account->registrar))
        err = tdm_sip_uri_parse(account->registrar, &t->server, cause);
    else if (!err)
        t->server = t->aor;
    t->server.user[0] = '\0';
    t->through = is_set(account->proxy);
    if (!err && t->through)
        err = tdm_sip_uri_parse(account->proxy, &t->hop, cause);
    else if (!err)
        t->hop = t->server;
    if (err)
        return err;
    t->hop.user[0] = '\0';
    set_transport(&t->hop, transport);
    t->server.tcp = t->server.udp = t->server.tls = false;
    t->aor.tcp = t->aor.udp = t->aor.tls = false;
    if (t->aor.port && !is_set(account->registrar)) /* It belongs to the server, not to the name. */
        t->aor.port = 0;
    return TDM_OK;
}

enum tdm_err tdm_sip_push_account(struct tdm_sig *sig, const struct tdm_sig_account *account,
                                  tdm_sig_id *id, struct tdm_cause *cause)
{
    struct tdm_sip_command head = {0};
    struct tdm_trust *trust = NULL;
    struct texts t = {.expires_s = account->expires_s, .no_register = account->no_register};
    enum tdm_err err = read_addresses(&t, account, cause);

    if (!err)
        err = copy(t.auth_user, sizeof t.auth_user,
                   is_set(account->auth_user) ? account->auth_user : t.aor.user, "user", cause);
    if (!err)
        err = copy(t.password, sizeof t.password, account->password, "password", cause);
    if (!err)
        err = copy(t.display_name, sizeof t.display_name, account->display_name, "name", cause);
    if (!err)
        err = copy(t.instance, sizeof t.instance, account->instance, "instance", cause);
    if (!err)
        err = copy(t.ca_file, sizeof t.ca_file, account->ca_file, "CA file", cause);
    if (!err)
        err = copy(t.fingerprint, sizeof t.fingerprint, account->fingerprint, "fingerprint", cause);
    if (!err) /* Is it one? */
        err = tdm_trust_create(
            &(struct tdm_trust_config){.host = t.hop.host, .fingerprint = t.fingerprint}, &trust,
            cause);
    tdm_trust_destroy(trust);
    if (err)
        return err;
    if (strpbrk(t.display_name, "\"\\"))
        return tdm_fail(cause, TDM_E_MALFORMED, "the account's name may have no quotes");
    head.id = *id = atomic_fetch_add(&sig->last_id, 1) + 1;
    err = tdm_sip_push(sig, TDM_SIP_DO_ACCOUNT_ADD, &head,
                       &(struct tdm_sig_body){.data = &t, .size = sizeof t});
    return err ? tdm_fail(cause, err, "too many commands wait: try again") : TDM_OK;
}

/* --- Driving the core ------------------------------------------------------------------------- */

static tdm_time now(void)
{
    return (tdm_time)tmr_jiffies() * TDM_MS;
}

static void tell(struct tdm_sip_account *account, const struct tdm_account_out *out)
{
    const struct tdm_account *core = &account->core;
    struct tdm_sig_event event;
    bool waits = core->state == TDM_SIG_ACCOUNT_BACKING_OFF;

    tdm_sip_event_of(&event, TDM_SIG_REGISTRATION, account->id);
    event.account = account->id;
    event.registration = core->state;
    event.code = core->code;
    event.expires_s = core->state == TDM_SIG_ACCOUNT_REGISTERED ? core->granted_s
                      : waits ? (uint32_t)((out->wake_at - now()) / TDM_S)
                              : 0;
    (void)snprintf(event.reason, sizeof event.reason, "%s", core->reason);
    (void)tdm_sig_queue_push(&account->sig->queue, &event);
    if (core->state == TDM_SIG_ACCOUNT_REGISTERED)
        tdm_sip_events_retry(account);
}

static void wake_handler(void *arg)
{
    tdm_sip_account_step(arg, NULL);
}

static void set_wake(struct tdm_sip_account *account, tdm_time at)
{
    tdm_time wait = at - now();

    if (at == TDM_NEVER)
        tmr_cancel(&account->wake);
    else
        tmr_start(&account->wake, wait > 0 ? (uint64_t)(wait / TDM_MS) + 1 : 1, wake_handler,
                  account);
}

void tdm_sip_account_step(struct tdm_sip_account *account, const struct tdm_account_in *in)
{
    struct tdm_account_out out;

    tdm_account_step(&account->core, now(), in, &out);
    set_wake(account, out.wake_at);
    if (out.changed)
        tell(account, &out);
    if (account->core.state == TDM_SIG_ACCOUNT_OFF && account->gone) {
        struct tdm_sig *sig = account->sig;

        list_unlink(&account->le);
        mem_deref(account); /* Calls may hold it still. */
        tdm_sip_close_if_last(sig);
        return;
    }
    switch (out.action) {
    case TDM_ACCOUNT_DO_LOOK_UP:
        tdm_sip_look_up_account(account, out.attempt);
        break;
    case TDM_ACCOUNT_DO_SEND:
        tdm_sip_register(account, &out);
        break;
    case TDM_ACCOUNT_DO_KEEP_ALIVE:
        tdm_sip_keep_alive(account);
        break;
    default:
        break;
    }
}

void tdm_sip_account_looked_up(struct tdm_sip_account *account, const struct tdm_sip_lookup *lookup)
{
    if (!lookup->err)
        memcpy(account->addresses, lookup->addresses, sizeof account->addresses);
    tdm_sip_account_step(
        account, &(struct tdm_account_in){.kind = TDM_ACCOUNT_LOOKED_UP,
                                          .attempt = lookup->attempt,
                                          .address_count = lookup->err ? 0 : lookup->address_count,
                                          .reason = lookup->cause.text});
}

/* --- Life ------------------------------------------------------------------------------------- */

static void destructor(void *arg)
{
    struct tdm_sip_account *account = arg;

    list_unlink(&account->le);
    tmr_cancel(&account->wake);
    mem_deref(account->watch);
    mem_deref(account->req);
    mem_deref(account->dlg);
    if (account->stack && account->stack->account == account)
        account->stack->account = NULL;
    mem_deref(account->stack);
    memset(account->password, 0, sizeof account->password);
}

static void take_texts(struct tdm_sip_account *account, const struct texts *t)
{
    account->aor = t->aor;
    account->server = t->server;
    account->hop = t->hop;
    account->through = t->through;
    account->no_register = t->no_register;
    memcpy(account->auth_user, t->auth_user, sizeof account->auth_user);
    memcpy(account->password, t->password, sizeof account->password);
    memcpy(account->display_name, t->display_name, sizeof account->display_name);
    memcpy(account->instance, t->instance, sizeof account->instance);
    memcpy(account->ca_file, t->ca_file, sizeof account->ca_file);
    memcpy(account->fingerprint, t->fingerprint, sizeof account->fingerprint);
    account->tp = t->hop.tls ? SIP_TRANSP_TLS : t->hop.tcp ? SIP_TRANSP_TCP : SIP_TRANSP_UDP;
}

static int make_dialog(struct tdm_sip_account *account)
{
    char server[256], aor[256];

    if (!tdm_sip_uri_write(&account->server, server, sizeof server) ||
        !tdm_sip_uri_write(&account->aor, aor, sizeof aor))
        return EINVAL;
    return sip_dialog_alloc(&account->dlg, server, aor,
                            account->display_name[0] ? account->display_name : NULL, aor, NULL, 0);
}

void tdm_sip_do_account_add(struct tdm_sig *sig, const struct tdm_sip_command *command)
{
    struct tdm_sip_account *account = mem_zalloc(sizeof *account, destructor);
    struct tdm_sig_event event;
    struct texts t;

    if (account && list_count(&sig->accounts) < ACCOUNTS_MAX && !sig->closing) {
        memcpy(&t, command->body, sizeof t);
        account->sig = sig;
        account->id = command->id;
        tmr_init(&account->wake);
        take_texts(account, &t);
        tdm_account_init(
            &account->core,
            &(struct tdm_account_config){
                .seed = tdm_entropy_u64(),
                .expires_s = t.expires_s,
                .keepalive_s = account->tp == SIP_TRANSP_UDP ? KEEPALIVE_UDP_S : KEEPALIVE_STREAM_S,
                .probe = t.no_register,
            });
        if (make_dialog(account) == 0) {
            list_append(&sig->accounts, &account->le, account);
            tdm_sip_account_step(account, &(struct tdm_account_in){.kind = TDM_ACCOUNT_START});
            return;
        }
    }
    mem_deref(account);
    tdm_sip_event_of(&event, TDM_SIG_REGISTRATION, command->id);
    event.account = command->id;
    event.registration = TDM_SIG_ACCOUNT_REFUSED;
    (void)snprintf(event.reason, sizeof event.reason,
                   "there are too many accounts: remove one first");
    (void)tdm_sig_queue_push(&sig->queue, &event);
}

struct tdm_sip_account *tdm_sip_account_find(struct tdm_sig *sig, tdm_sig_id id)
{
    for (struct le *le = sig->accounts.head; le; le = le->next) {
        struct tdm_sip_account *account = le->data;

        if (account->id == id && !account->gone)
            return account;
    }
    return NULL;
}

static void leave(struct tdm_sip_account *account)
{
    struct tdm_account_in in = {.kind = TDM_ACCOUNT_STOP};
    bool off = account->core.state == TDM_SIG_ACCOUNT_OFF;

    if (account->gone)
        return;
    account->gone = true;
    if (off) /* The step would say nothing new, and its listener waits for a word. */
        tell(account, &(struct tdm_account_out){.wake_at = 0});
    tdm_sip_account_step(account, &in);
}

void tdm_sip_do_account_remove(struct tdm_sig *sig, tdm_sig_id id)
{
    struct tdm_sip_account *account = tdm_sip_account_find(sig, id);

    if (account)
        leave(account);
}

void tdm_sip_do_account_retry(struct tdm_sig *sig, tdm_sig_id id)
{
    struct le *le = sig->accounts.head;

    while (le) {
        struct tdm_sip_account *account = le->data;

        le = le->next;
        if (!id || account->id == id)
            tdm_sip_account_step(account, &(struct tdm_account_in){.kind = TDM_ACCOUNT_RETRY});
    }
}

void tdm_sip_close_accounts(struct tdm_sig *sig)
{
    struct le *le = sig->accounts.head;

    while (le) {
        struct tdm_sip_account *account = le->data;

        le = le->next;
        leave(account);
    }
}

/* --- Whose is it ------------------------------------------------------------------------------ */

struct tdm_sip_uri tdm_sip_account_hop(const struct tdm_sip_account *account)
{
    const struct sockaddr_storage *address = &account->addresses[account->address_index];
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    struct tdm_sip_uri hop = {.tcp = account->tp == SIP_TRANSP_TCP,
                              .tls = account->tp == SIP_TRANSP_TLS,
                              .udp = account->tp == SIP_TRANSP_UDP};

    if (address->ss_family != AF_INET && address->ss_family != AF_INET6)
        return hop;
    hop.ipv6 = address->ss_family == AF_INET6;
    hop.port = ntohs(hop.ipv6 ? v6->sin6_port : v4->sin_port);
    if (!inet_ntop(address->ss_family,
                   hop.ipv6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, hop.host,
                   sizeof hop.host))
        hop.host[0] = '\0';
    return hop;
}

static bool comes_from(const struct tdm_sip_account *account, const struct sa *src)
{
    struct sa address;

    return sa_set_sa(&address,
                     (const struct sockaddr *)&account->addresses[account->address_index]) == 0 &&
           sa_cmp(&address, src, SA_ADDR);
}

/* Its server sends us what is for the user part of our Contact. Two accounts of one name at one
 * server's address differ in their domain, which is in To. */
struct tdm_sip_account *tdm_sip_account_of(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    struct tdm_sip_account *kin = NULL;

    if (stack->account && !stack->account->gone)
        return stack->account;
    for (struct le *le = stack->sig->accounts.head; le; le = le->next) {
        struct tdm_sip_account *account = le->data;

        if (account->gone || !comes_from(account, &msg->src) ||
            pl_strcmp(&msg->uri.user, account->aor.user))
            continue;
        if (!pl_strcasecmp(&msg->to.uri.host, account->aor.host))
            return account;
        kin = kin ? kin : account;
    }
    return kin;
}

void tdm_sip_take_account(struct tdm_sig_event *event, struct tdm_sip_stack *stack,
                          const struct sip_msg *msg)
{
    const struct tdm_sip_account *account = tdm_sip_account_of(stack, msg);

    event->account = account ? account->id : 0;
    event->confidential = msg->tp == SIP_TRANSP_TLS;
}

/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define HASH_SIZE  512
#define PORT_TRIES 32
#define STACKS_MAX 32
#define REFRESH_MS 5000
#define IDLE_MAX   6 /* Refreshes that a TLS connection without a call or account lives on. */

struct tdm_sip_stack *tdm_sip_stack_of(struct tdm_sig *sig, const char *local)
{
    bool ipv6 = strchr(local, ':') != NULL;
    struct tdm_sip_stack *kin = NULL;

    for (struct le *le = sig->stacks.head; le; le = le->next) {
        struct tdm_sip_stack *stack = le->data;

        if (strcmp(stack->address, local) == 0)
            return stack;
        if (!kin && (strchr(stack->address, ':') != NULL) == ipv6)
            kin = stack;
    }
    return kin;
}

void tdm_sip_contact(const struct tdm_sip_call *call, enum sip_transp tp, char *to, size_t capacity)
{
    const struct tdm_sip_account *account = call->account;
    const char *user = account ? account->aor.user : call->sig->user;
    struct sa local;

    if (account && account->tp == tp && sa_isset(&account->contact, SA_ADDR))
        local = account->contact;
    else if (call->stack->secure && sa_isset(&call->stack->seen, SA_ADDR))
        local = call->stack->seen;
    else
        (void)sa_set_str(&local, call->stack->address, call->stack->port);
    (void)re_snprintf(to, capacity, "Contact: <sip:%s@%J%s>\r\n", user, &local,
                      sip_transp_param(tp));
}

void tdm_sip_seen(const struct sip_msg *msg, struct sa *seen)
{
    struct pl received, rport;
    uint16_t port = 0;

    *seen = msg->dst;
    if (!msg_param_decode(&msg->via.params, "rport", &rport))
        port = (uint16_t)pl_u32(&rport);
    if (port)
        sa_set_port(seen, port);
    if (!msg_param_decode(&msg->via.params, "received", &received))
        (void)sa_set(seen, &received, sa_port(seen));
}

int tdm_sip_write_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst,
                          struct mbuf *mb, void *arg)
{
    char contact[256];

    (void)src;
    (void)dst;
    tdm_sip_contact(arg, tp, contact, sizeof contact);
    return mbuf_write_str(mb, contact);
}

static void stack_destructor(void *arg)
{
    struct tdm_sip_stack *stack = arg;

    list_unlink(&stack->le);
    mem_deref(stack->responses);
    mem_deref(stack->requests);
    mem_deref(stack->guard);
    if (stack->sip)
        sip_close(stack->sip, true);
    mem_deref(stack->sip);
    tdm_trust_destroy(stack->trust);
}

static int stack_listen(struct tdm_sip_stack *stack, uint16_t *port)
{
    static const struct {
        enum tdm_sig_transport flag;
        enum sip_transp tp;
    } kinds[] = {{TDM_SIG_UDP, SIP_TRANSP_UDP}, {TDM_SIG_TCP, SIP_TRANSP_TCP}};
    struct sa local;
    int err = sa_set_str(&local, stack->address, *port);

    for (size_t i = 0; !err && i < sizeof kinds / sizeof *kinds; i++) {
        if (!(stack->sig->transports & kinds[i].flag))
            continue;
        err = sip_transp_add(stack->sip, kinds[i].tp, &local);
        if (!err)
            err = sip_transp_laddr(stack->sip, &local, kinds[i].tp, &local);
        if (!err && kinds[i].tp == SIP_TRANSP_UDP)
            tdm_sip_guard_call(&local);
    }
    if (!err)
        *port = stack->port = sa_port(&local);
    return err;
}

static struct tdm_sip_stack *stack_new(struct tdm_sig *sig, const char *address)
{
    struct tdm_sip_stack *stack = mem_zalloc(sizeof *stack, stack_destructor);

    if (!stack)
        return NULL;
    stack->sig = sig;
    (void)snprintf(stack->address, sizeof stack->address, "%s", address);
    if (sip_alloc(&stack->sip, sig->dns, HASH_SIZE, HASH_SIZE, HASH_SIZE, sig->user_agent, NULL,
                  stack) ||
        sip_listen(&stack->requests, stack->sip, true, tdm_sip_on_request, stack) ||
        sip_listen(&stack->responses, stack->sip, false, tdm_sip_on_response, stack))
        stack = mem_deref(stack);
    return stack;
}

/* --- TLS ----------------------------------------------------------------------------------------
 */

static int listen_secure(struct tdm_sip_stack *stack, struct tls *tls, uint16_t port)
{
    struct sa local;
    int err = sa_set_str(&local, stack->address, port);

    stack->secure = true;
    if (!err)
        err = sip_transp_add(stack->sip, SIP_TRANSP_TLS, &local, tls);
    if (!err)
        err = sip_transp_laddr(stack->sip, &local, SIP_TRANSP_TLS, &local);
    stack->port = sa_port(&local);
    return err;
}

struct tdm_sip_stack *tdm_sip_tls_stack(struct tdm_sig *sig, const char *address,
                                        const struct tdm_trust_config *trust,
                                        struct tdm_cause *cause)
{
    struct tdm_sip_stack *stack = stack_new(sig, address);
    struct tls *tls = NULL;
    bool good = false;

    (void)tdm_fail(cause, TDM_E_SYSTEM, "TLS cannot be set up: out of memory");
    if (stack && tls_alloc(&tls, TLS_METHOD_SSLV23, NULL, NULL) == 0)
        good = tdm_trust_create(trust, &stack->trust, cause) == TDM_OK &&
               tdm_trust_apply(stack->trust, tls_openssl_context(tls), cause) == TDM_OK &&
               listen_secure(stack, tls, 0) == 0;
    mem_deref(tls);
    if (!good)
        return mem_deref(stack);
    list_append(&sig->tls_stacks, &stack->le, stack);
    return mem_ref(stack);
}

/* Here and nowhere else do stacks end: libre must not lose one in whose callback it is. */
static void drop_idle_stacks(struct tdm_sig *sig)
{
    struct le *le = sig->tls_stacks.head;

    while (le) {
        struct tdm_sip_stack *stack = le->data;

        le = le->next;
        stack->idle = stack->trust && mem_nrefs(stack) == 1 ? stack->idle + 1 : 0;
        if (stack->idle > IDLE_MAX)
            mem_deref(stack);
    }
}

struct tdm_sip_stack *tdm_sip_tls_stack_to(struct tdm_sig *sig, const char *address,
                                           const char *host, struct tdm_cause *cause)
{
    struct tdm_sip_stack *stack;

    for (struct le *le = sig->tls_stacks.head; le; le = le->next) {
        stack = le->data;
        if (strcmp(stack->host, host) == 0 && strcmp(stack->address, address) == 0) {
            tdm_trust_forget(stack->trust);
            return mem_ref(stack);
        }
    }
    stack = tdm_sip_tls_stack(
        sig, address,
        &(struct tdm_trust_config){.host = host, .ca_file = sig->ca_file[0] ? sig->ca_file : NULL},
        cause);
    if (stack)
        (void)snprintf(stack->host, sizeof stack->host, "%s", host);
    return stack;
}

/* What others open to us, beside the port for UDP and TCP. A stack that nobody can reach by TLS is
 * one all the same. */
static void add_tls_listener(struct tdm_sig *sig, const char *address, uint16_t port)
{
    struct tdm_sip_stack *stack = sig->identity[0] ? stack_new(sig, address) : NULL;
    struct tls *tls = NULL;

    if (stack && tls_alloc(&tls, TLS_METHOD_SSLV23, sig->identity, NULL) == 0) {
        tdm_trust_only_accept(tls_openssl_context(tls));
        if (listen_secure(stack, tls, (uint16_t)(port + 1)) == 0) {
            list_append(&sig->tls_stacks, &stack->le, stack);
            stack = NULL;
        }
    }
    mem_deref(stack);
    mem_deref(tls);
}

/* --- Addresses ----------------------------------------------------------------------------------
 */

/* A stack at `address`; port 0 takes any, and says which. */
static int stack_add(struct tdm_sig *sig, const char *address, uint16_t *port)
{
    struct tdm_sip_stack *stack = stack_new(sig, address);
    int err;

    if (!stack)
        return ENOMEM;
    list_append(&sig->stacks, &stack->le, stack);
    err = stack_listen(stack, port);
    if (err)
        mem_deref(stack);
    else if (*port < UINT16_MAX)
        add_tls_listener(sig, address, *port);
    return err;
}

static bool has_stack(struct tdm_sig *sig, const char *address)
{
    struct tdm_sip_stack *stack = tdm_sip_stack_of(sig, address);

    return stack && strcmp(stack->address, address) == 0;
}

/* Numeric text of an interface's address that can be listened at. */
static bool interface_address(const struct ifaddrs *at, char *text, size_t capacity)
{
    const void *address = at->ifa_addr;
    const struct sockaddr_in *v4 = address;
    const struct sockaddr_in6 *v6 = address;

    if (!address || !(at->ifa_flags & IFF_UP))
        return false;
    if (at->ifa_addr->sa_family == AF_INET)
        return inet_ntop(AF_INET, &v4->sin_addr, text, (socklen_t)capacity) != NULL;
    return at->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) &&
           inet_ntop(AF_INET6, &v6->sin6_addr, text, (socklen_t)capacity) != NULL;
}

/* Stacks at all addresses that have none. An address that cannot be had is left out, except for
 * a port in use at start: that is told. */
static int add_stacks(struct tdm_sig *sig, uint16_t *port, bool starting)
{
    struct ifaddrs *all = NULL;
    int err = 0;

    if (sig->bind_address[0])
        return starting ? stack_add(sig, sig->bind_address, port) : 0;
    if (getifaddrs(&all))
        return errno;
    for (const struct ifaddrs *at = all; at && !err; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN];

        if (!interface_address(at, text, sizeof text) || has_stack(sig, text) ||
            list_count(&sig->stacks) >= STACKS_MAX)
            continue;
        err = stack_add(sig, text, port);
        if (!starting || (err != EADDRINUSE && err != EACCES))
            err = 0;
    }
    freeifaddrs(all);
    return err || sig->stacks.head ? err : EADDRNOTAVAIL;
}

static void refresh_handler(void *arg)
{
    struct tdm_sig *sig = arg;

    drop_idle_stacks(sig);
    (void)add_stacks(sig, &(uint16_t){sig->port}, false);
    tmr_start(&sig->refresh, REFRESH_MS, refresh_handler, sig);
}

enum tdm_err tdm_sip_listen(struct tdm_sig *sig)
{
    const char *address = sig->bind_address[0] ? sig->bind_address : "any address";
    uint16_t port = sig->port;
    int err = add_stacks(sig, &port, true);

    for (int i = 0; err == EADDRINUSE && sig->port_may_change && i < PORT_TRIES; i++) {
        list_flush(&sig->tls_stacks);
        list_flush(&sig->stacks);
        port = 0;
        err = add_stacks(sig, &port, true);
    }
    if (err == EADDRINUSE)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "port %u is in use (by another SIP program?): choose another with --port",
                        sig->port);
    if (err == EACCES)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "port %u needs administrator rights: choose one above 1023 with --port",
                        sig->port);
    if (err)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "cannot listen for calls at %s, port %u (error %d): is the network up, and "
                        "is that an address of this machine?",
                        address, sig->port, err);
    sig->port = port;
    tmr_start(&sig->refresh, REFRESH_MS, refresh_handler, sig);
    return TDM_OK;
}

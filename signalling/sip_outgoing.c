/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX 600 /* Of a request of ours, usual names assumed. */

void tdm_sip_close_icmp(struct tdm_sip_call *call)
{
    if (call->icmp_fd < 0)
        return;
    fd_close(call->icmp_fd);
    (void)close(call->icmp_fd);
    call->icmp_fd = -1;
}

int tdm_sip_send_ack(struct tdm_sip_call *call, uint32_t seq)
{
    call->acked = true;
    call->ack_seq = seq;
    return tdm_sip_request(call, NULL, "ACK", seq, NULL, TDM_SIP_NO_BODY);
}

static void invited(struct tdm_sip_call *call, const struct sip_msg *msg)
{
    if (sip_dialog_create(call->dlg, msg)) {
        tdm_sip_call_fail(call, "the other side accepted with a broken message (no Contact)");
        return;
    }
    (void)tdm_sip_send_ack(call, msg->cseq.num);
    if (call->phase == TDM_SIP_LEAVING) { /* Cancelled here while the 200 was on its way. */
        tdm_sip_say_bye(call);
        return;
    }
    call->phase = TDM_SIP_UP;
    tdm_sip_call_emit(call, TDM_SIG_ACCEPTED, msg->scode, NULL, msg);
}

static void invite_response(int err, const struct sip_msg *msg, void *arg);

static int send_invite(struct tdm_sip_call *call)
{
    return tdm_sip_request(call, &call->req, "INVITE", 0, invite_response,
                           TDM_SIP_ALLOW TDM_SIP_ACCEPT "%sContent-Length: %zu\r\n\r\n%b",
                           call->body->end ? "Content-Type: application/sdp\r\n" : "",
                           call->body->end, call->body->buf, call->body->end);
}

static void invite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    tdm_sip_close_icmp(call);
    if (err || !msg) {
        tdm_sip_call_fail_error(call, err);
    } else if (msg->scode < 200) {
        if (msg->scode > 100 && call->phase == TDM_SIP_INVITING)
            tdm_sip_call_emit(call, TDM_SIG_RINGING, msg->scode, NULL, msg);
    } else if (msg->scode < 300) {
        invited(call, msg);
    } else if (call->phase != TDM_SIP_INVITING || !tdm_sip_auth_again(call, msg) ||
               send_invite(call)) {
        tdm_sip_call_end(call, TDM_SIG_REFUSED, msg->scode, tdm_sip_refusal(call, msg->scode));
        mem_deref(call);
    }
}

static void icmp_handler(int flags, void *arg)
{
    struct tdm_sip_call *call = arg;
    char byte;
    int error = recv(call->icmp_fd, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;

    (void)flags;
    tdm_sip_close_icmp(call);
    if (error != ECONNREFUSED && error != EHOSTUNREACH && error != ENETUNREACH)
        return;
    if (call->phase != TDM_SIP_INVITING)
        return;
    tdm_sip_call_fail_error(call, error);
}

/* A keep-alive (RFC 5626 section 3.5.1) from a connected socket, which gets the ICMP error that
 * libre's unconnected one never sees. Without it a wrong port takes 32 s to notice. */
static void watch_icmp(struct tdm_sip_call *call, const struct sockaddr_storage *address)
{
    socklen_t size =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    call->icmp_fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (call->icmp_fd < 0)
        return;
    if (connect(call->icmp_fd, (const struct sockaddr *)address, size) ||
        send(call->icmp_fd, "\r\n\r\n", 4, MSG_NOSIGNAL) != 4 ||
        fd_listen(call->icmp_fd, FD_READ, icmp_handler, call)) {
        (void)close(call->icmp_fd);
        call->icmp_fd = -1;
    }
}

static int make_dialog(struct tdm_sip_call *call, const struct sockaddr_storage *address)
{
    struct tdm_sip_uri target = call->uri, to = call->uri, from = {0};
    char target_text[256], to_text[256], from_text[256];
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

    bool through = call->service.host[0] != '\0';
    struct tdm_sip_uri *reached = through ? &call->service : &target;
    char route_text[256];
    const char *routes[] = {route_text};

    reached->ipv6 = address->ss_family == AF_INET6;
    if (!inet_ntop(address->ss_family,
                   reached->ipv6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
                   reached->host, sizeof reached->host))
        return EINVAL;
    if (!(call->sig->transports & TDM_SIG_UDP) && !reached->tls)
        reached->tcp = call->uri.tcp = true;
    if (reached->tls && !reached->port)
        reached->port = TDM_SIP_PORT_TLS; /* libre would take 5060. */
    to.tcp = to.udp = to.tls = false;
    (void)snprintf(from.user, sizeof from.user, "%s", call->sig->user);
    (void)snprintf(from.host, sizeof from.host, "%s", call->stack->address);
    from.ipv6 = strchr(call->stack->address, ':') != NULL;
    from.port = call->stack->port == TDM_SIP_PORT ? 0 : call->stack->port;
    if (!tdm_sip_uri_write(&target, target_text, sizeof target_text) ||
        !tdm_sip_uri_write(&to, to_text, sizeof to_text) ||
        !tdm_sip_uri_write(&from, from_text, sizeof from_text) ||
        (through && !tdm_sip_uri_write(&call->service, route_text, sizeof route_text)))
        return EINVAL;
    return sip_dialog_alloc(&call->dlg, target_text, to_text,
                            call->sig->display_name[0] ? call->sig->display_name : NULL, from_text,
                            through ? routes : NULL, through);
}

/* Over an account: the address as it was said, through the account's server, from its own name. */
static int make_account_dialog(struct tdm_sip_call *call)
{
    const struct tdm_sip_account *account = call->account;
    char target[256], from[256], proxy[256];
    const char *routes[1 + TDM_SIP_ROUTES_MAX];
    uint32_t route_count = 0;

    call->uri.tcp = call->uri.udp = call->uri.tls = false;
    if (!tdm_sip_uri_write(&call->uri, target, sizeof target) ||
        !tdm_sip_uri_write(&account->aor, from, sizeof from) ||
        !tdm_sip_uri_write(&account->hop, proxy, sizeof proxy))
        return EINVAL;
    if (account->through)
        routes[route_count++] = proxy;
    for (uint32_t i = 0; i < account->route_count; i++)
        routes[route_count++] = account->routes[i];
    return sip_dialog_alloc(&call->dlg, target, target,
                            account->display_name[0] ? account->display_name : NULL, from,
                            route_count ? routes : NULL, route_count);
}

static int send_first(struct tdm_sip_call *call)
{
    call->phase = TDM_SIP_INVITING;
    return call->events                    ? tdm_sip_events_send(call)
           : call->purpose == TDM_SIP_CALL ? send_invite(call)
                                           : tdm_sip_ask(call);
}

static void start_account_call(struct tdm_sip_call *call)
{
    const struct tdm_sip_account *account = call->account;
    char words[TDM_SIG_REASON_MAX];
    int err;

    call->hop = tdm_sip_account_hop(account);
    if (account->core.state != TDM_SIG_ACCOUNT_REGISTERED || !call->hop.host[0]) {
        (void)snprintf(words, sizeof words, "the account %.40s@%.60s is not connected (%.60s)",
                       account->aor.user, account->aor.host,
                       account->core.reason[0] ? account->core.reason
                                               : tdm_account_state_name(account->core.state));
        tdm_sip_call_fail(call, words);
        return;
    }
    /* RFC 3428 section 8: what does not fit into a datagram goes over TCP. */
    if (call->purpose == TDM_SIP_MESSAGE && account->tp == SIP_TRANSP_UDP && call->hop.udp &&
        call->body->end > TDM_SIG_DATAGRAM_MAX - HEADERS_MAX &&
        call->sig->transports & TDM_SIG_TCP) {
        call->hop.udp = false;
        call->hop.tcp = true;
    }
    tdm_sip_call_use(call, account->stack);
    err = make_account_dialog(call);
    if (!err)
        err = send_first(call);
    if (err)
        tdm_sip_call_fail_error(call, err);
}

static void connected(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    if (!err && msg && msg->scode < 200)
        return;
    if (!err && msg) {
        tdm_sip_seen(msg, &call->stack->seen);
        call->dlg = mem_deref(call->dlg);
        err = make_dialog(call, &call->address);
        if (!err)
            err = send_first(call);
    }
    if (err)
        tdm_sip_call_fail_error(call, err);
}

/* Nobody can open a TLS connection to us, so our Contact must be our end of this one, which is only
 * known once it stands and somebody has said something over it. */
static int connect_first(struct tdm_sip_call *call)
{
    call->phase = TDM_SIP_CONNECTING;
    return tdm_sip_request(call, &call->req, "OPTIONS", 0, connected, TDM_SIP_NO_BODY);
}

static bool choose_stack(struct tdm_sip_call *call, const struct sockaddr_storage *address)
{
    struct tdm_cause cause = {""};
    struct tdm_sip_stack *stack;
    char local[64];

    if (tdm_sig_local_address_to(address, local, sizeof local, &cause) != TDM_OK) {
        tdm_sip_call_fail(call, cause.text);
        return false;
    }
    if (call->uri.tls)
        stack = tdm_sip_tls_stack_to(call->sig, local, call->uri.host, &cause);
    else
        stack = mem_ref(tdm_sip_stack_of(call->sig, local));
    if (!stack) {
        tdm_sip_call_fail(
            call, cause.text[0]
                      ? cause.text
                      : "this machine has no address of the kind (IPv4, IPv6) that is called");
        return false;
    }
    call->stack = stack;
    return true;
}

void tdm_sip_start_call(struct tdm_sip_call *call, const struct sockaddr_storage *address)
{
    int err;

    if (!choose_stack(call, address))
        return;
    call->address = *address;
    err = make_dialog(call, address);
    if (!err)
        err = call->uri.tls ? connect_first(call) : send_first(call);
    if (err) {
        tdm_sip_call_fail_error(call, err);
        return;
    }
    if (!call->uri.tcp && !call->uri.tls && !call->service.tcp)
        watch_icmp(call, address);
}

static bool numeric_address(const struct tdm_sip_uri *uri, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    uint16_t port = htons(tdm_sip_uri_port(uri));

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, uri->host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        return true;
    }
    if (inet_pton(AF_INET6, uri->host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        return true;
    }
    return false;
}

/* RFC 3428 section 8: what does not fit into a datagram goes over TCP, unless told otherwise. */
static void choose_transport(struct tdm_sip_call *call, size_t size)
{
    if (call->purpose == TDM_SIP_MESSAGE && size > TDM_SIG_DATAGRAM_MAX - HEADERS_MAX &&
        !call->uri.udp && !call->uri.tls && call->sig->transports & TDM_SIG_TCP)
        call->uri.tcp = true;
}

void tdm_sip_call_begin(struct tdm_sip_call *call)
{
    struct sockaddr_storage address;

    if (call->account)
        start_account_call(call);
    else if (numeric_address(call->service.host[0] ? &call->service : &call->uri, &address))
        tdm_sip_start_call(call, &address);
    else
        tdm_sip_start_lookup(call);
}

void tdm_sip_do_call(struct tdm_sig *sig, const struct tdm_sip_command *command,
                     enum tdm_sip_purpose purpose)
{
    struct tdm_sip_account *account = tdm_sip_account_find(sig, command->account);
    bool room = tdm_sip_room_for_call(sig);
    struct tdm_sip_call *call = tdm_sip_call_new(sig, command->id, TDM_SIP_LOOKING_UP);

    if (!call)
        return;
    call->uri = command->uri;
    call->purpose = purpose;
    call->service = command->service;
    (void)snprintf(call->content_type, sizeof call->content_type, "%s", command->content_type);
    tdm_sip_call_use_account(call, account);
    if (!account)
        choose_transport(call, command->size);
    call->body = mbuf_alloc(command->size + 1);
    if (!call->body || mbuf_write_mem(call->body, command->body, command->size))
        tdm_sip_call_fail(call, "out of memory");
    else if (!room && purpose != TDM_SIP_MESSAGE)
        tdm_sip_call_fail(call, "there are too many calls already: end one first");
    else if (command->account && !account)
        tdm_sip_call_fail(call, "there is no such account any more");
    else if (purpose != TDM_SIP_MESSAGE || !tdm_sip_must_wait(call))
        tdm_sip_call_begin(call);
    else
        call->in_line = true;
}

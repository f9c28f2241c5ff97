/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    return sip_drequestf(NULL, call->stack->sip, false, "ACK", call->dlg, seq, NULL,
                         tdm_sip_write_contact, NULL, call, TDM_SIP_NO_BODY);
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

static void invite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct tdm_sip_call *call = arg;

    tdm_sip_close_icmp(call);
    call->heard |= msg != NULL;
    if (err || !msg) {
        if (!tdm_sip_try_udp(call, err))
            tdm_sip_call_fail_error(call, err);
    } else if (msg->scode < 200) {
        if (msg->scode > 100 && call->phase == TDM_SIP_INVITING)
            tdm_sip_call_emit(call, TDM_SIG_RINGING, msg->scode, NULL, msg);
    } else if (msg->scode < 300) {
        invited(call, msg);
    } else {
        tdm_sip_call_end(call, TDM_SIG_REFUSED, msg->scode, tdm_sip_words(msg->scode));
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
    if (!(call->sig->transports & TDM_SIG_UDP))
        reached->tcp = call->uri.tcp = true;
    to.tcp = to.udp = false;
    (void)snprintf(from.user, sizeof from.user, "%s", call->sig->user);
    (void)snprintf(from.host, sizeof from.host, "%s", call->stack->address);
    from.ipv6 = strchr(call->stack->address, ':') != NULL;
    from.port = call->sig->port == TDM_SIP_PORT ? 0 : call->sig->port;
    if (!tdm_sip_uri_write(&target, target_text, sizeof target_text) ||
        !tdm_sip_uri_write(&to, to_text, sizeof to_text) ||
        !tdm_sip_uri_write(&from, from_text, sizeof from_text) ||
        (through && !tdm_sip_uri_write(&call->service, route_text, sizeof route_text)))
        return EINVAL;
    return sip_dialog_alloc(&call->dlg, target_text, to_text,
                            call->sig->display_name[0] ? call->sig->display_name : NULL, from_text,
                            through ? routes : NULL, through);
}

void tdm_sip_start_call(struct tdm_sip_call *call, const struct sockaddr_storage *address)
{
    struct tdm_cause cause = {""};
    char local[64];

    if (tdm_sig_local_address_to(address, local, sizeof local, &cause) != TDM_OK) {
        tdm_sip_call_fail(call, cause.text);
        return;
    }
    call->stack = tdm_sip_stack_of(call->sig, local);
    if (!call->stack) {
        tdm_sip_call_fail(call,
                          "this machine has no address of the kind (IPv4, IPv6) that is called");
        return;
    }
    call->address = *address;
    if (!tdm_sip_try_tcp(call))
        tdm_sip_send_first(call);
}

void tdm_sip_send_first(struct tdm_sip_call *call)
{
    int err;

    call->phase = TDM_SIP_INVITING;
    err = make_dialog(call, &call->address);
    if (!err && call->purpose != TDM_SIP_CALL)
        err = tdm_sip_ask(call);
    else if (!err)
        err = sip_drequestf(&call->req, call->stack->sip, true, "INVITE", call->dlg, 0, NULL,
                            tdm_sip_write_contact, invite_response, call,
                            TDM_SIP_ALLOW TDM_SIP_ACCEPT "%sContent-Length: %zu\r\n\r\n%b",
                            call->body->end ? "Content-Type: application/sdp\r\n" : "",
                            call->body->end, call->body->buf, call->body->end);
    if (err) {
        tdm_sip_call_fail_error(call, err);
        return;
    }
    if (!call->uri.tcp && !call->service.tcp)
        watch_icmp(call, &call->address);
}

static bool numeric_address(const struct tdm_sip_uri *uri, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    uint16_t port = htons(uri->port ? uri->port : TDM_SIP_PORT);

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

void tdm_sip_do_call(struct tdm_sig *sig, const struct tdm_sip_command *command,
                     enum tdm_sip_purpose purpose)
{
    bool room = tdm_sip_room_for_call(sig);
    struct tdm_sip_call *call = tdm_sip_call_new(sig, command->id, TDM_SIP_LOOKING_UP);
    struct sockaddr_storage address;

    if (!call)
        return;
    call->uri = command->uri;
    call->purpose = purpose;
    call->service = command->service;
    (void)snprintf(call->content_type, sizeof call->content_type, "%s", command->content_type);
    if (purpose == TDM_SIP_MESSAGE) /* RFC 3428 section 8. */
        call->uri.tcp |= tdm_sip_is_large(call, command->size);
    call->body = mbuf_alloc(command->size + 1);
    if (!call->body || mbuf_write_mem(call->body, command->body, command->size))
        tdm_sip_call_fail(call, "out of memory");
    else if (!room)
        tdm_sip_call_fail(call, "there are too many calls already: end one first");
    else if (numeric_address(call->service.host[0] ? &call->service : &call->uri, &address))
        tdm_sip_start_call(call, &address);
    else
        tdm_sip_start_lookup(call);
}

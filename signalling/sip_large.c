/* SPDX-License-Identifier: MIT */
#include "signalling/sip_state.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX 600 /* Of a request of ours, usual names assumed. */

/* A filter that drops TCP in silence costs so much before the INVITE leaves. */
#define TRY_MS 500

/* Over a connection that stands, 100 comes within 200 ms and a round trip (RFC 3261
 * section 17.2.1); when nothing does, what listens there is no telephone. libre itself would wait
 * for 32 s. */
#define HEAR_MS 3000

bool tdm_sip_is_large(const struct tdm_sip_call *call, size_t body_size)
{
    return body_size > TDM_SIG_DATAGRAM_MAX - HEADERS_MAX && !call->uri.udp && !call->uri.tcp &&
           call->sig->transports & TDM_SIG_TCP;
}

void tdm_sip_close_try(struct tdm_sip_call *call)
{
    tmr_cancel(&call->try_limit);
    if (call->try_fd < 0)
        return;
    fd_close(call->try_fd);
    (void)close(call->try_fd);
    call->try_fd = -1;
}

static void nothing_heard(void *arg)
{
    (void)tdm_sip_try_udp(arg, ECONNRESET);
}

static void tried(struct tdm_sip_call *call, bool works)
{
    tdm_sip_close_try(call);
    call->chose_tcp = call->uri.tcp = works;
    if (works)
        tmr_start(&call->try_limit, HEAR_MS, nothing_heard, call);
    tdm_sip_send_first(call);
}

static void connected(int flags, void *arg)
{
    struct tdm_sip_call *call = arg;
    int error = 0;
    socklen_t size = sizeof error;

    (void)flags;
    tried(call, getsockopt(call->try_fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
}

static void too_slow(void *arg)
{
    tried(arg, false);
}

bool tdm_sip_try_tcp(struct tdm_sip_call *call)
{
    const struct sockaddr_storage *address = &call->address;
    socklen_t size =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    if (call->purpose != TDM_SIP_CALL || !tdm_sip_is_large(call, call->body->end))
        return false;
    call->try_fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (call->try_fd < 0)
        return false;
    if ((connect(call->try_fd, (const struct sockaddr *)address, size) && errno != EINPROGRESS) ||
        fd_listen(call->try_fd, FD_WRITE, connected, call)) {
        tdm_sip_close_try(call);
        return false;
    }
    tmr_start(&call->try_limit, TRY_MS, too_slow, call);
    return true;
}

bool tdm_sip_try_udp(struct tdm_sip_call *call, int err)
{
    if (!err || err == ETIMEDOUT || !call->chose_tcp || call->heard ||
        call->phase != TDM_SIP_INVITING)
        return false;
    tdm_sip_close_try(call);
    call->chose_tcp = call->uri.tcp = false;
    call->req = mem_deref(call->req);
    call->dlg = mem_deref(call->dlg);
    tdm_sip_send_first(call);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "engine/io/tcp.h"

#include "engine/io/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BACKLOG       16
#define KEEP_IDLE_S   30
#define KEEP_EVERY_S  5
#define KEEP_COUNT    3
#define UNANSWERED_MS 20000 /* Sent and not acknowledged for so long: the connection is gone. */

static void set(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

/* On IPv6 with IPv4 beside it where no address is given and the machine has both. */
static int open_listener(const struct tdm_address *at)
{
    struct sockaddr_storage local;
    socklen_t size;
    int fd = at->family == TDM_IPV4
                 ? -1
                 : socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uint8_t family = fd >= 0 ? TDM_IPV6 : TDM_IPV4;
    struct tdm_address all = {.family = family, .port = at->port};

    if (fd < 0)
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == TDM_IPV6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, at->family == TDM_IPV6);
    if (tdm_udp_sockaddr(at->family ? at : &all, family, &local, &size) &&
        bind(fd, (struct sockaddr *)&local, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int failed = errno;

    (void)close(fd);
    errno = failed;
    return -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage local;
    struct tdm_address a = {0};
    socklen_t size = sizeof local;

    if (getsockname(fd, (struct sockaddr *)&local, &size) == 0)
        tdm_udp_address_of(&local, &a);
    return a.port;
}

enum tdm_err tdm_tcp_listen(const char *address, uint16_t port_min, uint16_t port_max, int *fd,
                            uint16_t *port, struct tdm_cause *cause)
{
    struct tdm_address at = {.family = TDM_ADDRESS_NONE};
    uint32_t last = port_max < port_min ? port_min : port_max;

    if (address && tdm_address_parse(&at, address, 0) != TDM_OK)
        return tdm_fail(cause, TDM_E_MALFORMED, "\"%s\" is not an IP address", address);
    for (uint32_t p = port_min; p <= last; p++) {
        at.port = (uint16_t)p;
        *fd = open_listener(&at);
        if (*fd >= 0) {
            *port = port_of(*fd);
            return TDM_OK;
        }
    }
    return tdm_fail(cause, TDM_E_SYSTEM,
                    "no TCP port from %u to %u is free for the data channel (%s): name others",
                    (unsigned)port_min, (unsigned)last, strerrordesc_np(errno));
}

int tdm_tcp_accept(int listener, struct tdm_address *from)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        tdm_udp_address_of(&peer, from);
    return fd;
}

static enum tdm_err no_way(struct tdm_cause *cause, const struct tdm_address *to, int error)
{
    char text[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(to, text);
    return tdm_fail(cause, TDM_E_GONE, "no TCP connection to %s (%s)", text,
                    strerrordesc_np(error));
}

enum tdm_err tdm_tcp_connect(const struct tdm_address *to, int *fd, struct tdm_cause *cause)
{
    struct sockaddr_storage remote;
    socklen_t size;

    if (!tdm_udp_sockaddr(to, to->family, &remote, &size))
        return no_way(cause, to, EAFNOSUPPORT);
    *fd = socket(remote.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return no_way(cause, to, errno);
    if (connect(*fd, (struct sockaddr *)&remote, size) == 0 || errno == EINPROGRESS)
        return TDM_OK;
    int failed = errno;

    (void)close(*fd);
    *fd = -1;
    return no_way(cause, to, failed);
}

enum tdm_err tdm_tcp_connected(int fd, struct tdm_cause *cause)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int error = 0;
    socklen_t error_size = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0)
        error = errno;
    if (error == 0 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
        return TDM_OK;
    if (error == 0)
        return TDM_E_AGAIN;
    return tdm_fail(cause, TDM_E_GONE, "no TCP connection (%s)", strerrordesc_np(error));
}

void tdm_tcp_tune(int fd, const char *congestion)
{
    const char *name = congestion ? congestion : "cubic";

    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNANSWERED_MS);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

void tdm_tcp_set_lowat(int fd, uint32_t bytes)
{
    set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes);
}

uint32_t tdm_tcp_unsent(int fd)
{
    int bytes = 0;

    return ioctl(fd, SIOCOUTQNSD, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

bool tdm_tcp_info(int fd, struct tdm_tcp_info *info)
{
    struct tcp_info kernel = {0};
    socklen_t size = sizeof kernel;

    *info = (struct tdm_tcp_info){0};
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &kernel, &size) != 0)
        return false;
    info->rtt = (tdm_time)kernel.tcpi_rtt * TDM_US;
    info->rtt_min = kernel.tcpi_min_rtt == UINT32_MAX ? 0 : (tdm_time)kernel.tcpi_min_rtt * TDM_US;
    info->delivery_rate_bps = kernel.tcpi_delivery_rate * 8;
    info->retransmitted = kernel.tcpi_total_retrans;
    info->unsent_bytes = kernel.tcpi_notsent_bytes;
    return true;
}

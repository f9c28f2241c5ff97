/* SPDX-License-Identifier: MIT */
#include "engine/io/udp.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (1024 * 1024)
#define DSCP_EF_TOS  0xb8 /* RFC 8837: interactive media, expedited forwarding. */
#define PAIR_TRIES   200

enum tdm_err tdm_udp_address(const char *address, uint16_t port, struct sockaddr_storage *to,
                             socklen_t *to_size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(to, &v4, sizeof v4);
        *to_size = sizeof v4;
        return TDM_OK;
    }
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        memcpy(to, &v6, sizeof v6);
        *to_size = sizeof v6;
        return TDM_OK;
    }
    return TDM_E_MALFORMED;
}

static int open_one(const char *address, uint16_t port)
{
    struct sockaddr_storage local;
    socklen_t size;
    int on = 1;
    int buffer = BUFFER_BYTES;
    int tos = DSCP_EF_TOS;

    if (tdm_udp_address(address, port, &local, &size) != TDM_OK) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    if (local.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    else
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    if (bind(fd, (struct sockaddr *)&local, size) == 0)
        return fd;
    int failed = errno;

    (void)close(fd);
    errno = failed;
    return -1;
}

static bool open_at(const char *address, uint16_t port, int fds[2])
{
    fds[0] = open_one(address, port);
    if (fds[0] < 0)
        return false;
    fds[1] = open_one(address, (uint16_t)(port + 1));
    if (fds[1] >= 0)
        return true;
    (void)close(fds[0]);
    return false;
}

enum tdm_err tdm_udp_open_pair(const char *address, uint16_t port_min, uint16_t port_max,
                               int fds[2], uint16_t *port, struct tdm_cause *cause)
{
    uint32_t low = port_min ? port_min : 20000;
    uint32_t high = port_max ? port_max : 59998;
    uint32_t pairs = high > low ? (high - low + 1) / 2 : 0;
    uint32_t start = pairs ? (uint32_t)(tdm_entropy_u64() % pairs) : 0;

    low += low & 1;
    errno = EADDRNOTAVAIL; /* When the range holds no even port with its next. */
    for (uint32_t i = 0; i < pairs && i < PAIR_TRIES; i++) {
        uint32_t at = low + 2 * ((start + i) % pairs);

        if (at + 1 > high || !open_at(address, (uint16_t)at, fds))
            continue;
        *port = (uint16_t)at;
        return TDM_OK;
    }
    return tdm_fail(
        cause, TDM_E_SYSTEM,
        "no free pair of UDP ports from %u to %u on %s (%s): widen the range or end what "
        "uses them",
        (unsigned)low, (unsigned)high, address, strerrordesc_np(errno));
}

static tdm_time stamp_of(struct msghdr *message, tdm_time wall_offset, tdm_time now)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct timespec t;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        tdm_time stamp = (tdm_time)t.tv_sec * TDM_S + t.tv_nsec - wall_offset;

        /* A step of the wall clock must not make a packet come from the future or the past. */
        return stamp > now || stamp < now - TDM_S ? now : stamp;
    }
    return now;
}

enum tdm_err tdm_udp_receive(int fd, tdm_time now, struct tdm_udp_batch *batch)
{
    struct mmsghdr messages[TDM_UDP_BATCH];
    struct iovec pieces[TDM_UDP_BATCH];
    uint8_t controls[TDM_UDP_BATCH][64];
    tdm_time wall_offset = tdm_clock_wall_offset();

    for (int i = 0; i < TDM_UDP_BATCH; i++) {
        pieces[i] = (struct iovec){batch->bytes[i], TDM_UDP_DATAGRAM_BYTES};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i],
                                                   .msg_iovlen = 1,
                                                   .msg_control = controls[i],
                                                   .msg_controllen = sizeof controls[i]}};
    }
    int got = recvmmsg(fd, messages, TDM_UDP_BATCH, MSG_DONTWAIT, NULL);

    batch->count = got > 0 ? (uint32_t)got : 0;
    if (got < 0)
        return TDM_E_AGAIN; /* EAGAIN, or the ICMP answer to an earlier send. */
    for (uint32_t i = 0; i < batch->count; i++) {
        /* Cut off, it would pass for a whole one: empty, it is refused and counted. */
        batch->datagrams[i].size =
            messages[i].msg_hdr.msg_flags & MSG_TRUNC ? 0 : messages[i].msg_len;
        batch->datagrams[i].received = stamp_of(&messages[i].msg_hdr, wall_offset, now);
    }
    return TDM_OK;
}

uint32_t tdm_udp_send(int fd, const struct sockaddr_storage *to, socklen_t to_size,
                      const struct tdm_udp_piece *pieces, uint32_t count)
{
    uint32_t sent = 0;

    while (sent < count) {
        struct mmsghdr messages[TDM_UDP_BATCH];
        struct iovec parts[TDM_UDP_BATCH];
        struct sockaddr_storage address = *to;
        uint32_t batch = count - sent < TDM_UDP_BATCH ? count - sent : TDM_UDP_BATCH;

        for (uint32_t i = 0; i < batch; i++) {
            union {
                const void *constant;
                void *plain;
            } data = {.constant = pieces[sent + i].data};

            parts[i] = (struct iovec){data.plain, pieces[sent + i].size};
            messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &address,
                                                       .msg_namelen = to_size,
                                                       .msg_iov = &parts[i],
                                                       .msg_iovlen = 1}};
        }
        int taken = sendmmsg(fd, messages, batch, MSG_DONTWAIT);

        if (taken < 0 && errno == ECONNREFUSED)
            continue; /* The ICMP answer to an earlier packet; reading it clears it. */
        if (taken <= 0)
            break;
        sent += (uint32_t)taken;
    }
    return sent;
}

enum tdm_err tdm_udp_local_address(const char *remote, char *local, size_t capacity,
                                   struct tdm_cause *cause)
{
    struct sockaddr_storage to;
    struct sockaddr_storage from = {0};
    socklen_t size;
    socklen_t from_size = sizeof from;

    if (tdm_udp_address(remote, 9, &to, &size) != TDM_OK)
        return tdm_fail(cause, TDM_E_MALFORMED, "\"%s\" is not an IP address", remote);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, (struct sockaddr *)&to, size) == 0 &&
                 getsockname(fd, (struct sockaddr *)&from, &from_size) == 0;
    int failed = errno;

    if (fd >= 0)
        (void)close(fd);
    if (!found)
        return tdm_fail(cause, TDM_E_SYSTEM, "no way to %s (%s): check the network", remote,
                        strerrordesc_np(failed));
    const void *address = from.ss_family == AF_INET
                              ? (const void *)&((struct sockaddr_in *)(void *)&from)->sin_addr
                              : (const void *)&((struct sockaddr_in6 *)(void *)&from)->sin6_addr;

    return inet_ntop(from.ss_family, address, local, (socklen_t)capacity) ? TDM_OK : TDM_E_SPACE;
}

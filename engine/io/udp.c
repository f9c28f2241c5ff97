/* SPDX-License-Identifier: MIT */
#include "engine/io/udp.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"

#include <errno.h>
#include <linux/udp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (1024 * 1024)
#define DSCP_EF_TOS  0xb8 /* RFC 8837: interactive media, expedited forwarding. */
#define PAIR_TRIES   200
#define CONTROL_BYTES                                                                              \
    (CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +                \
     CMSG_SPACE(sizeof(uint16_t)) + 2 * CMSG_SPACE(sizeof(int)))
#define ECN_MASK       3
#define ECT_1          1
#define SEGMENTS_BYTES 65000 /* In one message: a datagram's size must hold them. */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 section 2.5.5.2. */

bool tdm_udp_sockaddr(const struct tdm_address *a, uint8_t socket_family,
                      struct sockaddr_storage *to, socklen_t *to_size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

    if (a->family == TDM_IPV4 && socket_family == TDM_IPV4) {
        memcpy(&v4.sin_addr, a->bytes, sizeof v4.sin_addr);
        memcpy(to, &v4, sizeof v4);
        *to_size = sizeof v4;
        return true;
    }
    if (a->family == TDM_ADDRESS_NONE || socket_family != TDM_IPV6)
        return false;
    if (a->family == TDM_IPV4) {
        memcpy(&v6.sin6_addr, mapped, sizeof mapped);
        memcpy((uint8_t *)&v6.sin6_addr + sizeof mapped, a->bytes, 4);
    } else {
        memcpy(&v6.sin6_addr, a->bytes, sizeof v6.sin6_addr);
    }
    memcpy(to, &v6, sizeof v6);
    *to_size = sizeof v6;
    return true;
}

static void address_of_v6(const struct in6_addr *from, uint16_t port, struct tdm_address *a)
{
    *a = (struct tdm_address){.family = TDM_IPV6, .port = port};
    if (memcmp(from, mapped, sizeof mapped) == 0) {
        a->family = TDM_IPV4;
        memcpy(a->bytes, (const uint8_t *)from + sizeof mapped, 4);
    } else {
        memcpy(a->bytes, from, sizeof a->bytes);
    }
}

void tdm_udp_address_of(const struct sockaddr_storage *from, struct tdm_address *a)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    *a = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    if (from->ss_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        a->family = TDM_IPV4;
        a->port = ntohs(v4.sin_port);
        memcpy(a->bytes, &v4.sin_addr, sizeof v4.sin_addr);
    } else if (from->ss_family == AF_INET6) {
        memcpy(&v6, from, sizeof v6);
        address_of_v6(&v6.sin6_addr, ntohs(v6.sin6_port), a);
    }
}

static void set_class(int fd, int family, int tos)
{
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
}

/* What a media socket wants of the kernel; none of it is needed to work. */
static void set_options(int fd, int family)
{
    int on = 1;
    int off = 0;
    int buffer = BUFFER_BYTES;

    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    set_class(fd, family, DSCP_EF_TOS);
    (void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on); /* Mapped IPv4, too. */
    if (family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    } else {
        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    }
}

static bool open_one(const struct tdm_address *address, struct tdm_udp *udp)
{
    struct sockaddr_storage local = {0};
    socklen_t size = 0;

    (void)tdm_udp_sockaddr(address, address->family, &local, &size);
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    set_options(fd, local.ss_family);
    if (bind(fd, (struct sockaddr *)&local, size) == 0) {
        *udp = (struct tdm_udp){.fd = fd, .family = address->family, .port = address->port};
        return true;
    }
    int failed = errno;

    (void)close(fd);
    errno = failed;
    return false;
}

enum tdm_err tdm_udp_open(const struct tdm_address *address, struct tdm_udp *udp,
                          struct tdm_cause *cause)
{
    char text[TDM_ADDRESS_TEXT_MAX];

    *udp = (struct tdm_udp){.fd = -1};
    if (open_one(address, udp))
        return TDM_OK;
    tdm_address_text(address, text);
    return tdm_fail(cause, TDM_E_SYSTEM,
                    "cannot listen on UDP %s (%s): choose another port or end "
                    "what uses it",
                    text, strerrordesc_np(errno));
}

void tdm_udp_mark(const struct tdm_udp *udp, bool ect1)
{
    int family = udp->family == TDM_IPV6 ? AF_INET6 : AF_INET;

    if (udp->fd >= 0)
        set_class(udp->fd, family, DSCP_EF_TOS | (ect1 ? ECT_1 : 0));
}

void tdm_udp_close(struct tdm_udp *udp)
{
    if (udp->fd >= 0)
        (void)close(udp->fd);
    udp->fd = -1;
}

static bool open_at(struct tdm_address address, uint16_t port, struct tdm_udp pair[2])
{
    address.port = port;
    if (!open_one(&address, &pair[0]))
        return false;
    address.port++;
    if (open_one(&address, &pair[1]))
        return true;
    tdm_udp_close(&pair[0]);
    return false;
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

enum tdm_err tdm_udp_open_pair(const char *address, uint16_t port_min, uint16_t port_max,
                               struct tdm_udp pair[2], struct tdm_cause *cause)
{
    uint32_t low = port_min ? port_min : 20000;
    uint32_t high = port_max ? port_max : 59998;
    uint32_t pairs = high > low ? (high - low + 1) / 2 : 0;
    uint32_t start = pairs ? (uint32_t)(tdm_entropy_u64() % pairs) : 0;
    struct tdm_address local = {.family = TDM_IPV4};

    if (address && tdm_address_parse(&local, address, 0) != TDM_OK)
        return tdm_fail(cause, TDM_E_SYSTEM, "\"%s\" is no IP address to open a port on", address);
    if (!address && has_ipv6())
        local.family = TDM_IPV6;
    low += low & 1;
    errno = EADDRNOTAVAIL; /* When the range holds no even port with its next. */
    for (uint32_t i = 0; i < pairs && i < PAIR_TRIES; i++) {
        uint32_t at = low + 2 * ((start + i) % pairs);

        if (at + 1 <= high && open_at(local, (uint16_t)at, pair))
            return TDM_OK;
    }
    return tdm_fail(
        cause, TDM_E_SYSTEM,
        "no free pair of UDP ports from %u to %u on %s (%s): widen the range or end what "
        "uses them",
        (unsigned)low, (unsigned)high, address ? address : "any address", strerrordesc_np(errno));
}

static tdm_time stamp_of(const struct cmsghdr *c, tdm_time wall_offset, tdm_time now)
{
    struct timespec t;

    memcpy(&t, CMSG_DATA(c), sizeof t);
    tdm_time stamp = (tdm_time)t.tv_sec * TDM_S + t.tv_nsec - wall_offset;

    /* A step of the wall clock must not make a packet come from the future or the past. */
    return stamp > now || stamp < now - TDM_S ? now : stamp;
}

/* IPv4 gives it as a byte, IPv6 as a number. */
static uint8_t ecn_of(const struct cmsghdr *c)
{
    int class = 0;

    if (c->cmsg_len >= CMSG_LEN(sizeof class))
        memcpy(&class, CMSG_DATA(c), sizeof class);
    else
        class = *CMSG_DATA(c);
    return (uint8_t)(class & ECN_MASK);
}

/* What the kernel says beside the bytes: when, to which of our addresses, how marked. */
static uint8_t read_control(struct msghdr *message, uint16_t port, tdm_time wall_offset,
                            tdm_time now, tdm_time *received, struct tdm_address *to)
{
    uint8_t ecn = 0;
    struct in6_pktinfo v6;
    struct in_pktinfo v4;

    *received = now;
    *to = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            *received = stamp_of(c, wall_offset, now);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&v6, CMSG_DATA(c), sizeof v6);
            address_of_v6(&v6.ipi6_addr, port, to);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&v4, CMSG_DATA(c), sizeof v4);
            *to = (struct tdm_address){.family = TDM_IPV4, .port = port};
            memcpy(to->bytes, &v4.ipi_addr, sizeof v4.ipi_addr);
        } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
                   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)) {
            ecn = ecn_of(c);
        }
    }
    return ecn;
}

enum tdm_err tdm_udp_receive(const struct tdm_udp *udp, tdm_time now, struct tdm_udp_batch *batch)
{
    struct mmsghdr messages[TDM_UDP_BATCH];
    struct iovec pieces[TDM_UDP_BATCH];
    struct sockaddr_storage from[TDM_UDP_BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[TDM_UDP_BATCH][CONTROL_BYTES];
    tdm_time wall_offset = tdm_clock_wall_offset();

    for (int i = 0; i < TDM_UDP_BATCH; i++) {
        pieces[i] = (struct iovec){batch->bytes[i], TDM_UDP_DATAGRAM_BYTES};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                   .msg_namelen = sizeof from[i],
                                                   .msg_iov = &pieces[i],
                                                   .msg_iovlen = 1,
                                                   .msg_control = controls[i],
                                                   .msg_controllen = sizeof controls[i]}};
    }
    int got = recvmmsg(udp->fd, messages, TDM_UDP_BATCH, MSG_DONTWAIT, NULL);

    batch->count = got > 0 ? (uint32_t)got : 0;
    if (got < 0)
        return TDM_E_AGAIN; /* EAGAIN, or the ICMP answer to an earlier send. */
    for (uint32_t i = 0; i < batch->count; i++) {
        /* Cut off, it would pass for a whole one: empty, it is refused and counted. */
        batch->datagrams[i].size =
            messages[i].msg_hdr.msg_flags & MSG_TRUNC ? 0 : messages[i].msg_len;
        tdm_udp_address_of(&from[i], &batch->datagrams[i].from);
        batch->datagrams[i].ecn =
            read_control(&messages[i].msg_hdr, udp->port, wall_offset, now,
                         &batch->datagrams[i].received, &batch->datagrams[i].to);
    }
    return TDM_OK;
}

enum tdm_err tdm_udp_receive_one(const struct tdm_udp *udp, tdm_time now, uint8_t *data,
                                 size_t *size, struct tdm_address *from, struct tdm_address *to)
{
    struct sockaddr_storage sender;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
    struct iovec piece = {data, *size};
    struct msghdr message = {.msg_name = &sender,
                             .msg_namelen = sizeof sender,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    tdm_time received;
    ssize_t got = recvmsg(udp->fd, &message, MSG_DONTWAIT);

    if (got < 0)
        return TDM_E_AGAIN;
    *size = message.msg_flags & MSG_TRUNC ? 0 : (size_t)got;
    tdm_udp_address_of(&sender, from);
    (void)read_control(&message, udp->port, tdm_clock_wall_offset(), now, &received, to);
    return TDM_OK;
}

/* Which of our addresses a datagram leaves from, as a control message. @return its bytes. */
static size_t write_source(const struct tdm_udp *udp, const struct tdm_address *from,
                           uint8_t control[CONTROL_BYTES])
{
    struct msghdr head = {.msg_control = control, .msg_controllen = CONTROL_BYTES};
    struct cmsghdr *c = CMSG_FIRSTHDR(&head);
    struct sockaddr_storage address;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    socklen_t size;

    if (!tdm_udp_sockaddr(from, udp->family, &address, &size))
        return 0;
    memset(control, 0, CONTROL_BYTES);
    if (udp->family == TDM_IPV4) {
        struct in_pktinfo info = {0};

        memcpy(&v4, &address, sizeof v4);
        info.ipi_spec_dst = v4.sin_addr;
        *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {0};

    memcpy(&v6, &address, sizeof v6);
    info.ipi6_addr = v6.sin6_addr;
    *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

/* What one call to the kernel carries: several pieces of one size are one message, which the kernel
 * cuts (UDP_SEGMENT): one way through its layers instead of one each. The last may be shorter. */
struct outgoing {
    struct sockaddr_storage to;
    socklen_t to_size;
    size_t source_size; /* Of the control bytes that every message has. */
    uint32_t message_count;
    uint32_t pieces[TDM_UDP_BATCH]; /* Of each message. */
    struct mmsghdr messages[TDM_UDP_BATCH];
    struct iovec parts[TDM_UDP_BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[TDM_UDP_BATCH][CONTROL_BYTES];
};

static uint32_t run_of(const struct tdm_udp_piece *pieces, uint32_t count)
{
    size_t bytes = pieces[0].size;
    uint32_t run = 1;

    while (run < count && pieces[run].size && pieces[run].size <= pieces[0].size &&
           bytes + pieces[run].size <= SEGMENTS_BYTES) {
        bytes += pieces[run].size;
        if (pieces[run++].size < pieces[0].size)
            break; /* Shorter: the last one. */
    }
    return run;
}

static void put_segment_size(const struct outgoing *o, struct msghdr *message, size_t size)
{
    uint8_t *at = (uint8_t *)message->msg_control + o->source_size;
    uint16_t segment = (uint16_t)size;
    struct cmsghdr head = {CMSG_LEN(sizeof segment), IPPROTO_UDP, UDP_SEGMENT};

    memset(at, 0, CMSG_SPACE(sizeof segment));
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, &segment, sizeof segment);
    message->msg_controllen += CMSG_SPACE(sizeof segment);
}

static void plan_messages(struct outgoing *o, const struct tdm_udp_piece *pieces, uint32_t count,
                          bool together)
{
    o->message_count = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t n = o->message_count++;
        uint32_t run = together ? run_of(pieces + i, count - i) : 1;
        struct msghdr *m = &o->messages[n].msg_hdr;

        if (n > 0)
            memcpy(o->controls[n], o->controls[0], o->source_size);
        *m = (struct msghdr){.msg_name = &o->to,
                             .msg_namelen = o->to_size,
                             .msg_iov = &o->parts[i],
                             .msg_iovlen = run,
                             .msg_control = o->controls[n],
                             .msg_controllen = o->source_size};
        if (run > 1)
            put_segment_size(o, m, pieces[i].size);
        o->pieces[n] = run;
        for (uint32_t end = i + run; i < end; i++) {
            union {
                const void *constant;
                void *plain;
            } data = {.constant = pieces[i].data};

            o->parts[i] = (struct iovec){data.plain, pieces[i].size};
        }
    }
}

uint32_t tdm_udp_send(const struct tdm_udp *udp, const struct tdm_address *from,
                      const struct tdm_address *to, const struct tdm_udp_piece *pieces,
                      uint32_t count)
{
    struct outgoing o;
    uint32_t sent = 0;
    bool together = true;

    if (!tdm_udp_sockaddr(to, udp->family, &o.to, &o.to_size))
        return 0;
    o.source_size = write_source(udp, from, o.controls[0]);

    while (sent < count) {
        uint32_t batch = count - sent < TDM_UDP_BATCH ? count - sent : TDM_UDP_BATCH;

        plan_messages(&o, pieces + sent, batch, together);
        int taken = sendmmsg(udp->fd, o.messages, o.message_count, MSG_DONTWAIT);

        if (taken < 0 && errno == ECONNREFUSED)
            continue; /* The ICMP answer to an earlier packet; reading it clears it. */
        if (taken < 0 && o.pieces[0] > 1 && errno != EAGAIN) {
            together = false; /* Larger than the path takes, or a device that cannot. */
            continue;
        }
        if (taken <= 0)
            break;
        for (int i = 0; i < taken; i++)
            sent += o.pieces[i];
    }
    return sent;
}

enum tdm_err tdm_udp_local_address(const char *remote, char *local, size_t capacity,
                                   struct tdm_cause *cause)
{
    struct tdm_address address;
    struct sockaddr_storage to = {0};
    struct sockaddr_storage from = {0};
    socklen_t size = 0;
    socklen_t from_size = sizeof from;
    char text[TDM_ADDRESS_TEXT_MAX];

    if (tdm_address_parse(&address, remote, 9) != TDM_OK)
        return tdm_fail(cause, TDM_E_MALFORMED, "\"%s\" is not an IP address", remote);
    (void)tdm_udp_sockaddr(&address, address.family, &to, &size);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, (struct sockaddr *)&to, size) == 0 &&
                 getsockname(fd, (struct sockaddr *)&from, &from_size) == 0;
    int failed = errno;

    if (fd >= 0)
        (void)close(fd);
    if (!found)
        return tdm_fail(cause, TDM_E_SYSTEM, "no way to %s (%s): check the network", remote,
                        strerrordesc_np(failed));
    tdm_udp_address_of(&from, &address);
    tdm_address_host_text(&address, text);
    return snprintf(local, capacity, "%s", text) < (int)capacity ? TDM_OK : TDM_E_SPACE;
}

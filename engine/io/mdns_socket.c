/* SPDX-License-Identifier: MIT */
#include "engine/io/mdns_socket.h"

#include "engine/io/udp.h"
#include "engine/wire/mdns.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* RFC 6762 section 3: 224.0.0.251, and FF02::FB on the link. */
static socklen_t group_address(const struct tdm_mdns_socket *s, struct sockaddr_storage *group)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)group;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)group;

    memset(group, 0, sizeof *group);
    if (s->family == AF_INET6) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(TDM_MDNS_PORT);
        v6->sin6_scope_id = s->interface;
        (void)inet_pton(AF_INET6, TDM_MDNS_GROUP_V6, &v6->sin6_addr);
        return sizeof *v6;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons(TDM_MDNS_PORT);
    (void)inet_pton(AF_INET, TDM_MDNS_GROUP, &v4->sin_addr);
    return sizeof *v4;
}

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool join_v4(int fd, const struct sockaddr_storage *group, unsigned interface)
{
    const struct ip_mreqn member = {.imr_multiaddr = ((const struct sockaddr_in *)group)->sin_addr,
                                    .imr_ifindex = (int)interface};

    return set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) && set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255) &&
           set(fd, IPPROTO_IP, IP_TTL, 255) && set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
           setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof member) == 0 &&
           setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member) == 0;
}

static bool join_v6(int fd, const struct sockaddr_storage *group, unsigned interface)
{
    const struct ipv6_mreq member = {.ipv6mr_multiaddr =
                                         ((const struct sockaddr_in6 *)group)->sin6_addr,
                                     .ipv6mr_interface = interface};

    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255) &&
           set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface) &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &member, sizeof member) == 0;
}

/* Bound to the group: what is sent to this machine alone is not received. */
static int open_on(const struct tdm_mdns_socket *s)
{
    struct sockaddr_storage group;
    socklen_t size = group_address(s, &group);
    int fd = socket(s->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool v6 = s->family == AF_INET6;

    if (fd < 0)
        return -1;
    if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || (v6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        bind(fd, (const struct sockaddr *)&group, size) != 0 ||
        !(v6 ? join_v6 : join_v4)(fd, &group, s->interface)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool usable(const struct ifaddrs *i, bool loopback)
{
    bool is_loopback = i->ifa_flags & IFF_LOOPBACK;

    return i->ifa_addr && i->ifa_flags & IFF_UP && i->ifa_flags & IFF_RUNNING &&
           (is_loopback ? loopback : (i->ifa_flags & IFF_MULTICAST) != 0);
}

static void take_address(struct tdm_mdns_socket *s, const struct ifaddrs *i)
{
    struct sockaddr_storage address = {0};
    struct tdm_address a;

    memcpy(&address, i->ifa_addr,
           i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                             : sizeof(struct sockaddr_in6));
    tdm_udp_address_of(&address, &a);
    a.port = 0;
    /* A link-local IPv6 address is no use without the asker's name of the link. */
    if (s->address_count < TDM_MDNS_ADDRESSES_MAX &&
        !(a.family == TDM_IPV6 && tdm_address_is_link_local(&a)))
        s->addresses[s->address_count++] = a;
}

static void take_addresses(struct tdm_mdns_socket *s, const struct ifaddrs *all, const char *name,
                           int family)
{
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        if (i->ifa_addr && i->ifa_addr->sa_family == family && strcmp(i->ifa_name, name) == 0)
            take_address(s, i);
}

static bool is_open(const struct tdm_mdns_socket *sockets, uint32_t count,
                    const struct tdm_mdns_socket *like)
{
    for (uint32_t i = 0; i < count; i++)
        if (sockets[i].family == like->family && sockets[i].interface == like->interface)
            return true;
    return false;
}

uint32_t tdm_mdns_sockets_open(struct tdm_mdns_socket sockets[TDM_MDNS_SOCKETS_MAX], bool loopback)
{
    struct ifaddrs *all;
    uint32_t count = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *i = all; i && count < TDM_MDNS_SOCKETS_MAX; i = i->ifa_next) {
        struct tdm_mdns_socket *s = &sockets[count];

        if (!usable(i, loopback) ||
            (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
            continue;
        *s = (struct tdm_mdns_socket){.family = i->ifa_addr->sa_family,
                                      .interface = if_nametoindex(i->ifa_name)};
        s->fd = !s->interface || is_open(sockets, count, s) ? -1 : open_on(s);
        if (s->fd < 0)
            continue;
        take_addresses(s, all, i->ifa_name, AF_INET);
        take_addresses(s, all, i->ifa_name, AF_INET6);
        count++;
    }
    freeifaddrs(all);
    return count;
}

void tdm_mdns_sockets_close(struct tdm_mdns_socket *sockets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        (void)close(sockets[i].fd);
}

enum tdm_err tdm_mdns_socket_receive(const struct tdm_mdns_socket *s, uint8_t *data,
                                     size_t capacity, size_t *size, struct tdm_address *from)
{
    struct sockaddr_storage sender = {0};
    socklen_t sender_size = sizeof sender;
    ssize_t got = recvfrom(s->fd, data, capacity, MSG_DONTWAIT | MSG_TRUNC,
                           (struct sockaddr *)&sender, &sender_size);

    if (got < 0)
        return TDM_E_AGAIN;
    *size = (size_t)got > capacity ? 0 : (size_t)got;
    tdm_udp_address_of(&sender, from);
    return TDM_OK;
}

/* Where to: the group, or who asked. An address of the link needs its name. */
static bool target(const struct tdm_mdns_socket *s, const struct tdm_address *to,
                   struct sockaddr_storage *address, socklen_t *size)
{
    *size = group_address(s, address);
    if (to->family == TDM_ADDRESS_NONE)
        return true;
    if (!tdm_udp_sockaddr(to, s->family == AF_INET6 ? TDM_IPV6 : TDM_IPV4, address, size))
        return false;
    if (s->family == AF_INET6 && tdm_address_is_link_local(to))
        ((struct sockaddr_in6 *)address)->sin6_scope_id = s->interface;
    return true;
}

void tdm_mdns_socket_send(const struct tdm_mdns_socket *s, const struct tdm_mdns_out *out)
{
    for (uint32_t i = 0; i < out->send_count; i++) {
        const struct tdm_mdns_send *send = &out->sends[i];
        struct sockaddr_storage to;
        socklen_t size;

        if (target(s, &send->to, &to, &size))
            (void)sendto(s->fd, send->data, send->size, 0, (struct sockaddr *)&to, size);
    }
}

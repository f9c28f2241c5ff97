/* SPDX-License-Identifier: MIT */
#include "engine/io/mdns_socket.h"

#include "engine/io/udp.h"
#include "engine/wire/mdns.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

static struct sockaddr_in group_address(void)
{
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(TDM_MDNS_PORT)};

    (void)inet_pton(AF_INET, TDM_MDNS_GROUP, &group.sin_addr);
    return group;
}

static int open_on(int interface)
{
    const struct sockaddr_in group = group_address();
    const struct ip_mreqn member = {.imr_multiaddr = group.sin_addr, .imr_ifindex = interface};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0, hops = 255;

    if (fd < 0)
        return -1;
    /* Bound to the group: what is sent to this machine alone is not received. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof member) != 0 ||
        bind(fd, (const struct sockaddr *)&group, sizeof group) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member) != 0) {
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

uint32_t tdm_mdns_sockets_open(struct tdm_mdns_socket sockets[TDM_MDNS_SOCKETS_MAX], bool loopback)
{
    unsigned seen[TDM_MDNS_SOCKETS_MAX];
    struct ifaddrs *all;
    uint32_t count = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *i = all; i && count < TDM_MDNS_SOCKETS_MAX; i = i->ifa_next) {
        struct tdm_mdns_socket *s = &sockets[count];
        unsigned interface;
        bool known = false;

        if (!usable(i, loopback) || i->ifa_addr->sa_family != AF_INET)
            continue;
        interface = if_nametoindex(i->ifa_name);
        for (uint32_t k = 0; k < count; k++)
            known |= seen[k] == interface;
        *s = (struct tdm_mdns_socket){.fd = known || !interface ? -1 : open_on((int)interface)};
        if (s->fd < 0)
            continue;
        take_addresses(s, all, i->ifa_name, AF_INET);
        take_addresses(s, all, i->ifa_name, AF_INET6);
        seen[count++] = interface;
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

void tdm_mdns_socket_send(const struct tdm_mdns_socket *s, const struct tdm_mdns_out *out)
{
    const struct sockaddr_in group = group_address();

    for (uint32_t i = 0; i < out->send_count; i++) {
        const struct tdm_mdns_send *send = &out->sends[i];
        struct sockaddr_storage to = {0};
        socklen_t size = sizeof group;

        memcpy(&to, &group, sizeof group);
        if (send->to.family == TDM_ADDRESS_NONE ||
            tdm_udp_sockaddr(&send->to, TDM_IPV4, &to, &size))
            (void)sendto(s->fd, send->data, send->size, 0, (struct sockaddr *)&to, size);
    }
}

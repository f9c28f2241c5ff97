/* SPDX-License-Identifier: MIT */
#include "engine/io/interfaces.h"

#include "engine/io/udp.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define READS_MAX 64 /* Of one look: who changes addresses faster is looked at again. */

static bool usable(const struct ifaddrs *i, struct tdm_address *a)
{
    struct sockaddr_storage address = {0};

    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_RUNNING) ||
        i->ifa_flags & IFF_LOOPBACK)
        return false;
    if (i->ifa_addr->sa_family == AF_INET)
        memcpy(&address, i->ifa_addr, sizeof(struct sockaddr_in));
    else if (i->ifa_addr->sa_family == AF_INET6)
        memcpy(&address, i->ifa_addr, sizeof(struct sockaddr_in6));
    tdm_udp_address_of(&address, a);
    a->port = 0;
    return a->family != TDM_ADDRESS_NONE && !tdm_address_is_loopback(a) &&
           !tdm_address_is_link_local(a);
}

/* A tentative address cannot be bound to, which tells it without reading netlink. */
static bool can_bind(const struct tdm_address *a)
{
    struct sockaddr_storage address;
    socklen_t size;
    bool bound = false;

    if (!tdm_udp_sockaddr(a, a->family, &address, &size))
        return false;
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        bound = bind(fd, (struct sockaddr *)&address, size) == 0;
        (void)close(fd);
    }
    return bound;
}

static uint32_t list_family(const struct ifaddrs *all, uint8_t family, struct tdm_address *list,
                            uint32_t count, uint32_t capacity)
{
    for (const struct ifaddrs *i = all; i && count < capacity; i = i->ifa_next) {
        bool known = false;
        struct tdm_address a;

        if (!usable(i, &a) || a.family != family || !can_bind(&a))
            continue;
        for (uint32_t k = 0; k < count; k++)
            known |= tdm_address_same_host(&list[k], &a);
        if (!known)
            list[count++] = a;
    }
    return count;
}

uint32_t tdm_interfaces_list(struct tdm_address *list, uint32_t capacity)
{
    struct ifaddrs *all;
    uint32_t count;

    if (getifaddrs(&all) != 0)
        return 0;
    count = list_family(all, TDM_IPV6, list, 0, capacity);
    count = list_family(all, TDM_IPV4, list, count, capacity);
    freeifaddrs(all);
    return count;
}

int tdm_interfaces_watch(struct tdm_cause *cause)
{
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                 .nl_groups =
                                     RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&groups, sizeof groups) == 0)
        return fd;
    (void)tdm_fail(cause, TDM_E_SYSTEM, "cannot watch the network for changes (%s)",
                   strerrordesc_np(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static bool speaks_of_addresses(const uint8_t *bytes, size_t size)
{
    struct nlmsghdr head;
    bool found = false;

    for (size_t at = 0; at + sizeof head <= size;) {
        memcpy(&head, bytes + at, sizeof head);
        if (head.nlmsg_len < sizeof head)
            break;
        found |= head.nlmsg_type == RTM_NEWADDR || head.nlmsg_type == RTM_DELADDR ||
                 head.nlmsg_type == RTM_DELLINK || head.nlmsg_type == RTM_NEWLINK;
        at += NLMSG_ALIGN(head.nlmsg_len);
    }
    return found;
}

bool tdm_interfaces_changed(int fd)
{
    _Alignas(struct nlmsghdr) uint8_t bytes[4096];
    bool changed = false;

    for (int i = 0; i < READS_MAX; i++) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);

        if (got < 0 && errno == ENOBUFS)
            changed = true; /* More than the kernel could keep for us. */
        else if (got <= 0)
            break;
        else
            changed |= (size_t)got > sizeof bytes || speaks_of_addresses(bytes, (size_t)got);
    }
    return changed;
}

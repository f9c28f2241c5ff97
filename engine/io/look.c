/* SPDX-License-Identifier: MIT */
#include "engine/io/look.h"

#include "engine/io/clock.h"
#include "engine/io/server_link.h"
#include "engine/io/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#define BUILT_AFTER (INT64_C(1767225600) * TDM_S) /* 2026-01-01, Unix time. */
#define TYPE_NONE   65534                         /* ARPHRD_NONE: tun, WireGuard. */
#define TYPE_PPP    512

enum tdm_look_clock tdm_look_clock(void)
{
    struct timex state = {.modes = 0};

    if (tdm_clock_now() + tdm_clock_wall_offset() < BUILT_AFTER)
        return TDM_CLOCK_WRONG;
    return adjtimex(&state) == TIME_ERROR || state.status & STA_UNSYNC ? TDM_CLOCK_FREE
                                                                       : TDM_CLOCK_SYNCED;
}

static bool is_tunnel(const char *name)
{
    char path[64];
    int type = 0;

    (void)snprintf(path, sizeof path, "/sys/class/net/%.32s/type", name);
    FILE *file = fopen(path, "re");

    if (!file)
        return false;
    if (fscanf(file, "%d", &type) != 1) /* NOLINT(cert-err34-c): a number of the kernel's. */
        type = 0;
    (void)fclose(file);
    return type == TYPE_NONE || type == TYPE_PPP;
}

/* /proc/net/route: interface, destination and gateway in hex, ... The default has destination 0. */
static bool default_route_through(const char *name)
{
    char line[256], interface[33], destination[17];
    bool through = false;
    FILE *file = fopen("/proc/net/route", "re");

    if (!file)
        return false;
    while (!through && fgets(line, sizeof line, file))
        if (sscanf(line, "%32s %16s", interface, destination) == 2)
            through = strcmp(destination, "00000000") == 0 && strcmp(interface, name) == 0;
    (void)fclose(file);
    return through;
}

void tdm_look_tunnels(char *names, size_t capacity, bool *routed)
{
    struct if_nameindex *list = if_nameindex();

    names[0] = '\0';
    *routed = false;
    for (struct if_nameindex *i = list; i && i->if_name; i++) {
        size_t used = strlen(names);

        if (!is_tunnel(i->if_name))
            continue;
        (void)snprintf(names + used, capacity - used, "%s%s", used ? " " : "", i->if_name);
        *routed |= default_route_through(i->if_name);
    }
    if (list)
        if_freenameindex(list);
}

bool tdm_look_port_free(bool tcp, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (fd < 0)
        return false;
    if (tcp) /* A connection that is only fading away does not count. */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool free_ =
        bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && (!tcp || listen(fd, 1) == 0);

    (void)close(fd);
    return free_;
}

/* A UDP socket that is connected: no packet leaves, the kernel has chosen route and address. */
static int routed_to(const struct tdm_address *to)
{
    struct sockaddr_storage remote;
    socklen_t size;
    int family = to->family == TDM_IPV6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct tdm_address with_port = *to;

    with_port.port = to->port ? to->port : 9;
    if (fd >= 0 && (!tdm_udp_sockaddr(&with_port, to->family, &remote, &size) ||
                    connect(fd, (const struct sockaddr *)&remote, size) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

uint32_t tdm_look_mtu(const struct tdm_address *to)
{
    int mtu = 0, fd = routed_to(to);
    socklen_t size = sizeof mtu;
    bool v6 = to->family == TDM_IPV6;

    if (fd < 0)
        return 0;
    if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &size) != 0)
        mtu = 0;
    (void)close(fd);
    return (uint32_t)mtu;
}

enum tdm_err tdm_look_source(const struct tdm_address *to, struct tdm_address *source)
{
    struct sockaddr_storage local;
    socklen_t size = sizeof local;
    int fd = routed_to(to);

    if (fd < 0)
        return TDM_E_GONE;
    bool known = getsockname(fd, (struct sockaddr *)&local, &size) == 0;

    (void)close(fd);
    if (!known)
        return TDM_E_GONE;
    tdm_udp_address_of(&local, source);
    source->port = 0;
    return TDM_OK;
}

enum tdm_look_tcp tdm_look_tcp(const struct tdm_address *to, tdm_time within, tdm_time *took)
{
    tdm_time start = tdm_clock_now();
    int error = 0, fd = tdm_server_link_connect(to);
    socklen_t size = sizeof error;
    struct pollfd polled = {.fd = fd, .events = POLLOUT};

    *took = 0;
    if (fd < 0)
        return errno == ECONNREFUSED ? TDM_TCP_REFUSED : TDM_TCP_SILENT;
    int ready = poll(&polled, 1, (int)(within / TDM_MS));

    *took = tdm_clock_now() - start;
    if (ready == 1)
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    (void)close(fd);
    if (ready != 1)
        return TDM_TCP_SILENT;
    return error == 0 ? TDM_TCP_OPEN : error == ECONNREFUSED ? TDM_TCP_REFUSED : TDM_TCP_SILENT;
}

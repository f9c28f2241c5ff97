/* SPDX-License-Identifier: MIT */
#include "engine/io/lan_find.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/mdns_socket.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DATAGRAM_BYTES 9000
#define AT_ONCE        64
#define SETTLE         (150 * TDM_MS) /* Other transports of the one that was wanted. */

static const char *const types[] = {
    [TDM_LAN_UDP] = "_sip._udp", [TDM_LAN_TCP] = "_sip._tcp", [TDM_LAN_TLS] = "_sips._tcp"};

struct search {
    const char *domain;
    struct tdm_lan_server *servers;
    uint32_t server_count, socket_count;
    struct tdm_mdns_socket sockets[TDM_MDNS_SOCKETS_MAX];
    struct tdm_mdns_finder finders[TDM_MDNS_SOCKETS_MAX];
    tdm_time wake_at[TDM_MDNS_SOCKETS_MAX];
    struct tdm_mdns_out out;
    uint8_t datagram[DATAGRAM_BYTES];
};

static void step(struct search *s, uint32_t i, const struct tdm_mdns_in *in)
{
    tdm_mdns_finder_step(&s->finders[i], tdm_clock_now(), in, &s->out);
    tdm_mdns_socket_send(&s->sockets[i], &s->out);
    s->wake_at[i] = s->out.wake_at;
}

static void receive(struct search *s, uint32_t i)
{
    struct tdm_mdns_in in = {.data = s->datagram};

    for (int n = 0; n < AT_ONCE; n++) {
        if (tdm_mdns_socket_receive(&s->sockets[i], s->datagram, sizeof s->datagram, &in.size,
                                    &in.from) != TDM_OK)
            return;
        step(s, i, &in);
    }
}

static void take(struct search *s, const struct tdm_mdns_found *found)
{
    const struct tdm_dns_record text = {
        .type = TDM_DNS_TXT, .text = found->text, .text_size = found->text_size};
    struct tdm_lan_server *server = &s->servers[s->server_count];

    if (s->server_count == TDM_LAN_SERVERS_MAX || !tdm_mdns_found_whole(found))
        return;
    *server = (struct tdm_lan_server){.transport = (enum tdm_lan_transport)found->service,
                                      .address = found->addresses[0]};
    for (uint32_t i = 0; i < found->address_count; i++)
        if (found->addresses[i].family == TDM_IPV4) {
            server->address = found->addresses[i];
            break;
        }
    tdm_dns_name_label(&found->instance, server->name);
    if (!tdm_dns_text_value(&text, "domain", server->domain, sizeof server->domain) ||
        !server->domain[0] || (s->domain && strcasecmp(s->domain, server->domain) != 0))
        return;
    (void)tdm_dns_text_value(&text, "fingerprint", server->fingerprint, sizeof server->fingerprint);
    for (uint32_t i = 0; i < s->server_count; i++) /* Heard over two interfaces. */
        if (s->servers[i].transport == server->transport &&
            strcmp(s->servers[i].name, server->name) == 0 &&
            tdm_address_equal(&s->servers[i].address, &server->address))
            return;
    s->server_count++;
}

static void take_all(struct search *s)
{
    s->server_count = 0;
    for (uint32_t i = 0; i < s->socket_count; i++)
        for (uint32_t k = 0; k < s->finders[i].found_count; k++)
            take(s, &s->finders[i].found[k]);
}

static void look(struct search *s, tdm_time until)
{
    struct pollfd fds[TDM_MDNS_SOCKETS_MAX];
    tdm_time now;

    while ((now = tdm_clock_now()) < until) {
        tdm_time at = until;
        bool had = s->server_count > 0;

        for (uint32_t i = 0; i < s->socket_count; i++) {
            if (now >= s->wake_at[i])
                step(s, i, NULL);
            fds[i] = (struct pollfd){.fd = s->sockets[i].fd, .events = POLLIN};
            at = tdm_time_min(at, s->wake_at[i]);
        }
        tdm_time left = tdm_time_max(at - now, 0);
        struct timespec timeout = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

        if (ppoll(fds, s->socket_count, &timeout, NULL) > 0)
            for (uint32_t i = 0; i < s->socket_count; i++)
                if (fds[i].revents)
                    receive(s, i);
        take_all(s);
        if (s->domain && s->server_count && !had)
            until = tdm_time_min(until, tdm_clock_now() + SETTLE);
    }
}

enum tdm_err tdm_lan_find(const char *domain, tdm_time wait,
                          struct tdm_lan_server servers[TDM_LAN_SERVERS_MAX], uint32_t *count,
                          struct tdm_cause *cause)
{
    struct search *s = calloc(1, sizeof *s);

    *count = 0;
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to look for servers");
    s->domain = domain;
    s->servers = servers;
    s->socket_count = tdm_mdns_sockets_open(s->sockets, true);
    for (uint32_t i = 0; i < s->socket_count; i++)
        (void)tdm_mdns_finder_init(&s->finders[i], types, 3, tdm_entropy_u64(), tdm_clock_now());
    if (s->socket_count)
        look(s, tdm_clock_now() + wait);
    bool asked = s->socket_count > 0;

    *count = s->server_count;
    tdm_mdns_sockets_close(s->sockets, s->socket_count);
    free(s);
    if (!asked)
        return tdm_fail(cause, TDM_E_SYSTEM,
                        "no network could be asked for servers: is this machine connected, or is "
                        "UDP port 5353 taken?");
    return *count ? TDM_OK
                  : tdm_fail(cause, TDM_E_GONE,
                             "no server%s%.100s announces itself on this network: start tandem "
                             "serve on it, or name one with --server",
                             domain ? " of " : "", domain ? domain : "");
}

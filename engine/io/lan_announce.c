/* SPDX-License-Identifier: MIT */
#include "engine/io/lan_announce.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/interfaces.h"
#include "engine/io/mdns_socket.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATAGRAM_BYTES 9000
#define AT_ONCE        64 /* Datagrams of one socket before the others' turn. */

struct tdm_lan_announce {
    struct tdm_mdns_announcer_config config;
    char domain[TDM_DNS_LABEL_MAX + 1];
    struct tdm_address only[TDM_LAN_ONLY_MAX];
    uint32_t only_count;
    int wake, changes; /* `changes` of addresses; -1: cannot be watched. */
    atomic_bool stopping;
    pthread_t thread;
    uint32_t count;
    struct tdm_mdns_socket sockets[TDM_MDNS_SOCKETS_MAX];
    struct tdm_mdns_announcer announcers[TDM_MDNS_SOCKETS_MAX];
    tdm_time wake_at[TDM_MDNS_SOCKETS_MAX];
    struct tdm_mdns_out out;
    uint8_t datagram[DATAGRAM_BYTES];
};

static void step(struct tdm_lan_announce *l, uint32_t i, tdm_time now, const struct tdm_mdns_in *in)
{
    do {
        tdm_mdns_announcer_step(&l->announcers[i], now, in, &l->out);
        tdm_mdns_socket_send(&l->sockets[i], &l->out);
        in = NULL;
    } while (l->out.wake_at <= now);
    l->wake_at[i] = l->out.wake_at;
}

static bool is_wanted(const struct tdm_lan_announce *l, const struct tdm_address *a)
{
    for (uint32_t i = 0; i < l->only_count; i++)
        if (tdm_address_same_host(&l->only[i], a))
            return true;
    return !l->only_count;
}

/* On each interface; one without a wanted address is left alone. */
static void open_all(struct tdm_lan_announce *l, tdm_time now)
{
    struct tdm_mdns_socket sockets[TDM_MDNS_SOCKETS_MAX];
    uint32_t count = tdm_mdns_sockets_open(sockets, l->only_count > 0);

    l->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct tdm_mdns_announcer_config config = l->config;

        for (uint32_t k = 0; k < sockets[i].address_count; k++)
            if (is_wanted(l, &sockets[i].addresses[k]))
                config.addresses[config.address_count++] = sockets[i].addresses[k];
        config.instance = l->domain;
        if (!config.address_count ||
            tdm_mdns_announcer_init(&l->announcers[l->count], &config, now) != TDM_OK) {
            tdm_mdns_sockets_close(&sockets[i], 1);
            continue;
        }
        l->sockets[l->count] = sockets[i];
        l->wake_at[l->count++] = now;
    }
}

static void receive(struct tdm_lan_announce *l, uint32_t i)
{
    struct tdm_mdns_in in = {.data = l->datagram};

    for (int n = 0; n < AT_ONCE; n++) {
        if (tdm_mdns_socket_receive(&l->sockets[i], l->datagram, sizeof l->datagram, &in.size,
                                    &in.from) != TDM_OK)
            return;
        step(l, i, tdm_clock_now(), &in);
    }
}

static void wait_for_more(const struct tdm_lan_announce *l, struct pollfd *fds, tdm_time now)
{
    tdm_time at = TDM_NEVER;
    struct timespec timeout;

    for (uint32_t i = 0; i < l->count; i++) {
        fds[2 + i] = (struct pollfd){.fd = l->sockets[i].fd, .events = POLLIN};
        at = tdm_time_min(at, l->wake_at[i]);
    }
    fds[0] = (struct pollfd){.fd = l->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = l->changes, .events = POLLIN};
    at = at == TDM_NEVER ? 0 : tdm_time_max(at - now, 0);
    timeout = (struct timespec){.tv_sec = at / TDM_S, .tv_nsec = at % TDM_S};
    bool forever = true;

    for (uint32_t i = 0; i < l->count; i++)
        forever &= l->wake_at[i] == TDM_NEVER;
    if (ppoll(fds, 2 + l->count, forever ? NULL : &timeout, NULL) < 0)
        for (uint32_t i = 0; i < 2 + l->count; i++)
            fds[i].revents = 0;
}

static void *run(void *arg)
{
    struct tdm_lan_announce *l = arg;
    struct pollfd fds[2 + TDM_MDNS_SOCKETS_MAX];

    open_all(l, tdm_clock_now());
    while (!atomic_load_explicit(&l->stopping, memory_order_acquire)) {
        wait_for_more(l, fds, tdm_clock_now());
        for (uint32_t i = 0; i < l->count; i++) {
            if (fds[2 + i].revents)
                receive(l, i);
            if (tdm_clock_now() >= l->wake_at[i])
                step(l, i, tdm_clock_now(), NULL);
        }
        if (fds[1].revents && tdm_interfaces_changed(l->changes)) {
            tdm_mdns_sockets_close(l->sockets, l->count);
            open_all(l, tdm_clock_now());
        }
    }
    for (uint32_t i = 0; i < l->count; i++)
        step(l, i, tdm_clock_now(), &(struct tdm_mdns_in){.leave = true});
    return NULL;
}

static enum tdm_err describe(struct tdm_lan_announce *l, const struct tdm_lan_announce_config *c)
{
    struct tdm_mdns_announcer_config *to = &l->config;
    const uint16_t ports[] = {c->udp_port, c->tcp_port, c->tls_port};
    static const char *const types[] = {"_sip._udp", "_sip._tcp", "_sips._tcp"};
    enum tdm_err err;

    for (int i = 0; i < 3; i++)
        if (ports[i]) {
            to->services[to->service_count].type = types[i];
            to->services[to->service_count++].port = ports[i];
        }
    to->seed = tdm_entropy_u64();
    err = tdm_dns_text_add(to->text, sizeof to->text, &to->text_size, "txtvers", "1");
    if (err == TDM_OK)
        err = tdm_dns_text_add(to->text, sizeof to->text, &to->text_size, "domain", c->domain);
    if (err == TDM_OK && c->fingerprint && c->tls_port)
        err = tdm_dns_text_add(to->text, sizeof to->text, &to->text_size, "fingerprint",
                               c->fingerprint);
    return *c->domain ? err : TDM_E_MALFORMED;
}

enum tdm_err tdm_lan_announce_start(struct tdm_lan_announce **announce,
                                    const struct tdm_lan_announce_config *config,
                                    struct tdm_cause *cause)
{
    struct tdm_lan_announce *l = calloc(1, sizeof *l);
    enum tdm_err err;

    *announce = NULL;
    if (!l)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to announce the server");
    (void)snprintf(l->domain, sizeof l->domain, "%s", config->domain);
    for (; l->only_count < config->only_count && l->only_count < TDM_LAN_ONLY_MAX; l->only_count++)
        l->only[l->only_count] = config->only[l->only_count];
    l->changes = tdm_interfaces_watch(NULL);
    l->wake = tdm_wake_open(cause);
    err = l->wake < 0 ? TDM_E_SYSTEM : TDM_OK;
    if (err == TDM_OK && describe(l, config) != TDM_OK)
        err = tdm_fail(cause, TDM_E_MALFORMED, "the domain is too long to be announced");
    if (err == TDM_OK)
        err =
            tdm_thread_start(&l->thread, "tdm-announce", TDM_PRIORITY_NORMAL, run, l, NULL, cause);
    if (err == TDM_OK) {
        *announce = l;
        return TDM_OK;
    }
    if (l->wake >= 0)
        (void)close(l->wake);
    if (l->changes >= 0)
        (void)close(l->changes);
    free(l);
    return err;
}

void tdm_lan_announce_stop(struct tdm_lan_announce *l)
{
    if (!l)
        return;
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    tdm_wake_signal(l->wake);
    (void)pthread_join(l->thread, NULL);
    tdm_mdns_sockets_close(l->sockets, l->count);
    (void)close(l->wake);
    if (l->changes >= 0)
        (void)close(l->changes);
    free(l);
}

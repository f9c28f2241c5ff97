/* SPDX-License-Identifier: MIT */
#include "engine/net_state.h"

#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "engine/io/interfaces.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum tdm_err open_transport(struct tdm_net *net, uint8_t way, const struct tdm_udp *udp,
                                   uint64_t seed, struct tdm_cause *cause)
{
    const struct tdm_net_ice *ice = &net->config.ice;
    uint8_t stream = way / 2;
    struct tdm_ice_config config = {
        .controlling = ice->controlling,
        .relay_only = ice->relay_only,
        .component = (uint8_t)(1 + way % 2),
        .seed = seed,
        .server_count = ice->server_count,
    };

    memcpy(config.ufrag, ice->ufrag[stream], sizeof config.ufrag);
    memcpy(config.pwd, ice->pwd[stream], sizeof config.pwd);
    memcpy(config.servers, ice->servers, sizeof config.servers);
    enum tdm_err err = tdm_transport_init(&net->transports[way], udp, ice->wanted ? &config : NULL,
                                          tdm_clock_now(), cause);

    net->transports[way].data = &net->config.link->rx_data;
    net->transports[way].data_wake = net->config.link->data_wake;
    return err;
}

static enum tdm_err open_transports(struct tdm_net *net, struct tdm_cause *cause)
{
    struct tdm_rng rng = tdm_rng_of(net->config.seed ^ 1);
    enum tdm_err err = TDM_OK;

    for (uint8_t stream = 0; stream < TDM_NET_STREAMS && err == TDM_OK; stream++) {
        struct tdm_udp pair[2];

        err = tdm_udp_open_pair(net->config.bind_address, net->config.port_min,
                                net->config.port_max, pair, cause);
        for (uint8_t i = 0; i < 2 && err == TDM_OK; i++) {
            err = open_transport(net, tdm_net_way(stream, i), &pair[i], tdm_rng_u64(&rng), cause);
            if (err != TDM_OK && i == 0)
                tdm_udp_close(&pair[1]);
        }
    }
    return err;
}

static void free_net(struct tdm_net *net)
{
    for (int i = 0; i < TDM_NET_WAYS; i++)
        tdm_transport_free(&net->transports[i]);
    if (net->interfaces >= 0)
        (void)close(net->interfaces);
    free(net->session);
    free(net);
}

enum tdm_err tdm_net_create(const struct tdm_net_config *config, struct tdm_net **out,
                            bool *real_time, struct tdm_cause *cause)
{
    struct tdm_net *net = calloc(1, sizeof *net);
    void *storage = malloc(tdm_session_bytes());
    struct tdm_session_config session = {.wall_offset = config->wall_offset, .seed = config->seed};
    tdm_time now = tdm_clock_now();

    if (!net || !storage) {
        free(net);
        free(storage);
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for a call");
    }
    net->config = *config;
    memcpy(session.cname, config->cname, sizeof session.cname);
    net->session = tdm_session_init(storage, &session, now);
    net->wake_at = TDM_NEVER;
    net->status_at = now + TDM_NET_STATUS_EVERY;
    net->last_received = TDM_NEVER;
    for (int i = 0; i < TDM_NET_WAYS; i++)
        net->transports[i].udp.fd = -1;
    tdm_ring_init(&net->commands, net->command_slots, sizeof *net->command_slots, TDM_NET_COMMANDS);
    tdm_ring_init(&net->events, net->event_slots, sizeof *net->event_slots, TDM_NET_EVENTS);
    tdm_mailbox_init(&net->status_box);
    net->interfaces = config->ice.wanted ? tdm_interfaces_watch(NULL) : -1;
    enum tdm_err err = open_transports(net, cause);

    if (err == TDM_OK)
        err = tdm_thread_start(&net->thread, "tdm-net", TDM_PRIORITY_NET, tdm_net_run, net,
                               real_time, cause);
    if (err != TDM_OK)
        free_net(net);
    else
        *out = net;
    return err;
}

static enum tdm_err command(struct tdm_net *net, const struct tdm_net_command *c)
{
    enum tdm_err err = tdm_ring_push(&net->commands, c);

    tdm_wake_signal(net->config.link->net_wake);
    return err;
}

void tdm_net_destroy(struct tdm_net *net)
{
    if (!net)
        return;
    while (command(net, &(struct tdm_net_command){.kind = NET_STOP}) != TDM_OK)
        (void)tdm_wait_until(tdm_clock_now() + TDM_MS, -1, -1);
    (void)pthread_join(net->thread, NULL);
    free_net(net);
}

uint16_t tdm_net_port(const struct tdm_net *net, uint8_t way)
{
    return net->transports[way].udp.port;
}

enum tdm_err tdm_net_configure(struct tdm_net *net, uint8_t stream,
                               const struct tdm_stream_config *config, uint8_t rtp_way,
                               uint8_t rtcp_way)
{
    struct tdm_net_command c = {.kind = config ? NET_CONFIGURE : NET_REMOVE, .stream = stream};

    if (config) {
        c.configure.config = *config;
        c.configure.ways[0] = rtp_way;
        c.configure.ways[1] = rtcp_way;
    }
    return command(net, &c);
}

static enum tdm_err ice_command(struct tdm_net *net, uint8_t way, const struct tdm_ice_in *in)
{
    struct tdm_net_command c = {.kind = NET_ICE, .way = way};

    c.ice.in = *in;
    if (in->ufrag)
        (void)snprintf(c.ice.ufrag, sizeof c.ice.ufrag, "%s", in->ufrag);
    if (in->pwd)
        (void)snprintf(c.ice.pwd, sizeof c.ice.pwd, "%s", in->pwd);
    return command(net, &c);
}

static bool in_list(const struct tdm_address *a, const struct tdm_address *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (tdm_address_same_host(a, &list[i]))
            return true;
    return false;
}

enum tdm_err tdm_net_addresses(struct tdm_net *net, const struct tdm_address *list, uint32_t count)
{
    enum tdm_err err = TDM_OK;

    count = count < TDM_ICE_LOCAL_MAX ? count : TDM_ICE_LOCAL_MAX;
    for (uint32_t i = 0; i < net->known_count && err == TDM_OK; i++)
        if (!in_list(&net->known[i], list, count))
            err = ice_command(
                net, TDM_NET_WAYS,
                &(struct tdm_ice_in){.kind = TDM_ICE_ADDRESS_GONE, .address = net->known[i]});
    for (uint32_t i = 0; i < count && err == TDM_OK; i++)
        if (!in_list(&list[i], net->known, net->known_count))
            err = ice_command(net, TDM_NET_WAYS,
                              &(struct tdm_ice_in){.kind = TDM_ICE_ADDRESS, .address = list[i]});
    memcpy(net->known, list, count * sizeof *list);
    net->known_count = count;
    return err != TDM_OK ? err
                         : ice_command(net, TDM_NET_WAYS,
                                       &(struct tdm_ice_in){.kind = TDM_ICE_ADDRESSES_END});
}

enum tdm_err tdm_net_restart(struct tdm_net *net, uint8_t stream, const char *ufrag,
                             const char *pwd)
{
    const struct tdm_ice_in in = {.kind = TDM_ICE_RESTART, .ufrag = ufrag, .pwd = pwd};
    enum tdm_err err = ice_command(net, tdm_net_way(stream, false), &in);

    return err == TDM_OK ? ice_command(net, tdm_net_way(stream, true), &in) : err;
}

enum tdm_err tdm_net_candidate(struct tdm_net *net, uint8_t way,
                               const struct tdm_ice_candidate *candidate)
{
    return ice_command(net, way,
                       &(struct tdm_ice_in){.kind = TDM_ICE_CANDIDATE, .candidate = *candidate});
}

enum tdm_err tdm_net_mapped(struct tdm_net *net, uint8_t way, const struct tdm_address *base,
                            const struct tdm_address *address)
{
    return ice_command(
        net, way, &(struct tdm_ice_in){.kind = TDM_ICE_MAPPED, .base = *base, .address = *address});
}

enum tdm_err tdm_net_dtls(struct tdm_net *net, uint8_t way, struct tdm_dtls_config *config,
                          struct tdm_dtls **dtls, struct tdm_cause *cause)
{
    config->send = tdm_transport_send_dtls;
    config->arg = &net->transports[way];
    return tdm_dtls_create(dtls, config, cause);
}

enum tdm_err tdm_net_agree(struct tdm_net *net, uint8_t way,
                           const struct tdm_transport_setup *setup)
{
    struct tdm_net_command c = {.kind = NET_AGREE, .way = way};

    c.setup = *setup;
    enum tdm_err err = command(net, &c);

    if (err != TDM_OK) {
        tdm_dtls_destroy(setup->dtls);
        tdm_srtp_destroy(setup->srtp);
    }
    return err;
}

enum tdm_err tdm_net_rest(struct tdm_net *net, uint8_t way)
{
    return command(net, &(struct tdm_net_command){.kind = NET_REST, .way = way});
}

enum tdm_err tdm_net_link(struct tdm_net *net, uint8_t way, uint8_t link, int fd,
                          struct tdm_tls *tls)
{
    struct tdm_net_command c = {.kind = NET_LINK, .way = way};

    c.link.link = link;
    c.link.fd = fd;
    c.link.tls = tls;
    return command(net, &c);
}

enum tdm_err tdm_net_dtmf(struct tdm_net *net, uint8_t stream, char digit, tdm_time duration)
{
    return command(net, &(struct tdm_net_command){.kind = NET_DTMF,
                                                  .stream = stream,
                                                  .dtmf = {.digit = digit, .duration = duration}});
}

void tdm_net_refresh(struct tdm_net *net)
{
    (void)command(net, &(struct tdm_net_command){.kind = NET_REFRESH});
}

enum tdm_err tdm_net_next_event(struct tdm_net *net, struct tdm_net_event *event)
{
    return tdm_ring_pop(&net->events, event);
}

bool tdm_net_status(struct tdm_net *net, struct tdm_net_status *status)
{
    uint8_t slot;

    if (!tdm_mailbox_take(&net->status_box, &slot))
        return false;
    *status = net->statuses[slot];
    return true;
}

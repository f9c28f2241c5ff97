/* SPDX-License-Identifier: MIT */
#include "sim/ice_net.h"

#include "engine/base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SELF_DELAY  (50 * TDM_US)
#define RELAY_PORT  50000
#define STREAM_PORT 40000

/* Before each datagram on a link. */
struct envelope {
    struct tdm_address from, to;
    uint8_t interface; /* Where it arrives. */
};

static struct tdm_address address_of(const char *text, uint16_t port)
{
    struct tdm_address a = {0};
    enum tdm_err err = tdm_address_parse(&a, text, port);

    assert(err == TDM_OK);
    return a;
}

struct tdm_address tdm_sim_ice_server(uint8_t family)
{
    return family == TDM_IPV6 ? address_of("2001:db8::1", 3478) : address_of("198.51.100.1", 3478);
}

static struct tdm_address relay_host(uint8_t family)
{
    return family == TDM_IPV6 ? address_of("2001:db8::2", 0) : address_of("198.51.100.2", 0);
}

static void add_server(struct tdm_sim_ice_net *net)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t family = i & 1 ? TDM_IPV6 : TDM_IPV4;

        (void)tdm_sim_internet_add(
            &net->internet,
            &(struct tdm_sim_interface){.up = true,
                                        .host = TDM_SIM_ICE_SERVER,
                                        .firewall = -1,
                                        .address = i & 2 ? relay_host(family)
                                                         : tdm_sim_ice_server(family)});
    }
}

static int join(struct tdm_sim_ice_net *net, uint8_t inside, uint8_t outside,
                enum tdm_sim_nat_kind kind, const char *address)
{
    struct tdm_sim_nat_config config = tdm_sim_nat_of(kind);

    config.hairpin = net->config.hairpin;
    config.outside = address_of(address, 0);
    return tdm_sim_internet_join(&net->internet, inside, outside, &config);
}

/* Networks: 0 the Internet; 1 and 2 behind the outer gateways, 3 and 4 behind the inner ones, 5
 * and 6 where the sides move to. */
static void add_ipv4(struct tdm_sim_ice_net *net, uint8_t side)
{
    static const char *const texts[2][5] = {
        {"198.51.100.10", "203.0.113.1", "192.168.1.10", "192.168.1.50", "10.0.1.10"},
        {"198.51.100.20", "203.0.113.2", "192.168.1.20", "192.168.1.60", "10.0.1.10"}};
    const struct tdm_sim_ice_access *access = &net->config.access[side];
    uint8_t site = net->config.same_site ? 1 : (uint8_t)(1 + side), network = site;
    const char *host = texts[side][2];

    if (access->nat == TDM_SIM_NAT_NONE) {
        network = 0;
        host = texts[side][0];
    } else if (side == 0 || !net->config.same_site) {
        net->outer[side] = (int8_t)join(net, site, 0, access->nat, texts[side][1]);
    } else {
        net->outer[side] = net->outer[0];
    }
    if (access->nat != TDM_SIM_NAT_NONE && access->inner != TDM_SIM_NAT_NONE) {
        network = (uint8_t)(3 + side);
        net->inner[side] = (int8_t)join(net, network, site, access->inner, texts[side][3]);
        host = texts[side][4];
    }
    net->fixed[side] = (int8_t)tdm_sim_internet_add(
        &net->internet, &(struct tdm_sim_interface){.up = true,
                                                    .host = side,
                                                    .network = network,
                                                    .firewall = -1,
                                                    .address = address_of(host, TDM_SIM_ICE_PORT)});
    (void)join(net, (uint8_t)(5 + side), 0, TDM_SIM_NAT_PORT_RESTRICTED,
               side ? "203.0.113.78" : "203.0.113.77");
    net->mobile[side] = (int8_t)tdm_sim_internet_add(
        &net->internet,
        &(struct tdm_sim_interface){.host = side,
                                    .network = (uint8_t)(5 + side),
                                    .firewall = -1,
                                    .address = address_of("10.99.0.10", TDM_SIM_ICE_PORT)});
}

static void add_ipv6(struct tdm_sim_ice_net *net, uint8_t side)
{
    struct tdm_sim_nat_config config = tdm_sim_nat_of(TDM_SIM_NAT_PORT_RESTRICTED);
    struct tdm_sim_interface interface = {
        .up = true,
        .host = side,
        .firewall = -1,
        .address = address_of(side ? "2001:db8:b::10" : "2001:db8:a::10", TDM_SIM_ICE_PORT)};

    config.firewall = true;
    config.no_udp = net->config.access[side].nat == TDM_SIM_NAT_NO_UDP;
    if (net->config.access[side].firewall || config.no_udp)
        interface.firewall = (int8_t)tdm_sim_internet_join(&net->internet, 7, 0, &config);
    (void)tdm_sim_internet_add(&net->internet, &interface);
}

static struct tdm_sim_link_config link_config(const struct tdm_sim_ice_net_config *c, unsigned side,
                                              unsigned wire)
{
    struct tdm_sim_link_config link = {.seed = (c->seed * 4 + side) * 4 + wire + 1,
                                       .delay = c->delay[side],
                                       .packets_max = 512,
                                       .packet_bytes_max = 1700};

    if (wire >= TDM_SIM_ICE_STREAM_UP)
        return link;
    link.jitter_kind = c->jitter ? TDM_SIM_JITTER_UNIFORM : TDM_SIM_JITTER_NONE;
    link.jitter = c->jitter;
    link.jitter_reorders = c->reorder > 0;
    link.loss = c->loss;
    link.duplicate = c->duplicate;
    link.reorder = c->reorder;
    link.reorder_delay = 10 * TDM_MS;
    return link;
}

static struct tdm_turn_server_config server_config(const struct tdm_sim_ice_net_config *c)
{
    struct tdm_turn_server_config server = {.users = {{"tandem", "secret"}},
                                            .relay = {relay_host(TDM_IPV4)},
                                            .port_min = RELAY_PORT,
                                            .port_max = RELAY_PORT + 63,
                                            .allocations = 32,
                                            .allow_private = true,
                                            .seed = c->seed};

    if (c->relays_ipv6)
        server.relay[1] = relay_host(TDM_IPV6);
    return server;
}

static size_t aligned(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

bool tdm_sim_ice_net_create(struct tdm_sim_ice_net *net,
                            const struct tdm_sim_ice_net_config *config)
{
    struct tdm_turn_server_config server = server_config(config);
    struct tdm_sim_link_config self = {
        .seed = config->seed, .delay = SELF_DELAY, .packets_max = 512, .packet_bytes_max = 1700};
    size_t total = aligned(tdm_turn_server_bytes(&server)) + aligned(tdm_sim_link_bytes(&self));
    struct tdm_sim_link_config links[2][TDM_SIM_ICE_WIRES];

    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < TDM_SIM_ICE_WIRES; k++) {
            links[i][k] = link_config(config, i, k);
            total += aligned(tdm_sim_link_bytes(&links[i][k]));
        }
    memset(net, 0, sizeof *net);
    net->config = *config;
    net->storage = malloc(total);
    if (!net->storage)
        return false;
    uint8_t *at = net->storage;

    net->server = tdm_turn_server_init(at, &server, 0);
    at += aligned(tdm_turn_server_bytes(&server));
    net->self = tdm_sim_link_init(at, &self);
    at += aligned(tdm_sim_link_bytes(&self));
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < TDM_SIM_ICE_WIRES; k++) {
            net->links[i][k] = tdm_sim_link_init(at, &links[i][k]);
            at += aligned(tdm_sim_link_bytes(&links[i][k]));
        }
    net->server_wake = TDM_NEVER;
    add_server(net);
    for (uint8_t i = 0; i < 2; i++) {
        net->outer[i] = net->inner[i] = net->fixed[i] = net->mobile[i] = -1;
        if (config->access[i].ipv4)
            add_ipv4(net, i);
        if (config->access[i].ipv6)
            add_ipv6(net, i);
    }
    return true;
}

void tdm_sim_ice_net_destroy(struct tdm_sim_ice_net *net)
{
    free(net->storage);
    net->storage = NULL;
}

struct tdm_address tdm_sim_ice_net_open(struct tdm_sim_ice_net *net, uint8_t side)
{
    struct tdm_address none = {0};
    int gateway = net->outer[side];

    if (!net->config.access[side].mapped || gateway < 0 || net->inner[side] >= 0)
        return none;
    return tdm_sim_nat_open(&net->internet.gateways[gateway].nat,
                            &net->internet.interfaces[net->fixed[side]].address);
}

void tdm_sim_ice_net_move(struct tdm_sim_ice_net *net, uint8_t side, struct tdm_address *gone,
                          struct tdm_address *come)
{
    struct tdm_sim_interface *old = &net->internet.interfaces[net->fixed[side]];
    struct tdm_sim_interface *fresh = &net->internet.interfaces[net->mobile[side]];

    old->up = false;
    fresh->up = true;
    *gone = old->address;
    *come = fresh->address;
}

static void push(struct tdm_sim_link *link, tdm_time now, uint16_t channel,
                 const struct envelope *envelope, const void *data, size_t size)
{
    uint8_t packet[1700];

    if (size > sizeof packet - sizeof *envelope)
        return;
    memcpy(packet, envelope, sizeof *envelope);
    if (size)
        memcpy(packet + sizeof *envelope, data, size);
    tdm_sim_link_push(link, now, channel, packet, sizeof *envelope + size);
}

void tdm_sim_ice_net_send(struct tdm_sim_ice_net *net, tdm_time now, uint8_t side,
                          const struct tdm_address *from, const struct tdm_address *to,
                          const void *data, size_t size)
{
    struct tdm_address any = {.family = to->family};
    int interface =
        tdm_sim_internet_find(&net->internet, side, from->family == TDM_ADDRESS_NONE ? &any : from);

    if (interface < 0)
        return;
    struct envelope e = {.from = net->internet.interfaces[interface].address,
                         .to = *to,
                         .interface = (uint8_t)interface};

    push(net->links[side][TDM_SIM_ICE_UP], now, 0, &e, data, size);
}

void tdm_sim_ice_net_send_stream(struct tdm_sim_ice_net *net, tdm_time now, uint8_t side,
                                 uint8_t link, const void *data, size_t size)
{
    struct envelope e = {
        .from = address_of(side ? "203.0.113.2" : "203.0.113.1", (uint16_t)(STREAM_PORT + link)),
        .to = tdm_sim_ice_server(TDM_IPV4)};

    push(net->links[side][TDM_SIM_ICE_STREAM_UP], now, link, &e, data, size);
}

/* From an interface into the Internet, and to the link of whoever it comes to. */
static void carry(struct tdm_sim_ice_net *net, tdm_time now, int interface, struct envelope *e,
                  const void *data, size_t size)
{
    uint8_t from_host = net->internet.interfaces[interface].host;
    int there = tdm_sim_internet_carry(&net->internet, now, interface, &e->from, &e->to);

    if (there < 0)
        return;
    uint8_t host = net->internet.interfaces[there].host;

    e->interface = (uint8_t)there;
    if (net->cut_direct && host != TDM_SIM_ICE_SERVER && from_host != TDM_SIM_ICE_SERVER)
        return;
    push(host == TDM_SIM_ICE_SERVER ? net->self : net->links[host][TDM_SIM_ICE_DOWN], now, 0, e,
         data, size);
}

static void to_client(struct tdm_sim_ice_net *net, tdm_time now)
{
    const struct tdm_turn_server_to_client *c = &net->server_out.client;
    struct envelope e = {.from = c->from, .to = c->to};
    size_t size = c->size + c->payload_size + c->padding;
    uint8_t data[1600] = {0};

    if (c->size == 0 || size > sizeof data)
        return;
    memcpy(data, c->data, c->size);
    if (c->payload_size)
        memcpy(data + c->size, c->payload, c->payload_size);
    if (c->link)
        push(net->links[(c->link - 1) / 8][TDM_SIM_ICE_STREAM_DOWN], now,
             (uint16_t)((c->link - 1) % 8), &e, data, size);
    else
        carry(net, now, tdm_sim_internet_find(&net->internet, TDM_SIM_ICE_SERVER, &e.from), &e,
              data, size);
}

static void step_server(struct tdm_sim_ice_net *net, tdm_time now,
                        const struct tdm_turn_server_in *in)
{
    struct tdm_turn_server_out *out = &net->server_out;
    struct tdm_turn_server_in opened = {.kind = TDM_TURN_SERVER_RELAY_OPENED};

    tdm_turn_server_step(net->server, now, in, out);
    net->server_wake = out->wake_at;
    to_client(net, now);
    if (out->peer.relay != TDM_TURN_SERVER_NO_RELAY) {
        struct envelope e = {.from = net->relays[out->peer.relay], .to = out->peer.to};

        net->relayed++;
        carry(net, now, tdm_sim_internet_find(&net->internet, TDM_SIM_ICE_SERVER, &e.from), &e,
              out->peer.payload, out->peer.payload_size);
    }
    if (out->open == TDM_TURN_SERVER_NO_RELAY)
        return;
    opened.relay = out->open;
    assert(out->open < sizeof net->relays / sizeof net->relays[0]);
    net->relays[out->open] = out->open_address;
    step_server(net, now, &opened);
}

/* A datagram or message at the server, or at one of its relays. */
static void at_server(struct tdm_sim_ice_net *net, tdm_time now, uint32_t link,
                      const struct envelope *e, const uint8_t *data, size_t size)
{
    struct tdm_turn_server_in in = {.kind = TDM_TURN_SERVER_MESSAGE,
                                    .link = link,
                                    .from = e->from,
                                    .to = e->to,
                                    .data = data,
                                    .size = size};

    for (uint32_t i = 0; i < sizeof net->relays / sizeof net->relays[0]; i++)
        if (tdm_address_equal(&net->relays[i], &e->to)) {
            in.kind = TDM_TURN_SERVER_RELAY_DATA;
            in.relay = i;
        }
    step_server(net, now, &in);
}

static struct tdm_sim_link *first_due(const struct tdm_sim_ice_net *net, unsigned *side,
                                      unsigned *wire)
{
    struct tdm_sim_link *first = net->self;

    *wire = TDM_SIM_ICE_WIRES;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < TDM_SIM_ICE_WIRES; k++)
            if (tdm_sim_link_due(net->links[i][k]) < tdm_sim_link_due(first)) {
                first = net->links[i][k];
                *side = i;
                *wire = k;
            }
    return first;
}

tdm_time tdm_sim_ice_net_due(const struct tdm_sim_ice_net *net)
{
    unsigned side, wire;

    return tdm_time_min(net->server_wake, tdm_sim_link_due(first_due(net, &side, &wire)));
}

bool tdm_sim_ice_net_step(struct tdm_sim_ice_net *net, tdm_time now,
                          struct tdm_sim_ice_arrival *arrival)
{
    struct tdm_sim_packet packet;
    struct envelope e;
    unsigned side = 0, wire;

    while (tdm_sim_ice_net_due(net) <= now) {
        if (net->server_wake <= now) {
            step_server(net, now, NULL);
            continue;
        }
        if (!tdm_sim_link_pop(first_due(net, &side, &wire), now, &packet))
            return false;
        size_t size = packet.size - sizeof e;

        memcpy(&e, packet.data, sizeof e);
        memcpy(net->packet, packet.data + sizeof e, size);
        if (wire == TDM_SIM_ICE_WIRES)
            at_server(net, now, 0, &e, net->packet, size);
        else if (wire == TDM_SIM_ICE_STREAM_UP)
            at_server(net, now, 1 + 8 * side + packet.channel, &e, net->packet, size);
        else if (wire == TDM_SIM_ICE_UP && !net->cut[side])
            carry(net, now, e.interface, &e, net->packet, size);
        if (wire != TDM_SIM_ICE_DOWN && wire != TDM_SIM_ICE_STREAM_DOWN)
            continue;
        if (wire == TDM_SIM_ICE_DOWN && !net->internet.interfaces[e.interface].up)
            continue;
        *arrival = (struct tdm_sim_ice_arrival){.side = (uint8_t)side,
                                                .link = (uint8_t)packet.channel,
                                                .from = e.from,
                                                .to = e.to,
                                                .data = net->packet,
                                                .size = size};
        return true;
    }
    return false;
}

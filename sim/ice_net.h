/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_ICE_NET_H
#define TDM_SIM_ICE_NET_H

/*
 * What lies between two ICE agents: two sites behind gateways, a link up and a link down for each,
 * and a STUN and TURN server (the product's own core) on the Internet, reached by datagrams and by
 * streams. Streams lose nothing.
 */

#include "engine/core/turn_server.h"
#include "sim/internet.h"
#include "sim/network.h"

#define TDM_SIM_ICE_PORT   5004
#define TDM_SIM_ICE_SERVER 2 /* Its host number; the sides are 0 and 1. */

/** How one side is connected. */
struct tdm_sim_ice_access {
    enum tdm_sim_nat_kind nat;   /* Towards the Internet. */
    enum tdm_sim_nat_kind inner; /* A second one before it; NONE: there is none. */
    bool ipv4, ipv6;
    bool firewall; /* Of IPv6: only answers come in. */
    bool mapped;   /* The gateway opens a port when asked. */
};

struct tdm_sim_ice_net_config {
    uint64_t seed;
    struct tdm_sim_ice_access access[2];
    bool same_site; /* Side 1 is behind the outer gateway of side 0 too. */
    bool hairpin;
    bool relays_ipv6;  /* The server has relayed addresses of IPv6 as well. */
    tdm_time delay[2]; /* One way, between a side and the Internet. */
    tdm_time jitter;
    double loss, duplicate, reorder;
};

/** Bytes that arrive at a side. */
struct tdm_sim_ice_arrival {
    uint8_t side, link;
    struct tdm_address from, to;
    const uint8_t *data; /* Until the next call. */
    size_t size;
};

enum tdm_sim_ice_wire {
    TDM_SIM_ICE_UP,
    TDM_SIM_ICE_DOWN,
    TDM_SIM_ICE_STREAM_UP,
    TDM_SIM_ICE_STREAM_DOWN,
    TDM_SIM_ICE_WIRES
};

struct tdm_sim_ice_net {
    struct tdm_sim_ice_net_config config;
    struct tdm_sim_internet internet;
    int8_t outer[2], inner[2], fixed[2], mobile[2]; /* Gateways; interfaces of IPv4. */
    struct tdm_sim_link *links[2][TDM_SIM_ICE_WIRES];
    struct tdm_sim_link *self; /* Between relays of the server. */
    struct tdm_turn_server *server;
    tdm_time server_wake;
    bool cut[2];     /* Nothing from this side arrives any more. */
    bool cut_direct; /* What does not pass the server is lost. */
    struct tdm_turn_server_out server_out;
    struct tdm_address relays[64];
    uint8_t packet[2048];
    uint64_t relayed;
    void *storage;
};

/** False: no memory. */
bool tdm_sim_ice_net_create(struct tdm_sim_ice_net *net,
                            const struct tdm_sim_ice_net_config *config);
void tdm_sim_ice_net_destroy(struct tdm_sim_ice_net *net);

struct tdm_address tdm_sim_ice_server(uint8_t family);
/** What the gateway of a side opens for it; family NONE: it does not. */
struct tdm_address tdm_sim_ice_net_open(struct tdm_sim_ice_net *net, uint8_t side);
/** Takes the side's first interface of IPv4 away and gives it another one, behind a gateway of
 *  its own; their addresses. */
void tdm_sim_ice_net_move(struct tdm_sim_ice_net *net, uint8_t side, struct tdm_address *gone,
                          struct tdm_address *come);

void tdm_sim_ice_net_send(struct tdm_sim_ice_net *net, tdm_time now, uint8_t side,
                          const struct tdm_address *from, const struct tdm_address *to,
                          const void *data, size_t size);
void tdm_sim_ice_net_send_stream(struct tdm_sim_ice_net *net, tdm_time now, uint8_t side,
                                 uint8_t link, const void *data, size_t size);

tdm_time tdm_sim_ice_net_due(const struct tdm_sim_ice_net *net);
/** Moves what is due by `now`; true: something arrived at a side. Call again until it is false. */
bool tdm_sim_ice_net_step(struct tdm_sim_ice_net *net, tdm_time now,
                          struct tdm_sim_ice_arrival *arrival);

#endif

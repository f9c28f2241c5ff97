/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_INTERNET_H
#define TDM_SIM_INTERNET_H

/*
 * Networks joined by gateways (sim/nat.h), with hosts on them: says to which interface of which
 * host a datagram comes, and with which addresses. Network 0 is the Internet. It has no delay of
 * its own: that, and loss, are the links' between a host and its network (sim/network.h).
 */

#include "sim/nat.h"

#define TDM_SIM_NETWORKS_MAX   8
#define TDM_SIM_GATEWAYS_MAX   8
#define TDM_SIM_INTERFACES_MAX 16

struct tdm_sim_interface {
    bool up;
    uint8_t host, network;
    int8_t firewall; /* Gateway that only filters this interface; -1: none. */
    struct tdm_address address;
};

struct tdm_sim_gateway {
    uint8_t inside, outside;
    struct tdm_sim_nat nat;
};

struct tdm_sim_internet {
    uint8_t interface_count, gateway_count;
    struct tdm_sim_interface interfaces[TDM_SIM_INTERFACES_MAX];
    struct tdm_sim_gateway gateways[TDM_SIM_GATEWAYS_MAX];
};

/** Indices of what was added. */
int tdm_sim_internet_add(struct tdm_sim_internet *net, const struct tdm_sim_interface *interface);
int tdm_sim_internet_join(struct tdm_sim_internet *net, uint8_t inside, uint8_t outside,
                          const struct tdm_sim_nat_config *config);

/** The interface of `host` that holds the address (ports aside) and is up; with family only, the
 *  first of that family; -1: none. */
int tdm_sim_internet_find(const struct tdm_sim_internet *net, uint8_t host,
                          const struct tdm_address *address);

/** Carries a datagram that leaves an interface: the one where it arrives, with the addresses as
 *  seen there; -1: it is lost on the way. */
int tdm_sim_internet_carry(struct tdm_sim_internet *net, tdm_time now, int interface,
                           struct tdm_address *from, struct tdm_address *to);

#endif

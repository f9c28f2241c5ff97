/* SPDX-License-Identifier: MIT */
#include "sim/internet.h"

#include <assert.h>

#define HOPS_MAX 8

int tdm_sim_internet_add(struct tdm_sim_internet *net, const struct tdm_sim_interface *interface)
{
    assert(net->interface_count < TDM_SIM_INTERFACES_MAX);
    net->interfaces[net->interface_count] = *interface;
    return net->interface_count++;
}

int tdm_sim_internet_join(struct tdm_sim_internet *net, uint8_t inside, uint8_t outside,
                          const struct tdm_sim_nat_config *config)
{
    struct tdm_sim_gateway *g = &net->gateways[net->gateway_count];

    assert(net->gateway_count < TDM_SIM_GATEWAYS_MAX);
    g->inside = inside;
    g->outside = outside;
    tdm_sim_nat_init(&g->nat, config);
    return net->gateway_count++;
}

int tdm_sim_internet_find(const struct tdm_sim_internet *net, uint8_t host,
                          const struct tdm_address *address)
{
    struct tdm_address any = {.family = address->family};
    bool named = !tdm_address_same_host(address, &any);

    for (int i = 0; i < net->interface_count; i++) {
        const struct tdm_sim_interface *f = &net->interfaces[i];

        if (f->up && f->host == host && f->address.family == address->family &&
            (!named || tdm_address_same_host(&f->address, address)))
            return i;
    }
    return -1;
}

/* The interface on `network` that holds `to`, if its firewall lets the datagram in. */
static int deliver(struct tdm_sim_internet *net, tdm_time now, uint8_t network,
                   const struct tdm_address *from, struct tdm_address *to)
{
    for (int i = 0; i < net->interface_count; i++) {
        const struct tdm_sim_interface *f = &net->interfaces[i];

        if (f->up && f->network == network && tdm_address_same_host(&f->address, to) &&
            (f->firewall < 0 || tdm_sim_nat_in(&net->gateways[f->firewall].nat, now, from, to)))
            return i;
    }
    return -1;
}

static struct tdm_sim_gateway *gateway_to(struct tdm_sim_internet *net, uint8_t network,
                                          const struct tdm_address *to)
{
    for (int i = 0; i < net->gateway_count; i++)
        if (!net->gateways[i].nat.config.firewall && net->gateways[i].outside == network &&
            tdm_address_same_host(&net->gateways[i].nat.config.outside, to))
            return &net->gateways[i];
    return NULL;
}

static struct tdm_sim_gateway *gateway_of(struct tdm_sim_internet *net, uint8_t network,
                                          uint8_t family)
{
    for (int i = 0; i < net->gateway_count; i++)
        if (!net->gateways[i].nat.config.firewall && net->gateways[i].inside == network &&
            net->gateways[i].nat.config.outside.family == family)
            return &net->gateways[i];
    return NULL;
}

int tdm_sim_internet_carry(struct tdm_sim_internet *net, tdm_time now, int interface,
                           struct tdm_address *from, struct tdm_address *to)
{
    const struct tdm_sim_interface *source = &net->interfaces[interface];
    uint8_t network = source->network;

    if (!source->up || (source->firewall >= 0 &&
                        !tdm_sim_nat_out(&net->gateways[source->firewall].nat, now, from, to)))
        return -1;
    for (int hop = 0; hop < HOPS_MAX; hop++) {
        int there = deliver(net, now, network, from, to);
        struct tdm_sim_gateway *g = gateway_to(net, network, to);

        if (there >= 0)
            return there;
        if (g) {
            if (!tdm_sim_nat_in(&g->nat, now, from, to))
                return -1;
            network = g->inside;
            continue;
        }
        g = gateway_of(net, network, to->family);
        if (!g || !tdm_sim_nat_out(&g->nat, now, from, to))
            return -1;
        network = g->outside;
        if (!tdm_address_same_host(&g->nat.config.outside, to))
            continue;
        if (!g->nat.config.hairpin || !tdm_sim_nat_in(&g->nat, now, from, to))
            return -1;
        network = g->inside;
    }
    return -1;
}

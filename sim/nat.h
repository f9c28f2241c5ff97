/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_NAT_H
#define TDM_SIM_NAT_H

/*
 * A gateway between an inner and an outer network, in the terms of RFC 4787: how it maps, what it
 * lets in, whether inner hosts reach each other by their outer addresses, and when it forgets. Of
 * IPv6 it is a firewall that maps nothing. It passes datagrams and holds none.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#define TDM_SIM_NAT_MAPPINGS 96
#define TDM_SIM_NAT_PEERS    48 /* That one mapping remembers to have sent to. */

/** What a mapping or a filter depends on (RFC 4787 sections 4.1 and 5). */
enum tdm_sim_nat_rule { TDM_SIM_NAT_ANY, TDM_SIM_NAT_ADDRESS, TDM_SIM_NAT_PORT };

/** As people call them. */
enum tdm_sim_nat_kind {
    TDM_SIM_NAT_NONE, /* A public address. */
    TDM_SIM_NAT_FULL_CONE,
    TDM_SIM_NAT_RESTRICTED,
    TDM_SIM_NAT_PORT_RESTRICTED,
    TDM_SIM_NAT_SYMMETRIC,
    TDM_SIM_NAT_NO_UDP,
    TDM_SIM_NAT_KINDS
};

struct tdm_sim_nat_config {
    enum tdm_sim_nat_rule mapping, filter;
    bool firewall; /* Maps nothing, only filters. */
    bool hairpin;
    bool no_udp;
    tdm_time timeout;           /* A mapping without outgoing datagrams for so long goes. */
    struct tdm_address outside; /* Its port does not count. */
    uint16_t first_port;
};

struct tdm_sim_nat_mapping {
    bool used;
    bool fixed; /* A port mapping that the inner host asked for: no filter, no end. */
    struct tdm_address inner, outer;
    struct tdm_address peer; /* What it is for, when the rule depends on that. */
    tdm_time used_at;
    uint16_t peer_count;
    struct tdm_address peers[TDM_SIM_NAT_PEERS];
};

struct tdm_sim_nat {
    struct tdm_sim_nat_config config;
    uint16_t next_port;
    struct tdm_sim_nat_mapping mappings[TDM_SIM_NAT_MAPPINGS];
};

/** The rules of a kind (not NONE), without outside and with a timeout of two minutes. */
struct tdm_sim_nat_config tdm_sim_nat_of(enum tdm_sim_nat_kind kind);
const char *tdm_sim_nat_name(enum tdm_sim_nat_kind kind);

void tdm_sim_nat_init(struct tdm_sim_nat *nat, const struct tdm_sim_nat_config *config);

/** A datagram from inside: `from` becomes what the outside sees. False: it is dropped. */
bool tdm_sim_nat_out(struct tdm_sim_nat *nat, tdm_time now, struct tdm_address *from,
                     const struct tdm_address *to);

/** A datagram from outside: `to` becomes the inner address. False: it is dropped. */
bool tdm_sim_nat_in(struct tdm_sim_nat *nat, tdm_time now, const struct tdm_address *from,
                    struct tdm_address *to);

/** Opens a port for `inner` as UPnP would; the outer address. */
struct tdm_address tdm_sim_nat_open(struct tdm_sim_nat *nat, const struct tdm_address *inner);

/** Forgets all mappings but the asked for, as after a restart of the gateway. */
void tdm_sim_nat_forget(struct tdm_sim_nat *nat);

#endif

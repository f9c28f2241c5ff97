/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_GATEWAY_H
#define TDM_IO_GATEWAY_H

/*
 * The gateways that map ports, behind one table: UPnP-IGD over miniupnpc, NAT-PMP (RFC 6886) over
 * libnatpmp. All of it may block for seconds, since gateways do: only the mapping threads of
 * port_map.h call it. What to ask for, and when, is engine/core/port_lease.h's.
 */

#include "engine/base/err.h"
#include "engine/core/port_lease.h"

struct tdm_gateway; /* One of either kind, once found. */

/** What a gateway says of itself, for people. */
struct tdm_gateway_facts {
    char words[160];             /* Of the last answer: what works, or what does not and why. */
    struct tdm_address external; /* NONE: not said. */
};

struct tdm_gateway_ops {
    const char *name;

    /** Looks for a gateway, at most about three seconds; `wake_fd` readable ends it early. NULL
     * when there is none that can map; facts say why. */
    struct tdm_gateway *(*find)(int wake_fd, struct tdm_gateway_facts *facts);
    /** The answer to a DO_MAP: MAPPED, TAKEN or FAILED, with words for the last. */
    struct tdm_port_lease_in (*map)(struct tdm_gateway *g, const struct tdm_port_lease_out *ask,
                                    struct tdm_gateway_facts *facts);
    /** Gives a port back; what the gateway says to it is of no use. */
    void (*unmap)(struct tdm_gateway *g, const struct tdm_port_lease_out *ask);
    void (*destroy)(struct tdm_gateway *g);
};

extern const struct tdm_gateway_ops tdm_gateway_upnp;
extern const struct tdm_gateway_ops tdm_gateway_natpmp;

#endif

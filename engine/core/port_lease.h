/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PORT_LEASE_H
#define TDM_CORE_PORT_LEASE_H

/*
 * Which port mappings to ask a gateway for, and when: found first, then mapped, refreshed at half
 * of their lifetime, asked again with growing pauses after a failure, removed at the end. It asks
 * for one action at a time, since gateways answer one at a time and some take seconds; how a
 * gateway is spoken to (UPnP-IGD, NAT-PMP) is not its business.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#define TDM_PORT_LEASES_MAX 16

enum tdm_port_lease_input {
    TDM_PORT_WANT,      /* port, tcp: keep it mapped from now on. */
    TDM_PORT_DROP,      /* port, tcp */
    TDM_PORT_NETWORK,   /* Addresses of this machine changed: everything is open again. */
    TDM_PORT_FOUND,     /* Answer to FIND: a gateway that maps. */
    TDM_PORT_NOT_FOUND, /* Answer to FIND. */
    TDM_PORT_MAPPED,    /* Answer to MAP: external, lifetime (0: until it is removed). */
    TDM_PORT_TAKEN,     /* Answer to MAP: somebody else has that external port. */
    TDM_PORT_FAILED,    /* Answer to MAP: refused, or no answer. */
    TDM_PORT_UNMAPPED,  /* Answer to UNMAP, whether or not the gateway liked it. */
    TDM_PORT_STOP,      /* Remove everything; `done` follows. */
};

struct tdm_port_lease_in {
    enum tdm_port_lease_input kind;
    uint16_t port; /* Of this machine. */
    bool tcp;
    struct tdm_address external;
    tdm_time lifetime;
};

enum tdm_port_lease_action {
    TDM_PORT_DO_NOTHING,
    TDM_PORT_DO_FIND,
    TDM_PORT_DO_MAP,
    TDM_PORT_DO_UNMAP
};

struct tdm_port_lease_out {
    enum tdm_port_lease_action action; /* To be answered before the next one comes. */
    uint16_t port, external_port;      /* MAP: the external port to ask for; UNMAP: to give back. */
    bool tcp;
    tdm_time lifetime; /* MAP: to ask for. */
    bool changed;      /* What tdm_port_lease_of says changed. */
    bool done;         /* After STOP: nothing is left at the gateway. */
    tdm_time wake_at;
};

enum tdm_port_lease_state {
    TDM_PORT_FREE, /* The slot is not used. */
    TDM_PORT_WANTED,
    TDM_PORT_HELD,    /* Mapped. */
    TDM_PORT_LEAVING, /* To be removed. */
};

struct tdm_port_lease_entry {
    enum tdm_port_lease_state state;
    uint16_t port, external_port;
    bool tcp;
    struct tdm_address external;
    tdm_time due, expires;
    uint8_t attempts; /* External ports tried in a row. */
    uint8_t failures; /* In a row. */
};

/** Owner: the mapping thread (or a test). */
struct tdm_port_lease {
    bool found, stopping;
    enum tdm_port_lease_action asked; /* The one that waits for its answer, */
    uint8_t asked_index;              /* and of which entry. */
    tdm_time find_at;
    uint8_t find_failures;
    uint64_t seed;
    struct tdm_port_lease_entry entries[TDM_PORT_LEASES_MAX];
};

void tdm_port_lease_init(struct tdm_port_lease *l, uint64_t seed, tdm_time now);

/** `in` NULL: only time has passed. An answer that nothing waits for does nothing. */
void tdm_port_lease_step(struct tdm_port_lease *l, tdm_time now, const struct tdm_port_lease_in *in,
                         struct tdm_port_lease_out *out);

/** Where `port` is reached from outside; false while it is not mapped. */
bool tdm_port_lease_of(const struct tdm_port_lease *l, uint16_t port, bool tcp,
                       struct tdm_address *external);

#endif

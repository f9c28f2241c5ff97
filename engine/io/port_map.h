/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_PORT_MAP_H
#define TDM_IO_PORT_MAP_H

/*
 * Port mappings at the gateways of this network, kept by one worker thread a protocol: looked for
 * from the start, so that no call waits for them, refreshed, and removed at the end. The control
 * thread calls everything here; nothing waits but the end.
 */

#include "engine/io/gateway.h"

#include <stdbool.h>

enum tdm_port_map_kind { TDM_PORT_MAP_NATPMP, TDM_PORT_MAP_UPNP, TDM_PORT_MAP_KINDS };

struct tdm_port_map;

struct tdm_port_map_config {
    int changed_wake; /* Signalled when a mapping or what is known of a gateway changed; -1: none.
                       */
    uint64_t seed;
};

enum tdm_err tdm_port_map_create(struct tdm_port_map **map,
                                 const struct tdm_port_map_config *config, struct tdm_cause *cause);
/** Removes the mappings; a gateway that holds some is waited for, at most `patience`. */
void tdm_port_map_destroy(struct tdm_port_map *map, tdm_time patience);

/** Keeps a port of this machine mapped, or no longer. */
void tdm_port_map_want(struct tdm_port_map *map, uint16_t port, bool tcp);
void tdm_port_map_drop(struct tdm_port_map *map, uint16_t port, bool tcp);
/** The machine's addresses changed. */
void tdm_port_map_network_changed(struct tdm_port_map *map);

/** Where `port` is reached from outside, by whichever gateway; false while it is not mapped. */
bool tdm_port_map_of(struct tdm_port_map *map, uint16_t port, bool tcp,
                     struct tdm_address *external);

/** Whether a gateway that maps has been found. */
bool tdm_port_map_found(struct tdm_port_map *map);

struct tdm_port_map_report {
    bool looked; /* The first look is over. */
    bool found;
    uint32_t mappings;
    struct tdm_gateway_facts facts;
};

void tdm_port_map_report(struct tdm_port_map *map, enum tdm_port_map_kind kind,
                         struct tdm_port_map_report *report);

#endif

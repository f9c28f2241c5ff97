/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_REACH_H
#define TDM_ENGINE_REACH_H

/*
 * How the calls of an engine are reached and protected: its identity, which protection its user
 * allows, the servers for ICE and their looked-up addresses. Made at the engine's start; control
 * thread.
 */

#include "engine/ice_uri.h"
#include "engine/io/identity.h"
#include "engine/io/lookup.h"
#include "engine/io/port_map.h"
#include "tandem/tandem.h"

struct tdm_reach {
    struct tdm_identity *identity;
    char known_path[256]; /* "" = contacts are not remembered. */
    bool plain, only_plain, sdes, relay_only;
    struct tdm_port_map *ports; /* NULL: gateways are not asked. */
    uint8_t server_count;
    struct tdm_ice_uri servers[TDM_ICE_SERVERS_MAX];
    struct tdm_lookup *lookups[TDM_ICE_SERVERS_MAX]; /* NULL: known, or given up. */
};

enum tdm_err tdm_reach_open(struct tdm_reach *reach, const struct tandem_config *config,
                            int control_wake, struct tdm_cause *cause);
void tdm_reach_close(struct tdm_reach *reach);

/** Servers whose address is known by now; waits for lookups until `deadline` at most.
 *  @return how many. */
uint8_t tdm_reach_servers(struct tdm_reach *reach, tdm_time deadline,
                          struct tdm_ice_server servers[TDM_ICE_SERVERS_MAX]);

/** The name that a contact is remembered by: "user@host" of its URI, in lower case. */
void tdm_reach_contact(const char *uri, char *name, size_t capacity);

#endif

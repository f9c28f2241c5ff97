/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_LAN_FIND_H
#define TDM_IO_LAN_FIND_H

/*
 * Looks for SIP servers that announce themselves on the networks of this machine: drives a finder
 * of engine/core/mdns.h on each interface for a while. What comes back is what somebody on the
 * network says of himself, and nothing is checked.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#define TDM_LAN_SERVERS_MAX 16
#define TDM_LAN_FIND_TIME   (2500 * TDM_MS)

enum tdm_lan_transport { TDM_LAN_UDP, TDM_LAN_TCP, TDM_LAN_TLS };

/** One way to one server. */
struct tdm_lan_server {
    char name[64], domain[128];
    char fingerprint[100]; /* SHA-256 of its certificate; "": not said. */
    enum tdm_lan_transport transport;
    struct tdm_address address; /* With the port. */
};

/**
 * @param domain   NULL: all there are, after `wait`; else only its own, and no longer than needed.
 *
 * @return TDM_E_GONE with a cause: nobody answered; TDM_E_SYSTEM: there is no network to ask.
 */
enum tdm_err tdm_lan_find(const char *domain, tdm_time wait,
                          struct tdm_lan_server servers[TDM_LAN_SERVERS_MAX], uint32_t *count,
                          struct tdm_cause *cause);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_LAN_ANNOUNCE_H
#define TDM_IO_LAN_ANNOUNCE_H

/*
 * Tells each network of this machine of its SIP server, on a thread of its own: drives one
 * announcer of engine/core/mdns.h for each interface, anew when addresses come or go.
 */

#include "engine/base/address.h"

struct tdm_lan_announce;

struct tdm_lan_announce_config {
    const char *domain;
    const char *fingerprint;               /* Of the certificate, in hex; NULL: no TLS. */
    uint16_t udp_port, tcp_port, tls_port; /* 0: not offered. */
    const struct tdm_address *only;        /* Announced on interfaces that have one of these, */
    uint32_t only_count;                   /* with these alone; 0: all. Borrowed for start. */
};

#define TDM_LAN_ONLY_MAX 8

/** TDM_E_MALFORMED: the domain cannot be announced; TDM_E_SYSTEM. No interface is no error. */
enum tdm_err tdm_lan_announce_start(struct tdm_lan_announce **announce,
                                    const struct tdm_lan_announce_config *config,
                                    struct tdm_cause *cause);
/** Says goodbye. NULL: nothing. */
void tdm_lan_announce_stop(struct tdm_lan_announce *announce);

#endif

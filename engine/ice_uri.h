/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_ICE_URI_H
#define TDM_ENGINE_ICE_URI_H

/*
 * Servers for ICE as people write them: the URIs of RFC 7064 and RFC 7065, with the user and the
 * password of a TURN server before its name:
 *
 *   stun:stun.example.org   turn:ann:secret@10.0.0.1:3478?transport=tcp turns:ann:secret@relay.org
 *
 * Pure: names are looked up elsewhere.
 */

#include "engine/core/ice.h"

struct tdm_ice_uri {
    struct tdm_ice_server server; /* Its address has no family while only the name is known. */
    char host[128];
    uint16_t port;
};

/** A list, separated by commas or spaces. TDM_E_MALFORMED, TDM_E_SPACE with a cause. */
enum tdm_err tdm_ice_uris_parse(const char *text, struct tdm_ice_uri list[TDM_ICE_SERVERS_MAX],
                                uint8_t *count, struct tdm_cause *cause);

#endif

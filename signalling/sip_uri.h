/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIP_URI_H
#define TDM_SIGNALLING_SIP_URI_H

/*
 * Addresses as people type them: "10.0.0.7", "10.0.0.7:5070", "user@host", "[::1]",
 * "sip:user@host;transport=tcp". Pure, but for the two functions at the end, which ask the system.
 */

#include "engine/base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TDM_SIP_PORT     5060
#define TDM_SIP_PORT_TLS 5061

#define TDM_SIP_ADDRESSES_MAX 8 /* Of one service. */

struct tdm_sip_uri {
    char user[64];  /* "" when there is none. */
    char host[200]; /* Without brackets. */
    uint16_t port;  /* 0: not said. */
    bool tcp, udp;  /* ;transport=, at most one of the three... */
    bool tls;       /* ... or sips:, which is written as ;transport=tls. */
    bool ipv6;      /* host is an IPv6 literal. */
    bool phone;     /* user is a telephone number (;user=phone). */
};

/** TDM_E_MALFORMED with a cause in words; TDM_E_UNSUPPORTED for a transport that there is not. */
enum tdm_err tdm_sip_uri_parse(const char *text, struct tdm_sip_uri *uri, struct tdm_cause *cause);

/** "sip:user@host:port;transport=tcp"; brackets around IPv6. false when it does not fit. */
bool tdm_sip_uri_write(const struct tdm_sip_uri *uri, char *text, size_t capacity);

/** What is said, else what its transport means. */
uint16_t tdm_sip_uri_port(const struct tdm_sip_uri *uri);

/** All addresses of the service at `uri`, in the order in which to try them: SRV records (RFC 3263
 *  section 4.2) when it is a name without a port, else the host's own. Blocks on names. `seed` for
 *  the choice by weight. TDM_E_GONE with a cause when there is none. */
enum tdm_err tdm_sip_resolve_all(const struct tdm_sip_uri *uri, uint64_t seed,
                                 struct sockaddr_storage addresses[TDM_SIP_ADDRESSES_MAX],
                                 uint32_t *count, struct tdm_cause *cause);

/** Looks the host up: blocks on names. TDM_E_GONE with a cause when it is unknown. */
enum tdm_err tdm_sip_resolve(const struct tdm_sip_uri *uri, struct sockaddr_storage *address,
                             struct tdm_cause *cause);

/** Our own numeric address as `uri` (or a bare address) would see it, by the system's route to
 *  it: for c= and Contact. Blocks when the host is a name. */
enum tdm_err tdm_sig_local_address(const char *uri, char *address, size_t capacity,
                                   struct tdm_cause *cause);

/** The same for an address that is known. */
enum tdm_err tdm_sig_local_address_to(const struct sockaddr_storage *remote, char *address,
                                      size_t capacity, struct tdm_cause *cause);

#endif

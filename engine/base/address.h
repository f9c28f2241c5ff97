/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_ADDRESS_H
#define TDM_BASE_ADDRESS_H

/*
 * An IP address with a port, as cores know it: plain bytes that compare, print and simulate. No
 * names, no sockets: engine/io turns it into what the kernel wants.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_ADDRESS_TEXT_MAX 56 /* "[v6]:port" and the terminator. */

enum tdm_address_family { TDM_ADDRESS_NONE = 0, TDM_IPV4 = 4, TDM_IPV6 = 6 };

/** All bytes count in comparisons: unused ones are zero. */
struct tdm_address {
    uint8_t family;    /* enum tdm_address_family; NONE: no address. */
    uint8_t bytes[16]; /* Network order; IPv4 in the first four. */
    uint16_t port;
};

bool tdm_address_equal(const struct tdm_address *a, const struct tdm_address *b);
/** Ports aside. */
bool tdm_address_same_host(const struct tdm_address *a, const struct tdm_address *b);
bool tdm_address_is_loopback(const struct tdm_address *a);
bool tdm_address_is_link_local(const struct tdm_address *a);
/** RFC 1918, RFC 6598 and RFC 4193: an address behind some gateway. */
bool tdm_address_is_private(const struct tdm_address *a);

/** Numeric text without port ("10.0.0.7", "::1", an IPv4-mapped one becomes IPv4).
 *  TDM_E_MALFORMED for anything else, names too. */
enum tdm_err tdm_address_parse(struct tdm_address *a, const char *text, uint16_t port);
/** Without port, as SDP writes it; at most TDM_ADDRESS_TEXT_MAX bytes with the terminator. */
void tdm_address_host_text(const struct tdm_address *a, char text[TDM_ADDRESS_TEXT_MAX]);
/** With port: "10.0.0.7:5004", "[::1]:5004". */
void tdm_address_text(const struct tdm_address *a, char text[TDM_ADDRESS_TEXT_MAX]);

#endif

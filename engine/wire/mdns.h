/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_MDNS_H
#define TDM_WIRE_MDNS_H

/*
 * Questions and answers of multicast DNS (RFC 6762) for the addresses of one name, as browsers hide
 * their host candidates behind names that end in ".local". Not a resolver: one question, and the
 * address records of a message that are of its name.
 */

#include "engine/base/address.h"

#define TDM_MDNS_PORT     5353
#define TDM_MDNS_GROUP    "224.0.0.251"
#define TDM_MDNS_GROUP_V6 "FF02::FB"
#define TDM_MDNS_BYTES    512 /* Room for a question. */
#define TDM_MDNS_ANSWERS  4

/** Asks for A and AAAA records of `name` and for an answer to whoever asks (RFC 6762 sections 5.4,
 *  6.7). TDM_E_MALFORMED for what is no name. */
enum tdm_err tdm_mdns_ask(const char *name, uint16_t id, uint8_t *data, size_t *size);

/** Whether a name is one for multicast DNS. */
bool tdm_mdns_is_local(const char *name);

/** The addresses of `name` in a message, with port 0. TDM_E_MALFORMED, TDM_E_GONE: none. */
enum tdm_err tdm_mdns_answers(const uint8_t *data, size_t size, const char *name,
                              struct tdm_address list[TDM_MDNS_ANSWERS], uint32_t *count);

#endif

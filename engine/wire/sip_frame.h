/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_SIP_FRAME_H
#define TDM_WIRE_SIP_FRAME_H

/*
 * Where one SIP message ends in a stream (RFC 3261 section 18.3): behind the empty line and as many
 * bytes as Content-Length says. What the message means is read elsewhere
 * (signalling/sip_message.h).
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

/** Of the bytes at the start of a stream: TDM_OK: *size bytes are a message, or a keep-alive of
 * line ends (RFC 5626 section 4.4.1); TDM_E_AGAIN: more must come, *size is what is known to be
 * needed; TDM_E_MALFORMED: nobody can say where this ends. */
enum tdm_err tdm_sip_frame_size(const uint8_t *data, size_t have, size_t *size);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SRTP_GCM_H
#define TDM_IO_SRTP_GCM_H

/*
 * Sealing RTP with AES-GCM (RFC 7714) straight from OpenSSL, with a context that is kept: half of
 * what it costs through libsrtp2, and most of what a sender computes. Sending RTP only; what
 * arrives, RTCP, and the older cipher are libsrtp2's (engine/io/srtp.c), which opens in our tests
 * what is sealed here. It knows no sequence numbers: the caller says which index a packet has.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_srtp_gcm;

/** `master`: key of 16 or 32 bytes, then the salt of 12. TDM_E_SYSTEM. */
enum tdm_err tdm_srtp_gcm_create(struct tdm_srtp_gcm **gcm, const uint8_t *master, size_t key_size);
void tdm_srtp_gcm_destroy(struct tdm_srtp_gcm *gcm);

/** In place; 16 bytes of room behind. The index of a packet is roc * 2^16 + its sequence number.
 *  TDM_E_MALFORMED: no RTP header, or one that is longer than the packet. */
enum tdm_err tdm_srtp_gcm_seal(struct tdm_srtp_gcm *gcm, uint32_t roc, uint8_t *packet,
                               size_t *size);

#endif

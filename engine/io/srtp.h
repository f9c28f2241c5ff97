/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SRTP_H
#define TDM_IO_SRTP_H

/*
 * SRTP and SRTCP of one transport (RFC 3711, RFC 7714), both directions, over libsrtp2. Keys come
 * from DTLS or from a=crypto. Net thread.
 */

#include "engine/io/dtls.h"

#define TDM_SRTP_TRAILER 24 /* Bytes that protecting adds at most (SRTCP over GCM: 16 + 4). */

struct tdm_srtp;

enum tdm_err tdm_srtp_create(struct tdm_srtp **srtp, const struct tdm_srtp_keys *keys,
                             struct tdm_cause *cause);
void tdm_srtp_destroy(struct tdm_srtp *srtp);

/** In place; `packet` has TDM_SRTP_TRAILER bytes of room behind. */
enum tdm_err tdm_srtp_protect(struct tdm_srtp *srtp, bool rtcp, uint8_t *packet, size_t *size);
/** TDM_E_DENIED for a wrong tag or a replay: drop and count. In place. */
enum tdm_err tdm_srtp_unprotect(struct tdm_srtp *srtp, bool rtcp, uint8_t *packet, size_t *size);

#endif

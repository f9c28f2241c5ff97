/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SRTP_H
#define TDM_IO_SRTP_H

/*
 * SRTP and SRTCP of one transport (RFC 3711, RFC 7714), both directions, over libsrtp2. Keys come
 * from DTLS or from a=crypto. Net thread.
 */

#include "engine/io/dtls.h"

#define TDM_SRTP_TRAILER 24 /* Bytes that protecting adds at most (SRTCP over GCM: 16 + 4). */

#define TDM_SRTP_SOURCES_MAX 32 /* Of ours, and of the other side's. */

struct tdm_srtp;

enum tdm_err tdm_srtp_create(struct tdm_srtp **srtp, const struct tdm_srtp_keys *keys,
                             struct tdm_cause *cause);
void tdm_srtp_destroy(struct tdm_srtp *srtp);

/** In place; `packet` has TDM_SRTP_TRAILER bytes of room behind. A packet may be sent again (plain
 *  retransmission): the same bytes give the same bytes. Other bytes under a sequence number that
 *  was used are TDM_E_DENIED and wiped, as they would give the key away (RFC 7714 section 8.4); so
 *  is one more than 1024 behind the newest. TDM_E_MALFORMED: not RTP or RTCP. TDM_E_SPACE: more
 * than TDM_SRTP_SOURCES_MAX sources. */
enum tdm_err tdm_srtp_protect(struct tdm_srtp *srtp, bool rtcp, uint8_t *packet, size_t *size);
/** TDM_E_DENIED for a wrong tag or a replay: drop and count. TDM_E_MALFORMED: not RTP or RTCP. In
 *  place, also when it fails: the bytes are gone then. */
enum tdm_err tdm_srtp_unprotect(struct tdm_srtp *srtp, bool rtcp, uint8_t *packet, size_t *size);

#endif

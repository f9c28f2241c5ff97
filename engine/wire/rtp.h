/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_RTP_H
#define TDM_WIRE_RTP_H

/* RTP packets (RFC 3550 section 5.1) with one-byte and two-byte header extensions (RFC 8285). */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Largest RTP packet that we send, without IP and UDP headers; fits IPv6 and a tunnel or two. */
#define TDM_RTP_PACKET_MAX 1200

/** Largest datagram that we accept. */
#define TDM_DATAGRAM_MAX 1500

#define TDM_RTP_EXT_MAX 8

/** One header extension element; `data` borrows from the packet. */
struct tdm_rtp_ext {
    uint8_t id;   /* 1-14; in a received two-byte form up to 255. */
    uint8_t size; /* 1-16; in a received two-byte form 0-255. */
    const uint8_t *data;
};

struct tdm_rtp {
    bool marker;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
    uint8_t ext_count;
    struct tdm_rtp_ext exts[TDM_RTP_EXT_MAX]; /* Further ones in a packet are ignored. */
    const uint8_t *payload;                   /* Without padding. */
    size_t payload_size;
};

/** Parses one packet; everything in `rtp` borrows from `data`. TDM_E_MALFORMED when a length in it
 *  (CSRC, extension, element, padding) reaches beyond what there is. */
enum tdm_err tdm_rtp_parse(struct tdm_rtp *rtp, const uint8_t *data, size_t size);

/** Writes header, extensions (one-byte form, ids 1-14, 1-16 bytes each) and payload. The payload
 * may already lie at its place in the writer's buffer. Fails (writer not ok) when it does not fit,
 * or when an extension does not fit the one-byte form. */
void tdm_rtp_write(struct tdm_writer *w, const struct tdm_rtp *rtp);

/** The extension with this id, or NULL. id 0 gives NULL. */
const struct tdm_rtp_ext *tdm_rtp_ext_find(const struct tdm_rtp *rtp, uint8_t id);

/** Whether a datagram whose first byte is in 128..191 is RTCP rather than RTP (RFC 5761 section 4).
 */
bool tdm_rtp_is_rtcp(const uint8_t *data, size_t size);

/** Extends a 16-bit sequence number to 64 bits near `last` (RFC 3550 A.1 idea, no validity check).
 */
static inline int64_t tdm_seq_extend(int64_t last, uint16_t seq)
{
    return last + (int16_t)(uint16_t)(seq - (uint16_t)last);
}

/** Extends a 32-bit RTP timestamp near `last`. */
static inline int64_t tdm_rtp_time_extend(int64_t last, uint32_t timestamp)
{
    return last + (int32_t)(timestamp - (uint32_t)last);
}

#endif

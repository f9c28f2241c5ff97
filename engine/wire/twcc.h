/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_TWCC_H
#define TDM_WIRE_TWCC_H

/*
 * Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01):
 * which packets of a transport came, and when, by the numbers that a header extension gave them.
 * What to make of it is engine/core/transport_cc.h.
 *
 * The message is an RTCP transport layer feedback packet (RTPFB, FMT 15); here is what stands
 * behind its two SSRCs:
 *
 *     base sequence number (16)  packet status count (16)
 *     reference time (24, 64 ms)  feedback packet count (8)
 *     packet chunks (16 each): a run, 14 one-bit symbols, or 7 two-bit symbols
 *     receive deltas (8 or 16 each, 250 us), one for each packet that came
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_TWCC_URI                                                                               \
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-"                      \
    "01"
#define TDM_TWCC_EXT_BYTES 2 /* A big-endian sequence number. */

#define TDM_TWCC_TICK      (250 * TDM_US)
#define TDM_TWCC_REFERENCE (64 * TDM_MS)
#define TDM_TWCC_WRAP      ((tdm_time)(1 << 24) * TDM_TWCC_REFERENCE) /* Then the time repeats. */

#define TDM_TWCC_READ_MAX  4096 /* Statuses of one message; with more it is malformed. */
#define TDM_TWCC_WRITE_MAX 256  /* Statuses that one message of ours has at most. */
#define TDM_TWCC_BYTES_MAX 620  /* Of one message of ours, with its RTCP header. */

/** State of walking one message; open, then next until not OK. Borrows the message. */
struct tdm_twcc_reader {
    uint8_t feedback_count;
    uint16_t seq; /* Of the next status. */
    uint16_t left;
    tdm_time time; /* The reference, then the arrival that came last. */
    uint16_t chunk;
    uint16_t chunk_left; /* Symbols of it. */
    struct tdm_reader chunks, deltas;
};

struct tdm_twcc_status {
    uint16_t seq;
    bool received;
    tdm_time arrival; /* On the other side's clock, in ticks of 250 us, modulo TDM_TWCC_WRAP apart
                         from the deltas; only when received. */
};

/** Takes what stands behind the SSRCs. TDM_E_MALFORMED when chunks or deltas are missing, a run is
 *  empty, or there are too many statuses; all of it is checked here. */
enum tdm_err tdm_twcc_open(struct tdm_twcc_reader *reader, const uint8_t *data, size_t size);

/** The next status; TDM_E_AGAIN at the end. */
enum tdm_err tdm_twcc_next(struct tdm_twcc_reader *reader, struct tdm_twcc_status *status);

/** One side's view of a row of packets. */
struct tdm_twcc_feedback {
    uint32_t sender_ssrc, media_ssrc;
    uint8_t feedback_count;
    uint16_t base_seq;
    uint16_t count;           /* At most TDM_TWCC_WRITE_MAX. */
    const tdm_time *arrivals; /* `count` of them; TDM_NEVER: it did not come. */
};

/** Writes a whole RTCP packet.
 *
 *  @return how many of the statuses it covers: fewer than `count` where the times are too far apart
 *          for one message; 0, and nothing written, when none of them came. */
uint16_t tdm_twcc_write(struct tdm_writer *w, const struct tdm_twcc_feedback *feedback);

#endif

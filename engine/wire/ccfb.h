/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_CCFB_H
#define TDM_WIRE_CCFB_H

/*
 * RTP congestion control feedback (RFC 8888): which packets of each source came, when, and with
 * which ECN mark, by the numbers that RTP gives them anyway. What to make of it is
 * the controller's affair (engine/core/congestion.h); when to tell it is engine/core/arrivals.h.
 *
 * The message is an RTCP transport layer feedback packet (RTPFB, FMT 11); here is what stands
 * behind the sender's SSRC:
 *
 *     for each source:  SSRC (32)  first number (16)  count (16)
 *                       for each packet, padded to 32 bits:
 *                       came (1)  ECN (2)  arrival before the time stamp (13, 1/1024 s)
 *     report time stamp (32, the middle of an NTP time)
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_CCFB_SOURCE_MAX 16384           /* Reports of one source (section 3.1). */
#define TDM_CCFB_HEAD_BYTES 12              /* RTCP header, sender, time stamp. */
#define TDM_CCFB_WRAP       (65536 * TDM_S) /* Then the time stamp repeats. */

enum tdm_ecn { TDM_ECN_NONE = 0, TDM_ECN_ECT1 = 1, TDM_ECN_ECT0 = 2, TDM_ECN_CE = 3 };

/** State of walking one message; open, then next until not OK. Borrows the message. */
struct tdm_ccfb_reader {
    tdm_time timestamp; /* Of the report, on the other side's clock, modulo TDM_CCFB_WRAP. */
    uint32_t ssrc;
    uint16_t seq, left;
    struct tdm_reader blocks, reports;
};

struct tdm_ccfb_report {
    uint32_t ssrc;
    uint16_t seq;
    bool received;
    enum tdm_ecn ecn;
    tdm_time age; /* Of the arrival at the time stamp; TDM_NEVER: not told, or it did not come. */
};

/** Takes what stands behind the sender's SSRC. TDM_E_MALFORMED when it is cut short or a source has
 *  too many reports; all of it is checked here. */
enum tdm_err tdm_ccfb_open(struct tdm_ccfb_reader *reader, const uint8_t *data, size_t size);

/** The next report; TDM_E_AGAIN at the end. */
enum tdm_err tdm_ccfb_next(struct tdm_ccfb_reader *reader, struct tdm_ccfb_report *report);

struct tdm_ccfb_arrival {
    tdm_time at; /* TDM_NEVER: it did not come. */
    enum tdm_ecn ecn;
};

/** Packets `begin_seq` and on of one source. */
struct tdm_ccfb_source {
    uint32_t ssrc;
    uint16_t begin_seq, count;
    const struct tdm_ccfb_arrival *arrivals;
};

/** Bytes that a source of `count` reports takes in a message. */
static inline size_t tdm_ccfb_source_bytes(uint16_t count)
{
    return 8 + (size_t)(count + 1) / 2 * 4;
}

/** Writes a whole RTCP packet: the view at `now`, which is `ntp` on the clock of sender reports. */
void tdm_ccfb_write(struct tdm_writer *w, uint32_t sender_ssrc, tdm_time now, uint64_t ntp,
                    const struct tdm_ccfb_source *sources, uint8_t source_count);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_RX_STATS_H
#define TDM_CORE_RX_STATS_H

/*
 * Reception statistics of one RTP source: sequence extension, loss and interarrival jitter
 * (RFC 3550 sections 6.4.1, A.1, A.3, A.8). Decides only whether a packet belongs to the running
 * sequence; a jump is accepted when a second packet confirms it.
 */

#include "engine/base/time.h"
#include "engine/wire/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

struct tdm_rx_stats {
    bool started;
    int64_t base_seq, highest_seq; /* Extended. */
    int64_t jump_seq;              /* The sequence number that would confirm a jump; -1 = none. */
    uint64_t received, bytes;
    uint64_t expected_prior, received_prior; /* At the last report. */
    int64_t last_rtp_time;                   /* Extended. */
    uint32_t transit_hz;                     /* Clock of last_transit_s; 0 = it is not known. */
    double last_transit_s, jitter_s;
};

enum tdm_rx_verdict {
    TDM_RX_OK,
    TDM_RX_REFUSED,  /* Outside the sequence, and no second packet has confirmed it. */
    TDM_RX_RESTARTED /* The sequence started, or started anew here. */
};

void tdm_rx_stats_init(struct tdm_rx_stats *s);

/** Takes one packet; gives its extended sequence number and RTP time. `hz`: RTP clock; 0: a packet
 *  whose timestamp stands still, such as a telephone event: it counts, but not for jitter. */
enum tdm_rx_verdict tdm_rx_stats_packet(struct tdm_rx_stats *s, tdm_time arrival, uint16_t seq,
                                        uint32_t timestamp, uint32_t hz, size_t payload_bytes,
                                        int64_t *seq_ext, int64_t *rtp_time);

/** Fills the loss and jitter fields of a report block and starts the next report interval. */
void tdm_rx_stats_report(struct tdm_rx_stats *s, uint32_t hz, struct tdm_rtcp_report *report);

/** Packets expected but never received, since the start; a duplicate counts against it. */
int64_t tdm_rx_stats_lost(const struct tdm_rx_stats *s);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CLOCK_SYNC_H
#define TDM_CORE_CLOCK_SYNC_H

/*
 * Where the other side's NTP clock stands against ours, from the RTCP exchange that every peer
 * makes (RFC 3550 section 6.4.1: SR out, RR with LSR and DLSR back, beside the peer's own SR; or
 * RRTR and DLRR, RFC 3611 section 4.4-4.5, for a side that sends no media).
 *
 *      ours   t1 ----- SR ----->          t4 = arrival of the peer's report
 *      peer          t2 .. DLSR .. t3 = its NTP time in the same compound
 *
 *   round trip = (t4 - t1) - (t3 - t2);   peer - ours = ((t2 - t1) + (t3 - t4)) / 2
 *
 * The sample with the shortest round trip of the last seconds is trusted: what it waited in queues
 * is least, so its error is at most half of the round trip and in practice much less. Age counts
 * against a sample, because the two clocks drift apart.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_CLOCK_SYNC_SAMPLES 32

struct tdm_clock_sample {
    tdm_time at, rtt, offset;
};

struct tdm_clock_sync {
    tdm_time wall_offset; /* NTP (since 1900) in ns = local monotonic + this. */
    uint8_t count, next;
    struct tdm_clock_sample samples[TDM_CLOCK_SYNC_SAMPLES];
    bool known;
    tdm_time rtt;    /* Latest. */
    tdm_time offset; /* Peer's NTP clock minus ours, ns. */
    tdm_time rtt_min;
};

/** `wall_offset`: wall clock (Unix epoch) minus monotonic clock at the start of the call. */
void tdm_clock_sync_init(struct tdm_clock_sync *c, tdm_time wall_offset);

/** Our NTP time, 32.32 fixed point, for an instant of the local clock. */
uint64_t tdm_clock_sync_ntp(const struct tdm_clock_sync *c, tdm_time t);

/** The same in nanoseconds since 1900, and back. */
tdm_time tdm_clock_sync_ntp_ns(const struct tdm_clock_sync *c, tdm_time t);

/** Nanoseconds of a 32.32 NTP value. */
tdm_time tdm_ntp_to_ns(uint64_t ntp);

/** A report block (or DLRR) that refers to our report `last` (middle 32 bits) held for `delay`
 *  (1/65536 s), in a compound that the peer stamped `peer_ntp` (0 = it had no stamp: then only the
 *  round trip is learned) and that arrived at `now`. */
void tdm_clock_sync_report(struct tdm_clock_sync *c, tdm_time now, uint32_t last, uint32_t delay,
                           uint64_t peer_ntp);

/** Local time of an instant that the peer stamped on its NTP clock (ns since 1900); TDM_NEVER while
 *  the offset is not known. */
tdm_time tdm_clock_sync_local(const struct tdm_clock_sync *c, tdm_time peer_ntp_ns);

#endif

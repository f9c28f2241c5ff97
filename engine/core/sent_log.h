/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SENT_LOG_H
#define TDM_CORE_SENT_LOG_H

/*
 * The sender's half of per-packet feedback: remembers what left, and turns what the other side
 * tells of it (RFC 8888 by source and sequence number, or transport-wide feedback by its own
 * numbers) into the events of congestion.h, in the order of sending. What feedback says of packets
 * that never left, or were told of already, has no effect; nor have its times on our clock.
 *
 * One a call: packets of all its transports stand in one row, as they share one way.
 */

#include "engine/core/congestion.h"
#include "engine/wire/ccfb.h"
#include "engine/wire/twcc.h"

#define TDM_SENT_LOG_PACKETS 2048 /* A power of two, as all of these. */
#define TDM_SENT_LOG_SOURCES 8
#define TDM_SENT_LOG_REACH   1024 /* Numbers of one source, or of one transport. */
#define TDM_SENT_LOG_NONE    (-1) /* It has no transport-wide number. */

enum tdm_sent_state { TDM_SENT_UNTOLD, TDM_SENT_MISSING, TDM_SENT_LOST, TDM_SENT_ARRIVED };

struct tdm_sent_packet {
    enum tdm_sent_state state;
    bool valid;
    bool ambiguous; /* The same bytes left once more: which of them came is not known. */
    bool news, ce;  /* By the message that is being read. */
    uint8_t space;
    uint16_t seq;
    int32_t number; /* Transport-wide, of `space`; or none. */
    uint32_t ssrc, bytes;
    tdm_time at, arrival;
};

struct tdm_sent_source {
    bool used;
    uint32_t ssrc;
    int64_t last; /* In the row: its newest packet. */
    uint16_t slots[TDM_SENT_LOG_REACH];
};

/** The other side's clock in full, by a part of it that repeats. */
struct tdm_peer_clock {
    bool known;
    tdm_time last;
};

struct tdm_sent_log {
    int64_t next;    /* In the row: of the next packet. */
    int64_t highest; /* The last one that came. */
    int64_t low;     /* From here on a message changed something; */
    int64_t settled; /* below, all is told. */
    uint64_t inflight_bytes;
    uint64_t told, told_capable; /* Reports by RFC 8888, and those with an ECN field. */
    struct tdm_peer_clock report_clock, reference_clock;
    uint16_t number_slots[TDM_SENT_LOG_REACH];
    struct tdm_sent_source sources[TDM_SENT_LOG_SOURCES];
    struct tdm_sent_packet packets[TDM_SENT_LOG_PACKETS];
};

void tdm_sent_log_init(struct tdm_sent_log *log);

struct tdm_sent_note {
    uint32_t ssrc, bytes;
    uint16_t seq;
    uint8_t space;  /* Of the number. */
    int32_t number; /* Transport-wide; TDM_SENT_LOG_NONE. */
};

/** A packet leaves. */
void tdm_sent_log_packet(struct tdm_sent_log *log, tdm_time now, const struct tdm_sent_note *note);

/** The same bytes of an earlier packet leave once more. */
void tdm_sent_log_again(struct tdm_sent_log *log, uint32_t ssrc, uint16_t seq);

/** Take one message, then read what it comes to: false when there is nothing (more). */
void tdm_sent_log_ccfb(struct tdm_sent_log *log, struct tdm_ccfb_reader reader);
void tdm_sent_log_twcc(struct tdm_sent_log *log, uint8_t space, struct tdm_twcc_reader reader);

/** Up to `capacity` events, in the order of sending; call until it returns 0. */
uint32_t tdm_sent_log_read(struct tdm_sent_log *log, struct tdm_ack *acks, uint32_t capacity);

#endif

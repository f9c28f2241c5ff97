/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TRANSPORT_CC_H
#define TDM_CORE_TRANSPORT_CC_H

/*
 * Both ends of transport-wide feedback (engine/wire/twcc.h): what came in is remembered until it is
 * told to the sender; what went out is remembered until the receiver tells of it, and becomes loss,
 * queueing delay and delivered rate. What that means for the sent rate is rate.h.
 *
 * One of each a transport; in a bundle all streams share them.
 */

#include "engine/base/time.h"
#include "engine/wire/twcc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_TRANSPORT_CC_PACKETS 1024 /* A power of two; about a second of a fast video. */

/** Packets that came, by transport-wide number. */
struct tdm_transport_cc_in {
    bool started;
    uint8_t feedback_count;
    uint32_t media_ssrc;
    int64_t next;    /* First number that is not told yet. */
    int64_t highest; /* Extended; behind it nothing came. */
    tdm_time due;    /* When to tell; TDM_NEVER: nothing to tell. */
    tdm_time arrivals[TDM_TRANSPORT_CC_PACKETS];
};

void tdm_transport_cc_in_init(struct tdm_transport_cc_in *in);

/** A packet came; told at in->due, for all that came until then. */
void tdm_transport_cc_in_packet(struct tdm_transport_cc_in *in, tdm_time now, uint16_t seq,
                                uint32_t ssrc, tdm_time arrival);

/** Writes one feedback packet, at most TDM_TWCC_BYTES_MAX; due again at once when there is more. */
void tdm_transport_cc_in_write(struct tdm_transport_cc_in *in, uint32_t sender_ssrc,
                               struct tdm_writer *w);

enum tdm_transport_cc_state {
    TDM_CC_UNKNOWN, /* Never sent, or settled long ago. */
    TDM_CC_SENT,
    TDM_CC_LOST, /* As told; it may come yet. */
    TDM_CC_ARRIVED
};

struct tdm_transport_cc_sent {
    enum tdm_transport_cc_state state;
    uint16_t size;
    int64_t seq;
    tdm_time at;
};

/** Packets that left, by transport-wide number, and what feedback says of them. */
struct tdm_transport_cc_out {
    int64_t next;
    struct tdm_transport_cc_sent sent[TDM_TRANSPORT_CC_PACKETS];
    bool heard; /* Any feedback at all; */
    tdm_time heard_at;
    tdm_time time_base, last_time;
    tdm_time delay_min, delay_min_next, delay_min_since; /* One way, on two clocks. */
    /* Since the last result. */
    tdm_time since;
    int32_t arrived, lost;
    uint64_t bytes;
    tdm_time delay, first_arrival, last_arrival;
};

/** What the feedback of half a second comes to. */
struct tdm_transport_cc_result {
    uint8_t fraction_lost; /* /256 */
    tdm_time queue;        /* How much longer the way is than it was at best. */
    uint64_t delivered_bps;
};

void tdm_transport_cc_out_init(struct tdm_transport_cc_out *out, uint16_t first_seq);

/** The number for a packet of `size` bytes that leaves now. */
uint16_t tdm_transport_cc_out_packet(struct tdm_transport_cc_out *out, tdm_time now, size_t size);

/** Takes one feedback message. True, with a result, about twice a second. What it says of packets
 *  that we never sent, or already know of, has no effect. */
bool tdm_transport_cc_out_feedback(struct tdm_transport_cc_out *out, tdm_time now,
                                   struct tdm_twcc_reader reader,
                                   struct tdm_transport_cc_result *result);

#endif

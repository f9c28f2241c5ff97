/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TRANSPORT_CC_H
#define TDM_CORE_TRANSPORT_CC_H

/*
 * The receiver's half of transport-wide feedback (engine/wire/twcc.h): what came in is remembered
 * until it is told to the sender. The sender's half is sent_log.h.
 *
 * One a transport; in a bundle all streams share it.
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

#endif

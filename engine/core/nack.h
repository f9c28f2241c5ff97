/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_NACK_H
#define TDM_CORE_NACK_H

/*
 * Which missing packets to ask for, and when (RFC 4585 section 6.2.1): at once on a gap, unless
 * this path is known to reorder; again after a round trip; until it came, was given up, or the
 * assembly no longer wants it. Deciding what a lost packet means for the picture is assembly.h.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_NACK_MISSING_MAX 256
#define TDM_NACK_TRIES_MAX   10

struct tdm_nack_entry {
    int64_t seq;
    tdm_time missing_since, due, asked_at;
    uint8_t tries;
};

struct tdm_nack {
    bool started;
    int64_t highest_seq;
    tdm_time rtt;  /* Between asking and having, at least. */
    tdm_time hold; /* The first request waits so long at least: something else may mend it. */
    tdm_time reorder_wait; /* How long to wait before the first request; grows with evidence. */
    uint16_t count;
    struct tdm_nack_entry missing[TDM_NACK_MISSING_MAX]; /* Ascending seq. */
    uint64_t asked, recovered, abandoned, spurious;      /* Packets, since the start. */
};

enum tdm_nack_in_kind { TDM_NACK_PACKET, TDM_NACK_REPAIR, TDM_NACK_RTT, TDM_NACK_FORGET_BEFORE };

struct tdm_nack_in {
    enum tdm_nack_in_kind kind;
    int64_t seq;  /* PACKET: came; REPAIR: came, and as a repair for certain; FORGET_BEFORE: nothing
                     below it is wanted any more. */
    tdm_time rtt; /* RTT */
};

struct tdm_nack_out {
    uint16_t count;
    uint16_t seqs[TDM_NACK_MISSING_MAX]; /* To ask for now, ascending. */
    bool gave_up; /* A packet was abandoned: the picture needs another way. */
    tdm_time wake_at;
};

void tdm_nack_init(struct tdm_nack *n, tdm_time now);
void tdm_nack_step(struct tdm_nack *n, tdm_time now, const struct tdm_nack_in *in,
                   struct tdm_nack_out *out);

#endif

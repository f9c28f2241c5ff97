/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_RATE_TCP_H
#define TDM_SIM_RATE_TCP_H

/*
 * A TCP sender as a competitor: CUBIC-like (RFC 9438: slow start, cubic growth with its Reno-
 * friendly part, one cut of 0.7 a round trip) or BBR-like (bandwidth by the fastest of ten rounds,
 * gains 1.25 and 0.75, two bandwidth-delay products under way, a drain every ten seconds; blind to
 * loss). Every packet is acknowledged by itself.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_RATE_TCP_PACKETS 8192 /* A power of two. */

struct tdm_rate_tcp {
    bool bbr, active;
    int64_t left;             /* Packets that the application still has; -1: for ever. */
    int64_t next, highest;    /* Numbers: to be sent, acknowledged. */
    uint32_t inflight, again; /* Lost ones that are to be sent once more. */
    uint8_t states[TDM_RATE_TCP_PACKETS];
    double window, threshold;
    tdm_time srtt, rtt_min, rtt_min_at, timer, last_ack;
    int64_t recover; /* Losses up to here belong to one cut. */
    double window_max;
    tdm_time cut_at;
    /* BBR */
    double rates[10]; /* Packets a second, of the last rounds. */
    uint32_t round, delivered, round_delivered;
    int64_t round_end;
    tdm_time round_at, free_at, drain_until;
    bool full;
    double full_rate;
    uint8_t full_rounds;
};

void tdm_rate_tcp_start(struct tdm_rate_tcp *t, tdm_time now, bool bbr, uint64_t packets);

/** Whether a packet leaves now; else when to ask again. */
bool tdm_rate_tcp_sends(struct tdm_rate_tcp *t, tdm_time now, tdm_time *again_at);
int64_t tdm_rate_tcp_sent(struct tdm_rate_tcp *t, tdm_time now);

/** True when this was the last packet of a transfer. */
bool tdm_rate_tcp_acked(struct tdm_rate_tcp *t, tdm_time now, int64_t number, tdm_time sent);
void tdm_rate_tcp_tick(struct tdm_rate_tcp *t, tdm_time now);

#endif

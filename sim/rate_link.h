/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_RATE_LINK_H
#define TDM_SIM_RATE_LINK_H

/*
 * A bottleneck that several flows share: a queue in front of a capacity. Capacity is a row of
 * steps or a delivery trace; the queue is bounded in time or bytes and drops at its tail, or is a
 * pair of queues that marks as RFC 9332 (DualPI2) does; a policer may stand before it. Delays of
 * the ways to and from it are the caller's.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_RATE_LINK_PACKETS 32768 /* A power of two. */

struct tdm_rate_step {
    tdm_time at;
    uint64_t bps;
};

struct tdm_rate_link_config {
    const struct tdm_rate_step *steps; /* Ascending from 0; borrowed. */
    uint32_t step_count;
    const uint32_t *trace_ms; /* Or mahimahi: each millisecond lets 1500 bytes through; */
    uint32_t trace_count;     /* the last is also the period after which it repeats. */
    tdm_time queue_delay;     /* What may wait: at the capacity of the moment; 0: queue_bytes. */
    uint32_t queue_bytes;
    bool dual;            /* DualPI2. */
    uint64_t policer_bps; /* 0: none. */
    uint32_t policer_bytes;
    double loss;          /* Random. */
    double reorder;       /* The part of packets that are held back behind it, */
    tdm_time reorder_for; /* so long. */
    uint64_t seed;
};

struct tdm_rate_packet {
    uint8_t flow;
    bool feedback, ect1, ce;
    uint32_t bytes;
    int64_t number;
    tdm_time sent, queued;
};

struct tdm_rate_queue {
    uint32_t head, count;
    uint64_t bytes;
    struct tdm_rate_packet packets[TDM_RATE_LINK_PACKETS];
};

struct tdm_rate_link {
    struct tdm_rate_link_config config;
    struct tdm_rng rng;
    struct tdm_rate_queue classic, scalable; /* One that does not mark has only the first. */
    bool busy;
    struct tdm_rate_packet serving;
    tdm_time done;         /* When it has left; TDM_NEVER: idle. */
    int64_t trace_at;      /* Opportunities that are used up, counted over all periods. */
    uint32_t trace_credit; /* Bytes left of the last one used. */
    tdm_time trace_time;
    double policer_tokens;
    tdm_time policer_at;
    double drop_chance, last_delay; /* PI2, of the classic queue. */
    tdm_time pi_at;
    double share; /* Of the scalable queue in what was served lately. */
    uint64_t dropped, carried_bytes;
};

void tdm_rate_link_init(struct tdm_rate_link *link, const struct tdm_rate_link_config *config);

/** False when it is dropped. */
bool tdm_rate_link_push(struct tdm_rate_link *link, tdm_time now,
                        const struct tdm_rate_packet *packet);

/** The packet that has left at link->done, and the next one begins. */
struct tdm_rate_packet tdm_rate_link_pop(struct tdm_rate_link *link);

/** How long a packet that has left is held back: nothing, or as the config says. */
tdm_time tdm_rate_link_holds(struct tdm_rate_link *link);

uint64_t tdm_rate_link_bps(const struct tdm_rate_link *link, tdm_time now);

/** Bytes that could pass between two times; of a trace, or at most `limit_bps`. */
double tdm_rate_link_capacity(const struct tdm_rate_link *link, tdm_time from, tdm_time to,
                              uint64_t limit_bps);

#endif

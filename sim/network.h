/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_NETWORK_H
#define TDM_SIM_NETWORK_H

/*
 * A seeded one-way link. A packet that is pushed passes, in this order:
 *
 *   cut? -> random and Gilbert-Elliott loss -> FIFO queue (bytes, delay) -> rate, rate steps or
 *   delivery trace, stalls -> base delay + jitter -> extra delay (reorder) -> copy (duplicate),
 *   bit flip (corrupt) -> pop
 *
 * Its fate is decided at the push, because every later stage is known then; that makes a link a
 * heap of deliveries and nothing more. All randomness comes from the seed, and no transcendental
 * function of the C library is used, so a seed means the same on every machine.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_sim_jitter {
    TDM_SIM_JITTER_NONE,
    TDM_SIM_JITTER_UNIFORM, /* 0 to `jitter`. */
    TDM_SIM_JITTER_NORMAL,  /* The size of a normal deviate with sigma = `jitter`. */
    TDM_SIM_JITTER_GAMMA,   /* Gamma with shape 2 and mean `jitter`: a long tail. */
};

/** From `at` on the link has this rate; 0 stands still. */
struct tdm_sim_rate_step {
    tdm_time at;
    uint64_t rate_bps;
};

/** From `at` on the way takes so long: the packets go another one. */
struct tdm_sim_delay_step {
    tdm_time at, delay;
};

/** In [from, to) the link either holds everything (a stall) or loses it (a cut). */
struct tdm_sim_window {
    tdm_time from, to;
    bool cut;
};

/** Times are absolute on the simulation's clock. Arrays are borrowed for the link's life. */
struct tdm_sim_link_config {
    uint64_t seed;

    /* Capacity: at most one of a fixed rate, rate steps, and a delivery trace. All zero: no limit.
     */
    uint64_t rate_bps;
    const struct tdm_sim_rate_step *rate_steps; /* Ascending; before the first: rate_bps. */
    uint32_t rate_step_count;
    const uint32_t *trace_ms; /* Mahimahi: ascending milliseconds, each lets 1500 bytes through; */
    uint32_t trace_count;     /* the last one is also the period after which it repeats. */

    uint32_t queue_bytes; /* 0: no limit. A packet that does not fit is lost. */
    tdm_time queue_delay; /* 0: no limit. A packet that would wait longer is lost. */
    tdm_time mark_delay;  /* 0: none. One that says so is marked (RFC 3168) when it waits longer, */
    bool mark_classic;    /* or as CoDel drops: one, when all waited longer for 100 ms, and then
                             the sooner the longer it lasts (RFC 8289). */

    tdm_time delay;
    const struct tdm_sim_delay_step *delay_steps; /* Ascending; before the first: delay. */
    uint32_t delay_step_count;
    enum tdm_sim_jitter jitter_kind;
    tdm_time jitter;
    bool jitter_reorders; /* Otherwise a late packet holds back those behind it. */

    double loss;               /* Chance for each packet. */
    double ge_enter, ge_leave; /* Chance for each packet to enter and to leave the bad state. */
    double ge_loss;            /* Loss in the bad state. */
    tdm_time ge_slot;          /* The chances above are for each slot of this time. 0: a packet. */
    double reorder;            /* Chance to be late by `reorder_delay`, and be overtaken. */
    tdm_time reorder_delay;
    double duplicate; /* Chance to arrive twice, the second up to 5 ms later. */
    double corrupt;   /* Chance that one bit is wrong. */

    tdm_time stall_interval;              /* Mean time between random stalls; 0: none. */
    tdm_time stall_max;                   /* Their greatest length. */
    const struct tdm_sim_window *windows; /* Ascending, not overlapping. */
    uint32_t window_count;

    uint32_t packets_max;      /* Held at once; 0: 2048. Beyond: lost by the queue. */
    uint32_t packet_bytes_max; /* 0: 1500. */
};

/** In the channel: the packet may be marked (ECT(1)). */
#define TDM_SIM_MAY_MARK 0x8000u

/** Every packet is somewhere: pushed + copies = delivered + lost (three ways) + in flight. */
struct tdm_sim_link_stats {
    uint64_t pushed, pushed_bytes, copies;
    uint64_t delivered, delivered_bytes;
    uint64_t lost_random, lost_queue, lost_cut;
    uint64_t in_flight;
    uint64_t corrupted, reordered, marked;
    tdm_time queue_delay_max;
    uint32_t queue_bytes_max;
};

struct tdm_sim_packet {
    uint16_t channel; /* As given to the push: which of several sockets, and TDM_SIM_MAY_MARK. */
    bool marked;
    uint16_t size;
    uint64_t number; /* Of the push, from 0; copies share it. */
    tdm_time sent;
    const uint8_t *data; /* Valid until the next push to this link. */
};

struct tdm_sim_link;

/** Bytes of storage for a link; the caller allocates them once. */
size_t tdm_sim_link_bytes(const struct tdm_sim_link_config *config);

/** Lays a link over `storage` (aligned as by malloc). The config is copied. */
struct tdm_sim_link *tdm_sim_link_init(void *storage, const struct tdm_sim_link_config *config);

/** Sends a packet. size <= packet_bytes_max. */
void tdm_sim_link_push(struct tdm_sim_link *link, tdm_time now, uint16_t channel, const void *data,
                       size_t size);

/** When the next packet arrives; TDM_NEVER when none is on the way. */
tdm_time tdm_sim_link_due(const struct tdm_sim_link *link);

/** Takes the next packet that has arrived by `now`; false when there is none. */
bool tdm_sim_link_pop(struct tdm_sim_link *link, tdm_time now, struct tdm_sim_packet *packet);

const struct tdm_sim_link_stats *tdm_sim_link_stats_of(const struct tdm_sim_link *link);

/** Deviates without the C library's transcendental functions: exponential with mean 1, normal with
 *  sigma 1 (a sum of twelve uniforms), and e to the x for |x| < 8. */
double tdm_sim_exponential(struct tdm_rng *rng);
double tdm_sim_normal(struct tdm_rng *rng);
double tdm_sim_exp(double x);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_REPAIR_WORLD_H
#define TDM_SIM_REPAIR_WORLD_H

/*
 * One video stream over a path that loses packets, in virtual time: a camera, a link that a packet
 * needs 1.2 ms for, a loss of the Gilbert-Elliott kind in slots of that time, the way there and
 * back, and a receiver that shows a picture as soon as it can be decoded and is newer than the
 * last. The code, the requests, the measured loss and the plan are the engine's own cores; frame
 * sizes are drawn. No rate control: what repairs cost is counted, not fed back.
 *
 * Beside ours three others that are known: requests alone, requests and a round trip of delay, and
 * parity of 20 % in each frame with a keyframe for what it cannot mend.
 */

#include "engine/base/histogram.h"
#include "engine/core/repair_plan.h"

#include <stddef.h>

enum tdm_repair_policy {
    TDM_REPAIR_OURS,
    TDM_REPAIR_FIXED,    /* config.plan */
    TDM_REPAIR_ASK,      /* Requests alone. */
    TDM_REPAIR_ASK_HELD, /* Requests, and all is shown a round trip later. */
    TDM_REPAIR_BLOCK,    /* 20 % in each frame, and keyframes. */
    TDM_REPAIR_POLICIES
};

struct tdm_repair_world_config {
    uint64_t seed;
    uint32_t frames; /* 30 a second. */
    double loss;     /* Part of the slots; */
    double burst;    /* lost in a row, mean. 1: each packet by itself. */
    tdm_time rtt;
    enum tdm_repair_policy policy;
    double most, stalls; /* OURS: as in struct tdm_repair_means; */
    uint8_t chains;      /* of the encoder; 0: it takes no references. */
    bool repeat;         /* What is asked for may leave more than once (repeat_plan.h). */
    bool back_loses;     /* What the receiver says is lost as often, and in as long rows. */
    struct tdm_repair_plan plan;
};

struct tdm_repair_result {
    struct tdm_histogram late;         /* Of pictures shown, behind the way of their last packet. */
    struct tdm_histogram decoded_late; /* Of all that were decoded, also those that were skipped. */
    uint64_t frames, shown, packets, parity, repeated, costlier; /* The last three in packets. */
    uint64_t recovered, keyframes, referred;                     /* By parity; pictures. */
    struct tdm_repair_plan plan;                                 /* The last. */
    tdm_time frozen, length; /* A gap of max(3 times the mean of 30, this mean + 150 ms). */
};

struct tdm_repair_world;

size_t tdm_repair_world_bytes(void);
void tdm_repair_world_run(void *storage, const struct tdm_repair_world_config *config,
                          struct tdm_repair_result *result);

/** Frozen, of the time, and all that was sent beyond the pictures, of their packets: per cent. */
double tdm_repair_freeze(const struct tdm_repair_result *result);
double tdm_repair_overhead(const struct tdm_repair_result *result);

#endif

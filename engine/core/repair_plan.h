/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_REPAIR_PLAN_H
#define TDM_CORE_REPAIR_PLAN_H

/*
 * How the losses of a video stream are made good: from what the path does (loss, how it clusters,
 * round trip), when a picture would be missed, and what may be spent, the cheapest of
 *
 *     nothing          no loss is known
 *     ask again        a round trip a try
 *     parity           so many repairs of window_code.h a packet: mends without a round trip, but
 *                      only as fast as repairs come, so it is dear where whole pictures are lost
 *     chains           a picture refers to the one `chains` before: a burst breaks one chain, and
 *                      the others go on
 *     known            every `known_every`th picture refers to one that the other side has, as it
 *                      told: what was lost before does not matter to it
 *
 * The last two need an encoder that takes references; they cost compression. A chain or group that
 * is told to be broken is begun anew from what the other side has; by a keyframe, if that is
 * nothing. No plan delays what is there.
 *
 * Carrying it out is the session's or the simulation's (sim/repair_world.c); what the path does is
 * measured by loss_pattern.h. The chances are estimates: docs/repair.md says how good.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_REPAIR_CHAINS_MAX 5

/** What the path does. */
struct tdm_repair_path {
    double loss;         /* Part of the packets. */
    double burst;        /* Packets lost in a row, mean; 1 or more. */
    tdm_time burst_time; /* How long such a row lasts, mean. */
    tdm_time rtt;
};

/** What can be done, and for what. */
struct tdm_repair_means {
    bool ask, code;        /* NACK and parity were agreed. */
    uint8_t reach, chains; /* Of the encoder's references: begins anew from so many pictures before,
                              and has so many chains; 0: it takes none. */
    tdm_time interval;     /* Between pictures. */
    tdm_time patience;     /* A gap of so much more than an interval is a stall. */
    double packets;        /* Of a picture, mean. */
    double most;           /* To spend, as a part of the media's bytes. */
    double stalls;         /* Part of the time that may be stalled. */
    double late;           /* Part of the pictures that may come an interval late or more. */
};

struct tdm_repair_plan {
    bool ask;
    double parity;       /* Repairs a packet. */
    uint8_t window;      /* Pictures that a repair covers. */
    uint8_t chains;      /* 1: each picture refers to the one before. */
    uint8_t known_every; /* 0: only what is broken is begun anew. */
    /* As estimated. */
    double cost, stalls, late;
};

/** The cheapest plan that keeps `means->stalls` and `means->late`; when none does, the one with the
 *  fewest stalls of those that `means->most` pays for. */
void tdm_repair_plan_make(struct tdm_repair_plan *plan, const struct tdm_repair_path *path,
                          const struct tdm_repair_means *means);

/** What a picture that refers to one `distance` pictures before costs more than one that refers to
 *  the last, as a part of it; measured with x264 (docs/repair.md). */
double tdm_repair_reference_cost(uint32_t distance);

#endif

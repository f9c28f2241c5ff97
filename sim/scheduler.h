/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_SCHEDULER_H
#define TDM_SIM_SCHEDULER_H

/*
 * The virtual clock: says which of a few event sources is due next and moves time there. Each
 * source (a link, a device, a core's wake) keeps one due time; the earliest goes first, and of
 * equals the one with the lowest number, so that the order never depends on anything but times.
 *
 * It also watches that nobody asks to be woken in the past and that virtual time keeps moving.
 * It does not know what a source does.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_SIM_SOURCES_MAX 32

struct tdm_sim_scheduler {
    tdm_time now;
    tdm_time due[TDM_SIM_SOURCES_MAX]; /* TDM_NEVER: not waiting. */
    uint32_t source_count;
    /* What the checkers look at. */
    uint64_t steps;          /* Events so far. */
    uint64_t past_wakes;     /* Due times that lay before now; they were moved to now. */
    uint32_t last_past_wake; /* The source of the latest of them. */
    uint64_t instant_steps;  /* Events at this very instant. */
    uint64_t instant_steps_max;
    int64_t second; /* The virtual second that second_steps counts. */
    uint64_t second_steps, second_steps_max;
};

/** All sources start as TDM_NEVER. source_count <= TDM_SIM_SOURCES_MAX. */
void tdm_sim_scheduler_init(struct tdm_sim_scheduler *s, tdm_time now, uint32_t source_count);

/** Sets when `source` is due next; TDM_NEVER to wait for something else. */
void tdm_sim_scheduler_set(struct tdm_sim_scheduler *s, uint32_t source, tdm_time due);

/** Moves time to the next due source before `end` and names it (its due time becomes TDM_NEVER).
 *  When there is none, moves time to `end` and returns false. */
bool tdm_sim_scheduler_next(struct tdm_sim_scheduler *s, tdm_time end, uint32_t *source);

#endif

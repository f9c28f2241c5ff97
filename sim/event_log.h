/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_EVENT_LOG_H
#define TDM_SIM_EVENT_LOG_H

/*
 * What happened in a simulation, as fixed-size records in the order in which they happened, with a
 * running 64-bit hash of all of them. Two runs with one seed have equal hashes and equal bytes.
 * The hash covers every record; the storage keeps the latest ones, for people who look at a
 * failure.
 */

#include "engine/base/time.h"

#include <stddef.h>
#include <stdint.h>

/** One event. `kind`, `a` and `b` mean what the writer of the log says (sim/call.h). */
struct tdm_sim_event {
    tdm_time at;
    uint16_t kind;
    uint8_t side;   /* 0 or 1: whose engine, or who sent. */
    uint8_t stream; /* Which stream of that side. */
    uint32_t a;
    uint64_t b;
};

struct tdm_sim_log {
    struct tdm_sim_event *records; /* The caller's; may be NULL with record_max 0. */
    size_t record_max;
    uint64_t count; /* Events so far; those before count - record_max are gone. */
    uint64_t hash;
};

/** `records` outlives the log. */
void tdm_sim_log_init(struct tdm_sim_log *log, struct tdm_sim_event *records, size_t record_max);

void tdm_sim_log_add(struct tdm_sim_log *log, const struct tdm_sim_event *event);

/** The event with this number (from 0), or NULL when it is not (or no longer) there. */
const struct tdm_sim_event *tdm_sim_log_at(const struct tdm_sim_log *log, uint64_t number);

/** A 64-bit hash of bytes: fast, the same on every machine, not for secrets. */
uint64_t tdm_sim_hash(uint64_t start, const void *data, size_t size);

#endif

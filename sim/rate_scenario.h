/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_RATE_SCENARIO_H
#define TDM_SIM_RATE_SCENARIO_H

/*
 * Named scenarios for controllers of the rate, and the row of figures that a run of one comes to.
 * Each is drawn from a seed: phases of the cameras, losses, traces and transfers differ.
 */

#include "sim/rate_trace.h"
#include "sim/rate_world.h"
#include "tandem/sim.h"

enum tdm_rate_figure {
    TDM_RATE_UTIL,      /* Carried for the measured flows, of what could be; percent. */
    TDM_RATE_QUEUE_P95, /* Of packets, ms. */
    TDM_RATE_QUEUE_P99,
    TDM_RATE_FRAME_P95, /* Capture until all of it is there, less the way, ms. */
    TDM_RATE_WORST,     /* Frame, ms. */
    TDM_RATE_LATE,      /* Frames later than 200 ms or never, percent. */
    TDM_RATE_SETTLE,    /* Until 80 % (start) or 90 % (recovery) of the capacity, s. */
    TDM_RATE_JAIN,
    TDM_RATE_SHARE,      /* Of the link beside TCP, percent. */
    TDM_RATE_CALM,       /* After the TCP flow's end until the queue stays below 40 ms, s. */
    TDM_RATE_LOSS,       /* Packets lost, percent. */
    TDM_RATE_VOICE_P95,  /* Of the sound beside a picture, ms; */
    TDM_RATE_VOICE_LOST, /* and what did not come of it, percent. */
    TDM_RATE_FIGURES
};

#define TDM_RATE_GOALS 4

struct tdm_rate_scenario {
    const char *name, *id, *title; /* id: of the table of goals, C1 to C11. */
    uint32_t seconds;
    void (*draw)(struct tdm_rate_world_config *config, uint64_t seed);
    tdm_time from, to; /* Rates and fairness are taken here. */
    tdm_time settle_from, settle_to;
    double settle_bps;                        /* Reached when a tenth of a second has it. */
    const struct tdm_rate_trace_model *model; /* Of a capacity that is drawn. */
    bool takes_trace;
    struct tandem_sim_goal goals[TDM_RATE_GOALS]; /* Up to the first whose value is 0. */
};

#define TDM_RATE_UNKNOWN (-1.0)

struct tdm_rate_score {
    double figures[TDM_RATE_FIGURES]; /* TDM_RATE_UNKNOWN: does not apply. */
};

extern const char *const tdm_rate_figure_names[TDM_RATE_FIGURES];

uint32_t tdm_rate_scenario_count(void);
const struct tdm_rate_scenario *tdm_rate_scenario_at(uint32_t index);
const struct tdm_rate_scenario *tdm_rate_scenario_named(const char *name);

/** Bytes of storage that a run needs; one run at a time. */
size_t tdm_rate_run_bytes(void);

/** What may replace a scenario's own. */
struct tdm_rate_given {
    const uint32_t *trace_ms; /* NULL: drawn. */
    uint32_t trace_count;
    double fill, sigma; /* Of every encoder; 0: the scenario's. */
};

/** Runs it with every media flow under `peer`. `given` may be NULL.
 *  @return the world, for its curves; in the storage. */
const struct tdm_rate_world *tdm_rate_run(void *storage, const struct tdm_rate_scenario *scenario,
                                          const struct tdm_rate_peer *peer, uint64_t seed,
                                          const struct tdm_rate_given *given,
                                          struct tdm_rate_score *score);

/** Whether a goal is met. */
bool tdm_rate_goal_met(const struct tandem_sim_goal *goal, const struct tdm_rate_score *score);

#endif

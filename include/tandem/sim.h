/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_SIM_H
#define TANDEM_SIM_H

/*
 * Situations in virtual time: the engine's own decisions over seeded networks, without a device, a
 * socket or a clock (docs/simulation.md). Each scenario has a name and is drawn from a seed; a run
 * of one comes to a row of figures, the same on every machine. Where others' methods can be
 * compared, models of them run the same scenario under the same seed.
 *
 * Threads: one at a time for each `struct tandem_sim`; the list of scenarios needs none.
 * Errors and causes as in tandem/tandem.h.
 *
 *     struct tandem_sim_run run = {.scenario = tandem_sim_find("rfc8867-1"), .seed = 1};
 *     tandem_sim_create(&sim, &cause);
 *     tandem_sim_run(sim, &run, &score, &cause);
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_SIM_FIGURES 16
#define TANDEM_SIM_GOALS   6
#define TANDEM_SIM_CURVES  4

struct tandem_sim_figure {
    const char *name; /* With its unit last: "queue_p95_ms", "late_%". */
    bool more_is_better;
};

struct tandem_sim_goal {
    uint8_t figure;
    bool at_least; /* Else at most. */
    double value;
};

/** Everything about one scenario; its texts are constants. */
struct tandem_sim_scenario {
    const char *name;   /* Lower case, digits and '-': "rfc8867-1". */
    const char *family; /* Scenarios of a family have the same figures and contenders. */
    const char *id;     /* In the table of goals, e.g. "C7"; "": none. */
    const char *title;  /* One line. */
    uint32_t seconds;   /* Of virtual time, 0: differs. */
    uint8_t figure_count, goal_count, contender_count;
    const struct tandem_sim_figure *figures;
    const struct tandem_sim_goal *goals;
    const char *const *contenders; /* [0] is the engine itself. */
    const char *trace;             /* What kind of file may replace what is drawn; NULL: none. */
};

/** How many there are, and one of them; an index beyond gives false. */
TANDEM_API uint32_t tandem_sim_count(void);
TANDEM_API bool tandem_sim_scenario(uint32_t index, struct tandem_sim_scenario *scenario);

/** The index of a name; tandem_sim_count() when there is none. */
TANDEM_API uint32_t tandem_sim_find(const char *name);

struct tandem_sim_run {
    uint32_t scenario; /* Index. */
    uint32_t contender;
    uint64_t seed;
    const char *trace; /* What the file holds, borrowed for the run; NULL: drawn. */
    size_t trace_size;
    /* For scenarios of the rate: what pictures take of what they may cost, mean and deviation, e.g.
       0.85 and 0.2; 0: a good encoder's. */
    double fill, spread;
};

/** Something over time, one value for each `every_s`; borrowed until the next run. */
struct tandem_sim_curve {
    const char *name;
    double every_s;
    uint32_t count;
    const float *values;
};

struct tandem_sim_score {
    double figures[TANDEM_SIM_FIGURES]; /* NAN: does not apply. */
    uint32_t curve_count;
    struct tandem_sim_curve curves[TANDEM_SIM_CURVES];
    /* What must not happen in any run, whatever the figures: a broken promise of the engine, with
     * its first words. Empty: nothing. */
    char violation[160];
};

struct tandem_sim;

/** TANDEM_FAILED: no memory. */
TANDEM_API enum tandem_status tandem_sim_create(struct tandem_sim **sim,
                                                struct tandem_cause *cause);
TANDEM_API void tandem_sim_destroy(struct tandem_sim *sim);

/** Runs to the end, as fast as it can. TANDEM_INVALID: no such scenario or contender, or a trace
 *  that this scenario does not take or cannot read; TANDEM_FAILED: no memory. */
TANDEM_API enum tandem_status tandem_sim_run(struct tandem_sim *sim,
                                             const struct tandem_sim_run *run,
                                             struct tandem_sim_score *score,
                                             struct tandem_cause *cause);

#ifdef __cplusplus
}
#endif

#endif

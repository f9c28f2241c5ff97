/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_REPAIR_SCENARIO_H
#define TDM_SIM_REPAIR_SCENARIO_H

/* The grid of losses and round trips on which repairs are judged, and who is compared there. */

#include "sim/repair_world.h"
#include "tandem/sim.h"

#define TDM_REPAIR_FRAMES 60000 /* Of a scenario; tests run fewer. */

enum tdm_repair_figure {
    TDM_REPAIR_FREEZE,     /* Per cent of the time. */
    TDM_REPAIR_OVERHEAD,   /* Per cent of the pictures' packets. */
    TDM_REPAIR_LATE,       /* ms, 95 % of all that were decoded; */
    TDM_REPAIR_SHOWN_LATE, /* of those that were shown, */
    TDM_REPAIR_SHOWN,      /* which are so many per cent of all. */
    TDM_REPAIR_FIGURES
};

#define TDM_REPAIR_GOALS 3

struct tdm_repair_scenario {
    const char *id, *name, *title;
    double loss, burst;
    tdm_time rtt;
    struct tandem_sim_goal goals[TDM_REPAIR_GOALS]; /* Freeze, overhead, lateness. */
};

uint32_t tdm_repair_scenario_count(void);
const struct tdm_repair_scenario *tdm_repair_scenario_at(uint32_t index);

/** Who mends; 0: we, with all our means. */
#define TDM_REPAIR_PEERS 7
extern const char *const tdm_repair_peers[TDM_REPAIR_PEERS];

/** `storage`: tdm_repair_world_bytes(). */
void tdm_repair_scenario_run(void *storage, const struct tdm_repair_scenario *scenario,
                             uint32_t peer, uint64_t seed, uint32_t frames,
                             double figures[TDM_REPAIR_FIGURES], struct tdm_repair_result *result);

#endif

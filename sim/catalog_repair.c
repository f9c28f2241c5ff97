/* SPDX-License-Identifier: MIT */

/* The repair scenarios (sim/repair_scenario.h) in the catalog. */

#include "sim/catalog.h"
#include "sim/repair_scenario.h"

#include <stdlib.h>

#define FRAMES_A_S 30

static const struct tandem_sim_figure figures[TDM_REPAIR_FIGURES] = {
    [TDM_REPAIR_FREEZE] = {"freeze_%", false},
    [TDM_REPAIR_OVERHEAD] = {"overhead_%", false},
    [TDM_REPAIR_LATE] = {"late_p95_ms", false},
    [TDM_REPAIR_SHOWN_LATE] = {"shown_late_p95_ms", false},
    [TDM_REPAIR_SHOWN] = {"shown_%", true},
};

static void describe(uint32_t index, struct tandem_sim_scenario *scenario)
{
    const struct tdm_repair_scenario *s = tdm_repair_scenario_at(index);

    *scenario = (struct tandem_sim_scenario){
        .name = s->name,
        .id = s->id,
        .title = s->title,
        .seconds = TDM_REPAIR_FRAMES / FRAMES_A_S,
        .figure_count = TDM_REPAIR_FIGURES,
        .figures = figures,
        .goal_count = TDM_REPAIR_GOALS,
        .goals = s->goals,
        .contender_count = TDM_REPAIR_PEERS,
        .contenders = tdm_repair_peers,
    };
}

static void *create(void)
{
    return malloc(tdm_repair_world_bytes());
}

static void destroy(void *storage)
{
    free(storage);
}

static enum tdm_err run(void *storage, uint32_t index, const struct tandem_sim_run *in,
                        struct tandem_sim_score *score)
{
    struct tdm_repair_result result;

    tdm_repair_scenario_run(storage, tdm_repair_scenario_at(index), in->contender, in->seed,
                            TDM_REPAIR_FRAMES, score->figures, &result);
    return TDM_OK;
}

const struct tdm_catalog_family tdm_catalog_repair = {
    .name = "repair",
    .count = tdm_repair_scenario_count,
    .describe = describe,
    .create = create,
    .destroy = destroy,
    .run = run,
};

/* SPDX-License-Identifier: MIT */

/* The rate scenarios (sim/rate_scenario.h) in the catalog. */

#include "sim/catalog.h"
#include "sim/rate_scenario.h"
#include "sim/rate_trace.h"

#include <math.h>
#include <stdlib.h>

struct storage {
    uint32_t trace_ms[TDM_RATE_TRACE_MAX];
    float rate[TDM_RATE_TENTHS], queue[TDM_RATE_TENTHS], capacity[TDM_RATE_TENTHS];
    _Alignas(16) uint8_t run[];
};

static const struct tandem_sim_figure figures[TDM_RATE_FIGURES] = {
    [TDM_RATE_UTIL] = {"util_%", true},
    [TDM_RATE_QUEUE_P95] = {"queue_p95_ms", false},
    [TDM_RATE_QUEUE_P99] = {"queue_p99_ms", false},
    [TDM_RATE_FRAME_P95] = {"frame_p95_ms", false},
    [TDM_RATE_WORST] = {"frame_max_ms", false},
    [TDM_RATE_LATE] = {"late_%", false},
    [TDM_RATE_SETTLE] = {"settle_s", false},
    [TDM_RATE_JAIN] = {"jain", true},
    [TDM_RATE_SHARE] = {"share_%", true},
    [TDM_RATE_CALM] = {"calm_s", false},
    [TDM_RATE_LOSS] = {"lost_%", false},
    [TDM_RATE_VOICE_P95] = {"voice_p95_ms", false},
    [TDM_RATE_VOICE_LOST] = {"voice_lost_%", false},
};

static const char *const contenders[TDM_RATE_PEERS] = {"tandem", "gcc-like", "scream-like"};

static void describe(uint32_t index, struct tandem_sim_scenario *scenario)
{
    const struct tdm_rate_scenario *s = tdm_rate_scenario_at(index);

    *scenario = (struct tandem_sim_scenario){
        .name = s->name,
        .id = s->id,
        .title = s->title,
        .seconds = s->seconds,
        .figure_count = TDM_RATE_FIGURES,
        .figures = figures,
        .goals = s->goals,
        .contender_count = TDM_RATE_PEERS,
        .contenders = contenders,
        .trace = s->takes_trace ? "ascending milliseconds, one a line (mahimahi)" : NULL,
    };
    while (scenario->goal_count < TDM_RATE_GOALS && s->goals[scenario->goal_count].value > 0)
        scenario->goal_count++;
}

static void *create(void)
{
    return malloc(sizeof(struct storage) + tdm_rate_run_bytes());
}

static void destroy(void *storage)
{
    free(storage);
}

/* Of the first flow, with what the bottleneck lets through beside it. */
static void draw_curves(struct storage *st, const struct tdm_rate_world *w, uint32_t seconds,
                        struct tandem_sim_score *score)
{
    const struct tdm_rate_flow_result *r = tdm_rate_world_result(w, 0);
    const struct tdm_rate_link *link = tdm_rate_world_link(w, 0);
    const tdm_time tenth = 100 * TDM_MS;
    uint32_t count = seconds * 10;

    for (uint32_t i = 0; i < count; i++) {
        st->rate[i] = (float)r->bytes_ms100[i] * 8e-5F;
        st->queue[i] = r->queue_ms100[i];
        st->capacity[i] =
            (float)(tdm_rate_link_capacity(link, i * tenth, (i + 1) * tenth, UINT64_MAX / 16) *
                    8e-5);
    }
    score->curves[score->curve_count++] =
        (struct tandem_sim_curve){"rate_mbps", 0.1, count, st->rate};
    score->curves[score->curve_count++] =
        (struct tandem_sim_curve){"queue_max_ms", 0.1, count, st->queue};
    score->curves[score->curve_count++] =
        (struct tandem_sim_curve){"capacity_mbps", 0.1, count, st->capacity};
}

static enum tdm_err run(void *storage, uint32_t index, const struct tandem_sim_run *in,
                        struct tandem_sim_score *score)
{
    const struct tdm_rate_scenario *s = tdm_rate_scenario_at(index);
    struct storage *st = storage;
    struct tdm_rate_score raw;
    struct tdm_rate_given given = {.fill = in->fill, .sigma = in->spread};

    if (in->trace) {
        enum tdm_err err = tdm_rate_trace_parse(in->trace, in->trace_size, st->trace_ms,
                                                TDM_RATE_TRACE_MAX, &given.trace_count);

        if (err != TDM_OK)
            return err;
        given.trace_ms = st->trace_ms;
    }
    const struct tdm_rate_world *w =
        tdm_rate_run(st->run, s, tdm_rate_peers[in->contender], in->seed, &given, &raw);

    for (int i = 0; i < TDM_RATE_FIGURES; i++)
        if (raw.figures[i] > TDM_RATE_UNKNOWN)
            score->figures[i] = raw.figures[i];
    draw_curves(st, w, s->seconds, score);
    return TDM_OK;
}

static uint32_t count_all(void)
{
    return tdm_rate_scenario_count();
}

const struct tdm_catalog_family tdm_catalog_rate = {
    .name = "rate",
    .count = count_all,
    .describe = describe,
    .create = create,
    .destroy = destroy,
    .run = run,
};

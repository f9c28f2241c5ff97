/* SPDX-License-Identifier: MIT */

/* Runs a scenario and says what it came to. */

#include "sim/rate_scenario.h"
#include "sim/rate_trace.h"

#include <string.h>

#define MBPS(x)    ((uint64_t)((x)*1e6))
#define TENTH      (100 * TDM_MS)
#define CALM_QUEUE 40 /* ms */

const char *const tdm_rate_figure_names[TDM_RATE_FIGURES] = {
    "util_%", "queue_p95_ms", "queue_p99_ms", "frame_p95_ms", "frame_max_ms",
    "late_%", "settle_s",     "jain",         "share_%",      "calm_s",
    "lost_%", "voice_p95_ms", "voice_lost_%",
};

struct run {
    uint32_t trace_ms[TDM_RATE_TRACE_MAX];
    struct tdm_rate_world_config config;
    _Alignas(16) uint8_t world[];
};

size_t tdm_rate_run_bytes(void)
{
    return sizeof(struct run) + tdm_rate_world_bytes();
}

static bool is_media(const struct tdm_rate_world_config *c, int i)
{
    return c->flows[i].kind == TDM_RATE_MEDIA;
}

/* Both ways count where both have a flow. */
static double util_of(const struct tdm_rate_world *w, const struct tdm_rate_world_config *c,
                      tdm_time from, tdm_time to)
{
    double carried = 0, could = 0;

    for (int way = 0; way < 2; way++) {
        uint64_t limit = 0;

        for (int i = 0; i < c->flow_count; i++)
            if (c->flows[i].way == way) {
                limit += is_media(c, i) ? c->flows[i].limit_bps : MBPS(10000);
                carried += tdm_rate_flow_bps(tdm_rate_world_result(w, (uint8_t)i), from, to);
            }
        if (limit)
            could += tdm_rate_link_capacity(tdm_rate_world_link(w, (uint8_t)way), from, to, limit) *
                     8e9 / (double)(to - from);
    }
    return could > 0 ? 100 * carried / could : TDM_RATE_UNKNOWN;
}

/* The worst of the flows. */
static void score_voice(const struct tdm_rate_flow_result *r, double *figures)
{
    double p95 = (double)tdm_histogram_quantile(&r->voice, 0.95) * 1e-6, gone;

    if (!r->voice_sent)
        return;
    gone = 100 - 100.0 * (double)r->voice_here / (double)r->voice_sent;
    figures[TDM_RATE_VOICE_P95] =
        p95 > figures[TDM_RATE_VOICE_P95] ? p95 : figures[TDM_RATE_VOICE_P95];
    figures[TDM_RATE_VOICE_LOST] =
        gone > figures[TDM_RATE_VOICE_LOST] ? gone : figures[TDM_RATE_VOICE_LOST];
}

static void score_delays(const struct tdm_rate_world *w, const struct tdm_rate_world_config *c,
                         double *figures)
{
    uint64_t frames = 0, late = 0, sent = 0, lost = 0;

    for (int i = 0; i < c->flow_count; i++) {
        const struct tdm_rate_flow_result *r = tdm_rate_world_result(w, (uint8_t)i);

        if (!is_media(c, i))
            continue;
        /* The worst of the flows. */
        double row[] = {
            [TDM_RATE_QUEUE_P95] = (double)tdm_histogram_quantile(&r->queue, 0.95) * 1e-6,
            [TDM_RATE_QUEUE_P99] = (double)tdm_histogram_quantile(&r->queue, 0.99) * 1e-6,
            [TDM_RATE_FRAME_P95] = (double)tdm_histogram_quantile(&r->frame, 0.95) * 1e-6,
            [TDM_RATE_WORST] = (double)r->worst_frame * 1e-6,
        };
        for (int f = TDM_RATE_QUEUE_P95; f <= TDM_RATE_WORST; f++)
            figures[f] = row[f] > figures[f] ? row[f] : figures[f];
        score_voice(r, figures);
        frames += r->frames;
        late += r->late;
        sent += r->sent;
        lost += r->lost;
    }
    figures[TDM_RATE_LATE] = frames ? 100.0 * (double)late / (double)frames : 100;
    figures[TDM_RATE_LOSS] = sent ? 100.0 * (double)lost / (double)sent : 0;
}

static void score_shares(const struct tdm_rate_world *w, const struct tdm_rate_world_config *c,
                         const struct tdm_rate_scenario *s, double *figures)
{
    double sum = 0, squares = 0, all = 0;
    int count = 0, others = 0;

    for (int i = 0; i < c->flow_count; i++) {
        double bps = tdm_rate_flow_bps(tdm_rate_world_result(w, (uint8_t)i), s->from, s->to);

        if (c->flows[i].way)
            continue;
        all += bps;
        others += !is_media(c, i);
        if (!is_media(c, i))
            continue;
        sum += bps;
        squares += bps * bps;
        count++;
    }
    if (count > 1)
        figures[TDM_RATE_JAIN] = squares > 0 ? sum * sum / (count * squares) : 0;
    if (others)
        figures[TDM_RATE_SHARE] = all > 0 ? 100 * sum / all : 0;
}

/* The end of the first tenth of a second that has the rate. */
static double settle_of(const struct tdm_rate_world *w, const struct tdm_rate_scenario *s)
{
    const struct tdm_rate_flow_result *r = tdm_rate_world_result(w, 0);

    for (tdm_time at = s->settle_from; at < s->settle_to; at += TENTH)
        if ((double)((uint64_t)r->bytes_ms100[at / TENTH] * 80) >= s->settle_bps)
            return (double)(at + TENTH - s->settle_from) * 1e-9;
    return (double)(s->settle_to - s->settle_from) * 1e-9;
}

/* Until the queue stays short for a second. */
static double calm_of(const struct tdm_rate_world *w, const struct tdm_rate_world_config *c,
                      tdm_time length)
{
    const struct tdm_rate_flow_result *r = tdm_rate_world_result(w, 0);
    tdm_time from = c->flows[1].to;
    int quiet = 0;

    for (tdm_time at = from; at < length; at += TENTH) {
        quiet = r->queue_ms100[at / TENTH] < CALM_QUEUE ? quiet + 1 : 0;
        if (quiet == 10)
            return (double)(at + TENTH - from) * 1e-9 - 1;
    }
    return (double)(length - from) * 1e-9;
}

static void score_run(const struct tdm_rate_world *w, const struct tdm_rate_world_config *c,
                      const struct tdm_rate_scenario *s, struct tdm_rate_score *score)
{
    for (int i = 0; i < TDM_RATE_FIGURES; i++)
        score->figures[i] = TDM_RATE_UNKNOWN;
    score->figures[TDM_RATE_UTIL] = util_of(w, c, s->from, s->to);
    score_delays(w, c, score->figures);
    score_shares(w, c, s, score->figures);
    if (s->settle_bps > 0)
        score->figures[TDM_RATE_SETTLE] = settle_of(w, s);
    if (c->flow_count == 2 && !is_media(c, 1) && !c->flows[1].way && c->flows[1].to < c->length)
        score->figures[TDM_RATE_CALM] = calm_of(w, c, c->length);
}

static void give_trace(struct run *run, const struct tdm_rate_scenario *s, uint64_t seed,
                       const uint32_t *trace_ms, uint32_t count)
{
    struct tdm_rate_link_config *link = &run->config.links[0];

    if (!s->model)
        return;
    if (trace_ms && count <= TDM_RATE_TRACE_MAX)
        memcpy(run->trace_ms, trace_ms, count * sizeof *trace_ms);
    else
        count = tdm_rate_trace_draw(s->model, seed, s->seconds, run->trace_ms, TDM_RATE_TRACE_MAX);
    link->trace_ms = run->trace_ms;
    link->trace_count = count;
}

const struct tdm_rate_world *tdm_rate_run(void *storage, const struct tdm_rate_scenario *scenario,
                                          const struct tdm_rate_peer *peer, uint64_t seed,
                                          const struct tdm_rate_given *given,
                                          struct tdm_rate_score *score)
{
    struct run *run = storage;
    struct tdm_rate_world *world;

    scenario->draw(&run->config, seed);
    run->config.length = scenario->seconds * TDM_S;
    for (int i = 0; i < run->config.flow_count; i++) {
        struct tdm_rate_flow_config *flow = &run->config.flows[i];

        flow->peer = peer;
        flow->fill = given && given->fill > 0 ? given->fill : flow->fill;
        flow->sigma = given && given->sigma > 0 ? given->sigma : flow->sigma;
    }
    give_trace(run, scenario, seed, given ? given->trace_ms : NULL, given ? given->trace_count : 0);
    world = tdm_rate_world_init(run->world, &run->config);
    tdm_rate_world_run(world);
    score_run(world, &run->config, scenario, score);
    return world;
}

bool tdm_rate_goal_met(const struct tandem_sim_goal *goal, const struct tdm_rate_score *score)
{
    double value = score->figures[goal->figure];

    return goal->at_least ? value >= goal->value - 1e-9 : value >= 0 && value <= goal->value + 1e-9;
}

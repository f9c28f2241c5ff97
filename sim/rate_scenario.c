/* SPDX-License-Identifier: MIT */
#include "sim/rate_scenario.h"

#include "sim/rate_trace.h"

#include <string.h>

#define KB           1000u
#define MBPS(x)      ((uint64_t)((x)*1e6))
#define START_BPS    300000
#define LIMIT_BPS    MBPS(20)
#define TENTH        (100 * TDM_MS)
#define CALM_QUEUE   40 /* ms */
#define LENGTH(list) ((uint32_t)(sizeof(list) / sizeof *(list)))

const char *const tdm_rate_figure_names[TDM_RATE_FIGURES] = {
    "util_%",   "queue_p95_ms", "queue_p99_ms", "frame_p95_ms", "frame_max_ms", "late_%",
    "settle_s", "jain",         "share_%",      "calm_s",       "lost_%",
};

/* One flow on a link that holds `queue_delay`; the rest is the scenario's. */
static void plain(struct tdm_rate_world_config *c, uint64_t seed, const struct tdm_rate_step *steps,
                  uint32_t count, tdm_time delay)
{
    static const struct tdm_rate_step wide[] = {{0, 1000000000}};

    memset(c, 0, sizeof *c);
    c->seed = seed;
    c->links[0] = (struct tdm_rate_link_config){
        .steps = steps, .step_count = count, .queue_delay = 300 * TDM_MS, .seed = seed + 1};
    c->links[1] = (struct tdm_rate_link_config){
        .steps = wide, .step_count = 1, .queue_delay = 300 * TDM_MS, .seed = seed + 2};
    c->flow_count = 1;
    c->flows[0] = (struct tdm_rate_flow_config){.kind = TDM_RATE_MEDIA,
                                                .to = TDM_NEVER,
                                                .pause_from = TDM_NEVER,
                                                .delay = delay,
                                                .start_bps = START_BPS,
                                                .limit_bps = LIMIT_BPS};
}

static void more_media(struct tdm_rate_world_config *c, tdm_time from, tdm_time delay)
{
    struct tdm_rate_flow_config *f = &c->flows[c->flow_count++];

    *f = c->flows[0];
    f->from = from;
    f->delay = delay;
}

static void tcp(struct tdm_rate_world_config *c, enum tdm_rate_flow_kind kind, tdm_time from,
                tdm_time to)
{
    c->flows[c->flow_count++] = (struct tdm_rate_flow_config){
        .kind = kind, .from = from, .to = to, .delay = c->flows[0].delay};
}

static void draw_start(struct tdm_rate_world_config *c, uint64_t seed, tdm_time delay)
{
    static const struct tdm_rate_step steps[] = {{0, 9500000}};

    plain(c, seed, steps, 1, delay);
}

static void draw_start_40(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_start(c, seed, 20 * TDM_MS);
}

static void draw_start_200(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_start(c, seed, 100 * TDM_MS);
}

static void draw_lifted(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {
        {0, 4000000}, {20 * TDM_S, 300000}, {30 * TDM_S, 4000000}};

    plain(c, seed, steps, LENGTH(steps), 25 * TDM_MS);
}

static void draw_step(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {
        {0, 4000000}, {20 * TDM_S, 1000000}, {40 * TDM_S, 4000000}};

    plain(c, seed, steps, LENGTH(steps), 25 * TDM_MS);
    c->links[0].queue_delay = 0;
    c->links[0].queue_bytes = 150 * KB;
    c->measure_from = 2 * TDM_S;
}

static void draw_fixed_10(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 10000000}};

    plain(c, seed, steps, 1, 20 * TDM_MS);
    c->measure_from = 5 * TDM_S;
}

static void draw_fixed_2(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 2000000}};

    plain(c, seed, steps, 1, 50 * TDM_MS);
    c->measure_from = 5 * TDM_S;
}

static void draw_mobile(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, NULL, 0, 20 * TDM_MS);
    c->links[0].queue_delay = 0;
    c->links[0].queue_bytes = 3000 * KB;
    c->flows[0].limit_bps = MBPS(8);
    c->measure_from = 3 * TDM_S;
}

static void draw_8867_1(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {
        {0, 1000000}, {40 * TDM_S, 2500000}, {60 * TDM_S, 600000}, {80 * TDM_S, 1000000}};

    plain(c, seed, steps, LENGTH(steps), 50 * TDM_MS);
    c->measure_from = 2 * TDM_S;
}

static void draw_8867_2(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 4000000},
                                                 {25 * TDM_S, 2000000},
                                                 {50 * TDM_S, 3500000},
                                                 {75 * TDM_S, 1000000},
                                                 {100 * TDM_S, 2000000}};

    plain(c, seed, steps, LENGTH(steps), 50 * TDM_MS);
    more_media(c, 0, 50 * TDM_MS);
    c->measure_from = 2 * TDM_S;
}

static void draw_8867_3(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step forth[] = {
        {0, 2000000}, {20 * TDM_S, 1000000}, {40 * TDM_S, 500000}, {60 * TDM_S, 2000000}};
    static const struct tdm_rate_step back[] = {
        {0, 2000000}, {35 * TDM_S, 800000}, {70 * TDM_S, 2000000}};

    plain(c, seed, forth, LENGTH(forth), 50 * TDM_MS);
    c->links[1].steps = back;
    c->links[1].step_count = LENGTH(back);
    more_media(c, 0, 50 * TDM_MS);
    c->flows[1].way = 1;
    c->measure_from = 2 * TDM_S;
}

static const struct tdm_rate_step three_and_half[] = {{0, 3500000}};

static void draw_8867_4(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, three_and_half, 1, 50 * TDM_MS);
    more_media(c, 20 * TDM_S, 50 * TDM_MS);
    more_media(c, 40 * TDM_S, 50 * TDM_MS);
    c->measure_from = 2 * TDM_S;
}

static void draw_8867_5(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 4000000}};

    plain(c, seed, steps, 1, 10 * TDM_MS);
    more_media(c, 10 * TDM_S, 25 * TDM_MS);
    more_media(c, 20 * TDM_S, 50 * TDM_MS);
    more_media(c, 30 * TDM_S, 100 * TDM_MS);
    more_media(c, 40 * TDM_S, 150 * TDM_MS);
    c->measure_from = 2 * TDM_S;
}

static const struct tdm_rate_step two[] = {{0, 2000000}};

static void draw_8867_6(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, two, 1, 50 * TDM_MS);
    tcp(c, TDM_RATE_CUBIC, 5 * TDM_S, 90 * TDM_S);
}

static void draw_deep_tcp(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_8867_6(c, seed);
    c->links[0].queue_delay = TDM_S;
}

static void draw_bbr(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, two, 1, 50 * TDM_MS);
    tcp(c, TDM_RATE_BBR, 5 * TDM_S, 90 * TDM_S);
}

static void draw_8867_7(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, two, 1, 50 * TDM_MS);
    more_media(c, 0, 50 * TDM_MS);
    for (int i = 0; i < 10; i++) {
        tcp(c, TDM_RATE_CUBIC, 10 * TDM_S + i * TDM_S, TDM_NEVER);
        c->flows[c->flow_count - 1].transfer_bytes = 50 * (uint64_t)KB;
        c->flows[c->flow_count - 1].transfer_pause = 10 * TDM_S;
    }
    c->measure_from = 2 * TDM_S;
}

static void draw_8867_8(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, three_and_half, 1, 50 * TDM_MS);
    more_media(c, 0, 50 * TDM_MS);
    more_media(c, 0, 50 * TDM_MS);
    c->flows[0].pause_from = 40 * TDM_S;
    c->flows[0].pause_to = 60 * TDM_S;
    c->measure_from = 2 * TDM_S;
}

static void draw_l4s(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 100000000}};

    plain(c, seed, steps, 1, 10 * TDM_MS);
    c->links[0].dual = true;
    c->flows[0].ect1 = true;
    c->flows[0].limit_bps = MBPS(200);
    c->flows[0].start_bps = 1000000;
    c->measure_from = 5 * TDM_S;
}

static void draw_loss(struct tdm_rate_world_config *c, uint64_t seed)
{
    plain(c, seed, two, 1, 50 * TDM_MS);
    c->links[0].loss = 0.05;
    c->measure_from = 5 * TDM_S;
}

static void draw_policer(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 50000000}};

    plain(c, seed, steps, 1, 25 * TDM_MS);
    c->links[0].policer_bps = 2000000;
    c->links[0].policer_bytes = 15 * KB;
    c->measure_from = 5 * TDM_S;
}

static void draw_shallow(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 4000000}};

    plain(c, seed, steps, 1, 25 * TDM_MS);
    c->links[0].queue_delay = 20 * TDM_MS;
    c->measure_from = 5 * TDM_S;
}

static void draw_handover(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 5000000},
                                                 {20 * TDM_S, 0},
                                                 {21 * TDM_S, 1500000},
                                                 {40 * TDM_S, 0},
                                                 {40 * TDM_S + 400 * TDM_MS, 6000000}};

    plain(c, seed, steps, LENGTH(steps), 25 * TDM_MS);
    c->links[0].queue_delay = 0;
    c->links[0].queue_bytes = 1000 * KB;
    c->measure_from = 2 * TDM_S;
}

static void draw_reroute(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 4000000}};

    plain(c, seed, steps, 1, 25 * TDM_MS);
    c->flows[0].reroute_at = 20 * TDM_S;
    c->flows[0].rerouted = 125 * TDM_MS;
    c->measure_from = 2 * TDM_S;
}

static const struct tdm_rate_scenario scenarios[] = {
    {.name = "start-40",
     .id = "C1",
     .title = "start at 300 kb/s, 9.5 Mb/s, round trip 40 ms",
     .seconds = 6,
     .draw = draw_start_40,
     .from = 3 * TDM_S,
     .to = 6 * TDM_S,
     .settle_to = 6 * TDM_S,
     .settle_bps = 7.6e6,
     .goals = {{TDM_RATE_SETTLE, false, 0.6}, {TDM_RATE_QUEUE_P95, false, 20}}},
    {.name = "start-200",
     .id = "C1",
     .title = "the same, round trip 200 ms",
     .seconds = 10,
     .draw = draw_start_200,
     .from = 5 * TDM_S,
     .to = 10 * TDM_S,
     .settle_to = 10 * TDM_S,
     .settle_bps = 7.6e6,
     .goals = {{TDM_RATE_SETTLE, false, 1.2}, {TDM_RATE_QUEUE_P95, false, 20}}},
    {.name = "lifted",
     .id = "C2",
     .title = "4 Mb/s falls to 0.3 for 10 s and comes back",
     .seconds = 45,
     .draw = draw_lifted,
     .from = 35 * TDM_S,
     .to = 45 * TDM_S,
     .settle_from = 30 * TDM_S,
     .settle_to = 45 * TDM_S,
     .settle_bps = 3.6e6,
     .goals = {{TDM_RATE_SETTLE, false, 2}}},
    {.name = "step",
     .id = "C3",
     .title = "4 to 1 to 4 Mb/s every 20 s, round trip 50 ms, 150 kB",
     .seconds = 60,
     .draw = draw_step,
     .from = 2 * TDM_S,
     .to = 60 * TDM_S,
     .goals = {{TDM_RATE_LATE, false, 0.1}, {TDM_RATE_WORST, false, 250}}},
    {.name = "fixed-10",
     .id = "C4",
     .title = "10 Mb/s, round trip 40 ms",
     .seconds = 60,
     .draw = draw_fixed_10,
     .from = 5 * TDM_S,
     .to = 60 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 97}, {TDM_RATE_QUEUE_P95, false, 20}}},
    {.name = "fixed-2",
     .id = "C4",
     .title = "2 Mb/s, round trip 100 ms",
     .seconds = 60,
     .draw = draw_fixed_2,
     .from = 5 * TDM_S,
     .to = 60 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 97}, {TDM_RATE_QUEUE_P95, false, 20}}},
    {.name = "mobile",
     .id = "C5",
     .title = "a drawn LTE trace, or --trace FILE; round trip 40 ms",
     .seconds = 120,
     .draw = draw_mobile,
     .takes_trace = true,
     .from = 3 * TDM_S,
     .to = 120 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 85},
               {TDM_RATE_QUEUE_P95, false, 60},
               {TDM_RATE_FRAME_P95, false, 90},
               {TDM_RATE_LATE, false, 1}}},
    {.name = "rfc8867-1",
     .id = "C7",
     .title = "5.1: one flow, 1, 2.5, 0.6, 1 Mb/s",
     .seconds = 100,
     .draw = draw_8867_1,
     .from = 2 * TDM_S,
     .to = 100 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 95}, {TDM_RATE_QUEUE_P95, false, 50}}},
    {.name = "rfc8867-2",
     .id = "C7",
     .title = "5.2: two flows, 4, 2, 3.5, 1, 2 Mb/s",
     .seconds = 125,
     .draw = draw_8867_2,
     .from = 2 * TDM_S,
     .to = 125 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 95}, {TDM_RATE_QUEUE_P95, false, 50}}},
    {.name = "rfc8867-3",
     .id = "C7",
     .title = "5.3: a flow each way, both ways change",
     .seconds = 100,
     .draw = draw_8867_3,
     .from = 2 * TDM_S,
     .to = 100 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 95}, {TDM_RATE_QUEUE_P95, false, 50}}},
    {.name = "rfc8867-4",
     .id = "C8",
     .title = "5.4: three flows, 20 s apart, 3.5 Mb/s",
     .seconds = 120,
     .draw = draw_8867_4,
     .from = 55 * TDM_S,
     .to = 120 * TDM_S,
     .goals = {{TDM_RATE_JAIN, true, 0.95}}},
    {.name = "rfc8867-5",
     .id = "C8",
     .title = "5.5: five flows, 10 to 150 ms one way, 4 Mb/s",
     .seconds = 300,
     .draw = draw_8867_5,
     .from = 55 * TDM_S,
     .to = 300 * TDM_S,
     .goals = {{TDM_RATE_JAIN, true, 0.85}}},
    {.name = "rfc8867-6",
     .id = "C9",
     .title = "5.6: beside CUBIC from 5 to 90 s, 2 Mb/s, 300 ms",
     .seconds = 110,
     .draw = draw_8867_6,
     .from = 15 * TDM_S,
     .to = 90 * TDM_S,
     .goals = {{TDM_RATE_SHARE, true, 35}, {TDM_RATE_CALM, false, 3}}},
    {.name = "tcp-deep",
     .id = "C9",
     .title = "the same with a queue of 1000 ms",
     .seconds = 110,
     .draw = draw_deep_tcp,
     .from = 15 * TDM_S,
     .to = 90 * TDM_S,
     .goals = {{TDM_RATE_SHARE, true, 35}, {TDM_RATE_CALM, false, 3}}},
    {.name = "tcp-bbr",
     .id = "",
     .title = "beside a BBR-like flow, 2 Mb/s, 300 ms",
     .seconds = 110,
     .draw = draw_bbr,
     .from = 15 * TDM_S,
     .to = 90 * TDM_S},
    {.name = "rfc8867-7",
     .id = "",
     .title = "5.7: two flows beside ten short TCP flows, 2 Mb/s",
     .seconds = 300,
     .draw = draw_8867_7,
     .from = 2 * TDM_S,
     .to = 300 * TDM_S},
    {.name = "rfc8867-8",
     .id = "",
     .title = "5.8: three flows, one rests from 40 to 60 s",
     .seconds = 120,
     .draw = draw_8867_8,
     .from = 75 * TDM_S,
     .to = 120 * TDM_S},
    {.name = "l4s",
     .id = "C10",
     .title = "100 Mb/s with DualPI2, round trip 20 ms",
     .seconds = 30,
     .draw = draw_l4s,
     .from = 5 * TDM_S,
     .to = 30 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 90}, {TDM_RATE_QUEUE_P99, false, 8}}},
    {.name = "loss",
     .id = "C11",
     .title = "2 Mb/s with 5 % random loss",
     .seconds = 60,
     .draw = draw_loss,
     .from = 5 * TDM_S,
     .to = 60 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 90}}},
    {.name = "policer",
     .id = "",
     .title = "50 Mb/s behind a policer of 2 Mb/s",
     .seconds = 60,
     .draw = draw_policer,
     .from = 5 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "shallow",
     .id = "",
     .title = "4 Mb/s with a queue of 20 ms",
     .seconds = 60,
     .draw = draw_shallow,
     .from = 5 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "reroute",
     .id = "",
     .title = "4 Mb/s, after 20 s the way is 100 ms longer each way",
     .seconds = 60,
     .draw = draw_reroute,
     .from = 30 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "handover",
     .id = "",
     .title = "5 Mb/s, dark for 1 s, 1.5, dark for 0.4 s, 6 Mb/s",
     .seconds = 60,
     .draw = draw_handover,
     .from = 2 * TDM_S,
     .to = 60 * TDM_S},
};

uint32_t tdm_rate_scenario_count(void)
{
    return LENGTH(scenarios);
}

const struct tdm_rate_scenario *tdm_rate_scenario_at(uint32_t index)
{
    return &scenarios[index];
}

const struct tdm_rate_scenario *tdm_rate_scenario_named(const char *name)
{
    for (uint32_t i = 0; i < LENGTH(scenarios); i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

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

        all += bps;
        others += !is_media(c, i);
        if (!is_media(c, i) || c->flows[i].way)
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
    if (c->flow_count == 2 && !is_media(c, 1))
        score->figures[TDM_RATE_CALM] = calm_of(w, c, c->length);
}

static void give_trace(struct run *run, uint64_t seed, const uint32_t *trace_ms, uint32_t count)
{
    /* Drawn so that mean and spread are those of the LTE downlinks that Sprout recorded. */
    static const struct tdm_rate_trace_model model = {.mean_bps = 5e6,
                                                      .wander = 0.55,
                                                      .most = 1.1,
                                                      .outages_s = 25,
                                                      .outage_s = 0.25,
                                                      .slot_ms = 1};
    struct tdm_rate_link_config *link = &run->config.links[0];

    if (link->steps)
        return;
    if (trace_ms && count <= TDM_RATE_TRACE_MAX)
        memcpy(run->trace_ms, trace_ms, count * sizeof *trace_ms);
    else
        count = tdm_rate_trace_draw(&model, seed, 120, run->trace_ms, TDM_RATE_TRACE_MAX);
    link->trace_ms = run->trace_ms;
    link->trace_count = count;
}

const struct tdm_rate_world *tdm_rate_run(void *storage, const struct tdm_rate_scenario *scenario,
                                          const struct tdm_rate_peer *peer, uint64_t seed,
                                          const uint32_t *trace_ms, uint32_t trace_count,
                                          struct tdm_rate_score *score)
{
    struct run *run = storage;
    struct tdm_rate_world *world;

    scenario->draw(&run->config, seed);
    run->config.length = scenario->seconds * TDM_S;
    for (int i = 0; i < run->config.flow_count; i++)
        run->config.flows[i].peer = peer;
    give_trace(run, seed, trace_ms, trace_count);
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

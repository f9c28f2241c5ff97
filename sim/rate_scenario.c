/* SPDX-License-Identifier: MIT */
#include "sim/rate_scenario.h"

#include <string.h>

#define KB           1000u
#define MBPS(x)      ((uint64_t)((x)*1e6))
#define START_BPS    300000
#define LIMIT_BPS    MBPS(20)
#define LENGTH(list) ((uint32_t)(sizeof(list) / sizeof *(list)))

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

/* The same with sound beside the picture. */
static void draw_voice(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_fixed_2(c, seed);
    c->flows[0].voice = true;
}

static void draw_voice_step(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_step(c, seed);
    c->flows[0].voice = true;
}

static void draw_voice_mobile(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_mobile(c, seed);
    c->flows[0].voice = true;
}

static void draw_wifi(struct tdm_rate_world_config *c, uint64_t seed)
{
    draw_mobile(c, seed);
    c->links[0].queue_bytes = 500 * KB;
    c->flows[0].delay = 10 * TDM_MS;
    c->flows[0].voice = true;
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

static void draw_crowd(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 6000000}};

    plain(c, seed, steps, 1, 50 * TDM_MS);
    tcp(c, TDM_RATE_CUBIC, 5 * TDM_S, TDM_NEVER);
    tcp(c, TDM_RATE_CUBIC, 10 * TDM_S, TDM_NEVER);
    tcp(c, TDM_RATE_BBR, 15 * TDM_S, TDM_NEVER);
    c->flows[0].voice = true;
}

/* What is told passes a way that somebody else fills. */
static void draw_reverse(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step forth[] = {{0, 4000000}}, back[] = {{0, 1000000}};

    plain(c, seed, forth, 1, 25 * TDM_MS);
    c->links[1].steps = back;
    tcp(c, TDM_RATE_CUBIC, 10 * TDM_S, 50 * TDM_S);
    c->flows[1].way = 1;
    c->flows[0].voice = true;
    c->measure_from = 2 * TDM_S;
}

static void draw_reorder(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 4000000}};

    plain(c, seed, steps, 1, 25 * TDM_MS);
    c->links[0].reorder = 0.05;
    c->links[0].reorder_for = 15 * TDM_MS;
    c->measure_from = 2 * TDM_S;
}

static void draw_l4s_beside(struct tdm_rate_world_config *c, uint64_t seed)
{
    static const struct tdm_rate_step steps[] = {{0, 20000000}};

    plain(c, seed, steps, 1, 10 * TDM_MS);
    c->links[0].dual = true;
    c->flows[0].ect1 = true;
    c->flows[0].start_bps = 1000000;
    tcp(c, TDM_RATE_CUBIC, 5 * TDM_S, TDM_NEVER);
    c->measure_from = 10 * TDM_S;
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

/* Drawn so that mean and spread are those of the LTE downlinks that Sprout recorded; slower, with
 * gaps of a second, as its UMTS links; and a medium that others use too. */
static const struct tdm_rate_trace_model lte = {
    .mean_bps = 5e6, .wander = 0.55, .most = 1.1, .outages_s = 25, .outage_s = 0.25, .slot_ms = 1};
static const struct tdm_rate_trace_model umts = {
    .mean_bps = 1.5e6, .wander = 0.7, .most = 0.9, .outages_s = 12, .outage_s = 1, .slot_ms = 10};
static const struct tdm_rate_trace_model wifi = {.mean_bps = 12e6,
                                                 .wander = 0.3,
                                                 .most = 0.7,
                                                 .outages_s = 5,
                                                 .outage_s = 0.05,
                                                 .slot_ms = 1,
                                                 .gather_ms = 6};

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
     .model = &lte,
     .takes_trace = true,
     .from = 3 * TDM_S,
     .to = 120 * TDM_S,
     .goals = {{TDM_RATE_UTIL, true, 85},
               {TDM_RATE_QUEUE_P95, false, 60},
               {TDM_RATE_FRAME_P95, false, 90},
               {TDM_RATE_LATE, false, 1}}},
    {.name = "mobile-slow",
     .id = "",
     .title = "a drawn UMTS trace with gaps of a second, or --trace FILE",
     .seconds = 120,
     .draw = draw_mobile,
     .from = 3 * TDM_S,
     .to = 120 * TDM_S,
     .model = &umts,
     .takes_trace = true},
    {.name = "wifi",
     .id = "",
     .title = "12 Mb/s in bursts about every 6 ms, short stalls; with voice",
     .seconds = 60,
     .draw = draw_wifi,
     .from = 3 * TDM_S,
     .to = 60 * TDM_S,
     .model = &wifi,
     .takes_trace = true},
    {.name = "voice-2",
     .id = "",
     .title = "voice beside the picture, 2 Mb/s, round trip 100 ms",
     .seconds = 60,
     .draw = draw_voice,
     .from = 5 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "voice-step",
     .id = "",
     .title = "voice beside the picture, 4 to 1 to 4 Mb/s",
     .seconds = 60,
     .draw = draw_voice_step,
     .from = 2 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "voice-mobile",
     .id = "",
     .title = "voice beside the picture, a drawn LTE trace, or --trace FILE",
     .seconds = 120,
     .draw = draw_voice_mobile,
     .from = 3 * TDM_S,
     .to = 120 * TDM_S,
     .model = &lte,
     .takes_trace = true},
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
    {.name = "tcp-three",
     .id = "",
     .title = "beside two CUBIC and a BBR-like flow, 6 Mb/s, 300 ms; with voice",
     .seconds = 90,
     .draw = draw_crowd,
     .from = 20 * TDM_S,
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
    {.name = "l4s-beside",
     .id = "",
     .title = "20 Mb/s with DualPI2, beside CUBIC without ECN",
     .seconds = 40,
     .draw = draw_l4s_beside,
     .from = 10 * TDM_S,
     .to = 40 * TDM_S},
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
     .from = 22 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "reverse",
     .id = "",
     .title = "4 Mb/s; CUBIC fills the way back (1 Mb/s, 300 ms) from 10 to 50 s; with voice",
     .seconds = 60,
     .draw = draw_reverse,
     .from = 2 * TDM_S,
     .to = 60 * TDM_S},
    {.name = "reorder",
     .id = "",
     .title = "4 Mb/s, one packet in 20 comes 15 ms late",
     .seconds = 60,
     .draw = draw_reorder,
     .from = 2 * TDM_S,
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

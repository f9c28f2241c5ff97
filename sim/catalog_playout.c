/* SPDX-License-Identifier: MIT */

/*
 * The playout scenarios in the catalog: how late a voice is heard and how much of it is made up,
 * over drawn arrivals (sim/jitter_trace.h) or a recording, beside a model of NetEQ's policy at two
 * of its quantiles and what would be possible for who knows the future.
 */

#include "sim/catalog.h"
#include "sim/player.h"

#include <math.h>
#include <stdlib.h>

#define SECONDS      300
#define HOUR         3600
#define PACKETS_MAX  180000u /* An hour of 20 ms each. */
#define PULL         128
#define BOUND_PRICE  7000 /* ms of delay that concealing everything is worth. */
#define LOST         0.05
#define HEARD_IS_NIL 0.0005 /* Per cent: what is none when three digits are printed. */

enum figure { DELAY, CONCEALED, SCALED, ADDED, COPIES, SPREAD, FIGURES };
enum contender { OURS, NETEQ, NETEQ_LOW, BOUND, CONTENDERS };

static const struct tandem_sim_figure figures[FIGURES] = {
    [DELAY] = {"delay_ms", false},     [CONCEALED] = {"concealed_%", false},
    [SCALED] = {"scaled_%", false},    [ADDED] = {"added_ms", false},
    [COPIES] = {"copies_kbps", false}, [SPREAD] = {"spread_ms", false},
};

static const char *const contenders[CONTENDERS] = {"tandem", "neteq-like", "neteq-0.7", "bound"};

struct playout_scenario {
    const char *id, *name, *title;
    enum tdm_jitter_kind kind;
    uint32_t seconds, frame_ms;
    double loss, burst; /* As struct tdm_jitter_loss has them. */
    uint32_t voice_bps; /* Of a sender with copies; 0: without. */
    double drift_ppm;
    bool recorded;
    uint8_t goal_count;
    struct tandem_sim_goal goals[TANDEM_SIM_GOALS];
};

#define UNDER(figure, value)                                                                       \
    {                                                                                              \
        figure, false, value                                                                       \
    }

static const struct playout_scenario scenarios[] = {
    {"A1", "playout-lan", "voice: a local network, deviation 0.5 ms", TDM_JITTER_LAN, SECONDS, 20,
     .goal_count = 2, .goals = {UNDER(DELAY, 8), UNDER(CONCEALED, HEARD_IS_NIL)}},
    {"A2", "playout-access", "voice: 1 Mb/s shared with packets of 1500 bytes", TDM_JITTER_ACCESS,
     SECONDS, 20, .goal_count = 2, .goals = {UNDER(DELAY, 16), UNDER(CONCEALED, 0.02)}},
    {"A3", "playout-recording", "voice: deviation 12 ms and 2.5 % lost, or a recording",
     TDM_JITTER_GAUSS, SECONDS, 20, .loss = 0.025, .recorded = true},
    {"A5", "playout-gauss", "voice: deviation 12 ms, and the base moves", TDM_JITTER_GAUSS, SECONDS,
     20, .goal_count = 2, .goals = {UNDER(DELAY, 85), UNDER(CONCEALED, 0.05)}},
    {"A6", "playout-wifi", "voice: stalls of 30 to 250 ms every 2 to 6 s", TDM_JITTER_WIFI, SECONDS,
     20, .goal_count = 2, .goals = {UNDER(DELAY, 40), UNDER(CONCEALED, 0.15)}},
    {"", "playout-wifi-random", "voice: the same stalls, whenever they like",
     TDM_JITTER_WIFI_RANDOM, SECONDS, 20, .loss = 0},
    {"A7", "playout-spikes", "voice: stalls of 100 to 400 ms every 7 to 22 s", TDM_JITTER_SPIKES,
     SECONDS, 20, .goal_count = 2, .goals = {UNDER(DELAY, 45), UNDER(CONCEALED, 0.85)}},
    {"", "playout-spikes-random", "voice: the same stalls, whenever they like",
     TDM_JITTER_SPIKES_RANDOM, SECONDS, 20, .loss = 0},
    {"A10", "playout-loss", "voice of 48 kb/s with copies: 5 % lost, each by itself",
     TDM_JITTER_LAN, SECONDS, 10, .loss = LOST, .voice_bps = 48000, .goal_count = 3,
     .goals = {UNDER(ADDED, 40), UNDER(CONCEALED, 0.3), UNDER(COPIES, 60)}},
    {"A10", "playout-bursts", "voice of 48 kb/s with copies: 5 % lost, in bursts of 3",
     TDM_JITTER_LAN, SECONDS, 10, .loss = LOST, .burst = 3, .voice_bps = 48000, .goal_count = 3,
     .goals = {UNDER(ADDED, 40), UNDER(CONCEALED, 0.8), UNDER(COPIES, 60)}},
    {"A10", "playout-bursts-24", "voice of 24 kb/s with copies: 5 % lost, in bursts of 3",
     TDM_JITTER_LAN, SECONDS, 10, .loss = LOST, .burst = 3, .voice_bps = 24000, .goal_count = 3,
     .goals = {UNDER(ADDED, 40), UNDER(CONCEALED, 0.8), UNDER(COPIES, 60)}},
    {"A11", "playout-drift", "voice: the device's clock is off by 100 ppm, for an hour",
     TDM_JITTER_LAN, HOUR, 20, .drift_ppm = 100, .goal_count = 2,
     .goals = {UNDER(SPREAD, 6), UNDER(CONCEALED, HEARD_IS_NIL)}},
};

static uint32_t count(void)
{
    return sizeof scenarios / sizeof *scenarios;
}

static void describe(uint32_t index, struct tandem_sim_scenario *scenario)
{
    const struct playout_scenario *s = &scenarios[index];

    *scenario = (struct tandem_sim_scenario){
        .name = s->name,
        .id = s->id,
        .title = s->title,
        .seconds = s->seconds,
        .figure_count = FIGURES,
        .figures = figures,
        .goal_count = s->goal_count,
        .goals = s->goals,
        .contender_count = CONTENDERS,
        .contenders = contenders,
        .trace = s->recorded ? "a recording of RTP by rtpdump (\"#!rtpplay1.0\")" : NULL,
    };
}

static void *create(void)
{
    return calloc(PACKETS_MAX, sizeof(struct tdm_jitter_packet));
}

static enum tdm_err load(const struct playout_scenario *s, const struct tandem_sim_run *in,
                         struct tdm_jitter_packet *packets, struct tdm_player_run *run)
{
    struct tdm_jitter_loss loss = {s->loss, s->burst};

    run->packets = packets;
    run->frame = (tdm_time)s->frame_ms * TDM_MS;
    run->count = s->seconds * 1000 / s->frame_ms;
    run->pull_samples = PULL;
    run->phase = (unsigned)(in->seed % 7);
    run->drift_ppm = s->drift_ppm;
    if (in->trace)
        return tdm_jitter_read((const uint8_t *)in->trace, in->trace_size, packets, PACKETS_MAX,
                               &run->count, &run->frame);
    tdm_jitter_draw(s->kind, in->seed, run->frame, packets, run->count);
    tdm_jitter_lose(&loss, in->seed, packets, run->count);
    return TDM_OK;
}

/* The delay of the same player where nothing is lost, so that there is nothing to wait for. */
static double without_loss(const struct playout_scenario *s, const struct tandem_sim_run *in,
                           const struct tdm_player_ops *ops,
                           const struct tdm_player_setting *setting,
                           struct tdm_jitter_packet *packets, const struct tdm_player_run *run)
{
    struct tdm_player_setting plain = *setting;

    plain.copies = NULL;
    tdm_jitter_draw(s->kind, in->seed, run->frame, packets, run->count);
    tdm_jitter_sort(packets, run->count);
    return tdm_player_play(ops, &plain, run).delay_ms;
}

static enum tdm_err play(const struct playout_scenario *s, const struct tandem_sim_run *in,
                         struct tdm_jitter_packet *packets, const struct tdm_player_run *run,
                         double out[])
{
    const struct tdm_player_ops *ops = in->contender == OURS ? &tdm_player_ours : &tdm_player_neteq;
    struct tdm_player_setting setting = {
        .frame_samples = (uint32_t)tdm_units_of_time(run->frame + TDM_US, TDM_PLAYER_HZ),
        .quantile = in->contender == NETEQ_LOW ? 0.7 : 0};
    struct tdm_player_copies *copies = NULL;

    if (s->voice_bps && in->contender == OURS) {
        copies = tdm_player_copies_create(packets, run->count, run->frame,
                                          s->voice_bps / 8 * s->frame_ms / 1000);
        if (!copies)
            return TDM_E_SYSTEM;
        out[COPIES] = copies->extra_bps / 1e3;
    }
    setting.copies = copies;
    tdm_jitter_sort(packets, run->count);
    struct tdm_player_score score = tdm_player_play(ops, &setting, run);

    out[DELAY] = score.delay_ms;
    out[CONCEALED] = score.concealed;
    out[SCALED] = score.scaled;
    if (s->drift_ppm > 0)
        out[SPREAD] = score.most_ms - score.least_ms;
    if (s->voice_bps)
        out[ADDED] = score.delay_ms - without_loss(s, in, ops, &setting, packets, run);
    tdm_player_copies_free(copies);
    return TDM_OK;
}

static enum tdm_err run(void *storage, uint32_t index, const struct tandem_sim_run *in,
                        struct tandem_sim_score *score)
{
    const struct playout_scenario *s = &scenarios[index];
    struct tdm_player_run run = {0};
    struct tdm_player_score bound;
    enum tdm_err err = load(s, in, storage, &run);

    if (err != TDM_OK || in->contender != BOUND)
        return err == TDM_OK ? play(s, in, storage, &run, score->figures) : err;
    tdm_player_bound(run.packets, run.count, run.frame, BOUND_PRICE, &bound);
    score->figures[DELAY] = bound.delay_ms;
    score->figures[CONCEALED] = bound.concealed;
    return TDM_OK;
}

const struct tdm_catalog_family tdm_catalog_playout = {
    .name = "playout",
    .count = count,
    .describe = describe,
    .create = create,
    .destroy = free,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "sim/scenario.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OUTAGE_JOIN (3 * TDM_S / 2)

static double between(struct tdm_rng *rng, double low, double high)
{
    return low + (high - low) * tdm_rng_unit(rng);
}

static tdm_time ms_between(struct tdm_rng *rng, double low, double high)
{
    return (tdm_time)(between(rng, low, high) * (double)TDM_MS);
}

const char *tdm_sim_network_name(enum tdm_sim_network network)
{
    static const char *const names[TDM_SIM_NETWORK_COUNT] = {
        "lan",     "wifi",      "lte",      "loss",       "bursts",
        "reorder", "duplicate", "blackout", "rate-steps", "everything"};

    return network < TDM_SIM_NETWORK_COUNT ? names[network] : "?";
}

void tdm_sim_scenario_plain(struct tdm_sim_scenario *s, uint64_t seed, tdm_time duration)
{
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->name, sizeof(s->name), "plain");
    s->seed = seed;
    s->duration = duration;
    s->signalling_delay = 10 * TDM_MS;
    for (unsigned i = 0; i < 2; i++) {
        s->path[i].link = (struct tdm_sim_link_config){.seed = seed * 2 + i, .delay = 10 * TDM_MS};
        s->side[i] = (struct tdm_sim_side){.clock_offset = (tdm_time)i * 1234567 * TDM_MS,
                                           .wall_offset = 1700000000 * TDM_S,
                                           .rings = TDM_S};
    }
    s->video = true;
    s->video_codec = TDM_CODEC_H264;
    s->width = 1280;
    s->height = 720;
    s->fps = 30;
    s->video_bps = 1000000;
    s->audio_frame_ms = 10;
    s->keyframe_ratio = 4;
    s->steady = true;
}

void tdm_sim_scenario_act(struct tdm_sim_scenario *s, struct tdm_sim_action action)
{
    assert(s->action_count < TDM_SIM_ACTIONS_MAX);
    assert(s->action_count == 0 || s->actions[s->action_count - 1].at <= action.at);
    s->actions[s->action_count++] = action;
}

struct tdm_sim_link_config tdm_sim_path_config(const struct tdm_sim_path *path)
{
    struct tdm_sim_link_config config = path->link;

    config.windows = path->windows;
    config.window_count = path->window_count;
    config.rate_steps = path->rate_steps;
    config.rate_step_count = path->rate_step_count;
    config.trace_ms = path->trace_ms;
    config.trace_count = path->trace_count;
    return config;
}

/* Where an outage that includes `at` ends; `at` when there is none. */
static tdm_time outage_end(const struct tdm_sim_scenario *s, tdm_time at)
{
    tdm_time end = at;
    bool more = true;

    while (more) {
        more = false;
        for (unsigned i = 0; i < 2; i++)
            for (uint32_t k = 0; k < s->path[i].window_count; k++) {
                const struct tdm_sim_window *w = &s->path[i].windows[k];

                if (w->from <= end + OUTAGE_JOIN && w->to > end) {
                    end = w->to;
                    more = true;
                }
            }
    }
    return end;
}

tdm_time tdm_sim_scenario_outage(const struct tdm_sim_scenario *s)
{
    tdm_time longest = 0;

    for (unsigned i = 0; i < 2; i++)
        for (uint32_t k = 0; k < s->path[i].window_count; k++) {
            tdm_time from = s->path[i].windows[k].from;

            longest = tdm_time_max(longest, outage_end(s, from) - from);
        }
    return longest;
}

/* A rate that wanders between 0.6 and 8 Mb/s, with fades, as opportunities of 1500 bytes. */
static void draw_trace(struct tdm_sim_path *path, struct tdm_rng *rng)
{
    double mbps = between(rng, 1.5, 5);
    double credit = 0;
    double fade = 1;
    uint32_t ms = 1;

    for (path->trace_count = 0; ms < 20000 && path->trace_count + 8 < TDM_SIM_TRACE_MAX; ms++) {
        if (ms % 100 == 0) {
            mbps *= between(rng, 0.8, 1.25);
            mbps = mbps < 0.6 ? 0.6 : mbps > 8 ? 8 : mbps;
            fade = tdm_rng_chance(rng, 0.02) ? 0.1 : 1;
        }
        credit += mbps * fade * 1000 / 8 / 1500;
        while (credit >= 1) {
            path->trace_ms[path->trace_count++] = ms;
            credit -= 1;
        }
    }
    path->trace_ms[path->trace_count++] = ms;
}

static void draw_cuts(struct tdm_sim_path *path, struct tdm_rng *rng, tdm_time duration)
{
    tdm_time at = 5 * TDM_S;

    while (path->window_count < TDM_SIM_WINDOWS_MAX) {
        tdm_time from = at + ms_between(rng, 1000, 15000);
        tdm_time to = from + ms_between(rng, 50, 3000);

        if (to + 8 * TDM_S > duration)
            break;
        path->windows[path->window_count++] =
            (struct tdm_sim_window){.from = from, .to = to, .cut = tdm_rng_chance(rng, 0.6)};
        at = to + 3 * TDM_S;
    }
}

static void draw_rate_steps(struct tdm_sim_path *path, struct tdm_rng *rng, tdm_time duration)
{
    path->link.rate_bps = (uint64_t)between(rng, 1e6, 5e6);
    path->link.queue_delay = ms_between(rng, 100, 400);
    for (uint32_t i = 0; i < 6; i++)
        path->rate_steps[path->rate_step_count++] = (struct tdm_sim_rate_step){
            .at = duration / 7 * (i + 1), .rate_bps = (uint64_t)between(rng, 3e5, 5e6)};
}

static void draw_bursts(struct tdm_sim_link_config *link, struct tdm_rng *rng)
{
    link->ge_enter = between(rng, 0.001, 0.01);
    link->ge_leave = between(rng, 0.1, 0.4);
    link->ge_loss = between(rng, 0.3, 0.9);
}

static void draw_wifi(struct tdm_sim_link_config *link, struct tdm_rng *rng)
{
    link->rate_bps = 20000000;
    link->queue_delay = 300 * TDM_MS;
    link->jitter_kind = TDM_SIM_JITTER_GAMMA;
    link->jitter = ms_between(rng, 1, 6);
    link->stall_interval = ms_between(rng, 2000, 10000);
    link->stall_max = ms_between(rng, 50, 250);
    link->loss = between(rng, 0, 0.005);
}

static void draw_everything(struct tdm_sim_path *path, struct tdm_rng *rng, tdm_time duration)
{
    struct tdm_sim_link_config *link = &path->link;

    draw_wifi(link, rng);
    draw_bursts(link, rng);
    link->ge_enter /= 3;
    draw_rate_steps(path, rng, duration);
    link->reorder = between(rng, 0, 0.02);
    link->reorder_delay = ms_between(rng, 1, 20);
    link->duplicate = between(rng, 0, 0.02);
    if (tdm_rng_chance(rng, 0.5))
        draw_cuts(path, rng, duration);
}

void tdm_sim_path_draw(struct tdm_sim_path *path, enum tdm_sim_network network, struct tdm_rng *rng,
                       tdm_time duration)
{
    struct tdm_sim_link_config *link = &path->link;

    path->window_count = path->rate_step_count = path->trace_count = 0;
    *link = (struct tdm_sim_link_config){.seed = tdm_rng_u64(rng), .delay = ms_between(rng, 5, 80)};
    link->jitter_kind = TDM_SIM_JITTER_NORMAL;
    link->jitter = ms_between(rng, 0, 3);
    switch (network) {
    case TDM_SIM_LAN:
        link->delay = ms_between(rng, 0.1, 2);
        link->jitter = ms_between(rng, 0, 0.3);
        link->rate_bps = 100000000;
        break;
    case TDM_SIM_WIFI:
        draw_wifi(link, rng);
        break;
    case TDM_SIM_LTE:
        draw_trace(path, rng);
        link->queue_delay = ms_between(rng, 200, 800);
        break;
    case TDM_SIM_LOSS:
        link->loss = between(rng, 0.01, 0.05);
        break;
    case TDM_SIM_BURSTS:
        draw_bursts(link, rng);
        break;
    case TDM_SIM_REORDER:
        link->reorder = between(rng, 0.01, 0.1);
        link->reorder_delay = ms_between(rng, 1, 40);
        link->jitter_reorders = tdm_rng_chance(rng, 0.5);
        break;
    case TDM_SIM_DUPLICATE:
        link->duplicate = between(rng, 0.01, 0.2);
        break;
    case TDM_SIM_BLACKOUT:
        draw_cuts(path, rng, duration);
        break;
    case TDM_SIM_RATE_STEPS:
        draw_rate_steps(path, rng, duration);
        break;
    case TDM_SIM_EVERYTHING:
    case TDM_SIM_NETWORK_COUNT:
        draw_everything(path, rng, duration);
        break;
    }
}

/* What people do in a call, now and then: hold and resume, mute, drop and add video, a digit. */
static void draw_actions(struct tdm_sim_scenario *s, struct tdm_rng *rng)
{
    static const enum tdm_sim_action_kind pairs[][2] = {
        {TDM_SIM_HOLD, TDM_SIM_RESUME},
        {TDM_SIM_MUTE, TDM_SIM_UNMUTE},
        {TDM_SIM_VIDEO_DROP, TDM_SIM_VIDEO_ADD},
        {TDM_SIM_DIGIT, TDM_SIM_DIGIT},
    };
    tdm_time at = 8 * TDM_S;

    while (tdm_rng_chance(rng, 0.4) && s->action_count + 2 < TDM_SIM_ACTIONS_MAX) {
        const enum tdm_sim_action_kind *pair = pairs[tdm_rng_below(rng, 4)];
        uint8_t side = (uint8_t)tdm_rng_below(rng, 2);
        tdm_time from = at + ms_between(rng, 500, 8000);
        tdm_time to = from + ms_between(rng, 2500, 8000);

        if (to + 10 * TDM_S > s->duration)
            break;
        for (unsigned i = 0; i < 2; i++)
            tdm_sim_scenario_act(
                s, (struct tdm_sim_action){
                       .at = i ? to : from, .side = side, .kind = pair[i], .digit = i ? '#' : '5'});
        at = to + 2 * TDM_S;
    }
}

/* The newer or the older of two codecs, from a stream of its own, so that all other draws of a seed
 * are what they were before there was a newer one. */
static enum tdm_codec_id draw_codec(uint64_t seed, bool vp)
{
    struct tdm_rng rng = tdm_rng_of(seed ^ UINT64_C(0x76703961763121));
    bool newer = tdm_rng_chance(&rng, 0.5);

    if (vp)
        return newer ? TDM_CODEC_VP9 : TDM_CODEC_VP8;
    return newer ? TDM_CODEC_AV1 : TDM_CODEC_H264;
}

void tdm_sim_scenario_mixed(struct tdm_sim_scenario *s, uint64_t seed, tdm_time duration)
{
    enum tdm_sim_network network = (enum tdm_sim_network)(seed % TDM_SIM_NETWORK_COUNT);
    struct tdm_rng rng = tdm_rng_of(seed);

    tdm_sim_scenario_plain(s, seed, duration);
    (void)snprintf(s->name, sizeof(s->name), "mixed-%s", tdm_sim_network_name(network));
    for (unsigned i = 0; i < 2; i++) {
        struct tdm_sim_side *side = &s->side[i];

        tdm_sim_path_draw(&s->path[i], network, &rng, duration);
        side->microphone_ppm = (int32_t)between(&rng, -100, 100);
        side->speaker_ppm = (int32_t)between(&rng, -100, 100);
        side->device_jitter = ms_between(&rng, 0, 2);
        side->xrun = tdm_rng_chance(&rng, 0.2) ? 0.0002 : 0;
        side->clock_offset = ms_between(&rng, 0, 1e9);
        side->wall_offset += ms_between(&rng, -60000, 60000);
        side->rings = ms_between(&rng, 100, 2000);
    }
    s->signalling_delay = tdm_time_max(s->path[0].link.delay, s->path[1].link.delay);
    s->signalling_loss = network == TDM_SIM_LAN ? 0 : between(&rng, 0, 0.05);
    s->video_codec = draw_codec(seed, tdm_rng_chance(&rng, 0.5));
    s->reports_only = seed % 4 == 3;
    s->parity = seed % 3 == 1;
    s->refer_reach = seed % 5 == 2 || seed % 5 == 4 ? 15 : 0;
    s->refer_chains = seed % 5 == 2 ? 6 : 1;
    s->refer_elsewhere = seed % 5 == 4 && s->video_codec != TDM_CODEC_VP9 ? 6 : 0;
    s->video_bps = (uint32_t)between(&rng, 4e5, 1.5e6);
    s->fps = tdm_rng_chance(&rng, 0.7) ? 30 : 15;
    s->audio_frame_ms = tdm_rng_chance(&rng, 0.7) ? 10 : 20;
    s->keyframe_ratio = between(&rng, 2, 6);
    s->steady = network == TDM_SIM_LAN;
    draw_actions(s, &rng);
}

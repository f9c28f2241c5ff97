/* SPDX-License-Identifier: MIT */

/* Whole calls (sim/call.h) in the catalog: the drawn networks, and named situations. */

#include "sim/call.h"
#include "sim/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(list) (sizeof(list) / sizeof *(list))
#define TEN_S        (10 * TDM_S)
#define MINUTE       (60 * TDM_S)
#define SLOT         (1200 * TDM_US) /* The three as in sim/repair_world.c. */
#define SLOT_BPS     2000000
#define REACH        15
#define CHAINS       6

enum figure {
    AUDIO_WORST,
    AUDIO_GAP,
    CONCEALED,
    VIDEO_WORST,
    VIDEO_GAP,
    SHOWN,
    KEYFRAMES,
    REPAIRED,
    RESENT,
    FROZEN,
    FROZEN_SETTLED,
    PARITY,
    REFERENCE,
    OVERHEAD,
    SKEW,
    EVENTS,
    FIGURES
};

/* Of the side that is worse off. */
static const struct tandem_sim_figure figures[FIGURES] = {
    [AUDIO_WORST] = {"voice_max_ms", false}, /* Microphone to ear. */
    [AUDIO_GAP] = {"voice_gap_ms", false},   /* The longest, while it was due. */
    [CONCEALED] = {"concealed_%", false},    /* Of what was played. */
    [VIDEO_WORST] = {"video_max_ms", false}, /* Camera to eye. */
    [VIDEO_GAP] = {"video_gap_ms", false},
    [SHOWN] = {"shown_fps", true},              /* While the call stands, holds too. */
    [KEYFRAMES] = {"keyframes", false},         /* Asked for. */
    [REPAIRED] = {"repaired_%", true},          /* Of packets that were asked for again. */
    [RESENT] = {"resent_%", false},             /* Of packets sent. */
    [FROZEN] = {"frozen_%", false},             /* Gaps of 185 ms and more. */
    [FROZEN_SETTLED] = {"frozen_10s_%", false}, /* The same after the first ten seconds. */
    [PARITY] = {"parity_%", false},             /* Repairs over a window, of packets sent. */
    [REFERENCE] = {"reference_%", false}, /* What it costs to refer further back than to the last
                                             picture, at 7 % a picture of distance. */
    [OVERHEAD] = {"overhead_%", false},   /* All three, of the pictures. */
    [SKEW] = {"skew_p95_ms", false},      /* Eye against ear, after the first ten seconds. */
    [EVENTS] = {"events_per_s", false},   /* What the run consisted of. */
};

static const char *const contenders[] = {"tandem"};

struct storage {
    struct tdm_sim_scenario scenario;
    struct tdm_sim_result result;
    struct tdm_sim_call *call;
};

static void act(struct tdm_sim_scenario *s, tdm_time at, uint8_t side,
                enum tdm_sim_action_kind kind)
{
    tdm_sim_scenario_act(s, (struct tdm_sim_action){.at = at, .side = side, .kind = kind});
}

static void cut(struct tdm_sim_scenario *s)
{
    s->steady = false;
    for (int d = 0; d < 2; d++) {
        s->path[d].window_count = 1;
        s->path[d].windows[0] =
            (struct tdm_sim_window){.from = 10 * TDM_S, .to = 13 * TDM_S, .cut = true};
    }
}

static void lose(struct tdm_sim_scenario *s)
{
    s->steady = false;
    for (int d = 0; d < 2; d++) /* One packet in twenty, about six in a row. */
        s->path[d].link = (struct tdm_sim_link_config){.delay = 50 * TDM_MS,
                                                       .ge_enter = 0.0088,
                                                       .ge_leave = 1.0 / 6,
                                                       .ge_loss = 1,
                                                       .queue_delay = s->path[d].link.queue_delay};
}

static void lose_far(struct tdm_sim_scenario *s)
{
    lose(s);
    for (int d = 0; d < 2; d++)
        s->path[d].link.delay = 100 * TDM_MS;
}

static void mend_far(struct tdm_sim_scenario *s)
{
    lose_far(s);
    s->parity = true;
}

static void mend(struct tdm_sim_scenario *s)
{
    lose(s);
    s->parity = true;
}

static void refer(struct tdm_sim_scenario *s)
{
    mend(s);
    s->refer_reach = REACH;
    s->refer_chains = CHAINS;
}

static void refer_far(struct tdm_sim_scenario *s)
{
    mend_far(s);
    s->refer_reach = REACH;
    s->refer_chains = CHAINS;
}

/* V5 of docs/repair.md: what is lost in a row is so much time, not so many packets. */
static void lose_slots(struct tdm_sim_scenario *s, tdm_time rtt)
{
    lose(s);
    s->video_bps = SLOT_BPS;
    for (int d = 0; d < 2; d++) {
        s->path[d].link.delay = rtt / 2;
        s->path[d].link.ge_slot = SLOT;
        s->path[d].link.rate_bps = 8 * UINT64_C(1200) * TDM_S / SLOT;
    }
}

static void slots_50(struct tdm_sim_scenario *s)
{
    lose_slots(s, 50 * TDM_MS);
}

static void slots_100(struct tdm_sim_scenario *s)
{
    lose_slots(s, 100 * TDM_MS);
}

static void slots_200(struct tdm_sim_scenario *s)
{
    lose_slots(s, 200 * TDM_MS);
}

static void mend_slots_50(struct tdm_sim_scenario *s)
{
    slots_50(s);
    s->parity = true;
}

static void mend_slots_100(struct tdm_sim_scenario *s)
{
    slots_100(s);
    s->parity = true;
}

static void mend_slots_200(struct tdm_sim_scenario *s)
{
    slots_200(s);
    s->parity = true;
}

static void take_references(struct tdm_sim_scenario *s, uint8_t reach, uint8_t chains)
{
    s->parity = true;
    s->refer_reach = reach;
    s->refer_chains = chains;
}

static void refer_slots_50(struct tdm_sim_scenario *s)
{
    slots_50(s);
    take_references(s, REACH, CHAINS);
}

static void refer_slots_100(struct tdm_sim_scenario *s)
{
    slots_100(s);
    take_references(s, REACH, CHAINS);
}

static void refer_slots_200(struct tdm_sim_scenario *s)
{
    slots_200(s);
    take_references(s, REACH, CHAINS);
}

/* H.264 with x264's references, and VP9 agreed beside it. */
static void change(struct tdm_sim_scenario *s)
{
    take_references(s, REACH, 1);
    s->video_codec = TDM_CODEC_H264;
    s->refer_elsewhere = CHAINS;
}

static void change_slots_50(struct tdm_sim_scenario *s)
{
    slots_50(s);
    change(s);
}

static void change_slots_100(struct tdm_sim_scenario *s)
{
    slots_100(s);
    change(s);
}

static void change_slots_200(struct tdm_sim_scenario *s)
{
    slots_200(s);
    change(s);
}

/* Another way three times, and voice that is longer under way by its playout alone. */
static void move(struct tdm_sim_scenario *s)
{
    static const struct tdm_sim_delay_step steps[] = {{.at = 20 * TDM_S, .delay = 80 * TDM_MS},
                                                      {.at = 30 * TDM_S, .delay = 15 * TDM_MS},
                                                      {.at = 40 * TDM_S, .delay = 45 * TDM_MS}};

    s->steady = false;
    for (int d = 0; d < 2; d++) {
        struct tdm_sim_link_config *link = &s->path[d].link;

        link->delay = 20 * TDM_MS;
        link->delay_steps = steps;
        link->delay_step_count = LENGTH(steps);
        link->jitter_kind = TDM_SIM_JITTER_GAMMA;
        link->jitter = 8 * TDM_MS;
    }
}

static void hold(struct tdm_sim_scenario *s)
{
    act(s, 15 * TDM_S, 0, TDM_SIM_HOLD);
    act(s, 30 * TDM_S, 0, TDM_SIM_RESUME);
}

static void change_video(struct tdm_sim_scenario *s)
{
    act(s, 8 * TDM_S, 0, TDM_SIM_VIDEO_DROP);
    act(s, 16 * TDM_S, 0, TDM_SIM_VIDEO_ADD);
    act(s, 24 * TDM_S, 1, TDM_SIM_VIDEO_DROP);
    act(s, 32 * TDM_S, 1, TDM_SIM_VIDEO_ADD);
}

static void vanish(struct tdm_sim_scenario *s)
{
    s->steady = false;
    act(s, 10 * TDM_S, 0, TDM_SIM_VANISH);
}

static void drift(struct tdm_sim_scenario *s)
{
    s->video = false;
    for (int i = 0; i < 2; i++) {
        s->side[i].microphone_ppm = 100;
        s->side[i].speaker_ppm = -100;
    }
}

#define PLAIN (-1)

static const struct entry {
    const char *name, *title;
    tdm_time length;
    int network; /* Drawn, or PLAIN and changed by: */
    void (*change)(struct tdm_sim_scenario *s);
} entries[] = {
    {"call-quiet", "10 ms each way and nothing else", MINUTE, PLAIN, NULL},
    {"call-lan", "a drawn LAN", MINUTE, TDM_SIM_LAN, NULL},
    {"call-wifi", "jitter, stalls of up to 250 ms, some loss", MINUTE, TDM_SIM_WIFI, NULL},
    {"call-lte", "a wandering rate behind a deep queue", MINUTE, TDM_SIM_LTE, NULL},
    {"call-loss", "1 to 5 % of packets at random", MINUTE, TDM_SIM_LOSS, NULL},
    {"call-bursts", "losses in a row", MINUTE, TDM_SIM_BURSTS, NULL},
    {"call-reorder", "packets that overtake", MINUTE, TDM_SIM_REORDER, NULL},
    {"call-duplicate", "packets that come twice", MINUTE, TDM_SIM_DUPLICATE, NULL},
    {"call-blackouts", "drawn cuts of up to 3 s", MINUTE, TDM_SIM_BLACKOUT, NULL},
    {"call-rate-steps", "300 kb/s to 5 Mb/s in steps", MINUTE, TDM_SIM_RATE_STEPS, NULL},
    {"call-everything", "a bit of most of the above", MINUTE, TDM_SIM_EVERYTHING, NULL},
    {"call-cut", "3 s without network at 10 s", MINUTE / 2, PLAIN, cut},
    {"call-bursts-100", "5 % lost, six in a row, round trip 100 ms", MINUTE, PLAIN, lose},
    {"call-bursts-200", "5 % lost, six in a row, round trip 200 ms", MINUTE, PLAIN, lose_far},
    {"call-parity-100", "call-bursts-100 with repairs over a window", MINUTE, PLAIN, mend},
    {"call-parity-200", "call-bursts-200 with repairs over a window", MINUTE, PLAIN, mend_far},
    {"call-refer-100", "call-parity-100 with references to what is known", MINUTE, PLAIN, refer},
    {"call-refer-200", "call-parity-200 with references to what is known", MINUTE, PLAIN,
     refer_far},
    {"call-slots-50", "5 % of the time lost, 7 ms at once, 2 Mbit/s, 50 ms", MINUTE, PLAIN,
     slots_50},
    {"call-slots-100", "the same at 100 ms", MINUTE, PLAIN, slots_100},
    {"call-slots-200", "the same at 200 ms", MINUTE, PLAIN, slots_200},
    {"call-slots-parity-50", "call-slots-50 with repairs over a window", MINUTE, PLAIN,
     mend_slots_50},
    {"call-slots-parity-100", "call-slots-100 with repairs", MINUTE, PLAIN, mend_slots_100},
    {"call-slots-parity-200", "call-slots-200 with repairs", MINUTE, PLAIN, mend_slots_200},
    {"call-slots-refer-50", "call-slots-parity-50 with references", MINUTE, PLAIN, refer_slots_50},
    {"call-slots-refer-100", "call-slots-parity-100 with references", MINUTE, PLAIN,
     refer_slots_100},
    {"call-slots-refer-200", "call-slots-parity-200 with references", MINUTE, PLAIN,
     refer_slots_200},
    {"call-slots-change-50", "call-slots-refer-50, begun in a codec that refers to the last alone",
     MINUTE, PLAIN, change_slots_50},
    {"call-slots-change-100", "the same at 100 ms", MINUTE, PLAIN, change_slots_100},
    {"call-slots-change-200", "the same at 200 ms", MINUTE, PLAIN, change_slots_200},
    {"call-moves", "jitter of 8 ms, and a way of 20, 80, 15 and 45 ms", MINUTE, PLAIN, move},
    {"call-hold", "a hold of 15 s", MINUTE, PLAIN, hold},
    {"call-video-changes", "video goes and comes on each side", MINUTE, PLAIN, change_video},
    {"call-vanish", "one side dies at 10 s", MINUTE, PLAIN, vanish},
    {"call-drift", "half an hour of voice, clocks 200 ppm apart", 30 * MINUTE, PLAIN, drift},
    {"call-hour", "an hour over a drawn Wi-Fi", 60 * MINUTE, TDM_SIM_WIFI, NULL},
};

static uint32_t count_all(void)
{
    return LENGTH(entries);
}

static void describe(uint32_t index, struct tandem_sim_scenario *scenario)
{
    *scenario = (struct tandem_sim_scenario){
        .name = entries[index].name,
        .id = "",
        .title = entries[index].title,
        .seconds = (uint32_t)(entries[index].length / TDM_S),
        .figure_count = FIGURES,
        .figures = figures,
        .contender_count = LENGTH(contenders),
        .contenders = contenders,
    };
}

static void destroy(void *storage)
{
    struct storage *st = storage;

    tdm_sim_call_destroy(st->call);
    free(st);
}

static void *create(void)
{
    struct storage *st = calloc(1, sizeof *st);

    if (!st)
        return NULL;
    st->call = tdm_sim_call_create(0);
    if (st->call)
        return st;
    destroy(st);
    return NULL;
}

static void draw(const struct entry *e, uint64_t seed, struct tdm_sim_scenario *s)
{
    if (e->network == PLAIN) {
        tdm_sim_scenario_plain(s, seed, e->length);
        if (e->change)
            e->change(s);
        return;
    }
    tdm_sim_scenario_mixed(s, seed * TDM_SIM_NETWORK_COUNT + (uint64_t)e->network, e->length);
    if (e->length > MINUTE)
        s->action_count = 0; /* Nobody hangs up within the hour. */
}

static double larger(double a, double b)
{
    return a < b ? b : a; /* A `b` that is not there yet gives way. */
}

static double smaller(double a, double b)
{
    return a > b ? b : a;
}

static void score_side(const struct tdm_sim_side_result *r, double *f)
{
    f[AUDIO_WORST] = larger((double)r->audio_latency_max * 1e-6, f[AUDIO_WORST]);
    f[AUDIO_GAP] = larger((double)r->audio_gap_max * 1e-6, f[AUDIO_GAP]);
    f[KEYFRAMES] = larger((double)r->keyframes_wanted, f[KEYFRAMES]);
    if (r->played_samples)
        f[CONCEALED] =
            larger(100.0 * (double)r->concealed_samples / (double)r->played_samples, f[CONCEALED]);
    if (r->packets_sent) {
        f[RESENT] = larger(100.0 * (double)r->packets_resent / (double)r->packets_sent, f[RESENT]);
        f[PARITY] = larger(100.0 * (double)r->parity_sent / (double)r->packets_sent, f[PARITY]);
    }
    f[REFERENCE] = larger(100.0 * r->reference_cost, f[REFERENCE]);
    if (r->video_sent)
        f[OVERHEAD] =
            larger(100.0 * (double)(r->video_resent + r->parity_sent) / (double)r->video_sent +
                       100.0 * r->reference_cost / (1 + r->reference_cost),
                   f[OVERHEAD]);
    if (r->nacked)
        f[REPAIRED] = smaller(100.0 * (double)r->repaired / (double)r->nacked, f[REPAIRED]);
    if (!r->video_frames || r->up_at == TDM_NEVER || r->ended_at == TDM_NEVER)
        return;
    f[VIDEO_WORST] = larger((double)r->video_latency_max * 1e-6, f[VIDEO_WORST]);
    f[VIDEO_GAP] = larger((double)r->video_gap_max * 1e-6, f[VIDEO_GAP]);
    f[FROZEN] =
        larger(100.0 * (double)r->video_frozen / (double)(r->ended_at - r->up_at), f[FROZEN]);
    if (r->ended_at > TEN_S)
        f[FROZEN_SETTLED] =
            larger(100.0 * (double)r->video_frozen_settled / (double)(r->ended_at - TEN_S),
                   f[FROZEN_SETTLED]);
    f[SKEW] = larger((double)r->skew_p95 * 1e-6, f[SKEW]);
    f[SHOWN] = smaller((double)r->video_frames * 1e9 / (double)(r->ended_at - r->up_at), f[SHOWN]);
}

static enum tdm_err run(void *storage, uint32_t index, const struct tandem_sim_run *in,
                        struct tandem_sim_score *score)
{
    const struct entry *e = &entries[index];
    struct storage *st = storage;
    double seconds = (double)e->length * 1e-9;
    enum tdm_err err;

    draw(e, in->seed, &st->scenario);
    err = tdm_sim_call_run(st->call, &st->scenario, &st->result);
    if (err != TDM_OK)
        return err;
    for (int i = 0; i < 2; i++)
        score_side(&st->result.side[i], score->figures);
    score->figures[EVENTS] = (double)st->result.events / seconds;
    if (st->result.violations)
        (void)snprintf(score->violation, sizeof score->violation, "%.150s",
                       st->result.kept_violations[0].text);
    return TDM_OK;
}

const struct tdm_catalog_family tdm_catalog_call = {
    .name = "call",
    .count = count_all,
    .describe = describe,
    .create = create,
    .destroy = destroy,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * A model of NetEQ's policy from its published constants: the target by the 0.95 quantile of the
 * greatest delay of each half second in 20 ms buckets, by the reordering histogram, and the band
 * above it in which nothing is done. Muting, comfort noise and re-initialisation are left out; a
 * time-scaling step is 8 ms and succeeds seven times in ten.
 */
#include "sim/player.h"

#include "engine/base/rng.h"

#include <stdlib.h>
#include <string.h>

#define TICK          (10 * TDM_MS)
#define BUCKETS       100
#define BUCKET_MS     20
#define HISTORY       256
#define WINDOW        (2000 * TDM_MS)
#define STORE         1024
#define SCALE_MS      8
#define SCALE_NEEDS   30 /* ms of audio. */
#define SCALE_SUCCEED 0.7
#define SCALE_EVERY   5 /* Ticks. */
#define WAIT_MS       100
#define START_MS      80
#define LONG_MS       100

struct histogram {
    double weight[BUCKETS], forget, base;
    uint32_t added;
};

struct neteq {
    struct tdm_player_setting setting;
    struct tdm_rng rng;
    double frame_ms;
    bool has[STORE];      /* By number modulo. */
    int64_t next, newest; /* To be decoded; highest that came. */
    bool started;
    double line_ms;  /* Decoded and not played. */
    double media_ms; /* The sender's time at the end of the line. */
    double expanded_ms;
    bool postponed;
    uint32_t since_scaled;
    struct {
        tdm_time at;
        double delay_ms;
    } history[HISTORY]; /* Of arrivals. */
    uint32_t history_at;
    struct histogram under, reorder;
    double interval_max;
    tdm_time interval_from;
    double target_ms;
};

static void histogram_init(struct histogram *h, double forget)
{
    *h = (struct histogram){.forget = 0, .base = forget};
    double left = 1;

    for (int i = 0; i < BUCKETS; i++)
        h->weight[i] = left *= 0.5;
}

/* The start forgets faster: weight 2 / (n + 1) for the n-th. */
static void histogram_add(struct histogram *h, int bucket)
{
    bucket = bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket;
    double warm = 1 - 2.0 / (h->added + 2);

    h->added++;
    h->forget = warm < h->base ? warm : h->base;
    for (int i = 0; i < BUCKETS; i++)
        h->weight[i] *= h->forget;
    h->weight[bucket] += 1 - h->forget;
}

static int histogram_quantile(const struct histogram *h, double quantile)
{
    double sum = 0;

    for (int i = 0; i < BUCKETS; i++)
        if ((sum += h->weight[i]) >= quantile)
            return i;
    return BUCKETS - 1;
}

/* Delay above the fastest arrival of the window; `most` is that of the slowest. */
static double relative(const struct neteq *n, tdm_time now, double delay_ms, double *most)
{
    double least = 1e12, greatest = -1e12;

    for (uint32_t i = 0; i < HISTORY; i++) {
        if (!n->history[i].at || now - n->history[i].at > WINDOW)
            continue;
        least = n->history[i].delay_ms < least ? n->history[i].delay_ms : least;
        greatest = n->history[i].delay_ms > greatest ? n->history[i].delay_ms : greatest;
    }
    *most = greatest >= least ? greatest - least : 0;
    return greatest >= least ? delay_ms - least : 0;
}

/* 20 ms of delay are worth a per cent of what reordering would lose. */
static double reorder_target(const struct neteq *n, double base_ms)
{
    double lost = 1, best = 1e9, target = 0;

    for (int i = 0; i < BUCKETS; i++) {
        lost -= n->reorder.weight[i];
        double over = i * BUCKET_MS - base_ms;
        double cost = (over > 0 ? over : 0) + 20 * 100 * (lost > 0 ? lost : 0);

        if (cost < best) {
            best = cost;
            target = (i + 1) * BUCKET_MS;
        }
    }
    return target;
}

static void learn(struct neteq *n, const struct tdm_jitter_packet *k, bool reordered)
{
    tdm_time tick = (k->arrival + TICK - 1) / TICK * TICK;
    double delay = (double)(tick - k->sent) * 1e-6, most;

    n->history[n->history_at].at = tick + 1;
    n->history[n->history_at].delay_ms = delay;
    n->history_at = (n->history_at + 1) % HISTORY;
    double above = relative(n, tick, delay, &most);

    if (reordered)
        histogram_add(&n->reorder, (int)(above / BUCKET_MS));
    else
        histogram_add(&n->reorder, 0);
    n->interval_max = above > n->interval_max ? above : n->interval_max;
    if (tick - n->interval_from >= 500 * TDM_MS) {
        histogram_add(&n->under, (int)(n->interval_max / BUCKET_MS));
        n->interval_max = 0;
        n->interval_from = tick;
        n->target_ms = (1 + histogram_quantile(&n->under, n->setting.quantile)) * BUCKET_MS;
    }
    double reorder = reorder_target(n, n->target_ms);

    n->target_ms = reorder > n->target_ms ? reorder : n->target_ms;
}

static void *create(const struct tdm_player_setting *setting)
{
    struct neteq *n = calloc(1, sizeof *n);

    if (!n)
        return NULL;
    n->setting = *setting;
    if (n->setting.quantile <= 0)
        n->setting.quantile = 0.95;
    n->rng = tdm_rng_of(1);
    n->postponed = true;
    n->frame_ms = setting->frame_samples * 1e3 / TDM_PLAYER_HZ;
    n->target_ms = START_MS;
    histogram_init(&n->under, 0.983);
    histogram_init(&n->reorder, 0.9993);
    return n;
}

static void packet(void *player, const struct tdm_jitter_packet *k)
{
    struct neteq *n = player;

    learn(n, k, n->started && k->seq < n->newest);
    if (!n->started) {
        n->started = true;
        n->next = n->newest = k->seq;
        n->media_ms = (double)k->seq * n->frame_ms;
    }
    n->newest = k->seq > n->newest ? k->seq : n->newest;
    if (k->seq >= n->next && k->seq < n->next + STORE)
        n->has[k->seq % STORE] = true;
}

/* After a long gap, and at the start, decoding waits for half of the target. */
static bool postpones(struct neteq *n)
{
    double waiting = 0;

    for (int64_t seq = n->next; seq <= n->newest; seq++)
        waiting += n->has[seq % STORE] ? n->frame_ms : 0;
    n->postponed &= waiting < n->target_ms / 2;
    return n->postponed;
}

/* Decodes what waits until `want` ms are on the line; a gap in front of a packet that came is
 * concealed and passes, after a wait. Returns what had to be made up. */
static double fill(struct neteq *n, double want, double delay_ms)
{
    double made = 0;

    while (n->line_ms < want) {
        /* In front of a gap too: what waits behind a lost packet ends the wait as well. */
        bool held = postpones(n);

        if (n->has[n->next % STORE] && !held) {
            n->has[n->next++ % STORE] = false;
            n->line_ms += n->frame_ms;
            n->media_ms = (double)n->next * n->frame_ms;
            n->expanded_ms = 0;
            continue;
        }
        double lack = want - n->line_ms;
        bool waits = n->postponed || n->newest < n->next ||
                     (delay_ms < n->target_ms && n->expanded_ms < WAIT_MS);

        made += lack;
        n->line_ms += lack;
        n->expanded_ms += lack;
        n->postponed |= n->newest < n->next && n->expanded_ms >= LONG_MS;
        if (waits)
            continue;
        /* Lost: its time has been made up when a frame's worth of it was. */
        n->media_ms += lack;
        if (n->expanded_ms + 1e-9 >= n->frame_ms) {
            n->next++;
            n->expanded_ms -= n->frame_ms;
        }
    }
    return made;
}

static bool scales(struct neteq *n, double *scaled)
{
    n->since_scaled = 0;
    if (n->line_ms + (n->has[n->next % STORE] ? n->frame_ms : 0) < SCALE_NEEDS ||
        !tdm_rng_chance(&n->rng, SCALE_SUCCEED))
        return false;
    *scaled += SCALE_MS * TDM_PLAYER_HZ / 1e3;
    return true;
}

static void pull(void *player, tdm_time now, uint32_t samples, struct tdm_player_heard *heard)
{
    struct neteq *n = player;
    double want = samples * 1e3 / TDM_PLAYER_HZ, most;

    *heard = (struct tdm_player_heard){.media = n->started};
    if (!n->started) {
        heard->concealed = samples;
        return;
    }
    double at = n->media_ms - n->line_ms, played = (double)now * 1e-6 - at;
    double delay = relative(n, now, played, &most), high = n->target_ms + most + BUCKET_MS;

    heard->sent = (tdm_time)(at * 1e6);
    heard->concealed = fill(n, want, delay) * TDM_PLAYER_HZ / 1e3;
    if (++n->since_scaled >= SCALE_EVERY && heard->concealed <= 0) {
        if (delay >= high && scales(n, &heard->scaled)) {
            (void)fill(n, want + SCALE_MS, delay);
            n->line_ms -= SCALE_MS;
        } else if (delay < n->target_ms && scales(n, &heard->scaled)) {
            n->line_ms += SCALE_MS;
        }
    }
    n->line_ms -= want;
}

const struct tdm_player_ops tdm_player_neteq = {.name = "NetEQ policy",
                                                .pull_samples = TDM_PLAYER_HZ / 100,
                                                .create = create,
                                                .packet = packet,
                                                .pull = pull,
                                                .destroy = free};

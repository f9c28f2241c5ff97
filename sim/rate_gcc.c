/* SPDX-License-Identifier: MIT */
#include "sim/rate_peer.h"

#include <string.h>

/*
 * gcc-like: draft-ietf-rmcat-gcc's rules with the constants of what is in wide use today: a trend
 * over twenty groups of packets against an adaptive threshold, additive and multiplicative growth,
 * 0.85 of what arrives when it is overused, a loss rule, three probes at the start and one after a
 * deep fall, a pacer at 2.5 times the target. No other field trials, no application-limited probes.
 */

#define GROUPS       20
#define GROUP_BURST  (5 * TDM_MS)
#define SMOOTHING    0.9
#define GAIN         4.0
#define THRESHOLD    12.5
#define OVERUSE_TIME 10.0
#define FLOOR_BPS    10000.0
#define FRAME_EVERY  ((tdm_time)33333333) /* 30 a second. */
#define PROBE_BYTES  7200

struct gcc {
    double target, limit, loss_target;
    /* Groups. */
    tdm_time group_sent, group_last_sent, group_arrival, last_sent, last_arrival;
    bool started, has_last;
    tdm_time first_arrival;
    double accumulated, smoothed, times[GROUPS], delays[GROUPS];
    uint32_t deltas, count;
    double threshold, last_trend, overuse_ms;
    tdm_time threshold_at, last_group_at;
    bool over, under;
    /* Rate. */
    enum { HOLD, INCREASE, DECREASE } state;
    tdm_time changed_at, cut_at;
    double acked, near_mean, near_var;
    uint64_t acked_bytes;
    tdm_time acked_since, rtt;
    /* Loss. */
    uint32_t packets, lost;
    tdm_time loss_since;
    /* Probes. */
    uint32_t probes;
    bool probing;
    tdm_time probe_at;
    double probe_bps;
    uint64_t probe_bytes_acked;
    tdm_time probe_first, probe_last, probe_sent;
};

static double clamp(double low, double x, double high)
{
    return x < low ? low : x > high ? high : x;
}

static void init(void *state, tdm_time now, uint64_t start_bps, uint64_t limit_bps)
{
    struct gcc *g = state;

    memset(g, 0, sizeof *g);
    g->target = g->loss_target = (double)start_bps;
    g->limit = (double)limit_bps;
    g->threshold = THRESHOLD;
    g->threshold_at = g->changed_at = g->acked_since = g->loss_since = now;
    g->state = INCREASE;
    g->probe_at = now;
    g->cut_at = now - TDM_S;
}

static double trend_of(const struct gcc *g)
{
    double n = GROUPS, mx = 0, my = 0, up = 0, down = 0;

    for (int i = 0; i < GROUPS; i++) {
        mx += g->times[i] / n;
        my += g->delays[i] / n;
    }
    for (int i = 0; i < GROUPS; i++) {
        up += (g->times[i] - mx) * (g->delays[i] - my);
        down += (g->times[i] - mx) * (g->times[i] - mx);
    }
    return down > 0 ? up / down : 0;
}

static void detect(struct gcc *g, double trend, double passed_ms, tdm_time now)
{
    double modified = (g->deltas < 60 ? g->deltas : 60) * trend * GAIN;
    double size = modified < 0 ? -modified : modified;

    if (modified > g->threshold) {
        g->overuse_ms += passed_ms;
        if (g->overuse_ms > OVERUSE_TIME && trend >= g->last_trend) {
            g->over = true;
            g->under = false;
            g->overuse_ms = 0;
        }
    } else {
        g->overuse_ms = 0;
        g->over = false;
        g->under = modified < -g->threshold;
    }
    g->last_trend = trend;
    double dt = clamp(0, (double)(now - g->threshold_at) * 1e-6, 100);

    if (size <= g->threshold + 15)
        g->threshold += (size < g->threshold ? 0.039 : 0.0087) * (size - g->threshold) * dt;
    g->threshold = clamp(6, g->threshold, 600);
    g->threshold_at = now;
}

static void end_group(struct gcc *g, tdm_time now)
{
    if (g->has_last) {
        double arrived = (double)(g->group_arrival - g->last_arrival) * 1e-6;
        double sent = (double)(g->group_last_sent - g->last_sent) * 1e-6;

        g->deltas++;
        g->accumulated += arrived - sent;
        g->smoothed = SMOOTHING * g->smoothed + (1 - SMOOTHING) * g->accumulated;
        memmove(g->times, g->times + 1, sizeof g->times - sizeof *g->times);
        memmove(g->delays, g->delays + 1, sizeof g->delays - sizeof *g->delays);
        g->times[GROUPS - 1] = (double)(g->group_arrival - g->first_arrival) * 1e-6;
        g->delays[GROUPS - 1] = g->smoothed;
        if (++g->count >= GROUPS)
            detect(g, trend_of(g), arrived, now);
    } else {
        g->first_arrival = g->group_arrival;
    }
    g->has_last = true;
    g->last_sent = g->group_last_sent;
    g->last_arrival = g->group_arrival;
}

static void take_packet(struct gcc *g, tdm_time now, const struct tdm_ack *ack)
{
    g->acked_bytes += ack->bytes;
    g->rtt = now - ack->sent;
    if (g->probing && ack->sent >= g->probe_at && g->probe_bytes_acked < PROBE_BYTES) {
        double apart = (double)(ack->sent - g->probe_sent);

        /* Packets of a frame among them leave more slowly; they are not of the probe. */
        if (!g->probe_bytes_acked || apart > ack->bytes * 8e9 / g->probe_bps * 1.6) {
            g->probe_first = ack->arrival;
            g->probe_bytes_acked = 0;
        }
        g->probe_sent = ack->sent;
        g->probe_bytes_acked += ack->bytes;
        g->probe_last = ack->arrival;
    }
    bool fresh = g->started && ack->sent - g->group_sent > GROUP_BURST;

    if (fresh)
        end_group(g, now);
    if (!g->started || fresh)
        g->group_sent = ack->sent;
    g->started = true;
    g->group_last_sent = ack->sent;
    g->group_arrival = ack->arrival;
}

static void learn_acked(struct gcc *g, tdm_time now)
{
    tdm_time passed = now - g->acked_since;

    if (passed < (g->acked > 0 ? 150 : 500) * TDM_MS)
        return;
    double bps = (double)g->acked_bytes * 8e9 / (double)passed;

    g->acked = g->acked > 0 ? g->acked + 0.5 * (bps - g->acked) : bps;
    g->acked_bytes = 0;
    g->acked_since = now;
}

static void grow(struct gcc *g, tdm_time now)
{
    double dt = clamp(0, (double)(now - g->changed_at) * 1e-9, 1);
    double sigma3 = 3 * g->near_var * g->near_mean;
    bool near = g->near_mean > 0 && g->acked > g->near_mean - sigma3;

    if (g->near_mean > 0 && g->acked > g->near_mean + sigma3)
        g->near_mean = 0;
    if (near) {
        double response = ((double)g->rtt * 1e-9 + 0.1) * 2;

        g->target += 1200 * 8 / response * dt * 2;
    } else {
        g->target *= 1 + 0.08 * dt;
    }
    if (g->acked > 0 && g->target > 1.5 * g->acked + 10000)
        g->target = clamp(g->acked, 1.5 * g->acked + 10000, g->target);
}

static void cut(struct gcc *g, tdm_time now)
{
    double base = g->acked > 0 ? g->acked : g->target;

    if (now - g->cut_at < tdm_time_max(g->rtt, 200 * TDM_MS))
        return;
    g->cut_at = now;
    if (base * 0.85 < g->target)
        g->target = base * 0.85;
    double error = g->near_mean > 0 ? (base - g->near_mean) / g->near_mean : 0;

    g->near_var = g->near_mean > 0 ? 0.95 * g->near_var + 0.05 * error * error : 0.02;
    g->near_var = clamp(0.01, g->near_var, 0.1);
    g->near_mean =
        g->near_mean > 0 && error > -0.3 && error < 0.3 ? 0.95 * g->near_mean + 0.05 * base : base;
}

static void update(struct gcc *g, tdm_time now)
{
    if (g->over)
        g->state = DECREASE;
    else if (g->under)
        g->state = HOLD;
    else
        g->state = g->state == DECREASE ? HOLD : INCREASE;
    if (g->state == INCREASE)
        grow(g, now);
    else if (g->state == DECREASE)
        cut(g, now);
    g->changed_at = now;
    if (now - g->loss_since >= TDM_S / 4 && g->packets >= 20) {
        double part = (double)g->lost / g->packets;

        if (part > 0.1)
            g->target *= 1 - 0.5 * part;
        g->packets = g->lost = 0;
        g->loss_since = now;
    }
    g->target = clamp(FLOOR_BPS, g->target, g->limit);
}

static void probe(struct gcc *g, tdm_time now, struct tdm_congestion_out *out)
{
    if (g->probing && g->probe_bytes_acked >= PROBE_BYTES) {
        double bps = (double)(g->probe_bytes_acked - 1200) * 8e9 /
                     (double)tdm_time_max(g->probe_last - g->probe_first, TDM_MS);

        g->probing = false;
        g->probe_at = TDM_NEVER;
        if (bps > g->target && !g->over)
            g->target = clamp(0, bps < g->probe_bps ? bps * 0.95 : g->probe_bps, g->limit);
        if (bps > 0.7 * g->probe_bps && g->target < g->limit && g->probes < 8)
            g->probe_at = now;
    }
    if (g->probing || g->probe_at > now)
        return;
    g->probing = true;
    g->probe_at = now;
    g->probe_bytes_acked = 0;
    g->probe_bps = g->target * (g->probes == 0 ? 3 : 2);
    g->probes++;
    out->probe_bps = (uint64_t)g->probe_bps;
    out->probe_bytes = PROBE_BYTES + 2400;
}

static void step(void *state, tdm_time now, const struct tdm_congestion_in *in,
                 struct tdm_congestion_out *out)
{
    struct gcc *g = state;

    if (in->kind == TDM_CONGESTION_ACKS) {
        for (uint32_t i = 0; i < in->ack_count; i++) {
            g->packets++;
            g->lost += in->acks[i].arrival == TDM_NEVER;
            if (in->acks[i].arrival != TDM_NEVER && !in->acks[i].again)
                take_packet(g, now, &in->acks[i]);
        }
        learn_acked(g, now);
        update(g, now);
        probe(g, now, out);
    } else if (in->kind == TDM_CONGESTION_FRAME) {
        probe(g, now, out);
    } else if (in->kind == TDM_CONGESTION_LIMIT) {
        g->limit = (double)in->bps;
    }
    out->target_bps = (uint64_t)g->target;
    out->pace_bps = (uint64_t)(g->target * 2.5);
    out->frame_bytes = (uint32_t)(g->target / 8e9 * (double)FRAME_EVERY);
    out->window_bytes = UINT32_MAX;
}

const struct tdm_rate_peer tdm_rate_peer_gcc = {
    .name = "gcc-like",
    .bytes = sizeof(struct gcc),
    .feedback_every = 50 * TDM_MS,
    .arrival_tick = 250 * TDM_US,
    .init = init,
    .step = step,
};

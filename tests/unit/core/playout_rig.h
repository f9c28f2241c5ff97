/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_PLAYOUT_RIG_H
#define TDM_TESTS_PLAYOUT_RIG_H

/*
 * A sender, a seeded network and a device around one playout, in virtual time. The generators
 * model kinds of networks; delays here never overtake within a stream unless said.
 */

#include "engine/base/rng.h"
#include "engine/core/playout.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum rig_net { RIG_LAN, RIG_ACCESS, RIG_GAUSS, RIG_WIFI, RIG_SPIKES, RIG_QUIET };

struct rig_config {
    enum rig_net net;
    uint64_t seed;
    double seconds;
    uint32_t packet_samples; /* At 48 kHz. */
    uint32_t pull_samples;
    double loss;       /* Share of packets lost at random. */
    double device_ppm; /* Device's clock against true time, */
    double sender_ppm; /* and the sender's. */
    uint32_t rtp_hz;
    double warm_up_s; /* Not counted in the means. */
    tdm_time pull_phase;
    bool wet; /* With PCM: a sine. */
    double sine_hz;
};

struct rig_packet {
    tdm_time sent, arrival;
    int64_t seq;
    bool lost;
};

struct rig_result {
    double delay_ms; /* Mean of pull time less capture time less least network delay. */
    double delay_min_ms, delay_max_ms;
    double conceal_percent; /* Concealed, or silent after the start of the stream. */
    double fixed_percent;   /* Late in a fixed buffer of the same mean delay. */
    double stretch_percent; /* Stretched and shrunk. */
    uint64_t pulls, pulled;
    double captured_error_ms; /* Worst, against the sample index in the sine's place. */
    struct tdm_playout_stats stats;
};

static inline double rig_gauss(struct tdm_rng *rng)
{
    double u = tdm_rng_unit(rng), v = tdm_rng_unit(rng);

    return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
}

static inline double rig_exponential(struct tdm_rng *rng)
{
    return -log(1 - tdm_rng_unit(rng));
}

/* Network delay in ms of each packet sent at s[i] seconds. */
struct rig_path {
    struct tdm_rng rng;
    double backlog_until_s; /* Access link, or stall: nothing passes before. */
    double next_event_s;
    double shift_ms;
};

static inline double rig_access(struct rig_path *path, double at)
{
    /* 1 Mb/s: a 1500-byte cross packet takes 12 ms. They come at random, 20 % of the link. */
    while (path->next_event_s < at) {
        double start = fmax(path->backlog_until_s, path->next_event_s);

        path->backlog_until_s = fmin(start + 0.012, path->next_event_s + 0.013);
        path->next_event_s += rig_exponential(&path->rng) * 0.060;
    }
    double wait = fmax(path->backlog_until_s - at, 0);
    path->backlog_until_s = at + wait + 0.0008;
    return wait * 1e3 + 0.8;
}

/* Everything sent during a stall comes out at its end. */
static inline double rig_stall(struct rig_path *path, double at, double every_s, double low_ms,
                               double high_ms, bool exponential)
{
    if (at >= path->next_event_s) {
        double length = exponential ? fmin(low_ms + 40 * rig_exponential(&path->rng), high_ms)
                                    : low_ms + tdm_rng_unit(&path->rng) * (high_ms - low_ms);

        if (path->next_event_s > 0)
            path->backlog_until_s = at + length * 1e-3;
        path->next_event_s = at + every_s * (0.5 + tdm_rng_unit(&path->rng));
    }
    return fmax(path->backlog_until_s - at, 0) * 1e3;
}

static inline double rig_delay_ms(struct rig_path *path, enum rig_net net, double at)
{
    switch (net) {
    case RIG_LAN:
        return 0.3 + fabs(rig_gauss(&path->rng)) * 0.5;
    case RIG_ACCESS:
        return 10 + rig_access(path, at);
    case RIG_GAUSS:
        if (at >= path->next_event_s) {
            path->shift_ms = tdm_rng_unit(&path->rng) * 40;
            path->next_event_s = at + 20 + 20 * tdm_rng_unit(&path->rng);
        }
        return fmax(60 + path->shift_ms + 12 * rig_gauss(&path->rng), 10);
    case RIG_WIFI:
        return 2 + fabs(rig_gauss(&path->rng)) + rig_stall(path, at, 4, 30, 250, true);
    case RIG_SPIKES:
        return 20 + fabs(rig_gauss(&path->rng)) * 2 + rig_stall(path, at, 15, 100, 400, false);
    case RIG_QUIET:
        return 1;
    }
    return 0;
}

static inline int rig_by_arrival(const void *a, const void *b)
{
    const struct rig_packet *x = a, *y = b;

    if (x->arrival != y->arrival)
        return x->arrival < y->arrival ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Queues keep the order on every path; *least gets the smallest delay. */
static inline struct rig_packet *rig_packets(const struct rig_config *c, uint32_t *count,
                                             tdm_time *least)
{
    struct rig_path path = {.rng = tdm_rng_of(c->seed)};
    double period_s = c->packet_samples / 48000.0 / (1 + c->sender_ppm * 1e-6);
    tdm_time last = 0;

    *count = (uint32_t)(c->seconds / period_s);
    *least = TDM_NEVER;
    struct rig_packet *packets = calloc(*count, sizeof *packets);
    assert(packets);
    for (uint32_t i = 0; i < *count; i++) {
        double at = i * period_s;
        struct rig_packet *k = &packets[i];

        k->seq = i;
        k->sent = (tdm_time)(at * 1e9);
        k->arrival = k->sent + (tdm_time)(rig_delay_ms(&path, c->net, at) * 1e6);
        k->arrival = tdm_time_max(k->arrival, last);
        last = k->arrival;
        k->lost = tdm_rng_chance(&path.rng, c->loss);
        *least = tdm_time_min(*least, k->arrival - k->sent);
    }
    qsort(packets, *count, sizeof *packets, rig_by_arrival);
    return packets;
}

/* Called for every block that was pulled; `pcm` is NULL when dry. */
typedef void rig_block_fn(void *arg, const struct tdm_playout_out *out);

static inline void rig_sine(const struct rig_config *c, int64_t from, int16_t *pcm, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(10000 *
                                sin(6.283185307179586 * c->sine_hz * (double)(from + i) / 48000.0));
}

static inline void rig_pull(const struct rig_config *c, struct tdm_playout *p, tdm_time now,
                            struct tdm_playout_out *out)
{
    static int16_t pcm[TDM_PLAYOUT_FRAME_MAX];
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PULL};

    in.pull.samples = c->pull_samples;
    in.pull.play_at = now;
    for (;;) {
        tdm_playout_step(p, now, &in, out);
        if (out->action == TDM_PLAYOUT_READY)
            return;
        assert(out->action == TDM_PLAYOUT_DECODE || out->action == TDM_PLAYOUT_CONCEAL);
        in.kind = TDM_PLAYOUT_PCM;
        in.pcm.data = c->wet ? pcm : NULL;
        in.pcm.failed = false;
        if (out->action == TDM_PLAYOUT_DECODE) {
            int64_t seq;

            assert(out->payload_size == sizeof seq);
            memcpy(&seq, out->payload, sizeof seq);
            in.pcm.samples = c->packet_samples;
            if (c->wet)
                rig_sine(c, seq * c->packet_samples, pcm, c->packet_samples);
        } else {
            in.pcm.samples = out->samples;
            memset(pcm, 0, sizeof pcm);
        }
    }
}

static inline struct rig_result rig_run(const struct rig_config *c, rig_block_fn *each, void *arg)
{
    struct tdm_playout_config config = {.sample_hz = 48000,
                                        .rtp_hz = c->rtp_hz ? c->rtp_hz : 48000,
                                        .channels = 1,
                                        .max_delay = 2 * TDM_S,
                                        .dry = !c->wet};
    struct rig_result r = {.delay_min_ms = 1e9, .delay_max_ms = -1e9};
    uint32_t count, next = 0;
    tdm_time least;
    struct rig_packet *packets = rig_packets(c, &count, &least);
    void *storage = malloc(tdm_playout_bytes(&config));
    assert(storage);
    struct tdm_playout *p = tdm_playout_init(storage, &config, 0);
    double period_ns = c->pull_samples / 48000.0 / (1 + c->device_ppm * 1e-6) * 1e9, sum = 0;
    uint64_t timed = 0;
    struct tdm_playout_stats warm = {0};

    for (uint64_t k = 0; (double)k * period_ns < (c->seconds - 1) * 1e9; k++) {
        tdm_time now = c->pull_phase + (tdm_time)((double)k * period_ns);
        struct tdm_playout_out out;

        for (; next < count && packets[next].arrival <= now; next++) {
            struct rig_packet *x = &packets[next];
            struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};

            if (x->lost)
                continue;
            in.packet = (struct tdm_playout_packet){
                .seq = x->seq + 100,
                .rtp_time = 5000 + x->seq * (int64_t)c->packet_samples * config.rtp_hz / 48000,
                .arrival = x->arrival,
                .captured = x->sent,
                .samples = c->packet_samples,
                .size = sizeof x->seq,
                .payload = (const uint8_t *)&x->seq,
            };
            tdm_playout_step(p, x->arrival, &in, &out);
        }
        rig_pull(c, p, now, &out);
        r.pulls++;
        r.pulled += out.samples;
        if (each)
            each(arg, &out);
        if ((double)now * 1e-9 < c->warm_up_s) {
            warm = *tdm_playout_stats_of(p);
            continue;
        }
        if (out.captured != TDM_NEVER && !out.silent) {
            double ms = (double)(now - out.captured - least) * 1e-6;

            sum += ms;
            timed++;
            r.delay_min_ms = fmin(r.delay_min_ms, ms);
            r.delay_max_ms = fmax(r.delay_max_ms, ms);
        }
    }
    r.stats = *tdm_playout_stats_of(p);
    r.delay_ms = sum / (double)(timed ? timed : 1);
    double played = (c->seconds - 1 - c->warm_up_s) * 480.0;
    r.conceal_percent = (double)(r.stats.concealed_samples + r.stats.silent_samples -
                                 warm.concealed_samples - warm.silent_samples) /
                        played;
    for (uint32_t i = 0; i < count; i++) {
        double ms = (double)(packets[i].arrival - packets[i].sent - least) * 1e-6;

        r.fixed_percent += packets[i].lost || ms > r.delay_ms ? 100.0 / count : 0;
    }
    r.stretch_percent = (double)(r.stats.stretched_samples + r.stats.shrunk_samples -
                                 warm.stretched_samples - warm.shrunk_samples) /
                        played;
    free(storage);
    free(packets);
    return r;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate.h"

#include <string.h>

#define FRAME_EVERY     (TDM_S / 30)
#define TELL_EVERY      (12 * TDM_MS)
#define BUSY_QUEUE      (2 * TDM_MS) /* A packet that waited so long kept the bottleneck busy. */
#define BASE_AGE        (10 * TDM_S)
#define BASE_NEAR       (2 * TDM_MS)
#define FLOOR_BPS       60000.0
#define FRAME_MIN_BYTES 200
#define OVERDUE_SKIP    (80 * TDM_MS)
#define ALIVE_EVERY     (100 * TDM_MS)
#define PACKET_BYTES    1200

const struct tdm_window_rate_tuning tdm_window_rate_default = {
    .pace = 1.5,
    .queue_ms = 4,
    .queue_noise = 0.5,
    .correct_ms = 80,
    .memory_ms = 60,
    .raise = 1.25,
};

static double at_least(double a, double b)
{
    return a > b ? a : b;
}

static double at_most(double a, double b)
{
    return a < b ? a : b;
}

static double between(double low, double x, double high)
{
    return at_least(low, at_most(x, high));
}

static double ms_of(tdm_time t)
{
    return (double)t * 1e-6;
}

void tdm_window_rate_init(struct tdm_window_rate *r, tdm_time now, uint64_t start_bps,
                          uint64_t limit_bps, const struct tdm_window_rate_tuning *tuning)
{
    memset(r, 0, sizeof *r);
    r->tuning = tuning ? *tuning : tdm_window_rate_default;
    r->limit_bps = limit_bps;
    r->start_bps = start_bps;
    r->target_bps = (double)start_bps;
    r->base = r->base_next = TDM_NEVER;
    r->base_since = r->base_seen = now;
    r->rtt_min = TDM_NEVER;
    r->heard = now;
    r->last_sent = r->last_arrival = r->burst_sent = r->foreseen_at = TDM_NEVER;
    r->acked_since = r->loss_since = TDM_NEVER;
    r->crowded_since = TDM_NEVER;
    r->marks_at = now;
    r->marked_at = now - 3600 * TDM_S;
    r->probe_at = now;
}

/* What was under way up to the packet sent at `sent` is told of. */
static void forget_sends(struct tdm_window_rate *r, tdm_time sent)
{
    while (r->send_count && r->sends[r->send_head].at <= sent) {
        r->send_head = (r->send_head + 1) & (TDM_WINDOW_RATE_SENDS - 1);
        r->send_count--;
    }
}

static void note_send(struct tdm_window_rate *r, tdm_time now, uint32_t bytes)
{
    r->inflight += bytes;
    r->sent_at = now;
    if (r->send_count == TDM_WINDOW_RATE_SENDS)
        forget_sends(r, r->sends[r->send_head].at);
    r->sends[(r->send_head + r->send_count++) & (TDM_WINDOW_RATE_SENDS - 1)] =
        (struct tdm_window_rate_send){.at = now, .bytes = bytes};
}

/* The shortest way lately. In a crowd nobody sees the empty way, so what is known stays. */
static void learn_base(struct tdm_window_rate *r, tdm_time now, tdm_time way)
{
    if (now - r->base_since > BASE_AGE && r->mode != TDM_RATE_COEXIST) {
        r->base = r->base_next;
        r->base_next = TDM_NEVER;
        r->base_since = now;
    }
    r->base_next = tdm_time_min(r->base_next, way);
    r->base = tdm_time_min(r->base, way);
    if (way < r->base + BASE_NEAR)
        r->base_seen = now;
}

static void set_capacity(struct tdm_window_rate *r, double bps)
{
    r->capacity_bps = bps;
    r->busy_ns = r->tuning.memory_ms * 0.5e6;
    r->busy_bytes = bps / 8e9 * r->busy_ns;
}

/* How fast packets leave the bottleneck while they stand in it. */
static void learn_busy(struct tdm_window_rate *r, tdm_time gap, uint32_t bytes)
{
    double keep = 1 / (1 + ms_of(gap) / r->tuning.memory_ms);

    r->busy_bytes = r->busy_bytes * keep + bytes;
    r->busy_ns = r->busy_ns * keep + (double)gap;
    if (r->busy_ns > 2e6)
        r->capacity_bps = at_least(r->busy_bytes * 8e9 / r->busy_ns, FLOOR_BPS);
}

static void note_start(struct tdm_window_rate *r, tdm_time now)
{
    if (r->start_count == TDM_WINDOW_RATE_BURSTS) {
        r->start_head = (r->start_head + 1) & (TDM_WINDOW_RATE_BURSTS - 1);
        r->start_count--;
    }
    r->starts[(r->start_head + r->start_count++) & (TDM_WINDOW_RATE_BURSTS - 1)] = now;
}

/* Whether a burst began behind the packet before and up to this one. */
static bool is_start(struct tdm_window_rate *r, tdm_time sent)
{
    bool any = r->last_sent == TDM_NEVER;

    while (r->start_count && r->starts[r->start_head] <= sent) {
        r->start_head = (r->start_head + 1) & (TDM_WINDOW_RATE_BURSTS - 1);
        r->start_count--;
        any = true;
    }
    return any;
}

/* A burst that the bottleneck did not stretch: it has at least that much. */
static void end_burst(struct tdm_window_rate *r)
{
    tdm_time sent = r->last_sent - r->burst_sent, came = r->last_arrival - r->burst_arrival;
    tdm_time rise = r->last_queue - r->burst_queue;
    tdm_time span = tdm_time_max(tdm_time_max(sent, came), TDM_MS);

    if (r->burst_packets < 2 || (r->burst_packets < 5 && span < 5 * TDM_MS)) {
        if (r->last_queue < BUSY_QUEUE && r->queue < BUSY_QUEUE && r->capacity_bps > 0)
            set_capacity(r, r->capacity_bps * 1.02); /* Too little to measure with. */
        return;
    }
    double bps = r->burst_bytes * 8e9 / (double)span;

    if (rise < 3 * TDM_MS && bps > r->capacity_bps)
        set_capacity(r, bps);
    else if (rise >= 3 * TDM_MS && r->mode == TDM_RATE_START)
        r->mode = TDM_RATE_DELAY;
}

static void begin_burst(struct tdm_window_rate *r, const struct tdm_ack *ack, tdm_time queue)
{
    end_burst(r);
    if (r->foreseen_at != TDM_NEVER && ack->sent >= r->foreseen_at) {
        double error = ms_of(queue - r->foreseen);

        r->noise_ms += 0.1 * ((error < 0 ? -error : error) - r->noise_ms);
        r->foreseen_at = TDM_NEVER;
    }
    r->queue += (queue - r->queue) / 2;
    r->burst_sent = ack->sent;
    r->burst_arrival = ack->arrival;
    r->burst_queue = queue;
    r->burst_bytes = r->burst_packets = 0;
}

static void take_arrival(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack)
{
    tdm_time way = ack->arrival - ack->sent;

    learn_base(r, now, way);
    r->rtt_min = tdm_time_min(r->rtt_min, now - ack->sent);
    tdm_time queue = way - r->base;
    tdm_time gap = r->last_arrival == TDM_NEVER ? 0 : ack->arrival - r->last_arrival;

    if (queue > BUSY_QUEUE && gap > 0 && gap < TDM_S)
        learn_busy(r, gap, ack->bytes);
    else if (queue > BUSY_QUEUE && gap == 0 && r->busy_ns > 0)
        r->busy_bytes += ack->bytes;
    if (is_start(r, ack->sent)) {
        begin_burst(r, ack, queue);
    } else {
        r->burst_bytes += ack->bytes;
        r->burst_packets++;
    }
    r->last_queue = queue;
    r->last_sent = ack->sent;
    r->last_arrival = ack->arrival;
}

static void take_acks(struct tdm_window_rate *r, tdm_time now, const struct tdm_congestion_in *in)
{
    for (uint32_t i = 0; i < in->ack_count; i++) {
        const struct tdm_ack *ack = &in->acks[i];

        if (!ack->again)
            r->inflight -= ack->bytes;
        forget_sends(r, ack->sent);
        if (ack->arrival == TDM_NEVER || ack->again ||
            (r->last_sent != TDM_NEVER && ack->sent < r->last_sent))
            continue;
        take_arrival(r, now, ack);
        r->acked_bytes += ack->bytes;
    }
    if (r->acked_since == TDM_NEVER)
        r->acked_since = now;
    double passed = (double)(now - r->acked_since);

    if (passed >= 20e6) {
        double bps = r->acked_bytes * 8e9 / passed;
        r->acked_bps += (bps - r->acked_bps) * at_most(passed / 100e6, 1);
        r->acked_bytes = 0;
        r->acked_since = now;
    }
    r->heard = now;
}

/* The queue that a packet would meet which left behind all that waits. */
static tdm_time foresee(const struct tdm_window_rate *r, tdm_time now, uint32_t waiting)
{
    double per_byte = 8e9 / at_least(r->capacity_bps, FLOOR_BPS);
    double queue = (double)r->last_queue;
    tdm_time at = r->last_sent;

    if (at == TDM_NEVER)
        return 0;
    for (uint32_t i = 0; i < r->send_count; i++) {
        const struct tdm_window_rate_send *s =
            &r->sends[(r->send_head + i) & (TDM_WINDOW_RATE_SENDS - 1)];

        queue = at_least(queue - (double)(s->at - at), 0) + s->bytes * per_byte;
        at = s->at;
    }
    queue = at_least(queue - (double)(now - at), 0) + waiting * per_byte;
    if (r->send_count && r->rtt_min != TDM_NEVER) {
        /* What should have been told of by now stands in a queue, whatever was foreseen. */
        tdm_time age = now - r->sends[r->send_head].at - r->rtt_min - 2 * TELL_EVERY;

        queue = at_least(queue, (double)age);
    }
    return (tdm_time)queue;
}

static void plan_frame(struct tdm_window_rate *r, tdm_time now, uint32_t waiting,
                       struct tdm_congestion_out *out)
{
    double capacity = r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps;
    tdm_time queue = foresee(r, now, waiting);
    double goal = r->tuning.queue_ms + r->tuning.queue_noise * at_most(r->noise_ms, 60);
    double factor = 1 + between(-0.95, (goal - ms_of(queue)) / r->tuning.correct_ms,
                                r->tuning.raise - 1);

    r->foreseen = queue;
    r->foreseen_at = now;
    double bps = at_most(capacity * factor, (double)r->limit_bps);

    r->target_bps += (bps - r->target_bps) * 0.3;
    out->frame_bytes = (uint32_t)at_least(bps / 8e9 * (double)FRAME_EVERY, FRAME_MIN_BYTES);
    if (queue > 200 * TDM_MS && now - r->sent_at < ALIVE_EVERY)
        out->frame_bytes = 0;
}

static void probe(struct tdm_window_rate *r, tdm_time now, struct tdm_congestion_out *out)
{
    double known = at_least(r->capacity_bps, (double)r->start_bps);

    if (r->mode != TDM_RATE_START || now < r->probe_at || r->probes > 6)
        return;
    if (known > (double)r->limit_bps) {
        r->mode = TDM_RATE_DELAY;
        return;
    }
    note_start(r, now);
    out->probe_bps = (uint64_t)(known * (r->probes ? 3 : 5));
    out->probe_bytes = 10 * PACKET_BYTES;
    r->probes++;
    r->probe_at = now + (r->rtt_min == TDM_NEVER ? 300 * TDM_MS : r->rtt_min + TELL_EVERY);
}

void tdm_window_rate_step(struct tdm_window_rate *r, tdm_time now,
                          const struct tdm_congestion_in *in, struct tdm_congestion_out *out)
{
    out->probe_bytes = 0;
    switch (in->kind) {
    case TDM_CONGESTION_SENT:
        note_send(r, now, in->bytes);
        break;
    case TDM_CONGESTION_ACKS:
        take_acks(r, now, in);
        probe(r, now, out);
        break;
    case TDM_CONGESTION_FRAME:
        note_start(r, now);
        plan_frame(r, now, in->bytes, out);
        probe(r, now, out);
        break;
    case TDM_CONGESTION_LIMIT:
        r->limit_bps = in->bps;
        break;
    }
    double capacity = r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps;

    out->target_bps = (uint64_t)r->target_bps;
    out->pace_bps = (uint64_t)(at_least(capacity, FLOOR_BPS) * r->tuning.pace);
    out->window_bytes = UINT32_MAX;
}

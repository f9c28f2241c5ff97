/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate.h"

#include <string.h>

#define FRAME_EVERY     ((tdm_time)33333333) /* 30 a second. */
#define TELL_EVERY      (12 * TDM_MS)
#define BUSY_QUEUE      (2 * TDM_MS) /* A packet that waited so long kept the bottleneck busy. */
#define BASE_AGE        (30 * TDM_S)
#define DRAIN_AFTER     (5 * TDM_S)
#define DRAIN_FOR       (400 * TDM_MS)
#define WAY_JUMP        (20 * TDM_S)
#define MEMORY          (60 * TDM_S)
#define RTT_UNKNOWN     (100 * TDM_MS)
#define BASE_NEAR       (2 * TDM_MS)
#define CROWD_QUEUE     (70 * TDM_MS) /* Ours among themselves keep it shorter. */
#define CROWD_FOR       (2000 * TDM_MS)
#define CROWD_OWED      4.0
#define CALM_QUEUE      (25 * TDM_MS)
#define TRY_EVERY       (6 * TDM_S)
#define TRY_FOR         (500 * TDM_MS)
#define TRY_PART        0.4
#define CUT             0.75
#define GROW_EVERY_MS   300.0
#define GROW_LONG_MS    400.0
#define MARKS_LAST      (2 * TDM_S)
#define LOSS_PACKETS    60
#define LOSS_EVERY      (300 * TDM_MS)
#define CEILING_FOR     (8 * TDM_S)
#define FLOOR_BPS       60000.0
#define FRAME_MIN_BYTES 200
#define OVERDUE_SLACK   (20 * TDM_MS) /* Feedback may be so late without a queue. */
#define SKIP_QUEUE      (50 * TDM_MS) /* A frame behind it would come too late to be of use. */
#define ALIVE_EVERY     (500 * TDM_MS)

#define PACKET_BYTES 1200

const struct tdm_window_rate_tuning tdm_window_rate_default = {
    .pace = 1.3,
    .queue_ms = 3,
    .correct_ms = 80,
    .memory_ms = 60,
    .raise = 1.25,
    .small_ms = 10,
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

/* The shortest round trip, or what is as likely as any while none is known. */
static tdm_time round_trip(const struct tdm_window_rate *r)
{
    return r->rtt_min == TDM_NEVER ? RTT_UNKNOWN : r->rtt_min;
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
    r->rtt_min = r->rtt_next = TDM_NEVER;
    r->heard = now;
    r->last_sent = r->last_arrival = r->burst_sent = TDM_NEVER;
    r->acked_since = TDM_NEVER;
    r->lost_since = r->last_frame = now;
    r->crowded_since = TDM_NEVER;
    r->marks_since = now;
    r->marked_at = r->cut_at = now - 3600 * TDM_S;
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

static void forget_next(struct tdm_window_rate *r, tdm_time now)
{
    r->base_next = r->rtt_next = TDM_NEVER;
    r->base_since = now;
}

/* It leads elsewhere now. */
static void forget_way(struct tdm_window_rate *r, tdm_time now)
{
    r->base = r->rtt_min = TDM_NEVER;
    r->base_seen = now;
    r->last_sent = r->last_arrival = r->burst_sent = TDM_NEVER;
    r->burst_packets = 0;
    r->queue = r->last_queue = 0;
    r->crowded_since = TDM_NEVER;
    forget_next(r, now);
}

/* The shortest way lately. In a crowd nobody sees the empty way, so what is known stays. */
static void learn_base(struct tdm_window_rate *r, tdm_time now, tdm_time way, tdm_time rtt)
{
    if (r->base != TDM_NEVER && (way - r->base > WAY_JUMP || r->base - way > WAY_JUMP))
        forget_way(r, now); /* The other clock was set. */
    if (now - r->base_since > BASE_AGE && r->mode != TDM_RATE_COEXIST &&
        r->crowded_since == TDM_NEVER) {
        r->base = r->base_next;
        r->rtt_min = r->rtt_next;
        forget_next(r, now);
    }
    r->base_next = tdm_time_min(r->base_next, way);
    r->rtt_next = tdm_time_min(r->rtt_next, rtt);
    r->rtt_min = tdm_time_min(r->rtt_min, r->rtt_next);
    r->base = tdm_time_min(r->base, way);
    if (way < r->base + BASE_NEAR)
        r->base_seen = now;
}

static double possible(const struct tdm_window_rate *r, double bps)
{
    return between(FLOOR_BPS, bps, 2 * at_least((double)r->limit_bps, FLOOR_BPS));
}

static void set_capacity(struct tdm_window_rate *r, double bps)
{
    bps = possible(r, bps);
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
        r->capacity_bps = possible(r, r->busy_bytes * 8e9 / r->busy_ns);
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
static void end_burst(struct tdm_window_rate *r, tdm_time now)
{
    if (r->last_sent == TDM_NEVER || r->burst_sent == TDM_NEVER)
        return; /* The first, or the first on another way. */
    tdm_time sent = r->last_sent - r->burst_sent, came = r->last_arrival - r->burst_arrival;
    tdm_time rise = r->last_queue - r->burst_queue;
    tdm_time span = tdm_time_max(tdm_time_max(sent, came), TDM_MS);

    if (r->burst_packets < 2 || (r->burst_packets < 5 && span < 5 * TDM_MS)) {
        if (r->last_queue < BUSY_QUEUE && r->queue < BUSY_QUEUE && r->capacity_bps > 0)
            set_capacity(r, r->capacity_bps * 1.05); /* Too little to measure with. */
        return;
    }
    double bps = r->burst_bytes * 8e9 / (double)span;

    if (now - r->marked_at < MARKS_LAST)
        return; /* Marks tell more. */

    if (rise < 3 * TDM_MS && bps > r->capacity_bps)
        set_capacity(r, bps);
    else if (rise >= 3 * TDM_MS && r->mode == TDM_RATE_START)
        r->mode = TDM_RATE_DELAY;
}

static void begin_burst(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack,
                        tdm_time queue)
{
    end_burst(r, now);
    r->queue += (queue - r->queue) / 2;
    r->burst_sent = ack->sent;
    r->burst_arrival = ack->arrival;
    r->burst_queue = queue;
    r->burst_bytes = r->burst_packets = 0;
}

static void take_arrival(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack)
{
    tdm_time way = ack->arrival - ack->sent;

    learn_base(r, now, way, now - ack->sent);
    tdm_time queue = way - r->base;
    tdm_time gap = r->last_arrival == TDM_NEVER ? 0 : ack->arrival - r->last_arrival;

    bool start = is_start(r, ack->sent);

    /* Between two bursts others may have been served: only where bursts are too small to measure
     * within them does that gap count. */
    if (queue > BUSY_QUEUE && gap >= 0 && gap < TDM_S && now - r->marked_at > MARKS_LAST &&
        !(start && r->burst_packets >= 1))
        learn_busy(r, gap, ack->bytes);
    if (start) {
        begin_burst(r, now, ack, queue);
    } else {
        r->burst_bytes += ack->bytes;
        r->burst_packets++;
    }
    r->last_queue = queue;
    r->last_sent = ack->sent;
    r->last_arrival = ack->arrival;
}

static void take_loss(struct tdm_window_rate *r, tdm_time now, const struct tdm_ack *ack)
{
    r->packets++;
    r->lost++;
    if (r->mode != TDM_RATE_COEXIST || ack->sent < r->cut_at)
        return;
    r->window_bytes *= CUT;
    r->cut_at = now;
}

/* Loss without a queue. Whether it is for what we send shows when we send less: a policer then
 * lets all of it pass, and a bad way does not. */
static void judge_loss(struct tdm_window_rate *r, tdm_time now)
{
    tdm_time passed = now - r->lost_since;

    if (r->mode == TDM_RATE_START && r->lost >= 5 && passed > LOSS_EVERY)
        r->mode = TDM_RATE_DELAY; /* It found the end of the way, if not by a queue. */
    if (r->mode == TDM_RATE_COEXIST || r->queue > CALM_QUEUE) {
        r->packets = r->lost = 0; /* Loss by a queue is the queue's affair. */
        r->lost_since = now;
    }
    if (r->ceiling_bps > 0 && r->suspect <= 0 && now - r->ceiling_at > CEILING_FOR) {
        r->ceiling_bps *= 1.1;
        r->ceiling_at += TDM_S;
        if (r->ceiling_bps > (double)r->limit_bps)
            r->ceiling_bps = 0;
    }
    if (r->packets < LOSS_PACKETS || passed < LOSS_EVERY)
        return;
    double part = (double)r->lost / r->packets;

    r->packets = r->lost = 0;
    r->lost_since = now;
    if (r->suspect > 0) {
        if (now - r->ceiling_at < LOSS_EVERY + round_trip(r))
            return; /* Of what was sent before. */
        if (part > r->suspect / 2) {
            r->inherent = at_least(r->inherent, part);
            r->ceiling_bps = 0;
        }
        r->suspect = 0;
    } else if (part > 1.5 * r->inherent + 0.02) {
        r->suspect = part - r->inherent;
        r->ceiling_bps = at_least(r->acked_bps * 0.92, 2 * FLOOR_BPS);
        r->ceiling_at = now;
    } else {
        r->inherent += (part - r->inherent) * 0.05;
    }
}

/* Once a round trip: less by half of the marked part, or a little more. */
static void follow_marks(struct tdm_window_rate *r, tdm_time now)
{
    tdm_time rtt = tdm_time_max(round_trip(r), 10 * TDM_MS);

    if (now - r->marks_since < rtt || !(r->marked + r->unmarked))
        return;
    double part = (double)r->marked / (r->marked + r->unmarked);

    r->marked_part += (part - r->marked_part) / 8;
    r->mode = TDM_RATE_DELAY;
    if (r->marked)
        set_capacity(r, r->capacity_bps * (1 - at_least(r->marked_part, part / 4) / 2));
    else
        set_capacity(r, r->capacity_bps * 1.005 + 2 * PACKET_BYTES * 8e9 / (double)rtt * 0.2);
    r->marked = r->unmarked = 0;
    r->marks_since = now;
}

/* Times that can be: feedback may lie. */
static bool is_sane(const struct tdm_ack *ack, tdm_time now)
{
    return ack->sent <= now && ack->sent > now - MEMORY &&
           (ack->arrival == TDM_NEVER ||
            (ack->arrival < INT64_MAX / 4 && ack->arrival > INT64_MIN / 4)) &&
           ack->bytes <= UINT16_MAX;
}

static void take_acks(struct tdm_window_rate *r, tdm_time now, const struct tdm_congestion_in *in)
{
    for (uint32_t i = 0; i < in->ack_count; i++) {
        const struct tdm_ack *ack = &in->acks[i];

        if (!is_sane(ack, now))
            continue;
        if (!ack->again)
            r->inflight -= ack->bytes;
        r->inflight = r->inflight > 0 ? r->inflight : 0;
        forget_sends(r, ack->sent);
        if (ack->arrival == TDM_NEVER)
            take_loss(r, now, ack);
        if (ack->arrival == TDM_NEVER || ack->again ||
            (r->last_sent != TDM_NEVER && ack->sent < r->last_sent))
            continue;
        r->packets++;
        if (ack->ce)
            r->marked_at = now;
        r->marked += ack->ce;
        r->unmarked += !ack->ce;
        take_arrival(r, now, ack);
        r->acked_bytes += ack->bytes;
    }
    if (r->acked_since == TDM_NEVER)
        r->acked_since = now;
    double passed = (double)(now - r->acked_since);

    if (passed >= 20e6) {
        double bps = r->acked_bytes * 8e9 / passed;

        if (r->queue > 6 * TDM_MS && r->acked_bps > 0) {
            double more = r->capacity_bps / r->acked_bps;

            r->crowd += (between(0, (more - 1.08) / 0.1, 1) - r->crowd) * at_most(passed / 1e9, 1);
        } else if (r->queue < 3 * TDM_MS) {
            r->crowd -= r->crowd * at_most(passed / 2e9, 1);
        }
        r->acked_bps += (bps - r->acked_bps) * at_most(passed / 100e6, 1);
        r->acked_bytes = 0;
        r->acked_since = now;
    }
    r->heard = now;
    if (r->mode == TDM_RATE_START && r->burst_packets >= 8)
        end_burst(r, now);
    if (now - r->marked_at < MARKS_LAST)
        follow_marks(r, now);
    else
        judge_loss(r, now);
}

/* The queue that a packet would meet which left behind all that waits. */
static tdm_time foresee(const struct tdm_window_rate *r, tdm_time now, uint32_t waiting)
{
    double per_byte = 8e9 / at_least(r->capacity_bps, FLOOR_BPS);
    double queue = (double)r->last_queue;
    double share = at_most(r->acked_bps * per_byte / 8e9, 1);
    double drain = 1 + r->crowd * (share - 1); /* Others use the rest. */
    tdm_time at = r->last_sent;

    if (at == TDM_NEVER)
        return 0;
    for (uint32_t i = 0; i < r->send_count; i++) {
        const struct tdm_window_rate_send *s =
            &r->sends[(r->send_head + i) & (TDM_WINDOW_RATE_SENDS - 1)];

        queue = at_least(queue - drain * (double)(s->at - at), 0) + s->bytes * per_byte;
        at = s->at;
    }
    queue = at_least(queue - drain * (double)(now - at), 0) + waiting * per_byte;
    if (r->send_count && r->rtt_min != TDM_NEVER) {
        /* What should have been told of by now stands in a queue, whatever was foreseen. */
        tdm_time age = now - r->sends[r->send_head].at - r->rtt_min - OVERDUE_SLACK;

        queue = at_least(queue, (double)age);
    }
    return (tdm_time)queue;
}

/* Whether somebody else keeps the queue full: we gave up enough for it to be gone, four times over,
 * and it is not. */
static void watch_crowd(struct tdm_window_rate *r, tdm_time now, double factor)
{
    double passed = at_most(ms_of(now - r->last_frame), 100);

    if (r->queue < CROWD_QUEUE) {
        r->crowded_since = TDM_NEVER;
        if (r->mode == TDM_RATE_DELAY && r->queue < CALM_QUEUE)
            r->remembered_bps += (r->target_bps - r->remembered_bps) * at_most(passed / 3000, 1);
        return;
    }
    if (r->crowded_since == TDM_NEVER) {
        r->crowded_since = now;
        r->owed_ms = r->crowded_top_ms = 0;
    }
    if (now - r->heard < 700 * TDM_MS)
        r->owed_ms += passed * (1 - factor);
    r->crowded_top_ms = at_least(r->crowded_top_ms, ms_of(r->queue));
    if (r->mode != TDM_RATE_DELAY || now - r->crowded_since < CROWD_FOR ||
        r->owed_ms < CROWD_OWED * r->crowded_top_ms)
        return;
    r->mode = TDM_RATE_COEXIST;
    r->window_bytes = r->remembered_bps / 16 * ms_of(round_trip(r) + r->queue) * 1e-3;
    r->try_at = now + TRY_EVERY;
    r->cut_at = now;
}

/* Less for half a second: does the queue go as if nobody else filled it, or not at all? */
static double try_alone(struct tdm_window_rate *r, tdm_time now)
{
    tdm_time since = now - r->try_at;
    double gone;

    if (since < 0) {
        r->try_queue = r->queue;
        if (r->acked_bps > 0.9 * r->remembered_bps && since > TDM_S - TRY_EVERY)
            r->try_at = now; /* As much as when we were alone. */
        return 1;
    }
    if (since < TRY_FOR + round_trip(r) + r->try_queue)
        return since < TRY_FOR ? TRY_PART : 1;
    gone = (double)(r->try_queue - r->queue) / ((1 - TRY_PART) * (double)TRY_FOR);
    r->try_at = now + TRY_EVERY;
    if (gone > 0.75) {
        r->mode = TDM_RATE_DELAY;
    } else if (gone < 0.05 && gone > -0.05) { /* What does not move at all is not a queue. */
        forget_way(r, now);
        r->mode = TDM_RATE_DELAY;
    }
    return 1;
}

/* Beside flows that only a loss stops: a window that grows by a packet a round trip. */
static double coexist(struct tdm_window_rate *r, tdm_time now)
{
    double rtt_ms = ms_of(round_trip(r) + r->queue);
    double passed = at_most(ms_of(now - r->last_frame), 100);

    if (r->queue < CALM_QUEUE) {
        r->mode = TDM_RATE_DELAY;
        set_capacity(r, at_least(r->acked_bps, FLOOR_BPS));
        return r->acked_bps;
    }
    /* As CUBIC: not slower for a long round trip, and in proportion where much is under way. */
    r->window_bytes +=
        PACKET_BYTES * passed / at_most(rtt_ms, GROW_EVERY_MS) * at_least(rtt_ms / GROW_LONG_MS, 1);
    r->window_bytes = at_least(r->window_bytes, 4 * PACKET_BYTES);
    return r->window_bytes * 8e3 / rtt_ms * try_alone(r, now);
}

static double by_delay(struct tdm_window_rate *r, tdm_time now, tdm_time queue)
{
    double capacity = r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps;
    double goal = r->tuning.queue_ms;

    if (r->ceiling_bps > 0) {
        capacity = at_most(capacity, r->ceiling_bps);
        if (r->capacity_bps > capacity)
            set_capacity(r, capacity); /* So that bursts are no faster, too. */
    }
    /* So that small flows grow among large ones. */
    goal += at_most(r->tuning.small_ms * 1e6 / at_least(r->target_bps, FLOOR_BPS), 150);
    double factor = (goal - ms_of(queue)) / r->tuning.correct_ms;

    factor = 1 + between(-0.95, factor, r->tuning.raise - 1);
    if (now - r->marked_at < MARKS_LAST)
        factor = at_most(factor, 1);
    if (now - r->base_seen > DRAIN_AFTER && now > r->drain_until + DRAIN_AFTER)
        r->drain_until = now + DRAIN_FOR + round_trip(r);
    if (now < r->drain_until && r->base_seen + DRAIN_AFTER < now)
        factor = at_most(factor, 0.5);
    watch_crowd(r, now, factor);
    return capacity * factor;
}

static void plan_frame(struct tdm_window_rate *r, tdm_time now, uint32_t waiting,
                       struct tdm_congestion_out *out)
{
    tdm_time queue = foresee(r, now, waiting);
    bool shares = r->mode == TDM_RATE_COEXIST;
    double bps = shares ? coexist(r, now) : by_delay(r, now, queue);

    bps = at_most(bps, (double)r->limit_bps);
    note_start(r, now);
    r->last_frame = now;
    r->target_bps += (bps - r->target_bps) * 0.3;
    out->frame_bytes = (uint32_t)at_least(bps / 8e9 * (double)FRAME_EVERY, FRAME_MIN_BYTES);
    if (!shares && queue > SKIP_QUEUE && now - r->sent_at < ALIVE_EVERY)
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
        plan_frame(r, now, in->bytes, out);
        probe(r, now, out);
        break;
    case TDM_CONGESTION_LIMIT:
        r->limit_bps = in->bps;
        break;
    }
    double capacity = r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps;

    if (r->mode == TDM_RATE_COEXIST)
        capacity = r->target_bps;
    else
        capacity += r->crowd * (at_most(r->target_bps, capacity) - capacity);
    out->target_bps = (uint64_t)r->target_bps;
    out->pace_bps = (uint64_t)(at_least(capacity, FLOOR_BPS) *
                               (now - r->marked_at < MARKS_LAST ? 1.05 : r->tuning.pace));
    out->window_bytes = UINT32_MAX;
}

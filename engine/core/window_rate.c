/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate_parts.h"

#include <string.h>

#define FRAME_EVERY     ((tdm_time)33333333) /* 30 a second. */
#define SMALL_BESIDE_MS 15.0
#define BESIDE_MOST     2.0
#define DRAIN_AFTER     (5 * TDM_S)
#define DRAIN_FOR       (400 * TDM_MS)
#define MEMORY          (60 * TDM_S)
#define WINDOW_OVER     1.5
#define BURST_LEAST_BPS 1e6
#define FRAME_MIN_BYTES 200
#define FLIGHT_LEAST    (10.0 * TDM_WINDOW_RATE_PACKET_BYTES)
#define OVERDUE_SLACK   (12 * TDM_MS) /* Feedback may be so late without a queue. */
#define LOSSY           0.01
#define ROW             (60 * TDM_MS) /* Nothing comes for so long when a row is lost. */
#define TELL_MAX        (100 * TDM_MS)
#define PROBE_LOST      (300 * TDM_MS)
#define PROBE_TOLD      (20 * TDM_MS)

const struct tdm_window_rate_tuning tdm_window_rate_default = {
    .pace = 1.3,
    .queue_ms = 4,
    .correct_ms = 60,
    .memory_ms = 220,
    .raise = 1.25,
    .recent_ms = 30,
    .fallen = 0.75,
    .margin = 0.15,
    .skip_ms = 40,
    .silent_ms = 10,
    .small_ms = 8,
};

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
    r->stopped_at = now - 3600 * TDM_S;
    r->rtt_min = r->rtt_next = r->shorter = TDM_NEVER;
    r->back_base = r->back_next = TDM_NEVER;
    r->heard = now;
    r->last_sent = r->last_arrival = r->burst_sent = TDM_NEVER;
    r->acked_since = r->gap_sent = TDM_NEVER;
    r->lost_since = r->last_frame = r->proved_at = now;
    r->crowded_since = r->jump.since = TDM_NEVER;
    r->marks_since = now;
    r->marked_at = r->cut_at = now - 3600 * TDM_S;
}

/* What was under way up to the packet sent at `sent` is told of. */
static void forget_sends(struct tdm_window_rate *r, tdm_time sent)
{
    while (r->send_count && r->sends[r->send_head].at <= sent) {
        r->behind_bytes -= r->sends[r->send_head].bytes;
        r->send_head = (r->send_head + 1) & (TDM_WINDOW_RATE_SENDS - 1);
        r->send_count--;
    }
}

/* What was sent before the packet that came at `arrival` came before it, or is lost: of the last
 * one of its source nothing would be told, and the way would seem to stand still. */
static void forget_overtaken(struct tdm_window_rate *r, tdm_time arrival)
{
    if (arrival != TDM_NEVER && r->base != TDM_NEVER)
        forget_sends(r, arrival - r->base - r->last_queue - OVERDUE_SLACK);
}

static void note_send(struct tdm_window_rate *r, tdm_time now, uint32_t bytes)
{
    r->inflight += bytes;
    r->behind_bytes += bytes;
    r->sent_at = now;
    if (r->send_count == TDM_WINDOW_RATE_SENDS)
        forget_sends(r, r->sends[r->send_head].at);
    r->sends[(r->send_head + r->send_count++) & (TDM_WINDOW_RATE_SENDS - 1)] =
        (struct tdm_window_rate_send){.at = now, .bytes = bytes};
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
    tdm_time told = TDM_NEVER, first = TDM_NEVER, newest = TDM_NEVER;

    for (uint32_t i = 0; i < in->ack_count; i++) {
        const struct tdm_ack *ack = &in->acks[i];

        if (!is_sane(ack, now))
            continue;
        if (!ack->again)
            r->inflight -= ack->bytes;
        r->inflight = r->inflight > 0 ? r->inflight : 0;
        forget_sends(r, ack->sent);
        if (ack->arrival == TDM_NEVER)
            tdm_window_rate_take_loss(r, now, ack);
        else if (newest == TDM_NEVER || ack->arrival > newest)
            newest = ack->arrival;
        if (ack->arrival == TDM_NEVER || ack->again ||
            (r->last_sent != TDM_NEVER && ack->sent < r->last_sent))
            continue;
        tdm_window_rate_note_gap(r, now, ack);
        r->packets++;
        if (ack->ce)
            r->marked_at = now;
        r->marked += ack->ce;
        r->unmarked += !ack->ce;
        tdm_window_rate_learn_arrival(r, now, ack);
        if (ack->ce)
            r->marked_queue_ms += (ms_of(r->last_queue) - r->marked_queue_ms) / 8;
        told = ack->arrival;
        first = first == TDM_NEVER ? told : first;
        r->acked_bytes += ack->bytes;
        r->came_bytes += ack->bytes;
    }
    forget_overtaken(r, newest);
    tdm_window_rate_learn_crowd(r, now);
    /* Browsers tell every 50 to 100 ms; what is not told of yet is not overdue before that. How
     * often is seen by what one message spans: between two of them nothing may have come. */
    tdm_time span = told == TDM_NEVER ? 0 : tdm_time_min(told - first, TELL_MAX);

    r->tell_every = tdm_time_max(span, r->tell_every - r->tell_every / 64);
    r->heard = now;
    if (told != TDM_NEVER)
        tdm_window_rate_learn_back(r, now, told);
    if (r->mode == TDM_RATE_START && r->burst_packets >= 8)
        tdm_window_rate_end_burst(r, now);
    if (now - r->marked_at < TDM_WINDOW_RATE_MARKS_LAST)
        tdm_window_rate_follow_marks(r, now);
    else
        tdm_window_rate_judge_loss(r, now);
}

/* How late feedback may be without a queue. On a way that loses packets whatever is sent, silence
 * is rather a row of losses, its own or of what tells: a picture that is held back for it is a
 * picture less. */
static tdm_time feedback_slack(const struct tdm_window_rate *r)
{
    return tdm_time_max(OVERDUE_SLACK, r->tell_every * 3 / 2) + (r->inherent > LOSSY ? ROW : 0);
}

/* The queue that a packet would meet which left behind all that waits. */
static tdm_time foresee(struct tdm_window_rate *r, tdm_time now, uint32_t waiting)
{
    double lately = at_least(tdm_window_rate_lately_bps(r), TDM_WINDOW_RATE_FLOOR_BPS);
    double per_byte = 8e9 / (lately + (double)r->beside_bps);
    double queue = (double)r->last_queue;
    double share = at_most(r->acked_bps / lately, 1);
    double drain = 1 + r->crowd * (share - 1); /* Others use the rest, */

    drain *= lately / (lately + (double)r->beside_bps); /* and what is ours and not counted. */
    tdm_time at = r->last_sent;
    double oldest = 0;

    if (at == TDM_NEVER)
        return 0;
    for (uint32_t i = 0; i < r->send_count; i++) {
        const struct tdm_window_rate_send *s =
            &r->sends[(r->send_head + i) & (TDM_WINDOW_RATE_SENDS - 1)];

        queue = at_least(queue - drain * (double)(s->at - at), 0) + s->bytes * per_byte;
        at = s->at;
        if (i == 0)
            oldest = queue;
    }
    r->silent = 0;
    queue = at_least(queue - drain * (double)(now - at), 0) + waiting * per_byte;
    if (r->send_count && r->rtt_min != TDM_NEVER) {
        /* What should have been told of by now stands in a queue, whatever was foreseen. */
        tdm_time age = now - r->sends[r->send_head].at - r->rtt_min - feedback_slack(r) - r->back;

        queue = at_least(queue, (double)age);
        r->silent = age - (tdm_time)oldest;
    }
    return (tdm_time)queue;
}

static double by_delay(struct tdm_window_rate *r, tdm_time now, tdm_time queue)
{
    double capacity = r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps;
    double goal = r->tuning.queue_ms;

    if (r->ceiling_bps > 0) {
        capacity = at_most(capacity, r->ceiling_bps);
        if (r->capacity_bps > capacity)
            tdm_window_rate_set_capacity(r, capacity); /* So that bursts are no faster, too. */
    }
    /* So that small flows grow among large ones. */
    goal += at_most(r->tuning.small_ms * 1e6 /
                        at_least(r->target_bps + (double)r->beside_bps, TDM_WINDOW_RATE_FLOOR_BPS),
                    r->beside_bps ? SMALL_BESIDE_MS : 150);
    double whole =
        1 +
        at_most((double)r->beside_bps / at_least(capacity, TDM_WINDOW_RATE_FLOOR_BPS), BESIDE_MOST);
    double factor = (goal - ms_of(queue)) / r->tuning.correct_ms * whole;

    capacity *= 1 - r->tuning.margin * tdm_window_rate_wavering(r);
    factor = 1 + between(-0.95, factor, r->tuning.raise - 1);
    if (now - r->marked_at < TDM_WINDOW_RATE_MARKS_LAST)
        factor = at_most(factor, 1);
    if (now - r->base_seen > DRAIN_AFTER && now > r->drain_until + DRAIN_AFTER)
        r->drain_until = now + DRAIN_FOR + round_trip(r);
    if (now < r->drain_until && r->base_seen + DRAIN_AFTER < now)
        factor = at_most(factor, 0.5);
    tdm_window_rate_judge_jump(r, now, factor);
    tdm_window_rate_watch_crowd(r, now, factor);
    return capacity * factor;
}

/* What may be behind the last packet that was told of: a frame more than the way holds by itself,
 * with the longest queue that a frame is coded behind. So much more is on the way, and no more,
 * when the capacity falls or nothing is told any longer. */
static uint32_t flight_bytes(const struct tdm_window_rate *r)
{
    double bps =
        at_least(r->capacity_bps > 0 ? r->capacity_bps : (double)r->start_bps, r->target_bps);
    tdm_time way = round_trip(r) + r->back + feedback_slack(r);

    if (r->crowded_since != TDM_NEVER)
        way += r->queue; /* Of others: what is ours in it is no more than our share. */
    double bytes = bps / 8e9 * ((double)(way + FRAME_EVERY) + r->tuning.skip_ms * 1e6);

    if (r->mode == TDM_RATE_COEXIST)
        bytes += WINDOW_OVER * r->window_bytes;
    return (uint32_t)at_most(at_least(bytes, FLIGHT_LEAST), UINT32_MAX / 2);
}

/* Whether a frame would come too late to be of use. Before anything is known, what is foreseen is
 * a guess. */
static bool is_too_much(const struct tdm_window_rate *r, bool shares, tdm_time queue,
                        uint32_t waiting)
{
    if (r->behind_bytes + waiting >= flight_bytes(r))
        return true;
    if (shares)
        return (double)r->inflight > WINDOW_OVER * r->window_bytes;
    if (r->capacity_bps <= 0)
        queue = r->last_queue;
    return queue > (tdm_time)(r->tuning.skip_ms * 1e6) ||
           r->silent > (tdm_time)(r->tuning.silent_ms * 1e6);
}

static void plan_frame(struct tdm_window_rate *r, tdm_time now, uint32_t waiting,
                       struct tdm_congestion_out *out)
{
    tdm_time queue = foresee(r, now, waiting);
    bool shares = r->mode == TDM_RATE_COEXIST;
    double bps = shares ? tdm_window_rate_coexist(r, now) : by_delay(r, now, queue);

    bps = at_most(bps, (double)r->limit_bps);
    tdm_window_rate_note_start(r, now);
    r->last_frame = now;
    r->target_bps += (bps - r->target_bps) * 0.3;
    out->frame_bytes = (uint32_t)at_least(bps / 8e9 * (double)FRAME_EVERY, FRAME_MIN_BYTES);
    r->offered_bytes = out->frame_bytes;
    /* What waits for the pacer keeps the way alive by itself. */
    if (is_too_much(r, shares, queue, waiting) &&
        (waiting || now - r->sent_at < tdm_window_rate_alive_every(r)))
        out->frame_bytes = 0;
}

static void probe(struct tdm_window_rate *r, tdm_time now, struct tdm_congestion_out *out)
{
    double known = at_least(r->capacity_bps, (double)r->start_bps);

    tdm_time round = r->rtt_min == TDM_NEVER ? PROBE_LOST : r->rtt_min + PROBE_TOLD;

    if (r->mode != TDM_RATE_START || r->probes > 6 || (r->probes && now < r->probe_until + round))
        return;
    if (known > (double)r->limit_bps) {
        r->mode = TDM_RATE_DELAY;
        return;
    }
    tdm_window_rate_note_start(r, now);
    out->probe_bps = (uint64_t)(known * (r->probes ? 4 : 8));
    out->probe_bytes = (r->probes ? 10 : 8) * TDM_WINDOW_RATE_PACKET_BYTES;
    r->probes++;
    r->probe_until = now + (tdm_time)(out->probe_bytes * 8e9 / (double)out->probe_bps);
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
    /* So small a flow would spread its frame over the whole of its time, and see the queue of
     * others as it is on the average: its share would depend on when their frames leave. */
    if (r->mode == TDM_RATE_DELAY)
        capacity = at_least(capacity, BURST_LEAST_BPS);
    out->pace_bps =
        (uint64_t)(at_least(capacity, TDM_WINDOW_RATE_FLOOR_BPS) *
                   (now - r->marked_at < TDM_WINDOW_RATE_MARKS_LAST ? 1.05 : r->tuning.pace));
    out->window_bytes = flight_bytes(r);
}

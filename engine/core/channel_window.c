/* SPDX-License-Identifier: MIT */
#include "engine/core/channel_window.h"

#define SEGMENT_BYTES                                                                              \
    UINT64_C(1448) /* What one packet of Ethernet carries of a TCP connection.                     \
                    */
#define START_BYTES     8192
#define STALL_AFTER     (2 * TDM_CHANNEL_MARGIN) /* Acknowledgements come every 10 ms. */
#define STALL_ROUNDS    3
#define EPOCH_MIN       TDM_CHANNEL_MARGIN
#define FLAT_EPOCHS_MAX 4
#define DRAIN_EVERY     (10 * TDM_S)
#define DRAIN_AGAIN     (2 * TDM_S)
#define DRAIN_SAMPLES   4
#define HOLD_MAX_US     10000000
#define RATE_MAX_BPS    100e9

void tdm_channel_window_init(struct tdm_channel_window *w, tdm_time now)
{
    *w = (struct tdm_channel_window){.starting = true, .start_bytes = START_BYTES};
    w->drain.due = now + DRAIN_EVERY;
}

static tdm_time shorter(tdm_time known, tdm_time sample)
{
    return known && known < sample ? known : sample;
}

/* Every record is marked while there are few; then one in each 32nd of what is under way. */
void tdm_channel_window_sent(struct tdm_channel_window *w, tdm_time now, size_t bytes)
{
    uint8_t last =
        (uint8_t)((w->mark_first + w->mark_count + TDM_CHANNEL_MARKS - 1) % TDM_CHANNEL_MARKS);
    uint64_t apart = w->mark_count < TDM_CHANNEL_MARKS / 2
                         ? 0
                         : tdm_channel_window_in_flight(w) / (TDM_CHANNEL_MARKS / 2);

    w->sent += bytes;
    if (w->mark_count == TDM_CHANNEL_MARKS)
        return;
    if (w->mark_count && w->sent - w->marks[last].offset < apart)
        return;
    last = (uint8_t)((last + 1) % TDM_CHANNEL_MARKS);
    w->marks[last].offset = w->sent;
    w->marks[last].sent_at = now;
    w->mark_count++;
}

void tdm_channel_window_limited(struct tdm_channel_window *w)
{
    w->limited_until = w->sent;
}

uint64_t tdm_channel_window_rate_bps(const struct tdm_channel_window *w)
{
    uint64_t best = 0;

    for (int i = 0; i < TDM_CHANNEL_RATES; i++)
        best = w->rates[i] > best ? w->rates[i] : best;
    return best;
}

uint64_t tdm_channel_window_bytes_of(const struct tdm_channel_window *w, tdm_time span)
{
    return (uint64_t)((double)tdm_channel_window_rate_bps(w) * (double)span / 8e9);
}

tdm_time tdm_channel_window_stalled_until(const struct tdm_channel_window *w, tdm_time now)
{
    tdm_time from = w->heard_at + STALL_AFTER;
    bool stalled = !w->starting && w->sent > w->acked && now >= from;

    return stalled ? from + STALL_ROUNDS * w->rtt_min : 0;
}

tdm_time tdm_channel_window_stalls_at(const struct tdm_channel_window *w, tdm_time now)
{
    tdm_time at = w->heard_at + STALL_AFTER;

    return !w->starting && w->sent > w->acked && at > now ? at : TDM_NEVER;
}

/* The window: what passes in the round trip and in the margin; a quarter more to look for more. */
uint64_t tdm_channel_window_bytes(const struct tdm_channel_window *w, tdm_time now, tdm_time margin)
{
    uint64_t least = w->drain.on ? SEGMENT_BYTES : 2 * SEGMENT_BYTES;
    uint64_t queue = tdm_channel_window_bytes_of(w, margin);
    uint64_t bytes = tdm_channel_window_bytes_of(w, w->rtt_min) +
                     (queue > 2 * SEGMENT_BYTES ? queue : 2 * SEGMENT_BYTES);

    if (w->starting)
        bytes = w->start_bytes;
    else if (w->drain.on)
        bytes = tdm_channel_window_bytes_of(w, w->rtt_min - w->rtt_min / 8);
    else if (w->probing)
        bytes += bytes / 4;
    tdm_time until = tdm_channel_window_stalled_until(w, now);

    if (until) /* It goes on at the rate that it had. */
        bytes +=
            tdm_channel_window_bytes_of(w, tdm_time_min(now, until) - w->heard_at - STALL_AFTER);
    return bytes > least ? bytes : least;
}

static void push_rate(struct tdm_channel_window *w, uint64_t bps)
{
    for (int i = TDM_CHANNEL_RATES - 1; i > 0; i--)
        w->rates[i] = w->rates[i - 1];
    w->rates[0] = bps;
}

/* The newest mark that the acknowledgement covers gives the round trip; the time for which the
 * other side held the acknowledgement back is not of the path. */
static void take_rtt(struct tdm_channel_window *w, tdm_time now, uint64_t hold_us)
{
    tdm_time hold = (tdm_time)(hold_us < HOLD_MAX_US ? hold_us : HOLD_MAX_US) * TDM_US;
    tdm_time sent_at = 0;
    uint64_t offset = 0;

    for (; w->mark_count && w->marks[w->mark_first].offset <= w->acked; w->mark_count--) {
        sent_at = w->marks[w->mark_first].sent_at;
        offset = w->marks[w->mark_first].offset;
        w->mark_first = (uint8_t)((w->mark_first + 1) % TDM_CHANNEL_MARKS);
    }
    if (!offset)
        return;
    w->rtt = tdm_time_max(now - sent_at - hold, TDM_US);
    w->rtt_min = shorter(w->rtt_min, w->rtt);
    w->epoch.rtt_min = shorter(w->epoch.rtt_min, w->rtt);
    if (w->rtt <= w->rtt_min + w->rtt_min / 16 + TDM_MS)
        w->drain.due = now + DRAIN_EVERY;
    if (w->drain.on && offset > w->drain.from) {
        w->drain.rtt_min = shorter(w->drain.rtt_min, w->rtt);
        w->drain.samples++;
    }
}

static void open_epoch(struct tdm_channel_window *w, tdm_time now, const struct tdm_ack *ack)
{
    w->epoch.open = true;
    w->epoch.since = now;
    w->epoch.rtt_min = 0;
    w->epoch.acked = ack->consumed;
    w->epoch.arrived_us = ack->arrived_us;
}

/* Even the fastest of this epoch had to wait. */
static bool queue_forms(const struct tdm_channel_window *w)
{
    return w->epoch.rtt_min > w->rtt_min + TDM_CHANNEL_MARGIN;
}

/* One epoch is over: its rate counts, unless there was too little to send to tell; and starting
 * ends when more under way brings no more through, or a queue has formed. */
static void end_epoch(struct tdm_channel_window *w, tdm_time now, const struct tdm_ack *ack)
{
    double there = (double)(ack->arrived_us - w->epoch.arrived_us) * 1e3;
    double here = (double)(now - w->epoch.since);
    double span = there > here ? there : here; /* Neither a burst here nor one there fakes speed. */
    double bps = (double)(ack->consumed - w->epoch.acked) * 8e9 / span;
    uint64_t best = tdm_channel_window_rate_bps(w);
    uint64_t rate = (uint64_t)(bps < RATE_MAX_BPS ? bps : RATE_MAX_BPS);
    bool limited = w->epoch.acked < w->limited_until;

    if (!limited || rate > best)
        push_rate(w, rate);
    w->probing = w->epoch.rtt_min <= w->rtt_min + TDM_CHANNEL_MARGIN / 4;
    if (!w->starting)
        return;
    if (queue_forms(w))
        w->flat_epochs = (uint8_t)(w->flat_epochs + 2); /* What was measured is a round trip old. */
    else if (!limited)
        w->flat_epochs = rate < best + best / 4 ? (uint8_t)(w->flat_epochs + 1) : 0;
    w->starting = w->flat_epochs < FLAT_EPOCHS_MAX;
}

/* A longer round trip is believed when two drains have seen it: one of them may have met a loss. */
static void end_drain(struct tdm_channel_window *w, tdm_time now)
{
    bool agree = !w->drain.samples || w->drain.rtt_min <= w->rtt_min + TDM_CHANNEL_MARGIN / 4;

    if (w->drain.samples)
        w->rtt_min = tdm_time_min(w->drain.rtt_min, tdm_time_max(w->rtt_min, w->drain.rtt_before));
    w->drain.rtt_before = w->drain.rtt_min;
    w->drain.on = false;
    w->drain.due = now + (agree ? DRAIN_EVERY : DRAIN_AGAIN);
}

/* Our own queue hides the path's round trip. Every ten seconds without a sight of it the window
 * drops below what the path holds until packets that met no queue have been acknowledged. */
static void drain(struct tdm_channel_window *w, tdm_time now)
{
    if (!w->drain.on && !w->starting && now >= w->drain.due) {
        w->drain.on = true;
        w->drain.until = now + 2 * w->rtt + 10 * TDM_CHANNEL_MARGIN;
        w->drain.from = UINT64_MAX;
        w->drain.rtt_min = 0;
        w->drain.samples = 0;
    }
    if (!w->drain.on)
        return;
    if (w->drain.from == UINT64_MAX &&
        tdm_channel_window_in_flight(w) <= tdm_channel_window_bytes(w, now, 0))
        w->drain.from = w->sent;
    if (w->drain.samples < DRAIN_SAMPLES && now < w->drain.until)
        return;
    end_drain(w, now);
}

enum tdm_err tdm_channel_window_acked(struct tdm_channel_window *w, tdm_time now,
                                      const struct tdm_ack *ack)
{
    uint64_t under_way = tdm_channel_window_in_flight(w);

    if (ack->consumed > w->sent)
        return TDM_E_MALFORMED;
    if (ack->consumed <= w->acked)
        return TDM_OK;
    uint64_t news = ack->consumed - w->acked;

    w->acked = ack->consumed;
    w->heard_at = now;
    take_rtt(w, now, ack->hold_us);
    if (w->starting && under_way >= w->start_bytes / 2 && !queue_forms(w))
        w->start_bytes += news;
    if (!w->epoch.open) {
        open_epoch(w, now, ack);
    } else if (now - w->epoch.since >= tdm_time_max(w->rtt_min, EPOCH_MIN) &&
               ack->arrived_us > w->epoch.arrived_us) {
        end_epoch(w, now, ack);
        open_epoch(w, now, ack);
    }
    drain(w, now);
    return TDM_OK;
}

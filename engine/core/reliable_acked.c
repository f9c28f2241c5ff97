/* SPDX-License-Identifier: MIT */
#include "engine/core/reliable_state.h"

#define RTO_FIRST     TDM_S
#define RTO_LEAST     (200 * TDM_MS)
#define RTO_MOST      (10 * TDM_S)
#define RTT_MOST      (60 * TDM_S)
#define REORDER_LEAST (2 * TDM_MS)
#define QUEUE_TARGET  (20 * TDM_MS)
#define WINDOW_LEAST  (2u * TDM_RELIABLE_SEGMENT)
#define WINDOW_FIRST  (8u * TDM_RELIABLE_SEGMENT)
#define BASE_LASTS    (60 * TDM_S)
#define BURST         (3 * TDM_MS) /* What was not sent in time may be caught up with. */

void tdm_reliable_path_init(struct tdm_reliable *r, tdm_time now)
{
    r->rto = RTO_FIRST;
    r->rtt_min = RTT_MOST;
    r->window = WINDOW_FIRST;
    r->threshold = TDM_RELIABLE_BUFFER;
    r->delay_minute = r->send_at = now;
    r->newest_arrived = now;
}

/* RFC 6298 section 2. */
static void take_rtt(struct tdm_reliable *r, tdm_time rtt)
{
    tdm_time off = r->srtt > rtt ? r->srtt - rtt : rtt - r->srtt;

    r->rttvar = r->srtt ? (3 * r->rttvar + off) / 4 : rtt / 2;
    r->srtt = r->srtt ? (7 * r->srtt + rtt) / 8 : rtt;
    r->rtt_min = tdm_time_min(r->rtt_min, rtt);
    r->rto = tdm_time_max(tdm_time_min(r->srtt + 4 * r->rttvar, RTO_MOST), RTO_LEAST);
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0 ? a : b;
}

/* RFC 6817 section 2.4.2, with minutes in two buckets: how much longer than at best it took. */
static void take_delay(struct tdm_reliable *r, tdm_time now, uint32_t delay_us)
{
    if (!r->delay_known) {
        r->delay_base = r->delay_before = delay_us;
        r->delay_known = true;
    }
    if (now - r->delay_minute >= BASE_LASTS) {
        r->delay_before = r->delay_base;
        r->delay_base = delay_us;
        r->delay_minute = now;
    }
    r->delay_base = earlier(r->delay_base, delay_us);
    r->queue_delay = (tdm_time)(delay_us - earlier(r->delay_base, r->delay_before)) * TDM_US;
}

static void take_echo(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_head *head)
{
    tdm_time rtt = (tdm_time)((uint32_t)(now / TDM_US) - head->echo_us) * TDM_US;

    if (!(head->flags & TDM_RELIABLE_ECHO) || rtt > RTT_MOST)
        return; /* A lie, or older than any answer. */
    take_rtt(r, tdm_time_max(rtt, TDM_US));
    take_delay(r, now, head->delay_us);
}

/* RFC 6817 section 2.4.2; it doubles each round trip until half of the queue is there. */
static void grow(struct tdm_reliable *r, uint32_t bytes, uint32_t flight_before)
{
    int64_t window = r->window;
    int64_t off = QUEUE_TARGET - r->queue_delay;

    if (r->window < r->threshold && r->queue_delay > QUEUE_TARGET / 2)
        r->threshold = r->window;
    if (off > 0 && flight_before < r->window / 2)
        return; /* It was not the window that held us. */
    off = off < -QUEUE_TARGET ? -QUEUE_TARGET : off;
    if (r->window < r->threshold)
        window += bytes;
    else
        window += off * bytes / QUEUE_TARGET * TDM_RELIABLE_SEGMENT / window;
    uint32_t held = window < (int64_t)TDM_RELIABLE_BUFFER ? (uint32_t)tdm_time_max(window, 0)
                                                          : TDM_RELIABLE_BUFFER;

    r->window = held > WINDOW_LEAST ? held : WINDOW_LEAST;
}

static void shrink(struct tdm_reliable *r)
{
    r->window = r->window / 2 > WINDOW_LEAST ? r->window / 2 : WINDOW_LEAST;
    r->threshold = r->window;
    r->recovery_end = r->next;
}

static void note_arrived(struct tdm_reliable *r, tdm_time now, struct tdm_segment *s)
{
    if (s->arrived)
        return;
    s->arrived = true;
    if (s->lost)
        r->lost_count--;
    else
        r->flight_bytes -= s->size;
    s->lost = false;
    /* What was sent again may have arrived the first time: then it says nothing about the others.
     */
    if (!s->again || now - s->sent_at >= r->rtt_min)
        r->newest_arrived = tdm_time_max(r->newest_arrived, s->sent_at);
}

/* All that was sent before that time and has not arrived is lost. */
static void lose(struct tdm_reliable *r, tdm_time before)
{
    bool shrunk = false;

    for (uint32_t i = 0; i < r->segment_count; i++) {
        struct tdm_segment *s = tdm_segment_at(r, i);

        if (s->arrived || s->lost || s->sent_at >= before)
            continue;
        s->lost = true;
        r->lost_count++;
        r->flight_bytes -= s->size;
        if (!shrunk && s->offset >= r->recovery_end) {
            shrink(r);
            shrunk = true;
        }
    }
}

/* What was sent well before something that has arrived is lost; what was sent shortly before it has
 * as long to come yet (RFC 8985 section 6.2). */
static void find_lost(struct tdm_reliable *r, tdm_time now)
{
    tdm_time reorder = tdm_time_max(r->srtt / 4, REORDER_LEAST);
    bool late = false;

    lose(r, r->newest_arrived - reorder);
    for (uint32_t i = 0; i < r->segment_count && r->reorder_at == TDM_NEVER && !late; i++) {
        const struct tdm_segment *s = tdm_segment_at(r, i);

        late = !s->arrived && !s->lost && s->sent_at < r->newest_arrived;
    }
    if (!late)
        return;
    r->reorder_at = now + reorder;
    r->reorder_mark = r->newest_arrived;
}

void tdm_reliable_late(struct tdm_reliable *r)
{
    r->reorder_at = TDM_NEVER;
    lose(r, r->reorder_mark);
}

static void take_ranges(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_head *head)
{
    for (uint8_t i = 0; i < head->range_count; i++) {
        uint64_t begin = head->acked + head->ranges[i].begin;
        uint64_t end = begin + head->ranges[i].size;

        for (uint32_t k = 0; k < r->segment_count; k++) {
            struct tdm_segment *s = tdm_segment_at(r, k);

            if (s->offset >= end)
                break;
            if (s->offset >= begin && s->offset + s->size <= end)
                note_arrived(r, now, s);
        }
    }
}

void tdm_reliable_take_acked(struct tdm_reliable *r, tdm_time now,
                             const struct tdm_reliable_head *head)
{
    uint32_t before = r->flight_bytes;
    uint64_t limit = head->acked + head->window;
    bool progress = false;

    take_echo(r, now, head);
    r->limit = limit > r->limit ? limit : r->limit;
    while (r->segment_count) {
        struct tdm_segment *s = tdm_segment_at(r, 0);

        if (s->offset + s->size > head->acked)
            break;
        note_arrived(r, now, s);
        r->acked = s->offset + s->size;
        r->segment_first = (r->segment_first + 1) % TDM_RELIABLE_SEGMENTS;
        r->segment_count--;
        progress = true;
    }
    take_ranges(r, now, head);
    if (before > r->flight_bytes)
        grow(r, before - r->flight_bytes, before);
    find_lost(r, now);
    if (r->segment_count == 0)
        r->rto_at = TDM_NEVER;
    else if (progress || before > r->flight_bytes)
        r->rto_at = now + r->rto;
}

void tdm_reliable_timed_out(struct tdm_reliable *r, tdm_time now)
{
    for (uint32_t i = 0; i < r->segment_count; i++) {
        struct tdm_segment *s = tdm_segment_at(r, i);

        if (s->arrived || s->lost)
            continue;
        s->lost = true;
        r->lost_count++;
    }
    r->flight_bytes = 0;
    r->threshold = r->window / 2 > WINDOW_LEAST ? r->window / 2 : WINDOW_LEAST;
    r->window = WINDOW_LEAST;
    r->recovery_end = r->next;
    r->rto = tdm_time_min(2 * r->rto, RTO_MOST);
    r->rto_at = now + r->rto;
}

void tdm_reliable_pace(struct tdm_reliable *r, tdm_time now, size_t size)
{
    /* A quarter more than the window in each round trip, so that the window decides. */
    tdm_time round = r->srtt ? r->srtt : 100 * TDM_MS;
    tdm_time takes = (tdm_time)size * round / r->window * (r->window < r->threshold ? 2 : 4) / 5;

    if (r->rate_bps)
        takes = tdm_time_max(takes, (tdm_time)((uint64_t)size * 8 * TDM_S / r->rate_bps));
    r->send_at = tdm_time_max(r->send_at, now - BURST) + takes;
}

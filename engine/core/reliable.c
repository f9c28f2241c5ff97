/* SPDX-License-Identifier: MIT */
#include "engine/core/reliable_state.h"

#include <assert.h>

#define KEEP_ALIVE   (10 * TDM_S)
#define SILENT_AFTER (20 * TDM_S)
#define PROBE_MOST   (3 * TDM_S)
#define RATE_LEAST   8000 /* Slower than that is no rate but a pause without end. */
#define TELL_WINDOW  (TDM_RELIABLE_BUFFER / 4)
#define BARE_RANGES  TDM_RELIABLE_RANGES_MAX
#define DATA_RANGES                                                                                \
    ((TDM_RELIABLE_DATAGRAM - TDM_RELIABLE_HEAD_BYTES - TDM_RELIABLE_SEGMENT) /                    \
     TDM_RELIABLE_RANGE_BYTES)

size_t tdm_reliable_bytes(void)
{
    return sizeof(struct tdm_reliable);
}

static void begin(struct tdm_reliable *r, tdm_time now, uint32_t id)
{
    uint64_t rate = r->rate_bps;
    bool opener = r->opener;
    struct tdm_reliable_stats stats = r->stats;

    memset(r, 0, offsetof(struct tdm_reliable, out_bytes));
    r->opener = opener;
    r->rate_bps = rate;
    r->stats = stats;
    r->id = id;
    r->rto_at = r->reorder_at = r->probe_at = r->ack_at = r->unanswered_since = TDM_NEVER;
    r->sent_at = now;
    r->told_limit = TDM_RELIABLE_BUFFER;
    tdm_reliable_path_init(r, now);
}

struct tdm_reliable *tdm_reliable_init(void *storage, const struct tdm_reliable_config *config,
                                       tdm_time now)
{
    struct tdm_reliable *r = storage;

    memset(r, 0, sizeof *r);
    r->opener = config->opener;
    begin(r, now, config->id);
    r->state = config->opener ? TDM_RELIABLE_OPENING : TDM_RELIABLE_IDLE;
    r->probe_at = config->opener ? now : TDM_NEVER;
    return r;
}

size_t tdm_reliable_write(struct tdm_reliable *r, const uint8_t *data, size_t size)
{
    size_t room = tdm_reliable_room(r), at = (size_t)(r->written % TDM_RELIABLE_BUFFER);

    size = size < room ? size : room;
    if (size == 0)
        return 0;
    size_t first = size < TDM_RELIABLE_BUFFER - at ? size : TDM_RELIABLE_BUFFER - at;

    memcpy(r->out_bytes + at, data, first);
    memcpy(r->out_bytes, data + first, size - first);
    r->written += size;
    return size;
}

size_t tdm_reliable_read(struct tdm_reliable *r, uint8_t *data, size_t size)
{
    size_t there = tdm_reliable_readable(r), at = (size_t)(r->taken % TDM_RELIABLE_BUFFER);

    size = size < there ? size : there;
    size_t first = size < TDM_RELIABLE_BUFFER - at ? size : TDM_RELIABLE_BUFFER - at;

    memcpy(data, r->in_bytes + at, first);
    memcpy(data + first, r->in_bytes, size - first);
    r->taken += size;
    return size;
}

size_t tdm_reliable_unsent(const struct tdm_reliable *r)
{
    return (size_t)(r->written - r->next);
}

size_t tdm_reliable_room(const struct tdm_reliable *r)
{
    bool open = r->state == TDM_RELIABLE_UP || r->state == TDM_RELIABLE_OPENING;

    return open ? TDM_RELIABLE_BUFFER - (size_t)(r->written - r->acked) : 0;
}

size_t tdm_reliable_readable(const struct tdm_reliable *r)
{
    return (size_t)(r->arrived - r->taken);
}

enum tdm_reliable_state tdm_reliable_state_of(const struct tdm_reliable *r)
{
    return r->state;
}

void tdm_reliable_stats_of(const struct tdm_reliable *r, struct tdm_reliable_stats *stats)
{
    *stats = r->stats;
    stats->rtt = r->srtt;
    stats->queue_delay = r->queue_delay;
    stats->window_bytes = r->window;
}

/* Whether the datagram is of the stream that we have, or begins a later one. */
static bool belongs(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_head *head,
                    bool *begun)
{
    bool known = r->state != TDM_RELIABLE_IDLE;

    if (known && head->id == r->id)
        return r->state == TDM_RELIABLE_UP || r->state == TDM_RELIABLE_OPENING;
    if (r->opener || !(head->flags & TDM_RELIABLE_OPEN) || head->flags & TDM_RELIABLE_END ||
        (known && (int32_t)(head->id - r->id) < 0))
        return false;
    begin(r, now, head->id);
    *begun = true;
    return true;
}

static void receive(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_in *in,
                    bool *begun)
{
    struct tdm_reliable_head head;

    if (tdm_reliable_parse(&head, in->data, in->size) != TDM_OK || !belongs(r, now, &head, begun) ||
        head.acked > r->next) {
        r->stats.refused++;
        return;
    }
    r->stats.datagrams_received++;
    r->state = head.flags & TDM_RELIABLE_END ? TDM_RELIABLE_CLOSED : TDM_RELIABLE_UP;
    r->unanswered_since = TDM_NEVER;
    r->probe_at = r->sent_at + KEEP_ALIVE;
    tdm_reliable_take_acked(r, now, &head);
    tdm_reliable_take_data(r, now, &head);
    if (head.flags & TDM_RELIABLE_PROBE)
        r->ack_at = now;
}

/* A datagram with `size` bytes of the stream from `offset` on; 0: without. */
static void emit(struct tdm_reliable *r, tdm_time now, struct tdm_reliable_out *out,
                 uint64_t offset, size_t size, uint8_t flags)
{
    uint8_t data[TDM_RELIABLE_SEGMENT];
    struct tdm_reliable_head head = {.flags = flags,
                                     .id = r->id,
                                     .time_us = (uint32_t)(now / TDM_US),
                                     .offset = offset,
                                     .data = data,
                                     .size = size};
    size_t at = (size_t)(offset % TDM_RELIABLE_BUFFER);
    size_t first = size < TDM_RELIABLE_BUFFER - at ? size : TDM_RELIABLE_BUFFER - at;

    memcpy(data, r->out_bytes + at, first);
    memcpy(data + first, r->out_bytes, size - first);
    if (r->state == TDM_RELIABLE_OPENING)
        head.flags |= TDM_RELIABLE_OPEN;
    tdm_reliable_report(r, &head, size ? DATA_RANGES : BARE_RANGES);
    out->size = sizeof out->data;
    enum tdm_err err = tdm_reliable_put(&head, out->data, &out->size);

    assert(err == TDM_OK);
    r->sent_at = now;
    r->stats.datagrams_sent++;
    if ((size || flags & TDM_RELIABLE_PROBE) && r->unanswered_since == TDM_NEVER)
        r->unanswered_since = now;
    if (r->state == TDM_RELIABLE_UP && r->unanswered_since == TDM_NEVER)
        r->probe_at = now + KEEP_ALIVE;
    tdm_reliable_pace(r, now, out->size);
}

static struct tdm_segment *first_lost(struct tdm_reliable *r)
{
    for (uint32_t i = 0; r->lost_count && i < r->segment_count; i++)
        if (tdm_segment_at(r, i)->lost)
            return tdm_segment_at(r, i);
    return NULL;
}

static size_t next_size(const struct tdm_reliable *r)
{
    uint64_t unsent = r->written - r->next;
    uint64_t window = r->limit > r->next ? r->limit - r->next : 0;
    uint64_t size = unsent < window ? unsent : window;

    if (r->segment_count == TDM_RELIABLE_SEGMENTS || r->written > TDM_RELIABLE_OFFSET_MAX)
        return 0;
    return size < TDM_RELIABLE_SEGMENT ? (size_t)size : TDM_RELIABLE_SEGMENT;
}

/* Bytes that may leave now but for the pace: 0, or how many. */
static size_t sendable(struct tdm_reliable *r)
{
    const struct tdm_segment *lost = first_lost(r);
    size_t size = lost ? lost->size : next_size(r);

    if (r->state != TDM_RELIABLE_UP || (r->flight_bytes && r->flight_bytes + size > r->window))
        return 0;
    return size;
}

static void send_data(struct tdm_reliable *r, tdm_time now, struct tdm_reliable_out *out,
                      size_t size)
{
    struct tdm_segment *s = first_lost(r);

    if (s) {
        s->lost = false;
        s->again = true;
        r->lost_count--;
        r->stats.datagrams_again++;
    } else {
        s = tdm_segment_at(r, r->segment_count++);
        *s = (struct tdm_segment){.offset = r->next, .size = (uint16_t)size};
        r->next += size;
    }
    s->sent_at = now;
    r->flight_bytes += s->size;
    if (r->rto_at == TDM_NEVER)
        r->rto_at = now + r->rto;
    emit(r, now, out, s->offset, s->size, 0);
}

static void probe(struct tdm_reliable *r, tdm_time now, struct tdm_reliable_out *out)
{
    emit(r, now, out, r->next, 0, TDM_RELIABLE_PROBE);
    r->probe_at = now + r->rto;
    r->rto = tdm_time_max(r->rto, tdm_time_min(2 * r->rto, PROBE_MOST));
}

/* Data waits, none is under way, and the other side has no room: it may have said so since, and we
 * did not hear it. */
static void watch_window(struct tdm_reliable *r, tdm_time now)
{
    bool stuck = r->segment_count == 0 && r->written > r->next && next_size(r) == 0;

    if (r->state == TDM_RELIABLE_UP && stuck && r->unanswered_since == TDM_NEVER)
        r->probe_at = tdm_time_min(r->probe_at, now + r->rto);
}

static bool window_is_news(const struct tdm_reliable *r)
{
    return r->state == TDM_RELIABLE_UP &&
           r->taken + TDM_RELIABLE_BUFFER - r->told_limit >= TELL_WINDOW;
}

static void send_one(struct tdm_reliable *r, tdm_time now, struct tdm_reliable_out *out)
{
    bool live = r->state == TDM_RELIABLE_UP || r->state == TDM_RELIABLE_OPENING;
    size_t size = sendable(r);

    if (r->closing && live) {
        emit(r, now, out, r->next, 0, TDM_RELIABLE_END);
        r->state = TDM_RELIABLE_CLOSED;
    } else if (size && now >= r->send_at) {
        send_data(r, now, out, size);
    } else if (live && now >= r->probe_at) {
        probe(r, now, out);
    } else if (live && (now >= r->ack_at || window_is_news(r))) {
        emit(r, now, out, r->next, 0, 0);
    }
}

static tdm_time next_wake(struct tdm_reliable *r)
{
    tdm_time wake =
        tdm_time_min(tdm_time_min(r->ack_at, r->rto_at), tdm_time_min(r->reorder_at, r->probe_at));

    if (r->state != TDM_RELIABLE_UP && r->state != TDM_RELIABLE_OPENING)
        return TDM_NEVER;
    if (r->unanswered_since != TDM_NEVER)
        wake = tdm_time_min(wake, r->unanswered_since + SILENT_AFTER);
    return sendable(r) ? tdm_time_min(wake, r->send_at) : wake;
}

void tdm_reliable_step(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_in *in,
                       struct tdm_reliable_out *out)
{
    out->size = 0;
    out->begun = false;
    if (in && in->kind == TDM_RELIABLE_RECEIVED) {
        receive(r, now, in, &out->begun);
    } else if (in && in->kind == TDM_RELIABLE_RATE) {
        r->rate_bps = in->rate_bps && in->rate_bps < RATE_LEAST ? RATE_LEAST : in->rate_bps;
    } else if (in) {
        r->closing = true;
    }
    if (r->unanswered_since != TDM_NEVER && now - r->unanswered_since >= SILENT_AFTER &&
        (r->state == TDM_RELIABLE_UP || r->state == TDM_RELIABLE_OPENING))
        r->state = TDM_RELIABLE_LOST;
    if (now >= r->reorder_at)
        tdm_reliable_late(r);
    if (now >= r->rto_at)
        tdm_reliable_timed_out(r, now);
    watch_window(r, now);
    send_one(r, now, out);
    out->wake_at = next_wake(r);
}

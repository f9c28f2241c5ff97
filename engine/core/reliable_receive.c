/* SPDX-License-Identifier: MIT */
#include "engine/core/reliable_state.h"

#define ACK_WITHIN (5 * TDM_MS)
#define ACK_EVERY  2

static void store(struct tdm_reliable *r, uint64_t begin, const uint8_t *data, size_t size)
{
    size_t at = (size_t)(begin % TDM_RELIABLE_BUFFER);
    size_t first = size < TDM_RELIABLE_BUFFER - at ? size : TDM_RELIABLE_BUFFER - at;

    memcpy(r->in_bytes + at, data, first);
    memcpy(r->in_bytes, data + first, size - first);
}

/* Adds [begin, end) to the spans; false: too many holes. */
static bool add_span(struct tdm_reliable *r, uint64_t begin, uint64_t end)
{
    uint32_t first = 0, last;

    while (first < r->span_count && r->spans[first].end < begin)
        first++;
    for (last = first; last < r->span_count && r->spans[last].begin <= end; last++) {
        begin = begin < r->spans[last].begin ? begin : r->spans[last].begin;
        end = end > r->spans[last].end ? end : r->spans[last].end;
    }
    if (last == first && r->span_count == TDM_RELIABLE_HOLES)
        return false;
    memmove(&r->spans[first + 1], &r->spans[last], (r->span_count - last) * sizeof *r->spans);
    r->span_count = r->span_count + 1 - (last - first);
    r->spans[first] = (struct tdm_span){begin, end};
    r->newest_span = first;
    return true;
}

static void advance(struct tdm_reliable *r)
{
    if (r->span_count == 0 || r->spans[0].begin > r->arrived)
        return;
    r->arrived = r->spans[0].end;
    r->span_count--;
    memmove(r->spans, r->spans + 1, r->span_count * sizeof *r->spans);
    r->newest_span = r->newest_span ? r->newest_span - 1 : 0;
}

void tdm_reliable_take_data(struct tdm_reliable *r, tdm_time now,
                            const struct tdm_reliable_head *head)
{
    uint64_t begin = head->offset, end = head->offset + head->size;
    bool in_order = begin == r->arrived && r->span_count == 0;

    r->echo_us = head->time_us;
    r->delay_us = (uint32_t)(now / TDM_US) - head->time_us;
    r->echo_due = true;
    if (head->size == 0)
        return;
    r->ack_at = tdm_time_min(r->ack_at, now + ACK_WITHIN);
    if (++r->unacked_count >= ACK_EVERY || !in_order)
        r->ack_at = now;
    begin = begin > r->arrived ? begin : r->arrived;
    if (begin >= end || end > r->taken + TDM_RELIABLE_BUFFER || !add_span(r, begin, end))
        return;
    store(r, begin, head->data + (begin - head->offset), (size_t)(end - begin));
    advance(r);
}

static void report_span(const struct tdm_reliable *r, struct tdm_reliable_head *head, uint32_t i)
{
    const struct tdm_span *s = &r->spans[i];

    head->ranges[head->range_count++] = (struct tdm_reliable_range){
        (uint32_t)(s->begin - r->arrived), (uint32_t)(s->end - s->begin)};
}

void tdm_reliable_report(struct tdm_reliable *r, struct tdm_reliable_head *head, uint8_t ranges)
{
    head->acked = r->arrived;
    r->told_limit = r->taken + TDM_RELIABLE_BUFFER;
    head->window = (uint32_t)(r->told_limit - r->arrived);
    head->range_count = 0;
    /* The news first; then from the oldest hole on. */
    if (r->newest_span < r->span_count && ranges)
        report_span(r, head, r->newest_span);
    for (uint32_t i = 0; i < r->span_count && head->range_count < ranges; i++)
        if (i != r->newest_span)
            report_span(r, head, i);
    if (r->echo_due) {
        head->flags |= TDM_RELIABLE_ECHO;
        head->echo_us = r->echo_us;
        head->delay_us = r->delay_us;
    }
    r->echo_due = false;
    r->unacked_count = 0;
    r->ack_at = TDM_NEVER;
}

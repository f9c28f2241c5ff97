/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_RELIABLE_STATE_H
#define TDM_CORE_RELIABLE_STATE_H

/*
 * The inside of engine/core/reliable.h: reliable.c (the step and its timers), reliable_receive.c
 * (what arrived, and what to say of it), reliable_acked.c (what arrived there: round trip, losses,
 * the window).
 */

#include "engine/core/reliable.h"
#include "engine/wire/reliable_datagram.h"

#define TDM_RELIABLE_SEGMENT  1052 /* Bytes of data in one datagram: leaves room for 8 ranges. */
#define TDM_RELIABLE_SEGMENTS 512
#define TDM_RELIABLE_HOLES    32

struct tdm_segment {
    uint64_t offset;
    tdm_time sent_at; /* The last time. */
    uint16_t size;
    bool arrived, lost, again;
};

/* [begin, end) of the stream. */
struct tdm_span {
    uint64_t begin, end;
};

struct tdm_reliable {
    bool opener, closing;
    enum tdm_reliable_state state;
    uint32_t id;

    /* Sending. Offsets: acked <= next <= written. */
    uint64_t acked, next, written, limit; /* limit: of the other side's window. */
    uint32_t segment_first, segment_count, lost_count;
    uint32_t flight_bytes;
    struct tdm_segment segments[TDM_RELIABLE_SEGMENTS];
    tdm_time newest_arrived; /* When the newest segment that arrived was sent. */
    tdm_time reorder_at;     /* Then what was sent before reorder_mark is no longer just late. */
    tdm_time reorder_mark;
    tdm_time send_at, rto_at, probe_at, sent_at, unanswered_since;

    /* What the path bears. */
    tdm_time srtt, rttvar, rto, rtt_min;
    uint32_t window, threshold;
    uint64_t recovery_end; /* Losses before it are part of one event. */
    uint64_t rate_bps;
    bool delay_known;
    uint32_t delay_base, delay_before; /* Least of this minute and of the one before. */
    tdm_time delay_minute, queue_delay;

    /* Receiving. taken <= arrived. */
    uint64_t arrived, taken, told_limit;
    uint32_t span_count, newest_span; /* Ascending, not touching; which grew last. */
    struct tdm_span spans[TDM_RELIABLE_HOLES];
    bool echo_due;
    uint32_t echo_us, delay_us, unacked_count;
    tdm_time ack_at;

    struct tdm_reliable_stats stats;
    uint8_t out_bytes[TDM_RELIABLE_BUFFER], in_bytes[TDM_RELIABLE_BUFFER];
};

static inline struct tdm_segment *tdm_segment_at(struct tdm_reliable *r, uint32_t i)
{
    return &r->segments[(r->segment_first + i) % TDM_RELIABLE_SEGMENTS];
}

/* reliable_receive.c */

/** Bytes of the stream. */
void tdm_reliable_take_data(struct tdm_reliable *r, tdm_time now,
                            const struct tdm_reliable_head *head);
/** Fills in what arrived here, with at most that many ranges. */
void tdm_reliable_report(struct tdm_reliable *r, struct tdm_reliable_head *head, uint8_t ranges);

/* reliable_acked.c */

void tdm_reliable_path_init(struct tdm_reliable *r, tdm_time now);
void tdm_reliable_take_acked(struct tdm_reliable *r, tdm_time now,
                             const struct tdm_reliable_head *head);
/** What was overtaken had its time to come. */
void tdm_reliable_late(struct tdm_reliable *r);
/** The timer ran out: nothing that is under way counts any more. */
void tdm_reliable_timed_out(struct tdm_reliable *r, tdm_time now);
/** A datagram of that size leaves: when the next one may. */
void tdm_reliable_pace(struct tdm_reliable *r, tdm_time now, size_t size);

#endif

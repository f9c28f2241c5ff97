/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CHANNEL_WINDOW_H
#define TDM_CORE_CHANNEL_WINDOW_H

/*
 * How much of a connection may be under way at once: as much as passes in the shortest round trip
 * seen and a margin more, so that the bottleneck is never idle and its queue never longer than the
 * margin. Rate and round trip come from what the other side's application says that it has taken,
 * with the time at which it came: what fills socket buffers and queues counts as under way.
 *
 * It knows no records: bytes are sent, bytes are acknowledged.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"
#include "engine/wire/channel_record.h"

#define TDM_CHANNEL_MARGIN (20 * TDM_MS) /* Queue that is allowed at the bottleneck. */
#define TDM_CHANNEL_MARKS  64
#define TDM_CHANNEL_RATES  3

struct tdm_channel_window {
    tdm_time heard_at;      /* The newest acknowledgement. */
    uint64_t sent, acked;   /* Bytes of this connection. */
    uint64_t limited_until; /* Sent up to here for want of more: says nothing of the link. */
    tdm_time rtt, rtt_min;  /* 0 before the first. */
    bool starting;          /* Doubles each round trip until a queue forms. */
    uint64_t start_bytes;   /* The window while starting. */
    bool probing;           /* No queue has formed: there may be more. */
    uint8_t flat_epochs;    /* While starting: without growth, in a row. */
    uint64_t rates[TDM_CHANNEL_RATES]; /* Of the last epochs, bit/s, newest first. */
    struct {
        bool open;
        tdm_time since, rtt_min;
        uint64_t acked, arrived_us;
    } epoch; /* A stretch of a round trip or more over which one rate is measured. */
    struct {
        bool on;
        tdm_time due, until, rtt_min, rtt_before; /* What this one and the last have seen. */
        uint64_t from; /* What was sent after this saw no queue of ours. */
        uint8_t samples;
    } drain; /* A short lower window now and then, to see the round trip without our own queue. */
    struct {
        uint64_t offset;
        tdm_time sent_at;
    } marks[TDM_CHANNEL_MARKS]; /* When some of the bytes under way left, oldest first. */
    uint8_t mark_first, mark_count;
};

void tdm_channel_window_init(struct tdm_channel_window *w, tdm_time now);

void tdm_channel_window_sent(struct tdm_channel_window *w, tdm_time now, size_t bytes);

/** There was room, and nothing to send. */
void tdm_channel_window_limited(struct tdm_channel_window *w);

/** TDM_E_MALFORMED: it acknowledges what was never sent. */
enum tdm_err tdm_channel_window_acked(struct tdm_channel_window *w, tdm_time now,
                                      const struct tdm_ack *ack);

/** How much may be under way with a queue of `margin`. */
uint64_t tdm_channel_window_bytes(const struct tdm_channel_window *w, tdm_time now,
                                  tdm_time margin);

/** A lost packet holds back what has arrived behind it: until when acknowledgements may be missing
 *  while the window goes on; 0 when none is. */
tdm_time tdm_channel_window_stalled_until(const struct tdm_channel_window *w, tdm_time now);

uint64_t tdm_channel_window_rate_bps(const struct tdm_channel_window *w);

/** Bytes that pass in `span` at the estimated rate. */
uint64_t tdm_channel_window_bytes_of(const struct tdm_channel_window *w, tdm_time span);

/** When missing acknowledgements will be noticed; TDM_NEVER when that has been. */
tdm_time tdm_channel_window_stalls_at(const struct tdm_channel_window *w, tdm_time now);

static inline uint64_t tdm_channel_window_in_flight(const struct tdm_channel_window *w)
{
    return w->sent - w->acked;
}

/** How long what we sent last had to queue. */
static inline tdm_time tdm_channel_window_queue(const struct tdm_channel_window *w)
{
    return w->rtt - w->rtt_min;
}

#endif

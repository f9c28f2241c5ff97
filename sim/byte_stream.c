/* SPDX-License-Identifier: MIT */
#include "sim/byte_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES 1448
#define WIRE_BYTES    52 /* IP and TCP heads of a segment. */
#define SEGMENTS_MAX  16384
#define QUEUE_BYTES   256000
#define BUFFER_BYTES  (4u << 20)
#define CWND_START    (10.0 * SEGMENT_BYTES)
#define CWND_MAX      (8.0 * 1024 * 1024)

struct segment {
    uint64_t end; /* Of the stream, after this segment. */
    tdm_time arrives, acknowledged;
};

struct tdm_byte_stream {
    struct tdm_byte_stream_config config;
    struct tdm_rng rng;
    uint8_t *bytes; /* Written and not read, at their offset modulo buffer_bytes. */
    uint64_t written, sent, read;
    struct segment segments[SEGMENTS_MAX]; /* Not acknowledged yet, oldest first. */
    uint32_t first, count, arrived;        /* Of those, how many the reader has seen arrive. */
    uint64_t acked, readable;
    double cwnd, threshold;
    tdm_time link_free, last_arrival, halved;
};

struct tdm_byte_stream *tdm_byte_stream_create(const struct tdm_byte_stream_config *config)
{
    struct tdm_byte_stream *s = calloc(1, sizeof *s);

    assert(s);
    s->config = *config;
    s->config.queue_bytes = config->queue_bytes ? config->queue_bytes : QUEUE_BYTES;
    s->config.buffer_bytes = config->buffer_bytes ? config->buffer_bytes : BUFFER_BYTES;
    s->rng = tdm_rng_of(config->seed);
    s->bytes = calloc(1, s->config.buffer_bytes);
    assert(s->bytes);
    s->cwnd = CWND_START;
    s->threshold = CWND_MAX;
    return s;
}

void tdm_byte_stream_destroy(struct tdm_byte_stream *s)
{
    if (s)
        free(s->bytes);
    free(s);
}

size_t tdm_byte_stream_held(const struct tdm_byte_stream *s)
{
    return (size_t)(s->written - s->read);
}

size_t tdm_byte_stream_room(const struct tdm_byte_stream *s, size_t lowat_bytes)
{
    size_t room = s->config.buffer_bytes - tdm_byte_stream_held(s);
    size_t unsent = (size_t)(s->written - s->sent);

    return unsent >= lowat_bytes ? 0 : room;
}

static tdm_time on_the_wire(const struct tdm_byte_stream *s, size_t bytes)
{
    uint64_t bits = 8 * (bytes + WIRE_BYTES);

    return s->config.rate_bps
               ? (tdm_time)((double)bits * (double)TDM_S / (double)s->config.rate_bps)
               : 0;
}

/* A packet that the queue has no room for, or that is lost on the air, comes a round trip later and
 * everything behind it waits; the window halves once a round trip. */
static void lose(struct tdm_byte_stream *s, tdm_time now, struct segment *segment)
{
    tdm_time rtt = 2 * s->config.delay + (s->link_free - now) + TDM_MS;

    segment->arrives += rtt;
    if (now < s->halved)
        return;
    s->halved = now + rtt;
    s->threshold = s->cwnd / 2 > 2 * SEGMENT_BYTES ? s->cwnd / 2 : 2 * SEGMENT_BYTES;
    s->cwnd = s->threshold;
}

static void send_segment(struct tdm_byte_stream *s, tdm_time now, size_t size)
{
    struct segment *segment = &s->segments[(s->first + s->count++) % SEGMENTS_MAX];
    tdm_time starts = tdm_time_max(now, s->link_free);
    double queued =
        s->config.rate_bps ? (double)(starts - now) * (double)s->config.rate_bps / 8e9 : 0;

    s->sent += size;
    s->link_free = starts + on_the_wire(s, size);
    segment->end = s->sent;
    segment->arrives = s->link_free + s->config.delay;
    if (queued > s->config.queue_bytes || tdm_rng_chance(&s->rng, s->config.loss))
        lose(s, now, segment);
    segment->arrives = tdm_time_max(segment->arrives, s->last_arrival);
    s->last_arrival = segment->arrives;
    segment->acknowledged = segment->arrives + s->config.delay;
}

static void advance(struct tdm_byte_stream *s, tdm_time now)
{
    for (; s->arrived < s->count; s->arrived++) {
        const struct segment *segment = &s->segments[(s->first + s->arrived) % SEGMENTS_MAX];

        if (segment->arrives > now)
            break;
        s->readable = segment->end;
    }
    for (; s->count && s->segments[s->first].acknowledged <= now; s->count--, s->arrived--) {
        double news = (double)(s->segments[s->first].end - s->acked);

        s->acked = s->segments[s->first].end;
        s->cwnd += s->cwnd < s->threshold ? news : news * SEGMENT_BYTES / s->cwnd;
        s->cwnd = s->cwnd < CWND_MAX ? s->cwnd : CWND_MAX;
        s->first = (s->first + 1) % SEGMENTS_MAX;
    }
    while (s->sent < s->written && s->count < SEGMENTS_MAX &&
           (double)(s->sent - s->acked) < s->cwnd) {
        uint64_t left = s->written - s->sent;

        send_segment(s, now, left < SEGMENT_BYTES ? (size_t)left : SEGMENT_BYTES);
    }
}

void tdm_byte_stream_write(struct tdm_byte_stream *s, tdm_time now, const uint8_t *data,
                           size_t size)
{
    assert(size <= s->config.buffer_bytes - tdm_byte_stream_held(s));
    for (size_t i = 0; i < size; i++)
        s->bytes[(s->written + i) % s->config.buffer_bytes] = data[i];
    s->written += size;
    advance(s, now);
}

size_t tdm_byte_stream_read(struct tdm_byte_stream *s, tdm_time now, uint8_t *data, size_t size)
{
    advance(s, now);
    uint64_t there = s->readable - s->read;
    size_t taken = there < size ? (size_t)there : size;

    for (size_t i = 0; i < taken; i++)
        data[i] = s->bytes[(s->read + i) % s->config.buffer_bytes];
    s->read += taken;
    return taken;
}

tdm_time tdm_byte_stream_next(const struct tdm_byte_stream *s)
{
    tdm_time next = TDM_NEVER;

    if (s->arrived < s->count)
        next = s->segments[(s->first + s->arrived) % SEGMENTS_MAX].arrives;
    if (s->count && s->sent < s->written)
        next = tdm_time_min(next, s->segments[s->first].acknowledged);
    return next;
}

void tdm_byte_stream_set(struct tdm_byte_stream *s, uint64_t rate_bps, tdm_time delay, double loss)
{
    s->config.rate_bps = rate_bps;
    s->config.delay = delay;
    s->config.loss = loss;
}

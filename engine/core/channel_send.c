/* SPDX-License-Identifier: MIT */
#include "engine/core/channel_state.h"

#define CHUNK_TIME    (5 * TDM_MS)
#define CHUNK_MAX     (TDM_CHANNEL_BODY_MAX - 16) /* With its head one TLS record. */
#define ROOM_MIN      (TDM_CHANNEL_CHUNK_MIN + TDM_CHANNEL_HEAD_MAX)
#define LOWAT_TIME    (10 * TDM_MS)
#define LOWAT_MIN     4096
#define LOWAT_MAX     (16 << 20)
#define ACK_DELAY     (10 * TDM_MS)
#define PING_AFTER    (4 * TDM_S)
#define BULK_MARGIN   (5 * TDM_MS)  /* Queue that a file may make beside a call. */
#define BULK_QUEUE    (10 * TDM_MS) /* Beyond it, a file beside a call waits for its own bytes. */
#define BURST_TIME    (5 * TDM_MS)
#define IN_CALL_TIME  (20 * TDM_MS) /* Of the share: a file's chunk beside a call, at least */
#define IN_CALL_MIN   500           /* so many bytes. */
#define GREASE_ONE_IN 8
/* A file that nothing has disturbed for a second fills whole packets and the line; what comes then
 * finds once a longer queue. */
#define ALONE_AFTER   TDM_S
#define ALONE_MARGIN  (35 * TDM_MS)
#define ALONE_TIME    (12 * TDM_MS)
#define SEGMENT_BYTES 1448
#define HEADS_BYTES   32 /* Of a record and of TLS. */

/* At most five milliseconds of the link, so that what is urgent never waits longer for what is not.
 */
static uint32_t chunk_bytes(const struct tdm_channel *c)
{
    uint64_t bytes = tdm_channel_window_bytes_of(&c->window, CHUNK_TIME);

    bytes = bytes < CHUNK_MAX ? bytes : CHUNK_MAX;
    return bytes > TDM_CHANNEL_CHUNK_MIN ? (uint32_t)bytes : TDM_CHANNEL_CHUNK_MIN;
}

/* Beside a call each packet of a file is one that a voice packet may have to wait for: short ones
 * while the share is small, which is the sign of a slow link. */
static uint32_t file_bytes_in_call(const struct tdm_channel *c)
{
    double bytes = (double)c->budget.rate_bps * (double)IN_CALL_TIME / 8e9;
    uint32_t chunk = chunk_bytes(c);

    return bytes >= chunk ? chunk : bytes > IN_CALL_MIN ? (uint32_t)bytes : IN_CALL_MIN;
}

static uint32_t file_bytes(const struct tdm_channel *c)
{
    if (c->budget.rate_bps)
        return file_bytes_in_call(c);
    uint64_t packets = tdm_channel_window_bytes_of(&c->window, ALONE_TIME) / SEGMENT_BYTES;
    uint64_t bytes = packets * SEGMENT_BYTES < CHUNK_MAX ? packets * SEGMENT_BYTES : CHUNK_MAX;
    uint32_t chunk = chunk_bytes(c);

    return c->file_alone && bytes > chunk + HEADS_BYTES ? (uint32_t)bytes - HEADS_BYTES : chunk;
}

void tdm_channel_wrote(struct tdm_channel *c, tdm_time now, uint8_t type,
                       const struct tdm_channel_out *out)
{
    c->room_bytes -= out->write_size < c->room_bytes ? out->write_size : c->room_bytes;
    if (type != TDM_RECORD_ACK)
        tdm_channel_window_sent(&c->window, now, out->write_size);
    c->stats.bytes_sent += out->write_size;
    c->stats.records_sent++;
}

void tdm_channel_write(struct tdm_channel *c, tdm_time now, const struct tdm_record_head *head,
                       const void *body, struct tdm_channel_out *out)
{
    struct tdm_writer w = tdm_writer_of(out->write, sizeof out->write);

    tdm_record_head_write(&w, head);
    tdm_write_bytes(&w, body, head->body_size);
    assert(w.ok);
    out->write_size = (uint32_t)tdm_writer_size(&w);
    tdm_channel_wrote(c, now, head->type, out);
}

static void write_ack(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    uint8_t body[24];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);
    struct tdm_ack ack = {
        .consumed = c->inbound.counted,
        .arrived_us = (uint64_t)(c->inbound.arrived_at / TDM_US),
        .hold_us = (uint64_t)((now - c->inbound.arrived_at) / TDM_US),
    };

    tdm_ack_write(&w, &ack);
    c->inbound.told = c->inbound.counted;
    struct tdm_record_head head = {.type = TDM_RECORD_ACK,
                                   .body_size = (uint32_t)tdm_writer_size(&w)};

    tdm_channel_write(c, now, &head, body, out);
}

static void write_credit(struct tdm_channel *c, tdm_time now, struct tdm_channel_stream *s,
                         struct tdm_channel_out *out)
{
    uint8_t body[16];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);
    struct tdm_credit credit = tdm_channel_credit_of(c, s, now);

    tdm_credit_write(&w, &credit);
    struct tdm_record_head head = {.type = TDM_RECORD_CREDIT,
                                   .flags = s->fin_received ? TDM_RECORD_FIN : 0,
                                   .stream = s->id,
                                   .body_size = (uint32_t)tdm_writer_size(&w)};

    tdm_channel_write(c, now, &head, body, out);
    tdm_channel_free_if_over(s);
}

static void write_open(struct tdm_channel *c, tdm_time now, struct tdm_channel_stream *s,
                       struct tdm_channel_out *out)
{
    uint8_t body[16];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);

    tdm_open_write(&w, &(struct tdm_open){.kind = s->kind, .cls = (uint8_t)s->cls});
    s->open_due = false;
    struct tdm_record_head head = {
        .type = TDM_RECORD_OPEN, .stream = s->id, .body_size = (uint32_t)tdm_writer_size(&w)};

    tdm_channel_write(c, now, &head, body, out);
}

static void write_reset(struct tdm_channel *c, tdm_time now, uint32_t stream,
                        struct tdm_channel_out *out)
{
    struct tdm_record_head head = {
        .type = TDM_RECORD_DATA, .flags = TDM_RECORD_RST, .stream = stream};

    tdm_channel_write(c, now, &head, NULL, out);
}

static void write_grease(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    uint8_t body[40];
    struct tdm_record_head head = {.type = TDM_RECORD_GREASE(tdm_rng_below(&c->rng, 8)),
                                   .flags = (uint8_t)tdm_rng_below(&c->rng, 0x80),
                                   .stream = tdm_rng_u32(&c->rng),
                                   .body_size = tdm_rng_below(&c->rng, sizeof body + 1)};

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)tdm_rng_u32(&c->rng);
    c->grease_due = false;
    tdm_channel_write(c, now, &head, body, out);
}

bool tdm_channel_ack_due(const struct tdm_channel *c, tdm_time now)
{
    uint64_t owed = c->inbound.counted - c->inbound.told;

    return owed && (owed >= c->inbound.every_bytes || now >= c->inbound.since + ACK_DELAY);
}

/* Of the streams that wait to be opened the oldest: the other side takes them in order only. */
static struct tdm_channel_stream *to_open(struct tdm_channel *c)
{
    struct tdm_channel_stream *oldest = NULL;

    for (int i = 1; i < TDM_CHANNEL_STREAMS_MAX; i++) {
        struct tdm_channel_stream *s = &c->streams[i];

        if (s->used && s->open_due && (!oldest || s->id < oldest->id))
            oldest = s;
    }
    return oldest;
}

static bool write_of_streams(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    for (int i = 0; i < TDM_CHANNEL_STREAMS_MAX; i++) {
        struct tdm_channel_stream *s = &c->streams[i];

        if (!s->used || s->open_due)
            continue;
        if (s->reset_due) {
            s->reset_due = false;
            s->reset_sent = true;
            write_reset(c, now, s->id, out);
            tdm_channel_free_if_over(s);
            return true;
        }
        if (s->credit_due <= now) {
            write_credit(c, now, s, out);
            return true;
        }
    }
    return false;
}

/* Class 0: what keeps the channel going. Nothing holds it back but the connection itself. */
static bool write_control(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    struct tdm_channel_stream *opening;

    if (tdm_channel_ack_due(c, now))
        write_ack(c, now, out);
    else if ((opening = to_open(c)))
        write_open(c, now, opening, out);
    else if (write_of_streams(c, now, out))
        ;
    else if (c->refused_count)
        write_reset(c, now, c->refused[--c->refused_count], out);
    else if (now >= tdm_time_max(c->heard_at, c->pinged_at) + PING_AFTER) {
        c->pinged_at = now;
        tdm_channel_write(c, now, &(struct tdm_record_head){.type = TDM_RECORD_PING}, NULL, out);
    } else if (c->grease_due)
        write_grease(c, now, out);
    return out->write_size > 0;
}

static void refill_budget(struct tdm_channel *c, tdm_time now)
{
    double rate = (double)c->budget.rate_bps / 8e9; /* Bytes a nanosecond. */
    double burst =
        rate * (double)BURST_TIME > IN_CALL_MIN ? rate * (double)BURST_TIME : IN_CALL_MIN;

    c->budget.tokens_bytes += rate * (double)tdm_time_max(now - c->budget.at, 0);
    if (c->budget.tokens_bytes > burst)
        c->budget.tokens_bytes = burst;
    c->budget.at = now;
}

/* May this class put more under way? Small and urgent classes go a little over the window rather
 * than wait for an acknowledgement; files keep their queue short while a call is on. */
static bool class_open(const struct tdm_channel *c, tdm_time now, enum tdm_channel_class cls)
{
    uint64_t in_flight = tdm_channel_window_in_flight(&c->window);
    uint64_t window = tdm_channel_window_bytes(&c->window, now, TDM_CHANNEL_MARGIN);
    bool call = c->budget.rate_bps > 0;

    if (cls == TDM_CLASS_CONTROL)
        return true;
    if (cls <= TDM_CLASS_LATEST)
        return in_flight < window + window / 4 + (uint64_t)2 * TDM_CHANNEL_CHUNK_MIN;
    if (call && c->budget.tokens_bytes <= 0)
        return false;
    if (call && cls == TDM_CLASS_BULK && in_flight)
        return in_flight < tdm_channel_window_bytes(&c->window, now, BULK_MARGIN) &&
               tdm_channel_window_queue(&c->window) < BULK_QUEUE;
    if (cls == TDM_CLASS_BULK && c->file_alone)
        return in_flight < tdm_channel_window_bytes(&c->window, now, ALONE_MARGIN);
    return in_flight < window;
}

static bool may_send(const struct tdm_channel_stream *s)
{
    return s->used && s->ready && !s->open_due && !s->fin_sent && !s->reset_due && !s->reset_sent &&
           (!tdm_channel_by_credit(s) || s->sent < s->limit);
}

/* The streams of a class take turns. */
static struct tdm_channel_stream *next_of_class(struct tdm_channel *c, enum tdm_channel_class cls)
{
    for (int i = 1; i <= TDM_CHANNEL_STREAMS_MAX; i++) {
        struct tdm_channel_stream *s =
            &c->streams[(c->last_of_class[cls] + i) % TDM_CHANNEL_STREAMS_MAX];

        if (s->cls == cls && may_send(s))
            return s;
    }
    return NULL;
}

/*
 * What goes next: the stream of the first class that has something. So that nothing starves, a
 * sixteenth of the bytes belongs to the classes that wait meanwhile: when what they have earned
 * makes a chunk, the one served longest ago goes first.
 */
static struct tdm_channel_stream *choose(struct tdm_channel *c, tdm_time now)
{
    struct tdm_channel_stream *first = NULL;
    struct tdm_channel_stream *waiting = NULL;

    for (enum tdm_channel_class cls = TDM_CLASS_CONTROL; cls < TDM_CLASS_COUNT; cls++) {
        struct tdm_channel_stream *s = class_open(c, now, cls) ? next_of_class(c, cls) : NULL;

        if (s && !first)
            first = s;
        else if (s && (!waiting || c->served[cls] < c->served[waiting->cls]))
            waiting = s;
    }
    c->others_wait = waiting != NULL;
    c->floor_x16 = waiting ? c->floor_x16 : 0;
    c->floors_turn = waiting && c->floor_x16 >= 16 * (uint64_t)chunk_bytes(c);
    return c->floors_turn ? waiting : first;
}

static void count_share(struct tdm_channel *c, tdm_time now, const struct tdm_channel_stream *s,
                        uint64_t bytes)
{
    c->others_at = s->cls == TDM_CLASS_BULK ? c->others_at : now;
    c->served[s->cls] = ++c->turns;
    c->last_of_class[s->cls] = (uint8_t)(s - c->streams);
    if (c->floors_turn)
        c->floor_x16 -= 16 * bytes < c->floor_x16 ? 16 * bytes : c->floor_x16;
    else if (c->others_wait)
        c->floor_x16 += bytes;
    if (c->budget.rate_bps && s->cls >= TDM_CLASS_SCREEN)
        c->budget.tokens_bytes -= (double)bytes;
}

void tdm_channel_send_next(struct tdm_channel *c, tdm_time now, bool may_pull,
                           struct tdm_channel_out *out)
{
    if (!c->connected || c->room_bytes < ROOM_MIN)
        return;
    if (!c->up) {
        tdm_channel_greet(c, now, out);
        return;
    }
    if (write_control(c, now, out) || !may_pull)
        return;
    refill_budget(c, now);
    c->file_alone = c->budget.rate_bps == 0 && now >= c->others_at + ALONE_AFTER;
    struct tdm_channel_stream *s = choose(c, now);

    if (!s) {
        if (class_open(c, now, TDM_CLASS_SCREEN) || c->budget.rate_bps)
            tdm_channel_window_limited(&c->window);
        return;
    }
    uint64_t max = s->cls == TDM_CLASS_BULK ? file_bytes(c) : chunk_bytes(c);

    if (tdm_channel_by_credit(s) && s->limit - s->sent < max)
        max = s->limit - s->sent;
    if (c->room_bytes - TDM_CHANNEL_HEAD_MAX < max)
        max = c->room_bytes - TDM_CHANNEL_HEAD_MAX;
    c->pulling = s;
    c->pull_max = (uint32_t)max;
    out->event = TDM_CHANNEL_EV_PULL;
    out->stream = s->id;
    out->max_bytes = c->pull_max;
}

void tdm_channel_send_data(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                           struct tdm_channel_out *out)
{
    struct tdm_channel_stream *s = c->pulling;

    assert(s && s->id == in->stream && in->size <= c->pull_max && !(in->fin && s->id == 0));
    c->pulling = NULL;
    s->ready = in->more && in->size > 0 && !in->fin;
    if (in->size == 0 && !in->fin)
        return;
    s->sent += in->size;
    s->fin_sent = in->fin;
    bool latest = s->cls == TDM_CLASS_LATEST;
    struct tdm_record_head head = {
        .type = TDM_RECORD_DATA,
        .flags = (uint8_t)((in->fin ? TDM_RECORD_FIN : 0) | (latest ? TDM_RECORD_EPHEMERAL : 0)),
        .stream = s->id,
        .body_size = (uint32_t)in->size,
    };

    tdm_channel_write(c, now, &head, in->data, out);
    count_share(c, now, s, out->write_size);
    c->grease_due = c->config.grease && tdm_rng_below(&c->rng, GREASE_ONE_IN) == 0;
}

static void wake(struct tdm_channel_out *out, tdm_time at, const char *why)
{
    if (at < out->wake_at) {
        out->wake_at = at;
        out->wake_why = why;
    }
}

void tdm_channel_plan_wake(const struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    uint64_t lowat = tdm_channel_window_bytes_of(&c->window, LOWAT_TIME);

    out->lowat_bytes = (uint32_t)(lowat < LOWAT_MIN   ? LOWAT_MIN
                                  : lowat > LOWAT_MAX ? LOWAT_MAX
                                                      : lowat);
    if (out->write_size || out->event) {
        wake(out, now, "more to write");
        return;
    }
    if (!c->connected)
        return;
    if (!c->lost_told)
        wake(out, c->heard_at + TDM_CHANNEL_LOST_AFTER, "silence");
    if (!c->up || c->room_bytes < ROOM_MIN)
        return;
    wake(out, tdm_time_max(c->heard_at, c->pinged_at) + PING_AFTER, "ping");
    if (c->inbound.counted > c->inbound.told)
        wake(out, c->inbound.since + ACK_DELAY, "acknowledgement");
    for (int i = 0; i < TDM_CHANNEL_STREAMS_MAX; i++)
        if (c->streams[i].used)
            wake(out, c->streams[i].credit_due, "credit");
    if (now < tdm_channel_window_stalled_until(&c->window, now))
        wake(out, now + CHUNK_TIME, "stall");
    else if (tdm_channel_window_in_flight(&c->window))
        wake(out, tdm_channel_window_stalls_at(&c->window, now), "stall");
    if (c->budget.rate_bps && c->budget.tokens_bytes <= 0) {
        double wait = (1 - c->budget.tokens_bytes) * 8e9 / (double)c->budget.rate_bps;

        wake(out, now + (wait < (double)TDM_S ? (tdm_time)wait + 1 : TDM_S), "budget");
    }
}

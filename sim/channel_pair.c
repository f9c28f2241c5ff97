/* SPDX-License-Identifier: MIT */
#include "sim/channel_pair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 65536

struct side {
    void *storage;
    struct tdm_channel *core;
    struct tdm_byte_stream *out; /* NULL while there is no connection. */
    tdm_time wake_at;
    uint32_t lowat_bytes;
    uint64_t events;
    uint64_t unconsumed[TDM_PAIR_FLOWS_MAX]; /* Of what arrived, by flow. */
    tdm_time consumed_at;
};

struct tdm_pair {
    struct tdm_pair_config config;
    struct tdm_rng rng;
    tdm_time now;
    struct side side[2];
    struct tdm_pair_flow *flows[TDM_PAIR_FLOWS_MAX];
    int flow_count;
    uint64_t bytes_read, cut_at;
    const char *failed;
    struct tdm_channel_out out;
    uint8_t made[TDM_CHANNEL_BODY_MAX];
    uint8_t buffer[READ_BYTES];
};

struct tdm_pair *tdm_pair_create(const struct tdm_pair_config *config)
{
    struct tdm_pair *p = calloc(1, sizeof *p);

    assert(p);
    p->config = *config;
    p->rng = tdm_rng_of(config->seed);
    p->now = 1000 * TDM_S;
    p->cut_at = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        struct side *side = &p->side[i];
        struct tdm_channel_config core = config->core[i];

        core.opener = i == 0;
        core.seed = config->seed + (uint64_t)i;
        memset(core.token, 0x40 + i, sizeof core.token);
        side->storage = calloc(1, tdm_channel_bytes());
        assert(side->storage);
        side->core = tdm_channel_init(side->storage, &core, p->now);
        side->wake_at = TDM_NEVER;
        side->lowat_bytes = 16384;
    }
    return p;
}

void tdm_pair_destroy(struct tdm_pair *p)
{
    for (int i = 0; p && i < 2; i++) {
        tdm_byte_stream_destroy(p->side[i].out);
        free(p->side[i].storage);
    }
    free(p);
}

static void fail(struct tdm_pair *p, const char *why)
{
    p->failed = p->failed ? p->failed : why;
}

static uint8_t byte_at(uint32_t stream, int side, uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7 + (offset >> 16) + (uint64_t)stream * 13 +
                     (uint64_t)side * 101);
}

/* The flow that this side sends on the stream, or NULL. */
static struct tdm_pair_flow *flow_of(struct tdm_pair *p, int side, uint32_t stream)
{
    for (int i = 0; i < p->flow_count; i++)
        if (p->flows[i]->side == side && p->flows[i]->stream == stream)
            return p->flows[i];
    return NULL;
}

static uint64_t there_to_send(const struct tdm_pair *p, const struct tdm_pair_flow *f)
{
    if (!f->message_bytes)
        return f->total_bytes;
    if (p->now < f->from)
        return 0;
    uint64_t bytes = ((uint64_t)((p->now - f->from) / f->every) + 1) * f->message_bytes;

    return bytes < f->total_bytes ? bytes : f->total_bytes;
}

static void step(struct tdm_pair *p, int side, const struct tdm_channel_in *in);

static void input(struct tdm_pair *p, int side, enum tdm_channel_input kind, uint32_t stream,
                  size_t size)
{
    step(p, side, &(struct tdm_channel_in){.kind = kind, .stream = stream, .size = size});
}

static void answer_pull(struct tdm_pair *p, int side, uint32_t stream, uint32_t max_bytes,
                        struct tdm_channel_in *data)
{
    struct tdm_pair_flow *f = flow_of(p, side, stream);
    uint64_t left = f ? there_to_send(p, f) - f->produced : 0;

    *data = (struct tdm_channel_in){.kind = TDM_CHANNEL_DATA, .stream = stream, .data = p->made};
    data->size = left < max_bytes ? (size_t)left : max_bytes;
    if (!f) { /* The other side's stream, which we only listen to, has ended. */
        data->fin = stream != 0;
        return;
    }
    for (size_t i = 0; i < data->size; i++)
        p->made[i] = byte_at(stream, side, f->produced + i);
    f->produced += data->size;
    data->more = f->produced < there_to_send(p, f);
    data->fin = f->fin_sent = f->produced == f->total_bytes;
}

static void take_record(struct tdm_pair *p, int side, const struct tdm_channel_out *out)
{
    struct tdm_pair_flow *f = flow_of(p, 1 - side, out->stream);

    if (!f) {
        if (out->size)
            fail(p, "bytes on a stream on which nobody sends");
        return;
    }
    for (size_t i = 0; i < out->size; i++)
        if (out->data[i] != byte_at(out->stream, 1 - side, f->received + i)) {
            fail(p, "a byte that is not the one that was sent");
            return;
        }
    f->received += out->size;
    while (f->message_bytes && f->message_count < TDM_PAIR_MESSAGES_MAX &&
           f->received >= (uint64_t)(f->message_count + 1) * f->message_bytes) {
        tdm_time there = f->from + (tdm_time)f->message_count * f->every;

        f->latencies[f->message_count++] = p->now - there;
    }
    if (f->fin_received || (out->fin && f->received != f->total_bytes))
        fail(p, "an end too many or too soon");
    f->fin_received = out->fin;
}

static void take_event(struct tdm_pair *p, int side, const struct tdm_channel_out *out)
{
    struct tdm_pair_flow *own = flow_of(p, side, out->stream);

    if (out->event == TDM_CHANNEL_EV_FAILED)
        fail(p, out->why);
    else if (out->event == TDM_CHANNEL_EV_LOST)
        fail(p, "a side hears nothing any more");
    else if (out->event == TDM_CHANNEL_EV_RECORD)
        take_record(p, side, out);
    else if (out->event == TDM_CHANNEL_EV_RESET) {
        struct tdm_pair_flow *other = flow_of(p, 1 - side, out->stream);

        if (own)
            own->reset = true;
        if (other)
            other->reset = true;
    } else if (own && out->event == TDM_CHANNEL_EV_ACKED) {
        if (out->offset > own->produced || out->offset < own->acked ||
            out->offset > own->received || (out->fin && out->offset != own->total_bytes))
            fail(p, "what is acknowledged has not arrived");
        own->acked = out->offset;
        own->fin_acked = own->fin_acked || out->fin;
    } else if (own && out->event == TDM_CHANNEL_EV_REWIND) {
        if (out->offset > own->produced || out->offset < own->acked)
            fail(p, "rewound to what was never there or is acknowledged");
        own->rewound_bytes += own->produced - out->offset;
        own->produced = out->offset;
        own->fin_sent = false;
    }
}

/* Bytes that arrived and that the program takes at its pace. */
static void consume(struct tdm_pair *p, int side)
{
    struct side *s = &p->side[side];
    uint64_t may =
        p->config.consume_bps
            ? (uint64_t)((double)(p->now - s->consumed_at) * (double)p->config.consume_bps / 8e9)
            : UINT64_MAX;

    if (!may)
        return;
    s->consumed_at = p->now;
    for (int i = 0; i < p->flow_count; i++) {
        uint64_t bytes = s->unconsumed[i] < may ? s->unconsumed[i] : may;

        if (p->flows[i]->side == side || !bytes)
            continue;
        s->unconsumed[i] -= bytes;
        may -= bytes;
        input(p, side, TDM_CHANNEL_CONSUMED, p->flows[i]->stream, (size_t)bytes);
    }
}

static void note_event(struct tdm_pair *p, int side)
{
    const uint64_t values[] = {(uint64_t)p->out.event, p->out.stream, p->out.size,
                               p->out.offset,          p->out.fin,    p->out.resumed};
    struct side *s = &p->side[side];

    if (p->out.event == TDM_CHANNEL_EV_NONE || p->out.event == TDM_CHANNEL_EV_PULL)
        return;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        s->events = (s->events ^ values[i]) * 0x100000001b3u;
    for (size_t i = 0; p->out.event == TDM_CHANNEL_EV_RECORD && i < p->out.size; i++)
        s->events = (s->events ^ p->out.data[i]) * 0x100000001b3u;
}

/* One input and all that follows from it at this time, as channel.h describes a driver's loop. */
static void step(struct tdm_pair *p, int side, const struct tdm_channel_in *in)
{
    struct side *s = &p->side[side];
    struct tdm_channel_in rest, data;

    for (;;) {
        tdm_channel_step(s->core, p->now, in, &p->out);
        if (p->out.write_size && s->out)
            tdm_byte_stream_write(s->out, p->now, p->out.write, p->out.write_size);
        s->wake_at = p->out.wake_at;
        s->lowat_bytes = p->out.lowat_bytes ? p->out.lowat_bytes : s->lowat_bytes;
        note_event(p, side);
        uint32_t stream = p->out.stream;
        enum tdm_channel_event event = p->out.event;
        bool fin = p->out.fin;
        size_t size = p->out.size;

        take_event(p, side, &p->out);
        if (event == TDM_CHANNEL_EV_PULL) {
            answer_pull(p, side, stream, p->out.max_bytes, &data);
            in = &data;
            continue;
        }
        if (in && in->kind == TDM_CHANNEL_BYTES && p->out.consumed < in->size) {
            rest = *in;
            rest.data += p->out.consumed;
            rest.size -= p->out.consumed;
        } else {
            rest.size = 0;
        }
        if (event == TDM_CHANNEL_EV_RECORD) {
            for (int i = 0; i < p->flow_count; i++)
                if (p->flows[i]->stream == stream && p->flows[i]->side != side)
                    s->unconsumed[i] += size;
            if (!p->config.consume_bps)
                consume(p, side);
            if (fin && !flow_of(p, side, stream))
                input(p, side, TDM_CHANNEL_READY, stream, 0);
        }
        if (rest.size)
            in = &rest;
        else if (s->wake_at > p->now || p->failed)
            return;
        else
            in = NULL;
    }
}

void tdm_pair_open(struct tdm_pair *p, int side, struct tdm_pair_flow *flow)
{
    struct tdm_channel_in in = {
        .kind = TDM_CHANNEL_OPEN, .cls = flow->cls, .kind_of = TDM_KIND_FILE_DATA};

    assert(p->flow_count < TDM_PAIR_FLOWS_MAX);
    tdm_channel_step(p->side[side].core, p->now, &in, &p->out);
    flow->stream = p->out.stream;
    flow->side = side;
    flow->opened = flow->stream != 0;
    flow->from = flow->from ? flow->from : p->now;
    if (p->out.write_size && p->side[side].out)
        tdm_byte_stream_write(p->side[side].out, p->now, p->out.write, p->out.write_size);
    p->side[side].wake_at = p->now;
    if (flow->opened)
        p->flows[p->flow_count++] = flow;
}

void tdm_pair_reset(struct tdm_pair *p, const struct tdm_pair_flow *flow)
{
    input(p, flow->side, TDM_CHANNEL_RESET, flow->stream, 0);
}

void tdm_pair_budget(struct tdm_pair *p, int side, uint64_t rate_bps)
{
    step(p, side, &(struct tdm_channel_in){.kind = TDM_CHANNEL_BUDGET, .rate_bps = rate_bps});
}

void tdm_pair_connect(struct tdm_pair *p)
{
    for (int i = 0; i < 2; i++) {
        struct tdm_byte_stream_config path = p->config.path[i];

        assert(!p->side[i].out);
        path.seed += p->bytes_read;
        p->side[i].out = tdm_byte_stream_create(&path);
    }
    for (int i = 0; i < 2; i++)
        input(p, i, TDM_CHANNEL_CONNECTED, 0, 0);
}

void tdm_pair_cut(struct tdm_pair *p)
{
    for (int i = 0; i < 2; i++) {
        tdm_byte_stream_destroy(p->side[i].out);
        p->side[i].out = NULL;
    }
    for (int i = 0; i < 2; i++)
        input(p, i, TDM_CHANNEL_DISCONNECTED, 0, 0);
}

void tdm_pair_cut_at(struct tdm_pair *p, uint64_t bytes_read)
{
    p->cut_at = bytes_read;
}

static void read_side(struct tdm_pair *p, int side)
{
    struct tdm_byte_stream *from = p->side[1 - side].out;

    while (from && !p->failed) {
        uint64_t may = p->cut_at - p->bytes_read;
        size_t size = p->config.split ? 1 + tdm_rng_below(&p->rng, 40) : READ_BYTES;

        size = tdm_byte_stream_read(from, p->now, p->buffer, may < size ? (size_t)may : size);
        p->bytes_read += size;
        if (size)
            step(p, side,
                 &(struct tdm_channel_in){
                     .kind = TDM_CHANNEL_BYTES, .data = p->buffer, .size = size});
        if (p->bytes_read == p->cut_at) {
            p->cut_at = UINT64_MAX;
            tdm_pair_cut(p);
            return;
        }
        if (!size)
            return;
    }
}

static void wake_flows(struct tdm_pair *p, int side)
{
    for (int i = 0; i < p->flow_count; i++) {
        const struct tdm_pair_flow *f = p->flows[i];

        if (f->side == side && !f->fin_sent && !f->reset &&
            (there_to_send(p, f) > f->produced || f->total_bytes == 0))
            input(p, side, TDM_CHANNEL_READY, f->stream, 0);
    }
}

static void serve(struct tdm_pair *p, int side)
{
    struct side *s = &p->side[side];

    read_side(p, side);
    if (s->out)
        step(p, side,
             &(struct tdm_channel_in){.kind = TDM_CHANNEL_WRITABLE,
                                      .room_bytes = (uint32_t)tdm_byte_stream_room(
                                          s->out, p->config.no_lowat ? SIZE_MAX : s->lowat_bytes)});
    wake_flows(p, side);
    consume(p, side);
    if (s->wake_at <= p->now && !p->failed)
        step(p, side, NULL);
}

static tdm_time next_event(const struct tdm_pair *p)
{
    tdm_time next = TDM_NEVER;

    for (int i = 0; i < 2; i++) {
        next = tdm_time_min(next, p->side[i].wake_at);
        if (p->side[i].out)
            next = tdm_time_min(next, tdm_byte_stream_next(p->side[i].out));
    }
    for (int i = 0; i < p->flow_count; i++) {
        const struct tdm_pair_flow *f = p->flows[i];

        if (f->message_bytes && f->produced < f->total_bytes) {
            tdm_time since = tdm_time_max(p->now - f->from, 0);

            next = tdm_time_min(next, f->from + (since / f->every + 1) * f->every);
        }
    }
    if (p->config.consume_bps)
        next = tdm_time_min(next, p->now + TDM_MS);
    return next;
}

void tdm_pair_run(struct tdm_pair *p, tdm_time until)
{
    while (!p->failed && p->now < until) {
        for (int i = 0; i < 2; i++)
            serve(p, i);
        p->now = tdm_time_min(tdm_time_max(next_event(p), p->now + TDM_US), until);
    }
}

tdm_time tdm_pair_now(const struct tdm_pair *p)
{
    return p->now;
}

bool tdm_pair_connected(const struct tdm_pair *p)
{
    return p->side[0].out != NULL;
}

const char *tdm_pair_failed(const struct tdm_pair *p)
{
    return p->failed;
}

uint64_t tdm_pair_bytes_read(const struct tdm_pair *p)
{
    return p->bytes_read;
}

uint64_t tdm_pair_events(const struct tdm_pair *p, int side)
{
    return p->side[side].events;
}

void tdm_pair_stats(const struct tdm_pair *p, int side, struct tdm_channel_stats *stats)
{
    tdm_channel_stats(p->side[side].core, stats);
}

struct tdm_byte_stream *tdm_pair_path(struct tdm_pair *p, int side)
{
    return p->side[side].out;
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/channel_state.h"

#define WINDOW_BYTES     (256 * 1024)
#define WINDOW_MAX_BYTES (8 * 1024 * 1024)
#define STREAM_ID_MAX    (UINT32_MAX - 2)

size_t tdm_channel_bytes(void)
{
    return sizeof(struct tdm_channel);
}

struct tdm_channel *tdm_channel_init(void *storage, const struct tdm_channel_config *config,
                                     tdm_time now)
{
    struct tdm_channel *c = storage;

    memset(c, 0, sizeof *c);
    c->config = *config;
    if (!c->config.stream_window_bytes)
        c->config.stream_window_bytes = WINDOW_BYTES;
    if (!c->config.stream_window_max_bytes)
        c->config.stream_window_max_bytes = WINDOW_MAX_BYTES;
    c->rng = tdm_rng_of(config->seed);
    c->next_id = config->opener ? 1 : 2;
    c->streams[0] = (struct tdm_channel_stream){.used = true,
                                                .kind = TDM_KIND_CONTROL,
                                                .cls = TDM_CLASS_CONTROL,
                                                .window = c->config.stream_window_bytes,
                                                .granted = c->config.stream_window_bytes,
                                                .credit_due = TDM_NEVER};
    tdm_channel_window_init(&c->window, now);
    return c;
}

void tdm_channel_fail(struct tdm_channel *c, const char *why)
{
    c->failed = c->failed ? c->failed : why;
}

static void open_stream(struct tdm_channel *c, const struct tdm_channel_in *in,
                        struct tdm_channel_out *out)
{
    assert(in->cls > TDM_CLASS_CONTROL && in->cls < TDM_CLASS_COUNT);
    struct tdm_channel_stream *s =
        c->next_id < STREAM_ID_MAX ? tdm_channel_add(c, true, c->next_id) : NULL;

    if (!s)
        return;
    c->next_id += 2;
    s->kind = in->kind_of;
    s->cls = in->cls;
    s->open_due = true;
    out->stream = s->id;
}

static void reset_stream(struct tdm_channel_stream *s)
{
    assert(s->id != 0);
    s->used = !s->open_due; /* Else the other side has never heard of it. */
    s->reset_due = s->reset_due || !s->reset_sent;
    s->credit_due = TDM_NEVER;
    s->tell_acked = s->tell_rewind = s->ready = false;
}

static void consumed(struct tdm_channel_stream *s, tdm_time now, size_t bytes)
{
    if (!tdm_channel_by_credit(s) || s->reset_due || s->reset_sent)
        return;
    assert(bytes <= s->received - s->consumed);
    s->consumed += bytes;
    tdm_channel_plan_credit(s, now);
}

/* An input for one stream; of the past when the stream is over, as the driver may not know yet. */
static void take_for_stream(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in)
{
    struct tdm_channel_stream *s = tdm_channel_find(c, in->stream);

    if (!s)
        return;
    if (in->kind == TDM_CHANNEL_READY)
        s->ready = !s->fin_sent && !s->reset_due && !s->reset_sent;
    else if (in->kind == TDM_CHANNEL_CONSUMED)
        consumed(s, now, in->size);
    else
        reset_stream(s);
}

static void take(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                 struct tdm_channel_out *out)
{
    switch (in->kind) {
    case TDM_CHANNEL_CONNECTED:
        tdm_channel_connected(c, now);
        break;
    case TDM_CHANNEL_DISCONNECTED:
        tdm_channel_disconnected(c);
        break;
    case TDM_CHANNEL_BYTES:
        if (c->connected)
            tdm_channel_receive(c, now, in, out);
        else
            out->consumed = in->size;
        break;
    case TDM_CHANNEL_WRITABLE:
        c->room_bytes = in->room_bytes;
        break;
    case TDM_CHANNEL_OPEN:
        open_stream(c, in, out);
        break;
    case TDM_CHANNEL_DATA:
        tdm_channel_send_data(c, now, in, out);
        break;
    case TDM_CHANNEL_READY:
    case TDM_CHANNEL_CONSUMED:
    case TDM_CHANNEL_RESET:
        take_for_stream(c, now, in);
        break;
    case TDM_CHANNEL_BUDGET:
        c->budget.rate_bps = in->rate_bps;
        c->budget.at = c->budget.tokens_bytes > 0 ? c->budget.at : now;
        break;
    }
}

static bool tell_of_stream(struct tdm_channel_stream *s, struct tdm_channel_out *out)
{
    if (!s->used || (!s->tell_acked && !s->tell_rewind && !s->tell_reset))
        return false;
    out->stream = s->id;
    out->offset = s->acked;
    if (s->tell_reset) {
        out->event = TDM_CHANNEL_EV_RESET;
        s->used = false;
    } else if (s->tell_acked) {
        out->event = TDM_CHANNEL_EV_ACKED;
        out->fin = s->fin_acked;
        s->tell_acked = false;
    } else {
        out->event = TDM_CHANNEL_EV_REWIND;
        s->tell_rewind = false;
    }
    tdm_channel_free_if_over(s);
    return true;
}

/* Events that are not of the record just read. */
static void tell(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    if (c->failed && !c->failed_told) {
        c->failed_told = true;
        out->event = TDM_CHANNEL_EV_FAILED;
        out->why = c->failed;
    }
    if (c->failed || out->event || !c->connected)
        return;
    if (now >= c->heard_at + TDM_CHANNEL_LOST_AFTER && !c->lost_told) {
        c->lost_told = true;
        out->event = TDM_CHANNEL_EV_LOST;
        return;
    }
    if (c->up_due) {
        c->up_due = false;
        out->event = TDM_CHANNEL_EV_UP;
        out->resumed = c->resumed;
        return;
    }
    for (int i = 0; c->up && i < TDM_CHANNEL_STREAMS_MAX; i++)
        if (tell_of_stream(&c->streams[i], out))
            return;
}

static void clear(struct tdm_channel_out *out)
{
    out->write_size = 0;
    out->consumed = 0;
    out->stream = 0;
    out->event = TDM_CHANNEL_EV_NONE;
    out->kind_of = 0;
    out->cls = TDM_CLASS_CONTROL;
    out->data = NULL;
    out->size = 0;
    out->fin = out->resumed = false;
    out->max_bytes = 0;
    out->offset = 0;
    out->why = NULL;
    out->lowat_bytes = 0;
    out->wake_at = TDM_NEVER;
    out->wake_why = "";
}

/* What waits to be told goes before the next record, so that the order of events does not hang on
 * how the bytes came. */
void tdm_channel_step(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                      struct tdm_channel_out *out)
{
    bool bytes = in && in->kind == TDM_CHANNEL_BYTES;

    clear(out);
    if (bytes)
        tell(c, now, out);
    if (in && !c->failed && !(bytes && out->event))
        take(c, now, in, out);
    if (bytes && c->failed)
        out->consumed = in->size;
    if (!(in && in->kind == TDM_CHANNEL_OPEN))
        tell(c, now, out);
    if (!c->failed && !out->event && !out->write_size)
        tdm_channel_send_next(c, now, !bytes && !(in && in->kind == TDM_CHANNEL_OPEN), out);
    if (!c->failed)
        tdm_channel_plan_wake(c, now, out);
    if ((bytes || (in && in->kind == TDM_CHANNEL_OPEN)) && !c->failed)
        out->wake_at = now;
}

void tdm_channel_stats(const struct tdm_channel *c, struct tdm_channel_stats *stats)
{
    *stats = c->stats;
    stats->rtt = c->window.rtt;
    stats->rtt_min = c->window.rtt_min;
    stats->rate_bps = tdm_channel_window_rate_bps(&c->window);
    stats->in_flight_bytes = (uint32_t)tdm_channel_window_in_flight(&c->window);
    stats->window_bytes =
        (uint32_t)tdm_channel_window_bytes(&c->window, c->window.heard_at, TDM_CHANNEL_MARGIN);
}

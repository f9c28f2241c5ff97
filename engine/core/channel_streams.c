/* SPDX-License-Identifier: MIT */
#include "engine/core/channel_state.h"

#define CREDIT_DELAY   (25 * TDM_MS)
#define RTT_BEFORE_ANY (100 * TDM_MS)

struct tdm_channel_stream *tdm_channel_find(struct tdm_channel *c, uint32_t id)
{
    for (int i = 0; i < TDM_CHANNEL_STREAMS_MAX; i++)
        if (c->streams[i].used && c->streams[i].id == id)
            return &c->streams[i];
    return NULL;
}

bool tdm_channel_is_ours(const struct tdm_channel *c, uint32_t id)
{
    return (id & 1) == (c->config.opener ? 1 : 0);
}

struct tdm_channel_stream *tdm_channel_add(struct tdm_channel *c, bool ours, uint32_t id)
{
    struct tdm_channel_stream *free_place = NULL;
    int count = 0;

    for (int i = 1; i < TDM_CHANNEL_STREAMS_MAX; i++) {
        struct tdm_channel_stream *s = &c->streams[i];

        count += s->used && s->ours == ours;
        free_place = s->used || free_place ? free_place : s;
    }
    if (!free_place || count == TDM_CHANNEL_STREAMS_EACH)
        return NULL;
    *free_place = (struct tdm_channel_stream){.used = true,
                                              .ours = ours,
                                              .id = id,
                                              .limit = c->peer_window_bytes,
                                              .window = c->config.stream_window_bytes,
                                              .granted = c->config.stream_window_bytes,
                                              .credit_due = TDM_NEVER};
    return free_place;
}

void tdm_channel_free_if_over(struct tdm_channel_stream *s)
{
    bool finished = s->fin_acked && s->fin_received && s->fin_reported;
    bool given_up = s->reset_sent && s->reset_received;

    if ((finished && !s->tell_acked && !s->tell_rewind && !s->reset_due) || given_up)
        s->used = false;
}

void tdm_channel_plan_credit(struct tdm_channel_stream *s, tdm_time now)
{
    bool much = s->received - s->reported >= s->window / 4 ||
                s->consumed + s->window >= s->granted + s->window / 4 || s->fin_received;

    if ((s->cls == TDM_CLASS_LATEST && !s->fin_received) || s->fin_reported)
        return;
    if (s->received > s->reported || s->consumed + s->window > s->granted || s->fin_received)
        s->credit_due = tdm_time_min(s->credit_due, much ? now : now + CREDIT_DELAY);
}

/* A stream's window has to hold what the connection's window may have under way, else it is the
 * narrower: it doubles when it is used up in less than two of those, if what came was consumed and
 * does not pile up here. */
struct tdm_credit tdm_channel_credit_of(struct tdm_channel *c, struct tdm_channel_stream *s,
                                        tdm_time now)
{
    tdm_time rtt = c->window.rtt ? c->window.rtt : RTT_BEFORE_ANY;
    uint64_t came = s->received - s->reported;

    if (came >= s->window / 4 && s->consumed == s->received &&
        (now - s->credit_at) * (tdm_time)(s->window / came) < 2 * (rtt + TDM_CHANNEL_MARGIN) &&
        s->window * 2 <= c->config.stream_window_max_bytes)
        s->window *= 2;
    s->reported = s->received;
    s->fin_reported = s->fin_received;
    s->granted = s->consumed + s->window > s->granted ? s->consumed + s->window : s->granted;
    s->credit_at = now;
    s->credit_due = TDM_NEVER;
    return (struct tdm_credit){.received = s->received, .limit = s->granted};
}

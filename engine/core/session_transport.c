/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include "engine/wire/rtcp.h"

#include <string.h>

/* The bundle's socket may be named by a stream that is gone. */
static struct tdm_stream *active_of(struct tdm_session *s, struct tdm_stream *st)
{
    for (int i = 0; !st->active && i < TDM_SESSION_STREAMS; i++)
        if (s->streams[i].active && s->streams[i].config.bundled)
            return &s->streams[i];
    return st->active ? st : NULL;
}

static bool shares_transport(const struct tdm_stream *a, const struct tdm_stream *b)
{
    if (a == b || !a->active || !b->active)
        return a == b;
    return (a->config.bundled && b->config.bundled) ||
           (a->config.line && a->config.line == b->config.line);
}

/* Packets without a mark are never a marked stream's: it has the line's payload types. */
static bool has_mark(const struct tdm_stream *st, const struct tdm_rtp *rtp)
{
    return tdm_rtp_ext_find(rtp, st->config.mark_ext_id) != NULL;
}

static bool has_mid(const struct tdm_stream *st, const struct tdm_rtp *rtp)
{
    const struct tdm_rtp_ext *ext = tdm_rtp_ext_find(rtp, st->config.mid_ext_id);

    return !st->config.mark_ext_id && ext && ext->size == strlen(st->config.mid) &&
           memcmp(ext->data, st->config.mid, ext->size) == 0;
}

static bool has_source(const struct tdm_stream *st, const struct tdm_rtp *rtp)
{
    return !st->config.mark_ext_id && ((st->rx.has_source && st->rx.ssrc == rtp->ssrc) ||
                                       (st->rx.has_rtx_source && st->rx.rtx_ssrc == rtp->ssrc));
}

static bool has_type(const struct tdm_stream *st, const struct tdm_rtp *rtp)
{
    return !st->config.mark_ext_id && tdm_session_knows_type(st, rtp->payload_type);
}

/* RFC 8843 section 9.2: by what the packet says of its m= line or region, by its source, by its
 * payload type; `st` when nobody knows it. */
static struct tdm_stream *stream_for(struct tdm_session *s, struct tdm_stream *st,
                                     const struct tdm_rtp *rtp)
{
    bool (*const ways[])(const struct tdm_stream *,
                         const struct tdm_rtp *) = {has_mark, has_mid, has_source, has_type};

    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
        for (int i = 0; i < TDM_SESSION_STREAMS; i++)
            if (shares_transport(st, &s->streams[i]) && ways[way](&s->streams[i], rtp))
                return &s->streams[i];
    return st;
}

static void note_arrival(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                         const struct tdm_rtp *rtp, const struct tdm_session_in *in)
{
    tdm_time received = in->datagram.received;
    const struct tdm_rtp_ext *ext = tdm_rtp_ext_find(rtp, st->config.transport_cc_ext_id);

    if (st->config.transport_cc && ext && ext->size == TDM_TWCC_EXT_BYTES)
        tdm_transport_cc_in_packet(&tdm_transport_of(s, st)->in, now,
                                   (uint16_t)(ext->data[0] << 8 | ext->data[1]), rtp->ssrc,
                                   received);
    if (st->config.ccfb)
        tdm_arrivals_packet(&tdm_transport_of(s, st)->arrivals, now, rtp->ssrc, rtp->seq,
                            in->datagram.size, in->datagram.ecn, received);
}

void tdm_session_take_datagram(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                               const struct tdm_session_in *in, struct tdm_session_out *out)
{
    struct tdm_rtp rtp;

    st = active_of(s, st);
    if (!st)
        return;
    if (tdm_rtp_is_rtcp(in->datagram.data, in->datagram.size)) {
        for (int i = 0; i < TDM_SESSION_STREAMS; i++)
            if (shares_transport(st, &s->streams[i]))
                tdm_session_take_rtcp(s, &s->streams[i], now, in, out);
        return;
    }
    if (tdm_rtp_parse(&rtp, in->datagram.data, in->datagram.size) != TDM_OK) {
        st->rx.refused++;
        return;
    }
    st = stream_for(s, st, &rtp);
    if (tdm_session_knows_type(st, rtp.payload_type))
        note_arrival(s, st, now, &rtp, in);
    tdm_session_take_rtp(s, st, now, in, &rtp, out);
}

int32_t tdm_session_number(struct tdm_session *s, const struct tdm_stream *st, uint8_t *bytes,
                           uint16_t at)
{
    if (!at)
        return TDM_SENT_LOG_NONE;
    uint16_t number = tdm_transport_of(s, st)->next_number++;

    bytes[at] = (uint8_t)(number >> 8);
    bytes[at + 1] = (uint8_t)number;
    return number;
}

/* A stream of this transport that speaks for it. */
static struct tdm_stream *speaker_of(struct tdm_session *s, const struct tdm_transport *transport)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (s->streams[i].active &&
            (s->streams[i].config.transport_cc || s->streams[i].config.ccfb) &&
            tdm_transport_of(s, &s->streams[i]) == transport)
            return &s->streams[i];
    return NULL;
}

static void tell(struct tdm_session *s, tdm_time now, struct tdm_transport *transport,
                 struct tdm_stream *st, struct tdm_session_out *out)
{
    struct tdm_writer w = tdm_writer_of(transport->bytes, sizeof transport->bytes);

    if (!st->config.reduced_rtcp) {
        tdm_rtcp_write_rr(&w, st->tx.ssrc, NULL, 0);
        tdm_rtcp_write_sdes(&w, st->tx.ssrc, s->config.cname);
    }
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (tdm_transport_of(s, &s->streams[i]) == transport)
            tdm_session_write_references(&s->streams[i], &w);
    size_t head = tdm_writer_size(&w);

    if (now >= transport->in.due)
        tdm_transport_cc_in_write(&transport->in, st->tx.ssrc, &w);
    else
        tdm_arrivals_write(&transport->arrivals, now, tdm_clock_sync_ntp(&s->clock, now),
                           st->tx.ssrc, sizeof transport->bytes - head, &w);
    assert(w.ok);
    if (tdm_writer_size(&w) == head)
        return;
    out->sends[out->send_count++] = (struct tdm_session_send){
        .stream = tdm_stream_index(s, st),
        .rtcp = true,
        .size = (uint16_t)tdm_writer_size(&w),
        .data = transport->bytes,
    };
}

void tdm_session_run_transports(struct tdm_session *s, tdm_time now, struct tdm_session_out *out)
{
    for (int i = 0; i < TRANSPORTS; i++) {
        struct tdm_transport *transport = &s->transports[i];
        tdm_time due = tdm_time_min(transport->in.due, transport->arrivals.due);
        struct tdm_stream *st = due == TDM_NEVER ? NULL : speaker_of(s, transport);

        if (!st)
            continue;
        if (now >= due)
            tell(s, now, transport, st, out);
        due = tdm_time_min(transport->in.due, transport->arrivals.due);
        tdm_session_wake(out, tdm_time_max(due, now), "transport feedback");
    }
}

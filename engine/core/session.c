/* SPDX-License-Identifier: MIT */
#include "engine/core/session.h"

#include "engine/core/session_state.h"

#include <string.h>

#define DEFAULT_LIMIT_BPS 2500000
#define RECEIVE_LIMIT_BPS 8000000
#define BESIDE_MAX_BPS    UINT64_C(10000000000)

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t tdm_session_bytes(void)
{
    return rounded(sizeof(struct tdm_session)) +
           TDM_SESSION_STREAMS * rounded(tdm_assembly_bytes());
}

struct tdm_session *tdm_session_init(void *storage, const struct tdm_session_config *config,
                                     tdm_time now)
{
    struct tdm_session *s = storage;
    uint8_t *rest = (uint8_t *)storage + rounded(sizeof *s);

    s->config = *config;
    s->rng = tdm_rng_of(config->seed);
    s->web_rng = tdm_rng_of(~config->seed);
    tdm_clock_sync_init(&s->clock, config->wall_offset);
    tdm_call_rate_init(&s->rate, now, DEFAULT_LIMIT_BPS);
    s->rate_out =
        (struct tdm_call_rate_out){.target_bps = DEFAULT_LIMIT_BPS, .limit_bps = DEFAULT_LIMIT_BPS};
    tdm_sent_log_init(&s->sent_log);
    s->marked = 0;
    s->marks_fail = false;
    s->tail_at = s->use_at = s->probe_at = now;
    s->channel_bps = 0;
    s->tail_count = 0;
    tdm_pacer_init(&s->pacer, now);
    tdm_session_parity_init(s, now);
    tdm_session_ulpfec_init(s, now);
    for (int i = 0; i < TRANSPORTS; i++) {
        tdm_transport_cc_in_init(&s->transports[i].in);
        tdm_arrivals_init(&s->transports[i].arrivals);
        s->transports[i].next_number = (uint16_t)tdm_rng_u32(&s->web_rng);
    }
    for (int i = 0; i < TDM_SESSION_STREAMS; i++) {
        s->streams[i].active = false;
        s->streams[i].past =
            (struct tdm_stream_stats){.last_received = TDM_NEVER, .last_reported = TDM_NEVER};
        s->streams[i].rx.assembly_storage = rest + (size_t)i * rounded(tdm_assembly_bytes());
    }
    return s;
}

static void start_stream(struct tdm_session *s, struct tdm_stream *st, tdm_time now)
{
    void *assembly_storage = st->rx.assembly_storage;

    memset(&st->tx, 0, sizeof st->tx);
    memset(&st->rx, 0, sizeof st->rx);
    memset(&st->rtcp, 0, sizeof st->rtcp);
    st->active = true;
    st->tx.ssrc = tdm_rng_u32(&s->rng);
    st->tx.rtp_base = tdm_rng_u32(&s->rng);
    tdm_tmmbr_init(&st->tx.tmmbr, now);
    tdm_red_plan_init(&st->tx.red);
    st->tx.picture_id = (uint16_t)(tdm_rng_u32(&s->rng) & 0x7fff);
    tdm_send_store_init(&st->tx.store, st->packets, STORE_PACKETS,
                        (uint16_t)(tdm_rng_u32(&s->rng) & 0x7fff));
    st->tx.rtx_ssrc = tdm_rng_u32(&s->web_rng);
    st->tx.rtx_seq = (uint16_t)(tdm_rng_u32(&s->web_rng) & 0x7fff);
    st->rx.assembly_storage = assembly_storage;
    st->rx.last_received = st->tx.reported_at = TDM_NEVER;
    st->tx.frame_at = st->tx.coded_at = TDM_NEVER;
    st->rx.nack_wake = st->rx.assembly_wake = TDM_NEVER;
    tdm_rx_stats_init(&st->rx.stats);
    tdm_nack_init(&st->rx.nack, now);
    st->rtcp.due = now + 20 * TDM_MS;
}

static void limit_other(struct tdm_stream *st, tdm_time now)
{
    uint32_t most = st->config.receive_limit_bps ? st->config.receive_limit_bps : RECEIVE_LIMIT_BPS;

    if (st->rx.allowed.limit_bps != most)
        tdm_rate_init(&st->rx.allowed, now, most);
}

static void configure(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                      const struct tdm_stream_config *config)
{
    if (st->active && (!config || st->config.kind != config->kind)) {
        struct tdm_stream_stats totals;

        tdm_session_stats(s, tdm_stream_index(s, st), &totals);
        st->past = totals;
        st->active = false;
    }
    if (!config)
        return;
    if (!st->active)
        start_stream(s, st, now);
    else if (st->config.send_codec != config->send_codec || st->config.send_hz != config->send_hz ||
             !config->send) {
        st->tx.rtp_started = st->tx.talking = false;
        st->tx.cut_off = true; /* Slices of a frame that began before. */
    }
    st->config = *config;
    tdm_session_limit_rate(s, st, now);
    limit_other(st, now);
}

static void take_bye(struct tdm_session *s)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        s->streams[i].rtcp.bye = s->streams[i].active;
}

static void take(struct tdm_session *s, tdm_time now, const struct tdm_session_in *in,
                 struct tdm_session_out *out)
{
    assert(in->stream < TDM_SESSION_STREAMS);
    struct tdm_stream *st = &s->streams[in->stream];

    if (in->kind == TDM_SESSION_CONFIGURE) {
        configure(s, st, now, in->configure);
        return;
    }
    if (in->kind == TDM_SESSION_BYE) {
        take_bye(s);
        return;
    }
    if (in->kind == TDM_SESSION_LATENCY) {
        tdm_call_rate_budget(&s->rate, in->latency_budget);
        return;
    }
    if (in->kind == TDM_SESSION_BESIDE) {
        s->channel_bps = in->beside_bps < BESIDE_MAX_BPS ? in->beside_bps : BESIDE_MAX_BPS;
        return;
    }
    if (in->kind == TDM_SESSION_DATAGRAM)
        tdm_session_take_datagram(s, st, now, in, out);
    if (!st->active)
        return;
    switch (in->kind) {
    case TDM_SESSION_AUDIO_FRAME:
        tdm_session_take_audio(s, st, now, in);
        break;
    case TDM_SESSION_VIDEO_SLICE:
        tdm_session_take_slice(s, st, now, in, out);
        break;
    case TDM_SESSION_DTMF:
        tdm_session_take_dtmf(st, now, in);
        break;
    case TDM_SESSION_DECODE_FAILED:
        tdm_session_run_receiver(s, st, now, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_BROKEN},
                                 out);
        break;
    case TDM_SESSION_CONFIGURE:
    case TDM_SESSION_DATAGRAM:
    case TDM_SESSION_BESIDE:
    case TDM_SESSION_LATENCY:
    case TDM_SESSION_BYE:
        break;
    }
}

/* What is due by time alone. A unit already in `out` leaves the receivers for the next step. */
static void run_timers(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       struct tdm_session_out *out)
{
    tdm_session_run_receiver_timers(s, st, now, out);
    tdm_session_run_dtmf(s, st, now, out);
    tdm_session_run_rtcp(s, st, now, out);
    tdm_session_run_rate(s, st, now, out);
    tdm_session_run_repeats(st, now, out);
}

void tdm_session_step(struct tdm_session *s, tdm_time now, const struct tdm_session_in *in,
                      struct tdm_session_out *out)
{
    out->send_count = 0;
    out->unit = TDM_UNIT_NONE;
    out->keyframe_wanted = 0;
    out->frame_dropped = 0;
    out->bye = false;
    out->wake_at = TDM_NEVER;
    out->wake_why = "nothing";
    if (in)
        take(s, now, in, out);
    tdm_session_follow_use(s, now);
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (s->streams[i].active)
            run_timers(s, &s->streams[i], now, out);
    tdm_session_run_transports(s, now, out);
    tdm_session_flush(s, now, out);
}

static void add_totals(struct tdm_stream_stats *to, const struct tdm_stream_stats *past)
{
    to->packets_sent += past->packets_sent;
    to->bytes_sent += past->bytes_sent;
    to->packets_resent += past->packets_resent;
    to->frames_sent += past->frames_sent;
    to->frames_cut += past->frames_cut;
    to->packets_received += past->packets_received;
    to->bytes_received += past->bytes_received;
    to->frames_received += past->frames_received;
    to->keyframes_received += past->keyframes_received;
    to->packets_refused += past->packets_refused;
    to->packets_lost += past->packets_lost;
    to->nacks_sent += past->nacks_sent;
    to->nacks_received += past->nacks_received;
    to->plis_sent += past->plis_sent;
    to->plis_received += past->plis_received;
    to->repaired += past->repaired;
    to->frames_dropped += past->frames_dropped;
    to->frames_jumped += past->frames_jumped;
    to->parity_sent += past->parity_sent;
    to->parity_bytes += past->parity_bytes;
    to->parity_received += past->parity_received;
    to->mended += past->mended;
    to->mended_late += past->mended_late;
}

void tdm_session_stats(const struct tdm_session *s, uint8_t stream, struct tdm_stream_stats *stats)
{
    const struct tdm_stream *st = &s->streams[stream];
    const struct stream_sender *tx = &st->tx;
    const struct stream_receiver *rx = &st->rx;
    const struct tdm_assembly_stats *frames =
        rx->assembly ? tdm_assembly_stats_of(rx->assembly) : NULL;

    *stats = st->past;
    if (!st->active)
        return;
    *stats = (struct tdm_stream_stats){
        .packets_sent = tx->packets,
        .bytes_sent = tx->bytes,
        .packets_resent = tx->resent,
        .frames_sent = tx->frame_count,
        .frames_cut = tx->cut_count,
        .packets_received = rx->packets,
        .bytes_received = rx->bytes,
        .frames_received = rx->frames,
        .keyframes_received = rx->keyframes,
        .packets_refused = rx->refused,
        .packets_lost = tdm_rx_stats_lost(&rx->stats),
        .nacks_sent = rx->nacks_sent,
        .nacks_received = tx->nacks_received,
        .plis_sent = rx->plis_sent,
        .plis_received = tx->plis_received,
        .repaired = rx->nack.recovered,
        .frames_dropped = frames ? frames->dropped_frames + frames->holes_given_up : 0,
        .frames_jumped = frames ? frames->jumped_holes : 0,
        .jitter_ms = rx->stats.jitter_s * 1e3,
        .remote_loss = tx->remote_loss,
        .receive_codec = rx->codec,
        .last_received = rx->last_received,
        .last_reported = tx->reported_at,
        .target_bps = st->config.kind == TDM_VIDEO ? s->rate_out.target_bps : st->config.limit_bps,
        .limit_bps = st->config.kind != TDM_VIDEO ? st->config.limit_bps
                     : s->rate_out.controlled     ? s->rate_out.limit_bps
                                                  : s->rate_out.target_bps,
        .packets_waiting = tdm_send_store_waiting(&tx->store),
    };
    tdm_session_repairs_stats(s, st, stats);
    add_totals(stats, &st->past);
}

uint32_t tdm_session_waiting(const struct tdm_session *s, uint8_t stream)
{
    const struct tdm_stream *st = &s->streams[stream];

    return st->active ? tdm_send_store_waiting(&st->tx.store) : 0;
}

bool tdm_session_clock(const struct tdm_session *s, tdm_time *rtt, tdm_time *rtt_min,
                       tdm_time *offset)
{
    *rtt = s->clock.rtt;
    *rtt_min = s->clock.rtt_min;
    *offset = s->clock.offset;
    return s->clock.known;
}

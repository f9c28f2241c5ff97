/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#define PACKET_OVERHEAD 44 /* IPv4, UDP and the tag of SRTP, which nobody here sees. */
#define ACKS_MAX        256
#define RESTS_AFTER     (2 * TDM_S) /* Without a picture it is the source that rests. */
#define RESTS_SOON      TDM_S       /* Then the other pictures have all. */
#define SCREEN_PART     0.75        /* Most that a region may have beside the camera. */
#define PROBE_EVERY     (2 * TDM_S)
#define PROBE_AGAIN     (100 * TDM_MS)
#define PROBE_QUEUE     (10 * TDM_MS)
#define PROBE_LEAST     3
#define PROBE_MOST      8
#define PROBE_SECONDS   0.04
#define PROBE_BYTES     700
#define FRAME_LATE      1.5           /* Of its time; then it was not coded. */
#define TAIL_AFTER      (50 * TDM_MS) /* A round trip and this, and nothing was told: ask. */
#define TAIL_DOUBLINGS  4
#define ECN_PROOF       600   /* Reports without a mark of ours: somebody washes them off. */
#define MARKS_LOST      TDM_S /* Nothing comes since they are marked: somebody drops them. */

#define USE_EVERY (500 * TDM_MS)

/* Pictures whose packets are told of. Voice is none of them (call_rate.h). */
static bool is_told(const struct tdm_stream *st)
{
    const struct tdm_stream_config *c = &st->config;

    return st->active && c->kind == TDM_VIDEO && c->send &&
           (c->ccfb || (c->transport_cc && c->transport_cc_ext_id));
}

static tdm_time frame_time(const struct tdm_stream *st)
{
    return TDM_S / (st->config.fps ? st->config.fps : TDM_CALL_RATE_FPS);
}

void tdm_session_follow_rate(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                             const struct tdm_call_rate_in *in)
{
    tdm_call_rate_step(&s->rate, now, in, &s->rate_out);
    if (s->rate_out.controlled)
        tdm_pacer_follow(&s->pacer, s->rate_out.pace_bps);
    else
        tdm_pacer_set(&s->pacer, s->rate_out.target_bps, st->config.fps);
}

void tdm_session_limit_rate(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    bool told = false;

    if (st->config.kind != TDM_VIDEO)
        return;
    if (st->config.limit_bps)
        tdm_session_follow_rate(
            s, st, now,
            &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_LIMIT, .bps = st->config.limit_bps});
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        told |= is_told(&s->streams[i]);
    tdm_session_follow_rate(s, st, now,
                            &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_AGREED, .told = told});
}

void tdm_session_log_packet(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                            const uint8_t *bytes, uint16_t size, int32_t number)
{
    if (!is_told(st))
        return;
    uint32_t on_wire = size + PACKET_OVERHEAD;

    tdm_sent_log_packet(&s->sent_log, now,
                        &(struct tdm_sent_note){
                            .ssrc = (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 |
                                    (uint32_t)bytes[10] << 8 | bytes[11],
                            .seq = (uint16_t)(bytes[2] << 8 | bytes[3]),
                            .bytes = on_wire,
                            .space = (uint8_t)(tdm_transport_of(s, st) - s->transports),
                            .number = number,
                        });
    tdm_session_follow_rate(
        s, st, now, &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_SENT, .bytes = on_wire});
}

void tdm_session_log_again(struct tdm_session *s, const struct tdm_stream *st,
                           const struct tdm_send_packet *p)
{
    if (is_told(st))
        tdm_sent_log_again(&s->sent_log, st->tx.ssrc, (uint16_t)p->seq);
}

/* The fate of a voice packet decides on its copies. */
static void tell_copies(struct tdm_session *s, const struct tdm_ack *ack)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++) {
        struct tdm_stream *st = &s->streams[i];

        if (st->active && st->config.send_red_payload_type && st->tx.ssrc == ack->ssrc)
            tdm_red_plan_told(&st->tx.red, ack->seq, ack->arrival == TDM_NEVER);
    }
}

static void take_acks(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    struct tdm_ack acks[ACKS_MAX];
    uint32_t count;

    while ((count = tdm_sent_log_read(&s->sent_log, acks, ACKS_MAX))) {
        for (uint32_t i = 0; i < count; i++) {
            s->marked += acks[i].ce;
            tell_copies(s, &acks[i]);
        }
        tdm_session_parity_acks(s, acks, count);
        tdm_session_follow_rate(
            s, st, now,
            &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_ACKS,
                                       .bytes = (uint32_t)s->sent_log.inflight_bytes,
                                       .acks = acks,
                                       .ack_count = count});
        s->tail_count = 0;
    }
}

void tdm_session_take_ccfb(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                           const struct tdm_ccfb_reader *feedback)
{
    if (!is_told(st) || !st->config.ccfb)
        return;
    tdm_sent_log_ccfb(&s->sent_log, *feedback);
    take_acks(s, st, now);
}

void tdm_session_take_transport_cc(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                                   const struct tdm_twcc_reader *feedback)
{
    if (!is_told(st) || !st->config.transport_cc)
        return;
    tdm_sent_log_twcc(&s->sent_log, (uint8_t)(tdm_transport_of(s, st) - s->transports), *feedback);
    take_acks(s, st, now);
}

tdm_time tdm_session_when(struct tdm_session *s, tdm_time now)
{
    return tdm_time_max(tdm_pacer_when(&s->pacer, now), tdm_call_rate_when(&s->rate, now));
}

static uint32_t waiting_bytes(const struct tdm_session *s)
{
    uint32_t bytes = 0;

    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (is_told(&s->streams[i]))
            bytes += s->streams[i].tx.waiting_bytes;
    return bytes;
}

static void frame(struct tdm_session *s, struct tdm_stream *st, tdm_time now)
{
    st->tx.frame_at = now;
    tdm_session_follow_rate(
        s, st, now,
        &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_FRAME, .bytes = waiting_bytes(s)});
}

void tdm_session_begin_picture(struct tdm_session *s, struct tdm_stream *st, tdm_time now)
{
    st->tx.coded_at = now;
    if (is_told(st))
        frame(s, st, now);
}

static bool codes(const struct tdm_stream *st, tdm_time now)
{
    return st->active && st->config.kind == TDM_VIDEO && st->config.send &&
           st->tx.coded_at != TDM_NEVER && now - st->tx.coded_at < RESTS_SOON;
}

/* The end of a picture is lost with all behind it: nobody knows that it is missing, nothing is
 * told, and so nothing more is sent. Its last packet once more brings the news, and the NACKs. */
static void probe_tail(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       struct tdm_session_out *out)
{
    const struct tdm_call_rate *r = &s->rate;
    tdm_time rtt = r->window.rtt_min;

    if (!r->controlled || r->untold_since == TDM_NEVER || rtt == TDM_NEVER || !st->config.nack ||
        tdm_send_store_waiting(&st->tx.store))
        return;
    tdm_time quiet = tdm_time_max(r->untold_since, r->window.sent_at);
    tdm_time due = tdm_time_max(quiet, s->tail_count ? s->tail_at : quiet) +
                   ((rtt + TAIL_AFTER) << s->tail_count);

    if (now >= due) {
        (void)tdm_send_store_ask(&st->tx.store, now, (uint16_t)(st->tx.store.next - 1), 0);
        s->tail_at = now;
        s->tail_count = (uint8_t)(s->tail_count + (s->tail_count < TAIL_DOUBLINGS));
        due = now + ((rtt + TAIL_AFTER) << s->tail_count);
    }
    tdm_session_wake(out, due, "tail");
}

/* What each stream takes of the way, seen twice a second; of voice it is what pictures must leave.
 */
void tdm_session_follow_use(struct tdm_session *s, tdm_time now)
{
    uint64_t voice_bps = 0;
    const struct tdm_stream *pictures = NULL;

    if (now - s->use_at < USE_EVERY)
        return;
    for (int i = 0; i < TDM_SESSION_STREAMS; i++) {
        struct tdm_stream *st = &s->streams[i];
        uint64_t bytes = st->tx.bytes + st->tx.packets * PACKET_OVERHEAD;

        if (!st->active)
            continue;
        st->tx.recent_bps =
            (uint64_t)((double)(bytes - st->tx.use_bytes) * 8e9 / (double)(now - s->use_at));
        st->tx.use_bytes = bytes;
        if (st->config.kind == TDM_AUDIO)
            voice_bps += st->tx.recent_bps;
        else
            pictures = st;
    }
    s->use_at = now;
    if (pictures)
        tdm_session_follow_rate(s, pictures, now,
                                &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_BESIDE,
                                                           .bps = voice_bps + s->channel_bps});
}

/* Where pictures are too small to measure with, what is known of the way would grow old. */
static void probe_way(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                      struct tdm_session_out *out)
{
    const struct tdm_window_rate *w = &s->rate.window;
    tdm_time due = tdm_time_max(w->proved_at, s->probe_at) + PROBE_EVERY;

    if (!s->rate.controlled || w->mode != TDM_RATE_DELAY || !codes(st, now))
        return;
    if (now < due || w->queue > PROBE_QUEUE) {
        tdm_session_wake(out, tdm_time_max(due, now + PROBE_AGAIN), "probe");
        return;
    }
    /* No longer than voice can wait behind it. */
    double packets = w->capacity_bps / 8 * PROBE_SECONDS / PROBE_BYTES;
    uint16_t count = packets < PROBE_LEAST  ? PROBE_LEAST
                     : packets < PROBE_MOST ? (uint16_t)packets
                                            : PROBE_MOST;
    bool probes = tdm_session_parity_probe(s, st, now, count);

    /* Wrapped repairs have numbers of their own, so that each is a measure. */
    for (int i = count; !probes && st->config.send_rtx_payload_type && i > 0; i--)
        (void)tdm_send_store_ask(&st->tx.store, now, (uint16_t)(st->tx.store.next - i), 0);
    s->probe_at = now;
    frame(s, st, now);
}

void tdm_session_run_rate(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out)
{
    if (!is_told(st))
        return;
    probe_tail(s, st, now, out);
    probe_way(s, st, now, out);
    if (s->rate.heard && s->rate.untold_since != TDM_NEVER && !s->sent_log.told_capable &&
        now - s->rate.untold_since > MARKS_LOST)
        s->marks_fail = true;
    if (st->tx.frame_at == TDM_NEVER || now - st->tx.coded_at > RESTS_AFTER)
        return;
    tdm_time due = st->tx.frame_at + (tdm_time)((double)frame_time(st) * FRAME_LATE);

    if (now >= due) {
        frame(s, st, now);
        due = now + frame_time(st);
    }
    tdm_session_wake(out, due, "rate");
}

double tdm_session_picture_part(const struct tdm_session *s, uint8_t stream, tdm_time now)
{
    const struct tdm_stream *st = &s->streams[stream], *other = NULL;

    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (&s->streams[i] != st && codes(&s->streams[i], now))
            other = &s->streams[i];
    if (!other)
        return 1;
    if (st->config.mark_ext_id)
        return SCREEN_PART;
    /* The camera has what the screen leaves, and never nothing. */
    double used = (double)other->tx.recent_bps / (double)(s->rate_out.target_bps + 1);

    return used > SCREEN_PART ? 1 - SCREEN_PART : used < 1 - SCREEN_PART ? SCREEN_PART : 1 - used;
}

void tdm_session_follow_fps(struct tdm_session *s, uint8_t stream, uint32_t fps)
{
    struct tdm_stream *st = &s->streams[stream];

    if (st->active && fps)
        st->config.fps = fps;
}

uint32_t tdm_session_frame_bytes(const struct tdm_session *s, uint8_t stream, tdm_time now)
{
    const struct tdm_stream *st = &s->streams[stream];

    if (!tdm_tmmbr_may(&st->tx.tmmbr, now))
        return 0;
    if (!is_told(st))
        return UINT32_MAX;
    uint32_t all = tdm_call_rate_frame(&s->rate, now, waiting_bytes(s));

    if (all == UINT32_MAX || !all)
        return all;
    double bytes = (double)all * TDM_CALL_RATE_FPS * (double)frame_time(st) * 1e-9 *
                   tdm_session_picture_part(s, stream, now);
    double packets = bytes / (TDM_RTP_PACKET_MAX + PACKET_OVERHEAD) + 1;

    size_t head = TDM_RTP_PACKET_MAX - tdm_session_payload_max(st) + PACKET_OVERHEAD;

    bytes = bytes / (1 + tdm_session_parity_part(s, st) + tdm_session_ulpfec_part(s, st)) -
            packets * (double)head;
    return bytes > 1 ? (uint32_t)bytes : 1;
}

/* Once the way is known to be open, and for as long as the marks arrive. */
static bool may_mark(const struct tdm_session *s)
{
    bool ecn = false;

    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        ecn |= is_told(&s->streams[i]) && s->streams[i].config.ccfb && s->streams[i].config.ecn;
    return ecn && s->rate.heard && !s->marks_fail &&
           (s->sent_log.told < ECN_PROOF || s->sent_log.told_capable > 0);
}

static enum tdm_session_rate_mode mode_of(const struct tdm_session *s)
{
    const struct tdm_window_rate *w = &s->rate.window;

    if (!s->rate_out.controlled)
        return TDM_SESSION_RATE_REPORTS;
    if (w->mode != TDM_RATE_DELAY)
        return w->mode == TDM_RATE_COEXIST ? TDM_SESSION_RATE_COEXIST
               : s->rate.heard             ? TDM_SESSION_RATE_NORMAL
                                           : TDM_SESSION_RATE_START;
    return w->crowd > 0.5 ? TDM_SESSION_RATE_CROWD : TDM_SESSION_RATE_NORMAL;
}

void tdm_session_rate_of(const struct tdm_session *s, struct tdm_session_rate *rate)
{
    const struct tdm_window_rate *w = &s->rate.window;
    *rate = (struct tdm_session_rate){
        .mode = mode_of(s),
        .target_bps = s->rate_out.target_bps,
        .limit_bps = s->rate_out.limit_bps,
        .capacity_bps = (uint64_t)w->capacity_bps,
        .acked_bps = (uint64_t)w->acked_bps,
        .queue = w->queue,
        .rtt_min = w->rtt_min,
        .inflight_bytes = s->sent_log.inflight_bytes,
        .window_bytes = s->rate.out.window_bytes,
        .ecn = may_mark(s),
        .marked = s->marked,
    };
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include <string.h>

#define REPLAN_EVERY  (2 * TDM_S)
#define REPLAN_FIRST  (200 * TDM_MS) /* While what is known is little. */
#define LITTLE        1024           /* Packets. */
#define COST_MOST     0.34
#define STALLS_WANTED 0.0001
#define LATE_WANTED   0.04
#define PACKETS_START 4
#define PACKETS_KEEP  0.95
/* Another codec costs a keyframe, about as much as so long a stall. */
#define SAVED_WORTH (50 * TDM_MS)

void tdm_session_parity_init(struct tdm_session *s, tdm_time now)
{
    struct session_parity *p = &s->parity;

    memset(p, 0, sizeof *p);
    p->ssrc = tdm_rng_u32(&s->web_rng);
    p->seq = (uint16_t)(tdm_rng_u32(&s->web_rng) & 0x7fff);
    p->packets = PACKETS_START;
    p->planned_at = now;
    p->next_at = TDM_NEVER;
    tdm_loss_pattern_init(&p->pattern);
    tdm_window_encoder_init(&p->encoder);
    tdm_window_decoder_init(&p->decoder);
}

static bool may_refer(const struct tdm_stream *st)
{
    return tdm_session_may_mend(st) && st->config.reference_ext_id && st->config.refer_reach;
}

/* The one stream of each way that has repairs, or whose pictures refer as planned. */
static const struct tdm_stream *sender_of(const struct tdm_session *s)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if ((tdm_session_may_mend(&s->streams[i]) && s->streams[i].config.send_parity_type) ||
            may_refer(&s->streams[i]))
            return &s->streams[i];
    return NULL;
}

static const struct tdm_stream *receiver_of(const struct tdm_session *s)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (tdm_session_may_mend(&s->streams[i]) && s->streams[i].config.receive_parity_type)
            return &s->streams[i];
    return NULL;
}

bool tdm_session_is_parity(const struct tdm_stream *st, uint8_t payload_type)
{
    return tdm_session_may_mend(st) && st->config.receive_parity_type == payload_type &&
           payload_type;
}

bool tdm_session_sends_parity(const struct tdm_session *s, const struct tdm_stream *st)
{
    return sender_of(s) == st;
}

bool tdm_session_takes_parity(const struct tdm_session *s, const struct tdm_stream *st)
{
    return receiver_of(s) == st;
}

double tdm_session_parity_part(const struct tdm_session *s, const struct tdm_stream *st)
{
    return tdm_session_may_mend(st) && st->config.send_parity_type ? s->parity.plan.parity : 0;
}

/* The sender's side. */

void tdm_session_parity_acks(struct tdm_session *s, const struct tdm_ack *acks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!acks[i].again)
            tdm_loss_pattern_packet(&s->parity.pattern, acks[i].sent, acks[i].arrival == TDM_NEVER);
}

/* What the references of another encoder would have saved since the last plan. */
static void look_elsewhere(struct session_parity *p, const struct tdm_stream *st, tdm_time passed,
                           const struct tdm_repair_path *path, const struct tdm_repair_means *means)
{
    struct tdm_repair_means more = *means;
    struct tdm_repair_plan other;

    more.chains = st->config.refer_elsewhere;
    if (!may_refer(st) || more.chains <= means->chains || p->plan.stalls <= means->stalls)
        return;
    tdm_repair_plan_make(&other, path, &more);
    if (other.stalls < p->plan.stalls)
        p->saved += (tdm_time)((p->plan.stalls - other.stalls) * (double)passed);
}

static void plan(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    struct session_parity *p = &s->parity;
    tdm_time every = p->pattern.packets < LITTLE ? REPLAN_FIRST : REPLAN_EVERY;

    if (now < p->planned_at + every || !s->clock.rtt)
        return;
    tdm_time passed = tdm_time_min(now - p->planned_at, 2 * every); /* Not of a rest. */
    const struct tdm_repair_path path = {
        .loss = tdm_loss_pattern_loss(&p->pattern),
        .burst = tdm_loss_pattern_burst(&p->pattern),
        .burst_time = tdm_loss_pattern_burst_time(&p->pattern),
        .rtt = s->clock.rtt,
    };
    const struct tdm_repair_means means = {
        .ask = st->config.nack,
        .code = st->config.send_parity_type != 0,
        .reach = may_refer(st) ? st->config.refer_reach : 0,
        .chains = may_refer(st) ? st->config.refer_chains : 0,
        .interval = tdm_session_frame_interval(st),
        .patience = REPAIR_PATIENCE,
        .packets = p->packets,
        .most = COST_MOST,
        .stalls = STALLS_WANTED,
        .late = LATE_WANTED,
    };

    p->planned_at = now;
    tdm_repair_plan_make(&p->plan, &path, &means);
    look_elsewhere(p, st, passed, &path, &means);
}

/* The frame's repairs leave over its time, so that one burst takes fewer of them. */
static void end_frame(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    struct session_parity *p = &s->parity;
    uint16_t packets = p->frame_packets[p->frame];

    p->packets = p->packets * PACKETS_KEEP + packets * (1 - PACKETS_KEEP);
    plan(s, st, now);
    p->credit = p->plan.parity > 0 ? p->credit + packets * p->plan.parity : 0;
    p->due = (uint16_t)p->credit;
    p->credit -= p->due;
    p->next_at = p->due ? now : TDM_NEVER;
    p->gap = tdm_session_frame_interval(st) / (p->due + 1);
    p->frame = (uint8_t)((p->frame + 1) % PARITY_WINDOW);
    p->frame_packets[p->frame] = 0;
}

void tdm_session_parity_sent(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                             const struct tdm_send_packet *packet)
{
    struct session_parity *p = &s->parity;

    if (st->config.kind != TDM_VIDEO || sender_of(s) != st)
        return;
    if (st->config.send_parity_type)
        tdm_window_encoder_push(&p->encoder, packet->seq, packet->bytes, packet->size);
    p->frame_packets[p->frame]++;
    if (packet->marker)
        end_frame(s, st, now);
}

/* What was before the last picture that begins anew is of no use. */
static uint16_t span_of(const struct session_parity *p)
{
    int pictures = p->plan.known_every ? p->plan.known_every : PARITY_WINDOW;
    uint32_t span = 0;

    for (int i = 0; i <= pictures && i < PARITY_WINDOW; i++)
        span += p->frame_packets[(p->frame + PARITY_WINDOW - i) % PARITY_WINDOW];
    return (uint16_t)(span < TDM_WINDOW_SPAN_MAX ? span : TDM_WINDOW_SPAN_MAX);
}

bool tdm_session_parity_probe(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                              uint16_t count)
{
    struct session_parity *p = &s->parity;

    if (sender_of(s) != st || p->due || !span_of(p))
        return false;
    p->due = count;
    p->next_at = now;
    p->gap = 0;
    return true;
}

/* One repair as an RTP packet of its own source; 0: there is nothing to cover, or no room. */
static uint16_t write_parity(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    struct session_parity *p = &s->parity;
    uint8_t payload[TDM_WINDOW_REPAIR_MAX];
    struct tdm_rtp rtp = {
        .payload_type = st->config.send_parity_type,
        .seq = p->seq,
        .timestamp = (uint32_t)tdm_session_rtp_now(st, now) + st->tx.rtp_base,
        .ssrc = p->ssrc,
        .payload = payload,
        .payload_size = tdm_window_encoder_repair(&p->encoder, span_of(p), payload),
    };
    struct tdm_writer w = tdm_writer_of(p->bytes, sizeof p->bytes);

    if (!rtp.payload_size)
        return 0;
    tdm_rtp_write(&w, &rtp);
    p->seq += w.ok;
    return w.ok ? (uint16_t)tdm_writer_size(&w) : 0; /* Cut before repairs were agreed. */
}

bool tdm_session_flush_parity(struct tdm_session *s, tdm_time now, struct tdm_session_out *out)
{
    struct session_parity *p = &s->parity;
    const struct tdm_stream *st = sender_of(s);

    if (!st || !st->config.send || !p->due)
        return true;
    tdm_time when = tdm_time_max(p->next_at, tdm_session_when(s, now));

    if (now < when) {
        tdm_session_wake(out, when, "parity");
        return true;
    }
    if (out->send_count == TDM_SESSION_SENDS_MAX) {
        tdm_session_wake(out, now, "more to send");
        return false;
    }
    uint16_t size = write_parity(s, st, now);

    p->due--;
    p->next_at = now + p->gap;
    if (p->due)
        tdm_session_wake(out, p->next_at, "parity");
    if (!size)
        return true;
    tdm_pacer_sent(&s->pacer, size);
    tdm_session_log_packet(s, st, now, p->bytes, size, TDM_SENT_LOG_NONE);
    p->repairs.sent++;
    p->repairs.sent_bytes += size;
    s->streams[tdm_stream_index(s, st)].tx.packets++;
    s->streams[tdm_stream_index(s, st)].tx.bytes += size;
    out->sends[out->send_count++] = (struct tdm_session_send){
        .stream = tdm_stream_index(s, st), .size = size, .data = p->bytes};
    return true;
}

/* The receiver's side. */

static void keep(struct session_parity *p, const struct tdm_window_out *mended)
{
    for (uint16_t i = 0; i < mended->count && p->waiting_count < TDM_WINDOW_ROWS; i++)
        p->waiting[p->waiting_count++] = mended->packets[i]->seq;
}

void tdm_session_parity_came(struct tdm_session *s, const struct tdm_stream *st,
                             const struct tdm_session_in *in, int64_t seq, bool restarted)
{
    struct session_parity *p = &s->parity;
    struct tdm_window_out mended;

    if (!st->config.receive_parity_type || receiver_of(s) != st)
        return;
    if (restarted) {
        uint64_t recovered = p->decoder.recovered;

        tdm_window_decoder_init(&p->decoder);
        p->decoder.recovered = recovered;
        p->waiting_count = 0;
    }
    tdm_window_decoder_packet(&p->decoder, seq, in->datagram.data, in->datagram.size, &mended);
    keep(p, &mended);
}

void tdm_session_take_parity(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                             const struct tdm_session_in *in, const struct tdm_rtp *rtp)
{
    struct session_parity *p = &s->parity;
    struct tdm_window_out mended;

    if (receiver_of(s) != st || !st->rx.has_source || st->rx.resting ||
        tdm_window_decoder_repair(&p->decoder, rtp->payload, rtp->payload_size, &mended) !=
            TDM_OK) {
        st->rx.refused++;
        return;
    }
    st->rx.last_received = now;
    st->rx.packets++;
    st->rx.bytes += in->datagram.size;
    tdm_session_repair_came(&p->repairs, now);
    keep(p, &mended);
}

void tdm_session_run_parity(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            struct tdm_session_out *out)
{
    struct session_parity *p = &s->parity;
    uint16_t taken = 0;

    if (receiver_of(s) != st)
        return;
    for (; taken < p->waiting_count && out->unit == TDM_UNIT_NONE; taken++) {
        const struct tdm_window_packet *packet =
            tdm_window_decoder_find(&p->decoder, p->waiting[taken]);

        if (packet)
            tdm_session_take_mended(s, st, now, packet->bytes, packet->size, packet->seq,
                                    &p->repairs, out);
    }
    p->waiting_count = (uint16_t)(p->waiting_count - taken);
    memmove(&p->waiting[0], &p->waiting[taken], p->waiting_count * sizeof p->waiting[0]);
    if (p->waiting_count)
        tdm_session_wake(out, now, "mended");
}

void tdm_session_references(const struct tdm_session *s, uint8_t stream,
                            struct tdm_session_references *references)
{
    const struct tdm_stream *st = &s->streams[stream];
    const struct tdm_repair_plan *plan = &s->parity.plan;
    bool planned = sender_of(s) == st;

    *references = (struct tdm_session_references){
        .agreed = may_refer(st),
        .told = st->tx.references_told,
        .report = st->tx.references,
        .chains = planned ? plan->chains : 1,
        .known_every = planned ? plan->known_every : 0,
        .better_elsewhere = planned && s->parity.saved >= SAVED_WORTH,
    };
}

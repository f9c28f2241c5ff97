/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include "engine/wire/rtcp.h"

#include <string.h>

#define QUICK_REPORTS 10 /* At the start, so that clocks and rate are known soon. */
#define QUICK_EVERY   (100 * TDM_MS)
#define REPORT_EVERY                                                                               \
    (500 * TDM_MS) /* RFC 3550 section 6.2: reduced minimum, 360 / kb/s, is less. */
#define QUIET_MIN       (5 * TDM_MS)
#define ALLOWED_PACKETS 20 /* Fewer tell little of loss. */
#define PACKET_BYTES    1100
#define HEADS_BYTES     40 /* Beside the payload: IPv4, UDP, RTP. */
#define TMMBR_STEP      16 /* A change of so small a part is not worth a word. */

static void take_report(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                        tdm_time received, const struct tdm_rtcp_report *r, uint64_t peer_ntp)
{
    if (r->ssrc != st->tx.ssrc)
        return;
    tdm_clock_sync_report(&s->clock, received, r->last_sr, r->delay_since_last_sr, peer_ntp);
    st->tx.remote_loss = r->fraction_lost / 256.0;
    tdm_red_plan_report(&st->tx.red, st->tx.remote_loss);
    tdm_session_take_losses(st, r);
    st->tx.reported_at = now;
    if (st->config.kind == TDM_VIDEO)
        tdm_session_follow_rate(s, st, now,
                                &(struct tdm_call_rate_in){
                                    .kind = TDM_CALL_RATE_REPORT,
                                    .fraction_lost = r->fraction_lost,
                                    .rtt = s->clock.rtt,
                                });
}

static void take_sr(struct tdm_stream *st, tdm_time received, const struct tdm_rtcp_item *item)
{
    struct stream_receiver *rx = &st->rx;

    if (!rx->has_source || item->sr.ssrc != rx->ssrc)
        return;
    rx->sr_ntp = item->sr.ntp;
    rx->sr_arrival = received;
    rx->sr_rtp_time = tdm_rtp_time_extend(rx->stats.last_rtp_time, item->sr.rtp_timestamp);
    rx->sr_maps = true;
}

static void take_nack(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                      const struct tdm_rtcp_item *item)
{
    tdm_time quiet = tdm_time_max(s->clock.rtt * 4 / 5, QUIET_MIN);

    if (item->media_ssrc != st->tx.ssrc)
        return;
    /* Packets from before the latest keyframe would only delay it. */
    for (uint16_t i = 0; i < item->nack.count; i++) {
        uint16_t pid = item->nack.entries[i].pid;
        uint32_t mask = (uint32_t)item->nack.entries[i].blp << 1 | 1;

        for (uint16_t bit = 0; bit <= 16; bit++)
            if (mask >> bit & 1) {
                uint16_t seq = (uint16_t)(pid + bit);

                st->tx.nacks_received++;
                if (tdm_seq_extend(st->tx.store.next, seq) >= st->tx.repair_from &&
                    tdm_send_store_ask(&st->tx.store, now, seq, quiet))
                    tdm_session_repeat(s, st, now, seq);
            }
    }
}

/* The strictest of what the other side lets our pictures have, whichever of them it named. */
static void follow_tmmbr(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                         const struct tdm_tmmbr_in *in)
{
    uint64_t limit = UINT64_MAX, before = tdm_tmmbr_limit(&st->tx.tmmbr, PACKET_BYTES);

    tdm_tmmbr_step(&st->tx.tmmbr, now, in);
    if (tdm_tmmbr_limit(&st->tx.tmmbr, PACKET_BYTES) == before)
        return;
    for (int i = 0; i < TDM_SESSION_STREAMS; i++) {
        struct tdm_stream *other = &s->streams[i];
        uint64_t asked = other->active && other->config.kind == TDM_VIDEO
                             ? tdm_tmmbr_limit(&other->tx.tmmbr, PACKET_BYTES)
                             : UINT64_MAX;

        limit = asked < limit ? asked : limit;
    }
    tdm_session_follow_rate(s, st, now,
                            &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_TMMBR, .bps = limit});
}

static void take_tmmbr(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       const struct tdm_rtcp_item *item)
{
    if (!st->config.tmmbr || st->config.kind != TDM_VIDEO)
        return;
    for (uint8_t i = 0; i < item->tmmbr.count; i++) {
        const struct tdm_rtcp_tmmbr *asked = &item->tmmbr.entries[i];

        if (asked->ssrc != st->tx.ssrc)
            continue;
        follow_tmmbr(s, st, now,
                     &(struct tdm_tmmbr_in){.kind = TDM_TMMBR_ASKED,
                                            .ssrc = item->sender_ssrc,
                                            .bps = asked->bps,
                                            .overhead = asked->overhead});
        st->rtcp.tmmbn = true;
    }
}

/* What the other side says that it keeps to. */
static void take_tmmbn(struct tdm_stream *st, const struct tdm_rtcp_item *item)
{
    st->rtcp.tmmbr_told = 0;
    for (uint8_t i = 0; i < item->tmmbr.count; i++)
        if (item->tmmbr.entries[i].ssrc == st->tx.ssrc && st->rx.has_source &&
            item->sender_ssrc == st->rx.ssrc)
            st->rtcp.tmmbr_told = item->tmmbr.entries[i].bps;
}

/* In a bundle all streams see it; another stream's media source answers for it. */
static bool is_anothers(const struct tdm_session *s, const struct tdm_stream *st, uint32_t ssrc)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (&s->streams[i] != st && s->streams[i].active && s->streams[i].rx.has_source &&
            s->streams[i].rx.ssrc == ssrc)
            return !st->rx.has_source || st->rx.ssrc != ssrc;
    return false;
}

/* The stamp of the compound's sender, by which its report blocks become clock samples. */
static uint64_t peer_stamp(const uint8_t *data, size_t size)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(data, size);
    struct tdm_rtcp_item item;

    while (tdm_rtcp_next(&reader, &item) == TDM_OK) {
        if (item.kind == TDM_RTCP_SR)
            return item.sr.ntp;
        if (item.kind == TDM_RTCP_XR_RRTR)
            return item.rrtr_ntp;
    }
    return 0;
}

static void take_item(struct tdm_session *s, struct tdm_stream *st, tdm_time now, tdm_time received,
                      const struct tdm_rtcp_item *item, uint64_t peer_ntp,
                      struct tdm_session_out *out)
{
    uint8_t bit = (uint8_t)(1u << tdm_stream_index(s, st));

    if (item->kind != TDM_RTCP_BYE)
        follow_tmmbr(s, st, now,
                     &(struct tdm_tmmbr_in){.kind = TDM_TMMBR_HEARD, .ssrc = item->sender_ssrc});
    switch (item->kind) {
    case TDM_RTCP_SR:
        take_sr(st, received, item);
        __attribute__((fallthrough));
    case TDM_RTCP_RR:
        for (uint8_t i = 0; i < item->report_count; i++)
            take_report(s, st, now, received, &item->reports[i], peer_ntp);
        break;
    case TDM_RTCP_NACK:
        take_nack(s, st, now, item);
        break;
    case TDM_RTCP_PLI:
    case TDM_RTCP_FIR:
        if (item->media_ssrc == st->tx.ssrc) {
            st->tx.plis_received++;
            tdm_send_store_forget_repairs(&st->tx.store); /* What it lost is given up there. */
            st->tx.repeats.count = 0;
            out->keyframe_wanted |= bit;
        }
        break;
    case TDM_RTCP_RPSI:
        if (item->media_ssrc == st->tx.ssrc && st->config.reference_ext_id) {
            st->tx.references_told = true;
            st->tx.references = item->references;
        }
        break;
    case TDM_RTCP_REMB:
        if (st->config.kind == TDM_VIDEO)
            tdm_session_follow_rate(
                s, st, now,
                &(struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REMB, .bps = item->remb_bps});
        break;
    case TDM_RTCP_TMMBR:
        take_tmmbr(s, st, now, item);
        break;
    case TDM_RTCP_TMMBN:
        take_tmmbn(st, item);
        break;
    case TDM_RTCP_TWCC:
        tdm_session_take_transport_cc(s, st, now, &item->twcc);
        break;
    case TDM_RTCP_XR_RRTR:
        if (is_anothers(s, st, item->sender_ssrc))
            break;
        st->rx.rrtr_ntp = item->rrtr_ntp;
        st->rx.rrtr_ssrc = item->sender_ssrc;
        st->rx.rrtr_arrival = received;
        break;
    case TDM_RTCP_XR_DLRR:
        for (uint8_t i = 0; i < item->dlrr.count; i++)
            if (item->dlrr.entries[i].ssrc == st->tx.ssrc)
                tdm_clock_sync_report(&s->clock, received, item->dlrr.entries[i].last_rr,
                                      item->dlrr.entries[i].delay_since_last_rr, peer_ntp);
        break;
    case TDM_RTCP_BYE:
        follow_tmmbr(s, st, now,
                     &(struct tdm_tmmbr_in){.kind = TDM_TMMBR_GOODBYE, .ssrc = item->sender_ssrc});
        if (st->rx.has_source && item->media_ssrc == st->rx.ssrc)
            out->bye = true;
        break;
    case TDM_RTCP_CCFB:
        tdm_session_take_ccfb(s, st, now, &item->ccfb);
        break;
    case TDM_RTCP_SDES:
        break;
    }
}

void tdm_session_take_rtcp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                           const struct tdm_session_in *in, struct tdm_session_out *out)
{
    uint64_t peer_ntp = peer_stamp(in->datagram.data, in->datagram.size);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(in->datagram.data, in->datagram.size);
    struct tdm_rtcp_item item;
    enum tdm_err err;

    while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK)
        take_item(s, st, now, in->datagram.received, &item, peer_ntp, out);
    if (err == TDM_E_MALFORMED)
        st->rx.refused++;
    if (s->clock.rtt) /* Also one that only receives knows it (RFC 3611 section 4.5). */
        st->rx.nack.rtt = s->clock.rtt;
    if (out->unit == TDM_UNIT_NONE && s->clock.rtt)
        tdm_session_run_receiver(
            s, st, now, &(struct tdm_assembly_in){.kind = TDM_ASSEMBLY_RTT, .rtt = s->clock.rtt},
            out);
}

static uint8_t fill_report(struct tdm_stream *st, tdm_time now, struct tdm_rtcp_report *r)
{
    struct stream_receiver *rx = &st->rx;

    if (!rx->has_source || !rx->stats.started || !rx->hz)
        return 0;
    *r = (struct tdm_rtcp_report){.ssrc = rx->ssrc};
    tdm_rx_stats_report(&rx->stats, rx->hz, r);
    if (rx->sr_ntp) {
        r->last_sr = (uint32_t)(rx->sr_ntp >> 16);
        r->delay_since_last_sr = (uint32_t)tdm_units_of_time(now - rx->sr_arrival, 65536);
    }
    return 1;
}

static void write_dlrr(struct tdm_writer *w, struct tdm_stream *st, tdm_time now)
{
    struct stream_receiver *rx = &st->rx;

    if (!rx->rrtr_ntp)
        return;
    tdm_rtcp_write_dlrr(
        w, st->tx.ssrc,
        &(struct tdm_rtcp_dlrr){
            .ssrc = rx->rrtr_ssrc,
            .last_rr = (uint32_t)(rx->rrtr_ntp >> 16),
            .delay_since_last_rr = (uint32_t)tdm_units_of_time(now - rx->rrtr_arrival, 65536),
        },
        1);
    rx->rrtr_ntp = 0;
}

void tdm_session_write_references(struct tdm_stream *st, struct tdm_writer *w)
{
    struct tdm_reference_report report;

    if (st->active && st->config.reference_ext_id && st->config.receive && st->rx.has_source &&
        st->rx.assembly && tdm_assembly_report(st->rx.assembly, &report))
        tdm_rtcp_write_rpsi(w, st->tx.ssrc, st->rx.ssrc, st->rx.payload_type, &report);
}

static void write_reports(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_writer *w)
{
    struct tdm_rtcp_report report;
    uint8_t count = fill_report(st, now, &report);
    uint64_t ntp = tdm_clock_sync_ntp(&s->clock, now);
    bool sending = st->config.send && st->tx.packets_rtcp > 0;

    if (sending) {
        struct tdm_rtcp_sr sr = {
            .ssrc = st->tx.ssrc,
            .ntp = ntp,
            .rtp_timestamp = (uint32_t)tdm_session_rtp_now(st, now) + st->tx.rtp_base,
            .packet_count = st->tx.packets_rtcp,
            .octet_count = st->tx.octets_rtcp,
        };

        tdm_rtcp_write_sr(w, &sr, &report, count);
    } else {
        tdm_rtcp_write_rr(w, st->tx.ssrc, &report, count);
    }
    tdm_rtcp_write_sdes(w, st->tx.ssrc, s->config.cname);
    if (!sending)
        tdm_rtcp_write_rrtr(w, st->tx.ssrc, ntp);
    write_dlrr(w, st, now);
}

/* What the other side may send, by the loss that we see: the same rule as for what we send. */
static uint64_t allow(struct tdm_stream *st, tdm_time now)
{
    struct stream_receiver *rx = &st->rx;
    struct tdm_rate_in in = {.kind = TDM_RATE_REPORT};
    struct tdm_rate_out rate;
    int64_t expected = rx->stats.highest_seq - rx->stats.base_seq + 1;
    int64_t lost = tdm_rx_stats_lost(&rx->stats);
    int64_t more = expected - rx->allowed_expected;
    int64_t missing = lost - rx->allowed_lost;

    if (more < 0) { /* The source began anew. */
        rx->allowed_expected = rx->allowed_lost = 0;
        more = missing = 0;
    }
    if (more >= ALLOWED_PACKETS) {
        rx->allowed_expected = expected;
        rx->allowed_lost = lost;
        in.fraction_lost = (uint8_t)(missing <= 0      ? 0
                                     : missing >= more ? 255
                                                       : missing * 255 / more);
        tdm_rate_step(&rx->allowed, now, &in, &rate);
    }
    return rx->allowed.target_bps;
}

static void write_remb(struct tdm_stream *st, tdm_time now, struct tdm_writer *w)
{
    const struct tdm_stream_config *c = &st->config;

    if (c->kind == TDM_VIDEO && c->receive && c->remb && !c->transport_cc && st->rx.has_source &&
        st->rx.stats.started)
        tdm_rtcp_write_remb(w, st->tx.ssrc, st->rx.ssrc, allow(st, now));
}

/* For who knows nothing better: again until it says so, and when it is another. */
static void write_tmmbr(struct tdm_stream *st, tdm_time now, struct tdm_writer *w)
{
    const struct tdm_stream_config *c = &st->config;

    if (c->kind != TDM_VIDEO || !c->receive || !c->tmmbr || c->remb || c->transport_cc || c->ccfb ||
        !st->rx.has_source || !st->rx.stats.started)
        return;
    uint64_t bps = allow(st, now), told = st->rtcp.tmmbr_told;
    uint64_t apart = bps > told ? bps - told : told - bps;

    if (apart > bps / TMMBR_STEP)
        tdm_rtcp_write_tmmbr(
            w, st->tx.ssrc,
            &(struct tdm_rtcp_tmmbr){.ssrc = st->rx.ssrc, .bps = bps, .overhead = HEADS_BYTES}, 1);
}

static void write_tmmbn(struct tdm_stream *st, struct tdm_writer *w)
{
    struct tdm_rtcp_tmmbr entries[TDM_TMMBR_OWNERS];

    if (st->rtcp.tmmbn)
        tdm_rtcp_write_tmmbn(w, st->tx.ssrc, entries, tdm_tmmbr_bounding(&st->tx.tmmbr, entries));
    st->rtcp.tmmbn = false;
}

static int by_value(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static void sort_seqs(uint16_t *seqs, uint16_t count)
{
    for (uint16_t i = 1; i < count; i++)
        for (uint16_t j = i; j > 0 && by_value(seqs[j - 1], seqs[j]) > 0; j--) {
            uint16_t swap = seqs[j];

            seqs[j] = seqs[j - 1];
            seqs[j - 1] = swap;
        }
}

static void write_feedback(struct tdm_stream *st, struct tdm_writer *w)
{
    struct stream_rtcp *rtcp = &st->rtcp;
    struct tdm_rtcp_nack entries[TDM_RTCP_NACKS_MAX];

    if (rtcp->nack_count && st->rx.has_source) {
        sort_seqs(rtcp->nacks, rtcp->nack_count);
        uint16_t taken;
        uint16_t count =
            tdm_rtcp_nack_pack(rtcp->nacks, rtcp->nack_count, entries, TDM_RTCP_NACKS_MAX, &taken);

        tdm_rtcp_write_nack(w, st->tx.ssrc, st->rx.ssrc, entries, count);
        st->rx.nacks_sent += taken;
    }
    rtcp->nack_count = 0;
    if (rtcp->pli && st->rx.has_source && st->config.pli) {
        tdm_rtcp_write_pli(w, st->tx.ssrc, st->rx.ssrc);
        st->rx.plis_sent++;
    } else if (rtcp->pli && st->rx.has_source && st->config.fir) {
        tdm_rtcp_write_fir(w, st->tx.ssrc, st->rx.ssrc, rtcp->fir_seq++);
        st->rx.plis_sent++;
    }
    rtcp->pli = false;
    if (rtcp->bye)
        tdm_rtcp_write_bye(w, st->tx.ssrc, "call ended");
}

static void schedule(struct tdm_session *s, struct stream_rtcp *rtcp, tdm_time now)
{
    tdm_time every = REPORT_EVERY;

    if (rtcp->sent_count < QUICK_REPORTS) {
        rtcp->sent_count++;
        every = QUICK_EVERY;
    }
    /* RFC 3550 section 6.3.1: 0.5 to 1.5 times, so that ends do not fall into step. */
    rtcp->due = now + every / 2 + (tdm_time)(tdm_rng_unit(&s->rng) * (double)every);
}

void tdm_session_run_rtcp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out)
{
    struct stream_rtcp *rtcp = &st->rtcp;
    bool urgent = rtcp->nack_count || rtcp->pli || rtcp->tmmbn || rtcp->bye;
    struct tdm_writer w = tdm_writer_of(rtcp->bytes, sizeof rtcp->bytes);

    if (!urgent && now < rtcp->due) {
        tdm_session_wake(out, rtcp->due, "rtcp");
        return;
    }
    if (now >= rtcp->due) {
        follow_tmmbr(s, st, now, NULL);
        schedule(s, rtcp, now);
    }
    tdm_session_wake(out, rtcp->due, "rtcp");
    write_reports(s, st, now, &w);
    write_remb(st, now, &w);
    write_tmmbr(st, now, &w);
    write_tmmbn(st, &w);
    tdm_session_write_references(st, &w);
    write_feedback(st, &w);
    assert(w.ok); /* Bounded: one report, 64 NACK entries, short texts. */
    rtcp->bye = false;
    out->sends[out->send_count++] = (struct tdm_session_send){
        .stream = tdm_stream_index(s, st),
        .rtcp = true,
        .size = (uint16_t)tdm_writer_size(&w),
        .data = rtcp->bytes,
    };
}

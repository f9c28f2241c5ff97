/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include "engine/core/payload_format.h"
#include "engine/wire/dtmf.h"

#include <string.h>

#define VIDEO_HZ          90000u
#define EXT_MAX           16 /* One-byte form (RFC 8285 section 4.2). */
#define HEADER_BYTES      12
#define AUDIO_RESYNC      (60 * TDM_MS)
#define COPIES_BPS        60000 /* Most that copies of the voice may cost. */
#define DTMF_PACKET_EVERY (20 * TDM_MS)
#define DTMF_ENDS         3
#define DTMF_PAUSE        (70 * TDM_MS)
#define RANKS             3

static size_t mid_bytes(const struct tdm_stream *st)
{
    size_t size = strlen(st->config.mid);

    return st->config.mid_ext_id && size <= EXT_MAX ? size : 0;
}

/* Room for a payload behind the header and what extensions a packet may have, and behind the number
 * that a wrapped repair adds. */
size_t tdm_session_payload_max(const struct tdm_stream *st)
{
    const struct tdm_stream_config *c = &st->config;
    size_t most = TDM_RTP_PACKET_MAX - HEADER_BYTES;
    size_t exts = 0;

    if (c->timing_ext_id)
        exts += 1 + TDM_FRAME_TIMING_BYTES;
    if (c->transport_cc_ext_id)
        exts += 1 + TDM_TWCC_EXT_BYTES;
    if (mid_bytes(st))
        exts += 1 + mid_bytes(st);
    if (st->config.mark_ext_id)
        exts += 1 + TDM_REGION_MARK_BYTES;
    if (c->reference_ext_id)
        exts += 1 + TDM_REFERENCE_MARK_BYTES;
    if (exts)
        exts = 4 + (exts + 3) / 4 * 4;
    most -= exts;
    if (c->send_parity_type)
        most -= PARITY_EXTRA_BYTES;
    else if (c->send_ulpfec_type)
        most -= ULPFEC_EXTRA_BYTES + exts; /* Extensions are covered, and a repair's own. */
    else if (c->send_rtx_payload_type)
        most -= RTX_HEAD_BYTES;
    return most;
}

static uint16_t open_frame(struct stream_sender *tx, const struct frame_record *record)
{
    tx->frame_slot = (uint16_t)((tx->frame_slot + 1) % FRAME_RECORDS);
    tx->frames[tx->frame_slot] = *record;
    return tx->frame_slot;
}

/* Appends an extension; gives the offset of its data in the packet. */
static uint16_t add_ext(struct tdm_rtp *rtp, uint8_t id, const void *data, size_t size)
{
    size_t at = HEADER_BYTES + 4 + 1;

    for (uint8_t i = 0; i < rtp->ext_count; i++)
        at += 1u + rtp->exts[i].size;
    rtp->exts[rtp->ext_count++] =
        (struct tdm_rtp_ext){.id = id, .size = (uint8_t)size, .data = data};
    return (uint16_t)at;
}

void tdm_session_finish_packet(struct tdm_stream *st, struct tdm_send_packet *p,
                               uint8_t payload_type, uint32_t timestamp, const uint8_t *payload,
                               size_t payload_size, bool timed)
{
    static const uint8_t blank[TDM_FRAME_TIMING_BYTES];
    struct tdm_rtp rtp = {
        .payload_type = payload_type,
        .seq = (uint16_t)p->seq,
        .timestamp = timestamp,
        .ssrc = st->tx.ssrc,
        .marker = p->marker,
        .payload = payload,
        .payload_size = payload_size,
    };
    struct tdm_writer w = tdm_writer_of(p->bytes, sizeof p->bytes);
    uint8_t mark[TDM_REGION_MARK_BYTES], reference[TDM_REFERENCE_MARK_BYTES];
    struct frame_record *frame = &st->tx.frames[st->tx.frame_slot];

    if (timed && st->config.timing_ext_id)
        p->timing_at = add_ext(&rtp, st->config.timing_ext_id, blank, sizeof blank);
    if (st->config.transport_cc_ext_id)
        p->number_at = add_ext(&rtp, st->config.transport_cc_ext_id, blank, TDM_TWCC_EXT_BYTES);
    if (mid_bytes(st))
        (void)add_ext(&rtp, st->config.mid_ext_id, st->config.mid, mid_bytes(st));
    if (st->config.mark_ext_id) {
        tdm_region_mark_write(mark, &frame->mark);
        (void)add_ext(&rtp, st->config.mark_ext_id, mark, sizeof mark);
    }
    if (timed && st->config.reference_ext_id && frame->has_reference) {
        tdm_reference_mark_write(reference,
                                 &(struct tdm_reference_mark){.number = (uint16_t)frame->frame_id,
                                                              .refers = frame->refers,
                                                              .index = frame->packets});
        (void)add_ext(&rtp, st->config.reference_ext_id, reference, sizeof reference);
    }
    frame->packets++;
    tdm_rtp_write(&w, &rtp);
    assert(w.ok);
    p->size = (uint16_t)tdm_writer_size(&w);
    p->payload_size = (uint16_t)payload_size;
    p->frame_slot = st->tx.frame_slot;
    tdm_send_store_commit(&st->tx.store);
    st->tx.waiting_bytes += p->size;
}

static void stamp_timing(const struct tdm_session *s, struct tdm_stream *st,
                         struct tdm_send_packet *p, tdm_time now)
{
    struct frame_record *f = &st->tx.frames[p->frame_slot];

    if (f->first_sent == TDM_NEVER)
        f->first_sent = now;
    if (!p->timing_at || !(p->marker || st->config.kind == TDM_AUDIO))
        return;
    struct tdm_frame_timing timing = {
        .captured_us = tdm_clock_sync_ntp_ns(&s->clock, f->captured) / TDM_US,
        .frame_id = (uint16_t)f->frame_id,
        .encode_start = f->encode_start - f->captured,
        .encode_end = f->encode_end == TDM_NEVER ? TDM_NEVER : f->encode_end - f->captured,
        .first_sent = f->first_sent - f->captured,
        .last_sent = now - f->captured,
    };

    tdm_frame_timing_write(p->bytes + p->timing_at, &timing);
}

/* Audio time runs by samples, not by the capture clock: its jitter and drift are the receiver's to
 * even out. Only a leap against the slowly moving difference of the two is a real gap. */
static void follow_capture_clock(struct tdm_stream *st, tdm_time captured)
{
    struct stream_sender *tx = &st->tx;
    uint32_t hz = st->config.send_hz;

    if (!tx->rtp_started) {
        tx->rtp_started = true;
        tx->talking = false;
        tx->rtp_next = tdm_units_of_time(captured, hz);
        tx->capture_error = 0;
        return;
    }
    tdm_time error = captured - tdm_time_of_units(tx->rtp_next, hz);
    tdm_time leap = error - tx->capture_error;

    if (leap < AUDIO_RESYNC && leap > -AUDIO_RESYNC) {
        tx->capture_error += leap / 64;
        return;
    }
    /* Never back: a receiver would take that for late packets. */
    if (leap < 0) {
        tx->capture_error = error;
        return;
    }
    tx->rtp_next += tdm_units_of_time(leap, hz);
    tx->talking = false;
}

/* The frame with copies of earlier ones, if that was agreed and something is lost; else 0. */
static size_t add_copies(struct tdm_stream *st, const struct tdm_session_in *in, int64_t rtp_time,
                         uint8_t *payload)
{
    struct tdm_red_plan *plan = &st->tx.red;
    tdm_time frame = tdm_time_of_units(in->audio.samples_rtp, st->config.send_hz);

    if (!st->config.send_red_payload_type || frame <= 0)
        return 0;
    uint64_t bps = (uint64_t)in->audio.size * 8 * TDM_S / (uint64_t)frame;

    tdm_red_plan_decide(plan, frame, bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX, COPIES_BPS);
    size_t size = tdm_red_plan_payload(plan, rtp_time, in->audio.samples_rtp,
                                       st->config.send_payload_type, in->audio.payload,
                                       in->audio.size, payload, tdm_session_payload_max(st));

    return plan->copies ? size : 0;
}

void tdm_session_take_audio(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in)
{
    struct stream_sender *tx = &st->tx;

    (void)s;
    (void)now;
    if (!st->config.send || in->audio.size > tdm_session_payload_max(st))
        return;
    follow_capture_clock(st, in->audio.captured);
    uint32_t timestamp = (uint32_t)tx->rtp_next + tx->rtp_base;

    tx->rtp_last = tx->rtp_next;
    tx->rtp_next += in->audio.samples_rtp;
    tx->last_captured = in->audio.captured;
    struct tdm_send_packet *p = tdm_send_store_reserve(&tx->store);

    if (in->audio.size == 0 || tx->dtmf.active || !p) {
        tx->talking = false;
        return;
    }
    open_frame(tx, &(struct frame_record){
                       .frame_id = (uint32_t)tx->frame_count++,
                       .captured = in->audio.captured,
                       .encode_start = in->audio.encode_start,
                       .encode_end = in->audio.encode_end,
                       .first_sent = TDM_NEVER,
                   });
    p->marker = !tx->talking; /* RFC 3551 section 4.1: first packet of a talkspurt. */
    tx->talking = true;
    uint8_t with_copies[TDM_RTP_PACKET_MAX];
    size_t size = add_copies(st, in, tx->rtp_last, with_copies);

    if (size)
        tdm_session_finish_packet(st, p, st->config.send_red_payload_type, timestamp, with_copies,
                                  size, true);
    else
        tdm_session_finish_packet(st, p, st->config.send_payload_type, timestamp, in->audio.payload,
                                  in->audio.size, true);
}

/* The store is full, or the slice cannot be cut: the rest of the frame is not sent. */
static void cut_off(struct tdm_session *s, struct tdm_stream *st, struct tdm_session_out *out)
{
    st->tx.cut_count += !st->tx.cut_off;
    st->tx.cut_off = true;
    st->tx.store.open = false;
    tdm_send_store_skip(&st->tx.store);
    out->frame_dropped |= (uint8_t)(1u << tdm_stream_index(s, st));
}

static void begin_frame(struct tdm_stream *st, const struct tdm_session_in *in)
{
    struct stream_sender *tx = &st->tx;
    int64_t rtp = tdm_units_of_time(in->slice.captured, VIDEO_HZ);

    tx->rtp_last = tx->rtp_started && rtp <= tx->rtp_last ? tx->rtp_last + 1 : rtp;
    tx->rtp_started = true;
    tx->cut_off = false;
    if (tx->store.open) { /* The frame before never ended: let its damage show. */
        tx->store.open = false;
        tdm_send_store_skip(&tx->store);
    }
    tx->picture_id = (tx->picture_id + 1) & 0x7fff;
    tx->frame_count++;
    if (in->slice.keyframe)
        tx->repair_from = tx->store.head;
    open_frame(tx, &(struct frame_record){
                       .frame_id = in->slice.frame_id,
                       .captured = in->slice.captured,
                       .encode_start = in->slice.encode_start,
                       .encode_end = TDM_NEVER,
                       .first_sent = TDM_NEVER,
                       .mark = in->slice.mark,
                       .has_reference = in->slice.has_reference,
                       .refers = in->slice.refers,
                   });
}

static void cut_slice(struct tdm_session *s, struct tdm_stream *st, const struct tdm_session_in *in,
                      struct tdm_session_out *out)
{
    struct stream_sender *tx = &st->tx;
    bool single_only = st->config.send_codec == TDM_CODEC_H264 && st->config.h264_mode == 0;
    const struct tdm_payload_format *format = tdm_payload_format_of(st->config.send_codec);
    union tdm_payload_cutter cutter;
    uint8_t payload[TDM_RTP_PACKET_MAX] = {st->config.send_payload_type}; /* If it is RED. */
    uint8_t head = tx->wrap && st->config.send_ulpfec_red_type ? 1 : 0;
    size_t size;
    bool last = false;

    if (!format || !format->cut || (single_only && in->slice.size > tdm_session_payload_max(st))) {
        cut_off(s, st, out);
        return;
    }
    format->cut(&cutter, in->slice.data, in->slice.size, tx->picture_id,
                tdm_session_payload_max(st));
    while (!last) {
        struct tdm_send_packet *p = tdm_send_store_reserve(&tx->store);

        if (!p ||
            format->next(&cutter, payload + head, sizeof payload - head, &size, &last) != TDM_OK) {
            cut_off(s, st, out);
            return;
        }
        p->red_bytes = head;
        tdm_session_finish_packet(
            st, p, head ? st->config.send_ulpfec_red_type : st->config.send_payload_type,
            (uint32_t)tx->rtp_last + tx->rtp_base, payload, size + head, last);
    }
    tx->store.open = true;
}

/* The packet that was kept back turns out to be the frame's last. */
static void end_frame(struct tdm_stream *st, tdm_time encode_end)
{
    struct stream_sender *tx = &st->tx;
    struct tdm_send_packet *p =
        &tx->store.packets[(uint64_t)(tx->store.head - 1) & (tx->store.packet_count - 1)];

    tx->frames[tx->frame_slot].encode_end = encode_end;
    if (tx->store.open && p->seq == tx->store.head - 1) {
        p->marker = true;
        p->bytes[1] |= 0x80;
    }
    tx->store.open = false;
}

void tdm_session_take_slice(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in, struct tdm_session_out *out)
{
    if (!st->config.send)
        return;
    if (in->slice.first) {
        begin_frame(st, in);
        st->tx.wrap = tdm_session_ulpfec_begin(s, st, now);
        tdm_session_begin_picture(s, st, now);
    }
    if (st->tx.cut_off)
        return;
    if (in->slice.size)
        cut_slice(s, st, in, out);
    if (in->slice.last) {
        end_frame(st, in->slice.encode_end);
        tdm_session_ulpfec_end(s, st);
    }
}

int64_t tdm_session_rtp_now(const struct tdm_stream *st, tdm_time now)
{
    const struct stream_sender *tx = &st->tx;

    if (st->config.kind == TDM_VIDEO)
        return tdm_units_of_time(now, VIDEO_HZ);
    return tx->rtp_last + tdm_units_of_time(now - tx->last_captured, st->config.send_hz);
}

void tdm_session_take_dtmf(struct tdm_stream *st, tdm_time now, const struct tdm_session_in *in)
{
    struct dtmf_sender *d = &st->tx.dtmf;

    if (!st->config.send || !st->config.dtmf_payload_type || d->queued == DTMF_QUEUE ||
        tdm_dtmf_event_of(in->dtmf.digit) < 0)
        return;
    if (!d->queued && !d->active)
        d->next_at = tdm_time_max(now, d->next_at);
    d->queue[d->queued] = in->dtmf.digit;
    d->queue_durations[d->queued++] = in->dtmf.duration;
}

static void start_digit(struct tdm_stream *st, tdm_time now)
{
    struct dtmf_sender *d = &st->tx.dtmf;

    d->active = true;
    d->event = tdm_dtmf_event_of(d->queue[0]);
    d->start = now;
    d->until = now + d->queue_durations[0];
    d->ends_sent = 0;
    d->next_at = now;
    /* By the clock, as there may be no audio that moves the time on between two digits. */
    int64_t rtp_now = tdm_session_rtp_now(st, now);

    d->timestamp = (uint32_t)(rtp_now > st->tx.rtp_next ? rtp_now : st->tx.rtp_next);
    d->timestamp += st->tx.rtp_base;
    d->queued--;
    memmove(&d->queue[0], &d->queue[1], d->queued);
    memmove(&d->queue_durations[0], &d->queue_durations[1],
            d->queued * sizeof d->queue_durations[0]);
}

/* RFC 4733 section 2.5: one timestamp for the whole event, growing duration, three end packets. */
static void send_digit(struct tdm_stream *st, tdm_time now)
{
    struct dtmf_sender *d = &st->tx.dtmf;
    struct tdm_send_packet *p = tdm_send_store_reserve(&st->tx.store);
    int64_t units = tdm_units_of_time(tdm_time_min(now, d->until) - d->start, st->config.dtmf_hz);
    uint8_t payload[TDM_DTMF_BYTES];

    if (!p)
        return;
    tdm_dtmf_write(payload, &(struct tdm_dtmf){
                                .event = (uint8_t)d->event,
                                .end = now >= d->until,
                                .volume_dbm0 = 10,
                                .duration = (uint16_t)(units > 0xffff ? 0xffff : units),
                            });
    p->marker = now == d->start;
    tdm_session_finish_packet(st, p, st->config.dtmf_payload_type, d->timestamp, payload,
                              sizeof payload, false);
}

void tdm_session_run_dtmf(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out)
{
    struct dtmf_sender *d = &st->tx.dtmf;

    (void)s;
    if (!d->active && d->queued && now >= d->next_at)
        start_digit(st, now);
    if (d->active && now >= d->next_at) {
        send_digit(st, now);
        if (now >= d->until && ++d->ends_sent == DTMF_ENDS) {
            d->active = false;
            st->tx.talking = false;
            d->next_at = now + DTMF_PAUSE;
        } else {
            d->next_at = now + DTMF_PACKET_EVERY;
            if (now < d->until)
                d->next_at = tdm_time_min(d->next_at, d->until);
        }
    }
    if (d->active || d->queued)
        tdm_session_wake(out, tdm_time_max(d->next_at, now), "dtmf");
}

/* Wraps a packet that was sent before (RFC 4588 section 4). Without wrapping it must be the same
 * bytes again, number and all: with AES-GCM two packets of one SSRC and sequence number that differ
 * would give the authentication key away. */
static uint16_t wrap_repair(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_send_packet *p, uint8_t *to)
{
    struct stream_sender *tx = &st->tx;
    size_t head = (size_t)(p->size - p->payload_size);
    struct tdm_writer w = tdm_writer_of(to, TDM_RTP_PACKET_MAX);

    if (p->parity)
        return 0; /* The packets themselves are asked for, too. */
    tdm_write_u8(&w, p->bytes[0]);
    tdm_write_u8(&w, (uint8_t)((p->bytes[1] & 0x80) | st->config.send_rtx_payload_type));
    tdm_write_u16(&w, tx->rtx_seq++);
    tdm_write_bytes(&w, p->bytes + 4, 4); /* Timestamp. */
    tdm_write_u32(&w, tx->rtx_ssrc);
    tdm_write_bytes(&w, p->bytes + HEADER_BYTES, head - HEADER_BYTES);
    tdm_write_u16(&w, (uint16_t)p->seq);
    tdm_write_bytes(&w, p->bytes + head + p->red_bytes, (size_t)p->payload_size - p->red_bytes);
    if (!w.ok)
        return 0; /* Cut before wrapping was agreed, and too large for it. */
    uint16_t size = (uint16_t)tdm_writer_size(&w);

    tdm_session_log_packet(s, st, now, to, size, tdm_session_number(s, st, to, p->number_at));
    return size;
}

static void emit(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                 struct tdm_send_packet *p, bool repair, struct tdm_session_out *out)
{
    struct stream_sender *tx = &st->tx;
    struct tdm_session_send send = {
        .stream = tdm_stream_index(s, st), .size = p->size, .data = p->bytes};

    if (!repair) {
        stamp_timing(s, st, p, now);
        tdm_session_log_packet(s, st, now, p->bytes, p->size,
                               tdm_session_number(s, st, p->bytes, p->number_at));
        tdm_session_parity_sent(s, st, now, p);
        tdm_repeat_budget_sent(&tx->repeats.budget);
        tx->packets_rtcp++;
        tx->octets_rtcp += p->payload_size;
        tx->waiting_bytes -= p->size < tx->waiting_bytes ? p->size : tx->waiting_bytes;
    } else if (st->config.send_rtx_payload_type) {
        send.data = s->rtx[out->send_count];
        send.size = wrap_repair(s, st, now, p, s->rtx[out->send_count]);
    } else {
        tdm_session_log_again(s, st, p);
    }
    tdm_send_store_sent(&tx->store, now, repair);
    if (!send.size)
        return;
    tdm_tmmbr_step(&tx->tmmbr, now,
                   &(struct tdm_tmmbr_in){.kind = TDM_TMMBR_SENT, .bytes = send.size});
    tx->packets++;
    tx->bytes += send.size;
    tx->resent += repair;
    out->sends[out->send_count++] = send;
}

static bool flush_stream(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                         struct tdm_session_out *out)
{
    bool repair;
    struct tdm_send_packet *p;

    while ((p = tdm_send_store_peek(&st->tx.store, &repair))) {
        if (out->send_count == TDM_SESSION_SENDS_MAX) {
            tdm_session_wake(out, now, "more to send");
            return false;
        }
        if (st->config.kind == TDM_VIDEO) {
            tdm_time when = tdm_session_when(s, now);

            if (when > now) {
                tdm_session_wake(out, when, "pacer");
                return false;
            }
            tdm_pacer_sent(&s->pacer, p->size);
        }
        emit(s, st, now, p, repair, out);
    }
    return true;
}

/* 0: first. */
static int rank_of(const struct tdm_stream *st)
{
    return st->config.kind == TDM_AUDIO ? 0 : st->config.mark_ext_id ? 1 : 2;
}

/* Voice first, then the screen, then the camera; within a stream repairs before new packets. */
void tdm_session_flush(struct tdm_session *s, tdm_time now, struct tdm_session_out *out)
{
    for (int rank = 0; rank < RANKS; rank++) {
        if (rank == 1 && !tdm_session_flush_parity(s, now, out))
            return;
        for (int i = 0; i < TDM_SESSION_STREAMS; i++)
            if (s->streams[i].active && rank_of(&s->streams[i]) == rank &&
                !flush_stream(s, &s->streams[i], now, out))
                return;
    }
}

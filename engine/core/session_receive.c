/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include "engine/wire/dtmf.h"
#include "engine/wire/red.h"

#include <string.h>

#define SR_REACH_S   3600 /* A sender report further away tells nothing. */
#define DTMF_LATE_S  2    /* How old a packet of an earlier event may be. */
#define REPAIR_REACH 1000 /* Packets from the newest that a repair may be away. */

static const struct tdm_receive_codec *codec_of(const struct tdm_stream *st, uint8_t payload_type)
{
    for (uint8_t i = 0; i < st->config.receive_count; i++)
        if (st->config.receive_codecs[i].payload_type == payload_type ||
            (payload_type && st->config.receive_codecs[i].red_type == payload_type))
            return &st->config.receive_codecs[i];
    return NULL;
}

bool tdm_session_knows_type(const struct tdm_stream *st, uint8_t payload_type)
{
    return codec_of(st, payload_type) || tdm_session_is_repair(st, payload_type) ||
           tdm_session_is_parity(st, payload_type) || tdm_session_is_ulpfec(st, payload_type) ||
           tdm_session_is_ulpfec_red(st, payload_type);
}

static const struct tdm_receive_rtx *rtx_of(const struct tdm_stream *st, uint8_t payload_type)
{
    for (uint8_t i = 0; i < st->config.receive_rtx_count; i++)
        if (st->config.receive_rtx[i].payload_type == payload_type)
            return &st->config.receive_rtx[i];
    return NULL;
}

bool tdm_session_is_repair(const struct tdm_stream *st, uint8_t payload_type)
{
    return rtx_of(st, payload_type) != NULL;
}

static void restart_media(struct tdm_stream *st, tdm_time now)
{
    struct stream_receiver *rx = &st->rx;

    rx->fresh = true;
    rx->resting = false;
    rx->sr_maps = false;
    tdm_nack_init(&rx->nack, now);
    rx->nack_wake = rx->assembly_wake = TDM_NEVER;
    rx->assembly = NULL;
    if (st->config.kind == TDM_VIDEO)
        rx->assembly = tdm_assembly_init(rx->assembly_storage,
                                         &(struct tdm_assembly_config){
                                             .codec = rx->codec,
                                             .can_repair = st->config.nack,
                                             .empty_between = st->config.receive_ulpfec_type != 0,
                                         },
                                         now);
}

static void adopt_source(struct stream_receiver *rx, uint32_t ssrc)
{
    rx->has_source = true;
    rx->ssrc = ssrc;
    rx->other_count = 0;
    rx->has_rtx_source = false;
    rx->sr_ntp = 0;
    rx->sr_maps = false;
    rx->dtmf_seen = false;
    rx->allowed_expected = rx->allowed_lost = 0;
    tdm_rx_stats_init(&rx->stats);
}

/* Another SSRC takes over only with a second packet, so that one stray packet does no harm. */
static bool accept_source(struct stream_receiver *rx, uint32_t ssrc)
{
    if (rx->has_source && ssrc == rx->ssrc) {
        rx->other_count = 0;
        return true;
    }
    if (rx->has_source) {
        rx->other_count = ssrc == rx->other_ssrc ? (uint8_t)(rx->other_count + 1) : 1;
        rx->other_ssrc = ssrc;
        if (rx->other_count < 2)
            return false;
    }
    adopt_source(rx, ssrc);
    return true;
}

/* Peer NTP time (ns) of an RTP time, by its last sender report; TDM_NEVER without one. */
static tdm_time ntp_of_rtp(const struct stream_receiver *rx, int64_t rtp_time)
{
    int64_t units = rtp_time - rx->sr_rtp_time;
    int64_t most = (int64_t)rx->hz * SR_REACH_S;

    if (!rx->sr_maps || units > most || units < -most)
        return TDM_NEVER;
    tdm_time sr = tdm_ntp_to_ns(rx->sr_ntp);

    return units >= 0 ? sr + tdm_time_of_units(units, rx->hz)
                      : sr - tdm_time_of_units(-units, rx->hz);
}

/* The sender's stages on our clock, from the timing extension, else capture from the SR mapping. */
static struct tdm_frame_trace sender_stages(const struct tdm_session *s,
                                            const struct stream_receiver *rx, tdm_time now,
                                            int64_t rtp_time, const uint8_t *timing_bytes,
                                            size_t timing_size)
{
    struct tdm_frame_trace trace = tdm_frame_trace_none();
    struct tdm_frame_timing timing;
    tdm_time captured = TDM_NEVER;

    if (timing_bytes && tdm_frame_timing_parse(&timing, timing_bytes, timing_size) == TDM_OK) {
        tdm_time peer_now = tdm_clock_sync_ntp_ns(&s->clock, now) + s->clock.offset;
        int64_t us = tdm_frame_timing_extend(peer_now / TDM_US, timing.captured_us);

        captured = tdm_clock_sync_local(&s->clock, us * TDM_US);
        trace.frame_id = timing.frame_id;
        const tdm_time after[] = {timing.encode_start, timing.encode_end, timing.first_sent,
                                  timing.last_sent};

        for (int i = 0; i < 4; i++)
            if (captured != TDM_NEVER && after[i] != TDM_NEVER)
                trace.at[TDM_STAGE_ENCODE_START + i] = captured + after[i];
    } else {
        tdm_time ntp = ntp_of_rtp(rx, rtp_time);

        if (ntp != TDM_NEVER)
            captured = tdm_clock_sync_local(&s->clock, ntp);
    }
    trace.at[TDM_STAGE_CAPTURED] = captured;
    return trace;
}

static void give_audio(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       const struct tdm_rtp *rtp, const struct tdm_session_in *in, int64_t seq,
                       int64_t rtp_time, struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    const struct tdm_rtp_ext *ext = tdm_rtp_ext_find(rtp, st->config.timing_ext_id);
    struct tdm_frame_trace trace =
        sender_stages(s, rx, now, rtp_time, ext ? ext->data : NULL, ext ? ext->size : 0);

    out->unit = TDM_UNIT_AUDIO;
    out->unit_stream = tdm_stream_index(s, st);
    out->audio = (struct tdm_session_audio){
        .codec = rx->codec,
        .rtp_hz = rx->hz,
        .channels = rx->channels,
        .seq = seq,
        .rtp_time = rtp_time,
        .restarted = rx->fresh,
        .arrival = in->datagram.received,
        .captured = trace.at[TDM_STAGE_CAPTURED],
        .encode_end = trace.at[TDM_STAGE_ENCODE_END],
        .red = rx->red,
        .payload = rtp->payload,
        .size = (uint16_t)rtp->payload_size,
    };
    rx->fresh = false;
    rx->frames++;
}

static void give_video(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       const struct tdm_assembly_frame *f, struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    struct tdm_frame_trace trace =
        sender_stages(s, rx, now, f->rtp_time, f->has_timing ? f->timing : NULL, sizeof f->timing);

    trace.size_bytes = (uint32_t)f->size;
    trace.at[TDM_STAGE_FIRST_RECEIVED] = f->first_arrival;
    trace.at[TDM_STAGE_LAST_RECEIVED] = f->last_arrival;
    trace.at[TDM_STAGE_DECODABLE] = now;
    out->unit = TDM_UNIT_VIDEO;
    out->unit_stream = tdm_stream_index(s, st);
    out->video = (struct tdm_session_video){
        .codec = rx->codec,
        .data = f->data,
        .size = f->size,
        .keyframe = f->keyframe,
        .rtp_time = f->rtp_time,
        .marked = f->marked,
        .mark = f->mark,
        .trace = trace,
    };
    rx->frames++;
    rx->keyframes += f->keyframe;
}

static void give_dtmf(struct tdm_session *s, struct tdm_stream *st, const struct tdm_rtp *rtp,
                      uint32_t hz, struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    struct tdm_dtmf dtmf;

    if (tdm_dtmf_parse(&dtmf, rtp->payload, rtp->payload_size) != TDM_OK)
        return;
    /* The same event goes on (RFC 4733 section 2.5.1.2), or a packet of the one before is late. */
    uint32_t age = rx->dtmf_timestamp - rtp->timestamp;

    if (rx->dtmf_seen && age <= DTMF_LATE_S * hz)
        return;
    rx->dtmf_seen = true;
    rx->dtmf_timestamp = rtp->timestamp;
    out->unit = TDM_UNIT_DTMF;
    out->unit_stream = tdm_stream_index(s, st);
    out->digit = tdm_dtmf_digit_of(dtmf.event);
}

static void queue_nacks(struct tdm_stream *st, const struct tdm_nack_out *nacks)
{
    struct stream_rtcp *rtcp = &st->rtcp;

    for (uint16_t i = 0; i < nacks->count && rtcp->nack_count < TDM_NACK_MISSING_MAX; i++)
        rtcp->nacks[rtcp->nack_count++] = nacks->seqs[i];
}

static bool run_nack(struct tdm_stream *st, tdm_time now, const struct tdm_nack_in *in)
{
    struct tdm_nack_out nacks;

    tdm_nack_step(&st->rx.nack, now, in, &nacks);
    st->rx.nack_wake = nacks.wake_at;
    queue_nacks(st, &nacks);
    return nacks.gave_up;
}

/* Steps the assembly and passes on what it says; also what the nack core wants beside it. */
void tdm_session_run_receiver(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                              const struct tdm_assembly_in *in, struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    struct tdm_assembly_out assembled;

    if (!rx->assembly)
        return;
    tdm_assembly_step(rx->assembly, now, in, &assembled);
    rx->assembly_wake = assembled.wake_at;
    st->rtcp.pli |= assembled.keyframe_wanted && (st->config.pli || st->config.fir);
    if (assembled.has_frame)
        give_video(s, st, now, &assembled.frame, out);
    if (st->config.nack)
        (void)run_nack(st, now,
                       &(struct tdm_nack_in){
                           .kind = TDM_NACK_FORGET_BEFORE,
                           .seq = assembled.forget_before,
                       });
}

static void take_video(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       const struct tdm_rtp *rtp, const struct tdm_session_in *in, int64_t seq,
                       int64_t rtp_time, struct tdm_session_out *out)
{
    const struct tdm_rtp_ext *ext = tdm_rtp_ext_find(rtp, st->config.timing_ext_id);
    struct tdm_assembly_in packet = {
        .kind = TDM_ASSEMBLY_PACKET,
        .packet =
            {
                .seq = seq,
                .rtp_time = rtp_time,
                .arrival = in->datagram.received,
                .marker = rtp->marker,
                .size = (uint16_t)rtp->payload_size,
                .payload = rtp->payload,
                .timing = ext && ext->size == TDM_FRAME_TIMING_BYTES ? ext->data : NULL,
            },
    };

    const struct tdm_rtp_ext *mark = tdm_rtp_ext_find(rtp, st->config.mark_ext_id);

    packet.packet.marked =
        mark && tdm_region_mark_parse(&packet.packet.mark, mark->data, mark->size) == TDM_OK;
    const struct tdm_rtp_ext *reference = tdm_rtp_ext_find(rtp, st->config.reference_ext_id);

    packet.packet.has_reference =
        reference && tdm_reference_mark_parse(&packet.packet.reference, reference->data,
                                              reference->size) == TDM_OK;
    if (st->config.nack)
        st->rx.gave_up |=
            run_nack(st, now, &(struct tdm_nack_in){.kind = TDM_NACK_PACKET, .seq = seq});
    tdm_session_run_receiver(s, st, now, &packet, out);
}

/* On hold: nothing from before it is asked for, or shown seconds later. */
static void rest(struct stream_receiver *rx)
{
    rx->resting = true;
    rx->assembly = NULL;
    rx->nack_wake = rx->assembly_wake = TDM_NEVER;
}

void tdm_session_run_receiver_timers(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                                     struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    static const struct tdm_assembly_in give_up = {.kind = TDM_ASSEMBLY_GIVE_UP};

    if (!st->config.receive) {
        rest(rx);
        return;
    }
    tdm_session_run_parity(s, st, now, out);
    tdm_session_run_ulpfec(s, st, now, out);
    tdm_session_hold_requests(s, st, now);

    bool due = now >= rx->nack_wake || now >= rx->assembly_wake || rx->gave_up;

    if (due && out->unit == TDM_UNIT_NONE) {
        rx->nack_wake = TDM_NEVER;
        if (st->config.nack)
            rx->gave_up |= run_nack(st, now, NULL);
        tdm_session_run_receiver(s, st, now, rx->gave_up ? &give_up : NULL, out);
        rx->gave_up = false;
    }
    if (rx->gave_up)
        tdm_session_wake(out, now, "hole given up");
    tdm_session_wake(out, tdm_time_max(rx->nack_wake, now), "nack");
    tdm_session_wake(out, tdm_time_max(rx->assembly_wake, now), "assembly");
}

void tdm_session_take_again(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in, const struct tdm_rtp *rtp, int64_t seq,
                            struct tdm_session_out *out)
{
    if (st->config.nack)
        (void)run_nack(st, now, &(struct tdm_nack_in){.kind = TDM_NACK_REPAIR, .seq = seq});
    take_video(s, st, now, rtp, in, seq,
               tdm_rtp_time_extend(st->rx.stats.last_rtp_time, rtp->timestamp), out);
}

void tdm_session_take_mended(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                             const uint8_t *data, uint16_t size, int64_t seq,
                             struct session_repairs *repairs, struct tdm_session_out *out)
{
    const struct tdm_session_in in = {
        .datagram = {.data = data, .size = size, .received = now},
    };
    struct stream_receiver *rx = &st->rx;
    struct tdm_rtp rtp;

    if (!rx->assembly)
        return;
    if (tdm_rtp_parse(&rtp, data, size) != TDM_OK || rtp.ssrc != rx->ssrc ||
        rtp.seq != (uint16_t)seq) {
        rx->refused++;
        return;
    }
    if (rtp.payload_type != rx->payload_type)
        return; /* Of the codec that was sent before. */
    const struct tdm_assembly_stats *frames = tdm_assembly_stats_of(rx->assembly);
    uint64_t late = frames->late_packets;

    tdm_session_take_again(s, st, now, &in, &rtp, seq, out);
    repairs->mended++;
    repairs->mended_late += frames->late_packets - late;
}

void tdm_session_take_empty(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in, const struct tdm_rtp *rtp, int64_t seq,
                            int64_t rtp_time, struct tdm_session_out *out)
{
    struct tdm_rtp empty = *rtp;

    empty.payload_size = 0;
    take_video(s, st, now, &empty, in, seq, rtp_time, out);
}

/* Takes RED off (RFC 2198), of which the last block counts: others hold what came before, or
 * repairs of RFC 5109 section 14, which nobody sends so. */
static bool unwrap(struct tdm_rtp *rtp)
{
    struct tdm_red red;

    if (tdm_red_parse(&red, rtp->payload, rtp->payload_size) != TDM_OK)
        return false;
    rtp->payload_type = red.blocks[red.count - 1].payload_type;
    rtp->payload = red.blocks[red.count - 1].data;
    rtp->payload_size = red.blocks[red.count - 1].size;
    return true;
}

/* A wrapped packet (RFC 4588 section 4): its own sequence, and the original number in front of the
 * payload. It is none of the original stream's statistics; without that stream it means nothing. */
static void take_repair(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                        const struct tdm_session_in *in, const struct tdm_rtp *wrapped,
                        struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    const struct tdm_receive_rtx *rtx = rtx_of(st, wrapped->payload_type);
    bool red = rtx && tdm_session_is_ulpfec_red(st, rtx->of);
    const struct tdm_receive_codec *codec = rtx ? codec_of(st, rtx->of) : NULL;

    if ((!codec && !red) || !rx->has_source || !rx->stats.started || st->config.kind != TDM_VIDEO) {
        rx->refused++;
        return;
    }
    rx->has_rtx_source = true;
    rx->rtx_ssrc = wrapped->ssrc;
    rx->last_received = now;
    rx->packets++;
    rx->bytes += in->datagram.size;
    if (wrapped->payload_size <= RTX_HEAD_BYTES)
        return; /* It probes the path and repairs nothing. */
    if (rx->resting || (codec && codec->id != rx->codec))
        return;
    struct tdm_rtp rtp = *wrapped;
    int64_t seq = tdm_seq_extend(rx->stats.highest_seq,
                                 (uint16_t)(wrapped->payload[0] << 8 | wrapped->payload[1]));
    int64_t ahead = seq - rx->stats.highest_seq;

    if (ahead > REPAIR_REACH || ahead < -REPAIR_REACH) {
        rx->refused++;
        return;
    }
    rtp.payload += RTX_HEAD_BYTES;
    rtp.payload_size -= RTX_HEAD_BYTES;
    if (red && (!unwrap(&rtp) || rtp.payload_type != rx->payload_type))
        return;
    tdm_session_take_again(s, st, now, in, &rtp, seq, out);
}

static void take_media(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                       const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                       struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    const struct tdm_receive_codec *codec = codec_of(st, rtp->payload_type);
    int64_t seq;
    int64_t rtp_time;

    if (!codec || !accept_source(rx, rtp->ssrc)) {
        rx->refused++;
        return;
    }
    uint32_t hz = codec->id == TDM_CODEC_TELEPHONE_EVENT ? 0 : codec->rtp_hz;
    enum tdm_rx_verdict verdict =
        tdm_rx_stats_packet(&rx->stats, in->datagram.received, rtp->seq, rtp->timestamp, hz,
                            in->datagram.size, &seq, &rtp_time);

    if (verdict == TDM_RX_REFUSED) {
        rx->refused++;
        return;
    }
    rx->last_received = now;
    rx->packets++;
    rx->bytes += in->datagram.size;
    if (verdict == TDM_RX_RESTARTED)
        rx->resting = true; /* Until media comes, if this is a telephone event. */
    if (codec->id == TDM_CODEC_TELEPHONE_EVENT) {
        give_dtmf(s, st, rtp, codec->rtp_hz, out);
        return;
    }
    bool other_codec = codec->id != rx->codec || hz != rx->hz || codec->channels != rx->channels;

    rx->codec = codec->id;
    rx->channels = codec->channels;
    rx->hz = hz;
    rx->payload_type = rtp->payload_type;
    rx->red = codec->red_type && codec->red_type == rtp->payload_type;
    bool restart = other_codec || rx->resting;

    if (restart)
        restart_media(st, now);
    if (st->config.kind == TDM_AUDIO && rtp->payload_size)
        give_audio(s, st, now, rtp, in, seq, rtp_time, out);
    else if (st->config.kind == TDM_VIDEO) {
        tdm_session_parity_came(s, st, in, seq, restart);
        tdm_session_ulpfec_came(s, st, in, rtp, seq, restart);
        take_video(s, st, now, rtp, in, seq, rtp_time, out);
    }
}

/* A repair shares the source and the numbers of what it repairs. */
static void take_ulpfec(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                        const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                        struct tdm_session_out *out)
{
    struct stream_receiver *rx = &st->rx;
    int64_t seq;
    int64_t rtp_time;

    if (!rx->has_source || rx->ssrc != rtp->ssrc || rx->resting || !rx->assembly ||
        tdm_rx_stats_packet(&rx->stats, in->datagram.received, rtp->seq, rtp->timestamp, rx->hz,
                            in->datagram.size, &seq, &rtp_time) != TDM_RX_OK) {
        rx->refused++;
        return;
    }
    rx->last_received = now;
    rx->packets++;
    rx->bytes += in->datagram.size;
    tdm_session_take_ulpfec(s, st, now, rtp, seq);
    tdm_session_take_empty(s, st, now, in, rtp, seq, rtp_time, out);
}

static void take_red(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                     const struct tdm_session_in *in, const struct tdm_rtp *wrapped,
                     struct tdm_session_out *out)
{
    struct tdm_rtp rtp = *wrapped;

    if (!unwrap(&rtp))
        st->rx.refused++;
    else if (tdm_session_is_ulpfec(st, rtp.payload_type))
        take_ulpfec(s, st, now, in, &rtp, out);
    else
        take_media(s, st, now, in, &rtp, out);
}

void tdm_session_take_rtp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                          struct tdm_session_out *out)
{
    if (!st->config.receive)
        st->rx.refused++;
    else if (tdm_session_is_parity(st, rtp->payload_type))
        tdm_session_take_parity(s, st, now, in, rtp);
    else if (tdm_session_is_repair(st, rtp->payload_type))
        take_repair(s, st, now, in, rtp, out);
    else if (tdm_session_is_ulpfec_red(st, rtp->payload_type))
        take_red(s, st, now, in, rtp, out);
    else if (tdm_session_is_ulpfec(st, rtp->payload_type))
        take_ulpfec(s, st, now, in, rtp, out);
    else
        take_media(s, st, now, in, rtp, out);
}

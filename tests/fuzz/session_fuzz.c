/* SPDX-License-Identifier: MIT */
/*
 * Bytes become configurations, coded media, datagrams (raw, or a good packet with holes) and steps
 * of time. Checked: no wake in the past, and those of one instant come to an end; sends bounded and
 * well formed; RTP sequence numbers rise by one or two, or repeat; RTCP passes our own parser;
 * units lie in the session or in the datagram; whatever feedback says, the rate stays within its
 * limits.
 */

#include "engine/base/bytes.h"
#include "engine/core/session.h"
#include "engine/wire/rtcp.h"
#include "engine/wire/rtp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct tdm_session *s;
    uint8_t *storage;
    tdm_time now, wake_at;
    const uint8_t *datagram;
    size_t datagram_size;
    uint32_t ssrc[TDM_SESSION_STREAMS]; /* Ours, as sent. */
    int64_t highest[TDM_SESSION_STREAMS];
    struct tdm_stream_config config[TDM_SESSION_STREAMS];
    bool video[TDM_SESSION_STREAMS];
    uint16_t seq[TDM_SESSION_STREAMS];
    uint32_t frame_id;
};

static void check_send(struct world *w, const struct tdm_session_send *send)
{
    assert(send->size > 0 && send->size <= TDM_RTP_PACKET_MAX);
    assert(send->data >= w->storage && send->data + send->size <= w->storage + tdm_session_bytes());
    if (send->rtcp) {
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(send->data, send->size);
        struct tdm_rtcp_item item;
        enum tdm_err err;

        while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK)
            w->ssrc[send->stream] = item.kind == TDM_RTCP_SR ? item.sr.ssrc : w->ssrc[send->stream];
        assert(err == TDM_E_AGAIN);
        return;
    }
    struct tdm_rtp rtp;
    enum tdm_err err = tdm_rtp_parse(&rtp, send->data, send->size);

    assert(err == TDM_OK);
    if (rtp.payload_type == 118) { /* Repairs over a window are a source of their own. */
        assert(rtp.payload_size > 6);
        return;
    }
    if (rtp.payload_type == 100) {
        assert(rtp.ssrc != w->ssrc[send->stream] && rtp.payload_size > 2);
        return;
    }
    int64_t *highest = &w->highest[send->stream];
    int64_t seq = *highest ? tdm_seq_extend(*highest, rtp.seq) : 65536 + rtp.seq;

    /* A cut-off frame leaves one number out; several may follow each other unsent. */
    assert(!*highest || seq <= *highest + 1000);
    *highest = seq > *highest ? seq : *highest;
    w->ssrc[send->stream] = rtp.ssrc;
}

static bool within(const uint8_t *data, size_t size, const uint8_t *outer, size_t outer_size)
{
    return data >= outer && data + size <= outer + outer_size;
}

static void check_rate(const struct world *w)
{
    struct tdm_session_rate rate;

    tdm_session_rate_of(w->s, &rate);
    assert(rate.target_bps <= 2500000 && rate.limit_bps <= 2500000);
    assert(rate.inflight_bytes <= (uint64_t)2048 * (TDM_RTP_PACKET_MAX + 44));
    for (uint8_t i = 0; i < TDM_SESSION_STREAMS; i++) {
        uint32_t most = tdm_session_frame_bytes(w->s, i, w->now);

        assert(most == UINT32_MAX || most < 1000000);
    }
}

static void step(struct world *w, const struct tdm_session_in *in)
{
    static struct tdm_session_out out;

    tdm_session_step(w->s, w->now, in, &out);
    assert(out.wake_at >= w->now && out.wake_why);
    assert(out.send_count <= TDM_SESSION_SENDS_MAX);
    w->wake_at = out.wake_at;
    check_rate(w);
    for (uint32_t i = 0; i < out.send_count; i++)
        check_send(w, &out.sends[i]);
    if (out.unit == TDM_UNIT_AUDIO)
        assert(in && within(out.audio.payload, out.audio.size, w->datagram, w->datagram_size));
    if (out.unit == TDM_UNIT_VIDEO)
        assert(out.video.size &&
               within(out.video.data, out.video.size, w->storage, tdm_session_bytes()));
    if (out.unit == TDM_UNIT_DTMF)
        assert(strchr("0123456789*#ABCD?", out.digit));
}

static void run_until(struct world *w, tdm_time end)
{
    for (int turn = 0; w->wake_at <= end; turn++) {
        assert(turn < 20000);
        w->now = tdm_time_max(w->now, w->wake_at);
        step(w, NULL);
    }
    w->now = end;
}

static void configure(struct world *w, uint8_t stream, uint8_t how)
{
    struct tdm_stream_config *c = &w->config[stream];
    bool video = stream & 1;
    enum tdm_codec_id sent = how & 1 ? TDM_CODEC_H264 : how >> 7 ? TDM_CODEC_AV1 : TDM_CODEC_VP8;
    enum tdm_codec_id received = how >> 7 ? TDM_CODEC_AV1 : TDM_CODEC_VP8;

    if ((how & 0x1f) == 0x1f) {
        w->highest[stream] = 0;
        step(w, &(struct tdm_session_in){.kind = TDM_SESSION_CONFIGURE, .stream = stream});
        return;
    }
    *c = (struct tdm_stream_config){
        .kind = video ? TDM_VIDEO : TDM_AUDIO,
        .send = how & 2,
        .receive = how & 4,
        .send_codec = video ? sent : TDM_CODEC_OPUS,
        .send_payload_type = video ? 96 : 111,
        .send_hz = video ? 90000 : 48000,
        .receive_count = 3,
        .dtmf_payload_type = 101,
        .dtmf_hz = 48000,
        .nack = how & 8,
        .pli = how & 16,
        .fir = how & 32,
        .tmmbr = how & 32,
        .send_red_payload_type = video ? 0 : 63,
        .timing_ext_id = how & 64 ? 3 : 0,
        .h264_mode = how >> 7,
        .limit_bps = 1000000,
        .fps = 30,
    };
    c->receive_codecs[0] = (struct tdm_receive_codec){.payload_type = 96,
                                                      .id = video ? received : TDM_CODEC_OPUS,
                                                      .rtp_hz = video ? 90000 : 48000,
                                                      .channels = 1,
                                                      .red_type = video ? 0 : 63};
    c->receive_codecs[1] = (struct tdm_receive_codec){97, video ? TDM_CODEC_H264 : TDM_CODEC_PCMU,
                                                      video ? 90000 : 8000, 1, 0};
    c->receive_codecs[2] = (struct tdm_receive_codec){
        101, video ? TDM_CODEC_VP9 : TDM_CODEC_TELEPHONE_EVENT, video ? 90000 : 48000, 1, 0};
    step(w,
         &(struct tdm_session_in){.kind = TDM_SESSION_CONFIGURE, .stream = stream, .configure = c});
}

/* What browsers agree on beside: one transport, numbers and feedback, wrapped repairs, REMB. */
static void configure_more(struct world *w, uint8_t stream, uint8_t how)
{
    struct tdm_stream_config *c = &w->config[stream];

    c->bundled = how & 1;
    c->transport_cc = how & 2;
    c->transport_cc_ext_id = how & 4 ? 5 : 0;
    c->mid_ext_id = how & 8 ? 6 : 0;
    c->remb = how & 16;
    c->send_rtx_payload_type = how & 32 ? 100 : 0;
    c->receive_rtx_count = how & 64 ? 1 : 0;
    c->receive_rtx[0] = (struct tdm_receive_rtx){100, how & 128 ? 96 : 97};
    memcpy(c->mid, &"av2w"[stream], 1);
    /* Both videos on one line, the second one's packets marked. */
    c->line = stream & 1 && how & 64 ? 2 : 0;
    c->mark_ext_id = stream == 3 && how & 128 ? 7 : 0;
    if (c->receive_count)
        step(w, &(struct tdm_session_in){
                    .kind = TDM_SESSION_CONFIGURE, .stream = stream, .configure = c});
}

/* Feedback on each packet (RFC 8888): agreed or not, or a message that may lie in all it says. */
static void tell(struct world *w, struct tdm_reader *r, uint8_t stream, uint8_t how)
{
    struct tdm_ccfb_arrival arrivals[64];
    uint8_t bytes[320];
    struct tdm_writer out = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_stream_config *c = &w->config[stream];

    if (how >= 0xf0) {
        c->ccfb = how & 1;
        c->ecn = how & 2;
        c->reduced_rtcp = how & 4;
        c->send_parity_type = how & 8 && stream & 1 ? 118 : 0;
        c->receive_parity_type = how & 8 && stream & 1 ? 119 : 0;
        c->send_ulpfec_type = c->receive_ulpfec_type = how & 8 || !(stream & 1) ? 0 : 117;
        c->send_ulpfec_red_type = c->receive_ulpfec_red_type = c->send_ulpfec_type ? 116 : 0;
        c->reference_ext_id = how & 2 && stream & 1 ? 8 : 0;
        c->refer_reach = 15;
        c->refer_chains = how & 4 ? 6 : 1;
        if (c->receive_count)
            step(w, &(struct tdm_session_in){
                        .kind = TDM_SESSION_CONFIGURE, .stream = stream, .configure = c});
        return;
    }
    uint8_t ago = tdm_read_u8(r), age = tdm_read_u8(r), ahead = tdm_read_u8(r);
    const struct tdm_ccfb_source source = {.ssrc = w->ssrc[stream],
                                           .begin_seq = (uint16_t)(w->highest[stream] - ago),
                                           .count = how & 63,
                                           .arrivals = arrivals};

    for (uint16_t i = 0; i < source.count; i++)
        arrivals[i] = (struct tdm_ccfb_arrival){
            .at = (age + i) % 7 == 0 ? TDM_NEVER : w->now - (tdm_time)(age ^ i) * TDM_MS,
            .ecn = (enum tdm_ecn)(how >> 6)};
    tdm_ccfb_write(&out, 7, w->now, (uint64_t)(w->now + ahead * (tdm_time)1000 * TDM_MS) * 4,
                   &source, 1);
    w->datagram = bytes;
    w->datagram_size = tdm_writer_size(&out);
    step(w, &(struct tdm_session_in){.kind = TDM_SESSION_DATAGRAM,
                                     .stream = stream,
                                     .datagram = {.data = bytes,
                                                  .size = w->datagram_size,
                                                  .received = w->now,
                                                  .ecn = (enum tdm_ecn)(how >> 6)}});
    w->datagram = NULL;
    w->datagram_size = 0;
}

static void feed(struct world *w, uint8_t stream, uint8_t how)
{
    static const uint8_t media[4096] = {0x65, 0x88};
    size_t size = (size_t)how * 16;
    struct tdm_session_in in = {.stream = stream};

    if (stream & 1) {
        in.kind = TDM_SESSION_VIDEO_SLICE;
        in.slice.data = media;
        in.slice.size = size;
        in.slice.first = how & 1;
        in.slice.last = how & 2;
        in.slice.keyframe = how & 4;
        in.slice.frame_id = w->frame_id += how & 1;
        in.slice.has_reference = how & 8;
        in.slice.refers = how >> 4;
        in.slice.captured = in.slice.encode_start = in.slice.encode_end = w->now - TDM_MS;
    } else if (how & 1) {
        in.kind = TDM_SESSION_DTMF;
        in.dtmf.digit = "0123456789*#ABCDx"[how % 17];
        in.dtmf.duration = how * TDM_MS;
    } else {
        in.kind = TDM_SESSION_AUDIO_FRAME;
        in.audio.payload = media;
        in.audio.size = size / 2;
        in.audio.samples_rtp = 960;
        in.audio.captured = in.audio.encode_start = in.audio.encode_end = w->now - TDM_MS;
    }
    step(w, &in);
}

/* A datagram from the input; with `lead`, behind a good header of RTP or of feedback to us. */
static void receive(struct world *w, struct tdm_reader *r, uint8_t stream, uint8_t lead)
{
    uint8_t bytes[320];
    struct tdm_writer out = tdm_writer_of(bytes, sizeof bytes);
    size_t most = tdm_read_u8(r);
    size_t left = tdm_reader_left(r);

    if (lead == 1 || lead == 2) {
        uint8_t how = tdm_read_u8(r);

        w->seq[stream] = (uint16_t)(w->seq[stream] + (how & 7));
        tdm_write_u8(&out, 0x80);
        tdm_write_u8(&out, (uint8_t)((how & 8 ? 0x80 : 0) | (lead == 1   ? 96 + (how >> 7)
                                                             : how & 128 ? 119
                                                                         : 101)));
        tdm_write_u16(&out, w->seq[stream]);
        tdm_write_u32(&out, (uint32_t)(how >> 4) * 0x12345678u);
        tdm_write_u32(&out, 7);
    } else if (lead == 4) {
        uint8_t how = tdm_read_u8(r);
        uint16_t number = (uint16_t)(w->seq[stream] - (how & 15));

        uint8_t head[24] = {0x90, 100,  0, how, 0,    0, 0,   0,    0, 0, 0, 8,
                            0xbe, 0xde, 0, 2,   0x51, 0, how, 0x60, 0, 0, 0, 0};

        memcpy(&head[20], &"av2w"[stream], 1);
        tdm_write_bytes(&out, head, sizeof head);
        tdm_write_u16(&out, number);
    } else if (lead == 3) {
        tdm_rtcp_write_rr(&out, 7,
                          &(struct tdm_rtcp_report){.ssrc = w->ssrc[stream],
                                                    .fraction_lost = (uint8_t)most,
                                                    .last_sr = (uint32_t)(most << 24)},
                          1);
        if (most & 1)
            tdm_rtcp_write_nack(&out, 7, w->ssrc[stream],
                                &(struct tdm_rtcp_nack){(uint16_t)w->highest[stream], 0xffff}, 1);
        if (most & 2)
            tdm_rtcp_write_remb(&out, 7, w->ssrc[stream], most * 10000);
        if (most & 8)
            tdm_rtcp_write_rpsi(
                &out, 7, w->ssrc[stream], 96,
                &(struct tdm_reference_report){.newest = (uint16_t)(most * 257),
                                               .decoded = UINT64_C(0x123456789abc) >> (most & 31)});
        if (most & 4)
            tdm_rtcp_write_pli(&out, 7, w->ssrc[stream]);
        if (most & 8)
            tdm_rtcp_write_tmmbr(
                &out, (uint32_t)(most >> 5),
                &(struct tdm_rtcp_tmmbr){.ssrc = w->ssrc[stream],
                                         .bps = (uint64_t)(most & 0xf0) << (most & 63),
                                         .overhead = (uint16_t)(most * 2)},
                1);
        if (most & 16)
            tdm_rtcp_write_bye(&out, (uint32_t)(most >> 5), NULL);
    }
    most = most < left ? most : left;
    left = tdm_reader_left(r);
    most = most < left ? most : left;
    if (lead != 3)
        tdm_write_bytes(&out, tdm_read_bytes(r, most), most);
    w->datagram = bytes;
    w->datagram_size = tdm_writer_size(&out);
    step(w, &(struct tdm_session_in){.kind = TDM_SESSION_DATAGRAM,
                                     .stream = stream,
                                     .datagram = {.data = bytes,
                                                  .size = w->datagram_size,
                                                  .received = w->now,
                                                  .ecn = (enum tdm_ecn)(lead & 3)}});
    w->datagram = NULL;
    w->datagram_size = 0;
}

static void one(struct world *w, struct tdm_reader *r)
{
    uint8_t op = tdm_read_u8(r);
    uint8_t stream = op & 3;

    switch (op >> 2 & 15) {
    case 0:
        configure(w, stream, tdm_read_u8(r));
        break;
    case 1:
    case 2:
    case 3:
        feed(w, stream, tdm_read_u8(r));
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        receive(w, r, stream, op >> 2 & 3);
        break;
    case 8:
        if (op >> 6 == 1)
            step(w, &(struct tdm_session_in){.kind = TDM_SESSION_BESIDE,
                                             .beside_bps = (uint64_t)1 << (tdm_read_u8(r) & 63)});
        if (op >> 6 == 2)
            step(w, &(struct tdm_session_in){.kind = TDM_SESSION_LATENCY,
                                             .latency_budget = (tdm_time)tdm_read_u8(r) * TDM_MS});
        step(w, &(struct tdm_session_in){.kind = TDM_SESSION_DECODE_FAILED, .stream = stream});
        break;
    case 9:
        step(w, &(struct tdm_session_in){.kind = TDM_SESSION_BYE});
        break;
    case 12:
        configure_more(w, stream, tdm_read_u8(r));
        break;
    case 13: /* A wrapped repair, and feedback, of whatever follows. */
        receive(w, r, stream, 4);
        break;
    case 14:
        tell(w, r, stream, tdm_read_u8(r));
        break;
    case 10:
        run_until(w, w->now + (tdm_time)tdm_read_u8(r) * 10 * TDM_MS);
        break;
    case 11:
        w->now -= (tdm_time)tdm_read_u8(r) * TDM_MS; /* A clock that goes back does no harm. */
        step(w, NULL);
        break;
    default:
        run_until(w, w->now + (tdm_time)(op >> 2 & 3) * 5 * TDM_MS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct world w = {.now = 1000 * TDM_S, .wake_at = TDM_NEVER};

    w.storage = malloc(tdm_session_bytes());
    if (!w.storage)
        abort();
    w.s = tdm_session_init(w.storage,
                           &(struct tdm_session_config){
                               .wall_offset = 1700000000 * TDM_S, .seed = size, .cname = "a@b"},
                           w.now);
    configure(&w, 0, 0x7e);
    configure(&w, 1, 0x7e);
    for (int steps = 0; tdm_reader_left(&r) && steps < 400; steps++)
        one(&w, &r);
    for (uint8_t i = 0; i < TDM_SESSION_STREAMS; i++) {
        struct tdm_stream_stats stats;

        tdm_session_stats(w.s, i, &stats);
    }
    free(w.storage);
    return 0;
}

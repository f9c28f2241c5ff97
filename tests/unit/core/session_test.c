/* SPDX-License-Identifier: MIT */
/*
 * Two sessions back to back in virtual time, with a pipe between them that may lose, delay and
 * reorder, and clocks that differ. What comes out is checked against what went in.
 */
#include "engine/core/session.h"

#include "engine/base/rng.h"
#include "engine/wire/red.h"
#include "engine/wire/rtcp.h"
#include "engine/wire/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIO       0
#define VIDEO       1
#define PIPE_MAX    512
#define FRAMES_MAX  4000
#define SLICE_BYTES 4000
#define HOUR        (3600 * TDM_S)
#define RTX_TYPE    100
#define NUMBER_EXT  5
#define MID_EXT     6
#define RED_TYPE    63

struct side {
    struct tdm_session *s;
    tdm_time ahead; /* Its clock less true time, at 0. */
    double ppm;
    tdm_time wake; /* Own clock. */
    struct tdm_stream_config config[2];
    bool key_wanted;
    uint32_t saved_bytes;
    bool media; /* Feeds audio and video. */
    uint32_t audio_sent, video_sent;
    tdm_time audio_captured[FRAMES_MAX], video_captured[FRAMES_MAX]; /* True time. */
    uint32_t keys_sent;
    /* What it received. */
    uint8_t audio_seen[FRAMES_MAX], video_seen[FRAMES_MAX];
    uint32_t audio_count, video_count, keys, restarts, unchecked;
    uint32_t copies, healed; /* Of audio, and those that were of what was lost. */
    int64_t last_video;
    enum tdm_codec_id audio_codec, video_codec;
    char digits[64];
    bool bye;
    tdm_time worst_error; /* Of the capture time, since it is checked. */
    uint32_t errors_checked;
    int64_t rtp_highest[2]; /* Sent. */
    uint32_t ssrc[2], repairs, tellings, rembs, tmmbrs, tmmbns;
    uint64_t remb_bps, tmmbr_bps, tmmbn_bps;
    uint16_t next_repair, next_number;
    bool numbered;
};

struct datagram {
    bool used;
    int to;
    uint8_t stream;
    tdm_time at; /* True time. */
    uint16_t size;
    uint8_t bytes[TDM_RTP_PACKET_MAX];
};

struct world {
    tdm_time now; /* True time. */
    struct side sides[2];
    struct datagram pipe[PIPE_MAX];
    struct tdm_rng rng;
    double loss;
    tdm_time delay, jitter;
    tdm_time check_from; /* Capture times are compared from here on. */
    uint32_t mutate_every, passed;
    bool one_socket; /* As a bundle has. */
    bool unchecked;  /* What comes out may be damaged. */
    tdm_time next_audio, next_video;
};

static tdm_time local(const struct side *side, tdm_time t)
{
    return t + side->ahead + (tdm_time)((double)t * side->ppm * 1e-6);
}

static tdm_time true_time(const struct side *side, tdm_time at)
{
    if (at == TDM_NEVER)
        return TDM_NEVER;
    tdm_time t = (tdm_time)((double)(at - side->ahead) / (1 + side->ppm * 1e-6));

    while (local(side, t) < at)
        t += 100;
    return t;
}

/* Transport-wide numbers rise by one; a packet sent again as it was keeps its own. */
static void check_number(struct side *side, const struct tdm_rtp *rtp)
{
    const struct tdm_rtp_ext *ext = tdm_rtp_ext_find(rtp, NUMBER_EXT);

    if (!ext)
        return;
    assert_int_equal(ext->size, 2);
    uint16_t number = (uint16_t)(ext->data[0] << 8 | ext->data[1]);

    if (side->numbered && number != side->next_number) {
        assert_int_equal(rtp->payload_type, 96); /* Only there are repairs that are not wrapped. */
        assert_int_equal(side->config[VIDEO].send_rtx_payload_type, 0);
        return;
    }
    side->numbered = true;
    side->next_number = (uint16_t)(number + 1);
}

static void check_repair(struct side *side, const struct tdm_rtp *rtp)
{
    assert_int_equal(side->config[VIDEO].send_rtx_payload_type, RTX_TYPE);
    assert_true(rtp->ssrc != side->ssrc[AUDIO] && rtp->ssrc != side->ssrc[VIDEO]);
    assert_true(rtp->payload_size > 2);
    if (side->repairs++)
        assert_int_equal(rtp->seq, side->next_repair);
    side->next_repair = (uint16_t)(rtp->seq + 1);
}

/* RTCP leads with a report and reads to its end; RTP rises by one, or repeats an earlier one. */
static void check_send(struct side *side, const struct tdm_session_send *send)
{
    assert_in_range(send->size, 1, TDM_RTP_PACKET_MAX);
    assert_int_equal(tdm_rtp_is_rtcp(send->data, send->size), send->rtcp);
    if (send->rtcp) {
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(send->data, send->size);
        struct tdm_rtcp_item item;
        int items = 0;
        enum tdm_err err;

        while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK) {
            if (items++ == 0)
                assert_true(item.kind == TDM_RTCP_SR || item.kind == TDM_RTCP_RR);
            side->tellings += item.kind == TDM_RTCP_TWCC;
            if (item.kind == TDM_RTCP_TMMBR) {
                side->tmmbrs++;
                side->tmmbr_bps = item.tmmbr.entries[0].bps;
            } else if (item.kind == TDM_RTCP_TMMBN) {
                side->tmmbns++;
                side->tmmbn_bps = item.tmmbr.count ? item.tmmbr.entries[0].bps : UINT64_MAX;
            }
            if (item.kind != TDM_RTCP_REMB)
                continue;
            side->rembs++;
            side->remb_bps = item.remb_bps;
        }
        assert_true(err == TDM_E_AGAIN && items >= 2);
        return;
    }
    struct tdm_rtp rtp;
    int64_t *highest = &side->rtp_highest[send->stream];

    assert_true(tdm_rtp_parse(&rtp, send->data, send->size) == TDM_OK);
    check_number(side, &rtp);
    if (rtp.payload_type == RTX_TYPE) {
        check_repair(side, &rtp);
        return;
    }
    side->ssrc[send->stream] = rtp.ssrc;
    int64_t seq = *highest ? tdm_seq_extend(*highest, rtp.seq) : 65536 + rtp.seq;

    assert_true(!*highest || seq <= *highest + 2);
    *highest = seq > *highest ? seq : *highest;
}

static void put_in_pipe(struct world *w, int to, const struct tdm_session_send *send)
{
    if (tdm_rng_chance(&w->rng, w->loss))
        return;
    struct datagram *d = w->pipe;

    while (d->used)
        assert_true(++d < w->pipe + PIPE_MAX);
    d->used = true;
    d->to = to;
    d->stream = w->one_socket ? AUDIO : send->stream;
    d->at = w->now + w->delay + (tdm_time)(tdm_rng_unit(&w->rng) * (double)w->jitter);
    d->size = send->size;
    memcpy(d->bytes, send->data, send->size);
    if (w->mutate_every && ++w->passed % w->mutate_every == 0) {
        d->bytes[tdm_rng_below(&w->rng, d->size)] ^= (uint8_t)(1 + tdm_rng_below(&w->rng, 255));
        if (w->passed % 3 == 0)
            d->size = (uint16_t)tdm_rng_below(&w->rng, d->size);
    }
}

static void check_capture(struct world *w, struct side *to, tdm_time captured, tdm_time sent_at)
{
    if (w->now < w->check_from)
        return;
    assert_true(captured != TDM_NEVER);
    tdm_time error = llabs(captured - local(to, sent_at));

    to->worst_error = tdm_time_max(to->worst_error, error);
    to->errors_checked++;
}

/* The copies in front are of earlier frames, so much earlier as they say. Leaves the newest. */
static void take_copies(struct side *to, const struct side *from, struct tdm_session_audio *a)
{
    uint32_t newest, index, frame_rtp = from->config[AUDIO].send_hz / 50;
    struct tdm_red red;

    assert_int_equal(tdm_red_parse(&red, a->payload, a->size), TDM_OK);
    a->payload = red.blocks[red.count - 1].data;
    a->size = red.blocks[red.count - 1].size;
    memcpy(&newest, a->payload, sizeof newest);
    for (uint8_t i = 0; i + 1 < red.count; i++) {
        assert_int_equal(red.blocks[i].payload_type, 111);
        memcpy(&index, red.blocks[i].data, sizeof index);
        assert_int_equal(red.blocks[i].offset, (newest - index) * frame_rtp);
        to->copies++;
        to->healed += !to->audio_seen[index];
        to->audio_seen[index] = 1;
    }
}

static void take_audio(struct world *w, struct side *to, const struct tdm_session_audio *packet)
{
    struct tdm_session_audio unwrapped = *packet, *a = &unwrapped;
    struct side *from = to == w->sides ? to + 1 : to - 1;
    uint32_t index;

    to->unchecked += w->unchecked;
    if (w->unchecked)
        return;
    if (a->red)
        take_copies(to, from, a);
    assert_int_equal(a->size, 40);
    memcpy(&index, a->payload, sizeof index);
    assert_in_range(index, 0, from->audio_sent);
    to->audio_seen[index]++;
    to->audio_count++;
    to->restarts += a->restarted;
    to->audio_codec = a->codec;
    assert_true(a->arrival <= local(to, w->now));
    check_capture(w, to, a->captured, from->audio_captured[index]);
}

static void take_video(struct world *w, struct side *to, const struct tdm_session_video *v)
{
    struct side *from = to == w->sides ? to + 1 : to - 1;
    const tdm_time *at = v->trace.at;
    uint32_t index;

    to->unchecked += w->unchecked;
    if (w->unchecked)
        return;
    assert_true(v->size > 4);
    memcpy(&index, v->data + v->size - 4, sizeof index);
    assert_in_range(index, 0, from->video_sent);
    assert_true(index > to->last_video);
    assert_true(to->video_count || v->keyframe);
    to->last_video = index;
    to->video_seen[index]++;
    to->video_count++;
    to->keys += v->keyframe;
    to->video_codec = v->codec;
    assert_true(at[TDM_STAGE_FIRST_RECEIVED] <= at[TDM_STAGE_LAST_RECEIVED]);
    assert_true(at[TDM_STAGE_LAST_RECEIVED] <= at[TDM_STAGE_DECODABLE]);
    check_capture(w, to, at[TDM_STAGE_CAPTURED], from->video_captured[index]);
    if (w->now < w->check_from || !from->config[VIDEO].timing_ext_id)
        return;
    assert_int_equal(v->trace.frame_id, index & 0xffff);
    for (int i = TDM_STAGE_CAPTURED; i < TDM_STAGE_LAST_SENT; i++)
        assert_true(i == TDM_STAGE_ENCODE_END || at[i] <= at[i + 1]);
    /* Encoding took 1 to 4 ms, and the pacer had nothing to hold back for long. */
    assert_true(llabs(at[TDM_STAGE_ENCODE_START] - at[TDM_STAGE_CAPTURED] - TDM_MS) < 20 * TDM_US);
    assert_true(llabs(at[TDM_STAGE_ENCODE_END] - at[TDM_STAGE_CAPTURED] - 4 * TDM_MS) <
                20 * TDM_US);
    assert_true(at[TDM_STAGE_LAST_SENT] < at[TDM_STAGE_FIRST_RECEIVED] + 20 * TDM_MS);
}

static void step(struct world *w, int index, const struct tdm_session_in *in)
{
    static struct tdm_session_out out;
    struct side *side = &w->sides[index];
    tdm_time now = local(side, w->now);

    for (int turn = 0;; turn++, in = NULL) {
        assert_true(turn < 200);
        tdm_session_step(side->s, now, in, &out);
        assert_true(out.wake_at >= now);
        assert_in_range(out.send_count, 0, TDM_SESSION_SENDS_MAX);
        for (uint32_t i = 0; i < out.send_count; i++) {
            check_send(side, &out.sends[i]);
            put_in_pipe(w, 1 - index, &out.sends[i]);
        }
        if (out.unit == TDM_UNIT_AUDIO)
            take_audio(w, side, &out.audio);
        else if (out.unit == TDM_UNIT_VIDEO)
            take_video(w, side, &out.video);
        else if (out.unit == TDM_UNIT_DTMF)
            side->digits[strlen(side->digits)] = out.digit;
        side->key_wanted |= (out.keyframe_wanted | out.frame_dropped) & 1u << VIDEO;
        side->bye |= out.bye;
        side->wake = out.wake_at;
        if (out.wake_at > now)
            return;
    }
}

static void feed_audio(struct world *w, int index)
{
    struct side *side = &w->sides[index];
    uint8_t payload[40] = {0};
    tdm_time now = local(side, w->now);

    memcpy(payload, &side->audio_sent, sizeof side->audio_sent);
    side->audio_captured[side->audio_sent++] = w->now - 22 * TDM_MS;
    step(w, index,
         &(struct tdm_session_in){.kind = TDM_SESSION_AUDIO_FRAME,
                                  .stream = AUDIO,
                                  .audio = {.payload = payload,
                                            .size = sizeof payload,
                                            .samples_rtp = side->config[AUDIO].send_hz / 50,
                                            .captured = now - 22 * TDM_MS,
                                            .encode_start = now - 2 * TDM_MS,
                                            .encode_end = now - TDM_MS}});
}

static void feed_slice(struct world *w, int index, uint8_t *data, bool first, bool last, bool key)
{
    struct side *side = &w->sides[index];
    tdm_time captured = local(side, side->video_captured[side->video_sent]);

    memcpy(data + SLICE_BYTES - 4, &side->video_sent, 4);
    step(w, index,
         &(struct tdm_session_in){.kind = TDM_SESSION_VIDEO_SLICE,
                                  .stream = VIDEO,
                                  .slice = {.data = data,
                                            .size = SLICE_BYTES,
                                            .first = first,
                                            .last = last,
                                            .keyframe = key,
                                            .frame_id = side->video_sent,
                                            .captured = captured,
                                            .encode_start = captured + TDM_MS,
                                            .encode_end = captured + 4 * TDM_MS}});
}

static void feed_video(struct world *w, int index)
{
    struct side *side = &w->sides[index];
    uint8_t data[SLICE_BYTES] = {0};
    bool key = side->key_wanted || side->video_sent == 0;
    uint32_t most = tdm_session_frame_bytes(side->s, VIDEO, local(side, w->now));
    uint32_t saved = side->saved_bytes + (most < 2 * SLICE_BYTES ? most : 2 * SLICE_BYTES);

    /* All pictures have the same size: too little for one is saved up for the next. */
    side->saved_bytes = saved;
    if (most != UINT32_MAX && saved < 2 * SLICE_BYTES)
        return;
    side->saved_bytes = 0;
    side->key_wanted = false;
    side->keys_sent += key;
    side->video_captured[side->video_sent] = w->now - 4 * TDM_MS;
    switch (side->config[VIDEO].send_codec) {
    case TDM_CODEC_VP8:
        data[0] = key ? 0x10 : 0x11;
        feed_slice(w, index, data, true, true, key);
        break;
    case TDM_CODEC_VP9: /* A key frame's header with its sync code; 352 x 288. */
        memcpy(data, key ? "\x82\x49\x83\x42\x40\x15\xf0\x11\xf0" : "\x86", key ? 9 : 1);
        feed_slice(w, index, data, true, true, key);
        break;
    case TDM_CODEC_AV1: /* A sequence header, and a frame OBU of all the rest. */
        if (key)
            memcpy(data, "\x0a\x02\x01\x02\x32\x99\x1f\x10", 8);
        else
            memcpy(data, "\x32\x9d\x1f\x30", 4);
        feed_slice(w, index, data, true, true, key);
        break;
    default:
        memcpy(data, key ? "\x67\x42" : "\x41\x9a", 2);
        feed_slice(w, index, data, true, false, key);
        memcpy(data, key ? "\x65\x88" : "\x41\x1a", 2);
        feed_slice(w, index, data, false, true, key);
        break;
    }
    side->video_sent++;
}

static void deliver(struct world *w, struct datagram *d)
{
    const struct datagram got = *d; /* What the step sends may take its place. */

    d->used = false;
    step(w, got.to,
         &(struct tdm_session_in){.kind = TDM_SESSION_DATAGRAM,
                                  .stream = got.stream,
                                  .datagram = {.data = got.bytes,
                                               .size = got.size,
                                               .received = local(&w->sides[got.to], w->now)}});
}

static void run(struct world *w, tdm_time duration)
{
    tdm_time end = w->now + duration;

    for (;;) {
        struct datagram *next = NULL;
        tdm_time at = tdm_time_min(w->next_audio, w->next_video);
        tdm_time wakes[2];

        for (int i = 0; i < 2; i++) {
            wakes[i] = tdm_time_max(true_time(&w->sides[i], w->sides[i].wake), w->now);
            at = tdm_time_min(at, wakes[i]);
        }
        for (int i = 0; i < PIPE_MAX; i++)
            if (w->pipe[i].used && (!next || w->pipe[i].at < next->at))
                next = &w->pipe[i];
        if (next)
            at = tdm_time_min(at, next->at);
        if (at > end)
            break;
        w->now = at;
        if (next && next->at <= at) {
            deliver(w, next);
        } else if (w->next_audio <= at) {
            w->next_audio += 20 * TDM_MS;
            for (int i = 0; i < 2; i++)
                if (w->sides[i].media && w->sides[i].config[AUDIO].send)
                    feed_audio(w, i);
        } else if (w->next_video <= at) {
            w->next_video += 33333333;
            for (int i = 0; i < 2; i++)
                if (w->sides[i].media && w->sides[i].config[VIDEO].send)
                    feed_video(w, i);
        } else {
            step(w, wakes[0] <= at ? 0 : 1, NULL);
        }
    }
    w->now = end;
}

static const struct tdm_stream_config plain_audio = {
    .kind = TDM_AUDIO,
    .send = true,
    .receive = true,
    .send_codec = TDM_CODEC_OPUS,
    .send_payload_type = 111,
    .send_hz = 48000,
    .receive_count = 5,
    .receive_codecs = {{111, TDM_CODEC_OPUS, 48000, 2, 0},
                       {0, TDM_CODEC_PCMU, 8000, 1, 0},
                       {101, TDM_CODEC_TELEPHONE_EVENT, 48000, 1, 0},
                       {112, TDM_CODEC_L16, 48000, 1, 0},
                       {113, TDM_CODEC_L16, 48000, 2, 0}},
    .dtmf_payload_type = 101,
    .dtmf_hz = 48000,
};

static const struct tdm_stream_config plain_video = {
    .kind = TDM_VIDEO,
    .send = true,
    .receive = true,
    .send_codec = TDM_CODEC_VP8,
    .send_payload_type = 96,
    .send_hz = 90000,
    .receive_count = 4,
    .receive_codecs = {{96, TDM_CODEC_VP8, 90000, 1, 0},
                       {97, TDM_CODEC_H264, 90000, 1, 0},
                       {98, TDM_CODEC_VP9, 90000, 1, 0},
                       {99, TDM_CODEC_AV1, 90000, 1, 0}},
    .nack = true,
    .pli = true,
    .fir = true,
    .h264_mode = 1,
    .limit_bps = 4000000,
    .fps = 30,
};

static void configure(struct world *w, int index, uint8_t stream)
{
    step(w, index,
         &(struct tdm_session_in){.kind = TDM_SESSION_CONFIGURE,
                                  .stream = stream,
                                  .configure = &w->sides[index].config[stream]});
}

static void start_side(struct world *w, int index, uint64_t seed)
{
    struct side *side = &w->sides[index];
    struct tdm_session_config config = {.seed = seed, .cname = "somebody@somewhere"};

    /* The wall clocks of both agree but for 3 hours; the monotonic ones do not at all. */
    config.wall_offset = 1700000000 * TDM_S - side->ahead + index * 3 * HOUR;
    if (!side->s)
        side->s = calloc(1, tdm_session_bytes());
    side->s = tdm_session_init(side->s, &config, local(side, w->now));
    memset(side->rtp_highest, 0, sizeof side->rtp_highest);
    for (uint8_t stream = 0; stream < 2; stream++)
        configure(w, index, stream);
}

static struct world *world_of(uint8_t timing_ext_id)
{
    struct world *w = calloc(1, sizeof *w);

    w->rng = tdm_rng_of(11);
    w->delay = 15 * TDM_MS;
    w->now = 100 * TDM_S;
    w->next_audio = w->now + TDM_MS;
    w->next_video = w->now + 2 * TDM_MS;
    w->check_from = TDM_NEVER;
    w->sides[0].ahead = 5 * HOUR;
    w->sides[1].ahead = 900 * HOUR;
    w->sides[1].ppm = 50;
    for (int i = 0; i < 2; i++) {
        w->sides[i].media = true;
        w->sides[i].last_video = -1;
        w->sides[i].config[AUDIO] = plain_audio;
        w->sides[i].config[VIDEO] = plain_video;
        for (int k = 0; k < 2; k++)
            w->sides[i].config[k].timing_ext_id = timing_ext_id;
        w->sides[i].wake = TDM_NEVER;
    }
    start_side(w, 0, 1);
    start_side(w, 1, 2);
    return w;
}

static void world_end(struct world *w)
{
    free(w->sides[0].s);
    free(w->sides[1].s);
    free(w);
}

static void dial(struct world *w, int index, const char *digits)
{
    for (; *digits; digits++)
        step(w, index,
             &(struct tdm_session_in){.kind = TDM_SESSION_DTMF,
                                      .stream = AUDIO,
                                      .dtmf = {.digit = *digits, .duration = 100 * TDM_MS}});
}

static struct tdm_stream_stats stats_of(const struct world *w, int index, uint8_t stream)
{
    struct tdm_stream_stats stats;

    tdm_session_stats(w->sides[index].s, stream, &stats);
    return stats;
}

/* What is sent stops, and everything on its way arrives. */
static void drain(struct world *w)
{
    w->sides[0].media = w->sides[1].media = false;
    run(w, TDM_S);
}

/* With the timing extension, and by sender reports alone. */
static void test_clean_call(void **state)
{
    (void)state;
    for (uint8_t ext = 0; ext < 2; ext++) {
        struct world *w = world_of(ext);

        w->check_from = w->now + 1500 * TDM_MS;
        run(w, 6 * TDM_S);
        drain(w);
        for (int i = 0; i < 2; i++) {
            struct side *from = &w->sides[i], *to = &w->sides[1 - i];

            assert_true(from->audio_sent > 290 && from->video_sent > 175);
            for (uint32_t k = 0; k < from->audio_sent; k++)
                assert_int_equal(to->audio_seen[k], 1);
            for (uint32_t k = 0; k < from->video_sent; k++)
                assert_int_equal(to->video_seen[k], 1);
            assert_int_equal(from->keys_sent, 1);
            assert_int_equal(to->restarts, 1);
            assert_true(to->errors_checked > 300);
            if (to->worst_error > TDM_MS)
                fail_msg("capture times are off by up to %lld us",
                         (long long)(to->worst_error / TDM_US));
            struct tdm_stream_stats v = stats_of(w, 1 - i, VIDEO);

            assert_int_equal(v.packets_refused + v.nacks_sent + v.plis_sent, 0);
            assert_int_equal(v.packets_lost, 0);
            assert_int_equal(v.frames_received, from->video_sent);

            tdm_time rtt, rtt_min, offset;

            assert_true(tdm_session_clock(to->s, &rtt, &rtt_min, &offset));
            assert_true(llabs(rtt - 30 * TDM_MS) < 200 * TDM_US);
            assert_true(llabs(llabs(offset) - 3 * HOUR) < 10 * TDM_MS);
            assert_true((offset > 0) == (i == 1)); /* Side 1 is ahead. */
        }
        world_end(w);
    }
}

static void test_lossy_call(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    w->loss = 0.05;
    w->jitter = 8 * TDM_MS;
    w->check_from = w->now + 3 * TDM_S;
    run(w, 20 * TDM_S);
    w->loss = 0;
    drain(w);
    for (int i = 0; i < 2; i++) {
        struct side *from = &w->sides[i], *to = &w->sides[1 - i];
        struct tdm_stream_stats v = stats_of(w, 1 - i, VIDEO);

        for (uint32_t k = 0; k < from->audio_sent; k++)
            assert_in_range(to->audio_seen[k], 0, 1);
        assert_true(to->audio_count > from->audio_sent * 9 / 10);
        assert_true(to->video_count > from->video_sent * 95 / 100);
        assert_true(v.repaired > 50 && v.nacks_sent > 50);
        assert_true(stats_of(w, i, VIDEO).packets_resent >= v.repaired / 2);
        assert_true(from->keys_sent < 12);
        assert_true(to->worst_error < 8 * TDM_MS);
    }
    world_end(w);
}

/* Where both agreed on it, copies go along once something is lost, and only then (RFC 2198). */
static void test_copies_of_audio(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    for (int i = 0; i < 2; i++) {
        w->sides[i].config[AUDIO].send_red_payload_type = RED_TYPE;
        w->sides[i].config[AUDIO].receive_codecs[0].red_type = RED_TYPE;
        configure(w, i, AUDIO);
    }
    run(w, 10 * TDM_S);
    assert_int_equal(w->sides[0].copies + w->sides[1].copies, 0);
    w->loss = 0.05;
    run(w, 40 * TDM_S);
    w->loss = 0;
    drain(w);
    for (int i = 0; i < 2; i++) {
        struct side *from = &w->sides[i], *to = &w->sides[1 - i];
        uint32_t missing = 0;

        for (uint32_t k = 1000; k < from->audio_sent; k++)
            missing += !to->audio_seen[k];
        assert_true(to->copies > 1000 && to->healed > 40);
        assert_true(missing < 12); /* Of some 75 that were lost. */
        assert_int_equal(to->restarts, 1);
        assert_true(stats_of(w, 1 - i, AUDIO).packets_lost > 60);
    }
    world_end(w);
}

/* Each digit once, in order, also when packets are lost, and with no audio beside it. */
static void test_digits(void **state)
{
    static const char digits[] = "1122*#AD007";

    (void)state;
    for (int row = 0; row < 3; row++) {
        struct world *w = world_of(0);

        w->loss = row == 1 ? 0.1 : 0;
        w->jitter = row == 1 ? 30 * TDM_MS : 0;
        w->sides[0].media = row != 2;
        run(w, TDM_S);
        dial(w, 0, digits);
        run(w, 3 * TDM_S);
        assert_string_equal(w->sides[1].digits, digits);
        assert_string_equal(w->sides[0].digits, "");
        world_end(w);
    }
}

/* The first thing of a new source is a digit: the sound behind it is still marked as new. */
static void test_digit_first(void **state)
{
    struct world *w = world_of(0);

    (void)state;
    run(w, TDM_S);
    assert_int_equal(w->sides[1].restarts, 1);
    w->sides[0].media = false;
    start_side(w, 0, 77);
    dial(w, 0, "5");
    run(w, 500 * TDM_MS);
    assert_string_equal(w->sides[1].digits, "5");
    w->sides[0].media = true;
    run(w, 500 * TDM_MS);
    assert_int_equal(w->sides[1].restarts, 2);
    assert_true(stats_of(w, 1, AUDIO).jitter_ms < 1);
    world_end(w);
}

static void test_sender_starts_anew(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    run(w, 2 * TDM_S);
    uint64_t packets = stats_of(w, 1, AUDIO).packets_received;

    start_side(w, 0, 99); /* Another SSRC, sequence and time base. */
    w->sides[0].key_wanted = true;
    run(w, 2 * TDM_S);
    assert_int_equal(w->sides[1].restarts, 2);
    assert_in_range(w->sides[1].audio_count, w->sides[0].audio_sent - 4, w->sides[0].audio_sent);
    assert_true(w->sides[1].last_video > (int64_t)w->sides[0].video_sent - 4);
    assert_true(stats_of(w, 1, AUDIO).packets_received > packets + 90);
    world_end(w);
}

static void test_codec_changes(void **state)
{
    struct world *w = world_of(0);
    struct side *a = &w->sides[0];

    (void)state;
    run(w, 2 * TDM_S);
    assert_int_equal(w->sides[1].video_codec, TDM_CODEC_VP8);
    a->config[VIDEO].send_codec = TDM_CODEC_H264;
    a->config[VIDEO].send_payload_type = 97;
    a->config[AUDIO].send_codec = TDM_CODEC_PCMU;
    a->config[AUDIO].send_payload_type = 0;
    a->config[AUDIO].send_hz = 8000;
    a->key_wanted = true;
    configure(w, 0, AUDIO);
    configure(w, 0, VIDEO);
    w->check_from = w->now + TDM_S;
    run(w, 2 * TDM_S);
    drain(w);
    assert_int_equal(w->sides[1].video_codec, TDM_CODEC_H264);
    assert_int_equal(w->sides[1].audio_codec, TDM_CODEC_PCMU);
    assert_int_equal(w->sides[1].restarts, 2);
    assert_int_equal(w->sides[1].video_count, a->video_sent);
    assert_int_equal(w->sides[1].audio_count, a->audio_sent);
    assert_int_equal(a->keys_sent, 2);
    assert_true(w->sides[1].worst_error < TDM_MS);
    assert_true(stats_of(w, 1, AUDIO).jitter_ms < 1);
    world_end(w);
}

/* The same codec and clock with another channel count is another stream to the decoder. */
static void test_channels_change(void **state)
{
    struct world *w = world_of(0);
    struct side *a = &w->sides[0];

    (void)state;
    a->config[AUDIO].send_codec = TDM_CODEC_L16;
    a->config[AUDIO].send_payload_type = 112;
    configure(w, 0, AUDIO);
    run(w, TDM_S);
    uint32_t restarts = w->sides[1].restarts;

    a->config[AUDIO].send_payload_type = 113;
    configure(w, 0, AUDIO);
    run(w, TDM_S);
    assert_int_equal(w->sides[1].restarts, restarts + 1);
    assert_int_equal(w->sides[1].audio_codec, TDM_CODEC_L16);
    world_end(w);
}

/* The newer codecs over a path that loses: repaired, or a keyframe asked for and recognised. */
static void test_newer_codecs(void **state)
{
    static const struct tdm_receive_codec codecs[] = {{98, TDM_CODEC_VP9, 90000, 1, 0},
                                                      {99, TDM_CODEC_AV1, 90000, 1, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        struct world *w = world_of(1);
        struct side *a = &w->sides[0], *b = &w->sides[1];

        a->config[VIDEO].send_codec = codecs[i].id;
        a->config[VIDEO].send_payload_type = codecs[i].payload_type;
        a->key_wanted = true;
        configure(w, 0, VIDEO);
        run(w, 2 * TDM_S);
        w->loss = 0.03;
        run(w, 20 * TDM_S);
        w->loss = 0.8;
        run(w, TDM_S);
        w->loss = 0;
        run(w, 5 * TDM_S);
        drain(w);
        assert_int_equal(b->video_codec, codecs[i].id);
        assert_in_range(b->video_count, a->video_sent - 60, a->video_sent);
        assert_true(b->last_video > (int64_t)a->video_sent - 4);
        assert_true(b->keys > 1 && b->keys <= a->keys_sent);
        assert_true(stats_of(w, 0, VIDEO).packets_resent > 10);
        world_end(w);
    }
}

/* As browsers probe a path: packets with numbers but without payload, between the frames. */
static void test_padding_alone(void **state)
{
    static const uint8_t payloads[][4] = {{0x10, 0x10, 1, 2}, {0}, {0}, {0x10, 0x11, 1, 2}};
    struct world *w = world_of(0);

    (void)state;
    w->unchecked = true;
    w->sides[0].media = w->sides[1].media = false;
    for (uint16_t i = 0; i < 4; i++) {
        uint8_t packet[12 + 4] = {payloads[i][0] ? 0x80 : 0xa0, payloads[i][0] ? 0x80 | 96 : 96};
        struct tdm_writer at = tdm_writer_of(packet + 2, sizeof packet - 2);

        tdm_write_u16(&at, i);
        tdm_write_u32(&at, i < 3 ? 90000 : 93000);
        tdm_write_u32(&at, 77);
        tdm_write_bytes(&at, payloads[i][0] ? payloads[i] : (const uint8_t *)"\0\0\0\4", 4);
        step(w, 1,
             &(struct tdm_session_in){.kind = TDM_SESSION_DATAGRAM,
                                      .stream = VIDEO,
                                      .datagram = {.data = packet,
                                                   .size = sizeof packet,
                                                   .received = local(&w->sides[1], w->now)}});
    }
    run(w, TDM_S);
    assert_int_equal(w->sides[1].unchecked, 2);
    assert_int_equal(stats_of(w, 1, VIDEO).nacks_sent, 0);
    world_end(w);
}

/* A codec that is only received: its frames are not sent, and the caller is told. */
static void test_codec_that_cannot_be_cut(void **state)
{
    struct world *w = world_of(0);

    (void)state;
    w->sides[0].config[VIDEO].send_codec = TDM_CODEC_H265;
    w->sides[0].config[VIDEO].send_payload_type = 100;
    configure(w, 0, VIDEO);
    run(w, TDM_S);
    assert_int_equal(w->sides[1].video_count, 0);
    assert_true(w->sides[0].key_wanted);
    assert_in_range(w->sides[1].audio_count, 45, 51);
    world_end(w);
}

/* Hold: nothing is sent, nothing is asked for; and then everything goes on. */
static void test_hold_and_resume(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    run(w, 2 * TDM_S);
    for (uint8_t i = 0; i < 4; i++) {
        w->sides[i / 2].config[i % 2].send = w->sides[i / 2].config[i % 2].receive = false;
        configure(w, i / 2, i % 2);
    }
    run(w, 100 * TDM_MS);
    uint64_t sent = stats_of(w, 0, AUDIO).packets_sent + stats_of(w, 0, VIDEO).packets_sent;
    uint32_t count = w->sides[1].audio_count;

    dial(w, 0, "9");
    run(w, 10 * TDM_S);
    assert_int_equal(sent, stats_of(w, 0, AUDIO).packets_sent + stats_of(w, 0, VIDEO).packets_sent);
    assert_int_equal(stats_of(w, 1, VIDEO).plis_sent, 0);
    assert_int_equal(count, w->sides[1].audio_count);
    for (uint8_t i = 0; i < 4; i++) {
        w->sides[i / 2].config[i % 2].send = w->sides[i / 2].config[i % 2].receive = true;
        w->sides[i / 2].key_wanted = true;
        configure(w, i / 2, i % 2);
    }
    w->check_from = w->now + TDM_S;
    run(w, 2 * TDM_S);
    drain(w);
    assert_int_equal(w->sides[1].restarts, 2);
    assert_int_equal(w->sides[1].audio_count, w->sides[0].audio_sent);
    assert_int_equal(w->sides[1].video_count, w->sides[0].video_sent);
    assert_true(w->sides[1].worst_error < TDM_MS);
    assert_string_equal(w->sides[1].digits, "");
    world_end(w);
}

static void test_stream_removed(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    run(w, TDM_S);
    for (int i = 0; i < 2; i++) {
        w->sides[i].config[VIDEO].send = false;
        step(w, i, &(struct tdm_session_in){.kind = TDM_SESSION_CONFIGURE, .stream = VIDEO});
    }
    uint64_t received = stats_of(w, 1, VIDEO).packets_received;

    run(w, TDM_S);
    /* Nothing more comes, and what came is not forgotten: totals are of the call. */
    assert_true(received > 0);
    assert_int_equal(stats_of(w, 1, VIDEO).packets_received, received);
    drain(w);
    assert_int_equal(w->sides[1].audio_count, w->sides[0].audio_sent);
    assert_false(w->sides[1].bye);
    world_end(w);
}

static void test_bye(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    run(w, TDM_S);
    assert_false(w->sides[1].bye);
    step(w, 0, &(struct tdm_session_in){.kind = TDM_SESSION_BYE});
    run(w, 100 * TDM_MS);
    assert_true(w->sides[1].bye);
    assert_false(w->sides[0].bye);
    world_end(w);
}

static void test_decoder_asks_for_a_keyframe(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    for (int row = 0; row < 3; row++) { /* By PLI, by FIR, and by nothing when none is agreed. */
        for (int i = 0; i < 2; i++) {
            w->sides[i].config[VIDEO].pli = row == 0;
            w->sides[i].config[VIDEO].fir = row == 1;
            configure(w, i, VIDEO);
        }
        run(w, TDM_S);
        uint32_t keys = w->sides[0].keys_sent;

        step(w, 1, &(struct tdm_session_in){.kind = TDM_SESSION_DECODE_FAILED, .stream = VIDEO});
        run(w, TDM_S);
        assert_int_equal(w->sides[0].keys_sent, keys + (row < 2));
    }
    assert_int_equal(stats_of(w, 1, VIDEO).plis_sent, 2);
    assert_int_equal(stats_of(w, 0, VIDEO).plis_received, 2);
    world_end(w);
}

/* A side that sends nothing learns the clocks by RRTR and DLRR, and so does the one that sends. */
static void test_receiver_only(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    for (uint8_t i = 0; i < 4; i++) {
        w->sides[i / 2].config[i % 2].send = i / 2 == 0;
        w->sides[i / 2].config[i % 2].receive = i / 2 == 1;
        configure(w, i / 2, i % 2);
    }
    w->check_from = w->now + 1500 * TDM_MS;
    run(w, 5 * TDM_S);
    for (int i = 0; i < 2; i++) {
        tdm_time rtt, rtt_min, offset;

        assert_true(tdm_session_clock(w->sides[i].s, &rtt, &rtt_min, &offset));
        assert_true(llabs(rtt_min - 30 * TDM_MS) < 200 * TDM_US);
        assert_true((offset > 0) == (i == 0) && llabs(llabs(offset) - 3 * HOUR) < 10 * TDM_MS);
    }
    assert_true(w->sides[1].worst_error < TDM_MS && w->sides[1].errors_checked > 200);
    world_end(w);
}

static void give(struct world *w, uint8_t stream, const uint8_t *data, size_t size)
{
    struct datagram *d = &w->pipe[PIPE_MAX - 1];

    *d = (struct datagram){.to = 1, .stream = stream, .size = (uint16_t)size};
    memcpy(d->bytes, data, size);
    deliver(w, d);
}

/* The last packet of a digit comes after the next digit began: it is no third digit. */
static void test_late_digit(void **state)
{
    static const uint8_t events[] = {1, 2, 1, 2, 1};
    static const uint8_t seqs[] = {1, 3, 2, 4, 5};
    static const uint8_t times[] = {1, 2, 1, 2, 40}; /* Times 65536 units. */
    struct world *w = world_of(0);

    (void)state;
    w->sides[0].media = false;
    for (int i = 0; i < 5; i++) {
        uint8_t packet[16] = {0x80, 101, 0, seqs[i], 0, times[i], 0, 0, 0, 0, 0, 9, events[i]};

        give(w, AUDIO, packet, sizeof packet);
    }
    assert_string_equal(w->sides[1].digits, "121");
    world_end(w);
}

/* Each is refused and counted once, and the call goes on. */
static void test_refused(void **state)
{
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t size;
    } rows[] = {
        {"empty", {0}, 0},
        {"short", {0x80, 111}, 2},
        {"payload type of nobody", {0x80, 55, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4}, 16},
        {"another source, once", {0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4}, 16},
        {"version 1", {0x40, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4}, 16},
        {"padding beyond", {0xa0, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 99}, 16},
        {"extension beyond", {0x90, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 9}, 16},
        {"RTCP cut short", {0x81, 200, 0, 12, 0, 0, 0, 1, 0, 0, 0, 9}, 12},
        {"STUN", {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4}, 12},
    };
    struct world *w = world_of(1);

    (void)state;
    run(w, TDM_S);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = stats_of(w, 1, AUDIO).packets_refused;

        give(w, AUDIO, rows[i].bytes, rows[i].size);
        if (stats_of(w, 1, AUDIO).packets_refused != before + 1)
            fail_msg("%s: not counted", rows[i].what);
    }
    run(w, TDM_S);
    drain(w);
    assert_int_equal(w->sides[1].audio_count, w->sides[0].audio_sent);
    assert_int_equal(w->sides[1].restarts, 1);
    world_end(w);
}

/* A fifth of all datagrams damaged, for a while; then the call is as before. */
static void test_mutated(void **state)
{
    struct world *w = world_of(1);

    (void)state;
    w->mutate_every = 5;
    w->unchecked = true;
    run(w, 20 * TDM_S);
    w->mutate_every = 0;
    run(w, 10 * TDM_S); /* Recovers. */
    assert_true(w->sides[1].unchecked > 500);
    w->unchecked = false;
    for (int i = 0; i < 2; i++)
        w->sides[i].audio_count = w->sides[i].video_count = 1;
    run(w, 2 * TDM_S);
    assert_in_range(w->sides[1].audio_count, 98, 102);
    assert_in_range(w->sides[1].video_count, 55, 65);
    assert_true(stats_of(w, 1, AUDIO).packets_refused + stats_of(w, 1, VIDEO).packets_refused > 20);
    world_end(w);
}

/* As a browser has it: one socket, repairs wrapped, transport-wide feedback. */
static struct world *bundled_world(bool mid)
{
    struct world *w = world_of(0);

    w->one_socket = true;
    for (int i = 0; i < 2; i++)
        for (uint8_t stream = 0; stream < 2; stream++) {
            struct tdm_stream_config *c = &w->sides[i].config[stream];

            c->bundled = c->transport_cc = true;
            c->transport_cc_ext_id = NUMBER_EXT;
            c->mid_ext_id = mid ? MID_EXT : 0;
            (void)snprintf(c->mid, sizeof c->mid, "%u", stream);
            if (stream == VIDEO) {
                c->send_rtx_payload_type = RTX_TYPE;
                c->receive_rtx[c->receive_rtx_count++] = (struct tdm_receive_rtx){RTX_TYPE, 96};
            }
            configure(w, i, stream);
        }
    return w;
}

static void test_bundle(void **state)
{
    (void)state;
    for (int mid = 0; mid < 2; mid++) {
        struct world *w = bundled_world(mid);

        /* Known by its m= line alone: the video's payload type is one of the audio's too. */
        for (int i = 0; mid && i < 2; i++) {
            w->sides[i].config[AUDIO].receive_codecs[1].payload_type = 96;
            configure(w, i, AUDIO);
        }
        run(w, 6 * TDM_S);
        drain(w);
        for (int i = 0; i < 2; i++) {
            struct side *from = &w->sides[i], *to = &w->sides[1 - i];

            assert_int_equal(to->audio_count, from->audio_sent);
            assert_int_equal(to->video_count, from->video_sent);
            assert_int_equal(from->keys_sent, 1);
            assert_true(from->numbered);
            assert_in_range(to->tellings, 100, 140);
            assert_int_equal(stats_of(w, i, VIDEO).packets_refused, 0);
            assert_int_equal(stats_of(w, i, AUDIO).packets_refused, 0);
            assert_true(stats_of(w, i, VIDEO).target_bps > 3500000);
        }
        world_end(w);
    }
}

/* Repairs come under another source, and bring every lost picture back. */
static void test_wrapped_repairs(void **state)
{
    struct world *w = bundled_world(true);

    (void)state;
    run(w, TDM_S);
    w->loss = 0.03;
    run(w, 20 * TDM_S);
    w->loss = 0;
    drain(w);
    for (int i = 0; i < 2; i++) {
        struct side *from = &w->sides[i], *to = &w->sides[1 - i];
        struct tdm_stream_stats v = stats_of(w, 1 - i, VIDEO);

        assert_true(to->video_count > from->video_sent * 95 / 100);
        /* Loss makes the sender try with less for some seconds. */
        assert_true(from->repairs > 40 && v.repaired > 30);
        assert_int_equal(from->repairs, stats_of(w, i, VIDEO).packets_resent);
        assert_true(v.packets_lost > 40); /* A repair does not hide what the path lost. */
        assert_true(from->keys_sent < 8);
        assert_int_equal(to->restarts, 1);
    }
    world_end(w);
}

/* A wrapped packet for a stream that never was, of a codec that is not there, from far away, or
 * with nothing in it, does nothing. */
static void test_repairs_of_nothing(void **state)
{
    struct world *w = bundled_world(false);
    uint8_t early[] = {0x80, RTX_TYPE, 0, 1, 0, 0, 0, 1, 0, 0, 0, 77, 0, 1, 0x10, 0, 0};
    struct tdm_stream_stats before;

    (void)state;
    give(w, AUDIO, early, sizeof early);
    before = stats_of(w, 1, VIDEO);
    assert_int_equal(before.packets_refused, 1);
    run(w, TDM_S);
    before = stats_of(w, 1, VIDEO);
    uint16_t far = (uint16_t)(w->sides[0].rtp_highest[VIDEO] + 2000);

    early[12] = (uint8_t)(far >> 8);
    early[13] = (uint8_t)far;
    give(w, AUDIO, early, sizeof early);
    give(w, AUDIO, early, 14); /* Only the number. */
    give(w, AUDIO, early, 12); /* Padding without a number. */
    assert_int_equal(stats_of(w, 1, VIDEO).packets_refused, before.packets_refused + 1);
    assert_int_equal(stats_of(w, 1, VIDEO).frames_received, before.frames_received);
    run(w, TDM_S);
    drain(w);
    assert_int_equal(w->sides[1].video_count, w->sides[0].video_sent);
    world_end(w);
}

/* A queue that grows on the way is seen in the arrival times before anything is lost. */
static void test_feedback_of_a_queue(void **state)
{
    struct world *w = bundled_world(true);

    (void)state;
    run(w, 3 * TDM_S);
    uint64_t before = stats_of(w, 0, VIDEO).target_bps;

    for (int i = 0; i < 40; i++) {
        w->delay += 10 * TDM_MS;
        run(w, 100 * TDM_MS);
    }
    assert_true(stats_of(w, 0, VIDEO).target_bps < before * 8 / 10);
    assert_int_equal(stats_of(w, 0, VIDEO).packets_lost, 0);
    w->delay = 15 * TDM_MS;
    run(w, 40 * TDM_S); /* Small pictures prove little of the way at a time. */
    assert_true(stats_of(w, 0, VIDEO).target_bps > before * 9 / 10);
    world_end(w);
}

/* Without transport-wide feedback: REMB, the most that we take, and less when much is lost. */
static void test_remb(void **state)
{
    struct world *w = world_of(0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tdm_stream_config *c = &w->sides[i].config[VIDEO];

        c->remb = true;
        c->receive_limit_bps = 2000000;
        c->send_rtx_payload_type = RTX_TYPE;
        c->receive_rtx[c->receive_rtx_count++] = (struct tdm_receive_rtx){RTX_TYPE, 96};
        configure(w, i, VIDEO);
    }
    run(w, 5 * TDM_S);
    assert_true(w->sides[1].rembs >= 8);
    assert_in_range(w->sides[1].remb_bps, 1999000, 2000000);
    assert_in_range(stats_of(w, 0, VIDEO).target_bps, 1999000, 2000000); /* And it is respected. */
    w->loss = 0.3;
    run(w, 1500 * TDM_MS);
    assert_true(w->sides[1].remb_bps < 1800000);
    w->loss = 0;
    run(w, 20 * TDM_S);
    assert_in_range(w->sides[1].remb_bps, 1900000, 2000000);
    world_end(w);
}

static void ask_at_most(struct world *w, uint32_t by, uint64_t bps)
{
    uint8_t bytes[64];
    struct tdm_writer out = tdm_writer_of(bytes, sizeof bytes);

    tdm_rtcp_write_rr(&out, by, NULL, 0);
    tdm_rtcp_write_tmmbr(
        &out, by,
        &(struct tdm_rtcp_tmmbr){.ssrc = w->sides[1].ssrc[VIDEO], .bps = bps, .overhead = 40}, 1);
    give(w, VIDEO, bytes, tdm_writer_size(&out));
}

/* RFC 5104 sections 4.2.1 and 4.2.2: what the other side asks for is kept to and confirmed, until
 * it asks for something else, leaves, or is silent for long. */
static void test_tmmbr(void **state)
{
    struct world *w = world_of(0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        w->sides[i].config[VIDEO].tmmbr = true;
        w->sides[i].config[VIDEO].receive_limit_bps = 1000000;
        configure(w, i, VIDEO);
    }
    run(w, 5 * TDM_S);
    /* Ours asks as well, until it is confirmed. */
    assert_in_range(w->sides[0].tmmbrs, 1, 4);
    assert_in_range(w->sides[1].tmmbn_bps, 990000, 1000000);
    assert_in_range(stats_of(w, 1, VIDEO).target_bps, 950000, 970000);

    ask_at_most(w, 0x1234, 50000); /* A second owner: less than any floor of ours. */
    run(w, TDM_S);
    assert_in_range(stats_of(w, 1, VIDEO).limit_bps, 48000, 48500);
    uint64_t sent = stats_of(w, 1, VIDEO).bytes_sent;

    run(w, 10 * TDM_S);
    assert_in_range((stats_of(w, 1, VIDEO).bytes_sent - sent) * 8 / 10, 30000, 60000);
    ask_at_most(w, 0x1234, 0);
    sent = stats_of(w, 1, VIDEO).bytes_sent;
    run(w, 2 * TDM_S);
    assert_int_equal(tdm_session_frame_bytes(w->sides[1].s, VIDEO, local(&w->sides[1], w->now)), 0);
    ask_at_most(w, 0x1234, UINT64_MAX);
    run(w, TDM_S);
    assert_in_range(stats_of(w, 1, VIDEO).target_bps, 950000, 970000);

    ask_at_most(w, 0x1234, 100000);
    run(w, 24 * TDM_S);
    assert_in_range(stats_of(w, 1, VIDEO).limit_bps, 96000, 97000);
    run(w, 3 * TDM_S);
    assert_in_range(stats_of(w, 1, VIDEO).limit_bps, 950000, 970000);
    world_end(w);
}

/* Who did not agree to it is not kept to. */
static void test_tmmbr_unasked(void **state)
{
    struct world *w = world_of(0);

    (void)state;
    run(w, TDM_S);
    ask_at_most(w, 0x1234, 50000);
    run(w, TDM_S);
    assert_true(stats_of(w, 1, VIDEO).limit_bps > 1000000);
    assert_int_equal(w->sides[1].tmmbns, 0);
    world_end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_call),
        cmocka_unit_test(test_lossy_call),
        cmocka_unit_test(test_copies_of_audio),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_digit_first),
        cmocka_unit_test(test_sender_starts_anew),
        cmocka_unit_test(test_codec_changes),
        cmocka_unit_test(test_channels_change),
        cmocka_unit_test(test_newer_codecs),
        cmocka_unit_test(test_padding_alone),
        cmocka_unit_test(test_codec_that_cannot_be_cut),
        cmocka_unit_test(test_hold_and_resume),
        cmocka_unit_test(test_stream_removed),
        cmocka_unit_test(test_bye),
        cmocka_unit_test(test_decoder_asks_for_a_keyframe),
        cmocka_unit_test(test_receiver_only),
        cmocka_unit_test(test_late_digit),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_mutated),
        cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_wrapped_repairs),
        cmocka_unit_test(test_repairs_of_nothing),
        cmocka_unit_test(test_feedback_of_a_queue),
        cmocka_unit_test(test_remb),
        cmocka_unit_test(test_tmmbr),
        cmocka_unit_test(test_tmmbr_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A camera and a moving region of a shared screen on one m=video line: two streams of one transport
 * with the same payload types, told apart by the region's mark. Two sessions back to back in
 * virtual time, over a pipe that loses.
 */
#include "engine/core/session.h"

#include "engine/base/rng.h"
#include "engine/wire/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAMERA   1
#define REGION   2
#define PIPE_MAX 4096
#define FRAMES   120
#define BYTES    3000
#define MARK_EXT 5

struct datagram {
    tdm_time at;
    int to;
    uint16_t size;
    uint8_t bytes[TDM_RTP_PACKET_MAX];
};

struct side {
    struct tdm_session *s;
    tdm_time wake;
    uint32_t seen[3], keys[3];
    struct tdm_region_mark mark; /* Of the region's last frame. */
};

static struct side sides[2];
static struct datagram *pipe_slots;
static uint32_t pipe_count;
static tdm_time now;
static struct tdm_rng rng;
static double loss;
static uint32_t sent[3];
static bool key_wanted[3];

static void put(int from, const struct tdm_session_send *send)
{
    if (tdm_rng_unit(&rng) < loss)
        return;
    assert_true(pipe_count < PIPE_MAX);
    struct datagram *d = &pipe_slots[pipe_count++];

    d->at = now + 10 * TDM_MS;
    d->to = 1 - from;
    d->size = send->size;
    memcpy(d->bytes, send->data, send->size);
}

/* Each frame says whose it is and which. */
static void take(struct side *side, const struct tdm_session_out *out)
{
    const struct tdm_session_video *v = &out->video;
    uint32_t index;

    assert_int_equal(v->size, BYTES);
    assert_int_equal(v->data[BYTES - 5], out->unit_stream);
    memcpy(&index, v->data + BYTES - 4, sizeof index);
    assert_true(index < sent[out->unit_stream]);
    assert_int_equal(v->marked, out->unit_stream == REGION);
    if (v->marked) {
        assert_int_equal(v->mark.stream, 2);
        assert_int_equal(v->mark.frame_id, 7000 + index / 30);
    }
    side->seen[out->unit_stream]++;
    side->keys[out->unit_stream] += v->keyframe;
}

static void step(int index, const struct tdm_session_in *in)
{
    static struct tdm_session_out out;
    struct side *side = &sides[index];

    do {
        tdm_session_step(side->s, now, in, &out);
        for (uint32_t i = 0; i < out.send_count; i++)
            put(index, &out.sends[i]);
        if (out.unit == TDM_UNIT_VIDEO)
            take(side, &out);
        for (int i = CAMERA; i <= REGION; i++)
            key_wanted[i] |= index == 0 && (out.keyframe_wanted | out.frame_dropped) >> i & 1;
        side->wake = out.wake_at;
        in = NULL;
    } while (out.wake_at <= now);
}

static void configure(int index, uint8_t stream, bool repairs)
{
    struct tdm_stream_config c = {
        .kind = TDM_VIDEO,
        .send = index == 0,
        .receive = index == 1,
        .send_codec = TDM_CODEC_VP8,
        .send_payload_type = 96,
        .send_hz = 90000,
        .receive_count = 1,
        .receive_codecs = {{96, TDM_CODEC_VP8, 90000, 1, 0}},
        .nack = true,
        .pli = true,
        .timing_ext_id = 1,
        .line = 2,
        .mark_ext_id = stream == REGION ? MARK_EXT : 0,
        .send_rtx_payload_type = repairs ? 100 : 0,
        .receive_rtx_count = repairs,
        .receive_rtx = {{100, 96}},
        .limit_bps = stream == REGION ? 0 : 8000000,
        .fps = 30,
    };

    step(index, &(struct tdm_session_in){
                    .kind = TDM_SESSION_CONFIGURE, .stream = stream, .configure = &c});
}

static void feed(uint8_t stream)
{
    uint8_t data[BYTES] = {0};
    bool key = key_wanted[stream] || sent[stream] == 0;

    key_wanted[stream] = false;
    data[0] = key ? 0x10 : 0x11;
    data[BYTES - 5] = stream;
    memcpy(data + BYTES - 4, &sent[stream], 4);
    struct tdm_session_in in = {
        .kind = TDM_SESSION_VIDEO_SLICE,
        .stream = stream,
        .slice = {.data = data,
                  .size = BYTES,
                  .first = true,
                  .last = true,
                  .keyframe = key,
                  .frame_id = sent[stream],
                  .mark = {.stream = 2, .frame_id = 7000 + sent[stream] / 30},
                  .captured = now,
                  .encode_start = now,
                  .encode_end = now}};

    sent[stream]++;
    step(0, &in);
}

/* Until `until`: what arrives, and what is due. All comes in by the camera's socket. */
static void run(tdm_time until)
{
    while (now < until) {
        for (uint32_t i = 0; i < pipe_count;) {
            struct datagram d = pipe_slots[i];

            if (d.at > now) {
                i++;
                continue;
            }
            memmove(&pipe_slots[i], &pipe_slots[i + 1], (--pipe_count - i) * sizeof d);
            step(d.to, &(struct tdm_session_in){
                           .kind = TDM_SESSION_DATAGRAM,
                           .stream = CAMERA,
                           .datagram = {.data = d.bytes, .size = d.size, .received = now}});
        }
        for (int i = 0; i < 2; i++)
            if (sides[i].wake <= now)
                step(i, NULL);
        now += TDM_MS;
    }
}

static void start(bool repairs)
{
    memset(sides, 0, sizeof sides);
    memset(sent, 0, sizeof sent);
    memset(key_wanted, 0, sizeof key_wanted);
    pipe_count = 0;
    now = TDM_S;
    rng = tdm_rng_of(77);
    pipe_slots = malloc(PIPE_MAX * sizeof *pipe_slots);
    assert_non_null(pipe_slots);
    for (int i = 0; i < 2; i++) {
        const struct tdm_session_config config = {.seed = 5 + (uint64_t)i, .cname = "x"};

        sides[i].s = tdm_session_init(malloc(tdm_session_bytes()), &config, now);
        configure(i, CAMERA, repairs);
        configure(i, REGION, repairs);
    }
}

static void stop(void)
{
    for (int i = 0; i < 2; i++)
        free(sides[i].s);
    free(pipe_slots);
}

static void play(bool camera)
{
    for (int i = 0; i < FRAMES; i++) {
        if (camera)
            feed(CAMERA);
        feed(REGION);
        run(now + 33 * TDM_MS);
    }
    loss = 0;
    run(now + 2 * TDM_S);
}

static void check(double lost, bool repairs)
{
    struct tdm_stream_stats stats;

    loss = lost;
    start(repairs);
    play(true);
    for (uint8_t stream = CAMERA; stream <= REGION; stream++) {
        tdm_session_stats(sides[1].s, stream, &stats);
        assert_int_equal(stats.packets_refused, 0);
        /* Nothing tells of a last packet that is lost, and a repair may be, too. */
        assert_in_range(sides[1].seen[stream], lost > 0 ? FRAMES - 8 : FRAMES, FRAMES);
        assert_in_range(sides[1].keys[stream], 1, lost > 0 ? 3 : 1);
        assert_true((stats.repaired > 0) == (lost > 0));
        tdm_session_stats(sides[0].s, stream, &stats);
        assert_true(stats.last_reported > now - 8 * TDM_S);
    }
    stop();
}

static void test_both(void **state)
{
    (void)state;
    check(0, false);
}

static void test_lost_and_sent_again(void **state)
{
    (void)state;
    check(0.03, false);
    check(0.03, true);
}

/* The camera is off: a line with a region alone. What has no mark is the camera's, whatever its
 * source and payload type are. */
static void test_region_alone(void **state)
{
    struct tdm_stream_stats stats;

    (void)state;
    loss = 0;
    start(false);
    assert_true(sides[0].wake > now);
    tdm_session_stats(sides[0].s, REGION, &stats);
    assert_true(stats.last_reported == TDM_NEVER);
    play(false);
    assert_int_equal(sides[1].seen[REGION], FRAMES);
    feed(CAMERA);
    run(now + TDM_S);
    assert_int_equal(sides[1].seen[CAMERA], 1);
    assert_int_equal(sides[1].seen[REGION], FRAMES);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_lost_and_sent_again),
        cmocka_unit_test(test_region_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/playout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/core/playout_rig.h"

#define FRAME 480 /* 10 ms at 48 kHz. */

/* A playout driven by hand: packets hold a staircase of one unit per ms of media time, so that
 * what is heard says when it was captured. */
struct bench {
    struct tdm_playout *p;
    tdm_time now;
    struct tdm_playout_out out;
    int16_t block[TDM_PLAYOUT_PULL_MAX];
    uint32_t decodes, conceals, with_payload;
    int64_t last_seq;
    bool fail_next, in_order, heals;
    uint64_t pulled;
    uint32_t rtp_hz;
    uint16_t size; /* Of the payloads; one shorter than a seq tells none. */
};

static struct bench bench_of(uint32_t rtp_hz)
{
    struct tdm_playout_config config = {
        .sample_hz = 48000, .rtp_hz = rtp_hz, .channels = 1, .max_delay = 2 * TDM_S};
    void *storage = malloc(tdm_playout_bytes(&config));

    assert_non_null(storage);
    memset(storage, 0xa5, tdm_playout_bytes(&config)); /* Nothing may count on zeroed memory. */
    return (struct bench){.p = tdm_playout_init(storage, &config, 0),
                          .last_seq = -1,
                          .in_order = true,
                          .rtp_hz = rtp_hz,
                          .size = sizeof(int64_t)};
}

static void bench_free(struct bench *b)
{
    free(b->p);
}

/* Frame `seq` of media time seq * 10 ms (+ shift), captured at that time. */
static void send_at(struct bench *b, int64_t seq, int64_t rtp_ms)
{
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};
    struct tdm_playout_out out;

    in.packet = (struct tdm_playout_packet){.seq = seq,
                                            .rtp_time = rtp_ms * b->rtp_hz / 1000,
                                            .arrival = b->now,
                                            .captured = rtp_ms * TDM_MS,
                                            .samples = FRAME,
                                            .size = b->size,
                                            .heals = b->heals,
                                            .payload = (const uint8_t *)&seq};
    tdm_playout_step(b->p, b->now, &in, &out);
    assert_int_equal(out.action, TDM_PLAYOUT_NOTHING);
}

static void send(struct bench *b, int64_t seq)
{
    send_at(b, seq, seq * 10);
}

static void answer_decode(struct bench *b, struct tdm_playout_in *in, int16_t *pcm)
{
    int64_t seq;

    assert_true(b->out.payload_size == sizeof seq || b->out.payload_size == 1);
    memcpy(&seq, b->out.payload, sizeof seq); /* Slots hold at least that much. */
    seq = b->out.payload_size < sizeof seq ? b->last_seq + 1 : seq;
    b->in_order = b->in_order && seq > b->last_seq;
    b->last_seq = seq;
    b->decodes++;
    for (int i = 0; i < FRAME; i++)
        pcm[i] = (int16_t)(seq * 10 + i / 48);
    in->pcm.samples = FRAME;
    in->pcm.failed = b->fail_next;
    b->fail_next = false;
}

static void pull(struct bench *b, uint32_t samples)
{
    static int16_t pcm[TDM_PLAYOUT_FRAME_MAX];
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PULL};

    in.pull.samples = samples;
    in.pull.play_at = b->now;
    for (int turns = 0;; turns++) {
        assert_true(turns < 100);
        tdm_playout_step(b->p, b->now, &in, &b->out);
        if (b->out.action == TDM_PLAYOUT_READY)
            break;
        in = (struct tdm_playout_in){.kind = TDM_PLAYOUT_PCM, .pcm = {.data = pcm}};
        if (b->out.action == TDM_PLAYOUT_DECODE) {
            answer_decode(b, &in, pcm);
        } else {
            assert_int_equal(b->out.action, TDM_PLAYOUT_CONCEAL);
            b->conceals++;
            b->with_payload += b->out.payload != NULL;
            memset(pcm, 0, sizeof pcm);
            in.pcm.samples = b->out.samples;
        }
    }
    assert_int_equal(b->out.samples, samples);
    memcpy(b->block, b->out.pcm, samples * sizeof b->block[0]);
    b->pulled += samples;
}

/* Frames first .. last - 1, one every 10 ms, each just before a pull of 10 ms. */
static void run_frames(struct bench *b, int64_t first, int64_t last)
{
    for (int64_t seq = first; seq < last; seq++) {
        b->now += 9 * TDM_MS;
        send(b, seq);
        b->now += TDM_MS;
        pull(b, FRAME);
    }
}

static void check_account(const struct tdm_playout_stats *s, uint64_t pulled)
{
    int64_t in = (int64_t)(s->played_samples + s->concealed_samples + s->silent_samples +
                           s->stretched_samples - s->shrunk_samples) +
                 s->resampled_samples - s->buffered_samples;

    assert_int_equal(in, pulled);
}

static const struct tdm_playout_stats *stats(const struct bench *b)
{
    return tdm_playout_stats_of(b->p);
}

/* Every network, many pull sizes: exactly what is pulled goes in, dry and wet alike. */
static void test_accounts_for_every_sample(void **state)
{
    static const uint32_t packets[] = {120, 480, 960, 5760}, pulls[] = {64, 128, 441, 480, 2048};

    (void)state;
    for (int net = RIG_LAN; net <= RIG_QUIET; net++)
        for (size_t k = 0; k < 4; k++)
            for (size_t n = 0; n < 5; n++) {
                struct rig_config c = {.net = (enum rig_net)net,
                                       .seed = 1 + k + n,
                                       .seconds = 12,
                                       .packet_samples = packets[k],
                                       .pull_samples = pulls[n],
                                       .loss = 0.02,
                                       .wet = (k + n) % 4 == 0,
                                       .rtp_hz = n == 2 ? 8000 : 48000,
                                       .sine_hz = 300,
                                       .device_ppm = n == 1 ? 150 : 0};
                struct rig_result r = rig_run(&c, NULL, NULL);

                check_account(&r.stats, r.pulled);
                assert_int_equal(r.pulled, r.pulls * c.pull_samples);
            }
}

/* Jitter within what was learned: nothing is concealed and nothing is late after the start. */
static void test_lan_plays_without_a_gap(void **state)
{
    static const uint32_t pulls[] = {128, 240, 480};
    static const double beyond_pull_ms[] = {5.2, 5.2, 5.2};

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        for (size_t n = 0; n < 3; n++) {
            struct rig_config c = {.net = RIG_LAN,
                                   .seed = seed,
                                   .seconds = 61,
                                   .packet_samples = FRAME,
                                   .pull_samples = pulls[n],
                                   .pull_phase = (tdm_time)(seed * 777) * TDM_US,
                                   .warm_up_s = 2};
            struct rig_result r = rig_run(&c, NULL, NULL);

            assert_true(r.conceal_percent == 0);
            assert_int_equal(r.stats.late_packets + r.stats.dropped_packets, 0);
            assert_true(r.delay_ms < pulls[n] / 48.0 + beyond_pull_ms[n]);
        }
}

/* 10 minutes of clocks 200 ppm apart: resampled, never cut. */
static void test_drift_is_resampled(void **state)
{
    static const double ppms[] = {200, -200, 35};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig_config c = {.net = RIG_LAN,
                               .seed = 5 + i,
                               .seconds = 600,
                               .packet_samples = FRAME,
                               .pull_samples = 128,
                               .sender_ppm = ppms[i],
                               .warm_up_s = 10};
        struct rig_result r = rig_run(&c, NULL, NULL);

        assert_true(r.conceal_percent == 0 && r.stretch_percent == 0);
        assert_true(r.delay_max_ms - r.delay_min_ms < 6);
        assert_true(fabs(r.stats.drift_ppm - ppms[i]) < 3);
    }
}

/* What is heard is what `captured` says, also while the delay moves by 60 ms and back. */
static void test_captured_is_what_is_heard(void **state)
{
    struct bench b = bench_of(48000);
    struct tdm_playout_in ask = {.kind = TDM_PLAYOUT_MIN_DELAY};
    struct tdm_playout_out out;

    (void)state;
    for (int64_t seq = 0; seq < 1500; seq++) {
        if (seq == 300 || seq == 800) {
            ask.min_delay = seq == 300 ? 60 * TDM_MS : 0;
            tdm_playout_step(b.p, b.now, &ask, &out);
        }
        run_frames(&b, seq, seq + 1);
        if (seq < 10)
            continue;
        double heard_ms = b.block[0], said_ms = (double)b.out.captured * 1e-6;
        assert_true(fabs(heard_ms - said_ms) <= 1);
        assert_false(b.out.concealed || b.out.silent);
        if (seq == 780)
            assert_in_range(stats(&b)->delay, 58 * TDM_MS, 66 * TDM_MS);
    }
    assert_true(stats(&b)->stretched_samples > 48 * 40);
    assert_true(stats(&b)->shrunk_samples > 48 * 40);
    assert_true(stats(&b)->delay < 15 * TDM_MS);
    assert_int_equal(stats(&b)->concealed_samples, 0);
    assert_true(b.in_order);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

struct smooth {
    int16_t before[2];
    double worst_bend;
    uint64_t seen, crossings;
};

static void watch_sine(void *arg, const struct tdm_playout_out *out)
{
    struct smooth *s = arg;

    for (uint32_t i = 0; i < out->samples; i++) {
        double bend = out->pcm[i] - 2.0 * s->before[1] + s->before[0];

        if (s->seen > 48000)
            s->worst_bend = fmax(s->worst_bend, fabs(bend));
        s->crossings += s->before[1] < 0 && out->pcm[i] >= 0;
        s->before[0] = s->before[1];
        s->before[1] = out->pcm[i];
        s->seen++;
    }
}

/* A sine through a network that makes it stretch and shrink: same pitch, no click. */
static void test_sine_without_clicks(void **state)
{
    struct rig_config c = {.net = RIG_GAUSS,
                           .seed = 2,
                           .seconds = 120,
                           .packet_samples = 960,
                           .pull_samples = 240,
                           .wet = true,
                           .sine_hz = 300,
                           .warm_up_s = 60};
    struct smooth s = {0};
    double w = 6.283185307179586 * c.sine_hz / 48000, bend = 10000 * w * w;

    (void)state;
    c.net = RIG_LAN;
    c.sender_ppm = 150;
    struct rig_result r = rig_run(&c, watch_sine, &s);
    assert_true(r.conceal_percent == 0);
    assert_true(s.worst_bend < bend + 4);
    assert_true(fabs((double)s.crossings / (double)s.seen * 48000 - 300) < 1);

    c.net = RIG_ACCESS; /* Deeper: stretch happens as well. */
    c.sender_ppm = 0;
    c.pull_samples = 480;
    s = (struct smooth){0};
    r = rig_run(&c, watch_sine, &s);
    assert_true(r.stats.stretched_samples > 0 && r.stats.shrunk_samples > 0);
    if (r.stats.concealed_samples == 0)
        assert_true(s.worst_bend < 1.5 * bend + 40);
}

static void test_reorder_duplicate_and_late(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    for (int64_t seq = 0; seq < 40; seq += 2) { /* Pairs, swapped, each sent twice. */
        b.now += 19 * TDM_MS;
        send(&b, seq + 1);
        send(&b, seq);
        send(&b, seq + 1);
        b.now += TDM_MS;
        pull(&b, FRAME);
        pull(&b, FRAME);
    }
    assert_true(b.in_order);
    assert_in_range(b.decodes, 38, 40);
    assert_int_equal(stats(&b)->duplicate_packets, 20);
    send(&b, 3); /* It has been here, too. */
    assert_int_equal(stats(&b)->late_packets, 0);
    assert_int_equal(stats(&b)->duplicate_packets, 21);
    pull(&b, 1);
    assert_true(b.in_order);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* One packet is lost and the next one is there: it goes to the decoder as repair data, media time
 * passes, and the delay stays. */
static void test_lost_packet_is_concealed_once(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 50);
    tdm_time age = b.now - b.out.captured;
    b.now += 9 * TDM_MS;
    b.heals = true;
    send(&b, 51); /* 50 never comes, 51 is early by a frame. */
    b.now += TDM_MS;
    pull(&b, FRAME);
    b.now += 10 * TDM_MS;
    pull(&b, FRAME);
    assert_int_equal(b.conceals, 1);
    assert_int_equal(b.with_payload, 1);
    run_frames(&b, 52, 100);
    assert_int_equal(stats(&b)->concealed_samples, FRAME);
    assert_int_equal(stats(&b)->conceal_events, 1);
    assert_true(llabs(b.now - b.out.captured - age) < 2 * TDM_MS);
    bench_free(&b);
}

/* A gap of three frames is being concealed when they come after all: what is left of the first one
 * is played, and the others. */
static void test_late_part_of_a_gap_is_used(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 50);
    uint32_t decodes = b.decodes;
    b.now += 10 * TDM_MS;
    pull(&b, FRAME);
    b.now += 9 * TDM_MS;
    send(&b, 53);
    b.now += TDM_MS;
    pull(&b, FRAME);
    assert_in_range(stats(&b)->concealed_samples, 120, FRAME - 120);
    b.now += 9 * TDM_MS;
    for (int64_t seq = 50; seq < 53; seq++)
        send(&b, seq);
    b.now += TDM_MS;
    pull(&b, FRAME);
    run_frames(&b, 54, 60);
    assert_in_range(b.decodes - decodes, 7, 10);
    assert_true(b.in_order);
    assert_in_range(stats(&b)->concealed_samples, 120, FRAME - 120);
    assert_int_equal(stats(&b)->late_packets, 0);
    bench_free(&b);
}

static void test_broken_payload_is_concealed(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 20);
    b.fail_next = true;
    run_frames(&b, 20, 60);
    assert_int_equal(b.conceals, 1);
    assert_int_equal(stats(&b)->concealed_samples, FRAME);
    assert_int_equal(stats(&b)->silent_samples < 2 * FRAME, 1);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* The network stands still for 60 ms and then delivers: nothing is lost, the delay comes back. */
static void test_stall_is_waited_for(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 200);
    for (int i = 0; i < 6; i++) {
        b.now += 10 * TDM_MS;
        pull(&b, FRAME);
        if (b.block[0]) /* The gap begins within this block. */
            assert_true(fabs(b.block[0] - (double)b.out.captured * 1e-6) <= 1);
    }
    for (int64_t seq = 200; seq < 206; seq++)
        send(&b, seq);
    uint32_t decodes = b.decodes;
    run_frames(&b, 206, 1500);
    assert_in_range(b.decodes - decodes, 1298, 1300);
    assert_true(b.in_order);
    assert_in_range(stats(&b)->concealed_samples, 1, 6 * FRAME + 240);
    assert_true(stats(&b)->delay < 20 * TDM_MS);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* A packet is lost while nothing else waits: what was concealed while waiting counts for it. */
static void test_loss_at_the_edge_costs_one_frame(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 300);
    tdm_time age = b.now - b.out.captured;
    for (int i = 0; i < 2; i++) { /* 300 and 301 are lost. */
        b.now += 10 * TDM_MS;
        pull(&b, FRAME);
    }
    run_frames(&b, 302, 306);
    assert_in_range(stats(&b)->concealed_samples, FRAME, 2 * FRAME + 240);
    assert_true(b.now - b.out.captured < age + 8 * TDM_MS);
    assert_int_equal(stats(&b)->conceal_events, 1);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* The path becomes 50 ms faster: the delay that it needed goes within seconds, unheard. */
static void test_faster_path_is_followed(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    b.now = 50 * TDM_MS;
    run_frames(&b, 0, 2000);
    for (int64_t seq = 2000; seq < 2005; seq++)
        send(&b, seq);
    run_frames(&b, 2005, 2600);
    assert_true(b.now - b.out.captured < 25 * TDM_MS);
    assert_int_equal(stats(&b)->concealed_samples, 0);
    assert_int_equal(stats(&b)->dropped_packets, 0);
    bench_free(&b);
}

/* A sender that pauses (and says so by time stamps alone) is silence, then it goes on at once. */
static void test_pause_is_silent(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 100);
    for (int i = 0; i < 1000; i++) {
        b.now += 10 * TDM_MS;
        pull(&b, FRAME);
        if (i > 20)
            assert_true(b.out.silent);
    }
    assert_true(stats(&b)->concealed_samples <= 48 * 130);
    uint64_t silent = stats(&b)->silent_samples;
    for (int64_t k = 0; k < 100; k++) {
        b.now += 9 * TDM_MS;
        send_at(&b, 100 + k, (1100 + k) * 10);
        b.now += TDM_MS;
        int16_t last = b.block[FRAME - 1];
        pull(&b, FRAME);
        for (int i = 0; i < FRAME; last = b.block[i++]) /* Comes in without a click. */
            assert_true(abs(b.block[i] - last) < 100);
    }
    assert_true(stats(&b)->silent_samples - silent < 2 * FRAME);
    assert_true(stats(&b)->delay < 15 * TDM_MS);
    assert_int_equal(stats(&b)->late_packets + stats(&b)->dropped_packets, 0);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* A sender that says it falls silent (an Opus packet of a byte or two) is believed: no concealment
 * while it is away. */
static void test_announced_silence(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 100);
    uint64_t concealed = stats(&b)->concealed_samples;
    b.size = 1;
    run_frames(&b, 100, 101);
    for (int i = 0; i < 39; i++) {
        b.now += 10 * TDM_MS;
        pull(&b, FRAME);
    }
    assert_true(b.out.silent);
    b.size = sizeof(int64_t);
    for (int64_t k = 0; k < 50; k++) {
        b.now += 9 * TDM_MS;
        send_at(&b, 101 + k, (140 + k) * 10);
        b.now += TDM_MS;
        pull(&b, FRAME);
    }
    assert_int_equal(stats(&b)->concealed_samples, concealed);
    assert_false(b.out.silent);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* A device that takes 40 ms at once, and one that calls up to 3 ms late. */
static void test_uneven_pulls(void **state)
{
    struct bench b = bench_of(48000), c = bench_of(48000);
    struct tdm_rng rng = tdm_rng_of(12);
    uint64_t concealed = 0;

    (void)state;
    for (int64_t seq = 0; seq < 2000; seq++) {
        b.now += 10 * TDM_MS;
        send(&b, seq);
        for (int i = 0; seq % 4 == 3 && i < 4; i++)
            pull(&b, FRAME);
        if (seq == 100)
            concealed = stats(&b)->concealed_samples;
    }
    assert_int_equal(stats(&b)->concealed_samples, concealed);
    assert_true(b.now - b.out.captured < 75 * TDM_MS);

    for (int64_t seq = 0; seq < 2000; seq++) {
        c.now = (10 * seq + 5) * TDM_MS;
        send(&c, seq);
        c.now += TDM_MS + (tdm_time)tdm_rng_below(&rng, 3000) * TDM_US;
        pull(&c, FRAME);
        if (seq == 100)
            concealed = stats(&c)->concealed_samples;
    }
    assert_int_equal(stats(&c)->concealed_samples, concealed);
    assert_true(fabs(stats(&c)->drift_ppm) < 20);
    assert_true(c.now - c.out.captured < 30 * TDM_MS);
    bench_free(&b);
    bench_free(&c);
}

/* Another RTP origin (new SSRC, or a peer that restarted): one packet is spent on believing it. */
static void test_restart_is_followed(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    run_frames(&b, 0, 100);
    for (int64_t k = 0; k < 50; k++) {
        b.now += 9 * TDM_MS;
        send_at(&b, 500000 + k, 90000000 + k * 10);
        b.now += TDM_MS;
        pull(&b, FRAME);
    }
    assert_int_equal(stats(&b)->dropped_packets, 1);
    assert_false(b.out.silent || b.out.concealed);
    assert_true(stats(&b)->delay < 17 * TDM_MS);
    send_at(&b, 3, 7); /* One stray packet changes nothing. */
    for (int64_t k = 50; k < 100; k++) {
        b.now += 9 * TDM_MS;
        send_at(&b, 500000 + k, 90000000 + k * 10);
        b.now += TDM_MS;
        pull(&b, FRAME);
        assert_false(b.out.silent || b.out.concealed);
    }
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

/* Packets come for a second before the device starts, and later the device sleeps for two: each
 * time what is heard is fresh. */
static void test_device_that_starts_late_or_stalls(void **state)
{
    struct bench b = bench_of(48000);

    (void)state;
    for (int64_t seq = 0; seq < 100; seq++) {
        b.now += 10 * TDM_MS;
        send(&b, seq);
    }
    run_frames(&b, 100, 150);
    assert_true((b.now - b.out.captured) < 40 * TDM_MS);
    for (int64_t seq = 150; seq < 350; seq++) {
        b.now += 10 * TDM_MS;
        send(&b, seq);
    }
    run_frames(&b, 350, 500);
    assert_true((b.now - b.out.captured) < 40 * TDM_MS);
    assert_true(b.in_order);
    check_account(stats(&b), b.pulled);
    bench_free(&b);
}

static void test_g711_clock(void **state)
{
    struct bench b = bench_of(8000);

    (void)state;
    run_frames(&b, 0, 300);
    assert_in_range(b.decodes, 298, 300);
    assert_int_equal(b.conceals, 0);
    assert_true(fabs((double)b.block[0] - (double)b.out.captured * 1e-6) <= 1);
    bench_free(&b);
}

/* The first packet is heard at once: with its own pull, or the next. */
static void test_starts_at_once(void **state)
{
    struct bench b = bench_of(48000);
    int pulls = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        b.now += 10 * TDM_MS;
        pull(&b, FRAME);
        assert_true(b.out.silent && b.out.captured == TDM_NEVER);
    }
    for (int64_t seq = 0; seq < 3; seq++, pulls++) {
        run_frames(&b, seq, seq + 1);
        if (!b.out.silent)
            break;
    }
    assert_true(pulls <= 1);
    bench_free(&b);
}

static void test_oversized_is_refused(void **state)
{
    struct bench b = bench_of(48000);
    static const uint8_t big[TDM_PLAYOUT_PAYLOAD_MAX + 1];
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};
    struct tdm_playout_out out;

    (void)state;
    in.packet = (struct tdm_playout_packet){.size = sizeof big, .payload = big, .samples = 480};
    tdm_playout_step(b.p, 0, &in, &out);
    in.packet.size = 1;
    in.packet.samples = TDM_PLAYOUT_FRAME_MAX + 1;
    tdm_playout_step(b.p, 0, &in, &out);
    assert_int_equal(stats(&b)->dropped_packets, 2);
    assert_int_equal(stats(&b)->packets, 0);
    bench_free(&b);
}

/* Goals of docs/playout.md on the rig's own draws: A1, A2, A5 with packets of 10 ms, and the two of
 * A6 at once. The path moves by up to 40 ms here and by 32 in A5: packets of 20 ms have 87.8 ms
 * and 0.024 %, and their bound is a little above. A7 is not met here (47.3 ms, 0.67 %) and not
 * asked for. A change that loses a goal must say so there. */
static void test_networks_stay_within_their_table(void **state)
{
    static const struct {
        enum rig_net net;
        uint32_t packet;
        double delay_ms, conceal_percent;
    } rows[] = {
        {RIG_LAN, 960, 8, 0},       {RIG_ACCESS, 960, 16, 0.02}, {RIG_GAUSS, 480, 85, 0.05},
        {RIG_GAUSS, 960, 90, 0.05}, {RIG_WIFI, 960, 40, 0.15},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double delay = 0, conceal = 0;

        for (uint64_t seed = 1; seed <= 4; seed++) {
            struct rig_config c = {.net = rows[i].net,
                                   .seed = seed,
                                   .seconds = 300,
                                   .packet_samples = rows[i].packet,
                                   .pull_samples = 128,
                                   .warm_up_s = 2};
            struct rig_result r = rig_run(&c, NULL, NULL);

            delay += r.delay_ms / 4;
            conceal += r.conceal_percent / 4;
        }
        if (delay > rows[i].delay_ms || conceal > rows[i].conceal_percent)
            fail_msg("row %zu: %.1f ms, %.3f %%", i, delay, conceal);
    }
}

/* The same seed gives the same numbers. */
static void test_repeats(void **state)
{
    struct rig_config c = {.net = RIG_WIFI,
                           .seed = 3,
                           .seconds = 60,
                           .packet_samples = 960,
                           .pull_samples = 128,
                           .loss = 0.01};
    struct rig_result a = rig_run(&c, NULL, NULL), b = rig_run(&c, NULL, NULL);

    (void)state;
    assert_memory_equal(&a.stats, &b.stats, sizeof a.stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts_for_every_sample),
        cmocka_unit_test(test_lan_plays_without_a_gap),
        cmocka_unit_test(test_drift_is_resampled),
        cmocka_unit_test(test_captured_is_what_is_heard),
        cmocka_unit_test(test_sine_without_clicks),
        cmocka_unit_test(test_reorder_duplicate_and_late),
        cmocka_unit_test(test_lost_packet_is_concealed_once),
        cmocka_unit_test(test_late_part_of_a_gap_is_used),
        cmocka_unit_test(test_broken_payload_is_concealed),
        cmocka_unit_test(test_stall_is_waited_for),
        cmocka_unit_test(test_loss_at_the_edge_costs_one_frame),
        cmocka_unit_test(test_faster_path_is_followed),
        cmocka_unit_test(test_pause_is_silent),
        cmocka_unit_test(test_announced_silence),
        cmocka_unit_test(test_uneven_pulls),
        cmocka_unit_test(test_restart_is_followed),
        cmocka_unit_test(test_device_that_starts_late_or_stalls),
        cmocka_unit_test(test_g711_clock),
        cmocka_unit_test(test_starts_at_once),
        cmocka_unit_test(test_oversized_is_refused),
        cmocka_unit_test(test_networks_stay_within_their_table),
        cmocka_unit_test(test_repeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

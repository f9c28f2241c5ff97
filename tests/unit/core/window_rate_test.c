/* SPDX-License-Identifier: MIT */
#include "engine/core/window_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* How it does over networks: tests/sim/rate_test.c. Here is what it must do whatever the network.
 */

#define FRAME_EVERY (TDM_S / 30)
#define WAY         (20 * TDM_MS)

static struct tdm_window_rate rate;
static struct tdm_congestion_out out;

static void step(tdm_time now, struct tdm_congestion_in in)
{
    tdm_window_rate_step(&rate, now, &in, &out);
}

static void start(uint64_t start_bps, uint64_t limit_bps)
{
    out = (struct tdm_congestion_out){0};
    tdm_window_rate_init(&rate, 0, start_bps, limit_bps, NULL);
}

/* One frame over a way of `bps` that holds no more than it; returns when all is told. */
static void frame(tdm_time now, double bps, tdm_time clock)
{
    struct tdm_ack acks[64];
    uint32_t count = 0;
    tdm_time sent = now, came = now;

    step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
    for (uint32_t left = out.frame_bytes; left && count < 64; count++) {
        uint32_t bytes = left < 1200 ? left : 1200;
        tdm_time takes = (tdm_time)(bytes * 8e9 / bps);

        step(sent, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = bytes});
        came = (came > sent ? came : sent) + takes;
        acks[count] = (struct tdm_ack){.sent = sent, .arrival = came + WAY + clock, .bytes = bytes};
        sent += (tdm_time)(bytes * 8e9 / (double)out.pace_bps);
        left -= bytes;
    }
    step(came + 2 * WAY,
         (struct tdm_congestion_in){.kind = TDM_CONGESTION_ACKS, .acks = acks, .ack_count = count});
}

static void test_finds_the_capacity(void **state)
{
    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 300; i++)
        frame(i * FRAME_EVERY * 2, 4e6, 5000 * TDM_S);
    assert_true(rate.capacity_bps > 3.8e6 && rate.capacity_bps < 4.2e6);
    assert_int_equal(rate.inflight, 0);
}

static void test_keeps_the_limit(void **state)
{
    (void)state;
    start(1000000, 1500000);
    for (int i = 0; i < 300; i++) {
        frame(i * FRAME_EVERY * 2, 100e6, 0);
        assert_true(out.frame_bytes <= 1500000 / 8 / 30 + 1);
    }
    assert_true(out.frame_bytes > 1400000 / 8 / 30);
}

/* Without any feedback it neither floods nor falls silent. */
static void test_silence(void **state)
{
    uint64_t bytes = 0;

    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 100; i++)
        frame(i * FRAME_EVERY * 2, 4e6, 0);
    for (int i = 0; i < 300; i++) { /* Ten seconds. */
        tdm_time now = 7 * TDM_S + i * FRAME_EVERY;

        step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        bytes += out.frame_bytes;
        if (out.frame_bytes)
            step(now,
                 (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = out.frame_bytes});
    }
    assert_true(bytes > 2000 && bytes < 400000);
}

static void test_lies(void **state)
{
    const struct tdm_ack lies[] = {
        {.sent = TDM_S, .arrival = INT64_MAX - 1, .bytes = 1200},
        {.sent = TDM_S, .arrival = INT64_MIN, .bytes = 1200},
        {.sent = 3600 * TDM_S, .arrival = TDM_S, .bytes = 1200},
        {.sent = TDM_S, .arrival = TDM_NEVER, .bytes = 1200},
        {.sent = TDM_S, .arrival = 2 * TDM_S, .bytes = UINT32_MAX},
    };

    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 100; i++)
        step(2 * TDM_S,
             (struct tdm_congestion_in){.kind = TDM_CONGESTION_ACKS, .acks = lies, .ack_count = 5});
    assert_int_equal(rate.inflight, 0); /* Nothing was sent. */
    step(2 * TDM_S, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
    assert_true(out.frame_bytes >= 200 && out.frame_bytes < 20000000 / 8 / 30);
}

/* The next probe leaves when the one before it was told of, not at some later time. */
static void test_probes_follow_each_other(void **state)
{
    struct tdm_ack acks[8];
    tdm_time gap, probed = 0;

    (void)state;
    start(300000, 20000000);
    step(0, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
    assert_true(out.probe_bytes >= 8 * 1200);
    gap = (tdm_time)(1200 * 8e9 / (double)out.probe_bps);
    for (int i = 0; i < 8; i++) {
        step(i * gap, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = 1200});
        acks[i] = (struct tdm_ack){.sent = i * gap, .arrival = i * gap + WAY, .bytes = 1200};
    }
    step(7 * gap + 2 * WAY,
         (struct tdm_congestion_in){.kind = TDM_CONGESTION_ACKS, .acks = acks, .ack_count = 8});
    assert_true(rate.capacity_bps > 2e6); /* As fast as it was sent. */
    for (tdm_time now = 7 * gap + 2 * WAY; !probed && now < TDM_S; now += TDM_MS) {
        step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        probed = out.probe_bytes ? now : 0;
    }
    assert_true(probed && probed < 8 * gap + 2 * WAY + 30 * TDM_MS);
}

/* Packets that come one by one, each longer on its way than the shortest but long after the one
 * before it, say nothing of the capacity. */
static void test_a_rest_is_no_service(void **state)
{
    double before;

    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 300; i++)
        frame(i * FRAME_EVERY * 2, 4e6, 0);
    before = rate.capacity_bps;
    for (int i = 0; i < 100; i++) {
        tdm_time sent = 21 * TDM_S + i * 10 * TDM_MS;
        const struct tdm_ack ack = {.sent = sent, .arrival = sent + WAY + 8 * TDM_MS, .bytes = 100};

        step(sent, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = 100});
        step(sent + 2 * WAY,
             (struct tdm_congestion_in){.kind = TDM_CONGESTION_ACKS, .acks = &ack, .ack_count = 1});
    }
    assert_true(rate.capacity_bps > 0.9 * before);
}

/* What waits on the way back is no queue of ours: frames go on. */
static void test_late_feedback_is_no_queue(void **state)
{
    uint32_t coded = 0;

    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 300; i++)
        frame(i * FRAME_EVERY, 4e6, 0);
    for (int i = 0; i < 100; i++) { /* Told 250 ms later than before, every 33 ms. */
        tdm_time now = 12 * TDM_S + i * FRAME_EVERY, told = now - 250 * TDM_MS;
        const struct tdm_ack ack = {
            .sent = told, .arrival = told + WAY + 2 * TDM_MS, .bytes = 1200};

        if (i >= 8)
            step(now, (struct tdm_congestion_in){
                          .kind = TDM_CONGESTION_ACKS, .acks = &ack, .ack_count = 1});
        step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        coded += i >= 50 && out.frame_bytes > 0;
        step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = 1200});
    }
    assert_true(coded >= 45);
}

/* Where nothing passes any longer no frame is coded, before the queue that it must be is long. */
static void test_an_outage_is_seen(void **state)
{
    tdm_time now = 300 * FRAME_EVERY;

    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 300; i++)
        frame(i * FRAME_EVERY, 4e6, 0);
    for (int i = 0; i < 3; i++) { /* The third is behind a round trip and what may be late. */
        step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        assert_true((out.frame_bytes > 0) == (i < 2));
        if (out.frame_bytes)
            step(now, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = 1200});
        now += 2 * FRAME_EVERY;
    }
}

/* A repair that is lost is told of by the next one alone. While nothing more leaves, a packet that
 * left before it and came again says that the way is open: a second of silence it was. */
static void test_a_last_one_that_is_lost_holds_nothing_up(void **state)
{
    const tdm_time at = 7 * TDM_S;
    const struct tdm_ack again = {
        .sent = at - TDM_MS, .arrival = at + 150 * TDM_MS + WAY, .bytes = 1200, .again = true};

    (void)state;
    start(1000000, 20000000);
    for (int i = 0; i < 100; i++)
        frame(i * FRAME_EVERY * 2, 4e6, 0);
    step(at, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = 1200});
    step(at + 180 * TDM_MS, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
    assert_int_equal(out.frame_bytes, 0);
    step(at + 150 * TDM_MS + 2 * WAY,
         (struct tdm_congestion_in){.kind = TDM_CONGESTION_ACKS, .acks = &again, .ack_count = 1});
    step(at + 200 * TDM_MS, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
    assert_true(out.frame_bytes > 0);
}

/* Nothing is told for 40 ms longer than it takes: a stall, or a row of losses where there are such.
 */
static void test_a_way_that_loses_is_not_taken_to_stand(void **state)
{
    const tdm_time at = 7 * TDM_S;

    (void)state;
    for (int lossy = 0; lossy < 2; lossy++) {
        start(1000000, 20000000);
        for (int i = 0; i < 100; i++)
            frame(i * FRAME_EVERY * 2, 4e6, 0);
        rate.inherent = lossy ? 0.05 : 0;
        step(at, (struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = 1200});
        tdm_time told = 2 * WAY + rate.tell_every * 3 / 2;

        step(at + told + 40 * TDM_MS, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        assert_int_equal(out.frame_bytes > 0, lossy);
        step(at + told + 110 * TDM_MS, (struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME});
        assert_int_equal(out.frame_bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_capacity),
        cmocka_unit_test(test_keeps_the_limit),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_probes_follow_each_other),
        cmocka_unit_test(test_a_rest_is_no_service),
        cmocka_unit_test(test_late_feedback_is_no_queue),
        cmocka_unit_test(test_an_outage_is_seen),
        cmocka_unit_test(test_a_last_one_that_is_lost_holds_nothing_up),
        cmocka_unit_test(test_a_way_that_loses_is_not_taken_to_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

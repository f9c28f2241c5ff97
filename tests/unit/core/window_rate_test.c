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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_capacity),
        cmocka_unit_test(test_keeps_the_limit),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "sim/jitter_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define COUNT 3000
#define FRAME (20 * TDM_MS)

static struct tdm_jitter_packet a[COUNT], b[COUNT];

/* The same seed draws the same; a queue keeps the order; each kind has the spread it is meant to.
 */
static void test_draws(void **state)
{
    static const double spread_ms[TDM_JITTER_KINDS][2] = {
        {1, 4}, {8, 16}, {60, 110}, {60, 260}, {100, 410}, {60, 260}, {100, 410}};

    (void)state;
    for (int kind = 0; kind < TDM_JITTER_KINDS; kind++) {
        tdm_jitter_draw((enum tdm_jitter_kind)kind, 7, FRAME, a, COUNT);
        tdm_jitter_draw((enum tdm_jitter_kind)kind, 7, FRAME, b, COUNT);
        tdm_time least = tdm_jitter_least(a, COUNT), most = 0;

        for (uint32_t i = 0; i < COUNT; i++) {
            assert_true(a[i].arrival == b[i].arrival && a[i].seq == i && !a[i].lost);
            assert_true(a[i].sent == (tdm_time)i * FRAME && a[i].arrival > a[i].sent);
            assert_true(i == 0 || a[i].arrival >= a[i - 1].arrival);
            most = tdm_time_max(most, a[i].arrival - a[i].sent);
        }
        assert_true((double)(most - least) > spread_ms[kind][0] * 1e6);
        assert_true((double)(most - least) < spread_ms[kind][1] * 1e6);
    }
}

static void test_loses_in_bursts(void **state)
{
    (void)state;
    for (int burst = 1; burst <= 3; burst += 2) {
        uint32_t lost = 0, runs = 0;

        tdm_jitter_draw(TDM_JITTER_LAN, 1, FRAME, a, COUNT);
        tdm_jitter_lose(&(struct tdm_jitter_loss){.share = 0.1, .burst = burst}, 5, a, COUNT);
        for (uint32_t i = 1; i < COUNT; i++) {
            lost += a[i].lost;
            runs += a[i].lost && !a[i - 1].lost;
        }
        assert_in_range(lost, COUNT / 14, COUNT / 7);
        assert_true((double)lost / runs > 0.8 * burst && (double)lost / runs < 1.3 * burst);
    }
    tdm_jitter_sort(a, COUNT);
    assert_true(!a[0].lost && a[COUNT - 1].lost);
}

/* 1500 bytes every 10 ms are 1.2 Mb/s; video of 60 % leaves the voice little to wait for, and an
 * outage of a second is what it waits then. */
static void test_behind_video(void **state)
{
    static uint32_t link[1000];
    uint32_t count = 0;

    (void)state;
    for (uint32_t ms = 10; ms <= 10000; ms += 10)
        if (ms <= 5000 || ms > 6000)
            link[count++] = ms;
    tdm_jitter_behind(link, count, 0.6, FRAME, a, 450);
    assert_true(a[100].arrival - a[100].sent < 60 * TDM_MS);
    assert_true(a[252].arrival - a[252].sent > 900 * TDM_MS);
    assert_true(a[445].arrival - a[445].sent < 100 * TDM_MS);
}

/* A recording of four packets of 20 ms at 8 kHz, the third of them missing. */
static void test_reads_a_recording(void **state)
{
    uint8_t file[200] = "#!rtpplay1.0 0.0.0.0/0\n";
    size_t at = strlen((char *)file) + 16;
    static const struct {
        uint8_t ms, seq;
        uint16_t ticks;
    } records[] = {{5, 254, 1000}, {22, 255, 1160}, {71, 1, 1480}};
    uint32_t count;
    tdm_time frame;

    (void)state;
    for (int i = 0; i < 3; i++) {
        uint8_t *p = file + at;

        p[1] = 8 + 13; /* Length with its head, */
        p[3] = 13;     /* and of the packet. */
        p[7] = records[i].ms;
        p[8] = 0x80;
        p[10] = records[i].seq == 1 ? 1 : 0;
        p[11] = records[i].seq;
        p[14] = (uint8_t)(records[i].ticks >> 8);
        p[15] = (uint8_t)records[i].ticks;
        at += 21;
    }
    assert_int_equal(tdm_jitter_read(file, at, a, COUNT, &count, &frame), TDM_OK);
    assert_int_equal(count, 4);
    assert_int_equal(frame, 20 * TDM_MS);
    assert_true(!a[0].lost && !a[1].lost && a[2].lost && !a[3].lost);
    assert_int_equal(a[1].arrival, 22 * TDM_MS);
    assert_int_equal(a[3].sent, 60 * TDM_MS);
    assert_int_equal(tdm_jitter_read(file, at, a, 3, &count, &frame), TDM_E_SPACE);
    assert_int_equal(tdm_jitter_read(file, at - 42, a, COUNT, &count, &frame), TDM_E_MALFORMED);
    file[0] = 'x';
    assert_int_equal(tdm_jitter_read(file, at, a, COUNT, &count, &frame), TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_loses_in_bursts),
        cmocka_unit_test(test_behind_video),
        cmocka_unit_test(test_reads_a_recording),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

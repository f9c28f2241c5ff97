/* SPDX-License-Identifier: MIT */
#include "engine/core/rx_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

struct packet {
    uint16_t seq;
    uint32_t timestamp;
    tdm_time arrival;
};

static enum tdm_rx_verdict feed(struct tdm_rx_stats *s, const struct packet *p, uint32_t hz,
                                int64_t *seq, int64_t *rtp_time)
{
    return tdm_rx_stats_packet(s, p->arrival, p->seq, p->timestamp, hz, 100, seq, rtp_time);
}

/* RFC 3550 A.8 as it stands there, in integers of the RTP clock, beside ours in seconds. */
static void test_jitter_is_that_of_a8(void **state)
{
    static const int late_units[] = {0, 13, 0, 200, 5, 5, 80, 0, 900, 3, 40, 40, 0, 160, 7};
    struct tdm_rx_stats s;
    int64_t seq;
    int64_t rtp_time;
    double jitter = 0;
    int32_t transit = 0;

    (void)state;
    tdm_rx_stats_init(&s);
    for (uint32_t i = 0; i < 15; i++) {
        uint32_t timestamp = 0xffffff00u + i * 160; /* Wraps on the way. */
        uint32_t arrival_units = 5000 + i * 160 + (uint32_t)late_units[i];
        int32_t transit_now = (int32_t)(arrival_units - timestamp);

        if (i)
            jitter += (fabs((double)(transit_now - transit)) - jitter) / 16;
        transit = transit_now;
        feed(&s, &(struct packet){(uint16_t)i, timestamp, tdm_time_of_units(arrival_units, 8000)},
             8000, &seq, &rtp_time);
    }
    assert_true(fabs(s.jitter_s * 8000 - jitter) < 0.01);
    assert_true(jitter > 40);

    struct tdm_rtcp_report report;

    tdm_rx_stats_report(&s, 8000, &report);
    assert_int_equal(report.jitter, (uint32_t)jitter);
}

/* Packets of another clock, or of none, between regular ones are no jitter. */
static void test_jitter_across_clocks(void **state)
{
    struct tdm_rx_stats s;
    int64_t seq;
    int64_t rtp_time;
    uint16_t next = 7;
    tdm_time t = 50000 * TDM_S;

    (void)state;
    tdm_rx_stats_init(&s);
    /* A telephone event comes first of all. */
    feed(&s, &(struct packet){next++, 400000000, t}, 0, &seq, &rtp_time);
    for (uint32_t i = 0; i < 50; i++, t += 20 * TDM_MS)
        feed(&s, &(struct packet){next++, 400000000 + i * 960, t}, 48000, &seq, &rtp_time);
    assert_true(s.jitter_s < 1e-6);
    for (uint32_t i = 0; i < 50; i++, t += 20 * TDM_MS)
        feed(&s, &(struct packet){next++, 400060000 + i * 160, t}, 8000, &seq, &rtp_time);
    assert_true(s.jitter_s < 1e-6);
}

static void test_extension_over_wraps(void **state)
{
    struct tdm_rx_stats s;
    int64_t seq;
    int64_t rtp_time;
    int64_t first_seq = 0;
    int64_t first_time = 0;
    struct tdm_rtcp_report report;

    (void)state;
    tdm_rx_stats_init(&s);
    for (int64_t i = 0; i < 200000; i++) { /* Three times round. */
        struct packet p = {(uint16_t)(65000 + i), (uint32_t)(4294000000 + i * 90000), i * TDM_S};

        assert_int_equal(feed(&s, &p, 90000, &seq, &rtp_time), i ? TDM_RX_OK : TDM_RX_RESTARTED);
        if (!i) {
            first_seq = seq;
            first_time = rtp_time;
        }
        assert_int_equal(seq - first_seq, i);
        assert_int_equal(rtp_time - first_time, i * 90000);
    }
    tdm_rx_stats_report(&s, 90000, &report);
    assert_int_equal(report.highest_seq, 65000 + 199999);
    assert_int_equal(report.cumulative_lost, 0);
    assert_int_equal(tdm_rx_stats_lost(&s), 0);
    /* An older one lies behind. */
    feed(&s, &(struct packet){(uint16_t)(65000 + 199990), 0, 0}, 0, &seq, &rtp_time);
    assert_int_equal(seq - first_seq, 199990);
    assert_int_equal(tdm_rx_stats_lost(&s), -1);
}

static void test_fraction_lost(void **state)
{
    static const struct {
        int every, of; /* Lost: `every` of `of` packets. */
        int fraction;
    } rows[] = {{0, 8, 0}, {1, 4, 64}, {1, 2, 128}, {2, 4, 128}, {3, 4, 192}, {1, 8, 32}};

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct tdm_rx_stats s;
        struct tdm_rtcp_report report;
        int64_t seq;
        int64_t rtp_time;
        int lost = 0;

        tdm_rx_stats_init(&s);
        for (int i = 0; i <= 400; i++) { /* Ends on a received one, so that loss shows. */
            if (i % rows[row].of < rows[row].every && i < 400) {
                lost += i > 0;
                continue;
            }
            if (i == 0 || i == rows[row].every) { /* Start of the sequence, then of the interval. */
                feed(&s, &(struct packet){(uint16_t)i, 0, 0}, 0, &seq, &rtp_time);
                tdm_rx_stats_report(&s, 8000, &report);
                lost = 0;
                continue;
            }
            feed(&s, &(struct packet){(uint16_t)i, 0, 0}, 0, &seq, &rtp_time);
        }
        tdm_rx_stats_report(&s, 8000, &report);
        assert_true(abs((int)report.fraction_lost - rows[row].fraction) <= 1);
        assert_int_equal(report.cumulative_lost, lost);
        /* Nothing new: nothing lost. */
        tdm_rx_stats_report(&s, 8000, &report);
        assert_int_equal(report.fraction_lost, 0);
    }
}

/* Nearly all lost must not come round to none. */
static void test_fraction_saturates(void **state)
{
    struct tdm_rx_stats s;
    struct tdm_rtcp_report report;
    int64_t seq;
    int64_t rtp_time;

    (void)state;
    tdm_rx_stats_init(&s);
    feed(&s, &(struct packet){0, 0, 0}, 0, &seq, &rtp_time);
    tdm_rx_stats_report(&s, 8000, &report);
    feed(&s, &(struct packet){2999, 0, 0}, 0, &seq, &rtp_time);
    tdm_rx_stats_report(&s, 8000, &report);
    assert_int_equal(report.fraction_lost, 255);
}

static void test_jumps(void **state)
{
    static const struct {
        const char *what;
        uint16_t seqs[4];
        enum tdm_rx_verdict verdicts[4];
    } rows[] = {
        {"a stray packet", {10, 40000, 11, 12}, {TDM_RX_RESTARTED, TDM_RX_REFUSED, 0, 0}},
        {"a new sequence",
         {10, 40000, 40001, 40002},
         {TDM_RX_RESTARTED, TDM_RX_REFUSED, TDM_RX_RESTARTED, TDM_RX_OK}},
        {"two strays that do not follow each other",
         {10, 40000, 40007, 11},
         {TDM_RX_RESTARTED, TDM_RX_REFUSED, TDM_RX_REFUSED, TDM_RX_OK}},
        {"a good packet between", {10, 40000, 11, 40001}, {TDM_RX_RESTARTED, 1, 0, 1}},
        {"a long gap within bounds",
         {10, 3010, 3011, 11},
         {TDM_RX_RESTARTED, 0, 0, TDM_RX_REFUSED}},
        {"late, within bounds", {5000, 4000, 5001, 5002}, {TDM_RX_RESTARTED, 0, 0, 0}},
        {"later than that", {5000, 3999, 5001, 4000}, {TDM_RX_RESTARTED, 1, 0, 1}},
        {"late over the wrap", {3, 65533, 4, 5}, {TDM_RX_RESTARTED, 0, 0, 0}},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct tdm_rx_stats s;
        int64_t seq;
        int64_t rtp_time;

        tdm_rx_stats_init(&s);
        for (int i = 0; i < 4; i++) {
            enum tdm_rx_verdict got =
                feed(&s, &(struct packet){rows[row].seqs[i], 0, 0}, 8000, &seq, &rtp_time);

            if (got != rows[row].verdicts[i])
                fail_msg("%s: packet %d gives %d", rows[row].what, i, got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jitter_is_that_of_a8), cmocka_unit_test(test_jitter_across_clocks),
        cmocka_unit_test(test_extension_over_wraps), cmocka_unit_test(test_fraction_lost),
        cmocka_unit_test(test_fraction_saturates),   cmocka_unit_test(test_jumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t report(struct tdm_rate *r, tdm_time now, uint8_t lost, tdm_time rtt)
{
    struct tdm_rate_out out;

    tdm_rate_step(r, now,
                  &(struct tdm_rate_in){.kind = TDM_RATE_REPORT, .fraction_lost = lost, .rtt = rtt},
                  &out);
    return out.target_bps;
}

static uint64_t set(struct tdm_rate *r, tdm_time now, enum tdm_rate_in_kind kind, uint64_t bps)
{
    struct tdm_rate_out out;

    tdm_rate_step(r, now, &(struct tdm_rate_in){.kind = kind, .bps = bps}, &out);
    return out.target_bps;
}

/* Ten seconds of equal reports, each half second, from 1 Mb/s of at most 4. */
static void test_ten_seconds(void **state)
{
    static const struct {
        const char *what;
        uint8_t lost;
        tdm_time rtt, rtt_first;
        uint64_t least_bps, most_bps;
    } rows[] = {
        {"clean grows 15 % a second", 0, 40 * TDM_MS, 40 * TDM_MS, 3900000, 4000000},
        {"2 % still grows", 5, 40 * TDM_MS, 40 * TDM_MS, 3900000, 4000000},
        {"5 % holds", 13, 40 * TDM_MS, 40 * TDM_MS, 1000000, 1000000},
        {"20 % falls", 51, 40 * TDM_MS, 40 * TDM_MS, 64000, 150000},
        {"all lost ends at the floor", 255, 40 * TDM_MS, 40 * TDM_MS, 64000, 64000},
        {"a standing queue falls", 0, 200 * TDM_MS, 40 * TDM_MS, 64000, 80000},
        {"a short queue does not", 0, 150 * TDM_MS, 40 * TDM_MS, 3900000, 4000000},
        {"no round trip known", 0, 0, 0, 3900000, 4000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tdm_rate r;
        uint64_t bps = 0;

        tdm_rate_init(&r, 0, 1000000);
        set(&r, 0, TDM_RATE_LIMIT, 4000000);
        report(&r, 0, 10, rows[i].rtt_first);
        for (tdm_time now = TDM_S / 2; now <= 10 * TDM_S; now += TDM_S / 2)
            bps = report(&r, now, rows[i].lost, rows[i].rtt);
        if (bps < rows[i].least_bps || bps > rows[i].most_bps)
            fail_msg("%s: %llu", rows[i].what, (unsigned long long)bps);
    }
}

static void test_limits(void **state)
{
    struct tdm_rate r;

    (void)state;
    tdm_rate_init(&r, 0, 1000000);
    assert_int_equal(set(&r, 0, TDM_RATE_REMB, 300000), 300000);
    assert_int_equal(set(&r, 0, TDM_RATE_LIMIT, 200000), 200000);
    assert_int_equal(set(&r, 0, TDM_RATE_REMB, 0), 64000); /* The floor. */
    set(&r, 0, TDM_RATE_REMB, UINT64_MAX);
    assert_int_equal(set(&r, 0, TDM_RATE_LIMIT, 1000000), 64000); /* Grows, does not jump. */
    for (tdm_time now = 0; now < 60 * TDM_S; now += TDM_S / 2)
        assert_in_range(report(&r, now, 0, 0), 64000, 1000000);
    assert_int_equal(report(&r, 60 * TDM_S, 0, 0), 1000000);
}

/* A burst of reports (NACKs bring one each) cuts once, and grows no faster than by the clock. */
static void test_report_storms(void **state)
{
    struct tdm_rate r;
    uint64_t bps = 0;

    (void)state;
    tdm_rate_init(&r, 0, 1000000);
    for (int i = 0; i < 100; i++)
        bps = report(&r, 2 * TDM_S + i * TDM_MS, 128, 0);
    assert_int_equal(bps, 750000);
    for (int i = 0; i < 1000; i++)
        bps = report(&r, 2100 * TDM_MS + i * TDM_MS, 0, 0);
    assert_in_range(bps, 750000 * 1.14, 750000 * 1.17);
}

static void test_time_backwards(void **state)
{
    struct tdm_rate r;

    (void)state;
    tdm_rate_init(&r, 100 * TDM_S, 1000000);
    set(&r, 100 * TDM_S, TDM_RATE_LIMIT, 2000000);
    assert_int_equal(report(&r, 50 * TDM_S, 0, 0), 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_seconds),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_report_storms),
        cmocka_unit_test(test_time_backwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

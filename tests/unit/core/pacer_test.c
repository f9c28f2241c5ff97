/* SPDX-License-Identifier: MIT */
#include "engine/core/pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Sends for ten seconds of virtual time, waking `late` after each time that the pacer named. */
static double rate_over_10_s(uint64_t target_bps, uint32_t packet_bytes, tdm_time late)
{
    struct tdm_pacer p;
    tdm_time now = 5 * TDM_S;
    tdm_time end = 15 * TDM_S;
    int64_t sent = 0;

    tdm_pacer_init(&p, now);
    tdm_pacer_set(&p, target_bps, 30);
    while (tdm_pacer_when(&p, now) == now) /* The burst that is allowed at once. */
        tdm_pacer_sent(&p, packet_bytes);
    while (now < end) {
        tdm_time when = tdm_pacer_when(&p, now);

        assert_true(when >= now);
        if (when > now) {
            now = when + late;
            continue;
        }
        tdm_pacer_sent(&p, packet_bytes);
        sent += packet_bytes;
    }
    return (double)sent * 8 / 10;
}

static void test_rate_in_virtual_time(void **state)
{
    static const struct {
        uint64_t target_bps;
        uint32_t packet_bytes;
        tdm_time late;
        double expected_bps;
    } rows[] = {
        {2000000, 1200, 0, 5e6},           {2000000, 100, 0, 5e6}, {2000000, 1200, TDM_MS, 5e6},
        {2000000, 1200, 20 * TDM_MS, 5e6}, {100000, 1200, 0, 5e5}, {1000, 1200, 3 * TDM_MS, 5e5},
        {50000000, 1200, TDM_MS, 1.25e8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double bps = rate_over_10_s(rows[i].target_bps, rows[i].packet_bytes, rows[i].late);

        if (bps < rows[i].expected_bps * 0.995 || bps > rows[i].expected_bps * 1.005)
            fail_msg("row %d: %.0f bits a second", (int)i, bps);
    }
}

/* Asked every 10 us, each time for a fraction of a byte, it still fills at its rate. */
static void test_small_refills_add_up(void **state)
{
    struct tdm_pacer p;
    int64_t sent = 0;

    (void)state;
    tdm_pacer_init(&p, 0);
    tdm_pacer_set(&p, 400000, 30); /* 1.25 bytes in each 10 us. */
    while (tdm_pacer_when(&p, 0) == 0)
        tdm_pacer_sent(&p, 100);
    for (tdm_time now = 0; now < 4 * TDM_S; now += 10 * TDM_US)
        if (tdm_pacer_when(&p, now) == now) {
            tdm_pacer_sent(&p, 100);
            sent += 100;
        }
    assert_in_range(sent, 497500, 502500); /* 1 Mb/s. */
}

static void test_burst(void **state)
{
    struct tdm_pacer p;

    (void)state;
    tdm_pacer_init(&p, 0);
    tdm_pacer_set(&p, 30000000, 30); /* A frame has 125000 bytes; two may leave at once. */
    for (tdm_time now = 0; now < 3 * TDM_S; now += TDM_S) {
        int64_t sent = 0;

        now += 100 * TDM_S; /* However long it rested. */
        while (tdm_pacer_when(&p, now) == now) {
            tdm_pacer_sent(&p, 1000);
            sent += 1000;
        }
        assert_in_range(sent, now == 100 * TDM_S ? 24000 : 250000, 251000);
    }
}

static void test_time_backwards(void **state)
{
    struct tdm_pacer p;

    (void)state;
    tdm_pacer_init(&p, 100 * TDM_S);
    tdm_pacer_sent(&p, 60000);
    for (tdm_time now = 100 * TDM_S; now > 90 * TDM_S; now -= TDM_S)
        assert_true(tdm_pacer_when(&p, now) >= now);
    assert_true(tdm_pacer_when(&p, 92 * TDM_S) == 92 * TDM_S); /* It fills from there on. */
    assert_true(tdm_pacer_when(&p, 102 * TDM_S) == 102 * TDM_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_in_virtual_time),
        cmocka_unit_test(test_small_refills_add_up),
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_time_backwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

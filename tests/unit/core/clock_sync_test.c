/* SPDX-License-Identifier: MIT */
#include "engine/core/clock_sync.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#define HOUR (3600 * TDM_S)

/* Two sides; the peer's clocks run at another rate and from another start. */
struct pair {
    struct tdm_clock_sync us;
    struct tdm_clock_sync peer;
    tdm_time peer_ahead; /* The peer's monotonic clock less ours, at 0. */
    double peer_ppm;
};

static tdm_time peer_clock(const struct pair *p, tdm_time t)
{
    return t + p->peer_ahead + (tdm_time)((double)t * p->peer_ppm * 1e-6);
}

static uint32_t middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/* Our report leaves at t; theirs comes back. Ends at the arrival, which is returned. */
static tdm_time exchange(struct pair *p, tdm_time t, tdm_time way_out, tdm_time held,
                         tdm_time way_back)
{
    uint64_t sent = tdm_clock_sync_ntp(&p->us, t);
    tdm_time back = t + way_out + held;
    uint32_t delay =
        (uint32_t)tdm_units_of_time(peer_clock(p, back) - peer_clock(p, t + way_out), 65536);
    uint64_t stamp = tdm_clock_sync_ntp(&p->peer, peer_clock(p, back));

    tdm_clock_sync_report(&p->us, back + way_back, middle(sent), delay, stamp);
    return back + way_back;
}

static struct pair pair_of(tdm_time wall, tdm_time peer_ahead, tdm_time peer_wall, double ppm)
{
    struct pair p = {.peer_ahead = peer_ahead, .peer_ppm = ppm};

    tdm_clock_sync_init(&p.us, wall);
    tdm_clock_sync_init(&p.peer, peer_wall);
    return p;
}

static void test_ntp_is_1900(void **state)
{
    struct tdm_clock_sync c;

    (void)state;
    tdm_clock_sync_init(&c, 1000 * TDM_S); /* The monotonic clock stands at -1000 s of 1970. */
    assert_true(tdm_clock_sync_ntp(&c, -1000 * TDM_S) == UINT64_C(2208988800) << 32);
    assert_true(tdm_clock_sync_ntp(&c, -1000 * TDM_S + TDM_S / 2) ==
                ((UINT64_C(2208988800) << 32) | 0x80000000u));
    assert_true(tdm_ntp_to_ns((UINT64_C(5) << 32) | 0x40000000u) == 5 * TDM_S + TDM_S / 4);
}

static void test_ntp_round_trip(void **state)
{
    struct tdm_clock_sync c;
    struct tdm_rng rng = tdm_rng_of(1);

    (void)state;
    tdm_clock_sync_init(&c, 1700000000 * TDM_S);
    for (int i = 0; i < 10000; i++) {
        tdm_time t = (tdm_time)(tdm_rng_u64(&rng) % (uint64_t)(1000 * HOUR));
        tdm_time back = tdm_ntp_to_ns(tdm_clock_sync_ntp(&c, t));

        assert_in_range(tdm_clock_sync_ntp_ns(&c, t) - back, 0, 1);
    }
}

/* peer_wall: what the peer's wall clock shows beside its monotonic one. */
static void test_offset(void **state)
{
    static const struct {
        const char *what;
        tdm_time peer_ahead, peer_wall, way_out, held, way_back;
        tdm_time expected, error_max;
    } rows[] = {
        {"equal clocks", 0, 0, TDM_MS, 5 * TDM_MS, TDM_MS, 0, 20 * TDM_US},
        {"ahead by hours", 0, 3 * HOUR, TDM_MS, 300 * TDM_MS, TDM_MS, 3 * HOUR, 20 * TDM_US},
        {"behind by hours", 0, -5 * HOUR, TDM_MS, 0, TDM_MS, -5 * HOUR, 20 * TDM_US},
        {"another boot time", 77 * HOUR, -77 * HOUR, 0, 9, 0, 0, 20 * TDM_US},
        {"both", 77 * HOUR, -75 * HOUR, 30 * TDM_MS, 9, 30 * TDM_MS, 2 * HOUR, 20 * TDM_US},
        {"slow out: ahead by half of it", 0, 0, 41 * TDM_MS, TDM_MS, TDM_MS, 20 * TDM_MS, 40000},
        {"slow back: behind by it", 0, 0, TDM_MS, TDM_MS, 41 * TDM_MS, -20 * TDM_MS, 40000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tdm_time wall = 1700000000 * TDM_S;
        struct pair p = pair_of(wall, rows[i].peer_ahead, wall + rows[i].peer_wall, 0);

        assert_true(tdm_clock_sync_local(&p.us, 1) == TDM_NEVER);
        exchange(&p, 12345678901, rows[i].way_out, rows[i].held, rows[i].way_back);
        assert_true(p.us.known);
        if (llabs(p.us.offset - rows[i].expected) > rows[i].error_max)
            fail_msg("%s: offset %lld", rows[i].what, (long long)p.us.offset);
        assert_true(llabs(p.us.rtt - rows[i].way_out - rows[i].way_back) < 40 * TDM_US);
    }
}

/* Queues in one direction only: the exchange that met none of them decides. */
static void test_lopsided_queues(void **state)
{
    struct pair p = pair_of(0, 0, 2 * HOUR, 0);
    struct tdm_rng rng = tdm_rng_of(2);
    tdm_time t = HOUR;

    (void)state;
    for (int i = 0; i < 200; i++, t += TDM_S / 2) {
        tdm_time queue = i % 10 == 3 ? 0 : (tdm_time)tdm_rng_below(&rng, 80000000);

        exchange(&p, t, 10 * TDM_MS + queue, TDM_MS * (i % 7), 10 * TDM_MS);
        if (i > 3)
            assert_true(llabs(p.us.offset - 2 * HOUR) < TDM_MS);
    }
    assert_true(p.us.rtt_min < 21 * TDM_MS);
}

/* 50 ppm apart, a mapped instant of the peer stays right within a millisecond. */
static void test_drift(void **state)
{
    static const double drifts[] = {50, -50, 100};

    (void)state;
    for (int row = 0; row < 3; row++) {
        struct pair p = pair_of(0, -9 * HOUR, 17 * HOUR, drifts[row]);
        struct tdm_rng rng = tdm_rng_of(4);
        tdm_time t = HOUR;

        for (int i = 0; i < 2000; i++, t += TDM_S / 2) {
            t = exchange(&p, t, 5 * TDM_MS + tdm_rng_below(&rng, 1000000), TDM_MS,
                         5 * TDM_MS + tdm_rng_below(&rng, 1000000));
            tdm_time stamped = tdm_clock_sync_ntp_ns(&p.peer, peer_clock(&p, t));

            assert_true(llabs(tdm_clock_sync_local(&p.us, stamped) - t) < TDM_MS);
        }
    }
}

/* A peer that stamps nothing: the round trip is known, the offset is not. */
static void test_no_stamp(void **state)
{
    struct pair p = pair_of(0, 0, 0, 0);
    uint64_t sent = tdm_clock_sync_ntp(&p.us, TDM_S);

    (void)state;
    tdm_clock_sync_report(&p.us, TDM_S + 30 * TDM_MS, middle(sent), 655, 0);
    assert_true(llabs(p.us.rtt - 20 * TDM_MS) < 100 * TDM_US);
    assert_false(p.us.known);
}

static void test_nonsense_is_ignored(void **state)
{
    static const struct {
        const char *what;
        tdm_time ago;
        uint32_t delay;
    } rows[] = {
        {"held longer than it is ago", 10 * TDM_MS, 65536},
        {"longest delay", 10 * TDM_MS, UINT32_MAX},
        {"long ago", 30 * TDM_S, 0},
        {"from the future", -5 * TDM_S, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair p = pair_of(0, 0, 0, 0);
        tdm_time now = HOUR;

        tdm_clock_sync_report(&p.us, now, middle(tdm_clock_sync_ntp(&p.us, now - rows[i].ago)),
                              rows[i].delay, tdm_clock_sync_ntp(&p.peer, now));
        if (p.us.known || p.us.rtt)
            fail_msg("%s: taken", rows[i].what);
        tdm_clock_sync_report(&p.us, now, 0, 0, 1);
        assert_false(p.us.known);
    }
    /* Rounding of 1/65536 s alone may make a round trip negative: that is 0, not nonsense. */
    struct pair p = pair_of(0, 0, 0, 0);

    exchange(&p, HOUR + 15258, 0, 15258, 0);
    assert_true(p.us.known && p.us.rtt >= 0 && p.us.rtt < 40 * TDM_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ntp_is_1900),
        cmocka_unit_test(test_ntp_round_trip),
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_lopsided_queues),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_no_stamp),
        cmocka_unit_test(test_nonsense_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

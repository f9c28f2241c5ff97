/* SPDX-License-Identifier: MIT */
#include "engine/core/nack.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tdm_nack_out packet(struct tdm_nack *n, tdm_time now, int64_t seq)
{
    struct tdm_nack_out out;

    tdm_nack_step(n, now, &(struct tdm_nack_in){.kind = TDM_NACK_PACKET, .seq = seq}, &out);
    return out;
}

static struct tdm_nack_out wait_for(struct tdm_nack *n, tdm_time now)
{
    struct tdm_nack_out out;

    tdm_nack_step(n, now, NULL, &out);
    return out;
}

static void set_rtt(struct tdm_nack *n, tdm_time now, tdm_time rtt)
{
    struct tdm_nack_out out;

    tdm_nack_step(n, now, &(struct tdm_nack_in){.kind = TDM_NACK_RTT, .rtt = rtt}, &out);
}

static void test_gap_is_asked_for_at_once(void **state)
{
    struct tdm_nack n;
    struct tdm_nack_out out;

    (void)state;
    tdm_nack_init(&n, 0);
    out = packet(&n, 0, 65534);
    assert_int_equal(out.count, 0);
    assert_true(out.wake_at == TDM_NEVER);
    out = packet(&n, TDM_MS, 65538); /* 65535, 0 and 1 on the wire. */
    assert_int_equal(out.count, 3);
    assert_int_equal(out.seqs[0], 65535);
    assert_int_equal(out.seqs[1], 0);
    assert_int_equal(out.seqs[2], 1);
    assert_true(out.wake_at > TDM_MS && out.wake_at < 200 * TDM_MS);
    assert_int_equal(n.asked, 3);
}

/* Again after a round trip and a bit, not before; ten times, or a second; then given up. */
static void test_retry_and_give_up(void **state)
{
    static const tdm_time rtts[] = {0, 5 * TDM_MS, 40 * TDM_MS, 300 * TDM_MS};

    (void)state;
    for (size_t row = 0; row < 4; row++) {
        tdm_time at = 100 * TDM_S;
        tdm_time rtt = rtts[row];
        struct tdm_nack n;
        struct tdm_nack_out out;
        int asks = 1;

        tdm_nack_init(&n, at);
        set_rtt(&n, at, rtt);
        packet(&n, at, 10);
        out = packet(&n, at, 12);
        assert_int_equal(out.count, 1);
        while (!out.gave_up) {
            tdm_time next = out.wake_at;

            assert_true(next - at >= rtt && next - at >= 10 * TDM_MS);
            assert_true(next - at <= rtt * 3 / 2 + 10 * TDM_MS);
            assert_int_equal(wait_for(&n, next - 1).count, 0);
            at = next;
            out = wait_for(&n, at);
            asks += out.count;
            assert_true(out.wake_at > at);
            assert_true(asks <= TDM_NACK_TRIES_MAX);
        }
        assert_true(asks == TDM_NACK_TRIES_MAX || at > 101 * TDM_S);
        assert_int_equal(n.abandoned, 1);
        assert_int_equal(n.count, 0);
        assert_true(out.wake_at == TDM_NEVER);
    }
}

static void test_what_came_is_not_asked_for(void **state)
{
    struct tdm_nack n;
    struct tdm_nack_out out;

    (void)state;
    tdm_nack_init(&n, 0);
    packet(&n, 0, 10);
    packet(&n, 0, 14);
    packet(&n, 100 * TDM_MS, 12);
    packet(&n, 100 * TDM_MS, 12); /* Twice is no harm. */
    assert_int_equal(n.recovered, 1);
    out = wait_for(&n, 400 * TDM_MS);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.seqs[0], 11);
    assert_int_equal(out.seqs[1], 13);
    tdm_nack_step(&n, 400 * TDM_MS,
                  &(struct tdm_nack_in){.kind = TDM_NACK_FORGET_BEFORE, .seq = 12}, &out);
    assert_int_equal(n.count, 1);
    assert_int_equal(n.abandoned, 1);
    assert_false(out.gave_up);
    out = wait_for(&n, TDM_S - 1);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.seqs[0], 13);
}

/* On a path that swaps neighbours, requests stop; a real loss is still asked for, a bit later. */
static void test_learns_reordering(void **state)
{
    struct tdm_nack n;
    tdm_time now = 0;
    int asked_late = 0;

    (void)state;
    tdm_nack_init(&n, 0);
    set_rtt(&n, 0, 80 * TDM_MS);
    packet(&n, 0, 0);
    for (int64_t i = 1; i < 200; i += 2, now += 20 * TDM_MS) {
        int count = packet(&n, now, i + 1).count;

        if (i > 1)
            asked_late += count;
        asked_late += wait_for(&n, now + 4 * TDM_MS).count;
        packet(&n, now + 4 * TDM_MS, i);
    }
    assert_int_equal(asked_late, 0);
    assert_int_equal(n.spurious, 1);
    assert_int_equal(n.count, 0);

    struct tdm_nack_out out = packet(&n, now, 202);

    assert_int_equal(out.count, 0);
    assert_true(out.wake_at >= now + 4 * TDM_MS && out.wake_at <= now + 30 * TDM_MS);
    out = wait_for(&n, out.wake_at);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.seqs[0], 201);
}

/* A repair that takes its round trip teaches nothing about reordering. */
static void test_repair_is_not_reordering(void **state)
{
    struct tdm_nack n;

    (void)state;
    tdm_nack_init(&n, 0);
    set_rtt(&n, 0, 20 * TDM_MS);
    packet(&n, 0, 0);
    packet(&n, 0, 2);
    packet(&n, 21 * TDM_MS, 1);
    assert_true(n.reorder_wait == 0);
    assert_int_equal(n.recovered, 1);
    assert_int_equal(n.spurious, 0);
}

static void test_too_long_a_gap(void **state)
{
    struct tdm_nack n;
    struct tdm_nack_out out;

    (void)state;
    tdm_nack_init(&n, 0);
    packet(&n, 0, 0);
    out = packet(&n, 0, TDM_NACK_MISSING_MAX + 2);
    assert_true(out.gave_up);
    assert_int_equal(out.count, 0);
    assert_int_equal(n.count, 0);
    assert_int_equal(n.abandoned, TDM_NACK_MISSING_MAX + 1);
    /* Many short gaps do not overflow the list either. */
    for (int64_t i = 1; i < 1000; i++) {
        out = packet(&n, i, TDM_NACK_MISSING_MAX + 2 + 3 * i);
        assert_true(n.count <= TDM_NACK_MISSING_MAX && out.count <= TDM_NACK_MISSING_MAX);
    }
}

/* Whatever comes: requests are for missing packets only, ascending, and no wake is in the past. */
static void test_random_path(void **state)
{
    static bool came[40000];
    struct tdm_nack n;
    struct tdm_rng rng = tdm_rng_of(3);
    tdm_time now = 0;
    int64_t highest = 0;

    (void)state;
    tdm_nack_init(&n, 0);
    for (int i = 0; i < 20000; i++) {
        uint32_t step = tdm_rng_below(&rng, 10);
        int64_t seq = highest;
        struct tdm_nack_out out;

        seq += step < 7 ? 1 : step < 9 ? 2 : -(int64_t)tdm_rng_below(&rng, 20);
        if (seq < 0)
            seq = 0;
        now += tdm_rng_below(&rng, 4000000);
        out = packet(&n, now, seq);
        came[seq] = true;
        highest = seq > highest ? seq : highest;
        assert_true(out.wake_at > now);
        for (uint16_t k = 0; k < out.count; k++) {
            assert_true(!came[highest - (uint16_t)((uint16_t)highest - out.seqs[k])]);
            assert_true(k == 0 || (int16_t)(uint16_t)(out.seqs[k] - out.seqs[k - 1]) > 0);
        }
    }
}

/* What is known to be a repair tells nothing of the path's order, however soon it comes. */
static void test_wrapped_repair(void **state)
{
    struct tdm_nack n;
    struct tdm_nack_out out;

    (void)state;
    tdm_nack_init(&n, 0);
    (void)packet(&n, 0, 10);
    (void)packet(&n, TDM_MS, 13);
    for (int64_t seq = 11; seq < 14; seq++) /* The last one had come. */
        tdm_nack_step(&n, 2 * TDM_MS, &(struct tdm_nack_in){.kind = TDM_NACK_REPAIR, .seq = seq},
                      &out);
    assert_int_equal(n.recovered, 2);
    assert_int_equal(n.count, 0);
    assert_int_equal(n.spurious, 0);
    assert_int_equal(packet(&n, 3 * TDM_MS, 15).count, 1); /* Asked for at once, as before. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gap_is_asked_for_at_once),
        cmocka_unit_test(test_retry_and_give_up),
        cmocka_unit_test(test_what_came_is_not_asked_for),
        cmocka_unit_test(test_learns_reordering),
        cmocka_unit_test(test_repair_is_not_reordering),
        cmocka_unit_test(test_wrapped_repair),
        cmocka_unit_test(test_too_long_a_gap),
        cmocka_unit_test(test_random_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

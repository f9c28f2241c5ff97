/* SPDX-License-Identifier: MIT */
#include "engine/core/red_plan.h"

#include "engine/base/rng.h"
#include "engine/wire/red.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define FRAME     (10 * TDM_MS)
#define FRAME_RTP 480
#define BPS       48000

static void decide(struct tdm_red_plan *p)
{
    tdm_red_plan_decide(p, FRAME, BPS, 60000);
}

/* Losses in bursts that end with chance 1 - stay. */
static struct tdm_red_plan after(double share, double stay)
{
    static struct tdm_red_plan p;
    struct tdm_rng rng = tdm_rng_of(3);
    double begin = share * (1 - stay) / (1 - share);
    bool lost = false;

    tdm_red_plan_init(&p);
    for (int i = 0; i < 20000; i++) {
        lost = tdm_rng_chance(&rng, lost ? stay : begin);
        tdm_red_plan_fate(&p, lost);
    }
    decide(&p);
    return p;
}

static void test_nothing_without_loss(void **state)
{
    struct tdm_red_plan p = after(0, 0);

    (void)state;
    assert_int_equal(p.copies, 0);
    tdm_red_plan_report(&p, 0.1); /* Of no use to who knows each packet's fate. */
    decide(&p);
    assert_int_equal(p.copies, 0);
    tdm_red_plan_init(&p);
    tdm_red_plan_report(&p, 0.1);
    decide(&p);
    assert_int_equal(p.copies, 1);
    for (int i = 0; i < 40; i++)
        tdm_red_plan_report(&p, 0);
    decide(&p);
    assert_int_equal(p.copies, 0);
}

static void test_reaches_past_the_bursts(void **state)
{
    struct tdm_red_plan alone = after(0.05, 0.05), bursts = after(0.05, 0.67);

    (void)state;
    assert_int_equal(alone.copies, 1);
    assert_in_range(alone.distance, 1, 2);
    assert_int_equal(bursts.copies, 1); /* A second one would cost more than there is. */
    assert_int_equal(bursts.distance, 4);
    tdm_red_plan_decide(&bursts, FRAME, 20000, 60000);
    assert_int_equal(bursts.copies, 2);
    assert_int_equal(bursts.distance, 2);
    tdm_red_plan_decide(&bursts, FRAME, 64000, 60000);
    assert_int_equal(bursts.copies, 0);
}

/* Fates that are told out of order count as if they had been told in order. */
static void test_told_out_of_order(void **state)
{
    struct tdm_red_plan in_order, mixed;
    struct tdm_rng rng = tdm_rng_of(4);
    bool lost[4000];

    (void)state;
    tdm_red_plan_init(&in_order);
    tdm_red_plan_init(&mixed);
    for (int i = 0; i < 4000; i++) {
        lost[i] = i && tdm_rng_chance(&rng, lost[i - 1] ? 0.67 : 0.02);
        tdm_red_plan_fate(&in_order, lost[i]);
    }
    for (int i = 0; i < 4000; i += 8) { /* From 65000 on; what is lost is told last. */
        for (int k = i; k < i + 8; k++)
            if (!lost[k])
                tdm_red_plan_told(&mixed, (uint16_t)(65000 + k), false);
        for (int k = i; k < i + 8; k++)
            if (lost[k])
                tdm_red_plan_told(&mixed, (uint16_t)(65000 + k), true);
    }
    assert_true(mixed.loss > 0.01 && mixed.stay > 0.4);
    assert_true(in_order.loss == mixed.loss && in_order.stay == mixed.stay);
    tdm_red_plan_told(&mixed, (uint16_t)(65000 + 3900), true); /* Told already. */
    assert_true(in_order.loss == mixed.loss);
}

static void test_repeats_the_frame_before(void **state)
{
    struct tdm_red_plan p;
    uint8_t payload[300];
    struct tdm_red red;

    (void)state;
    tdm_red_plan_init(&p);
    tdm_red_plan_report(&p, 0.05);
    tdm_red_plan_report(&p, 0.05);
    decide(&p);
    assert_int_equal(p.copies, 1);
    p.distance = 2;
    for (int64_t i = 0; i < 40; i++) {
        uint8_t frame[3] = {(uint8_t)i, 1, 2};
        int64_t pause = i >= 20 ? 4800 : 0; /* The sender was silent before the twentieth. */
        size_t size = tdm_red_plan_payload(&p, i * FRAME_RTP + pause, FRAME_RTP, 111, frame,
                                           sizeof frame, payload, sizeof payload);

        assert_int_equal(tdm_red_parse(&red, payload, size), TDM_OK);
        bool has = i >= 2 && i != 20 && i != 21;
        assert_int_equal(red.count, has ? 2 : 1);
        assert_int_equal(red.blocks[red.count - 1].data[0], i);
        if (has) {
            assert_int_equal(red.blocks[0].offset, 2 * FRAME_RTP);
            assert_int_equal(red.blocks[0].data[0], i - 2);
        }
    }
}

static void test_room_and_size(void **state)
{
    struct tdm_red_plan p;
    uint8_t payload[1200], big[1100] = {0};
    struct tdm_red red;

    (void)state;
    tdm_red_plan_init(&p);
    tdm_red_plan_report(&p, 0.5);
    decide(&p);
    for (int64_t i = 0; i < 6; i++) { /* Too large to be repeated. */
        size_t size =
            tdm_red_plan_payload(&p, i * FRAME_RTP, FRAME_RTP, 111, big, 500, payload, 1200);
        assert_int_equal(tdm_red_parse(&red, payload, size), TDM_OK);
        assert_int_equal(red.count, 1);
    }
    for (int64_t i = 6; i < 20; i++) { /* No room for both. */
        size_t size =
            tdm_red_plan_payload(&p, i * FRAME_RTP, FRAME_RTP, 111, big, 300, payload, 400);
        assert_int_equal(size, 301);
    }
    assert_int_equal(
        tdm_red_plan_payload(&p, 20 * FRAME_RTP, FRAME_RTP, 111, big, 400, payload, 400), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_without_loss),
        cmocka_unit_test(test_reaches_past_the_bursts),
        cmocka_unit_test(test_told_out_of_order),
        cmocka_unit_test(test_repeats_the_frame_before),
        cmocka_unit_test(test_room_and_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

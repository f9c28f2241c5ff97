/* SPDX-License-Identifier: MIT */
#include "engine/core/transport_cc.h"

#include "engine/base/rng.h"
#include "engine/wire/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PACKET_EVERY (4 * TDM_MS)
#define PACKET_BYTES 1000

/* One sender, one receiver, a path between them, and feedback that returns at once. */
struct path {
    struct tdm_transport_cc_out out;
    struct tdm_transport_cc_in in;
    struct tdm_rng rng;
    tdm_time now, delay, clock; /* `clock`: what the receiver's is ahead. */
    double loss;
    uint32_t swap_every, sent, results;
    struct tdm_transport_cc_result result;
};

static void init(struct path *p, uint16_t first)
{
    memset(p, 0, sizeof *p);
    p->rng = tdm_rng_of(3);
    p->now = 50 * TDM_S;
    p->delay = 20 * TDM_MS;
    tdm_transport_cc_out_init(&p->out, first);
    tdm_transport_cc_in_init(&p->in);
}

static void tell(struct path *p)
{
    uint8_t bytes[TDM_TWCC_BYTES_MAX];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_rtcp_item item;

    tdm_transport_cc_in_write(&p->in, 1, &w);
    assert_true(w.ok);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));

    if (!tdm_writer_size(&w))
        return;
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(item.media_ssrc, 9);
    p->results += tdm_transport_cc_out_feedback(&p->out, p->now, item.twcc, &p->result);
}

static void arrive(struct path *p, uint16_t number, tdm_time at)
{
    tdm_transport_cc_in_packet(&p->in, p->now, number, 9, at);
}

static void run(struct path *p, tdm_time duration)
{
    tdm_time end = p->now + duration;

    while (p->now < end) {
        uint16_t number = tdm_transport_cc_out_packet(&p->out, p->now, PACKET_BYTES);
        tdm_time at = p->now + p->delay + p->clock;

        p->sent++;
        if (p->swap_every && p->sent % p->swap_every == 0) {
            uint16_t next = tdm_transport_cc_out_packet(&p->out, p->now, PACKET_BYTES);

            p->sent++;
            arrive(p, next, at);
            if (p->now >= p->in.due) /* The one that is still on its way is told as lost. */
                tell(p);
            arrive(p, number, at + TDM_MS);
        } else if (!tdm_rng_chance(&p->rng, p->loss)) {
            arrive(p, number, at);
        }
        if (p->now >= p->in.due)
            tell(p);
        p->now += PACKET_EVERY;
    }
}

static void test_clean(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 65000); /* The numbers wrap. */
    p.clock = -40 * TDM_S;
    run(&p, 20 * TDM_S);
    assert_in_range(p.results, 30, 40);
    assert_int_equal(p.result.fraction_lost, 0);
    assert_int_equal(p.result.queue, 0);
    assert_in_range(p.result.delivered_bps, 1900000, 2100000);
}

static void test_loss(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 0);
    p.loss = 0.2;
    run(&p, 10 * TDM_S);
    assert_in_range(p.result.fraction_lost, 25, 77); /* 10 to 30 % of 125 packets. */
    p.loss = 0;
    run(&p, 2 * TDM_S);
    assert_int_equal(p.result.fraction_lost, 0);
}

/* Out of order is not lost, even when it was told so. */
static void test_reordered(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 0);
    p.swap_every = 3;
    run(&p, 10 * TDM_S);
    assert_true(p.results > 10);
    assert_int_equal(p.result.fraction_lost, 0);
}

static void test_queue(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 0);
    p.clock = 3600 * TDM_S;
    run(&p, 3 * TDM_S);
    p.delay += 80 * TDM_MS;
    run(&p, 2 * TDM_S);
    assert_in_range(p.result.queue, 79 * TDM_MS, 81 * TDM_MS);
    /* A way that stays longer is another way. */
    run(&p, 70 * TDM_S);
    assert_in_range(p.result.queue, 0, TDM_MS);
}

/* The reference time has 24 bits: twelve days. */
static void test_time_wraps(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 0);
    p.clock = TDM_TWCC_WRAP / 2 - p.now - 5 * TDM_S;
    for (int second = 0; second < 10; second++) {
        run(&p, TDM_S);
        assert_in_range(p.result.queue, 0, TDM_MS);
        assert_true(!p.results || p.result.delivered_bps < 2100000);
    }
    assert_true(p.results > 10);
}

/* More than one message holds, with nothing at all in between, and numbers that leap. */
static void test_long_silence(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 0);
    arrive(&p, 10, p.now);
    arrive(&p, 700, p.now);
    arrive(&p, 701, p.now);
    for (int i = 0; p.in.due != TDM_NEVER; i++) {
        assert_in_range(i, 0, 4);
        tell(&p);
    }
    assert_int_equal(p.in.next, 65536 + 702);
    arrive(&p, 30000, p.now);
    arrive(&p, 20, p.now); /* From long ago. */
    tell(&p);
    assert_true(p.in.due == TDM_NEVER);
    assert_int_equal(p.in.next, p.in.highest + 1);
}

/* Feedback on what was never sent, or is long settled, moves nothing. */
static void test_forged(void **state)
{
    static struct path p;

    (void)state;
    init(&p, 0);
    for (int i = 0; i < 100; i++)
        arrive(&p, (uint16_t)(5000 + i), p.now + i * TDM_S);
    for (int i = 0; i < 20 && p.in.due != TDM_NEVER; i++) {
        tell(&p);
        p.now += TDM_S;
    }
    assert_int_equal(p.results, 0);
    assert_int_equal(p.out.arrived + p.out.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),      cmocka_unit_test(test_loss),
        cmocka_unit_test(test_reordered),  cmocka_unit_test(test_queue),
        cmocka_unit_test(test_time_wraps), cmocka_unit_test(test_long_silence),
        cmocka_unit_test(test_forged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

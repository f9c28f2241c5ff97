/* SPDX-License-Identifier: MIT */
#include "engine/core/call_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LIMIT       1500000
#define PACKET      1000
#define FRAME_EVERY (33 * TDM_MS)
#define DELAY       (20 * TDM_MS)

/* A sender of pictures on a way without a bottleneck, with a receiver that tells or does not. */
struct call {
    struct tdm_call_rate rate;
    struct tdm_call_rate_out out;
    tdm_time now, next_frame, next_report;
    bool tells, reports;
    uint64_t sent;
    uint32_t skipped;
};

static void step(struct call *c, struct tdm_call_rate_in in)
{
    tdm_call_rate_step(&c->rate, c->now, &in, &c->out);
    assert_true(c->out.target_bps >= 1000 && c->out.target_bps <= c->out.limit_bps);
    assert_true(!c->out.controlled || c->out.pace_bps >= 60000);
}

static struct call *call_of(bool told)
{
    static struct call c;

    c = (struct call){.now = 100 * TDM_S, .tells = true, .reports = true};
    c.next_frame = c.next_report = c.now;
    tdm_call_rate_init(&c.rate, c.now, 2500000);
    step(&c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_LIMIT, .bps = LIMIT});
    step(&c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_AGREED, .told = told});
    return &c;
}

static void picture(struct call *c)
{
    uint32_t most = tdm_call_rate_frame(&c->rate, c->now, 0);
    uint32_t share = (uint32_t)(c->out.limit_bps / 8 / TDM_CALL_RATE_FPS);
    struct tdm_ack acks[64];
    uint32_t count = 0;

    if (most == UINT32_MAX)
        share = (uint32_t)(c->out.target_bps / 8 / TDM_CALL_RATE_FPS);
    most = most < share ? most : share;
    c->skipped += !most;
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_FRAME});
    for (uint32_t left = most; left && count < 64; count++) {
        uint32_t bytes = left < PACKET ? left : PACKET;

        left -= bytes;
        c->sent += bytes;
        acks[count] = (struct tdm_ack){.sent = c->now, .arrival = c->now + DELAY, .bytes = bytes};
        step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_SENT, .bytes = bytes});
        c->now += TDM_MS;
    }
    if (!count || !c->tells)
        return;
    c->now += 2 * DELAY; /* All of it in the time of the answer. */
    step(c,
         (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_ACKS, .acks = acks, .ack_count = count});
}

static void run(struct call *c, tdm_time duration)
{
    for (tdm_time end = c->now + duration; c->now < end;) {
        if (c->reports && c->now >= c->next_report) {
            step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REPORT, .rtt = 2 * DELAY});
            c->next_report = c->now + 500 * TDM_MS;
        }
        picture(c);
        c->next_frame = tdm_time_max(c->next_frame + FRAME_EVERY, c->now + TDM_MS);
        c->now = c->next_frame;
    }
}

static void test_plain_without_feedback(void **state)
{
    struct call *c = call_of(false);

    (void)state;
    assert_false(c->out.controlled);
    assert_int_equal(tdm_call_rate_frame(&c->rate, c->now, 0), UINT32_MAX);
    assert_int_equal(c->out.target_bps, LIMIT);
}

static void test_reaches_its_limit(void **state)
{
    struct call *c = call_of(true);

    (void)state;
    assert_true(c->out.controlled);
    assert_true(c->out.target_bps < LIMIT); /* It begins with less, */
    run(c, TDM_S);
    assert_int_equal(c->out.target_bps, LIMIT); /* and is there soon. */
    assert_int_equal(c->skipped, 0);
}

/* The first picture is a keyframe and leaves at 4 Mb/s, all of it; what comes before the first
 * answer shares its budget. */
static void test_first_picture(void **state)
{
    struct call *c = call_of(true);
    uint32_t first = tdm_call_rate_frame(&c->rate, c->now, 0);

    (void)state;
    assert_in_range(first, 15000, 17000);
    assert_true(c->out.pace_bps >= 4000000);
    for (uint32_t left = first; left > PACKET; left -= PACKET) {
        assert_int_equal(tdm_call_rate_when(&c->rate, c->now), c->now);
        step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_SENT, .bytes = PACKET});
    }
    assert_true(tdm_call_rate_frame(&c->rate, c->now, 0) <= 3000);
}

static void test_ceilings(void **state)
{
    struct call *c = call_of(true);

    (void)state;
    run(c, TDM_S);
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REMB, .bps = 300000});
    assert_int_equal(c->out.limit_bps, 300000);
    assert_true(c->out.target_bps <= 300000);
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REMB, .bps = 0});
    assert_int_equal(c->out.limit_bps, 64000); /* It is never nothing. */
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REMB, .bps = UINT64_MAX});
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_LIMIT, .bps = 200000});
    assert_int_equal(c->out.limit_bps, 200000);
    run(c, TDM_S);
    assert_true(c->out.target_bps <= 200000);
}

/* What the other side asked for stands, whatever the plain rule begins anew for. */
static void test_remb_stays(void **state)
{
    struct call *c = call_of(false);

    (void)state;
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_LIMIT, .bps = 100000});
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REMB, .bps = 200000});
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_LIMIT, .bps = LIMIT});
    assert_true(c->out.target_bps <= 200000);
    c = call_of(true);
    c->tells = false;
    step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REMB, .bps = 200000});
    run(c, 5 * TDM_S);
    assert_false(c->out.controlled);
    assert_true(c->out.target_bps <= 200000);
}

/* Agreed, and never done: after three seconds it goes by reports, from the limit as ever. */
static void test_never_told(void **state)
{
    struct call *c = call_of(true);

    (void)state;
    c->tells = false;
    run(c, 2 * TDM_S);
    assert_true(c->out.controlled);
    run(c, 3 * TDM_S);
    assert_false(c->out.controlled);
    assert_int_equal(c->out.target_bps, LIMIT);
    c->tells = true; /* Then it comes after all. */
    run(c, 2 * TDM_S);
    assert_true(c->out.controlled);
    assert_int_equal(c->out.target_bps, LIMIT);
}

/* It stops in the middle: nearly nothing at once, but now and then a small picture; and when
 * reports prove that the way is open, slowly more by those. */
static void test_stops_telling(void **state)
{
    struct call *c = call_of(true);

    (void)state;
    run(c, 3 * TDM_S);
    c->tells = false;
    c->reports = false;
    run(c, 500 * TDM_MS);
    uint64_t before = c->sent;

    run(c, 10 * TDM_S);
    assert_true(c->out.controlled);
    assert_in_range(c->sent - before, 10 * 200, 10 * 4000);
    c->reports = true;
    run(c, TDM_S);
    assert_false(c->out.controlled);
    assert_in_range(c->out.target_bps, 64000, 80000);
    c->tells = true;
    run(c, 4 * TDM_S);
    assert_true(c->out.controlled);
    assert_int_equal(c->out.target_bps, LIMIT);
}

/* A source that rests is not silent. */
static void test_rest(void **state)
{
    struct call *c = call_of(true);

    (void)state;
    run(c, 3 * TDM_S);
    for (int i = 0; i < 100; i++) {
        c->now += 500 * TDM_MS;
        step(c, (struct tdm_call_rate_in){.kind = TDM_CALL_RATE_REPORT, .rtt = 2 * DELAY});
    }
    assert_true(c->out.controlled);
    c->next_frame = c->now;
    run(c, TDM_S);
    assert_int_equal(c->out.target_bps, LIMIT);
    assert_true(c->skipped < 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_without_feedback),
        cmocka_unit_test(test_reaches_its_limit),
        cmocka_unit_test(test_first_picture),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_remb_stays),
        cmocka_unit_test(test_never_told),
        cmocka_unit_test(test_stops_telling),
        cmocka_unit_test(test_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

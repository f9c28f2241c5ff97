/* SPDX-License-Identifier: MIT */
#include "engine/core/arrivals.h"

#include "engine/wire/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 1200

struct told {
    uint32_t count, came, marked;
    uint16_t first, last;
};

static struct tdm_arrivals arrivals;

/* What the message that is due says of one source. */
static struct told tell(tdm_time now, uint32_t ssrc, size_t room)
{
    uint8_t bytes[ROOM];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_rtcp_item item;
    struct tdm_ccfb_report report;
    struct told told = {0};

    tdm_arrivals_write(&arrivals, now, 0, 1, room, &w);
    assert_true(w.ok && tdm_writer_size(&w) <= room);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));

    if (tdm_rtcp_next(&reader, &item) != TDM_OK)
        return told;
    while (tdm_ccfb_next(&item.ccfb, &report) == TDM_OK) {
        if (report.ssrc != ssrc)
            continue;
        if (!told.count++)
            told.first = report.seq;
        told.last = report.seq;
        told.came += report.received;
        told.marked += report.ecn == TDM_ECN_CE;
    }
    return told;
}

static void come(tdm_time at, uint16_t seq, enum tdm_ecn ecn)
{
    tdm_arrivals_packet(&arrivals, at, 5, seq, 1200, ecn, at);
}

static void test_tells_twice(void **state)
{
    (void)state;
    tdm_arrivals_init(&arrivals);
    assert_true(arrivals.due == TDM_NEVER);
    come(TDM_S, 65534, TDM_ECN_NONE);
    assert_true(arrivals.due == TDM_S); /* At once after a pause; */
    come(TDM_S, 0, TDM_ECN_CE);         /* 65535 is missing. */
    struct told told = tell(arrivals.due, 5, ROOM);

    assert_int_equal(told.first, 65534);
    assert_int_equal(told.last, 0);
    assert_int_equal(told.count, 3);
    assert_int_equal(told.came, 2);
    assert_int_equal(told.marked, 1);
    assert_true(arrivals.due == TDM_NEVER);
    come(2 * TDM_S, 1, TDM_ECN_NONE);
    told = tell(2 * TDM_S, 5, ROOM); /* The ones before again, as that message may be lost. */
    assert_int_equal(told.first, 65534);
    assert_int_equal(told.last, 1);
    come(3 * TDM_S, 2, TDM_ECN_NONE);
    told = tell(3 * TDM_S, 5, ROOM);
    assert_int_equal(told.first, 1);
}

static void test_late_and_double(void **state)
{
    (void)state;
    tdm_arrivals_init(&arrivals);
    come(TDM_S, 10, TDM_ECN_NONE);
    come(TDM_S, 12, TDM_ECN_NONE);
    (void)tell(TDM_S, 5, ROOM);
    come(TDM_S, 11, TDM_ECN_NONE); /* Told as missing. */
    come(TDM_S, 12, TDM_ECN_CE);   /* A copy that was marked. */
    struct told told = tell(TDM_S, 5, ROOM);

    assert_int_equal(told.first, 10);
    assert_int_equal(told.last, 12);
    assert_int_equal(told.came, 3);
    assert_int_equal(told.marked, 1);
}

static void test_more_than_fits(void **state)
{
    (void)state;
    uint32_t came = 0;
    int messages = 0;

    tdm_arrivals_init(&arrivals);
    for (uint16_t seq = 0; seq < 300; seq++)
        come(TDM_S, seq, TDM_ECN_NONE);
    while (arrivals.due != TDM_NEVER && messages++ < 20)
        came += tell(TDM_S, 5, 220).came;
    assert_int_equal(came, 300);
    assert_int_equal(messages, 3);
}

static void test_quickly_when_fast(void **state)
{
    (void)state;
    tdm_arrivals_init(&arrivals);
    for (int i = 0; i < 1200; i++) {
        come(TDM_S + i * TDM_MS, (uint16_t)i, TDM_ECN_NONE);
        if (i > 1000 && arrivals.due != TDM_NEVER)
            assert_true(arrivals.due - (TDM_S + i * TDM_MS) <= 10 * TDM_MS);
        if (arrivals.due <= TDM_S + i * TDM_MS)
            (void)tell(TDM_S + i * TDM_MS, 5, ROOM);
    }
}

/* A session's memory is not cleared: whatever stood in it is not a packet. */
static void begin_on(int fill)
{
    memset(&arrivals, fill, sizeof arrivals);
    tdm_arrivals_init(&arrivals);
}

static void test_out_of_order_at_first(void **state)
{
    static const int fills[] = {0, 0xa5, 0xff};

    (void)state;
    for (int i = 0; i < 3; i++) {
        begin_on(fills[i]);
        come(TDM_S, 1000, TDM_ECN_NONE);
        come(TDM_S, 997, TDM_ECN_NONE);
        come(TDM_S, 999, TDM_ECN_NONE);
        come(TDM_S, 1001, TDM_ECN_NONE);
        struct told told = tell(TDM_S, 5, ROOM);

        assert_int_equal(told.first, 997);
        assert_int_equal(told.last, 1001);
        assert_int_equal(told.count, 5);
        assert_int_equal(told.came, 4);
    }
}

/* Behind a jump of more than is remembered, only what came since is told of. */
static void test_jump(void **state)
{
    (void)state;
    for (uint16_t number = 26000; number < 26007; number++) {
        begin_on(0xa5);
        for (uint16_t seq = 1; seq < 2000; seq++)
            if (seq % 7)
                come(TDM_S, seq, TDM_ECN_CE);
        while (arrivals.due != TDM_NEVER)
            (void)tell(TDM_S, 5, ROOM);
        come(9 * TDM_S, number, TDM_ECN_NONE);
        come(9 * TDM_S, number - 9, TDM_ECN_NONE);
        struct told told = tell(9 * TDM_S, 5, ROOM);

        assert_int_equal(told.first, number - 9);
        assert_int_equal(told.last, number);
        assert_int_equal(told.count, 10);
        assert_int_equal(told.came, 2);
        assert_int_equal(told.marked, 0);
    }
}

/* A ninth source takes the place of one, and nothing of what that one had. */
static void test_source_gives_way(void **state)
{
    (void)state;
    begin_on(0xa5);
    for (uint32_t ssrc = 5; ssrc < 5 + TDM_ARRIVALS_SOURCES; ssrc++)
        for (uint16_t seq = 100; seq < 200; seq++)
            tdm_arrivals_packet(&arrivals, ssrc * TDM_S, ssrc, seq, 1200, TDM_ECN_CE, TDM_S);
    while (arrivals.due != TDM_NEVER)
        (void)tell(20 * TDM_S, 5, ROOM);
    for (uint16_t seq = 190; seq > 170; seq -= 10)
        tdm_arrivals_packet(&arrivals, 30 * TDM_S, 99, seq, 1200, TDM_ECN_NONE, 30 * TDM_S);
    struct told told = tell(30 * TDM_S, 99, ROOM);

    assert_int_equal(told.first, 180);
    assert_int_equal(told.count, 11);
    assert_int_equal(told.came, 2);
    assert_int_equal(told.marked, 0);
}

/* A question about an old packet: what is told again does not reach behind what is remembered. */
static void test_asked_for_the_oldest(void **state)
{
    (void)state;
    begin_on(0xa5);
    for (uint16_t seq = 1; seq < 2000; seq++)
        if (seq < 1400 || seq % 7)
            come(TDM_S, seq, TDM_ECN_NONE);
    while (arrivals.due != TDM_NEVER)
        (void)tell(TDM_S, 5, ROOM);
    come(2 * TDM_S, 1999 - 450, TDM_ECN_NONE);
    struct told told = tell(2 * TDM_S, 5, ROOM);

    assert_int_equal(told.first, 1999 - TDM_ARRIVALS_PACKETS + 1);
    assert_int_equal(told.last, 1999);
}

/* The same about one from before the first that came. */
static void test_asked_for_the_first(void **state)
{
    (void)state;
    begin_on(0xa5);
    come(TDM_S, 1000, TDM_ECN_NONE);
    come(TDM_S, 997, TDM_ECN_NONE);
    (void)tell(TDM_S, 5, ROOM);
    come(2 * TDM_S, 1001, TDM_ECN_NONE);
    (void)tell(2 * TDM_S, 5, ROOM);
    come(3 * TDM_S, 997, TDM_ECN_NONE);
    struct told told = tell(3 * TDM_S, 5, ROOM);

    assert_int_equal(told.first, 997);
    assert_int_equal(told.last, 1001);
    assert_int_equal(told.came, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_twice),           cmocka_unit_test(test_late_and_double),
        cmocka_unit_test(test_more_than_fits),        cmocka_unit_test(test_quickly_when_fast),
        cmocka_unit_test(test_out_of_order_at_first), cmocka_unit_test(test_jump),
        cmocka_unit_test(test_source_gives_way),      cmocka_unit_test(test_asked_for_the_oldest),
        cmocka_unit_test(test_asked_for_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

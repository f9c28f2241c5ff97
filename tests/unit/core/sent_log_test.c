/* SPDX-License-Identifier: MIT */
#include "engine/core/sent_log.h"

#include "engine/base/rng.h"
#include "engine/core/arrivals.h"
#include "engine/core/transport_cc.h"
#include "engine/wire/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SSRC         77u
#define OTHER        78u
#define BYTES        1000
#define PACKET_EVERY (4 * TDM_MS)
#define ACKS         64

/* One sender, one receiver that tells by both formats, and what the log makes of it. */
struct path {
    struct tdm_sent_log log;
    struct tdm_arrivals arrivals;
    struct tdm_transport_cc_in numbers;
    struct tdm_rng rng;
    bool by_number, marks;
    tdm_time now, delay, clock; /* `clock`: what the receiver's is ahead. */
    double loss, feedback_loss;
    uint32_t swap_every, sent, arrived, lost, again, marked;
    tdm_time last_sent, way_min, way_max;
    uint16_t next;
};

static struct path *path_of(bool by_number)
{
    static struct path p;

    memset(&p, 0, sizeof p);
    tdm_sent_log_init(&p.log);
    tdm_arrivals_init(&p.arrivals);
    tdm_transport_cc_in_init(&p.numbers);
    p.rng = tdm_rng_of(5);
    p.by_number = by_number;
    p.now = 50 * TDM_S;
    p.delay = 20 * TDM_MS;
    p.next = 65000; /* The numbers wrap. */
    p.way_min = TDM_NEVER;
    p.way_max = -TDM_NEVER;
    return &p;
}

static void read_acks(struct path *p)
{
    struct tdm_ack acks[ACKS];
    uint32_t count;
    tdm_time before = 0;

    while ((count = tdm_sent_log_read(&p->log, acks, ACKS)))
        for (uint32_t i = 0; i < count; i++) {
            const struct tdm_ack *ack = &acks[i];

            assert_true(ack->sent >= before && ack->sent <= p->now);
            assert_int_equal(ack->bytes, BYTES);
            before = ack->sent;
            p->marked += ack->ce;
            p->again += ack->again;
            p->lost += ack->arrival == TDM_NEVER;
            if (ack->arrival == TDM_NEVER || ack->again)
                continue;
            p->arrived++;
            p->way_min = tdm_time_min(p->way_min, ack->arrival - ack->sent);
            p->way_max = tdm_time_max(p->way_max, ack->arrival - ack->sent);
        }
}

/* When what leaves now is there, by the receiver's clock. */
static tdm_time there_of(const struct path *p)
{
    return p->now + p->clock + p->delay + 2 * TDM_MS;
}

/* What the receiver would say now. */
static void tell(struct path *p)
{
    uint8_t bytes[1200];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_rtcp_item item;
    tdm_time there = there_of(p);

    if (p->by_number)
        tdm_transport_cc_in_write(&p->numbers, 1, &w);
    else
        tdm_arrivals_write(&p->arrivals, there, (uint64_t)((double)there * 4.294967296), 1,
                           sizeof bytes, &w);
    assert_true(w.ok);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));

    if (!tdm_writer_size(&w) || tdm_rng_chance(&p->rng, p->feedback_loss))
        return;
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    if (p->by_number)
        tdm_sent_log_twcc(&p->log, 0, item.twcc);
    else
        tdm_sent_log_ccfb(&p->log, item.ccfb);
    read_acks(p);
}

static uint16_t leave(struct path *p)
{
    p->sent++;
    tdm_sent_log_packet(
        &p->log, p->now,
        &(struct tdm_sent_note){.ssrc = SSRC, .seq = p->next, .bytes = BYTES, .number = p->next});
    return p->next++;
}

static void arrive(struct path *p, uint16_t number, tdm_time extra)
{
    tdm_time at = there_of(p) - 2 * TDM_MS + extra;

    if (p->by_number)
        tdm_transport_cc_in_packet(&p->numbers, at, number, 9, at);
    else
        tdm_arrivals_packet(&p->arrivals, at, SSRC, number, BYTES,
                            p->marks ? TDM_ECN_CE : TDM_ECN_ECT1, at);
}

static void tell_if_due(struct path *p)
{
    tdm_time due = tdm_time_min(p->arrivals.due, p->numbers.due);

    if (due != TDM_NEVER && there_of(p) >= due)
        tell(p);
}

static void run(struct path *p, tdm_time duration)
{
    for (tdm_time end = p->now + duration; p->now < end; p->now += PACKET_EVERY) {
        uint16_t number = leave(p);

        if (p->swap_every && p->sent % p->swap_every == 0) {
            uint16_t next = leave(p);

            arrive(p, next, 0);
            tell_if_due(p); /* Here the one that is still on its way is missing. */
            arrive(p, number, TDM_MS);
        } else if (!tdm_rng_chance(&p->rng, p->loss)) {
            arrive(p, number, 0);
        }
        tell_if_due(p);
    }
}

/* Each packet comes up once, with its own way, whatever the receiver's clock says. */
static void test_each_once(void **state)
{
    (void)state;
    for (int by_number = 0; by_number < 2; by_number++) {
        struct path *p = path_of(by_number);

        p->clock = by_number ? TDM_TWCC_WRAP - 55 * TDM_S : TDM_CCFB_WRAP - 55 * TDM_S;
        run(p, 20 * TDM_S); /* And it wraps. */
        p->now += TDM_S;
        tell(p);
        assert_int_equal(p->arrived, p->sent);
        assert_int_equal(p->lost + p->again, 0);
        /* The clock's zero is not known; its ticks are 1 ms and 250 us. */
        assert_in_range(p->way_max - p->way_min, 0, 1100 * TDM_US);
        assert_int_equal(p->log.inflight_bytes, 0);
    }
}

static void test_loss(void **state)
{
    (void)state;
    for (int by_number = 0; by_number < 2; by_number++) {
        struct path *p = path_of(by_number);

        p->loss = 0.2;
        run(p, 20 * TDM_S);
        p->loss = 0;
        run(p, TDM_S);
        tell(p);
        assert_in_range(p->lost, p->sent * 15 / 100, p->sent * 25 / 100);
        assert_int_equal(p->again, 0);
        assert_in_range(p->arrived + p->lost, p->sent - 20, p->sent);
    }
}

/* Out of order is not lost, if it is not too far behind. */
static void test_reordered(void **state)
{
    (void)state;
    for (int by_number = 0; by_number < 2; by_number++) {
        struct path *p = path_of(by_number);

        p->swap_every = 3;
        run(p, 10 * TDM_S);
        assert_int_equal(p->lost, 0);
        assert_true(p->arrived > p->sent - 20);
    }
}

/* By RFC 8888 each packet is told of twice: one lost message costs nothing. */
static void test_lost_feedback(void **state)
{
    struct path *p = path_of(false);

    (void)state;
    p->feedback_loss = 0.1;
    run(p, 20 * TDM_S);
    p->feedback_loss = 0;
    run(p, TDM_S);
    assert_int_equal(p->lost, 0);
    assert_in_range(p->arrived, p->sent * 98 / 100, p->sent);
}

static void test_marks(void **state)
{
    struct path *p = path_of(false);

    (void)state;
    run(p, TDM_S);
    assert_int_equal(p->marked, 0);
    assert_true(p->log.told_capable > 0);
    p->marks = true;
    run(p, TDM_S);
    assert_in_range(p->marked, 240, 260);
}

/* What left twice comes up, but its time means nothing. */
static void test_same_bytes_again(void **state)
{
    struct path *p = path_of(false);
    uint16_t seq = leave(p);

    (void)state;
    tdm_sent_log_again(&p->log, SSRC, seq);
    tdm_sent_log_again(&p->log, OTHER, seq);
    tdm_sent_log_again(&p->log, SSRC, (uint16_t)(seq + 1));
    p->now += TDM_S;
    arrive(p, seq, 0);
    tell(p);
    assert_int_equal(p->again, 1);
    assert_int_equal(p->arrived, 0);
    assert_int_equal(p->log.inflight_bytes, 0);
}

static void give(struct path *p, uint32_t ssrc, uint16_t seq, uint16_t count, tdm_time at)
{
    static struct tdm_ccfb_arrival arrivals[500];
    const struct tdm_ccfb_source source = {
        .ssrc = ssrc, .begin_seq = seq, .count = count, .arrivals = arrivals};
    uint8_t bytes[1400];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_rtcp_item item;

    for (uint16_t i = 0; i < count; i++)
        arrivals[i] = (struct tdm_ccfb_arrival){.at = at};
    tdm_ccfb_write(&w, 1, p->now, (uint64_t)p->now, &source, 1);
    assert_true(w.ok);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));

    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    tdm_sent_log_ccfb(&p->log, item.ccfb);
    read_acks(p);
}

/* Lies: of what never left, of others' packets, of the same again; times from the future. */
static void test_lies(void **state)
{
    struct path *p = path_of(false);

    (void)state;
    give(p, SSRC, 0, 500, p->now);
    assert_int_equal(p->arrived + p->lost, 0);
    for (int i = 0; i < 100; i++)
        (void)leave(p);
    give(p, OTHER, 65000, 500, p->now);
    give(p, SSRC, (uint16_t)(65000 + 2048), 500, p->now);
    assert_int_equal(p->arrived + p->lost, 0);
    give(p, SSRC, 64900, 500, p->now + 60 * TDM_S);
    assert_int_equal(p->again, 100); /* Came, and nobody knows when. */
    assert_int_equal(p->arrived, 0);
    give(p, SSRC, 64900, 500, p->now - TDM_MS);
    give(p, SSRC, 65000, 100, TDM_NEVER);
    assert_int_equal(p->again, 100);
    assert_int_equal(p->arrived + p->lost, 0);
    assert_int_equal(p->log.inflight_bytes, 0);
}

/* A message that nobody answers for minutes leaves no weight behind. */
static void test_never_told(void **state)
{
    struct path *p = path_of(false);

    (void)state;
    for (int i = 0; i < 3 * TDM_SENT_LOG_PACKETS; i++) {
        (void)leave(p);
        p->now += TDM_MS;
    }
    assert_int_equal(p->log.inflight_bytes, (uint64_t)TDM_SENT_LOG_PACKETS * BYTES);
    run(p, 10 * TDM_S);
    tell(p);
    assert_in_range(p->arrived, 2480, 2500);
}

/* More sources than are remembered: the one that was silent longest gives way. */
static void test_many_sources(void **state)
{
    struct path *p = path_of(false);

    (void)state;
    for (uint32_t i = 0; i < 3 * TDM_SENT_LOG_SOURCES; i++)
        tdm_sent_log_packet(
            &p->log, p->now,
            &(struct tdm_sent_note){
                .ssrc = 1000 + i, .seq = 5, .bytes = BYTES, .number = TDM_SENT_LOG_NONE});
    give(p, 1000, 5, 1, p->now);
    assert_int_equal(p->arrived, 0);
    give(p, 1000 + 3 * TDM_SENT_LOG_SOURCES - 1, 5, 1, p->now);
    assert_int_equal(p->arrived, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),    cmocka_unit_test(test_loss),
        cmocka_unit_test(test_reordered),    cmocka_unit_test(test_lost_feedback),
        cmocka_unit_test(test_marks),        cmocka_unit_test(test_same_bytes_again),
        cmocka_unit_test(test_lies),         cmocka_unit_test(test_never_told),
        cmocka_unit_test(test_many_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

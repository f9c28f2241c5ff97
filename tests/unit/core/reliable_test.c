/* SPDX-License-Identifier: MIT */
/* Single situations of the reliable stream; drawn links are in tests/sim/reliable_test.c. */
#include "engine/core/reliable.h"
#include "engine/wire/reliable_datagram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ONE_WAY (10 * TDM_MS)

static struct tdm_reliable *cores[2];
static struct tdm_reliable_out out;
static tdm_time now;
static uint32_t answer_counts[2];

static int set_up(void **state)
{
    (void)state;
    now = TDM_S;
    answer_counts[0] = answer_counts[1] = 0;
    for (int i = 0; i < 2; i++)
        cores[i] = tdm_reliable_init(
            malloc(tdm_reliable_bytes()),
            &(struct tdm_reliable_config){.opener = i == 0, .id = 0xfffffffe}, now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(cores[0]);
    free(cores[1]);
    return 0;
}

static void give(int to, const uint8_t *data, size_t size)
{
    tdm_reliable_step(
        cores[to], now,
        &(struct tdm_reliable_in){.kind = TDM_RELIABLE_RECEIVED, .data = data, .size = size}, &out);
}

/* What an end has said and the other one has not heard yet. */
struct said {
    uint8_t data[TDM_RELIABLE_DATAGRAM];
    size_t size;
};

static uint32_t take_out(struct said *said, uint32_t count)
{
    if (!out.size)
        return count;
    assert_true(count < 256);
    memcpy(said[count].data, out.data, out.size);
    said[count].size = out.size;
    return count + 1;
}

/* What each says now reaches the other one ten milliseconds later. */
static void exchange(void)
{
    static struct said said[2][256], answers[2][256];
    uint32_t counts[2] = {answer_counts[0], answer_counts[1]};

    memcpy(said, answers, sizeof said);
    answer_counts[0] = answer_counts[1] = 0;
    for (int i = 0; i < 2; i++)
        do {
            tdm_reliable_step(cores[i], now, NULL, &out);
            counts[i] = take_out(said[i], counts[i]);
        } while (out.wake_at <= now);
    now += ONE_WAY;
    for (int i = 0; i < 2; i++)
        for (uint32_t k = 0; k < counts[i]; k++) {
            give(!i, said[i][k].data, said[i][k].size);
            answer_counts[!i] = take_out(answers[!i], answer_counts[!i]);
        }
}

static void open_both(void)
{
    for (int i = 0; i < 4; i++)
        exchange();
    assert_int_equal(tdm_reliable_state_of(cores[0]), TDM_RELIABLE_UP);
    assert_int_equal(tdm_reliable_state_of(cores[1]), TDM_RELIABLE_UP);
}

/* What `from` says next, made into a head. */
static void listen_to(int from, struct tdm_reliable_head *head, uint8_t *bytes)
{
    for (int i = 0; i < 1000; i++) {
        tdm_reliable_step(cores[from], now, NULL, &out);
        if (out.size)
            break;
        assert_true(out.wake_at != TDM_NEVER);
        now = tdm_time_max(now, out.wake_at);
    }
    assert_true(out.size > 0);
    memcpy(bytes, out.data, out.size);
    assert_int_equal(tdm_reliable_parse(head, bytes, out.size), TDM_OK);
}

static void say(int to, const struct tdm_reliable_head *head)
{
    uint8_t bytes[TDM_RELIABLE_DATAGRAM];
    size_t size = sizeof bytes;

    assert_int_equal(tdm_reliable_put(head, bytes, &size), TDM_OK);
    give(to, bytes, size);
}

static void test_opens(void **state)
{
    uint8_t byte = 7, got = 0;

    (void)state;
    assert_int_equal(tdm_reliable_state_of(cores[1]), TDM_RELIABLE_IDLE);
    assert_int_equal(tdm_reliable_write(cores[1], &byte, 1), 0); /* Nobody to say it to. */
    open_both();
    assert_int_equal(tdm_reliable_write(cores[1], &byte, 1), 1);
    exchange();
    assert_int_equal(tdm_reliable_read(cores[0], &got, 1), 1);
    assert_int_equal(got, 7);
}

/* A later opening replaces what is there, an earlier one (modulo 2^32) does not. */
static void test_opens_anew(void **state)
{
    struct tdm_reliable_head head = {.flags = TDM_RELIABLE_OPEN, .id = 0xfffffffd};

    (void)state;
    open_both();
    say(1, &head);
    assert_false(out.begun);
    head.id = 3;
    say(1, &head);
    assert_true(out.begun);
    head = (struct tdm_reliable_head){.id = 4}; /* Not an opening. */
    say(1, &head);
    assert_false(out.begun);
}

/* The timer backs off, and an end that hears nothing for long gives up. */
static void test_silence(void **state)
{
    struct tdm_reliable_head head;
    uint8_t bytes[TDM_RELIABLE_DATAGRAM];
    tdm_time before = 0, first = 0;

    (void)state;
    open_both();
    assert_int_equal(tdm_reliable_write(cores[0], bytes, 100), 100);
    for (int i = 0; i < 4; i++) {
        listen_to(0, &head, bytes);
        if (head.size == 0) {
            i--;
            continue;
        }
        assert_int_equal(head.size, 100);
        assert_int_equal(head.offset, 0);
        if (i > 1)
            assert_true(now - before >= 2 * first - TDM_MS);
        first = i ? now - before : 0;
        before = now;
    }
    for (int i = 0; i < 1000 && out.wake_at != TDM_NEVER; i++) {
        now = tdm_time_max(now, out.wake_at);
        tdm_reliable_step(cores[0], now, NULL, &out);
    }
    assert_int_equal(tdm_reliable_state_of(cores[0]), TDM_RELIABLE_LOST);
    assert_int_equal(tdm_reliable_write(cores[0], bytes, 100), 0);
}

/* One hole, and what was sent after it has arrived: it is filled without waiting for the timer. */
static void test_fast(void **state)
{
    struct tdm_reliable_head head, sent;
    uint8_t bytes[TDM_RELIABLE_DATAGRAM], data[5000] = {0};
    struct tdm_reliable_stats stats;

    (void)state;
    open_both();
    assert_int_equal(tdm_reliable_write(cores[0], data, sizeof data), sizeof data);
    for (int i = 0; i < 4; i++)
        listen_to(0, &sent, bytes);
    now += 2 * ONE_WAY;
    head = (struct tdm_reliable_head){
        .id = sent.id, .window = 100000, .range_count = 1, .ranges = {{1052, 3 * 1052}}};
    tdm_time then = now;

    say(0, &head);
    if (!out.size)
        listen_to(0, &sent, bytes);
    else
        assert_int_equal(tdm_reliable_parse(&sent, out.data, out.size), TDM_OK);
    for (int i = 0; i < 2 && sent.offset; i++)
        listen_to(0, &sent, bytes);
    assert_int_equal(sent.offset, 0);
    assert_true(now - then < 50 * TDM_MS);
    tdm_reliable_stats_of(cores[0], &stats);
    assert_int_equal(stats.datagrams_again, 1);
}

/* What was never sent cannot have arrived; nothing of such a datagram counts. */
static void test_lies(void **state)
{
    struct tdm_reliable_head head = {.id = 0xfffffffe, .acked = 1, .window = UINT32_MAX};
    struct tdm_reliable_stats stats;

    (void)state;
    open_both();
    head.data = (const uint8_t *)"x";
    head.size = 1;
    say(0, &head);
    tdm_reliable_stats_of(cores[0], &stats);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(tdm_reliable_readable(cores[0]), 0);
    /* Beyond the window that we told: not kept, and not more than the buffer ever. */
    head.acked = 0;
    head.offset = TDM_RELIABLE_BUFFER;
    say(0, &head);
    head.offset = 0;
    say(0, &head);
    assert_int_equal(tdm_reliable_readable(cores[0]), 1);
}

/* Who does not read stops the other side; who reads again lets it go on. */
static void test_window(void **state)
{
    static uint8_t data[2 * TDM_RELIABLE_BUFFER];
    size_t written = 0, read = 0;

    (void)state;
    open_both();
    for (int i = 0; i < 3000 && read < sizeof data; i++) {
        written += tdm_reliable_write(cores[0], data, sizeof data - written);
        exchange();
        assert_true(tdm_reliable_readable(cores[1]) <= TDM_RELIABLE_BUFFER);
        if (i == 1500) /* All that may be there is there. */
            assert_int_equal(tdm_reliable_readable(cores[1]), TDM_RELIABLE_BUFFER);
        if (i > 1500)
            read += tdm_reliable_read(cores[1], data, sizeof data);
    }
    assert_int_equal(read, sizeof data);
}

/* A queue of more than 20 ms makes the window smaller, without a loss. */
static void test_gives_way(void **state)
{
    static uint8_t data[TDM_RELIABLE_BUFFER];
    struct tdm_reliable_head sent;
    uint8_t bytes[TDM_RELIABLE_DATAGRAM];
    struct tdm_reliable_stats before, after;
    uint64_t acked = 0;

    (void)state;
    open_both();
    for (int i = 0; i < 300; i++) {
        (void)tdm_reliable_write(cores[0], data, sizeof data);
        listen_to(0, &sent, bytes);
        if (sent.size == 0)
            continue;
        if (i == 150)
            tdm_reliable_stats_of(cores[0], &before);
        acked = sent.offset + sent.size;
        now += ONE_WAY;
        say(0, &(struct tdm_reliable_head){.flags = TDM_RELIABLE_ECHO,
                                           .id = sent.id,
                                           .echo_us = sent.time_us,
                                           .delay_us = i < 150 ? 5000 : 65000,
                                           .acked = acked,
                                           .window = 200000});
    }
    tdm_reliable_stats_of(cores[0], &after);
    assert_int_equal(after.datagrams_again, 0);
    assert_true(after.queue_delay == 60 * TDM_MS);
    assert_true(after.window_bytes < before.window_bytes);
}

static void test_closes(void **state)
{
    (void)state;
    open_both();
    tdm_reliable_step(cores[0], now, &(struct tdm_reliable_in){.kind = TDM_RELIABLE_CLOSE}, &out);
    assert_true(out.size > 0);
    uint8_t bytes[TDM_RELIABLE_DATAGRAM];
    size_t size = out.size;

    memcpy(bytes, out.data, size);
    give(1, bytes, size);
    assert_int_equal(tdm_reliable_state_of(cores[1]), TDM_RELIABLE_CLOSED);
    assert_true(out.wake_at == TDM_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_opens_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fast, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gives_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/wire/twcc.h"

#include "engine/base/rng.h"
#include "engine/wire/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Typed from the figures of sections 3.1 to 3.1.5 of the draft. Base 5, seven statuses, reference
 * 3 * 64 ms, message 9; two-bit symbols 1 2 0 1 0 0 1; deltas 1 ms, -2 ms, 10 ms, 0.25 ms; one byte
 * of padding. */
static const uint8_t two_bit[] = {
    0xaf, 205, 0, 6, 0, 0, 0,    7,    0,    0,    0,    9,    0,    5,
    0,    7,   0, 0, 3, 9, 0xd8, 0x41, 0x04, 0xff, 0xf8, 0x28, 0x01, 1,
};
/* Base 0xfffe, 22 statuses; a run of 20 that came (0x2014) at intervals of 5 ms, then one-bit
 * symbols 0 1 in a chunk of 14 (0x9000). */
static const uint8_t run_and_bits[] = {
    0xaf, 205, 0,  11, 0,    0,  0,    7,    0,  0,  0,  9,  0xff, 0xfe, 0,  22,
    0,    0,   1,  0,  0x20, 20, 0x90, 0x00, 0,  20, 20, 20, 20,   20,   20, 20,
    20,   20,  20, 20, 20,   20, 20,   20,   20, 20, 20, 20, 40,   0,    0,  3,
};

struct list {
    uint16_t base, count;
    uint8_t feedback_count;
    tdm_time arrivals[TDM_TWCC_READ_MAX];
};

static enum tdm_err read_list(const uint8_t *data, size_t size, struct list *list)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(data, size);
    struct tdm_rtcp_item item;
    struct tdm_twcc_status status;
    enum tdm_err err = tdm_rtcp_next(&reader, &item);

    if (err != TDM_OK)
        return err;
    assert_int_equal(item.kind, TDM_RTCP_TWCC);
    list->base = item.twcc.seq;
    list->count = 0;
    list->feedback_count = item.twcc.feedback_count;
    while (tdm_twcc_next(&item.twcc, &status) == TDM_OK) {
        assert_int_equal(status.seq, (uint16_t)(list->base + list->count));
        assert_int_equal(status.received, status.arrival != TDM_NEVER);
        list->arrivals[list->count++] = status.arrival;
    }
    return TDM_OK;
}

static void test_figures(void **state)
{
    static struct list list;
    static const tdm_time first[] = {193 * TDM_MS,
                                     191 * TDM_MS,
                                     TDM_NEVER,
                                     201 * TDM_MS,
                                     TDM_NEVER,
                                     TDM_NEVER,
                                     201 * TDM_MS + 250 * TDM_US};

    (void)state;
    assert_int_equal(read_list(two_bit, sizeof two_bit, &list), TDM_OK);
    assert_int_equal(list.base, 5);
    assert_int_equal(list.count, 7);
    assert_int_equal(list.feedback_count, 9);
    assert_memory_equal(list.arrivals, first, sizeof first);

    assert_int_equal(read_list(run_and_bits, sizeof run_and_bits, &list), TDM_OK);
    assert_int_equal(list.base, 0xfffe);
    assert_int_equal(list.count, 22);
    for (int i = 0; i < 20; i++)
        assert_int_equal(list.arrivals[i], 64 * TDM_MS + i * 5 * TDM_MS);
    assert_true(list.arrivals[20] == TDM_NEVER);
    assert_int_equal(list.arrivals[21], 64 * TDM_MS + 105 * TDM_MS);
}

static uint16_t write_row(uint8_t bytes[TDM_TWCC_BYTES_MAX], uint16_t base, uint8_t number,
                          const tdm_time *arrivals, uint16_t count, size_t *size)
{
    struct tdm_writer w = tdm_writer_of(bytes, TDM_TWCC_BYTES_MAX);
    uint16_t told = tdm_twcc_write(&w, &(struct tdm_twcc_feedback){.sender_ssrc = 7,
                                                                   .media_ssrc = 9,
                                                                   .feedback_count = number,
                                                                   .base_seq = base,
                                                                   .count = count,
                                                                   .arrivals = arrivals});

    assert_true(w.ok);
    *size = tdm_writer_size(&w);
    return told;
}

static void test_written_as_figured(void **state)
{
    static struct list list;
    uint8_t bytes[TDM_TWCC_BYTES_MAX];
    size_t size;

    (void)state;
    assert_int_equal(read_list(two_bit, sizeof two_bit, &list), TDM_OK);
    assert_int_equal(write_row(bytes, 5, 9, list.arrivals, 7, &size), 7);
    assert_int_equal(size, sizeof two_bit);
    assert_memory_equal(bytes, two_bit, size);

    assert_int_equal(read_list(run_and_bits, sizeof run_and_bits, &list), TDM_OK);
    assert_int_equal(write_row(bytes, 0xfffe, 0, list.arrivals, 22, &size), 22);
    assert_int_equal(read_list(bytes, size, &list), TDM_OK);
    assert_int_equal(list.count, 22);
    assert_memory_equal(bytes + 20, run_and_bits + 20, 2); /* The run. */
}

/* What nobody got, and times that one message cannot hold. */
static void test_what_does_not_fit(void **state)
{
    static const tdm_time none[] = {TDM_NEVER, TDM_NEVER};
    static const tdm_time tail[] = {TDM_S, TDM_NEVER, TDM_NEVER};
    static const tdm_time apart[] = {TDM_S, TDM_NEVER, 10 * TDM_S};
    static const tdm_time below[] = {-TDM_S, -999 * TDM_MS};
    static struct list list;
    uint8_t bytes[TDM_TWCC_BYTES_MAX];
    size_t size;

    (void)state;
    assert_int_equal(write_row(bytes, 1, 0, none, 2, &size), 0);
    assert_int_equal(size, 0);
    assert_int_equal(write_row(bytes, 1, 0, tail, 3, &size), 1);
    assert_int_equal(write_row(bytes, 1, 0, apart, 3, &size), 1);
    assert_int_equal(write_row(bytes, 1, 0, below, 2, &size), 2);
    assert_int_equal(read_list(bytes, size, &list), TDM_OK);
    assert_int_equal(list.arrivals[0], -TDM_S);
    assert_int_equal(list.arrivals[1], -999 * TDM_MS);
}

/* Whatever the losses and times, the same comes back, to the tick. */
static void test_round_trips(void **state)
{
    static struct list list;
    struct tdm_rng rng = tdm_rng_of(15);
    tdm_time arrivals[TDM_TWCC_WRITE_MAX];
    uint8_t bytes[TDM_TWCC_BYTES_MAX];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        bool slow = round % 2 == 0; /* No two are further apart than a message can say. */
        uint16_t count = (uint16_t)(1 + tdm_rng_below(&rng, slow ? 25 : TDM_TWCC_WRITE_MAX));
        double loss = tdm_rng_unit(&rng) * (round % 3 ? 0.1 : 1);
        tdm_time at = TDM_S + (tdm_time)tdm_rng_below(&rng, 1000000) * TDM_US;
        uint16_t last = 0;
        size_t size;

        for (uint16_t i = 0; i < count; i++) {
            at += (tdm_time)tdm_rng_below(&rng, slow ? 300000 : 30000) * TDM_US;
            arrivals[i] = tdm_rng_chance(&rng, loss) ? TDM_NEVER : at;
            if (arrivals[i] != TDM_NEVER)
                last = (uint16_t)(i + 1);
            if (tdm_rng_chance(&rng, 0.05))
                at -= 20 * TDM_MS;
        }
        assert_int_equal(write_row(bytes, 65500, 1, arrivals, count, &size), last);
        if (!last)
            continue;
        assert_int_equal(size % 4, 0);
        assert_int_equal(read_list(bytes, size, &list), TDM_OK);
        assert_int_equal(list.count, last);
        for (uint16_t i = 0; i < last; i++) {
            assert_int_equal(list.arrivals[i] == TDM_NEVER, arrivals[i] == TDM_NEVER);
            if (arrivals[i] != TDM_NEVER)
                assert_int_equal(list.arrivals[i], arrivals[i] / TDM_TWCC_TICK * TDM_TWCC_TICK);
        }
    }
}

static void test_malformed(void **state)
{
    static struct list list;
    uint8_t bytes[sizeof two_bit];

    (void)state;
    /* Cut anywhere, with the length field to match. */
    for (size_t words = 3; words < sizeof two_bit / 4; words++) {
        memcpy(bytes, two_bit, sizeof bytes);
        bytes[0] &= 0xdf;
        bytes[3] = (uint8_t)(words - 1);
        assert_int_equal(read_list(bytes, words * 4, &list), TDM_E_MALFORMED);
    }
    const struct {
        size_t at;
        uint8_t value;
    } damages[] = {
        {15, 0},    /* No statuses. */
        {14, 0x11}, /* More than anybody sends. */
        {20, 0x00}, /* A run... */
        {20, 0xf8}, /* A reserved symbol. */
        {15, 21},   /* The next chunk would lie in the deltas, and be no good. */
    };

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        memcpy(bytes, two_bit, sizeof bytes);
        bytes[damages[i].at] = damages[i].value;
        if (damages[i].at == 20 && damages[i].value == 0)
            bytes[21] = 0; /* ... of nothing. */
        assert_int_equal(read_list(bytes, sizeof bytes, &list), TDM_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),           cmocka_unit_test(test_written_as_figured),
        cmocka_unit_test(test_what_does_not_fit), cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

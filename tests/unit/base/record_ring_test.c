/* SPDX-License-Identifier: MIT */
#include "engine/base/record_ring.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 4096

static _Alignas(TDM_RECORD_ALIGN) uint8_t storage[SIZE + TDM_RECORD_ALIGN];

/* What a record of this size holds, so that the reader can tell. */
static void fill(uint8_t *record, uint32_t size, uint32_t number)
{
    for (uint32_t i = 0; i < size; i++)
        record[i] = (uint8_t)(number * 31 + i);
}

static void check(const uint8_t *record, uint32_t size, uint32_t number)
{
    for (uint32_t i = 0; i < size; i++)
        if (record[i] != (uint8_t)(number * 31 + i))
            fail_msg("record %u of %u bytes is damaged at %u", number, size, i);
}

static bool push(struct tdm_record_ring *r, uint32_t size, uint32_t number)
{
    uint8_t *record = tdm_record_ring_reserve(r, size);

    if (!record)
        return false;
    assert_true(record >= storage && record + size <= storage + SIZE);
    assert_int_equal((uintptr_t)record % TDM_RECORD_ALIGN, 0);
    fill(record, size, number);
    tdm_record_ring_commit(r);
    return true;
}

static bool pop(struct tdm_record_ring *r, uint32_t expected_size, uint32_t number)
{
    uint32_t size;
    uint8_t *record = tdm_record_ring_peek(r, &size);

    if (!record)
        return false;
    assert_ptr_equal(record, tdm_record_ring_peek(r, &size)); /* Looking changes nothing. */
    assert_int_equal(size, expected_size);
    check(record, size, number);
    tdm_record_ring_release(r);
    return true;
}

static void test_sizes(void **state)
{
    static const struct {
        uint32_t size;
        bool fits;
    } rows[] = {{0, true},
                {1, true},
                {63, true},
                {64, true},
                {65, true},
                {SIZE / 4, true},
                {SIZE / 4 + 1, false},
                {SIZE, false},
                {UINT32_MAX, false},
                {UINT32_MAX - 64, false}};
    struct tdm_record_ring r;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tdm_record_ring_init(&r, storage, SIZE);
        for (uint32_t turn = 0; turn < 20; turn++) { /* From each place in the ring. */
            assert_int_equal(push(&r, rows[i].size, turn), rows[i].fits);
            assert_int_equal(pop(&r, rows[i].size, turn), rows[i].fits);
        }
        assert_int_equal(atomic_load(&r.dropped), rows[i].fits ? 0 : 20);
        assert_int_equal(storage[SIZE], 0); /* Not a byte over. */
    }
}

static void test_full_and_empty(void **state)
{
    struct tdm_record_ring r;
    uint32_t held = 0;
    uint32_t size;

    (void)state;
    tdm_record_ring_init(&r, storage, SIZE);
    assert_null(tdm_record_ring_peek(&r, &size));
    while (push(&r, 100, held))
        held++;
    assert_int_equal(held, SIZE / (64 + 128));
    assert_int_equal(atomic_load(&r.dropped), 1);
    for (uint32_t i = 0; i < held; i++)
        assert_true(pop(&r, 100, i));
    assert_null(tdm_record_ring_peek(&r, &size));
    /* Reserved but not committed is not seen. */
    assert_non_null(tdm_record_ring_reserve(&r, 10));
    assert_null(tdm_record_ring_peek(&r, &size));
}

/* Random sizes beside a queue that is sure to be right; the 32-bit counters wrap on the way. */
static void test_against_a_queue(void **state)
{
    enum { HELD = 64 };
    struct tdm_rng rng = tdm_rng_of(8);
    struct tdm_record_ring r;
    uint32_t sizes[HELD] = {0};
    uint32_t in = 0;
    uint32_t out = 0;

    (void)state;
    tdm_record_ring_init(&r, storage, SIZE);
    atomic_store(&r.head, 0u - 100 * SIZE);
    atomic_store(&r.tail, 0u - 100 * SIZE);
    for (int i = 0; i < 100000; i++) {
        if (tdm_rng_chance(&rng, 0.55)) {
            uint32_t size = tdm_rng_below(&rng, SIZE / 4 + 1);

            if (push(&r, size, in))
                sizes[in++ % HELD] = size;
            else
                assert_true(in != out); /* An empty ring takes any record. */
        } else {
            assert_int_equal(pop(&r, sizes[out % HELD], out), in != out);
            out += in != out;
        }
    }
    assert_true(in > 10000);
}

#define RECORDS 50000

static void *produce(void *arg)
{
    struct tdm_rng rng = tdm_rng_of(4);

    for (uint32_t number = 0; number < RECORDS; number++) {
        uint32_t size = tdm_rng_below(&rng, SIZE / 4);
        uint8_t *record;

        while (!(record = tdm_record_ring_reserve(arg, size)))
            (void)sched_yield();
        fill(record, size, number);
        tdm_record_ring_commit(arg);
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct tdm_rng rng = tdm_rng_of(4);
    struct tdm_record_ring r;
    pthread_t thread;

    (void)state;
    tdm_record_ring_init(&r, storage, SIZE);
    assert_int_equal(pthread_create(&thread, NULL, produce, &r), 0);
    for (uint32_t number = 0; number < RECORDS; number++) {
        uint32_t size = tdm_rng_below(&rng, SIZE / 4);

        while (!pop(&r, size, number))
            (void)sched_yield();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_full_and_empty),
        cmocka_unit_test(test_against_a_queue),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

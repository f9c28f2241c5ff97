/* SPDX-License-Identifier: MIT */
#include "engine/base/ring.h"

#include "engine/base/rng.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#define SLOT_COUNT    8
#define ELEMENT_COUNT 200000

static void test_full_and_empty(void **state)
{
    uint32_t storage[4], value;
    struct tdm_ring ring;

    (void)state;
    tdm_ring_init(&ring, storage, sizeof *storage, 4);
    assert_null(tdm_ring_peek(&ring));
    assert_int_equal(tdm_ring_pop(&ring, &value), TDM_E_AGAIN);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(tdm_ring_push(&ring, &i), TDM_OK);
    assert_int_equal(tdm_ring_count(&ring), 4);
    assert_int_equal(tdm_ring_push(&ring, &value), TDM_E_SPACE);
    assert_null(tdm_ring_reserve(&ring));
    assert_int_equal(atomic_load(&ring.dropped), 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(tdm_ring_pop(&ring, &value), TDM_OK);
        assert_int_equal(value, i);
    }
    assert_int_equal(tdm_ring_count(&ring), 0);
}

static void test_a_reserved_slot_is_unseen_until_commit(void **state)
{
    uint32_t storage[2];
    struct tdm_ring ring;

    (void)state;
    tdm_ring_init(&ring, storage, sizeof *storage, 2);
    uint32_t *slot = tdm_ring_reserve(&ring);

    *slot = 9;
    assert_null(tdm_ring_peek(&ring));
    assert_ptr_equal(tdm_ring_reserve(&ring), slot); /* The same one until it is committed. */
    tdm_ring_commit(&ring);
    assert_ptr_equal(tdm_ring_peek(&ring), slot);
    assert_int_equal(tdm_ring_count(&ring), 1);
    tdm_ring_release(&ring);
    assert_null(tdm_ring_peek(&ring));
}

/* Against a plain queue, over the wrap of the 32-bit counters. */
static void test_as_a_queue_over_the_wrap(void **state)
{
    uint64_t storage[SLOT_COUNT], next_in = 0, next_out = 0;
    struct tdm_rng rng = tdm_rng_of(5);
    struct tdm_ring ring;

    (void)state;
    tdm_ring_init(&ring, storage, sizeof *storage, SLOT_COUNT);
    atomic_store(&ring.head, UINT32_MAX - 500);
    atomic_store(&ring.tail, UINT32_MAX - 500);
    for (int i = 0; i < 5000; i++) {
        if (tdm_rng_below(&rng, 2)) {
            bool full = next_in - next_out == SLOT_COUNT;

            assert_int_equal(tdm_ring_push(&ring, &next_in), full ? TDM_E_SPACE : TDM_OK);
            next_in += !full;
        } else {
            bool empty = next_in == next_out;
            uint64_t value = 0;

            assert_int_equal(tdm_ring_pop(&ring, &value), empty ? TDM_E_AGAIN : TDM_OK);
            if (!empty)
                assert_int_equal(value, next_out++);
        }
        assert_int_equal(tdm_ring_count(&ring), next_in - next_out);
    }
}

struct element {
    uint64_t number, check;
};

static void *produce(void *arg)
{
    struct tdm_ring *ring = arg;

    for (uint64_t i = 0; i < ELEMENT_COUNT;) {
        const struct element element = {i, ~i};

        if (tdm_ring_push(ring, &element) == TDM_OK)
            i++;
        else
            (void)sched_yield();
    }
    return NULL;
}

/* Two threads: every element arrives once, in order and whole. */
static void test_two_threads(void **state)
{
    struct element storage[SLOT_COUNT], element;
    struct tdm_ring ring;
    pthread_t producer;

    (void)state;
    tdm_ring_init(&ring, storage, sizeof *storage, SLOT_COUNT);
    assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
    for (uint64_t i = 0; i < ELEMENT_COUNT;) {
        if (tdm_ring_pop(&ring, &element) != TDM_OK) {
            (void)sched_yield();
            continue;
        }
        assert_true(element.number == i && element.check == ~i);
        i++;
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_null(tdm_ring_peek(&ring));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_and_empty),
        cmocka_unit_test(test_a_reserved_slot_is_unseen_until_commit),
        cmocka_unit_test(test_as_a_queue_over_the_wrap),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

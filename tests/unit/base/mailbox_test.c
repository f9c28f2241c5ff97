/* SPDX-License-Identifier: MIT */
#include "engine/base/mailbox.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define VALUE_COUNT 200000

static void test_latest_wins(void **state)
{
    uint32_t slots[TDM_MAILBOX_SLOTS];
    struct tdm_mailbox mailbox;
    uint8_t slot = 0xff;

    (void)state;
    tdm_mailbox_init(&mailbox);
    assert_false(tdm_mailbox_take(&mailbox, &slot));
    for (uint32_t value = 1; value <= 3; value++) {
        slots[tdm_mailbox_back(&mailbox)] = value;
        tdm_mailbox_publish(&mailbox);
    }
    assert_true(tdm_mailbox_take(&mailbox, &slot));
    assert_int_equal(slots[slot], 3);
    assert_int_equal(atomic_load(&mailbox.replaced), 2);
    assert_false(tdm_mailbox_take(&mailbox, &slot));
}

/* The consumer's slot is never the one that the producer fills. */
static void test_the_taken_slot_stays_the_consumers(void **state)
{
    struct tdm_mailbox mailbox;
    uint8_t slot = 0;

    (void)state;
    tdm_mailbox_init(&mailbox);
    for (int round = 0; round < 20; round++) {
        tdm_mailbox_publish(&mailbox);
        assert_true(tdm_mailbox_take(&mailbox, &slot));
        for (int i = 0; i < 5; i++) {
            assert_int_not_equal(tdm_mailbox_back(&mailbox), slot);
            tdm_mailbox_publish(&mailbox);
            assert_int_not_equal(tdm_mailbox_back(&mailbox), slot);
        }
        assert_true(tdm_mailbox_take(&mailbox, &slot));
    }
}

struct shared {
    struct tdm_mailbox mailbox;
    uint64_t slots[TDM_MAILBOX_SLOTS][16];
};

static void *produce(void *arg)
{
    struct shared *shared = arg;

    for (uint64_t value = 1; value <= VALUE_COUNT; value++) {
        uint64_t *slot = shared->slots[tdm_mailbox_back(&shared->mailbox)];

        for (int i = 0; i < 16; i++)
            slot[i] = value;
        tdm_mailbox_publish(&shared->mailbox);
    }
    return NULL;
}

/* Two threads: values come whole, newer each time, and the last one always arrives; what was not
 * taken was counted. */
static void test_two_threads(void **state)
{
    struct shared shared = {0};
    pthread_t producer;
    uint64_t last = 0, taken = 0;
    uint8_t slot;

    (void)state;
    tdm_mailbox_init(&shared.mailbox);
    assert_int_equal(pthread_create(&producer, NULL, produce, &shared), 0);
    while (last < VALUE_COUNT) {
        if (!tdm_mailbox_take(&shared.mailbox, &slot)) {
            (void)sched_yield();
            continue;
        }
        uint64_t value = shared.slots[slot][0];

        assert_true(value > last);
        for (int i = 1; i < 16; i++)
            assert_true(shared.slots[slot][i] == value);
        last = value;
        taken++;
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(taken + atomic_load(&shared.mailbox.replaced), VALUE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latest_wins),
        cmocka_unit_test(test_the_taken_slot_stays_the_consumers),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}

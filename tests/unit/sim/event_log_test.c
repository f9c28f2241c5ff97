/* SPDX-License-Identifier: MIT */
#include "sim/event_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void keeps_the_latest_and_hashes_all(void **state)
{
    struct tdm_sim_event records[4];
    struct tdm_sim_log log, bare;

    (void)state;
    tdm_sim_log_init(&log, records, 4);
    tdm_sim_log_init(&bare, NULL, 0);
    for (uint32_t i = 0; i < 10; i++) {
        tdm_sim_log_add(&log, &(struct tdm_sim_event){.at = i, .a = i});
        tdm_sim_log_add(&bare, &(struct tdm_sim_event){.at = i, .a = i});
    }
    assert_int_equal(log.hash, bare.hash);
    assert_null(tdm_sim_log_at(&log, 5));
    assert_null(tdm_sim_log_at(&log, 10));
    assert_null(tdm_sim_log_at(&bare, 9));
    assert_int_equal(tdm_sim_log_at(&log, 6)->a, 6);
    assert_int_equal(tdm_sim_log_at(&log, 9)->a, 9);
}

static void every_field_counts(void **state)
{
    static const struct tdm_sim_event events[] = {
        {.at = 1}, {.kind = 1}, {.side = 1}, {.stream = 1}, {.a = 1}, {.b = 1}, {0}};
    uint64_t hashes[7];

    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        struct tdm_sim_log log;

        tdm_sim_log_init(&log, NULL, 0);
        tdm_sim_log_add(&log, &events[i]);
        hashes[i] = log.hash;
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(hashes[i], hashes[j]);
    }
}

static void each_byte_and_the_length_change_the_hash(void **state)
{
    uint8_t bytes[37] = {0};
    uint64_t plain = tdm_sim_hash(0, bytes, sizeof(bytes));

    (void)state;
    assert_int_not_equal(plain, tdm_sim_hash(0, bytes, sizeof(bytes) - 1));
    assert_int_not_equal(plain, tdm_sim_hash(1, bytes, sizeof(bytes)));
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 1;
        assert_int_not_equal(plain, tdm_sim_hash(0, bytes, sizeof(bytes)));
        bytes[i] = 0;
    }
    assert_int_equal(plain, tdm_sim_hash(0, bytes, sizeof(bytes)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_latest_and_hashes_all),
        cmocka_unit_test(every_field_counts),
        cmocka_unit_test(each_byte_and_the_length_change_the_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/base/bytes.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_reads_big_endian(void **state)
{
    static const uint8_t data[] = {1,    2,    3,    4,    5,    6,    7,    8,    9,
                                   0x0a, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
    struct tdm_reader r = tdm_reader_of(data, sizeof data);

    (void)state;
    assert_int_equal(tdm_read_u8(&r), 0x01);
    assert_int_equal(tdm_read_u16(&r), 0x0203);
    assert_int_equal(tdm_read_u24(&r), 0x040506);
    assert_int_equal(tdm_read_u32(&r), 0x0708090a);
    assert_int_equal(tdm_reader_left(&r), 8);
    assert_int_equal(tdm_read_u64(&r), 0x1112131415161718);
    assert_true(r.ok);
    assert_int_equal(tdm_reader_left(&r), 0);
    assert_non_null(tdm_read_bytes(&r, 0)); /* Nothing of nothing is no failure. */
    assert_true(r.ok);
}

static void test_read_past_the_end_sticks(void **state)
{
    static const uint8_t data[] = {1, 2, 3};
    struct tdm_reader r = tdm_reader_of(data, sizeof data);

    (void)state;
    assert_int_equal(tdm_read_u32(&r), 0);
    assert_false(r.ok);
    /* Not even what would have fitted. */
    assert_int_equal(tdm_read_u8(&r), 0);
    assert_null(tdm_read_bytes(&r, 0));
    assert_int_equal(tdm_reader_left(&r), 0);

    r = tdm_reader_of(data, sizeof data);
    tdm_read_skip(&r, SIZE_MAX);
    assert_false(r.ok);
    r = tdm_reader_of(NULL, 0);
    assert_int_equal(tdm_read_u8(&r), 0);
    assert_false(r.ok);
}

static void test_sub_reader(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4};
    struct tdm_reader r = tdm_reader_of(data, sizeof data);
    struct tdm_reader sub = tdm_read_sub(&r, 3);

    (void)state;
    assert_int_equal(tdm_read_u16(&sub), 0x0102);
    assert_int_equal(tdm_read_u16(&sub), 0); /* Does not reach into the outer one. */
    assert_false(sub.ok);
    assert_true(r.ok);
    assert_int_equal(tdm_read_u8(&r), 4);
    sub = tdm_read_sub(&r, 1);
    assert_false(sub.ok);
    assert_false(r.ok);
    assert_int_equal(tdm_reader_left(&sub), 0);
}

static void test_writes_and_sticks(void **state)
{
    static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'a', 'b'};
    uint8_t data[13] = {[12] = 0xee};
    struct tdm_writer w = tdm_writer_of(data, 12);

    (void)state;
    tdm_write_u8(&w, 1);
    tdm_write_u16(&w, 0x0203);
    tdm_write_u24(&w, 0x040506);
    tdm_write_u32(&w, 0x0708090a);
    assert_int_equal(tdm_writer_left(&w), 2);
    tdm_write_bytes(&w, "ab", 2);
    assert_true(w.ok);
    assert_int_equal(tdm_writer_size(&w), 12);
    assert_memory_equal(data, want, sizeof want);
    tdm_write_bytes(&w, NULL, 0);
    assert_true(w.ok);
    tdm_write_u8(&w, 1);
    assert_false(w.ok);
    assert_int_equal(data[12], 0xee);
    assert_null(tdm_write_reserve(&w, 0));
    assert_int_equal(tdm_writer_size(&w), 12);

    w = tdm_writer_of(data, 12);
    tdm_write_u64(&w, 0x0102030405060708);
    tdm_write_u64(&w, 0); /* All or nothing. */
    assert_int_equal(tdm_writer_size(&w), 8);
    assert_int_equal(data[8], 9);
}

static void test_round_trip(void **state)
{
    struct tdm_rng rng = tdm_rng_of(7);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint64_t value = tdm_rng_u64(&rng);
        size_t size = 1 + tdm_rng_below(&rng, 8);
        uint8_t data[8];
        struct tdm_writer w = tdm_writer_of(data, sizeof data);

        tdm_write_uint(&w, value, size);
        struct tdm_reader r = tdm_reader_of(data, size);

        assert_true(tdm_read_uint(&r, size) == value << (64 - 8 * size) >> (64 - 8 * size));
        assert_true(r.ok && !tdm_reader_left(&r));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_big_endian), cmocka_unit_test(test_read_past_the_end_sticks),
        cmocka_unit_test(test_sub_reader),       cmocka_unit_test(test_writes_and_sticks),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}

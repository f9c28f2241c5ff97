/* SPDX-License-Identifier: MIT */
#include "engine/wire/ulpfec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Header of RFC 5109 section 7.3, level header of 7.4, three covered bytes. */
static const uint8_t plain[] = {0x11, 0x60, 0x12, 0x34, 0,    0, 0x0b, 0xb8, 0x01,
                                0x02, 0,    3,    0xa0, 0x01, 7, 8,    9};

static void test_reads(void **state)
{
    struct tdm_ulpfec fec;

    (void)state;
    assert_int_equal(tdm_ulpfec_parse(&fec, plain, sizeof plain), TDM_OK);
    assert_int_equal(fec.flags, 0x11);
    assert_int_equal(fec.type, 0x60);
    assert_int_equal(fec.base, 0x1234);
    assert_int_equal(fec.timestamp, 3000);
    assert_int_equal(fec.length, 0x102);
    assert_true(fec.mask == (1ull << 0 | 1ull << 2 | 1ull << 15));
    assert_int_equal(fec.size, 3);
    assert_memory_equal(fec.data, plain + TDM_ULPFEC_HEAD_SHORT, 3);
}

static void test_writes_what_it_read(void **state)
{
    const uint64_t masks[] = {1, 0xffff, 1ull << 16, 1ull << 47 | 1};
    uint8_t bytes[64];
    struct tdm_ulpfec fec, again;

    (void)state;
    assert_int_equal(tdm_ulpfec_parse(&fec, plain, sizeof plain), TDM_OK);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
        size_t head = i < 2 ? TDM_ULPFEC_HEAD_SHORT : TDM_ULPFEC_HEAD_LONG;

        fec.mask = masks[i];
        tdm_ulpfec_write(&w, &fec);
        assert_true(w.ok);
        assert_int_equal(tdm_writer_size(&w), head + 3);
        assert_int_equal(tdm_ulpfec_parse(&again, bytes, tdm_writer_size(&w)), TDM_OK);
        assert_true(again.mask == masks[i] && again.length == fec.length);
        assert_memory_equal(again.data, fec.data, 3);
    }
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

    fec.mask = 1ull << 0 | 1ull << 2 | 1ull << 15;
    tdm_ulpfec_write(&w, &fec);
    assert_int_equal(tdm_writer_size(&w), sizeof plain);
    assert_memory_equal(bytes, plain, sizeof plain);
}

static void test_refuses(void **state)
{
    struct tdm_ulpfec fec;
    uint8_t bytes[sizeof plain];

    (void)state;
    for (size_t size = 0; size < sizeof plain; size++)
        assert_int_equal(tdm_ulpfec_parse(&fec, plain, size), TDM_E_MALFORMED);
    memcpy(bytes, plain, sizeof bytes);
    bytes[0] |= 0x40; /* The mask goes on, and takes the bytes of the data. */
    assert_int_equal(tdm_ulpfec_parse(&fec, bytes, sizeof bytes), TDM_E_MALFORMED);
    memcpy(bytes, plain, sizeof bytes);
    bytes[0] |= 0x80;
    assert_int_equal(tdm_ulpfec_parse(&fec, bytes, sizeof bytes), TDM_E_UNSUPPORTED);
    memcpy(bytes, plain, sizeof bytes);
    bytes[12] = bytes[13] = 0;
    assert_int_equal(tdm_ulpfec_parse(&fec, bytes, sizeof bytes), TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_writes_what_it_read),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

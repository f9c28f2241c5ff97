/* SPDX-License-Identifier: MIT */
#include "engine/wire/reference_mark.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_layout(void **state)
{
    static const uint8_t want[TDM_REFERENCE_MARK_BYTES] = {0x89, 0xab, 7, 0x01, 0x02};
    uint8_t bytes[TDM_REFERENCE_MARK_BYTES];
    struct tdm_reference_mark back;

    (void)state;
    tdm_reference_mark_write(
        bytes, &(struct tdm_reference_mark){.number = 0x89ab, .refers = 7, .index = 0x0102});
    assert_memory_equal(bytes, want, sizeof want);
    assert_int_equal(tdm_reference_mark_parse(&back, bytes, sizeof bytes), TDM_OK);
    assert_int_equal(back.number, 0x89ab);
    assert_int_equal(back.refers, 7);
    assert_int_equal(back.index, 0x0102);
}

static void test_other_sizes_are_refused(void **state)
{
    static const uint8_t bytes[16] = {0};
    struct tdm_reference_mark mark;

    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(tdm_reference_mark_parse(&mark, bytes, size),
                         size == TDM_REFERENCE_MARK_BYTES ? TDM_OK : TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_other_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

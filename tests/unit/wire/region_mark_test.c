/* SPDX-License-Identifier: MIT */
#include "engine/wire/region_mark.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_layout(void **state)
{
    static const uint8_t want[TDM_REGION_MARK_BYTES] = {3, 0x89, 0xab, 0xcd, 0xef};
    uint8_t bytes[TDM_REGION_MARK_BYTES];
    struct tdm_region_mark back;

    (void)state;
    tdm_region_mark_write(bytes, &(struct tdm_region_mark){.stream = 3, .frame_id = 0x89abcdef});
    assert_memory_equal(bytes, want, sizeof want);
    assert_int_equal(tdm_region_mark_parse(&back, bytes, sizeof bytes), TDM_OK);
    assert_int_equal(back.stream, 3);
    assert_int_equal(back.frame_id, 0x89abcdef);
}

static void test_other_sizes_are_refused(void **state)
{
    static const uint8_t bytes[16] = {0};
    struct tdm_region_mark mark;

    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(tdm_region_mark_parse(&mark, bytes, size),
                         size == TDM_REGION_MARK_BYTES ? TDM_OK : TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_other_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

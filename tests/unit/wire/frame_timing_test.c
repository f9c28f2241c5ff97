/* SPDX-License-Identifier: MIT */
#include "engine/wire/frame_timing.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MOD_MASK ((INT64_C(1) << 48) - 1)
#define MOST     (INT64_C(0xfffe) * 16 * TDM_US)

static void test_layout(void **state)
{
    static const uint8_t want[TDM_FRAME_TIMING_BYTES] = {
        0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xfe, 0xdc, 0, 1, 0, 3, 0xff, 0xff, 0xff, 0xfe,
    };
    const struct tdm_frame_timing timing = {
        .captured_us = INT64_C(0x7fff123456789abc), /* The two bytes above 2^48 do not travel. */
        .frame_id = 0xfedc,
        .encode_start = 16 * TDM_US,
        .encode_end = 47 * TDM_US, /* Nearest: 3 units. */
        .first_sent = TDM_NEVER,
        .last_sent = 2 * TDM_S,
    };
    uint8_t bytes[TDM_FRAME_TIMING_BYTES];
    struct tdm_frame_timing back;

    (void)state;
    tdm_frame_timing_write(bytes, &timing);
    assert_memory_equal(bytes, want, sizeof want);
    assert_int_equal(tdm_frame_timing_parse(&back, bytes, sizeof bytes), TDM_OK);
    assert_int_equal(back.captured_us, INT64_C(0x123456789abc));
    assert_int_equal(back.frame_id, 0xfedc);
    assert_int_equal(back.encode_start, 16 * TDM_US);
    assert_int_equal(back.encode_end, 48 * TDM_US);
    assert_true(back.first_sent == TDM_NEVER);
    assert_int_equal(back.last_sent, MOST);
}

static void test_other_sizes_are_refused(void **state)
{
    static const uint8_t bytes[32] = {0};
    struct tdm_frame_timing timing;

    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(tdm_frame_timing_parse(&timing, bytes, size),
                         size == TDM_FRAME_TIMING_BYTES ? TDM_OK : TDM_E_MALFORMED);
}

static tdm_time random_stage(struct tdm_rng *rng)
{
    switch (tdm_rng_below(rng, 8)) {
    case 0:
        return TDM_NEVER;
    case 1:
        return -(tdm_time)tdm_rng_below(rng, 1000000);
    case 2:
        return (tdm_time)(tdm_rng_u64(rng) >> 1);
    default:
        return (tdm_time)tdm_rng_below(rng, 1100000000);
    }
}

static void assert_stage(tdm_time sent, tdm_time got)
{
    if (sent == TDM_NEVER) {
        assert_true(got == TDM_NEVER);
        return;
    }
    tdm_time want = tdm_time_min(tdm_time_max(sent, 0), MOST);

    assert_in_range((uintmax_t)(got - want + 8 * TDM_US), 0, (uintmax_t)(16 * TDM_US));
}

static void test_round_trip_is_within_half_a_unit(void **state)
{
    struct tdm_rng rng = tdm_rng_of(16);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const struct tdm_frame_timing timing = {
            (int64_t)tdm_rng_u64(&rng), (uint16_t)tdm_rng_u32(&rng), random_stage(&rng),
            random_stage(&rng),         random_stage(&rng),          random_stage(&rng)};
        uint8_t bytes[TDM_FRAME_TIMING_BYTES], again[TDM_FRAME_TIMING_BYTES];
        struct tdm_frame_timing back;

        tdm_frame_timing_write(bytes, &timing);
        assert_int_equal(tdm_frame_timing_parse(&back, bytes, sizeof bytes), TDM_OK);
        assert_int_equal(back.captured_us, timing.captured_us & MOD_MASK);
        assert_int_equal(back.frame_id, timing.frame_id);
        assert_stage(timing.encode_start, back.encode_start);
        assert_stage(timing.encode_end, back.encode_end);
        assert_stage(timing.first_sent, back.first_sent);
        assert_stage(timing.last_sent, back.last_sent);
        tdm_frame_timing_write(again, &back);
        assert_memory_equal(bytes, again, sizeof bytes);
    }
}

static void test_extend(void **state)
{
    struct tdm_rng rng = tdm_rng_of(48);

    (void)state;
    assert_int_equal(tdm_frame_timing_extend(0, MOD_MASK), -1);
    assert_int_equal(tdm_frame_timing_extend(MOD_MASK, 0), MOD_MASK + 1);
    for (int i = 0; i < 20000; i++) {
        int64_t near_us = (int64_t)(tdm_rng_u64(&rng) >> 4);
        int64_t ahead = (int64_t)(tdm_rng_u64(&rng) >> 17) - (INT64_C(1) << 46);
        int64_t full = near_us + ahead;

        assert_int_equal(tdm_frame_timing_extend(near_us, full & MOD_MASK), full);
    }
    /* The far ends of the type must not overflow. */
    (void)tdm_frame_timing_extend(INT64_MAX, 0);
    (void)tdm_frame_timing_extend(INT64_MIN, MOD_MASK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_other_sizes_are_refused),
        cmocka_unit_test(test_round_trip_is_within_half_a_unit),
        cmocka_unit_test(test_extend),
    };

    return cmocka_run_group_tests_name("frame_timing", tests, NULL, NULL);
}

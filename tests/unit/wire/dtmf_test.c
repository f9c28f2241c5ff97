/* SPDX-License-Identifier: MIT */
#include "engine/wire/dtmf.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4733 section 2.3 (figure 1), bit by bit: event 11, E=1, R=0, volume 10, duration 1600. */
static void test_reads_and_writes_the_rfc_figure(void **state)
{
    static const uint8_t bytes[TDM_DTMF_BYTES] = {11, 0x8a, 0x06, 0x40};
    uint8_t written[TDM_DTMF_BYTES];
    struct tdm_dtmf dtmf;

    (void)state;
    assert_int_equal(tdm_dtmf_parse(&dtmf, bytes, sizeof bytes), TDM_OK);
    assert_int_equal(dtmf.event, 11);
    assert_true(dtmf.end);
    assert_int_equal(dtmf.volume_dbm0, 10);
    assert_int_equal(dtmf.duration, 1600);
    tdm_dtmf_write(written, &dtmf);
    assert_memory_equal(bytes, written, sizeof bytes);
    for (size_t size = 0; size < sizeof bytes; size++)
        assert_int_equal(tdm_dtmf_parse(&dtmf, bytes, size), TDM_E_MALFORMED);
}

static void test_reserved_bit_is_ignored(void **state)
{
    struct tdm_dtmf dtmf;

    (void)state;
    assert_int_equal(tdm_dtmf_parse(&dtmf, (const uint8_t[]){1, 0x7f, 0, 0}, 4), TDM_OK);
    assert_false(dtmf.end);
    assert_int_equal(dtmf.volume_dbm0, 63);
}

static void test_round_trip(void **state)
{
    struct tdm_rng rng = tdm_rng_of(4733);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        const struct tdm_dtmf dtmf = {
            .event = (uint8_t)tdm_rng_u32(&rng),
            .end = tdm_rng_below(&rng, 2),
            .volume_dbm0 = (uint8_t)tdm_rng_below(&rng, 64),
            .duration = (uint16_t)tdm_rng_u32(&rng),
        };
        uint8_t bytes[TDM_DTMF_BYTES];
        struct tdm_dtmf back;

        tdm_dtmf_write(bytes, &dtmf);
        assert_int_equal(tdm_dtmf_parse(&back, bytes, sizeof bytes), TDM_OK);
        assert_int_equal(back.event, dtmf.event);
        assert_int_equal(back.end, dtmf.end);
        assert_int_equal(back.volume_dbm0, dtmf.volume_dbm0);
        assert_int_equal(back.duration, dtmf.duration);
    }
}

/* The event numbers of RFC 4733 table 3. */
static void test_digits(void **state)
{
    (void)state;
    assert_int_equal(tdm_dtmf_event_of('0'), 0);
    assert_int_equal(tdm_dtmf_event_of('9'), 9);
    assert_int_equal(tdm_dtmf_event_of('*'), 10);
    assert_int_equal(tdm_dtmf_event_of('#'), 11);
    assert_int_equal(tdm_dtmf_event_of('A'), 12);
    assert_int_equal(tdm_dtmf_event_of('D'), 15);
    for (int c = -128; c < 128; c++) {
        int event = tdm_dtmf_event_of((char)c);

        if (c > 0 && strchr("0123456789*#ABCD", c))
            assert_int_equal(tdm_dtmf_digit_of((uint8_t)event), c);
        else
            assert_int_equal(event, -1);
    }
    for (unsigned event = 16; event < 256; event++)
        assert_int_equal(tdm_dtmf_digit_of((uint8_t)event), '?');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_and_writes_the_rfc_figure),
        cmocka_unit_test(test_reserved_bit_is_ignored),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_digits),
    };

    return cmocka_run_group_tests_name("dtmf", tests, NULL, NULL);
}

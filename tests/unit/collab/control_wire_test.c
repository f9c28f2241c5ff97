/* SPDX-License-Identifier: MIT */
#include "collab/control_keys.h"
#include "collab/control_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The records of version 1, byte for byte. */
static void test_bytes(void **state)
{
    static const struct {
        struct tdm_control_record rec;
        uint8_t size;
        uint8_t bytes[40];
    } rows[] = {
        {{.kind = TDM_CONTROL_HELLO, .version = 1, .data = (const uint8_t *)"us", .size = 2},
         8,
         {0, 6, 1, 0, 1, 2, 'u', 's'}},
        {{.kind = TDM_CONTROL_LEAVE}, 3, {0, 1, 3}},
        {{.kind = TDM_CONTROL_GRANT,
          .seq = 7,
          .state = TDM_CONSENT_GRANTED,
          .scopes = 0x0d,
          .cause = TDM_CAUSE_HOST_ALLOWED,
          .seconds = 900},
         16,
         {0, 14, 4, 0, 0, 0, 7, 3, 0, 0x0d, 0, 3, 0, 0, 3, 0x84}},
        {{.kind = TDM_CONTROL_KEY,
          .seq = 7,
          .usage = 4,
          .press = TDM_PRESS_DOWN,
          .keysym = 0x41,
          .mods = TDM_MOD_SHIFT,
          .data = (const uint8_t *)"A",
          .size = 1},
         18,
         {0, 16, 16, 0, 0, 0, 7, 0, 4, 1, 0, 0, 0, 0x41, 0, 1, 1, 'A'}},
        {{.kind = TDM_CONTROL_MOVE, .seq = 7, .surface = 1, .x = 2, .y = 0xffff},
         13,
         {0, 11, 18, 0, 0, 0, 7, 0, 1, 0, 2, 0xff, 0xff}},
        {{.kind = TDM_CONTROL_WHEEL, .seq = 7, .dx = -1, .dy = 120},
         11,
         {0, 9, 21, 0, 0, 0, 7, 0xff, 0xff, 0, 120}},
        {{.kind = TDM_CONTROL_CLIP_OFFER,
          .seq = 7,
          .serial = 1,
          .origin = 5,
          .format_count = 1,
          .formats = {{TDM_CLIP_PNG, 9}}},
         25,
         {0, 23, 48, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 0, 0, 0, 9}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[64];
        size_t size;
        struct tdm_control_record back;

        assert_int_equal(tdm_control_write(&rows[i].rec, bytes, sizeof bytes, &size), TDM_OK);
        assert_int_equal(size, rows[i].size);
        assert_memory_equal(bytes, rows[i].bytes, size);
        assert_int_equal(tdm_control_write(&rows[i].rec, bytes, size - 1, &size), TDM_E_SPACE);
        size = rows[i].size;
        assert_int_equal(tdm_control_parse(&back, rows[i].bytes + 2, size - 2), TDM_OK);
        assert_int_equal(back.kind, rows[i].rec.kind);
        assert_int_equal(back.seq, rows[i].rec.seq);
        assert_int_equal(back.dx, rows[i].rec.dx);
        assert_int_equal(back.size, rows[i].rec.size);
        for (size_t cut = 1; cut + 2 < size; cut++) /* Each field is needed. */
            assert_int_equal(tdm_control_parse(&back, rows[i].bytes + 2, size - 2 - cut),
                             TDM_E_MALFORMED);
    }
}

static void test_what_is_wrong(void **state)
{
    static const struct {
        enum tdm_err err;
        uint8_t size;
        uint8_t bytes[32];
    } rows[] = {
        {TDM_E_MALFORMED, 0, {0}},
        {TDM_OK, 1, {99}}, /* Of a later version. */
        {TDM_E_MALFORMED, 15, {16, 0, 0, 0, 7, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0}}, /* Press 3. */
        {TDM_E_MALFORMED, 7, {17, 0, 0, 0, 7, 0xc3, 0x28}},                    /* No UTF-8. */
        {TDM_E_MALFORMED, 7, {17, 0, 0, 0, 7, 0xed, 0xa0}},
        {TDM_E_MALFORMED, 10, {49, 0, 0, 0, 7, 0, 0, 0, 1, 4}}, /* Format 4. */
        {TDM_OK, 12, {18, 0, 0, 0, 7, 0, 1, 0, 2, 0, 3, 99}},   /* A field more. */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_control_record rec;

        assert_int_equal(tdm_control_parse(&rec, rows[i].bytes, rows[i].size), rows[i].err);
        if (rows[i].err)
            assert_int_equal(rec.kind, TDM_CONTROL_OTHER);
    }
    /* Formats of a later version are left out, repeated ones count once. */
    static const uint8_t offer[] = {48, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 4, 9,
                                    0,  0, 0, 1, 2, 0, 0, 0, 1, 2, 0, 0, 0, 2, 0, 0, 0, 0, 3};
    struct tdm_control_record rec;

    assert_int_equal(tdm_control_parse(&rec, offer, sizeof offer), TDM_OK);
    assert_int_equal(rec.format_count, 2);
    assert_int_equal(rec.formats[0].format, TDM_CLIP_PNG);
    assert_int_equal(rec.formats[1].size, 3);
}

static void test_places_of_keys(void **state)
{
    (void)state;
    for (uint16_t evdev = 1; evdev < 0x300; evdev++)
        assert_int_equal(tdm_key_evdev_of_usage(tdm_key_usage_of_evdev(evdev)), evdev);
    assert_int_equal(tdm_key_usage_of_evdev(30), 4);    /* A */
    assert_int_equal(tdm_key_usage_of_evdev(97), 0xe4); /* Right control */
    assert_int_equal(tdm_key_usage_of_evdev(86), 0x64); /* Beside the left shift */
    assert_int_equal(tdm_key_usage_of_evdev(0), 0);
    assert_int_equal(tdm_key_evdev_of_usage(0x32), 43);
    assert_int_equal(tdm_key_evdev_of_usage(0xffff), 0x7fff);
    assert_int_equal(tdm_keysym_of_ucs('\n'), 0xff0d);
    assert_int_equal(tdm_keysym_of_ucs(0xe9), 0xe9);
    assert_int_equal(tdm_keysym_of_ucs(0x43f), 0x100043f);
    assert_int_equal(tdm_keysym_of_ucs(1), 0);
    assert_int_equal(tdm_keysym_of_ucs(0x7f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_places_of_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

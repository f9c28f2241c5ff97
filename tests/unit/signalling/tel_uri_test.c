/* SPDX-License-Identifier: MIT */
/* Telephone numbers as typed and as tel: URIs. */
#include "signalling/tel_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbers(void **state)
{
    static const struct {
        const char *text, *number; /* NULL: is one, and a broken one. "": is none. */
    } rows[] = {
        {"tel:+1-201-555-0123", "+12015550123"}, /* RFC 3966 section 6 */
        {"tel:7042;phone-context=example.com", "7042"},
        {"tel:863-1234;phone-context=+1-914-555", "+19145558631234"},
        {"TEL:+358-555-1234567;postd=pp22", "+3585551234567"},
        {"tel:*21#", "*21#"},
        {"+49 (30) 1234", "+49301234"},
        {" 110 ", "110"},
        {"030 12-34", "0301234"},
        {"tel:", NULL},
        {"tel:+", NULL},
        {"tel:abc", NULL},
        {"tel:+49 30", NULL},
        {"tel:12+34", NULL},
        {"tel:1234567890123456789012345678901234567890", NULL},
        {"10.0.0.7", ""},
        {"paul@reskit.test", ""},
        {"::1", ""},
        {"5", ""},
        {"", ""},
        {"sip:110@h", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char number[TDM_TEL_MAX];
        bool is = tdm_tel_is(rows[i].text);
        enum tdm_err err;

        if (is != (!rows[i].number || rows[i].number[0]))
            fail_msg("\"%s\" is%s a number", rows[i].text, is ? "" : " not");
        if (!is)
            continue;
        err = tdm_tel_parse(rows[i].text, number, NULL);
        if ((err == TDM_OK) != (rows[i].number != NULL))
            fail_msg("\"%s\": %s", rows[i].text, tdm_err_name(err));
        if (!err)
            assert_string_equal(number, rows[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

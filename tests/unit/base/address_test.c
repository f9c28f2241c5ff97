/* SPDX-License-Identifier: MIT */
#include "engine/base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_text_there_and_back(void **state)
{
    static const char *const rows[][2] = {
        {"10.0.0.7", "10.0.0.7"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"FE80::0001:2", "fe80::1:2"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_address a;
        char text[TDM_ADDRESS_TEXT_MAX];

        assert_int_equal(tdm_address_parse(&a, rows[i][0], 5004), TDM_OK);
        tdm_address_host_text(&a, text);
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(a.port, 5004);
    }
}

static void test_what_is_no_address(void **state)
{
    static const char *const rows[] = {
        "",
        "host",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4 ",
        "1:2",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        ":1",
        "1:",
        "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        "fe80::1%eth0",
        "0001.2.3.4x",
        "1:2:3:4:5:6:7::8",
    };
    struct tdm_address a = {.family = TDM_IPV4};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(tdm_address_parse(&a, rows[i], 1), TDM_E_MALFORMED);
    assert_int_equal(a.family, TDM_IPV4);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        bool loopback, link_local, is_private;
    } rows[] = {
        {"127.3.2.1", true, false, false},   {"::1", true, false, false},
        {"169.254.1.1", false, true, false}, {"fe80::1", false, true, false},
        {"febf::1", false, true, false},     {"fec0::1", false, false, false},
        {"10.1.1.1", false, false, true},    {"172.16.0.1", false, false, true},
        {"172.32.0.1", false, false, false}, {"192.168.9.9", false, false, true},
        {"100.64.0.1", false, false, true},  {"100.128.0.1", false, false, false},
        {"fd00::1", false, false, true},     {"2001:db8::1", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_address a;

        assert_int_equal(tdm_address_parse(&a, rows[i].text, 0), TDM_OK);
        assert_int_equal(tdm_address_is_loopback(&a), rows[i].loopback);
        assert_int_equal(tdm_address_is_link_local(&a), rows[i].link_local);
        assert_int_equal(tdm_address_is_private(&a), rows[i].is_private);
    }
}

static void test_with_port(void **state)
{
    struct tdm_address a, b;
    char text[TDM_ADDRESS_TEXT_MAX];

    (void)state;
    assert_int_equal(tdm_address_parse(&a, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
                     TDM_OK);
    tdm_address_text(&a, text);
    assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    b = a;
    b.port = 1;
    assert_true(tdm_address_same_host(&a, &b));
    assert_false(tdm_address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_there_and_back),
        cmocka_unit_test(test_what_is_no_address),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_with_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

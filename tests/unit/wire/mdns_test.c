/* SPDX-License-Identifier: MIT */
#include "engine/wire/mdns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* By hand after RFC 1035 section 4: a question for host.local, then an A record whose name points
 * at it, an AAAA record of another name, and one of the same name as additional record. */
static const uint8_t answer[] = {
    0x12, 0x34, 0x84, 0x00, 0,    1,    0,    2,   0,   0,   0,   1,              /* head */
    4,    'h',  'o',  's',  't',  5,    'l',  'o', 'c', 'a', 'l', 0, 0,  1, 0, 1, /* question */
    0xc0, 12,   0,    1,    0x80, 1,    0,    0,   0,   120, 0,   4, 10, 0, 0, 7, /* A */
    5,    'o',  't',  'h',  'e',  'r',  0xc0, 17,  0,   28,  0,   1, 0,  0, 0, 9, 0,
    16,                                                                           /* AAAA, */
    0x20, 1,    0x0d, 0xb8, 0,    0,    0,    0,   0,   0,   0,   0, 0,  0, 0, 1, /* another's */
    4,    'H',  'O',  'S',  'T',  0xc0, 17,   0,   28,  0,   1,   0, 0,  0, 9, 0, 16, /* AAAA */
    0x20, 1,    0x0d, 0xb8, 0,    0,    0,    0,   0,   0,   0,   0, 0,  0, 0, 2};

static void an_answer(void **state)
{
    struct tdm_address list[TDM_MDNS_ANSWERS];
    char text[TDM_ADDRESS_TEXT_MAX];
    uint32_t count;

    (void)state;
    assert_int_equal(tdm_mdns_answers(answer, sizeof answer, "host.local", list, &count), TDM_OK);
    assert_int_equal(count, 2);
    tdm_address_host_text(&list[0], text);
    assert_string_equal(text, "10.0.0.7");
    tdm_address_host_text(&list[1], text);
    assert_string_equal(text, "2001:db8::2");
    assert_int_equal(tdm_mdns_answers(answer, sizeof answer, "nobody.local", list, &count),
                     TDM_E_GONE);
    for (size_t size = 0; size < sizeof answer; size++)
        assert_int_equal(tdm_mdns_answers(answer, size, "host.local", list, &count),
                         TDM_E_MALFORMED);
}

static void what_is_no_answer(void **state)
{
    struct tdm_address list[TDM_MDNS_ANSWERS];
    uint8_t data[sizeof answer];
    uint32_t count;

    (void)state;
    memcpy(data, answer, sizeof data);
    data[2] = 0; /* A question. */
    assert_int_equal(tdm_mdns_answers(data, sizeof data, "host.local", list, &count),
                     TDM_E_MALFORMED);
    memcpy(data, answer, sizeof data);
    data[29] = 28; /* A name that points at itself. */
    assert_int_equal(tdm_mdns_answers(data, sizeof data, "host.local", list, &count),
                     TDM_E_MALFORMED);
    memcpy(data, answer, sizeof data);
    data[12] = 64; /* A label that there is not. */
    assert_int_equal(tdm_mdns_answers(data, sizeof data, "host.local", list, &count),
                     TDM_E_MALFORMED);
}

static void a_question(void **state)
{
    static const uint8_t right[] = {0x12, 0x34, 0,   0, 0,   2,   0,   0,   0,   0, 0, 0, 4,    'h',
                                    'o',  's',  't', 5, 'l', 'o', 'c', 'a', 'l', 0, 0, 1, 0x80, 1};
    static const char *const wrong[] = {"", ".local", "a..local", "."};
    uint8_t data[TDM_MDNS_BYTES];
    char label[80];
    size_t size;

    (void)state;
    assert_int_equal(tdm_mdns_ask("host.local", 0x1234, data, &size), TDM_OK);
    assert_memory_equal(data, right, sizeof right);
    assert_int_equal(size, 12 + 2 * 16);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tdm_mdns_ask(wrong[i], 1, data, &size), TDM_E_MALFORMED);
    memset(label, 'x', sizeof label);
    label[64] = 0;
    assert_int_equal(tdm_mdns_ask(label, 1, data, &size), TDM_E_MALFORMED);
    assert_true(tdm_mdns_is_local("a.LOCAL"));
    assert_false(tdm_mdns_is_local(".local"));
    assert_false(tdm_mdns_is_local("local.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer),
        cmocka_unit_test(what_is_no_answer),
        cmocka_unit_test(a_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

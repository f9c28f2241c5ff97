/* SPDX-License-Identifier: MIT */
#include "engine/wire/dns_sd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* By hand after RFC 1035 section 4.1 and RFC 2782: _sip._udp.local PTR a.b._sip._udp.local, whose
 * label has a dot; SRV of that name by pointer; a TXT with a key in another case. */
static const uint8_t answer[] = {0,    0,    0x84, 0,   0,    0,    0,    2,    0,
                                 0,    0,    1, /* head */
                                 4,    '_',  's',  'i', 'p',  4,    '_',  'u',  'd',
                                 'p',  5,    'l',  'o', 'c',  'a',  'l',  0, /* at 12 */
                                 0,    12,   0,    1,   0,    0,    0x11, 0x94, 0,
                                 6,    3,    'a',  '.', 'b',  0xc0, 12, /* PTR, its name at 39 */
                                 0xc0, 39,   0,    33,  0x80, 1,    0,    0,    0,
                                 120,  0,    15, /* SRV */
                                 0,    1,    0,    2,   0x13, 0xc4, 1,    'h',  5,
                                 'l',  'o',  'c',  'a', 'l',  0,    0xc0, 39,   0,
                                 16,   0x80, 1,    0,   0,    0,    9,    0,    12, /* TXT */
                                 11,   'D',  'O',  'M', 'A',  'I',  'N',  '=',  'x',
                                 '.',  'y',  7};

static void an_answer_by_hand(void **state)
{
    struct tdm_dns_reader r;
    struct tdm_dns_record record;
    struct tdm_dns_name type, host;
    char text[64];

    (void)state;
    assert_int_equal(tdm_dns_name_of(&type, "_SIP._udp.local"), TDM_OK);
    assert_int_equal(tdm_dns_name_of(&host, "h.local"), TDM_OK);
    assert_int_equal(tdm_dns_read(&r, answer, sizeof answer), TDM_OK);
    assert_true(r.response);
    assert_int_equal(tdm_dns_read_record(&r, &record), TDM_OK);
    assert_int_equal(record.type, TDM_DNS_PTR);
    assert_int_equal(record.ttl_s, 4500);
    assert_true(tdm_dns_name_equal(&record.name, &type));
    assert_true(tdm_dns_name_is_under(&record.target, &type));
    tdm_dns_name_label(&record.target, text);
    assert_string_equal(text, "a.b");
    assert_int_equal(tdm_dns_read_record(&r, &record), TDM_OK);
    assert_true(record.flush);
    assert_int_equal(record.port, 5060);
    assert_int_equal(record.priority, 1);
    assert_int_equal(record.weight, 2);
    assert_true(tdm_dns_name_equal(&record.target, &host));
    assert_int_equal(tdm_dns_read_record(&r, &record), TDM_OK);
    assert_int_equal(record.section, TDM_DNS_ADDITIONAL);
    assert_true(tdm_dns_text_value(&record, "domain", text, sizeof text));
    assert_string_equal(text, "x.y?");
    assert_true(tdm_dns_text_value(&record, "domain", text, 3));
    assert_string_equal(text, "x.");
    assert_false(tdm_dns_text_value(&record, "doma", text, sizeof text));
    assert_int_equal(tdm_dns_read_record(&r, &record), TDM_E_GONE);
}

static uint32_t records_of(const uint8_t *data, size_t size)
{
    struct tdm_dns_reader r;
    struct tdm_dns_record record;
    uint32_t count = 0;

    if (tdm_dns_read(&r, data, size) != TDM_OK)
        return 0;
    while (tdm_dns_read_record(&r, &record) == TDM_OK)
        count++;
    return count;
}

static void what_is_cut_or_loops(void **state)
{
    uint8_t data[sizeof answer];

    (void)state;
    for (size_t size = 0; size < sizeof answer; size++)
        assert_true(records_of(answer, size) < 3);
    memcpy(data, answer, sizeof data);
    data[44] = 39; /* The instance's name points at itself. */
    assert_int_equal(records_of(data, sizeof data), 0);
    memcpy(data, answer, sizeof data);
    data[38]++; /* A PTR of another size than its name. */
    assert_int_equal(records_of(data, sizeof data), 0);
    memcpy(data, answer, sizeof data);
    data[2] = 0x88; /* Another kind of message. */
    assert_int_equal(records_of(data, sizeof data), 0);
}

static void no_names(void **state)
{
    static const char *const wrong[] = {".local", "a..local", "."};
    struct tdm_dns_name name, rest;
    char label[80];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tdm_dns_name_of(&name, wrong[i]), TDM_E_MALFORMED);
    memset(label, 'x', sizeof label);
    label[64] = '\0';
    assert_int_equal(tdm_dns_name_of(&name, label), TDM_E_MALFORMED);
    assert_int_equal(tdm_dns_name_of(&rest, "local"), TDM_OK);
    assert_int_equal(tdm_dns_name_under(&name, label, &rest), TDM_E_MALFORMED);
    assert_int_equal(tdm_dns_name_under(&name, "", &rest), TDM_E_MALFORMED);
    label[63] = '\0';
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tdm_dns_name_under(&name, label, &rest), TDM_OK);
        rest = name;
    }
    assert_int_equal(tdm_dns_name_under(&name, label, &rest), TDM_E_MALFORMED); /* Over 255. */
}

static void written_short_and_whole(void **state)
{
    uint8_t data[200];
    struct tdm_dns_writer w;
    struct tdm_dns_reader r;
    struct tdm_dns_question q = {.type = TDM_DNS_PTR, .unicast = true}, read;
    struct tdm_dns_record record = {.type = TDM_DNS_PTR, .ttl_s = 10}, again;
    uint32_t count = 0;

    (void)state;
    assert_int_equal(tdm_dns_name_of(&q.name, "_sip._udp.local"), TDM_OK);
    record.name = q.name;
    assert_int_equal(tdm_dns_name_under(&record.target, "one", &q.name), TDM_OK);
    tdm_dns_write(&w, data, sizeof data, 7, true);
    assert_int_equal(tdm_dns_write_question(&w, &q), TDM_OK);
    assert_int_equal(tdm_dns_write_end(&w), 12 + 17 + 4);
    while (tdm_dns_write_record(&w, &record) == TDM_OK)
        count++;
    /* The first with its label and a pointer, the others with two pointers; nothing half. */
    assert_int_equal(count, 1 + (200 - 33 - 18) / 14);
    size_t size = tdm_dns_write_end(&w);

    assert_int_equal(size, 33 + 18 + 14 * (count - 1));
    assert_int_equal(tdm_dns_read(&r, data, size), TDM_OK);
    assert_int_equal(r.id, 7);
    assert_int_equal(tdm_dns_read_question(&r, &read), TDM_OK);
    assert_true(read.unicast && tdm_dns_name_equal(&read.name, &q.name));
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(tdm_dns_read_record(&r, &again), TDM_OK);
        assert_true(tdm_dns_record_equal(&again, &record));
    }
    assert_int_equal(tdm_dns_read_record(&r, &again), TDM_E_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_by_hand),
        cmocka_unit_test(what_is_cut_or_loops),
        cmocka_unit_test(no_names),
        cmocka_unit_test(written_short_and_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

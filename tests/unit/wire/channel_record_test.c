/* SPDX-License-Identifier: MIT */
#include "engine/wire/channel_record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* RFC 9000 appendix A.1, and the ends of each size. */
static void test_varints(void **state)
{
    static const struct {
        uint64_t value;
        size_t size;
        uint8_t bytes[8];
    } rows[] = {
        {UINT64_C(151288809941952652), 8, {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}},
        {494878333, 4, {0x9d, 0x7f, 0x3e, 0x7d}},
        {15293, 2, {0x7b, 0xbd}},
        {37, 1, {0x25}},
        {0, 1, {0x00}},
        {63, 1, {0x3f}},
        {64, 2, {0x40, 0x40}},
        {16383, 2, {0x7f, 0xff}},
        {16384, 4, {0x80, 0x00, 0x40, 0x00}},
        {(1u << 30) - 1, 4, {0xbf, 0xff, 0xff, 0xff}},
        {1u << 30, 8, {0xc0, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00}},
        {(UINT64_C(1) << 62) - 1, 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[8];
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

        tdm_varint_write(&w, rows[i].value);
        assert_true(w.ok);
        assert_int_equal(tdm_writer_size(&w), rows[i].size);
        assert_int_equal(tdm_varint_size(rows[i].value), rows[i].size);
        assert_memory_equal(bytes, rows[i].bytes, rows[i].size);
        for (size_t size = 0; size <= rows[i].size; size++) {
            struct tdm_reader r = tdm_reader_of(bytes, size);
            uint64_t value = tdm_varint_read(&r);

            assert_int_equal(r.ok, size == rows[i].size);
            assert_int_equal(value, size == rows[i].size ? rows[i].value : 0);
        }
    }
}

static void test_a_varint_has_one_form(void **state)
{
    static const uint8_t longer[][8] = {
        {0x40, 0x25}, {0x80, 0x00, 0x3f, 0xff}, {0xc0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tdm_reader r = tdm_reader_of(longer[i], sizeof longer[i]);

        (void)tdm_varint_read(&r);
        assert_false(r.ok);
    }
}

static void test_heads(void **state)
{
    static const struct {
        struct tdm_record_head head;
        size_t size;
    } rows[] = {
        {{.type = TDM_RECORD_PING}, 4},
        {{.type = TDM_RECORD_DATA, .flags = 3, .stream = 63, .body_size = 63}, 4},
        {{.type = TDM_RECORD_DATA, .stream = 64, .body_size = 64}, 6},
        {{.type = 0xff, .flags = 0xff, .stream = UINT32_MAX, .body_size = 16384}, 14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[TDM_CHANNEL_HEAD_MAX];
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
        struct tdm_record_head head;
        size_t head_size;

        tdm_record_head_write(&w, &rows[i].head);
        assert_true(w.ok);
        assert_int_equal(tdm_writer_size(&w), rows[i].size);
        assert_int_equal(tdm_record_head_size(&rows[i].head), rows[i].size);
        for (size_t size = 0; size < rows[i].size; size++)
            assert_int_equal(tdm_record_head_parse(&head, &head_size, bytes, size), TDM_E_AGAIN);
        assert_int_equal(tdm_record_head_parse(&head, &head_size, bytes, rows[i].size), TDM_OK);
        assert_int_equal(head_size, rows[i].size);
        assert_int_equal(head.type, rows[i].head.type);
        assert_int_equal(head.flags, rows[i].head.flags);
        assert_int_equal(head.stream, rows[i].head.stream);
        assert_int_equal(head.body_size, rows[i].head.body_size);
    }
}

/* A head that no further byte can mend is told at once. */
static void test_hopeless_heads(void **state)
{
    static const struct {
        size_t size;
        uint8_t bytes[14];
    } rows[] = {
        {4, {4, 0, 0x40, 0x01}},                 /* Stream in too long a form. */
        {10, {4, 0, 0xc0, 0, 0, 1, 0, 0, 0, 0}}, /* Stream 2^32. */
        {7, {4, 0, 1, 0x80, 0x00, 0x40, 0x01}},  /* Body of 16385. */
        {11, {4, 0, 1, 0xff, 0xff, 0xff, 0xff, 255, 255, 255, 255}}, /* Body of 2^62 - 1. */
        {5, {4, 0, 1, 0x40, 0x05}},                                  /* Body in too long a form. */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tdm_record_head head;
        size_t head_size;

        for (size_t size = 0; size < rows[i].size; size++)
            assert_int_equal(tdm_record_head_parse(&head, &head_size, rows[i].bytes, size),
                             TDM_E_AGAIN);
        assert_int_equal(tdm_record_head_parse(&head, &head_size, rows[i].bytes, rows[i].size),
                         TDM_E_MALFORMED);
    }
}

static void test_preface(void **state)
{
    uint8_t bytes[160];

    (void)state;
    for (int resumes = 0; resumes < 2; resumes++) {
        struct tdm_preface p = {
            .version_min = 1, .version_max = 3, .resumes = resumes, .stream_window_bytes = 262144};
        struct tdm_preface read;
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

        memset(p.token, 7, sizeof p.token);
        memset(p.resume_token, 9, sizeof p.resume_token);
        tdm_preface_write(&w, &p);
        tdm_varint_write(&w, 77); /* A capability of the future. */
        tdm_varint_write(&w, 3);
        tdm_write_bytes(&w, "abc", 3);
        assert_true(w.ok);
        size_t size = tdm_writer_size(&w);

        assert_int_equal(tdm_preface_parse(&read, bytes, size), TDM_OK);
        assert_int_equal(read.version_min, 1);
        assert_int_equal(read.version_max, 3);
        assert_int_equal(read.resumes, resumes);
        assert_memory_equal(read.token, p.token, sizeof p.token);
        if (resumes)
            assert_memory_equal(read.resume_token, p.resume_token, sizeof p.resume_token);
        assert_int_equal(read.stream_window_bytes, 262144);
        assert_int_equal(tdm_preface_parse(&read, bytes, size - 1), TDM_E_MALFORMED);
        assert_int_equal(tdm_preface_parse(&read, bytes, 20), TDM_E_MALFORMED);
        bytes[0] ^= 1;
        assert_int_equal(tdm_preface_parse(&read, bytes, size), TDM_E_MALFORMED);
    }
}

static void test_small_bodies(void **state)
{
    uint8_t bytes[64];
    struct tdm_open open;
    struct tdm_credit credit;
    struct tdm_ack ack;

    (void)state;
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

    tdm_open_write(&w, &(struct tdm_open){.kind = 1000, .cls = 6});
    assert_int_equal(tdm_open_parse(&open, bytes, tdm_writer_size(&w)), TDM_OK);
    assert_int_equal(open.kind, 1000);
    assert_int_equal(open.cls, 6);
    assert_int_equal(tdm_open_parse(&open, bytes, tdm_writer_size(&w) + 1), TDM_E_MALFORMED);

    w = tdm_writer_of(bytes, sizeof bytes);
    tdm_credit_write(&w, &(struct tdm_credit){.received = 1u << 20, .limit = UINT64_C(1) << 40});
    assert_int_equal(tdm_credit_parse(&credit, bytes, tdm_writer_size(&w)), TDM_OK);
    assert_int_equal(credit.received, 1u << 20);
    assert_int_equal(credit.limit, UINT64_C(1) << 40);
    assert_int_equal(tdm_credit_parse(&credit, bytes, tdm_writer_size(&w) - 1), TDM_E_MALFORMED);

    w = tdm_writer_of(bytes, sizeof bytes);
    tdm_ack_write(&w, &(struct tdm_ack){.consumed = 5, .arrived_us = 70000, .hold_us = 9});
    assert_int_equal(tdm_ack_parse(&ack, bytes, tdm_writer_size(&w)), TDM_OK);
    assert_int_equal(ack.consumed, 5);
    assert_int_equal(ack.arrived_us, 70000);
    assert_int_equal(ack.hold_us, 9);
}

static void test_resume(void **state)
{
    uint8_t bytes[1024];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_resume resume = {.highest = 12, .count = TDM_CHANNEL_RESUMES_MAX};
    struct tdm_resume read;

    (void)state;
    for (uint16_t i = 0; i < resume.count; i++)
        resume.entries[i] =
            (struct tdm_resume_entry){.stream = i, .fin = i & 1, .received = (uint64_t)i * 100000};
    tdm_resume_write(&w, &resume);
    assert_true(w.ok);
    size_t size = tdm_writer_size(&w);

    assert_int_equal(tdm_resume_parse(&read, bytes, size), TDM_OK);
    assert_int_equal(read.highest, 12);
    assert_int_equal(read.count, TDM_CHANNEL_RESUMES_MAX);
    for (uint16_t i = 0; i < resume.count; i++) {
        assert_int_equal(read.entries[i].stream, i);
        assert_int_equal(read.entries[i].fin, i & 1);
        assert_int_equal(read.entries[i].received, (uint64_t)i * 100000);
    }
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(tdm_resume_parse(&read, bytes, cut), TDM_E_MALFORMED);
    bytes[2]++; /* One stream more than there may be. */
    assert_int_equal(tdm_resume_parse(&read, bytes, size), TDM_E_MALFORMED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varints), cmocka_unit_test(test_a_varint_has_one_form),
        cmocka_unit_test(test_heads),   cmocka_unit_test(test_hopeless_heads),
        cmocka_unit_test(test_preface), cmocka_unit_test(test_small_bodies),
        cmocka_unit_test(test_resume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/wire/rtp.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The header of RFC 3550 section 5.1, bit by bit from its figure: V=2 P=1 X=1 CC=2 M=1 PT=96, two
 * CSRCs, then the extension of RFC 8285 section 4.2's second figure (ids 1, 2 with 1 and 2 bytes,
 * padding, id 3 with 4 bytes), a payload of three bytes and one byte of padding. */
static const uint8_t full[] = {
    0xb2, 0xe0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe, /* fixed header */
    0,    0,    0,    1,    0,    0,    0,    2,                            /* CSRC */
    0xbe, 0xde, 0,    3,    0x10, 0xa1, 0x21, 0xb1, 0xb2, 0,    0,    0x33,
    0xc1, 0xc2, 0xc3, 0xc4, 'a',  'b',  'c',  1,
};

static void test_reads_the_rfc_figure(void **state)
{
    struct tdm_rtp rtp;

    (void)state;
    assert_int_equal(tdm_rtp_parse(&rtp, full, sizeof full), TDM_OK);
    assert_true(rtp.marker);
    assert_int_equal(rtp.payload_type, 96);
    assert_int_equal(rtp.seq, 0x1234);
    assert_int_equal(rtp.timestamp, 0xdeadbeef);
    assert_int_equal(rtp.ssrc, 0xcafebabe);
    assert_int_equal(rtp.ext_count, 3);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 1)->size, 1);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 1)->data[0], 0xa1);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 2)->size, 2);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 2)->data[1], 0xb2);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 3)->size, 4);
    assert_null(tdm_rtp_ext_find(&rtp, 4));
    assert_null(tdm_rtp_ext_find(&rtp, 0));
    assert_int_equal(rtp.payload_size, 3);
    assert_memory_equal(rtp.payload, "abc", 3);
}

/* RFC 8285 section 4.3's figure: two-byte form, an element of no bytes, appbits set. */
static void test_reads_two_byte_extensions(void **state)
{
    static const uint8_t packet[] = {
        0x90, 0, 0, 1, 0, 0, 0, 0,   0, 0, 0, 9, 0x10, 0x0a, 0,
        3,    1, 0, 2, 1, 7, 0, 200, 4, 1, 2, 3, 4,    'p',
    };
    struct tdm_rtp rtp;

    (void)state;
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_OK);
    assert_int_equal(rtp.ext_count, 3);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 1)->size, 0);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 2)->data[0], 7);
    assert_int_equal(tdm_rtp_ext_find(&rtp, 200)->size, 4);
    assert_int_equal(rtp.payload_size, 1);
}

struct ext_case {
    const char *what;
    uint16_t profile;
    uint8_t bytes[8];
    enum tdm_err err;
    uint8_t count;
};

static void test_extension_lists(void **state)
{
    static const struct ext_case cases[] = {
        {"padding alone", 0xbede, {0}, TDM_OK, 0},
        {"id 15 ends the list", 0xbede, {0x10, 1, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff}, TDM_OK, 1},
        {"id 0 with a size ends it", 0xbede, {0x10, 1, 0x03, 0x2f, 0, 0, 0, 0}, TDM_OK, 1},
        {"one-byte element too long", 0xbede, {0, 0, 0, 0, 0, 0, 0x11, 0}, TDM_E_MALFORMED, 0},
        {"element fills exactly", 0xbede, {0x16, 1, 2, 3, 4, 5, 6, 7}, TDM_OK, 1},
        {"two-byte element too long", 0x1000, {1, 7, 0, 0, 0, 0, 0, 0}, TDM_E_MALFORMED, 0},
        {"two-byte size missing", 0x1000, {0, 0, 0, 0, 0, 0, 0, 5}, TDM_E_MALFORMED, 0},
        {"two-byte empty at the end", 0x100f, {0, 0, 0, 0, 0, 0, 5, 0}, TDM_OK, 1},
        {"unknown profile is stepped over", 0x2000, {1, 200, 1, 1, 1, 1, 1, 1}, TDM_OK, 0},
        {"more than we keep", 0x1000, {1, 0, 2, 0, 3, 0, 4, 0}, TDM_OK, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packet[25] = {0x90};
        struct tdm_rtp rtp;

        packet[12] = (uint8_t)(cases[i].profile >> 8);
        packet[13] = (uint8_t)cases[i].profile;
        packet[15] = 2;
        memcpy(packet + 16, cases[i].bytes, 8);
        packet[24] = 'p';
        if (tdm_rtp_parse(&rtp, packet, sizeof packet) != cases[i].err)
            fail_msg("%s", cases[i].what);
        if (cases[i].err)
            continue;
        if (rtp.ext_count != cases[i].count || rtp.payload != packet + 24 || rtp.payload_size != 1)
            fail_msg("%s", cases[i].what);
    }
}

static void test_keeps_eight_extensions(void **state)
{
    uint8_t packet[12 + 4 + 20] = {0x90};
    struct tdm_rtp rtp;

    (void)state;
    packet[12] = 0x10;
    packet[15] = 5;
    for (uint8_t i = 0; i < 10; i++)
        packet[16 + 2 * i] = (uint8_t)(i + 1);
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_OK);
    assert_int_equal(rtp.ext_count, TDM_RTP_EXT_MAX);
    assert_non_null(tdm_rtp_ext_find(&rtp, 8));
    assert_null(tdm_rtp_ext_find(&rtp, 9));
}

static void test_refuses_lying_lengths(void **state)
{
    uint8_t packet[sizeof full];
    struct tdm_rtp rtp;

    (void)state;
    memcpy(packet, full, sizeof full);
    packet[sizeof full - 1] = 0; /* Padding of no bytes. */
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_E_MALFORMED);
    packet[sizeof full - 1] = 4; /* All that follows the header. */
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_OK);
    assert_int_equal(rtp.payload_size, 0);
    packet[sizeof full - 1] = 5;
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_E_MALFORMED);
    memcpy(packet, full, sizeof full);
    packet[23] = 5; /* Extension one word beyond the end. */
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_E_MALFORMED);
    memcpy(packet, full, sizeof full);
    packet[0] = 0xaf; /* 15 CSRCs. */
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_E_MALFORMED);
    for (unsigned version = 0; version < 4; version++) {
        memcpy(packet, full, sizeof full);
        packet[0] = (uint8_t)(version << 6 | (packet[0] & 0x3f));
        assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet),
                         version == 2 ? TDM_OK : TDM_E_MALFORMED);
    }
    assert_int_equal(tdm_rtp_parse(&rtp, NULL, 0), TDM_E_MALFORMED);
}

static void test_steps_over_fifteen_csrcs(void **state)
{
    uint8_t packet[12 + 15 * 4 + 2] = {0x8f, [sizeof packet - 2] = 'a', 'b'};
    struct tdm_rtp rtp;

    (void)state;
    assert_int_equal(tdm_rtp_parse(&rtp, packet, sizeof packet), TDM_OK);
    assert_ptr_equal(rtp.payload, packet + 72);
    assert_int_equal(rtp.payload_size, 2);
    assert_int_equal(tdm_rtp_parse(&rtp, packet, 72), TDM_OK);
    assert_int_equal(rtp.payload_size, 0);
    assert_int_equal(tdm_rtp_parse(&rtp, packet, 71), TDM_E_MALFORMED);
}

/* Each cut of a valid packet lives in a block of its own size, for ASan to watch its end. What is
 * cut before the payload's end must be refused: the last byte is then no padding count. */
static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof full; size++) {
        uint8_t *cut = malloc(size ? size : 1);
        struct tdm_rtp rtp;

        assert_non_null(cut);
        memcpy(cut, full, size);
        assert_int_equal(tdm_rtp_parse(&rtp, cut, size), TDM_E_MALFORMED);
        free(cut);
    }
}

static void random_rtp(struct tdm_rng *rng, struct tdm_rtp *rtp, uint8_t store[2048])
{
    size_t at = 1200;

    for (size_t i = 0; i < 2048; i++)
        store[i] = (uint8_t)tdm_rng_u32(rng);
    *rtp = (struct tdm_rtp){
        .marker = tdm_rng_below(rng, 2),
        .payload_type = (uint8_t)tdm_rng_below(rng, 128),
        .seq = (uint16_t)tdm_rng_u32(rng),
        .timestamp = tdm_rng_u32(rng),
        .ssrc = tdm_rng_u32(rng),
        .ext_count = (uint8_t)tdm_rng_below(rng, TDM_RTP_EXT_MAX + 1),
        .payload = store,
        .payload_size = tdm_rng_below(rng, 1000),
    };
    for (uint8_t i = 0; i < rtp->ext_count; i++) {
        rtp->exts[i] = (struct tdm_rtp_ext){
            .id = (uint8_t)(1 + tdm_rng_below(rng, 14)),
            .size = (uint8_t)(1 + tdm_rng_below(rng, 16)),
            .data = store + at,
        };
        at += 16;
    }
}

static void assert_rtp_equal(const struct tdm_rtp *a, const struct tdm_rtp *b)
{
    assert_int_equal(a->marker, b->marker);
    assert_int_equal(a->payload_type, b->payload_type);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->timestamp, b->timestamp);
    assert_int_equal(a->ssrc, b->ssrc);
    assert_int_equal(a->ext_count, b->ext_count);
    for (uint8_t i = 0; i < a->ext_count; i++) {
        assert_int_equal(a->exts[i].id, b->exts[i].id);
        assert_int_equal(a->exts[i].size, b->exts[i].size);
        assert_memory_equal(a->exts[i].data, b->exts[i].data, a->exts[i].size);
    }
    assert_int_equal(a->payload_size, b->payload_size);
    assert_memory_equal(a->payload, b->payload, a->payload_size);
}

static void test_round_trip(void **state)
{
    struct tdm_rng rng = tdm_rng_of(3550);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint8_t store[2048], packet[1500];
        struct tdm_rtp rtp, back;
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

        random_rtp(&rng, &rtp, store);
        tdm_rtp_write(&w, &rtp);
        assert_true(w.ok);

        size_t size = tdm_writer_size(&w);

        assert_int_equal(tdm_rtp_parse(&back, packet, size), TDM_OK);
        assert_rtp_equal(&rtp, &back);

        /* One byte less of room fails, whatever is in it. */
        w = tdm_writer_of(packet, size - 1);
        tdm_rtp_write(&w, &rtp);
        assert_false(w.ok);
    }
}

static void test_payload_in_place(void **state)
{
    uint8_t packet[64] = {0};
    struct tdm_rtp rtp = {.payload_type = 8, .payload = packet + 12, .payload_size = 3}, back;
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

    (void)state;
    memcpy(packet + 12, "xyz", 3);
    tdm_rtp_write(&w, &rtp);
    assert_int_equal(tdm_rtp_parse(&back, packet, tdm_writer_size(&w)), TDM_OK);
    assert_rtp_equal(&rtp, &back);
}

/* A peer picks the extension's id in SDP, so one out of range must fail the write, not assert. */
static void test_write_refuses_what_one_byte_form_cannot_say(void **state)
{
    static const uint8_t data[32] = {0};
    static const struct tdm_rtp_ext bad[] = {{0, 1, data},   {15, 1, data}, {16, 1, data},
                                             {255, 1, data}, {1, 0, data},  {1, 17, data}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t packet[100];
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

        tdm_rtp_write(&w, &(struct tdm_rtp){.ext_count = 1, .exts = {bad[i]}});
        assert_false(w.ok);
    }
}

/* RFC 5761 section 4: packet types 192 to 223, that is payload types 64 to 95 with the marker. */
static void test_tells_rtcp_from_rtp(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 256; second++) {
        const uint8_t packet[] = {0x80, (uint8_t)second, 0, 0};

        assert_int_equal(tdm_rtp_is_rtcp(packet, 4), second >= 192 && second <= 223);
        assert_false(tdm_rtp_is_rtcp(packet, 1));
    }
    assert_false(tdm_rtp_is_rtcp((const uint8_t[]){0x40, 200}, 2));
    assert_false(tdm_rtp_is_rtcp(NULL, 0));
}

static void test_extends_numbers(void **state)
{
    (void)state;
    assert_int_equal(tdm_seq_extend(65535, 0), 65536);
    assert_int_equal(tdm_seq_extend(65536, 65535), 65535);
    assert_int_equal(tdm_seq_extend(0, 65535), -1);
    assert_int_equal(tdm_seq_extend(-1, 0), 0);
    assert_int_equal(tdm_seq_extend(INT64_C(1) << 40, 7), (INT64_C(1) << 40) + 7);
    assert_int_equal(tdm_rtp_time_extend(UINT32_MAX, 0), INT64_C(1) << 32);
    assert_int_equal(tdm_rtp_time_extend(INT64_C(1) << 32, UINT32_MAX), UINT32_MAX);

    struct tdm_rng rng = tdm_rng_of(1);

    for (int i = 0; i < 10000; i++) {
        int64_t last = (int64_t)(tdm_rng_u64(&rng) >> 8) - (INT64_C(1) << 54);
        int64_t step = (int64_t)tdm_rng_below(&rng, 65536) - 32768;

        assert_int_equal(tdm_seq_extend(last, (uint16_t)(last + step)), last + step);
        assert_int_equal(tdm_rtp_time_extend(last, (uint32_t)(last + step)), last + step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_rfc_figure),
        cmocka_unit_test(test_reads_two_byte_extensions),
        cmocka_unit_test(test_extension_lists),
        cmocka_unit_test(test_keeps_eight_extensions),
        cmocka_unit_test(test_refuses_lying_lengths),
        cmocka_unit_test(test_steps_over_fifteen_csrcs),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_payload_in_place),
        cmocka_unit_test(test_write_refuses_what_one_byte_form_cannot_say),
        cmocka_unit_test(test_tells_rtcp_from_rtp),
        cmocka_unit_test(test_extends_numbers),
    };

    return cmocka_run_group_tests_name("rtp", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/wire/rtcp.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each packet is typed byte by byte from the figure of the RFC section named. */

/* RFC 3550 section 6.4.1, RC = 1; cumulative lost is -2. */
static const uint8_t sr[] = {
    0x81, 200, 0, 12, 0x11, 0x22, 0x33, 0x44, 1, 2, 3,    4,    5,    6,    7,  8,    0,    0,
    0,    9,   0, 0,  0,    10,   0,    0,    1, 0, 0xaa, 0xbb, 0xcc, 0xdd, 64, 0xff, 0xff, 0xfe,
    0,    1,   0, 2,  0,    0,    0,    3,    0, 0, 0,    4,    0,    0,    0,  5,
};
/* Section 6.5: two chunks; in the first NAME stands before CNAME, in the second the text fills the
 * word so that four zero bytes end it. */
static const uint8_t sdes[] = {
    0x82, 202, 0, 8, 0, 0, 0, 7, 2,   1,   'x', 1, 3, 'a', 0x1b, 'c', 0, 0,
    0,    0,   0, 0, 0, 8, 1, 2, 'd', 'e', 0,   0, 0, 0,   0,    0,   0, 0,
};
/* Section 6.6: two sources and a reason. */
static const uint8_t bye[] = {0x82, 203, 0, 3, 0, 0, 0, 7, 0, 0, 0, 8, 3, 'e', 'n', 'd'};
/* RFC 4585 section 6.2.1: two entries. */
static const uint8_t nack[] = {0x81, 205, 0,    4,    0,    0, 0, 7, 0, 0,
                               0,    9,   0xff, 0xff, 0x80, 1, 0, 5, 0, 0};
/* RFC 4585 section 6.3.1. */
static const uint8_t rpsi[] = {0x83, 206, 0,    5,    0,    0,    0,    7,    0, 0, 0, 9,
                               16,   96,  0x12, 0x34, 0x80, 0x01, 0x23, 0x45, 0, 3, 0, 0};
static const uint8_t pli[] = {0x81, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9};
/* RFC 5104 section 4.3.1: two entries. */
static const uint8_t fir[] = {0x84, 206, 0,  6, 0, 0, 0, 7, 0, 0,  0,  0, 0, 0,
                              0,    9,   17, 0, 0, 0, 0, 0, 0, 10, 18, 0, 0, 0};
/* RFC 5104 section 4.2.1.1: of source 9 at most 0x1cafe << 5 with 40 bytes of overhead; of source
 * 10 any, as its exponent is the largest. */
static const uint8_t tmmbr[] = {0x83, 205, 0,    6,    0,    0,  0, 7, 0, 0,  0,    0,    0,    0,
                                0,    9,   0x17, 0x95, 0xfc, 40, 0, 0, 0, 10, 0xff, 0xff, 0xfe, 0};
/* Section 4.2.2.1: nobody bounds the rate. */
static const uint8_t tmmbn_none[] = {0x84, 205, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0};

/* draft-alvestrand-rmcat-remb-03 section 2.2: one SSRC, exponent 3, mantissa 0x2000a. */
static const uint8_t remb[] = {0x8f, 206, 0,   5,   0, 0,    0, 7,    0, 0, 0, 0,
                               'R',  'E', 'M', 'B', 1, 0x0e, 0, 0x0a, 0, 0, 0, 9};
/* RFC 3611 sections 4.4, 4.5 and 4.1: RRTR, a loss RLE block that we do not know, DLRR with two. */
static const uint8_t xr[] = {
    0x80, 207, 0, 14, 0, 0, 0, 7, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0,  0, 2, 0, 0, 0, 9, 0, 0,
    0,    0,   5, 0,  0, 6, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 10, 0, 0, 0, 3, 0, 0, 0, 4,
};
/* APP (section 6.7) and a packet type that nobody has: both stepped over. */
static const uint8_t app[] = {0x80, 204, 0, 2, 0, 0, 0, 7, 'n', 'a', 'm', 'e'};
static const uint8_t odd[] = {0x9f, 213, 0, 1, 0xff, 0xff, 0xff, 0xff};

static struct tdm_rtcp_item only_item(const uint8_t *data, size_t size)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(data, size);
    struct tdm_rtcp_item item, more;

    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(tdm_rtcp_next(&reader, &more), TDM_E_AGAIN);
    assert_int_equal(tdm_rtcp_next(&reader, &more), TDM_E_AGAIN);
    return item;
}

static void test_sender_report(void **state)
{
    struct tdm_rtcp_item item = only_item(sr, sizeof sr);

    (void)state;
    assert_int_equal(item.kind, TDM_RTCP_SR);
    assert_int_equal(item.sender_ssrc, 0x11223344);
    assert_int_equal(item.sr.ssrc, 0x11223344);
    assert_int_equal(item.sr.ntp, 0x0102030405060708);
    assert_int_equal(item.sr.rtp_timestamp, 9);
    assert_int_equal(item.sr.packet_count, 10);
    assert_int_equal(item.sr.octet_count, 256);
    assert_int_equal(item.report_count, 1);
    assert_int_equal(item.reports[0].ssrc, 0xaabbccdd);
    assert_int_equal(item.reports[0].fraction_lost, 64);
    assert_int_equal(item.reports[0].cumulative_lost, -2);
    assert_int_equal(item.reports[0].highest_seq, 0x10002);
    assert_int_equal(item.reports[0].jitter, 3);
    assert_int_equal(item.reports[0].last_sr, 4);
    assert_int_equal(item.reports[0].delay_since_last_sr, 5);
}

static void test_sources_and_goodbye(void **state)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(sdes, sizeof sdes);
    struct tdm_rtcp_item item;

    (void)state;
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(item.kind, TDM_RTCP_SDES);
    assert_int_equal(item.sender_ssrc, 7);
    assert_string_equal(item.text, "a?c"); /* The escape byte does not reach a terminal. */
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(item.sender_ssrc, 8);
    assert_string_equal(item.text, "de");
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_AGAIN);

    reader = tdm_rtcp_reader_of(bye, sizeof bye);
    for (uint32_t ssrc = 7; ssrc <= 8; ssrc++) {
        assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
        assert_int_equal(item.kind, TDM_RTCP_BYE);
        assert_int_equal(item.sender_ssrc, ssrc);
        assert_int_equal(item.media_ssrc, ssrc);
        assert_string_equal(item.text, "end");
    }
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_AGAIN);
}

static void test_every_byte_of_a_text(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t packet[] = {0x81, 203, 0, 2, 0, 0, 0, 7, 3, 'a', (uint8_t)c, 'b'};
        struct tdm_rtcp_item item = only_item(packet, sizeof packet);
        const char want[] = {'a', c >= ' ' && c <= '~' ? (char)c : '?', 'b', '\0'};

        assert_string_equal(item.text, want);
    }
}

static void test_feedback(void **state)
{
    struct tdm_rtcp_item item = only_item(nack, sizeof nack);

    (void)state;
    assert_int_equal(item.kind, TDM_RTCP_NACK);
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.media_ssrc, 9);
    assert_int_equal(item.nack.count, 2);
    assert_int_equal(item.nack.entries[0].pid, 0xffff);
    assert_int_equal(item.nack.entries[0].blp, 0x8001);
    assert_int_equal(item.nack.entries[1].pid, 5);

    item = only_item(rpsi, sizeof rpsi);
    assert_int_equal(item.kind, TDM_RTCP_RPSI);
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.media_ssrc, 9);
    assert_int_equal(item.references.newest, 0x1234);
    assert_true(item.references.decoded == UINT64_C(0x800123450003));
    item = only_item(pli, sizeof pli);
    assert_int_equal(item.kind, TDM_RTCP_PLI);
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.media_ssrc, 9);

    item = only_item(remb, sizeof remb);
    assert_int_equal(item.kind, TDM_RTCP_REMB);
    assert_int_equal(item.media_ssrc, 9);
    assert_int_equal(item.remb_bps, 0x2000a << 3);

    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(fir, sizeof fir);

    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
        assert_int_equal(item.kind, TDM_RTCP_FIR);
        assert_int_equal(item.sender_ssrc, 7);
        assert_int_equal(item.media_ssrc, 9 + i);
        assert_int_equal(item.fir_seq, 17 + i);
    }
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_AGAIN);
}

static void test_tmmbr(void **state)
{
    struct tdm_rtcp_item item = only_item(tmmbr, sizeof tmmbr);
    uint8_t packet[64];
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

    (void)state;
    assert_int_equal(item.kind, TDM_RTCP_TMMBR);
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.tmmbr.count, 2);
    assert_int_equal(item.tmmbr.entries[0].ssrc, 9);
    assert_int_equal(item.tmmbr.entries[0].bps, 0x1cafe << 5);
    assert_int_equal(item.tmmbr.entries[0].overhead, 40);
    assert_int_equal(item.tmmbr.entries[1].ssrc, 10);
    assert_true(item.tmmbr.entries[1].bps == UINT64_MAX);
    assert_int_equal(item.tmmbr.entries[1].overhead, 0);
    tdm_rtcp_write_tmmbr(&w, 7, item.tmmbr.entries, 2);
    assert_int_equal(tdm_writer_size(&w), sizeof tmmbr);
    assert_memory_equal(packet, tmmbr, sizeof tmmbr);
    item = only_item(tmmbn_none, sizeof tmmbn_none);
    assert_int_equal(item.kind, TDM_RTCP_TMMBN);
    assert_int_equal(item.tmmbr.count, 0);
    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_tmmbn(&w, 7, NULL, 0);
    assert_int_equal(tdm_writer_size(&w), sizeof tmmbn_none);
    assert_memory_equal(packet, tmmbn_none, sizeof tmmbn_none);
}

/* What is written is never more than what was meant, and nearly that. */
static void test_tmmbr_numbers(void **state)
{
    (void)state;
    for (uint64_t bps = 1; bps < UINT64_MAX / 3; bps = bps * 3 - bps / 2 + 1) {
        uint8_t packet[32];
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

        tdm_rtcp_write_tmmbr(&w, 1, &(struct tdm_rtcp_tmmbr){.ssrc = 2, .bps = bps}, 1);
        struct tdm_rtcp_item item = only_item(packet, tdm_writer_size(&w));

        assert_true(item.tmmbr.entries[0].bps <= bps &&
                    bps - item.tmmbr.entries[0].bps <= bps >> 16);
    }
}

static void test_extended_reports(void **state)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(xr, sizeof xr);
    struct tdm_rtcp_item item;

    (void)state;
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(item.kind, TDM_RTCP_XR_RRTR);
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.rrtr_ntp, 0x0102030405060708);
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(item.kind, TDM_RTCP_XR_DLRR);
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.dlrr.count, 2);
    assert_int_equal(item.dlrr.entries[0].ssrc, 9);
    assert_int_equal(item.dlrr.entries[0].last_rr, 1);
    assert_int_equal(item.dlrr.entries[1].ssrc, 10);
    assert_int_equal(item.dlrr.entries[1].delay_since_last_rr, 4);
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_AGAIN);
}

/* Padding counts in words, and only the last packet may have it (RFC 3550 section 6.4.1). */
static void test_padding(void **state)
{
    uint8_t padded[] = {0xa0, 201, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4, 0x80, 201, 0, 1, 0, 0, 0, 8};
    struct tdm_rtcp_item item = only_item(padded, 12);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(padded, sizeof padded);

    (void)state;
    assert_int_equal(item.sender_ssrc, 7);
    assert_int_equal(item.report_count, 0);
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_MALFORMED);
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_MALFORMED);
    for (unsigned count = 0; count < 256; count++) {
        padded[11] = (uint8_t)count;
        reader = tdm_rtcp_reader_of(padded, 12);
        assert_int_equal(tdm_rtcp_next(&reader, &item), count == 4 ? TDM_OK : TDM_E_MALFORMED);
    }
}

struct bad_case {
    const char *what;
    size_t size;
    uint8_t bytes[24];
};

static void test_refuses(void **state)
{
    static const struct bad_case cases[] = {
        {"version 1", 8, {0x40, 201, 0, 1}},
        {"version 3", 8, {0xc0, 201, 0, 1}},
        {"longer than the datagram", 8, {0x80, 201, 0, 2}},
        {"report that is not there", 8, {0x81, 201, 0, 1}},
        {"receiver report without a sender", 4, {0x80, 201, 0, 0}},
        {"sender report cut short", 24, {0x80, 200, 0, 5}},
        {"unknown type, longer than the datagram", 8, {0x80, 213, 0, 2}},
        {"text over the end", 12, {0x81, 202, 0, 2, 0, 0, 0, 7, 1, 200, 'a', 0}},
        {"chunk without its end", 12, {0x81, 202, 0, 2, 0, 0, 0, 7, 1, 2, 'a', 'b'}},
        {"chunk that is not there", 12, {0x82, 202, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0}},
        {"goodbye of too many", 8, {0x82, 203, 0, 1, 0, 0, 0, 7}},
        {"reason over the end", 12, {0x81, 203, 0, 2, 0, 0, 0, 7, 4, 'a', 'b', 'c'}},
        {"nack of nothing", 12, {0x81, 205, 0, 2}},
        {"nack without media", 8, {0x81, 205, 0, 1}},
        {"pli with more", 16, {0x81, 206, 0, 3}},
        {"fir of nothing", 12, {0x84, 206, 0, 2}},
        {"fir, half an entry", 16, {0x84, 206, 0, 3}},
        {"tmmbr of nothing", 12, {0x83, 205, 0, 2}},
        {"tmmbn, half an entry", 16, {0x84, 205, 0, 3}},
        {"remb of too many", 20, {0x8f, 206, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1}},
        {"remb cut short", 16, {0x8f, 206, 0, 3, 0, 0, 0, 7, 0, 0, 0, 0, 'R', 'E', 'M', 'B'}},
        {"xr without a sender", 4, {0x80, 207, 0, 0}},
        {"xr block over the end", 12, {0x80, 207, 0, 2, 0, 0, 0, 7, 1, 0, 0, 1}},
        {"rrtr too short", 16, {0x80, 207, 0, 3, 0, 0, 0, 7, 4, 0, 0, 1}},
        {"rrtr too long", 24, {0x80, 207, 0, 5, 0, 0, 0, 7, 4, 0, 0, 3}},
        {"dlrr, half a sub-block", 16, {0x80, 207, 0, 3, 0, 0, 0, 7, 5, 0, 0, 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(cases[i].bytes, cases[i].size);
        struct tdm_rtcp_item item;
        enum tdm_err err;

        while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK) {
        }
        if (err != TDM_E_MALFORMED)
            fail_msg("%s", cases[i].what);
    }
}

static void test_steps_over(void **state)
{
    static const uint8_t quiet[][12] = {
        {0x80, 202, 0, 0},                           /* SDES of no source */
        {0x80, 203, 0, 0},                           /* BYE of no source */
        {0x80, 207, 0, 1, 0, 0, 0, 7},               /* XR of no block */
        {0x81, 202, 0, 2, 0, 0, 0, 7, 2, 1, 'x', 0}, /* no CNAME */
        {0x82, 205, 0, 2},                           /* another transport feedback */
        {0x8f, 206, 0, 2},                           /* another application's feedback */
        {0x80, 207, 0, 2, 0, 0, 0, 7, 5, 0, 0, 0},   /* DLRR of nothing */
    };

    (void)state;
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) {
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(quiet[i], 4u + quiet[i][3] * 4u);
        struct tdm_rtcp_item item;

        assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_E_AGAIN);
    }
}

struct part {
    const uint8_t *bytes;
    size_t size;
    size_t item_count;
};

static const struct part parts[] = {
    {sr, sizeof sr, 1},     {sdes, sizeof sdes, 2},   {app, sizeof app, 0},
    {nack, sizeof nack, 1}, {pli, sizeof pli, 1},     {odd, sizeof odd, 0},
    {fir, sizeof fir, 2},   {remb, sizeof remb, 1},   {xr, sizeof xr, 2},
    {bye, sizeof bye, 2},   {tmmbr, sizeof tmmbr, 1}, {tmmbn_none, sizeof tmmbn_none, 1},
};
#define PART_COUNT (sizeof parts / sizeof *parts)

/* Whatever is cut off, the items of whole packets before the cut stand; a cut between two packets
 * is a shorter compound, any other is malformed. */
static void test_every_truncation(void **state)
{
    uint8_t all[512];
    size_t ends[PART_COUNT], items[PART_COUNT], size = 0, count = 0;

    (void)state;
    for (size_t i = 0; i < PART_COUNT; i++) {
        memcpy(all + size, parts[i].bytes, parts[i].size);
        ends[i] = size += parts[i].size;
        items[i] = count += parts[i].item_count;
    }
    for (size_t cut = 0; cut <= size; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        struct tdm_rtcp_item item;
        enum tdm_err err;
        size_t got = 0, want = 0;
        bool clean = cut == 0;

        assert_non_null(copy);
        memcpy(copy, all, cut);
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(copy, cut);

        while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK)
            got++;
        for (size_t i = 0; i < PART_COUNT && ends[i] <= cut; i++) {
            want = items[i];
            clean = ends[i] == cut;
        }
        assert_int_equal(got, want);
        assert_int_equal(err, clean ? TDM_E_AGAIN : TDM_E_MALFORMED);
        free(copy);
    }
}

static void test_long_nack_is_several_items(void **state)
{
    struct tdm_rtcp_nack entries[150];
    uint8_t packet[1000];
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);
    struct tdm_rtcp_item item;
    uint16_t seen = 0;

    (void)state;
    for (uint16_t i = 0; i < 150; i++)
        entries[i] = (struct tdm_rtcp_nack){.pid = (uint16_t)(i * 17), .blp = i};
    tdm_rtcp_write_nack(&w, 1, 2, entries, 150);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(packet, tdm_writer_size(&w));

    while (tdm_rtcp_next(&reader, &item) == TDM_OK) {
        assert_int_equal(item.kind, TDM_RTCP_NACK);
        assert_int_equal(item.media_ssrc, 2);
        for (uint16_t i = 0; i < item.nack.count; i++, seen++) {
            assert_int_equal(item.nack.entries[i].pid, entries[seen].pid);
            assert_int_equal(item.nack.entries[i].blp, entries[seen].blp);
        }
    }
    assert_int_equal(seen, 150);
}

static void test_remb_numbers(void **state)
{
    uint8_t packet[64];
    struct tdm_rng rng = tdm_rng_of(18);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        uint64_t bps = tdm_rng_u64(&rng) >> tdm_rng_below(&rng, 64);
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

        tdm_rtcp_write_remb(&w, 1, 2, bps);
        struct tdm_rtcp_item item = only_item(packet, tdm_writer_size(&w));

        assert_true(item.remb_bps <= bps && bps - item.remb_bps <= bps >> 17);
        if (bps <= 0x3ffff)
            assert_int_equal(item.remb_bps, bps);
    }
    memcpy(packet, remb, sizeof remb);
    packet[17] = 0xfc; /* Exponent 63: more than 64 bits. */
    assert_true(only_item(packet, sizeof remb).remb_bps == UINT64_MAX);
}

static void test_longest_texts(void **state)
{
    char text[301];
    uint8_t packet[600];

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t size = 0; size < sizeof text; size++) {
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);
        struct tdm_rtcp_item item;

        text[size] = '\0';
        tdm_rtcp_write_sdes(&w, 1, text);
        tdm_rtcp_write_bye(&w, 1, text);
        assert_true(w.ok);
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(packet, tdm_writer_size(&w));

        for (int i = 0; i < 2; i++) {
            assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
            assert_int_equal(strlen(item.text), size < 255 ? size : 255);
        }
        text[size] = 'a';
    }
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

    tdm_rtcp_write_bye(&w, 3, NULL);
    assert_string_equal(only_item(packet, tdm_writer_size(&w)).text, "");
}

static void random_reports(struct tdm_rng *rng, struct tdm_rtcp_report *reports, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++)
        reports[i] = (struct tdm_rtcp_report){
            .ssrc = tdm_rng_u32(rng),
            .fraction_lost = (uint8_t)tdm_rng_u32(rng),
            .cumulative_lost = (int32_t)tdm_rng_below(rng, 1 << 24) - (1 << 23),
            .highest_seq = tdm_rng_u32(rng),
            .jitter = tdm_rng_u32(rng),
            .last_sr = tdm_rng_u32(rng),
            .delay_since_last_sr = tdm_rng_u32(rng),
        };
}

static void assert_reports_equal(const struct tdm_rtcp_item *item,
                                 const struct tdm_rtcp_report *reports, uint8_t count)
{
    assert_int_equal(item->report_count, count);
    for (uint8_t i = 0; i < count; i++) {
        assert_int_equal(item->reports[i].ssrc, reports[i].ssrc);
        assert_int_equal(item->reports[i].fraction_lost, reports[i].fraction_lost);
        assert_int_equal(item->reports[i].cumulative_lost, reports[i].cumulative_lost);
        assert_int_equal(item->reports[i].highest_seq, reports[i].highest_seq);
        assert_int_equal(item->reports[i].jitter, reports[i].jitter);
        assert_int_equal(item->reports[i].last_sr, reports[i].last_sr);
        assert_int_equal(item->reports[i].delay_since_last_sr, reports[i].delay_since_last_sr);
    }
}

static void test_reports_round_trip(void **state)
{
    struct tdm_rng rng = tdm_rng_of(641);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        const struct tdm_rtcp_sr info = {tdm_rng_u32(&rng), tdm_rng_u64(&rng), tdm_rng_u32(&rng),
                                         tdm_rng_u32(&rng), tdm_rng_u32(&rng)};
        uint8_t count = (uint8_t)tdm_rng_below(&rng, TDM_RTCP_REPORTS_MAX + 1), packet[1000];
        struct tdm_rtcp_report reports[TDM_RTCP_REPORTS_MAX];
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

        random_reports(&rng, reports, count);
        tdm_rtcp_write_sr(&w, &info, reports, count);
        struct tdm_rtcp_item item = only_item(packet, tdm_writer_size(&w));

        assert_int_equal(item.kind, TDM_RTCP_SR);
        assert_int_equal(item.sr.ssrc, info.ssrc);
        assert_int_equal(item.sr.ntp, info.ntp);
        assert_int_equal(item.sr.rtp_timestamp, info.rtp_timestamp);
        assert_int_equal(item.sr.packet_count, info.packet_count);
        assert_int_equal(item.sr.octet_count, info.octet_count);
        assert_reports_equal(&item, reports, count);

        w = tdm_writer_of(packet, sizeof packet);
        tdm_rtcp_write_rr(&w, info.ssrc, reports, count);
        item = only_item(packet, tdm_writer_size(&w));
        assert_int_equal(item.kind, TDM_RTCP_RR);
        assert_int_equal(item.sender_ssrc, info.ssrc);
        assert_reports_equal(&item, reports, count);
    }
}

static void test_extended_reports_round_trip(void **state)
{
    struct tdm_rng rng = tdm_rng_of(3611);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        uint32_t ssrc = tdm_rng_u32(&rng);
        uint64_t ntp = tdm_rng_u64(&rng);
        struct tdm_rtcp_dlrr entries[12];
        uint8_t count = (uint8_t)(1 + tdm_rng_below(&rng, 12)), packet[200];
        struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

        for (uint8_t at = 0; at < count; at++)
            entries[at] =
                (struct tdm_rtcp_dlrr){tdm_rng_u32(&rng), tdm_rng_u32(&rng), tdm_rng_u32(&rng)};
        tdm_rtcp_write_dlrr(&w, ssrc, entries, count);
        struct tdm_rtcp_item item = only_item(packet, tdm_writer_size(&w));

        assert_int_equal(item.sender_ssrc, ssrc);
        assert_int_equal(item.dlrr.count, count < TDM_RTCP_DLRR_MAX ? count : TDM_RTCP_DLRR_MAX);
        assert_memory_equal(item.dlrr.entries, entries, item.dlrr.count * sizeof *entries);

        w = tdm_writer_of(packet, sizeof packet);
        tdm_rtcp_write_rrtr(&w, ssrc, ntp);
        item = only_item(packet, tdm_writer_size(&w));
        assert_int_equal(item.kind, TDM_RTCP_XR_RRTR);
        assert_int_equal(item.sender_ssrc, ssrc);
        assert_int_equal(item.rrtr_ntp, ntp);
    }
}

static void test_writers_give_the_rfc_bytes(void **state)
{
    uint8_t packet[100];
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);
    struct tdm_rtcp_item item = only_item(sr, sizeof sr);

    (void)state;
    tdm_rtcp_write_sr(&w, &item.sr, item.reports, item.report_count);
    assert_int_equal(tdm_writer_size(&w), sizeof sr);
    assert_memory_equal(packet, sr, sizeof sr);

    w = tdm_writer_of(packet, sizeof packet);
    item = only_item(nack, sizeof nack);
    tdm_rtcp_write_nack(&w, 7, 9, item.nack.entries, item.nack.count);
    assert_int_equal(tdm_writer_size(&w), sizeof nack);
    assert_memory_equal(packet, nack, sizeof nack);

    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_rpsi(
        &w, 7, 9, 96,
        &(struct tdm_reference_report){.newest = 0x1234, .decoded = UINT64_C(0x800123450003)});
    assert_int_equal(tdm_writer_size(&w), sizeof rpsi);
    assert_memory_equal(packet, rpsi, sizeof rpsi);
    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_pli(&w, 7, 9);
    assert_int_equal(tdm_writer_size(&w), sizeof pli);
    assert_memory_equal(packet, pli, sizeof pli);

    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_remb(&w, 7, 9, 0x2000a << 3);
    assert_int_equal(tdm_writer_size(&w), sizeof remb);
    assert_memory_equal(packet, remb, sizeof remb);

    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_fir(&w, 7, 9, 17);
    assert_int_equal(tdm_writer_size(&w), 20);
    assert_memory_equal(packet + 4, fir + 4, 16);
    assert_memory_equal(packet, ((uint8_t[]){0x84, 206, 0, 4}), 4);
}

/* Packs random sets and unpacks them by the rule of RFC 4585 section 6.2.1. */
static void test_nack_pack(void **state)
{
    struct tdm_rng rng = tdm_rng_of(621);

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint16_t seqs[100], count = (uint16_t)tdm_rng_below(&rng, 101), taken, at = 0;
        uint16_t capacity = (uint16_t)(1 + tdm_rng_below(&rng, 20));
        uint16_t seq = (uint16_t)tdm_rng_u32(&rng); /* Wraps now and then. */
        struct tdm_rtcp_nack entries[20];

        for (uint16_t k = 0; k < count; k++)
            seqs[k] = seq = (uint16_t)(seq + 1 + tdm_rng_below(&rng, 1u << tdm_rng_below(&rng, 8)));
        uint16_t used = tdm_rtcp_nack_pack(seqs, count, entries, capacity, &taken);

        assert_true(used <= capacity && taken <= count);
        assert_true(taken == count || used == capacity);
        for (uint16_t k = 0; k < used; k++) {
            assert_int_equal(entries[k].pid, seqs[at++]);
            for (unsigned bit = 0; bit < 16; bit++) {
                if (entries[k].blp >> bit & 1)
                    assert_int_equal((uint16_t)(entries[k].pid + 1 + bit), seqs[at++]);
            }
            /* What comes next could not have been said here. */
            if (at < count)
                assert_true((uint16_t)(seqs[at] - entries[k].pid) > 16);
        }
        assert_int_equal(at, taken);
    }
    assert_int_equal(tdm_rtcp_nack_pack(NULL, 0, NULL, 0, NULL), 0);

    struct tdm_rtcp_nack entry;
    uint16_t taken;

    assert_int_equal(tdm_rtcp_nack_pack((const uint16_t[]){5, 5, 6}, 3, &entry, 1, &taken), 1);
    assert_int_equal(taken, 3);
    assert_int_equal(entry.blp, 1);
}

static void test_writers_fail_without_room(void **state)
{
    uint8_t packet[64];

    (void)state;
    for (size_t room = 0; room < 12; room++) {
        struct tdm_writer w = tdm_writer_of(packet, room);

        tdm_rtcp_write_pli(&w, 1, 2);
        assert_false(w.ok);
        w = tdm_writer_of(packet, room);
        tdm_rtcp_write_sdes(&w, 1, "abcd");
        assert_false(w.ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sender_report),
        cmocka_unit_test(test_sources_and_goodbye),
        cmocka_unit_test(test_every_byte_of_a_text),
        cmocka_unit_test(test_feedback),
        cmocka_unit_test(test_extended_reports),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_steps_over),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_long_nack_is_several_items),
        cmocka_unit_test(test_remb_numbers),
        cmocka_unit_test(test_tmmbr),
        cmocka_unit_test(test_tmmbr_numbers),
        cmocka_unit_test(test_longest_texts),
        cmocka_unit_test(test_reports_round_trip),
        cmocka_unit_test(test_extended_reports_round_trip),
        cmocka_unit_test(test_writers_give_the_rfc_bytes),
        cmocka_unit_test(test_nack_pack),
        cmocka_unit_test(test_writers_fail_without_room),
    };

    return cmocka_run_group_tests_name("rtcp", tests, NULL, NULL);
}

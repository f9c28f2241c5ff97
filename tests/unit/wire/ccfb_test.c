/* SPDX-License-Identifier: MIT */
#include "engine/wire/ccfb.h"

#include "engine/wire/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Typed from the figure of RFC 8888 section 3.1. Sender 7; source 0x09 from 0xfffe on, three
 * reports (padded): came, ECT(1), 1/4 s before; did not come; came, CE, just then. Source 0x0a,
 * number 5: came, not ECT, arrival unknown, and longer ago than the field can say. Time stamp 2 s.
 */
static const uint8_t figure[] = {
    0x8b, 205,  0, 9, 0, 0, 0, 7,    0, 0, 0, 9, 0xff, 0xfe, 0,    3,    0xa1, 0x00, 0x00, 0x00,
    0xe0, 0x00, 0, 0, 0, 0, 0, 0x0a, 0, 5, 0, 2, 0x9f, 0xff, 0x9f, 0xfe, 0,    2,    0,    0,
};

static enum tdm_err open_item(const uint8_t *data, size_t size, struct tdm_rtcp_item *item)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(data, size);

    return tdm_rtcp_next(&reader, item);
}

static void expect(struct tdm_ccfb_reader *r, uint32_t ssrc, uint16_t seq, bool received,
                   enum tdm_ecn ecn, tdm_time age)
{
    struct tdm_ccfb_report report;

    assert_int_equal(tdm_ccfb_next(r, &report), TDM_OK);
    assert_int_equal(report.ssrc, ssrc);
    assert_int_equal(report.seq, seq);
    assert_int_equal(report.received, received);
    assert_int_equal(report.ecn, ecn);
    assert_true(report.age == age);
}

static void test_figure(void **state)
{
    struct tdm_rtcp_item item;
    struct tdm_ccfb_report report;

    (void)state;
    assert_int_equal(open_item(figure, sizeof figure, &item), TDM_OK);
    assert_int_equal(item.kind, TDM_RTCP_CCFB);
    assert_int_equal(item.sender_ssrc, 7);
    assert_true(item.ccfb.timestamp == 2 * TDM_S);
    expect(&item.ccfb, 9, 0xfffe, true, TDM_ECN_ECT1, TDM_S / 4);
    expect(&item.ccfb, 9, 0xffff, false, TDM_ECN_NONE, TDM_NEVER);
    expect(&item.ccfb, 9, 0, true, TDM_ECN_CE, 0);
    expect(&item.ccfb, 10, 5, true, TDM_ECN_NONE, TDM_NEVER);
    expect(&item.ccfb, 10, 6, true, TDM_ECN_NONE, TDM_NEVER);
    assert_int_equal(tdm_ccfb_next(&item.ccfb, &report), TDM_E_AGAIN);
}

static void test_written_as_in_the_figure(void **state)
{
    const tdm_time now = 100 * TDM_S;
    const struct tdm_ccfb_arrival first[] = {
        {now - TDM_S / 4, TDM_ECN_ECT1}, {TDM_NEVER, TDM_ECN_NONE}, {now, TDM_ECN_CE}};
    const struct tdm_ccfb_arrival second[] = {{now + 1, TDM_ECN_NONE},
                                              {now - 8 * TDM_S, TDM_ECN_NONE}};
    const struct tdm_ccfb_source sources[] = {{9, 0xfffe, 3, first}, {10, 5, 2, second}};
    uint8_t bytes[64];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

    (void)state;
    tdm_ccfb_write(&w, 7, now, (uint64_t)2 << 32, sources, 2);
    assert_true(w.ok);
    assert_int_equal(tdm_writer_size(&w), sizeof figure);
    assert_memory_equal(bytes, figure, sizeof figure);
}

static void test_refuses(void **state)
{
    uint8_t bytes[sizeof figure];
    struct tdm_rtcp_item item;

    (void)state;
    /* Every cut between words, with a length that agrees. */
    for (unsigned words = 2; words < sizeof figure / 4; words++) {
        memcpy(bytes, figure, sizeof bytes);
        bytes[3] = (uint8_t)(words - 1);
        bool whole = words == 7 || words == 3; /* One source or none, and a time stamp. */

        /* What is taken for the time stamp does not matter. */
        assert_int_equal(open_item(bytes, (size_t)words * 4, &item) == TDM_OK, whole);
    }
    memcpy(bytes, figure, sizeof bytes);
    bytes[14] = 0x40; /* 16387 reports of the first source. */
    assert_int_equal(open_item(bytes, sizeof bytes, &item), TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figure),
        cmocka_unit_test(test_written_as_in_the_figure),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

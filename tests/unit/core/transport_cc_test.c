/* SPDX-License-Identifier: MIT */
#include "engine/core/transport_cc.h"

#include "engine/wire/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW (50 * TDM_S)

struct told {
    uint32_t messages, came, missing;
    uint16_t last;
};

static void tell(struct tdm_transport_cc_in *in, struct told *told)
{
    uint8_t bytes[TDM_TWCC_BYTES_MAX];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_twcc_status status;
    struct tdm_rtcp_item item;

    tdm_transport_cc_in_write(in, 1, &w);
    assert_true(w.ok);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));

    if (!tdm_writer_size(&w))
        return;
    assert_int_equal(tdm_rtcp_next(&reader, &item), TDM_OK);
    assert_int_equal(item.kind, TDM_RTCP_TWCC);
    assert_int_equal(item.media_ssrc, 9);
    told->messages++;
    while (tdm_twcc_next(&item.twcc, &status) == TDM_OK) {
        told->came += status.received;
        told->missing += !status.received;
        told->last = status.seq;
    }
}

static void arrive(struct tdm_transport_cc_in *in, uint16_t number)
{
    tdm_transport_cc_in_packet(in, NOW, number, 9, NOW);
}

/* Each packet once, those missing between, and one that comes late once more. */
static void test_told_once(void **state)
{
    struct tdm_transport_cc_in in;
    struct told told = {0};

    (void)state;
    tdm_transport_cc_in_init(&in);
    assert_true(in.due == TDM_NEVER);
    for (uint16_t number = 65530; number != 10; number++)
        if (number != 4)
            arrive(&in, number);
    assert_int_equal(in.due, NOW + 50 * TDM_MS);
    tell(&in, &told);
    assert_int_equal(told.came, 15);
    assert_int_equal(told.missing, 1);
    assert_true(in.due == TDM_NEVER);
    arrive(&in, 9); /* Twice. */
    assert_true(in.due == TDM_NEVER);
    arrive(&in, 4);
    tell(&in, &told);
    assert_int_equal(told.came, 15 + 6); /* And what stood behind it. */
    assert_int_equal(told.last, 9);
}

/* More than one message holds, with nothing at all in between, and numbers that leap. */
static void test_long_silence(void **state)
{
    struct tdm_transport_cc_in in;
    struct told told = {0};

    (void)state;
    tdm_transport_cc_in_init(&in);
    arrive(&in, 10);
    arrive(&in, 700);
    arrive(&in, 701);
    for (int i = 0; in.due != TDM_NEVER; i++) {
        assert_in_range(i, 0, 4);
        tell(&in, &told);
    }
    assert_int_equal(in.next, 65536 + 702);
    assert_int_equal(told.came, 3);
    arrive(&in, 30000);
    arrive(&in, 20); /* From long ago. */
    tell(&in, &told);
    assert_true(in.due == TDM_NEVER);
    assert_int_equal(in.next, in.highest + 1);
    assert_int_equal(told.came, 4);
}

/* A session's memory is not cleared: whatever stood in it is not a packet. */
static void begin_on(struct tdm_transport_cc_in *in, int fill)
{
    memset(in, fill, sizeof *in);
    tdm_transport_cc_in_init(in);
}

static void test_nothing_came(void **state)
{
    struct tdm_transport_cc_in in;
    struct told told = {0};

    (void)state;
    begin_on(&in, 0x25);
    tell(&in, &told);
    assert_int_equal(told.messages, 0);
    assert_true(in.due == TDM_NEVER);
}

static void test_out_of_order_at_first(void **state)
{
    static const int fills[] = {0, 0xa5, 0xff};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct tdm_transport_cc_in in;
        struct told told = {0};

        begin_on(&in, fills[i]);
        arrive(&in, 1000);
        arrive(&in, 997);
        arrive(&in, 999);
        arrive(&in, 1001);
        tell(&in, &told);
        assert_int_equal(told.came, 4);
        assert_int_equal(told.missing, 1);
        assert_int_equal(told.last, 1001);
    }
}

/* Behind a jump of more than is remembered, only what came since is told of. */
static void test_jump(void **state)
{
    static struct tdm_transport_cc_in before;

    (void)state;
    begin_on(&before, 0xa5);
    for (uint16_t number = 1; number < 5000; number++)
        if (number % 7)
            arrive(&before, number);
    for (struct told told = {0}; before.due != TDM_NEVER;)
        tell(&before, &told);
    for (uint16_t number = 26000; number < 26007; number++) {
        struct tdm_transport_cc_in in = before;
        struct told told = {0};

        arrive(&in, number);
        arrive(&in, number - 9);
        tell(&in, &told);
        assert_int_equal(told.came, 2);
        assert_int_equal(told.missing, 8);
        assert_int_equal(told.last, number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_once),    cmocka_unit_test(test_long_silence),
        cmocka_unit_test(test_nothing_came), cmocka_unit_test(test_out_of_order_at_first),
        cmocka_unit_test(test_jump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

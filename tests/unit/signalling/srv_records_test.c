/* SPDX-License-Identifier: MIT */
/* SRV records of a DNS answer, and the order of their targets. */
#include "signalling/srv_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A question for _sip._udp.a.test and two answers: 10 60 5060 b.a.test, 20 0 5070 c.a.test, with
 * the names compressed. */
static const uint8_t answer[] = "\x12\x34\x81\x80\0\1\0\2\0\0\0\0"
                                "\4_sip\4_udp\1a\4test\0\0\41\0\1"
                                "\300\14\0\41\0\1\0\0\0\74\0\12\0\12\0\74\23\304\1b\300\26"
                                "\300\14\0\41\0\1\0\0\0\74\0\12\0\24\0\0\23\316\1c\300\26";

static void records(void **state)
{
    struct tdm_srv_record r[TDM_SRV_MAX];
    uint32_t count;

    (void)state;
    assert_int_equal(tdm_srv_parse(answer, sizeof answer - 1, r, &count), TDM_OK);
    assert_int_equal(count, 2);
    assert_int_equal(r[0].priority, 10);
    assert_int_equal(r[0].weight, 60);
    assert_int_equal(r[0].port, 5060);
    assert_string_equal(r[0].target, "b.a.test");
    assert_int_equal(r[1].port, 5070);
    assert_string_equal(r[1].target, "c.a.test");
    for (size_t size = 0; size < sizeof answer - 1; size++) /* Cut anywhere. */
        assert_int_equal(tdm_srv_parse(answer, size, r, &count), TDM_E_MALFORMED);
}

static void a_name_in_a_circle(void **state)
{
    static const uint8_t circle[] = "\0\0\0\0\0\1\0\0\0\0\0\0\300\14\0\41\0\1";
    struct tdm_srv_record r[TDM_SRV_MAX];
    uint32_t count;

    (void)state;
    assert_int_equal(tdm_srv_parse(circle, sizeof circle - 1, r, &count), TDM_E_MALFORMED);
}

/* By priority always; within one, three of four times the one with three times the weight. */
static void order(void **state)
{
    uint32_t heavy_first = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct tdm_srv_record r[] = {{20, 1, 1, "last"}, {10, 29, 2, "heavy"}, {10, 9, 3, "light"}};

        tdm_srv_order(r, 3, seed);
        assert_int_equal(r[2].port, 1);
        heavy_first += r[0].port == 2;
    }
    assert_in_range(heavy_first, 2850, 3150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(a_name_in_a_circle),
        cmocka_unit_test(order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "signalling/request_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct tdm_address host(uint8_t last, uint16_t port)
{
    return (struct tdm_address){.family = TDM_IPV4, .bytes = {10, 0, 0, last}, .port = port};
}

/* How many of `count` requests of one host are answered, `gap` apart. */
static uint32_t admitted(struct tdm_request_limit *l, tdm_time *now, uint8_t last, uint32_t count,
                         tdm_time gap)
{
    uint32_t taken = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_address from = host(last, (uint16_t)i);

        taken += tdm_request_limit_admit(l, *now, &from);
        *now += gap;
    }
    return taken;
}

static void one_host_has_its_rate(void **state)
{
    struct tdm_request_limit l = {0};
    tdm_time now = 5 * TDM_S;

    (void)state;
    assert_int_equal(admitted(&l, &now, 1, 1000, 0), 2 * TDM_REQUEST_SOURCE_RATE);
    assert_int_equal(admitted(&l, &now, 2, 10, 0), 10); /* The others have theirs. */
    now += 10 * TDM_S;
    /* Ten seconds of 1000 a second: what was saved up, and the rate. */
    assert_in_range(admitted(&l, &now, 1, 10000, TDM_MS), 12 * TDM_REQUEST_SOURCE_RATE - 2,
                    12 * TDM_REQUEST_SOURCE_RATE);
    now += 100 * TDM_S;
    assert_int_equal(
        admitted(&l, &now, 1, 10 * TDM_REQUEST_SOURCE_RATE, TDM_S / TDM_REQUEST_SOURCE_RATE),
        10 * TDM_REQUEST_SOURCE_RATE);
}

static void all_together_have_theirs(void **state)
{
    struct tdm_request_limit l = {0};
    tdm_time now = 5 * TDM_S;
    uint32_t taken = 0;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++)
        taken += admitted(&l, &now, (uint8_t)i, 1, 0);
    assert_int_equal(taken, 2 * TDM_REQUEST_TOTAL_RATE);
    now += 3600 * TDM_S;
    assert_int_equal(admitted(&l, &now, 77, 1, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_host_has_its_rate),
        cmocka_unit_test(all_together_have_theirs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "sim/rate_trace.h"

#include "sim/rate_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t trace[200000];

static enum tdm_err parse(const char *text, uint32_t *count)
{
    return tdm_rate_trace_parse(text, strlen(text), trace, 4, count);
}

static void test_parse(void **state)
{
    uint32_t count;

    (void)state;
    assert_int_equal(parse("1\n1\n20\n", &count), TDM_OK);
    assert_int_equal(count, 3);
    assert_int_equal(trace[2], 20);
    assert_int_equal(parse("5", &count), TDM_OK);
    assert_int_equal(parse("", &count), TDM_E_MALFORMED);
    assert_int_equal(parse("0\n", &count), TDM_E_MALFORMED);
    assert_int_equal(parse("2\n1\n", &count), TDM_E_MALFORMED);
    assert_int_equal(parse("1\n-2\n", &count), TDM_E_MALFORMED);
    assert_int_equal(parse("99999999999\n", &count), TDM_E_MALFORMED);
    assert_int_equal(parse("1\n2\n3\n4\n5\n", &count), TDM_E_SPACE);
}

static void test_drawn(void **state)
{
    const struct tdm_rate_trace_model model = {.mean_bps = 5e6,
                                               .wander = 0.5,
                                               .most = 1.1,
                                               .outages_s = 20,
                                               .outage_s = 0.2,
                                               .slot_ms = 1};
    double bps = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint32_t count = tdm_rate_trace_draw(&model, seed, 120, trace, 200000);

        bps += count * 12000.0 / 120 / 10;
        assert_int_equal(trace[count - 1], 120000);
        for (uint32_t i = 1; i < count; i++)
            assert_true(trace[i] >= trace[i - 1]);
    }
    assert_true(bps > 3e6 && bps < 9e6);
}

/* Every packet leaves at an opportunity, in order, and no more bytes than there is room for. */
static void test_link_keeps_the_trace(void **state)
{
    static const uint32_t beats[] = {10, 20, 20, 50};
    struct tdm_rate_link *link = malloc(sizeof *link);
    const struct tdm_rate_link_config config = {
        .trace_ms = beats, .trace_count = 4, .queue_bytes = 100000};
    tdm_time expected[] = {10, 20, 20, 50, 60, 70, 70, 100};

    (void)state;
    assert_non_null(link);
    tdm_rate_link_init(link, &config);
    for (int i = 0; i < 8; i++)
        assert_true(tdm_rate_link_push(link, 0, &(struct tdm_rate_packet){.bytes = 1500}));
    for (int i = 0; i < 8; i++) {
        assert_true(link->done == expected[i] * TDM_MS);
        (void)tdm_rate_link_pop(link);
    }
    assert_true(link->done == TDM_NEVER);
    free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_link_keeps_the_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

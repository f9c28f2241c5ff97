/* SPDX-License-Identifier: MIT */
#include "engine/core/frame_budget.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tdm_frame_budget_out plan(struct tdm_frame_budget *b, tdm_time now, uint64_t bps,
                                        uint32_t waiting, bool wanted)
{
    struct tdm_frame_budget_in in = {.target_bps = bps,
                                     .frame_bytes = UINT32_MAX,
                                     .packets_waiting = waiting,
                                     .keyframe_wanted = wanted};
    struct tdm_frame_budget_out out;

    tdm_frame_budget_step(b, now, &in, &out);
    return out;
}

/* Whatever the frames cost, budgets add up to the rate less headers. */
static void test_budgets_add_up_to_the_rate(void **state)
{
    struct tdm_frame_budget b;
    double spent = 0;

    (void)state;
    tdm_frame_budget_init(&b, 30);
    for (int i = 0; i < 3000; i++) {
        struct tdm_frame_budget_out out = plan(&b, i * TDM_S / 30, 1500000, 0, false);
        size_t bytes = out.budget_bytes * (size_t)(i % 7 ? 9 : 16) / 10;

        tdm_frame_budget_encoded(&b, &out, bytes);
        spent += (double)bytes;
    }
    double share = 1500000 * 0.95 / 8 * 100;

    assert_true(spent < share * 1.01);
    assert_true(spent > share * 0.97);
}

static void test_savings_and_debts_are_bounded(void **state)
{
    struct tdm_frame_budget b;
    struct tdm_frame_budget_out out;
    uint32_t share = 1500000 / 8 / 30 * 95 / 100;

    (void)state;
    tdm_frame_budget_init(&b, 30);
    out = plan(&b, 0, 1500000, 0, false);
    tdm_frame_budget_encoded(&b, &out, 0);
    out = plan(&b, 0, 1500000, 0, false);
    assert_in_range(out.budget_bytes, share * 5 / 4 - 20, share * 5 / 4 + 20);
    tdm_frame_budget_encoded(&b, &out, 1000000);
    out = plan(&b, 0, 1500000, 0, false);
    assert_int_equal(out.budget_bytes, 300);
    tdm_frame_budget_encoded(&b, &out, out.budget_bytes);
    out = plan(&b, 0, 1500000, 0, false);
    assert_in_range(out.budget_bytes, share - 20, share + 20);
}

static void test_requests_for_one_loss_make_one_keyframe(void **state)
{
    struct tdm_frame_budget b;

    (void)state;
    tdm_frame_budget_init(&b, 30);
    assert_true(plan(&b, TDM_S, 1000000, 0, true).keyframe);
    assert_false(plan(&b, TDM_S + 33 * TDM_MS, 1000000, 0, true).keyframe);
    assert_false(plan(&b, TDM_S + 66 * TDM_MS, 1000000, 0, false).keyframe);
    assert_true(plan(&b, TDM_S + 160 * TDM_MS, 1000000, 0, false).keyframe);
    assert_false(plan(&b, TDM_S + 400 * TDM_MS, 1000000, 0, false).keyframe);
}

static void test_a_dropped_keyframe_is_still_owed(void **state)
{
    struct tdm_frame_budget b;
    struct tdm_frame_budget_out out;

    (void)state;
    tdm_frame_budget_init(&b, 30);
    out = plan(&b, TDM_S, 1000000, 0, true);
    tdm_frame_budget_dropped(&b, &out);
    assert_true(plan(&b, TDM_S + 33 * TDM_MS, 1000000, 0, false).keyframe);
}

static void test_skips_while_the_pacer_is_behind_and_keeps_the_keyframe(void **state)
{
    struct tdm_frame_budget b;
    struct tdm_frame_budget_out out;

    (void)state;
    tdm_frame_budget_init(&b, 30);
    out = plan(&b, TDM_S, 1000000, 100, true);
    assert_true(out.skip);
    assert_false(out.keyframe);
    out = plan(&b, TDM_S + 33 * TDM_MS, 1000000, 3, false);
    assert_false(out.skip);
    assert_true(out.keyframe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budgets_add_up_to_the_rate),
        cmocka_unit_test(test_savings_and_debts_are_bounded),
        cmocka_unit_test(test_requests_for_one_loss_make_one_keyframe),
        cmocka_unit_test(test_a_dropped_keyframe_is_still_owed),
        cmocka_unit_test(test_skips_while_the_pacer_is_behind_and_keeps_the_keyframe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

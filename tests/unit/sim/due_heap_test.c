/* SPDX-License-Identifier: MIT */
#include "sim/due_heap.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct element {
    struct tdm_sim_due due;
    uint32_t number;
};

/* In and out by chance: what comes out is never earlier than what came out since the last push, and
 * of equals the older comes first. */
static void test_order(void **state)
{
    static struct element elements[64];
    struct tdm_sim_due_heap heap = tdm_sim_due_heap_of(elements, sizeof elements[0]);
    struct tdm_rng rng = tdm_rng_of(1);
    struct element e, before = {.due.at = -1};
    uint64_t sum = 0;
    uint32_t number = 0;

    (void)state;
    assert_true(tdm_sim_due_heap_at(&heap) == TDM_NEVER);
    for (int step = 0; step < 20000; step++) {
        if (heap.count == 0 || (heap.count < 64 && tdm_rng_chance(&rng, 0.5))) {
            e = (struct element){.due.at = tdm_rng_below(&rng, 8), .number = number};
            sum += number++;
            tdm_sim_due_heap_push(&heap, &e);
            before = (struct element){.due.at = -1};
            continue;
        }
        tdm_time next = tdm_sim_due_heap_at(&heap);

        tdm_sim_due_heap_pop(&heap, &e);
        assert_true(e.due.at == next && e.due.at >= before.due.at);
        assert_true(e.due.at > before.due.at || e.number > before.number);
        sum -= e.number;
        before = e;
    }
    while (heap.count) {
        tdm_sim_due_heap_pop(&heap, &e);
        sum -= e.number;
    }
    assert_int_equal(sum, 0);
    assert_true(number > 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "collab/screen_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLOTS 8

static struct tdm_screen_cache *make(void **state)
{
    free(*state);
    *state = malloc(tdm_screen_cache_bytes(SLOTS));
    assert_non_null(*state);
    return tdm_screen_cache_init(*state, SLOTS);
}

static void test_finds_what_was_put(void **state)
{
    struct tdm_screen_cache *c = make(state);

    for (uint64_t i = 0; i < SLOTS; i++)
        assert_int_equal(tdm_screen_cache_put(c, i % 2, 100 + i, 1), i);
    for (uint64_t i = 0; i < SLOTS; i++)
        assert_int_equal(tdm_screen_cache_find(c, i % 2, 100 + i, 2), i);
    assert_true(tdm_screen_cache_may_have(c, 1));
    assert_false(tdm_screen_cache_may_have(c, 2));
    /* Half of the hash is not enough. */
    assert_int_equal(tdm_screen_cache_find(c, 0, 101, 2), TDM_SCREEN_NO_SLOT);
}

static void test_what_is_used_stays(void **state)
{
    struct tdm_screen_cache *c = make(state);

    for (uint64_t i = 0; i < SLOTS; i++)
        (void)tdm_screen_cache_put(c, i, i, 1);
    assert_int_equal(tdm_screen_cache_find(c, 0, 0, 2), 0);
    /* The clock steps over slot 0 once. */
    for (uint64_t i = 0; i < SLOTS - 1; i++)
        assert_int_equal(tdm_screen_cache_put(c, 50 + i, 50 + i, 3), i + 1);
    assert_int_equal(tdm_screen_cache_find(c, 0, 0, 3), 0);
    /* All are used by the frame in the making. */
    assert_int_equal(tdm_screen_cache_put(c, 99, 99, 3), TDM_SCREEN_NO_SLOT);
    assert_int_not_equal(tdm_screen_cache_put(c, 99, 99, 4), TDM_SCREEN_NO_SLOT);
    assert_int_equal(tdm_screen_cache_find(c, 1, 1, 4), TDM_SCREEN_NO_SLOT);
}

static void test_forgets_what_never_arrived(void **state)
{
    struct tdm_screen_cache *c = make(state);

    (void)tdm_screen_cache_put(c, 1, 1, UINT32_MAX);
    (void)tdm_screen_cache_put(c, 2, 2, 0); /* Ids go round. */
    (void)tdm_screen_cache_put(c, 3, 3, 1);
    tdm_screen_cache_drop_after(c, UINT32_MAX);
    assert_int_equal(tdm_screen_cache_find(c, 1, 1, 5), 0);
    assert_int_equal(tdm_screen_cache_find(c, 2, 2, 5), TDM_SCREEN_NO_SLOT);
    assert_int_equal(tdm_screen_cache_find(c, 3, 3, 5), TDM_SCREEN_NO_SLOT);
}

static void test_limit(void **state)
{
    struct tdm_screen_cache *c = make(state);

    tdm_screen_cache_limit(c, 2);
    for (uint64_t i = 0; i < SLOTS; i++)
        assert_true(tdm_screen_cache_put(c, i, i, (uint32_t)i) < 2);
    tdm_screen_cache_limit(c, 0);
    assert_int_equal(tdm_screen_cache_put(c, 1, 1, 1), TDM_SCREEN_NO_SLOT);
    tdm_screen_cache_limit(c, 100);
    assert_int_equal(tdm_screen_cache_slots(c), SLOTS);
}

static int end(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_finds_what_was_put, end),
        cmocka_unit_test_teardown(test_what_is_used_stays, end),
        cmocka_unit_test_teardown(test_forgets_what_never_arrived, end),
        cmocka_unit_test_teardown(test_limit, end),
    };

    return cmocka_run_group_tests_name("screen_cache", tests, NULL, NULL);
}

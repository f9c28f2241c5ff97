/* SPDX-License-Identifier: MIT */
#include "engine/core/voice_length.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What is left, until when (in seconds), and whether packets are long from then on. */
static const struct {
    uint64_t left_bps;
    tdm_time until_s;
    bool doubled;
} story[] = {
    {0, 10, false},      /* Not known. */
    {300000, 20, false}, /* Enough, */
    {61000, 30, false},  /* and just enough. */
    {59000, 31, true},   /* Not enough. */
    {80000, 60, true},   /* Better, but it might not last. */
    {0, 70, true},       /* Not known any more. */
    {200000, 74, true},  /* Enough, for less than 5 s, */
    {85000, 75, true},   /* which begin anew. */
    {200000, 79, true},  {200000, 82, false}, {60001, 90, false},
};

static void test_follows_what_is_left(void **state)
{
    struct tdm_voice_length v = {0};
    tdm_time now = TDM_S;

    (void)state;
    for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
        bool doubled = false;

        for (; now < story[i].until_s * TDM_S; now += 100 * TDM_MS)
            doubled = tdm_voice_length_step(&v, now, story[i].left_bps);
        assert_int_equal(doubled, story[i].doubled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/core/references.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct tdm_repair_plan plain = {.chains = 1};

/* Codes a picture and gives what it referred to. */
static uint8_t code(struct tdm_references *r, const struct tdm_repair_plan *plan, uint32_t number)
{
    struct tdm_references_out out;

    tdm_references_step(r, plan, &out);
    uint8_t refers = out.keyframe ? 0 : out.wanted;

    tdm_references_coded(r, number, refers);
    return refers;
}

static void tell(struct tdm_references *r, uint16_t newest, uint64_t decoded)
{
    tdm_references_told(r, &(struct tdm_reference_report){.newest = newest, .decoded = decoded});
}

static struct tdm_references begun(uint8_t reach, uint8_t chains, uint32_t count,
                                   const struct tdm_repair_plan *plan)
{
    struct tdm_references r;

    tdm_references_init(&r, reach, chains);
    for (uint32_t i = 0; i < count; i++)
        (void)code(&r, plan, i);
    return r;
}

static void test_one_behind_the_other(void **state)
{
    struct tdm_references r = begun(15, 6, 1, &plain);

    (void)state;
    for (uint32_t i = 1; i < 200; i++)
        assert_int_equal(code(&r, &plain, i), 1);
}

static void test_what_is_broken_begins_anew(void **state)
{
    struct tdm_references r = begun(15, 6, 8, &plain);

    (void)state;
    tell(&r, 4, 0x1e); /* 4 is lacked; 0 to 3 are there. */
    assert_int_equal(code(&r, &plain, 8), 5);
    assert_int_equal(code(&r, &plain, 9), 1); /* On from there. */
    tell(&r, 7, 0xf0);                        /* Nothing new: 5 to 7 wait for 4. */
    assert_int_equal(code(&r, &plain, 10), 1);
    tell(&r, 9, 0x3c3); /* 8 and 9 came. */
    assert_int_equal(code(&r, &plain, 11), 1);
}

static void test_chains(void **state)
{
    static const struct tdm_repair_plan three = {.chains = 3};
    struct tdm_references r = begun(15, 6, 9, &three);

    (void)state;
    tell(&r, 6, 0x7d); /* 5 is lacked. */
    assert_int_equal(code(&r, &three, 9), 3);
    assert_int_equal(code(&r, &three, 10), 3);
    assert_int_equal(code(&r, &three, 11), 5); /* Of 5 and 8's chain: anew from 6. */
    assert_int_equal(code(&r, &three, 12), 3);
    r = begun(15, 2, 9, &three); /* Of an encoder with two. */
    assert_int_equal(code(&r, &three, 9), 2);
}

static void test_each_to_what_is_known(void **state)
{
    static const struct tdm_repair_plan known = {.chains = 1, .known_every = 1};
    struct tdm_references r = begun(15, 6, 6, &known);

    (void)state;
    tell(&r, 3, 0xf);
    assert_int_equal(code(&r, &known, 6), 3);
    tell(&r, 4, 0x1e);
    assert_int_equal(code(&r, &known, 7), 4);
}

static void test_nothing_is_left(void **state)
{
    struct tdm_references r = begun(4, 6, 8, &plain);

    (void)state;
    tell(&r, 7, 0xf0); /* The newest that is there is beyond the encoder's reach. */
    assert_int_equal(code(&r, &plain, 8), 0);
    assert_int_equal(code(&r, &plain, 9), 1);
    tell(&r, 8, 0x1e0); /* The keyframe, too. */
    assert_int_equal(code(&r, &plain, 10), 0);
}

/* Reports of what was never sent, that were overtaken, and that say all or nothing. */
static void test_lies(void **state)
{
    struct tdm_references r = begun(15, 6, 20, &plain);

    (void)state;
    tell(&r, 20, 0);
    tell(&r, 21, UINT64_MAX);
    tell(&r, 0x8000, 0);
    assert_int_equal(code(&r, &plain, 20), 1);
    tell(&r, 18, UINT64_MAX);
    tell(&r, 10, 0); /* Older than what is known. */
    assert_int_equal(code(&r, &plain, 21), 1);
    tell(&r, 21, 0);
    assert_int_equal(code(&r, &plain, 22), 0);
}

/* Reports of chance, most of them about pictures that were sent: what is wanted is the one before,
 * or one that was told to be there, within the encoder's reach and not from before the last
 * keyframe. */
static void test_any_lie(void **state)
{
    struct tdm_references r = begun(15, 6, 20, &plain);
    struct tdm_rng rng = tdm_rng_of(1);
    uint32_t since_keyframe = 20, begun_anew = 0, keyframes = 0;

    (void)state;
    for (uint32_t i = 20; i < 4000; i++) {
        struct tdm_references_out out;
        uint64_t decoded = tdm_rng_u64(&rng) & tdm_rng_u64(&rng);
        uint32_t back = tdm_rng_below(&rng, tdm_rng_chance(&rng, 0.1) ? 65536 : 20);

        tell(&r, (uint16_t)(i - 1 - back), tdm_rng_chance(&rng, 0.5) ? decoded : 0);
        tdm_references_step(&r, &plain, &out);
        assert_in_range(out.wanted, 1, 15);
        assert_in_range(out.known, 0, 15);
        assert_true(out.wanted == 1 || out.wanted == out.known);
        assert_true(out.keyframe || out.wanted <= since_keyframe);
        assert_true(!out.keyframe || !out.known);
        tdm_references_coded(&r, i, out.keyframe ? 0 : out.wanted);
        since_keyframe = out.keyframe ? 1 : since_keyframe + 1;
        begun_anew += out.wanted > 1;
        keyframes += out.keyframe;
    }
    assert_true(begun_anew > 100 && keyframes > 100);
}

static void test_numbers_wrap_and_are_left_out(void **state)
{
    struct tdm_references r;

    (void)state;
    tdm_references_init(&r, 15, 6);
    for (uint32_t i = 0; i < 12; i++)
        (void)code(&r, &plain, 0xfff0 + 3 * i); /* 0xfff0 to 0x10011. */
    assert_int_equal(tdm_references_distance(&r, 0x10014, 1), 3);
    assert_int_equal(tdm_references_distance(&r, 0x10014, 4), 12);
    assert_int_equal(tdm_references_distance(&r, 0x10014, 0), 0);
    assert_int_equal(tdm_references_distance(&r, 0x20000, 1), 255);
    tell(&r, 0x0005, 0x208); /* Number 0x10005 is lacked, 0x10002 there. */
    assert_int_equal(code(&r, &plain, 0x10014), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_behind_the_other),
        cmocka_unit_test(test_what_is_broken_begins_anew),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_each_to_what_is_known),
        cmocka_unit_test(test_nothing_is_left),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_any_lie),
        cmocka_unit_test(test_numbers_wrap_and_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

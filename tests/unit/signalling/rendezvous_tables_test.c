/* SPDX-License-Identifier: MIT */
/* The server's tables beside plain ones that do the same, over seeded random orders. */
#include "engine/base/rng.h"
#include "signalling/rendezvous_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 50u
#define STEPS 20000

static void a_pool_gives_each_index_once(void **state)
{
    uint32_t next[COUNT] = {0};
    struct tdm_rdv_pool p = {.next = next, .count = COUNT};
    struct tdm_rng rng = tdm_rng_of(1);
    bool used[COUNT] = {false};
    uint32_t count = 0;

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        uint32_t index = tdm_rng_below(&rng, COUNT);

        if (tdm_rng_below(&rng, 2)) {
            index = tdm_rdv_pool_take(&p);
            assert_true((index == TDM_RDV_NONE) == (count == COUNT));
            if (index == TDM_RDV_NONE)
                continue;
            assert_true(index < COUNT && !used[index]);
            used[index] = true;
            count++;
        } else if (used[index]) {
            tdm_rdv_pool_give(&p, index);
            used[index] = false;
            count--;
        }
        assert_int_equal(p.used, count);
    }
}

static void a_hash_finds_what_is_in_it(void **state)
{
    uint32_t heads[8] = {0}, next[COUNT] = {0};
    struct tdm_rdv_hash h = {.heads = heads, .next = next, .mask = 7};
    struct tdm_rng rng = tdm_rng_of(2);
    bool in[COUNT] = {false};

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        uint32_t index = tdm_rng_below(&rng, COUNT), found = 0;
        uint64_t hash = index * 5; /* Several of each chain. */

        if (in[index])
            tdm_rdv_hash_remove(&h, hash, index);
        else
            tdm_rdv_hash_add(&h, hash, index);
        in[index] = !in[index];
        tdm_rdv_hash_remove(&h, hash + 1, index); /* Of another chain: does nothing. */
        for (uint32_t at = tdm_rdv_hash_first(&h, hash); at != TDM_RDV_NONE;
             at = tdm_rdv_hash_next(&h, at)) {
            assert_true(in[at] && (at * 5 & 7) == (hash & 7));
            found += at == index;
        }
        assert_int_equal(found, in[index]);
    }
}

static void chains_keep_texts_or_nothing(void **state)
{
    enum { BLOCKS = 20, CHAINS = 6 };
    static uint8_t bytes[BLOCKS * TDM_RDV_BLOCK_BYTES], text[CHAINS][8000], got[8000];
    uint32_t next[BLOCKS] = {0}, following[BLOCKS] = {0};
    struct tdm_rdv_blocks b = {
        .pool = {.next = next, .count = BLOCKS}, .following = following, .bytes = bytes};
    struct tdm_rdv_chain chains[CHAINS] = {{0}};
    struct tdm_rng rng = tdm_rng_of(3);
    bool was_full = false;

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        uint32_t c = tdm_rng_below(&rng, CHAINS), size = tdm_rng_below(&rng, sizeof got);
        uint32_t blocks = 0;
        static uint8_t fresh[8000];

        for (uint32_t at = 0; at < size; at++)
            fresh[at] = (uint8_t)(i + (int)at);
        if (i % 7 == 0) {
            tdm_rdv_chain_drop(&b, &chains[c]);
        } else if (tdm_rdv_chain_set(&b, &chains[c], fresh, size)) {
            memcpy(text[c], fresh, size);
            assert_int_equal(chains[c].size, size);
        } else {
            was_full = true;
        }
        for (uint32_t k = 0; k < CHAINS; k++) {
            blocks += (chains[k].size + TDM_RDV_BLOCK_BYTES - 1) / TDM_RDV_BLOCK_BYTES;
            assert_int_equal(tdm_rdv_chain_copy(&b, &chains[k], got, sizeof got), chains[k].size);
            assert_memory_equal(got, text[k], chains[k].size);
        }
        assert_int_equal(b.pool.used, blocks);
        if (chains[c].size)
            assert_int_equal(tdm_rdv_chain_copy(&b, &chains[c], got, chains[c].size - 1), 0);
    }
    assert_true(was_full);
}

static void the_earliest_timer_is_first(void **state)
{
    tdm_time at[COUNT] = {0}, want[COUNT];
    uint32_t heap[COUNT] = {0}, place[COUNT] = {0};
    struct tdm_rdv_timers t = {.at = at, .heap = heap, .place = place, .count = COUNT};
    struct tdm_rng rng = tdm_rng_of(4);

    (void)state;
    for (uint32_t i = 0; i < COUNT; i++)
        want[i] = TDM_NEVER;
    for (int i = 0; i < STEPS; i++) {
        uint32_t timer = tdm_rng_below(&rng, COUNT), first;
        tdm_time least = TDM_NEVER;

        if (tdm_rng_below(&rng, 3)) {
            want[timer] = tdm_rng_below(&rng, 1000);
            tdm_rdv_timer_set(&t, timer, want[timer]);
        } else {
            want[timer] = TDM_NEVER;
            tdm_rdv_timer_off(&t, timer);
        }
        for (uint32_t k = 0; k < COUNT; k++)
            least = tdm_time_min(least, want[k]);
        assert_true(tdm_rdv_timer_first(&t, &first) == least);
        assert_true(first == TDM_RDV_NONE ? least == TDM_NEVER : want[first] == least);
    }
}

static void keys_tell_texts_apart(void **state)
{
    const uint64_t secret[2] = {1, 2}, other[2] = {1, 3};
    struct tdm_rdv_key a = tdm_rdv_key_begin(secret), b = a, c = tdm_rdv_key_begin(other), d = a;

    (void)state;
    tdm_rdv_key_add(&a, tdm_text_of_string("ab"));
    tdm_rdv_key_add(&a, tdm_text_of_string("c"));
    tdm_rdv_key_add(&b, tdm_text_of_string("a"));
    tdm_rdv_key_add(&b, tdm_text_of_string("bc"));
    tdm_rdv_key_add(&c, tdm_text_of_string("ab"));
    tdm_rdv_key_add(&c, tdm_text_of_string("c"));
    tdm_rdv_key_add(&d, tdm_text_of_string("ab"));
    tdm_rdv_key_add(&d, tdm_text_of_string("c"));
    assert_false(tdm_rdv_key_equal(a, b));
    assert_false(tdm_rdv_key_equal(a, c));
    assert_true(tdm_rdv_key_equal(a, d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_gives_each_index_once),
        cmocka_unit_test(a_hash_finds_what_is_in_it),
        cmocka_unit_test(chains_keep_texts_or_nothing),
        cmocka_unit_test(the_earliest_timer_is_first),
        cmocka_unit_test(keys_tell_texts_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

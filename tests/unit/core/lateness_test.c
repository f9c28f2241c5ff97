/* SPDX-License-Identifier: MIT */
#include "engine/core/lateness.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    tdm_time x = *(const tdm_time *)a, y = *(const tdm_time *)b;

    return (x > y) - (x < y);
}

/* The running mark is the quantile that a full sort gives (the memory is long beside the run). */
static void test_quantile_is_exact(void **state)
{
    static struct tdm_lateness l;
    enum { N = 300 };
    tdm_time seen[N];
    struct tdm_rng rng = tdm_rng_of(5);

    (void)state;
    tdm_lateness_init(&l);
    for (int i = 0; i < N; i++) {
        tdm_time late = (tdm_time)(tdm_rng_unit(&rng) * 200e6) - 3000 * TDM_MS;
        tdm_time sorted[N];

        seen[i] = late;
        tdm_lateness_add(&l, late, TDM_MS, false); /* 0.3 s in all against 3 s of memory. */
        for (int k = 0; k <= i; k++)
            sorted[k] = seen[k];
        qsort(sorted, (size_t)i + 1, sizeof sorted[0], by_value);
        tdm_time exact = sorted[(int)(0.9 * i)], got = tdm_lateness_recent(&l, 0);
        if (i > 100)
            assert_true(llabs(got - exact) < 8 * TDM_MS);
    }
}

/* The running sums are the sums, whatever came: checked against a count from scratch. */
static void test_marks_stay_true(void **state)
{
    static struct tdm_lateness l;
    static const double quantiles[TDM_LATENESS_QUANTILES] = {0.90, 0.97,  0.98,  0.985,
                                                             0.99, 0.997, 0.9998};
    struct tdm_rng rng = tdm_rng_of(6);

    (void)state;
    tdm_lateness_init(&l);
    for (int i = 0; i < 30000; i++) {
        int64_t reach = i % 1000 == 999 ? 5000 : 1 + tdm_rng_below(&rng, 300);

        tdm_lateness_add(&l, (tdm_time)tdm_rng_below(&rng, (uint32_t)reach) * TDM_MS, 20 * TDM_MS,
                         false);
        if (i % 97)
            continue;
        for (int m = 0; m < TDM_LATENESS_MEMORIES; m++)
            for (int q = 0; q < TDM_LATENESS_QUANTILES; q++) {
                const struct tdm_lateness_memory *h = &l.memories[m];
                double total = 0, below = 0;

                for (int64_t b = l.lowest; b < l.lowest + TDM_LATENESS_BUCKETS; b++) {
                    double w = h->weight[b & (TDM_LATENESS_BUCKETS - 1)];

                    total += w;
                    below += b < h->marks[q].bucket ? w : 0;
                }
                double at = h->weight[h->marks[q].bucket & (TDM_LATENESS_BUCKETS - 1)];
                assert_true(below <= quantiles[q] * total * (1 + 1e-6));
                assert_true(below + at >= quantiles[q] * total * (1 - 1e-6));
            }
    }
}

static tdm_time settle(struct tdm_lateness *l, struct tdm_rng *rng, double spread_ms,
                       double spike_ms, int spike_every, int count, tdm_time origin)
{
    for (int i = 0; i < count; i++) {
        double ms = tdm_rng_unit(rng) * spread_ms;

        if (spike_every && i % spike_every == 0)
            ms = spike_ms;
        tdm_lateness_add(l, origin + (tdm_time)(ms * 1e6), 20 * TDM_MS, false);
    }
    return tdm_lateness_target(l) - origin;
}

/* Rare and very late packets are not worth waiting for; frequent and near ones are. */
static void test_follows_the_cheapest(void **state)
{
    static struct tdm_lateness l;
    struct tdm_rng rng = tdm_rng_of(7);

    (void)state;
    tdm_lateness_init(&l);
    tdm_time clean = settle(&l, &rng, 2, 0, 0, 3000, 0);
    assert_in_range(clean, TDM_MS, 4 * TDM_MS);
    tdm_lateness_init(&l);
    tdm_time near = settle(&l, &rng, 5, 25, 50, 6000, 0); /* 0.4 s of it a minute. */
    assert_in_range(near, 25 * TDM_MS, 30 * TDM_MS);
    tdm_lateness_init(&l);
    tdm_time rare = settle(&l, &rng, 5, 900, 3000, 30000, 0); /* One packet a minute. */
    assert_true(rare < 100 * TDM_MS);
}

/* The origin does not matter. */
static void test_origin_is_free(void **state)
{
    static struct tdm_lateness a, b;
    struct tdm_rng ra = tdm_rng_of(8), rb = tdm_rng_of(8);
    const tdm_time far = -86400 * TDM_S;

    (void)state;
    tdm_lateness_init(&a);
    tdm_lateness_init(&b);
    assert_int_equal(settle(&a, &ra, 30, 120, 77, 5000, 0),
                     settle(&b, &rb, 30, 120, 77, 5000, far));
}

/* When the network calms down, the target comes down within a minute. */
static void test_forgets(void **state)
{
    static struct tdm_lateness l;
    struct tdm_rng rng = tdm_rng_of(10);

    (void)state;
    tdm_lateness_init(&l);
    assert_true(settle(&l, &rng, 100, 0, 0, 3000, 0) > 80 * TDM_MS);
    assert_true(settle(&l, &rng, 2, 0, 0, 3000, 0) < 10 * TDM_MS);
}

/* Overtaken packets, one in 50, come 60 ms late: waited for, unless the one behind each has it. */
static void test_healed_is_not_waited_for(void **state)
{
    static struct tdm_lateness l;

    (void)state;
    for (int heals = 0; heals < 2; heals++) {
        tdm_time most = 0;

        tdm_lateness_init(&l);
        for (int i = 0; i < 6000; i++) {
            bool late = i % 50 == 0;

            tdm_lateness_heal(&l, heals);
            tdm_lateness_add(&l, late ? 60 * TDM_MS : TDM_MS, 20 * TDM_MS, late);
            if (i > 5000)
                most = tdm_time_max(most, tdm_lateness_target(&l));
        }
        assert_in_range(most, heals ? TDM_MS : 60 * TDM_MS, heals ? 10 * TDM_MS : 65 * TDM_MS);
    }
}

/* Nothing passes for 200 ms, every 8 to 12 s, or (`any`) 0.5 to 20 s. Returns the least and most
 * that is aimed at while 2 to 6 s, and more than 7.5 s, after a stall. */
static void stalls(bool any, tdm_time *resting, tdm_time *waiting)
{
    static struct tdm_lateness l;
    struct tdm_rng rng = tdm_rng_of(12);
    double next_s = 10, ended_s = 0;

    *resting = *waiting = 0;
    tdm_lateness_init(&l);
    for (double at = 0; at < 300; at += 0.02) {
        double stall = at >= next_s ? 0.2 - (at - next_s) : 0;

        tdm_lateness_add(&l, (tdm_time)(fmax(stall, 0) * 1e9) + TDM_MS, 20 * TDM_MS, false);
        if (at >= next_s + 0.2) {
            ended_s = at;
            next_s = at + (any ? 0.5 + 19.5 * tdm_rng_unit(&rng) : 8 + 4 * tdm_rng_unit(&rng));
        }
        if (at > 200 && at < next_s && at - ended_s > 2 && at - ended_s < 6)
            *resting = tdm_time_max(*resting, tdm_lateness_target(&l));
        if (at > 200 && at < next_s && at - ended_s > 7.5)
            *waiting = tdm_time_max(*waiting, tdm_lateness_target(&l));
    }
}

/* Where stalls keep a distance, nothing is held right after one; where they do not, what is held
 * is held always. */
static void test_rests_after_a_stall(void **state)
{
    tdm_time resting, waiting;

    (void)state;
    stalls(false, &resting, &waiting);
    assert_true(resting < 10 * TDM_MS);
    assert_true(waiting > 60 * TDM_MS);
    stalls(true, &resting, &waiting);
    assert_true(resting + 10 * TDM_MS > waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantile_is_exact),
        cmocka_unit_test(test_marks_stay_true),
        cmocka_unit_test(test_follows_the_cheapest),
        cmocka_unit_test(test_origin_is_free),
        cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_healed_is_not_waited_for),
        cmocka_unit_test(test_rests_after_a_stall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

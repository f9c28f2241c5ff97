/* SPDX-License-Identifier: MIT */
#include "sim/event_log.h"
#include "sim/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PACKETS 20000

struct run {
    uint64_t arrived, out_of_order, twice, wrong;
    uint64_t hash;
    tdm_time delay_min, delay_max, last_arrival;
    double delay_sum, delay_square_sum;
    uint64_t longest_gap; /* Packets lost in a row. */
};

static void take_due(struct tdm_sim_link *link, tdm_time now, struct run *run, int64_t *last)
{
    struct tdm_sim_packet packet;

    while (tdm_sim_link_due(link) <= now) {
        tdm_time at = tdm_sim_link_due(link);
        tdm_time delay;
        uint64_t carried = 0;

        assert_true(tdm_sim_link_pop(link, at, &packet));
        memcpy(&carried, packet.data, sizeof(carried));
        run->wrong += carried != packet.number;
        delay = at - packet.sent;
        run->arrived++;
        run->out_of_order += (int64_t)packet.number < *last;
        run->twice += (int64_t)packet.number == *last;
        if ((int64_t)packet.number > *last) {
            uint64_t gap = packet.number - (uint64_t)(*last + 1);

            run->longest_gap = gap > run->longest_gap ? gap : run->longest_gap;
            *last = (int64_t)packet.number;
        }
        run->delay_min = tdm_time_min(run->delay_min, delay);
        run->delay_max = tdm_time_max(run->delay_max, delay);
        run->delay_sum += (double)delay;
        run->delay_square_sum += (double)delay * (double)delay;
        run->last_arrival = at;
        run->hash = tdm_sim_hash(run->hash, &at, sizeof(at));
        run->hash = tdm_sim_hash(run->hash, packet.data, packet.size);
    }
}

/* Pushes `count` packets of `size` bytes, one each `interval`, and takes all that arrive. */
static struct run run_link(const struct tdm_sim_link_config *config, uint32_t count, uint16_t size,
                           tdm_time interval, struct tdm_sim_link_stats *stats)
{
    void *storage = test_malloc(tdm_sim_link_bytes(config));
    struct tdm_sim_link *link = tdm_sim_link_init(storage, config);
    struct run run = {.delay_min = TDM_NEVER};
    uint8_t data[1500] = {0};
    int64_t last = -1;

    for (uint64_t i = 0; i < count; i++) {
        tdm_time now = (tdm_time)i * interval;

        take_due(link, now, &run, &last);
        memcpy(data, &i, sizeof(i));
        tdm_sim_link_push(link, now, 7, data, size);
    }
    *stats = *tdm_sim_link_stats_of(link);
    assert_int_equal(stats->pushed + stats->copies, stats->delivered + stats->lost_random +
                                                        stats->lost_queue + stats->lost_cut +
                                                        stats->in_flight);
    take_due(link, TDM_NEVER - 1, &run, &last);
    *stats = *tdm_sim_link_stats_of(link);
    assert_int_equal(stats->in_flight, 0);
    assert_int_equal(stats->delivered, run.arrived);
    assert_int_equal(stats->pushed + stats->copies,
                     stats->delivered + stats->lost_random + stats->lost_queue + stats->lost_cut);
    test_free(storage);
    return run;
}

static void a_plain_link_only_delays(void **state)
{
    struct tdm_sim_link_stats stats;
    struct run run =
        run_link(&(struct tdm_sim_link_config){.delay = 20 * TDM_MS}, 1000, 100, TDM_MS, &stats);

    (void)state;
    assert_int_equal(run.arrived, 1000);
    assert_int_equal(run.delay_min, 20 * TDM_MS);
    assert_int_equal(run.delay_max, 20 * TDM_MS);
    assert_int_equal(run.out_of_order + run.twice + run.wrong, 0);
}

static void the_rate_is_kept_and_the_queue_bounded(void **state)
{
    /* 1000 bytes each 4 ms are 2 Mb/s into 1 Mb/s. */
    struct tdm_sim_link_stats stats;
    struct run run =
        run_link(&(struct tdm_sim_link_config){.rate_bps = 1000000, .queue_bytes = 20000}, 5000,
                 1000, 4 * TDM_MS, &stats);

    (void)state;
    assert_in_range(run.arrived, 2510, 2530);
    assert_in_range(stats.queue_bytes_max, 19000, 20000);
    assert_in_range(run.delay_max, 150 * TDM_MS, 161 * TDM_MS);

    run = run_link(&(struct tdm_sim_link_config){.rate_bps = 1000000, .queue_delay = 50 * TDM_MS},
                   5000, 1000, 4 * TDM_MS, &stats);
    assert_in_range(run.delay_max, 45 * TDM_MS, 58 * TDM_MS);
}

static void rate_steps_count_to_the_bit(void **state)
{
    static const struct tdm_sim_rate_step steps[] = {
        {TDM_S, 0}, {2 * TDM_S, 4000000}, {3 * TDM_S, 8000}};
    struct tdm_sim_link_stats stats;
    /* 250 packets of 1000 bytes at once: 125 in the first second, none in the next, then the rest.
     */
    struct run run = run_link(&(struct tdm_sim_link_config){.rate_bps = 1000000,
                                                            .rate_steps = steps,
                                                            .rate_step_count = 3},
                              250, 1000, 0, &stats);

    (void)state;
    assert_int_equal(run.arrived, 250);
    assert_int_equal(run.last_arrival, 2 * TDM_S + 250 * TDM_MS);
}

static void a_trace_delivers_at_its_opportunities(void **state)
{
    static const uint32_t trace[] = {5, 5, 20};
    struct tdm_sim_link_stats stats;
    /* Six packets of 1500 bytes: two at 5 ms, one at 20, two at 25, one at 40. */
    struct run run = run_link(&(struct tdm_sim_link_config){.trace_ms = trace, .trace_count = 3}, 6,
                              1500, 0, &stats);

    (void)state;
    assert_int_equal(run.delay_min, 5 * TDM_MS);
    assert_int_equal(run.last_arrival, 40 * TDM_MS);
    /* Small ones share an opportunity; one that lies between two waits for the next. */
    run = run_link(&(struct tdm_sim_link_config){.trace_ms = trace, .trace_count = 3}, 10, 300, 0,
                   &stats);
    assert_int_equal(run.delay_max, 5 * TDM_MS);
    run = run_link(&(struct tdm_sim_link_config){.trace_ms = trace, .trace_count = 3}, 2, 100,
                   6 * TDM_MS, &stats);
    assert_int_equal(run.last_arrival, 20 * TDM_MS);
}

static void losses_have_their_rate_and_bursts(void **state)
{
    struct tdm_sim_link_stats stats;
    struct run run = run_link(&(struct tdm_sim_link_config){.seed = 1, .loss = 0.05}, PACKETS, 50,
                              TDM_MS, &stats);
    uint64_t gap = run.longest_gap;

    (void)state;
    assert_in_range(stats.lost_random, PACKETS * 45 / 1000, PACKETS * 55 / 1000);
    assert_in_range(gap, 1, 6);
    /* Bad for a sixth of the time in bursts of ten, half lost there: 1 in 12 overall. */
    run = run_link(
        &(struct tdm_sim_link_config){.seed = 1, .ge_enter = 0.02, .ge_leave = 0.1, .ge_loss = 0.5},
        PACKETS, 50, TDM_MS, &stats);
    assert_in_range(stats.lost_random, PACKETS * 7 / 100, PACKETS * 10 / 100);
    assert_true(run.longest_gap > gap);
}

static void jitter_has_its_shape_and_keeps_order_unless_told(void **state)
{
    static const double means[] = {0, 5, 7.98, 10};

    (void)state;
    for (int kind = TDM_SIM_JITTER_UNIFORM; kind <= TDM_SIM_JITTER_GAMMA; kind++) {
        struct tdm_sim_link_stats stats;
        struct tdm_sim_link_config config = {.seed = 4,
                                             .jitter_kind = (enum tdm_sim_jitter)kind,
                                             .jitter = 10 * TDM_MS,
                                             .jitter_reorders = true};
        struct run run = run_link(&config, PACKETS, 50, TDM_MS, &stats);
        double mean = run.delay_sum / PACKETS / (double)TDM_MS;

        assert_true(mean > means[kind] * 0.97 && mean < means[kind] * 1.03);
        assert_true(run.out_of_order > PACKETS / 4);
        config.jitter_reorders = false;
        run = run_link(&config, PACKETS, 50, TDM_MS, &stats);
        assert_int_equal(run.out_of_order, 0);
        assert_int_equal(run.arrived, PACKETS);
    }
}

static void reorder_duplicate_and_corrupt_happen_as_often_as_told(void **state)
{
    struct tdm_sim_link_stats stats;
    struct run run = run_link(&(struct tdm_sim_link_config){.seed = 2,
                                                            .delay = 10 * TDM_MS,
                                                            .reorder = 0.1,
                                                            .reorder_delay = 3 * TDM_MS,
                                                            .duplicate = 0.1,
                                                            .corrupt = 0.1},
                              PACKETS, 8, 2 * TDM_MS, &stats);

    (void)state;
    assert_in_range(stats.reordered, PACKETS * 9 / 100, PACKETS * 11 / 100);
    assert_in_range(stats.copies, PACKETS * 9 / 100, PACKETS * 11 / 100);
    assert_in_range(stats.corrupted, PACKETS * 9 / 100, PACKETS * 13 / 100);
    assert_int_equal(run.wrong, stats.corrupted);
    assert_true(run.out_of_order > PACKETS * 5 / 100);
    assert_int_equal(run.arrived, PACKETS + stats.copies);
}

static void windows_stall_and_cut(void **state)
{
    static const struct tdm_sim_window windows[] = {{100 * TDM_MS, 200 * TDM_MS, true},
                                                    {300 * TDM_MS, 450 * TDM_MS, false}};
    struct tdm_sim_link_stats stats;
    struct run run = run_link(&(struct tdm_sim_link_config){.windows = windows, .window_count = 2},
                              600, 100, TDM_MS, &stats);

    (void)state;
    assert_int_equal(stats.lost_cut, 100);
    assert_int_equal(run.longest_gap, 100);
    assert_int_equal(run.delay_max, 150 * TDM_MS);
    assert_int_equal(run.arrived, 500);

    run = run_link(&(struct tdm_sim_link_config){.seed = 6,
                                                 .stall_interval = TDM_S,
                                                 .stall_max = 200 * TDM_MS},
                   PACKETS, 100, TDM_MS, &stats);
    assert_in_range(run.delay_max, 150 * TDM_MS, 200 * TDM_MS);
    assert_int_equal(run.arrived, PACKETS);
    assert_int_equal(run.out_of_order, 0);
}

static void one_seed_is_one_run(void **state)
{
    struct tdm_sim_link_config config = {.seed = 11,
                                         .rate_bps = 3000000,
                                         .queue_bytes = 30000,
                                         .delay = 30 * TDM_MS,
                                         .jitter_kind = TDM_SIM_JITTER_GAMMA,
                                         .jitter = 5 * TDM_MS,
                                         .loss = 0.02,
                                         .ge_enter = 0.01,
                                         .ge_leave = 0.2,
                                         .ge_loss = 0.5,
                                         .reorder = 0.01,
                                         .reorder_delay = 10 * TDM_MS,
                                         .duplicate = 0.01,
                                         .corrupt = 0.01,
                                         .stall_interval = 2 * TDM_S,
                                         .stall_max = 100 * TDM_MS};
    struct tdm_sim_link_stats stats;
    struct run first = run_link(&config, PACKETS, 500, TDM_MS, &stats);
    struct run again = run_link(&config, PACKETS, 500, TDM_MS, &stats);
    struct run other;

    (void)state;
    assert_int_equal(first.hash, again.hash);
    config.seed = 12;
    other = run_link(&config, PACKETS, 500, TDM_MS, &stats);
    assert_int_not_equal(first.hash, other.hash);
}

static void a_full_store_loses_and_counts(void **state)
{
    struct tdm_sim_link_stats stats;
    struct run run =
        run_link(&(struct tdm_sim_link_config){.delay = TDM_S, .packets_max = 10, .duplicate = 1},
                 100, 20, TDM_MS, &stats);

    (void)state;
    assert_int_equal(run.arrived, 10);
    assert_int_equal(stats.lost_queue, stats.pushed + stats.copies - 10);
}

static void deviates_have_their_moments(void **state)
{
    struct tdm_rng rng = tdm_rng_of(8);
    double exponential = 0, normal = 0, square = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        double n = tdm_sim_normal(&rng);

        exponential += tdm_sim_exponential(&rng) / 100000;
        normal += n / 100000;
        square += n * n / 100000;
    }
    assert_true(exponential > 0.98 && exponential < 1.02);
    assert_true(normal > -0.02 && normal < 0.02);
    assert_true(square > 0.98 && square < 1.02);
    assert_true(tdm_sim_exp(1) > 2.718281 && tdm_sim_exp(1) < 2.718282);
    assert_true(tdm_sim_exp(-2) > 0.135335 && tdm_sim_exp(-2) < 0.135336);
    assert_true(tdm_sim_exp(0) == 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_link_only_delays),
        cmocka_unit_test(the_rate_is_kept_and_the_queue_bounded),
        cmocka_unit_test(rate_steps_count_to_the_bit),
        cmocka_unit_test(a_trace_delivers_at_its_opportunities),
        cmocka_unit_test(losses_have_their_rate_and_bursts),
        cmocka_unit_test(jitter_has_its_shape_and_keeps_order_unless_told),
        cmocka_unit_test(reorder_duplicate_and_corrupt_happen_as_often_as_told),
        cmocka_unit_test(windows_stall_and_cut),
        cmocka_unit_test(one_seed_is_one_run),
        cmocka_unit_test(a_full_store_loses_and_counts),
        cmocka_unit_test(deviates_have_their_moments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

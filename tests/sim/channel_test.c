/* SPDX-License-Identifier: MIT */
/*
 * Two channel cores in virtual time: nothing lost, doubled or out of order however often and
 * wherever the connection breaks; what is urgent stays quick; the window follows the path.
 */

#include "sim/channel_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENDLESS (UINT64_MAX / 4)

static struct tdm_pair_config path(uint64_t rate_bps, tdm_time rtt, double loss)
{
    struct tdm_pair_config config = {.seed = 1};

    for (int i = 0; i < 2; i++)
        config.path[i] = (struct tdm_byte_stream_config){
            .rate_bps = rate_bps,
            .delay = rtt / 2,
            .loss = loss,
            .queue_bytes = (uint32_t)(rate_bps / 8 / 5) + 30000, /* 200 ms. */
            .seed = 11 + (uint64_t)i,
        };
    return config;
}

static int compare_times(const void *a, const void *b)
{
    tdm_time x = *(const tdm_time *)a;
    tdm_time y = *(const tdm_time *)b;

    return (x > y) - (x < y);
}

static tdm_time percentile(struct tdm_pair_flow *f, uint32_t percent)
{
    assert_true(f->message_count > 50);
    qsort(f->latencies, f->message_count, sizeof f->latencies[0], compare_times);
    return f->latencies[(f->message_count - 1) * percent / 100];
}

static bool all_whole(const struct tdm_pair_flow *flows, int count)
{
    bool whole = true;

    for (int i = 0; i < count; i++)
        whole = whole && (flows[i].reset || (flows[i].fin_received && flows[i].fin_acked));
    return whole;
}

static void expect_whole(const struct tdm_pair *p, const struct tdm_pair_flow *flows, int count,
                         const char *what, uint64_t number)
{
    if (tdm_pair_failed(p))
        fail_msg("%s %d: %s", what, (int)number, tdm_pair_failed(p));
    for (int i = 0; i < count; i++)
        if (!flows[i].reset &&
            (flows[i].received != flows[i].total_bytes || !flows[i].fin_received ||
             !flows[i].fin_acked || flows[i].acked != flows[i].total_bytes))
            fail_msg("%s %d: stream %d of side %d has %d of %d bytes, %d acknowledged", what,
                     (int)number, (int)flows[i].stream, flows[i].side, (int)flows[i].received,
                     (int)flows[i].total_bytes, (int)flows[i].acked);
}

/* A small session with traffic both ways, streams that end at once, and one that opens late. */
#define SESSION_FLOWS 5

static struct tdm_pair *session(struct tdm_pair_flow *flows, uint64_t seed)
{
    struct tdm_pair_config config = path(2000000, 20 * TDM_MS, 0);

    config.seed = seed;
    config.path[0].buffer_bytes = config.path[1].buffer_bytes = 65536;
    config.core[0].stream_window_bytes = config.core[1].stream_window_bytes = 2000;
    flows[0] = (struct tdm_pair_flow){.cls = TDM_CLASS_BULK, .total_bytes = 4500};
    flows[1] = (struct tdm_pair_flow){
        .cls = TDM_CLASS_INPUT, .total_bytes = 300, .message_bytes = 30, .every = 7 * TDM_MS};
    flows[2] = (struct tdm_pair_flow){.cls = TDM_CLASS_BOARD, .total_bytes = 0};
    flows[3] = (struct tdm_pair_flow){.cls = TDM_CLASS_BOARD, .total_bytes = 700};
    flows[4] = (struct tdm_pair_flow){.cls = TDM_CLASS_REFINE, .total_bytes = 1500};
    struct tdm_pair *p = tdm_pair_create(&config);

    for (int i = 0; i < 3; i++)
        tdm_pair_open(p, 0, &flows[i]);
    tdm_pair_open(p, 1, &flows[3]);
    tdm_pair_connect(p);
    return p;
}

static void finish_session(struct tdm_pair *p, struct tdm_pair_flow *flows)
{
    for (int turn = 0; turn < 40; turn++) {
        if (turn == 2)
            tdm_pair_open(p, 1, &flows[4]);
        tdm_pair_run(p, tdm_pair_now(p) + 50 * TDM_MS);
        if (!tdm_pair_connected(p))
            tdm_pair_connect(p);
    }
}

static void test_cut_at_every_byte(void **state)
{
    static struct tdm_pair_flow flows[SESSION_FLOWS];
    struct tdm_pair *p = session(flows, 1);

    (void)state;
    finish_session(p, flows);
    expect_whole(p, flows, SESSION_FLOWS, "uncut", 0);
    uint64_t bytes = tdm_pair_bytes_read(p);

    tdm_pair_destroy(p);
    assert_true(bytes > 7000 && bytes < 20000);
    for (uint64_t cut = 1; cut <= bytes; cut++) {
        struct tdm_channel_stats stats;

        p = session(flows, 1);
        tdm_pair_cut_at(p, cut);
        finish_session(p, flows);
        expect_whole(p, flows, SESSION_FLOWS, "cut at byte", cut);
        tdm_pair_stats(p, 0, &stats);
        assert_true(stats.reconnects <= 1 && (stats.reconnects == 1 || cut < 200));
        tdm_pair_destroy(p);
    }
}

/* Any path, any streams, any cuts, pieces of any size, resets, programs that take their time. */
static void random_session(uint64_t seed)
{
    static const enum tdm_channel_class classes[] = {
        TDM_CLASS_INPUT, TDM_CLASS_SCREEN, TDM_CLASS_BOARD, TDM_CLASS_REFINE, TDM_CLASS_BULK};
    static struct tdm_pair_flow flows[40];
    struct tdm_rng rng = tdm_rng_of(seed);
    struct tdm_pair_config config =
        path(200000 + (uint64_t)tdm_rng_below(&rng, 20) * 500000,
             (tdm_time)tdm_rng_below(&rng, 120) * TDM_MS, tdm_rng_unit(&rng) * 0.03);
    int count = 1 + (int)tdm_rng_below(&rng, 20);
    int cuts = (int)tdm_rng_below(&rng, 6);

    config.seed = seed;
    config.path[0].seed = seed * 2;
    config.path[1].seed = seed * 2 + 1;
    config.path[0].buffer_bytes = config.path[1].buffer_bytes = 262144;
    config.split = tdm_rng_chance(&rng, 0.3);
    config.no_lowat = tdm_rng_chance(&rng, 0.2);
    config.consume_bps = tdm_rng_chance(&rng, 0.2) ? 4000000 : 0;
    config.core[0].grease = config.core[1].grease = true;
    config.core[tdm_rng_below(&rng, 2)].stream_window_bytes = 1000 + tdm_rng_below(&rng, 30000);
    struct tdm_pair *p = tdm_pair_create(&config);

    tdm_pair_connect(p);
    for (int i = 0; i < count; i++) {
        flows[i] = (struct tdm_pair_flow){.cls = classes[tdm_rng_below(&rng, 5)],
                                          .total_bytes = tdm_rng_below(&rng, 30000)};
        if (tdm_rng_chance(&rng, 0.4)) {
            flows[i].message_bytes = 50 + tdm_rng_below(&rng, 2000);
            flows[i].every = (1 + (tdm_time)tdm_rng_below(&rng, 50)) * TDM_MS;
        }
        tdm_pair_open(p, (int)tdm_rng_below(&rng, 2), &flows[i]);
        assert_true(flows[i].opened);
        if (tdm_rng_chance(&rng, 0.3))
            tdm_pair_run(p, tdm_pair_now(p) + (tdm_time)tdm_rng_below(&rng, 100) * TDM_MS);
        if (tdm_rng_chance(&rng, 0.1)) {
            flows[i].reset = true;
            tdm_pair_reset(p, &flows[i]);
        }
    }
    for (int i = 0; i < cuts; i++) {
        tdm_pair_cut_at(p, tdm_pair_bytes_read(p) + 1 + tdm_rng_below(&rng, 20000));
        tdm_pair_run(p, tdm_pair_now(p) + (tdm_time)tdm_rng_below(&rng, 1000) * TDM_MS);
        if (!tdm_pair_connected(p))
            tdm_pair_connect(p);
    }
    tdm_pair_cut_at(p, UINT64_MAX);
    for (int i = 0; i < 120 && !all_whole(flows, count); i++)
        tdm_pair_run(p, tdm_pair_now(p) + TDM_S);
    expect_whole(p, flows, count, "seed", seed);
    tdm_pair_destroy(p);
}

static void test_seeds(void **state)
{
    const char *only = getenv("TANDEM_SIM_SEED");

    (void)state;
    if (only) {
        random_session(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= 2000; seed++)
        random_session(seed);
}

/* A small urgent record while a file saturates the connection: one queue of the margin and a chunk
 * or two, whatever the round trip; and the file still has the line. */
static void test_urgent_under_a_file(void **state)
{
    static const struct {
        uint64_t rate_bps;
        tdm_time rtt, median, p95;
        double share;
    } rows[] = {
        {500000, 0, 90 * TDM_MS, 110 * TDM_MS, 0.89},
        {500000, 50 * TDM_MS, 90 * TDM_MS, 110 * TDM_MS, 0.89},
        {2000000, 0, 30 * TDM_MS, 45 * TDM_MS, 0.93},
        {2000000, 50 * TDM_MS, 30 * TDM_MS, 45 * TDM_MS, 0.93},
        {2000000, 200 * TDM_MS, 30 * TDM_MS, 45 * TDM_MS, 0.93},
        {10000000, 50 * TDM_MS, 30 * TDM_MS, 40 * TDM_MS, 0.93},
        {100000000, 50 * TDM_MS, 30 * TDM_MS, 40 * TDM_MS, 0.93},
    };
    static struct tdm_pair_flow file, urgent;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tdm_pair_config config = path(rows[i].rate_bps, rows[i].rtt, 0);
        struct tdm_pair *p = tdm_pair_create(&config);
        tdm_time start = tdm_pair_now(p) + 6 * TDM_S; /* After the start. */

        file = (struct tdm_pair_flow){.cls = TDM_CLASS_BULK, .total_bytes = ENDLESS};
        urgent = (struct tdm_pair_flow){.cls = TDM_CLASS_INPUT,
                                        .total_bytes = ENDLESS,
                                        .message_bytes = 100,
                                        .every = 101 * TDM_MS,
                                        .from = start};
        tdm_pair_connect(p);
        tdm_pair_open(p, 0, &file);
        tdm_pair_open(p, 0, &urgent);
        tdm_pair_run(p, start);
        uint64_t before = file.received;

        tdm_pair_run(p, start + 20 * TDM_S);
        double share = (double)(file.received - before) * 8 / 20 / (double)rows[i].rate_bps;
        tdm_time median = percentile(&urgent, 50) - rows[i].rtt / 2;
        tdm_time p95 = percentile(&urgent, 95) - rows[i].rtt / 2;

        assert_null(tdm_pair_failed(p));
        if (median > rows[i].median || p95 > rows[i].p95 || share < rows[i].share)
            fail_msg("row %d: median %.1f ms, p95 %.1f ms, %.3f of the line", (int)i,
                     (double)median / 1e6, (double)p95 / 1e6, share);
        tdm_pair_destroy(p);
    }
}

/* Sockets that take all there is do not matter: what is not consumed over there counts. */
static void test_deep_buffers_do_not_fill(void **state)
{
    static struct tdm_pair_flow file;
    struct tdm_pair_config config = path(2000000, 50 * TDM_MS, 0);
    size_t most = 0;

    (void)state;
    config.no_lowat = true;
    struct tdm_pair *p = tdm_pair_create(&config);

    file = (struct tdm_pair_flow){.cls = TDM_CLASS_BULK, .total_bytes = ENDLESS};
    tdm_pair_connect(p);
    tdm_pair_open(p, 0, &file);
    for (int i = 0; i < 20000; i++) {
        tdm_pair_run(p, tdm_pair_now(p) + TDM_MS);
        size_t held = tdm_byte_stream_held(tdm_pair_path(p, 0));

        if (i > 2000)
            most = held > most ? held : most;
    }
    assert_true(file.received * 8 > 36000000); /* Nine tenths of 20 s at 2 Mbit/s. */
    assert_true(most < 25000);                 /* A tenth of a second, of 4 MiB that would fit. */
    tdm_pair_destroy(p);
}

static double rate_over(struct tdm_pair *p, const struct tdm_pair_flow *f, tdm_time span)
{
    uint64_t before = f->received;

    tdm_pair_run(p, tdm_pair_now(p) + span);
    return (double)(f->received - before) * 8e9 / (double)span;
}

static void change_path(struct tdm_pair *p, uint64_t rate_bps, tdm_time rtt)
{
    for (int i = 0; i < 2; i++)
        tdm_byte_stream_set(tdm_pair_path(p, i), rate_bps, rtt / 2, 0);
}

/* The rate rises and falls, the round trip grows and shrinks under way. */
static void test_the_window_follows_the_path(void **state)
{
    static const struct {
        uint64_t rate_bps;
        tdm_time rtt;
    } legs[] = {{10000000, 40 * TDM_MS},  {2000000, 40 * TDM_MS},  {10000000, 40 * TDM_MS},
                {10000000, 150 * TDM_MS}, {10000000, 20 * TDM_MS}, {1000000, 100 * TDM_MS}};
    static struct tdm_pair_flow file;
    struct tdm_pair_config config = path(10000000, 40 * TDM_MS, 0);
    struct tdm_pair *p = tdm_pair_create(&config);

    (void)state;
    file = (struct tdm_pair_flow){.cls = TDM_CLASS_BULK, .total_bytes = ENDLESS};
    tdm_pair_connect(p);
    tdm_pair_open(p, 0, &file);
    for (size_t i = 0; i < sizeof legs / sizeof legs[0]; i++) {
        struct tdm_channel_stats stats;

        change_path(p, legs[i].rate_bps, legs[i].rtt);
        tdm_pair_run(p, tdm_pair_now(p) + 30 * TDM_S);
        double share = rate_over(p, &file, 10 * TDM_S) / (double)legs[i].rate_bps;

        tdm_pair_stats(p, 0, &stats);
        assert_null(tdm_pair_failed(p));
        if (share < 0.9 || stats.rtt_min < legs[i].rtt || stats.rtt_min > legs[i].rtt + 30 * TDM_MS)
            fail_msg("leg %d: %.3f of the line, shortest round trip %.1f ms", (int)i, share,
                     (double)stats.rtt_min / 1e6);
    }
    tdm_pair_destroy(p);
}

/* In a call a file takes what it is given, and no more; a key press does not ask. */
static void test_budget_of_a_call(void **state)
{
    static const uint64_t budgets[] = {100000, 1000000, 5000000};
    static struct tdm_pair_flow file, urgent;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tdm_pair_config config = path(10000000, 50 * TDM_MS, 0);
        struct tdm_pair *p = tdm_pair_create(&config);

        file = (struct tdm_pair_flow){.cls = TDM_CLASS_BULK, .total_bytes = ENDLESS};
        urgent = (struct tdm_pair_flow){.cls = TDM_CLASS_INPUT,
                                        .total_bytes = ENDLESS,
                                        .message_bytes = 100,
                                        .every = 103 * TDM_MS,
                                        .from = tdm_pair_now(p) + 5 * TDM_S};
        tdm_pair_connect(p);
        tdm_pair_budget(p, 0, budgets[i]);
        tdm_pair_open(p, 0, &file);
        tdm_pair_open(p, 0, &urgent);
        tdm_pair_run(p, tdm_pair_now(p) + 5 * TDM_S);
        double share = rate_over(p, &file, 20 * TDM_S) / (double)budgets[i];

        assert_null(tdm_pair_failed(p));
        if (share < 0.9 || share > 1.01)
            fail_msg("budget %d: %.3f of it", (int)budgets[i], share);
        assert_true(percentile(&urgent, 95) < 25 * TDM_MS + 5 * TDM_MS);
        tdm_pair_destroy(p);
    }
}

/* A side that goes silent without a word is found out; an idle one is not. */
static void test_silence(void **state)
{
    struct tdm_pair_config config = path(2000000, 50 * TDM_MS, 0);
    struct tdm_pair *p = tdm_pair_create(&config);

    (void)state;
    tdm_pair_connect(p);
    tdm_pair_run(p, tdm_pair_now(p) + 300 * TDM_S);
    assert_null(tdm_pair_failed(p));
    assert_true(tdm_pair_bytes_read(p) < 6000); /* Pings. */
    tdm_byte_stream_set(tdm_pair_path(p, 0), 1, 1000 * TDM_S, 0);
    tdm_pair_run(p, tdm_pair_now(p) + 13 * TDM_S);
    assert_non_null(tdm_pair_failed(p));
    assert_non_null(strstr(tdm_pair_failed(p), "hears nothing"));
    tdm_pair_destroy(p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_urgent_under_a_file),
        cmocka_unit_test(test_deep_buffers_do_not_fill),
        cmocka_unit_test(test_the_window_follows_the_path),
        cmocka_unit_test(test_budget_of_a_call),
        cmocka_unit_test(test_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

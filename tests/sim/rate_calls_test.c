/* SPDX-License-Identifier: MIT */

/*
 * The controller of docs/rate.md inside whole calls: sessions, SDP, real messages of RFC 8888, the
 * pacer, pictures that have packets, beside voice. Over the links of sim/rate_scenario.h the
 * figures are to be those of the controller alone in sim/rate_world.h, or nearly.
 */

#include "sim/rate_scenario.h"
#include "tests/sim/call_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DELAY   (50 * TDM_MS)
#define HANG_UP (8 * TDM_S) /* Before the end (sim/scenario.h). */
#define RATE_2  2000000

/* What passed the link from side 0 in a time, and how long it stood in front of it. */
struct passed {
    double bps, queue_p95_ms;
};

static int by_time(const void *a, const void *b)
{
    const tdm_time *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static struct passed passed(const struct call_rig *rig, tdm_time from, tdm_time to)
{
    const struct tdm_sim_log *log = tdm_sim_call_log(rig->call);
    const struct tdm_sim_event **sent = malloc(CALL_RIG_LOG * sizeof(*sent));
    tdm_time *waited = malloc(CALL_RIG_LOG * sizeof(*waited));
    size_t sent_count = 0, arrived = 0, count = 0;
    uint64_t bytes = 0;

    assert_non_null(sent);
    assert_non_null(waited);
    assert_true(log->count <= CALL_RIG_LOG);
    for (uint64_t i = 0; i < log->count; i++) {
        const struct tdm_sim_event *e = tdm_sim_log_at(log, i);

        if (e->kind == TDM_SIM_EVENT_SENT && e->side == 0)
            sent[sent_count++] = e;
        if (e->kind != TDM_SIM_EVENT_DELIVERED || e->side != 1)
            continue;
        while (sent[arrived]->b != e->b) /* The link keeps the order; these are lost. */
            assert_true(++arrived < sent_count);
        tdm_time left = sent[arrived++]->at;

        if (e->at < from || e->at >= to)
            continue;
        bytes += e->a;
        waited[count++] = e->at - left - DELAY;
    }
    assert_true(count > 100);
    qsort(waited, count, sizeof(*waited), by_time);
    tdm_time queue_p95 = waited[count * 95 / 100];
    struct passed p = {.bps = (double)bytes * 8e9 / (double)(to - from),
                       .queue_p95_ms = (double)queue_p95 * 1e-6};

    free(sent);
    free(waited);
    return p;
}

static uint64_t sent_bytes(const struct call_rig *rig, tdm_time from, tdm_time to)
{
    const struct tdm_sim_log *log = tdm_sim_call_log(rig->call);
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < log->count; i++) {
        const struct tdm_sim_event *e = tdm_sim_log_at(log, i);

        if (e->kind == TDM_SIM_EVENT_SENT && e->side == 0 && e->at >= from && e->at < to)
            bytes += e->a;
    }
    return bytes;
}

static void narrow(struct call_rig *rig, uint64_t seed, uint64_t bps, tdm_time length)
{
    struct tdm_sim_scenario *s = &rig->s;

    tdm_sim_scenario_plain(s, seed, length + HANG_UP);
    s->steady = false;
    s->video_bps = 4000000;
    s->encoder_fill = 0.97; /* As sim/rate_world.h has it. */
    s->encoder_sigma = 0.03;
    s->path[0].link.delay = s->path[1].link.delay = DELAY;
    s->path[0].link.queue_delay = 300 * TDM_MS;
    s->path[0].link.rate_bps = bps;
}

static struct tdm_rate_score alone(const char *name, uint64_t seed)
{
    const struct tdm_rate_scenario *scenario = tdm_rate_scenario_named(name);
    void *storage = malloc(tdm_rate_run_bytes());
    struct tdm_rate_score score;

    assert_non_null(storage);
    assert_non_null(scenario);
    (void)tdm_rate_run(storage, scenario, &tdm_rate_peer_ours, seed, NULL, &score);
    free(storage);
    return score;
}

static void test_fixed_as_alone(void **state)
{
    struct call_rig *rig = *state;
    struct tdm_rate_score core = alone("fixed-2", 1);

    narrow(rig, 1, RATE_2, 30 * TDM_S);
    (void)call_rig_run(rig);
    struct passed p = passed(rig, 6 * TDM_S, 30 * TDM_S);
    double util = 100 * p.bps / RATE_2;

    print_message("  used %.1f %%, queue p95 %.1f ms; alone %.1f %%, %.1f ms\n", util,
                  p.queue_p95_ms, core.figures[TDM_RATE_UTIL], core.figures[TDM_RATE_QUEUE_P95]);
    assert_true(util > core.figures[TDM_RATE_UTIL] - 10);
    assert_true(p.queue_p95_ms < core.figures[TDM_RATE_QUEUE_P95] + 15);
}

/* A real encoder misses its budget by a quarter; the queue knows nothing of that. */
static void test_middling_encoder(void **state)
{
    struct call_rig *rig = *state;

    narrow(rig, 2, RATE_2, 30 * TDM_S);
    rig->s.encoder_fill = rig->s.encoder_sigma = 0;
    (void)call_rig_run(rig);
    struct passed p = passed(rig, 6 * TDM_S, 30 * TDM_S);

    print_message("  used %.1f %%, queue p95 %.1f ms\n", 100 * p.bps / RATE_2, p.queue_p95_ms);
    assert_true(p.bps > 0.8 * RATE_2);
    assert_true(p.queue_p95_ms < 40);
}

/* Receiver reports alone fill the queue first: what feedback is for. */
static void test_reports_only_is_worse(void **state)
{
    struct call_rig *rig = *state;

    narrow(rig, 1, RATE_2, 30 * TDM_S);
    rig->s.reports_only = true;
    rig->s.path[0].link.queue_delay = 0;
    assert_int_equal(tdm_sim_call_run(rig->call, &rig->s, &rig->result), TDM_OK);
    assert_true(rig->result.violations > 0); /* Sound and picture are too old. */
    struct passed p = passed(rig, 6 * TDM_S, 30 * TDM_S);

    print_message("  used %.1f %%, queue p95 %.1f ms\n", 100 * p.bps / RATE_2, p.queue_p95_ms);
    assert_true(p.queue_p95_ms > 60);
}

/* The capacity falls to a quarter: what was under way waits, and little more. */
static void test_step(void **state)
{
    struct call_rig *rig = *state;

    narrow(rig, 3, 4000000, 30 * TDM_S);
    rig->s.path[0].rate_step_count = 1;
    rig->s.path[0].rate_steps[0] =
        (struct tdm_sim_rate_step){.at = 15 * TDM_S, .rate_bps = 1000000};
    const struct tdm_sim_result *r = call_rig_run(rig);
    struct passed before = passed(rig, 5 * TDM_S, 15 * TDM_S);
    struct passed after = passed(rig, 17 * TDM_S, 30 * TDM_S);

    print_message("  used %.1f %%, %.1f %%; queue p95 %.1f, %.1f ms; oldest picture %.0f ms\n",
                  before.bps / 4e4, after.bps / 1e4, before.queue_p95_ms, after.queue_p95_ms,
                  (double)r->side[0].video_latency_max * 1e-6);
    assert_true(before.bps > 0.85 * 4e6 && after.bps > 0.85 * 1e6);
    assert_true(after.queue_p95_ms < 50);
    assert_in_range(r->side[0].video_latency_max, 0, 900 * TDM_MS);
}

/* Who sends less than the way has keeps a sane estimate: no queue, and no less than it wants. */
static void test_application_limited(void **state)
{
    struct call_rig *rig = *state;

    narrow(rig, 4, RATE_2, 30 * TDM_S);
    rig->s.video_bps = 600000;
    const struct tdm_sim_result *r = call_rig_run(rig);
    struct passed p = passed(rig, 3 * TDM_S, 30 * TDM_S);

    print_message("  %.0f kb/s, queue p95 %.1f ms, %d pictures\n", p.bps * 1e-3, p.queue_p95_ms,
                  (int)r->side[0].video_frames);
    assert_true(p.bps > 560000 && p.bps < 900000);
    assert_true(p.queue_p95_ms < 30);
    assert_true(r->side[0].video_frames > 820);
}

/* 5 % of loss that has nothing to do with what is sent. */
static void test_loss(void **state)
{
    struct call_rig *rig = *state;

    narrow(rig, 5, RATE_2, 30 * TDM_S);
    rig->s.path[0].link.loss = 0.05;
    (void)call_rig_run(rig);
    uint64_t bytes = sent_bytes(rig, 6 * TDM_S, 30 * TDM_S);

    print_message("  sent %.1f %%\n", (double)bytes * 8 / 24 / RATE_2 * 100);
    assert_true((double)bytes * 8 / 24 > 0.8 * RATE_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed_as_alone, call_rig_set_up, call_rig_tear_down),
        cmocka_unit_test_setup_teardown(test_middling_encoder, call_rig_set_up, call_rig_tear_down),
        cmocka_unit_test_setup_teardown(test_reports_only_is_worse, call_rig_set_up,
                                        call_rig_tear_down),
        cmocka_unit_test_setup_teardown(test_step, call_rig_set_up, call_rig_tear_down),
        cmocka_unit_test_setup_teardown(test_application_limited, call_rig_set_up,
                                        call_rig_tear_down),
        cmocka_unit_test_setup_teardown(test_loss, call_rig_set_up, call_rig_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

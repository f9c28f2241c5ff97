/* SPDX-License-Identifier: MIT */

/*
 * One budget for all that a call sends (docs/rate.md): voice, camera, region, repairs and the data
 * channel over one bottleneck, marks, feedback that stops, content that comes and goes.
 */

#include "sim/media_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tdm_sim_rig_config narrow(uint64_t seed, uint64_t bps)
{
    struct tdm_sim_rig_config c = {
        .seed = seed,
        .voice_bps = 32000,
        .video_bps = 4000000,
        .fps = 30,
        .camera = true,
        .fill = 0.95,
        .sigma = 0.05,
    };

    c.way[0] = (struct tdm_sim_link_config){
        .seed = seed, .rate_bps = bps, .delay = 25 * TDM_MS, .queue_delay = 300 * TDM_MS};
    c.way[1] = (struct tdm_sim_link_config){.seed = seed + 1, .delay = 25 * TDM_MS};
    return c;
}

static void tell(const char *what, const struct tdm_sim_rig *rig)
{
    static const char *const names[TDM_SIM_KINDS] = {"voice",  "camera",  "region",
                                                     "parity", "channel", "rtcp"};

    print_message("  %s: %.0f kb/s arrived", what, tdm_sim_rig_bps(rig, TDM_SIM_KINDS) / 1e3);
    for (int i = 0; i < TDM_SIM_KINDS; i++)
        if (rig->figures[i].sent)
            print_message("; %s %.0f, waits p50 %.0f p95 %.0f ms", names[i],
                          tdm_sim_rig_bps(rig, (enum tdm_sim_kind)i) / 1e3,
                          tdm_sim_rig_wait_ms(rig, (enum tdm_sim_kind)i, 0.5),
                          tdm_sim_rig_wait_ms(rig, (enum tdm_sim_kind)i, 0.95));
    for (int i = 0; i < 2; i++)
        if (rig->pictures[i].count)
            print_message("; pictures %d/%d gap %.0f age p95 %.0f ms", (int)rig->pictures[i].shown,
                          (int)rig->pictures[i].skipped, (double)rig->pictures[i].gap_max * 1e-6,
                          (double)tdm_histogram_quantile(&rig->pictures[i].age, 0.95) * 1e-6);
    print_message("; in flight %.1f kB\n", (double)rig->inflight_max / 1e3);
}

static struct tdm_sim_rig *start(const struct tdm_sim_rig_config *c, tdm_time settle)
{
    struct tdm_sim_rig *rig = tdm_sim_rig_create(c);

    assert_non_null(rig);
    tdm_sim_rig_run(rig, settle);
    tdm_sim_rig_measure(rig);
    return rig;
}

static void stop(struct tdm_sim_rig *rig)
{
    assert_int_equal(rig->past_wakes, 0);
    tdm_sim_rig_destroy(rig);
}

static double kbps(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind)
{
    return tdm_sim_rig_bps(rig, kind) / 1e3;
}

static double voice_ms(const struct tdm_sim_rig *rig, double q)
{
    return tdm_sim_rig_wait_ms(rig, TDM_SIM_KIND_VOICE, q);
}

/* Voice, screen, camera, repairs and a file in that order of right; a packet of pictures takes
 * 17 ms by itself here. */
static void test_all_on_a_small_link(void **state)
{
    struct tdm_sim_rig_config c = narrow(1, 600000);

    (void)state;
    c.region = c.channel = c.parity = true;
    c.way[0].loss = 0.02;
    struct tdm_sim_rig *rig = start(&c, 5 * TDM_S);

    tdm_sim_rig_run(rig, 30 * TDM_S);
    tell("all on 600 kb/s, 2 % lost", rig);
    assert_true(voice_ms(rig, 0.95) < 60);
    assert_true(kbps(rig, TDM_SIM_KINDS) > 550 && tdm_sim_rig_sent_bps(rig, TDM_SIM_KINDS) < 620e3);
    assert_true(kbps(rig, TDM_SIM_KIND_REGION) > 2 * kbps(rig, TDM_SIM_KIND_CAMERA));
    assert_true(kbps(rig, TDM_SIM_KIND_CAMERA) > 60 && kbps(rig, TDM_SIM_KIND_CHANNEL) > 15);
    for (int i = 0; i < 2; i++)
        assert_true(rig->pictures[i].shown > 25 * 30 * 8 / 10 &&
                    rig->pictures[i].gap_max < 500 * TDM_MS);
    stop(rig);
}

/* A voice that takes more of the link than pictures, and a file: none of them is taken for somebody
 * who does not give way. */
static void test_large_voice(void **state)
{
    (void)state;
    for (int channel = 0; channel < 2; channel++) {
        struct tdm_sim_rig_config c = narrow(1, 300000);

        c.voice_bps = 128000;
        c.channel = channel;
        struct tdm_sim_rig *rig = start(&c, 5 * TDM_S);

        tdm_sim_rig_run(rig, 30 * TDM_S);
        tell(channel ? "voice of 128 kb/s on 300, and a file" : "voice of 128 kb/s on 300", rig);
        assert_true(voice_ms(rig, 0.95) < 85);
        assert_true(kbps(rig, TDM_SIM_KIND_CAMERA) > (channel ? 70 : 95));
        assert_true(rig->pictures[0].shown > 25 * 30 * 7 / 10);
        stop(rig);
    }
}

/* What repairs cost is taken from the pictures, and nothing more is sent than the link carries. */
static void test_repairs_are_in_the_budget(void **state)
{
    (void)state;
    for (int parity = 0; parity < 2; parity++) {
        struct tdm_sim_rig_config c = narrow(2, 2000000);

        c.parity = parity;
        c.way[0].loss = 0.05;
        struct tdm_sim_rig *rig = start(&c, 8 * TDM_S);

        tdm_sim_rig_run(rig, 28 * TDM_S);
        tell(parity ? "5 % lost, parity" : "5 % lost, asked for again", rig);
        double sent = tdm_sim_rig_sent_bps(rig, TDM_SIM_KINDS);

        assert_true(sent > 1.7e6 && sent < 2.1e6); /* What is lost never stands in the queue. */
        assert_true(voice_ms(rig, 0.95) < 30);
        assert_true(!parity || kbps(rig, TDM_SIM_KIND_PARITY) > 100);
        stop(rig);
    }
}

/* One queue for all that marks at 5 ms, and one that marks as CoDel drops (RFC 9331 section 4.3).
 */
static void test_marks(void **state)
{
    (void)state;
    for (int classic = 0; classic < 2; classic++) {
        struct tdm_sim_rig_config c = narrow(1, 2000000);

        c.ecn = true;
        c.way[0].mark_delay = 5 * TDM_MS;
        c.way[0].mark_classic = classic;
        struct tdm_sim_rig *rig = start(&c, 5 * TDM_S);

        tdm_sim_rig_run(rig, 25 * TDM_S);
        tell(classic ? "marks as CoDel" : "marks at 5 ms", rig);
        assert_true(tdm_sim_link_stats_of(rig->links[0])->marked > 10);
        assert_true(kbps(rig, TDM_SIM_KINDS) > (classic ? 1700 : 1760));
        assert_true(voice_ms(rig, 0.5) < 12 && voice_ms(rig, 0.95) < (classic ? 60 : 20));
        stop(rig);
    }
}

/* Nothing is told any more: what leaves is a window, and then a sign of life now and then; the
 * voice goes on as before. */
static void test_feedback_stops(void **state)
{
    struct tdm_sim_rig_config c = narrow(3, 4000000);
    struct tdm_sim_rig *rig = start(&c, 10 * TDM_S);
    struct tdm_session_rate rate;

    (void)state;
    tdm_session_rate_of(rig->sessions[0], &rate);
    assert_in_range(rate.window_bytes, 20000, 120000);
    rig->feedback_lost = true;
    tdm_sim_rig_run(rig, 12 * TDM_S);
    tell("2 s of silence", rig);
    assert_in_range(rig->figures[TDM_SIM_KIND_CAMERA].sent, 1000, rate.window_bytes);
    assert_true(kbps(rig, TDM_SIM_KIND_VOICE) > 75 && voice_ms(rig, 0.95) < 25);
    rig->feedback_lost = false;
    tdm_sim_rig_run(rig, 13 * TDM_S);
    tdm_sim_rig_measure(rig);
    tdm_sim_rig_run(rig, 18 * TDM_S);
    assert_true(kbps(rig, TDM_SIM_KIND_CAMERA) > 2500);
    stop(rig);
}

/* What is under way when the way falls to a quarter is bounded, and pictures are left out before
 * they are coded. */
static void test_fall(void **state)
{
    static const struct tdm_sim_rate_step steps[] = {{0, 4000000}, {15 * TDM_S, 1000000}};
    struct tdm_sim_rig_config c = narrow(4, 0);

    (void)state;
    c.way[0].rate_steps = steps;
    c.way[0].rate_step_count = 2;
    c.way[0].queue_delay = TDM_S;
    struct tdm_sim_rig *rig = start(&c, 15 * TDM_S);
    struct tdm_session_rate rate;

    tdm_session_rate_of(rig->sessions[0], &rate);
    tdm_sim_rig_run(rig, 25 * TDM_S);
    tell("4 to 1 Mb/s", rig);
    assert_true(rate.inflight_bytes <= rate.window_bytes);
    assert_true(rig->inflight_max <= rate.window_bytes);
    assert_true(rig->pictures[0].skipped > 3);
    assert_true(rig->figures[TDM_SIM_KIND_VOICE].wait.max < 450 * TDM_MS);
    assert_true(kbps(rig, TDM_SIM_KINDS) > 900);
    stop(rig);
}

/* Pictures of 600 bytes for 20 s, while the way stays, grows or falls; then there is much to show.
 */
static void low_content(uint64_t before, uint64_t after, tdm_time voice_max)
{
    struct tdm_sim_rate_step steps[] = {{0, before}, {20 * TDM_S, after}};
    struct tdm_sim_rig_config c = narrow(1, 0);

    c.parity = true;
    c.way[0].rate_steps = steps;
    c.way[0].rate_step_count = 2;
    struct tdm_sim_rig *rig = start(&c, 10 * TDM_S);

    rig->pictures[0].most_bytes = 600;
    tdm_sim_rig_run(rig, 30 * TDM_S);
    assert_true(tdm_sim_rig_sent_bps(rig, TDM_SIM_KINDS) < 300e3); /* Measuring costs little. */
    rig->pictures[0].most_bytes = 0;
    tdm_sim_rig_measure(rig);
    tdm_sim_rig_run(rig, 32 * TDM_S); /* C2 gives it two seconds. */
    tell("content comes back", rig);
    assert_true(rig->figures[TDM_SIM_KIND_VOICE].wait.max < voice_max);
    assert_true(kbps(rig, TDM_SIM_KINDS) > 0.8e-3 * (double)after);
    stop(rig);
}

static void test_low_content(void **state)
{
    (void)state;
    low_content(1000000, 1000000, 60 * TDM_MS);
    low_content(1000000, 4000000, 60 * TDM_MS);
    low_content(4000000, 1000000, 80 * TDM_MS);
}

/* An encoder that uses half of what it may, on a way that loses 3 %: no trial makes it rot. */
static void test_half_used(void **state)
{
    struct tdm_sim_rig_config c = narrow(3, 20000000);

    (void)state;
    c.video_bps = 1500000;
    c.fill = 0.5;
    c.parity = true;
    c.way[0].loss = c.way[1].loss = 0.03;
    struct tdm_sim_rig *rig = start(&c, 8 * TDM_S);

    tdm_sim_rig_run(rig, 28 * TDM_S);
    tell("half used, 3 % lost", rig);
    assert_true(kbps(rig, TDM_SIM_KIND_CAMERA) > 650);
    stop(rig);
}

/* The way back is full of itself, loses a third, or takes its time. */
static void test_reverse(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct tdm_sim_rig_config c = narrow(5, 2000000);

        if (how == 0) {
            c.way[1].rate_bps = 100000; /* Of which voice takes 83. */
            c.way[1].queue_delay = 300 * TDM_MS;
        } else if (how == 1) {
            c.way[1].loss = 0.33;
        } else {
            c.way[1].jitter_kind = TDM_SIM_JITTER_GAMMA;
            c.way[1].jitter = 60 * TDM_MS;
        }
        struct tdm_sim_rig *rig = start(&c, 8 * TDM_S);

        tdm_sim_rig_run(rig, 28 * TDM_S);
        tell(how == 0   ? "the way back is full"
             : how == 1 ? "the way back loses 33 %"
                        : "the way back wanders",
             rig);
        assert_true(kbps(rig, TDM_SIM_KINDS) > 1300);
        assert_true(voice_ms(rig, 0.95) < 60);
        stop(rig);
    }
}

/* Feedback that is wrong in a byte, one message in three, for 20 s; gives how many of the camera's
 * 600 pictures were shown. The queue is no measure here: it is full, 300 ms, for a part of that
 * time. Each bound is the worst of 128 seeds and a tenth or more: who believes times that cannot be
 * stops sending, below 1.2 Mb/s and for good, and who believes bursts that came faster than they
 * left has a window of 1 to 3 MB. */
static uint64_t lies(uint64_t seed)
{
    struct tdm_sim_rig_config c = narrow(seed, 2000000);

    c.region = c.channel = c.parity = c.ecn = true;
    struct tdm_sim_rig *rig = start(&c, 5 * TDM_S);
    struct tdm_session_rate rate;
    uint32_t window_max = 0;

    rig->lies = 0.33;
    for (tdm_time at = 5 * TDM_S; at < 25 * TDM_S; at += 100 * TDM_MS) {
        tdm_sim_rig_run(rig, at + 100 * TDM_MS);
        tdm_session_rate_of(rig->sessions[0], &rate);
        window_max = rate.window_bytes > window_max ? rate.window_bytes : window_max;
    }
    if (seed <= 4)
        tell("lies", rig);
    uint64_t shown = rig->pictures[0].shown;

    assert_true(kbps(rig, TDM_SIM_KINDS) > 1600);
    assert_true(tdm_sim_rig_sent_bps(rig, TDM_SIM_KINDS) < 3.1e6);
    assert_in_range(window_max, 0, 700000);
    rig->lies = 0;
    tdm_sim_rig_run(rig, 32 * TDM_S);
    tdm_sim_rig_measure(rig);
    tdm_sim_rig_run(rig, 37 * TDM_S);
    if (seed <= 4)
        tell("7 to 12 s after them", rig);
    assert_true(kbps(rig, TDM_SIM_KINDS) > 1650);
    stop(rig);
    return shown;
}

/* Of all seeds together, as one alone says little: 535 to 554 pictures in blocks of 16. It is 496
 * at most where one message alone may shorten the way, and 60 for who believes any time. */
static void test_lies(void **state)
{
    uint64_t shown = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++)
        shown += lies(seed);
    print_message("  lies: %.0f of 600 pictures in the mean\n", (double)shown / 16);
    assert_true(shown > 16 * UINT64_C(515));
}

/* Whatever the two ways did for 15 s, pictures come again soon after they are good. */
static void never_starves(uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed * 977 + 5);
    struct tdm_sim_window windows[2][4];
    struct tdm_sim_rate_step steps[] = {
        {0, 150000 + tdm_rng_below(&rng, 5000000)},
        {tdm_rng_below(&rng, 10) * TDM_S, 60000 + tdm_rng_below(&rng, 3000000)},
        {15 * TDM_S, 400000 + tdm_rng_below(&rng, 4000000)}};
    struct tdm_sim_rig_config c = narrow(seed, 0);

    c.way[0].rate_steps = steps;
    c.way[0].rate_step_count = 3;
    c.parity = seed & 1;
    c.ecn = seed & 2;
    c.region = seed & 4;
    c.channel = seed & 8;
    c.way[0].mark_delay = seed & 16 ? 5 * TDM_MS : 0;
    for (int i = 0; i < 2; i++) {
        tdm_time at = TDM_S;

        for (int j = 0; j < 4; j++) {
            at += tdm_rng_below(&rng, 2500) * TDM_MS;
            windows[i][j].from = at;
            at += tdm_rng_below(&rng, 1500) * TDM_MS;
            windows[i][j].to = tdm_time_min(at, 15 * TDM_S);
            windows[i][j].from = tdm_time_min(windows[i][j].from, 15 * TDM_S);
            windows[i][j].cut = tdm_rng_chance(&rng, 0.7);
        }
        c.way[i].windows = windows[i];
        c.way[i].window_count = 4;
        c.way[i].loss = tdm_rng_chance(&rng, 0.5) ? 0.06 * tdm_rng_unit(&rng) : 0;
    }
    struct tdm_sim_rig *rig = start(&c, 22 * TDM_S);

    tdm_sim_rig_run(rig, 27 * TDM_S);
    uint64_t shown = rig->pictures[0].shown + rig->pictures[1].shown;

    if (shown < 5 * 30 / 3 || kbps(rig, TDM_SIM_KINDS) < 0.08e-3 * (double)steps[2].rate_bps) {
        tell("starves", rig);
        fail_msg("seed %d: %d pictures, %.0f of %.0f kb/s", (int)seed, (int)shown,
                 kbps(rig, TDM_SIM_KINDS), (double)steps[2].rate_bps * 1e-3);
    }
    stop(rig);
}

static uint64_t first_seed = 1, last_seed = 40;

static void test_never_starves(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed <= last_seed; seed++)
        never_starves(seed);
}

/* A way of 150 ms by itself: it is that, and nothing here, that breaks a budget of 120 ms. */
static void test_latency_budget(void **state)
{
    struct tdm_sim_rig_config c = narrow(6, 2000000);
    const struct tdm_latency_budget_line *line;

    (void)state;
    for (int far = 0; far < 2; far++) {
        c.way[0].delay = c.way[1].delay = far ? 150 * TDM_MS : 25 * TDM_MS;
        struct tdm_sim_rig *rig = tdm_sim_rig_create(&c);

        assert_non_null(rig);
        tdm_latency_budget_init(&rig->budget, 120 * TDM_MS);
        tdm_sim_rig_run(rig, 12 * TDM_S);
        line = &rig->budget.lines[TDM_BUDGET_PICTURE];
        assert_int_equal(line->broken, far);
        assert_int_equal(line->times, far);
        if (far) {
            assert_int_equal(line->stage, 3); /* The network. */
            assert_true(line->over_time > 8 * TDM_S);
            assert_in_range(line->means[3], 145 * TDM_MS, 185 * TDM_MS);
        }
        stop(rig);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_on_a_small_link),
        cmocka_unit_test(test_large_voice),
        cmocka_unit_test(test_repairs_are_in_the_budget),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_feedback_stops),
        cmocka_unit_test(test_fall),
        cmocka_unit_test(test_low_content),
        cmocka_unit_test(test_half_used),
        cmocka_unit_test(test_reverse),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_never_starves),
        cmocka_unit_test(test_latency_budget),
    };

    if (argc == 3) { /* More of them, by hand. */
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

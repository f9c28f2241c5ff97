/* SPDX-License-Identifier: MIT */
#include "engine/core/lipsync.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

/* A playout that obeys at 200 ms a second, above its own least delay. */
struct plant {
    tdm_time own, playout, path; /* Audio latency = path + playout. */
    tdm_time video, noise;
};

static tdm_time run(struct plant *p, struct tdm_lipsync *l, tdm_time *now, double seconds,
                    tdm_time *worst_early, int *changes)
{
    struct tdm_rng rng = tdm_rng_of(9);
    tdm_time end = *now + (tdm_time)(seconds * 1e9), ask = l->ask, decided = l->decided_at;

    *worst_early = 0;
    *changes = 0;
    for (; *now < end; *now += 33 * TDM_MS) {
        tdm_time wobble = p->noise ? (tdm_time)tdm_rng_below(&rng, (uint32_t)p->noise) : 0;
        struct tdm_lipsync_in in = {.audio_latency = p->path + p->playout,
                                    .video_latency = p->video + wobble,
                                    .playout_delay = p->playout};
        tdm_time next = tdm_lipsync_step(l, *now, &in);

        assert_true(llabs(next - ask) <= TDM_LIPSYNC_STEP_MAX);
        if (next != ask) {
            assert_true(*now - decided >= TDM_LIPSYNC_PERIOD);
            decided = *now;
            ++*changes;
        }
        ask = next;
        tdm_time goal = tdm_time_max(p->own, ask), step = 66 * TDM_MS / 10;
        p->playout += goal > p->playout ? tdm_time_min(goal - p->playout, step)
                                        : -tdm_time_min(p->playout - goal, step);
        if (end - *now < 2 * TDM_S)
            *worst_early = tdm_time_max(*worst_early, p->video - p->path - p->playout);
    }
    return ask;
}

static void test_holds_sound_back(void **state)
{
    struct plant p = {.own = 10 * TDM_MS,
                      .playout = 10 * TDM_MS,
                      .path = 30 * TDM_MS,
                      .video = 180 * TDM_MS,
                      .noise = 10 * TDM_MS};
    struct tdm_lipsync l;
    tdm_time now = TDM_S, early;
    int changes;

    (void)state;
    tdm_lipsync_init(&l, now);
    (void)run(&p, &l, &now, 20, &early, &changes);
    assert_in_range(early, TDM_MS, TDM_LIPSYNC_EARLY_MAX); /* No more delay than it takes. */
    assert_true(p.path + p.playout - p.video <= TDM_LIPSYNC_EARLY_MAX);
    (void)run(&p, &l, &now, 60, &early, &changes);
    assert_int_equal(changes, 0); /* Settled: no hunting. */
}

static void test_leaves_small_and_late_alone(void **state)
{
    static const tdm_time videos[] = {25 * TDM_MS, 40 * TDM_MS, 58 * TDM_MS};

    (void)state;
    for (size_t i = 0; i < sizeof videos / sizeof videos[0]; i++) {
        struct plant p = {
            .own = 10 * TDM_MS, .playout = 10 * TDM_MS, .path = 30 * TDM_MS, .video = videos[i]};
        struct tdm_lipsync l;
        tdm_time now = TDM_S, early;
        int changes;

        tdm_lipsync_init(&l, now);
        assert_int_equal(run(&p, &l, &now, 10, &early, &changes), 0);
    }
}

static void test_gives_delay_back(void **state)
{
    struct plant p = {
        .own = 10 * TDM_MS, .playout = 10 * TDM_MS, .path = 30 * TDM_MS, .video = 200 * TDM_MS};
    struct tdm_lipsync l;
    tdm_time now = TDM_S, early;
    int changes;

    (void)state;
    tdm_lipsync_init(&l, now);
    assert_true(run(&p, &l, &now, 20, &early, &changes) > 100 * TDM_MS);
    p.video = 50 * TDM_MS;
    (void)run(&p, &l, &now, 20, &early, &changes);
    assert_true(p.playout <= 30 * TDM_MS);
    p.video = TDM_NEVER; /* The picture is gone. */
    assert_int_equal(run(&p, &l, &now, 20, &early, &changes), 0);
}

/* Sound that is late on its own account: pictures wait for it, but not longer than it is worth. */
static void test_pictures_wait(void **state)
{
    struct tdm_lipsync_in in = {
        .audio_latency = 90 * TDM_MS, .video_latency = 40 * TDM_MS, .playout_delay = 60 * TDM_MS};
    const tdm_time now = 100 * TDM_S;
    struct tdm_lipsync l;

    (void)state;
    tdm_lipsync_init(&l, now);
    assert_int_equal(tdm_lipsync_picture_age(&l), 0);
    assert_int_equal(tdm_lipsync_step(&l, now, &in), 0);
    assert_int_equal(tdm_lipsync_picture_age(&l), 0); /* For a moment. */
    assert_int_equal(tdm_lipsync_step(&l, now + 100 * TDM_MS, &in), 0);
    tdm_time age = tdm_lipsync_picture_age(&l);

    assert_int_equal(in.audio_latency - age, TDM_LIPSYNC_LATE_AIM);
    assert_true(tdm_lipsync_show_at(age, now - 40 * TDM_MS, now) == now - 40 * TDM_MS + age);
    assert_true(tdm_lipsync_show_at(age, now - 80 * TDM_MS, now) == now); /* Old enough. */
    assert_true(tdm_lipsync_show_at(age, TDM_NEVER, now) == now);
    assert_true(tdm_lipsync_show_at(age, INT64_MAX - 1, now) == now);
    assert_true(tdm_lipsync_show_at(age, INT64_MIN / 2, now) == now);
    assert_true(tdm_lipsync_show_at(TDM_S, now, now) == now + TDM_LIPSYNC_HOLD_MAX);
    in.audio_latency = TDM_NEVER; /* Nobody speaks. */
    (void)tdm_lipsync_step(&l, now + TDM_S, &in);
    assert_int_equal(tdm_lipsync_picture_age(&l), 0);
}

static void test_bounded_by_nonsense(void **state)
{
    struct tdm_rng rng = tdm_rng_of(4);
    struct tdm_lipsync l;
    tdm_time now = 0;

    (void)state;
    tdm_lipsync_init(&l, now);
    for (int i = 0; i < 20000; i++) {
        struct tdm_lipsync_in in = {.audio_latency = (tdm_time)tdm_rng_u64(&rng),
                                    .video_latency = (tdm_time)(tdm_rng_u64(&rng) >> 30),
                                    .playout_delay = (tdm_time)(tdm_rng_u64(&rng) >> 31)};

        if (i % 3 == 0)
            in.audio_latency >>= 30;
        now += tdm_rng_below(&rng, 1000000000);
        tdm_time ask = tdm_lipsync_step(&l, now, &in);
        assert_true(ask >= 0 && ask <= TDM_LIPSYNC_ASK_MAX);
        tdm_time at = tdm_lipsync_show_at(tdm_lipsync_picture_age(&l), in.video_latency, now);

        assert_true(at >= now && at <= now + TDM_LIPSYNC_HOLD_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_sound_back),
        cmocka_unit_test(test_leaves_small_and_late_alone),
        cmocka_unit_test(test_gives_delay_back),
        cmocka_unit_test(test_pictures_wait),
        cmocka_unit_test(test_bounded_by_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A sound device that starts late or stops for a while: seen with PulseAudio, which takes a few
 * pulls, sleeps for most of a second, and goes on as if nothing had been. */
#include "engine/core/playout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HZ      48000u
#define FRAME   480u
#define PULL    128u
#define PULL_NS ((tdm_time)PULL * TDM_S / HZ)

struct rig {
    struct tdm_playout *p;
    void *storage;
    int64_t sent; /* Packets, one every 10 ms from time 0 on. */
};

static void open_rig(struct rig *rig)
{
    struct tdm_playout_config config = {
        .sample_hz = HZ, .rtp_hz = HZ, .channels = 1, .max_delay = 2 * TDM_S, .dry = true};

    rig->storage = malloc(tdm_playout_bytes(&config));
    assert_non_null(rig->storage);
    rig->p = tdm_playout_init(rig->storage, &config, 0);
    rig->sent = 0;
}

/* What has arrived by `now`, each at the time it arrived. */
static void deliver(struct rig *rig, tdm_time now)
{
    for (; rig->sent * 10 * TDM_MS <= now; rig->sent++) {
        struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};
        struct tdm_playout_out out;
        tdm_time at = rig->sent * 10 * TDM_MS;

        in.packet = (struct tdm_playout_packet){.seq = 1000 + rig->sent,
                                                .rtp_time = 5000 + rig->sent * FRAME,
                                                .arrival = at,
                                                .captured = at,
                                                .samples = FRAME};
        tdm_playout_step(rig->p, at, &in, &out);
    }
}

/* One pull; returns how long ago what it plays was captured, or -1 when it plays silence. */
static tdm_time pull(struct rig *rig, tdm_time now)
{
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PULL};
    struct tdm_playout_out out;

    in.pull.samples = PULL;
    in.pull.play_at = now;
    for (;;) {
        tdm_playout_step(rig->p, now, &in, &out);
        if (out.action == TDM_PLAYOUT_READY)
            return out.silent || out.captured == TDM_NEVER ? -1 : now - out.captured;
        in = (struct tdm_playout_in){.kind = TDM_PLAYOUT_PCM};
        in.pcm.samples = out.action == TDM_PLAYOUT_DECODE ? FRAME : out.samples;
    }
}

static tdm_time run(struct rig *rig, tdm_time from, tdm_time to)
{
    tdm_time age = -1;

    for (tdm_time now = from; now < to; now += PULL_NS) {
        deliver(rig, now);
        age = pull(rig, now);
    }
    return age;
}

static void test_a_device_that_starts_late_plays_what_is_new(void **state)
{
    struct rig rig;

    (void)state;
    open_rig(&rig);
    deliver(&rig, 2 * TDM_S);
    tdm_time age = run(&rig, 2 * TDM_S, 2 * TDM_S + 100 * TDM_MS);

    assert_in_range(age, 0, 40 * TDM_MS);
    free(rig.storage);
}

static void test_a_few_pulls_and_then_a_long_stop(void **state)
{
    struct rig rig;

    (void)state;
    open_rig(&rig);
    deliver(&rig, 15 * TDM_MS);
    (void)pull(&rig, 15 * TDM_MS);
    (void)pull(&rig, 16 * TDM_MS);
    (void)pull(&rig, 16 * TDM_MS);
    deliver(&rig, 860 * TDM_MS);
    tdm_time age = run(&rig, 860 * TDM_MS, 1000 * TDM_MS);

    assert_in_range(age, 0, 40 * TDM_MS);
    assert_true(tdm_playout_stats_of(rig.p)->target_delay < 100 * TDM_MS);
    free(rig.storage);
}

static void test_a_stop_in_the_middle(void **state)
{
    struct rig rig;

    (void)state;
    open_rig(&rig);
    (void)run(&rig, 0, 3 * TDM_S);
    deliver(&rig, 5 * TDM_S);
    tdm_time age = run(&rig, 5 * TDM_S, 5 * TDM_S + 200 * TDM_MS);

    assert_in_range(age, 0, 120 * TDM_MS);
    age = run(&rig, 5 * TDM_S + 200 * TDM_MS, 9 * TDM_S);
    assert_in_range(age, 0, 40 * TDM_MS);
    free(rig.storage);
}

/* A starved sound server: every tenth pull comes 30 ms late and nothing is made up for. */
static void test_a_device_that_loses_a_little_all_the_time(void **state)
{
    struct rig rig;
    tdm_time now = 0;
    tdm_time worst = 0;

    (void)state;
    open_rig(&rig);
    for (int i = 0; i < 8000; i++) {
        deliver(&rig, now);
        tdm_time age = pull(&rig, now);

        if (now > 3 * TDM_S && age > worst)
            worst = age;
        now += i % 10 ? PULL_NS : PULL_NS + 30 * TDM_MS;
    }
    assert_in_range(worst, 1, 220 * TDM_MS);
    free(rig.storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_that_starts_late_plays_what_is_new),
        cmocka_unit_test(test_a_few_pulls_and_then_a_long_stop),
        cmocka_unit_test(test_a_stop_in_the_middle),
        cmocka_unit_test(test_a_device_that_loses_a_little_all_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

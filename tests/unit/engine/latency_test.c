/* SPDX-License-Identifier: MIT */
#include "engine/latency.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define INTERVAL (TDM_S / 30)

static struct tdm_latency *latency_new(void)
{
    struct tdm_latency *l = malloc(sizeof *l);

    assert_non_null(l);
    tdm_latency_init(l);
    return l;
}

/* A frame whose stages last 1, 2, 3 ... ms. */
static struct tdm_video_trace frame_at(tdm_time captured)
{
    static const int ms[TDM_STAGE_COUNT] = {0, 1, 3, 2, 6, 7, 10, 15, 21, 28, 36};
    struct tdm_video_trace t = {.pixel_captured = TDM_NEVER, .width = 640, .height = 360};

    t.trace = tdm_frame_trace_none();
    for (int stage = 0; stage < TDM_STAGE_COUNT; stage++)
        t.trace.at[stage] = captured + ms[stage] * TDM_MS;
    return t;
}

static void stages_add_up(void **state)
{
    struct tdm_latency *l = latency_new();
    struct tandem_stats stats = {0};
    double sum = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        struct tdm_video_trace t = frame_at(TDM_S + i * INTERVAL);

        tdm_latency_video(l, &t);
    }
    tdm_latency_stats(l, &stats);
    assert_int_equal(stats.video_stage_count, TDM_VIDEO_STAGES);
    for (int i = 0; i < stats.video_stage_count; i++) {
        assert_string_not_equal(stats.video_stages[i].name, "");
        assert_int_equal(stats.video_stages[i].ms.count, 10);
        sum += stats.video_stages[i].ms.mean;
    }
    assert_true(fabs(sum - 36) < 1e-6);
    assert_true(fabs(stats.glass_to_glass.mean - 36) < 1e-6);
    /* Encoding took 2 ms and decoding 7. */
    assert_true(fabs(stats.beyond_codec.mean - (36 - 2 - 7)) < 1e-6);
    assert_int_equal(stats.frames_shown, 10);
    assert_int_equal(stats.width, 640);
    assert_true(fabs(stats.shown_fps - 30) < 0.01);
    assert_int_equal(stats.pixel_latency.count, 0);
    free(l);
}

static void show(struct tdm_latency *l, int index, tdm_time latency)
{
    struct tdm_video_trace t = frame_at(TDM_S + index * INTERVAL);

    t.trace.at[TDM_STAGE_PRESENTED] = t.trace.at[TDM_STAGE_CAPTURED] + latency;
    tdm_latency_video(l, &t);
}

/* The first picture, a keyframe, takes 200 ms and each later keyframe as long: the sound is not
 * held back for them. A path that is really slower is followed. */
static void lip_sync_sees_no_keyframe(void **state)
{
    struct tdm_latency *l = latency_new();

    (void)state;
    for (int i = 0; i < 100; i++) {
        show(l, i, (i % 30 ? 15 : 200) * TDM_MS);
        assert_true(i < TDM_LATENCY_RECENT - 1 ? l->glass_now == TDM_NEVER
                                               : l->glass_now == 15 * TDM_MS);
    }
    for (int i = 100; i < 200; i++)
        show(l, i, 80 * TDM_MS);
    assert_true(l->glass_now > 79 * TDM_MS && l->glass_now <= 80 * TDM_MS);
    tdm_latency_pause(l, true);
    assert_true(l->glass_now == TDM_NEVER);
    tdm_latency_pause(l, false);
    show(l, 200, 15 * TDM_MS);
    assert_true(l->glass_now == TDM_NEVER);
    free(l);
}

/* What is not known is not counted, and spoils nothing. */
static void unknown_stages(void **state)
{
    struct tdm_latency *l = latency_new();
    struct tdm_video_trace t = frame_at(TDM_S);
    struct tandem_stats stats = {0};

    (void)state;
    t.trace.at[TDM_STAGE_CAPTURED] = TDM_NEVER;
    tdm_latency_video(l, &t);
    t = frame_at(TDM_S + INTERVAL);
    t.trace.at[TDM_STAGE_LAST_SENT] = TDM_NEVER;
    tdm_latency_video(l, &t);
    tdm_latency_stats(l, &stats);
    assert_int_equal(stats.frames_shown, 2);
    assert_int_equal(stats.glass_to_glass.count, 1);
    assert_int_equal(stats.video_stages[0].ms.count, 0);
    free(l);
}

static void pixels_against_trace(void **state)
{
    struct tdm_latency *l = latency_new();
    struct tandem_stats stats = {0};

    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct tdm_video_trace t = frame_at(TDM_S + sign * INTERVAL);

        t.pixel_captured = t.trace.at[TDM_STAGE_CAPTURED] + sign * TDM_MS;
        tdm_latency_video(l, &t);
    }
    tdm_latency_stats(l, &stats);
    assert_int_equal(stats.pixel_latency.count, 2);
    assert_true(fabs(stats.pixel_latency.mean - 36) < 1e-6);
    assert_true(fabs(stats.trace_minus_pixels.mean - 1) < 1e-6); /* Absolute. */
    free(l);
}

static void freezes(void **state)
{
    static const struct {
        int gap_ms;
        uint32_t freezes;
    } gaps[] = {{100, 0}, {150, 0}, {200, 1}, {1000, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        struct tdm_latency *l = latency_new();
        struct tandem_stats stats = {0};
        tdm_time at = TDM_S;

        for (int frame = 0; frame < 60; frame++) {
            struct tdm_video_trace t = frame_at(at);

            tdm_latency_video(l, &t);
            at += frame == 30 ? gaps[i].gap_ms * TDM_MS : INTERVAL;
        }
        tdm_latency_stats(l, &stats);
        assert_int_equal(stats.freezes, gaps[i].freezes);
        assert_true(fabs(stats.frozen_seconds - (double)gaps[i].freezes * gaps[i].gap_ms / 1e3) <
                    1e-3);
        free(l);
    }
}

static struct tdm_audio_trace block_at(tdm_time captured)
{
    return (struct tdm_audio_trace){
        .captured = captured,
        .encode_end = captured + 12 * TDM_MS,
        .arrival = captured + 15 * TDM_MS,
        .play_at = captured + 40 * TDM_MS,
        .samples = 480,
        .chirp_ms = -1,
    };
}

static void sound(void **state)
{
    struct tdm_latency *l = latency_new();
    struct tandem_stats stats = {0};
    struct tdm_audio_trace t = block_at(TDM_S);

    (void)state;
    tdm_latency_audio(l, &t);
    t.chirp_ms = 41;
    tdm_latency_audio(l, &t);
    t.chirp_ms = -1;
    t.silent = true; /* Silence has no latency. */
    tdm_latency_audio(l, &t);
    t.silent = false;
    t.arrival = TDM_NEVER;
    tdm_latency_audio(l, &t);
    tdm_latency_stats(l, &stats);
    assert_int_equal(stats.mouth_to_ear.count, 3);
    assert_true(fabs(stats.mouth_to_ear.mean - 40) < 1e-6);
    assert_int_equal(stats.chirp_latency.count, 1);
    assert_true(fabs(stats.chirp_latency.mean - 41) < 1e-6);
    assert_int_equal(stats.audio_stages[0].ms.count, 2);
    assert_true(fabs(stats.audio_stages[0].ms.mean + stats.audio_stages[1].ms.mean +
                     stats.audio_stages[2].ms.mean - 40) < 1e-6);
    free(l);
}

static void trace_file(void **state)
{
    char path[] = "/tmp/tandem-latency-XXXXXX", text[4096] = "";
    struct tdm_latency *l = latency_new();
    struct tdm_video_trace video = frame_at(TDM_S);
    struct tdm_audio_trace audio = block_at(TDM_S);
    struct tdm_cause cause = {""};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    tdm_latency_video(l, &video);
    tdm_latency_audio(l, &audio);
    assert_int_equal(tdm_latency_write_trace(l, path, &cause), TDM_OK);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);

    (void)fclose(file);
    (void)unlink(path);
    assert_int_equal(text[0], '[');
    assert_string_equal(text + size - 2, "]\n");
    assert_non_null(strstr(text, "\"name\":\"decode\""));
    assert_non_null(strstr(text, "\"ts\":1000000.000,\"dur\":36000.000"));
    assert_int_equal(tdm_latency_write_trace(l, "/no/such/folder/trace.json", &cause),
                     TDM_E_SYSTEM);
    assert_non_null(strstr(cause.text, "/no/such/folder/trace.json"));
    if (access("/dev/full", W_OK) == 0) {
        assert_int_equal(tdm_latency_write_trace(l, "/dev/full", &cause), TDM_E_SYSTEM);
        assert_non_null(strstr(cause.text, "full"));
    }
    free(l);
}

/* The trace file keeps the last ones of a long call. */
static void long_call(void **state)
{
    struct tdm_latency *l = latency_new();
    struct tandem_stats stats = {0};

    (void)state;
    for (int i = 0; i < 2 * TDM_LATENCY_KEPT + 5; i++) {
        struct tdm_video_trace t = frame_at(TDM_S + i * INTERVAL);

        t.trace.frame_id = (uint32_t)i;
        tdm_latency_video(l, &t);
    }
    tdm_latency_stats(l, &stats);
    assert_int_equal(stats.frames_shown, 2 * TDM_LATENCY_KEPT + 5);
    assert_int_equal(l->videos[4].trace.frame_id, 2 * TDM_LATENCY_KEPT + 4);
    assert_int_equal(l->videos[5].trace.frame_id, TDM_LATENCY_KEPT + 5);
    free(l);
}

/* A picture that was still under way when a hold began does not make the hold a freeze. */
static void a_hold_is_no_freeze(void **state)
{
    struct tdm_latency *l = latency_new();
    struct tdm_video_trace t;
    tdm_time now = TDM_S;

    (void)state;
    for (int i = 0; i < 30; i++, now += INTERVAL) {
        t = frame_at(now);
        tdm_latency_video(l, &t);
    }
    tdm_latency_pause(l, true);
    t = frame_at(now);
    tdm_latency_video(l, &t);
    tdm_latency_pause(l, false);
    t = frame_at(now + 5 * TDM_S);
    tdm_latency_video(l, &t);
    assert_int_equal(l->freezes, 0);
    t = frame_at(now + 6 * TDM_S);
    tdm_latency_video(l, &t);
    assert_int_equal(l->freezes, 1);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_add_up),  cmocka_unit_test(lip_sync_sees_no_keyframe),
        cmocka_unit_test(unknown_stages), cmocka_unit_test(pixels_against_trace),
        cmocka_unit_test(freezes),        cmocka_unit_test(a_hold_is_no_freeze),
        cmocka_unit_test(sound),          cmocka_unit_test(trace_file),
        cmocka_unit_test(long_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/call_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct tdm_latency_budget budget;
static struct tdm_cause said;
static int told;
static tdm_time now;

static void start(void)
{
    tdm_latency_budget_init(&budget, 120 * TDM_MS);
    now = 50 * TDM_S;
    told = 0;
    said.text[0] = '\0';
}

static void pictures(tdm_time network, int count)
{
    for (; count > 0; count--, now += 33 * TDM_MS) {
        struct tdm_video_trace t = {.pixel_captured = TDM_NEVER};
        tdm_time *at = t.trace.at;

        at[TDM_STAGE_CAPTURED] = now;
        at[TDM_STAGE_ENCODE_START] = now;
        at[TDM_STAGE_ENCODE_END] = now + 5 * TDM_MS;
        at[TDM_STAGE_FIRST_SENT] = TDM_NEVER;
        at[TDM_STAGE_LAST_SENT] = now + 15 * TDM_MS;
        at[TDM_STAGE_FIRST_RECEIVED] = at[TDM_STAGE_LAST_RECEIVED] = now + 15 * TDM_MS + network;
        at[TDM_STAGE_DECODABLE] = at[TDM_STAGE_LAST_RECEIVED];
        at[TDM_STAGE_DECODE_START] = at[TDM_STAGE_DECODABLE];
        at[TDM_STAGE_DECODE_END] = at[TDM_STAGE_PRESENTED] = at[TDM_STAGE_DECODABLE] + 5 * TDM_MS;
        told += tdm_call_budget_picture(&budget, &t, &said);
    }
}

static void sounds(tdm_time playout, int count)
{
    for (; count > 0; count--, now += 10 * TDM_MS) {
        struct tdm_audio_trace t = {.captured = now,
                                    .encode_end = now + 11 * TDM_MS,
                                    .arrival = now + 31 * TDM_MS,
                                    .play_at = now + 31 * TDM_MS + playout};

        told += tdm_call_budget_sound(&budget, &t, &said);
    }
}

static void test_the_way_alone(void **state)
{
    struct tandem_stats stats = {.video_stage_count = TDM_VIDEO_STAGES,
                                 .audio_stage_count = TDM_AUDIO_STAGES};

    (void)state;
    (void)snprintf(stats.video_stages[3].name, sizeof stats.video_stages[3].name, "network");
    start();
    pictures(150 * TDM_MS, 60);
    assert_int_equal(told, 1);
    assert_string_equal(said.text, "the latency budget of 120 ms cannot be held: network alone "
                                   "takes 150 of the 170 ms of the picture");
    tdm_call_budget_stats(&budget, &stats);
    assert_true(stats.budget_picture.over && stats.budget_picture.times == 1);
    assert_string_equal(stats.budget_picture.stage, "network");
    assert_true(stats.video_stages[3].over_seconds == stats.budget_picture.over_seconds);
    assert_true(stats.budget_picture.over_seconds > 1);
    assert_true(stats.video_stages[3].share_ms > 41 && stats.video_stages[3].share_ms < 43);
    assert_false(stats.budget_sound.over);
    pictures(20 * TDM_MS, 60);
    assert_int_equal(told, 2);
    assert_non_null(strstr(said.text, "is held again for the picture, after "));
}

static void test_the_playout(void **state)
{
    (void)state;
    start();
    sounds(30 * TDM_MS, 200);
    assert_int_equal(told, 0);
    sounds(100 * TDM_MS, 200);
    assert_int_equal(told, 1);
    assert_non_null(
        strstr(said.text, "the latency budget of 120 ms is not held: the sound takes "));
    assert_non_null(strstr(said.text, "of which playout "));
    assert_non_null(strstr(said.text, "(its share is 48)"));
}

/* What is not known is not judged. */
static void test_unknown(void **state)
{
    struct tdm_audio_trace t = {
        .captured = TDM_NEVER, .encode_end = TDM_NEVER, .play_at = 3600 * TDM_S};

    (void)state;
    start();
    for (int i = 0; i < 100; i++)
        told += tdm_call_budget_sound(&budget, &t, &said);
    assert_int_equal(told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_way_alone),
        cmocka_unit_test(test_the_playout),
        cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

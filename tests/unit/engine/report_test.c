/* SPDX-License-Identifier: MIT */
#include "engine/report.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *report_of(const struct tandem_stats *stats)
{
    char *text = tdm_report_json(stats);
    json_error_t error;

    assert_non_null(text);
    json_t *json = json_loads(text, 0, &error);

    if (!json)
        fail_msg("line %d: %s\n%s", error.line, error.text, text);
    free(text);
    return json;
}

static void an_empty_call(void **state)
{
    struct tandem_stats stats = {.state = TANDEM_STATE_ENDED};
    json_t *json = report_of(&stats);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(json, "state")), "ended");
    assert_int_equal(json_array_size(json_object_get(json, "video_stages")), 0);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json, "audio"), "send_codec")), "");
    json_decref(json);
}

static void a_full_call(void **state)
{
    struct tandem_stats stats = {
        .state = TANDEM_STATE_UP,
        .seconds = 12.3456,
        .frames_shown = UINT64_C(1) << 40,
        .clock_offset_ms = -0.25,
        .clock_known = true,
        .video_stage_count = 2,
    };
    json_t *json, *stage;

    (void)state;
    (void)snprintf(stats.video.send_codec, sizeof stats.video.send_codec, "h264");
    stats.audio.packets_lost = -3; /* RFC 3550: duplicates make it negative. */
    (void)snprintf(stats.video_stages[0].name, sizeof stats.video_stages[0].name, "capture");
    (void)snprintf(stats.video_stages[1].name, sizeof stats.video_stages[1].name, "encode");
    stats.video_stages[1].ms = (struct tandem_distribution){.count = 7, .mean = 1.5, .p95 = 2.25};
    json = report_of(&stats);
    assert_true(fabs(json_real_value(json_object_get(json, "seconds")) - 12.346) < 1e-9);
    assert_true(json_integer_value(json_object_get(json, "frames_shown")) == INT64_C(1) << 40);
    assert_true(json_is_true(json_object_get(json, "clock_known")));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "audio"), "packets_lost")), -3);
    stage = json_array_get(json_object_get(json, "video_stages"), 1);
    assert_string_equal(json_string_value(json_object_get(stage, "name")), "encode");
    stage = json_object_get(stage, "ms");
    assert_int_equal(json_integer_value(json_object_get(stage, "count")), 7);
    assert_true(fabs(json_real_value(json_object_get(stage, "p95")) - 2.25) < 1e-9);
    json_decref(json);
}

/* Not even a number that is none makes a report that does not parse. */
static void odd_numbers(void **state)
{
    struct tandem_stats stats = {
        .rtt_ms = (double)NAN, .cpu_percent = (double)INFINITY, .seconds = 3};
    json_t *json = report_of(&stats);

    (void)state;
    assert_true(fabs(json_real_value(json_object_get(json, "seconds")) - 3) < 1e-9);
    json_decref(json);
}

static void every_state(void **state)
{
    (void)state;
    for (int s = TANDEM_STATE_DIALING; s <= TANDEM_STATE_ENDED; s++) {
        struct tandem_stats stats = {.state = (enum tandem_call_state)s};
        json_t *json = report_of(&stats);

        assert_string_not_equal(json_string_value(json_object_get(json, "state")), "");
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_call),
        cmocka_unit_test(a_full_call),
        cmocka_unit_test(odd_numbers),
        cmocka_unit_test(every_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

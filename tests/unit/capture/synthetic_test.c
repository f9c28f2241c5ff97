/* SPDX-License-Identifier: MIT */

/* The registry, the pattern and the tone. */

#include "capture/source.h"

#include "engine/base/chirp.h"
#include "engine/base/time_code.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

static void specs_are_found(void **state)
{
    (void)state;
    const char *argument;
    struct tdm_cause cause;
    const struct tdm_video_source_ops *video =
        tdm_video_source_find("file:a:b.mp4", &argument, &cause);

    assert_non_null(video);
    assert_string_equal(video->kind, "file");
    assert_string_equal(argument, "a:b.mp4");
    assert_non_null(tdm_video_source_find("pattern", &argument, &cause));
    assert_string_equal(argument, "");
    assert_non_null(tdm_audio_source_find("tone:440", &argument, &cause));
    assert_string_equal(argument, "440");
}

static void unknown_specs_are_explained(void **state)
{
    (void)state;
    const char *argument;
    struct tdm_cause cause;

    assert_null(tdm_video_source_find("foo", &argument, &cause));
    assert_string_equal(cause.text, "unknown video source \"foo\": use cam, screen, file:PATH or "
                                    "pattern");
    assert_null(tdm_video_source_find("patterns", &argument, &cause));
    assert_null(tdm_video_source_find("", &argument, NULL));
    assert_null(tdm_audio_source_find("pattern", &argument, &cause));
    assert_string_equal(cause.text, "unknown audio source \"pattern\": use mic, file:PATH, tone or "
                                    "desktop");
}

static struct tdm_video_source *make_pattern(const char *argument, int wake_fd)
{
    const struct tdm_video_source_config config = {
        .argument = argument, .width = 320, .height = 240, .fps = 100, .wake_fd = wake_fd};
    struct tdm_video_source *source = NULL;
    const char *rest;

    assert_int_equal(tdm_video_source_find("pattern", &rest, NULL)->create(&config, &source, NULL),
                     TDM_OK);
    return source;
}

static void pattern_moves_and_carries_its_time(void **state)
{
    (void)state;
    const char *rest;
    const struct tdm_video_source_ops *ops = tdm_video_source_find("pattern", &rest, NULL);
    int wake_fd = tdm_wake_open(NULL);
    struct tdm_video_source *source = make_pattern("", wake_fd);
    uint8_t *last = calloc(1, 320 * 240);
    tdm_time before = 0;

    for (uint32_t i = 0; i < 5; i++) {
        struct tdm_picture pic;
        tdm_time coded = 0;

        assert_int_equal(ops->next(source, &pic, NULL), TDM_OK);
        assert_int_equal(pic.width, 320);
        assert_int_equal(pic.height, 240);
        assert_int_equal(pic.frame_id, i);
        assert_true(tdm_time_code_read(&pic, &coded));
        assert_int_equal(coded / TDM_US, pic.captured / TDM_US);
        assert_true(pic.captured > before);
        assert_true(pic.captured <= tdm_clock_now());
        /* Below the strip it moves. */
        assert_memory_not_equal(last, pic.planes[0] + 320 * 32, 320 * 200);
        memcpy(last, pic.planes[0] + 320 * 32, 320 * 200);
        before = pic.captured;
    }
    struct tdm_picture pic;

    tdm_wake_signal(wake_fd);
    assert_int_equal(ops->next(source, &pic, NULL), TDM_E_AGAIN);
    tdm_wake_clear(wake_fd);
    assert_int_equal(ops->next(source, &pic, NULL), TDM_OK);
    ops->destroy(source);
    (void)close(wake_fd);
    free(last);
}

static void still_pattern_is_still(void **state)
{
    (void)state;
    const char *rest;
    const struct tdm_video_source_ops *ops = tdm_video_source_find("pattern", &rest, NULL);
    struct tdm_video_source *source = make_pattern("still", -1);
    struct tdm_picture pic;
    uint8_t *last = malloc(320 * 200);

    assert_int_equal(ops->next(source, &pic, NULL), TDM_OK);
    memcpy(last, pic.planes[0] + 320 * 32, 320 * 200);
    assert_int_equal(ops->next(source, &pic, NULL), TDM_OK);
    assert_memory_equal(last, pic.planes[0] + 320 * 32, 320 * 200);
    ops->destroy(source);
    free(last);
}

static void bad_arguments_are_explained(void **state)
{
    (void)state;
    const char *rest;
    struct tdm_cause cause;
    struct tdm_video_source *video;
    struct tdm_audio_source *audio;
    const struct tdm_video_source_config pattern = {
        .argument = "zebra", .width = 320, .height = 240, .fps = 30, .wake_fd = -1};
    const char *const tones[] = {"zebra", "0", "90000", "440x", "nan", "-5"};

    assert_int_equal(
        tdm_video_source_find("pattern", &rest, NULL)->create(&pattern, &video, &cause),
        TDM_E_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "pattern:still"));
    for (size_t i = 0; i < sizeof tones / sizeof *tones; i++) {
        const struct tdm_audio_source_config config = {.argument = tones[i],
                                                       .sample_hz = 48000,
                                                       .channels = 1,
                                                       .block_samples = 480,
                                                       .wake_fd = -1};

        assert_int_equal(
            tdm_audio_source_find("tone", &rest, NULL)->create(&config, &audio, &cause),
            TDM_E_UNSUPPORTED);
        assert_non_null(strstr(cause.text, "tone:HZ"));
    }
}

/* Reads a second and more of tone:chirp and finds the chirp where the clock says it is. */
static void chirp_starts_on_the_second(void **state)
{
    (void)state;
    const char *rest;
    const struct tdm_audio_source_ops *ops = tdm_audio_source_find("tone", &rest, NULL);
    const struct tdm_audio_source_config config = {.argument = "chirp",
                                                   .sample_hz = 48000,
                                                   .channels = 2,
                                                   .block_samples = 480,
                                                   .wake_fd = -1};
    struct tdm_audio_source *source = NULL;
    struct tdm_chirp_detector detector;
    int16_t pcm[960];
    tdm_time first = 0, captured = 0, before = 0;
    double arrival;
    int found = 0;

    tdm_chirp_detector_init(&detector);
    assert_int_equal(ops->create(&config, &source, NULL), TDM_OK);
    for (int block = 0; block < 115; block++) {
        assert_int_equal(ops->read(source, pcm, &captured, NULL), TDM_OK);
        assert_true(captured <= tdm_clock_now());
        if (block == 0)
            first = captured - 479 * TDM_S / 48000;
        else
            assert_true(llabs((long long)(captured - before - 10 * TDM_MS)) < 2);
        before = captured;
        for (int i = 0; i < 480; i++) {
            assert_int_equal(pcm[2 * i], pcm[2 * i + 1]);
            if (tdm_chirp_detector_push(&detector, pcm[2 * i], &arrival)) {
                double at = (double)(first % TDM_S) / 1e9 + arrival / 48000;

                assert_true(fabs(at - round(at)) < 0.0001);
                found++;
            }
        }
    }
    assert_true(found >= 1);
    ops->destroy(source);
}

static void tone_has_its_pitch(void **state)
{
    (void)state;
    const char *rest;
    const struct tdm_audio_source_ops *ops = tdm_audio_source_find("tone", &rest, NULL);
    const struct tdm_audio_source_config config = {
        .argument = "1000", .sample_hz = 8000, .channels = 1, .block_samples = 800, .wake_fd = -1};
    struct tdm_audio_source *source = NULL;
    int16_t pcm[800];
    tdm_time captured;
    int crossings = 0;

    assert_int_equal(ops->create(&config, &source, NULL), TDM_OK);
    assert_int_equal(ops->read(source, pcm, &captured, NULL), TDM_OK);
    for (int i = 1; i < 800; i++)
        crossings += pcm[i - 1] < 0 && pcm[i] >= 0;
    assert_in_range(crossings, 99, 100);
    ops->destroy(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_found),
        cmocka_unit_test(unknown_specs_are_explained),
        cmocka_unit_test(pattern_moves_and_carries_its_time),
        cmocka_unit_test(still_pattern_is_still),
        cmocka_unit_test(bad_arguments_are_explained),
        cmocka_unit_test(chirp_starts_on_the_second),
        cmocka_unit_test(tone_has_its_pitch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */

/* The registry, the null sinks and the WAV sink. */

#include "render/sink.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

static void specs(void **state)
{
    (void)state;
    const char *argument;
    struct tdm_cause cause;

    assert_non_null(tdm_audio_sink_find("wav:/tmp/a:b.wav", &argument, &cause));
    assert_string_equal(argument, "/tmp/a:b.wav");
    assert_non_null(tdm_video_sink_find("null", &argument, &cause));
    assert_null(tdm_video_sink_find("wall", &argument, &cause));
    assert_string_equal(cause.text, "unknown video sink \"wall\": use window or null");
    assert_null(tdm_audio_sink_find("nullx", &argument, &cause));
    assert_string_equal(cause.text, "unknown audio sink \"nullx\": use speaker, wav:PATH or null");
}

struct seen {
    atomic_int count;
    _Atomic uint32_t last_id;
    atomic_int bad;
    int done_fd;
};

static void presented(void *arg, const struct tdm_frame_trace *trace, const struct tdm_picture *pic)
{
    struct seen *seen = arg;

    if (pic->frame_id != trace->frame_id || pic->planes[0][5] != (uint8_t)pic->frame_id ||
        trace->at[TDM_STAGE_PRESENTED] == TDM_NEVER || trace->at[TDM_STAGE_DECODE_END] != 42)
        atomic_fetch_add(&seen->bad, 1);
    atomic_store(&seen->last_id, pic->frame_id);
    atomic_fetch_add(&seen->count, 1);
    if (pic->frame_id == 99)
        tdm_wake_signal(seen->done_fd);
}

static void null_video_presents_the_newest(void **state)
{
    (void)state;
    const char *rest;
    const struct tdm_video_sink_ops *ops = tdm_video_sink_find("null", &rest, NULL);
    struct seen seen = {.done_fd = tdm_wake_open(NULL)};
    const struct tdm_video_sink_config config = {
        .argument = "",
        .width = 64,
        .height = 48,
        .events = {.arg = &seen, .presented = presented},
    };
    struct tdm_video_sink *sink = NULL;
    uint8_t storage[64 * 48 * 3 / 2];
    struct tdm_picture pic;

    assert_int_equal(ops->create(&config, &sink, NULL), TDM_OK);
    for (uint32_t id = 0; id < 100; id++) {
        struct tdm_frame_trace trace = tdm_frame_trace_none();

        /* Sizes change all the time. */
        tdm_picture_over(&pic, storage, id % 2 ? 64 : 32, 48);
        tdm_picture_fill(&pic, (uint8_t)id, 128, 128);
        pic.captured = id;
        pic.frame_id = trace.frame_id = id;
        trace.at[TDM_STAGE_DECODE_END] = 42;
        ops->show(sink, &pic, &trace);
    }
    assert_int_equal(tdm_wait_until(tdm_clock_now() + 10 * TDM_S, seen.done_fd, -1), TDM_WAIT_WAKE);
    ops->destroy(sink);
    assert_int_equal(atomic_load(&seen.bad), 0);
    assert_int_equal(atomic_load(&seen.last_id), 99);
    assert_in_range(atomic_load(&seen.count), 1, 100);
    (void)close(seen.done_fd);
}

struct pulls {
    atomic_int count;
    atomic_int bad;
    tdm_time last_at;
    uint32_t samples;
    int16_t value;
    int done_fd;
    int enough;
};

static void pull(void *arg, int16_t *pcm, uint32_t samples, tdm_time now, tdm_time play_at)
{
    struct pulls *p = arg;
    int count = atomic_load(&p->count);

    if (samples != p->samples || now < p->last_at || play_at > now + 500 * TDM_MS)
        atomic_fetch_add(&p->bad, 1);
    p->last_at = now;
    for (uint32_t i = 0; i < samples * 2; i++)
        pcm[i] = p->value++;
    atomic_store(&p->count, count + 1);
    if (count + 1 == p->enough)
        tdm_wake_signal(p->done_fd);
}

/* Runs an audio sink until it pulled `enough` periods. */
static void run_audio(const char *spec, struct pulls *p)
{
    const char *argument;
    const struct tdm_audio_sink_ops *ops = tdm_audio_sink_find(spec, &argument, NULL);
    const struct tdm_audio_sink_config config = {
        .argument = argument, .sample_hz = 48000, .channels = 2, .arg = p, .pull = pull};
    struct tdm_audio_sink *sink = NULL;

    p->done_fd = tdm_wake_open(NULL);
    assert_int_equal(ops->create(&config, &sink, NULL), TDM_OK);
    assert_int_equal(tdm_wait_until(tdm_clock_now() + 10 * TDM_S, p->done_fd, -1), TDM_WAIT_WAKE);
    ops->destroy(sink);
    int count = atomic_load(&p->count);

    (void)usleep(20000);
    assert_int_equal(atomic_load(&p->count), count); /* No pull after destroy. */
    assert_int_equal(atomic_load(&p->bad), 0);
    (void)close(p->done_fd);
}

static void null_audio_pulls_its_period(void **state)
{
    (void)state;
    struct pulls five = {.samples = 240, .enough = 20};
    struct pulls twenty = {.samples = 960, .enough = 3};
    tdm_time began = tdm_clock_now();

    run_audio("null", &five);
    assert_true(tdm_clock_now() - began >= 19 * 5 * TDM_MS);
    run_audio("null:20", &twenty);
}

static void wav_holds_what_was_pulled(void **state)
{
    (void)state;
    char path[] = "/tmp/tandem-wav-test-XXXXXX";
    int fd = mkstemp(path);
    char spec[64];
    struct pulls p = {.samples = 480, .enough = 12};
    uint8_t header[44];

    (void)snprintf(spec, sizeof spec, "wav:%s", path);
    run_audio(spec, &p);
    uint32_t bytes = (uint32_t)atomic_load(&p.count) * 480 * 4;

    assert_int_equal(lseek(fd, 0, SEEK_END), 44 + bytes);
    assert_int_equal(pread(fd, header, 44, 0), 44);
    assert_memory_equal(header, "RIFF", 4);
    assert_int_equal(header[40] | header[41] << 8 | header[42] << 16, bytes);
    for (uint32_t i = 0; i < bytes / 2; i++) {
        int16_t value;

        assert_int_equal(pread(fd, &value, 2, 44 + 2 * (off_t)i), 2);
        assert_int_equal(value, (int16_t)i);
    }
    (void)close(fd);
    (void)unlink(path);
}

static void bad_arguments_are_explained(void **state)
{
    (void)state;
    const struct {
        const char *spec, *says;
    } cases[] = {
        {"null:0", "null:MS"},
        {"null:abc", "null:MS"},
        {"null:1000", "null:MS"},
        {"wav", "wav:PATH"},
        {"wav:/nowhere/a.wav", "no such folder"},
        {"wav:/tmp", "another path"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argument;
        const struct tdm_audio_sink_ops *ops = tdm_audio_sink_find(cases[i].spec, &argument, NULL);
        struct pulls p = {0};
        const struct tdm_audio_sink_config config = {
            .argument = argument, .sample_hz = 48000, .channels = 1, .arg = &p, .pull = pull};
        struct tdm_audio_sink *sink = NULL;
        struct tdm_cause cause = {""};

        assert_int_not_equal(ops->create(&config, &sink, &cause), TDM_OK);
        assert_non_null(strstr(cause.text, cases[i].says));
        assert_int_equal(atomic_load(&p.count), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs),
        cmocka_unit_test(null_video_presents_the_newest),
        cmocka_unit_test(null_audio_pulls_its_period),
        cmocka_unit_test(wav_holds_what_was_pulled),
        cmocka_unit_test(bad_arguments_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

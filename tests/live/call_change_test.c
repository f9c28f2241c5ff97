/* SPDX-License-Identifier: MIT */
/*
 * What a call can change while it runs: hold, mute, camera, streams, sources, sinks, recording,
 * digits. Each by what the other side then sees and hears.
 */
#include "tests/live/pair.h"

#include "capture/source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEARD_HZ    48000
#define HEARD_MS    600
#define HEARD_MAX   (HEARD_HZ * 10)
#define TRIES       5
#define FILE_MAX    256
#define WAV_HEAD    44
#define SETTLE_MS   400
#define DARK_MOST   60
#define BRIGHT_MIN  70
#define LOUD_RMS    150
#define HOLD_MS     1000 /* Beside what the checks in between take, 1.6 s. */
#define LATE_MS     500  /* More would be the hold itself. */
#define SILENCE_RMS 8

/* --- looking at what arrived --- */

struct heard {
    double rms, crossings_hz; /* Upward zero crossings a second: the pitch of a sine. */
};

/* Turns the side's sound into a file for a moment and measures that. */
static struct heard hear(struct pair *p, struct side *s)
{
    static int16_t pcm[HEARD_MAX]; /* Test data, too big for the stack. */
    struct tandem_cause cause = {""};
    char path[FILE_MAX], spec[FILE_MAX + 8];
    struct heard heard = {0};

    (void)pair_file("heard.wav", path, sizeof path);
    (void)snprintf(spec, sizeof spec, "wav:%s", path);
    if (tandem_set_audio_sink(s->call, spec, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    pair_run(p, HEARD_MS + SETTLE_MS);
    assert_int_equal(tandem_set_audio_sink(s->call, "null", &cause), TANDEM_OK);
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, WAV_HEAD, SEEK_SET), 0);
    size_t count = fread(pcm, sizeof *pcm, HEARD_MAX, file);

    (void)fclose(file);
    (void)unlink(path);
    assert_true(count > HEARD_HZ / 4);
    /* The end, where the swap itself is long over. */
    size_t from = count - HEARD_HZ / 4;
    double power = 0;
    int crossings = 0;

    for (size_t i = from; i < count; i++) {
        power += (double)pcm[i] * pcm[i];
        crossings += i > from && pcm[i - 1] < 0 && pcm[i] >= 0;
    }
    heard.rms = sqrt(power / (double)(count - from));
    heard.crossings_hz = crossings * (double)HEARD_HZ / (double)(count - from);
    return heard;
}

/* Mean luma of the lower half of what the side shows, below the time code. */
static double brightness(struct side *s)
{
    struct tandem_cause cause = {""};
    struct tdm_cause why = {""};
    struct tdm_video_source_config config = {.width = 320, .height = 180, .fps = 15, .wake_fd = -1};
    struct tdm_video_source *source;
    struct tdm_picture pic = {0};
    char path[FILE_MAX], spec[FILE_MAX + 8];
    double sum = 0;

    (void)pair_file("seen.png", path, sizeof path);
    if (tandem_call_snapshot(s->call, path, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    (void)snprintf(spec, sizeof spec, "file:%s", path);
    const struct tdm_video_source_ops *ops = tdm_video_source_find(spec, &config.argument, &why);

    assert_non_null(ops);
    if (ops->create(&config, &source, &why) != TDM_OK || ops->next(source, &pic, &why) != TDM_OK)
        fail_msg("%s", why.text);
    int rows = pic.height / 2;

    for (int y = pic.height - rows; y < pic.height; y++)
        for (int x = 0; x < pic.width; x++)
            sum += pic.planes[0][y * pic.strides[0] + x];
    sum /= (double)pic.width * rows;
    ops->destroy(source);
    (void)unlink(path);
    return sum;
}

static bool received_nothing_new(struct pair *p, struct side *s)
{
    struct tandem_stats before, after;

    pair_run(p, SETTLE_MS);
    before = side_stats(s);
    pair_run(p, SETTLE_MS);
    after = side_stats(s);
    return before.audio.packets_received == after.audio.packets_received &&
           before.video.packets_received == after.video.packets_received;
}

static void wait_for_more(struct side *s)
{
    struct tandem_stats now = side_stats(s);

    (void)side_until(s, shown_at_least, now.frames_shown + 5, "more pictures");
    (void)side_until(s, audio_received_at_least, now.audio.packets_received + 30, "more sound");
}

/* --- the tests --- */

static void hold_by(struct pair *p, struct side *holder, struct side *other)
{
    assert_int_equal(tandem_hold(holder->call, true), TANDEM_OK);
    (void)side_until(holder, is_held, 0, "hold here");
    (void)side_until(other, is_held, 0, "hold there");
    assert_true(received_nothing_new(p, holder));
    assert_true(received_nothing_new(p, other));
    pair_run(p, HOLD_MS);
    assert_int_equal(tandem_hold(holder->call, false), TANDEM_OK);
    (void)side_until(holder, is_up, 0, "resume here");
    (void)side_until(other, is_up, 0, "resume there");
    wait_for_more(holder);
    wait_for_more(other);
}

/* The time on hold is in no figure of latency and is no freeze. */
static void check_no_trace_of_hold(struct side *s)
{
    struct tandem_stats stats = side_stats(s);

    print_message("  %s: mouth to ear at most %.1f ms, glass to glass %.1f; freezes %d, %.2f s\n",
                  s->name, stats.mouth_to_ear.max, stats.glass_to_glass.max, (int)stats.freezes,
                  stats.frozen_seconds);
    assert_true(stats.mouth_to_ear.count > 0);
    assert_true(stats.mouth_to_ear.max < LATE_MS);
    assert_true(stats.glass_to_glass.max < LATE_MS);
    /* A loaded machine may freeze for a moment; the hold itself, of 2.6 s, must not count. */
    assert_true(stats.frozen_seconds < 1.5);
}

static void hold_and_resume(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    hold_by(&p, &p.a, &p.b);
    hold_by(&p, &p.b, &p.a);
    pair_hang_up(&p);
    check_no_trace_of_hold(&p.a);
    check_no_trace_of_hold(&p.b);
    pair_close(&p);
}

/* Each side's hold stands until that side resumes. */
static void both_hold(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    assert_int_equal(tandem_hold(p.a.call, true), TANDEM_OK);
    assert_int_equal(tandem_hold(p.b.call, true), TANDEM_OK); /* Glare, likely. */
    (void)side_until(&p.a, is_held, 0, "hold at a");
    (void)side_until(&p.b, is_held, 0, "hold at b");
    pair_run(&p, 3000); /* A glare is resolved by a second try after up to 4 s. */
    assert_int_equal(tandem_hold(p.a.call, false), TANDEM_OK);
    pair_run(&p, 500);
    assert_true(received_nothing_new(&p, &p.a));
    assert_int_equal(side_stats(&p.a).state, TANDEM_STATE_HELD);
    assert_int_equal(tandem_hold(p.b.call, false), TANDEM_OK);
    (void)side_until(&p.a, is_up, 0, "resume at a");
    (void)side_until(&p.b, is_up, 0, "resume at b");
    wait_for_more(&p.a);
    wait_for_more(&p.b);
    pair_hang_up(&p);
    pair_close(&p);
}

static void mute(void **state)
{
    struct tandem_media media = pair_media;
    struct pair p;

    (void)state;
    media.audio_source = "tone:440";
    pair_start(&p, &media, &media);
    wait_for_more(&p.b);
    assert_true(hear(&p, &p.b).rms > LOUD_RMS);
    assert_int_equal(tandem_mute(p.a.call, true), TANDEM_OK);
    assert_true(hear(&p, &p.b).rms < SILENCE_RMS);
    assert_true(hear(&p, &p.a).rms > LOUD_RMS); /* The other way is not muted. */
    /* Mute stays through a hold. */
    hold_by(&p, &p.b, &p.a);
    assert_true(hear(&p, &p.b).rms < SILENCE_RMS);
    assert_int_equal(tandem_mute(p.a.call, false), TANDEM_OK);
    assert_true(hear(&p, &p.b).rms > LOUD_RMS);
    pair_hang_up(&p);
    pair_close(&p);
}

static void camera_off(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    double bright = brightness(&p.b);

    assert_true(bright > BRIGHT_MIN);
    assert_int_equal(tandem_camera(p.a.call, false), TANDEM_OK);
    wait_for_more(&p.b); /* The stream goes on. */
    double dark = brightness(&p.b);

    print_message("  brightness %.1f, camera off %.1f\n", bright, dark);
    assert_true(dark < DARK_MOST);
    assert_int_equal(tandem_camera(p.a.call, true), TANDEM_OK);
    wait_for_more(&p.b);
    assert_true(brightness(&p.b) > BRIGHT_MIN);
    pair_hang_up(&p);
    pair_close(&p);
}

static bool video_is(const struct tandem_stats *s, uint64_t on)
{
    return s->video.active == (on != 0);
}

static bool audio_is(const struct tandem_stats *s, uint64_t on)
{
    return s->audio.active == (on != 0);
}

/* A loaded machine may hold a packet up at any time, so most tries without a gap are asked for: a
 * gap by design would be in every one. */
static void video_off_and_on(void **state)
{
    struct tandem_stats before, after;
    struct pair p;
    int clean = 0;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    pair_run(&p, 1000); /* Playout has found its delay. */
    for (int i = 0; i < TRIES; i++) {
        struct side *s = i % 2 ? &p.b : &p.a;

        before = side_stats(&p.b);
        assert_int_equal(tandem_set_video(s->call, false), TANDEM_OK);
        (void)side_until(&p.a, video_is, false, "video off at a");
        (void)side_until(&p.b, video_is, false, "video off at b");
        pair_run(&p, 300);
        assert_int_equal(tandem_set_video(s->call, true), TANDEM_OK);
        (void)side_until(&p.a, video_is, true, "video on at a");
        (void)side_until(&p.b, video_is, true, "video on at b");
        wait_for_more(&p.b);
        wait_for_more(&p.a);
        pair_run(&p, 300);
        after = side_stats(&p.b);
        clean += after.samples_concealed == before.samples_concealed &&
                 after.audio.packets_lost == before.audio.packets_lost &&
                 after.samples_played > before.samples_played;
        print_message("  try %d: concealed %d, lost %d\n", i,
                      (int)(after.samples_concealed - before.samples_concealed),
                      (int)(after.audio.packets_lost - before.audio.packets_lost));
    }
    assert_true(clean * 2 > TRIES);
    pair_hang_up(&p);
    pair_close(&p);
}

static void audio_off_and_on(void **state)
{
    struct tandem_stats before, after;
    struct pair p;
    int clean = 0;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    for (int i = 0; i < TRIES; i++) {
        before = side_stats(&p.b);
        assert_int_equal(tandem_set_audio(p.a.call, false), TANDEM_OK);
        (void)side_until(&p.a, audio_is, false, "audio off at a");
        (void)side_until(&p.b, audio_is, false, "audio off at b");
        pair_run(&p, 300);
        assert_int_equal(tandem_set_audio(p.a.call, true), TANDEM_OK);
        (void)side_until(&p.a, audio_is, true, "audio on at a");
        (void)side_until(&p.b, audio_is, true, "audio on at b");
        wait_for_more(&p.b);
        wait_for_more(&p.a);
        after = side_stats(&p.b);
        clean += after.freezes == before.freezes && after.decode_errors == 0 &&
                 after.keyframes_received == before.keyframes_received &&
                 after.video.packets_lost == before.video.packets_lost;
        print_message("  try %d: freezes %d, keyframes %d, lost %d\n", i,
                      (int)(after.freezes - before.freezes),
                      (int)(after.keyframes_received - before.keyframes_received),
                      (int)(after.video.packets_lost - before.video.packets_lost));
    }
    assert_true(clean * 2 > TRIES);
    struct heard heard = hear(&p, &p.b);

    assert_true(heard.rms > LOUD_RMS);
    pair_hang_up(&p);
    pair_close(&p);
}

static void digits_each_once(struct side *from, struct side *to, const char *digits)
{
    struct tandem_cause cause = {""};
    uint32_t count = side_count(to, TANDEM_EVENT_DIGIT);

    for (const char *d = digits; *d; d++)
        assert_int_equal(tandem_send_digit(from->call, *d, 80, &cause), TANDEM_OK);
    for (const char *d = digits; *d; d++)
        assert_int_equal(side_wait(to, TANDEM_EVENT_DIGIT).value, *d);
    assert_int_equal(side_count(to, TANDEM_EVENT_DIGIT), count + strlen(digits));
}

static void digits(void **state)
{
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    digits_each_once(&p.a, &p.b, "1235#*A");
    digits_each_once(&p.b, &p.a, "00D");
    assert_int_equal(tandem_send_digit(p.a.call, 'x', 80, &cause), TANDEM_INVALID);
    assert_non_null(strstr(cause.text, "0-9"));
    assert_int_equal(tandem_send_digit(p.a.call, '1', 10, &cause), TANDEM_INVALID);
    pair_run(&p, 500);
    assert_int_equal(side_count(&p.b, TANDEM_EVENT_DIGIT), 7);
    pair_hang_up(&p);
    pair_close(&p);
}

static void swap_sources(void **state)
{
    struct tandem_media media = pair_media;
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    media.audio_source = "tone:440";
    pair_start(&p, &media, &media);
    wait_for_more(&p.b);
    assert_true(fabs(hear(&p, &p.b).crossings_hz - 440) < 30);
    assert_int_equal(tandem_set_audio_source(p.a.call, "tone:1000", &cause), TANDEM_OK);
    assert_true(fabs(hear(&p, &p.b).crossings_hz - 1000) < 60);
    assert_int_equal(tandem_set_audio_source(p.a.call, "off", &cause), TANDEM_OK);
    assert_true(hear(&p, &p.b).rms < SILENCE_RMS);
    /* What fails leaves the old one. */
    assert_int_equal(tandem_set_audio_source(p.b.call, "file:/no/such.wav", &cause), TANDEM_FAILED);
    assert_non_null(strstr(cause.text, "/no/such.wav"));
    assert_true(fabs(hear(&p, &p.a).crossings_hz - 440) < 30);

    assert_int_equal(tandem_set_video_source(p.a.call, "off", &cause), TANDEM_OK);
    wait_for_more(&p.a);
    pair_run(&p, SETTLE_MS);
    assert_true(brightness(&p.b) < DARK_MOST);
    assert_int_equal(tandem_set_video_source(p.a.call, "nonsense", &cause), TANDEM_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "pattern"));
    assert_int_equal(tandem_set_video_source(p.a.call, "pattern", &cause), TANDEM_OK);
    pair_run(&p, SETTLE_MS);
    assert_true(brightness(&p.b) > BRIGHT_MIN);
    pair_hang_up(&p);
    pair_close(&p);
}

/* Who began without a camera and a microphone may plug them in: the other side is asked. */
static void first_sources(void **state)
{
    struct tandem_media listens = pair_media;
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    listens.video_source = listens.audio_source = "off";
    pair_start(&p, &listens, &pair_media);
    wait_for_more(&p.a);
    assert_int_equal(side_stats(&p.b).frames_shown, 0);
    assert_int_equal(tandem_set_video_source(p.a.call, "pattern", &cause), TANDEM_OK);
    assert_int_equal(tandem_set_audio_source(p.a.call, "tone", &cause), TANDEM_OK);
    wait_for_more(&p.b);
    wait_for_more(&p.a);
    assert_int_equal(side_stats(&p.a).decode_errors, 0);
    pair_hang_up(&p);
    pair_close(&p);
}

static void swap_sinks(void **state)
{
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    assert_int_equal(tandem_set_video_sink(p.b.call, "off", &cause), TANDEM_OK);
    pair_run(&p, SETTLE_MS);
    uint64_t shown = side_stats(&p.b).frames_shown;

    pair_run(&p, SETTLE_MS);
    assert_int_equal(side_stats(&p.b).frames_shown, shown);
    assert_int_equal(tandem_set_video_sink(p.b.call, "telescope", &cause), TANDEM_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "window"));
    assert_int_equal(tandem_set_video_sink(p.b.call, "null", &cause), TANDEM_OK);
    wait_for_more(&p.b);
    wait_for_more(&p.a);
    assert_int_equal(side_stats(&p.b).decode_errors, 0);
    assert_int_equal(tandem_set_audio_sink(p.b.call, "trumpet", &cause), TANDEM_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "speaker"));
    assert_true(hear(&p, &p.b).rms > 0);
    assert_int_equal(tandem_set_audio_sink(p.b.call, "wav:/no/such/folder/x.wav", &cause),
                     TANDEM_FAILED);
    uint64_t played = side_stats(&p.b).samples_played;

    pair_run(&p, SETTLE_MS);
    assert_true(side_stats(&p.b).samples_played > played);
    pair_hang_up(&p);
    pair_close(&p);
}

/* Streams of a media file by ffprobe; -1 where that is missing. */
static int probe_streams(const char *path)
{
    char command[FILE_MAX + 128], line[64];
    int streams = 0;

    if (system("command -v ffprobe >/dev/null 2>&1") != 0)
        return -1;
    (void)snprintf(command, sizeof command,
                   "ffprobe -v error -show_entries stream=codec_type -of csv=p=0 %s 2>&1", path);
    FILE *pipe = popen(command, "r");

    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe))
        streams += strncmp(line, "video", 5) == 0 ? 1 : strncmp(line, "audio", 5) == 0 ? 10 : 100;
    (void)pclose(pipe);
    return streams;
}

static void record_in_between(void **state)
{
    struct tandem_cause cause = {""};
    char path[FILE_MAX], spec[FILE_MAX + 8];
    struct pair p;

    (void)state;
    (void)pair_file("call.mkv", path, sizeof path);
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    assert_int_equal(tandem_record(p.b.call, "/no/such/folder/call.mkv", &cause), TANDEM_FAILED);
    assert_non_null(strstr(cause.text, "/no/such/folder/call.mkv"));
    assert_int_equal(tandem_record(p.b.call, path, &cause), TANDEM_OK);
    assert_int_equal(tandem_record(p.b.call, path, &cause), TANDEM_INVALID);
    pair_run(&p, 1500);
    wait_for_more(&p.b);
    assert_int_equal(tandem_record(p.b.call, NULL, &cause), TANDEM_OK);
    wait_for_more(&p.b);
    int streams = probe_streams(path);

    assert_true(streams == 11 || streams == -1);
    /* The recording is a source, too: what B saw is what A sends now. */
    (void)snprintf(spec, sizeof spec, "file:%s", path);
    if (tandem_set_video_source(p.a.call, spec, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    wait_for_more(&p.b);
    assert_int_equal(side_count(&p.a, TANDEM_EVENT_ENDED), 0);
    pair_hang_up(&p);
    pair_close(&p);
}

/* The streams of a file are fixed when it begins, so video that comes later goes to a second one,
 * and a notice names it. */
static void record_before_video(void **state)
{
    struct tandem_cause cause = {""};
    struct tandem_event event;
    char path[FILE_MAX], second[FILE_MAX];
    struct pair p;

    (void)state;
    (void)pair_file("part.mkv", path, sizeof path);
    (void)pair_file("part-2.mkv", second, sizeof second);
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    assert_int_equal(tandem_set_video(p.a.call, false), TANDEM_OK);
    (void)side_until(&p.a, video_is, false, "video off at a");
    (void)side_until(&p.b, video_is, false, "video off at b");
    assert_int_equal(tandem_record(p.b.call, path, &cause), TANDEM_OK);
    pair_run(&p, 1000);
    assert_int_equal(tandem_set_video(p.a.call, true), TANDEM_OK);
    do
        event = side_wait(&p.b, TANDEM_EVENT_NOTICE);
    while (!strstr(event.text, "part-2.mkv"));
    wait_for_more(&p.b);
    pair_run(&p, 1000);
    assert_int_equal(tandem_record(p.b.call, NULL, &cause), TANDEM_OK);
    wait_for_more(&p.b);
    int streams = probe_streams(path);

    assert_true(streams == 10 || streams == -1);
    streams = probe_streams(second);
    assert_true(streams == 11 || streams == -1);
    pair_hang_up(&p);
    pair_close(&p);
}

/* A recording that still runs when the call ends is whole. */
static void record_to_the_end(void **state)
{
    struct tandem_media media = pair_media;
    char path[FILE_MAX];
    struct pair p;

    (void)state;
    media.record_path = pair_file("end.mkv", path, sizeof path);
    media.video_codecs = "vp8";
    pair_start(&p, &pair_media, &media);
    wait_for_more(&p.b);
    pair_run(&p, 1000);
    pair_hang_up(&p);
    int streams = probe_streams(path);

    assert_true(streams == 11 || streams == -1);
    pair_close(&p);
}

static void record_before_sound(void **state)
{
    struct tandem_cause cause = {""};
    struct tandem_event event;
    char path[FILE_MAX], second[FILE_MAX];
    struct pair p;

    (void)state;
    (void)pair_file("still.mkv", path, sizeof path);
    (void)pair_file("still-2.mkv", second, sizeof second);
    pair_start(&p, &pair_media, &pair_media);
    wait_for_more(&p.b);
    assert_int_equal(tandem_set_audio(p.a.call, false), TANDEM_OK);
    pair_run(&p, 500);
    assert_int_equal(tandem_set_video(p.a.call, false), TANDEM_OK);
    pair_run(&p, 500);
    assert_int_equal(tandem_record(p.b.call, path, &cause), TANDEM_FAILED);
    assert_non_null(strstr(cause.text, "neither sound nor picture"));
    assert_int_equal(tandem_set_video(p.a.call, true), TANDEM_OK);
    pair_run(&p, 500);
    assert_int_equal(tandem_record(p.b.call, path, &cause), TANDEM_OK);
    pair_run(&p, 1000);
    assert_int_equal(tandem_set_audio(p.a.call, true), TANDEM_OK);
    do
        event = side_wait(&p.b, TANDEM_EVENT_NOTICE);
    while (!strstr(event.text, "still-2.mkv"));
    wait_for_more(&p.b);
    pair_run(&p, 1000);
    pair_hang_up(&p);
    int streams = probe_streams(path);

    assert_true(streams == 1 || streams == -1);
    streams = probe_streams(second);
    assert_true(streams == 11 || streams == -1);
    pair_close(&p);
}

/* Sound is wanted here and heard as silence, but the call has none: nor has its recording. */
static void record_without_sound(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    char path[FILE_MAX];
    struct pair p;

    (void)state;
    a.audio_source = a.audio_sink = "off";
    b.record_path = pair_file("mute.mkv", path, sizeof path);
    pair_start(&p, &a, &b);
    (void)side_until(&p.b, shown_at_least, 10, "pictures");
    pair_run(&p, 500);
    pair_hang_up(&p);
    int streams = probe_streams(path);

    assert_true(streams == 1 || streams == -1);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(both_hold),
        cmocka_unit_test(mute),
        cmocka_unit_test(camera_off),
        cmocka_unit_test(video_off_and_on),
        cmocka_unit_test(audio_off_and_on),
        cmocka_unit_test(digits),
        cmocka_unit_test(swap_sources),
        cmocka_unit_test(swap_sinks),
        cmocka_unit_test(first_sources),
        cmocka_unit_test(record_in_between),
        cmocka_unit_test(record_before_video),
        cmocka_unit_test(record_to_the_end),
        cmocka_unit_test(record_without_sound),
        cmocka_unit_test(record_before_sound),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}

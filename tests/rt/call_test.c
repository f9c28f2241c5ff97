/* SPDX-License-Identifier: MIT */
/*
 * A whole call under the trap: after its start no media thread of ours allocates, frees or locks.
 * First the trap itself is shown to catch what is planted for it.
 */
#include "tests/live/pair.h"

#include "codecs/codec.h"
#include "engine/base/rt.h"
#include "tests/rt/lossy.h"
#include "tests/rt/trap.h"
#include "tests/unit/x_server.h"

#include <glob.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t planted_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t planted_semaphore;

static void *plant(void *arg)
{
    void *volatile memory;

    (void)arg;
    memory = malloc(10); /* Not on a media thread yet: allowed. */
    free(memory);
    tdm_rt_enter();
    memory = malloc(10);
    free(memory);
    (void)pthread_mutex_lock(&planted_lock);
    (void)pthread_mutex_unlock(&planted_lock);
    (void)pthread_mutex_trylock(&planted_lock);
    (void)pthread_mutex_unlock(&planted_lock);
    (void)sem_wait(&planted_semaphore);
    tdm_rt_foreign_enter();
    memory = calloc(1, 10);
    memory = realloc(memory, 20);
    free(memory);
    tdm_rt_foreign_leave();
    tdm_rt_leave();
    memory = aligned_alloc(64, 64);
    free(memory);
    return NULL;
}

static void the_trap_catches(void **state)
{
    pthread_t thread;

    (void)state;
    trap_clear();
    assert_int_equal(sem_init(&planted_semaphore, 0, 1), 0);
    trap_arm(true);
    assert_int_equal(pthread_create(&thread, NULL, plant, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    trap_arm(false);
    assert_int_equal(trap_ours(TRAP_MALLOC), 1);
    assert_int_equal(trap_ours(TRAP_FREE), 1);
    assert_int_equal(trap_ours(TRAP_LOCK), 2);
    assert_int_equal(trap_ours(TRAP_WAIT), 1);
    assert_int_equal(trap_ours(TRAP_CALLOC), 0);
    assert_int_equal(trap_ours(TRAP_ALIGNED), 0);
    assert_int_equal(trap_foreign(TRAP_CALLOC), 1);
    assert_int_equal(trap_foreign(TRAP_REALLOC), 1);
    assert_int_equal(trap_foreign(TRAP_FREE), 1);
    trap_clear();
}

static void check_trap(const char *what)
{
    uint64_t sum = 0;

    trap_arm(false);
    trap_print(what);
    for (int call = 0; call < TRAP_CALLS; call++)
        sum += trap_ours((enum trap_call)call);
    assert_int_equal(sum, 0);
    trap_clear();
}

static bool more_of_all(const struct tandem_stats *s, uint64_t frames)
{
    return s->frames_shown >= frames && s->chirp_latency.count >= 1 && s->clock_known;
}

/* Everything that a call does while it stands, but swaps, which start threads anew. */
static void use_the_call(struct pair *p)
{
    struct tandem_cause cause = {""};
    uint64_t shown;

    assert_int_equal(tandem_send_digit(p->a.call, '5', 80, &cause), TANDEM_OK);
    assert_int_equal(side_wait(&p->b, TANDEM_EVENT_DIGIT).value, '5');
    assert_int_equal(tandem_mute(p->a.call, true), TANDEM_OK);
    assert_int_equal(tandem_camera(p->a.call, false), TANDEM_OK);
    pair_run(p, 300);
    assert_int_equal(tandem_mute(p->a.call, false), TANDEM_OK);
    assert_int_equal(tandem_camera(p->a.call, true), TANDEM_OK);
    assert_int_equal(tandem_hold(p->a.call, true), TANDEM_OK);
    (void)side_until(&p->b, is_held, 0, "hold");
    pair_run(p, 300);
    assert_int_equal(tandem_hold(p->a.call, false), TANDEM_OK);
    (void)side_until(&p->b, is_up, 0, "resume");
    shown = side_stats(&p->b).frames_shown;
    (void)side_until(&p->b, shown_at_least, shown + 10, "pictures after the hold");
    assert_int_equal(tandem_set_video(p->b.call, false), TANDEM_OK);
    pair_run(p, 500);
    assert_int_equal(tandem_set_video(p->b.call, true), TANDEM_OK);
    (void)side_until(&p->b, shown_at_least, shown + 20, "pictures after video came back");
}

static void call_of(const char *video, const char *audio, uint16_t frame_us, uint16_t channels)
{
    struct tandem_media media = pair_media;
    char what[64];
    struct pair p;

    media.video_codecs = video;
    media.audio_codecs = audio;
    media.audio_frame_us = frame_us;
    media.audio_channels = channels;
    media.audio_music = channels == 2;
    trap_arm(true);
    pair_start(&p, &media, &media);
    (void)side_until(&p.a, more_of_all, 20, "a call at a");
    (void)side_until(&p.b, more_of_all, 20, "a call at b");
    use_the_call(&p);
    pair_hang_up(&p);
    pair_close(&p);
    (void)snprintf(what, sizeof what, "%s and %s in %u us", video, audio, frame_us);
    if (strcmp(video, "h264") == 0)
        assert_true(trap_foreign(TRAP_ALIGNED) > 0); /* libavcodec does; so the trap was there. */
    check_trap(what);
}

static void call_with(const char *video, const char *audio)
{
    call_of(video, audio, strcmp(audio, "opus") == 0 ? 10000 : 20000, 1);
}

static void h264_and_opus(void **state)
{
    (void)state;
    call_with("h264", "opus");
}

static void vp8_and_opus(void **state)
{
    (void)state;
    call_with("vp8", "opus");
}

static void h264_and_pcmu(void **state)
{
    (void)state;
    call_with("h264", "pcmu");
}

static void vp8_and_l16(void **state)
{
    (void)state;
    call_with("vp8", "l16");
}

static void call_if_built(const char *video, const char *audio)
{
    if (!strstr(tandem_video_codecs(), video) && !tdm_video_encoder_named(video))
        skip();
    call_with(video, audio);
}

static void vp9_and_opus(void **state)
{
    (void)state;
    call_if_built("vp9", "opus");
}

static void av1_and_opus(void **state)
{
    (void)state;
    call_if_built("av1", "opus");
}

static void openh264_and_opus(void **state)
{
    (void)state;
    call_if_built("openh264", "opus");
}

static void vp8_and_g722(void **state)
{
    (void)state;
    call_with("vp8", "g722");
}

static void vp8_and_short_opus(void **state)
{
    (void)state;
    call_of("vp8", "opus", 2500, 2);
}

static bool repaired_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->video.nacks_sent >= count && s->video.repaired >= count;
}

static bool resent_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->video.nacks_received >= count && s->video.packets_resent >= count;
}

/* One video packet in 15 is lost: asking for it and sending it again allocates nothing, either. */
static void call_with_loss(const char *video)
{
    struct tandem_media media = pair_media;
    struct pair p;

    if (!strstr(tandem_video_codecs(), video))
        skip();
    media.video_codecs = video;
    trap_arm(true);
    pair_start(&p, &media, &media);
    (void)side_until(&p.b, more_of_all, 10, "a call");
    lossy_set(15);
    (void)side_until(&p.b, repaired_at_least, 5, "repair at b");
    (void)side_until(&p.a, resent_at_least, 5, "resending at a");
    (void)side_until(&p.a, repaired_at_least, 5, "repair at a");
    for (int i = 0; i < 40 && lossy_dropped() < 10; i++)
        pair_run(&p, 50);
    lossy_set(0);
    struct tandem_stats stats = side_stats(&p.b);

    (void)side_until(&p.b, shown_at_least, stats.frames_shown + 10, "pictures afterwards");
    assert_int_equal(stats.decode_errors, 0);
    assert_true(lossy_dropped() >= 10);
    pair_hang_up(&p);
    pair_close(&p);
    check_trap("loss");
}

static void h264_with_loss(void **state)
{
    (void)state;
    call_with_loss("h264");
}

static void vp9_with_loss(void **state)
{
    (void)state;
    call_with_loss("vp9");
}

static void av1_with_loss(void **state)
{
    (void)state;
    call_with_loss("av1");
}

/* What a call of our own looked and sounded like. */
static void make_film(const char *path)
{
    struct tandem_media media = pair_media;
    struct pair p;

    media.record_path = path;
    pair_start(&p, &pair_media, &media);
    (void)side_until(&p.b, more_of_all, 45, "a film");
    pair_hang_up(&p);
    pair_close(&p);
}

/* A film from a package that a machine may have, else one of our own. */
static void find_film(char *spec, size_t capacity)
{
    static const char *const places[] = {"/usr/share/forensics-samples/*/movie-hello.mp4",
                                         "/usr/share/forensics-samples/*/*/movie-hello.mp4"};
    char path[256];

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        glob_t found = {0};
        bool is_there = glob(places[i], 0, NULL, &found) == 0;

        if (is_there)
            (void)snprintf(spec, capacity, "file:%s", found.gl_pathv[0]);
        globfree(&found);
        if (is_there)
            return;
    }
    make_film(pair_file("film.mkv", path, sizeof path));
    (void)snprintf(spec, capacity, "file:%s", path);
}

static bool film_runs(const struct tandem_stats *s, uint64_t frames)
{
    return s->frames_shown >= frames && s->audio.packets_received >= frames && s->clock_known;
}

/* Demuxers, scalers and a window have threads and locks of their own; ours still have none. */
static void film_to_window(void **state)
{
    struct tandem_media shows = pair_media, plays = pair_media;
    char spec[300];
    struct x_server server = {0};
    struct pair p;

    (void)state;
    if (!x_server_start(&server, "800x600x24"))
        skip();
    (void)setenv("DISPLAY", server.display, 1);
    find_film(spec, sizeof spec);
    plays.video_source = plays.audio_source = spec;
    plays.width = 480; /* So it is scaled. */
    plays.height = 270;
    shows.video_sink = "window";
    print_message("  %s to a window\n", plays.video_source);
    trap_arm(true);
    pair_start(&p, &plays, &shows);
    (void)side_until(&p.b, film_runs, 60, "a film");
    assert_int_equal(tandem_set_overlay(p.b.call, "under the trap"), TANDEM_OK);
    (void)side_until(&p.b, film_runs, 90, "more of the film");
    pair_hang_up(&p);
    pair_close(&p);
    assert_true(trap_foreign(TRAP_LOCK) > 0); /* Theirs; so the trap was there. */
    check_trap("a film to a window");
    x_server_stop(&server);
}

/* The recorder takes copies on the media threads and writes on its own. */
static void recording(void **state)
{
    struct tandem_cause cause = {""};
    char path[256];
    struct pair p;

    (void)state;
    (void)pair_file("rt.mkv", path, sizeof path);
    trap_arm(true);
    pair_start(&p, &pair_media, &pair_media);
    (void)side_until(&p.b, more_of_all, 5, "a call");
    assert_int_equal(tandem_record(p.b.call, path, &cause), TANDEM_OK);
    pair_run(&p, 1000);
    assert_int_equal(tandem_record(p.b.call, NULL, &cause), TANDEM_OK);
    pair_run(&p, 300);
    pair_hang_up(&p);
    pair_close(&p);
    check_trap("recording");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trap_catches),   cmocka_unit_test(h264_and_opus),
        cmocka_unit_test(vp8_and_opus),       cmocka_unit_test(h264_and_pcmu),
        cmocka_unit_test(vp8_and_l16),        cmocka_unit_test(vp8_and_g722),
        cmocka_unit_test(vp8_and_short_opus), cmocka_unit_test(vp9_and_opus),
        cmocka_unit_test(av1_and_opus),       cmocka_unit_test(openh264_and_opus),
        cmocka_unit_test(recording),          cmocka_unit_test(h264_with_loss),
        cmocka_unit_test(vp9_with_loss),      cmocka_unit_test(av1_with_loss),
        cmocka_unit_test(film_to_window),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}

/* SPDX-License-Identifier: MIT */
/*
 * A whole call under the trap: after its start no media thread of ours allocates, frees or locks.
 * First the trap itself is shown to catch what is planted for it.
 */
#include "tests/live/pair.h"

#include "engine/base/rt.h"
#include "tests/rt/lossy.h"
#include "tests/rt/trap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t planted_lock = PTHREAD_MUTEX_INITIALIZER;

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
    trap_arm(true);
    assert_int_equal(pthread_create(&thread, NULL, plant, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    trap_arm(false);
    assert_int_equal(trap_ours(TRAP_MALLOC), 1);
    assert_int_equal(trap_ours(TRAP_FREE), 1);
    assert_int_equal(trap_ours(TRAP_LOCK), 1);
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

static void call_with(const char *video, const char *audio)
{
    struct tandem_media media = pair_media;
    char what[64];
    struct pair p;

    media.video_codecs = video;
    media.audio_codecs = audio;
    media.audio_frame_ms = strcmp(audio, "opus") == 0 ? 10 : 20;
    trap_arm(true);
    pair_start(&p, &media, &media);
    (void)side_until(&p.a, more_of_all, 20, "a call at a");
    (void)side_until(&p.b, more_of_all, 20, "a call at b");
    use_the_call(&p);
    pair_hang_up(&p);
    pair_close(&p);
    (void)snprintf(what, sizeof what, "%s and %s", video, audio);
    if (strcmp(video, "h264") == 0)
        assert_true(trap_foreign(TRAP_ALIGNED) > 0); /* libavcodec does; so the trap was there. */
    check_trap(what);
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

static bool repaired_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->video.nacks_sent >= count && s->video.repaired >= count;
}

static bool resent_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->video.nacks_received >= count && s->video.packets_resent >= count;
}

/* One video packet in 15 is lost: asking for it and sending it again allocates nothing, either. */
static void loss(void **state)
{
    struct pair p;

    (void)state;
    trap_arm(true);
    pair_start(&p, &pair_media, &pair_media);
    (void)side_until(&p.b, more_of_all, 10, "a call");
    lossy_set(15);
    (void)side_until(&p.b, repaired_at_least, 5, "repair at b");
    (void)side_until(&p.a, resent_at_least, 5, "resending at a");
    (void)side_until(&p.a, repaired_at_least, 5, "repair at a");
    lossy_set(0);
    struct tandem_stats stats = side_stats(&p.b);

    (void)side_until(&p.b, shown_at_least, stats.frames_shown + 10, "pictures afterwards");
    assert_int_equal(stats.decode_errors, 0);
    assert_true(lossy_dropped() >= 10);
    pair_hang_up(&p);
    pair_close(&p);
    check_trap("loss");
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
        cmocka_unit_test(the_trap_catches),
        cmocka_unit_test(h264_and_opus),
        cmocka_unit_test(vp8_and_opus),
        cmocka_unit_test(h264_and_pcmu),
        cmocka_unit_test(vp8_and_l16),
        cmocka_unit_test(recording),
        cmocka_unit_test(loss),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}

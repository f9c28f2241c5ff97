/* SPDX-License-Identifier: MIT */
/*
 * Several calls of one engine at once, offers that cross, and many engines in one process: nothing
 * that one of them does is seen by another.
 */
#include "tests/live/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CALLS_MAX      8 /* Of one engine: TDM_ENGINE_CALLS_MAX. */
#define CALLS_AT_ONCE  3
#define ENGINES        1000
#define FDS_PER_ENGINE 4
#define ENGINE_KIB_MAX 200 /* Resident, idle. */

static bool has_picture_and_sound(struct tandem_call *call, uint64_t count)
{
    struct tandem_stats stats;

    assert_int_equal(tandem_call_stats(call, &stats), TANDEM_OK);
    return stats.pixel_latency.count >= count && stats.audio.packets_received >= count;
}

/* Three calls between two engines: each has its own media, and one's end is not another's. */
static void several_calls(void **state)
{
    struct tandem_call *calls[2][CALLS_AT_ONCE];
    struct tandem_stats stats;
    struct pair p;

    (void)state;
    pair_open(&p);
    for (int i = 0; i < CALLS_AT_ONCE; i++) {
        pair_call(&p, &pair_media, &pair_media);
        calls[0][i] = p.a.call;
        calls[1][i] = p.b.call;
    }
    for (int i = 0; i < 2 * CALLS_AT_ONCE; i++)
        for (int waited = 0; !has_picture_and_sound(calls[i % 2][i / 2], 15); waited++) {
            assert_true(waited < PAIR_PATIENCE_MS / 50);
            pair_run(&p, 50);
        }
    assert_int_equal(tandem_hold(calls[0][0], true), TANDEM_OK);
    assert_int_equal(tandem_hangup(calls[0][1]), TANDEM_OK);
    assert_ptr_equal(side_wait(&p.a, TANDEM_EVENT_ENDED).call, calls[0][1]);
    assert_ptr_equal(side_wait(&p.b, TANDEM_EVENT_ENDED).call, calls[1][1]);
    tandem_call_release(calls[0][1]);
    tandem_call_release(calls[1][1]);
    p.a.call = calls[0][0];
    (void)side_until(&p.a, is_held, 0, "hold of the first call");
    p.b.call = calls[1][2];
    stats = side_stats(&p.b);
    assert_int_equal(stats.state, TANDEM_STATE_UP);
    (void)side_until(&p.b, shown_at_least, stats.frames_shown + 5, "the third call's picture");
    pair_close(&p); /* With two calls standing. */
}

static void refuse_beyond_most(void **state)
{
    struct tandem_media media = pair_media;
    struct tandem_cause cause = {""};
    struct tandem_call *call;
    struct pair p;

    (void)state;
    media.video_source = media.video_sink = "off";
    pair_open(&p);
    for (int i = 0; i < CALLS_MAX; i++)
        pair_call(&p, &media, &media);
    assert_int_not_equal(tandem_dial(p.a.engine, p.to, &media, &call, &cause), TANDEM_OK);
    assert_non_null(strstr(cause.text, "8 calls"));
    /* B is full as well: a third engine hears that it is busy. */
    struct pair other;

    pair_open(&other);
    assert_int_equal(tandem_dial(other.a.engine, p.to, &media, &other.a.call, &cause), TANDEM_OK);
    assert_int_equal(side_wait(&other.a, TANDEM_EVENT_ENDED).value, TANDEM_END_BUSY);
    pair_close(&other);
    pair_hang_up(&p);
    tandem_call_release(p.a.call);
    tandem_call_release(p.b.call);
    pair_call(&p, &media, &media); /* There is room again. */
    pair_close(&p);
}

static bool both_streams(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->state == TANDEM_STATE_UP && s->audio.active && s->video.active;
}

static bool no_video(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return !s->video.active;
}

/* Both sides offer at the same moment, again and again (RFC 3261 section 14.1: 491, then each waits
 * its own time). What both asked for comes in the end, and the call goes on. */
static void crossing_offers(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    (void)side_until(&p.a, shown_at_least, 3, "a picture");
    (void)side_until(&p.b, shown_at_least, 3, "a picture");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tandem_set_video(p.a.call, false), TANDEM_OK);
        assert_int_equal(tandem_set_video(p.b.call, false), TANDEM_OK);
        (void)side_until(&p.a, no_video, 0, "video off at a");
        (void)side_until(&p.b, no_video, 0, "video off at b");
        pair_run(&p, 4500); /* Whoever was refused has offered again. */
        assert_int_equal(tandem_set_video(p.b.call, true), TANDEM_OK);
        assert_int_equal(tandem_set_video(p.a.call, true), TANDEM_OK);
        (void)side_until(&p.a, both_streams, 0, "video on at a");
        (void)side_until(&p.b, both_streams, 0, "video on at b");
        pair_run(&p, 4500);
    }
    struct tandem_stats a = side_stats(&p.a), b = side_stats(&p.b);

    (void)side_until(&p.a, shown_at_least, a.frames_shown + 5, "more pictures");
    (void)side_until(&p.b, shown_at_least, b.frames_shown + 5, "more pictures");
    assert_int_equal(side_count(&p.a, TANDEM_EVENT_ENDED), 0);
    pair_hang_up(&p);
    pair_close(&p);
}

static long resident_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    (void)fclose(file);
    return kib;
}

/* Engines share nothing, so a process may have any number. */
static void thousand_engines(void **state)
{
    static struct tandem *engines[ENGINES];
    struct tandem_cause cause = {""};
    struct rlimit limit;
    struct pair p;
    int made = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < (rlim_t)FDS_PER_ENGINE * ENGINES) {
        limit.rlim_cur = (rlim_t)FDS_PER_ENGINE * ENGINES;
        if (limit.rlim_max < limit.rlim_cur)
            limit.rlim_max = limit.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            skip();
    }
    long before = resident_kib();

    for (; made < ENGINES; made++)
        if (tandem_create(NULL, &engines[made], &cause) != TANDEM_OK)
            fail_msg("engine %d: %s", made, cause.text);
    long per_engine = (resident_kib() - before) / ENGINES;

    print_message("  %d engines, %ld KiB resident each\n", ENGINES, per_engine);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(per_engine < ENGINE_KIB_MAX);
#endif
    /* A call among them works. */
    pair_start(&p, &pair_media, &pair_media);
    (void)side_until(&p.b, shown_at_least, 3, "a picture");
    pair_hang_up(&p);
    pair_close(&p);
    for (int i = 0; i < made; i++)
        tandem_destroy(engines[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_calls),
        cmocka_unit_test(refuse_beyond_most),
        cmocka_unit_test(crossing_offers),
        cmocka_unit_test(thousand_engines),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}

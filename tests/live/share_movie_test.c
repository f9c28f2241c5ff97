/* SPDX-License-Identifier: MIT */
/* A video in a window of a shared screen: by which way its pictures go. */
#include "tests/live/sharer.h"

static uint64_t pictures_of(struct tandem_share *share, bool rtp)
{
    struct tandem_share_stats stats;

    (void)tandem_share_stats(share, &stats);
    return rtp ? stats.moving_rtp : stats.moving;
}

/* Until `more` pictures of the moving region were shown, by RTP or by whatever way. */
static void watch_movie(uint64_t more, bool rtp)
{
    uint64_t from = pictures_of(viewer.share, rtp);
    int64_t until = sharer_now_ms() + PAIR_PATIENCE_MS;

    while (pictures_of(viewer.share, rtp) < from + more) {
        if (sharer_now_ms() > until)
            fail_msg("no pictures%s: %llu after %llu", rtp ? " by RTP" : "",
                     (unsigned long long)pictures_of(viewer.share, rtp), (unsigned long long)from);
        sharers_wait();
    }
}

/* By the channel where there is nothing else, by the call's RTP when voice joins; and it goes on
 * when that leaves. When it stands still all of it is exact. */
static void test_voice_joins(void **state)
{
    (void)state;
    sharers_start("pattern:movie", &(struct tandem_share_offer){.unasked_view = true});
    watch_movie(10, false);
    assert_int_equal(pictures_of(viewer.share, true), 0);
    assert_int_equal(pictures_of(host.share, true), 0);
    sharer_talk(&sharers.a, false);
    sharer_talk(&sharers.b, false);
    (void)side_until(&sharers.b, audio_received_at_least, 20, "voice at the viewer");
    watch_movie(30, true);
    assert_true(pictures_of(host.share, true) >= pictures_of(viewer.share, true));
    (void)sharer_exact_after(0);
    assert_int_equal(tandem_set_audio(sharers.b.call, false), TANDEM_OK);
    (void)side_until(&sharers.a, sharer_no_audio, 0, "silence at the host");
    watch_movie(30, false);
    (void)sharer_exact_after(0);
    sharers_stop();
}

/* Beside a camera, on its line. */
static void test_camera(void **state)
{
    struct tandem_media media = pair_media;

    (void)state;
    sharers_start_with("pattern:movie", &(struct tandem_share_offer){.unasked_view = true}, &media);
    watch_movie(30, true);
    uint64_t shown = side_stats(&sharers.b).frames_shown;

    (void)side_until(&sharers.b, shown_at_least, shown + 20, "the camera beside the movie");
    sharers_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_voice_joins),
        cmocka_unit_test(test_camera),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

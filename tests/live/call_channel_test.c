/* SPDX-License-Identifier: MIT */
/*
 * The data channel as a part of a call: offered, answered, alone, added and dropped while the call
 * runs, refused, its ports set. What goes over it is tested by who rides on it.
 */
#include "tests/live/pair.h"

#include <stdio.h>
#include <string.h>

static bool channel_up(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->channel.state == TANDEM_CHANNEL_UP;
}

static bool channel_none(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->channel.state == TANDEM_CHANNEL_NONE;
}

static bool has_words(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->security.words[0] != 0;
}

static struct tandem_media with_channel(const struct tandem_media *media)
{
    struct tandem_media m = *media;

    m.channel = true;
    return m;
}

static void check_up(struct pair *p)
{
    (void)side_until(&p->a, has_words, 0, "words of A");
    (void)side_until(&p->b, has_words, 0, "words of B");
    struct tandem_stats a = side_until(&p->a, channel_up, 0, "the channel of A");
    struct tandem_stats b = side_until(&p->b, channel_up, 0, "the channel of B");

    assert_true(a.channel.peer_checked && b.channel.peer_checked);
    assert_true(a.channel.dialed != b.channel.dialed);
    assert_true(a.channel.port && b.channel.port && a.channel.port != b.channel.port);
    assert_non_null(strstr(a.channel.text, "TLS 1.3, certificate checked"));
    assert_null(strstr(a.channel.text, "vouch"));
    assert_string_equal(a.security.words, b.security.words);
}

/* Called or calling, the channel comes up beside the media; the called side connects. */
static void test_offered(void **state)
{
    struct pair p;
    struct tandem_media m = with_channel(&pair_media);

    (void)state;
    pair_start(&p, &m, &m);
    check_up(&p);
    assert_true(side_stats(&p.b).channel.dialed);
    pair_hang_up(&p);
    pair_close(&p);
}

static void test_not_wanted(void **state)
{
    struct pair p;
    struct tandem_media m = with_channel(&pair_media);

    (void)state;
    pair_start(&p, &m, &pair_media);
    assert_int_equal(side_count(&p.a, TANDEM_EVENT_CHANNEL), 1);
    assert_int_equal(side_count(&p.b, TANDEM_EVENT_CHANNEL), 0);
    assert_int_equal(side_stats(&p.a).channel.state, TANDEM_CHANNEL_NONE);
    pair_hang_up(&p);
    pair_close(&p);
}

/* Without sound and picture. */
static void test_alone(void **state)
{
    struct pair p;
    const struct tandem_media alone = {.video_source = "off",
                                       .video_sink = "off",
                                       .audio_source = "off",
                                       .audio_sink = "off",
                                       .channel = true};

    (void)state;
    pair_start(&p, &alone, &alone);
    check_up(&p);
    assert_false(side_stats(&p.a).audio.active || side_stats(&p.a).video.active);
    pair_hang_up(&p);
    pair_close(&p);
}

/* By re-INVITE of either side; the sound has no gap and no sample of it is made up. */
static void test_added_and_dropped(void **state)
{
    struct pair p;
    struct tandem_media m = with_channel(&pair_media);

    (void)state;
    pair_start(&p, &pair_media, &m);
    (void)side_until(&p.b, audio_received_at_least, 100, "sound");
    struct tandem_stats before = side_stats(&p.b);

    for (int i = 0; i < 2; i++) {
        assert_int_equal(tandem_set_channel(p.a.call, true), TANDEM_OK);
        check_up(&p);
        assert_int_equal(tandem_set_channel(p.a.call, false), TANDEM_OK);
        (void)side_until(&p.a, channel_none, 0, "no channel at A");
        (void)side_until(&p.b, channel_none, 0, "no channel at B");
    }
    pair_run(&p, 200);
    struct tandem_stats after = side_stats(&p.b);

    assert_true(after.audio.packets_received > before.audio.packets_received);
    assert_int_equal(after.audio.packets_lost, before.audio.packets_lost);
    assert_int_equal(after.state, TANDEM_STATE_UP);
    pair_hang_up(&p);
    pair_close(&p);
}

static void test_ports(void **state)
{
    struct pair p;
    struct tandem_media m = with_channel(&pair_media);

    (void)state;
    pair_open_with(&p,
                   &(struct tandem_config){.channel_port_min = 23510, .channel_port_max = 23517},
                   &(struct tandem_config){.channel_port_min = 23520, .channel_port_max = 23527});
    pair_call(&p, &m, &m);
    check_up(&p);
    assert_in_range(side_stats(&p.a).channel.port, 23510, 23517);
    assert_in_range(side_stats(&p.b).channel.port, 23520, 23527);
    pair_hang_up(&p);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offered),
        cmocka_unit_test(test_not_wanted),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_added_and_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The data channel as a part of a call: offered, answered, alone, added and dropped while the call
 * runs, refused, its ports set. What goes over it is tested by who rides on it.
 */
#include "tandem/files.h"
#include "tests/live/pair.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool channel_up(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->channel.state == TANDEM_CHANNEL_UP;
}

static bool channel_received_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->channel.bytes_received >= count;
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

/* A port of loopback that is taken, so that no channel can listen there. */
static uint16_t take_port(int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &size), 0);
    return ntohs(at.sin_port);
}

static void write_file(const char *path, uint32_t size)
{
    FILE *f = fopen(path, "wb");
    uint32_t x = 1;

    assert_non_null(f);
    for (uint32_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        (void)fputc((int)(x >> 24), f);
    }
    assert_int_equal(fclose(f), 0);
}

static void check_same(const char *a, const char *b)
{
    FILE *one = fopen(a, "rb"), *other = fopen(b, "rb");
    int c;

    assert_non_null(one);
    assert_non_null(other);
    do
        assert_int_equal(c = fgetc(one), fgetc(other));
    while (c != EOF);
    (void)fclose(one);
    (void)fclose(other);
}

static void wait_for_file(struct pair *p, struct tandem_files *files)
{
    struct tandem_file_event event;

    for (int waited = 0; waited < 3 * PAIR_PATIENCE_MS; waited += 50) {
        while (tandem_files_next_event(files, &event) == TANDEM_OK)
            if (event.kind == TANDEM_FILE_ENDED) {
                if (!event.done)
                    fail_msg("%s", event.text);
                return;
            }
        pair_run(p, 50);
    }
    fail_msg("the file has not arrived in time");
}

/* No TCP in either direction: a file goes over the media path, and the sound goes on. */
static void test_over_media(void **state)
{
    const uint32_t size = 1500000;
    struct pair p;
    struct tandem_media a = with_channel(&pair_media), b = a;
    struct tandem_cause cause = {""};
    int taken[2];
    char sent[256], folder[256], received[300];
    uint32_t number;
    uint16_t ports[2] = {take_port(&taken[0]), take_port(&taken[1])};

    (void)state;
    write_file(pair_file("over_media.bin", sent, sizeof sent), size);
    assert_int_equal(mkdir(pair_file("in", folder, sizeof folder), 0700), 0);
    assert_int_equal(
        tandem_files_create(&(struct tandem_files_config){.folder = folder}, &a.files, &cause),
        TANDEM_OK);
    assert_int_equal(
        tandem_files_create(&(struct tandem_files_config){.folder = folder, .accept = "all"},
                            &b.files, &cause),
        TANDEM_OK);
    pair_open_with(
        &p, &(struct tandem_config){.channel_port_min = ports[0], .channel_port_max = ports[0]},
        &(struct tandem_config){.channel_port_min = ports[1], .channel_port_max = ports[1]});
    pair_call(&p, &a, &b);
    for (int i = 0; i < 2; i++) {
        struct side *side = i ? &p.b : &p.a;
        struct tandem_stats s = side_until(side, channel_up, 0, "the channel");

        assert_true(s.channel.over_media && s.channel.peer_checked);
        assert_int_equal(s.channel.port, 0);
        assert_non_null(strstr(s.channel.text, "over the media path"));
        assert_null(strstr(s.channel.text, "vouch"));
    }
    struct tandem_stats before = side_stats(&p.b);

    assert_int_equal(tandem_files_send(a.files, sent, &number, &cause), TANDEM_OK);
    wait_for_file(&p, b.files);
    struct tandem_stats after = side_stats(&p.b);

    (void)snprintf(received, sizeof received, "%s/over_media.bin", folder);
    check_same(sent, received);
    assert_true(after.audio.packets_received > before.audio.packets_received);
    assert_int_equal(after.audio.packets_lost, before.audio.packets_lost);
    (void)side_until(&p.b, channel_received_at_least, size, "the figures of the channel");
    pair_hang_up(&p);
    pair_close(&p);
    tandem_files_destroy(a.files);
    tandem_files_destroy(b.files);
    assert_int_equal(unlink(received), 0);
    assert_int_equal(rmdir(folder), 0);
    for (int i = 0; i < 2; i++)
        (void)close(taken[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offered),
        cmocka_unit_test(test_not_wanted),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_added_and_dropped),
        cmocka_unit_test_teardown(test_over_media, pair_files_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Pictures over a way that is far and loses packets in rows: they go on in the codec whose encoder
 * can refer past what was lost, without anybody's asking, and stay in the one that a user put
 * first.
 */
#include "tests/live/between.h"
#include "tests/live/pair.h"

#include "codecs/codec.h"
#include "engine/base/rng.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAY_US      60000
#define ROW_US      7000   /* Mean; */
#define BETWEEN_US  133000 /* of the time between two rows. */
#define FLIGHTS_MAX 4096   /* Datagrams under way. */
#define STAYS_MS    8000   /* Four times as long as a change takes. */

struct flight {
    int64_t at_us;
    int to; /* Index of a port. */
    ssize_t size;
    char bytes[1600];
};

/* A port stands for each side's port of pictures: what comes to the one that stands for a side
 * leaves from the other one to that side, later or not at all. */
static struct far_way {
    int fds[2];
    uint16_t ports[2];        /* That stand for A's, for B's. */
    _Atomic uint16_t real[2]; /* 0: not told yet. */
    atomic_bool stop;
    pthread_t thread;
    struct tdm_rng rng;
    int64_t row_at_us, row_end_us;
    uint32_t first, last;
    struct flight flights[FLIGHTS_MAX];
} way;

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Geometric in tenths of the mean. */
static int64_t drawn_us(int64_t mean_us)
{
    int64_t us = 0;

    while (!tdm_rng_chance(&way.rng, 0.1))
        us += mean_us / 10;
    return us;
}

static bool is_lost(int64_t now)
{
    while (now >= way.row_at_us) {
        way.row_end_us = way.row_at_us + drawn_us(ROW_US);
        way.row_at_us = way.row_end_us + drawn_us(BETWEEN_US) + 1;
    }
    return now < way.row_end_us;
}

static void take(int port, int64_t now)
{
    struct flight *f = &way.flights[way.last % FLIGHTS_MAX];

    f->size = recv(way.fds[port], f->bytes, sizeof f->bytes, MSG_DONTWAIT);
    f->to = port;
    f->at_us = now + WAY_US;
    if (f->size > 0 && way.last - way.first < FLIGHTS_MAX && !is_lost(now))
        way.last++;
}

static void *carry(void *arg)
{
    (void)arg;
    while (!atomic_load(&way.stop)) {
        struct pollfd fds[2] = {{.fd = way.fds[0], .events = POLLIN},
                                {.fd = way.fds[1], .events = POLLIN}};

        (void)poll(fds, 2, 1);
        int64_t now = now_us();

        for (int port = 0; port < 2; port++)
            if (fds[port].revents)
                take(port, now);
        for (; way.first != way.last && way.flights[way.first % FLIGHTS_MAX].at_us <= now;
             way.first++) {
            const struct flight *f = &way.flights[way.first % FLIGHTS_MAX];
            struct sockaddr_in to = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                     .sin_port = htons(atomic_load(&way.real[f->to]))};

            (void)sendto(way.fds[!f->to], f->bytes, (size_t)f->size, 0, (struct sockaddr *)&to,
                         sizeof to);
        }
    }
    return NULL;
}

static void way_open(void)
{
    memset(&way, 0, sizeof way);
    way.rng = tdm_rng_of(5);
    way.row_at_us = now_us();
    for (int port = 0; port < 2; port++) {
        struct sockaddr_in local = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof local;

        way.fds[port] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(way.fds[port] >= 0);
        assert_int_equal(bind(way.fds[port], (struct sockaddr *)&local, size), 0);
        assert_int_equal(getsockname(way.fds[port], (struct sockaddr *)&local, &size), 0);
        way.ports[port] = ntohs(local.sin_port);
    }
    assert_int_equal(pthread_create(&way.thread, NULL, carry, NULL), 0);
}

static void way_close(void)
{
    atomic_store(&way.stop, true);
    (void)pthread_join(way.thread, NULL);
    (void)close(way.fds[0]);
    (void)close(way.fds[1]);
}

/* In what each side says of itself, no other way, and the port that stands for its pictures'. */
static void lead_over(char *body, size_t capacity, bool from_a)
{
    char *line = strstr(body, "m=video "), said[32], stands[32];
    long port = line ? strtol(line + strlen("m=video "), NULL, 10) : 0;

    static const char *const other_ways[] = {"a=group:", "a=ice-",
                                             "a=candidate:", "a=end-of-candidates"};

    for (size_t i = 0; i < sizeof other_ways / sizeof *other_ways; i++)
        between_drop_lines(body, other_ways[i]);
    if (port <= 0)
        return;
    atomic_store(&way.real[!from_a], (uint16_t)port);
    (void)snprintf(said, sizeof said, "m=video %ld ", port);
    (void)snprintf(stands, sizeof stands, "m=video %u ", way.ports[!from_a]);
    between_replace(body, capacity, said, stands);
}

static bool sends_vp9(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return strcmp(s->video.send_codec, "vp9") == 0 && strcmp(s->video.receive_codec, "vp9") == 0;
}

static void call_over(struct pair *p, struct between *m, const char *codecs)
{
    static const struct tandem_config plain = {.listen = true, .only_plain = true};
    struct tandem_media media = pair_media;

    way_open();
    pair_open_with(p, &plain, &plain);
    between_open(m, tandem_port(p->b.engine), lead_over);
    (void)snprintf(p->to, sizeof p->to, "sip:b@127.0.0.1:%u", m->port);
    media.video_codecs = codecs;
    media.fps = 30;
    media.width = 640;
    media.height = 360;
    media.video_bps = 2000000;
    pair_call(p, &media, &media);
    (void)side_until(&p->a, shown_at_least, 10, "pictures at a");
    (void)side_until(&p->b, shown_at_least, 10, "pictures at b");
}

static void end(struct pair *p, struct between *m)
{
    pair_hang_up(p);
    pair_close(p);
    between_close(m);
    way_close();
}

static void rows_change_the_codec(void **state)
{
    struct between m;
    struct pair p;

    (void)state;
    if (!tdm_video_encoder_find(TDM_CODEC_VP9))
        skip();
    call_over(&p, &m, NULL);
    struct tandem_stats stats = side_until(&p.a, sends_vp9, 0, "another codec");

    assert_true(side_count(&p.a, TANDEM_EVENT_NOTICE) + side_count(&p.b, TANDEM_EVENT_NOTICE) > 0);
    (void)side_until(&p.b, sends_vp9, 0, "another codec");
    (void)side_until(&p.a, shown_at_least, stats.frames_shown + 60, "pictures in it");
    assert_int_equal(side_stats(&p.a).decode_errors, 0);
    end(&p, &m);
}

static void a_codec_that_was_named_stays(void **state)
{
    struct between m;
    struct pair p;

    (void)state;
    call_over(&p, &m, "h264,vp9");
    pair_run(&p, STAYS_MS);
    assert_string_equal(side_stats(&p.a).video.send_codec, "h264");
    assert_string_equal(side_stats(&p.b).video.send_codec, "h264");
    end(&p, &m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_change_the_codec),
        cmocka_unit_test(a_codec_that_was_named_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

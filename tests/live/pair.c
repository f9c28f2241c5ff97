/* SPDX-License-Identifier: MIT */
#include "tests/live/pair.h"

#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const struct tandem_media pair_media = {
    .video_source = "pattern",
    .audio_source = "tone",
    .video_sink = "null",
    .audio_sink = "null",
    .width = 320,
    .height = 180,
    .fps = 15,
    .video_bps = 400000,
    .time_code = true,
};

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void open_side(struct side *s, const char *name, const struct tandem_config *like)
{
    struct tandem_config config = like ? *like : (struct tandem_config){.listen = true};
    struct tandem_cause cause = {""};

    config.bind_address = "127.0.0.1";
    config.sip_port_may_change = config.listen = true;
    config.user = name;

    memset(s, 0, sizeof *s);
    s->name = name;
    if (tandem_create(&config, &s->engine, &cause) != TANDEM_OK)
        fail_msg("%s: %s", name, cause.text);
}

void pair_open(struct pair *p)
{
    pair_open_with(p, NULL, NULL);
}

void pair_open_with(struct pair *p, const struct tandem_config *a, const struct tandem_config *b)
{
    open_side(&p->a, "a", a);
    open_side(&p->b, "b", b);
    assert_int_not_equal(tandem_port(p->b.engine), 0);
    (void)snprintf(p->to, sizeof p->to, "127.0.0.1:%u", tandem_port(p->b.engine));
}

void pair_close(struct pair *p)
{
    tandem_destroy(p->a.engine);
    tandem_destroy(p->b.engine);
}

static void keep(struct side *s, const struct tandem_event *event)
{
    if (event->kind == TANDEM_EVENT_INCOMING)
        s->call = event->call;
    assert_true(s->log_count < PAIR_LOG_MAX);
    s->log[s->log_count++] = *event;
}

void side_drain(struct side *s)
{
    struct tandem_event event;

    while (tandem_next_event(s->engine, &event) == TANDEM_OK)
        keep(s, &event);
}

static void fail_with_log(struct side *s, const char *what)
{
    for (uint32_t i = 0; i < s->log_count; i++)
        print_error("%s: event %d value %d \"%s\"\n", s->name, (int)s->log[i].kind, s->log[i].value,
                    s->log[i].text);
    fail_msg("%s: %s did not come", s->name, what);
}

struct tandem_event side_wait(struct side *s, enum tandem_event_kind kind)
{
    int64_t until = now_ms() + PAIR_PATIENCE_MS;
    struct tandem_event event;
    char what[32];

    for (;;) {
        while (s->seen < s->log_count)
            if (s->log[s->seen++].kind == kind)
                return s->log[s->seen - 1];
        int left = (int)(until - now_ms());

        if (left <= 0)
            break;
        if (tandem_wait_event(s->engine, left, &event) == TANDEM_OK)
            keep(s, &event);
    }
    (void)snprintf(what, sizeof what, "event %d", (int)kind);
    fail_with_log(s, what);
    abort();
}

uint32_t side_count(struct side *s, enum tandem_event_kind kind)
{
    uint32_t count = 0;

    side_drain(s);
    for (uint32_t i = 0; i < s->log_count; i++)
        count += s->log[i].kind == kind;
    return count;
}

void pair_call(struct pair *p, const struct tandem_media *a, const struct tandem_media *b)
{
    struct tandem_cause cause = {""};

    if (tandem_dial(p->a.engine, p->to, a, &p->a.call, &cause) != TANDEM_OK)
        fail_msg("dial: %s", cause.text);
    (void)side_wait(&p->b, TANDEM_EVENT_INCOMING);
    if (tandem_answer(p->b.call, b, &cause) != TANDEM_OK)
        fail_msg("answer: %s", cause.text);
    (void)side_wait(&p->a, TANDEM_EVENT_UP);
    (void)side_wait(&p->b, TANDEM_EVENT_UP);
}

void pair_start(struct pair *p, const struct tandem_media *a, const struct tandem_media *b)
{
    pair_open(p);
    pair_call(p, a, b);
}

void pair_hang_up(struct pair *p)
{
    assert_int_equal(tandem_hangup(p->a.call), TANDEM_OK);
    assert_int_equal(side_wait(&p->a, TANDEM_EVENT_ENDED).value, TANDEM_END_HERE);
    assert_int_equal(side_wait(&p->b, TANDEM_EVENT_ENDED).value, TANDEM_END_THERE);
}

struct tandem_stats side_stats(struct side *s)
{
    struct tandem_stats stats;

    assert_int_equal(tandem_call_stats(s->call, &stats), TANDEM_OK);
    return stats;
}

struct tandem_stats side_until(struct side *s, stats_fn *ready, uint64_t arg, const char *what)
{
    int64_t until = now_ms() + PAIR_PATIENCE_MS;
    struct tandem_stats stats;

    for (;;) {
        stats = side_stats(s);
        if (ready(&stats, arg))
            return stats;
        if (now_ms() >= until)
            break;
        (void)poll(NULL, 0, 20);
        side_drain(s);
    }
    fail_with_log(s, what);
    return stats;
}

bool shown_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->frames_shown >= count;
}

bool audio_received_at_least(const struct tandem_stats *s, uint64_t count)
{
    return s->audio.packets_received >= count;
}

bool is_up(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->state == TANDEM_STATE_UP;
}

bool is_held(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->state == TANDEM_STATE_HELD;
}

void pair_run(struct pair *p, int ms)
{
    int64_t until = now_ms() + ms;

    do {
        (void)poll(NULL, 0, 20);
        side_drain(&p->a);
        side_drain(&p->b);
    } while (now_ms() < until);
}

static void folder(char *path, size_t capacity)
{
    const char *temporary = getenv("TMPDIR");

    (void)snprintf(path, capacity, "%s/tandem-live-%ld", temporary ? temporary : "/tmp",
                   (long)getpid());
}

int pair_break_channel(struct pair *p)
{
    struct tandem_stats stats = side_stats(&p->b);
    const char *colon = strrchr(stats.channel.remote, ':');
    int broken = 0;

    for (int fd = 3; colon && fd < 1024; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof peer;
        int type = 0;
        socklen_t type_size = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM ||
            getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != strtol(colon + 1, NULL, 10))
            continue;
        broken += shutdown(fd, SHUT_RDWR) == 0;
    }
    return broken;
}

const char *pair_file(const char *name, char *path, size_t capacity)
{
    char in[128];

    folder(in, sizeof in);
    (void)mkdir(in, 0700);
    (void)snprintf(path, capacity, "%s/%s", in, name);
    return path;
}

int pair_files_remove(void **state)
{
    char in[128], path[512];
    struct dirent *entry;

    (void)state;
    folder(in, sizeof in);
    DIR *dir = opendir(in);

    while (dir && (entry = readdir(dir))) {
        (void)snprintf(path, sizeof path, "%s/%.255s", in, entry->d_name);
        (void)unlink(path);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(in);
    return 0;
}

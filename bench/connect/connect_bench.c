/* SPDX-License-Identifier: MIT */
/*
 * bench/connect: how long from the answer to the first media, between two engines on loopback, by
 * each kind of way in turns, so that all of them meet the same machine. Calls of sound alone: its
 * frames come each 10 ms, so that half a frame is waited for on average.
 *
 *   connect_bench [--rounds N] [--json FILE]
 */
#include "tandem/server.h"
#include "tests/live/between.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX  1000
#define PATIENCE_MS 15000
#define PORT_TRIES  50

enum { PLAIN, DIRECT, DEAD, TURN_ONE, TURN_BOTH, TURN_TCP, KINDS };

static const char *const names[KINDS] = {
    [PLAIN] = "in clear, ICE",
    [DIRECT] = "direct",
    [DEAD] = "direct, 3 dead candidates each way",
    [TURN_ONE] = "one side by TURN alone",
    [TURN_BOTH] = "both sides by TURN alone",
    [TURN_TCP] = "one side by TURN over TCP alone",
};

static const char *const keys[KINDS] = {"plain",    "direct",    "dead_candidates",
                                        "turn_one", "turn_both", "turn_tcp"};

struct row {
    double at_answerer[ROUNDS_MAX], at_caller[ROUNDS_MAX], keys_at_answerer[ROUNDS_MAX];
    int count;
};

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void give_up(const char *what)
{
    fprintf(stderr, "connect_bench: %s\n", what);
    exit(1);
}

/* Addresses that answer nothing, before the true ones and with the priority of a host's. */
static void add_dead(char *body, size_t capacity, bool from_a)
{
    char lines[400];

    (void)snprintf(lines, sizeof lines,
                   "a=setup:%s\r\n"
                   "a=candidate:dead1 1 UDP 2130706431 198.51.100.7 9 typ host\r\n"
                   "a=candidate:dead2 1 UDP 2130706430 203.0.113.7 9 typ host\r\n"
                   "a=candidate:dead3 1 UDP 2130706429 192.0.2.77 9 typ host\r\n",
                   from_a ? "actpass" : "active");
    between_replace(body, capacity, from_a ? "a=setup:actpass\r\n" : "a=setup:active\r\n", lines);
}

static struct tandem *open_engine(const char *user, const struct tandem_config *like)
{
    struct tandem_config config = *like;
    struct tandem_cause cause = {""};
    struct tandem *engine;

    config.bind_address = "127.0.0.1";
    config.sip_port_may_change = config.listen = true;
    config.user = user;
    if (tandem_create(&config, &engine, &cause) != TANDEM_OK)
        give_up(cause.text);
    return engine;
}

static struct tandem_call *wait_for(struct tandem *engine, enum tandem_event_kind kind)
{
    struct tandem_event event;
    int64_t until = now_ms() + PATIENCE_MS;

    while (now_ms() < until)
        if (tandem_wait_event(engine, 100, &event) == TANDEM_OK) {
            if (event.kind == kind)
                return event.call;
            if (event.kind == TANDEM_EVENT_ENDED)
                give_up(event.text);
        }
    give_up(kind == TANDEM_EVENT_UP ? "a call did not come up" : "a call did not come");
    return NULL;
}

static struct tandem_security first_media(struct tandem_call *call)
{
    struct tandem_stats stats;
    int64_t until = now_ms() + PATIENCE_MS;

    do {
        if (tandem_call_stats(call, &stats) != TANDEM_OK || now_ms() > until)
            give_up("no media came");
        if (stats.security.media_ms <= 0)
            (void)poll(NULL, 0, 5);
    } while (stats.security.media_ms <= 0);
    return stats.security;
}

static void one_call(int kind, const char *turn, const char *turn_tcp, struct row *row)
{
    const struct tandem_media media = {
        .video_source = "off", .video_sink = "off", .audio_source = "tone", .audio_sink = "null"};
    const char *servers = kind == TURN_TCP ? turn_tcp : kind >= TURN_ONE ? turn : NULL;
    struct tandem_config a = {
        .only_plain = kind == PLAIN, .relay_only = servers != NULL, .ice_servers = servers};
    struct tandem_config b = {.only_plain = kind == PLAIN,
                              .relay_only = kind == TURN_BOTH,
                              .ice_servers = kind == TURN_BOTH ? servers : NULL};
    if (getenv("DBG"))
        fprintf(stderr, "%s\n", names[kind]);
    struct tandem *caller = open_engine("a", &a);
    struct tandem *called = open_engine("b", &b);
    struct tandem_cause cause = {""};
    struct tandem_call *out;
    struct between between;
    uint16_t port = tandem_port(called);
    char to[64];

    if (kind == DEAD) {
        between_open(&between, port, add_dead);
        port = between.port;
    }
    (void)snprintf(to, sizeof to, "127.0.0.1:%u", port);
    if (tandem_dial(caller, to, &media, &out, &cause) != TANDEM_OK)
        give_up(cause.text);
    struct tandem_call *in = wait_for(called, TANDEM_EVENT_INCOMING);

    (void)poll(NULL, 0, 150); /* A person, too, needs a moment; candidates are there by then. */
    if (tandem_answer(in, &media, &cause) != TANDEM_OK)
        give_up(cause.text);
    (void)wait_for(caller, TANDEM_EVENT_UP);
    struct tandem_security there = first_media(in);

    row->at_answerer[row->count] = there.media_ms;
    row->keys_at_answerer[row->count] = there.ready_ms;
    row->at_caller[row->count++] = first_media(out).media_ms;
    tandem_destroy(caller);
    tandem_destroy(called);
    if (kind == DEAD)
        between_close(&between);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_row(FILE *json, int kind, struct row *row)
{
    double *list[] = {row->at_answerer, row->at_caller, row->keys_at_answerer};
    int n = row->count;

    for (int i = 0; i < 3; i++)
        qsort(list[i], (size_t)n, sizeof **list, by_size);
    printf("  %-36s %7.1f %7.1f %7.1f   %7.1f %7.1f %7.1f   %7.1f\n", names[kind],
           row->at_answerer[0], row->at_answerer[n / 2], row->at_answerer[n - 1], row->at_caller[0],
           row->at_caller[n / 2], row->at_caller[n - 1], row->keys_at_answerer[n / 2]);
    if (json)
        fprintf(json,
                "%s  \"%s\": {\"rounds\": %d, \"answerer_ms\": [%.2f, %.2f, %.2f], "
                "\"caller_ms\": [%.2f, %.2f, %.2f], \"keys_ms\": [%.2f, %.2f, %.2f]}",
                kind ? ",\n" : "", keys[kind], n, row->at_answerer[0], row->at_answerer[n / 2],
                row->at_answerer[n - 1], row->at_caller[0], row->at_caller[n / 2],
                row->at_caller[n - 1], row->keys_at_answerer[0], row->keys_at_answerer[n / 2],
                row->keys_at_answerer[n - 1]);
}

static struct tandem_server *open_server(uint16_t *port)
{
    struct tandem_server_config config = {.listen = "127.0.0.1",
                                          .users = "ann:secret",
                                          .user_allocations = 64,
                                          .allow_private = true,
                                          .allow_loopback = true,
                                          .allow_own = true};
    struct tandem_cause cause = {""};
    struct tandem_server *server;

    for (int i = 0; i < PORT_TRIES; i++) {
        config.port = (uint16_t)(10000 + (getpid() * 7 + i * 13) % 9000);
        if (tandem_server_create(&config, &server, &cause) == TANDEM_OK) {
            *port = config.port;
            return server;
        }
    }
    give_up(cause.text);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct row rows[KINDS];
    FILE *json = NULL;
    uint16_t port = 0;
    int rounds = 15;
    char turn[64], turn_tcp[96];

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            json = fopen(argv[i + 1], "w");
        else
            give_up("usage: connect_bench [--rounds N] [--json FILE]");
    }
    if (rounds < 1 || rounds > ROUNDS_MAX)
        give_up("--rounds takes 1 to 1000");
    struct tandem_server *server = open_server(&port);

    (void)snprintf(turn, sizeof turn, "turn:ann:secret@127.0.0.1:%u", port);
    (void)snprintf(turn_tcp, sizeof turn_tcp, "%s?transport=tcp", turn);
    for (int round = 0; round < rounds; round++)
        for (int kind = 0; kind < KINDS; kind++)
            one_call(kind, turn, turn_tcp, &rows[kind]);
    printf("  from the answer to the first media, ms, %d calls of each kind in turns\n"
           "  %-36s %23s   %23s   %7s\n  %-36s %7s %7s %7s   %7s %7s %7s   %7s\n",
           rounds, "", "at the answering side", "at the calling side", "keys", "", "min", "median",
           "max", "min", "median", "max", "median");
    if (json)
        fputs("{\n", json);
    for (int kind = 0; kind < KINDS; kind++)
        print_row(json, kind, &rows[kind]);
    if (json) {
        fputs("\n}\n", json);
        (void)fclose(json);
    }
    tandem_server_destroy(server);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Calls that may only go by a relay, through the project's own server on loopback. */
#include "tandem/server.h"
#include "tests/live/pair.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT_TRIES 50

static bool media_flows(const struct tandem_stats *s, uint64_t count)
{
    return s->audio.packets_received >= count && s->frames_shown >= count;
}

static struct tandem_server *open_server(uint16_t *port)
{
    struct tandem_server_config config = {
        .listen = "127.0.0.1",
        .users = "ann:secret",
        .allow_private = true,
        .allow_loopback = true,
        .allow_own = true,
    };
    struct tandem_server *server = NULL;
    struct tandem_cause cause = {""};

    for (int i = 0; i < PORT_TRIES && !server; i++) {
        config.port = (uint16_t)(10000 + (getpid() * 7 + i * 13) % 9000);
        if (tandem_server_create(&config, &server, &cause) != TANDEM_OK)
            server = NULL;
    }
    if (!server)
        fail_msg("%s", cause.text);
    *port = config.port;
    return server;
}

static void relayed_calls(void **state)
{
    static const struct {
        const char *what, *transport;
        bool a_only, b_only;
    } rows[] = {
        {"A over UDP", "", true, false},
        {"B over UDP", "", false, true},
        {"both over UDP", "", true, true},
        {"A over TCP", "?transport=tcp", true, false},
        {"both over TCP", "?transport=tcp", true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint16_t port;
        struct tandem_server *server = open_server(&port);
        struct tandem_server_stats relays;
        char uri[100];
        struct pair p;

        (void)snprintf(uri, sizeof uri, "turn:ann:secret@127.0.0.1:%u%s", port, rows[i].transport);
        struct tandem_config only = {.relay_only = true, .ice_servers = uri};

        pair_open_with(&p, rows[i].a_only ? &only : NULL, rows[i].b_only ? &only : NULL);
        pair_call(&p, &pair_media, &pair_media);
        struct tandem_stats a = side_until(&p.a, media_flows, 20, "media");
        struct tandem_stats b = side_until(&p.b, media_flows, 20, "media");

        tandem_server_stats(server, &relays);
        print_message("  %s: ready %.1f and %.1f ms, media %.1f and %.1f ms after agreement, "
                      "%llu packets relayed\n",
                      rows[i].what, a.security.ready_ms, b.security.ready_ms, a.security.media_ms,
                      b.security.media_ms, (unsigned long long)relays.relayed_packets);
        assert_int_equal(a.security.path, TANDEM_PATH_RELAYED);
        assert_int_equal(b.security.path, TANDEM_PATH_RELAYED);
        assert_int_equal(a.security.protection, TANDEM_PROTECTION_DTLS);
        assert_true(relays.relayed_packets > 40);
        pair_hang_up(&p);
        pair_close(&p);
        for (int wait = 0; wait < 100 && relays.relays; wait++) { /* They are given back. */
            (void)poll(NULL, 0, 20);
            tandem_server_stats(server, &relays);
        }
        assert_int_equal(relays.relays, 0);
        tandem_server_destroy(server);
    }
}

static void wrong_password(void **state)
{
    struct tandem_cause cause = {""};
    uint16_t port;
    struct tandem_server *server = open_server(&port);
    char uri[100];
    struct pair p;

    (void)state;
    (void)snprintf(uri, sizeof uri, "turn:ann:guess@127.0.0.1:%u", port);
    struct tandem_config only = {.relay_only = true, .ice_servers = uri};

    pair_open_with(&p, &only, NULL);
    assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
    assert_int_equal(side_wait(&p.a, TANDEM_EVENT_ENDED).value, TANDEM_END_FAILED);
    assert_true(side_count(&p.a, TANDEM_EVENT_NOTICE) > 0);
    assert_int_equal(side_count(&p.b, TANDEM_EVENT_INCOMING), 0);
    pair_close(&p);
    tandem_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relayed_calls),
        cmocka_unit_test(wrong_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

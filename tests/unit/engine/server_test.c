/* SPDX-License-Identifier: MIT */
/* What a server makes of its config, its secret file, and its sockets on loopback. The protocol is
 * tested with the cores; other programs as clients in tests/interop/turn_coturn.sh. */

#include "engine/io/clock.h"
#include "engine/io/udp.h"
#include "engine/server.h"
#include "engine/wire/stun.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct tdm_address address(const char *host, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, host, port), TDM_OK);
    return a;
}

static struct tdm_server_plan plan;

static enum tdm_err make(const struct tandem_server_config *config)
{
    struct tdm_address own[] = {address("2001:db8::7", 0), address("10.0.0.7", 0),
                                address("203.0.113.7", 0)};
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_server_plan_make(&plan, config, own, 3, &cause);

    assert_true(err == TDM_OK || cause.text[0]);
    return err;
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(make(&(struct tandem_server_config){.secret = "abcdefgh"}), TDM_OK);
    assert_int_equal(plan.sockets.listen_count, 2);
    assert_int_equal(plan.sockets.listens[0].address.port, 3478);
    assert_int_equal(plan.sockets.listens[1].transport, TDM_TURN_OVER_TCP);
    assert_true(tdm_address_equal(
        &plan.core.relay[0], &(struct tdm_address){.family = TDM_IPV4, .bytes = {10, 0, 0, 7}}));
    assert_int_equal(plan.core.relay[1].family, TDM_IPV6);
    assert_true(tdm_address_equal(&plan.relay_bind[0], &plan.core.relay[0]));
    assert_false(plan.core.allow_private);
}

static void test_relay_behind_a_gateway(void **state)
{
    struct tdm_address all = {.family = TDM_IPV4};

    (void)state;
    assert_int_equal(make(&(struct tandem_server_config){.relay_address = "198.51.100.9"}), TDM_OK);
    assert_int_equal(plan.core.relay[0].bytes[0], 198);
    assert_true(tdm_address_equal(&plan.relay_bind[0], &all));
    assert_int_equal(plan.core.relay[1].family, TDM_ADDRESS_NONE);
}

static void test_discovery(void **state)
{
    (void)state;
    assert_int_equal(make(&(struct tandem_server_config){
                         .listen = "10.0.0.7", .other_address = "203.0.113.7", .port = 100}),
                     TDM_OK);
    assert_int_equal(plan.sockets.listen_count, 5);
    assert_int_equal(plan.core.nat_hosts[1].bytes[0], 203);
    assert_int_equal(plan.core.nat_ports[1], 101);
}

static void test_wrong_configs(void **state)
{
    static const struct tandem_server_config configs[] = {
        {.listen = "localhost"},
        {.listen = "10.0.0.7,,"},
        {.relay_address = "10.0.0.7,10.0.0.8"},
        {.relay_address = "1.2.3"},
        {.other_address = "203.0.113.7"},
        {.listen = "10.0.0.7", .other_address = "10.0.0.7"},
        {.listen = "10.0.0.7", .other_address = "2001:db8::7"},
        {.users = "ann"},
        {.users = ":apple"},
        {.users = "ann:"},
        {.users = "a:a,b:b,c:c,d:d,e:e,f:f,g:g,h:h,i:i"},
        {.tls_port = 5349},
        {.relay_port_min = 5000, .relay_port_max = 4000},
        {.allocations = 1000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
        if (make(&configs[i]) != TDM_E_MALFORMED)
            fail_msg("config %zu", i);
}

static void test_secret_file(void **state)
{
    char path[] = "/tmp/tandem-secret-XXXXXX", first[TANDEM_SECRET_BYTES],
         again[TANDEM_SECRET_BYTES];
    struct tandem_cause cause = {""};
    struct stat info;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(tandem_server_secret(path, first, &cause), TANDEM_FAILED); /* It is empty. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tandem_server_secret(path, first, &cause), TANDEM_OK);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(tandem_server_secret(path, again, &cause), TANDEM_OK);
    assert_string_equal(first, again);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(tandem_server_secret(path, again, &cause), TANDEM_FAILED);
    assert_non_null(strstr(cause.text, "chmod 600"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tandem_server_secret("/nowhere/at/all", again, &cause), TANDEM_FAILED);
}

static void test_credential(void **state)
{
    struct tandem_credential c;
    struct tandem_cause cause = {""};
    char password[TDM_TURN_REST_PASSWORD_SIZE], name[200];
    int64_t expiry_s, now_s = (tdm_clock_now() + tdm_clock_wall_offset()) / TDM_S;

    (void)state;
    assert_int_equal(tandem_server_credential("north", "zoe", 3600, &c, &cause), TANDEM_OK);
    assert_int_equal(tdm_turn_rest_expiry(c.user, &expiry_s), TDM_OK);
    assert_in_range(expiry_s, now_s + 3599, now_s + 3602);
    tdm_turn_rest_password(password, "north", c.user);
    assert_string_equal(c.password, password);
    memset(name, 'x', sizeof name);
    name[199] = '\0';
    assert_int_equal(tandem_server_credential("north", name, 1, &c, &cause), TANDEM_INVALID);
}

/* A server on a free port of loopback. */
static struct tandem_server *serve(uint16_t *port)
{
    struct tandem_server_config config = {
        .listen = "127.0.0.1", .users = "ann:apple", .allow_loopback = true, .allocations = 4};
    struct tandem_server *server = NULL;
    struct tandem_cause cause = {""};

    for (*port = 23478; *port < 23600 && !server; (*port)++) {
        config.port = *port;
        if (tandem_server_create(&config, &server, &cause) == TANDEM_OK)
            break;
    }
    assert_non_null(server);
    return server;
}

static bool wait_readable(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000) == 1;
}

static void test_answers_on_sockets(void **state)
{
    static const uint8_t id[TDM_STUN_ID_BYTES] = {3};
    uint16_t port;
    struct tandem_server *server = serve(&port), *second = NULL;
    struct tandem_server_config taken = {.listen = "127.0.0.1", .port = port};
    struct tandem_server_stats stats;
    struct tandem_cause cause = {""};
    struct tdm_address any = {.family = TDM_IPV4}, to = address("127.0.0.1", port);
    struct tdm_udp udp;
    struct tdm_stun m;
    static struct tdm_udp_batch batch;
    uint8_t bytes[64];
    struct tdm_writer w =
        tdm_stun_begin(bytes, sizeof bytes, TDM_STUN_REQUEST, TDM_STUN_BINDING, id);
    struct tdm_udp_piece piece = {.data = bytes, .size = tdm_stun_end(&w)};

    (void)state;
    assert_int_equal(tandem_server_create(&taken, &second, &cause), TANDEM_FAILED);
    assert_non_null(strstr(cause.text, "cannot listen"));
    assert_int_equal(tdm_udp_open(&any, &udp, NULL), TDM_OK);
    any.family = TDM_ADDRESS_NONE;
    assert_int_equal(tdm_udp_send(&udp, &any, &to, &piece, 1), 1);
    assert_true(wait_readable(udp.fd));
    assert_int_equal(tdm_udp_receive(&udp, tdm_clock_now(), &batch), TDM_OK);
    assert_int_equal(tdm_stun_parse(&m, batch.bytes[0], batch.datagrams[0].size), TDM_OK);
    assert_memory_equal(m.id, id, sizeof id);
    assert_true(tdm_address_is_loopback(&m.mapped));
    tdm_udp_close(&udp);
    tandem_server_stats(server, &stats);
    assert_int_equal(stats.bindings, 1);
    assert_string_equal(stats.relay4, "127.0.0.1");
    tandem_server_destroy(server);
}

/* Whoever speaks something else over TCP is cut off, at once or at the end of what he announces. */
static void test_cuts_off_strangers(void **state)
{
    static const char *const hellos[] = {"\xff\xff\xff\xff", "GET / HTTP/1.1\r\n"};
    uint16_t port;
    struct tandem_server *server = serve(&port);
    struct tdm_address to = address("127.0.0.1", port);
    struct sockaddr_storage sockaddr;
    socklen_t size;

    (void)state;
    assert_true(tdm_udp_sockaddr(&to, TDM_IPV4, &sockaddr, &size));
    for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char byte;

        assert_int_equal(connect(fd, (struct sockaddr *)&sockaddr, size), 0);
        assert_true(write(fd, hellos[i], strlen(hellos[i])) > 0);
        assert_true(wait_readable(fd));
        assert_true(read(fd, &byte, 1) <= 0);
        (void)close(fd);
    }
    tandem_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),           cmocka_unit_test(test_relay_behind_a_gateway),
        cmocka_unit_test(test_discovery),          cmocka_unit_test(test_wrong_configs),
        cmocka_unit_test(test_secret_file),        cmocka_unit_test(test_credential),
        cmocka_unit_test(test_answers_on_sockets), cmocka_unit_test(test_cuts_off_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

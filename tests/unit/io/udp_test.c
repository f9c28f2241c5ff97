/* SPDX-License-Identifier: MIT */
#include "engine/io/udp.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static struct tdm_udp_batch batch;

/* Receives within a second, whatever came. */
static uint32_t receive(int fd)
{
    assert_true(tdm_wait_until(tdm_clock_now() + TDM_S, fd, -1) == TDM_WAIT_WAKE);
    assert_true(tdm_udp_receive(fd, tdm_clock_now(), &batch) == TDM_OK);
    return batch.count;
}

static void open_pair(int fds[2], uint16_t *port)
{
    struct tdm_cause cause;

    if (tdm_udp_open_pair("127.0.0.1", 0, 0, fds, port, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
}

static void close_pair(const int fds[2])
{
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

static void test_pairs(void **state)
{
    uint16_t ports[8];
    int fds[8][2];

    (void)state;
    for (int i = 0; i < 8; i++) {
        open_pair(fds[i], &ports[i]);
        assert_int_equal(ports[i] & 1, 0);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(ports[k], ports[i]);
    }
    for (int i = 0; i < 8; i++)
        close_pair(fds[i]);
}

static void test_ranges(void **state)
{
    static const struct {
        int low, high; /* Beside an even free port. */
        bool fits;
    } rows[] = {{0, 1, true}, {-1, 1, true}, {0, 0, false}, {1, 2, false}, {-1, 0, false}};
    uint16_t base;
    int fds[2];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tdm_cause cause;
        uint16_t port;

        open_pair(fds, &base);
        uint16_t low = (uint16_t)(base + rows[i].low);
        uint16_t high = (uint16_t)(base + rows[i].high);

        /* While others hold it there is none, and the cause says so. */
        assert_true(tdm_udp_open_pair("127.0.0.1", low, high, (int[2]){0}, &port, &cause) ==
                    TDM_E_SYSTEM);
        assert_non_null(strstr(cause.text, "no free pair"));
        assert_null(strstr(cause.text, "Success"));
        close_pair(fds);
        enum tdm_err err = tdm_udp_open_pair("127.0.0.1", low, high, fds, &port, &cause);

        assert_true((err == TDM_OK) == rows[i].fits);
        if (err == TDM_OK) {
            assert_int_equal(port, base);
            close_pair(fds);
        }
    }
    struct tdm_cause cause;

    assert_true(tdm_udp_open_pair("no-address", 0, 0, fds, &base, &cause) == TDM_E_SYSTEM);
}

/* More than a batch each way; each datagram arrives once, in order, with a time that is past. */
static void test_batches(void **state)
{
    enum { N = 3 * TDM_UDP_BATCH + 5 };
    struct tdm_udp_piece pieces[N];
    struct sockaddr_storage to;
    socklen_t to_size;
    uint32_t values[N];
    uint16_t port;
    uint32_t got = 0;
    int fds[2];
    int from[2];
    uint16_t from_port;

    (void)state;
    open_pair(fds, &port);
    open_pair(from, &from_port);
    assert_true(tdm_udp_address("127.0.0.1", port, &to, &to_size) == TDM_OK);
    for (uint32_t i = 0; i < N; i++) {
        values[i] = i;
        pieces[i] = (struct tdm_udp_piece){&values[i], sizeof values[i]};
    }
    tdm_time before = tdm_clock_now();

    assert_int_equal(tdm_udp_send(from[0], &to, to_size, pieces, N), N);
    while (got < N) {
        uint32_t count = receive(fds[0]);

        for (uint32_t i = 0; i < count; i++, got++) {
            assert_int_equal(batch.datagrams[i].size, 4);
            assert_memory_equal(batch.bytes[i], &values[got], 4);
            assert_true(batch.datagrams[i].received <= tdm_clock_now());
            assert_true(batch.datagrams[i].received >= before - 100 * TDM_MS);
        }
    }
    assert_true(tdm_udp_receive(fds[0], tdm_clock_now(), &batch) == TDM_E_AGAIN);
    assert_int_equal(batch.count, 0);
    close_pair(fds);
    close_pair(from);
}

/* The kernel's stamp is of arrival, not of the moment when we look. */
static void test_stamp_is_of_arrival(void **state)
{
    struct sockaddr_storage to;
    socklen_t to_size;
    uint16_t port;
    int fds[2];

    (void)state;
    open_pair(fds, &port);
    assert_true(tdm_udp_address("127.0.0.1", port, &to, &to_size) == TDM_OK);
    /* The kernel begins to stamp a little after the first socket of all asks for it. */
    (void)tdm_wait_until(tdm_clock_now() + 100 * TDM_MS, -1, -1);
    assert_int_equal(tdm_udp_send(fds[1], &to, to_size, &(struct tdm_udp_piece){"abc", 3}, 1), 1);
    tdm_time sent = tdm_clock_now();

    (void)tdm_wait_until(sent + 300 * TDM_MS, -1, -1);
    assert_int_equal(receive(fds[0]), 1);
    assert_true(batch.datagrams[0].received < sent + 150 * TDM_MS);
    close_pair(fds);
}

/* A datagram that does not fit comes as none at all, so that nobody takes its head for the whole.
 */
static void test_too_big(void **state)
{
    static uint8_t big[TDM_UDP_DATAGRAM_BYTES + 1];
    struct sockaddr_storage to;
    socklen_t to_size;
    uint16_t port;
    int fds[2];

    (void)state;
    open_pair(fds, &port);
    assert_true(tdm_udp_address("127.0.0.1", port, &to, &to_size) == TDM_OK);
    struct tdm_udp_piece pieces[] = {
        {big, sizeof big}, {big, TDM_UDP_DATAGRAM_BYTES}, {big, 0}, {big, 7}};

    assert_int_equal(tdm_udp_send(fds[1], &to, to_size, pieces, 4), 4);
    assert_int_equal(receive(fds[0]), 4);
    assert_int_equal(batch.datagrams[0].size, 0);
    assert_int_equal(batch.datagrams[1].size, TDM_UDP_DATAGRAM_BYTES);
    assert_int_equal(batch.datagrams[2].size, 0);
    assert_int_equal(batch.datagrams[3].size, 7);
    close_pair(fds);
}

/* Nobody listens there: sending goes on, and what comes from elsewhere is still received. */
static void test_nobody_there(void **state)
{
    struct sockaddr_storage gone;
    struct sockaddr_storage to;
    socklen_t size;
    uint16_t port;
    uint16_t gone_port;
    int fds[2];
    int closed[2];

    (void)state;
    open_pair(fds, &port);
    open_pair(closed, &gone_port);
    close_pair(closed);
    assert_true(tdm_udp_address("127.0.0.1", gone_port, &gone, &size) == TDM_OK);
    assert_true(tdm_udp_address("127.0.0.1", port, &to, &size) == TDM_OK);
    for (int i = 0; i < 5; i++)
        (void)tdm_udp_send(fds[0], &gone, size, &(struct tdm_udp_piece){"x", 1}, 1);
    assert_int_equal(tdm_udp_send(fds[1], &to, size, &(struct tdm_udp_piece){"y", 1}, 1), 1);
    assert_int_equal(receive(fds[0]), 1);
    close_pair(fds);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        int family; /* 0: refused. */
    } rows[] = {
        {"127.0.0.1", AF_INET}, {"::1", AF_INET6},    {"localhost", 0},      {"", 0},
        {"256.1.1.1", 0},       {"10.0.0.7:5060", 0}, {"fe80::1", AF_INET6}, {"1.2.3.4 ", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_storage to;
        socklen_t size;
        enum tdm_err err = tdm_udp_address(rows[i].text, 5, &to, &size);

        assert_true((err == TDM_OK) == (rows[i].family != 0));
        if (err == TDM_OK)
            assert_int_equal(to.ss_family, rows[i].family);
    }
}

static void test_local_address(void **state)
{
    struct tdm_cause cause;
    char local[64];

    (void)state;
    assert_true(tdm_udp_local_address("127.0.0.1", local, sizeof local, &cause) == TDM_OK);
    assert_string_equal(local, "127.0.0.1");
    assert_true(tdm_udp_local_address("127.0.0.1", local, 4, &cause) == TDM_E_SPACE);
    assert_true(tdm_udp_local_address("host", local, sizeof local, &cause) == TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),     cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_batches),   cmocka_unit_test(test_stamp_is_of_arrival),
        cmocka_unit_test(test_too_big),   cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_local_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

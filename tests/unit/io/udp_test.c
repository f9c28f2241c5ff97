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
static uint32_t receive(const struct tdm_udp *udp)
{
    assert_true(tdm_wait_until(tdm_clock_now() + TDM_S, udp->fd, -1) == TDM_WAIT_WAKE);
    assert_true(tdm_udp_receive(udp, tdm_clock_now(), &batch) == TDM_OK);
    return batch.count;
}

static const struct tdm_address anywhere = {.family = TDM_ADDRESS_NONE};

static void open_at(const char *address, struct tdm_udp pair[2])
{
    struct tdm_cause cause;

    if (tdm_udp_open_pair(address, 0, 0, pair, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
}

static void open_pair(struct tdm_udp pair[2])
{
    open_at("127.0.0.1", pair);
}

static void close_pair(struct tdm_udp pair[2])
{
    tdm_udp_close(&pair[0]);
    tdm_udp_close(&pair[1]);
    assert_int_equal(pair[0].fd, -1);
}

static struct tdm_address local(const char *host, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, host, port), TDM_OK);
    return a;
}

static uint32_t send_to(const struct tdm_udp *udp, uint16_t port,
                        const struct tdm_udp_piece *pieces, uint32_t count)
{
    struct tdm_address to = local("127.0.0.1", port);

    return tdm_udp_send(udp, &anywhere, &to, pieces, count);
}

static void test_pairs(void **state)
{
    struct tdm_udp pairs[8][2];

    (void)state;
    for (int i = 0; i < 8; i++) {
        open_pair(pairs[i]);
        assert_int_equal(pairs[i][0].port & 1, 0);
        assert_int_equal(pairs[i][1].port, pairs[i][0].port + 1);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(pairs[k][0].port, pairs[i][0].port);
    }
    for (int i = 0; i < 8; i++)
        close_pair(pairs[i]);
}

static void test_ranges(void **state)
{
    static const struct {
        int low, high; /* Beside an even free port. */
        bool fits;
    } rows[] = {{0, 1, true}, {-1, 1, true}, {0, 0, false}, {1, 2, false}, {-1, 0, false}};
    struct tdm_udp pair[2], other[2];
    struct tdm_cause cause;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_pair(pair);
        uint16_t base = pair[0].port;
        uint16_t low = (uint16_t)(base + rows[i].low);
        uint16_t high = (uint16_t)(base + rows[i].high);

        /* While others hold it there is none, and the cause says so. */
        assert_true(tdm_udp_open_pair("127.0.0.1", low, high, other, &cause) == TDM_E_SYSTEM);
        assert_non_null(strstr(cause.text, "no free pair"));
        assert_null(strstr(cause.text, "Success"));
        close_pair(pair);
        enum tdm_err err = tdm_udp_open_pair("127.0.0.1", low, high, pair, &cause);

        assert_true((err == TDM_OK) == rows[i].fits);
        if (err == TDM_OK) {
            assert_int_equal(pair[0].port, base);
            close_pair(pair);
        }
    }
    assert_true(tdm_udp_open_pair("no-address", 0, 0, pair, &cause) == TDM_E_SYSTEM);
    assert_non_null(strstr(cause.text, "no-address"));
}

/* More than a batch each way; each datagram arrives once, in order, with a time that is past. */
static void test_batches(void **state)
{
    enum { N = 3 * TDM_UDP_BATCH + 5 };
    struct tdm_udp_piece pieces[N];
    uint32_t values[N];
    uint32_t got = 0;
    struct tdm_udp pair[2], from[2];

    (void)state;
    open_pair(pair);
    open_pair(from);
    struct tdm_address source = local("127.0.0.1", from[0].port);
    struct tdm_address to = local("127.0.0.1", pair[0].port);

    for (uint32_t i = 0; i < N; i++) {
        values[i] = i;
        pieces[i] = (struct tdm_udp_piece){&values[i], sizeof values[i]};
    }
    tdm_time before = tdm_clock_now();

    assert_int_equal(send_to(&from[0], pair[0].port, pieces, N), N);
    while (got < N) {
        uint32_t count = receive(&pair[0]);

        for (uint32_t i = 0; i < count; i++, got++) {
            assert_int_equal(batch.datagrams[i].size, 4);
            assert_memory_equal(batch.bytes[i], &values[got], 4);
            assert_true(tdm_address_equal(&batch.datagrams[i].from, &source));
            assert_true(tdm_address_equal(&batch.datagrams[i].to, &to));
            assert_true(batch.datagrams[i].received <= tdm_clock_now());
            assert_true(batch.datagrams[i].received >= before - 100 * TDM_MS);
        }
    }
    assert_true(tdm_udp_receive(&pair[0], tdm_clock_now(), &batch) == TDM_E_AGAIN);
    assert_int_equal(batch.count, 0);
    close_pair(pair);
    close_pair(from);
}

/* The kernel's stamp is of arrival, not of the moment when we look. */
/* Whatever sizes follow one another, each piece arrives as its own datagram, in order. */
static void test_sizes(void **state)
{
    static const size_t rows[][TDM_UDP_BATCH] = {
        {1200, 1200, 1200, 500, 1200, 1200},
        {100, 200, 300, 300, 300, 299, 299, 1},
        {1, 1, 1, 1, 2, 2, 1, 1472, 1472},
        {2000, 2000, 2000, 2000, 100}, /* Over this path's size of a packet, or not. */
        {1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400,
         1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400,
         1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400},
        {50, 0, 50, 50, 0},
    };
    static uint8_t bytes[TDM_UDP_BATCH][2000];
    struct tdm_udp pair[2];

    (void)state;
    open_pair(pair);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct tdm_udp_piece pieces[TDM_UDP_BATCH];
        uint32_t count = 0, got = 0;

        while (count < TDM_UDP_BATCH && (rows[r][count] || r == 5) && (r != 5 || count < 5)) {
            memset(bytes[count], (int)(r * 40 + count), sizeof bytes[count]);
            pieces[count] = (struct tdm_udp_piece){bytes[count], rows[r][count]};
            count++;
        }
        assert_int_equal(send_to(&pair[0], pair[1].port, pieces, count), count);
        while (got < count) {
            uint32_t more = receive(&pair[1]);

            for (uint32_t i = 0; i < more; i++, got++) {
                assert_int_equal(batch.datagrams[i].size, rows[r][got]);
                assert_memory_equal(batch.bytes[i], bytes[got], rows[r][got]);
            }
        }
        assert_int_equal(got, count);
    }
    close_pair(pair);
}

static void test_stamp_is_of_arrival(void **state)
{
    struct tdm_udp pair[2];

    (void)state;
    open_pair(pair);
    /* The kernel begins to stamp a little after the first socket of all asks for it. */
    (void)tdm_wait_until(tdm_clock_now() + 100 * TDM_MS, -1, -1);
    assert_int_equal(send_to(&pair[1], pair[0].port, &(struct tdm_udp_piece){"abc", 3}, 1), 1);
    tdm_time sent = tdm_clock_now();

    (void)tdm_wait_until(sent + 300 * TDM_MS, -1, -1);
    assert_int_equal(receive(&pair[0]), 1);
    assert_true(batch.datagrams[0].received < sent + 150 * TDM_MS);
    close_pair(pair);
}

/* A datagram that does not fit comes as none at all, so that nobody takes its head for the whole.
 */
static void test_too_big(void **state)
{
    static uint8_t big[TDM_UDP_DATAGRAM_BYTES + 1];
    struct tdm_udp pair[2];

    (void)state;
    open_pair(pair);
    struct tdm_udp_piece pieces[] = {
        {big, sizeof big}, {big, TDM_UDP_DATAGRAM_BYTES}, {big, 0}, {big, 7}};

    assert_int_equal(send_to(&pair[1], pair[0].port, pieces, 4), 4);
    assert_int_equal(receive(&pair[0]), 4);
    assert_int_equal(batch.datagrams[0].size, 0);
    assert_int_equal(batch.datagrams[1].size, TDM_UDP_DATAGRAM_BYTES);
    assert_int_equal(batch.datagrams[2].size, 0);
    assert_int_equal(batch.datagrams[3].size, 7);
    close_pair(pair);
}

/* Nobody listens there: sending goes on, and what comes from elsewhere is still received. */
static void test_nobody_there(void **state)
{
    struct tdm_udp pair[2], closed[2];

    (void)state;
    open_pair(pair);
    open_pair(closed);
    close_pair(closed);
    for (int i = 0; i < 5; i++)
        (void)send_to(&pair[0], closed[0].port, &(struct tdm_udp_piece){"x", 1}, 1);
    assert_int_equal(send_to(&pair[1], pair[0].port, &(struct tdm_udp_piece){"y", 1}, 1), 1);
    assert_int_equal(receive(&pair[0]), 1);
    close_pair(pair);
}

/* A socket for all addresses is reached over both families, says at which address of ours, and
 * sends from the one that it is told. */
static void test_all_addresses(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "::1"};
    struct tdm_udp pair[2], from[2];

    (void)state;
    open_at(NULL, pair);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct tdm_address to = local(hosts[i], pair[0].port);
        struct tdm_cause cause;

        if (to.family > pair[0].family || tdm_udp_open_pair(hosts[i], 0, 0, from, &cause))
            continue; /* No IPv6 here. */
        struct tdm_address source = local(hosts[i], from[0].port);

        assert_int_equal(tdm_udp_send(&from[0], &anywhere, &to, &(struct tdm_udp_piece){"a", 1}, 1),
                         1);
        assert_int_equal(receive(&pair[0]), 1);
        assert_true(tdm_address_equal(&batch.datagrams[0].from, &source));
        assert_true(tdm_address_equal(&batch.datagrams[0].to, &to));
        assert_int_equal(tdm_udp_send(&pair[0], &to, &source, &(struct tdm_udp_piece){"b", 1}, 1),
                         1);
        assert_int_equal(receive(&from[0]), 1);
        assert_true(tdm_address_equal(&batch.datagrams[0].from, &to));
        close_pair(from);
    }
    close_pair(pair);
}

/* The mark of congestion control goes out and comes in, on either family. */
static void test_marks(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    struct tdm_udp pair[2];

    (void)state;
    open_at(NULL, pair);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        for (int marked = 0; marked < 2; marked++) {
            struct tdm_address to = local(hosts[i], pair[0].port);

            if (to.family > pair[0].family)
                continue; /* No IPv6 here. */
            tdm_udp_mark(&pair[1], marked);
            if (tdm_udp_send(&pair[1], &anywhere, &to, &(struct tdm_udp_piece){"a", 1}, 1) != 1)
                continue;
            assert_int_equal(receive(&pair[0]), 1);
            assert_int_equal(batch.datagrams[0].ecn, marked);
        }
    close_pair(pair);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        uint8_t socket;
        int family; /* 0: not to be reached from there. */
    } rows[] = {{"127.0.0.1", TDM_IPV4, AF_INET},
                {"127.0.0.1", TDM_IPV6, AF_INET6},
                {"2001:db8::1", TDM_IPV6, AF_INET6},
                {"2001:db8::1", TDM_IPV4, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tdm_address a = local(rows[i].text, 5), back;
        struct sockaddr_storage to;
        socklen_t size;
        bool reached = tdm_udp_sockaddr(&a, rows[i].socket, &to, &size);

        assert_int_equal(reached, rows[i].family != 0);
        if (!reached)
            continue;
        assert_int_equal(to.ss_family, rows[i].family);
        tdm_udp_address_of(&to, &back);
        assert_true(tdm_address_equal(&a, &back));
    }
}

static void test_local_address(void **state)
{
    struct tdm_cause cause;
    char ours[64];

    (void)state;
    assert_true(tdm_udp_local_address("127.0.0.1", ours, sizeof ours, &cause) == TDM_OK);
    assert_string_equal(ours, "127.0.0.1");
    assert_true(tdm_udp_local_address("127.0.0.1", ours, 4, &cause) == TDM_E_SPACE);
    assert_true(tdm_udp_local_address("host", ours, sizeof ours, &cause) == TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),         cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_batches),       cmocka_unit_test(test_stamp_is_of_arrival),
        cmocka_unit_test(test_too_big),       cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_all_addresses), cmocka_unit_test(test_marks),
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_local_address),
        cmocka_unit_test(test_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

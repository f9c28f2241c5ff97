/* SPDX-License-Identifier: MIT */
/* INVITEs that do not fit into a datagram, between SIP backends on loopback: over TCP where the
 * other side takes it, over UDP where it refuses, drops or breaks it. */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "signalling/signalling.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT     (20 * TDM_S)
#define LARGE    3000
#define FILL_MAX 16
#define SMALL    31

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;
static char offer_text[LARGE];

static struct tdm_sig *open_sip(unsigned transports)
{
    struct tdm_sig *sig = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {.bind_address = "127.0.0.1",
                                    .port = (uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2),
                                    .port_may_change = true,
                                    .transports = transports};

    if (sip->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return sig;
}

static struct tdm_sig_event expect(struct tdm_sig *sig, enum tdm_sig_kind kind)
{
    tdm_time deadline = tdm_clock_now() + WAIT;
    struct tdm_sig_event event;

    while (sip->next(sig, &event) != TDM_OK)
        if (tdm_wait_until(deadline, sip->fd(sig), -1) == TDM_WAIT_TIME)
            fail_msg("no event %d came", (int)kind);
    if (event.kind != kind)
        fail_msg("event %d (\"%s\") instead of %d", (int)event.kind, event.reason, (int)kind);
    return event;
}

static tdm_sig_id call(struct tdm_sig *from, struct tdm_sig *to, const char *transport, size_t size)
{
    struct tdm_sig_body offer = {.data = offer_text, .size = size};
    struct tdm_cause cause = {""};
    char uri[80];
    tdm_sig_id id = 0;

    memset(offer_text, 'x', sizeof offer_text);
    memcpy(offer_text, "v=0\r\n", 5);
    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u%s", sip->port(to), transport);
    if (sip->call(from, 0, uri, &offer, &id, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return id;
}

/* It rings once, is taken, and both can end it. */
static void talk(struct tdm_sig *a, struct tdm_sig *b, tdm_sig_id id, bool b_ends)
{
    struct tdm_sig_body answer = {.data = offer_text, .size = SMALL};
    struct tdm_sig_event in = expect(b, TDM_SIG_CALL_IN);

    assert_int_equal(in.body_size, LARGE);
    assert_int_equal(sip->accept(b, in.id, &answer), TDM_OK);
    assert_int_equal(expect(a, TDM_SIG_ACCEPTED).id, id);
    (void)expect(b, TDM_SIG_CONFIRMED);
    assert_int_equal(b_ends ? sip->hangup(b, in.id, "") : sip->hangup(a, id, ""), TDM_OK);
    assert_int_equal(expect(a, TDM_SIG_ENDED).id, id);
    assert_int_equal(expect(b, TDM_SIG_ENDED).id, in.id);
}

static void close_both(struct tdm_sig *a, struct tdm_sig *b)
{
    struct tdm_sig_event event;

    assert_int_equal(sip->next(a, &event), TDM_E_AGAIN);
    assert_int_equal(sip->next(b, &event), TDM_E_AGAIN);
    sip->close(a);
    sip->close(b);
}

static void go_over_tcp(void **state)
{
    struct tdm_sig *a = open_sip(0), *b = open_sip(TDM_SIG_TCP);

    (void)state;
    (void)call(a, b, "", SMALL); /* b has no UDP: so what arrives came over TCP. */
    (void)expect(a, TDM_SIG_FAILED);
    talk(a, b, call(a, b, "", LARGE), false);
    talk(a, b, call(a, b, "", LARGE), true);
    (void)call(a, b, ";transport=udp", LARGE); /* Who names a transport gets it. */
    (void)expect(a, TDM_SIG_FAILED);
    close_both(a, b);
}

static void go_over_udp_where_tcp_is_refused(void **state)
{
    struct tdm_sig *a = open_sip(0), *b = open_sip(TDM_SIG_UDP);

    (void)state;
    talk(a, b, call(a, b, "", LARGE), false);
    talk(a, b, call(a, b, "", LARGE), true);
    close_both(a, b);
}

static int listen_at(uint16_t port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, backlog))
        fail_msg("port %u is taken for TCP", port);
    return fd;
}

/* A full backlog: from now on the kernel drops what wants to connect, as a filter would. */
static int fill(uint16_t port, int fds[FILL_MAX])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int count = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (count < FILL_MAX) {
        struct pollfd poll_fd = {.events = POLLOUT};

        poll_fd.fd = fds[count] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[count++], (struct sockaddr *)&address, sizeof address);
        if (poll(&poll_fd, 1, 200) == 0)
            return count;
    }
    fail_msg("the backlog is never full");
    return count;
}

static void go_over_udp_where_tcp_is_dropped(void **state)
{
    struct tdm_sig *a = open_sip(0), *b = open_sip(TDM_SIG_UDP);
    int fds[FILL_MAX];
    int fd = listen_at(sip->port(b), 0);
    int count = fill(sip->port(b), fds);

    (void)state;
    talk(a, b, call(a, b, "", LARGE), false);

    tdm_sig_id id = call(a, b, "", LARGE); /* Given up while nobody knows yet. */

    assert_int_equal(sip->hangup(a, id, ""), TDM_OK);
    assert_int_equal(expect(a, TDM_SIG_ENDED).id, id);
    (void)call(a, b, "", LARGE);
    close_both(a, b);
    while (count--)
        (void)close(fds[count]);
    (void)close(fd);
}

/* Takes each connection and breaks it, until it cannot. */
static void *slam(void *arg)
{
    int door = *(int *)arg, fd;

    while ((fd = accept(door, NULL, NULL)) >= 0) {
        const struct linger reset = {.l_onoff = 1};

        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        (void)close(fd);
    }
    return NULL;
}

static void go_over_udp_where_tcp_breaks(void **state)
{
    struct tdm_sig *a = open_sip(0), *b = open_sip(TDM_SIG_UDP);
    int door = listen_at(sip->port(b), 8);
    struct tdm_cause cause = {""};
    pthread_t thread;

    (void)state;
    assert_int_equal(
        tdm_thread_start(&thread, "slam", TDM_PRIORITY_NORMAL, slam, &door, NULL, &cause), TDM_OK);
    talk(a, b, call(a, b, "", LARGE), true);
    close_both(a, b);
    (void)shutdown(door, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_over_tcp),
        cmocka_unit_test(go_over_udp_where_tcp_is_refused),
        cmocka_unit_test(go_over_udp_where_tcp_is_dropped),
        cmocka_unit_test(go_over_udp_where_tcp_breaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

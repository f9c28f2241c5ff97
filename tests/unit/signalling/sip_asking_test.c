/* SPDX-License-Identifier: MIT */
/* Requests outside of a call, between SIP backends on loopback: messages, and a call back to whom
 * was asked through a service. Waits are for events and bounded; nothing is measured. */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "signalling/call_perform.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT (20 * TDM_S)

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;

static struct tdm_sig *open_sip(unsigned transports, bool may_be_asked_back)
{
    struct tdm_sig *sig = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {.bind_address = "127.0.0.1",
                                    .port = (uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2),
                                    .port_may_change = true,
                                    .transports = transports,
                                    .may_be_asked_back = may_be_asked_back};

    if (sip->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return sig;
}

static struct tdm_sig_event next_of(struct tdm_sig *sig)
{
    tdm_time deadline = tdm_clock_now() + WAIT;
    struct tdm_sig_event event;

    while (sip->next(sig, &event) != TDM_OK)
        if (tdm_wait_until(deadline, sip->fd(sig), -1) == TDM_WAIT_TIME)
            fail_msg("no event came");
    return event;
}

static tdm_sig_id say(struct tdm_sig *from, uint16_t port, const char *transport, size_t size)
{
    static char text[TDM_SIG_BODY_MAX];
    struct tdm_sig_body body = {"text/plain", text, size};
    struct tdm_cause cause = {""};
    char uri[80];
    tdm_sig_id id = 0;

    memset(text, 'x', sizeof text);
    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u%s", port, transport);
    if (sip->message(from, 0, uri, &body, &id, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return id;
}

static void messages_of_any_size_arrive(void **state)
{
    static const size_t sizes[] = {1, 600, 1200, 5000, TDM_SIG_BODY_MAX};
    struct tdm_sig *a = open_sip(0, false), *b = open_sip(0, false);

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        tdm_sig_id id = say(a, sip->port(b), "", sizes[i]);
        struct tdm_sig_event in = next_of(b), done = next_of(a);

        assert_int_equal(in.kind, TDM_SIG_MESSAGE_IN);
        assert_int_equal(in.body_size, sizes[i]);
        assert_int_equal(in.body[sizes[i] - 1], 'x');
        assert_string_equal(in.content_type, "text/plain");
        assert_non_null(strstr(in.from, "sip:tandem@127.0.0.1"));
        if (done.kind != TDM_SIG_MESSAGE_DONE)
            fail_msg("size %zu: event %d, %s", sizes[i], (int)done.kind, done.reason);
        assert_int_equal(done.id, id);
        assert_int_equal(done.code, 200);
    }
    sip->close(a);
    sip->close(b);
}

/* What is larger than a datagram may be does not leave as one. */
static void large_messages_go_over_tcp(void **state)
{
    struct tdm_sig *a = open_sip(0, false), *b = open_sip(TDM_SIG_UDP, false);

    (void)state;
    (void)say(a, sip->port(b), "", 100);
    assert_int_equal(next_of(b).kind, TDM_SIG_MESSAGE_IN);
    assert_int_equal(next_of(a).kind, TDM_SIG_MESSAGE_DONE);
    (void)say(a, sip->port(b), "", 2000);

    struct tdm_sig_event failed = next_of(a);

    assert_int_equal(failed.kind, TDM_SIG_FAILED);
    assert_non_null(strstr(failed.reason, "(TCP)"));
    sip->close(b);

    (void)say(a, 9, "", 10); /* Nobody is there at all: told by ICMP at once. */
    assert_int_equal(next_of(a).kind, TDM_SIG_FAILED);
    assert_int_equal(sip->message(a, 0, "sip:bob@127.0.0.1",
                                  &(struct tdm_sig_body){"text/plain\r\nVia: x", "y", 1},
                                  &(tdm_sig_id){0}, NULL),
                     TDM_E_UNSUPPORTED);
    sip->close(a);
}

/* A service that passes datagrams on, and an address where nothing is ever heard: bob sits behind
 * a gateway that only the service gets through. */
struct service {
    int fd, deaf_fd;
    uint16_t port, deaf_port, bob_port;
    pthread_t thread;
    atomic_bool stop;
};

static uint16_t bind_any(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    *fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void *serve(void *arg)
{
    struct service *s = arg;
    struct sockaddr_in from = {0}, alice = {0};
    struct sockaddr_in bob = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(s->bob_port)};
    char data[4096];

    while (!atomic_load(&s->stop)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        socklen_t size = sizeof from;
        ssize_t got;

        if (poll(&p, 1, 20) <= 0)
            continue;
        got = recvfrom(s->fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
        if (got <= 0)
            continue;
        if (from.sin_port != bob.sin_port && !alice.sin_port && memcmp(data, "REFER", 5) == 0)
            alice = from;
        const struct sockaddr_in *to = from.sin_port == bob.sin_port ? &alice : &bob;

        if (to->sin_port)
            (void)sendto(s->fd, data, (size_t)got, 0, (const struct sockaddr *)to, sizeof *to);
    }
    return NULL;
}

struct person {
    struct tdm_sig *sig;
    struct tdm_call_machine machine;
    struct tdm_call_out out;
    tdm_time wake_at;
};

static void person_open(struct person *p, uint16_t port, uint64_t seed)
{
    struct tdm_capability c;

    memset(p, 0, sizeof *p);
    memset(&c, 0, sizeof c);
    c.plain = true;
    (void)snprintf(c.address, sizeof c.address, "127.0.0.1");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_OPUS, 96, 48000, 2, NULL);
    c.media[TDM_AUDIO].wanted = true;
    c.media[TDM_AUDIO].direction = TDM_SENDRECV;
    c.media[TDM_AUDIO].port = port;
    p->sig = open_sip(0, true);
    tdm_call_init(&p->machine, &c, seed);
    p->machine.ask_back_after = 300 * TDM_MS;
    p->wake_at = TDM_NEVER;
}

static void person_step(struct person *p, const struct tdm_call_in *in)
{
    tdm_time now = tdm_clock_now();

    tdm_call_step(&p->machine, now, in, &p->out);
    tdm_call_perform(&p->machine, now, sip, p->sig, &p->out);
    p->wake_at = p->out.wake_at;
}

static void person_run(struct person *p)
{
    struct tdm_sig_event event;

    while (sip->next(p->sig, &event) == TDM_OK) {
        person_step(p, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = &event});
        if (p->machine.state == TDM_CALL_INCOMING)
            person_step(p, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT});
    }
    if (p->wake_at <= tdm_clock_now())
        person_step(p, NULL);
}

static void run_until(struct person *a, struct person *b, enum tdm_call_state state)
{
    tdm_time deadline = tdm_clock_now() + WAIT;

    while (a->machine.state != state || b->machine.state != state) {
        person_run(a);
        person_run(b);
        if (tdm_clock_now() > deadline)
            fail_msg("%s (%s) and %s (%s)", tdm_call_state_name(a->machine.state),
                     a->machine.reason, tdm_call_state_name(b->machine.state), b->machine.reason);
        (void)tdm_wait_until(tdm_clock_now() + 20 * TDM_MS, sip->fd(a->sig), sip->fd(b->sig));
    }
}

static void a_closed_side_calls_back(void **state)
{
    struct person *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    struct service s = {.fd = -1};
    char uri[80], service[80], callback[80];

    (void)state;
    assert_true(a && b);
    person_open(a, 7000, 1);
    person_open(b, 8000, 2);
    s.port = bind_any(&s.fd);
    s.deaf_port = bind_any(&s.deaf_fd);
    s.bob_port = sip->port(b->sig);
    assert_int_equal(
        tdm_thread_start(&s.thread, "service", TDM_PRIORITY_NORMAL, serve, &s, NULL, NULL), TDM_OK);
    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u", s.deaf_port);
    (void)snprintf(service, sizeof service, "sip:127.0.0.1:%u", s.port);
    (void)snprintf(callback, sizeof callback, "127.0.0.1:%u", sip->port(a->sig));
    person_step(a,
                &(struct tdm_call_in){
                    .kind = TDM_CALL_DIAL, .uri = uri, .service = service, .callback = callback});
    run_until(a, b, TDM_CALL_UP);
    assert_true(a->machine.outgoing && !b->machine.outgoing);
    assert_int_equal(a->machine.back, TDM_BACK_DIALED);
    assert_int_equal(a->machine.negotiated.media[TDM_AUDIO].remote_port, 8000);
    assert_int_equal(b->machine.negotiated.media[TDM_AUDIO].remote_port, 7000);
    person_step(b, &(struct tdm_call_in){.kind = TDM_CALL_HOLD});
    for (int i = 0; i < 1000 && !a->machine.held_remote; i++) {
        person_run(a);
        person_run(b);
        (void)tdm_wait_until(tdm_clock_now() + 20 * TDM_MS, sip->fd(a->sig), sip->fd(b->sig));
    }
    assert_true(a->machine.held_remote);
    person_step(a, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
    run_until(a, b, TDM_CALL_ENDED);
    assert_int_equal(b->machine.end, TDM_END_REMOTE);
    atomic_store(&s.stop, true);
    (void)pthread_join(s.thread, NULL);
    (void)close(s.fd);
    (void)close(s.deaf_fd);
    sip->close(a->sig);
    sip->close(b->sig);
    free(a);
    free(b);
}

/* Straight, without machines: what each of the two hears. */
static void asking_back_is_agreed_or_refused(void **state)
{
    struct tdm_sig *a = open_sip(0, false), *b = open_sip(0, true);
    char uri[80];
    tdm_sig_id id = 0;

    (void)state;
    (void)snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", sip->port(b));
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sip->invite_back(a, uri, NULL, "sip:back-7@127.0.0.1:5999", &id, NULL),
                         TDM_OK);

        struct tdm_sig_event in = next_of(b), end;

        assert_int_equal(in.kind, TDM_SIG_INVITED_BACK);
        assert_string_equal(in.to, "sip:back-7@127.0.0.1:5999");
        assert_int_equal(round ? sip->reject(b, in.id, round == 1 ? 603 : 486)
                               : sip->accept(b, in.id, NULL),
                         TDM_OK);
        end = next_of(a);
        assert_int_equal(end.kind, round ? TDM_SIG_REFUSED : TDM_SIG_BACK_AGREED);
        assert_int_equal(end.code, round == 0 ? 202 : round == 1 ? 603 : 486);
        assert_int_equal(end.id, id);
        if (round)
            assert_int_equal(next_of(b).kind, TDM_SIG_ENDED);
    }
    /* The other way it is not allowed, and a bad target is no target. */
    (void)snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", sip->port(a));
    assert_int_equal(sip->invite_back(b, uri, NULL, "sip:c@127.0.0.1", &id, NULL), TDM_OK);
    assert_int_equal(next_of(b).code, 405);
    assert_int_equal(sip->invite_back(b, uri, NULL, "not an address", &id, NULL), TDM_E_MALFORMED);
    /* What is still asked when a backend closes leaves nothing behind. */
    (void)snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", sip->port(b));
    assert_int_equal(sip->invite_back(a, uri, NULL, "sip:c@127.0.0.1", &id, NULL), TDM_OK);
    assert_int_equal(next_of(b).kind, TDM_SIG_INVITED_BACK);
    assert_int_equal(sip->hangup(a, id, NULL), TDM_OK);
    assert_int_equal(next_of(a).kind, TDM_SIG_ENDED);
    sip->close(b);
    sip->close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_size_arrive),
        cmocka_unit_test(large_messages_go_over_tcp),
        cmocka_unit_test(a_closed_side_calls_back),
        cmocka_unit_test(asking_back_is_agreed_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

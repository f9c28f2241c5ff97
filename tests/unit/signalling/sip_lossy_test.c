/* SPDX-License-Identifier: MIT */
/*
 * Two SIP backends on loopback with a relay between them that loses chosen datagrams. Whatever is
 * lost once or twice, the call comes up and ends by retransmission, long before any transaction
 * gives up (32 s).
 */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/signalling.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT (10 * TDM_S)

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;
static const struct tdm_sig_body offer_body = {.data = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n",
                                               .size = 31};
static const struct tdm_sig_body answer_body = {.data = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\n",
                                                .size = 31};

/* --- The relay ------------------------------------------------------------------------------- */

/* Side 0 and 1 each see the other one at a port of the relay. */
struct relay {
    int fd[2];             /* The socket that side i talks to. */
    uint16_t at[2], to[2]; /* Its port; the port of side i itself. */
    pthread_t thread;
    pthread_mutex_t lock; /* Of what follows. */
    char start[24];       /* A datagram that starts so */
    char cseq[24];        /* and has this method in CSeq */
    int drop;             /* is lost, so many more times. */
    atomic_int lost;
    atomic_bool stop;
};

static int socket_of(uint16_t *port)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t size = sizeof local;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    do /* Five digits, so that a port can be written over another. */
        local.sin_port = htons((uint16_t)(50000 + tdm_entropy_u64() % 10000));
    while (bind(fd, (struct sockaddr *)&local, sizeof local) != 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &size), 0);
    *port = ntohs(local.sin_port);
    return fd;
}

static bool loses(struct relay *relay, const char *text)
{
    const char *cseq = strstr(text, "\r\nCSeq: ");
    char method[24] = "";
    bool hit;

    if (cseq)
        (void)sscanf(cseq, "\r\nCSeq: %*u %23s", method);
    (void)pthread_mutex_lock(&relay->lock);
    hit = relay->drop > 0 && strncmp(text, relay->start, strlen(relay->start)) == 0 &&
          strcmp(method, relay->cseq) == 0;
    relay->drop -= hit;
    (void)pthread_mutex_unlock(&relay->lock);
    relay->lost += hit;
    return hit;
}

/* What comes later must come this way, too: the Contact of `side` becomes a port of the relay. */
static void pass(struct relay *relay, int side, char *text, size_t size)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(relay->to[1 - side])};
    char *contact = strstr(text, "\r\nContact: <");
    char own[16], ours[16];
    char *at;

    (void)snprintf(own, sizeof own, ".1:%u", relay->to[side]);
    (void)snprintf(ours, sizeof ours, ".1:%u", relay->at[1 - side]);
    if (contact && (at = strstr(contact, own)))
        memcpy(at, ours, strlen(ours));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)sendto(relay->fd[1 - side], text, size, 0, (struct sockaddr *)&to, sizeof to);
}

static void *relay_run(void *arg)
{
    struct relay *relay = arg;
    char text[8192];

    while (!relay->stop) {
        struct pollfd fds[2] = {{.fd = relay->fd[0], .events = POLLIN},
                                {.fd = relay->fd[1], .events = POLLIN}};

        (void)poll(fds, 2, 20);
        for (int side = 0; side < 2; side++) {
            ssize_t size = fds[side].revents ? recv(relay->fd[side], text, sizeof text - 1, 0) : -1;

            text[size > 0 ? size : 0] = '\0';
            if (size > 0 && !loses(relay, text))
                pass(relay, side, text, (size_t)size);
        }
    }
    return NULL;
}

/* From now on the first `count` datagrams of a kind are lost. */
static void lose(struct relay *relay, const char *start, const char *cseq, int count)
{
    (void)pthread_mutex_lock(&relay->lock);
    (void)snprintf(relay->start, sizeof relay->start, "%s", start);
    (void)snprintf(relay->cseq, sizeof relay->cseq, "%s", cseq);
    relay->drop = count;
    (void)pthread_mutex_unlock(&relay->lock);
    relay->lost = 0;
}

static void await_lost(struct relay *relay, int count)
{
    tdm_time deadline = tdm_clock_now() + WAIT;

    while (relay->lost < count && tdm_clock_now() < deadline)
        (void)tdm_wait_until(tdm_clock_now() + 5 * TDM_MS, -1, -1);
    assert_int_equal(relay->lost, count);
}

/* --- A call over it -------------------------------------------------------------------------- */

struct pair {
    struct relay relay;
    struct tdm_sig *sig[2];
    tdm_sig_id id[2];
};

static struct tdm_sig *open_sip(void)
{
    struct tdm_sig *sig = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {.bind_address = "127.0.0.1",
                                    .port = (uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2),
                                    .port_may_change = true};

    if (sip->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return sig;
}

static void pair_open(struct pair *p)
{
    memset(p, 0, sizeof *p);
    assert_int_equal(pthread_mutex_init(&p->relay.lock, NULL), 0);
    for (int i = 0; i < 2; i++) {
        p->sig[i] = open_sip();
        p->relay.to[i] = sip->port(p->sig[i]);
        p->relay.fd[i] = socket_of(&p->relay.at[i]);
    }
    assert_int_equal(pthread_create(&p->relay.thread, NULL, relay_run, &p->relay), 0);
}

static void pair_close(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        sip->close(p->sig[i]);
    p->relay.stop = true;
    (void)pthread_join(p->relay.thread, NULL);
    for (int i = 0; i < 2; i++)
        (void)close(p->relay.fd[i]);
    (void)pthread_mutex_destroy(&p->relay.lock);
}

static struct tdm_sig_event next(struct pair *p, int side)
{
    tdm_time deadline = tdm_clock_now() + WAIT;
    struct tdm_sig_event event;

    while (sip->next(p->sig[side], &event) != TDM_OK)
        if (tdm_wait_until(deadline, sip->fd(p->sig[side]), -1) == TDM_WAIT_TIME)
            fail_msg("side %d: nothing came (%s %s lost %d times)", side, p->relay.start,
                     p->relay.cseq, p->relay.lost);
    return event;
}

static struct tdm_sig_event expect(struct pair *p, int side, enum tdm_sig_kind kind)
{
    struct tdm_sig_event event = next(p, side);

    if (event.kind != kind)
        fail_msg("side %d: event %d (\"%s\") instead of %d (%s %s lost %d times)", side,
                 (int)event.kind, event.reason, (int)kind, p->relay.start, p->relay.cseq,
                 p->relay.lost);
    return event;
}

static void expect_nothing(struct pair *p)
{
    struct tdm_sig_event event;

    for (int side = 0; side < 2; side++)
        assert_int_equal(sip->next(p->sig[side], &event), TDM_E_AGAIN);
}

static void dial(struct pair *p)
{
    struct tdm_cause cause = {""};
    char uri[64];

    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u", p->relay.at[0]);
    assert_int_equal(sip->call(p->sig[0], 0, uri, &offer_body, &p->id[0], &cause), TDM_OK);
    p->id[1] = expect(p, 1, TDM_SIG_CALL_IN).id;
}

static void bring_up(struct pair *p, bool ringing_lost)
{
    dial(p);
    assert_int_equal(sip->ring(p->sig[1], p->id[1]), TDM_OK);
    if (!ringing_lost)
        (void)expect(p, 0, TDM_SIG_RINGING);
    else
        await_lost(&p->relay, 1);
    assert_int_equal(sip->accept(p->sig[1], p->id[1], &answer_body), TDM_OK);

    struct tdm_sig_event event = expect(p, 0, TDM_SIG_ACCEPTED);

    assert_int_equal(event.body_size, answer_body.size);
    (void)expect(p, 1, TDM_SIG_CONFIRMED);
}

static void reoffer(struct pair *p, int from)
{
    assert_int_equal(sip->offer(p->sig[from], p->id[from], &answer_body), TDM_OK);
    (void)expect(p, 1 - from, TDM_SIG_OFFER);
    assert_int_equal(sip->answer(p->sig[1 - from], p->id[1 - from], &offer_body, 0), TDM_OK);
    (void)expect(p, from, TDM_SIG_ANSWER);
}

static void hang_up(struct pair *p, int side)
{
    assert_int_equal(sip->hangup(p->sig[side], p->id[side], NULL), TDM_OK);
    (void)expect(p, side, TDM_SIG_ENDED);
    (void)expect(p, 1 - side, TDM_SIG_ENDED);
}

struct loss {
    const char *start, *cseq;
};

static void comes_up_through_losses(void **state)
{
    static const struct loss losses[] = {
        {"INVITE ", "INVITE"},
        {"SIP/2.0 200 ", "INVITE"},
        {"ACK ", "ACK"},
    };

    (void)state;
    for (int count = 1; count <= 2; count++)
        for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
            struct pair p;

            pair_open(&p);
            lose(&p.relay, losses[i].start, losses[i].cseq, count);
            bring_up(&p, false);
            assert_int_equal(p.relay.lost, count);
            hang_up(&p, (int)i & 1);
            expect_nothing(&p);
            pair_close(&p);
        }
}

/* It is not sent again: the call goes on without. */
static void needs_no_ringing(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p);
    lose(&p.relay, "SIP/2.0 180 ", "INVITE", 1);
    bring_up(&p, true);
    hang_up(&p, 0);
    expect_nothing(&p);
    pair_close(&p);
}

static void changes_through_losses(void **state)
{
    static const struct loss losses[] = {
        {"INVITE ", "INVITE"},
        {"SIP/2.0 200 ", "INVITE"},
        {"ACK ", "ACK"},
    };
    struct pair p;

    (void)state;
    pair_open(&p);
    bring_up(&p, false);
    for (int count = 1; count <= 2; count++)
        for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
            lose(&p.relay, losses[i].start, losses[i].cseq, count);
            reoffer(&p, (int)i & 1);
            await_lost(&p.relay, count);
            /* One more: what was lost has come in the end, so nothing is pending. */
            for (;;) {
                struct tdm_sig_event event;

                assert_int_equal(sip->offer(p.sig[0], p.id[0], &offer_body), TDM_OK);
                (void)tdm_wait_until(tdm_clock_now() + WAIT, sip->fd(p.sig[1]), sip->fd(p.sig[0]));
                if (sip->next(p.sig[0], &event) == TDM_E_AGAIN)
                    break;
                assert_int_equal(event.kind, TDM_SIG_OFFER_REFUSED);
                assert_int_equal(event.code, 491);
                (void)tdm_wait_until(tdm_clock_now() + 100 * TDM_MS, -1, -1);
            }
            (void)expect(&p, 1, TDM_SIG_OFFER);
            assert_int_equal(sip->answer(p.sig[1], p.id[1], NULL, 488), TDM_OK);
            (void)expect(&p, 0, TDM_SIG_OFFER_REFUSED);
        }
    hang_up(&p, 0);
    pair_close(&p);
}

static void ends_through_losses(void **state)
{
    static const struct loss losses[] = {{"BYE ", "BYE"}, {"SIP/2.0 200 ", "BYE"}};

    (void)state;
    for (int count = 1; count <= 2; count++)
        for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
            struct pair p;

            pair_open(&p);
            bring_up(&p, false);
            lose(&p.relay, losses[i].start, losses[i].cseq, count);
            hang_up(&p, count - 1);
            await_lost(&p.relay, count);
            expect_nothing(&p);
            pair_close(&p);
        }
}

static void gives_up_through_losses(void **state)
{
    static const struct loss losses[] = {
        {"CANCEL ", "CANCEL"},
        {"SIP/2.0 200 ", "CANCEL"},
        {"SIP/2.0 487 ", "INVITE"},
        {"ACK ", "ACK"},
    };

    (void)state;
    for (int count = 1; count <= 2; count++)
        for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
            struct pair p;

            pair_open(&p);
            dial(&p);
            assert_int_equal(sip->ring(p.sig[1], p.id[1]), TDM_OK);
            (void)expect(&p, 0, TDM_SIG_RINGING);
            lose(&p.relay, losses[i].start, losses[i].cseq, count);
            hang_up(&p, 0);
            await_lost(&p.relay, count);
            expect_nothing(&p);
            pair_close(&p);
        }
}

/* The called side has accepted, the caller does not know it yet and gives up. */
static void a_cancel_that_crosses_the_200_ends_the_call(void **state)
{
    struct pair p;
    struct tdm_sig_event event;

    (void)state;
    pair_open(&p);
    dial(&p);
    assert_int_equal(sip->ring(p.sig[1], p.id[1]), TDM_OK);
    (void)expect(&p, 0, TDM_SIG_RINGING);
    lose(&p.relay, "SIP/2.0 200 ", "INVITE", 1);
    assert_int_equal(sip->accept(p.sig[1], p.id[1], &answer_body), TDM_OK);
    await_lost(&p.relay, 1);
    assert_int_equal(sip->hangup(p.sig[0], p.id[0], NULL), TDM_OK);
    (void)expect(&p, 0, TDM_SIG_ENDED);
    event = next(&p, 1);
    if (event.kind == TDM_SIG_CONFIRMED) /* Its 200 was acknowledged, and the BYE follows. */
        event = next(&p, 1);
    assert_int_equal(event.kind, TDM_SIG_ENDED);
    expect_nothing(&p);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_up_through_losses),
        cmocka_unit_test(needs_no_ringing),
        cmocka_unit_test(changes_through_losses),
        cmocka_unit_test(ends_through_losses),
        cmocka_unit_test(gives_up_through_losses),
        cmocka_unit_test(a_cancel_that_crosses_the_200_ends_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Presence straight between two SIP backends on loopback, and messages in a burst. Waits are for
 * events and bounded; nothing is measured. */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/pidf.h"
#include "signalling/signalling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WAIT (30 * TDM_S)

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;

static struct tdm_sig *open_at(uint16_t port, bool presence)
{
    struct tdm_sig *sig = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {
        .bind_address = "127.0.0.1", .port = port, .port_may_change = true, .presence = presence};

    if (sip->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return sig;
}

static struct tdm_sig *open_sip(bool presence)
{
    return open_at((uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2), presence);
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

/* The next of that kind; others may come before. */
static struct tdm_sig_event next_kind(struct tdm_sig *sig, enum tdm_sig_kind kind)
{
    struct tdm_sig_event event;

    do
        event = next_of(sig);
    while (event.kind != kind);
    return event;
}

static tdm_sig_id subscribe(struct tdm_sig *sig, uint16_t port, uint32_t expires_s)
{
    struct tdm_cause cause = {""};
    tdm_sig_id id = 0;
    char uri[64];

    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u", port);
    if (sip->subscribe(sig, 0, uri, "presence", expires_s, &id, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return id;
}

static void tell(struct tdm_sig *sig, tdm_sig_id watcher, enum tdm_sig_subscription state,
                 const char *text)
{
    struct tdm_sig_body body = {TDM_PIDF_TYPE, text, strlen(text)};

    assert_int_equal(sip->notify(sig, watcher, state, NULL, &body), TDM_OK);
}

static void watched_and_told(void **state)
{
    struct tdm_sig *a = open_sip(false), *b = open_sip(true);
    tdm_sig_id id = subscribe(a, sip->port(b), 600);
    struct tdm_sig_event in = next_kind(b, TDM_SIG_WATCHER_IN), event;

    (void)state;
    assert_int_equal(in.expires_s, 600);
    assert_string_equal(in.package, "presence");
    assert_non_null(strstr(in.from, "sip:tandem@127.0.0.1"));
    tell(b, in.id, TDM_SIG_SUBSCRIPTION_PENDING, "");
    event = next_kind(a, TDM_SIG_NOTIFIED);
    assert_int_equal(event.id, id);
    assert_int_equal(event.subscription, TDM_SIG_SUBSCRIPTION_PENDING);
    assert_int_equal(event.body_size, 0);
    for (int i = 0; i < 20; i++) { /* The last is told; of those before, what there is time for. */
        char text[32];

        (void)snprintf(text, sizeof text, "<state-%d/>", i);
        tell(b, in.id, TDM_SIG_SUBSCRIPTION_ACTIVE, text);
    }
    do {
        event = next_kind(a, TDM_SIG_NOTIFIED);
        assert_int_equal(event.subscription, TDM_SIG_SUBSCRIPTION_ACTIVE);
        assert_string_equal(event.content_type, TDM_PIDF_TYPE);
    } while (event.body_size != 11 || memcmp(event.body, "<state-19/>", 11) != 0);
    assert_int_equal(sip->release(a, id), TDM_OK);
    event = next_kind(b, TDM_SIG_WATCHER_IN); /* It takes its leave... */
    assert_int_equal(event.id, in.id);
    assert_int_equal(event.expires_s, 0);
    assert_int_equal(sip->notify(b, in.id, TDM_SIG_SUBSCRIPTION_TERMINATED, "timeout", NULL),
                     TDM_OK);
    assert_int_equal(next_kind(b, TDM_SIG_WATCHER_ENDED).id, in.id);
    assert_int_equal(next_kind(a, TDM_SIG_SUBSCRIPTION_ENDED).id, id);
    sip->close(a);
    sip->close(b);
}

static void asked_once(void **state)
{
    struct tdm_sig *a = open_sip(false), *b = open_sip(true);
    tdm_sig_id id = subscribe(a, sip->port(b), 0);
    struct tdm_sig_event in = next_kind(b, TDM_SIG_WATCHER_IN);

    (void)state;
    assert_int_equal(in.expires_s, 0);
    assert_int_equal(sip->notify(b, in.id, TDM_SIG_SUBSCRIPTION_TERMINATED, "timeout",
                                 &(struct tdm_sig_body){TDM_PIDF_TYPE, "<here/>", 7}),
                     TDM_OK);
    assert_int_equal(next_kind(a, TDM_SIG_NOTIFIED).body_size, 7);
    assert_int_equal(next_kind(a, TDM_SIG_SUBSCRIPTION_ENDED).id, id);
    sip->close(a);
    sip->close(b);
}

static void nobody_there_or_not_wanted(void **state)
{
    struct tdm_sig *a = open_sip(false), *deaf = open_sip(false), *b = open_sip(true);
    tdm_sig_id nobody = subscribe(a, 9, 600);
    struct tdm_sig_event event = next_kind(a, TDM_SIG_SUBSCRIPTION_WAITS), in;

    (void)state;
    assert_int_equal(event.id, nobody);
    assert_non_null(strstr(event.reason, "nothing listens"));
    assert_int_equal(sip->release(a, nobody), TDM_OK);
    assert_int_equal(next_kind(a, TDM_SIG_SUBSCRIPTION_ENDED).id, nobody);

    tdm_sig_id refused = subscribe(a, sip->port(deaf), 600);

    event = next_kind(a, TDM_SIG_SUBSCRIPTION_WAITS);
    assert_int_equal(event.id, refused);
    assert_int_equal(event.code, 489);

    tdm_sig_id rejected = subscribe(a, sip->port(b), 600);

    in = next_kind(b, TDM_SIG_WATCHER_IN);
    assert_int_equal(sip->notify(b, in.id, TDM_SIG_SUBSCRIPTION_TERMINATED, "rejected", NULL),
                     TDM_OK);
    event = next_kind(a, TDM_SIG_NOTIFIED);
    assert_int_equal(event.id, rejected);
    assert_int_equal(event.subscription, TDM_SIG_SUBSCRIPTION_TERMINATED);
    assert_string_equal(event.reason, "they do not want to be seen");
    sip->close(a);
    sip->close(deaf);
    sip->close(b);
}

/* The other side leaves in order, and is asked again by itself when it is back. */
static void back_again(void **state)
{
    struct tdm_sig *a = open_sip(false), *b = open_sip(true);
    uint16_t port = sip->port(b);
    tdm_sig_id id = subscribe(a, port, 600);
    struct tdm_sig_event in = next_kind(b, TDM_SIG_WATCHER_IN);

    (void)state;
    tell(b, in.id, TDM_SIG_SUBSCRIPTION_ACTIVE, "<one/>");
    (void)next_kind(a, TDM_SIG_NOTIFIED);
    sip->close(b);
    assert_int_equal(next_kind(a, TDM_SIG_NOTIFIED).subscription, TDM_SIG_SUBSCRIPTION_TERMINATED);
    b = open_at(port, true);
    if (sip->port(b) == port) { /* Nobody took it meanwhile. */
        in = next_kind(b, TDM_SIG_WATCHER_IN);
        tell(b, in.id, TDM_SIG_SUBSCRIPTION_ACTIVE, "<two/>");
        assert_int_equal(next_kind(a, TDM_SIG_NOTIFIED).id, id);
    }
    sip->close(a);
    sip->close(b);
}

static void say(struct tdm_sig *sig, uint16_t port, int number)
{
    struct tdm_cause cause = {""};
    char uri[64], text[32];
    tdm_sig_id id;

    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u", port);
    (void)snprintf(text, sizeof text, "text %d", number);
    if (sip->message(sig, 0, uri, &(struct tdm_sig_body){"text/plain", text, strlen(text)}, &id,
                     &cause) != TDM_OK)
        fail_msg("%s", cause.text);
}

/* All of them, in order; and none of it counts as a call. */
static void a_burst_of_messages(void **state)
{
    enum { TEXTS = 100 };
    struct tdm_sig *a = open_sip(false), *b = open_sip(true);

    (void)state;
    for (int i = 0; i < TEXTS; i++)
        say(a, sip->port(b), i);
    for (int i = 0; i < TEXTS; i++) {
        struct tdm_sig_event in = next_of(b), done = next_of(a);
        char text[32];

        (void)snprintf(text, sizeof text, "text %d", i);
        assert_int_equal(in.kind, TDM_SIG_MESSAGE_IN);
        assert_int_equal(in.body_size, strlen(text));
        assert_memory_equal(in.body, text, strlen(text));
        assert_int_equal(done.kind, TDM_SIG_MESSAGE_DONE);
        assert_int_equal(done.code, 200);
    }
    for (int i = 0; i < 5; i++) /* Where nobody is, all are told with the first. */
        say(a, 9, i);
    for (int i = 0; i < 5; i++)
        assert_int_equal(next_of(a).kind, TDM_SIG_FAILED);
    sip->close(a);
    sip->close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watched_and_told),           cmocka_unit_test(asked_once),
        cmocka_unit_test(nobody_there_or_not_wanted), cmocka_unit_test(back_again),
        cmocka_unit_test(a_burst_of_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

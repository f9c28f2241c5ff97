/* SPDX-License-Identifier: MIT */
/* Accounts of the SIP backend against a hand-written server on loopback: what each request says,
 * which passwords are given to whom, calls and messages over the account. */
#include "engine/io/entropy.h"
#include "signalling/signalling.h"
#include "tests/unit/signalling/sip_registrar.h"

#include <stdlib.h>

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;
static const struct tdm_sig_body offer_body = {.data = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n",
                                               .size = 31};
static const struct tdm_sig_body answer_body = {.data = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\n",
                                                .size = 31};

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

static struct tdm_sig_event expect(struct tdm_sig *sig, enum tdm_sig_kind kind)
{
    tdm_time deadline = tdm_clock_now() + REGISTRAR_WAIT;
    struct tdm_sig_event event;

    for (;;) {
        if (sip->next(sig, &event) == TDM_OK) {
            if (event.kind != kind)
                fail_msg("event %d (\"%s\") instead of %d", (int)event.kind, event.reason,
                         (int)kind);
            return event;
        }
        if (tdm_wait_until(deadline, sip->fd(sig), -1) == TDM_WAIT_TIME)
            fail_msg("no event %d came", (int)kind);
    }
}

/* Waits until the account is in this state; others may come before. */
static struct tdm_sig_event expect_state(struct tdm_sig *sig, tdm_sig_id account,
                                         enum tdm_sig_registration state)
{
    for (;;) {
        struct tdm_sig_event event = expect(sig, TDM_SIG_REGISTRATION);

        assert_int_equal(event.account, account);
        if (event.registration == state)
            return event;
    }
}

static tdm_sig_id add(struct tdm_sig *sig, const struct registrar *r, const char *password,
                      const char *instance)
{
    struct tdm_cause cause = {""};
    char server[64];
    tdm_sig_id id = 0;

    (void)snprintf(server, sizeof server, "sip:127.0.0.1:%u", r->port);
    if (sip->account_add(sig,
                         &(struct tdm_sig_account){.aor = "sip:bob@reskit.test",
                                                   .password = password,
                                                   .display_name = "Bob",
                                                   .registrar = server,
                                                   .instance = instance},
                         &id, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return id;
}

/* Registered, with a nonce that is known to both. */
static tdm_sig_id registered(struct tdm_sig *sig, struct registrar *r)
{
    tdm_sig_id id = add(sig, r, "geheim", NULL);

    registrar_take(r);
    registrar_challenge(r, 401, TDM_DIGEST_SHA256, false);
    registrar_take(r);
    assert_true(registrar_knows(r, "Authorization", "REGISTER", "bob", "geheim"));
    registrar_answer(r, 200, registrar_line(r, "Contact"));
    (void)expect_state(sig, id, TDM_SIG_ACCOUNT_REGISTERED);
    return id;
}

static void registers_with_a_password(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    tdm_sig_id id;
    char call_id[256];

    (void)state;
    registrar_open(&r);
    id = add(sig, &r, "geheim", "urn:uuid:00000000-0000-1000-8000-000A95A0E128");
    registrar_take(&r);
    assert_memory_equal(r.request, "REGISTER sip:127.0.0.1:", 23);
    assert_string_equal(registrar_line(&r, "Authorization"), "");
    assert_non_null(strstr(registrar_line(&r, "To"), "<sip:bob@reskit.test>"));
    assert_non_null(strstr(registrar_line(&r, "From"), "\"Bob\" <sip:bob@reskit.test>;tag="));
    assert_non_null(strstr(registrar_line(&r, "Contact"),
                           "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\""));
    assert_non_null(strstr(registrar_line(&r, "Via"), ";rport"));
    (void)snprintf(call_id, sizeof call_id, "%s", registrar_line(&r, "Call-ID"));
    registrar_challenge(&r, 401, TDM_DIGEST_MD5, false);
    registrar_take(&r);
    assert_string_equal(registrar_line(&r, "Call-ID"), call_id);
    assert_true(registrar_knows(&r, "Authorization", "REGISTER", "bob", "geheim"));
    registrar_answer(&r, 200, "Expires: 120\r\n");
    assert_int_equal(expect_state(sig, id, TDM_SIG_ACCOUNT_REGISTERED).expires_s, 120);
    /* Taking it back uses the nonce that is known. */
    assert_int_equal(sip->account_remove(sig, id), TDM_OK);
    registrar_take(&r);
    assert_non_null(strstr(registrar_line(&r, "Contact"), ";expires=0"));
    assert_true(registrar_knows(&r, "Authorization", "REGISTER", "bob", "geheim"));
    registrar_answer(&r, 200, "");
    (void)expect_state(sig, id, TDM_SIG_ACCOUNT_OFF);
    sip->close(sig);
    registrar_close(&r);
}

static void a_stale_nonce_is_no_wrong_password(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    tdm_sig_id id;

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    assert_int_equal(sip->account_retry(sig, id), TDM_OK);
    registrar_take(&r);
    registrar_challenge(&r, 401, TDM_DIGEST_SHA256, false); /* A server that forgot its nonces. */
    registrar_take(&r);
    registrar_challenge(&r, 401, TDM_DIGEST_SHA256, true);
    registrar_take(&r);
    assert_true(registrar_knows(&r, "Authorization", "REGISTER", "bob", "geheim"));
    registrar_answer(&r, 200, "Expires: 60\r\n");
    (void)expect_state(sig, id, TDM_SIG_ACCOUNT_REGISTERED);
    sip->close(sig);
    registrar_close(&r);
}

static void refusals_in_words(void **state)
{
    static const struct {
        const char *password, *words;
        int code;
    } rows[] = {
        {"falsch", "password or the user name is wrong", 401},
        {NULL, "the account has none", 401},
        {"geheim", "does not know this user", 404},
        {"geheim", "account locked", 403},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_sig *sig = open_sip();
        struct registrar r;
        struct tdm_sig_event event;
        tdm_sig_id id;

        registrar_open(&r);
        id = add(sig, &r, rows[i].password, NULL);
        registrar_take(&r);
        if (rows[i].code == 401) {
            registrar_challenge(&r, 401, TDM_DIGEST_SHA256, false);
            if (rows[i].password) {
                registrar_take(&r);
                assert_false(registrar_knows(&r, "Authorization", "REGISTER", "bob", "geheim"));
                registrar_challenge(&r, 401, TDM_DIGEST_SHA256, false);
            }
        } else {
            registrar_answer(&r, rows[i].code, "");
        }
        event = expect_state(sig, id, TDM_SIG_ACCOUNT_REFUSED);
        assert_int_equal(event.code, rows[i].code);
        if (!strstr(event.reason, rows[i].words))
            fail_msg("row %zu: %s", i, event.reason);
        sip->close(sig);
        registrar_close(&r);
    }
}

/* One server is dead, one is silent: the third account knows nothing of it. */
static void the_dead_delay_nobody(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar dead, silent, alive;
    struct tdm_sig_event event;
    tdm_sig_id id;

    (void)state;
    registrar_open(&dead);
    registrar_open(&silent);
    registrar_open(&alive);
    registrar_close(&dead);
    (void)add(sig, &dead, "x", NULL);
    (void)add(sig, &silent, "x", NULL);
    id = add(sig, &alive, "x", NULL);
    registrar_take(&alive);
    registrar_answer(&alive, 200, "Expires: 60\r\n");
    do
        event = expect(sig, TDM_SIG_REGISTRATION);
    while (event.account != id || event.registration != TDM_SIG_ACCOUNT_REGISTERED);
    registrar_close(&alive);
    sip->close(sig);
    registrar_close(&silent);
}

static void calls_go_through_the_account(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    tdm_sig_id id, call;
    char more[256];

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    assert_int_equal(sip->call(sig, id, "sip:paul@reskit.test", &offer_body, &call, &cause),
                     TDM_OK);
    registrar_take(&r);
    assert_memory_equal(r.request, "INVITE sip:paul@reskit.test SIP/2.0", 35);
    assert_non_null(strstr(registrar_line(&r, "From"), "\"Bob\" <sip:bob@reskit.test>"));
    assert_non_null(strstr(registrar_line(&r, "Contact"), "<sip:bob@127.0.0.1:"));
    registrar_challenge(&r, 407, TDM_DIGEST_SHA256, false);
    registrar_take(&r);
    assert_memory_equal(r.request, "ACK ", 4);
    registrar_take(&r);
    assert_memory_equal(r.request, "INVITE ", 7);
    assert_true(registrar_knows(&r, "Proxy-Authorization", "INVITE", "bob", "geheim"));
    (void)snprintf(more, sizeof more, "Contact: <sip:paul@127.0.0.1:%u>\r\n", r.port);
    registrar_answer(&r, 183, more);
    assert_int_equal(expect(sig, TDM_SIG_RINGING).code, 183);
    registrar_answer(&r, 200, more);
    assert_int_equal(expect(sig, TDM_SIG_ACCEPTED).account, id);
    registrar_take(&r);
    assert_memory_equal(r.request, "ACK sip:paul@127.0.0.1:", 23);
    assert_int_equal(sip->hangup(sig, call, NULL), TDM_OK);
    registrar_take(&r);
    assert_memory_equal(r.request, "BYE sip:paul@127.0.0.1:", 23);
    registrar_challenge(&r, 407, TDM_DIGEST_SHA256, false);
    registrar_take(&r);
    assert_memory_equal(r.request, "BYE ", 4);
    assert_true(registrar_knows(&r, "Proxy-Authorization", "BYE", "bob", "geheim"));
    registrar_answer(&r, 200, "");
    (void)expect(sig, TDM_SIG_ENDED);
    sip->close(sig);
    registrar_close(&r);
}

/* Somebody far away could otherwise guess at our password from the answer. */
static void a_stranger_gets_no_password(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    tdm_sig_id id, call;

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    assert_int_equal(sip->call(sig, id, "sip:paul@reskit.test", &offer_body, &call, &cause),
                     TDM_OK);
    registrar_take(&r);
    registrar_answer(&r, 401, "WWW-Authenticate: Digest realm=\"paul's own\", nonce=\"x\"\r\n");
    assert_int_equal(expect(sig, TDM_SIG_REFUSED).code, 401);
    sip->close(sig);
    registrar_close(&r);
}

/* The server took the password when it was asked to register, and does not any more. */
static void a_wrong_password_is_told_as_one(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    struct tdm_sig_event event;
    tdm_sig_id id, call, message;

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    assert_int_equal(sip->call(sig, id, "sip:paul@reskit.test", &offer_body, &call, &cause),
                     TDM_OK);
    for (int i = 0; i < 2; i++) {
        registrar_take(&r);
        assert_memory_equal(r.request, "INVITE ", 7);
        registrar_challenge(&r, 407, TDM_DIGEST_SHA256, false);
        registrar_take(&r);
        assert_memory_equal(r.request, "ACK ", 4);
    }
    event = expect(sig, TDM_SIG_REFUSED);
    assert_int_equal(event.code, 407);
    assert_non_null(strstr(event.reason, "does not take the user name or the password"));
    assert_int_equal(sip->message(sig, id, "sip:paul@reskit.test",
                                  &(struct tdm_sig_body){"text/plain", "hello", 5}, &message,
                                  &cause),
                     TDM_OK);
    for (int i = 0; i < 2; i++) {
        registrar_take(&r);
        assert_memory_equal(r.request, "MESSAGE ", 8);
        registrar_challenge(&r, 407, TDM_DIGEST_SHA256, false);
    }
    event = expect(sig, TDM_SIG_MESSAGE_DONE);
    assert_non_null(strstr(event.reason, "does not take the user name or the password"));
    sip->close(sig);
    registrar_close(&r);
}

/* RFC 3608: requests of the account take the route that its server wants, in that order. */
static void the_service_route_is_taken(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    tdm_sig_id id, call;
    char more[600];
    const char *first, *second;

    (void)state;
    registrar_open(&r);
    id = add(sig, &r, "geheim", NULL);
    registrar_take(&r);
    (void)snprintf(more, sizeof more,
                   "Service-Route: <sip:127.0.0.1:%u;lr;for=bob>\r\n"
                   "Service-Route: <sip:second.reskit.test;lr>\r\nExpires: 600\r\n",
                   r.port);
    registrar_answer(&r, 200, more);
    (void)expect_state(sig, id, TDM_SIG_ACCOUNT_REGISTERED);
    assert_int_equal(sip->call(sig, id, "sip:paul@reskit.test", &offer_body, &call, &cause),
                     TDM_OK);
    registrar_take(&r);
    assert_memory_equal(r.request, "INVITE sip:paul@reskit.test SIP/2.0", 35);
    first = strstr(r.request, "\r\nRoute: <sip:127.0.0.1:");
    second = strstr(r.request, "<sip:second.reskit.test;lr>");
    assert_non_null(first);
    assert_non_null(strstr(first, ";for=bob"));
    assert_true(second && first < second);
    registrar_answer(&r, 486, "");
    registrar_take(&r);
    assert_memory_equal(r.request, "ACK ", 4);
    assert_int_equal(expect(sig, TDM_SIG_REFUSED).code, 486);
    sip->close(sig);
    registrar_close(&r);
}

static void answer_publish(struct registrar *r, int code, const char *tag)
{
    char more[128];

    (void)snprintf(more, sizeof more, "SIP-ETag: %s\r\nExpires: 600\r\n", tag);
    registrar_answer(r, code, more);
}

/* RFC 3903: changed under its tag; said anew and whole when the server has forgotten it (412);
 * taken back with the tag that it has then. */
static void what_is_published_survives_a_forgetful_server(void **state)
{
    static const struct tdm_sig_body one = {"application/pidf+xml", "<one/>", 6},
                                     two = {"application/pidf+xml", "<two/>", 6};
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    tdm_sig_id id, published = 0;

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    assert_int_equal(sip->publish(sig, id, "presence", &one, 600, &published, &cause), TDM_OK);
    registrar_take(&r);
    assert_memory_equal(r.request, "PUBLISH sip:bob@reskit.test SIP/2.0", 35);
    assert_string_equal(registrar_line(&r, "SIP-If-Match"), "");
    assert_string_equal(registrar_line(&r, "Event"), "Event: presence\r\n");
    answer_publish(&r, 200, "first");
    (void)expect(sig, TDM_SIG_PUBLISHED);
    assert_int_equal(sip->publish(sig, id, "presence", &two, 600, &published, &cause), TDM_OK);
    registrar_take(&r);
    assert_string_equal(registrar_line(&r, "SIP-If-Match"), "SIP-If-Match: first\r\n");
    assert_string_equal(strstr(r.request, "\r\n\r\n") + 4, "<two/>");
    registrar_answer(&r, 412, "");
    (void)expect(sig, TDM_SIG_PUBLICATION_WAITS);
    registrar_take(&r);
    assert_string_equal(registrar_line(&r, "SIP-If-Match"), "");
    assert_string_equal(strstr(r.request, "\r\n\r\n") + 4, "<two/>");
    answer_publish(&r, 200, "second");
    (void)expect(sig, TDM_SIG_PUBLISHED);
    assert_int_equal(sip->release(sig, published), TDM_OK);
    registrar_take(&r);
    assert_string_equal(registrar_line(&r, "SIP-If-Match"), "SIP-If-Match: second\r\n");
    assert_string_equal(registrar_line(&r, "Expires"), "Expires: 0\r\n");
    registrar_answer(&r, 200, "");
    (void)expect(sig, TDM_SIG_PUBLICATION_ENDED);
    sip->close(sig);
    registrar_close(&r);
}

static void messages_go_through_the_account(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    tdm_sig_id id, message;

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    assert_int_equal(sip->message(sig, id, "sip:paul@reskit.test",
                                  &(struct tdm_sig_body){"text/plain", "hello", 5}, &message,
                                  &cause),
                     TDM_OK);
    registrar_take(&r);
    assert_memory_equal(r.request, "MESSAGE sip:paul@reskit.test SIP/2.0", 36);
    registrar_challenge(&r, 407, TDM_DIGEST_SHA256, false);
    registrar_take(&r);
    assert_true(registrar_knows(&r, "Proxy-Authorization", "MESSAGE", "bob", "geheim"));
    assert_string_equal(strstr(r.request, "\r\n\r\n") + 4, "hello");
    registrar_answer(&r, 202, "");
    assert_int_equal(expect(sig, TDM_SIG_MESSAGE_DONE).code, 202);
    sip->close(sig);
    registrar_close(&r);
}

static void calls_find_their_account(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_sig_event in;
    char text[2048];
    tdm_sig_id id;

    (void)state;
    registrar_open(&r);
    id = registered(sig, &r);
    (void)snprintf(text, sizeof text,
                   "INVITE sip:bob@127.0.0.1:%u SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKabc\r\n"
                   "Record-Route: <sip:127.0.0.1:%u;lr>\r\n"
                   "From: <sip:paul@reskit.test>;tag=1\r\nTo: <sip:bob@reskit.test>\r\n"
                   "Call-ID: in\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
                   "Contact: <sip:paul@10.255.255.1>\r\nContent-Length: 0\r\n\r\n",
                   sip->port(sig), r.port, r.port);
    assert_true(sendto(r.fd, text, strlen(text), 0, (struct sockaddr *)&r.from, r.from_size) > 0);
    in = expect(sig, TDM_SIG_CALL_IN);
    assert_int_equal(in.account, id);
    assert_string_equal(in.from, "sip:paul@reskit.test");
    registrar_take(&r);
    assert_memory_equal(r.request, "SIP/2.0 100", 11);
    assert_int_equal(sip->accept(sig, in.id, &answer_body), TDM_OK);
    registrar_take(&r);
    assert_memory_equal(r.request, "SIP/2.0 200", 11);
    assert_non_null(strstr(registrar_line(&r, "Contact"), "<sip:bob@127.0.0.1:"));
    sip->close(sig);
    registrar_close(&r);
}

static void an_account_that_is_not_connected_says_why(void **state)
{
    struct tdm_sig *sig = open_sip();
    struct registrar r;
    struct tdm_cause cause = {""};
    struct tdm_sig_event event;
    tdm_sig_id id, call;

    (void)state;
    registrar_open(&r);
    id = add(sig, &r, "geheim", NULL);
    registrar_take(&r);
    registrar_answer(&r, 403, "");
    (void)expect_state(sig, id, TDM_SIG_ACCOUNT_REFUSED);
    assert_int_equal(sip->call(sig, id, "sip:paul@reskit.test", &offer_body, &call, &cause),
                     TDM_OK);
    event = expect(sig, TDM_SIG_FAILED);
    assert_non_null(strstr(event.reason, "bob@reskit.test is not connected"));
    sip->close(sig);
    registrar_close(&r);
}

static void bad_accounts_are_refused_at_once(void **state)
{
    static const struct tdm_sig_account rows[] = {
        {.aor = "reskit.test"},
        {.aor = "sip:bob@"},
        {.aor = "bob@h", .password = "a\r\nb"},
        {.aor = "bob@h", .fingerprint = "AB:CD"},
        {.aor = "bob@h", .display_name = "a\"b"},
        {.aor = "bob@h", .registrar = "sip:h;transport=sctp"},
    };
    struct tdm_sig *sig = open_sip();
    tdm_sig_id id;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_cause cause = {""};

        if (sip->account_add(sig, &rows[i], &id, &cause) == TDM_OK || !cause.text[0])
            fail_msg("row %zu", i);
    }
    sip->close(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_with_a_password),
        cmocka_unit_test(a_stale_nonce_is_no_wrong_password),
        cmocka_unit_test(refusals_in_words),
        cmocka_unit_test(the_dead_delay_nobody),
        cmocka_unit_test(calls_go_through_the_account),
        cmocka_unit_test(a_stranger_gets_no_password),
        cmocka_unit_test(a_wrong_password_is_told_as_one),
        cmocka_unit_test(the_service_route_is_taken),
        cmocka_unit_test(what_is_published_survives_a_forgetful_server),
        cmocka_unit_test(messages_go_through_the_account),
        cmocka_unit_test(calls_find_their_account),
        cmocka_unit_test(an_account_that_is_not_connected_says_why),
        cmocka_unit_test(bad_accounts_are_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

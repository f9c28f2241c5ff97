/* SPDX-License-Identifier: MIT */
/* Who is let in at the server: guessers, strangers in crowds, nonces that were overheard, people
 * who are taken away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/signalling/rendezvous_rig.h"

static uint16_t guess(struct rig *g, const char *user, uint8_t host)
{
    return rig_ask(g, &(struct rig_request){
                          .method = "REGISTER", .user = user, .host = host, .password = "x"});
}

static void a_guesser_waits(void **state)
{
    struct rig *g = rig_open(NULL);

    (void)state;
    rig_account(g, "ann", false);
    rig_account(g, "ben", false);
    for (int i = 0; i < 20; i++)
        assert_int_equal(guess(g, "ann", 9), 401);
    assert_int_equal(guess(g, "ann", 9), 503);
    assert_string_equal(rig_header(g, 0, "Retry-After"), "300");
    assert_int_equal(guess(g, "ben", 9), 503);
    assert_int_equal(rig_register(g, "ben", 9), 503);
    assert_int_equal(rig_register(g, "ann", 8), 200);
    g->now += 301 * TDM_S;
    assert_int_equal(rig_register(g, "ben", 9), 200);
    rig_close(g);
}

/* 20 tries from each of three hosts are more than the 50 of an account. */
static void nobody_locks_out_the_owner(void **state)
{
    struct rig *g = rig_open(NULL);

    (void)state;
    rig_account(g, "ann", false);
    assert_int_equal(rig_register(g, "ann", 8), 200);
    for (uint8_t host = 20; host < 23; host++)
        for (int i = 0; i < 20; i++)
            (void)guess(g, "ann", host);
    assert_int_equal(guess(g, "ann", 30), 503); /* No more guessing from anywhere, */
    assert_int_equal(rig_register(g, "ann", 31), 503);
    assert_int_equal(rig_register(g, "ann", 8), 200); /* but she is at home. */
    for (int i = 0; i < 20; i++)
        assert_int_equal(guess(g, "ann", 8), 401); /* There the tries are counted, too. */
    assert_int_equal(rig_register(g, "ann", 8), 503);
    g->now += 301 * TDM_S;
    assert_int_equal(rig_register(g, "ann", 31), 200);
    rig_close(g);
}

/* Others behind the same address may guess: it is not held against who proved himself there. */
static void neighbours_do_not_lock_out(void **state)
{
    struct rig *g = rig_open(NULL);

    (void)state;
    rig_account(g, "ann", false);
    rig_account(g, "ben", false);
    assert_int_equal(rig_register(g, "ann", 8), 200);
    for (int i = 0; i < 30; i++)
        (void)guess(g, "ben", 8);
    assert_int_equal(guess(g, "ben", 8), 503);
    assert_int_equal(rig_register(g, "ann", 8), 200);
    rig_close(g);
}

/* The devices that were registered before a restart count as known. */
static void known_after_a_restart(void **state)
{
    struct rig *g = rig_open(NULL), *again = rig_open(NULL);
    static uint8_t record[TDM_RDV_RECORD_BYTES];
    size_t size = 0;
    char line[1200];
    const struct rig_request q = {.method = "REGISTER", .user = "ann", .host = 8};

    (void)state;
    rig_account(g, "ann", false);
    rig_send(g, &q, 1, "");
    rig_credentials(g, &q, line, sizeof line);
    /* By hand, to see the record. */
    char text[RIG_TEXT_MAX];
    int length = snprintf(text, sizeof text,
                          "REGISTER sip:home.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.8:5060;rport;"
                          "branch=z9hG4bKq\r\nFrom: <sip:ann@home.test>;tag=1\r\n"
                          "To: <sip:ann@home.test>\r\nCall-ID: c1\r\nCSeq: 9 REGISTER\r\n"
                          "Contact: <sip:ann@10.0.0.8>\r\n%sContent-Length: 0\r\n\r\n",
                          line);

    tdm_rdv_step(g->core, g->now,
                 &(struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE,
                                      .flow = rig_from(8),
                                      .data = (const uint8_t *)text,
                                      .size = (size_t)length},
                 &g->out);
    assert_int_equal(g->out.store.kind, TDM_RDV_STORE_RECORD);
    size = g->out.store.size;
    memcpy(record, g->out.store.data, size);
    rig_account(again, "ann", false);
    rig_step(again, &(struct tdm_rdv_in){.kind = TDM_RDV_RECORD,
                                         .key = "b/ann",
                                         .data = record,
                                         .size = size,
                                         .expires_s = RIG_WALL_S + 3600});
    assert_int_equal(rig_stats(again)->bindings, 1);
    for (uint8_t host = 20; host < 23; host++)
        for (int i = 0; i < 20; i++)
            (void)guess(again, "ann", host);
    assert_int_equal(rig_register(again, "ann", 31), 503);
    assert_int_equal(rig_register(again, "ann", 8), 200);
    rig_close(g);
    rig_close(again);
}

static void a_nonce_is_for_one_host(void **state)
{
    struct rig *g = rig_open(NULL);
    struct rig_request q = {.method = "REGISTER", .user = "ann", .host = 7, .credentials_from = 8};

    (void)state;
    rig_account(g, "ann", false);
    assert_int_equal(rig_ask(g, &q), 401);
    assert_non_null(strstr(g->sent[0], "stale=true"));
    assert_int_equal(rig_stats(g)->wrong_passwords, 0);
    assert_int_equal(rig_stats(g)->bindings, 0);
    q.credentials_from = 7;
    assert_int_equal(rig_ask(g, &q), 200);
    rig_close(g);
}

/* 10,000 hosts that ask to be registered and never answer the challenge. */
static void half_open_registrations_cost_nothing(void **state)
{
    struct rig *g = rig_open(NULL);

    (void)state;
    rig_account(g, "ann", false);
    for (uint32_t i = 0; i < 10000; i++) {
        struct tdm_rdv_flow flow = rig_from(0);
        char text[600];

        memcpy(flow.remote.bytes, (uint8_t[]){10, 1, (uint8_t)(i >> 8), (uint8_t)i}, 4);
        int size = snprintf(text, sizeof text,
                            "REGISTER sip:home.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch="
                            "z9hG4bKh%u\r\nFrom: <sip:ann@home.test>;tag=1\r\n"
                            "To: <sip:ann@home.test>\r\nCall-ID: h%u\r\nCSeq: 1 REGISTER\r\n"
                            "Contact: <sip:ann@10.1.0.1>\r\nContent-Length: 0\r\n\r\n",
                            i, i);

        g->sent_count = 0;
        rig_step(g, &(struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE,
                                         .flow = flow,
                                         .data = (const uint8_t *)text,
                                         .size = (size_t)size});
        assert_int_equal(rig_status(g), 401);
    }
    assert_int_equal(rig_stats(g)->challenged, 10000);
    assert_int_equal(rig_stats(g)->transactions, 0);
    assert_int_equal(rig_stats(g)->bindings, 0);
    assert_int_equal(rig_stats(g)->store_blocks_free, rig_stats(g)->store_blocks);
    assert_int_equal(rig_register(g, "ann", 8), 200);
    rig_close(g);
}

static void list_ends(struct rig *g)
{
    rig_step(g, &(struct tdm_rdv_in){.kind = TDM_RDV_ACCOUNTS_END});
}

static const char document[] =
    "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
    "entity=\"sip:ann@home.test\"><tuple id=\"t\"><status><basic>open</basic></status></tuple>"
    "</presence>";

static void who_is_deleted_is_gone_at_once(void **state)
{
    struct rig *g = rig_open(NULL);
    const struct rig_request watch = {.method = "SUBSCRIBE",
                                      .user = "ben",
                                      .host = 9,
                                      .uri = "sip:ann@home.test",
                                      .headers = "Event: presence\r\nExpires: 600\r\n"};
    struct rig_request back = watch;
    const struct rig_request publish = {
        .method = "PUBLISH",
        .user = "ann",
        .host = 8,
        .uri = "sip:ann@home.test",
        .headers = "Event: presence\r\nContent-Type: application/pidf+xml\r\n",
        .body = document};
    const struct rig_request write = {.method = "MESSAGE",
                                      .user = "ben",
                                      .host = 9,
                                      .uri = "sip:ann@home.test",
                                      .headers = "Content-Type: text/plain\r\n",
                                      .body = "hello"};

    (void)state;
    rig_account(g, "ann", false);
    rig_account(g, "ben", false);
    list_ends(g);
    assert_int_equal(rig_register(g, "ann", 8), 200);
    assert_int_equal(rig_register(g, "ben", 9), 200);
    assert_int_equal(rig_ask(g, &publish), 200);
    assert_int_equal(rig_ask(g, &watch), 200);
    back.user = "ann";
    back.host = 8;
    back.uri = "sip:ben@home.test";
    assert_int_equal(rig_ask(g, &back), 200);
    rig_run_until(g, g->now + 40 * TDM_S); /* Nobody answers the NOTIFYs: */
    assert_int_equal(rig_stats(g)->subscriptions, 0);
    assert_int_equal(rig_ask(g, &watch), 200);
    assert_int_equal(rig_ask(g, &back), 200);
    rig_account(g, "ben", false); /* The next list has no Ann. */
    g->sent_count = 0;
    list_ends(g);
    assert_int_equal(rig_stats(g)->accounts, 1);
    assert_int_equal(rig_stats(g)->bindings, 1);
    assert_int_equal(rig_stats(g)->publications, 0);
    assert_int_equal(rig_ask(g, &write), 404);
    assert_int_equal(rig_register(g, "ann", 8), 401);
    rig_run_until(g, g->now + 100 * TDM_S);
    assert_int_equal(rig_stats(g)->subscriptions, 0);
    rig_account(g, "ann", false); /* Somebody else of that name: with nothing of the first one. */
    assert_int_equal(rig_stats(g)->accounts, 2);
    assert_int_equal(rig_ask(g, &write), 202);
    assert_int_equal(rig_register(g, "ann", 7), 200);
    assert_int_equal(rig_stats(g)->bindings, 2);
    rig_close(g);
}

static void places_of_the_deleted_are_used_again(void **state)
{
    struct rig *g = rig_open(NULL); /* For eight people. */
    char name[16];

    (void)state;
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        rig_account(g, name, false);
        list_ends(g);
        assert_int_equal(rig_stats(g)->accounts, 1);
        assert_int_equal(rig_register(g, name, 8), 200);
        g->now += 700 * TDM_S;
    }
    rig_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guesser_waits),
        cmocka_unit_test(nobody_locks_out_the_owner),
        cmocka_unit_test(neighbours_do_not_lock_out),
        cmocka_unit_test(known_after_a_restart),
        cmocka_unit_test(a_nonce_is_for_one_host),
        cmocka_unit_test(half_open_registrations_cost_nothing),
        cmocka_unit_test(who_is_deleted_is_gone_at_once),
        cmocka_unit_test(places_of_the_deleted_are_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

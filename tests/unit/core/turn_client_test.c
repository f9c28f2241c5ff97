/* SPDX-License-Identifier: MIT */
/* The client against answers made by hand, so that a server can lie. */

#include "engine/core/turn_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tdm_turn_client client;
static struct tdm_turn_client_out out;
static tdm_time now;
static struct tdm_stun asked;                     /* The last message that the client sent. */
static uint8_t asked_bytes[TDM_TURN_REQUEST_MAX]; /* Which outlives `out`. */

static struct tdm_address address(const char *host, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, host, port), TDM_OK);
    return a;
}

static void step(const struct tdm_turn_client_in *in)
{
    tdm_turn_client_step(&client, now, in, &out);
    if (!out.size)
        return;
    memcpy(asked_bytes, out.data, out.size);
    assert_int_equal(tdm_stun_parse(&asked, asked_bytes, out.size), TDM_OK);
    assert_true(asked.has_fingerprint);
}

static void start(bool stream)
{
    now = 50 * TDM_S;
    tdm_turn_client_init(&client,
                         &(struct tdm_turn_client_config){.server = address("198.51.100.1", 3478),
                                                          .stream = stream,
                                                          .user = "ann",
                                                          .password = "apple",
                                                          .seed = 3},
                         now);
    step(stream ? &(struct tdm_turn_client_in){.kind = TDM_TURN_LINK_UP} : NULL);
    assert_int_equal(asked.method, TDM_STUN_ALLOCATE);
}

static int start_udp(void **state)
{
    (void)state;
    start(false);
    return 0;
}

static void deliver(const uint8_t *data, size_t size)
{
    step(&(struct tdm_turn_client_in){
        .kind = TDM_TURN_MESSAGE, .from = client.server, .data = data, .size = size});
}

struct answer {
    uint8_t bytes[512];
    struct tdm_writer w;
};

static void begin(struct answer *a, enum tdm_stun_class kind)
{
    a->w = tdm_stun_begin_answer(a->bytes, sizeof a->bytes, kind, &asked);
}

static void finish(struct answer *a, const char *password)
{
    uint8_t key[TDM_STUN_KEY_BYTES];

    if (password) {
        tdm_stun_long_term_key(tdm_stun_span_of("ann"), tdm_stun_span_of("test"), password, key);
        tdm_stun_write_integrity(&a->w, key, sizeof key);
    }
    deliver(a->bytes, tdm_stun_end(&a->w));
}

static void refuse(uint16_t code, const char *nonce)
{
    struct answer a;

    begin(&a, TDM_STUN_ERROR);
    tdm_stun_write_error(&a.w, code, NULL);
    if (nonce) {
        tdm_stun_write_text(&a.w, TDM_STUN_REALM, "test");
        tdm_stun_write_text(&a.w, TDM_STUN_NONCE, nonce);
    }
    finish(&a, NULL);
}

static void accept_with(const char *password, const char *relayed, uint32_t lifetime_s)
{
    struct tdm_address relay = address(relayed, 50000), mapped = address("203.0.113.7", 1234);
    struct answer a;

    begin(&a, TDM_STUN_SUCCESS);
    tdm_stun_write_address(&a.w, TDM_STUN_XOR_RELAYED_ADDRESS, &relay);
    tdm_stun_write_u32(&a.w, TDM_STUN_LIFETIME, lifetime_s);
    tdm_stun_write_address(&a.w, TDM_STUN_XOR_MAPPED_ADDRESS, &mapped);
    finish(&a, password);
}

static void accept_plainly(void)
{
    struct answer a;

    begin(&a, TDM_STUN_SUCCESS);
    finish(&a, "apple");
}

static void allocate(void)
{
    refuse(401, "n1");
    assert_int_equal(asked.method, TDM_STUN_ALLOCATE);
    accept_with("apple", "198.51.100.1", 600);
    assert_int_equal(out.told, TDM_TURN_TOLD_ALLOCATED);
}

static void test_allocates(void **state)
{
    uint8_t key[TDM_STUN_KEY_BYTES];

    (void)state;
    assert_int_equal(asked.integrity_at, 0);
    assert_int_equal(asked.transport, TDM_TURN_TRANSPORT_UDP);
    refuse(401, "n1");
    assert_true(tdm_stun_span_equal(asked.nonce, tdm_stun_span_of("n1")));
    tdm_stun_long_term_key(tdm_stun_span_of("ann"), tdm_stun_span_of("test"), "apple", key);
    assert_int_equal(tdm_stun_check(&asked, key, sizeof key), TDM_OK);
    refuse(438, "n2");
    assert_true(tdm_stun_span_equal(asked.nonce, tdm_stun_span_of("n2")));
    accept_with("apple", "198.51.100.1", 600);
    assert_int_equal(out.told, TDM_TURN_TOLD_ALLOCATED);
    assert_int_equal(tdm_turn_client_relayed(&client, TDM_IPV4)->port, 50000);
    assert_null(tdm_turn_client_relayed(&client, TDM_IPV6));
    assert_int_equal(client.mapped.port, 1234);
    assert_true(out.wake_at == now + 540 * TDM_S);
}

/* RFC 8489 section 6.2.1: at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms; over at 39500 ms. */
static void test_asks_again(void **state)
{
    static const int at_ms[] = {500, 1500, 3500, 7500, 15500, 31500};
    tdm_time began = now;
    uint8_t first[TDM_STUN_ID_BYTES];

    (void)state;
    memcpy(first, asked.id, sizeof first);
    for (size_t i = 0; i < sizeof at_ms / sizeof *at_ms; i++) {
        assert_true(out.wake_at == began + at_ms[i] * TDM_MS);
        now = out.wake_at;
        step(NULL);
        assert_true(out.size);
        assert_memory_equal(first, asked.id, sizeof first);
    }
    now = out.wake_at;
    assert_true(now == began + 39500 * TDM_MS);
    step(NULL);
    assert_int_equal(out.size, 0);
    assert_int_equal(out.told, TDM_TURN_TOLD_FAILED);
    assert_non_null(strstr(client.why, "198.51.100.1:3478 does not answer"));
    assert_true(out.wake_at == TDM_NEVER);
}

static void test_stream_waits(void **state)
{
    (void)state;
    start(true);
    assert_true(out.wake_at == now + 39500 * TDM_MS);
    now = out.wake_at;
    step(NULL);
    assert_int_equal(out.told, TDM_TURN_TOLD_FAILED);
    start(true);
    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_LINK_DOWN});
    assert_int_equal(out.told, TDM_TURN_TOLD_FAILED);
}

static void test_wrong_password(void **state)
{
    (void)state;
    refuse(401, "n1");
    refuse(401, "n2");
    assert_int_equal(out.told, TDM_TURN_TOLD_FAILED);
    assert_int_equal(out.error_code, 401);
    assert_non_null(strstr(client.why, "password"));
}

static void test_nonce_that_is_never_right(void **state)
{
    int answers = 0;

    (void)state;
    refuse(401, "n");
    for (; client.state == TDM_TURN_ALLOCATING && answers < 100; answers++)
        refuse(438, "n");
    assert_in_range(answers, 1, 5);
}

static void test_goes_elsewhere(void **state)
{
    struct tdm_address other = address("198.51.100.9", 3479);
    struct answer a;

    (void)state;
    begin(&a, TDM_STUN_ERROR);
    tdm_stun_write_error(&a.w, TDM_STUN_TRY_ALTERNATE, NULL);
    tdm_stun_write_address(&a.w, TDM_STUN_ALTERNATE_SERVER, &other);
    finish(&a, NULL);
    assert_true(tdm_address_equal(&client.server, &other));
    assert_true(out.size);
    allocate();
}

static void test_is_not_sent_in_circles(void **state)
{
    int answers = 0;

    (void)state;
    for (; client.state == TDM_TURN_ALLOCATING && answers < 100; answers++) {
        struct tdm_address other = address("198.51.100.9", (uint16_t)(1 + answers % 2));
        struct answer a;

        begin(&a, TDM_STUN_ERROR);
        tdm_stun_write_error(&a.w, TDM_STUN_TRY_ALTERNATE, NULL);
        tdm_stun_write_address(&a.w, TDM_STUN_ALTERNATE_SERVER, &other);
        finish(&a, NULL);
    }
    assert_int_equal(client.state, TDM_TURN_FAILED);
    assert_in_range(answers, 1, 5);
}

static void test_errors_in_words(void **state)
{
    static const struct {
        uint16_t code;
        const char *word;
    } cases[] = {{486, "quota"},
                 {508, "full"},
                 {440, "family"},
                 {403, "403 (Forbidden)"},
                 {441, "password"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)start_udp(state);
        refuse(401, "n1");
        refuse(cases[i].code, NULL);
        assert_int_equal(out.told, TDM_TURN_TOLD_FAILED);
        assert_int_equal(out.error_code, cases[i].code);
        if (!strstr(client.why, cases[i].word))
            fail_msg("%u: %s", cases[i].code, client.why);
    }
}

/* What a program that crashed left at the same address is given back first, once. */
static void test_clears_what_was_there(void **state)
{
    for (int again = 0; again < 2; again++) {
        (void)start_udp(state);
        refuse(401, "n1");
        refuse(437, NULL);
        assert_int_equal(asked.method, TDM_STUN_REFRESH);
        assert_true(asked.has_lifetime && asked.lifetime_s == 0);
        accept_plainly();
        assert_int_equal(asked.method, TDM_STUN_ALLOCATE);
        if (again)
            refuse(437, NULL);
        else
            accept_with("apple", "198.51.100.1", 600);
        assert_int_equal(client.state, again ? TDM_TURN_FAILED : TDM_TURN_ALLOCATED);
    }
    assert_non_null(strstr(client.why, "anew"));
}

static void test_lies(void **state)
{
    static const char *const relays[] = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "2001:db8::1"};
    struct tdm_address stranger = address("203.0.113.200", 1);
    struct answer a;

    (void)state;
    refuse(401, "n1");
    accept_with("pear", "198.51.100.1", 600); /* Not by who knows the password. */
    assert_int_equal(client.state, TDM_TURN_ALLOCATING);
    accept_with(NULL, "198.51.100.1", 600);
    assert_int_equal(client.state, TDM_TURN_ALLOCATING);
    assert_int_equal(client.refused, 2);
    begin(&a, TDM_STUN_ERROR);
    tdm_stun_write_error(&a.w, 486, NULL);
    finish(&a, "pear");
    assert_int_equal(client.state, TDM_TURN_ALLOCATING);
    assert_int_equal(client.refused, 3);
    asked.id[3] ^= 1; /* Not what was asked. */
    accept_with("apple", "198.51.100.1", 600);
    assert_int_equal(client.state, TDM_TURN_ALLOCATING);
    asked.id[3] ^= 1;
    step(&(struct tdm_turn_client_in){
        .kind = TDM_TURN_MESSAGE, .from = stranger, .data = asked_bytes, .size = 20});
    assert_int_equal(client.refused, 5);
    accept_with("apple", "198.51.100.1", 600);
    assert_int_equal(client.state, TDM_TURN_ALLOCATED);
    for (size_t i = 0; i < sizeof relays / sizeof *relays; i++) {
        (void)start_udp(state);
        refuse(401, "n1");
        accept_with("apple", relays[i], 600);
        assert_int_equal(client.state, TDM_TURN_FAILED);
    }
    (void)start_udp(state);
    refuse(401, "n1");
    accept_with("apple", "198.51.100.1", 0);
    assert_int_equal(client.state, TDM_TURN_FAILED);
}

static void data_from(const struct tdm_address *peer, const char *text)
{
    uint8_t bytes[256], id[TDM_STUN_ID_BYTES] = {1};
    struct tdm_writer w =
        tdm_stun_begin(bytes, sizeof bytes, TDM_STUN_INDICATION, TDM_STUN_DATA, id);

    tdm_stun_write_address(&w, TDM_STUN_XOR_PEER_ADDRESS, peer);
    tdm_stun_write_text(&w, TDM_STUN_DATA_ATTRIBUTE, text);
    deliver(bytes, tdm_stun_end(&w));
}

static void test_peers(void **state)
{
    struct tdm_address peer = address("203.0.113.9", 4000), stranger = address("203.0.113.10", 1);
    uint8_t room[TDM_TURN_WRAP_MAX + 5 + 3] = {0}, *data = room + TDM_TURN_WRAP_MAX, *wrapped;
    size_t size = 5;
    struct tdm_stun m;

    (void)state;
    memcpy(data, "hello", 5);
    assert_null(tdm_turn_client_wrap(&client, &peer, data, &size));
    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_PERMIT, .peer = peer});
    assert_int_equal(out.size, 0); /* There is nothing to permit at yet. */
    refuse(401, "n1");
    accept_with("apple", "198.51.100.1", 600);
    assert_int_equal(out.told, TDM_TURN_TOLD_ALLOCATED);
    step(NULL);
    assert_int_equal(asked.method, TDM_STUN_CREATE_PERMISSION);
    assert_true(tdm_address_equal(&asked.peers[0], &peer));
    accept_plainly();
    assert_int_equal(out.told, TDM_TURN_TOLD_PERMITTED);

    data_from(&peer, "hi");
    assert_int_equal(out.payload_size, 2);
    assert_true(tdm_address_equal(&out.payload_from, &peer));
    data_from(&stranger, "hi");
    assert_null(out.payload);

    wrapped = tdm_turn_client_wrap(&client, &peer, data, &size);
    assert_int_equal(size, 20 + 12 + 4 + 8);
    assert_int_equal(tdm_stun_parse(&m, wrapped, size), TDM_OK);
    assert_int_equal(m.method, TDM_STUN_SEND);
    assert_true(tdm_address_equal(&m.peers[0], &peer));
    assert_true(tdm_stun_span_equal(m.data, tdm_stun_span_of("hello")));

    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_BIND, .peer = peer});
    assert_int_equal(asked.method, TDM_STUN_CHANNEL_BIND);
    accept_plainly();
    assert_int_equal(out.told, TDM_TURN_TOLD_BOUND);
    size = 5;
    wrapped = tdm_turn_client_wrap(&client, &peer, data, &size);
    assert_int_equal(size, 9);
    assert_memory_equal(wrapped, "\x40\x00\x00\x05hello", 9);
    deliver((const uint8_t *)"\x40\x00\x00\x02yo", 6);
    assert_int_equal(out.payload_size, 2);
    deliver((const uint8_t *)"\x40\x01\x00\x02yo", 6);
    assert_null(out.payload);

    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_FORGET, .peer = peer});
    data_from(&peer, "hi");
    assert_null(out.payload);
}

static void test_peer_that_is_refused(void **state)
{
    struct tdm_address peer = address("203.0.113.9", 4000), v6 = address("2001:db8::1", 9);

    (void)state;
    allocate();
    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_PERMIT, .peer = peer});
    refuse(403, NULL);
    assert_int_equal(out.told, TDM_TURN_TOLD_REFUSED);
    assert_int_equal(out.error_code, 403);
    assert_true(tdm_address_equal(&out.peer, &peer));
    assert_int_equal(client.state, TDM_TURN_ALLOCATED);
    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_PERMIT, .peer = v6});
    assert_int_equal(out.told, TDM_TURN_TOLD_REFUSED);
    assert_int_equal(out.error_code, 443);
}

static void test_renews(void **state)
{
    struct tdm_address peer = address("203.0.113.9", 4000);
    int refreshes = 0, permits = 0, channels = 0;
    tdm_time end;

    (void)state;
    allocate();
    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_BIND, .peer = peer});
    for (end = now + 3600 * TDM_S; now < end; now = tdm_time_max(now, out.wake_at)) {
        step(NULL);
        if (!out.size)
            continue;
        refreshes += asked.method == TDM_STUN_REFRESH;
        permits += asked.method == TDM_STUN_CREATE_PERMISSION;
        channels += asked.method == TDM_STUN_CHANNEL_BIND;
        if (asked.method == TDM_STUN_REFRESH)
            accept_with("apple", "198.51.100.1", 600);
        else
            accept_plainly();
    }
    assert_int_equal(refreshes, 3600 / 540);
    assert_in_range(permits, 14, 15);
    assert_in_range(channels, 14, 15);
    assert_int_equal(client.state, TDM_TURN_ALLOCATED);
}

static void test_closes(void **state)
{
    (void)state;
    allocate();
    step(&(struct tdm_turn_client_in){.kind = TDM_TURN_CLOSE});
    assert_int_equal(asked.method, TDM_STUN_REFRESH);
    assert_true(asked.has_lifetime && asked.lifetime_s == 0);
    accept_plainly();
    assert_int_equal(out.told, TDM_TURN_TOLD_CLOSED);
    assert_true(out.wake_at == TDM_NEVER);
}

static void test_more_peers_than_fit(void **state)
{
    (void)state;
    allocate();
    for (uint16_t i = 0; i < TDM_TURN_PERMITS_MAX + 1; i++) {
        struct tdm_address peer = address("203.0.113.0", 1);

        peer.bytes[3] = (uint8_t)i;
        step(&(struct tdm_turn_client_in){.kind = TDM_TURN_PERMIT, .peer = peer});
        if (i < TDM_TURN_PERMITS_MAX)
            accept_plainly();
    }
    assert_int_equal(out.told, TDM_TURN_TOLD_REFUSED);
}

#define TEST(name) cmocka_unit_test_setup(name, start_udp)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_allocates),
        TEST(test_asks_again),
        TEST(test_stream_waits),
        TEST(test_wrong_password),
        TEST(test_nonce_that_is_never_right),
        TEST(test_goes_elsewhere),
        TEST(test_is_not_sent_in_circles),
        TEST(test_errors_in_words),
        TEST(test_clears_what_was_there),
        TEST(test_lies),
        TEST(test_peers),
        TEST(test_peer_that_is_refused),
        TEST(test_renews),
        TEST(test_closes),
        TEST(test_more_peers_than_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/core/turn_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PEER       rig_address("203.0.113.9", 4000)
#define OTHER_PORT rig_address("203.0.113.9", 4001)
#define STRANGER   rig_address("203.0.113.10", 4000)

static struct turn_rig rig;

static int start(void **state)
{
    struct tdm_turn_server_config config = rig_config();

    (void)state;
    rig_start(&rig, &config);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static void start_with(const struct tdm_turn_server_config *config)
{
    rig_stop(&rig);
    rig_start(&rig, config);
}

static const struct tdm_turn_server_stats *stats(void)
{
    return tdm_turn_server_stats_of(rig.server);
}

static struct rig_client ann(void)
{
    return rig_client("203.0.113.77", 5555, "ann", "apple");
}

static void test_binding(void **state)
{
    struct rig_client c = ann();
    struct rig_request r;
    struct tdm_stun answer;

    (void)state;
    rig_begin(&rig, &r, TDM_STUN_BINDING);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), 0);
    assert_true(tdm_address_equal(&answer.mapped, &c.address));
    assert_int_equal(answer.other_address.family, TDM_ADDRESS_NONE);

    /* One who cannot answer from elsewhere says so. */
    rig_begin(&rig, &r, TDM_STUN_BINDING);
    tdm_stun_write_u32(&r.w, TDM_STUN_CHANGE_REQUEST, TDM_STUN_CHANGE_IP);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), TDM_STUN_UNKNOWN_ATTRIBUTE);
}

static void test_nat_discovery(void **state)
{
    struct tdm_turn_server_config config = rig_config();
    struct rig_client c = ann();

    (void)state;
    config.nat_hosts[0] = rig_address("198.51.100.1", 0);
    config.nat_hosts[1] = rig_address("198.51.100.2", 0);
    config.nat_ports[0] = 3478;
    config.nat_ports[1] = 3479;
    start_with(&config);
    for (uint32_t change = 0; change <= 6; change += 2) {
        struct rig_request r;
        struct tdm_stun answer;
        struct tdm_address from =
            rig_address(change & TDM_STUN_CHANGE_IP ? "198.51.100.2" : "198.51.100.1",
                        change & TDM_STUN_CHANGE_PORT ? 3479 : 3478);

        rig_begin(&rig, &r, TDM_STUN_BINDING);
        tdm_stun_write_u32(&r.w, TDM_STUN_CHANGE_REQUEST, change);
        assert_int_equal(rig_send(&rig, &r, &c, &answer), 0);
        assert_true(tdm_address_equal(&rig.out.client.from, &from));
        assert_true(tdm_address_equal(&answer.response_origin, &from));
        from = rig_address("198.51.100.2", 3479);
        assert_true(tdm_address_equal(&answer.other_address, &from));
    }
}

static void test_allocate_and_relay(void **state)
{
    struct rig_client c = ann();
    struct tdm_address peer = PEER, other = OTHER_PORT, stranger = STRANGER;
    struct tdm_stun answer;

    (void)state;
    assert_int_equal(rig_allocate_once(&rig, &c, &answer), TDM_STUN_UNAUTHENTICATED);
    assert_int_equal(rig.open_count, 0);
    assert_int_equal(rig_allocate_once(&rig, &c, &answer), 0);
    assert_int_equal(rig.out.told, TDM_TURN_SERVER_TOLD_ALLOCATED);
    assert_true(tdm_address_equal(&answer.relayed[0], &rig.relays[0]));
    assert_true(tdm_address_equal(&answer.mapped, &c.address));
    assert_int_equal(answer.lifetime_s, 600);
    assert_int_equal(rig.open_count, 1);

    /* Nothing passes without a permission, in either direction. */
    assert_false(rig_indicate(&rig, &c, &peer, "hello"));
    assert_false(rig_peer_sends(&rig, 0, &peer, "hello"));
    assert_int_equal(stats()->unpermitted, 2);
    assert_int_equal(rig_permit(&rig, &c, &peer), 0);
    assert_true(rig_indicate(&rig, &c, &peer, "hello"));
    assert_true(tdm_address_equal(&rig.out.peer.to, &peer));
    assert_int_equal(rig.out.peer.payload_size, 5);
    assert_memory_equal(rig.out.peer.payload, "hello", 5);
    assert_true(rig_peer_sends(&rig, 0, &other, "hi"));
    assert_int_equal(rig.out.client.size + rig.out.client.payload_size + rig.out.client.padding,
                     20 + 12 + 4 + 4);
    assert_false(rig_peer_sends(&rig, 0, &stranger, "hi"));

    /* With a channel both ways are short. */
    assert_int_equal(rig_bind(&rig, &c, 0x4001, &peer), 0);
    assert_true(rig_peer_sends(&rig, 0, &peer, "hi"));
    assert_int_equal(rig.out.client.size, 4);
    assert_int_equal(rig.out.client.padding, 0);
    rig_message(&rig, &c, (const uint8_t[]){0x40, 1, 0, 2, 'y', 'o'}, 6);
    assert_int_equal(rig.out.peer.payload_size, 2);
    rig_message(&rig, &c, (const uint8_t[]){0x40, 2, 0, 2, 'y', 'o'}, 6);
    assert_int_equal(rig.out.peer.relay, TDM_TURN_SERVER_NO_RELAY);

    /* A number belongs to one peer and a peer to one number. */
    assert_int_equal(rig_bind(&rig, &c, 0x4001, &other), TDM_STUN_BAD_REQUEST);
    assert_int_equal(rig_bind(&rig, &c, 0x4002, &peer), TDM_STUN_BAD_REQUEST);
    assert_int_equal(rig_bind(&rig, &c, 0x3fff, &stranger), TDM_STUN_BAD_REQUEST);
    assert_int_equal(rig_bind(&rig, &c, 0x4001, &peer), 0);

    assert_int_equal(rig_refresh(&rig, &c, 0), 0);
    assert_int_equal(rig.out.told, TDM_TURN_SERVER_TOLD_ENDED);
    assert_int_equal(rig.out.bytes_out, 7);
    assert_int_equal(rig.open_count, 0);
    assert_int_equal(rig_refresh(&rig, &c, 0), TDM_STUN_ALLOCATION_MISMATCH);
}

static void test_answer_that_was_lost(void **state)
{
    struct rig_client c = ann();
    struct rig_request r;
    struct tdm_stun answer;
    struct tdm_address relayed;

    (void)state;
    (void)rig_allocate_once(&rig, &c, &answer);
    rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
    tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), 0);
    relayed = answer.relayed[0];
    rig_message(&rig, &c, r.bytes, tdm_writer_size(&r.w));
    assert_int_equal(tdm_stun_parse(&answer, rig.out.client.data, rig.out.client.size), TDM_OK);
    assert_true(tdm_address_equal(&answer.relayed[0], &relayed));
    assert_int_equal(rig.opens, 1);
    assert_int_equal(rig_allocate(&rig, &c, &answer), TDM_STUN_ALLOCATION_MISMATCH);
}

static void test_lifetimes(void **state)
{
    struct rig_client c = ann();
    struct tdm_address peer = PEER;
    struct tdm_stun answer;

    (void)state;
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
    assert_int_equal(rig_bind(&rig, &c, 0x4001, &peer), 0);
    rig_wait(&rig, 299 * TDM_S);
    assert_true(rig_peer_sends(&rig, 0, &peer, "hi"));
    rig_wait(&rig, 2 * TDM_S); /* The permission is gone, the channel alone does not do. */
    assert_false(rig_peer_sends(&rig, 0, &peer, "hi"));
    rig_message(&rig, &c, (const uint8_t[]){0x40, 1, 0, 2, 'y', 'o'}, 6);
    assert_int_equal(rig.out.peer.relay, TDM_TURN_SERVER_NO_RELAY);
    assert_int_equal(rig_refresh(&rig, &c, 100000), 0);
    rig_wait(&rig, 3599 * TDM_S);
    assert_int_equal(rig.open_count, 1);
    rig_wait(&rig, 2 * TDM_S);
    assert_int_equal(rig.open_count, 0);
    assert_int_equal(stats()->allocations, 0);
}

static void test_stale_nonce(void **state)
{
    struct rig_client c = ann(), elsewhere;
    struct tdm_stun answer;

    (void)state;
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
    elsewhere = c; /* The nonce is bound to the address that asked for it. */
    elsewhere.address.port++;
    assert_int_equal(rig_allocate_once(&rig, &elsewhere, &answer), TDM_STUN_STALE_NONCE);
    assert_int_equal(rig_allocate_once(&rig, &elsewhere, &answer), 0);
    rig_wait(&rig, 599 * TDM_S);
    assert_int_equal(rig_refresh(&rig, &c, 600), 0);
    rig_wait(&rig, 2 * TDM_S);
    assert_int_equal(rig_refresh(&rig, &c, 600), TDM_STUN_STALE_NONCE);
    assert_int_equal(rig_refresh(&rig, &c, 600), 0);
}

static void test_credentials(void **state)
{
    char user[TDM_TURN_USER_MAX], password[TDM_TURN_REST_PASSWORD_SIZE];
    struct rig_client c = rig_client("203.0.113.77", 1, "ann", "berry");
    struct tdm_stun answer;

    (void)state;
    assert_int_equal(rig_allocate(&rig, &c, &answer), TDM_STUN_UNAUTHENTICATED);
    c = rig_client("203.0.113.77", 2, "eve", "apple");
    assert_int_equal(rig_allocate(&rig, &c, &answer), TDM_STUN_UNAUTHENTICATED);
    assert_int_equal(stats()->wrong_credentials, 2);
    c = rig_client("203.0.113.77", 3, "ann", "apple");
    c.sha256 = true;
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);

    assert_int_equal(tdm_turn_rest_user(user, RIG_WALL + 60, "zoe"), TDM_OK);
    tdm_turn_rest_password(password, "north", user);
    c = rig_client("203.0.113.77", 4, user, password);
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
    rig_wait(&rig, 61 * TDM_S);
    assert_int_equal(rig_refresh(&rig, &c, 600), TDM_STUN_UNAUTHENTICATED);
    tdm_turn_rest_password(password, "south", user);
    c = rig_client("203.0.113.77", 5, user, password);
    assert_int_equal(rig_allocate(&rig, &c, &answer), TDM_STUN_UNAUTHENTICATED);

    /* Somebody else with a good password on the same five-tuple. */
    c = rig_client("203.0.113.77", 3, "bob", "berry");
    assert_int_equal(rig_allocate_once(&rig, &c, &answer), TDM_STUN_UNAUTHENTICATED);
    assert_int_equal(rig_refresh(&rig, &c, 600), TDM_STUN_WRONG_CREDENTIALS);
}

/* As coturn computes it with static-auth-secret (checked with openssl dgst -sha1 -hmac). */
static void test_rest_vector(void **state)
{
    char password[TDM_TURN_REST_PASSWORD_SIZE];
    int64_t expiry_s;

    (void)state;
    tdm_turn_rest_password(password, "north", "1700000060:zoe");
    assert_string_equal(password, "4XBS4U8iUvXc0f4oDF9Zg2K0xmA=");
    assert_int_equal(tdm_turn_rest_expiry("1700000060:zoe", &expiry_s), TDM_OK);
    assert_int_equal(expiry_s, 1700000060);
    assert_int_equal(tdm_turn_rest_expiry("zoe", &expiry_s), TDM_E_MALFORMED);
    assert_int_equal(tdm_turn_rest_expiry("9999999999999999999:a", &expiry_s), TDM_E_MALFORMED);
    assert_string_equal(tdm_turn_rest_name("1700000060:zoe"), "zoe");
    assert_string_equal(tdm_turn_rest_name("zoe"), "zoe");
}

static void test_quotas(void **state)
{
    struct tdm_turn_server_config config = rig_config();
    struct tdm_stun answer;

    (void)state;
    config.allocations = 4;
    config.user_allocations = 2;
    config.host_allocations = 3;
    start_with(&config);
    for (uint16_t i = 0; i < 3; i++) {
        struct rig_client c = rig_client("203.0.113.77", (uint16_t)(100 + i), "ann", "apple");

        assert_int_equal(rig_allocate(&rig, &c, &answer), i < 2 ? 0 : TDM_STUN_QUOTA_REACHED);
    }
    for (uint16_t i = 0; i < 2; i++) { /* Another user, but the host has three at most. */
        struct rig_client c = rig_client("203.0.113.77", (uint16_t)(200 + i), "bob", "berry");

        assert_int_equal(rig_allocate(&rig, &c, &answer), i < 1 ? 0 : TDM_STUN_QUOTA_REACHED);
    }
    for (uint16_t i = 0; i < 2; i++) {
        char user[TDM_TURN_USER_MAX], password[TDM_TURN_REST_PASSWORD_SIZE];

        assert_int_equal(tdm_turn_rest_user(user, RIG_WALL + 60, "zoe"), TDM_OK);
        tdm_turn_rest_password(password, "north", user);
        struct rig_client c = rig_client("203.0.113.78", (uint16_t)(300 + i), user, password);

        assert_int_equal(rig_allocate(&rig, &c, &answer),
                         i < 1 ? 0 : TDM_STUN_INSUFFICIENT_CAPACITY);
    }
    assert_int_equal(stats()->over_quota, 2);
    assert_int_equal(rig.open_count, 4);
}

static void test_rate(void **state)
{
    struct tdm_turn_server_config config = rig_config();
    struct rig_client c = ann();
    struct tdm_address peer = PEER;
    struct tdm_stun answer;
    int passed = 0;

    (void)state;
    config.allocation_bytes_per_s = 1000;
    start_with(&config);
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
    assert_int_equal(rig_permit(&rig, &c, &peer), 0);
    for (int i = 0; i < 1000; i++, rig.now += 10 * TDM_MS)
        passed += rig_peer_sends(&rig, 0, &peer,
                                 "0123456789012345678901234567890123456789"
                                 "0123456789012345678901234567890123456789"
                                 "01234567890123456789");
    assert_in_range(passed, 105, 110); /* 10 s of 10 packets a second, and a burst of one second. */
    assert_int_equal(stats()->over_rate, 1000 - passed);
}

static void test_forbidden_peers(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1", "10.0.0.7",  "192.168.1.1",     "172.31.0.1",   "169.254.1.1",
        "0.0.0.0",   "224.0.0.1", "255.255.255.255", "198.51.100.2", "100.64.0.1",
    };
    static const char *const hosts6[] = {
        "::1",          "fe80::1", "fd00::1",          "ff02::1", "64:ff9b::7f00:1",
        "2002:a00:1::", "::",      "64:ff9b::c0a8:101"};
    struct rig_client c = ann(), c6;
    struct tdm_stun answer;
    struct rig_request r;

    (void)state;
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct tdm_address peer = rig_address(hosts[i], 80);

        if (rig_permit(&rig, &c, &peer) != TDM_STUN_FORBIDDEN ||
            rig_bind(&rig, &c, 0x4001, &peer) != TDM_STUN_FORBIDDEN)
            fail_msg("%s", hosts[i]);
    }
    c6 = ann();
    c6.address.port = 6;
    (void)rig_allocate_once(&rig, &c6, &answer);
    rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
    tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    tdm_stun_write_family(&r.w, TDM_STUN_REQUESTED_FAMILY, TDM_IPV6);
    assert_int_equal(rig_send(&rig, &r, &c6, &answer), 0);
    assert_int_equal(answer.relayed[0].family, TDM_IPV6);
    for (size_t i = 0; i < sizeof hosts6 / sizeof *hosts6; i++) {
        struct tdm_address peer = rig_address(hosts6[i], 80);

        if (rig_permit(&rig, &c6, &peer) != TDM_STUN_FORBIDDEN)
            fail_msg("%s", hosts6[i]);
    }
    struct tdm_address peer = PEER;

    assert_int_equal(rig_permit(&rig, &c6, &peer), TDM_STUN_PEER_FAMILY_MISMATCH);
}

/* Two clients of one server meet: on the relay's host nothing else can be reached. */
static void test_relay_to_relay(void **state)
{
    struct rig_client a = ann(), b = rig_client("203.0.113.78", 1, "bob", "berry");
    struct tdm_stun answer;
    struct tdm_address relay_b, sip;

    (void)state;
    assert_int_equal(rig_allocate(&rig, &a, &answer), 0);
    assert_int_equal(rig_allocate(&rig, &b, &answer), 0);
    relay_b = answer.relayed[0];
    assert_int_equal(rig_permit(&rig, &a, &relay_b), 0);
    assert_true(rig_indicate(&rig, &a, &relay_b, "hello"));
    sip = rig_address("198.51.100.1", 5060);
    assert_false(rig_indicate(&rig, &a, &sip, "hello"));
    assert_int_equal(rig_refresh(&rig, &b, 0), 0);
    assert_false(rig_indicate(&rig, &a, &relay_b, "hello"));
}

static void test_two_families(void **state)
{
    struct tdm_turn_server_config config = rig_config();
    struct rig_client c = ann();
    struct rig_request r;
    struct tdm_stun answer;

    (void)state;
    for (int has_v6 = 1; has_v6 >= 0; has_v6--) {
        if (!has_v6)
            config.relay[1].family = TDM_ADDRESS_NONE;
        start_with(&config);
        c = ann();
        (void)rig_allocate_once(&rig, &c, &answer);
        rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
        tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
        tdm_stun_write_family(&r.w, TDM_STUN_ADDITIONAL_FAMILY, TDM_IPV6);
        assert_int_equal(rig_send(&rig, &r, &c, &answer), 0);
        assert_int_equal(answer.relayed[0].family, TDM_IPV4);
        assert_int_equal(answer.relayed[1].family, has_v6 ? TDM_IPV6 : TDM_ADDRESS_NONE);
        assert_int_equal(answer.address_error_code, has_v6 ? 0 : TDM_STUN_FAMILY_NOT_SUPPORTED);
        assert_int_equal(rig.open_count, has_v6 ? 2 : 1);
    }
    rig_begin(&rig, &r, TDM_STUN_REFRESH);
    tdm_stun_write_family(&r.w, TDM_STUN_REQUESTED_FAMILY, TDM_IPV6);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), TDM_STUN_PEER_FAMILY_MISMATCH);
}

static void test_even_port_and_reservation(void **state)
{
    struct rig_client c = ann();
    struct rig_request r;
    struct tdm_stun answer;
    uint64_t token;
    uint16_t port;

    (void)state;
    (void)rig_allocate_once(&rig, &c, &answer);
    rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
    tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    tdm_stun_write_even_port(&r.w, true);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), 0);
    assert_true(answer.has_token);
    token = answer.token;
    port = answer.relayed[0].port;
    assert_int_equal(port % 2, 0);
    for (int i = 0; i < 2; i++) { /* A token is good for one. */
        struct rig_client next = rig_client("203.0.113.77", (uint16_t)(7 + i), "ann", "apple");

        (void)rig_allocate_once(&rig, &next, &answer);
        rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
        tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
        tdm_stun_write_u64(&r.w, TDM_STUN_RESERVATION_TOKEN, token);
        assert_int_equal(rig_send(&rig, &r, &next, &answer),
                         i ? TDM_STUN_INSUFFICIENT_CAPACITY : 0);
        if (i == 0)
            assert_int_equal(answer.relayed[0].port, port + 1);
    }
}

static void test_ports_that_cannot_be_had(void **state)
{
    struct rig_client c = ann();
    struct tdm_stun answer;

    (void)state;
    rig.refuse_ports = true;
    assert_int_equal(rig_allocate(&rig, &c, &answer), TDM_STUN_INSUFFICIENT_CAPACITY);
    assert_int_equal(rig.out.told, TDM_TURN_SERVER_TOLD_REFUSED);
    assert_int_equal(stats()->allocations, 0);
    rig.refuse_ports = false;
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
}

static void test_requests_that_are_refused(void **state)
{
    struct rig_client c = ann();
    struct rig_request r;
    struct tdm_stun answer;

    (void)state;
    (void)rig_allocate_once(&rig, &c, &answer);
    rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), TDM_STUN_BAD_REQUEST);
    rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
    tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_TCP);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), TDM_STUN_TRANSPORT_NOT_SUPPORTED);
    rig_begin(&rig, &r, TDM_STUN_ALLOCATE);
    tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    tdm_stun_write_flag(&r.w, TDM_STUN_DONT_FRAGMENT);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), TDM_STUN_UNKNOWN_ATTRIBUTE);
    rig_begin(&rig, &r, TDM_STUN_CONNECT);
    assert_int_equal(rig_send(&rig, &r, &c, &answer), TDM_STUN_BAD_REQUEST);
    struct tdm_address peer = PEER;

    assert_int_equal(rig_permit(&rig, &c, &peer), TDM_STUN_ALLOCATION_MISMATCH);
    assert_int_equal(rig.opens, 0);
}

/* Somebody asks in a victim's name, as fast as can be: over time the victim gets hardly more than
 * was sent, whatever is asked. Of IPv6 a victim has a whole /64. */
static void flood(const char *host)
{
    size_t asked = 0, answered = 0;

    for (int i = 0; i < 60000; i++, rig.now += TDM_MS) {
        struct rig_client victim = rig_client(host, (uint16_t)(1 + i), "ann", "apple");
        struct rig_request r;
        struct tdm_stun answer;

        if (victim.address.family == TDM_IPV6)
            victim.address.bytes[15] = (uint8_t)i;

        rig_begin(&rig, &r, i % 2 ? TDM_STUN_ALLOCATE : TDM_STUN_BINDING);
        (void)rig_send(&rig, &r, &victim, &answer);
        asked += tdm_writer_size(&r.w);
        answered += rig.out.client.size;
    }
    assert_true(stats()->rationed > 30000);
    assert_true(answered < asked + 8000 + 60 * 1000);
    assert_int_equal(stats()->allocations, 0);
}

static void test_amplification(void **state)
{
    struct rig_client c = ann();
    struct tdm_stun answer;

    flood("203.0.113.5");
    (void)stop(state);
    (void)start(state);
    flood("2001:db8:7::1");
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0); /* Somebody else is not starved by it. */
}

static void test_stream(void **state)
{
    struct rig_client c = ann();
    struct tdm_address peer = PEER;
    struct tdm_stun answer;

    (void)state;
    c.link = 9;
    assert_int_equal(rig_allocate(&rig, &c, &answer), 0);
    assert_int_equal(rig_bind(&rig, &c, 0x4001, &peer), 0);
    assert_true(rig_peer_sends(&rig, 0, &peer, "hello"));
    assert_int_equal(rig.out.client.link, 9);
    assert_int_equal(rig.out.client.padding, 3);
    rig_message(&rig, &c, (const uint8_t *)"GET / HTTP/1.1\r\n", 16);
    assert_true(rig.out.close_link);
    rig_step(&rig, &(struct tdm_turn_server_in){.kind = TDM_TURN_SERVER_LINK_DOWN, .link = 9});
    assert_int_equal(rig.out.told, TDM_TURN_SERVER_TOLD_ENDED);
    assert_int_equal(rig.open_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_binding),
        TEST(test_nat_discovery),
        TEST(test_allocate_and_relay),
        TEST(test_answer_that_was_lost),
        TEST(test_lifetimes),
        TEST(test_stale_nonce),
        TEST(test_credentials),
        TEST(test_rest_vector),
        TEST(test_quotas),
        TEST(test_rate),
        TEST(test_forbidden_peers),
        TEST(test_relay_to_relay),
        TEST(test_two_families),
        TEST(test_even_port_and_reservation),
        TEST(test_ports_that_cannot_be_had),
        TEST(test_requests_that_are_refused),
        TEST(test_amplification),
        TEST(test_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

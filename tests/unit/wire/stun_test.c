/* SPDX-License-Identifier: MIT */
/* What the vectors of RFC 5769 (tests/golden/stun_vectors_test.c) do not show. */

#include "engine/wire/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t id[TDM_STUN_ID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static struct tdm_address address(const char *host, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, host, port), TDM_OK);
    return a;
}

static void test_every_attribute(void **state)
{
    struct tdm_address v4 = address("192.0.2.1", 7), v6 = address("2001:db8::5", 8), more;
    uint8_t bytes[1024];
    struct tdm_writer w =
        tdm_stun_begin(bytes, sizeof bytes, TDM_STUN_REQUEST, TDM_STUN_CHANNEL_BIND, id);
    struct tdm_stun m;

    (void)state;
    more = address("192.0.2.2", 9);
    tdm_stun_write_u32(&w, TDM_STUN_PRIORITY, 0x01020304);
    tdm_stun_write_flag(&w, TDM_STUN_USE_CANDIDATE);
    tdm_stun_write_u64(&w, TDM_STUN_ICE_CONTROLLING, 0x0102030405060708);
    tdm_stun_write_u16(&w, TDM_STUN_CHANNEL_NUMBER, 0x4abc);
    tdm_stun_write_u32(&w, TDM_STUN_LIFETIME, 777);
    tdm_stun_write_u8(&w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    tdm_stun_write_even_port(&w, true);
    tdm_stun_write_u64(&w, TDM_STUN_RESERVATION_TOKEN, 99);
    tdm_stun_write_u32(&w, TDM_STUN_CONNECTION_ID, 12);
    tdm_stun_write_u32(&w, TDM_STUN_CHANGE_REQUEST, TDM_STUN_CHANGE_IP | TDM_STUN_CHANGE_PORT);
    tdm_stun_write_family(&w, TDM_STUN_REQUESTED_FAMILY, TDM_IPV6);
    tdm_stun_write_family(&w, TDM_STUN_ADDITIONAL_FAMILY, TDM_IPV4);
    tdm_stun_write_address_error(&w, TDM_IPV6, 440);
    tdm_stun_write_address(&w, TDM_STUN_XOR_PEER_ADDRESS, &v4);
    tdm_stun_write_address(&w, TDM_STUN_XOR_PEER_ADDRESS, &v6);
    tdm_stun_write_address(&w, TDM_STUN_XOR_RELAYED_ADDRESS, &v6);
    tdm_stun_write_address(&w, TDM_STUN_XOR_RELAYED_ADDRESS, &v4);
    tdm_stun_write_address(&w, TDM_STUN_MAPPED_ADDRESS, &more);
    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &v4);
    tdm_stun_write_address(&w, TDM_STUN_ALTERNATE_SERVER, &v4);
    tdm_stun_write_address(&w, TDM_STUN_OTHER_ADDRESS, &v6);
    tdm_stun_write_address(&w, TDM_STUN_RESPONSE_ORIGIN, &more);
    tdm_stun_write_error(&w, 438, NULL);
    tdm_stun_write_text(&w, TDM_STUN_DATA_ATTRIBUTE, "");
    tdm_stun_write_integrity(&w, "key", 3);
    tdm_stun_write_integrity_sha256(&w, "key", 3);
    tdm_stun_write_fingerprint(&w);
    assert_int_equal(tdm_stun_parse(&m, bytes, tdm_stun_end(&w)), TDM_OK);
    assert_int_equal(m.method, TDM_STUN_CHANNEL_BIND);
    assert_int_equal(m.unknown_count, 0);
    assert_true(m.has_priority && m.priority == 0x01020304 && m.use_candidate);
    assert_true(m.has_controlling && m.tie_breaker == 0x0102030405060708);
    assert_true(m.has_channel && m.channel == 0x4abc && m.has_lifetime && m.lifetime_s == 777);
    assert_true(m.has_transport && m.transport == 17 && m.has_even_port && m.reserve_next);
    assert_true(m.has_token && m.token == 99 && m.has_connection_id && m.connection_id == 12);
    assert_true(m.has_change && m.change == 6);
    assert_int_equal(m.family, TDM_IPV6);
    assert_int_equal(m.extra_family, TDM_IPV4);
    assert_int_equal(m.address_error_code, 440);
    assert_int_equal(m.peer_count, 2);
    assert_true(tdm_address_equal(&m.peers[1], &v6));
    assert_true(tdm_address_equal(&m.relayed[0], &v6) && tdm_address_equal(&m.relayed[1], &v4));
    assert_true(tdm_address_equal(&m.mapped, &v4)); /* The one that no gateway rewrites. */
    assert_true(tdm_address_equal(&m.alternate_server, &v4));
    assert_true(tdm_address_equal(&m.other_address, &v6));
    assert_true(tdm_address_equal(&m.response_origin, &more));
    assert_int_equal(m.error_code, 438);
    assert_true(tdm_stun_span_equal(m.reason, tdm_stun_span_of("Stale Nonce")));
    assert_true(m.data.data && m.data.size == 0);
    assert_int_equal(tdm_stun_check(&m, "key", 3), TDM_OK);
    assert_int_equal(tdm_stun_check(&m, "kex", 3), TDM_E_DENIED);
}

static void test_what_follows_integrity_is_not_believed(void **state)
{
    uint8_t bytes[256];
    struct tdm_writer w =
        tdm_stun_begin(bytes, sizeof bytes, TDM_STUN_REQUEST, TDM_STUN_BINDING, id);
    struct tdm_stun m;

    (void)state;
    tdm_stun_write_integrity(&w, "key", 3);
    tdm_stun_write_flag(&w, TDM_STUN_USE_CANDIDATE);
    tdm_stun_write_flag(&w, (enum tdm_stun_attribute)0x7777);
    assert_int_equal(tdm_stun_parse(&m, bytes, tdm_stun_end(&w)), TDM_OK);
    assert_false(m.use_candidate);
    assert_int_equal(m.unknown_count, 0);
    assert_int_equal(tdm_stun_check(&m, "key", 3), TDM_OK);
}

static void test_unknown(void **state)
{
    uint8_t bytes[256], answer[256];
    struct tdm_writer w =
        tdm_stun_begin(bytes, sizeof bytes, TDM_STUN_REQUEST, TDM_STUN_BINDING, id);
    struct tdm_stun m, back;

    (void)state;
    tdm_stun_write_flag(&w, (enum tdm_stun_attribute)0x7777);
    tdm_stun_write_flag(&w, (enum tdm_stun_attribute)0xf777);
    assert_int_equal(tdm_stun_parse(&m, bytes, tdm_stun_end(&w)), TDM_OK);
    assert_int_equal(m.unknown_count, 1);
    w = tdm_stun_begin_answer(answer, sizeof answer, TDM_STUN_ERROR, &m);
    tdm_stun_write_error(&w, TDM_STUN_UNKNOWN_ATTRIBUTE, "");
    tdm_stun_write_unknown(&w, &m);
    assert_int_equal(tdm_stun_parse(&back, answer, tdm_stun_end(&w)), TDM_OK);
    assert_int_equal(tdm_writer_size(&w), 20 + 8 + 8);
    assert_memory_equal(answer + 28, "\x00\x0a\x00\x02\x77\x77\x00\x00", 8);
    assert_int_equal(back.error_code, 420);
    assert_memory_equal(back.id, id, sizeof id);
}

struct bad {
    const char *what;
    uint8_t bytes[32];
    size_t size;
};

static void test_malformed(void **state)
{
#define HEAD(size)                                                                                 \
    0x00, 0x01, 0x00, size, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    static const struct bad bads[] = {
        {"nothing", {0}, 0},
        {"short", {HEAD(0)}, 19},
        {"first bits", {0x80, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42}, 20},
        {"cookie", {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x43}, 20},
        {"size beyond", {HEAD(4)}, 20},
        {"size before", {HEAD(0)}, 24},
        {"not a multiple of 4", {HEAD(2)}, 22},
        {"attribute beyond", {HEAD(4), 0x80, 0x22, 0, 1}, 24},
        {"address of no family", {HEAD(12), 0, 0x20, 0, 8, 0, 3}, 32},
        {"short address", {HEAD(8), 0, 0x20, 0, 4, 0, 1}, 28},
        {"error 200", {HEAD(8), 0, 9, 0, 4, 0, 0, 2, 0}, 28},
        {"wrong fingerprint", {HEAD(8), 0x80, 0x28, 0, 4}, 28},
        {"short integrity", {HEAD(8), 0, 8, 0, 4}, 28},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct tdm_stun m;

        if (tdm_stun_parse(&m, bads[i].bytes, bads[i].size) != TDM_E_MALFORMED)
            fail_msg("%s", bads[i].what);
    }
}

static void test_does_not_fit(void **state)
{
    uint8_t bytes[30];

    (void)state;
    for (size_t capacity = 0; capacity < sizeof bytes; capacity++) {
        struct tdm_writer w =
            tdm_stun_begin(bytes, capacity, TDM_STUN_REQUEST, TDM_STUN_BINDING, id);

        tdm_stun_write_u32(&w, TDM_STUN_PRIORITY, 1);
        assert_int_equal(tdm_stun_end(&w), capacity < 28 ? 0 : 28);
        tdm_stun_write_integrity(&w, "k", 1);
        tdm_stun_write_fingerprint(&w);
        assert_int_equal(tdm_stun_end(&w), 0);
    }
}

static void test_frames(void **state)
{
    static const uint8_t stream[] = {
        0x40,    0x01, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, /* ChannelData with its padding */
        HEAD(0),
    };
    size_t frame;
    struct tdm_turn_channel_data c;

    (void)state;
    for (size_t have = 0; have < 12; have++) {
        assert_int_equal(tdm_turn_frame_size(stream, have, &frame), TDM_E_AGAIN);
        assert_int_equal(frame, have < 4 ? 4 : 12);
    }
    assert_int_equal(tdm_turn_frame_size(stream, sizeof stream, &frame), TDM_OK);
    assert_int_equal(frame, 12);
    assert_int_equal(tdm_turn_channel_data_parse(&c, stream, 12), TDM_OK);
    assert_int_equal(c.channel, 0x4001);
    assert_int_equal(c.size, 5);
    assert_int_equal(tdm_turn_channel_data_parse(&c, stream, 8), TDM_E_MALFORMED);
    assert_int_equal(tdm_turn_frame_size(stream + 12, 19, &frame), TDM_E_AGAIN);
    assert_int_equal(tdm_turn_frame_size(stream + 12, 20, &frame), TDM_OK);
    assert_int_equal(frame, 20);
    assert_int_equal(tdm_turn_frame_size((const uint8_t *)"\x16", 1, &frame), TDM_E_AGAIN);
    assert_int_equal(tdm_turn_frame_size((const uint8_t *)"\x80", 1, &frame), TDM_E_MALFORMED);
    assert_int_equal(tdm_turn_frame_size((const uint8_t *)"\x7f\xff\x00\x04", 4, &frame),
                     TDM_E_MALFORMED);
    assert_int_equal(tdm_turn_frame_size((const uint8_t *)"\x00\x01\x00\x03", 4, &frame),
                     TDM_E_MALFORMED);
}

static void test_span_text(void **state)
{
    char text[6];

    (void)state;
    tdm_stun_span_text(tdm_stun_span_of("a\x01"
                                        "bcdefg"),
                       text, sizeof text);
    assert_string_equal(text, "a?bcd");
    tdm_stun_span_text((struct tdm_stun_span){0}, text, sizeof text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_attribute),
        cmocka_unit_test(test_what_follows_integrity_is_not_believed),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_does_not_fit),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_span_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

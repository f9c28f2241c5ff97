/* SPDX-License-Identifier: MIT */
/* The messages of RFC 5769, read and written. */

#include "engine/wire/stun.h"
#include "tests/golden/hex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* RFC 5769 section 2.1. Its padding is spaces. */
static const char request_hex[] = "000100582112a442b7e7a701bc34d686fa87dfae"
                                  "802200105354554e207465737420636c69656e74"
                                  "002400046e0001ff"
                                  "80290008932ff9b151263b36"
                                  "000600096576746a3a68367659202020"
                                  "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                                  "80280004e57a3bcf";
/* RFC 5769 sections 2.2 and 2.3. */
static const char response_v4_hex[] = "0101003c2112a442b7e7a701bc34d686fa87dfae"
                                      "8022000b7465737420766563746f7220"
                                      "002000080001a147e112a643"
                                      "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
                                      "80280004c07d4c96";
static const char response_v6_hex[] = "010100482112a442b7e7a701bc34d686fa87dfae"
                                      "8022000b7465737420766563746f7220"
                                      "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
                                      "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
                                      "80280004c8fb0b4c";
/* RFC 5769 section 2.4: a name of six katakana, "TheMatrIX" as prepared password. */
static const char long_term_hex[] =
    "000100602112a44278ad3433c6ad72c029da412e"
    "00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341"
    "0014000b6578616d706c652e6f726700"
    "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";
static const char short_term_password[] = "VOkJxbRl1RmTxUk/WvJxBt";

static void test_request(void **state)
{
    uint8_t bytes[CAPTURE_BYTES_MAX];
    size_t size = bytes_of_hex(bytes, request_hex);
    struct tdm_stun m;

    (void)state;
    assert_int_equal(tdm_stun_parse(&m, bytes, size), TDM_OK);
    assert_int_equal(m.kind, TDM_STUN_REQUEST);
    assert_int_equal(m.method, TDM_STUN_BINDING);
    assert_true(tdm_stun_span_equal(m.software, tdm_stun_span_of("STUN test client")));
    assert_true(m.has_priority && m.priority == 0x6e0001ff);
    assert_true(m.has_controlled && !m.has_controlling && m.tie_breaker == 0x932ff9b151263b36);
    assert_true(tdm_stun_span_equal(m.username, tdm_stun_span_of("evtj:h6vY")));
    assert_true(m.has_fingerprint);
    assert_int_equal(m.unknown_count, 0);
    assert_int_equal(tdm_stun_check(&m, short_term_password, 22), TDM_OK);
    assert_int_equal(tdm_stun_check(&m, short_term_password, 21), TDM_E_DENIED);
}

static void check_response(const char *hex, const char *address)
{
    uint8_t bytes[CAPTURE_BYTES_MAX];
    size_t size = bytes_of_hex(bytes, hex);
    struct tdm_address want;
    struct tdm_stun m;

    assert_int_equal(tdm_address_parse(&want, address, 32853), TDM_OK);
    assert_int_equal(tdm_stun_parse(&m, bytes, size), TDM_OK);
    assert_int_equal(m.kind, TDM_STUN_SUCCESS);
    assert_true(tdm_address_equal(&m.mapped, &want));
    assert_int_equal(tdm_stun_check(&m, short_term_password, 22), TDM_OK);

    /* Written with the vector's padding put in, ours has the same integrity and fingerprint. */
    uint8_t again[CAPTURE_BYTES_MAX];
    struct tdm_writer w = tdm_stun_begin(again, sizeof again, TDM_STUN_SUCCESS, m.method, m.id);

    tdm_stun_write_text(&w, TDM_STUN_SOFTWARE, "test vector");
    again[tdm_writer_size(&w) - 1] = ' ';
    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &want);
    tdm_stun_write_integrity(&w, short_term_password, 22);
    tdm_stun_write_fingerprint(&w);
    assert_int_equal(tdm_stun_end(&w), size);
    assert_memory_equal(again, bytes, size);
}

static void test_responses(void **state)
{
    (void)state;
    check_response(response_v4_hex, "192.0.2.1");
    check_response(response_v6_hex, "2001:db8:1234:5678:11:2233:4455:6677");
}

static void test_long_term(void **state)
{
    uint8_t bytes[CAPTURE_BYTES_MAX], key[TDM_STUN_KEY_BYTES];
    size_t size = bytes_of_hex(bytes, long_term_hex);
    struct tdm_stun m;

    (void)state;
    assert_int_equal(tdm_stun_parse(&m, bytes, size), TDM_OK);
    assert_true(tdm_stun_span_equal(m.realm, tdm_stun_span_of("example.org")));
    assert_true(tdm_stun_span_equal(m.nonce, tdm_stun_span_of("f//499k954d6OL34oL9FSTvy64sA")));
    tdm_stun_long_term_key(m.username, m.realm, "TheMatrIX", key);
    assert_int_equal(tdm_stun_check(&m, key, sizeof key), TDM_OK);
    tdm_stun_long_term_key(m.username, m.realm, "TheMatrix", key);
    assert_int_equal(tdm_stun_check(&m, key, sizeof key), TDM_E_DENIED);
}

/* One bit anywhere makes a message that is refused or is not what the key says; padding that
 * nothing covers does not exist. */
static void test_every_bit_counts(void **state)
{
    uint8_t bytes[CAPTURE_BYTES_MAX];
    size_t size = bytes_of_hex(bytes, request_hex);

    (void)state;
    for (size_t bit = 0; bit < size * 8; bit++) {
        struct tdm_stun m;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (tdm_stun_parse(&m, bytes, size) == TDM_OK &&
            tdm_stun_check(&m, short_term_password, 22) == TDM_OK && m.has_fingerprint)
            fail_msg("bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_long_term),
        cmocka_unit_test(test_every_bit_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

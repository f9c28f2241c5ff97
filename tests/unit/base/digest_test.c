/* SPDX-License-Identifier: MIT */
/* Vectors: RFC 1321 A.5, RFC 3174 7.3, FIPS 180-4 examples, RFC 2202 test case 2, RFC 4231 test
 * case 2, RFC 7914 section 11 (PBKDF2-HMAC-SHA-256), and the check value of CRC-32. */
#include "engine/base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void is_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[2 * 64 + 1] = "";

    for (size_t i = 0; i < size; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, hex);
}

static void test_hashes(void **state)
{
    uint8_t d[32];

    (void)state;
    tdm_md5("abc", 3, d);
    is_hex(d, TDM_MD5_BYTES, "900150983cd24fb0d6963f7d28e17f72");
    tdm_sha1("abc", 3, d);
    is_hex(d, TDM_SHA1_BYTES, "a9993e364706816aba3e25717850c26c9cd0d89d");
    tdm_sha256("abc", 3, d);
    is_hex(d, TDM_SHA256_BYTES, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(tdm_crc32("123456789", 9), 0xcbf43926);
}

static void test_keyed(void **state)
{
    static const char data[] = "what do ya want for nothing?";
    uint8_t d[64];

    (void)state;
    tdm_hmac_sha1("Jefe", 4, data, sizeof data - 1, d);
    is_hex(d, TDM_SHA1_BYTES, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    tdm_hmac_sha256("Jefe", 4, data, sizeof data - 1, d);
    is_hex(d, TDM_SHA256_BYTES, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    tdm_pbkdf2_sha256("passwd", 6, "salt", 4, 1, d, 64);
    is_hex(d, 64,
           "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
           "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

static void test_comparing(void **state)
{
    (void)state;
    assert_true(tdm_equal_in_constant_time("abcd", "abcd", 4));
    assert_false(tdm_equal_in_constant_time("abcd", "abce", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_keyed),
        cmocka_unit_test(test_comparing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Our SRTP against a plain one that is written here from RFC 3711 and RFC 7714 over AES and HMAC
 * alone; that one is checked with the vectors of RFC 3711 appendix B and RFC 7714 sections 16, 17.
 */
#include "engine/io/srtp.h"

#include "engine/base/digest.h"
#include "engine/base/rng.h"
#include "tests/golden/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#define ROOM 1500

/* AES in counter mode under `key`, first counter `counter`, over `data` in place. */
static void counter_mode(const uint8_t *key, size_t key_size, const uint8_t counter[16],
                         uint8_t *data, size_t size)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int count = 0;

    assert_int_equal(EVP_EncryptInit_ex(c, key_size == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(),
                                        NULL, key, counter),
                     1);
    assert_int_equal(EVP_EncryptUpdate(c, data, &count, data, (int)size), 1);
    EVP_CIPHER_CTX_free(c);
}

/* RFC 3711 section 4.3.1; a salt of 12 bytes is filled with zeros behind (RFC 7714 section 11). */
static void derive(const uint8_t *master, size_t key_size, size_t salt_size, uint8_t label,
                   uint8_t *key, size_t size)
{
    uint8_t counter[16] = {0};

    memcpy(counter, master + key_size, salt_size);
    counter[7] ^= label;
    memset(key, 0, size);
    counter_mode(master, key_size, counter, key, size);
}

struct gcm {
    const uint8_t *key, *salt;
    size_t key_size;
};

/* RFC 7714: `text` in place, its tag behind. */
static void seal(const struct gcm *g, const uint8_t nonce_part[12], const uint8_t *aad,
                 size_t aad_size, uint8_t *text, size_t size)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t nonce[12];
    int count = 0;

    for (int i = 0; i < 12; i++)
        nonce[i] = g->salt[i] ^ nonce_part[i];
    assert_int_equal(EVP_EncryptInit_ex(c,
                                        g->key_size == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(),
                                        NULL, g->key, nonce),
                     1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &count, aad, (int)aad_size), 1);
    assert_int_equal(EVP_EncryptUpdate(c, text, &count, text, (int)size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(c, text + size, &count), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, text + size), 1);
    EVP_CIPHER_CTX_free(c);
}

/* RFC 7714 section 8.1: SSRC, roll-over counter, sequence number. */
static size_t gcm_rtp(const struct gcm *g, uint32_t roc, uint8_t *packet, size_t size)
{
    uint8_t part[12] = {0};

    memcpy(part + 2, packet + 8, 4);
    for (int i = 0; i < 4; i++)
        part[6 + i] = (uint8_t)(roc >> (24 - 8 * i));
    memcpy(part + 10, packet + 2, 2);
    seal(g, part, packet, 12, packet + 12, size - 12);
    return size + 16;
}

/* Section 9.1: SSRC and the index, which is authenticated with its E bit. */
static size_t gcm_rtcp(const struct gcm *g, uint32_t index, uint8_t *packet, size_t size)
{
    uint8_t part[12] = {0}, aad[12], trailer[4];

    for (int i = 0; i < 4; i++)
        trailer[i] = (uint8_t)((index | 0x80000000u) >> (24 - 8 * i));
    memcpy(part + 2, packet + 4, 4);
    memcpy(part + 8, trailer, 4);
    part[8] &= 0x7f;
    memcpy(aad, packet, 8);
    memcpy(aad + 8, trailer, 4);
    seal(g, part, aad, sizeof aad, packet + 8, size - 8);
    memcpy(packet + size + 16, trailer, 4);
    return size + 20;
}

/* RFC 3711 sections 4.1.1 and 4.2. */
static size_t cm_rtp(const uint8_t *master, uint32_t roc, uint8_t *packet, size_t size)
{
    uint8_t key[16], salt[14], auth[20], counter[16] = {0}, tag[20], roc_bytes[4];

    derive(master, 16, 14, 0, key, sizeof key);
    derive(master, 16, 14, 1, auth, sizeof auth);
    derive(master, 16, 14, 2, salt, sizeof salt);
    memcpy(counter, salt, sizeof salt);
    for (int i = 0; i < 4; i++) {
        roc_bytes[i] = (uint8_t)(roc >> (24 - 8 * i));
        counter[4 + i] ^= packet[8 + i];
        counter[8 + i] ^= roc_bytes[i];
    }
    counter[12] ^= packet[2];
    counter[13] ^= packet[3];
    counter_mode(key, sizeof key, counter, packet + 12, size - 12);
    memcpy(packet + size, roc_bytes, 4);
    tdm_hmac_sha1(auth, sizeof auth, packet, size + 4, tag);
    memcpy(packet + size, tag, 10);
    return size + 10;
}

static void hex_equal(const uint8_t *bytes, const char *hex)
{
    uint8_t expected[CAPTURE_BYTES_MAX];
    size_t size = bytes_of_hex(expected, hex);

    assert_memory_equal(bytes, expected, size);
}

static void hex_into(uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t all[CAPTURE_BYTES_MAX];

    assert_int_equal(bytes_of_hex(all, hex), size);
    memcpy(bytes, all, size);
}

static void test_rfc_3711(void **state)
{
    uint8_t master[30], key[16], salt[14], auth[20], counter[16] = {0}, stream[48] = {0};

    (void)state;
    hex_into(master, sizeof master,
             "e1f97a0d3e018be0d64fa32c06de4139"
             "0ec675ad498afeebb6960b3aabe6");
    derive(master, 16, 14, 0, key, sizeof key);
    derive(master, 16, 14, 1, auth, sizeof auth);
    derive(master, 16, 14, 2, salt, sizeof salt);
    hex_equal(key, "c61e7a93744f39ee10734afe3ff7a087");
    hex_equal(salt, "30cbbc08863d8c85d49db34a9ae1");
    hex_equal(auth, "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
    hex_into(key, sizeof key, "2b7e151628aed2a6abf7158809cf4f3c");
    hex_into(counter, sizeof salt, "f0f1f2f3f4f5f6f7f8f9fafbfcfd");
    counter_mode(key, sizeof key, counter, stream, sizeof stream);
    hex_equal(stream, "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
                      "41e95b3bb0a2e8dd477901e4fca894c0");
}

static void test_rfc_7714(void **state)
{
    uint8_t key[16], salt[12], packet[CAPTURE_BYTES_MAX];
    struct gcm g = {key, salt, sizeof key};
    size_t size;

    (void)state;
    hex_into(key, sizeof key, "000102030405060708090a0b0c0d0e0f");
    hex_into(salt, sizeof salt, "517569642070726f2071756f");
    size = bytes_of_hex(packet, "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"
                                "69736120696e207061727465732074726573");
    size = gcm_rtp(&g, 0, packet, size);
    assert_int_equal(size, 66);
    hex_equal(packet, "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f"
                      "42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce");
    size = bytes_of_hex(packet, "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
                                "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    size = gcm_rtcp(&g, 0x5d4, packet, size);
    assert_int_equal(size, 72);
    hex_equal(packet, "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1"
                      "730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4");
}

static void keys_of(struct tdm_srtp_keys keys[2], enum tdm_srtp_profile profile, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);

    memset(keys, 0, 2 * sizeof *keys);
    keys[0].profile = keys[1].profile = profile;
    keys[0].size = keys[1].size = profile == TDM_SRTP_AEAD_AES_128_GCM   ? 28
                                  : profile == TDM_SRTP_AEAD_AES_256_GCM ? 44
                                                                         : 30;
    for (int i = 0; i < keys[0].size; i++) {
        keys[0].local[i] = keys[1].remote[i] = (uint8_t)tdm_rng_u32(&rng);
        keys[0].remote[i] = keys[1].local[i] = (uint8_t)tdm_rng_u32(&rng);
    }
}

static void open_both(struct tdm_srtp *srtp[2], struct tdm_srtp_keys keys[2],
                      enum tdm_srtp_profile profile)
{
    struct tdm_cause cause;

    keys_of(keys, profile, 11);
    for (int i = 0; i < 2; i++)
        assert_true(tdm_srtp_create(&srtp[i], &keys[i], &cause) == TDM_OK);
}

static size_t rtp_packet(uint8_t *packet, uint32_t ssrc, uint16_t seq, size_t size)
{
    const uint8_t head[12] = {0x80,
                              96,
                              (uint8_t)(seq >> 8),
                              (uint8_t)seq,
                              0,
                              0,
                              7,
                              7,
                              (uint8_t)(ssrc >> 24),
                              (uint8_t)(ssrc >> 16),
                              (uint8_t)(ssrc >> 8),
                              (uint8_t)ssrc};

    memcpy(packet, head, sizeof head);
    for (size_t i = sizeof head; i < size; i++)
        packet[i] = (uint8_t)(i * 7 + seq);
    return size;
}

static size_t rtcp_packet(uint8_t *packet, uint32_t ssrc)
{
    const uint8_t head[8] = {
        0x80,         201, 0, 6, (uint8_t)(ssrc >> 24), (uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8),
        (uint8_t)ssrc};

    memcpy(packet, head, sizeof head);
    memset(packet + sizeof head, 0x5a, 20);
    return 28;
}

static size_t reference(const struct tdm_srtp_keys *keys, uint32_t roc, uint8_t *packet,
                        size_t size)
{
    uint8_t key[32], salt[12];
    size_t key_size = keys->profile == TDM_SRTP_AEAD_AES_256_GCM ? 32 : 16;
    struct gcm g = {key, salt, key_size};

    if (keys->profile == TDM_SRTP_AES_CM_128_HMAC_SHA1_80)
        return cm_rtp(keys->local, roc, packet, size);
    derive(keys->local, key_size, 12, 0, key, key_size);
    derive(keys->local, key_size, 12, 2, salt, sizeof salt);
    return gcm_rtp(&g, roc, packet, size);
}

static size_t reference_rtcp(const struct tdm_srtp_keys *keys, uint32_t index, uint8_t *packet,
                             size_t size)
{
    uint8_t key[32], salt[12];
    size_t key_size = keys->profile == TDM_SRTP_AEAD_AES_256_GCM ? 32 : 16;
    struct gcm g = {key, salt, key_size};

    derive(keys->local, key_size, 12, 3, key, key_size);
    derive(keys->local, key_size, 12, 5, salt, sizeof salt);
    return gcm_rtcp(&g, index, packet, size);
}

static const enum tdm_srtp_profile profiles[] = {
    TDM_SRTP_AEAD_AES_128_GCM, TDM_SRTP_AEAD_AES_256_GCM, TDM_SRTP_AES_CM_128_HMAC_SHA1_80};

/* What we send is what the RFCs say, over a wrap of the sequence; and the other side opens it. */
static void test_against_reference(void **state)
{
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct tdm_srtp_keys keys[2];
        struct tdm_srtp *srtp[2];

        open_both(srtp, keys, profiles[p]);
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t seq = 65520 + i;
            uint8_t ours[ROOM], theirs[ROOM], plain[ROOM];
            size_t size = rtp_packet(ours, 0xabc00123, (uint16_t)seq, 12 + i * 30);
            size_t plain_size = size;

            memcpy(theirs, ours, size);
            memcpy(plain, ours, size);
            assert_true(tdm_srtp_protect(srtp[0], false, ours, &size) == TDM_OK);
            assert_int_equal(size, reference(&keys[0], seq >> 16, theirs, plain_size));
            assert_memory_equal(ours, theirs, size);
            assert_true(size <= plain_size + TDM_SRTP_TRAILER);
            assert_true(tdm_srtp_unprotect(srtp[1], false, ours, &size) == TDM_OK);
            assert_int_equal(size, plain_size);
            assert_memory_equal(ours, plain, size);
        }
        tdm_srtp_destroy(srtp[0]);
        tdm_srtp_destroy(srtp[1]);
    }
}

static void test_rtcp(void **state)
{
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct tdm_srtp_keys keys[2];
        struct tdm_srtp *srtp[2];

        open_both(srtp, keys, profiles[p]);
        for (uint32_t i = 1; i < 5; i++) {
            uint8_t ours[ROOM], theirs[ROOM], plain[ROOM];
            size_t size = rtcp_packet(ours, 5), plain_size = size;

            memcpy(theirs, ours, size);
            memcpy(plain, ours, size);
            assert_true(tdm_srtp_protect(srtp[0], true, ours, &size) == TDM_OK);
            assert_true(size <= plain_size + TDM_SRTP_TRAILER);
            assert_memory_not_equal(ours + 8, plain + 8, 20);
            if (p < 2) {
                assert_int_equal(size, reference_rtcp(&keys[0], i, theirs, plain_size));
                assert_memory_equal(ours, theirs, size);
            }
            memcpy(theirs, ours, size);
            size_t again = size;

            assert_true(tdm_srtp_unprotect(srtp[1], true, ours, &size) == TDM_OK);
            assert_int_equal(size, plain_size);
            assert_memory_equal(ours, plain, size);
            assert_true(tdm_srtp_unprotect(srtp[1], true, theirs, &again) == TDM_E_DENIED);
        }
        tdm_srtp_destroy(srtp[0]);
        tdm_srtp_destroy(srtp[1]);
    }
}

/* One that comes again is refused, a late one is not, a changed one is, at whatever byte. */
static void test_refusals(void **state)
{
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct tdm_srtp_keys keys[2];
        struct tdm_srtp *srtp[2];
        static uint8_t packets[600][200];
        size_t sizes[600];

        open_both(srtp, keys, profiles[p]);
        for (uint16_t i = 0; i < 600; i++) {
            sizes[i] = rtp_packet(packets[i], 9, i, 100);
            assert_true(tdm_srtp_protect(srtp[0], false, packets[i], &sizes[i]) == TDM_OK);
        }
        for (int i = 599; i >= 0; i--) {
            uint8_t copy[200];
            size_t size = sizes[i];

            memcpy(copy, packets[i], size);
            copy[(size_t)i % size] ^= 1;
            assert_true(tdm_srtp_unprotect(srtp[1], false, copy, &size) != TDM_OK);
            size = sizes[i];
            memcpy(copy, packets[i], size);
            assert_true(tdm_srtp_unprotect(srtp[1], false, copy, &size) == TDM_OK);
            size = sizes[i];
            memcpy(copy, packets[i], size);
            assert_true(tdm_srtp_unprotect(srtp[1], false, copy, &size) == TDM_E_DENIED);
        }
        tdm_srtp_destroy(srtp[0]);
        tdm_srtp_destroy(srtp[1]);
    }
}

/* Sent again it is the same; anything else under a used number is not sent. */
static void test_repeats(void **state)
{
    struct tdm_srtp_keys keys[2];
    struct tdm_srtp *srtp[2];
    uint8_t first[ROOM], again[ROOM];
    size_t size, again_size;

    (void)state;
    open_both(srtp, keys, TDM_SRTP_AEAD_AES_128_GCM);
    for (uint16_t seq = 0; seq < 2000; seq++) {
        size = rtp_packet(first, 9, seq, 64 + seq % 64u);
        assert_true(tdm_srtp_protect(srtp[0], false, first, &size) == TDM_OK);
        if (seq < 1000)
            continue;
        again_size = rtp_packet(again, 9, (uint16_t)(seq - 900), 64 + (seq - 900) % 64u);
        assert_true(tdm_srtp_protect(srtp[0], false, again, &again_size) == TDM_OK);
    }
    again_size = rtp_packet(again, 9, 1999, 64 + 1999 % 64);
    assert_true(tdm_srtp_protect(srtp[0], false, again, &again_size) == TDM_OK);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, first, size);
    for (size_t at = 0; at < 64 + 1999 % 64; at++) {
        if ((at >= 2 && at < 4) || (at >= 8 && at < 12) || at == 0)
            continue; /* Another number or source, or no RTP. */
        again_size = rtp_packet(again, 9, 1999, 64 + 1999 % 64);
        again[at] ^= 0x80;
        assert_true(tdm_srtp_protect(srtp[0], false, again, &again_size) == TDM_E_DENIED);
    }
    again_size = rtp_packet(again, 9, 1999, 65 + 1999 % 64);
    assert_true(tdm_srtp_protect(srtp[0], false, again, &again_size) == TDM_E_DENIED);
    again_size = rtp_packet(again, 9, 900, 64); /* Forgotten: too old to be told apart. */
    assert_true(tdm_srtp_protect(srtp[0], false, again, &again_size) == TDM_E_DENIED);
    tdm_srtp_destroy(srtp[0]);
    tdm_srtp_destroy(srtp[1]);
}

static void test_bounds(void **state)
{
    struct tdm_srtp_keys keys[2];
    struct tdm_srtp *srtp[2], *none;
    struct tdm_cause cause;
    uint8_t packet[ROOM];
    size_t size;

    (void)state;
    open_both(srtp, keys, TDM_SRTP_AEAD_AES_128_GCM);
    for (uint32_t ssrc = 0; ssrc < TDM_SRTP_SOURCES_MAX + 8; ssrc++) {
        struct tdm_srtp *fresh;
        bool fits = ssrc < TDM_SRTP_SOURCES_MAX;

        size = rtp_packet(packet, ssrc, 1, 50);
        assert_true(tdm_srtp_protect(srtp[0], false, packet, &size) ==
                    (fits ? TDM_OK : TDM_E_SPACE));
        assert_true(tdm_srtp_create(&fresh, &keys[0], &cause) == TDM_OK);
        size = rtp_packet(packet, ssrc, 1, 50);
        assert_true(tdm_srtp_protect(fresh, false, packet, &size) == TDM_OK);
        assert_true(tdm_srtp_unprotect(srtp[1], false, packet, &size) ==
                    (fits ? TDM_OK : TDM_E_DENIED));
        tdm_srtp_destroy(fresh);
    }
    for (size_t short_size = 0; short_size < 40; short_size++)
        for (int rtcp = 0; rtcp < 2; rtcp++) {
            memset(packet, 0x80, sizeof packet);
            size = short_size;
            assert_true(tdm_srtp_unprotect(srtp[1], rtcp, packet, &size) != TDM_OK);
            memset(packet, 0, sizeof packet);
            size = short_size;
            assert_true(tdm_srtp_protect(srtp[1], rtcp, packet, &size) != TDM_OK ||
                        short_size >= (rtcp ? 8 : 12));
        }
    keys[0].size = 27;
    assert_true(tdm_srtp_create(&none, &keys[0], &cause) == TDM_E_UNSUPPORTED);
    assert_null(none);
    keys[0].profile = TDM_SRTP_NONE;
    assert_true(tdm_srtp_create(&none, &keys[0], &cause) == TDM_E_UNSUPPORTED);
    tdm_srtp_destroy(srtp[0]);
    tdm_srtp_destroy(srtp[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_3711),
        cmocka_unit_test(test_rfc_7714),
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_rtcp),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

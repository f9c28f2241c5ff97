/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_DIGEST_H
#define TDM_BASE_DIGEST_H

/*
 * Hashes for cores: no heap, no global state, any thread (the hashing is nettle's). Secrets of
 * DTLS, TLS and SRTP are none of its business: those stay inside engine/io.
 */

#include <stddef.h>
#include <stdint.h>

#define TDM_MD5_BYTES    16
#define TDM_SHA1_BYTES   20
#define TDM_SHA256_BYTES 32

void tdm_md5(const void *data, size_t size, uint8_t digest[TDM_MD5_BYTES]);
void tdm_sha1(const void *data, size_t size, uint8_t digest[TDM_SHA1_BYTES]);
void tdm_sha256(const void *data, size_t size, uint8_t digest[TDM_SHA256_BYTES]);

/** The same of bytes that come in pieces. */
struct tdm_sha256_stream {
    uint64_t state[16];
};

void tdm_sha256_init(struct tdm_sha256_stream *s);
void tdm_sha256_update(struct tdm_sha256_stream *s, const void *data, size_t size);
/** The stream must be initialised again before it is used again. */
void tdm_sha256_final(struct tdm_sha256_stream *s, uint8_t digest[TDM_SHA256_BYTES]);

/** RFC 2104. */
void tdm_hmac_sha1(const void *key, size_t key_size, const void *data, size_t size,
                   uint8_t digest[TDM_SHA1_BYTES]);
void tdm_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                     uint8_t digest[TDM_SHA256_BYTES]);

/** RFC 8018 section 5.2 with HMAC-SHA-256; `key_size` up to TDM_SHA256_BYTES. */
void tdm_pbkdf2_sha256(const void *secret, size_t secret_size, const void *salt, size_t salt_size,
                       uint32_t iterations, uint8_t *key, size_t key_size);

/** CRC-32 of ISO 3309 (RFC 8489 section 14.7). */
uint32_t tdm_crc32(const void *data, size_t size);
/** Of what `crc` was of, with these bytes behind it. */
uint32_t tdm_crc32_more(uint32_t crc, const void *data, size_t size);

/** Whether two secrets of `size` bytes are equal, in a time that does not tell where they differ.
 */
int tdm_equal_in_constant_time(const void *a, const void *b, size_t size);

#endif

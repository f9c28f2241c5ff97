/* SPDX-License-Identifier: MIT */
#include "engine/base/digest.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

void tdm_md5(const void *data, size_t size, uint8_t digest[TDM_MD5_BYTES])
{
    struct md5_ctx ctx;

    md5_init(&ctx);
    md5_update(&ctx, size, data);
    md5_digest(&ctx, TDM_MD5_BYTES, digest);
}

void tdm_sha1(const void *data, size_t size, uint8_t digest[TDM_SHA1_BYTES])
{
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, size, data);
    sha1_digest(&ctx, TDM_SHA1_BYTES, digest);
}

void tdm_sha256(const void *data, size_t size, uint8_t digest[TDM_SHA256_BYTES])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, size, data);
    sha256_digest(&ctx, TDM_SHA256_BYTES, digest);
}

_Static_assert(sizeof(struct tdm_sha256_stream) >= sizeof(struct sha256_ctx), "room for nettle's");

void tdm_sha256_init(struct tdm_sha256_stream *s)
{
    sha256_init((struct sha256_ctx *)s->state);
}

void tdm_sha256_update(struct tdm_sha256_stream *s, const void *data, size_t size)
{
    sha256_update((struct sha256_ctx *)s->state, size, data);
}

void tdm_sha256_final(struct tdm_sha256_stream *s, uint8_t digest[TDM_SHA256_BYTES])
{
    sha256_digest((struct sha256_ctx *)s->state, TDM_SHA256_BYTES, digest);
}

void tdm_hmac_sha1(const void *key, size_t key_size, const void *data, size_t size,
                   uint8_t digest[TDM_SHA1_BYTES])
{
    struct hmac_sha1_ctx ctx;

    hmac_sha1_set_key(&ctx, key_size, key);
    hmac_sha1_update(&ctx, size, data);
    hmac_sha1_digest(&ctx, TDM_SHA1_BYTES, digest);
}

void tdm_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                     uint8_t digest[TDM_SHA256_BYTES])
{
    struct hmac_sha256_ctx ctx;

    hmac_sha256_set_key(&ctx, key_size, key);
    hmac_sha256_update(&ctx, size, data);
    hmac_sha256_digest(&ctx, TDM_SHA256_BYTES, digest);
}

void tdm_pbkdf2_sha256(const void *secret, size_t secret_size, const void *salt, size_t salt_size,
                       uint32_t iterations, uint8_t *key, size_t key_size)
{
    pbkdf2_hmac_sha256(secret_size, secret, iterations, salt_size, salt, key_size, key);
}

uint32_t tdm_crc32(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

int tdm_equal_in_constant_time(const void *a, const void *b, size_t size)
{
    return memeql_sec(a, b, size);
}

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

uint32_t tdm_crc32_more(uint32_t crc, const void *data, size_t size)
{
    /* Of four bits each. */
    static const uint32_t steps[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *at = data;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return ~crc;
}

uint32_t tdm_crc32(const void *data, size_t size)
{
    return tdm_crc32_more(0, data, size);
}

int tdm_equal_in_constant_time(const void *a, const void *b, size_t size)
{
    return memeql_sec(a, b, size);
}

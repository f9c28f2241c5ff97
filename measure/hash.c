/* SPDX-License-Identifier: MIT */
#include "measure/hash.h"

#include <assert.h>
#include <libavutil/mem.h>
#include <libavutil/sha.h>

#define BITS  256
#define BYTES (BITS / 8)

bool tdm_hash_create(struct tdm_hash *hash)
{
    hash->sha = av_sha_alloc();
    return hash->sha && av_sha_init(hash->sha, BITS) >= 0;
}

void tdm_hash_destroy(struct tdm_hash *hash)
{
    av_freep(&hash->sha);
}

void tdm_hash_add(struct tdm_hash *hash, const void *data, size_t size)
{
    av_sha_update(hash->sha, data, size);
}

void tdm_hash_finish(struct tdm_hash *hash, char text[65])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[BYTES];
    int failed;

    av_sha_final(hash->sha, bytes);
    for (int i = 0; i < BYTES; i++) {
        text[2 * (size_t)i] = digits[bytes[i] >> 4];
        text[2 * (size_t)i + 1] = digits[bytes[i] & 15];
    }
    text[2 * (size_t)BYTES] = '\0';
    failed = av_sha_init(hash->sha, BITS);
    assert(failed >= 0);
    (void)failed;
}

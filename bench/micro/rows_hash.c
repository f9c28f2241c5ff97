/* SPDX-License-Identifier: MIT */
/* SHA-256 as libraries that we link offer it. */
#include "bench/micro/micro.h"

#include <libavutil/mem.h>
#include <libavutil/sha.h>
#include <openssl/evp.h>

#define BLOCK_BYTES (256 * 1024)

struct hashing {
    const uint8_t *bytes;
    size_t size;
    struct AVSHA *sha;
};

static bool variant_of(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "OpenSSL" : "libavutil", true};
    return at < 2;
}

static bool make(struct micro_case *c)
{
    struct hashing *h = c->state = micro_take(c, sizeof *h, 0);

    h->size = c->timed ? BLOCK_BYTES : micro_between(c, 0, 4000);
    h->bytes = micro_bytes(c, h->size);
    h->sha = av_sha_alloc();
    c->bytes = (double)h->size;
    c->out_size = 32;
    c->out = micro_take(c, c->out_size, 0);
    return h->sha;
}

static void run(struct micro_case *c, size_t variant)
{
    const struct hashing *h = c->state;

    if (variant) {
        (void)EVP_Digest(h->bytes, h->size, c->out, NULL, EVP_sha256(), NULL);
        return;
    }
    (void)av_sha_init(h->sha, 256);
    av_sha_update(h->sha, h->bytes, h->size);
    av_sha_final(h->sha, c->out);
}

static void drop(struct micro_case *c)
{
    struct hashing *h = c->state;

    av_freep(&h->sha);
}

static const struct micro_routine rows[] = {
    {.name = "hash.sha256",
     .shape = "256 KiB",
     .variant = variant_of,
     .make = make,
     .run = run,
     .drop = drop},
};
const struct micro_list micro_hash = {rows, sizeof rows / sizeof *rows};

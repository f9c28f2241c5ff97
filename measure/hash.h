/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_HASH_H
#define TDM_MEASURE_HASH_H

/* SHA-256 as text, by libavutil: names inputs and says whether two runs gave the same bits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct AVSHA;

struct tdm_hash {
    struct AVSHA *sha;
};

/** False when there is no memory. Destroy after a success. */
bool tdm_hash_create(struct tdm_hash *hash);
void tdm_hash_destroy(struct tdm_hash *hash);

void tdm_hash_add(struct tdm_hash *hash, const void *data, size_t size);

/** Writes 64 digits and a 0; the hash starts again. */
void tdm_hash_finish(struct tdm_hash *hash, char text[65]);

#endif

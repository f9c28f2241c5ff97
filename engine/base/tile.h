/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_TILE_H
#define TDM_BASE_TILE_H

/*
 * Rectangles of a screen, compared and hashed. A pixel is four bytes: blue, green, red and one that
 * means nothing (X servers leave anything there) and is ignored by both.
 *
 * The hash is for finding equal rectangles and noticing unequal ones, on pixels that nobody chose
 * in order to deceive: it has no secret key and is no digest. Two different rectangles agree by
 * chance once in about 2^64. It is the same on every machine and defined so:
 *
 *     Each row, filled up with zeros to whole stripes of 8 pixels, is read in stripes of four
 *     64-bit words v0..v3 (two pixels each, little endian, the ignored byte zero). Lane i has a
 * sum, first 0, and a key, first the (i+1)-th number of splitmix64 seeded with 0. For each stripe,
 *     modulo 2^64:
 *         sum[i]   += low32(v[i] ^ key[i]) * high32(v[i] ^ key[i])
 *         sum[i^1] += v[i]
 *         key[i]   += 0x9e3779b97f4a7c15
 *     In the end h = width + height * 2^32, then for each lane h = mix(h ^ sum[i]) with the
 *     finalizer of splitmix64 as mix; the result is h.
 *
 * The products of data and changing keys are those of NH (Black, Halevi, Krawczyk, Krovetz,
 * Rogaway, "UMAC", CRYPTO 1999), one instruction for several lanes; the plain sum beside it keeps
 * what a factor of zero would swallow, as in XXH3. The keys differ from stripe to stripe (a Weyl
 * sequence), so that moved pixels count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_TILE_SIDE 64
#define TDM_TILE_CELL 8

/** Borrows the pixels; any alignment. */
struct tdm_tile {
    const uint8_t *pixels; /* First pixel of the first row. */
    ptrdiff_t stride;      /* Bytes from one row to the next. */
    int width, height;     /* Pixels, both at least 1. */
};

/** Both have the same sides. */
bool tdm_tile_equal(const struct tdm_tile *a, const struct tdm_tile *b);

/** Which cells of 8x8 pixels differ: bit row / 8 * 8 + column / 8. Both have the same sides, at
 * most TDM_TILE_SIDE. */
uint64_t tdm_tile_cells(const struct tdm_tile *a, const struct tdm_tile *b);

uint64_t tdm_tile_hash(const struct tdm_tile *tile);
/** The same with splitmix64 seeded otherwise: a secret seed keeps others from making two tiles that
 *  agree. Two seeds give 128 bits. */
uint64_t tdm_tile_hash_keyed(const struct tdm_tile *tile, uint64_t seed);

/** One way to compute these (engine/base/cpu.h). */
struct tdm_tile_variant {
    const char *name;
    uint32_t needs;
    bool (*equal)(const struct tdm_tile *a, const struct tdm_tile *b);
    uint64_t (*cells)(const struct tdm_tile *a, const struct tdm_tile *b);
    uint64_t (*hash)(const struct tdm_tile *tile, uint64_t seed);
};

extern const struct tdm_tile_variant tdm_tile_variants[];
extern const size_t tdm_tile_variant_count;

#endif

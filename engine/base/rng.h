/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_RNG_H
#define TDM_BASE_RNG_H

/*
 * Seeded pseudo-random numbers (splitmix64: Steele, Lea, Flood, OOPSLA 2014). The same seed gives
 * the same sequence on every machine. Not for secrets: those come from engine/io/entropy.h.
 */

#include <stdbool.h>
#include <stdint.h>

struct tdm_rng {
    uint64_t state;
};

static inline struct tdm_rng tdm_rng_of(uint64_t seed)
{
    return (struct tdm_rng){.state = seed};
}

static inline uint64_t tdm_rng_u64(struct tdm_rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint32_t tdm_rng_u32(struct tdm_rng *rng)
{
    return (uint32_t)(tdm_rng_u64(rng) >> 32);
}

/** Uniform in [0, bound), bound < 2^32; 0 when bound is 0. */
static inline uint32_t tdm_rng_below(struct tdm_rng *rng, uint32_t bound)
{
    return (uint32_t)((uint64_t)tdm_rng_u32(rng) * bound >> 32);
}

/** Uniform in [0, 1). */
static inline double tdm_rng_unit(struct tdm_rng *rng)
{
    return (double)(tdm_rng_u64(rng) >> 11) * 0x1p-53;
}

static inline bool tdm_rng_chance(struct tdm_rng *rng, double probability)
{
    return tdm_rng_unit(rng) < probability;
}

#endif

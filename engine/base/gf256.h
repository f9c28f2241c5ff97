/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_GF256_H
#define TDM_BASE_GF256_H

/*
 * Arithmetic in GF(2^8), for erasure codes over packets. A byte is a polynomial over GF(2), bit i
 * the coefficient of x^i; sums are exclusive or, products are taken modulo
 *
 *     x^8 + x^4 + x^3 + x^2 + 1        (0x11d)
 *
 * the primitive polynomial of RFC 5510 (Reed-Solomon) and RFC 8681 (random linear codes); x, the
 * byte 2, generates all 255 units. Not the field of AES, which is 0x11b.
 *
 * The product with a fixed byte is linear over GF(2), which is what makes it fast on vectors:
 * c * s = c * (s & 15) + c * (s & 240), each half one look-up in 16 entries (Plank, Greenan,
 * Miller, "Screaming Fast Galois Field Arithmetic Using Intel SIMD Instructions", FAST 2013), or
 * one product with the 8 x 8 bit matrix whose column j is c * x^j (GFNI's affine instruction takes
 * any matrix, so the polynomial need not be that of AES).
 *
 * Pure; the time taken depends on lengths only, but for the choice of the variant.
 */

#include <stddef.h>
#include <stdint.h>

uint8_t tdm_gf256_mul(uint8_t a, uint8_t b);

/** 1/a for a != 0; 0 for 0. */
uint8_t tdm_gf256_inverse(uint8_t a);

/** to[i] += factor * from[i] for `size` bytes, which do not overlap; any alignment. */
void tdm_gf256_mul_add(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size);

/** One way to compute tdm_gf256_mul_add (engine/base/cpu.h). */
struct tdm_gf256_variant {
    const char *name;
    uint32_t needs;
    void (*mul_add)(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size);
};

extern const struct tdm_gf256_variant tdm_gf256_variants[];
extern const size_t tdm_gf256_variant_count;

#endif

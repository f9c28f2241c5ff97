/* SPDX-License-Identifier: MIT */
#include "engine/base/gf256.h"

#include "engine/base/cpu.h"

#include <string.h>

#if TDM_CPU_X86
#include <immintrin.h>
#endif

#define REDUCED 0x1d /* x^8 modulo the polynomial. */

/* What a factor does to the low and to the high four bits of a byte. */
struct halves {
    uint8_t low[16], high[16];
};

static uint8_t times_x(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a >> 7) * REDUCED);
}

uint8_t tdm_gf256_mul(uint8_t a, uint8_t b)
{
    uint8_t product = 0;

    for (int bit = 7; bit >= 0; bit--)
        product = times_x(product) ^ (uint8_t)((b >> bit & 1) * a);
    return product;
}

uint8_t tdm_gf256_inverse(uint8_t a)
{
    uint8_t square = a, power = 1;

    /* The group of units has order 255: 1/a = a^254, and 254 is 2 + 4 + ... + 128. */
    for (int i = 1; i < 8; i++) {
        square = tdm_gf256_mul(square, square);
        power = tdm_gf256_mul(power, square);
    }
    return power;
}

static struct halves halves_of(uint8_t factor)
{
    struct halves h = {{0}, {0}};
    uint8_t multiple = factor;

    for (int bit = 0; bit < 8; bit++) {
        uint8_t *half = bit < 4 ? h.low : h.high;
        int first = 1 << bit % 4;

        /* All below `first` are known; those up to its double have one more bit. */
        for (int i = 0; i < first; i++)
            half[first + i] = half[i] ^ multiple;
        multiple = times_x(multiple);
    }
    return h;
}

static void mul_add_plain(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size)
{
    struct halves h = halves_of(factor);

    for (size_t i = 0; i < size; i++)
        to[i] ^= h.low[from[i] & 15] ^ h.high[from[i] >> 4];
}

#if TDM_CPU_X86
TDM_TARGET("ssse3") static inline __m128i product_16(__m128i low, __m128i high, __m128i x)
{
    __m128i nibble = _mm_set1_epi8(15);
    __m128i upper = _mm_and_si128(_mm_srli_epi64(x, 4), nibble);

    return _mm_xor_si128(_mm_shuffle_epi8(low, _mm_and_si128(x, nibble)),
                         _mm_shuffle_epi8(high, upper));
}

TDM_TARGET("ssse3")
static void mul_add_ssse3(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size)
{
    struct halves h = halves_of(factor);
    __m128i low = _mm_loadu_si128((const __m128i *)h.low);
    __m128i high = _mm_loadu_si128((const __m128i *)h.high);
    size_t i = 0;

    for (; i + 16 <= size; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(from + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(to + i));

        _mm_storeu_si128((__m128i *)(to + i), _mm_xor_si128(y, product_16(low, high, x)));
    }
    for (; i < size; i++)
        to[i] ^= h.low[from[i] & 15] ^ h.high[from[i] >> 4];
}

TDM_TARGET("avx2") static inline __m256i product_32(__m256i low, __m256i high, __m256i x)
{
    __m256i nibble = _mm256_set1_epi8(15);
    __m256i upper = _mm256_and_si256(_mm256_srli_epi64(x, 4), nibble);

    return _mm256_xor_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(x, nibble)),
                            _mm256_shuffle_epi8(high, upper));
}

TDM_TARGET("avx2")
static void mul_add_avx2(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size)
{
    struct halves h = halves_of(factor);
    __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)h.low));
    __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)h.high));
    size_t i = 0;

    for (; i + 64 <= size; i += 64) {
        __m256i x0 = _mm256_loadu_si256((const __m256i *)(from + i));
        __m256i x1 = _mm256_loadu_si256((const __m256i *)(from + i + 32));
        __m256i y0 = _mm256_loadu_si256((const __m256i *)(to + i));
        __m256i y1 = _mm256_loadu_si256((const __m256i *)(to + i + 32));

        y0 = _mm256_xor_si256(y0, product_32(low, high, x0));
        y1 = _mm256_xor_si256(y1, product_32(low, high, x1));
        _mm256_storeu_si256((__m256i *)(to + i), y0);
        _mm256_storeu_si256((__m256i *)(to + i + 32), y1);
    }
    for (; i + 16 <= size; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(from + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(to + i));
        __m128i product = product_16(_mm256_castsi256_si128(low), _mm256_castsi256_si128(high), x);

        _mm_storeu_si128((__m128i *)(to + i), _mm_xor_si128(y, product));
    }
    for (; i < size; i++)
        to[i] ^= h.low[from[i] & 15] ^ h.high[from[i] >> 4];
}

/* Bit j of byte i goes to bit i of byte j (three rounds of swapping ever larger squares). */
static uint64_t transpose_bits(uint64_t m)
{
    uint64_t swap = (m ^ m >> 7) & 0x00aa00aa00aa00aau;

    m ^= swap ^ swap << 7;
    swap = (m ^ m >> 14) & 0x0000cccc0000ccccu;
    m ^= swap ^ swap << 14;
    swap = (m ^ m >> 28) & 0x00000000f0f0f0f0u;
    return m ^ swap ^ swap << 28;
}

/* As the affine instruction wants it: byte 7 - i is the row that makes bit i of the product. */
static uint64_t matrix_of(uint8_t factor)
{
    uint64_t columns = 0;

    for (int bit = 0; bit < 8; bit++) {
        columns |= (uint64_t)factor << 8 * bit;
        factor = times_x(factor);
    }
    return __builtin_bswap64(transpose_bits(columns));
}

TDM_TARGET("avx2,gfni")
static void mul_add_gfni(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size)
{
    __m256i matrix = _mm256_set1_epi64x((long long)matrix_of(factor));
    size_t i = 0;

    for (; i + 32 <= size; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(from + i));
        __m256i y = _mm256_loadu_si256((const __m256i *)(to + i));
        __m256i product = _mm256_gf2p8affine_epi64_epi8(x, matrix, 0);

        _mm256_storeu_si256((__m256i *)(to + i), _mm256_xor_si256(y, product));
    }
    if (i < size) {
        uint8_t rest[32] = {0};

        memcpy(rest, from + i, size - i);
        __m256i x = _mm256_loadu_si256((const __m256i *)rest);

        _mm256_storeu_si256((__m256i *)rest, _mm256_gf2p8affine_epi64_epi8(x, matrix, 0));
        for (size_t k = 0; i < size; i++, k++)
            to[i] ^= rest[k];
    }
}
#endif

const struct tdm_gf256_variant tdm_gf256_variants[] = {
    {"plain", 0, mul_add_plain},
#if TDM_CPU_X86
    {"ssse3", TDM_CPU_SSSE3, mul_add_ssse3},
    {"avx2", TDM_CPU_AVX2, mul_add_avx2},
    {"gfni", TDM_CPU_GFNI, mul_add_gfni},
#endif
};
const size_t tdm_gf256_variant_count = sizeof tdm_gf256_variants / sizeof *tdm_gf256_variants;

void tdm_gf256_mul_add(uint8_t *to, const uint8_t *from, uint8_t factor, size_t size)
{
    size_t best = tdm_gf256_variant_count - 1;

    while (!tdm_cpu_has(tdm_gf256_variants[best].needs))
        best--;
    tdm_gf256_variants[best].mul_add(to, from, factor, size);
}

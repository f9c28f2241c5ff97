/* SPDX-License-Identifier: MIT */
#include "engine/base/full_range.h"

#include "engine/base/cpu.h"

#if TDM_CPU_X86
#include <immintrin.h>
#endif

/* What is added rounds and moves: 255 * 16 + 127, and 255 * 128 - 256 * 112 + 127. */
#define LUMA_FACTOR   219
#define LUMA_ADD      4207
#define CHROMA_FACTOR 112
#define CHROMA_ADD    4095

/* `count` bytes; chroma adds two rows, which are the same one in 4:2:0. */
typedef void row_fn(uint8_t *to, const uint8_t *from, const uint8_t *below, int count);

static void luma_plain(uint8_t *to, const uint8_t *from, const uint8_t *below, int count)
{
    (void)below;
    for (int i = 0; i < count; i++)
        to[i] = (uint8_t)((LUMA_FACTOR * from[i] + LUMA_ADD) / 255);
}

static void chroma_plain(uint8_t *to, const uint8_t *from, const uint8_t *below, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = (uint8_t)((CHROMA_FACTOR * (from[i] + below[i]) + CHROMA_ADD) / 255);
}

static inline void each_row(struct tdm_picture *pic, const struct tdm_full_range *from,
                            row_fn *luma, row_fn *chroma)
{
    for (int row = 0; row < pic->height; row++) {
        const uint8_t *at = from->planes[0] + (ptrdiff_t)row * from->strides[0];

        luma(pic->planes[0] + (ptrdiff_t)row * pic->strides[0], at, at, pic->width);
    }
    for (int plane = 1; plane < 3; plane++) {
        ptrdiff_t stride = from->strides[plane];

        for (int row = 0; row < pic->height / 2; row++) {
            const uint8_t *at = from->planes[plane] + row * from->chroma_rows * stride;

            chroma(pic->planes[plane] + (ptrdiff_t)row * pic->strides[plane], at,
                   at + (from->chroma_rows - 1) * stride, pic->width / 2);
        }
    }
}

static void limit_plain(struct tdm_picture *pic, const struct tdm_full_range *from)
{
    each_row(pic, from, luma_plain, chroma_plain);
}

#if TDM_CPU_X86
/* x / 255 is (x + 1 + x / 256) / 256 for all x below 65535. */
static inline __m128i part_8(__m128i x, int factor, int add)
{
    x = _mm_add_epi16(_mm_mullo_epi16(x, _mm_set1_epi16((short)factor)),
                      _mm_set1_epi16((short)add));
    x = _mm_add_epi16(_mm_add_epi16(x, _mm_set1_epi16(1)), _mm_srli_epi16(x, 8));
    return _mm_srli_epi16(x, 8);
}

static void luma_sse2(uint8_t *to, const uint8_t *from, const uint8_t *below, int count)
{
    const __m128i zero = _mm_setzero_si128();
    int i = 0;

    for (; i + 16 <= count; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(from + i));
        __m128i low = part_8(_mm_unpacklo_epi8(x, zero), LUMA_FACTOR, LUMA_ADD);
        __m128i high = part_8(_mm_unpackhi_epi8(x, zero), LUMA_FACTOR, LUMA_ADD);

        _mm_storeu_si128((__m128i *)(to + i), _mm_packus_epi16(low, high));
    }
    luma_plain(to + i, from + i, below, count - i);
}

static void chroma_sse2(uint8_t *to, const uint8_t *from, const uint8_t *below, int count)
{
    const __m128i zero = _mm_setzero_si128();
    int i = 0;

    for (; i + 16 <= count; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(from + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(below + i));
        __m128i low = _mm_add_epi16(_mm_unpacklo_epi8(x, zero), _mm_unpacklo_epi8(y, zero));
        __m128i high = _mm_add_epi16(_mm_unpackhi_epi8(x, zero), _mm_unpackhi_epi8(y, zero));

        low = part_8(low, CHROMA_FACTOR, CHROMA_ADD);
        high = part_8(high, CHROMA_FACTOR, CHROMA_ADD);
        _mm_storeu_si128((__m128i *)(to + i), _mm_packus_epi16(low, high));
    }
    chroma_plain(to + i, from + i, below + i, count - i);
}

static void limit_sse2(struct tdm_picture *pic, const struct tdm_full_range *from)
{
    each_row(pic, from, luma_sse2, chroma_sse2);
}

TDM_TARGET("avx2") static inline __m256i part_16(__m256i x, int factor, int add)
{
    x = _mm256_add_epi16(_mm256_mullo_epi16(x, _mm256_set1_epi16((short)factor)),
                         _mm256_set1_epi16((short)add));
    x = _mm256_add_epi16(_mm256_add_epi16(x, _mm256_set1_epi16(1)), _mm256_srli_epi16(x, 8));
    return _mm256_srli_epi16(x, 8);
}

/* Unpacking and packing both work in each half of a vector, so the order stays. */
TDM_TARGET("avx2")
static void luma_avx2(uint8_t *to, const uint8_t *from, const uint8_t *below, int count)
{
    const __m256i zero = _mm256_setzero_si256();
    int i = 0;

    for (; i + 32 <= count; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(from + i));
        __m256i low = part_16(_mm256_unpacklo_epi8(x, zero), LUMA_FACTOR, LUMA_ADD);
        __m256i high = part_16(_mm256_unpackhi_epi8(x, zero), LUMA_FACTOR, LUMA_ADD);

        _mm256_storeu_si256((__m256i *)(to + i), _mm256_packus_epi16(low, high));
    }
    luma_plain(to + i, from + i, below, count - i);
}

TDM_TARGET("avx2")
static void chroma_avx2(uint8_t *to, const uint8_t *from, const uint8_t *below, int count)
{
    const __m256i zero = _mm256_setzero_si256();
    int i = 0;

    for (; i + 32 <= count; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(from + i));
        __m256i y = _mm256_loadu_si256((const __m256i *)(below + i));
        __m256i low =
            _mm256_add_epi16(_mm256_unpacklo_epi8(x, zero), _mm256_unpacklo_epi8(y, zero));
        __m256i high =
            _mm256_add_epi16(_mm256_unpackhi_epi8(x, zero), _mm256_unpackhi_epi8(y, zero));

        low = part_16(low, CHROMA_FACTOR, CHROMA_ADD);
        high = part_16(high, CHROMA_FACTOR, CHROMA_ADD);
        _mm256_storeu_si256((__m256i *)(to + i), _mm256_packus_epi16(low, high));
    }
    chroma_plain(to + i, from + i, below + i, count - i);
}

static void limit_avx2(struct tdm_picture *pic, const struct tdm_full_range *from)
{
    each_row(pic, from, luma_avx2, chroma_avx2);
}
#endif

const struct tdm_full_range_variant tdm_full_range_variants[] = {
    {"plain", 0, limit_plain},
#if TDM_CPU_X86
    {"sse2", 0, limit_sse2},
    {"avx2", TDM_CPU_AVX2, limit_avx2},
#endif
};
const size_t tdm_full_range_variant_count =
    sizeof tdm_full_range_variants / sizeof *tdm_full_range_variants;

void tdm_full_range_limit(struct tdm_picture *pic, const struct tdm_full_range *from)
{
    size_t at = tdm_full_range_variant_count - 1;

    while (!tdm_cpu_has(tdm_full_range_variants[at].needs))
        at--;
    tdm_full_range_variants[at].limit(pic, from);
}

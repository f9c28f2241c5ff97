/* SPDX-License-Identifier: MIT */
#include "engine/base/tile.h"

#include "engine/base/cpu.h"
#include "engine/base/rng.h"

#include <assert.h>
#include <string.h>

#if TDM_CPU_X86
#include <immintrin.h>
#endif

#define STRIPE_PIXELS 8
#define STRIPE_BYTES  32
#define TWO_STRIPES   ((ptrdiff_t)2 * STRIPE_BYTES)
#define LANES         4
#define KEY_STEP      0x9e3779b97f4a7c15u /* 2^64 over the golden ratio. */
#define COLOURS       0x00ffffff00ffffffu /* Of two pixels. */

struct lanes {
    uint64_t sum[LANES], key[LANES];
};

static const uint8_t *row_of(const struct tdm_tile *tile, int row)
{
    return tile->pixels + row * tile->stride;
}

static struct lanes start(uint64_t seed)
{
    struct lanes lanes = {{0}, {0}};
    struct tdm_rng rng = tdm_rng_of(seed);

    for (int i = 0; i < LANES; i++)
        lanes.key[i] = tdm_rng_u64(&rng);
    return lanes;
}

static uint64_t finish(const struct tdm_tile *tile, const uint64_t sum[LANES])
{
    uint64_t h = (uint64_t)tile->width | (uint64_t)tile->height << 32;

    for (int i = 0; i < LANES; i++) {
        h ^= sum[i];
        h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
        h = (h ^ h >> 27) * 0x94d049bb133111ebu;
        h ^= h >> 31;
    }
    return h;
}

static uint64_t two_pixels(const uint8_t *at)
{
    uint64_t v = 0;

    for (int byte = 7; byte >= 0; byte--)
        v = v << 8 | at[byte];
    return v & COLOURS;
}

static void add_stripe(struct lanes *lanes, const uint8_t *at)
{
    for (int i = 0; i < LANES; i++) {
        uint64_t v = two_pixels(at + (size_t)i * 8);
        uint64_t keyed = v ^ lanes->key[i];

        lanes->sum[i] += (keyed & 0xffffffffu) * (keyed >> 32);
        lanes->sum[i ^ 1] += v;
        lanes->key[i] += KEY_STEP;
    }
}

static uint64_t hash_plain(const struct tdm_tile *tile, uint64_t seed)
{
    struct lanes lanes = start(seed);
    int whole = tile->width / STRIPE_PIXELS, rest = tile->width % STRIPE_PIXELS;

    for (int row = 0; row < tile->height; row++) {
        const uint8_t *at = row_of(tile, row);

        for (int i = 0; i < whole; i++, at += STRIPE_BYTES)
            add_stripe(&lanes, at);
        if (rest) {
            uint8_t last[STRIPE_BYTES] = {0};

            memcpy(last, at, (size_t)rest * 4);
            add_stripe(&lanes, last);
        }
    }
    return finish(tile, lanes.sum);
}

static bool pixels_equal(const uint8_t *a, const uint8_t *b, int count)
{
    for (int i = 0; i < count; i++, a += 4, b += 4)
        if (a[0] != b[0] || a[1] != b[1] || a[2] != b[2])
            return false;
    return true;
}

/* Of one cell, where a sub-tile of `tile` begins. */
static struct tdm_tile cell_of(const struct tdm_tile *tile, int x, int y)
{
    int width = tile->width - x, height = tile->height - y;

    return (struct tdm_tile){row_of(tile, y) + (ptrdiff_t)x * 4, tile->stride,
                             width < TDM_TILE_CELL ? width : TDM_TILE_CELL,
                             height < TDM_TILE_CELL ? height : TDM_TILE_CELL};
}

static bool equal_plain(const struct tdm_tile *a, const struct tdm_tile *b)
{
    for (int row = 0; row < a->height; row++)
        if (!pixels_equal(row_of(a, row), row_of(b, row), a->width))
            return false;
    return true;
}

static uint64_t cells_plain(const struct tdm_tile *a, const struct tdm_tile *b)
{
    uint64_t cells = 0;

    for (int y = 0; y < a->height; y += TDM_TILE_CELL)
        for (int x = 0; x < a->width; x += TDM_TILE_CELL) {
            struct tdm_tile p = cell_of(a, x, y), q = cell_of(b, x, y);

            if (!equal_plain(&p, &q))
                cells |= (uint64_t)1 << (y + x / TDM_TILE_CELL);
        }
    return cells;
}

#if TDM_CPU_X86
static bool equal_sse2(const struct tdm_tile *a, const struct tdm_tile *b)
{
    const __m128i colours = _mm_set1_epi32(0x00ffffff);
    int rest = a->width % STRIPE_PIXELS, whole = a->width - rest;

    for (int row = 0; row < a->height; row++) {
        const uint8_t *p = row_of(a, row), *q = row_of(b, row);
        __m128i differ = _mm_setzero_si128();

        for (int i = 0; i < whole; i += STRIPE_PIXELS, p += STRIPE_BYTES, q += STRIPE_BYTES) {
            __m128i d0 = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p),
                                       _mm_loadu_si128((const __m128i *)q));
            __m128i d1 = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p + 1),
                                       _mm_loadu_si128((const __m128i *)q + 1));

            differ = _mm_or_si128(differ, _mm_or_si128(d0, d1));
        }
        differ = _mm_and_si128(differ, colours);
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(differ, _mm_setzero_si128())) != 0xffff ||
            !pixels_equal(p, q, rest))
            return false;
    }
    return true;
}

static inline __m128i stripe_sse2(__m128i v, __m128i key)
{
    __m128i keyed = _mm_xor_si128(v, key);
    __m128i product = _mm_mul_epu32(keyed, _mm_srli_epi64(keyed, 32));

    return _mm_add_epi64(product, _mm_shuffle_epi32(v, _MM_SHUFFLE(1, 0, 3, 2)));
}

static uint64_t hash_sse2(const struct tdm_tile *tile, uint64_t seed)
{
    struct lanes lanes = start(seed);
    const __m128i colours = _mm_set1_epi32(0x00ffffff);
    const __m128i step = _mm_set1_epi64x((long long)KEY_STEP);
    __m128i key0 = _mm_loadu_si128((const __m128i *)lanes.key);
    __m128i key1 = _mm_loadu_si128((const __m128i *)lanes.key + 1);
    __m128i sum0 = _mm_setzero_si128(), sum1 = sum0;

    for (int row = 0; row < tile->height; row++) {
        const uint8_t *at = row_of(tile, row);
        uint8_t last[STRIPE_BYTES] = {0};

        for (int left = tile->width; left > 0; left -= STRIPE_PIXELS, at += STRIPE_BYTES) {
            if (left < STRIPE_PIXELS)
                at = memcpy(last, at, (size_t)left * 4);
            __m128i v0 = _mm_and_si128(_mm_loadu_si128((const __m128i *)at), colours);
            __m128i v1 = _mm_and_si128(_mm_loadu_si128((const __m128i *)at + 1), colours);

            sum0 = _mm_add_epi64(sum0, stripe_sse2(v0, key0));
            sum1 = _mm_add_epi64(sum1, stripe_sse2(v1, key1));
            key0 = _mm_add_epi64(key0, step);
            key1 = _mm_add_epi64(key1, step);
        }
    }
    _mm_storeu_si128((__m128i *)lanes.sum, sum0);
    _mm_storeu_si128((__m128i *)lanes.sum + 1, sum1);
    return finish(tile, lanes.sum);
}

TDM_TARGET("avx2") static inline __m256i difference(const uint8_t *p, const uint8_t *q)
{
    return _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)p),
                            _mm256_loadu_si256((const __m256i *)q));
}

TDM_TARGET("avx2")
static bool equal_avx2(const struct tdm_tile *a, const struct tdm_tile *b)
{
    const __m256i colours = _mm256_set1_epi32(0x00ffffff);
    int rest = a->width % STRIPE_PIXELS, whole = a->width / STRIPE_PIXELS;

    for (int row = 0; row < a->height; row++) {
        const uint8_t *p = row_of(a, row), *q = row_of(b, row);
        __m256i d0 = _mm256_setzero_si256(), d1 = d0;
        int i = 0;

        for (; i + 2 <= whole; i += 2, p += TWO_STRIPES, q += TWO_STRIPES) {
            d0 = _mm256_or_si256(d0, difference(p, q));
            d1 = _mm256_or_si256(d1, difference(p + STRIPE_BYTES, q + STRIPE_BYTES));
        }
        if (i < whole) {
            d0 = _mm256_or_si256(d0, difference(p, q));
            p += STRIPE_BYTES;
            q += STRIPE_BYTES;
        }
        if (!_mm256_testz_si256(_mm256_or_si256(d0, d1), colours) || !pixels_equal(p, q, rest))
            return false;
    }
    return true;
}

TDM_TARGET("avx2")
static uint64_t cells_avx2(const struct tdm_tile *a, const struct tdm_tile *b)
{
    const __m256i colours = _mm256_set1_epi32(0x00ffffff);
    uint64_t cells = 0;

    if (a->width % TDM_TILE_CELL || a->height % TDM_TILE_CELL)
        return cells_plain(a, b);
    for (int y = 0; y < a->height; y += TDM_TILE_CELL) {
        for (int x = 0; x < a->width; x += TDM_TILE_CELL) {
            const uint8_t *p = row_of(a, y) + (ptrdiff_t)x * 4;
            const uint8_t *q = row_of(b, y) + (ptrdiff_t)x * 4;
            __m256i differ = _mm256_setzero_si256();

            for (int row = 0; row < TDM_TILE_CELL; row++, p += a->stride, q += b->stride)
                differ = _mm256_or_si256(differ, difference(p, q));
            cells |= (uint64_t)!_mm256_testz_si256(differ, colours) << (y + x / TDM_TILE_CELL);
        }
    }
    return cells;
}

TDM_TARGET("avx2")
static uint64_t hash_avx2(const struct tdm_tile *tile, uint64_t seed)
{
    struct lanes lanes = start(seed);
    const __m256i colours = _mm256_set1_epi32(0x00ffffff);
    const __m256i step = _mm256_set1_epi64x((long long)KEY_STEP);
    __m256i key = _mm256_loadu_si256((const __m256i *)lanes.key);
    __m256i sum = _mm256_setzero_si256();

    for (int row = 0; row < tile->height; row++) {
        const uint8_t *at = row_of(tile, row);
        uint8_t last[STRIPE_BYTES] = {0};

        for (int left = tile->width; left > 0; left -= STRIPE_PIXELS, at += STRIPE_BYTES) {
            if (left < STRIPE_PIXELS)
                at = memcpy(last, at, (size_t)left * 4);
            __m256i v = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)at), colours);
            __m256i keyed = _mm256_xor_si256(v, key);
            __m256i product = _mm256_mul_epu32(keyed, _mm256_srli_epi64(keyed, 32));
            __m256i crossed = _mm256_shuffle_epi32(v, _MM_SHUFFLE(1, 0, 3, 2));

            sum = _mm256_add_epi64(sum, _mm256_add_epi64(product, crossed));
            key = _mm256_add_epi64(key, step);
        }
    }
    _mm256_storeu_si256((__m256i *)lanes.sum, sum);
    return finish(tile, lanes.sum);
}
#endif

const struct tdm_tile_variant tdm_tile_variants[] = {
    {"plain", 0, equal_plain, cells_plain, hash_plain},
#if TDM_CPU_X86
    {"sse2", 0, equal_sse2, cells_plain, hash_sse2},
    {"avx2", TDM_CPU_AVX2, equal_avx2, cells_avx2, hash_avx2},
#endif
};
const size_t tdm_tile_variant_count = sizeof tdm_tile_variants / sizeof *tdm_tile_variants;

static const struct tdm_tile_variant *best(void)
{
    size_t at = tdm_tile_variant_count - 1;

    while (!tdm_cpu_has(tdm_tile_variants[at].needs))
        at--;
    return &tdm_tile_variants[at];
}

bool tdm_tile_equal(const struct tdm_tile *a, const struct tdm_tile *b)
{
    assert(a->width == b->width && a->height == b->height && a->width > 0 && a->height > 0);
    return best()->equal(a, b);
}

uint64_t tdm_tile_cells(const struct tdm_tile *a, const struct tdm_tile *b)
{
    assert(a->width == b->width && a->height == b->height && a->width > 0 && a->height > 0);
    assert(a->width <= TDM_TILE_SIDE && a->height <= TDM_TILE_SIDE);
    return best()->cells(a, b);
}

uint64_t tdm_tile_hash(const struct tdm_tile *tile)
{
    return tdm_tile_hash_keyed(tile, 0);
}

uint64_t tdm_tile_hash_keyed(const struct tdm_tile *tile, uint64_t seed)
{
    assert(tile->width > 0 && tile->height > 0);
    return best()->hash(tile, seed);
}

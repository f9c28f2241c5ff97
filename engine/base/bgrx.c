/* SPDX-License-Identifier: MIT */
#include "engine/base/bgrx.h"

#include "engine/base/cpu.h"

#include <string.h>

#if TDM_CPU_X86
#include <immintrin.h>
#endif

/* Of 32768. Those of U and of V add up to 0, so that grey has no colour. */
#define Y_RED     8414
#define Y_GREEN   16519
#define Y_BLUE    3208
#define U_RED     (-4857)
#define U_GREEN   (-9535)
#define U_BLUE    14392
#define V_RED     14392
#define V_GREEN   (-12052)
#define V_BLUE    (-2340)
#define Y_SHIFT   15
#define UV_SHIFT  17 /* Four pixels are summed. */
#define Y_OFFSET  ((16 << Y_SHIFT) + (1 << (Y_SHIFT - 1)))
#define UV_OFFSET ((128 << UV_SHIFT) + (1 << (UV_SHIFT - 1)))

/* Two rows of pixels and the rows that they become. */
struct rows {
    const uint8_t *pixels[2];
    uint8_t *y[2], *u, *v;
};

static struct rows rows_at(const struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride,
                           int row)
{
    return (struct rows){
        .pixels = {pixels + row * stride, pixels + (row + 1) * stride},
        .y = {pic->planes[0] + (ptrdiff_t)row * pic->strides[0],
              pic->planes[0] + (ptrdiff_t)(row + 1) * pic->strides[0]},
        .u = pic->planes[1] + (ptrdiff_t)(row / 2) * pic->strides[1],
        .v = pic->planes[2] + (ptrdiff_t)(row / 2) * pic->strides[2],
    };
}

static void two_rows_plain(const struct rows *rows, int from, int width)
{
    for (int x = from; x < width; x += 2) {
        int blue = 0, green = 0, red = 0;

        for (int i = 0; i < 4; i++) {
            const uint8_t *p = rows->pixels[i / 2] + (ptrdiff_t)(x + i % 2) * 4;
            int y = Y_BLUE * p[0] + Y_GREEN * p[1] + Y_RED * p[2] + Y_OFFSET;

            rows->y[i / 2][x + i % 2] = (uint8_t)(y >> Y_SHIFT);
            blue += p[0];
            green += p[1];
            red += p[2];
        }
        int u = U_BLUE * blue + U_GREEN * green + U_RED * red + UV_OFFSET;
        int v = V_BLUE * blue + V_GREEN * green + V_RED * red + UV_OFFSET;

        rows->u[x / 2] = (uint8_t)(u >> UV_SHIFT);
        rows->v[x / 2] = (uint8_t)(v >> UV_SHIFT);
    }
}

static void to_i420_plain(struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride)
{
    for (int row = 0; row < pic->height; row += 2) {
        struct rows rows = rows_at(pic, pixels, stride, row);

        two_rows_plain(&rows, 0, pic->width);
    }
}

#if TDM_CPU_X86
/* For the instruction that multiplies pairs of 16-bit numbers and adds each two products. */
#define PAIR(low, high) ((int)((uint32_t)(uint16_t)(low) | (uint32_t)(uint16_t)(high) << 16))

static inline __m128i blue_red_4(__m128i p)
{
    return _mm_and_si128(p, _mm_set1_epi32(0x00ff00ff));
}

static inline __m128i green_4(__m128i p)
{
    return _mm_and_si128(_mm_srli_epi32(p, 8), _mm_set1_epi32(0xff));
}

static inline __m128i luma_4(__m128i p)
{
    __m128i sum = _mm_add_epi32(_mm_madd_epi16(blue_red_4(p), _mm_set1_epi32(PAIR(Y_BLUE, Y_RED))),
                                _mm_madd_epi16(green_4(p), _mm_set1_epi32(PAIR(Y_GREEN, 0))));

    return _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(Y_OFFSET)), Y_SHIFT);
}

/* Pairs of neighbouring numbers of 32 bits in a and b, added. */
static inline __m128i add_pairs_4(__m128i a, __m128i b)
{
    __m128 low = _mm_castsi128_ps(_mm_add_epi32(a, _mm_srli_epi64(a, 32)));
    __m128 high = _mm_castsi128_ps(_mm_add_epi32(b, _mm_srli_epi64(b, 32)));

    return _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
}

static inline __m128i chroma_4(__m128i blue_red, __m128i green, int by_blue_red, int by_green)
{
    __m128i sum = _mm_add_epi32(_mm_madd_epi16(blue_red, _mm_set1_epi32(by_blue_red)),
                                _mm_madd_epi16(green, _mm_set1_epi32(by_green)));

    return _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(UV_OFFSET)), UV_SHIFT);
}

/* Luma of four pixels in each of two rows, and their colours added from above to below. */
struct four {
    __m128i y[2], blue_red, green;
};

static inline struct four four_at(const struct rows *rows, int x)
{
    __m128i top = _mm_loadu_si128((const __m128i *)(rows->pixels[0] + (ptrdiff_t)x * 4));
    __m128i bottom = _mm_loadu_si128((const __m128i *)(rows->pixels[1] + (ptrdiff_t)x * 4));

    return (struct four){
        .y = {luma_4(top), luma_4(bottom)},
        .blue_red = _mm_add_epi16(blue_red_4(top), blue_red_4(bottom)),
        .green = _mm_add_epi16(green_4(top), green_4(bottom)),
    };
}

static inline __m128i pack_4(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
}

/* Without loops, which gcc would keep, and the numbers with them in memory. */
static void sixteen_sse2(const struct rows *rows, int x)
{
    struct four a = four_at(rows, x), b = four_at(rows, x + 4);
    struct four c = four_at(rows, x + 8), d = four_at(rows, x + 12);
    __m128i blue_red_ab = add_pairs_4(a.blue_red, b.blue_red);
    __m128i blue_red_cd = add_pairs_4(c.blue_red, d.blue_red);
    __m128i green_ab = add_pairs_4(a.green, b.green);
    __m128i green_cd = add_pairs_4(c.green, d.green);

    _mm_storeu_si128((__m128i *)(rows->y[0] + x), pack_4(a.y[0], b.y[0], c.y[0], d.y[0]));
    _mm_storeu_si128((__m128i *)(rows->y[1] + x), pack_4(a.y[1], b.y[1], c.y[1], d.y[1]));
    __m128i both = pack_4(chroma_4(blue_red_ab, green_ab, PAIR(U_BLUE, U_RED), PAIR(U_GREEN, 0)),
                          chroma_4(blue_red_cd, green_cd, PAIR(U_BLUE, U_RED), PAIR(U_GREEN, 0)),
                          chroma_4(blue_red_ab, green_ab, PAIR(V_BLUE, V_RED), PAIR(V_GREEN, 0)),
                          chroma_4(blue_red_cd, green_cd, PAIR(V_BLUE, V_RED), PAIR(V_GREEN, 0)));

    _mm_storel_epi64((__m128i *)(rows->u + x / 2), both);
    _mm_storel_epi64((__m128i *)(rows->v + x / 2), _mm_srli_si128(both, 8));
}

static void to_i420_sse2(struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride)
{
    for (int row = 0; row < pic->height; row += 2) {
        struct rows rows = rows_at(pic, pixels, stride, row);
        int x = 0;

        for (; x + 16 <= pic->width; x += 16)
            sixteen_sse2(&rows, x);
        two_rows_plain(&rows, x, pic->width);
    }
}

TDM_TARGET("avx2") static inline __m256i blue_red_8(__m256i p)
{
    return _mm256_and_si256(p, _mm256_set1_epi32(0x00ff00ff));
}

TDM_TARGET("avx2") static inline __m256i green_8(__m256i p)
{
    return _mm256_and_si256(_mm256_srli_epi32(p, 8), _mm256_set1_epi32(0xff));
}

TDM_TARGET("avx2") static inline __m256i luma_8(__m256i p)
{
    __m256i sum =
        _mm256_add_epi32(_mm256_madd_epi16(blue_red_8(p), _mm256_set1_epi32(PAIR(Y_BLUE, Y_RED))),
                         _mm256_madd_epi16(green_8(p), _mm256_set1_epi32(PAIR(Y_GREEN, 0))));

    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(Y_OFFSET)), Y_SHIFT);
}

/* As add_pairs_4, in each half. */
TDM_TARGET("avx2") static inline __m256i add_pairs_8(__m256i a, __m256i b)
{
    __m256 low = _mm256_castsi256_ps(_mm256_add_epi32(a, _mm256_srli_epi64(a, 32)));
    __m256 high = _mm256_castsi256_ps(_mm256_add_epi32(b, _mm256_srli_epi64(b, 32)));

    return _mm256_castps_si256(_mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
}

TDM_TARGET("avx2")
static inline __m256i chroma_8(__m256i blue_red, __m256i green, int by_blue_red, int by_green)
{
    __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(blue_red, _mm256_set1_epi32(by_blue_red)),
                                   _mm256_madd_epi16(green, _mm256_set1_epi32(by_green)));

    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(UV_OFFSET)), UV_SHIFT);
}

struct eight {
    __m256i y[2], blue_red, green;
};

TDM_TARGET("avx2") static inline struct eight eight_at(const struct rows *rows, int x)
{
    __m256i top = _mm256_loadu_si256((const __m256i *)(rows->pixels[0] + (ptrdiff_t)x * 4));
    __m256i bottom = _mm256_loadu_si256((const __m256i *)(rows->pixels[1] + (ptrdiff_t)x * 4));

    return (struct eight){
        .y = {luma_8(top), luma_8(bottom)},
        .blue_red = _mm256_add_epi16(blue_red_8(top), blue_red_8(bottom)),
        .green = _mm256_add_epi16(green_8(top), green_8(bottom)),
    };
}

TDM_TARGET("avx2") static inline __m256i pack_8(__m256i a, __m256i b, __m256i c, __m256i d)
{
    return _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
}

/* Packing works in each half: what comes are fours of pixels 0 2 4 6 and 1 3 5 7. */
TDM_TARGET("avx2") static inline void store_luma(uint8_t *to, __m256i mixed)
{
    __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);

    _mm256_storeu_si256((__m256i *)to, _mm256_permutevar8x32_epi32(mixed, order));
}

TDM_TARGET("avx2") static void thirty_two_avx2(const struct rows *rows, int x)
{
    struct eight a = eight_at(rows, x), b = eight_at(rows, x + 8);
    struct eight c = eight_at(rows, x + 16), d = eight_at(rows, x + 24);
    __m256i blue_red_ab = add_pairs_8(a.blue_red, b.blue_red);
    __m256i blue_red_cd = add_pairs_8(c.blue_red, d.blue_red);
    __m256i green_ab = add_pairs_8(a.green, b.green);
    __m256i green_cd = add_pairs_8(c.green, d.green);

    store_luma(rows->y[0] + x, pack_8(a.y[0], b.y[0], c.y[0], d.y[0]));
    store_luma(rows->y[1] + x, pack_8(a.y[1], b.y[1], c.y[1], d.y[1]));
    __m256i both = pack_8(chroma_8(blue_red_ab, green_ab, PAIR(U_BLUE, U_RED), PAIR(U_GREEN, 0)),
                          chroma_8(blue_red_cd, green_cd, PAIR(U_BLUE, U_RED), PAIR(U_GREEN, 0)),
                          chroma_8(blue_red_ab, green_ab, PAIR(V_BLUE, V_RED), PAIR(V_GREEN, 0)),
                          chroma_8(blue_red_cd, green_cd, PAIR(V_BLUE, V_RED), PAIR(V_GREEN, 0)));
    /* Each half has U and then V, as pairs 0 2 4 6 and 1 3 5 7. */
    __m128i even = _mm256_castsi256_si128(both), odd = _mm256_extracti128_si256(both, 1);

    _mm_storeu_si128((__m128i *)(rows->u + x / 2), _mm_unpacklo_epi16(even, odd));
    _mm_storeu_si128((__m128i *)(rows->v + x / 2), _mm_unpackhi_epi16(even, odd));
}

TDM_TARGET("avx2")
static void to_i420_avx2(struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride)
{
    for (int row = 0; row < pic->height; row += 2) {
        struct rows rows = rows_at(pic, pixels, stride, row);
        int x = 0;

        for (; x + 32 <= pic->width; x += 32)
            thirty_two_avx2(&rows, x);
        two_rows_plain(&rows, x, pic->width);
    }
}
#endif

const struct tdm_bgrx_variant tdm_bgrx_variants[] = {
    {"plain", 0, to_i420_plain},
#if TDM_CPU_X86
    {"sse2", 0, to_i420_sse2},
    {"avx2", TDM_CPU_AVX2, to_i420_avx2},
#endif
};
const size_t tdm_bgrx_variant_count = sizeof tdm_bgrx_variants / sizeof *tdm_bgrx_variants;

void tdm_bgrx_to_i420(struct tdm_picture *pic, const uint8_t *pixels, ptrdiff_t stride)
{
    size_t at = tdm_bgrx_variant_count - 1;

    while (!tdm_cpu_has(tdm_bgrx_variants[at].needs))
        at--;
    tdm_bgrx_variants[at].to_i420(pic, pixels, stride);
}

/* Of 65536: the formulas of the header, turned round. */
#define BACK_SHIFT 16
#define BACK_Y     76309
#define BACK_RED_V 104597
#define BACK_GRN_U 25675
#define BACK_GRN_V 53279
#define BACK_BLU_U 132201

static inline uint8_t to_byte(int v)
{
    v >>= BACK_SHIFT;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void row_to_bgrx(uint8_t *to, const uint8_t *luma, const uint8_t *u_row,
                        const uint8_t *v_row, int width)
{
    for (int x = 0; x < width; x++, to += 4) {
        int y = BACK_Y * (luma[x] - 16) + (1 << (BACK_SHIFT - 1));
        int u = u_row[x / 2] - 128, v = v_row[x / 2] - 128;

        to[0] = to_byte(y + BACK_BLU_U * u);
        to[1] = to_byte(y - BACK_GRN_U * u - BACK_GRN_V * v);
        to[2] = to_byte(y + BACK_RED_V * v);
        to[3] = 0;
    }
}

void tdm_i420_to_bgrx(uint8_t *pixels, ptrdiff_t stride, const struct tdm_picture *pic)
{
    for (int y = 0; y < pic->height; y++)
        row_to_bgrx(pixels + y * stride, pic->planes[0] + (ptrdiff_t)y * pic->strides[0],
                    pic->planes[1] + (ptrdiff_t)(y / 2) * pic->strides[1],
                    pic->planes[2] + (ptrdiff_t)(y / 2) * pic->strides[2], pic->width);
}

void tdm_bgrx_copy(uint8_t *to, const uint8_t *from, size_t pixels)
{
#if TDM_CPU_X86
    const __m128i colours = _mm_set1_epi32(0xffffff);

    for (; pixels >= 4; pixels -= 4, to += 16, from += 16)
        _mm_storeu_si128((__m128i *)to,
                         _mm_and_si128(_mm_loadu_si128((const __m128i *)from), colours));
#endif
    for (; pixels; pixels--, to += 4, from += 4) {
        memcpy(to, from, 3);
        to[3] = 0;
    }
}

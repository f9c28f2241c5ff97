/* SPDX-License-Identifier: MIT */
#include "collab/screen_moves.h"

#include "engine/base/cpu.h"
#include "engine/base/tile.h"

#include <assert.h>
#include <string.h>

#if TDM_CPU_X86
#include <immintrin.h>
#endif

#define ROWS       16 /* Of the surroundings. */
#define TAP_1      5  /* Columns of the surroundings. */
#define TAP_2      11
#define FACTOR     0x9e3779b4u /* Four times an odd number: after 16 rows a pixel has left. */
#define CHOSEN     0x5a000000u /* What the top byte of an anchor's hash is. */
#define COLOURS    0x00ffffffu
#define PROBES     8
#define VECTORS    1024 /* That may be voted for. */
#define VOTES_MIN  4
#define TWICE_SEEN UINT32_MAX

static uint32_t turn(uint32_t v, int by)
{
    return v << by | v >> (32 - by);
}

static uint32_t pixel_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

static void add(struct tdm_screen_anchors *anchors, uint32_t hash, int x, int y)
{
    if (anchors->count < TDM_SCREEN_ANCHORS_MAX)
        anchors->list[anchors->count++] = (struct tdm_screen_anchor){hash, (uint8_t)x, (uint8_t)y};
}

static void look(struct tdm_screen_anchors *anchors, const uint32_t *column, int x, int y)
{
    uint32_t a = column[x], b = column[x + TAP_1], c = column[x + TAP_2];
    uint32_t hash = a + turn(b, 11) + turn(c, 21);

    if ((hash & ~COLOURS) == CHOSEN && !(a == b && a == c))
        add(anchors, hash, x, y);
}

static void find_plain(struct tdm_screen_anchors *anchors, const uint8_t *pixels, ptrdiff_t stride,
                       int width, int height)
{
    uint32_t column[TDM_TILE_SIDE] = {0};

    anchors->count = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = pixels + y * stride;

        for (int x = 0; x < width; x++)
            column[x] = column[x] * FACTOR + pixel_at(row + (ptrdiff_t)x * 4);
        for (int x = 0; y >= ROWS - 1 && x + TAP_2 < width; x++)
            look(anchors, column, x, y);
    }
}

#if TDM_CPU_X86
TDM_TARGET("avx2") static inline __m256i turned(__m256i v, int by)
{
    return _mm256_or_si256(_mm256_slli_epi32(v, by), _mm256_srli_epi32(v, 32 - by));
}

TDM_TARGET("avx2") static inline __m256i load(const uint32_t *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

/* Which of eight places, from `column` on, are chosen. */
TDM_TARGET("avx2") static inline unsigned chosen(const uint32_t *column)
{
    __m256i hash =
        _mm256_add_epi32(load(column), _mm256_add_epi32(turned(load(column + TAP_1), 11),
                                                        turned(load(column + TAP_2), 21)));
    __m256i top = _mm256_srli_epi32(hash, 24);

    return (unsigned)_mm256_movemask_ps(
        _mm256_castsi256_ps(_mm256_cmpeq_epi32(top, _mm256_set1_epi32(CHOSEN >> 24))));
}

TDM_TARGET("avx2")
static void find_avx2(struct tdm_screen_anchors *anchors, const uint8_t *pixels, ptrdiff_t stride,
                      int width, int height)
{
    /* Places beyond the last are looked at eight at a time, and not taken. */
    uint32_t column[TDM_TILE_SIDE + 24] = {0};
    const __m256i factor = _mm256_set1_epi32((int)FACTOR), colours = _mm256_set1_epi32(COLOURS);

    if (width % 8) {
        find_plain(anchors, pixels, stride, width, height);
        return;
    }
    anchors->count = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = pixels + y * stride;

        for (int x = 0; x < width; x += 8, row += 32) {
            __m256i p = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)row), colours);
            __m256i v = _mm256_add_epi32(_mm256_mullo_epi32(load(column + x), factor), p);

            _mm256_storeu_si256((__m256i *)(column + x), v);
        }
        for (int x = 0; y >= ROWS - 1 && x + TAP_2 < width; x += 8)
            for (unsigned at = chosen(column + x); at; at &= at - 1)
                if (x + __builtin_ctz(at) + TAP_2 < width)
                    look(anchors, column, x + __builtin_ctz(at), y);
    }
}
#endif

const struct tdm_screen_anchors_variant tdm_screen_anchors_variants[] = {
    {"plain", 0, find_plain},
#if TDM_CPU_X86
    {"avx2", TDM_CPU_AVX2, find_avx2},
#endif
};
const size_t tdm_screen_anchors_variant_count =
    sizeof tdm_screen_anchors_variants / sizeof *tdm_screen_anchors_variants;

void tdm_screen_anchors_find(struct tdm_screen_anchors *anchors, const uint8_t *pixels,
                             ptrdiff_t stride, int width, int height)
{
    size_t at = tdm_screen_anchors_variant_count - 1;

    assert(width > 0 && height > 0 && width <= TDM_TILE_SIDE && height <= TDM_TILE_SIDE);
    while (!tdm_cpu_has(tdm_screen_anchors_variants[at].needs))
        at--;
    tdm_screen_anchors_variants[at].find(anchors, pixels, stride, width, height);
}

struct place {
    uint32_t hash;
    uint32_t where; /* y << 16 | x, plus 1; 0: free. TWICE_SEEN: no use. */
};

struct tdm_screen_moves {
    uint32_t place_mask;
    struct tdm_screen_vector vectors[VECTORS]; /* votes 0: free. */
    struct place *places;
};

static uint32_t places_of(int tiles)
{
    uint32_t count = 1024;

    while (count < (uint32_t)tiles * TDM_SCREEN_ANCHORS_MAX * 3 / 2)
        count *= 2;
    return count;
}

size_t tdm_screen_moves_bytes(int tiles)
{
    return sizeof(struct tdm_screen_moves) + places_of(tiles) * sizeof(struct place);
}

struct tdm_screen_moves *tdm_screen_moves_init(void *storage, int tiles)
{
    struct tdm_screen_moves *m = storage;

    m->places = (struct place *)(m + 1);
    m->place_mask = places_of(tiles) - 1;
    return m;
}

void tdm_screen_moves_begin(struct tdm_screen_moves *m)
{
    memset(m->places, 0, ((size_t)m->place_mask + 1) * sizeof *m->places);
    memset(m->vectors, 0, sizeof m->vectors);
}

/* Where the hash is, or would be; NULL: nowhere. */
static struct place *place_of(struct tdm_screen_moves *m, uint32_t hash)
{
    uint32_t at = hash * 0x85ebca6bu;

    for (uint32_t i = 0; i < PROBES; i++) {
        struct place *p = &m->places[((at ^ at >> 15) + i) & m->place_mask];

        if (!p->where || p->hash == hash)
            return p;
    }
    return NULL;
}

void tdm_screen_moves_old(struct tdm_screen_moves *m, const struct tdm_screen_anchors *anchors,
                          int x, int y)
{
    for (int i = 0; i < anchors->count; i++) {
        const struct tdm_screen_anchor *a = &anchors->list[i];
        struct place *p = place_of(m, a->hash);

        if (p && p->where)
            p->where = TWICE_SEEN;
        else if (p)
            *p = (struct place){a->hash, ((uint32_t)(y + a->y) << 16 | (uint32_t)(x + a->x)) + 1};
    }
}

static void vote(struct tdm_screen_moves *m, int dx, int dy)
{
    uint32_t at = ((uint32_t)dx * 0x9e3779b1u) ^ ((uint32_t)dy * 0x85ebca77u);

    for (uint32_t i = 0; i < PROBES; i++) {
        struct tdm_screen_vector *v = &m->vectors[((at >> 12) + i) % VECTORS];

        if (v->votes && (v->dx != dx || v->dy != dy))
            continue;
        *v = (struct tdm_screen_vector){dx, dy, v->votes + 1};
        return;
    }
}

void tdm_screen_moves_vote(struct tdm_screen_moves *m, const struct tdm_screen_anchors *anchors,
                           int x, int y)
{
    for (int i = 0; i < anchors->count; i++) {
        const struct tdm_screen_anchor *a = &anchors->list[i];
        const struct place *p = place_of(m, a->hash);

        if (!p || !p->where || p->where == TWICE_SEEN)
            continue;
        int dx = x + a->x - (int)((p->where - 1) & 0xffff);
        int dy = y + a->y - (int)((p->where - 1) >> 16);

        if (dx || dy)
            vote(m, dx, dy);
    }
}

int tdm_screen_moves_best(const struct tdm_screen_moves *m, struct tdm_screen_vector *vectors,
                          int max)
{
    int count = 0;

    for (int i = 0; i < VECTORS; i++) {
        const struct tdm_screen_vector *v = &m->vectors[i];
        int at = count;

        if (v->votes < VOTES_MIN)
            continue;
        while (at > 0 && vectors[at - 1].votes < v->votes)
            at--;
        if (at >= max)
            continue;
        if (count < max)
            count++;
        memmove(vectors + at + 1, vectors + at, (size_t)(count - at - 1) * sizeof *vectors);
        vectors[at] = *v;
    }
    return count;
}

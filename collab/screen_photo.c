/* SPDX-License-Identifier: MIT */
#include "collab/screen_photo.h"

#include <stdlib.h>

#define SIDE            8
#define BLOCK           64
#define STRIP_BLOCKS    (TDM_SCREEN_PHOTO_STRIP / SIDE)
#define SUMS            TDM_SCREEN_PHOTO_SUMS
#define QUALITIES       TDM_SCREEN_PHOTO_QUALITIES
#define UNARY_MAX       14
#define COEFFICIENT_MAX 32767

/* Both directions are one function with one of these; the compiler makes two of it. */
struct coder {
    struct tdm_screen_photo *m;
    struct tdm_screen_encoder *e;
    struct tdm_screen_decoder *d;
};

#define BOTH_WAYS static inline __attribute__((always_inline))

BOTH_WAYS bool code_bit(const struct coder *c, tdm_screen_bit *bit, bool set)
{
    if (c->e)
        tdm_screen_encode_bit(c->e, bit, set);
    else
        set = tdm_screen_decode_bit(c->d, bit);
    return set;
}

BOTH_WAYS uint32_t code_number(const struct coder *c, struct tdm_screen_number *model,
                               uint32_t value)
{
    if (c->e)
        tdm_screen_number_encode(model, c->e, value);
    else
        value = tdm_screen_number_decode(model, c->d);
    return value;
}

/* Rows of frequencies, then columns, along the diagonals from low to high. */
static const uint8_t zigzag[BLOCK] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* --- The transform: the integers of H.265 section 8.6.4.2 for 8x8. --- */

static const int8_t waves[SIDE][SIDE] = {
    {64, 64, 64, 64, 64, 64, 64, 64},     {89, 75, 50, 18, -18, -50, -75, -89},
    {83, 36, -36, -83, -83, -36, 36, 83}, {75, -18, -89, -50, 50, 89, 18, -75},
    {64, -64, -64, 64, 64, -64, -64, 64}, {50, -89, 18, 75, -75, -18, 89, -50},
    {36, -83, 83, -36, -36, 83, -83, 36}, {18, -50, 75, -89, 89, -75, 50, -18}};

#define FORWARD_SHIFT_1 2
#define FORWARD_SHIFT_2 9
#define INVERSE_SHIFT_1 7
#define INVERSE_SHIFT_2 12
#define GAIN_LOG2       4 /* Coefficients are so much larger than those of an orthonormal one. */

/* One dimension, of all columns at once, with the result turned. */
static void forward_pass(const int32_t in[BLOCK], int32_t out[BLOCK], int shift)
{
    int32_t even[4][SIDE], odd[4][SIDE];

    for (int i = 0; i < 4; i++) {
        for (int x = 0; x < SIDE; x++) {
            even[i][x] = in[i * SIDE + x] + in[(7 - i) * SIDE + x];
            odd[i][x] = in[i * SIDE + x] - in[(7 - i) * SIDE + x];
        }
    }
    for (int k = 0; k < SIDE; k++) {
        int32_t(*half)[SIDE] = k & 1 ? odd : even;

        for (int x = 0; x < SIDE; x++)
            out[x * SIDE + k] =
                (waves[k][0] * half[0][x] + waves[k][1] * half[1][x] + waves[k][2] * half[2][x] +
                 waves[k][3] * half[3][x] + (1 << (shift - 1))) >>
                shift;
    }
}

static void inverse_pass(const int32_t in[BLOCK], int32_t out[BLOCK], int shift)
{
    for (int i = 0; i < 4; i++) {
        for (int x = 0; x < SIDE; x++) {
            int32_t even = waves[0][i] * in[x] + waves[2][i] * in[2 * SIDE + x] +
                           waves[4][i] * in[4 * SIDE + x] + waves[6][i] * in[6 * SIDE + x] +
                           (1 << (shift - 1));
            int32_t odd = waves[1][i] * in[SIDE + x] + waves[3][i] * in[3 * SIDE + x] +
                          waves[5][i] * in[5 * SIDE + x] + waves[7][i] * in[7 * SIDE + x];

            out[x * SIDE + i] = (even + odd) >> shift;
            out[x * SIDE + 7 - i] = (even - odd) >> shift;
        }
    }
}

static int32_t clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

static void forward(int32_t block[BLOCK])
{
    int32_t turned[BLOCK];

    forward_pass(block, turned, FORWARD_SHIFT_1);
    forward_pass(turned, block, FORWARD_SHIFT_2);
}

static void inverse(int32_t block[BLOCK])
{
    int32_t turned[BLOCK];

    inverse_pass(block, turned, INVERSE_SHIFT_1);
    for (int i = 0; i < BLOCK; i++) /* As there: coefficients of strangers do not overflow. */
        turned[i] = clamp(turned[i], -COEFFICIENT_MAX - 1, COEFFICIENT_MAX);
    inverse_pass(turned, block, INVERSE_SHIFT_2);
}

/* --- Colours: YCoCg-R. --- */

static void load_block(const struct tdm_screen_source *from, int width, int height,
                       int32_t planes[3][BLOCK])
{
    for (int y = 0; y < SIDE; y++) {
        const uint8_t *row = from->pixels + (y < height ? y : height - 1) * from->stride;

        for (int x = 0; x < SIDE; x++) {
            const uint8_t *p = row + (ptrdiff_t)(x < width ? x : width - 1) * 4;
            int32_t co = p[2] - p[0], t = p[0] + (co >> 1), cg = p[1] - t;

            planes[0][y * SIDE + x] = t + (cg >> 1) - 128;
            planes[1][y * SIDE + x] = co;
            planes[2][y * SIDE + x] = cg;
        }
    }
}

static void store_block(uint8_t *to, ptrdiff_t stride, int width, int height,
                        int32_t planes[3][BLOCK])
{
    for (int y = 0; y < height; y++, to += stride) {
        for (int x = 0; x < width; x++) {
            int32_t co = planes[1][y * SIDE + x], cg = planes[2][y * SIDE + x];
            int32_t t = planes[0][y * SIDE + x] + 128 - (cg >> 1);
            int32_t b = t - (co >> 1);
            uint8_t *p = to + (ptrdiff_t)x * 4;

            p[0] = (uint8_t)clamp(b, 0, 255);
            p[1] = (uint8_t)clamp(t + cg, 0, 255);
            p[2] = (uint8_t)clamp(b + co, 0, 255);
            p[3] = 0;
        }
    }
}

/* --- Quantisation. --- */

/* Steps of quality 0 to 3, in 1/16, of low and high frequencies; four qualities further, twice. */
static const int16_t steps[4] = {32, 38, 45, 54};

static int32_t step_of(int quality, int channel, int place)
{
    int32_t step = (int32_t)steps[quality & 3] << (quality >> 2);
    int32_t weight = 16 + (place >> 3) + (place & 7); /* Up to nearly twice for the finest. */

    return step * weight * (channel ? 3 : 2) >> 5;
}

static void make_steps(int quality, int32_t table[2][BLOCK])
{
    for (int place = 0; place < BLOCK; place++) {
        table[0][place] = step_of(quality, 0, place);
        table[1][place] = step_of(quality, 1, place);
    }
}

static void quantise(const int32_t block[BLOCK], const int32_t table[BLOCK], int16_t levels[BLOCK])
{
    for (int i = 0; i < BLOCK; i++) {
        int32_t size = abs(block[i]), round = i ? table[i] * 11 >> 5 : table[i] >> 1;
        int32_t level = (size + round) / table[i];

        levels[i] = (int16_t)(block[i] < 0 ? -level : level);
    }
}

static void dequantise(const int16_t levels[BLOCK], const int32_t table[BLOCK],
                       int32_t block[BLOCK])
{
    for (int i = 0; i < BLOCK; i++)
        block[i] = clamp(levels[i] * table[i], -COEFFICIENT_MAX - 1, COEFFICIENT_MAX);
}

/* --- Coefficients. --- */

/* One block of one channel, and what lies around it. */
struct block {
    int16_t *levels;          /* In: those above, or of any block. Out. */
    const int16_t *left, *up; /* NULL: none. */
    int left_count, up_count; /* -1: none. */
    int channel;
};

static int32_t size_at(const int16_t *levels, int place)
{
    return levels ? abs(levels[place]) : 0;
}

/* How much goes on around: finer coefficients of this block, the same one next door. */
BOTH_WAYS int sum_at(const struct block *b, uint8_t sizes[SIDE + 2][SIDE + 2], int place)
{
    int v = place >> 3, u = place & 7;
    int own =
        sizes[v][u + 1] + sizes[v + 1][u] + sizes[v + 1][u + 1] + sizes[v][u + 2] + sizes[v + 2][u];
    int32_t next = size_at(b->left, place) + size_at(b->up, place);
    int sum = 2 * own + (next > 6 ? 6 : next);

    return sum < 8 ? sum : sum < 12 ? 8 : sum < 18 ? 9 : sum < 30 ? 10 : 11;
}

BOTH_WAYS int code_count(const struct coder *c, const struct block *b, int count)
{
    int left = b->left_count < 0 ? b->up_count : b->left_count;
    int up = b->up_count < 0 ? left : b->up_count, mean = left < 0 ? 8 : (left + up + 1) / 2;
    int level = mean < 1    ? 0
                : mean < 3  ? 1
                : mean < 6  ? 2
                : mean < 11 ? 3
                : mean < 18 ? 4
                : mean < 28 ? 5
                : mean < 42 ? 6
                            : 7;
    tdm_screen_bit *tree = c->m->bits.last[b->channel > 0][level];
    uint32_t node = 1;

    for (int i = 5; i >= 0; i--)
        node = node << 1 | code_bit(c, &tree[node], count >> i & 1);
    return (int)(node & 63);
}

BOTH_WAYS int32_t code_size(const struct coder *c, tdm_screen_bit more[16], int32_t size)
{
    int32_t known = 1;

    while (known <= UNARY_MAX && code_bit(c, &more[known - 1], size > known))
        known++;
    if (known > UNARY_MAX)
        known += (int32_t)code_number(c, &c->m->escape, (uint32_t)(size - known));
    return known;
}

BOTH_WAYS bool code_sign(const struct coder *c, bool negative)
{
    if (c->e)
        tdm_screen_encode_plain(c->e, negative, 1);
    else
        negative = tdm_screen_decode_plain(c->d, 1);
    return negative;
}

/* The mean, by what the blocks next to it have. */
BOTH_WAYS void code_mean(const struct coder *c, const struct block *b)
{
    int32_t left = b->left ? b->left[0] : 0, up = b->up ? b->up[0] : 0;
    int32_t guess = b->left && b->up ? (left + up) / 2 : left + up, spread = abs(left - up);
    int level = !b->left || !b->up ? 3 : spread < 2 ? 0 : spread < 6 ? 1 : spread < 16 ? 2 : 3;
    int32_t off = b->levels[0] - guess;
    int32_t size = (int32_t)code_number(c, &c->m->dc[b->channel][level], (uint32_t)abs(off));

    if (size)
        size = code_bit(c, &c->m->bits.dc_sign[b->channel], off < 0) ? -size : size;
    b->levels[0] = (int16_t)clamp(guess + size, -COEFFICIENT_MAX, COEFFICIENT_MAX);
}

/* Gives how many coefficients behind the mean there are, to the last one that is not zero. */
BOTH_WAYS int code_block(const struct coder *c, const struct block *b)
{
    int chroma = b->channel > 0, count = 0;
    uint8_t sizes[SIDE + 2][SIDE + 2] = {{0}};

    if (c->e) {
        for (int i = 1; i < BLOCK; i++)
            if (b->levels[zigzag[i]])
                count = i;
    }
    code_mean(c, b);
    count = code_count(c, b, count);
    for (int i = BLOCK - 1; i > 0; i--) {
        int place = zigzag[i], sum;

        if (i > count) {
            b->levels[place] = 0;
            continue;
        }
        sum = sum_at(b, sizes, place);
        int ring = (place >> 3) + (place & 7), way = (place >> 3) > (place & 7)    ? 0
                                                     : (place >> 3) == (place & 7) ? 1
                                                                                   : 2;
        int32_t size = abs(b->levels[place]);

        if (i < count && !code_bit(c, &c->m->bits.nonzero[chroma][way][sum][ring], size != 0)) {
            b->levels[place] = 0;
            continue;
        }
        bool negative = code_sign(c, b->levels[place] < 0);

        size = clamp(code_size(c, c->m->bits.more[chroma][sum], size), 1, COEFFICIENT_MAX);
        sizes[place >> 3][place & 7] = (uint8_t)(size < 15 ? size : 15);
        b->levels[place] = (int16_t)(negative ? -size : size);
    }
    return count;
}

/* --- Strips of blocks. --- */

BOTH_WAYS void code_at(const struct coder *c, const struct tdm_screen_rect *at, int column,
                       bool first_row, const struct tdm_screen_image *seen,
                       const struct tdm_screen_source *source, int32_t table[2][BLOCK])
{
    struct tdm_screen_photo *m = c->m;
    int32_t planes[3][BLOCK];

    if (source)
        load_block(source, at->width, at->height, planes);
    for (int channel = 0; channel < 3; channel++) {
        int16_t levels[BLOCK], *above = m->coefficients[column][channel];
        struct block b = {.levels = levels,
                          .left = column ? m->coefficients[column - 1][channel] : NULL,
                          .up = first_row ? NULL : above,
                          .left_count = column ? m->counts[column - 1][channel] : -1,
                          .up_count = first_row ? -1 : m->counts[column][channel],
                          .channel = channel};

        if (source) {
            forward(planes[channel]);
            quantise(planes[channel], table[channel > 0], levels);
        } else {
            memset(levels, 0, sizeof levels);
        }
        m->counts[column][channel] = (uint8_t)code_block(c, &b);
        memcpy(above, levels, sizeof levels);
        dequantise(levels, table[channel > 0], planes[channel]);
        inverse(planes[channel]);
    }
    store_block(tdm_screen_at(seen, at->x, at->y), seen->stride, at->width, at->height, planes);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

BOTH_WAYS void code_rect(const struct coder *c, const struct tdm_screen_image *seen,
                         const struct tdm_screen_rect *rect, const struct tdm_screen_source *source,
                         int quality)
{
    int32_t table[2][BLOCK];

    quality = (int)(code_number(c, &c->m->quality, (uint32_t)quality) % QUALITIES);
    make_steps(quality, table);
    for (int strip = 0; strip < rect->width; strip += TDM_SCREEN_PHOTO_STRIP) {
        int width = smaller(rect->width - strip, TDM_SCREEN_PHOTO_STRIP);

        for (int y = 0; y < rect->height; y += SIDE) {
            for (int x = 0; x < width; x += SIDE) {
                struct tdm_screen_rect at = {rect->x + strip + x, rect->y + y,
                                             smaller(width - x, SIDE),
                                             smaller(rect->height - y, SIDE)};
                struct tdm_screen_source from = {0};

                if (source)
                    from = (struct tdm_screen_source){source->pixels + y * source->stride +
                                                          (ptrdiff_t)(strip + x) * 4,
                                                      source->stride};
                code_at(c, &at, x / SIDE, y == 0, seen, source ? &from : NULL, table);
            }
        }
    }
}

void tdm_screen_photo_encode(struct tdm_screen_photo *model, struct tdm_screen_encoder *coder,
                             const struct tdm_screen_image *seen,
                             const struct tdm_screen_rect *rect,
                             const struct tdm_screen_source *source, int quality)
{
    struct tdm_screen_encoder e = *coder; /* A copy of its own stays in registers. */

    code_rect(&(struct coder){model, &e, NULL}, seen, rect, source,
              (int)clamp(quality, 0, QUALITIES - 1));
    *coder = e;
}

void tdm_screen_photo_decode(struct tdm_screen_photo *model, struct tdm_screen_decoder *coder,
                             const struct tdm_screen_image *seen,
                             const struct tdm_screen_rect *rect)
{
    struct tdm_screen_decoder d = *coder;

    code_rect(&(struct coder){model, NULL, &d}, seen, rect, NULL, 0);
    *coder = d;
}

void tdm_screen_photo_init(struct tdm_screen_photo *m)
{
    memset(m, 0, sizeof *m);
    tdm_screen_bits_init((tdm_screen_bit *)&m->bits, sizeof m->bits / sizeof(tdm_screen_bit));
    for (int i = 0; i < 3 * 4; i++)
        tdm_screen_number_init(&m->dc[i / 4][i % 4]);
    tdm_screen_number_init(&m->escape);
    tdm_screen_number_init(&m->quality);
}

/* --- The choice of quality. --- */

#define LOOK_BLOCKS      1024 /* At most. */
#define COEFFICIENT_BITS 6    /* For one that is not zero, with its share of the others, */
#define BLOCK_BITS       6    /* and for a block. */

int tdm_screen_photo_quality(const struct tdm_screen_rect *rect,
                             const struct tdm_screen_source *source, size_t bytes)
{
    uint32_t left[QUALITIES + 1] = {0}; /* Coefficients that are zero from that quality on. */
    int columns = (rect->width + SIDE - 1) / SIDE, rows = (rect->height + SIDE - 1) / SIDE;
    int every = columns * rows / LOOK_BLOCKS + 1, looked = 0;
    uint64_t count = 0;

    for (int at = 0; at < columns * rows; at += every, looked++) {
        int x = at % columns * SIDE, y = at / columns * SIDE;
        struct tdm_screen_source from = {source->pixels + y * source->stride + (ptrdiff_t)x * 4,
                                         source->stride};
        int32_t planes[3][BLOCK];

        load_block(&from, smaller(rect->width - x, SIDE), smaller(rect->height - y, SIDE), planes);
        for (int channel = 0; channel < 3; channel++) {
            forward(planes[channel]);
            for (int i = 1; i < BLOCK; i++) {
                int quality = 0;

                while (quality < QUALITIES &&
                       abs(planes[channel][i]) * 3 >= step_of(quality, channel, i) * 2)
                    quality++;
                left[quality]++;
            }
        }
    }
    for (int quality = QUALITIES - 1; quality >= 0; quality--) {
        count += left[quality + 1];
        uint64_t bits = count * COEFFICIENT_BITS + (uint64_t)looked * BLOCK_BITS;

        if (bits * (uint64_t)every / 8 > bytes)
            return smaller(quality + 1, QUALITIES - 1);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "collab/screen_residual.h"

#include <stdlib.h>

#define STRIP  TDM_SCREEN_RESIDUAL_STRIP
#define LEVELS TDM_SCREEN_RESIDUAL_LEVELS
#define WAYS   TDM_SCREEN_RESIDUAL_WAYS

/* Both directions are one function with one of these; the compiler makes two of it. */
struct coder {
    struct tdm_screen_residual *m;
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

BOTH_WAYS int length_of(uint32_t v)
{
    return v ? 32 - __builtin_clz(v) : 0;
}

/* A size of 0 to 128: how many bits, one by one; then the two below the leading one with a model.
 */
BOTH_WAYS uint32_t code_size(const struct coder *c, int channel, int level, uint32_t size)
{
    struct tdm_screen_residual_bits *bits = &c->m->bits;
    int length = 0, below;
    uint32_t top = 1, value;

    while (length < 8 &&
           code_bit(c, &bits->length[channel][level][length], length_of(size) > length))
        length++;
    value = length > 0;
    for (below = length - 2; below >= 0 && below >= length - 3; below--) {
        bool set = code_bit(c, &bits->top[channel][level][length][top], size >> below & 1);

        top = top << 1 | set;
        value = value << 1 | set;
    }
    if (below >= 0) {
        if (c->e)
            tdm_screen_encode_plain(c->e, size, below + 1);
        value <<= below + 1;
        if (c->e)
            value |= size & ((1u << (below + 1)) - 1);
        else
            value |= tdm_screen_decode_plain(c->d, below + 1);
    }
    return value;
}

static int level_of(int sum)
{
    static const uint8_t levels[] = {0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7,
                                     7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9};

    return sum < (int)sizeof levels ? levels[sum]
           : sum < 30               ? 10
           : sum < 42               ? 11
           : sum < 60               ? 12
           : sum < 90               ? 13
           : sum < 140              ? 14
                                    : 15;
}

static int sign_of(int v)
{
    return (v > 0) - (v < 0);
}

/* A value of eight bits around zero. */
static int wrap(int v)
{
    return ((v + 128) & 255) - 128;
}

/* Ways to guess what is missing from what was missing next door. */
BOTH_WAYS int way_best(struct tdm_screen_residual *m, int channel)
{
    int best = 0;

    for (int way = 1; way < WAYS; way++)
        if (m->errors[channel][way] < m->errors[channel][best])
            best = way;
    return best;
}

BOTH_WAYS void way_learn(struct tdm_screen_residual *m, int channel, const int guesses[WAYS],
                         int missing)
{
    for (int way = 0; way < WAYS; way++) {
        uint32_t *error = &m->errors[channel][way];

        *error += ((uint32_t)abs(missing - guesses[way]) << 8) - (*error >> 5);
    }
}

BOTH_WAYS int code_channel(const struct coder *c, int channel, int x, int row, int first,
                           int missing)
{
    struct tdm_screen_residual *m = c->m;
    int16_t(*now)[3] = m->missing[row], (*above)[3] = m->missing[!row];
    int16_t(*off)[3] = m->off[row], (*off_above)[3] = m->off[!row];
    int w = now[x][channel], n = above[x + 1][channel], nw = above[x][channel];
    int ne = above[x + 2][channel];
    /* Green went first: what was off there may be off here. */
    const int guesses[WAYS] = {first, (w + n) / 2 + first / 2, (w + n) / 4 + first / 2,
                               (2 * w + 2 * n - nw + ne) / 4};
    int guess = guesses[way_best(m, channel)];
    int level = level_of(abs(off[x][channel]) + abs(off_above[x + 1][channel]) +
                         abs(off_above[x][channel]) + abs(off_above[x + 2][channel]));
    int hint = 3 * (sign_of(off[x][channel]) + 1) + sign_of(off_above[x + 1][channel]) + 1;
    int value = wrap(missing - guess);
    uint32_t size = code_size(c, channel, level, (uint32_t)abs(value));

    value = (int)size;
    if (size && code_bit(c, &m->bits.sign[channel][hint], wrap(missing - guess) < 0))
        value = -value;
    missing = wrap(guess + value);
    way_learn(m, channel, guesses, missing);
    now[x + 1][channel] = (int16_t)missing;
    off[x + 1][channel] = (int16_t)value;
    return missing;
}

BOTH_WAYS void code_row(const struct coder *c, uint8_t *seen, const uint8_t *source, int width,
                        int row)
{
    static const uint8_t order[3] = {1, 2, 0}; /* Green, red, blue. */

    for (int x = 0; x < width; x++, seen += 4) {
        int first = 0;

        for (int i = 0; i < 3; i++) {
            int channel = order[i], missing = 0;

            if (source)
                missing = wrap(source[(ptrdiff_t)x * 4 + channel] - seen[channel]);
            missing = code_channel(c, channel, x, row, first, missing);
            if (!i)
                first = missing;
            seen[channel] = (uint8_t)(seen[channel] + missing);
        }
        seen[3] = 0;
    }
}

BOTH_WAYS void code_rect(const struct coder *c, const struct tdm_screen_image *seen,
                         const struct tdm_screen_rect *rect, const struct tdm_screen_source *source)
{
    for (int strip = 0; strip < rect->width; strip += STRIP) {
        int width = rect->width - strip < STRIP ? rect->width - strip : STRIP;

        memset(c->m->missing, 0, sizeof c->m->missing);
        memset(c->m->off, 0, sizeof c->m->off);
        for (int y = 0; y < rect->height; y++)
            code_row(c, tdm_screen_at(seen, rect->x + strip, rect->y + y),
                     source ? source->pixels + y * source->stride + (ptrdiff_t)strip * 4 : NULL,
                     width, y & 1);
    }
}

void tdm_screen_residual_encode(struct tdm_screen_residual *model, struct tdm_screen_encoder *coder,
                                const struct tdm_screen_image *seen,
                                const struct tdm_screen_rect *rect,
                                const struct tdm_screen_source *source)
{
    struct tdm_screen_encoder e = *coder; /* A copy of its own stays in registers. */

    code_rect(&(struct coder){model, &e, NULL}, seen, rect, source);
    *coder = e;
}

void tdm_screen_residual_decode(struct tdm_screen_residual *model, struct tdm_screen_decoder *coder,
                                const struct tdm_screen_image *seen,
                                const struct tdm_screen_rect *rect)
{
    struct tdm_screen_decoder d = *coder;

    code_rect(&(struct coder){model, NULL, &d}, seen, rect, NULL);
    *coder = d;
}

void tdm_screen_residual_init(struct tdm_screen_residual *m)
{
    memset(m, 0, sizeof *m);
    tdm_screen_bits_init((tdm_screen_bit *)&m->bits, sizeof m->bits / sizeof(tdm_screen_bit));
}

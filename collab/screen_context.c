/* SPDX-License-Identifier: MIT */
#include "collab/screen_context.h"

#include <stdlib.h>

#define COLOUR  0xffffffu
#define NOTHING 0xff000000u /* No colour. */

#define WIDE_SLOTS (1u << TDM_SCREEN_CONTEXT_WIDE_BITS)
#define NEAR_SLOTS (1u << TDM_SCREEN_CONTEXT_NEAR_BITS)
#define RECENT     TDM_SCREEN_CONTEXT_RECENT

/* Both directions are one function with one of these, so that they cannot drift apart; the compiler
 * makes two of it. */
struct coder {
    struct tdm_screen_context *m;
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

/* The pixels around the one to code. Those outside the image are black. */
struct around {
    uint32_t w, ww, n, nw, ne, nn;
};

/* One row of a rectangle. */
struct row {
    const uint8_t *source; /* NULL: decoding. */
    uint8_t *seen;
    const uint8_t *up, *up2; /* NULL: outside the image. */
    int left, right;         /* Pixels of the image in front of the rectangle, and behind. */
    int width;
    int flat_end; /* To where the rows above are flat in the colour that they were asked for last. */
    uint32_t flat_colour;
};

BOTH_WAYS uint32_t load(const uint8_t *pixel)
{
    uint32_t v;

    memcpy(&v, pixel, 4);
    return v & COLOUR;
}

/* --- Flat runs. --- */

/* How many of `count` pixels from there on have the colour. */
static int run_of(const uint8_t *at, int count, uint32_t colour)
{
    int i = 0;

    for (; i + 8 <= count; i += 8) {
        uint32_t differ = 0;

        for (int k = 0; k < 8; k++) {
            uint32_t v;

            memcpy(&v, at + (ptrdiff_t)(i + k) * 4, 4);
            differ |= v ^ colour;
        }
        if (differ & COLOUR)
            break;
    }
    while (i < count && load(at + (ptrdiff_t)i * 4) == colour)
        i++;
    return i;
}

/* Where a run that starts at x must end because the rows above are no longer flat. */
BOTH_WAYS int flat_limit(struct row *r, int x, uint32_t colour)
{
    if (x < r->flat_end && r->flat_colour == colour)
        return r->flat_end;
    int count = r->width - x;
    /* The row above is looked at one further: the neighbour to the upper right. */
    int ahead = count + (r->right > 0);
    int above = run_of(r->up + (ptrdiff_t)x * 4, ahead, colour);

    if (above < ahead)
        above--;
    if (above < count)
        count = above;
    count = run_of(r->up2 + (ptrdiff_t)x * 4, count, colour);
    r->flat_end = x + count;
    r->flat_colour = colour;
    return r->flat_end;
}

BOTH_WAYS int log2_of(uint32_t v)
{
    return 31 - __builtin_clz(v | 1);
}

/* A run may be up to `limit` pixels long; gives how long it is. */
BOTH_WAYS int code_run(const struct coder *c, const struct row *r, int x, int limit, uint32_t colour)
{
    int size = log2_of((uint32_t)limit), length = limit;

    if (c->e)
        length = run_of(r->source + (ptrdiff_t)x * 4, limit, colour);
    bool whole = code_bit(c, &c->m->bits.whole[size][c->m->last_whole], length == limit);

    c->m->last_whole = (uint8_t)((c->m->last_whole << 1 | whole) & 3);
    if (whole)
        return limit;
    if (c->e)
        tdm_screen_number_encode(&c->m->run[size], c->e, (uint32_t)length);
    else
        length = (int)tdm_screen_number_decode(&c->m->run[size], c->d);
    return length < limit ? length : limit - 1;
}

/* --- Guesses. --- */

/* A slot: a colour, four bits that tell other surroundings apart, four of how often it was right. */
#define SLOT_SURE(slot)  ((slot) >> 28)
#define SLOT_CHECK(slot) ((slot) >> 24 & 15)
#define SURE_ONE         (1u << 28)

BOTH_WAYS uint32_t slot_of(uint32_t colour, uint32_t check, uint32_t sure)
{
    return sure << 28 | check << 24 | colour;
}

BOTH_WAYS void slot_right(uint32_t *slot)
{
    if (SLOT_SURE(*slot) < 15)
        *slot += SURE_ONE;
}

BOTH_WAYS void slot_wrong(uint32_t *slot, uint32_t colour, uint32_t check)
{
    uint32_t sure = SLOT_SURE(*slot);

    if (sure > 3)
        *slot = slot_of(*slot & COLOUR, check, sure / 2);
    else
        *slot = slot_of(colour, check, 1);
}

BOTH_WAYS uint64_t near_hash(const struct around *a)
{
    return (a->w * 0x9e3779b97f4a7c15u) ^ (a->n * 0xc2b2ae3d27d4eb4fu) ^
           (a->nw * 0x165667b19e3779f9u);
}

BOTH_WAYS uint64_t wide_hash(const struct around *a, uint64_t near)
{
    return near + ((a->ne * 0xd6e8feb86659fd93u) ^ (a->ww * 0xff51afd7ed558ccdu) ^
                   (a->nn * 0xc4ceb9fe1a85ec53u));
}

BOTH_WAYS uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    return h * 0x9fb21c651e98df25u;
}

BOTH_WAYS uint32_t equal_mask(const struct around *a)
{
    return (uint32_t)(a->w == a->n) | (uint32_t)(a->n == a->nw) << 1 |
           (uint32_t)(a->n == a->ne) << 2 | (uint32_t)(a->w == a->nw) << 3 |
           (uint32_t)(a->w == a->ww) << 4 | (uint32_t)(a->n == a->nn) << 5;
}

/* --- What was not guessed. --- */

static uint32_t median(uint32_t w, uint32_t n, uint32_t nw)
{
    uint32_t high = w > n ? w : n, low = w > n ? n : w;

    return nw >= high ? low : nw <= low ? high : w + n - nw;
}

static uint32_t channel(uint32_t colour, int shift)
{
    return colour >> shift & 0xff;
}

static uint32_t predict(const struct around *a, int shift)
{
    return median(channel(a->w, shift), channel(a->n, shift), channel(a->nw, shift));
}

BOTH_WAYS uint32_t code_tree(const struct coder *c, tdm_screen_bit *tree, uint32_t value, int bits)
{
    uint32_t node = 1;

    for (int i = bits - 1; i >= 0; i--)
        node = node << 1 | code_bit(c, &tree[node], value >> i & 1);
    return node & ((1u << bits) - 1);
}

static int activity(const struct around *a)
{
    int d = abs((int)channel(a->w, 8) - (int)channel(a->nw, 8)) +
            abs((int)channel(a->n, 8) - (int)channel(a->nw, 8)) +
            abs((int)channel(a->ne, 8) - (int)channel(a->n, 8));

    return d < 3 ? 0 : d < 8 ? 1 : d < 16 ? 2 : d < 32 ? 3 : d < 64 ? 4 : d < 128 ? 5 : 6;
}

BOTH_WAYS uint32_t code_literal(const struct coder *c, const struct around *a, uint32_t colour)
{
    int level = activity(a);
    uint32_t g = predict(a, 8), r = predict(a, 16), b = predict(a, 0);
    uint32_t dg = code_tree(c, c->m->bits.literal[0][level], channel(colour, 8) - g & 0xff, 8);

    g = g + dg & 0xff;
    r = r + dg & 0xff;
    b = b + dg & 0xff;
    uint32_t dr = code_tree(c, c->m->bits.literal[1][level], channel(colour, 16) - r & 0xff, 8);
    uint32_t db = code_tree(c, c->m->bits.literal[2][level], channel(colour, 0) - b & 0xff, 8);

    return (r + dr & 0xff) << 16 | g << 8 | (b + db & 0xff);
}

/* Colours used lately, the last one first. */
static int recent_find(const struct tdm_screen_context *m, uint32_t colour)
{
    for (int i = 0; i < RECENT; i++)
        if (m->recent[i] == colour)
            return i;
    return RECENT;
}

static void recent_first(struct tdm_screen_context *m, int at, uint32_t colour)
{
    memmove(m->recent + 1, m->recent, (size_t)(at < RECENT ? at : RECENT - 1) * 4);
    m->recent[0] = colour;
}

BOTH_WAYS uint32_t code_miss(const struct coder *c, const struct around *a, uint32_t ruled_out[4],
                             uint32_t colour, struct tdm_screen_context_stats *stats)
{
    const uint32_t candidates[4] = {a->w, a->n, a->ne, a->nw};
    uint32_t mask = equal_mask(a);
    int out = 2;
    struct tdm_screen_context *m = c->m;

    stats->misses++;
    for (int i = 0; i < 4; i++) {
        uint32_t candidate = candidates[i];
        bool known = false;

        for (int k = 0; k < out; k++)
            known |= ruled_out[k] == candidate;
        if (known)
            continue;
        if (code_bit(c, &m->bits.neighbour[i][mask], colour == candidate))
            return candidate;
        if (out < 4) /* Nothing is left to be compared with the last one. */
            ruled_out[out++] = candidate;
    }
    int at = c->e ? recent_find(m, colour) : 0;

    if (code_bit(c, &m->bits.is_recent[mask], at < RECENT)) {
        at = (int)code_tree(c, m->bits.recent_tree, (uint32_t)at, TDM_SCREEN_CONTEXT_RECENT_BITS);
        colour = m->recent[at];
    } else {
        at = RECENT;
        colour = code_literal(c, a, colour);
        stats->literals++;
    }
    recent_first(m, at, colour);
    return colour;
}

BOTH_WAYS uint32_t code_pixel(const struct coder *c, const struct around *a, bool flat,
                              uint32_t colour, struct tdm_screen_context_stats *stats)
{
    struct tdm_screen_context *m = c->m;
    uint64_t near = near_hash(a), wide = mix(wide_hash(a, near));
    uint32_t *slot = &m->wide[wide >> (64 - TDM_SCREEN_CONTEXT_WIDE_BITS)];
    uint32_t check = wide >> 20 & 15, guess = *slot & COLOUR;
    uint32_t ruled_out[4] = {NOTHING, NOTHING, NOTHING, NOTHING};
    uint32_t agree;

    if (flat)
        ruled_out[1] = a->w;
    if (SLOT_SURE(*slot) && SLOT_CHECK(*slot) == check && !(flat && guess == a->w)) {
        agree = (uint32_t)(guess == a->w) | (uint32_t)(guess == a->n) << 1 |
                (uint32_t)(a->w == a->n) << 2 | (uint32_t)(a->n == a->nw) << 3;
        bool hit = code_bit(c, &m->bits.hit[flat][SLOT_SURE(*slot)][agree][m->history & 3],
                            colour == guess);

        m->history = (uint8_t)(m->history << 1 | hit);
        if (hit) {
            slot_right(slot);
            return guess;
        }
        ruled_out[0] = guess;
    } else {
        *slot = 0;
    }
    near = mix(flat ? near + 1 : near);
    uint32_t *second = &m->near[near >> (64 - TDM_SCREEN_CONTEXT_NEAR_BITS)];
    uint32_t check2 = near >> 20 & 15;

    guess = *second & COLOUR;
    if (SLOT_SURE(*second) && SLOT_CHECK(*second) == check2 && guess != ruled_out[0] &&
        guess != ruled_out[1]) {
        agree = (uint32_t)(guess == a->w) | (uint32_t)(guess == a->n) << 1 |
                (uint32_t)(a->w == a->n) << 2 | (uint32_t)(ruled_out[0] == NOTHING) << 3;
        if (code_bit(c, &m->bits.hit2[SLOT_SURE(*second)][agree], colour == guess)) {
            slot_right(second);
            slot_wrong(slot, guess, check);
            return guess;
        }
        if (!flat)
            ruled_out[1] = guess;
        else if (ruled_out[0] == NOTHING)
            ruled_out[0] = guess;
    }
    colour = code_miss(c, a, ruled_out, colour, stats);
    slot_wrong(slot, colour, check);
    slot_wrong(second, colour, check2);
    return colour;
}

BOTH_WAYS void store(uint8_t *pixel, uint32_t colour)
{
    memcpy(pixel, &colour, 4);
}

BOTH_WAYS void code_row(const struct coder *c, struct row *r,
                        struct tdm_screen_context_stats *stats)
{
    struct around a = {0};

    if (r->left > 0) {
        a.w = load(r->seen - 4);
        a.ww = r->left > 1 ? load(r->seen - 8) : 0;
        a.nw = r->up ? load(r->up - 4) : 0;
    }
    a.n = r->up ? load(r->up) : 0;
    r->flat_end = 0;
    for (int x = 0; x < r->width; x++) {
        bool more = x + 1 < r->width + r->right, flat;
        uint32_t colour = 0;

        a.ne = r->up && more ? load(r->up + (ptrdiff_t)(x + 1) * 4) : a.n;
        a.nn = r->up2 ? load(r->up2 + (ptrdiff_t)x * 4) : 0;
        flat = a.w == a.n && a.n == a.ne && a.n == a.nw && a.n == a.nn && a.w == a.ww && r->up2;
        if (flat) {
            int limit = flat_limit(r, x, a.w) - x;
            int length = code_run(c, r, x, limit, a.w);

            for (int i = 0; i < length; i++)
                store(r->seen + (ptrdiff_t)(x + i) * 4, a.w);
            x += length;
            stats->runs += (uint64_t)length;
            if (length) {
                if (length == limit) {
                    x--;
                    a.n = x + 1 < r->width + r->right ? load(r->up + (ptrdiff_t)(x + 1) * 4) : a.n;
                    continue;
                }
                a.ne = x + 1 < r->width + r->right ? load(r->up + (ptrdiff_t)(x + 1) * 4) : a.n;
            }
        }
        if (c->e)
            colour = load(r->source + (ptrdiff_t)x * 4);
        colour = code_pixel(c, &a, flat, colour, stats);
        store(r->seen + (ptrdiff_t)x * 4, colour);
        a.ww = a.w;
        a.w = colour;
        a.nw = a.n;
        a.n = a.ne;
    }
}

BOTH_WAYS void code_rect(const struct coder *c, const struct tdm_screen_image *seen,
                         const struct tdm_screen_rect *rect,
                         const struct tdm_screen_source *source,
                         struct tdm_screen_context_stats *stats)
{
    struct row r = {.left = rect->x,
                    .right = seen->width - rect->x - rect->width,
                    .width = rect->width};

    for (int y = 0; y < rect->height; y++) {
        r.seen = tdm_screen_at(seen, rect->x, rect->y + y);
        r.up = rect->y + y > 0 ? r.seen - seen->stride : NULL;
        r.up2 = rect->y + y > 1 ? r.seen - 2 * seen->stride : NULL;
        r.source = source ? source->pixels + y * source->stride : NULL;
        code_row(c, &r, stats);
    }
    stats->pixels += (uint64_t)rect->width * (uint64_t)rect->height;
}

void tdm_screen_context_encode(struct tdm_screen_context *model, struct tdm_screen_encoder *coder,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect,
                               const struct tdm_screen_source *source,
                               struct tdm_screen_context_stats *stats)
{
    struct tdm_screen_context_stats own = {0};
    struct tdm_screen_encoder e = *coder; /* A copy of its own stays in registers. */

    code_rect(&(struct coder){model, &e, NULL}, seen, rect, source, &own);
    *coder = e;
    if (stats) {
        stats->pixels += own.pixels;
        stats->runs += own.runs;
        stats->misses += own.misses;
        stats->literals += own.literals;
    }
}

void tdm_screen_context_decode(struct tdm_screen_context *model, struct tdm_screen_decoder *coder,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect)
{
    struct tdm_screen_context_stats own = {0};
    struct tdm_screen_decoder d = *coder;

    code_rect(&(struct coder){model, NULL, &d}, seen, rect, NULL, &own);
    *coder = d;
}

void tdm_screen_context_init(struct tdm_screen_context *m)
{
    memset(m, 0, sizeof *m);
    tdm_screen_bits_init((tdm_screen_bit *)&m->bits, sizeof m->bits / sizeof(tdm_screen_bit));
    for (int i = 0; i < RECENT; i++)
        m->recent[i] = (uint32_t)i * 0x040404u;
    for (int i = 0; i < 16; i++)
        tdm_screen_number_init(&m->run[i]);
}

/* --- A look without coding. --- */

#define LOOK_ROWS   4 /* One of so many is looked at. */
#define SPELT_BITS  20
#define MISSED_BITS 5

/* Neither a neighbour nor what the model remembers. */
static bool is_miss(const struct tdm_screen_context *m, const struct around *a, uint32_t colour,
                    bool *neighbour)
{
    *neighbour = colour == a->w || colour == a->n || colour == a->ne || colour == a->nw;
    if (colour == a->w && a->w == a->n)
        return false;
    uint64_t wide = mix(wide_hash(a, near_hash(a)));
    uint32_t slot = m->wide[wide >> (64 - TDM_SCREEN_CONTEXT_WIDE_BITS)];

    return !(SLOT_SURE(slot) && (slot & COLOUR) == colour && SLOT_CHECK(slot) == (wide >> 20 & 15));
}

static uint32_t source_at(const struct tdm_screen_source *source, int x, int y)
{
    return load(source->pixels + y * source->stride + (ptrdiff_t)x * 4);
}

struct tdm_screen_context_guess
tdm_screen_context_look(const struct tdm_screen_context *model, const struct tdm_screen_rect *rect,
                        const struct tdm_screen_source *source)
{
    uint64_t looked = 0, missed = 0, spelt = 0, area = (uint64_t)rect->width * (uint64_t)rect->height;

    for (int y = 2; y < rect->height; y += LOOK_ROWS) {
        for (int x = 2; x + 1 < rect->width; x++) {
            struct around a = {.w = source_at(source, x - 1, y),
                               .ww = source_at(source, x - 2, y),
                               .n = source_at(source, x, y - 1),
                               .nw = source_at(source, x - 1, y - 1),
                               .ne = source_at(source, x + 1, y - 1),
                               .nn = source_at(source, x, y - 2)};
            bool neighbour;
            bool miss = is_miss(model, &a, source_at(source, x, y), &neighbour);

            missed += miss;
            spelt += miss && !neighbour;
            looked++;
        }
    }
    if (!looked)
        return (struct tdm_screen_context_guess){.bytes = (uint32_t)area};
    return (struct tdm_screen_context_guess){
        .miss_percent = (int)(spelt * 100 / looked),
        .bytes = (uint32_t)(((missed - spelt) * MISSED_BITS + spelt * SPELT_BITS) * area / looked / 8 +
                            area / 256 + 4)};
}

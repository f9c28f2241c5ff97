/* SPDX-License-Identifier: MIT */
#include "collab/screen_context.h"

#include <stdlib.h>

#define COLOUR 0xffffffu

#define RECENT TDM_SCREEN_CONTEXT_RECENT

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
    uint32_t www, nww, nee, nnw, nne; /* Further away. */
};

/* One row of a rectangle. */
struct row {
    const uint8_t *source; /* NULL: decoding. */
    uint8_t *seen;
    const uint8_t *up, *up2; /* NULL: outside the image. */
    int left, right;         /* Pixels of the image in front of the rectangle, and behind. */
    int width;
    int flat_end; /* To where the rows above are flat in the colour that they were asked for last.
                   */
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
BOTH_WAYS int code_run(const struct coder *c, const struct row *r, int x, int limit,
                       uint32_t colour)
{
    int size = log2_of((uint32_t)limit), length = limit;

    if (c->e)
        length = run_of(r->source + (ptrdiff_t)x * 4, limit, colour);
    bool whole = code_bit(c, &c->m->bits.whole[size][c->m->last_whole], length == limit);

    c->m->last_whole = (c->m->last_whole << 1 | whole) & 3;
    if (whole)
        return limit;
    if (c->e)
        tdm_screen_number_encode(&c->m->run[size], c->e, (uint32_t)length);
    else
        length = (int)tdm_screen_number_decode(&c->m->run[size], c->d);
    return length < limit ? length : limit - 1;
}

/* --- Guesses. --- */

/* A slot: a colour, four bits that tell other surroundings apart, four of how often it was right.
 */
#define SLOT_COLOUR(slot) ((slot)&COLOUR)
#define SLOT_CHECK(slot)  ((slot) >> 24 & 15)
#define SLOT_SURE(slot)   ((slot) >> 28)
#define SURE_ONE          (1u << 28)
#define SURE_MOST         15
#define SURE_STAYS        3 /* One that was right more often is not given up at the first error. */

BOTH_WAYS uint32_t slot_of(uint32_t colour, uint32_t check, uint32_t sure)
{
    return sure << 28 | check << 24 | colour;
}

BOTH_WAYS void slot_right(uint32_t *slot)
{
    if (SLOT_SURE(*slot) < SURE_MOST)
        *slot += SURE_ONE;
}

BOTH_WAYS void slot_wrong(uint32_t *slot, uint32_t colour, uint32_t check)
{
    uint32_t sure = SLOT_SURE(*slot);

    *slot = sure > SURE_STAYS ? slot_of(SLOT_COLOUR(*slot), check, sure / 2)
                              : slot_of(colour, check, 1);
}

/* Two colours: the better one stays in front, the newer one replaces the other. */
BOTH_WAYS void pair_wrong(uint32_t pair[2], uint32_t colour, uint32_t check)
{
    uint32_t sure = SLOT_SURE(pair[0]);

    pair[1] = sure > SURE_STAYS ? slot_of(colour, check, 1) : pair[0];
    slot_wrong(&pair[0], colour, check);
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

BOTH_WAYS uint64_t far_hash(const struct around *a, uint64_t wide)
{
    return wide + ((a->www * 0xa0761d6478bd642fu) ^ (a->nww * 0xe7037ed1a0b428dbu) ^
                   (a->nee * 0x8ebc6af09c88c6e3u) ^ (a->nnw * 0x589965cc75374cc3u) ^
                   (a->nne * 0x1d8e4e27c47d124fu));
}

BOTH_WAYS uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    return h * 0x9fb21c651e98df25u;
}

#define FAR_AT(hash)   ((hash) >> (64 - TDM_SCREEN_CONTEXT_FAR_BITS))
#define WIDE_AT(hash)  ((hash) >> (64 - TDM_SCREEN_CONTEXT_WIDE_BITS))
#define NEAR_AT(hash)  ((hash) >> (64 - TDM_SCREEN_CONTEXT_NEAR_BITS))
#define CHECK_OF(hash) ((uint32_t)((hash) >> 20 & 15))

/* Colours that the pixel is known not to have. */
struct ruled_out {
    uint32_t colours[7];
    int count;
};

BOTH_WAYS bool is_out(const struct ruled_out *out, uint32_t colour)
{
    for (int i = 0; i < out->count; i++)
        if (out->colours[i] == colour)
            return true;
    return false;
}

BOTH_WAYS bool code_guess(const struct coder *c, tdm_screen_bit *bit, struct ruled_out *out,
                          uint32_t guess, uint32_t colour)
{
    bool right = code_bit(c, bit, colour == guess);

    if (!right)
        out->colours[out->count++] = guess;
    return right;
}

BOTH_WAYS uint32_t equal_mask(const struct around *a)
{
    return (uint32_t)(a->w == a->n) | (uint32_t)(a->n == a->nw) << 1 |
           (uint32_t)(a->n == a->ne) << 2 | (uint32_t)(a->w == a->nw) << 3 |
           (uint32_t)(a->w == a->ww) << 4 | (uint32_t)(a->n == a->nn) << 5;
}

BOTH_WAYS uint32_t agreement(const struct around *a, uint32_t guess)
{
    return (uint32_t)(guess == a->w) | (uint32_t)(guess == a->n) << 1 |
           (uint32_t)(a->w == a->n) << 2 | (uint32_t)(a->n == a->nw) << 3;
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

static uint32_t clamp8(int v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (uint32_t)v;
}

static uint32_t colour_of(uint32_t r, uint32_t g, uint32_t b)
{
    return r << 16 | g << 8 | b;
}

/* Two ways to guess red and blue from green. As far from their own predictions as green was: */
static uint32_t parallel(const struct around *a, uint32_t g)
{
    int off = (int)g - (int)predict(a, 8);

    return colour_of(clamp8((int)predict(a, 16) + off), g, clamp8((int)predict(a, 0) + off));
}

/* or on the line between two colours, as the shades of a letter's edge are. */
#define LINE_MIN 16

static uint32_t on_line(const struct around *a, uint32_t last, uint32_t g)
{
    uint32_t from = a->n;
    int whole = (int)channel(last, 8) - (int)channel(from, 8);

    if (abs(whole) < LINE_MIN) {
        from = a->w;
        whole = (int)channel(last, 8) - (int)channel(from, 8);
    }
    if (abs(whole) < LINE_MIN)
        return colour_of(g, g, g);
    int part = (int)g - (int)channel(from, 8), r = (int)channel(from, 16);
    int b = (int)channel(from, 0);

    return colour_of(clamp8(r + part * ((int)channel(last, 16) - r) / whole), g,
                     clamp8(b + part * ((int)channel(last, 0) - b) / whole));
}

static void error_learn(uint32_t *error, uint32_t guess, uint32_t colour)
{
    int off = abs((int)channel(guess, 16) - (int)channel(colour, 16)) +
              abs((int)channel(guess, 0) - (int)channel(colour, 0));

    *error += (uint32_t)off * 16 - *error / 16;
}

/* Green first. The colour that had this green the last time is likely to be meant; else the two
 * others by the way that was better lately. */
BOTH_WAYS uint32_t code_literal(const struct coder *c, const struct around *a, uint32_t colour)
{
    struct tdm_screen_context *m = c->m;
    int level = activity(a), line = m->line_error < m->parallel_error;
    uint32_t g = predict(a, 8);

    g += code_tree(c, m->bits.green[level], (channel(colour, 8) - g) & 0xff, 8);
    g &= 0xff;
    uint32_t *shade = &m->shades[g];
    bool known = code_bit(c, &m->bits.shade[m->shade_history & 15], colour == *shade);

    m->shade_history = m->shade_history << 1 | known;
    if (known)
        return m->literal = *shade;
    uint32_t by_line = on_line(a, m->literal, g), by_parallel = parallel(a, g);
    uint32_t guess = line ? by_line : by_parallel, r = channel(guess, 16), b = channel(guess, 0);

    r += code_tree(c, m->bits.red_blue[line][0][level], (channel(colour, 16) - r) & 0xff, 8);
    b += code_tree(c, m->bits.red_blue[line][1][level], (channel(colour, 0) - b) & 0xff, 8);
    colour = colour_of(r & 0xff, g, b & 0xff);
    error_learn(&m->line_error, by_line, colour);
    error_learn(&m->parallel_error, by_parallel, colour);
    return m->literal = *shade = colour;
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

BOTH_WAYS uint32_t code_miss(const struct coder *c, const struct around *a, struct ruled_out *out,
                             uint32_t colour, struct tdm_screen_context_stats *stats)
{
    struct tdm_screen_context *m = c->m;
    const uint32_t neighbours[4] = {a->w, a->n, a->ne, a->nw};
    uint32_t mask = equal_mask(a);

    stats->misses++;
    for (int i = 0; i < 4; i++)
        if (!is_out(out, neighbours[i]) &&
            code_guess(c, &m->bits.neighbour[i][mask], out, neighbours[i], colour))
            return neighbours[i];

    int at = c->e ? recent_find(m, colour) : 0;

    if (code_bit(c, &m->bits.is_recent[mask], at < RECENT)) {
        at = (int)code_tree(c, m->bits.recent, (uint32_t)at, TDM_SCREEN_CONTEXT_RECENT_BITS);
        colour = m->recent[at];
    } else {
        at = RECENT;
        colour = code_literal(c, a, colour);
        stats->literals++;
    }
    recent_first(m, at, colour);
    return colour;
}

/* What a pixel's surroundings lead to in the three tables. */
struct tables {
    uint32_t *far, *pair, *near;
    uint32_t far_check, pair_check, near_check;
    bool met; /* The pair knows the surroundings. */
};

BOTH_WAYS bool slot_knows(uint32_t slot, uint32_t check)
{
    return SLOT_SURE(slot) && SLOT_CHECK(slot) == check;
}

BOTH_WAYS struct tables look_up(struct tdm_screen_context *m, const struct around *a, bool flat)
{
    uint64_t h = near_hash(a), near = mix(h + flat), wide, far;

    h = wide_hash(a, h);
    wide = mix(h);
    far = mix(far_hash(a, h));
    struct tables t = {.far = &m->far[FAR_AT(far)],
                       .pair = m->wide[WIDE_AT(wide)],
                       .near = &m->near[NEAR_AT(near)],
                       .far_check = CHECK_OF(far),
                       .pair_check = CHECK_OF(wide),
                       .near_check = CHECK_OF(near)};

    t.met = slot_knows(t.pair[0], t.pair_check);
    return t;
}

/* The wider surroundings are remembered only where the six neighbours were not enough. */
BOTH_WAYS bool code_far(const struct coder *c, const struct around *a, const struct tables *t,
                        struct ruled_out *out, uint32_t colour)
{
    struct tdm_screen_context *m = c->m;
    uint32_t guess = SLOT_COLOUR(*t->far), sure = SLOT_SURE(*t->far);
    tdm_screen_bit *bit = &m->bits.far[out->count][sure][agreement(a, guess)][m->history & 3];

    if (!slot_knows(*t->far, t->far_check) || is_out(out, guess))
        return false;
    bool right = code_guess(c, bit, out, guess, colour);

    m->history = m->history << 1 | right;
    if (!right)
        return false;
    slot_right(t->far);
    if (t->met && SLOT_COLOUR(t->pair[0]) == guess)
        slot_right(&t->pair[0]);
    return true;
}

/* From the six neighbours: one of two colours that followed them before. */
BOTH_WAYS bool code_pair(const struct coder *c, const struct around *a, const struct tables *t,
                         struct ruled_out *out, uint32_t *colour)
{
    struct tdm_screen_context *m = c->m;
    uint32_t guess = SLOT_COLOUR(t->pair[0]), sure = SLOT_SURE(t->pair[0]);
    bool less = out->count > 0; /* Something was ruled out. */

    if (!t->met)
        t->pair[0] = t->pair[1] = 0;
    if (!t->met || is_out(out, guess))
        return false;
    bool right = code_guess(c, &m->bits.pair[less][sure][agreement(a, guess)][m->history & 3], out,
                            guess, *colour);

    m->history = m->history << 1 | right;
    if (right) {
        slot_right(&t->pair[0]);
        *colour = guess;
        return true;
    }
    guess = SLOT_COLOUR(t->pair[1]);
    if (!SLOT_SURE(t->pair[1]) || is_out(out, guess) ||
        !code_guess(c, &m->bits.other[sure][agreement(a, guess)], out, guess, *colour))
        return false;
    pair_wrong(t->pair, guess, t->pair_check);
    slot_wrong(t->far, guess, t->far_check);
    *colour = guess;
    return true;
}

BOTH_WAYS bool code_near(const struct coder *c, const struct around *a, const struct tables *t,
                         struct ruled_out *out, uint32_t colour)
{
    uint32_t guess = SLOT_COLOUR(*t->near), sure = SLOT_SURE(*t->near);
    tdm_screen_bit *bit = &c->m->bits.near[sure][agreement(a, guess)][t->met];

    if (!slot_knows(*t->near, t->near_check) || is_out(out, guess) ||
        !code_guess(c, bit, out, guess, colour))
        return false;
    slot_right(t->near);
    return true;
}

/* `flat`: a run of the left neighbour's colour ended here. */
BOTH_WAYS uint32_t code_pixel(const struct coder *c, const struct around *a, bool flat,
                              uint32_t colour, struct tdm_screen_context_stats *stats)
{
    struct tables t = look_up(c->m, a, flat);
    struct ruled_out out = {.colours = {a->w}, .count = flat};

    if (code_far(c, a, &t, &out, colour))
        return SLOT_COLOUR(*t.far);
    if (code_pair(c, a, &t, &out, &colour))
        return colour;
    if (code_near(c, a, &t, &out, colour)) {
        colour = SLOT_COLOUR(*t.near);
    } else {
        colour = code_miss(c, a, &out, colour, stats);
        slot_wrong(t.near, colour, t.near_check);
    }
    pair_wrong(t.pair, colour, t.pair_check);
    if (t.met)
        slot_wrong(t.far, colour, t.far_check);
    return colour;
}

BOTH_WAYS void store(uint8_t *pixel, uint32_t colour)
{
    memcpy(pixel, &colour, 4);
}

/* A pixel of the row above (-1) or of the one above that (-2), or black. */
BOTH_WAYS uint32_t above_at(const struct row *r, const uint8_t *up, int x)
{
    return up && x >= -r->left && x < r->width + r->right ? load(up + (ptrdiff_t)x * 4) : 0;
}

BOTH_WAYS uint32_t left_at(const struct row *r, int x)
{
    return x >= -r->left ? load(r->seen + (ptrdiff_t)x * 4) : 0;
}

BOTH_WAYS void look_around(const struct row *r, int x, struct around *a)
{
    a->w = left_at(r, x - 1);
    a->ww = left_at(r, x - 2);
    a->n = above_at(r, r->up, x);
    a->nw = above_at(r, r->up, x - 1);
    a->ne = above_at(r, r->up, x + 1);
    a->nn = above_at(r, r->up2, x);
}

BOTH_WAYS void look_further(const struct row *r, int x, struct around *a)
{
    a->www = left_at(r, x - 3);
    a->nww = above_at(r, r->up, x - 2);
    a->nee = above_at(r, r->up, x + 2);
    a->nnw = above_at(r, r->up2, x - 1);
    a->nne = above_at(r, r->up2, x + 1);
}

BOTH_WAYS void code_row(const struct coder *c, struct row *r,
                        struct tdm_screen_context_stats *stats)
{
    r->flat_end = 0;
    for (int x = 0; x < r->width; x++) {
        struct around a;
        uint32_t colour = 0;
        bool flat;

        look_around(r, x, &a);
        flat = r->up2 && a.w == a.n && a.n == a.ne && a.n == a.nw && a.n == a.nn && a.w == a.ww;
        if (flat) {
            int limit = flat_limit(r, x, a.w) - x, length = code_run(c, r, x, limit, a.w);

            for (int i = 0; i < length; i++)
                store(r->seen + (ptrdiff_t)(x + i) * 4, a.w);
            x += length;
            stats->runs += (uint64_t)length;
            if (length == limit) {
                x--;
                continue;
            }
            a.ne = above_at(r, r->up, x + 1);
        }
        look_further(r, x, &a);
        if (c->e)
            colour = load(r->source + (ptrdiff_t)x * 4);
        store(r->seen + (ptrdiff_t)x * 4, code_pixel(c, &a, flat, colour, stats));
    }
}

BOTH_WAYS void code_rect(const struct coder *c, const struct tdm_screen_image *seen,
                         const struct tdm_screen_rect *rect, const struct tdm_screen_source *source,
                         struct tdm_screen_context_stats *stats)
{
    struct row r = {
        .left = rect->x, .right = seen->width - rect->x - rect->width, .width = rect->width};

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
    for (uint32_t i = 0; i < 256; i++)
        m->shades[i] = i * 0x010101u;
    for (int i = 0; i < 16; i++)
        tdm_screen_number_init(&m->run[i]);
}

/* --- A look without coding. --- */

#define LOOK_ROWS     4 /* One of so many is looked at. */
#define LOOK_CONTEXTS 2048
#define LOOK_COLOURS  256
#define HIT_BITS_X8   1 /* Eighths of a bit. */
#define MISSED_BITS   6
#define SPELT_BITS    17

/* What the model would have learnt on the way, in small. */
struct look {
    uint32_t contexts[LOOK_CONTEXTS], colours[LOOK_COLOURS];
    uint64_t pixels, hits, missed, spelt;
};

static void look_at(struct look *l, const struct tdm_screen_context *m, const struct around *a,
                    uint32_t colour)
{
    uint64_t wide = mix(wide_hash(a, near_hash(a)));
    const uint32_t *pair = m->wide[WIDE_AT(wide)];
    uint32_t *own = &l->contexts[wide >> 32 & (LOOK_CONTEXTS - 1)];
    uint32_t *known = &l->colours[(colour * 0x9e3779b1u) >> 24];
    uint32_t told = slot_of(colour, CHECK_OF(wide), 1);

    l->pixels++;
    if (colour == a->w && colour == a->n && colour == a->nw && colour == a->ne)
        return;
    bool met = slot_knows(pair[0], CHECK_OF(wide)) &&
               (SLOT_COLOUR(pair[0]) == colour || SLOT_COLOUR(pair[1]) == colour);

    if (met || *own == told || colour == a->w || colour == a->n)
        l->hits++;
    else if (*known == colour)
        l->missed++;
    else
        l->spelt++;
    *own = told;
    *known = colour;
}

static uint32_t source_at(const struct tdm_screen_source *source, int x, int y)
{
    return load(source->pixels + y * source->stride + (ptrdiff_t)x * 4);
}

struct tdm_screen_context_guess tdm_screen_context_look(const struct tdm_screen_context *model,
                                                        const struct tdm_screen_rect *rect,
                                                        const struct tdm_screen_source *source)
{
    uint64_t area = (uint64_t)rect->width * (uint64_t)rect->height, bits;
    struct look l = {.pixels = 0};

    for (int y = 2; y < rect->height; y += LOOK_ROWS) {
        for (int x = 2; x + 1 < rect->width; x++) {
            struct around a = {.w = source_at(source, x - 1, y),
                               .ww = source_at(source, x - 2, y),
                               .n = source_at(source, x, y - 1),
                               .nw = source_at(source, x - 1, y - 1),
                               .ne = source_at(source, x + 1, y - 1),
                               .nn = source_at(source, x, y - 2)};

            look_at(&l, model, &a, source_at(source, x, y));
        }
    }
    if (!l.pixels)
        return (struct tdm_screen_context_guess){.bytes = (uint32_t)area};
    bits = l.hits * HIT_BITS_X8 / 8 + l.missed * MISSED_BITS + l.spelt * SPELT_BITS;
    return (struct tdm_screen_context_guess){
        .miss_percent = (int)((l.missed + l.spelt) * 100 / l.pixels),
        .bytes = (uint32_t)(bits * area / l.pixels / 8 + area / 512 + 4)};
}

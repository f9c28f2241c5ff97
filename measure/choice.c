/* SPDX-License-Identifier: MIT */
#include "measure/choice.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define SHARE_OF_FRAME  0.5   /* Of a frame interval that encoding and decoding may take. */
#define ENOUGH_DB       38.0  /* Above it more quality is hardly seen ... */
#define MS_PER_DB       4.0   /* ... below it, a decibel is worth this much latency, */
#define MS_PER_DB_ABOVE 0.8   /* and above it this much. */
#define POOR_DB         32.0  /* Below it a smaller picture looks better. */
#define ANCHOR_BPP      0.054 /* Bits a pixel (720p30 at 1.5 Mb/s) at which x264 superfast gives */
#define ANCHOR_DB       38.0  /* this on people and rooms, */
#define DB_PER_DOUBLING 3.5   /* and so much more with twice the bits. */
#define THREADS_MAX     4u

/* Sides of the pictures to consider, in sixteenths of the wish. */
static const int ladder[] = {16, 12, 8, 6, 4};

#define LADDER_COUNT (sizeof ladder / sizeof *ladder)

/* Decibels of luma against x264 superfast at equal rate, as `tandem bench codec` and codec_bench
 * found them (docs/bench-codec.md): for a camera the mean of a telephone's clip at 1 Mb/s and of
 * vtest.avi at 1.5 Mb/s, for a screen that of text, scroll and slides. An unlisted one counts as 0.
 * openh264 is charged two for what x264 has and it has not: a first slice that leaves
 * early, budgets kept at cuts, and intra refresh (docs/decisions/010-x264-before-openh264.md); VP8
 * two on screens, of which it drops most pictures while they scroll. */
static const struct {
    const char *encoder, *preset;
    double camera_db, screen_db;
} gains[] = {
    {"x264", "ultrafast", -1.7, 0.2},
    {"x264", "superfast", 0.0, 0.0},
    {"x264", "veryfast", 0.2, 0.5},
    {"openh264", "low", -1.2, -2.6},
    {"openh264", "medium", -1.2, -2.6},
    {"openh264", "high", -1.2, -2.6},
    {"vp8", "16", -0.4, -3.5},
    {"vp8", "12", 0.5, -3.3},
    {"vp8", "8", 1.0, -3.0},
    {"vp8", "4", 1.1, -2.8},
    {"vp9", "9", 0.5, -1.8},
    {"vp9", "8", 0.5, -1.4},
    {"vp9", "7", 0.7, -1.7},
    {"vp9", "5", 0.9, -1.5},
    {"aom", "10", 2.3, -0.8},
    {"aom", "9", 2.5, -0.9},
    {"aom", "8", 2.7, -0.9},
};

#define GAIN_COUNT (sizeof gains / sizeof *gains)

static double gain_of(const struct tdm_cost *cost, enum tdm_content content)
{
    for (size_t i = 0; i < GAIN_COUNT; i++)
        if (strcmp(gains[i].encoder, cost->encoder) == 0 &&
            strcmp(gains[i].preset, cost->preset) == 0)
            return content == TDM_CONTENT_SCREEN ? gains[i].screen_db : gains[i].camera_db;
    return 0;
}

double tdm_choice_psnr(const struct tdm_cost *cost, const struct tdm_choice_wish *wish,
                       double pixels)
{
    double bpp = wish->bps / (pixels * wish->fps);

    return ANCHOR_DB + DB_PER_DOUBLING * log2(bpp / ANCHOR_BPP) + gain_of(cost, wish->content);
}

/* What the quality that is missing, or that is there in plenty, is worth in milliseconds. */
static double quality_price(double psnr_db)
{
    return psnr_db < ENOUGH_DB ? (ENOUGH_DB - psnr_db) * MS_PER_DB
                               : (ENOUGH_DB - psnr_db) * MS_PER_DB_ABOVE;
}

static bool wished(const struct tdm_cost *cost, const struct tdm_choice_wish *wish)
{
    return (wish->codec == TDM_CODEC_NONE || wish->codec == cost->codec) &&
           (!wish->encoder || strcmp(wish->encoder, cost->encoder) == 0) &&
           (!wish->preset || strcmp(wish->preset, cost->preset) == 0);
}

static int scaled(int side, int sixteenths)
{
    int whole = side * sixteenths / 16 & ~1;

    return whole < 16 ? 16 : whole;
}

static struct tdm_choice candidate(const struct tdm_cost *cost, const struct tdm_choice_wish *wish,
                                   int sixteenths, unsigned threads)
{
    struct tdm_choice c = {
        .cost = cost,
        .threads = threads,
        .width = scaled(wish->width, sixteenths),
        .height = scaled(wish->height, sixteenths),
    };
    double pixels = (double)c.width * c.height;
    double speed = 1 + (threads - 1) * (cost->parallel - 1);

    c.encode_ms = cost->encode_ns * pixels / speed / 1e6;
    c.decode_ms = cost->decode_ns * pixels / 1e6;
    c.psnr_db = tdm_choice_psnr(cost, wish, pixels);
    c.fits = c.encode_ms + c.decode_ms <= SHARE_OF_FRAME * 1000 / wish->fps;
    return c;
}

/* Slices travel while the rest is encoded: only the first one's time is waited for. */
static double price(const struct tdm_choice *c)
{
    return c->encode_ms * c->cost->first + c->decode_ms + quality_price(c->psnr_db);
}

/* Fitting ones before others; then the lower price, or the lower cost where none fits. */
static bool better(const struct tdm_choice *a, const struct tdm_choice *b)
{
    if (!b->cost || a->fits != b->fits)
        return !b->cost || a->fits;
    return a->fits ? price(a) < price(b)
                   : a->encode_ms + a->decode_ms < b->encode_ms + b->decode_ms;
}

/* The fewest threads with which it fits; one where none helps. */
static struct tdm_choice with_threads(const struct tdm_cost *cost,
                                      const struct tdm_choice_wish *wish, int sixteenths)
{
    unsigned most = wish->cores < 1 ? 1 : wish->cores > THREADS_MAX ? THREADS_MAX : wish->cores;
    struct tdm_choice first = candidate(cost, wish, sixteenths, 1);

    for (unsigned threads = 2; !first.fits && threads <= most; threads++) {
        struct tdm_choice c = candidate(cost, wish, sixteenths, threads);

        if (c.fits)
            return c;
    }
    return first;
}

static struct tdm_choice best_at(const struct tdm_cost_table *table,
                                 const struct tdm_choice_wish *wish, int sixteenths)
{
    struct tdm_choice best = {.cost = NULL};

    for (uint32_t i = 0; i < table->count; i++) {
        struct tdm_choice c;

        if (!wished(&table->costs[i], wish))
            continue;
        c = with_threads(&table->costs[i], wish, sixteenths);
        if (better(&c, &best))
            best = c;
    }
    return best;
}

struct tdm_choice tdm_choice_make(const struct tdm_cost_table *table,
                                  const struct tdm_choice_wish *wish)
{
    struct tdm_choice best = best_at(table, wish, ladder[0]);

    for (size_t i = 1; i < LADDER_COUNT && best.cost && !wish->size_fixed; i++) {
        if (best.fits && best.psnr_db >= POOR_DB)
            break;
        best = best_at(table, wish, ladder[i]);
    }
    return best;
}

uint8_t tdm_choice_order(const struct tdm_cost_table *table, const struct tdm_choice_wish *wish,
                         enum tdm_codec_id *order, uint8_t capacity)
{
    struct tdm_choice best = tdm_choice_make(table, wish);
    struct tdm_choice found[TDM_CODEC_COUNT];
    uint8_t count = 0;

    for (int id = 0; id < TDM_CODEC_COUNT && count < capacity; id++) {
        struct tdm_choice_wish one = *wish; /* At one size: others' quality says nothing. */
        uint8_t at = count;

        one.codec = (enum tdm_codec_id)id;
        one.width = best.width;
        one.height = best.height;
        one.size_fixed = true;
        struct tdm_choice c =
            id == TDM_CODEC_NONE ? (struct tdm_choice){.cost = NULL} : tdm_choice_make(table, &one);

        if (!c.cost)
            continue;
        while (at > 0 && better(&c, &found[at - 1])) {
            found[at] = found[at - 1];
            order[at] = order[at - 1];
            at--;
        }
        found[at] = c;
        order[at] = one.codec;
        count++;
    }
    return count;
}

/* SPDX-License-Identifier: MIT */
/* The exact coders of a shared screen, on something like a page of text: each way by itself. */
#include "bench/micro/micro.h"
#include "collab/screen.h"
#include "collab/screen_context.h"
#include "collab/screen_moves.h"
#include "collab/screen_photo.h"
#include "collab/screen_residual.h"
#include "collab/screen_zstd.h"
#include "engine/base/cpu.h"

#include <string.h>

#define WIDTH  640
#define HEIGHT 256
#define LETTER 8
#define LINE   16

enum variant { RAW, ZSTD, CONTEXT, PHOTO_THEN_RESIDUAL, VARIANTS };

struct coding {
    struct tdm_screen_image page, seen, out;
    struct tdm_screen_rect rect;
    struct tdm_screen_source source;
    void *packer, *unpacker;
    struct tdm_screen_context context;
    struct tdm_screen_photo photo;
    struct tdm_screen_residual residual;
    uint8_t *bytes;
    size_t room, size;
};

static bool variant_of(size_t at, struct micro_variant *variant)
{
    static const char *const names[VARIANTS] = {"raw", "zstd -1", "context", "photo + residual"};

    if (at >= VARIANTS)
        return false;
    *variant = (struct micro_variant){names[at], true};
    return true;
}

static struct tdm_screen_image image(struct micro_case *c, int width, int height)
{
    size_t bytes = (size_t)width * (size_t)height * 4;

    return (struct tdm_screen_image){micro_take(c, bytes, 0), (ptrdiff_t)width * 4, width, height};
}

/* Lines of 26 letters with soft edges, on paper. */
static void write_page(struct micro_case *c, const struct tdm_screen_image *page)
{
    uint32_t paper = 0xf4f6f8, anything = tdm_rng_u32(&c->rng) << 24;

    for (int y = 0; y < page->height; y++) {
        struct tdm_rng line = tdm_rng_of((uint64_t)(y / LINE));

        for (int x = 0; x < page->width; x += LETTER) {
            uint32_t letter = tdm_rng_below(&line, 32);
            struct tdm_rng dots = tdm_rng_of(letter << 8 | (uint32_t)(y % LINE));

            for (int u = 0; u < LETTER; u++) {
                bool ink = letter < 26 && u < 6 && y % LINE < 10 && x + u < page->width;
                uint32_t shade = tdm_rng_below(&dots, 3) * 0x606060u, v = ink ? shade : paper;

                v |= anything;
                if (x + u < page->width)
                    memcpy(tdm_screen_at(page, x + u, y), &v, 4);
            }
        }
    }
}

static bool make(struct micro_case *c)
{
    struct coding *s = c->state = micro_take(c, sizeof *s, 0);
    int width = c->timed ? WIDTH : (int)micro_between(c, 1, 200);
    int height = c->timed ? HEIGHT : (int)micro_between(c, 1, 60);

    s->page = image(c, width, height);
    s->seen = image(c, width, height);
    s->out = image(c, width, height);
    write_page(c, &s->page);
    s->rect = (struct tdm_screen_rect){0, 0, width, height};
    s->source = tdm_screen_source_of(&s->page, &s->rect);
    s->room = tdm_screen_pack_bound(&s->rect) + (size_t)width * (size_t)height * 16;
    s->bytes = micro_take(c, s->room, 0);
    s->packer = micro_take(c, tdm_screen_packer_bytes(), 0);
    s->unpacker = micro_take(c, tdm_screen_unpacker_bytes(), 0);
    c->out_size = (size_t)width * (size_t)height * 4;
    c->out = s->out.pixels;
    c->bytes = (double)c->out_size;
    return true;
}

static void forget(struct coding *s)
{
    tdm_screen_context_init(&s->context);
    tdm_screen_photo_init(&s->photo);
    tdm_screen_residual_init(&s->residual);
    tdm_screen_packer_init(s->packer, 1);
    tdm_screen_unpacker_init(s->unpacker);
}

static void encode(struct coding *s, size_t variant, const struct tdm_screen_image *to)
{
    struct tdm_writer w = tdm_writer_of(s->bytes, s->room);
    struct tdm_screen_encoder e;

    switch ((enum variant)variant) {
    case RAW:
        tdm_screen_raw_encode(to, &s->rect, &s->source, &w);
        break;
    case ZSTD:
        (void)tdm_screen_pack(s->packer, to, &s->rect, &s->source, &w);
        break;
    default:
        tdm_screen_encoder_begin(&e, s->bytes, s->room);
        if (variant == CONTEXT) {
            tdm_screen_context_encode(&s->context, &e, to, &s->rect, &s->source, NULL);
        } else {
            tdm_screen_photo_encode(&s->photo, &e, to, &s->rect, &s->source, 8);
            tdm_screen_residual_encode(&s->residual, &e, to, &s->rect, &s->source);
        }
        s->size = tdm_screen_encoder_end(&e);
        return;
    }
    s->size = tdm_writer_size(&w);
}

static void decode(struct coding *s, size_t variant)
{
    struct tdm_reader r = tdm_reader_of(s->bytes, s->size);
    struct tdm_screen_decoder d;

    switch ((enum variant)variant) {
    case RAW:
        tdm_screen_raw_decode(&s->out, &s->rect, &r);
        break;
    case ZSTD:
        (void)tdm_screen_unpack(s->unpacker, &s->out, &s->rect, s->bytes, s->size);
        break;
    default:
        tdm_screen_decoder_begin(&d, s->bytes, s->size);
        if (variant == CONTEXT) {
            tdm_screen_context_decode(&s->context, &d, &s->out, &s->rect);
        } else {
            tdm_screen_photo_decode(&s->photo, &d, &s->out, &s->rect);
            tdm_screen_residual_decode(&s->residual, &d, &s->out, &s->rect);
        }
    }
}

static void encode_prepare(struct micro_case *c, size_t variant)
{
    (void)variant;
    forget(c->state);
    memset(c->out, 0, c->out_size);
}

static void encode_run(struct micro_case *c, size_t variant)
{
    struct coding *s = c->state;

    encode(s, variant, &s->out);
}

static void decode_prepare(struct micro_case *c, size_t variant)
{
    struct coding *s = c->state;

    forget(s);
    memset(s->seen.pixels, 0, c->out_size);
    encode(s, variant, &s->seen);
    forget(s);
    memset(c->out, 0, c->out_size);
}

static void decode_run(struct micro_case *c, size_t variant)
{
    decode(c->state, variant);
}

/* What a hostile host can cost: bytes that mean nothing. */
static void noise_prepare(struct micro_case *c, size_t variant)
{
    struct coding *s = c->state;
    struct tdm_rng rng = tdm_rng_of(variant);

    forget(s);
    s->size = s->room;
    for (size_t i = 0; i < s->size; i++)
        s->bytes[i] = (uint8_t)tdm_rng_u32(&rng);
    memset(c->out, 0, c->out_size);
}

/* The same bytes give the same pixels, whatever they are: nothing else was read. */
static bool noise_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    struct coding *s = c->state;
    struct tdm_screen_image out = s->out;

    (void)reference;
    forget(s);
    memset(s->seen.pixels, 0, c->out_size);
    s->out = s->seen;
    decode(s, variant);
    s->out = out;
    return memcmp(s->seen.pixels, c->out, c->out_size) == 0;
}

/* The scan for moved content: anchors of all tiles of a picture, as after a full change. */

#define SCAN_WIDTH  1920
#define SCAN_HEIGHT 1080

struct scan {
    struct tdm_screen_image page;
    struct tdm_screen_anchors *anchors;
};

static bool scan_variant(size_t at, struct micro_variant *variant)
{
    if (at >= tdm_screen_anchors_variant_count)
        return false;
    *variant = (struct micro_variant){tdm_screen_anchors_variants[at].name,
                                      tdm_cpu_has(tdm_screen_anchors_variants[at].needs)};
    return true;
}

static bool scan_make(struct micro_case *c)
{
    struct scan *s = c->state = micro_take(c, sizeof *s, 0);
    int width = c->timed ? SCAN_WIDTH : (int)micro_between(c, 1, 200);
    int height = c->timed ? SCAN_HEIGHT : (int)micro_between(c, 1, 200);
    size_t tiles = (size_t)((width + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE) *
                   (size_t)((height + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE);

    s->page = image(c, width, height);
    write_page(c, &s->page);
    c->out_size = tiles * sizeof *s->anchors;
    c->out = micro_take(c, c->out_size, 0);
    s->anchors = (struct tdm_screen_anchors *)(void *)c->out;
    c->bytes = (double)width * (double)height * 4;
    return true;
}

static void scan_run(struct micro_case *c, size_t variant)
{
    const struct scan *s = c->state;
    struct tdm_screen_anchors *to = s->anchors;

    for (int y = 0; y < s->page.height; y += TDM_SCREEN_TILE)
        for (int x = 0; x < s->page.width; x += TDM_SCREEN_TILE) {
            int width = s->page.width - x, height = s->page.height - y;

            tdm_screen_anchors_variants[variant].find(
                to++, tdm_screen_at(&s->page, x, y), s->page.stride,
                width < TDM_SCREEN_TILE ? width : TDM_SCREEN_TILE,
                height < TDM_SCREEN_TILE ? height : TDM_SCREEN_TILE);
        }
}

/* Only as many anchors as there are say anything. */
static bool scan_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    const struct scan *s = c->state;
    const struct tdm_screen_anchors *want = (const void *)reference;
    bool same = true;

    (void)variant;
    for (size_t i = 0; same && i < c->out_size / sizeof *want; i++) {
        same = s->anchors[i].count == want[i].count;
        for (uint8_t a = 0; same && a < want[i].count; a++)
            same = s->anchors[i].list[a].hash == want[i].list[a].hash &&
                   s->anchors[i].list[a].x == want[i].list[a].x &&
                   s->anchors[i].list[a].y == want[i].list[a].y;
    }
    return same;
}

static const struct micro_routine rows[] = {
    {.name = "screen.encode",
     .shape = "a page of text 640x256, exact, nothing learnt",
     .variant = variant_of,
     .make = make,
     .prepare = encode_prepare,
     .run = encode_run,
     .once = true},
    {.name = "screen.decode",
     .shape = "the same",
     .variant = variant_of,
     .make = make,
     .prepare = decode_prepare,
     .run = decode_run,
     .once = true},
    {.name = "screen.noise",
     .shape = "decoding bytes that mean nothing, 640x256",
     .variant = variant_of,
     .make = make,
     .prepare = noise_prepare,
     .run = decode_run,
     .right = noise_right,
     .once = true},
    {.name = "screen.moves",
     .shape = "anchors of a whole page of text 1920x1080",
     .variant = scan_variant,
     .make = scan_make,
     .run = scan_run,
     .right = scan_right},
};
const struct micro_list micro_screen = {rows, sizeof rows / sizeof *rows};

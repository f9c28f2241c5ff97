/* SPDX-License-Identifier: MIT */
/* engine/base: products in GF(256), tiles of a screen. */
#include "bench/micro/micro.h"
#include "engine/base/cpu.h"
#include "engine/base/gf256.h"
#include "engine/base/tile.h"

#include <string.h>

#define PACKET_BYTES  1200
#define TILE_SIDE     64
#define SCREEN_STRIDE (1920 * 4)

/* One repair packet gets one source packet. */
struct products {
    const uint8_t *from, *first;
    uint8_t *to;
    size_t size;
    uint8_t factor;
};

static bool gf256_variant(size_t at, struct micro_variant *variant)
{
    if (at >= tdm_gf256_variant_count)
        return false;
    *variant = (struct micro_variant){tdm_gf256_variants[at].name,
                                      tdm_cpu_has(tdm_gf256_variants[at].needs)};
    return true;
}

static bool gf256_make(struct micro_case *c)
{
    struct products *p = c->state = micro_take(c, sizeof *p, 0);
    size_t lead = micro_between(c, 0, 40), around = 40;

    p->size = c->timed ? PACKET_BYTES : micro_between(c, 0, 1500);
    lead = c->timed ? 0 : lead;
    p->factor = (uint8_t)micro_between(c, 0, 255);
    p->from = micro_bytes(c, p->size);
    c->out_size = p->size + around + lead;
    p->first = micro_bytes(c, c->out_size);
    c->out = micro_take(c, c->out_size, 0);
    p->to = c->out + lead;
    c->bytes = (double)p->size;
    return true;
}

static void gf256_prepare(struct micro_case *c, size_t variant)
{
    const struct products *p = c->state;

    (void)variant;
    memcpy(c->out, p->first, c->out_size);
}

static void gf256_run(struct micro_case *c, size_t variant)
{
    const struct products *p = c->state;

    tdm_gf256_variants[variant].mul_add(p->to, p->from, p->factor, p->size);
}

static bool tile_variant(size_t at, struct micro_variant *variant)
{
    if (at >= tdm_tile_variant_count)
        return false;
    *variant = (struct micro_variant){tdm_tile_variants[at].name,
                                      tdm_cpu_has(tdm_tile_variants[at].needs)};
    return true;
}

struct tiles {
    struct tdm_tile a, b;
};

/* Half of the untimed pairs differ, in one byte anywhere. */
static bool tiles_make(struct micro_case *c)
{
    struct tiles *t = c->state = micro_take(c, sizeof *t, 0);
    int width = (int)micro_between(c, 1, TILE_SIDE), height = (int)micro_between(c, 1, TILE_SIDE);
    ptrdiff_t stride = c->timed ? SCREEN_STRIDE : width * 4 + (int)micro_between(c, 0, 70);
    size_t bytes = (size_t)(stride * (height - 1)) + (size_t)width * 4;
    uint8_t *a = micro_bytes(c, bytes), *b = micro_bytes(c, bytes);

    for (size_t i = 0; i < bytes; i++)
        b[i] = i % (size_t)stride % 4 == 3 ? b[i] : a[i];
    if (!c->timed && tdm_rng_chance(&c->rng, 0.5))
        b[tdm_rng_below(&c->rng, (uint32_t)bytes)] ^= 1;
    t->a = (struct tdm_tile){a, stride, width, height};
    t->b = (struct tdm_tile){b, stride, width, height};
    c->out_size = 8;
    c->out = micro_take(c, c->out_size, 0);
    c->bytes = (double)width * height * 4;
    return true;
}

static void tile_equal_run(struct micro_case *c, size_t variant)
{
    const struct tiles *t = c->state;

    *c->out = tdm_tile_variants[variant].equal(&t->a, &t->b);
}

static void tile_cells_run(struct micro_case *c, size_t variant)
{
    const struct tiles *t = c->state;
    uint64_t cells = 0;

    if (t->a.width <= TDM_TILE_SIDE && t->a.height <= TDM_TILE_SIDE)
        cells = tdm_tile_variants[variant].cells(&t->a, &t->b);
    memcpy(c->out, &cells, sizeof cells);
}

static void tile_hash_run(struct micro_case *c, size_t variant)
{
    const struct tiles *t = c->state;
    uint64_t hash = tdm_tile_variants[variant].hash(&t->b, 0);

    memcpy(c->out, &hash, sizeof hash);
}

static const struct micro_routine rows[] = {
    {.name = "gf256.mul_add",
     .shape = "1200 bytes",
     .variant = gf256_variant,
     .make = gf256_make,
     .prepare = gf256_prepare,
     .run = gf256_run},
    {.name = "tile.equal",
     .shape = "64 x 64 pixels of a screen, equal",
     .variant = tile_variant,
     .make = tiles_make,
     .run = tile_equal_run},
    {.name = "tile.cells",
     .shape = "64x64, equal",
     .variant = tile_variant,
     .make = tiles_make,
     .run = tile_cells_run},
    {.name = "tile.hash",
     .shape = "64 x 64 pixels of a screen",
     .variant = tile_variant,
     .make = tiles_make,
     .run = tile_hash_run},
};
const struct micro_list micro_base = {rows, sizeof rows / sizeof *rows};

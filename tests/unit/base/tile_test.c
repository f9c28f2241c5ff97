/* SPDX-License-Identifier: MIT */
#include "engine/base/tile.h"

#include "engine/base/cpu.h"
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct size {
    int width, height;
};

static const struct size sizes[] = {{1, 1},  {2, 3},   {7, 2},   {8, 1},  {9, 4},   {15, 3},
                                    {16, 2}, {17, 17}, {31, 2},  {33, 3}, {64, 64}, {100, 5},
                                    {1, 40}, {8, 8},   {257, 2}, {24, 3}};

/* Rows that end where the memory ends, so that a sanitizer sees what is read beyond. */
static struct tdm_tile make(struct size size, int gap, uint64_t seed)
{
    ptrdiff_t stride = (ptrdiff_t)size.width * 4 + gap;
    size_t bytes = (size_t)(stride * (size.height - 1)) + (size_t)size.width * 4;
    uint8_t *pixels = malloc(bytes);
    struct tdm_rng rng = tdm_rng_of(seed);

    assert_non_null(pixels);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)tdm_rng_u32(&rng);
    return (struct tdm_tile){pixels, stride, size.width, size.height};
}

static void drop(struct tdm_tile *tile)
{
    free((void *)tile->pixels);
}

static uint8_t *byte_of(const struct tdm_tile *tile, int x, int y, int byte)
{
    return (uint8_t *)tile->pixels + y * tile->stride + (ptrdiff_t)x * 4 + byte;
}

/* The same pixels in other memory, with other values in the bytes that do not count. */
static struct tdm_tile twin_of(const struct tdm_tile *tile, int gap)
{
    struct tdm_tile twin = make((struct size){tile->width, tile->height}, gap, 99);

    for (int y = 0; y < tile->height; y++)
        for (int x = 0; x < tile->width; x++)
            for (int byte = 0; byte < 3; byte++)
                *byte_of(&twin, x, y, byte) = *byte_of(tile, x, y, byte);
    return twin;
}

static uint64_t splitmix_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* One number of a row: pixels 2n and 2n + 1, zero behind the end. */
static uint64_t word_of(const struct tdm_tile *tile, int row, int n)
{
    uint64_t word = 0;

    for (int pixel = 0; pixel < 2; pixel++)
        for (int byte = 0; byte < 3 && 2 * n + pixel < tile->width; byte++)
            word |= (uint64_t)*byte_of(tile, 2 * n + pixel, row, byte) << (32 * pixel + 8 * byte);
    return word;
}

/* The definition in tile.h, each lane by itself and keys by their formula. */
static uint64_t by_definition(const struct tdm_tile *tile)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t h = (uint64_t)tile->width + ((uint64_t)tile->height << 32);
    int stripes = (tile->width + 7) / 8;

    for (int lane = 0; lane < 4; lane++) {
        uint64_t first = splitmix_mix(golden * (uint64_t)(lane + 1)), sum = 0;

        for (int row = 0; row < tile->height; row++) {
            for (int i = 0; i < stripes; i++) {
                uint64_t key = first + golden * (uint64_t)(row * stripes + i);
                uint64_t keyed = word_of(tile, row, 4 * i + lane) ^ key;

                sum += (keyed % 0x100000000u) * (keyed / 0x100000000u);
                sum += word_of(tile, row, 4 * i + (lane ^ 1));
            }
        }
        h = splitmix_mix(h ^ sum);
    }
    return h;
}

static void check_equal(const struct tdm_tile_variant *variant, const struct tdm_tile *tile,
                        struct tdm_tile *twin, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);
    uint64_t hash = by_definition(tile);

    assert_true(variant->equal(tile, twin));
    assert_int_equal(variant->hash(tile, 0), hash);
    assert_int_equal(variant->hash(twin, 0), hash);
    for (int i = 0; i < 40; i++) {
        int x = (int)tdm_rng_below(&rng, (uint32_t)tile->width);
        int y = (int)tdm_rng_below(&rng, (uint32_t)tile->height);

        /* The last pixel is in the tail, the first at the start of a vector. */
        x = i == 0 ? tile->width - 1 : i == 1 ? 0 : x;
        uint8_t *byte = byte_of(twin, x, y, i % 3), kept = *byte;

        *byte ^= (uint8_t)(1u << tdm_rng_below(&rng, 8));
        assert_false(variant->equal(tile, twin));
        assert_int_equal(variant->hash(twin, 0), by_definition(twin));
        assert_int_not_equal(variant->hash(twin, 0), hash);
        assert_int_equal(variant->hash(twin, seed), tdm_tile_variants[0].hash(twin, seed));
        if (tile->width <= TDM_TILE_SIDE && tile->height <= TDM_TILE_SIDE)
            assert_int_equal(variant->cells(tile, twin), (uint64_t)1 << (y / 8 * 8 + x / 8));
        *byte = kept;
    }
}

static void test_variants(void **state)
{
    (void)state;
    for (size_t v = 0; v < tdm_tile_variant_count; v++) {
        if (!tdm_cpu_has(tdm_tile_variants[v].needs))
            continue;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (int gap = 0; gap < 12; gap += 5) {
                struct tdm_tile tile = make(sizes[i], gap, i + 1);
                struct tdm_tile twin = twin_of(&tile, gap + 3);

                check_equal(&tdm_tile_variants[v], &tile, &twin, i);
                drop(&tile);
                drop(&twin);
            }
        }
    }
    assert_int_equal(tdm_tile_variants[0].needs, 0);
}

/* The hash is part of what peers agree about: it may not change. */
static void test_hash_is_what_it_was(void **state)
{
    uint8_t pixels[64 * 64 * 4];
    const struct tdm_tile tile = {pixels, 256, 64, 64};

    (void)state;
    memset(pixels, 0, sizeof pixels);
    assert_int_equal(tdm_tile_hash(&tile), 0x20e9cdac3a60b7efu);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(tdm_tile_hash(&tile), 0xbc2323fe1e2e0d77u);
}

/* What a screen does: things move, and sides differ though all pixels are black. */
static void test_hash_sees_moves_and_sides(void **state)
{
    static const struct size black[] = {{8, 8}, {16, 4}, {4, 16}, {9, 8}, {8, 9}, {64, 1}};
    uint8_t pixels[64 * 64 * 4] = {0};
    uint64_t seen[64 + 6];
    size_t count = 0;

    (void)state;
    for (int i = 0; i < 64; i++) {
        struct tdm_tile tile = {pixels, 256, 64, 64};

        memset(byte_of(&tile, i, i * 7 % 64, 0), 0xff, 3);
        seen[count++] = tdm_tile_hash(&tile);
        memset(byte_of(&tile, i, i * 7 % 64, 0), 0, 3);
    }
    for (size_t i = 0; i < sizeof black / sizeof *black; i++) {
        struct tdm_tile tile = {pixels, 256, black[i].width, black[i].height};

        seen[count++] = tdm_tile_hash(&tile);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(seen[i], seen[k]);
}

/* Every bit of the hash depends on every bit of the colours: half of them change. */
static void test_hash_mixes(void **state)
{
    uint8_t pixels[16 * 2 * 4] = {0};
    const struct tdm_tile tile = {pixels, 64, 16, 2};
    uint64_t plain = tdm_tile_hash(&tile);
    int changed[64] = {0}, flips = 0;

    (void)state;
    for (size_t bit = 0; bit < sizeof pixels * 8; bit++) {
        if (bit / 8 % 4 == 3)
            continue;
        pixels[bit / 8] ^= (uint8_t)(1u << bit % 8);
        uint64_t difference = tdm_tile_hash(&tile) ^ plain;

        pixels[bit / 8] ^= (uint8_t)(1u << bit % 8);
        for (int i = 0; i < 64; i++)
            changed[i] += (int)(difference >> i & 1);
        flips++;
    }
    for (int i = 0; i < 64; i++)
        assert_in_range(changed[i], flips * 2 / 5, flips * 3 / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_hash_is_what_it_was),
        cmocka_unit_test(test_hash_sees_moves_and_sides),
        cmocka_unit_test(test_hash_mixes),
    };

    return cmocka_run_group_tests_name("tile", tests, NULL, NULL);
}

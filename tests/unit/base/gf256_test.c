/* SPDX-License-Identifier: MIT */
#include "engine/base/gf256.h"

#include "engine/base/cpu.h"
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The definition: multiply the polynomials, then subtract multiples of 0x11d from the top. */
static uint8_t by_definition(unsigned a, unsigned b)
{
    unsigned product = 0;

    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < 8; k++)
            product ^= (a >> i & b >> k & 1) << (i + k);
    for (unsigned degree = 14; degree >= 8; degree--)
        if (product >> degree & 1)
            product ^= 0x11du << (degree - 8);
    return (uint8_t)product;
}

static void test_products_are_those_of_polynomials(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            assert_int_equal(tdm_gf256_mul((uint8_t)a, (uint8_t)b), by_definition(a, b));
}

static void test_inverses(void **state)
{
    (void)state;
    assert_int_equal(tdm_gf256_inverse(0), 0);
    for (unsigned a = 1; a < 256; a++)
        assert_int_equal(by_definition(a, tdm_gf256_inverse((uint8_t)a)), 1);
}

/* Powers of x as Reed-Solomon tables print them, and the polynomial is primitive. */
static void test_x_generates_the_units(void **state)
{
    static const struct {
        int exponent;
        uint8_t power;
    } rows[] = {{1, 2}, {7, 128}, {8, 29}, {25, 3}, {50, 5}, {254, 142}, {255, 1}};
    uint8_t power = 1;
    size_t row = 0;

    (void)state;
    for (int exponent = 1; exponent <= 255; exponent++) {
        power = tdm_gf256_mul(power, 2);
        assert_int_equal(power == 1, exponent == 255);
        if (exponent == rows[row].exponent)
            assert_int_equal(power, rows[row++].power);
    }
    assert_int_equal(row, sizeof rows / sizeof *rows);
}

/* Every factor with every byte, in vectors and in the tail, nothing beside the bytes touched. */
static void check(void (*mul_add)(uint8_t *, const uint8_t *, uint8_t, size_t))
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 256, 300};
    uint8_t from[320], to[320], want[320];
    struct tdm_rng rng = tdm_rng_of(5);

    for (unsigned factor = 0; factor < 256; factor++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t lead = tdm_rng_below(&rng, 20);

            for (size_t k = 0; k < sizeof from; k++) {
                from[k] = (uint8_t)(k + lead);
                to[k] = want[k] = (uint8_t)tdm_rng_u32(&rng);
            }
            for (size_t k = 0; k < sizes[i]; k++)
                want[lead + k] ^= by_definition(factor, from[k + 3]);
            mul_add(to + lead, from + 3, (uint8_t)factor, sizes[i]);
            assert_memory_equal(to, want, sizeof to);
        }
    }
}

static void test_vectors(void **state)
{
    size_t run = 0;

    (void)state;
    check(tdm_gf256_mul_add);
    for (size_t i = 0; i < tdm_gf256_variant_count; i++) {
        if (!tdm_cpu_has(tdm_gf256_variants[i].needs))
            continue;
        check(tdm_gf256_variants[i].mul_add);
        run++;
    }
    print_message("%zu of %zu variants ran\n", run, tdm_gf256_variant_count);
    assert_int_equal(tdm_gf256_variants[0].needs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_are_those_of_polynomials),
        cmocka_unit_test(test_inverses),
        cmocka_unit_test(test_x_generates_the_units),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests_name("gf256", tests, NULL, NULL);
}

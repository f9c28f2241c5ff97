/* SPDX-License-Identifier: MIT */
#include "engine/wire/h265_payload.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAL_MAX 4000

/* First byte of a NAL unit's header; the second is 1 (layer 0, temporal id 0). */
#define VPS   0x40
#define SPS   0x42
#define PPS   0x44
#define AUD   0x46
#define IDR   0x26
#define CRA   0x2a
#define TRAIL 0x02
#define AP    0x60
#define FU    0x62
#define PACI  0x64

struct peek_case {
    const char *what;
    enum tdm_err err;
    struct tdm_h265_peek want; /* Starts, ends, VPS, SPS, IRAP, first slice. */
    size_t size;
    uint8_t payload[24];
};

static const struct peek_case cases[] = {
    {"vps", TDM_OK, {1, 1, 1, 0, 0, 0}, 3, {VPS, 1, 0x80}},
    {"sps", TDM_OK, {1, 1, 0, 1, 0, 0}, 3, {SPS, 1, 0x80}},
    {"pps", TDM_OK, {1, 1, 0, 0, 0, 0}, 3, {PPS, 1, 0x80}},
    {"idr, first slice", TDM_OK, {1, 1, 0, 0, 1, 1}, 3, {IDR, 1, 0x80}},
    {"idr, later slice", TDM_OK, {1, 1, 0, 0, 1, 0}, 3, {IDR, 1, 0x40}},
    {"cra", TDM_OK, {1, 1, 0, 0, 1, 1}, 3, {CRA, 1, 0x80}},
    {"first of the irap types", TDM_OK, {1, 1, 0, 0, 1, 1}, 3, {16 << 1, 1, 0x80}},
    {"below the irap types", TDM_OK, {1, 1, 0, 0, 0, 1}, 3, {15 << 1, 1, 0x80}},
    {"above the irap types", TDM_OK, {1, 1, 0, 0, 0, 1}, 3, {24 << 1, 1, 0x80}},
    {"slice", TDM_OK, {1, 1, 0, 0, 0, 1}, 3, {TRAIL, 1, 0x80}},
    {"slice without body", TDM_OK, {1, 1, 0, 0, 0, 0}, 2, {TRAIL, 1}},
    {"aud is no slice", TDM_OK, {1, 1, 0, 0, 0, 0}, 3, {AUD, 1, 0x80}},
    {"layer id is stepped over", TDM_OK, {1, 1, 0, 0, 0, 1}, 3, {TRAIL | 1, 0xf9, 0x80}},
    {"ap", TDM_OK, {1, 1, 1, 1, 1, 1}, 21, {AP, 1, 0, 3,   VPS, 1, 9, 0,   3, SPS, 1,
                                            9,  0, 2, PPS, 1,   0, 3, IDR, 1, 0x80}},
    {"fu start", TDM_OK, {1, 0, 0, 0, 1, 1}, 4, {FU, 1, 0x80 | 19, 0x80}},
    {"fu start, later slice", TDM_OK, {1, 0, 0, 0, 1, 0}, 4, {FU, 1, 0x80 | 19, 0x40}},
    {"fu start of a vps", TDM_OK, {1, 0, 1, 0, 0, 0}, 4, {FU, 1, 0x80 | 32, 0x40}},
    {"fu middle", TDM_OK, {0, 0, 0, 0, 0, 0}, 4, {FU, 1, 19, 0x80}},
    {"fu end", TDM_OK, {0, 1, 0, 0, 0, 0}, 4, {FU, 1, 0x40 | 19, 0x80}},
    {"fu start and end", TDM_E_MALFORMED, {0}, 4, {FU, 1, 0xc0 | 19, 0x80}},
    {"fu of an ap", TDM_E_MALFORMED, {0}, 4, {FU, 1, 0x80 | 48, 0x80}},
    {"fu of a fu", TDM_E_MALFORMED, {0}, 4, {FU, 1, 0x80 | 49, 0x80}},
    {"empty fu", TDM_E_MALFORMED, {0}, 3, {FU, 1, 0x80 | 19}},
    {"fu cut short", TDM_E_MALFORMED, {0}, 2, {FU, 1}},
    {"ap of nothing", TDM_E_MALFORMED, {0}, 2, {AP, 1}},
    {"ap, empty unit", TDM_E_MALFORMED, {0}, 4, {AP, 1, 0, 0}},
    {"ap, half a header", TDM_E_MALFORMED, {0}, 5, {AP, 1, 0, 1, VPS}},
    {"ap, unit too long", TDM_E_MALFORMED, {0}, 7, {AP, 1, 0, 4, VPS, 1, 9}},
    {"ap, odd byte behind", TDM_E_MALFORMED, {0}, 7, {AP, 1, 0, 2, VPS, 1, 0}},
    {"ap in ap", TDM_E_MALFORMED, {0}, 6, {AP, 1, 0, 2, AP, 1}},
    {"fu in ap", TDM_E_MALFORMED, {0}, 8, {AP, 1, 0, 4, FU, 1, 0x93, 0x80}},
    {"ap, forbidden bit inside", TDM_E_MALFORMED, {0}, 6, {AP, 1, 0, 2, 0x80 | VPS, 1}},
    {"paci", TDM_E_UNSUPPORTED, {0}, 4, {PACI, 1, 0, 0}},
    {"type 63", TDM_E_UNSUPPORTED, {0}, 4, {0x7e, 1, 0, 0}},
    {"forbidden bit", TDM_E_MALFORMED, {0}, 3, {0x80 | TRAIL, 1, 0x80}},
    {"temporal id 0", TDM_E_MALFORMED, {0}, 3, {TRAIL, 0xf8, 0x80}},
    {"half a header", TDM_E_MALFORMED, {0}, 1, {TRAIL}},
    {"empty", TDM_E_MALFORMED, {0}, 0, {0}},
};

static bool same_peek(const struct tdm_h265_peek *a, const struct tdm_h265_peek *b)
{
    return a->starts_nal == b->starts_nal && a->ends_nal == b->ends_nal &&
           a->has_vps == b->has_vps && a->has_sps == b->has_sps && a->has_irap == b->has_irap &&
           a->first_slice == b->first_slice;
}

static void test_peek(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct peek_case *c = &cases[i];
        struct tdm_h265_joiner j = {0};
        struct tdm_h265_peek peek;
        uint8_t out[64];
        struct tdm_writer w = tdm_writer_of(out, sizeof out);

        if (tdm_h265_peek(&peek, c->payload, c->size) != c->err)
            fail_msg("%s: error", c->what);
        if (!c->err && !same_peek(&peek, &c->want))
            fail_msg("%s: flags", c->what);
        /* Joining refuses the same, and a fragment that does not start besides. */
        enum tdm_err want_err = !c->err && !peek.starts_nal ? TDM_E_MALFORMED : c->err;

        if (tdm_h265_join(&j, &w, c->payload, c->size) != want_err)
            fail_msg("%s: join", c->what);
        if (want_err && tdm_writer_size(&w))
            fail_msg("%s: a refused payload left bytes", c->what);
    }
}

/* RFC 7798 figures 7 (aggregation) and 9 (fragmentation). */
static void test_joins_the_rfc_layouts(void **state)
{
    static const uint8_t ap[] = {AP, 1, 0, 3, VPS, 1, 9, 0, 2, SPS, 1};
    static const uint8_t first[] = {FU | 1, 0x0a, 0x80 | 19, 0x88, 1};
    static const uint8_t middle[] = {FU | 1, 0x0a, 19, 2}, last[] = {FU | 1, 0x0a, 0x40 | 19, 3};
    static const uint8_t single[] = {TRAIL, 2, 0x80};
    static const uint8_t want[] = {0, 0,   0, 1, VPS, 1, 9, 0,       0,    0,
                                   1, SPS, 1, 0, 0,   0, 1, IDR | 1, 0x0a, 0x88,
                                   1, 2,   3, 0, 0,   0, 1, TRAIL,   2,    0x80};
    struct tdm_h265_joiner j = {0};
    uint8_t out[64];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    assert_int_equal(tdm_h265_join(&j, &w, ap, sizeof ap), TDM_OK);
    assert_int_equal(tdm_h265_join(&j, &w, first, sizeof first), TDM_OK);
    assert_true(j.in_fragment);
    assert_int_equal(tdm_h265_join(&j, &w, middle, sizeof middle), TDM_OK);
    assert_int_equal(tdm_h265_join(&j, &w, last, sizeof last), TDM_OK);
    assert_false(j.in_fragment);
    assert_int_equal(tdm_h265_join(&j, &w, single, sizeof single), TDM_OK);
    assert_int_equal(tdm_writer_size(&w), sizeof want);
    assert_memory_equal(out, want, sizeof want);
}

static void test_join_watches_the_fragments(void **state)
{
    static const uint8_t first[] = {FU, 1, 0x80 | 1, 7}, middle[] = {FU, 1, 1, 7};
    static const uint8_t single[] = {TRAIL, 1, 0x80}, ap[] = {AP, 1, 0, 2, VPS, 1};
    struct tdm_h265_joiner j = {0};
    uint8_t out[64];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    assert_int_equal(tdm_h265_join(&j, &w, middle, sizeof middle), TDM_E_MALFORMED);
    assert_int_equal(tdm_h265_join(&j, &w, first, sizeof first), TDM_OK);
    assert_int_equal(tdm_h265_join(&j, &w, first, sizeof first), TDM_E_MALFORMED);
    assert_int_equal(tdm_h265_join(&j, &w, first, sizeof first), TDM_OK);
    assert_int_equal(tdm_h265_join(&j, &w, single, sizeof single), TDM_E_MALFORMED);
    assert_int_equal(tdm_h265_join(&j, &w, first, sizeof first), TDM_OK);
    assert_int_equal(tdm_h265_join(&j, &w, ap, sizeof ap), TDM_E_MALFORMED);
    assert_false(j.in_fragment);
    assert_int_equal(tdm_h265_join(&j, &w, single, sizeof single), TDM_OK);
}

static void test_join_without_room(void **state)
{
    static const uint8_t ap[] = {AP, 1, 0, 3, VPS, 1, 9, 0, 2, SPS, 1};

    (void)state;
    for (size_t room = 0; room < 4 + 3 + 4 + 2; room++) {
        struct tdm_h265_joiner j = {0};
        uint8_t *out = malloc(room ? room : 1);

        assert_non_null(out);
        struct tdm_writer w = tdm_writer_of(out, room);

        assert_int_equal(tdm_h265_join(&j, &w, ap, sizeof ap), TDM_E_SPACE);
        assert_int_equal(tdm_writer_size(&w), 0);
        free(out);
    }
}

/* As a sender of RFC 7798 cuts: the NAL unit's header bytes go into the payload header. */
static size_t write_fragment(uint8_t *out, const uint8_t *nal, size_t at, size_t bytes, bool last)
{
    uint8_t type = nal[0] >> 1 & 0x3f;

    out[0] = (uint8_t)((nal[0] & 0x81) | FU);
    out[1] = nal[1];
    out[2] = (uint8_t)((at == 2 ? 0x80 : 0) | (last ? 0x40 : 0) | type);
    memcpy(out + 3, nal + at, bytes);
    return bytes + 3;
}

static void test_fragments_of_any_size(void **state)
{
    static uint8_t nal[NAL_MAX], joined[NAL_MAX + 4], out[NAL_MAX + 3];
    struct tdm_rng rng = tdm_rng_of(7798);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        size_t size = 4 + tdm_rng_below(&rng, NAL_MAX - 4);
        size_t part = 1 + tdm_rng_below(&rng, (uint32_t)(size - 3));
        struct tdm_writer w = tdm_writer_of(joined, sizeof joined);
        struct tdm_h265_joiner j = {0};

        for (size_t at = 0; at < size; at++)
            nal[at] = (uint8_t)tdm_rng_u32(&rng);
        nal[0] = (uint8_t)(tdm_rng_below(&rng, 48) << 1 | (nal[0] & 1));
        nal[1] |= 1;
        for (size_t at = 2; at < size; at += part) {
            size_t bytes = size - at < part ? size - at : part;
            size_t out_size = write_fragment(out, nal, at, bytes, at + bytes == size);

            assert_int_equal(tdm_h265_join(&j, &w, out, out_size), TDM_OK);
        }
        assert_false(j.in_fragment);
        assert_int_equal(tdm_writer_size(&w), size + 4);
        assert_memory_equal(joined, ((uint8_t[]){0, 0, 0, 1}), 4);
        assert_memory_equal(joined + 4, nal, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_joins_the_rfc_layouts),
        cmocka_unit_test(test_join_watches_the_fragments),
        cmocka_unit_test(test_join_without_room),
        cmocka_unit_test(test_fragments_of_any_size),
    };

    return cmocka_run_group_tests_name("h265_payload", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/wire/h264_payload.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAL_MAX 4000

/* Bytes laid out after RFC 6184 figures 7 (STAP-A) and 14 to 16 (FU-A). */
static const uint8_t stap[] = {0x78, 0, 3, 0x67, 0x42, 0x01, 0, 2, 0x68, 0xce, 0, 3, 0x65, 0x88, 9};
static const uint8_t fu_first[] = {0x7c, 0x85, 0x88, 1, 2};
static const uint8_t fu_middle[] = {0x7c, 0x05, 3, 4};
static const uint8_t fu_last[] = {0x7c, 0x45, 5};

struct peek_case {
    const char *what;
    enum tdm_err err;
    struct tdm_h264_peek want;
    size_t size;
    uint8_t payload[16];
};

static void test_peek(void **state)
{
    static const struct peek_case cases[] = {
        {"sps", TDM_OK, {true, true, true, false, false}, 2, {0x67, 0x42}},
        {"idr, first slice", TDM_OK, {true, true, false, true, true}, 2, {0x65, 0x88}},
        {"idr, later slice", TDM_OK, {true, true, false, true, false}, 2, {0x65, 0x48}},
        {"slice, first", TDM_OK, {true, true, false, false, true}, 2, {0x41, 0x9a}},
        {"slice without body", TDM_OK, {true, true, false, false, false}, 1, {0x41}},
        {"pps is no slice", TDM_OK, {true, true, false, false, false}, 2, {0x68, 0xce}},
        {"sei is no slice", TDM_OK, {true, true, false, false, false}, 2, {0x06, 0x80}},
        {"stap",
         TDM_OK,
         {true, true, true, true, true},
         15,
         {0x78, 0, 3, 0x67, 0x42, 0x01, 0, 2, 0x68, 0xce, 0, 3, 0x65, 0x88, 9}},
        {"fu start", TDM_OK, {true, false, false, true, true}, 3, {0x7c, 0x85, 0x88}},
        {"fu start, later slice", TDM_OK, {true, false, false, true, false}, 3, {0x7c, 0x85, 0x48}},
        {"fu middle", TDM_OK, {false, false, false, false, false}, 3, {0x7c, 0x05, 0x88}},
        {"fu end", TDM_OK, {false, true, false, false, false}, 3, {0x7c, 0x45, 0x88}},
        {"fu start and end", TDM_E_MALFORMED, {0}, 3, {0x7c, 0xc5, 0x88}},
        {"fu in fu", TDM_E_MALFORMED, {0}, 3, {0x7c, 0x9c, 0x88}},
        {"fu of type 0", TDM_E_MALFORMED, {0}, 3, {0x7c, 0x80, 0x88}},
        {"fu cut short", TDM_E_MALFORMED, {0}, 1, {0x7c}},
        {"stap of nothing", TDM_E_MALFORMED, {0}, 1, {0x78}},
        {"stap, empty unit", TDM_E_MALFORMED, {0}, 3, {0x78, 0, 0}},
        {"stap, unit too long", TDM_E_MALFORMED, {0}, 5, {0x78, 0, 3, 0x67, 0x42}},
        {"stap, odd byte behind", TDM_E_MALFORMED, {0}, 5, {0x78, 0, 1, 0x67, 0}},
        {"stap in stap", TDM_E_MALFORMED, {0}, 5, {0x78, 0, 2, 0x78, 0}},
        {"empty", TDM_E_MALFORMED, {0}, 0, {0}},
        {"type 0", TDM_E_MALFORMED, {0}, 2, {0x60, 0}},
        {"type 30", TDM_E_MALFORMED, {0}, 2, {0x7e, 0}},
        {"type 31", TDM_E_MALFORMED, {0}, 2, {0x7f, 0}},
        {"stap-b", TDM_E_UNSUPPORTED, {0}, 3, {0x79, 0, 0}},
        {"mtap16", TDM_E_UNSUPPORTED, {0}, 3, {0x7a, 0, 0}},
        {"mtap24", TDM_E_UNSUPPORTED, {0}, 3, {0x7b, 0, 0}},
        {"fu-b", TDM_E_UNSUPPORTED, {0}, 3, {0x7d, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tdm_h264_peek *want = &cases[i].want;
        struct tdm_h264_joiner j = {0};
        struct tdm_h264_peek peek;
        uint8_t out[64];
        struct tdm_writer w = tdm_writer_of(out, sizeof out);

        if (tdm_h264_peek(&peek, cases[i].payload, cases[i].size) != cases[i].err)
            fail_msg("%s: error", cases[i].what);
        if (!cases[i].err &&
            (peek.starts_nal != want->starts_nal || peek.ends_nal != want->ends_nal ||
             peek.has_sps != want->has_sps || peek.has_idr != want->has_idr ||
             peek.first_slice != want->first_slice))
            fail_msg("%s: flags", cases[i].what);
        /* Joining refuses the same, and a fragment that does not start besides. */
        enum tdm_err want_err = !cases[i].err && !peek.starts_nal ? TDM_E_MALFORMED : cases[i].err;

        if (tdm_h264_join(&j, &w, cases[i].payload, cases[i].size) != want_err)
            fail_msg("%s: join", cases[i].what);
        if (want_err && tdm_writer_size(&w))
            fail_msg("%s: a refused payload left bytes", cases[i].what);
    }
}

/* The size that follows an empty unit reads as a slice's header, and what it counts is there. */
static void test_empty_unit_before_a_good_one(void **state)
{
    uint8_t payload[5 + 256] = {0x78, 0, 0, 1, 0, 0x41}, out[600];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);
    struct tdm_h264_joiner j = {0};
    struct tdm_h264_peek peek;

    (void)state;
    assert_int_equal(tdm_h264_peek(&peek, payload, sizeof payload), TDM_E_MALFORMED);
    assert_int_equal(tdm_h264_join(&j, &w, payload, sizeof payload), TDM_E_MALFORMED);
}

static void test_joins_the_rfc_layouts(void **state)
{
    static const uint8_t want[] = {0,    0,    0,    1,    0x67, 0x42, 0x01, 0,    0, 0, 1,
                                   0x68, 0xce, 0,    0,    0,    1,    0x65, 0x88, 9, 0, 0,
                                   0,    1,    0x65, 0x88, 1,    2,    3,    4,    5};
    struct tdm_h264_joiner j = {0};
    uint8_t out[64];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    assert_int_equal(tdm_h264_join(&j, &w, stap, sizeof stap), TDM_OK);
    assert_int_equal(tdm_h264_join(&j, &w, fu_first, sizeof fu_first), TDM_OK);
    assert_true(j.in_fragment);
    assert_int_equal(tdm_h264_join(&j, &w, fu_middle, sizeof fu_middle), TDM_OK);
    assert_int_equal(tdm_h264_join(&j, &w, fu_last, sizeof fu_last), TDM_OK);
    assert_false(j.in_fragment);
    assert_int_equal(tdm_writer_size(&w), sizeof want);
    assert_memory_equal(out, want, sizeof want);
}

static void test_join_watches_the_fragments(void **state)
{
    static const uint8_t single[] = {0x41, 0x9a, 1};
    struct tdm_h264_joiner j = {0};
    uint8_t out[64];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    assert_int_equal(tdm_h264_join(&j, &w, fu_middle, sizeof fu_middle), TDM_E_MALFORMED);
    assert_int_equal(tdm_h264_join(&j, &w, fu_last, sizeof fu_last), TDM_E_MALFORMED);
    assert_int_equal(tdm_h264_join(&j, &w, fu_first, sizeof fu_first), TDM_OK);
    assert_int_equal(tdm_h264_join(&j, &w, fu_first, sizeof fu_first), TDM_E_MALFORMED);
    assert_int_equal(tdm_h264_join(&j, &w, fu_first, sizeof fu_first), TDM_OK);
    assert_int_equal(tdm_h264_join(&j, &w, single, sizeof single), TDM_E_MALFORMED);
    assert_int_equal(tdm_h264_join(&j, &w, single, sizeof single), TDM_OK);
    assert_int_equal(tdm_h264_join(&j, &w, fu_first, sizeof fu_first), TDM_OK);
    assert_int_equal(tdm_h264_join(&j, &w, stap, sizeof stap), TDM_E_MALFORMED);
    assert_false(j.in_fragment);
}

static void test_join_without_room(void **state)
{
    (void)state;
    for (size_t room = 0; room < sizeof stap - 1 + 3 * 2; room++) {
        struct tdm_h264_joiner j = {0};
        uint8_t *out = malloc(room ? room : 1);

        assert_non_null(out);
        struct tdm_writer w = tdm_writer_of(out, room);

        assert_int_equal(tdm_h264_join(&j, &w, stap, sizeof stap), TDM_E_SPACE);
        assert_int_equal(tdm_writer_size(&w), 0);
        free(out);
    }
}

struct shape {
    size_t count, least, most;
};

/* Cuts one NAL unit and joins it again behind what is in `w`. */
static struct shape cut_and_join(const uint8_t *nal, size_t size, size_t payload_max,
                                 struct tdm_writer *w)
{
    struct shape shape = {.least = SIZE_MAX};
    struct tdm_h264_packetizer p;
    struct tdm_h264_joiner j = {0};
    uint8_t out[NAL_MAX];
    size_t out_size;
    bool last = false;

    tdm_h264_packetizer_init(&p, nal, size, payload_max);
    while (!last && tdm_h264_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK) {
        struct tdm_h264_peek peek;

        assert_in_range(out_size, 1, payload_max);
        assert_int_equal(tdm_h264_peek(&peek, out, out_size), TDM_OK);
        assert_int_equal(peek.starts_nal, shape.count == 0);
        assert_int_equal(peek.ends_nal, last);
        assert_int_equal(tdm_h264_join(&j, w, out, out_size), TDM_OK);
        assert_int_equal(j.in_fragment, !last);
        shape.count++;
        shape.least = out_size < shape.least ? out_size : shape.least;
        shape.most = out_size > shape.most ? out_size : shape.most;
    }
    assert_int_equal(tdm_h264_packetizer_next(&p, out, sizeof out, &out_size, &last), TDM_E_AGAIN);
    return shape;
}

static void test_cut_and_join(void **state)
{
    struct tdm_rng rng = tdm_rng_of(6184);
    static uint8_t nal[NAL_MAX], joined[NAL_MAX + 4];

    (void)state;
    for (int i = 0; i < 3000; i++) {
        size_t size = 1 + tdm_rng_below(&rng, NAL_MAX - 1);
        size_t payload_max = 3 + tdm_rng_below(&rng, i % 2 ? 20 : 1500);
        struct tdm_writer w = tdm_writer_of(joined, sizeof joined);

        if (i % 3 == 0) /* Around the border between whole and cut. */
            size = payload_max - 1 + tdm_rng_below(&rng, 4);
        for (size_t at = 0; at < size; at++)
            nal[at] = (uint8_t)tdm_rng_u32(&rng);
        nal[0] = (uint8_t)(tdm_rng_below(&rng, 4) << 5 | (1 + tdm_rng_below(&rng, 23)));

        struct shape shape = cut_and_join(nal, size, payload_max, &w);

        assert_int_equal(tdm_writer_size(&w), size + 4);
        assert_memory_equal(joined, ((uint8_t[]){0, 0, 0, 1}), 4);
        assert_memory_equal(joined + 4, nal, size);
        if (size <= payload_max) {
            assert_int_equal(shape.count, 1);
            assert_int_equal(shape.most, size);
        } else { /* As few as can be, and nearly equal. */
            assert_int_equal(shape.count, (size - 1 + payload_max - 3) / (payload_max - 2));
            assert_true(shape.most - shape.least < shape.count);
        }
    }
}

/* Mode 0: one payload for each NAL unit, or nothing. */
static void test_mode_0(void **state)
{
    struct tdm_h264_packetizer p;
    uint8_t nal[100] = {0x65}, out[100];
    size_t size;
    bool last;

    (void)state;
    tdm_h264_packetizer_init(&p, nal, sizeof nal, SIZE_MAX);
    assert_int_equal(tdm_h264_packetizer_next(&p, out, 99, &size, &last), TDM_E_SPACE);
    assert_int_equal(tdm_h264_packetizer_next(&p, out, 100, &size, &last), TDM_OK);
    assert_int_equal(size, 100);
    assert_true(last);
    tdm_h264_packetizer_init(&p, nal, 0, 100);
    assert_int_equal(tdm_h264_packetizer_next(&p, out, 100, &size, &last), TDM_E_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_empty_unit_before_a_good_one),
        cmocka_unit_test(test_joins_the_rfc_layouts),
        cmocka_unit_test(test_join_watches_the_fragments),
        cmocka_unit_test(test_join_without_room),
        cmocka_unit_test(test_cut_and_join),
        cmocka_unit_test(test_mode_0),
    };

    return cmocka_run_group_tests_name("h264_payload", tests, NULL, NULL);
}

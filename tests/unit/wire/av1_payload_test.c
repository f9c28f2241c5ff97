/* SPDX-License-Identifier: MIT */
#include "engine/wire/av1_payload.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNIT_MAX 6000

/* OBU headers with and without a size, and with an extension byte behind. */
#define SIZED     0x02
#define EXTENDED  0x04
#define SEQUENCE  0x08
#define DELIMITER 0x10
#define HEADER    0x18
#define TILES     0x20
#define METADATA  0x28
#define FRAME     0x30
#define TILE_LIST 0x40
#define PADDING   0x78

#define KEY   0x10 /* First byte of a frame header. */
#define INTER 0x30

struct join_case {
    const char *what;
    enum tdm_err err;
    size_t size;
    uint8_t payload[24];
    size_t want_size;
    uint8_t want[24];
};

/* One payload each; the layouts are figures 2 to 5 of the payload format. */
static const struct join_case cases[] = {
    {"one element", TDM_OK, 4, {0x10, FRAME, 1, 2}, 4, {FRAME | SIZED, 2, 1, 2}},
    {"two counted",
     TDM_OK,
     7,
     {0x28, 2, SEQUENCE, 9, FRAME, KEY, 2},
     7,
     {SEQUENCE | SIZED, 1, 9, FRAME | SIZED, 2, KEY, 2}},
    {"three counted, extension",
     TDM_OK,
     9,
     {0x30, 1, SEQUENCE, 1, METADATA, FRAME | EXTENDED, 0x28, 7, 8},
     9,
     {SEQUENCE | SIZED, 0, METADATA | SIZED, 0, FRAME | SIZED | EXTENDED, 0x28, 2, 7, 8}},
    {"each with its size",
     TDM_OK,
     8,
     {0x00, 2, FRAME, 5, 3, TILES, 6, 7},
     7,
     {FRAME | SIZED, 1, 5, TILES | SIZED, 2, 6, 7}},
    {"an OBU with its own size",
     TDM_OK,
     5,
     {0x10, FRAME | SIZED, 2, 1, 2},
     4,
     {FRAME | SIZED, 2, 1, 2}},
    {"a delimiter and a tile list go",
     TDM_OK,
     8,
     {0x30, 1, DELIMITER, 2, TILE_LIST, 1, FRAME, 4},
     3,
     {FRAME | SIZED, 1, 4}},
    {"a long size field", TDM_OK, 6, {0x00, 0x82, 0x80, 0x00, FRAME, 5}, 3, {FRAME | SIZED, 1, 5}},
    {"own size too small", TDM_E_MALFORMED, 5, {0x10, FRAME | SIZED, 1, 1, 2}, 0, {0}},
    {"own size too large", TDM_E_MALFORMED, 5, {0x10, FRAME | SIZED, 3, 1, 2}, 0, {0}},
    {"own size cut short", TDM_E_MALFORMED, 2, {0x10, FRAME | SIZED}, 0, {0}},
    {"extension cut short", TDM_E_MALFORMED, 2, {0x10, FRAME | EXTENDED}, 0, {0}},
    {"forbidden bit", TDM_E_MALFORMED, 3, {0x10, 0x80 | FRAME, 1}, 0, {0}},
    {"element too long", TDM_E_MALFORMED, 4, {0x20, 3, FRAME, 1}, 0, {0}},
    {"last element empty", TDM_E_MALFORMED, 4, {0x20, 2, FRAME, 1}, 0, {0}},
    {"empty element", TDM_E_MALFORMED, 4, {0x20, 0, FRAME, 1}, 0, {0}},
    {"empty sized element", TDM_E_MALFORMED, 4, {0x00, 0, 1, FRAME}, 0, {0}},
    {"sized element too long", TDM_E_MALFORMED, 4, {0x00, 3, FRAME, 1}, 0, {0}},
    {"size of nine bytes",
     TDM_E_MALFORMED,
     12,
     {0x00, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, FRAME, 1},
     0,
     {0}},
    {"size beyond 32 bits",
     TDM_E_MALFORMED,
     9,
     {0x00, 0x82, 0x80, 0x80, 0x80, 0x80, 0x02, FRAME, 1},
     0,
     {0}},
    {"fewer elements than counted", TDM_E_MALFORMED, 3, {0x30, 1, FRAME}, 0, {0}},
    {"fragment without its start", TDM_E_MALFORMED, 3, {0x90, 1, 2}, 0, {0}},
    {"no element", TDM_E_MALFORMED, 1, {0x10}, 0, {0}},
    {"no sized element", TDM_E_MALFORMED, 1, {0x00}, 0, {0}},
    {"nothing", TDM_E_MALFORMED, 0, {0}, 0, {0}},
};

static void test_join(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct join_case *c = &cases[i];
        struct tdm_av1_joiner j = {0};
        uint8_t out[64], *payload = malloc(c->size ? c->size : 1);
        struct tdm_writer w = tdm_writer_of(out, sizeof out);

        assert_non_null(payload);
        memcpy(payload, c->payload, c->size);
        if (tdm_av1_join(&j, &w, payload, c->size) != c->err)
            fail_msg("%s: error", c->what);
        if (j.in_obu)
            fail_msg("%s: goes on", c->what);
        if (!c->err &&
            (tdm_writer_size(&w) != c->want_size || memcmp(out, c->want, c->want_size) != 0))
            fail_msg("%s: %zu bytes or others", c->what, tdm_writer_size(&w));
        free(payload);
    }
}

/* A sequence header, then a frame in three packets of which the last brings a second OBU. */
static void test_joins_fragments(void **state)
{
    static const uint8_t first[] = {0x68, 2, SEQUENCE, 9, FRAME, KEY, 1};
    static const uint8_t middle[] = {0xd0, 2, 3}, last[] = {0xa0, 1, 4, METADATA, 5};
    static const uint8_t want[] = {SEQUENCE | SIZED, 1, 9, FRAME | SIZED, 5, KEY, 1, 2, 3, 4,
                                   METADATA | SIZED, 1, 5};
    struct tdm_av1_joiner j = {0};
    uint8_t out[sizeof want];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    assert_int_equal(tdm_av1_join(&j, &w, first, sizeof first), TDM_OK);
    assert_true(j.in_obu);
    assert_int_equal(tdm_av1_join(&j, &w, middle, sizeof middle), TDM_OK);
    assert_true(j.in_obu);
    assert_int_equal(tdm_av1_join(&j, &w, last, sizeof last), TDM_OK);
    assert_false(j.in_obu);
    assert_int_equal(tdm_writer_size(&w), sizeof want);
    assert_memory_equal(out, want, sizeof want);

    /* A fragment that ought to go on, or ought not. */
    assert_int_equal(tdm_av1_join(&j, &w, middle, sizeof middle), TDM_E_MALFORMED);
    w = tdm_writer_of(out, sizeof out);
    assert_int_equal(tdm_av1_join(&j, &w, first, sizeof first), TDM_OK);
    assert_int_equal(tdm_av1_join(&j, &w, first, sizeof first), TDM_E_MALFORMED);
    assert_false(j.in_obu);
    for (size_t room = 0; room < sizeof want; room++) {
        w = tdm_writer_of(out, room);
        j.in_obu = false;
        enum tdm_err err = tdm_av1_join(&j, &w, first, sizeof first);

        err = err ? err : tdm_av1_join(&j, &w, middle, sizeof middle);
        err = err ? err : tdm_av1_join(&j, &w, last, sizeof last);
        assert_int_equal(err, TDM_E_SPACE);
    }
}

struct peek_case {
    const char *what;
    struct tdm_av1_peek want; /* Starts, ends, new sequence, sequence header, key, other frame. */
    size_t size;
    uint8_t payload[12];
};

static void test_peek(void **state)
{
    static const struct peek_case peeks[] = {
        {"key frame", {1, 1, 1, 1, 1, 0}, 6, {0x28, 2, SEQUENCE, 9, FRAME, KEY}},
        {"its first part", {1, 0, 1, 1, 1, 0}, 6, {0x68, 2, SEQUENCE, 9, FRAME, KEY}},
        {"without N", {1, 1, 0, 1, 1, 0}, 6, {0x20, 2, SEQUENCE, 9, FRAME, KEY}},
        {"header before another frame",
         {1, 1, 0, 1, 0, 1},
         6,
         {0x20, 2, SEQUENCE, 9, FRAME, INTER}},
        {"frame header OBU", {1, 1, 0, 0, 1, 0}, 3, {0x10, HEADER, KEY}},
        {"behind an extension", {1, 1, 0, 0, 0, 1}, 4, {0x10, FRAME | EXTENDED, 0, INTER}},
        {"behind its own size", {1, 1, 0, 0, 0, 1}, 4, {0x10, FRAME | SIZED, 1, INTER}},
        {"shows an existing frame", {1, 1, 0, 0, 0, 1}, 3, {0x10, HEADER, 0x80}},
        {"the first frame decides", {1, 1, 0, 0, 1, 0}, 6, {0x20, 2, FRAME, KEY, FRAME, INTER}},
        {"a frame's last part", {0, 1, 0, 0, 0, 0}, 3, {0x90, SEQUENCE, KEY}},
        {"a part, then a frame", {0, 1, 0, 0, 0, 1}, 5, {0xa0, 1, SEQUENCE, FRAME, INTER}},
        {"nothing of the frame yet", {1, 0, 0, 0, 0, 0}, 2, {0x50, FRAME}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof peeks / sizeof *peeks; i++) {
        const struct tdm_av1_peek *want = &peeks[i].want;
        struct tdm_av1_peek peek;

        assert_int_equal(tdm_av1_peek(&peek, peeks[i].payload, peeks[i].size), TDM_OK);
        if (peek.starts_obu != want->starts_obu || peek.ends_obu != want->ends_obu ||
            peek.new_sequence != want->new_sequence ||
            peek.has_sequence_header != want->has_sequence_header ||
            peek.has_key_frame != want->has_key_frame ||
            peek.has_other_frame != want->has_other_frame)
            fail_msg("%s", peeks[i].what);
    }
    /* It refuses the elements that joining refuses. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_av1_peek peek;
        enum tdm_err err = tdm_av1_peek(&peek, cases[i].payload, cases[i].size);

        if (err && !cases[i].err)
            fail_msg("%s", cases[i].what);
    }
}

/* What a unit must come out as: without delimiters and padding, each OBU with a minimal size. */
struct units {
    uint8_t in[UNIT_MAX + 200], want[UNIT_MAX + 200];
    size_t in_size, want_size;
    size_t wire_bytes; /* OBUs without their sizes. */
    bool new_sequence;
};

static void put_size(struct tdm_writer *w, size_t value, unsigned extra)
{
    for (; value > 0x7f || extra; value >>= 7) {
        tdm_write_u8(w, (uint8_t)(0x80 | (value & 0x7f)));
        extra -= extra && value <= 0x7f;
    }
    tdm_write_u8(w, (uint8_t)value);
}

static void put_obu(struct tdm_writer *w, uint8_t header, const uint8_t *body, size_t size,
                    unsigned extra)
{
    tdm_write_u8(w, header | SIZED);
    if (header & EXTENDED)
        tdm_write_u8(w, 0x48);
    put_size(w, size, extra);
    tdm_write_bytes(w, body, size);
    assert_true(w->ok);
}

static void draw_unit(struct units *u, struct tdm_rng *rng)
{
    static const uint8_t types[] = {SEQUENCE, DELIMITER, HEADER, TILES, METADATA, FRAME, PADDING};
    struct tdm_writer in = tdm_writer_of(u->in, sizeof u->in);
    struct tdm_writer want = tdm_writer_of(u->want, sizeof u->want);
    unsigned count = 1 + tdm_rng_below(rng, 8);
    bool sequence = false, frame = false;

    u->wire_bytes = 0;
    u->new_sequence = false;
    for (unsigned i = 0; i < count; i++) {
        uint8_t type = types[tdm_rng_below(rng, sizeof types)];
        uint8_t header = tdm_rng_chance(rng, 0.2) ? type | EXTENDED : type;
        uint8_t body[UNIT_MAX / 8];
        size_t size = tdm_rng_below(rng, tdm_rng_chance(rng, 0.5) ? 20 : sizeof body);
        bool sent = type != DELIMITER && type != PADDING;

        size = type == DELIMITER ? 0 : size;
        for (size_t at = 0; at < size; at++)
            body[at] = (uint8_t)tdm_rng_u32(rng);
        put_obu(&in, header, body, size, tdm_rng_below(rng, 3));
        if (sent)
            put_obu(&want, header, body, size, 0);
        u->wire_bytes += sent ? size + (header & EXTENDED ? 2 : 1) : 0;
        sequence |= type == SEQUENCE;
        if (!frame && (type == FRAME || type == HEADER)) {
            frame = true;
            u->new_sequence = sequence && size && !(body[0] & 0xe0);
        }
    }
    u->in_size = tdm_writer_size(&in);
    u->want_size = tdm_writer_size(&want);
}

static void cut_and_join(const struct units *u, size_t payload_max)
{
    struct tdm_av1_packetizer p;
    struct tdm_av1_joiner j = {0};
    static uint8_t out[UNIT_MAX], joined[UNIT_MAX + 200];
    struct tdm_writer w = tdm_writer_of(joined, sizeof joined);
    size_t out_size, count = 0, most = 0, all = 0;
    bool last = false;

    tdm_av1_packetizer_init(&p, u->in, u->in_size, payload_max);
    while (tdm_av1_packetizer_next(&p, out, payload_max, &out_size, &last) == TDM_OK) {
        struct tdm_av1_peek peek;

        assert_in_range(out_size, 2, payload_max);
        assert_int_equal(tdm_av1_peek(&peek, out, out_size), TDM_OK);
        assert_int_equal(peek.new_sequence, count == 0 && u->new_sequence);
        assert_int_equal(peek.starts_obu, !j.in_obu);
        assert_int_equal(tdm_av1_join(&j, &w, out, out_size), TDM_OK);
        assert_int_equal(peek.ends_obu, !j.in_obu);
        most = out_size > most ? out_size : most;
        all += out_size;
        count++;
    }
    assert_true(last || !count);
    assert_false(j.in_obu);
    assert_int_equal(tdm_av1_packetizer_next(&p, out, payload_max, &out_size, &last), TDM_E_AGAIN);
    assert_int_equal(tdm_writer_size(&w), u->want_size);
    assert_memory_equal(joined, u->want, u->want_size);
    /* A header and at most two sizes a payload; nearly equal: no smaller limit would do. */
    assert_true(all <= u->wire_bytes + count * 5);
    if (most > TDM_AV1_PAYLOAD_MIN) {
        size_t more = 0;

        tdm_av1_packetizer_init(&p, u->in, u->in_size, most - 1);
        while (tdm_av1_packetizer_next(&p, out, payload_max, &out_size, &last) == TDM_OK)
            more++;
        assert_true(more > count);
    }
}

static void test_cut_and_join(void **state)
{
    struct tdm_rng rng = tdm_rng_of(1);
    static struct units u;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        draw_unit(&u, &rng);
        cut_and_join(&u, TDM_AV1_PAYLOAD_MIN + tdm_rng_below(&rng, i % 2 ? 20 : 1500));
    }
}

/* One OBU that fills its payloads: as few as can be. */
static void test_few_payloads(void **state)
{
    static const struct {
        size_t body, payload_max, count;
    } rows[] = {{98, 100, 1}, {99, 100, 2}, {98 + 99, 100, 2}, {99 + 99, 100, 3}, {0, 16, 1}};
    uint8_t unit[300] = {FRAME | SIZED}, out[100];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_writer w = tdm_writer_of(unit + 1, sizeof unit - 1);
        struct tdm_av1_packetizer p;
        size_t size, count = 0;
        bool last;

        put_size(&w, rows[i].body, 0);
        tdm_av1_packetizer_init(&p, unit, 1 + tdm_writer_size(&w) + rows[i].body,
                                rows[i].payload_max);
        while (tdm_av1_packetizer_next(&p, out, sizeof out, &size, &last) == TDM_OK)
            count++;
        assert_int_equal(count, rows[i].count);
    }
}

static void test_units_that_are_none(void **state)
{
    static const struct {
        const char *what;
        size_t size;
        uint8_t bytes[12];
        enum tdm_err err;
    } rows[] = {
        {"size beyond the end", 3, {FRAME | SIZED, 2, 1}, TDM_E_MALFORMED},
        {"second OBU cut short", 4, {FRAME | SIZED, 1, 1, TILES | SIZED}, TDM_E_MALFORMED},
        {"extension cut short", 1, {FRAME | EXTENDED}, TDM_E_MALFORMED},
        {"forbidden bit", 3, {0x80 | FRAME | SIZED, 1, 1}, TDM_E_MALFORMED},
        {"forbidden bit behind a good one", 6, {FRAME | SIZED, 1, 1, 0xb2, 1, 1}, TDM_E_MALFORMED},
        {"size without end",
         10,
         {FRAME | SIZED, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0},
         TDM_E_MALFORMED},
        {"delimiters alone", 4, {DELIMITER | SIZED, 0, DELIMITER | SIZED, 0}, TDM_E_AGAIN},
        {"nothing", 0, {0}, TDM_E_AGAIN},
        {"the last without size", 6, {SEQUENCE | SIZED, 1, 9, FRAME, KEY, 7}, TDM_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_av1_packetizer p;
        uint8_t out[32];
        size_t size;
        bool last;

        tdm_av1_packetizer_init(&p, rows[i].bytes, rows[i].size, sizeof out);
        if (tdm_av1_packetizer_next(&p, out, sizeof out, &size, &last) != rows[i].err)
            fail_msg("%s", rows[i].what);
        if (rows[i].err)
            continue;
        assert_true(last);
        assert_int_equal(size, 7);
        assert_memory_equal(out, ((uint8_t[]){0x28, 2, SEQUENCE, 9, FRAME, KEY, 7}), 7);
    }
}

static void test_too_little_room_keeps_the_place(void **state)
{
    static const uint8_t unit[] = {FRAME | SIZED, 3, KEY, 1, 2};
    struct tdm_av1_packetizer p;
    uint8_t out[16];
    size_t size;
    bool last;

    (void)state;
    tdm_av1_packetizer_init(&p, unit, sizeof unit, 16);
    assert_int_equal(tdm_av1_packetizer_next(&p, out, 4, &size, &last), TDM_E_SPACE);
    assert_int_equal(tdm_av1_packetizer_next(&p, out, 5, &size, &last), TDM_OK);
    assert_int_equal(size, 5);
    assert_true(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_joins_fragments),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_cut_and_join),
        cmocka_unit_test(test_few_payloads),
        cmocka_unit_test(test_units_that_are_none),
        cmocka_unit_test(test_too_little_room_keeps_the_place),
    };

    return cmocka_run_group_tests_name("av1_payload", tests, NULL, NULL);
}

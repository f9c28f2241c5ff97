/* SPDX-License-Identifier: MIT */
/* Two boards over two streams that are cut anywhere, break, and go back; and what it costs. */
#include "collab/board_link.h"

#include "engine/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK      ((size_t)1 << 20)
#define BLOCKS_MAX 64

struct side {
    void *storage, *link_storage, *blocks[BLOCKS_MAX];
    size_t block_count;
    struct tdm_board *board;
    struct tdm_board_link *link;
    uint64_t pulled, arrived; /* Of its stream: taken from it; there at the other side. */
    unsigned synced, diverged, other, broken;
};

static const uint8_t document[TDM_BOARD_DOCUMENT_BYTES] = "the one document";

static void room(struct side *s)
{
    while (tdm_board_room(s->board) < TDM_BOARD_ROOM) {
        void *block = aligned_alloc(16, BLOCK);

        assert_non_null(block);
        assert_true(s->block_count < BLOCKS_MAX);
        s->blocks[s->block_count++] = block;
        tdm_board_give(s->board, block, BLOCK);
    }
}

static void begin(struct side *s, uint32_t actor, const uint8_t *id)
{
    *s = (struct side){.storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16),
                       .link_storage =
                           aligned_alloc(16, (tdm_board_link_bytes_needed() + 15) / 16 * 16)};
    assert_true(s->storage && s->link_storage);
    s->board = tdm_board_init(s->storage, actor);
    s->link = tdm_board_link_init(s->link_storage, id);
    room(s);
}

static void end(struct side *s)
{
    for (size_t i = 0; i < s->block_count; i++)
        free(s->blocks[i]);
    free(s->storage);
    free(s->link_storage);
}

/* The streams are new ones. */
static void meet(struct side *a, struct side *b)
{
    struct side *const both[] = {a, b};

    for (int i = 0; i < 2; i++) {
        tdm_board_link_start(both[i]->link, both[i]->board);
        both[i]->pulled = both[i]->arrived = 0;
    }
}

static void give_fresh(struct side *s)
{
    size_t size;
    const uint8_t *records = tdm_board_fresh(s->board, &size);

    if (size)
        tdm_board_link_put(s->link, records, size);
    tdm_board_fresh_done(s->board);
}

static void apply(struct side *s, const uint8_t *data, size_t size)
{
    enum tdm_err err;

    while ((err = tdm_board_apply(s->board, data, size, NULL)) == TDM_E_SPACE) {
        void *block = aligned_alloc(16, BLOCK);

        assert_non_null(block);
        assert_true(s->block_count < BLOCKS_MAX);
        s->blocks[s->block_count++] = block;
        tdm_board_give(s->board, block, BLOCK);
    }
    assert_int_equal(err, TDM_OK);
}

static void take(struct side *s, const uint8_t *data, size_t size)
{
    struct tdm_board_link_out out;

    while (size) {
        size_t taken = tdm_board_link_take(s->link, s->board, data, size, &out);

        if (out.event == TDM_BOARD_EV_OPS)
            apply(s, out.data, out.size);
        s->synced += out.event == TDM_BOARD_EV_SYNCED;
        s->diverged += out.diverged;
        s->other += out.event == TDM_BOARD_EV_OTHER;
        s->broken += out.event == TDM_BOARD_EV_BROKEN;
        data += taken;
        size -= taken;
    }
}

/* Some of what one side has to say. `rng`: in pieces of any size, and now and then what was pulled
 * is lost with the connection, and pulled again. @return bytes that arrived. */
static size_t pass(struct side *from, struct side *to, struct tdm_rng *rng)
{
    static uint8_t bytes[20000];
    size_t max = rng ? 1 + (size_t)(tdm_rng_u64(rng) % 3000) : sizeof bytes;
    size_t size = tdm_board_link_pull(from->link, from->board, bytes, max);

    from->pulled += size;
    if (rng && tdm_rng_u64(rng) % 8 == 0) {
        /* The other side's channel has all that arrived, and perhaps says so. */
        if (tdm_rng_u64(rng) % 2)
            tdm_board_link_acked(from->link, from->arrived);
        tdm_board_link_rewind(from->link, from->arrived);
        from->pulled = from->arrived;
        return size;
    }
    for (size_t at = 0, some; at < size; at += some) {
        some = rng ? 1 + (size_t)(tdm_rng_u64(rng) % 700) : size;
        some = some < size - at ? some : size - at;
        take(to, bytes + at, some);
    }
    from->arrived += size;
    if (!rng || tdm_rng_u64(rng) % 3 == 0)
        tdm_board_link_acked(from->link, from->arrived);
    return size;
}

/* Until neither says anything more. @return bytes in all. */
static size_t settle(struct side *a, struct side *b, struct tdm_rng *rng)
{
    size_t bytes = 0, round = 0;

    for (;;) {
        give_fresh(a);
        give_fresh(b);
        if (!tdm_board_link_has(a->link) && !tdm_board_link_has(b->link))
            return bytes;
        bytes += pass(a, b, rng) + pass(b, a, rng);
        if (!rng || ++round % 4 == 0) {
            tdm_board_link_acked(a->link, a->arrived);
            tdm_board_link_acked(b->link, b->arrived);
        }
        assert_true(round < 1000000);
    }
}

static void assert_same(const struct side *a, const struct side *b)
{
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES];

    tdm_board_digest(a->board, one);
    tdm_board_digest(b->board, two);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(a->broken + b->broken + a->diverged + b->diverged + a->other + b->other, 0);
}

static struct tdm_board_id add(struct side *s, enum tdm_board_type type, int32_t x, int32_t y)
{
    const struct tdm_board_value values[] = {tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
                                             tdm_board_int(TDM_PROP_X, x),
                                             tdm_board_int(TDM_PROP_Y, y)};
    struct tdm_board_id id = TDM_BOARD_NONE;
    enum tdm_err err;

    room(s);
    err = tdm_board_add(s->board, type, values, 3, &id);
    if (err == TDM_E_AGAIN) {
        give_fresh(s);
        err = tdm_board_add(s->board, type, values, 3, &id);
    }
    assert_int_equal(err, TDM_OK);
    return id;
}

/* Any edit of anything that is there. */
static void edit(struct side *s, struct tdm_rng *rng)
{
    const struct tdm_board_object *o = tdm_board_lowest(s->board, TDM_BOARD_FIRST_PAGE);
    uint64_t what = tdm_rng_u64(rng) % 9, steps = tdm_rng_u64(rng) % 8;
    int32_t number = (int32_t)(tdm_rng_u64(rng) % 20000);

    room(s);
    while (o && steps-- && tdm_board_above(o))
        o = tdm_board_above(o);
    if (!o || what < 2) {
        struct tdm_board_id id = add(s, what ? TDM_BOARD_PEN : TDM_BOARD_TEXT, number, 7);
        const struct tdm_board_point points[] = {{1, 2, 3, 4}, {number, 5, 6, 7}};

        if (what)
            assert_int_equal(tdm_board_ink(s->board, id, points, 2), TDM_OK);
        else
            assert_int_equal(tdm_board_text_insert(s->board, id, 0, "h\xc3\xa9llo", 6), TDM_OK);
    } else if (what == 2) {
        assert_int_equal(tdm_board_delete(s->board, tdm_board_id_of(o)), TDM_OK);
    } else if (what == 3) {
        (void)!tdm_board_text_insert(s->board, tdm_board_id_of(o), 0, "x", 1);
    } else if (what == 8) { /* Some are no strokes, or another's. */
        const struct tdm_board_point point = {number, number, 9, 9};

        (void)!tdm_board_ink(s->board, tdm_board_id_of(o), &point, 1);
    } else if (what == 4) {
        struct tdm_board_undone undone;

        (void)!tdm_board_undo(s->board, &undone);
    } else {
        const struct tdm_board_value v = tdm_board_int(what == 5   ? TDM_PROP_X
                                                       : what == 6 ? TDM_PROP_COLOUR
                                                                   : TDM_PROP_WIDTH,
                                                       number);

        assert_int_equal(tdm_board_set(s->board, tdm_board_id_of(o), &v, 1), TDM_OK);
    }
}

static void test_together_and_apart(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        struct side a, b;

        begin(&a, 1 + (uint32_t)seed, document);
        begin(&b, 1000 + (uint32_t)seed, document);
        for (int meeting = 0; meeting < 4; meeting++) {
            /* Each alone, for a while. */
            for (int i = 0; i < 60; i++)
                edit(i % 2 ? &a : &b, &rng);
            tdm_board_fresh_done(a.board);
            tdm_board_fresh_done(b.board);
            meet(&a, &b);
            for (int i = 0; i < 150; i++) {
                edit(i % 2 ? &a : &b, &rng);
                give_fresh(&a);
                give_fresh(&b);
                (void)pass(&a, &b, &rng);
                (void)pass(&b, &a, &rng);
            }
            /* Half of the times they part before all is said. */
            if (meeting % 2)
                continue;
            (void)settle(&a, &b, &rng);
            assert_same(&a, &b);
            assert_true(a.synced && b.synced);
        }
        meet(&a, &b);
        (void)settle(&a, &b, &rng);
        assert_same(&a, &b);
        end(&a);
        end(&b);
    }
}

static void test_another_document(void **state)
{
    static const uint8_t another[TDM_BOARD_DOCUMENT_BYTES] = "another document";
    struct side a, b;

    (void)state;
    begin(&a, 1, document);
    begin(&b, 2, another);
    (void)add(&a, TDM_BOARD_NOTE, 1, 1);
    meet(&a, &b);
    for (int i = 0; i < 10; i++) {
        (void)pass(&a, &b, NULL);
        (void)pass(&b, &a, NULL);
    }
    assert_true(a.other && b.other);
    assert_null(tdm_board_lowest(b.board, TDM_BOARD_FIRST_PAGE));
    end(&a);
    end(&b);
}

/* What breaks the rules is not believed, and nothing of it is applied. */
static void test_rules(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } wrong[] = {
        {"\x00", 1},                 /* A message of nothing. */
        {"\xff\xff\xff\xff\x7f", 5}, /* One that is too large. */
        {"\x03\x03\x01\x02", 4},     /* Operations that go on, before any hello. */
        {"\x02\x01\x01", 3},         /* A hello that is too short. */
        {"\x06\x02\x00\x09\x01\x02\x03", 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct side a;

        begin(&a, 1, document);
        tdm_board_link_start(a.link, a.board);
        take(&a, (const uint8_t *)wrong[i].bytes, wrong[i].size);
        assert_int_equal(a.broken, 1);
        take(&a, (const uint8_t *)"anything", 8);
        assert_int_equal(a.broken, 1);
        end(&a);
    }
}

/* Points that go on with a stroke that was never named. */
static void test_ink_of_nothing(void **state)
{
    struct side a, b;

    (void)state;
    begin(&a, 1, document);
    begin(&b, 2, document);
    meet(&a, &b);
    (void)settle(&a, &b, NULL);
    take(&a, (const uint8_t *)"\x04\x06\x77\x02\x02", 5);
    assert_int_equal(a.broken, 1);
    end(&a);
    end(&b);
}

/* A stroke of 200 points, sent as it is drawn, `each` at a time. */
static size_t stroke_costs(int each)
{
    struct side a, b;
    size_t bytes = 0;

    begin(&a, 0x51a7c0de, document);
    begin(&b, 0x00c0ffee, document);
    meet(&a, &b);
    (void)settle(&a, &b, NULL);
    struct tdm_board_id id = add(&a, TDM_BOARD_PEN, 4000, 3000);

    for (int i = 0; i < 200; i += each) {
        struct tdm_board_point points[2];

        for (int k = 0; k < each; k++) {
            double at = (i + k) / 30.0;

            /* About 3 px a point, as a hand moves at 125 points a second. */
            points[k] =
                (struct tdm_board_point){(int32_t)(1400 * sin(at)), (int32_t)(1100 * sin(1.7 * at)),
                                         (uint8_t)(128 + 60 * sin(at * 2)), 8};
        }
        assert_int_equal(tdm_board_ink(a.board, id, points, (size_t)each), TDM_OK);
        bytes += settle(&a, &b, NULL);
    }
    assert_int_equal(tdm_board_seal(a.board, id), TDM_OK);
    bytes += settle(&a, &b, NULL);
    assert_same(&a, &b);
    end(&a);
    end(&b);
    print_message("a stroke of 200 points, %d at a time: %zu bytes\n", each, bytes);
    return bytes;
}

static void test_stroke_costs(void **state)
{
    (void)state;
    assert_true(stroke_costs(2) <= 1024);
    assert_true(stroke_costs(1) <= 1280);
}

/* Strokes, shapes and texts, as on a board that was used a lot. */
static void fill(struct side *s, int objects, struct tdm_rng *rng)
{
    for (int i = 0; i < objects; i++) {
        int32_t x = (int32_t)(tdm_rng_u64(rng) % 320000), y = (int32_t)(tdm_rng_u64(rng) % 160000);
        const struct tdm_board_value values[] = {
            tdm_board_int(TDM_PROP_W, 800 + (int64_t)(tdm_rng_u64(rng) % 4000)),
            tdm_board_int(TDM_PROP_H, 800 + (int64_t)(tdm_rng_u64(rng) % 4000)),
            tdm_board_int(TDM_PROP_COLOUR, (int64_t)(0xe03131ff + (tdm_rng_u64(rng) % 4 << 8)))};

        if (i % 10 == 9) {
            struct tdm_board_id id = add(s, TDM_BOARD_TEXT, x, y);

            assert_int_equal(tdm_board_text_insert(s->board, id, 0, "a few words", 11), TDM_OK);
            continue;
        }
        struct tdm_board_id id = add(s, i % 2 ? TDM_BOARD_RECTANGLE : TDM_BOARD_ARROW, x, y);

        assert_int_equal(tdm_board_set(s->board, id, values, 3), TDM_OK);
        give_fresh(s);
    }
    tdm_board_fresh_done(s->board);
}

static void test_late_joiner_costs(void **state)
{
    struct tdm_board_link_figures figures;
    struct tdm_rng rng = tdm_rng_of(7);
    struct side a, b;

    (void)state;
    begin(&a, 0x51a7c0de, document);
    begin(&b, 0x00c0ffee, document);
    fill(&a, 10000, &rng);
    meet(&a, &b);
    size_t bytes = settle(&a, &b, NULL);

    tdm_board_link_figures(a.link, &figures);
    print_message("a late joiner of 10,000 objects: %zu bytes\n", bytes);
    assert_true(bytes <= 300 * 1000);
    assert_true(figures.packed_bytes > 0);
    assert_true(b.synced > 0);
    assert_same(&a, &b);
    end(&a);
    end(&b);
}

/* The other side takes nothing for long: what does not fit is worked out again, not lost. */
static void test_too_much_waits(void **state)
{
    struct tdm_rng rng = tdm_rng_of(9);
    struct side a, b;

    (void)state;
    begin(&a, 0x51a7c0de, document);
    begin(&b, 0x00c0ffee, document);
    meet(&a, &b);
    (void)settle(&a, &b, NULL);
    fill(&a, 30000, &rng);
    for (int i = 0; i < 40; i++)
        edit(&b, &rng);
    (void)settle(&a, &b, &rng);
    assert_same(&a, &b);
    end(&a);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together_and_apart),
        cmocka_unit_test(test_another_document),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_ink_of_nothing),
        cmocka_unit_test(test_stroke_costs),
        cmocka_unit_test(test_late_joiner_costs),
        cmocka_unit_test(test_too_much_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

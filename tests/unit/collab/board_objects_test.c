/* SPDX-License-Identifier: MIT */
/* Objects of a board: values, order, pages and groups; and operations that nobody should make. */
#include "tests/unit/collab/board_sides.h"

#include "collab/board_op.h"
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct board_side ann, bob;

static int open_sides(void **state)
{
    (void)state;
    side_open(&ann, 10);
    side_open(&bob, 20);
    return 0;
}

static int close_sides(void **state)
{
    (void)state;
    side_close(&ann);
    side_close(&bob);
    return 0;
}

static struct tdm_board_id add(struct board_side *s, enum tdm_board_type type,
                               struct tdm_board_id page)
{
    const struct tdm_board_value value = tdm_board_ref(TDM_PROP_PAGE, page);
    struct tdm_board_id id;

    side_room(s);
    assert_int_equal(tdm_board_add(s->board, type, &value, 1, &id), TDM_OK);
    return id;
}

static void set(struct board_side *s, struct tdm_board_id id, struct tdm_board_value value)
{
    side_room(s);
    assert_int_equal(tdm_board_set(s->board, id, &value, 1), TDM_OK);
}

static void test_values_in_bounds(void **state)
{
    static const struct {
        enum tdm_board_prop prop;
        int64_t number, expected;
    } rows[] = {
        {TDM_PROP_X, INT64_MAX, TDM_BOARD_FAR},
        {TDM_PROP_Y, INT64_MIN, -TDM_BOARD_FAR},
        {TDM_PROP_ANGLE, 65536 + 7, 7},
        {TDM_PROP_ANGLE, -1, 65535},
        {TDM_PROP_OPACITY, 300, 255},
        {TDM_PROP_DELETED, -4, 0},
        {TDM_PROP_FONT, 77, TDM_FONT_HAND},
        {TDM_PROP_WIDTH, -1, 0},
        {TDM_PROP_COLOUR, -1, 0},
        {TDM_PROP_FONT_SIZE, 0, 16},
    };
    struct tdm_board_id id = add(&ann, TDM_BOARD_RECTANGLE, TDM_BOARD_FIRST_PAGE);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set(&ann, id, tdm_board_int(rows[i].prop, rows[i].number));
        struct tdm_board_view v = side_view(&ann, id);
        int64_t is = rows[i].prop == TDM_PROP_X           ? v.x
                     : rows[i].prop == TDM_PROP_Y         ? v.y
                     : rows[i].prop == TDM_PROP_ANGLE     ? v.angle
                     : rows[i].prop == TDM_PROP_OPACITY   ? v.opacity
                     : rows[i].prop == TDM_PROP_DELETED   ? v.deleted
                     : rows[i].prop == TDM_PROP_FONT      ? (int64_t)v.font
                     : rows[i].prop == TDM_PROP_WIDTH     ? v.width
                     : rows[i].prop == TDM_PROP_COLOUR    ? (int64_t)v.colour
                     : rows[i].prop == TDM_PROP_FONT_SIZE ? v.font_size
                                                          : -99;

        assert_int_equal(is, rows[i].expected);
    }
    const struct tdm_board_value bad[] = {
        tdm_board_ref(TDM_PROP_X, id),
        tdm_board_int(TDM_PROP_NAME, 3),
        tdm_board_bytes(TDM_PROP_IMAGE, "short", 5),
        tdm_board_bytes(TDM_PROP_NAME, "\xff", 1),
        tdm_board_bytes(TDM_PROP_NAME, "\xe2\x80\xaegnp.exe", 10),
        tdm_board_int((enum tdm_board_prop)TDM_BOARD_PROPS_MAX, 1),
        tdm_board_int((enum tdm_board_prop)0, 1),
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tdm_board_set(ann.board, id, &bad[i], 1), TDM_E_MALFORMED);
    assert_int_equal(tdm_board_set(ann.board, (struct tdm_board_id){3, 3}, bad, 0), TDM_E_GONE);
}

static void test_two_change_one_object(void **state)
{
    struct tdm_board_id id = add(&ann, TDM_BOARD_ELLIPSE, TDM_BOARD_FIRST_PAGE);

    (void)state;
    side_meet(&ann, &bob);
    set(&ann, id, tdm_board_int(TDM_PROP_X, 1));
    set(&bob, id, tdm_board_int(TDM_PROP_Y, 2));
    set(&ann, id, tdm_board_int(TDM_PROP_W, 3));
    set(&bob, id, tdm_board_int(TDM_PROP_W, 4)); /* Same clock: the greater author. */
    side_meet(&ann, &bob);
    assert_int_equal(side_view(&ann, id).x, 1);
    assert_int_equal(side_view(&ann, id).y, 2);
    assert_int_equal(side_view(&ann, id).w, 4);
    assert_true(side_same(&ann, &bob));
}

/* From the lowest up, as ids; checks that walking down is the same. */
static size_t stack(const struct board_side *s, struct tdm_board_id page, struct tdm_board_id *ids,
                    size_t max)
{
    size_t count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(s->board, page); o;
         o = tdm_board_above(o)) {
        assert_true(count < max);
        ids[count++] = tdm_board_id_of(o);
    }
    size_t at = count;

    for (const struct tdm_board_object *o = tdm_board_highest(s->board, page); o;
         o = tdm_board_below(o))
        assert_true(at > 0 && tdm_board_same(ids[--at], tdm_board_id_of(o)));
    assert_int_equal(at, 0);
    return count;
}

/* Puts an object between any two, as a tool does, and compares with a plain list. */
static void test_order_beside_a_list(void **state)
{
    struct tdm_rng rng = tdm_rng_of(4);
    struct tdm_board_id list[300], ids[300];
    size_t count = 0;

    (void)state;
    for (; count < 300; count++) {
        struct tdm_board_id id = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
        /* Often at one place, where keys get long, and at the ends. */
        size_t at = tdm_rng_below(&rng, 3) ? count / 2 : tdm_rng_below(&rng, (uint32_t)count + 1);
        uint8_t key[TDM_BOARD_ORDER_MAX];
        struct tdm_board_view below, above;

        if (at > 0)
            below = side_view(&ann, list[at - 1]);
        if (at < count)
            above = side_view(&ann, list[at]);
        size_t size = tdm_board_order_between(ann.board, at > 0 ? &below : NULL,
                                              at < count ? &above : NULL, key);

        set(&ann, id, tdm_board_bytes(TDM_PROP_ORDER, key, size));
        memmove(list + at + 1, list + at, (count - at) * sizeof *list);
        list[at] = id;
        assert_int_equal(stack(&ann, TDM_BOARD_FIRST_PAGE, ids, 300), count + 1);
        assert_memory_equal(ids, list, (count + 1) * sizeof *list);
        tdm_board_fresh_done(ann.board);
    }
}

static void test_equal_and_turned_keys_have_a_place_above(void **state)
{
    struct tdm_board_id a = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
    struct tdm_board_id low = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
    uint8_t key[TDM_BOARD_ORDER_MAX];

    (void)state;
    struct tdm_board_view one = side_view(&ann, a), other = side_view(&ann, low);
    size_t size = tdm_board_order_between(ann.board, &one, &one, key);

    set(&ann, low, tdm_board_bytes(TDM_PROP_ORDER, key, size));
    assert_true(
        tdm_board_same(tdm_board_id_of(tdm_board_highest(ann.board, TDM_BOARD_FIRST_PAGE)), low));
    size = tdm_board_order_between(ann.board, &other, &one, key);
    assert_true(size > 0 && size <= TDM_BOARD_ORDER_MAX);
}

static void test_what_comes_before_its_page(void **state)
{
    struct tdm_board_id page, box, ids[4];
    uint8_t bytes[256];
    size_t size;

    (void)state;
    assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_PAGE, NULL, 0, &page), TDM_OK);
    side_tell(&ann, &bob);
    tdm_board_fresh_done(ann.board);
    box = add(&bob, TDM_BOARD_RECTANGLE, page);
    assert_int_equal(stack(&bob, page, ids, 4), 1);
    const uint8_t *fresh = tdm_board_fresh(bob.board, &size);

    memcpy(bytes, fresh, size);
    struct board_side late;

    side_open(&late, 30);
    assert_int_equal(side_apply(&late, bytes, size, NULL), TDM_OK);
    assert_true(tdm_board_same(side_view(&late, box).page, TDM_BOARD_NONE));
    assert_int_equal(stack(&late, page, ids, 4), 0);
    static struct tdm_board_since since;
    static uint8_t room[TDM_BOARD_SINCE_MIN];

    since = (struct tdm_board_since){0};
    while (!since.done) {
        size = tdm_board_since(ann.board, &since, room, sizeof room);
        assert_int_equal(side_apply(&late, room, size, NULL), TDM_OK);
    }
    assert_true(tdm_board_same(side_view(&late, box).page, page));
    assert_int_equal(stack(&late, page, ids, 4), 1);
    side_close(&late);
}

static void test_pages_and_what_is_deleted(void **state)
{
    struct tdm_board_id second = add(&ann, TDM_BOARD_PAGE, TDM_BOARD_NONE), ids[8] = {{0}};
    struct tdm_board_id a = add(&ann, TDM_BOARD_LINE, second),
                        b = add(&ann, TDM_BOARD_LINE, second);

    (void)state;
    assert_int_equal(stack(&ann, TDM_BOARD_NONE, ids, 8), 2);
    assert_true(tdm_board_same(ids[0], TDM_BOARD_FIRST_PAGE) && tdm_board_same(ids[1], second));
    uint64_t mark = tdm_board_mark(ann.board);

    assert_int_equal(tdm_board_delete(ann.board, a), TDM_OK);
    assert_int_equal(stack(&ann, second, ids, 8), 1);
    assert_true(tdm_board_same(ids[0], b));
    const struct tdm_board_object *o = tdm_board_changed(ann.board, mark, NULL);

    assert_non_null(o);
    assert_true(tdm_board_same(tdm_board_id_of(o), a));
    assert_null(tdm_board_changed(ann.board, mark, o));
    set(&ann, b, tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE));
    assert_int_equal(stack(&ann, second, ids, 8), 0);
    assert_int_equal(stack(&ann, TDM_BOARD_FIRST_PAGE, ids, 8), 1);
    set(&ann, b, tdm_board_ref(TDM_PROP_PAGE, a)); /* That is no page. */
    assert_int_equal(stack(&ann, TDM_BOARD_FIRST_PAGE, ids, 8), 0);
}

static void test_a_circle_of_groups(void **state)
{
    struct tdm_board_id g1 = add(&ann, TDM_BOARD_GROUP, TDM_BOARD_FIRST_PAGE);
    struct tdm_board_id g2 = add(&ann, TDM_BOARD_GROUP, TDM_BOARD_FIRST_PAGE);
    struct tdm_board_id box = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);

    (void)state;
    set(&ann, box, tdm_board_ref(TDM_PROP_PARENT, g1));
    side_meet(&ann, &bob);
    set(&ann, g1, tdm_board_ref(TDM_PROP_PARENT, g2));
    set(&bob, g2, tdm_board_ref(TDM_PROP_PARENT, g1));
    side_meet(&ann, &bob);
    for (int i = 0; i < 2; i++) {
        const struct board_side *s = i ? &bob : &ann;

        /* Same clock, and Bob is the greater author: his comes later, and is the one to go. */
        assert_true(tdm_board_same(side_view(s, g1).group, g2));
        assert_true(tdm_board_same(side_view(s, g2).group, TDM_BOARD_NONE));
        assert_true(
            tdm_board_same(tdm_board_outer_group(s->board, tdm_board_find(s->board, box)), g2));
    }
    set(&ann, g1, tdm_board_ref(TDM_PROP_PARENT, g1));
    assert_true(tdm_board_same(side_view(&ann, g1).group, TDM_BOARD_NONE));
    set(&ann, box, tdm_board_ref(TDM_PROP_PARENT, box)); /* That is no group. */
    assert_true(tdm_board_same(side_view(&ann, box).group, TDM_BOARD_NONE));
}

/* A record with one operation that somebody made up. */
struct made_up {
    uint32_t seq;
    uint64_t lamport;
    uint8_t kind;
    uint32_t span;
    const char *fields;
    size_t size;
};

static size_t record_of(const struct made_up *m, uint8_t record[256])
{
    struct tdm_writer w = tdm_writer_of(record, 256);

    tdm_write_u16(&w, 0);
    tdm_write_u8(&w, BOARD_RECORD_OPS);
    tdm_write_u32(&w, 666);
    tdm_board_write_v(&w, m->seq);
    tdm_board_write_v(&w, m->lamport);
    board_op_write(&w, m->kind, m->span, (const uint8_t *)m->fields, m->size);
    assert_true(w.ok);
    record[1] = (uint8_t)(tdm_writer_size(&w) - BOARD_RECORD_HEAD);
    return tdm_writer_size(&w);
}

#define FIELDS(text) text, sizeof(text) - 1

static void test_what_breaks_a_rule_changes_nothing(void **state)
{
    static const struct made_up rows[] = {
        {1, (uint64_t)2 << BOARD_JUMP, BOARD_OP_ADD, 1, FIELDS("\x06")}, /* From the future. */
        {2, 0, BOARD_OP_ADD, 1, FIELDS("\x06")},
        {3, 3, BOARD_OP_ADD, 1, FIELDS("\x00")},                 /* No type. */
        {4, 4, BOARD_OP_ADD, 1, FIELDS("\x06\x1b\x01")},         /* A value of no kind. */
        {5, 5, BOARD_OP_SET, 1, FIELDS("\x00\x18\x02")},         /* Of nothing. */
        {6, 6, BOARD_OP_SET, 1, FIELDS("\x02\x18")},             /* Cut off. */
        {7, 7, BOARD_OP_INK, 1, FIELDS("\x02\x00\x77\x02\x02")}, /* Another's stroke. */
        {8, 8, BOARD_OP_SEAL, 1, FIELDS("\x02\x00\x00\x00\x00\x00")},
        {9, 9, BOARD_OP_TYPE, 2, FIELDS("\x02\x00x")}, /* One character that says two. */
        {11, 11, BOARD_OP_TYPE, 1, FIELDS("\x02\x00\xff")},
        {12, 12, BOARD_OP_TYPE, 1, FIELDS("\x02\x05z")}, /* Behind no character. */
        {13, 13, BOARD_OP_MARK, 1, FIELDS("\x02\x02\x03\x01")},
        {14, 14, BOARD_OP_MARK, 1, FIELDS("\x02\x01\x03\x00")},
        {15, 15, BOARD_OP_SET, 3, FIELDS("\x02\x18\x02")}, /* Takes more numbers than it may. */
    };
    struct tdm_board_applied applied = {0};
    uint8_t record[256];
    struct tdm_board_figures figures;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = record_of(&rows[i], record);

        assert_int_equal(side_apply(&ann, record, size, &applied), TDM_OK);
        assert_int_equal(applied.refused, i + 1);
        assert_int_equal(side_apply(&ann, record, size, &applied), TDM_OK);
    }
    assert_int_equal(applied.again, sizeof rows / sizeof *rows);
    assert_int_equal(applied.fresh, 0);
    tdm_board_figures(ann.board, &figures);
    assert_int_equal(figures.objects, 1); /* The first page. */
    assert_int_equal(side_view(&ann, TDM_BOARD_FIRST_PAGE).x, 0);
    /* Later good ones count, in whatever order they came between the bad ones. */
    size_t size = record_of(&(struct made_up){18, 18, BOARD_OP_ADD, 1, FIELDS("\x06")}, record);

    assert_int_equal(side_apply(&ann, record, size, &applied), TDM_OK);
    assert_int_equal(applied.fresh, 1);
    /* A clock of the future did not move ours. */
    struct tdm_board_id id = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);

    assert_int_equal(id.seq, 1);
}

static void bob_joins_late(void)
{
    static uint8_t room[TDM_BOARD_SINCE_MIN];
    static struct tdm_board_since since;

    since = (struct tdm_board_since){0};
    while (!since.done) {
        size_t size = tdm_board_since(ann.board, &since, room, sizeof room);

        assert_int_equal(side_apply(&bob, room, size, NULL), TDM_OK);
    }
    assert_true(side_same(&ann, &bob));
}

/* A clock as far ahead as it may be: others still have their say. */
static void test_a_clock_far_ahead(void **state)
{
    struct tdm_board_id id = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
    uint8_t record[256];
    /* Skips 5000 numbers, and then sets x of Ann's object to 7 with the clock that allows. */
    size_t size = record_of(&(struct made_up){1, 1, BOARD_OP_SKIP, 5000, FIELDS("")}, record);

    (void)state;
    assert_int_equal(side_apply(&ann, record, size, NULL), TDM_OK);
    size = record_of(&(struct made_up){5001, (uint64_t)5001 << BOARD_JUMP, BOARD_OP_SET, 1,
                                       FIELDS("\x01\x00\x00\x00\x0a\x01\x18\x0e")},
                     record);
    assert_int_equal(side_apply(&ann, record, size, NULL), TDM_OK);
    assert_int_equal(side_view(&ann, id).x, 7);
    set(&ann, id, tdm_board_int(TDM_PROP_X, 8));
    assert_int_equal(side_view(&ann, id).x, 8);
    assert_int_equal(side_apply(&bob, record, size, NULL), TDM_OK); /* Held back. */
    side_meet(&ann, &bob);
    size = record_of(&(struct made_up){1, 1, BOARD_OP_SKIP, 5000, FIELDS("")}, record);
    assert_int_equal(side_apply(&bob, record, size, NULL), TDM_OK);
    assert_int_equal(side_view(&bob, id).x, 8);
    assert_true(side_same(&ann, &bob));
}

/* One who jumps to the end of time keeps what it wrote there, and nobody else loses a hand. */
static void test_a_clock_at_the_end_of_time(void **state)
{
    struct tdm_board_id id = add(&ann, TDM_BOARD_TEXT, TDM_BOARD_FIRST_PAGE);
    uint8_t record[256];
    const uint32_t last = TDM_BOARD_SEQ_MAX - 1;
    size_t size = record_of(&(struct made_up){1, 1, BOARD_OP_SKIP, last - 1, FIELDS("")}, record);

    (void)state;
    assert_int_equal(side_apply(&ann, record, size, NULL), TDM_OK);
    size = record_of(&(struct made_up){last, (uint64_t)last << BOARD_JUMP, BOARD_OP_SET, 1,
                                       FIELDS("\x01\x00\x00\x00\x0a\x01\x18\x0e")},
                     record);
    assert_int_equal(side_apply(&ann, record, size, NULL), TDM_OK);
    assert_int_equal(side_view(&ann, id).x, 7);
    set(&ann, id, tdm_board_int(TDM_PROP_X, 8));
    assert_int_equal(side_view(&ann, id).x, 7);
    for (int i = 0; i < 100; i++) {
        set(&ann, id, tdm_board_int(TDM_PROP_Y, i));
        assert_int_equal(side_view(&ann, id).y, i);
    }
    /* Its text, too: nothing can be put behind it, but anywhere else. */
    size = record_of(&(struct made_up){last + 1, (uint64_t)last << BOARD_JUMP, BOARD_OP_TYPE, 1,
                                       FIELDS("\x01\x00\x00\x00\x0a\x01\x00!")},
                     record);
    assert_int_equal(side_apply(&ann, record, size, NULL), TDM_OK);
    assert_int_equal(side_view(&ann, id).characters, 1);
    assert_int_equal(tdm_board_text_insert(ann.board, id, 1, "no", 2), TDM_E_DENIED);
    assert_int_equal(tdm_board_text_delete(ann.board, id, 0, 1), TDM_OK);
    assert_int_equal(tdm_board_text_insert(ann.board, id, 0, "yes", 3), TDM_OK);
    assert_int_equal(side_view(&ann, id).characters, 3);
    struct tdm_board_id other = add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);

    set(&ann, other, tdm_board_int(TDM_PROP_X, 9));
    assert_int_equal(side_view(&ann, other).x, 9);
    assert_int_equal(tdm_board_undo(ann.board, &(struct tdm_board_undone){0}), TDM_OK);
    assert_int_equal(side_view(&ann, other).x, 0);
    bob_joins_late();
}

static void test_what_is_unknown_is_kept(void **state)
{
    struct tdm_board_applied applied = {0};
    struct tdm_board_id id;
    uint8_t record[256];
    const struct tdm_board_value later = tdm_board_bytes((enum tdm_board_prop)55, "later", 5);

    (void)state;
    assert_int_equal(tdm_board_add(ann.board, (enum tdm_board_type)900, &later, 1, &id), TDM_OK);
    size_t size = record_of(&(struct made_up){1, 1, 99, 3, FIELDS("whatever that is")}, record);

    assert_int_equal(side_apply(&ann, record, size, &applied), TDM_OK);
    assert_int_equal(applied.fresh, 1);
    bob_joins_late();
    assert_int_equal(side_view(&bob, id).type, 900);
}

static void test_late_twice_and_lost(void **state)
{
    struct tdm_board_applied applied = {0};
    uint8_t records[3][256];
    size_t sizes[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        (void)add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
        const uint8_t *fresh = tdm_board_fresh(ann.board, &sizes[i]);

        memcpy(records[i], fresh, sizes[i]);
        tdm_board_fresh_done(ann.board);
    }
    assert_int_equal(side_apply(&bob, records[2], sizes[2], &applied), TDM_OK);
    assert_int_equal(side_apply(&bob, records[2], sizes[2], &applied), TDM_OK);
    assert_int_equal(side_apply(&bob, records[1], sizes[1], &applied), TDM_OK);
    assert_int_equal(applied.held, 2);
    assert_int_equal(applied.again, 1);
    assert_int_equal(applied.fresh, 0);
    assert_int_equal(side_apply(&bob, records[0], sizes[0], &applied), TDM_OK);
    assert_int_equal(applied.fresh, 3);
    assert_true(side_same(&ann, &bob));
    assert_int_equal(side_apply(&bob, records[0], sizes[0] - 1, &applied), TDM_E_MALFORMED);
    assert_true(side_same(&ann, &bob));
    /* More than can wait: nothing breaks, and what was lost comes with the next question. */
    for (uint32_t i = 2; i < 30000; i++) {
        uint8_t record[256];
        size_t size = record_of(&(struct made_up){i, i, BOARD_OP_ADD, 1, FIELDS("\x06")}, record);

        assert_int_equal(side_apply(&bob, record, size, &applied), TDM_OK);
    }
    assert_true(applied.lost > 0);
    struct tdm_board_figures figures;

    tdm_board_figures(bob.board, &figures);
    assert_true(figures.held_bytes <= TDM_BOARD_HELD_BYTES);
}

/* Each time only what is new of it: whole records, however often and late somebody looks. */
static void test_fresh_piece_by_piece(void **state)
{
    size_t taken = 0, size;

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
        (void)add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
        const uint8_t *fresh = tdm_board_fresh(ann.board, &size);

        assert_int_equal(tdm_board_fresh_size(ann.board), size);
        assert_true(size > taken);
        assert_int_equal(side_apply(&bob, fresh + taken, size - taken, NULL), TDM_OK);
        assert_true(side_same(&ann, &bob));
        taken = size;
    }
}

/* Names that somebody makes up run out before those do that are kept for us. */
static void test_too_many_authors(void **state)
{
    uint8_t record[256];
    uint32_t taken = 0;

    (void)state;
    tdm_board_reserve(ann.board, 100);
    for (uint32_t name = 1000; name < 1000 + TDM_BOARD_ACTORS_MAX; name++) {
        size_t size = record_of(&(struct made_up){1, 1, BOARD_OP_ADD, 1, FIELDS("\x06")}, record);

        record[3] = (uint8_t)(name >> 24);
        record[4] = (uint8_t)(name >> 16);
        record[5] = (uint8_t)(name >> 8);
        record[6] = (uint8_t)name;
        enum tdm_err err = side_apply(&ann, record, size, NULL);

        assert_true(err == TDM_OK || err == TDM_E_DENIED);
        taken += err == TDM_OK;
    }
    assert_int_equal(taken, TDM_BOARD_ACTORS_MAX - 100 - 2); /* And ann, and nobody. */
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(tdm_board_become(ann.board, 10000 + i), TDM_OK);
        (void)add(&ann, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
        tdm_board_fresh_done(ann.board);
    }
    assert_int_equal(tdm_board_become(ann.board, 20000), TDM_E_DENIED);
}

static void test_one_who_says_to_be_us(void **state)
{
    struct board_side twin;

    (void)state;
    side_open(&twin, 10);
    (void)add(&twin, TDM_BOARD_LINE, TDM_BOARD_FIRST_PAGE);
    side_tell(&twin, &ann);
    assert_true(tdm_board_doubled(ann.board));
    struct tdm_board_id id;

    assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_LINE, NULL, 0, &id), TDM_E_DENIED);
    assert_int_equal(tdm_board_become(ann.board, 11), TDM_OK);
    assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_LINE, NULL, 0, &id), TDM_OK);
    assert_int_equal(id.actor, 11);
    side_close(&twin);
}

static void test_without_memory_nothing_happens(void **state)
{
    void *storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16);
    void *block = aligned_alloc(16, BOARD_SIDE_BLOCK);
    struct tdm_board *b = tdm_board_init(storage, 7);
    uint8_t before[TDM_BOARD_DIGEST_BYTES], after[TDM_BOARD_DIGEST_BYTES];
    struct tdm_board_id id;
    enum tdm_err err;
    size_t fresh;

    (void)state;
    assert_int_equal(tdm_board_add(b, TDM_BOARD_LINE, NULL, 0, &id), TDM_E_SPACE);
    tdm_board_give(b, block, BOARD_SIDE_BLOCK);
    for (struct tdm_board_id more;
         (err = tdm_board_add(b, TDM_BOARD_NOTE, NULL, 0, &more)) == TDM_OK;)
        id = more;
    assert_int_equal(err, TDM_E_SPACE);
    while ((err = tdm_board_text_insert(b, id, 0, "less is enough for text", 23)) == TDM_OK)
        continue;
    assert_int_equal(err, TDM_E_SPACE);
    (void)tdm_board_fresh(b, &fresh);
    tdm_board_digest(b, before);
    assert_int_equal(tdm_board_text_insert(b, id, 0, "no", 2), TDM_E_SPACE);
    assert_int_equal(tdm_board_delete(b, id), TDM_E_SPACE);
    assert_int_equal(tdm_board_undo(b, &(struct tdm_board_undone){0}), TDM_E_SPACE);
    tdm_board_digest(b, after);
    assert_memory_equal(before, after, sizeof before);
    size_t size;

    (void)tdm_board_fresh(b, &size);
    assert_int_equal(size, fresh);
    free(block);
    free(storage);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sides, close_sides)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values_in_bounds),           TEST(test_two_change_one_object),
        TEST(test_order_beside_a_list),        TEST(test_equal_and_turned_keys_have_a_place_above),
        TEST(test_what_comes_before_its_page), TEST(test_pages_and_what_is_deleted),
        TEST(test_a_circle_of_groups),         TEST(test_what_breaks_a_rule_changes_nothing),
        TEST(test_a_clock_far_ahead),          TEST(test_a_clock_at_the_end_of_time),
        TEST(test_what_is_unknown_is_kept),    TEST(test_late_twice_and_lost),
        TEST(test_fresh_piece_by_piece),       TEST(test_too_many_authors),
        TEST(test_one_who_says_to_be_us),      TEST(test_without_memory_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

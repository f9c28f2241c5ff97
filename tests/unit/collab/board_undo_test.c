/* SPDX-License-Identifier: MIT */
/* Undo takes back one's own work and never another's. */
#include "tests/unit/collab/board_sides.h"

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

static struct tdm_board_id box(struct board_side *s)
{
    const struct tdm_board_value values[] = {tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
                                             tdm_board_int(TDM_PROP_X, 100)};
    struct tdm_board_id id;

    assert_int_equal(tdm_board_add(s->board, TDM_BOARD_RECTANGLE, values, 2, &id), TDM_OK);
    return id;
}

static void set(struct board_side *s, struct tdm_board_id id, enum tdm_board_prop prop,
                int64_t number)
{
    const struct tdm_board_value value = tdm_board_int(prop, number);

    assert_int_equal(tdm_board_set(s->board, id, &value, 1), TDM_OK);
}

static struct tdm_board_undone undo(struct board_side *s)
{
    struct tdm_board_undone undone = {0};

    assert_int_equal(tdm_board_undo(s->board, &undone), TDM_OK);
    return undone;
}

static struct tdm_board_undone redo(struct board_side *s)
{
    struct tdm_board_undone undone = {0};

    assert_int_equal(tdm_board_redo(s->board, &undone), TDM_OK);
    return undone;
}

static void test_back_and_forth(void **state)
{
    struct tdm_board_id id = box(&ann);

    (void)state;
    for (int i = 1; i <= 3; i++)
        set(&ann, id, TDM_PROP_X, 100 + i);
    for (int i = 2; i >= 0; i--) {
        assert_int_equal(undo(&ann).changed, 1);
        assert_int_equal(side_view(&ann, id).x, 100 + i);
    }
    assert_int_equal(undo(&ann).changed, 1);
    assert_true(side_view(&ann, id).deleted);
    assert_false(tdm_board_can_undo(ann.board));
    assert_int_equal(tdm_board_undo(ann.board, &(struct tdm_board_undone){0}), TDM_E_GONE);
    assert_int_equal(redo(&ann).changed, 1);
    assert_false(side_view(&ann, id).deleted);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(redo(&ann).changed, 1);
        assert_int_equal(side_view(&ann, id).x, 100 + i);
    }
    assert_false(tdm_board_can_redo(ann.board));
    (void)undo(&ann);
    set(&ann, id, TDM_PROP_Y, 5); /* Something new: what was undone does not come back. */
    assert_false(tdm_board_can_redo(ann.board));
    side_meet(&ann, &bob);
    assert_true(side_same(&ann, &bob));
}

static void test_a_gesture_is_one_step(void **state)
{
    struct tdm_board_id id = box(&ann), other = box(&ann);

    (void)state;
    tdm_board_begin(ann.board);
    for (int i = 1; i <= 50; i++) {
        tdm_board_begin(ann.board);
        set(&ann, id, TDM_PROP_X, 100 + i);
        set(&ann, other, TDM_PROP_Y, i);
        tdm_board_end(ann.board);
    }
    tdm_board_end(ann.board);
    assert_int_equal(undo(&ann).changed, 2);
    assert_int_equal(side_view(&ann, id).x, 100);
    assert_int_equal(side_view(&ann, other).y, 0);
    assert_int_equal(redo(&ann).changed, 2);
    assert_int_equal(side_view(&ann, id).x, 150);
}

static void test_what_another_wrote_since_stays(void **state)
{
    struct tdm_board_id id = box(&ann);
    struct tdm_board_undone undone;

    (void)state;
    side_meet(&ann, &bob);
    tdm_board_begin(ann.board);
    set(&ann, id, TDM_PROP_X, 1);
    set(&ann, id, TDM_PROP_Y, 2);
    tdm_board_end(ann.board);
    side_meet(&ann, &bob);
    set(&bob, id, TDM_PROP_X, 77);
    side_meet(&ann, &bob);
    undone = undo(&ann);
    assert_int_equal(undone.changed, 1);
    assert_int_equal(undone.kept, 1);
    assert_int_equal(side_view(&ann, id).x, 77);
    assert_int_equal(side_view(&ann, id).y, 0);
}

/* Mine, another's, mine: taking mine back brings the other's again, and there it stops. */
static void test_anothers_value_comes_back_and_stays(void **state)
{
    struct tdm_board_id id = box(&bob);

    (void)state;
    side_meet(&ann, &bob);
    set(&ann, id, TDM_PROP_X, 1);
    side_meet(&ann, &bob);
    set(&bob, id, TDM_PROP_X, 2);
    side_meet(&ann, &bob);
    set(&ann, id, TDM_PROP_X, 3);
    assert_int_equal(undo(&ann).changed, 1);
    assert_int_equal(side_view(&ann, id).x, 2);
    assert_int_equal(undo(&ann).kept, 1);
    assert_int_equal(side_view(&ann, id).x, 2);
    assert_int_equal(redo(&ann).kept, 1);
    assert_int_equal(redo(&ann).changed, 1);
    assert_int_equal(side_view(&ann, id).x, 3);
}

/* Both at once, and mine won: without mine it would be the other's. */
static void test_what_lost_against_mine_comes_back(void **state)
{
    struct tdm_board_id id = box(&ann);

    (void)state;
    side_meet(&ann, &bob);
    set(&bob, id, TDM_PROP_COLOUR, 0xff0000ff);
    set(&ann, id, TDM_PROP_X, 5); /* Ann's clock is ahead of Bob's. */
    set(&ann, id, TDM_PROP_COLOUR, 0x00ff00ff);
    side_meet(&ann, &bob);
    assert_int_equal(side_view(&bob, id).colour, 0x00ff00ff);
    (void)undo(&ann);
    side_meet(&ann, &bob);
    assert_int_equal(side_view(&ann, id).colour, 0xff0000ff);
    assert_int_equal(side_view(&bob, id).colour, 0xff0000ff);
}

static void test_what_both_worked_on_is_not_taken_away(void **state)
{
    struct tdm_board_id id = box(&ann), alone = box(&ann);
    struct tdm_board_undone undone;

    (void)state;
    side_meet(&ann, &bob);
    set(&bob, id, TDM_PROP_W, 50);
    side_meet(&ann, &bob);
    undone = undo(&ann);
    assert_int_equal(undone.changed, 1);
    assert_true(side_view(&ann, alone).deleted);
    undone = undo(&ann);
    assert_int_equal(undone.kept, 1);
    assert_false(side_view(&ann, id).deleted);
}

static void expect_text(const struct board_side *s, struct tdm_board_id id, const char *expected)
{
    char text[64] = "";
    size_t size = tdm_board_text(tdm_board_find(s->board, id), text, sizeof text - 1);

    assert_int_equal(size, strlen(expected));
    assert_string_equal(text, expected);
}

static void test_text(void **state)
{
    struct tdm_board_id id;

    (void)state;
    assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_NOTE, NULL, 0, &id), TDM_OK);
    assert_int_equal(tdm_board_text_insert(ann.board, id, 0, "hello", 5), TDM_OK);
    side_meet(&ann, &bob);
    assert_int_equal(tdm_board_text_insert(bob.board, id, 5, " you", 4), TDM_OK);
    assert_int_equal(tdm_board_text_delete(ann.board, id, 1, 3), TDM_OK);
    side_meet(&ann, &bob);
    expect_text(&ann, id, "ho you");
    assert_int_equal(tdm_board_text_delete(bob.board, id, 0, 1), TDM_OK);
    side_meet(&ann, &bob);
    expect_text(&ann, id, "o you");
    (void)undo(&ann); /* Her deletion; not his. */
    expect_text(&ann, id, "ello you");
    (void)undo(&ann); /* What she typed; not what he did. */
    expect_text(&ann, id, " you");
    (void)redo(&ann);
    expect_text(&ann, id, "ello you");
    (void)redo(&ann);
    expect_text(&ann, id, "o you");
    side_meet(&ann, &bob);
    expect_text(&bob, id, "o you");
    assert_true(side_same(&ann, &bob));
}

static void test_both_deleted_the_same(void **state)
{
    struct tdm_board_id id;

    (void)state;
    assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_NOTE, NULL, 0, &id), TDM_OK);
    assert_int_equal(tdm_board_text_insert(ann.board, id, 0, "abcdef", 6), TDM_OK);
    side_meet(&ann, &bob);
    assert_int_equal(tdm_board_text_delete(ann.board, id, 0, 4), TDM_OK);
    assert_int_equal(tdm_board_text_delete(bob.board, id, 2, 4), TDM_OK);
    side_meet(&ann, &bob);
    expect_text(&ann, id, "");
    (void)undo(&ann);
    side_meet(&ann, &bob);
    expect_text(&ann, id, "ab");
    expect_text(&bob, id, "ab");
}

/* A step that needs more room than there is goes on when there is. */
static void test_a_long_step_goes_on(void **state)
{
    struct tdm_board_undone undone = {0};
    struct tdm_board_id ids[400];
    uint32_t pauses = 0;
    enum tdm_err err;

    (void)state;
    tdm_board_begin(ann.board);
    for (int i = 0; i < 400; i++) {
        side_room(&ann);
        ids[i] = box(&ann);
    }
    tdm_board_end(ann.board);
    /* The room for fresh operations is nearly used up. */
    tdm_board_begin(ann.board);
    for (size_t size = 0; size + 23000 < TDM_BOARD_FRESH_BYTES;) {
        uint8_t name[TDM_BOARD_VALUE_MAX];

        memset(name, 'a' + (int)(size % 26), sizeof name);
        const struct tdm_board_value value = tdm_board_bytes(TDM_PROP_NAME, name, sizeof name);

        side_room(&ann);
        assert_int_equal(tdm_board_set(ann.board, TDM_BOARD_FIRST_PAGE, &value, 1), TDM_OK);
        (void)tdm_board_fresh(ann.board, &size);
    }
    tdm_board_end(ann.board);
    assert_int_equal(undo(&ann).changed, 1);
    while ((err = tdm_board_undo(ann.board, &undone)) == TDM_E_AGAIN) {
        side_meet(&ann, &bob);
        pauses++;
    }
    assert_int_equal(err, TDM_OK);
    assert_int_equal(undone.changed, 400);
    assert_true(pauses > 0);
    for (int i = 0; i < 400; i++)
        assert_true(side_view(&ann, ids[i]).deleted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_back_and_forth, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_a_gesture_is_one_step, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_what_another_wrote_since_stays, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_anothers_value_comes_back_and_stays, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_what_lost_against_mine_comes_back, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_what_both_worked_on_is_not_taken_away, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_text, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_both_deleted_the_same, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_a_long_step_goes_on, open_sides, close_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

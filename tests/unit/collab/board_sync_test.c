/* SPDX-License-Identifier: MIT */
/* What a side lacks, given in pieces: while there are edits, and to sides that lost something. */
#include "tests/unit/collab/board_sides.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PIECES_MAX 64
#define KNOWN_MAX  16

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

struct piece {
    uint8_t bytes[TDM_BOARD_SINCE_MIN];
    size_t size;
};

/* All that `to` lacks of `from`, with an edit of `from` before each piece but the first. */
static size_t pieces_of(struct board_side *from, const struct board_side *to,
                        struct piece pieces[PIECES_MAX], void (*edit)(struct board_side *))
{
    static struct tdm_board_since since;
    struct tdm_board_version known[KNOWN_MAX];
    size_t count = 0;

    since = (struct tdm_board_since){
        .known = known, .known_count = to ? tdm_board_versions(to->board, known, KNOWN_MAX) : 0};
    while (!since.done) {
        assert_true(count < PIECES_MAX);
        if (edit && count)
            edit(from);
        pieces[count].size =
            tdm_board_since(from->board, &since, pieces[count].bytes, TDM_BOARD_SINCE_MIN);
        count++;
    }
    return count;
}

static struct piece pieces[PIECES_MAX];
static struct tdm_board_id text;

static void type(struct board_side *s, uint32_t at, const char *words)
{
    side_room(s);
    assert_int_equal(tdm_board_text_insert(s->board, text, at, words, strlen(words)), TDM_OK);
}

/* A text of many runs, which one piece cannot hold. */
static void write_much(struct board_side *s)
{
    assert_int_equal(tdm_board_add(s->board, TDM_BOARD_TEXT, NULL, 0, &text), TDM_OK);
    for (int i = 0; i < 3000; i++)
        type(s, (uint32_t)i * 7 % (uint32_t)(2 * i + 1), "ab");
}

static void edit_text(struct board_side *s)
{
    struct tdm_board_id id;

    type(s, 6000, "new words at the end");
    side_room(s);
    assert_int_equal(tdm_board_text_delete(s->board, text, 6003, 9), TDM_OK);
    assert_int_equal(tdm_board_text_delete(s->board, text, 10, 2), TDM_OK);
    assert_int_equal(tdm_board_add(s->board, TDM_BOARD_PAGE, NULL, 0, &id), TDM_OK);
}

static void test_edits_while_pieces_are_given(void **state)
{
    (void)state;
    write_much(&ann);
    tdm_board_fresh_done(ann.board);
    size_t count = pieces_of(&ann, NULL, pieces, edit_text);

    assert_true(count > 3);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(side_apply(&bob, pieces[i].bytes, pieces[i].size, NULL), TDM_OK);
    side_meet(&ann, &bob); /* The edits themselves come behind. */
    assert_true(side_same(&ann, &bob));
}

/* Who looks at what is fresh time and again, and takes what came since: whole records each time. */
static void test_fresh_is_taken_as_it_comes(void **state)
{
    size_t sent = 0, size;

    (void)state;
    side_room(&ann);
    for (int i = 0; i < 4; i++) {
        if (i == 0)
            assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_TEXT, NULL, 0, &text), TDM_OK);
        else
            type(&ann, 0, "more ");
        const uint8_t *fresh = tdm_board_fresh(ann.board, &size);

        assert_true(size > sent);
        assert_int_equal(side_apply(&bob, fresh + sent, size - sent, NULL), TDM_OK);
        sent = size;
        assert_true(side_same(&ann, &bob));
    }
    tdm_board_fresh_done(ann.board);
}

/* One may take away what is only being given. */
static void test_edits_of_a_snapshot_that_is_not_whole_yet(void **state)
{
    (void)state;
    write_much(&ann);
    tdm_board_fresh_done(ann.board);
    size_t count = pieces_of(&ann, NULL, pieces, NULL);

    assert_true(count > 3);
    assert_int_equal(side_apply(&bob, pieces[0].bytes, pieces[0].size, NULL), TDM_OK);
    side_room(&bob);
    assert_int_equal(tdm_board_text_delete(bob.board, text, 1, 5), TDM_OK);
    type(&bob, 2, "x");
    side_meet(&bob, &ann); /* She knows what he means. */
    for (size_t i = 1; i < count; i++)
        assert_int_equal(side_apply(&bob, pieces[i].bytes, pieces[i].size, NULL), TDM_OK);
    assert_true(side_same(&ann, &bob));
}

/* A snapshot for who knew something is nothing for who does not: he says so, and gets it all. */
static void test_a_snapshot_upon_what_was_lost(void **state)
{
    struct board_side back;

    (void)state;
    write_much(&ann);
    side_meet(&ann, &bob);
    struct tdm_board_id known = text;

    type(&bob, 100, "bob was here");
    side_meet(&ann, &bob);
    type(&ann, 105, "ann, too");
    size_t count = pieces_of(&ann, &bob, pieces, NULL);

    side_open(&back, 30); /* Has lost all that came before. */
    for (size_t i = 0; i < count; i++)
        assert_int_equal(side_apply(&back, pieces[i].bytes, pieces[i].size, NULL), TDM_OK);
    struct tdm_board_version versions[KNOWN_MAX];

    assert_int_equal(tdm_board_versions(back.board, versions, KNOWN_MAX), 0);
    count = pieces_of(&ann, &back, pieces, NULL);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(side_apply(&back, pieces[i].bytes, pieces[i].size, NULL), TDM_OK);
    assert_true(side_same(&ann, &back));
    assert_non_null(tdm_board_find(back.board, known));
    side_close(&back);
}

static void test_a_long_stroke_in_pieces(void **state)
{
    struct tdm_board_point points[TDM_BOARD_INK_MAX];
    struct tdm_board_id id;
    struct tdm_board_view view;

    (void)state;
    assert_int_equal(tdm_board_add(ann.board, TDM_BOARD_PEN, NULL, 0, &id), TDM_OK);
    for (uint32_t i = 0; i < TDM_BOARD_POINTS_MAX / TDM_BOARD_INK_MAX; i++) {
        for (uint32_t k = 0; k < TDM_BOARD_INK_MAX; k++)
            points[k] = (struct tdm_board_point){(int32_t)(i * k * 31 % 9000), (int32_t)(k * 17),
                                                 (uint8_t)(k * i), (uint16_t)(k % 40)};
        side_room(&ann);
        assert_int_equal(tdm_board_ink(ann.board, id, points, TDM_BOARD_INK_MAX), TDM_OK);
        tdm_board_fresh_done(ann.board);
    }
    assert_int_equal(tdm_board_ink(ann.board, id, points, 1), TDM_E_DENIED);
    assert_int_equal(tdm_board_seal(ann.board, id), TDM_OK);
    tdm_board_fresh_done(ann.board);
    size_t count = pieces_of(&ann, &bob, pieces, NULL);

    assert_true(count > 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(side_apply(&bob, pieces[i].bytes, pieces[i].size, NULL), TDM_OK);
        assert_int_equal(side_apply(&bob, pieces[i].bytes, pieces[i].size, NULL), TDM_OK);
    }
    assert_true(side_same(&ann, &bob));
    tdm_board_read(bob.board, tdm_board_find(bob.board, id), &view);
    assert_int_equal(view.points, TDM_BOARD_POINTS_MAX);
    assert_true(view.sealed && !view.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_edits_while_pieces_are_given, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_fresh_is_taken_as_it_comes, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_edits_of_a_snapshot_that_is_not_whole_yet, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_a_snapshot_upon_what_was_lost, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_a_long_stroke_in_pieces, open_sides, close_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

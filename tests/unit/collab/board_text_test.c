/* SPDX-License-Identifier: MIT */
/* Text of a board that several type into, beside what the definition says (board_model.h). */
#include "tests/unit/collab/board_sides.h"

#include "engine/base/rng.h"
#include "tests/unit/collab/board_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SIDES   3
#define LETTERS 64

static struct board_side sides[SIDES];
static struct tdm_board_id note;

struct letter {
    uint8_t bytes[4096];
    size_t size;
};

static const struct tdm_board_object *text_at(const struct board_side *s)
{
    return tdm_board_find(s->board, note);
}

static const char *read_text(const struct board_side *s)
{
    static char text[MODEL_CHARS + 1];
    size_t size = tdm_board_text(text_at(s), text, MODEL_CHARS);

    text[size < MODEL_CHARS ? size : MODEL_CHARS] = 0;
    return text;
}

static int open_sides(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SIDES; i++)
        side_open(&sides[i], 100 + i);
    assert_int_equal(tdm_board_add(sides[0].board, TDM_BOARD_NOTE, NULL, 0, &note), TDM_OK);
    side_tell(&sides[0], &sides[1]);
    side_tell(&sides[0], &sides[2]);
    tdm_board_fresh_done(sides[0].board);
    return 0;
}

static int close_sides(void **state)
{
    (void)state;
    for (int i = 0; i < SIDES; i++)
        side_close(&sides[i]);
    return 0;
}

static void type(struct board_side *s, uint32_t at, const char *text)
{
    assert_int_equal(tdm_board_text_insert(s->board, note, at, text, strlen(text)), TDM_OK);
}

static void erase(struct board_side *s, uint32_t at, uint32_t count)
{
    assert_int_equal(tdm_board_text_delete(s->board, note, at, count), TDM_OK);
}

static void test_words_typed_at_once_stay_whole(void **state)
{
    (void)state;
    type(&sides[0], 0, "[]");
    side_meet(&sides[0], &sides[1]);
    for (uint32_t i = 0; i < 5; i++) {
        type(&sides[0], 1 + i, (const char[2]){"anna!"[i], 0});
        type(&sides[1], 1 + i, (const char[2]){"berta"[i], 0});
    }
    side_meet(&sides[0], &sides[1]);
    assert_string_equal(read_text(&sides[0]), read_text(&sides[1]));
    assert_non_null(strstr(read_text(&sides[0]), "anna!"));
    assert_non_null(strstr(read_text(&sides[0]), "berta"));
    assert_int_equal(strlen(read_text(&sides[0])), 12);
}

static void test_what_is_typed_into_a_deleted_part_stays(void **state)
{
    (void)state;
    type(&sides[0], 0, "one two three");
    side_meet(&sides[0], &sides[1]);
    erase(&sides[0], 3, 7);
    type(&sides[1], 8, "and ");
    side_meet(&sides[0], &sides[1]);
    assert_string_equal(read_text(&sides[0]), "oneand ree");
    assert_string_equal(read_text(&sides[1]), "oneand ree");
}

static void test_a_caret_stays_with_its_character(void **state)
{
    struct tdm_board_caret caret;

    (void)state;
    type(&sides[0], 0, "hello world");
    side_meet(&sides[0], &sides[1]);
    caret = tdm_board_caret_at(sides[0].board, text_at(&sides[0]), 6);
    type(&sides[1], 0, ">> ");
    type(&sides[1], 14, "!");
    side_meet(&sides[0], &sides[1]);
    assert_int_equal(tdm_board_caret_index(sides[0].board, text_at(&sides[0]), caret), 9);
    erase(&sides[1], 3, 6); /* With the caret's own character. */
    side_meet(&sides[0], &sides[1]);
    assert_string_equal(read_text(&sides[0]), ">> world!");
    assert_int_equal(tdm_board_caret_index(sides[0].board, text_at(&sides[0]), caret), 3);
}

static void test_bad_text(void **state)
{
    (void)state;
    assert_int_equal(tdm_board_text_insert(sides[0].board, note, 0, "a\xff", 2), TDM_E_MALFORMED);
    assert_int_equal(tdm_board_text_insert(sides[0].board, note, 0, "\xed\xa0\x80", 3),
                     TDM_E_MALFORMED);
    type(&sides[0], 0, "a\x1b\x7f\xe2\x80\xaez\xc2\x85\t\n");
    assert_string_equal(read_text(&sides[0]), "a  \xef\xbf\xbdz\xc2\xa0\t\n");
    side_meet(&sides[0], &sides[1]);
    assert_string_equal(read_text(&sides[1]), read_text(&sides[0]));
    assert_int_equal(tdm_board_text_insert(sides[0].board, (struct tdm_board_id){9, 9}, 0, "a", 1),
                     TDM_E_GONE);
    erase(&sides[0], 90, 7); /* Behind the end. */
    erase(&sides[0], 7, UINT32_MAX);
    assert_string_equal(read_text(&sides[0]), "a  \xef\xbf\xbdz\xc2\xa0\t");
}

static void test_one_may_not_fill_everything(void **state)
{
    char piece[TDM_BOARD_TYPED_MAX];
    struct tdm_board_view view;

    (void)state;
    memset(piece, 'x', sizeof piece);
    for (uint32_t i = 0; i < TDM_BOARD_TEXT_MAX / TDM_BOARD_TYPED_MAX; i++) {
        side_room(&sides[0]);
        assert_int_equal(tdm_board_text_insert(sides[0].board, note, 0, piece, sizeof piece),
                         TDM_OK);
        side_meet(&sides[0], &sides[1]);
    }
    assert_int_equal(tdm_board_text_insert(sides[0].board, note, 0, "y", 1), TDM_E_DENIED);
    type(&sides[1], 0, "y"); /* Its own share. */
    side_meet(&sides[0], &sides[1]);
    tdm_board_read(sides[0].board, text_at(&sides[0]), &view);
    assert_int_equal(view.characters, TDM_BOARD_TEXT_MAX + 1);
    assert_true(side_same(&sides[0], &sides[1]));
}

/* A step of one side. */
static void edit(struct tdm_rng *rng, struct board_side *s)
{
    static const char *const words[] = {"a", "bc", "def", "0123456789", ".", " "};
    struct tdm_board_view view;
    struct tdm_board_undone undone = {0};
    uint32_t what = tdm_rng_below(rng, 12);

    tdm_board_read(s->board, text_at(s), &view);
    uint32_t at = tdm_rng_below(rng, view.characters + 1);

    if (what < 7)
        type(s, at, words[tdm_rng_below(rng, 6)]);
    else if (what < 10)
        erase(s, at, 1 + tdm_rng_below(rng, 9));
    else if (what == 10)
        (void)!tdm_board_undo(s->board, &undone);
    else
        (void)!tdm_board_redo(s->board, &undone);
}

static void test_any_schedule_is_what_the_definition_says(void **state)
{
    static struct model model;
    static struct letter letters[LETTERS];
    static char expected[MODEL_CHARS];

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        size_t count = 0;

        close_sides(NULL);
        open_sides(NULL);
        model = (struct model){.first_actor = 100};
        for (int step = 0; step < LETTERS; step++) {
            struct board_side *s = &sides[tdm_rng_below(&rng, SIDES)];
            struct letter *l = &letters[count++];
            const uint8_t *fresh;

            side_room(s);
            for (uint32_t i = tdm_rng_below(&rng, 4); i; i--)
                edit(&rng, s);
            fresh = tdm_board_fresh(s->board, &l->size);
            assert_true(l->size <= sizeof l->bytes);
            memcpy(l->bytes, fresh, l->size);
            tdm_board_fresh_done(s->board);
            model_take(&model, l->bytes, l->size);
            /* Anything that was ever said comes to anybody, in any order and again. */
            for (int i = 0; i < 3; i++) {
                const struct letter *old = &letters[tdm_rng_below(&rng, (uint32_t)count)];

                assert_int_equal(
                    side_apply(&sides[tdm_rng_below(&rng, SIDES)], old->bytes, old->size, NULL),
                    TDM_OK);
            }
        }
        for (int i = 0; i < SIDES; i++)
            for (size_t k = count; k--;)
                assert_int_equal(side_apply(&sides[i], letters[k].bytes, letters[k].size, NULL),
                                 TDM_OK);
        size_t size = model_text(&model, expected);

        for (int i = 0; i < SIDES; i++) {
            assert_int_equal(tdm_board_text(text_at(&sides[i]), NULL, 0), size);
            assert_memory_equal(read_text(&sides[i]), expected, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words_typed_at_once_stay_whole, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_what_is_typed_into_a_deleted_part_stays, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_a_caret_stays_with_its_character, open_sides,
                                        close_sides),
        cmocka_unit_test_setup_teardown(test_bad_text, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_one_may_not_fill_everything, open_sides, close_sides),
        cmocka_unit_test_setup_teardown(test_any_schedule_is_what_the_definition_says, open_sides,
                                        close_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

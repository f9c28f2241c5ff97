/* SPDX-License-Identifier: MIT */
/*
 * Bytes are what three people do to one text, and which of what they said comes to whom, and when.
 * Checked: once all has come to all, the text is what its definition says (board_model.h), on each
 * of them and on one who gets a snapshot.
 */

#include "tests/unit/collab/board_sides.h"

#include "tests/unit/collab/board_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIDES        3
#define LETTERS      128
#define LETTER_BYTES 1024
#define EDITS        64

static struct board_side sides[SIDES + 1];
static struct model model;
static struct letter {
    uint8_t bytes[LETTER_BYTES];
    size_t size;
} letters[LETTERS];
static size_t letter_count;
static struct tdm_board_id note;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void restart(struct board_side *s, uint32_t actor)
{
    if (!s->storage)
        side_open(s, actor);
    s->board = tdm_board_init(s->storage, actor);
    for (size_t i = 0; i < s->block_count; i++)
        tdm_board_give(s->board, s->blocks[i], BOARD_SIDE_BLOCK);
    side_room(s);
}

/* What a side made since is a letter to all. */
static void say(struct board_side *s)
{
    size_t size;
    const uint8_t *fresh = tdm_board_fresh(s->board, &size);

    check(letter_count < LETTERS && size <= LETTER_BYTES);
    memcpy(letters[letter_count].bytes, fresh, size);
    letters[letter_count++].size = size;
    model_take(&model, fresh, size);
    tdm_board_fresh_done(s->board);
}

static void take(struct board_side *s, const struct letter *l)
{
    check(side_apply(s, l->bytes, l->size, NULL) == TDM_OK);
}

/* `what`: in its two low bits whose turn it is, above them what is done. */
static void step(uint8_t what, uint8_t at)
{
    struct board_side *s = &sides[(what & 3) % SIDES];
    struct tdm_board_undone undone = {0};
    char words[8];
    size_t size = 1 + (what >> 2) % 7;

    side_room(s);
    if (what >= 192) {
        take(s, &letters[at % letter_count]);
        return;
    }
    if (what >= 184)
        (void)!(what & 4 ? tdm_board_redo(s->board, &undone) : tdm_board_undo(s->board, &undone));
    else if (what >= 112)
        (void)!tdm_board_text_delete(s->board, note, at, (uint32_t)size);
    else {
        for (size_t i = 0; i < size; i++)
            words[i] = (char)('a' + (at + i) % 26);
        (void)!tdm_board_text_insert(s->board, note, at, words, size);
    }
    say(s);
}

static void compare(const struct board_side *s, const char *expected, size_t size)
{
    static char text[MODEL_CHARS];
    const struct tdm_board_object *o = tdm_board_find(s->board, note);

    check(o && tdm_board_text(o, text, sizeof text) == size && !memcmp(text, expected, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char expected[MODEL_CHARS];
    static struct tdm_board_since since;
    static uint8_t room[TDM_BOARD_SINCE_MIN];

    model = (struct model){.first_actor = 100};
    letter_count = 0;
    for (uint32_t i = 0; i <= SIDES; i++)
        restart(&sides[i], 100 + i);
    check(tdm_board_add(sides[0].board, TDM_BOARD_TEXT, NULL, 0, &note) == TDM_OK);
    say(&sides[0]);
    for (size_t i = 0; i + 1 < size && letter_count < EDITS; i += 2)
        step(data[i], data[i + 1]);
    for (int i = 0; i < SIDES; i++)
        for (size_t k = letter_count; k--;)
            take(&sides[i], &letters[k]);
    size_t length = model_text(&model, expected);

    for (int i = 0; i < SIDES; i++)
        compare(&sides[i], expected, length);
    since = (struct tdm_board_since){0};
    while (!since.done) {
        size_t some = tdm_board_since(sides[1].board, &since, room, sizeof room);

        check(side_apply(&sides[SIDES], room, some, NULL) == TDM_OK);
    }
    compare(&sides[SIDES], expected, length);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Lines are requests of a program on a board. Checked: nothing is read or written outside, what is
 * refused has changed nothing, and a replica that gets what the requests made is the same.
 */
#include "engine/board_request.h"
#include "tests/unit/collab/board_sides.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BLOCKS_MAX   8
#define REQUESTS_MAX 64

static struct board_side here, there;

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

static void pass(void)
{
    size_t size;
    const uint8_t *fresh = tdm_board_fresh(here.board, &size);

    check(side_apply(&there, fresh, size, NULL) == TDM_OK);
    tdm_board_fresh_done(here.board);
}

static bool relieve(void *arg, enum tdm_err err)
{
    (void)arg;
    if (err == TDM_E_AGAIN) {
        pass();
        return true;
    }
    if (here.block_count == BLOCKS_MAX)
        return false;
    side_give(&here);
    return true;
}

static void request(const char *line, size_t size)
{
    const struct tdm_board_desk desk = {.board = here.board, .relieve = relieve};
    uint8_t before[TDM_BOARD_DIGEST_BYTES], after[TDM_BOARD_DIGEST_BYTES];
    json_t *asked = json_loadb(line, size, 0, NULL), *answer = NULL;
    struct tdm_cause cause = {""};

    if (!json_is_object(asked)) {
        json_decref(asked);
        return;
    }
    bool undo = tdm_board_can_undo(here.board), redo = tdm_board_can_redo(here.board);

    tdm_board_digest(here.board, before);
    enum tdm_err err = tdm_board_request_do(&desk, asked, &answer, &cause);

    if (err != TDM_OK) {
        tdm_board_digest(here.board, after);
        check(!answer && cause.text[0] && memcmp(before, after, sizeof before) == 0);
        check(undo == tdm_board_can_undo(here.board) && redo == tdm_board_can_redo(here.board));
    }
    json_decref(answer);
    json_decref(asked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    int count = 0;

    if (size > 8192)
        return 0;
    restart(&here, 10);
    restart(&there, 11);
    while (size && count++ < REQUESTS_MAX) {
        const char *end = memchr(text, '\n', size);
        size_t line = end ? (size_t)(end - text) : size;

        request(text, line);
        line += end != NULL;
        text += line;
        size -= line;
    }
    pass();
    check(side_same(&here, &there));
    return 0;
}

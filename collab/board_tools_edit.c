/* SPDX-License-Identifier: MIT */
/* Edits of the document on behalf of the hand. */
#include "collab/board_tools_state.h"

#define TRIES_MAX 4096 /* Rooms that are asked for within one edit. */

/* How many operations are ours: an edit that changed nothing made none, and no step of undo. */
static uint32_t own_count(const struct tdm_board_tools *t)
{
    struct tdm_board_version versions[TDM_BOARD_ACTORS_MAX];
    size_t count = tdm_board_versions(t->board, versions, TDM_BOARD_ACTORS_MAX);

    for (size_t i = 0; i < count && i < TDM_BOARD_ACTORS_MAX; i++)
        if (versions[i].actor == tdm_board_actor(t->board))
            return versions[i].seq;
    return 0;
}

void tdm_hand_open(struct tdm_board_tools *t)
{
    if (t->step_open)
        return;
    t->step_open = true;
    t->step_seq = own_count(t);
    tdm_board_begin(t->board);
}

void tdm_hand_close(struct tdm_board_tools *t)
{
    if (!t->step_open)
        return;
    t->step_open = false;
    tdm_board_end(t->board);
    t->asked |= TDM_BOARD_ASK_BARS;
}

/* Whether an edit that failed is to be tried again. */
static bool again(struct tdm_board_tools *t, enum tdm_err err, int *tries)
{
    if (err == TDM_OK) {
        t->asked |= TDM_BOARD_ASK_EDITED;
        return false;
    }
    if (err != TDM_E_SPACE && err != TDM_E_AGAIN)
        return false;
    if ((*tries)++ < TRIES_MAX && t->sight.room(t->sight.arg))
        return true;
    t->asked |= TDM_BOARD_ASK_ROOM;
    return false;
}

void tdm_hand_take_back(struct tdm_board_tools *t)
{
    struct tdm_board_undone undone;
    enum tdm_err err;
    int tries = 0;

    if (!t->step_open)
        return;
    tdm_hand_close(t);
    if (own_count(t) == t->step_seq)
        return;
    do
        err = tdm_board_undo(t->board, &undone);
    while (again(t, err, &tries));
}

bool tdm_hand_add(struct tdm_board_tools *t, enum tdm_board_type type,
                  const struct tdm_board_value *values, size_t count, struct tdm_board_id *id)
{
    enum tdm_err err;
    int tries = 0;

    do
        err = tdm_board_add(t->board, type, values, count, id);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_set(struct tdm_board_tools *t, struct tdm_board_id id,
                  const struct tdm_board_value *values, size_t count)
{
    enum tdm_err err;
    int tries = 0;

    do
        err = tdm_board_set(t->board, id, values, count);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_set_int(struct tdm_board_tools *t, struct tdm_board_id id, enum tdm_board_prop prop,
                      int64_t number)
{
    struct tdm_board_value value = tdm_board_int(prop, number);

    return tdm_hand_set(t, id, &value, 1);
}

bool tdm_hand_delete(struct tdm_board_tools *t, struct tdm_board_id id)
{
    enum tdm_err err;
    int tries = 0;

    do
        err = tdm_board_delete(t->board, id);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_ink(struct tdm_board_tools *t, struct tdm_board_id id,
                  const struct tdm_board_point *points, size_t count)
{
    enum tdm_err err;
    int tries = 0;

    do
        err = tdm_board_ink(t->board, id, points, count);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_seal(struct tdm_board_tools *t, struct tdm_board_id id)
{
    enum tdm_err err;
    int tries = 0;

    do
        err = tdm_board_seal(t->board, id);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_insert(struct tdm_board_tools *t, struct tdm_board_id id, uint32_t at,
                     const char *text, size_t size)
{
    enum tdm_err err;
    int tries = 0;

    do
        err = tdm_board_text_insert(t->board, id, at, text, size);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_remove(struct tdm_board_tools *t, struct tdm_board_id id, uint32_t at, uint32_t count)
{
    enum tdm_err err;
    int tries = 0;

    if (!count)
        return true;
    do
        err = tdm_board_text_delete(t->board, id, at, count);
    while (again(t, err, &tries));
    return err == TDM_OK;
}

bool tdm_hand_read(const struct tdm_board_tools *t, struct tdm_board_id id,
                   struct tdm_board_view *view)
{
    const struct tdm_board_object *o = tdm_hand_none(id) ? NULL : tdm_board_find(t->board, id);

    if (!o)
        return false;
    tdm_board_read(t->board, o, view);
    return !view->deleted && tdm_board_same(view->page, t->page);
}

bool tdm_hand_has_text(uint32_t type)
{
    return type == TDM_BOARD_TEXT || type == TDM_BOARD_NOTE;
}

bool tdm_hand_is_line(const struct tdm_board_view *view)
{
    return (view->type == TDM_BOARD_LINE || view->type == TDM_BOARD_ARROW) && !view->points;
}

bool tdm_hand_is_ink(const struct tdm_board_view *view)
{
    return view->points > 0;
}

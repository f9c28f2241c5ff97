/* SPDX-License-Identifier: MIT */
/* Keys, and the commands that they and buttons give. */
#include "collab/board_tools_state.h"

#include <math.h>

static bool area_of(const struct tdm_board_tools *t, bool all, struct tdm_board_area *area)
{
    struct tdm_board_frame around = {INFINITY, INFINITY, -INFINITY, -INFINITY}, frame;
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page); o;
         o = tdm_board_above(o)) {
        struct tdm_board_id id = tdm_board_id_of(o);

        if ((!all && !tdm_hand_is_selected(t, id)) || !t->sight.frame(t->sight.arg, id, &frame))
            continue;
        tdm_board_read(t->board, o, &view);
        frame = tdm_hand_turned(frame, tdm_hand_radians(view.angle));
        around.left = fmin(around.left, frame.left);
        around.top = fmin(around.top, frame.top);
        around.right = fmax(around.right, frame.right);
        around.bottom = fmax(around.bottom, frame.bottom);
    }
    if (!(around.left <= around.right))
        return false;
    area->x = tdm_board_unit(around.left);
    area->y = tdm_board_unit(around.top);
    area->w = tdm_board_unit(around.right - around.left);
    area->h = tdm_board_unit(around.bottom - around.top);
    return true;
}

static bool order_view(struct tdm_board_tools *t, enum tdm_board_command command)
{
    struct tdm_board_canvas *c = &t->canvas;
    struct tdm_board_area area;
    double x = c->width / 2, y = c->height / 2;

    switch (command) {
    case TDM_BOARD_DO_ZOOM_IN:
    case TDM_BOARD_DO_ZOOM_OUT:
        tdm_board_canvas_zoom(c, tdm_board_canvas_step(c, command == TDM_BOARD_DO_ZOOM_IN), x, y);
        break;
    case TDM_BOARD_DO_ZOOM_WHOLE:
        tdm_board_canvas_zoom(c, 1, x, y);
        break;
    case TDM_BOARD_DO_ZOOM_ALL:
    case TDM_BOARD_DO_ZOOM_SELECTION:
        if (!area_of(t, command == TDM_BOARD_DO_ZOOM_ALL, &area))
            return true;
        tdm_board_canvas_fit(c, area, command == TDM_BOARD_DO_ZOOM_ALL ? 1 : 4);
        break;
    default:
        return false;
    }
    tdm_hand_view_moved(t);
    return true;
}

static void undo(struct tdm_board_tools *t, bool back)
{
    struct tdm_board_undone undone = {0, 0};
    enum tdm_err err;

    tdm_hand_end_gesture(t);
    tdm_hand_close(t);
    do {
        err = back ? tdm_board_undo(t->board, &undone) : tdm_board_redo(t->board, &undone);
    } while ((err == TDM_E_SPACE || err == TDM_E_AGAIN) && t->sight.room(t->sight.arg));
    if (err == TDM_E_SPACE || err == TDM_E_AGAIN)
        t->asked |= TDM_BOARD_ASK_ROOM;
    if (err == TDM_OK)
        t->asked |= TDM_BOARD_ASK_EDITED | TDM_BOARD_ASK_MARKS;
    if (err == TDM_OK && undone.kept)
        tdm_hand_say(t, "Not all of it: the other has changed it since");
    t->asked |= TDM_BOARD_ASK_BARS;
    tdm_hand_look_again(t);
}

static bool order_state(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    switch (command) {
    case TDM_BOARD_DO_TOOL:
        if (value < TDM_BOARD_TOOLS)
            tdm_hand_use(t, (enum tdm_board_tool)value);
        return true;
    case TDM_BOARD_DO_TOOL_LOCK:
        t->tool_stays = !t->tool_stays;
        break;
    case TDM_BOARD_DO_UNDO:
    case TDM_BOARD_DO_REDO:
        undo(t, command == TDM_BOARD_DO_UNDO);
        return true;
    case TDM_BOARD_DO_SNAP:
        t->snap = !t->snap;
        break;
    case TDM_BOARD_DO_FOLLOW:
        t->follows = !t->follows;
        t->asked |= TDM_BOARD_ASK_MARKS;
        break;
    case TDM_BOARD_DO_FOLLOW_ME:
        t->leads = !t->leads;
        t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
        break;
    default:
        return false;
    }
    t->asked |= TDM_BOARD_ASK_BARS;
    return true;
}

static void escape(struct tdm_board_tools *t)
{
    if (t->gesture != TDM_BOARD_IDLE) {
        tdm_hand_cancel(t);
    } else if (!tdm_hand_none(t->editing)) {
        struct tdm_board_id id = t->editing;
        struct tdm_board_view view;

        tdm_hand_edit_end(t);
        if (tdm_hand_read(t, id, &view))
            tdm_hand_made(t, id);
        else if (!t->tool_stays)
            tdm_hand_use(t, TDM_BOARD_TOOL_SELECT);
    } else if (t->selected_count) {
        tdm_hand_select_none(t);
    } else {
        tdm_hand_use(t, TDM_BOARD_TOOL_SELECT);
    }
}

void tdm_hand_command(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    if (command == TDM_BOARD_DO_SELECT_NONE) {
        escape(t);
    } else if (command >= TDM_BOARD_DO_HELP && command < TDM_BOARD_COMMANDS) {
        t->command = command;
        t->asked |= TDM_BOARD_ASK_COMMAND;
    } else if (order_state(t, command, value) || order_view(t, command)) {
        return;
    } else {
        /* These change the document: not in the middle of something else. */
        tdm_hand_end_gesture(t);
        if (tdm_hand_restyle(t, command, value) || tdm_hand_turn_page(t, command, value))
            return;
        (void)tdm_hand_order(t, command, value);
    }
}

void tdm_hand_key(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    static const struct {
        uint32_t key;
        double dx, dy;
    } steps[] = {{TDM_BOARD_KEY_LEFT, -1, 0},
                 {TDM_BOARD_KEY_RIGHT, 1, 0},
                 {TDM_BOARD_KEY_UP, 0, -1},
                 {TDM_BOARD_KEY_DOWN, 0, 1}};
    const struct tdm_board_shortcut *s = tdm_board_shortcut_of(in->key, in->mods);
    double step = in->mods & TDM_BOARD_SHIFT ? 10 : t->grid > 0 ? t->grid : 1;

    t->mods = in->mods;
    if (in->key != TDM_BOARD_KEY_ESCAPE && !tdm_hand_none(t->editing) && tdm_hand_edit_key(t, in))
        return;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (in->key == steps[i].key && !(in->mods & ~(uint32_t)TDM_BOARD_SHIFT)) {
            tdm_hand_nudge(t, steps[i].dx * step, steps[i].dy * step);
            return;
        }
    if (in->key == TDM_BOARD_KEY_ENTER && t->selected_count == 1) {
        struct tdm_board_view view;

        if (tdm_hand_read(t, t->selected[0], &view) && tdm_hand_has_text(view.type) && !view.locked)
            tdm_hand_edit(t, t->selected[0], true);
        return;
    }
    if (s)
        tdm_hand_command(t, s->command, s->value);
}

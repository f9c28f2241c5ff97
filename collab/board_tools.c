/* SPDX-License-Identifier: MIT */
/* One input after the other: which gesture it begins, carries on or ends. */
#include "collab/board_tools.h"

#include "collab/board_tools_state.h"

#include <math.h>
#include <string.h>

#define WHEEL_PAN   60.0 /* Pixels of a notch. */
#define WHEEL_ZOOM  1.15 /* Of a notch. */
#define LEFT        1
#define MIDDLE      2
#define RIGHT       3
#define LARGE_COUNT 256 /* Objects; more are written less often. */
#define LARGE_BEAT  (250 * TDM_MS)
#define INK_BEAT    (8 * TDM_MS)
#define TYPING      (1500 * TDM_MS) /* A pause that ends a step of undo. */

void tdm_board_tools_init(struct tdm_board_tools *t, struct tdm_board *board,
                          const struct tdm_board_sight *sight)
{
    memset(t, 0, sizeof *t);
    t->board = board;
    t->sight = *sight;
    t->canvas = (struct tdm_board_canvas){.zoom = 1, .width = 1280, .height = 800};
    t->tool = TDM_BOARD_TOOL_SELECT;
    t->snap = true;
    t->wish_x = NAN;
    t->style = (struct tdm_board_style){.colour = 0x1e1e1eff,
                                        .note_fill = 0xffe58fff,
                                        .marker_colour = 0xffd43bff,
                                        .width = 3 * TDM_BOARD_UNIT,
                                        .marker_width = 18 * TDM_BOARD_UNIT,
                                        .opacity = 255,
                                        .font_size = 24 * TDM_BOARD_UNIT,
                                        .corner = 8 * TDM_BOARD_UNIT};
    const struct tdm_board_object *first = tdm_board_lowest(board, TDM_BOARD_NONE);

    t->page = first ? tdm_board_id_of(board, first) : TDM_BOARD_FIRST_PAGE;
    sight->page(sight->arg, t->page);
}

void tdm_hand_say(struct tdm_board_tools *t, const char *say)
{
    t->say = say;
    t->asked |= TDM_BOARD_ASK_SAY;
}

void tdm_hand_use(struct tdm_board_tools *t, enum tdm_board_tool tool)
{
    if (tool == TDM_BOARD_TOOL_IMAGE) {
        t->asked |= TDM_BOARD_ASK_IMAGE;
        return;
    }
    tdm_hand_end_gesture(t);
    tdm_hand_edit_end(t);
    if (tool != TDM_BOARD_TOOL_SELECT)
        tdm_hand_select_none(t);
    t->tool = tool;
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

void tdm_hand_made(struct tdm_board_tools *t, struct tdm_board_id id)
{
    if (t->tool_stays)
        return;
    t->tool = TDM_BOARD_TOOL_SELECT;
    tdm_hand_select_none(t);
    tdm_hand_select(t, id, true);
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

static void view_moved(struct tdm_board_tools *t)
{
    t->follows = false;
    t->here_x = tdm_board_canvas_x(&t->canvas, t->at_x);
    t->here_y = tdm_board_canvas_y(&t->canvas, t->at_y);
    t->asked |= TDM_BOARD_ASK_VIEW | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE | TDM_BOARD_ASK_BARS;
}

/* Gestures ------------------------------------------------------------------------------------ */

static bool draws(const struct tdm_board_tools *t)
{
    return t->tool >= TDM_BOARD_TOOL_PEN && t->tool <= TDM_BOARD_TOOL_LASER;
}

/* What is under the pointer is selected, or a band begins. */
static void down_select(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    double reach = in->device == TDM_DEVICE_TOUCH ? TDM_HAND_TOUCH_REACH : TDM_HAND_REACH;
    struct tdm_board_id id = TDM_BOARD_NONE;
    struct tdm_board_view view;
    bool shift = in->mods & TDM_BOARD_SHIFT;

    t->handle = tdm_hand_handle_at(t, t->at_x, t->at_y, reach + 2);
    if (t->handle != TDM_BOARD_HANDLE_NONE) {
        tdm_hand_start_change(t, t->handle == TDM_BOARD_HANDLE_TURN ? TDM_BOARD_TURNS
                                                                    : TDM_BOARD_RESIZES);
        return;
    }
    bool hit = tdm_hand_hit(t, t->here_x, t->here_y, &id) && tdm_hand_read(t, id, &view);

    t->pressed = hit ? id : TDM_BOARD_NONE;
    if (in->clicks == 2 && !shift) {
        if (hit && tdm_hand_has_text(view.type) && !view.locked)
            tdm_hand_edit(t, id, false);
        else if (hit && !tdm_hand_none(view.group))
            tdm_hand_select_none(t), tdm_hand_select(t, id, true);
        else if (!hit)
            tdm_hand_edit_new(t, t->here_x, t->here_y, 0);
        return;
    }
    if (!hit && tdm_hand_in_box(t, t->here_x, t->here_y) && !shift) {
        tdm_hand_start_change(t, TDM_BOARD_MOVES);
        return;
    }
    if (!hit) {
        if (!shift)
            tdm_hand_select_none(t);
        t->gesture = TDM_BOARD_BANDS;
        t->add = shift;
        t->band = (struct tdm_board_frame){t->here_x, t->here_y, t->here_x, t->here_y};
        return;
    }
    if (shift && tdm_hand_is_selected(t, id)) {
        tdm_hand_unselect(t, id);
        return;
    }
    if (!tdm_hand_is_selected(t, id)) {
        if (!shift)
            tdm_hand_select_none(t);
        tdm_hand_select(t, id, false);
    }
    if (!view.locked)
        tdm_hand_start_change(t, TDM_BOARD_MOVES);
}

static void begin_gesture(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    t->device = in->device;
    t->button = in->button;
    t->moved = t->dirty = false;
    t->begun_at = t->beat_at = t->now;
    t->from_x = t->last_x = t->here_x;
    t->from_y = t->last_y = t->here_y;
    t->from_wx = t->at_x;
    t->from_wy = t->at_y;
    t->made = t->pressed = TDM_BOARD_NONE;
    t->guide_count = 0;
}

static void down(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (t->gesture != TDM_BOARD_IDLE)
        return;
    begin_gesture(t, in);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
    if (in->button == MIDDLE || (in->mods & TDM_BOARD_SPACE) ||
        (in->button == LEFT && t->tool == TDM_BOARD_TOOL_HAND)) {
        t->gesture = TDM_BOARD_PANS;
        return;
    }
    if (!tdm_hand_none(t->editing)) {
        if (in->button == LEFT && tdm_hand_edit_over(t, t->here_x, t->here_y)) {
            tdm_hand_edit_down(t, in);
            return;
        }
        bool was_text = t->tool == TDM_BOARD_TOOL_TEXT;

        tdm_hand_edit_end(t);
        if (was_text && !t->tool_stays)
            t->tool = TDM_BOARD_TOOL_SELECT;
    }
    if (in->button == RIGHT) {
        struct tdm_board_id id;

        if (tdm_hand_hit(t, t->here_x, t->here_y, &id) && !tdm_hand_is_selected(t, id)) {
            tdm_hand_select_none(t);
            tdm_hand_select(t, id, false);
        }
        return;
    }
    if (in->button != LEFT)
        return;
    if (draws(t) || in->device == TDM_DEVICE_RUBBER)
        tdm_hand_draw_begin(t, in);
    else
        down_select(t, in);
}

static void hover(struct tdm_board_tools *t)
{
    enum tdm_board_handle over = TDM_BOARD_HANDLE_NONE;
    struct tdm_board_id id = TDM_BOARD_NONE;
    bool over_box = false;

    if (t->tool == TDM_BOARD_TOOL_SELECT && t->inside && tdm_hand_none(t->editing)) {
        over = tdm_hand_handle_at(t, t->at_x, t->at_y, TDM_HAND_REACH + 2);
        if (over == TDM_BOARD_HANDLE_NONE) {
            if (!tdm_hand_hit(t, t->here_x, t->here_y, &id))
                id = TDM_BOARD_NONE;
            over_box = !tdm_hand_none(id) || tdm_hand_in_box(t, t->here_x, t->here_y);
        }
    }
    if (over != t->over || over_box != t->over_box || !tdm_board_same(id, t->hover))
        t->asked |= TDM_BOARD_ASK_MARKS;
    t->over = over;
    t->over_box = over_box;
    t->hover = id;
}

/* What changes the document at most once a beat. */
static void write_gesture(struct tdm_board_tools *t)
{
    if (!t->dirty)
        return;
    t->dirty = false;
    t->beat_at = t->now;
    if (t->gesture == TDM_BOARD_SHAPES)
        tdm_hand_draw_write(t);
    else
        tdm_hand_apply(t);
}

static tdm_time beat_of(const struct tdm_board_tools *t)
{
    return t->start_count > LARGE_COUNT && t->gesture != TDM_BOARD_SHAPES ? LARGE_BEAT
                                                                          : TDM_BOARD_TOOLS_BEAT;
}

static void drag(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (!t->moved && hypot(t->at_x - t->from_wx, t->at_y - t->from_wy) < TDM_HAND_SLACK &&
        t->gesture != TDM_BOARD_DRAWS && t->gesture != TDM_BOARD_ERASES)
        return;
    t->moved = true;
    t->asked |= TDM_BOARD_ASK_MARKS;
    switch (t->gesture) {
    case TDM_BOARD_PANS:
        break;
    case TDM_BOARD_BANDS:
        t->band.right = t->here_x;
        t->band.bottom = t->here_y;
        tdm_hand_band(t);
        break;
    case TDM_BOARD_MOVES:
    case TDM_BOARD_RESIZES:
    case TDM_BOARD_TURNS:
        tdm_hand_change(t);
        t->dirty = true;
        break;
    case TDM_BOARD_MARKS_TEXT:
        tdm_hand_edit_drag(t);
        break;
    case TDM_BOARD_SHAPES:
        t->dirty = true;
        break;
    default:
        tdm_hand_draw(t, in);
        break;
    }
    if (t->dirty && t->now - t->beat_at >= beat_of(t))
        write_gesture(t);
}

static void move(struct tdm_board_tools *t, const struct tdm_board_in *in, double dx, double dy)
{
    if (t->gesture == TDM_BOARD_PANS) {
        tdm_board_canvas_pan(&t->canvas, dx, dy);
        view_moved(t);
    } else if (t->gesture != TDM_BOARD_IDLE) {
        drag(t, in);
    } else {
        hover(t);
    }
    t->asked |= TDM_BOARD_ASK_LIVE;
}

void tdm_hand_end_gesture(struct tdm_board_tools *t)
{
    enum tdm_board_gesture gesture = t->gesture;

    if (gesture == TDM_BOARD_IDLE)
        return;
    write_gesture(t);
    if (gesture == TDM_BOARD_DRAWS || gesture == TDM_BOARD_SHAPES || gesture == TDM_BOARD_ERASES ||
        gesture == TDM_BOARD_POINTS)
        tdm_hand_draw_end(t);
    t->gesture = TDM_BOARD_IDLE;
    t->guide_count = t->near_count = t->start_count = 0;
    if (tdm_hand_none(t->editing))
        tdm_hand_close(t);
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

static void up(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    bool click = !t->moved && t->gesture == TDM_BOARD_MOVES;

    if (t->gesture == TDM_BOARD_IDLE || in->button != t->button)
        return;
    tdm_hand_end_gesture(t);
    /* A click on one of many means that one. */
    if (click && !(in->mods & TDM_BOARD_SHIFT) && !tdm_hand_none(t->pressed) &&
        t->selected_count > 1) {
        tdm_hand_select_none(t);
        tdm_hand_select(t, t->pressed, false);
    }
    hover(t);
}

/* Escape: what a gesture did is undone. */
static void cancel(struct tdm_board_tools *t)
{
    if (t->gesture == TDM_BOARD_IDLE)
        return;
    t->gesture = TDM_BOARD_IDLE;
    t->dirty = false;
    t->ink_count = 0;
    t->guide_count = t->near_count = t->start_count = 0;
    tdm_hand_take_back(t);
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

/* Two fingers ---------------------------------------------------------------------------------- */

static int finger(const struct tdm_board_tools *t, uint32_t touch)
{
    for (uint32_t i = 0; i < t->finger_count; i++)
        if (t->fingers[i] == touch)
            return (int)i;
    return -1;
}

static void pinch(struct tdm_board_tools *t, int which)
{
    int other = 1 - which;
    double x = t->finger_x[which], y = t->finger_y[which];
    double before = hypot(x - t->finger_x[other], y - t->finger_y[other]);
    double now = hypot(t->at_x - t->finger_x[other], t->at_y - t->finger_y[other]);

    tdm_board_canvas_pan(&t->canvas, (t->at_x - x) / 2, (t->at_y - y) / 2);
    if (before > 1 && now > 1)
        tdm_board_canvas_zoom(&t->canvas, t->canvas.zoom * now / before,
                              (t->at_x + t->finger_x[other]) / 2,
                              (t->at_y + t->finger_y[other]) / 2);
    view_moved(t);
}

/* @return whether a second finger makes of this something else than the pointer. */
static bool touch(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    int which = finger(t, in->touch);

    if (in->kind == TDM_BOARD_IN_DOWN && which < 0 && t->finger_count < TDM_BOARD_FINGERS) {
        which = (int)t->finger_count++;
        t->fingers[which] = in->touch;
        if (t->finger_count == TDM_BOARD_FINGERS)
            cancel(t); /* The first one meant no ink. */
    } else if (which < 0) {
        return true;
    }
    bool two = t->finger_count == TDM_BOARD_FINGERS || t->fingers_left;

    if (in->kind == TDM_BOARD_IN_MOVE && t->finger_count == TDM_BOARD_FINGERS)
        pinch(t, which);
    t->finger_x[which] = t->at_x;
    t->finger_y[which] = t->at_y;
    if (in->kind == TDM_BOARD_IN_UP) {
        t->fingers_left = t->finger_count == TDM_BOARD_FINGERS;
        t->finger_count--;
        if (which == 0) {
            t->fingers[0] = t->fingers[1];
            t->finger_x[0] = t->finger_x[1];
            t->finger_y[0] = t->finger_y[1];
        }
        if (t->finger_count == 0)
            t->fingers_left = false;
    }
    return two;
}

static void point(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    double x = tdm_board_finite(in->x, TDM_BOARD_PIXEL_MAX);
    double y = tdm_board_finite(in->y, TDM_BOARD_PIXEL_MAX);
    double dx = x - t->at_x, dy = y - t->at_y;

    t->inside = true;
    t->at_x = x;
    t->at_y = y;
    t->here_x = tdm_board_finite(tdm_board_canvas_x(&t->canvas, x), TDM_BOARD_EDGE);
    t->here_y = tdm_board_finite(tdm_board_canvas_y(&t->canvas, y), TDM_BOARD_EDGE);
    t->mods = in->mods;
    if (in->device == TDM_DEVICE_TOUCH && touch(t, in))
        return;
    if (in->kind == TDM_BOARD_IN_DOWN)
        down(t, in);
    else if (in->kind == TDM_BOARD_IN_MOVE)
        move(t, in, dx, dy);
    else
        up(t, in);
}

static void wheel(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    double dx = tdm_board_finite(in->dx, 100), dy = tdm_board_finite(in->dy, 100);

    if (in->mods & TDM_BOARD_CTRL) {
        tdm_board_canvas_zoom(&t->canvas, t->canvas.zoom * pow(WHEEL_ZOOM, -dy), in->x, in->y);
    } else {
        bool turned = in->mods & TDM_BOARD_SHIFT;

        tdm_board_canvas_pan(&t->canvas, -WHEEL_PAN * (turned ? dy : dx),
                             -WHEEL_PAN * (turned ? dx : dy));
    }
    view_moved(t);
    if (t->gesture != TDM_BOARD_IDLE && t->gesture != TDM_BOARD_PANS)
        drag(t, in);
}

/* Commands --------------------------------------------------------------------------------------
 */

static bool area_of(const struct tdm_board_tools *t, bool all, struct tdm_board_area *area)
{
    struct tdm_board_frame around = {INFINITY, INFINITY, -INFINITY, -INFINITY}, frame;
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page); o;
         o = tdm_board_above(o)) {
        struct tdm_board_id id = tdm_board_id_of(t->board, o);

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
    view_moved(t);
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
    case TDM_BOARD_DO_GRID:
        t->grid = !t->grid;
        t->asked |= TDM_BOARD_ASK_VIEW;
        break;
    case TDM_BOARD_DO_SNAP:
        t->snap = !t->snap;
        break;
    case TDM_BOARD_DO_FOLLOW:
        t->follows = !t->follows;
        break;
    case TDM_BOARD_DO_FOLLOW_ME:
        t->leads = !t->leads;
        t->asked |= TDM_BOARD_ASK_LIVE;
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
        cancel(t);
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

static void command(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
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

static void key(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    static const struct {
        uint32_t key;
        double dx, dy;
    } steps[] = {{TDM_BOARD_KEY_LEFT, -1, 0},
                 {TDM_BOARD_KEY_RIGHT, 1, 0},
                 {TDM_BOARD_KEY_UP, 0, -1},
                 {TDM_BOARD_KEY_DOWN, 0, 1}};
    const struct tdm_board_shortcut *s = tdm_board_shortcut_of(in->key, in->mods);
    double step = in->mods & TDM_BOARD_SHIFT ? 10 : t->grid ? TDM_BOARD_GRID_STEP : 1;

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
        command(t, s->command, s->value);
}

static void follow(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (!t->follows || in->area.w <= 0 || in->area.h <= 0)
        return;
    if (!tdm_board_same(in->page, t->page) && tdm_board_find(t->board, in->page))
        tdm_hand_go_to(t, in->page);
    double w = (double)in->area.w / TDM_BOARD_UNIT, h = (double)in->area.h / TDM_BOARD_UNIT;
    struct tdm_board_canvas *c = &t->canvas;

    c->zoom = fmax(TDM_BOARD_ZOOM_MIN, fmin(TDM_BOARD_ZOOM_MAX, fmin(c->width / w, c->height / h)));
    c->x = (double)in->area.x / TDM_BOARD_UNIT - (c->width / c->zoom - w) / 2;
    c->y = (double)in->area.y / TDM_BOARD_UNIT - (c->height / c->zoom - h) / 2;
    view_moved(t);
    t->follows = true;
}

static void resize(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    t->canvas.width = fmax(1, tdm_board_finite(in->x, TDM_BOARD_PIXEL_MAX));
    t->canvas.height = fmax(1, tdm_board_finite(in->y, TDM_BOARD_PIXEL_MAX));
    t->asked |= TDM_BOARD_ASK_VIEW | TDM_BOARD_ASK_LIVE;
}

/* Somebody else changed the document: what we hold on to may be gone. */
static void remote(struct tdm_board_tools *t)
{
    const struct tdm_board_object *page = tdm_board_find(t->board, t->page);
    struct tdm_board_view view;

    if (page)
        tdm_board_read(t->board, page, &view);
    if (!page || view.deleted) {
        const struct tdm_board_object *first = tdm_board_lowest(t->board, TDM_BOARD_NONE);

        if (first) {
            tdm_hand_say(t, "The other deleted the page");
            tdm_hand_go_to(t, tdm_board_id_of(t->board, first));
        }
    }
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_BARS;
}

static void dispatch(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    switch (in->kind) {
    case TDM_BOARD_IN_TIME:
        break;
    case TDM_BOARD_IN_DOWN:
    case TDM_BOARD_IN_MOVE:
    case TDM_BOARD_IN_UP:
        point(t, in);
        break;
    case TDM_BOARD_IN_LEAVE:
        t->inside = false;
        hover(t);
        t->asked |= TDM_BOARD_ASK_LIVE;
        break;
    case TDM_BOARD_IN_CANCEL:
        t->finger_count = 0;
        t->fingers_left = false;
        cancel(t);
        break;
    case TDM_BOARD_IN_WHEEL:
        wheel(t, in);
        break;
    case TDM_BOARD_IN_PINCH:
        tdm_board_canvas_pan(&t->canvas, in->dx, in->dy);
        tdm_board_canvas_zoom(&t->canvas, t->canvas.zoom * tdm_board_finite(in->scale, 100), in->x,
                              in->y);
        view_moved(t);
        break;
    case TDM_BOARD_IN_KEY:
        key(t, in);
        break;
    case TDM_BOARD_IN_TEXT:
        if (!tdm_hand_none(t->editing))
            tdm_hand_edit_type(t, in->text, in->size);
        else
            tdm_hand_paste_text(t, in);
        break;
    case TDM_BOARD_IN_COMPOSE:
        t->compose_size = in->size < TDM_BOARD_COMPOSE_MAX ? (uint32_t)in->size : 0;
        if (t->compose_size)
            memcpy(t->compose, in->text, t->compose_size);
        t->asked |= TDM_BOARD_ASK_MARKS;
        break;
    case TDM_BOARD_IN_COMMAND:
        command(t, in->command, in->value);
        break;
    case TDM_BOARD_IN_RESIZE:
        resize(t, in);
        break;
    case TDM_BOARD_IN_IMAGE:
        tdm_hand_place_image(t, in);
        break;
    case TDM_BOARD_IN_CLIP:
        tdm_hand_paste(t, in);
        break;
    case TDM_BOARD_IN_VIEW:
        follow(t, in);
        break;
    case TDM_BOARD_IN_COPIED:
        tdm_hand_copied(t);
        break;
    case TDM_BOARD_IN_REMOTE:
        remote(t);
        break;
    }
}

/* What was put off. @return when there is more of it. */
static tdm_time catch_up(struct tdm_board_tools *t)
{
    tdm_time wake = TDM_NEVER;

    if (t->dirty && t->now - t->beat_at >= beat_of(t))
        write_gesture(t);
    if (t->dirty)
        wake = t->beat_at + beat_of(t);
    if (t->gesture == TDM_BOARD_DRAWS && t->ink_count) {
        if (t->now - t->ink_put >= INK_BEAT)
            tdm_hand_draw_write(t);
        if (t->ink_count)
            wake = tdm_time_min(wake, t->ink_put + INK_BEAT);
    }
    tdm_hand_laser_age(t);
    if (t->laser_count)
        wake = tdm_time_min(wake, t->now + TDM_BOARD_TOOLS_BEAT);
    if (!tdm_hand_none(t->editing) && t->step_open && t->gesture == TDM_BOARD_IDLE &&
        !t->fresh_text) {
        if (t->now - t->typed_at >= TYPING)
            tdm_hand_close(t);
        else
            wake = tdm_time_min(wake, t->typed_at + TYPING);
    }
    return wake;
}

void tdm_board_tools_step(struct tdm_board_tools *t, tdm_time now, const struct tdm_board_in *in,
                          struct tdm_board_out *out)
{
    t->now = now;
    t->asked = 0;
    t->say = NULL;
    t->command = TDM_BOARD_DO_NOTHING;
    dispatch(t, in);
    out->wake_at = catch_up(t);
    out->asked = t->asked;
    out->command = t->command;
    out->say = t->say;
}

void tdm_board_tools_live(const struct tdm_board_tools *t, struct tdm_board_live *live)
{
    struct tdm_board_area area = tdm_board_canvas_area(&t->canvas);

    live->page = t->page;
    live->cursor = t->inside;
    live->pressed = t->gesture != TDM_BOARD_IDLE && t->gesture != TDM_BOARD_PANS;
    live->tool = (uint8_t)t->tool;
    live->x = tdm_board_unit(t->here_x);
    live->y = tdm_board_unit(t->here_y);
    live->view_x = area.x;
    live->view_y = area.y;
    live->view_w = area.w;
    live->view_h = area.h;
    live->presenting = t->leads;
    live->laser_stroke = t->laser_stroke;
    live->laser_count = 0;
    for (uint32_t i = t->laser_count > TDM_BOARD_LASER_MAX ? t->laser_count - TDM_BOARD_LASER_MAX
                                                           : 0;
         i < t->laser_count; i++)
        live->laser[live->laser_count++] = (struct tdm_board_live_point){
            tdm_board_unit(t->laser[i].x), tdm_board_unit(t->laser[i].y)};
    live->selected_count = 0;
    for (uint32_t i = 0; i < t->selected_count && i < TDM_BOARD_SELECTED_MAX; i++)
        live->selected[live->selected_count++] = t->selected[i];
    live->preview = 0;
    live->caret_object = t->editing;
    live->caret = 0;
    const struct tdm_board_object *o =
        tdm_hand_none(t->editing) ? NULL : tdm_board_find(t->board, t->editing);

    if (o)
        live->caret = tdm_board_caret_index(t->board, o, t->caret);
}

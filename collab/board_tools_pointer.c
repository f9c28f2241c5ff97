/* SPDX-License-Identifier: MIT */
/* The pointer, fingers and the wheel: which gesture they begin, carry on or end. */
#include "collab/board_tools_state.h"

#include <math.h>

#define WHEEL_PAN   60.0 /* Pixels of a notch. */
#define WHEEL_ZOOM  1.15 /* Of a notch. */
#define LEFT        1
#define MIDDLE      2
#define RIGHT       3
#define LARGE_COUNT 256 /* Objects; more are written less often. */
#define LARGE_BEAT  (250 * TDM_MS)

void tdm_hand_view_moved(struct tdm_board_tools *t)
{
    t->follows = false;
    t->here_x = tdm_board_canvas_x(&t->canvas, t->at_x);
    t->here_y = tdm_board_canvas_y(&t->canvas, t->at_y);
    t->asked |= TDM_BOARD_ASK_VIEW | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE | TDM_BOARD_ASK_BARS;
}

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

    /* A double click means what is under it, also where a small box is all handles. */
    t->handle = in->clicks == 2 ? TDM_BOARD_HANDLE_NONE
                                : tdm_hand_handle_at(t, t->at_x, t->at_y, reach + 2);
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

void tdm_hand_hover(struct tdm_board_tools *t)
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
        tdm_hand_view_moved(t);
    } else if (t->gesture != TDM_BOARD_IDLE) {
        drag(t, in);
    } else {
        tdm_hand_hover(t);
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
    tdm_hand_hover(t);
}

/* Escape: what a gesture did is undone. */
void tdm_hand_cancel(struct tdm_board_tools *t)
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
    tdm_hand_view_moved(t);
}

/* @return whether a second finger makes of this something else than the pointer. */
static bool touch(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    int which = finger(t, in->touch);

    if (in->kind == TDM_BOARD_IN_DOWN && which < 0 && t->finger_count < TDM_BOARD_FINGERS) {
        which = (int)t->finger_count++;
        t->fingers[which] = in->touch;
        if (t->finger_count == TDM_BOARD_FINGERS)
            tdm_hand_cancel(t); /* The first one meant no ink. */
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

void tdm_hand_point(struct tdm_board_tools *t, const struct tdm_board_in *in)
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

void tdm_hand_wheel(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    double dx = tdm_board_finite(in->dx, 100), dy = tdm_board_finite(in->dy, 100);

    if (in->mods & TDM_BOARD_CTRL) {
        tdm_board_canvas_zoom(&t->canvas, t->canvas.zoom * pow(WHEEL_ZOOM, -dy), in->x, in->y);
    } else {
        bool turned = in->mods & TDM_BOARD_SHIFT;

        tdm_board_canvas_pan(&t->canvas, -WHEEL_PAN * (turned ? dy : dx),
                             -WHEEL_PAN * (turned ? dx : dy));
    }
    tdm_hand_view_moved(t);
    if (t->gesture != TDM_BOARD_IDLE && t->gesture != TDM_BOARD_PANS)
        drag(t, in);
}

tdm_time tdm_hand_catch_up(struct tdm_board_tools *t)
{
    if (t->dirty && t->now - t->beat_at >= beat_of(t))
        write_gesture(t);
    return t->dirty ? t->beat_at + beat_of(t) : TDM_NEVER;
}

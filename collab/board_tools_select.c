/* SPDX-License-Identifier: MIT */
/* What is selected, and the box with handles around it. */
#include "collab/board_tools_state.h"

#include <math.h>

#define TURNS_UNITS 65536.0
#define SIDE_MIN    36.0 /* Pixels: on shorter sides there is no handle in their middle. */
#define PI          3.14159265358979323846

double tdm_hand_radians(uint16_t angle)
{
    return angle * (2 * PI / TURNS_UNITS);
}

uint16_t tdm_hand_turns(double radians)
{
    double turns = tdm_board_finite(radians, 1000) / (2 * PI);

    return (uint16_t)lrint((turns - floor(turns)) * TURNS_UNITS);
}

void tdm_hand_turn_point(double *x, double *y, double middle_x, double middle_y, double angle)
{
    double dx = *x - middle_x, dy = *y - middle_y;

    *x = middle_x + dx * cos(angle) - dy * sin(angle);
    *y = middle_y + dx * sin(angle) + dy * cos(angle);
}

struct tdm_board_frame tdm_hand_turned(struct tdm_board_frame f, double angle)
{
    double middle_x = (f.left + f.right) / 2, middle_y = (f.top + f.bottom) / 2;
    double w = fabs(f.right - f.left) / 2, h = fabs(f.bottom - f.top) / 2;
    double half_w = fabs(w * cos(angle)) + fabs(h * sin(angle));
    double half_h = fabs(w * sin(angle)) + fabs(h * cos(angle));

    return (struct tdm_board_frame){middle_x - half_w, middle_y - half_h, middle_x + half_w,
                                    middle_y + half_h};
}

static uint32_t place_of(const struct tdm_board_tools *t, struct tdm_board_id id)
{
    for (uint32_t i = 0; i < t->selected_count; i++)
        if (tdm_board_same(t->selected[i], id))
            return i;
    return t->selected_count;
}

bool tdm_hand_is_selected(const struct tdm_board_tools *t, struct tdm_board_id id)
{
    return place_of(t, id) < t->selected_count;
}

static void box_of_one(struct tdm_board_tools *t, const struct tdm_board_view *view)
{
    struct tdm_board_frame f;

    if (tdm_hand_is_line(view) && !view->angle) {
        t->box = (struct tdm_board_box){(double)view->x / TDM_BOARD_UNIT,
                                        (double)view->y / TDM_BOARD_UNIT,
                                        (double)view->w / TDM_BOARD_UNIT,
                                        (double)view->h / TDM_BOARD_UNIT,
                                        0,
                                        true};
        t->has_box = true;
    } else if (t->sight.frame(t->sight.arg, view->id, &f)) {
        t->box = (struct tdm_board_box){
            f.left, f.top, f.right - f.left, f.bottom - f.top, tdm_hand_radians(view->angle),
            false};
        t->has_box = true;
    }
}

void tdm_hand_look_again(struct tdm_board_tools *t)
{
    struct tdm_board_frame around = {INFINITY, INFINITY, -INFINITY, -INFINITY}, f;
    struct tdm_board_view view;
    const struct tdm_board_object *page = tdm_board_find(t->board, t->page);
    uint32_t kept = 0;

    t->grid = 0;
    if (page) {
        tdm_board_read(t->board, page, &view);
        t->grid = view.grid > 0 ? (double)view.grid / TDM_BOARD_UNIT : 0;
    }
    for (uint32_t i = 0; i < t->selected_count; i++) {
        if (!tdm_hand_read(t, t->selected[i], &view))
            continue;
        t->selected[kept++] = t->selected[i];
        if (!t->sight.frame(t->sight.arg, view.id, &f))
            continue;
        f = tdm_hand_turned(f, tdm_hand_radians(view.angle));
        around.left = fmin(around.left, f.left);
        around.top = fmin(around.top, f.top);
        around.right = fmax(around.right, f.right);
        around.bottom = fmax(around.bottom, f.bottom);
    }
    if (kept != t->selected_count)
        t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
    t->selected_count = kept;
    t->has_box = false;
    if (kept == 1 && tdm_hand_read(t, t->selected[0], &view)) {
        box_of_one(t, &view);
    } else if (kept > 1 && around.left <= around.right) {
        t->box = (struct tdm_board_box){
            around.left, around.top, around.right - around.left, around.bottom - around.top,
            0,           false};
        t->has_box = true;
    }
    if (!tdm_hand_none(t->editing)) {
        if (tdm_hand_read(t, t->editing, &view))
            tdm_hand_edit_load(t);
        else
            tdm_hand_edit_end(t);
    }
}

static void changed(struct tdm_board_tools *t)
{
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

void tdm_hand_select_none(struct tdm_board_tools *t)
{
    t->selected_count = 0;
    changed(t);
}

static void put(struct tdm_board_tools *t, struct tdm_board_id id)
{
    if (t->selected_count < TDM_BOARD_CHOSEN_MAX && !tdm_hand_is_selected(t, id))
        t->selected[t->selected_count++] = id;
}

static struct tdm_board_id group_of(const struct tdm_board_tools *t, struct tdm_board_id id)
{
    const struct tdm_board_object *o = tdm_board_find(t->board, id);

    return o ? tdm_board_outer_group(t->board, o) : TDM_BOARD_NONE;
}

/* What is drawn on the page; groups are not. */
static bool is_drawn(const struct tdm_board_tools *t, const struct tdm_board_object *o,
                     struct tdm_board_view *view)
{
    tdm_board_read(t->board, o, view);
    return view->type != TDM_BOARD_GROUP && view->type != TDM_BOARD_PAGE;
}

/* Calls `act` for the object and, if it has one, for all of its outermost group. */
static void with_group(struct tdm_board_tools *t, struct tdm_board_id id,
                       void (*act)(struct tdm_board_tools *t, struct tdm_board_id id))
{
    struct tdm_board_id group = group_of(t, id);
    struct tdm_board_view view;

    act(t, id);
    if (tdm_hand_none(group))
        return;
    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page); o;
         o = tdm_board_above(o))
        if (is_drawn(t, o, &view) && tdm_board_same(tdm_board_outer_group(t->board, o), group))
            act(t, view.id);
}

void tdm_hand_select(struct tdm_board_tools *t, struct tdm_board_id id, bool alone)
{
    if (alone)
        put(t, id);
    else
        with_group(t, id, put);
    changed(t);
}

static void drop(struct tdm_board_tools *t, struct tdm_board_id id)
{
    uint32_t at = place_of(t, id);

    if (at < t->selected_count)
        t->selected[at] = t->selected[--t->selected_count];
}

void tdm_hand_unselect(struct tdm_board_tools *t, struct tdm_board_id id)
{
    with_group(t, id, drop);
    changed(t);
}

void tdm_hand_select_all(struct tdm_board_tools *t)
{
    struct tdm_board_view view;

    t->selected_count = 0;
    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page);
         o && t->selected_count < TDM_BOARD_CHOSEN_MAX; o = tdm_board_above(o))
        if (is_drawn(t, o, &view) && !view.locked)
            t->selected[t->selected_count++] = view.id;
    t->tool = TDM_BOARD_TOOL_SELECT;
    changed(t);
}

/* The band selects what lies in it as a whole, with its group. What was selected before stays when
 * it began with shift. */
void tdm_hand_band(struct tdm_board_tools *t)
{
    struct tdm_board_frame box = {
        fmin(t->band.left, t->band.right), fmin(t->band.top, t->band.bottom),
        fmax(t->band.left, t->band.right), fmax(t->band.top, t->band.bottom)};
    struct tdm_board_id group = TDM_BOARD_NONE;
    struct tdm_board_view view;

    if (!t->add)
        t->selected_count = 0;
    size_t count = t->sight.within(t->sight.arg, &box, false, t->found, TDM_BOARD_CHOSEN_MAX);

    for (size_t i = 0; i < count; i++) {
        if (!tdm_hand_read(t, t->found[i], &view) || view.locked)
            continue;
        if (tdm_hand_none(view.group) && !t->add && t->selected_count < TDM_BOARD_CHOSEN_MAX) {
            t->selected[t->selected_count++] = view.id; /* None comes twice: no need to look. */
        } else if (tdm_hand_none(view.group)) {
            put(t, view.id);
        } else if (!tdm_board_same(group_of(t, view.id), group)) {
            group = group_of(t, view.id);
            with_group(t, view.id, put);
        }
    }
    changed(t);
}

/* Handles ------------------------------------------------------------------------------------- */

bool tdm_board_tools_handle(const struct tdm_board_tools *t, enum tdm_board_handle handle,
                            double *x, double *y)
{
    static const struct {
        double x, y;
    } places[] = {[TDM_BOARD_HANDLE_NW] = {0, 0},    [TDM_BOARD_HANDLE_N] = {0.5, 0},
                  [TDM_BOARD_HANDLE_NE] = {1, 0},    [TDM_BOARD_HANDLE_E] = {1, 0.5},
                  [TDM_BOARD_HANDLE_SE] = {1, 1},    [TDM_BOARD_HANDLE_S] = {0.5, 1},
                  [TDM_BOARD_HANDLE_SW] = {0, 1},    [TDM_BOARD_HANDLE_W] = {0, 0.5},
                  [TDM_BOARD_HANDLE_TURN] = {0.5, 0}};
    const struct tdm_board_box *b = &t->box;
    struct tdm_board_view view;

    if (!t->has_box || !tdm_hand_none(t->editing) || !tdm_hand_read(t, t->selected[0], &view) ||
        view.locked)
        return false;
    bool end = handle == TDM_BOARD_HANDLE_BEGIN || handle == TDM_BOARD_HANDLE_END;

    if (end != b->line)
        return false;
    if (end) {
        *x = b->x + (handle == TDM_BOARD_HANDLE_END ? b->w : 0);
        *y = b->y + (handle == TDM_BOARD_HANDLE_END ? b->h : 0);
        return true;
    }
    if (handle < TDM_BOARD_HANDLE_NW || handle > TDM_BOARD_HANDLE_TURN)
        return false;
    bool upright = handle == TDM_BOARD_HANDLE_N || handle == TDM_BOARD_HANDLE_S;
    bool side = upright || handle == TDM_BOARD_HANDLE_E || handle == TDM_BOARD_HANDLE_W;

    if (side && (t->selected_count > 1 || (upright ? b->w : b->h) * t->canvas.zoom < SIDE_MIN))
        if (t->selected_count > 1 || view.type != TDM_BOARD_TEXT)
            return false;
    if (upright && t->selected_count == 1 && view.type == TDM_BOARD_TEXT)
        return false; /* It is as high as its lines. */
    double gap = TDM_BOARD_HANDLE_GAP / t->canvas.zoom;

    *x = b->x + b->w * places[handle].x + gap * (2 * places[handle].x - 1);
    *y = b->y + b->h * places[handle].y + gap * (2 * places[handle].y - 1);
    if (handle == TDM_BOARD_HANDLE_TURN)
        *y -= TDM_HAND_TURN_STEM / t->canvas.zoom;
    tdm_hand_turn_point(x, y, b->x + b->w / 2, b->y + b->h / 2, b->angle);
    return true;
}

enum tdm_board_handle tdm_hand_handle_at(const struct tdm_board_tools *t, double x, double y,
                                         double reach)
{
    static const enum tdm_board_handle order[] = {
        TDM_BOARD_HANDLE_END, TDM_BOARD_HANDLE_BEGIN, TDM_BOARD_HANDLE_SE,  TDM_BOARD_HANDLE_NW,
        TDM_BOARD_HANDLE_NE,  TDM_BOARD_HANDLE_SW,    TDM_BOARD_HANDLE_E,   TDM_BOARD_HANDLE_S,
        TDM_BOARD_HANDLE_W,   TDM_BOARD_HANDLE_N,     TDM_BOARD_HANDLE_TURN};
    double board_x = tdm_board_canvas_x(&t->canvas, x), board_y = tdm_board_canvas_y(&t->canvas, y);
    double handle_x, handle_y;

    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (tdm_board_tools_handle(t, order[i], &handle_x, &handle_y) &&
            hypot(board_x - handle_x, board_y - handle_y) * t->canvas.zoom <= reach)
            return order[i];
    return TDM_BOARD_HANDLE_NONE;
}

bool tdm_hand_in_box(const struct tdm_board_tools *t, double x, double y)
{
    const struct tdm_board_box *b = &t->box;

    if (!t->has_box || b->line)
        return false;
    tdm_hand_turn_point(&x, &y, b->x + b->w / 2, b->y + b->h / 2, -b->angle);
    double gap = TDM_BOARD_HANDLE_GAP / t->canvas.zoom;

    return x >= b->x - gap && x <= b->x + b->w + gap && y >= b->y - gap && y <= b->y + b->h + gap;
}

double tdm_hand_reach(const struct tdm_board_tools *t)
{
    return (t->device == TDM_DEVICE_TOUCH ? TDM_HAND_TOUCH_REACH : TDM_HAND_REACH) / t->canvas.zoom;
}

bool tdm_hand_hit(struct tdm_board_tools *t, double x, double y, struct tdm_board_id *id)
{
    return t->sight.hit(t->sight.arg, x, y, tdm_hand_reach(t), id);
}

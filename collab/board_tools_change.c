/* SPDX-License-Identifier: MIT */
/*
 * Moving, resizing and turning what is selected. Everything is worked out from how it stood when
 * the gesture began, so that nothing adds up and the way back is exact.
 *
 * Resizing happens in the box's own axes: the side or corner across from the handle stays where it
 * is, or the middle with Alt.
 */
#include "collab/board_tools_state.h"

#include <math.h>

#define SMALLEST   4.0 /* px: a side is not made shorter. */
#define PI         3.14159265358979323846
#define TURN_STEP  (PI / 12)
#define SCALE_MOST 2147483647.0
#define FONT_MIN   (4.0 * TDM_BOARD_UNIT)
#define FONT_MAX   (1000.0 * TDM_BOARD_UNIT)

/* What one object becomes: its frame goes from `from` to `to`. */
struct goal {
    struct tdm_board_frame to;
    double scale_x, scale_y; /* May be negative: turned over. */
    double turn;             /* Radians more. */
};

static struct tdm_board_frame upright(const struct tdm_board_box *b)
{
    return (struct tdm_board_frame){fmin(b->x, b->x + b->w), fmin(b->y, b->y + b->h),
                                    fmax(b->x, b->x + b->w), fmax(b->y, b->y + b->h)};
}

void tdm_hand_start_change(struct tdm_board_tools *t, enum tdm_board_gesture gesture)
{
    struct tdm_board_view view;

    t->gesture = gesture;
    t->start_count = 0;
    t->box_before = t->box;
    for (uint32_t i = 0; i < t->selected_count; i++) {
        struct tdm_board_start *s = &t->starts[t->start_count];

        if (!tdm_hand_read(t, t->selected[i], &view) || view.locked ||
            !t->sight.frame(t->sight.arg, view.id, &s->frame))
            continue;
        s->id = view.id;
        s->x = view.x;
        s->y = view.y;
        s->w = view.w;
        s->h = view.h;
        s->scale_x = view.scale_x;
        s->scale_y = view.scale_y;
        s->font_size = view.font_size;
        s->angle = view.angle;
        t->start_count++;
    }
    if (gesture != TDM_BOARD_TURNS)
        tdm_hand_snap_begin(t);
}

/* Move ------------------------------------------------------------------------------------------
 */

static void change_move(struct tdm_board_tools *t)
{
    double dx = t->here_x - t->from_x, dy = t->here_y - t->from_y;

    if (t->mods & TDM_BOARD_SHIFT) {
        if (fabs(dx) >= fabs(dy))
            dy = 0;
        else
            dx = 0;
    }
    tdm_hand_snap_move(t, upright(&t->box_before), &dx, &dy);
    if (t->mods & TDM_BOARD_SHIFT) {
        if (fabs(t->here_x - t->from_x) >= fabs(t->here_y - t->from_y))
            dy = 0;
        else
            dx = 0;
    }
    t->move_x = dx;
    t->move_y = dy;
    t->box = t->box_before;
    t->box.x += dx;
    t->box.y += dy;
}

/* Resize ----------------------------------------------------------------------------------------
 */

/* -1: the low side of the axis is dragged, 1: the high one, 0: none. */
static int side_x(enum tdm_board_handle h)
{
    return h == TDM_BOARD_HANDLE_NW || h == TDM_BOARD_HANDLE_W || h == TDM_BOARD_HANDLE_SW   ? -1
           : h == TDM_BOARD_HANDLE_NE || h == TDM_BOARD_HANDLE_E || h == TDM_BOARD_HANDLE_SE ? 1
                                                                                             : 0;
}

static int side_y(enum tdm_board_handle h)
{
    return h == TDM_BOARD_HANDLE_NW || h == TDM_BOARD_HANDLE_N || h == TDM_BOARD_HANDLE_NE   ? -1
           : h == TDM_BOARD_HANDLE_SW || h == TDM_BOARD_HANDLE_S || h == TDM_BOARD_HANDLE_SE ? 1
                                                                                             : 0;
}

/* Whether sides keep their proportion whatever shift says. */
static bool keeps_shape(const struct tdm_board_tools *t, bool *image)
{
    struct tdm_board_view view;

    *image = false;
    if (t->start_count != 1)
        return true;
    if (!tdm_hand_read(t, t->starts[0].id, &view))
        return false;
    *image = view.type == TDM_BOARD_IMAGE;
    return view.type == TDM_BOARD_TEXT;
}

/* How much the box's sides grow so that the dragged one is under the pointer. */
static void scales_of(const struct tdm_board_tools *t, double *scale_x, double *scale_y)
{
    const struct tdm_board_box *b = &t->box_before;
    int sx = side_x(t->handle), sy = side_y(t->handle);
    double x = t->here_x, y = t->here_y, from_x = t->from_x, from_y = t->from_y;
    double middle_x = b->x + b->w / 2, middle_y = b->y + b->h / 2;
    double both = t->mods & TDM_BOARD_ALT ? 2 : 1;
    bool image, shape = keeps_shape(t, &image), shift = t->mods & TDM_BOARD_SHIFT;

    tdm_hand_turn_point(&x, &y, middle_x, middle_y, -b->angle);
    tdm_hand_turn_point(&from_x, &from_y, middle_x, middle_y, -b->angle);
    double w = fmax(b->w, 1e-3), h = fmax(b->h, 1e-3);

    *scale_x = sx ? (w + sx * (x - from_x) * both) / w : 1;
    *scale_y = sy ? (h + sy * (y - from_y) * both) / h : 1;
    if (sx && sy && (shape || (image ? !shift : shift))) {
        double most = fmax(fabs(*scale_x), fabs(*scale_y));

        if (b->w < 1 || b->h < 1) /* Flat: only its long side says anything. */
            most = b->w < b->h ? fabs(*scale_y) : fabs(*scale_x);
        most = fmax(most, SMALLEST / fmax(w, h));
        *scale_x = copysign(most, shape ? 1 : *scale_x);
        *scale_y = copysign(most, shape ? 1 : *scale_y);
    }
    if (fabs(*scale_x) * w < SMALLEST && w > SMALLEST)
        *scale_x = copysign(SMALLEST / w, *scale_x);
    if (fabs(*scale_y) * h < SMALLEST && h > SMALLEST)
        *scale_y = copysign(SMALLEST / h, *scale_y);
    *scale_x = tdm_board_finite(*scale_x, 1e5);
    *scale_y = tdm_board_finite(*scale_y, 1e5);
}

/* The place of the box that does not move, in its own axes. */
static void anchor_of(const struct tdm_board_tools *t, double *x, double *y)
{
    const struct tdm_board_box *b = &t->box_before;
    bool middle = t->mods & TDM_BOARD_ALT;
    int sx = side_x(t->handle), sy = side_y(t->handle);

    *x = b->x + b->w * (middle || !sx ? 0.5 : sx < 0 ? 1 : 0);
    *y = b->y + b->h * (middle || !sy ? 0.5 : sy < 0 ? 1 : 0);
}

static struct tdm_board_frame scaled(struct tdm_board_frame f, double x, double y, double scale_x,
                                     double scale_y)
{
    double left = x + (f.left - x) * scale_x, right = x + (f.right - x) * scale_x;
    double top = y + (f.top - y) * scale_y, bottom = y + (f.bottom - y) * scale_y;

    return (struct tdm_board_frame){fmin(left, right), fmin(top, bottom), fmax(left, right),
                                    fmax(top, bottom)};
}

/* In the axes of a box that is turned: its middle goes where the anchor stays in the world. */
static struct tdm_board_frame keep_anchor(struct tdm_board_frame before, struct tdm_board_frame f,
                                          double angle)
{
    double middle_x = (before.left + before.right) / 2;
    double middle_y = (before.top + before.bottom) / 2;
    double x = (f.left + f.right) / 2, y = (f.top + f.bottom) / 2, to_x = x, to_y = y;

    tdm_hand_turn_point(&to_x, &to_y, middle_x, middle_y, angle);
    return (struct tdm_board_frame){f.left + to_x - x, f.top + to_y - y, f.right + to_x - x,
                                    f.bottom + to_y - y};
}

static void change_line(struct tdm_board_tools *t)
{
    struct tdm_board_box *b = &t->box;
    double x = t->here_x, y = t->here_y;
    bool end = t->handle == TDM_BOARD_HANDLE_END;

    *b = t->box_before;
    double other_x = end ? b->x : b->x + b->w, other_y = end ? b->y : b->y + b->h;

    if (t->mods & TDM_BOARD_SHIFT) {
        double dx = x - other_x, dy = y - other_y;

        tdm_hand_snap_angle(&dx, &dy);
        x = other_x + dx;
        y = other_y + dy;
    } else {
        tdm_hand_snap_point(t, &x, &y);
    }
    *b = end ? (struct tdm_board_box){other_x, other_y, x - other_x, y - other_y, 0, true}
             : (struct tdm_board_box){x, y, other_x - x, other_y - y, 0, true};
}

static void change_size(struct tdm_board_tools *t)
{
    struct tdm_board_frame before = upright(&t->box_before), f;
    double x, y;

    if (t->box_before.line) {
        change_line(t);
        return;
    }
    double kept_x = t->here_x, kept_y = t->here_y;

    if (t->box_before.angle == 0)
        tdm_hand_snap_point(t, &t->here_x, &t->here_y);
    scales_of(t, &t->scale_x, &t->scale_y);
    t->here_x = kept_x;
    t->here_y = kept_y;
    anchor_of(t, &x, &y);
    f = keep_anchor(before, scaled(before, x, y, t->scale_x, t->scale_y), t->box_before.angle);
    t->box = (struct tdm_board_box){
        f.left, f.top, f.right - f.left, f.bottom - f.top, t->box_before.angle, false};
}

static void change_angle(struct tdm_board_tools *t)
{
    const struct tdm_board_box *b = &t->box_before;
    double x = b->x + b->w / 2, y = b->y + b->h / 2;
    double turn = atan2(t->here_y - y, t->here_x - x) - atan2(t->from_y - y, t->from_x - x);

    if (t->mods & TDM_BOARD_SHIFT)
        turn = round((b->angle + turn) / TURN_STEP) * TURN_STEP - b->angle;
    t->turn = tdm_board_finite(turn, 100);
    t->box = *b;
    t->box.angle = b->angle + t->turn;
}

void tdm_hand_change(struct tdm_board_tools *t)
{
    if (t->gesture == TDM_BOARD_MOVES && !t->step_open) {
        tdm_hand_open(t);
        if (t->mods & TDM_BOARD_ALT) {
            /* The copies are dragged, the originals stay. */
            tdm_hand_duplicate(t, 0, 0);
            tdm_hand_start_change(t, TDM_BOARD_MOVES);
        }
    }
    tdm_hand_open(t);
    if (t->gesture == TDM_BOARD_MOVES)
        change_move(t);
    else if (t->gesture == TDM_BOARD_RESIZES)
        change_size(t);
    else
        change_angle(t);
}

/* Writing ----------------------------------------------------------------------------------------
 */

static int32_t stretched(int32_t scale, double by)
{
    double value = scale * by;

    if (fabs(value) < 1)
        value = copysign(1, value);
    return (int32_t)tdm_board_finite(value, SCALE_MOST);
}

static void write_goal(struct tdm_board_tools *t, const struct tdm_board_start *s,
                       const struct goal *g)
{
    struct tdm_board_value values[8];
    struct tdm_board_view view;
    size_t n = 0;

    if (!tdm_hand_read(t, s->id, &view))
        return;
    /* What was `x` of the frame is at the same part of it. */
    double at_x = (double)s->x / TDM_BOARD_UNIT - s->frame.left;
    double at_y = (double)s->y / TDM_BOARD_UNIT - s->frame.top;
    double x = g->scale_x < 0 ? g->to.right + at_x * g->scale_x : g->to.left + at_x * g->scale_x;
    double y = g->scale_y < 0 ? g->to.bottom + at_y * g->scale_y : g->to.top + at_y * g->scale_y;
    bool sized = fabs(g->scale_x - 1) > 1e-9 || fabs(g->scale_y - 1) > 1e-9;
    bool boxed = !tdm_hand_is_ink(&view) && !tdm_hand_is_line(&view);

    if (boxed) {
        x = g->to.left;
        y = g->to.top;
    }
    values[n++] = tdm_board_int(TDM_PROP_X, tdm_board_unit(x));
    values[n++] = tdm_board_int(TDM_PROP_Y, tdm_board_unit(y));
    if (g->turn != 0)
        values[n++] =
            tdm_board_int(TDM_PROP_ANGLE, tdm_hand_turns(tdm_hand_radians(s->angle) + g->turn));
    if (sized && tdm_hand_is_ink(&view)) {
        values[n++] = tdm_board_int(TDM_PROP_SCALE_X, stretched(s->scale_x, g->scale_x));
        values[n++] = tdm_board_int(TDM_PROP_SCALE_Y, stretched(s->scale_y, g->scale_y));
    } else if (sized && view.type == TDM_BOARD_TEXT && t->handle_widens) {
        values[n++] = tdm_board_int(TDM_PROP_W, tdm_board_unit(g->to.right - g->to.left));
    } else if (sized && view.type == TDM_BOARD_TEXT) {
        double size = s->font_size * fabs(g->scale_y);

        size = fmin(fmax(size, FONT_MIN), FONT_MAX);
        values[n++] = tdm_board_int(TDM_PROP_FONT_SIZE, lrint(size));
        if (s->w)
            values[n++] = tdm_board_int(TDM_PROP_W, tdm_board_unit(g->to.right - g->to.left));
    } else if (sized) {
        double w = (double)s->w * g->scale_x, h = (double)s->h * g->scale_y;

        values[n++] =
            tdm_board_int(TDM_PROP_W, tdm_board_unit((boxed ? fabs(w) : w) / TDM_BOARD_UNIT));
        values[n++] =
            tdm_board_int(TDM_PROP_H, tdm_board_unit((boxed ? fabs(h) : h) / TDM_BOARD_UNIT));
    }
    (void)tdm_hand_set(t, s->id, values, n);
}

static struct goal goal_move(const struct tdm_board_tools *t, const struct tdm_board_start *s)
{
    return (struct goal){.to = {s->frame.left + t->move_x, s->frame.top + t->move_y,
                                s->frame.right + t->move_x, s->frame.bottom + t->move_y},
                         .scale_x = 1,
                         .scale_y = 1};
}

static struct goal goal_turn(const struct tdm_board_tools *t, const struct tdm_board_start *s)
{
    const struct tdm_board_box *b = &t->box_before;
    double x = (s->frame.left + s->frame.right) / 2, y = (s->frame.top + s->frame.bottom) / 2;
    double to_x = x, to_y = y;

    tdm_hand_turn_point(&to_x, &to_y, b->x + b->w / 2, b->y + b->h / 2, t->turn);
    return (struct goal){.to = {s->frame.left + to_x - x, s->frame.top + to_y - y,
                                s->frame.right + to_x - x, s->frame.bottom + to_y - y},
                         .scale_x = 1,
                         .scale_y = 1,
                         .turn = t->turn};
}

/* One alone: in its own axes. Of several, each keeps its own axes, and its middle goes along. */
static struct goal goal_size(const struct tdm_board_tools *t, const struct tdm_board_start *s)
{
    struct goal g = {.scale_x = t->scale_x, .scale_y = t->scale_y};
    double x, y;

    anchor_of(t, &x, &y);
    if (t->start_count == 1) {
        g.to = keep_anchor(upright(&t->box_before), scaled(s->frame, x, y, g.scale_x, g.scale_y),
                           t->box_before.angle);
        return g;
    }
    double from_x = (s->frame.left + s->frame.right) / 2;
    double from_y = (s->frame.top + s->frame.bottom) / 2;
    double to_x = x + (from_x - x) * g.scale_x, to_y = y + (from_y - y) * g.scale_y;
    double half_w = (s->frame.right - s->frame.left) / 2 * fabs(g.scale_x);
    double half_h = (s->frame.bottom - s->frame.top) / 2 * fabs(g.scale_y);

    g.to = (struct tdm_board_frame){to_x - half_w, to_y - half_h, to_x + half_w, to_y + half_h};
    return g;
}

void tdm_hand_apply(struct tdm_board_tools *t)
{
    if (t->gesture == TDM_BOARD_RESIZES && t->box.line && t->start_count == 1) {
        struct tdm_board_value values[] = {
            tdm_board_int(TDM_PROP_X, tdm_board_unit(t->box.x)),
            tdm_board_int(TDM_PROP_Y, tdm_board_unit(t->box.y)),
            tdm_board_int(TDM_PROP_W, tdm_board_unit(t->box.w)),
            tdm_board_int(TDM_PROP_H, tdm_board_unit(t->box.h)),
        };

        (void)tdm_hand_set(t, t->starts[0].id, values, sizeof values / sizeof *values);
        return;
    }
    t->handle_widens = t->gesture == TDM_BOARD_RESIZES && t->start_count == 1 &&
                       side_x(t->handle) && !side_y(t->handle);
    for (uint32_t i = 0; i < t->start_count; i++) {
        const struct tdm_board_start *s = &t->starts[i];
        struct goal g = t->gesture == TDM_BOARD_MOVES   ? goal_move(t, s)
                        : t->gesture == TDM_BOARD_TURNS ? goal_turn(t, s)
                                                        : goal_size(t, s);

        write_goal(t, s, &g);
    }
}

void tdm_hand_nudge(struct tdm_board_tools *t, double dx, double dy)
{
    if (!t->selected_count || t->gesture != TDM_BOARD_IDLE)
        return;
    tdm_hand_open(t);
    tdm_hand_start_change(t, TDM_BOARD_MOVES);
    t->move_x = dx;
    t->move_y = dy;
    tdm_hand_apply(t);
    t->dirty = false;
    tdm_hand_end_gesture(t);
}

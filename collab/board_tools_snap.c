/* SPDX-License-Identifier: MIT */
/* Where a hand that is nearly right becomes right: edges and middles of others, the grid, angles.
 */
#include "collab/board_tools_state.h"

#include <math.h>

#define NEAR_PIXELS 6.0
#define ANGLE_STEP  (3.14159265358979323846 / 12)

void tdm_hand_snap_begin(struct tdm_board_tools *t)
{
    const struct tdm_board_canvas *c = &t->canvas;
    struct tdm_board_frame seen = {c->x, c->y, c->x + c->width / c->zoom,
                                   c->y + c->height / c->zoom};
    struct tdm_board_view view;

    t->near_count = 0;
    if (!t->snap)
        return;
    size_t count = t->sight.within(t->sight.arg, &seen, true, t->found, TDM_BOARD_CHOSEN_MAX);

    for (size_t i = count; i-- > 0 && t->near_count < TDM_BOARD_NEAR_MAX;) {
        struct tdm_board_frame *f = &t->near[t->near_count];

        if (!tdm_hand_is_selected(t, t->found[i]) && !tdm_board_same(t->found[i], t->made) &&
            tdm_hand_read(t, t->found[i], &view) && !tdm_hand_is_ink(&view) &&
            t->sight.frame(t->sight.arg, t->found[i], f)) {
            *f = tdm_hand_turned(*f, tdm_hand_radians(view.angle));
            t->near_count++;
        }
    }
}

/* One axis: of two frames, low edge, middle and high edge. */
struct span {
    double low, high;
};

static double part_of(struct span s, int part)
{
    return part == 0 ? s.low : part == 1 ? (s.low + s.high) / 2 : s.high;
}

/* The smallest way that brings a part of `own` to a part of another. @return which other; -1. */
static int nearest(const struct tdm_board_tools *t, struct span own, bool across, double *way,
                   double *line)
{
    double best = NEAR_PIXELS / t->canvas.zoom;
    int which = -1;

    for (uint32_t i = 0; i < t->near_count; i++) {
        const struct tdm_board_frame *f = &t->near[i];
        struct span other =
            across ? (struct span){f->left, f->right} : (struct span){f->top, f->bottom};

        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) {
                double apart = part_of(other, b) - part_of(own, a);

                if (fabs(apart) < best) {
                    best = fabs(apart);
                    *way = apart;
                    *line = part_of(other, b);
                    which = (int)i;
                }
            }
    }
    return which;
}

static double to_grid(double value, double step)
{
    return round(value / step) * step;
}

static void guide(struct tdm_board_tools *t, const struct tdm_board_frame *own, int other,
                  bool across, double line)
{
    const struct tdm_board_frame *f = &t->near[other];

    if (t->guide_count == TDM_BOARD_GUIDES_MAX)
        return;
    t->guides[t->guide_count++] = across
                                      ? (struct tdm_board_frame){line, fmin(own->top, f->top), line,
                                                                 fmax(own->bottom, f->bottom)}
                                      : (struct tdm_board_frame){fmin(own->left, f->left), line,
                                                                 fmax(own->right, f->right), line};
}

void tdm_hand_snap_move(struct tdm_board_tools *t, struct tdm_board_frame f, double *dx, double *dy)
{
    struct tdm_board_frame own = {f.left + *dx, f.top + *dy, f.right + *dx, f.bottom + *dy};
    double way_x = 0, way_y = 0, line_x = 0, line_y = 0;

    t->guide_count = 0;
    if (t->mods & TDM_BOARD_CTRL)
        return; /* Held: freely. */
    if (t->grid > 0) {
        *dx = to_grid(own.left, t->grid) - f.left;
        *dy = to_grid(own.top, t->grid) - f.top;
        return;
    }
    int x = nearest(t, (struct span){own.left, own.right}, true, &way_x, &line_x);
    int y = nearest(t, (struct span){own.top, own.bottom}, false, &way_y, &line_y);

    *dx += way_x;
    *dy += way_y;
    own = (struct tdm_board_frame){f.left + *dx, f.top + *dy, f.right + *dx, f.bottom + *dy};
    if (x >= 0)
        guide(t, &own, x, true, line_x);
    if (y >= 0)
        guide(t, &own, y, false, line_y);
}

void tdm_hand_snap_point(struct tdm_board_tools *t, double *x, double *y)
{
    double dx = 0, dy = 0;

    tdm_hand_snap_move(t, (struct tdm_board_frame){*x, *y, *x, *y}, &dx, &dy);
    *x += dx;
    *y += dy;
}

void tdm_hand_snap_angle(double *dx, double *dy)
{
    double length = hypot(*dx, *dy), angle = round(atan2(*dy, *dx) / ANGLE_STEP) * ANGLE_STEP;

    *dx = length * cos(angle);
    *dy = length * sin(angle);
}

/* SPDX-License-Identifier: MIT */
/* What of a scene is at a place. */
#include "render/board_scene_state.h"
#include "render/board_way.h"

#include <math.h>

#define UNIT       ((double)TDM_FIGURE_UNIT)
#define ARC_LINES  64
#define LINES_MOST 512 /* Pieces of an eraser's way. */

struct spot {
    double x, y;
};

static double to_line(struct spot p, struct spot a, struct spot b)
{
    double x = b.x - a.x, y = b.y - a.y, square = x * x + y * y;
    double t = square > 0 ? ((p.x - a.x) * x + (p.y - a.y) * y) / square : 0;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypot(p.x - a.x - t * x, p.y - a.y - t * y);
}

static double to_spots(const struct tdm_board_entry *e, size_t count,
                       struct tdm_path_spot (*spot)(const struct tdm_board_entry *e, size_t i),
                       struct spot p)
{
    struct tdm_path_spot before = spot(e, 0);
    double least = hypot(p.x - before.x, p.y - before.y);

    for (size_t i = 1; i < count; i++) {
        struct tdm_path_spot s = spot(e, i);

        least = fmin(least, to_line(p, (struct spot){before.x, before.y}, (struct spot){s.x, s.y}));
        before = s;
    }
    return least;
}

static bool in_box(const struct tdm_figure_box *b, struct spot p, double by)
{
    return p.x >= b->left - by && p.x <= b->right + by && p.y >= b->top - by &&
           p.y <= b->bottom + by;
}

/* A corner of the polygon that stands for a shape's border. */
static struct spot border(const struct tdm_board_entry *e, int i, int *count)
{
    const struct tdm_figure_box *f = &e->frame;
    double x = (f->left + f->right) / 2, y = (f->top + f->bottom) / 2;

    if (e->f.type == TDM_BOARD_ELLIPSE) {
        double angle = 2 * acos(-1) * i / ARC_LINES;

        *count = ARC_LINES;
        return (struct spot){x + (f->right - x) * cos(angle), y + (f->bottom - y) * sin(angle)};
    }
    *count = 4;
    i %= 4;
    if (e->f.type == TDM_BOARD_DIAMOND)
        return (struct spot){i == 0   ? f->left
                             : i == 2 ? f->right
                                      : x,
                             i == 1   ? f->top
                             : i == 3 ? f->bottom
                                      : y};
    return (struct spot){i == 0 || i == 3 ? f->left : f->right, i < 2 ? f->top : f->bottom};
}

static bool in_shape(const struct tdm_board_entry *e, struct spot p, double reach)
{
    double least = INFINITY;
    bool inside = false;
    int count = 4;

    for (int i = 0; i < count; i++) {
        struct spot a = border(e, i, &count), b = border(e, i + 1, &count);

        least = fmin(least, to_line(p, a, b));
        if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x)
            inside = !inside;
    }
    return least <= reach + e->f.width / UNIT / 2 || (inside && (e->f.fill & 255));
}

static bool entry_hit(const struct tdm_board_entry *e, double x, double y, double reach)
{
    struct spot p = {x, y};
    cairo_matrix_t m;

    tdm_board_entry_matrix(e, &m);
    if (cairo_matrix_invert(&m) != CAIRO_STATUS_SUCCESS)
        return false;
    cairo_matrix_transform_point(&m, &p.x, &p.y);
    switch (e->f.type) {
    case TDM_BOARD_PEN:
    case TDM_BOARD_MARKER:
        return e->f.point_count > 0 && to_spots(e, e->f.point_count, tdm_board_entry_spot, p) <=
                                           reach + e->f.width / UNIT / 2;
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        return to_spots(e, tdm_board_way_count(e), tdm_board_way_at, p) <=
                   reach + e->f.width / UNIT / 2 ||
               ((e->f.fill & 255) && tdm_board_way_closed(e) && tdm_board_way_inside(e, p.x, p.y));
    case TDM_BOARD_RECTANGLE:
    case TDM_BOARD_ELLIPSE:
    case TDM_BOARD_DIAMOND:
        return in_shape(e, p, reach);
    case TDM_BOARD_TEXT:
    case TDM_BOARD_NOTE:
    case TDM_BOARD_IMAGE:
        return in_box(&e->frame, p, reach);
    default:
        return false;
    }
}

static struct tdm_figure_box around(double x, double y, double reach)
{
    return (struct tdm_figure_box){x - reach, y - reach, x + reach, y + reach};
}

uint64_t tdm_board_scene_hit(struct tdm_board_scene *s, double x, double y, double reach)
{
    const struct tdm_figure_box box = around(x, y, reach);
    uint64_t id = 0;

    for (size_t i = 0; (i = tdm_board_scene_touching(s, &box, i)) < s->count; i++)
        if (entry_hit(s->order[i], x, y, reach))
            id = s->order[i]->f.id;
    return id;
}

bool tdm_board_figure_hit(const struct tdm_board_figure *figure, double x, double y, double reach)
{
    struct tdm_board_entry *e = tdm_board_entry_create(NULL, figure);
    bool hit = e && entry_hit(e, x, y, reach);

    tdm_board_entry_destroy(e);
    return hit;
}

size_t tdm_board_scene_crossed(struct tdm_board_scene *s, const double from[2], const double to[2],
                               double reach, uint64_t *ids, size_t max)
{
    double way = hypot(to[0] - from[0], to[1] - from[1]);
    int steps = (int)fmin(ceil(way / fmax(reach, 0.5)) + 1, LINES_MOST);
    size_t count = 0;
    struct tdm_figure_box box = {fmin(from[0], to[0]) - reach, fmin(from[1], to[1]) - reach,
                                 fmax(from[0], to[0]) + reach, fmax(from[1], to[1]) + reach};

    for (size_t i = s->count; i-- > 0 && count < max;) {
        if (tdm_board_scene_touching(s, &box, i) != i)
            continue;
        for (int k = 0; k <= steps; k++)
            if (entry_hit(s->order[i], from[0] + (to[0] - from[0]) * k / steps,
                          from[1] + (to[1] - from[1]) * k / steps, reach)) {
                ids[count++] = s->order[i]->f.id;
                break;
            }
    }
    return count;
}

/* Around the frame as it is turned. */
static struct tdm_figure_box turned(const struct tdm_board_entry *e)
{
    struct tdm_figure_box box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    cairo_matrix_t m;

    tdm_board_entry_matrix(e, &m);
    for (int i = 0; i < 4; i++) {
        double x = i & 1 ? e->frame.right : e->frame.left;
        double y = i & 2 ? e->frame.bottom : e->frame.top;

        cairo_matrix_transform_point(&m, &x, &y);
        box = (struct tdm_figure_box){fmin(box.left, x), fmin(box.top, y), fmax(box.right, x),
                                      fmax(box.bottom, y)};
    }
    return box;
}

size_t tdm_board_scene_within(struct tdm_board_scene *s, const struct tdm_figure_box *box,
                              bool touched, uint64_t *ids, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; (i = tdm_board_scene_touching(s, box, i)) < s->count && count < max; i++) {
        struct tdm_figure_box f = turned(s->order[i]);
        bool inside = f.left >= box->left && f.top >= box->top && f.right <= box->right &&
                      f.bottom <= box->bottom;
        bool touches = f.left <= box->right && box->left <= f.right && f.top <= box->bottom &&
                       box->top <= f.bottom;

        if (tdm_board_entry_drawn(s->order[i]) && (touched ? touches : inside))
            ids[count++] = s->order[i]->f.id;
    }
    return count;
}

bool tdm_board_scene_box(struct tdm_board_scene *s, uint64_t id, struct tdm_figure_box *box)
{
    size_t rank;
    bool there = tdm_board_scene_rank(s, id, &rank);

    *box = there ? s->order[rank]->box : (struct tdm_figure_box){0, 0, 0, 0};
    return there;
}

bool tdm_board_scene_frame(struct tdm_board_scene *s, uint64_t id, struct tdm_figure_box *frame)
{
    size_t rank;

    *frame = (struct tdm_figure_box){0, 0, 0, 0};
    if (!tdm_board_scene_rank(s, id, &rank))
        return false;
    const struct tdm_board_entry *e = s->order[rank];
    double x = e->f.x / UNIT, y = e->f.y / UNIT;

    *frame = (struct tdm_figure_box){e->frame.left + x, e->frame.top + y, e->frame.right + x,
                                     e->frame.bottom + y};
    return true;
}

bool tdm_board_scene_extent(struct tdm_board_scene *s, struct tdm_figure_box *box)
{
    *box = (struct tdm_figure_box){INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < s->count; i++) {
        const struct tdm_figure_box *b = &s->order[i]->box;

        if (tdm_board_entry_drawn(s->order[i]))
            *box =
                (struct tdm_figure_box){fmin(box->left, b->left), fmin(box->top, b->top),
                                        fmax(box->right, b->right), fmax(box->bottom, b->bottom)};
    }
    if (box->left < box->right)
        return true;
    *box = (struct tdm_figure_box){0, 0, 0, 0};
    return false;
}

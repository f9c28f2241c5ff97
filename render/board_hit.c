/* SPDX-License-Identifier: MIT */
/* What is where: every figure is a run of places in its own px, open or closed, that has a width
 * and may be full; a point is a segment that goes nowhere. */
#include "render/board_scene_state.h"

#include <math.h>

#define UNIT    ((double)TDM_FIGURE_UNIT)
#define ELLIPSE 48 /* Sides of the polygon that stands for one. */
#define PI      3.14159265358979323846

struct segment {
    struct tdm_path_spot from, to;
};

/* Of a figure. */
struct form {
    const struct tdm_board_entry *e;
    size_t count;
    bool closed, full;
    double half; /* Of the width of its line. */
};

static struct tdm_board_entry *entry_of(const struct tdm_board_figure *f)
{
    return (struct tdm_board_entry *)(uintptr_t)f; /* Its first member. */
}

static struct form form_of(const struct tdm_board_entry *e)
{
    const struct tdm_board_figure *f = &e->f;
    struct form form = {.e = e,
                        .count = 4,
                        .closed = true,
                        .full = (f->fill & 0xff) != 0,
                        .half = f->width / UNIT / 2};

    switch (f->type) {
    case TDM_BOARD_PEN:
    case TDM_BOARD_MARKER:
        form.count = f->point_count;
        form.closed = form.full = false;
        break;
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        form.count = tdm_board_entry_spots(e);
        form.closed = form.full = false;
        break;
    case TDM_BOARD_ELLIPSE:
        form.count = ELLIPSE;
        break;
    case TDM_BOARD_TEXT:
    case TDM_BOARD_NOTE:
    case TDM_BOARD_IMAGE:
        form.full = true;
        form.half = 0;
        break;
    case TDM_BOARD_RECTANGLE:
    case TDM_BOARD_DIAMOND:
        break;
    default:
        form.count = 0;
    }
    return form;
}

static struct tdm_path_spot spot(const struct form *form, size_t i)
{
    const struct tdm_figure_box *b = &form->e->frame;
    double x = (b->left + b->right) / 2, y = (b->top + b->bottom) / 2;

    if (!form->closed)
        return tdm_board_entry_spot(form->e, i);
    i %= form->count;
    if (form->e->f.type == TDM_BOARD_ELLIPSE) {
        double turn = (double)i * 2 * PI / ELLIPSE;

        return (struct tdm_path_spot){x + (b->right - x) * cos(turn),
                                      y + (b->bottom - y) * sin(turn)};
    }
    if (form->e->f.type == TDM_BOARD_DIAMOND) {
        const struct tdm_path_spot corners[4] = {
            {x, b->top}, {b->right, y}, {x, b->bottom}, {b->left, y}};

        return corners[i];
    }
    return (struct tdm_path_spot){i == 0 || i == 3 ? b->left : b->right,
                                  i < 2 ? b->top : b->bottom};
}

static double cross(struct tdm_path_spot o, struct tdm_path_spot a, struct tdm_path_spot b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

static bool cut(const struct segment *a, const struct segment *b)
{
    return cross(a->from, a->to, b->from) * cross(a->from, a->to, b->to) < 0 &&
           cross(b->from, b->to, a->from) * cross(b->from, b->to, a->to) < 0;
}

static double to_segment(struct tdm_path_spot p, const struct segment *s)
{
    double dx = s->to.x - s->from.x, dy = s->to.y - s->from.y;
    double length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - s->from.x) * dx + (p.y - s->from.y) * dy) / length : 0;

    t = fmax(0, fmin(1, t));
    return hypot(s->from.x + t * dx - p.x, s->from.y + t * dy - p.y);
}

static double apart(const struct segment *a, const struct segment *b)
{
    if (cut(a, b))
        return 0;
    return fmin(fmin(to_segment(a->from, b), to_segment(a->to, b)),
                fmin(to_segment(b->from, a), to_segment(b->to, a)));
}

/* Even-odd. */
static bool inside(const struct form *form, struct tdm_path_spot p)
{
    bool in = false;

    for (size_t i = 0; i < form->count; i++) {
        struct tdm_path_spot a = spot(form, i), b = spot(form, i + 1);

        if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x)
            in = !in;
    }
    return in;
}

static bool reached(const struct form *form, const struct segment *s, double reach)
{
    size_t lines = form->closed ? form->count : form->count - 1;

    if (form->count == 0)
        return false;
    if (form->full && inside(form, s->from))
        return true;
    if (form->count == 1)
        return to_segment(spot(form, 0), s) <= reach + form->half;
    for (size_t i = 0; i < lines; i++) {
        struct segment line = {spot(form, i), spot(form, i + 1)};

        if (apart(s, &line) <= reach + form->half)
            return true;
    }
    return false;
}

static bool touches(const struct tdm_board_entry *e, const struct segment *board, double reach)
{
    struct form form = form_of(e);
    struct segment s = *board;
    cairo_matrix_t m;

    tdm_board_entry_matrix(e, &m);
    if (cairo_matrix_invert(&m) != CAIRO_STATUS_SUCCESS)
        return false;
    cairo_matrix_transform_point(&m, &s.from.x, &s.from.y);
    cairo_matrix_transform_point(&m, &s.to.x, &s.to.y);
    return reached(&form, &s, reach);
}

static struct tdm_figure_box around(const struct segment *s, double by)
{
    return (struct tdm_figure_box){fmin(s->from.x, s->to.x) - by, fmin(s->from.y, s->to.y) - by,
                                   fmax(s->from.x, s->to.x) + by, fmax(s->from.y, s->to.y) + by};
}

bool tdm_board_scene_box(struct tdm_board_scene *scene, uint64_t id, struct tdm_figure_box *box)
{
    const struct tdm_board_figure *f = tdm_board_scene_find(scene, id);

    if (f)
        *box = entry_of(f)->box;
    return f != NULL;
}

bool tdm_board_scene_frame(struct tdm_board_scene *scene, uint64_t id, struct tdm_figure_box *frame)
{
    const struct tdm_board_figure *f = tdm_board_scene_find(scene, id);

    if (!f)
        return false;
    *frame = entry_of(f)->frame;
    frame->left += f->x / UNIT;
    frame->right += f->x / UNIT;
    frame->top += f->y / UNIT;
    frame->bottom += f->y / UNIT;
    return true;
}

bool tdm_board_scene_extent(struct tdm_board_scene *scene, struct tdm_figure_box *box)
{
    bool any = false;

    for (size_t i = 0; i < scene->count; i++) {
        const struct tdm_figure_box *b = &scene->order[i]->box;

        if (b->right <= b->left)
            continue;
        if (!any)
            *box = *b;
        any = true;
        *box = (struct tdm_figure_box){fmin(box->left, b->left), fmin(box->top, b->top),
                                       fmax(box->right, b->right), fmax(box->bottom, b->bottom)};
    }
    return any;
}

uint64_t tdm_board_scene_hit(struct tdm_board_scene *scene, double x, double y, double reach)
{
    uint64_t id = 0;

    (void)tdm_board_scene_crossed(scene, (double[2]){x, y}, (double[2]){x, y}, reach, &id, 1);
    return id;
}

size_t tdm_board_scene_crossed(struct tdm_board_scene *scene, const double from[2],
                               const double to[2], double reach, uint64_t *ids, size_t max)
{
    const struct segment s = {{from[0], from[1]}, {to[0], to[1]}};
    const struct tdm_figure_box box = around(&s, reach);
    size_t count = 0;

    for (size_t i = scene->count; i-- > 0 && count < max;) {
        const struct tdm_board_entry *e = scene->order[i];

        if (tdm_figure_box_touch(&e->box, &box) && touches(e, &s, reach))
            ids[count++] = e->f.id;
    }
    return count;
}

static bool is_within(const struct tdm_figure_box *a, const struct tdm_figure_box *box)
{
    return a->left >= box->left && a->right <= box->right && a->top >= box->top &&
           a->bottom <= box->bottom;
}

/* Any of the box's sides, or all of the figure in it. */
static bool touches_box(const struct tdm_board_entry *e, const struct tdm_figure_box *box)
{
    const struct tdm_path_spot corners[5] = {{box->left, box->top},
                                             {box->right, box->top},
                                             {box->right, box->bottom},
                                             {box->left, box->bottom},
                                             {box->left, box->top}};

    for (int i = 0; i < 4; i++)
        if (touches(e, &(struct segment){corners[i], corners[i + 1]}, 0))
            return true;
    return is_within(&e->box, box);
}

size_t tdm_board_scene_within(struct tdm_board_scene *scene, const struct tdm_figure_box *box,
                              bool touched, uint64_t *ids, size_t max)
{
    size_t count = 0;

    for (size_t i = tdm_board_scene_touching(scene, box, 0); i < scene->count && count < max;
         i = tdm_board_scene_touching(scene, box, i + 1)) {
        const struct tdm_board_entry *e = scene->order[i];

        if (e->box.right > e->box.left && (touched ? touches_box(e, box) : is_within(&e->box, box)))
            ids[count++] = e->f.id;
    }
    return count;
}

bool tdm_board_figure_hit(const struct tdm_board_figure *figure, double x, double y, double reach)
{
    struct tdm_board_entry *e = tdm_board_entry_create(NULL, figure);
    bool hit = e && touches(e, &(struct segment){{x, y}, {x, y}}, reach);

    tdm_board_entry_destroy(e);
    return hit;
}

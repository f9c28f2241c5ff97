/* SPDX-License-Identifier: MIT */
/* Ink, lines and arrows. */
#include "render/board_draw.h"
#include "render/board_way.h"

#include <math.h>

#define UNIT        ((double)TDM_FIGURE_UNIT)
#define CURVE_LEAST 3.0  /* px between corners of ink, from which on a curve goes there. */
#define SKIP        0.35 /* px: a corner that is so near to the one before is left out. */
#define MARKER      0.45 /* How much a marker covers. */
#define SPREAD      0.48 /* Of an arrow's barbs: tangent of the half angle. */

struct spot {
    double x, y;
};

static struct spot corner(const struct tdm_board_entry *e, size_t i, const cairo_matrix_t *m)
{
    struct spot s = {(double)e->outline[i].x, (double)e->outline[i].y};

    cairo_matrix_transform_point(m, &s.x, &s.y);
    return s;
}

static struct spot middle(struct spot a, struct spot b)
{
    return (struct spot){(a.x + b.x) / 2, (a.y + b.y) / 2};
}

static double apart(struct spot a, struct spot b)
{
    return fmax(fabs(a.x - b.x), fabs(a.y - b.y));
}

/* Through the middles between corners, which are the control points. */
static void outline_path(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                         const cairo_matrix_t *m)
{
    struct spot now = corner(e, 0, m);
    struct spot at = middle(corner(e, e->corner_count - 1, m), now);

    tdm_board_path_clear(b->path);
    tdm_board_path_move(b->path, at.x, at.y);
    for (size_t i = 0; i < e->corner_count; i++) {
        struct spot next = corner(e, i + 1 < e->corner_count ? i + 1 : 0, m);
        struct spot to = middle(now, next);

        if (b->vector || apart(at, now) > CURVE_LEAST || apart(now, to) > CURVE_LEAST) {
            tdm_board_path_bend(b->path, now.x, now.y, to.x, to.y);
            at = to;
        } else if (apart(at, to) > SKIP) {
            tdm_board_path_line(b->path, to.x, to.y);
            at = to;
        }
        now = next;
    }
    tdm_board_path_close(b->path);
}

void tdm_board_draw_ink(const struct tdm_board_brush *b, struct tdm_board_entry *e,
                        const cairo_matrix_t *m)
{
    tdm_board_entry_outline(b->scene, e);
    if (!e->outline || e->corner_count < 3)
        return;
    outline_path(b, e, m);
    tdm_board_set_colour(b, e->f.colour,
                         e->f.opacity / 255.0 * (e->f.type == TDM_BOARD_MARKER ? MARKER : 1));
    tdm_board_path_fill(b->path, b->cr, &b->seen);
}

/* An end of a line: its tip, and the way there from the next place that is not the tip. */
struct end {
    struct tdm_path_spot tip;
    double way_x, way_y, length;
};

static bool find_end(const struct tdm_board_entry *e, bool start, struct end *end)
{
    size_t count = tdm_board_way_count(e);

    end->tip = tdm_board_way_at(e, start ? 0 : count - 1);
    for (size_t i = 1; i < count; i++) {
        struct tdm_path_spot s = tdm_board_way_at(e, start ? i : count - 1 - i);
        double x = end->tip.x - s.x, y = end->tip.y - s.y;

        end->length = hypot(x, y);
        if (end->length > 0.01) {
            end->way_x = x / end->length;
            end->way_y = y / end->length;
            return true;
        }
    }
    return false;
}

static struct tdm_path_spot back(const struct end *end, double by, double aside)
{
    return (struct tdm_path_spot){end->tip.x - end->way_x * by - end->way_y * aside,
                                  end->tip.y - end->way_y * by + end->way_x * aside};
}

static void stroke_path(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                        const cairo_matrix_t *m)
{
    struct tdm_board_dashing solid = {.width = e->f.width / UNIT * b->scale};

    tdm_board_path_turn(b->path, m);
    tdm_board_path_stroke(b->path, b->cr, &b->seen, &solid);
}

static void draw_head(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                      const struct end *end, unsigned head, const cairo_matrix_t *m)
{
    double size = fmin(tdm_board_entry_head(&e->f), end->length * 0.75);
    struct tdm_path_spot left = back(end, size, -size * SPREAD),
                         right = back(end, size, size * SPREAD);

    tdm_board_path_clear(b->path);
    if (head == TDM_HEAD_DOT) {
        double r = size * 0.4;
        struct tdm_figure_box box = {end->tip.x - r, end->tip.y - r, end->tip.x + r,
                                     end->tip.y + r};

        tdm_board_path_ellipse(b->path, &box);
        tdm_board_path_turn(b->path, m);
        tdm_board_path_fill(b->path, b->cr, &b->seen);
        return;
    }
    if (head == TDM_HEAD_BAR) {
        left = back(end, 0, -size * 0.5);
        right = back(end, 0, size * 0.5);
        tdm_board_path_move(b->path, left.x, left.y);
        tdm_board_path_line(b->path, right.x, right.y);
        stroke_path(b, e, m);
        return;
    }
    tdm_board_path_move(b->path, left.x, left.y);
    tdm_board_path_line(b->path, end->tip.x, end->tip.y);
    tdm_board_path_line(b->path, right.x, right.y);
    if (head == TDM_HEAD_TRIANGLE)
        tdm_board_path_close(b->path);
    stroke_path(b, e, m);
    if (head == TDM_HEAD_TRIANGLE)
        tdm_board_path_fill(b->path, b->cr, &b->seen);
}

static void way_path(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                     const cairo_matrix_t *m)
{
    size_t count = tdm_board_way_count(e);

    tdm_board_path_clear(b->path);
    for (size_t i = 0; i < count; i++) {
        struct tdm_path_spot s = tdm_board_way_at(e, i);

        (i == 0 ? tdm_board_path_move : tdm_board_path_line)(b->path, s.x, s.y);
    }
    if (tdm_board_way_closed(e))
        tdm_board_path_close(b->path);
    tdm_board_path_turn(b->path, m);
}

static void draw_heads(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                       const cairo_matrix_t *m)
{
    struct end end;

    if (e->f.head_start != TDM_HEAD_NONE && find_end(e, true, &end))
        draw_head(b, e, &end, e->f.head_start, m);
    if (e->f.head_end != TDM_HEAD_NONE && find_end(e, false, &end))
        draw_head(b, e, &end, e->f.head_end, m);
}

/* What overlaps is one layer: a fill and its border, or a line and its heads, which are of one
 * colour, whose transparency is then the layer's. */
void tdm_board_draw_line(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                         const cairo_matrix_t *m)
{
    const struct tdm_board_figure *f = &e->f;
    struct tdm_board_dashing dashing = tdm_board_dashing_of(b, f);
    bool fills = (f->fill & 255) && tdm_board_way_closed(e);
    bool lines = f->width > 0 && (f->colour & 255);
    bool heads = lines && (f->head_start != TDM_HEAD_NONE || f->head_end != TDM_HEAD_NONE);
    bool one_colour = heads && !fills, layered = heads || (fills && lines);
    double opacity = f->opacity / 255.0 * (one_colour ? (f->colour & 255) / 255.0 : 1);

    if (!fills && !lines)
        return;
    tdm_board_layer_begin(b, e, layered ? opacity : 1);
    way_path(b, e, m);
    if (fills) {
        tdm_board_set_colour(b, f->fill, layered ? 1 : opacity);
        tdm_board_path_fill(b->path, b->cr, &b->seen);
    }
    if (lines) {
        tdm_board_set_colour(b, one_colour ? f->colour | 255 : f->colour, layered ? 1 : opacity);
        tdm_board_path_stroke(b->path, b->cr, &b->seen, &dashing);
        draw_heads(b, e, m);
    }
    tdm_board_layer_end(b, layered ? opacity : 1);
}

/* SPDX-License-Identifier: MIT */
/* A path on a surface: as it is, or, where cairo does not reach, as lines that are cut off. */
#include "render/board_path_parts.h"

#include <math.h>
#include <stdlib.h>

#define CAIRO_REACH 100000.0 /* px: a path within may go to cairo as it is. */
#define MARGIN      64.0     /* px around what is seen where a larger path is cut off. */
#define CURVE_LINES 256      /* At most, for a curve that is cut. */

static bool within(const struct tdm_board_path *p)
{
    for (size_t i = 0; i < p->count; i++)
        for (int k = p->parts[i].verb == TDM_PATH_CURVE ? 0 : 2; k < 3; k++)
            if (!(fabs(p->parts[i].to[k].x) < CAIRO_REACH) ||
                !(fabs(p->parts[i].to[k].y) < CAIRO_REACH))
                return false;
    return true;
}

static void to_cairo(const struct tdm_board_path *p, cairo_t *cr)
{
    cairo_new_path(cr);
    for (size_t i = 0; i < p->count; i++) {
        const struct tdm_path_spot *to = p->parts[i].to;

        switch (p->parts[i].verb) {
        case TDM_PATH_MOVE:
            cairo_move_to(cr, to[2].x, to[2].y);
            break;
        case TDM_PATH_LINE:
            cairo_line_to(cr, to[2].x, to[2].y);
            break;
        case TDM_PATH_CURVE:
            cairo_curve_to(cr, to[0].x, to[0].y, to[1].x, to[1].y, to[2].x, to[2].y);
            break;
        case TDM_PATH_CLOSE:
            cairo_close_path(cr);
            break;
        }
    }
}

static bool flat_room(struct tdm_board_path *p, size_t count)
{
    if (count <= p->flat_room)
        return true;
    struct tdm_path_spot *flat = realloc(p->flat, 2 * count * sizeof *flat);

    if (!flat)
        return false;
    p->flat = flat;
    p->flat_room = 2 * count;
    return true;
}

static struct tdm_path_spot on_curve(struct tdm_path_spot from, const struct tdm_path_spot to[3],
                                     double t)
{
    double u = 1 - t;
    double a = u * u * u, b = 3 * u * u * t, c = 3 * u * t * t, d = t * t * t;

    return (struct tdm_path_spot){a * from.x + b * to[0].x + c * to[1].x + d * to[2].x,
                                  a * from.y + b * to[0].y + c * to[1].y + d * to[2].y};
}

static double apart(struct tdm_path_spot a, struct tdm_path_spot b)
{
    return fabs(a.x - b.x) + fabs(a.y - b.y);
}

/* So many lines that they are not told from the curve, as far as CURVE_LINES goes. */
static int lines_of(struct tdm_path_spot from, const struct tdm_path_spot to[3])
{
    double size = apart(from, to[0]) + apart(to[0], to[1]) + apart(to[1], to[2]);
    double lines = ceil(sqrt(size) / 2) + 2;

    return lines < CURVE_LINES ? (int)lines : CURVE_LINES;
}

/* One piece of the path from a TDM_PATH_MOVE on, as straight lines; `*at` moves behind it. */
static size_t flatten(struct tdm_board_path *p, size_t *at, bool *closed)
{
    size_t count = 0;

    *closed = false;
    for (; *at < p->count; ++*at) {
        const struct tdm_path_part *part = &p->parts[*at];

        if (part->verb == TDM_PATH_MOVE && count > 0)
            break;
        if (part->verb == TDM_PATH_CLOSE) {
            *closed = true;
            ++*at;
            break;
        }
        if (!flat_room(p, count + CURVE_LINES + 1))
            return 0;
        if (part->verb == TDM_PATH_CURVE && count > 0) {
            struct tdm_path_spot from = p->flat[count - 1];
            int lines = lines_of(from, part->to);

            for (int i = 1; i <= lines; i++)
                p->flat[count++] = on_curve(from, part->to, (double)i / lines);
        } else {
            p->flat[count++] = part->to[2];
        }
    }
    return count;
}

/* How far inside of one of the box's four sides. */
static double inside(const struct tdm_figure_box *b, int side, struct tdm_path_spot s)
{
    return side == 0   ? s.x - b->left
           : side == 1 ? b->right - s.x
           : side == 2 ? s.y - b->top
                       : b->bottom - s.y;
}

static struct tdm_path_spot between(struct tdm_path_spot a, struct tdm_path_spot b, double t)
{
    return (struct tdm_path_spot){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

/* Sutherland and Hodgman (1974): a polygon loses what is outside of one side. */
static size_t cut(const struct tdm_figure_box *b, int side, const struct tdm_path_spot *from,
                  size_t count, struct tdm_path_spot *to)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct tdm_path_spot a = from[i], c = from[i + 1 < count ? i + 1 : 0];
        double in_a = inside(b, side, a), in_c = inside(b, side, c);

        if (in_a >= 0)
            to[kept++] = a;
        if ((in_a >= 0) != (in_c >= 0))
            to[kept++] = between(a, c, in_a / (in_a - in_c));
    }
    return kept;
}

static struct tdm_figure_box around(const struct tdm_figure_box *seen, double by)
{
    return (struct tdm_figure_box){seen->left - by, seen->top - by, seen->right + by,
                                   seen->bottom + by};
}

static void fill_cut(struct tdm_board_path *p, cairo_t *cr, const struct tdm_figure_box *seen)
{
    struct tdm_figure_box box = around(seen, MARGIN);
    bool closed;

    cairo_new_path(cr);
    for (size_t at = 0; at < p->count;) {
        size_t count = flatten(p, &at, &closed);

        if (count < 3)
            continue;
        /* A side adds half of what there is, where every second line crosses it. */
        if (!flat_room(p, 20 * count))
            return;
        const size_t room = 10 * count;
        struct tdm_path_spot *a = p->flat, *b = p->flat + room, *swap;

        for (int side = 0; side < 4; side++) {
            if (2 * count > room)
                return;
            count = cut(&box, side, a, count, b);
            swap = a, a = b, b = swap;
        }
        for (size_t i = 0; i < count; i++)
            (i == 0 ? cairo_move_to : cairo_line_to)(cr, a[i].x, a[i].y);
        cairo_close_path(cr);
    }
    cairo_fill(cr);
}

void tdm_board_path_fill(struct tdm_board_path *p, cairo_t *cr, const struct tdm_figure_box *seen)
{
    if (p->failed)
        return;
    if (!within(p)) {
        fill_cut(p, cr, seen);
        return;
    }
    to_cairo(p, cr);
    cairo_fill(cr);
}

/* The part of a line that is in the box (Liang and Barsky 1984). */
static bool visible(const struct tdm_figure_box *b, struct tdm_path_spot from,
                    struct tdm_path_spot to, double *enter, double *leave)
{
    *enter = 0;
    *leave = 1;
    for (int side = 0; side < 4; side++) {
        double a = inside(b, side, from), c = inside(b, side, to);

        if (a < 0 && c < 0)
            return false;
        if (a < 0)
            *enter = fmax(*enter, a / (a - c));
        else if (c < 0)
            *leave = fmin(*leave, a / (a - c));
    }
    return *enter < *leave;
}

static void set_dash(cairo_t *cr, const struct tdm_board_dashing *d, double run)
{
    double dashes[2] = {d->on, d->off};

    if (d->on + d->off > 0.01)
        cairo_set_dash(cr, dashes, 2, fmod(run, d->on + d->off));
    else
        cairo_set_dash(cr, NULL, 0, 0);
}

/* Line by line: what leaves the box ends a stroke, the dashes go on as if it had not. */
static void stroke_cut(struct tdm_board_path *p, cairo_t *cr, const struct tdm_figure_box *seen,
                       const struct tdm_board_dashing *d)
{
    struct tdm_figure_box box = around(seen, MARGIN + d->width);
    bool closed;

    for (size_t at = 0; at < p->count;) {
        size_t count = flatten(p, &at, &closed);
        double run = 0, enter, leave;
        bool open = false;

        cairo_new_path(cr);
        for (size_t i = 1; i < count + (closed ? 1 : 0); i++) {
            struct tdm_path_spot a = p->flat[i - 1], b = p->flat[i < count ? i : 0];
            double way = hypot(b.x - a.x, b.y - a.y);
            bool in = visible(&box, a, b, &enter, &leave);

            if (in) {
                struct tdm_path_spot from = between(a, b, enter), to = between(a, b, leave);

                if (!open) {
                    set_dash(cr, d, run + enter * way);
                    cairo_move_to(cr, from.x, from.y);
                }
                cairo_line_to(cr, to.x, to.y);
            }
            open = in && leave >= 1;
            if (!open)
                cairo_stroke(cr);
            run += way;
        }
        cairo_stroke(cr);
    }
}

void tdm_board_path_stroke(struct tdm_board_path *p, cairo_t *cr, const struct tdm_figure_box *seen,
                           const struct tdm_board_dashing *d)
{
    if (p->failed || !(d->width > 0))
        return;
    cairo_set_line_width(cr, d->width);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    if (!within(p)) {
        stroke_cut(p, cr, seen, d);
        return;
    }
    to_cairo(p, cr);
    set_dash(cr, d, 0);
    cairo_stroke(cr);
}

/* SPDX-License-Identifier: MIT */
#include "render/board_way.h"

#include <math.h>

#define PIECES      12 /* Of a curve from one place to the next, */
#define PIECES_FEW  4  /* and where there are many places: */
#define MANY        256
#define TOO_MANY    8192 /* Then they lie so close that straight is round. */
#define PLACES_RING 4    /* The last of which is the first. */

static size_t pieces_of(const struct tdm_board_entry *e)
{
    size_t places = tdm_board_entry_spots(e);

    if (e->f.corner <= 0 || places < 3 || places > TOO_MANY)
        return 1;
    return places > MANY ? PIECES_FEW : PIECES;
}

size_t tdm_board_way_count(const struct tdm_board_entry *e)
{
    return (tdm_board_entry_spots(e) - 1) * pieces_of(e) + 1;
}

bool tdm_board_way_closed(const struct tdm_board_entry *e)
{
    size_t count = tdm_board_entry_spots(e);

    if (e->f.type != TDM_BOARD_LINE || count < PLACES_RING)
        return false;
    return e->f.points[0].x == e->f.points[count - 1].x &&
           e->f.points[0].y == e->f.points[count - 1].y;
}

/* Through b and c; a is before them, d behind. */
static double between(double a, double b, double c, double d, double t)
{
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

struct tdm_path_spot tdm_board_way_at(const struct tdm_board_entry *e, size_t i)
{
    size_t pieces = pieces_of(e), last = tdm_board_entry_spots(e) - 1, from = i / pieces;
    double t = (double)(i % pieces) / (double)pieces;
    struct tdm_path_spot b = tdm_board_entry_spot(e, from);

    if (i % pieces == 0)
        return b;
    bool ring = tdm_board_way_closed(e);
    struct tdm_path_spot a = tdm_board_entry_spot(e, from   ? from - 1
                                                     : ring ? last - 1
                                                            : 0),
                         c = tdm_board_entry_spot(e, from + 1),
                         d = tdm_board_entry_spot(e, from + 2 <= last ? from + 2
                                                     : ring           ? 1
                                                                      : last);

    return (struct tdm_path_spot){between(a.x, b.x, c.x, d.x, t), between(a.y, b.y, c.y, d.y, t)};
}

/* As a curve of Bezier its control points are a sixth of the way between two places away from a
 * place, and it does not leave these. */
double tdm_board_way_beyond(const struct tdm_board_entry *e)
{
    const struct tdm_figure_box *f = &e->frame;

    return pieces_of(e) > 1 ? fmax(f->right - f->left, f->bottom - f->top) / 6 : 0;
}

bool tdm_board_way_inside(const struct tdm_board_entry *e, double x, double y)
{
    size_t count = tdm_board_way_count(e);
    struct tdm_path_spot a = tdm_board_way_at(e, count - 1);
    int turns = 0;

    for (size_t i = 0; i < count; i++) {
        struct tdm_path_spot b = tdm_board_way_at(e, i);

        if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x)
            turns += b.y > a.y ? 1 : -1;
        a = b;
    }
    return turns != 0;
}

/* SPDX-License-Identifier: MIT */
#include "render/board_path.h"

#include "render/board_path_parts.h"

#include <math.h>
#include <stdlib.h>

#define KAPPA 0.5522847498

static struct tdm_path_part *add(struct tdm_board_path *p, enum tdm_path_verb verb)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 256;
        struct tdm_path_part *parts = realloc(p->parts, room * sizeof *parts);

        if (!parts) {
            p->failed = true;
            return NULL;
        }
        p->parts = parts;
        p->room = room;
    }
    struct tdm_path_part *part = &p->parts[p->count++];

    part->verb = verb;
    return part;
}

void tdm_board_path_clear(struct tdm_board_path *p)
{
    p->count = 0;
    p->failed = false;
}

void tdm_board_path_free(struct tdm_board_path *p)
{
    free(p->parts);
    free(p->flat);
    *p = (struct tdm_board_path){0};
}

void tdm_board_path_move(struct tdm_board_path *p, double x, double y)
{
    struct tdm_path_part *part = add(p, TDM_PATH_MOVE);

    if (part)
        part->to[2] = (struct tdm_path_spot){x, y};
}

void tdm_board_path_line(struct tdm_board_path *p, double x, double y)
{
    struct tdm_path_part *part = add(p, TDM_PATH_LINE);

    if (part)
        part->to[2] = (struct tdm_path_spot){x, y};
}

void tdm_board_path_curve(struct tdm_board_path *p, const struct tdm_path_spot to[3])
{
    struct tdm_path_part *part = add(p, TDM_PATH_CURVE);

    if (part)
        for (int i = 0; i < 3; i++)
            part->to[i] = to[i];
}

void tdm_board_path_bend(struct tdm_board_path *p, double cx, double cy, double x, double y)
{
    if (p->count == 0)
        return;
    struct tdm_path_spot at = p->parts[p->count - 1].to[2];
    struct tdm_path_spot to[3] = {{at.x + (cx - at.x) * 2 / 3, at.y + (cy - at.y) * 2 / 3},
                                  {x + (cx - x) * 2 / 3, y + (cy - y) * 2 / 3},
                                  {x, y}};

    tdm_board_path_curve(p, to);
}

void tdm_board_path_close(struct tdm_board_path *p)
{
    struct tdm_path_part *part = add(p, TDM_PATH_CLOSE);

    if (part)
        part->to[2] = (struct tdm_path_spot){0, 0};
}

/* A quarter of an ellipse from the last place to (x, y) around a corner at (cx, cy). */
static void corner(struct tdm_board_path *p, double cx, double cy, double x, double y)
{
    if (p->count == 0)
        return;
    struct tdm_path_spot at = p->parts[p->count - 1].to[2];
    struct tdm_path_spot to[3] = {{at.x + (cx - at.x) * KAPPA, at.y + (cy - at.y) * KAPPA},
                                  {x + (cx - x) * KAPPA, y + (cy - y) * KAPPA},
                                  {x, y}};

    tdm_board_path_curve(p, to);
}

static void rounded(struct tdm_board_path *p, const struct tdm_figure_box *b, double rx, double ry)
{
    tdm_board_path_move(p, b->left + rx, b->top);
    tdm_board_path_line(p, b->right - rx, b->top);
    corner(p, b->right, b->top, b->right, b->top + ry);
    tdm_board_path_line(p, b->right, b->bottom - ry);
    corner(p, b->right, b->bottom, b->right - rx, b->bottom);
    tdm_board_path_line(p, b->left + rx, b->bottom);
    corner(p, b->left, b->bottom, b->left, b->bottom - ry);
    tdm_board_path_line(p, b->left, b->top + ry);
    corner(p, b->left, b->top, b->left + rx, b->top);
    tdm_board_path_close(p);
}

void tdm_board_path_rectangle(struct tdm_board_path *p, const struct tdm_figure_box *b,
                              double radius)
{
    double r = fmin(radius, fmin(b->right - b->left, b->bottom - b->top) / 2);

    if (r > 0) {
        rounded(p, b, r, r);
        return;
    }
    tdm_board_path_move(p, b->left, b->top);
    tdm_board_path_line(p, b->right, b->top);
    tdm_board_path_line(p, b->right, b->bottom);
    tdm_board_path_line(p, b->left, b->bottom);
    tdm_board_path_close(p);
}

void tdm_board_path_ellipse(struct tdm_board_path *p, const struct tdm_figure_box *b)
{
    double rx = (b->right - b->left) / 2, ry = (b->bottom - b->top) / 2;
    double x = b->left + rx, y = b->top + ry;

    tdm_board_path_move(p, x, b->top);
    corner(p, b->right, b->top, b->right, y);
    corner(p, b->right, b->bottom, x, b->bottom);
    corner(p, b->left, b->bottom, b->left, y);
    corner(p, b->left, b->top, x, b->top);
    tdm_board_path_close(p);
}

void tdm_board_path_turn(struct tdm_board_path *p, const cairo_matrix_t *matrix)
{
    for (size_t i = 0; i < p->count; i++)
        for (int k = p->parts[i].verb == TDM_PATH_CURVE ? 0 : 2; k < 3; k++)
            cairo_matrix_transform_point(matrix, &p->parts[i].to[k].x, &p->parts[i].to[k].y);
}

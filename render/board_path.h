/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_PATH_H
#define TDM_RENDER_BOARD_PATH_H

/*
 * A path in doubles, in front of cairo's paths, which hold no more than 2^23 px: at a large scale
 * the far side of a figure lies beyond that. A path that fits goes to cairo as it is; of one that
 * does not, cairo gets straight lines, cut off some way outside of what is painted. Its room grows
 * and is used again; without memory it stays empty.
 */

#include "render/board_figure.h"

#include <cairo.h>

struct tdm_board_path {
    struct tdm_path_part *parts;
    size_t count, room;
    struct tdm_path_spot *flat; /* Room of lines that are cut. */
    size_t flat_room;
    bool failed;
};

struct tdm_path_spot {
    double x, y;
};

struct tdm_board_dashing {
    double width;
    double on, off; /* on + off 0: solid. A dot: on 0. */
};

void tdm_board_path_clear(struct tdm_board_path *p);
void tdm_board_path_free(struct tdm_board_path *p);

void tdm_board_path_move(struct tdm_board_path *p, double x, double y);
void tdm_board_path_line(struct tdm_board_path *p, double x, double y);
/** A cubic curve; `to` is three places. */
void tdm_board_path_curve(struct tdm_board_path *p, const struct tdm_path_spot to[3]);
/** A quadratic one. */
void tdm_board_path_bend(struct tdm_board_path *p, double cx, double cy, double x, double y);
void tdm_board_path_close(struct tdm_board_path *p);
/** Closed; the radius is made to fit. */
void tdm_board_path_rectangle(struct tdm_board_path *p, const struct tdm_figure_box *box,
                              double radius);
void tdm_board_path_ellipse(struct tdm_board_path *p, const struct tdm_figure_box *box);

void tdm_board_path_turn(struct tdm_board_path *p, const cairo_matrix_t *matrix);

/** With the source that `cr` has, in cr's own coordinates, of which `seen` is painted. */
void tdm_board_path_fill(struct tdm_board_path *p, cairo_t *cr, const struct tdm_figure_box *seen);
void tdm_board_path_stroke(struct tdm_board_path *p, cairo_t *cr, const struct tdm_figure_box *seen,
                           const struct tdm_board_dashing *dashing);

#endif

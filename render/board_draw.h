/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_DRAW_H
#define TDM_RENDER_BOARD_DRAW_H

/*
 * One figure, or the ground, onto a cairo surface: the one place where it is decided how a board
 * looks. Screen, PNG, SVG and PDF all come from here.
 */

#include "render/board_camera.h"
#include "render/board_scene_state.h"

struct tdm_board_brush {
    cairo_t *cr;
    struct tdm_board_scene *scene; /* Images, letters and room; may be NULL but for its path. */
    struct tdm_board_path *path;
    enum tdm_board_theme theme;
    double scale;               /* Units of cr for a pixel of the board. */
    double x, y;                /* What is at (0, 0) of cr, in those units. */
    struct tdm_figure_box seen; /* What is painted, in units of cr. */
    bool vector;                /* Curves stay curves; nothing is left out for being small. */
};

void tdm_board_draw(const struct tdm_board_brush *b, struct tdm_board_entry *e);

void tdm_board_draw_ground(const struct tdm_board_brush *b, const struct tdm_board_ground *ground,
                           bool without_pattern);

/* For the files that draw a kind of figure. `m` is from px of the entry to units of cr. */
void tdm_board_draw_text(const struct tdm_board_brush *b, struct tdm_board_entry *e,
                         const cairo_matrix_t *m);
void tdm_board_draw_note(const struct tdm_board_brush *b, struct tdm_board_entry *e,
                         const cairo_matrix_t *m);
void tdm_board_draw_ink(const struct tdm_board_brush *b, struct tdm_board_entry *e,
                        const cairo_matrix_t *m);
void tdm_board_draw_line(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                         const cairo_matrix_t *m);

void tdm_board_set_colour(const struct tdm_board_brush *b, uint32_t colour, double opacity);
struct tdm_board_dashing tdm_board_dashing_of(const struct tdm_board_brush *b,
                                              const struct tdm_board_figure *f);

/** What is drawn between is one layer, shown with `opacity`. */
void tdm_board_layer_begin(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                           double opacity);
void tdm_board_layer_end(const struct tdm_board_brush *b, double opacity);

#endif

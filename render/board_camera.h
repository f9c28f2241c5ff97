/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_CAMERA_H
#define TDM_RENDER_BOARD_CAMERA_H

/*
 * Which part of the infinite board a window shows, how large, and in which colours. Pure geometry:
 * it turns places of the window into places of the board and back. The window's corner stands at a
 * whole pixel of the scaled board, so that what was painted once can be shown again after a pan.
 */

#include "engine/base/rect.h"
#include "render/board_figure.h"

#define TDM_BOARD_SCALE_MIN 0.01
#define TDM_BOARD_SCALE_MAX 64.0

enum tdm_board_theme { TDM_THEME_LIGHT, TDM_THEME_DARK };

/** What a window shows of the infinite board. */
struct tdm_board_camera {
    double scale; /* Pixels of the window for one of the board. */
    int64_t x, y; /* The window's corner on the scaled board: whole pixels. */
    int width, height;
    enum tdm_board_theme theme;
    bool without_ground;  /* Transparent behind the figures, for overlays on a shared screen. */
    bool without_pattern; /* Paper without its dots or lines. */
};

/** The view whose corner is nearest to a point of the board, in px. Clamps the scale. */
struct tdm_board_camera tdm_board_camera_at(double scale, double left, double top, int width,
                                            int height);
/** Another scale; the point of the board under (x, y) of the window stays there (within half a
 *  pixel). */
void tdm_board_camera_zoom(struct tdm_board_camera *camera, double scale, double x, double y);
/** All of `box` in the middle, with `margin` pixels around, never larger than `scale_max`. */
void tdm_board_camera_fit(struct tdm_board_camera *camera, const struct tdm_figure_box *box,
                          double margin, double scale_max);
void tdm_board_camera_to_board(const struct tdm_board_camera *camera, double x, double y,
                               double *board_x, double *board_y);
void tdm_board_camera_to_window(const struct tdm_board_camera *camera, double board_x,
                                double board_y, double *x, double *y);
/** The window's pixels that a box of the board touches, as far as they are visible. */
struct tdm_rect tdm_board_camera_rect(const struct tdm_board_camera *camera,
                                      const struct tdm_figure_box *box);
/** What of the board is visible. */
struct tdm_figure_box tdm_board_camera_box(const struct tdm_board_camera *camera);

/** A colour of the document as the theme shows it: the dark one turns lightness around and keeps
 *  the hue. Both 0xRRGGBBAA. */
uint32_t tdm_board_theme_colour(enum tdm_board_theme theme, uint32_t colour);

#endif

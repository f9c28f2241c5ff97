/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_CANVAS_H
#define TDM_COLLAB_BOARD_CANVAS_H

/*
 * Which part of an endless page a canvas shows, and how large. Places of the window are pixels of
 * the canvas; places of the board are px here, and 1/16 px where the document is meant.
 */

#include "collab/board.h"

#define TDM_BOARD_ZOOM_MIN  0.05
#define TDM_BOARD_ZOOM_MAX  32.0
#define TDM_BOARD_UNIT      16                                       /* Of the document, in a px. */
#define TDM_BOARD_EDGE      ((double)TDM_BOARD_FAR / TDM_BOARD_UNIT) /* px; nothing is beyond it. */
#define TDM_BOARD_PIXEL_MAX 1e6 /* Of a window; what a device says beyond is cut. */

/** A rectangle of the board, 1/16 px. */
struct tdm_board_area {
    int32_t x, y, w, h;
};

struct tdm_board_canvas {
    double x, y;          /* px of the board at the canvas' left upper corner. */
    double zoom;          /* Pixels of the window for one px. */
    double width, height; /* Of the canvas. */
};

/** Whatever a device or a caller says, made a number within limits. */
double tdm_board_finite(double value, double limit);
/** px to 1/16 px, rounded and kept on the board. */
int32_t tdm_board_unit(double px);

double tdm_board_canvas_x(const struct tdm_board_canvas *c, double window_x);
double tdm_board_canvas_y(const struct tdm_board_canvas *c, double window_y);

/** By pixels of the window; content follows the hand. */
void tdm_board_canvas_pan(struct tdm_board_canvas *c, double dx, double dy);
/** What lies under (x, y) of the window stays there. */
void tdm_board_canvas_zoom(struct tdm_board_canvas *c, double zoom, double x, double y);
/** The next round zoom above or below. */
double tdm_board_canvas_step(const struct tdm_board_canvas *c, bool in);
/** All of the area with a margin, in the middle; enlarged to `most` at most. */
void tdm_board_canvas_fit(struct tdm_board_canvas *c, struct tdm_board_area area, double most);
/** What is seen, outwards rounded. */
struct tdm_board_area tdm_board_canvas_area(const struct tdm_board_canvas *c);

#endif

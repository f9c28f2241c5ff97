/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_FIGURE_H
#define TDM_RENDER_BOARD_FIGURE_H

/*
 * What is painted of one object of a board: a flat struct of visible values, without the document
 * behind it. render/board_feed.h makes them of a page; previews of gestures and tests fill them in
 * by hand. Any value may stand in any field: what makes no sense is clamped or not painted.
 *
 * Places and sizes are 1/16 px of the board, x to the right and y down. A figure stands in its box
 * (x, y, w, h), turned around the box's middle:
 *
 *     (x,y)                w < 0 or h < 0: lines and arrows run against the axis; other figures
 *       +-------------+    are the same as in the box with positive sides
 *       |   figure    | h
 *       +-------------+    angle: clockwise, 65536 is a whole turn
 *              w
 */

#include "render/board_ink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_FIGURE_UNIT      16        /* Units to a pixel of the board. */
#define TDM_FIGURE_REACH     (1 << 30) /* Places and sizes are clamped to +- this: 2^26 px. */
#define TDM_FIGURE_HASH_SIZE 32

enum tdm_figure_kind {
    TDM_FIGURE_NONE, /* Not painted; what a newer peer made. */
    TDM_FIGURE_PEN,
    TDM_FIGURE_MARKER,
    TDM_FIGURE_LINE,  /* From (x, y) to (x + w, y + h). */
    TDM_FIGURE_ARROW, /* The same, with a head at the end. */
    TDM_FIGURE_RECTANGLE,
    TDM_FIGURE_ELLIPSE,
    TDM_FIGURE_TEXT, /* Wraps at w; w 0: as wide as it is. As high as it is, whatever h. */
    TDM_FIGURE_NOTE, /* Text in the middle of a sheet, smaller when it is much. */
    TDM_FIGURE_IMAGE,
};

enum tdm_figure_dash { TDM_FIGURE_SOLID, TDM_FIGURE_DASHED, TDM_FIGURE_DOTTED };
enum tdm_figure_align { TDM_FIGURE_START, TDM_FIGURE_MIDDLE, TDM_FIGURE_END };
enum tdm_figure_font { TDM_FIGURE_SANS, TDM_FIGURE_SERIF, TDM_FIGURE_MONO, TDM_FIGURE_HAND };

struct tdm_board_figure {
    uint64_t id;      /* Of the object. */
    uint32_t version; /* Another one whenever anything below is another; see tdm_board_scene_put. */
    enum tdm_figure_kind kind;
    int32_t x, y, w, h;
    uint16_t angle;
    uint32_t colour; /* 0xRRGGBBAA, of ink, border and letters. */
    uint32_t fill;   /* 0xRRGGBBAA; alpha 0: none. A note's sheet. */
    int32_t width;   /* Of ink and border; 0: no border. */
    int32_t radius;  /* Of a rectangle's corners. */
    uint8_t opacity; /* 255: opaque. */
    uint8_t dash;    /* enum tdm_figure_dash */
    uint8_t font;    /* enum tdm_figure_font */
    uint8_t align;   /* enum tdm_figure_align; START is right in text that runs to the left. */
    int32_t font_size;
    bool sealed; /* A stroke that will not grow any more: its end tapers. */

    /* Borrowed, until the call that it is given to returns. Points are relative to (x, y), in the
     * stroke's own measure: when `points_w` or `points_h` is not 0, that width and height of
     * theirs are stretched to w and h. */
    const struct tdm_board_ink_point *points;
    uint32_t point_count;
    int32_t points_w, points_h;
    const char *text; /* UTF-8; broken sequences are shown as U+FFFD. */
    uint32_t text_size;
    uint8_t image[TDM_FIGURE_HASH_SIZE]; /* Which picture of the scene. */
};

/** A rectangle of the board in pixels; empty when right <= left. */
struct tdm_figure_box {
    double left, top, right, bottom;
};

#endif

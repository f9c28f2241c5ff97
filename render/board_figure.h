/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_FIGURE_H
#define TDM_RENDER_BOARD_FIGURE_H

/*
 * What is painted of one object of a board: a flat struct of visible values, without the document
 * behind it. render/board_feed.h makes them of a page; previews of gestures and tests fill them in
 * by hand. Any value may stand in any field: what makes no sense is clamped or not painted.
 *
 * Units are the document's (collab/board_object.h). A figure stands in its frame: the box (x, y, w,
 * h), or what its points or its text take. It is turned around the frame's middle:
 *
 *     (x, y)               w < 0 or h < 0: lines and arrows run against the axis; other figures
 *       +-------------+    are the same as in the box with positive sides
 *       |   figure    | h
 *       +-------------+    angle: clockwise, 65536 is a whole turn
 *              w
 *
 * Text wraps at w; with w 0 it is as wide as its lines. It is as high as its lines, whatever h.
 */

#include "render/board_ink.h"

/* Units to a pixel of the board. */
#define TDM_FIGURE_UNIT 16

struct tdm_board_figure {
    uint64_t id;      /* Of the object: actor << 32 | seq. */
    uint64_t version; /* Another one whenever anything below is another: the object's `changed`. */
    uint32_t type;    /* enum tdm_board_type; what is not drawn is no figure. */
    int32_t x, y, w, h;
    uint16_t angle;
    uint32_t colour; /* Of ink, border and letters. */
    uint32_t fill;   /* Alpha 0: none. A note's paper. */
    int32_t width;   /* Of ink and border; 0: no border. */
    int32_t corner;  /* Radius of a rectangle's. */
    uint8_t opacity;
    uint8_t dash;  /* enum tdm_board_dash */
    uint8_t font;  /* enum tdm_board_font */
    uint8_t align; /* enum tdm_board_align; START is right in text that runs to the left. */
    uint8_t head_start, head_end; /* enum tdm_board_head */
    int32_t font_size;
    uint16_t crop[4];         /* Of an image, as the document has it; all 0: nothing is cut. */
    int32_t scale_x, scale_y; /* Of points, /65536; 0 counts as 65536. */
    bool sealed;              /* A stroke that will not grow any more: its end tapers. */

    /* Borrowed, until the call that it is given to returns. */
    const struct tdm_board_point *points;
    uint32_t point_count;
    const char *text; /* UTF-8; broken sequences are shown as U+FFFD. Over 64 KiB is cut. */
    uint32_t text_size;
    const uint8_t *image; /* TDM_BOARD_HASH_BYTES: which picture of the scene; NULL: none. */
};

static inline uint64_t tdm_board_figure_id(struct tdm_board_id id)
{
    return (uint64_t)id.actor << 32 | id.seq;
}

/** A rectangle of the board in pixels; empty when right <= left. */
struct tdm_figure_box {
    double left, top, right, bottom;
};

#endif

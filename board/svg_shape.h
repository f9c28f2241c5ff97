/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SVG_SHAPE_H
#define TDM_BOARD_SVG_SHAPE_H

/* Shapes of SVG as items of a drawing: what their transformation leaves straight stays what it is,
 * the rest becomes lines. */

#include "board/drawing.h"
#include "board/svg_matrix.h"
#include "board/svg_style.h"

/** Where and how the next shape is drawn. False of the functions: no room. */
struct tdm_svg_brush {
    struct tdm_drawing *drawing;
    struct tdm_svg_matrix matrix;
    struct tdm_svg_style style;
    uint32_t group;
};

/** Colours, width and what else an item has of its brush. */
void tdm_svg_brush_paint(const struct tdm_svg_brush *brush, struct tdm_drawing_item *item);
/** Whether any of a shape is seen: icons have boxes without fill and border around them. */
bool tdm_svg_brush_shows(const struct tdm_svg_brush *brush);

struct tdm_svg_box {
    double x, y, w, h;
};

bool tdm_svg_rectangle(const struct tdm_svg_brush *brush, struct tdm_svg_box box, double radius);
bool tdm_svg_ellipse(const struct tdm_svg_brush *brush, struct tdm_svg_box box);
/** A closed line through these. */
bool tdm_svg_corners(const struct tdm_svg_brush *brush, const struct tdm_svg_point *corners,
                     size_t count);
/** Pairs of numbers. */
bool tdm_svg_polygon(const struct tdm_svg_brush *brush, const char *points, bool closed);
bool tdm_svg_line(const struct tdm_svg_brush *brush, struct tdm_svg_point from,
                  struct tdm_svg_point to);
bool tdm_svg_path_shape(const struct tdm_svg_brush *brush, const char *data);
bool tdm_svg_image(const struct tdm_svg_brush *brush, struct tdm_svg_box box, const char *uri);
/** `text` stands with its baseline's begin, middle or end at x, y. */
bool tdm_svg_text(const struct tdm_svg_brush *brush, double x, double y, const char *text,
                  size_t size);

#endif

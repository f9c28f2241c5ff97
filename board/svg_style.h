/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SVG_STYLE_H
#define TDM_BOARD_SVG_STYLE_H

/* The presentation attributes of SVG that a board can show, as they are inherited. */

#include "collab/board_object.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_svg_style {
    uint32_t colour;       /* For currentColor. */
    uint32_t fill, stroke; /* 0xRRGGBBAA; alpha 0: none. */
    double fill_opacity, stroke_opacity;
    double opacity; /* Of everything around, multiplied. */
    double stroke_width, font_size;
    enum tdm_board_dash dash;
    enum tdm_board_font font;
    enum tdm_board_align anchor;
    bool even_odd; /* What is inside of a figure: fill-rule. */
    bool hidden;   /* display: none holds for everything within. */
    bool gradient; /* A fill or stroke is not a colour. */
};

struct tdm_svg_style tdm_svg_style_first(void);
/** What the element's attributes ("name", "value", ..., NULL), its style="" among them, change. */
void tdm_svg_style_take(struct tdm_svg_style *style, const char **attributes);

/** A colour with its opacity. */
uint32_t tdm_svg_paint(uint32_t colour, double opacity);
/** "3", "1.5cm", "50%" in px; `whole`: of what percents are. */
bool tdm_svg_length(const char *text, double font_size, double whole, double *px);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_PEN_H
#define TDM_MEASURE_PEN_H

/*
 * Draws text and boxes as a desktop shows them: grey antialiasing, slight hinting, whatever the
 * user's own settings are. Where no font is installed a word is a bar of its length.
 */

#include <cairo.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdint.h>

enum tdm_face { TDM_FACE_MONO, TDM_FACE_SANS, TDM_FACE_BOLD, TDM_FACE_COUNT };

struct tdm_pen {
    cairo_t *cairo;
    PangoLayout *layout;
    PangoFontDescription *faces[TDM_FACE_COUNT];
    bool has_font;
};

struct tdm_style {
    enum tdm_face face;
    int pixels;      /* Of the face's em. */
    uint32_t colour; /* 0xrrggbb. */
};

/** Draws on `surface`, which outlives it. False when there is no memory. Destroy in any case. */
bool tdm_pen_create(struct tdm_pen *pen, cairo_surface_t *surface);
void tdm_pen_destroy(struct tdm_pen *pen);

/** Draws `size` bytes of `text` with the upper left corner at x, y; gives its width. */
double tdm_pen_text(struct tdm_pen *pen, double x, double y, const struct tdm_style *style,
                    const char *text, int size);

/** Draws a paragraph that is `width` wide; gives its height. */
double tdm_pen_paragraph(struct tdm_pen *pen, double x, double y, double width,
                         const struct tdm_style *style, const char *text);

void tdm_pen_box(struct tdm_pen *pen, double x, double y, double width, double height,
                 uint32_t colour);

/** The width of each character of the mono face. */
double tdm_pen_advance(int pixels);

#endif

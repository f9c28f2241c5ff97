/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_HIGHLIGHT_H
#define TDM_MEASURE_HIGHLIGHT_H

/* Draws a line of code as an editor does: keywords, strings, numbers and comments in colours. */

#include "measure/pen.h"

struct tdm_theme {
    uint32_t paper, plain, keyword, string, number, comment, call, gutter, caret, line;
};

/** Draws the first `size` bytes of a line. Returns where it ends. */
double tdm_highlight_line(struct tdm_pen *pen, double x, double y, int pixels,
                          const struct tdm_theme *theme, const char *text, int size);

#endif

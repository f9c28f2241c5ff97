/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_LINES_H
#define TDM_RENDER_BOARD_LINES_H

/*
 * A figure's text laid out in lines by pango: of a text object in its width, of a note in the
 * middle of its sheet, in smaller letters when they would not fit. Made at scale 1 without hints,
 * so that lines break at the same places at every scale.
 */

#include "render/board_figure.h"
#include "render/board_text.h"

#include <pango/pangocairo.h>

/** Owned by whoever made it. */
struct tdm_board_lines {
    PangoLayout *layout;  /* NULL: no text, or no memory. */
    double x, y;          /* Of its corner, px from the figure's (x, y). */
    double width, height; /* What it takes. */
    double size;          /* Of the letters, px. */
};

#define TDM_BOARD_LINES_BYTES ((size_t)64 * 1024) /* Of text; what is more is not laid out. */

void tdm_board_lines_make(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                          struct tdm_board_lines *lines);
void tdm_board_lines_free(struct tdm_board_lines *lines);

/** Space around the text of a note, px. */
double tdm_board_lines_padding(const struct tdm_board_figure *note);

#endif

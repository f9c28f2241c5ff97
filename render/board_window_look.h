/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_WINDOW_LOOK_H
#define TDM_RENDER_BOARD_WINDOW_LOOK_H

/* How bars and what is on them look: between board_window_panel.c and board_window_widgets.c. */

#include "render/board_window_state.h"

/** Of the bars themselves, per theme. */
struct tdm_board_palette {
    uint32_t card, edge, ink, faint, hot, on, on_ink, accent, tip, tip_ink, shadow;
    uint32_t press, press_hot, press_ink; /* Of the button that Enter presses. */
};

const struct tdm_board_palette *tdm_board_window_palette(const struct tdm_board_window *w);

/** A widget of a bar, where it stands. */
void tdm_board_window_paint_widget(struct tdm_board_window *w, cairo_t *cr, enum tdm_board_bar bar,
                                   int which);

#endif

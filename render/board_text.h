/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_TEXT_H
#define TDM_RENDER_BOARD_TEXT_H

/*
 * The letters of text and notes: how large they are, and where a caret stands. Any script, both
 * directions, wrapped at the figure's width. Places are px of the board relative to the figure's
 * (x, y), unturned; indices are bytes of the figure's UTF-8 and may point into a character, which
 * counts as its start. The layout does not depend on the scale at which it is shown.
 *
 * Works on figures by themselves, in a scene or not.
 */

#include "engine/base/err.h"
#include "render/board_figure.h"

struct tdm_board_letters;

enum tdm_err tdm_board_letters_create(struct tdm_board_letters **letters, struct tdm_cause *cause);
void tdm_board_letters_destroy(struct tdm_board_letters *letters);

/** Width and height of what the figure's text takes; at least one line. For text without a width,
 *  what its box should be. */
void tdm_board_text_measure(struct tdm_board_letters *letters,
                            const struct tdm_board_figure *figure, double *width, double *height);

struct tdm_board_caret_place {
    double x, y, height; /* Its top. */
    bool leftward;       /* Text runs to the left there. */
    double split_x;      /* Where text of the other direction would go in; else x. */
};
void tdm_board_text_caret(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                          size_t index, struct tdm_board_caret_place *caret);
/** The place between characters that is nearest to a point. */
size_t tdm_board_text_index(struct tdm_board_letters *letters,
                            const struct tdm_board_figure *figure, double x, double y);

enum tdm_board_text_step {
    TDM_BOARD_STEP_LEFT, /* As the eye sees it, in both directions of script. */
    TDM_BOARD_STEP_RIGHT,
    TDM_BOARD_STEP_UP, /* To `x`, which the caller keeps over several steps. */
    TDM_BOARD_STEP_DOWN,
    TDM_BOARD_STEP_LINE_START,
    TDM_BOARD_STEP_LINE_END,
    TDM_BOARD_STEP_WORD_LEFT,
    TDM_BOARD_STEP_WORD_RIGHT,
    TDM_BOARD_STEP_BACK,    /* In the text's own order, by what a reader takes for one letter: */
    TDM_BOARD_STEP_FORWARD, /* what Backspace and Delete take away. */
};
size_t tdm_board_text_step(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                           size_t index, enum tdm_board_text_step step, double x);
/** The word around an index (a double click). */
void tdm_board_text_word(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                         size_t index, size_t *from, size_t *to);
/** The boxes of selected bytes, relative to (x, y). @return how many there are, up to `max`. */
size_t tdm_board_text_selection(struct tdm_board_letters *letters,
                                const struct tdm_board_figure *figure, size_t from, size_t to,
                                struct tdm_figure_box *boxes, size_t max);

#endif

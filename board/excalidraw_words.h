/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_EXCALIDRAW_WORDS_H
#define TDM_BOARD_EXCALIDRAW_WORDS_H

/* What the reader and the writer of .excalidraw say alike. */

#include "board/drawing.h"

/* Its pen draws this much wider at half of the pressure than strokeWidth says: 4.25 times, and by
 * its easing sin(45 degrees) where ours has one half. */
#define TDM_EXCALIDRAW_PEN    6.0104
#define TDM_EXCALIDRAW_CORNER 32.0 /* px, where roundness gives no value. */

/* Ours in its customData, where it has no word: {"tandem": {"type": "note"}}. */
#define TDM_EXCALIDRAW_OURS "tandem"

struct tdm_excalidraw_word {
    const char *word;
    int value;
};

/* The first with a value is what is written; ended by a NULL. */
extern const struct tdm_excalidraw_word tdm_excalidraw_types[];
extern const struct tdm_excalidraw_word tdm_excalidraw_dashes[];
extern const struct tdm_excalidraw_word tdm_excalidraw_aligns[];
extern const struct tdm_excalidraw_word tdm_excalidraw_heads[];

/** `other` when it is none of them, or NULL. */
int tdm_excalidraw_value(const struct tdm_excalidraw_word *words, const char *word, int other);
/** NULL when there is none. */
const char *tdm_excalidraw_word(const struct tdm_excalidraw_word *words, int value);

/** Its numbers of fonts. */
enum tdm_board_font tdm_excalidraw_font(int64_t family);
int tdm_excalidraw_family(enum tdm_board_font font);

#endif

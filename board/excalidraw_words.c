/* SPDX-License-Identifier: MIT */
#include "board/excalidraw_words.h"

#include <string.h>

const struct tdm_excalidraw_word tdm_excalidraw_types[] = {
    {"rectangle", TDM_BOARD_RECTANGLE}, {"diamond", TDM_BOARD_DIAMOND},
    {"ellipse", TDM_BOARD_ELLIPSE},     {"line", TDM_BOARD_LINE},
    {"arrow", TDM_BOARD_ARROW},         {"freedraw", TDM_BOARD_PEN},
    {"text", TDM_BOARD_TEXT},           {"image", TDM_BOARD_IMAGE},
    {"frame", TDM_BOARD_PAGE},          {"magicframe", TDM_BOARD_PAGE},
    {"freedraw", TDM_BOARD_MARKER},     {"rectangle", TDM_BOARD_NOTE},
    {"draw", TDM_BOARD_LINE},           {NULL, 0}};

const struct tdm_excalidraw_word tdm_excalidraw_dashes[] = {
    {"solid", TDM_DASH_SOLID}, {"dashed", TDM_DASH_DASHED}, {"dotted", TDM_DASH_DOTTED}, {NULL, 0}};

const struct tdm_excalidraw_word tdm_excalidraw_aligns[] = {
    {"left", TDM_ALIGN_START}, {"center", TDM_ALIGN_CENTRE}, {"right", TDM_ALIGN_END}, {NULL, 0}};

const struct tdm_excalidraw_word tdm_excalidraw_heads[] = {{"arrow", TDM_HEAD_ARROW},
                                                           {"triangle", TDM_HEAD_TRIANGLE},
                                                           {"circle", TDM_HEAD_DOT},
                                                           {"bar", TDM_HEAD_BAR},
                                                           {"dot", TDM_HEAD_DOT},
                                                           {"circle_outline", TDM_HEAD_DOT},
                                                           {"triangle_outline", TDM_HEAD_TRIANGLE},
                                                           {"diamond", TDM_HEAD_TRIANGLE},
                                                           {"diamond_outline", TDM_HEAD_TRIANGLE},
                                                           {"cardinality_one", TDM_HEAD_BAR},
                                                           {"crowfoot_one", TDM_HEAD_BAR},
                                                           {NULL, 0}};

int tdm_excalidraw_value(const struct tdm_excalidraw_word *words, const char *word, int other)
{
    for (; word && words->word; words++)
        if (strcmp(words->word, word) == 0)
            return words->value;
    return other;
}

const char *tdm_excalidraw_word(const struct tdm_excalidraw_word *words, int value)
{
    for (; words->word; words++)
        if (words->value == value)
            return words->word;
    return NULL;
}

/* 1 Virgil, 2 Helvetica, 3 Cascadia, 5 Excalifont, 6 Nunito, 7 Lilita One, 8 Comic Shanns, 9
 * Liberation Sans. It has none with serifs. */
enum tdm_board_font tdm_excalidraw_font(int64_t family)
{
    if (family == 1 || family == 5)
        return TDM_FONT_HAND;
    return family == 3 || family == 8 ? TDM_FONT_MONO : TDM_FONT_SANS;
}

int tdm_excalidraw_family(enum tdm_board_font font)
{
    return font == TDM_FONT_HAND ? 5 : font == TDM_FONT_MONO ? 3 : 2;
}

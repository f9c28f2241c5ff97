/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_COLOUR_H
#define TDM_BOARD_COLOUR_H

/* Colours as text, as CSS has them, in 0xRRGGBBAA. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_COLOUR_TEXT 10

/** "#rgb", "#rgba", "#rrggbb", "#rrggbbaa", "rgb(1, 2, 3)", "rgba(1 2 3 / 50%)", a name, "none" or
 *  "transparent" (0); false: none of these. */
bool tdm_colour_parse(const char *text, size_t size, uint32_t *colour);
/** "#rrggbb", or "#rrggbbaa" where it is not opaque. */
void tdm_colour_write(uint32_t colour, char text[TDM_COLOUR_TEXT]);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_EXCALIDRAW_H
#define TDM_BOARD_EXCALIDRAW_H

/*
 * The .excalidraw format, version 2: JSON with elements and files. Frames become pages, and pages
 * frames in a row; bound texts become texts of their own. What has no counterpart is skipped and
 * counted. docs/board-formats.md has the table.
 */

#include "board/drawing.h"

#define TDM_EXCALIDRAW_MAX ((size_t)128 << 20)

/** TDM_E_MALFORMED: no drawing of Excalidraw; TDM_E_SPACE: too large. The drawing is initialised
 * and to be freed in any case. */
enum tdm_err tdm_excalidraw_read(struct tdm_drawing *drawing, const char *text, size_t size,
                                 struct tdm_cause *cause);
/** The text, ended by a zero, to be freed. TDM_E_SYSTEM: no memory. */
enum tdm_err tdm_excalidraw_write(const struct tdm_drawing *drawing, char **text, size_t *size,
                                  struct tdm_cause *cause);

#endif
